/*
 * train_reference.h
 *	  A model's loss in double precision, by the plainest loops.
 *
 * What training must differentiate, written down a second time: no packing, no
 * blocks, no float. Parameters are those of an rstar_train_model, as doubles in
 * one array in its order.
 */
#ifndef RSTAR_TEST_TRAIN_REFERENCE_H
#define RSTAR_TEST_TRAIN_REFERENCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/pass.h"

typedef struct reference
{
	const rstar_train_model *model;
	const double *values; /* [n_parameters] */
} reference;

static const double *
reference_tensor(const reference *r, uint32_t tensor)
{
	return r->values + (r->model->tensors[tensor].value - r->model->values);
}

static void
reference_norm(const double *x, const double *weight, uint32_t n, double eps, double *out)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	for (uint32_t i = 0; i < n; i++)
		out[i] = x[i] / sqrt(sum / n + eps) * weight[i];
}

/* y (+)= W x, W [rows][columns]. */
static void
reference_product(const reference *r, uint32_t tensor, const double *x, double *y, bool add)
{
	const rstar_train_tensor *w = &r->model->tensors[tensor];
	const double *row = reference_tensor(r, tensor);

	for (uint32_t i = 0; i < w->rows; i++, row += w->columns)
	{
		double sum = 0;

		for (uint32_t j = 0; j < w->columns; j++)
			sum += row[j] * x[j];
		y[i] = (add ? y[i] : 0) + sum;
	}
}

static void
reference_rope(const rstar_train_model *model, uint32_t layer, double *head, uint32_t position)
{
	const rstar_hparams *h = &model->hparams;
	uint32_t pairs = h->layer_flags[layer] & RSTAR_LAYER_NO_ROPE ? 0 : h->rope_dim / 2;

	for (uint32_t i = 0; i < pairs; i++)
	{
		double *a = head + (h->rope_style == RSTAR_ROPE_NEOX ? i : 2 * i);
		double *b = h->rope_style == RSTAR_ROPE_NEOX ? a + pairs : a + 1;
		double angle = position * model->frequencies[i], x = *a, y = *b;

		*a = (x * cos(angle) - y * sin(angle)) * (double) h->rope_magnitude;
		*b = (x * sin(angle) + y * cos(angle)) * (double) h->rope_magnitude;
	}
}

/* One head's output for query t. */
static void
reference_attend(const rstar_hparams *h, uint32_t window, const double *qkv, uint32_t W, uint32_t t,
				 uint32_t head, double *out)
{
	uint32_t D = h->head_dim, kv = head / (h->n_head / h->n_head_kv);
	const double *q = qkv + (size_t) t * W + head * D;
	double *score = calloc(t + 1, sizeof *score), total = 0, most = -1e300;
	uint32_t first = window && t + 1 > window ? t + 1 - window : 0;

	for (uint32_t j = first; j <= t; j++)
	{
		const double *k = qkv + (size_t) j * W + (h->n_head + kv) * D;

		for (uint32_t d = 0; d < D; d++)
			score[j] += q[d] * k[d] / sqrt((double) D);
		most = score[j] > most ? score[j] : most;
	}
	for (uint32_t j = first; j <= t; j++)
		total += score[j] = exp(score[j] - most);
	memset(out, 0, D * sizeof *out);
	for (uint32_t j = first; j <= t; j++)
		for (uint32_t d = 0; d < D; d++)
			out[d] +=
				score[j] / total * qkv[(size_t) j * W + (h->n_head + h->n_head_kv + kv) * D + d];
	free(score);
}

static void
reference_heads(const reference *r, uint32_t layer, double *row, uint32_t position)
{
	const rstar_hparams *h = &r->model->hparams;
	const rstar_train_layer *w = &r->model->layers[layer];

	for (uint32_t i = 0; i < h->n_head + h->n_head_kv; i++)
	{
		uint32_t norm = i < h->n_head ? w->q_norm : w->k_norm;
		double *head = row + i * h->head_dim;

		if (norm != RSTAR_TRAIN_NONE)
			reference_norm(head, reference_tensor(r, norm), h->head_dim, (double) h->norm_eps,
						   head);
		reference_rope(r->model, layer, head, position);
	}
}

/* x [T][C] through one layer. */
static void
reference_layer(const reference *r, uint32_t layer, uint32_t T, double *x)
{
	const rstar_hparams *h = &r->model->hparams;
	const rstar_train_layer *w = &r->model->layers[layer];
	uint32_t C = h->n_embd, F = h->n_ff, W = r->model->tensors[w->qkv].rows;
	double *normed = calloc(C, sizeof *normed), *qkv = calloc((size_t) T * W, sizeof *qkv);
	double *heads = calloc(h->n_head * h->head_dim, sizeof *heads);
	double *gate_up = calloc(2 * F, sizeof *gate_up);

	for (uint32_t t = 0; t < T; t++)
	{
		double *row = qkv + (size_t) t * W;

		reference_norm(x + t * C, reference_tensor(r, w->attn_norm), C, (double) h->norm_eps,
					   normed);
		reference_product(r, w->qkv, normed, row, false);
		for (uint32_t i = 0; w->qkv_bias != RSTAR_TRAIN_NONE && i < W; i++)
			row[i] += reference_tensor(r, w->qkv_bias)[i];
		reference_heads(r, layer, row, t);
	}
	for (uint32_t t = 0; t < T; t++)
	{
		for (uint32_t head = 0; head < h->n_head; head++)
			reference_attend(h, rstar_hparams_window(h, layer), qkv, W, t, head,
							 heads + head * h->head_dim);
		reference_product(r, w->attn_out, heads, x + t * C, true);
		for (uint32_t i = 0; w->attn_out_bias != RSTAR_TRAIN_NONE && i < C; i++)
			x[t * C + i] += reference_tensor(r, w->attn_out_bias)[i];
		reference_norm(x + t * C, reference_tensor(r, w->ffn_norm), C, (double) h->norm_eps,
					   normed);
		reference_product(r, w->gate_up, normed, gate_up, false);
		for (uint32_t i = 0; i < F; i++)
			gate_up[i] = gate_up[i] / (1 + exp(-gate_up[i])) * gate_up[F + i];
		reference_product(r, w->down, gate_up, x + t * C, true);
	}
	free(normed);
	free(qkv);
	free(heads);
	free(gate_up);
}

/* The normalised last state of every token: [length][C], to be freed. */
static double *
reference_hidden(const reference *r, const int32_t *ids, uint32_t length)
{
	uint32_t C = r->model->hparams.n_embd;
	double *x = calloc((size_t) length * C, sizeof *x);

	for (uint32_t t = 0; t < length; t++)
		memcpy(x + t * C, reference_tensor(r, r->model->token_embd) + (size_t) ids[t] * C,
			   C * sizeof *x);
	for (uint32_t layer = 0; layer < r->model->hparams.n_layer; layer++)
		reference_layer(r, layer, length, x);
	for (uint32_t t = 0; t < length; t++)
		reference_norm(x + t * C, reference_tensor(r, r->model->output_norm), C,
					   (double) r->model->hparams.norm_eps, x + t * C);
	return x;
}

static double
reference_cross_entropy(const reference *r, const double *hidden, int32_t target)
{
	uint32_t V = r->model->hparams.n_vocab;
	double *logits = calloc(V, sizeof *logits), total = 0, loss;

	reference_product(r, r->model->output, hidden, logits, false);
	for (uint32_t i = 0; i < V; i++)
		total += exp(logits[i]);
	loss = log(total) - logits[target];
	free(logits);
	return loss;
}

/* Sum of the cross-entropy of a sequence's learned tokens, and how many there are. */
static double
reference_sequence(const reference *r, const rstar_pass_sequence *q, const double *hidden,
				   uint32_t *n)
{
	double sum = 0;

	*n = 0;
	for (uint32_t t = 0; q->learned && t + 1 < q->length; t++)
		if (q->learned[t + 1])
		{
			sum += reference_cross_entropy(r, hidden + t * r->model->hparams.n_embd, q->ids[t + 1]);
			++*n;
		}
	return sum;
}

/* The value at a token, but for the bias. */
static double
reference_value(const reference *r, const rstar_pass_sequence *q, const double *hidden, uint32_t at)
{
	double value, sum;
	uint32_t n;

	reference_product(r, r->model->value_weight, hidden + at * r->model->hparams.n_embd, &value,
					  false);
	sum = reference_sequence(r, q, hidden, &n);
	return n > 0 ? value - *reference_tensor(r, r->model->value_likelihood) * sum / n : value;
}

/* Sum over the learned tokens, or the weighted sum over the pairs. */
static double
reference_loss(const reference *r, const rstar_pass_batch *batch)
{
	const rstar_pass_sequence *q = batch->sequences;
	double loss = 0;
	double **hidden = calloc(batch->n_sequences, sizeof *hidden);

	for (uint32_t s = 0; s < batch->n_sequences; s++)
	{
		uint32_t n;

		hidden[s] = reference_hidden(r, q[s].ids, q[s].length);
		if (batch->n_pairs == 0)
			loss += reference_sequence(r, &q[s], hidden[s], &n);
	}
	for (uint32_t i = 0; i < batch->n_pairs; i++)
	{
		const rstar_pass_pair *p = &batch->pairs[i];
		double chosen = reference_value(r, &q[p->chosen], hidden[p->chosen], p->chosen_at);
		double rejected = reference_value(r, &q[p->rejected], hidden[p->rejected], p->rejected_at);

		loss += (double) p->weight * log1p(exp(rejected - chosen));
	}
	for (uint32_t s = 0; s < batch->n_sequences; s++)
		free(hidden[s]);
	free(hidden);
	return loss;
}

#endif

/*
 * output.c
 *	  The output at the positions that are learned from, its loss, and the way back.
 *
 * Next tokens: logits of some rows at a time, cross-entropy in place, then the
 * gradients of hidden state and output matrix. Values: one number per pick, with the
 * likelihood of its sequence, and the pairwise loss -log sigmoid(v_chosen - v_rejected).
 */
#include "core/train/pass_internal.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"

static void
pick_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	const rstar_hparams *h = &pass->model->hparams;
	uint32_t C = h->n_embd;
	const float *weight = rstar_pass_value(pass, pass->model->output_norm);
	const float *x = rstar_pass_stream(pass, h->n_layer);

	(void) sums;
	for (uint32_t i = first; i < end; i++)
		pass->r_final[i] = pass->ops->norm_forward(x + (size_t) pass->picks[i] * C, weight, C,
												   h->norm_eps, pass->final + (size_t) i * C);
}

bool
rstar_pass_pick(rstar_pass *pass, const rstar_cancel *cancel)
{
	return rstar_pass_tokens(pass, pass->P, pick_tokens, NULL, 0, cancel);
}

static void
unpick_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	uint32_t C = pass->model->hparams.n_embd;
	const float *weight = rstar_pass_value(pass, pass->model->output_norm);
	const float *x = rstar_pass_stream(pass, pass->model->hparams.n_layer);

	for (uint32_t i = first; i < end; i++)
		pass->ops->norm_backward(x + (size_t) pass->picks[i] * C, weight, pass->r_final[i],
								 pass->dfinal + (size_t) i * C, C,
								 pass->dx + (size_t) pass->picks[i] * C, sums);
}

bool
rstar_pass_unpick(rstar_pass *pass, const rstar_cancel *cancel)
{
	uint32_t C = pass->model->hparams.n_embd;

	memset(pass->dx, 0, (size_t) pass->N * C * sizeof *pass->dx);
	if (pass->batch.n_pairs > 0)
	{
		/* Pairs may share a token, whose row of dx two threads must not write. */
		unpick_tokens(pass, 0, pass->P, pass->gradients[pass->model->output_norm]);
		return true;
	}
	return rstar_pass_tokens(pass, pass->P, unpick_tokens,
							 pass->gradients[pass->model->output_norm], C, cancel);
}

/* --- next tokens ------------------------------------------------------------------------ */

static void
read_row(void *arg, uint32_t block, uint32_t thread)
{
	rstar_pass *pass = arg;
	uint32_t V = pass->model->hparams.n_vocab, i = pass->at + block;

	(void) thread;
	pass->losses[i] =
		pass->ops->cross_entropy_only(pass->logits + (size_t) block * V, V, pass->targets[i]);
}

/* The logits become their gradient. */
static void
learn_row(void *arg, uint32_t block, uint32_t thread)
{
	rstar_pass *pass = arg;
	uint32_t V = pass->model->hparams.n_vocab, i = pass->at + block;

	(void) thread;
	pass->losses[i] = pass->ops->cross_entropy(pass->logits + (size_t) block * V, V,
											   pass->targets[i], pass->slopes[i]);
}

/* Some rows from pass->at on, at least one: their losses, and with `learn` their gradients. */
static bool
token_rows(rstar_pass *pass, bool learn, const rstar_cancel *cancel)
{
	const rstar_train_model *model = pass->model;
	uint32_t C = model->hparams.n_embd, left = pass->L - pass->at;
	uint32_t n = left < pass->rows_at_once ? left : pass->rows_at_once;
	size_t at = (size_t) pass->at * C;

	if (!rstar_pass_linear(pass, model->output, RSTAR_TRAIN_NONE, pass->final + at, n, pass->logits,
						   false, cancel) ||
		!rstar_pool_run(pass->pool, learn ? learn_row : read_row, pass, n, cancel))
		return false;
	if (learn &&
		!rstar_pass_linear_backward(pass, model->output, RSTAR_TRAIN_NONE, pass->final + at,
									pass->logits, n, pass->dfinal + at, cancel))
		return false;
	pass->row += n;
	return true;
}

static bool
output_tokens(rstar_pass *pass, const rstar_cancel *cancel)
{
	uint32_t first = pass->row;

	pass->at = first;
	for (uint32_t i = 0; first == 0 && i < pass->L; i++)
		pass->slopes[i] = pass->batch.scale;
	if (!token_rows(pass, pass->backward, cancel))
		return false;
	for (uint32_t i = first; i < pass->row; i++)
		pass->result.loss += pass->losses[i];
	pass->result.counted += pass->row - first;
	return true;
}

/* --- values ---------------------------------------------------------------------------------- */

/* log(1 + exp(x)) without overflow. */
static double
softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Mean log-probability of what a sequence marks; 0 for nothing. */
static float
likelihood(const rstar_pass *pass, uint32_t sequence)
{
	uint32_t first = pass->first[sequence], end = pass->first[sequence + 1];
	double sum = 0;

	for (uint32_t i = first; i < end; i++)
		sum -= pass->losses[i];
	return end > first ? (float) (sum / (end - first)) : 0.0f;
}

static void
likelihood_backward(rstar_pass *pass, uint32_t sequence, float dvalue)
{
	uint32_t tensor = pass->model->value_likelihood;
	uint32_t first = pass->first[sequence], end = pass->first[sequence + 1];

	if (pass->gradients[tensor])
		pass->gradients[tensor][0] += dvalue * likelihood(pass, sequence);
	for (uint32_t i = first; i < end; i++)
		pass->slopes[i] -= dvalue * rstar_pass_value(pass, tensor)[0] / (float) (end - first);
}

/* dfinal = dvalue * weight; the head's own gradients. */
static void
head_backward(rstar_pass *pass, uint32_t pick, float dvalue)
{
	const rstar_train_model *model = pass->model;
	uint32_t C = model->hparams.n_embd;
	const float *weight = rstar_pass_value(pass, model->value_weight);
	float *dfinal = pass->dfinal + (size_t) pick * C;

	memset(dfinal, 0, C * sizeof *dfinal);
	pass->ops->add_scaled(dfinal, dvalue, weight, C);
	if (pass->gradients[model->value_weight])
		pass->ops->add_scaled(pass->gradients[model->value_weight], dvalue,
							  pass->final + (size_t) pick * C, C);
	if (pass->gradients[model->value_bias])
		pass->gradients[model->value_bias][0] += dvalue;
}

/* Values 2i and 2i + 1 are those of pair i. */
static void
read_values(rstar_pass *pass)
{
	const rstar_train_model *model = pass->model;
	uint32_t C = model->hparams.n_embd;
	const float *weight = rstar_pass_value(pass, model->value_weight);
	float bias = rstar_pass_value(pass, model->value_bias)[0];
	float by = rstar_pass_value(pass, model->value_likelihood)[0];

	for (uint32_t i = 0; i < 2 * pass->batch.n_pairs; i++)
	{
		const rstar_pass_pair *pair = &pass->batch.pairs[i / 2];

		pass->values[i] = pass->ops->dot(pass->final + (size_t) (pass->L + i) * C, weight, C) +
						  bias + by * likelihood(pass, i % 2 ? pair->rejected : pair->chosen);
	}
}

static void
output_values(rstar_pass *pass)
{
	read_values(pass);
	memset(pass->slopes, 0, pass->L * sizeof *pass->slopes);
	for (uint32_t i = 0; i < pass->batch.n_pairs; i++)
	{
		const rstar_pass_pair *pair = &pass->batch.pairs[i];
		double margin = (double) pass->values[2 * i] - (double) pass->values[2 * i + 1];
		double slope = -1.0 / (1.0 + exp(margin));
		float dvalue = (float) (slope * (double) pair->weight * (double) pass->batch.scale);

		pass->result.loss += (double) pair->weight * softplus(-margin);
		pass->result.counted += (double) pair->weight;
		pass->result.correct += margin > 0;
		if (pass->backward)
		{
			head_backward(pass, pass->L + 2 * i, dvalue);
			head_backward(pass, pass->L + 2 * i + 1, -dvalue);
			likelihood_backward(pass, pair->chosen, dvalue);
			likelihood_backward(pass, pair->rejected, -dvalue);
		}
	}
	pass->row += 2 * pass->batch.n_pairs;
}

/*
 * What the tokens' cross-entropy has to do with the loss is known only when all of them have
 * been read, so their rows are gone over twice: read, then, behind the values, learned.
 */
static bool
output_pairs(rstar_pass *pass, const rstar_cancel *cancel)
{
	if (pass->row == pass->L)
	{
		output_values(pass);
		return true;
	}
	pass->at = pass->row < pass->L ? pass->row : pass->row - pass->P;
	return token_rows(pass, pass->row > pass->L, cancel);
}

uint32_t
rstar_pass_output_rows(const rstar_pass *pass)
{
	return pass->P + (pass->batch.n_pairs > 0 && pass->backward ? pass->L : 0);
}

bool
rstar_pass_output(rstar_pass *pass, const rstar_cancel *cancel)
{
	int64_t start = rstar_clock_ns();
	double matrices = pass->times.matrices;
	bool ok = pass->batch.n_pairs > 0 ? output_pairs(pass, cancel) : output_tokens(pass, cancel);

	pass->times.output +=
		(double) (rstar_clock_ns() - start) * 1e-9 - (pass->times.matrices - matrices);
	return ok;
}

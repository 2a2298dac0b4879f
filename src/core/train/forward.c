/*
 * forward.c
 *	  Embedding and layers, forward, keeping what backward needs.
 */
#include "core/train/layer.h"

#include <string.h>

static void
embed_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	uint32_t C = pass->model->hparams.n_embd;
	const float *table = rstar_pass_value(pass, pass->model->token_embd);

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		memcpy(pass->stream + (size_t) t * C, table + (size_t) pass->ids[t] * C, C * sizeof(float));
}

bool
rstar_pass_embed(rstar_pass *pass, const rstar_cancel *cancel)
{
	return rstar_pass_tokens(pass, pass->N, embed_tokens, NULL, 0, cancel);
}

/* arg: the norm. Its r is kept. */
static void
norm_rows(const void *arg, uint32_t first, uint32_t end, float *sums)
{
	const rstar_pass_norm *norm = arg;
	const rstar_pass *pass = norm->pass;
	const rstar_hparams *h = &pass->model->hparams;

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		norm->r[t] =
			pass->ops->norm_forward(norm->x + (size_t) t * h->n_embd, norm->weight, h->n_embd,
									h->norm_eps, pass->normed + (size_t) t * h->n_embd);
}

/* Norms of q and k (where there are any), then rope, on the heads of one token. */
static void
turn_token(rstar_pass *pass, uint32_t t)
{
	const rstar_hparams *h = &pass->model->hparams;
	const rstar_train_layer *tensors = &pass->model->layers[pass->layer];
	rstar_pass_layer *layer = &pass->layers[pass->layer];
	uint32_t heads = h->n_head + h->n_head_kv, pairs = h->rope_dim / 2;
	float *row = layer->qkv + (size_t) t * rstar_pass_wide(h);
	const float *cos = pass->cos + (size_t) pass->position[t] * pairs;
	const float *sin = pass->sin + (size_t) pass->position[t] * pairs;

	if (layer->raw)
		memcpy(layer->raw + (size_t) t * rstar_pass_wide(h), row,
			   (size_t) heads * h->head_dim * sizeof(float));
	for (uint32_t i = 0; i < heads; i++)
	{
		uint32_t norm = i < h->n_head ? tensors->q_norm : tensors->k_norm;
		float *head = row + (size_t) i * h->head_dim;

		if (norm != RSTAR_TRAIN_NONE)
			layer->r_heads[(size_t) t * heads + i] = pass->ops->norm_forward(
				head, rstar_pass_value(pass, norm), h->head_dim, h->norm_eps, head);
		if (rstar_pass_rotates(pass))
			pass->ops->rope(head, cos, sin, pairs, h->rope_style == RSTAR_ROPE_NEOX, false);
	}
}

static void
turn_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	(void) sums;
	for (uint32_t t = first; t < end; t++)
		turn_token(pass, t);
}

bool
rstar_pass_forward(rstar_pass *pass, const rstar_cancel *cancel)
{
	const rstar_train_layer *w = &pass->model->layers[pass->layer];
	rstar_pass_layer *layer = &pass->layers[pass->layer];
	uint32_t N = pass->N;
	size_t bytes = (size_t) N * pass->model->hparams.n_embd * sizeof(float);
	float *x = rstar_pass_stream(pass, pass->layer);
	float *out = rstar_pass_stream(pass, pass->layer + 1);
	rstar_pass_norm attn_norm = rstar_pass_attn_norm(pass), ffn_norm = rstar_pass_ffn_norm(pass);

	if (!rstar_pass_rows(pass, N, norm_rows, &attn_norm, NULL, 0, cancel) ||
		!rstar_pass_linear(pass, w->qkv, w->qkv_bias, pass->normed, N, layer->qkv, false, cancel) ||
		!rstar_pass_tokens(pass, N, turn_tokens, NULL, 0, cancel) ||
		!rstar_pass_attend(pass, cancel))
		return false;
	memcpy(layer->middle, x, bytes);
	if (!rstar_pass_linear(pass, w->attn_out, w->attn_out_bias, layer->heads, N, layer->middle,
						   true, cancel) ||
		!rstar_pass_rows(pass, N, norm_rows, &ffn_norm, NULL, 0, cancel) ||
		!rstar_pass_linear(pass, w->gate_up, RSTAR_TRAIN_NONE, pass->normed, N, layer->gate_up,
						   false, cancel) ||
		!rstar_pass_tokens(pass, N, rstar_pass_swiglu, NULL, 0, cancel))
		return false;
	memcpy(out, layer->middle, bytes);
	return rstar_pass_linear(pass, w->down, RSTAR_TRAIN_NONE, pass->act, N, out, true, cancel);
}

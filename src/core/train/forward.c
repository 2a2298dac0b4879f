/*
 * forward.c
 *	  Embedding and layers, forward, keeping what backward needs.
 */
#include "core/train/pass_internal.h"

#include <string.h>

#include "core/base/clock.h"

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

static void
attn_norm_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	const rstar_hparams *h = &pass->model->hparams;
	const float *weight = rstar_pass_value(pass, pass->model->layers[pass->layer].attn_norm);
	const float *x = rstar_pass_stream(pass, pass->layer);

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		pass->layers[pass->layer].r_attn[t] =
			pass->ops->norm_forward(x + (size_t) t * h->n_embd, weight, h->n_embd, h->norm_eps,
									pass->normed + (size_t) t * h->n_embd);
}

static void
ffn_norm_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	const rstar_hparams *h = &pass->model->hparams;
	rstar_pass_layer *layer = &pass->layers[pass->layer];
	const float *weight = rstar_pass_value(pass, pass->model->layers[pass->layer].ffn_norm);

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		layer->r_ffn[t] =
			pass->ops->norm_forward(layer->middle + (size_t) t * h->n_embd, weight, h->n_embd,
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

/* Block = one sequence and one KV head. */
static void
attend_block(void *arg, uint32_t block, uint32_t thread)
{
	rstar_pass *pass = arg;
	const rstar_hparams *h = &pass->model->hparams;
	rstar_pass_layer *layer = &pass->layers[pass->layer];
	uint32_t group = h->n_head / h->n_head_kv, D = h->head_dim;
	uint32_t sequence = block / h->n_head_kv, head = block % h->n_head_kv;
	uint32_t start = pass->starts[sequence], T = pass->starts[sequence + 1] - start;
	const float *row = layer->qkv + (size_t) start * rstar_pass_wide(h);
	rstar_train_attention a = {
		.q = row + (size_t) head * group * D,
		.k = row + (size_t) (h->n_head + head) * D,
		.v = row + (size_t) (h->n_head + h->n_head_kv + head) * D,
		.stride = rstar_pass_wide(h),
		.out = layer->heads + ((size_t) start * h->n_head + (size_t) head * group) * D,
		.out_stride = (size_t) h->n_head * D,
		.lse = layer->lse + (size_t) start * h->n_head + (size_t) head * group * T,
		.T = T,
		.head_dim = D,
		.n_group = group,
		.window = rstar_hparams_window(h, pass->layer),
		.scale = rstar_pass_scale(h),
		.scratch = pass->attention + thread * pass->attention_per_thread,
	};

	pass->ops->attention_forward(&a);
}

static bool
attend(rstar_pass *pass, const rstar_cancel *cancel)
{
	uint32_t blocks = pass->batch.n_sequences * pass->model->hparams.n_head_kv;
	int64_t start = rstar_clock_ns();
	bool ok = rstar_pool_run(pass->pool, attend_block, pass, blocks, cancel);

	pass->times.attention += (double) (rstar_clock_ns() - start) * 1e-9;
	return ok;
}

static void
swiglu_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	uint32_t F = pass->model->hparams.n_ff;
	const float *gate_up = pass->layers[pass->layer].gate_up;

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		pass->ops->swiglu_forward(gate_up + (size_t) t * 2 * F, F, pass->act + (size_t) t * F);
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

	if (!rstar_pass_tokens(pass, N, attn_norm_tokens, NULL, 0, cancel) ||
		!rstar_pass_linear(pass, w->qkv, w->qkv_bias, pass->normed, N, layer->qkv, false, cancel) ||
		!rstar_pass_tokens(pass, N, turn_tokens, NULL, 0, cancel) || !attend(pass, cancel))
		return false;
	memcpy(layer->middle, x, bytes);
	if (!rstar_pass_linear(pass, w->attn_out, w->attn_out_bias, layer->heads, N, layer->middle,
						   true, cancel) ||
		!rstar_pass_tokens(pass, N, ffn_norm_tokens, NULL, 0, cancel) ||
		!rstar_pass_linear(pass, w->gate_up, RSTAR_TRAIN_NONE, pass->normed, N, layer->gate_up,
						   false, cancel) ||
		!rstar_pass_tokens(pass, N, swiglu_tokens, NULL, 0, cancel))
		return false;
	memcpy(out, layer->middle, bytes);
	return rstar_pass_linear(pass, w->down, RSTAR_TRAIN_NONE, pass->act, N, out, true, cancel);
}

/*
 * backward.c
 *	  Layers and embedding, backward.
 *
 * pass->dx holds the gradient of the stream behind the layer and becomes that
 * of the stream in front of it. Each part runs the steps of forward.c in
 * reverse; cheap activations (norms, SwiGLU) are computed again instead of kept.
 */
#include "core/train/layer.h"

#include <string.h>

/* --- feed-forward -------------------------------------------------------------------- */

/* dact becomes dwide (of gate and up); act again. */
static void
swiglu_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	uint32_t F = pass->model->hparams.n_ff;
	const float *gate_up = pass->layers[pass->layer].gate_up;

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		pass->ops->swiglu_backward(gate_up + (size_t) t * 2 * F, pass->dact + (size_t) t * F, F,
								   pass->dwide + (size_t) t * 2 * F, pass->act + (size_t) t * F);
}

/* arg: the norm. What it gave, again. */
static void
norm_again(const void *arg, uint32_t first, uint32_t end, float *sums)
{
	const rstar_pass_norm *norm = arg;
	const rstar_pass *pass = norm->pass;
	uint32_t C = pass->model->hparams.n_embd;

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		pass->ops->norm_again(norm->x + (size_t) t * C, norm->weight, C, norm->r[t],
							  pass->normed + (size_t) t * C);
}

/* arg: the norm. dnormed is added to dx, through it; sums: the weight's gradient. */
static void
norm_backward(const void *arg, uint32_t first, uint32_t end, float *sums)
{
	const rstar_pass_norm *norm = arg;
	const rstar_pass *pass = norm->pass;
	uint32_t C = pass->model->hparams.n_embd;

	for (uint32_t t = first; t < end; t++)
		pass->ops->norm_backward(norm->x + (size_t) t * C, norm->weight, norm->r[t],
								 pass->dnormed + (size_t) t * C, C, pass->dx + (size_t) t * C,
								 sums);
}

static bool
feed_forward_backward(rstar_pass *pass, const rstar_cancel *cancel)
{
	const rstar_train_layer *w = &pass->model->layers[pass->layer];
	rstar_pass_norm norm = rstar_pass_ffn_norm(pass);
	uint32_t N = pass->N, C = pass->model->hparams.n_embd;

	return rstar_pass_tokens(pass, N, rstar_pass_swiglu, NULL, 0, cancel) &&
		   rstar_pass_linear_backward(pass, w->down, RSTAR_TRAIN_NONE, pass->act, pass->dx, N,
									  pass->dact, cancel) &&
		   rstar_pass_tokens(pass, N, swiglu_tokens, NULL, 0, cancel) &&
		   rstar_pass_rows(pass, N, norm_again, &norm, NULL, 0, cancel) &&
		   rstar_pass_linear_backward(pass, w->gate_up, RSTAR_TRAIN_NONE, pass->normed, pass->dwide,
									  N, pass->dnormed, cancel) &&
		   rstar_pass_rows(pass, N, norm_backward, &norm, pass->gradients[w->ffn_norm], C, cancel);
}

/* --- attention ------------------------------------------------------------------------- */

/* Rope and the norms of q and k, backward, in place on dwide. sums: q's weight, then k's. */
static void
turn_tokens(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	const rstar_hparams *h = &pass->model->hparams;
	const rstar_train_layer *tensors = &pass->model->layers[pass->layer];
	const rstar_pass_layer *layer = &pass->layers[pass->layer];
	uint32_t heads = h->n_head + h->n_head_kv, pairs = h->rope_dim / 2, D = h->head_dim;
	uint32_t W = rstar_pass_wide(h);

	for (uint32_t t = first; t < end; t++)
		for (uint32_t i = 0; i < heads; i++)
		{
			uint32_t norm = i < h->n_head ? tensors->q_norm : tensors->k_norm;
			size_t at = (size_t) t * W + (size_t) i * D;
			float given[RSTAR_MAX_HEAD_DIM];

			if (rstar_pass_rotates(pass))
				pass->ops->rope(pass->dwide + at, pass->cos + (size_t) pass->position[t] * pairs,
								pass->sin + (size_t) pass->position[t] * pairs, pairs,
								h->rope_style == RSTAR_ROPE_NEOX, true);
			if (norm == RSTAR_TRAIN_NONE)
				continue;
			memcpy(given, pass->dwide + at, D * sizeof(float));
			memset(pass->dwide + at, 0, D * sizeof(float));
			pass->ops->norm_backward(layer->raw + at, rstar_pass_value(pass, norm),
									 layer->r_heads[(size_t) t * heads + i], given, D,
									 pass->dwide + at,
									 sums ? sums + (i < h->n_head ? 0 : D) : NULL);
		}
}

/* The two weights' gradients lie apart, so their sums come into one place first. */
static bool
turn_backward(rstar_pass *pass, const rstar_cancel *cancel)
{
	const rstar_train_layer *tensors = &pass->model->layers[pass->layer];
	uint32_t D = pass->model->hparams.head_dim;
	float both[2 * RSTAR_MAX_HEAD_DIM] = {0};
	bool learned = tensors->q_norm != RSTAR_TRAIN_NONE && pass->gradients[tensors->q_norm];

	if (!rstar_pass_tokens(pass, pass->N, turn_tokens, learned ? both : NULL, 2 * D, cancel))
		return false;
	if (learned)
	{
		pass->ops->add(pass->gradients[tensors->q_norm], both, D);
		pass->ops->add(pass->gradients[tensors->k_norm], both + D, D);
	}
	return true;
}

bool
rstar_pass_backward(rstar_pass *pass, const rstar_cancel *cancel)
{
	const rstar_train_layer *w = &pass->model->layers[pass->layer];
	const rstar_pass_layer *layer = &pass->layers[pass->layer];
	rstar_pass_norm norm = rstar_pass_attn_norm(pass);
	uint32_t N = pass->N, C = pass->model->hparams.n_embd;

	if (pass->options.checkpointing && !rstar_pass_forward(pass, cancel))
		return false;
	return feed_forward_backward(pass, cancel) &&
		   rstar_pass_linear_backward(pass, w->attn_out, w->attn_out_bias, layer->heads, pass->dx,
									  N, pass->dheads, cancel) &&
		   rstar_pass_attend_backward(pass, cancel) && turn_backward(pass, cancel) &&
		   rstar_pass_rows(pass, N, norm_again, &norm, NULL, 0, cancel) &&
		   rstar_pass_linear_backward(pass, w->qkv, w->qkv_bias, pass->normed, pass->dwide, N,
									  pass->dnormed, cancel) &&
		   rstar_pass_rows(pass, N, norm_backward, &norm, pass->gradients[w->attn_norm], C, cancel);
}

/* --- embedding --------------------------------------------------------------------------- */

#define EMBED_COLUMNS 64u /* one thread adds these columns of all tokens, in order */

static void
unembed_block(void *arg, uint32_t block, uint32_t thread)
{
	rstar_pass *pass = arg;
	uint32_t C = pass->model->hparams.n_embd;
	uint32_t first = block * EMBED_COLUMNS;
	uint32_t n = C - first < EMBED_COLUMNS ? C - first : EMBED_COLUMNS;
	float *table = pass->gradients[pass->model->token_embd];

	(void) thread;
	for (uint32_t t = 0; t < pass->N; t++)
		pass->ops->add(table + (size_t) pass->ids[t] * C + first, pass->dx + (size_t) t * C + first,
					   n);
}

bool
rstar_pass_unembed(rstar_pass *pass, const rstar_cancel *cancel)
{
	uint32_t C = pass->model->hparams.n_embd;

	if (!pass->gradients[pass->model->token_embd])
		return true;
	return rstar_pool_run(pass->pool, unembed_block, pass, (C + EMBED_COLUMNS - 1) / EMBED_COLUMNS,
						  cancel);
}

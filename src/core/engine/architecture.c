/*
 * architecture.c
 *	  The parts of a pass in which architectures differ.
 *
 * Each is a function that forward.c calls in its place for every model; what a
 * model does not have (hparams.h, weights.h: a zero or a NULL) it leaves out.
 */
#include "core/engine/internal.h"

#include <math.h>

#include "core/tensor/quants.h"

/* Cosines of the pairs, then sines, by frequencies, at a position. */
static void
make_turns(const rstar_hparams *h, const double *frequencies, uint32_t position, float magnitude,
		   float *turns)
{
	for (uint32_t i = 0; i < h->rope_dim / 2; i++)
	{
		double angle = position * frequencies[i];

		turns[i] = (float) (cos(angle) * magnitude);
		turns[h->rope_dim / 2 + i] = (float) (sin(angle) * magnitude);
	}
}

/* The embedding of token t of the pass, and the turns of its position. */
void
rstar_engine_embed(rstar_engine *e, uint32_t t)
{
	const rstar_slot *slot = &e->slots[t];
	const rstar_hparams *h = e->hparams;
	const rstar_matrix *table = &e->weights->token_embd;
	int32_t token = rstar_kv_node_tokens(slot->node)[slot->index];
	float *turns = e->turns + (size_t) t * e->n_turns;
	float *x = e->x + (size_t) t * h->n_embd;

	rstar_quants_to_f32(table->type, rstar_matrix_row(table, (uint32_t) token), x, h->n_embd);
	for (uint32_t i = 0; h->embd_scale > 0.0f && i < h->n_embd; i++)
		x[i] *= h->embd_scale;
	make_turns(h, e->frequencies, slot->position, h->rope_magnitude, turns);
	if (h->rope_base_local > 0.0f)
		make_turns(h, e->frequencies + h->rope_dim / 2, slot->position, 1.0f, turns + h->rope_dim);
}

/* Turn the pairs of one head. turns: the cosine of each pair, then the sines. */
static void
rotate_head(const rstar_engine *e, const float *turns, float *head)
{
	uint32_t pairs = e->hparams->rope_dim / 2;

	if (e->hparams->rope_style == RSTAR_ROPE_NEOX)
	{
		e->kernels->turn(head, head + pairs, turns, turns + pairs, pairs);
		return;
	}
	for (uint32_t i = 0; i < pairs; i++)
	{
		float x = head[2 * i], y = head[2 * i + 1];

		head[2 * i] = x * turns[i] - y * turns[pairs + i];
		head[2 * i + 1] = x * turns[pairs + i] + y * turns[i];
	}
}

/* Normalise (where norm is not NULL) and turn (where turns is not) n heads. */
static void
prepare_heads(const rstar_engine *e, const float *norm, const float *turns, float *heads,
			  uint32_t n)
{
	const rstar_hparams *h = e->hparams;

	for (uint32_t i = 0; i < n; i++)
	{
		float *head = heads + (size_t) i * h->head_dim;

		if (norm)
			e->kernels->rms_norm(head, norm, h->head_dim, h->norm_eps, head);
		if (turns)
			rotate_head(e, turns, head);
	}
}

/* Queries and keys of token t, ready for attention. */
void
rstar_engine_rotate(rstar_engine *e, uint32_t t)
{
	const rstar_hparams *h = e->hparams;
	const rstar_layer_weights *layer = &e->layers[e->layer];
	const float *turns = e->turns + (size_t) t * e->n_turns;

	if (rstar_hparams_is_local(h, e->layer))
		turns += h->rope_dim;
	if (h->layer_flags[e->layer] & RSTAR_LAYER_NO_ROPE)
		turns = NULL;
	prepare_heads(e, layer->q_norm, turns, e->q + (size_t) t * h->n_head * h->head_dim, h->n_head);
	prepare_heads(e, layer->k_norm, turns, e->k + (size_t) t * h->n_head_kv * h->head_dim,
				  h->n_head_kv);
}

float
rstar_engine_attention_scale(const rstar_engine *e)
{
	const rstar_hparams *h = e->hparams;

	return h->attention_scale > 0.0f ? h->attention_scale : 1.0f / sqrtf((float) h->head_dim);
}

/* The first position that the layer sees from the last of `end` positions. */
uint32_t
rstar_engine_first_seen(const rstar_engine *e, uint32_t end)
{
	uint32_t window = rstar_hparams_window(e->hparams, e->layer);

	return window > 0 && end > window ? end - window : 0;
}

/* The feed-forward part's gate of token t, times the other half. */
void
rstar_engine_gate(rstar_engine *e, uint32_t t)
{
	uint32_t n = e->hparams->n_ff;
	float *gate = e->ff.f32 + (size_t) t * n;
	const float *up = e->up + (size_t) t * n;

	if (e->hparams->activation == RSTAR_GELU)
		e->kernels->geglu(gate, up, n);
	else
		e->kernels->swiglu(gate, up, n);
}

/* Add what a block computed for token t to the residual stream, normalised unless norm is NULL. */
void
rstar_engine_add_delta(rstar_engine *e, uint32_t t, const float *norm)
{
	uint32_t n = e->hparams->n_embd;
	float *delta = e->delta + (size_t) t * n;

	if (norm)
		e->kernels->rms_norm(delta, norm, n, e->hparams->norm_eps, delta);
	e->kernels->add(e->x + (size_t) t * n, delta, n);
}

/* cap * tanh(x / cap) of all logits of the pass (Gemma Team 2024, arXiv 2408.00118). */
void
rstar_engine_cap_logits(rstar_engine *e)
{
	float cap = e->hparams->logit_cap;

	if (cap > 0.0f)
		for (size_t i = 0; i < (size_t) e->W * e->hparams->n_vocab; i++)
			e->logits[i] = cap * tanhf(e->logits[i] / cap);
}

/*
 * pass.c
 *	  A pass: its memory, its micro-batch, its stages.
 */
#include "core/train/pass_internal.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"

#define ALIGNMENT      64u
#define LOGITS_AT_ONCE ((size_t) 1 << 25) /* floats, 128 MB: each piece packs the output matrix */

/* --- memory --------------------------------------------------------------------------- */

/* Walks through the arrays: only counting while base is NULL. */
typedef struct layout
{
	uint8_t *base;
	size_t used;
	bool overflow;
} layout;

static void *
take(layout *l, size_t count, size_t size)
{
	size_t bytes, end;
	void *at = l->base ? l->base + l->used : NULL;

	if (__builtin_mul_overflow(count, size, &bytes) ||
		__builtin_add_overflow(l->used, bytes + ALIGNMENT - 1, &end))
	{
		l->overflow = true;
		return NULL;
	}
	l->used = end / ALIGNMENT * ALIGNMENT;
	return at;
}

static void
lay_out_layer(const rstar_train_model *model, uint32_t N, layout *l, rstar_pass_layer *layer)
{
	const rstar_hparams *h = &model->hparams;
	uint32_t W = rstar_pass_wide(h);
	bool norms = model->layers[0].q_norm != RSTAR_TRAIN_NONE;
	rstar_pass_layer out = {
		.r_attn = take(l, N, sizeof(float)),
		.qkv = take(l, (size_t) N * W, sizeof(float)),
		.raw = norms ? take(l, (size_t) N * W, sizeof(float)) : NULL,
		.r_heads = norms ? take(l, (size_t) N * (h->n_head + h->n_head_kv), sizeof(float)) : NULL,
		.heads = take(l, (size_t) N * h->n_head * h->head_dim, sizeof(float)),
		.lse = take(l, (size_t) N * h->n_head, sizeof(float)),
		.middle = take(l, (size_t) N * h->n_embd, sizeof(float)),
		.r_ffn = take(l, N, sizeof(float)),
		.gate_up = take(l, (size_t) N * 2 * h->n_ff, sizeof(float)),
	};

	if (layer)
		*layer = out;
}

static void
lay_out_layers(const rstar_train_model *model, const rstar_pass_options *o, layout *l,
			   rstar_pass *pass)
{
	uint32_t n = model->hparams.n_layer;
	/* Without gradients a layer's activations serve nobody afterwards. */
	bool shared = o->checkpointing || !o->gradients;

	pass->layers = take(l, n, sizeof *pass->layers);
	for (uint32_t i = 0; i < n; i++)
	{
		rstar_pass_layer *layer = l->base ? &pass->layers[i] : NULL;

		if (i == 0 || !shared)
			lay_out_layer(model, o->max_tokens, l, layer);
		else if (layer)
			*layer = pass->layers[0];
	}
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/*
 * Called twice with the same arguments: without memory, to learn how much is needed, and with
 * it, to place the arrays, so that the two cannot disagree. Logits are made for a few rows at
 * a time, as a large vocabulary would make them the largest array by far.
 */
static void
lay_out(const rstar_train_model *model, const rstar_pass_options *o, uint32_t rank, int n_threads,
		layout *l, rstar_pass *pass)
{
	const rstar_hparams *h = &model->hparams;
	size_t N = o->max_tokens, C = h->n_embd, pairs = h->rope_dim / 2;
	uint32_t wide = larger(2 * h->n_ff, rstar_pass_wide(h));
	size_t rows = LOGITS_AT_ONCE / h->n_vocab;

	rows = rows < 1 ? 1 : rows > N ? N : rows;
	pass->rows_at_once = (uint32_t) rows;
	pass->starts = take(l, (size_t) o->max_sequences + 1, sizeof *pass->starts);
	pass->first = take(l, (size_t) o->max_sequences + 1, sizeof *pass->first);
	pass->ids = take(l, N, sizeof *pass->ids);
	pass->position = take(l, N, sizeof *pass->position);
	pass->picks = take(l, N, sizeof *pass->picks);
	pass->targets = take(l, N, sizeof *pass->targets);
	pass->cos = take(l, o->max_length * pairs, sizeof(float));
	pass->sin = take(l, o->max_length * pairs, sizeof(float));
	pass->stream = take(l, ((size_t) h->n_layer + 1) * N * C, sizeof(float));
	lay_out_layers(model, o, l, pass);
	pass->final = take(l, N * C, sizeof(float));
	pass->r_final = take(l, N, sizeof(float));
	pass->values = take(l, N, sizeof(float));
	pass->losses = take(l, N, sizeof(double));
	pass->slopes = take(l, N, sizeof(float));
	pass->normed = take(l, N * C, sizeof(float));
	pass->act = take(l, N * h->n_ff, sizeof(float));
	pass->logits = take(l, rows * h->n_vocab, sizeof(float));
	pass->low = take(l, N * rank, sizeof(float));
	pass->attention_per_thread =
		(rstar_train_attention_scratch(o->max_length, h->head_dim) + 15) / 16 * 16;
	pass->attention = take(l, pass->attention_per_thread * (size_t) n_threads, sizeof(float));
	if (!o->gradients)
		return;
	pass->dx = take(l, N * C, sizeof(float));
	pass->dnormed = take(l, N * C, sizeof(float));
	pass->dact = take(l, N * h->n_ff, sizeof(float));
	pass->dwide = take(l, N * wide, sizeof(float));
	pass->dheads = take(l, N * h->n_head * h->head_dim, sizeof(float));
	pass->dfinal = take(l, N * C, sizeof(float));
	pass->dlow = take(l, N * rank, sizeof(float));
	pass->partial =
		take(l, (N / RSTAR_PASS_TOKENS + 1) * larger(wide, (uint32_t) C), sizeof(float));
}

size_t
rstar_pass_plan(const rstar_train_model *model, const rstar_pass_options *options,
				uint32_t lora_rank, int n_threads)
{
	layout l = {0};
	rstar_pass counted;

	lay_out(model, options, lora_rank, n_threads, &l, &counted);
	return l.overflow ? SIZE_MAX : l.used + ALIGNMENT + sizeof counted;
}

/* Cosine and sine of every position. */
static void
fill_turns(rstar_pass *pass)
{
	const rstar_hparams *h = &pass->model->hparams;
	uint32_t pairs = h->rope_dim / 2;

	for (uint32_t p = 0; p < pass->options.max_length; p++)
		for (uint32_t i = 0; i < pairs; i++)
		{
			double angle = (double) p * pass->model->frequencies[i];

			pass->cos[(size_t) p * pairs + i] = (float) cos(angle) * h->rope_magnitude;
			pass->sin[(size_t) p * pairs + i] = (float) sin(angle) * h->rope_magnitude;
		}
}

/*
 * All the memory that a pass needs is taken here, in one piece, so that training cannot run
 * out of it after hours. SIZE_MAX stands for a plan whose size overflowed.
 */
rstar_status
rstar_pass_create(const rstar_train_model *model, rstar_lora *lora, float *const *gradients,
				  rstar_gemm *gemm, rstar_pool *pool, const rstar_train_ops *ops,
				  const rstar_pass_options *options, rstar_pass **out, rstar_error *err)
{
	const rstar_allocator *allocator = model->allocator;
	uint32_t rank = lora ? lora->rank : 0;
	int threads = rstar_pool_threads(pool);
	size_t bytes = rstar_pass_plan(model, options, rank, threads);
	layout l = {0};
	rstar_pass *pass;

	*out = NULL;
	if (options->max_tokens < 1 || options->max_length < 1 || options->max_sequences < 1 ||
		options->max_length > model->hparams.n_context)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "sequences of %u tokens do not fit a context of %u",
							   options->max_length, model->hparams.n_context);
	pass = rstar_alloc_zero(allocator, sizeof *pass);
	if (pass && bytes != SIZE_MAX)
		pass->memory = rstar_alloc(allocator, bytes);
	if (!pass || !pass->memory)
	{
		rstar_free(allocator, pass);
		return rstar_error_memory(err, bytes);
	}
	pass->model = model;
	pass->lora = lora;
	pass->gradients = gradients;
	pass->gemm = gemm;
	pass->pool = pool;
	pass->ops = ops;
	pass->options = *options;
	pass->stage = RSTAR_PASS_DONE;
	l.base = pass->memory;
	l.base += (ALIGNMENT - (uintptr_t) l.base % ALIGNMENT) % ALIGNMENT;
	lay_out(model, options, rank, threads, &l, pass);
	fill_turns(pass);
	*out = pass;
	return RSTAR_OK;
}

void
rstar_pass_free(rstar_pass *pass)
{
	if (!pass)
		return;
	rstar_free(pass->model->allocator, pass->memory);
	rstar_free(pass->model->allocator, pass);
}

/* --- the micro-batch -------------------------------------------------------------------- */

static rstar_status
take_sequence(rstar_pass *pass, uint32_t s, rstar_error *err)
{
	const rstar_pass_sequence *sequence = &pass->batch.sequences[s];

	if (sequence->length > pass->options.max_length ||
		sequence->length > pass->options.max_tokens - pass->N)
		return rstar_error_set(err, RSTAR_ERR_LIMIT,
							   "sequence of %u tokens finds no room in a pass", sequence->length);
	for (uint32_t t = 0; t < sequence->length; t++)
	{
		bool learned = sequence->learned && t + 1 < sequence->length && sequence->learned[t + 1];

		if ((uint32_t) sequence->ids[t] >= pass->model->hparams.n_vocab)
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "token %d is not in the vocabulary",
								   sequence->ids[t]);
		if (learned)
		{
			pass->picks[pass->L] = pass->N + t;
			pass->targets[pass->L++] = (uint32_t) sequence->ids[t + 1];
		}
		pass->ids[pass->N + t] = (uint32_t) sequence->ids[t];
		pass->position[pass->N + t] = t;
	}
	pass->N += sequence->length;
	pass->starts[s + 1] = pass->N;
	pass->first[s + 1] = pass->L;
	return RSTAR_OK;
}

static rstar_status
take_pairs(rstar_pass *pass, rstar_error *err)
{
	const rstar_pass_batch *batch = &pass->batch;

	pass->P = pass->L;
	if (batch->n_pairs == 0)
		return RSTAR_OK;
	if (pass->model->value_weight == RSTAR_TRAIN_NONE)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "pairs need a model with a value head");
	for (uint32_t i = 0; i < batch->n_pairs; i++)
	{
		const rstar_pass_pair *p = &batch->pairs[i];

		if (p->chosen >= batch->n_sequences || p->rejected >= batch->n_sequences ||
			p->chosen_at >= batch->sequences[p->chosen].length ||
			p->rejected_at >= batch->sequences[p->rejected].length ||
			pass->P + 2 > pass->options.max_tokens)
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "pair %u names no position", i);
		pass->picks[pass->P++] = pass->starts[p->chosen] + p->chosen_at;
		pass->picks[pass->P++] = pass->starts[p->rejected] + p->rejected_at;
	}
	return RSTAR_OK;
}

rstar_status
rstar_pass_begin(rstar_pass *pass, const rstar_pass_batch *batch, bool backward, rstar_error *err)
{
	rstar_status st = RSTAR_OK;

	pass->batch = *batch;
	pass->backward = backward;
	pass->N = pass->L = pass->P = 0;
	pass->starts[0] = pass->first[0] = 0;
	pass->stage = RSTAR_PASS_DONE;
	pass->result = (rstar_pass_result){0};
	if (batch->n_sequences > pass->options.max_sequences)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "%u sequences are too many for a pass",
							   batch->n_sequences);
	for (uint32_t s = 0; s < batch->n_sequences && st == RSTAR_OK; s++)
		st = take_sequence(pass, s, err);
	if (st == RSTAR_OK)
		st = take_pairs(pass, err);
	if (st == RSTAR_OK && pass->P > 0)
		pass->stage = RSTAR_PASS_EMBED;
	pass->layer = pass->row = 0;
	pass->rows = rstar_pass_output_rows(pass);
	return st;
}

/* --- stages -------------------------------------------------------------------------------- */

static bool
run_stage(rstar_pass *pass, const rstar_cancel *cancel)
{
	switch (pass->stage)
	{
		case RSTAR_PASS_EMBED:
			return rstar_pass_embed(pass, cancel);
		case RSTAR_PASS_FORWARD:
			return rstar_pass_forward(pass, cancel);
		case RSTAR_PASS_PICK:
			return rstar_pass_pick(pass, cancel);
		case RSTAR_PASS_OUTPUT:
			return rstar_pass_output(pass, cancel);
		case RSTAR_PASS_UNPICK:
			return rstar_pass_unpick(pass, cancel);
		case RSTAR_PASS_BACKWARD:
			return rstar_pass_backward(pass, cancel);
		case RSTAR_PASS_UNEMBED:
			return rstar_pass_unembed(pass, cancel);
		case RSTAR_PASS_DONE:
			break;
	}
	return true;
}

static void
next_stage(rstar_pass *pass)
{
	switch (pass->stage)
	{
		case RSTAR_PASS_FORWARD:
			if (++pass->layer < pass->model->hparams.n_layer)
				return;
			break;
		case RSTAR_PASS_OUTPUT:
			if (pass->row < pass->rows)
				return;
			if (!pass->backward)
			{
				pass->stage = RSTAR_PASS_DONE;
				return;
			}
			break;
		case RSTAR_PASS_UNPICK:
			pass->layer = pass->model->hparams.n_layer - 1;
			break;
		case RSTAR_PASS_BACKWARD:
			if (pass->layer-- > 0)
				return;
			break;
		default:
			break;
	}
	pass->stage++;
}

rstar_status
rstar_pass_step(rstar_pass *pass, const rstar_cancel *cancel, rstar_error *err)
{
	int64_t start = rstar_clock_ns();
	rstar_pass_times before = pass->times;
	rstar_pass_times *t = &pass->times;

	if (pass->stage == RSTAR_PASS_DONE)
		return RSTAR_OK;
	if (!run_stage(pass, cancel))
	{
		pass->stage = RSTAR_PASS_DONE;
		return rstar_error_set(err, RSTAR_ERR_CANCELLED, "training was cancelled");
	}
	next_stage(pass);
	t->rest += (double) (rstar_clock_ns() - start) * 1e-9 - (t->matrices - before.matrices) -
			   (t->attention - before.attention) - (t->output - before.output);
	return pass->stage == RSTAR_PASS_DONE ? RSTAR_OK : RSTAR_AGAIN;
}

rstar_pass_result
rstar_pass_get(const rstar_pass *pass)
{
	return pass->result;
}

const float *
rstar_pass_values(const rstar_pass *pass)
{
	return pass->values;
}

rstar_pass_times
rstar_pass_time(const rstar_pass *pass)
{
	return pass->times;
}

/*
 * forward.c
 *	  One pass through the transformer, in slices.
 *
 * The pass is a machine of stages (internal.h); rstar_engine_forward runs
 * stages until about RSTAR_SLICE_MS have gone by, so that its caller can look
 * for interrupts. Long stages (products, attention) stop within themselves and
 * remember `progress`. Where the slices fall changes nothing in the results:
 * every output element is computed whole by one call of a kernel.
 *
 * The arithmetic is that of the llama family: RMS normalisation before each
 * block, rotary positions (Su et al. 2021), grouped-query attention (Ainslie
 * et al. 2023), SwiGLU; embeddings and outputs may share one matrix.
 */
#include "core/engine/internal.h"

#include <math.h>
#include <string.h>

#include "core/tensor/quants.h"

#define LEAST_SLICE    1e6
#define GREATEST_SLICE 1e11
#define ROWS_PER_BLOCK 64 /* rows of a product that a thread takes at once, at most */

/* --- memory of a pass ----------------------------------------------------------- */

/* Hands out 64-byte aligned pieces; with base NULL it only counts. */
typedef struct layout
{
	char *base;
	size_t used;
} layout;

static void *
piece(layout *l, size_t count, size_t size)
{
	size_t at = l->used;

	l->used = (at + count * size + 63) & ~(size_t) 63;
	return l->base ? l->base + at : NULL;
}

static void
lay_activations(layout *l, rstar_activations *a, uint32_t T, uint32_t columns)
{
	a->columns = columns;
	a->padded = rstar_padded_columns(columns);
	a->f32 = piece(l, (size_t) T * columns, sizeof(float));
	a->q = piece(l, (size_t) T * a->padded, 1);
	a->scales = piece(l, (size_t) T * (a->padded / 32), sizeof(float));
	a->sums32 = piece(l, (size_t) T * (a->padded / 32), sizeof(float));
	a->sums16 = piece(l, (size_t) T * (a->padded / 16), sizeof(float));
	a->totals32 = piece(l, (size_t) T * (a->padded / 32), sizeof(int32_t));
	a->totals16 = piece(l, (size_t) T * (a->padded / 16), sizeof(int32_t));
}

static void
lay_out(rstar_engine *e, layout *l)
{
	const rstar_hparams *h = e->hparams;
	size_t T = e->T, W = e->W;
	uint32_t n_q = h->n_head * h->head_dim;
	uint32_t n_kv = h->n_head_kv * h->head_dim;

	e->x = piece(l, T * h->n_embd, sizeof(float));
	e->delta = piece(l, T * h->n_embd, sizeof(float));
	e->q = piece(l, T * n_q, sizeof(float));
	e->k = piece(l, T * n_kv, sizeof(float));
	e->v = piece(l, T * n_kv, sizeof(float));
	e->up = piece(l, T * h->n_ff, sizeof(float));
	e->n_turns = h->rope_base_local > 0.0f ? 2 * h->rope_dim : h->rope_dim;
	e->turns = piece(l, T * e->n_turns, sizeof(float));
	e->logits = piece(l, W * h->n_vocab, sizeof(float));
	e->values = piece(l, W, sizeof(float));
	lay_activations(l, &e->normed, e->T, h->n_embd);
	lay_activations(l, &e->heads, e->T, n_q);
	lay_activations(l, &e->ff, e->T, h->n_ff);
	lay_activations(l, &e->final, e->W, h->n_embd);
}

static bool
grow_scratch(rstar_engine *e, rstar_scratch *scratch, size_t bytes)
{
	if (bytes <= scratch->bytes)
		return true;
	rstar_free(e->allocator, scratch->data);
	scratch->data = rstar_alloc(e->allocator, bytes);
	scratch->bytes = scratch->data ? bytes : 0;
	return scratch->data != NULL;
}

static size_t
thread_bytes(const rstar_engine *e)
{
	const rstar_hparams *h = e->hparams;
	size_t rows = (size_t) e->largest_tile * (h->n_head / h->n_head_kv);
	size_t scores = rows * rstar_attention_scratch(e->longest) * sizeof(float);
	size_t products = rstar_matmul_scratch(e->T);

	return ((scores > products ? scores : products) + 63) & ~(size_t) 63;
}

rstar_status
rstar_engine_reserve(rstar_engine *e, rstar_error *err)
{
	layout l = {.base = NULL};
	size_t threads = (size_t) rstar_pool_threads(e->pool);

	lay_out(e, &l);
	if (!grow_scratch(e, &e->memory, l.used + 64))
		return rstar_error_memory(err, l.used);
	l.base = (char *) (((uintptr_t) e->memory.data + 63) & ~(uintptr_t) 63);
	l.used = 0;
	lay_out(e, &l);
	e->thread_bytes = thread_bytes(e);
	if (!grow_scratch(e, &e->thread_scratch, e->thread_bytes * threads + 64))
		return rstar_error_memory(err, e->thread_bytes * threads);
	return RSTAR_OK;
}

static void *
scratch_of(const rstar_engine *e, uint32_t thread)
{
	uintptr_t base = ((uintptr_t) e->thread_scratch.data + 63) & ~(uintptr_t) 63;

	return (char *) base + thread * e->thread_bytes;
}

/* --- products ------------------------------------------------------------------- */

/* out[t][r] = (W a[t])[r] + bias[r] */
typedef struct product
{
	const rstar_matrix *w;
	const float *bias; /* may be NULL */
	float *out;        /* [T][w->rows] */
} product;

#define MAX_PRODUCTS 3 /* q, k, v */

/* A slice of several products that share their input: rows counted through. */
typedef struct product_slice
{
	const rstar_engine *engine;
	const product *products;
	int n;
	const rstar_activations *input;
	uint32_t T;
	uint32_t first, end; /* rows of this slice */
	uint32_t block_rows;
} product_slice;

static void
multiply_block(void *arg, uint32_t block, uint32_t thread)
{
	const product_slice *s = arg;
	uint32_t from = s->first + block * s->block_rows;
	uint32_t until = from + s->block_rows < s->end ? from + s->block_rows : s->end;
	uint32_t base = 0;

	for (int i = 0; i < s->n; i++)
	{
		const product *p = &s->products[i];
		uint32_t rows = p->w->rows;
		uint32_t first = from > base ? from - base : 0;
		uint32_t end = until > base ? until - base : 0;

		end = end < rows ? end : rows;
		base += rows;
		if (first >= end)
			continue;
		s->engine->kernels->matmul(p->w, first, end - first, s->input, s->T, p->out, rows,
								   scratch_of(s->engine, thread));
		if (p->bias)
			for (uint32_t t = 0; t < s->T; t++)
				s->engine->kernels->add(p->out + (size_t) t * rows + first, p->bias + first,
										end - first);
	}
}

static bool
is_quantised(const rstar_matrix *w)
{
	return w->type != RSTAR_TYPE_F32 && w->type != RSTAR_TYPE_F16 && w->type != RSTAR_TYPE_BF16;
}

/* Keep a slice near its time, whatever the machine does meanwhile. */
static void
learn_speed(rstar_engine *e, double work, double seconds)
{
	double wanted = seconds > 1e-6 ? work * (RSTAR_SLICE_MS * 1e-3) / seconds : e->slice_work * 2;

	/* Short slices tell little about long ones: never grow by more than two. */
	if (wanted > e->slice_work * 2)
		wanted = work > e->slice_work / 2 ? e->slice_work * 2 : e->slice_work;
	e->slice_work = fmin(fmax(wanted, LEAST_SLICE), GREATEST_SLICE);
}

static uint32_t
whole_panels(uint32_t rows)
{
	return (rows + RSTAR_PANEL_ROWS - 1) & ~(RSTAR_PANEL_ROWS - 1u);
}

/* Rows from e->progress on, for about one slice. OK when all rows are done. */
static rstar_status
multiply(rstar_engine *e, const product *products, int n, const rstar_activations *input,
		 uint32_t T, const rstar_cancel *cancel)
{
	uint32_t rows = 0;
	double row_work = (double) input->columns * T;

	for (int i = 0; i < n; i++)
		rows += products[i].w->rows;

	double most = e->slice_work / row_work;
	uint32_t left = rows - e->progress;
	uint32_t take = most < left ? whole_panels((uint32_t) most + 1) : left;

	take = take < left ? take : left;

	uint32_t share = take / ((uint32_t) rstar_pool_threads(e->pool) * 4) + 1;

	share = whole_panels(share);

	product_slice slice = {
		.engine = e,
		.products = products,
		.n = n,
		.input = input,
		.T = T,
		.first = e->progress,
		.end = e->progress + take,
		.block_rows = share < ROWS_PER_BLOCK ? share : ROWS_PER_BLOCK,
	};
	uint32_t blocks = (take + slice.block_rows - 1) / slice.block_rows;
	double start = rstar_clock_ms();

	if (!rstar_pool_run(e->pool, multiply_block, &slice, blocks, cancel))
		return RSTAR_ERR_CANCELLED;
	learn_speed(e, row_work * take, (rstar_clock_ms() - start) * 1e-3);
	e->progress += take;
	return e->progress == rows ? RSTAR_OK : RSTAR_AGAIN;
}

/* --- stages ---------------------------------------------------------------------- */

/* A stage that does each token by itself; threads take several at once. */
typedef struct token_stage
{
	rstar_engine *engine;
	rstar_pool_function function;
	uint32_t n, group;
} token_stage;

#define TOKENS_PER_BLOCK 16 /* at most: taking a block costs as much as a small model's norm */

static void
do_tokens(void *arg, uint32_t block, uint32_t thread)
{
	const token_stage *s = arg;
	uint32_t until = (block + 1) * s->group < s->n ? (block + 1) * s->group : s->n;

	for (uint32_t t = block * s->group; t < until; t++)
		s->function(s->engine, t, thread);
}

static rstar_status
for_each_token(rstar_engine *e, rstar_pool_function function, uint32_t n,
			   const rstar_cancel *cancel)
{
	uint32_t fair = n / ((uint32_t) rstar_pool_threads(e->pool) * 4);
	token_stage stage = {e, function, n, fair < TOKENS_PER_BLOCK ? fair : TOKENS_PER_BLOCK};

	stage.group = stage.group > 0 ? stage.group : 1;

	uint32_t blocks = (n + stage.group - 1) / stage.group;

	return rstar_pool_run(e->pool, do_tokens, &stage, blocks, cancel) ? RSTAR_OK
																	  : RSTAR_ERR_CANCELLED;
}

static void
embed_token(void *arg, uint32_t t, uint32_t thread)
{
	(void) thread;
	rstar_engine_embed(arg, t);
}

static void
norm_token(rstar_engine *e, uint32_t t, const float *weight, bool quantised)
{
	uint32_t n = e->hparams->n_embd;

	e->kernels->rms_norm(e->x + (size_t) t * n, weight, n, e->hparams->norm_eps,
						 e->normed.f32 + (size_t) t * n);
	if (quantised)
		e->kernels->quantize(&e->normed, t);
}

static void
attn_norm_token(void *arg, uint32_t t, uint32_t thread)
{
	rstar_engine *e = arg;
	const rstar_layer_weights *layer = &e->layers[e->layer];

	(void) thread;
	if (e->layer > 0)
		rstar_engine_add_delta(e, t, layer[-1].post_ffn_norm);
	norm_token(e, t, layer->attn_norm,
			   is_quantised(&layer->wq) || is_quantised(&layer->wk) || is_quantised(&layer->wv));
}

static void
ffn_norm_token(void *arg, uint32_t t, uint32_t thread)
{
	rstar_engine *e = arg;
	const rstar_layer_weights *layer = &e->layers[e->layer];

	(void) thread;
	rstar_engine_add_delta(e, t, layer->post_attn_norm);
	norm_token(e, t, layer->ffn_norm, is_quantised(&layer->w_gate) || is_quantised(&layer->w_up));
}

/* A token's keys among those of its block: element d lies at d * RSTAR_KV_BLOCK. */
static void
store_keys_f16(const rstar_engine *e, const float *k, uint32_t n, uint16_t *out)
{
	uint16_t half[64];

	for (uint32_t i = 0; i < n; i += 64)
	{
		uint32_t m = n - i < 64 ? n - i : 64;

		e->kernels->store_f16(k + i, m, half);
		for (uint32_t j = 0; j < m; j++)
			out[(i + j) * RSTAR_KV_BLOCK] = half[j];
	}
}

static void
store_kv(const rstar_engine *e, const rstar_slot *slot, const float *k, const float *v, uint32_t n)
{
	uint8_t *block = rstar_kv_block(slot->node, slot->index / RSTAR_KV_BLOCK);
	uint32_t at = slot->index % RSTAR_KV_BLOCK;
	uint8_t *keys = block + rstar_kv_k_offset(e->kv, e->layer);
	uint8_t *values = block + rstar_kv_v_offset(e->kv, e->layer) + at * rstar_kv_v_stride(e->kv);

	if (rstar_kv_storage(e->kv) == RSTAR_KV_F16)
	{
		store_keys_f16(e, k, n, (uint16_t *) keys + at);
		e->kernels->store_f16(v, n, (uint16_t *) values);
		return;
	}
	for (uint32_t d = 0; d < n; d++)
		memcpy(keys + (d * RSTAR_KV_BLOCK + at) * sizeof *k, &k[d], sizeof *k);
	memcpy(values, v, n * sizeof(float));
}

static void
rope_token(void *arg, uint32_t t, uint32_t thread)
{
	rstar_engine *e = arg;
	uint32_t n_kv = e->hparams->n_head_kv * e->hparams->head_dim;

	(void) thread;
	rstar_engine_rotate(e, t);
	store_kv(e, &e->slots[t], e->k + (size_t) t * n_kv, e->v + (size_t) t * n_kv, n_kv);
}

/* Block = one tile (counted from e->progress) and one KV head. */
static void
attend_block(void *arg, uint32_t block, uint32_t thread)
{
	rstar_engine *e = arg;
	const rstar_hparams *h = e->hparams;
	const rstar_tile *tile = &e->tiles[e->progress + block / h->n_head_kv];
	uint32_t head = block % h->n_head_kv;
	uint32_t n_group = h->n_head / h->n_head_kv;
	uint64_t element = rstar_kv_storage(e->kv) == RSTAR_KV_F32 ? 4 : 2;
	uint64_t before = (uint64_t) head * h->head_dim * element;
	rstar_attention_token tokens[RSTAR_ATTENTION_ROWS];
	rstar_attention a = {
		.tokens = tokens,
		.n_tokens = tile->count,
		.shared = tile->shared,
		.k_offset = rstar_kv_k_offset(e->kv, e->layer) + before * RSTAR_KV_BLOCK,
		.v_offset = rstar_kv_v_offset(e->kv, e->layer) + before,
		.v_stride = rstar_kv_v_stride(e->kv),
		.head_dim = h->head_dim,
		.n_group = n_group,
		.scale = rstar_engine_attention_scale(e),
		.scores = scratch_of(e, thread),
	};

	for (uint32_t i = 0; i < tile->count; i++)
	{
		const rstar_slot *slot = &e->slots[tile->first + i];
		size_t at = ((size_t) (tile->first + i) * h->n_head + head * n_group) * h->head_dim;
		uint32_t end = slot->position + 1;

		tokens[i] = (rstar_attention_token){
			.q = e->q + at,
			.out = e->heads.f32 + at,
			.runs = e->runs + slot->path,
			.n_runs = slot->n_runs,
			.first = rstar_engine_first_seen(e, end),
			.end = end,
		};
	}
	if (element == 4)
		e->kernels->attention_f32(&a);
	else
		e->kernels->attention_f16(&a);
}

/* Tiles from e->progress on, for about one slice. */
static rstar_status
attend(rstar_engine *e, const rstar_cancel *cancel)
{
	const rstar_hparams *h = e->hparams;
	double budget = e->slice_work / 4; /* attention is slower per product than matrices */
	double work = 0;
	uint32_t i = e->progress;

	for (; i < e->n_tiles && (work < budget || i == e->progress); i++)
		for (uint32_t t = 0; t < e->tiles[i].count; t++)
			work += 2.0 * h->n_head * h->head_dim * (e->slots[e->tiles[i].first + t].position + 1);
	if (!rstar_pool_run(e->pool, attend_block, e, (i - e->progress) * h->n_head_kv, cancel))
		return RSTAR_ERR_CANCELLED;
	e->progress = i;
	return i == e->n_tiles ? RSTAR_OK : RSTAR_AGAIN;
}

static void
quantize_heads(void *arg, uint32_t t, uint32_t thread)
{
	rstar_engine *e = arg;

	(void) thread;
	e->kernels->quantize(&e->heads, t);
}

static void
swiglu_token(void *arg, uint32_t t, uint32_t thread)
{
	rstar_engine *e = arg;

	(void) thread;
	rstar_engine_gate(e, t);
	if (is_quantised(&e->layers[e->layer].w_down))
		e->kernels->quantize(&e->ff, t);
}

/* Block = one output row: the normalised state of its token. */
static void
output_norm_token(void *arg, uint32_t t, uint32_t thread)
{
	rstar_engine *e = arg;
	uint32_t n = e->hparams->n_embd;
	int32_t w = e->slots[t].output;

	(void) thread;
	if (w < 0)
		return;
	rstar_engine_add_delta(e, t, e->layers[e->layer].post_ffn_norm);
	e->kernels->rms_norm(e->x + (size_t) t * n, e->weights->output_norm, n, e->hparams->norm_eps,
						 e->final.f32 + (size_t) w * n);
	if (is_quantised(&e->output))
		e->kernels->quantize(&e->final, (uint32_t) w);
}

static bool
wants(const rstar_engine *e, const rstar_slot *slot, unsigned what)
{
	return slot->output >= 0 && (e->requests[slot->request].request.want & what);
}

static rstar_status
compute_logits(rstar_engine *e, const rstar_cancel *cancel)
{
	product logits = {&e->output, NULL, e->logits};
	unsigned wanted = 0;

	for (uint32_t t = 0; t < e->T; t++)
	{
		if (e->slots[t].output >= 0)
			wanted |= e->requests[e->slots[t].request].request.want;
	}
	if (e->progress == 0 && (wanted & RSTAR_WANT_VALUE))
	{
		rstar_matrix head = {.type = RSTAR_TYPE_F32,
							 .rows = 1,
							 .columns = e->hparams->n_embd,
							 .row_bytes = e->hparams->n_embd * sizeof(float),
							 .data = (const uint8_t *) e->weights->value_head};

		e->kernels->matmul(&head, 0, 1, &e->final, e->W, e->values, 1, scratch_of(e, 0));
	}
	if (!(wanted & RSTAR_WANT_LOGITS))
		return RSTAR_OK;

	rstar_status status = multiply(e, &logits, 1, &e->final, e->W, cancel);

	if (status == RSTAR_OK)
		rstar_engine_cap_logits(e);
	return status;
}

static void
emit_outputs(rstar_engine *e)
{
	for (uint32_t t = 0; t < e->T; t++)
	{
		const rstar_slot *slot = &e->slots[t];

		if (slot->output < 0)
			continue;

		size_t w = (size_t) slot->output;
		rstar_output output = {
			.request = slot->request,
			.position = slot->position,
			.logits =
				wants(e, slot, RSTAR_WANT_LOGITS) ? e->logits + w * e->hparams->n_vocab : NULL,
			.value = wants(e, slot, RSTAR_WANT_VALUE) ? e->values[w] + e->weights->value_bias : 0,
		};

		e->requests[slot->request].emitted++;
		if (e->emit)
			e->emit(e->emit_arg, &output);
	}
}

/*
 * The order of the stages is the order of a transformer's layer. Each can be interrupted and
 * entered again: what is done of it is in the engine, so nothing here may have an effect
 * before its loop over tokens or rows. The last stages are empty when no token of the batch
 * wants logits.
 */
static rstar_status
run_stage(rstar_engine *e, const rstar_cancel *cancel)
{
	const rstar_layer_weights *layer = &e->layers[e->layer];
	rstar_status status;

	switch (e->stage)
	{
		case STAGE_EMBED:
			return for_each_token(e, embed_token, e->T, cancel);
		case STAGE_ATTN_NORM:
			return for_each_token(e, attn_norm_token, e->T, cancel);
		case STAGE_QKV:
		{
			product qkv[MAX_PRODUCTS] = {{&layer->wq, layer->bq, e->q},
										 {&layer->wk, layer->bk, e->k},
										 {&layer->wv, layer->bv, e->v}};

			return multiply(e, qkv, 3, &e->normed, e->T, cancel);
		}
		case STAGE_ROPE:
			return for_each_token(e, rope_token, e->T, cancel);
		case STAGE_ATTENTION:
			status = attend(e, cancel);
			if (status == RSTAR_OK && is_quantised(&layer->wo))
				status = for_each_token(e, quantize_heads, e->T, cancel);
			return status;
		case STAGE_ATTN_OUT:
		{
			product out = {&layer->wo, layer->bo, e->delta};

			return multiply(e, &out, 1, &e->heads, e->T, cancel);
		}
		case STAGE_FFN_NORM:
			return for_each_token(e, ffn_norm_token, e->T, cancel);
		case STAGE_GATE_UP:
		{
			product both[2] = {{&layer->w_gate, NULL, e->ff.f32}, {&layer->w_up, NULL, e->up}};

			return multiply(e, both, 2, &e->normed, e->T, cancel);
		}
		case STAGE_SWIGLU:
			return for_each_token(e, swiglu_token, e->T, cancel);
		case STAGE_DOWN:
		{
			product down = {&layer->w_down, NULL, e->delta};

			return multiply(e, &down, 1, &e->ff, e->T, cancel);
		}
		case STAGE_OUTPUT_NORM:
			return for_each_token(e, output_norm_token, e->W > 0 ? e->T : 0, cancel);
		case STAGE_LOGITS:
			return e->W > 0 ? compute_logits(e, cancel) : RSTAR_OK;
		case STAGE_EMIT:
			emit_outputs(e);
			return RSTAR_OK;
		case STAGE_DONE:
			break;
	}
	return RSTAR_OK;
}

static void
next_stage(rstar_engine *e)
{
	e->progress = 0;
	if (e->stage == STAGE_DOWN && e->layer + 1 < e->hparams->n_layer)
	{
		e->layer++;
		e->stage = STAGE_ATTN_NORM;
	}
	else
		e->stage++;
}

rstar_status
rstar_engine_forward(rstar_engine *e, const rstar_cancel *cancel)
{
	double deadline = rstar_clock_ms() + RSTAR_SLICE_MS;

	while (e->stage != STAGE_DONE)
	{
		rstar_status status = run_stage(e, cancel);

		if (status == RSTAR_OK)
			next_stage(e);
		else if (status != RSTAR_AGAIN)
			return status;
		if (e->stage != STAGE_DONE && rstar_clock_ms() > deadline)
			return RSTAR_AGAIN;
	}
	return RSTAR_OK;
}

/*
 * internal.h
 *	  What engine.c, plan.c and forward.c share.
 *
 * Letters: T tokens in the pass; W of them with outputs.
 */
#ifndef RSTAR_ENGINE_INTERNAL_H
#define RSTAR_ENGINE_INTERNAL_H

#include "core/base/clock.h"
#include "core/engine/engine.h"
#include "core/tensor/kernels.h"

#define RSTAR_PREFIX_MAPS 16
#define RSTAR_PREFIXES    4 /* beginnings of sequences that an engine keeps */

/* One token of the pass. */
typedef struct rstar_slot
{
	rstar_kv_node *node;
	uint32_t index;    /* among the node's own tokens */
	uint32_t position; /* in the sequence */
	size_t path;       /* where its path's runs begin in engine->runs */
	uint32_t n_runs;
	int32_t output;   /* row among the outputs, or -1 */
	uint32_t request; /* whose output it is */
} rstar_slot;

/* Tokens of the pass that attend together: paths with a common beginning. */
typedef struct rstar_tile
{
	uint32_t first, count; /* among the slots */
	uint32_t shared;       /* runs at the beginning of all paths */
} rstar_tile;

typedef struct rstar_request_state
{
	rstar_request request;
	uint32_t emitted; /* outputs delivered */
	bool done;
} rstar_request_state;

typedef enum rstar_stage
{
	STAGE_EMBED,
	STAGE_ATTN_NORM, /* the layer's stages, in order */
	STAGE_QKV,
	STAGE_ROPE,
	STAGE_ATTENTION,
	STAGE_ATTN_OUT,
	STAGE_FFN_NORM,
	STAGE_GATE_UP,
	STAGE_SWIGLU,
	STAGE_DOWN,
	STAGE_OUTPUT_NORM, /* after the last layer */
	STAGE_LOGITS,
	STAGE_EMIT,
	STAGE_DONE
} rstar_stage;

/* An array that grows and is reused from pass to pass. */
typedef struct rstar_scratch
{
	void *data;
	size_t bytes;
} rstar_scratch;

struct rstar_engine
{
	const rstar_allocator *allocator;
	const rstar_weights *weights;
	const rstar_hparams *hparams; /* inside weights */
	rstar_layer_weights *layers;  /* [n_layer]: panels.c */
	rstar_matrix output;
	rstar_panels *panels; /* of each matrix, or NULL: none are kept */
	void *panel_memory;
	bool *panel_filled;
	const rstar_kernels *kernels;
	rstar_pool *pool;
	rstar_kv *kv;
	uint32_t max_batch;
	uint32_t max_outputs;
	uint32_t max_context;
	double *frequencies; /* [rope_dim / 2], and those of layers with a window behind them */

	rstar_kv_node *prefixes[RSTAR_PREFIXES]; /* kept beginnings, most recently used first */
	struct
	{
		void *base;
		size_t bytes;
	} maps[RSTAR_PREFIX_MAPS]; /* of files that nodes have borrowed blocks from */
	uint32_t n_maps;

	/* The job. */
	rstar_request_state *requests;
	uint32_t n_requests;
	rstar_emit emit;
	void *emit_arg;
	bool active;  /* a job is under way */
	bool planned; /* a pass is under way */

	/* The pass: tokens, the nodes it has pinned, the blocks of their paths. */
	rstar_slot *slots;
	uint32_t T;
	uint32_t W;
	rstar_kv_node **pinned;
	size_t n_pinned, pinned_capacity;
	rstar_attention_run *runs;
	size_t n_runs, runs_capacity;
	rstar_tile *tiles; /* [max_batch] */
	uint32_t n_tiles;
	uint32_t largest_tile; /* tokens */
	uint32_t longest;      /* positions of the longest path */

	/* Where the pass stands. progress counts rows or tokens within a stage. */
	rstar_stage stage;
	uint32_t layer;
	uint32_t progress;
	double slice_work; /* multiplications that take about RSTAR_SLICE_MS */

	/* Buffers, by token. */
	float *x;                 /* [T][n_embd]: the residual stream */
	float *delta;             /* [T][n_embd]: what a block adds to it */
	rstar_activations normed; /* [T][n_embd] */
	rstar_activations heads;  /* [T][n_head * head_dim] */
	rstar_activations ff;     /* [T][n_ff]: gate, then silu(gate) * up */
	rstar_activations final;  /* [W][n_embd] */
	float *q, *k, *v;         /* [T][n_head * head_dim], [T][n_head_kv * head_dim] */
	float *up;                /* [T][n_ff] */
	float *turns; /* [T][n_turns]: cosines of the pairs, then sines; also the local ones */
	uint32_t n_turns;
	float *logits;        /* [W][n_vocab] */
	float *values;        /* [W] */
	rstar_scratch memory; /* all of the above */
	rstar_scratch thread_scratch;
	size_t thread_bytes; /* scratch of one thread */

	uint64_t tokens_computed;
	uint64_t passes;
};

/* plan.c: choose the tokens of the next pass; RSTAR_OK with T = 0: nothing is left. */
extern rstar_status rstar_engine_plan(rstar_engine *engine, rstar_error *err);

/* plan.c: undo pins and marks of a pass; with `completed`, its tokens are in the cache. */
extern void rstar_engine_unplan(rstar_engine *engine, bool completed);

/* tiles.c: which tokens of the pass attend together. */
extern void rstar_engine_make_tiles(rstar_engine *engine);

/* panels.c: layers and output; panels, if there are at most so many weights. Errors: MEMORY. */
extern rstar_status rstar_engine_view_weights(rstar_engine *engine, uint64_t max_panels,
											  rstar_error *err);
extern void rstar_engine_forget_weights(rstar_engine *engine);

/* forward.c: room for T tokens and W outputs. */
extern rstar_status rstar_engine_reserve(rstar_engine *engine, rstar_error *err);

/* architecture.c: see there. */
extern void rstar_engine_embed(rstar_engine *engine, uint32_t t);
extern void rstar_engine_rotate(rstar_engine *engine, uint32_t t);
extern float rstar_engine_attention_scale(const rstar_engine *engine);
extern uint32_t rstar_engine_first_seen(const rstar_engine *engine, uint32_t end);
extern void rstar_engine_gate(rstar_engine *engine, uint32_t t);
extern void rstar_engine_add_delta(rstar_engine *engine, uint32_t t, const float *norm);
extern void rstar_engine_cap_logits(rstar_engine *engine);

/* forward.c: work on the pass for about one slice: AGAIN, OK, or CANCELLED. */
extern rstar_status rstar_engine_forward(rstar_engine *engine, const rstar_cancel *cancel);

#endif

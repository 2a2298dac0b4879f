/*
 * pass_internal.h
 *	  What the files of the pass share: its memory, and its parts.
 *
 * Letters: N tokens of the micro-batch, C width of the residual stream, W of
 * q, k and v together, H query heads, D their width, F feed-forward, P tokens at which the
 * output is read ("picks").
 */
#ifndef RSTAR_TRAIN_PASS_INTERNAL_H
#define RSTAR_TRAIN_PASS_INTERNAL_H

#include <math.h>

#include "core/train/pass.h"

/* Tokens in one block of work; sums over tokens are made per block, then over blocks. */
#define RSTAR_PASS_TOKENS 32u

/* Activations of a layer that backward needs. */
typedef struct rstar_pass_layer
{
	float *r_attn;  /* [N]: 1 / root mean square, of the attention's norm */
	float *qkv;     /* [N][W], rope applied */
	float *raw;     /* [N][W] before the norms of q and k; NULL without them */
	float *r_heads; /* [N][H + KV] of these norms, or NULL */
	float *heads;   /* [N][H * D]: attention's result */
	float *lse;     /* [N * H], by sequence */
	float *middle;  /* [N][C]: the stream between attention and feed-forward */
	float *r_ffn;   /* [N] */
	float *gate_up; /* [N][2 F] */
} rstar_pass_layer;

typedef enum rstar_pass_stage
{
	RSTAR_PASS_EMBED,
	RSTAR_PASS_FORWARD,
	RSTAR_PASS_PICK,
	RSTAR_PASS_OUTPUT,
	RSTAR_PASS_UNPICK,
	RSTAR_PASS_BACKWARD,
	RSTAR_PASS_UNEMBED,
	RSTAR_PASS_DONE
} rstar_pass_stage;

struct rstar_pass
{
	const rstar_train_model *model;
	rstar_lora *lora;
	float *const *gradients;
	rstar_gemm *gemm;
	rstar_pool *pool;
	const rstar_train_ops *ops;
	rstar_pass_options options;
	void *memory;

	/* the micro-batch */
	rstar_pass_batch batch;
	bool backward;
	uint32_t N, P;
	uint32_t *starts;   /* [max_sequences + 1] */
	uint32_t *ids;      /* [N] */
	uint32_t *position; /* [N] within its sequence */
	uint32_t *picks;    /* [P] tokens at which the output is read; those of pairs come last */
	uint32_t *targets;  /* [L] ids to predict */
	uint32_t *first;    /* [max_sequences + 1]: where the picks of a sequence's tokens begin */
	uint32_t L;         /* picks for next tokens; the other P - L are those of pairs */

	/* activations */
	float *cos, *sin;         /* [max_length][rope_dim / 2] */
	float *stream;            /* [n_layer + 1][N][C]: input of each layer, and the last's output */
	rstar_pass_layer *layers; /* [n_layer]; with checkpointing all share one memory */
	float *final;             /* [P][C], after the output norm */
	float *r_final;           /* [P] */
	float *values;            /* [P - L] */
	double *losses;           /* [L] cross-entropy */
	float *slopes;            /* [L] of the batch's loss by that */

	/* scratch and gradients of activations */
	float *normed;  /* [N][C] */
	float *act;     /* [N][F] */
	float *dx;      /* [N][C]: of the stream */
	float *dnormed; /* [N][C] */
	float *dact;    /* [N][F] */
	float *dwide;   /* [N][max(2 F, W)]: of gate_up, then of qkv */
	float *dheads;  /* [N][H * D] */
	float *dfinal;  /* [P][C] */
	float *logits;  /* [rows_at_once][n_vocab] */
	uint32_t rows_at_once;
	float *partial;              /* [N / TOKENS][widest vector]: sums per block of tokens */
	float *low, *dlow;           /* [N][rank] */
	float *attention;            /* per thread */
	size_t attention_per_thread; /* floats */

	/* progress */
	rstar_pass_stage stage;
	uint32_t layer;
	uint32_t row, rows; /* of the output: done, and in all */
	uint32_t at;        /* the pick that the piece at hand begins with */
	rstar_pass_result result;
	rstar_pass_times times;
};

static inline uint32_t
rstar_pass_wide(const rstar_hparams *h)
{
	return (h->n_head + 2 * h->n_head_kv) * h->head_dim;
}

/* What multiplies q . k. */
static inline float
rstar_pass_scale(const rstar_hparams *h)
{
	return h->attention_scale > 0.0f ? h->attention_scale : 1.0f / sqrtf((float) h->head_dim);
}

/* Does the layer at hand rotate? */
static inline bool
rstar_pass_rotates(const rstar_pass *pass)
{
	return (pass->model->hparams.layer_flags[pass->layer] & RSTAR_LAYER_NO_ROPE) == 0;
}

static inline float *
rstar_pass_stream(const rstar_pass *pass, uint32_t layer)
{
	return pass->stream + (size_t) layer * pass->options.max_tokens * pass->model->hparams.n_embd;
}

static inline const float *
rstar_pass_value(const rstar_pass *pass, uint32_t tensor)
{
	return pass->model->tensors[tensor].value;
}

/* --- linear.c: all return false when cancelled ------------------------------------ */

/* y = x W^T (+ bias), for n rows of x; with add, y += x W^T. */
extern bool rstar_pass_linear(rstar_pass *pass, uint32_t tensor, uint32_t bias, const float *x,
							  uint32_t n, float *y, bool add, const rstar_cancel *cancel);

/* dx = dy W (NULL: not wanted), and the gradients of W, its adapters and bias. */
extern bool rstar_pass_linear_backward(rstar_pass *pass, uint32_t tensor, uint32_t bias,
									   const float *x, const float *dy, uint32_t n, float *dx,
									   const rstar_cancel *cancel);

/*
 * Call work(pass, block, first, end, sums) for blocks of tokens, all threads; where
 * gradient is not NULL, sums are `width` zeros at the beginning and then are added to it,
 * block after block.
 */
typedef void (*rstar_pass_work)(rstar_pass *pass, uint32_t first, uint32_t end, float *sums);
extern bool rstar_pass_tokens(rstar_pass *pass, uint32_t n, rstar_pass_work work, float *gradient,
							  uint32_t width, const rstar_cancel *cancel);

/* --- forward.c, backward.c, output.c ----------------------------------------------- */

extern bool rstar_pass_embed(rstar_pass *pass, const rstar_cancel *cancel);
extern bool rstar_pass_forward(rstar_pass *pass, const rstar_cancel *cancel);  /* pass->layer */
extern bool rstar_pass_backward(rstar_pass *pass, const rstar_cancel *cancel); /* pass->layer */
extern bool rstar_pass_unembed(rstar_pass *pass, const rstar_cancel *cancel);

/* The normalised stream at the picks. */
extern bool rstar_pass_pick(rstar_pass *pass, const rstar_cancel *cancel);
/* Rows that the output takes, those counted twice that are gone over twice. */
extern uint32_t rstar_pass_output_rows(const rstar_pass *pass);
/* Some rows of the output, from pass->row on, which is moved; losses and dfinal. */
extern bool rstar_pass_output(rstar_pass *pass, const rstar_cancel *cancel);
/* dfinal becomes dx. */
extern bool rstar_pass_unpick(rstar_pass *pass, const rstar_cancel *cancel);

#endif

/*
 * weights.h
 *	  The tensors of a model: which there are, their shapes, and where they lie.
 *
 * rstar_weights_open finds every tensor that the architecture needs in an open
 * file, checks its shape and type, and hands out pointers into the map. Fused
 * tensors (phi3's attn_qkv: rows of q, then k, then v; its ffn_up: rows of gate,
 * then up) appear as views of rows, so the engine knows one layout only.
 *
 * The same list of tensors (rstar_weights_n_specs, rstar_weights_spec) serves
 * whoever writes a model: creation, import, training.
 *
 * Beyond the architecture's own tensors a file may hold a value head, which
 * turns the last hidden state h (after the output norm) into a score:
 * value_head.weight . h + value_head.bias, and value_head.likelihood times the
 * likelihood of what was written (core/step/likelihood.h), where a file has it.
 */
#ifndef RSTAR_MODEL_WEIGHTS_H
#define RSTAR_MODEL_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/model/hparams.h"
#include "core/tensor/matrix.h"
#include "core/tensor/types.h"

typedef struct rstar_layer_weights
{
	const float *attn_norm; /* [n_embd] */
	rstar_matrix wq;        /* [n_head * head_dim][n_embd] */
	rstar_matrix wk;        /* [n_head_kv * head_dim][n_embd] */
	rstar_matrix wv;        /* [n_head_kv * head_dim][n_embd] */
	const float *bq;        /* one per row of wq, or NULL */
	const float *bk;
	const float *bv;
	rstar_matrix wo;     /* [n_embd][n_head * head_dim] */
	const float *bo;     /* [n_embd], or NULL */
	const float *q_norm; /* [head_dim], of every head of q; or NULL */
	const float *k_norm;
	const float *post_attn_norm; /* [n_embd], behind the block; or NULL */
	const float *post_ffn_norm;
	const float *ffn_norm; /* [n_embd] */
	rstar_matrix w_gate;   /* [n_ff][n_embd] */
	rstar_matrix w_up;     /* [n_ff][n_embd] */
	rstar_matrix w_down;   /* [n_embd][n_ff] */
} rstar_layer_weights;

typedef struct rstar_weights
{
	const rstar_gguf *gguf;
	rstar_hparams hparams;
	rstar_matrix token_embd;  /* [n_vocab][n_embd] */
	const float *output_norm; /* [n_embd] */
	rstar_matrix output;      /* [n_vocab][n_embd]; equals token_embd if tied */
	bool tied;
	const float *rope_factors; /* [rope_dim / 2] divide the frequencies, or NULL */
	const float *rope_long;    /* the same beyond hparams.rope_original, or NULL */
	const float *value_head;   /* [n_embd], or NULL: the file has no value head */
	float value_bias;
	float value_likelihood;      /* 0: the value does not depend on it */
	rstar_layer_weights *layers; /* [n_layer] */
	uint64_t n_parameters;       /* a tied matrix counted once */
	const rstar_allocator *allocator;
} rstar_weights;

/*
 * Read the hyperparameters and find all tensors. `gguf` must outlive *out.
 * Errors: those of rstar_hparams_read; CORRUPT naming the tensor that is
 * missing or has the wrong shape or type; UNSUPPORTED for a layer with a tensor
 * that we would not use. Contents of matrices are not looked at.
 */
extern rstar_status rstar_weights_open(const rstar_gguf *gguf, const rstar_allocator *allocator,
									   rstar_weights **out, rstar_error *err);
extern void rstar_weights_close(rstar_weights *weights); /* NULL is allowed */

/*
 * Rotary frequencies, [rope_dim / 2], for sequences of up to `context` tokens:
 * pair i turns by position * frequencies[i] radians; base, linear scale and
 * factors are in them. Cosine and sine are then multiplied by
 * hparams.rope_magnitude.
 *
 * Longrope (Ding et al. 2024, arXiv 2402.13753) has two sets of factors. As in
 * llama.cpp the context decides which, for all of its sequences: keys that are
 * in the cache have been turned already.
 */
extern void rstar_weights_rope_frequencies(const rstar_weights *weights, uint32_t context,
										   double *frequencies);

/* The same for layers with a window, where hparams.rope_base_local says that they differ. */
extern void rstar_weights_local_frequencies(const rstar_weights *weights, double *frequencies);

/* --- the list of tensors --------------------------------------------------- */

typedef enum rstar_tensor_kind
{
	RSTAR_TENSOR_MATRIX, /* any element type */
	RSTAR_TENSOR_NORM,   /* F32, initially 1 */
	RSTAR_TENSOR_BIAS,   /* F32, initially 0 */
	RSTAR_TENSOR_HEAD    /* F32, the value head's row */
} rstar_tensor_kind;

typedef struct rstar_tensor_spec
{
	char name[48]; /* "blk.11.attn_q.weight" */
	rstar_tensor_kind kind;
	bool optional;    /* qwen2's q, k, v biases are not; llama's are */
	bool residual;    /* projects into the residual stream (initialised smaller) */
	int32_t layer;    /* -1 outside the layers */
	uint32_t n_dims;  /* 1 or 2 */
	uint64_t dims[2]; /* {columns, rows}, as in the file */
} rstar_tensor_spec;

/*
 * The i-th of n tensors of a model of these shapes, in the order of files. The
 * optional ones are in the list too; whoever writes a model chooses among them.
 */
extern uint32_t rstar_weights_n_specs(const rstar_hparams *hparams);
extern void rstar_weights_spec(const rstar_hparams *hparams, uint32_t i, rstar_tensor_spec *spec);

#endif

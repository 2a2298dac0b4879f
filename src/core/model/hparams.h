/*
 * hparams.h
 *	  The hyperparameters of a model, read from a GGUF file and checked.
 *
 * The architectures are all decoders with RMS normalisation, rotary positions,
 * grouped-query attention and a gated feed-forward part (SwiGLU but for gemma3):
 *
 *		qwen2	biases on q, k, v
 *		phi3	q, k, v in one matrix, gate and up in one matrix, sliding window
 *		llama	rotary pairs are neighbours (2i, 2i + 1), not (i, i + rope_dim / 2)
 *		qwen3	each head of q and k is normalised
 *		gemma3	the same; scaled embedding, norms behind each block too, GELU; of six
 *				layers five have a window and a rotation of their own
 *		smollm3	llama whose every fourth layer does not rotate
 *
 * Keys carry the architecture's name in front: "qwen2.block_count".
 */
#ifndef RSTAR_MODEL_HPARAMS_H
#define RSTAR_MODEL_HPARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/model/gguf.h"

/* Upper bounds; a file beyond them is refused before anything is allocated. */
#define RSTAR_MAX_VOCAB    (1u << 20)
#define RSTAR_MAX_CONTEXT  (1u << 20)
#define RSTAR_MAX_EMBD     65536u
#define RSTAR_MAX_FF       (1u << 18)
#define RSTAR_MAX_LAYERS   512u
#define RSTAR_MAX_HEADS    1024u
#define RSTAR_MAX_HEAD_DIM 256u

typedef enum rstar_arch
{
	RSTAR_ARCH_QWEN2,
	RSTAR_ARCH_PHI3,
	RSTAR_ARCH_LLAMA,
	RSTAR_ARCH_QWEN3,
	RSTAR_ARCH_GEMMA3,
	RSTAR_ARCH_SMOLLM3
} rstar_arch;

typedef enum rstar_activation
{
	RSTAR_SILU,
	RSTAR_GELU /* approximated by tanh (Hendrycks, Gimpel 2016) */
} rstar_activation;

/* What sets a layer apart from the others. */
#define RSTAR_LAYER_GLOBAL  1u /* sees all positions, though the model has a window */
#define RSTAR_LAYER_NO_ROPE 2u /* does not rotate */

/* Which two components of a head one rotation turns. */
typedef enum rstar_rope_style
{
	RSTAR_ROPE_NORM, /* 2i and 2i + 1 */
	RSTAR_ROPE_NEOX  /* i and i + rope_dim / 2 */
} rstar_rope_style;

typedef struct rstar_hparams
{
	rstar_arch arch;
	rstar_rope_style rope_style;
	uint32_t n_vocab;
	uint32_t n_context; /* positions the model may use: 0 .. n_context - 1 */
	uint32_t n_embd;
	uint32_t n_layer;
	uint32_t n_head;
	uint32_t n_head_kv; /* divides n_head */
	uint32_t head_dim;  /* even; n_head * head_dim need not be n_embd */
	uint32_t n_ff;
	uint32_t sliding_window; /* query i sees keys j with i - j < this; 0: all */
	uint32_t rope_dim;       /* even, <= head_dim; components beyond are not turned */
	float rope_base;         /* theta */
	float rope_scale;        /* multiplies positions (linear scaling); usually 1 */
	float rope_magnitude;    /* multiplies cosine and sine (longrope); usually 1 */
	uint32_t rope_original;  /* longrope: sequences that may grow longer take the long factors;
							  * 0: one set of factors, or none */
	float norm_eps;

	/* What few architectures have; all 0 where there is nothing of the kind. */
	rstar_activation activation;
	float embd_scale;      /* multiplies embeddings; 0: nothing does */
	float attention_scale; /* multiplies q . k; 0: 1 / sqrt(head_dim) does */
	float logit_cap;       /* a logit x becomes cap * tanh(x / cap); 0: it stays */
	float rope_base_local; /* theta of layers with a window, unscaled; 0: as the others */
	uint8_t layer_flags[RSTAR_MAX_LAYERS];
} rstar_hparams;

/* Positions that a layer sees, up to its own; 0: all. */
static inline uint32_t
rstar_hparams_window(const rstar_hparams *hparams, uint32_t layer)
{
	return hparams->layer_flags[layer] & RSTAR_LAYER_GLOBAL ? 0 : hparams->sliding_window;
}

/* Does the layer rotate by rope_base_local? */
static inline bool
rstar_hparams_is_local(const rstar_hparams *hparams, uint32_t layer)
{
	return hparams->rope_base_local > 0.0f && !(hparams->layer_flags[layer] & RSTAR_LAYER_GLOBAL);
}

/* Tensors with the factors of longrope. */
#define RSTAR_ROPE_SHORT "rope_factors_short.weight"
#define RSTAR_ROPE_LONG  "rope_factors_long.weight"

/* "qwen2", "phi3", "llama", … */
extern const char *rstar_arch_name(rstar_arch arch);

/* All of them, for a hint: "qwen2, phi3, llama, … and smollm3". */
extern const char *rstar_arch_names(void);

/*
 * What follows from the architecture and the shape (n_embd, n_layer, n_head,
 * sliding_window): the style of rotation, and the fields at the end with the
 * values that its models have unless a file says otherwise.
 */
extern void rstar_hparams_set_traits(rstar_hparams *hparams);
extern bool rstar_arch_by_name(const char *name, size_t length, rstar_arch *arch);

/*
 * Read and check. A model with longrope factors (Phi-3 128k) that brings only
 * the short ones goes no further than its original context. Errors: CORRUPT (a
 * key is missing, mistyped or contradicts another), UNSUPPORTED (architecture,
 * kind of rope scaling, mixture of experts), LIMIT (beyond a bound above).
 */
extern rstar_status rstar_hparams_read(const rstar_gguf *gguf, rstar_hparams *hparams,
									   rstar_error *err);

/* The same checks on values of any origin (a model to be created). */
extern rstar_status rstar_hparams_check(const rstar_hparams *hparams, rstar_error *err);

/*
 * Write the keys that rstar_hparams_read reads, general.architecture included
 * (not the tokenizer's; not those of longrope, which belong with its tensors).
 * Errors are remembered by the writer.
 */
extern void rstar_hparams_write(const rstar_hparams *hparams, rstar_gguf_writer *writer);

#endif

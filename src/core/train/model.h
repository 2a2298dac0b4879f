/*
 * model.h
 *	  A model as training sees it: its parameters as floats that can change.
 *
 * The tensors of a file are grouped as the products want them: rows of q, k and
 * v form one matrix, and so do gate and up, whatever the architecture's file
 * does. Muon orthogonalises these groups. An rstar_train_model belongs to one
 * run; the file it came from stays open, since keys, vocabulary and what is not
 * trained (rope factors) are copied from it when the result is written.
 *
 * Order of calls: open (shapes only, so that memory can be planned), load,
 * ... training ..., write, close.
 */
#ifndef RSTAR_TRAIN_MODEL_H
#define RSTAR_TRAIN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/model/quantize.h"
#include "core/model/weights.h"

#define RSTAR_TRAIN_NONE UINT32_MAX /* no such tensor */

/* How a tensor is stepped. */
typedef enum rstar_train_kind
{
	RSTAR_TRAIN_HIDDEN, /* a layer's matrix: decays; Muon's own */
	RSTAR_TRAIN_TABLE,  /* embedding, output: decays; AdamW */
	RSTAR_TRAIN_VECTOR  /* norms, biases, the value head: does not decay; AdamW */
} rstar_train_kind;

typedef struct rstar_train_tensor
{
	char name[64]; /* "blk.0.qkv.weight" */
	rstar_train_kind kind;
	uint32_t rows; /* 1 for a vector */
	uint32_t columns;
	float *value; /* [rows][columns]; NULL before load */
} rstar_train_tensor;

static inline size_t
rstar_train_tensor_size(const rstar_train_tensor *tensor)
{
	return (size_t) tensor->rows * tensor->columns;
}

/* Indices of a layer's tensors; RSTAR_TRAIN_NONE where the architecture has none. */
typedef struct rstar_train_layer
{
	uint32_t attn_norm;
	uint32_t qkv, qkv_bias;  /* rows of q, k, v */
	uint32_t q_norm, k_norm; /* [head_dim], on every head before rope */
	uint32_t attn_out, attn_out_bias;
	uint32_t ffn_norm;
	uint32_t gate_up; /* rows of gate, then up */
	uint32_t down;
} rstar_train_layer;

typedef struct rstar_train_model
{
	const rstar_allocator *allocator;
	const rstar_gguf *base;
	rstar_weights *weights; /* the file's own */
	rstar_hparams hparams;
	bool tied;
	rstar_train_layer *layers;
	uint32_t token_embd, output_norm;
	uint32_t output;                                     /* equals token_embd if tied */
	uint32_t value_weight, value_bias, value_likelihood; /* NONE: a policy */
	rstar_train_tensor *tensors;
	uint32_t n_tensors;
	size_t n_parameters;
	float *values;       /* all of them, in the order of tensors */
	double *frequencies; /* of rope, [rope_dim / 2] */
} rstar_train_model;

/*
 * List the tensors of an open file, which must outlive *out. With value_head
 * the model gets one, from the file or (seed) at random as create.h says;
 * without, a value head in the file is left out. Errors: those of
 * rstar_weights_open; UNSUPPORTED (a layer with tensors that training does not
 * know); MEMORY.
 */
extern rstar_status rstar_train_model_open(const rstar_gguf *base, bool value_head,
										   const rstar_allocator *allocator,
										   rstar_train_model **out, rstar_error *err);
extern void rstar_train_model_close(rstar_train_model *model); /* NULL is allowed */

/* Take memory for the parameters and read them, of whatever type they are in the file. */
extern rstar_status rstar_train_model_load(rstar_train_model *model, uint64_t seed,
										   const rstar_cancel *cancel, rstar_error *err);

/*
 * Write the model to fd, its matrices rounded to the target's types as
 * quantize.h says; keys and other tensors come from the base file.
 */
extern rstar_status rstar_train_model_write(const rstar_train_model *model,
											rstar_quantize_target target, int fd,
											const rstar_cancel *cancel, rstar_error *err);

#endif

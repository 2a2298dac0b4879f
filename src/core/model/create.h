/*
 * create.h
 *	  A model from scratch: shapes as told, numbers at random.
 *
 * Matrices are normal with deviation 0.02, those that project into the
 * residual stream 0.02 / sqrt(2 n_layer) (GPT-2's rule); norms are 1, biases 0;
 * a value head is normal with deviation 1 / sqrt(n_embd + 1), its bias 0. A
 * number depends on seed, tensor and place only. Everything is F32.
 */
#ifndef RSTAR_MODEL_CREATE_H
#define RSTAR_MODEL_CREATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/model/hparams.h"

typedef struct rstar_create_options
{
	uint64_t seed;
	bool tied;       /* the output matrix is the embedding */
	bool value_head; /* for a process preference model */
} rstar_create_options;

typedef struct rstar_create rstar_create;

/*
 * Add hyperparameters and tensors of a new model to `writer`, which the caller
 * gives its vocabulary (n_vocab tokens) and finishes; only then free *out.
 * Errors: those of rstar_hparams_check; MEMORY. The writer's own are its own.
 */
extern rstar_status rstar_create_begin(const rstar_hparams *hparams,
									   const rstar_create_options *options,
									   const rstar_allocator *allocator, rstar_gguf_writer *writer,
									   rstar_create **out, rstar_error *err);
extern void rstar_create_free(rstar_create *create); /* NULL is allowed */

#endif

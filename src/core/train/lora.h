/*
 * lora.h
 *	  Low-rank adapters (Hu et al. 2021, arXiv 2106.09685).
 *
 * A frozen matrix W [out][in] is used as W + scale B A, with A [rank][in] and B
 * [out][rank]; only A and B are trained. Every matrix of the layers has a pair,
 * and where q, k and v (or gate and up) form one matrix here, each part has its
 * own. A begins random, B as zeros, so training begins at the base model.
 */
#ifndef RSTAR_TRAIN_LORA_H
#define RSTAR_TRAIN_LORA_H

#include "core/base/pool.h"
#include "core/train/model.h"

#define RSTAR_LORA_PARTS 3 /* of one matrix, at most */

typedef struct rstar_lora_part
{
	uint32_t first, rows; /* rows of the matrix */
	rstar_train_tensor a, b;
	float *da, *db; /* gradients, or NULL */
} rstar_lora_part;

typedef struct rstar_lora_matrix
{
	uint32_t n_parts; /* 0: no adapter */
	rstar_lora_part parts[RSTAR_LORA_PARTS];
} rstar_lora_matrix;

typedef struct rstar_lora
{
	const rstar_allocator *allocator;
	uint32_t rank;
	float scale; /* alpha / rank */
	uint32_t n_matrices;
	rstar_lora_matrix *matrices; /* one per tensor of the model */
	size_t n_parameters;
	float *values;
} rstar_lora;

/*
 * Adapters for a model whose shapes are known. A is uniform within 1 / sqrt(in)
 * around zero; its numbers depend on seed, matrix and place only. Errors: MEMORY.
 */
extern rstar_status rstar_lora_create(const rstar_train_model *model, uint32_t rank, float alpha,
									  uint64_t seed, rstar_lora **out, rstar_error *err);
extern void rstar_lora_free(rstar_lora *lora); /* NULL is allowed */

/* Parameters that adapters of this rank have, for planning. */
extern size_t rstar_lora_count(const rstar_train_model *model, uint32_t rank);

/*
 * Add scale B A to the model's own matrices and set B to zero. false:
 * cancelled, the model unusable.
 */
extern bool rstar_lora_merge(rstar_lora *lora, rstar_train_model *model, rstar_pool *pool,
							 const rstar_cancel *cancel);

#endif

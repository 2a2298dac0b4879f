/*
 * pass.h
 *	  Forward and backward through a model, for sequences packed side by side.
 *
 * A pass takes one micro-batch: sequences laid end to end without padding.
 * Products go over all tokens at once; attention stays within a sequence, and
 * positions begin at 0 in each. Gradients are added to the caller's buffers, so
 * several passes accumulate. What a pass learns from is given per sequence:
 *
 *	- next tokens: position t predicts ids[t + 1] where learned[t + 1] is set;
 *	- values: the value head is read at the positions that pairs name, and a pair's
 *	  loss is -log sigmoid(v_chosen - v_rejected) times its weight. Where tokens of a
 *	  sequence are marked as learned, the likelihood of these (their mean
 *	  log-probability) times value_head.likelihood is part of its values.
 *
 * Use: set the micro-batch, then call rstar_pass_step until it stops returning
 * AGAIN; each call is one stage (a layer, a piece of the output), so the caller
 * can look for interrupts in between. With `checkpointing` only the input of each layer is
 * kept, and its activations are computed again on the way back.
 */
#ifndef RSTAR_TRAIN_PASS_H
#define RSTAR_TRAIN_PASS_H

#include "core/train/gemm.h"
#include "core/train/lora.h"
#include "core/train/model.h"
#include "core/train/ops.h"

typedef struct rstar_pass rstar_pass;

typedef struct rstar_pass_options
{
	uint32_t max_tokens;    /* of a micro-batch, at least max_length */
	uint32_t max_sequences; /* of a micro-batch */
	uint32_t max_length;    /* of a sequence, at most the model's context */
	bool checkpointing;
	bool gradients; /* false: only forward */
} rstar_pass_options;

typedef struct rstar_pass_sequence
{
	const int32_t *ids;  /* each below n_vocab */
	const bool *learned; /* [length], or NULL: none */
	uint32_t length;
} rstar_pass_sequence;

/* Positions count within a sequence of the micro-batch. */
typedef struct rstar_pass_pair
{
	uint32_t chosen, rejected; /* sequences */
	uint32_t chosen_at, rejected_at;
	float weight;
} rstar_pass_pair;

typedef struct rstar_pass_batch
{
	const rstar_pass_sequence *sequences;
	uint32_t n_sequences;
	const rstar_pass_pair *pairs; /* with a value head */
	uint32_t n_pairs;
	float scale; /* of the gradient: 1 over what the whole batch counts */
} rstar_pass_batch;

typedef struct rstar_pass_result
{
	double loss;      /* sum over learned tokens, or weighted sum over pairs */
	double counted;   /* tokens learned, or sum of weights */
	uint32_t correct; /* pairs in the right order */
} rstar_pass_result;

/* Bytes that a pass would take, for planning. */
extern size_t rstar_pass_plan(const rstar_train_model *model, const rstar_pass_options *options,
							  uint32_t lora_rank, int n_threads);

/*
 * model (loaded), lora (or NULL), gemm and pool must outlive *out. gradients:
 * one pointer per tensor of the model, NULL where it is frozen; those of the
 * adapters are in lora. Errors: ARGUMENT, MEMORY.
 */
extern rstar_status rstar_pass_create(const rstar_train_model *model, rstar_lora *lora,
									  float *const *gradients, rstar_gemm *gemm, rstar_pool *pool,
									  const rstar_train_ops *ops, const rstar_pass_options *options,
									  rstar_pass **out, rstar_error *err);
extern void rstar_pass_free(rstar_pass *pass); /* NULL is allowed */

/*
 * Take a micro-batch, which must stay in place until the pass is done; any pass
 * under way is dropped. backward: add gradients as well. Errors: LIMIT (more than the options
 * said), ARGUMENT (an id or position out of range).
 */
extern rstar_status rstar_pass_begin(rstar_pass *pass, const rstar_pass_batch *batch, bool backward,
									 rstar_error *err);

/* One stage: AGAIN, OK when done, or CANCELLED (gradients are then unusable). */
extern rstar_status rstar_pass_step(rstar_pass *pass, const rstar_cancel *cancel, rstar_error *err);

/* Of the last pass that is done. */
extern rstar_pass_result rstar_pass_get(const rstar_pass *pass);

/* Values read for the pairs: chosen and rejected of pair i at 2i and 2i + 1. */
extern const float *rstar_pass_values(const rstar_pass *pass);

/* Time spent in each part since creation, in seconds, for reports. */
typedef struct rstar_pass_times
{
	double matrices, attention, output, rest;
} rstar_pass_times;

extern rstar_pass_times rstar_pass_time(const rstar_pass *pass);

#endif

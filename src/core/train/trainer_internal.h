/*
 * trainer_internal.h
 *	  What the files of the trainer share.
 */
#ifndef RSTAR_TRAIN_TRAINER_INTERNAL_H
#define RSTAR_TRAIN_TRAINER_INTERNAL_H

#include "core/train/checkpoint.h"
#include "core/train/order.h"
#include "core/train/trainer.h"

/* Where a run stands; goes into checkpoints as it is. */
typedef struct rstar_train_state
{
	uint64_t step;
	uint64_t tokens;
	uint32_t epoch;
	uint32_t at;            /* in the epoch's order */
	double smoothed, first; /* loss */
	double held_out_loss, held_out_correct;
	double loss, correct, rate, norm; /* of the last step */
	uint64_t evaluated;               /* steps done at the last evaluation, plus 1; 0: none */
} rstar_train_state;

typedef enum rstar_train_phase
{
	RSTAR_PHASE_BEGIN, /* a step, an evaluation, or the end */
	RSTAR_PHASE_PASS,
	RSTAR_PHASE_OPTIMISE,
	RSTAR_PHASE_EVALUATE,
	RSTAR_PHASE_DONE
} rstar_train_phase;

struct rstar_trainer
{
	const rstar_allocator *allocator;
	rstar_train_settings settings;
	const rstar_examples *examples;
	rstar_pool *pool;
	rstar_train_plan plan;

	rstar_gemm *gemm;
	rstar_train_model *model;
	rstar_lora *lora;
	float *gradient_memory;
	float **gradients; /* per tensor of the model; NULL: frozen */
	rstar_parameter *parameters;
	uint32_t n_parameters;
	bool marked; /* tokens are learned, or judged by their likelihood */
	rstar_pass *pass;
	rstar_optimiser *optimiser;
	rstar_order order;
	uint32_t *all; /* 0, 1, 2, ...: every example */

	rstar_train_state state;
	rstar_train_phase phase;
	uint64_t tokens_total;
	double optimiser_time;

	/* the batch under way: examples list[at .. end) */
	const uint32_t *list;
	uint32_t at, end;
	double counted; /* what the batch learns */
	rstar_pass_result sum;
	uint32_t n_pairs; /* of the batch so far */
	rstar_pass_sequence *sequences;
	rstar_pass_pair *pairs;
	uint32_t max_sequences;
};

/* --- trainer_memory.c: setting up ------------------------------------------------- */

extern rstar_status rstar_trainer_set_up(rstar_trainer *trainer, const rstar_gguf *base,
										 const rstar_cancel *cancel, rstar_error *err);
extern void rstar_trainer_take_down(rstar_trainer *trainer);

#endif

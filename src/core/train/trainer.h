/*
 * trainer.h
 *	  A run of training, in slices.
 *
 *		rstar_trainer_plan(...)				memory, before anything large is taken
 *		rstar_trainer_create(...)
 *		rstar_trainer_resume(...)			perhaps
 *		while (event != RSTAR_TRAIN_DONE)	rstar_trainer_advance(...)
 *			rstar_trainer_save(...)			now and then, behind a STEP
 *		rstar_trainer_write(...)
 *		rstar_trainer_free(...)
 *
 * A run is a pure function of base model, examples and settings: equal ones
 * give equal bits, with any number of threads, interrupted and resumed or not,
 * as long as the matrix kernel and the processor family are the same.
 *
 * A batch is cut into micro-batches of whole sequences; its loss is the mean over
 * all that it learns (tokens, or pairs by weight), however it was cut.
 */
#ifndef RSTAR_TRAIN_TRAINER_H
#define RSTAR_TRAIN_TRAINER_H

#include "core/train/examples.h"
#include "core/train/optimiser.h"
#include "core/train/pass.h"
#include "core/train/schedule.h"

typedef struct rstar_train_settings
{
	bool ppm; /* pairs train the value head and all below; else solutions train a policy */
	rstar_optimiser_settings optimiser;
	rstar_schedule schedule;
	double warmup; /* share of the run */
	double epochs; /* may be a fraction */
	uint64_t batch_tokens;
	uint32_t micro_tokens; /* of a micro-batch; 0: chosen */
	uint32_t lora_rank;    /* 0: the whole model is trained */
	float lora_alpha;
	float likelihood; /* of a PPM whose base has none: value_head.likelihood at first; 0: none */
	double held_out;  /* share of the examples */
	uint32_t evaluate_every; /* steps; 0: only at the beginning and at the end */
	int checkpointing;       /* of activations: 0 no, 1 yes, -1 if memory asks for it */
	uint64_t memory_limit;   /* bytes; 0: none */
	uint64_t seed;
	const char *kernel;   /* see gemm.h */
	const char *identity; /* of the base model, for checkpoints; may be NULL */
} rstar_train_settings;

/*
 * Defaults. From scratch: Muon at 2e-3, one cosine, batches of 8,192 tokens, as
 * models/recipe found best. Fine-tuning: AdamW at 2e-5 (models of less than
 * 100M parameters: 3e-4; LoRA: rank 16, 2e-4), linear, batches of 8,192.
 */
extern void rstar_train_defaults(rstar_train_settings *settings, bool ppm, bool scratch, bool lora,
								 uint64_t n_parameters);

/*
 * The same for a PPM with that likelihood: it begins where the policy's log-probability is, and
 * forgets it at the usual rate. One epoch, at a sixth of it.
 */
extern void rstar_train_set_likelihood(rstar_train_settings *settings, float likelihood);

/* Bytes of a run, by what they hold. */
typedef struct rstar_train_plan
{
	size_t parameters; /* the model, and adapters */
	size_t gradients;
	size_t state;       /* of the optimiser, with its scratch */
	size_t activations; /* with their gradients */
	size_t products;    /* scratch of matrix products; an upper bound */
	size_t examples;
	size_t total;
	size_t n_trained;    /* parameters that are trained */
	size_t n_parameters; /* all of them */
	uint32_t micro_tokens;
	bool checkpointing;
} rstar_train_plan;

/*
 * Plan a run on n_threads. Errors: LIMIT if the total is above the memory limit, with
 * the figures (the plan is filled all the same); those of rstar_train_model_open.
 */
extern rstar_status rstar_trainer_plan(const rstar_gguf *base, const rstar_examples *examples,
									   const rstar_train_settings *settings, int n_threads,
									   rstar_train_plan *plan, rstar_error *err);

typedef struct rstar_trainer rstar_trainer;

/*
 * base, examples and pool must outlive *out. Errors: those of
 * rstar_trainer_plan, rstar_gemm_create; ARGUMENT (no examples; a setting out
 * of range), MEMORY, CANCELLED.
 */
extern rstar_status rstar_trainer_create(const rstar_gguf *base, const rstar_examples *examples,
										 const rstar_train_settings *settings, rstar_pool *pool,
										 const rstar_allocator *allocator,
										 const rstar_cancel *cancel, rstar_trainer **out,
										 rstar_error *err);
extern void rstar_trainer_free(rstar_trainer *trainer); /* NULL is allowed */

typedef enum rstar_train_event
{
	RSTAR_TRAIN_SLICE,     /* nothing to tell yet */
	RSTAR_TRAIN_STEP,      /* a step is done: see the report */
	RSTAR_TRAIN_EVALUATED, /* held_out_loss is new */
	RSTAR_TRAIN_DONE
} rstar_train_event;

/*
 * One slice. Errors: CANCELLED (the run can go on only from a checkpoint);
 * LIMIT, if it diverges: a loss or gradient that is not finite, or a loss far
 * above that of the beginning.
 */
extern rstar_status rstar_trainer_advance(rstar_trainer *trainer, const rstar_cancel *cancel,
										  rstar_train_event *event, rstar_error *err);

/* Of the last step; a held-out loss is NaN until there is one. */
typedef struct rstar_train_report
{
	uint64_t step;
	uint64_t tokens, tokens_total; /* done, and of the whole run */
	double loss;                   /* nats: a token, or a pair */
	double correct;                /* pairs in the right order, share of the batch's */
	double held_out_loss, held_out_correct;
	double rate;
	double norm; /* of the gradient, before clipping */
} rstar_train_report;

extern rstar_train_report rstar_trainer_report(const rstar_trainer *trainer);
extern rstar_train_plan rstar_trainer_memory(const rstar_trainer *trainer);
extern const char *rstar_trainer_kernel(const rstar_trainer *trainer);
extern rstar_pass_times rstar_trainer_times(const rstar_trainer *trainer, double *optimiser);

/* Whether no step is under way, so that the run can be saved. */
extern bool rstar_trainer_between_steps(const rstar_trainer *trainer);

/* Whether example i is held out. */
extern bool rstar_trainer_holds_out(const rstar_trainer *trainer, uint32_t i);

/*
 * Of a PPM, between steps: read the values of some pairs from example *next on, into
 * chosen[i] and rejected[i] of example i, and move *next behind them. AGAIN until all are
 * read; errors: ARGUMENT, CANCELLED.
 */
extern rstar_status rstar_trainer_values(rstar_trainer *trainer, uint32_t *next, float *chosen,
										 float *rejected, const rstar_cancel *cancel,
										 rstar_error *err);

/*
 * Once all are read: move value_head.bias, on which no loss of a pair depends, so that the mean
 * of all values is 0, and the values with it.
 */
extern void rstar_trainer_center(rstar_trainer *trainer, float *chosen, float *rejected);

/* Between steps: write a checkpoint, or go on from one. Errors: see checkpoint.h; ARGUMENT. */
extern rstar_status rstar_trainer_save(rstar_trainer *trainer, const char *directory,
									   const char *name, const rstar_cancel *cancel,
									   rstar_error *err);
extern rstar_status rstar_trainer_resume(rstar_trainer *trainer, const char *directory,
										 const char *name, const rstar_cancel *cancel,
										 rstar_error *err);

/* Write the model as it is; adapters are merged, so that training must not go on. */
extern rstar_status rstar_trainer_write(rstar_trainer *trainer, rstar_quantize_target target,
										int fd, const rstar_cancel *cancel, rstar_error *err);

#endif

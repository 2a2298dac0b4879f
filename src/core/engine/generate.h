/*
 * generate.h
 *	  Continuing many sequences at once, token by token.
 *
 * Each sequence continues the end of a KV node (candidates of a search step
 * share theirs) on a node of its own, with its own random stream. All live
 * sequences advance together, one pass per token. What ends a sequence beyond
 * the limits is the caller's: after each token its hook says whether to stop,
 * so this module knows nothing of tags or text.
 */
#ifndef RSTAR_ENGINE_GENERATE_H
#define RSTAR_ENGINE_GENERATE_H

#include <stdint.h>

#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/engine/sampler.h"

typedef enum rstar_finish
{
	RSTAR_FINISH_NONE,   /* not yet */
	RSTAR_FINISH_STOP,   /* the hook said so */
	RSTAR_FINISH_EOG,    /* the model ended the text; the token is not kept */
	RSTAR_FINISH_LENGTH, /* max_tokens */
	RSTAR_FINISH_CONTEXT /* the context is full */
} rstar_finish;

typedef struct rstar_sequence_spec
{
	rstar_kv_node *parent; /* not at position 0: something must come before */
	rstar_random_stream stream;
	uint32_t max_tokens; /* at least 1 */
} rstar_sequence_spec;

/* What came out. Pointers are valid until the generation is freed. */
typedef struct rstar_sequence
{
	rstar_kv_node *node; /* child of the parent; retain it to keep it */
	const int32_t *tokens;
	const float *logprobs; /* of each token, under the model itself */
	uint32_t n_tokens;
	rstar_finish finish;
} rstar_sequence;

/*
 * Called after token `id` of sequence i; true ends the sequence behind it.
 * eog: the token ends the text; the return value does not matter then.
 */
typedef bool (*rstar_generation_hook)(void *arg, uint32_t i, int32_t id, bool eog);

/* Whether an id ends the model's text. */
typedef bool (*rstar_is_eog)(const void *vocabulary, int32_t id);

typedef struct rstar_generation_options
{
	rstar_sampling sampling;
	rstar_generation_hook hook; /* may be NULL */
	void *hook_arg;
	rstar_is_eog is_eog; /* may be NULL: no id does */
	const void *vocabulary;
} rstar_generation_options;

typedef struct rstar_generation rstar_generation;

/*
 * Parents are retained while the generation lives. The engine must have no
 * other job under way whenever rstar_generation_step is called. Errors:
 * ARGUMENT (sampling, an empty sequence), MEMORY.
 */
extern rstar_status rstar_generation_create(rstar_engine *engine,
											const rstar_generation_options *options,
											const rstar_sequence_spec *specs, uint32_t n,
											const rstar_allocator *allocator,
											rstar_generation **out, rstar_error *err);

/* Frees nodes nobody else retains; ends its job. NULL is allowed. */
extern void rstar_generation_free(rstar_generation *generation);

/* A slice of some 20 ms: AGAIN, or OK when every sequence has finished. */
extern rstar_status rstar_generation_step(rstar_generation *generation, const rstar_cancel *cancel,
										  rstar_error *err);

extern void rstar_generation_get(const rstar_generation *generation, uint32_t i,
								 rstar_sequence *sequence);

#endif

/*
 * engine.h
 *	  The transformer: which tokens to compute, and the passes over them.
 *
 * The caller keeps sequences as nodes of a KV tree (kv.h) and asks for outputs
 * at the ends of some of them. The engine finds which tokens on their paths
 * are not in the cache, packs them into passes (one pass reads the weights
 * once for all tokens of all sequences), and reports logits and values. It
 * does not matter how a token comes into the cache: as part of a prompt, in
 * chunks, decoded one by one, in whatever company, or again after an
 * eviction; its keys, values and logits have the same bits within one kernel
 * family.
 *
 *		rstar_engine_begin(engine, requests, n, emit, arg, &err);
 *		do
 *			CHECK_FOR_INTERRUPTS();
 *		while ((status = rstar_engine_step(engine, cancel, &err)) == RSTAR_AGAIN);
 *
 * A step works for some 20 ms. One job at a time; not for several threads at
 * once (the pool's threads are the engine's own affair).
 */
#ifndef RSTAR_ENGINE_ENGINE_H
#define RSTAR_ENGINE_ENGINE_H

#include <stdint.h>

#include "core/base/cpu.h"
#include "core/base/memory.h"
#include "core/base/pool.h"
#include "core/base/status.h"
#include "core/engine/kv.h"
#include "core/model/weights.h"
#include "core/tensor/kernels.h"

typedef struct rstar_engine rstar_engine;

typedef struct rstar_engine_options
{
	rstar_cpu_family family; /* one that rstar_cpu_supports() */
	rstar_kv_type kv_type;
	uint64_t kv_budget;   /* bytes */
	uint32_t max_batch;   /* tokens in a pass; 0: the default, 256 */
	uint32_t max_context; /* positions in a sequence; 0: the model's own */
	uint64_t max_panels; /* models of up to so many weights keep them as products want them as well;
							 0: none does */
} rstar_engine_options;

/* Whether there can be an engine for a model, on any machine. Errors: UNSUPPORTED. */
extern rstar_status rstar_engine_check_weights(const rstar_weights *weights, rstar_error *err);

/*
 * weights and pool must outlive the engine. Buffers are allocated when they
 * are first needed. Errors: ARGUMENT, LIMIT (the KV budget), UNSUPPORTED (a
 * head size that is not a multiple of 16), MEMORY.
 */
extern rstar_status rstar_engine_create(const rstar_weights *weights, rstar_pool *pool,
										const rstar_engine_options *options,
										const rstar_allocator *allocator, rstar_engine **out,
										rstar_error *err);
extern void rstar_engine_free(rstar_engine *engine); /* frees its KV tree too; NULL is allowed */

extern rstar_kv *rstar_engine_kv(rstar_engine *engine);
extern uint32_t rstar_engine_n_vocab(const rstar_engine *engine);
extern uint32_t rstar_engine_max_context(const rstar_engine *engine);
extern const rstar_weights *rstar_engine_weights(const rstar_engine *engine);
extern const rstar_kernels *rstar_engine_kernels(const rstar_engine *engine);

/* Compute logits; apply the value head (which the model must have). */
#define RSTAR_WANT_LOGITS 1u
#define RSTAR_WANT_VALUE  2u

typedef struct rstar_request
{
	rstar_kv_node *node; /* not empty if n_outputs > 0; once among the requests of a job */
	uint32_t n_outputs;  /* at the last n of the node's own tokens; 0: only fill the cache */
	unsigned want;       /* RSTAR_WANT_ bits */
} rstar_request;

typedef struct rstar_output
{
	uint32_t request;    /* index of the request */
	uint32_t position;   /* of the token in its sequence */
	const float *logits; /* [n_vocab] of the token that follows; valid during the call */
	float value;         /* value head's raw value at this token */
} rstar_output;

/* Called in rstar_engine_step, in order of position for each request. */
typedef void (*rstar_emit)(void *arg, const rstar_output *output);

/*
 * Begin a job. The requests are copied; their nodes must live until the job
 * has ended, and must not change. Errors: ARGUMENT (a token id out of range, a
 * node twice, a sequence longer than max_context, no value head), MEMORY.
 */
extern rstar_status rstar_engine_begin(rstar_engine *engine, const rstar_request *requests,
									   uint32_t n, rstar_emit emit, void *arg, rstar_error *err);

/*
 * Do a slice of the job: RSTAR_AGAIN, or RSTAR_OK when it has ended. Errors
 * end the job too: LIMIT (a path does not fit the KV budget), MEMORY,
 * CANCELLED.
 */
extern rstar_status rstar_engine_step(rstar_engine *engine, const rstar_cancel *cancel,
									  rstar_error *err);

/* End a job early, if there is one. The cache stays valid. */
extern void rstar_engine_abort(rstar_engine *engine);

/* Begin and step until done, for callers that need no interrupts between. */
extern rstar_status rstar_engine_run(rstar_engine *engine, const rstar_request *requests,
									 uint32_t n, rstar_emit emit, void *arg,
									 const rstar_cancel *cancel, rstar_error *err);

/* Tokens computed since creation, those computed again included. */
extern uint64_t rstar_engine_tokens_computed(const rstar_engine *engine);

#endif

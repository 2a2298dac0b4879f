/*
 * sampler.h
 *	  From logits to a token.
 *
 * The filters apply in llama.cpp's order: top-k, top-p, min-p, then the
 * temperature. Ties in the logits go to the lower id, so that the result is a
 * function of the logits, the settings and the random number alone.
 */
#ifndef RSTAR_ENGINE_SAMPLER_H
#define RSTAR_ENGINE_SAMPLER_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/tensor/kernels.h"

typedef struct rstar_sampling
{
	float temperature; /* 0: the most probable token */
	int32_t top_k;     /* keep the k most probable; 0: all */
	float top_p;       /* keep the most probable until their sum reaches p; 1: all */
	float min_p;       /* keep those of at least min_p times the greatest probability; 0: all */
} rstar_sampling;

/* Errors: ARGUMENT naming the value that is out of range. */
extern rstar_status rstar_sampling_check(const rstar_sampling *sampling, rstar_error *err);

typedef struct rstar_sampler rstar_sampler;

/* Scratch for vocabularies of n_vocab tokens. Errors: MEMORY. */
extern rstar_status rstar_sampler_create(uint32_t n_vocab, const rstar_kernels *kernels,
										 const rstar_allocator *allocator, rstar_sampler **out,
										 rstar_error *err);
extern void rstar_sampler_free(rstar_sampler *sampler); /* NULL is allowed */

/*
 * Draw tokens from the distribution that the logits and settings give: set once, drawn from
 * as often as there are sequences at this place. The logits must stay until the last draw.
 */
extern void rstar_sampler_set(rstar_sampler *sampler, const float *logits,
							  const rstar_sampling *sampling);

/*
 * Choose a token. uniform is a number in [0, 1). *logprob becomes the token's
 * log-probability under the model itself: no filter, temperature 1.
 */
extern int32_t rstar_sampler_draw(const rstar_sampler *sampler, double uniform, float *logprob);

/* Log-probability of a given token. */
extern float rstar_sampler_logprob(const rstar_sampler *sampler, const float *logits,
								   int32_t token);

#endif

/*
 * likelihood.h
 *	  How likely a model finds a solution so far.
 *
 * The likelihood of a node is the mean log-probability of what was written on the
 * path to it, under the model itself. What was inserted does not count, nor does the first
 * token of each step, since its logits belong to the node before. A process preference
 * model may add a multiple of it to its value (weights.h): the mean log-probability is the
 * reward of SimPO (Meng et al. 2024, arXiv 2405.14734), so such a model judges from the
 * beginning as well as its policy does, and learns the rest.
 */
#ifndef RSTAR_STEP_LIKELIHOOD_H
#define RSTAR_STEP_LIKELIHOOD_H

#include <stdint.h>

typedef struct rstar_likelihood
{
	double sum; /* of log-probabilities, in nats */
	uint32_t tokens;
} rstar_likelihood;

/* 0 for nothing. */
static inline double
rstar_likelihood_mean(rstar_likelihood l)
{
	return l.tokens > 0 ? l.sum / l.tokens : 0;
}

#endif

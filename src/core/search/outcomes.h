/*
 * outcomes.h
 *	  What the answers of one problem are worth, as evaluations count them.
 *
 * A problem's answers come in the order in which a search reached them. Of the
 * first k of them an evaluation asks: is one right (pass@k), how many are
 * (mean@k), is the best-scored one right (best@k), the one that most of them give
 * (maj@k), the one of greatest weight (weighted maj@k).
 */
#ifndef RSTAR_SEARCH_OUTCOMES_H
#define RSTAR_SEARCH_OUTCOMES_H

#include <stdbool.h>

#include "core/search/vote.h"

/* An answer that was reached. */
typedef struct rstar_reached
{
	rstar_string answer;
	bool correct;
	double score;  /* what an answer is chosen by, higher is better */
	double weight; /* of its vote, >= 0 */
} rstar_reached;

typedef struct rstar_outcomes
{
	uint32_t correct; /* how many of the k */
	/* Indices of the answers given by each rule; k: none, as when k is 0. */
	uint32_t best, majority, weighted;
} rstar_outcomes;

/*
 * The weights of votes: scores of a PPM, which lie between -1 and 1, as 0 to 1; and
 * log-probabilities of solutions as probabilities relative to the most probable one.
 */
extern void rstar_outcomes_weigh(rstar_reached *reached, uint32_t n, bool ppm);

/* The outcomes of the first k answers. Errors: MEMORY. */
extern rstar_status rstar_outcomes_of(const rstar_reached *reached, uint32_t k,
									  const rstar_allocator *allocator, rstar_outcomes *out,
									  rstar_error *err);

/*
 * The Wilson score interval of a proportion at 95 % (Wilson 1927): between 0 and
 * 1, and sound for few trials. No trials: 0 to 1.
 */
extern void rstar_outcomes_interval(double successes, double trials, double *low, double *high);

/*
 * The exact two-sided McNemar test of two paired evaluations: how likely is a split at
 * least as uneven as `won` against `lost`, if both are equally good?
 */
extern double rstar_outcomes_paired_test(uint64_t won, uint64_t lost);

#endif

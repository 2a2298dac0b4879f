/*
 * reliability.h
 *	  How well stated confidence agrees with what was right.
 */
#ifndef RSTAR_SEARCH_RELIABILITY_H
#define RSTAR_SEARCH_RELIABILITY_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"

#define RSTAR_RELIABILITY_BINS   10
#define RSTAR_RELIABILITY_LEVELS 21

/* Bins of equal width. Of `problems`, so many have an answer; the others count as not given. */
typedef struct rstar_reliability
{
	uint32_t problems, answered, right;
	double error; /* expected calibration error: mean |confidence - share right|, by bin */
	struct
	{
		uint32_t n, right;
		double confidence; /* mean; 0 if n is 0 */
	} bins[RSTAR_RELIABILITY_BINS];
	struct
	{
		double least; /* answers of at least this confidence are given: 0, 0.05, … 1 */
		uint32_t given, wrong;
	} levels[RSTAR_RELIABILITY_LEVELS];
} rstar_reliability;

extern void rstar_reliability_measure(const double *confidence, const bool *right, uint32_t n,
									  uint32_t problems, rstar_reliability *reliability);

/*
 * The least confidence to ask for so that at most max_wrong (a share) of the
 * answers given are wrong and as many as possible are given: 0 if all may be,
 * 1 if none. Errors: MEMORY.
 */
extern rstar_status rstar_reliability_threshold(const double *confidence, const bool *right,
												uint32_t n, double max_wrong,
												const rstar_allocator *allocator, double *threshold,
												rstar_error *err);

#endif

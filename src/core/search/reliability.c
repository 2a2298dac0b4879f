/*
 * reliability.c
 *	  How well stated confidence agrees with what was right.
 */
#include "core/search/reliability.h"

#include <math.h>
#include <stdlib.h>

static uint32_t
bin_of(double confidence)
{
	double bin = floor(confidence * RSTAR_RELIABILITY_BINS);

	return (uint32_t) fmax(0, fmin(RSTAR_RELIABILITY_BINS - 1, bin));
}

/* Confidence that is asked for at a level. */
static double
level_least(uint32_t level)
{
	return (double) level / (RSTAR_RELIABILITY_LEVELS - 1);
}

static void
count(rstar_reliability *r, double confidence, bool right)
{
	uint32_t bin = bin_of(confidence);

	r->bins[bin].n++;
	r->bins[bin].right += right;
	r->bins[bin].confidence += confidence;
	r->right += right;
	for (uint32_t level = 0; level < RSTAR_RELIABILITY_LEVELS; level++)
		if (confidence >= level_least(level))
		{
			r->levels[level].given++;
			r->levels[level].wrong += !right;
		}
}

void
rstar_reliability_measure(const double *confidence, const bool *right, uint32_t n,
						  uint32_t problems, rstar_reliability *r)
{
	*r = (rstar_reliability){.problems = problems, .answered = n};
	for (uint32_t level = 0; level < RSTAR_RELIABILITY_LEVELS; level++)
		r->levels[level].least = level_least(level);
	for (uint32_t i = 0; i < n; i++)
		count(r, confidence[i], right[i]);
	for (uint32_t bin = 0; bin < RSTAR_RELIABILITY_BINS; bin++)
	{
		if (r->bins[bin].n == 0)
			continue;
		r->error += fabs(r->bins[bin].confidence - r->bins[bin].right) / n;
		r->bins[bin].confidence /= r->bins[bin].n;
	}
}

/* --- the threshold -------------------------------------------------------------------- */

typedef struct stated
{
	double confidence;
	bool right;
} stated;

static int
surest_first(const void *a, const void *b)
{
	double x = ((const stated *) a)->confidence, y = ((const stated *) b)->confidence;

	return x > y ? -1 : x < y;
}

rstar_status
rstar_reliability_threshold(const double *confidence, const bool *right, uint32_t n,
							double max_wrong, const rstar_allocator *allocator, double *threshold,
							rstar_error *err)
{
	stated *order = rstar_alloc_array(allocator, n, sizeof *order);
	uint32_t wrong = 0;

	*threshold = 1;
	if (!order)
		return rstar_error_memory(err, n * sizeof *order);
	for (uint32_t i = 0; i < n; i++)
		order[i] = (stated){confidence[i], right[i]};
	qsort(order, n, sizeof *order, surest_first);
	for (uint32_t i = 0; i < n; i++)
	{
		wrong += !order[i].right;
		/* Answers of equal confidence are given together. */
		if (i + 1 < n && order[i + 1].confidence == order[i].confidence)
			continue;
		if (wrong <= max_wrong * (i + 1))
			*threshold = i + 1 < n ? order[i].confidence : 0;
	}
	rstar_free(allocator, order);
	return RSTAR_OK;
}

/*
 * outcomes.c
 *	  What the answers of one problem are worth, as evaluations count them.
 */
#include "core/search/outcomes.h"

#include <math.h>

#include "core/grade/grade.h"

void
rstar_outcomes_weigh(rstar_reached *reached, uint32_t n, bool ppm)
{
	double most = -INFINITY;

	for (uint32_t i = 0; i < n; i++)
		most = fmax(most, reached[i].score);
	for (uint32_t i = 0; i < n; i++)
		reached[i].weight = ppm ? (reached[i].score + 1) / 2 : exp(reached[i].score - most);
}

static bool
answers_equal(void *arg, rstar_string gold, rstar_string answer)
{
	return rstar_grade_compare(arg, gold.data, gold.length, answer.data, answer.length).equal;
}

/*
 * Three votes over the same ballots. k is small (the rollouts of a problem), and so is
 * the cost: a comparison for each ballot and class.
 */
rstar_status
rstar_outcomes_of(const rstar_reached *reached, uint32_t k, const rstar_allocator *allocator,
				  rstar_outcomes *out, rstar_error *err)
{
	static const rstar_vote_rule rules[3] = {RSTAR_VOTE_BEST, RSTAR_VOTE_MAJORITY,
											 RSTAR_VOTE_WEIGHTED};
	uint32_t *winners[3] = {&out->best, &out->majority, &out->weighted};
	rstar_ballot *ballots = rstar_alloc_array(allocator, k, sizeof *ballots);
	rstar_status status = RSTAR_OK;

	if (!ballots)
		return rstar_error_memory(err, k * sizeof *ballots);
	out->correct = 0;
	for (uint32_t i = 0; i < k; i++)
	{
		ballots[i] = (rstar_ballot){reached[i].answer, reached[i].score, reached[i].weight};
		out->correct += reached[i].correct;
	}
	for (int r = 0; r < 3 && status == RSTAR_OK; r++)
		status = rstar_vote(ballots, k, rules[r], 0, answers_equal, (void *) allocator, allocator,
							winners[r], err);
	rstar_free(allocator, ballots);
	return status;
}

void
rstar_outcomes_interval(double successes, double trials, double *low, double *high)
{
	const double z = 1.959963984540054; /* 97.5 % of the normal distribution lie below */
	double p, middle, half, scale;

	*low = 0;
	*high = 1;
	if (!(trials > 0))
		return;
	p = successes / trials;
	scale = 1 + z * z / trials;
	middle = (p + z * z / (2 * trials)) / scale;
	half = z / scale * sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials));
	*low = fmax(0, middle - half);
	*high = fmin(1, middle + half);
}

double
rstar_outcomes_paired_test(uint64_t won, uint64_t lost)
{
	uint64_t n = won + lost, fewer = won < lost ? won : lost;
	double sum = 0;

	if (n == 0)
		return 1;
	/* Twice the tail of a fair coin, by logarithms of binomial coefficients. */
	for (uint64_t i = 0; i <= fewer; i++)
		sum += exp(lgamma((double) n + 1) - lgamma((double) i + 1) - lgamma((double) (n - i) + 1) -
				   (double) n * M_LN2);
	return fmin(1, 2 * sum);
}

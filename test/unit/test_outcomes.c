/*
 * test_outcomes.c
 *	  What evaluations count, against figures worked out by hand or by SciPy.
 */
#include "check.h"

#include "core/search/outcomes.h"

static rstar_reached
reached(const char *answer, bool correct, double score, double weight)
{
	return (rstar_reached){{answer, strlen(answer)}, correct, score, weight};
}

static void
test_first_k(void)
{
	rstar_reached answers[5] = {reached("3", false, 0.1, 0.1), reached("1/2", true, 0.3, 0.2),
								reached("0.5", true, 0.2, 0.1), reached("7", false, 0.9, 0.6),
								reached("", false, 1, 1)};
	rstar_outcomes out;
	rstar_error err;

	CHECK(rstar_outcomes_of(answers, 1, &rstar_allocator_malloc, &out, &err) == RSTAR_OK);
	CHECK(out.correct == 0 && out.best == 0 && out.majority == 0 && out.weighted == 0);
	CHECK(rstar_outcomes_of(answers, 3, &rstar_allocator_malloc, &out, &err) == RSTAR_OK);
	CHECK(out.correct == 2 && out.best == 1 && out.majority == 1 && out.weighted == 1);
	/* 1/2 and 0.5 are one answer with two votes; 7 scores and weighs more than both */
	CHECK(rstar_outcomes_of(answers, 5, &rstar_allocator_malloc, &out, &err) == RSTAR_OK);
	CHECK(out.correct == 2 && out.best == 3 && out.majority == 1 && out.weighted == 3);
	CHECK(rstar_outcomes_of(answers, 0, &rstar_allocator_malloc, &out, &err) == RSTAR_OK);
	CHECK(out.correct == 0 && out.best == 0 && out.majority == 0);
}

static void
test_interval(void)
{
	double low, high;

	rstar_outcomes_interval(0, 0, &low, &high);
	CHECK(low == 0 && high == 1);
	/* scipy.stats.binomtest(8, 10).proportion_ci(method='wilson') */
	rstar_outcomes_interval(8, 10, &low, &high);
	CHECK_MSG(fabs(low - 0.4901625) < 1e-6 && fabs(high - 0.9433178) < 1e-6, "%.7f %.7f", low,
			  high);
	rstar_outcomes_interval(100, 100, &low, &high);
	CHECK_MSG(high == 1 && fabs(low - 0.9630065) < 1e-6, "%.7f", low);
}

static void
test_paired(void)
{
	CHECK(rstar_outcomes_paired_test(0, 0) == 1);
	CHECK(rstar_outcomes_paired_test(5, 5) == 1);
	/* 2 * (1 + 10) / 1024, and 2 * sum of C(20, 0..5) / 2^20 = 2 * 21700 / 1048576 */
	CHECK(fabs(rstar_outcomes_paired_test(9, 1) - 22.0 / 1024) < 1e-12);
	CHECK(fabs(rstar_outcomes_paired_test(5, 15) - 43400.0 / 1048576) < 1e-9);
	CHECK(rstar_outcomes_paired_test(100000, 0) == 0);
}

int
main(void)
{
	RUN(test_first_k);
	RUN(test_interval);
	RUN(test_paired);
	return CHECK_RESULT();
}

/*
 * vote.c
 *	  From the answers of a search, or of several, to the one that is given.
 */
#include "core/search/vote.h"

#include <stdlib.h>

typedef struct answer_class
{
	uint32_t representative;
	uint32_t count;
	double weight;
} answer_class;

typedef struct ranked_ballot
{
	double score;
	uint32_t index;
} ranked_ballot;

static int
best_first(const void *a, const void *b)
{
	const ranked_ballot *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* The ballots that take part, best first. */
static uint32_t
rank(const rstar_ballot *ballots, uint32_t n, uint32_t top_n, ranked_ballot *order)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		if (ballots[i].answer.length > 0)
			order[count++] = (ranked_ballot){ballots[i].score, i};
	qsort(order, count, sizeof *order, best_first);
	return top_n > 0 && top_n < count ? top_n : count;
}

static bool
wins(const answer_class *a, const answer_class *b, rstar_vote_rule rule)
{
	if (rule == RSTAR_VOTE_MAJORITY)
		return a->count > b->count || (a->count == b->count && a->weight > b->weight);
	return a->weight > b->weight || (a->weight == b->weight && a->count > b->count);
}

/*
 * Ballots are taken in order of rank, so the first of a class, which represents it, is its
 * best one, and among equal classes the earlier wins. Equality is asked of the grader, pair by
 * pair, as it has no key to sort or hash by.
 */
rstar_status
rstar_vote(const rstar_ballot *ballots, uint32_t n, rstar_vote_rule rule, uint32_t top_n,
		   rstar_answers_equal equal, void *arg, const rstar_allocator *allocator, uint32_t *winner,
		   rstar_error *err)
{
	ranked_ballot *order = rstar_alloc_array(allocator, n, sizeof *order);
	answer_class *classes = rstar_alloc_array(allocator, n, sizeof *classes);
	uint32_t n_classes = 0, count, best = 0;

	if (!order || !classes)
	{
		rstar_free(allocator, order);
		rstar_free(allocator, classes);
		return rstar_error_memory(err, n * sizeof *classes);
	}
	count = rank(ballots, n, rule == RSTAR_VOTE_BEST ? 1 : top_n, order);
	for (uint32_t i = 0; i < count; i++)
	{
		const rstar_ballot *ballot = &ballots[order[i].index];
		uint32_t c = 0;

		while (c < n_classes &&
			   !equal(arg, ballots[classes[c].representative].answer, ballot->answer))
			c++;
		if (c == n_classes)
			classes[n_classes++] = (answer_class){order[i].index, 0, 0};
		classes[c].count++;
		classes[c].weight += ballot->weight;
	}
	for (uint32_t c = 1; c < n_classes; c++)
		if (wins(&classes[c], &classes[best], rule))
			best = c;
	*winner = n_classes > 0 ? classes[best].representative : n;
	rstar_free(allocator, order);
	rstar_free(allocator, classes);
	return RSTAR_OK;
}

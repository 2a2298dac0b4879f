/*
 * vote.h
 *	  From the answers of a search, or of several, to the one that is given.
 *
 * Answers that are equal to a class's representative share the class; classes
 * are formed in order of score, best first, since equality of answers is not
 * transitive (grade.h). Within a class the best-scored answer represents it.
 */
#ifndef RSTAR_SEARCH_VOTE_H
#define RSTAR_SEARCH_VOTE_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"

typedef enum rstar_vote_rule
{
	RSTAR_VOTE_BEST,     /* the best-scored answer */
	RSTAR_VOTE_MAJORITY, /* most answers; ties by sum of scores, then the first */
	RSTAR_VOTE_WEIGHTED  /* greatest sum of weights; ties by number, then the first */
} rstar_vote_rule;

typedef struct rstar_ballot
{
	rstar_string answer;
	double score;  /* orders the ballots; higher is better */
	double weight; /* >= 0; counts in WEIGHTED, and in MAJORITY's ties */
} rstar_ballot;

typedef bool (*rstar_answers_equal)(void *arg, rstar_string gold, rstar_string answer);

/*
 * The index of the winning ballot. Only the top_n best-scored ballots take part
 * (0: all). Ballots without an answer (length 0) do not count; if there is
 * none, *winner is n. Errors: MEMORY.
 */
extern rstar_status rstar_vote(const rstar_ballot *ballots, uint32_t n, rstar_vote_rule rule,
							   uint32_t top_n, rstar_answers_equal equal, void *arg,
							   const rstar_allocator *allocator, uint32_t *winner,
							   rstar_error *err);

#endif

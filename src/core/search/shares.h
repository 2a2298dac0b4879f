/*
 * shares.h
 *	  The answers of a tree, each with its share of the probability.
 *
 * Answers that are equal (grade.h) form one class. A class's mass is the sum
 * of the probabilities, under the policy, of the different solutions that lead
 * to it: what the policy was seen to put on this answer, between 0 and 1. What
 * it put on saying that it does not know is the mass declined.
 */
#ifndef RSTAR_SEARCH_SHARES_H
#define RSTAR_SEARCH_SHARES_H

#include "core/search/mcts.h"

typedef struct rstar_answer_share
{
	rstar_string answer; /* in the tree */
	uint32_t node;       /* the answer's most probable node */
	uint32_t solutions;  /* different solutions that lead to the answer */
	uint32_t codes;      /* of them with different code; their comments do not count */
	double mass;
	double best; /* log-probability of the most probable of them */
} rstar_answer_share;

typedef struct rstar_answer_shares
{
	rstar_answer_share *classes; /* the greatest mass first */
	uint32_t n;
	double declined; /* mass */
} rstar_answer_shares;

/*
 * Free with rstar_answer_shares_free; a tree without answers has none. Time is
 * at most one comparison of answers per answer and class. Errors: MEMORY.
 */
extern rstar_status rstar_answer_shares_read(const rstar_mcts *mcts,
											 const rstar_allocator *allocator,
											 rstar_answer_shares *shares, rstar_error *err);
extern void rstar_answer_shares_free(rstar_answer_shares *shares, const rstar_allocator *allocator);

/* The class that the answer of this node belongs to, or NULL. */
extern const rstar_answer_share *rstar_answer_shares_find(const rstar_answer_shares *shares,
														  const rstar_mcts *mcts, uint32_t node,
														  const rstar_allocator *allocator);

#endif

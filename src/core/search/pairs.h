/*
 * pairs.h
 *	  Preference pairs: what a process preference model learns from.
 *
 * The rules are the paper's (arXiv 2501.04519, section 3.3) and, where it is
 * silent, those of its reference code (extra_rm_file.py, train/sample_rm_data.py).
 *
 * Steps. Of the children of an expanded node, those with a correct answer below
 * them are ordered by Q, best first, and those with a wrong answer below by Q,
 * worst first (a child can be in both rows; ties go to the lower number). The
 * first 2 of one row are chosen, the first 2 of the other rejected; where a row
 * has one child only, up to 4 of the other take part. Every combination is a pair if
 *
 *	  - Q differs by min_margin at least, and by more than 0;
 *	  - the texts are at least min_edit characters apart;
 *	  - the best completion of the chosen child has a greater mean Q than the
 *		worst of the rejected one: from the child down along the children of
 *		greatest Q with a correct answer below, or of least Q with a wrong one.
 *
 * Answers. No common prefix is asked of them: whole correct trajectories of a
 * problem, of greatest mean Q, stand against whole wrong ones, of least mean Q,
 * by the same numbers, margins (of mean Q) and distances.
 *
 * A pair's weight is 1 / (number chosen * number rejected), counted before
 * pairs are left out, so that every node, or problem, weighs 1 at most.
 */
#ifndef RSTAR_SEARCH_PAIRS_H
#define RSTAR_SEARCH_PAIRS_H

#include "core/search/tree.h"

#define RSTAR_PAIRS_SIDE 2 /* of a row, */
#define RSTAR_PAIRS_MANY 4 /* and where the other row has only one */

typedef struct rstar_pair_options
{
	double min_margin;
	uint32_t min_edit; /* in characters; 0: texts may be equal */
} rstar_pair_options;

typedef struct rstar_step_pair
{
	uint32_t parent, chosen, rejected; /* nodes */
	double margin, weight;
} rstar_step_pair;

/*
 * The step pairs of a tree whose answers were graded, by parent, then in the
 * order of the rows. *pairs is the caller's to free with the allocator (NULL
 * if there are none). Time is linear in the nodes and in the texts compared,
 * times min_edit. Errors: MEMORY, CANCELLED.
 */
extern rstar_status rstar_step_pairs(const rstar_tree *tree, const rstar_pair_options *options,
									 const rstar_allocator *allocator, const rstar_cancel *cancel,
									 rstar_step_pair **pairs, size_t *n_pairs, rstar_error *err);

/* A graded path from a root to an answer. */
typedef struct rstar_trajectory
{
	int64_t tree;
	uint32_t leaf, parent; /* the answer's node, and its parent */
	bool correct;
	double mean_q, min_q;
	rstar_string solution;
} rstar_trajectory;

typedef struct rstar_answer_pair
{
	uint32_t chosen, rejected; /* indices of trajectories */
	double margin, weight;
} rstar_answer_pair;

/*
 * The answer pairs of one problem, at most RSTAR_PAIRS_MANY. Of equal solutions
 * one takes part. Answers below the same parent are no pair: as steps they
 * may be one. Errors: MEMORY.
 */
extern rstar_status rstar_answer_pairs(const rstar_trajectory *trajectories, uint32_t n,
									   const rstar_pair_options *options,
									   const rstar_allocator *allocator,
									   rstar_answer_pair pairs[RSTAR_PAIRS_MANY], uint32_t *n_pairs,
									   rstar_error *err);

#endif

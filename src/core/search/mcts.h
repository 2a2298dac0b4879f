/*
 * mcts.h
 *	  Monte Carlo tree search over steps, without a model.
 *
 * The algorithm of rStar-Math (arXiv 2501.04519, section 3.2; reference:
 * rstar_deepthink/agents/mcts.py). It says which node to expand, takes the
 * candidates that came of it, and keeps the statistics; where candidates, the
 * verdict on their code and their scores come from is the caller's affair.
 *
 *		while ((node = rstar_mcts_select(&mcts)) != RSTAR_NO_NODE)
 *			rstar_mcts_expand(&mcts, node, candidates, n, &err);
 *
 * A rollout starts at the root and goes down: through expanded nodes by UCT,
 *
 *		UCT(s) = Q(s) + c * sqrt(ln N(parent) / N(s)),	ln N = 0 for N <= 1,
 *
 * expanding what is not expanded yet, until it reaches an answer, a dead end
 * or a limit. Only an answer backs up, along its whole path. Rejected children
 * get -1, themselves only. Under PPM guidance a surviving step starts with one
 * visit worth its score, itself only. So for an expanded node
 *
 *		N = init + sum over children not rejected of (N(child) - init(child)),
 *
 * init being 1 for a step that the PPM initialised and 0 otherwise.
 */
#ifndef RSTAR_SEARCH_MCTS_H
#define RSTAR_SEARCH_MCTS_H

#include "core/search/tree.h"

typedef enum rstar_guidance
{
	RSTAR_GUIDANCE_NONE,     /* test time without a PPM: an answer is worth 0 */
	RSTAR_GUIDANCE_TERMINAL, /* rounds 1 and 2: an answer is worth its grade, +1 or -1 */
	RSTAR_GUIDANCE_PPM       /* rounds 3 and 4, and test time */
} rstar_guidance;

typedef struct rstar_mcts_options
{
	rstar_guidance guidance;
	bool known_answer;      /* PPM guidance: answers back up their grade, not their score */
	double c_uct;           /* 2 in the paper */
	double unvisited_value; /* UCT of a child without visits; INFINITY: those first */
	uint32_t max_rollouts;
	uint32_t max_depth;      /* steps on a path; answers may lie one deeper */
	uint32_t max_nodes;      /* 0: no limit */
	bool answer_exclusive;   /* an answer is its parent's only child and ends the rollout;
							  * otherwise the rollout goes on among its siblings */
	uint32_t enough_correct; /* stop at so many correct answers; 0: never */
	uint32_t enough_first;   /* … if the first so many rollouts all gave one; 0: never */
	bool level_wise;         /* no rollouts: see rstar_mcts_select_level */
	uint32_t beam_width;     /* level-wise: so many steps of a level go on; 0: all */
} rstar_mcts_options;

/* Why a search ended. */
typedef enum rstar_ending
{
	RSTAR_ENDED_BY_ROLLOUTS,  /* all that were asked for */
	RSTAR_ENDED_BY_EXHAUSTED, /* nothing is left to expand */
	RSTAR_ENDED_BY_ENOUGH,    /* enough_correct or enough_first */
	RSTAR_ENDED_BY_NODES,
	RSTAR_ENDED_BY_TOKENS, /* this and the next: limits of the search (search.h), not of the tree */
	RSTAR_ENDED_BY_TIMEOUT,
	RSTAR_N_ENDINGS
} rstar_ending;

/* "rollouts", "exhausted", "enough", "nodes", "tokens", "timeout". */
extern const char *rstar_ending_name(rstar_ending ending);

typedef struct rstar_mcts
{
	rstar_tree tree;
	rstar_mcts_options options;
	uint32_t rollouts;              /* finished */
	uint32_t current;               /* where the rollout under way stands, or RSTAR_NO_NODE */
	uint32_t answers;               /* answer nodes */
	uint32_t correct;               /* of them graded correct */
	uint32_t first_correct_rollout; /* RSTAR_NO_NODE: none */
} rstar_mcts;

/*
 * What becomes of the options for a problem whose answer is not known: nothing to
 * grade by, and no terminal guidance.
 */
extern void rstar_mcts_without_answer(rstar_mcts_options *options);

/* Errors: ARGUMENT (naming the option), MEMORY. */
extern rstar_status rstar_mcts_init(rstar_mcts *mcts, const rstar_mcts_options *options,
									const rstar_allocator *allocator, rstar_error *err);
extern void rstar_mcts_free(rstar_mcts *mcts);

/*
 * The node to expand next: not closed, not expanded. RSTAR_NO_NODE: the search
 * is over, because the root is closed or a limit is reached. Asking again
 * without expanding gives the same node.
 */
extern uint32_t rstar_mcts_select(rstar_mcts *mcts);

/*
 * Level-wise search (step beam search; with one candidate below the root,
 * independent samples): the nodes to expand together next, all of one level, in
 * order. Of the steps there the beam_width best go on, by PPM score under PPM
 * guidance, else by log-probability of the path; the others are closed. Room for
 * `max` nodes; the return value is how many there are, 0 at the end.
 */
extern uint32_t rstar_mcts_select_level(rstar_mcts *mcts, uint32_t *nodes, uint32_t max);

/* Why select and select_level have nothing more to give. */
extern rstar_ending rstar_mcts_ending(const rstar_mcts *mcts);

/* How many nodes are open and not expanded: the `max` that is always enough. */
extern uint32_t rstar_mcts_n_open(const rstar_mcts *mcts);

/*
 * Give the selected node (or one of the selected level) its children, in order (as rstar_tree_add takes them:
 * duplicates merged, graded, grade and correct set on answers, ppm_score and scored
 * where the guidance wants them). Candidates too deep are rejected here. None
 * at all closes the node. Errors: ARGUMENT (not the selected node; an
 * unscored candidate under PPM guidance), MEMORY.
 */
extern rstar_status rstar_mcts_expand(rstar_mcts *mcts, uint32_t node,
									  const rstar_tree_node *candidates, uint32_t n,
									  rstar_error *err);

/* UCT of a node that has a parent: above. */
extern double rstar_mcts_uct(const rstar_mcts *mcts, uint32_t node);

/* The child that UCT prefers among the open ones, or RSTAR_NO_NODE. */
extern uint32_t rstar_mcts_best_child(const rstar_mcts *mcts, uint32_t node);

/*
 * What an answer is chosen by: its PPM score under PPM guidance, else the
 * log-probability of the tokens generated on its path.
 */
extern double rstar_mcts_score(const rstar_mcts *mcts, uint32_t id);

/*
 * Make a stored tree a search again. The caller has appended the nodes in order
 * to mcts->tree (rstar_tree_add: kind, status, kept, texts, answer, graded, grade, correct,
 * scored, ppm_score, logprob, tokens, duplicates, rollout), has set visits, value_sum and
 * expanded of each, and mcts->rollouts; everything else follows from that. Errors:
 * CORRUPT (a step that is none, an expanded node that cannot be).
 */
extern rstar_status rstar_mcts_restore(rstar_mcts *mcts, rstar_error *err);

/*
 * Grade answers anew (regrade.c): grades, counts, and the values that were backed up where
 * grades guided the search. First the counts are cleared, then every answer that was not
 * rejected is graded, each once. Returns whether the grade changed or is new.
 */
extern void rstar_mcts_clear_counts(rstar_mcts *mcts);
extern bool rstar_mcts_set_grade(rstar_mcts *mcts, uint32_t id, double grade);

/* All of that by the known answer `gold`. Returns how many grades changed or are new. */
extern uint32_t rstar_mcts_regrade(rstar_mcts *mcts, rstar_string gold,
								   const rstar_allocator *allocator);

/* Whether grades are what answers are worth in this search. */
extern bool rstar_mcts_graded_guidance(const rstar_mcts_options *options);

/* The next answer behind node `id` (0: the first) that was not rejected, or RSTAR_NO_NODE. */
extern uint32_t rstar_mcts_next_answer(const rstar_mcts *mcts, uint32_t id);

#endif

/*
 * tree_store.h
 *	  Trees as rows, and rows as trees.
 */
#ifndef RSTAR_PG_SEARCH_TREE_STORE_H
#define RSTAR_PG_SEARCH_TREE_STORE_H

#include "postgres.h"
#include "utils/array.h"

#include "pg/search/run.h"

/* The problem of that number; raises ERRCODE_UNDEFINED_OBJECT if there is none. */
extern void rstar_pg_problem_find(int64 problem_id, rstar_problem_row *row);

/*
 * The problems of an array of numbers (bigint[]), palloc'd; raises for NULL, and where there is
 * no such problem.
 */
extern rstar_problem_row *rstar_pg_problems_of_array(ArrayType *numbers, uint32 *n);

/*
 * The problem with this statement and answer (NULL: any); a new row, of source
 * 'rstar_search', if there is none.
 */
extern void rstar_pg_problem_enter(const char *statement, const char *answer,
								   rstar_problem_row *row);

/*
 * Insert a tree with its nodes and trajectories, in a few statements; returns
 * its number. tree->mcts NULL: a failed one.
 */
extern int64 rstar_pg_tree_store(int64 problem_id, uint64 seed, const rstar_search_setup *setup,
								 const rstar_search_outcome *tree);

/* A stored tree. */
typedef struct rstar_stored_tree
{
	int64 tree_id;
	rstar_problem_row problem;
	int64 policy_id, ppm_id; /* 0: none (any more) */
	char *method, *status;
	Jsonb *settings;
	uint64 seed;
	int32 rollouts;
	bool reproducible;
	char *answer;    /* NULL: none */
	int32 answer_id; /* -1: none */
	int64 generated_tokens, python_steps;
	double policy_ms, ppm_ms, sandbox_ms;
} rstar_stored_tree;

/*
 * Read a tree's row, and its nodes as a search that has ended (rstar_mcts_restore); all of it lives
 * until the current memory context is reset. Nobody else changes the tree until the transaction
 * ends. Reads as the caller: raises ERRCODE_UNDEFINED_OBJECT if there is no such tree or row
 * security hides it, ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_DATA_CORRUPTED.
 */
extern rstar_mcts *rstar_pg_tree_load(int64 tree_id, rstar_stored_tree *tree);

/*
 * The nodes alone, for those who look at a tree and do not search it: whatever its settings are,
 * and without a row of rstar.trees just the root. Otherwise as rstar_pg_tree_load.
 */
extern rstar_tree *rstar_pg_tree_load_nodes(int64 tree_id);

/* Replace a stored tree's rows after more rollouts; costs are added to those stored. */
extern void rstar_pg_tree_replace(const rstar_stored_tree *stored, const rstar_search_setup *setup,
								  const rstar_search_outcome *tree);

/* Replace them after the tree was graded anew as `problem` says; its pairs are removed. */
extern void rstar_pg_tree_store_grades(const rstar_stored_tree *stored, const rstar_mcts *mcts,
									   const rstar_problem_row *problem);

#endif

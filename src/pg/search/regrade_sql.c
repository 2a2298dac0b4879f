/*
 * regrade_sql.c
 *	  rstar_regrade: stored trees after a known answer was corrected.
 *
 * A tree keeps the problem as it was asked. Trees of another statement than the
 * problem has now were asked something else, and stay as they are.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/search/tree_store.h"

PG_FUNCTION_INFO_V1(rstar_regrade);

/* The finished trees of the problem that the caller sees, palloc'd. */
static int64 *
trees_of(const rstar_problem_row *problem, uint64 *n)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 *trees;

	rstar_pg_tables_read(&scope);
	rstar_pg_add_bigint(&a, problem->problem_id);
	rstar_pg_add_text(&a, problem->statement);
	rstar_pg_execute(
		"SELECT tree_id FROM rstar.trees"
		" WHERE problem_id OPERATOR(pg_catalog.=) $1 AND status OPERATOR(pg_catalog.=) 'done'"
		" AND COALESCE(statement, $2) OPERATOR(pg_catalog.=) $2 ORDER BY tree_id",
		&a, false);
	*n = SPI_processed;
	trees = MemoryContextAlloc(context, Max(*n, 1) * sizeof *trees);
	for (uint64 i = 0; i < *n; i++)
		trees[i] = rstar_pg_result_bigint(i, "tree_id", 0);
	rstar_pg_tables_end(&scope);
	return trees;
}

/* Whether a grade of the tree changed, or is new. */
static bool
regrade_tree(int64 tree_id, const char *gold)
{
	rstar_stored_tree tree;
	rstar_mcts *mcts = rstar_pg_tree_load(tree_id, &tree);

	if (!tree.problem.answer)
		rstar_mcts_without_answer(&mcts->options);
	if (rstar_mcts_regrade(mcts, (rstar_string){gold, strlen(gold)}, &rstar_allocator_malloc) ==
			0 &&
		tree.problem.answer && strcmp(tree.problem.answer, gold) == 0)
		return false;
	rstar_pg_tree_store_grades(&tree, mcts, gold);
	return true;
}

/*
 * rstar_regrade(problem_id bigint) returns integer
 */
Datum
rstar_regrade(PG_FUNCTION_ARGS)
{
	MemoryContext context, caller;
	rstar_problem_row problem;
	int32 changed = 0;
	int64 *trees;
	uint64 n;

	PreventCommandIfReadOnly("rstar_regrade()");
	rstar_pg_problem_find(PG_GETARG_INT64(0), &problem);
	if (!problem.answer)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("problem " INT64_FORMAT " has no known answer", problem.problem_id)));
	trees = trees_of(&problem, &n);
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar regrade", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		changed += regrade_tree(trees[i], problem.answer);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_INT32(changed);
}

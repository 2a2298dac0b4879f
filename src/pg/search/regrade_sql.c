/*
 * regrade_sql.c
 *	  rstar_regrade: stored trees after a known answer or a verifier was corrected.
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
#include "pg/verify/verifier.h"

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

static rstar_string
string_of(const char *s)
{
	return (rstar_string){s ? s : "", s ? strlen(s) : 0};
}

static bool
same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What the verifier says of one answer of the tree; raises what it raises. */
static double
verify_answer(const rstar_problem_row *problem, const rstar_tree *tree, uint32 id)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_verification v = {.problem_id = problem->problem_id,
							.statement = string_of(problem->statement),
							.data = string_of(problem->answer),
							.answer = tree->nodes[id].answer};
	rstar_search_verdict verdict;
	rstar_buffer solution, program;
	rstar_error err;

	rstar_buffer_init(&solution, &allocator);
	rstar_buffer_init(&program, &allocator);
	if (!rstar_tree_solution(tree, id, &solution) || !rstar_tree_program(tree, id, &program))
		rstar_pg_raise(rstar_error_memory(&err, solution.length), &err);
	v.solution = (rstar_string){solution.data ? solution.data : "", solution.length};
	v.program = (rstar_string){program.data ? program.data : "", program.length};
	rstar_pg_verify(problem->verifier, &v, &verdict);
	rstar_check(verdict.failed, &verdict.error);
	return verdict.grade;
}

/* Verify every answer; how many grades changed or are new? */
static uint32
verify_answers(const rstar_problem_row *problem, rstar_mcts *mcts)
{
	uint32 changed = 0;

	rstar_mcts_clear_counts(mcts);
	for (uint32 id = 0; (id = rstar_mcts_next_answer(mcts, id)) != RSTAR_NO_NODE;)
	{
		CHECK_FOR_INTERRUPTS();
		changed += rstar_mcts_set_grade(mcts, id, verify_answer(problem, &mcts->tree, id));
	}
	return changed;
}

/* Whether a grade of the tree changed, or is new. */
static bool
regrade_tree(int64 tree_id, const rstar_problem_row *problem)
{
	rstar_stored_tree tree;
	rstar_mcts *mcts = rstar_pg_tree_load(tree_id, &tree);
	uint32 changed;

	if (!tree.problem.answer && !tree.problem.verifier)
		rstar_mcts_without_answer(&mcts->options);
	if (problem->verifier)
		changed = verify_answers(problem, mcts);
	else
		changed = rstar_mcts_regrade(mcts, string_of(problem->answer), &rstar_allocator_malloc);
	if (changed == 0 && same_text(tree.problem.answer, problem->answer) &&
		same_text(tree.problem.verifier, problem->verifier))
		return false;
	rstar_pg_tree_store_grades(&tree, mcts, problem);
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
	if (!problem.answer && !problem.verifier)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("problem " INT64_FORMAT " has no known answer", problem.problem_id)));
	trees = trees_of(&problem, &n);
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar regrade", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		changed += regrade_tree(trees[i], &problem);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_INT32(changed);
}

/*
 * tree_load.c
 *	  Rows as trees: reading what tree_store.c has written.
 *
 * Rows are read as the caller: who may not see a tree, by privilege or by row
 * security, can neither draw nor continue it.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/search/tree_store.h"

/* In a scope of the caller. Not read-only: what was committed since the statement began counts. */
static void
select_tree_row(int64 tree_id)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, tree_id);
	rstar_pg_execute(
		"SELECT t.tree_id, t.problem_id, COALESCE(t.statement, p.statement) AS statement,"
		" CASE WHEN t.statement IS NULL THEN p.answer ELSE t.known_answer END AS gold,"
		" CASE WHEN t.statement IS NULL THEN p.verifier ELSE t.verifier END AS verifier, "
		"t.policy_id, t.ppm_id,"
		" t.method, t.status, t.settings, t.seed, t.rollouts, t.reproducible, t.answer,"
		" t.answer_id, t.generated_tokens, t.python_steps, t.policy_ms, t.ppm_ms, t.sandbox_ms"
		" FROM rstar.trees t"
		" JOIN rstar.problems p ON p.problem_id OPERATOR(pg_catalog.=) t.problem_id"
		" WHERE t.tree_id OPERATOR(pg_catalog.=) $1",
		&a, false);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("tree " INT64_FORMAT " does not exist", tree_id)));
}

/* Nobody else changes the tree until the transaction ends. As the owner: it takes UPDATE. */
static void
lock_tree(int64 tree_id)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "trees");
	rstar_pg_add_bigint(&a, tree_id);
	rstar_pg_execute("SELECT FROM rstar.trees WHERE tree_id OPERATOR(pg_catalog.=) $1 FOR UPDATE",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/* The tree's own row; its texts are copied to the context. Raises if there is none. */
static void
read_tree_row(int64 tree_id, rstar_stored_tree *tree, MemoryContext context)
{
	MemoryContext caller;
	bool is_null;
	Datum value;

	select_tree_row(tree_id);
	*tree = (rstar_stored_tree){.tree_id = tree_id};
	tree->problem.problem_id = rstar_pg_result_bigint(0, "problem_id", 0);
	tree->problem.statement = rstar_pg_result_text(0, "statement", context);
	tree->problem.answer = rstar_pg_result_text(0, "gold", context);
	tree->problem.verifier = rstar_pg_result_text(0, "verifier", context);
	tree->policy_id = rstar_pg_result_bigint(0, "policy_id", 0);
	tree->ppm_id = rstar_pg_result_bigint(0, "ppm_id", 0);
	tree->method = rstar_pg_result_text(0, "method", context);
	tree->status = rstar_pg_result_text(0, "status", context);
	tree->seed = (uint64) rstar_pg_result_bigint(0, "seed", 0);
	tree->rollouts = rstar_pg_result_int(0, "rollouts", 0);
	tree->reproducible = rstar_pg_result_bool(0, "reproducible", &is_null);
	tree->answer = rstar_pg_result_text(0, "answer", context);
	tree->answer_id = rstar_pg_result_int(0, "answer_id", -1);
	tree->generated_tokens = rstar_pg_result_bigint(0, "generated_tokens", 0);
	tree->python_steps = rstar_pg_result_bigint(0, "python_steps", 0);
	tree->policy_ms = rstar_pg_result_real(0, "policy_ms", 0);
	tree->ppm_ms = rstar_pg_result_real(0, "ppm_ms", 0);
	tree->sandbox_ms = rstar_pg_result_real(0, "sandbox_ms", 0);
	value = rstar_pg_result(0, "settings", &is_null);
	caller = MemoryContextSwitchTo(context);
	tree->settings = DatumGetJsonbPCopy(value);
	MemoryContextSwitchTo(caller);
}

static rstar_string
result_string(uint64 row, const char *column)
{
	char *text = rstar_pg_result_text(row, column, CurrentMemoryContext);

	return text ? (rstar_string){text, strlen(text)} : (rstar_string){"", 0};
}

static void
corrupt_node(uint64 row)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("row " UINT64_FORMAT " of the tree's nodes does not fit the tree", row)));
}

static int
name_index(const char *name, const char *(*name_of)(int), int n, uint64 row)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name, name_of(i)) == 0)
			return i;
	corrupt_node(row);
	return 0;
}

static const char *
kind_name(int i)
{
	return rstar_node_kind_name((rstar_node_kind) i);
}

static const char *
status_name(int i)
{
	return rstar_node_status_name((rstar_node_status) i);
}

/* Append the result's row; node numbers must be without gaps. */
static void
restore_row(uint64 row, rstar_tree *tree)
{
	int64 parent = rstar_pg_result_int(row, "parent_id", -1);
	rstar_tree_node node = {0};
	rstar_error err;
	bool is_null;
	uint32 id = 0;

	if (rstar_pg_result_int(row, "node_id", -1) != (int64) row || (row == 0) != (parent < 0) ||
		parent >= (int64) row)
		corrupt_node(row);
	node.kind =
		(rstar_node_kind) name_index(rstar_pg_result_text(row, "kind", CurrentMemoryContext),
									 kind_name, RSTAR_NODE_ANSWER + 1, row);
	node.status =
		(rstar_node_status) name_index(rstar_pg_result_text(row, "status", CurrentMemoryContext),
									   status_name, RSTAR_N_NODE_STATUSES, row);
	node.kept = node.status != RSTAR_NODE_OK && !rstar_pg_result_bool(row, "rejected", &is_null);
	node.text = result_string(row, "text");
	node.output = result_string(row, "output");
	node.answer = result_string(row, "answer");
	node.correct = rstar_pg_result_bool(row, "correct", &is_null);
	node.graded = !is_null;
	node.grade = rstar_pg_result_real(row, "grade", node.correct ? 1 : -1);
	node.ppm_score = rstar_pg_result_real(row, "ppm_score", NAN);
	node.scored = !isnan(node.ppm_score);
	node.logprob = rstar_pg_result_real(row, "logprob", NAN);
	node.unsure = isnan(node.logprob);
	if (node.unsure)
		node.logprob = 0;
	node.tokens = (uint32) rstar_pg_result_int(row, "tokens", 0);
	node.duplicates = (uint32) rstar_pg_result_int(row, "duplicates", 0);
	node.rollout = (uint32) rstar_pg_result_int(row, "rollout", 0);
	if ((row == 0) != (node.kind == RSTAR_NODE_ROOT))
		corrupt_node(row);
	if (row > 0)
		rstar_check(rstar_tree_add(tree, (uint32) parent, &node, &id, &err), &err);
	tree->nodes[id].visits = (uint32) rstar_pg_result_int(row, "visits", 0);
	tree->nodes[id].value_sum = rstar_pg_result_real(row, "value_sum", 0);
	tree->nodes[id].expanded = rstar_pg_result_bool(row, "expanded", &is_null);
}

/* The rows of the tree behind its root, which is there. */
static void
read_nodes(int64 tree_id, bool read_only, rstar_tree *tree)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, tree_id);
	rstar_pg_execute(
		"SELECT node_id, parent_id, rollout, kind, status, rejected, expanded, text, output,"
		" answer, correct, visits, value_sum, ppm_score, logprob, tokens, duplicates,"
		" grade"
		" FROM rstar.nodes WHERE tree_id OPERATOR(pg_catalog.=) $1 ORDER BY node_id",
		&a, read_only);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		CHECK_FOR_INTERRUPTS();
		restore_row(row, tree);
	}
}

static void
free_tree(void *tree)
{
	rstar_tree_free(tree);
}

rstar_tree *
rstar_pg_tree_load_nodes(int64 tree_id)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, free_tree);
	rstar_tree *tree = palloc0(sizeof *tree);
	rstar_tables_scope scope;
	rstar_error err;

	rstar_pg_tables_read(&scope);
	rstar_check(rstar_tree_init(tree, &rstar_allocator_malloc, &err), &err);
	rstar_pg_guard_hold(guard, tree);
	read_nodes(tree_id, true, tree);
	rstar_pg_tables_end(&scope);
	return tree;
}

rstar_mcts *
rstar_pg_tree_load(int64 tree_id, rstar_stored_tree *tree)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_guard *guard = rstar_pg_guard_create(context, (rstar_release) rstar_mcts_free);
	rstar_mcts *mcts = palloc0(sizeof *mcts);
	rstar_search_setup setup;
	rstar_tables_scope scope;
	rstar_error err;

	rstar_pg_tables_read(&scope);
	select_tree_row(tree_id); /* only what the caller can see is locked */
	lock_tree(tree_id);
	read_tree_row(tree_id, tree, context);
	rstar_pg_search_setup_from_jsonb(tree->settings, &setup);
	rstar_check(rstar_mcts_init(mcts, &setup.options.mcts, &rstar_allocator_malloc, &err), &err);
	rstar_pg_guard_hold(guard, mcts);
	read_nodes(tree_id, false, &mcts->tree);
	rstar_pg_tables_end(&scope);
	mcts->rollouts = (uint32) tree->rollouts;
	rstar_check(rstar_mcts_restore(mcts, &err), &err);
	return mcts;
}

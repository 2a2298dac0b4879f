/*
 * tree_store.c
 *	  Trees as rows: writing them. (tree_load.c reads them.)
 *
 * A tree is written with one statement for each table: the columns of its nodes
 * travel as arrays. (unnest of several arrays is syntax rather than a function,
 * so it stands without a schema; the search path holds pg_catalog alone.)
 * Statements are fixed and run as the tables' owner.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/search/tree_store.h"

/* --- columns as arrays --------------------------------------------------------------- */

typedef struct column
{
	Oid type;
	Datum *values;
	bool *nulls;
} column;

static column
new_column(Oid type, uint32 n)
{
	return (column){type, palloc(n * sizeof(Datum)), palloc0(n * sizeof(bool))};
}

static void
set(column *c, uint32 i, Datum value, bool is_null)
{
	c->values[i] = value;
	c->nulls[i] = is_null;
}

static void
set_string(column *c, uint32 i, rstar_string string, bool is_null)
{
	set(c, i,
		is_null ? (Datum) 0 : CStringGetTextDatum(rstar_clean_text(string.data, string.length)),
		is_null);
}

static void
add_column(rstar_arguments *a, const column *c, uint32 n)
{
	int dimensions[1] = {(int) n}, lower[1] = {1};
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(c->type, &length, &by_value, &align);
	rstar_add(a, get_array_type(c->type),
			  PointerGetDatum(construct_md_array(c->values, c->nulls, 1, dimensions, lower, c->type,
												 length, by_value, align)),
			  false);
}

/* --- problems ---------------------------------------------------------------------- */

static void
problem_from_result(rstar_problem_row *row, MemoryContext context)
{
	row->problem_id = rstar_result_bigint(0, "problem_id", 0);
	row->statement = rstar_result_text(0, "statement", context);
	row->answer = rstar_result_text(0, "answer", context);
}

void
rstar_problem_find(int64 problem_id, rstar_problem_row *row)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "problems");
	rstar_add_bigint(&a, problem_id);
	rstar_execute("SELECT problem_id, statement, answer FROM rstar.problems"
				  " WHERE problem_id OPERATOR(pg_catalog.=) $1",
				  &a, true);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("problem " INT64_FORMAT " does not exist", problem_id)));
	problem_from_result(row, context);
	rstar_tables_end(&scope);
}

void
rstar_problem_enter(const char *statement, const char *answer, rstar_problem_row *row)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "problems");
	rstar_add_text(&a, statement);
	rstar_add_text(&a, answer);
	rstar_execute("SELECT problem_id, statement, answer FROM rstar.problems"
				  " WHERE statement OPERATOR(pg_catalog.=) $1"
				  " AND ($2 IS NULL OR answer OPERATOR(pg_catalog.=) $2)"
				  " ORDER BY problem_id LIMIT 1",
				  &a, false);
	if (SPI_processed == 0)
		rstar_execute("INSERT INTO rstar.problems (statement, answer, source)"
					  " VALUES ($1, $2, 'rstar_search') RETURNING problem_id, statement, answer",
					  &a, false);
	problem_from_result(row, context);
	rstar_tables_end(&scope);
}

/* --- writing a tree ----------------------------------------------------------------- */

static void
insert_nodes(int64 tree_id, const rstar_tree *tree)
{
	uint32 n = tree->n_nodes;
	column c[18];
	static const Oid types[lengthof(c)] = {
		INT4OID, INT4OID, INT4OID, INT4OID, TEXTOID,   TEXTOID,   BOOLOID,   BOOLOID, TEXTOID,
		TEXTOID, TEXTOID, BOOLOID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT4OID, INT4OID};
	rstar_arguments a = {0};

	for (size_t k = 0; k < lengthof(c); k++)
		c[k] = new_column(types[k], n);
	for (uint32 i = 0; i < n; i++)
	{
		const rstar_tree_node *node = &tree->nodes[i];
		bool answer = node->kind == RSTAR_NODE_ANSWER;
		int k = 0;

		set(&c[k++], i, Int32GetDatum((int32) i), false);
		set(&c[k++], i, Int32GetDatum((int32) node->parent), i == 0);
		set(&c[k++], i, Int32GetDatum((int32) node->depth), false);
		set(&c[k++], i, Int32GetDatum((int32) node->rollout), false);
		set(&c[k++], i, CStringGetTextDatum(rstar_node_kind_name(node->kind)), false);
		set(&c[k++], i, CStringGetTextDatum(rstar_node_status_name(node->status)), false);
		set(&c[k++], i, BoolGetDatum(rstar_node_rejected(node)), false);
		set(&c[k++], i, BoolGetDatum(node->expanded), false);
		set_string(&c[k++], i, node->text, false);
		set_string(&c[k++], i, node->output, node->output.length == 0);
		set_string(&c[k++], i, node->answer, !answer);
		set(&c[k++], i, BoolGetDatum(node->correct), !node->graded);
		set(&c[k++], i, Int32GetDatum((int32) node->visits), false);
		set(&c[k++], i, Float8GetDatum(node->value_sum), false);
		set(&c[k++], i, Float8GetDatum(node->ppm_score), !node->scored);
		set(&c[k++], i, Float8GetDatum(node->logprob), false);
		set(&c[k++], i, Int32GetDatum((int32) node->tokens), false);
		set(&c[k++], i, Int32GetDatum((int32) node->duplicates), false);
		Assert(k == lengthof(c));
	}
	rstar_add_bigint(&a, tree_id);
	for (size_t k = 0; k < lengthof(c); k++)
		add_column(&a, &c[k], n);
	rstar_execute(
		"INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status,"
		" rejected, expanded, text, output, answer, correct, visits, value_sum, ppm_score,"
		" logprob, tokens, duplicates)"
		" SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
		" $13, $14, $15, $16, $17, $18, $19)",
		&a, false);
}

static void
insert_trajectories(int64 tree_id, const rstar_mcts *mcts)
{
	const rstar_tree *tree = &mcts->tree;
	column c[9];
	static const Oid types[lengthof(c)] = {INT4OID,   INT4OID,   INT4OID,   TEXTOID, BOOLOID,
										   FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID};
	rstar_arguments a = {0};
	uint32 n = 0;

	for (size_t k = 0; k < lengthof(c); k++)
		c[k] = new_column(types[k], mcts->answers);
	for (uint32 id = 0; id < tree->n_nodes && n < mcts->answers; id++)
	{
		const rstar_tree_node *node = &tree->nodes[id];
		rstar_path_summary path;
		rstar_buffer solution;
		int k = 0;

		if (node->kind != RSTAR_NODE_ANSWER || rstar_node_rejected(node))
			continue;
		rstar_tree_path(tree, id, &path);
		rstar_buffer_init(&solution, &rstar_allocator_malloc);
		if (!rstar_tree_solution(tree, id, &solution))
		{
			rstar_buffer_free(&solution);
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
		}
		set(&c[k++], n, Int32GetDatum((int32) id), false);
		set(&c[k++], n, Int32GetDatum((int32) path.steps), false);
		set(&c[k++], n, Int32GetDatum((int32) path.failed), false);
		set_string(&c[k++], n, node->answer, false);
		set(&c[k++], n, BoolGetDatum(node->correct), !node->graded);
		set(&c[k++], n, Float8GetDatum(path.mean_q), false);
		set(&c[k++], n, Float8GetDatum(path.min_q), false);
		set(&c[k++], n, Float8GetDatum(rstar_mcts_score(mcts, id)), false);
		set_string(&c[k++], n, (rstar_string){solution.data, solution.length}, false);
		rstar_buffer_free(&solution);
		n++;
	}
	if (n == 0)
		return;
	rstar_add_bigint(&a, tree_id);
	for (size_t k = 0; k < lengthof(c); k++)
		add_column(&a, &c[k], n);
	rstar_execute(
		"INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, failed_steps, answer, correct,"
		" mean_q, min_q, score, solution)"
		" SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)",
		&a, false);
}

/* Columns that insert and replace have in common, from rollouts to correct. */
static void
add_outcome(rstar_arguments *a, const rstar_search_setup *setup, const rstar_search_outcome *tree)
{
	const rstar_mcts *mcts = tree->mcts;
	const rstar_search_cost *cost = tree->cost;
	bool solved = mcts && tree->answer != RSTAR_NO_NODE;
	const rstar_tree_node *answer = solved ? &mcts->tree.nodes[tree->answer] : NULL;
	bool first = mcts && mcts->first_correct_rollout != RSTAR_NO_NODE;

	rstar_add_bool(a, cost->reproducible, false);
	rstar_add_int(a, mcts ? rstar_search_setup_rollouts(setup, mcts) : 0, false);
	rstar_add_int(a, mcts ? (int32) mcts->tree.n_nodes : 0, false);
	rstar_add_bigint(a, (int64) cost->generated_tokens);
	rstar_add_bigint(a, (int64) (cost->computed_tokens + 0.5));
	rstar_add_bigint(a, (int64) cost->python_steps);
	rstar_add_real(a, cost->policy_ms);
	rstar_add_real(a, cost->ppm_ms);
	rstar_add_real(a, cost->sandbox_ms);
	rstar_add_int(a, first ? (int32) mcts->first_correct_rollout : 0, !first);
	rstar_add_text(a, solved ? rstar_search_answer_text(mcts, tree->answer) : NULL);
	rstar_add_int(a, (int32) tree->answer, !solved);
	rstar_add_bool(a, solved && answer->correct, !solved || !answer->graded);
}

static void
insert_rows(int64 tree_id, const rstar_mcts *mcts)
{
	insert_nodes(tree_id, &mcts->tree);
	if (mcts->answers > 0)
		insert_trajectories(tree_id, mcts);
}

static char *
failure_text(const rstar_search_outcome *tree)
{
	if (tree->status == RSTAR_OK)
		return NULL;
	return tree->error->detail[0] ? psprintf("%s: %s", tree->error->message, tree->error->detail)
								  : pstrdup(tree->error->message);
}

int64
rstar_tree_store(int64 problem_id, uint64 seed, const rstar_search_setup *setup,
				 const rstar_search_outcome *tree)
{
	Jsonb *settings = rstar_search_setup_to_jsonb(setup);
	TimestampTz finished = GetCurrentTimestamp();
	TimestampTz started = finished - (TimestampTz) (tree->cost->elapsed_ms * 1000);
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 tree_id;

	rstar_tables_begin(&scope, "trees");
	rstar_add_bigint(&a, problem_id);
	rstar_add(&a, INT8OID, Int64GetDatum(setup->policy ? setup->policy->model_id : 0),
			  !setup->policy);
	rstar_add(&a, INT8OID, Int64GetDatum(setup->ppm ? setup->ppm->model_id : 0), !setup->ppm);
	rstar_add_text(&a, rstar_search_method_name(setup->method));
	rstar_add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	rstar_add_bigint(&a, (int64) seed);
	rstar_add_text(&a, tree->mcts ? "done" : "failed");
	rstar_add_text(&a, failure_text(tree));
	rstar_add(&a, TIMESTAMPTZOID, TimestampTzGetDatum(started), false);
	rstar_add(&a, TIMESTAMPTZOID, TimestampTzGetDatum(finished), false);
	add_outcome(&a, setup, tree);
	rstar_execute(
		"INSERT INTO rstar.trees (problem_id, policy_id, ppm_id, method, settings, seed, status,"
		" error, started_at, finished_at, reproducible, rollouts, nodes, generated_tokens,"
		" computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, first_correct_rollout,"
		" answer, answer_id, correct)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
		" $19, $20, $21, $22, $23) RETURNING tree_id",
		&a, false);
	tree_id = rstar_result_bigint(0, "tree_id", 0);
	if (tree->mcts)
		insert_rows(tree_id, tree->mcts);
	rstar_tables_end(&scope);
	return tree_id;
}

void
rstar_tree_replace(const rstar_stored_tree *stored, const rstar_search_setup *setup,
				   const rstar_search_outcome *tree)
{
	Jsonb *settings = rstar_search_setup_to_jsonb(setup);
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	rstar_arguments id = {0};

	rstar_tables_begin(&scope, "trees");
	rstar_add_bigint(&id, stored->tree_id);
	rstar_execute("DELETE FROM rstar.nodes WHERE tree_id OPERATOR(pg_catalog.=) $1", &id, false);
	rstar_add_bigint(&a, stored->tree_id);
	rstar_add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	add_outcome(&a, setup, tree);
	rstar_execute("UPDATE rstar.trees SET settings = $2,"
				  " finished_at = pg_catalog.clock_timestamp(),"
				  " reproducible = reproducible AND $3, rollouts = $4, nodes = $5,"
				  " generated_tokens = generated_tokens OPERATOR(pg_catalog.+) $6,"
				  " computed_tokens = computed_tokens OPERATOR(pg_catalog.+) $7,"
				  " python_steps = python_steps OPERATOR(pg_catalog.+) $8,"
				  " policy_ms = policy_ms OPERATOR(pg_catalog.+) $9,"
				  " ppm_ms = ppm_ms OPERATOR(pg_catalog.+) $10,"
				  " sandbox_ms = sandbox_ms OPERATOR(pg_catalog.+) $11,"
				  " first_correct_rollout = $12, answer = $13, answer_id = $14, correct = $15"
				  " WHERE tree_id OPERATOR(pg_catalog.=) $1",
				  &a, false);
	insert_rows(stored->tree_id, tree->mcts);
	rstar_tables_end(&scope);
}

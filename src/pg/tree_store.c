/*
 * tree_store.c
 *	  Trees as rows, and rows as trees.
 *
 * A tree is written with one statement for each table: the columns of its nodes
 * travel as arrays. (unnest of several arrays is syntax rather than a function,
 * so it stands without a schema; the search path holds pg_catalog alone.)
 * Statements are fixed and run as the tables' owner.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/boundary.h"
#include "pg/tables.h"
#include "pg/tree_store.h"

/* --- statements ------------------------------------------------------------------- */

/* Arguments of a statement, filled in order. */
#define MAX_ARGUMENTS 32

typedef struct arguments
{
	int n;
	Oid types[MAX_ARGUMENTS];
	Datum values[MAX_ARGUMENTS];
	char nulls[MAX_ARGUMENTS];
} arguments;

static void
add(arguments *a, Oid type, Datum value, bool is_null)
{
	Assert(a->n < MAX_ARGUMENTS);
	a->types[a->n] = type;
	a->values[a->n] = value;
	a->nulls[a->n] = is_null ? 'n' : ' ';
	a->n++;
}

static void
add_bigint(arguments *a, int64 value)
{
	add(a, INT8OID, Int64GetDatum(value), false);
}

static void
add_int(arguments *a, int32 value, bool is_null)
{
	add(a, INT4OID, Int32GetDatum(value), is_null);
}

static void
add_real(arguments *a, double value)
{
	add(a, FLOAT8OID, Float8GetDatum(value), false);
}

static void
add_bool(arguments *a, bool value, bool is_null)
{
	add(a, BOOLOID, BoolGetDatum(value), is_null);
}

static void
add_text(arguments *a, const char *value)
{
	add(a, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

/* SPI's result codes are errors below 0. */
static void
execute(const char *statement, arguments *a, bool read_only)
{
	int code = SPI_execute_with_args(statement, a->n, a->types, a->values, a->nulls, read_only, 0);

	if (code < 0)
		elog(ERROR, "SPI: %s in \"%s\"", SPI_result_code_string(code), statement);
}

static Datum
result_of(uint64 row, const char *column, bool *is_null)
{
	int number = SPI_fnumber(SPI_tuptable->tupdesc, column);

	if (number <= 0)
		elog(ERROR, "no column \"%s\" in the result", column);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, is_null);
}

/* A text of the result in `context`, or NULL. */
static char *
result_text(uint64 row, const char *column, MemoryContext context)
{
	bool is_null;
	Datum value = result_of(row, column, &is_null);
	MemoryContext caller = MemoryContextSwitchTo(context);
	char *string = is_null ? NULL : TextDatumGetCString(value);

	MemoryContextSwitchTo(caller);
	return string;
}

static int64
result_bigint(uint64 row, const char *column, int64 otherwise)
{
	bool is_null;
	Datum value = result_of(row, column, &is_null);

	return is_null ? otherwise : DatumGetInt64(value);
}

static int32
result_int(uint64 row, const char *column, int32 otherwise)
{
	bool is_null;
	Datum value = result_of(row, column, &is_null);

	return is_null ? otherwise : DatumGetInt32(value);
}

static double
result_real(uint64 row, const char *column, double otherwise)
{
	bool is_null;
	Datum value = result_of(row, column, &is_null);

	return is_null ? otherwise : DatumGetFloat8(value);
}

static bool
result_bool(uint64 row, const char *column, bool *is_null)
{
	Datum value = result_of(row, column, is_null);

	return !*is_null && DatumGetBool(value);
}

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
add_column(arguments *a, const column *c, uint32 n)
{
	int dimensions[1] = {(int) n}, lower[1] = {1};
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(c->type, &length, &by_value, &align);
	add(a, get_array_type(c->type),
		PointerGetDatum(construct_md_array(c->values, c->nulls, 1, dimensions, lower, c->type,
										   length, by_value, align)),
		false);
}

/* --- problems ---------------------------------------------------------------------- */

static void
problem_from_result(rstar_problem_row *row, MemoryContext context)
{
	row->problem_id = result_bigint(0, "problem_id", 0);
	row->statement = result_text(0, "statement", context);
	row->answer = result_text(0, "answer", context);
}

void
rstar_problem_find(int64 problem_id, rstar_problem_row *row)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	arguments a = {0};

	rstar_tables_begin(&scope, "problems");
	add_bigint(&a, problem_id);
	execute("SELECT problem_id, statement, answer FROM rstar.problems"
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
	arguments a = {0};

	rstar_tables_begin(&scope, "problems");
	add_text(&a, statement);
	add_text(&a, answer);
	execute("SELECT problem_id, statement, answer FROM rstar.problems"
			" WHERE statement OPERATOR(pg_catalog.=) $1"
			" AND ($2 IS NULL OR answer OPERATOR(pg_catalog.=) $2)"
			" ORDER BY problem_id LIMIT 1",
			&a, false);
	if (SPI_processed == 0)
		execute("INSERT INTO rstar.problems (statement, answer, source)"
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
	arguments a = {0};

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
	add_bigint(&a, tree_id);
	for (size_t k = 0; k < lengthof(c); k++)
		add_column(&a, &c[k], n);
	execute("INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status,"
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
	column c[8];
	static const Oid types[lengthof(c)] = {INT4OID,   INT4OID,   TEXTOID,   BOOLOID,
										   FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID};
	arguments a = {0};
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
	add_bigint(&a, tree_id);
	for (size_t k = 0; k < lengthof(c); k++)
		add_column(&a, &c[k], n);
	execute(
		"INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, answer, correct, mean_q, min_q,"
		" score, solution)"
		" SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)",
		&a, false);
}

/* Columns that insert and replace have in common, from rollouts to correct. */
static void
add_outcome(arguments *a, const rstar_search_setup *setup, const rstar_search_outcome *tree)
{
	const rstar_mcts *mcts = tree->mcts;
	const rstar_search_cost *cost = tree->cost;
	bool solved = mcts && tree->answer != RSTAR_NO_NODE;
	const rstar_tree_node *answer = solved ? &mcts->tree.nodes[tree->answer] : NULL;
	bool first = mcts && mcts->first_correct_rollout != RSTAR_NO_NODE;

	add_bool(a, cost->reproducible, false);
	add_int(a, mcts ? rstar_search_setup_rollouts(setup, mcts) : 0, false);
	add_int(a, mcts ? (int32) mcts->tree.n_nodes : 0, false);
	add_bigint(a, (int64) cost->generated_tokens);
	add_bigint(a, (int64) (cost->computed_tokens + 0.5));
	add_bigint(a, (int64) cost->python_steps);
	add_real(a, cost->policy_ms);
	add_real(a, cost->ppm_ms);
	add_real(a, cost->sandbox_ms);
	add_int(a, first ? (int32) mcts->first_correct_rollout : 0, !first);
	add_text(a, solved ? rstar_search_answer_text(mcts, tree->answer) : NULL);
	add_int(a, (int32) tree->answer, !solved);
	add_bool(a, solved && answer->correct, !solved || !answer->graded);
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
				 const rstar_search_outcome *tree, TimestampTz started)
{
	Jsonb *settings = rstar_search_setup_to_jsonb(setup);
	rstar_tables_scope scope;
	arguments a = {0};
	int64 tree_id;

	rstar_tables_begin(&scope, "trees");
	add_bigint(&a, problem_id);
	add(&a, INT8OID, Int64GetDatum(setup->policy ? setup->policy->model_id : 0), !setup->policy);
	add(&a, INT8OID, Int64GetDatum(setup->ppm ? setup->ppm->model_id : 0), !setup->ppm);
	add_text(&a, rstar_search_method_name(setup->method));
	add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	add_bigint(&a, (int64) seed);
	add_text(&a, tree->mcts ? "done" : "failed");
	add_text(&a, failure_text(tree));
	add(&a, TIMESTAMPTZOID, TimestampTzGetDatum(started), false);
	add_outcome(&a, setup, tree);
	execute(
		"INSERT INTO rstar.trees (problem_id, policy_id, ppm_id, method, settings, seed, status,"
		" error, started_at, finished_at, reproducible, rollouts, nodes, generated_tokens,"
		" computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, first_correct_rollout,"
		" answer, answer_id, correct)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, pg_catalog.clock_timestamp(), $10, $11,"
		" $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) RETURNING tree_id",
		&a, false);
	tree_id = result_bigint(0, "tree_id", 0);
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
	arguments a = {0};
	arguments id = {0};

	rstar_tables_begin(&scope, "trees");
	add_bigint(&id, stored->tree_id);
	execute("DELETE FROM rstar.nodes WHERE tree_id OPERATOR(pg_catalog.=) $1", &id, false);
	add_bigint(&a, stored->tree_id);
	add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	add_outcome(&a, setup, tree);
	execute("UPDATE rstar.trees SET settings = $2,"
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

/* --- reading a tree ------------------------------------------------------------------ */

static void
read_tree_row(int64 tree_id, bool lock, rstar_stored_tree *tree, MemoryContext context)
{
	static const char select[] =
		"SELECT t.tree_id, t.problem_id, p.statement, p.answer AS gold, m.name AS policy,"
		" v.name AS ppm, t.method, t.status, t.settings, t.seed, t.rollouts, t.reproducible, "
		"t.answer,"
		" t.answer_id, t.generated_tokens, t.python_steps, t.policy_ms, t.ppm_ms, t.sandbox_ms"
		" FROM rstar.trees t"
		" JOIN rstar.problems p ON p.problem_id OPERATOR(pg_catalog.=) t.problem_id"
		" LEFT JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) t.policy_id"
		" LEFT JOIN rstar.models v ON v.model_id OPERATOR(pg_catalog.=) t.ppm_id"
		" WHERE t.tree_id OPERATOR(pg_catalog.=) $1";
	MemoryContext caller;
	arguments a = {0};
	bool is_null;
	Datum value;

	add_bigint(&a, tree_id);
	execute(lock ? psprintf("%s FOR UPDATE OF t", select) : select, &a, !lock);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("tree " INT64_FORMAT " does not exist", tree_id)));
	*tree = (rstar_stored_tree){.tree_id = tree_id};
	tree->problem.problem_id = result_bigint(0, "problem_id", 0);
	tree->problem.statement = result_text(0, "statement", context);
	tree->problem.answer = result_text(0, "gold", context);
	tree->policy = result_text(0, "policy", context);
	tree->ppm = result_text(0, "ppm", context);
	tree->method = result_text(0, "method", context);
	tree->status = result_text(0, "status", context);
	tree->seed = (uint64) result_bigint(0, "seed", 0);
	tree->rollouts = result_int(0, "rollouts", 0);
	tree->reproducible = result_bool(0, "reproducible", &is_null);
	tree->answer = result_text(0, "answer", context);
	tree->answer_id = result_int(0, "answer_id", -1);
	tree->generated_tokens = result_bigint(0, "generated_tokens", 0);
	tree->python_steps = result_bigint(0, "python_steps", 0);
	tree->policy_ms = result_real(0, "policy_ms", 0);
	tree->ppm_ms = result_real(0, "ppm_ms", 0);
	tree->sandbox_ms = result_real(0, "sandbox_ms", 0);
	value = result_of(0, "settings", &is_null);
	caller = MemoryContextSwitchTo(context);
	tree->settings = DatumGetJsonbPCopy(value);
	MemoryContextSwitchTo(caller);
}

static rstar_string
result_string(uint64 row, const char *column)
{
	char *text = result_text(row, column, CurrentMemoryContext);

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
	int64 parent = result_int(row, "parent_id", -1);
	rstar_tree_node node = {0};
	rstar_error err;
	bool is_null;
	uint32 id = 0;

	if (result_int(row, "node_id", -1) != (int64) row || (row == 0) != (parent < 0) ||
		parent >= (int64) row)
		corrupt_node(row);
	node.kind = (rstar_node_kind) name_index(result_text(row, "kind", CurrentMemoryContext),
											 kind_name, RSTAR_NODE_ANSWER + 1, row);
	node.status = (rstar_node_status) name_index(result_text(row, "status", CurrentMemoryContext),
												 status_name, RSTAR_NODE_UNPARSABLE + 1, row);
	node.kept = node.status != RSTAR_NODE_OK && !result_bool(row, "rejected", &is_null);
	node.text = result_string(row, "text");
	node.output = result_string(row, "output");
	node.answer = result_string(row, "answer");
	node.correct = result_bool(row, "correct", &is_null);
	node.graded = !is_null;
	node.ppm_score = result_real(row, "ppm_score", NAN);
	node.scored = !isnan(node.ppm_score);
	node.logprob = result_real(row, "logprob", 0);
	node.tokens = (uint32) result_int(row, "tokens", 0);
	node.duplicates = (uint32) result_int(row, "duplicates", 0);
	node.rollout = (uint32) result_int(row, "rollout", 0);
	if ((row == 0) != (node.kind == RSTAR_NODE_ROOT))
		corrupt_node(row);
	if (row > 0)
		rstar_check(rstar_tree_add(tree, (uint32) parent, &node, &id, &err), &err);
	tree->nodes[id].visits = (uint32) result_int(row, "visits", 0);
	tree->nodes[id].value_sum = result_real(row, "value_sum", 0);
	tree->nodes[id].expanded = result_bool(row, "expanded", &is_null);
}

/* The rows of the tree behind its root, which is there. */
static void
read_nodes(int64 tree_id, bool read_only, rstar_tree *tree)
{
	arguments a = {0};

	add_bigint(&a, tree_id);
	execute("SELECT node_id, parent_id, rollout, kind, status, rejected, expanded, text, output,"
			" answer, correct, visits, value_sum, ppm_score, logprob, tokens, duplicates"
			" FROM rstar.nodes WHERE tree_id OPERATOR(pg_catalog.=) $1 ORDER BY node_id",
			&a, read_only);
	for (uint64 row = 0; row < SPI_processed; row++)
		restore_row(row, tree);
}

static void
free_tree(void *tree)
{
	rstar_tree_free(tree);
}

rstar_tree *
rstar_tree_load_nodes(int64 tree_id)
{
	rstar_guard *guard = rstar_guard_create(CurrentMemoryContext, free_tree);
	rstar_tree *tree = palloc0(sizeof *tree);
	rstar_tables_scope scope;
	rstar_error err;

	rstar_tables_begin(&scope, "nodes");
	rstar_check(rstar_tree_init(tree, &rstar_allocator_malloc, &err), &err);
	rstar_guard_hold(guard, tree);
	read_nodes(tree_id, true, tree);
	rstar_tables_end(&scope);
	return tree;
}

rstar_mcts *
rstar_tree_load(int64 tree_id, bool lock, rstar_stored_tree *tree)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_guard *guard = rstar_guard_create(context, (rstar_release) rstar_mcts_free);
	rstar_mcts *mcts = palloc0(sizeof *mcts);
	rstar_search_setup setup;
	rstar_tables_scope scope;
	rstar_error err;

	rstar_tables_begin(&scope, "trees");
	read_tree_row(tree_id, lock, tree, context);
	rstar_search_setup_from_jsonb(tree->settings, &setup);
	rstar_check(rstar_mcts_init(mcts, &setup.options.mcts, &rstar_allocator_malloc, &err), &err);
	rstar_guard_hold(guard, mcts);
	read_nodes(tree_id, !lock, &mcts->tree);
	rstar_tables_end(&scope);
	mcts->rollouts = (uint32) tree->rollouts;
	rstar_check(rstar_mcts_restore(mcts, &err), &err);
	return mcts;
}

/*
 * tree_store.c
 *	  Trees as rows: writing them. (tree_load.c reads them.)
 *
 * A tree is written with one statement for each table (rows.h). Statements are
 * fixed and run as the tables' owner, but for problems, which the caller reads
 * and enters with no more rights than COPY gives.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/base/boundary.h"
#include "pg/base/cluster.h"
#include "pg/base/rows.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/base/trust.h"
#include "pg/search/tree_store.h"

/* --- problems ---------------------------------------------------------------------- */

static void
problem_from_result(rstar_problem_row *row, MemoryContext context)
{
	row->problem_id = rstar_pg_result_bigint(0, "problem_id", 0);
	row->statement = rstar_pg_result_text(0, "statement", context);
	row->answer = rstar_pg_result_text(0, "answer", context);
	row->verifier = rstar_pg_result_text(0, "verifier", context);
}

void
rstar_pg_problem_find(int64 problem_id, rstar_problem_row *row)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_pg_tables_read(&scope);
	rstar_pg_add_bigint(&a, problem_id);
	rstar_pg_execute("SELECT problem_id, statement, answer, verifier FROM rstar.problems"
					 " WHERE problem_id OPERATOR(pg_catalog.=) $1",
					 &a, true);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("problem " INT64_FORMAT " does not exist", problem_id)));
	problem_from_result(row, context);
	rstar_pg_tables_end(&scope);
}

rstar_problem_row *
rstar_pg_problems_of_array(ArrayType *numbers, uint32 *n)
{
	rstar_problem_row *rows;
	Datum *ids;
	bool *nulls;
	int count;

	deconstruct_array(numbers, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids,
					  &nulls, &count);
	rows = palloc(Max(count, 1) * sizeof *rows);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("a problem's number must not be NULL")));
		CHECK_FOR_INTERRUPTS();
		rstar_pg_problem_find(DatumGetInt64(ids[i]), &rows[i]);
	}
	*n = (uint32) count;
	return rows;
}

/*
 * The last field of the lock's tag; users' advisory locks have 1 or 2 there, workers'
 * 0x5253 (queue.c).
 */
#define LOCK_CLASS 0x5250

/* Until the transaction ends nobody else enters a problem of this statement. */
static void
lock_statement(const char *statement)
{
	uint64 hash = DatumGetUInt64(
		hash_any_extended((const unsigned char *) statement, (int) strlen(statement), 0));
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

static void
look_for_problem(rstar_arguments *statement_and_answer)
{
	rstar_pg_execute("SELECT problem_id, statement, answer, verifier FROM rstar.problems"
					 " WHERE statement OPERATOR(pg_catalog.=) $1"
					 " AND ($2 IS NULL OR answer OPERATOR(pg_catalog.=) $2)"
					 " ORDER BY problem_id LIMIT 1",
					 statement_and_answer, false);
}

/* What fits no context is not stored: compressing megabytes for a row cannot be cancelled. */
#define LONGEST_PROBLEM ((size_t) 1 << 20)

static void
check_length(const char *what, const char *value)
{
	size_t length = value ? strlen(value) : 0;

	if (length > LONGEST_PROBLEM)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s of %zu bytes is too long", what, length),
						errdetail("The limit is %zu.", LONGEST_PROBLEM)));
}

void
rstar_pg_problem_enter(const char *statement, const char *answer, rstar_problem_row *row)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	check_length("a problem", statement);
	check_length("an answer", answer);
	rstar_pg_tables_read(&scope);
	rstar_pg_add_text(&a, statement);
	rstar_pg_add_text(&a, answer);
	look_for_problem(&a);
	if (SPI_processed == 0)
	{
		/* Another transaction may be entering it right now: wait for that, and look again. */
		lock_statement(statement);
		look_for_problem(&a);
	}
	if (SPI_processed == 0)
	{
		rstar_pg_check_trusted(rstar_pg_table_oid("problems"), GetUserId());
		rstar_pg_execute(
			"INSERT INTO rstar.problems (statement, answer, source)"
			" VALUES ($1, $2, 'rstar_search') RETURNING problem_id, statement, answer, verifier",
			&a, false);
	}
	problem_from_result(row, context);
	rstar_pg_tables_end(&scope);
}

/* --- writing a tree ----------------------------------------------------------------- */

static const rstar_column node_columns[] = {
	{"tree_id", INT8OID},     {"node_id", INT4OID},   {"parent_id", INT4OID},
	{"depth", INT4OID},       {"rollout", INT4OID},   {"kind", TEXTOID},
	{"status", TEXTOID},      {"rejected", BOOLOID},  {"expanded", BOOLOID},
	{"text", TEXTOID},        {"output", TEXTOID},    {"answer", TEXTOID},
	{"correct", BOOLOID},     {"visits", INT4OID},    {"value_sum", FLOAT8OID},
	{"ppm_score", FLOAT8OID}, {"logprob", FLOAT8OID}, {"tokens", INT4OID},
	{"duplicates", INT4OID},  {"grade", FLOAT8OID},
};

static void
put_grade(rstar_rows *rows, const rstar_tree_node *node)
{
	if (node->graded)
		rstar_pg_put_bool(rows, node->correct);
	else
		rstar_pg_put_null(rows);
}

/*
 * In the order of the table's columns, as declared with the rows. NULL where a value would say
 * more than is known: no parent of the root, no output of a step that printed nothing, no
 * score where no PPM was asked.
 */
static void
put_node(rstar_rows *rows, int64 tree_id, uint32 id, const rstar_tree_node *node)
{
	rstar_pg_put_bigint(rows, tree_id);
	rstar_pg_put_int(rows, id);
	if (id > 0)
		rstar_pg_put_int(rows, node->parent);
	else
		rstar_pg_put_null(rows);
	rstar_pg_put_int(rows, node->depth);
	rstar_pg_put_int(rows, node->rollout);
	rstar_pg_put_text(rows, rstar_node_kind_name(node->kind));
	rstar_pg_put_text(rows, rstar_node_status_name(node->status));
	rstar_pg_put_bool(rows, rstar_node_rejected(node));
	rstar_pg_put_bool(rows, node->expanded);
	rstar_pg_put_string(rows, node->text);
	if (node->output.length > 0)
		rstar_pg_put_string(rows, node->output);
	else
		rstar_pg_put_null(rows);
	if (node->kind == RSTAR_NODE_ANSWER)
		rstar_pg_put_string(rows, node->answer);
	else
		rstar_pg_put_null(rows);
	put_grade(rows, node);
	rstar_pg_put_int(rows, node->visits);
	rstar_pg_put_real(rows, node->value_sum);
	if (node->scored)
		rstar_pg_put_real(rows, node->ppm_score);
	else
		rstar_pg_put_null(rows);
	if (node->unsure)
		rstar_pg_put_null(rows);
	else
		rstar_pg_put_real(rows, node->logprob);
	rstar_pg_put_int(rows, node->tokens);
	rstar_pg_put_int(rows, node->duplicates);
	if (node->graded)
		rstar_pg_put_real(rows, node->grade);
	else
		rstar_pg_put_null(rows);
}

static void
insert_nodes(int64 tree_id, const rstar_tree *tree)
{
	rstar_rows rows;

	rstar_pg_rows_init(&rows, "nodes", node_columns, lengthof(node_columns), tree->n_nodes);
	for (uint32 i = 0; i < tree->n_nodes; i++)
		put_node(&rows, tree_id, i, &tree->nodes[i]);
	rstar_pg_rows_insert(&rows, NULL);
}

static const rstar_column trajectory_columns[] = {
	{"tree_id", INT8OID}, {"leaf_id", INT4OID},  {"steps", INT4OID},    {"failed_steps", INT4OID},
	{"answer", TEXTOID},  {"correct", BOOLOID},  {"mean_q", FLOAT8OID}, {"min_q", FLOAT8OID},
	{"score", FLOAT8OID}, {"solution", TEXTOID},
};

/* The texts on the path to node `leaf`, as the database accepts them; palloc'd. */
static char *
solution_text(const rstar_tree *tree, uint32 leaf)
{
	rstar_buffer solution;
	char *text;

	rstar_buffer_init(&solution, &rstar_allocator_malloc);
	if (!rstar_tree_solution(tree, leaf, &solution))
	{
		rstar_buffer_free(&solution);
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	text = rstar_pg_clean_text(solution.data, solution.length);
	rstar_buffer_free(&solution);
	return text;
}

static void
put_trajectory(rstar_rows *rows, int64 tree_id, const rstar_mcts *mcts, uint32 leaf)
{
	const rstar_tree_node *node = &mcts->tree.nodes[leaf];
	rstar_path_summary path;

	rstar_tree_path(&mcts->tree, leaf, &path);
	rstar_pg_put_bigint(rows, tree_id);
	rstar_pg_put_int(rows, leaf);
	rstar_pg_put_int(rows, path.steps);
	rstar_pg_put_int(rows, path.failed);
	rstar_pg_put_string(rows, node->answer);
	put_grade(rows, node);
	rstar_pg_put_real(rows, path.mean_q);
	rstar_pg_put_real(rows, path.min_q);
	rstar_pg_put_real(rows, rstar_mcts_score(mcts, leaf));
	rstar_pg_put_text(rows, solution_text(&mcts->tree, leaf));
}

static void
insert_trajectories(int64 tree_id, const rstar_mcts *mcts)
{
	rstar_rows rows;

	rstar_pg_rows_init(&rows, "trajectories", trajectory_columns, lengthof(trajectory_columns),
					   mcts->answers);
	for (uint32 id = 0; id < mcts->tree.n_nodes && rows.n < mcts->answers; id++)
	{
		const rstar_tree_node *node = &mcts->tree.nodes[id];

		if (node->kind == RSTAR_NODE_ANSWER && !rstar_node_rejected(node))
			put_trajectory(&rows, tree_id, mcts, id);
	}
	rstar_pg_rows_insert(&rows, NULL);
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

	rstar_pg_add_bool(a, cost->reproducible, false);
	rstar_pg_add_int(a, mcts ? rstar_pg_search_setup_rollouts(setup, mcts) : 0, false);
	rstar_pg_add_int(a, mcts ? (int32) mcts->tree.n_nodes : 0, false);
	rstar_pg_add_bigint(a, (int64) cost->generated_tokens);
	rstar_pg_add_bigint(a, (int64) (cost->computed_tokens + 0.5));
	rstar_pg_add_bigint(a, (int64) cost->python_steps);
	rstar_pg_add_real(a, cost->policy_ms);
	rstar_pg_add_real(a, cost->ppm_ms);
	rstar_pg_add_real(a, cost->sandbox_ms);
	rstar_pg_add_real(a, cost->search_ms);
	rstar_pg_add_int(a, first ? (int32) mcts->first_correct_rollout : 0, !first);
	rstar_pg_add_text(a, solved ? rstar_pg_search_answer_text(mcts, tree->answer) : NULL);
	rstar_pg_add_int(a, (int32) tree->answer, !solved);
	rstar_pg_add_bool(a, solved && answer->correct, !solved || !answer->graded);
	rstar_pg_add_text(a, mcts ? rstar_ending_name(tree->ending) : NULL);
}

/* A text of the problem as it was asked; NULL: none. */
static void
add_asked(rstar_arguments *a, rstar_string text)
{
	rstar_pg_add_text(a, text.length > 0 ? pnstrdup(text.data, text.length) : NULL);
}

static void
insert_rows(int64 tree_id, const rstar_mcts *mcts)
{
	insert_nodes(tree_id, &mcts->tree);
	insert_trajectories(tree_id, mcts);
}

/* Nodes, trajectories and pairs of the tree, also pairs with other trees. */
static void
delete_rows(int64 tree_id)
{
	static const char *const statements[] = {
		"DELETE FROM rstar.preference_pairs WHERE chosen_tree_id OPERATOR(pg_catalog.=) $1",
		"DELETE FROM rstar.preference_pairs WHERE rejected_tree_id OPERATOR(pg_catalog.=) $1",
		"DELETE FROM rstar.trajectories WHERE tree_id OPERATOR(pg_catalog.=) $1",
		"DELETE FROM rstar.nodes WHERE tree_id OPERATOR(pg_catalog.=) $1",
	};
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, tree_id);
	for (size_t i = 0; i < lengthof(statements); i++)
		rstar_pg_execute(statements[i], &a, false);
}

static char *
failure_text(const rstar_search_outcome *tree)
{
	if (tree->status == RSTAR_OK)
		return NULL;
	return tree->error->detail[0] ? psprintf("%s: %s", tree->error->message, tree->error->detail)
								  : pstrdup(tree->error->message);
}

/*
 * The tree's row first, as nodes and trajectories refer to it, and all in the caller's
 * transaction: a tree is there whole or not at all. A search that failed is stored too, with
 * its error and no nodes. The start is computed back from the time that the search took.
 */
int64
rstar_pg_tree_store(int64 problem_id, uint64 seed, const rstar_search_setup *setup,
					const rstar_search_outcome *tree)
{
	Jsonb *settings = rstar_pg_search_setup_to_jsonb(setup);
	TimestampTz finished = GetCurrentTimestamp();
	TimestampTz started = finished - (TimestampTz) (tree->cost->elapsed_ms * 1000);
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 tree_id;

	rstar_tables_begin(&scope, "trees", "nodes", "trajectories");
	tree_id = rstar_pg_cluster_tree_number();
	rstar_pg_add_text(&a, GetUserNameFromId(scope.user, false));
	rstar_pg_add_bigint(&a, problem_id);
	add_asked(&a, tree->asked->text);
	add_asked(&a, tree->asked->gold);
	add_asked(&a, tree->asked->verifier);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(setup->policy ? setup->policy->model_id : 0),
				 !setup->policy);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(setup->ppm ? setup->ppm->model_id : 0), !setup->ppm);
	rstar_pg_add_text(&a, rstar_pg_search_method_name(setup->method));
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	rstar_pg_add_bigint(&a, (int64) seed);
	rstar_pg_add_text(&a, tree->mcts ? "done" : "failed");
	rstar_pg_add_text(&a, failure_text(tree));
	rstar_pg_add(&a, TIMESTAMPTZOID, TimestampTzGetDatum(started), false);
	rstar_pg_add(&a, TIMESTAMPTZOID, TimestampTzGetDatum(finished), false);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(setup->round_id), setup->round_id == 0);
	add_outcome(&a, setup, tree);
	rstar_pg_add_bigint(&a, tree_id);
	rstar_pg_execute(
		"INSERT INTO rstar.trees (created_by, problem_id, statement, known_answer, verifier,"
		" policy_id,"
		" ppm_id, method, settings, seed, status, error, started_at, finished_at, round_id,"
		" reproducible, rollouts, nodes, generated_tokens,"
		" computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, search_ms,"
		" first_correct_rollout, answer, answer_id, correct, ended_by, tree_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
		" $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)",
		&a, false);
	if (tree->mcts)
		insert_rows(tree_id, tree->mcts);
	rstar_pg_tables_end(&scope);
	return tree_id;
}

void
rstar_pg_tree_replace(const rstar_stored_tree *stored, const rstar_search_setup *setup,
					  const rstar_search_outcome *tree)
{
	Jsonb *settings = rstar_pg_search_setup_to_jsonb(setup);
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "trees", "nodes", "trajectories", "preference_pairs");
	delete_rows(stored->tree_id);
	rstar_pg_add_bigint(&a, stored->tree_id);
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	add_outcome(&a, setup, tree);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.trees SET settings = $2, finished_at = $18,"
					 " reproducible = reproducible AND $3, rollouts = $4, nodes = $5,"
					 " generated_tokens = generated_tokens OPERATOR(pg_catalog.+) $6,"
					 " computed_tokens = computed_tokens OPERATOR(pg_catalog.+) $7,"
					 " python_steps = python_steps OPERATOR(pg_catalog.+) $8,"
					 " policy_ms = policy_ms OPERATOR(pg_catalog.+) $9,"
					 " ppm_ms = ppm_ms OPERATOR(pg_catalog.+) $10,"
					 " sandbox_ms = sandbox_ms OPERATOR(pg_catalog.+) $11,"
					 " search_ms = search_ms OPERATOR(pg_catalog.+) $12,"
					 " first_correct_rollout = $13, answer = $14, answer_id = $15, correct = $16,"
					 " ended_by = $17 WHERE tree_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	insert_rows(stored->tree_id, tree->mcts);
	rstar_pg_tables_end(&scope);
}

void
rstar_pg_tree_store_grades(const rstar_stored_tree *stored, const rstar_mcts *mcts,
						   const rstar_problem_row *problem)
{
	bool first = mcts->first_correct_rollout != RSTAR_NO_NODE;
	bool answered = stored->answer_id >= 0 && (uint32) stored->answer_id < mcts->tree.n_nodes;
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "trees", "nodes", "trajectories", "preference_pairs");
	delete_rows(stored->tree_id);
	rstar_pg_add_bigint(&a, stored->tree_id);
	rstar_pg_add_text(&a, problem->answer);
	rstar_pg_add_text(&a, problem->verifier);
	rstar_pg_add_int(&a, first ? (int32) mcts->first_correct_rollout : 0, !first);
	rstar_pg_add_bool(&a, answered && mcts->tree.nodes[stored->answer_id].correct, !answered);
	rstar_pg_execute(
		"UPDATE rstar.trees SET known_answer = $2, verifier = $3,"
		" first_correct_rollout = $4, correct = $5 WHERE tree_id OPERATOR(pg_catalog.=) $1",
		&a, false);
	insert_rows(stored->tree_id, mcts);
	rstar_pg_tables_end(&scope);
}

/*
 * data_sql.c
 *	  Training data: rstar_closed_answer, rstar_build_pairs.
 *
 * Pairs are built problem by problem: those of steps within each of its trees,
 * those of answers across them. What a tree, or a problem, has pairs of
 * already is left alone, so a second call does nothing. A table lock makes a
 * call that runs beside another wait for it and then see its rows. All is read
 * as the caller, whose trees these must be to see; pairs are written as the
 * tables' owner.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "core/search/luck.h"
#include "core/search/pairs.h"
#include "pg/base/boundary.h"
#include "pg/base/rows.h"
#include "pg/base/settings.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/data/pairs.h"
#include "pg/models/models.h"
#include "pg/search/tree_store.h"

PG_FUNCTION_INFO_V1(rstar_closed_answer);
PG_FUNCTION_INFO_V1(rstar_build_pairs);

static rstar_string
string_of(const text *t)
{
	return (rstar_string){VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
}

/*
 * rstar_closed_answer(statement text, answer text) returns boolean
 */
Datum
rstar_closed_answer(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		rstar_luck_closed(string_of(PG_GETARG_TEXT_PP(0)), string_of(PG_GETARG_TEXT_PP(1))));
}

/* --- building pairs -------------------------------------------------------------- */

/* Problems with right and wrong answers, in trees of a round ($1) or of all (NULL). */
static const char problems_query[] =
	"SELECT p.problem_id, p.statement, CASE WHEN p.verifier IS NULL THEN p.answer END,"
	"       a.reached, a.hits"
	"  FROM (SELECT t.problem_id, count(*) AS reached, count(*) FILTER (WHERE j.correct) AS hits"
	"          FROM rstar.trajectories j JOIN rstar.trees t ON t.tree_id = j.tree_id"
	"         WHERE j.correct IS NOT NULL AND ($1 IS NULL OR t.round_id = $1)"
	"         GROUP BY t.problem_id) a"
	"  JOIN rstar.problems p ON p.problem_id = a.problem_id"
	" WHERE a.hits > 0 AND a.hits < a.reached"
	" ORDER BY p.problem_id";

/* Trees of a problem ($2), with the policy's defaults, and whether steps are to be paired. */
static const char trees_query[] =
	"SELECT t.tree_id, t.policy_id,"
	"       EXISTS (SELECT FROM rstar.trajectories j WHERE j.tree_id = t.tree_id AND j.correct)"
	"   AND EXISTS (SELECT FROM rstar.trajectories j WHERE j.tree_id = t.tree_id AND NOT j.correct)"
	"   AND NOT EXISTS (SELECT FROM rstar.preference_pairs r"
	"                    WHERE r.chosen_tree_id = t.tree_id AND r.kind = 'step')"
	"  FROM rstar.trees t"
	" WHERE t.problem_id = $2 AND ($1 IS NULL OR t.round_id = $1)"
	" ORDER BY t.tree_id";

/* Answers of a problem, unless answers of these trees are paired already. */
static const char answers_query[] =
	"SELECT j.tree_id, j.leaf_id, n.parent_id, j.correct, j.mean_q, j.min_q, j.solution"
	"  FROM rstar.trees t JOIN rstar.trajectories j ON j.tree_id = t.tree_id"
	"  JOIN rstar.nodes n ON n.tree_id = j.tree_id AND n.node_id = j.leaf_id"
	" WHERE t.problem_id = $2 AND ($1 IS NULL OR t.round_id = $1) AND j.correct IS NOT NULL"
	"   AND (SELECT true FROM rstar.trees o JOIN rstar.preference_pairs r"
	"            ON r.chosen_tree_id = o.tree_id AND r.kind = 'answer'"
	"         WHERE o.problem_id = $2 AND ($1 IS NULL OR o.round_id = $1) LIMIT 1) IS NULL"
	" ORDER BY j.tree_id, j.leaf_id";

typedef struct pair_build
{
	NullableDatum round, margin, edit; /* the caller's arguments */
	SPIPlanPtr trees, answers;
	int64 written;
} pair_build;

static SPIPlanPtr
prepare(const char *query, int n, const Oid *types)
{
	SPIPlanPtr plan = SPI_prepare(query, n, unconstify(Oid *, types));

	if (!plan)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/* Rows of a query over a problem, in the build's round; SPI_tuptable holds them. */
static void
select_of_problem(const pair_build *build, SPIPlanPtr plan, int64 problem_id)
{
	Datum values[2] = {build->round.value, Int64GetDatum(problem_id)};
	char nulls[2] = {build->round.isnull ? 'n' : ' ', ' '};

	/* not read-only: with a snapshot of its own, later than the lock */
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "reading the tables of rstar failed");
}

static Datum
column(const SPITupleTable *table, uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(table->vals[row], table->tupdesc, number, isnull);
}

static int64
int64_column(const SPITupleTable *table, uint64 row, int number)
{
	bool isnull;

	return DatumGetInt64(column(table, row, number, &isnull));
}

static void
read_options(const pair_build *build, Jsonb *defaults, rstar_pair_options *options)
{
	options->min_margin = rstar_pg_option_real("pair_min_margin", !build->margin.isnull,
											   DatumGetFloat8(build->margin.value), defaults);
	options->min_edit = (uint32) rstar_pg_option_int("pair_min_edit", !build->edit.isnull,
													 DatumGetInt32(build->edit.value), defaults);
}

/* A pair as a row of the table. */
typedef struct pair_row
{
	int64 chosen_tree, rejected_tree;
	uint32 chosen, rejected;
	int64 parent; /* -1: none */
	double margin, weight;
} pair_row;

static const rstar_column pair_columns[] = {
	{"chosen_tree_id", INT8OID}, {"chosen_id", INT4OID}, {"rejected_tree_id", INT8OID},
	{"rejected_id", INT4OID},    {"parent_id", INT4OID}, {"kind", TEXTOID},
	{"margin", FLOAT8OID},       {"weight", FLOAT8OID},
};

static void
insert_pairs(pair_build *build, const char *kind, const pair_row *pairs, size_t n)
{
	rstar_tables_scope scope;
	rstar_rows rows;

	if (n == 0)
		return;
	rstar_tables_begin(&scope, "preference_pairs");
	rstar_pg_rows_init(&rows, "preference_pairs", pair_columns, lengthof(pair_columns), (uint32) n);
	for (size_t i = 0; i < n; i++)
	{
		rstar_pg_put_bigint(&rows, pairs[i].chosen_tree);
		rstar_pg_put_int(&rows, pairs[i].chosen);
		rstar_pg_put_bigint(&rows, pairs[i].rejected_tree);
		rstar_pg_put_int(&rows, pairs[i].rejected);
		if (pairs[i].parent >= 0)
			rstar_pg_put_int(&rows, pairs[i].parent);
		else
			rstar_pg_put_null(&rows);
		rstar_pg_put_text(&rows, kind);
		rstar_pg_put_real(&rows, pairs[i].margin);
		rstar_pg_put_real(&rows, pairs[i].weight);
	}
	/* Row security may hide pairs that are there already from the caller. */
	rstar_pg_rows_insert(&rows, "ON CONFLICT DO NOTHING");
	build->written += (int64) SPI_processed;
	rstar_pg_tables_end(&scope);
}

static void
build_steps(pair_build *build, int64 tree_id, const rstar_pair_options *options)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_tree *tree = rstar_pg_tree_load_nodes(tree_id);
	rstar_step_pair *pairs;
	pair_row *rows;
	rstar_error err;
	size_t n;

	rstar_check(
		rstar_step_pairs(tree, options, &allocator, &rstar_pg_cancel_serving, &pairs, &n, &err),
		&err);
	rows = palloc(Max(n, 1) * sizeof(pair_row));
	for (size_t i = 0; i < n; i++)
		rows[i] = (pair_row){.chosen_tree = tree_id,
							 .rejected_tree = tree_id,
							 .chosen = pairs[i].chosen,
							 .rejected = pairs[i].rejected,
							 .parent = pairs[i].parent,
							 .margin = pairs[i].margin,
							 .weight = pairs[i].weight};
	insert_pairs(build, "step", rows, n);
}

static void
read_trajectory(const SPITupleTable *table, uint64 row, rstar_trajectory *trajectory)
{
	bool isnull;

	trajectory->tree = int64_column(table, row, 1);
	trajectory->leaf = (uint32) DatumGetInt32(column(table, row, 2, &isnull));
	trajectory->parent = (uint32) DatumGetInt32(column(table, row, 3, &isnull));
	trajectory->correct = DatumGetBool(column(table, row, 4, &isnull));
	trajectory->mean_q = DatumGetFloat8(column(table, row, 5, &isnull));
	trajectory->min_q = DatumGetFloat8(column(table, row, 6, &isnull));
	trajectory->solution = string_of(DatumGetTextPP(column(table, row, 7, &isnull)));
}

static void
build_answers(pair_build *build, int64 problem_id, const rstar_pair_options *options)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_answer_pair pairs[RSTAR_PAIRS_MANY];
	pair_row rows[RSTAR_PAIRS_MANY];
	SPITupleTable *answers;
	rstar_trajectory *t;
	uint32 n, n_pairs;
	rstar_error err;

	select_of_problem(build, build->answers, problem_id);
	answers = SPI_tuptable;
	n = (uint32) SPI_processed;
	t = palloc(Max(n, 1) * sizeof(rstar_trajectory));
	for (uint32 i = 0; i < n; i++)
		read_trajectory(answers, i, &t[i]);
	rstar_check(rstar_answer_pairs(t, n, options, &allocator, pairs, &n_pairs, &err), &err);
	for (uint32 i = 0; i < n_pairs; i++)
		rows[i] = (pair_row){.chosen_tree = t[pairs[i].chosen].tree,
							 .rejected_tree = t[pairs[i].rejected].tree,
							 .chosen = t[pairs[i].chosen].leaf,
							 .rejected = t[pairs[i].rejected].leaf,
							 .parent = -1,
							 .margin = pairs[i].margin,
							 .weight = pairs[i].weight};
	insert_pairs(build, "answer", rows, n_pairs);
	SPI_freetuptable(answers);
}

/* The steps of each tree, then the answers, by the options of the last tree's policy. */
static void
build_problem(pair_build *build, int64 problem_id, MemoryContext context)
{
	SPITupleTable *trees;
	uint64 n;
	rstar_pair_options options;

	select_of_problem(build, build->trees, problem_id);
	trees = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext caller;
		bool isnull;
		Datum policy = column(trees, i, 2, &isnull);
		rstar_model_row *model = isnull ? NULL : rstar_pg_model_find_id(DatumGetInt64(policy));

		CHECK_FOR_INTERRUPTS();
		read_options(build, model ? model->defaults : NULL, &options);
		if (!DatumGetBool(column(trees, i, 3, &isnull)))
			continue;
		caller = MemoryContextSwitchTo(context);
		build_steps(build, int64_column(trees, i, 1), &options);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	if (n > 0)
		build_answers(build, problem_id, &options);
	SPI_freetuptable(trees);
}

/* Whether the problem in that row can be guessed, and was not solved too often for luck. */
static bool
is_excluded(const SPITupleTable *table, uint64 row)
{
	bool isnull, closed = false;
	Datum answer = column(table, row, 3, &isnull);

	if (!isnull)
	{
		Datum statement = column(table, row, 2, &isnull);

		closed = rstar_luck_closed(string_of(DatumGetTextPP(statement)),
								   string_of(DatumGetTextPP(answer)));
	}
	return rstar_luck_excluded(closed, (uint64) int64_column(table, row, 4),
							   (uint64) int64_column(table, row, 5));
}

/*
 * By cursor, a hundred problems at a time, so that memory does not grow with their number;
 * what one problem needs goes with a context of its own, and what one of its trees needs with
 * `context`, which is emptied after each.
 */
static void
build_problems(pair_build *build)
{
	static const Oid int8_type[1] = {INT8OID};
	char nulls[1] = {build->round.isnull ? 'n' : ' '};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rstar preference pairs",
												  ALLOCSET_DEFAULT_SIZES);
	Portal portal = SPI_cursor_open(NULL, prepare(problems_query, 1, int8_type),
									&build->round.value, nulls, false);

	/*
	 * What follows looks up single problems and trees, also among pairs that the planner does not
	 * know of because they are being written.
	 */
	(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	for (;;)
	{
		SPITupleTable *problems;
		uint64 n;

		SPI_cursor_fetch(portal, true, 100);
		problems = SPI_tuptable;
		n = SPI_processed;
		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext caller = MemoryContextSwitchTo(AllocSetContextCreate(
				CurrentMemoryContext, "rstar problem", ALLOCSET_DEFAULT_SIZES));
			MemoryContext here = CurrentMemoryContext;

			CHECK_FOR_INTERRUPTS();
			if (!is_excluded(problems, i))
				build_problem(build, int64_column(problems, i, 1), context);
			MemoryContextSwitchTo(caller);
			MemoryContextDelete(here);
		}
		SPI_freetuptable(problems);
		if (n == 0)
			break;
	}
	SPI_cursor_close(portal);
}

/* Bad options are refused, even if there is nothing to do. A call that runs beside another waits. */
static int64
build_pairs(pair_build *build)
{
	static const Oid of_problem[2] = {INT8OID, INT8OID};
	rstar_pair_options options;
	rstar_tables_scope scope;

	read_options(build, NULL, &options);
	LockRelationOid(rstar_pg_table_oid("preference_pairs"), ShareRowExclusiveLock);
	rstar_pg_tables_read(&scope);
	build->trees = prepare(trees_query, 2, of_problem);
	build->answers = prepare(answers_query, 2, of_problem);
	build_problems(build);
	rstar_pg_tables_end(&scope);
	return build->written;
}

int64
rstar_pg_pairs_build(int64 round_id)
{
	pair_build of_round = {
		.round = {Int64GetDatum(round_id), false}, .margin.isnull = true, .edit.isnull = true};

	return build_pairs(&of_round);
}

/*
 * rstar_build_pairs(round_id, pair_min_margin, pair_min_edit) returns bigint
 */
Datum
rstar_build_pairs(PG_FUNCTION_ARGS)
{
	pair_build asked = {
		.round = fcinfo->args[0], .margin = fcinfo->args[1], .edit = fcinfo->args[2]};

	PG_RETURN_INT64(build_pairs(&asked));
}

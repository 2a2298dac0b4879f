/*
 * search_sql.c
 *	  rstar_search, rstar_continue: from a problem to a tree that is kept.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/base/json.h"
#include "pg/search/run.h"
#include "pg/search/script.h"
#include "pg/base/settings.h"
#include "pg/search/settings.h"
#include "pg/search/tree_store.h"

PG_FUNCTION_INFO_V1(rstar_search_text);
PG_FUNCTION_INFO_V1(rstar_search_id);
PG_FUNCTION_INFO_V1(rstar_search_ids);
PG_FUNCTION_INFO_V1(rstar_search_scripted);
PG_FUNCTION_INFO_V1(rstar_continue);

static void
raise_failure(const rstar_search_outcome *outcome)
{
	if (outcome->status != RSTAR_OK)
		rstar_pg_raise(outcome->status, outcome->error);
}

/* --- rstar_search --------------------------------------------------------------------- */

/* Problems under search, and the trees that came of them. */
typedef struct batch
{
	const rstar_search_setup *setup;
	rstar_problem_row *rows;
	rstar_search_problem *problems;
	int64 *trees;
	bool alone; /* a problem that cannot be searched is an error */
	MemoryContext scratch;
} batch;

static void
store_tree(void *arg, const rstar_search_outcome *outcome)
{
	batch *b = arg;
	uint32 i = outcome->problem;
	MemoryContext caller;

	if (b->alone)
		raise_failure(outcome);
	caller = MemoryContextSwitchTo(b->scratch);
	b->trees[i] =
		rstar_pg_tree_store(b->rows[i].problem_id, b->problems[i].seed, b->setup, outcome);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(b->scratch);
}

/* Search the problems of the rows; the trees' numbers, palloc'd. */
static int64 *
search_rows(const rstar_search_setup *setup, const rstar_search_parts *parts,
			rstar_problem_row *rows, uint32 n, bool alone)
{
	batch b = {.setup = setup, .rows = rows, .alone = alone};

	b.problems = palloc(n * sizeof *b.problems);
	b.trees = palloc0(n * sizeof *b.trees);
	b.scratch = AllocSetContextCreate(CurrentMemoryContext, "rstar tree", ALLOCSET_DEFAULT_SIZES);
	for (uint32 i = 0; i < n; i++)
		b.problems[i] = rstar_pg_search_problem(&rows[i], setup->seed, 0);
	rstar_pg_search_run(setup, parts, b.problems, n, store_tree, &b);
	return b.trees;
}

/* One problem, found by `find` once the call is known to be sound. */
static int64
search_one(FunctionCallInfo fcinfo, int first,
		   void (*find)(FunctionCallInfo fcinfo, rstar_problem_row *row))
{
	rstar_search_arguments arguments;
	rstar_search_parts parts = {0};
	rstar_search_setup setup;
	rstar_problem_row row;

	PreventCommandIfReadOnly("rstar_search()");
	rstar_pg_search_arguments_read(fcinfo, first, &arguments);
	rstar_pg_search_setup_make(&arguments, rstar_pg_search_settings.use_known_answer, &setup);
	rstar_pg_search_open(&setup, &parts);
	find(fcinfo, &row);
	return search_rows(&setup, &parts, &row, 1, true)[0];
}

static void
enter_problem(FunctionCallInfo fcinfo, rstar_problem_row *row)
{
	rstar_pg_problem_enter(text_to_cstring(PG_GETARG_TEXT_PP(0)), rstar_optional_text(fcinfo, 1),
						   row);
}

static void
find_problem(FunctionCallInfo fcinfo, rstar_problem_row *row)
{
	rstar_pg_problem_find(PG_GETARG_INT64(0), row);
}

Datum
rstar_search_text(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_INT64(search_one(fcinfo, 2, enter_problem));
}

Datum
rstar_search_id(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_INT64(search_one(fcinfo, 1, find_problem));
}

Datum
rstar_search_ids(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rstar_search_arguments arguments;
	rstar_search_parts parts = {0};
	rstar_search_setup setup;
	rstar_problem_row *rows;
	int64 *trees;
	uint32 n;

	rstar_pg_materialize(fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	PreventCommandIfReadOnly("rstar_search()");
	rstar_pg_search_arguments_read(fcinfo, 1, &arguments);
	rstar_pg_search_setup_make(&arguments, rstar_pg_search_settings.use_known_answer, &setup);
	rows = rstar_pg_problems_of_array(PG_GETARG_ARRAYTYPE_P(0), &n);
	if (n == 0)
		return (Datum) 0;
	rstar_pg_search_open(&setup, &parts);
	trees = search_rows(&setup, &parts, rows, n, false);
	for (uint32 i = 0; i < n; i++)
	{
		Datum values[2] = {Int64GetDatum(rows[i].problem_id), Int64GetDatum(trees[i])};
		bool nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
rstar_search_scripted(PG_FUNCTION_ARGS)
{
	rstar_search_parts parts = {0};
	rstar_search_setup setup;
	rstar_problem_row row;

	rstar_pg_problem_find(PG_GETARG_INT64(0), &row);
	rstar_pg_search_script_open(PG_GETARG_JSONB_P(1), PG_GETARG_BOOL(2), &setup, &parts);
	PG_RETURN_INT64(search_rows(&setup, &parts, &row, 1, true)[0]);
}

/* --- rstar_continue -------------------------------------------------------------------- */

typedef struct continuation
{
	const rstar_stored_tree *stored;
	const rstar_search_setup *setup;
	bool same_arithmetic;
} continuation;

static void
replace_tree(void *arg, const rstar_search_outcome *outcome)
{
	continuation *c = arg;
	rstar_search_outcome replaced = *outcome;
	rstar_search_cost cost = *outcome->cost;

	raise_failure(outcome);
	cost.reproducible &= c->same_arithmetic;
	replaced.cost = &cost;
	rstar_pg_tree_replace(c->stored, c->setup, &replaced);
}

/* The model that the tree was searched with; raises if it is not there any more. */
static rstar_model_row *
model_of(const rstar_stored_tree *tree, const char *role, int64 model_id)
{
	char *sha256 = rstar_pg_json_text(&tree->settings->root, psprintf("%s_sha256", role));
	rstar_model_row *row = model_id ? rstar_pg_model_find_id(model_id) : NULL;

	if (!sha256)
		return NULL;
	if (!row || strcmp(row->sha256, sha256) != 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("the %s of tree " INT64_FORMAT " does not exist any more", role,
							   tree->tree_id),
						errdetail("Its checksum is %s.", sha256)));
	return row;
}

/* The number of rollouts after `more`, within the limit. */
static uint32
more_rollouts(const rstar_stored_tree *tree, int32 more)
{
	if (more < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rollouts must be at least 1")));
	return (uint32) rstar_pg_option_int("rollouts", true, (int64) tree->rollouts + more, NULL);
}

static void
prepare_continuation(int32 more, rstar_stored_tree *tree, rstar_mcts *mcts,
					 rstar_search_setup *setup)
{
	if (strcmp(tree->method, "mcts") != 0 || strcmp(tree->status, "done") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("tree " INT64_FORMAT " cannot be continued", tree->tree_id),
						errdetail("Only finished trees of method mcts can; this one is %s, %s.",
								  tree->method, tree->status)));
	rstar_pg_search_setup_from_jsonb(tree->settings, setup);
	setup->options.mcts.max_rollouts = more_rollouts(tree, more);
	mcts->options.max_rollouts = setup->options.mcts.max_rollouts;
	setup->policy = model_of(tree, "policy", tree->policy_id);
	setup->ppm = model_of(tree, "ppm", tree->ppm_id);
	if (!setup->policy)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("tree " INT64_FORMAT " was made by a script", tree->tree_id)));
	if (!tree->problem.answer && !tree->problem.verifier)
		rstar_mcts_without_answer(&mcts->options);
}

Datum
rstar_continue(PG_FUNCTION_ARGS)
{
	rstar_search_parts parts = {0};
	rstar_search_setup setup;
	rstar_search_problem problem;
	rstar_stored_tree tree;
	rstar_mcts *mcts;
	continuation c = {.stored = &tree, .setup = &setup};

	PreventCommandIfReadOnly("rstar_continue()");
	mcts = rstar_pg_tree_load(PG_GETARG_INT64(0), &tree);
	prepare_continuation(PG_GETARG_INT32(1), &tree, mcts, &setup);
	c.same_arithmetic = rstar_pg_search_same_arithmetic(tree.settings);
	rstar_pg_search_open(&setup, &parts);
	problem = rstar_pg_search_problem(&tree.problem, 0, 0);
	problem.seed = tree.seed;
	problem.resume = mcts;
	rstar_pg_search_run(&setup, &parts, &problem, 1, replace_tree, &c);
	PG_RETURN_INT64(tree.tree_id);
}

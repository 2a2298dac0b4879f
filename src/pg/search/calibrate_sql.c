/*
 * calibrate_sql.c
 *	  rstar_calibrate: what a model's confidence is worth, measured and kept;
 *	  rstar_calibration_svg, rstar_calibration_levels: what was measured.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "core/picture/reliability_svg.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/models/models.h"
#include "pg/search/calibration.h"
#include "pg/search/run.h"
#include "pg/search/tree_store.h"

PG_FUNCTION_INFO_V1(rstar_calibrate);
PG_FUNCTION_INFO_V1(rstar_calibration_svg);
PG_FUNCTION_INFO_V1(rstar_calibration_levels);

/* Problems under search, and what came of those with an answer. */
typedef struct trial
{
	const rstar_problem_row *rows;
	uint32 n; /* answers so far */
	rstar_evidence *evidence;
	bool *right;
} trial;

/* A problem that cannot be searched, or has no answer, says nothing of an answer's confidence. */
static void
keep_evidence(void *arg, const rstar_search_outcome *outcome)
{
	trial *t = arg;
	const rstar_problem_row *row = &t->rows[outcome->problem];
	const char *gold = row->answer;
	const rstar_tree_node *answer;

	if (outcome->status != RSTAR_OK || outcome->answer == RSTAR_NO_NODE)
		return;
	answer = &outcome->mcts->tree.nodes[outcome->answer];
	t->evidence[t->n] = outcome->evidence;
	t->right[t->n++] =
		row->verifier ? answer->correct
					  : gold && rstar_search_same_answer((rstar_string){gold, strlen(gold)},
														 answer->answer, &rstar_allocator_malloc);
}

/* Search them without a look at the known answers, which only grade what comes out. */
static void
try_problems(const rstar_search_setup *setup, const rstar_problem_row *rows, uint32 n, trial *t)
{
	rstar_search_problem *problems = palloc0(Max(n, 1) * sizeof *problems);
	rstar_search_parts parts = {0};

	*t = (trial){.rows = rows,
				 .evidence = palloc(Max(n, 1) * sizeof *t->evidence),
				 .right = palloc(Max(n, 1) * sizeof *t->right)};
	for (uint32 i = 0; i < n; i++)
	{
		rstar_problem_row row = rows[i];

		/* A verifier needs the data that a known answer is, and grades without guiding. */
		if (!row.verifier)
			row.answer = NULL;
		problems[i] = rstar_pg_search_problem(&row, setup->seed, 0);
	}
	rstar_pg_search_open(setup, &parts);
	rstar_pg_search_run(setup, &parts, problems, n, keep_evidence, t);
}

/* The threshold for at most max_wrong, and all that is kept with it. */
static double
measure(const trial *t, uint32 n_problems, double max_wrong, rstar_calibration *calibration,
		rstar_reliability *reliability)
{
	double *confidence = palloc(Max(t->n, 1) * sizeof *confidence);
	double threshold;
	rstar_error err;

	rstar_check(rstar_calibration_fit(t->evidence, t->right, t->n, calibration, &err), &err);
	rstar_check(rstar_calibration_cross(t->evidence, t->right, t->n, confidence, &err), &err);
	rstar_reliability_measure(confidence, t->right, t->n, n_problems, reliability);
	rstar_check(rstar_reliability_threshold(confidence, t->right, t->n, max_wrong,
											&rstar_allocator_malloc, &threshold, &err),
				&err);
	return threshold;
}

static double
max_wrong_argument(FunctionCallInfo fcinfo, int n)
{
	double max_wrong = PG_ARGISNULL(n) ? 0.05 : PG_GETARG_FLOAT8(n);

	if (!(max_wrong >= 0 && max_wrong <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_wrong must be between 0 and 1")));
	return max_wrong;
}

/*
 * rstar_calibrate(model text, problem_ids bigint[], max_wrong double precision, seed bigint,
 *				   OUT problems integer, OUT answered integer, OUT correct integer,
 *				   OUT calibration_error double precision, OUT min_confidence double precision)
 */
Datum
rstar_calibrate(PG_FUNCTION_ARGS)
{
	double max_wrong = max_wrong_argument(fcinfo, 2);
	rstar_search_arguments arguments = {0};
	rstar_calibration calibration;
	rstar_reliability reliability;
	rstar_search_setup setup;
	rstar_problem_row *rows;
	Datum values[5];
	bool nulls[5] = {false};
	double threshold;
	TupleDesc desc;
	trial t;
	uint32 n;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("\"model\" and \"problem_ids\" must not be NULL")));
	PreventCommandIfReadOnly("rstar_calibrate()");
	arguments.model = PG_GETARG_TEXT_PP(0);
	arguments.seed = rstar_optional_bigint(fcinfo, 3);
	rstar_pg_search_setup_make(&arguments, false, &setup);
	rows = rstar_pg_problems_of_array(PG_GETARG_ARRAYTYPE_P(1), &n);
	try_problems(&setup, rows, n, &t);
	threshold = measure(&t, n, max_wrong, &calibration, &reliability);
	rstar_pg_model_calibrate(setup.policy->model_id,
							 rstar_pg_calibration_to_jsonb(&calibration, &reliability), threshold);
	values[0] = Int32GetDatum((int32) n);
	values[1] = Int32GetDatum((int32) reliability.answered);
	values[2] = Int32GetDatum((int32) reliability.right);
	values[3] = Float8GetDatum(reliability.error);
	values[4] = Float8GetDatum(threshold);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* --- what was measured ------------------------------------------------------------------ */

static rstar_model_row *
calibrated_model(FunctionCallInfo fcinfo, rstar_reliability *reliability)
{
	rstar_model_row *row =
		rstar_pg_model_resolve(PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), RSTAR_ROLE_POLICY);

	if (!row->calibration)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" is not calibrated", row->name),
						errhint("rstar_calibrate() calibrates a model.")));
	rstar_pg_reliability_from_jsonb(row->calibration, reliability);
	return row;
}

/*
 * rstar_calibration_svg(model text) returns text
 */
Datum
rstar_calibration_svg(PG_FUNCTION_ARGS)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_reliability reliability;
	rstar_model_row *row = calibrated_model(fcinfo, &reliability);
	rstar_buffer out;

	rstar_buffer_init(&out, &allocator);
	if (!rstar_reliability_svg(&reliability, (rstar_string){row->name, strlen(row->name)}, &out))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, (int) out.length));
}

/*
 * rstar_calibration_levels(model text, OUT min_confidence double precision, OUT given integer,
 *							OUT coverage double precision, OUT risk double precision)
 */
Datum
rstar_calibration_levels(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rstar_reliability r;

	rstar_pg_materialize(fcinfo);
	(void) calibrated_model(fcinfo, &r);
	for (int i = 0; i < RSTAR_RELIABILITY_LEVELS; i++)
	{
		uint32 shown = r.levels[i].given;
		Datum values[4];
		bool nulls[4] = {false, false, r.problems == 0, shown == 0};

		values[0] = Float8GetDatum(r.levels[i].least);
		values[1] = Int32GetDatum((int32) shown);
		values[2] = Float8GetDatum(r.problems > 0 ? (double) shown / r.problems : 0);
		values[3] = Float8GetDatum(shown > 0 ? (double) r.levels[i].wrong / shown : 0);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

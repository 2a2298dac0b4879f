/*
 * evaluate_sql.c
 *	  rstar_evaluate, and what evaluations are compared by.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/search/outcomes.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/rows.h"
#include "pg/base/settings.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/rounds/graded.h"
#include "pg/search/options.h"
#include "pg/workers/jobs.h"
#include "pg/workers/query.h"
#include "pg/workers/queue.h"

PG_FUNCTION_INFO_V1(rstar_evaluate);
PG_FUNCTION_INFO_V1(rstar_proportion_interval);
PG_FUNCTION_INFO_V1(rstar_paired_test);

/* Arguments of rstar_evaluate behind name and query: those of a search, then these. */
enum
{
	ARG_SEARCH = 2,
	ARG_TREES = 10,
	ARG_GREEDY,
	ARG_WORKERS,
	ARG_THREADS,
	ARG_NICE
};

#define MAX_TREES 256

/* --- the evaluation's rows ----------------------------------------------------------------- */

static void
insert_problems(int64 evaluation_id, const int64 *problems, uint32 n)
{
	static const rstar_column columns[] = {
		{"evaluation_id", INT8OID}, {"problem_id", INT8OID}, {"closed", BOOLOID}};
	rstar_tables_scope scope;
	rstar_rows rows;

	rstar_pg_rows_init(&rows, "evaluation_problems", columns, lengthof(columns), n);
	for (uint32 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rstar_pg_put_bigint(&rows, evaluation_id);
		rstar_pg_put_bigint(&rows, problems[i]);
		rstar_pg_put_bool(&rows, rstar_pg_graded_closed(problems[i]));
	}
	rstar_tables_begin(&scope, "evaluation_problems");
	rstar_pg_rows_insert(&rows, NULL);
	rstar_pg_tables_end(&scope);
}

/*
 * Names are per user, and the look at the name comes first for the sake of its message; the
 * same arguments, then, are the first two of the INSERT. Methods without a search make one
 * rollout for each tree.
 */
static int64
insert_evaluation(const char *name, const rstar_search_setup *setup, int trees)
{
	Jsonb *settings = rstar_pg_search_setup_to_jsonb(setup);
	int64 rollouts = (int64) setup->options.mcts.max_rollouts * trees;
	char *owner = GetUserNameFromId(GetUserId(), false);
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 evaluation_id;

	if (setup->method == RSTAR_METHOD_GREEDY || setup->method == RSTAR_METHOD_BEAM)
		rollouts = trees;
	rstar_tables_begin(&scope, "evaluations");
	rstar_pg_add_text(&a, name);
	rstar_pg_add_text(&a, owner);
	rstar_pg_execute("SELECT FROM rstar.evaluations WHERE name OPERATOR(pg_catalog.=) $1"
					 " AND created_by OPERATOR(pg_catalog.=) $2",
					 &a, false);
	if (SPI_processed > 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("evaluation \"%s\" exists already", name)));
	rstar_pg_add_bigint(&a, setup->policy->model_id);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(setup->ppm ? setup->ppm->model_id : 0), !setup->ppm);
	rstar_pg_add_text(&a, rstar_pg_search_method_name(setup->method));
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	rstar_pg_add_int(&a, (int32) Min(rollouts, PG_INT32_MAX), false);
	rstar_pg_execute("INSERT INTO rstar.evaluations (name, created_by, policy_id, ppm_id, method,"
					 " settings, rollouts) VALUES ($1, $2, $3, $4, $5, $6, $7)"
					 " RETURNING evaluation_id",
					 &a, false);
	evaluation_id = rstar_pg_result_bigint(0, "evaluation_id", 0);
	rstar_pg_tables_end(&scope);
	return evaluation_id;
}

/* --- its jobs -------------------------------------------------------------------------------- */

typedef struct searches
{
	Datum jobs[MAX_TREES + 1];
	int n;
	int64 greedy; /* 0: none */
} searches;

static int64
submit_search(const rstar_job_request *request, const rstar_search_setup *setup,
			  const int64 *problems, uint32 n, searches *s)
{
	rstar_job_request search = *request;
	int64 job_id;

	search.kind = "search_all";
	search.arguments = rstar_pg_search_setup_to_jsonb(setup);
	job_id = rstar_pg_job_submit(&search);
	rstar_pg_queue_add(job_id, problems, n);
	s->jobs[s->n++] = Int64GetDatum(job_id);
	return job_id;
}

/* The greedy search, then a search for each tree, seeds counted up. */
static void
submit_searches(const rstar_job_request *request, rstar_search_setup *setup,
				const rstar_search_arguments *arguments, int trees, bool greedy,
				const int64 *problems, uint32 n, searches *s)
{
	if (greedy)
	{
		rstar_search_arguments first = *arguments;
		rstar_search_setup once;

		first.method = cstring_to_text("greedy");
		rstar_pg_search_setup_make(&first, false, &once);
		s->greedy = submit_search(request, &once, problems, n, s);
	}
	for (int t = 0; t < trees; t++)
	{
		(void) submit_search(request, setup, problems, n, s);
		setup->seed++;
	}
}

static void
note_jobs(int64 evaluation_id, int64 job_id, searches *s)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "evaluations");
	rstar_pg_add_bigint(&a, evaluation_id);
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(s->greedy), s->greedy == 0);
	rstar_pg_add(&a, INT8ARRAYOID,
				 PointerGetDatum(construct_array(s->jobs, s->n, INT8OID, sizeof(int64),
												 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
				 false);
	rstar_pg_execute("UPDATE rstar.evaluations SET job_id = $2, greedy_job = $3, search_jobs = $4"
					 " WHERE evaluation_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/*
 * rstar_evaluate(name, query, model, ppm, method, candidates, rollouts, max_depth, temperature,
 *				  seed, trees, greedy, workers, threads, nice) returns bigint, the evaluation
 *
 * The known answers only grade: the searches do not see them.
 */
Datum
rstar_evaluate(PG_FUNCTION_ARGS)
{
	rstar_job_request request = {.kind = "evaluate"};
	rstar_search_arguments arguments;
	rstar_search_setup setup;
	searches s = {.n = 0};
	int64 evaluation_id, job_id, *problems;
	char *name, *query;
	bool greedy = PG_ARGISNULL(ARG_GREEDY) || PG_GETARG_BOOL(ARG_GREEDY);
	int trees = rstar_bounded_integer(fcinfo, ARG_TREES, "trees", 1, MAX_TREES, 1);
	uint32 n;

	rstar_pg_job_require_workers("rstar_evaluate()");
	name = rstar_required_text(fcinfo, 0, "name");
	query = rstar_required_text(fcinfo, 1, "query");
	rstar_pg_search_arguments_read(fcinfo, ARG_SEARCH, &arguments);
	rstar_pg_search_setup_make(&arguments, false, &setup);
	request.workers = rstar_bounded_integer(fcinfo, ARG_WORKERS, "workers", 1, 256, 0);
	if (!PG_ARGISNULL(ARG_THREADS))
		request.threads =
			(int) rstar_pg_option_int("threads", true, PG_GETARG_INT32(ARG_THREADS), NULL);
	request.nice = rstar_bounded_integer(fcinfo, ARG_NICE, "nice", 0, 19, -1);
	problems = rstar_pg_query_numbers(query, &n);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the query returns no problems to evaluate")));
	evaluation_id = insert_evaluation(name, &setup, trees);
	insert_problems(evaluation_id, problems, n);
	request.arguments = DatumGetJsonbP(DirectFunctionCall1(
		jsonb_in,
		CStringGetDatum(psprintf("{\"evaluation_id\": " INT64_FORMAT "}", evaluation_id))));
	job_id = rstar_pg_job_submit(&request);
	request.parent = job_id;
	submit_searches(&request, &setup, &arguments, trees,
					greedy && setup.method != RSTAR_METHOD_GREEDY, problems, n, &s);
	note_jobs(evaluation_id, job_id, &s);
	PG_RETURN_INT64(evaluation_id);
}

/* --- statistics ------------------------------------------------------------------------------ */

/*
 * rstar_proportion_interval(successes, trials, OUT low, OUT high): Wilson, 95 %
 */
Datum
rstar_proportion_interval(PG_FUNCTION_ARGS)
{
	TupleDesc descriptor;
	Datum values[2];
	bool nulls[2] = {false, false};
	double low, high;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rstar_outcomes_interval(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), &low, &high);
	values[0] = Float8GetDatum(low);
	values[1] = Float8GetDatum(high);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/*
 * rstar_paired_test(won, lost) returns float8: exact McNemar, two-sided
 */
Datum
rstar_paired_test(PG_FUNCTION_ARGS)
{
	int64 won = PG_GETARG_INT64(0), lost = PG_GETARG_INT64(1);

	if (won < 0 || lost < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("numbers of problems must not be negative")));
	PG_RETURN_FLOAT8(rstar_outcomes_paired_test((uint64) won, (uint64) lost));
}

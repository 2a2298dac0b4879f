/*
 * round_sql.c
 *	  rstar_start_round: what a round is told, and its rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/base/rows.h"
#include "pg/base/settings.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/models/remote.h"
#include "pg/models/models.h"
#include "pg/rounds/graded.h"
#include "pg/rounds/presets.h"
#include "pg/search/options.h"
#include "pg/workers/call.h"
#include "pg/workers/jobs.h"
#include "pg/workers/query.h"

PG_FUNCTION_INFO_V1(rstar_start_round);

/* Arguments; those of a search stand together, in its order. */
enum
{
	ARG_NAME,
	ARG_PROBLEMS,
	ARG_HELD_OUT,
	ARG_PRESET,
	ARG_SEARCH, /* model, ppm, method, candidates, rollouts, max_depth, temperature, seed */
	ARG_PPM = ARG_SEARCH + 1,
	ARG_BASE = ARG_SEARCH + 8,
	ARG_SOLUTIONS,
	ARG_ESCALATION,
	ARG_PER_PROBLEM,
	ARG_PAIR_ROUNDS,
	ARG_POLICY_TRAINING,
	ARG_PPM_TRAINING,
	ARG_EVALUATION,
	ARG_WORKERS,
	ARG_THREADS,
	ARG_NICE
};

#define MAX_NAME 180 /* bytes: the models' names are longer by the number and "-ppm" */

/* What the line has come to before this round. */
typedef struct line
{
	int number;         /* of the round to come */
	int64 previous;     /* 0: it is the first */
	char *preset;       /* NULL: it is the first */
	char *policy, *ppm; /* of the last round that was not refused; NULL: none */
	char *base;         /* NULL: none (any more) */
} line;

typedef struct request
{
	char *name;
	line line;
	const char *preset;
	rstar_round_preset figures;
	rstar_search_arguments search;
	rstar_search_setup setup;
	rstar_model_row *base;
	int escalation[RSTAR_MAX_ESCALATION];
	int n_escalation;
	int64 *problems, *held_out;
	uint32 n_problems, n_held_out;
} request;

/* --- the line ------------------------------------------------------------------------------- */

static void
refuse_if_under_way(const char *name, MemoryContext context)
{
	char *status = rstar_pg_result_text(0, "status", context);

	if (status && strcmp(status, "done") != 0 && strcmp(status, "failed") != 0 &&
		strcmp(status, "cancelled") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("round %d of \"%s\" is not done yet",
							   rstar_pg_result_int(0, "number", 0), name),
						errdetail("It is %s (round " INT64_FORMAT ", job " INT64_FORMAT ").",
								  status, rstar_pg_result_bigint(0, "round_id", 0),
								  rstar_pg_result_bigint(0, "job_id", 0)),
						errhint("Wait for it, or end it with rstar_cancel().")));
}

/* Nobody starts a round beside this one until the transaction ends. */
static void
read_line(const char *name, line *l)
{
	MemoryContext context = CurrentMemoryContext;
	char *owner = GetUserNameFromId(GetUserId(), false);
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	LockRelationOid(rstar_pg_table_oid("rounds"), ShareRowExclusiveLock);
	rstar_tables_begin(&scope, "rounds", "jobs", "models");
	rstar_pg_add_text(&a, name);
	rstar_pg_add_text(&a, owner);
	rstar_pg_execute(
		"SELECT r.round_id, r.number, r.preset, r.job_id, j.status, m.name AS base,"
		" k.policy, k.ppm FROM rstar.rounds r"
		" LEFT JOIN rstar.jobs j ON j.job_id OPERATOR(pg_catalog.=) r.job_id"
		" LEFT JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) r.base_id"
		" LEFT JOIN LATERAL (SELECT p.name AS policy, g.name AS ppm FROM rstar.rounds k"
		"  JOIN rstar.models p ON p.model_id OPERATOR(pg_catalog.=) k.new_policy_id"
		"  LEFT JOIN rstar.models g ON g.model_id OPERATOR(pg_catalog.=) k.new_ppm_id"
		"  WHERE k.name OPERATOR(pg_catalog.=) $1 AND k.created_by OPERATOR(pg_catalog.=) $2"
		"  AND k.accepted IS NOT FALSE ORDER BY k.number DESC LIMIT 1) k ON true"
		" WHERE r.name OPERATOR(pg_catalog.=) $1 AND r.created_by OPERATOR(pg_catalog.=) $2"
		" ORDER BY r.number DESC LIMIT 1",
		&a, false);
	*l = (line){.number = 1};
	if (SPI_processed > 0)
	{
		refuse_if_under_way(name, context);
		l->number = rstar_pg_result_int(0, "number", 0) + 1;
		l->previous = rstar_pg_result_bigint(0, "round_id", 0);
		l->preset = rstar_pg_result_text(0, "preset", context);
		l->policy = rstar_pg_result_text(0, "policy", context);
		l->ppm = rstar_pg_result_text(0, "ppm", context);
		l->base = rstar_pg_result_text(0, "base", context);
	}
	rstar_pg_tables_end(&scope);
}

static void
check_evaluation_name(const char *name)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool taken;

	rstar_pg_add_text(&a, name);
	rstar_pg_add_text(&a, GetUserNameFromId(GetUserId(), false));
	rstar_tables_begin(&scope, "evaluations");
	rstar_pg_execute("SELECT FROM rstar.evaluations WHERE name OPERATOR(pg_catalog.=) $1"
					 " AND created_by OPERATOR(pg_catalog.=) $2",
					 &a, false);
	taken = SPI_processed > 0;
	rstar_pg_tables_end(&scope);
	if (taken)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("evaluation \"%s\" exists already", name)));
}

/* What the round will make must not be there yet: found out now, not after hours. */
static void
check_names(const request *r)
{
	char *name = psprintf("%s-%d", r->name, r->line.number);

	rstar_pg_model_check_name(name);
	rstar_pg_model_check_name(psprintf("%s-ppm", name));
	check_evaluation_name(name);
	check_evaluation_name(psprintf("%s-base", name));
}

/* --- what it is told --------------------------------------------------------------------------- */

static text *
text_or_null(const char *s)
{
	return s ? cstring_to_text(s) : NULL;
}

static void
default_int(rstar_optional_int *value, int64 otherwise)
{
	if (!value->given)
		*value = (rstar_optional_int){true, otherwise};
}

/* By the policy's size; one on another server says nothing of it, and is no small one. */
static const char *
usual_preset(const rstar_model_row *policy)
{
	return rstar_pg_round_preset_for(policy->remote ? PG_INT64_MAX : policy->parameters);
}

/*
 * The models first, as the preset depends on the policy's size: the caller's, else the line's,
 * else the session's. No PPM guides unless it is named or the preset says so.
 */
static void
read_search(FunctionCallInfo fcinfo, request *r)
{
	rstar_search_arguments *s = &r->search;
	rstar_model_row *policy;

	rstar_pg_search_arguments_read(fcinfo, ARG_SEARCH, s);
	if (!s->model)
		s->model = text_or_null(r->line.policy);
	policy = rstar_pg_model_resolve(s->model, RSTAR_ROLE_POLICY);
	r->preset = rstar_optional_text(fcinfo, ARG_PRESET);
	if (!r->preset)
		r->preset = r->line.preset ? r->line.preset : usual_preset(policy);
	r->figures = rstar_pg_round_preset(r->preset, r->line.number);
	if (!s->ppm)
		s->ppm = cstring_to_text(r->figures.guided && r->line.ppm ? r->line.ppm : "");
	if (!s->method)
		s->method = cstring_to_text("mcts");
	default_int(&s->candidates, r->figures.candidates);
	default_int(&s->rollouts, r->figures.rollouts);
	default_int(&s->seed, 0);
	rstar_pg_search_setup_make(s, true, &r->setup);
	if (!PG_ARGISNULL(ARG_BASE))
		r->base = rstar_pg_model_find(rstar_optional_text(fcinfo, ARG_BASE));
	else
		r->base = r->line.base ? rstar_pg_model_find(r->line.base) : r->setup.policy;
	rstar_pg_model_require_file(r->base); /* before hours of search, not behind them */
}

static void
read_escalation(FunctionCallInfo fcinfo, request *r)
{
	Datum *values;
	bool *nulls;
	int n;

	memcpy(r->escalation, r->figures.escalation, sizeof r->escalation);
	r->n_escalation = r->figures.n_escalation;
	if (PG_ARGISNULL(ARG_ESCALATION))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_ESCALATION), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &values, &nulls, &n);
	if (n > RSTAR_MAX_ESCALATION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"escalation\" may have at most %d elements",
							   RSTAR_MAX_ESCALATION)));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"escalation\" must not contain NULL")));
		r->escalation[i] =
			(int) rstar_pg_option_int("rollouts", true, DatumGetInt32(values[i]), NULL);
	}
	r->n_escalation = n;
}

/*
 * Further arguments of a function that the round calls: an object, without those that the round
 * sets itself. Its names, and the right to call the function, are checked by making the call.
 */
static Jsonb *
read_further(FunctionCallInfo fcinfo, int n, const char *name, const char *kind)
{
	static const char *const own[] = {"name",       "base", "query",   "model",  "ppm",
									  "foreground", "nice", "threads", "workers"};
	Jsonb *object = PG_ARGISNULL(n) ? rstar_pg_json_empty() : PG_GETARG_JSONB_P(n);

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must be a json object", name)));
	for (size_t i = 0; i < lengthof(own); i++)
		if (rstar_pg_json_member(&object->root, own[i]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("argument \"%s\" must not set \"%s\"", name, own[i]),
							errdetail("The round sets it itself.")));
	(void) rstar_pg_job_call(kind, object);
	return object;
}

/* --- its problems ----------------------------------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	int64 x = *(const int64 *) a, y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* What a model was trained on tells nothing about it. */
static void
refuse_overlap(const request *r)
{
	int64 *sorted = palloc(Max(r->n_problems, 1) * sizeof *sorted);

	memcpy(sorted, r->problems, r->n_problems * sizeof *sorted);
	qsort(sorted, r->n_problems, sizeof *sorted, compare_numbers);
	for (uint32 i = 0; i < r->n_held_out; i++)
		if (bsearch(&r->held_out[i], sorted, r->n_problems, sizeof *sorted, compare_numbers))
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("problem " INT64_FORMAT " is both to be searched and held out",
						r->held_out[i]),
				 errhint("Held-out problems must be others than those that train the models.")));
	pfree(sorted);
}

static void
read_problems(FunctionCallInfo fcinfo, request *r)
{
	char *query = rstar_required_text(fcinfo, ARG_PROBLEMS, "problems");
	char *held_out = rstar_optional_text(fcinfo, ARG_HELD_OUT);

	r->problems = rstar_pg_query_numbers(query, &r->n_problems);
	if (r->n_problems == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the query returns no problems to search")));
	r->held_out = held_out ? rstar_pg_query_numbers(held_out, &r->n_held_out) : NULL;
	refuse_overlap(r);
}

static void
insert_problems(int64 round_id, const int64 *problems, uint32 n, bool held_out)
{
	static const rstar_column columns[] = {
		{"round_id", INT8OID}, {"problem_id", INT8OID}, {"held_out", BOOLOID}, {"closed", BOOLOID}};
	rstar_tables_scope scope;
	rstar_rows rows;

	rstar_pg_rows_init(&rows, "round_problems", columns, lengthof(columns), n);
	for (uint32 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rstar_pg_put_bigint(&rows, round_id);
		rstar_pg_put_bigint(&rows, problems[i]);
		rstar_pg_put_bool(&rows, held_out);
		rstar_pg_put_bool(&rows, rstar_pg_graded_closed(problems[i]));
	}
	rstar_tables_begin(&scope, "round_problems");
	rstar_pg_rows_insert(&rows, NULL);
	rstar_pg_tables_end(&scope);
}

/* Solutions that the caller gives. */
static void
take_solutions(void *arg, int64 first, uint64 n, char **values)
{
	static const rstar_column columns[] = {{"round_id", INT8OID},
										   {"solution_id", INT8OID},
										   {"problem", TEXTOID},
										   {"solution", TEXTOID}};
	rstar_tables_scope scope;
	rstar_rows rows;

	rstar_pg_rows_init(&rows, "round_solutions", columns, lengthof(columns), (uint32) n);
	for (uint64 i = 0; i < n; i++)
	{
		rstar_pg_put_bigint(&rows, *(int64 *) arg);
		rstar_pg_put_bigint(&rows, first + (int64) i);
		rstar_pg_put_text(&rows, values[2 * i]);
		rstar_pg_put_text(&rows, values[2 * i + 1]);
	}
	rstar_tables_begin(&scope, "round_solutions");
	rstar_pg_rows_insert(&rows, NULL);
	rstar_pg_tables_end(&scope);
}

static void
insert_solutions(int64 round_id, const char *query)
{
	static const char *const columns[] = {"problem", "solution"};

	rstar_pg_query_texts(query, columns, lengthof(columns),
						 "Solutions need the columns problem and solution.", take_solutions,
						 &round_id);
}

/* --- its row ------------------------------------------------------------------------------------ */

static void
add_optional(rstar_arguments *a, FunctionCallInfo fcinfo, int n)
{
	rstar_pg_add_int(a, PG_ARGISNULL(n) ? 0 : PG_GETARG_INT32(n), PG_ARGISNULL(n));
}

/* Arguments $10 and on of the INSERT: the settings. */
static void
add_settings(rstar_arguments *a, FunctionCallInfo fcinfo, const request *r)
{
	const rstar_search_arguments *s = &r->search;
	Datum escalation[RSTAR_MAX_ESCALATION];
	Jsonb *policy = read_further(fcinfo, ARG_POLICY_TRAINING, "policy_training", "train_policy");
	Jsonb *ppm = read_further(fcinfo, ARG_PPM_TRAINING, "ppm_training", "train_ppm");
	Jsonb *evaluation = read_further(fcinfo, ARG_EVALUATION, "evaluation", "evaluate");

	for (int i = 0; i < r->n_escalation; i++)
		escalation[i] = Int32GetDatum(r->escalation[i]);
	rstar_pg_add_text(a, rstar_pg_search_method_name(r->setup.method));
	rstar_pg_add_bigint(a, s->candidates.value);
	rstar_pg_add_bigint(a, s->rollouts.value);
	rstar_pg_add_int(a, (int32) s->max_depth.value, !s->max_depth.given);
	rstar_pg_add(a, FLOAT8OID, Float8GetDatum(s->temperature.value), !s->temperature.given);
	rstar_pg_add_bigint(a, s->seed.value);
	rstar_pg_add(a, INT4ARRAYOID,
				 PointerGetDatum(construct_array(escalation, r->n_escalation, INT4OID,
												 sizeof(int32), true, TYPALIGN_INT)),
				 false);
	rstar_pg_add_int(a, rstar_bounded_integer(fcinfo, ARG_PER_PROBLEM, "per_problem", 1, 1000, 2),
					 false);
	rstar_pg_add_int(a, rstar_bounded_integer(fcinfo, ARG_PAIR_ROUNDS, "pair_rounds", 1, 1000, 2),
					 false);
	rstar_pg_add(a, JSONBOID, JsonbPGetDatum(policy), false);
	rstar_pg_add(a, JSONBOID, JsonbPGetDatum(ppm), false);
	rstar_pg_add(a, JSONBOID, JsonbPGetDatum(evaluation), false);
	(void) rstar_bounded_integer(fcinfo, ARG_WORKERS, "workers", 1, 256, 1);
	(void) rstar_bounded_integer(fcinfo, ARG_THREADS, "threads", 1, 256, 1);
	(void) rstar_bounded_integer(fcinfo, ARG_NICE, "nice", 0, 19, 0);
	add_optional(a, fcinfo, ARG_WORKERS);
	add_optional(a, fcinfo, ARG_THREADS);
	add_optional(a, fcinfo, ARG_NICE);
}

/* The row of a new round: what was asked for, the defaults left out. Returns its number. */
static int64
insert_round(FunctionCallInfo fcinfo, const request *r)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 round_id;

	rstar_pg_add_text(&a, r->name);
	rstar_pg_add_text(&a, GetUserNameFromId(GetUserId(), false));
	rstar_pg_add_int(&a, r->line.number, false);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(r->line.previous), r->line.previous == 0);
	rstar_pg_add_text(&a, r->preset);
	rstar_pg_add_bigint(&a, r->setup.policy->model_id);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(r->setup.ppm ? r->setup.ppm->model_id : 0),
				 !r->setup.ppm);
	rstar_pg_add_text(&a, r->setup.ppm ? r->setup.ppm->name : NULL);
	rstar_pg_add_bigint(&a, r->base->model_id);
	add_settings(&a, fcinfo, r);
	rstar_tables_begin(&scope, "rounds");
	rstar_pg_execute(
		"INSERT INTO rstar.rounds (name, created_by, number, previous_id, preset, policy_id, "
		"ppm_id,"
		" base_id, settings) VALUES ($1, $2, $3, $4, $5, $6, $7, $9,"
		" pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('ppm', $8, 'method', $10,"
		" 'candidates', $11, 'rollouts', $12, 'max_depth', $13, 'temperature', $14, 'seed', $15,"
		" 'escalation', $16, 'per_problem', $17, 'pair_rounds', $18, 'policy_training', $19,"
		" 'ppm_training', $20, 'evaluation', $21, 'workers', $22, 'threads', $23, 'nice', $24)))"
		" RETURNING round_id",
		&a, false);
	round_id = rstar_pg_result_bigint(0, "round_id", 0);
	rstar_pg_tables_end(&scope);
	return round_id;
}

static void
note_job(int64 round_id, int64 job_id)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "rounds");
	rstar_pg_add_bigint(&a, round_id);
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute("UPDATE rstar.rounds SET job_id = $2 WHERE round_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

static char *
read_name(FunctionCallInfo fcinfo)
{
	char *name = rstar_required_text(fcinfo, ARG_NAME, "name");

	if (name[0] == '\0' || strlen(name) > MAX_NAME)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a round's name has between 1 and %d bytes", MAX_NAME)));
	return name;
}

/*
 * rstar_start_round(name, problems, held_out, preset, model, ppm, method, candidates, rollouts,
 *					 max_depth, temperature, seed, base, solutions, escalation, per_problem,
 *					 pair_rounds, policy_training, ppm_training, evaluation, workers, threads, nice)
 *					 returns bigint, the round
 *
 * All queries run here, as the caller; the job that leads the round reads their rows.
 */
Datum
rstar_start_round(PG_FUNCTION_ARGS)
{
	rstar_job_request job = {.kind = "round", .nice = -1};
	request r = {0};
	int64 round_id;

	rstar_pg_job_require_workers("rstar_start_round()");
	(void) rstar_pg_job_call("search_all", rstar_pg_json_empty()); /* has the caller the right? */
	r.name = read_name(fcinfo);
	read_line(r.name, &r.line);
	check_names(&r);
	read_search(fcinfo, &r);
	read_escalation(fcinfo, &r);
	read_problems(fcinfo, &r);
	round_id = insert_round(fcinfo, &r);
	insert_problems(round_id, r.problems, r.n_problems, false);
	insert_problems(round_id, r.held_out, r.n_held_out, true);
	if (!PG_ARGISNULL(ARG_SOLUTIONS))
		insert_solutions(round_id, rstar_optional_text(fcinfo, ARG_SOLUTIONS));
	job.arguments = DatumGetJsonbP(DirectFunctionCall1(
		jsonb_in, CStringGetDatum(psprintf("{\"round_id\": " INT64_FORMAT "}", round_id))));
	note_job(round_id, rstar_pg_job_submit(&job));
	PG_RETURN_INT64(round_id);
}

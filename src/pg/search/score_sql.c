/*
 * score_sql.c
 *	  rstar_score: a given solution under the models, step by step.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/search/score.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/models/remote.h"
#include "pg/sandbox/session.h"
#include "pg/search/run.h"
#include "pg/search/settings.h"

PG_FUNCTION_INFO_V1(rstar_score);

static void
put_step(ReturnSetInfo *rsinfo, size_t i, const rstar_step_score *step)
{
	Datum values[6];
	bool nulls[6] = {false};

	values[0] = Int32GetDatum((int32) i + 1);
	values[1] = CStringGetTextDatum(rstar_step_kind_name(step->kind));
	values[2] = PointerGetDatum(cstring_to_text_with_len(step->text.data, (int) step->text.length));
	values[3] = Int32GetDatum((int32) step->tokens);
	values[4] = Float8GetDatum(step->logprob);
	values[5] = Float8GetDatum(step->ppm_score);
	nulls[5] = !step->scored;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * One step of the scoring at a time, with a look for interrupts between, as an error must not
 * be raised in the core's frames. The guard frees the scoring should anything raise; the rows
 * are copied before it is released.
 */
Datum
rstar_score(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rstar_search_setup setup = {0};
	rstar_search_parts parts = {0};
	rstar_guard *guard;
	rstar_scoring *scoring;
	const rstar_step_score *steps;
	rstar_status status;
	rstar_error err;
	char *problem, *solution;
	size_t n;

	rstar_pg_materialize(fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	rstar_pg_check_solution(PG_GETARG_TEXT_PP(1));
	problem = text_to_cstring(PG_GETARG_TEXT_PP(0));
	solution = text_to_cstring(PG_GETARG_TEXT_PP(1));
	setup.policy =
		rstar_pg_model_resolve(PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2), RSTAR_ROLE_POLICY);
	setup.ppm = rstar_pg_model_resolve_optional(PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3),
												RSTAR_ROLE_PPM);
	rstar_pg_model_require_file(setup.policy); /* its server tells nothing of given tokens */
	rstar_pg_search_open_models(&setup, &parts);

	guard = rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_scoring_free);
	rstar_check(rstar_scoring_create(&parts, rstar_pg_search_settings.value_scale,
									 (rstar_string){problem, strlen(problem)},
									 (rstar_string){solution, strlen(solution)},
									 &rstar_allocator_malloc, &rstar_pg_cancel, &scoring, &err),
				&err);
	rstar_pg_guard_hold(guard, scoring);
	while ((status = rstar_scoring_step(scoring, &rstar_pg_cancel, &err)) == RSTAR_AGAIN)
		CHECK_FOR_INTERRUPTS();
	rstar_check(status, &err);
	steps = rstar_scoring_get(scoring, &n);
	for (size_t i = 0; i < n; i++)
		put_step(rsinfo, i, &steps[i]);
	rstar_pg_guard_release(guard);
	return (Datum) 0;
}

/*
 * step.c
 *	  One run in the session's sandbox, for a verifier.
 */
#include "postgres.h"

#include "pg/base/boundary.h"
#include "pg/sandbox/session.h"
#include "pg/verify/step.h"

static void
copy_result(const rstar_sandbox_result *result, rstar_verify_run *run)
{
	run->status = result->status;
	if (result->status != RSTAR_SANDBOX_OK)
		run->error = rstar_pg_session_sandbox_error(result);
	else if (result->value && !result->value_cut)
		run->value =
			(rstar_string){pnstrdup(result->value, result->value_length), result->value_length};
}

void
rstar_pg_verify_run(rstar_sandbox_node parent, const rstar_buffer *program, bool keep,
					rstar_verify_run *run)
{
	rstar_sandbox_step step = {.code = program->data, .length = program->length, .leaf = !keep};
	rstar_sandbox_result result;

	*run = (rstar_verify_run){.value = {"", 0}};
	rstar_pg_session_sandbox_limits(&step.limits);
	if (step.length > RSTAR_SANDBOX_CODE_MAX)
	{
		run->status = RSTAR_SANDBOX_KILLED;
		run->error = "Killed: the program is too long";
		return;
	}
	rstar_pg_session_sandbox_run(parent, &step, &result);
	PG_TRY();
	{
		copy_result(&result, run);
		if (keep)
			run->node = result.node;
	}
	PG_FINALLY();
	{
		if (run->node == 0)
			rstar_pg_session_sandbox_release(result.node);
		rstar_sandbox_result_free(&result);
	}
	PG_END_TRY();
}

rstar_sandbox_node
rstar_pg_verify_base(rstar_verify_base *base,
					 rstar_status (*write)(rstar_buffer *out, rstar_error *err))
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_sandbox *sandbox = rstar_pg_session_sandbox();
	rstar_verify_run run;
	rstar_buffer program;
	rstar_error err;

	if (base->opened == rstar_pg_session_sandbox_opened())
		return base->node;
	rstar_buffer_init(&program, &allocator);
	rstar_check(write(&program, &err), &err);
	rstar_pg_verify_run(0, &program, true, &run);
	if (run.error)
	{
		rstar_pg_session_sandbox_release(run.node);
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("tests cannot run in this sandbox"), errdetail("%s", run.error),
						errhint("They need the modules json, math, fractions and decimal "
								"(rstar.sandbox_modules).")));
	}
	rstar_sandbox_set_value(sandbox, run.node, 1);
	base->node = run.node;
	base->opened = rstar_pg_session_sandbox_opened();
	return base->node;
}

bool
rstar_pg_verify_stopped(const rstar_verify_run *run)
{
	return run->status == RSTAR_SANDBOX_TIMEOUT || run->status == RSTAR_SANDBOX_KILLED;
}

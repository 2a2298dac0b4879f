/*
 * sandbox_sql.c
 *	  rstar_run_python and rstar_sandbox_info.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/base/clock.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/base/settings.h"
#include "pg/sandbox/session.h"
#include "pg/sandbox/settings.h"

PG_FUNCTION_INFO_V1(rstar_run_python);
PG_FUNCTION_INFO_V1(rstar_sandbox_info);

/* --- rstar_run_python -------------------------------------------------------------- */

static Datum
result_row(FunctionCallInfo fcinfo, const rstar_sandbox_result *result)
{
	TupleDesc descriptor;
	Datum values[5];
	bool nulls[5] = {false};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	descriptor = BlessTupleDesc(descriptor);
	values[0] = CStringGetTextDatum(rstar_pg_session_sandbox_status(result->status));
	values[1] = PointerGetDatum(rstar_pg_session_sandbox_output(result));
	nulls[2] = result->value == NULL;
	if (result->value)
		values[2] = PointerGetDatum(rstar_pg_session_sandbox_value(result));
	nulls[3] = result->status == RSTAR_SANDBOX_OK;
	if (!nulls[3])
		values[3] = CStringGetTextDatum(rstar_pg_session_sandbox_error(result));
	values[4] = Float8GetDatum(result->elapsed_ms);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

/*
 * rstar_run_python(code text, timeout integer): one row
 */
Datum
rstar_run_python(PG_FUNCTION_ARGS)
{
	rstar_sandbox_step step = {.leaf = true};
	rstar_sandbox_result result;
	text *code;
	volatile Datum row = (Datum) 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	code = PG_GETARG_TEXT_PP(0);
	rstar_pg_session_sandbox_limits(&step.limits);
	if (!PG_ARGISNULL(1))
	{
		step.limits.wall_ms =
			(uint32) rstar_pg_option_int("timeout", true, PG_GETARG_INT32(1), NULL);
		/* Who asks for more time means more of either kind. */
		step.limits.cpu_ms = Max(step.limits.cpu_ms, step.limits.wall_ms);
	}
	step.code = VARDATA_ANY(code);
	step.length = VARSIZE_ANY_EXHDR(code);
	rstar_pg_session_sandbox_run(0, &step, &result);
	PG_TRY();
	{
		row = result_row(fcinfo, &result);
	}
	PG_FINALLY();
	{
		rstar_pg_session_sandbox_release(result.node);
		rstar_sandbox_result_free(&result);
	}
	PG_END_TRY();
	PG_RETURN_DATUM(row);
}

/* --- rstar_sandbox_info ---------------------------------------------------------------- */

static void
info_row(ReturnSetInfo *rsinfo, const char *name, bool active, const char *detail)
{
	Datum values[3];
	bool nulls[3] = {false};

	values[0] = CStringGetTextDatum(name);
	values[1] = BoolGetDatum(active);
	nulls[2] = detail == NULL;
	if (detail)
		values[2] = CStringGetTextDatum(detail);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
confinement_rows(ReturnSetInfo *rsinfo, const rstar_sandbox_description *info)
{
	info_row(rsinfo, "seccomp", info->seccomp, "system calls that a step can make: an allowlist");
	info_row(rsinfo, "notification", info->snapshots,
			 info->snapshots ? "the state before a step is kept as a parked process"
							 : "the state before a step is rebuilt by running its code again");
	info_row(rsinfo, "landlock", info->landlock > 0,
			 info->landlock > 0
				 ? psprintf("ABI %u: no files, no network, no signals", info->landlock)
				 : "this kernel does not offer Landlock");
	info_row(rsinfo, "namespaces", info->namespaces,
			 info->namespaces ? "user, mount (an empty root), process, network, IPC, UTS"
							  : "not allowed here, or turned off");
	info_row(rsinfo, "broker", info->broker_confined, "the supervising process is confined too");
	info_row(rsinfo, "memory_measured", info->measured,
			 info->measured ? "from the kernel's figures"
							: "no /proc: each process counts as all that it may use");
	info_row(rsinfo, "huge_pages", info->huge_pages,
			 "the interpreter lies in huge pages: faster forks");
	info_row(rsinfo, "fixed_addresses", info->fixed_addresses,
			 "equal code gives equal output even where addresses decide an order");
}

static void
limit_rows(ReturnSetInfo *rsinfo)
{
	rstar_sandbox_limits limits;

	rstar_pg_session_sandbox_limits(&limits);
	info_row(rsinfo, "timeout", true, psprintf("%u ms", limits.wall_ms));
	info_row(rsinfo, "cpu_timeout", true, psprintf("%u ms", limits.cpu_ms));
	info_row(rsinfo, "step_memory", true,
			 psprintf("%d MB", rstar_pg_sandbox_settings.sandbox_step_memory_mb));
	info_row(rsinfo, "memory", true,
			 psprintf("%d MB", rstar_pg_sandbox_settings.sandbox_memory_mb));
	info_row(rsinfo, "output", true, psprintf("%u bytes", limits.output));
}

static void
statistics_rows(ReturnSetInfo *rsinfo, const rstar_sandbox_description *info,
				const rstar_sandbox_statistics *s)
{
	info_row(rsinfo, "python", true, info->python);
	info_row(rsinfo, "template", info->template_bytes[0] > 0,
			 psprintf(UINT64_FORMAT " kB", info->template_bytes[0] >> 10));
	info_row(rsinfo, "template_sympy", info->template_bytes[1] > 0,
			 info->template_bytes[1] > 0
				 ? psprintf(UINT64_FORMAT " kB", info->template_bytes[1] >> 10)
				 : "loaded when a step first asks for it");
	info_row(rsinfo, "shared", info->shared,
			 info->shared ? "the template is the whole server's"
						  : "this session loaded a template of its own");
	info_row(rsinfo, "process", info->pid > 0,
			 info->pid > 0 ? psprintf("%d", info->pid) : "not a child of this session");
	info_row(rsinfo, "steps", true,
			 psprintf(UINT64_FORMAT " run, " UINT64_FORMAT " stopped by time, " UINT64_FORMAT
									" killed, " UINT64_FORMAT " states rebuilt",
					  s->broker.steps, s->broker.timeouts, s->broker.killed, s->rebuilds));
	info_row(rsinfo, "in_use", true,
			 psprintf(UINT64_FORMAT " kB, at most " UINT64_FORMAT " kB, " UINT64_FORMAT
									" states kept, " UINT64_FORMAT " evicted",
					  s->broker.bytes >> 10, s->broker.peak >> 10, s->broker.snapshots,
					  s->broker.evictions));
}

/*
 * rstar_sandbox_info(): rows (name, active, detail). Starts the sandbox, since
 * what is in force is known only then.
 */
Datum
rstar_sandbox_info(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rstar_sandbox *sandbox = rstar_pg_session_sandbox();
	rstar_sandbox_description info;
	rstar_sandbox_statistics statistics;
	rstar_status status;
	rstar_error err;

	rstar_pg_materialize(fcinfo);
	while ((status = rstar_sandbox_describe(sandbox, RSTAR_SLICE_MS, &rstar_pg_cancel, &info,
											&err)) == RSTAR_AGAIN)
		CHECK_FOR_INTERRUPTS();
	rstar_check(status, &err);
	while ((status = rstar_sandbox_count(sandbox, RSTAR_SLICE_MS, &rstar_pg_cancel, &statistics,
										 &err)) == RSTAR_AGAIN)
		CHECK_FOR_INTERRUPTS();
	rstar_check(status, &err);
	confinement_rows(rsinfo, &info);
	limit_rows(rsinfo);
	statistics_rows(rsinfo, &info, &statistics);
	return (Datum) 0;
}

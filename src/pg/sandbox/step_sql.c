/*
 * step_sql.c
 *	  Solutions taken apart and run: rstar_split_steps, rstar_run_steps; prompts of
 *	  model families: rstar_prompt_template.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/step/family.h"
#include "core/step/split.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/sandbox/session.h"
#include "pg/base/settings.h"

PG_FUNCTION_INFO_V1(rstar_split_steps);
PG_FUNCTION_INFO_V1(rstar_run_steps);
PG_FUNCTION_INFO_V1(rstar_prompt_template_of);

/* What no model can write, and the core would search for tags for longer than 50 ms. */
#define LONGEST_SOLUTION (4 * 1024 * 1024)

void
rstar_pg_check_solution_bytes(size_t length)
{
	if (length > LONGEST_SOLUTION)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a solution of %zu bytes is too long", length),
						errdetail("The limit is %d bytes.", LONGEST_SOLUTION)));
}

void
rstar_pg_check_solution(const text *solution)
{
	rstar_pg_check_solution_bytes(VARSIZE_ANY_EXHDR(solution));
}

static void
begin_split(rstar_splitter *splitter, text *solution)
{
	size_t length = VARSIZE_ANY_EXHDR(solution);

	rstar_pg_check_solution(solution);
	rstar_splitter_init(splitter, VARDATA_ANY(solution), length);
}

/*
 * rstar_split_steps(solution): rows (part, kind, block, content, closed)
 */
Datum
rstar_split_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	text *solution = PG_GETARG_TEXT_PP(0);
	rstar_splitter splitter;
	rstar_part part;
	int32 n = 0;

	rstar_pg_materialize(fcinfo);
	begin_split(&splitter, solution);
	while (rstar_splitter_next(&splitter, &part))
	{
		Datum values[5];
		bool nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(++n);
		values[1] = CStringGetTextDatum(rstar_part_kind_name(part.kind));
		values[2] = Int32GetDatum(part.block);
		nulls[2] = part.block == 0;
		values[3] =
			PointerGetDatum(cstring_to_text_with_len(part.content.data, (int) part.content.length));
		values[4] = BoolGetDatum(part.closed);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* --- running -------------------------------------------------------------------- */

static void
put_result(ReturnSetInfo *rsinfo, int32 n, const rstar_part *part,
		   const rstar_sandbox_result *result)
{
	Datum values[7];
	bool nulls[7] = {false};

	values[0] = Int32GetDatum(n);
	values[1] =
		PointerGetDatum(cstring_to_text_with_len(part->content.data, (int) part->content.length));
	values[2] = CStringGetTextDatum(rstar_pg_session_sandbox_status(result->status));
	values[3] = PointerGetDatum(rstar_pg_session_sandbox_output(result));
	nulls[4] = result->value == NULL;
	if (result->value)
		values[4] = PointerGetDatum(rstar_pg_session_sandbox_value(result));
	nulls[5] = result->status == RSTAR_SANDBOX_OK;
	if (!nulls[5])
		values[5] = CStringGetTextDatum(rstar_pg_session_sandbox_error(result));
	values[6] = Float8GetDatum(result->elapsed_ms);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* One step on top of `parent`; the node is the caller's to release. */
static rstar_sandbox_node
run_step(ReturnSetInfo *rsinfo, int32 n, const rstar_part *part, rstar_sandbox_node parent,
		 const rstar_sandbox_limits *limits)
{
	rstar_sandbox_step step = {
		.code = part->content.data, .length = part->content.length, .limits = *limits};
	rstar_sandbox_result result;
	rstar_sandbox_node node;

	rstar_pg_session_sandbox_run(parent, &step, &result);
	node = result.node;
	PG_TRY();
	{
		put_result(rsinfo, n, part, &result);
	}
	PG_CATCH();
	{
		rstar_sandbox_result_free(&result);
		rstar_pg_session_sandbox_release(node);
		PG_RE_THROW();
	}
	PG_END_TRY();
	rstar_sandbox_result_free(&result);
	return node;
}

/* Every step on top of the one before; *parent is the last that stands. */
static void
run_all(ReturnSetInfo *rsinfo, text *solution, const rstar_sandbox_limits *limits,
		volatile rstar_sandbox_node *parent)
{
	rstar_splitter splitter;
	rstar_part part;
	int32 n = 0;

	begin_split(&splitter, solution);
	while (rstar_splitter_next(&splitter, &part))
	{
		rstar_sandbox_node node;

		CHECK_FOR_INTERRUPTS();
		if (part.kind != RSTAR_PART_CODE)
			continue;
		node = run_step(rsinfo, ++n, &part, *parent, limits);
		/* The client keeps what descendants need. */
		if (*parent)
			rstar_pg_session_sandbox_release(*parent);
		*parent = node;
	}
}

/*
 * rstar_run_steps(solution, timeout): rows (step, code, status, output, value,
 * error, elapsed). Each step runs on the state of those before it; a failed one
 * leaves no state.
 */
Datum
rstar_run_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rstar_sandbox_limits limits;
	volatile rstar_sandbox_node parent = 0;

	rstar_pg_materialize(fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	rstar_pg_session_sandbox_limits(&limits);
	if (!PG_ARGISNULL(1))
	{
		limits.wall_ms = (uint32) rstar_pg_option_int("timeout", true, PG_GETARG_INT32(1), NULL);
		limits.cpu_ms = Max(limits.cpu_ms, limits.wall_ms);
	}
	PG_TRY();
	{
		run_all(rsinfo, PG_GETARG_TEXT_PP(0), &limits, &parent);
	}
	PG_FINALLY();
	{
		if (parent)
			rstar_pg_session_sandbox_release(parent);
	}
	PG_END_TRY();
	return (Datum) 0;
}

/*
 * rstar_prompt_template(family text, examples integer) returns text
 */
Datum
rstar_prompt_template_of(PG_FUNCTION_ARGS)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	char *family = rstar_required_text(fcinfo, 0, "family");
	rstar_buffer out;
	rstar_error err;

	if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must not be negative", "examples")));
	rstar_buffer_init(&out, &allocator);
	rstar_check(
		rstar_family_template(family, PG_ARGISNULL(1) ? -1 : PG_GETARG_INT32(1), &out, &err), &err);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, (int) out.length));
}

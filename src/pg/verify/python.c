/*
 * python.c
 *	  Verifiers that are a checker program: it sees the answer as a text, and the answer sees
 *	  nothing.
 *
 * The checker runs on a fresh state of the sandbox, where no code of the solution
 * has run or will run. Its last expression is the grade. If it raises, that is its
 * own failure. If a limit stops it, the answer may be made to exhaust it: what the
 * checker does with an empty answer tells which.
 */
#include "postgres.h"

#include <math.h>

#include "core/verify/python.h"
#include "pg/base/boundary.h"
#include "pg/verify/step.h"
#include "pg/verify/verifier.h"

static void
write_program(const rstar_verifier *verifier, const rstar_verification *v, rstar_string answer,
			  rstar_string solution, rstar_buffer *out)
{
	rstar_error err;

	if (!rstar_verify_assign(out, "statement", v->statement) ||
		!rstar_verify_assign(out, "data", v->data) || !rstar_verify_assign(out, "answer", answer) ||
		!rstar_verify_assign(out, "solution", solution) ||
		!rstar_buffer_append_text(out, verifier->program))
		rstar_pg_raise(rstar_error_memory(&err, out->length), &err);
}

static void
run_checker(const rstar_verifier *verifier, const rstar_verification *v, rstar_string answer,
			rstar_string solution, rstar_verify_run *run)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_buffer program;

	rstar_buffer_init(&program, &allocator);
	write_program(verifier, v, answer, solution, &program);
	rstar_pg_verify_run(0, &program, false, run);
}

/* The number that is the value; NaN: it is none. */
static double
grade_of(const rstar_string value)
{
	char *end;
	double grade;

	if (strcmp(value.data, "True") == 0)
		return 1;
	if (strcmp(value.data, "False") == 0)
		return -1;
	grade = strtod(value.data, &end);
	return value.length > 0 && *end == '\0' ? grade : NAN;
}

void
rstar_pg_verify_python(const rstar_verifier *verifier, const rstar_verification *v,
					   rstar_search_verdict *verdict)
{
	const rstar_string nothing = {"", 0};
	rstar_verify_run run, without;

	run_checker(verifier, v, v->answer, v->solution, &run);
	if (rstar_pg_verify_stopped(&run))
	{
		verdict->by_clock = true;
		run_checker(verifier, v, nothing, nothing, &without);
		if (rstar_pg_verify_stopped(&without))
			rstar_pg_verify_fail(verdict, RSTAR_ERR_LIMIT, verifier, "was stopped by a limit",
								 without.error);
		rstar_pg_verify_say(verdict, "the checker was stopped: %s", run.error);
		return;
	}
	if (run.error)
		rstar_pg_verify_fail(verdict, RSTAR_ERR_ARGUMENT, verifier, "raised an error", run.error);
	else if (isnan(grade_of(run.value)))
		rstar_pg_verify_fail(
			verdict, RSTAR_ERR_ARGUMENT, verifier, "gave no grade",
			psprintf("The value of its last expression is \"%.60s\".", run.value.data));
	else
		rstar_pg_verify_grade(verdict, verifier, grade_of(run.value));
}

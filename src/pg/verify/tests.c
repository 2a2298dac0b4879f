/*
 * tests.c
 *	  Verifiers that test the functions which a solution defines: see core/verify/tests.h.
 */
#include "postgres.h"

#include <ctype.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/verify/tests.h"
#include "pg/base/boundary.h"
#include "pg/sandbox/session.h"
#include "pg/verify/step.h"
#include "pg/verify/verifier.h"

/* After so many calls of a turn that a limit stopped, the others are not made. */
#define MOST_STOPPED 2

typedef struct testing
{
	const rstar_verifier *verifier;
	rstar_search_verdict *verdict;
	rstar_verify_tests *tests;
	rstar_allocator allocator;
	rstar_sandbox_node solution; /* on which its program has run */
} testing;

/* What the session keeps: where checkers begin, and where solutions do. */
static rstar_verify_base checkers, solutions;

/*
 * The first turn of a checker depends on nothing but the tests, and a search has many answers of
 * the same problem.
 */
static struct
{
	char *program, *tests; /* NULL: none is kept */
	char *value;
} first_turn;

static void
check_memory(bool done)
{
	rstar_error err;

	if (!done)
		rstar_pg_raise(rstar_error_memory(&err, 0), &err);
}

/* --- the solution's side ---------------------------------------------------------------- */

/* The code of the steps; and the answer, where it defines a function or there are no steps. */
static bool
append_program(const rstar_verification *v, rstar_buffer *out)
{
	rstar_string answer = v->answer;
	bool defines = (answer.length > 4 && memcmp(answer.data, "def ", 4) == 0) ||
				   memmem(answer.data, answer.length, "\ndef ", 5) != NULL;
	bool steps = false;

	for (size_t i = 0; i < v->program.length; i++)
		steps |= !isspace((unsigned char) v->program.data[i]);
	return rstar_buffer_append(out, v->program.data, v->program.length) &&
		   ((steps && !defines) || (rstar_buffer_append_text(out, "\n") &&
									rstar_buffer_append(out, answer.data, answer.length)));
}

/* Make n calls; false: they came to nothing, as a limit stopped them or what came back is none. */
static bool
make_calls(testing *t, uint32 first, uint32 n)
{
	rstar_buffer program;
	rstar_verify_run run;
	rstar_error err;

	rstar_buffer_init(&program, &t->allocator);
	rstar_check(rstar_verify_tests_calls(t->tests, first, n, &program, &err), &err);
	rstar_pg_verify_run(t->solution, &program, false, &run);
	rstar_buffer_free(&program);
	t->verdict->by_clock |= rstar_pg_verify_stopped(&run);
	return rstar_verify_tests_results(t->tests, first, n, run.value);
}

/* All calls of a turn in one run; if that came to nothing, one by one. */
static void
make_all_calls(testing *t, uint32 n)
{
	int stopped = 0;

	if (make_calls(t, 0, n))
		return;
	for (uint32 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if ((n > 1 && stopped < MOST_STOPPED && make_calls(t, i, 1)))
			continue;
		stopped++;
		check_memory(rstar_verify_tests_lost(t->tests, i));
	}
}

/* --- the checker's side ------------------------------------------------------------------- */

/* Whether the kept first turn is that of these tests. */
static bool
knows_first_turn(const char *program, const char *tests)
{
	return first_turn.value && strcmp(first_turn.program, program) == 0 &&
		   strcmp(first_turn.tests, tests) == 0;
}

static void
keep_first_turn(const char *program, const char *tests, const char *value)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	if (first_turn.value)
	{
		pfree(first_turn.value);
		first_turn.value = NULL;
		pfree(first_turn.program);
		pfree(first_turn.tests);
	}
	first_turn.program = pstrdup(program);
	first_turn.tests = pstrdup(tests);
	first_turn.value = pstrdup(value);
	MemoryContextSwitchTo(caller);
}

/*
 * What the checker says in this turn; NULL: there is a verdict. What stops it before it has seen any
 * result is its own fault; afterwards what it was given may have been made to.
 */
static char *
run_checker(testing *t, bool first)
{
	rstar_buffer program;
	rstar_verify_run run;
	rstar_error err;

	rstar_buffer_init(&program, &t->allocator);
	rstar_check(rstar_verify_tests_checker(t->tests, &program, &err), &err);
	rstar_pg_verify_run(rstar_pg_verify_base(&checkers, rstar_verify_tests_checkers), &program,
						false, &run);
	rstar_buffer_free(&program);
	if (!run.error)
		return unconstify(char *, run.value.data);
	if (first)
		rstar_pg_verify_fail(t->verdict, RSTAR_ERR_LIMIT, t->verifier, "could not run the tests",
							 run.error);
	rstar_pg_verify_say(t->verdict, "the tests were stopped: %s", run.error);
	t->verdict->by_clock = true;
	return NULL;
}

/* One turn, in reply; false: there is a verdict. */
static bool
take_turn(testing *t, const rstar_verification *v, bool first, rstar_verify_reply *reply)
{
	const char *program = t->verifier->program ? t->verifier->program : "";
	const char *tests = pnstrdup(v->data.data, v->data.length);
	bool known = first && knows_first_turn(program, tests);
	char *value = known ? pstrdup(first_turn.value) : run_checker(t, first);
	rstar_error err;

	if (!value)
		return false;
	if (rstar_verify_tests_reply(t->tests, (rstar_string){value, strlen(value)}, reply, &err) !=
		RSTAR_OK)
	{
		rstar_pg_verify_fail(t->verdict, RSTAR_ERR_LIMIT, t->verifier, "could not run the tests",
							 err.message);
		return false;
	}
	if (first && !known)
		keep_first_turn(program, tests, value);
	if (reply->broken)
		rstar_pg_verify_fail(t->verdict, RSTAR_ERR_ARGUMENT, t->verifier, "has broken tests",
							 rstar_pg_clean_text(reply->broken, strlen(reply->broken)));
	return !reply->broken;
}

/* Run the solution's program, on whose state calls are made. False: it fails. */
static bool
load_solution(testing *t, const rstar_verification *v)
{
	rstar_buffer program;
	rstar_verify_run run;

	rstar_buffer_init(&program, &t->allocator);
	check_memory(append_program(v, &program));
	rstar_pg_verify_run(rstar_pg_verify_base(&solutions, rstar_verify_tests_solutions), &program,
						true, &run);
	rstar_buffer_free(&program);
	t->solution = run.node;
	t->verdict->by_clock |= rstar_pg_verify_stopped(&run);
	if (run.error)
		rstar_pg_verify_say(t->verdict, "the program failed: %s", run.error);
	return !run.error;
}

/*
 * The checker comes first, so that broken tests are found whatever the solution is. The
 * solution's program runs once, when the first call is to be made, and the calls of each turn on a
 * copy of its state.
 */
static void
take_turns(testing *t, const rstar_verification *v)
{
	rstar_verify_reply reply;

	for (int turn = 0; turn < RSTAR_VERIFY_TURNS; turn++)
	{
		if (!take_turn(t, v, turn == 0, &reply))
			return;
		if (reply.calls == 0)
		{
			rstar_pg_verify_say(t->verdict, "%u of %u tests passed", reply.passed, reply.total);
			rstar_pg_verify_grade(t->verdict, t->verifier, 2.0 * reply.passed / reply.total - 1);
			return;
		}
		if (turn == 0 && !load_solution(t, v))
			return;
		make_all_calls(t, reply.calls);
	}
	rstar_pg_verify_fail(t->verdict, RSTAR_ERR_LIMIT, t->verifier, "could not run the tests",
						 "Calls follow from results too often.");
}

void
rstar_pg_verify_tests(const rstar_verifier *verifier, const rstar_verification *v,
					  rstar_search_verdict *verdict)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_verify_tests_free);
	testing *t = palloc0(sizeof *t);
	rstar_string program = {verifier->program ? verifier->program : "",
							verifier->program ? strlen(verifier->program) : 0};
	rstar_error err;

	t->verifier = verifier;
	t->verdict = verdict;
	t->allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_check(rstar_verify_tests_create(program, v->data, &t->tests, &err), &err);
	rstar_pg_guard_hold(guard, t->tests);
	PG_TRY();
	{
		take_turns(t, v);
	}
	PG_FINALLY();
	{
		if (t->solution)
			rstar_pg_session_sandbox_release(t->solution);
	}
	PG_END_TRY();
	rstar_pg_guard_release(guard);
}

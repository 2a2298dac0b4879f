/*
 * tests.h
 *	  Testing a solution's functions without showing it the tests.
 *
 * Tests are Python assertions that call functions which the solution defines. They
 * never enter the process in which the solution's code runs. Two processes of the
 * sandbox take turns, and neither ever holds the other's code:
 *
 *		checker		runs the tests. A function that they do not define themselves is a
 *					stand-in, which knows the results of earlier turns and otherwise
 *					notes the call and gives up that test
 *		solution	has run the solution's code; is given the noted calls, arguments as data,
 *					and says what came of them, as data
 *
 * until no call is missing. So all that a solution can say is what its functions
 * return for arguments that it sees; whether that is right is decided where it is not.
 *
 * This module writes the programs and reads the replies; running them is the
 * caller's affair:
 *
 *		rstar_verify_tests_create(&tests);
 *		do
 *		{
 *			rstar_verify_tests_checker(tests, &program);		run it on a node of checkers
 *			rstar_verify_tests_reply(tests, value, &reply);
 *			rstar_verify_tests_calls(tests, 0, reply.calls, &program);	run it on the solution's node
 *			rstar_verify_tests_results(tests, 0, reply.calls, value);
 *		} while (reply.calls > 0);
 *
 * What all checkers begin with, and what is there before a solution's code runs, are programs of
 * their own, so that a session runs each once and starts from its state.
 */
#ifndef RSTAR_VERIFY_TESTS_H
#define RSTAR_VERIFY_TESTS_H

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/base/string.h"

typedef struct rstar_verify_tests rstar_verify_tests;

/* Turns of one solution: a test may call a function with what it returned before. */
#define RSTAR_VERIFY_TURNS 64

/* Calls of one turn. */
#define RSTAR_VERIFY_CALLS 4096

/*
 * program: what runs before the tests. tests: assertions, or {"function": name, "pairs":
 * [[[argument, ...], result], ...]}. Both must outlive it. Errors: MEMORY.
 */
extern rstar_status rstar_verify_tests_create(rstar_string program, rstar_string tests,
											  rstar_verify_tests **out, rstar_error *err);
extern void rstar_verify_tests_free(rstar_verify_tests *tests); /* NULL is allowed */

/* What is run before checkers, and before solutions. Errors: MEMORY. */
extern rstar_status rstar_verify_tests_checkers(rstar_buffer *out, rstar_error *err);
extern rstar_status rstar_verify_tests_solutions(rstar_buffer *out, rstar_error *err);

/* Append the checker's program, whose value is its reply. Errors: MEMORY. */
extern rstar_status rstar_verify_tests_checker(const rstar_verify_tests *tests, rstar_buffer *out,
											   rstar_error *err);

/* What the checker said. */
typedef struct rstar_verify_reply
{
	uint32_t calls;         /* to be made before it can say more; 0: it is done */
	uint32_t passed, total; /* … then, of the tests */
	const char *broken;     /* what is wrong with the tests; NULL: nothing */
} rstar_verify_reply;

/*
 * Read it; texts live until the next. Errors: CORRUPT (not a reply), LIMIT (too many calls), MEMORY.
 */
extern rstar_status rstar_verify_tests_reply(rstar_verify_tests *tests, rstar_string value,
											 rstar_verify_reply *reply, rstar_error *err);

/*
 * Append the program that makes n of the calls, from the first-th on, in the process of the
 * solution; its value is the results. Errors: MEMORY.
 */
extern rstar_status rstar_verify_tests_calls(const rstar_verify_tests *tests, uint32_t first,
											 uint32_t n, rstar_buffer *out, rstar_error *err);

/*
 * Take the results of these calls; hostile bytes. False: they are none, as when the process was
 * stopped (value of length 0).
 */
extern bool rstar_verify_tests_results(rstar_verify_tests *tests, uint32_t first, uint32_t n,
									   rstar_string value);

/* Call number i never came back: it counts as an exception. False: no memory. */
extern bool rstar_verify_tests_lost(rstar_verify_tests *tests, uint32_t i);

#endif

/*
 * verifier.h
 *	  Verifiers: how the answers of a problem are graded other than by a known answer.
 *
 * A verifier is a row of rstar.verifiers. Four kinds:
 *
 *		tests		Python assertions, or pairs of inputs and outputs, about the solution's functions
 *		python		a checker program in the sandbox that sees the answer as a text
 *		sql			the answer is a query, and its rows are compared with those of another
 *		function	a SQL function of the verifier's owner
 *
 * A grade is a number from -1 (wrong) to 1 (right), and nothing but 1 is right. What goes
 * wrong with the solution is a grade; what goes wrong with the verifier (a checker that
 * raises, a reference query that fails, a function that is not there) is the problem's
 * failure: it says nothing of the solution.
 */
#ifndef RSTAR_PG_VERIFY_VERIFIER_H
#define RSTAR_PG_VERIFY_VERIFIER_H

#include "postgres.h"

#include <signal.h>

#include "nodes/pg_list.h"

#include "core/search/search.h"

typedef enum rstar_verifier_kind
{
	RSTAR_VERIFIER_TESTS,
	RSTAR_VERIFIER_PYTHON,
	RSTAR_VERIFIER_SQL,
	RSTAR_VERIFIER_FUNCTION,
	RSTAR_N_VERIFIER_KINDS
} rstar_verifier_kind;

/* "tests", ... */
extern const char *rstar_pg_verifier_kind_name(rstar_verifier_kind kind);

/* A row of rstar.verifiers; texts that its kind does not have are NULL. */
typedef struct rstar_verifier
{
	const char *name;
	rstar_verifier_kind kind;
	const char *created_by;
	const char *program;                         /* tests, python */
	const char *function_schema, *function_name; /* function */
	List *schemas;                               /* sql: of char * */
	const char *role;                            /* sql: that runs the queries */
} rstar_verifier;

/* An answer to be graded. */
typedef struct rstar_verification
{
	int64 problem_id;
	rstar_string statement;
	rstar_string data;     /* rstar.problems.answer: tests, a query, what a checker needs */
	rstar_string answer;   /* of the solution */
	rstar_string solution; /* the whole of it */
	rstar_string program;  /* the code of its steps */
} rstar_verification;

/*
 * Grade an answer by the verifier of that name, in a transaction and with an active snapshot, as
 * the current user. What it takes comes from the current memory context. Raises for a cancel and
 * when the machinery fails (the sandbox does not start); everything else is a verdict.
 */
extern void rstar_pg_verify(const char *name, const rstar_verification *v,
							rstar_search_verdict *verdict);

/* --- for the kinds --------------------------------------------------------------------- */

/* The problem's failure: "verifier "x" ..." with a detail; the status chooses the SQLSTATE. */
extern void rstar_pg_verify_fail(rstar_search_verdict *verdict, rstar_status status,
								 const rstar_verifier *verifier, const char *what,
								 const char *detail);

/* Why the grade is what it is, in words; the first that is said counts. */
extern void rstar_pg_verify_say(rstar_search_verdict *verdict, const char *format, ...)
	pg_attribute_printf(2, 3);

/* A grade; one that is none (NaN, beyond the bounds) is the verifier's failure. */
extern void rstar_pg_verify_grade(rstar_search_verdict *verdict, const rstar_verifier *verifier,
								  double grade);

extern void rstar_pg_verify_tests(const rstar_verifier *verifier, const rstar_verification *v,
								  rstar_search_verdict *verdict);
extern void rstar_pg_verify_python(const rstar_verifier *verifier, const rstar_verification *v,
								   rstar_search_verdict *verdict);
extern void rstar_pg_verify_sql(const rstar_verifier *verifier, const rstar_verification *v,
								rstar_search_verdict *verdict);
extern void rstar_pg_verify_function(const rstar_verifier *verifier, const rstar_verification *v,
									 rstar_search_verdict *verdict);

typedef enum rstar_verify_end
{
	RSTAR_VERIFY_KEEP, /* what it changed */
	RSTAR_VERIFY_UNDO
} rstar_verify_end;

/*
 * Run `work` in a subtransaction. True: it returned, and what it did is kept or undone. False: it
 * raised, all of it is undone, and *error has what; a cancel (unless *expired, which may be NULL,
 * says that it was a time-out of the work's own) and the end of the session are raised again. The
 * user and, on failure or when undone, the settings are what they were.
 */
extern bool rstar_pg_verify_contained(void (*work)(void *arg), void *arg, rstar_verify_end end,
									  const volatile sig_atomic_t *expired, ErrorData **error);

/*
 * The function's Oid, or InvalidOid. Its arguments are (bigint, text, text), its result float8.
 */
extern Oid rstar_pg_verifier_function(const char *schema, const char *name);

/*
 * Why that function must not be a verifier of that role, or NULL: it is no plain function of that
 * form, or belongs neither to the role, nor to one whose rights that has, nor to a superuser.
 */
extern const char *rstar_pg_verifier_function_refused(Oid function, Oid owner);

#endif

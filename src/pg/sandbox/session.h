/*
 * session.h
 *	  The session's sandbox.
 *
 * A session has at most one; it is opened at first use with the settings of
 * that moment and opened anew when one of those settings has changed. It ends
 * with the session, however that ends.
 */
#ifndef RSTAR_PG_SANDBOX_SESSION_H
#define RSTAR_PG_SANDBOX_SESSION_H

#include "postgres.h"

#include "core/sandbox/sandbox.h"

/* The sandbox; raises. Handles of nodes are void after a change of settings. */
extern rstar_sandbox *rstar_pg_session_sandbox(void);

/* Counts how often it was opened: what hangs on nodes of another is void. */
extern uint64 rstar_pg_session_sandbox_opened(void);

/* The path of the program. */
extern void rstar_pg_session_sandbox_program(char *path, Size size);

/* The modules' names, one per line, in malloc'ed memory; NULL: out of memory. */
extern char *rstar_pg_session_sandbox_modules(void);

/* The limits of a step that the settings ask for. */
extern void rstar_pg_session_sandbox_limits(rstar_sandbox_limits *limits);

/*
 * Run a step and wait, serving interrupts; raises on failure of the sandbox,
 * not of the code. The node stays until it is released; by an error it is.
 */
extern void rstar_pg_session_sandbox_run(rstar_sandbox_node parent, const rstar_sandbox_step *step,
										 rstar_sandbox_result *result);

/* Release a node of the session's sandbox, if that is still open; never raises. */
extern void rstar_pg_session_sandbox_release(rstar_sandbox_node node);

/* How results read in SQL: "ok", "error", "timeout" or "killed". */
extern const char *rstar_pg_session_sandbox_status(rstar_sandbox_status status);

/*
 * What was printed, and the value, as text; the value of a result that has one.
 * Where the limit cut something off, a last line says so. palloc'd.
 */
extern text *rstar_pg_session_sandbox_output(const rstar_sandbox_result *result);
extern text *rstar_pg_session_sandbox_value(const rstar_sandbox_result *result);

/* "ZeroDivisionError: division by zero (line 3)"; palloc'd. */
extern char *rstar_pg_session_sandbox_error(const rstar_sandbox_result *result);

/* Raises ERRCODE_PROGRAM_LIMIT_EXCEEDED for a solution that is too long to be searched for its steps. */
extern void rstar_pg_check_solution(const text *solution);
extern void rstar_pg_check_solution_bytes(size_t length);

#endif

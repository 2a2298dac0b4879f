/*
 * step.h
 *	  One run in the session's sandbox, for a verifier.
 */
#ifndef RSTAR_PG_VERIFY_STEP_H
#define RSTAR_PG_VERIFY_STEP_H

#include "postgres.h"

#include "core/sandbox/sandbox.h"

/* What came of it; texts are palloc'd. */
typedef struct rstar_verify_run
{
	rstar_sandbox_status status;
	rstar_sandbox_node node; /* 0: not kept */
	rstar_string value;      /* of the last expression; length 0: none, or it was cut */
	char *error;             /* "ZeroDivisionError: ..."; NULL: none */
} rstar_verify_run;

/*
 * Run a program on a node (0: the root, where no other code has run) and wait. keep: more is to be
 * run on it, and the caller releases the node. Raises for a cancel and when the sandbox fails.
 */
extern void rstar_pg_verify_run(rstar_sandbox_node parent, const rstar_buffer *program, bool keep,
								rstar_verify_run *run);

/*
 * A node on which a program of ours has run, kept for the session: `base` is where the caller
 * remembers it. write appends the program. Raises as above, and if it fails.
 */
typedef struct rstar_verify_base
{
	rstar_sandbox_node node;
	uint64 opened; /* the sandbox in which it is */
} rstar_verify_base;

extern rstar_sandbox_node rstar_pg_verify_base(rstar_verify_base *base,
											   rstar_status (*write)(rstar_buffer *out,
																	 rstar_error *err));

/* Whether a limit of time, memory or the like stopped the run. */
extern bool rstar_pg_verify_stopped(const rstar_verify_run *run);

#endif

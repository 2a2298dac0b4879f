/*
 * sandbox.h
 *	  Running steps' Python outside this process, where it can reach nothing.
 *
 * A sandbox is a tree of steps. Each node is a step's code, run on top of its
 * ancestors' state. The work is done by the program rstar-sandbox, which this
 * client starts when it is first needed and ends with rstar_sandbox_close();
 * it also ends by itself when this process dies. Several steps can run at the
 * same time:
 *
 *		rstar_sandbox_open(&options, allocator, &sandbox, &err);
 *		for (each candidate)
 *			rstar_sandbox_start(sandbox, parent, &step, &node[i], &err);
 *		while (rstar_sandbox_in_flight(sandbox) > 0)
 *			if (rstar_sandbox_wait(sandbox, 50, cancel, &result, &err) == RSTAR_OK)
 *				... result.node tells which ...
 *		rstar_sandbox_release(sandbox, node);
 *
 * The state of a finished step is kept as a parked process while memory lasts.
 * The client keeps the code of every node, so that state which was evicted, or
 * lost with the program, is rebuilt by running the ancestors' code again; the
 * caller sees nothing of this. Where the kernel offers no parked processes all
 * state is rebuilt for every step ("replay").
 *
 * A step that fails contributes nothing to the state: a step started on a
 * failed node runs on the state of the nearest ancestor that did not fail.
 *
 * Nothing here blocks without a limit: waiting is cut into slices, and every
 * byte that comes back is checked, bounded, and clean UTF-8 without NUL.
 */
#ifndef RSTAR_SANDBOX_SANDBOX_H
#define RSTAR_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/sandbox/frame.h"

/* The modules that steps may import unless options say otherwise. */
#define RSTAR_SANDBOX_MODULES                                                                      \
	"math, cmath, fractions, decimal, itertools, functools, collections, heapq, bisect, "          \
	"statistics, random, re, string, datetime, calendar, operator, copy, typing, dataclasses, "    \
	"json, "                                                                                       \
	"sympy, mpmath"

typedef struct rstar_sandbox rstar_sandbox;

/* A node of one sandbox; 0 is the root, on which no code has run. Never reused. */
typedef uint64_t rstar_sandbox_node;

typedef struct rstar_sandbox_options
{
	const char *program; /* path of rstar-sandbox */
	const char *modules; /* names separated by commas or white space */
	uint64_t budget;     /* bytes of all its processes together */
	uint32_t processes;  /* that keep or run a step at the same time; at least 1 */
	uint32_t running;    /* steps at the same time, 1 to 1024 */
	uint32_t idle_ms;    /* it ends itself after so long without work; 0: never */
	bool replay;         /* do not keep state, rebuild it for each step */
	bool namespaces;     /* use them where the machine allows */

	/*
	 * A connected stream socket to a program that others share (share.c of the
	 * program), which the sandbox closes; -1: there is none, start one of its own.
	 * NULL: always one of its own.
	 */
	int (*connect)(void);

	/*
	 * Told the program's process when it has started, and 0 before it is waited
	 * for; for a SIGCHLD handler that reaps a program which ended by itself.
	 * NULL: nobody wants to know.
	 */
	void (*child)(int pid);
} rstar_sandbox_options;

typedef struct rstar_sandbox_limits
{
	uint32_t wall_ms, cpu_ms; /* of one step; a time-out is reported within 50 ms */
	uint64_t memory;          /* bytes that a step and its ancestors may add */
	uint32_t output;          /* bytes of output, and of the value; up to 1 MB */
} rstar_sandbox_limits;

typedef struct rstar_sandbox_step
{
	const char *code; /* UTF-8, without NUL to be of use; copied */
	size_t length;    /* at most RSTAR_SANDBOX_CODE_MAX */
	rstar_sandbox_limits limits;
	bool leaf; /* nothing will be started on it: its state is not kept */
} rstar_sandbox_step;

/* Strings are NUL-terminated UTF-8 and belong to the result. */
typedef struct rstar_sandbox_result
{
	rstar_sandbox_node node;
	rstar_sandbox_status status;
	char *output;  /* what was printed */
	char *value;   /* str() of the last statement's value, NULL: none */
	char *error;   /* the exception's type, "Timeout" or "Killed"; NULL when ok */
	char *message; /* its text; NULL when ok */
	size_t output_length, value_length;
	bool output_cut, value_cut;
	uint32_t line;     /* of the step, where the exception was raised; 0: unknown */
	double elapsed_ms; /* wall time of the step */
	double cpu_ms;     /* its CPU time */
	uint64_t bytes;    /* memory that it holds, estimated */
	const rstar_allocator *allocator;
} rstar_sandbox_result;

/* What confines the steps here (rstar_sandbox_describe). */
typedef struct rstar_sandbox_description
{
	bool started, shared; /* shared: its template serves others too */
	bool seccomp, snapshots, namespaces, measured, huge_pages, fixed_addresses, broker_confined;
	uint32_t landlock;                                /* ABI, 0: not there */
	uint64_t template_bytes[RSTAR_SANDBOX_TEMPLATES]; /* 0: not loaded yet */
	char python[32];
	int pid; /* of the supervisor, this process's child; 0: none */
} rstar_sandbox_description;

typedef struct rstar_sandbox_statistics
{
	rstar_sandbox_counters broker; /* of the program that runs now */
	uint64_t starts;               /* programs started */
	uint64_t results;
	uint64_t rebuilds; /* states rebuilt by running code again */
	uint64_t nodes;    /* nodes kept by the client */
} rstar_sandbox_statistics;

extern void rstar_sandbox_options_default(rstar_sandbox_options *options);
extern void rstar_sandbox_limits_default(rstar_sandbox_limits *limits);

/* A list of modules as the program wants it: one name per line. NULL: out of memory. */
extern char *rstar_sandbox_module_lines(const rstar_allocator *allocator, const char *modules);

/*
 * Make a sandbox; no program is started yet. Texts of options are copied, the
 * allocator must outlive the sandbox.
 */
extern rstar_status rstar_sandbox_open(const rstar_sandbox_options *options,
									   const rstar_allocator *allocator, rstar_sandbox **out,
									   rstar_error *err);

/* End the program, reap it, free everything. NULL is allowed. */
extern void rstar_sandbox_close(rstar_sandbox *sandbox);

/*
 * Start a step on a finished node (0: the root). ARGUMENT: the code is too
 * long, or the parent unfinished or unknown. The result comes through wait.
 */
extern rstar_status rstar_sandbox_start(rstar_sandbox *sandbox, rstar_sandbox_node parent,
										const rstar_sandbox_step *step, rstar_sandbox_node *node,
										rstar_error *err);

/*
 * Make a node of a step that ran in an earlier sandbox and ended with status
 * `was`: nothing runs now, its state is rebuilt when a step is started on it.
 * Errors as of rstar_sandbox_start.
 */
extern rstar_status rstar_sandbox_recall(rstar_sandbox *sandbox, rstar_sandbox_node parent,
										 const rstar_sandbox_step *step, rstar_sandbox_status was,
										 rstar_sandbox_node *node, rstar_error *err);

/*
 * Wait up to timeout_ms for a result, any (wait) or one node's (wait_for; the
 * others' stay). AGAIN: none yet; the time is cut short by a signal, so that
 * the caller can look for interrupts. CANCELLED: the predicate said so;
 * everything goes on. NOT_FOUND: nothing is in flight, or not that node.
 * DENIED: this machine cannot confine a process; SANDBOX: the program fails.
 * After an error nothing is in flight any more.
 */
extern rstar_status rstar_sandbox_wait(rstar_sandbox *sandbox, int timeout_ms,
									   const rstar_cancel *cancel, rstar_sandbox_result *result,
									   rstar_error *err);
extern rstar_status rstar_sandbox_wait_for(rstar_sandbox *sandbox, rstar_sandbox_node node,
										   int timeout_ms, const rstar_cancel *cancel,
										   rstar_sandbox_result *result, rstar_error *err);

/*
 * Start a step and wait for it. On CANCELLED the step is killed and released.
 * Only for callers that need no interrupts but the predicate's.
 */
extern rstar_status rstar_sandbox_run(rstar_sandbox *sandbox, rstar_sandbox_node parent,
									  const rstar_sandbox_step *step, const rstar_cancel *cancel,
									  rstar_sandbox_result *result, rstar_error *err);

extern void rstar_sandbox_result_free(rstar_sandbox_result *result);

/*
 * Nothing will be started on the node by the caller any more; a running step
 * is killed and reports nothing. Its code is kept while descendants need it.
 */
extern void rstar_sandbox_release(rstar_sandbox *sandbox, rstar_sandbox_node node);

/* Release every node; the program stays for the next tree. */
extern void rstar_sandbox_reset(rstar_sandbox *sandbox);

/* What is worth least is evicted first, 0 by default; then the longest unused. */
extern void rstar_sandbox_set_value(rstar_sandbox *sandbox, rstar_sandbox_node node, double value);

/* Steps started whose result has not been taken. */
extern size_t rstar_sandbox_in_flight(const rstar_sandbox *sandbox);

/*
 * What becomes readable when there may be a result, for callers who wait for other things too
 * and then call rstar_sandbox_wait; -1: no program runs.
 */
extern int rstar_sandbox_descriptor(const rstar_sandbox *sandbox);

/* Start the program if need be and say what confines it. Slices as in wait. */
extern rstar_status rstar_sandbox_describe(rstar_sandbox *sandbox, int timeout_ms,
										   const rstar_cancel *cancel,
										   rstar_sandbox_description *info, rstar_error *err);

/* Counters; AGAIN as in wait. Starts no program: its counters are then 0. */
extern rstar_status rstar_sandbox_count(rstar_sandbox *sandbox, int timeout_ms,
										const rstar_cancel *cancel,
										rstar_sandbox_statistics *statistics, rstar_error *err);

#endif

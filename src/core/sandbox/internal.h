/*
 * internal.h
 *	  What the files of the sandbox's client share.
 *
 * process.c	starts and ends the program
 * client.c		the interface, the tree of nodes
 * traffic.c	the channel: frames out, frames in, the program's end
 */
#ifndef RSTAR_SANDBOX_INTERNAL_H
#define RSTAR_SANDBOX_INTERNAL_H

#include <sys/types.h>

#include "core/base/clock.h"
#include "core/sandbox/sandbox.h"

typedef enum node_phase
{
	PHASE_FREE,    /* the slot is unused */
	PHASE_QUEUED,  /* to be sent when the program is up */
	PHASE_WAITING, /* its parent's state is being rebuilt */
	PHASE_FLYING,  /* sent */
	PHASE_RESULT,  /* finished, result not taken */
	PHASE_DONE
} node_phase;

/*
 * One node. Its handle is slot + 1 in the low half and `serial` in the high
 * half; so is its number at the broker, with a serial of its own for every time
 * it is sent.
 */
typedef struct client_node
{
	node_phase phase;
	uint32_t serial;
	uint32_t parent;     /* slot + 1, 0: the root */
	uint32_t references; /* children that need its code */
	bool released;
	bool poisoned; /* what was forked from it broke the rules */
	bool leaf;
	char *code;
	size_t length;
	rstar_sandbox_limits limits;
	rstar_sandbox_status status; /* once done */
	double value;

	uint64_t broker_id;      /* where it was sent last; 0: nowhere */
	uint32_t template_index; /* there */
	bool live;               /* its state is parked there */
	bool rebuilding;         /* its state is on its way */
	uint32_t needs;          /* the template that it and its ancestors need */
	uint32_t attempts;
	uint32_t barren;     /* times rebuilt since a child of it ran */
	int64_t patience_ns; /* beyond this time the program hangs */

	rstar_sandbox_result result; /* PHASE_RESULT */
} client_node;

struct rstar_sandbox
{
	const rstar_allocator *allocator;
	rstar_sandbox_options options;
	char *program, *modules;

	client_node *nodes;
	size_t n_nodes, node_capacity; /* slots */
	size_t n_used, in_flight, n_results;
	uint32_t next_serial;
	bool any_queued;

	pid_t pid;   /* of the program that is this process's child, 0: none */
	pid_t owner; /* the process that started it */
	int fd;      /* its channel; -1: no program */
	bool alone;  /* the shared program failed: use one of its own */
	rstar_buffer in, out;
	size_t out_sent;
	unsigned failures; /* programs lost since the last result */
	int64_t heard_ns;  /* when the program last said something, or was asked to */
	bool pinged;       /* and whether it was asked */
	rstar_sandbox_description info;
	rstar_sandbox_statistics statistics;
	bool counters_came;
};

/* --- process.c ------------------------------------------------------------------ */

static inline bool
rstar_sandbox_is_running(const rstar_sandbox *sandbox)
{
	return sandbox->fd >= 0;
}

extern rstar_status rstar_sandbox_process_start(rstar_sandbox *sandbox, rstar_error *err);

/* Close the channel, wait for its orderly end, then kill. */
extern void rstar_sandbox_process_end(rstar_sandbox *sandbox);

/* --- traffic.c ------------------------------------------------------------------- */

/* Send what is queued, read what has come; waits up to timeout_ms for it. */
extern rstar_status rstar_sandbox_pump(rstar_sandbox *sandbox, int timeout_ms, rstar_error *err);

/* Handle bytes as if the program had sent them (also the fuzz target's way in). */
extern rstar_status rstar_sandbox_receive(rstar_sandbox *sandbox, const char *data, size_t length,
										  rstar_error *err);

/* Send START for a node, or for what must be rebuilt before it. */
extern rstar_status rstar_sandbox_submit(rstar_sandbox *sandbox, client_node *node,
										 rstar_error *err);
/* Send what is queued without waiting; failures show at the next pump. */
extern void rstar_sandbox_flush(rstar_sandbox *sandbox);
extern void rstar_sandbox_send_release(rstar_sandbox *sandbox, client_node *node);

/* The program is gone: state is lost, what was in flight is queued again. */
extern rstar_status rstar_sandbox_lost(rstar_sandbox *sandbox, rstar_error *err);

/* --- client.c ---------------------------------------------------------------------- */

extern client_node *rstar_sandbox_slot(rstar_sandbox *sandbox, uint32_t slot_plus_1);
extern uint64_t rstar_sandbox_handle(const rstar_sandbox *sandbox, const client_node *node);

/* The nearest ancestor whose state the node runs on, NULL: the root. */
extern client_node *rstar_sandbox_state_parent(rstar_sandbox *sandbox, const client_node *node);

/* Keep a result; false when memory is out. */
extern bool rstar_sandbox_finish(rstar_sandbox *sandbox, client_node *node,
								 const rstar_broker_result *result);
extern bool rstar_sandbox_finish_killed(rstar_sandbox *sandbox, client_node *node,
										const char *message);

/* Drop everything in flight, after an error. */
extern void rstar_sandbox_drop_all(rstar_sandbox *sandbox);
extern void rstar_sandbox_unreference(rstar_sandbox *sandbox, client_node *node);

#endif

/*
 * broker.h
 *	  The broker's books: nodes, jobs, and what is in flight.
 *
 * broker.c		start, loop, the client's requests
 * reply.c		what the client is told, and the end
 * jobs.c		the queue; how a job becomes a running node
 * reports.c	what becomes of running nodes: reports, deaths, deadlines
 * family.c		starting templates, forking nodes through the listener
 * nodes.c		the table of nodes, their memory, eviction
 */
#ifndef RSTAR_SANDBOX_BROKER_H
#define RSTAR_SANDBOX_BROKER_H

#include "core/base/clock.h"
#include "sandbox/program.h"

#define MAX_RUNNING 1024
#define MILLISECOND 1000000ll

typedef enum node_state
{
	NODE_LOADING,  /* a template that is not ready yet */
	NODE_RUNNING,  /* has a job */
	NODE_FINISHED, /* has reported and is about to park; the report waits for that */
	NODE_PARKED,   /* blocked in the parking clone, park_id answers it */
	NODE_FORKING,  /* let through to make a child, about to park again */
	NODE_DEAD,     /* killed, not reaped yet: its pid is still taken */
	NODE_GHOST     /* reaped, but nodes forked from it hold its pages */
} node_state;

typedef struct node
{
	struct node *next_by_id, *next_by_pid;
	uint64_t id;
	pid_t pid;
	int family;
	node_state state;
	struct node *origin; /* what it was forked from, NULL: a template */
	unsigned heirs;      /* nodes forked from it that are there, ghosts included */
	uint64_t park_id;    /* of the pending notification */
	uint64_t pages;      /* bytes that it added; its reservation until it parks */
	uint64_t tables;     /* bytes of page tables and of the kernel's own, gone when it is */
	uint64_t freeing;    /* what its death will give back, counted while it is dying */
	uint64_t used;       /* when it was last forked from, a counter */
	double value;        /* what is worth least is evicted first */
	unsigned children;   /* jobs waiting to start on it */
	bool doomed;         /* released while it was forking: ends when it parks */

	/* While it runs. */
	int channel; /* -1: none */
	rstar_buffer in, out;
	size_t out_sent;
	uint32_t flags, pieces_left, output;
	int64_t started_ns, deadline_ns, wall_ns;
	int64_t cpu_limit_ns, cpu_started_ns, cpu_check_ns;
	rstar_sandbox_node_result report; /* FINISHED: its texts point into `in` */
} node;

typedef struct job
{
	struct job *next;
	char *payload; /* the START frame's; start's slices point into it */
	rstar_frame_start start;
	bool cancelled;
} job;

/* A template and what is forked from it. */
typedef struct family
{
	pid_t pid;    /* the template's, and its process group */
	int channel;  /* -1: not there (no SymPy wanted) */
	int listener; /* -1: replay, or not ready yet */
	bool ordered; /* told to load */
	node *root;
	rstar_frame_ready ready;
	char python[32];
	rstar_buffer in;
} family;

/* The one fork in flight. */
typedef struct pending_fork
{
	job *job; /* NULL: none */
	uint64_t base;
	node *origin; /* held for the child, NULL: a template */
	int family;
	int64_t deadline_ns;
	bool blameless; /* the base was killed from outside */
	int spawn_fd;   /* replay: our end of the child's channel */
	pid_t dead_pid; /* replay: a child that died before its pid was told */
	int dead_status;
} pending_fork;

typedef struct broker
{
	rstar_frame_config config;
	char *modules; /* config.modules points here */
	bool namespaces, replay;
	bool shared; /* its root is a fork of the server's template, and its only one */
	int proc_fd, signal_fd;
	uint32_t features;
	family families[RSTAR_SANDBOX_TEMPLATES];
	job *first, *last; /* waiting */
	pending_fork fork;
	node *running[MAX_RUNNING]; /* RUNNING and FINISHED */
	unsigned n_running;
	node *forking[MAX_RUNNING]; /* FORKING: on their way back to parking */
	unsigned n_forking;
	rstar_buffer in, out; /* the client's channel */
	size_t out_sent;
	int64_t idle_since_ns;
	uint64_t dying;       /* bytes that nodes give back that are killed and not reaped yet */
	unsigned n_processes; /* nodes that are processes, templates apart */
	unsigned n_dying;     /* of these */
	rstar_sandbox_counters counters;
} broker;

extern broker rstar_broker;

/* --- nodes.c ------------------------------------------------------------------ */

extern node *rstar_nodes_add(uint64_t id, pid_t pid, int family_index);
extern node *rstar_nodes_by_id(uint64_t id);
extern node *rstar_nodes_by_pid(pid_t pid);

/* Take it from the table by id, so that nothing starts on it any more. */
extern void rstar_nodes_forget_id(node *n);

/* Set what it costs; keeps the totals. */
extern void rstar_nodes_set_bytes(node *n, uint64_t pages, uint64_t tables);

/* It was used just now. */
extern void rstar_nodes_touch(node *n);

/* Measure a node that is blocked, and book it. */
extern void rstar_nodes_measure(node *n);

/*
 * A child of `origin` is on its way: its pages stay on the books. NULL, and
 * nothing to release, for a template.
 */
extern node *rstar_nodes_hold(node *origin);
extern void rstar_nodes_release(node *origin);

/* What the death of a node will give back, its own and that of ghosts before it. */
extern uint64_t rstar_nodes_freeing(const node *n);

/* It was reaped: free it, or keep its pages on the books while heirs hold them. */
extern void rstar_nodes_reaped(node *n);

/*
 * The parked snapshot to drop, or NULL: worth least and unused longest, of those
 * whose pages nobody else holds if there are any.
 */
extern node *rstar_nodes_victim(void);
extern void rstar_nodes_kill_all(void);
extern uint64_t rstar_nodes_count_parked(void);

/* --- family.c ------------------------------------------------------------------ */

extern bool rstar_family_spawn(int index, int executable);
extern bool rstar_family_order(int index);

/* The root is there already, a child of this process. */
extern bool rstar_family_take(int index, pid_t pid, int channel);
extern void rstar_family_read(int index);
extern void rstar_family_notified(int index);

/* Begin the fork of a parked node (or template) for a job. */
extern bool rstar_family_fork(node *base, job *j);
extern void rstar_family_fork_done(void);

/* --- jobs.c --------------------------------------------------------------------- */

/* Start the jobs that can start now. */
extern void rstar_jobs_start(void);
extern void rstar_jobs_unqueue(job *previous, job *j);
extern void rstar_jobs_send(node *n);

/* Start a node's clocks, for its next piece. */
extern void rstar_jobs_start_clocks(node *n);

/* Report that a running node was stopped, and kill it. */
extern void rstar_jobs_stop(node *n, rstar_sandbox_status status, int sig, const char *error,
							const char *message);
extern void rstar_jobs_stop_running(node *n);

/* A base goes to fork, and comes back (or dies). */
extern void rstar_jobs_forking(node *n);
extern void rstar_jobs_forked(node *n);

/* A fresh process takes a job: limits first, then the bytes. Takes the job. */
extern void rstar_broker_adopt(job *j, pid_t pid, int family_index, int channel);
extern void rstar_broker_parked(node *n);
extern void rstar_broker_kill(node *n);
extern void rstar_broker_job_free(job *j);

/* A parked or finished node is gone: tell the client, kill it. */
extern void rstar_broker_lose(node *n);

/* --- reports.c -------------------------------------------------------------------- */

/* Read what a running node wrote; false when it has closed its end. */
extern bool rstar_reports_read(node *n);

/* Read all that it wrote; it waits for an answer, or is dead. Nothing if it is not running. */
extern void rstar_reports_finish(node *n);

extern void rstar_reports_reap(void);

/* Act on what is due; nanoseconds until the next deadline. */
extern int64_t rstar_reports_check_deadlines(void);

/* --- reply.c ---------------------------------------------------------------------- */

/* Kill and reap everything, exit. */
extern void rstar_broker_end(void) __attribute__((noreturn));

/* Say why, end everything. */
extern void rstar_broker_fatal(rstar_sandbox_fatal kind, uint64_t node_id, const char *message,
							   const char *detail) __attribute__((noreturn));
extern void rstar_broker_flush(void);
extern void rstar_broker_check_memory(bool good);
extern void rstar_broker_send_failure(uint64_t node_id, rstar_sandbox_status status, int sig,
									  const char *error, const char *message);
extern void rstar_broker_send_stop(const node *n, uint64_t node_id, rstar_sandbox_status status,
								   int sig, const char *error, const char *message);
extern void rstar_broker_send_result(const node *n, uint64_t node_id,
									 rstar_sandbox_node_result *result, int sig, int64_t cpu);
extern void rstar_broker_send_gone(uint64_t node_id, uint64_t base);
extern void rstar_broker_send_node(rstar_frame_type type, uint64_t node_id);
extern void rstar_broker_send_ready(const rstar_frame_ready *ready);

/* --- broker.c --------------------------------------------------------------------- */

extern int64_t rstar_broker_cpu(pid_t pid);

#endif

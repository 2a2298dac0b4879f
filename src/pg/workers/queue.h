/*
 * queue.h
 *	  The items of a job: problems that several workers share.
 *
 * A worker claims items in a short transaction (FOR UPDATE SKIP LOCKED), works
 * at them without one, and stores each in a short transaction together with
 * what came of it. Claims bear the worker's number, and a worker holds a session
 * lock named by it: claims whose lock is free are those of a worker that is gone,
 * and go back.
 *
 * An item that ended in an error, or whose worker was lost twice, comes again when
 * no fresh one is left, and alone: its fault takes no neighbour with it. (A worker
 * lost once was most likely not the item's fault.) After RSTAR_QUEUE_ATTEMPTS errors
 * or RSTAR_QUEUE_LOSSES losses it has failed.
 */
#ifndef RSTAR_PG_WORKERS_QUEUE_H
#define RSTAR_PG_WORKERS_QUEUE_H

#include "pg/workers/jobs.h"

#define RSTAR_QUEUE_ATTEMPTS 3
#define RSTAR_QUEUE_LOSSES   5

typedef struct rstar_queue_item
{
	int64 item_id;
	int64 problem_id;
	bool alone; /* it failed before: work at nothing beside it */
} rstar_queue_item;

/* Add problems to the queue of a job that was just submitted; they must exist. */
extern void rstar_pg_queue_add(int64 job_id, const int64 *problems, uint32 n);

/*
 * Claim up to n items, in a transaction of its own, once the claim before and all that this worker
 * had committed by then is on the disk; returns how many. An item that must be worked
 * at alone is claimed only when `idle`: the caller has nothing else in hand. 0: nothing is left to
 * claim now. With nothing in hand either, step returns DONE; the runtime finds out whether others
 * are still at work, or were lost with their claims.
 */
extern uint32 rstar_pg_queue_claim(rstar_job *job, uint32 n, bool idle, rstar_queue_item *items);

/*
 * Within rstar_pg_job_begin and rstar_pg_job_commit: the item is done, with this tree (0: none).
 * Outside of a cluster the commit does not wait for the disk; the claim after the next does.
 */
extern void rstar_pg_queue_done(rstar_job *job, int64 item_id, int64 tree_id);

/* The same: it cannot be done, ever; with the reason. */
extern void rstar_pg_queue_failed(rstar_job *job, int64 item_id, const char *why);

/* After the commit: count them. */
extern void rstar_pg_queue_committed(rstar_job *job, int64 done, int64 failed);

/*
 * Give back what this worker has claimed, within a transaction: untouched, or (`why`) after
 * an error.
 */
extern void rstar_pg_queue_release(rstar_job *job, const char *why);

/* What is left of a queue, in a transaction of its own that first takes back claims of lost workers. */
typedef enum rstar_queue_rest
{
	RSTAR_QUEUE_EMPTY,
	RSTAR_QUEUE_MORE,  /* to claim */
	RSTAR_QUEUE_OTHERS /* nothing but what others have claimed */
} rstar_queue_rest;

extern rstar_queue_rest rstar_pg_queue_look(rstar_job *job);

#endif

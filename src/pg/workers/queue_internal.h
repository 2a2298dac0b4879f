/*
 * queue_internal.h
 *	  The queue, as the runtime itself sees it. (Kinds of jobs see queue.h.)
 */
#ifndef RSTAR_PG_WORKERS_QUEUE_INTERNAL_H
#define RSTAR_PG_WORKERS_QUEUE_INTERNAL_H

#include "postgres.h"

/*
 * In a transaction: give this process a number in the queue of its database, and hold the
 * lock named by it until the process ends. Once for each process.
 */
extern void rstar_pg_queue_register(void);
extern int64 rstar_pg_queue_worker_id(void);

/* Items that this process has claimed of the job in hand. */
extern int rstar_pg_queue_in_hand(void);

/* … and those that it has done since it took the job. */
extern int64 rstar_pg_queue_done_here(void);

/* A job is taken, or left for good: nothing is in hand. */
extern void rstar_pg_queue_forget(void);

/* Within rstar_tables_begin: take back the claims of workers that are gone. */
extern void rstar_pg_queue_recover(int64 job_id);

#endif

/*
 * job.h
 *	  Rows of rstar.jobs, as the runtime itself handles them. (Kinds of jobs see jobs.h.)
 */
#ifndef RSTAR_PG_WORKERS_JOB_H
#define RSTAR_PG_WORKERS_JOB_H

#include "pg/workers/jobs.h"

/*
 * Tries of a job that ends in errors, and how long the n-th pause between them is. Where the
 * error may be a problem's own fault, and problems have tries of their own, the job has more.
 */
#define RSTAR_JOB_ATTEMPTS          3
#define RSTAR_JOB_QUEUE_ATTEMPTS    10
#define RSTAR_JOB_PAUSE_S(attempts) (10 * (attempts) * (attempts))

/*
 * In a transaction: take the next job that has room for this worker, oldest
 * first, into *job, allocated in `context`; false: there is none. Niceness never falls, so jobs
 * that ask for less than this process has are left to another.
 */
extern bool rstar_pg_job_take(rstar_job *job, int own_nice, int *nice, MemoryContext context);

/*
 * Within rstar_tables_begin: whether this node of a cluster (cluster.h) leaves a job to the others.
 * Work without a queue is the coordinator's, which has its rows; the rest takes part as far as it
 * has the files.
 */
extern bool rstar_pg_job_is_for_others(const rstar_job_kind *kind, Jsonb *arguments, int node);

/*
 * In a transaction: write what became of the job. why: with BROKEN, the error. Calls
 * the kind's finish, except with BROKEN. Returns the status that the row has now.
 */
extern const char *rstar_pg_job_leave(rstar_job *job, rstar_job_end end, const char *why);

/* In a transaction: the job goes on that waits for this one, which has ended. */
extern void rstar_pg_job_wake_parent(int64 job_id);

/*
 * In a transaction: the job's status as the active snapshot sees it; NULL: it is gone. Not to be
 * worked at unless it is "running".
 */
extern char *rstar_pg_job_status(int64 job_id);

/* Within rstar_tables_begin: give a job its last status, and tell those who wait. why: NULL or an error. */
extern void rstar_pg_job_end_row(int64 job_id, const char *status, const char *why);

#endif

/*
 * commit.h
 *	  What is to happen once the transaction has committed, and only then.
 *
 * A job that is rolled back wakes nobody, and workers are told of a cancel when
 * its row says so to everyone. A transaction that is prepared commits in another
 * session, which knows nothing of this: PREPARE TRANSACTION is refused.
 */
#ifndef RSTAR_PG_WORKERS_COMMIT_H
#define RSTAR_PG_WORKERS_COMMIT_H

#include "postgres.h"

/* The launcher looks at this database. */
extern void rstar_pg_commit_wake(void);

/* A job was submitted in this transaction: no wait for it can end. */
extern void rstar_pg_commit_submitted(int64 job_id);
extern bool rstar_pg_commit_is_submitted(int64 job_id);

/* The first of those that this transaction submitted, which leads the others; 0: there is none. */
extern int64 rstar_pg_commit_first_submitted(void);

/* Workers leave this job. */
extern void rstar_pg_commit_stop(int64 job_id);

/* Those who wait for the end of jobs look again. */
extern void rstar_pg_commit_ended(void);

#endif

/*
 * train_job.h
 *	  Training in the background.
 */
#ifndef RSTAR_PG_TRAIN_TRAIN_JOB_H
#define RSTAR_PG_TRAIN_TRAIN_JOB_H

#include "postgres.h"

#include "pg/workers/jobs.h"

/* Submit the job of a run whose rows are complete. threads, nice: as in rstar_job_request. */
extern void rstar_pg_train_submit(int64 run_id, bool ppm, int threads, int nice);

/* Define the kinds train_policy and train_ppm; from _PG_init. */
extern void rstar_pg_train_jobs_define(void);

#endif

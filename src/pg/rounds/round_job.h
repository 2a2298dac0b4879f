/*
 * round_job.h
 *	  The job that leads a round of self-evolution.
 */
#ifndef RSTAR_PG_ROUNDS_ROUND_JOB_H
#define RSTAR_PG_ROUNDS_ROUND_JOB_H

/* Add the kind of job; from _PG_init. */
extern void rstar_pg_round_define(void);

#endif

/*
 * evaluate.h
 *	  The job that evaluates models on problems.
 */
#ifndef RSTAR_PG_ROUNDS_EVALUATE_H
#define RSTAR_PG_ROUNDS_EVALUATE_H

/* Add the kind of job; from _PG_init. */
extern void rstar_pg_evaluate_define(void);

#endif

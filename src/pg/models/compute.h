/*
 * compute.h
 *	  The session's thread pool.
 *
 * One per process, started on first use, never in the postmaster, idle between
 * calls, joined before the process leaves shared memory. Its threads run core
 * arithmetic only.
 */
#ifndef RSTAR_PG_MODELS_COMPUTE_H
#define RSTAR_PG_MODELS_COMPUTE_H

#include "postgres.h"

#include "core/base/cpu.h"
#include "core/base/pool.h"

/*
 * The pool with as many threads as the settings ask for now. A changed setting
 * starts another pool and ends the one before, so handles that refer to a pool
 * must be made anew: rstar_pg_compute_generation changes with it.
 */
extern rstar_pool *rstar_pg_compute_pool(void);
extern uint64 rstar_pg_compute_generation(void);

/* The family of kernels in force; raises if the setting asks for one that is not here. */
extern rstar_cpu_family rstar_pg_compute_family(void);

#endif

/*
 * pool.h
 *	  The thread pool.
 *
 * One pool per process, started on first use, with every signal blocked in its
 * threads, idle between calls. Work is a function over blocks 0 .. n - 1;
 * threads fetch blocks from a counter, so a busy neighbour delays one block,
 * not a static half. The caller is thread 0 and works too; with one thread
 * there is nothing but a loop.
 *
 * Waiting threads spin for some microseconds (a small model's pass is hundreds
 * of short calls), then sleep on a condition variable.
 */
#ifndef RSTAR_BASE_POOL_H
#define RSTAR_BASE_POOL_H

#include <stdint.h>

#include "core/base/status.h"

typedef struct rstar_pool rstar_pool;

/* Called for each block; thread is 0 .. n_threads - 1, for scratch memory. */
typedef void (*rstar_pool_function)(void *arg, uint32_t block, uint32_t thread);

/*
 * Start n_threads - 1 threads (1 <= n_threads <= 256). Errors: IO (the system
 * refuses threads), MEMORY, ARGUMENT; then no thread is left.
 */
extern rstar_status rstar_pool_create(int n_threads, rstar_pool **out, rstar_error *err);

/* Join the threads and free. NULL is allowed. Never call it from a forked child. */
extern void rstar_pool_free(rstar_pool *pool);

extern int rstar_pool_threads(const rstar_pool *pool);

/*
 * Run function(arg, 0 .. n_blocks - 1, thread) and return when all blocks are
 * done. Thread 0 polls cancel (may be NULL) between its blocks; when it fires,
 * blocks not yet begun are skipped and false is returned.
 */
extern bool rstar_pool_run(rstar_pool *pool, rstar_pool_function function, void *arg,
						   uint32_t n_blocks, const rstar_cancel *cancel);

#endif

/*
 * pool.c
 *	  The thread pool.
 *
 * A call publishes its work under the mutex and bumps `epoch`; a thread that
 * sees a new epoch joins, takes blocks until none are left, and reports itself
 * finished. The caller waits until all threads have reported, so the next
 * call never meets a straggler of the last.
 */
#include "core/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_ROUNDS 2000 /* some 20 microseconds of pauses */
#define MAX_THREADS 256

struct rstar_pool
{
	int n_threads;

	/* The work at hand: written by the caller before `epoch` is bumped. */
	rstar_pool_function function;
	void *arg;
	uint32_t n_blocks;

	_Alignas(64) _Atomic uint32_t next_block;
	_Alignas(64) _Atomic uint32_t finished; /* threads done with this epoch */
	_Alignas(64) _Atomic uint32_t epoch;
	_Atomic bool quit;

	pthread_mutex_t mutex;
	pthread_cond_t wake;
	pthread_t threads[MAX_THREADS];
};

typedef struct thread_start
{
	rstar_pool *pool;
	uint32_t number;
	_Atomic bool taken;
} thread_start;

static inline void
cpu_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void
work(rstar_pool *pool, uint32_t thread, const rstar_cancel *cancel)
{
	for (;;)
	{
		if (thread == 0 && rstar_cancel_requested(cancel))
		{
			/* Nobody finds a block any more; those begun are finished. */
			atomic_store(&pool->next_block, UINT32_MAX / 2);
			return;
		}

		uint32_t block = atomic_fetch_add_explicit(&pool->next_block, 1, memory_order_relaxed);

		if (block >= pool->n_blocks)
			return;
		pool->function(pool->arg, block, thread);
	}
}

/* Wait until the epoch differs from `seen`; false when the pool ends. */
static bool
wait_for_work(rstar_pool *pool, uint32_t seen)
{
	for (int i = 0; i < SPIN_ROUNDS; i++)
	{
		if (atomic_load_explicit(&pool->epoch, memory_order_acquire) != seen)
			return !atomic_load(&pool->quit);
		cpu_pause();
	}
	pthread_mutex_lock(&pool->mutex);
	while (atomic_load(&pool->epoch) == seen)
		pthread_cond_wait(&pool->wake, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
	return !atomic_load(&pool->quit);
}

static void *
thread_main(void *arg)
{
	thread_start *start = arg;
	rstar_pool *pool = start->pool;
	uint32_t number = start->number;
	uint32_t epoch = 0;

	atomic_store(&start->taken, true); /* `start` may go now */
	while (wait_for_work(pool, epoch))
	{
		epoch++;
		work(pool, number, NULL);
		atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
	}
	return NULL;
}

static void
publish(rstar_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_add_explicit(&pool->epoch, 1, memory_order_release);
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->mutex);
}

static int
start_thread(rstar_pool *pool, uint32_t number)
{
	thread_start start = {.pool = pool, .number = number};
	int failure = pthread_create(&pool->threads[number], NULL, thread_main, &start);

	if (failure == 0)
		while (!atomic_load(&start.taken))
			sched_yield();
	return failure;
}

rstar_status
rstar_pool_create(int n_threads, rstar_pool **out, rstar_error *err)
{
	if (n_threads < 1 || n_threads > MAX_THREADS)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "number of threads must be between 1 and %d", MAX_THREADS);

	/* The counters that threads fight over want cache lines of their own. */
	rstar_pool *pool = NULL;

	if (posix_memalign((void **) &pool, 64, sizeof *pool) != 0)
		return rstar_error_memory(err, sizeof *pool);
	memset(pool, 0, sizeof *pool);
	pool->n_threads = 1;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->wake, NULL);

	/* The host's signal handlers must never run in our threads. */
	sigset_t all, old;
	int failure = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 1; i < n_threads && failure == 0; i++)
	{
		failure = start_thread(pool, (uint32_t) i);
		if (failure == 0)
			pool->n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failure != 0)
	{
		rstar_pool_free(pool);
		return rstar_error_set(err, RSTAR_ERR_IO, "could not start %d threads: %s", n_threads - 1,
							   strerror(failure));
	}
	*out = pool;
	return RSTAR_OK;
}

void
rstar_pool_free(rstar_pool *pool)
{
	if (!pool)
		return;
	atomic_store(&pool->quit, true);
	publish(pool);
	for (int i = 1; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

int
rstar_pool_threads(const rstar_pool *pool)
{
	return pool->n_threads;
}

bool
rstar_pool_run(rstar_pool *pool, rstar_pool_function function, void *arg, uint32_t n_blocks,
			   const rstar_cancel *cancel)
{
	uint32_t others = (uint32_t) pool->n_threads - 1;

	pool->function = function;
	pool->arg = arg;
	pool->n_blocks = n_blocks;
	atomic_store(&pool->next_block, 0);
	if (others == 0 || n_blocks <= 1)
	{
		work(pool, 0, cancel);
		return atomic_load(&pool->next_block) < UINT32_MAX / 2;
	}
	atomic_store(&pool->finished, 0);
	publish(pool);
	work(pool, 0, cancel);
	for (uint32_t i = 0; atomic_load_explicit(&pool->finished, memory_order_acquire) < others; i++)
	{
		if (i > SPIN_ROUNDS)
			sched_yield();
		else
			cpu_pause();
	}
	return atomic_load(&pool->next_block) < UINT32_MAX / 2;
}

/*
 * pool.c
 *	  The thread pool.
 *
 * The work at hand is one 64-bit word: the number of the call in its upper
 * half, the blocks not yet taken in its lower half. A thread takes a block by
 * decreasing the word; success means that the call is still open, and it stays
 * open, with function and argument in place, until that block is reported
 * done. So the caller waits for blocks, never for threads: one that the system
 * does not let run in time finds nothing left and costs nothing.
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

	/* Of the open call: written before `ticket`, not touched until `undone` is 0. */
	rstar_pool_function function;
	void *arg;

	_Alignas(64) _Atomic uint64_t ticket; /* call << 32 | blocks not yet taken */
	_Alignas(64) _Atomic uint32_t undone; /* blocks not yet done */
	_Alignas(64) _Atomic uint32_t sleepers;
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

/* Take blocks until none are left. Returns the number of the last call seen. */
static uint32_t
work(rstar_pool *pool, uint32_t thread, const rstar_cancel *cancel, bool *cancelled)
{
	uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);

	while ((uint32_t) ticket != 0)
	{
		if (rstar_cancel_requested(cancel))
		{
			/* Take all that is left, and call it done. */
			ticket = atomic_fetch_and(&pool->ticket, ~(uint64_t) UINT32_MAX);
			atomic_fetch_sub(&pool->undone, (uint32_t) ticket);
			*cancelled = true;
			break;
		}
		if (atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket - 1,
												  memory_order_acquire, memory_order_acquire))
		{
			pool->function(pool->arg, (uint32_t) ticket - 1, thread);
			atomic_fetch_sub_explicit(&pool->undone, 1, memory_order_release);
			ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
		}
	}
	return (uint32_t) (ticket >> 32);
}

static uint32_t
current_call(rstar_pool *pool)
{
	return (uint32_t) (atomic_load(&pool->ticket) >> 32);
}

/* Wait until there is another call than `seen`; false when the pool ends. */
static bool
wait_for_work(rstar_pool *pool, uint32_t seen)
{
	for (int i = 0; i < SPIN_ROUNDS && current_call(pool) == seen; i++)
		cpu_pause();
	if (current_call(pool) == seen)
	{
		pthread_mutex_lock(&pool->mutex);
		atomic_fetch_add(&pool->sleepers, 1);
		while (current_call(pool) == seen && !atomic_load(&pool->quit))
			pthread_cond_wait(&pool->wake, &pool->mutex);
		atomic_fetch_sub(&pool->sleepers, 1);
		pthread_mutex_unlock(&pool->mutex);
	}
	return !atomic_load(&pool->quit);
}

static void *
thread_main(void *arg)
{
	thread_start *start = arg;
	rstar_pool *pool = start->pool;
	uint32_t number = start->number;
	uint32_t seen = 0;

	atomic_store(&start->taken, true); /* `start` may go now */
	while (wait_for_work(pool, seen))
		seen = work(pool, number, NULL, NULL);
	return NULL;
}

static void
wake_sleepers(rstar_pool *pool)
{
	if (atomic_load(&pool->sleepers) == 0)
		return;
	pthread_mutex_lock(&pool->mutex);
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

/*
 * The caller's thread is the first of the pool, so a pool of one starts none. If one cannot
 * start, those before it are ended: a pool has the threads that were asked for or does not
 * exist.
 */
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
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_add(&pool->ticket, (uint64_t) 1 << 32);
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->mutex);
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
	uint32_t call = current_call(pool) + 1;
	bool cancelled = false;

	if (pool->n_threads == 1 || n_blocks <= 1)
	{
		for (uint32_t block = 0; block < n_blocks; block++)
		{
			if (rstar_cancel_requested(cancel))
				return false;
			function(arg, block, 0);
		}
		return true;
	}
	pool->function = function;
	pool->arg = arg;
	atomic_store_explicit(&pool->undone, n_blocks, memory_order_relaxed);
	atomic_store(&pool->ticket, (uint64_t) call << 32 | n_blocks);
	wake_sleepers(pool);
	work(pool, 0, cancel, &cancelled);
	for (uint32_t i = 0; atomic_load_explicit(&pool->undone, memory_order_acquire) > 0; i++)
	{
		if (i > SPIN_ROUNDS)
			sched_yield();
		else
			cpu_pause();
	}
	return !cancelled;
}

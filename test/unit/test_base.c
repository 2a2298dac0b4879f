/*
 * test_base.c
 *	  Errors, memory, the thread pool, random numbers.
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/pool.h"
#include "core/base/random.h"
#include "core/base/status.h"

static void
errors_are_cut_at_characters(void)
{
	rstar_error err;
	char text[RSTAR_MESSAGE_SIZE * 2];

	CHECK(rstar_error_set(&err, RSTAR_ERR_CORRUPT, "bad %s at %d", "byte", 7) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "bad byte at 7");
	CHECK(err.detail[0] == '\0' && err.hint[0] == '\0');
	CHECK(rstar_error_hint(&err, "Try %s.", "again") == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.hint, "Try again.");
	CHECK(rstar_error_set(NULL, RSTAR_ERR_IO, "x") == RSTAR_ERR_IO);

	/* Two- and three-byte characters, cut at every phase. */
	for (size_t lead = 0; lead < 4; lead++)
		for (int width = 2; width <= 3; width++)
		{
			size_t n = lead;

			memset(text, 'a', lead);
			while (n + 3 < sizeof text)
			{
				memcpy(text + n, width == 2 ? "\xC3\xA9" : "\xE2\x82\xAC", (size_t) width);
				n += (size_t) width;
			}
			text[n] = '\0';
			rstar_error_set(&err, RSTAR_ERR_IO, "%s", text);
			n = strlen(err.message);
			CHECK(n > RSTAR_MESSAGE_SIZE - 5 && (n - lead) % (size_t) width == 0);
		}
}

static void
arena_aligns_bounds_and_resets(void)
{
	rstar_arena arena;
	size_t taken = 0;

	rstar_arena_init(&arena, &rstar_allocator_malloc, 100000);
	for (size_t size = 0; size < 3000; size += 7)
	{
		char *p = rstar_arena_alloc(&arena, size);

		if (!p)
			break;
		CHECK(((uintptr_t) p & 15) == 0);
		memset(p, 1, size);
		taken += size;
	}
	CHECK(taken > 60000 && taken <= 100000 && arena.total <= 100000);
	CHECK(rstar_arena_alloc(&arena, SIZE_MAX) == NULL);
	CHECK(rstar_arena_alloc_array(&arena, SIZE_MAX / 2, 3) == NULL);
	rstar_arena_reset(&arena);
	CHECK(arena.total == 0);
	CHECK_STR(rstar_arena_strndup(&arena, "again and again", 5), "again");
	rstar_arena_reset(&arena);
}

static void
arrays_and_buffers_grow(void)
{
	rstar_buffer buffer;
	int *array = NULL;
	size_t capacity = 0;

	for (size_t n = 1; n < 1000; n++)
	{
		CHECK(rstar_grow(&rstar_allocator_malloc, (void **) &array, &capacity, n, sizeof *array));
		array[n - 1] = (int) n;
	}
	CHECK(array[0] == 1 && array[998] == 999);
	CHECK(!rstar_grow(&rstar_allocator_malloc, (void **) &array, &capacity, SIZE_MAX / 2, 16));
	CHECK(array[998] == 999);
	free(array);
	CHECK(rstar_alloc_array(&rstar_allocator_malloc, SIZE_MAX / 4, 8) == NULL);

	rstar_buffer_init(&buffer, &rstar_allocator_malloc);
	for (int i = 0; i < 100; i++)
		CHECK(rstar_buffer_printf(&buffer, "%d,", i));
	CHECK(buffer.length == 290 && strlen(buffer.data) == 290);
	CHECK(!rstar_buffer_append(&buffer, "x", SIZE_MAX - 5));
	rstar_buffer_clear(&buffer);
	CHECK_STR(buffer.data, "");
	rstar_buffer_free(&buffer);
}

/* --- the pool ---------------------------------------------------------------------- */

typedef struct tally
{
	_Atomic uint32_t count[500];
	_Atomic uint32_t by_thread[4];
	_Atomic uint32_t signals_open;
} tally;

static void
count_block(void *arg, uint32_t block, uint32_t thread)
{
	tally *t = arg;

	atomic_fetch_add(&t->count[block], 1);
	atomic_fetch_add(&t->by_thread[thread], 1);
	if (thread > 0)
	{
		sigset_t set;

		pthread_sigmask(SIG_BLOCK, NULL, &set);
		if (!sigismember(&set, SIGUSR1) || !sigismember(&set, SIGTERM))
			atomic_fetch_add(&t->signals_open, 1);
		usleep(1);
	}
}

static void
pool_runs_every_block_once(void)
{
	for (int threads = 1; threads <= 4; threads++)
	{
		static tally t;
		rstar_pool *pool = NULL;
		rstar_error err;

		memset(&t, 0, sizeof t);
		CHECK(rstar_pool_create(threads, &pool, &err) == RSTAR_OK);
		CHECK(rstar_pool_threads(pool) == threads);
		for (uint32_t round = 1; round <= 300; round++)
		{
			uint32_t n = round % 7 == 0 ? 1 : round;

			memset(&t.count, 0, sizeof t.count);
			CHECK(rstar_pool_run(pool, count_block, &t, n, NULL));
			for (uint32_t i = 0; i < 500; i++)
				CHECK(t.count[i] == (i < n ? 1 : 0));
			if (round % 50 == 0)
				usleep(2000); /* let the threads fall asleep */
		}
		CHECK(t.signals_open == 0);
		if (threads > 1)
			CHECK(t.by_thread[1] > 0);
		rstar_pool_free(pool);
	}
}

static bool
stop_after(void *arg)
{
	int *left = arg;

	return (*left)-- <= 0;
}

static void
pool_stops_when_cancelled(void)
{
	static tally t;
	rstar_pool *pool = NULL;
	rstar_error err;

	memset(&t, 0, sizeof t);
	CHECK(rstar_pool_create(2, &pool, &err) == RSTAR_OK);
	for (int after = 0; after < 20; after++)
	{
		int left = after;
		uint32_t done = 0;
		rstar_cancel cancel = {stop_after, &left};

		memset(&t.count, 0, sizeof t.count);
		CHECK(!rstar_pool_run(pool, count_block, &t, 500, &cancel));
		for (int i = 0; i < 500; i++)
		{
			CHECK(t.count[i] <= 1);
			done += t.count[i];
		}
		CHECK(done >= (uint32_t) after && done < 500);
	}
	CHECK(rstar_pool_run(pool, count_block, &t, 3, NULL));
	rstar_pool_free(pool);
	CHECK(rstar_pool_create(0, &pool, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_pool_create(257, &pool, &err) == RSTAR_ERR_ARGUMENT);
	rstar_pool_free(NULL);
}

/* --- random numbers ------------------------------------------------------------------ */

/* Known answers of Philox4x32-10 (Random123's kat_vectors). */
static void
philox_known_answers(void)
{
	static const struct
	{
		uint32_t counter[4], key[2], out[4];
	} cases[] = {
		{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
		 {0xffffffff, 0xffffffff},
		 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
		 {0xa4093822, 0x299f31d0},
		 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};

	for (size_t i = 0; i < 3; i++)
	{
		uint32_t out[4];

		rstar_philox(cases[i].counter, cases[i].key, out);
		CHECK(memcmp(out, cases[i].out, sizeof out) == 0);
	}
}

static void
normal_numbers_do_not_depend_on_pieces(void)
{
	static float whole[20000], piece[20000];
	rstar_random_stream stream = {42, 3, 1};
	double sum = 0, squares = 0, uniform = 0;

	rstar_random_normal(&stream, 0, 20000, 2.0f, whole);
	for (uint64_t at = 0; at < 20000;)
	{
		uint64_t n = at % 13 + 1;

		n = at + n > 20000 ? 20000 - at : n;
		rstar_random_normal(&stream, at, n, 2.0f, piece + at);
		at += n;
	}
	CHECK(memcmp(whole, piece, sizeof whole) == 0);
	for (int i = 0; i < 20000; i++)
	{
		double u = rstar_random_uniform(&stream, (uint32_t) i);

		CHECK(u >= 0 && u < 1);
		uniform += u;
		sum += whole[i];
		squares += (double) whole[i] * whole[i];
	}
	CHECK(fabs(uniform / 20000 - 0.5) < 0.01);
	CHECK(fabs(sum / 20000) < 0.05);
	CHECK(fabs(squares / 20000 - 4) < 0.15);
	CHECK(rstar_random_mix(1, 2) != rstar_random_mix(2, 1));
}

int
main(void)
{
	RUN(errors_are_cut_at_characters);
	RUN(arena_aligns_bounds_and_resets);
	RUN(arrays_and_buffers_grow);
	RUN(pool_runs_every_block_once);
	RUN(pool_stops_when_cancelled);
	RUN(philox_known_answers);
	RUN(normal_numbers_do_not_depend_on_pieces);
	return CHECK_RESULT();
}

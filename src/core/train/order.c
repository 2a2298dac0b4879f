/*
 * order.c
 *	  The order in which examples are seen.
 */
#include "core/train/order.h"

#include <stdlib.h>

#include "core/base/random.h"

#define HOLD_OUT_STREAM UINT64_MAX /* of random numbers; epochs count from 0 */

/* Fisher and Yates, with the numbers of one stream. */
static void
shuffle(uint32_t *list, uint32_t n, uint64_t seed, uint64_t node)
{
	rstar_random_stream stream = {.seed = seed, .node = node};

	for (uint32_t i = n; i > 1; i--)
	{
		uint32_t j = (uint32_t) (rstar_random_uniform(&stream, i) * i);
		uint32_t swap = list[i - 1];

		list[i - 1] = list[j];
		list[j] = swap;
	}
}

uint32_t
rstar_order_tokens(const rstar_example *example)
{
	return example->length[0] + example->length[1];
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

/* --- what is held out -------------------------------------------------------------- */

typedef struct member
{
	uint64_t problem;
	uint32_t example;
} member;

static int
compare_members(const void *a, const void *b)
{
	const member *x = a, *y = b;

	return x->problem != y->problem ? (x->problem > y->problem) - (x->problem < y->problem)
									: (x->example > y->example) - (x->example < y->example);
}

/* Where an example's problem stands among the sorted members. */
typedef struct place
{
	uint32_t first, n;
} place;

static void
find_places(const member *members, uint32_t n, place *places)
{
	for (uint32_t first = 0, end; first < n; first = end)
	{
		for (end = first; end < n && members[end].problem == members[first].problem; end++)
			continue;
		for (uint32_t i = first; i < end; i++)
			places[members[i].example] = (place){first, end - first};
	}
}

/* Mark about `wanted` examples, whole problems, from the end of the list; returns how many. */
static uint32_t
mark_held_out(const uint32_t *list, const member *members, const place *places, uint32_t n,
			  uint32_t wanted, bool *held)
{
	uint32_t count = 0;

	for (uint32_t i = n; i > 0 && count < wanted; i--)
	{
		const place *problem = &places[list[i - 1]];

		if (held[list[i - 1]] || count + problem->n > wanted + n / 10 || count + problem->n >= n)
			continue;
		for (uint32_t j = 0; j < problem->n; j++)
			held[members[problem->first + j].example] = true;
		count += problem->n;
	}
	return count;
}

/* Those held out go behind the others, both in the order of the examples. */
static void
divide(rstar_order *order, const bool *held, uint32_t count)
{
	uint32_t n = (uint32_t) order->examples->n, trained = 0, out = n - count;

	order->n_trained = n - count;
	order->n_held_out = count;
	order->held_out = order->trained + order->n_trained;
	for (uint32_t i = 0; i < n; i++)
		order->trained[held[i] ? out++ : trained++] = i;
}

static bool
hold_out(rstar_order *order, uint32_t wanted)
{
	const rstar_allocator *allocator = order->allocator;
	uint32_t n = (uint32_t) order->examples->n;
	member *members = rstar_alloc_array(allocator, n, sizeof *members);
	place *places = rstar_alloc_array(allocator, n, sizeof *places);
	uint32_t *list = rstar_alloc_array(allocator, n, sizeof *list);
	bool *held = rstar_alloc_array_zero(allocator, n, sizeof *held);
	bool ok = members && places && list && held;

	for (uint32_t i = 0; ok && i < n; i++)
	{
		members[i] = (member){order->examples->items[i].problem, i};
		list[i] = i;
	}
	if (ok)
	{
		qsort(members, n, sizeof *members, compare_members);
		find_places(members, n, places);
		shuffle(list, n, order->seed, HOLD_OUT_STREAM);
		divide(order, held, mark_held_out(list, members, places, n, wanted, held));
	}
	rstar_free(allocator, members);
	rstar_free(allocator, places);
	rstar_free(allocator, list);
	rstar_free(allocator, held);
	return ok;
}

/* --- life --------------------------------------------------------------------------- */

rstar_status
rstar_order_init(rstar_order *order, const rstar_examples *examples, double held_out, uint64_t seed,
				 rstar_error *err)
{
	uint32_t n = (uint32_t) examples->n;

	*order = (rstar_order){.allocator = examples->allocator, .examples = examples, .seed = seed};
	order->trained = rstar_alloc_array(order->allocator, n, sizeof *order->trained);
	if (!order->trained || !hold_out(order, (uint32_t) (held_out * (double) n + 0.5)))
	{
		rstar_order_free(order);
		return rstar_error_memory(err, n * sizeof(member));
	}
	for (uint32_t i = 0; i < order->n_trained; i++)
		order->tokens += rstar_order_tokens(&examples->items[order->trained[i]]);
	rstar_order_epoch(order, 0);
	return RSTAR_OK;
}

void
rstar_order_free(rstar_order *order)
{
	rstar_free(order->allocator, order->trained);
	order->trained = NULL;
}

void
rstar_order_epoch(rstar_order *order, uint32_t epoch)
{
	/* From a fixed beginning, so that an epoch does not depend on the one before. */
	qsort(order->trained, order->n_trained, sizeof(uint32_t), compare_numbers);
	shuffle(order->trained, order->n_trained, order->seed, epoch);
	order->epoch = epoch;
}

uint32_t
rstar_order_batch(const rstar_examples *examples, const uint32_t *list, uint32_t n, uint32_t at,
				  uint64_t tokens)
{
	uint32_t count = 0;
	uint64_t sum = 0;

	while (at + count < n && (count == 0 || sum < tokens))
		sum += rstar_order_tokens(&examples->items[list[at + count++]]);
	return count;
}

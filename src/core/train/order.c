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

rstar_status
rstar_order_init(rstar_order *order, const rstar_examples *examples, double held_out, uint64_t seed,
				 rstar_error *err)
{
	uint32_t n = (uint32_t) examples->n, k = (uint32_t) (held_out * (double) n + 0.5);

	*order = (rstar_order){.allocator = examples->allocator, .examples = examples, .seed = seed};
	if (k >= n)
		k = n > 0 ? n - 1 : 0;
	order->trained = rstar_alloc_array(order->allocator, n, sizeof *order->trained);
	if (!order->trained)
		return rstar_error_memory(err, n * sizeof *order->trained);
	for (uint32_t i = 0; i < n; i++)
		order->trained[i] = i;
	shuffle(order->trained, n, seed, HOLD_OUT_STREAM);
	order->n_trained = n - k;
	order->n_held_out = k;
	order->held_out = order->trained + order->n_trained;
	qsort(order->held_out, k, sizeof(uint32_t), compare_numbers);
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

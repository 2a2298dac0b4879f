/*
 * order.h
 *	  The order in which examples are seen, and how they are cut into batches.
 *
 * Each epoch has a permutation of its own, a pure function of seed and epoch, so
 * that a run can go on anywhere. A few examples, chosen by the seed, are held
 * out and never learned from; those of one problem together, since a model that has learned
 * from some knows more of the others than it will know of a new problem. A batch takes examples in order until it has the
 * wanted number of tokens; an epoch's last batch may be smaller.
 */
#ifndef RSTAR_TRAIN_ORDER_H
#define RSTAR_TRAIN_ORDER_H

#include "core/train/examples.h"

typedef struct rstar_order
{
	const rstar_allocator *allocator;
	const rstar_examples *examples;
	uint64_t seed;
	uint32_t *trained; /* [n_trained], in the order of the epoch at hand */
	uint32_t n_trained;
	uint32_t *held_out; /* [n_held_out] */
	uint32_t n_held_out;
	uint64_t tokens; /* of an epoch */
	uint32_t epoch;
} rstar_order;

/*
 * Hold out a share of the examples (0 .. 0.5). A problem that would bring more than a tenth of
 * all examples beyond that, or all that are left, is not held out. Errors: MEMORY.
 */
extern rstar_status rstar_order_init(rstar_order *order, const rstar_examples *examples,
									 double held_out, uint64_t seed, rstar_error *err);
extern void rstar_order_free(rstar_order *order);

/* Shuffle `trained` for an epoch. */
extern void rstar_order_epoch(rstar_order *order, uint32_t epoch);

/* Tokens of an example: of both sides of a pair. */
extern uint32_t rstar_order_tokens(const rstar_example *example);

/* Examples from `at` on that make one batch of about `tokens` tokens: at least one. */
extern uint32_t rstar_order_batch(const rstar_examples *examples, const uint32_t *list, uint32_t n,
								  uint32_t at, uint64_t tokens);

#endif

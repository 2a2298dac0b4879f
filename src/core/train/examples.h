/*
 * examples.h
 *	  What a run learns from: sequences of tokens, and which of them count.
 *
 * Texts become tokens through core/step, as search does it, so training and
 * search see the same ids. A policy's example is a problem and its solution; it
 * learns what a model writes (with train_on_output inserted outputs too) and, behind an
 * answer, the end token. A PPM's example is a pair: the same problem and steps
 * before, then a better and a worse continuation, each read at its last token; marked are
 * the tokens whose likelihood may count (core/step/likelihood.h).
 *
 * A text that does not fit the context is never cut: it is refused, and the
 * caller counts it.
 */
#ifndef RSTAR_TRAIN_EXAMPLES_H
#define RSTAR_TRAIN_EXAMPLES_H

#include "core/step/tokens.h"

typedef struct rstar_example
{
	size_t ids[2];      /* in the store: of the solution; of chosen and rejected */
	uint32_t length[2]; /* [1] is 0 for a policy's */
	uint32_t learned;   /* tokens that count; 0 for a pair */
	float weight;       /* of a pair */
	uint64_t problem;   /* a hash of its prompt; of bare ids: their number */
} rstar_example;

typedef struct rstar_examples
{
	const rstar_allocator *allocator;
	const rstar_tokenizer *tokenizer;
	rstar_prompt_template prompt;
	uint32_t context; /* the longest sequence */
	bool train_on_output;

	rstar_example *items;
	size_t n, capacity;
	int32_t *ids;  /* all sequences, end to end */
	bool *learned; /* beside ids; of a pair: judged by their likelihood */
	size_t n_ids, ids_capacity, learned_capacity;
	uint64_t tokens;  /* of all sequences */
	uint32_t longest; /* sequence */
} rstar_examples;

/* tokenizer and the template's text must outlive it. */
extern void rstar_examples_init(rstar_examples *examples, const rstar_tokenizer *tokenizer,
								rstar_prompt_template prompt, uint32_t context,
								bool train_on_output, const rstar_allocator *allocator);
extern void rstar_examples_free(rstar_examples *examples);

/*
 * Add one. *length becomes the tokens of the (longer) sequence; if that is more
 * than the context, nothing is added and the status is OK all the same. Errors:
 * ARGUMENT (nothing to learn: an empty solution, chosen or rejected; a weight
 * that is not positive and finite), MEMORY, CANCELLED.
 */
extern rstar_status rstar_examples_add_solution(rstar_examples *examples, rstar_string problem,
												rstar_string solution, const rstar_cancel *cancel,
												uint32_t *length, rstar_error *err);
extern rstar_status rstar_examples_add_pair(rstar_examples *examples, rstar_string problem,
											rstar_string prefix, rstar_string chosen,
											rstar_string rejected, double weight,
											const rstar_cancel *cancel, uint32_t *length,
											rstar_error *err);

/* Add ids as they are, for tests and benchmarks; they must be valid. Errors: MEMORY. */
extern rstar_status rstar_examples_add_ids(rstar_examples *examples, const int32_t *ids,
										   const bool *learned, uint32_t length, rstar_error *err);

#endif

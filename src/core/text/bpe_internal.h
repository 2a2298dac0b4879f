/*
 * bpe_internal.h
 *	  What the parts of the vocabulary trainer share. Private to core/text.
 */
#ifndef RSTAR_TEXT_BPE_INTERNAL_H
#define RSTAR_TEXT_BPE_INTERNAL_H

#include <string.h>

#include "core/text/bpe_train.h"
#include "core/text/textindex.h"

#define RSTAR_BPE_BYTES 256

/* A distinct pre-token: its bytes lie in `letters`, and later its symbols. */
typedef struct rstar_bpe_word
{
	uint64_t count;
	uint32_t start;
	uint32_t length;
} rstar_bpe_word;

typedef struct rstar_bpe_pair
{
	uint64_t count;
	uint64_t queued; /* the highest count under which it is in the heap; 0: it is not */
	uint32_t left;
	uint32_t right;
	uint32_t *words; /* where it was seen; may name words it has left since */
	size_t n_words;
	size_t word_capacity;
	bool allowed;
} rstar_bpe_pair;

typedef struct rstar_bpe_heap_entry
{
	uint64_t count;
	uint32_t pair;
} rstar_bpe_heap_entry;

/* A growing open-addressing table of 32-bit numbers; the caller compares. */
typedef struct rstar_number_table
{
	uint32_t *slots; /* number + 1, 0: free */
	uint32_t mask;
	uint32_t used;
} rstar_number_table;

struct rstar_bpe_trainer
{
	const rstar_allocator *allocator;
	rstar_arena arena; /* copies of the options' texts */
	rstar_bpe_options options;
	bool trained;
	bool starts_special[256];
	int32_t end_special; /* number of the end token among the specials, or -1 */

	rstar_bpe_word *words;
	size_t n_words;
	size_t word_capacity;
	rstar_buffer letters; /* the bytes of all words */
	rstar_number_table word_table;

	uint32_t *symbols; /* token ids of all words, as far as merged */
	rstar_bpe_pair *pairs;
	size_t n_pairs;
	size_t pair_capacity;
	rstar_number_table pair_table;
	rstar_bpe_heap_entry *heap;
	size_t n_heap;
	size_t heap_capacity;

	rstar_buffer token_text; /* the bytes of all tokens but specials */
	uint32_t *token_start;   /* n_tokens + 1 */
	size_t token_capacity;
	uint32_t n_tokens;
	rstar_number_table token_table;
	uint32_t *merges; /* left, right, left, right, … */
	size_t merge_capacity;
	uint32_t n_merges;
};

/* The hash of what a number stands for. */
typedef uint64_t (*rstar_number_hash)(const rstar_bpe_trainer *trainer, uint32_t number);

extern bool rstar_number_table_init(rstar_number_table *table, const rstar_allocator *allocator,
									uint32_t slots);

/* Insert a number that is not there; grow at two thirds. False: no memory. */
extern bool rstar_number_table_add(rstar_bpe_trainer *trainer, rstar_number_table *table,
								   rstar_number_hash hash, uint32_t number);

/* Add a token of these bytes, which lie elsewhere. False: no memory. */
extern bool rstar_bpe_add_token(rstar_bpe_trainer *trainer, const char *text, size_t length);

extern rstar_status rstar_bpe_out_of_memory(rstar_error *err);

/* Free what only merging needs. */
extern void rstar_bpe_free_work(rstar_bpe_trainer *trainer);

/* The bytes of a token that is no special. */
static inline rstar_string
rstar_bpe_text(const rstar_bpe_trainer *trainer, uint32_t id)
{
	rstar_string text;

	text.data = trainer->token_text.data + trainer->token_start[id];
	text.length = trainer->token_start[id + 1] - trainer->token_start[id];
	return text;
}

#endif

/*
 * merge.h
 *	  Merging the characters of one word into tokens. Private to core/text.
 *
 * Both kinds of vocabulary merge the same way: of all neighbouring pairs that
 * may be merged the one with the best rank is, the leftmost among equals, until
 * none is left. They differ in the rank of a pair: byte-level BPE looks the
 * pair up in its list of merges; SentencePiece looks the merged text up among
 * the tokens, and its score is the rank.
 *
 * A short word is scanned for its best pair at each step. A long one (it can
 * be a megabyte) keeps its pairs in a heap, so that time stays n log n.
 */
#ifndef RSTAR_TEXT_MERGE_H
#define RSTAR_TEXT_MERGE_H

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/text/tokenizer.h"

typedef struct rstar_symbol
{
	uint64_t hash; /* of its text */
	uint32_t start;
	uint32_t length; /* 0: merged into its left neighbour */
	uint32_t rank;   /* of the pair with the symbol to the right */
	uint32_t next;   /* long words: number of the symbol to the right */
	uint32_t previous;
} rstar_symbol;

typedef struct rstar_word
{
	const rstar_allocator *allocator;
	char *text; /* as the vocabulary writes it */
	size_t length;
	size_t capacity;
	rstar_symbol *symbols;
	size_t n_symbols;
	size_t symbol_capacity;
	uint64_t *heap;
	size_t n_heap;
	size_t heap_capacity;
} rstar_word;

extern void rstar_word_init(rstar_word *word, const rstar_allocator *allocator);
extern void rstar_word_free(rstar_word *word);

static inline void
rstar_word_clear(rstar_word *word)
{
	word->length = 0;
	word->n_symbols = 0;
}

/* Add one character (1 to 4 bytes of text) as a symbol; false: no memory. */
extern bool rstar_word_add(rstar_word *word, const char *text, size_t length);

/*
 * Merge. Afterwards the symbols with a length are the result, left to right.
 * Errors: MEMORY, CANCELLED.
 */
extern rstar_status rstar_word_merge(rstar_word *word, const rstar_tokenizer *tokenizer,
									 const rstar_cancel *cancel, rstar_error *err);

#endif

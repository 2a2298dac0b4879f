/*
 * merge.c
 *	  Merging the characters of one word into tokens.
 */
#include "core/text/merge.h"

#include "core/text/vocabulary.h"

#define NO_RANK       UINT32_MAX
#define NO_SYMBOL     UINT32_MAX
#define SHORT_WORD    32    /* symbols; below, scanning beats the heap */
#define POLL_INTERVAL 16384 /* merges between two looks at cancel */

void
rstar_word_init(rstar_word *word, const rstar_allocator *allocator)
{
	memset(word, 0, sizeof(*word));
	word->allocator = allocator;
}

void
rstar_word_free(rstar_word *word)
{
	rstar_free(word->allocator, word->text);
	rstar_free(word->allocator, word->symbols);
	rstar_free(word->allocator, word->heap);
	rstar_word_init(word, word->allocator);
}

bool
rstar_word_add(rstar_word *word, const char *text, size_t length)
{
	rstar_symbol *symbol;

	if (!rstar_grow(word->allocator, (void **) &word->text, &word->capacity, word->length + length,
					1) ||
		!rstar_grow(word->allocator, (void **) &word->symbols, &word->symbol_capacity,
					word->n_symbols + 1, sizeof(rstar_symbol)))
		return false;
	memcpy(word->text + word->length, text, length);
	symbol = &word->symbols[word->n_symbols++];
	symbol->start = (uint32_t) word->length;
	symbol->length = (uint32_t) length;
	symbol->hash = rstar_text_hash(text, length);
	word->length += length;
	return true;
}

/* --- ranks ----------------------------------------------------------------- */

static uint32_t
rank_by_merges(const rstar_tokenizer *tokenizer, const char *text, const rstar_symbol *left,
			   const rstar_symbol *right)
{
	rstar_text_probe probe = rstar_text_probe_start(&tokenizer->merge_index,
													rstar_text_hash_pair(left->hash, right->hash));
	uint32_t item;

	while ((item = rstar_text_probe_next(&tokenizer->merge_index, &probe)) != RSTAR_NO_ITEM)
	{
		rstar_string merge = rstar_string_table_get(&tokenizer->merges, item);

		if (merge.length == (size_t) left->length + 1 + right->length &&
			memcmp(merge.data, text + left->start, left->length) == 0 &&
			merge.data[left->length] == ' ' &&
			memcmp(merge.data + left->length + 1, text + right->start, right->length) == 0)
			return item;
	}
	return NO_RANK;
}

/* A score as a number that is the smaller the higher the score. */
static uint32_t
rank_of_score(float score)
{
	uint32_t bits;

	score += 0.0f; /* -0 becomes 0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits & 0x80000000u ? bits : ~(bits | 0x80000000u);
}

static uint32_t
rank_by_score(const rstar_tokenizer *tokenizer, const char *text, const rstar_symbol *left,
			  const rstar_symbol *right)
{
	size_t length = (size_t) left->length + right->length;
	int32_t id;
	float score;

	if (length > tokenizer->max_token_length)
		return NO_RANK;
	id = rstar_vocabulary_find(tokenizer, text + left->start, length,
							   rstar_text_hash(text + left->start, length));
	if (id == RSTAR_NO_TOKEN)
		return NO_RANK;
	memcpy(&score, tokenizer->scores + (size_t) id * sizeof(score), sizeof(score));
	return rank_of_score(score);
}

static inline uint32_t
pair_rank(const rstar_tokenizer *tokenizer, const char *text, const rstar_symbol *left,
		  const rstar_symbol *right)
{
	if (tokenizer->kind == RSTAR_TOKENIZER_BPE)
		return rank_by_merges(tokenizer, text, left, right);
	return rank_by_score(tokenizer, text, left, right);
}

static inline void
absorb(const rstar_word *word, rstar_symbol *left, const rstar_symbol *right)
{
	left->length += right->length;
	left->hash = rstar_text_hash(word->text + left->start, left->length);
}

/* --- short words ----------------------------------------------------------- */

static void
merge_short(rstar_word *word, const rstar_tokenizer *tokenizer)
{
	rstar_symbol *symbols = word->symbols;
	size_t n = word->n_symbols;

	for (size_t i = 0; i + 1 < n; i++)
		symbols[i].rank = pair_rank(tokenizer, word->text, &symbols[i], &symbols[i + 1]);
	while (n > 1)
	{
		size_t best = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (symbols[i].rank < symbols[best].rank)
				best = i;
		if (symbols[best].rank == NO_RANK)
			break;
		absorb(word, &symbols[best], &symbols[best + 1]);
		n--;
		memmove(&symbols[best + 1], &symbols[best + 2], (n - best - 1) * sizeof(rstar_symbol));
		if (best > 0)
			symbols[best - 1].rank =
				pair_rank(tokenizer, word->text, &symbols[best - 1], &symbols[best]);
		if (best + 1 < n)
			symbols[best].rank =
				pair_rank(tokenizer, word->text, &symbols[best], &symbols[best + 1]);
	}
	word->n_symbols = n;
}

/* --- long words ------------------------------------------------------------ */

/* A heap entry is rank << 32 | left symbol: the smallest is the next merge. */
static inline bool
comes_before(const rstar_word *word, uint64_t a, uint64_t b)
{
	(void) word;
	return a < b;
}

#define HEAP_OWNER rstar_word
#define HEAP_ENTRY uint64_t

#include "core/text/heap_template.h"

static bool
heap_push(rstar_word *word, uint64_t entry)
{
	if (!rstar_grow(word->allocator, (void **) &word->heap, &word->heap_capacity, word->n_heap + 1,
					sizeof(uint64_t)))
		return false;
	heap_insert(word, word->heap, word->n_heap++, entry);
	return true;
}

static uint64_t
heap_pop(rstar_word *word)
{
	return heap_remove(word, word->heap, word->n_heap--);
}

/* Rank the pair of `left` with its right neighbour, and queue it. */
static bool
rank_pair(rstar_word *word, const rstar_tokenizer *tokenizer, uint32_t left)
{
	rstar_symbol *symbol = &word->symbols[left];

	symbol->rank = NO_RANK;
	if (symbol->next == NO_SYMBOL)
		return true;
	symbol->rank = pair_rank(tokenizer, word->text, symbol, &word->symbols[symbol->next]);
	return symbol->rank == NO_RANK || heap_push(word, (uint64_t) symbol->rank << 32 | left);
}

/* Merge symbol `left` with its right neighbour and rank the two new pairs. */
static bool
merge_at(rstar_word *word, const rstar_tokenizer *tokenizer, uint32_t left)
{
	rstar_symbol *symbol = &word->symbols[left];
	rstar_symbol *right = &word->symbols[symbol->next];

	absorb(word, symbol, right);
	right->length = 0;
	symbol->next = right->next;
	if (symbol->next != NO_SYMBOL)
		word->symbols[symbol->next].previous = left;
	if (symbol->previous != NO_SYMBOL && !rank_pair(word, tokenizer, symbol->previous))
		return false;
	return rank_pair(word, tokenizer, left);
}

/*
 * The same merges in the same order as for a short word, the lowest rank first and the
 * leftmost among equals, but from a heap: n log n instead of n squared. Entries are never
 * removed from the heap's middle; those out of date are passed over when they come up.
 */
static rstar_status
merge_long(rstar_word *word, const rstar_tokenizer *tokenizer, const rstar_cancel *cancel,
		   rstar_error *err)
{
	uint32_t n = (uint32_t) word->n_symbols;
	size_t work = 0;

	word->n_heap = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		word->symbols[i].previous = i > 0 ? i - 1 : NO_SYMBOL;
		word->symbols[i].next = i + 1 < n ? i + 1 : NO_SYMBOL;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		if (!rank_pair(word, tokenizer, i))
			return rstar_error_memory(err, word->heap_capacity * 2 * sizeof(uint64_t));
		if (++work % POLL_INTERVAL == 0 && rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "encoding of text was cancelled");
	}
	while (word->n_heap > 0)
	{
		uint64_t entry = heap_pop(word);
		uint32_t left = (uint32_t) entry;

		if (++work % POLL_INTERVAL == 0 && rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "encoding of text was cancelled");

		/* Out of date if the pair was merged or ranked anew since. */
		if (word->symbols[left].length == 0 || word->symbols[left].rank != entry >> 32)
			continue;
		if (!merge_at(word, tokenizer, left))
			return rstar_error_memory(err, word->heap_capacity * 2 * sizeof(uint64_t));
	}
	return RSTAR_OK;
}

rstar_status
rstar_word_merge(rstar_word *word, const rstar_tokenizer *tokenizer, const rstar_cancel *cancel,
				 rstar_error *err)
{
	if (word->n_symbols > SHORT_WORD)
		return merge_long(word, tokenizer, cancel, err);
	merge_short(word, tokenizer);
	return RSTAR_OK;
}

/*
 * bpe_merge.c
 *	  Learning the merges of a vocabulary.
 *
 * Counting all pairs anew for each merge would take a pass over all words;
 * instead every pair knows its count and the words in which it was seen, and a
 * merge touches only those. A heap gives the most frequent pair. Its entries
 * are not corrected when a count falls: an entry that turns out to promise too
 * much is put back with the true count.
 */
#include "core/text/bpe_internal.h"

#define NO_PAIR   UINT32_MAX
#define NO_SYMBOL UINT32_MAX

/* --- pairs ----------------------------------------------------------------- */

static uint64_t
hash_of_sides(uint32_t left, uint32_t right)
{
	return rstar_text_hash_pair(left, right);
}

static uint64_t
hash_of_pair(const rstar_bpe_trainer *trainer, uint32_t number)
{
	return hash_of_sides(trainer->pairs[number].left, trainer->pairs[number].right);
}

void
rstar_bpe_free_work(rstar_bpe_trainer *trainer)
{
	const rstar_allocator *allocator = trainer->allocator;

	for (size_t i = 0; i < trainer->n_pairs; i++)
		rstar_free(allocator, trainer->pairs[i].words);
	rstar_free(allocator, trainer->pairs);
	rstar_free(allocator, trainer->pair_table.slots);
	rstar_free(allocator, trainer->heap);
	rstar_free(allocator, trainer->symbols);
	trainer->pairs = NULL;
	trainer->n_pairs = 0;
	trainer->pair_table.slots = NULL;
	trainer->heap = NULL;
	trainer->symbols = NULL;
}

static int
compare_strings(rstar_string a, rstar_string b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* Does entry a come out of the heap before entry b? */
static bool
comes_before(const rstar_bpe_trainer *trainer, rstar_bpe_heap_entry a, rstar_bpe_heap_entry b)
{
	const rstar_bpe_pair *x = &trainer->pairs[a.pair];
	const rstar_bpe_pair *y = &trainer->pairs[b.pair];
	int order;

	if (a.count != b.count)
		return a.count > b.count;
	order = compare_strings(rstar_bpe_text(trainer, x->left), rstar_bpe_text(trainer, y->left));
	if (order == 0)
		order =
			compare_strings(rstar_bpe_text(trainer, x->right), rstar_bpe_text(trainer, y->right));
	return order < 0;
}

#define HEAP_OWNER rstar_bpe_trainer
#define HEAP_ENTRY rstar_bpe_heap_entry

#include "core/text/heap_template.h"

/* Queue a pair under its count, unless it is queued under that or a higher one. */
static bool
heap_push(rstar_bpe_trainer *trainer, uint32_t number)
{
	rstar_bpe_heap_entry entry = {trainer->pairs[number].count, number};

	if (entry.count <= trainer->pairs[number].queued)
		return true;
	trainer->pairs[number].queued = entry.count;
	if (!rstar_grow(trainer->allocator, (void **) &trainer->heap, &trainer->heap_capacity,
					trainer->n_heap + 1, sizeof(rstar_bpe_heap_entry)))
		return false;
	heap_insert(trainer, trainer->heap, trainer->n_heap++, entry);
	return true;
}

static rstar_bpe_heap_entry
heap_pop(rstar_bpe_trainer *trainer)
{
	rstar_bpe_heap_entry top = heap_remove(trainer, trainer->heap, trainer->n_heap--);

	if (trainer->pairs[top.pair].queued == top.count)
		trainer->pairs[top.pair].queued = 0;
	return top;
}

static uint32_t
find_pair(const rstar_bpe_trainer *trainer, uint32_t left, uint32_t right)
{
	const rstar_number_table *table = &trainer->pair_table;
	uint32_t slot = (uint32_t) hash_of_sides(left, right) & table->mask;

	for (; table->slots[slot] != 0; slot = (slot + 1) & table->mask)
	{
		const rstar_bpe_pair *p = &trainer->pairs[table->slots[slot] - 1];

		if (p->left == left && p->right == right)
			return table->slots[slot] - 1;
	}
	return NO_PAIR;
}

/* May left and right become one token? */
static bool
pair_allowed(const rstar_bpe_trainer *trainer, uint32_t left, uint32_t right)
{
	rstar_string a = rstar_bpe_text(trainer, left);
	rstar_string b = rstar_bpe_text(trainer, right);
	char text[2 * RSTAR_BPE_LONGEST_WORD];
	size_t length = a.length + b.length;

	if (trainer->options.max_token_bytes > 0 && length > trainer->options.max_token_bytes)
		return false;
	memcpy(text, a.data, a.length);
	memcpy(text + a.length, b.data, b.length);
	return rstar_bpe_rules_allow(&trainer->options.rules, text, length);
}

/* The pair's number; made if there is none. NO_PAIR: no memory. */
static uint32_t
get_pair(rstar_bpe_trainer *trainer, uint32_t left, uint32_t right)
{
	uint32_t number = find_pair(trainer, left, right);
	rstar_bpe_pair *p;

	if (number != NO_PAIR)
		return number;
	if (trainer->n_pairs >= NO_PAIR - 1 ||
		!rstar_grow(trainer->allocator, (void **) &trainer->pairs, &trainer->pair_capacity,
					trainer->n_pairs + 1, sizeof(rstar_bpe_pair)))
		return NO_PAIR;
	number = (uint32_t) trainer->n_pairs;
	p = &trainer->pairs[number];
	memset(p, 0, sizeof(*p));
	p->left = left;
	p->right = right;
	p->allowed = pair_allowed(trainer, left, right);
	trainer->n_pairs++;
	return rstar_number_table_add(trainer, &trainer->pair_table, hash_of_pair, number) ? number
																					   : NO_PAIR;
}

/*
 * Count the pairs of a word in, and note where they are: all of them, or those
 * with the symbol `merged`, where the others were noted before.
 */
static bool
add_pairs(rstar_bpe_trainer *trainer, uint32_t number, uint32_t merged)
{
	const rstar_bpe_word *w = &trainer->words[number];
	const uint32_t *symbols = trainer->symbols + w->start;

	for (uint32_t i = 0; i + 1 < w->length; i++)
	{
		uint32_t n = get_pair(trainer, symbols[i], symbols[i + 1]);
		rstar_bpe_pair *p;

		if (n == NO_PAIR)
			return false;
		p = &trainer->pairs[n];
		p->count += w->count;
		if (!p->allowed || (p->n_words > 0 && p->words[p->n_words - 1] == number))
			continue;
		if (merged != NO_SYMBOL && p->left != merged && p->right != merged)
			continue;
		if (!rstar_grow(trainer->allocator, (void **) &p->words, &p->word_capacity, p->n_words + 1,
						sizeof(uint32_t)))
			return false;
		p->words[p->n_words++] = number;
	}
	return true;
}

static void
subtract_pairs(rstar_bpe_trainer *trainer, uint32_t number)
{
	const rstar_bpe_word *w = &trainer->words[number];
	const uint32_t *symbols = trainer->symbols + w->start;

	for (uint32_t i = 0; i + 1 < w->length; i++)
		trainer->pairs[find_pair(trainer, symbols[i], symbols[i + 1])].count -= w->count;
}

/* --- merging --------------------------------------------------------------- */

/* Only frequent words take part: give them symbols and count their pairs. */
static rstar_status
begin(rstar_bpe_trainer *trainer, const rstar_cancel *cancel, rstar_error *err)
{
	trainer->symbols =
		rstar_alloc_array(trainer->allocator, trainer->letters.length, sizeof(uint32_t));
	if (!trainer->symbols)
		return rstar_bpe_out_of_memory(err);
	for (size_t i = 0; i < trainer->letters.length; i++)
		trainer->symbols[i] = (unsigned char) trainer->letters.data[i];
	for (size_t i = 0; i < trainer->n_words; i++)
	{
		if (trainer->words[i].count >= trainer->options.min_word_count &&
			!add_pairs(trainer, (uint32_t) i, NO_SYMBOL))
			return rstar_bpe_out_of_memory(err);
		if (i % 4096 == 0 && rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED,
								   "training of a vocabulary was cancelled");
	}
	for (size_t i = 0; i < trainer->n_pairs; i++)
		if (trainer->pairs[i].allowed && !heap_push(trainer, (uint32_t) i))
			return rstar_bpe_out_of_memory(err);
	return RSTAR_OK;
}

/* Join every left, right in a word; true if there was one. */
static bool
rewrite(rstar_bpe_trainer *trainer, rstar_bpe_word *w, uint32_t left, uint32_t right,
		uint32_t merged)
{
	uint32_t *symbols = trainer->symbols + w->start;
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->length; i++)
	{
		if (i + 1 < w->length && symbols[i] == left && symbols[i + 1] == right)
		{
			symbols[n++] = merged;
			i++;
		}
		else
			symbols[n++] = symbols[i];
	}
	if (n == w->length)
		return false;
	w->length = n;
	return true;
}

static bool
contains(const rstar_bpe_trainer *trainer, const rstar_bpe_word *w, uint32_t left, uint32_t right)
{
	const uint32_t *symbols = trainer->symbols + w->start;

	for (uint32_t i = 0; i + 1 < w->length; i++)
		if (symbols[i] == left && symbols[i + 1] == right)
			return true;
	return false;
}

/* Queue the pairs of a word that the merge has made more frequent. */
static bool
queue_pairs(rstar_bpe_trainer *trainer, const rstar_bpe_word *w, uint32_t merged)
{
	const uint32_t *symbols = trainer->symbols + w->start;

	for (uint32_t i = 0; i + 1 < w->length; i++)
	{
		uint32_t number;

		if (symbols[i] != merged && symbols[i + 1] != merged)
			continue;
		number = find_pair(trainer, symbols[i], symbols[i + 1]);
		if (trainer->pairs[number].allowed && !heap_push(trainer, number))
			return false;
	}
	return true;
}

/*
 * Join a pair in all words that have it. The list is taken over from the pair,
 * which moves when new pairs come.
 */
static bool
apply(rstar_bpe_trainer *trainer, uint32_t number, uint32_t merged)
{
	rstar_bpe_pair p = trainer->pairs[number];
	bool done = true;

	trainer->pairs[number].words = NULL;
	trainer->pairs[number].n_words = 0;
	trainer->pairs[number].word_capacity = 0;
	for (size_t i = 0; i < p.n_words && done; i++)
	{
		rstar_bpe_word *w = &trainer->words[p.words[i]];

		if (!contains(trainer, w, p.left, p.right))
			continue;
		subtract_pairs(trainer, p.words[i]);
		(void) rewrite(trainer, w, p.left, p.right, merged);
		done = add_pairs(trainer, p.words[i], merged);
	}

	/* Only now are the counts final, and worth queueing. */
	for (size_t i = 0; i < p.n_words && done; i++)
		done = queue_pairs(trainer, &trainer->words[p.words[i]], merged);
	rstar_free(trainer->allocator, p.words);
	return done;
}

/* The id of the merged text; the same text can come about in two ways. */
static uint32_t
token_of_text(rstar_bpe_trainer *trainer, const char *text, size_t length)
{
	const rstar_number_table *table = &trainer->token_table;
	uint32_t slot = (uint32_t) rstar_text_hash(text, length) & table->mask;

	for (; table->slots[slot] != 0; slot = (slot + 1) & table->mask)
	{
		rstar_string known = rstar_bpe_text(trainer, table->slots[slot] - 1);

		if (known.length == length && memcmp(known.data, text, length) == 0)
			return table->slots[slot] - 1;
	}
	return rstar_bpe_add_token(trainer, text, length) ? trainer->n_tokens - 1 : NO_PAIR;
}

static bool
merge(rstar_bpe_trainer *trainer, uint32_t number)
{
	uint32_t left = trainer->pairs[number].left;
	uint32_t right = trainer->pairs[number].right;
	rstar_string a = rstar_bpe_text(trainer, left);
	rstar_string b = rstar_bpe_text(trainer, right);
	char text[2 * RSTAR_BPE_LONGEST_WORD];
	uint32_t merged;

	memcpy(text, a.data, a.length);
	memcpy(text + a.length, b.data, b.length);
	merged = token_of_text(trainer, text, a.length + b.length);
	if (merged == NO_PAIR ||
		!rstar_grow(trainer->allocator, (void **) &trainer->merges, &trainer->merge_capacity,
					2 * (size_t) trainer->n_merges + 2, sizeof(uint32_t)))
		return false;
	trainer->merges[2 * trainer->n_merges] = left;
	trainer->merges[2 * trainer->n_merges + 1] = right;
	trainer->n_merges++;
	return apply(trainer, number, merged);
}

/*
 * Greedy: always the pair that is most frequent now. Counts change with each merge while the
 * heap's entries do not, so an entry is checked when it comes up, and one that is out of date
 * goes back with its present count: this is cheaper than finding it in the heap. A trainer
 * trains once, whether it succeeds or not.
 */
rstar_status
rstar_bpe_trainer_train(rstar_bpe_trainer *trainer, const rstar_cancel *cancel, rstar_error *err)
{
	uint32_t wanted = trainer->options.vocabulary_size - (uint32_t) trainer->options.n_specials;
	rstar_status status;

	if (trainer->trained)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "the vocabulary is trained already");
	trainer->trained = true;
	status = begin(trainer, cancel, err);
	while (status == RSTAR_OK && trainer->n_tokens < wanted && trainer->n_heap > 0)
	{
		rstar_bpe_heap_entry top = heap_pop(trainer);
		uint64_t count = trainer->pairs[top.pair].count;

		if (rstar_cancel_requested(cancel))
			status =
				rstar_error_set(err, RSTAR_ERR_CANCELLED, "training of a vocabulary was cancelled");
		else if (count == 0 || count < trainer->options.min_pair_count)
			continue;
		else if (count != top.count)
		{
			/* It fell since, or rose, and then another entry says so. */
			if (!heap_push(trainer, top.pair))
				status = rstar_bpe_out_of_memory(err);
		}
		else if (!merge(trainer, top.pair))
			status = rstar_bpe_out_of_memory(err);
	}
	rstar_bpe_free_work(trainer);
	return status;
}

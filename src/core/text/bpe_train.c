/*
 * bpe_train.c
 *	  The vocabulary trainer: its life, and counting the words of a corpus.
 *
 * Words (distinct pre-tokens) are counted first; bpe_merge.c then learns the
 * merges on the list of words, each standing for all its occurrences, and
 * bpe_write.c hands out the result.
 */
#include "core/text/bpe_internal.h"
#include "core/text/pretoken.h"

#define MOST_TOKENS    ((uint32_t) 1 << 20)
#define LARGEST_CORPUS ((size_t) 1 << 31) /* bytes of distinct words */
#define POLL_BYTES     65536

/* --- tables ---------------------------------------------------------------- */

bool
rstar_number_table_init(rstar_number_table *table, const rstar_allocator *allocator, uint32_t slots)
{
	table->slots = rstar_alloc_array_zero(allocator, slots, sizeof(uint32_t));
	table->mask = slots - 1;
	table->used = 0;
	return table->slots != NULL;
}

/*
 * Open addressing with linear probing; 0 marks an empty slot, so numbers are stored plus one.
 * The table doubles at two thirds, and nothing is ever removed, so no tombstones are needed.
 * The caller has looked the number up: it is not in the table.
 */
bool
rstar_number_table_add(rstar_bpe_trainer *trainer, rstar_number_table *table,
					   rstar_number_hash hash, uint32_t number)
{
	uint32_t slot;

	if (table->used >= table->mask / 3 * 2)
	{
		rstar_number_table larger;

		if (table->mask > UINT32_MAX / 4 ||
			!rstar_number_table_init(&larger, trainer->allocator, (table->mask + 1) * 2))
			return false;
		for (uint32_t i = 0; i <= table->mask; i++)
		{
			if (table->slots[i] == 0)
				continue;
			slot = (uint32_t) hash(trainer, table->slots[i] - 1) & larger.mask;
			while (larger.slots[slot] != 0)
				slot = (slot + 1) & larger.mask;
			larger.slots[slot] = table->slots[i];
		}
		larger.used = table->used;
		rstar_free(trainer->allocator, table->slots);
		*table = larger;
	}
	slot = (uint32_t) hash(trainer, number) & table->mask;
	while (table->slots[slot] != 0)
		slot = (slot + 1) & table->mask;
	table->slots[slot] = number + 1;
	table->used++;
	return true;
}

static uint64_t
hash_of_word(const rstar_bpe_trainer *trainer, uint32_t number)
{
	const rstar_bpe_word *w = &trainer->words[number];

	return rstar_text_hash(trainer->letters.data + w->start, w->length);
}

static uint64_t
hash_of_token(const rstar_bpe_trainer *trainer, uint32_t number)
{
	rstar_string text = rstar_bpe_text(trainer, number);

	return rstar_text_hash(text.data, text.length);
}

/* --- life ------------------------------------------------------------------ */

rstar_status
rstar_bpe_out_of_memory(rstar_error *err)
{
	return rstar_error_set(err, RSTAR_ERR_MEMORY, "out of memory while training a vocabulary");
}

bool
rstar_bpe_add_token(rstar_bpe_trainer *trainer, const char *text, size_t length)
{
	if (!rstar_grow(trainer->allocator, (void **) &trainer->token_start, &trainer->token_capacity,
					(size_t) trainer->n_tokens + 2, sizeof(uint32_t)) ||
		!rstar_buffer_append(&trainer->token_text, text, length))
		return false;
	trainer->token_start[trainer->n_tokens + 1] = (uint32_t) trainer->token_text.length;
	trainer->n_tokens++;
	return rstar_number_table_add(trainer, &trainer->token_table, hash_of_token,
								  trainer->n_tokens - 1);
}

static rstar_status
check_options(const rstar_bpe_options *options, rstar_error *err)
{
	if (options->n_specials > MOST_TOKENS || options->vocabulary_size > MOST_TOKENS ||
		options->vocabulary_size < RSTAR_BPE_BYTES + options->n_specials)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "a vocabulary of %u tokens is too small or too large",
							   options->vocabulary_size);
	for (size_t i = 0; i < options->n_specials; i++)
	{
		const rstar_bpe_special *special = &options->specials[i];

		if (special->text[0] == '\0' || !rstar_utf8_valid(special->text, strlen(special->text)))
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "special token %zu is not valid text",
								   i);
		if (special->type != RSTAR_TOKEN_CONTROL && special->type != RSTAR_TOKEN_USER_DEFINED)
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
								   "special token \"%s\" is of no special type", special->text);
		for (size_t k = 0; k < i; k++)
			if (strcmp(special->text, options->specials[k].text) == 0)
				return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
									   "special token \"%s\" is given twice", special->text);
	}
	return RSTAR_OK;
}

/*
 * Deep copies into the trainer's arena: the caller's strings may go after the trainer is
 * created. The first bytes of the special tokens are noted so that a text without any is
 * passed through with one look at each byte.
 */
static rstar_status
copy_options(rstar_bpe_trainer *trainer, const rstar_bpe_options *options, rstar_error *err)
{
	rstar_arena *arena = &trainer->arena;
	rstar_bpe_special *specials =
		rstar_arena_alloc_array(arena, options->n_specials + 1, sizeof(rstar_bpe_special));
	rstar_string *also =
		rstar_arena_alloc_array(arena, options->rules.n_also + 1, sizeof(rstar_string));

	if (!specials || !also)
		return rstar_bpe_out_of_memory(err);
	trainer->options = *options;
	trainer->options.specials = specials;
	trainer->options.rules.also = also;
	trainer->end_special = -1;
	for (size_t i = 0; i < options->n_specials; i++)
	{
		const char *text = options->specials[i].text;

		specials[i].type = options->specials[i].type;
		specials[i].text = rstar_arena_strndup(arena, text, strlen(text));
		if (!specials[i].text)
			return rstar_bpe_out_of_memory(err);
		trainer->starts_special[(unsigned char) text[0]] = true;
		if (options->end_text && strcmp(text, options->end_text) == 0)
			trainer->end_special = (int32_t) i;
	}
	for (size_t i = 0; i < options->rules.n_also; i++)
	{
		also[i].length = options->rules.also[i].length;
		also[i].data = rstar_arena_strndup(arena, options->rules.also[i].data, also[i].length);
		if (!also[i].data)
			return rstar_bpe_out_of_memory(err);
	}
	if (options->end_text && trainer->end_special < 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "the end token \"%s\" is not among the special tokens",
							   options->end_text);
	return RSTAR_OK;
}

/*
 * The 256 bytes come first, in their order, so token and byte have the same number and any
 * text can be written. token_start has one entry more than there are tokens: the end of the
 * last.
 */
rstar_status
rstar_bpe_trainer_create(const rstar_bpe_options *options, const rstar_allocator *allocator,
						 rstar_bpe_trainer **out, rstar_error *err)
{
	rstar_status status = check_options(options, err);
	rstar_bpe_trainer *trainer;

	*out = NULL;
	if (status != RSTAR_OK)
		return status;
	trainer = rstar_alloc_zero(allocator, sizeof(*trainer));
	if (!trainer)
		return rstar_bpe_out_of_memory(err);
	trainer->allocator = allocator;
	rstar_arena_init(&trainer->arena, allocator, 0);
	rstar_buffer_init(&trainer->letters, allocator);
	rstar_buffer_init(&trainer->token_text, allocator);
	status = copy_options(trainer, options, err);
	if (status == RSTAR_OK &&
		(!rstar_number_table_init(&trainer->word_table, allocator, 1 << 12) ||
		 !rstar_number_table_init(&trainer->pair_table, allocator, 1 << 12) ||
		 !rstar_number_table_init(&trainer->token_table, allocator, 1 << 10) ||
		 !rstar_grow(allocator, (void **) &trainer->token_start, &trainer->token_capacity, 1,
					 sizeof(uint32_t))))
		status = rstar_bpe_out_of_memory(err);
	if (status == RSTAR_OK)
		trainer->token_start[0] = 0;
	for (int byte = 0; byte < RSTAR_BPE_BYTES && status == RSTAR_OK; byte++)
	{
		char text = (char) byte;

		if (!rstar_bpe_add_token(trainer, &text, 1))
			status = rstar_bpe_out_of_memory(err);
	}
	if (status != RSTAR_OK)
	{
		rstar_bpe_trainer_free(trainer);
		return status;
	}
	*out = trainer;
	return RSTAR_OK;
}

void
rstar_bpe_trainer_free(rstar_bpe_trainer *trainer)
{
	const rstar_allocator *allocator;

	if (!trainer)
		return;
	allocator = trainer->allocator;
	rstar_bpe_free_work(trainer);
	rstar_free(allocator, trainer->words);
	rstar_free(allocator, trainer->word_table.slots);
	rstar_buffer_free(&trainer->letters);
	rstar_buffer_free(&trainer->token_text);
	rstar_free(allocator, trainer->token_start);
	rstar_free(allocator, trainer->token_table.slots);
	rstar_free(allocator, trainer->merges);
	rstar_arena_reset(&trainer->arena);
	rstar_free(allocator, trainer);
}

/* --- counting words -------------------------------------------------------- */

/*
 * Distinct words stand once, end to end in one buffer, and are named by 32-bit positions in
 * it; that is what bounds the corpus. The table is asked first, as nearly all words of a text
 * were seen before.
 */
static rstar_status
count_word(rstar_bpe_trainer *trainer, const char *text, size_t length, rstar_error *err)
{
	rstar_number_table *table = &trainer->word_table;
	uint32_t slot = (uint32_t) rstar_text_hash(text, length) & table->mask;
	rstar_bpe_word *added;

	for (; table->slots[slot] != 0; slot = (slot + 1) & table->mask)
	{
		rstar_bpe_word *w = &trainer->words[table->slots[slot] - 1];

		if (w->length == length && memcmp(trainer->letters.data + w->start, text, length) == 0)
		{
			w->count++;
			return RSTAR_OK;
		}
	}
	if (trainer->letters.length + length > LARGEST_CORPUS)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "the corpus has too many distinct words");
	if (!rstar_grow(trainer->allocator, (void **) &trainer->words, &trainer->word_capacity,
					trainer->n_words + 1, sizeof(rstar_bpe_word)))
		return rstar_bpe_out_of_memory(err);
	added = &trainer->words[trainer->n_words];
	added->count = 1;
	added->start = (uint32_t) trainer->letters.length;
	added->length = (uint32_t) length;
	if (!rstar_buffer_append(&trainer->letters, text, length) ||
		!rstar_number_table_add(trainer, table, hash_of_word, (uint32_t) trainer->n_words))
		return rstar_bpe_out_of_memory(err);
	trainer->n_words++;
	return RSTAR_OK;
}

/* Bytes of the longest special token at the start of text, or 0. */
static size_t
special_at(const rstar_bpe_trainer *trainer, const char *text, size_t length)
{
	size_t longest = 0;

	if (!trainer->starts_special[(unsigned char) text[0]])
		return 0;
	for (size_t i = 0; i < trainer->options.n_specials; i++)
	{
		size_t size = strlen(trainer->options.specials[i].text);

		if (size > longest && size <= length &&
			memcmp(text, trainer->options.specials[i].text, size) == 0)
			longest = size;
	}
	return longest;
}

static rstar_status
poll_cancel(const rstar_cancel *cancel, rstar_error *err)
{
	if (!rstar_cancel_requested(cancel))
		return RSTAR_OK;
	return rstar_error_set(err, RSTAR_ERR_CANCELLED, "training of a vocabulary was cancelled");
}

/*
 * Where a word that starts at `at` has its end at the latest: at most POLL_BYTES on, between two
 * characters. A run of megabytes would keep the loop from polling, and words so long teach nothing.
 */
static size_t
window_end(const char *text, size_t length, size_t at)
{
	size_t end = at + POLL_BYTES;

	if (length - at <= POLL_BYTES)
		return length;
	while (((unsigned char) text[end] & 0xC0) == 0x80 && end > at + 1)
		end--;
	return end;
}

static rstar_status
count_words(rstar_bpe_trainer *trainer, const char *text, size_t length, const rstar_cancel *cancel,
			rstar_error *err)
{
	size_t polled = 0;

	for (size_t at = 0; at < length;)
	{
		size_t end = rstar_pretoken_end(text, window_end(text, length, at), at, 1);
		rstar_status status = RSTAR_OK;

		if (end - at <= RSTAR_BPE_LONGEST_WORD)
			status = count_word(trainer, text + at, end - at, err);
		if (status != RSTAR_OK)
			return status;
		at = end;
		if (at - polled < POLL_BYTES)
			continue;
		polled = at;
		status = poll_cancel(cancel, err);
		if (status != RSTAR_OK)
			return status;
	}
	return RSTAR_OK;
}

rstar_status
rstar_bpe_trainer_add(rstar_bpe_trainer *trainer, const char *text, size_t length,
					  const rstar_cancel *cancel, rstar_error *err)
{
	size_t start = 0;
	rstar_status status;

	for (size_t at = 0; at < length;)
	{
		size_t special = special_at(trainer, text + at, length - at);

		if (special == 0)
		{
			if (++at % POLL_BYTES == 0 && poll_cancel(cancel, err) != RSTAR_OK)
				return RSTAR_ERR_CANCELLED;
			continue;
		}
		status = count_words(trainer, text + start, at - start, cancel, err);
		if (status != RSTAR_OK)
			return status;
		at += special;
		start = at;
	}
	return count_words(trainer, text + start, length - start, cancel, err);
}

/*
 * special.c
 *	  Special tokens, and ids with a meaning.
 */
#include <stdlib.h>

#include "core/text/vocabulary.h"

/* --- special tokens -------------------------------------------------------- */

static int
compare_texts(rstar_string a, rstar_string b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, shorter);

	if (order == 0)
		order = (a.length > b.length) - (a.length < b.length);
	return order;
}

static int
compare_specials(const void *a, const void *b)
{
	return compare_texts(((const rstar_special *) a)->text, ((const rstar_special *) b)->text);
}

/*
 * Texts that end a turn. A token with such a text is special even where the
 * file calls it an ordinary one (the rule of llama.cpp; "</s>" in Qwen2).
 */
static const char *const ending_texts[] = {
	"<|im_end|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>",    "<|eot_id|>",
	"<|eom_id|>", "</s>",    "<end_of_turn>", "<end_of_utterance>", "<|return|>",
	"<EOT>",      "[EOT]",   "[EOS]",
};

#define N_ENDING_TEXTS (sizeof(ending_texts) / sizeof(ending_texts[0]))

/*
 * Some special tokens swallow the white space behind them. A file of ours lists
 * them. In others Phi-3's do; such a file does not say so, but its name does (the rule of llama.cpp:
 * "phi3" or "phi-3", in upper or lower case).
 */
static bool
name_is_phi3(const rstar_gguf *gguf)
{
	rstar_string name;

	if (!rstar_gguf_get_string(gguf, "general.name", &name) || name.length > RSTAR_MAX_TEXT)
		return false;
	for (size_t i = 0; i + 4 <= name.length; i++)
	{
		const char *at = name.data + i;

		if ((at[0] | 0x20) == 'p' && (at[1] | 0x20) == 'h' && (at[2] | 0x20) == 'i' &&
			(at[3] == '3' || (at[3] == '-' && i + 5 <= name.length && at[4] == '3')))
			return true;
	}
	return false;
}

/* Which special tokens swallow the white space behind them. */
typedef struct strip_rule
{
	bool listed; /* `ids` says it */
	rstar_gguf_array ids;
	bool phi3; /* all do, but for three */
} strip_rule;

static rstar_status
read_strip_rule(const rstar_gguf *gguf, strip_rule *rule, rstar_error *err)
{
	rule->listed = rstar_gguf_get_array(gguf, RSTAR_STRIPS_RIGHT_KEY, &rule->ids);
	rule->phi3 = !rule->listed && name_is_phi3(gguf);
	if (rule->listed && (rule->ids.type != RSTAR_GGUF_I32 || rule->ids.count > RSTAR_MAX_STRIPPING))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "\"%s\" is not a short list of ids",
							   RSTAR_STRIPS_RIGHT_KEY);
	return RSTAR_OK;
}

static bool
strips_right(const strip_rule *rule, uint32_t id, rstar_string text)
{
	for (uint64_t i = 0; rule->listed && i < rule->ids.count; i++)
		if (rstar_gguf_array_i64(&rule->ids, i) == (int64_t) id)
			return true;
	return rule->phi3 && !rstar_string_is(text, "<unk>") && !rstar_string_is(text, "<s>") &&
		   !rstar_string_is(text, "<|endoftext|>");
}

static rstar_status
add_special(rstar_tokenizer *tokenizer, uint32_t id, const strip_rule *rule, rstar_error *err)
{
	rstar_special *special = &tokenizer->specials[tokenizer->n_specials];
	rstar_string text = rstar_string_table_get(&tokenizer->tokens, id);

	if (rstar_vocabulary_poll(tokenizer, err) != RSTAR_OK) /* a rule may list a thousand ids */
		return RSTAR_ERR_CANCELLED;
	if (text.length > RSTAR_MAX_SPECIAL)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "special token %u is longer than %d bytes", id, RSTAR_MAX_SPECIAL);
	if (text.length == 0)
		return RSTAR_OK;
	special->text = text;
	special->id = (int32_t) id;
	special->strips_right = strips_right(rule, id, text);
	special->white_space =
		tokenizer->types[id] == RSTAR_TOKEN_USER_DEFINED && rstar_is_white_space(text);
	tokenizer->has_white_space = tokenizer->has_white_space || special->white_space;
	tokenizer->starts_special[(unsigned char) text.data[0]] = true;
	tokenizer->n_specials++;
	return RSTAR_OK;
}

/*
 * Sorted, so that encoding finds the special tokens at a place of the text in one order. Two
 * with the same text are refused: which one is meant could not be told. The ending texts are
 * searched by name, as some files call such a token an ordinary one.
 */
rstar_status
rstar_vocabulary_collect_specials(rstar_tokenizer *tokenizer, const rstar_gguf *gguf,
								  rstar_error *err)
{
	uint32_t count = N_ENDING_TEXTS;
	strip_rule rule;
	rstar_status status = read_strip_rule(gguf, &rule, err);

	if (status != RSTAR_OK)
		return status;
	for (uint32_t i = 0; i < tokenizer->tokens.count; i++)
		count += rstar_token_is_special(tokenizer->types[i]);
	if (count > RSTAR_MAX_SPECIALS)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "the vocabulary has more than %d special tokens",
							   RSTAR_MAX_SPECIALS - (int) N_ENDING_TEXTS);
	tokenizer->specials = rstar_alloc_array(tokenizer->allocator, count, sizeof(rstar_special));
	if (!tokenizer->specials)
		return rstar_error_memory(err, count * sizeof(rstar_special));
	for (uint32_t i = 0; i < tokenizer->tokens.count && status == RSTAR_OK; i++)
		if (rstar_token_is_special(tokenizer->types[i]))
			status = add_special(tokenizer, i, &rule, err);
	for (size_t i = 0; i < N_ENDING_TEXTS && status == RSTAR_OK; i++)
	{
		size_t length = strlen(ending_texts[i]);
		int32_t id = rstar_vocabulary_find(tokenizer, ending_texts[i], length,
										   rstar_text_hash(ending_texts[i], length));

		if (id != RSTAR_NO_TOKEN)
			status = add_special(tokenizer, (uint32_t) id, &rule, err);
	}
	if (status != RSTAR_OK)
		return status;
	qsort(tokenizer->specials, tokenizer->n_specials, sizeof(rstar_special), compare_specials);
	for (uint32_t i = 1; i < tokenizer->n_specials; i++)
		if (compare_specials(&tokenizer->specials[i - 1], &tokenizer->specials[i]) == 0)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "tokens %d and %d have the same text",
								   tokenizer->specials[i - 1].id, tokenizer->specials[i].id);
	return RSTAR_OK;
}

/* First special in [low, high) whose byte at `depth` is at least `byte`. */
static uint32_t
lower_bound(const rstar_special *specials, uint32_t low, uint32_t high, size_t depth, int byte)
{
	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;
		rstar_string text = specials[middle].text;
		int here = depth < text.length ? (unsigned char) text.data[depth] : -1;

		if (here < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const rstar_special *
rstar_vocabulary_match_special(const rstar_tokenizer *tokenizer, const char *text, size_t length)
{
	const rstar_special *longest = NULL;
	uint32_t low = 0;
	uint32_t high = tokenizer->n_specials;

	/* Sorted texts: those that share the first `depth` bytes are neighbours,
	 * and one that ends there is the first of them. */
	for (size_t depth = 0; depth < length; depth++)
	{
		int byte = (unsigned char) text[depth];

		low = lower_bound(tokenizer->specials, low, high, depth, byte);
		high = lower_bound(tokenizer->specials, low, high, depth, byte + 1);
		if (low == high)
			break;
		if (tokenizer->specials[low].text.length == depth + 1)
			longest = &tokenizer->specials[low];
	}
	return longest;
}

int32_t
rstar_tokenizer_find_special(const rstar_tokenizer *tokenizer, const char *text, size_t length)
{
	rstar_special wanted = {.text = {text, length}};
	const rstar_special *found;

	if (tokenizer->n_specials == 0 || length == 0)
		return RSTAR_NO_TOKEN;
	found = bsearch(&wanted, tokenizer->specials, tokenizer->n_specials, sizeof(rstar_special),
					compare_specials);
	return found ? found->id : RSTAR_NO_TOKEN;
}

size_t
rstar_tokenizer_special_length(const rstar_tokenizer *tokenizer, const char *text, size_t length)
{
	const rstar_special *special = rstar_vocabulary_match_special(tokenizer, text, length);

	return special && !special->white_space ? special->text.length : 0;
}

/* --- ids with a meaning ---------------------------------------------------- */

static rstar_status
read_id(const rstar_tokenizer *tokenizer, const rstar_gguf *gguf, const char *key, int32_t *id,
		rstar_error *err)
{
	uint64_t value;

	*id = RSTAR_NO_TOKEN;
	if (!rstar_gguf_get_u64(gguf, key, &value))
		return RSTAR_OK;
	if (value >= tokenizer->tokens.count)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "\"%s\" is no id of the vocabulary", key);
	*id = (int32_t) value;
	return RSTAR_OK;
}

static void
add_eog(rstar_tokenizer *tokenizer, int32_t id)
{
	if (id != RSTAR_NO_TOKEN && !rstar_tokenizer_is_eog(tokenizer, id) &&
		tokenizer->n_eog < RSTAR_MAX_EOG)
		tokenizer->eog[tokenizer->n_eog++] = id;
}

/*
 * More than one token may end a text: those that the file names, and those whose text ends a
 * turn in some family of models, since many files name just one of theirs.
 */
rstar_status
rstar_vocabulary_read_ids(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
{
	static const char *const ending_keys[] = {"tokenizer.ggml.eos_token_id",
											  "tokenizer.ggml.eot_token_id",
											  "tokenizer.ggml.eom_token_id"};
	rstar_status status;
	int32_t id;

	for (int i = 0; i < 3; i++)
	{
		status = read_id(tokenizer, gguf, ending_keys[i], &id, err);
		if (status != RSTAR_OK)
			return status;
		if (i == 0)
			tokenizer->eos = id;
		add_eog(tokenizer, id);
	}
	for (size_t i = 0; i < N_ENDING_TEXTS; i++)
	{
		id = rstar_tokenizer_find_special(tokenizer, ending_texts[i], strlen(ending_texts[i]));

		/* Gemma's "</s>" ends what is struck through: it is HTML, and users may write it. */
		if (id != RSTAR_NO_TOKEN && !(tokenizer->types[id] == RSTAR_TOKEN_USER_DEFINED &&
									  strcmp(ending_texts[i], "</s>") == 0))
			add_eog(tokenizer, id);
	}
	status = read_id(tokenizer, gguf, "tokenizer.ggml.unknown_token_id", &tokenizer->unknown, err);
	if (status != RSTAR_OK)
		return status;
	return read_id(tokenizer, gguf, "tokenizer.ggml.bos_token_id", &tokenizer->bos, err);
}

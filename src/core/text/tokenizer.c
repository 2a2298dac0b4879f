/*
 * tokenizer.c
 *	  Opening a vocabulary, and decoding.
 *
 * Opening is on the way of every new connection's first token, so it builds as
 * little as possible: for tokens and for merges an array of offsets into the
 * map and a hash table over their texts. Merges are hashed by the texts of
 * their two sides, which saves the 300,000 look-ups that turning them into
 * pairs of ids would take.
 *
 * A hostile file may hold gigabytes of texts. Loops that read texts poll for a
 * cancel; those over RSTAR_MAX_ITEMS numbers take milliseconds and do not.
 */
#include "core/text/tokenizer.h"

#include <stdlib.h>

#include "core/text/vocabulary.h"

#define SPACE_MARK        "\xE2\x96\x81" /* U+2581, SentencePiece's blank */
#define SPACE_MARK_LENGTH 3

/* --- reading the arrays ---------------------------------------------------- */

/* The table of an array of strings, its offsets still to be filled. */
static rstar_status
prepare_string_table(const rstar_gguf *gguf, const char *key, const rstar_allocator *allocator,
					 rstar_string_table *table, rstar_error *err)
{
	rstar_gguf_array array;

	if (!rstar_gguf_get_array(gguf, key, &array))
		return rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "the model file has no array \"%s\"", key);
	if (array.type != RSTAR_GGUF_STRING)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "\"%s\" is not an array of strings", key);
	if (array.count > RSTAR_MAX_ITEMS || array.bytes > UINT32_MAX)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "\"%s\" is too large", key);
	table->base = array.data;
	table->count = (uint32_t) array.count;
	table->at = rstar_alloc_array(allocator, table->count, sizeof(uint32_t));
	if (!table->at)
		return rstar_error_memory(err, array.count * sizeof(uint32_t));
	return RSTAR_OK;
}

/* Note where string i lies and step over it; false: it is too long. */
static inline bool
add_string(rstar_string_table *table, uint32_t i, const char **cursor, rstar_string *text)
{
	table->at[i] = (uint32_t) (*cursor - table->base);
	*text = rstar_string_table_get(table, i);
	*cursor = text->data + text->length;
	return text->length <= RSTAR_MAX_TEXT;
}

static rstar_status
too_long(const char *what, uint32_t i, rstar_error *err)
{
	return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "%s %u is longer than %d bytes", what, i,
						   RSTAR_MAX_TEXT);
}

static rstar_status
poll_cancel(const rstar_tokenizer *tokenizer, rstar_error *err)
{
	if (!rstar_cancel_requested(tokenizer->cancel))
		return RSTAR_OK;
	return rstar_error_set(err, RSTAR_ERR_CANCELLED, "opening a vocabulary was cancelled");
}

static rstar_status
read_types(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
{
	uint32_t count = tokenizer->tokens.count;
	rstar_gguf_array array;

	tokenizer->types = rstar_alloc(tokenizer->allocator, count);
	if (!tokenizer->types)
		return rstar_error_memory(err, count);
	memset(tokenizer->types, RSTAR_TOKEN_NORMAL, count);
	if (!rstar_gguf_get_array(gguf, "tokenizer.ggml.token_type", &array))
		return RSTAR_OK;
	if ((array.type != RSTAR_GGUF_I32 && array.type != RSTAR_GGUF_U32) || array.count != count)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "\"tokenizer.ggml.token_type\" does not give a type for each token");
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t type;

		memcpy(&type, (const char *) array.data + (size_t) i * sizeof(type), sizeof(type));
		if (type > RSTAR_TOKEN_BYTE)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "token %u has the unknown type %u", i,
								   type);
		tokenizer->types[i] = (unsigned char) type;
	}
	return RSTAR_OK;
}

static rstar_status
read_scores(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
{
	rstar_gguf_array array;

	if (!rstar_gguf_get_array(gguf, "tokenizer.ggml.scores", &array) ||
		array.type != RSTAR_GGUF_F32 || array.count != tokenizer->tokens.count)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "\"tokenizer.ggml.scores\" does not give a score for each token");
	tokenizer->scores = array.data;
	for (uint32_t i = 0; i < tokenizer->tokens.count; i++)
	{
		float score;

		memcpy(&score, tokenizer->scores + (size_t) i * sizeof(score), sizeof(score));
		if (score != score)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "token %u has no number for a score", i);
	}
	return RSTAR_OK;
}

/* --- hash tables ----------------------------------------------------------- */

static rstar_status
collisions(rstar_error *err)
{
	return rstar_error_set(err, RSTAR_ERR_CORRUPT,
						   "the vocabulary's texts collide as if made to do so");
}

/*
 * Both tables are filled in batches: the hashes of a batch are computed, which
 * also sends for the slots that they mean, and then the items are inserted.
 * Waiting for each slot's cache line in turn would take longer than all the
 * rest of opening.
 */
#define BATCH 32

static bool
same_string(const rstar_string_table *table, uint32_t i, uint32_t k)
{
	rstar_string a = rstar_string_table_get(table, i);
	rstar_string b = rstar_string_table_get(table, k);

	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static rstar_status
insert_token(rstar_tokenizer *tokenizer, uint32_t i, uint64_t hash, rstar_error *err)
{
	rstar_text_index *index = &tokenizer->token_index;
	rstar_text_probe probe = rstar_text_probe_start(index, hash);
	uint32_t item;

	while ((item = rstar_text_probe_next(index, &probe)) != RSTAR_NO_ITEM)
		if (same_string(&tokenizer->tokens, i, item))
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "tokens %u and %u have the same text",
								   item, i);
	return rstar_text_index_put(index, &probe, i) ? RSTAR_OK : collisions(err);
}

/*
 * Special tokens and bytes stay out of the table: encoding looks tokens up by
 * text, and must not find these. (Special texts are checked for repetition
 * where they are sorted; the form of BYTE tokens leaves one text for each.)
 */
static rstar_status
index_tokens(rstar_tokenizer *tokenizer, rstar_error *err)
{
	rstar_string_table *table = &tokenizer->tokens;
	const char *cursor = table->base;
	rstar_status status = RSTAR_OK;

	if (!rstar_text_index_init(&tokenizer->token_index, tokenizer->allocator, table->count))
		return rstar_error_memory(err, table->count * sizeof(uint32_t));
	for (uint32_t first = 0; first < table->count && status == RSTAR_OK; first += BATCH)
	{
		uint32_t n = table->count - first < BATCH ? table->count - first : BATCH;
		uint64_t hash[BATCH];
		bool wanted[BATCH];

		for (uint32_t i = 0; i < n; i++)
		{
			unsigned char type = tokenizer->types[first + i];
			rstar_string text;

			if (!add_string(table, first + i, &cursor, &text))
				return too_long("token", first + i, err);
			wanted[i] =
				text.length > 0 && !rstar_token_is_special(type) && type != RSTAR_TOKEN_BYTE;
			hash[i] = text.length > 0 ? rstar_text_hash_behind(text.data, text.length) : 0;
			rstar_text_index_prefetch(&tokenizer->token_index, hash[i]);
			if (wanted[i] && text.length > tokenizer->max_token_length)
				tokenizer->max_token_length = text.length;
		}
		for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
			if (wanted[i])
				status = insert_token(tokenizer, first + i, hash[i], err);
		if (status == RSTAR_OK)
			status = poll_cancel(tokenizer, err);
	}
	return status;
}

/* Of merges that are listed twice the first, which has the better rank, counts. */
static bool
insert_merge(rstar_tokenizer *tokenizer, uint32_t i, uint64_t hash)
{
	rstar_text_index *index = &tokenizer->merge_index;
	rstar_text_probe probe = rstar_text_probe_start(index, hash);
	uint32_t item;

	while ((item = rstar_text_probe_next(index, &probe)) != RSTAR_NO_ITEM)
		if (same_string(&tokenizer->merges, i, item))
			return true;
	return rstar_text_index_put(index, &probe, i);
}

/* A merge is "left right"; the first blank behind the first byte parts them. */
static bool
hash_merge(rstar_string text, uint64_t *hash)
{
	const char *blank = text.length > 2 ? memchr(text.data + 1, ' ', text.length - 2) : NULL;
	size_t left;

	if (!blank)
		return false;
	left = (size_t) (blank - text.data);
	*hash = rstar_text_hash_pair(rstar_text_hash_behind(text.data, left),
								 rstar_text_hash_behind(blank + 1, text.length - left - 1));
	return true;
}

static rstar_status
index_merges(rstar_tokenizer *tokenizer, rstar_error *err)
{
	rstar_string_table *table = &tokenizer->merges;
	const char *cursor = table->base;

	if (!rstar_text_index_init(&tokenizer->merge_index, tokenizer->allocator, table->count))
		return rstar_error_memory(err, table->count * sizeof(uint32_t));
	for (uint32_t first = 0; first < table->count; first += BATCH)
	{
		uint32_t n = table->count - first < BATCH ? table->count - first : BATCH;
		uint64_t hash[BATCH];

		for (uint32_t i = 0; i < n; i++)
		{
			rstar_string text;

			if (!add_string(table, first + i, &cursor, &text))
				return too_long("merge", first + i, err);
			if (!hash_merge(text, &hash[i]))
				return rstar_error_set(err, RSTAR_ERR_CORRUPT, "merge %u is not a pair of texts",
									   first + i);
			rstar_text_index_prefetch(&tokenizer->merge_index, hash[i]);
		}
		for (uint32_t i = 0; i < n; i++)
			if (!insert_merge(tokenizer, first + i, hash[i]))
				return collisions(err);
		if (poll_cancel(tokenizer, err) != RSTAR_OK)
			return RSTAR_ERR_CANCELLED;
	}
	return RSTAR_OK;
}

/* --- single bytes ---------------------------------------------------------- */

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* "<0xNN>" of a BYTE token, or -1. */
static int
byte_of_text(rstar_string text)
{
	int high, low;

	if (text.length != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>')
		return -1;
	high = hex_value(text.data[3]);
	low = hex_value(text.data[4]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static rstar_status
find_byte_fallbacks(rstar_tokenizer *tokenizer, rstar_error *err)
{
	for (uint32_t i = 0; i < tokenizer->tokens.count; i++)
	{
		int byte;

		if (tokenizer->types[i] != RSTAR_TOKEN_BYTE)
			continue;
		byte = byte_of_text(rstar_string_table_get(&tokenizer->tokens, i));
		if (byte < 0 || tokenizer->byte_token[byte] != RSTAR_NO_TOKEN)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT,
								   "token %u of type byte does not name a byte of its own", i);
		tokenizer->byte_token[byte] = (int32_t) i;
	}
	return RSTAR_OK;
}

/*
 * Each byte's token, for what no merge and no piece covers. A SentencePiece vocabulary without
 * a token for some byte has its unknown token there; one of bytes may lack a few, which are
 * refused only when a text needs them.
 */
static rstar_status
find_bytes(rstar_tokenizer *tokenizer, rstar_error *err)
{
	rstar_status status;
	int n = 0;

	for (int byte = 0; byte < 256; byte++)
		tokenizer->byte_token[byte] = RSTAR_NO_TOKEN;
	if (tokenizer->kind == RSTAR_TOKENIZER_SENTENCEPIECE)
	{
		status = find_byte_fallbacks(tokenizer, err);
		if (status != RSTAR_OK)
			return status;
	}
	for (int byte = 0; byte < 256; byte++)
	{
		if (tokenizer->kind == RSTAR_TOKENIZER_BPE)
		{
			const char *text = tokenizer->bytemap.text[byte];
			size_t length = tokenizer->bytemap.length[byte];

			tokenizer->byte_token[byte] =
				rstar_vocabulary_find(tokenizer, text, length, rstar_text_hash(text, length));
		}
		else if (tokenizer->byte_token[byte] == RSTAR_NO_TOKEN)
			tokenizer->byte_token[byte] = tokenizer->unknown;
		n += tokenizer->byte_token[byte] != RSTAR_NO_TOKEN;
	}
	if (n == 0)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "the vocabulary has no token for any single byte");
	return RSTAR_OK;
}

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

static bool
text_is(rstar_string text, const char *literal)
{
	return text.length == strlen(literal) && memcmp(text.data, literal, text.length) == 0;
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
	return rule->phi3 && !text_is(text, "<unk>") && !text_is(text, "<s>") &&
		   !text_is(text, "<|endoftext|>");
}

static rstar_status
add_special(rstar_tokenizer *tokenizer, uint32_t id, const strip_rule *rule, rstar_error *err)
{
	rstar_special *special = &tokenizer->specials[tokenizer->n_specials];
	rstar_string text = rstar_string_table_get(&tokenizer->tokens, id);

	if (poll_cancel(tokenizer, err) != RSTAR_OK) /* a rule may list a thousand ids */
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
static rstar_status
collect_specials(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
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
static rstar_status
read_ids(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
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

/* --- opening --------------------------------------------------------------- */

static rstar_status
read_kind(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
{
	rstar_string model, pre;

	if (!rstar_gguf_get_string(gguf, "tokenizer.ggml.model", &model))
		return rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "the model file has no vocabulary");
	if (text_is(model, "llama"))
	{
		tokenizer->kind = RSTAR_TOKENIZER_SENTENCEPIECE;
		tokenizer->space_prefix = true;
		tokenizer->add_bos = true;
		return RSTAR_OK;
	}
	if (!text_is(model, "gpt2"))
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "tokenizers of kind \"%.*s\" are not supported",
							   (int) (model.length < 40 ? model.length : 40), model.data);
	tokenizer->kind = RSTAR_TOKENIZER_BPE;
	if (!rstar_gguf_get_string(gguf, "tokenizer.ggml.pre", &pre))
		pre = (rstar_string){"default", 7};
	tokenizer->pretoken = rstar_pretoken_find(pre.data, pre.length);
	if (!tokenizer->pretoken)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "the pre-tokenizer \"%.*s\" is not supported",
							   (int) (pre.length < 40 ? pre.length : 40), pre.data);
	tokenizer->ignore_merges = rstar_pretoken_ignores_merges(tokenizer->pretoken);
	tokenizer->add_bos = rstar_pretoken_adds_bos(tokenizer->pretoken);
	(void) rstar_gguf_get_bool(gguf, RSTAR_IGNORE_MERGES_KEY, &tokenizer->ignore_merges);
	return RSTAR_OK;
}

/*
 * Does no token go on with a blank behind something else? Then no merge
 * crosses the start of a word, and words can be merged one by one.
 */
static rstar_status
read_words_apart(rstar_tokenizer *tokenizer, rstar_error *err)
{
	tokenizer->words_apart = true;
	for (uint32_t i = 0; i < tokenizer->tokens.count; i++)
	{
		rstar_string text = rstar_string_table_get(&tokenizer->tokens, i);
		size_t at = 0;

		while (text.length - at >= SPACE_MARK_LENGTH &&
			   memcmp(text.data + at, SPACE_MARK, SPACE_MARK_LENGTH) == 0)
			at += SPACE_MARK_LENGTH;
		if (memmem(text.data + at, text.length - at, SPACE_MARK, SPACE_MARK_LENGTH))
		{
			tokenizer->words_apart = false;
			return RSTAR_OK;
		}
		if (i % BATCH == 0 && poll_cancel(tokenizer, err) != RSTAR_OK)
			return RSTAR_ERR_CANCELLED;
	}
	return RSTAR_OK;
}

/*
 * The order matters: types and texts are there before the special tokens, those before the ids
 * that name them, and the unknown token before the bytes that fall back to it. Only then come
 * the tables of one kind: scores or merges.
 */
static rstar_status
open_tables(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
{
	const rstar_allocator *allocator = tokenizer->allocator;
	rstar_status status;

	status = read_kind(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status =
			prepare_string_table(gguf, "tokenizer.ggml.tokens", allocator, &tokenizer->tokens, err);
	if (status == RSTAR_OK && tokenizer->tokens.count == 0)
		status = rstar_error_set(err, RSTAR_ERR_CORRUPT, "the vocabulary is empty");
	if (status == RSTAR_OK)
		status = read_types(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status = index_tokens(tokenizer, err);
	if (status == RSTAR_OK)
		status = collect_specials(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status = read_ids(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status = find_bytes(tokenizer, err);
	if (status != RSTAR_OK)
		return status;
	if (tokenizer->kind == RSTAR_TOKENIZER_SENTENCEPIECE)
	{
		status = read_words_apart(tokenizer, err);
		return status == RSTAR_OK ? read_scores(tokenizer, gguf, err) : status;
	}
	status =
		prepare_string_table(gguf, "tokenizer.ggml.merges", allocator, &tokenizer->merges, err);
	if (status == RSTAR_OK)
		status = index_merges(tokenizer, err);
	return status;
}

rstar_status
rstar_tokenizer_open(const rstar_gguf *gguf, const rstar_allocator *allocator,
					 const rstar_cancel *cancel, rstar_tokenizer **out, rstar_error *err)
{
	rstar_tokenizer *tokenizer = rstar_alloc_zero(allocator, sizeof(*tokenizer));
	rstar_status status;

	*out = NULL;
	if (!tokenizer)
		return rstar_error_memory(err, sizeof(*tokenizer));
	tokenizer->allocator = allocator;
	tokenizer->cancel = cancel;
	rstar_bytemap_init(&tokenizer->bytemap);
	status = open_tables(tokenizer, gguf, err);
	tokenizer->cancel = NULL;
	if (status != RSTAR_OK)
	{
		rstar_tokenizer_close(tokenizer);
		return status;
	}
	(void) rstar_gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &tokenizer->add_bos);
	(void) rstar_gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &tokenizer->space_prefix);
	*out = tokenizer;
	return RSTAR_OK;
}

void
rstar_tokenizer_close(rstar_tokenizer *tokenizer)
{
	const rstar_allocator *allocator;

	if (!tokenizer)
		return;
	allocator = tokenizer->allocator;
	rstar_text_index_free(&tokenizer->token_index, allocator);
	rstar_text_index_free(&tokenizer->merge_index, allocator);
	rstar_free(allocator, tokenizer->tokens.at);
	rstar_free(allocator, tokenizer->merges.at);
	rstar_free(allocator, tokenizer->types);
	rstar_free(allocator, tokenizer->specials);
	rstar_free(allocator, tokenizer);
}

/* --- asking ---------------------------------------------------------------- */

int32_t
rstar_tokenizer_size(const rstar_tokenizer *tokenizer)
{
	return (int32_t) tokenizer->tokens.count;
}

int32_t
rstar_tokenizer_bos(const rstar_tokenizer *tokenizer)
{
	return tokenizer->bos;
}

int32_t
rstar_tokenizer_eos(const rstar_tokenizer *tokenizer)
{
	return tokenizer->eos;
}

bool
rstar_tokenizer_is_eog(const rstar_tokenizer *tokenizer, int32_t id)
{
	for (int i = 0; i < tokenizer->n_eog; i++)
		if (tokenizer->eog[i] == id)
			return true;
	return false;
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

rstar_string
rstar_tokenizer_token_text(const rstar_tokenizer *tokenizer, int32_t id)
{
	return rstar_string_table_get(&tokenizer->tokens, (uint32_t) id);
}

rstar_token_type
rstar_tokenizer_token_type(const rstar_tokenizer *tokenizer, int32_t id)
{
	return (rstar_token_type) tokenizer->types[id];
}

/* --- decoding -------------------------------------------------------------- */

/* "gpt2": printable characters back to bytes; anything else as it stands. */
static bool
append_bytes_of(const rstar_tokenizer *tokenizer, rstar_string text, rstar_buffer *out)
{
	for (size_t at = 0; at < text.length;)
	{
		unsigned char byte;
		size_t used;
		bool known = rstar_bytemap_decode(&tokenizer->bytemap, text.data + at, text.length - at,
										  &byte, &used);

		if (!(known ? rstar_buffer_append(out, &byte, 1)
					: rstar_buffer_append(out, text.data + at, used)))
			return false;
		at += used;
	}
	return true;
}

/* "llama": U+2581 back to blanks. */
static bool
append_words_of(rstar_string text, rstar_buffer *out)
{
	for (size_t at = 0; at < text.length;)
	{
		const char *mark = memmem(text.data + at, text.length - at, SPACE_MARK, SPACE_MARK_LENGTH);
		size_t end = mark ? (size_t) (mark - text.data) : text.length;

		if (!rstar_buffer_append(out, text.data + at, end - at))
			return false;
		if (!mark)
			break;
		if (!rstar_buffer_append(out, " ", 1))
			return false;
		at = end + SPACE_MARK_LENGTH;
	}
	return true;
}

rstar_status
rstar_tokenizer_decode(const rstar_tokenizer *tokenizer, int32_t id, bool skip_special,
					   rstar_buffer *out, rstar_error *err)
{
	rstar_string text;
	unsigned char type, byte;
	bool done;

	if (id < 0 || (uint32_t) id >= tokenizer->tokens.count)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "token id %d is not between 0 and %u", id,
							   tokenizer->tokens.count - 1);
	text = rstar_string_table_get(&tokenizer->tokens, (uint32_t) id);
	type = tokenizer->types[id];
	if (rstar_token_is_special(type))
		done =
			(skip_special && !(type == RSTAR_TOKEN_USER_DEFINED && rstar_is_white_space(text))) ||
			rstar_buffer_append(out, text.data, text.length);
	else if (tokenizer->kind == RSTAR_TOKENIZER_BPE)
		done = append_bytes_of(tokenizer, text, out);
	else if (type == RSTAR_TOKEN_BYTE)
	{
		byte = (unsigned char) byte_of_text(text);
		done = rstar_buffer_append(out, &byte, 1);
	}
	else
		done = append_words_of(text, out);
	if (!done)
		return rstar_error_memory(err, text.length);
	return RSTAR_OK;
}

rstar_status
rstar_tokenizer_decode_all(const rstar_tokenizer *tokenizer, const int32_t *ids, size_t count,
						   bool skip_special, bool strip_prefix, rstar_buffer *out,
						   rstar_error *err)
{
	bool at_start = true;

	for (size_t i = 0; i < count && !strip_prefix; i++)
	{
		rstar_status status = rstar_tokenizer_decode(tokenizer, ids[i], skip_special, out, err);

		if (status != RSTAR_OK)
			return status;
	}
	return strip_prefix ? rstar_tokenizer_decode_more(tokenizer, ids, count, skip_special,
													  &at_start, out, err)
						: RSTAR_OK;
}

rstar_status
rstar_tokenizer_decode_more(const rstar_tokenizer *tokenizer, const int32_t *ids, size_t count,
							bool skip_special, bool *at_start, rstar_buffer *out, rstar_error *err)
{
	for (size_t i = 0; i < count; i++)
	{
		size_t before = out->length;
		rstar_status status = rstar_tokenizer_decode(tokenizer, ids[i], skip_special, out, err);

		if (status != RSTAR_OK)
			return status;
		if (rstar_token_is_special(tokenizer->types[ids[i]]))
		{
			*at_start = true;
			continue;
		}
		if (tokenizer->space_prefix && *at_start && out->length > before &&
			out->data[before] == ' ')
		{
			out->length--;
			memmove(out->data + before, out->data + before + 1, out->length - before + 1);
		}
		*at_start = false;
	}
	return RSTAR_OK;
}

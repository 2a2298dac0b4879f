/*
 * vocabulary.c
 *	  Reading a vocabulary: its arrays, the hash tables over them, single bytes.
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
#include "core/text/vocabulary.h"

/* --- reading the arrays ---------------------------------------------------- */

/* The table of an array of strings, its offsets still to be filled. */
rstar_status
rstar_vocabulary_prepare(const rstar_gguf *gguf, const char *key, const rstar_allocator *allocator,
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

rstar_status
rstar_vocabulary_poll(const rstar_tokenizer *tokenizer, rstar_error *err)
{
	if (!rstar_cancel_requested(tokenizer->cancel))
		return RSTAR_OK;
	return rstar_error_set(err, RSTAR_ERR_CANCELLED, "opening a vocabulary was cancelled");
}

rstar_status
rstar_vocabulary_read_types(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
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

rstar_status
rstar_vocabulary_read_scores(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
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
rstar_status
rstar_vocabulary_index_tokens(rstar_tokenizer *tokenizer, rstar_error *err)
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
			status = rstar_vocabulary_poll(tokenizer, err);
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

rstar_status
rstar_vocabulary_index_merges(rstar_tokenizer *tokenizer, rstar_error *err)
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
		if (rstar_vocabulary_poll(tokenizer, err) != RSTAR_OK)
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
int
rstar_vocabulary_byte(rstar_string text)
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
		byte = rstar_vocabulary_byte(rstar_string_table_get(&tokenizer->tokens, i));
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
rstar_status
rstar_vocabulary_find_bytes(rstar_tokenizer *tokenizer, rstar_error *err)
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

/*
 * tokenizer.c
 *	  Opening a tokenizer, and asking it.
 */
#include "core/text/tokenizer.h"

#include "core/text/vocabulary.h"

#define POLL_EVERY 32 /* tokens */

/* --- opening --------------------------------------------------------------- */

static rstar_status
read_kind(rstar_tokenizer *tokenizer, const rstar_gguf *gguf, rstar_error *err)
{
	rstar_string model, pre;

	if (!rstar_gguf_get_string(gguf, "tokenizer.ggml.model", &model))
		return rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "the model file has no vocabulary");
	if (rstar_string_is(model, "llama"))
	{
		tokenizer->kind = RSTAR_TOKENIZER_SENTENCEPIECE;
		tokenizer->space_prefix = true;
		tokenizer->add_bos = true;
		return RSTAR_OK;
	}
	if (!rstar_string_is(model, "gpt2"))
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

		while (text.length - at >= RSTAR_SPACE_MARK_LENGTH &&
			   memcmp(text.data + at, RSTAR_SPACE_MARK, RSTAR_SPACE_MARK_LENGTH) == 0)
			at += RSTAR_SPACE_MARK_LENGTH;
		if (memmem(text.data + at, text.length - at, RSTAR_SPACE_MARK, RSTAR_SPACE_MARK_LENGTH))
		{
			tokenizer->words_apart = false;
			return RSTAR_OK;
		}
		if (i % POLL_EVERY == 0 && rstar_vocabulary_poll(tokenizer, err) != RSTAR_OK)
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
		status = rstar_vocabulary_prepare(gguf, "tokenizer.ggml.tokens", allocator,
										  &tokenizer->tokens, err);
	if (status == RSTAR_OK && tokenizer->tokens.count == 0)
		status = rstar_error_set(err, RSTAR_ERR_CORRUPT, "the vocabulary is empty");
	if (status == RSTAR_OK)
		status = rstar_vocabulary_read_types(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status = rstar_vocabulary_index_tokens(tokenizer, err);
	if (status == RSTAR_OK)
		status = rstar_vocabulary_collect_specials(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status = rstar_vocabulary_read_ids(tokenizer, gguf, err);
	if (status == RSTAR_OK)
		status = rstar_vocabulary_find_bytes(tokenizer, err);
	if (status != RSTAR_OK)
		return status;
	if (tokenizer->kind == RSTAR_TOKENIZER_SENTENCEPIECE)
	{
		status = read_words_apart(tokenizer, err);
		return status == RSTAR_OK ? rstar_vocabulary_read_scores(tokenizer, gguf, err) : status;
	}
	status =
		rstar_vocabulary_prepare(gguf, "tokenizer.ggml.merges", allocator, &tokenizer->merges, err);
	if (status == RSTAR_OK)
		status = rstar_vocabulary_index_merges(tokenizer, err);
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

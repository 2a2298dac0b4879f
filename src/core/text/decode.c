/*
 * decode.c
 *	  Decoding: ids to text.
 */
#include "core/text/vocabulary.h"

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
		const char *mark =
			memmem(text.data + at, text.length - at, RSTAR_SPACE_MARK, RSTAR_SPACE_MARK_LENGTH);
		size_t end = mark ? (size_t) (mark - text.data) : text.length;

		if (!rstar_buffer_append(out, text.data + at, end - at))
			return false;
		if (!mark)
			break;
		if (!rstar_buffer_append(out, " ", 1))
			return false;
		at = end + RSTAR_SPACE_MARK_LENGTH;
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
		byte = (unsigned char) rstar_vocabulary_byte(text);
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

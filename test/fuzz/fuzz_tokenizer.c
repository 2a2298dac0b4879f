/*
 * fuzz_tokenizer.c
 *	  A vocabulary and a text from outside: opened, encoded, decoded.
 *
 * Input: u32 length of a GGUF file, the file, the text. What the tokenizer
 * accepts must keep its promises: ids in range, the same ids each time, every
 * byte of a text back (kind "gpt2"; specials not recognised), no id of a
 * special token unless asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/gguf.h"
#include "core/text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
decode_back(const rstar_tokenizer *tokenizer, const int32_t *ids, size_t count, bool exact,
			const char *text, size_t length)
{
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	require(rstar_tokenizer_decode_all(tokenizer, ids, count, false, true, &out, &err) == RSTAR_OK);
	if (exact)
		require(out.length == length && (length == 0 || memcmp(out.data, text, length) == 0));
	require(rstar_utf8_complete_prefix(out.data, out.length) <= out.length);
	rstar_buffer_free(&out);
}

static bool
is_blank(rstar_string text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] != ' ' && (text.data[i] < '\t' || text.data[i] > '\r'))
			return false;
	return true;
}

/* Has the vocabulary a token for each byte of the text, so that none falls out? */
static bool
has_all_bytes(const rstar_tokenizer *tokenizer, const char *text, size_t length)
{
	bool seen[256] = {false};
	rstar_encode_options options = {0};
	bool all = true;

	for (size_t i = 0; i < length && all; i++)
	{
		rstar_error err;
		int32_t *ids;
		size_t count;

		if (seen[(unsigned char) text[i]])
			continue;
		seen[(unsigned char) text[i]] = true;
		require(rstar_tokenizer_encode(tokenizer, text + i, 1, &options, &rstar_allocator_malloc,
									   NULL, &ids, &count, &err) == RSTAR_OK);
		all = count > 0;
		free(ids);
	}
	return all;
}

static void
try_text(const rstar_gguf *gguf, const rstar_tokenizer *tokenizer, const char *text, size_t length)
{
	rstar_string model = {NULL, 0};
	bool bpe = rstar_gguf_get_string(gguf, "tokenizer.ggml.model", &model) && model.length == 4 &&
			   memcmp(model.data, "gpt2", 4) == 0;

	bool exact = bpe && has_all_bytes(tokenizer, text, length);

	for (int special = 0; special < 3; special++)
	{
		rstar_encode_options options = {
			.add_bos = special == 1,
			.parse_special = special > 0,
			.dummy_prefix = special != 1,
			.plain_start = special == 2 ? length / 3 : 0,
			.plain_end = special == 2 ? length / 2 : 0,
		};
		int32_t *ids[2];
		size_t counts[2];
		rstar_error err;

		for (int k = 0; k < 2; k++)
			require(rstar_tokenizer_encode(tokenizer, text, length, &options,
										   &rstar_allocator_malloc, NULL, &ids[k], &counts[k],
										   &err) == RSTAR_OK);
		require(counts[0] == counts[1] && memcmp(ids[0], ids[1], counts[0] * sizeof(int32_t)) == 0);
		for (size_t i = 0; i < counts[0]; i++)
		{
			require(ids[0][i] >= 0 && ids[0][i] < rstar_tokenizer_size(tokenizer));
			if (special == 0 && bpe)
			{
				rstar_token_type type = rstar_tokenizer_token_type(tokenizer, ids[0][i]);

				require(type != RSTAR_TOKEN_CONTROL);
				require(type != RSTAR_TOKEN_USER_DEFINED ||
						is_blank(rstar_tokenizer_token_text(tokenizer, ids[0][i])));
			}
		}
		decode_back(tokenizer, ids[0], counts[0], exact && special == 0, text, length);
		free(ids[0]);
		free(ids[1]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rstar_gguf *gguf = NULL;
	rstar_tokenizer *tokenizer = NULL;
	rstar_error err;
	void *file = NULL;
	uint32_t length;

	if (size < sizeof(length))
		return 0;
	memcpy(&length, data, sizeof(length));
	data += sizeof(length);
	size -= sizeof(length);
	if (length > size)
		return 0;
	if (posix_memalign(&file, 64, length + 1) != 0) /* the reader wants aligned bytes */
		return 0;
	memcpy(file, data, length);
	if (rstar_gguf_open_memory(file, length, &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK)
	{
		free(file);
		return 0;
	}
	if (rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err) == RSTAR_OK)
	{
		size_t left = size - length;

		try_text(gguf, tokenizer, (const char *) data + length, left < 65536 ? left : 65536);
		rstar_tokenizer_close(tokenizer);
	}
	rstar_gguf_close(gguf);
	free(file);
	return 0;
}

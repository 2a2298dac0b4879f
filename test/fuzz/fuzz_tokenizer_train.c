/*
 * fuzz_tokenizer_train.c
 *	  A corpus from outside: trained on, written, opened, and encoded.
 *
 * Input: one byte of rules, one byte of size, the corpus. The vocabulary must
 * keep its rules, and the corpus must come back from its tokens.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/text/bpe_train.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static const rstar_bpe_special specials[] = {{"<|endoftext|>", RSTAR_TOKEN_CONTROL},
											 {"<code>", RSTAR_TOKEN_CONTROL},
											 {"<code><", RSTAR_TOKEN_USER_DEFINED}};

static void
choose(rstar_bpe_options *options, uint8_t rules, uint8_t size)
{
	rstar_bpe_options_init(options);
	options->vocabulary_size = 259 + size;
	options->min_word_count = 1 + rules % 2;
	options->min_pair_count = 1 + rules / 2 % 2;
	options->max_token_bytes = rules & 4 ? 5 : 0;
	options->rules.anything = rules & 8;
	options->rules.mixed = rules & 16;
	options->rules.ascii_letters = rules & 32;
	options->rules.signs_with_line = rules & 64;
	options->rules.white_space = rules & 128;
	options->specials = specials;
	options->n_specials = 3;
	options->end_text = "<|endoftext|>";
}

static void
check_rules(const rstar_bpe_trainer *trainer, const rstar_bpe_options *options)
{
	uint32_t n = rstar_bpe_trainer_size(trainer);

	require(n <= options->vocabulary_size);
	for (uint32_t id = 256; id < n - 3; id++)
	{
		rstar_string text = rstar_bpe_trainer_token(trainer, id);

		require(text.length >= 2);
		require(options->max_token_bytes == 0 || text.length <= options->max_token_bytes);
		require(rstar_bpe_rules_allow(&options->rules, text.data, text.length));
	}
}

static void
check_file(const rstar_gguf *gguf, const char *text, size_t length)
{
	rstar_encode_options options = {.parse_special = length % 2 == 0};
	rstar_tokenizer *tokenizer;
	rstar_buffer out;
	rstar_error err;
	int32_t *ids;
	size_t count;

	require(rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err) ==
			RSTAR_OK);
	require(rstar_tokenizer_encode(tokenizer, text, length, &options, &rstar_allocator_malloc, NULL,
								   &ids, &count, &err) == RSTAR_OK);
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	require(rstar_tokenizer_decode_all(tokenizer, ids, count, false, false, &out, &err) ==
			RSTAR_OK);
	require(out.length == length && (length == 0 || memcmp(out.data, text, length) == 0));
	rstar_buffer_free(&out);
	free(ids);
	rstar_tokenizer_close(tokenizer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rstar_bpe_options options;
	rstar_bpe_trainer *trainer;
	rstar_gguf_writer *writer;
	rstar_gguf *gguf;
	rstar_error err;
	const char *text;
	int fd;

	if (size < 2)
		return 0;
	choose(&options, data[0], data[1]);
	text = (const char *) data + 2;
	size -= 2;
	require(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) ==
			RSTAR_OK);
	require(rstar_bpe_trainer_add(trainer, text, size, NULL, &err) == RSTAR_OK);
	require(rstar_bpe_trainer_train(trainer, NULL, &err) == RSTAR_OK);
	check_rules(trainer, &options);
	require(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) == RSTAR_OK);
	require(rstar_bpe_trainer_write(trainer, writer, &err) == RSTAR_OK);
	fd = memfd_create("vocabulary", 0);
	require(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK);
	require(rstar_gguf_open_fd(fd, &rstar_allocator_malloc, NULL, &gguf, &err) == RSTAR_OK);
	check_file(gguf, text, size);
	rstar_gguf_close(gguf);
	close(fd);
	rstar_gguf_writer_free(writer);
	rstar_bpe_trainer_free(trainer);
	return 0;
}

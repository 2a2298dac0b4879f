/*
 * fuzz_hftokenizer.c
 *	  Any JSON as tokenizer.json; one that is accepted must give a file that
 *	  can be opened again. The settings beside it are taken from the same
 *	  object, so that they are fuzzed too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/model/import_parts.h"

static void
import(const json_t *tokenizer)
{
	rstar_import_vocabulary vocabulary = {.tokenizer = tokenizer,
										  .tokenizer_config = tokenizer,
										  .config = tokenizer,
										  .generation_config = tokenizer,
										  .n_vocab = 400};
	rstar_gguf_writer *writer = NULL;
	rstar_gguf *gguf = NULL;
	rstar_error err;
	rstar_status st = rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err);

	if (st == RSTAR_OK)
		st = rstar_import_write_vocabulary(&vocabulary, &rstar_allocator_malloc, writer, &err);
	if (st == RSTAR_OK)
	{
		int fd = memfd_create("rstar fuzz", 0);

		if (rstar_gguf_writer_finish(writer, fd, NULL, &err) != RSTAR_OK ||
			rstar_gguf_open_fd(fd, &rstar_allocator_malloc, NULL, &gguf, &err) != RSTAR_OK)
			abort();
		rstar_gguf_close(gguf);
		close(fd);
	}
	rstar_gguf_writer_free(writer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *tokenizer = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES, NULL);

	if (tokenizer)
		import(tokenizer);
	json_decref(tokenizer);
	return 0;
}

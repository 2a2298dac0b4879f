/*
 * vocabulary_fixture.h
 *	  Vocabularies for tests: the shared ones, and small ones made on the spot.
 */
#ifndef RSTAR_TEST_VOCABULARY_FIXTURE_H
#define RSTAR_TEST_VOCABULARY_FIXTURE_H

#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "core/model/gguf.h"
#include "core/text/tokenizer.h"

typedef struct vocabulary
{
	rstar_gguf *gguf;
	rstar_tokenizer *tokenizer;
} vocabulary;

static inline void
vocabulary_close(vocabulary *v)
{
	rstar_tokenizer_close(v->tokenizer);
	rstar_gguf_close(v->gguf);
	v->tokenizer = NULL;
	v->gguf = NULL;
}

/* "qwen2" or "phi-3" from the shared fixtures; false if absent. */
static inline bool
vocabulary_shared(vocabulary *v, const char *name)
{
	char path[1024];
	rstar_error err;

	memset(v, 0, sizeof(*v));
	snprintf(path, sizeof(path), "%s/fixtures/tokenizer/ggml-vocab-%s.gguf", check_shared(), name);
	if (access(path, R_OK) != 0)
		return false;
	if (rstar_gguf_open(path, &rstar_allocator_malloc, &v->gguf, &err) != RSTAR_OK ||
		rstar_tokenizer_open(v->gguf, &rstar_allocator_malloc, NULL, &v->tokenizer, &err) !=
			RSTAR_OK)
	{
		CHECK_MSG(false, "%s: %s", path, err.message);
		vocabulary_close(v);
		return false;
	}
	return true;
}

/* Write what the writer holds to a file without a name, open it, free the writer. */
static inline rstar_status
vocabulary_from_writer(vocabulary *v, rstar_gguf_writer *writer, rstar_error *err)
{
	FILE *file = tmpfile();
	rstar_status status;

	memset(v, 0, sizeof(*v));
	status = rstar_gguf_writer_finish(writer, fileno(file), NULL, err);
	rstar_gguf_writer_free(writer);
	if (status == RSTAR_OK)
		status = rstar_gguf_open_fd(fileno(file), &rstar_allocator_malloc, NULL, &v->gguf, err);
	fclose(file);
	if (status == RSTAR_OK)
		status = rstar_tokenizer_open(v->gguf, &rstar_allocator_malloc, NULL, &v->tokenizer, err);
	if (status != RSTAR_OK)
		vocabulary_close(v);
	return status;
}

#endif

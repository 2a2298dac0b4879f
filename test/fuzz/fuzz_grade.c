/*
 * fuzz_grade.c
 *	  Two texts of any bytes, split at the first NUL, against each other.
 *
 * Equality must never crash, never take more than its bounds, be reflexive, and
 * be deterministic. Extraction and normalisation see the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/grade/grade.h"

static size_t allocated;

static void *
counting_alloc(void *ctx, size_t size)
{
	(void) ctx;
	allocated += size;
	return malloc(size ? size : 1);
}

static void *
counting_realloc(void *ctx, void *pointer, size_t size)
{
	(void) ctx;
	allocated += size;
	return realloc(pointer, size ? size : 1);
}

static void
counting_free(void *ctx, void *pointer)
{
	(void) ctx;
	free(pointer);
}

static const rstar_allocator counting = {counting_alloc, counting_realloc, counting_free, NULL};

static bool
equal(const char *a, size_t n, const char *b, size_t m)
{
	allocated = 0;
	bool result = rstar_grade_compare(&counting, a, n, b, m).equal;

	if (allocated > (size_t) 64 << 20)
		abort(); /* the bound on memory does not hold */
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, 0, size);
	const char *gold = (const char *) data;
	size_t gold_length = nul ? (size_t) (nul - data) : size;
	const char *answer = nul ? (const char *) nul + 1 : gold;
	size_t answer_length = nul ? size - gold_length - 1 : size;
	rstar_arena arena;
	rstar_buffer text;
	size_t length;
	bool first;

	first = equal(gold, gold_length, answer, answer_length);
	if (first != equal(gold, gold_length, answer, answer_length))
		abort();
	(void) equal(answer, answer_length, gold, gold_length);
	rstar_arena_init(&arena, &counting, 0);
	rstar_grade_extract(&arena, gold, gold_length, &length);
	if (length > 0 && !equal(gold, gold_length, gold, gold_length))
		abort();
	rstar_arena_reset(&arena);
	rstar_buffer_init(&text, &counting);
	(void) rstar_grade_normalize(&counting, answer, answer_length, &text);
	rstar_buffer_free(&text);
	(void) rstar_grade_kind(&counting, answer, answer_length);
	return 0;
}

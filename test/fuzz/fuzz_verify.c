/*
 * fuzz_verify.c
 *	  Any bytes as what a checker replies, and as what a solution's process says its functions
 *	  returned; and as an answer whose text is looked for. (The first byte says which part is which.)
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/search.h"
#include "core/verify/python.h"
#include "core/verify/tests.h"

static void
extract(rstar_string text)
{
	rstar_arena arena;
	size_t length;

	rstar_arena_init(&arena, &rstar_allocator_malloc, 0);
	if (!rstar_search_extract(&arena, text, &length) || length > text.length)
		abort();
	rstar_arena_reset(&arena);
}

/* A literal has one quote at each end and none within that is not escaped. */
static void
write_literal(rstar_string text)
{
	rstar_buffer out;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	if (!rstar_verify_literal(&out, text) || out.data[0] != '\'' ||
		out.data[out.length - 1] != '\'')
		abort();
	for (size_t i = 1; i + 1 < out.length; i++)
		if (out.data[i] == '\\')
			i++;
		else if (out.data[i] == '\'' || (unsigned char) out.data[i] < ' ')
			abort();
	rstar_buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rstar_string text = {(const char *) data, size};
	rstar_string first = text, second = {"", 0};
	rstar_verify_tests *tests;
	rstar_verify_reply reply;
	rstar_buffer out;
	rstar_error err;

	if (size == 0 || size > 65536)
		return 0;
	extract(text);
	write_literal(text);
	first = (rstar_string){text.data + 1, data[0] < size - 1 ? data[0] : size - 1};
	second = (rstar_string){first.data + first.length, size - 1 - first.length};
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	if (rstar_verify_tests_create(second, text, &tests, &err) != RSTAR_OK)
		abort();
	if (rstar_verify_tests_reply(tests, first, &reply, &err) == RSTAR_OK)
	{
		if (reply.calls == 0 && !reply.broken && (reply.total == 0 || reply.passed > reply.total))
			abort();
		if (reply.calls > 0 && !rstar_verify_tests_results(tests, 0, reply.calls, second) &&
			!rstar_verify_tests_lost(tests, reply.calls - 1))
			abort();
	}
	if (rstar_verify_tests_checker(tests, &out, &err) != RSTAR_OK ||
		rstar_verify_tests_calls(tests, 0, reply.calls, &out, &err) != RSTAR_OK)
		abort();
	rstar_verify_tests_free(tests);
	rstar_buffer_free(&out);
	return 0;
}

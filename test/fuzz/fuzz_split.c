/*
 * fuzz_split.c
 *	  Any bytes as a solution: parts come in order, inside the text, and end.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/step/split.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	const char *end = text;
	rstar_splitter splitter;
	rstar_part part;
	size_t parts = 0;

	rstar_splitter_init(&splitter, text, size);
	while (rstar_splitter_next(&splitter, &part))
	{
		if (part.content.length == 0 || part.content.data < end ||
			part.content.data + part.content.length > text + size || ++parts > size)
			abort();
		end = part.content.data + part.content.length;
	}
	return 0;
}

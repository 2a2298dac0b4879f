/*
 * fuzz_safetensors.c
 *	  Any bytes as a safetensors file: open it, read every tensor that may be
 *	  used, as the importer would.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/convert.h"
#include "core/model/safetensors.h"
#include "core/tensor/quants.h"

static float scratch[RSTAR_CONVERT_SCRATCH];
static uint8_t out[65536];

static void
convert(const rstar_safetensor *tensor, uint32_t head_dim)
{
	rstar_conversion conversion = {.name = tensor->name,
								   .from = tensor->type,
								   .to = RSTAR_TYPE_BF16,
								   .columns = tensor->columns,
								   .rows = tensor->rows,
								   .data = tensor->data,
								   .head_dim = tensor->rows % head_dim == 0 ? head_dim : 0,
								   .scratch = scratch};
	uint64_t bytes = tensor->columns * tensor->rows * 2;
	rstar_error err;

	for (uint64_t at = 0; at < bytes; at += sizeof out)
	{
		size_t length = bytes - at < sizeof out ? (size_t) (bytes - at) : sizeof out;

		if (rstar_convert_source(&conversion, at, out, length, &err) != RSTAR_OK)
			break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	rstar_safetensors *file;
	rstar_error err;

	memcpy(bytes, data, size);
	if (rstar_safetensors_open_memory(bytes, size, &rstar_allocator_malloc, &file, &err) ==
		RSTAR_OK)
	{
		for (size_t i = 0; i < rstar_safetensors_count(file); i++)
		{
			const rstar_safetensor *tensor = rstar_safetensors_at(file, i);

			if (rstar_safetensors_find(file, tensor->name) != tensor)
				abort();
			if (tensor->usable)
				convert(tensor, 4);
		}
		rstar_safetensors_close(file);
	}
	free(bytes);
	return 0;
}

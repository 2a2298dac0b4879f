/*
 * test_safetensors.c
 *	  Reading safetensors files, right and wrong, and converting what they hold.
 */
#include "check.h"

#include <stdint.h>

#include "core/model/convert.h"
#include "core/model/safetensors.h"
#include "core/tensor/half.h"
#include "core/tensor/quants.h"

static const rstar_allocator *const heap = &rstar_allocator_malloc;

/* A file: the header's text, then n bytes of data 0, 1, 2, ... */
static uint8_t *
build(const char *header, size_t n, size_t *length)
{
	uint64_t size = strlen(header);
	uint8_t *file = malloc(8 + size + n);

	memcpy(file, &size, 8);
	memcpy(file + 8, header, size);
	for (size_t i = 0; i < n; i++)
		file[8 + size + i] = (uint8_t) i;
	*length = 8 + size + n;
	return file;
}

static void
refused(const char *header, size_t n, rstar_status wanted, const char *part)
{
	size_t length;
	uint8_t *bytes = build(header, n, &length);
	rstar_safetensors *file;
	rstar_error err = {0};
	rstar_status st = rstar_safetensors_open_memory(bytes, length, heap, &file, &err);

	CHECK_MSG(st == wanted && strstr(err.message, part), "%s: %s: %s", header,
			  rstar_status_name(st), err.message);
	CHECK((file != NULL) == (st == RSTAR_OK));
	rstar_safetensors_close(file);
	free(bytes);
}

#define ENTRY(name, dtype, shape, begin, end)                                                      \
	"\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end \
	"]}"

static void
a_file_opens(void)
{
	size_t length;
	uint8_t *bytes = build(
		"{\"__metadata__\":{\"format\":\"pt\"}," ENTRY("b", "F32", "2,3", "0", "24") "," ENTRY(
			"a", "BF16", "4", "24", "32") "," ENTRY("c", "I64", "1", "32",
													"40") "," ENTRY("d", "F16", "", "40", "42") "}",
		42, &length);
	rstar_safetensors *file = NULL;
	rstar_error err = {0};
	const rstar_safetensor *tensor;

	CHECK_MSG(rstar_safetensors_open_memory(bytes, length, heap, &file, &err) == RSTAR_OK, "%s",
			  err.message);
	CHECK(rstar_safetensors_count(file) == 4);
	CHECK_STR(rstar_safetensors_at(file, 0)->name, "a");
	tensor = rstar_safetensors_find(file, "b");
	CHECK(tensor && tensor->usable && tensor->type == RSTAR_TYPE_F32);
	CHECK(tensor->rows == 2 && tensor->columns == 3 && tensor->bytes == 24);
	CHECK(((const uint8_t *) tensor->data)[5] == 5);
	tensor = rstar_safetensors_find(file, "a");
	CHECK(tensor && tensor->n_dims == 1 && tensor->rows == 1 && tensor->columns == 4);
	CHECK(((const uint8_t *) tensor->data)[0] == 24);
	CHECK(!rstar_safetensors_find(file, "c")->usable); /* a type we do not take */
	CHECK(!rstar_safetensors_find(file, "d")->usable); /* a scalar */
	CHECK(rstar_safetensors_find(file, "e") == NULL);
	rstar_safetensors_close(file);
	rstar_safetensors_close(NULL);
	free(bytes);
}

static void
wrong_headers(void)
{
	refused("{}", 0, RSTAR_OK, "");
	refused("", 0, RSTAR_ERR_CORRUPT, "not valid JSON");
	refused("{", 4, RSTAR_ERR_CORRUPT, "not valid JSON");
	refused("[]", 4, RSTAR_ERR_CORRUPT, "not a JSON object");
	refused("{\"a\":1}", 4, RSTAR_ERR_CORRUPT, "\"a\" is not a tensor");
	refused("{" ENTRY("a", "F32", "1", "0", "4") "," ENTRY("a", "F32", "1", "4", "8") "}", 8,
			RSTAR_ERR_CORRUPT, "not valid JSON");
	refused("{" ENTRY("a", "F32", "1", "0", "4") "," ENTRY("b", "F32", "1", "3", "7") "}", 8,
			RSTAR_ERR_CORRUPT, "overlaps");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, RSTAR_ERR_CORRUPT,
			"not a tensor");
	refused("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, RSTAR_ERR_CORRUPT,
			"not a tensor");
}

static void
wrong_ranges(void)
{
	refused("{" ENTRY("a", "F32", "2", "0", "8") "}", 8, RSTAR_OK, "");
	refused("{" ENTRY("a", "F32", "2", "0", "8") "}", 7, RSTAR_ERR_CORRUPT, "beyond the end");
	refused("{" ENTRY("a", "F32", "2", "8", "0") "}", 8, RSTAR_ERR_CORRUPT, "beyond the end");
	refused("{" ENTRY("a", "F32", "2", "-8", "0") "}", 8, RSTAR_ERR_CORRUPT, "not a tensor");
	refused("{" ENTRY("a", "F32", "2", "0", "9223372036854775807") "}", 8, RSTAR_ERR_CORRUPT,
			"beyond the end");
	refused("{" ENTRY("a", "F32", "2", "0", "99999999999999999999") "}", 8, RSTAR_ERR_CORRUPT,
			"not valid JSON");
	refused("{" ENTRY("a", "F32", "3", "0", "8") "}", 8, RSTAR_ERR_CORRUPT, "contradict");
	refused("{" ENTRY("a", "F32", "-2", "0", "8") "}", 8, RSTAR_ERR_CORRUPT, "contradict");
	refused("{" ENTRY("a", "F32", "4294967296,4294967296", "0", "8") "}", 8, RSTAR_ERR_CORRUPT,
			"contradict");
	refused("{" ENTRY("a", "F32", "4611686018427387904,1", "0", "0") "}", 8, RSTAR_ERR_CORRUPT,
			"contradict");
	refused("{" ENTRY("a", "F32", "0", "0", "0") "}", 8, RSTAR_OK, ""); /* empty: not usable */
}

static void
every_truncation(void)
{
	size_t length;
	uint8_t *bytes =
		build("{" ENTRY("b", "F32", "2,3", "0", "24") "," ENTRY("a", "BF16", "4", "24", "32") "}",
			  32, &length);
	int opened = 0;

	for (size_t n = 0; n < length; n++)
	{
		uint8_t *exact = malloc(n ? n : 1);
		rstar_safetensors *file;
		rstar_error err;

		memcpy(exact, bytes, n);
		opened += rstar_safetensors_open_memory(exact, n, heap, &file, &err) == RSTAR_OK;
		rstar_safetensors_close(file);
		free(exact);
	}
	CHECK(opened == 0);
	free(bytes);
}

/* --- conversion ------------------------------------------------------------ */

/* Rows of a head: 0, d/2, 1, d/2 + 1, ... whatever the pieces. */
static void
interleaving(void)
{
	enum
	{
		rows = 16,
		columns = 24,
		head_dim = 8
	};
	static float scratch[RSTAR_CONVERT_SCRATCH];
	_Alignas(8) uint8_t unaligned[4 + sizeof(float) * rows * columns];
	float out[rows * columns];
	rstar_conversion conversion = {.name = "t",
								   .from = RSTAR_TYPE_F32,
								   .to = RSTAR_TYPE_F32,
								   .columns = columns,
								   .rows = rows,
								   .data = unaligned + 1,
								   .head_dim = head_dim,
								   .scratch = scratch};
	rstar_error err;

	for (int i = 0; i < rows * columns; i++)
	{
		float value = (float) i;

		memcpy(unaligned + 1 + 4 * i, &value, 4);
	}
	for (size_t piece = 4; piece <= sizeof out; piece += 52)
	{
		memset(out, 0, sizeof out);
		for (size_t at = 0; at < sizeof out; at += piece)
		{
			size_t length = sizeof out - at < piece ? sizeof out - at : piece;

			CHECK(rstar_convert_source(&conversion, at, (uint8_t *) out + at, length, &err) ==
				  RSTAR_OK);
		}
		for (int r = 0; r < rows; r++)
		{
			int i = r % head_dim;
			int from = r / head_dim * head_dim + i / 2 + i % 2 * (head_dim / 2);

			CHECK(out[r * columns + 5] == (float) (from * columns + 5));
		}
	}
}

static void
numbers_that_do_not_fit(void)
{
	static float scratch[RSTAR_CONVERT_SCRATCH];
	float data[32] = {[9] = 70000.0f};
	uint16_t out[32];
	rstar_conversion conversion = {.name = "t",
								   .from = RSTAR_TYPE_F32,
								   .to = RSTAR_TYPE_F16,
								   .columns = 8,
								   .rows = 4,
								   .data = data,
								   .scratch = scratch};
	rstar_error err = {0};

	CHECK(rstar_convert_source(&conversion, 0, out, sizeof out, &err) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "tensor \"t\" has numbers too large for F16");
	conversion.to = RSTAR_TYPE_BF16;
	CHECK(rstar_convert_source(&conversion, 0, out, sizeof out, &err) == RSTAR_OK);
	CHECK(rstar_bf16_to_f32(out[9]) == 70144.0f);
	data[31] = INFINITY;
	CHECK(rstar_convert_source(&conversion, 0, out, sizeof out, &err) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "tensor \"t\" contains NaN or infinity");
}

int
main(void)
{
	RUN(a_file_opens);
	RUN(wrong_headers);
	RUN(wrong_ranges);
	RUN(every_truncation);
	RUN(interleaving);
	RUN(numbers_that_do_not_fit);
	return CHECK_RESULT();
}

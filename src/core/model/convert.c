/*
 * convert.c
 *	  A tensor seen in another element type, piece by piece.
 */
#include "core/model/convert.h"

#include <string.h>

#include "core/tensor/quants.h"

/* The row of the data that becomes row r. */
static uint64_t
source_row(const rstar_conversion *conversion, uint64_t r)
{
	uint64_t d = conversion->head_dim;

	if (d == 0)
		return r;

	uint64_t head = r / d;
	uint64_t i = r % d;

	return head * d + i / 2 + i % 2 * (d / 2);
}

/*
 * Columns [first, first + n) of one row into scratch, which may then begin with
 * elements before `first`, as reading goes by whole blocks; returns how many.
 */
static size_t
read_columns(const rstar_conversion *conversion, uint64_t row, uint64_t first, size_t n,
			 float *scratch, rstar_status *status, rstar_error *err)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) conversion->from);
	size_t before = (size_t) (first % info->block);
	size_t count = (before + n + info->block - 1) / info->block * info->block;
	size_t row_bytes = rstar_quants_row_bytes(conversion->from, conversion->columns);
	const void *data = (const uint8_t *) conversion->data +
					   source_row(conversion, row) * row_bytes +
					   (first - before) / info->block * info->bytes;

	if (info->block == 1 && (uintptr_t) data % info->bytes != 0)
	{
		float *copy = scratch + RSTAR_CONVERT_SCRATCH / 2;

		memcpy(copy, data, count * info->bytes);
		data = copy;
	}

	if (rstar_quants_find_bad(conversion->from, data, count) < count)
	{
		*status = rstar_error_set(err, RSTAR_ERR_CORRUPT, "tensor \"%s\" contains NaN or infinity",
								  conversion->name);
		rstar_error_detail(err, "In row %llu.", (unsigned long long) source_row(conversion, row));
		return 0;
	}
	rstar_quants_to_f32(conversion->from, data, scratch, count);
	for (size_t i = 0; conversion->offset != 0.0f && i < count; i++)
		scratch[i] += conversion->offset;
	return before;
}

rstar_status
rstar_convert_source(void *arg, uint64_t offset, void *buffer, size_t length, rstar_error *err)
{
	const rstar_conversion *conversion = arg;
	const rstar_type_info *info = rstar_type_get((uint32_t) conversion->to);
	uint64_t element = offset / info->bytes * info->block;
	uint64_t end = element + length / info->bytes * info->block;
	uint8_t *out = buffer;
	rstar_status st = RSTAR_OK;

	while (element < end)
	{
		uint64_t row = element / conversion->columns;
		uint64_t column = element % conversion->columns;
		uint64_t left = conversion->columns - column;
		size_t n = (size_t) (left < end - element ? left : end - element);
		size_t before = read_columns(conversion, row, column, n, conversion->scratch, &st, err);

		if (st != RSTAR_OK)
			return st;
		rstar_quants_from_f32(conversion->to, conversion->scratch + before, out, n, NULL);
		if (rstar_quants_find_bad(conversion->to, out, n) < n)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT,
								   "tensor \"%s\" has numbers too large for %s", conversion->name,
								   info->name);
		out += n / info->block * info->bytes;
		element += n;
	}
	return RSTAR_OK;
}

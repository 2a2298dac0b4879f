/*
 * quants.c
 *	  Reading rows of any element type: the portable reference.
 *
 * One function per type turns a row into floats; a table chooses it. The
 * kernels that multiply without unpacking are tested against these. Writing
 * rows is in quants_encode.c.
 */
#include "core/tensor/quants.h"

#include <string.h>

#include "core/tensor/half.h"

size_t
rstar_quants_row_bytes(rstar_type type, size_t n)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) type);
	size_t bytes;

	if (!info || n % info->block != 0)
		return 0;
	if (__builtin_mul_overflow(n / info->block, (size_t) info->bytes, &bytes))
		return 0;
	return bytes;
}

/* --- to float -------------------------------------------------------------- */

static void
f32_to_f32(const void *row, float *out, size_t n)
{
	memcpy(out, row, n * sizeof *out);
}

static void
f16_to_f32(const void *row, float *out, size_t n)
{
	const uint16_t *in = row;

	for (size_t i = 0; i < n; i++)
		out[i] = rstar_f16_to_f32(in[i]);
}

static void
bf16_to_f32(const void *row, float *out, size_t n)
{
	const uint16_t *in = row;

	for (size_t i = 0; i < n; i++)
		out[i] = rstar_bf16_to_f32(in[i]);
}

static void
q8_0_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q8_0 *block = row;

	for (size_t i = 0; i < n; i += RSTAR_Q8_0_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < RSTAR_Q8_0_BLOCK; j++)
			out[i + (size_t) j] = d * (float) block->qs[j];
	}
}

static void
q4_0_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q4_0 *block = row;

	for (size_t i = 0; i < n; i += RSTAR_Q4_0_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < 16; j++)
		{
			out[i + (size_t) j] = d * (float) ((block->qs[j] & 15) - 8);
			out[i + (size_t) j + 16] = d * (float) ((block->qs[j] >> 4) - 8);
		}
	}
}

static void
q4_K_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q4_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);
		float dmin = rstar_f16_to_f32(block->dmin);

		for (int g = 0; g < 8; g++)
		{
			const uint8_t *qs = block->qs + 32 * (g / 2);
			int shift = g % 2 ? 4 : 0;
			uint8_t scale;
			uint8_t min;

			rstar_quants_scale_min(block->scales, g, &scale, &min);

			float step = d * (float) scale;
			float base = dmin * (float) min;

			for (int l = 0; l < 32; l++)
				*out++ = step * (float) ((qs[l] >> shift) & 15) - base;
		}
	}
}

static void
q5_K_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q5_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);
		float dmin = rstar_f16_to_f32(block->dmin);

		for (int g = 0; g < 8; g++)
		{
			const uint8_t *qs = block->qs + 32 * (g / 2);
			int shift = g % 2 ? 4 : 0;
			uint8_t scale;
			uint8_t min;

			rstar_quants_scale_min(block->scales, g, &scale, &min);

			float step = d * (float) scale;
			float base = dmin * (float) min;

			for (int l = 0; l < 32; l++)
			{
				int high = (block->qh[l] >> g) & 1;

				*out++ = step * (float) (((qs[l] >> shift) & 15) | (high << 4)) - base;
			}
		}
	}
}

static void
q6_K_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q6_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < RSTAR_QK_BLOCK; j++)
		{
			int half = j / 128;
			int quarter = j % 128 / 32;
			int l = j % 32;
			int low = block->ql[64 * half + 32 * (quarter & 1) + l] >> (quarter >= 2 ? 4 : 0);
			int high = block->qh[32 * half + l] >> (2 * quarter);
			int q = ((low & 15) | ((high & 3) << 4)) - 32;

			*out++ = d * (float) block->scales[j / 16] * (float) q;
		}
	}
}

void
rstar_quants_to_f32(rstar_type type, const void *row, float *out, size_t n)
{
	switch (type)
	{
		case RSTAR_TYPE_F32:
			f32_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_F16:
			f16_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_BF16:
			bf16_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_Q8_0:
			q8_0_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_Q4_0:
			q4_0_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_Q4_K:
			q4_K_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_Q5_K:
			q5_K_to_f32(row, out, n);
			break;
		case RSTAR_TYPE_Q6_K:
			q6_K_to_f32(row, out, n);
			break;
	}
}

/* --- looking for NaN and infinity ------------------------------------------ */

/*
 * An exponent of all ones marks both. The inner loops have no exit, so that
 * they vectorise; only a slice that has something bad is searched again.
 */
#define SLICE 1024

static size_t
find_bad_32(const uint32_t *bits, size_t n)
{
	for (size_t start = 0; start < n; start += SLICE)
	{
		size_t end = n - start < SLICE ? n : start + SLICE;
		unsigned bad = 0;

		for (size_t i = start; i < end; i++)
			bad |= (bits[i] & 0x7f800000) == 0x7f800000;
		if (!bad)
			continue;
		for (size_t i = start; i < end; i++)
			if ((bits[i] & 0x7f800000) == 0x7f800000)
				return i;
	}
	return n;
}

static size_t
find_bad_16(const uint16_t *bits, size_t n, uint16_t exponent)
{
	for (size_t start = 0; start < n; start += SLICE)
	{
		size_t end = n - start < SLICE ? n : start + SLICE;
		uint16_t bad = 0;

		for (size_t i = start; i < end; i++)
			bad |= (bits[i] & exponent) == exponent;
		if (!bad)
			continue;
		for (size_t i = start; i < end; i++)
			if ((bits[i] & exponent) == exponent)
				return i;
	}
	return n;
}

static inline bool
f16_is_bad(uint16_t half)
{
	return (half & 0x7c00) == 0x7c00;
}

/* One float16 at `offset` in every block, and (if second >= 0) another there. */
static size_t
find_bad_scale(const void *row, size_t n, rstar_type type, size_t offset, int second)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) type);
	const uint8_t *block = row;

	for (size_t i = 0; i < n; i += info->block, block += info->bytes)
	{
		uint16_t d;

		memcpy(&d, block + offset, sizeof d);
		if (f16_is_bad(d))
			return i;
		if (second < 0)
			continue;
		memcpy(&d, block + second, sizeof d);
		if (f16_is_bad(d))
			return i;
	}
	return n;
}

size_t
rstar_quants_find_bad(rstar_type type, const void *row, size_t n)
{
	switch (type)
	{
		case RSTAR_TYPE_F32:
			return find_bad_32(row, n);
		case RSTAR_TYPE_F16:
			return find_bad_16(row, n, 0x7c00);
		case RSTAR_TYPE_BF16:
			return find_bad_16(row, n, 0x7f80);
		case RSTAR_TYPE_Q8_0:
		case RSTAR_TYPE_Q4_0:
			return find_bad_scale(row, n, type, 0, -1);
		case RSTAR_TYPE_Q4_K:
		case RSTAR_TYPE_Q5_K:
			return find_bad_scale(row, n, type, 0, 2);
		case RSTAR_TYPE_Q6_K:
			return find_bad_scale(row, n, type, offsetof(rstar_block_q6_K, d), -1);
	}
	return n;
}

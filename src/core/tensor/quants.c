/*
 * quants.c
 *	  Reading rows of any element type: the portable reference.
 *
 * One function per type turns a row into floats; a table chooses it. The
 * kernels that multiply without unpacking are tested against these. Writing
 * rows is in quants_encode.c.
 */
#include "core/tensor/quants.h"

#include <math.h>
#include <string.h>

#include "core/tensor/half.h"

size_t
rstar_quants_row_bytes(rstar_type type, size_t n)
{
	const rstar_type_info *info = rstar_type_layout((uint32_t) type);
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

static void
q4_1_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q4_1 *block = row;

	for (size_t i = 0; i < n; i += RSTAR_Q4_1_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);
		float m = rstar_f16_to_f32(block->m);

		for (int j = 0; j < 16; j++)
		{
			out[i + (size_t) j] = d * (float) (block->qs[j] & 15) + m;
			out[i + (size_t) j + 16] = d * (float) (block->qs[j] >> 4) + m;
		}
	}
}

/* The level (0..31) of element j (0..31) of a Q5_0 or Q5_1 block. */
static int
five_bits(const uint8_t qh[4], const uint8_t qs[16], int j)
{
	int low = qs[j % 16] >> (j < 16 ? 0 : 4) & 15;

	return low | (qh[j / 8] >> (j % 8) & 1) << 4;
}

static void
q5_0_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q5_0 *block = row;

	for (size_t i = 0; i < n; i += RSTAR_Q5_0_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < RSTAR_Q5_0_BLOCK; j++)
			*out++ = d * (float) (five_bits(block->qh, block->qs, j) - 16);
	}
}

static void
q5_1_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q5_1 *block = row;

	for (size_t i = 0; i < n; i += RSTAR_Q5_1_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);
		float m = rstar_f16_to_f32(block->m);

		for (int j = 0; j < RSTAR_Q5_1_BLOCK; j++)
			*out++ = d * (float) five_bits(block->qh, block->qs, j) + m;
	}
}

const int8_t rstar_iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
									 1,    13,   25,  38,  53,  69,  89,  113};

static void
iq4_nl_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_iq4_nl *block = row;

	for (size_t i = 0; i < n; i += RSTAR_IQ4_NL_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < 16; j++)
		{
			out[i + (size_t) j] = d * (float) rstar_iq4_levels[block->qs[j] & 15];
			out[i + (size_t) j + 16] = d * (float) rstar_iq4_levels[block->qs[j] >> 4];
		}
	}
}

static void
q2_K_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q2_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);
		float dmin = rstar_f16_to_f32(block->dmin);

		for (int j = 0; j < RSTAR_QK_BLOCK; j++)
		{
			uint8_t both = block->scales[j / 16];
			int q = block->qs[32 * (j / 128) + j % 32] >> (2 * (j % 128 / 32)) & 3;

			*out++ = d * (float) (both & 15) * (float) q - dmin * (float) (both >> 4);
		}
	}
}

static void
q3_K_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q3_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < RSTAR_QK_BLOCK; j++)
		{
			int low = block->qs[32 * (j / 128) + j % 32] >> (2 * (j % 128 / 32)) & 3;
			int high = block->hmask[j % 32] >> (j / 32) & 1;

			*out++ = d * (float) rstar_quants_q3_scale(block->scales, j / 16) *
					 (float) ((low | high << 2) - 4);
		}
	}
}

static void
q8_K_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_q8_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_quants_q8_K_scale(block);

		for (int j = 0; j < RSTAR_QK_BLOCK; j++)
			*out++ = d * (float) block->qs[j];
	}
}

static void
iq4_xs_to_f32(const void *row, float *out, size_t n)
{
	const rstar_block_iq4_xs *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
	{
		float d = rstar_f16_to_f32(block->d);

		for (int j = 0; j < RSTAR_QK_BLOCK; j++)
		{
			uint8_t pair = block->qs[16 * (j / 32) + j % 16];
			int q = pair >> (j % 32 < 16 ? 0 : 4) & 15;

			*out++ =
				d * (float) rstar_quants_iq4_scale(block, j / 32) * (float) rstar_iq4_levels[q];
		}
	}
}

/* --- the table ------------------------------------------------------------- */

#define NO_SCALE (-1)

/* How a type is read, and where its blocks keep their float16 scales. */
static const struct
{
	rstar_type type;
	void (*to_f32)(const void *row, float *out, size_t n);
	int first, second;
	bool writable;
} readers[] = {
	{RSTAR_TYPE_F32, f32_to_f32, NO_SCALE, NO_SCALE, true},
	{RSTAR_TYPE_F16, f16_to_f32, NO_SCALE, NO_SCALE, true},
	{RSTAR_TYPE_BF16, bf16_to_f32, NO_SCALE, NO_SCALE, true},
	{RSTAR_TYPE_Q4_0, q4_0_to_f32, 0, NO_SCALE, true},
	{RSTAR_TYPE_Q4_1, q4_1_to_f32, 0, 2, false},
	{RSTAR_TYPE_Q5_0, q5_0_to_f32, 0, NO_SCALE, false},
	{RSTAR_TYPE_Q5_1, q5_1_to_f32, 0, 2, false},
	{RSTAR_TYPE_Q8_0, q8_0_to_f32, 0, NO_SCALE, true},
	{RSTAR_TYPE_Q2_K, q2_K_to_f32, offsetof(rstar_block_q2_K, d), offsetof(rstar_block_q2_K, dmin),
	 false},
	{RSTAR_TYPE_Q3_K, q3_K_to_f32, offsetof(rstar_block_q3_K, d), NO_SCALE, false},
	{RSTAR_TYPE_Q4_K, q4_K_to_f32, 0, 2, true},
	{RSTAR_TYPE_Q5_K, q5_K_to_f32, 0, 2, true},
	{RSTAR_TYPE_Q6_K, q6_K_to_f32, offsetof(rstar_block_q6_K, d), NO_SCALE, true},
	{RSTAR_TYPE_Q8_K, q8_K_to_f32, NO_SCALE, NO_SCALE, false},
	{RSTAR_TYPE_IQ4_NL, iq4_nl_to_f32, 0, NO_SCALE, false},
	{RSTAR_TYPE_IQ4_XS, iq4_xs_to_f32, 0, NO_SCALE, false},
};

#define N_READERS (sizeof readers / sizeof readers[0])

static size_t
reader_of(rstar_type type)
{
	size_t i = 0;

	while (i < N_READERS - 1 && readers[i].type != type)
		i++;
	return i;
}

void
rstar_quants_to_f32(rstar_type type, const void *row, float *out, size_t n)
{
	readers[reader_of(type)].to_f32(row, out, n);
}

bool
rstar_quants_writable(rstar_type type)
{
	return readers[reader_of(type)].writable;
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

static size_t
find_bad_q8_K(const void *row, size_t n)
{
	const rstar_block_q8_K *block = row;

	for (size_t i = 0; i < n; i += RSTAR_QK_BLOCK, block++)
		if (!isfinite(rstar_quants_q8_K_scale(block)))
			return i;
	return n;
}

size_t
rstar_quants_find_bad(rstar_type type, const void *row, size_t n)
{
	size_t reader = reader_of(type);

	switch (type)
	{
		case RSTAR_TYPE_F32:
			return find_bad_32(row, n);
		case RSTAR_TYPE_F16:
			return find_bad_16(row, n, 0x7c00);
		case RSTAR_TYPE_BF16:
			return find_bad_16(row, n, 0x7f80);
		case RSTAR_TYPE_Q8_K:
			return find_bad_q8_K(row, n);
		default:
			return find_bad_scale(row, n, type, (size_t) readers[reader].first,
								  readers[reader].second);
	}
}

/*
 * kernels_unpack_template.h
 *	  Rows of quantised weights to int8 values and scales.
 *
 * Included by kernels_template.h, compiled once per family. Each function turns
 * `columns` of one row into bytes, the scale of every block of 32 (or 16)
 * columns, and for types that have them the block's minimum: w = scale * q -
 * minimum. Scales of consecutive blocks are RSTAR_PANEL_ROWS floats apart,
 * because sixteen rows are unpacked side by side; so are the minimums. The layouts are
 * drawn in quants.h. Bytes may alias anything, so the pointers are restrict:
 * without it nothing here becomes vector code.
 */

typedef void (*unpack_function)(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q,
								float *restrict scales, float *restrict minimums);

/* What a product needs to know of a quantised type. */
typedef struct type_traits
{
	unpack_function unpack;
	int block;         /* columns that share a scale in the unpacked form: 32 or 16 */
	bool has_minimums; /* unpack fills them */
	int bits;          /* if all q lie in [low, low + 2^bits), bits <= 6; otherwise 0 */
	int low;           /* 0 or minus a power of two */
} type_traits;

static INLINE int32_t
four_bytes(const int8_t *q)
{
	int32_t bytes;

	memcpy(&bytes, q, sizeof bytes);
	return bytes;
}

static void
unpack_q8_0(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q8_0 *block = (const rstar_block_q8_0 *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 32; b++)
	{
		memcpy(q_out + b * 32, block[b].qs, 32);
		scales[b * RSTAR_PANEL_ROWS] = f16_to_f32(block[b].d);
	}
}

/* Left to itself the compiler makes gathers of this loop. */
typedef uint8_t nibbles __attribute__((vector_size(16)));

static void
unpack_q4_0(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q4_0 *block = (const rstar_block_q4_0 *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 32; b++)
	{
		nibbles packed, low, high;

		memcpy(&packed, block[b].qs, sizeof packed);
		low = (packed & 15) - 8;
		high = (packed >> 4) - 8;
		memcpy(q_out + b * 32, &low, sizeof low);
		memcpy(q_out + b * 32 + 16, &high, sizeof high);
		scales[b * RSTAR_PANEL_ROWS] = f16_to_f32(block[b].d);
	}
}

/* Scales and minimums of the eight groups of 32 of a Q4_K or Q5_K block. */
static INLINE void
unpack_k_scales(const uint8_t *packed, float d, float dmin, float *restrict scales,
				float *restrict minimums)
{
	for (int g = 0; g < 8; g++)
	{
		uint8_t scale, min;

		rstar_quants_scale_min(packed, g, &scale, &min);
		scales[g * RSTAR_PANEL_ROWS] = d * (float) scale;
		minimums[g * RSTAR_PANEL_ROWS] = dmin * (float) min;
	}
}

static void
unpack_q4_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q4_K *block = (const rstar_block_q4_K *) row;

	for (uint32_t b = 0; b < columns / 256; b++)
	{
		int8_t *restrict q = q_out + b * 256;

		for (int pair = 0; pair < 4; pair++)
			for (int i = 0; i < 32; i++)
			{
				q[pair * 64 + i] = (int8_t) (block[b].qs[pair * 32 + i] & 15);
				q[pair * 64 + 32 + i] = (int8_t) (block[b].qs[pair * 32 + i] >> 4);
			}
		unpack_k_scales(block[b].scales, f16_to_f32(block[b].d), f16_to_f32(block[b].dmin),
						scales + b * 8 * RSTAR_PANEL_ROWS, minimums + b * 8 * RSTAR_PANEL_ROWS);
	}
}

static void
unpack_q5_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q5_K *block = (const rstar_block_q5_K *) row;

	for (uint32_t b = 0; b < columns / 256; b++)
	{
		int8_t *restrict q = q_out + b * 256;

		for (int pair = 0; pair < 4; pair++)
			for (int i = 0; i < 32; i++)
			{
				uint8_t low = block[b].qs[pair * 32 + i];
				uint8_t high = (uint8_t) (block[b].qh[i] >> (2 * pair));

				q[pair * 64 + i] = (int8_t) ((low & 15) | (high & 1) << 4);
				q[pair * 64 + 32 + i] = (int8_t) ((low >> 4) | (high & 2) << 3);
			}
		unpack_k_scales(block[b].scales, f16_to_f32(block[b].d), f16_to_f32(block[b].dmin),
						scales + b * 8 * RSTAR_PANEL_ROWS, minimums + b * 8 * RSTAR_PANEL_ROWS);
	}
}

static void
unpack_q6_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q6_K *block = (const rstar_block_q6_K *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 256; b++)
	{
		float d = f16_to_f32(block[b].d);

		for (int half = 0; half < 2; half++)
		{
			int8_t *restrict q = q_out + b * 256 + half * 128;
			const uint8_t *ql = block[b].ql + half * 64;
			const uint8_t *qh = block[b].qh + half * 32;

			for (int i = 0; i < 32; i++)
			{
				q[i] = (int8_t) (((ql[i] & 15) | (qh[i] & 3) << 4) - 32);
				q[i + 32] = (int8_t) (((ql[i + 32] & 15) | (qh[i] >> 2 & 3) << 4) - 32);
				q[i + 64] = (int8_t) (((ql[i] >> 4) | (qh[i] >> 4 & 3) << 4) - 32);
				q[i + 96] = (int8_t) (((ql[i + 32] >> 4) | (qh[i] >> 6) << 4) - 32);
			}
		}
		for (int g = 0; g < 16; g++)
			scales[(b * 16 + (uint32_t) g) * RSTAR_PANEL_ROWS] = d * (float) block[b].scales[g];
	}
}

#include "core/tensor/kernels_unpack_more_template.h"

/* NULL for the types whose rows are floats. */
static const type_traits *
traits_of(rstar_type type)
{
	static const type_traits q8_0 = {unpack_q8_0, 32, false, 0, 0},
							 q4_0 = {unpack_q4_0, 32, false, 4, -8},
							 q4_1 = {unpack_q4_1, 32, true, 4, 0},
							 q5_0 = {unpack_q5_0, 32, false, 5, -16},
							 q5_1 = {unpack_q5_1, 32, true, 5, 0},
							 q2_K = {unpack_q2_K, 16, true, 2, 0},
							 q3_K = {unpack_q3_K, 16, false, 3, -4},
							 q4_K = {unpack_q4_K, 32, true, 4, 0},
							 q5_K = {unpack_q5_K, 32, true, 5, 0},
							 q6_K = {unpack_q6_K, 16, false, 6, -32},
							 q8_K = {unpack_q8_K, 32, false, 0, 0},
							 iq4_nl = {unpack_iq4_nl, 32, false, 0, 0},
							 iq4_xs = {unpack_iq4_xs, 32, false, 0, 0};

	switch (type)
	{
		case RSTAR_TYPE_Q8_0:
			return &q8_0;
		case RSTAR_TYPE_Q4_0:
			return &q4_0;
		case RSTAR_TYPE_Q4_1:
			return &q4_1;
		case RSTAR_TYPE_Q5_0:
			return &q5_0;
		case RSTAR_TYPE_Q5_1:
			return &q5_1;
		case RSTAR_TYPE_Q2_K:
			return &q2_K;
		case RSTAR_TYPE_Q3_K:
			return &q3_K;
		case RSTAR_TYPE_Q4_K:
			return &q4_K;
		case RSTAR_TYPE_Q5_K:
			return &q5_K;
		case RSTAR_TYPE_Q6_K:
			return &q6_K;
		case RSTAR_TYPE_Q8_K:
			return &q8_K;
		case RSTAR_TYPE_IQ4_NL:
			return &iq4_nl;
		case RSTAR_TYPE_IQ4_XS:
			return &iq4_xs;
		default:
			return NULL;
	}
}

/*
 * kernels_unpack_template.h
 *	  Rows of quantised weights to the uniform int8 form of the kernels.
 *
 * Included by kernels_template.h, compiled once per family. Each function
 * turns one row of K columns into rstar_unpacked: bytes, the scale of every
 * group of four bytes (which is what one 32-bit lane sums), and for Q4_K and
 * Q5_K the minimum of every block of 32. The layouts are drawn in quants.h.
 * Bytes may alias anything, so the pointers are restrict: without it nothing
 * here becomes vector code.
 */

/* One scale for `groups` consecutive lanes. */
static INLINE void
fill_lanes(float *lanes, float scale, int groups)
{
	for (int i = 0; i < groups; i++)
		lanes[i] = scale;
}

static void
unpack_q8_0(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict lanes, float *restrict minimums)
{
	const rstar_block_q8_0 *block = (const rstar_block_q8_0 *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 32; b++)
	{
		memcpy(q_out + b * 32, block[b].qs, 32);
		fill_lanes(lanes + b * 8, f16_to_f32(block[b].d), 8);
	}
}

/* Left to itself the compiler makes gathers of this loop. */
typedef uint8_t nibbles __attribute__((vector_size(16)));

static void
unpack_q4_0(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict lanes, float *restrict minimums)
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
		fill_lanes(lanes + b * 8, f16_to_f32(block[b].d), 8);
	}
}

/* Scales and minimums of the eight groups of 32 of a Q4_K or Q5_K block. */
static INLINE void
unpack_k_scales(const uint8_t *scales, float d, float dmin, float *restrict lanes,
				float *restrict minimums)
{
	for (int g = 0; g < 8; g++)
	{
		uint8_t scale, min;

		rstar_quants_scale_min(scales, g, &scale, &min);
		fill_lanes(lanes + g * 8, d * (float) scale, 8);
		minimums[g] = dmin * (float) min;
	}
}

static void
unpack_q4_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict lanes, float *restrict minimums)
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
						lanes + b * 64, minimums + b * 8);
	}
}

static void
unpack_q5_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict lanes, float *restrict minimums)
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
						lanes + b * 64, minimums + b * 8);
	}
}

static void
unpack_q6_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict lanes, float *restrict minimums)
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
			fill_lanes(lanes + b * 64 + g * 4, d * (float) block[b].scales[g], 4);
	}
}

#include "core/tensor/kernels_unpack_more_template.h"

/* F32 rows are used in place; others are widened to `out`. */
static INLINE const float *
widen_row(const rstar_matrix *w, uint32_t row, float *out)
{
	const uint8_t *bytes = rstar_matrix_row(w, row);
	const uint16_t *half = (const uint16_t *) bytes;

	if (w->type == RSTAR_TYPE_F32)
		return (const float *) bytes;
	if (w->type == RSTAR_TYPE_F16)
		for (uint32_t k = 0; k < w->columns; k++)
			out[k] = f16_to_f32(half[k]);
	else if (w->type != RSTAR_TYPE_BF16)
		rstar_quants_to_f32(w->type, bytes, out, w->columns);
	else
		for (uint32_t k = 0; k < w->columns; k++)
		{
			union
			{
				uint32_t bits;
				float value;
			} wide = {.bits = (uint32_t) half[k] << 16};

			out[k] = wide.value;
		}
	return out;
}

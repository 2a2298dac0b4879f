/*
 * quants_encode.c
 *	  Writing rows of any element type.
 *
 * Quantising a group of numbers means choosing a grid. Two fits do all the
 * work: fit_signed for x ~ s * q (Q4_0, Q6_K) and fit_affine for x ~ s * q - m
 * (Q4_K, Q5_K). Each tries some grids around the one that just spans the
 * numbers, rounds to it, solves the least-squares problem for those integers,
 * and keeps what has the smallest weighted squared error. The K types then
 * round the groups' scales (and minima) to a grid of their own, and quantise
 * the numbers once more with what the reader of the file will see.
 *
 * A number's weight is its magnitude plus the block's root mean square, times
 * the importance of its column where that is given: large weights matter more,
 * but small ones are not free.
 *
 * Sums are in double and in index order, so the bytes are the same everywhere.
 */
#include "core/tensor/quants.h"

#include <math.h>
#include <string.h>

#include "core/tensor/half.h"

#define LARGEST_GROUP 32

/* A scale in float16: finite, whatever the input. */
static uint16_t
encode_scale(float scale)
{
	if (!(scale < 65504.0f))
		scale = 65504.0f;
	if (scale < -65504.0f)
		scale = -65504.0f;
	return rstar_f16_from_f32(scale);
}

/* Nearest integer in [least, most]; NaN gives the least. */
static inline int
nearest(float x, float least, float most)
{
	if (!(x > least))
		x = least;
	if (x > most)
		x = most;
	return (int) lrintf(x);
}

static inline float
inverse(float x)
{
	return x != 0.0f ? 1.0f / x : 0.0f;
}

/* The weights of a group of n, see above. */
static void
weigh(const float *x, int n, float rms, const float *importance, float *weights)
{
	for (int i = 0; i < n; i++)
		weights[i] = (rms + fabsf(x[i])) * (importance ? importance[i] : 1.0f);
}

static float
root_mean_square(const float *x, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return (float) sqrt(sum / (double) n);
}

/* --- the two fits ---------------------------------------------------------- */

/*
 * A scale s (of either sign) with x ~ s * q, q in [-most - 1, most]. The number
 * of largest magnitude lies near -most - 1, where the grid reaches furthest.
 * For given integers q the best scale is sum(w x q) / sum(w q q), and the error
 * falls by sum(w x q)^2 / sum(w q q).
 */
static float
fit_signed(const float *x, const float *weights, int n, int most)
{
	float furthest = 0.0f;
	float best_scale = 0.0f;
	double best_gain = 0.0;
	float least = (float) (-most - 1);

	for (int i = 0; i < n; i++)
		if (fabsf(x[i]) > fabsf(furthest))
			furthest = x[i];
	if (furthest == 0.0f)
		return 0.0f;
	for (int step = -9; step <= 9; step++)
	{
		float grid = (least + 0.1f * (float) step) / furthest;
		double wxq = 0.0;
		double wqq = 0.0;

		for (int i = 0; i < n; i++)
		{
			double q = (double) nearest(x[i] * grid, least, (float) most);
			double wq = (double) weights[i] * q;

			wxq += wq * (double) x[i];
			wqq += wq * q;
		}
		if (wqq > 0.0 && wxq * wxq > best_gain * wqq)
		{
			best_gain = wxq * wxq / wqq;
			best_scale = (float) (wxq / wqq);
		}
	}
	return best_scale;
}

typedef struct affine
{
	float scale; /* >= 0 */
	float min;   /* >= 0: what is subtracted */
} affine;

/* Best scale and minimum for given integers: two normal equations, min >= 0. */
static affine
solve_affine(const float *x, const float *weights, const uint8_t *q, int n)
{
	double w = 0.0;
	double wx = 0.0;
	double wq = 0.0;
	double wxq = 0.0;
	double wqq = 0.0;

	for (int i = 0; i < n; i++)
	{
		double weight = (double) weights[i];
		double level = (double) q[i];

		w += weight;
		wx += weight * (double) x[i];
		wq += weight * level;
		wxq += weight * (double) x[i] * level;
		wqq += weight * level * level;
	}

	double determinant = w * wqq - wq * wq;
	affine fit = {-1.0f, 0.0f};

	if (determinant > 1e-9 * w * wqq) /* else all integers are equal */
	{
		fit.scale = (float) ((w * wxq - wx * wq) / determinant);
		fit.min = (float) ((wq * wxq - wqq * wx) / determinant);
	}
	if (!(fit.min >= 0.0f) || !(fit.scale >= 0.0f))
	{
		fit.min = 0.0f;
		fit.scale = wqq > 0.0 && wxq > 0.0 ? (float) (wxq / wqq) : 0.0f;
	}
	return fit;
}

static double
affine_error(const float *x, const float *weights, const uint8_t *q, int n, affine fit)
{
	double error = 0.0;

	for (int i = 0; i < n; i++)
	{
		float off = fit.scale * (float) q[i] - fit.min - x[i];

		error += (double) weights[i] * (double) off * (double) off;
	}
	return error;
}

/* x ~ scale * q - min with q in [0, most]. */
static affine
fit_affine(const float *x, const float *weights, int n, int most)
{
	float low = 0.0f; /* the grid includes zero */
	float high = x[0];
	affine best = {0.0f, 0.0f};
	double best_error = INFINITY;

	for (int i = 0; i < n; i++)
	{
		low = x[i] < low ? x[i] : low;
		high = x[i] > high ? x[i] : high;
	}
	if (!(high > low))
	{
		best.min = -low; /* all equal, and not above zero */
		return best;
	}
	for (int step = -6; step <= 8; step++)
	{
		float grid = ((float) most + 0.15f * (float) step) / (high - low);
		uint8_t q[LARGEST_GROUP];
		affine fit;
		double error;

		for (int i = 0; i < n; i++)
			q[i] = (uint8_t) nearest((x[i] - low) * grid, 0.0f, (float) most);
		fit = solve_affine(x, weights, q, n);
		error = affine_error(x, weights, q, n, fit);
		if (error < best_error)
		{
			best_error = error;
			best = fit;
		}
	}
	return best;
}

/* --- the types ------------------------------------------------------------- */

static void
encode_q8_0(const float *x, rstar_block_q8_0 *block)
{
	float furthest = 0.0f;

	for (int j = 0; j < RSTAR_Q8_0_BLOCK; j++)
		furthest = fabsf(x[j]) > furthest ? fabsf(x[j]) : furthest;
	block->d = encode_scale(furthest / 127.0f);

	float grid = inverse(rstar_f16_to_f32(block->d));

	for (int j = 0; j < RSTAR_Q8_0_BLOCK; j++)
		block->qs[j] = (int8_t) nearest(x[j] * grid, -127.0f, 127.0f);
}

static void
encode_q4_0(const float *x, const float *importance, float rms, rstar_block_q4_0 *block)
{
	float weights[RSTAR_Q4_0_BLOCK];

	weigh(x, RSTAR_Q4_0_BLOCK, rms, importance, weights);
	block->d = encode_scale(fit_signed(x, weights, RSTAR_Q4_0_BLOCK, 7));

	float grid = inverse(rstar_f16_to_f32(block->d));

	for (int j = 0; j < 16; j++)
	{
		int low = nearest(x[j] * grid, -8.0f, 7.0f) + 8;
		int high = nearest(x[j + 16] * grid, -8.0f, 7.0f) + 8;

		block->qs[j] = (uint8_t) (low | (high << 4));
	}
}

/* Pack 8 scales and minima (0..63) as quants.h draws them. */
static void
pack_scales(const uint8_t scales[8], const uint8_t mins[8], uint8_t packed[12])
{
	for (int g = 0; g < 4; g++)
	{
		packed[g] = (uint8_t) (scales[g] | ((scales[g + 4] >> 4) << 6));
		packed[g + 4] = (uint8_t) (mins[g] | ((mins[g + 4] >> 4) << 6));
		packed[g + 8] = (uint8_t) ((scales[g + 4] & 15) | ((mins[g + 4] & 15) << 4));
	}
}

/*
 * What Q4_K and Q5_K share: levels q in 0..most of all 256 elements, the packed
 * scales, and the two scales of those.
 */
static void
encode_affine_block(const float *x, const float *importance, float rms, int most, uint8_t q[256],
					uint8_t packed[12], uint16_t *d, uint16_t *dmin)
{
	affine fits[8];
	uint8_t scales[8];
	uint8_t mins[8];
	float top_scale = 0.0f;
	float top_min = 0.0f;

	for (int g = 0; g < 8; g++)
	{
		float weights[32];

		weigh(x + 32 * g, 32, rms, importance ? importance + 32 * g : NULL, weights);
		fits[g] = fit_affine(x + 32 * g, weights, 32, most);
		top_scale = fits[g].scale > top_scale ? fits[g].scale : top_scale;
		top_min = fits[g].min > top_min ? fits[g].min : top_min;
	}
	*d = encode_scale(top_scale / 63.0f);
	*dmin = encode_scale(top_min / 63.0f);

	float step = rstar_f16_to_f32(*d);
	float base = rstar_f16_to_f32(*dmin);

	for (int g = 0; g < 8; g++)
	{
		scales[g] = (uint8_t) nearest(fits[g].scale * inverse(step), 0.0f, 63.0f);
		mins[g] = (uint8_t) nearest(fits[g].min * inverse(base), 0.0f, 63.0f);

		float grid = inverse(step * (float) scales[g]);
		float min = base * (float) mins[g];

		for (int l = 0; l < 32; l++)
			q[32 * g + l] = (uint8_t) nearest((x[32 * g + l] + min) * grid, 0.0f, (float) most);
	}
	pack_scales(scales, mins, packed);
}

/* Lower four bits of the levels, two groups to 32 bytes. */
static void
pack_nibbles(const uint8_t q[256], uint8_t qs[128])
{
	for (int pair = 0; pair < 4; pair++)
		for (int l = 0; l < 32; l++)
			qs[32 * pair + l] =
				(uint8_t) ((q[64 * pair + l] & 15) | ((q[64 * pair + 32 + l] & 15) << 4));
}

static void
encode_q4_K(const float *x, const float *importance, float rms, rstar_block_q4_K *block)
{
	uint8_t q[256];

	encode_affine_block(x, importance, rms, 15, q, block->scales, &block->d, &block->dmin);
	pack_nibbles(q, block->qs);
}

static void
encode_q5_K(const float *x, const float *importance, float rms, rstar_block_q5_K *block)
{
	uint8_t q[256];

	encode_affine_block(x, importance, rms, 31, q, block->scales, &block->d, &block->dmin);
	pack_nibbles(q, block->qs);
	memset(block->qh, 0, sizeof block->qh);
	for (int j = 0; j < 256; j++)
		block->qh[j % 32] |= (uint8_t) ((q[j] >> 4) << (j / 32));
}

static void
encode_q6_K(const float *x, const float *importance, float rms, rstar_block_q6_K *block)
{
	float fits[16];
	float furthest = 0.0f;

	for (int g = 0; g < 16; g++)
	{
		float weights[16];

		weigh(x + 16 * g, 16, rms, importance ? importance + 16 * g : NULL, weights);
		fits[g] = fit_signed(x + 16 * g, weights, 16, 31);
		if (fabsf(fits[g]) > fabsf(furthest))
			furthest = fits[g];
	}
	block->d = encode_scale(furthest / -128.0f);

	float step = rstar_f16_to_f32(block->d);

	memset(block->ql, 0, sizeof block->ql);
	memset(block->qh, 0, sizeof block->qh);
	for (int g = 0; g < 16; g++)
		block->scales[g] = (int8_t) nearest(fits[g] * inverse(step), -128.0f, 127.0f);
	for (int j = 0; j < 256; j++)
	{
		float grid = inverse(step * (float) block->scales[j / 16]);
		int q = nearest(x[j] * grid, -32.0f, 31.0f) + 32;
		int half = j / 128;
		int quarter = j % 128 / 32;
		int l = j % 32;

		block->ql[64 * half + 32 * (quarter & 1) + l] |=
			(uint8_t) ((q & 15) << (quarter >= 2 ? 4 : 0));
		block->qh[32 * half + l] |= (uint8_t) ((q >> 4) << (2 * quarter));
	}
}

void
rstar_quants_from_f32(rstar_type type, const float *in, void *row, size_t n,
					  const float *importance)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) type);

	if (type == RSTAR_TYPE_F32)
		memcpy(row, in, n * sizeof *in);
	else if (type == RSTAR_TYPE_F16)
		for (size_t i = 0; i < n; i++)
			((uint16_t *) row)[i] = rstar_f16_from_f32(in[i]);
	else if (type == RSTAR_TYPE_BF16)
		for (size_t i = 0; i < n; i++)
			((uint16_t *) row)[i] = rstar_bf16_from_f32(in[i]);
	else if (type == RSTAR_TYPE_Q8_0)
		for (size_t i = 0; i < n; i += RSTAR_Q8_0_BLOCK)
			encode_q8_0(in + i, (rstar_block_q8_0 *) row + i / RSTAR_Q8_0_BLOCK);
	else
		for (size_t i = 0; i < n; i += info->block)
		{
			void *block = (uint8_t *) row + i / info->block * info->bytes;
			const float *columns = importance ? importance + i : NULL;

			float rms = root_mean_square(in + i, info->block);

			if (type == RSTAR_TYPE_Q4_0)
				encode_q4_0(in + i, columns, rms, block);
			else if (type == RSTAR_TYPE_Q4_K)
				encode_q4_K(in + i, columns, rms, block);
			else if (type == RSTAR_TYPE_Q5_K)
				encode_q5_K(in + i, columns, rms, block);
			else
				encode_q6_K(in + i, columns, rms, block);
		}
}

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
 * The fits work on numbers divided by the largest one, so that nothing
 * overflows, and sum in eight lanes, which any compiler turns into vectors; the
 * order of summation is fixed, so the bytes are the same everywhere.
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

static float
root_mean_square(const float *x, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return (float) sqrt(sum / (double) n);
}

/* --- the two fits ---------------------------------------------------------- */

#define LANES 8

/* Nearest whole number of |x| < 2^22: what is added leaves no room for a fraction. */
static inline float
whole(float x)
{
	return (x + 0x1.8p23f) - 0x1.8p23f;
}

static inline float
clamp(float x, float least, float most)
{
	x = x > least ? x : least;
	return x < most ? x : most;
}

static double
sum_lanes(const float lanes[LANES])
{
	double sum = 0.0;

	for (int l = 0; l < LANES; l++)
		sum += (double) lanes[l];
	return sum;
}

/* A group of 16 or 32 numbers in units of the largest, with their weights. */
typedef struct group
{
	int n;
	float unit; /* 0: all numbers are (as good as) 0 */
	float sign; /* of the largest */
	float x[LARGEST_GROUP];
	float weights[LARGEST_GROUP];
} group;

static void
prepare(group *numbers, const float *x, int n, float rms, const float *importance)
{
	float largest = 0.0f;
	float scale;

	for (int i = 0; i < n; i++)
		largest = fabsf(x[i]) > fabsf(largest) ? x[i] : largest;
	numbers->n = n;
	numbers->unit = fabsf(largest) > 1e-37f ? fabsf(largest) : 0.0f;
	numbers->sign = largest < 0.0f ? -1.0f : 1.0f;
	scale = inverse(numbers->unit);
	rms = clamp(rms * scale, 0.0f, 1e6f);
	for (int i = 0; i < n; i++)
	{
		numbers->x[i] = x[i] * scale;
		numbers->weights[i] = (rms + fabsf(numbers->x[i])) * (importance ? importance[i] : 1.0f);
	}
}

/*
 * A scale s (of either sign) with x ~ s * q, q in [-most - 1, most]. The number
 * of largest magnitude lies near -most - 1, where the grid reaches furthest.
 * For given integers q the best scale is sum(w x q) / sum(w q q), and the error
 * falls by sum(w x q)^2 / sum(w q q).
 */
static float
fit_signed(const group *numbers, int most)
{
	float least = (float) (-most - 1);
	float best_scale = 0.0f;
	double best_gain = 0.0;

	for (int step = -9; step <= 9; step++)
	{
		float grid = (least + 0.1f * (float) step) * numbers->sign;
		float wxq_lanes[LANES] = {0.0f};
		float wqq_lanes[LANES] = {0.0f};

		for (int i = 0; i < numbers->n; i += LANES)
			for (int l = 0; l < LANES; l++)
			{
				float q = clamp(whole(numbers->x[i + l] * grid), least, (float) most);
				float wq = numbers->weights[i + l] * q;

				wxq_lanes[l] += wq * numbers->x[i + l];
				wqq_lanes[l] += wq * q;
			}

		double wxq = sum_lanes(wxq_lanes);
		double wqq = sum_lanes(wqq_lanes);

		if (wqq > 0.0 && wxq * wxq > best_gain * wqq)
		{
			best_gain = wxq * wxq / wqq;
			best_scale = (float) (wxq / wqq);
		}
	}
	return best_scale * numbers->unit;
}

typedef struct affine
{
	float scale; /* >= 0 */
	float min;   /* >= 0: what is subtracted */
} affine;

/* Weighted sums over a group and its integers. */
typedef struct moments
{
	double w;
	double wx;
	double wxx;
	double wq;
	double wxq;
	double wqq;
} moments;

/* Best scale and minimum for given integers: two normal equations, min >= 0. */
static double
solve_affine(const moments *m, double *scale, double *min)
{
	double determinant = m->w * m->wqq - m->wq * m->wq;

	*scale = -1.0;
	*min = 0.0;
	if (determinant > 1e-5 * m->w * m->wqq) /* else all integers are equal */
	{
		*scale = (m->w * m->wxq - m->wx * m->wq) / determinant;
		*min = (m->wq * m->wxq - m->wqq * m->wx) / determinant;
	}
	if (*min < 0.0 || *scale < 0.0)
	{
		*min = 0.0;
		*scale = m->wqq > 0.0 && m->wxq > 0.0 ? m->wxq / m->wqq : 0.0;
	}
	return *scale * *scale * m->wqq + *min * *min * m->w + m->wxx +
		   2.0 * (*min * m->wx - *scale * *min * m->wq - *scale * m->wxq);
}

/* The sums that depend on the integers, which a grid from `low` upwards gives. */
static void
sum_moments(const group *numbers, float low, float grid, float most, moments *m)
{
	float wq_lanes[LANES] = {0.0f};
	float wxq_lanes[LANES] = {0.0f};
	float wqq_lanes[LANES] = {0.0f};

	for (int i = 0; i < numbers->n; i += LANES)
		for (int l = 0; l < LANES; l++)
		{
			float q = clamp(whole((numbers->x[i + l] - low) * grid), 0.0f, most);
			float wq = numbers->weights[i + l] * q;

			wq_lanes[l] += wq;
			wxq_lanes[l] += wq * numbers->x[i + l];
			wqq_lanes[l] += wq * q;
		}
	m->wq = sum_lanes(wq_lanes);
	m->wxq = sum_lanes(wxq_lanes);
	m->wqq = sum_lanes(wqq_lanes);
}

/* x ~ scale * q - min with q in [0, most]. */
static affine
fit_affine(const group *numbers, int most)
{
	float low = 0.0f; /* the grid includes zero */
	float high = numbers->x[0];
	affine best = {0.0f, 0.0f};
	double best_error = INFINITY;
	moments m = {0};

	for (int i = 0; i < numbers->n; i++)
	{
		low = numbers->x[i] < low ? numbers->x[i] : low;
		high = numbers->x[i] > high ? numbers->x[i] : high;
		m.w += (double) numbers->weights[i];
		m.wx += (double) numbers->weights[i] * (double) numbers->x[i];
		m.wxx += (double) numbers->weights[i] * (double) numbers->x[i] * (double) numbers->x[i];
	}
	if (!(high - low > 1e-6f))
	{
		best.min = -low * numbers->unit; /* all equal, and not above zero */
		return best;
	}
	for (int step = -6; step <= 8; step++)
	{
		float grid = ((float) most + 0.15f * (float) step) / (high - low);
		double scale;
		double min;
		double error;

		sum_moments(numbers, low, grid, (float) most, &m);
		error = solve_affine(&m, &scale, &min);
		if (error < best_error)
		{
			best_error = error;
			best.scale = (float) (scale * (double) numbers->unit);
			best.min = (float) (min * (double) numbers->unit);
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
	group numbers;

	prepare(&numbers, x, RSTAR_Q4_0_BLOCK, rms, importance);
	block->d = encode_scale(fit_signed(&numbers, 7));

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
		group numbers;

		prepare(&numbers, x + 32 * g, 32, rms, importance ? importance + 32 * g : NULL);
		fits[g] = fit_affine(&numbers, most);
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

/*
 * Two steps: sixteen scales as floats, then those as 8-bit multiples of one, the furthest at
 * -128, which reaches one further than 127. The numbers are rounded with the scale as it was
 * stored, so that its own rounding does not add to the error.
 */
static void
encode_q6_K(const float *x, const float *importance, float rms, rstar_block_q6_K *block)
{
	float fits[16];
	float furthest = 0.0f;

	for (int g = 0; g < 16; g++)
	{
		group numbers;

		prepare(&numbers, x + 16 * g, 16, rms, importance ? importance + 16 * g : NULL);
		fits[g] = fit_signed(&numbers, 31);
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

/*
 * `importance`, if there is any, weighs the columns' errors; the types that are not fitted
 * have no use for it. A row is a whole number of blocks; whoever chose the type saw to that.
 */
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

/*
 * kernels_template.h
 *	  The kernels, written once over sixteen lanes.
 *
 * kernels_portable.c, kernels_avx2.c and so on include this file under their own
 * compiler flags after defining KERNELS_FAMILY and KERNELS_TABLE. What has no
 * common spelling comes from functions chosen by the compiler's own macros.
 */
#include "core/tensor/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/tensor/quants.h"
#include "core/tensor/vector_template.h"

/* clang-format off: in this order, each uses what stands before it */
#include "core/tensor/kernels_unpack_template.h"
#include "core/tensor/kernels_panel_template.h"
#include "core/tensor/kernels_product_template.h"
#include "core/tensor/kernels_attention_template.h"
/* clang-format on */

/* --- activations to int8 ------------------------------------------------------- */

/* Round x * factor to integers, which fit int8; returns the sum of all sixteen. */
static INLINE int32_t
round_to_bytes(vf x, float factor, int8_t *q)
{
#if defined(__AVX2__)
	__m256 low, high;

	halves_of(times(x, splat(factor)), &low, &high);

	__m256i words =
		_mm256_packs_epi32(_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high)); /* 0 2 1 3 */
	__m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
	__m128i bytes =
		_mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
	__m128i biased = _mm_xor_si128(bytes, _mm_set1_epi8((char) 128));
	__m128i two = _mm_sad_epu8(biased, _mm_setzero_si128());

	_mm_storeu_si128((__m128i *) q, bytes);
	return _mm_cvtsi128_si32(two) + _mm_extract_epi16(two, 4) - 16 * 128;
#else
	int32_t total = 0;

	for (int i = 0; i < LANES; i++)
	{
		/* Adding 1.5 * 2^23 rounds to nearest even. */
		q[i] = (int8_t) (x.lane[i] * factor + 12582912.0f - 12582912.0f);
		total += q[i];
	}
	return total;
#endif
}

/* Below this a block's values are as good as 0, and 127 / largest would overflow. */
#define LEAST_MAGNITUDE 1e-30f

static void
quantize(rstar_activations *a, uint32_t t)
{
	const float *x = a->f32 + (size_t) t * a->columns;
	int8_t *q = a->q + (size_t) t * a->padded;
	size_t at = (size_t) t * (a->padded / 32);
	uint32_t blocks = a->columns / 32;

	for (uint32_t b = 0; b < blocks; b++)
	{
		vf low = load(x + b * 32), high = load(x + b * 32 + LANES);
		float largest = largest_lane(greater(magnitude(low), magnitude(high)));
		float scale = largest > LEAST_MAGNITUDE ? largest / 127.0f : 0;
		float inverse = largest > LEAST_MAGNITUDE ? 127.0f / largest : 0;
		int32_t first = round_to_bytes(low, inverse, q + b * 32);
		int32_t second = round_to_bytes(high, inverse, q + b * 32 + LANES);
		size_t i = at + b;

		a->scales[i] = scale;
		a->sums16[2 * i] = scale * (float) first;
		a->sums16[2 * i + 1] = scale * (float) second;
		a->sums32[i] = scale * (float) (first + second);
		a->totals16[2 * i] = -128 * first;
		a->totals16[2 * i + 1] = -128 * second;
		a->totals32[i] = -128 * (first + second);
	}
	memset(q + blocks * 32, 0, a->padded - blocks * 32);
}

/* --- norms and activations ---------------------------------------------------- */

static void
rms_norm(const float *x, const float *weight, uint32_t n, float eps, float *out)
{
	vf squares = zero();

	for (uint32_t i = 0; i < n; i += LANES)
	{
		vf part = load_up_to(x + i, n - i, 0);

		squares = multiply_add(part, part, squares);
	}

	vf factor = splat(1.0f / sqrtf(sum_lanes(squares) / (float) n + eps));

	for (uint32_t i = 0; i < n; i += LANES)
		store_up_to(
			out + i, n - i,
			times(times(load_up_to(x + i, n - i, 0), factor), load_up_to(weight + i, n - i, 0)));
}

static void
swiglu(float *gate, const float *up, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += LANES)
	{
		vf g = load_up_to(gate + i, n - i, 0);
		vf u = load_up_to(up + i, n - i, 0);
		vf below = plus(splat(1.0f), exponential(minus(zero(), g)));

		store_up_to(gate + i, n - i, times(over(g, below), u));
	}
}

/*
 * x / 2 * (1 + tanh(u)) = x / (1 + e^(-2u)) with u = sqrt(2 / pi) * (x + 0.044715 x^3).
 */
static void
geglu(float *gate, const float *up, uint32_t n)
{
	vf twice = splat(-1.59576912f); /* -2 * sqrt(2 / pi) */

	for (uint32_t i = 0; i < n; i += LANES)
	{
		vf g = load_up_to(gate + i, n - i, 0);
		vf u = load_up_to(up + i, n - i, 0);
		vf cube = times(times(g, g), g);
		vf inner = multiply_add(cube, splat(0.044715f), g);
		vf below = plus(splat(1.0f), exponential(times(twice, inner)));

		store_up_to(gate + i, n - i, times(over(g, below), u));
	}
}

static void
add(float *x, const float *y, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += LANES)
		store_up_to(x + i, n - i, plus(load_up_to(x + i, n - i, 0), load_up_to(y + i, n - i, 0)));
}

static void
turn(float *x, float *y, const float *cosine, const float *sine, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += LANES)
	{
		vf a = load_up_to(x + i, n - i, 0), b = load_up_to(y + i, n - i, 0);
		vf c = load_up_to(cosine + i, n - i, 0), s = load_up_to(sine + i, n - i, 0);

		store_up_to(x + i, n - i, minus(times(a, c), times(b, s)));
		store_up_to(y + i, n - i, plus(times(a, s), times(b, c)));
	}
}

/* --- what is stored and what is reported -------------------------------------- */

static INLINE vf
within_f16(vf x)
{
	return lesser(splat(65504.0f), greater(splat(-65504.0f), x));
}

static void
store_f16(const float *x, uint32_t n, uint16_t *out)
{
	uint32_t i = 0;
	uint16_t rest[LANES];

	for (; i + LANES <= n; i += LANES)
		store_f16_lanes(out + i, within_f16(load(x + i)));
	if (i < n)
	{
		store_f16_lanes(rest, within_f16(load_partial(x + i, n - i, 0)));
		memcpy(out + i, rest, (n - i) * sizeof *out);
	}
}

static float
largest_of(const float *x, uint32_t n)
{
	vf greatest = splat(-INFINITY);

	for (uint32_t i = 0; i < n; i += LANES)
		greatest = greater(greatest, load_up_to(x + i, n - i, -INFINITY));
	return largest_lane(greatest);
}

static float
logsumexp(const float *x, uint32_t n)
{
	float largest = largest_of(x, n);
	vf sum = zero();

	for (uint32_t i = 0; i < n; i += LANES)
		sum = plus(sum, exponential(minus(load_up_to(x + i, n - i, -INFINITY), splat(largest))));
	return largest + logf(sum_lanes(sum));
}

static void
weigh(const float *x, uint32_t n, float factor, float *weights, float *sums)
{
	vf largest = splat(largest_of(x, n));

	for (uint32_t i = 0; i < n; i += LANES)
	{
		vf distance = minus(load_up_to(x + i, n - i, -INFINITY), largest);
		vf weight = exponential(times(distance, splat(factor)));

		store_up_to(weights + i, n - i, weight);
		sums[i / LANES] = sum_lanes(weight);
	}
}

const rstar_kernels KERNELS_TABLE = {
	.family = KERNELS_FAMILY,
	.quantize = quantize,
	.matmul = matmul,
	.panel_bytes = panel_bytes,
	.rms_norm = rms_norm,
	.swiglu = swiglu,
	.geglu = geglu,
	.add = add,
	.turn = turn,
	.attention_f32 = attention_f32,
	.attention_f16 = attention_f16,
	.store_f16 = store_f16,
	.logsumexp = logsumexp,
	.weigh = weigh,
};

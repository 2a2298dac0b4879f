/*
 * vector_template.h
 *	  Sixteen floats as one value: the lanes of every kernel.
 *
 * Included by the kernel files, each under its own compiler flags. A vf is one
 * 512-bit register, two of 256 bits, or sixteen floats, and every function does
 * the same to each lane whatever holds it. So families whose multiply_add()
 * rounds once (all but the portable one) agree bit for bit.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/tensor/half.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Without registers to keep things in, the compiler may decide. */
#if defined(__AVX2__)
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE inline
#endif
#define LANES 16

#if defined(__AVX512F__)

typedef __m512 vf;

static INLINE vf
load(const float *p)
{
	return _mm512_loadu_ps(p);
}

static INLINE void
store(float *p, vf x)
{
	_mm512_storeu_ps(p, x);
}

static INLINE vf
splat(float x)
{
	return _mm512_set1_ps(x);
}

static INLINE vf
plus(vf a, vf b)
{
	return _mm512_add_ps(a, b);
}

static INLINE vf
minus(vf a, vf b)
{
	return _mm512_sub_ps(a, b);
}

static INLINE vf
times(vf a, vf b)
{
	return _mm512_mul_ps(a, b);
}

static INLINE vf
over(vf a, vf b)
{
	return _mm512_div_ps(a, b);
}

/* a * b + c */
static INLINE vf
multiply_add(vf a, vf b, vf c)
{
	return _mm512_fmadd_ps(a, b, c);
}

/* c - a * b */
static INLINE vf
multiply_take(vf a, vf b, vf c)
{
	return _mm512_fnmadd_ps(a, b, c);
}

/* The greater of each pair; b where one is a NaN. */
static INLINE vf
greater(vf a, vf b)
{
	return _mm512_max_ps(a, b);
}

static INLINE vf
lesser(vf a, vf b)
{
	return _mm512_min_ps(a, b);
}

static INLINE vf
magnitude(vf x)
{
	return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), x);
}

/* x * 2^n, n whole and x * 2^n neither huge nor tiny; 0 where x0 < -87. */
static INLINE vf
scale_exponent(vf x, vf n, vf x0)
{
	__mmask16 normal = _mm512_cmp_ps_mask(x0, _mm512_set1_ps(-87.0f), _CMP_NLT_UQ);

	return _mm512_maskz_scalef_ps(normal, x, n);
}

static INLINE vf
load_f16(const uint16_t *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p));
}

static INLINE void
store_f16_lanes(uint16_t *p, vf x)
{
	_mm256_storeu_si256((__m256i *) p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

static INLINE vf
load_bf16(const uint16_t *p)
{
	__m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) p));

	return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static INLINE void
halves_of(vf x, __m256 *low, __m256 *high)
{
	*low = _mm512_castps512_ps256(x);
	*high = _mm512_extractf32x8_ps(x, 1);
}

#elif defined(__AVX2__)

typedef struct vf
{
	__m256 low, high;
} vf;

static INLINE vf
load(const float *p)
{
	return (vf){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static INLINE void
store(float *p, vf x)
{
	_mm256_storeu_ps(p, x.low);
	_mm256_storeu_ps(p + 8, x.high);
}

static INLINE vf
splat(float x)
{
	return (vf){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

static INLINE vf
plus(vf a, vf b)
{
	return (vf){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}

static INLINE vf
minus(vf a, vf b)
{
	return (vf){_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}

static INLINE vf
times(vf a, vf b)
{
	return (vf){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}

static INLINE vf
over(vf a, vf b)
{
	return (vf){_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}

/* a * b + c */
static INLINE vf
multiply_add(vf a, vf b, vf c)
{
	return (vf){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

/* c - a * b */
static INLINE vf
multiply_take(vf a, vf b, vf c)
{
	return (vf){_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}

/* The greater of each pair; b where one is a NaN. */
static INLINE vf
greater(vf a, vf b)
{
	return (vf){_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}

static INLINE vf
lesser(vf a, vf b)
{
	return (vf){_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}

static INLINE vf
magnitude(vf x)
{
	__m256 sign = _mm256_set1_ps(-0.0f);

	return (vf){_mm256_andnot_ps(sign, x.low), _mm256_andnot_ps(sign, x.high)};
}

static INLINE __m256
scale_exponent_8(__m256 x, __m256 n, __m256 x0)
{
	__m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
	__m256 power = _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
	__m256 normal = _mm256_cmp_ps(x0, _mm256_set1_ps(-87.0f), _CMP_NLT_UQ);

	return _mm256_and_ps(normal, _mm256_mul_ps(x, power));
}

/* x * 2^n, n whole and x * 2^n neither huge nor tiny; 0 where x0 < -87. */
static INLINE vf
scale_exponent(vf x, vf n, vf x0)
{
	return (vf){scale_exponent_8(x.low, n.low, x0.low), scale_exponent_8(x.high, n.high, x0.high)};
}

static INLINE vf
load_f16(const uint16_t *p)
{
	return (vf){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p)),
				_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (p + 8)))};
}

static INLINE void
store_f16_lanes(uint16_t *p, vf x)
{
	_mm_storeu_si128((__m128i *) p, _mm256_cvtps_ph(x.low, _MM_FROUND_TO_NEAREST_INT));
	_mm_storeu_si128((__m128i *) (p + 8), _mm256_cvtps_ph(x.high, _MM_FROUND_TO_NEAREST_INT));
}

static INLINE __m256
load_bf16_8(const uint16_t *p)
{
	__m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) p));

	return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

static INLINE vf
load_bf16(const uint16_t *p)
{
	return (vf){load_bf16_8(p), load_bf16_8(p + 8)};
}

static INLINE void
halves_of(vf x, __m256 *low, __m256 *high)
{
	*low = x.low;
	*high = x.high;
}

#else

typedef struct vf
{
	float lane[LANES];
} vf;

#define EACH_LANE(expression)                                                                      \
	vf out;                                                                                        \
	for (int i = 0; i < LANES; i++)                                                                \
		out.lane[i] = (expression);                                                                \
	return out

static INLINE vf
load(const float *p)
{
	EACH_LANE(p[i]);
}

static INLINE void
store(float *p, vf x)
{
	for (int i = 0; i < LANES; i++)
		p[i] = x.lane[i];
}

static INLINE vf
splat(float x)
{
	EACH_LANE(x);
}

static INLINE vf
plus(vf a, vf b)
{
	EACH_LANE(a.lane[i] + b.lane[i]);
}

static INLINE vf
minus(vf a, vf b)
{
	EACH_LANE(a.lane[i] - b.lane[i]);
}

static INLINE vf
times(vf a, vf b)
{
	EACH_LANE(a.lane[i] * b.lane[i]);
}

static INLINE vf
over(vf a, vf b)
{
	EACH_LANE(a.lane[i] / b.lane[i]);
}

/* a * b + c */
static INLINE vf
multiply_add(vf a, vf b, vf c)
{
	EACH_LANE(a.lane[i] * b.lane[i] + c.lane[i]);
}

/* c - a * b */
static INLINE vf
multiply_take(vf a, vf b, vf c)
{
	EACH_LANE(c.lane[i] - a.lane[i] * b.lane[i]);
}

/* The greater of each pair; b where one is a NaN. */
static INLINE vf
greater(vf a, vf b)
{
	EACH_LANE(a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]);
}

static INLINE vf
lesser(vf a, vf b)
{
	EACH_LANE(a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]);
}

static INLINE vf
magnitude(vf x)
{
	EACH_LANE(fabsf(x.lane[i]));
}

/* x * 2^n, n whole and x * 2^n neither huge nor tiny; 0 where x0 < -87. */
static INLINE vf
scale_exponent(vf x, vf n, vf x0)
{
	EACH_LANE(x0.lane[i] < -87.0f
				  ? 0
				  : x.lane[i] * rstar_f32_from_bits((uint32_t) ((int32_t) n.lane[i] + 127) << 23));
}

static INLINE vf
load_f16(const uint16_t *p)
{
	EACH_LANE(rstar_f16_to_f32(p[i]));
}

static INLINE void
store_f16_lanes(uint16_t *p, vf x)
{
	for (int i = 0; i < LANES; i++)
		p[i] = rstar_f16_from_f32(x.lane[i]);
}

static INLINE vf
load_bf16(const uint16_t *p)
{
	EACH_LANE(rstar_bf16_to_f32(p[i]));
}

#endif

/* --- made of the above ---------------------------------------------------------- */

static INLINE vf
zero(void)
{
	return splat(0);
}

/* The first n < 16 floats, `rest` behind them. */
static INLINE vf
load_partial(const float *p, uint32_t n, float rest)
{
	float padded[LANES];

	for (uint32_t i = 0; i < LANES; i++)
		padded[i] = i < n ? p[i] : rest;
	return load(padded);
}

static INLINE void
store_partial(float *p, uint32_t n, vf x)
{
	float all[LANES];

	store(all, x);
	memcpy(p, all, n * sizeof(float));
}

/* As many of n as there are, at most a vector. */
static INLINE vf
load_up_to(const float *p, uint32_t n, float rest)
{
	return n >= LANES ? load(p) : load_partial(p, n, rest);
}

static INLINE void
store_up_to(float *p, uint32_t n, vf x)
{
	if (n >= LANES)
		store(p, x);
	else
		store_partial(p, n, x);
}

/* The lanes of x brought together by a fixed tree: i with i + 8, then 4, 2, 1. */
#if defined(__AVX2__)
#define OVER_LANES(x, op)                                                                          \
	__m256 low, high;                                                                              \
	halves_of(x, &low, &high);                                                                     \
	__m256 eight = _mm256_##op##_ps(low, high);                                                    \
	__m128 four = _mm_##op##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));   \
	__m128 two = _mm_##op##_ps(four, _mm_movehl_ps(four, four));                                   \
	return _mm_cvtss_f32(_mm_##op##_ss(two, _mm_shuffle_ps(two, two, 1)))

static INLINE float
sum_lanes(vf x)
{
	OVER_LANES(x, add);
}

static INLINE float
largest_lane(vf x)
{
	OVER_LANES(x, max);
}
#else
static INLINE float
sum_lanes(vf x)
{
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			x.lane[i] += x.lane[i + half];
	return x.lane[0];
}

static INLINE float
largest_lane(vf x)
{
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			x.lane[i] = x.lane[i] > x.lane[i + half] ? x.lane[i] : x.lane[i + half];
	return x.lane[0];
}
#endif

static INLINE float
f16_to_f32(uint16_t bits)
{
#if defined(__F16C__)
	return _cvtsh_ss(bits);
#else
	return rstar_f16_to_f32(bits);
#endif
}

/*
 * e^x for x <= 88: round x / ln 2 to an integer n, evaluate a polynomial in the
 * rest, |r| <= ln 2 / 2, and put n into the exponent. Relative error about 2
 * units in the last place; 0 below -87, which is all softmax needs; NaN stays.
 * The coefficients are those of the Taylor series to r^7 / 5040.
 */
static INLINE vf
exponential(vf x)
{
	vf shift = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to integer */
	vf bounded = lesser(splat(88.0f), greater(splat(-87.0f), x));
	vf n = minus(multiply_add(bounded, splat(1.44269504f), shift), shift);
	vf r = multiply_add(n, splat(-0.693359375f), bounded);

	r = multiply_add(n, splat(2.12194440e-4f), r);

	vf p = splat(1.0f / 5040);

	p = multiply_add(p, r, splat(1.0f / 720));
	p = multiply_add(p, r, splat(1.0f / 120));
	p = multiply_add(p, r, splat(1.0f / 24));
	p = multiply_add(p, r, splat(1.0f / 6));
	p = multiply_add(p, r, splat(0.5f));
	p = multiply_add(p, r, splat(1.0f));
	p = multiply_add(p, r, splat(1.0f));
	return scale_exponent(p, n, x);
}

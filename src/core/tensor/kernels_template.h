/*
 * kernels_template.h
 *	  The kernels, written once with the compiler's vector extension.
 *
 * kernels_portable.c, kernels_avx2.c and kernels_avx512.c include this file
 * under their own compiler flags after defining KERNELS_FAMILY and
 * KERNELS_TABLE. A vector is 16 lanes whatever the hardware's width is: the
 * compiler splits it. What has no portable spelling (int8 products, half
 * precision) comes from a few functions chosen by the compiler's own macros.
 */
#include "core/tensor/kernels.h"

#include <math.h>
#include <string.h>

#include "core/tensor/half.h"
#include "core/tensor/quants.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define INLINE inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));

/* The same types for addresses without alignment. */
typedef float vf_loose __attribute__((vector_size(64), aligned(4), may_alias));

static INLINE vf
load(const float *p)
{
	return *(const vf_loose *) p;
}

static INLINE void
store(float *p, vf x)
{
	*(vf_loose *) p = x;
}

static INLINE vf
splat(float x)
{
	return (vf){} + x;
}

/* The first n < 16 floats, zeros behind them. */
static INLINE vf
load_partial(const float *p, uint32_t n)
{
	float padded[RSTAR_LANES] = {0};

	memcpy(padded, p, n * sizeof(float));
	return load(padded);
}

/* Sum of the lanes by a fixed tree: i + (i + 8), then 4, 2, 1. */
static INLINE float
sum_lanes(vf x)
{
#if defined(__AVX2__)
	union
	{
		vf whole;
		__m256 half[2];
	} lanes = {x};
	__m256 eight = _mm256_add_ps(lanes.half[0], lanes.half[1]);
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

	return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
#else
	float lane[RSTAR_LANES];

	store(lane, x);
	for (int half = RSTAR_LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
#endif
}

/*
 * Sums of the lanes of sixteen vectors, by the same tree: sums[4 * t + r] is that
 * of x[4 * r + t]. With AVX-512 each level of the tree halves the number of
 * vectors, so that sixteen sums take 45 instructions instead of some 130.
 */
static INLINE void
sum_lanes_of_16(const vf x[16], float sums[16])
{
#if defined(__AVX512F__)
	__m512 level[16];

	for (int i = 0; i < 16; i++)
		level[i] = (__m512) x[i];
	for (int i = 0; i < 8; i++) /* i + (i + 8): two vectors' sums of 8 lanes in one */
		level[i] = _mm512_add_ps(_mm512_shuffle_f32x4(level[2 * i], level[2 * i + 1], 0x44),
								 _mm512_shuffle_f32x4(level[2 * i], level[2 * i + 1], 0xee));
	for (int i = 0; i < 4; i++) /* 4: four vectors' */
		level[i] = _mm512_add_ps(_mm512_shuffle_f32x4(level[2 * i], level[2 * i + 1], 0x88),
								 _mm512_shuffle_f32x4(level[2 * i], level[2 * i + 1], 0xdd));
	for (int i = 0; i < 2; i++) /* 2: lanes 0, 1 and 2, 3 of each quarter */
	{
		__m512d a = _mm512_castps_pd(level[2 * i]);
		__m512d b = _mm512_castps_pd(level[2 * i + 1]);

		level[i] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
								 _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
	}
	_mm512_storeu_ps(sums, _mm512_add_ps(_mm512_shuffle_ps(level[0], level[1], 0x88),
										 _mm512_shuffle_ps(level[0], level[1], 0xdd)));
#else
	for (int r = 0; r < 4; r++)
		for (int t = 0; t < 4; t++)
			sums[4 * t + r] = sum_lanes(x[4 * r + t]);
#endif
}

/* a * b + c: fused in the families that have it, two roundings in the portable one. */
static INLINE vf
multiply_add(vf a, vf b, vf c)
{
#if defined(__AVX512F__)
	return (vf) _mm512_fmadd_ps((__m512) a, (__m512) b, (__m512) c);
#elif defined(__FMA__)
	union
	{
		vf whole;
		__m256 half[2];
	} x = {a}, y = {b}, z = {c};

	z.half[0] = _mm256_fmadd_ps(x.half[0], y.half[0], z.half[0]);
	z.half[1] = _mm256_fmadd_ps(x.half[1], y.half[1], z.half[1]);
	return z.whole;
#else
	return a * b + c;
#endif
}

static INLINE float
f16_to_f32(uint16_t bits)
{
#if defined(__F16C__)
	return _cvtsh_ss(bits);
#else
	return rstar_f16_to_f32(bits);
#endif
}

static INLINE vf
load_f16(const uint16_t *p)
{
#if defined(__AVX512F__)
	return (vf) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p));
#else
	vf out;

	for (int i = 0; i < RSTAR_LANES; i++)
		out[i] = f16_to_f32(p[i]);
	return out;
#endif
}

/*
 * e^x for x <= 0 or so: round x / ln 2 to an integer n, evaluate a polynomial
 * in the rest, |r| <= ln 2 / 2, and put n into the exponent. Relative error
 * about 2 units in the last place; 0 below -87, which is all softmax needs.
 * The coefficients are those of the Taylor series to r^7 / 5040.
 */
static INLINE vf
exponential(vf x)
{
	const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to integer */
	vi tiny = x < splat(-87.0f);
	vf bounded = (vf) (((vi) x & ~tiny) | ((vi) splat(-87.0f) & tiny));
	vi large = bounded > splat(88.0f);

	bounded = (vf) (((vi) bounded & ~large) | ((vi) splat(88.0f) & large));

	vf n = multiply_add(bounded, splat(1.44269504f), splat(shift)) - shift;
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

	vi power = (__builtin_convertvector(n, vi) + 127) << 23;

	return (vf) ((vi) (p * (vf) power) & ~tiny);
}

#include "core/tensor/kernels_unpack_template.h"

/* --- int8 products ----------------------------------------------------------- */

#if defined(__AVX512VNNI__)
#define ACTIVATION_BIAS 128

/* What a row's bytes add because activations are biased: -128 * sum of four. */
static INLINE vi
bias_lanes(const int8_t *w)
{
	__m512i weights = _mm512_loadu_si512(w);
	__m512i zero = _mm512_setzero_si512();

	return (vi) _mm512_sub_epi32(zero,
								 _mm512_dpbusd_epi32(zero, _mm512_set1_epi8((char) 128), weights));
}

/* Lane i of the result: bias[i] + the four products of bytes 4i .. 4i + 3. */
static INLINE vi
dot_lanes(vi bias, const uint8_t *a, const int8_t *w)
{
	return (vi) _mm512_dpbusd_epi32((__m512i) bias, _mm512_loadu_si512(a), _mm512_loadu_si512(w));
}
#elif defined(__AVX2__)
#define ACTIVATION_BIAS 0

static INLINE vi
bias_lanes(const int8_t *w)
{
	(void) w;
	return (vi){};
}

/* |w| * (a with w's sign): the 16-bit sums of pairs stay below 2 * 128 * 127. */
static INLINE vi
dot_lanes(vi bias, const uint8_t *a, const int8_t *w)
{
	union
	{
		__m256i half[2];
		vi whole;
	} out;

	for (int h = 0; h < 2; h++)
	{
		__m256i x = _mm256_loadu_si256((const __m256i *) (a + 32 * h));
		__m256i y = _mm256_loadu_si256((const __m256i *) (w + 32 * h));
		__m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(y), _mm256_sign_epi8(x, y));

		out.half[h] = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
	}
	return out.whole + bias;
}
#else
#define ACTIVATION_BIAS 0

static INLINE vi
bias_lanes(const int8_t *w)
{
	(void) w;
	return (vi){};
}

static INLINE vi
dot_lanes(vi bias, const uint8_t *a, const int8_t *w)
{
	const int8_t *x = (const int8_t *) a;

	for (int i = 0; i < RSTAR_LANES; i++)
		bias[i] += x[4 * i] * w[4 * i] + x[4 * i + 1] * w[4 * i + 1] + x[4 * i + 2] * w[4 * i + 2] +
				   x[4 * i + 3] * w[4 * i + 3];
	return bias;
}
#endif

static void
quantize(rstar_activations *a, uint32_t t)
{
	const float *x = a->f32 + (size_t) t * a->columns;
	uint8_t *q = a->q + (size_t) t * a->padded;
	float *lanes = a->lanes + (size_t) t * (a->padded / 4);
	uint32_t n_sums = rstar_activation_sums(a->padded);
	float *sums = a->sums + (size_t) t * n_sums;
	uint32_t blocks = a->columns / 32;

	for (uint32_t b = 0; b < blocks; b++)
	{
		const float *in = x + b * 32;
		float largest = 0;
		int total = 0;

		for (int i = 0; i < 32; i++)
			largest = fabsf(in[i]) > largest ? fabsf(in[i]) : largest;

		float scale = largest / 127.0f;
		float inverse = largest > 0 ? 127.0f / largest : 0;

		for (int i = 0; i < 32; i++)
		{
			/* Adding 1.5 * 2^23 rounds to nearest even; |value| <= 127. */
			int value = (int) (in[i] * inverse + 12582912.0f - 12582912.0f);

			total += value;
			q[b * 32 + (uint32_t) i] = (uint8_t) (value + ACTIVATION_BIAS);
		}
		fill_lanes(lanes + b * 8, scale, 8);
		sums[b] = scale * (float) total;
	}
	memset(q + blocks * 32, ACTIVATION_BIAS, a->padded - blocks * 32);
	for (uint32_t i = blocks * 8; i < a->padded / 4; i++)
		lanes[i] = 0;
	for (uint32_t i = blocks; i < n_sums; i++)
		sums[i] = 0;
}

/* The sums of a tile: total[t][r] of sum[r][t]. */
static INLINE void
sum_tile(vf sum[RSTAR_TILE_ROWS][RSTAR_TILE_TOKENS], int R, int T,
		 float total[RSTAR_TILE_TOKENS][RSTAR_TILE_ROWS])
{
	_Static_assert(RSTAR_TILE_ROWS == 4 && RSTAR_TILE_TOKENS == 4, "sum_lanes_of_16");
	if (R == RSTAR_TILE_ROWS && T == RSTAR_TILE_TOKENS)
		sum_lanes_of_16(sum[0], total[0]);
	else
		for (int r = 0; r < R; r++)
			for (int t = 0; t < T; t++)
				total[t][r] = sum_lanes(sum[r][t]);
}

/* What minimums take off: the sum over blocks of minimum * (scale * sum of q). */
static INLINE float
minimums_part(const float *minimums, const float *sums, uint32_t n_sums)
{
	vf low = {};

	for (uint32_t b = 0; b < n_sums; b += RSTAR_LANES)
		low = multiply_add(load(minimums + b), load(sums + b), low);
	return sum_lanes(low);
}

/*
 * R unpacked rows times T tokens. R and T are constants at every call, so the
 * loops unroll and the sums stay in registers; per element the operations and
 * their order are the same for all R and T.
 */
static INLINE void
tile_q8(const rstar_unpacked *w, int R, const rstar_activations *a, uint32_t t0, int T,
		bool has_minimums, float *out, size_t stride)
{
	uint32_t padded = a->padded;
	const uint8_t *q = a->q + (size_t) t0 * padded;
	const float *lanes = a->lanes + (size_t) t0 * (padded / 4);
	vf sum[RSTAR_TILE_ROWS][RSTAR_TILE_TOKENS];

	for (int r = 0; r < R; r++)
		for (int t = 0; t < T; t++)
			sum[r][t] = (vf){};
	for (uint32_t k = 0; k < padded; k += 64)
	{
		for (int r = 0; r < R; r++)
		{
			vi bias = bias_lanes(w[r].q + k);
			vf scale = load(w[r].lanes + k / 4);

			for (int t = 0; t < T; t++)
			{
				vi dot = dot_lanes(bias, q + (size_t) t * padded + k, w[r].q + k);
				vf both = scale * load(lanes + (size_t) t * (padded / 4) + k / 4);

				sum[r][t] = multiply_add(__builtin_convertvector(dot, vf), both, sum[r][t]);
			}
		}
	}

	uint32_t n_sums = rstar_activation_sums(padded);
	float total[RSTAR_TILE_TOKENS][RSTAR_TILE_ROWS];

	sum_tile(sum, R, T, total);
	for (int t = 0; t < T; t++)
	{
		const float *sums = a->sums + (size_t) (t0 + (uint32_t) t) * n_sums;

		for (int r = 0; r < R && has_minimums; r++)
			total[t][r] -= minimums_part(w[r].minimums, sums, n_sums);
		memcpy(out + (size_t) (t0 + (uint32_t) t) * stride, total[t], (size_t) R * sizeof(float));
	}
}

/* The same for rows and tokens in f32. */
static INLINE void
tile_f32(const float *const *w, int R, const rstar_activations *a, uint32_t t0, int T, float *out,
		 size_t stride)
{
	uint32_t columns = a->columns;
	const float *x = a->f32 + (size_t) t0 * columns;
	uint32_t whole = columns & ~(RSTAR_LANES - 1u);
	vf sum[RSTAR_TILE_ROWS][RSTAR_TILE_TOKENS];

	for (int r = 0; r < R; r++)
		for (int t = 0; t < T; t++)
			sum[r][t] = (vf){};
	for (uint32_t k = 0; k < whole; k += RSTAR_LANES)
		for (int r = 0; r < R; r++)
		{
			vf weights = load(w[r] + k);

			for (int t = 0; t < T; t++)
				sum[r][t] = multiply_add(weights, load(x + (size_t) t * columns + k), sum[r][t]);
		}
	for (int r = 0; r < R && whole < columns; r++)
		for (int t = 0; t < T; t++)
			sum[r][t] = multiply_add(
				load_partial(w[r] + whole, columns - whole),
				load_partial(x + (size_t) t * columns + whole, columns - whole), sum[r][t]);

	float total[RSTAR_TILE_TOKENS][RSTAR_TILE_ROWS];

	sum_tile(sum, R, T, total);
	for (int t = 0; t < T; t++)
		memcpy(out + (size_t) (t0 + (uint32_t) t) * stride, total[t], (size_t) R * sizeof(float));
}

/* Call `tile` over all tokens: whole tiles first, then one by one. */
#define OVER_TOKENS(T, tile_of)                                                                    \
	do                                                                                             \
	{                                                                                              \
		uint32_t t = 0;                                                                            \
		for (; t + RSTAR_TILE_TOKENS <= (T); t += RSTAR_TILE_TOKENS)                               \
			tile_of(t, RSTAR_TILE_TOKENS);                                                         \
		for (; t < (T); t++)                                                                       \
			tile_of(t, 1);                                                                         \
	} while (0)

static void
multiply_unpacked(const rstar_unpacked *w, uint32_t R, const rstar_activations *a, uint32_t T,
				  bool has_minimums, float *out, size_t stride)
{
#define FOUR_ROWS(t, n) tile_q8(w, RSTAR_TILE_ROWS, a, t, n, has_minimums, out, stride)
#define ONE_ROW(t, n)   tile_q8(w + r, 1, a, t, n, has_minimums, out + r, stride)
	if (R == RSTAR_TILE_ROWS)
		OVER_TOKENS(T, FOUR_ROWS);
	else
		for (uint32_t r = 0; r < R; r++)
			OVER_TOKENS(T, ONE_ROW);
#undef FOUR_ROWS
#undef ONE_ROW
}

static void
multiply_float(const float *const *w, uint32_t R, const rstar_activations *a, uint32_t T,
			   float *out, size_t stride)
{
#define FOUR_ROWS(t, n) tile_f32(w, RSTAR_TILE_ROWS, a, t, n, out, stride)
#define ONE_ROW(t, n)   tile_f32(w + r, 1, a, t, n, out + r, stride)
	if (R == RSTAR_TILE_ROWS)
		OVER_TOKENS(T, FOUR_ROWS);
	else
		for (uint32_t r = 0; r < R; r++)
			OVER_TOKENS(T, ONE_ROW);
#undef FOUR_ROWS
#undef ONE_ROW
}

typedef void (*unpack_function)(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q,
								float *restrict lanes, float *restrict minimums);

static unpack_function
unpack_of(rstar_type type)
{
	switch (type)
	{
		case RSTAR_TYPE_Q8_0:
			return unpack_q8_0;
		case RSTAR_TYPE_Q4_0:
			return unpack_q4_0;
		case RSTAR_TYPE_Q4_1:
			return unpack_q4_1;
		case RSTAR_TYPE_Q5_0:
			return unpack_q5_0;
		case RSTAR_TYPE_Q5_1:
			return unpack_q5_1;
		case RSTAR_TYPE_Q3_K:
			return unpack_q3_K;
		case RSTAR_TYPE_Q8_K:
			return unpack_q8_K;
		case RSTAR_TYPE_IQ4_NL:
			return unpack_iq4_nl;
		case RSTAR_TYPE_IQ4_XS:
			return unpack_iq4_xs;
		case RSTAR_TYPE_Q4_K:
			return unpack_q4_K;
		case RSTAR_TYPE_Q5_K:
			return unpack_q5_K;
		case RSTAR_TYPE_Q6_K:
			return unpack_q6_K;
		default:
			return NULL;
	}
}

/* Lay out the scratch of RSTAR_TILE_ROWS unpacked rows, padding zeroed. */
static void
scratch_rows(void *scratch, uint32_t columns, rstar_unpacked *rows)
{
	uint32_t padded = rstar_padded_columns(columns);
	uint32_t n_sums = rstar_activation_sums(padded);
	uint8_t *p = scratch;

	for (int r = 0; r < RSTAR_TILE_ROWS; r++)
	{
		rows[r].q = (int8_t *) p;
		p += padded;
		rows[r].lanes = (float *) p;
		p += padded;
		rows[r].minimums = (float *) p;
		p += n_sums * sizeof(float);
		memset(rows[r].q + columns, 0, padded - columns);
		memset(rows[r].lanes + columns / 4, 0, padded - columns);
		memset(rows[r].minimums + columns / 32, 0, (n_sums - columns / 32) * sizeof(float));
	}
}

static void
matmul(const rstar_matrix *w, uint32_t row, uint32_t n_rows, const rstar_activations *a, uint32_t T,
	   float *out, size_t stride, void *scratch)
{
	unpack_function unpack = unpack_of(w->type);
	bool has_minimums = w->type == RSTAR_TYPE_Q4_K || w->type == RSTAR_TYPE_Q5_K ||
						w->type == RSTAR_TYPE_Q4_1 || w->type == RSTAR_TYPE_Q5_1;
	rstar_unpacked unpacked[RSTAR_TILE_ROWS];
	const float *wide[RSTAR_TILE_ROWS];

	if (unpack)
		scratch_rows(scratch, w->columns, unpacked);
	for (uint32_t r = 0; r < n_rows; r += RSTAR_TILE_ROWS)
	{
		uint32_t R = n_rows - r < RSTAR_TILE_ROWS ? n_rows - r : RSTAR_TILE_ROWS;

		if (unpack)
		{
			for (uint32_t i = 0; i < R; i++)
				unpack(rstar_matrix_row(w, row + r + i), w->columns, unpacked[i].q,
					   unpacked[i].lanes, unpacked[i].minimums);
			multiply_unpacked(unpacked, R, a, T, has_minimums, out + row + r, stride);
		}
		else
		{
			for (uint32_t i = 0; i < R; i++)
				wide[i] = widen_row(w, row + r + i, (float *) scratch + (size_t) i * w->columns);
			multiply_float(wide, R, a, T, out + row + r, stride);
		}
	}
}

/* --- norms and activations ---------------------------------------------------- */

static void
rms_norm(const float *x, const float *weight, uint32_t n, float eps, float *out)
{
	uint32_t whole = n & ~(RSTAR_LANES - 1u);
	vf squares = {};

	for (uint32_t i = 0; i < whole; i += RSTAR_LANES)
		squares = multiply_add(load(x + i), load(x + i), squares);
	if (whole < n)
	{
		vf rest = load_partial(x + whole, n - whole);

		squares = multiply_add(rest, rest, squares);
	}

	float factor = 1.0f / sqrtf(sum_lanes(squares) / (float) n + eps);

	for (uint32_t i = 0; i < n; i++)
		out[i] = x[i] * factor * weight[i];
}

static void
swiglu(float *gate, const float *up, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += RSTAR_LANES)
	{
		uint32_t m = n - i < RSTAR_LANES ? n - i : RSTAR_LANES;
		vf g = m == RSTAR_LANES ? load(gate + i) : load_partial(gate + i, m);
		vf u = m == RSTAR_LANES ? load(up + i) : load_partial(up + i, m);
		vf value = g / (1.0f + exponential(-g)) * u;

		if (m == RSTAR_LANES)
			store(gate + i, value);
		else
			for (uint32_t j = 0; j < m; j++)
				gate[i + j] = value[j];
	}
}

/*
 * x / 2 * (1 + tanh(u)) = x / (1 + e^(-2u)) with u = sqrt(2 / pi) * (x + 0.044715 x^3).
 */
static void
geglu(float *gate, const float *up, uint32_t n)
{
	const float twice = 1.59576912f; /* 2 * sqrt(2 / pi) */

	for (uint32_t i = 0; i < n; i += RSTAR_LANES)
	{
		uint32_t m = n - i < RSTAR_LANES ? n - i : RSTAR_LANES;
		vf g = m == RSTAR_LANES ? load(gate + i) : load_partial(gate + i, m);
		vf u = m == RSTAR_LANES ? load(up + i) : load_partial(up + i, m);
		vf value = g / (1.0f + exponential(-twice * (g + 0.044715f * g * g * g))) * u;

		if (m == RSTAR_LANES)
			store(gate + i, value);
		else
			for (uint32_t j = 0; j < m; j++)
				gate[i + j] = value[j];
	}
}

static void
add(float *x, const float *y, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		x[i] += y[i];
}

static void
store_f16(const float *x, uint32_t n, uint16_t *out)
{
	for (uint32_t i = 0; i < n; i++)
#if defined(__F16C__)
		out[i] = _cvtss_sh(x[i], _MM_FROUND_TO_NEAREST_INT);
#else
		out[i] = rstar_f16_from_f32(x[i]);
#endif
}

static float
largest_of(const float *x, uint32_t n)
{
	float largest = -INFINITY;

	for (uint32_t i = 0; i < n; i++)
		largest = x[i] > largest ? x[i] : largest;
	return largest;
}

static float
logsumexp(const float *x, uint32_t n)
{
	float largest = largest_of(x, n);
	uint32_t whole = n & ~(RSTAR_LANES - 1u);
	vf sum = {};

	for (uint32_t i = 0; i < whole; i += RSTAR_LANES)
		sum += exponential(load(x + i) - largest);
	for (uint32_t i = whole; i < n; i++)
		sum[i - whole] += expf(x[i] - largest);
	return largest + logf(sum_lanes(sum));
}

/* --- attention ---------------------------------------------------------------- */

static INLINE vf
load_kv(const uint8_t *row, uint32_t i, bool f16)
{
	return f16 ? load_f16((const uint16_t *) row + i) : load((const float *) row + i);
}

/* q . k of one position; a constant `vectors` keeps q and the sums in registers. */
static INLINE vf
attention_dot(const float *q, const uint8_t *k, uint32_t vectors, bool f16)
{
	vf dot = {};

	for (uint32_t v = 0; v < vectors; v++)
		dot = multiply_add(load(q + v * RSTAR_LANES), load_kv(k, v * RSTAR_LANES, f16), dot);
	return dot;
}

/* scores[g][p - first] = scale * q[g] . k[p], sixteen positions at a time. */
static INLINE void
attention_scores_of(const rstar_attention *a, uint32_t padded, uint32_t vectors, bool f16)
{
	for (uint32_t g = 0; g < a->n_group; g++)
	{
		const float *q = a->q + g * a->head_dim;
		float *scores = a->scores + (size_t) g * padded;
		uint32_t p = a->first;

		for (; p + RSTAR_LANES <= a->end; p += RSTAR_LANES, scores += RSTAR_LANES)
		{
			vf dot[RSTAR_LANES];

			for (uint32_t i = 0; i < RSTAR_LANES; i++)
				dot[i % 4 * 4 + i / 4] =
					attention_dot(q, a->row[p + i] + a->k_offset, vectors, f16);
			sum_lanes_of_16(dot, scores);
			store(scores, a->scale * load(scores));
		}
		for (; p < a->end; p++)
			*scores++ =
				a->scale * sum_lanes(attention_dot(q, a->row[p] + a->k_offset, vectors, f16));
	}
}

/* The usual sizes of a head, and any other. */
static INLINE void
attention_scores(const rstar_attention *a, uint32_t padded, bool f16)
{
	uint32_t vectors = a->head_dim / RSTAR_LANES;

	switch (vectors)
	{
		case 2:
			attention_scores_of(a, padded, 2, f16);
			break;
		case 4:
			attention_scores_of(a, padded, 4, f16);
			break;
		case 6:
			attention_scores_of(a, padded, 6, f16);
			break;
		case 8:
			attention_scores_of(a, padded, 8, f16);
			break;
		default:
			attention_scores_of(a, padded, vectors, f16);
			break;
	}
}

/* Scores of one head to weights that sum to 1; padding becomes 0. */
static INLINE void
softmax(float *scores, uint32_t n, uint32_t padded)
{
	for (uint32_t i = n; i < padded; i++)
		scores[i] = -INFINITY;

	float largest = largest_of(scores, n);
	vf sum = {};

	for (uint32_t i = 0; i < padded; i += RSTAR_LANES)
	{
		vf weight = exponential(load(scores + i) - largest);

		store(scores + i, weight);
		sum += weight;
	}

	float inverse = 1.0f / sum_lanes(sum);

	for (uint32_t i = 0; i < padded; i += RSTAR_LANES)
		store(scores + i, load(scores + i) * inverse);
}

/* `vectors` vectors (up to 4) of one head's output from column `column` on. */
static INLINE void
attention_values(const rstar_attention *a, const float *weights, uint32_t column, int vectors,
				 float *out, bool f16)
{
	vf sum[4] = {{}};

	for (uint32_t p = a->first; p < a->end; p++)
	{
		const uint8_t *v = a->row[p] + a->v_offset;
		vf weight = splat(weights[p - a->first]);

		for (int i = 0; i < vectors; i++)
			sum[i] =
				multiply_add(weight, load_kv(v, column + (uint32_t) i * RSTAR_LANES, f16), sum[i]);
	}
	for (int i = 0; i < vectors; i++)
		store(out + column + i * RSTAR_LANES, sum[i]);
}

static INLINE void
attention(const rstar_attention *a, bool f16)
{
	uint32_t n = a->end - a->first;
	uint32_t padded = (n + RSTAR_LANES - 1) & ~(RSTAR_LANES - 1u);

	attention_scores(a, padded, f16);
	for (uint32_t g = 0; g < a->n_group; g++)
	{
		float *weights = a->scores + (size_t) g * padded;
		float *out = a->out + (size_t) g * a->head_dim;
		uint32_t column = 0;

		softmax(weights, n, padded);
		for (; column + 4 * RSTAR_LANES <= a->head_dim; column += 4 * RSTAR_LANES)
			attention_values(a, weights, column, 4, out, f16);
		for (; column < a->head_dim; column += RSTAR_LANES)
			attention_values(a, weights, column, 1, out, f16);
	}
}

static void
attention_f32(const rstar_attention *a)
{
	attention(a, false);
}

static void
attention_f16(const rstar_attention *a)
{
	attention(a, true);
}

const rstar_kernels KERNELS_TABLE = {
	.family = KERNELS_FAMILY,
	.quantize = quantize,
	.matmul = matmul,
	.rms_norm = rms_norm,
	.swiglu = swiglu,
	.geglu = geglu,
	.add = add,
	.attention_f32 = attention_f32,
	.attention_f16 = attention_f16,
	.store_f16 = store_f16,
	.logsumexp = logsumexp,
};

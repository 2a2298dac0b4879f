/*
 * gemm_avx512fp16.c
 *	  Panel products in half precision (AVX512-FP16), summed in float.
 *
 * A multiply-add of 32 half-precision numbers costs what one of 16 floats
 * does. Sums of 32 products stay in half precision, then they are added to the
 * float tile in memory; at 384 cycles of products to some 50 of adding up, that
 * costs an eighth.
 *
 * Every row of A, and every panel of B, is multiplied by a power of two so
 * that its largest element lies in [16, 32): 32 products then stay below 32,768,
 * half of what the format can hold, and elements down to 2^-19 of the largest
 * keep all 11 bits. A row with an infinity or NaN is not scaled, so that it shows.
 *
 * An element of A is stored twice, side by side: broadcasting 32 bits needs the
 * load port only, 16 bits would take a shuffle as well.
 */
#include "core/train/gemm_kernel.h"

#include "core/base/cpu.h"

#if defined(__x86_64__) && defined(__clang__)
#define HAVE_F16 (__clang_major__ >= 14)
#elif defined(__x86_64__)
#define HAVE_F16 (__GNUC__ >= 12)
#else
#define HAVE_F16 0
#endif

#if HAVE_F16

#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "core/train/gemm_transpose.h"

#define MR    12
#define NR    64 /* two registers of 32 */
#define CHUNK 32 /* products summed in half precision */
#define F16   __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512fp16,fma,f16c")))

RSTAR_GEMM_CHECK_PANELS(MR, NR, 1);

/* CPUID leaf 7, EDX bit 23; the registers are those of AVX-512. */
static bool
runs(void)
{
	unsigned eax, ebx, ecx, edx;

	return rstar_cpu_supports(RSTAR_CPU_AVX512) &&
		   __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx >> 23 & 1) != 0;
}

/* The power of two that brings the largest magnitude into [16, 32); 1 for 0, infinity, NaN. */
static float
scale_for(float largest)
{
	int exponent;

	if (!(largest > 0.0f) || !isfinite(largest))
		return 1.0f;
	frexpf(largest, &exponent);
	exponent = 5 - exponent;
	return ldexpf(1.0f, exponent > 120 ? 120 : exponent < -120 ? -120 : exponent);
}

/* Largest magnitude among n floats, NaN counting as infinity. */
F16 static float
largest_of(const float *x, uint32_t n)
{
	__m512i most = _mm512_setzero_si512();
	const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
	uint32_t i = 0;

	for (; i + 16 <= n; i += 16)
		most = _mm512_max_epi32(most, _mm512_and_epi32(_mm512_loadu_si512(x + i), magnitude));
	if (i < n)
		most = _mm512_max_epi32(
			most,
			_mm512_and_epi32(_mm512_maskz_loadu_epi32((__mmask16) ((1u << (n - i)) - 1), x + i),
							 magnitude));
	return _mm512_cvtss_f32(_mm512_castsi512_ps(_mm512_set1_epi32(_mm512_reduce_max_epi32(most))));
}

/* Half precision of 16 scaled floats. */
F16 static inline __m256i
to_half(__m512 x, __m512 scale)
{
	return _mm512_cvtps_ph(_mm512_mul_ps(x, scale), _MM_FROUND_TO_NEAREST_INT);
}

/* Rows of A whose elements are contiguous along k: sixteen steps of k at a time. */
F16 static void
pack_rows(const rstar_gemm_source *source, uint32_t lines, uint32_t k, const float *scale,
		  uint32_t *out)
{
	for (uint32_t i = 0; i < k; i += 16)
	{
		uint32_t n = k - i < 16 ? k - i : 16;
		__mmask16 mask = (__mmask16) ((1u << n) - 1);
		__m512 r[16];

		for (uint32_t line = 0; line < 16; line++)
		{
			__m512i half;

			if (line >= lines)
			{
				r[line] = _mm512_setzero_ps();
				continue;
			}
			half = _mm512_cvtepu16_epi32(
				to_half(_mm512_maskz_loadu_ps(mask, source->data + line * source->line_step + i),
						_mm512_set1_ps(scale[line])));
			r[line] = _mm512_castsi512_ps(_mm512_or_epi32(half, _mm512_slli_epi32(half, 16)));
		}
		rstar_gemm_transpose(r);
		for (uint32_t j = 0; j < n; j++)
			_mm512_mask_storeu_ps(out + (size_t) (i + j) * MR, (1u << MR) - 1, r[j]);
	}
}

/* Lanes of panel p that hold lines. */
static inline uint32_t
panel_mask(uint32_t lines, uint32_t p)
{
	uint32_t left = lines - p * MR;

	return left >= MR ? (1u << MR) - 1 : (1u << left) - 1;
}

/*
 * Rows of A that lie side by side, one step of k after the other: all panels go
 * along together, since the steps are far apart in memory.
 */
F16 static void
pack_columns(const rstar_gemm_source *source, uint32_t lines, uint32_t k, uint8_t *panels,
			 size_t panel_bytes, float *scales)
{
	const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
	uint32_t n = (lines + MR - 1) / MR;
	__m512i most[RSTAR_GEMM_ROWS / MR];
	__m512 scale[RSTAR_GEMM_ROWS / MR];

	for (uint32_t p = 0; p < n; p++)
		most[p] = _mm512_setzero_si512();
	for (uint32_t i = 0; i < k; i++)
		for (uint32_t p = 0; p < n; p++)
		{
			const float *x = source->data + i * source->k_step + p * MR;
			__m512i here = _mm512_maskz_loadu_epi32((__mmask16) panel_mask(lines, p), x);

			most[p] = _mm512_max_epi32(most[p], _mm512_and_epi32(here, magnitude));
		}
	for (uint32_t p = 0; p < n; p++)
	{
		float largest[16], chosen[16];

		_mm512_storeu_si512(largest, most[p]);
		for (uint32_t r = 0; r < 16; r++)
			chosen[r] = scale_for(largest[r]);
		for (uint32_t r = 0; r < MR; r++)
			scales[p * MR + r] = 1.0f / chosen[r];
		scale[p] = _mm512_loadu_ps(chosen);
	}
	for (uint32_t i = 0; i < k; i++)
		for (uint32_t p = 0; p < n; p++)
		{
			const float *x = source->data + i * source->k_step + p * MR;
			__m512 here = _mm512_maskz_loadu_ps((__mmask16) panel_mask(lines, p), x);
			__m512i half = _mm512_cvtepu16_epi32(to_half(here, scale[p]));

			_mm512_mask_storeu_epi32(panels + p * panel_bytes + (size_t) i * MR * sizeof(uint32_t),
									 (1u << MR) - 1,
									 _mm512_or_epi32(half, _mm512_slli_epi32(half, 16)));
		}
}

F16 static void
pack_a(const rstar_gemm_source *source, uint32_t lines, uint32_t k, void *panel, float *scales)
{
	float scale[MR];

	for (uint32_t line = 0; line < MR; line++)
	{
		scale[line] =
			line < lines ? scale_for(largest_of(source->data + line * source->line_step, k)) : 1.0f;
		scales[line] = 1.0f / scale[line];
	}
	pack_rows(source, lines, k, scale, panel);
}

/* Sixteen columns of B whose elements are contiguous along k, from `line` on. */
F16 static void
pack_b_transposed(const rstar_gemm_source *source, uint32_t line, uint32_t lines, uint32_t k,
				  float scale, uint16_t *out)
{
	const __m512 s = _mm512_set1_ps(scale);

	for (uint32_t i = 0; i < k; i += 16)
	{
		uint32_t n = k - i < 16 ? k - i : 16;
		__mmask16 mask = (__mmask16) ((1u << n) - 1);
		__m512 r[16];

		for (uint32_t j = 0; j < 16; j++)
			r[j] =
				line + j < lines
					? _mm512_maskz_loadu_ps(mask, source->data + (line + j) * source->line_step + i)
					: _mm512_setzero_ps();
		rstar_gemm_transpose(r);
		for (uint32_t j = 0; j < n; j++)
			_mm256_storeu_si256((__m256i *) (out + (size_t) (i + j) * NR + line), to_half(r[j], s));
	}
}

/* Columns of B that lie side by side, one row of k after the other. */
F16 static void
pack_b_rows(const float *x, size_t k_step, uint32_t lines, uint32_t k, float scale, uint16_t *out)
{
	const __m512 s = _mm512_set1_ps(scale);

	for (uint32_t i = 0; i < k; i++)
		for (uint32_t j = 0; j < NR; j += 16)
		{
			uint32_t n = lines > j ? lines - j : 0;
			__mmask16 mask = n >= 16 ? 0xffff : (__mmask16) ((1u << n) - 1);

			_mm256_storeu_si256((__m256i *) (out + (size_t) i * NR + j),
								to_half(_mm512_maskz_loadu_ps(mask, x + i * k_step + j), s));
		}
}

F16 static void
pack_b(const rstar_gemm_source *source, uint32_t lines, uint32_t k, void *panel, float *scales)
{
	bool rows = source->line_step == 1;
	float largest = 0.0f, scale;

	for (uint32_t i = 0; i < (rows ? k : lines); i++)
	{
		float here = largest_of(source->data + i * (rows ? source->k_step : source->line_step),
								rows ? lines : k);

		largest = here > largest || here != here ? here : largest;
		if (here != here)
			break;
	}
	scale = scale_for(largest);
	scales[0] = 1.0f / scale;
	if (rows)
		pack_b_rows(source->data, source->k_step, lines, k, scale, panel);
	else
		for (uint32_t line = 0; line < NR; line += 16)
			pack_b_transposed(source, line, lines, k, scale, panel);
}

F16 static void
pack(const rstar_gemm_source *source, bool of_a, uint32_t lines, uint32_t k, void *panel,
	 float *scales)
{
	if (of_a)
		pack_a(source, lines, k, panel, scales);
	else
		pack_b(source, lines, k, panel, scales);
}

/* The half-precision sums of one row, times its scale, as 64 floats, or added to those there. */
F16 static inline void
add_up(float *c, __m512h low, __m512h high, __m512 scale, bool add)
{
	const __m256i quarters[4] = {
		_mm512_castsi512_si256(_mm512_castph_si512(low)),
		_mm512_extracti64x4_epi64(_mm512_castph_si512(low), 1),
		_mm512_castsi512_si256(_mm512_castph_si512(high)),
		_mm512_extracti64x4_epi64(_mm512_castph_si512(high), 1),
	};

	for (int i = 0; i < 4; i++)
	{
		__m512 sum = _mm512_cvtph_ps(quarters[i]);

		_mm512_storeu_ps(c + 16 * i, add ? _mm512_fmadd_ps(sum, scale, _mm512_loadu_ps(c + 16 * i))
										 : _mm512_mul_ps(sum, scale));
	}
}

/*
 * Sums in half precision lose digits as they grow, so after CHUNK products each they are added
 * up in single precision. The scales, by which both operands were brought into the range of
 * half precision, are taken back there.
 */
F16 static void
tile(uint32_t k, const void *a, const float *a_scales, const void *b, const float *b_scales,
	 float *c, size_t ldc, bool add)
{
	const int32_t *pa = a;
	const uint16_t *pb = b;

	for (uint32_t first = 0; first < k; first += CHUNK)
	{
		uint32_t n = k - first < CHUNK ? k - first : CHUNK;
		__m512h sum[MR][2];

#pragma GCC unroll 12
		for (int r = 0; r < MR; r++)
			sum[r][0] = sum[r][1] = _mm512_setzero_ph();
		for (uint32_t i = 0; i < n; i++, pa += MR, pb += NR)
		{
			__m512h b0 = _mm512_loadu_ph(pb), b1 = _mm512_loadu_ph(pb + 32);

#pragma GCC unroll 12
			for (int r = 0; r < MR; r++)
			{
				__m512h x = _mm512_castsi512_ph(_mm512_set1_epi32(pa[r]));

				sum[r][0] = _mm512_fmadd_ph(x, b0, sum[r][0]);
				sum[r][1] = _mm512_fmadd_ph(x, b1, sum[r][1]);
			}
		}
#pragma GCC unroll 12
		for (int r = 0; r < MR; r++)
			add_up(c + (size_t) r * ldc, sum[r][0], sum[r][1],
				   _mm512_set1_ps(a_scales[r] * b_scales[0]), add || first > 0);
	}
}

const rstar_gemm_kernel rstar_gemm_f16 = {
	.name = "f16",
	.mr = MR,
	.nr = NR,
	.a_bytes = sizeof(uint32_t),
	.b_bytes = sizeof(uint16_t),
	.runs = runs,
	.pack = pack,
	.pack_columns = pack_columns,
	.tile = tile,
};

#else

const rstar_gemm_kernel rstar_gemm_f16 = {.name = "f16"};

#endif

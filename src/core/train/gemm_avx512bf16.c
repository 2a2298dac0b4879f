/*
 * gemm_avx512bf16.c
 *	  Panel products of bfloat16 numbers (AVX512-BF16), summed in float.
 *
 * The instruction adds the products of two pairs to each of 16 floats, so k goes
 * in steps of two: element (line, k) of a panel lies beside (line, k + 1), and
 * an odd end is filled with zeros.
 */
#include "core/train/gemm_kernel.h"

#include "core/base/cpu.h"

#if defined(__x86_64__) && (defined(__clang__) ? __clang_major__ >= 9 : __GNUC__ >= 10)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "core/tensor/half.h"

#define MR   12
#define NR   32 /* two registers of 16 */
#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))

RSTAR_GEMM_CHECK_PANELS(MR, NR, 2);

/* CPUID leaf 7, subleaf 1, EAX bit 5. */
static bool
runs(void)
{
	unsigned eax, ebx, ecx, edx;

	return rstar_cpu_supports(RSTAR_CPU_AVX512) &&
		   __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 5 & 1) != 0;
}

static void
pack(const rstar_gemm_source *source, bool of_a, uint32_t lines, uint32_t k, void *out,
	 float *scales)
{
	uint32_t width = of_a ? MR : NR;
	uint16_t *panel = out;

	(void) scales;
	if (lines < width || k % 2 != 0)
		memset(panel, 0, (size_t) width * (k + k % 2) * sizeof *panel);
	if (source->line_step == 1)
		for (uint32_t i = 0; i < k; i++)
			for (uint32_t line = 0; line < lines; line++)
				panel[((size_t) i / 2 * width + line) * 2 + i % 2] =
					rstar_bf16_from_f32(source->data[i * source->k_step + line]);
	else
		for (uint32_t line = 0; line < lines; line++)
			for (uint32_t i = 0; i < k; i++)
				panel[((size_t) i / 2 * width + line) * 2 + i % 2] = rstar_bf16_from_f32(
					source->data[line * source->line_step + i * source->k_step]);
}

/*
 * All MR x NR sums stay in registers until the end, which is why the loops over rows are
 * unrolled and MR is 12: 24 sums, two columns and one broadcast leave a few of the 32
 * registers. Each element is a pair of neighbours in k, which dpbf16 adds up in single
 * precision.
 */
BF16 static void
tile(uint32_t k, const void *a, const float *a_scales, const void *b, const float *b_scales,
	 float *c, size_t ldc, bool add)
{
	const int32_t *pa = a;
	const int32_t *pb = b;
	__m512 sum[MR][2];

	(void) a_scales;
	(void) b_scales;
#pragma GCC unroll 12
	for (int r = 0; r < MR; r++)
		sum[r][0] = sum[r][1] = _mm512_setzero_ps();
	for (uint32_t i = 0; i < k; i += 2, pa += MR, pb += NR)
	{
		__m512bh b0 = (__m512bh) _mm512_loadu_si512(pb);
		__m512bh b1 = (__m512bh) _mm512_loadu_si512(pb + 16);

#pragma GCC unroll 12
		for (int r = 0; r < MR; r++)
		{
			__m512bh x = (__m512bh) _mm512_set1_epi32(pa[r]);

			sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, b0);
			sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, b1);
		}
	}
#pragma GCC unroll 12
	for (int r = 0; r < MR; r++)
		for (int v = 0; v < 2; v++)
		{
			float *at = c + (size_t) r * ldc + 16 * v;

			_mm512_storeu_ps(at, add ? _mm512_add_ps(_mm512_loadu_ps(at), sum[r][v]) : sum[r][v]);
		}
}

const rstar_gemm_kernel rstar_gemm_bf16 = {
	.name = "bf16",
	.mr = MR,
	.nr = NR,
	.a_bytes = sizeof(uint16_t),
	.b_bytes = sizeof(uint16_t),
	.runs = runs,
	.pack = pack,
	.tile = tile,
};

#else

const rstar_gemm_kernel rstar_gemm_bf16 = {.name = "bf16"};

#endif

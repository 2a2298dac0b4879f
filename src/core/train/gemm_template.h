/*
 * gemm_template.h
 *	  A panel product in f32, written once with the compiler's vectors.
 *
 * Included by gemm_portable.c, gemm_avx2.c and gemm_avx512.c, which define
 * LANES (floats in a register), MR and NV (rows, and registers of columns, of a
 * tile) so that MR * NV sums, NV columns and one element of A fit the registers.
 * FAMILY and KERNEL name the processor and the table.
 */
#include "core/train/gemm_kernel.h"

#include <string.h>

#include "core/base/cpu.h"

#define NR (LANES * NV)

RSTAR_GEMM_CHECK_PANELS(MR, NR, 1);

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef float vf_loose __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

static bool
runs(void)
{
	return rstar_cpu_supports(FAMILY);
}

/* Lines of `width` elements per step of k, zeros beyond the last. */
static void
pack(const rstar_gemm_source *source, bool of_a, uint32_t lines, uint32_t k, void *out,
	 float *scales)
{
	uint32_t width = of_a ? MR : NR;
	float *panel = out;

	(void) scales;
	if (lines < width)
		memset(panel, 0, (size_t) width * k * sizeof *panel);
	if (source->line_step == 1)
		for (uint32_t i = 0; i < k; i++)
			memcpy(panel + (size_t) i * width, source->data + i * source->k_step,
				   lines * sizeof *panel);
	else
		for (uint32_t line = 0; line < lines; line++)
			for (uint32_t i = 0; i < k; i++)
				panel[(size_t) i * width + line] =
					source->data[line * source->line_step + i * source->k_step];
}

static void
tile(uint32_t k, const void *a, const float *a_scales, const void *b, const float *b_scales,
	 float *c, size_t ldc, bool add)
{
	const float *pa = a;
	const vf *pb = b;
	vf sum[MR][NV] = {0};

	(void) a_scales;
	(void) b_scales;
	for (uint32_t i = 0; i < k; i++, pa += MR, pb += NV)
		for (int r = 0; r < MR; r++)
			for (int v = 0; v < NV; v++)
				sum[r][v] += pa[r] * pb[v];
	for (int r = 0; r < MR; r++)
		for (int v = 0; v < NV; v++)
		{
			vf_loose *at = (vf_loose *) (c + (size_t) r * ldc + v * LANES);

			*at = add ? (vf) *at + sum[r][v] : sum[r][v];
		}
}

const rstar_gemm_kernel KERNEL = {
	.name = NAME,
	.mr = MR,
	.nr = NR,
	.a_bytes = sizeof(float),
	.b_bytes = sizeof(float),
	.runs = runs,
	.pack = pack,
	.tile = tile,
};

/*
 * gemm_amx.c
 *	  Panel products of bfloat16 numbers in tiles (AMX-BF16), summed in float.
 *
 * A tile of A is 16 lines of 32 elements along k; one of B is 16 pairs along k
 * for 16 columns; one instruction adds their product to 16 x 16 floats. A panel
 * product has two tiles of each and four of sums, which are all eight tiles.
 * Elements are rounded and paired sixteen lines at a time, and those that lie
 * the other way round in memory are transposed in registers, since at this speed
 * packing element by element would take longer than the products.
 */
#include "core/train/gemm_kernel.h"

#include "core/base/cpu.h"

#if defined(__x86_64__) && defined(__clang__)
#define HAVE_AMX (__clang_major__ >= 12)
#elif defined(__x86_64__)
#define HAVE_AMX (__GNUC__ >= 11)
#else
#define HAVE_AMX 0
#endif

#if HAVE_AMX

#include <immintrin.h>

#include "core/train/gemm_transpose.h"

#define LINES 16 /* of a tile */
#define STEP  32 /* elements of k in a tile */
#define MR    (2 * LINES)
#define NR    (2 * LINES)
#define ROW   64 /* bytes in a row of a tile */
#define TILE  (LINES * ROW)
#define PACK  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define AMX   __attribute__((target("amx-tile,amx-bf16")))

RSTAR_GEMM_CHECK_PANELS(MR, NR, STEP);

static bool
runs(void)
{
	return rstar_cpu_supports(RSTAR_CPU_AMX);
}

/* --- packing -------------------------------------------------------------------- */

static __mmask16
first(uint32_t n)
{
	return (__mmask16) (n >= LINES ? 0xffffu : (1u << n) - 1);
}

/* r[line]: the 16 pairs of up to 32 elements that lie together along k. */
PACK static inline void
pairs_of_lines(const rstar_gemm_source *source, uint32_t lines, uint32_t k, __m512 r[LINES])
{
	__mmask16 low = first(k), high = first(k > LINES ? k - LINES : 0);

	for (uint32_t line = 0; line < LINES; line++)
	{
		const float *at = source->data + line * source->line_step;

		r[line] = _mm512_setzero_ps();
		if (line < lines)
			r[line] = (__m512) _mm512_cvtne2ps_pbh(high ? _mm512_maskz_loadu_ps(high, at + LINES)
														: _mm512_setzero_ps(),
												   _mm512_maskz_loadu_ps(low, at));
	}
}

/* r[pair]: elements 2 pair and 2 pair + 1 along k of the 16 lines, which lie together. */
PACK static inline void
lines_of_pairs(const rstar_gemm_source *source, uint32_t lines, uint32_t k, __m512 r[LINES])
{
	static const uint16_t order[] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
									 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
	__m512i interleaved = _mm512_loadu_si512(order);
	__mmask16 mask = first(lines);

	for (uint32_t i = 0; i < STEP; i += 2)
	{
		const float *at = source->data + i * source->k_step;
		__m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();

		if (i < k)
			even = _mm512_maskz_loadu_ps(mask, at);
		if (i + 1 < k)
			odd = _mm512_maskz_loadu_ps(mask, at + source->k_step);
		r[i / 2] = (__m512) _mm512_permutexvar_epi16(interleaved,
													 (__m512i) _mm512_cvtne2ps_pbh(odd, even));
	}
}

/*
 * One panel: for each step of k the tiles of its first and its second 16 lines. Rows of a tile
 * of A are lines, those of a tile of B are pairs along k.
 */
PACK static void
pack(const rstar_gemm_source *source, bool of_a, uint32_t lines, uint32_t k, void *panel,
	 float *scales)
{
	uint8_t *out = panel;

	(void) scales;
	for (uint32_t i = 0; i < k; i += STEP)
		for (uint32_t half = 0; half < 2; half++, out += TILE)
		{
			rstar_gemm_source block = *source;
			uint32_t n = lines > half * LINES ? lines - half * LINES : 0;
			bool lines_apart = source->line_step != 1;
			__m512 r[LINES];

			block.data += (n ? half * LINES * source->line_step : 0) + i * source->k_step;
			if (lines_apart)
				pairs_of_lines(&block, n, k - i, r);
			else
				lines_of_pairs(&block, n, k - i, r);
			if (lines_apart != of_a)
				rstar_gemm_transpose(r);
			for (int row = 0; row < LINES; row++)
				_mm512_storeu_ps((float *) (void *) (out + row * ROW), r[row]);
		}
}

/* --- products ------------------------------------------------------------------- */

/* A constant in memory, since the compiler believes that only its first bytes are read. */
static const struct
{
	uint8_t palette, start_row, reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
} shapes = {.palette = 1,
			.row_bytes = {ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW},
			.rows = {LINES, LINES, LINES, LINES, LINES, LINES, LINES, LINES}};

AMX static void
begin(void)
{
	_tile_loadconfig(&shapes);
}

/* Tiles in use would be saved at every switch of threads. */
AMX static void
end(void)
{
	_tile_release();
}

/*
 * Two tiles of A times two of B: four loads serve four products. C is loaded and stored with its
 * own distance between rows, so it needs no copy.
 */
AMX static void
tile(uint32_t k, const void *a, const float *a_scales, const void *b, const float *b_scales,
	 float *c, size_t ldc, bool add)
{
	const uint8_t *pa = a, *pb = b;
	float *below = c + LINES * ldc;
	size_t row = ldc * sizeof *c;

	(void) a_scales;
	(void) b_scales;
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	if (add)
	{
		_tile_loadd(0, c, row);
		_tile_loadd(1, c + LINES, row);
		_tile_loadd(2, below, row);
		_tile_loadd(3, below + LINES, row);
	}
	for (uint32_t i = 0; i < k; i += STEP, pa += 2 * TILE, pb += 2 * TILE)
	{
		_tile_loadd(4, pa, ROW);
		_tile_loadd(6, pb, ROW);
		_tile_dpbf16ps(0, 4, 6);
		_tile_loadd(7, pb + TILE, ROW);
		_tile_dpbf16ps(1, 4, 7);
		_tile_loadd(5, pa + TILE, ROW);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
	}
	_tile_stored(0, c, row);
	_tile_stored(1, c + LINES, row);
	_tile_stored(2, below, row);
	_tile_stored(3, below + LINES, row);
}

const rstar_gemm_kernel rstar_gemm_amx = {
	.name = "amx",
	.mr = MR,
	.nr = NR,
	.a_bytes = sizeof(uint16_t),
	.b_bytes = sizeof(uint16_t),
	.runs = runs,
	.begin = begin,
	.end = end,
	.pack = pack,
	.tile = tile,
};

#else

const rstar_gemm_kernel rstar_gemm_amx = {.name = "amx"};

#endif

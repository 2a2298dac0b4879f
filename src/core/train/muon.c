/*
 * muon.c
 *	  The nearest orthogonal matrix, by Newton-Schulz iterations.
 *
 * X <- a X + (b G + c G G) X with G = X X^T, five times from X / |X|. The
 * coefficients (Jordan 2024) move small singular values up fastest and leave
 * all of them near 1, not at it. The iteration runs on the wide form, whose G is
 * the smaller.
 */
#include <math.h>
#include <string.h>

#include "core/train/optimiser.h"

#define A          3.4445f
#define B          (-4.7750f)
#define C          2.0315f
#define ITERATIONS 5
#define SMALLEST   1e-7f /* of the norm that is divided by */

static uint32_t
shorter(uint32_t rows, uint32_t columns)
{
	return rows < columns ? rows : columns;
}

/* X in wide form, its successor, G, and b G + c G G. */
size_t
rstar_muon_scratch(uint32_t rows, uint32_t columns)
{
	size_t n = shorter(rows, columns);

	return 2 * (size_t) rows * columns + 2 * n * n;
}

static void
transpose(const float *from, uint32_t rows, uint32_t columns, float *to)
{
	const uint32_t tile = 32; /* both sides stay in the cache */

	for (uint32_t i = 0; i < rows; i += tile)
		for (uint32_t j = 0; j < columns; j += tile)
			for (uint32_t r = i; r < rows && r < i + tile; r++)
				for (uint32_t c = j; c < columns && c < j + tile; c++)
					to[(size_t) c * rows + r] = from[(size_t) r * columns + c];
}

/*
 * Dividing by the Frobenius norm brings all singular values below 1, where the iteration
 * converges; a matrix of zeros is divided by SMALLEST and stays zero. False: it was cancelled,
 * and `x` is as it was.
 */
bool
rstar_muon_orthogonalise(rstar_gemm *gemm, const rstar_train_ops *ops, float *x, uint32_t rows,
						 uint32_t columns, float *scratch, const rstar_cancel *cancel)
{
	uint32_t n = shorter(rows, columns), m = rows + columns - n;
	size_t size = (size_t) rows * columns;
	float *wide = scratch, *next = wide + size, *gram = next + size, *poly = gram + (size_t) n * n;
	double norm = sqrt(ops->sum_squares(x, size));

	if (rows > columns)
		transpose(x, rows, columns, wide);
	else
		memcpy(wide, x, size * sizeof *x);
	ops->scale(wide, (float) (1.0 / fmax(norm, (double) SMALLEST)), size);
	for (int i = 0; i < ITERATIONS; i++)
	{
		rstar_gemm_call g = {RSTAR_GEMM_NT, n, n, m, wide, m, wide, m, gram, n, false};
		rstar_gemm_call gg = {RSTAR_GEMM_NN, n, n, n, gram, n, gram, n, poly, n, false};
		rstar_gemm_call px = {RSTAR_GEMM_NN, n, m, n, poly, n, wide, m, next, m, false};
		float *swap = wide;

		if (!rstar_gemm_run(gemm, &g, cancel) || !rstar_gemm_run(gemm, &gg, cancel))
			return false;
		ops->blend(poly, C, B, gram, (size_t) n * n);
		if (!rstar_gemm_run(gemm, &px, cancel))
			return false;
		ops->add_scaled(next, A, wide, size);
		wide = next;
		next = swap;
	}
	if (rows > columns)
		transpose(wide, columns, rows, x);
	else
		memcpy(x, wide, size * sizeof *x);
	return true;
}

/*
 * gemm.h
 *	  The one interface for matrix products in training.
 *
 * All matrices are float and row-major. Three forms cover a layer, with X the
 * inputs (tokens x in), W the weights (out x in) and Y the outputs:
 *
 *		forward			Y  = X W^T		NT
 *		inputs			dX = dY W		NN
 *		weights			dW += dY^T X	TN
 *
 * Behind it stand several kernels, chosen by name or by measuring: our own in
 * f32 (portable, AVX2, AVX-512), OpenBLAS in f32, and our own with products of
 * 16-bit numbers. The last round their inputs while they pack them:
 *
 *		f16		AVX512-FP16. Sums of 32 products in half precision, then added up in
 *				float. Rows and panels are scaled by powers of two as they are
 *				packed, so that the exponent's range does not matter. The inputs
 *				keep 11 bits, and a sum of 32 loses about as much as they do.
 *		bf16	AVX512-BF16. Inputs keep 8 bits, sums are float.
 *		amx		AMX-BF16: the same numbers in tiles of 16 x 16.
 *
 * An element of the result is summed in an order that depends on the shape and
 * the kernel alone: neither the number of threads nor their timing matters.
 */
#ifndef RSTAR_TRAIN_GEMM_H
#define RSTAR_TRAIN_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/pool.h"
#include "core/base/status.h"

typedef struct rstar_gemm rstar_gemm;

typedef enum rstar_gemm_form
{
	RSTAR_GEMM_NT, /* A [m][k], B [n][k] */
	RSTAR_GEMM_NN, /* A [m][k], B [k][n] */
	RSTAR_GEMM_TN  /* A [k][m], B [k][n] */
} rstar_gemm_form;

/* One product; ld* are the distances between rows, in elements. */
typedef struct rstar_gemm_call
{
	rstar_gemm_form form;
	uint32_t m, n, k;
	const float *a;
	size_t lda;
	const float *b;
	size_t ldb;
	float *c; /* [m][n] */
	size_t ldc;
	bool add; /* C += instead of C = */
} rstar_gemm_call;

/*
 * Prepare products on `pool`, which must outlive *out. name: that of a kernel
 * (below), "f32" for the fastest of those in f32, or NULL for the fastest of all
 * here, found by timing each for a few milliseconds. Errors: ARGUMENT (no such
 * kernel), UNSUPPORTED (this machine does not have it), MEMORY.
 */
extern rstar_status rstar_gemm_create(const char *name, rstar_pool *pool,
									  const rstar_allocator *allocator, rstar_gemm **out,
									  rstar_error *err);
extern void rstar_gemm_free(rstar_gemm *gemm); /* NULL is allowed */

/* The kernel's name: "portable", "avx2", "avx512", "openblas", "bf16", "f16", "amx". */
extern const char *rstar_gemm_name(const rstar_gemm *gemm);

/* Name of kernel i that runs here, NULL behind the last. */
extern const char *rstar_gemm_available(uint32_t i);

/* Bytes that the handle holds, its scratch memory included. */
extern size_t rstar_gemm_bytes(const rstar_gemm *gemm);

/*
 * Compute. C overlaps neither A nor B. False: cancel fired, and C is unusable.
 */
extern bool rstar_gemm_run(rstar_gemm *gemm, const rstar_gemm_call *call,
						   const rstar_cancel *cancel);

#endif

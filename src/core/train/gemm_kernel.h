/*
 * gemm_kernel.h
 *	  What the driver of matrix products (gemm.c) needs to know of a kernel.
 *
 * A kernel multiplies a panel of `mr` rows of A by a panel of `nr` columns of B,
 * both packed: k varies slowest, and what one step of the inner loop reads lies
 * together. Panels are as long as one block of k (RSTAR_GEMM_KC), and a block's
 * scales are one per row of A and one per panel of B.
 */
#ifndef RSTAR_TRAIN_GEMM_KERNEL_H
#define RSTAR_TRAIN_GEMM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSTAR_GEMM_KC     256 /* columns of A in one block; a multiple of every kernel's step */
#define RSTAR_GEMM_ROWS   96  /* of A, packed together; a multiple of every mr */
#define RSTAR_GEMM_MAX_MR 32
#define RSTAR_GEMM_MAX_NR 64

/* In each kernel's file: its panels fill the driver's buffers and no more. */
#define RSTAR_GEMM_CHECK_PANELS(mr, nr, step)                                                      \
	_Static_assert(RSTAR_GEMM_ROWS % (mr) == 0 && (mr) <= RSTAR_GEMM_MAX_MR &&                     \
					   (nr) <= RSTAR_GEMM_MAX_NR && RSTAR_GEMM_KC % (step) == 0,                   \
				   "panels of this kernel do not fit the driver's buffers")

/* Where the elements of an operand lie: element (line, k) at line * line_step + k * k_step. */
typedef struct rstar_gemm_source
{
	const float *data;
	size_t line_step; /* rows of A, columns of B */
	size_t k_step;
} rstar_gemm_source;

/* A kernel that the compiler is too old for has a name alone. */
typedef struct rstar_gemm_kernel
{
	const char *name;
	uint32_t mr, nr;
	uint32_t a_bytes, b_bytes; /* of one packed element */

	/* Does this processor have the instructions? NULL: the compiler did not. */
	bool (*runs)(void);

	/* Around a thread's calls of tile, where the kernel has a state of its own; NULL where not. */
	void (*begin)(void);
	void (*end)(void);

	/*
	 * Pack `lines` lines of `k` <= KC elements into one panel of A or else of B; lines
	 * beyond are zeros, and so is k beyond its end, up to a multiple of the kernel's step.
	 * scales: one per line of A, one for a panel of B; the true element is scale * packed.
	 */
	void (*pack)(const rstar_gemm_source *source, bool of_a, uint32_t lines, uint32_t k,
				 void *panel, float *scales);

	/*
	 * Lines of A that lie side by side (line_step 1), into as many panels as they need,
	 * panel_bytes apart. NULL: they are packed panel by panel as the others are.
	 */
	void (*pack_columns)(const rstar_gemm_source *source, uint32_t lines, uint32_t k,
						 uint8_t *panels, size_t panel_bytes, float *scales);

	/* c [mr][nr] = a b, or with add += a b; c with rows ldc apart. */
	void (*tile)(uint32_t k, const void *a, const float *a_scales, const void *b,
				 const float *b_scales, float *c, size_t ldc, bool add);
} rstar_gemm_kernel;

extern const rstar_gemm_kernel rstar_gemm_portable;
extern const rstar_gemm_kernel rstar_gemm_avx2;
extern const rstar_gemm_kernel rstar_gemm_avx512;
extern const rstar_gemm_kernel rstar_gemm_f16;
extern const rstar_gemm_kernel rstar_gemm_bf16;
extern const rstar_gemm_kernel rstar_gemm_amx;

#endif

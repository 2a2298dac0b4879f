/*
 * blas.h
 *	  OpenBLAS, opened at run time.
 *
 * Debian's OpenBLAS chooses its kernels as it is loaded and does not know
 * newer processors, so the core type is put into the environment for that
 * moment. Only the serial library will do: threads are the pool's. It is opened
 * with RTLD_LOCAL, so that its symbols meet no others in the process.
 */
#ifndef RSTAR_TRAIN_BLAS_H
#define RSTAR_TRAIN_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/* cblas_sgemm: order 101 is row-major; transpose 111 is no, 112 yes. */
typedef void (*rstar_blas_sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
								 float alpha, const float *a, int lda, const float *b, int ldb,
								 float beta, float *c, int ldc);

/*
 * NULL if there is no serial OpenBLAS. Opens it at the first call, and never
 * closes it. Not from threads: it changes the environment for a moment.
 */
extern rstar_blas_sgemm rstar_blas_open(void);

#endif

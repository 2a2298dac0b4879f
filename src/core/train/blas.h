/*
 * blas.h
 *	  OpenBLAS, opened at run time.
 *
 * Debian's OpenBLAS chooses its kernels as it is loaded and does not know
 * newer processors, so the core type is put into the environment for that
 * moment. Only the serial library will do: a parallel one starts threads when it
 * is loaded. It is opened with RTLD_LOCAL, so that its symbols meet no others in
 * the process. Its functions must not run in two threads at once: it is compiled
 * without locks, and two calls may get the same scratch memory.
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

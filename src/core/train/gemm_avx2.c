/*
 * gemm_avx2.c
 *	  Panel products in f32: the avx2 kernel.
 */
#define NAME   "avx2"
#define FAMILY RSTAR_CPU_AVX2
#define KERNEL rstar_gemm_avx2
#define LANES  8
#define MR     6
#define NV     2

#include "core/train/gemm_template.h"

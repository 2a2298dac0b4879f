/*
 * gemm_avx512.c
 *	  Panel products in f32: the avx512 kernel.
 */
#define NAME   "avx512"
#define FAMILY RSTAR_CPU_AVX512
#define KERNEL rstar_gemm_avx512
#define LANES  16
#define MR     12
#define NV     2

#include "core/train/gemm_template.h"

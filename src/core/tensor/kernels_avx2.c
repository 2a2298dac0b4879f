/*
 * kernels_avx2.c
 *	  The kernels for processors with AVX2, FMA and F16C.
 */
#define KERNELS_FAMILY RSTAR_CPU_AVX2
#define KERNELS_TABLE  rstar_kernels_avx2

#include "core/tensor/kernels_template.h"

/*
 * kernels_avx512.c
 *	  The kernels for processors with AVX-512 (F, BW, DQ, VL, VNNI).
 */
#define KERNELS_FAMILY RSTAR_CPU_AVX512
#define KERNELS_TABLE  rstar_kernels_avx512

#include "core/tensor/kernels_template.h"

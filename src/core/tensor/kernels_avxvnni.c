/*
 * kernels_avxvnni.c
 *	  The kernels for processors with AVX2, FMA, F16C and AVX-VNNI.
 */
#define KERNELS_FAMILY RSTAR_CPU_AVXVNNI
#define KERNELS_TABLE  rstar_kernels_avxvnni

#include "core/tensor/kernels_template.h"

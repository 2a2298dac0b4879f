/*
 * kernels_amx.c
 *	  The kernels for processors with AVX-512 and AMX. They differ from those of AVX-512 in
 *	  products of quantised weights with sixteen tokens.
 */
#define KERNELS_FAMILY RSTAR_CPU_AMX
#define KERNELS_TABLE  rstar_kernels_amx

#include "core/tensor/kernels_template.h"

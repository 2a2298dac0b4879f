/*
 * gemm_portable.c
 *	  Panel products in f32: the portable kernel.
 */
#define NAME   "portable"
#define FAMILY RSTAR_CPU_PORTABLE
#define KERNEL rstar_gemm_portable
#define LANES  4
#define MR     4
#define NV     2

#include "core/train/gemm_template.h"

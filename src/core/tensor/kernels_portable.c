/*
 * kernels_portable.c
 *	  The kernels for any processor.
 */
#define KERNELS_FAMILY RSTAR_CPU_PORTABLE
#define KERNELS_TABLE  rstar_kernels_portable

#include "core/tensor/kernels_template.h"

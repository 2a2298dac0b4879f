/*
 * kernels.c
 *	  Choice of the kernel table.
 */
#include "core/tensor/kernels.h"

const rstar_kernels *
rstar_kernels_get(rstar_cpu_family family)
{
	switch (family)
	{
#if defined(__x86_64__)
		case RSTAR_CPU_AVX512:
			return &rstar_kernels_avx512;
		case RSTAR_CPU_AVX2:
			return &rstar_kernels_avx2;
#endif
		default:
			return &rstar_kernels_portable;
	}
}

size_t
rstar_matmul_scratch(uint32_t columns)
{
	uint32_t padded = rstar_padded_columns(columns);
	size_t unpacked = 2 * (size_t) padded + rstar_activation_sums(padded) * sizeof(float);
	size_t wide = (size_t) columns * sizeof(float);

	return RSTAR_TILE_ROWS * (unpacked > wide ? unpacked : wide);
}

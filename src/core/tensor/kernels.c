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
		case RSTAR_CPU_AMX:
			return &rstar_kernels_amx;
		case RSTAR_CPU_AVX512:
			return &rstar_kernels_avx512;
		case RSTAR_CPU_AVXVNNI:
			return &rstar_kernels_avxvnni;
		case RSTAR_CPU_AVX2:
			return &rstar_kernels_avx2;
#endif
		default:
			return &rstar_kernels_portable;
	}
}

size_t
rstar_matmul_scratch(uint32_t T)
{
	size_t bytes = (size_t) RSTAR_PANEL_ROWS * RSTAR_INT8_CHUNK; /* and as many before */
	size_t scales = (size_t) RSTAR_PANEL_ROWS * (RSTAR_INT8_CHUNK / 16) * sizeof(float);

	_Static_assert(RSTAR_FLOAT_CHUNK * sizeof(float) <= 2 * RSTAR_INT8_CHUNK,
				   "a panel of floats takes the place of one of bytes");
	return 2 * bytes + 2 * scales + (size_t) T * RSTAR_PANEL_ROWS * sizeof(float);
}

/*
 * ops.c
 *	  The table of loops for a processor family.
 */
#include "core/train/ops.h"

const rstar_train_ops *
rstar_train_ops_get(rstar_cpu_family family)
{
#if defined(__x86_64__)
	if (family >= RSTAR_CPU_AVX512)
		return &rstar_train_ops_avx512;
	if (family == RSTAR_CPU_AVX2)
		return &rstar_train_ops_avx2;
#endif
	(void) family;
	return &rstar_train_ops_portable;
}

/* Six matrices of keys by head, two of scores, three of rows: see lay_out() in ops_template.h. */
size_t
rstar_train_attention_scratch(uint32_t T, uint32_t head_dim)
{
	size_t keys = ((size_t) T + 15) / 16 * 16;
	size_t width = ((size_t) head_dim + 15) / 16 * 16;

	return 6 * keys * width + 2 * 24 * keys + 3 * 24 * width;
}

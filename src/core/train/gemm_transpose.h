/*
 * gemm_transpose.h
 *	  Transposing 16 registers of 16 words of 32 bits, for kernels that pack with AVX-512.
 */
#ifndef RSTAR_TRAIN_GEMM_TRANSPOSE_H
#define RSTAR_TRAIN_GEMM_TRANSPOSE_H

#include <immintrin.h>

/* Sixteen rows of sixteen floats become columns. */
__attribute__((target("avx512f"))) static inline void
rstar_gemm_transpose(__m512 r[16])
{
	__m512 t[16];

	for (int i = 0; i < 8; i++)
	{
		t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
		t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
	}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 2; j++)
		{
			__m512d a = _mm512_castps_pd(t[4 * i + j]), b = _mm512_castps_pd(t[4 * i + 2 + j]);

			r[4 * i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
			r[4 * i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
		}
	for (int j = 0; j < 4; j++)
	{
		t[j] = _mm512_shuffle_f32x4(r[j], r[4 + j], 0x88);
		t[4 + j] = _mm512_shuffle_f32x4(r[j], r[4 + j], 0xdd);
		t[8 + j] = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0x88);
		t[12 + j] = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0xdd);
	}
	for (int j = 0; j < 4; j++)
	{
		r[j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0x88);
		r[8 + j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0xdd);
		r[4 + j] = _mm512_shuffle_f32x4(t[4 + j], t[12 + j], 0x88);
		r[12 + j] = _mm512_shuffle_f32x4(t[4 + j], t[12 + j], 0xdd);
	}
}

#endif

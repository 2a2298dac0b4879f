/*
 * peak.h
 *	  The most products that this processor can form in a second, measured.
 *
 * Independent chains of the multiply-add that a family's int8 (or f32) products
 * are made of, with nothing to load and nothing to add besides: the bound that no kernel
 * reaches.
 */
#ifndef RSTAR_BENCH_PEAK_H
#define RSTAR_BENCH_PEAK_H

#include "bench.h"

#define PEAK_CHAINS 12
#define PEAK_ROUNDS 200000u

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) static inline int
peak_vnni_512(void)
{
	__m512i sum[PEAK_CHAINS], one = _mm512_set1_epi8(1);

#pragma GCC unroll 12
	for (int c = 0; c < PEAK_CHAINS; c++)
		sum[c] = _mm512_set1_epi32(c);
	for (uint32_t i = 0; i < PEAK_ROUNDS; i++)
#pragma GCC unroll 12
		for (int c = 0; c < PEAK_CHAINS; c++)
		{
			sum[c] = _mm512_dpbusd_epi32(sum[c], one, one);
			__asm__("" : "+v"(sum[c]));
		}
#pragma GCC unroll 12
	for (int c = 1; c < PEAK_CHAINS; c++)
		sum[0] = _mm512_add_epi32(sum[0], sum[c]);
	return _mm512_reduce_add_epi32(sum[0]);
}

/* Whole tiles: 16 x 16 sums of 64 products each. */
__attribute__((target("amx-tile,amx-int8"))) static inline int
peak_amx(void)
{
	static const struct
	{
		uint8_t palette, start_row, reserved[14];
		uint16_t row_bytes[16];
		uint8_t rows[16];
	} shapes = {1, 0, {0}, {64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16}};
	static const uint8_t ones[1024] = {1};
	int32_t sums[256];

	_tile_loadconfig(&shapes);
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	_tile_loadd(4, ones, 64);
	_tile_loadd(5, ones, 64);
	for (uint32_t i = 0; i < PEAK_ROUNDS / 4; i++)
	{
		_tile_dpbssd(0, 4, 5);
		_tile_dpbssd(1, 4, 5);
		_tile_dpbssd(2, 4, 5);
		_tile_dpbssd(3, 4, 5);
	}
	_tile_stored(0, sums, 64);
	_tile_release();
	return sums[0];
}

__attribute__((target("avx2,avxvnni"))) static inline int
peak_vnni_256(void)
{
	__m256i sum[PEAK_CHAINS], one = _mm256_set1_epi8(1);

#pragma GCC unroll 12
	for (int c = 0; c < PEAK_CHAINS; c++)
		sum[c] = _mm256_set1_epi32(c);
	for (uint32_t i = 0; i < PEAK_ROUNDS; i++)
#pragma GCC unroll 12
		for (int c = 0; c < PEAK_CHAINS; c++)
		{
			sum[c] = _mm256_dpbusd_avx_epi32(sum[c], one, one);
			__asm__("" : "+x"(sum[c]));
		}
#pragma GCC unroll 12
	for (int c = 1; c < PEAK_CHAINS; c++)
		sum[0] = _mm256_add_epi32(sum[0], sum[c]);
	return _mm256_extract_epi32(sum[0], 0);
}

/* Signed bytes without VNNI: a sign, two multiplications, an addition. */
__attribute__((target("avx2"))) static inline int
peak_avx2(void)
{
	__m256i sum[8], one = _mm256_set1_epi8(1), word = _mm256_set1_epi16(1);

#pragma GCC unroll 12
	for (int c = 0; c < 8; c++)
		sum[c] = _mm256_set1_epi32(c);
	for (uint32_t i = 0; i < PEAK_ROUNDS; i++)
#pragma GCC unroll 12
		for (int c = 0; c < 8; c++)
		{
			__m256i turned = _mm256_sign_epi8(one, sum[c]);
			__m256i pairs = _mm256_maddubs_epi16(one, turned);

			sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(pairs, word));
			__asm__("" : "+x"(sum[c]));
		}
#pragma GCC unroll 12
	for (int c = 1; c < 8; c++)
		sum[0] = _mm256_add_epi32(sum[0], sum[c]);
	return _mm256_extract_epi32(sum[0], 0);
}
#endif

typedef struct bench_peak_task
{
	rstar_cpu_family family;
	int sums[256];
} bench_peak_task;

static inline void
bench_peak_block(void *arg, uint32_t block, uint32_t thread)
{
	bench_peak_task *task = arg;

	(void) block;
#if defined(__x86_64__)
	if (task->family == RSTAR_CPU_AMX)
		task->sums[thread] += peak_amx();
	else if (task->family == RSTAR_CPU_AVX512)
		task->sums[thread] += peak_vnni_512();
	else if (task->family == RSTAR_CPU_AVXVNNI)
		task->sums[thread] += peak_vnni_256();
	else if (task->family == RSTAR_CPU_AVX2)
		task->sums[thread] += peak_avx2();
#else
	task->sums[thread]++;
#endif
}

/* int8 multiply-adds per second of all threads together; 0: not known for the family. */
static inline double
bench_peak(rstar_pool *pool, rstar_cpu_family family)
{
	static bench_peak_task task;
	double products = 64.0 * PEAK_CHAINS * PEAK_ROUNDS, rates[5];
	uint32_t blocks = 4 * (uint32_t) rstar_pool_threads(pool);

	if (family == RSTAR_CPU_PORTABLE)
		return 0;
	if (family == RSTAR_CPU_AMX)
		products = 16384.0 * (PEAK_ROUNDS / 4 * 4);
	if (family == RSTAR_CPU_AVXVNNI)
		products /= 2;
	if (family == RSTAR_CPU_AVX2)
		products = 32.0 * 8 * PEAK_ROUNDS;
	task.family = family;
	for (int i = 0; i < 5; i++)
	{
		double start = bench_now();

		rstar_pool_run(pool, bench_peak_block, &task, blocks, NULL);
		rates[i] = products * blocks / (bench_now() - start);
	}
	return bench_median(rates, 5);
}

#endif

/*
 * bench.h
 *	  What benchmarks share: the clock, medians, the machine's read bandwidth.
 */
#ifndef RSTAR_BENCH_H
#define RSTAR_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/cpu.h"
#include "core/base/pool.h"

static inline double
bench_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double
bench_median(double *values, int n)
{
	qsort(values, (size_t) n, sizeof *values, bench_compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

#define BENCH_READ_BYTES ((size_t) 512 << 20)
#define BENCH_READ_BLOCK ((size_t) 1 << 20)

typedef struct bench_read
{
	const uint64_t *data;
	uint64_t sums[256];
} bench_read;

static inline void
bench_read_block(void *arg, uint32_t block, uint32_t thread)
{
	bench_read *read = arg;
	const uint64_t *p = read->data + block * (BENCH_READ_BLOCK / 8);
	uint64_t sum[8] = {0};

	for (size_t i = 0; i < BENCH_READ_BLOCK / 8; i += 8)
		for (int j = 0; j < 8; j++)
			sum[j] += p[i + (size_t) j];
	for (int j = 0; j < 8; j++)
		read->sums[thread] += sum[j];
}

/* Bytes per second that all threads of the pool read from memory together: median of 5. */
static inline double
bench_bandwidth(rstar_pool *pool)
{
	static bench_read read;
	uint64_t *data = malloc(BENCH_READ_BYTES);
	double rates[5];

	memset(data, 1, BENCH_READ_BYTES);
	read.data = data;
	for (int i = 0; i < 5; i++)
	{
		double start = bench_now();

		rstar_pool_run(pool, bench_read_block, &read, BENCH_READ_BYTES / BENCH_READ_BLOCK, NULL);
		rates[i] = BENCH_READ_BYTES / (bench_now() - start);
	}
	free(data);
	return bench_median(rates, 5);
}

#endif

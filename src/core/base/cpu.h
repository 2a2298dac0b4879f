/*
 * cpu.h
 *	  What this processor and operating system can do.
 *
 * Kernels are compiled for several instruction sets and chosen at run time, so
 * a packaged build runs anywhere. A "family" names one set of kernels; within
 * a family the same input gives the same bits, on any machine.
 */
#ifndef RSTAR_BASE_CPU_H
#define RSTAR_BASE_CPU_H

#include <stdbool.h>

typedef enum rstar_cpu_family
{
	RSTAR_CPU_PORTABLE = 0,
	RSTAR_CPU_AVX2,    /* AVX2, FMA, F16C */
	RSTAR_CPU_AVXVNNI, /* these and AVX-VNNI */
	RSTAR_CPU_AVX512,  /* AVX-512 F, BW, DQ, VL and VNNI */
	RSTAR_CPU_AMX,     /* these and AMX: tiles, with products of bytes and of bfloat16 */
	RSTAR_CPU_FAMILIES
} rstar_cpu_family;

/* The best family that runs here (the operating system saves its registers). */
extern rstar_cpu_family rstar_cpu_best(void);

/*
 * Does it run here? Linux keeps the registers of AMX only for a process that has asked: the
 * question about AMX asks, and the leave holds for the process's threads and its children.
 */
extern bool rstar_cpu_supports(rstar_cpu_family family);

/* "portable", "avx2", "avxvnni", "avx512", "amx". */
extern const char *rstar_cpu_family_name(rstar_cpu_family family);
extern bool rstar_cpu_family_by_name(const char *name, rstar_cpu_family *family);

/* Processors that this process may run on (affinity), at least 1. */
extern int rstar_cpu_count(void);

#endif

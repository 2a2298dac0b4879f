/*
 * cpu.c
 *	  What this processor and operating system can do.
 */
#include "core/base/cpu.h"

#include <sched.h>
#include <string.h>
#include <strings.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const family_names[RSTAR_CPU_FAMILIES] = {"portable", "avx2", "avxvnni",
															 "avx512", "amx"};

#if defined(__x86_64__)
/* clang's builtin does not know this name. Its registers are AVX's. */
static bool
has_f16c(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C) != 0;
}

/* Too new for the builtins. Its registers are AVX2's. */
static bool
has_avxvnni(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 4) != 0;
}

/* CPUID leaf 7, EDX: bits 22 (bf16), 24 (tiles), 25 (int8). Linux has the request since 5.16. */
static bool
has_amx(void)
{
	const unsigned needed = 1u << 22 | 1u << 24 | 1u << 25;
	const int request_permission = 0x1023, tile_data = 18;
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & needed) == needed &&
		   syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#endif

bool
rstar_cpu_supports(rstar_cpu_family family)
{
	switch (family)
	{
		case RSTAR_CPU_PORTABLE:
			return true;
#if defined(__x86_64__)
		/* The builtins look at XCR0 too: registers that are not saved do not count. */
		case RSTAR_CPU_AVX2:
			__builtin_cpu_init();
			return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
		case RSTAR_CPU_AVXVNNI:
			return rstar_cpu_supports(RSTAR_CPU_AVX2) && has_avxvnni();
		case RSTAR_CPU_AVX512:
			return rstar_cpu_supports(RSTAR_CPU_AVX2) && __builtin_cpu_supports("avx512f") &&
				   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
				   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
		case RSTAR_CPU_AMX:
			return rstar_cpu_supports(RSTAR_CPU_AVX512) && has_amx();
#endif
		default:
			return false;
	}
}

rstar_cpu_family
rstar_cpu_best(void)
{
	int family = RSTAR_CPU_FAMILIES - 1;

	while (!rstar_cpu_supports((rstar_cpu_family) family))
		family--;
	return (rstar_cpu_family) family;
}

const char *
rstar_cpu_family_name(rstar_cpu_family family)
{
	return family_names[family];
}

bool
rstar_cpu_family_by_name(const char *name, rstar_cpu_family *family)
{
	for (int i = 0; i < RSTAR_CPU_FAMILIES; i++)
		if (strcasecmp(name, family_names[i]) == 0)
		{
			*family = (rstar_cpu_family) i;
			return true;
		}
	return false;
}

int
rstar_cpu_count(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;

	int count = CPU_COUNT(&set);

	return count > 0 ? count : 1;
}

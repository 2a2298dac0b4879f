/*
 * blas.c
 *	  OpenBLAS, opened at run time.
 */
#include "core/train/blas.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"

/* The kernels to ask for: without AVX-512, OpenBLAS's own choice is good. */
static const char *
core_type(void)
{
	if (rstar_cpu_supports(RSTAR_CPU_AVX512))
		return "SkylakeX";
	return rstar_cpu_supports(RSTAR_CPU_AVX2) ? "Haswell" : NULL;
}

/* The first serial library among the places where distributions put it. */
static void *
open_serial(void)
{
	static const char *const places[] = {
		"/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.so.0",
		"/usr/lib/aarch64-linux-gnu/openblas-serial/libopenblas.so.0",
		"libopenblas-serial.so.0",
		"libopenblas.so.0",
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
	{
		void *library = dlopen(places[i], RTLD_NOW | RTLD_LOCAL);
		int (*parallel)(void);

		if (!library)
			continue;
		*(void **) &parallel = dlsym(library, "openblas_get_parallel");
		if (parallel && parallel() == 0)
			return library;
		dlclose(library);
	}
	return NULL;
}

rstar_blas_sgemm
rstar_blas_open(void)
{
	static const char variable[] = "OPENBLAS_CORETYPE";
	static rstar_blas_sgemm sgemm;
	static bool tried;
	const char *type = core_type();
	bool ours = type && !getenv(variable);
	void *library;

	if (tried)
		return sgemm;
	tried = true;
	if (ours)
		setenv(variable, type, 0);
	/* A parallel library that is probed and rejected must not start threads. */
	setenv("OPENBLAS_NUM_THREADS", "1", 0);
	library = open_serial();
	if (ours)
		unsetenv(variable);
	if (library)
		*(void **) &sgemm = dlsym(library, "cblas_sgemm");
	return sgemm;
}

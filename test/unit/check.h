/*
 * check.h
 *	  The smallest test harness that tells what failed and counts.
 *
 * A unit test is a program: it calls CHECK for every property, RUN for every
 * test function, and returns CHECK_RESULT(). Each RUN prints a TAP line, so
 * that `prove` counts them; a failed check marks its function as failed.
 */
#ifndef RSTAR_TEST_CHECK_H
#define RSTAR_TEST_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_functions = 0;
static int check_failed_functions = 0;
static int check_failed_here = 0;

#define CHECK(condition)                                                                           \
	do                                                                                             \
	{                                                                                              \
		if (!(condition))                                                                          \
		{                                                                                          \
			check_failed_here++;                                                                   \
			printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                       \
		}                                                                                          \
	} while (0)

/* As CHECK, with a printf-style explanation of the values at hand. */
#define CHECK_MSG(condition, ...)                                                                  \
	do                                                                                             \
	{                                                                                              \
		if (!(condition))                                                                          \
		{                                                                                          \
			check_failed_here++;                                                                   \
			printf("# %s:%d: failed: %s: ", __FILE__, __LINE__, #condition);                       \
			printf(__VA_ARGS__);                                                                   \
			printf("\n");                                                                          \
		}                                                                                          \
	} while (0)

#define CHECK_STR(actual, expected)                                                                \
	CHECK_MSG(strcmp((actual), (expected)) == 0, "\"%s\" instead of \"%s\"", (actual), (expected))

#define RUN(function)                                                                              \
	do                                                                                             \
	{                                                                                              \
		check_failed_here = 0;                                                                     \
		function();                                                                                \
		check_functions++;                                                                         \
		check_failed_functions += check_failed_here > 0;                                           \
		printf("%s %d - %s\n", check_failed_here ? "not ok" : "ok", check_functions, #function);   \
		fflush(stdout);                                                                            \
	} while (0)

/* A test that cannot run here (a missing fixture): counted, and said aloud. */
#define SKIP(function, reason)                                                                     \
	do                                                                                             \
	{                                                                                              \
		check_functions++;                                                                         \
		printf("ok %d - %s # SKIP %s\n", check_functions, #function, (reason));                    \
	} while (0)

#define CHECK_RESULT()                                                                             \
	(printf("1..%d\n", check_functions), check_failed_functions > 0 ? EXIT_FAILURE : EXIT_SUCCESS)

/*
 * Folder of optional fixtures; RSTAR_SHARED overrides it. Tests that need a
 * file there use SKIP when it is absent.
 */
static inline const char *
check_shared(void)
{
	const char *path = getenv("RSTAR_SHARED");

	return path && *path ? path : "../shared";
}

#endif

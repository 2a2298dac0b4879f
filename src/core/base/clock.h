/*
 * clock.h
 *	  The monotonic clock, and the length of a slice.
 */
#ifndef RSTAR_BASE_CLOCK_H
#define RSTAR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * The core computes or waits for about this many milliseconds, then returns to
 * its caller, who serves interrupts and calls again. A cancel must be honoured
 * within 100 ms, and a slice may overrun by one unit of work.
 */
#define RSTAR_SLICE_MS 15

/* Nanoseconds since some fixed moment of the machine's life. */
static inline int64_t
rstar_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* The same in milliseconds, for durations that people read. */
static inline double
rstar_clock_ms(void)
{
	return (double) rstar_clock_ns() * 1e-6;
}

#endif

/*
 * random.h
 *	  Counter-based random numbers: Philox4x32-10.
 *
 * Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3",
 * SC 2011. A number is a pure function of a stream and a position, so it does
 * not depend on what else ran, in which order, or in how many threads. The
 * stream is named by a seed (the key) and two coordinates; for the sampler
 * these are the tree's seed, the node and the candidate, and the position is
 * that of the token in its sequence.
 */
#ifndef RSTAR_BASE_RANDOM_H
#define RSTAR_BASE_RANDOM_H

#include <stdint.h>

typedef struct rstar_random_stream
{
	uint64_t seed;
	uint64_t node;
	uint32_t candidate;
} rstar_random_stream;

/* The block function itself: out = Philox4x32-10(counter, key). */
extern void rstar_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* 64 random bits of a stream at a position. */
extern uint64_t rstar_random_bits(const rstar_random_stream *stream, uint32_t position);

/* Uniform in [0, 1), 53 bits. */
extern double rstar_random_uniform(const rstar_random_stream *stream, uint32_t position);

/*
 * Fill x[0..n) with independent normal numbers of the given standard
 * deviation (Box-Muller), those at indices first .. first + n - 1 of the
 * stream; filling in pieces gives the same numbers as filling at once.
 */
extern void rstar_random_normal(const rstar_random_stream *stream, uint64_t first, uint64_t n,
								float deviation, float *x);

/* Mixes values into a seed (splitmix64's finaliser); for deriving seeds. */
extern uint64_t rstar_random_mix(uint64_t seed, uint64_t value);

#endif

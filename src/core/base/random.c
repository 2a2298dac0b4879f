/*
 * random.c
 *	  Counter-based random numbers: Philox4x32-10.
 */
#include "core/base/random.h"

#include <math.h>

#define PHILOX_ROUNDS 10
#define PHILOX_M0     0xD2511F53u
#define PHILOX_M1     0xCD9E8D57u
#define PHILOX_W0     0x9E3779B9u /* golden ratio */
#define PHILOX_W1     0xBB67AE85u /* sqrt(3) - 1 */

void
rstar_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];

	for (int round = 0; round < PHILOX_ROUNDS; round++)
	{
		uint64_t p0 = (uint64_t) PHILOX_M0 * c0;
		uint64_t p1 = (uint64_t) PHILOX_M1 * c2;

		c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t) p1;
		c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t) p0;
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

static void
stream_block(const rstar_random_stream *stream, uint32_t position, uint32_t out[4])
{
	uint32_t key[2] = {(uint32_t) stream->seed, (uint32_t) (stream->seed >> 32)};
	uint32_t counter[4] = {position, stream->candidate, (uint32_t) stream->node,
						   (uint32_t) (stream->node >> 32)};

	rstar_philox(counter, key, out);
}

uint64_t
rstar_random_bits(const rstar_random_stream *stream, uint32_t position)
{
	uint32_t out[4];

	stream_block(stream, position, out);
	return (uint64_t) out[1] << 32 | out[0];
}

double
rstar_random_uniform(const rstar_random_stream *stream, uint32_t position)
{
	return (double) (rstar_random_bits(stream, position) >> 11) * 0x1p-53;
}

void
rstar_random_normal(const rstar_random_stream *stream, uint64_t first, uint64_t n, float deviation,
					float *x)
{
	const double two_pi = 6.283185307179586;

	for (uint64_t i = 0; i < n; i++)
	{
		/* A block at position p serves the pair of indices 2p and 2p + 1. */
		uint64_t index = first + i;
		rstar_random_stream s = *stream;
		uint32_t out[4];

		s.candidate += (uint32_t) (index >> 33);
		stream_block(&s, (uint32_t) (index >> 1), out);

		double u = ((double) out[0] + 0.5) * 0x1p-32;
		double radius = sqrt(-2.0 * log(u));
		double angle = two_pi * ((double) out[1] * 0x1p-32);

		x[i] = (float) (deviation * radius * (index & 1 ? sin(angle) : cos(angle)));
	}
}

uint64_t
rstar_random_mix(uint64_t seed, uint64_t value)
{
	uint64_t z = seed + 0x9E3779B97F4A7C15u * (value + 1);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/*
 * sha256.c
 *	  SHA-256 (FIPS 180-4), streaming.
 */
#include "core/base/sha256.h"

#include <string.h>

/* Fractional parts of the square roots of the first 8 primes ... */
static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* ... and of the cube roots of the first 64. */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t
rotate(uint32_t x, int n)
{
	return (x >> n) | (x << (32 - n));
}

static inline uint32_t
load_big_endian(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof word);
	return __builtin_bswap32(word);
}

/*
 * One of the 64 rounds. The eight variables change places from round to round;
 * eight rounds, each with the names moved on by one, bring them back without
 * any copying.
 */
#define ROUND(a, b, c, d, e, f, g, h, t)                                                           \
	do                                                                                             \
	{                                                                                              \
		uint32_t first = (h) + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +                    \
						 ((g) ^ ((e) & ((f) ^ (g)))) + constants[t] + w[t];                        \
		uint32_t second =                                                                          \
			(rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (((a) & (b)) | ((c) & ((a) | (b))));  \
		(d) += first;                                                                              \
		(h) = first + second;                                                                      \
	} while (0)

/*
 * FIPS 180-4, 6.2.2. Rotating the names of the eight words rather than the words saves their
 * moves; after eight rounds they are back in their places.
 */
static void
compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

	for (int t = 0; t < 16; t++)
		w[t] = load_big_endian(block + 4 * t);
	for (int t = 16; t < 64; t++)
	{
		uint32_t early = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3);
		uint32_t late = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10);

		w[t] = w[t - 16] + early + w[t - 7] + late;
	}
	for (int t = 0; t < 64; t += 8)
	{
		ROUND(a, b, c, d, e, f, g, h, t);
		ROUND(h, a, b, c, d, e, f, g, t + 1);
		ROUND(g, h, a, b, c, d, e, f, t + 2);
		ROUND(f, g, h, a, b, c, d, e, t + 3);
		ROUND(e, f, g, h, a, b, c, d, t + 4);
		ROUND(d, e, f, g, h, a, b, c, t + 5);
		ROUND(c, d, e, f, g, h, a, b, t + 6);
		ROUND(b, c, d, e, f, g, h, a, t + 7);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void
rstar_sha256_init(rstar_sha256 *hash)
{
	memcpy(hash->state, initial, sizeof hash->state);
	hash->length = 0;
}

void
rstar_sha256_update(rstar_sha256 *hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	size_t used = hash->length % 64;

	hash->length += length;
	if (used > 0)
	{
		size_t room = 64 - used;
		size_t n = length < room ? length : room;

		memcpy(hash->block + used, at, n);
		at += n;
		length -= n;
		if (n < room)
			return;
		compress(hash->state, hash->block);
	}
	for (; length >= 64; length -= 64, at += 64)
		compress(hash->state, at);
	if (length > 0)
		memcpy(hash->block, at, length);
}

void
rstar_sha256_finish(rstar_sha256 *hash, uint8_t digest[RSTAR_SHA256_SIZE])
{
	static const uint8_t padding[64] = {0x80};
	uint64_t bits = __builtin_bswap64(hash->length * 8);
	size_t used = hash->length % 64;

	rstar_sha256_update(hash, padding, used < 56 ? 56 - used : 120 - used);
	rstar_sha256_update(hash, &bits, sizeof bits);
	for (int i = 0; i < 8; i++)
	{
		uint32_t word = __builtin_bswap32(hash->state[i]);

		memcpy(digest + 4 * i, &word, sizeof word);
	}
}

void
rstar_sha256_finish_text(rstar_sha256 *hash, char text[RSTAR_SHA256_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[RSTAR_SHA256_SIZE];

	rstar_sha256_finish(hash, digest);
	for (int i = 0; i < RSTAR_SHA256_SIZE; i++)
	{
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[2 * RSTAR_SHA256_SIZE] = '\0';
}

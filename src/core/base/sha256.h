/*
 * sha256.h
 *	  SHA-256 (FIPS 180-4), streaming; no library behind it.
 */
#ifndef RSTAR_BASE_SHA256_H
#define RSTAR_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define RSTAR_SHA256_SIZE      32
#define RSTAR_SHA256_TEXT_SIZE 65 /* 64 hexadecimal digits and a NUL */

typedef struct rstar_sha256
{
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	uint8_t block[64];
} rstar_sha256;

extern void rstar_sha256_init(rstar_sha256 *hash);
extern void rstar_sha256_update(rstar_sha256 *hash, const void *bytes, size_t length);
extern void rstar_sha256_finish(rstar_sha256 *hash, uint8_t digest[RSTAR_SHA256_SIZE]);

/* Finish, as text in lower case. */
extern void rstar_sha256_finish_text(rstar_sha256 *hash, char text[RSTAR_SHA256_TEXT_SIZE]);

#endif

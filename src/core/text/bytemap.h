/*
 * bytemap.h
 *	  The printable alphabet of byte-level BPE.
 *
 * Vocabularies of kind "gpt2" write every byte as one printable character
 * (GPT-2, Radford et al. 2019, encoder.py): the 188 bytes that are printable
 * in Latin-1 (21..7E, A1..AC, AE..FF) as themselves, the other 68 in
 * ascending order as U+0100, U+0101, …; so a blank is U+0120.
 */
#ifndef RSTAR_TEXT_BYTEMAP_H
#define RSTAR_TEXT_BYTEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSTAR_BYTEMAP_CODES 0x144 /* codes in use lie below */

typedef struct rstar_bytemap
{
	unsigned char length[256];         /* 1 or 2 */
	char text[256][2];                 /* UTF-8 of the byte's character */
	int16_t byte[RSTAR_BYTEMAP_CODES]; /* character to byte, or -1 */
} rstar_bytemap;

extern void rstar_bytemap_init(rstar_bytemap *map);

/* Write the characters of `length` bytes to out (room for 2 * length); their size. */
extern size_t rstar_bytemap_encode(const rstar_bytemap *map, const char *bytes, size_t length,
								   char *out);

/*
 * The byte for which the character at the start of text stands; *used is the
 * character's size. False where there is none.
 */
extern bool rstar_bytemap_decode(const rstar_bytemap *map, const char *text, size_t length,
								 unsigned char *byte, size_t *used);

#endif

/*
 * chars.h
 *	  Classes of bytes, without regard to the locale. Internal to core/search.
 */
#ifndef RSTAR_SEARCH_CHARS_H
#define RSTAR_SEARCH_CHARS_H

#include <stdbool.h>

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes of other letters than ASCII's count as well. */
static inline bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (unsigned char) c >= 0x80;
}

static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

#endif

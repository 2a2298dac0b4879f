/*
 * string.h
 *	  Bytes that somebody else owns.
 */
#ifndef RSTAR_BASE_STRING_H
#define RSTAR_BASE_STRING_H

#include <stddef.h>

/* A text within a map, a message or a caller's memory; not NUL-terminated. */
typedef struct rstar_string
{
	const char *data;
	size_t length;
} rstar_string;

#endif

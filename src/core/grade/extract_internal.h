/*
 * extract_internal.h
 *	  What the files of the extraction share. Internal to extract*.c.
 */
#ifndef RSTAR_GRADE_EXTRACT_INTERNAL_H
#define RSTAR_GRADE_EXTRACT_INTERNAL_H

#include <string.h>

#include "core/grade/chars.h"
#include "core/grade/extract.h"

static inline bool
starts(rstar_span span, const char *prefix)
{
	size_t length = strlen(prefix);

	return span.length >= length && memcmp(span.at, prefix, length) == 0;
}

static inline bool
ends(rstar_span span, const char *suffix)
{
	size_t length = strlen(suffix);

	return span.length >= length && memcmp(span.at + span.length - length, suffix, length) == 0;
}

static inline rstar_span
cut(rstar_span span, size_t front, size_t back)
{
	span.at += front;
	span.length -= front + back;
	return span;
}

/* Case-insensitive, phrase in lower case. */
static inline bool
phrase_at(const char *at, const char *end, const char *phrase)
{
	size_t length = strlen(phrase);

	if ((size_t) (end - at) < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (at[i] != phrase[i] && !(at[i] >= 'A' && at[i] <= 'Z' && at[i] + 32 == phrase[i]))
			return false;
	return true;
}

/* extract_sentence.c: nothing in the text changes what is said before or behind it. */
extern bool rstar_extract_harmless(rstar_span text);

/* It takes back what was said before it. */
extern bool rstar_extract_denies(rstar_span text);

#endif

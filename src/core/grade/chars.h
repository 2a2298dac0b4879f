/*
 * chars.h
 *	  Classes of bytes, without regard to the locale. Internal to core/grade.
 */
#ifndef RSTAR_GRADE_CHARS_H
#define RSTAR_GRADE_CHARS_H

#include <stdbool.h>

static inline bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

#endif

/*
 * fold.h
 *	  Unicode signs as the ASCII and LaTeX that mean the same.
 *
 * xU+00b9U+2070 becomes x^{10}, a fullwidth comma a comma, U+2264 \le, U+00bd
 * \frac{1}{2}. Characters that mean nothing in an answer stay as they are. Linear.
 */
#ifndef RSTAR_GRADE_FOLD_H
#define RSTAR_GRADE_FOLD_H

#include "core/base/memory.h"

/* Replace the text by its folded copy in the arena; pure ASCII stays. False: out of memory. */
extern bool rstar_fold_unicode(rstar_arena *arena, const char **text, size_t *length);

#endif

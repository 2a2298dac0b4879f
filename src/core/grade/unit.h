/*
 * unit.h
 *	  Units behind a number.
 *
 * A unit is a product of powers of unit words. Words of the table belong to a
 * dimension (length, time, mass, money, ...) with an exact factor, so that 1 m equals
 * 100 cm; other words ("marbles") equal themselves, singular or plural.
 * "million", "dozen" and their like belong to the number (rstar_unit_multiplier), and words
 * that would change what it says ("squared", "or", "less") are refused.
 * The rule: two answers that both name a unit are equal when the units convert into
 * each other and the converted numbers are equal. Where one of them names none, the
 * numbers alone are compared: "125" answers "how many miles".
 */
#ifndef RSTAR_GRADE_UNIT_H
#define RSTAR_GRADE_UNIT_H

#include "core/grade/integer.h"

#define RSTAR_UNIT_TERMS 8

typedef struct rstar_unit_term
{
	const char *word; /* as written, lower case, without plural; not NUL-terminated */
	uint32_t length;
	int16_t entry; /* of the table, -1: not there */
	int16_t power;
} rstar_unit_term;

typedef struct rstar_unit
{
	uint32_t n;
	rstar_unit_term term[RSTAR_UNIT_TERMS];
} rstar_unit;

/* Add word^power; false when there are too many words or memory is out. */
extern bool rstar_unit_add(rstar_work *work, rstar_unit *unit, const char *word, size_t length,
						   int power);

/* Is this a word that cannot be part of a unit ("not", "or", "than", ...)? */
extern bool rstar_unit_refuses(const char *word, size_t length);

/* A factor that belongs to the number: "million", "dozen"; else 0. */
extern int64_t rstar_unit_multiplier(const char *word, size_t length);

/* Is it a unit of the table? */
extern bool rstar_unit_is_known(const char *word, size_t length);

/*
 * Can a be converted into b? *factor is then what a's number must be multiplied
 * with. Units of unknown words convert only where one side's words are among
 * the other's ("red marbles", "marbles"), with factor 1.
 */
extern bool rstar_unit_convert(rstar_work *work, const rstar_unit *a, const rstar_unit *b,
							   rstar_rational *factor);

#endif

/*
 * integer.h
 *	  Exact integers and rationals of any size, for grading.
 *
 * Grading needs addition, multiplication, comparison, small powers, gcd and
 * decimal conversion of numbers that are nearly always below 2^64 and now and
 * then have some thousand digits. That is little enough to be written here.
 * GMP was considered and left out: its allocation functions are global to the
 * process (a second user of it in the same backend would share them) and it
 * aborts when memory is out or an operand overflows, which in PostgreSQL ends
 * every session. Everything here is immutable, lives in an arena, and returns
 * false instead.
 *
 * Two bounds make hostile input harmless: no result is longer than
 * RSTAR_INT_MAX_LIMBS, and every operation pays for its limb products out of
 * a budget shared by the whole comparison (`fuel`). When either ends, the
 * operation fails and the caller falls back to a weaker means of comparison
 * (residues, digits, text), never to a guess.
 */
#ifndef RSTAR_GRADE_INTEGER_H
#define RSTAR_GRADE_INTEGER_H

#include "core/base/memory.h"

/* Limbs are 32 bits; 2048 of them are 65,536 bits or 19,728 digits. */
#define RSTAR_INT_MAX_LIMBS 2048

/* What every step of a comparison draws on: memory, and a budget of work. */
typedef struct rstar_work
{
	rstar_arena *arena;
	int64_t fuel; /* limb products left, about 1 ns each; negative: spent */
} rstar_work;

typedef struct rstar_int
{
	bool negative;        /* never set for zero */
	uint32_t n;           /* limbs in use, 0 for zero; the top one is not 0 */
	const uint32_t *limb; /* least significant first */
} rstar_int;

/* num / den with den > 0; lowest terms after rstar_rational_reduce. */
typedef struct rstar_rational
{
	rstar_int num;
	rstar_int den;
} rstar_rational;

/* All of these return false when memory, size limit or fuel is exhausted. */
extern bool rstar_int_from_i64(rstar_work *work, int64_t value, rstar_int *out);
extern bool rstar_int_from_digits(rstar_work *work, const char *digits, size_t length,
								  unsigned base, rstar_int *out); /* [0-9a-zA-Z]+, checked */
extern bool rstar_int_add(rstar_work *work, const rstar_int *a, const rstar_int *b, rstar_int *out);
extern bool rstar_int_mul(rstar_work *work, const rstar_int *a, const rstar_int *b, rstar_int *out);
extern bool rstar_int_pow(rstar_work *work, const rstar_int *a, uint64_t exponent, rstar_int *out);

/* Truncating division; b must not be zero. Either output may be NULL. */
extern bool rstar_int_divmod(rstar_work *work, const rstar_int *a, const rstar_int *b,
							 rstar_int *quotient, rstar_int *remainder);

/* Decimal text, NUL-terminated, in the arena; NULL on failure. */
extern char *rstar_int_text(rstar_work *work, const rstar_int *a);

/* Of two machine words; gcd(a, 0) is a. */
extern uint64_t rstar_int_gcd_u64(uint64_t a, uint64_t b);

extern int rstar_int_cmp(const rstar_int *a, const rstar_int *b);
extern rstar_int rstar_int_neg(rstar_int a);
extern bool rstar_int_to_i64(const rstar_int *a, int64_t *out); /* false: does not fit */
extern size_t rstar_int_bits(const rstar_int *a);

static inline bool
rstar_int_is_zero(const rstar_int *a)
{
	return a->n == 0;
}

extern bool rstar_rational_from_i64(rstar_work *work, int64_t num, int64_t den,
									rstar_rational *out); /* den > 0 */
extern bool rstar_rational_add(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
							   rstar_rational *out);
extern bool rstar_rational_mul(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
							   rstar_rational *out);

/* Also false when b is zero. */
extern bool rstar_rational_div(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
							   rstar_rational *out);

/* a^exponent; also false for 0 to a negative power. */
extern bool rstar_rational_pow(rstar_work *work, const rstar_rational *a, int64_t exponent,
							   rstar_rational *out);
extern bool rstar_rational_reduce(rstar_work *work, rstar_rational *a);

/* *order: negative, zero or positive as a is below, equal to or above b. */
extern bool rstar_rational_cmp(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
							   int *order);

#endif

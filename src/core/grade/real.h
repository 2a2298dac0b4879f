/*
 * real.h
 *	  Real and complex numbers of 256 bits that know how wrong they are.
 *
 * Two answers such as \sqrt{2}+\sqrt{3} and \pi, or e^{\pi\sqrt{163}} and the
 * integer it nearly is, can only be told apart numerically when the precision
 * is far beyond their distance and the error of the evaluation is known. So a
 * value here is a midpoint with 256 bits of mantissa and a 64-bit exponent
 * (there is no overflow short of towers of powers), and a radius that bounds
 * the error: "midpoint-radius" or ball arithmetic, see J. van der Hoeven,
 * "Ball arithmetic" (2009), and F. Johansson, "Arb: efficient arbitrary-
 * precision midpoint-radius interval arithmetic" (arXiv 1611.02831).
 *
 * Two balls that do not meet are certainly different numbers. Two that meet
 * while both are smaller than 2^-100 of their values agree to 30 digits, and
 * count as equal.
 *
 * MPFR does this too, but stands on GMP (see integer.h on that).
 */
#ifndef RSTAR_GRADE_REAL_H
#define RSTAR_GRADE_REAL_H

#include "core/grade/integer.h"

#define RSTAR_REAL_LIMBS 4
#define RSTAR_REAL_BITS  256

/* sign * 0.limb * 2^exponent, top bit of limb[3] set; sign 0 is zero. */
typedef struct rstar_real
{
	int sign;
	int64_t exponent;
	uint64_t limb[RSTAR_REAL_LIMBS];
} rstar_real;

/* An upper bound: mantissa * 2^exponent, mantissa in [0.5, 1) or 0. */
typedef struct rstar_radius
{
	double mantissa;
	int64_t exponent;
} rstar_radius;

/* Everything within radius (as a distance in the plane) of re + i im. */
typedef struct rstar_ball
{
	rstar_real re;
	rstar_real im;
	rstar_radius radius;
} rstar_ball;

/* Plain reals, correct to about 2^-250 of the result. */
extern rstar_real rstar_real_from_i64(int64_t value);
extern rstar_real rstar_real_from_int(const rstar_int *value);
extern rstar_real rstar_real_neg(rstar_real a);
extern rstar_real rstar_real_add(const rstar_real *a, const rstar_real *b);
extern rstar_real rstar_real_sub(const rstar_real *a, const rstar_real *b);
extern rstar_real rstar_real_mul(const rstar_real *a, const rstar_real *b);
extern rstar_real rstar_real_div(const rstar_real *a, const rstar_real *b); /* b not 0 */
extern rstar_real rstar_real_scale(rstar_real a, int64_t shift);            /* a * 2^shift */
extern rstar_real rstar_real_sqrt(const rstar_real *a);                     /* a >= 0 */
extern rstar_real rstar_real_exp(const rstar_real *a); /* |a| < 2^40, else check first */
extern rstar_real rstar_real_log(const rstar_real *a); /* a > 0 */
extern void rstar_real_sincos(const rstar_real *a, rstar_real *sine, rstar_real *cosine);
extern rstar_real rstar_real_atan2(const rstar_real *y, const rstar_real *x);
extern rstar_real rstar_real_pi(void);
extern int rstar_real_cmp(const rstar_real *a, const rstar_real *b);
extern double rstar_real_to_double(const rstar_real *a);

/* Nearest integer, false when beyond 62 bits. */
extern bool rstar_real_round(const rstar_real *a, int64_t *out);

/* Balls. The functions that return bool are false where the value is undefined. */
extern rstar_ball rstar_ball_exact(rstar_real re, rstar_real im);
extern rstar_ball rstar_ball_rounded(rstar_real re, rstar_real im); /* last bits uncertain */
extern rstar_ball rstar_ball_from_i64(int64_t value);
extern rstar_ball rstar_ball_neg(rstar_ball a);
extern rstar_ball rstar_ball_add(const rstar_ball *a, const rstar_ball *b);
extern rstar_ball rstar_ball_sub(const rstar_ball *a, const rstar_ball *b);
extern rstar_ball rstar_ball_mul(const rstar_ball *a, const rstar_ball *b);
extern bool rstar_ball_div(const rstar_ball *a, const rstar_ball *b, rstar_ball *out);
extern bool rstar_ball_exp(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_log(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_sqrt(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_sincos(const rstar_ball *a, rstar_ball *sine, rstar_ball *cosine);
extern bool rstar_ball_atan(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_asin(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_acos(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_abs(const rstar_ball *a, rstar_ball *out);
extern bool rstar_ball_pow_i64(const rstar_ball *a, int64_t exponent, rstar_ball *out);

/* exp(b log a), principal value; 0^b is 0 for b with positive real part. */
extern bool rstar_ball_pow(const rstar_ball *a, const rstar_ball *b, rstar_ball *out);

/* Can the imaginary part be zero? Can the whole number be zero? */
extern bool rstar_ball_is_real(const rstar_ball *a);
extern bool rstar_ball_may_be_zero(const rstar_ball *a);

/* +1, -1 for a certainly positive or negative real part; 0 when not certain. */
extern int rstar_ball_sign(const rstar_ball *a);

typedef enum rstar_ball_verdict
{
	RSTAR_BALLS_DIFFER, /* certain */
	RSTAR_BALLS_AGREE,  /* to 2^-100 of their size */
	RSTAR_BALLS_UNSURE  /* the errors are too large to tell */
} rstar_ball_verdict;

extern rstar_ball_verdict rstar_ball_compare(const rstar_ball *a, const rstar_ball *b);

#endif

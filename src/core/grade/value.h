/*
 * value.h
 *	  Three ways to the value of an expression.
 *
 * exact     a rational number, for what has one.
 * residue   the expression modulo a 61-bit prime, its names replaced by fixed
 *           pseudo-random residues. Two rational functions are equal exactly
 *           when they agree at a random point, except with a probability of
 *           degree / 2^61 for each prime (Schwartz 1980, Zippel 1979). Whatever
 *           is no rational operation (\sin, roots, unknown functions) is replaced
 *           by a hash of its name and its arguments' residues: equal arguments
 *           give equal values, so agreement stays sound.
 * ball      a complex number with an error bound (real.h), its names replaced by
 *           fixed pseudo-random real values. Decides what residues cannot:
 *           \sin^2 x = 1 - \cos^2 x, \sqrt{8} = 2\sqrt{2}.
 *
 * All three are deterministic: nothing depends on anything but the two answers.
 */
#ifndef RSTAR_GRADE_VALUE_H
#define RSTAR_GRADE_VALUE_H

#include "core/grade/parse.h"
#include "core/grade/real.h"

#define RSTAR_RESIDUE_POINTS 2
#define RSTAR_BALL_POINTS    6
#define RSTAR_STEP_POINTS    32 /* for functions with steps, whose values hide their arguments */

/* A literal decimal: how many digits it states. */
typedef struct rstar_decimal
{
	rstar_rational value;
	int64_t exponent;     /* one unit in the last place is 10^exponent */
	uint32_t significant; /* digits from the first that is not 0 */
} rstar_decimal;

typedef enum rstar_log_base
{
	RSTAR_LOG_UNSTATED, /* \log is a logarithm to a base that is not known */
	RSTAR_LOG_NATURAL,
	RSTAR_LOG_TEN
} rstar_log_base;

typedef struct rstar_evaluation
{
	rstar_work *work;
	unsigned point;          /* which prime, which values of the names */
	rstar_log_base log_base; /* ball only */
	bool integers;           /* ball: names stand for positive integers */
	bool wide;               /* ball: names spread over a wide range */
	bool i_is_name;          /* i is a variable like any other */
	/* Filled in: */
	bool irrational;  /* residue: something was hashed */
	bool names;       /* ball: the value depends on a name */
	bool left_reals;  /* ball: a root or logarithm of a negative number on the way */
	bool unstated;    /* ball: a logarithm without base */
	bool unevaluated; /* ball: a sum, integral or limit stands for a random value */
} rstar_evaluation;

extern bool rstar_value_exact(rstar_work *work, const rstar_expr *node, rstar_rational *out);

/* The tree of a rational number. NULL: out of memory. */
extern const rstar_expr *rstar_expr_rational(rstar_work *work, const rstar_rational *value);

/* The same, for a value that is an integer below 2^63. */
extern bool rstar_value_integer(rstar_work *work, const rstar_expr *node, int64_t *out);
extern bool rstar_value_residue(rstar_evaluation *evaluation, const rstar_expr *node,
								uint64_t *out);

/* As a fraction: numerator and denominator without cancelling. */
extern bool rstar_value_fraction(rstar_evaluation *evaluation, const rstar_expr *node,
								 uint64_t *num, uint64_t *den);
extern bool rstar_value_ball(rstar_evaluation *evaluation, const rstar_expr *node, rstar_ball *out);

/* a * b modulo the prime of a point. */
extern uint64_t rstar_residue_mul(unsigned point, uint64_t a, uint64_t b);

/* Is it a literal with a decimal point (perhaps negative, perhaps times 10^n)? */
extern bool rstar_value_decimal(rstar_work *work, const rstar_expr *node, rstar_decimal *out);

#endif

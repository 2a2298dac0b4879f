/*
 * numeric.c
 *	  Expressions as complex balls: see value.h.
 *
 * Roots are real where a reader expects it: an odd root of a negative real
 * number, or a power p/q of one with q odd, is the real one.
 */
#include "core/grade/value.h"

#include <string.h>

#define MAX_FACTORIAL 200
#define FUNCTION_COST 20000 /* of the budget, in about nanoseconds */

static rstar_ball
rational_ball(const rstar_rational *value)
{
	rstar_real num = rstar_real_from_int(&value->num);
	rstar_real den = rstar_real_from_int(&value->den);
	rstar_real zero = rstar_real_from_i64(0);

	if (rstar_int_bits(&value->den) == 1 && rstar_int_bits(&value->num) <= 240)
		return rstar_ball_exact(num, zero);
	return rstar_ball_rounded(rstar_real_div(&num, &den), zero);
}

/*
 * The value of a name at a point: at points 0, 2, 4 between 0.2 and 1, at 1, 3,
 * 5 between 1 and 4; from point 2 on with either sign. Where functions have steps,
 * half of the values grow with the point, up to 2^31.
 */
static rstar_ball
sample(const rstar_evaluation *e, uint64_t hash)
{
	uint64_t bits = rstar_hash_mix(hash, 1000 + e->point);
	int64_t value = (int64_t) (bits & 0xfffff); /* of 2^20 */

	if (e->integers)
		return rstar_ball_from_i64(2 + (int64_t) (bits % 11));
	value = e->point % 2 ? 1100000 + value * 2 : 210000 + value * 3 / 4;
	if (e->point >= 2 && (bits >> 40 & 1))
		value = -value;
	return rstar_ball_exact(
		rstar_real_scale(rstar_real_from_i64(value), e->wide ? (int64_t) e->point - 20 : -20),
		rstar_real_from_i64(0));
}

static rstar_ball
pi_ball(void)
{
	return rstar_ball_rounded(rstar_real_pi(), rstar_real_from_i64(0));
}

static bool
numeric_constant(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_ball one = rstar_ball_from_i64(1);

	switch (node->op)
	{
		case RSTAR_CONSTANT_PI:
			*out = pi_ball();
			return true;
		case RSTAR_CONSTANT_E:
			return rstar_ball_exp(&one, out);
		case RSTAR_CONSTANT_I:
			if (e->i_is_name)
			{
				e->names = true;
				*out = sample(e, RSTAR_SEED_I);
				return true;
			}
			*out = rstar_ball_exact(rstar_real_from_i64(0), rstar_real_from_i64(1));
			return true;
		default:
			return false;
	}
}

static bool
certainly_negative(const rstar_ball *a)
{
	return rstar_ball_is_real(a) && rstar_ball_sign(a) < 0;
}

/* |a|^(n/d), with the sign of a to the n: d is odd and a negative. */
static bool
odd_root_power(const rstar_ball *a, const rstar_ball *exponent, bool odd_power, rstar_ball *out)
{
	rstar_ball positive = rstar_ball_neg(*a);

	positive.im = rstar_real_from_i64(0);
	if (!rstar_ball_pow(&positive, exponent, out))
		return false;
	if (odd_power)
		*out = rstar_ball_neg(*out);
	return true;
}

static bool
is_odd(const rstar_int *a)
{
	return a->n > 0 && (a->limb[0] & 1);
}

/*
 * By repeated multiplication for integral exponents, so that signs and errors stay exact; else by exp and log,
 * where an odd root of a negative number is the real one.
 */
static bool
numeric_power(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_ball base, exponent;
	rstar_rational exact;
	int64_t n;

	if (!rstar_value_ball(e, node->child[0], &base))
		return false;
	if (rstar_value_exact(e->work, node->child[1], &exact) &&
		rstar_rational_reduce(e->work, &exact))
	{
		if (rstar_int_bits(&exact.den) == 1 && rstar_int_to_i64(&exact.num, &n) && n < 100000 &&
			n > -100000)
			return rstar_ball_pow_i64(&base, n, out);
		e->work->fuel -= FUNCTION_COST;
		exponent = rational_ball(&exact);
		if (certainly_negative(&base))
		{
			if (is_odd(&exact.den))
				return odd_root_power(&base, &exponent, is_odd(&exact.num), out);
			e->left_reals = true;
		}
		return rstar_ball_pow(&base, &exponent, out);
	}
	e->work->fuel -= FUNCTION_COST;
	if (e->work->fuel < 0 || !rstar_value_ball(e, node->child[1], &exponent))
		return false;
	if (e->integers && rstar_ball_is_real(&exponent) && rstar_real_round(&exponent.re, &n) &&
		n < 10000 && n > -10000)
	{
		rstar_ball whole = rstar_ball_from_i64(n);

		if (rstar_ball_compare(&whole, &exponent) == RSTAR_BALLS_AGREE)
			return rstar_ball_pow_i64(&base, n, out);
	}
	if (certainly_negative(&base))
		e->left_reals = true;
	return rstar_ball_pow(&base, &exponent, out);
}

/* The real root where the index is odd and the radicand negative, else the principal one. */
static bool
numeric_root(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_ball radicand, exponent;
	rstar_rational index, one;
	bool odd;

	if (!rstar_value_ball(e, node->child[0], &radicand))
		return false;
	if (node->count == 1)
	{
		if (certainly_negative(&radicand))
			e->left_reals = true;
		return rstar_ball_sqrt(&radicand, out);
	}
	if (!rstar_value_exact(e->work, node->child[1], &index) ||
		!rstar_rational_reduce(e->work, &index) || rstar_int_bits(&index.den) != 1)
	{
		rstar_ball root, unit = rstar_ball_from_i64(1);

		return rstar_value_ball(e, node->child[1], &root) &&
			   rstar_ball_div(&unit, &root, &exponent) && rstar_ball_pow(&radicand, &exponent, out);
	}
	odd = is_odd(&index.num);
	if (!rstar_rational_from_i64(e->work, 1, 1, &one) ||
		!rstar_rational_div(e->work, &one, &index, &index))
		return false;
	exponent = rational_ball(&index);
	if (certainly_negative(&radicand))
	{
		if (odd)
			return odd_root_power(&radicand, &exponent, true, out);
		e->left_reals = true;
	}
	return rstar_ball_pow(&radicand, &exponent, out);
}

/* A ball that is a small non-negative integer. */
static bool
small_integer(const rstar_ball *a, int64_t *out)
{
	rstar_ball whole;

	if (!rstar_ball_is_real(a) || !rstar_real_round(&a->re, out) || *out < 0 ||
		*out > MAX_FACTORIAL)
		return false;
	whole = rstar_ball_from_i64(*out);
	return rstar_ball_compare(&whole, a) == RSTAR_BALLS_AGREE;
}

static bool
numeric_factorial(const rstar_ball *a, rstar_ball *out)
{
	int64_t n;

	if (!small_integer(a, &n))
		return false;
	*out = rstar_ball_from_i64(1);
	for (int64_t i = 2; i <= n; i++)
	{
		rstar_ball step = rstar_ball_from_i64(i);

		*out = rstar_ball_mul(out, &step);
	}
	return true;
}

/* n (n-1) ... (n-k+1) / k! for a small integer k */
static bool
numeric_binomial(const rstar_ball *n, const rstar_ball *k, rstar_ball *out)
{
	rstar_ball one = rstar_ball_from_i64(1);
	rstar_ball factor = *n;
	int64_t count;

	if (!small_integer(k, &count))
		return false;
	*out = one;
	for (int64_t i = 1; i <= count; i++)
	{
		rstar_ball divisor = rstar_ball_from_i64(i);

		*out = rstar_ball_mul(out, &factor);
		if (!rstar_ball_div(out, &divisor, out))
			return false;
		factor = rstar_ball_sub(&factor, &one);
	}
	return true;
}

static bool
numeric_floor(const rstar_ball *a, bool up, rstar_ball *out)
{
	rstar_ball whole, rest;
	int64_t n;
	int sign;

	if (!rstar_ball_is_real(a) || !rstar_real_round(&a->re, &n))
		return false;
	whole = rstar_ball_from_i64(n);
	rest = rstar_ball_sub(a, &whole);
	sign = rstar_ball_sign(&rest);
	if (sign == 0 && rstar_ball_compare(a, &whole) != RSTAR_BALLS_AGREE)
		return false;
	*out = rstar_ball_from_i64(n + (up ? sign > 0 : -(sign < 0)));
	return true;
}

static bool
reciprocal(const rstar_ball *a, rstar_ball *out)
{
	rstar_ball one = rstar_ball_from_i64(1);

	return rstar_ball_div(&one, a, out);
}

static bool
numeric_trigonometric(unsigned function, const rstar_ball *a, rstar_ball *out)
{
	rstar_ball sine, cosine;

	if (!rstar_ball_sincos(a, &sine, &cosine))
		return false;
	switch (function)
	{
		case RSTAR_FUNCTION_SIN:
			*out = sine;
			return true;
		case RSTAR_FUNCTION_COS:
			*out = cosine;
			return true;
		case RSTAR_FUNCTION_TAN:
			return rstar_ball_div(&sine, &cosine, out);
		case RSTAR_FUNCTION_COT:
			return rstar_ball_div(&cosine, &sine, out);
		case RSTAR_FUNCTION_SEC:
			return reciprocal(&cosine, out);
		default:
			return reciprocal(&sine, out);
	}
}

static bool
outside_unit(const rstar_ball *a)
{
	rstar_ball one = rstar_ball_from_i64(1);
	rstar_ball length;

	if (!rstar_ball_abs(a, &length))
		return true;
	length = rstar_ball_sub(&length, &one);
	return rstar_ball_sign(&length) > 0;
}

static bool
numeric_inverse(rstar_evaluation *e, unsigned function, rstar_ball a, rstar_ball *out)
{
	rstar_ball half_pi = pi_ball();

	half_pi.re = rstar_real_scale(half_pi.re, -1);
	switch (function)
	{
		case RSTAR_FUNCTION_ASEC:
		case RSTAR_FUNCTION_ACSC:
			if (!reciprocal(&a, &a))
				return false;
			/* fall through */
		case RSTAR_FUNCTION_ASIN:
		case RSTAR_FUNCTION_ACOS:
			if (outside_unit(&a))
				e->left_reals = true;
			if (function == RSTAR_FUNCTION_ASIN || function == RSTAR_FUNCTION_ACSC)
				return rstar_ball_asin(&a, out);
			return rstar_ball_acos(&a, out);
		case RSTAR_FUNCTION_ATAN:
			return rstar_ball_atan(&a, out);
		default: /* arccot: between 0 and pi */
			if (!rstar_ball_atan(&a, out))
				return false;
			*out = rstar_ball_sub(&half_pi, out);
			return true;
	}
}

static bool
numeric_hyperbolic(unsigned function, const rstar_ball *a, rstar_ball *out)
{
	rstar_ball up, down, plus, minus, two = rstar_ball_from_i64(2);

	if (!rstar_ball_exp(a, &up) || !reciprocal(&up, &down))
		return false;
	plus = rstar_ball_add(&up, &down);
	minus = rstar_ball_sub(&up, &down);
	switch (function)
	{
		case RSTAR_FUNCTION_SINH:
			return rstar_ball_div(&minus, &two, out);
		case RSTAR_FUNCTION_COSH:
			return rstar_ball_div(&plus, &two, out);
		case RSTAR_FUNCTION_TANH:
			return rstar_ball_div(&minus, &plus, out);
		default:
			return rstar_ball_div(&plus, &minus, out);
	}
}

static bool
numeric_log(rstar_evaluation *e, const rstar_expr *node, const rstar_ball *a, rstar_ball *out)
{
	rstar_ball base, ten = rstar_ball_from_i64(10);
	rstar_ball unknown = rstar_ball_from_i64(7);

	if (certainly_negative(a))
		e->left_reals = true;
	if (!rstar_ball_log(a, out))
		return false;
	if (node->op == RSTAR_FUNCTION_LN)
		return true;
	if (node->op == RSTAR_FUNCTION_LG)
		return rstar_ball_log(&ten, &base) && rstar_ball_div(out, &base, out);
	if (node->count == 2)
		return rstar_value_ball(e, node->child[1], &base) && rstar_ball_log(&base, &base) &&
			   rstar_ball_div(out, &base, out);
	e->unstated = true;
	if (e->log_base == RSTAR_LOG_NATURAL)
		return true;
	if (e->log_base == RSTAR_LOG_UNSTATED)
		return rstar_ball_sincos(&unknown, &base, &ten) && rstar_ball_div(out, &base, out);
	return rstar_ball_log(&ten, &base) && rstar_ball_div(out, &base, out);
}

static bool
numeric_extreme(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_ball next, difference;

	for (uint32_t i = 0; i < node->count; i++)
	{
		int sign;

		if (!rstar_value_ball(e, node->child[i], &next) || !rstar_ball_is_real(&next))
			return false;
		if (i == 0)
			*out = next;
		difference = rstar_ball_sub(&next, out);
		sign = rstar_ball_sign(&difference);
		if (node->op == RSTAR_FUNCTION_MAX ? sign > 0 : sign < 0)
			*out = next;
	}
	return node->count > 0;
}

/* An exact value where there is one, else the function of the table that real.h has. */
static bool
numeric_call(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	unsigned f = node->op;
	rstar_rational exact;
	rstar_ball a, b;

	if (rstar_value_exact(e->work, node, &exact))
	{
		*out = rational_ball(&exact);
		return true;
	}
	e->work->fuel -= FUNCTION_COST;
	if (e->work->fuel < 0 || node->count == 0)
		return false;
	if (f == RSTAR_FUNCTION_SQRT)
		return numeric_root(e, node, out);
	if (f == RSTAR_FUNCTION_MAX || f == RSTAR_FUNCTION_MIN)
		return numeric_extreme(e, node, out);
	if (!rstar_value_ball(e, node->child[0], &a))
		return false;
	if (f <= RSTAR_FUNCTION_CSC)
		return numeric_trigonometric(f, &a, out);
	if (f <= RSTAR_FUNCTION_ACSC)
		return numeric_inverse(e, f, a, out);
	if (f <= RSTAR_FUNCTION_COTH)
		return numeric_hyperbolic(f, &a, out);
	switch (f)
	{
		case RSTAR_FUNCTION_LN:
		case RSTAR_FUNCTION_LOG:
		case RSTAR_FUNCTION_LG:
			return numeric_log(e, node, &a, out);
		case RSTAR_FUNCTION_EXP:
			return rstar_ball_exp(&a, out);
		case RSTAR_FUNCTION_ABS:
			return rstar_ball_abs(&a, out);
		case RSTAR_FUNCTION_FLOOR:
		case RSTAR_FUNCTION_CEIL:
			return numeric_floor(&a, f == RSTAR_FUNCTION_CEIL, out);
		case RSTAR_FUNCTION_FACTORIAL:
			return numeric_factorial(&a, out);
		case RSTAR_FUNCTION_BINOMIAL:
			return node->count == 2 && rstar_value_ball(e, node->child[1], &b) &&
				   numeric_binomial(&a, &b, out);
		default:
			return false;
	}
}

static bool
numeric_fold(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_ball next;

	if (!rstar_value_ball(e, node->child[0], out))
		return false;
	for (uint32_t i = 1; i < node->count; i++)
	{
		if (!rstar_value_ball(e, node->child[i], &next))
			return false;
		*out =
			node->kind == RSTAR_EXPR_SUM ? rstar_ball_add(out, &next) : rstar_ball_mul(out, &next);
	}
	return true;
}

static bool
is_operator(const rstar_expr *node)
{
	static const char *const names[] = {"sum", "prod", "int", "lim"};

	for (size_t i = 0; node->text && i < sizeof(names) / sizeof(names[0]); i++)
		if (node->length == strlen(names[i]) && memcmp(node->text, names[i], node->length) == 0)
			return true;
	return false;
}

/* Unknown functions take a value that depends on their arguments' residues. */
static bool
numeric_apply(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_evaluation residue = *e;
	uint64_t hash;

	residue.point = 0;
	if (!rstar_value_residue(&residue, node, &hash))
		return false;
	e->names = true;
	e->unevaluated |= is_operator(node);
	*out = sample(e, hash);
	return true;
}

/* By recursion over the tree; false where a value is undefined, unknown, or the budget spent. */
bool
rstar_value_ball(rstar_evaluation *e, const rstar_expr *node, rstar_ball *out)
{
	rstar_rational exact;
	rstar_ball value;

	if ((e->work->fuel -= 1000) < 0)
		return false;
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_NUMBER:
		case RSTAR_EXPR_BASED:
			if (!rstar_value_exact(e->work, node, &exact))
				return false;
			*out = rational_ball(&exact);
			return true;
		case RSTAR_EXPR_NAME:
			e->names = true;
			*out = sample(e, node->hash);
			return true;
		case RSTAR_EXPR_CONSTANT:
			return numeric_constant(e, node, out);
		case RSTAR_EXPR_SUM:
		case RSTAR_EXPR_PRODUCT:
			return numeric_fold(e, node, out);
		case RSTAR_EXPR_NEGATIVE:
			if (!rstar_value_ball(e, node->child[0], &value))
				return false;
			*out = rstar_ball_neg(value);
			return true;
		case RSTAR_EXPR_RATIO:
			if (node->count != 2)
				return false;
			/* fall through */
		case RSTAR_EXPR_QUOTIENT:
			return rstar_value_ball(e, node->child[0], out) &&
				   rstar_value_ball(e, node->child[1], &value) && rstar_ball_div(out, &value, out);
		case RSTAR_EXPR_PERCENT:
			value = rstar_ball_from_i64(100);
			return rstar_value_ball(e, node->child[0], out) && rstar_ball_div(out, &value, out);
		case RSTAR_EXPR_DEGREE:
		{
			rstar_ball pi = pi_ball();

			value = rstar_ball_from_i64(180);
			if (!rstar_value_ball(e, node->child[0], out))
				return false;
			*out = rstar_ball_mul(out, &pi);
			return rstar_ball_div(out, &value, out);
		}
		case RSTAR_EXPR_POWER:
			return numeric_power(e, node, out);
		case RSTAR_EXPR_CALL:
			return numeric_call(e, node, out);
		case RSTAR_EXPR_APPLY:
			return numeric_apply(e, node, out);
		default:
			return false;
	}
}

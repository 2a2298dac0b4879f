/*
 * expression.c
 *	  Rules number, decimal and expression: see grade.h.
 */
#include "core/grade/compare.h"

#define APPROXIMATE_DIGITS 12 /* from here on a decimal may stand for a longer one */
#define DOUBLE_DIGITS      15 /* from here on it may be a printed double */
#define DOUBLE_DECIMALS    6
#define DOUBLE_NOISE       48 /* bits that a computed double is trusted for */

bool
rstar_expr_has_names(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_NAME || node->kind == RSTAR_EXPR_APPLY)
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (rstar_expr_has_names(node->child[i]))
			return true;
	return false;
}

/* (-1)^n, n!, \binom{n}{k}: the names are whole numbers. */
static bool
wants_integers(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_CALL &&
		(node->op == RSTAR_FUNCTION_FACTORIAL || node->op == RSTAR_FUNCTION_BINOMIAL) &&
		rstar_expr_has_names(node))
		return true;
	if (node->kind == RSTAR_EXPR_POWER && node->child[0]->kind == RSTAR_EXPR_NEGATIVE &&
		!rstar_expr_has_names(node->child[0]) && rstar_expr_has_names(node->child[1]))
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (wants_integers(node->child[i]))
			return true;
	return false;
}

/* Floors, maxima: equal at a few points says little. */
static bool
has_steps(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_CALL && rstar_expr_has_names(node))
		switch (node->op)
		{
			case RSTAR_FUNCTION_FLOOR:
			case RSTAR_FUNCTION_CEIL:
			case RSTAR_FUNCTION_MAX:
			case RSTAR_FUNCTION_MIN:
			case RSTAR_FUNCTION_ABS:
				return true;
			default:
				break;
		}
	for (uint32_t i = 0; i < node->count; i++)
		if (has_steps(node->child[i]))
			return true;
	return false;
}

/* 10^exponent as a real */
static bool
ulp(rstar_work *work, int64_t exponent, rstar_real *out)
{
	rstar_rational ten;
	rstar_real num, den;

	if (exponent > 4000 || exponent < -4000 || !rstar_rational_from_i64(work, 10, 1, &ten) ||
		!rstar_rational_pow(work, &ten, exponent, &ten))
		return false;
	num = rstar_real_from_int(&ten.num);
	den = rstar_real_from_int(&ten.den);
	*out = rstar_real_div(&num, &den);
	return true;
}

/* Does the decimal state the digits of the value? */
static bool
states_digits(rstar_work *work, const rstar_decimal *decimal, const rstar_ball *value)
{
	rstar_real num = rstar_real_from_int(&decimal->value.num);
	rstar_real den = rstar_real_from_int(&decimal->value.den);
	rstar_real stated = rstar_real_div(&num, &den);
	rstar_real unit, half, distance, size;

	if (!rstar_ball_is_real(value) || !ulp(work, decimal->exponent, &unit))
		return false;
	distance = rstar_real_sub(&value->re, &stated);
	size = value->re;
	size.sign = size.sign < 0 ? 1 : size.sign;
	if (value->re.sign < 0) /* positive: the value is further from zero */
		distance = rstar_real_neg(distance);
	half = rstar_real_scale(unit, -1);
	if (distance.sign >= 0 && rstar_real_cmp(&distance, &unit) < 0)
		return true; /* cut off */
	distance.sign = distance.sign < 0 ? 1 : distance.sign;
	if (rstar_real_cmp(&distance, &half) <= 0)
		return true; /* rounded */
	size = rstar_real_scale(size, -DOUBLE_NOISE);
	return decimal->significant >= DOUBLE_DIGITS && decimal->exponent <= -DOUBLE_DECIMALS &&
		   rstar_real_cmp(&distance, &size) <= 0;
}

static bool
decimal_equals(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	rstar_decimal decimal;
	rstar_evaluation e = {.work = c->work, .log_base = RSTAR_LOG_NATURAL};
	rstar_ball value;

	if (!rstar_value_decimal(c->work, a, &decimal) || decimal.significant < APPROXIMATE_DIGITS)
		return false;
	if (!rstar_value_ball(&e, b, &value) || e.names)
		return false;
	return states_digits(c->work, &decimal, &value);
}

typedef struct sampling
{
	int agree;
	int differ;
	int unsure;
	bool unstated; /* a logarithm without base on either side */
	bool names;
	bool unevaluated;
} sampling;

static sampling
sample_points(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b,
			  rstar_log_base log_base, bool reals_only)
{
	sampling result = {0};
	bool integers = wants_integers(a) || wants_integers(b);
	bool steps = has_steps(a) || has_steps(b);
	unsigned points = steps || integers ? RSTAR_STEP_POINTS : RSTAR_BALL_POINTS;

	for (unsigned point = 0; point < points && result.differ == 0; point++)
	{
		rstar_evaluation ea = {.work = c->work,
							   .wide = steps && point % 2,
							   .point = point,
							   .log_base = log_base,
							   .integers = integers,
							   .i_is_name = c->i_is_name};
		rstar_evaluation eb = ea;
		rstar_ball x, y;

		if (!rstar_value_ball(&ea, a, &x) || !rstar_value_ball(&eb, b, &y))
			result.unsure++;
		else if (reals_only && (ea.left_reals || eb.left_reals) && (ea.names || eb.names))
			result.unsure++;
		else
			switch (rstar_ball_compare(&x, &y))
			{
				case RSTAR_BALLS_DIFFER:
					result.differ++;
					break;
				case RSTAR_BALLS_AGREE:
					result.agree++;
					break;
				case RSTAR_BALLS_UNSURE:
					result.unsure++;
					break;
			}
		result.unstated |= ea.unstated || eb.unstated;
		result.names |= ea.names || eb.names;
		result.unevaluated |= ea.unevaluated || eb.unevaluated;
		if (!result.names)
			break;
		if (c->work->fuel < 0)
			break;
	}
	return result;
}

/* Constants need one point, functions two at least, and no point against. */
static bool
numerically_equal(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b,
				  rstar_log_base log_base)
{
	sampling points = sample_points(c, a, b, log_base, true);

	if (points.names && points.agree < 2 && points.differ == 0)
		points = sample_points(c, a, b, log_base, false);
	if (points.differ == 0 && points.agree >= (points.names ? 2 : 1))
		return true;
	if (points.differ == 0 || points.unevaluated)
		c->undecided = true;
	return log_base == RSTAR_LOG_UNSTATED && points.unstated &&
		   (numerically_equal(c, a, b, RSTAR_LOG_NATURAL) ||
			numerically_equal(c, a, b, RSTAR_LOG_TEN));
}

/* -1: unequal for certain or not known, +1: equal, 0: up to what was hashed. */
static int
compare_residues(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool irrational = false;
	bool equal = true;

	for (unsigned point = 0; point < RSTAR_RESIDUE_POINTS && equal; point++)
	{
		rstar_evaluation ea = {.work = c->work, .point = point, .i_is_name = c->i_is_name};
		rstar_evaluation eb = ea;
		uint64_t va, vb;

		if (!rstar_value_residue(&ea, a, &va) || !rstar_value_residue(&eb, b, &vb))
		{
			c->undecided |= c->work->fuel < 0;
			return -1;
		}
		equal = va == vb;
		irrational |= ea.irrational || eb.irrational;
	}
	return equal ? 1 : irrational ? 0 : -1;
}

/* 12, -0.5, 3/4: short enough for exact arithmetic without a thought. */
static bool
is_short(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_NEGATIVE || node->kind == RSTAR_EXPR_QUOTIENT)
	{
		for (uint32_t i = 0; i < node->count; i++)
			if (!is_short(node->child[i]))
				return false;
		return true;
	}
	if (node->kind != RSTAR_EXPR_NUMBER || node->length > 18)
		return false;
	for (uint32_t i = 0; i < node->length; i++)
		if (node->text[i] == 'e' || node->text[i] == 'E')
			return false;
	return true;
}

/*
 * Residues first: they are cheap for numbers of any size. Where they agree and
 * both values are rational numbers within bounds, exact arithmetic confirms.
 */
bool
rstar_compare_expressions(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	rstar_rational x, y;
	int verdict = -1;
	int order;

	if (is_short(a) && is_short(b))
	{
		c->rule = RSTAR_RULE_NUMBER;
		if (!rstar_value_exact(c->work, a, &x) || !rstar_value_exact(c->work, b, &y) ||
			!rstar_rational_cmp(c->work, &x, &y, &order))
			return false;
		if (order == 0)
			return true;
	}
	else
		verdict = compare_residues(c, a, b);

	c->rule = RSTAR_RULE_EXPRESSION;
	if (verdict > 0)
	{
		if (rstar_value_exact(c->work, a, &x) && rstar_value_exact(c->work, b, &y) &&
			rstar_rational_cmp(c->work, &x, &y, &order))
		{
			c->rule = RSTAR_RULE_NUMBER;
			return order == 0;
		}
		return true;
	}
	if (decimal_equals(c, a, b) || decimal_equals(c, b, a))
	{
		c->rule = RSTAR_RULE_DECIMAL;
		return true;
	}
	return verdict == 0 && numerically_equal(c, a, b, RSTAR_LOG_UNSTATED);
}

/*
 * The order of two real constants; infinity is above everything.
 */
static bool
infinite(const rstar_expr *node, int *sign)
{
	*sign = 1;
	if (node->kind == RSTAR_EXPR_NEGATIVE)
	{
		*sign = -1;
		node = node->child[0];
	}
	return node->kind == RSTAR_EXPR_CONSTANT && node->op == RSTAR_CONSTANT_INFINITY;
}

bool
rstar_compare_order(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b, int *order)
{
	rstar_rational x, y;
	rstar_evaluation e = {.work = c->work, .log_base = RSTAR_LOG_NATURAL};
	rstar_ball va, vb, difference;
	int sa = 0, sb = 0;
	bool ia = infinite(a, &sa);
	bool ib = infinite(b, &sb);

	if (ia || ib)
	{
		*order = (ia ? sa : 0) - (ib ? sb : 0);
		*order = (*order > 0) - (*order < 0);
		return true;
	}
	if (rstar_value_exact(c->work, a, &x) && rstar_value_exact(c->work, b, &y))
		return rstar_rational_cmp(c->work, &x, &y, order);
	if (!rstar_value_ball(&e, a, &va) || !rstar_value_ball(&e, b, &vb) || e.names ||
		!rstar_ball_is_real(&va) || !rstar_ball_is_real(&vb))
		return false;
	difference = rstar_ball_sub(&va, &vb);
	*order = rstar_ball_sign(&difference);
	return *order != 0 || rstar_ball_compare(&va, &vb) == RSTAR_BALLS_AGREE;
}

/*
 * exact.c
 *	  Exact rational values: see value.h.
 */
#include "core/grade/value.h"

#include <string.h>

#define MAX_FACTORIAL 4000
#define MAX_BINOMIAL  4000

static bool
power_of_ten(rstar_work *work, int64_t exponent, rstar_rational *out)
{
	rstar_rational ten;

	return rstar_rational_from_i64(work, 10, 1, &ten) &&
		   rstar_rational_pow(work, &ten, exponent, out);
}

/* The parts of a literal: digits without the point, and where it stood. */
static bool
split_literal(rstar_work *work, const rstar_expr *node, char **digits, size_t *count,
			  size_t *fraction, int64_t *exponent)
{
	char *at = rstar_arena_alloc(work->arena, (size_t) node->length + 1);
	bool point = false;

	if (!at)
		return false;
	*digits = at;
	*fraction = 0;
	*exponent = 0;
	for (uint32_t i = 0; i < node->length; i++)
	{
		char c = node->text[i];

		if (c == '.')
			point = true;
		else if (c == 'e' || c == 'E')
		{
			bool minus = node->text[i + 1] == '-';

			for (i += node->text[i + 1] == '-' || node->text[i + 1] == '+' ? 2 : 1;
				 i < node->length; i++)
				*exponent = *exponent * 10 + (node->text[i] - '0');
			if (minus)
				*exponent = -*exponent;
		}
		else
		{
			*at++ = c;
			*fraction += point;
		}
	}
	*count = (size_t) (at - *digits);
	return true;
}

/* 0.1 with 6 repeating: (16 - 1) / 90. */
static bool
repeating(rstar_work *work, const char *digits, size_t count, size_t fraction, size_t repeat,
		  rstar_rational *out)
{
	rstar_int whole, head;
	rstar_rational scale, nines, one;

	if (!rstar_int_from_digits(work, digits, count, 10, &whole) ||
		!rstar_int_from_digits(work, digits, count - repeat, 10, &head) ||
		!power_of_ten(work, (int64_t) repeat, &nines) ||
		!power_of_ten(work, (int64_t) (fraction - repeat), &scale) ||
		!rstar_rational_from_i64(work, -1, 1, &one) ||
		!rstar_rational_add(work, &nines, &one, &nines) ||
		!rstar_rational_mul(work, &nines, &scale, &nines))
		return false;
	head = rstar_int_neg(head);
	if (!rstar_int_add(work, &whole, &head, &out->num))
		return false;
	return rstar_int_from_i64(work, 1, &out->den) && rstar_rational_div(work, out, &nines, out);
}

static bool
exact_literal(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	char *digits;
	size_t count, fraction;
	int64_t exponent;
	rstar_rational scale;

	if (node->length <= 18 && !memchr(node->text, '.', node->length) &&
		!memchr(node->text, 'e', node->length) && !memchr(node->text, 'E', node->length))
	{
		int64_t value = 0;

		for (uint32_t i = 0; i < node->length; i++)
			value = value * 10 + (node->text[i] - '0');
		return rstar_rational_from_i64(work, value, 1, out);
	}
	if (!split_literal(work, node, &digits, &count, &fraction, &exponent))
		return false;
	if (node->repeat > 0)
		return node->repeat <= fraction &&
			   repeating(work, digits, count, fraction, node->repeat, out);
	if (!rstar_int_from_digits(work, digits, count, 10, &out->num) ||
		!rstar_int_from_i64(work, 1, &out->den))
		return false;
	exponent -= (int64_t) fraction;
	if (exponent == 0)
		return true;
	return power_of_ten(work, exponent, &scale) && rstar_rational_mul(work, out, &scale, out);
}

bool
rstar_value_integer(rstar_work *work, const rstar_expr *node, int64_t *out)
{
	rstar_rational value;

	return rstar_value_exact(work, node, &value) && rstar_rational_reduce(work, &value) &&
		   value.den.n == 1 && value.den.limb[0] == 1 && rstar_int_to_i64(&value.num, out);
}

static bool
exact_power(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	rstar_rational base;
	int64_t exponent;

	return rstar_value_integer(work, node->child[1], &exponent) &&
		   rstar_value_exact(work, node->child[0], &base) &&
		   rstar_rational_pow(work, &base, exponent, out);
}

/* from (from + 1) ... to, several factors at a time. */
static bool
product_of_range(rstar_work *work, int64_t from, int64_t to, rstar_int *out)
{
	int64_t batch = 1;
	rstar_int step;

	if (!rstar_int_from_i64(work, 1, out))
		return false;
	for (int64_t i = from; i <= to; i++)
	{
		int64_t next;

		if (!__builtin_mul_overflow(batch, i, &next))
		{
			batch = next;
			if (i < to)
				continue;
			i++;
		}
		if (!rstar_int_from_i64(work, batch, &step) || !rstar_int_mul(work, out, &step, out))
			return false;
		batch = 1;
		i--;
	}
	return true;
}

static bool
exact_binomial(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	int64_t n, k;
	rstar_int below;

	if (node->count != 2 || !rstar_value_integer(work, node->child[0], &n) ||
		!rstar_value_integer(work, node->child[1], &k) || n < 0 || k < 0)
		return false;
	if (k > n)
		return rstar_rational_from_i64(work, 0, 1, out);
	if (k > n - k)
		k = n - k;
	return k <= MAX_BINOMIAL && n <= (int64_t) 1 << 40 &&
		   product_of_range(work, n - k + 1, n, &out->num) &&
		   product_of_range(work, 1, k, &below) &&
		   rstar_int_divmod(work, &out->num, &below, &out->num, NULL) &&
		   rstar_int_from_i64(work, 1, &out->den);
}

static bool
exact_factorial(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	int64_t n;

	return rstar_value_integer(work, node->child[0], &n) && n >= 0 && n <= MAX_FACTORIAL &&
		   product_of_range(work, 1, n, &out->num) && rstar_int_from_i64(work, 1, &out->den);
}

static bool
exact_floor(rstar_work *work, const rstar_rational *value, bool up, rstar_rational *out)
{
	rstar_int rest, one;

	if (!rstar_int_divmod(work, &value->num, &value->den, &out->num, &rest) ||
		!rstar_int_from_i64(work, up ? 1 : -1, &one) || !rstar_int_from_i64(work, 1, &out->den))
		return false;
	if (rstar_int_is_zero(&rest) || rest.negative == up)
		return true;
	return rstar_int_add(work, &out->num, &one, &out->num);
}

/* gcd, lcm, max, min of all arguments. */
static bool
exact_fold(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	for (uint32_t i = 0; i < node->count; i++)
	{
		rstar_rational next;
		int64_t a, b, g;
		int order;

		if (!rstar_value_exact(work, node->child[i], &next))
			return false;
		if (i == 0)
		{
			*out = next;
			continue;
		}
		if (node->op == RSTAR_FUNCTION_MAX || node->op == RSTAR_FUNCTION_MIN)
		{
			if (!rstar_rational_cmp(work, &next, out, &order))
				return false;
			if ((order > 0) == (node->op == RSTAR_FUNCTION_MAX))
				*out = next;
			continue;
		}
		if (!rstar_int_to_i64(&out->num, &a) || !rstar_int_to_i64(&next.num, &b) || a < 0 ||
			b < 0 || rstar_int_bits(&out->den) != 1 || rstar_int_bits(&next.den) != 1)
			return false;
		g = (int64_t) rstar_int_gcd_u64((uint64_t) a, (uint64_t) b);
		if (node->op == RSTAR_FUNCTION_LCM && g > 0 && __builtin_mul_overflow(a / g, b, &g))
			return false;
		if (!rstar_rational_from_i64(work, g, 1, out))
			return false;
	}
	return node->count > 0;
}

static bool
exact_call(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	rstar_rational value;

	switch (node->op)
	{
		case RSTAR_FUNCTION_FACTORIAL:
			return exact_factorial(work, node, out);
		case RSTAR_FUNCTION_BINOMIAL:
			return exact_binomial(work, node, out);
		case RSTAR_FUNCTION_GCD:
		case RSTAR_FUNCTION_LCM:
		case RSTAR_FUNCTION_MAX:
		case RSTAR_FUNCTION_MIN:
			return exact_fold(work, node, out);
		case RSTAR_FUNCTION_ABS:
			if (!rstar_value_exact(work, node->child[0], out))
				return false;
			out->num.negative = false;
			return true;
		case RSTAR_FUNCTION_FLOOR:
		case RSTAR_FUNCTION_CEIL:
			return rstar_value_exact(work, node->child[0], &value) &&
				   exact_floor(work, &value, node->op == RSTAR_FUNCTION_CEIL, out);
		default:
			return false;
	}
}

static bool
exact_fold_children(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	bool sum = node->kind == RSTAR_EXPR_SUM;
	rstar_rational next;

	if (!rstar_value_exact(work, node->child[0], out))
		return false;
	for (uint32_t i = 1; i < node->count; i++)
		if (!rstar_value_exact(work, node->child[i], &next) ||
			!(sum ? rstar_rational_add(work, out, &next, out)
				  : rstar_rational_mul(work, out, &next, out)))
			return false;
	return true;
}

/*
 * A rational number by recursion over the tree; false as soon as a part has no rational value or a bound is
 * reached.
 */
bool
rstar_value_exact(rstar_work *work, const rstar_expr *node, rstar_rational *out)
{
	rstar_rational value;

	if ((work->fuel -= 8) < 0)
		return false;
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_NUMBER:
			return exact_literal(work, node, out);
		case RSTAR_EXPR_BASED:
			return rstar_int_from_digits(work, node->text, node->length, node->columns,
										 &out->num) &&
				   rstar_int_from_i64(work, 1, &out->den);
		case RSTAR_EXPR_SUM:
		case RSTAR_EXPR_PRODUCT:
			return exact_fold_children(work, node, out);
		case RSTAR_EXPR_NEGATIVE:
			if (!rstar_value_exact(work, node->child[0], out))
				return false;
			out->num = rstar_int_neg(out->num);
			return true;
		case RSTAR_EXPR_PERCENT:
			return rstar_value_exact(work, node->child[0], out) &&
				   rstar_rational_from_i64(work, 1, 100, &value) &&
				   rstar_rational_mul(work, out, &value, out);
		case RSTAR_EXPR_RATIO:
			if (node->count != 2)
				return false;
			/* fall through */
		case RSTAR_EXPR_QUOTIENT:
			return rstar_value_exact(work, node->child[0], out) &&
				   rstar_value_exact(work, node->child[1], &value) &&
				   rstar_rational_div(work, out, &value, out);
		case RSTAR_EXPR_POWER:
			return exact_power(work, node, out);
		case RSTAR_EXPR_CALL:
			return exact_call(work, node, out);
		default:
			return false;
	}
}

const rstar_expr *
rstar_expr_rational(rstar_work *work, const rstar_rational *value)
{
	rstar_expr *num = rstar_expr_make(work, RSTAR_EXPR_NUMBER, 0);
	rstar_expr *den = rstar_expr_make(work, RSTAR_EXPR_NUMBER, 0);
	rstar_int magnitude = value->num.negative ? rstar_int_neg(value->num) : value->num;
	const rstar_expr *node;

	if (!num || !den)
		return NULL;
	num->text = rstar_int_text(work, &magnitude);
	den->text = rstar_int_text(work, &value->den);
	if (!num->text || !den->text)
		return NULL;
	num->length = (uint32_t) strlen(num->text);
	den->length = (uint32_t) strlen(den->text);
	node =
		strcmp(den->text, "1") == 0 ? num : rstar_expr_binary(work, RSTAR_EXPR_QUOTIENT, num, den);
	return value->num.negative ? rstar_expr_unary(work, RSTAR_EXPR_NEGATIVE, node) : node;
}

static bool
literal_decimal(rstar_work *work, const rstar_expr *node, rstar_decimal *out)
{
	char *digits;
	size_t count, fraction, zeros = 0;
	int64_t exponent;

	if (node->repeat > 0 || !memchr(node->text, '.', node->length) ||
		!split_literal(work, node, &digits, &count, &fraction, &exponent) ||
		!rstar_value_exact(work, node, &out->value))
		return false;
	while (zeros < count && digits[zeros] == '0')
		zeros++;
	out->significant = (uint32_t) (count - zeros);
	out->exponent = exponent - (int64_t) fraction;
	return true;
}

bool
rstar_value_decimal(rstar_work *work, const rstar_expr *node, rstar_decimal *out)
{
	const rstar_expr *scale;
	int64_t ten, exponent;

	if (node->kind == RSTAR_EXPR_NUMBER)
		return literal_decimal(work, node, out);
	if (node->kind == RSTAR_EXPR_NEGATIVE && rstar_value_decimal(work, node->child[0], out))
	{
		out->value.num = rstar_int_neg(out->value.num);
		return true;
	}
	if (node->kind != RSTAR_EXPR_PRODUCT || node->count != 2 ||
		node->child[1]->kind != RSTAR_EXPR_POWER || node->child[0]->kind != RSTAR_EXPR_NUMBER)
		return false;
	scale = node->child[1];
	if (!rstar_value_integer(work, scale->child[0], &ten) || ten != 10 ||
		!rstar_value_integer(work, scale->child[1], &exponent) || exponent > 10000 ||
		exponent < -10000 || !literal_decimal(work, node->child[0], out) ||
		!rstar_value_exact(work, node, &out->value))
		return false;
	out->exponent += exponent;
	return true;
}

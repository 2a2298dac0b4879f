/*
 * residue.c
 *	  Expressions modulo 61-bit primes: see value.h.
 *
 * Both primes are 1 modulo 4, so that -1 has a square root to stand for i.
 */
#include "core/grade/value.h"

#include <string.h>

#define MAX_PRODUCT 100000 /* factors of a factorial */

static const uint64_t primes[RSTAR_RESIDUE_POINTS] = {2305843009213693921u, 2305843009213693693u};
static const uint64_t roots[RSTAR_RESIDUE_POINTS] = {583529827753931384u, 966685122347009555u};

static uint64_t
mul(uint64_t p, uint64_t a, uint64_t b)
{
	return (uint64_t) ((unsigned __int128) a * b % p);
}

static uint64_t
add(uint64_t p, uint64_t a, uint64_t b)
{
	a += b;
	return a >= p ? a - p : a;
}

static uint64_t
negate(uint64_t p, uint64_t a)
{
	return a ? p - a : 0;
}

static uint64_t
power(uint64_t p, uint64_t base, uint64_t exponent)
{
	uint64_t result = 1;

	for (; exponent > 0; exponent >>= 1)
	{
		if (exponent & 1)
			result = mul(p, result, base);
		base = mul(p, base, base);
	}
	return result;
}

static bool
inverse(uint64_t p, uint64_t a, uint64_t *out)
{
	*out = power(p, a, p - 2);
	return a != 0;
}

static unsigned
index_of(const rstar_evaluation *e)
{
	return e->point % RSTAR_RESIDUE_POINTS;
}

uint64_t
rstar_residue_mul(unsigned point, uint64_t a, uint64_t b)
{
	return mul(primes[point % RSTAR_RESIDUE_POINTS], a, b);
}

static uint64_t
from_hash(const rstar_evaluation *e, uint64_t hash)
{
	return rstar_hash_mix(hash, e->point + 1) % primes[index_of(e)];
}

static uint64_t
from_digits(uint64_t p, const char *text, size_t length, unsigned base)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++)
	{
		unsigned digit = (unsigned) (text[i] <= '9' ? text[i] - '0' : (text[i] | 32) - 'a' + 10);

		value = add(p, mul(p, value, base), digit);
	}
	return value;
}

/* A literal; only digits and a point reach this after exact_literal gave up. */
static bool
literal(rstar_evaluation *e, const rstar_expr *node, uint64_t *out)
{
	uint64_t p = primes[index_of(e)];
	const char *point = memchr(node->text, '.', node->length);
	size_t whole = point ? (size_t) (point - node->text) : node->length;
	size_t fraction = point ? node->length - whole - 1 : 0;
	uint64_t scale;

	e->work->fuel -= node->length;
	if (e->work->fuel < 0 || node->repeat || memchr(node->text, 'e', node->length) ||
		memchr(node->text, 'E', node->length))
		return false;
	*out = from_digits(p, node->text, whole, 10);
	if (!point)
		return true;
	*out = mul(p, *out, power(p, 10, fraction));
	*out = add(p, *out, from_digits(p, point + 1, fraction, 10));
	return inverse(p, power(p, 10, fraction), &scale) && (*out = mul(p, *out, scale), true);
}

static bool
from_rational(rstar_evaluation *e, const rstar_rational *value, uint64_t *out)
{
	uint64_t p = primes[index_of(e)];
	uint64_t num = 0;
	uint64_t den = 0;

	for (size_t i = value->num.n; i-- > 0;)
		num = add(p, mul(p, num, (uint64_t) 1 << 32), value->num.limb[i]);
	for (size_t i = value->den.n; i-- > 0;)
		den = add(p, mul(p, den, (uint64_t) 1 << 32), value->den.limb[i]);
	if (value->num.negative)
		num = negate(p, num);
	if (den == 1)
	{
		*out = num;
		return true;
	}
	return inverse(p, den, &den) && (*out = mul(p, num, den), true);
}

/* What no rational operation makes: a hash of kind, name and children. */
static bool
hashed(rstar_evaluation *e, const rstar_expr *node, uint64_t seed, uint64_t *out)
{
	uint64_t hash = rstar_hash_mix(seed, node->kind * 64u + node->op);

	e->irrational = true;
	hash = rstar_hash_mix(hash, node->count);
	if (node->kind == RSTAR_EXPR_TUPLE)
		hash = rstar_hash_mix(hash, node->open * 256u + node->close);
	for (uint32_t i = 0; i < node->count; i++)
	{
		uint64_t child;

		if (!rstar_value_residue(e, node->child[i], &child))
			return false;
		hash = rstar_hash_mix(hash, child);
	}
	for (uint32_t i = 0; node->kind == RSTAR_EXPR_RELATION && i + 1 < node->count; i++)
		hash = rstar_hash_mix(hash, node->relation[i]);
	*out = from_hash(e, rstar_hash_mix(hash, node->columns));
	return true;
}

static bool
residue_power(rstar_evaluation *e, const rstar_expr *node, uint64_t *out)
{
	uint64_t p = primes[index_of(e)];
	rstar_rational exponent;
	uint64_t base;
	int64_t n;

	if (!rstar_value_exact(e->work, node->child[1], &exponent) ||
		!rstar_rational_reduce(e->work, &exponent) || rstar_int_bits(&exponent.den) != 1 ||
		!rstar_int_to_i64(&exponent.num, &n))
		return e->work->fuel >= 0 && hashed(e, node, RSTAR_SEED_POWER, out);
	if (!rstar_value_residue(e, node->child[0], &base))
		return false;
	if (n < 0 && !inverse(p, base, &base))
		return false;
	if (n == 0 && base == 0)
		return false;
	*out = power(p, base, n < 0 ? 0 - (uint64_t) n : (uint64_t) n);
	return true;
}

/* n! and n (n-1) ... (n-k+1) / k! for constants, without the big number. */
static bool
residue_product(rstar_evaluation *e, const rstar_expr *node, uint64_t *out)
{
	uint64_t p = primes[index_of(e)];
	bool factorial = node->op == RSTAR_FUNCTION_FACTORIAL;
	int64_t n, k;
	uint64_t below = 1;

	if ((!factorial && node->op != RSTAR_FUNCTION_BINOMIAL) ||
		node->count != (factorial ? 1u : 2u) || !rstar_value_integer(e->work, node->child[0], &n))
		return false;
	k = n;
	if (!factorial && !rstar_value_integer(e->work, node->child[1], &k))
		return false;
	if (n < 0 || k < 0 || k > n || n > (int64_t) 1 << 40)
		return false;
	if (!factorial && k > n - k)
		k = n - k;
	if (k > MAX_PRODUCT || (e->work->fuel -= 20 * k) < 0)
		return false;
	*out = 1;
	for (int64_t i = 1; i <= k; i++)
	{
		*out = mul(p, *out, (uint64_t) (n - k + i) % p);
		if (!factorial)
			below = mul(p, below, (uint64_t) i);
	}
	return inverse(p, below, &below) && (*out = mul(p, *out, below), true);
}

static bool
residue_constant(rstar_evaluation *e, const rstar_expr *node, uint64_t *out)
{
	if (node->op == RSTAR_CONSTANT_I && !e->i_is_name)
		*out = roots[index_of(e)];
	else
		*out = from_hash(e, rstar_hash_mix(RSTAR_SEED_CONSTANT, node->op));
	return true;
}

static bool
residue_fold(rstar_evaluation *e, const rstar_expr *node, uint64_t *out)
{
	uint64_t p = primes[index_of(e)];
	bool sum = node->kind == RSTAR_EXPR_SUM;
	uint64_t child;

	*out = sum ? 0 : 1;
	for (uint32_t i = 0; i < node->count; i++)
	{
		if (!rstar_value_residue(e, node->child[i], &child))
			return false;
		*out = sum ? add(p, *out, child) : mul(p, *out, child);
	}
	return true;
}

/* By recursion over the tree; what is no rational operation becomes a hash of its parts. */
bool
rstar_value_residue(rstar_evaluation *e, const rstar_expr *node, uint64_t *out)
{
	uint64_t p = primes[index_of(e)];
	uint64_t value;
	rstar_rational exact;

	if ((e->work->fuel -= 16) < 0)
		return false;
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_NUMBER:
			if (rstar_value_exact(e->work, node, &exact))
				return from_rational(e, &exact, out);
			return literal(e, node, out);
		case RSTAR_EXPR_BASED:
			*out = from_digits(p, node->text, node->length, node->columns);
			return true;
		case RSTAR_EXPR_NAME:
			*out = from_hash(e, node->hash);
			return true;
		case RSTAR_EXPR_CONSTANT:
			return residue_constant(e, node, out);
		case RSTAR_EXPR_SUM:
		case RSTAR_EXPR_PRODUCT:
			return residue_fold(e, node, out);
		case RSTAR_EXPR_NEGATIVE:
			if (!rstar_value_residue(e, node->child[0], &value))
				return false;
			*out = negate(p, value);
			return true;
		case RSTAR_EXPR_QUOTIENT:
			if (!rstar_value_residue(e, node->child[0], out) ||
				!rstar_value_residue(e, node->child[1], &value) || !inverse(p, value, &value))
				return false;
			*out = mul(p, *out, value);
			return true;
		case RSTAR_EXPR_PERCENT:
			if (!rstar_value_residue(e, node->child[0], out) || !inverse(p, 100, &value))
				return false;
			*out = mul(p, *out, value);
			return true;
		case RSTAR_EXPR_DEGREE:
			if (!rstar_value_residue(e, node->child[0], out) || !inverse(p, 180, &value))
				return false;
			*out = mul(p, mul(p, *out, value),
					   from_hash(e, rstar_hash_mix(RSTAR_SEED_CONSTANT, RSTAR_CONSTANT_PI)));
			return true;
		case RSTAR_EXPR_POWER:
			return residue_power(e, node, out);
		case RSTAR_EXPR_CALL:
			if (residue_product(e, node, out))
				return true;
			if (rstar_value_exact(e->work, node, &exact))
				return from_rational(e, &exact, out);
			return e->work->fuel >= 0 && hashed(e, node, RSTAR_SEED_CALL, out);
		case RSTAR_EXPR_APPLY:
			return hashed(e, node, node->hash, out);
		case RSTAR_EXPR_TUPLE:
		case RSTAR_EXPR_MATRIX:
		case RSTAR_EXPR_RELATION:
		case RSTAR_EXPR_RATIO:
		case RSTAR_EXPR_LIST:
		case RSTAR_EXPR_NUMBERS:
		case RSTAR_EXPR_COMBINE:
			return hashed(e, node, RSTAR_SEED_COLLECTION, out);
		default:
			return false;
	}
}

/* Sums and products of fractions, nothing cancelled. */
static bool
fraction_fold(rstar_evaluation *e, const rstar_expr *node, uint64_t *num, uint64_t *den)
{
	uint64_t p = primes[index_of(e)];
	bool sum = node->kind == RSTAR_EXPR_SUM;
	uint64_t n, d;

	*num = sum ? 0 : 1;
	*den = 1;
	for (uint32_t i = 0; i < node->count; i++)
	{
		if (!rstar_value_fraction(e, node->child[i], &n, &d))
			return false;
		if (sum)
			*num = add(p, mul(p, *num, d), mul(p, n, *den));
		else
			*num = mul(p, *num, n);
		*den = mul(p, *den, d);
	}
	return true;
}

bool
rstar_value_fraction(rstar_evaluation *e, const rstar_expr *node, uint64_t *num, uint64_t *den)
{
	uint64_t p = primes[index_of(e)];
	uint64_t n, d;

	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_SUM:
		case RSTAR_EXPR_PRODUCT:
			return fraction_fold(e, node, num, den);
		case RSTAR_EXPR_NEGATIVE:
			if (!rstar_value_fraction(e, node->child[0], num, den))
				return false;
			*num = negate(p, *num);
			return true;
		case RSTAR_EXPR_QUOTIENT:
			if (!rstar_value_fraction(e, node->child[0], num, den) ||
				!rstar_value_fraction(e, node->child[1], &n, &d))
				return false;
			*num = mul(p, *num, d);
			*den = mul(p, *den, n);
			return *den != 0;
		default:
			*den = 1;
			return rstar_value_residue(e, node, num);
	}
}

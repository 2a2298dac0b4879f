/*
 * real.c
 *	  Real numbers with 256 bits of mantissa, and their elementary functions.
 *
 * Truncating arithmetic on four 64-bit limbs. Every function is good to some
 * units in the last places; the balls built on top (ball.c) charge 2^-244 of
 * the result, which is more than any function here loses.
 *
 * exp: reduce by a multiple of ln 2, halve eight times, Taylor, square back.
 * log: double precision first, then one step of the cubic iteration
 *      y + 2 (x - e^y) / (x + e^y), twice. sin and cos: reduce by a multiple of
 * pi/2, Taylor. atan2: double precision first, then the remaining angle from its
 * sine, which is below 2^-48, by three terms of the series of arcsin.
 */
#include "core/grade/real.h"

#include <math.h>
#include <string.h>

#define LIMBS RSTAR_REAL_LIMBS

typedef unsigned __int128 wide;

static const rstar_real real_zero = {0, 0, {0, 0, 0, 0}};
static const rstar_real real_pi = {
	1, 2, {0x020bbea63b139b22, 0x29024e088a67cc74, 0xc4c6628b80dc1cd1, 0xc90fdaa22168c234}};
static const rstar_real real_ln2 = {
	1, 0, {0x8a0d175b8baafa2c, 0x40f343267298b62d, 0xc9e3b39803f2f6af, 0xb17217f7d1cf79ab}};

rstar_real
rstar_real_pi(void)
{
	return real_pi;
}

/* Shift the mantissa up until its top bit is set. */
static void
normalize(rstar_real *a)
{
	int words = 0;
	int bits;

	while (words < LIMBS && a->limb[LIMBS - 1 - words] == 0)
		words++;
	if (words == LIMBS)
	{
		*a = real_zero;
		return;
	}
	if (words > 0)
	{
		for (int i = LIMBS - 1; i >= 0; i--)
			a->limb[i] = i >= words ? a->limb[i - words] : 0;
		a->exponent -= 64 * words;
	}
	bits = __builtin_clzll(a->limb[LIMBS - 1]);
	if (bits > 0)
	{
		for (int i = LIMBS - 1; i >= 0; i--)
			a->limb[i] = a->limb[i] << bits | (i > 0 ? a->limb[i - 1] >> (64 - bits) : 0);
		a->exponent -= bits;
	}
}

rstar_real
rstar_real_from_i64(int64_t value)
{
	rstar_real a = real_zero;

	if (value == 0)
		return a;
	a.sign = value < 0 ? -1 : 1;
	a.limb[LIMBS - 1] = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
	a.exponent = 64;
	normalize(&a);
	return a;
}

rstar_real
rstar_real_from_int(const rstar_int *value)
{
	rstar_real a = real_zero;
	int64_t top = value->n;

	if (top == 0)
		return a;
	a.sign = value->negative ? -1 : 1;
	a.exponent = top * 32;
	for (int i = 0; i < 2 * LIMBS && i < top; i++)
		a.limb[LIMBS - 1 - i / 2] |= (uint64_t) value->limb[top - 1 - i] << (i % 2 ? 0 : 32);
	normalize(&a);
	return a;
}

rstar_real
rstar_real_neg(rstar_real a)
{
	a.sign = -a.sign;
	return a;
}

rstar_real
rstar_real_scale(rstar_real a, int64_t shift)
{
	if (a.sign)
		a.exponent += shift;
	return a;
}

static int
cmp_magnitude(const rstar_real *a, const rstar_real *b)
{
	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -1 : 1;
	for (int i = LIMBS - 1; i >= 0; i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

int
rstar_real_cmp(const rstar_real *a, const rstar_real *b)
{
	if (a->sign != b->sign)
		return a->sign < b->sign ? -1 : 1;
	if (a->sign == 0)
		return 0;
	return a->sign * cmp_magnitude(a, b);
}

/* The limbs of a, shifted down. */
static void
aligned(const rstar_real *a, int64_t shift, uint64_t limb[LIMBS])
{
	int words = shift >= 64 * LIMBS ? LIMBS : (int) (shift / 64);
	int bits = (int) (shift % 64);

	for (int i = 0; i < LIMBS; i++)
	{
		uint64_t low = i + words < LIMBS ? a->limb[i + words] : 0;
		uint64_t high = i + words + 1 < LIMBS ? a->limb[i + words + 1] : 0;

		limb[i] = bits ? low >> bits | high << (64 - bits) : low;
	}
}

/*
 * The smaller operand is shifted to the exponent of the larger, limbs are added or subtracted, and the result
 * is shifted until its top bit is set.
 */
rstar_real
rstar_real_add(const rstar_real *a, const rstar_real *b)
{
	uint64_t small[LIMBS];
	rstar_real result;

	if (a->sign == 0)
		return *b;
	if (b->sign == 0)
		return *a;
	if (cmp_magnitude(a, b) < 0)
	{
		const rstar_real *swap = a;

		a = b;
		b = swap;
	}
	aligned(b, a->exponent - b->exponent, small);
	result = *a;
	if (a->sign == b->sign)
	{
		wide carry = 0;

		for (int i = 0; i < LIMBS; i++)
		{
			carry += (wide) a->limb[i] + small[i];
			result.limb[i] = (uint64_t) carry;
			carry >>= 64;
		}
		if (carry)
		{
			for (int i = 0; i < LIMBS; i++)
				result.limb[i] =
					result.limb[i] >> 1 | (i + 1 < LIMBS ? result.limb[i + 1] : (uint64_t) 1) << 63;
			result.exponent++;
		}
		return result;
	}
	for (int i = 0, borrow = 0; i < LIMBS; i++)
	{
		wide take = (wide) small[i] + (unsigned) borrow;

		borrow = a->limb[i] < take;
		result.limb[i] = (uint64_t) (a->limb[i] - take);
	}
	normalize(&result);
	return result;
}

rstar_real
rstar_real_sub(const rstar_real *a, const rstar_real *b)
{
	rstar_real minus = rstar_real_neg(*b);

	return rstar_real_add(a, &minus);
}

/*
 * Both mantissas lie in [1/2, 1), so the product lies in [1/4, 1) and needs at most one shift
 * to be normal. It is cut off, not rounded: the bounds on errors count on one unit, not on
 * half of one.
 */
rstar_real
rstar_real_mul(const rstar_real *a, const rstar_real *b)
{
	uint64_t product[2 * LIMBS] = {0};
	rstar_real result;

	if (a->sign == 0 || b->sign == 0)
		return real_zero;
	for (int i = 0; i < LIMBS; i++)
	{
		wide carry = 0;

		for (int k = 0; k < LIMBS; k++)
		{
			carry += (wide) a->limb[i] * b->limb[k] + product[i + k];
			product[i + k] = (uint64_t) carry;
			carry >>= 64;
		}
		product[i + LIMBS] = (uint64_t) carry;
	}
	result.sign = a->sign * b->sign;
	result.exponent = a->exponent + b->exponent;
	if (product[2 * LIMBS - 1] >> 63)
		memcpy(result.limb, product + LIMBS, sizeof(result.limb));
	else
	{
		for (int i = 0; i < LIMBS; i++)
			result.limb[i] = product[LIMBS + i] << 1 | product[LIMBS + i - 1] >> 63;
		result.exponent--;
	}
	return result;
}

/* One limb of a division by n, in halves so that no 128-bit division is needed. */
static inline uint64_t
div_step(uint64_t limb, uint32_t n, uint64_t *rest)
{
	uint64_t high = *rest << 32 | limb >> 32;
	uint64_t low = (high % n) << 32 | (uint32_t) limb;

	*rest = low % n;
	return (high / n) << 32 | low / n;
}

/* a / n for 0 < n < 2^32 */
static rstar_real
div_small(const rstar_real *a, uint32_t n)
{
	rstar_real result = *a;
	uint64_t rest = 0;
	uint64_t low;

	if (a->sign == 0)
		return *a;
	for (int i = LIMBS - 1; i >= 0; i--)
		result.limb[i] = div_step(a->limb[i], n, &rest);
	low = div_step(0, n, &rest); /* keep the bits that normalising brings in */
	if (result.limb[LIMBS - 1] >> 63)
		return result;
	for (int bits = __builtin_clzll(result.limb[LIMBS - 1] | 1); bits > 0; bits = 0)
	{
		for (int i = LIMBS - 1; i >= 0; i--)
			result.limb[i] =
				result.limb[i] << bits | (i > 0 ? result.limb[i - 1] : low) >> (64 - bits);
		result.exponent -= bits;
	}
	return result;
}

static double
mantissa(const rstar_real *a)
{
	return (double) (a->limb[LIMBS - 1] >> 11) * 0x1p-53;
}

static rstar_real
from_double(double value)
{
	int exponent;
	double m = frexp(value, &exponent);
	rstar_real a = rstar_real_from_i64((int64_t) (m * 0x1p60));

	return rstar_real_scale(a, exponent - 60);
}

double
rstar_real_to_double(const rstar_real *a)
{
	if (a->sign == 0)
		return 0;
	if (a->exponent > 1100)
		return a->sign * INFINITY;
	return a->exponent < -1100 ? 0 : a->sign * ldexp(mantissa(a), (int) a->exponent);
}

bool
rstar_real_round(const rstar_real *a, int64_t *out)
{
	uint64_t value;

	if (a->sign == 0 || a->exponent < 0)
	{
		*out = 0;
		return true;
	}
	if (a->exponent > 62)
		return false;
	value = a->exponent == 0 ? 0 : a->limb[LIMBS - 1] >> (64 - a->exponent);
	if (a->limb[LIMBS - 1] >> (63 - a->exponent) & 1)
		value++;
	*out = a->sign * (int64_t) value;
	return true;
}

rstar_real
rstar_real_div(const rstar_real *a, const rstar_real *b)
{
	rstar_real one = rstar_real_from_i64(1);
	rstar_real d = *b;
	rstar_real x;

	if (a->sign == 0 || b->sign == 0)
		return real_zero;
	d.exponent = 0; /* 0.5 <= |d| < 1 */
	x = from_double(b->sign / mantissa(&d));
	for (int i = 0; i < 3; i++) /* 52, 104, 208, 416 bits */
	{
		rstar_real dx = rstar_real_mul(&d, &x);
		rstar_real rest = rstar_real_sub(&one, &dx);
		rstar_real step = rstar_real_mul(&x, &rest);

		x = rstar_real_add(&x, &step);
	}
	x = rstar_real_mul(a, &x);
	return rstar_real_scale(x, -b->exponent);
}

rstar_real
rstar_real_sqrt(const rstar_real *a)
{
	rstar_real one = rstar_real_from_i64(1);
	rstar_real d = *a;
	int64_t half;
	rstar_real x;

	if (a->sign <= 0)
		return real_zero;
	half = a->exponent >> 1;
	d.exponent = a->exponent - 2 * half; /* 0.5 <= d < 2 */
	x = from_double(1 / sqrt(rstar_real_to_double(&d)));
	for (int i = 0; i < 3; i++) /* 1/sqrt by Newton */
	{
		rstar_real xx = rstar_real_mul(&x, &x);
		rstar_real dxx = rstar_real_mul(&d, &xx);
		rstar_real rest = rstar_real_sub(&one, &dxx);
		rstar_real step = rstar_real_mul(&x, &rest);

		step = rstar_real_scale(step, -1);
		x = rstar_real_add(&x, &step);
	}
	x = rstar_real_mul(&d, &x);
	return rstar_real_scale(x, half);
}

rstar_real
rstar_real_exp(const rstar_real *a)
{
	rstar_real n, part, r, term, sum;
	int64_t count = 0;

	n = rstar_real_div(a, &real_ln2);
	if (!rstar_real_round(&n, &count))
		return real_zero;
	n = rstar_real_from_i64(count);
	part = rstar_real_mul(&n, &real_ln2);
	r = rstar_real_sub(a, &part);
	r = rstar_real_scale(r, -8);
	sum = rstar_real_from_i64(1);
	term = sum;
	for (uint32_t i = 1; i < 60 && term.sign && term.exponent > -260; i++)
	{
		term = rstar_real_mul(&term, &r);
		term = div_small(&term, i);
		sum = rstar_real_add(&sum, &term);
	}
	for (int i = 0; i < 8; i++)
		sum = rstar_real_mul(&sum, &sum);
	return rstar_real_scale(sum, count);
}

rstar_real
rstar_real_log(const rstar_real *a)
{
	rstar_real m = *a;
	rstar_real y, n;

	if (a->sign <= 0)
		return real_zero;
	m.exponent = 0;
	if (mantissa(&m) < 0.7) /* keep near 1, where the result is small */
		m.exponent = 1;
	y = from_double(log(rstar_real_to_double(&m)));
	for (int i = 0; i < 2; i++)
	{
		rstar_real e = rstar_real_exp(&y);
		rstar_real above = rstar_real_sub(&m, &e);
		rstar_real below = rstar_real_add(&m, &e);
		rstar_real step = rstar_real_div(&above, &below);

		step = rstar_real_scale(step, 1);
		y = rstar_real_add(&y, &step);
	}
	n = rstar_real_from_i64(a->exponent - m.exponent);
	n = rstar_real_mul(&n, &real_ln2);
	return rstar_real_add(&y, &n);
}

/* Taylor: start + start * r^2 / (k (k+1)) ..., alternating. */
static rstar_real
alternating(rstar_real term, const rstar_real *square, uint32_t k)
{
	rstar_real sum = term;

	for (; k < 120 && term.sign && term.exponent > -260; k += 2)
	{
		term = rstar_real_mul(&term, square);
		term = div_small(&term, k * (k + 1));
		term.sign = -term.sign;
		sum = rstar_real_add(&sum, &term);
	}
	return sum;
}

/*
 * The angle less the nearest multiple of pi/2 is at most pi/4, where both series converge
 * fast. The multiple's last two bits say which of the two is which, and their signs. The
 * subtraction loses digits for a large angle: whoever calls bounds it.
 */
void
rstar_real_sincos(const rstar_real *a, rstar_real *sine, rstar_real *cosine)
{
	rstar_real half_pi = rstar_real_scale(real_pi, -1);
	rstar_real n = rstar_real_div(a, &half_pi);
	rstar_real part, r, square, s, c;
	int64_t quarter = 0;

	if (!rstar_real_round(&n, &quarter))
		quarter = 0;
	n = rstar_real_from_i64(quarter);
	part = rstar_real_mul(&n, &half_pi);
	r = rstar_real_sub(a, &part);
	square = rstar_real_mul(&r, &r);
	s = alternating(r, &square, 2);
	c = alternating(rstar_real_from_i64(1), &square, 1);
	switch (quarter & 3)
	{
		case 0:
			*sine = s;
			*cosine = c;
			break;
		case 1:
			*sine = c;
			*cosine = rstar_real_neg(s);
			break;
		case 2:
			*sine = rstar_real_neg(s);
			*cosine = rstar_real_neg(c);
			break;
		default:
			*sine = rstar_real_neg(c);
			*cosine = s;
	}
}

/*
 * One step from the double: with s the sine of the error left, the angle is start + asin(s),
 * and three terms of asin suffice, as s is below 2^-48 and the next term, of its seventh
 * power, lies beyond the last digit. The operands are scaled together first, so that the
 * doubles neither overflow nor vanish.
 */
rstar_real
rstar_real_atan2(const rstar_real *y, const rstar_real *x)
{
	rstar_real ys = *y;
	rstar_real xs = *x;
	int64_t scale = y->sign && (!x->sign || y->exponent > x->exponent) ? y->exponent : x->exponent;
	rstar_real start, sine, cosine, left, right, yy, xx, length, s, square, cube, fifth;

	if (y->sign == 0)
		return x->sign < 0 ? real_pi : real_zero;
	ys = rstar_real_scale(ys, -scale);
	xs = rstar_real_scale(xs, -scale);
	if (ys.exponent < -400 && xs.sign > 0) /* the angle is y/x to all digits */
		return rstar_real_div(&ys, &xs);
	start = from_double(atan2(rstar_real_to_double(&ys), rstar_real_to_double(&xs)));
	rstar_real_sincos(&start, &sine, &cosine);
	left = rstar_real_mul(&ys, &cosine);
	right = rstar_real_mul(&xs, &sine);
	left = rstar_real_sub(&left, &right);
	yy = rstar_real_mul(&ys, &ys);
	xx = rstar_real_mul(&xs, &xs);
	length = rstar_real_add(&yy, &xx);
	length = rstar_real_sqrt(&length);
	s = rstar_real_div(&left, &length);
	square = rstar_real_mul(&s, &s);
	cube = rstar_real_mul(&square, &s);
	fifth = rstar_real_mul(&cube, &square);
	cube = div_small(&cube, 6);
	fifth = div_small(&fifth, 40);
	start = rstar_real_add(&start, &s);
	start = rstar_real_add(&start, &cube);
	for (int i = 0; i < 3; i++)
		start = rstar_real_add(&start, &fifth);
	return start;
}

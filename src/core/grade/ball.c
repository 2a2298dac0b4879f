/*
 * ball.c
 *	  Complex balls: see real.h.
 *
 * A radius is kept as a double with its own 64-bit exponent and always rounded
 * up a little, so that it stays a bound. ROUND_BITS is what an operation on
 * 256-bit reals may lose; real.c loses less.
 */
#include "core/grade/real.h"

#include <math.h>

#define ROUND_BITS  244
#define AGREE_BITS  100
#define MAX_EXP_ARG 40 /* exp of arguments up to 2^40 */
#define MAX_TRIG    60
#define MAX_SCALE   ((int64_t) 1 << 56) /* exponents beyond this count as overflow */

static const rstar_radius radius_zero = {0, 0};

static rstar_radius
radius_make(double m, int64_t exponent)
{
	rstar_radius r = radius_zero;
	int shift;

	if (m <= 0)
		return r;
	r.mantissa = frexp(m * (1 + 0x1p-40), &shift);
	r.exponent = exponent + shift;
	return r;
}

static rstar_radius
radius_add(rstar_radius a, rstar_radius b)
{
	int64_t below;

	if (a.mantissa == 0)
		return b;
	if (b.mantissa == 0)
		return a;
	if (a.exponent < b.exponent)
	{
		rstar_radius swap = a;

		a = b;
		b = swap;
	}
	below = a.exponent - b.exponent;
	return radius_make(a.mantissa + (below > 60 ? 0x1p-50 : ldexp(b.mantissa, (int) -below)),
					   a.exponent);
}

static rstar_radius
radius_mul(rstar_radius a, rstar_radius b)
{
	return radius_make(a.mantissa * b.mantissa, a.exponent + b.exponent);
}

/* a / b with b > 0; b must be a lower bound, so it is taken a little smaller. */
static rstar_radius
radius_div(rstar_radius a, rstar_radius b)
{
	return radius_make(a.mantissa / (b.mantissa * (1 - 0x1p-30)), a.exponent - b.exponent);
}

static int
radius_cmp(rstar_radius a, rstar_radius b)
{
	if (a.mantissa == 0 || b.mantissa == 0)
		return (a.mantissa > 0) - (b.mantissa > 0);
	if (a.exponent != b.exponent)
		return a.exponent < b.exponent ? -1 : 1;
	return (a.mantissa > b.mantissa) - (a.mantissa < b.mantissa);
}

static rstar_radius
radius_of_real(const rstar_real *a)
{
	if (a->sign == 0)
		return radius_zero;
	return radius_make((double) (a->limb[RSTAR_REAL_LIMBS - 1] >> 12) * 0x1p-52 + 0x1p-52,
					   a->exponent);
}

/* |midpoint|, up to a factor of 1 + 2^-30. */
static rstar_radius
magnitude(const rstar_ball *a)
{
	rstar_radius x = radius_of_real(&a->re);
	rstar_radius y = radius_of_real(&a->im);
	rstar_radius sum;

	if (x.mantissa == 0 || y.mantissa == 0)
		return x.mantissa == 0 ? y : x;
	sum = radius_add(radius_mul(x, x), radius_mul(y, y));
	if (sum.exponent & 1)
	{
		sum.mantissa *= 2;
		sum.exponent--;
	}
	return radius_make(sqrt(sum.mantissa), sum.exponent / 2);
}

static rstar_radius
scaled(rstar_radius a, int64_t bits)
{
	if (a.mantissa > 0)
		a.exponent += bits;
	return a;
}

static rstar_ball
make(rstar_real re, rstar_real im, rstar_radius propagated)
{
	rstar_ball a;

	a.re = re;
	a.im = im;
	a.radius = radius_add(propagated, scaled(magnitude(&a), -ROUND_BITS));
	return a;
}

static bool
in_range(const rstar_ball *a)
{
	return a->re.exponent < MAX_SCALE && a->re.exponent > -MAX_SCALE &&
		   a->im.exponent < MAX_SCALE && a->im.exponent > -MAX_SCALE &&
		   a->radius.exponent < MAX_SCALE && a->radius.exponent > -MAX_SCALE;
}

rstar_ball
rstar_ball_exact(rstar_real re, rstar_real im)
{
	rstar_ball a = {re, im, radius_zero};

	return a;
}

rstar_ball
rstar_ball_rounded(rstar_real re, rstar_real im)
{
	return make(re, im, radius_zero);
}

rstar_ball
rstar_ball_from_i64(int64_t value)
{
	return rstar_ball_exact(rstar_real_from_i64(value), rstar_real_from_i64(0));
}

rstar_ball
rstar_ball_neg(rstar_ball a)
{
	a.re = rstar_real_neg(a.re);
	a.im = rstar_real_neg(a.im);
	return a;
}

/* The error of aligning is bounded by the larger operand, not by the result. */
rstar_ball
rstar_ball_add(const rstar_ball *a, const rstar_ball *b)
{
	rstar_ball result;

	result.re = rstar_real_add(&a->re, &b->re);
	result.im = rstar_real_add(&a->im, &b->im);
	result.radius = radius_add(a->radius, b->radius);
	if (!(a->re.sign == 0 && a->im.sign == 0) && !(b->re.sign == 0 && b->im.sign == 0))
		result.radius = radius_add(result.radius,
								   scaled(radius_add(magnitude(a), magnitude(b)), -ROUND_BITS - 6));
	return result;
}

rstar_ball
rstar_ball_sub(const rstar_ball *a, const rstar_ball *b)
{
	rstar_ball minus = rstar_ball_neg(*b);

	return rstar_ball_add(a, &minus);
}

rstar_ball
rstar_ball_mul(const rstar_ball *a, const rstar_ball *b)
{
	rstar_radius ma = magnitude(a);
	rstar_radius mb = magnitude(b);
	rstar_radius r = radius_add(radius_add(radius_mul(ma, b->radius), radius_mul(mb, a->radius)),
								radius_mul(a->radius, b->radius));
	rstar_real rr = rstar_real_mul(&a->re, &b->re);
	rstar_real ii = rstar_real_mul(&a->im, &b->im);
	rstar_real ri = rstar_real_mul(&a->re, &b->im);
	rstar_real ir = rstar_real_mul(&a->im, &b->re);
	rstar_ball result;

	result.re = rstar_real_sub(&rr, &ii);
	result.im = rstar_real_add(&ri, &ir);
	result.radius = radius_add(r, scaled(radius_mul(ma, mb), -ROUND_BITS - 4));
	return result;
}

bool
rstar_ball_may_be_zero(const rstar_ball *a)
{
	return radius_cmp(magnitude(a), scaled(a->radius, 1)) <= 0;
}

bool
rstar_ball_div(const rstar_ball *a, const rstar_ball *b, rstar_ball *out)
{
	rstar_ball conjugate = *b;
	rstar_real rr, ii, norm;
	rstar_radius extra;
	rstar_ball top;

	if (rstar_ball_may_be_zero(b) || !in_range(a) || !in_range(b))
		return false;
	/* |b| - r >= |b| / 2, hence the factor of two on what comes from b. */
	extra = radius_div(scaled(radius_mul(magnitude(a), b->radius), 1),
					   radius_mul(magnitude(b), magnitude(b)));
	extra = radius_add(extra, scaled(radius_div(a->radius, magnitude(b)), 1));
	if (b->im.sign == 0)
	{
		*out = make(rstar_real_div(&a->re, &b->re), rstar_real_div(&a->im, &b->re), extra);
		return true;
	}
	conjugate.im = rstar_real_neg(b->im);
	rr = rstar_real_mul(&b->re, &b->re);
	ii = rstar_real_mul(&b->im, &b->im);
	norm = rstar_real_add(&rr, &ii);
	top = rstar_ball_mul(a, &conjugate);
	extra = radius_add(extra, scaled(radius_div(magnitude(a), magnitude(b)), -ROUND_BITS));
	*out = make(rstar_real_div(&top.re, &norm), rstar_real_div(&top.im, &norm), extra);
	return true;
}

bool
rstar_ball_exp(const rstar_ball *a, rstar_ball *out)
{
	rstar_real length, sine, cosine;
	rstar_radius relative = a->radius;
	rstar_ball result;

	if (!in_range(a) || a->re.exponent > MAX_EXP_ARG || a->im.exponent > MAX_TRIG ||
		(relative.mantissa > 0 && relative.exponent > -2))
		return false;
	length = rstar_real_exp(&a->re);
	if (a->im.sign == 0)
		result = make(length, rstar_real_from_i64(0), radius_zero);
	else
	{
		rstar_real_sincos(&a->im, &sine, &cosine);
		result =
			make(rstar_real_mul(&length, &cosine), rstar_real_mul(&length, &sine), radius_zero);
	}
	/* e^d - 1 < 2 d, and the argument reduction loses the bits above the point. */
	relative = radius_add(scaled(relative, 1), scaled(magnitude(a), -ROUND_BITS - 6));
	result.radius =
		radius_add(result.radius, radius_mul(scaled(radius_of_real(&length), 1), relative));
	*out = result;
	return true;
}

/*
 * The derivative is 1/z, so an error r becomes about r/|z|; which is doubled for the side of
 * the ball that is nearer to zero. Near |z| = 1 the logarithm is small and its relative error
 * is not, so an absolute error is added. The branch is the principal one, which a negative
 * real number takes from above.
 */
bool
rstar_ball_log(const rstar_ball *a, rstar_ball *out)
{
	rstar_radius r;
	rstar_real re, im;
	rstar_ball result;

	if (rstar_ball_may_be_zero(a) || !in_range(a))
		return false;
	r = radius_div(scaled(a->radius, 1), magnitude(a));
	if (a->im.sign == 0)
	{
		rstar_real positive = a->re;

		positive.sign = 1;
		re = rstar_real_log(&positive);
		im = a->re.sign < 0 ? rstar_real_pi() : rstar_real_from_i64(0);
	}
	else
	{
		rstar_real xx = rstar_real_mul(&a->re, &a->re);
		rstar_real yy = rstar_real_mul(&a->im, &a->im);

		xx = rstar_real_add(&xx, &yy);
		re = rstar_real_scale(rstar_real_log(&xx), -1);
		im = rstar_real_atan2(&a->im, &a->re);
	}
	result = make(re, im, r);
	result.radius = radius_add(result.radius, radius_make(1, -ROUND_BITS)); /* near |a| = 1 */
	*out = result;
	return true;
}

/* The root in the right half plane; on the negative real axis, the upper one. */
bool
rstar_ball_sqrt(const rstar_ball *a, rstar_ball *out)
{
	rstar_real zero = rstar_real_from_i64(0);
	rstar_real length, root, other;
	rstar_radius r;

	if (!in_range(a))
		return false;
	if (rstar_ball_may_be_zero(a))
	{
		r = scaled(a->radius, 2);
		if (r.exponent & 1)
			r.exponent++;
		r.exponent /= 2;
		*out = make(zero, zero, r);
		return r.exponent < -60 || r.mantissa == 0;
	}
	if (a->im.sign == 0 || rstar_ball_is_real(a))
	{
		rstar_real positive = a->re;

		positive.sign = 1;
		root = rstar_real_sqrt(&positive);
		r = radius_div(a->radius, radius_of_real(&root));
		*out = a->re.sign > 0 ? make(root, zero, r) : make(zero, root, r);
		return true;
	}
	other = rstar_real_mul(&a->im, &a->im);
	length = rstar_real_mul(&a->re, &a->re);
	length = rstar_real_add(&length, &other);
	length = rstar_real_sqrt(&length);
	root = a->re;
	root.sign = root.sign < 0 ? 1 : root.sign;
	root = rstar_real_add(&length, &root); /* |a| + |re|: no cancellation */
	root = rstar_real_scale(root, -1);
	root = rstar_real_sqrt(&root);
	other = rstar_real_div(&a->im, &root);
	other = rstar_real_scale(other, -1);
	r = radius_div(a->radius, radius_of_real(&root));
	if (a->re.sign >= 0)
		*out = make(root, other, r);
	else
	{
		bool below = a->im.sign < 0;

		other.sign = 1;
		*out = make(other, below ? rstar_real_neg(root) : root, r);
	}
	return true;
}

static bool
cosh_sinh(const rstar_real *a, rstar_real *cosh_out, rstar_real *sinh_out)
{
	rstar_real one = rstar_real_from_i64(1);
	rstar_real up, down, sum;

	if (a->exponent > MAX_EXP_ARG)
		return false;
	up = rstar_real_exp(a);
	down = rstar_real_div(&one, &up);
	sum = rstar_real_add(&up, &down);
	*cosh_out = rstar_real_scale(sum, -1);
	sum = rstar_real_sub(&up, &down);
	*sinh_out = rstar_real_scale(sum, -1);
	return true;
}

bool
rstar_ball_sincos(const rstar_ball *a, rstar_ball *sine, rstar_ball *cosine)
{
	rstar_real zero = rstar_real_from_i64(0);
	rstar_real s, c, ch = rstar_real_from_i64(1), sh = zero;
	rstar_radius error;

	if (!in_range(a) || a->re.exponent > MAX_TRIG ||
		(a->radius.mantissa > 0 && a->radius.exponent > -2))
		return false;
	rstar_real_sincos(&a->re, &s, &c);
	if (a->im.sign && !cosh_sinh(&a->im, &ch, &sh))
		return false;
	/* |sin'| and |cos'| are at most cosh(im) within the ball, times 2. */
	error = radius_add(a->radius, scaled(magnitude(a), -ROUND_BITS - 6));
	error = radius_add(error, radius_make(1, -ROUND_BITS));
	error = radius_mul(error, scaled(radius_of_real(&ch), 1));
	*sine = make(rstar_real_mul(&s, &ch), rstar_real_mul(&c, &sh), error);
	*cosine = make(rstar_real_mul(&c, &ch), rstar_real_neg(rstar_real_mul(&s, &sh)), error);
	return true;
}

static rstar_ball
times_i(rstar_ball a)
{
	rstar_real re = a.re;

	a.re = rstar_real_neg(a.im);
	a.im = re;
	return a;
}

/* i/2 (log(1 - iz) - log(1 + iz)); real arguments directly. */
bool
rstar_ball_atan(const rstar_ball *a, rstar_ball *out)
{
	rstar_ball one = rstar_ball_from_i64(1);
	rstar_ball iz = times_i(*a);
	rstar_ball left = rstar_ball_sub(&one, &iz);
	rstar_ball right = rstar_ball_add(&one, &iz);

	if (!in_range(a))
		return false;
	if (a->im.sign == 0)
	{
		*out = make(rstar_real_atan2(&a->re, &one.re), a->im, scaled(a->radius, 1));
		return true;
	}
	if (!rstar_ball_log(&left, &left) || !rstar_ball_log(&right, &right))
		return false;
	*out = times_i(rstar_ball_sub(&left, &right));
	out->re = rstar_real_scale(out->re, -1);
	out->im = rstar_real_scale(out->im, -1);
	return true;
}

/* -i log(iz + sqrt(1 - z^2)) */
bool
rstar_ball_asin(const rstar_ball *a, rstar_ball *out)
{
	rstar_ball one = rstar_ball_from_i64(1);
	rstar_ball square = rstar_ball_mul(a, a);
	rstar_ball root = rstar_ball_sub(&one, &square);
	rstar_ball sum;

	if (!rstar_ball_sqrt(&root, &root))
		return false;
	sum = times_i(*a);
	sum = rstar_ball_add(&sum, &root);
	if (!rstar_ball_log(&sum, &sum))
		return false;
	*out = rstar_ball_neg(times_i(sum));
	return true;
}

bool
rstar_ball_acos(const rstar_ball *a, rstar_ball *out)
{
	rstar_ball half_pi =
		rstar_ball_rounded(rstar_real_scale(rstar_real_pi(), -1), rstar_real_from_i64(0));
	rstar_ball sine;

	if (!rstar_ball_asin(a, &sine))
		return false;
	*out = rstar_ball_sub(&half_pi, &sine);
	return true;
}

bool
rstar_ball_abs(const rstar_ball *a, rstar_ball *out)
{
	rstar_real zero = rstar_real_from_i64(0);
	rstar_real length = a->re;

	if (!in_range(a))
		return false;
	length.sign = length.sign < 0 ? 1 : length.sign;
	if (a->im.sign)
	{
		rstar_real yy = rstar_real_mul(&a->im, &a->im);

		length = rstar_real_mul(&a->re, &a->re);
		length = rstar_real_add(&length, &yy);
		length = rstar_real_sqrt(&length);
	}
	*out = make(length, zero, a->radius);
	return true;
}

bool
rstar_ball_pow_i64(const rstar_ball *a, int64_t exponent, rstar_ball *out)
{
	uint64_t count = exponent < 0 ? 0 - (uint64_t) exponent : (uint64_t) exponent;
	rstar_ball base = *a;
	rstar_ball result = rstar_ball_from_i64(1);

	while (count > 0)
	{
		if (!in_range(&base) || !in_range(&result))
			return false;
		if (count & 1)
			result = rstar_ball_mul(&result, &base);
		count >>= 1;
		if (count > 0)
			base = rstar_ball_mul(&base, &base);
	}
	if (exponent < 0)
	{
		base = rstar_ball_from_i64(1);
		return rstar_ball_div(&base, &result, out);
	}
	*out = result;
	return in_range(out);
}

bool
rstar_ball_pow(const rstar_ball *a, const rstar_ball *b, rstar_ball *out)
{
	rstar_ball power;

	if (a->re.sign == 0 && a->im.sign == 0 && a->radius.mantissa == 0)
	{
		*out = *a;
		return rstar_ball_sign(b) > 0;
	}
	if (!rstar_ball_log(a, &power))
		return false;
	power = rstar_ball_mul(&power, b);
	return rstar_ball_exp(&power, out);
}

bool
rstar_ball_is_real(const rstar_ball *a)
{
	return a->im.sign == 0 || radius_cmp(radius_of_real(&a->im), scaled(a->radius, 1)) <= 0;
}

int
rstar_ball_sign(const rstar_ball *a)
{
	if (a->re.sign == 0 || radius_cmp(radius_of_real(&a->re), scaled(a->radius, 1)) <= 0)
		return 0;
	return a->re.sign;
}

rstar_ball_verdict
rstar_ball_compare(const rstar_ball *a, const rstar_ball *b)
{
	rstar_ball difference = rstar_ball_sub(a, b);
	rstar_radius distance = magnitude(&difference);
	rstar_radius error = scaled(difference.radius, 1);
	rstar_radius size = radius_add(magnitude(a), magnitude(b));

	if (!in_range(a) || !in_range(b))
		return RSTAR_BALLS_UNSURE;
	if (radius_cmp(distance, error) > 0)
		return RSTAR_BALLS_DIFFER;
	if (radius_cmp(error, scaled(size, -AGREE_BITS)) <= 0 || error.exponent < -AGREE_BITS ||
		error.mantissa == 0)
		return RSTAR_BALLS_AGREE;
	return RSTAR_BALLS_UNSURE;
}

/*
 * integer.c
 *	  Exact integers and rationals: the schoolbook algorithms.
 *
 * Numbers are short (see the header), so multiplication and division are the
 * quadratic ones (Knuth, The Art of Computer Programming, volume 2, section
 * 4.3.1, algorithms M and D), and a rational is reduced only when asked for:
 * equality needs cross products, not lowest terms, and a gcd is the dearest
 * operation of all.
 */
#include "core/grade/integer.h"

#include <string.h>

static bool
pay(rstar_work *work, uint64_t cost)
{
	work->fuel -= (int64_t) cost + 40;
	return work->fuel >= 0;
}

static uint32_t *
new_limbs(rstar_work *work, size_t n)
{
	if (n > RSTAR_INT_MAX_LIMBS + 1 || !pay(work, 8 * n)) /* fresh memory is dear */
		return NULL;
	return rstar_arena_alloc_array(work->arena, n ? n : 1, sizeof(uint32_t));
}

/* Strip leading zero limbs and check the size limit. */
static bool
finish(rstar_int *out, bool negative, const uint32_t *limb, size_t n)
{
	while (n > 0 && limb[n - 1] == 0)
		n--;
	out->negative = negative && n > 0;
	out->n = (uint32_t) n;
	out->limb = limb;
	return n <= RSTAR_INT_MAX_LIMBS;
}

bool
rstar_int_from_i64(rstar_work *work, int64_t value, rstar_int *out)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
	uint32_t *limb = new_limbs(work, 2);

	if (!limb)
		return false;
	limb[0] = (uint32_t) magnitude;
	limb[1] = (uint32_t) (magnitude >> 32);
	return finish(out, value < 0, limb, 2);
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

/*
 * Several digits at a time, one pass over the limbs for each group, whose scale stays near
 * 10^8 so that nothing overflows 64 bits. Quadratic all the same, so each pass is paid for,
 * and the length is bounded before anything is allocated.
 */
bool
rstar_int_from_digits(rstar_work *work, const char *digits, size_t length, unsigned base,
					  rstar_int *out)
{
	size_t bits_per_digit = base <= 2 ? 1 : base <= 4 ? 2 : base <= 8 ? 3 : base <= 16 ? 4 : 6;
	size_t capacity;
	size_t n = 0;
	uint32_t *limb;

	if (length > (size_t) RSTAR_INT_MAX_LIMBS * 32)
		return false;
	capacity = length * bits_per_digit / 32 + 1;
	if (capacity > RSTAR_INT_MAX_LIMBS + 1)
		capacity = RSTAR_INT_MAX_LIMBS + 1;
	limb = new_limbs(work, capacity);
	if (!limb)
		return false;
	for (size_t i = 0; i < length;)
	{
		uint64_t scale = 1;
		uint64_t carry = 0;

		for (; i < length && scale < 100000000 / base + 1; i++)
		{
			int value = digit_value(digits[i]);

			if (value >= (int) base)
				return false;
			scale *= base;
			carry = carry * base + (unsigned) value;
		}
		if (!pay(work, n))
			return false;
		for (size_t k = 0; k < n; k++)
		{
			carry += (uint64_t) limb[k] * scale;
			limb[k] = (uint32_t) carry;
			carry >>= 32;
		}
		if (carry)
		{
			if (n >= capacity)
				return false;
			limb[n++] = (uint32_t) carry;
		}
	}
	return finish(out, false, limb, n);
}

static int
cmp_magnitude(const rstar_int *a, const rstar_int *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (size_t i = a->n; i-- > 0;)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

int
rstar_int_cmp(const rstar_int *a, const rstar_int *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? -cmp_magnitude(a, b) : cmp_magnitude(a, b);
}

rstar_int
rstar_int_neg(rstar_int a)
{
	a.negative = !a.negative && a.n > 0;
	return a;
}

/* |a| + |b| */
static bool
add_magnitude(rstar_work *work, const rstar_int *a, const rstar_int *b, bool negative,
			  rstar_int *out)
{
	size_t n = (a->n > b->n ? a->n : b->n);
	uint32_t *limb = new_limbs(work, n + 1);
	uint64_t carry = 0;

	if (!limb)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		carry += (uint64_t) (i < a->n ? a->limb[i] : 0) + (i < b->n ? b->limb[i] : 0);
		limb[i] = (uint32_t) carry;
		carry >>= 32;
	}
	limb[n] = (uint32_t) carry;
	return finish(out, negative, limb, n + 1);
}

/* |a| - |b| for |a| >= |b| */
static bool
sub_magnitude(rstar_work *work, const rstar_int *a, const rstar_int *b, bool negative,
			  rstar_int *out)
{
	uint32_t *limb = new_limbs(work, a->n);
	int64_t borrow = 0;

	if (!limb)
		return false;
	for (size_t i = 0; i < a->n; i++)
	{
		borrow += (int64_t) a->limb[i] - (i < b->n ? b->limb[i] : 0);
		limb[i] = (uint32_t) borrow;
		borrow >>= 32;
	}
	return finish(out, negative, limb, a->n);
}

bool
rstar_int_add(rstar_work *work, const rstar_int *a, const rstar_int *b, rstar_int *out)
{
	if (a->negative == b->negative)
		return add_magnitude(work, a, b, a->negative, out);
	if (cmp_magnitude(a, b) >= 0)
		return sub_magnitude(work, a, b, a->negative, out);
	return sub_magnitude(work, b, a, b->negative, out);
}

bool
rstar_int_mul(rstar_work *work, const rstar_int *a, const rstar_int *b, rstar_int *out)
{
	size_t n = (size_t) a->n + b->n;
	uint32_t *limb;

	if (n > RSTAR_INT_MAX_LIMBS + 1 || !pay(work, (uint64_t) a->n * b->n))
		return false;
	limb = new_limbs(work, n);
	if (!limb)
		return false;
	memset(limb, 0, n * sizeof(uint32_t));
	for (size_t i = 0; i < a->n; i++)
	{
		uint64_t carry = 0;

		for (size_t k = 0; k < b->n; k++)
		{
			carry += (uint64_t) a->limb[i] * b->limb[k] + limb[i + k];
			limb[i + k] = (uint32_t) carry;
			carry >>= 32;
		}
		limb[i + b->n] = (uint32_t) carry;
	}
	return finish(out, a->negative != b->negative, limb, n);
}

size_t
rstar_int_bits(const rstar_int *a)
{
	if (a->n == 0)
		return 0;
	return (size_t) a->n * 32 - (size_t) __builtin_clz(a->limb[a->n - 1]);
}

bool
rstar_int_pow(rstar_work *work, const rstar_int *a, uint64_t exponent, rstar_int *out)
{
	rstar_int base = *a;
	rstar_int result;
	size_t bits = rstar_int_bits(a);

	/* Refuse before working: bits - 1 bits per factor are the least there will be. */
	if (bits > 1 && exponent > (uint64_t) RSTAR_INT_MAX_LIMBS * 32 / (bits - 1))
		return false;
	if (bits <= 1)
		exponent = exponent > 2 ? 2 + exponent % 2 : exponent; /* 0, 1, -1 */
	if (!rstar_int_from_i64(work, 1, &result))
		return false;
	while (exponent > 0)
	{
		if ((exponent & 1) && !rstar_int_mul(work, &result, &base, &result))
			return false;
		exponent >>= 1;
		if (exponent > 0 && !rstar_int_mul(work, &base, &base, &base))
			return false;
	}
	*out = result;
	return true;
}

/* Divide magnitudes by one limb. */
static bool
divmod_limb(rstar_work *work, const rstar_int *a, uint32_t b, rstar_int *quotient,
			uint32_t *remainder)
{
	uint32_t *limb = new_limbs(work, a->n);
	uint64_t rest = 0;

	if (!limb)
		return false;
	for (size_t i = a->n; i-- > 0;)
	{
		rest = rest << 32 | a->limb[i];
		limb[i] = (uint32_t) (rest / b);
		rest %= b;
	}
	*remainder = (uint32_t) rest;
	return finish(quotient, false, limb, a->n);
}

/* One quotient digit of algorithm D: u[0..n] -= q * v[0..n-1], corrected. */
static uint32_t
quotient_digit(uint32_t *u, const uint32_t *v, size_t n)
{
	uint64_t top = (uint64_t) u[n] << 32 | u[n - 1];
	uint64_t q = top / v[n - 1];
	uint64_t rest = top % v[n - 1];
	uint64_t carry = 0;
	int64_t borrow = 0;

	while (q >> 32 || q * v[n - 2] > (rest << 32 | u[n - 2]))
	{
		q--;
		rest += v[n - 1];
		if (rest >> 32)
			break;
	}
	for (size_t i = 0; i < n; i++)
	{
		carry += q * v[i];
		borrow += (int64_t) u[i] - (uint32_t) carry;
		u[i] = (uint32_t) borrow;
		borrow >>= 32;
		carry >>= 32;
	}
	borrow += (int64_t) u[n] - (int64_t) carry;
	u[n] = (uint32_t) borrow;
	if (borrow >> 32)
	{
		q--;
		carry = 0;
		for (size_t i = 0; i < n; i++)
		{
			carry += (uint64_t) u[i] + v[i];
			u[i] = (uint32_t) carry;
			carry >>= 32;
		}
		u[n] += (uint32_t) carry;
	}
	return (uint32_t) q;
}

static void
shift_left(uint32_t *to, const uint32_t *from, size_t n, int shift)
{
	uint32_t carry = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint64_t wide = (uint64_t) from[i] << shift;

		to[i] = (uint32_t) wide | carry;
		carry = (uint32_t) (wide >> 32);
	}
	to[n] = carry;
}

/* Magnitudes, |a| >= |b|, b of at least two limbs: algorithm D. */
static bool
divmod_long(rstar_work *work, const rstar_int *a, const rstar_int *b, rstar_int *quotient,
			rstar_int *remainder)
{
	size_t n = b->n;
	size_t m = a->n - n;
	int shift = __builtin_clz(b->limb[n - 1]);
	uint32_t *u = new_limbs(work, (size_t) a->n + 1);
	uint32_t *v = new_limbs(work, n + 1);
	uint32_t *q = new_limbs(work, m + 1);

	if (!u || !v || !q || !pay(work, (uint64_t) (m + 1) * n))
		return false;
	shift_left(u, a->limb, a->n, shift);
	shift_left(v, b->limb, n, shift);
	for (size_t i = m + 1; i-- > 0;)
		q[i] = quotient_digit(u + i, v, n);
	for (size_t i = 0; i < n; i++) /* undo the shift */
		u[i] = (uint32_t) (((uint64_t) u[i + 1] << 32 | u[i]) >> shift);
	return finish(quotient, false, q, m + 1) && finish(remainder, false, u, n);
}

bool
rstar_int_divmod(rstar_work *work, const rstar_int *a, const rstar_int *b, rstar_int *quotient,
				 rstar_int *remainder)
{
	rstar_int q = {false, 0, NULL};
	rstar_int r = *a;

	r.negative = false;
	if (b->n == 1)
	{
		uint32_t rest;

		if (!divmod_limb(work, a, b->limb[0], &q, &rest) || !rstar_int_from_i64(work, rest, &r))
			return false;
	}
	else if (cmp_magnitude(a, b) >= 0 && !divmod_long(work, a, b, &q, &r))
		return false;
	q.negative = q.n > 0 && a->negative != b->negative;
	r.negative = r.n > 0 && a->negative;
	if (quotient)
		*quotient = q;
	if (remainder)
		*remainder = r;
	return true;
}

bool
rstar_int_to_i64(const rstar_int *a, int64_t *out)
{
	uint64_t magnitude = 0;

	if (rstar_int_bits(a) > 63)
		return false;
	for (size_t i = a->n; i-- > 0;)
		magnitude = magnitude << 32 | a->limb[i];
	*out = a->negative ? -(int64_t) magnitude : (int64_t) magnitude;
	return true;
}

/* Nine decimal digits at a time, from the last ones on. */
char *
rstar_int_text(rstar_work *work, const rstar_int *a)
{
	size_t size = (size_t) a->n * 10 + 3;
	char *text = rstar_arena_alloc(work->arena, size);
	uint32_t *limb = new_limbs(work, a->n);
	size_t n = a->n;
	char *at;

	if (!text || !limb || !pay(work, (uint64_t) n * n))
		return NULL;
	if (n > 0)
		memcpy(limb, a->limb, n * sizeof(uint32_t));
	at = text + size;
	*--at = '\0';
	while (n > 0)
	{
		uint64_t chunk = 0;

		for (size_t i = n; i-- > 0;)
		{
			chunk = chunk << 32 | limb[i];
			limb[i] = (uint32_t) (chunk / 1000000000);
			chunk %= 1000000000;
		}
		while (n > 0 && limb[n - 1] == 0)
			n--;
		for (int i = 0; i < 9 && (n > 0 || chunk > 0); i++, chunk /= 10)
			*--at = (char) ('0' + chunk % 10);
	}
	if (!*at)
		*--at = '0';
	if (a->negative)
		*--at = '-';
	return at;
}

bool
rstar_rational_from_i64(rstar_work *work, int64_t num, int64_t den, rstar_rational *out)
{
	return rstar_int_from_i64(work, num, &out->num) && rstar_int_from_i64(work, den, &out->den);
}

uint64_t
rstar_int_gcd_u64(uint64_t a, uint64_t b)
{
	while (b > 0)
	{
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

bool
rstar_rational_reduce(rstar_work *work, rstar_rational *a)
{
	rstar_int x = a->num;
	rstar_int y = a->den;
	int64_t i, k;

	if (rstar_int_bits(&y) == 1)
		return true;
	x.negative = false;
	while (y.n > 0 && (rstar_int_bits(&x) > 63 || rstar_int_bits(&y) > 63))
	{
		rstar_int rest;

		if (!rstar_int_divmod(work, &x, &y, NULL, &rest))
			return false;
		x = y;
		y = rest;
	}
	if (rstar_int_to_i64(&x, &i) && rstar_int_to_i64(&y, &k))
	{
		i = (int64_t) rstar_int_gcd_u64((uint64_t) i, (uint64_t) k);
		if (i <= 1)
			return i == 1;
		if (!rstar_int_from_i64(work, i, &x))
			return false;
	}
	return rstar_int_divmod(work, &a->num, &x, &a->num, NULL) &&
		   rstar_int_divmod(work, &a->den, &x, &a->den, NULL);
}

bool
rstar_rational_add(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
				   rstar_rational *out)
{
	rstar_int left, right, num, den;

	if (rstar_int_cmp(&a->den, &b->den) == 0)
	{
		den = a->den;
		if (!rstar_int_add(work, &a->num, &b->num, &num))
			return false;
		out->num = num;
		out->den = den;
		return true;
	}
	if (!rstar_int_mul(work, &a->num, &b->den, &left) ||
		!rstar_int_mul(work, &b->num, &a->den, &right) ||
		!rstar_int_add(work, &left, &right, &num) || !rstar_int_mul(work, &a->den, &b->den, &den))
		return false;
	out->num = num;
	out->den = den;
	return true;
}

bool
rstar_rational_mul(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
				   rstar_rational *out)
{
	rstar_int num, den;

	if (!rstar_int_mul(work, &a->num, &b->num, &num) ||
		!rstar_int_mul(work, &a->den, &b->den, &den))
		return false;
	out->num = num;
	out->den = den;
	return true;
}

bool
rstar_rational_div(rstar_work *work, const rstar_rational *a, const rstar_rational *b,
				   rstar_rational *out)
{
	rstar_rational inverse;

	if (rstar_int_is_zero(&b->num))
		return false;
	inverse.num = b->den;
	inverse.den = b->num;
	if (b->num.negative)
	{
		inverse.num = rstar_int_neg(inverse.num);
		inverse.den = rstar_int_neg(inverse.den);
	}
	return rstar_rational_mul(work, a, &inverse, out);
}

bool
rstar_rational_pow(rstar_work *work, const rstar_rational *a, int64_t exponent, rstar_rational *out)
{
	uint64_t count = exponent < 0 ? 0 - (uint64_t) exponent : (uint64_t) exponent;
	rstar_rational one;
	rstar_rational result;

	if (!rstar_int_pow(work, &a->num, count, &result.num) ||
		!rstar_int_pow(work, &a->den, count, &result.den))
		return false;
	if (exponent >= 0)
	{
		*out = result;
		return true;
	}
	return rstar_rational_from_i64(work, 1, 1, &one) &&
		   rstar_rational_div(work, &one, &result, out);
}

bool
rstar_rational_cmp(rstar_work *work, const rstar_rational *a, const rstar_rational *b, int *order)
{
	rstar_int left, right;

	if (!rstar_int_mul(work, &a->num, &b->den, &left) ||
		!rstar_int_mul(work, &b->num, &a->den, &right))
		return false;
	*order = rstar_int_cmp(&left, &right);
	return true;
}

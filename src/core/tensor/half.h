/*
 * half.h
 *	  The 16-bit floating-point formats, converted one at a time.
 *
 *		float16     s eeeee mmmmmmmmmm             bias 15, subnormals
 *		bfloat16    s eeeeeeee mmmmmmm             the upper half of a float
 *
 * To 16 bits we round to nearest, ties to even; a NaN stays a NaN with its sign
 * and (upper) payload, made quiet; what is too large becomes infinity. From 16
 * bits every value is exact. Kernels for an instruction set use its own
 * conversions, which agree with these bit for bit (a NaN aside).
 */
#ifndef RSTAR_TENSOR_HALF_H
#define RSTAR_TENSOR_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t
rstar_f32_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static inline float
rstar_f32_from_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline float
rstar_bf16_to_f32(uint16_t half)
{
	return rstar_f32_from_bits((uint32_t) half << 16);
}

static inline uint16_t
rstar_bf16_from_f32(float value)
{
	uint32_t bits = rstar_f32_bits(value);

	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t) ((bits >> 16) | 0x40);
	return (uint16_t) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline float
rstar_f16_to_f32(uint16_t half)
{
	uint32_t sign = (uint32_t) (half & 0x8000) << 16;
	uint32_t exponent = (half >> 10) & 0x1f;
	uint32_t mantissa = half & 0x3ff;

	if (exponent == 31)
		return rstar_f32_from_bits(sign | 0x7f800000 | (mantissa << 13));
	if (exponent == 0)
	{
		/* zero or subnormal: mantissa * 2^-24, exact in a float */
		float magnitude = (float) mantissa * 0x1p-24f;

		return rstar_f32_from_bits(sign | rstar_f32_bits(magnitude));
	}
	return rstar_f32_from_bits(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

static inline uint16_t
rstar_f16_from_f32(float value)
{
	uint32_t bits = rstar_f32_bits(value);
	uint16_t sign = (uint16_t) ((bits >> 16) & 0x8000);

	bits &= 0x7fffffff;
	if (bits > 0x7f800000)
		return (uint16_t) (sign | 0x7e00 | ((bits >> 13) & 0x3ff));
	if (bits >= 0x477ff000) /* 65520 and above round to infinity */
		return (uint16_t) (sign | 0x7c00);
	if (bits >= 0x38800000) /* 2^-14: a normal number; a carry moves the exponent */
		return (uint16_t) (sign | ((bits - 0x38000000 + 0xfff + ((bits >> 13) & 1)) >> 13));
	if (bits <= 0x33000000) /* 2^-25 is a tie, which goes to zero */
		return sign;

	/* subnormal: count in units of 2^-24 */
	uint32_t mantissa = (bits & 0x7fffff) | 0x800000;
	uint32_t shift = 126 - (bits >> 23);
	uint32_t units = mantissa >> shift;
	uint32_t rest = mantissa & ((1u << shift) - 1);
	uint32_t tie = 1u << (shift - 1);

	if (rest > tie || (rest == tie && (units & 1)))
		units++;
	return (uint16_t) (sign | units);
}

#endif

/*
 * quants.h
 *	  The quantised block formats, and rows of any type to and from float.
 *
 * A row is a whole number of blocks, one after another without padding. The
 * layouts are those of ggml, so that files are exchanged with its family;
 * 16-bit scales are float16. Bits are drawn with the highest to the left.
 *
 * Q8_0, 32 elements in 34 bytes: x[j] = d * qs[j]
 *
 *		+-----+------------------------------+
 *		| d:2 | qs: 32 x int8                |
 *		+-----+------------------------------+
 *
 * Q4_0, 32 elements in 18 bytes: x[j] = d * (q[j] - 8)
 *
 *		+-----+------------------------------+     byte j of qs:
 *		| d:2 | qs: 16 bytes                 |     | q[j + 16] | q[j] |
 *		+-----+------------------------------+
 *
 * Q4_1, 32 elements in 20 bytes: x[j] = d * q[j] + m, qs as in Q4_0
 *
 *		+-----+-----+------------------------------+
 *		| d:2 | m:2 | qs: 16 bytes                 |
 *		+-----+-----+------------------------------+
 *
 * Q5_0, 32 elements in 22 bytes: x[j] = d * (q[j] - 16); Q5_1 in 24 bytes:
 * x[j] = d * q[j] + m. The fifth bit of element j is bit j of qh (little-endian
 * over its four bytes), the others lie in qs as in Q4_0
 *
 *		+-----+-------+------------------------------+
 *		| d:2 | qh: 4 | qs: 16 bytes                 |     (Q5_1: m:2 behind d)
 *		+-----+-------+------------------------------+
 *
 * IQ4_NL, 32 elements in 18 bytes, like Q4_0 with unevenly spaced levels:
 * x[j] = d * rstar_iq4_levels[q[j]]
 *
 * Q2_K, 256 elements in 84 bytes, in 16 groups g of 16, each with a 4-bit scale and
 * a 4-bit minimum: x[j] = d * scale[g] * q[j] - dmin * min[g]
 *
 *		+------------------+--------+-----+--------+
 *		| scales: 16 bytes | qs: 64 | d:2 | dmin:2 |     byte g of scales: | min[g] | scale[g] |
 *		+------------------+--------+-----+--------+
 *
 *		Each half h of 128 elements has qs[32h..]; for l = 0..31, a = 128h + l
 *		qs[32h + l]       | q[a + 96] | q[a + 64] | q[a + 32] | q[a] |
 *
 * Q3_K, 256 elements in 110 bytes, in 16 groups g of 16 with a 6-bit scale:
 * x[j] = d * (scale[g] - 32) * (q[j] - 4). The two low bits of q lie in qs as in
 * Q2_K, the third of element 32p + l is bit p of hmask[l]
 *
 *		+-----------+--------+------------+-----+
 *		| hmask: 32 | qs: 64 | scales: 12 | d:2 |
 *		+-----------+--------+------------+-----+
 *
 *		scales, g = 0..7: byte g      | scale[g + 8] bits 3..0 | scale[g] bits 3..0 |
 *		g = 0..3:         byte g + 8  | scale[g+12] 5,4 | scale[g+8] 5,4 | scale[g+4] 5,4 | scale[g] 5,4 |
 *
 * Q8_K, 256 elements in 292 bytes: x[j] = d * qs[j]; sums of 16 elements each lie
 * behind them, which only a product with quantised inputs needs
 *
 *		+-----------+-----------------+-----------+
 *		| d:4 (f32) | qs: 256 x int8  | bsums: 32 |
 *		+-----------+-----------------+-----------+
 *
 * IQ4_XS, 256 elements in 136 bytes, in 8 groups g of 32 with a 6-bit scale:
 * x[j] = d * (scale[g] - 32) * rstar_iq4_levels[q[j]], qs of a group as in Q4_0
 *
 *		+-----+------------+-------------+---------+
 *		| d:2 | scales_h:2 | scales_l: 4 | qs: 128 |
 *		+-----+------------+-------------+---------+
 *
 *		scales_l, byte i: | scale[2i+1] bits 3..0 | scale[2i] bits 3..0 |
 *		scales_h: bits 2g + 1, 2g are scale[g] bits 5, 4
 *
 * Q4_K, 256 elements in 144 bytes, in 8 groups g of 32, each with a 6-bit scale
 * and a 6-bit minimum: x[j] = d * scale[g] * q[j] - dmin * min[g]
 *
 *		+-----+--------+------------+------------+
 *		| d:2 | dmin:2 | scales: 12 | qs: 128    |
 *		+-----+--------+------------+------------+
 *
 *		scales, g = 0..3:  byte g      | scale[g+4] bits 5,4 | scale[g] |
 *		                   byte g + 4  | min[g+4] bits 5,4   | min[g]   |
 *		                   byte g + 8  | min[g+4] bits 3..0  | scale[g+4] bits 3..0 |
 *		qs: 32 bytes for each pair of groups (2p, 2p + 1); byte l of pair p:
 *		                   | q[64p + 32 + l] | q[64p + l] |
 *
 * Q5_K, 256 elements in 176 bytes: as Q4_K, with a fifth bit of every element
 * in qh: bit g of qh[l] belongs to element l of group g
 *
 *		+-----+--------+------------+--------+------------+
 *		| d:2 | dmin:2 | scales: 12 | qh: 32 | qs: 128    |
 *		+-----+--------+------------+--------+------------+
 *
 * Q6_K, 256 elements in 210 bytes, in 16 groups g of 16 with an 8-bit scale:
 * x[j] = d * scales[g] * (q[j] - 32)
 *
 *		+---------+--------+-----------------+-----+
 *		| ql: 128 | qh: 64 | scales: 16 x int8 | d:2 |
 *		+---------+--------+-----------------+-----+
 *
 *		Each half h of 128 elements has ql[64h..], qh[32h..]; for l = 0..31, with
 *		a = 128h + l the four elements a, a + 32, a + 64, a + 96 lie in
 *		ql[64h + l]       | q[a + 64] bits 3..0 | q[a] bits 3..0      |
 *		ql[64h + 32 + l]  | q[a + 96] bits 3..0 | q[a + 32] bits 3..0 |
 *		qh[32h + l]       | q[a+96] 5,4 | q[a+64] 5,4 | q[a+32] 5,4 | q[a] 5,4 |
 */
#ifndef RSTAR_TENSOR_QUANTS_H
#define RSTAR_TENSOR_QUANTS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/tensor/types.h"

#define RSTAR_Q8_0_BLOCK   32
#define RSTAR_Q4_0_BLOCK   32
#define RSTAR_Q4_1_BLOCK   32
#define RSTAR_Q5_0_BLOCK   32
#define RSTAR_Q5_1_BLOCK   32
#define RSTAR_IQ4_NL_BLOCK 32
#define RSTAR_QK_BLOCK     256 /* Q2_K to Q8_K, IQ4_XS */

typedef struct rstar_block_q8_0
{
	uint16_t d; /* float16 */
	int8_t qs[32];
} rstar_block_q8_0;

typedef struct rstar_block_q4_0
{
	uint16_t d;
	uint8_t qs[16];
} rstar_block_q4_0;

typedef struct rstar_block_q4_1
{
	uint16_t d;
	uint16_t m;
	uint8_t qs[16];
} rstar_block_q4_1;

typedef struct rstar_block_q5_0
{
	uint16_t d;
	uint8_t qh[4];
	uint8_t qs[16];
} rstar_block_q5_0;

typedef struct rstar_block_q5_1
{
	uint16_t d;
	uint16_t m;
	uint8_t qh[4];
	uint8_t qs[16];
} rstar_block_q5_1;

typedef struct rstar_block_iq4_nl
{
	uint16_t d;
	uint8_t qs[16];
} rstar_block_iq4_nl;

typedef struct rstar_block_q2_K
{
	uint8_t scales[16];
	uint8_t qs[64];
	uint16_t d;
	uint16_t dmin;
} rstar_block_q2_K;

typedef struct rstar_block_q3_K
{
	uint8_t hmask[32];
	uint8_t qs[64];
	uint8_t scales[12];
	uint16_t d;
} rstar_block_q3_K;

typedef struct rstar_block_q8_K
{
	uint16_t d[2]; /* an f32 in two halves: rows are aligned to 2 bytes only */
	int8_t qs[256];
	uint8_t bsums[32];
} rstar_block_q8_K;

typedef struct rstar_block_iq4_xs
{
	uint16_t d;
	uint16_t scales_h;
	uint8_t scales_l[4];
	uint8_t qs[128];
} rstar_block_iq4_xs;

typedef struct rstar_block_q4_K
{
	uint16_t d;
	uint16_t dmin;
	uint8_t scales[12];
	uint8_t qs[128];
} rstar_block_q4_K;

typedef struct rstar_block_q5_K
{
	uint16_t d;
	uint16_t dmin;
	uint8_t scales[12];
	uint8_t qh[32];
	uint8_t qs[128];
} rstar_block_q5_K;

typedef struct rstar_block_q6_K
{
	uint8_t ql[128];
	uint8_t qh[64];
	int8_t scales[16];
	uint16_t d;
} rstar_block_q6_K;

static_assert(sizeof(rstar_block_q8_0) == 34, "Q8_0 is 34 bytes");
static_assert(sizeof(rstar_block_q4_0) == 18, "Q4_0 is 18 bytes");
static_assert(sizeof(rstar_block_q4_1) == 20, "Q4_1 is 20 bytes");
static_assert(sizeof(rstar_block_q5_0) == 22, "Q5_0 is 22 bytes");
static_assert(sizeof(rstar_block_q5_1) == 24, "Q5_1 is 24 bytes");
static_assert(sizeof(rstar_block_iq4_nl) == 18, "IQ4_NL is 18 bytes");
static_assert(sizeof(rstar_block_q2_K) == 84, "Q2_K is 84 bytes");
static_assert(sizeof(rstar_block_q3_K) == 110, "Q3_K is 110 bytes");
static_assert(sizeof(rstar_block_q8_K) == 292, "Q8_K is 292 bytes");
static_assert(sizeof(rstar_block_iq4_xs) == 136, "IQ4_XS is 136 bytes");
static_assert(sizeof(rstar_block_q4_K) == 144, "Q4_K is 144 bytes");
static_assert(sizeof(rstar_block_q5_K) == 176, "Q5_K is 176 bytes");
static_assert(sizeof(rstar_block_q6_K) == 210, "Q6_K is 210 bytes");

/* Scale and minimum (0..63) of group g (0..7) of a Q4_K or Q5_K block. */
static inline void
rstar_quants_scale_min(const uint8_t scales[12], int g, uint8_t *scale, uint8_t *min)
{
	if (g < 4)
	{
		*scale = scales[g] & 63;
		*min = scales[g + 4] & 63;
	}
	else
	{
		*scale = (uint8_t) ((scales[g + 4] & 15) | ((scales[g - 4] >> 6) << 4));
		*min = (uint8_t) ((scales[g + 4] >> 4) | ((scales[g] >> 6) << 4));
	}
}

/* Scale (-32..31) of group g (0..15) of a Q3_K block. */
static inline int
rstar_quants_q3_scale(const uint8_t scales[12], int g)
{
	int low = scales[g % 8] >> (g < 8 ? 0 : 4) & 15;
	int high = scales[8 + g % 4] >> (2 * (g / 4)) & 3;

	return (low | high << 4) - 32;
}

/* Scale (-32..31) of group g (0..7) of an IQ4_XS block. */
static inline int
rstar_quants_iq4_scale(const rstar_block_iq4_xs *block, int g)
{
	int low = block->scales_l[g / 2] >> (4 * (g % 2)) & 15;
	int high = block->scales_h >> (2 * g) & 3;

	return (low | high << 4) - 32;
}

/* The scale of a Q8_K block. */
static inline float
rstar_quants_q8_K_scale(const rstar_block_q8_K *block)
{
	float d;

	__builtin_memcpy(&d, block->d, sizeof d);
	return d;
}

/* The sixteen levels of IQ4_NL and IQ4_XS. */
extern const int8_t rstar_iq4_levels[16];

/*
 * Bytes of a row of n elements; 0 if n is not a multiple of the block or the
 * type is unknown, or the product overflows.
 */
extern size_t rstar_quants_row_bytes(rstar_type type, size_t n);

/*
 * Row of n elements of any type to float, and back. `row` must be aligned to
 * the type's scalars (2 for quantised types, as every tensor in an open file
 * is); n is a multiple of the block.
 *
 * From float: Q8_0 rounds to the grid that the largest element spans; the
 * others search scales and minima for a small weighted squared error, in which
 * importance (n values >= 0, or NULL) says how much each column matters. Input
 * must be finite; the bytes are the same on every machine. Types that are only
 * read (rstar_quants_writable says which are not) must not be asked for.
 */
extern void rstar_quants_to_f32(rstar_type type, const void *row, float *out, size_t n);
extern void rstar_quants_from_f32(rstar_type type, const float *in, void *row, size_t n,
								  const float *importance);

extern bool rstar_quants_writable(rstar_type type);

/*
 * Index of the first NaN or infinite element of a row (for quantised types: the
 * first element of the block whose scale is not finite), or n if there is none.
 */
extern size_t rstar_quants_find_bad(rstar_type type, const void *row, size_t n);

#endif

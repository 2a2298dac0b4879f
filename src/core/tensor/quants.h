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

#define RSTAR_Q8_0_BLOCK 32
#define RSTAR_Q4_0_BLOCK 32
#define RSTAR_QK_BLOCK   256 /* Q4_K, Q5_K, Q6_K */

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
 * must be finite; the bytes are the same on every machine.
 */
extern void rstar_quants_to_f32(rstar_type type, const void *row, float *out, size_t n);
extern void rstar_quants_from_f32(rstar_type type, const float *in, void *row, size_t n,
								  const float *importance);

/*
 * Index of the first NaN or infinite element of a row (for quantised types: the
 * first element of the block whose scale is not finite), or n if there is none.
 */
extern size_t rstar_quants_find_bad(rstar_type type, const void *row, size_t n);

#endif

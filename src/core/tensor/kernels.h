/*
 * kernels.h
 *	  The inner loops of inference, one table per processor family.
 *
 * Every family computes the same thing in the same lane structure; the tables
 * differ only in the instructions used (and fused multiply-add rounds once
 * where the portable family rounds twice). Rules that make results
 * independent of batching, threads and caching:
 *
 *	- an output element is computed by one thread, in an order that depends on
 *	  its own row, token and absolute positions alone;
 *	- sums run in 16 lanes (element i in lane i mod 16 for f32; groups of four
 *	  int8 products in lane (i / 4) mod 16), reduced by a fixed tree at the end;
 *	- a tile of R rows x T tokens does per element just what 1 x 1 does.
 *
 * Letters: K columns of a weight matrix = inputs; R rows = outputs; T tokens.
 */
#ifndef RSTAR_TENSOR_KERNELS_H
#define RSTAR_TENSOR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/cpu.h"
#include "core/tensor/matrix.h"

#define RSTAR_LANES       16
#define RSTAR_TILE_ROWS   4 /* rows unpacked together */
#define RSTAR_TILE_TOKENS 4 /* tokens multiplied together */

/* Columns rounded up to whole steps of 64 elements, the unit of the int8 kernels. */
static inline uint32_t
rstar_padded_columns(uint32_t columns)
{
	return (columns + 63) & ~63u;
}

/*
 * T rows of inputs, ready for products: as f32, and rounded to int8 in blocks
 * of 32 with a scale each (x = scale * q, |q| <= 127). `padded` columns are
 * zero beyond `columns`. q is biased by 128 where the family's instruction
 * wants unsigned bytes.
 */
typedef struct rstar_activations
{
	uint32_t columns;
	uint32_t padded;
	uint32_t capacity; /* rows allocated */
	float *f32;        /* [T][columns] */
	uint8_t *q;        /* [T][padded] */
	float *lanes;      /* [T][padded / 4]: scale of each group of four */
	float *sums;       /* [T][padded / 32, rounded up to 16]: scale * sum of q */
} rstar_activations;

static inline uint32_t
rstar_activation_sums(uint32_t padded)
{
	return (padded / 32 + RSTAR_LANES - 1) & ~(RSTAR_LANES - 1u);
}

/*
 * One weight row, unpacked to a form that is the same for all block types:
 * w = lane scale * int8 - minimum of its block of 32.
 */
typedef struct rstar_unpacked
{
	int8_t *q;       /* [padded] */
	float *lanes;    /* [padded / 4] */
	float *minimums; /* [padded / 32, rounded up to 16]; used if has_minimums */
} rstar_unpacked;

/* The rows of K and V that one token attends to, oldest first. */
typedef struct rstar_attention
{
	const float *q;            /* [n_group][head_dim], rope applied */
	const uint8_t *const *row; /* per position: layer-0 K row of the position */
	uint64_t k_offset;         /* from row[p] to this layer's K of the KV head */
	uint64_t v_offset;         /* from row[p] to this layer's V of the KV head */
	uint32_t first, end;       /* positions [first, end) */
	uint32_t head_dim;         /* multiple of 16 */
	uint32_t n_group;          /* query heads that share the KV head */
	float scale;               /* 1 / sqrt(head_dim) */
	float *scores;             /* scratch [n_group][end - first rounded up to 16] */
	float *out;                /* [n_group][head_dim] */
} rstar_attention;

typedef struct rstar_kernels
{
	rstar_cpu_family family;

	/* Round row t of `a`, whose f32 form is filled, to int8. */
	void (*quantize)(rstar_activations *a, uint32_t t);

	/*
	 * out[t * stride + r] = sum over k of W[r][k] * a[t][k] for rows
	 * [row, row + n_rows) and tokens [0, T). scratch: rstar_matmul_scratch().
	 */
	void (*matmul)(const rstar_matrix *w, uint32_t row, uint32_t n_rows, const rstar_activations *a,
				   uint32_t T, float *out, size_t stride, void *scratch);

	/* out = x / sqrt(mean(x^2) + eps) * weight; n elements (Zhang, Sennrich 2019). */
	void (*rms_norm)(const float *x, const float *weight, uint32_t n, float eps, float *out);

	/* gate = silu(gate) * up (SwiGLU, Shazeer 2020). */
	void (*swiglu)(float *gate, const float *up, uint32_t n);

	/* gate = gelu(gate) * up, with gelu approximated by tanh (GeGLU, Shazeer 2020). */
	void (*geglu)(float *gate, const float *up, uint32_t n);

	/* x += y. */
	void (*add)(float *x, const float *y, uint32_t n);

	/* Softmax attention of one token and one KV head, by the storage type of K and V. */
	void (*attention_f32)(const rstar_attention *a);
	void (*attention_f16)(const rstar_attention *a);

	/* Store n floats as IEEE half precision, rounded to nearest even. */
	void (*store_f16)(const float *x, uint32_t n, uint16_t *out);

	/* log(sum(exp(x))), n elements. */
	float (*logsumexp)(const float *x, uint32_t n);
} rstar_kernels;

/* The table of a family that rstar_cpu_supports(). */
extern const rstar_kernels *rstar_kernels_get(rstar_cpu_family family);

/* Bytes of scratch that one thread's matmul needs for matrices of K columns. */
extern size_t rstar_matmul_scratch(uint32_t columns);

extern const rstar_kernels rstar_kernels_portable;
extern const rstar_kernels rstar_kernels_avx2;
extern const rstar_kernels rstar_kernels_avx512;

#endif

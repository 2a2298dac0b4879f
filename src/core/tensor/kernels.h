/*
 * kernels.h
 *	  The inner loops of inference, one table per processor family.
 *
 * Rules that make results independent of batching, threads and caching:
 *
 *	- an output element is computed by one thread, in an order that depends on
 *	  its own row, token and absolute positions alone;
 *	- a product adds up blocks of columns in ascending order. Quantised weights:
 *	  the integer products of a block of 32 (or 16) columns are summed exactly,
 *	  multiplied by weight scale * activation scale, and added to the sum so far;
 *	  then the block's minimum, if the type has one, is taken off. Float weights:
 *	  chunks of RSTAR_FLOAT_CHUNK columns are summed one after another, and the
 *	  chunks' sums too;
 *	- sums over a vector's elements (norms, softmax) run in 16 lanes, element i in
 *	  lane i mod 16, reduced by a fixed tree;
 *	- the weighted sum of values runs over positions in ascending order.
 *
 * Families whose multiply-add rounds once (avx2, avxvnni, avx512, amx) agree bit for bit; the
 * portable one rounds twice.
 *
 * Products work on panels: RSTAR_PANEL_ROWS weight rows side by side, so that a
 * lane is a row and nothing is ever summed across lanes. A panel is made
 * in the thread's scratch memory from the rows as they lie in the file, a chunk
 * of columns at a time, small enough for the first-level cache, and serves all
 * tokens of the batch. Making it costs a fraction of reading it from memory; so
 * there is no second copy of the weights on disk or in memory, and a read-only
 * installation needs nothing. A model so small that it lies in the processor's caches
 * is another matter: there making panels is a third of the work, and whoever has the
 * memory may have them kept (rstar_panels).
 *
 * A new quantised type needs one function that turns a row into int8 values and a
 * scale per block (kernels_unpack_template.h) and one line in its table of types.
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
#define RSTAR_PANEL_ROWS  16  /* rows multiplied together */
#define RSTAR_INT8_CHUNK  512 /* columns of a panel of quantised weights; whole blocks of 256 */
#define RSTAR_FLOAT_CHUNK 256 /* columns of a panel of float weights */
#define RSTAR_KV_BLOCK    16  /* tokens whose keys lie side by side */

/* Columns rounded up to whole steps of 64 elements. */
static inline uint32_t
rstar_padded_columns(uint32_t columns)
{
	return (columns + 63) & ~63u;
}

/*
 * T rows of inputs, ready for products: as f32, and rounded to int8 in blocks
 * of 32 with a scale each (x = scale * q, |q| <= 127). `padded` columns are
 * zero beyond `columns`. What types with minimums (sums) and unsigned products
 * (totals) need besides comes for blocks of 32 and of 16.
 */
typedef struct rstar_activations
{
	uint32_t columns;
	uint32_t padded;
	float *f32;        /* [T][columns] */
	int8_t *q;         /* [T][padded] */
	float *scales;     /* [T][padded / 32] */
	float *sums32;     /* [T][padded / 32]: scale * sum of q */
	float *sums16;     /* [T][padded / 16] */
	int32_t *totals32; /* [T][padded / 32]: -128 * sum of q */
	int32_t *totals16; /* [T][padded / 16] */
} rstar_activations;

/* Keys and values of up to RSTAR_KV_BLOCK consecutive tokens; layouts in kv.h. */
typedef struct rstar_attention_run
{
	const uint8_t *block;
	uint32_t position; /* of the block's first token in its sequence */
	uint32_t count;    /* tokens in use */
} rstar_attention_run;

/* One token that attends. */
typedef struct rstar_attention_token
{
	const float *q;                  /* [n_group][head_dim], rope applied */
	float *out;                      /* [n_group][head_dim] */
	const rstar_attention_run *runs; /* from the sequence's first position on */
	uint32_t n_runs;                 /* at least up to `end` */
	uint32_t first, end;             /* positions [first, end) are attended to */
} rstar_attention_token;

/* Tokens that share the beginning of their paths, and one KV head. */
typedef struct rstar_attention
{
	const rstar_attention_token *tokens;
	uint32_t n_tokens; /* n_tokens * n_group <= RSTAR_ATTENTION_ROWS */
	uint32_t shared;   /* the first runs of all tokens that are equal */
	uint64_t k_offset; /* from a block to this layer's and head's keys */
	uint64_t v_offset;
	uint64_t v_stride; /* bytes from one token's values to the next one's */
	uint32_t head_dim; /* multiple of 16 */
	uint32_t n_group;  /* query heads that share the KV head */
	float scale;       /* 1 / sqrt(head_dim) */
	float *scores;     /* scratch, rstar_attention_scratch() */
} rstar_attention;

#define RSTAR_ATTENTION_ROWS 128 /* query rows handled together, at most */

/* Floats of scratch for each query row when no token attends to more positions. */
static inline size_t
rstar_attention_scratch(uint32_t positions)
{
	return ((size_t) positions + 4 * RSTAR_LANES - 1) & ~(size_t) (RSTAR_LANES - 1);
}

/*
 * Panels of a matrix, kept by the first product that makes them; they
 * belong to the kernels of one family, and to one product at a time.
 */
typedef struct rstar_panels
{
	uint8_t *data; /* 64-aligned, zeros at first: bytes * panels */
	bool *filled;  /* [panels], at first false */
	size_t bytes;  /* of a panel: rstar_kernels.panel_bytes */
} rstar_panels;

/* Panels of a matrix. */
static inline uint32_t
rstar_n_panels(const rstar_matrix *w)
{
	return (w->rows + RSTAR_PANEL_ROWS - 1) / RSTAR_PANEL_ROWS;
}

typedef struct rstar_kernels
{
	rstar_cpu_family family;

	/* Round row t of `a`, whose f32 form is filled, to int8. */
	void (*quantize)(rstar_activations *a, uint32_t t);

	/*
	 * out[t * stride + r] = sum over k of W[r][k] * a[t][k] for rows
	 * [row, row + n_rows) and tokens [0, T). scratch: rstar_matmul_scratch() bytes,
	 * 64-aligned.
	 */
	void (*matmul)(const rstar_matrix *w, uint32_t row, uint32_t n_rows, const rstar_activations *a,
				   uint32_t T, float *out, size_t stride, void *scratch);

	/* Bytes of a panel of the matrix that can be kept, a multiple of 64. */
	size_t (*panel_bytes)(const rstar_matrix *w);

	/* out = x / sqrt(mean(x^2) + eps) * weight; n elements (Zhang, Sennrich 2019). */
	void (*rms_norm)(const float *x, const float *weight, uint32_t n, float eps, float *out);

	/* gate = silu(gate) * up (SwiGLU, Shazeer 2020). */
	void (*swiglu)(float *gate, const float *up, uint32_t n);

	/* gate = gelu(gate) * up, with gelu approximated by tanh (GeGLU, Shazeer 2020). */
	void (*geglu)(float *gate, const float *up, uint32_t n);

	/* x += y. */
	void (*add)(float *x, const float *y, uint32_t n);

	/* Turn n pairs (x, y): x = x * cosine - y * sine, y = x * sine + y * cosine. */
	void (*turn)(float *x, float *y, const float *cosine, const float *sine, uint32_t n);

	/* Softmax attention, by the storage type of K and V. */
	void (*attention_f32)(const rstar_attention *a);
	void (*attention_f16)(const rstar_attention *a);

	/*
	 * Store n floats as IEEE half precision, rounded to nearest even; what is too
	 * large becomes the largest finite number, so that a cache never holds infinity.
	 */
	void (*store_f16)(const float *x, uint32_t n, uint16_t *out);

	/* log(sum(exp(x))), n elements. */
	float (*logsumexp)(const float *x, uint32_t n);

	/*
	 * weights[i] = exp((x[i] - greatest x) * factor), n elements; sums[j] = sum of the
	 * sixteen weights from 16 j on.
	 */
	void (*weigh)(const float *x, uint32_t n, float factor, float *weights, float *sums);
} rstar_kernels;

/* The table of a family that rstar_cpu_supports(). */
extern const rstar_kernels *rstar_kernels_get(rstar_cpu_family family);

/* Bytes of scratch that one thread's matmul needs for up to T tokens. */
extern size_t rstar_matmul_scratch(uint32_t T);

extern const rstar_kernels rstar_kernels_portable;
extern const rstar_kernels rstar_kernels_avx2;
extern const rstar_kernels rstar_kernels_avxvnni;
extern const rstar_kernels rstar_kernels_avx512;
extern const rstar_kernels rstar_kernels_amx;

#endif

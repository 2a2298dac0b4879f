/*
 * ops.h
 *	  The loops of training that are no large matrix products, a table per
 *	  processor family.
 *
 * Forward and backward of each layer, as x_forward and x_backward. Letters: C
 * width of the residual stream, F of the feed-forward part, D of a head, T
 * tokens of one sequence, V vocabulary. Gradients of activations (dout, dx)
 * are written unless stated otherwise; those of parameters are added to.
 */
#ifndef RSTAR_TRAIN_OPS_H
#define RSTAR_TRAIN_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/cpu.h"

/*
 * Attention of one sequence for one KV head and the query heads that share it.
 * Row t of a sequence lies at base + t * stride. Causal; with a window, query i
 * sees the keys j with i - j < window (0: all).
 */
typedef struct rstar_train_attention
{
	const float *q, *k, *v; /* rope applied; q: the group's first head, heads D apart */
	size_t stride;          /* of q, k, v, and of dq, dk, dv */
	float *out;             /* [T][.]: heads D apart */
	size_t out_stride;      /* of out and dout */
	float *lse;             /* [n_group][T]: log of the softmax's sum */
	uint32_t T;
	uint32_t head_dim;
	uint32_t n_group;
	uint32_t window;
	float scale;

	/* backward only */
	const float *dout;
	float *dq, *dk, *dv;

	float *scratch; /* rstar_train_attention_scratch() floats, 64-byte aligned */
} rstar_train_attention;

/* Floats of scratch for sequences of up to T tokens. */
extern size_t rstar_train_attention_scratch(uint32_t T, uint32_t head_dim);

/* AdamW (Loshchilov, Hutter 2019, arXiv 1711.05101, algorithm 2) for one step. */
typedef struct rstar_adamw_step
{
	float rate;
	float decay; /* weight decay, multiplied by the rate */
	float beta1, beta2, epsilon;
	float correction1, correction2; /* 1 - beta^t, of both moments */
	float gradient_scale;           /* of clipping */
} rstar_adamw_step;

typedef struct rstar_train_ops
{
	rstar_cpu_family family;

	/* out = x * r * weight with r = 1 / sqrt(mean(x^2) + eps); returns r. */
	float (*norm_forward)(const float *x, const float *weight, uint32_t n, float eps, float *out);
	/* out = x * r * weight, r known: what backward needs again. */
	void (*norm_again)(const float *x, const float *weight, uint32_t n, float r, float *out);
	/* dx += ..., dweight += ... (NULL: not wanted). */
	void (*norm_backward)(const float *x, const float *weight, float r, const float *dout,
						  uint32_t n, float *dx, float *dweight);

	/* out = silu(gate) * up; gate_up: F of gate, then F of up. */
	void (*swiglu_forward)(const float *gate_up, uint32_t F, float *out);
	/* Also gives out again. dgate_up: laid out as gate_up. */
	void (*swiglu_backward)(const float *gate_up, const float *dout, uint32_t F, float *dgate_up,
							float *out);

	/*
	 * Turn the pairs of one head, in place: cos[i], sin[i] of pair i, which is (i,
	 * i + pairs) if neox, else (2i, 2i + 1). back: the transpose of that.
	 */
	void (*rope)(float *head, const float *cos, const float *sin, uint32_t pairs, bool neox,
				 bool back);

	void (*attention_forward)(const rstar_train_attention *a);
	void (*attention_backward)(const rstar_train_attention *a);

	/*
	 * Cross-entropy of one token: logits become scale * (softmax - one-hot of
	 * target). Returns the loss, in nats, unscaled.
	 */
	double (*cross_entropy)(float *logits, uint32_t V, uint32_t target, float scale);
	/* The loss alone; logits stay. */
	double (*cross_entropy_only)(const float *logits, uint32_t V, uint32_t target);

	void (*add)(float *x, const float *y, size_t n);                         /* x += y */
	void (*scale)(float *x, float by, size_t n);                             /* x *= by */
	void (*add_scaled)(float *x, float by, const float *y, size_t n);        /* x += by * y */
	void (*blend)(float *x, float keep, float by, const float *y, size_t n); /* x = keep x + by y */
	float (*dot)(const float *x, const float *y, size_t n);
	double (*sum_squares)(const float *x, size_t n); /* NaN or infinity show */

	/* One step of n parameters; m and v are the moments. */
	void (*adamw)(const rstar_adamw_step *step, float *x, const float *gradient, float *m, float *v,
				  size_t n);
} rstar_train_ops;

/* The table of a family that rstar_cpu_supports(). */
extern const rstar_train_ops *rstar_train_ops_get(rstar_cpu_family family);

extern const rstar_train_ops rstar_train_ops_portable;
extern const rstar_train_ops rstar_train_ops_avx2;
extern const rstar_train_ops rstar_train_ops_avx512;

#endif

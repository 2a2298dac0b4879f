/*
 * layer.h
 *	  Parts of a layer that its forward and its backward pass share.
 *
 * All work on pass->layer. The letters are those of pass_internal.h.
 */
#ifndef RSTAR_TRAIN_LAYER_H
#define RSTAR_TRAIN_LAYER_H

#include "core/train/pass_internal.h"

/*
 * linear.c: work(arg, first, end, sums) for blocks of n rows, all threads; where `to` is not
 * NULL, sums are `width` zeros at the beginning and then are added to it, block after block.
 * rstar_pass_tokens() is the same for work that needs the pass alone. False: cancelled.
 */
typedef void (*rstar_pass_row_work)(const void *arg, uint32_t first, uint32_t end, float *sums);
extern bool rstar_pass_rows(rstar_pass *pass, uint32_t n, rstar_pass_row_work work, const void *arg,
							float *to, uint32_t width, const rstar_cancel *cancel);

/* The norm in front of attention or feed-forward; its result is pass->normed. */
typedef struct rstar_pass_norm
{
	const rstar_pass *pass;
	const float *x; /* [N][C] what it reads */
	const float *weight;
	float *r; /* [N]: 1 / root mean square */
} rstar_pass_norm;

static inline rstar_pass_norm
rstar_pass_attn_norm(const rstar_pass *pass)
{
	return (rstar_pass_norm){
		.pass = pass,
		.x = rstar_pass_stream(pass, pass->layer),
		.weight = rstar_pass_value(pass, pass->model->layers[pass->layer].attn_norm),
		.r = pass->layers[pass->layer].r_attn,
	};
}

static inline rstar_pass_norm
rstar_pass_ffn_norm(const rstar_pass *pass)
{
	return (rstar_pass_norm){
		.pass = pass,
		.x = pass->layers[pass->layer].middle,
		.weight = rstar_pass_value(pass, pass->model->layers[pass->layer].ffn_norm),
		.r = pass->layers[pass->layer].r_ffn,
	};
}

/* Attention of all heads; backward: dheads becomes q's, k's and v's part of dwide. False: cancelled. */
extern bool rstar_pass_attend(rstar_pass *pass, const rstar_cancel *cancel);
extern bool rstar_pass_attend_backward(rstar_pass *pass, const rstar_cancel *cancel);

/* act from gate_up, for rstar_pass_tokens(); takes no sums. */
extern void rstar_pass_swiglu(rstar_pass *pass, uint32_t first, uint32_t end, float *sums);

#endif

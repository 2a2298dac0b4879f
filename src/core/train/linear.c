/*
 * linear.c
 *	  Linear layers with their adapters, and sums over tokens.
 */
#include "core/train/layer.h"

#include <string.h>

#include "core/base/clock.h"

/* --- over tokens -------------------------------------------------------------------- */

typedef struct row_blocks
{
	rstar_pass_row_work work;
	const void *arg;
	uint32_t n;
	float *partial; /* sums of each block, or NULL */
	uint32_t width;
} row_blocks;

static void
run_block(void *arg, uint32_t block, uint32_t thread)
{
	const row_blocks *b = arg;
	uint32_t first = block * RSTAR_PASS_TOKENS;
	uint32_t end = b->n - first < RSTAR_PASS_TOKENS ? b->n : first + RSTAR_PASS_TOKENS;
	float *sums = b->partial ? b->partial + (size_t) block * b->width : NULL;

	(void) thread;
	if (sums)
		memset(sums, 0, b->width * sizeof *sums);
	b->work(b->arg, first, end, sums);
}

bool
rstar_pass_rows(rstar_pass *pass, uint32_t n, rstar_pass_row_work work, const void *arg, float *to,
				uint32_t width, const rstar_cancel *cancel)
{
	row_blocks b = {work, arg, n, to ? pass->partial : NULL, width};
	uint32_t blocks = (n + RSTAR_PASS_TOKENS - 1) / RSTAR_PASS_TOKENS;

	if (!rstar_pool_run(pass->pool, run_block, &b, blocks, cancel))
		return false;
	for (uint32_t block = 0; to && block < blocks; block++)
		pass->ops->add(to, pass->partial + (size_t) block * width, width);
	return true;
}

typedef struct token_work
{
	rstar_pass *pass;
	rstar_pass_work work;
} token_work;

static void
work_on_tokens(const void *arg, uint32_t first, uint32_t end, float *sums)
{
	const token_work *w = arg;

	w->work(w->pass, first, end, sums);
}

bool
rstar_pass_tokens(rstar_pass *pass, uint32_t n, rstar_pass_work work, float *gradient,
				  uint32_t width, const rstar_cancel *cancel)
{
	token_work w = {pass, work};

	return rstar_pass_rows(pass, n, work_on_tokens, &w, gradient, width, cancel);
}

/* A bias is added to rows, and its gradient is the sum of rows. */
typedef struct bias_work
{
	const rstar_train_ops *ops;
	float *to;         /* the rows, or NULL */
	const float *from; /* the bias, or rows */
	uint32_t width;
} bias_work;

static void
add_bias(const void *arg, uint32_t first, uint32_t end, float *sums)
{
	const bias_work *b = arg;

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		b->ops->add(b->to + (size_t) t * b->width, b->from, b->width);
}

static void
sum_rows(const void *arg, uint32_t first, uint32_t end, float *sums)
{
	const bias_work *b = arg;

	for (uint32_t t = first; t < end; t++)
		b->ops->add(sums, b->from + (size_t) t * b->width, b->width);
}

/* --- products ------------------------------------------------------------------------- */

static bool
multiply(rstar_pass *pass, const rstar_gemm_call *call, const rstar_cancel *cancel)
{
	int64_t start = rstar_clock_ns();
	bool ok = rstar_gemm_run(pass->gemm, call, cancel);

	pass->times.matrices += (double) (rstar_clock_ns() - start) * 1e-9;
	return ok;
}

/* low = scale x A^T */
static bool
project(rstar_pass *pass, const rstar_lora_part *part, const float *x, uint32_t n,
		const rstar_cancel *cancel)
{
	uint32_t in = part->a.columns, rank = pass->lora->rank;
	rstar_gemm_call down = {RSTAR_GEMM_NT, n,  rank,      in,   x,    in,
							part->a.value, in, pass->low, rank, false};

	if (!multiply(pass, &down, cancel))
		return false;
	pass->ops->scale(pass->low, pass->lora->scale, (size_t) n * rank);
	return true;
}

static bool
adapt_forward(rstar_pass *pass, const rstar_lora_part *part, const float *x, uint32_t n, float *y,
			  uint32_t width, const rstar_cancel *cancel)
{
	uint32_t rank = pass->lora->rank;
	rstar_gemm_call up = {RSTAR_GEMM_NT, n,    part->rows,      rank,  pass->low, rank,
						  part->b.value, rank, y + part->first, width, true};

	return project(pass, part, x, n, cancel) && multiply(pass, &up, cancel);
}

/* dB += dy^T low, dlow = scale dy B, dA += dlow^T x, dx += dlow A. */
static bool
adapt_backward(rstar_pass *pass, const rstar_lora_part *part, const float *x, const float *dy,
			   uint32_t width, uint32_t n, float *dx, const rstar_cancel *cancel)
{
	uint32_t in = part->a.columns, rank = pass->lora->rank;
	const float *d = dy + part->first;
	rstar_gemm_call db = {RSTAR_GEMM_TN, part->rows, rank,     n,    d,   width,
						  pass->low,     rank,       part->db, rank, true};
	rstar_gemm_call dlow = {RSTAR_GEMM_NN, n,    rank,       part->rows, d,    width,
							part->b.value, rank, pass->dlow, rank,       false};
	rstar_gemm_call da = {RSTAR_GEMM_TN, rank, in, n, pass->dlow, rank, x, in, part->da, in, true};
	rstar_gemm_call add = {RSTAR_GEMM_NN, n,  in, rank, pass->dlow, rank,
						   part->a.value, in, dx, in,   true};

	if (!project(pass, part, x, n, cancel) || !multiply(pass, &db, cancel) ||
		!multiply(pass, &dlow, cancel))
		return false;
	pass->ops->scale(pass->dlow, pass->lora->scale, (size_t) n * rank);
	return multiply(pass, &da, cancel) && (!dx || multiply(pass, &add, cancel));
}

bool
rstar_pass_linear(rstar_pass *pass, uint32_t tensor, uint32_t bias, const float *x, uint32_t n,
				  float *y, bool add, const rstar_cancel *cancel)
{
	const rstar_train_tensor *w = &pass->model->tensors[tensor];
	rstar_gemm_call call = {RSTAR_GEMM_NT, n,          w->rows, w->columns, x,  w->columns,
							w->value,      w->columns, y,       w->rows,    add};

	if (!multiply(pass, &call, cancel))
		return false;
	for (uint32_t p = 0; pass->lora && p < pass->lora->matrices[tensor].n_parts; p++)
		if (!adapt_forward(pass, &pass->lora->matrices[tensor].parts[p], x, n, y, w->rows, cancel))
			return false;
	if (bias != RSTAR_TRAIN_NONE)
	{
		bias_work b = {pass->ops, y, rstar_pass_value(pass, bias), w->rows};

		return rstar_pass_rows(pass, n, add_bias, &b, NULL, 0, cancel);
	}
	return true;
}

bool
rstar_pass_linear_backward(rstar_pass *pass, uint32_t tensor, uint32_t bias, const float *x,
						   const float *dy, uint32_t n, float *dx, const rstar_cancel *cancel)
{
	const rstar_train_tensor *w = &pass->model->tensors[tensor];
	float *dw = pass->gradients[tensor];
	rstar_gemm_call inputs = {RSTAR_GEMM_NN, n,          w->columns, w->rows,    dy,   w->rows,
							  w->value,      w->columns, dx,         w->columns, false};
	rstar_gemm_call weights = {RSTAR_GEMM_TN, w->rows, w->columns, n,   dy, w->rows, x,
							   w->columns,    dw,      w->columns, true};

	if ((dx && !multiply(pass, &inputs, cancel)) || (dw && !multiply(pass, &weights, cancel)))
		return false;
	for (uint32_t p = 0; pass->lora && p < pass->lora->matrices[tensor].n_parts; p++)
		if (!adapt_backward(pass, &pass->lora->matrices[tensor].parts[p], x, dy, w->rows, n, dx,
							cancel))
			return false;
	if (bias != RSTAR_TRAIN_NONE && pass->gradients[bias])
	{
		bias_work b = {pass->ops, NULL, dy, w->rows};

		return rstar_pass_rows(pass, n, sum_rows, &b, pass->gradients[bias], w->rows, cancel);
	}
	return true;
}

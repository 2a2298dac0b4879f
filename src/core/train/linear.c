/*
 * linear.c
 *	  Linear layers with their adapters, and sums over tokens.
 */
#include "core/train/pass_internal.h"

#include <string.h>

#include "core/base/clock.h"

/* --- over tokens -------------------------------------------------------------------- */

typedef struct token_work
{
	rstar_pass *pass;
	rstar_pass_work work;
	uint32_t n;
	float *gradient;
	uint32_t width;
} token_work;

static void
run_block(void *arg, uint32_t block, uint32_t thread)
{
	const token_work *w = arg;
	uint32_t first = block * RSTAR_PASS_TOKENS;
	uint32_t end = w->n - first < RSTAR_PASS_TOKENS ? w->n : first + RSTAR_PASS_TOKENS;
	float *sums = w->gradient ? w->pass->partial + (size_t) block * w->width : NULL;

	(void) thread;
	if (sums)
		memset(sums, 0, w->width * sizeof *sums);
	w->work(w->pass, first, end, sums);
}

bool
rstar_pass_tokens(rstar_pass *pass, uint32_t n, rstar_pass_work work, float *gradient,
				  uint32_t width, const rstar_cancel *cancel)
{
	token_work w = {pass, work, n, gradient, width};
	uint32_t blocks = (n + RSTAR_PASS_TOKENS - 1) / RSTAR_PASS_TOKENS;

	if (!rstar_pool_run(pass->pool, run_block, &w, blocks, cancel))
		return false;
	for (uint32_t block = 0; gradient && block < blocks; block++)
		pass->ops->add(gradient, pass->partial + (size_t) block * width, width);
	return true;
}

/* Sums over the rows of a matrix, for biases: rows of `width` at `matrix`. */
typedef struct column_sums
{
	rstar_pass *pass;
	const float *matrix;
	uint32_t n, width;
} column_sums;

static void
sum_rows(void *arg, uint32_t block, uint32_t thread)
{
	const column_sums *s = arg;
	uint32_t first = block * RSTAR_PASS_TOKENS;
	uint32_t end = s->n - first < RSTAR_PASS_TOKENS ? s->n : first + RSTAR_PASS_TOKENS;
	float *sums = s->pass->partial + (size_t) block * s->width;

	(void) thread;
	memset(sums, 0, s->width * sizeof *sums);
	for (uint32_t t = first; t < end; t++)
		s->pass->ops->add(sums, s->matrix + (size_t) t * s->width, s->width);
}

static bool
add_column_sums(rstar_pass *pass, const float *matrix, uint32_t n, uint32_t width, float *to,
				const rstar_cancel *cancel)
{
	column_sums s = {pass, matrix, n, width};
	uint32_t blocks = (n + RSTAR_PASS_TOKENS - 1) / RSTAR_PASS_TOKENS;

	if (!rstar_pool_run(pass->pool, sum_rows, &s, blocks, cancel))
		return false;
	for (uint32_t block = 0; block < blocks; block++)
		pass->ops->add(to, pass->partial + (size_t) block * width, width);
	return true;
}

typedef struct bias_rows
{
	const rstar_train_ops *ops;
	const float *bias;
	float *y;
	uint32_t n, width;
} bias_rows;

static void
add_bias(void *arg, uint32_t block, uint32_t thread)
{
	const bias_rows *b = arg;
	uint32_t first = block * RSTAR_PASS_TOKENS;
	uint32_t end = b->n - first < RSTAR_PASS_TOKENS ? b->n : first + RSTAR_PASS_TOKENS;

	(void) thread;
	for (uint32_t t = first; t < end; t++)
		b->ops->add(b->y + (size_t) t * b->width, b->bias, b->width);
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
		bias_rows b = {pass->ops, rstar_pass_value(pass, bias), y, n, w->rows};

		return rstar_pool_run(pass->pool, add_bias, &b,
							  (n + RSTAR_PASS_TOKENS - 1) / RSTAR_PASS_TOKENS, cancel);
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
		return add_column_sums(pass, dy, n, w->rows, pass->gradients[bias], cancel);
	return true;
}

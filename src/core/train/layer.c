/*
 * layer.c
 *	  Parts of a layer that its forward and its backward pass share.
 */
#include "core/train/layer.h"

#include "core/base/clock.h"

/*
 * One block is one sequence and one key-value head with all query heads that share it: so dk
 * and dv belong to one thread alone and need no lock. Everything else is a place in arrays
 * that all blocks share, which do not overlap.
 */
static rstar_train_attention
attention_of(const rstar_pass *pass, uint32_t block, uint32_t thread)
{
	const rstar_hparams *h = &pass->model->hparams;
	const rstar_pass_layer *layer = &pass->layers[pass->layer];
	uint32_t group = h->n_head / h->n_head_kv, D = h->head_dim;
	uint32_t sequence = block / h->n_head_kv, head = block % h->n_head_kv;
	uint32_t start = pass->starts[sequence], T = pass->starts[sequence + 1] - start;
	const float *row = layer->qkv + (size_t) start * rstar_pass_wide(h);

	return (rstar_train_attention){
		.q = row + (size_t) head * group * D,
		.k = row + (size_t) (h->n_head + head) * D,
		.v = row + (size_t) (h->n_head + h->n_head_kv + head) * D,
		.stride = rstar_pass_wide(h),
		.out = layer->heads + ((size_t) start * h->n_head + (size_t) head * group) * D,
		.out_stride = (size_t) h->n_head * D,
		.lse = layer->lse + (size_t) start * h->n_head + (size_t) head * group * T,
		.T = T,
		.head_dim = D,
		.n_group = group,
		.window = rstar_hparams_window(h, pass->layer),
		.scale = rstar_pass_scale(h),
		.scratch = pass->attention + thread * pass->attention_per_thread,
	};
}

static void
attend_block(void *arg, uint32_t block, uint32_t thread)
{
	const rstar_pass *pass = arg;
	rstar_train_attention a = attention_of(pass, block, thread);

	pass->ops->attention_forward(&a);
}

/* Gradients lie as what they are gradients of. */
static void
attend_block_backward(void *arg, uint32_t block, uint32_t thread)
{
	const rstar_pass *pass = arg;
	const rstar_pass_layer *layer = &pass->layers[pass->layer];
	rstar_train_attention a = attention_of(pass, block, thread);

	a.dout = pass->dheads + (a.out - layer->heads);
	a.dq = pass->dwide + (a.q - layer->qkv);
	a.dk = pass->dwide + (a.k - layer->qkv);
	a.dv = pass->dwide + (a.v - layer->qkv);
	pass->ops->attention_backward(&a);
}

static bool
run_blocks(rstar_pass *pass, rstar_pool_function work, const rstar_cancel *cancel)
{
	uint32_t blocks = pass->batch.n_sequences * pass->model->hparams.n_head_kv;
	int64_t start = rstar_clock_ns();
	bool ok = rstar_pool_run(pass->pool, work, pass, blocks, cancel);

	pass->times.attention += (double) (rstar_clock_ns() - start) * 1e-9;
	return ok;
}

bool
rstar_pass_attend(rstar_pass *pass, const rstar_cancel *cancel)
{
	return run_blocks(pass, attend_block, cancel);
}

bool
rstar_pass_attend_backward(rstar_pass *pass, const rstar_cancel *cancel)
{
	return run_blocks(pass, attend_block_backward, cancel);
}

void
rstar_pass_swiglu(rstar_pass *pass, uint32_t first, uint32_t end, float *sums)
{
	uint32_t F = pass->model->hparams.n_ff;
	const float *gate_up = pass->layers[pass->layer].gate_up;

	(void) sums;
	for (uint32_t t = first; t < end; t++)
		pass->ops->swiglu_forward(gate_up + (size_t) t * 2 * F, F, pass->act + (size_t) t * F);
}

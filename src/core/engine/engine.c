/*
 * engine.c
 *	  Life of an engine and of its jobs.
 *
 * A job is a list of requests. It runs as a series of passes: plan.c picks the
 * tokens, forward.c computes them slice by slice, and when nothing is left to
 * compute the job is done.
 */
#include "core/engine/internal.h"
#include "core/engine/prefix_file.h"

#include <string.h>

#define DEFAULT_BATCH    256
#define LOGITS_BYTES     ((size_t) 32 << 20) /* bound on the logits of a pass */
#define FIRST_SLICE_WORK 5e7

rstar_status
rstar_engine_check_weights(const rstar_weights *weights, rstar_error *err)
{
	const rstar_hparams *h = &weights->hparams;

	if (h->head_dim % RSTAR_LANES != 0)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "head size %u is not a multiple of %d",
							   h->head_dim, RSTAR_LANES);
	if (h->n_head / h->n_head_kv > RSTAR_ATTENTION_ROWS)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "more than %d heads share their keys and values",
							   RSTAR_ATTENTION_ROWS);
	return RSTAR_OK;
}

static rstar_status
check_options(const rstar_weights *weights, const rstar_engine_options *options, rstar_error *err)
{
	rstar_status status = rstar_engine_check_weights(weights, err);

	if (status != RSTAR_OK)
		return status;
	if (!rstar_cpu_supports(options->family))
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "this processor does not support the kernel family \"%s\"",
							   rstar_cpu_family_name(options->family));
	return RSTAR_OK;
}

static rstar_status
create_parts(rstar_engine *engine, const rstar_engine_options *options, rstar_error *err)
{
	const rstar_hparams *h = engine->hparams;
	rstar_status status;

	engine->frequencies = rstar_alloc_array(engine->allocator, h->rope_dim + 1, sizeof(double));
	engine->slots = rstar_alloc_array(engine->allocator, engine->max_batch, sizeof(rstar_slot));
	engine->tiles = rstar_alloc_array(engine->allocator, engine->max_batch, sizeof(rstar_tile));
	if (!engine->frequencies || !engine->slots || !engine->tiles)
		return rstar_error_memory(err, engine->max_batch * sizeof(rstar_slot));
	status = rstar_engine_view_weights(engine, options->max_panels, err);
	if (status != RSTAR_OK)
		return status;
	rstar_weights_rope_frequencies(engine->weights, engine->max_context, engine->frequencies);
	rstar_weights_local_frequencies(engine->weights, engine->frequencies + h->rope_dim / 2);
	return rstar_kv_create(h->n_layer, h->n_head_kv * h->head_dim, options->kv_type,
						   options->kv_budget, engine->allocator, &engine->kv, err);
}

/*
 * The number of outputs at once is bounded by the memory for their logits, which a large
 * vocabulary makes the largest buffer of all. A part that cannot be made leaves the engine in
 * a state that rstar_engine_free takes.
 */
rstar_status
rstar_engine_create(const rstar_weights *weights, rstar_pool *pool,
					const rstar_engine_options *options, const rstar_allocator *allocator,
					rstar_engine **out, rstar_error *err)
{
	const rstar_hparams *h = &weights->hparams;
	rstar_status status = check_options(weights, options, err);

	if (status != RSTAR_OK)
		return status;

	rstar_engine *engine = rstar_alloc_zero(allocator, sizeof *engine);

	if (!engine)
		return rstar_error_memory(err, sizeof *engine);
	engine->allocator = allocator;
	engine->weights = weights;
	engine->hparams = h;
	engine->kernels = rstar_kernels_get(options->family);
	engine->pool = pool;
	engine->max_batch = options->max_batch ? options->max_batch : DEFAULT_BATCH;
	engine->max_context = options->max_context && options->max_context < h->n_context
							  ? options->max_context
							  : h->n_context;
	engine->max_outputs = (uint32_t) (LOGITS_BYTES / ((size_t) h->n_vocab * sizeof(float))) + 1;
	engine->slice_work = FIRST_SLICE_WORK;
	status = create_parts(engine, options, err);
	if (status != RSTAR_OK)
	{
		rstar_engine_free(engine);
		return status;
	}
	*out = engine;
	return RSTAR_OK;
}

void
rstar_engine_free(rstar_engine *engine)
{
	if (!engine)
		return;
	rstar_engine_abort(engine);
	rstar_kv_free(engine->kv);
	rstar_prefix_unmap(engine);
	rstar_engine_forget_weights(engine);
	rstar_free(engine->allocator, engine->frequencies);
	rstar_free(engine->allocator, engine->slots);
	rstar_free(engine->allocator, engine->pinned);
	rstar_free(engine->allocator, engine->runs);
	rstar_free(engine->allocator, engine->tiles);
	rstar_free(engine->allocator, engine->memory.data);
	rstar_free(engine->allocator, engine->thread_scratch.data);
	rstar_free(engine->allocator, engine);
}

rstar_kv *
rstar_engine_kv(rstar_engine *engine)
{
	return engine->kv;
}

uint32_t
rstar_engine_n_vocab(const rstar_engine *engine)
{
	return engine->hparams->n_vocab;
}

uint32_t
rstar_engine_max_context(const rstar_engine *engine)
{
	return engine->max_context;
}

const rstar_weights *
rstar_engine_weights(const rstar_engine *engine)
{
	return engine->weights;
}

const rstar_kernels *
rstar_engine_kernels(const rstar_engine *engine)
{
	return engine->kernels;
}

uint64_t
rstar_engine_tokens_computed(const rstar_engine *engine)
{
	return engine->tokens_computed;
}

/* --- jobs ------------------------------------------------------------------------- */

static rstar_status
check_request(rstar_engine *engine, const rstar_request *request, rstar_error *err)
{
	rstar_kv_node *node = request->node;

	if (request->n_outputs > rstar_kv_node_count(node))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "outputs wanted at %u of %u tokens",
							   request->n_outputs, rstar_kv_node_count(node));
	if (rstar_kv_node_end(node) > engine->max_context)
	{
		rstar_error_set(err, RSTAR_ERR_LIMIT, "sequence of %u tokens exceeds the context",
						rstar_kv_node_end(node));
		return rstar_error_detail(err, "The context is %u tokens long.", engine->max_context);
	}
	if ((request->want & RSTAR_WANT_VALUE) && !engine->weights->value_head)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "model has no value head");
	if (*rstar_kv_mark(node) != 0)
		return rstar_error_set(err, RSTAR_ERR_INTERNAL, "a node occurs twice in a job");
	for (; node; node = rstar_kv_node_parent(node))
	{
		const int32_t *tokens = rstar_kv_node_tokens(node);

		/* What is computed was checked when it came into the cache. */
		for (uint32_t i = rstar_kv_node_computed(node); i < rstar_kv_node_count(node); i++)
			if (tokens[i] < 0 || (uint32_t) tokens[i] >= engine->hparams->n_vocab)
				return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
									   "token id %d is not in the vocabulary", tokens[i]);
	}
	return RSTAR_OK;
}

static void
clear_requests(rstar_engine *engine)
{
	for (uint32_t i = 0; i < engine->n_requests; i++)
		*rstar_kv_mark(engine->requests[i].request.node) = 0;
	rstar_free(engine->allocator, engine->requests);
	engine->requests = NULL;
	engine->n_requests = 0;
	engine->active = false;
}

/*
 * The upper half of a node's mark is the number of its request, by which the plan knows whose
 * tokens it meets, and which shows a node that was given twice. A request that is refused
 * undoes those before it: either all are at work or none.
 */
rstar_status
rstar_engine_begin(rstar_engine *engine, const rstar_request *requests, uint32_t n, rstar_emit emit,
				   void *arg, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (engine->active)
		return rstar_error_set(err, RSTAR_ERR_INTERNAL, "the engine is at work already");
	engine->requests = rstar_alloc_array_zero(engine->allocator, n, sizeof(rstar_request_state));
	if (!engine->requests)
		return rstar_error_memory(err, n * sizeof(rstar_request_state));
	engine->active = true;
	engine->emit = emit;
	engine->emit_arg = arg;
	for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
	{
		rstar_kv_node *node = requests[i].node;

		status = check_request(engine, &requests[i], err);
		if (status != RSTAR_OK)
			break;
		engine->requests[i].request = requests[i];
		engine->n_requests++;
		*rstar_kv_mark(node) = (uint64_t) (i + 1) << 32;

		/* A token whose logits are wanted is computed again if it is in the cache. */
		uint32_t before_outputs = rstar_kv_node_count(node) - requests[i].n_outputs;

		if (rstar_kv_node_computed(node) > before_outputs)
			rstar_kv_set_computed(node, before_outputs);
	}
	if (status != RSTAR_OK)
		clear_requests(engine);
	return status;
}

void
rstar_engine_abort(rstar_engine *engine)
{
	if (engine->planned)
		rstar_engine_unplan(engine, false);
	if (engine->active)
		clear_requests(engine);
}

rstar_status
rstar_engine_step(rstar_engine *engine, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (!engine->active)
		return RSTAR_OK;
	if (!engine->planned)
	{
		status = rstar_engine_plan(engine, err);
		if (status == RSTAR_OK && engine->T == 0)
		{
			clear_requests(engine);
			return RSTAR_OK;
		}
		if (status == RSTAR_OK)
			status = rstar_engine_reserve(engine, err);
	}
	if (status == RSTAR_OK)
		status = rstar_engine_forward(engine, cancel);
	if (status == RSTAR_ERR_CANCELLED)
		rstar_error_set(err, status, "cancelled");
	if (status == RSTAR_OK)
	{
		rstar_engine_unplan(engine, true);
		return RSTAR_AGAIN;
	}
	if (status != RSTAR_AGAIN)
		rstar_engine_abort(engine);
	return status;
}

rstar_status
rstar_engine_run(rstar_engine *engine, const rstar_request *requests, uint32_t n, rstar_emit emit,
				 void *arg, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = rstar_engine_begin(engine, requests, n, emit, arg, err);

	if (status == RSTAR_OK)
		do
			status = rstar_engine_step(engine, cancel, err);
		while (status == RSTAR_AGAIN);
	return status;
}

/*
 * plan.c
 *	  Which tokens the next pass computes.
 *
 * Requests are served in order. For each, the nodes of its path are pinned, and
 * the tokens that are not in the cache join the pass, root first, until the
 * batch is full or the KV budget is spent. A token may depend on others of the
 * same pass: each layer stores all keys and values before it attends. What
 * does not fit waits for the next pass; the first unfinished request comes
 * first each time, so every pass makes progress or the budget is too small.
 *
 * A node's mark holds, in its upper half, the number (from 1) of the request
 * that ends in it, and in its lower half how many of its tokens will be in the
 * cache after this pass, plus one; 0 means "not part of this pass".
 */
#include "core/engine/internal.h"

#include <string.h>

static uint32_t
mark_request(rstar_kv_node *node)
{
	return (uint32_t) (*rstar_kv_mark(node) >> 32);
}

/* How many of the node's tokens this pass leaves in the cache. */
static uint32_t
planned_count(rstar_kv_node *node)
{
	uint32_t low = (uint32_t) *rstar_kv_mark(node);

	return low ? low - 1 : rstar_kv_node_computed(node);
}

static void
set_planned(rstar_kv_node *node, uint32_t count)
{
	uint64_t *mark = rstar_kv_mark(node);

	*mark = (*mark >> 32 << 32) | (count + 1);
}

/* Pin a node for the pass, once. */
static bool
pin(rstar_engine *engine, rstar_kv_node *node)
{
	if ((uint32_t) *rstar_kv_mark(node) != 0)
		return true;
	if (!rstar_grow(engine->allocator, (void **) &engine->pinned, &engine->pinned_capacity,
					engine->n_pinned + 1, sizeof *engine->pinned))
		return false;
	engine->pinned[engine->n_pinned++] = node;
	rstar_kv_pin(node);
	set_planned(node, rstar_kv_node_computed(node));
	return true;
}

/* Nodes on the path from the root to `node`, both counted. */
static uint32_t
path_length(const rstar_kv_node *node)
{
	uint32_t length = 0;

	for (; node; node = rstar_kv_node_parent(node))
		length++;
	return length;
}

/*
 * Add the node's missing tokens, as many as fit. True if all of them are in
 * the cache or in the pass afterwards.
 */
static bool
add_tokens(rstar_engine *engine, rstar_kv_node *node)
{
	uint32_t from = planned_count(node);
	uint32_t count = rstar_kv_node_count(node);
	uint32_t room = engine->max_batch - engine->T;
	uint32_t until = count - from <= room ? count : from + room;
	uint32_t number = mark_request(node);
	uint32_t first_output = UINT32_MAX;

	if (from == count)
		return true;
	if (number > 0)
		first_output = count - engine->requests[number - 1].request.n_outputs +
					   engine->requests[number - 1].emitted;
	if (until > from && !rstar_kv_reserve(node, until))
		until = from;
	for (uint32_t i = from; i < until; i++)
	{
		bool output = i >= first_output;

		if (output && engine->W == engine->max_outputs)
		{
			until = i;
			break;
		}
		engine->slots[engine->T++] = (rstar_slot){
			.node = node,
			.index = i,
			.position = rstar_kv_node_start(node) + i,
			.output = output ? (int32_t) engine->W++ : -1,
			.request = number - 1,
		};
	}
	set_planned(node, until);
	return until == count;
}

/* Blocks of the path that the pass will use. */
static uint32_t
count_runs(rstar_kv_node *const *nodes, uint32_t n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += (planned_count(nodes[i]) + RSTAR_KV_BLOCK - 1) / RSTAR_KV_BLOCK;
	return count;
}

/* nodes: the path, leaf first. */
static void
fill_runs(rstar_kv_node *const *nodes, uint32_t n, rstar_attention_run *run)
{
	while (n-- > 0)
	{
		uint32_t count = planned_count(nodes[n]);

		for (uint32_t i = 0; i < count; i += RSTAR_KV_BLOCK)
			*run++ = (rstar_attention_run){
				.block = rstar_kv_block(nodes[n], i / RSTAR_KV_BLOCK),
				.position = rstar_kv_node_start(nodes[n]) + i,
				.count = count - i < RSTAR_KV_BLOCK ? count - i : RSTAR_KV_BLOCK,
			};
	}
}

/* The runs of the path for the tokens from slot `first` on. False: memory is out. */
static bool
add_path(rstar_engine *engine, rstar_kv_node *const *nodes, uint32_t n, uint32_t first)
{
	size_t path = engine->n_runs;
	uint32_t n_runs = count_runs(nodes, n);

	if (!rstar_grow(engine->allocator, (void **) &engine->runs, &engine->runs_capacity,
					path + n_runs, sizeof *engine->runs))
		return false;
	fill_runs(nodes, n, engine->runs + path);
	engine->n_runs += n_runs;
	for (uint32_t t = first; t < engine->T; t++)
	{
		engine->slots[t].path = path;
		engine->slots[t].n_runs = n_runs;
		if (engine->slots[t].position >= engine->longest)
			engine->longest = engine->slots[t].position + 1;
	}
	return true;
}

/* Let one request take part in the pass. False: memory is out. */
static bool
plan_request(rstar_engine *engine, rstar_kv_node *leaf)
{
	uint32_t length = path_length(leaf);
	uint32_t before = engine->T;
	rstar_kv_node **nodes = rstar_alloc_array(engine->allocator, length, sizeof *nodes);
	bool ok = nodes != NULL;

	for (uint32_t i = 0; ok && i < length; i++, leaf = rstar_kv_node_parent(leaf))
	{
		nodes[i] = leaf;
		ok = pin(engine, leaf);
	}
	for (uint32_t i = length; ok && i > 0 && add_tokens(engine, nodes[i - 1]); i--)
		continue;
	if (ok && engine->T > before)
		ok = add_path(engine, nodes, length, before);
	rstar_free(engine->allocator, nodes);
	return ok;
}

static bool
is_done(const rstar_request_state *state)
{
	const rstar_request *request = &state->request;

	if (request->n_outputs > 0)
		return state->emitted == request->n_outputs;
	return rstar_kv_node_computed(request->node) == rstar_kv_node_count(request->node);
}

/*
 * Requests fill the batch in their order, so the first is never starved by those behind it.
 * Touching a node comes before room is made for it, as blocks least recently used are evicted
 * first. If not even one token of one request fits, no later plan can do better, and that
 * alone is an error.
 */
rstar_status
rstar_engine_plan(rstar_engine *engine, rstar_error *err)
{
	bool waiting = false;

	engine->T = engine->W = 0;
	engine->n_pinned = engine->n_runs = 0;
	engine->longest = 0;
	engine->planned = true;
	for (uint32_t i = 0; i < engine->n_requests && engine->T < engine->max_batch; i++)
	{
		rstar_request_state *state = &engine->requests[i];

		state->done = state->done || is_done(state);
		if (state->done)
			continue;
		waiting = true;
		rstar_kv_touch(state->request.node);
		if (!plan_request(engine, state->request.node))
			return rstar_error_memory(err, engine->runs_capacity * sizeof *engine->runs);
		if (engine->T == 0)
			break; /* even the first request finds no room */
	}
	if (waiting && engine->T == 0)
	{
		rstar_error_set(err, RSTAR_ERR_LIMIT, "KV cache is too small for a single sequence");
		rstar_error_detail(err, "A block of %d tokens takes %llu bytes.", RSTAR_KV_BLOCK,
						   (unsigned long long) rstar_kv_block_bytes(engine->kv));
		return rstar_error_hint(err, "Increase \"rstar.kv_cache\".");
	}
	if (engine->T == 0)
		engine->planned = false;
	rstar_engine_make_tiles(engine);
	engine->stage = STAGE_EMBED;
	engine->layer = 0;
	engine->progress = 0;
	return RSTAR_OK;
}

void
rstar_engine_unplan(rstar_engine *engine, bool completed)
{
	for (size_t i = 0; i < engine->n_pinned; i++)
	{
		rstar_kv_node *node = engine->pinned[i];

		if (completed)
			rstar_kv_set_computed(node, planned_count(node));
		*rstar_kv_mark(node) = *rstar_kv_mark(node) >> 32 << 32;
		rstar_kv_unpin(node);
	}
	engine->n_pinned = 0;
	engine->planned = false;
	if (completed)
	{
		engine->passes++;
		engine->tokens_computed += engine->T;
	}
}

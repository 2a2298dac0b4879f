/*
 * attach.c
 *	  What hangs on the nodes of a search: tokens in the caches, states in the
 *	  sandbox.
 *
 * A node owns its own step's tokens and state; what came before belongs to its
 * ancestors. In a search that runs all of it comes about as the candidates do. A
 * stored tree has only texts: there each node gets its tokens and its state,
 * which the sandbox rebuilds when a step is started on it, at the moment it is
 * to be expanded.
 */
#include "core/engine/prefix.h"
#include "core/search/internal.h"

rstar_status
rstar_search_reserve(rstar_search *search, rstar_search_tree *tree, rstar_error *err)
{
	size_t had = tree->attached_capacity;

	if (!rstar_grow(search->allocator, (void **) &tree->attached, &tree->attached_capacity,
					tree->mcts.tree.n_nodes, sizeof *tree->attached))
		return rstar_error_memory(err, tree->mcts.tree.n_nodes * sizeof *tree->attached);
	for (size_t i = had; i < tree->attached_capacity; i++)
		tree->attached[i] = (rstar_attachment){0};
	return RSTAR_OK;
}

/* --- tokens -------------------------------------------------------------------------- */

rstar_status
rstar_search_prefix(const rstar_search_model *model, const rstar_allocator *allocator,
					const rstar_cancel *cancel, rstar_kv_node **node, rstar_error *err)
{
	int32_t *ids = NULL;
	size_t n = 0;
	rstar_status status;

	*node = NULL;
	if (model->prompt.before.length < RSTAR_PREFIX_LEAST) /* a token has a byte or more */
		return RSTAR_OK;
	status =
		rstar_prompt_prefix(model->tokenizer, &model->prompt, allocator, cancel, &ids, &n, err);
	n -= n % RSTAR_KV_BLOCK; /* whole blocks alone can be saved */
	if (status == RSTAR_OK && n < rstar_engine_max_context(model->engine))
		status = rstar_engine_prefix(model->engine, ids, (uint32_t) n, node, err);
	rstar_free(allocator, ids);
	return status;
}

/* The same for a prompt at hand: NULL if it happens not to begin so. */
static rstar_status
shared_node(const rstar_search_model *model, const int32_t *ids, size_t count,
			const rstar_allocator *allocator, const rstar_cancel *cancel, rstar_kv_node **node,
			rstar_error *err)
{
	rstar_status status = rstar_search_prefix(model, allocator, cancel, node, err);
	size_t n = *node ? rstar_kv_node_count(*node) : 0;

	if (n > 0 &&
		(n >= count || rstar_common_prefix(rstar_kv_node_tokens(*node), n, ids, count) < n))
	{
		rstar_kv_node_release(*node);
		*node = NULL;
	}
	return status;
}

/* A KV node that ends with the prompt of a problem; a shared node may hold its beginning. */
static rstar_status
prompt_node(const rstar_search_model *model, rstar_string text, const rstar_allocator *allocator,
			const rstar_cancel *cancel, rstar_kv_node **node, rstar_error *err)
{
	uint32_t context = rstar_engine_max_context(model->engine);
	rstar_kv_node *shared = NULL;
	int32_t *ids = NULL;
	size_t count = 0;
	rstar_status status = rstar_prompt_encode(model->tokenizer, &model->prompt, text.data,
											  text.length, allocator, cancel, &ids, &count, err);

	if (status == RSTAR_OK && count + 1 >= context)
	{
		rstar_error_set(err, RSTAR_ERR_LIMIT, "the problem does not fit the context");
		status = rstar_error_detail(err, "It takes %zu tokens of %u.", count, context);
	}
	if (status == RSTAR_OK)
		status = shared_node(model, ids, count, allocator, cancel, &shared, err);
	if (status == RSTAR_OK)
		status = rstar_kv_node_create(rstar_engine_kv(model->engine), shared, node, err);
	if (status == RSTAR_OK)
	{
		size_t n = shared ? rstar_kv_node_count(shared) : 0;

		status = rstar_kv_node_append(*node, ids + n, (uint32_t) (count - n), err);
	}
	rstar_kv_node_release(shared);
	rstar_free(allocator, ids);
	return status;
}

rstar_status
rstar_search_attach_root(rstar_search *search, rstar_search_tree *tree, const rstar_cancel *cancel,
						 rstar_error *err)
{
	const rstar_search_parts *parts = &search->parts;
	rstar_string text = tree->problem.text;
	rstar_status status = rstar_search_reserve(search, tree, err);

	if (status == RSTAR_OK && parts->policy.engine)
		status = prompt_node(&parts->policy, text, search->allocator, cancel,
							 &tree->attached[0].policy, err);
	if (status == RSTAR_OK && parts->ppm.engine)
		status =
			prompt_node(&parts->ppm, text, search->allocator, cancel, &tree->attached[0].ppm, err);
	if (status == RSTAR_OK)
		tree->attached[0].made = true;
	return status;
}

rstar_status
rstar_search_set_tokens(const rstar_search_model *model, rstar_kv_node *node,
						const rstar_step_text *step, const rstar_allocator *allocator,
						const rstar_cancel *cancel, uint32_t *written, rstar_error *err)
{
	int32_t *ids = NULL;
	size_t count = 0, own = 0;
	rstar_status status = rstar_step_encode(model->tokenizer, step->text.data, step->text.length,
											allocator, cancel, &ids, &count, err);

	if (status == RSTAR_OK && count > UINT32_MAX / 2)
		status = rstar_error_set(err, RSTAR_ERR_LIMIT, "step of %zu tokens", count);
	if (status == RSTAR_OK && written && rstar_engine_weights(model->engine)->value_likelihood != 0)
		status = rstar_step_count_written(model->tokenizer, step, ids, count, allocator, cancel,
										  &own, err);
	if (written)
		*written = (uint32_t) own;
	if (status == RSTAR_OK)
	{
		size_t same =
			rstar_common_prefix(rstar_kv_node_tokens(node), rstar_kv_node_count(node), ids, count);

		status = rstar_kv_node_truncate(node, (uint32_t) same, err);
		if (status == RSTAR_OK)
			status = rstar_kv_node_append(node, ids + same, (uint32_t) (count - same), err);
	}
	rstar_free(allocator, ids);
	return status;
}

/* --- restored nodes ------------------------------------------------------------------ */

static rstar_sandbox_status
sandbox_status(rstar_node_status status)
{
	switch (status)
	{
		case RSTAR_NODE_OK:
			return RSTAR_SANDBOX_OK;
		case RSTAR_NODE_ERROR:
			return RSTAR_SANDBOX_ERROR;
		case RSTAR_NODE_TIMEOUT:
			return RSTAR_SANDBOX_TIMEOUT;
		case RSTAR_NODE_KILLED:
		case RSTAR_NODE_TOO_DEEP:
		case RSTAR_NODE_UNPARSABLE:
		case RSTAR_NODE_DECLINED:
		case RSTAR_N_NODE_STATUSES:
			break;
	}
	return RSTAR_SANDBOX_KILLED;
}

static rstar_status
restore_tokens(rstar_search *search, const rstar_search_model *model, rstar_kv_node *parent,
			   const rstar_step_text *step, const rstar_cancel *cancel, rstar_kv_node **node,
			   uint32_t *written, rstar_error *err)
{
	rstar_status status = rstar_kv_node_create(rstar_engine_kv(model->engine), parent, node, err);

	if (status == RSTAR_OK)
		status =
			rstar_search_set_tokens(model, *node, step, search->allocator, cancel, written, err);
	return status;
}

/* One node, whose parent's attachment is there. */
static rstar_status
restore_node(rstar_search *search, rstar_search_tree *tree, uint32_t id, const rstar_cancel *cancel,
			 rstar_error *err)
{
	const rstar_search_parts *parts = &search->parts;
	const rstar_tree_node *node = &tree->mcts.tree.nodes[id];
	const rstar_attachment *above = &tree->attached[node->parent];
	rstar_attachment *attached = &tree->attached[id];
	rstar_sandbox_step step = {.limits = search->options.limits};
	rstar_step_text text = {node->text, node->written};
	rstar_step_parse parse;
	rstar_status status = RSTAR_OK;

	if (parts->policy.engine)
		status = restore_tokens(search, &parts->policy, above->policy, &text, cancel,
								&attached->policy, NULL, err);
	if (status == RSTAR_OK && parts->ppm.engine)
		status = restore_tokens(search, &parts->ppm, above->ppm, &text, cancel, &attached->ppm,
								&attached->reading.written, err);
	if (status != RSTAR_OK)
		return status;
	rstar_step_parse_text(node->text.data, node->text.length,
						  tree->mcts.tree.nodes[node->parent].state, &parse);
	step.code = parse.code.data;
	step.length = parse.code.length;
	status = rstar_sandbox_recall(parts->sandbox, above->state, &step, sandbox_status(node->status),
								  &attached->state, err);
	attached->made = status == RSTAR_OK;
	return status;
}

rstar_status
rstar_search_attach(rstar_search *search, rstar_search_tree *tree, uint32_t id,
					const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	/* From the top: always the highest of its ancestors that lacks it. */
	while (status == RSTAR_OK && !tree->attached[id].made)
	{
		uint32_t at = id;

		while (!tree->attached[tree->mcts.tree.nodes[at].parent].made)
			at = tree->mcts.tree.nodes[at].parent;
		status = restore_node(search, tree, at, cancel, err);
	}
	return status;
}

/* --- release ------------------------------------------------------------------------- */

static void
release(rstar_search *search, rstar_attachment *attached)
{
	rstar_kv_node_release(attached->policy);
	rstar_kv_node_release(attached->ppm);
	if (attached->state)
		rstar_sandbox_release(search->parts.sandbox, attached->state);
	*attached = (rstar_attachment){0};
}

void
rstar_search_release_closed(rstar_search *search, rstar_search_tree *tree, uint32_t id)
{
	/* The root's stays: the length of the prompt is read from it. */
	for (; id != 0 && tree->mcts.tree.nodes[id].closed; id = tree->mcts.tree.nodes[id].parent)
		release(search, &tree->attached[id]);
}

void
rstar_search_value_states(rstar_search *search, const rstar_search_tree *tree, uint32_t id)
{
	const rstar_tree_node *nodes = tree->mcts.tree.nodes;

	if (tree->mcts.options.level_wise)
		return;
	for (; id != RSTAR_NO_NODE; id = nodes[id].parent)
		for (uint32_t c = nodes[id].first_child; c != RSTAR_NO_NODE; c = nodes[c].next_sibling)
			if (!nodes[c].closed && tree->attached[c].state)
				rstar_sandbox_set_value(search->parts.sandbox, tree->attached[c].state,
										rstar_mcts_uct(&tree->mcts, c));
}

void
rstar_search_release_tree(rstar_search *search, rstar_search_tree *tree)
{
	for (size_t i = 0; i < tree->attached_capacity; i++)
		release(search, &tree->attached[i]);
}

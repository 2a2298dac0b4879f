/*
 * tree.c
 *	  The search tree: nodes in an arena, and what is known of each.
 */
#include "core/search/tree.h"

const char *
rstar_node_kind_name(rstar_node_kind kind)
{
	static const char *const names[] = {"root", "step", "answer"};

	return names[kind];
}

const char *
rstar_node_status_name(rstar_node_status status)
{
	static const char *const names[] = {"ok",       "error",      "timeout", "killed",
										"too_deep", "unparsable", "declined"};

	return names[status];
}

static rstar_status
new_node(rstar_tree *tree, const rstar_tree_node *node, rstar_error *err)
{
	if (tree->n_nodes == RSTAR_NO_NODE ||
		!rstar_grow(tree->allocator, (void **) &tree->nodes, &tree->capacity,
					(size_t) tree->n_nodes + 1, sizeof *tree->nodes))
		return rstar_error_memory(err, (tree->n_nodes + 1UL) * sizeof *tree->nodes);
	tree->nodes[tree->n_nodes++] = *node;
	return RSTAR_OK;
}

rstar_status
rstar_tree_init(rstar_tree *tree, const rstar_allocator *allocator, rstar_error *err)
{
	rstar_tree_node root = {
		.parent = RSTAR_NO_NODE,
		.first_child = RSTAR_NO_NODE,
		.last_child = RSTAR_NO_NODE,
		.next_sibling = RSTAR_NO_NODE,
		.kind = RSTAR_NODE_ROOT,
		.state = RSTAR_SOLUTION_START,
	};

	*tree = (rstar_tree){.allocator = allocator};
	rstar_arena_init(&tree->arena, allocator, 0);
	return new_node(tree, &root, err);
}

void
rstar_tree_free(rstar_tree *tree)
{
	rstar_arena_reset(&tree->arena);
	rstar_free(tree->allocator, tree->nodes);
	tree->nodes = NULL;
	tree->n_nodes = 0;
	tree->capacity = 0;
}

static bool
copy_string(rstar_tree *tree, rstar_string *string)
{
	string->data = rstar_arena_strndup(&tree->arena, string->data, string->length);
	return string->data != NULL;
}

/*
 * The strings move to the tree, and links and counts are set here: whatever the caller left in
 * those fields is ignored. Pointers to nodes are stale after new_node, which may move the
 * array; children keep the order in which they came.
 */
rstar_status
rstar_tree_add(rstar_tree *tree, uint32_t parent, const rstar_tree_node *node, uint32_t *id,
			   rstar_error *err)
{
	rstar_tree_node child = *node;

	if (!copy_string(tree, &child.text) || !copy_string(tree, &child.output) ||
		!copy_string(tree, &child.answer))
		return rstar_error_memory(err, node->text.length + node->output.length);
	child.parent = parent;
	child.first_child = child.last_child = child.next_sibling = RSTAR_NO_NODE;
	child.n_children = child.n_open = 0;
	child.depth = tree->nodes[parent].depth + 1;
	child.expanded = child.closed = false;
	child.visits = 0;
	child.value_sum = 0;

	rstar_status status = new_node(tree, &child, err);

	if (status != RSTAR_OK)
		return status;
	*id = tree->n_nodes - 1;

	rstar_tree_node *above = &tree->nodes[parent];

	if (above->last_child == RSTAR_NO_NODE)
		above->first_child = *id;
	else
		tree->nodes[above->last_child].next_sibling = *id;
	above->last_child = *id;
	above->n_children++;
	above->n_open++;
	return RSTAR_OK;
}

void
rstar_tree_close(rstar_tree *tree, uint32_t id)
{
	while (id != RSTAR_NO_NODE && !tree->nodes[id].closed)
	{
		uint32_t parent = tree->nodes[id].parent;

		tree->nodes[id].closed = true;
		if (parent == RSTAR_NO_NODE || --tree->nodes[parent].n_open > 0)
			return;
		/* Its last open child is closed; but it may be about to get more. */
		if (!tree->nodes[parent].expanded)
			return;
		id = parent;
	}
}

/* The node on the path to `node` at that depth: paths are short, and nothing is allocated. */
static const rstar_tree_node *
ancestor(const rstar_tree *tree, const rstar_tree_node *node, uint32_t depth)
{
	while (node->depth > depth)
		node = &tree->nodes[node->parent];
	return node;
}

bool
rstar_tree_solution(const rstar_tree *tree, uint32_t id, rstar_buffer *out)
{
	const rstar_tree_node *node = &tree->nodes[id];

	for (uint32_t depth = 1; depth <= node->depth; depth++)
	{
		const rstar_tree_node *at = ancestor(tree, node, depth);

		if (!rstar_buffer_append(out, at->text.data, at->text.length))
			return false;
	}
	return true;
}

bool
rstar_tree_program(const rstar_tree *tree, uint32_t id, rstar_buffer *out)
{
	const rstar_tree_node *node = &tree->nodes[id];
	rstar_solution_state state = RSTAR_SOLUTION_START;

	for (uint32_t depth = 1; depth <= node->depth; depth++)
	{
		const rstar_tree_node *at = ancestor(tree, node, depth);
		rstar_step_parse parse;

		rstar_step_parse_text(at->text.data, at->text.length, state, &parse);
		state = parse.next;
		if (at->status == RSTAR_NODE_OK && parse.code.length > 0 &&
			!(rstar_buffer_append(out, parse.code.data, parse.code.length) &&
			  rstar_buffer_append_text(out, "\n")))
			return false;
	}
	return true;
}

void
rstar_tree_path(const rstar_tree *tree, uint32_t id, rstar_path_summary *summary)
{
	double sum = 0;

	*summary = (rstar_path_summary){0};
	for (const rstar_tree_node *node = &tree->nodes[id]; node->depth > 0;
		 node = &tree->nodes[node->parent])
	{
		double q = rstar_node_q(node);

		sum += q;
		summary->logprob += node->logprob;
		summary->failed += node->status != RSTAR_NODE_OK;
		if (summary->steps == 0 || q < summary->min_q)
			summary->min_q = q;
		summary->steps++;
	}
	if (summary->steps > 0)
		summary->mean_q = sum / summary->steps;
}

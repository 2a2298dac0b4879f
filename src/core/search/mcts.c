/*
 * mcts.c
 *	  Monte Carlo tree search over steps, without a model.
 */
#include "core/search/mcts.h"

#include <math.h>

static rstar_status
check_options(const rstar_mcts_options *o, rstar_error *err)
{
	if (o->max_rollouts == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "rollouts must be at least 1");
	if (o->max_depth == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "max_depth must be at least 1");
	if (!(o->c_uct >= 0 && isfinite(o->c_uct)))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "exploration must not be negative");
	if (isnan(o->unvisited_value))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "unvisited_value must be a number");
	return RSTAR_OK;
}

void
rstar_mcts_without_answer(rstar_mcts_options *options)
{
	options->known_answer = false;
	if (options->guidance == RSTAR_GUIDANCE_TERMINAL)
		options->guidance = RSTAR_GUIDANCE_NONE;
}

rstar_status
rstar_mcts_init(rstar_mcts *mcts, const rstar_mcts_options *options,
				const rstar_allocator *allocator, rstar_error *err)
{
	rstar_status status = check_options(options, err);

	if (status != RSTAR_OK)
		return status;
	*mcts = (rstar_mcts){
		.options = *options,
		.current = RSTAR_NO_NODE,
		.first_correct_rollout = RSTAR_NO_NODE,
	};
	return rstar_tree_init(&mcts->tree, allocator, err);
}

void
rstar_mcts_free(rstar_mcts *mcts)
{
	rstar_tree_free(&mcts->tree);
}

/* --- selection --------------------------------------------------------------------- */

static double
uct(const rstar_mcts *mcts, const rstar_tree_node *parent, const rstar_tree_node *child)
{
	if (child->visits == 0)
		return mcts->options.unvisited_value;

	double log_parent = parent->visits > 1 ? log(parent->visits) : 0;

	return rstar_node_q(child) + mcts->options.c_uct * sqrt(log_parent / child->visits);
}

double
rstar_mcts_uct(const rstar_mcts *mcts, uint32_t id)
{
	const rstar_tree_node *node = &mcts->tree.nodes[id];

	return uct(mcts, &mcts->tree.nodes[node->parent], node);
}

uint32_t
rstar_mcts_best_child(const rstar_mcts *mcts, uint32_t id)
{
	const rstar_tree_node *nodes = mcts->tree.nodes;
	uint32_t best = RSTAR_NO_NODE;
	double best_value = 0;

	/* Children come in order of their ids, so ties go to the lowest. */
	for (uint32_t c = nodes[id].first_child; c != RSTAR_NO_NODE; c = nodes[c].next_sibling)
	{
		double value;

		if (nodes[c].closed)
			continue;
		value = uct(mcts, &nodes[id], &nodes[c]);
		if (best == RSTAR_NO_NODE || value > best_value)
		{
			best = c;
			best_value = value;
		}
	}
	return best;
}

static bool
has_enough(const rstar_mcts *mcts)
{
	const rstar_mcts_options *o = &mcts->options;

	return (o->enough_correct > 0 && mcts->correct >= o->enough_correct) ||
		   (o->enough_first > 0 && mcts->rollouts >= o->enough_first &&
			mcts->correct == mcts->answers && mcts->answers >= mcts->rollouts);
}

static bool
has_all_nodes(const rstar_mcts *mcts)
{
	return mcts->options.max_nodes > 0 && mcts->tree.n_nodes >= mcts->options.max_nodes;
}

static bool
is_over(const rstar_mcts *mcts)
{
	return mcts->tree.nodes[0].closed || mcts->rollouts >= mcts->options.max_rollouts ||
		   has_all_nodes(mcts) || has_enough(mcts);
}

rstar_ending
rstar_mcts_ending(const rstar_mcts *mcts)
{
	if (!mcts->options.level_wise && mcts->rollouts >= mcts->options.max_rollouts)
		return RSTAR_ENDED_BY_ROLLOUTS;
	if (!mcts->options.level_wise && has_enough(mcts))
		return RSTAR_ENDED_BY_ENOUGH;
	if (has_all_nodes(mcts))
		return RSTAR_ENDED_BY_NODES;
	return mcts->options.level_wise ? RSTAR_ENDED_BY_ROLLOUTS : RSTAR_ENDED_BY_EXHAUSTED;
}

const char *
rstar_ending_name(rstar_ending ending)
{
	static const char *const names[RSTAR_N_ENDINGS] = {"rollouts", "exhausted", "enough",
													   "nodes",    "tokens",    "timeout"};

	return names[ending];
}

static void
end_rollout(rstar_mcts *mcts)
{
	mcts->rollouts++;
	mcts->current = RSTAR_NO_NODE;
}

uint32_t
rstar_mcts_select(rstar_mcts *mcts)
{
	const rstar_tree_node *nodes = mcts->tree.nodes;

	while (!is_over(mcts))
	{
		if (mcts->current == RSTAR_NO_NODE)
			mcts->current = 0;
		while (mcts->current != RSTAR_NO_NODE && nodes[mcts->current].expanded)
			mcts->current = rstar_mcts_best_child(mcts, mcts->current);
		if (mcts->current != RSTAR_NO_NODE)
			return mcts->current;
		end_rollout(mcts);
	}
	if (mcts->current != RSTAR_NO_NODE)
		end_rollout(mcts); /* its last expansion ended the search */
	return RSTAR_NO_NODE;
}

/* --- levels ------------------------------------------------------------------------- */

static bool
is_waiting(const rstar_tree_node *node)
{
	return !node->closed && !node->expanded;
}

uint32_t
rstar_mcts_n_open(const rstar_mcts *mcts)
{
	uint32_t n = 0;

	for (uint32_t id = 0; id < mcts->tree.n_nodes; id++)
		n += is_waiting(&mcts->tree.nodes[id]);
	return n;
}

double
rstar_mcts_score(const rstar_mcts *mcts, uint32_t id)
{
	rstar_path_summary path;

	if (mcts->options.guidance == RSTAR_GUIDANCE_PPM)
		return mcts->tree.nodes[id].ppm_score;
	rstar_tree_path(&mcts->tree, id, &path);
	return path.logprob;
}

/* Is there a better step than `id` for each of the beam's places? */
static bool
falls_behind(const rstar_mcts *mcts, const uint32_t *nodes, uint32_t n, uint32_t id)
{
	double score = rstar_mcts_score(mcts, id);
	uint32_t better = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		double other = rstar_mcts_score(mcts, nodes[i]);

		better += other > score || (other == score && nodes[i] < id);
	}
	return better >= mcts->options.beam_width;
}

static uint32_t
keep_beam(rstar_mcts *mcts, uint32_t *nodes, uint32_t n)
{
	uint32_t kept = 0;

	if (mcts->options.beam_width == 0 || n <= mcts->options.beam_width)
		return n;
	/* Decide about all before the first is closed. */
	for (uint32_t i = 0; i < n; i++)
		if (falls_behind(mcts, nodes, n, nodes[i]))
			mcts->tree.nodes[nodes[i]].pruned = true;
	for (uint32_t i = 0; i < n; i++)
		if (mcts->tree.nodes[nodes[i]].pruned)
			rstar_tree_close(&mcts->tree, nodes[i]);
		else
			nodes[kept++] = nodes[i];
	return kept;
}

uint32_t
rstar_mcts_select_level(rstar_mcts *mcts, uint32_t *nodes, uint32_t max)
{
	uint32_t n = 0;

	if (mcts->options.max_nodes == 0 || mcts->tree.n_nodes < mcts->options.max_nodes)
		for (uint32_t id = 0; id < mcts->tree.n_nodes && n < max; id++)
			if (is_waiting(&mcts->tree.nodes[id]))
				nodes[n++] = id;
	return keep_beam(mcts, nodes, n);
}

/* --- expansion ---------------------------------------------------------------------- */

static void
back_up(rstar_tree *tree, uint32_t id, double value)
{
	for (; id != RSTAR_NO_NODE; id = tree->nodes[id].parent)
	{
		tree->nodes[id].visits++;
		tree->nodes[id].value_sum += value;
	}
}

bool
rstar_mcts_graded_guidance(const rstar_mcts_options *options)
{
	return options->guidance == RSTAR_GUIDANCE_TERMINAL ||
		   (options->guidance == RSTAR_GUIDANCE_PPM && options->known_answer);
}

uint32_t
rstar_mcts_next_answer(const rstar_mcts *mcts, uint32_t id)
{
	while (++id < mcts->tree.n_nodes)
		if (mcts->tree.nodes[id].kind == RSTAR_NODE_ANSWER &&
			!rstar_node_rejected(&mcts->tree.nodes[id]))
			return id;
	return RSTAR_NO_NODE;
}

static double
answer_value(const rstar_mcts *mcts, const rstar_tree_node *answer)
{
	if (mcts->options.guidance == RSTAR_GUIDANCE_NONE)
		return 0;
	if (rstar_mcts_graded_guidance(&mcts->options))
		return answer->grade;
	return answer->ppm_score;
}

static void
count_answer(rstar_mcts *mcts, const rstar_tree_node *answer)
{
	mcts->answers++;
	if (!answer->correct)
		return;
	mcts->correct++;
	/* RSTAR_NO_NODE is the greatest number. Samples do not finish in order. */
	if (answer->rollout < mcts->first_correct_rollout)
		mcts->first_correct_rollout = answer->rollout;
}

/* The rollout that a new child belongs to; of independent samples, the sample. */
static uint32_t
rollout_of_child(const rstar_mcts *mcts, uint32_t parent)
{
	const rstar_tree_node *node = &mcts->tree.nodes[parent];

	if (!mcts->options.level_wise || mcts->options.beam_width > 0)
		return mcts->rollouts;
	return parent == 0 ? node->n_children : node->rollout;
}

/*
 * A rejected child stays in the tree with one visit of value -1, so that it is counted and
 * shown, but closed, so that it is never selected. With a PPM a step starts from its score as
 * from a first visit; an answer is worth what its end is worth, and that goes up the tree at
 * once.
 */
static rstar_status
add_child(rstar_mcts *mcts, uint32_t parent, const rstar_tree_node *candidate, rstar_error *err)
{
	rstar_tree *tree = &mcts->tree;
	rstar_tree_node child = *candidate;
	bool initialised = mcts->options.guidance == RSTAR_GUIDANCE_PPM;
	uint32_t id;

	child.rollout = rollout_of_child(mcts, parent);
	if (!rstar_node_rejected(&child) && child.kind == RSTAR_NODE_STEP &&
		tree->nodes[parent].depth + 1 > mcts->options.max_depth)
	{
		child.status = RSTAR_NODE_TOO_DEEP;
		child.kept = false;
	}

	rstar_status status = rstar_tree_add(tree, parent, &child, &id, err);

	if (status != RSTAR_OK)
		return status;
	if (rstar_node_rejected(&child) || (child.kind == RSTAR_NODE_STEP && initialised))
	{
		tree->nodes[id].visits = 1;
		tree->nodes[id].value_sum = rstar_node_rejected(&child) ? -1 : child.ppm_score;
	}
	else if (child.kind == RSTAR_NODE_ANSWER)
	{
		back_up(tree, id, answer_value(mcts, &child));
		count_answer(mcts, &child);
	}
	if (rstar_node_rejected(&child) || child.kind == RSTAR_NODE_ANSWER)
		rstar_tree_close(tree, id);
	return RSTAR_OK;
}

static bool
is_answer(const rstar_tree_node *candidate)
{
	return candidate->kind == RSTAR_NODE_ANSWER && !rstar_node_rejected(candidate);
}

static rstar_status
check_expansion(const rstar_mcts *mcts, uint32_t node, const rstar_tree_node *candidates,
				uint32_t n, rstar_error *err)
{
	bool selected = mcts->options.level_wise
						? node < mcts->tree.n_nodes && !mcts->tree.nodes[node].closed
						: node == mcts->current;

	if (!selected || mcts->tree.nodes[node].expanded)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "node %u is not the selected one", node);
	for (uint32_t i = 0; i < n; i++)
	{
		bool needs_score = mcts->options.guidance == RSTAR_GUIDANCE_PPM &&
						   !rstar_node_rejected(&candidates[i]) &&
						   !(mcts->options.known_answer && is_answer(&candidates[i]));

		if (needs_score && !(candidates[i].scored && isfinite(candidates[i].ppm_score)))
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "candidate %u has no score", i);
	}
	return RSTAR_OK;
}

rstar_status
rstar_mcts_expand(rstar_mcts *mcts, uint32_t node, const rstar_tree_node *candidates, uint32_t n,
				  rstar_error *err)
{
	rstar_status status = check_expansion(mcts, node, candidates, n, err);
	uint32_t first_answer = 0;

	if (status != RSTAR_OK)
		return status;
	while (first_answer < n && !is_answer(&candidates[first_answer]))
		first_answer++;
	if (mcts->options.answer_exclusive && first_answer < n)
		status = add_child(mcts, node, &candidates[first_answer], err);
	else
		for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
			status = add_child(mcts, node, &candidates[i], err);
	if (status != RSTAR_OK)
		return status;
	mcts->tree.nodes[node].expanded = true;
	if (mcts->tree.nodes[node].n_open == 0)
		rstar_tree_close(&mcts->tree, node);
	return RSTAR_OK;
}

/* --- restoring ----------------------------------------------------------------------- */

static rstar_status
restore_node(rstar_mcts *mcts, uint32_t id, rstar_error *err)
{
	rstar_tree_node *node = &mcts->tree.nodes[id];
	const rstar_tree_node *parent = &mcts->tree.nodes[node->parent];
	rstar_step_parse parse;

	if (rstar_node_rejected(parent) || parent->kind == RSTAR_NODE_ANSWER || !parent->expanded)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "node %u hangs on a node without children",
							   id);
	if (node->status == RSTAR_NODE_ERROR || node->status == RSTAR_NODE_TIMEOUT ||
		node->status == RSTAR_NODE_KILLED)
		node->errors = parent->errors + 1;
	if (rstar_node_rejected(node))
		return RSTAR_OK;
	rstar_step_parse_text(node->text.data, node->text.length, parent->state, &parse);
	if ((parse.kind == RSTAR_STEP_ANSWER) != (node->kind == RSTAR_NODE_ANSWER) ||
		parse.kind == RSTAR_STEP_UNPARSABLE)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "the text of node %u is no %s", id,
							   rstar_node_kind_name(node->kind));
	node->state = parse.next;
	node->written = parse.written;
	if (node->kind != RSTAR_NODE_ANSWER)
		return RSTAR_OK;
	mcts->answers++;
	mcts->correct += node->correct;
	if (node->correct && node->rollout < mcts->first_correct_rollout)
		mcts->first_correct_rollout = node->rollout;
	return RSTAR_OK;
}

rstar_status
rstar_mcts_restore(rstar_mcts *mcts, rstar_error *err)
{
	rstar_tree *tree = &mcts->tree;
	rstar_status status = RSTAR_OK;

	mcts->answers = mcts->correct = 0;
	mcts->current = mcts->first_correct_rollout = RSTAR_NO_NODE;
	for (uint32_t id = 1; id < tree->n_nodes && status == RSTAR_OK; id++)
		status = restore_node(mcts, id, err);
	/* From below: a node closes when its children have. */
	for (uint32_t id = tree->n_nodes; status == RSTAR_OK && id-- > 0;)
		if (rstar_node_rejected(&tree->nodes[id]) || tree->nodes[id].kind == RSTAR_NODE_ANSWER ||
			(tree->nodes[id].expanded && tree->nodes[id].n_open == 0))
			rstar_tree_close(tree, id);
	return status;
}

/*
 * phases.c
 *	  The phases of a turn: select, write, run, score, verify, expand.
 */
#include "core/search/internal.h"

/* --- select: trees begin and end ----------------------------------------------------- */

static rstar_status
begin_tree(rstar_search *search, rstar_search_tree *tree, const rstar_cancel *cancel,
		   rstar_error *err)
{
	rstar_mcts_options options = search->options.mcts;
	rstar_status status = RSTAR_OK;

	if (tree->problem.gold.length == 0 && tree->problem.verifier.length == 0)
		rstar_mcts_without_answer(&options);
	if (tree->problem.resume)
	{
		tree->mcts = *tree->problem.resume;
		*tree->problem.resume = (rstar_mcts){0};
	}
	else
		status = rstar_mcts_init(&tree->mcts, &options, search->allocator, err);
	if (status != RSTAR_OK)
		return status;
	tree->phase = TREE_ACTIVE;
	search->n_active++;
	tree->started_ms = rstar_clock_ms();
	tree->cost.reproducible &= !search->http;
	status = rstar_search_attach_root(search, tree, cancel, err);
	if (search->apart)
		return status == RSTAR_OK ? rstar_search_turn_begin(search, tree, err) : status;
	tree->turn = search->turns[0];
	return status;
}

static void
finish_tree(rstar_search *search, rstar_search_tree *tree)
{
	rstar_search_release_tree(search, tree);
	tree->cost.elapsed_ms = rstar_clock_ms() - tree->started_ms;
	tree->phase = TREE_FINISHED;
	tree->n_wanted = 0;
	tree->turn = NULL;
	search->n_active--;
}

rstar_status
rstar_search_begin_trees(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	uint32_t places = search->options.side_by_side;

	while (search->n_begun < search->n_trees && (places == 0 || search->n_active < places))
	{
		rstar_search_tree *tree = search->trees[search->n_begun++];
		rstar_status status = begin_tree(search, tree, cancel, &tree->failure);

		if (status == RSTAR_ERR_LIMIT)
		{
			tree->failed = status;
			finish_tree(search, tree);
		}
		else if (status != RSTAR_OK)
		{
			*err = tree->failure;
			return status;
		}
	}
	return RSTAR_OK;
}

static bool
over_budget(const rstar_search *search, rstar_search_tree *tree)
{
	const rstar_search_options *o = &search->options;

	if (o->max_generated > 0 && tree->cost.generated_tokens >= o->max_generated)
	{
		tree->ending = RSTAR_ENDED_BY_TOKENS;
		return true;
	}
	if (o->max_seconds > 0 && rstar_clock_ms() - tree->started_ms >= o->max_seconds * 1e3)
	{
		tree->cost.reproducible = false;
		tree->ending = RSTAR_ENDED_BY_TIMEOUT;
		return true;
	}
	return false;
}

/* --- select: nodes ------------------------------------------------------------------- */

static rstar_status
select_wanted(rstar_search *search, rstar_search_tree *tree, rstar_error *err)
{
	rstar_mcts *mcts = &tree->mcts;
	uint32_t room = mcts->options.level_wise ? rstar_mcts_n_open(mcts) : 1;

	if (!rstar_grow(search->allocator, (void **) &tree->wanted, &tree->wanted_capacity, room,
					sizeof *tree->wanted))
		return rstar_error_memory(err, room * sizeof *tree->wanted);
	if (mcts->options.level_wise)
		tree->n_wanted = rstar_mcts_select_level(mcts, tree->wanted, room);
	else
	{
		tree->wanted[0] = rstar_mcts_select(mcts);
		tree->n_wanted = tree->wanted[0] != RSTAR_NO_NODE;
	}
	return RSTAR_OK;
}

/* Close the wanted nodes that have no room for another step; how many are left? */
static rstar_status
keep_those_with_room(rstar_search *search, rstar_search_tree *tree, const rstar_cancel *cancel,
					 rstar_error *err)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < tree->n_wanted; i++)
	{
		uint32_t id = tree->wanted[i];
		rstar_status status = rstar_search_attach(search, tree, id, cancel, err);

		if (status == RSTAR_OK && search->writer->allowance(search, tree, id) == 0)
			status = rstar_mcts_expand(&tree->mcts, id, NULL, 0, err);
		else
			tree->wanted[kept++] = id;
		if (status != RSTAR_OK)
			return status;
	}
	tree->n_wanted = kept;
	return RSTAR_OK;
}

static rstar_status
select_nodes_of(rstar_search *search, rstar_search_tree *tree, const rstar_cancel *cancel,
				rstar_error *err)
{
	rstar_status status = rstar_search_reserve(search, tree, err);

	tree->n_wanted = 0;
	while (status == RSTAR_OK && !over_budget(search, tree))
	{
		status = select_wanted(search, tree, err);
		if (status != RSTAR_OK || tree->n_wanted == 0)
		{
			tree->ending = rstar_mcts_ending(&tree->mcts);
			break;
		}
		status = keep_those_with_room(search, tree, cancel, err);
		if (tree->n_wanted > 0)
			return status;
	}
	if (status == RSTAR_OK)
		finish_tree(search, tree);
	return status;
}

static uint32_t
candidates_of(const rstar_search *search, const rstar_search_tree *tree, uint32_t id)
{
	if (tree->mcts.tree.nodes[id].state == RSTAR_SOLUTION_RAN && !search->writer->scripted)
		return 1;
	return id == 0 ? search->options.candidates : search->options.candidates_below;
}

/* --- select: what is to be written --------------------------------------------------- */

/* The nodes that tree t wants in this turn. */
static uint32_t
n_wanted(const rstar_search *search, const rstar_turn *turn, uint32_t t)
{
	const rstar_search_tree *tree = search->trees[t];

	return tree && tree->turn == turn ? tree->n_wanted : 0;
}

static void
init_candidate(rstar_search *search, rstar_search_tree *tree, uint32_t parent, uint32_t number,
			   rstar_candidate *c)
{
	c->tree = tree;
	c->parent = parent;
	c->number = number;
	rstar_stop_watch_init(&c->watch, search->parts.policy.tokenizer, search->allocator);
	c->watch.habits = rstar_prompt_shows_steps(&search->parts.policy.prompt);
	rstar_buffer_init(&c->text, search->allocator);
	rstar_buffer_init(&c->output, search->allocator);
}

/*
 * One flat array for all trees of the turn, counted before it is filled: sequences of the
 * generation and candidates share their index from here on, and later phases hold pointers
 * into the array, so it never grows.
 */
static rstar_status
make_candidates(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	uint32_t first = turn->tree ? turn->tree->number : search->first;
	uint32_t end = turn->tree ? first + 1 : search->n_begun;
	size_t n = 0;

	for (uint32_t t = first; t < end; t++)
		for (uint32_t w = 0; w < n_wanted(search, turn, t); w++)
			n += candidates_of(search, search->trees[t], search->trees[t]->wanted[w]);
	turn->candidates = rstar_alloc_array_zero(search->allocator, n, sizeof *turn->candidates);
	if (!turn->candidates || n > UINT32_MAX)
		return rstar_error_memory(err, n * sizeof *turn->candidates);
	for (uint32_t t = first; t < end; t++)
		for (uint32_t w = 0; w < n_wanted(search, turn, t); w++)
		{
			rstar_search_tree *tree = search->trees[t];
			uint32_t count = candidates_of(search, tree, tree->wanted[w]);

			for (uint32_t i = 0; i < count; i++)
				init_candidate(search, tree, tree->wanted[w], i,
							   &turn->candidates[turn->n_candidates++]);
		}
	return RSTAR_OK;
}

/* All trees choose; the phase is DONE when none is left. */
static rstar_status
select_together(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
				rstar_error *err)
{
	rstar_status status = rstar_search_begin_trees(search, cancel, err);

	for (uint32_t t = search->first; t < search->n_begun && status == RSTAR_OK; t++)
		if (search->trees[t] && search->trees[t]->phase == TREE_ACTIVE)
			status = select_nodes_of(search, search->trees[t], cancel, err);
	if (search->n_active > 0)
		turn->phase = PHASE_WRITE;
	else
		/* Places may have come free in this very turn. */
		turn->phase = search->n_begun < search->n_trees ? PHASE_SELECT : PHASE_DONE;
	return status;
}

static rstar_status
select_apart(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = select_nodes_of(search, turn->tree, cancel, err);

	turn->phase = turn->tree->phase == TREE_ACTIVE ? PHASE_WRITE : PHASE_DONE;
	return status;
}

static rstar_status
select_nodes(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = search->apart ? select_apart(search, turn, cancel, err)
										: select_together(search, turn, cancel, err);

	if (status != RSTAR_OK || turn->phase != PHASE_WRITE)
		return status;
	status = make_candidates(search, turn, err);
	return status == RSTAR_OK ? search->writer->start(search, turn, err) : status;
}

/* --- write, run ---------------------------------------------------------------------- */

static rstar_status
write_candidates(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
				 rstar_error *err)
{
	rstar_status status = search->writer->step(search, turn, cancel, err);

	if (status != RSTAR_OK)
		return status;
	status = rstar_search_read_candidates(search, turn, err);
	search->writer->end(search, turn);
	if (status == RSTAR_OK)
		status = rstar_search_start_code(search, turn, err);
	turn->phase = PHASE_RUN;
	return status;
}

/* Together the turn waits for its results here; apart they come in between (turn.c). */
static rstar_status
run_code(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	double deadline = rstar_clock_ms() + RSTAR_SLICE_MS;

	turn->blocked = turn->n_running > 0;
	while (turn->n_running > 0)
	{
		rstar_status status = RSTAR_AGAIN;

		if (!search->apart)
			status = rstar_search_take_results(search, 10, cancel, err);
		if (status != RSTAR_OK && (status != RSTAR_AGAIN || search->apart))
			return status;
		if (turn->n_running > 0 && rstar_clock_ms() > deadline)
			return RSTAR_AGAIN;
	}
	turn->phase = PHASE_SCORE;
	return rstar_search_encode_candidates(search, turn, cancel, err);
}

static rstar_status
score_candidates(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
				 rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (search->scorer)
	{
		if (!turn->scoring)
			status = search->scorer->start(search, turn, err);
		turn->scoring |= status == RSTAR_OK;
		if (status == RSTAR_OK)
			status = search->scorer->step(search, turn, cancel, err);
		if (status == RSTAR_AGAIN)
			return status;
		search->scorer->end(search, turn);
		turn->scoring = false;
	}
	turn->phase = PHASE_VERIFY;
	return status;
}

/* --- expand -------------------------------------------------------------------------- */

/* Hand what the candidate holds over to its node, unless nobody will need it. */
static void
attach(rstar_search_tree *tree, uint32_t id, rstar_candidate *c)
{
	if (tree->mcts.tree.nodes[id].closed)
		return;
	tree->attached[id] = (rstar_attachment){true, c->policy, c->ppm, c->reading, c->state};
	c->policy = c->ppm = NULL;
	c->state = 0;
}

/* The candidates [first, end) are those of one node. */
static rstar_status
expand_node(rstar_search *search, rstar_turn *turn, uint32_t first, uint32_t end,
			rstar_tree_node *nodes, rstar_error *err)
{
	rstar_search_tree *tree = turn->candidates[first].tree;
	uint32_t parent = turn->candidates[first].parent;
	uint32_t n = 0;
	uint32_t id = tree->mcts.tree.n_nodes;

	for (uint32_t i = first; i < end; i++)
	{
		rstar_candidate *c = &turn->candidates[i];

		if (c->dropped)
			continue;
		c->node.text = (rstar_string){c->text.data ? c->text.data : "", c->text.length};
		c->node.output = (rstar_string){c->output.data ? c->output.data : "", c->output.length};
		nodes[n++] = c->node;
	}

	rstar_status status = rstar_mcts_expand(&tree->mcts, parent, nodes, n, err);

	if (status == RSTAR_OK)
		status = rstar_search_reserve(search, tree, err);
	if (status != RSTAR_OK)
		return status;
	for (uint32_t i = first; i < end; i++)
		if (!turn->candidates[i].dropped)
			attach(tree, id++, &turn->candidates[i]);
	rstar_search_release_closed(search, tree, parent);
	rstar_search_value_states(search, tree, parent);
	return RSTAR_OK;
}

static rstar_status
expand_trees(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	uint32_t n = turn->n_candidates;
	rstar_tree_node *nodes = rstar_alloc_array(search->allocator, n, sizeof *nodes);
	rstar_status status = nodes ? RSTAR_OK : rstar_error_memory(err, n * sizeof *nodes);

	for (uint32_t i = 0; i < n && status == RSTAR_OK;)
	{
		const rstar_candidate *first = &turn->candidates[i];
		uint32_t end = i;

		while (end < n && turn->candidates[end].tree == first->tree &&
			   turn->candidates[end].parent == first->parent)
			end++;
		if (!first->tree->failed)
			status = expand_node(search, turn, i, end, nodes, err);
		i = end;
	}
	rstar_free(search->allocator, nodes);
	if (status == RSTAR_OK)
		rstar_search_free_candidates(search, turn);
	for (uint32_t t = search->first; t < search->n_begun && status == RSTAR_OK; t++)
		if (search->trees[t] && search->trees[t]->turn == turn && search->trees[t]->failed)
			finish_tree(search, search->trees[t]);
	turn->phase = turn->tree && turn->tree->phase != TREE_ACTIVE ? PHASE_DONE : PHASE_SELECT;
	return status;
}

rstar_status
rstar_search_run_phase(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
					   rstar_error *err)
{
	switch (turn->phase)
	{
		case PHASE_SELECT:
			return select_nodes(search, turn, cancel, err);
		case PHASE_WRITE:
			return write_candidates(search, turn, cancel, err);
		case PHASE_RUN:
			return run_code(search, turn, cancel, err);
		case PHASE_SCORE:
			return score_candidates(search, turn, cancel, err);
		case PHASE_VERIFY:
			turn->blocked = rstar_search_asks(turn);
			if (turn->blocked)
				return RSTAR_AGAIN;
			turn->phase = PHASE_EXPAND;
			return RSTAR_OK;
		case PHASE_EXPAND:
			return expand_trees(search, turn, err);
		case PHASE_DONE:
			break;
	}
	return RSTAR_OK;
}

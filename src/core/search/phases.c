/*
 * phases.c
 *	  The phases of a turn: select, write, run, score, verify, expand.
 */
#include <math.h>

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
	return rstar_search_attach_root(search, tree, cancel, err);
}

static void
finish_tree(rstar_search *search, rstar_search_tree *tree)
{
	rstar_search_release_tree(search, tree);
	tree->cost.elapsed_ms = rstar_clock_ms() - tree->started_ms;
	tree->phase = TREE_FINISHED;
	tree->n_wanted = 0;
	search->n_active--;
}

/* Fill the places that are free; a problem that cannot be searched fails alone. */
static rstar_status
begin_trees(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
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

		if (status == RSTAR_OK && rstar_search_allowance(search, tree, id) == 0)
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
	if (tree->mcts.tree.nodes[id].state == RSTAR_SOLUTION_RAN && search->parts.policy.engine)
		return 1;
	return id == 0 ? search->options.candidates : search->options.candidates_below;
}

/* --- select: what is to be written --------------------------------------------------- */

static uint32_t
n_wanted(const rstar_search *search, uint32_t t)
{
	return search->trees[t] ? search->trees[t]->n_wanted : 0;
}

/*
 * One flat array for all trees of the turn, counted before it is filled: sequences of the
 * generation and candidates share their index from here on, and later phases hold pointers
 * into the array, so it never grows.
 */
static rstar_status
make_candidates(rstar_search *search, rstar_error *err)
{
	const rstar_tokenizer *tokenizer = search->parts.policy.tokenizer;
	size_t n = 0;

	for (uint32_t t = search->first; t < search->n_begun; t++)
		for (uint32_t w = 0; w < n_wanted(search, t); w++)
			n += candidates_of(search, search->trees[t], search->trees[t]->wanted[w]);
	search->candidates = rstar_alloc_array_zero(search->allocator, n, sizeof *search->candidates);
	if (!search->candidates || n > UINT32_MAX)
		return rstar_error_memory(err, n * sizeof *search->candidates);
	for (uint32_t t = search->first; t < search->n_begun; t++)
		for (uint32_t w = 0; w < n_wanted(search, t); w++)
		{
			rstar_search_tree *tree = search->trees[t];
			uint32_t count = candidates_of(search, tree, tree->wanted[w]);

			for (uint32_t i = 0; i < count; i++)
			{
				rstar_candidate *c = &search->candidates[search->n_candidates++];

				c->tree = tree;
				c->parent = tree->wanted[w];
				c->number = i;
				rstar_stop_watch_init(&c->watch, tokenizer, search->allocator);
				c->watch.habits = rstar_prompt_shows_steps(&search->parts.policy.prompt);
				rstar_buffer_init(&c->text, search->allocator);
				rstar_buffer_init(&c->output, search->allocator);
			}
		}
	return RSTAR_OK;
}

static bool
after_token(void *arg, uint32_t i, int32_t id, bool eog)
{
	rstar_search *search = arg;

	search->candidates[i].ended = eog;
	return eog || rstar_stop_watch_feed(&search->candidates[i].watch, id);
}

static bool
ends_text(const void *vocabulary, int32_t id)
{
	return rstar_tokenizer_is_eog(vocabulary, id);
}

static rstar_status
start_writing(rstar_search *search, rstar_error *err)
{
	rstar_generation_options options = {.sampling = search->options.sampling,
										.hook = after_token,
										.hook_arg = search,
										.is_eog = ends_text,
										.vocabulary = search->parts.policy.tokenizer};
	uint32_t n = search->n_candidates;
	rstar_sequence_spec *specs = rstar_alloc_array(search->allocator, n, sizeof *specs);
	rstar_status status;

	if (!specs)
		return rstar_error_memory(err, n * sizeof *specs);
	for (uint32_t i = 0; i < n; i++)
	{
		const rstar_candidate *c = &search->candidates[i];

		specs[i] = (rstar_sequence_spec){
			.parent = c->tree->attached[c->parent].policy,
			.stream = {c->tree->problem.seed, c->parent, c->number},
			.max_tokens = rstar_search_allowance(search, c->tree, c->parent),
		};
	}
	status = rstar_generation_create(search->parts.policy.engine, &options, specs, n,
									 search->allocator, &search->generation, err);
	rstar_free(search->allocator, specs);
	return status;
}

static rstar_status
select_nodes(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = begin_trees(search, cancel, err);

	for (uint32_t t = search->first; t < search->n_begun && status == RSTAR_OK; t++)
		if (search->trees[t] && search->trees[t]->phase == TREE_ACTIVE)
			status = select_nodes_of(search, search->trees[t], cancel, err);
	if (status != RSTAR_OK)
		return status;
	if (search->n_active == 0)
	{
		/* Places may have come free in this very turn. */
		search->phase = search->n_begun < search->n_trees ? PHASE_SELECT : PHASE_DONE;
		return RSTAR_OK;
	}
	search->phase = PHASE_WRITE;
	status = make_candidates(search, err);
	if (status == RSTAR_OK && search->parts.policy.engine)
		status = start_writing(search, err);
	return status;
}

/* --- write, run ---------------------------------------------------------------------- */

static rstar_status
write_candidates(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (search->generation)
		status = rstar_generation_step(search->generation, cancel, err);
	if (status != RSTAR_OK)
		return status;
	status = rstar_search_read_candidates(search, err);
	rstar_generation_free(search->generation);
	search->generation = NULL;
	if (status == RSTAR_OK)
		status = rstar_search_start_code(search, err);
	search->phase = PHASE_RUN;
	return status;
}

static rstar_status
run_code(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	double deadline = rstar_clock_ms() + RSTAR_SLICE_MS;

	while (search->n_running > 0)
	{
		rstar_sandbox_result result;
		rstar_status status = rstar_sandbox_wait(search->parts.sandbox, 10, cancel, &result, err);

		if (status != RSTAR_OK)
			return status;
		status = rstar_search_take_result(search, &result, err);
		rstar_sandbox_result_free(&result);
		if (status != RSTAR_OK)
			return status;
		if (search->n_running > 0 && rstar_clock_ms() > deadline)
			return RSTAR_AGAIN;
	}
	search->phase = PHASE_SCORE;
	return rstar_search_encode_candidates(search, cancel, err);
}

/* --- score --------------------------------------------------------------------------- */

static void
take_value(void *arg, const rstar_output *output)
{
	rstar_search *search = arg;
	rstar_tree_node *node = &search->candidates[search->scored[output->request]].node;

	node->ppm_score = tanh((double) output->value / search->options.value_scale);
	node->scored = true;
}

static rstar_status
start_scoring(rstar_search *search, rstar_error *err)
{
	uint32_t n = search->n_candidates;
	rstar_request *requests =
		rstar_realloc_array(search->allocator, search->requests, n, sizeof *requests);

	if (requests)
		search->requests = requests;

	uint32_t *scored = rstar_realloc_array(search->allocator, search->scored, n, sizeof *scored);

	if (scored)
		search->scored = scored;
	if (!requests || !scored)
		return rstar_error_memory(err, n * sizeof *requests);
	search->n_requests = 0;
	for (uint32_t i = 0; i < n; i++)
		if (rstar_candidate_alive(&search->candidates[i]))
		{
			scored[search->n_requests] = i;
			requests[search->n_requests++] =
				(rstar_request){search->candidates[i].ppm, 1, RSTAR_WANT_VALUE};
		}

	rstar_status status = rstar_engine_begin(search->parts.ppm.engine, requests, search->n_requests,
											 take_value, search, err);

	search->scoring = status == RSTAR_OK;
	return status;
}

static rstar_status
score_candidates(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (search->parts.ppm.engine)
	{
		if (!search->scoring)
			status = start_scoring(search, err);
		if (status == RSTAR_OK)
			status = rstar_engine_step(search->parts.ppm.engine, cancel, err);
		if (status == RSTAR_AGAIN)
			return status;
		search->scoring = false;
	}
	search->phase = PHASE_VERIFY;
	return status;
}

/* --- expand -------------------------------------------------------------------------- */

/* Hand what the candidate holds over to its node, unless nobody will need it. */
static void
attach(rstar_search_tree *tree, uint32_t id, rstar_candidate *c)
{
	if (tree->mcts.tree.nodes[id].closed)
		return;
	tree->attached[id] = (rstar_attachment){true, c->policy, c->ppm, c->state};
	c->policy = c->ppm = NULL;
	c->state = 0;
}

/* The candidates [first, end) are those of one node. */
static rstar_status
expand_node(rstar_search *search, uint32_t first, uint32_t end, rstar_tree_node *nodes,
			rstar_error *err)
{
	rstar_search_tree *tree = search->candidates[first].tree;
	uint32_t parent = search->candidates[first].parent;
	uint32_t n = 0;
	uint32_t id = tree->mcts.tree.n_nodes;

	for (uint32_t i = first; i < end; i++)
	{
		rstar_candidate *c = &search->candidates[i];

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
		if (!search->candidates[i].dropped)
			attach(tree, id++, &search->candidates[i]);
	rstar_search_release_closed(search, tree, parent);
	rstar_search_value_states(search, tree, parent);
	return RSTAR_OK;
}

static rstar_status
expand_trees(rstar_search *search, rstar_error *err)
{
	uint32_t n = search->n_candidates;
	rstar_tree_node *nodes = rstar_alloc_array(search->allocator, n, sizeof *nodes);
	rstar_status status = nodes ? RSTAR_OK : rstar_error_memory(err, n * sizeof *nodes);

	for (uint32_t i = 0; i < n && status == RSTAR_OK;)
	{
		const rstar_candidate *first = &search->candidates[i];
		uint32_t end = i;

		while (end < n && search->candidates[end].tree == first->tree &&
			   search->candidates[end].parent == first->parent)
			end++;
		if (!first->tree->failed)
			status = expand_node(search, i, end, nodes, err);
		i = end;
	}
	rstar_free(search->allocator, nodes);
	if (status == RSTAR_OK)
		rstar_search_free_candidates(search);
	for (uint32_t t = search->first; t < search->n_begun && status == RSTAR_OK; t++)
		if (search->trees[t] && search->trees[t]->phase == TREE_ACTIVE && search->trees[t]->failed)
			finish_tree(search, search->trees[t]);
	search->phase = PHASE_SELECT;
	return status;
}

rstar_status
rstar_search_run_phase(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	switch (search->phase)
	{
		case PHASE_SELECT:
			return select_nodes(search, cancel, err);
		case PHASE_WRITE:
			return write_candidates(search, cancel, err);
		case PHASE_RUN:
			return run_code(search, cancel, err);
		case PHASE_SCORE:
			return score_candidates(search, cancel, err);
		case PHASE_VERIFY:
			if (rstar_search_asks(search))
				return RSTAR_AGAIN;
			search->phase = PHASE_EXPAND;
			return RSTAR_OK;
		case PHASE_EXPAND:
			return expand_trees(search, err);
		case PHASE_DONE:
			break;
	}
	return RSTAR_OK;
}

/*
 * search.c
 *	  Life of a search, and its rounds.
 *
 * The search is a machine of phases; rstar_search_step works on the present
 * one for a slice and returns. Between the rounds every tree is consistent, so
 * a search may be ended or looked at after any step.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "core/grade/grade.h"
#include "core/search/internal.h"
#include "core/search/vote.h"
#include "core/step/tokens.h"

#define SLICE_SECONDS 0.015

static double
now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec * 1e3 + (double) time.tv_nsec * 1e-6;
}

void
rstar_search_options_paper(rstar_search_options *options)
{
	*options = (rstar_search_options){
		.mcts = {.guidance = RSTAR_GUIDANCE_TERMINAL,
				 .known_answer = true,
				 .c_uct = 2,
				 .max_rollouts = 16,
				 .max_depth = 16,
				 .answer_exclusive = true},
		.candidates = 8,
		.candidates_below = 8,
		.merge_duplicates = true,
		.step_tokens = 2048,
		.sampling = {.temperature = 1, .top_p = 1},
		.max_code_errors = 1,
		.output_characters = RSTAR_OUTPUT_CHARACTERS,
		.value_scale = 5,
	};
	rstar_sandbox_limits_default(&options->limits);
}

void
rstar_search_options_nano(rstar_search_options *options)
{
	rstar_search_options_paper(options);
	options->mcts.max_rollouts = 8;
	options->candidates = options->candidates_below = 4;
	options->step_tokens = 128;
	options->total_tokens = 512;
}

/* --- life ----------------------------------------------------------------------------- */

static rstar_status
check_options(const rstar_search_parts *parts, const rstar_search_options *o, rstar_error *err)
{
	if (o->candidates == 0 || o->candidates_below == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "candidates must be at least 1");
	if (o->step_tokens == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "step_tokens must be at least 1");
	if (o->max_code_errors == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "max_code_errors must be at least 1");
	if (!(o->value_scale > 0))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "value_scale must be greater than 0");
	if (o->mcts.guidance == RSTAR_GUIDANCE_PPM &&
		!(parts->ppm.engine && rstar_engine_weights(parts->ppm.engine)->value_head))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "PPM guidance needs a model with a value head");
	return rstar_sampling_check(&o->sampling, err);
}

/* A KV node with the prompt of a problem. */
static rstar_status
prompt_node(const rstar_search_model *model, rstar_string text, const rstar_allocator *allocator,
			const rstar_cancel *cancel, rstar_kv_node **node, rstar_error *err)
{
	uint32_t context = rstar_engine_max_context(model->engine);
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
		status = rstar_kv_node_create(rstar_engine_kv(model->engine), NULL, node, err);
	if (status == RSTAR_OK)
		status = rstar_kv_node_append(*node, ids, (uint32_t) count, err);
	rstar_free(allocator, ids);
	return status;
}

static rstar_status
start_tree(rstar_search *search, uint32_t i, const rstar_search_problem *problem,
		   const rstar_cancel *cancel, rstar_error *err)
{
	rstar_search_tree *tree = &search->trees[i];
	rstar_mcts_options options = search->options.mcts;
	rstar_status status;

	tree->problem = *problem;
	tree->problem.text.data =
		rstar_arena_strndup(&search->arena, problem->text.data, problem->text.length);
	tree->problem.gold.data =
		rstar_arena_strndup(&search->arena, problem->gold.data, problem->gold.length);
	tree->wanted = RSTAR_NO_NODE;
	tree->cost.reproducible = true;
	if (!tree->problem.text.data || !tree->problem.gold.data ||
		!rstar_grow(search->allocator, (void **) &tree->attached, &tree->attached_capacity, 64,
					sizeof *tree->attached))
		return rstar_error_memory(err, problem->text.length + problem->gold.length);
	tree->attached[0] = (rstar_attachment){0};
	if (problem->gold.length == 0)
	{
		options.known_answer = false;
		if (options.guidance == RSTAR_GUIDANCE_TERMINAL)
			options.guidance = RSTAR_GUIDANCE_NONE;
	}
	status = rstar_mcts_init(&tree->mcts, &options, search->allocator, err);
	if (status != RSTAR_OK)
		return status;
	search->n_trees = i + 1;
	status = prompt_node(&search->parts.policy, tree->problem.text, search->allocator, cancel,
						 &tree->attached[0].policy, err);
	if (status == RSTAR_OK && search->parts.ppm.engine)
		status = prompt_node(&search->parts.ppm, tree->problem.text, search->allocator, cancel,
							 &tree->attached[0].ppm, err);
	if (status == RSTAR_OK)
		tree->prompt_tokens = rstar_kv_node_count(tree->attached[0].policy);
	return status;
}

rstar_status
rstar_search_create(const rstar_search_parts *parts, const rstar_search_options *options,
					const rstar_search_problem *problems, uint32_t n,
					const rstar_allocator *allocator, const rstar_cancel *cancel,
					rstar_search **out, rstar_error *err)
{
	rstar_status status = check_options(parts, options, err);

	if (status != RSTAR_OK)
		return status;

	rstar_search *search = rstar_alloc_zero(allocator, sizeof *search);

	if (!search)
		return rstar_error_memory(err, sizeof *search);
	search->allocator = allocator;
	search->parts = *parts;
	search->options = *options;
	rstar_arena_init(&search->arena, allocator, 0);
	rstar_arena_init(&search->round, allocator, 0);
	search->trees = rstar_alloc_array_zero(allocator, n, sizeof *search->trees);
	if (!search->trees)
		status = rstar_error_memory(err, n * sizeof *search->trees);
	for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
		status = start_tree(search, i, &problems[i], cancel, err);
	if (status != RSTAR_OK)
	{
		rstar_search_free(search);
		return status;
	}
	*out = search;
	return RSTAR_OK;
}

static void
release_attachment(rstar_search *search, rstar_attachment *attached)
{
	rstar_kv_node_release(attached->policy);
	rstar_kv_node_release(attached->ppm);
	if (attached->state)
		rstar_sandbox_release(search->parts.sandbox, attached->state);
	*attached = (rstar_attachment){0};
}

static void
release_tree(rstar_search *search, rstar_search_tree *tree)
{
	for (uint32_t i = 0; i < tree->mcts.tree.n_nodes; i++)
		release_attachment(search, &tree->attached[i]);
}

void
rstar_search_free(rstar_search *search)
{
	if (!search)
		return;
	rstar_generation_free(search->generation);
	if (search->scoring)
		rstar_engine_abort(search->parts.ppm.engine);
	rstar_search_free_candidates(search);
	for (uint32_t i = 0; i < search->n_trees; i++)
	{
		release_tree(search, &search->trees[i]);
		rstar_mcts_free(&search->trees[i].mcts);
	}
	for (uint32_t i = 0; search->trees && i < search->n_trees; i++)
		rstar_free(search->allocator, search->trees[i].attached);
	rstar_free(search->allocator, search->trees);
	rstar_free(search->allocator, search->requests);
	rstar_free(search->allocator, search->scored);
	rstar_arena_reset(&search->arena);
	rstar_arena_reset(&search->round);
	rstar_free(search->allocator, search);
}

/* --- select ------------------------------------------------------------------------- */

/* Tokens that a candidate of `node` may have; 0: no room for another step. */
static uint32_t
allowance(const rstar_search *search, const rstar_search_tree *tree, uint32_t node)
{
	uint32_t end = rstar_kv_node_end(tree->attached[node].policy);
	uint32_t context = rstar_engine_max_context(search->parts.policy.engine);
	uint32_t used = end - tree->prompt_tokens;
	uint32_t left = end + 1 < context ? context - 1 - end : 0;

	if (search->options.total_tokens > 0)
	{
		uint32_t total = search->options.total_tokens;

		left = used >= total ? 0 : total - used < left ? total - used : left;
	}
	return left < search->options.step_tokens ? left : search->options.step_tokens;
}

/* The node that the tree wants expanded and has room for, or RSTAR_NO_NODE. */
static rstar_status
select_node(rstar_search *search, rstar_search_tree *tree, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	do
		tree->wanted = rstar_mcts_select(&tree->mcts);
	while (tree->wanted != RSTAR_NO_NODE && allowance(search, tree, tree->wanted) == 0 &&
		   (status = rstar_mcts_expand(&tree->mcts, tree->wanted, NULL, 0, err)) == RSTAR_OK);
	if (status == RSTAR_OK && tree->wanted == RSTAR_NO_NODE)
	{
		tree->finished = true;
		release_tree(search, tree);
	}
	return status;
}

static uint32_t
candidates_of(const rstar_search *search, const rstar_search_tree *tree)
{
	if (tree->mcts.tree.nodes[tree->wanted].state == RSTAR_SOLUTION_RAN)
		return 1;
	return tree->wanted == 0 ? search->options.candidates : search->options.candidates_below;
}

static bool
after_token(void *arg, uint32_t i, int32_t id, bool eog)
{
	rstar_search *search = arg;

	return eog || rstar_stop_watch_feed(&search->candidates[i].watch, id);
}

static bool
ends_text(const void *vocabulary, int32_t id)
{
	return rstar_tokenizer_is_eog(vocabulary, id);
}

/* Room for n candidates, and the generation that writes them. */
static rstar_status
start_writing(rstar_search *search, uint32_t n, rstar_error *err)
{
	rstar_generation_options options = {.sampling = search->options.sampling,
										.hook = after_token,
										.hook_arg = search,
										.is_eog = ends_text,
										.vocabulary = search->parts.policy.tokenizer};
	rstar_sequence_spec *specs = rstar_alloc_array(search->allocator, n, sizeof *specs);
	rstar_status status = RSTAR_OK;
	uint32_t at = 0;

	search->candidates = rstar_alloc_array_zero(search->allocator, n, sizeof *search->candidates);
	if (!specs || !search->candidates)
		status = rstar_error_memory(err, n * sizeof *search->candidates);
	for (uint32_t t = 0; t < search->n_trees && status == RSTAR_OK; t++)
	{
		rstar_search_tree *tree = &search->trees[t];
		uint32_t count = tree->finished ? 0 : candidates_of(search, tree);

		for (uint32_t i = 0; i < count; i++, at++)
		{
			rstar_candidate *c = &search->candidates[at];

			c->tree = tree;
			c->number = i;
			rstar_stop_watch_init(&c->watch, search->parts.policy.tokenizer, search->allocator);
			rstar_buffer_init(&c->text, search->allocator);
			rstar_buffer_init(&c->output, search->allocator);
			specs[at] = (rstar_sequence_spec){
				.parent = tree->attached[tree->wanted].policy,
				.stream = {tree->problem.seed, tree->wanted, i},
				.max_tokens = allowance(search, tree, tree->wanted),
			};
		}
	}
	search->n_candidates = at;
	if (status == RSTAR_OK)
		status = rstar_generation_create(search->parts.policy.engine, &options, specs, n,
										 search->allocator, &search->generation, err);
	rstar_free(search->allocator, specs);
	return status;
}

static rstar_status
select_nodes(rstar_search *search, rstar_error *err)
{
	uint32_t n = 0;

	for (uint32_t t = 0; t < search->n_trees; t++)
	{
		rstar_search_tree *tree = &search->trees[t];

		if (!tree->finished)
		{
			rstar_status status = select_node(search, tree, err);

			if (status != RSTAR_OK)
				return status;
		}
		if (!tree->finished)
			n += candidates_of(search, tree);
	}
	if (n == 0)
	{
		search->phase = PHASE_DONE;
		return RSTAR_OK;
	}
	search->phase = PHASE_WRITE;
	return start_writing(search, n, err);
}

/* --- write, run --------------------------------------------------------------------- */

static rstar_status
write_candidates(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = rstar_generation_step(search->generation, cancel, err);

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
	double deadline = now_ms() + SLICE_SECONDS * 1e3;

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
		if (search->n_running > 0 && now_ms() > deadline)
			return RSTAR_AGAIN;
	}
	search->phase = PHASE_SCORE;
	return rstar_search_encode_candidates(search, cancel, err);
}

/* --- score -------------------------------------------------------------------------- */

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
	search->phase = PHASE_EXPAND;
	return status;
}

/* --- expand ------------------------------------------------------------------------- */

/* Hand what the candidate holds over to its node, unless nobody will need it. */
static void
attach(rstar_search_tree *tree, uint32_t id, rstar_candidate *c)
{
	tree->attached[id] = (rstar_attachment){0};
	if (tree->mcts.tree.nodes[id].closed)
		return;
	tree->attached[id] = (rstar_attachment){c->policy, c->ppm, c->state};
	c->policy = c->ppm = NULL;
	c->state = 0;
}

/* Release what hangs on `id` and its ancestors as far as they are closed. */
static void
release_closed(rstar_search *search, rstar_search_tree *tree, uint32_t id)
{
	for (; id != RSTAR_NO_NODE && tree->mcts.tree.nodes[id].closed;
		 id = tree->mcts.tree.nodes[id].parent)
		release_attachment(search, &tree->attached[id]);
}

static rstar_status
expand_tree(rstar_search *search, rstar_search_tree *tree, uint32_t first, uint32_t end,
			rstar_tree_node *nodes, rstar_error *err)
{
	uint32_t n = 0;
	uint32_t before = tree->mcts.tree.n_nodes;

	for (uint32_t i = first; i < end; i++)
	{
		rstar_candidate *c = &search->candidates[i];

		if (c->dropped)
			continue;
		c->node.text = (rstar_string){c->text.data ? c->text.data : "", c->text.length};
		c->node.output = (rstar_string){c->output.data ? c->output.data : "", c->output.length};
		nodes[n++] = c->node;
	}

	rstar_status status = rstar_mcts_expand(&tree->mcts, tree->wanted, nodes, n, err);

	if (status != RSTAR_OK)
		return status;
	if (!rstar_grow(search->allocator, (void **) &tree->attached, &tree->attached_capacity,
					tree->mcts.tree.n_nodes, sizeof *tree->attached))
		return rstar_error_memory(err, tree->mcts.tree.n_nodes * sizeof *tree->attached);
	for (uint32_t i = first, id = before; i < end; i++)
		if (!search->candidates[i].dropped)
			attach(tree, id++, &search->candidates[i]);
	release_closed(search, tree, tree->wanted);
	tree->wanted = RSTAR_NO_NODE;
	return RSTAR_OK;
}

static rstar_status
expand_trees(rstar_search *search, rstar_error *err)
{
	rstar_tree_node *nodes =
		rstar_alloc_array(search->allocator, search->n_candidates, sizeof *nodes);
	rstar_status status = nodes ? RSTAR_OK : rstar_error_memory(err, sizeof *nodes);

	for (uint32_t i = 0; i < search->n_candidates && status == RSTAR_OK;)
	{
		rstar_search_tree *tree = search->candidates[i].tree;
		uint32_t end = i;

		while (end < search->n_candidates && search->candidates[end].tree == tree)
			end++;
		status = expand_tree(search, tree, i, end, nodes, err);
		i = end;
	}
	rstar_free(search->allocator, nodes);
	if (status == RSTAR_OK)
		rstar_search_free_candidates(search);
	search->phase = PHASE_SELECT;
	return status;
}

/* --- steps -------------------------------------------------------------------------- */

static rstar_status
run_phase(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	switch (search->phase)
	{
		case PHASE_SELECT:
			return select_nodes(search, err);
		case PHASE_WRITE:
			return write_candidates(search, cancel, err);
		case PHASE_RUN:
			return run_code(search, cancel, err);
		case PHASE_SCORE:
			return score_candidates(search, cancel, err);
		case PHASE_EXPAND:
			return expand_trees(search, err);
		case PHASE_DONE:
			break;
	}
	return RSTAR_OK;
}

/* Book the time of a slice on the trees that took part in it. */
static void
book_time(rstar_search *search, rstar_search_phase phase, double ms)
{
	uint32_t active = 0;

	for (uint32_t t = 0; t < search->n_trees; t++)
		active += !search->trees[t].finished;
	for (uint32_t t = 0; t < search->n_trees; t++)
	{
		rstar_search_cost *cost = &search->trees[t].cost;

		if (search->trees[t].finished)
			continue;
		if (phase == PHASE_WRITE)
			cost->policy_ms += ms / active;
		else if (phase == PHASE_RUN)
			cost->sandbox_ms += ms / active;
		else if (phase == PHASE_SCORE)
			cost->ppm_ms += ms / active;
	}
}

rstar_status
rstar_search_step(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_search_phase phase = search->phase;
	double start = now_ms();
	rstar_status status = run_phase(search, cancel, err);

	book_time(search, phase, now_ms() - start);
	if (status == RSTAR_OK && search->phase != PHASE_DONE)
		return RSTAR_AGAIN;
	return status;
}

const rstar_mcts *
rstar_search_mcts(const rstar_search *search, uint32_t i)
{
	return &search->trees[i].mcts;
}

const rstar_search_cost *
rstar_search_get_cost(const rstar_search *search, uint32_t i)
{
	return &search->trees[i].cost;
}

/* --- the answer ---------------------------------------------------------------------- */

static bool
answers_equal(void *arg, rstar_string gold, rstar_string answer)
{
	return rstar_grade_compare(arg, gold.data, gold.length, answer.data, answer.length).equal;
}

rstar_status
rstar_search_answer(const rstar_search *search, uint32_t i, uint32_t *node, rstar_error *err)
{
	const rstar_tree *tree = &search->trees[i].mcts.tree;
	rstar_ballot *ballots = rstar_alloc_array(search->allocator, tree->n_nodes, sizeof *ballots);
	uint32_t *nodes = rstar_alloc_array(search->allocator, tree->n_nodes, sizeof *nodes);
	rstar_status status = RSTAR_OK;
	bool scored = search->parts.ppm.engine != NULL;
	uint32_t n = 0, winner;

	if (!ballots || !nodes)
		status = rstar_error_memory(err, tree->n_nodes * sizeof *ballots);
	for (uint32_t id = 0; id < tree->n_nodes && status == RSTAR_OK; id++)
	{
		rstar_path_summary path;

		if (tree->nodes[id].kind != RSTAR_NODE_ANSWER || rstar_node_rejected(&tree->nodes[id]))
			continue;
		rstar_tree_path(tree, id, &path);
		nodes[n] = id;
		ballots[n++] = (rstar_ballot){
			.answer = tree->nodes[id].answer,
			.score = scored ? tree->nodes[id].ppm_score : path.mean_logprob,
			.weight = exp(path.mean_logprob) * (1 + tree->nodes[id].duplicates),
		};
	}
	if (status == RSTAR_OK)
		status =
			rstar_vote(ballots, n, scored ? RSTAR_VOTE_BEST : RSTAR_VOTE_WEIGHTED, 0, answers_equal,
					   (void *) search->allocator, search->allocator, &winner, err);
	if (status == RSTAR_OK)
		*node = winner < n ? nodes[winner] : RSTAR_NO_NODE;
	rstar_free(search->allocator, ballots);
	rstar_free(search->allocator, nodes);
	return status;
}

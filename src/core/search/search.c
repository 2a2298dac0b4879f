/*
 * search.c
 *	  Life of a search, its steps, and what it has to show.
 *
 * The search is a machine of phases; rstar_search_step works on the present
 * one for a slice and returns. Between turns every tree is consistent, so
 * a search may be ended or looked at after any step.
 */
#include "core/search/search.h"

#include <math.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/grade/grade.h"
#include "core/search/internal.h"
#include "core/search/vote.h"

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

uint64_t
rstar_search_seed(uint64_t seed, rstar_string problem, uint32_t attempt)
{
	uint8_t head[12], digest[RSTAR_SHA256_SIZE];
	uint64_t result = 0;
	rstar_sha256 hash;

	for (int i = 0; i < 8; i++)
		head[i] = (uint8_t) (seed >> (8 * i));
	for (int i = 0; i < 4; i++)
		head[8 + i] = (uint8_t) (attempt >> (8 * i));
	rstar_sha256_init(&hash);
	rstar_sha256_update(&hash, head, sizeof head);
	rstar_sha256_update(&hash, problem.data, problem.length);
	rstar_sha256_finish(&hash, digest);
	for (int i = 0; i < 8; i++)
		result |= (uint64_t) digest[i] << (8 * i);
	return result;
}

/* --- life ----------------------------------------------------------------------------- */

static rstar_status
check_options(const rstar_search_parts *parts, const rstar_search_options *o, rstar_error *err)
{
	if (!parts->policy.engine && !parts->script.candidate)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "a search needs a policy");
	if (o->candidates == 0 || o->candidates_below == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "candidates must be at least 1");
	if (o->step_tokens == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "step_tokens must be at least 1");
	if (o->max_code_errors == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "max_code_errors must be at least 1");
	if (!(o->value_scale > 0))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "value_scale must be greater than 0");
	if (o->mcts.guidance == RSTAR_GUIDANCE_PPM && !parts->script.candidate &&
		!(parts->ppm.engine && rstar_engine_weights(parts->ppm.engine)->value_head))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "PPM guidance needs a model with a value head");
	return rstar_sampling_check(&o->sampling, err);
}

static rstar_status
copy_problem(rstar_search *search, rstar_search_tree *tree, const rstar_search_problem *problem,
			 rstar_error *err)
{
	rstar_string *text = &tree->problem.text, *gold = &tree->problem.gold;

	tree->problem = *problem;
	text->data = rstar_arena_strndup(&search->arena, text->data, text->length);
	gold->data = rstar_arena_strndup(&search->arena, gold->data, gold->length);
	tree->cost.reproducible = true;
	return text->data && gold->data ? RSTAR_OK
									: rstar_error_memory(err, text->length + gold->length);
}

rstar_status
rstar_search_create(const rstar_search_parts *parts, const rstar_search_options *options,
					const rstar_search_problem *problems, uint32_t n,
					const rstar_allocator *allocator, rstar_search **out, rstar_error *err)
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
	rstar_arena_init(&search->turn, allocator, 0);
	search->trees = rstar_alloc_array_zero(allocator, n, sizeof *search->trees);
	if (search->trees)
		search->n_trees = n;
	else
		status = rstar_error_memory(err, n * sizeof *search->trees);
	for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
		status = copy_problem(search, &search->trees[i], &problems[i], err);
	if (status != RSTAR_OK)
	{
		rstar_search_free(search);
		return status;
	}
	*out = search;
	return RSTAR_OK;
}

static void
free_tree(rstar_search *search, rstar_search_tree *tree)
{
	rstar_search_release_tree(search, tree);
	rstar_mcts_free(&tree->mcts);
	rstar_free(search->allocator, tree->attached);
	rstar_free(search->allocator, tree->wanted);
	tree->attached = NULL;
	tree->wanted = NULL;
	tree->attached_capacity = tree->wanted_capacity = 0;
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
	for (uint32_t i = 0; i < search->n_begun; i++)
		if (search->trees[i].phase != TREE_FORGOTTEN)
			free_tree(search, &search->trees[i]);
	rstar_free(search->allocator, search->trees);
	rstar_free(search->allocator, search->requests);
	rstar_free(search->allocator, search->scored);
	rstar_arena_reset(&search->arena);
	rstar_arena_reset(&search->turn);
	rstar_free(search->allocator, search);
}

/* --- steps ---------------------------------------------------------------------------- */

static uint64_t
computed_tokens(const rstar_search *search)
{
	const rstar_engine *policy = search->parts.policy.engine, *ppm = search->parts.ppm.engine;

	return (policy ? rstar_engine_tokens_computed(policy) : 0) +
		   (ppm && ppm != policy ? rstar_engine_tokens_computed(ppm) : 0);
}

/* Book what a slice cost on the trees that take part. */
static void
book(rstar_search *search, rstar_search_phase phase, double ms, uint64_t tokens)
{
	for (uint32_t t = 0; t < search->n_begun && search->n_active > 0; t++)
	{
		rstar_search_cost *cost = &search->trees[t].cost;

		if (search->trees[t].phase != TREE_ACTIVE)
			continue;
		cost->computed_tokens += (double) tokens / search->n_active;
		if (phase == PHASE_WRITE)
			cost->policy_ms += ms / search->n_active;
		else if (phase == PHASE_RUN)
			cost->sandbox_ms += ms / search->n_active;
		else if (phase == PHASE_SCORE)
			cost->ppm_ms += ms / search->n_active;
	}
}

rstar_status
rstar_search_step(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_search_phase phase = search->phase;
	uint64_t tokens = computed_tokens(search);
	double start = rstar_clock_ms();
	rstar_status status = rstar_search_run_phase(search, cancel, err);

	book(search, phase, rstar_clock_ms() - start, computed_tokens(search) - tokens);
	if (status == RSTAR_OK && search->phase != PHASE_DONE)
		return RSTAR_AGAIN;
	return status;
}

/* --- what there is to see -------------------------------------------------------------- */

bool
rstar_search_take(rstar_search *search, uint32_t *i)
{
	for (uint32_t t = 0; t < search->n_begun; t++)
		if (search->trees[t].phase == TREE_FINISHED)
		{
			search->trees[t].phase = TREE_TAKEN;
			*i = t;
			return true;
		}
	return false;
}

void
rstar_search_forget(rstar_search *search, uint32_t i)
{
	if (search->trees[i].phase != TREE_TAKEN)
		return;
	free_tree(search, &search->trees[i]);
	search->trees[i].phase = TREE_FORGOTTEN;
}

const rstar_mcts *
rstar_search_mcts(const rstar_search *search, uint32_t i)
{
	const rstar_search_tree *tree = &search->trees[i];

	return tree->phase == TREE_WAITING || tree->phase == TREE_FORGOTTEN || tree->failed
			   ? NULL
			   : &tree->mcts;
}

const rstar_search_cost *
rstar_search_get_cost(const rstar_search *search, uint32_t i)
{
	return &search->trees[i].cost;
}

const rstar_error *
rstar_search_failure(const rstar_search *search, uint32_t i, rstar_status *status)
{
	*status = search->trees[i].failed;
	return *status == RSTAR_OK ? NULL : &search->trees[i].failure;
}

/* --- the answer ---------------------------------------------------------------------- */

static bool
answers_equal(void *arg, rstar_string gold, rstar_string answer)
{
	return rstar_grade_compare(arg, gold.data, gold.length, answer.data, answer.length).equal;
}

static rstar_vote_rule
vote_rule(const rstar_search *search, const rstar_mcts *mcts)
{
	switch (search->options.choice)
	{
		case RSTAR_CHOICE_BEST:
			return RSTAR_VOTE_BEST;
		case RSTAR_CHOICE_MAJORITY:
			return RSTAR_VOTE_MAJORITY;
		case RSTAR_CHOICE_WEIGHTED:
			return RSTAR_VOTE_WEIGHTED;
		case RSTAR_CHOICE_AUTO:
			break;
	}
	return mcts->options.guidance == RSTAR_GUIDANCE_PPM ? RSTAR_VOTE_BEST : RSTAR_VOTE_WEIGHTED;
}

/* The answers of a tree; weights are relative to the most probable trajectory's. */
static uint32_t
collect_ballots(const rstar_mcts *mcts, rstar_ballot *ballots, uint32_t *nodes)
{
	const rstar_tree *tree = &mcts->tree;
	double most = -INFINITY;
	uint32_t n = 0;

	for (uint32_t id = 0; id < tree->n_nodes; id++)
	{
		rstar_path_summary path;

		if (tree->nodes[id].kind != RSTAR_NODE_ANSWER || rstar_node_rejected(&tree->nodes[id]))
			continue;
		rstar_tree_path(tree, id, &path);
		most = fmax(most, path.logprob);
		nodes[n] = id;
		ballots[n++] = (rstar_ballot){.answer = tree->nodes[id].answer,
									  .score = rstar_mcts_score(mcts, id),
									  .weight = path.logprob};
	}
	for (uint32_t i = 0; i < n; i++)
		ballots[i].weight = exp(ballots[i].weight - most);
	return n;
}

rstar_status
rstar_search_answer(const rstar_search *search, uint32_t i, uint32_t *node, rstar_error *err)
{
	const rstar_mcts *mcts = &search->trees[i].mcts;
	uint32_t most = mcts->answers;
	rstar_status status = RSTAR_OK;
	uint32_t n = 0, winner = 0;

	*node = RSTAR_NO_NODE;
	if (most == 0)
		return RSTAR_OK;

	rstar_ballot *ballots = rstar_alloc_array(search->allocator, most, sizeof *ballots);
	uint32_t *nodes = rstar_alloc_array(search->allocator, most, sizeof *nodes);

	if (ballots && nodes)
		n = collect_ballots(mcts, ballots, nodes);
	else
		status = rstar_error_memory(err, most * sizeof *ballots);
	if (status == RSTAR_OK)
		status = rstar_vote(ballots, n, vote_rule(search, mcts), 0, answers_equal,
							(void *) search->allocator, search->allocator, &winner, err);
	if (status == RSTAR_OK && winner < n)
		*node = nodes[winner];
	rstar_free(search->allocator, ballots);
	rstar_free(search->allocator, nodes);
	return status;
}

rstar_status
rstar_search_elect(const rstar_string *answers, const double *scores, uint32_t n, uint32_t top_n,
				   const rstar_allocator *allocator, uint32_t *winner, rstar_error *err)
{
	rstar_ballot *ballots = rstar_alloc_array(allocator, n, sizeof *ballots);
	double least = INFINITY;
	rstar_status status;

	if (!ballots)
		return rstar_error_memory(err, n * sizeof *ballots);
	for (uint32_t i = 0; i < n; i++)
		if (answers[i].length > 0)
			least = fmin(least, scores[i]);
	/* Weights break ties between equal numbers of votes: a common offset does not matter. */
	for (uint32_t i = 0; i < n; i++)
		ballots[i] = (rstar_ballot){answers[i], scores[i], fmax(0, scores[i] - least)};
	status = rstar_vote(ballots, n, RSTAR_VOTE_MAJORITY, top_n, answers_equal, (void *) allocator,
						allocator, winner, err);
	rstar_free(allocator, ballots);
	return status;
}

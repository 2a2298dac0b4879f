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

/* Nobody can stop a hash; a text beyond this fits no context anyway. */
#define MOST_HASHED ((size_t) 1 << 20)

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
	rstar_sha256_update(&hash, problem.data,
						problem.length < MOST_HASHED ? problem.length : MOST_HASHED);
	rstar_sha256_finish(&hash, digest);
	for (int i = 0; i < 8; i++)
		result |= (uint64_t) digest[i] << (8 * i);
	return result;
}

/* --- life ----------------------------------------------------------------------------- */

static rstar_status
check_options(const rstar_search_parts *parts, const rstar_search_options *o, rstar_error *err)
{
	if (!parts->policy.engine && !parts->policy.remote && !parts->script.candidate)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "a search needs a policy");
	if (o->candidates == 0 || o->candidates_below == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "candidates must be at least 1");
	if (o->step_tokens == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "step_tokens must be at least 1");
	if (o->max_code_errors == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "max_code_errors must be at least 1");
	if (!(o->value_scale > 0))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "value_scale must be greater than 0");
	if (o->mcts.guidance == RSTAR_GUIDANCE_PPM && !parts->script.candidate && !parts->ppm.remote &&
		!(parts->ppm.engine && rstar_engine_weights(parts->ppm.engine)->value_head))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "PPM guidance needs a model with a value head");
	return rstar_sampling_check(&o->sampling, err);
}

/* Who writes, who scores, and whether the trees wait for each other. */
static void
choose_models(rstar_search *search)
{
	const rstar_search_model *policy = &search->parts.policy, *ppm = &search->parts.ppm;

	search->writer = policy->engine   ? &rstar_search_engine_writer
					 : policy->remote ? &rstar_search_remote_writer
									  : &rstar_search_script_writer;
	search->scorer = ppm->engine   ? &rstar_search_engine_scorer
					 : ppm->remote ? &rstar_search_remote_scorer
								   : NULL;
	search->apart = search->writer == &rstar_search_remote_writer;
	if (policy->remote || ppm->remote)
		search->http = rstar_remote_model_http(policy->remote ? policy->remote : ppm->remote);
}

rstar_status
rstar_search_create(const rstar_search_parts *parts, const rstar_search_options *options,
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
	rstar_buffer_init(&search->asked_solution, allocator);
	rstar_buffer_init(&search->asked_program, allocator);
	choose_models(search);
	if (!search->apart)
		status = rstar_search_turn_begin(search, NULL, err);
	if (status != RSTAR_OK)
		rstar_search_free(search);
	else
		*out = search;
	return status;
}

static void
free_tree(rstar_search *search, rstar_search_tree *tree)
{
	const rstar_allocator *allocator = search->allocator;

	if (!tree)
		return;
	rstar_search_release_tree(search, tree);
	rstar_mcts_free(&tree->mcts);
	rstar_free(allocator, tree->attached);
	rstar_free(allocator, tree->wanted);
	rstar_free(allocator, (void *) tree->problem.text.data);
	rstar_free(allocator, (void *) tree->problem.gold.data);
	rstar_free(allocator, (void *) tree->problem.verifier.data);
	rstar_free(allocator, tree);
}

/* A waiting tree with texts of its own; NULL: out of memory. */
static rstar_search_tree *
new_tree(const rstar_allocator *allocator, const rstar_search_problem *problem)
{
	rstar_search_tree *tree = rstar_alloc_zero(allocator, sizeof *tree);
	char *text = rstar_strndup(allocator, problem->text.data, problem->text.length);
	char *gold = rstar_strndup(allocator, problem->gold.data, problem->gold.length);
	char *verifier = rstar_strndup(allocator, problem->verifier.data, problem->verifier.length);

	if (!tree || !text || !gold || !verifier)
	{
		rstar_free(allocator, tree);
		rstar_free(allocator, text);
		rstar_free(allocator, gold);
		rstar_free(allocator, verifier);
		return NULL;
	}
	tree->problem = *problem;
	tree->problem.text.data = text;
	tree->problem.gold.data = gold;
	tree->problem.verifier.data = verifier;
	tree->cost.reproducible = true;
	return tree;
}

rstar_status
rstar_search_add(rstar_search *search, const rstar_search_problem *problem, uint32_t *number,
				 rstar_error *err)
{
	rstar_search_tree *tree = NULL;

	if (rstar_grow(search->allocator, (void **) &search->trees, &search->trees_capacity,
				   (size_t) search->n_trees + 1, sizeof(rstar_search_tree *)))
		tree = new_tree(search->allocator, problem);
	if (!tree)
		return rstar_error_memory(err, sizeof *tree + problem->text.length + problem->gold.length);
	*number = tree->number = search->n_trees;
	search->trees[search->n_trees++] = tree;
	if (!search->apart && search->turns[0]->phase == PHASE_DONE)
		search->turns[0]->phase = PHASE_SELECT;
	return RSTAR_OK;
}

uint32_t
rstar_search_unfinished(const rstar_search *search)
{
	return search->n_trees - search->n_begun + search->n_active;
}

void
rstar_search_free(rstar_search *search)
{
	if (!search)
		return;
	while (search->n_turns > 0)
		rstar_search_turn_end(search, search->turns[search->n_turns - 1]);
	for (uint32_t i = search->first; i < search->n_trees; i++)
		free_tree(search, search->trees[i]);
	rstar_free(search->allocator, search->trees);
	rstar_free(search->allocator, search->turns);
	rstar_buffer_free(&search->asked_solution);
	rstar_buffer_free(&search->asked_program);
	rstar_free(search->allocator, search);
}

/* --- steps ---------------------------------------------------------------------------- */

rstar_status
rstar_search_step(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	return rstar_search_run_turns(search, cancel, err);
}

/* --- what there is to see -------------------------------------------------------------- */

bool
rstar_search_take(rstar_search *search, uint32_t *i)
{
	for (uint32_t t = search->first; t < search->n_begun; t++)
		if (search->trees[t] && search->trees[t]->phase == TREE_FINISHED)
		{
			search->trees[t]->phase = TREE_TAKEN;
			*i = t;
			return true;
		}
	return false;
}

void
rstar_search_forget(rstar_search *search, uint32_t i)
{
	if (!search->trees[i] || search->trees[i]->phase != TREE_TAKEN)
		return;
	free_tree(search, search->trees[i]);
	search->trees[i] = NULL;
	while (search->first < search->n_begun && !search->trees[search->first])
		search->first++;
}

const rstar_mcts *
rstar_search_mcts(const rstar_search *search, uint32_t i)
{
	const rstar_search_tree *tree = search->trees[i];

	return !tree || tree->phase == TREE_WAITING || tree->failed ? NULL : &tree->mcts;
}

const rstar_search_cost *
rstar_search_get_cost(const rstar_search *search, uint32_t i)
{
	return &search->trees[i]->cost;
}

const rstar_search_problem *
rstar_search_asked(const rstar_search *search, uint32_t i)
{
	return &search->trees[i]->problem;
}

rstar_ending
rstar_search_ending(const rstar_search *search, uint32_t i)
{
	return search->trees[i]->ending;
}

const rstar_error *
rstar_search_failure(const rstar_search *search, uint32_t i, rstar_status *status)
{
	*status = search->trees[i]->failed;
	return *status == RSTAR_OK ? NULL : &search->trees[i]->failure;
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

/* The answer with the best grade, and of these the best-scored. */
static uint32_t
best_graded(const rstar_mcts *mcts)
{
	const rstar_tree_node *nodes = mcts->tree.nodes;
	uint32_t best = RSTAR_NO_NODE;

	for (uint32_t id = 0; (id = rstar_mcts_next_answer(mcts, id)) != RSTAR_NO_NODE;)
		if (best == RSTAR_NO_NODE || nodes[id].grade > nodes[best].grade ||
			(nodes[id].grade == nodes[best].grade &&
			 rstar_mcts_score(mcts, id) > rstar_mcts_score(mcts, best)))
			best = id;
	return best;
}

/* Is not knowing more probable than the answer of the node? */
static rstar_status
declines(const rstar_search *search, const rstar_mcts *mcts, uint32_t node, bool *more,
		 rstar_error *err)
{
	const rstar_answer_share *share;
	rstar_answer_shares shares;
	rstar_status status = rstar_answer_shares_read(mcts, search->allocator, &shares, err);

	if (status != RSTAR_OK)
		return status;
	share = rstar_answer_shares_find(&shares, mcts, node, search->allocator);
	*more = share && shares.declined > share->mass;
	rstar_answer_shares_free(&shares, search->allocator);
	return RSTAR_OK;
}

rstar_status
rstar_search_answer(const rstar_search *search, uint32_t i, uint32_t *node, rstar_error *err)
{
	const rstar_mcts *mcts = &search->trees[i]->mcts;
	uint32_t most = mcts->answers;
	rstar_status status = RSTAR_OK;
	uint32_t n = 0, winner = 0;
	bool declined = false;

	*node = RSTAR_NO_NODE;
	if (most == 0)
		return RSTAR_OK;
	if (search->trees[i]->problem.verifier.length > 0 && mcts->options.known_answer)
	{
		*node = best_graded(mcts);
		return RSTAR_OK;
	}

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
		status = declines(search, mcts, nodes[winner], &declined, err);
	if (status == RSTAR_OK && winner < n && !declined)
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

bool
rstar_search_same_answer(rstar_string representative, rstar_string answer,
						 const rstar_allocator *allocator)
{
	return answers_equal((void *) allocator, representative, answer);
}

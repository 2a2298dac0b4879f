/*
 * writer_engine.c
 *	  Candidates that the policy writes here: one generation for all of the turn.
 */
#include "core/search/internal.h"

static bool
after_token(void *arg, uint32_t i, int32_t id, bool eog)
{
	rstar_turn *turn = arg;

	turn->candidates[i].ended = eog;
	return eog || rstar_stop_watch_feed(&turn->candidates[i].watch, id);
}

static bool
ends_text(const void *vocabulary, int32_t id)
{
	return rstar_tokenizer_is_eog(vocabulary, id);
}

static rstar_status
start(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	rstar_generation_options options = {.sampling = search->options.sampling,
										.hook = after_token,
										.hook_arg = turn,
										.is_eog = ends_text,
										.vocabulary = search->parts.policy.tokenizer};
	uint32_t n = turn->n_candidates;
	rstar_sequence_spec *specs = rstar_alloc_array(search->allocator, n, sizeof *specs);
	rstar_status status;

	if (!specs)
		return rstar_error_memory(err, n * sizeof *specs);
	for (uint32_t i = 0; i < n; i++)
	{
		const rstar_candidate *c = &turn->candidates[i];

		specs[i] = (rstar_sequence_spec){
			.parent = c->tree->attached[c->parent].policy,
			.stream = {c->tree->problem.seed, c->parent, c->number},
			.max_tokens = search->writer->allowance(search, c->tree, c->parent),
		};
	}
	status = rstar_generation_create(search->parts.policy.engine, &options, specs, n,
									 search->allocator, &turn->generation, err);
	rstar_free(search->allocator, specs);
	return status;
}

static rstar_status
step(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	(void) search;
	return rstar_generation_step(turn->generation, cancel, err);
}

static rstar_status
take(rstar_search *search, rstar_turn *turn, uint32_t i, rstar_error *err)
{
	(void) search;
	rstar_candidate *c = &turn->candidates[i];
	rstar_sequence sequence;

	rstar_generation_get(turn->generation, i, &sequence);
	rstar_kv_node_retain(sequence.node);
	c->policy = sequence.node;
	c->node.tokens = sequence.n_tokens;
	for (uint32_t t = 0; t < sequence.n_tokens; t++)
		c->node.logprob += sequence.logprobs[t];
	if (c->watch.status != RSTAR_OK)
	{
		*err = c->watch.error;
		return c->watch.status;
	}
	return rstar_stop_watch_text(&c->watch, &c->text)
			   ? RSTAR_OK
			   : rstar_error_memory(err, c->watch.text.length);
}

static void
end(rstar_search *search, rstar_turn *turn)
{
	(void) search;
	rstar_generation_free(turn->generation);
	turn->generation = NULL;
}

static uint32_t
allowance(const rstar_search *search, const rstar_search_tree *tree, uint32_t node)
{
	const rstar_search_options *o = &search->options;
	uint32_t context = rstar_engine_max_context(search->parts.policy.engine);
	uint32_t at = rstar_kv_node_end(tree->attached[node].policy);
	uint32_t used = at - rstar_kv_node_end(tree->attached[0].policy);
	uint32_t left = at + 1 < context ? context - 1 - at : 0;

	if (o->total_tokens > 0)
	{
		uint32_t total = o->total_tokens;

		left = used >= total ? 0 : total - used < left ? total - used : left;
	}
	return left < o->step_tokens ? left : o->step_tokens;
}

const rstar_writer rstar_search_engine_writer = {
	.start = start, .step = step, .take = take, .end = end, .allowance = allowance};

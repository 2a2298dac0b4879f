/*
 * writer_script.c
 *	  Candidates that a script supplies, in tests of all the rest.
 */
#include "core/search/internal.h"

static rstar_status
start(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	(void) search;
	(void) turn;
	(void) err;
	return RSTAR_OK;
}

static rstar_status
step(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	(void) search;
	(void) turn;
	(void) cancel;
	(void) err;
	return RSTAR_OK;
}

static rstar_status
take(rstar_search *search, rstar_turn *turn, uint32_t i, rstar_error *err)
{
	const rstar_search_script *script = &search->parts.script;
	rstar_candidate *c = &turn->candidates[i];
	rstar_scripted line = {0};

	if (!script->candidate(script->arg, c->tree->number, c->parent, c->number, &line))
	{
		c->dropped = true;
		return RSTAR_OK;
	}
	c->judged = line.judged;
	if (line.judged)
		c->node.status = line.status;
	c->node.tokens = line.tokens;
	c->node.logprob = line.logprob;
	c->node.ppm_score = line.score;
	c->node.scored = search->options.mcts.guidance == RSTAR_GUIDANCE_PPM;
	return rstar_buffer_append(&c->text, line.text.data, line.text.length)
			   ? RSTAR_OK
			   : rstar_error_memory(err, line.text.length);
}

static void
end(rstar_search *search, rstar_turn *turn)
{
	(void) search;
	(void) turn;
}

static uint32_t
allowance(const rstar_search *search, const rstar_search_tree *tree, uint32_t node)
{
	(void) tree;
	(void) node;
	return search->options.step_tokens;
}

const rstar_writer rstar_search_script_writer = {.scripted = true,
												 .start = start,
												 .step = step,
												 .take = take,
												 .end = end,
												 .allowance = allowance};

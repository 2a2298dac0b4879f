/*
 * scorer_engine.c
 *	  Candidates that the PPM scores here: one job for all of the turn.
 */
#include <math.h>

#include "core/search/internal.h"

static void
take_value(void *arg, const rstar_output *output)
{
	rstar_search *search = arg;
	rstar_turn *turn = search->at_engine;
	rstar_tree_node *node = &turn->candidates[turn->scored[output->request]].node;

	node->ppm_score = tanh((double) output->value / search->options.value_scale);
	node->scored = true;
}

/* The engine has one job at a time: turns wait for each other. */
static rstar_status
start(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	uint32_t n = turn->n_candidates;
	rstar_status status;

	turn->blocked = search->at_engine != NULL;
	if (turn->blocked)
		return RSTAR_AGAIN;
	turn->requests = rstar_alloc_array(search->allocator, n, sizeof *turn->requests);
	turn->scored = rstar_alloc_array(search->allocator, n, sizeof *turn->scored);
	if (!turn->requests || !turn->scored)
		return rstar_error_memory(err, n * sizeof *turn->requests);
	turn->n_requests = 0;
	for (uint32_t i = 0; i < n; i++)
		if (rstar_candidate_alive(&turn->candidates[i]))
		{
			turn->scored[turn->n_requests] = i;
			turn->requests[turn->n_requests++] =
				(rstar_request){turn->candidates[i].ppm, 1, RSTAR_WANT_VALUE};
		}
	search->at_engine = turn;
	status = rstar_engine_begin(search->parts.ppm.engine, turn->requests, turn->n_requests,
								take_value, search, err);
	if (status != RSTAR_OK)
		search->at_engine = NULL;
	return status;
}

static rstar_status
step(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	(void) turn;
	rstar_status status = rstar_engine_step(search->parts.ppm.engine, cancel, err);

	if (status != RSTAR_AGAIN)
		search->at_engine = NULL;
	return status;
}

static void
end(rstar_search *search, rstar_turn *turn)
{
	if (search->at_engine == turn)
	{
		rstar_engine_abort(search->parts.ppm.engine);
		search->at_engine = NULL;
	}
	rstar_free(search->allocator, turn->requests);
	rstar_free(search->allocator, turn->scored);
	turn->requests = NULL;
	turn->scored = NULL;
}

const rstar_scorer rstar_search_engine_scorer = {.start = start, .step = step, .end = end};

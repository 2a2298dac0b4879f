/*
 * scorer_engine.c
 *	  Candidates that the PPM scores here: one job for all of the turn.
 *
 * A PPM whose value depends on the likelihood reads all tokens of a candidate, not the last
 * alone. What it read of the nodes above is kept with them; only a stored tree has nodes of
 * which nothing was read yet, whose tokens have to be computed anyway.
 */
#include <math.h>

#include "core/search/internal.h"

static float
likelihood_weight(const rstar_search *search)
{
	return rstar_engine_weights(search->parts.ppm.engine)->value_likelihood;
}

/* --- what the engine says ----------------------------------------------------------------- */

/* The logits at one token give the probability of the next. */
static void
take_logits(const rstar_search *search, const rstar_kv_node *node, const rstar_output *output,
			rstar_ppm_reading *reading)
{
	const rstar_engine *engine = search->parts.ppm.engine;
	uint32_t next = output->position - rstar_kv_node_start(node) + 1;

	if (next >= reading->written)
		return;
	reading->likelihood.tokens++;
	reading->likelihood.sum += (double) (output->logits[rstar_kv_node_tokens(node)[next]] -
										 rstar_engine_kernels(engine)->logsumexp(
											 output->logits, rstar_engine_n_vocab(engine)));
}

static void
take_output(void *arg, const rstar_output *output)
{
	rstar_search *search = arg;
	rstar_turn *turn = search->at_engine;
	const rstar_kv_node *node = turn->requests[output->request].node;

	if (output->logits)
		take_logits(search, node, output, turn->readings[output->request]);
	if (output->request < turn->n_requests && output->position + 1 == rstar_kv_node_end(node))
		turn->candidates[turn->scored[output->request]].node.ppm_score = (double) output->value;
}

/* --- the job -------------------------------------------------------------------------------- */

/* Read the value of a node, and with `all` the likelihood of its tokens. */
static rstar_status
add_request(rstar_search *search, rstar_turn *turn, uint32_t at, rstar_kv_node *node,
			rstar_ppm_reading *reading, bool all, rstar_error *err)
{
	unsigned want = all ? RSTAR_WANT_VALUE | RSTAR_WANT_LOGITS : RSTAR_WANT_VALUE;

	if (!rstar_grow(search->allocator, (void **) &turn->requests, &turn->requests_capacity, at + 1,
					sizeof *turn->requests) ||
		!rstar_grow(search->allocator, (void **) &turn->readings, &turn->readings_capacity, at + 1,
					sizeof *turn->readings))
		return rstar_error_memory(err, (at + 1) * sizeof *turn->requests);
	reading->asked = true;
	reading->likelihood = (rstar_likelihood){0};
	turn->readings[at] = reading;
	turn->requests[at] = (rstar_request){node, all ? rstar_kv_node_count(node) : 1, want};
	return RSTAR_OK;
}

/* The ancestors of a candidate of which nothing was read yet, from request *n on. */
static rstar_status
add_ancestors(rstar_search *search, rstar_turn *turn, const rstar_candidate *c, uint32_t *n,
			  rstar_error *err)
{
	const rstar_search_tree *tree = c->tree;
	rstar_status status = RSTAR_OK;

	for (uint32_t id = c->parent; id != 0 && status == RSTAR_OK;
		 id = tree->mcts.tree.nodes[id].parent)
	{
		rstar_attachment *above = &tree->attached[id];

		if (above->reading.read || above->reading.asked)
			continue;
		status = add_request(search, turn, *n, above->ppm, &above->reading, true, err);
		++*n;
	}
	return status;
}

/* The engine has one job at a time: turns wait for each other. */
static rstar_status
start(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	bool all = likelihood_weight(search) != 0;
	uint32_t n = 0;
	rstar_status status = RSTAR_OK;

	turn->blocked = search->at_engine != NULL;
	if (turn->blocked)
		return RSTAR_AGAIN;
	turn->scored = rstar_alloc_array(search->allocator, turn->n_candidates, sizeof *turn->scored);
	if (!turn->scored)
		return rstar_error_memory(err, turn->n_candidates * sizeof *turn->scored);
	for (uint32_t i = 0; i < turn->n_candidates && status == RSTAR_OK; i++)
	{
		rstar_candidate *c = &turn->candidates[i];

		if (!rstar_candidate_alive(c))
			continue;
		turn->scored[n] = i;
		status = add_request(search, turn, n++, c->ppm, &c->reading, all, err);
	}
	turn->n_requests = turn->n_all_requests = n;
	for (uint32_t r = 0; all && r < turn->n_requests && status == RSTAR_OK; r++)
		status = add_ancestors(search, turn, &turn->candidates[turn->scored[r]],
							   &turn->n_all_requests, err);
	if (status != RSTAR_OK)
		return status;
	search->at_engine = turn;
	status = rstar_engine_begin(search->parts.ppm.engine, turn->requests, turn->n_all_requests,
								take_output, search, err);
	if (status != RSTAR_OK)
		search->at_engine = NULL;
	return status;
}

/* Of the path to a candidate. */
static double
path_likelihood(const rstar_candidate *c)
{
	const rstar_search_tree *tree = c->tree;
	rstar_likelihood path = c->reading.likelihood;

	for (uint32_t id = c->parent; id != 0; id = tree->mcts.tree.nodes[id].parent)
	{
		path.sum += tree->attached[id].reading.likelihood.sum;
		path.tokens += tree->attached[id].reading.likelihood.tokens;
	}
	return rstar_likelihood_mean(path);
}

/* From the raw values, once all is read. */
static void
set_scores(rstar_search *search, rstar_turn *turn)
{
	double weight = (double) likelihood_weight(search);

	for (uint32_t r = 0; weight != 0 && r < turn->n_all_requests; r++)
		turn->readings[r]->read = true;
	for (uint32_t r = 0; r < turn->n_requests; r++)
	{
		rstar_candidate *c = &turn->candidates[turn->scored[r]];
		double value = c->node.ppm_score;

		if (weight != 0)
			value += weight * path_likelihood(c);
		c->node.ppm_score = tanh(value / search->options.value_scale);
		c->node.scored = true;
	}
}

static rstar_status
step(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = rstar_engine_step(search->parts.ppm.engine, cancel, err);

	if (status != RSTAR_AGAIN)
		search->at_engine = NULL;
	if (status == RSTAR_OK)
		set_scores(search, turn);
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
	for (uint32_t r = 0; r < turn->n_all_requests; r++)
		turn->readings[r]->asked = false;
	turn->n_all_requests = 0;
	rstar_free(search->allocator, turn->requests);
	rstar_free(search->allocator, turn->readings);
	rstar_free(search->allocator, turn->scored);
	turn->requests = NULL;
	turn->readings = NULL;
	turn->requests_capacity = turn->readings_capacity = 0;
	turn->scored = NULL;
}

const rstar_scorer rstar_search_engine_scorer = {.start = start, .step = step, .end = end};

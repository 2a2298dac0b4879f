/*
 * scorer_remote.c
 *	  Candidates that another server scores: a job for the survivors of each node.
 */
#include <math.h>

#include "core/search/internal.h"

/* The solutions that a node's survivors end, one behind the other in *text, and where. */
static bool
append_texts(const rstar_turn *turn, const uint32_t *which, uint32_t n, rstar_buffer *text,
			 rstar_string *texts)
{
	const rstar_candidate *first = &turn->candidates[which[0]];
	rstar_buffer begun;
	bool done;

	rstar_buffer_init(&begun, text->allocator);
	done = rstar_tree_solution(&first->tree->mcts.tree, first->parent, &begun);
	for (uint32_t i = 0; i < n && done; i++)
	{
		const rstar_candidate *c = &turn->candidates[which[i]];
		size_t before = text->length;

		done = rstar_buffer_append(text, begun.data, begun.length) &&
			   rstar_buffer_append(text, c->text.data, c->text.length);
		texts[i].length = text->length - before;
	}
	rstar_buffer_free(&begun);
	/* The buffer moves while it grows. */
	for (size_t i = 0, at = 0; i < n && done; at += texts[i++].length)
		texts[i].data = text->data + at;
	return done;
}

static rstar_status
ask(rstar_search *search, rstar_turn *turn, const uint32_t *which, uint32_t n, rstar_error *err)
{
	const rstar_string *problem = &turn->candidates[which[0]].tree->problem.text;
	rstar_string *texts = rstar_alloc_array(search->allocator, n, sizeof *texts);
	rstar_buffer prompt, text;
	rstar_status status;

	rstar_buffer_init(&prompt, search->allocator);
	rstar_buffer_init(&text, search->allocator);
	if (texts &&
		rstar_prompt_append_plain(&search->parts.ppm.prompt, problem->data, problem->length,
								  &prompt) &&
		append_texts(turn, which, n, &text, texts))
		status =
			rstar_remote_score(search->parts.ppm.remote, (rstar_string){prompt.data, prompt.length},
							   texts, n, &turn->scorings[turn->n_scorings], err);
	else
		status = rstar_error_memory(err, text.length);
	if (status == RSTAR_OK)
		turn->n_scorings++;
	rstar_buffer_free(&prompt);
	rstar_buffer_free(&text);
	rstar_free(search->allocator, texts);
	return status;
}

static bool
same_node(const rstar_turn *turn, uint32_t i, uint32_t j)
{
	return turn->candidates[i].tree == turn->candidates[j].tree &&
		   turn->candidates[i].parent == turn->candidates[j].parent;
}

static rstar_status
start(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	uint32_t n = turn->n_candidates, end;
	rstar_status status = RSTAR_OK;

	turn->scored = rstar_alloc_array(search->allocator, n, sizeof *turn->scored);
	turn->scorings = rstar_alloc_array_zero(search->allocator, n, sizeof *turn->scorings);
	if (!turn->scored || !turn->scorings)
		return rstar_error_memory(err, n * sizeof *turn->scored);
	turn->n_requests = turn->n_scorings = 0;
	for (uint32_t i = 0; i < n; i++)
		if (rstar_candidate_alive(&turn->candidates[i]))
			turn->scored[turn->n_requests++] = i;
	for (uint32_t first = 0; first < turn->n_requests && status == RSTAR_OK; first = end)
	{
		end = first + 1;
		while (end < turn->n_requests && same_node(turn, turn->scored[first], turn->scored[end]))
			end++;
		status = ask(search, turn, turn->scored + first, end - first, err);
	}
	return status;
}

/* A reranker's score is a probability, from 0 to 1; ours lie between -1 and 1. */
double
rstar_search_remote_score(const rstar_remote_model *model, double value, double value_scale)
{
	if (rstar_remote_model_api(model) == RSTAR_REMOTE_SCORE)
		return fmax(-1, fmin(1, 2 * value - 1));
	return tanh(value / value_scale);
}

/* The job that scores request r, if `job` is that of the one before. */
static uint32_t
job_of(const rstar_turn *turn, uint32_t r, uint32_t job)
{
	return job + (r > 0 && !same_node(turn, turn->scored[r - 1], turn->scored[r]));
}

/*
 * Texts that the model has no room for: without scores they are given up, and a problem of which
 * not even the first step can be scored cannot be searched.
 */
static void
refuse(rstar_turn *turn, uint32_t refused, rstar_status status, const rstar_error *err)
{
	uint32_t job = 0;

	for (uint32_t r = 0; r < turn->n_requests; r++)
	{
		rstar_candidate *c = &turn->candidates[turn->scored[r]];

		job = job_of(turn, r, job);
		if (job != refused)
			continue;
		c->dropped = true;
		if (c->parent == 0)
		{
			c->tree->failed = status;
			c->tree->failure = *err;
		}
	}
}

static void
take_values(rstar_search *search, rstar_turn *turn)
{
	uint32_t job = 0, value = 0;

	for (uint32_t r = 0; r < turn->n_requests; r++)
	{
		rstar_tree_node *node = &turn->candidates[turn->scored[r]].node;
		uint32_t before = job;

		job = job_of(turn, r, job);
		value = r > 0 && job == before ? value + 1 : 0;
		if (!turn->scorings[job])
			continue; /* refused */
		node->ppm_score = rstar_search_remote_score(
			search->parts.ppm.remote, rstar_remote_job_value(turn->scorings[job], value),
			search->options.value_scale);
		node->scored = true;
	}
}

static rstar_status
step(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	(void) cancel;
	rstar_status result = RSTAR_OK;

	for (uint32_t j = 0; j < turn->n_scorings; j++)
	{
		rstar_remote_job **job = &turn->scorings[j];
		rstar_status status = *job ? rstar_remote_job_poll(*job, err) : RSTAR_OK;

		if (status == RSTAR_AGAIN)
			result = status;
		else if (status == RSTAR_ERR_LIMIT && rstar_remote_job_too_long(*job))
		{
			refuse(turn, j, status, err);
			rstar_remote_job_free(*job);
			*job = NULL;
		}
		else if (status != RSTAR_OK)
			return status;
	}
	turn->blocked = result == RSTAR_AGAIN;
	if (result == RSTAR_OK)
		take_values(search, turn);
	return result;
}

static void
end(rstar_search *search, rstar_turn *turn)
{
	for (uint32_t j = 0; j < turn->n_scorings; j++)
		rstar_remote_job_free(turn->scorings[j]);
	rstar_free(search->allocator, turn->scorings);
	rstar_free(search->allocator, turn->scored);
	turn->scorings = NULL;
	turn->scored = NULL;
	turn->n_scorings = turn->n_requests = 0;
}

const rstar_scorer rstar_search_remote_scorer = {.start = start, .step = step, .end = end};

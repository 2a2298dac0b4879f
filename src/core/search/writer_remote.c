/*
 * writer_remote.c
 *	  Candidates that another server writes: a job for each node.
 *
 * The server gets text and gives text. What the engine keeps in tokens is not known here, so the
 * budget of a solution counts what the server says that it generated.
 */
#include "core/search/internal.h"

/* --- start ----------------------------------------------------------------------------- */

/* The prompt, and the solution up to the candidates' parent. */
static bool
append_texts(const rstar_search *search, const rstar_candidate *c, rstar_buffer *prompt,
			 rstar_buffer *begun)
{
	return rstar_prompt_append_plain(&search->parts.policy.prompt, c->tree->problem.text.data,
									 c->tree->problem.text.length, prompt) &&
		   rstar_tree_solution(&c->tree->mcts.tree, c->parent, begun);
}

/* Begin a request for n continuations of the node that the candidate continues. */
static rstar_status
ask(rstar_search *search, const rstar_candidate *c, uint32_t n, rstar_remote_job **job,
	rstar_error *err)
{
	const rstar_sampling *sampling = &search->options.sampling;
	rstar_remote_request request = {
		.n = n,
		.stream = {c->tree->problem.seed, c->parent, 0},
		.max_tokens = search->writer->allowance(search, c->tree, c->parent),
		.temperature = sampling->temperature,
		.top_p = sampling->top_p,
		.min_p = sampling->min_p,
		.top_k = sampling->top_k,
		.logprobs = search->parts.policy.logprobs,
		.tags = true,
		.habits = c->watch.habits,
	};
	rstar_buffer prompt, begun;
	rstar_status status;

	rstar_buffer_init(&prompt, search->allocator);
	rstar_buffer_init(&begun, search->allocator);
	if (append_texts(search, c, &prompt, &begun))
	{
		request.prompt = (rstar_string){prompt.data, prompt.length};
		request.begun = (rstar_string){begun.data, begun.length};
		status = rstar_remote_complete(search->parts.policy.remote, &request, job, err);
	}
	else
		status = rstar_error_memory(err, prompt.length + begun.length);
	rstar_buffer_free(&prompt);
	rstar_buffer_free(&begun);
	return status;
}

/* The candidates [first, result) are those of one node. */
static uint32_t
end_of_node(const rstar_turn *turn, uint32_t first)
{
	uint32_t end = first + 1;

	while (end < turn->n_candidates && turn->candidates[end].number > 0)
		end++;
	return end;
}

static rstar_status
start(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	uint32_t n = turn->n_candidates, end;
	rstar_status status = RSTAR_OK;

	turn->jobs = rstar_alloc_array_zero(search->allocator, n, sizeof *turn->jobs);
	if (!turn->jobs)
		return rstar_error_memory(err, n * sizeof *turn->jobs);
	for (uint32_t first = 0; first < n && status == RSTAR_OK; first = end)
	{
		rstar_remote_job **job = &turn->jobs[turn->n_jobs];

		end = end_of_node(turn, first);
		status = ask(search, &turn->candidates[first], end - first, job, err);
		if (status != RSTAR_OK)
			break;
		turn->n_jobs++;
		for (uint32_t i = first; i < end; i++)
			turn->candidates[i].job = *job;
	}
	return status;
}

/* --- step ------------------------------------------------------------------------------- */

/* A text that the model has no room for: nothing follows it, and a problem cannot be searched. */
static void
refuse(rstar_turn *turn, const rstar_remote_job *job, rstar_status status, const rstar_error *err)
{
	for (uint32_t i = 0; i < turn->n_candidates; i++)
	{
		rstar_candidate *c = &turn->candidates[i];

		if (c->job != job)
			continue;
		c->job = NULL;
		c->dropped = true;
		if (c->parent == 0)
		{
			c->tree->failed = status;
			c->tree->failure = *err;
		}
	}
}

static rstar_status
step(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, rstar_error *err)
{
	(void) search;
	(void) cancel;
	rstar_status result = RSTAR_OK;

	for (uint32_t j = 0; j < turn->n_jobs; j++)
	{
		rstar_status status;

		if (!turn->jobs[j])
			continue;
		status = rstar_remote_job_poll(turn->jobs[j], err);
		if (status == RSTAR_AGAIN)
			result = RSTAR_AGAIN;
		else if (status == RSTAR_ERR_LIMIT && rstar_remote_job_too_long(turn->jobs[j]))
		{
			refuse(turn, turn->jobs[j], status, err);
			rstar_remote_job_free(turn->jobs[j]);
			turn->jobs[j] = NULL;
		}
		else if (status != RSTAR_OK)
			return status;
	}
	turn->blocked = result == RSTAR_AGAIN;
	return result;
}

/* --- take -------------------------------------------------------------------------------- */

static rstar_status
take(rstar_search *search, rstar_turn *turn, uint32_t i, rstar_error *err)
{
	(void) search;
	rstar_candidate *c = &turn->candidates[i];
	rstar_remote_choice choice;

	if (!c->job)
		return RSTAR_OK; /* refused, and dropped */
	rstar_remote_job_choice(c->job, c->number, &choice);
	c->watch.tag = choice.tag;
	c->ended = choice.ended;
	c->node.tokens = choice.tokens;
	c->node.logprob = choice.has_logprob ? choice.logprob : 0;
	c->node.unsure = !choice.has_logprob;
	return rstar_utf8_append_clean(&c->text, choice.text.data, choice.text.length)
			   ? RSTAR_OK
			   : rstar_error_memory(err, choice.text.length);
}

static void
end(rstar_search *search, rstar_turn *turn)
{
	for (uint32_t i = 0; i < turn->n_candidates; i++)
		turn->candidates[i].job = NULL;
	for (uint32_t j = 0; j < turn->n_jobs; j++)
		rstar_remote_job_free(turn->jobs[j]);
	rstar_free(search->allocator, turn->jobs);
	turn->jobs = NULL;
	turn->n_jobs = 0;
}

static uint32_t
allowance(const rstar_search *search, const rstar_search_tree *tree, uint32_t node)
{
	const rstar_search_options *o = &search->options;
	const rstar_tree_node *nodes = tree->mcts.tree.nodes;
	uint64_t used = 0;

	for (uint32_t id = node; id != RSTAR_NO_NODE; id = nodes[id].parent)
		used += nodes[id].tokens;
	if (o->total_tokens == 0 || used + o->step_tokens <= o->total_tokens)
		return o->step_tokens;
	return used >= o->total_tokens ? 0 : (uint32_t) (o->total_tokens - used);
}

const rstar_writer rstar_search_remote_writer = {
	.start = start, .step = step, .take = take, .end = end, .allowance = allowance};

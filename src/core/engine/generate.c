/*
 * generate.c
 *	  Continuing many sequences at once, token by token.
 *
 * Sequences that have the same tokens behind the same parent are a group: one of
 * them, its leader, is computed, and all draw from its logits, each by its own
 * random stream. The first job asks for the logits at the end of each parent;
 * each further one holds the leaders. Those who draw another token than their leader, or
 * end, leave it and take a copy of its keys and values along, so no token is computed
 * twice. A finished sequence's last token is on its node but not in the cache: whoever
 * continues it lets the engine compute it then.
 */
#include "core/engine/generate.h"

#include <string.h>

typedef struct sequence
{
	rstar_sequence_spec spec;
	rstar_kv_node *node;
	int32_t *tokens;
	size_t tokens_capacity;
	float *logprobs;
	size_t logprobs_capacity;
	uint32_t n_tokens;
	rstar_finish finish;
	int32_t drawn; /* token of the present job, to be appended */
	float drawn_logprob;
	uint32_t next; /* in its group, ascending; NOBODY: the last */
} sequence;

#define NOBODY UINT32_MAX

struct rstar_generation
{
	const rstar_allocator *allocator;
	rstar_engine *engine;
	rstar_generation_options options;
	rstar_sampler *sampler;
	sequence *sequences;
	uint32_t n;
	rstar_request *requests; /* [n] */
	uint32_t *leaders;       /* [n]: of the group that draws from each request */
	uint32_t *regrouped;     /* [n]: the leaders of the next job, while they are found */
	uint32_t n_requests;
	bool running; /* a job is under way */
};

static rstar_status
create_sequence(rstar_generation *g, uint32_t i, const rstar_sequence_spec *spec, rstar_error *err)
{
	if (rstar_kv_node_count(spec->parent) == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "nothing to continue: the text is empty");
	if (spec->max_tokens == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "max_tokens must be at least 1");

	rstar_status status =
		rstar_kv_node_create(rstar_engine_kv(g->engine), spec->parent, &g->sequences[i].node, err);

	if (status == RSTAR_OK)
	{
		g->sequences[i].spec = *spec;
		g->n = i + 1;
	}
	return status;
}

/* Put a sequence at the end of a leader's group. */
static void
append_member(rstar_generation *g, uint32_t leader, uint32_t i)
{
	uint32_t last = leader;

	while (g->sequences[last].next != NOBODY)
		last = g->sequences[last].next;
	g->sequences[last].next = i;
}

/* A group for each parent, asked for at the parent's end. */
static void
group_by_parent(rstar_generation *g)
{
	for (uint32_t i = 0; i < g->n; i++)
	{
		rstar_kv_node *parent = g->sequences[i].spec.parent;
		uint32_t r = 0;

		g->sequences[i].next = NOBODY;
		while (r < g->n_requests && g->requests[r].node != parent)
			r++;
		if (r == g->n_requests)
		{
			g->leaders[r] = i;
			g->requests[g->n_requests++] = (rstar_request){parent, 1, RSTAR_WANT_LOGITS};
		}
		else
			append_member(g, g->leaders[r], i);
	}
}

/*
 * Sequences are created one by one, and each takes a reference to its node: after a failure
 * rstar_generation_free gives back those that were reached and finds zeros in the rest.
 */
rstar_status
rstar_generation_create(rstar_engine *engine, const rstar_generation_options *options,
						const rstar_sequence_spec *specs, uint32_t n,
						const rstar_allocator *allocator, rstar_generation **out, rstar_error *err)
{
	rstar_status status = rstar_sampling_check(&options->sampling, err);

	if (status != RSTAR_OK)
		return status;

	rstar_generation *g = rstar_alloc_zero(allocator, sizeof *g);

	if (!g)
		return rstar_error_memory(err, sizeof *g);
	g->allocator = allocator;
	g->engine = engine;
	g->options = *options;
	g->sequences = rstar_alloc_array_zero(allocator, n, sizeof(sequence));
	g->requests = rstar_alloc_array(allocator, n, sizeof(rstar_request));
	g->leaders = rstar_alloc_array(allocator, n, sizeof(uint32_t));
	g->regrouped = rstar_alloc_array(allocator, n, sizeof(uint32_t));
	if (!g->sequences || !g->requests || !g->leaders || !g->regrouped)
		status = rstar_error_memory(err, n * sizeof(sequence));
	else
		status = rstar_sampler_create(rstar_engine_n_vocab(engine), rstar_engine_kernels(engine),
									  allocator, &g->sampler, err);
	for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
		status = create_sequence(g, i, &specs[i], err);
	if (status != RSTAR_OK)
	{
		rstar_generation_free(g);
		return status;
	}
	group_by_parent(g);
	*out = g;
	return RSTAR_OK;
}

void
rstar_generation_free(rstar_generation *g)
{
	if (!g)
		return;
	if (g->running)
		rstar_engine_abort(g->engine);
	for (uint32_t i = 0; i < g->n; i++)
	{
		rstar_kv_node_release(g->sequences[i].node);
		rstar_free(g->allocator, g->sequences[i].tokens);
		rstar_free(g->allocator, g->sequences[i].logprobs);
	}
	rstar_sampler_free(g->sampler);
	rstar_free(g->allocator, g->sequences);
	rstar_free(g->allocator, g->requests);
	rstar_free(g->allocator, g->leaders);
	rstar_free(g->allocator, g->regrouped);
	rstar_free(g->allocator, g);
}

/* --- a token for each ----------------------------------------------------------- */

/* Every sequence of the request's group draws. */
static void
emit(void *arg, const rstar_output *output)
{
	rstar_generation *g = arg;

	rstar_sampler_set(g->sampler, output->logits, &g->options.sampling);
	for (uint32_t i = g->leaders[output->request]; i != NOBODY; i = g->sequences[i].next)
	{
		sequence *s = &g->sequences[i];
		double uniform = rstar_random_uniform(&s->spec.stream, output->position);

		s->drawn = rstar_sampler_draw(g->sampler, uniform, &s->drawn_logprob);
	}
}

/* Append the drawn token and see whether the sequence ends. */
static rstar_status
accept_token(rstar_generation *g, uint32_t i, rstar_error *err)
{
	sequence *s = &g->sequences[i];
	bool eog = g->options.is_eog && g->options.is_eog(g->options.vocabulary, s->drawn);
	bool stop = g->options.hook && g->options.hook(g->options.hook_arg, i, s->drawn, eog);

	if (eog)
	{
		s->finish = RSTAR_FINISH_EOG;
		return RSTAR_OK;
	}
	if (!rstar_grow(g->allocator, (void **) &s->tokens, &s->tokens_capacity, s->n_tokens + 1,
					sizeof *s->tokens) ||
		!rstar_grow(g->allocator, (void **) &s->logprobs, &s->logprobs_capacity, s->n_tokens + 1,
					sizeof *s->logprobs))
		return rstar_error_memory(err, s->n_tokens * sizeof *s->tokens);
	s->tokens[s->n_tokens] = s->drawn;
	s->logprobs[s->n_tokens++] = s->drawn_logprob;
	if (stop)
		s->finish = RSTAR_FINISH_STOP;
	else if (s->n_tokens == s->spec.max_tokens)
		s->finish = RSTAR_FINISH_LENGTH;
	else if (rstar_kv_node_end(s->node) + 1 >= rstar_engine_max_context(g->engine))
		s->finish = RSTAR_FINISH_CONTEXT;
	return rstar_kv_node_append(s->node, &s->drawn, 1, err);
}

/*
 * regrouped[first .. *n) are the leaders that a group has split into so far. Sequence i joins the
 * one that drew the same token (true), or leads a group itself.
 */
static bool
regroup(rstar_generation *g, uint32_t i, uint32_t first, uint32_t *n)
{
	sequence *s = &g->sequences[i];

	s->next = NOBODY;
	for (uint32_t r = first; r < *n; r++)
		if (g->sequences[g->regrouped[r]].drawn == s->drawn)
		{
			append_member(g, g->regrouped[r], i);
			return true;
		}
	g->regrouped[(*n)++] = i;
	return false;
}

/* Append what was drawn, and ask for what comes next at the end of each leader. */
static rstar_status
accept_tokens(rstar_generation *g, rstar_error *err)
{
	uint32_t n = 0, *leaders = g->regrouped;

	for (uint32_t r = 0; r < g->n_requests; r++)
	{
		uint32_t leader = g->leaders[r], first = n;

		for (uint32_t i = leader, next; i != NOBODY; i = next)
		{
			sequence *s = &g->sequences[i];
			rstar_status status = accept_token(g, i, err);

			next = s->next;
			if (status != RSTAR_OK)
				return status;
			if (s->finish != RSTAR_FINISH_NONE || !regroup(g, i, first, &n))
				rstar_kv_node_take(s->node, g->sequences[leader].node, s->n_tokens);
		}
	}
	g->regrouped = g->leaders;
	g->leaders = leaders;
	g->n_requests = n;
	for (uint32_t r = 0; r < n; r++)
		g->requests[r] = (rstar_request){g->sequences[leaders[r]].node, 1, RSTAR_WANT_LOGITS};
	return RSTAR_OK;
}

/* --- jobs ------------------------------------------------------------------------ */

static rstar_status
begin_job(rstar_generation *g, rstar_error *err)
{
	if (g->n_requests == 0)
		return RSTAR_OK;

	rstar_status status = rstar_engine_begin(g->engine, g->requests, g->n_requests, emit, g, err);

	g->running = status == RSTAR_OK;
	return status;
}

rstar_status
rstar_generation_step(rstar_generation *g, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status;

	if (!g->running)
	{
		status = begin_job(g, err);
		if (status != RSTAR_OK || !g->running)
			return status;
	}
	status = rstar_engine_step(g->engine, cancel, err);
	if (status == RSTAR_AGAIN)
		return status;
	g->running = false;
	if (status != RSTAR_OK)
		return status;
	status = accept_tokens(g, err);
	return status == RSTAR_OK ? RSTAR_AGAIN : status;
}

void
rstar_generation_get(const rstar_generation *g, uint32_t i, rstar_sequence *out)
{
	const sequence *s = &g->sequences[i];

	*out = (rstar_sequence){s->node, s->tokens, s->logprobs, s->n_tokens, s->finish};
}

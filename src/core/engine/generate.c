/*
 * generate.c
 *	  Continuing many sequences at once, token by token.
 *
 * The first job asks for the logits at the end of each distinct parent, and
 * every sequence draws its first token from its parent's. Each further job
 * holds all live sequences. A finished sequence's last token is on its node but
 * not in the cache: whoever continues it lets the engine compute it then.
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
} sequence;

struct rstar_generation
{
	const rstar_allocator *allocator;
	rstar_engine *engine;
	rstar_generation_options options;
	rstar_sampler *sampler;
	sequence *sequences;
	uint32_t n;
	rstar_request *requests; /* [n] */
	uint32_t *live;          /* [n]: sequence of each request */
	uint32_t n_requests;
	bool started; /* the parents' job is behind us */
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
	g->live = rstar_alloc_array(allocator, n, sizeof(uint32_t));
	if (!g->sequences || !g->requests || !g->live)
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
	rstar_free(g->allocator, g->live);
	rstar_free(g->allocator, g);
}

/* --- a token for each ----------------------------------------------------------- */

static void
draw_token(rstar_generation *g, sequence *s, const rstar_output *output)
{
	double uniform = rstar_random_uniform(&s->spec.stream, output->position);

	s->drawn = rstar_sampler_sample(g->sampler, output->logits, &g->options.sampling, uniform,
									&s->drawn_logprob);
}

/* The parents' job: every sequence of that parent draws. */
static void
emit_parent(void *arg, const rstar_output *output)
{
	rstar_generation *g = arg;
	const rstar_kv_node *parent = g->requests[output->request].node;

	for (uint32_t i = 0; i < g->n; i++)
		if (g->sequences[i].spec.parent == parent)
			draw_token(g, &g->sequences[i], output);
}

static void
emit_live(void *arg, const rstar_output *output)
{
	rstar_generation *g = arg;

	draw_token(g, &g->sequences[g->live[output->request]], output);
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

static rstar_status
accept_tokens(rstar_generation *g, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	for (uint32_t i = 0; i < g->n && status == RSTAR_OK; i++)
		if (g->sequences[i].finish == RSTAR_FINISH_NONE)
			status = accept_token(g, i, err);
	return status;
}

/* --- jobs ------------------------------------------------------------------------ */

static void
request_parents(rstar_generation *g)
{
	for (uint32_t i = 0; i < g->n; i++)
	{
		rstar_kv_node *parent = g->sequences[i].spec.parent;
		uint32_t r = 0;

		while (r < g->n_requests && g->requests[r].node != parent)
			r++;
		if (r == g->n_requests)
			g->requests[g->n_requests++] = (rstar_request){parent, 1, RSTAR_WANT_LOGITS};
	}
}

static void
request_live(rstar_generation *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->sequences[i].finish == RSTAR_FINISH_NONE)
		{
			g->live[g->n_requests] = i;
			g->requests[g->n_requests++] =
				(rstar_request){g->sequences[i].node, 1, RSTAR_WANT_LOGITS};
		}
}

static rstar_status
begin_job(rstar_generation *g, rstar_error *err)
{
	g->n_requests = 0;
	if (!g->started)
		request_parents(g);
	else
		request_live(g);
	if (g->n_requests == 0)
		return RSTAR_OK;

	rstar_status status = rstar_engine_begin(g->engine, g->requests, g->n_requests,
											 g->started ? emit_live : emit_parent, g, err);

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
	g->started = true;
	status = accept_tokens(g, err);
	return status == RSTAR_OK ? RSTAR_AGAIN : status;
}

void
rstar_generation_get(const rstar_generation *g, uint32_t i, rstar_sequence *out)
{
	const sequence *s = &g->sequences[i];

	*out = (rstar_sequence){s->node, s->tokens, s->logprobs, s->n_tokens, s->finish};
}

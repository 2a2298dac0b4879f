/*
 * score.c
 *	  A given solution under the policy and under the PPM, step by step.
 */
#include "core/search/score.h"

#include <math.h>

#include "core/engine/sampler.h"
#include "core/search/internal.h"
#include "core/step/tokens.h"

/* One model's reading of the sequence. */
typedef struct reading
{
	const rstar_search_model *model;
	rstar_sequence_ids sequence;
	rstar_kv_node *node;
} reading;

typedef enum scoring_phase
{
	SCORING_POLICY,
	SCORING_PPM,
	SCORING_DONE
} scoring_phase;

struct rstar_scoring
{
	const rstar_allocator *allocator;
	rstar_search_parts parts;
	double value_scale;
	rstar_step_score *steps;
	size_t n_steps, capacity;
	reading policy, ppm;
	rstar_likelihood likelihood; /* under the PPM, of what was read of it */
	rstar_string solution;
	rstar_buffer prompt;   /* for a PPM on another server … */
	rstar_remote_job *job; /* … which is asked about all steps at once */
	rstar_sampler *sampler;
	scoring_phase phase;
	bool working; /* the phase's job is under way */
};

/* --- the sequence ---------------------------------------------------------------------- */

static rstar_status
cut(rstar_scoring *s, rstar_string solution, rstar_error *err)
{
	bool shown = rstar_prompt_shows_steps(&s->parts.policy.prompt);
	rstar_solution_state state = RSTAR_SOLUTION_START;

	for (size_t at = 0; at < solution.length;)
	{
		const char *text = solution.data + at;
		size_t length = rstar_solution_cut(text, solution.length - at, shown);
		rstar_step_parse parse;

		if (!rstar_grow(s->allocator, (void **) &s->steps, &s->capacity, s->n_steps + 1,
						sizeof *s->steps))
			return rstar_error_memory(err, (s->n_steps + 1) * sizeof *s->steps);
		rstar_step_parse_text(text, length, state, &parse);
		s->steps[s->n_steps++] =
			(rstar_step_score){.text = {text, length}, .kind = parse.kind, .written = length};
		if (parse.kind != RSTAR_STEP_UNPARSABLE)
		{
			state = parse.next;
			s->steps[s->n_steps - 1].written = parse.written;
		}
		at += length;
	}
	return RSTAR_OK;
}

static rstar_status
read_sequence(rstar_scoring *s, const rstar_search_model *model, rstar_string problem,
			  const rstar_cancel *cancel, reading *r, rstar_error *err)
{
	rstar_step_text *texts = rstar_alloc_array(s->allocator, s->n_steps, sizeof *texts);
	uint32_t context = rstar_engine_max_context(model->engine);
	rstar_status status;

	if (!texts)
		return rstar_error_memory(err, s->n_steps * sizeof *texts);
	for (size_t i = 0; i < s->n_steps; i++)
		texts[i] = (rstar_step_text){s->steps[i].text, s->steps[i].written};
	r->model = model;
	status = rstar_sequence_encode(model->tokenizer, &model->prompt, problem, texts, s->n_steps,
								   false, s->allocator, cancel, &r->sequence, err);
	rstar_free(s->allocator, texts);
	if (status == RSTAR_OK && r->sequence.count > context)
	{
		rstar_error_set(err, RSTAR_ERR_LIMIT, "problem and solution do not fit the context");
		status = rstar_error_detail(err, "They take %zu tokens of %u.", r->sequence.count, context);
	}
	if (status == RSTAR_OK)
		status = rstar_kv_node_create(rstar_engine_kv(model->engine), NULL, &r->node, err);
	if (status == RSTAR_OK)
		status = rstar_kv_node_append(r->node, r->sequence.ids, (uint32_t) r->sequence.count, err);
	return status;
}

/* --- life ------------------------------------------------------------------------------ */

rstar_status
rstar_scoring_create(const rstar_search_parts *parts, double value_scale, rstar_string problem,
					 rstar_string solution, const rstar_allocator *allocator,
					 const rstar_cancel *cancel, rstar_scoring **out, rstar_error *err)
{
	rstar_scoring *s = rstar_alloc_zero(allocator, sizeof *s);
	rstar_status status;

	if (!s)
		return rstar_error_memory(err, sizeof *s);
	s->allocator = allocator;
	s->parts = *parts;
	s->value_scale = value_scale;
	s->solution = solution;
	rstar_buffer_init(&s->prompt, allocator);
	status = cut(s, solution, err);
	if (status == RSTAR_OK && parts->ppm.remote &&
		!rstar_prompt_append_plain(&parts->ppm.prompt, problem.data, problem.length, &s->prompt))
		status = rstar_error_memory(err, problem.length);
	if (status == RSTAR_OK)
		status = read_sequence(s, &s->parts.policy, problem, cancel, &s->policy, err);
	if (status == RSTAR_OK && parts->ppm.engine)
		status = read_sequence(s, &s->parts.ppm, problem, cancel, &s->ppm, err);
	if (status == RSTAR_OK)
		status = rstar_sampler_create(rstar_engine_n_vocab(parts->policy.engine),
									  rstar_engine_kernels(parts->policy.engine), allocator,
									  &s->sampler, err);
	if (status != RSTAR_OK)
	{
		rstar_scoring_free(s);
		return status;
	}
	*out = s;
	return RSTAR_OK;
}

static void
free_reading(rstar_scoring *s, reading *r)
{
	rstar_kv_node_release(r->node);
	rstar_sequence_ids_free(&r->sequence, s->allocator);
}

void
rstar_scoring_free(rstar_scoring *s)
{
	if (!s)
		return;
	rstar_remote_job_free(s->job);
	rstar_buffer_free(&s->prompt);
	if (s->working && !s->job)
		rstar_engine_abort(s->phase == SCORING_POLICY ? s->parts.policy.engine
													  : s->parts.ppm.engine);
	free_reading(s, &s->policy);
	free_reading(s, &s->ppm);
	rstar_sampler_free(s->sampler);
	rstar_free(s->allocator, s->steps);
	rstar_free(s->allocator, s);
}

/* --- scores ---------------------------------------------------------------------------- */

/* Of the PPM's value by the likelihood of the solution so far. */
static float
likelihood_weight(const rstar_scoring *s)
{
	return rstar_engine_weights(s->parts.ppm.engine)->value_likelihood;
}

/* The step that holds the token at this index, or n_steps for the prompt. */
static size_t
step_of(const rstar_sequence_ids *sequence, size_t index)
{
	size_t low = 0, high = sequence->n_steps;

	if (index < sequence->ends[0])
		return sequence->n_steps;
	while (high - low > 1)
	{
		size_t middle = low + (high - low) / 2;

		if (index < sequence->ends[middle])
			high = middle;
		else
			low = middle;
	}
	return low;
}

/* The logits behind one token give the probability of the next. */
static void
take_logits(void *arg, const rstar_output *output)
{
	rstar_scoring *s = arg;
	const rstar_sequence_ids *sequence = &s->policy.sequence;
	size_t index = (size_t) output->position + 1;
	size_t i = index < sequence->count ? step_of(sequence, index) : sequence->n_steps;

	if (i == sequence->n_steps || index >= sequence->ends[i] + sequence->written[i])
		return;
	s->steps[i].tokens++;
	s->steps[i].logprob +=
		(double) rstar_sampler_logprob(s->sampler, output->logits, sequence->ids[index]);
}

/* The token behind, if the policy wrote it and it does not begin its step. */
static void
take_likelihood(rstar_scoring *s, const rstar_output *output)
{
	const rstar_engine *engine = s->parts.ppm.engine;
	const rstar_sequence_ids *sequence = &s->ppm.sequence;
	size_t index = (size_t) output->position + 1;
	size_t i = index < sequence->count ? step_of(sequence, index) : sequence->n_steps;

	if (i == sequence->n_steps || index == sequence->ends[i] ||
		index >= sequence->ends[i] + sequence->written[i])
		return;
	s->likelihood.tokens++;
	s->likelihood.sum += (double) (output->logits[sequence->ids[index]] -
								   rstar_engine_kernels(engine)->logsumexp(
									   output->logits, rstar_engine_n_vocab(engine)));
}

/* The value is read at the last token of a step. */
static void
take_value(void *arg, const rstar_output *output)
{
	rstar_scoring *s = arg;
	const rstar_sequence_ids *sequence = &s->ppm.sequence;
	size_t i = step_of(sequence, output->position);
	double value = (double) output->value;

	if (i < sequence->n_steps && output->position + 1 == sequence->ends[i + 1])
	{
		value += (double) likelihood_weight(s) * rstar_likelihood_mean(s->likelihood);
		s->steps[i].scored = true;
		s->steps[i].ppm_score = tanh(value / s->value_scale);
	}
	if (output->logits)
		take_likelihood(s, output);
}

static rstar_status
begin(rstar_scoring *s, rstar_error *err)
{
	bool policy = s->phase == SCORING_POLICY;
	const reading *r = policy ? &s->policy : &s->ppm;
	uint32_t outputs = (uint32_t) (r->sequence.count - r->sequence.ends[0] + 1);
	unsigned want = policy                      ? RSTAR_WANT_LOGITS
					: likelihood_weight(s) != 0 ? RSTAR_WANT_VALUE | RSTAR_WANT_LOGITS
												: RSTAR_WANT_VALUE;
	rstar_request request = {r->node, outputs, want};

	return rstar_engine_begin(r->model->engine, &request, 1, policy ? take_logits : take_value, s,
							  err);
}

/* --- a PPM on another server ------------------------------------------------------------- */

#define WAIT_MS 10

/* The solution up to the end of each step. */
static rstar_status
ask_server(rstar_scoring *s, rstar_error *err)
{
	rstar_string *texts = rstar_alloc_array(s->allocator, s->n_steps, sizeof *texts);
	rstar_status status;
	size_t end = 0;

	if (!texts)
		return rstar_error_memory(err, s->n_steps * sizeof *texts);
	for (size_t i = 0; i < s->n_steps; i++)
		texts[i] = (rstar_string){s->solution.data, end += s->steps[i].text.length};
	status =
		rstar_remote_score(s->parts.ppm.remote, (rstar_string){s->prompt.data, s->prompt.length},
						   texts, (uint32_t) s->n_steps, &s->job, err);
	rstar_free(s->allocator, texts);
	return status;
}

static rstar_status
step_server(rstar_scoring *s, rstar_error *err)
{
	const rstar_remote_model *model = s->parts.ppm.remote;
	rstar_status status = s->job ? RSTAR_OK : ask_server(s, err);

	if (status == RSTAR_OK)
		status = rstar_http_work(rstar_remote_model_http(model), WAIT_MS, -1, err);
	if (status == RSTAR_OK)
		status = rstar_remote_job_poll(s->job, err);
	if (status != RSTAR_OK)
		return status;
	for (size_t i = 0; i < s->n_steps; i++)
	{
		s->steps[i].scored = true;
		s->steps[i].ppm_score = rstar_search_remote_score(
			model, rstar_remote_job_value(s->job, (uint32_t) i), s->value_scale);
	}
	s->phase = SCORING_DONE;
	return RSTAR_OK;
}

rstar_status
rstar_scoring_step(rstar_scoring *s, const rstar_cancel *cancel, rstar_error *err)
{
	const reading *r = s->phase == SCORING_POLICY ? &s->policy : &s->ppm;
	rstar_status status = RSTAR_OK;

	if (s->phase == SCORING_DONE || s->n_steps == 0)
		return RSTAR_OK;
	if (s->phase == SCORING_PPM && s->parts.ppm.remote)
		return step_server(s, err);
	if (!s->working)
		status = begin(s, err);
	if (status != RSTAR_OK)
		return status;
	s->working = true;
	status = rstar_engine_step(r->model->engine, cancel, err);
	if (status == RSTAR_AGAIN)
		return status;
	s->working = false;
	if (status != RSTAR_OK)
		return status;
	s->phase = s->phase == SCORING_POLICY && (s->parts.ppm.engine || s->parts.ppm.remote)
				   ? SCORING_PPM
				   : SCORING_DONE;
	return s->phase == SCORING_DONE ? RSTAR_OK : RSTAR_AGAIN;
}

const rstar_step_score *
rstar_scoring_get(const rstar_scoring *s, size_t *n)
{
	*n = s->n_steps;
	return s->steps;
}

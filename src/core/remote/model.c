/*
 * model.c
 *	  A model on another server: continuing texts, and scoring them.
 */
#include "core/remote/model.h"

#include <math.h>
#include <string.h>
#include <strings.h>

struct rstar_remote_model
{
	rstar_http *http;
	rstar_http_server *server;
	const rstar_allocator *allocator;
	char *name;
	rstar_remote_api api;
	bool one_by_one;  /* the server gives one choice at a time */
	bool no_logprobs; /* … and tells no log-probabilities */
	bool strict;      /* … and refuses what OpenAI does not have */
};

/* One question of a job: `count` choices from `first` on. */
typedef struct question
{
	rstar_http_call *call; /* NULL: its answer was read */
	uint32_t first, count;
	bool logprobs; /* were asked for */
	bool strict;   /* without extensions */
} question;

struct rstar_remote_job
{
	rstar_remote_model *model;
	rstar_remote_request request;
	char *text; /* prompt and beginning */
	question *questions;
	size_t capacity;
	uint32_t n_questions, n_read;
	rstar_remote_choice *choices; /* [n] */
	double *values;               /* [n] of a scoring job */
	uint32_t n;
	bool too_long;
};

/* --- models ------------------------------------------------------------------------------ */

static const char *const api_names[RSTAR_N_REMOTE_APIS] = {"completions", "chat", "pooling",
														   "score"};
static const char *const api_paths[RSTAR_N_REMOTE_APIS] = {"/completions", "/chat/completions",
														   "/pooling", "/score"};

const char *
rstar_remote_api_name(rstar_remote_api api)
{
	return api_names[api];
}

bool
rstar_remote_api_by_name(const char *name, rstar_remote_api *api)
{
	for (int i = 0; i < RSTAR_N_REMOTE_APIS; i++)
		if (strcmp(api_names[i], name) == 0)
		{
			*api = (rstar_remote_api) i;
			return true;
		}
	return false;
}

rstar_status
rstar_remote_model_create(rstar_http *http, rstar_http_server *server, const char *name,
						  rstar_remote_api api, rstar_remote_model **out, rstar_error *err)
{
	const rstar_allocator *allocator = &rstar_allocator_malloc;
	rstar_remote_model *model = rstar_alloc_zero(allocator, sizeof *model);
	char *copy = rstar_strndup(allocator, name, strlen(name));

	if (!model || !copy)
	{
		rstar_free(allocator, model);
		rstar_free(allocator, copy);
		rstar_http_server_free(server);
		return rstar_error_memory(err, sizeof *model);
	}
	*model = (rstar_remote_model){
		.http = http, .server = server, .allocator = allocator, .name = copy, .api = api};
	*out = model;
	return RSTAR_OK;
}

void
rstar_remote_model_free(rstar_remote_model *model)
{
	if (!model)
		return;
	rstar_http_server_free(model->server);
	rstar_free(model->allocator, model->name);
	rstar_free(model->allocator, model);
}

bool
rstar_remote_model_is(const rstar_remote_model *model, const char *name, rstar_remote_api api)
{
	return strcmp(model->name, name) == 0 && model->api == api;
}

rstar_remote_api
rstar_remote_model_api(const rstar_remote_model *model)
{
	return model->api;
}

rstar_http *
rstar_remote_model_http(const rstar_remote_model *model)
{
	return model->http;
}

rstar_http_server *
rstar_remote_model_server(const rstar_remote_model *model)
{
	return model->server;
}

/* --- stop texts ----------------------------------------------------------------------------- */

/* How much of each end tag is left in the text when its tail stops the model. */
static const struct
{
	rstar_tag tag;
	size_t left;
} tails[] = {
	{RSTAR_TAG_END_OF_STEP, sizeof "<end_o" - 1},
	{RSTAR_TAG_END_OF_CODE, sizeof "<end" - 1},
	{RSTAR_TAG_END_OF_ANSWER, sizeof "<end_of" - 1},
};

#define N_TAILS (sizeof tails / sizeof *tails)

static void
set_stops(const rstar_remote_request *request, rstar_protocol_question *q)
{
	for (uint32_t i = 0; i < request->n_stops && i < RSTAR_PROTOCOL_STOPS; i++)
		q->stops[q->n_stops++] = request->stops[i].data;
	if (!request->tags)
		return;
	for (size_t i = 0; i < N_TAILS; i++)
		q->stops[q->n_stops++] = rstar_tag_text(tails[i].tag) + tails[i].left;
	if (request->habits)
		q->stops[q->n_stops++] = "</";
}

static bool
ends_with(rstar_string text, const char *end, size_t length)
{
	return text.length >= length && memcmp(text.data + text.length - length, end, length) == 0;
}

/* The first whole end tag of a text (some servers leave it in); NONE: *end is the text's end. */
static rstar_tag
whole_tag(rstar_string text, size_t *end)
{
	size_t from = 0, at;
	rstar_tag tag;

	while ((tag = rstar_tag_find(text.data, text.length, from, &at)) != RSTAR_TAG_NONE)
	{
		*end = at + rstar_tag_length(tag);
		if (rstar_tag_stops(tag))
			return tag;
		from = *end;
	}
	*end = text.length;
	return RSTAR_TAG_NONE;
}

/* Where the step ends, and with what: *length bytes of the text, then the tag's *tail. */
static rstar_tag
find_end(const rstar_protocol_choice *from, size_t *length, const char **tail)
{
	rstar_tag tag = whole_tag(from->text, length);

	*tail = "";
	for (size_t i = 0; i < N_TAILS && tag == RSTAR_TAG_NONE && from->end == RSTAR_END_STOP; i++)
		if (ends_with(from->text, rstar_tag_text(tails[i].tag), tails[i].left))
		{
			tag = tails[i].tag;
			*tail = rstar_tag_text(tag) + tails[i].left;
		}
	return tag;
}

static rstar_status
take_choice(rstar_remote_job *job, uint32_t i, const rstar_protocol_choice *from, uint32_t tokens,
			rstar_error *err)
{
	rstar_remote_choice *choice = &job->choices[i];
	size_t length = from->text.length;
	const char *tail = "";
	rstar_buffer text;

	choice->tag = job->request.tags ? find_end(from, &length, &tail) : RSTAR_TAG_NONE;
	choice->ended = from->end == RSTAR_END_STOP && choice->tag == RSTAR_TAG_NONE;
	choice->has_logprob = from->has_logprob;
	choice->logprob = from->logprob;
	choice->tokens = from->tokens ? from->tokens : tokens;
	rstar_buffer_init(&text, job->model->allocator);
	if (!rstar_buffer_append(&text, from->text.data, length) ||
		!rstar_buffer_append_text(&text, tail))
	{
		rstar_buffer_free(&text);
		return rstar_error_memory(err, length);
	}
	choice->text = (rstar_string){text.data, text.length};
	return RSTAR_OK;
}

/* --- questions ----------------------------------------------------------------------------------- */

/* A seed of 31 bits: more than some servers take. */
static uint32_t
seed_of(const rstar_remote_request *request, uint32_t choice)
{
	rstar_random_stream stream = request->stream;

	stream.candidate += choice;
	return (uint32_t) (rstar_random_bits(&stream, 0) >> 33);
}

static rstar_status
write_question(const rstar_remote_job *job, const question *asked, rstar_buffer *body,
			   rstar_error *err)
{
	const rstar_remote_request *r = &job->request;
	rstar_protocol_question q = {.model = job->model->name,
								 .chat = job->model->api == RSTAR_REMOTE_CHAT,
								 .prompt = r->prompt,
								 .begun = r->begun,
								 .n = asked->count,
								 .max_tokens = r->max_tokens,
								 .seed = seed_of(r, asked->first),
								 .temperature = r->temperature,
								 .top_p = r->top_p,
								 .min_p = r->min_p,
								 .top_k = r->top_k,
								 .logprobs = asked->logprobs,
								 .strict = asked->strict};

	set_stops(r, &q);
	return rstar_protocol_ask(&q, body, err);
}

static rstar_status
ask(rstar_remote_job *job, question *asked, rstar_error *err)
{
	rstar_remote_model *model = job->model;
	rstar_buffer body;
	rstar_status status;

	rstar_buffer_init(&body, model->allocator);
	asked->logprobs = job->request.logprobs && !model->no_logprobs;
	asked->strict = model->strict;
	status = write_question(job, asked, &body, err);
	if (status != RSTAR_OK)
	{
		rstar_buffer_free(&body);
		return status;
	}
	return rstar_http_ask(model->server, api_paths[model->api], &body, &asked->call, err);
}

/* Ask for the choices [first, first + count), together or each for itself. */
static rstar_status
ask_for(rstar_remote_job *job, uint32_t first, uint32_t count, rstar_error *err)
{
	uint32_t each = job->model->one_by_one ? 1 : count;
	rstar_status status = RSTAR_OK;

	for (uint32_t end = first + count; first < end && status == RSTAR_OK; first += each)
	{
		question *asked;

		if (!rstar_grow(job->model->allocator, (void **) &job->questions, &job->capacity,
						job->n_questions + 1, sizeof *job->questions))
			return rstar_error_memory(err, sizeof *job->questions);
		asked = &job->questions[job->n_questions++];
		*asked = (question){.first = first, .count = each};
		status = ask(job, asked, err);
	}
	return status;
}

/* --- jobs --------------------------------------------------------------------------------------- */

/* The job with room for n choices or values, and the text of both parts. */
static rstar_remote_job *
new_job(rstar_remote_model *model, rstar_string a, rstar_string b, uint32_t n)
{
	const rstar_allocator *allocator = model->allocator;
	rstar_remote_job *job = rstar_alloc_zero(allocator, sizeof *job);

	if (!job)
		return NULL;
	job->model = model;
	job->n = n;
	job->text = rstar_alloc(allocator, a.length + b.length + 1);
	job->choices = rstar_alloc_array_zero(allocator, n, sizeof *job->choices);
	job->values = rstar_alloc_array_zero(allocator, n, sizeof *job->values);
	if (!job->text || !job->choices || !job->values)
	{
		rstar_remote_job_free(job);
		return NULL;
	}
	if (a.length > 0)
		memcpy(job->text, a.data, a.length);
	if (b.length > 0)
		memcpy(job->text + a.length, b.data, b.length);
	return job;
}

void
rstar_remote_job_free(rstar_remote_job *job)
{
	const rstar_allocator *allocator;

	if (!job)
		return;
	allocator = job->model->allocator;
	for (uint32_t i = 0; i < job->n_questions; i++)
		rstar_http_drop(job->questions[i].call);
	for (uint32_t i = 0; job->choices && i < job->n; i++)
		rstar_free(allocator, (void *) job->choices[i].text.data);
	rstar_free(allocator, job->questions);
	rstar_free(allocator, job->choices);
	rstar_free(allocator, job->values);
	rstar_free(allocator, job->text);
	rstar_free(allocator, job);
}

rstar_status
rstar_remote_complete(rstar_remote_model *model, const rstar_remote_request *request,
					  rstar_remote_job **out, rstar_error *err)
{
	rstar_remote_job *job = new_job(model, request->prompt, request->begun, request->n);
	rstar_status status;

	if (!job)
		return rstar_error_memory(err, request->prompt.length + request->begun.length);
	job->request = *request;
	job->request.prompt.data = job->text;
	job->request.begun.data = job->text + request->prompt.length;
	/* The likeliest text is one and the same, and vLLM refuses to give several of it. */
	status = ask_for(job, 0, request->temperature > 0 ? request->n : 1, err);
	if (status != RSTAR_OK)
		rstar_remote_job_free(job);
	else
		*out = job;
	return status;
}

rstar_status
rstar_remote_score(rstar_remote_model *model, rstar_string before, const rstar_string *texts,
				   uint32_t n, rstar_remote_job **out, rstar_error *err)
{
	rstar_protocol_scoring scoring = {.model = model->name,
									  .pairs = model->api == RSTAR_REMOTE_SCORE,
									  .before = before,
									  .texts = texts,
									  .n = n};
	rstar_remote_job *job = new_job(model, (rstar_string){"", 0}, (rstar_string){"", 0}, n);
	rstar_status status = RSTAR_OK;
	rstar_buffer body;

	if (!job || !rstar_grow(model->allocator, (void **) &job->questions, &job->capacity, 1,
							sizeof *job->questions))
	{
		rstar_remote_job_free(job);
		return rstar_error_memory(err, n * sizeof *job->values);
	}
	job->n_questions = 1;
	job->questions[0] = (question){.count = n};
	rstar_buffer_init(&body, model->allocator);
	status = rstar_protocol_ask_scores(&scoring, &body, err);
	if (status == RSTAR_OK)
		status = rstar_http_ask(model->server, api_paths[model->api], &body,
								&job->questions[0].call, err);
	else
		rstar_buffer_free(&body);
	if (status != RSTAR_OK)
		rstar_remote_job_free(job);
	else
		*out = job;
	return status;
}

/* --- answers ---------------------------------------------------------------------------------------- */

/* Tokens of choice i of n, where the server only tells those of all. */
static uint32_t
share_of(uint64_t tokens, uint32_t i, uint32_t n)
{
	return (uint32_t) (tokens / n + (i < tokens % n));
}

static rstar_status
read_choices(rstar_remote_job *job, question *asked, rstar_string body, rstar_error *err)
{
	rstar_remote_model *model = job->model;
	rstar_protocol_answer answer;
	rstar_status status =
		rstar_protocol_read(body, model->api == RSTAR_REMOTE_CHAT, model->allocator, &answer, err);
	uint32_t first = asked->first, count = asked->count, n;

	if (status != RSTAR_OK)
		return status;
	n = answer.n < count ? answer.n : count;
	for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
		status = take_choice(job, first + i, &answer.choices[i],
							 share_of(answer.tokens, i, answer.n), err);
	rstar_protocol_free(&answer);
	if (status == RSTAR_OK && n < count)
	{
		model->one_by_one = true;
		status = ask_for(job, first + n, count - n, err);
	}
	return status;
}

static rstar_status
read_values(rstar_remote_job *job, rstar_string body, rstar_error *err)
{
	return rstar_protocol_read_scores(body, job->model->api == RSTAR_REMOTE_SCORE, job->n,
									  job->values, err);
}

/* --- refusals ---------------------------------------------------------------------------------------- */

static bool
mentions(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

#define MENTIONS(text, words) mentions(text, words, sizeof(words) / sizeof *(words))

/* What the server says of a text that is too long: vLLM, llama-server, llama-cpp-python, OpenAI. */
static bool
is_too_long(long code, const char *complaint)
{
	static const char *const words[] = {"context length",  "context size",   "context window",
										"maximum context", "exceed context", "too many tokens",
										"max_model_len"};

	return code == 413 ||
		   ((code == 400 || code == 422 || code == 500) && MENTIONS(complaint, words));
}

/* Is what the server refuses something that it can be asked without? Then that is remembered. */
static bool
learn(rstar_remote_model *model, const question *asked, long code, const char *complaint)
{
	static const char *const logprobs[] = {"logprob", "logits_all"};
	static const char *const extensions[] = {"skip_special_tokens", "add_generation_prompt",
											 "continue_final_message"};
	static const char *const several[] = {
		"completion choice", "one choice", "n > 1", "'n'", "\"n\"", "n must be"};

	if (code < 400 || code == 401 || code == 403)
		return false;
	if (asked->logprobs && MENTIONS(complaint, logprobs))
		return model->no_logprobs = true;
	if (!asked->strict && MENTIONS(complaint, extensions))
		return model->strict = true;
	if (asked->count > 1 && MENTIONS(complaint, several))
		return model->one_by_one = true;
	return false;
}

/* Ask in the way that the server turned out to want. */
static rstar_status
ask_otherwise(rstar_remote_job *job, question *asked, rstar_error *err)
{
	uint32_t first = asked->first, count = asked->count;
	rstar_status status;

	rstar_http_drop(asked->call);
	asked->call = NULL;
	if (job->model->one_by_one)
		asked->count = 1;
	status = ask(job, asked, err);
	/* May move the questions. */
	return status == RSTAR_OK && asked->count < count ? ask_for(job, first + 1, count - 1, err)
													  : status;
}

static bool
is_redirect(long code)
{
	return code >= 300 && code < 400;
}

static rstar_status
denied(const rstar_remote_job *job, long code, rstar_error *err)
{
	const char *name = rstar_http_server_name(job->model->server);

	if (is_redirect(code))
	{
		rstar_error_set(err, RSTAR_ERR_DENIED, "the model server at %s answers with a redirect",
						name);
		return rstar_error_detail(err, "Redirects are not followed (HTTP status %ld).", code);
	}
	rstar_error_set(err, RSTAR_ERR_DENIED, "the model server at %s rejects the key or requires one",
					name);
	rstar_error_detail(err, "It answered with HTTP status %ld.", code);
	return rstar_error_hint(err, "README, \"A policy on a GPU server\", says where keys are kept.");
}

/* An answer that is none. The server's words go no further than a detail, without the key. */
static rstar_status
refused(rstar_remote_job *job, long code, const char *complaint, rstar_error *err)
{
	const char *name = rstar_http_server_name(job->model->server);
	rstar_status status = code == 404 ? RSTAR_ERR_NOT_FOUND : RSTAR_ERR_SERVER;

	if (code == 401 || code == 403 || is_redirect(code))
		return denied(job, code, err);
	job->too_long = is_too_long(code, complaint);
	if (job->too_long)
		rstar_error_set(err, status = RSTAR_ERR_LIMIT, "the text is too long for the model at %s",
						name);
	else if (code == 404)
		rstar_error_set(err, status, "the model server at %s does not have \"%s\" at that address",
						name, job->model->name);
	else
		rstar_error_set(err, status, "the model server at %s fails", name);
	if (complaint[0])
		return rstar_error_detail(err, "HTTP status %ld; the server says: %s", code, complaint);
	return rstar_error_detail(err, "It answered with HTTP status %ld.", code);
}

/* An answer of another form: whose it is, and (still in the detail) what is wrong with it. */
static rstar_status
unreadable(const rstar_remote_job *job, rstar_error *err)
{
	char detail[RSTAR_DETAIL_SIZE];

	memcpy(detail, err->detail, sizeof detail);
	rstar_error_set(err, RSTAR_ERR_SERVER, "the answer of the model server at %s cannot be read",
					rstar_http_server_name(job->model->server));
	rstar_error_detail(err, "%s", detail);
	return rstar_error_hint(err, "Is that the address of an interface like OpenAI's, with its "
								 "version (\"/v1\")?");
}

/* An answer that is none: the question is asked in another way, or again, or the job fails. */
static rstar_status
read_refusal(rstar_remote_job *job, question *asked, const rstar_http_reply *reply,
			 rstar_error *err)
{
	char complaint[RSTAR_PROTOCOL_COMPLAINT];

	rstar_protocol_complaint(reply->body, complaint);
	rstar_http_redact(job->model->server, complaint);
	if (job->model->api < RSTAR_REMOTE_POOLING && learn(job->model, asked, reply->code, complaint))
		return ask_otherwise(job, asked, err);
	/* Servers whose engine is lost say so until they are started again. */
	if (reply->code == 500 && !is_too_long(reply->code, complaint) &&
		rstar_http_ask_again(asked->call))
		return RSTAR_OK;
	return refused(job, reply->code, complaint, err);
}

/* The answer of one question, which is done: the question is read, or asked in another way. */
static rstar_status
read_answer(rstar_remote_job *job, uint32_t q, rstar_error *err)
{
	question *asked = &job->questions[q];
	bool scores = job->model->api >= RSTAR_REMOTE_POOLING;
	rstar_http_call *call = asked->call;
	rstar_http_reply reply;
	rstar_status status;

	rstar_http_get(call, &reply);
	if (reply.status != RSTAR_OK)
	{
		*err = *reply.error;
		return reply.status;
	}
	if (reply.code != 200)
		return read_refusal(job, asked, &reply, err);
	asked->call = NULL;
	/* May add questions, which moves them. */
	status = scores ? read_values(job, reply.body, err) : read_choices(job, asked, reply.body, err);
	if (status == RSTAR_ERR_CORRUPT)
		status = unreadable(job, err);
	job->n_read++;
	rstar_http_drop(call);
	return status;
}

rstar_status
rstar_remote_job_poll(rstar_remote_job *job, rstar_error *err)
{
	for (uint32_t q = 0; q < job->n_questions; q++)
		if (job->questions[q].call && rstar_http_done(job->questions[q].call))
		{
			rstar_status status = read_answer(job, q, err);

			if (status != RSTAR_OK)
				return status;
		}
	return job->n_read == job->n_questions ? RSTAR_OK : RSTAR_AGAIN;
}

bool
rstar_remote_job_too_long(const rstar_remote_job *job)
{
	return job->too_long;
}

void
rstar_remote_job_choice(const rstar_remote_job *job, uint32_t i, rstar_remote_choice *choice)
{
	if (job->request.temperature > 0 || i == 0)
	{
		*choice = job->choices[i];
		return;
	}
	*choice = job->choices[0];
	choice->tokens = 0;
}

double
rstar_remote_job_value(const rstar_remote_job *job, uint32_t i)
{
	return job->values[i];
}

/*
 * protocol.c
 *	  The JSON that goes to model servers, and what comes back.
 */
#include "core/remote/protocol.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* --- questions ------------------------------------------------------------------------------ */

static int
append_dump(const char *bytes, size_t length, void *out)
{
	return rstar_buffer_append(out, bytes, length) ? 0 : -1;
}

/* Write the object, which ends here; NULL or incomplete: a text was not UTF-8, or no memory. */
static rstar_status
dump(json_t *object, bool complete, rstar_buffer *out, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (!complete)
		status = rstar_error_set(err, RSTAR_ERR_ARGUMENT,
								 "a text for a model server is not valid UTF-8, or too large");
	else if (json_dump_callback(object, append_dump, out, JSON_COMPACT) != 0)
		status = rstar_error_memory(err, out->length);
	json_decref(object);
	return status;
}

/* {}. Not json_object(): PostgreSQL has a function of that name, which would be called. */
static json_t *
new_object(void)
{
	return json_pack("{}");
}

/* As json_object_set_new, which takes the value and refuses NULL. */
static bool
put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static bool
put_text(json_t *object, const char *key, rstar_string text)
{
	return put(object, key, json_stringn(text.data ? text.data : "", text.length));
}

static json_t *
message(const char *role, rstar_string text)
{
	json_t *result = new_object();

	if (put(result, "role", json_string(role)) && put_text(result, "content", text))
		return result;
	json_decref(result);
	return NULL;
}

/*
 * The turns of a conversation. A solution that is begun stands as the assistant's unfinished
 * turn: servers that know the two switches go on with it, others begin a turn of their own.
 */
static bool
put_messages(json_t *object, const rstar_protocol_question *q)
{
	json_t *messages = json_array();
	bool done = json_array_append_new(messages, message("user", q->prompt)) == 0;

	if (q->begun.length > 0)
		done = done && json_array_append_new(messages, message("assistant", q->begun)) == 0 &&
			   (q->strict || (put(object, "add_generation_prompt", json_false()) &&
							  put(object, "continue_final_message", json_true())));
	return put(object, "messages", messages) && done;
}

/* One text: a prompt, and what is there of its continuation. */
static bool
put_joined(json_t *object, const char *key, rstar_string a, rstar_string b, json_t *array)
{
	rstar_buffer joined;
	json_t *text = NULL;

	rstar_buffer_init(&joined, &rstar_allocator_malloc);
	if (rstar_buffer_append(&joined, a.data, a.length) &&
		rstar_buffer_append(&joined, b.data, b.length))
		text = json_stringn(joined.data ? joined.data : "", joined.length);
	rstar_buffer_free(&joined);
	return array ? json_array_append_new(array, text) == 0 : put(object, key, text);
}

static bool
put_stops(json_t *object, const rstar_protocol_question *q)
{
	json_t *stops = json_array();
	bool done = true;

	for (uint32_t i = 0; i < q->n_stops && done; i++)
		done = json_array_append_new(stops, json_string(q->stops[i])) == 0;
	return put(object, "stop", stops) && done;
}

/* Options at their neutral values are left out: strict servers refuse those they do not know. */
static bool
put_sampling(json_t *object, const rstar_protocol_question *q)
{
	return put(object, "temperature", json_real(q->temperature)) &&
		   (q->top_p >= 1 || put(object, "top_p", json_real(q->top_p))) &&
		   (q->min_p <= 0 || put(object, "min_p", json_real(q->min_p))) &&
		   (q->top_k == 0 || put(object, "top_k", json_integer(q->top_k))) &&
		   put(object, "seed", json_integer(q->seed));
}

/*
 * Tags that are tokens of their own are text to us: vLLM leaves such tokens out unless it
 * is told not to.
 */
static bool
put_form(json_t *object, const rstar_protocol_question *q)
{
	if (q->chat)
		return put_messages(object, q) && (!q->logprobs || put(object, "logprobs", json_true()));
	return put_joined(object, "prompt", q->prompt, q->begun, NULL) &&
		   (q->strict || put(object, "skip_special_tokens", json_false())) &&
		   (!q->logprobs || put(object, "logprobs", json_integer(1)));
}

rstar_status
rstar_protocol_ask(const rstar_protocol_question *q, rstar_buffer *out, rstar_error *err)
{
	json_t *object = new_object();
	bool complete = put(object, "model", json_string(q->model)) && put_form(object, q) &&
					(q->n <= 1 || put(object, "n", json_integer(q->n))) &&
					put(object, "max_tokens", json_integer(q->max_tokens)) &&
					put_sampling(object, q) && (q->n_stops == 0 || put_stops(object, q));

	return dump(object, complete, out, err);
}

rstar_status
rstar_protocol_ask_scores(const rstar_protocol_scoring *s, rstar_buffer *out, rstar_error *err)
{
	json_t *object = new_object(), *texts = json_array();
	bool complete = put(object, "model", json_string(s->model));

	for (uint32_t i = 0; i < s->n && complete; i++)
		complete = put_joined(NULL, NULL, s->pairs ? (rstar_string){"", 0} : s->before, s->texts[i],
							  texts);
	if (s->pairs)
		complete = put_text(object, "text_1", s->before) && complete;
	complete = put(object, s->pairs ? "text_2" : "input", texts) && complete;
	return dump(object, complete, out, err);
}

/* --- answers ---------------------------------------------------------------------------------- */

static rstar_status
malformed(rstar_error *err, const char *what)
{
	rstar_error_set(err, RSTAR_ERR_CORRUPT, "a model server's answer cannot be read");
	return rstar_error_detail(err, "%s", what);
}

static json_t *
parse(rstar_string body)
{
	return json_loadb(body.data ? body.data : "", body.length, JSON_ALLOW_NUL, NULL);
}

static rstar_string
string_of(const json_t *value)
{
	return (rstar_string){json_string_value(value), json_string_length(value)};
}

/* Add the log-probability of one token; false: it is none. Some servers say 0 as 1e-7. */
static bool
add_logprob(rstar_protocol_choice *choice, const json_t *value)
{
	double logprob = fmin(json_number_value(value), 0);

	if (!json_is_number(value) || json_number_value(value) > 1e-3 || logprob < -1e6)
		return false;
	choice->logprob += logprob;
	choice->tokens++;
	return true;
}

/*
 * Two forms: {"token_logprobs": [numbers]}, and of chat and of newer llama-servers
 * {"content": [{"logprob"}]}. One that is not complete counts as none.
 */
static void
read_logprobs(const json_t *logprobs, rstar_protocol_choice *choice)
{
	const json_t *numbers = json_object_get(logprobs, "token_logprobs");
	const json_t *tokens = json_object_get(logprobs, "content");
	const json_t *list = json_is_array(numbers) ? numbers : tokens;
	size_t n = json_array_size(list);

	choice->has_logprob = n > 0 && n <= UINT32_MAX;
	for (size_t i = 0; i < n && choice->has_logprob; i++)
	{
		const json_t *item = json_array_get(list, i);

		choice->has_logprob =
			add_logprob(choice, list == numbers ? item : json_object_get(item, "logprob"));
	}
	if (!choice->has_logprob)
		choice->logprob = choice->tokens = 0;
}

static rstar_status
read_choice(const json_t *from, bool chat, rstar_protocol_choice *choice, rstar_error *err)
{
	const json_t *holder = chat ? json_object_get(from, "message") : from;
	const json_t *text = json_object_get(holder, chat ? "content" : "text");
	const char *reason = json_string_value(json_object_get(from, "finish_reason"));

	/* A chat model that ends its turn at once has no content. */
	if (!json_is_string(text) && !(chat && json_is_null(text)))
		return malformed(err, chat ? "A choice lacks the content of its message."
								   : "A choice lacks its text.");
	*choice = (rstar_protocol_choice){.text = string_of(text)};
	if (!choice->text.data)
		choice->text = (rstar_string){"", 0};
	choice->end = reason && strcmp(reason, "stop") == 0 ? RSTAR_END_STOP : RSTAR_END_LENGTH;
	read_logprobs(json_object_get(from, "logprobs"), choice);
	return RSTAR_OK;
}

#define MOST_CHOICES 4096

/* By their "index", where they have one: servers may send them in any order. */
static rstar_status
read_choices(const json_t *list, bool chat, rstar_protocol_answer *answer, rstar_error *err)
{
	size_t n = json_array_size(list);
	rstar_status status = RSTAR_OK;

	if (!json_is_array(list) || n == 0 || n > MOST_CHOICES)
		return malformed(err, "There is no list of choices.");
	answer->choices = rstar_alloc_array_zero(answer->allocator, n, sizeof *answer->choices);
	if (!answer->choices)
		return rstar_error_memory(err, n * sizeof *answer->choices);
	answer->n = (uint32_t) n;
	for (size_t i = 0; i < n && status == RSTAR_OK; i++)
	{
		const json_t *from = json_array_get(list, i);
		const json_t *index = json_object_get(from, "index");
		json_int_t at = json_is_integer(index) ? json_integer_value(index) : (json_int_t) i;

		if (at < 0 || (size_t) at >= n || answer->choices[at].text.data)
			return malformed(err, "The choices are not numbered from 0.");
		status = read_choice(from, chat, &answer->choices[at], err);
	}
	return status;
}

rstar_status
rstar_protocol_read(rstar_string body, bool chat, const rstar_allocator *allocator,
					rstar_protocol_answer *answer, rstar_error *err)
{
	json_t *json = parse(body);
	json_int_t tokens =
		json_integer_value(json_object_get(json_object_get(json, "usage"), "completion_tokens"));
	rstar_status status;

	*answer = (rstar_protocol_answer){.allocator = allocator, .json = json};
	if (!json_is_object(json))
		status = malformed(err, "It is no JSON object.");
	else
		status = read_choices(json_object_get(json, "choices"), chat, answer, err);
	if (tokens > 0 && tokens <= UINT32_MAX)
		answer->tokens = (uint64_t) tokens;
	if (status != RSTAR_OK)
		rstar_protocol_free(answer);
	return status;
}

void
rstar_protocol_free(rstar_protocol_answer *answer)
{
	if (answer->allocator)
		rstar_free(answer->allocator, answer->choices);
	json_decref(answer->json);
	*answer = (rstar_protocol_answer){0};
}

/* --- scores ------------------------------------------------------------------------------------- */

/* A number, the list of one, or of such: of a list of several the last one counts. */
static rstar_status
read_value(const json_t *value, double *score, rstar_error *err)
{
	for (int depth = 0; depth < 2 && json_is_array(value); depth++)
	{
		size_t n = json_array_size(value);

		if (depth == 1 && n > 1)
			return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
								   "the model server gives %zu values for a token, not one", n);
		value = json_array_get(value, n - 1);
	}
	*score = json_number_value(value);
	return json_is_number(value) && isfinite(*score) ? RSTAR_OK
													 : malformed(err, "A score is no number.");
}

static rstar_status
read_scores(const json_t *list, const char *key, uint32_t n, double *scores, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	if (!json_is_array(list) || json_array_size(list) != n)
		return malformed(err, "It does not hold a score for each text.");
	for (uint32_t i = 0; i < n; i++)
		scores[i] = NAN;
	for (uint32_t i = 0; i < n && status == RSTAR_OK; i++)
	{
		const json_t *from = json_array_get(list, i);
		const json_t *index = json_object_get(from, "index");
		json_int_t at = json_is_integer(index) ? json_integer_value(index) : (json_int_t) i;

		if (at < 0 || at >= (json_int_t) n || !isnan(scores[at]))
			return malformed(err, "The scores are not numbered from 0.");
		status = read_value(json_object_get(from, key), &scores[at], err);
	}
	return status;
}

rstar_status
rstar_protocol_read_scores(rstar_string body, bool pairs, uint32_t n, double *scores,
						   rstar_error *err)
{
	json_t *json = parse(body);
	rstar_status status;

	if (!json_is_object(json))
		status = malformed(err, "It is no JSON object.");
	else
		status =
			read_scores(json_object_get(json, "data"), pairs ? "score" : "data", n, scores, err);
	json_decref(json);
	return status;
}

/* --- complaints ------------------------------------------------------------------------------------ */

/* {"error": {"message"}}, {"error": text}, {"message"}, {"detail"}. */
static const json_t *
find_complaint(const json_t *json)
{
	const json_t *error = json_object_get(json, "error");
	const json_t *places[] = {json_object_get(error, "message"), error,
							  json_object_get(json, "message"), json_object_get(json, "detail")};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (json_is_string(places[i]))
			return places[i];
	return NULL;
}

void
rstar_protocol_complaint(rstar_string body, char out[RSTAR_PROTOCOL_COMPLAINT])
{
	json_t *json = parse(body);
	const json_t *found = find_complaint(json);
	rstar_string text = found ? string_of(found) : (rstar_string){"", 0};
	size_t length =
		text.length < RSTAR_PROTOCOL_COMPLAINT ? text.length : RSTAR_PROTOCOL_COMPLAINT - 1;

	/* Not within a character of several bytes. */
	while (length > 0 && length < text.length && (text.data[length] & 0xc0) == 0x80)
		length--;
	for (size_t i = 0; i < length; i++)
		out[i] = (unsigned char) text.data[i] < ' ' || text.data[i] == 0x7f ? ' ' : text.data[i];
	out[length] = '\0';
	json_decref(json);
}

/*
 * protocol.h
 *	  The JSON that goes to model servers, and what comes back.
 *
 * Questions follow OpenAI's interface as vLLM, llama-server and llama-cpp-python serve it:
 *
 *		POST /completions		{"model", "prompt", "n", "max_tokens", "stop", "seed", "logprobs", …}
 *			-> {"choices": [{"text", "finish_reason", "logprobs"}], "usage"}
 *		POST /chat/completions	{"model", "messages", …}
 *			-> {"choices": [{"message": {"content"}, "finish_reason", "logprobs"}], "usage"}
 *		POST /pooling			{"model", "input": [texts]}			(vLLM, reward models)
 *			-> {"data": [{"index", "data": number or list}]}
 *		POST /score				{"model", "text_1", "text_2": [texts]}	(vLLM, rerankers)
 *			-> {"data": [{"index", "score"}]}
 *
 * Tried against llama-cpp-python 0.3.36; what vLLM has of its own (/pooling, /score,
 * skip_special_tokens) is written down from its documentation.
 *
 * Answers are hostile bytes: what is not of this form is CORRUPT, numbers are finite,
 * texts are UTF-8 (the JSON parser sees to that) and may hold anything else.
 */
#ifndef RSTAR_REMOTE_PROTOCOL_H
#define RSTAR_REMOTE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/base/string.h"

#define RSTAR_PROTOCOL_STOPS 4 /* OpenAI's interface takes no more */

/* --- continuing a text ------------------------------------------------------------------ */

typedef struct rstar_protocol_question
{
	const char *model; /* as the server calls it */
	bool chat;
	rstar_string prompt; /* for chat the user's message */
	rstar_string begun;  /* what the answer begins with already; may be empty */
	uint32_t n;          /* choices */
	uint32_t max_tokens;
	uint32_t seed; /* below 2^31 */
	double temperature, top_p, min_p;
	uint32_t top_k;
	const char *stops[RSTAR_PROTOCOL_STOPS];
	uint32_t n_stops;
	bool logprobs;
	bool strict; /* nothing that OpenAI's own interface does not have */
} rstar_protocol_question;

/* Errors: ARGUMENT (a text is not UTF-8), MEMORY. */
extern rstar_status rstar_protocol_ask(const rstar_protocol_question *question, rstar_buffer *out,
									   rstar_error *err);

typedef enum rstar_protocol_end
{
	RSTAR_END_STOP,  /* at a stop text, or the model ended its text */
	RSTAR_END_LENGTH /* cut off */
} rstar_protocol_end;

typedef struct rstar_protocol_choice
{
	rstar_string text; /* without the stop text; lies in the answer */
	rstar_protocol_end end;
	bool has_logprob;
	double logprob;  /* of all its tokens */
	uint32_t tokens; /* 0: the server does not say of this choice alone */
} rstar_protocol_choice;

/* An answer that was read; it holds its texts. */
typedef struct rstar_protocol_answer
{
	const rstar_allocator *allocator;
	void *json;
	rstar_protocol_choice *choices;
	uint32_t n;
	uint64_t tokens; /* of all choices together; 0: not said */
} rstar_protocol_answer;

/* Errors: CORRUPT, MEMORY. */
extern rstar_status rstar_protocol_read(rstar_string body, bool chat,
										const rstar_allocator *allocator,
										rstar_protocol_answer *answer, rstar_error *err);
extern void rstar_protocol_free(rstar_protocol_answer *answer); /* zeros are allowed */

/* --- scoring texts -------------------------------------------------------------------------- */

/* Of texts with one beginning; the /score form is asked about beginning and rest apart. */
typedef struct rstar_protocol_scoring
{
	const char *model;
	bool pairs; /* /score, else /pooling */
	rstar_string before;
	const rstar_string *texts; /* [n]: what follows `before` in each */
	uint32_t n;
} rstar_protocol_scoring;

extern rstar_status rstar_protocol_ask_scores(const rstar_protocol_scoring *scoring,
											  rstar_buffer *out, rstar_error *err);

/*
 * Read n scores. /pooling: what the model's head gives; of a list (a value for each token) the
 * last. Errors: CORRUPT, UNSUPPORTED (several values for a token).
 */
extern rstar_status rstar_protocol_read_scores(rstar_string body, bool pairs, uint32_t n,
											   double *scores, rstar_error *err);

/* --- complaints ------------------------------------------------------------------------------ */

#define RSTAR_PROTOCOL_COMPLAINT 200

/*
 * What a server says in an answer that is an error: one line of at most 199 bytes,
 * without control characters; "" if it says nothing that can be read.
 */
extern void rstar_protocol_complaint(rstar_string body, char out[RSTAR_PROTOCOL_COMPLAINT]);

#endif

/*
 * model.h
 *	  A model on another server: continuing texts, and scoring them.
 *
 * A job is one piece of work, of one or several questions, that goes on while
 * rstar_http_work is called:
 *
 *		rstar_remote_complete(model, &request, &job, &err);
 *		while ((status = rstar_remote_job_poll(job, &err)) == RSTAR_AGAIN)
 *			rstar_http_work(http, 10, -1, &err);
 *		rstar_remote_job_choice(job, i, &choice);
 *		rstar_remote_job_free(job);		at any time: breaks off what is under way
 *
 * Servers differ in what they can. All choices of a text are asked for in one question;
 * from a server that answers it with fewer, the rest is asked for one by one, and so is
 * everything later. A server that refuses to tell log-probabilities is not asked for
 * them again.
 *
 * Stop texts are the end tags of the step format, and a server leaves out which one it
 * met. So it is asked to stop at a tail of each tag, of a length of its own: what is left
 * of the tag at the end of the text tells which it was.
 */
#ifndef RSTAR_REMOTE_MODEL_H
#define RSTAR_REMOTE_MODEL_H

#include "core/base/random.h"
#include "core/remote/http.h"
#include "core/remote/protocol.h"
#include "core/step/step.h"

typedef enum rstar_remote_api
{
	RSTAR_REMOTE_COMPLETIONS,
	RSTAR_REMOTE_CHAT,
	RSTAR_REMOTE_POOLING, /* scores: raw values */
	RSTAR_REMOTE_SCORE,   /* scores: from 0 to 1 */
	RSTAR_N_REMOTE_APIS
} rstar_remote_api;

/* "completions", "chat", "pooling", "score". */
extern const char *rstar_remote_api_name(rstar_remote_api api);
extern bool rstar_remote_api_by_name(const char *name, rstar_remote_api *api);

typedef struct rstar_remote_model rstar_remote_model;
typedef struct rstar_remote_job rstar_remote_job;

/* The server belongs to the model from then on. Errors: MEMORY; then it is freed too. */
extern rstar_status rstar_remote_model_create(rstar_http *http, rstar_http_server *server,
											  const char *name, rstar_remote_api api,
											  rstar_remote_model **out, rstar_error *err);
extern void rstar_remote_model_free(rstar_remote_model *model); /* jobs end first; or NULL */

/* Is it the server's model of that name, asked in that way? */
extern bool rstar_remote_model_is(const rstar_remote_model *model, const char *name,
								  rstar_remote_api api);

extern rstar_remote_api rstar_remote_model_api(const rstar_remote_model *model);
extern rstar_http *rstar_remote_model_http(const rstar_remote_model *model);
extern rstar_http_server *rstar_remote_model_server(const rstar_remote_model *model);

typedef struct rstar_remote_request
{
	rstar_string prompt;
	rstar_string begun; /* what the continuation begins with already */
	uint32_t n;
	rstar_random_stream stream; /* of the first choice; the others' candidates count up */
	uint32_t max_tokens;
	double temperature, top_p, min_p;
	uint32_t top_k;
	bool logprobs;             /* ask for log-probabilities: some servers are slow at them */
	bool tags;                 /* stop at the end tags of the step format */
	bool habits;               /* … and at "</", with which other closing tags begin */
	const rstar_string *stops; /* else at these (NUL-terminated, they outlive the job) */
	uint32_t n_stops;          /* at most RSTAR_PROTOCOL_STOPS */
} rstar_remote_request;

/* Texts are copied. Errors: ARGUMENT (not UTF-8), MEMORY. */
extern rstar_status rstar_remote_complete(rstar_remote_model *model,
										  const rstar_remote_request *request,
										  rstar_remote_job **out, rstar_error *err);

/* Score n texts, each `before` and what follows. Errors: MEMORY, ARGUMENT. */
extern rstar_status rstar_remote_score(rstar_remote_model *model, rstar_string before,
									   const rstar_string *texts, uint32_t n,
									   rstar_remote_job **out, rstar_error *err);

/*
 * AGAIN: not done yet. OK: done. Errors: LIMIT (the text is too long for the model, or the answer
 * for us), SERVER (away, fails, or cannot be understood), DENIED (key, certificate, a redirect), NOT_FOUND (no such
 * model or path), UNSUPPORTED, MEMORY. The server's own words are in the detail, without the key.
 */
extern rstar_status rstar_remote_job_poll(rstar_remote_job *job, rstar_error *err);

typedef struct rstar_remote_choice
{
	rstar_string text; /* with the end tag; the job's */
	rstar_tag tag;     /* the end tag, or RSTAR_TAG_NONE */
	bool ended;        /* the model ended its text, or went on with "</" */
	bool has_logprob;
	double logprob;
	uint32_t tokens;
} rstar_remote_choice;

/* After LIMIT: the text does not fit the model's context (and not: the answer our limit). */
extern bool rstar_remote_job_too_long(const rstar_remote_job *job);

/*
 * Choice i (below n) of a job that is done. At temperature 0 one choice is asked for, and all are
 * that one; its tokens count once.
 */
extern void rstar_remote_job_choice(const rstar_remote_job *job, uint32_t i,
									rstar_remote_choice *choice);

/* Value i of a scoring job that is done. */
extern double rstar_remote_job_value(const rstar_remote_job *job, uint32_t i);

extern void rstar_remote_job_free(rstar_remote_job *job); /* NULL is allowed */

#endif

/*
 * http_internal.h
 *	  What the files of the client share.
 *
 * http.c		servers, the queue of calls, what is asked again
 * transfer.c	one attempt: a libcurl handle, what it may do, how it failed
 */
#ifndef RSTAR_REMOTE_HTTP_INTERNAL_H
#define RSTAR_REMOTE_HTTP_INTERNAL_H

#include "core/remote/http.h"
#include "core/remote/library.h"

typedef enum rstar_call_phase
{
	CALL_WAITING, /* for a place, or for the end of a pause */
	CALL_RUNNING,
	CALL_DONE
} rstar_call_phase;

struct rstar_http
{
	const rstar_allocator *allocator;
	const rstar_curl *curl;
	CURLM *multi;
	rstar_http_server *servers;
	CURL **idle; /* handles to use again */
	size_t n_idle, idle_capacity;
	uint32_t unanswered;
	uint64_t asked; /* calls so far */
};

struct rstar_http_server
{
	rstar_http *http;
	rstar_http_server *next;
	rstar_address address;
	rstar_http_limits limits;
	char *name; /* scheme, host, port */
	char *key;
	char *ca_file;
	struct curl_slist *headers;
	rstar_http_call *first, *last; /* all its calls, in order */
	uint32_t running;
};

struct rstar_http_call
{
	rstar_http_server *server;
	rstar_http_call *next, *previous;
	uint64_t number;
	rstar_call_phase phase;
	char *url;
	rstar_buffer body;
	CURL *handle; /* while it runs */

	rstar_buffer answer;
	size_t header_bytes;
	long code;
	uint32_t retry_after_ms; /* what the server asks for */
	double first_byte_ms;    /* 0: none yet */
	bool too_large;
	bool forbidden, allowed; /* an address was refused; one was not */
	char reason[CURL_ERROR_SIZE];

	uint32_t failures;
	double failed_ms; /* the first of them */
	double resume_ms; /* end of the pause */
	rstar_status status;
	rstar_error error;
};

/* --- transfer.c ------------------------------------------------------------------------ */

/* Begin an attempt: the call has a handle, which runs. */
extern rstar_status rstar_http_transfer_start(rstar_http_call *call, rstar_error *err);

/* End it, whether it is finished or not. */
extern void rstar_http_transfer_end(rstar_http_call *call);

/* What came of it. *passing: asking again may help. */
extern rstar_status rstar_http_transfer_outcome(const rstar_http_call *call, CURLcode result,
												bool *passing, rstar_error *err);

#endif

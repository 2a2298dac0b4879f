/*
 * http.h
 *	  Asking servers, many questions at a time, without waiting for any.
 *
 * One rstar_http holds all connections of a process; a server hung into it says whom to
 * ask and within which limits; a call is one question (POST) and its answer:
 *
 *		rstar_http_ask(server, "/completions", &body, &call, &err);
 *		while (!rstar_http_done(call))
 *			rstar_http_work(http, 10, -1, &err);	(and a look for interrupts)
 *		rstar_http_get(call, &reply);
 *		rstar_http_drop(call);
 *
 * A server is asked at most in_flight questions at a time; the others wait in order.
 * Connections are kept and used again; over TLS several questions share one (HTTP/2).
 * What fails for a reason that may pass (no connection, a connection that broke, HTTP 408,
 * 425, 429, 502, 503, 504) is asked again, after a pause that doubles from 1/4 s to 10 s
 * or that the server names, until patience_ms have passed since the first failure.
 *
 * Nothing here follows a redirect, uses a proxy, keeps a cookie, unpacks a compressed
 * answer, speaks anything but HTTP, or trusts a certificate that the system does not.
 * Every wait and every length has a bound. The key goes into one header of the requests
 * to its own server and nowhere else; rstar_http_redact takes it out of texts.
 */
#ifndef RSTAR_REMOTE_HTTP_H
#define RSTAR_REMOTE_HTTP_H

#include "core/base/string.h"
#include "core/remote/address.h"

typedef struct rstar_http rstar_http;
typedef struct rstar_http_server rstar_http_server;
typedef struct rstar_http_call rstar_http_call;

typedef struct rstar_http_limits
{
	uint32_t connect_ms;
	uint32_t answer_ms;   /* from the question to the end of the answer */
	uint32_t rest_ms;     /* from the answer's first byte to its last */
	uint32_t patience_ms; /* how long to ask again what fails; 0: not at all */
	uint32_t in_flight;   /* questions at a time, at least 1 */
	size_t answer_bytes;  /* in one answer, headers included */
} rstar_http_limits;

/* Connections of this process; opens libcurl. Errors: UNSUPPORTED (no libcurl), MEMORY. */
extern rstar_status rstar_http_create(const rstar_allocator *allocator, rstar_http **out,
									  rstar_error *err);
extern void rstar_http_free(rstar_http *http); /* its servers are gone before; NULL is allowed */

#define RSTAR_HTTP_LONGEST_KEY 4096 /* bytes */

/* Whether a header can hold the key. Errors: ARGUMENT. */
extern rstar_status rstar_http_check_key(const char *key, rstar_error *err);

/*
 * key: NULL for none; ca_file: certificates to trust instead of the system's, or
 * NULL. All is copied. Errors: ARGUMENT (a key that no header can hold), MEMORY.
 */
extern rstar_status rstar_http_server_create(rstar_http *http, const rstar_address *address,
											 const char *key, const char *ca_file,
											 const rstar_http_limits *limits,
											 rstar_http_server **out, rstar_error *err);

/* Drops its calls. NULL is allowed. */
extern void rstar_http_server_free(rstar_http_server *server);

/* Limits of questions from now on. */
extern void rstar_http_server_limit(rstar_http_server *server, const rstar_http_limits *limits);

/* Is it made for this address, this key and these certificates (NULL: none)? */
extern bool rstar_http_server_has(const rstar_http_server *server, const rstar_address *address,
								  const char *key, const char *ca_file);

/* "https://gpu1:8000", for messages. */
extern const char *rstar_http_server_name(const rstar_http_server *server);

/* Put in the queue; *body is taken over and left empty, also on failure. Errors: MEMORY. */
extern rstar_status rstar_http_ask(rstar_http_server *server, const char *path, rstar_buffer *body,
								   rstar_http_call **out, rstar_error *err);

/*
 * A finished call is put in the queue again, after a pause, as one that found the server
 * overloaded; false: by then the server's patience would be over, and the answer stands.
 */
extern bool rstar_http_ask_again(rstar_http_call *call);

/* Forget a call, finished or not; an answer under way is broken off. NULL is allowed. */
extern void rstar_http_drop(rstar_http_call *call);

extern bool rstar_http_done(const rstar_http_call *call);

/* Of a call that is done. */
typedef struct rstar_http_reply
{
	rstar_status status; /* not OK: there is no answer, and … */
	const rstar_error *error;
	long code; /* of HTTP */
	rstar_string body;
} rstar_http_reply;

extern void rstar_http_get(const rstar_http_call *call, rstar_http_reply *reply);

/*
 * Move everything on; if nothing is done by that, wait up to wait_ms for something to
 * move, or for `fd` (-1: none) to become readable. Errors: MEMORY, INTERNAL; what
 * happens to a call is the call's.
 */
extern rstar_status rstar_http_work(rstar_http *http, int wait_ms, int fd, rstar_error *err);

/* Calls that are not done. */
extern uint32_t rstar_http_unanswered(const rstar_http *http);

/* Put stars for the server's key, or a part of it, wherever it stands in a text. */
extern void rstar_http_redact(const rstar_http_server *server, char *text);

#endif

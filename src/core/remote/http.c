/*
 * http.c
 *	  Servers, the queue of calls, and what is asked again.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/remote/http_internal.h"

#define FIRST_PAUSE_MS   250
#define LONGEST_PAUSE_MS 10000
#define KEPT_CONNECTIONS 64
#define REDACTED_RUN     6

/* --- life -------------------------------------------------------------------------------- */

rstar_status
rstar_http_create(const rstar_allocator *allocator, rstar_http **out, rstar_error *err)
{
	const rstar_curl *curl;
	rstar_status status = rstar_curl_open(&curl, err);
	rstar_http *http;

	if (status != RSTAR_OK)
		return status;
	http = rstar_alloc_zero(allocator, sizeof *http);
	if (!http)
		return rstar_error_memory(err, sizeof *http);
	http->allocator = allocator;
	http->curl = curl;
	http->multi = curl->multi_init();
	if (!http->multi)
	{
		rstar_free(allocator, http);
		return rstar_error_memory(err, sizeof *http);
	}
	(void) curl->multi_set(http->multi, CURLMOPT_MAXCONNECTS, (long) KEPT_CONNECTIONS);
	*out = http;
	return RSTAR_OK;
}

void
rstar_http_free(rstar_http *http)
{
	if (!http)
		return;
	while (http->servers)
		rstar_http_server_free(http->servers);
	while (http->n_idle > 0)
		http->curl->easy_cleanup(http->idle[--http->n_idle]);
	(void) http->curl->multi_cleanup(http->multi);
	rstar_free(http->allocator, http->idle);
	rstar_free(http->allocator, http);
}

/* A header ends at a line break: a key with one would be two headers. */
rstar_status
rstar_http_check_key(const char *key, rstar_error *err)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < length; i++)
		if (key[i] <= ' ' || key[i] > '~')
			length = 0;
	if (length > 0 && length <= RSTAR_HTTP_LONGEST_KEY)
		return RSTAR_OK;
	rstar_error_set(err, RSTAR_ERR_ARGUMENT, "the key of a model server is not valid");
	return rstar_error_detail(err, "A key has between 1 and %d printable ASCII characters.",
							  RSTAR_HTTP_LONGEST_KEY);
}

static bool
add_header(rstar_http_server *server, const char *text)
{
	struct curl_slist *list = server->http->curl->list_append(server->headers, text);

	if (list)
		server->headers = list;
	return list != NULL;
}

static void
forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
}

static bool
add_headers(rstar_http_server *server)
{
	rstar_buffer line;
	bool done;

	/* An empty "Expect" keeps libcurl from asking for leave to send long questions. */
	if (!add_header(server, "Content-Type: application/json") ||
		!add_header(server, "Accept: application/json") ||
		!add_header(server, "User-Agent: rstar") || !add_header(server, "Expect:"))
		return false;
	if (!server->key)
		return true;
	rstar_buffer_init(&line, server->http->allocator);
	done = rstar_buffer_printf(&line, "Authorization: Bearer %s", server->key) &&
		   add_header(server, line.data);
	forget(line.data);
	rstar_buffer_free(&line);
	return done;
}

static rstar_status
fill_server(rstar_http_server *server, const char *key, const char *ca_file, rstar_error *err)
{
	const rstar_allocator *allocator = server->http->allocator;
	rstar_buffer name;

	rstar_buffer_init(&name, allocator);
	if (rstar_address_append_host(&server->address, &name))
		server->name = name.data;
	else
		rstar_buffer_free(&name);
	if (key)
		server->key = rstar_strndup(allocator, key, strlen(key));
	if (ca_file)
		server->ca_file = rstar_strndup(allocator, ca_file, strlen(ca_file));
	if (!server->name || (key && !server->key) || (ca_file && !server->ca_file) ||
		!add_headers(server))
		return rstar_error_memory(err, sizeof *server);
	return RSTAR_OK;
}

rstar_status
rstar_http_server_create(rstar_http *http, const rstar_address *address, const char *key,
						 const char *ca_file, const rstar_http_limits *limits,
						 rstar_http_server **out, rstar_error *err)
{
	rstar_status status = key ? rstar_http_check_key(key, err) : RSTAR_OK;
	rstar_http_server *server;

	if (status != RSTAR_OK)
		return status;
	server = rstar_alloc_zero(http->allocator, sizeof *server);
	if (!server)
		return rstar_error_memory(err, sizeof *server);
	server->http = http;
	server->address = *address;
	server->limits = *limits;
	server->next = http->servers;
	http->servers = server;
	status = fill_server(server, key, ca_file, err);
	if (status != RSTAR_OK)
		rstar_http_server_free(server);
	else
		*out = server;
	return status;
}

void
rstar_http_server_free(rstar_http_server *server)
{
	const rstar_allocator *allocator;
	rstar_http_server **link;

	if (!server)
		return;
	allocator = server->http->allocator;
	while (server->first)
		rstar_http_drop(server->first);
	for (link = &server->http->servers; *link != server;)
		link = &(*link)->next;
	*link = server->next;
	for (struct curl_slist *line = server->headers; line; line = line->next)
		forget(line->data);
	server->http->curl->list_free(server->headers);
	forget(server->key);
	rstar_free(allocator, server->name);
	rstar_free(allocator, server->key);
	rstar_free(allocator, server->ca_file);
	rstar_free(allocator, server);
}

void
rstar_http_server_limit(rstar_http_server *server, const rstar_http_limits *limits)
{
	server->limits = *limits;
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool
rstar_http_server_has(const rstar_http_server *server, const rstar_address *address,
					  const char *key, const char *ca_file)
{
	return rstar_address_same_host(&server->address, address) &&
		   strcmp(server->address.path, address->path) == 0 && same(server->key, key) &&
		   same(server->ca_file, ca_file);
}

const char *
rstar_http_server_name(const rstar_http_server *server)
{
	return server->name;
}

/* --- calls -------------------------------------------------------------------------------- */

static char *
url_of(const rstar_http_server *server, const char *path)
{
	rstar_buffer url;

	rstar_buffer_init(&url, server->http->allocator);
	if (rstar_address_append(&server->address, &url) && rstar_buffer_append_text(&url, path))
		return url.data;
	rstar_buffer_free(&url);
	return NULL;
}

rstar_status
rstar_http_ask(rstar_http_server *server, const char *path, rstar_buffer *body,
			   rstar_http_call **out, rstar_error *err)
{
	rstar_http *http = server->http;
	rstar_http_call *call = rstar_alloc_zero(http->allocator, sizeof *call);
	char *url = url_of(server, path);

	if (!call || !url)
	{
		rstar_free(http->allocator, call);
		rstar_free(http->allocator, url);
		rstar_buffer_free(body);
		return rstar_error_memory(err, sizeof *call);
	}
	call->server = server;
	call->number = http->asked++;
	call->url = url;
	call->body = *body;
	rstar_buffer_init(body, body->allocator);
	rstar_buffer_init(&call->answer, http->allocator);
	call->previous = server->last;
	if (server->last)
		server->last->next = call;
	else
		server->first = call;
	server->last = call;
	http->unanswered++;
	*out = call;
	return RSTAR_OK;
}

void
rstar_http_drop(rstar_http_call *call)
{
	rstar_http_server *server;

	if (!call)
		return;
	server = call->server;
	rstar_http_transfer_end(call);
	if (call->phase != CALL_DONE)
		server->http->unanswered--;
	if (call->previous)
		call->previous->next = call->next;
	else
		server->first = call->next;
	if (call->next)
		call->next->previous = call->previous;
	else
		server->last = call->previous;
	rstar_buffer_free(&call->body);
	rstar_buffer_free(&call->answer);
	rstar_free(server->http->allocator, call->url);
	rstar_free(server->http->allocator, call);
}

bool
rstar_http_done(const rstar_http_call *call)
{
	return call->phase == CALL_DONE;
}

void
rstar_http_get(const rstar_http_call *call, rstar_http_reply *reply)
{
	*reply = (rstar_http_reply){
		.status = call->status,
		.error = call->status == RSTAR_OK ? NULL : &call->error,
		.code = call->code,
		.body = {call->answer.data ? call->answer.data : "", call->answer.length},
	};
}

uint32_t
rstar_http_unanswered(const rstar_http *http)
{
	return http->unanswered;
}

/*
 * A server may repeat the key in part, or a text with it may have been cut: six characters of it in
 * a row are enough. Each place is looked at before anything is replaced, so overlaps are found.
 */
void
rstar_http_redact(const rstar_http_server *server, char *text)
{
	size_t key = server->key ? strlen(server->key) : 0, length = strlen(text);
	size_t run = key < REDACTED_RUN ? key : REDACTED_RUN;
	size_t hidden = 0; /* up to here, from the place at hand on */

	for (size_t at = 0; run > 0 && at < length; at++)
	{
		for (size_t k = 0; at + run <= length && k + run <= key; k++)
			if (memcmp(text + at, server->key + k, run) == 0)
				hidden = at + run;
		if (at < hidden)
			text[at] = '*';
	}
}

/* --- what happens to them ------------------------------------------------------------------- */

static void
finish(rstar_http_call *call, rstar_status status)
{
	call->status = status;
	call->phase = CALL_DONE;
	call->server->http->unanswered--;
}

/*
 * How long to rest before the next attempt: doubling, a quarter of it by chance, so that
 * many sessions do not come back at the same moment; or what the server says.
 */
static double
pause_ms(const rstar_http_call *call)
{
	uint32_t doublings = call->failures < 8 ? call->failures - 1 : 7;
	double pause = (double) FIRST_PAUSE_MS * (double) (1u << doublings);
	uint64_t chance = rstar_random_mix(call->number + 1, (uint64_t) rstar_clock_ns());

	if (pause > LONGEST_PAUSE_MS)
		pause = LONGEST_PAUSE_MS;
	pause *= 0.75 + 0.25 * (double) (chance % 1024) / 1024;
	return pause > call->retry_after_ms ? pause : call->retry_after_ms;
}

/* Ask again after a pause; false: by then patience would be over. */
static bool
rest(rstar_http_call *call)
{
	double now = rstar_clock_ms();

	if (call->failures++ == 0)
		call->failed_ms = now;
	call->resume_ms = now + pause_ms(call);
	if (call->resume_ms > call->failed_ms + call->server->limits.patience_ms)
		return false;
	call->phase = CALL_WAITING;
	return true;
}

static void
take_outcome(rstar_http_call *call, CURLcode result)
{
	const rstar_curl *curl = call->server->http->curl;
	rstar_status status;
	bool passing;

	(void) curl->easy_get(call->handle, CURLINFO_RESPONSE_CODE, &call->code);
	status = rstar_http_transfer_outcome(call, result, &passing, &call->error);
	rstar_http_transfer_end(call);
	if (!passing || !rest(call))
		finish(call, status);
}

bool
rstar_http_ask_again(rstar_http_call *call)
{
	if (!rest(call))
		return false;
	call->server->http->unanswered++;
	return true;
}

/* Start what may start; *next_ms becomes the time of the next that will. */
static rstar_status
start_calls(rstar_http *http, double *next_ms, rstar_error *err)
{
	double now = rstar_clock_ms();

	for (rstar_http_server *server = http->servers; server; server = server->next)
		for (rstar_http_call *call = server->first;
			 call && server->running < server->limits.in_flight; call = call->next)
		{
			rstar_status status = RSTAR_OK;

			if (call->phase != CALL_WAITING)
				continue;
			if (call->resume_ms <= now)
				status = rstar_http_transfer_start(call, err);
			else if (call->resume_ms < *next_ms)
				*next_ms = call->resume_ms;
			if (status != RSTAR_OK)
				return status;
		}
	return RSTAR_OK;
}

/* Answers that began and do not end. */
static void
end_slow_calls(rstar_http *http)
{
	double now = rstar_clock_ms();

	for (rstar_http_server *server = http->servers; server; server = server->next)
		for (rstar_http_call *call = server->first; call; call = call->next)
			if (call->phase == CALL_RUNNING && call->first_byte_ms > 0 &&
				now - call->first_byte_ms > server->limits.rest_ms)
				take_outcome(call, CURLE_OPERATION_TIMEDOUT);
}

/* Let libcurl do what it can without waiting; the number of calls that are done by it. */
static rstar_status
perform(rstar_http *http, uint32_t *done, rstar_error *err)
{
	uint32_t before = http->unanswered;
	CURLMcode result;
	CURLMsg *message;
	int left;

	result = http->curl->multi_perform(http->multi, &left);
	while ((message = http->curl->multi_read(http->multi, &left)) != NULL)
	{
		CURLcode outcome = message->data.result;
		rstar_http_call *call = NULL;

		(void) http->curl->easy_get(message->easy_handle, CURLINFO_PRIVATE, &call);
		if (message->msg == CURLMSG_DONE && call)
			take_outcome(call, outcome);
	}
	end_slow_calls(http);
	*done = before - http->unanswered;
	if (result == CURLM_OK)
		return RSTAR_OK;
	return rstar_error_set(err, RSTAR_ERR_INTERNAL, "libcurl failed: %s",
						   http->curl->multi_text(result));
}

static rstar_status
work(rstar_http *http, int wait_ms, int fd, rstar_error *err)
{
	struct curl_waitfd other = {.fd = fd, .events = CURL_WAIT_POLLIN};
	double next_ms = rstar_clock_ms() + wait_ms;
	rstar_status status = start_calls(http, &next_ms, err);
	uint32_t done = 0;

	if (status == RSTAR_OK)
		status = perform(http, &done, err);
	if (status != RSTAR_OK || done > 0 || wait_ms <= 0)
		return status;
	wait_ms = (int) (next_ms - rstar_clock_ms());
	if (wait_ms > 0)
		(void) http->curl->multi_poll(http->multi, fd >= 0 ? &other : NULL, fd >= 0, wait_ms, NULL);
	return perform(http, &done, err);
}

rstar_status
rstar_http_work(rstar_http *http, int wait_ms, int fd, rstar_error *err)
{
	sigset_t all, before;
	rstar_status status;

	/* Threads inherit the mask: see library.h. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = work(http, wait_ms, fd, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

/*
 * transfer.c
 *	  One attempt at a question: a libcurl handle, what it may do, how it failed.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/remote/http_internal.h"

/* --- what libcurl calls ------------------------------------------------------------------ */

/* Count bytes of an answer; false: more than it may have. */
static bool
has_room(rstar_http_call *call, size_t more)
{
	if (call->first_byte_ms == 0)
		call->first_byte_ms = rstar_clock_ms();
	call->too_large =
		more > call->server->limits.answer_bytes ||
		call->header_bytes + call->answer.length > call->server->limits.answer_bytes - more;
	return !call->too_large;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *arg)
{
	rstar_http_call *call = arg;

	if (!has_room(call, size * count) || !rstar_buffer_append(&call->answer, bytes, size * count))
		return 0; /* ends the transfer */
	return size * count;
}

#define LONGEST_PAUSE_S 60

/* "Retry-After: 7"; the other form, a date, counts as none. */
static void
take_retry_after(rstar_http_call *call, const char *value, size_t length)
{
	uint32_t seconds = 0;

	while (length > 0 && (*value == ' ' || *value == '\t'))
		value++, length--;
	for (; length > 0 && *value >= '0' && *value <= '9'; value++, length--)
	{
		seconds = 10 * seconds + (uint32_t) (*value - '0');
		if (seconds > LONGEST_PAUSE_S)
			seconds = LONGEST_PAUSE_S;
	}
	call->retry_after_ms = 1000 * seconds;
}

static size_t
take_header(char *line, size_t size, size_t count, void *arg)
{
	static const char name[] = "retry-after:";
	rstar_http_call *call = arg;
	size_t length = size * count;

	if (!has_room(call, length))
		return 0;
	call->header_bytes += length;
	if (length >= sizeof name && strncasecmp(line, name, sizeof name - 1) == 0)
		take_retry_after(call, line + sizeof name - 1, length - (sizeof name - 1));
	return length;
}

/* The IP address's bytes, 0 of them for another kind. */
static size_t
ip_of(const struct curl_sockaddr *address, uint8_t ip[16])
{
	if (address->family == AF_INET)
	{
		memcpy(ip, &((const struct sockaddr_in *) &address->addr)->sin_addr, 4);
		return 4;
	}
	if (address->family == AF_INET6)
	{
		memcpy(ip, &((const struct sockaddr_in6 *) &address->addr)->sin6_addr, 16);
		return 16;
	}
	return 0;
}

/* The last look at where the connection goes, after all names were resolved. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	rstar_http_call *call = arg;
	uint8_t ip[16];
	size_t length = ip_of(address, ip);

	if (purpose != CURLSOCKTYPE_IPCXN || length == 0 ||
		!rstar_address_may_resolve(&call->server->address, ip, length))
	{
		call->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	call->allowed = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- set-up ------------------------------------------------------------------------------- */

static bool
set_protocols(const rstar_curl *curl, CURL *handle, bool secure)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl->easy_set(handle, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http") == CURLE_OK;
#else
	return curl->easy_set(handle, CURLOPT_PROTOCOLS,
						  secure ? (long) CURLPROTO_HTTPS : (long) CURLPROTO_HTTP) == CURLE_OK;
#endif
}

/* An option that must be understood; `ok` is false once one is not. */
#define SET(option, value) ok = ok && curl->easy_set(handle, option, value) == CURLE_OK

/* Where it may go, and nowhere else. */
static bool
confine(const rstar_curl *curl, CURL *handle, rstar_http_call *call)
{
	bool ok = set_protocols(curl, handle, call->server->address.secure);

	SET(CURLOPT_PROXY, ""); /* not that of the environment either */
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, call);
	if (call->server->address.secure)
	{
		SET(CURLOPT_SSL_VERIFYPEER, 1L);
		SET(CURLOPT_SSL_VERIFYHOST, 2L);
		SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
		if (call->server->ca_file)
		{
			SET(CURLOPT_CAINFO, call->server->ca_file);
			/* The system's directory would be trusted besides; a build without one refuses this. */
			(void) curl->easy_set(handle, CURLOPT_CAPATH, NULL);
		}
	}
	return ok;
}

static bool
set_up(const rstar_curl *curl, CURL *handle, rstar_http_call *call)
{
	const rstar_http_limits *limits = &call->server->limits;
	bool ok = confine(curl, handle, call);

	SET(CURLOPT_URL, call->url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_NOSIGNAL, 1L); /* signals belong to the server process */
	SET(CURLOPT_HTTPHEADER, call->server->headers);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) call->body.length);
	SET(CURLOPT_POSTFIELDS, call->body.data ? call->body.data : "");
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) limits->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long) limits->answer_ms);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_ERRORBUFFER, call->reason);
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);

	/* What only makes it better may be unknown to the library. */
	(void) curl->easy_set(handle, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
	(void) curl->easy_set(handle, CURLOPT_PIPEWAIT, call->server->address.secure ? 1L : 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Do not wait for the thread that looks up a name when the call is dropped. */
	(void) curl->easy_set(handle, CURLOPT_QUICK_EXIT, 1L);
#endif
	return ok;
}

#undef SET

/* --- begin and end --------------------------------------------------------------------- */

rstar_status
rstar_http_transfer_start(rstar_http_call *call, rstar_error *err)
{
	rstar_http *http = call->server->http;
	CURL *handle = http->n_idle > 0 ? http->idle[--http->n_idle] : http->curl->easy_init();

	if (!handle)
		return rstar_error_memory(err, sizeof handle);
	rstar_buffer_clear(&call->answer);
	call->header_bytes = 0;
	call->code = 0;
	call->retry_after_ms = 0;
	call->first_byte_ms = 0;
	call->too_large = call->forbidden = call->allowed = false;
	call->reason[0] = '\0';
	if (!set_up(http->curl, handle, call) || http->curl->multi_add(http->multi, handle) != CURLM_OK)
	{
		http->curl->easy_cleanup(handle);
		return rstar_error_set(err, RSTAR_ERR_INTERNAL, "libcurl refuses a request");
	}
	call->handle = handle;
	call->phase = CALL_RUNNING;
	call->server->running++;
	return RSTAR_OK;
}

void
rstar_http_transfer_end(rstar_http_call *call)
{
	rstar_http *http = call->server->http;
	CURL *handle = call->handle;

	if (!handle)
		return;
	call->handle = NULL;
	call->server->running--;
	(void) http->curl->multi_remove(http->multi, handle);
	http->curl->easy_reset(handle);
	if (rstar_grow(http->allocator, (void **) &http->idle, &http->idle_capacity, http->n_idle + 1,
				   sizeof *http->idle))
		http->idle[http->n_idle++] = handle;
	else
		http->curl->easy_cleanup(handle);
}

/* --- outcomes --------------------------------------------------------------------------- */

static rstar_status
not_trusted(const rstar_http_call *call, rstar_error *err)
{
	rstar_error_set(err, RSTAR_ERR_DENIED, "the certificate of the model server at %s is not valid",
					call->server->name);
	rstar_error_detail(err, "%s.", call->reason[0] ? call->reason : "It could not be verified");
	return rstar_error_hint(err, "The setting \"rstar.remote_ca_file\" names certificates of "
								 "authorities to trust.");
}

static rstar_status
not_allowed(const rstar_http_call *call, rstar_error *err)
{
	rstar_error_set(err, RSTAR_ERR_DENIED, "the model server at %s may not be asked",
					call->server->name);
	return rstar_error_detail(err, "Its name stands for this machine, or for an address that no "
								   "server has.");
}

static rstar_status
too_slow(const rstar_http_call *call, rstar_error *err)
{
	const rstar_http_limits *limits = &call->server->limits;
	double now = rstar_clock_ms();

	rstar_error_set(err, RSTAR_ERR_SERVER, "the model server at %s takes too long",
					call->server->name);
	if (call->first_byte_ms > 0 && now - call->first_byte_ms >= limits->rest_ms)
		return rstar_error_detail(err, "Its answer is not complete %u ms after it began.",
								  limits->rest_ms);
	rstar_error_detail(err, "There is no complete answer after %u ms.", limits->answer_ms);
	return rstar_error_hint(err, "A slow server wants fewer questions at a time "
								 "(rstar.remote_in_flight) or more time (rstar.remote_timeout).");
}

static rstar_status
unreachable(const rstar_http_call *call, CURLcode result, rstar_error *err)
{
	const char *reason =
		call->reason[0] ? call->reason : call->server->http->curl->easy_text(result);

	rstar_error_set(err, RSTAR_ERR_SERVER, "could not ask the model server at %s",
					call->server->name);
	return rstar_error_detail(err, "%s.", reason);
}

/* Was the connection there when time ran out? */
static bool
connected(const rstar_http_call *call)
{
	curl_off_t us = 0;

	(void) call->server->http->curl->easy_get(call->handle, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

rstar_status
rstar_http_transfer_outcome(const rstar_http_call *call, CURLcode result, bool *passing,
							rstar_error *err)
{
	long code = call->code;

	*passing = false;
	if (call->too_large)
		return rstar_error_set(err, RSTAR_ERR_LIMIT,
							   "the answer of the model server at %s has more than %zu bytes",
							   call->server->name, call->server->limits.answer_bytes);
	switch ((int) result)
	{
		case CURLE_OK:
			*passing = code == 408 || code == 425 || code == 429 || (code >= 502 && code <= 504);
			return RSTAR_OK;
		case CURLE_OUT_OF_MEMORY:
		case CURLE_WRITE_ERROR:
			return rstar_error_memory(err, call->answer.length);
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_INVALIDCERTSTATUS:
			return not_trusted(call, err);
		case CURLE_OPERATION_TIMEDOUT:
			*passing = !connected(call);
			return *passing ? unreachable(call, result, err) : too_slow(call, err);
		case CURLE_COULDNT_CONNECT:
			if (call->forbidden && !call->allowed)
				return not_allowed(call, err);
			break;
		case CURLE_UNSUPPORTED_PROTOCOL:
		case CURLE_WEIRD_SERVER_REPLY:
			return unreachable(call, result, err);
		default:
			break;
	}
	*passing = true;
	return unreachable(call, result, err);
}

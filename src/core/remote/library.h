/*
 * library.h
 *	  libcurl, opened at run time.
 *
 * A session that asks no server should not carry the library, its TLS and what they load
 * at start, and the postmaster must never have them: so it is opened when the first
 * server is asked, and stays. Opening starts no thread. libcurl starts one for each name
 * that it looks up; whoever calls it blocks all signals around the call, so that these
 * threads take none (rstar_http_work does).
 */
#ifndef RSTAR_REMOTE_LIBRARY_H
#define RSTAR_REMOTE_LIBRARY_H

#include <curl/curl.h>

#include "core/base/status.h"

/* The functions that are used, named as in curl.h without "curl_". */
typedef struct rstar_curl
{
	CURLcode (*global_init)(long);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	void (*easy_reset)(CURL *);
	CURLcode (*easy_set)(CURL *, CURLoption, ...);
	CURLcode (*easy_get)(CURL *, CURLINFO, ...);
	const char *(*easy_text)(CURLcode);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *);
	CURLMcode (*multi_set)(CURLM *, CURLMoption, ...);
	CURLMcode (*multi_add)(CURLM *, CURL *);
	CURLMcode (*multi_remove)(CURLM *, CURL *);
	CURLMcode (*multi_perform)(CURLM *, int *);
	CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned int, int, int *);
	CURLMsg *(*multi_read)(CURLM *, int *);
	const char *(*multi_text)(CURLMcode);
	struct curl_slist *(*list_append)(struct curl_slist *, const char *);
	void (*list_free)(struct curl_slist *);
} rstar_curl;

/* The library, opened and made ready once per process. Errors: UNSUPPORTED. */
extern rstar_status rstar_curl_open(const rstar_curl **out, rstar_error *err);

#endif

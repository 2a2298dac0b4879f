/*
 * library.c
 *	  libcurl, opened at run time.
 */
#include "core/remote/library.h"

#include <dlfcn.h>
#include <stddef.h>

static const struct
{
	const char *name;
	size_t offset; /* in rstar_curl */
} functions[] = {
	{"curl_global_init", offsetof(rstar_curl, global_init)},
	{"curl_easy_init", offsetof(rstar_curl, easy_init)},
	{"curl_easy_cleanup", offsetof(rstar_curl, easy_cleanup)},
	{"curl_easy_reset", offsetof(rstar_curl, easy_reset)},
	{"curl_easy_setopt", offsetof(rstar_curl, easy_set)},
	{"curl_easy_getinfo", offsetof(rstar_curl, easy_get)},
	{"curl_easy_strerror", offsetof(rstar_curl, easy_text)},
	{"curl_multi_init", offsetof(rstar_curl, multi_init)},
	{"curl_multi_cleanup", offsetof(rstar_curl, multi_cleanup)},
	{"curl_multi_setopt", offsetof(rstar_curl, multi_set)},
	{"curl_multi_add_handle", offsetof(rstar_curl, multi_add)},
	{"curl_multi_remove_handle", offsetof(rstar_curl, multi_remove)},
	{"curl_multi_perform", offsetof(rstar_curl, multi_perform)},
	{"curl_multi_poll", offsetof(rstar_curl, multi_poll)},
	{"curl_multi_info_read", offsetof(rstar_curl, multi_read)},
	{"curl_multi_strerror", offsetof(rstar_curl, multi_text)},
	{"curl_slist_append", offsetof(rstar_curl, list_append)},
	{"curl_slist_free_all", offsetof(rstar_curl, list_free)},
};

/* curl_multi_poll came with 7.66: an older library lacks it and is not used. */
static bool
find_functions(void *library, rstar_curl *curl)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
	{
		void *found = dlsym(library, functions[i].name);

		if (!found)
			return false;
		*(void **) ((char *) curl + functions[i].offset) = found;
	}
	return true;
}

rstar_status
rstar_curl_open(const rstar_curl **out, rstar_error *err)
{
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
	static rstar_curl curl;
	static bool ready;

	for (size_t i = 0; i < sizeof names / sizeof *names && !ready; i++)
	{
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

		ready = library && find_functions(library, &curl) &&
				curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
		if (library && !ready)
			dlclose(library);
	}
	*out = &curl;
	if (ready)
		return RSTAR_OK;
	rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "models on other servers need libcurl");
	return rstar_error_hint(err, "Install the library (package libcurl4) and try again.");
}

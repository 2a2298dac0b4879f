/*
 * address.h
 *	  Where a model server is, and whether it may be asked.
 *
 *		address := scheme "://" host [":" port] path
 *		scheme	:= "https" | "http"
 *		host	:= name | IPv4 in four decimal numbers | "[" IPv6 "]"
 *		path	:= nothing, or "/" and letters, digits, "-", "_", ".", "~", "/"
 *
 * Nothing else is an address: no user before the host, no query, no fragment, no
 * escapes, no other spelling of a number, no zone of an IPv6 address. What is sent to is
 * written anew from these parts (rstar_address_append), so a second parser has nothing
 * left to read differently.
 *
 * Only hosts of a list are asked. The list holds addresses without paths, separated by
 * commas or white space; one without a scheme means https. Scheme, host and port must
 * all be equal: "gpu1" allows https://gpu1:443 and nothing else.
 */
#ifndef RSTAR_REMOTE_ADDRESS_H
#define RSTAR_REMOTE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"

#define RSTAR_ADDRESS_HOST 254 /* bytes of a host with its NUL */
#define RSTAR_ADDRESS_PATH 256

typedef enum rstar_host_kind
{
	RSTAR_HOST_NAME,
	RSTAR_HOST_IPV4,
	RSTAR_HOST_IPV6
} rstar_host_kind;

typedef struct rstar_address
{
	bool secure; /* https */
	rstar_host_kind kind;
	char host[RSTAR_ADDRESS_HOST]; /* lower case; IPv6 in its shortest form, no brackets */
	uint16_t port;
	char path[RSTAR_ADDRESS_PATH]; /* "" or "/v1": no slash at the end */
} rstar_address;

/* Errors: ARGUMENT, without the text itself, which may hold a password. */
extern rstar_status rstar_address_parse(const char *text, size_t length, rstar_address *address,
										rstar_error *err);

/* Append the address as text; false: no memory. */
extern bool rstar_address_append(const rstar_address *address, rstar_buffer *out);

/* Append scheme, host and port, the port only if it is not the scheme's own. */
extern bool rstar_address_append_host(const rstar_address *address, rstar_buffer *out);

extern bool rstar_address_same_host(const rstar_address *a, const rstar_address *b);

/* Whether every entry of a list is one. Errors: ARGUMENT. */
extern rstar_status rstar_address_check_list(const char *list, rstar_error *err);

/* Whether the list has the address's scheme, host and port. */
extern bool rstar_address_listed(const rstar_address *address, const char *list);

/*
 * Whether a name may stand for this IP address (4 or 16 bytes). A name is allowed because
 * of what it means; so it may not turn out to be this machine ("localhost" aside), a link
 * (where clouds keep credentials), or nowhere. An address given as a number may be any.
 */
extern bool rstar_address_may_resolve(const rstar_address *address, const uint8_t *ip,
									  size_t length);

#endif

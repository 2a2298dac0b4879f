/*
 * address.c
 *	  Where a model server is, and whether it may be asked.
 */
#include "core/remote/address.h"

#include <arpa/inet.h>
#include <string.h>

static rstar_status
invalid(rstar_error *err, const char *why)
{
	rstar_error_set(err, RSTAR_ERR_ARGUMENT, "invalid address of a model server");
	rstar_error_detail(err, "%s", why);
	return rstar_error_hint(err, "An address looks like https://gpu1:8000/v1.");
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alphanumeric(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- hosts ---------------------------------------------------------------------------- */

/* Copy in lower case; false: too long, or a character that no name has. */
static bool
copy_name(const char *text, size_t length, char *host)
{
	if (length == 0 || length >= RSTAR_ADDRESS_HOST)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		char c = text[i];
		bool dot = c == '.' && i > 0 && i + 1 < length && text[i - 1] != '.';

		if (!is_alphanumeric(c) && c != '-' && c != '_' && !dot)
			return false;
		host[i] = c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
	}
	host[length] = '\0';
	return true;
}

/* Resolvers take names whose last part is a number for IPv4, in octal and hexadecimal too. */
static bool
ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;

	return last[strspn(last, "0123456789")] == '\0' || strncmp(last, "0x", 2) == 0;
}

static bool
parse_name(const char *text, size_t length, rstar_address *a)
{
	uint8_t ip[4];

	if (!copy_name(text, length, a->host))
		return false;
	a->kind = RSTAR_HOST_NAME;
	if (!ends_in_number(a->host))
		return true;
	a->kind = RSTAR_HOST_IPV4;
	return inet_pton(AF_INET, a->host, ip) == 1;
}

/* Without its brackets. An IPv4 address in IPv6's clothes is the IPv4 address. */
static bool
parse_ipv6(const char *text, size_t length, rstar_address *a)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char copy[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strlen(copy) != length || inet_pton(AF_INET6, copy, ip) != 1)
		return false;
	a->kind = RSTAR_HOST_IPV6;
	if (memcmp(ip, mapped, sizeof mapped) != 0)
		return inet_ntop(AF_INET6, ip, a->host, sizeof a->host) != NULL;
	a->kind = RSTAR_HOST_IPV4;
	return inet_ntop(AF_INET, ip + sizeof mapped, a->host, sizeof a->host) != NULL;
}

/* --- addresses ------------------------------------------------------------------------ */

static bool
parse_port(const char *text, size_t length, uint16_t *port)
{
	uint32_t value = 0;

	if (length == 0 || length > 5)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (!is_digit(text[i]))
			return false;
		value = 10 * value + (uint32_t) (text[i] - '0');
	}
	*port = (uint16_t) value;
	return value > 0 && value <= UINT16_MAX;
}

/* From the first slash on; slashes at the end are left out. */
static bool
parse_path(const char *text, size_t length, char *path)
{
	while (length > 0 && text[length - 1] == '/')
		length--;
	if (length >= RSTAR_ADDRESS_PATH)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		char before = i > 0 ? text[i - 1] : '\0';

		if (!is_alphanumeric(text[i]) && !strchr("-_.~/", text[i]))
			return false;
		if (text[i] == before && (before == '.' || before == '/'))
			return false;
	}
	memcpy(path, text, length);
	path[length] = '\0';
	return strlen(path) == length;
}

static bool
take(const char **text, size_t *length, const char *prefix)
{
	size_t n = strlen(prefix);

	if (*length < n || memcmp(*text, prefix, n) != 0)
		return false;
	*text += n;
	*length -= n;
	return true;
}

rstar_status
rstar_address_parse(const char *text, size_t length, rstar_address *a, rstar_error *err)
{
	size_t authority, host;
	const char *colon;

	*a = (rstar_address){.secure = take(&text, &length, "https://")};
	if (!a->secure && !take(&text, &length, "http://"))
		return invalid(err, "It does not begin with https:// or http://.");
	a->port = a->secure ? 443 : 80;
	for (authority = 0; authority < length && text[authority] != '/'; authority++)
		if (text[authority] == '@')
			return invalid(err, "A user or password must not stand in it.");
	if (!parse_path(text + authority, length - authority, a->path))
		return invalid(err, "Its path is too long or holds characters other than letters, digits, "
							"\"-\", \"_\", \".\" and \"~\".");
	colon = memrchr(text, ':', authority);
	if (authority > 0 && text[0] == '[')
	{
		const char *end = memchr(text, ']', authority);

		host = end ? (size_t) (end - text) + 1 : 0;
		if (host == 0 || !parse_ipv6(text + 1, host - 2, a) ||
			(host < authority && text[host] != ':'))
			return invalid(err, "Between the brackets stands no IPv6 address.");
		colon = host < authority ? text + host : NULL;
	}
	else
	{
		host = colon ? (size_t) (colon - text) : authority;
		if (!parse_name(text, host, a))
			return invalid(err, "Its host is neither a name nor an IP address.");
	}
	if (colon && !parse_port(colon + 1, authority - host - 1, &a->port))
		return invalid(err, "Its port is no number from 1 to 65535.");
	return RSTAR_OK;
}

bool
rstar_address_append_host(const rstar_address *a, rstar_buffer *out)
{
	bool v6 = a->kind == RSTAR_HOST_IPV6;
	bool usual = a->port == (a->secure ? 443 : 80);

	return rstar_buffer_printf(out, "%s://%s%s%s", a->secure ? "https" : "http", v6 ? "[" : "",
							   a->host, v6 ? "]" : "") &&
		   (usual || rstar_buffer_printf(out, ":%u", a->port));
}

bool
rstar_address_append(const rstar_address *a, rstar_buffer *out)
{
	return rstar_address_append_host(a, out) && rstar_buffer_append_text(out, a->path);
}

bool
rstar_address_same_host(const rstar_address *a, const rstar_address *b)
{
	return a->secure == b->secure && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* --- lists ---------------------------------------------------------------------------- */

#define SEPARATORS ", \t\r\n"

/* The next entry of a list; OK with *found false behind the last. */
static rstar_status
next_entry(const char **list, rstar_address *entry, bool *found, rstar_error *err)
{
	static const char scheme[] = "https://";
	char text[RSTAR_ADDRESS_HOST + 32];
	const char *at = *list + strspn(*list, SEPARATORS);
	size_t length = strcspn(at, SEPARATORS);
	size_t before = memmem(at, length, "://", 3) ? 0 : sizeof scheme - 1;
	rstar_status status;

	*list = at + length;
	*found = length > 0;
	if (length == 0)
		return RSTAR_OK;
	if (before + length >= sizeof text)
		return invalid(err, "It is too long.");
	memcpy(text, scheme, before);
	memcpy(text + before, at, length);
	status = rstar_address_parse(text, before + length, entry, err);
	if (status == RSTAR_OK && entry->path[0] != '\0')
		return invalid(err, "An entry of the list has no path.");
	return status;
}

rstar_status
rstar_address_check_list(const char *list, rstar_error *err)
{
	rstar_address entry;
	rstar_status status;
	bool found;

	do
		status = next_entry(&list, &entry, &found, err);
	while (status == RSTAR_OK && found);
	return status;
}

bool
rstar_address_listed(const rstar_address *address, const char *list)
{
	rstar_address entry;
	rstar_error err;
	bool found;

	while (next_entry(&list, &entry, &found, &err) == RSTAR_OK && found)
		if (rstar_address_same_host(&entry, address))
			return true;
	return false;
}

/* --- what a name means ------------------------------------------------------------------ */

static bool
is_public_ipv4(const uint8_t *ip)
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224 && !(ip[0] == 169 && ip[1] == 254);
}

/* The four bytes of IPv4 that an IPv6 address carries (mapped, compatible, NAT64); or NULL. */
static const uint8_t *
carried_ipv4(const uint8_t *ip)
{
	static const uint8_t heads[][12] = {{[10] = 0xff, [11] = 0xff}, {0}, {0, 0x64, 0xff, 0x9b}};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (memcmp(ip, heads[i], sizeof *heads) == 0)
			return ip + sizeof *heads;
	return NULL;
}

bool
rstar_address_may_resolve(const rstar_address *address, const uint8_t *ip, size_t length)
{
	const uint8_t *ipv4 = length == 4 ? ip : length == 16 ? carried_ipv4(ip) : NULL;

	if (address->kind != RSTAR_HOST_NAME || strcmp(address->host, "localhost") == 0)
		return true;
	if (ipv4)
		return is_public_ipv4(ipv4);
	/* Multicast ff00::/8, links fe80::/10. */
	return length == 16 && ip[0] != 0xff && !(ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

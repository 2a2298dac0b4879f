/*
 * status.c
 *	  Statuses and error texts of the core.
 */
#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cut an incomplete UTF-8 character that vsnprintf left at the end. */
static void
cut_partial_character(char *text, size_t length)
{
	size_t start = length;

	while (start > 0 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;

	unsigned char lead = (unsigned char) text[start - 1];
	size_t want = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

	if (length - (start - 1) < want)
		text[start - 1] = '\0';
}

static void
format_text(char *text, size_t size, const char *format, va_list args)
{
	int length = vsnprintf(text, size, format, args);

	if (length < 0)
		text[0] = '\0';
	else if ((size_t) length >= size)
		cut_partial_character(text, size - 1);
}

rstar_status
rstar_error_set(rstar_error *err, rstar_status status, const char *format, ...)
{
	va_list args;

	if (!err)
		return status;
	err->status = status;
	err->detail[0] = '\0';
	err->hint[0] = '\0';
	va_start(args, format);
	format_text(err->message, sizeof err->message, format, args);
	va_end(args);
	return status;
}

rstar_status
rstar_error_detail(rstar_error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return RSTAR_ERR_INTERNAL;
	va_start(args, format);
	format_text(err->detail, sizeof err->detail, format, args);
	va_end(args);
	return err->status;
}

rstar_status
rstar_error_hint(rstar_error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return RSTAR_ERR_INTERNAL;
	va_start(args, format);
	format_text(err->hint, sizeof err->hint, format, args);
	va_end(args);
	return err->status;
}

rstar_status
rstar_error_memory(rstar_error *err, unsigned long bytes)
{
	rstar_error_set(err, RSTAR_ERR_MEMORY, "out of memory");
	rstar_error_detail(err, "Failed on a request of %lu bytes.", bytes);
	return RSTAR_ERR_MEMORY;
}

/*
 * No default, so that the compiler names a status that was forgotten; what no enumerator has,
 * such as a status read from outside, is "unknown".
 */
const char *
rstar_status_name(rstar_status status)
{
	switch (status)
	{
		case RSTAR_OK:
			return "ok";
		case RSTAR_AGAIN:
			return "again";
		case RSTAR_ERR_MEMORY:
			return "memory";
		case RSTAR_ERR_IO:
			return "io";
		case RSTAR_ERR_CORRUPT:
			return "corrupt";
		case RSTAR_ERR_UNSUPPORTED:
			return "unsupported";
		case RSTAR_ERR_ARGUMENT:
			return "argument";
		case RSTAR_ERR_LIMIT:
			return "limit";
		case RSTAR_ERR_NOT_FOUND:
			return "not found";
		case RSTAR_ERR_EXISTS:
			return "exists";
		case RSTAR_ERR_DENIED:
			return "denied";
		case RSTAR_ERR_CANCELLED:
			return "cancelled";
		case RSTAR_ERR_SANDBOX:
			return "sandbox";
		case RSTAR_ERR_SERVER:
			return "server";
		case RSTAR_ERR_INTERNAL:
			return "internal";
	}
	return "unknown";
}

/*
 * utf8.c
 *	  Reading, checking and cutting UTF-8.
 */
#include "core/text/utf8.h"

/*
 * Bytes of the character that a lead byte announces, and the range allowed for
 * its second byte: narrower than 80..BF after E0, ED, F0 and F4, which is what
 * excludes overlong forms, surrogates and codes above U+10FFFF.
 */
static size_t
lead_length(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xBF;
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	if (lead < 0xE0)
		return 2;
	if (lead < 0xF0)
	{
		if (lead == 0xE0)
			*low = 0xA0;
		else if (lead == 0xED)
			*high = 0x9F;
		return 3;
	}
	if (lead == 0xF0)
		*low = 0x90;
	else if (lead == 0xF4)
		*high = 0x8F;
	return 4;
}

size_t
rstar_utf8_decode(const char *text, size_t length, uint32_t *code)
{
	const unsigned char *bytes = (const unsigned char *) text;
	unsigned char low, high;
	size_t need;
	uint32_t value;

	if (length == 0)
		return 0;
	need = lead_length(bytes[0], &low, &high);
	if (need == 1)
	{
		*code = bytes[0];
		return 1;
	}
	if (need == 0 || need > length || bytes[1] < low || bytes[1] > high)
		return 0;
	value = bytes[0] & (0x7Fu >> need);
	for (size_t i = 1; i < need; i++)
	{
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3Fu);
	}
	*code = value;
	return need;
}

size_t
rstar_utf8_encode(uint32_t code, char out[4])
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3F));
	out[2] = (char) (0x80 | (code >> 6 & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

bool
rstar_utf8_valid(const char *text, size_t length)
{
	uint32_t code;

	for (size_t at = 0; at < length;)
	{
		size_t bytes = rstar_utf8_decode(text + at, length - at, &code);

		if (bytes == 0)
			return false;
		at += bytes;
	}
	return true;
}

bool
rstar_utf8_append_clean(rstar_buffer *out, const char *text, size_t length)
{
	char replacement[4];
	size_t replacement_length = rstar_utf8_encode(RSTAR_UTF8_REPLACEMENT, replacement);
	size_t clean = 0; /* text[clean, at) is clean and not yet appended */
	size_t at = 0;

	while (at < length)
	{
		uint32_t code;
		size_t bytes = rstar_utf8_decode(text + at, length - at, &code);

		if (bytes > 0 && code != 0)
		{
			at += bytes;
			continue;
		}
		if (!rstar_buffer_append(out, text + clean, at - clean) ||
			!rstar_buffer_append(out, replacement, replacement_length))
			return false;
		clean = ++at;
	}
	return clean == length || rstar_buffer_append(out, text + clean, length - clean);
}

size_t
rstar_utf8_complete_prefix(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *) text;

	/* Look back for a lead byte whose character would reach beyond the end. */
	for (size_t back = 1; back <= 3 && back <= length; back++)
	{
		unsigned char lead = bytes[length - back];
		unsigned char low, high;
		size_t need;

		if ((lead & 0xC0) == 0x80)
			continue;
		need = lead_length(lead, &low, &high);
		if (need <= back)
			return length;
		if (back > 1)
		{
			unsigned char second = bytes[length - back + 1];

			if (second < low || second > high)
				return length;
		}
		return length - back;
	}
	return length;
}

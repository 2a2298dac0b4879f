/*
 * bytemap.c
 *	  The printable alphabet of byte-level BPE.
 */
#include "core/text/bytemap.h"

#include "core/text/utf8.h"

static bool
stands_for_itself(int byte)
{
	return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

void
rstar_bytemap_init(rstar_bytemap *map)
{
	uint32_t next = 0x100;

	for (int code = 0; code < RSTAR_BYTEMAP_CODES; code++)
		map->byte[code] = -1;
	for (int byte = 0; byte < 256; byte++)
	{
		uint32_t code = stands_for_itself(byte) ? (uint32_t) byte : next++;
		char text[4];

		map->length[byte] = (unsigned char) rstar_utf8_encode(code, text);
		map->text[byte][0] = text[0];
		map->text[byte][1] = map->length[byte] > 1 ? text[1] : '\0';
		map->byte[code] = (int16_t) byte;
	}
}

size_t
rstar_bytemap_encode(const rstar_bytemap *map, const char *bytes, size_t length, char *out)
{
	size_t size = 0;

	for (size_t i = 0; i < length; i++)
	{
		unsigned char byte = (unsigned char) bytes[i];

		out[size++] = map->text[byte][0];
		if (map->length[byte] > 1)
			out[size++] = map->text[byte][1];
	}
	return size;
}

bool
rstar_bytemap_decode(const rstar_bytemap *map, const char *text, size_t length, unsigned char *byte,
					 size_t *used)
{
	uint32_t code = 0;
	size_t bytes = rstar_utf8_decode(text, length, &code);

	if (bytes == 0 || code >= RSTAR_BYTEMAP_CODES || map->byte[code] < 0)
	{
		*used = bytes > 0 ? bytes : 1;
		return false;
	}
	*used = bytes;
	*byte = (unsigned char) map->byte[code];
	return true;
}

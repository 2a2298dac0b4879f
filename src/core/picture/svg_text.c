/*
 * svg_text.c
 *	  Writing SVG: escaped, clean, and no wider than its place.
 *
 * XML 1.0 has no place for most control characters, not even escaped, so what
 * steers the display becomes U+FFFD here as everywhere (picture.h).
 */
#include "core/picture/svg_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text/utf8.h"

void
rstar_svg_put(rstar_svg *svg, const char *text)
{
	svg->failed = svg->failed || !rstar_buffer_append_text(svg->out, text);
}

void
rstar_svg_printf(rstar_svg *svg, const char *format, ...)
{
	char text[1024]; /* markup with numbers: a few hundred bytes */
	va_list args;

	va_start(args, format);
	(void) vsnprintf(text, sizeof text, format, args);
	va_end(args);
	rstar_svg_put(svg, text);
}

void
rstar_svg_plot(rstar_svg *svg, const char *class, int width, int height, const char *style)
{
	rstar_svg_printf(svg,
					 "<svg class=\"%s\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
					 "height=\"%d\" viewBox=\"0 0 %d %d\">\n",
					 class, width, height, width, height);
	rstar_svg_put(svg, style);
	rstar_svg_printf(svg, "<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", width, height);
}

static void
put_character(rstar_svg *svg, uint32_t code)
{
	char bytes[4];

	switch (code)
	{
		case '&':
			rstar_svg_put(svg, "&amp;");
			return;
		case '<':
			rstar_svg_put(svg, "&lt;");
			return;
		case '>':
			rstar_svg_put(svg, "&gt;");
			return;
		case '"':
			rstar_svg_put(svg, "&quot;");
			return;
	}
	svg->failed =
		svg->failed || !rstar_buffer_append(svg->out, bytes, rstar_utf8_encode(code, bytes));
}

/* In units of the font's size. */
static double
character_width(uint32_t code, uint32_t columns, rstar_svg_font font)
{
	if (columns != 1)
		return columns * 0.5;
	if (font == RSTAR_SVG_MONO)
		return 0.605;
	if (code < 0x80 && strchr("il.,:;'|!j`", (int) code))
		return 0.33;
	if (code < 0x80 && strchr("ftr ()[]{}/\\-\"I", (int) code))
		return 0.41;
	if (code < 0x80 && strchr("mwMW@%", (int) code))
		return 0.9;
	if (code >= 'A' && code <= 'Z')
		return 0.74;
	return font == RSTAR_SVG_BOLD ? 0.68 : 0.6;
}

/*
 * As rstar_picture_line, with estimated widths in place of columns. Returns the width used, so
 * that what follows on the line can be placed.
 */
double
rstar_svg_line(rstar_svg *svg, rstar_string text, rstar_svg_font font, double size, double width)
{
	double used = 0, ellipsis = size, most = 0;
	size_t cut = svg->out->length, characters = 0;
	bool blank = false, any = false;

	for (size_t i = 0; i < text.length && !svg->failed;)
	{
		uint32_t code, columns;
		double need;

		i += rstar_picture_character(text.data + i, text.length - i, &code, &columns);
		if (code == ' ')
		{
			blank = any;
			continue;
		}
		need = size *
			   (character_width(code, columns, font) + (blank ? character_width(' ', 1, font) : 0));
		if (used + need > width || ++characters > 1000)
		{
			svg->out->length = cut;
			rstar_svg_put(svg, "\xe2\x80\xa6");
			return most + ellipsis;
		}
		if (blank)
			rstar_svg_put(svg, " ");
		put_character(svg, code);
		used += need;
		if (used + ellipsis <= width)
		{
			cut = svg->out->length;
			most = used;
		}
		blank = false;
		any = true;
	}
	return used;
}

size_t
rstar_svg_fit(rstar_string text, rstar_svg_font font, double size, double width)
{
	double used = 0;
	size_t at_blank = 0;

	for (size_t i = 0; i < text.length;)
	{
		uint32_t code, columns;
		size_t bytes = rstar_picture_character(text.data + i, text.length - i, &code, &columns);

		if (code == ' ')
			at_blank = i + bytes;
		used += size * character_width(code, columns, font);
		if (used > width && i > 0)
			return at_blank > 0 ? at_blank : i;
		i += bytes;
	}
	return text.length;
}

void
rstar_svg_lines(rstar_svg *svg, rstar_string text, size_t characters)
{
	size_t written = 0;

	while (text.length > 0 && (text.data[0] == '\n' || text.data[0] == ' '))
		text.data++, text.length--;
	while (text.length > 0 &&
		   (text.data[text.length - 1] == '\n' || text.data[text.length - 1] == ' '))
		text.length--;
	for (size_t i = 0; i < text.length && !svg->failed;)
	{
		uint32_t code, columns;
		char first = text.data[i];

		i += rstar_picture_character(text.data + i, text.length - i, &code, &columns);
		if (++written > characters)
		{
			rstar_svg_put(svg, "\xe2\x80\xa6");
			return;
		}
		put_character(svg, first == '\n' || first == '\t' ? (uint32_t) first : code);
	}
}

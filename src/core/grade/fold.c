/*
 * fold.c
 *	  Unicode signs as the ASCII and LaTeX that mean the same: see fold.h.
 */
#include "core/grade/fold.h"

#include <string.h>

#include "core/grade/chars.h"

#define MAX_REPLACEMENT 16 /* bytes for one character, braces of a raised run included */

typedef struct folding
{
	uint32_t code;
	const char *text;
} folding;

/* Sorted by code point. */
static const folding foldings[] = {
	{0x00a0, " "},
	{0x00a2, "\\cent "},
	{0x00b0, "^\\circ "},
	{0x00b1, "\\pm "},
	{0x00b5, "\\mu "},
	{0x00b7, "\\cdot "},
	{0x00bc, "\\frac{1}{4}"},
	{0x00bd, "\\frac{1}{2}"},
	{0x00be, "\\frac{3}{4}"},
	{0x00d7, "\\times "},
	{0x00f7, "\\div "},
	{0x0393, "\\Gamma "},
	{0x0394, "\\Delta "},
	{0x0398, "\\Theta "},
	{0x039b, "\\Lambda "},
	{0x03a0, "\\Pi "},
	{0x03a3, "\\Sigma "},
	{0x03a6, "\\Phi "},
	{0x03a8, "\\Psi "},
	{0x03a9, "\\Omega "},
	{0x03b1, "\\alpha "},
	{0x03b2, "\\beta "},
	{0x03b3, "\\gamma "},
	{0x03b4, "\\delta "},
	{0x03b5, "\\epsilon "},
	{0x03b6, "\\zeta "},
	{0x03b7, "\\eta "},
	{0x03b8, "\\theta "},
	{0x03b9, "\\iota "},
	{0x03ba, "\\kappa "},
	{0x03bb, "\\lambda "},
	{0x03bc, "\\mu "},
	{0x03bd, "\\nu "},
	{0x03be, "\\xi "},
	{0x03c0, "\\pi "},
	{0x03c1, "\\rho "},
	{0x03c2, "\\sigma "},
	{0x03c3, "\\sigma "},
	{0x03c4, "\\tau "},
	{0x03c5, "\\upsilon "},
	{0x03c6, "\\phi "},
	{0x03c7, "\\chi "},
	{0x03c8, "\\psi "},
	{0x03c9, "\\omega "},
	{0x03d1, "\\theta "},
	{0x03d5, "\\phi "},
	{0x03f5, "\\epsilon "},
	{0x2000, " "},
	{0x2001, " "},
	{0x2002, " "},
	{0x2003, " "},
	{0x2004, " "},
	{0x2005, " "},
	{0x2006, " "},
	{0x2007, " "},
	{0x2008, " "},
	{0x2009, "\\,"},
	{0x200a, " "},
	{0x200b, ""},
	{0x200c, ""},
	{0x200d, ""},
	{0x2010, "-"},
	{0x2011, "-"},
	{0x2012, "-"},
	{0x2013, "-"},
	{0x2014, "-"},
	{0x2015, "-"},
	{0x2018, "'"},
	{0x2019, "'"},
	{0x201c, "\""},
	{0x201d, "\""},
	{0x2022, "\\cdot "},
	{0x2026, "\\ldots "},
	{0x202f, "\\,"},
	{0x2032, "'"},
	{0x2033, "''"},
	{0x2044, "/"},
	{0x205f, " "},
	{0x2060, ""},
	{0x2061, " "},
	{0x2062, "\\cdot "},
	{0x2063, ","},
	{0x2064, "+"},
	{0x2102, "\\mathbb{C}"},
	{0x2107, "e"},
	{0x210e, "h"},
	{0x2115, "\\mathbb{N}"},
	{0x211a, "\\mathbb{Q}"},
	{0x211d, "\\mathbb{R}"},
	{0x2124, "\\mathbb{Z}"},
	{0x2126, "\\Omega "},
	{0x212f, "e"},
	{0x2147, "e"},
	{0x2148, "i"},
	{0x2150, "\\frac{1}{7}"},
	{0x2151, "\\frac{1}{9}"},
	{0x2152, "\\frac{1}{10}"},
	{0x2153, "\\frac{1}{3}"},
	{0x2154, "\\frac{2}{3}"},
	{0x2155, "\\frac{1}{5}"},
	{0x2156, "\\frac{2}{5}"},
	{0x2157, "\\frac{3}{5}"},
	{0x2158, "\\frac{4}{5}"},
	{0x2159, "\\frac{1}{6}"},
	{0x215a, "\\frac{5}{6}"},
	{0x215b, "\\frac{1}{8}"},
	{0x215c, "\\frac{3}{8}"},
	{0x215d, "\\frac{5}{8}"},
	{0x215e, "\\frac{7}{8}"},
	{0x2190, "\\leftarrow "},
	{0x2192, "\\to "},
	{0x21d2, "\\Rightarrow "},
	{0x21d4, "\\iff "},
	{0x2205, "\\emptyset "},
	{0x2206, "\\Delta "},
	{0x2208, "\\in "},
	{0x220f, "\\prod "},
	{0x2211, "\\sum "},
	{0x2212, "-"},
	{0x2213, "\\mp "},
	{0x2215, "/"},
	{0x2216, "\\setminus "},
	{0x2217, "*"},
	{0x2218, "^\\circ "},
	{0x2219, "\\cdot "},
	{0x221a, "\\sqrt "},
	{0x221b, "\\sqrt[3] "},
	{0x221c, "\\sqrt[4] "},
	{0x221e, "\\infty "},
	{0x2220, "\\angle "},
	{0x2223, "|"},
	{0x2227, "\\wedge "},
	{0x2228, "\\vee "},
	{0x2229, "\\cap "},
	{0x222a, "\\cup "},
	{0x222b, "\\int "},
	{0x2234, "\\therefore "},
	{0x2236, ":"},
	{0x223c, "\\sim "},
	{0x2243, "\\approx "},
	{0x2245, "\\cong "},
	{0x2248, "\\approx "},
	{0x2254, "="},
	{0x2260, "\\ne "},
	{0x2261, "\\equiv "},
	{0x2264, "\\le "},
	{0x2265, "\\ge "},
	{0x2266, "\\le "},
	{0x2267, "\\ge "},
	{0x22a5, "\\perp "},
	{0x22c5, "\\cdot "},
	{0x22ef, "\\cdots "},
	{0x2308, "\\lceil "},
	{0x2309, "\\rceil "},
	{0x230a, "\\lfloor "},
	{0x230b, "\\rfloor "},
	{0x2329, "\\langle "},
	{0x232a, "\\rangle "},
	{0x25b3, "\\triangle "},
	{0x2715, "\\times "},
	{0x2716, "\\times "},
	{0x27e8, "\\langle "},
	{0x27e9, "\\rangle "},
	{0x2a2f, "\\times "},
	{0x2a7d, "\\le "},
	{0x2a7e, "\\ge "},
	{0x3000, " "},
	{0x3001, ","},
	{0x3002, "."},
	{0x3008, "\\langle "},
	{0x3009, "\\rangle "},
	{0x3010, "["},
	{0x3011, "]"},
	{0xfe63, "-"},
	{0xfeff, ""},
	{0xff65, "\\cdot "},
	{0x1d6a4, "i"},
};

static const char *
find_folding(uint32_t code)
{
	size_t low = 0;
	size_t high = sizeof(foldings) / sizeof(foldings[0]);

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (foldings[middle].code == code)
			return foldings[middle].text;
		if (foldings[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The code point here and its length in bytes; length 1 and code 0 for what is no UTF-8. */
static uint32_t
decode(const char *at, const char *end, size_t *length)
{
	const unsigned char *b = (const unsigned char *) at;
	size_t n = b[0] < 0x80   ? 1
			   : b[0] < 0xc2 ? 0
			   : b[0] < 0xe0 ? 2
			   : b[0] < 0xf0 ? 3
			   : b[0] < 0xf5 ? 4
							 : 0;
	uint32_t code = n == 1 ? b[0] : b[0] & (0x7fu >> n);

	*length = 1;
	if (n == 0 || (size_t) (end - at) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (b[i] & 0x3fu);
	}
	*length = n;
	return code;
}

/* The ASCII character that a fullwidth or mathematical one is a form of, else 0. */
static char
ascii_form(uint32_t code)
{
	static const uint32_t digits[] = {0x660, 0x6f0, 0x966, 0xff10};

	if (code >= 0xff01 && code <= 0xff5e)
		return (char) (code - 0xff01 + '!');
	if (code >= 0x1d7ce && code <= 0x1d7ff) /* bold, double-struck, ... digits */
		return (char) ('0' + (code - 0x1d7ce) % 10);
	if (code >= 0x1d400 && code <= 0x1d6a3) /* letters: thirteen alphabets of 52 */
	{
		uint32_t letter = (code - 0x1d400) % 52;

		return (char) (letter < 26 ? 'A' + letter : 'a' + letter - 26);
	}
	for (size_t i = 0; i < sizeof(digits) / sizeof(digits[0]); i++)
		if (code >= digits[i] && code <= digits[i] + 9)
			return (char) ('0' + code - digits[i]);
	return 0;
}

/* Raised and lowered characters: the ASCII one, 0 for none. */
static char
raised(uint32_t code)
{
	switch (code)
	{
		case 0xb9:
			return '1';
		case 0xb2:
			return '2';
		case 0xb3:
			return '3';
		case 0x207a:
			return '+';
		case 0x207b:
			return '-';
		case 0x207d:
			return '(';
		case 0x207e:
			return ')';
		case 0x207f:
			return 'n';
		case 0x2071:
			return 'i';
		case 0x2e3:
			return 'x';
		case 0x1d4f:
			return 'k';
		case 0x1d50:
			return 'm';
		default:
			return code == 0x2070 || (code >= 0x2074 && code <= 0x2079)
					   ? (char) ('0' + code - 0x2070)
					   : 0;
	}
}

static char
lowered(uint32_t code)
{
	if (code >= 0x2080 && code <= 0x2089)
		return (char) ('0' + code - 0x2080);
	return code == 0x2099 ? 'n' : code == 0x2096 ? 'k' : code == 0x1d62 ? 'i' : 0;
}

typedef struct output
{
	char *text;
	size_t length;
	char group; /* ^ or _ while a raised or lowered run is open, else 0 */
} output;

static void
put(output *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out->text + out->length, text, n);
	out->length += n;
}

static void
put_char(output *out, char c)
{
	out->text[out->length++] = c;
}

/* Open, close or go on with a run of raised or lowered characters. */
static void
switch_group(output *out, char group)
{
	if (out->group == group)
		return;
	if (out->group)
		put_char(out, '}');
	if (group)
	{
		put_char(out, group);
		put_char(out, '{');
	}
	out->group = group;
}

/* A line over the digit before it: that digit repeats. */
static void
put_overline(output *out)
{
	char digit = out->length > 0 ? out->text[out->length - 1] : 0;

	if (!is_digit(digit))
		return;
	out->length--;
	put(out, "\\overline{");
	put_char(out, digit);
	put_char(out, '}');
}

static void
fold_code(output *out, uint32_t code, const char *bytes, size_t length)
{
	const char *text = find_folding(code);
	char c = raised(code);

	switch_group(out, c ? '^' : lowered(code) ? '_' : 0);
	if (!c)
		c = lowered(code);
	if (!c)
		c = ascii_form(code);
	if (code == 0x305 || code == 0x304)
		put_overline(out);
	else if (text)
		put(out, text);
	else if (c)
		put_char(out, c);
	else
	{
		memcpy(out->text + out->length, bytes, length);
		out->length += length;
	}
}

bool
rstar_fold_unicode(rstar_arena *arena, const char **text, size_t *length)
{
	const char *at = *text;
	const char *end = at + *length;
	output out = {NULL, 0, 0};

	while (at < end && (unsigned char) *at < 0x80)
		at++;
	if (at == end)
		return true;
	out.text = rstar_arena_alloc_array(arena, *length + 1, MAX_REPLACEMENT);
	if (!out.text)
		return false;
	for (at = *text; at < end;)
	{
		size_t n;
		uint32_t code = decode(at, end, &n);

		fold_code(&out, code, at, n);
		at += n;
	}
	switch_group(&out, 0);
	*text = out.text;
	*length = out.length;
	return true;
}

/*
 * plain_text.c
 *	  A text without what concerns only its looks: see extract.h.
 */
#include "core/grade/extract_internal.h"

static const char *const dropped[] = {
	"\\left",         "\\right",  "\\displaystyle", "\\text",       "\\textbf",
	"\\textrm",       "\\mathrm", "\\mbox",         "\\textnormal", "\\mathbf",
	"\\operatorname", "\\quad",   "\\qquad",        "\\bigl",       "\\bigr",
	"\\Bigl",         "\\Bigr",   "\\big",          "\\Big",
};

/* Is the command here one that says nothing? Its length. */
static size_t
dropped_command(rstar_span text, size_t at)
{
	size_t n = 1;

	while (at + n < text.length && is_letter(text.at[at + n]))
		n++;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (strlen(dropped[i]) == n && memcmp(dropped[i], text.at + at, n) == 0)
			return n;
	if (n == 1 && at + 1 < text.length && strchr(",!;: ()[]$", text.at[at + 1]))
		return text.at[at + 1] == '$' ? 1 : 2;
	return 0;
}

/* One pass; a stack of bits remembers which braces belong to commands that were left out. */
bool
rstar_plain_text(rstar_arena *arena, rstar_span text, bool fold_case, rstar_span *out)
{
	char *to = rstar_arena_alloc(arena, text.length + 1);
	size_t n = 0;
	uint64_t hidden = 0; /* a bit for each of the innermost open braces: is it left out? */
	bool latex = memchr(text.at, '\\', text.length) != NULL; /* else ~ is "about" */
	bool blank = false; /* something was left out before this byte */
	bool hide = false;  /* the next brace belongs to a command that was left out */

	out->at = to;
	out->length = 0;
	if (!to)
		return false;
	text = rstar_span_trim(text);
	for (size_t i = 0; i < text.length; i++)
	{
		char c = text.at[i];

		if (is_space(c) || c == '$' || (c == '~' && latex))
		{
			blank = true;
			continue;
		}
		if (c == '\\')
		{
			size_t skip = dropped_command(text, i);

			if (skip > 0)
			{
				blank = true;
				hide = skip > 2 && text.at[i + 1] != 'q' && text.at[i + 1] != 'd';
				i += skip - 1;
				continue;
			}
			if (text.length - i > 6 &&
				(memcmp(text.at + i, "\\dfrac", 6) == 0 || memcmp(text.at + i, "\\tfrac", 6) == 0))
			{
				to[n++] = '\\';
				i++; /* the d or t */
				continue;
			}
		}
		if (c == '{')
			hidden = hidden << 1 | hide;
		if ((fold_case && (c == '{' || c == '}')) || ((c == '{' || c == '}') && (hidden & 1)))
		{
			hidden >>= c == '}';
			hide = false;
			continue;
		}
		if (c == '}')
			hidden >>= 1;
		hide = false;
		if (blank && is_digit(c) && n > 0 && is_digit(to[n - 1]))
			to[n++] = ' '; /* 3 4 is not 34; takes the place of what was left out */
		blank = false;
		if (fold_case && c >= 'A' && c <= 'Z')
			c = (char) (c + 32);
		to[n++] = c;
	}
	while (n > 0 && to[n - 1] == '.')
		n--;
	out->length = n;
	return true;
}

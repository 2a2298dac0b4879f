/*
 * extract_letter.c
 *	  The letter of a choice: see extract.h.
 */
#include "core/grade/extract_internal.h"

/* Commands that only dress what follows. */
static size_t
dressing(rstar_span text, size_t at)
{
	static const char *const names[] = {"\\text",   "\\textbf", "\\textrm", "\\textit",
										"\\mathrm", "\\mathbf", "\\mbox",   "\\textnormal",
										"\\rm",     "\\bf",     "\\quad",   "\\qquad",
										"\\boxed",  "\\left",   "\\right"};
	size_t n = 1;

	while (at + n < text.length && is_letter(text.at[at + n]))
		n++;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && memcmp(names[i], text.at + at, n) == 0)
			return n;
	return n == 1 && at + 1 < text.length && strchr(", ;!:[]", text.at[at + 1]) ? 2 : 0;
}

/* Skip what may stand before a letter: spaces, $, braces, \text and its like. */
static size_t
skip_looks(rstar_span text, size_t at)
{
	while (at < text.length)
	{
		size_t n = is_space(text.at[at]) || strchr("${}*~", text.at[at]) ? 1
				   : text.at[at] == '\\'                                 ? dressing(text, at)
																		 : 0;

		if (n == 0)
			break;
		at += n;
	}
	return at;
}

char
rstar_single_letter(rstar_span text)
{
	size_t at = skip_looks(text, 0);
	bool bracket = at < text.length && text.at[at] == '(';
	char letter;

	if (bracket)
		at = skip_looks(text, at + 1);
	if (at >= text.length || !is_letter(text.at[at]))
		return 0;
	letter = text.at[at];
	at = skip_looks(text, at + 1);
	if (bracket)
	{
		if (at >= text.length || text.at[at] != ')')
			return 0;
		at = skip_looks(text, at + 1);
	}
	while (at < text.length && (strchr(".)", text.at[at]) || is_space(text.at[at])))
		at = skip_looks(text, at + 1);
	return at >= text.length ? letter : 0;
}

static bool
stands_alone(rstar_span text, size_t at)
{
	return (at == 0 || !(is_letter(text.at[at - 1]) || is_digit(text.at[at - 1]) ||
						 text.at[at - 1] == '\\' || text.at[at - 1] == '\'')) &&
		   (at + 1 == text.length ||
			!(is_letter(text.at[at + 1]) || is_digit(text.at[at + 1]) || text.at[at + 1] == '\''));
}

char
rstar_extract_letter(rstar_span text, bool any)
{
	static const char *const labels[] = {"option ", "choice ", "option (", "choice ("};
	size_t at = skip_looks(text, 0);
	char found = 0;

	/* (C) ..., C) ..., C. ..., C: ... */
	if (at + 1 < text.length && text.at[at] == '(')
		at = skip_looks(text, at + 1);
	if (at + 1 < text.length && text.at[at] >= 'A' && text.at[at] <= 'Z' &&
		!is_letter(text.at[at + 1]))
	{
		size_t behind = skip_looks(text, at + 1);

		if (behind < text.length && strchr(").:", text.at[behind]) &&
			(behind + 1 == text.length || is_space(text.at[behind + 1]) ||
			 strchr("$}\\~", text.at[behind + 1])))
			return text.at[at];
	}
	for (size_t i = 0; i < text.length; i++)
		for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]); k++)
			if (phrase_at(text.at + i, text.at + text.length, labels[k]))
			{
				size_t letter = skip_looks(text, i + strlen(labels[k]));

				if (letter < text.length && text.at[letter] >= 'A' && text.at[letter] <= 'Z' &&
					stands_alone(text, letter))
					found = text.at[letter];
			}
	if (found || !any || !rstar_extract_is_prose(text))
		return found;
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] >= 'A' && text.at[i] <= 'H' && stands_alone(text, i))
		{
			if (text.at[i] == 'A' && i + 2 < text.length && text.at[i + 1] == ' ' &&
				is_letter(text.at[i + 2]))
				continue; /* an article */
			if (found && found != text.at[i])
				return 0;
			found = text.at[i];
		}
	return found;
}

/*
 * extract_sentence.c
 *	  The last formula or number of a sentence: see extract.h.
 */
#include "core/grade/extract_internal.h"

/* Is there nothing but punctuation and closing delimiters behind a part? */
static bool
at_the_end(rstar_span text, rstar_span part)
{
	for (const char *at = part.at + part.length; at < text.at + text.length; at++)
		if (!is_space(*at) && !strchr("$.,;:\\)]!*", *at))
			return false;
	return true;
}

static rstar_span
last_formula(rstar_span text, size_t *formulas)
{
	static const char *const closers[] = {"$", "\\)", "\\]"};
	static const char *const openers[] = {"$", "\\(", "\\["};
	rstar_span best = {text.at, 0};
	size_t count = 0;

	for (size_t i = 0; i < 3; i++)
	{
		const char *open = NULL;
		const char *at = text.at;
		const char *end = text.at + text.length;
		size_t length = strlen(openers[i]);

		for (; at + length <= end; at++)
		{
			bool escaped = i == 0 && at > text.at && at[-1] == '\\';

			if (open && !escaped && memcmp(at, closers[i], length) == 0)
			{
				rstar_span inside = {open, (size_t) (at - open)};

				if (i == 0 && at + 1 < end && at[1] == '$')
					at++;
				count += rstar_span_trim(inside).length > 0;
				if (rstar_span_trim(inside).length > 0 && inside.at >= best.at)
					best = inside;
				open = NULL;
				at += length - 1;
			}
			else if (!open && !escaped && memcmp(at, openers[i], length) == 0)
			{
				at += length - 1;
				if (i == 0 && at + 1 < end && at[1] == '$')
					at++;
				open = at + 1;
			}
		}
	}
	*formulas = count;
	return best;
}

static rstar_span
last_number(rstar_span text)
{
	const char *end = text.at + text.length;
	const char *stop = end;
	rstar_span out = {text.at, 0};

	while (stop > text.at && !is_digit(stop[-1]))
		stop--;
	out.at = stop;
	while (out.at > text.at &&
		   (is_digit(out.at[-1]) ||
			(strchr(".,/:", out.at[-1]) && (is_digit(out.at[0]) || out.at == stop) &&
			 out.at - 1 > text.at && is_digit(out.at[-2])) ||
			(out.at[-1] == '.' && is_digit(out.at[0]))))
		out.at--;
	if (out.at > text.at && out.at[-1] == '-' && (out.at - 1 == text.at || is_space(out.at[-2])))
		out.at--;
	if (stop < end && *stop == '%')
		stop++;
	else if (end - stop >= 2 && stop[0] == '\\' && stop[1] == '%')
		stop += 2;
	out.length = (size_t) (stop - out.at);
	return out;
}

/* "not 5", "5 is wrong" */
static bool
is_denied(rstar_span text, rstar_span found)
{
	const char *end = text.at + text.length;
	rstar_span before = {text.at, (size_t) (found.at - text.at)};

	while (before.length > 0 && strchr("$ \n(\\", before.at[before.length - 1]))
		before = cut(before, 0, 1);
	if (ends(before, "not") || ends(before, "n't"))
		return true;
	for (const char *at = found.at + found.length; at < end && *at != '\n'; at++)
		if (phrase_at(at, end, "wrong") || phrase_at(at, end, "incorrect"))
			return true;
	return false;
}

static rstar_span last_stated(rstar_span text);

rstar_span
rstar_extract_last(rstar_span text)
{
	rstar_span out = last_stated(text);

	if (out.length > 0 && is_denied(text, out))
		out.length = 0;
	return out;
}

static rstar_span
last_stated(rstar_span text)
{
	size_t count;
	rstar_span formula = last_formula(text, &count);
	const char *behind = formula.at + formula.length;
	rstar_span rest;
	rstar_span number;

	/* Without a formula at the end: the number of the prose behind the last one. */
	for (const char *at = behind; formula.length > 0 && at < text.at + text.length; at++)
		if (*at == '$' ||
			(*at == '\\' && at + 1 < text.at + text.length && (at[1] == ')' || at[1] == ']')))
			behind = at + (*at == '$' ? 1 : 2);
	rest = (rstar_span){behind, (size_t) (text.at + text.length - behind)};
	if (rstar_extract_is_prose(rest) || (formula.length == 0 && rstar_extract_is_prose(text)))
	{
		number = rstar_span_trim(last_number(rest));
		if (number.length > 0)
			return number;
	}
	/* Of several formulas only one that ends the text can be the answer. */
	if (count > 1 && !at_the_end(text, formula))
		formula.length = 0;
	return rstar_span_trim(formula);
}

/* Words and numbers, no mathematics outside formulas. */
bool
rstar_extract_is_prose(rstar_span text)
{
	size_t words = 0;

	for (size_t i = 0; i < text.length; i++)
	{
		if (strchr("\\=^_<>{}", text.at[i]))
			return false;
		words += i > 0 && is_letter(text.at[i]) && is_letter(text.at[i - 1]) &&
				 (i + 1 == text.length || !is_letter(text.at[i + 1]));
	}
	return words > 0;
}

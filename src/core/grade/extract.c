/*
 * extract.c
 *	  Finding the answer within a text: see extract.h and grade.h.
 *
 * Every function is one or two passes over the text.
 */
#include "core/grade/extract.h"

#include <string.h>

#define MAX_BOXES   64  /* remembered, the last ones */
#define MAX_NESTING 64  /* boxes within boxes */
#define MAX_BETWEEN 120 /* bytes between two boxes that are one answer */

static bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
starts(rstar_span span, const char *prefix)
{
	size_t length = strlen(prefix);

	return span.length >= length && memcmp(span.at, prefix, length) == 0;
}

static bool
ends(rstar_span span, const char *suffix)
{
	size_t length = strlen(suffix);

	return span.length >= length && memcmp(span.at + span.length - length, suffix, length) == 0;
}

static rstar_span
cut(rstar_span span, size_t front, size_t back)
{
	span.at += front;
	span.length -= front + back;
	return span;
}

/* One pair of delimiters around the whole, with none of them inside. */
static bool
unwrap(rstar_span *span, const char *open, const char *close)
{
	size_t o = strlen(open);
	size_t c = strlen(close);
	rstar_span inside;

	if (span->length < o + c || !starts(*span, open) || !ends(*span, close))
		return false;
	inside = cut(*span, o, c);
	if (o == 1 && memchr(inside.at, *open, inside.length))
		return false;
	if (o == 2 && memmem(inside.at, inside.length, open, o))
		return false;
	*span = inside;
	return true;
}

rstar_span
rstar_span_trim(rstar_span span)
{
	for (;;)
	{
		size_t before = span.length;

		while (span.length > 0 && is_space(span.at[0]))
			span = cut(span, 1, 0);
		while (span.length > 0 && is_space(span.at[span.length - 1]))
			span = cut(span, 0, 1);
		if (ends(span, "\\") && !ends(span, "\\\\"))
			span = cut(span, 0, 1); /* of a blank written as backslash and space */
		while (span.length > 0 && strchr(".,;:", span.at[span.length - 1]) && !ends(span, ".."))
			span = cut(span, 0, 1);
		while (starts(span, "**"))
			span = cut(span, 2, 0);
		while (ends(span, "**"))
			span = cut(span, 0, 2);
		if (!unwrap(&span, "$$", "$$") && !unwrap(&span, "\\[", "\\]") &&
			!unwrap(&span, "\\(", "\\)"))
			(void) unwrap(&span, "$", "$");
		if (span.length == before)
			return span;
	}
}

/* --- boxes --------------------------------------------------------------------- */

typedef struct box
{
	const char *start; /* the backslash */
	rstar_span inside;
	const char *end; /* behind the closing brace */
} box;

typedef struct boxes
{
	box item[MAX_BOXES]; /* a ring: item[i % MAX_BOXES] */
	size_t count;
} boxes;

/* Bytes of "\boxed" or "\fbox" here, with the white space behind; 0 if it is none. */
static size_t
box_command(const char *at, const char *end)
{
	rstar_span rest = {at, (size_t) (end - at)};
	size_t n = starts(rest, "\\boxed") ? 6 : starts(rest, "\\fbox") ? 5 : 0;

	if (n == 0 || (n < rest.length && is_letter(at[n])))
		return 0;
	while (n < rest.length && is_space(at[n]))
		n++;
	return n < rest.length ? n : 0;
}

static void
remember(boxes *list, const char *start, const char *inside, const char *close)
{
	box *b;

	/* A box around others takes their place. */
	while (list->count > 0 && list->item[(list->count - 1) % MAX_BOXES].start > start)
		list->count--;
	b = &list->item[list->count++ % MAX_BOXES];
	b->start = start;
	b->inside.at = inside;
	b->inside.length = (size_t) (close - inside);
	b->end = *close == '}' ? close + 1 : close;
}

static void
find_boxes(rstar_span text, boxes *out)
{
	struct
	{
		const char *start;
		const char *inside;
		size_t depth;
	} open[MAX_NESTING];
	size_t nesting = 0;
	size_t depth = 0;
	const char *end = text.at + text.length;

	out->count = 0;
	for (const char *at = text.at; at < end; at++)
	{
		size_t n;

		if (*at == '{')
			depth++;
		else if (*at == '}')
		{
			if (nesting > 0 && open[nesting - 1].depth == depth)
			{
				nesting--;
				remember(out, open[nesting].start, open[nesting].inside, at);
			}
			depth -= depth > 0;
		}
		else if (*at == '\\' && at + 1 < end)
		{
			n = box_command(at, end);
			if (n == 0)
			{
				at++; /* an escaped brace is none */
				continue;
			}
			if (at[n] == '{')
			{
				depth++;
				if (nesting < MAX_NESTING)
				{
					open[nesting].start = at;
					open[nesting].inside = at + n + 1;
					open[nesting++].depth = depth;
				}
				at += n;
			}
			else if (is_digit(at[n]) || is_letter(at[n])) /* \boxed 5 */
			{
				const char *stop = at + n;

				while (stop < end && (is_digit(*stop) || is_letter(*stop)))
					stop++;
				if (stop < end)
					remember(out, at, at + n, stop);
				at = stop - 1;
			}
		}
	}
}

/* A conjunction or a comma, perhaps one word before it and "name =" behind. */
static bool
connects(const char *at, const char *end)
{
	int words = 0;
	bool joined = false;
	bool equals = false;

	if (end - at > MAX_BETWEEN)
		return false;
	while (at < end)
	{
		if (*at == ',' || *at == ';' || *at == '&')
			joined = true, words = 0, at++;
		else if (*at == '=')
			equals = true, words = 0, at++;
		else if (*at == '\\')
		{
			at++;
			if (at < end && is_letter(*at))
				while (at < end && is_letter(*at))
					at++;
			else
				at++;
		}
		else if (is_letter(*at))
		{
			const char *word = at;

			while (at < end && is_letter(*at))
				at++;
			if ((at - word == 3 && memcmp(word, "and", 3) == 0) ||
				(at - word == 2 && memcmp(word, "or", 2) == 0))
				joined = true, words = 0;
			else if (++words > 1)
				return false;
		}
		else if (is_space(*at) || is_digit(*at) || strchr("${}()_^'", *at))
			at++;
		else
			return false;
	}
	return joined && (words == 0 || equals);
}

/* The last box, with those before it that belong to it. */
static bool
extract_box(rstar_arena *arena, rstar_span text, rstar_span *out)
{
	boxes list;
	size_t first;
	size_t total = 0;
	char *joined;

	if (!memmem(text.at, text.length, "box", 3))
		return false;
	find_boxes(text, &list);
	if (list.count == 0)
		return false;
	first = list.count - 1;
	while (first > 0 && list.count - first < MAX_BOXES &&
		   connects(list.item[(first - 1) % MAX_BOXES].end, list.item[first % MAX_BOXES].start))
		first--;
	*out = list.item[first % MAX_BOXES].inside;
	if (first == list.count - 1)
		return true;
	for (size_t i = first; i < list.count; i++)
		total += list.item[i % MAX_BOXES].inside.length + 2;
	joined = rstar_arena_alloc(arena, total);
	if (!joined)
		return true;
	out->at = joined;
	for (size_t i = first; i < list.count; i++)
	{
		rstar_span inside = list.item[i % MAX_BOXES].inside;

		if (i > first)
		{
			memcpy(joined, ", ", 2);
			joined += 2;
		}
		memcpy(joined, inside.at, inside.length);
		joined += inside.length;
	}
	out->length = (size_t) (joined - out->at);
	return true;
}

/* --- phrases ------------------------------------------------------------------------ */

/* Case-insensitive, phrase in lower case. */
static bool
phrase_at(const char *at, const char *end, const char *phrase)
{
	size_t length = strlen(phrase);

	if ((size_t) (end - at) < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (at[i] != phrase[i] && !(at[i] >= 'A' && at[i] <= 'Z' && at[i] + 32 == phrase[i]))
			return false;
	return true;
}

/* Up to the end of the sentence: a point followed by white space, or a line's end. */
static rstar_span
sentence(const char *at, const char *end)
{
	rstar_span out = {at, 0};
	int dollars = 0;

	for (; at < end; at++)
	{
		if (*at == '$')
			dollars++;
		if (*at == '\n' && at > out.at && dollars % 2 == 0)
		{
			rstar_span so_far = {out.at, (size_t) (at - out.at)};

			if (rstar_span_trim(so_far).length > 0)
				break;
		}
		if (*at == '.' && (at + 1 == end || is_space(at[1]) || at[1] == '<') && dollars % 2 == 0 &&
			at > out.at)
			break;
	}
	out.length = (size_t) (at - out.at);
	return out;
}

static bool
extract_phrase(rstar_span text, rstar_span *out)
{
	static const char *const verbs[] = {" is", ":", " are", "s are", " =", "**:", ":**"};
	const char *end = text.at + text.length;

	for (const char *at = end; at-- > text.at;)
	{
		if ((*at | 32) != 'a' || !phrase_at(at, end, "answer"))
			continue;
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		{
			const char *behind = at + 6;

			while (verbs[i][0] == ' ' && end - behind > 1 && is_space(behind[0]) &&
				   is_space(behind[1]))
				behind++;
			if (!phrase_at(behind, end, verbs[i]))
				continue;
			behind += strlen(verbs[i]);
			while (behind < end && (*behind == ':' || *behind == '*' || is_space(*behind)))
				behind++;
			*out = rstar_span_trim(sentence(behind, end));
			if (out->length > 0)
				return true;
		}
	}
	return false;
}

/* The last occurrence of a mark: what stands behind it, up to `stop` or the line's end. */
static bool
extract_behind(rstar_span text, const char *mark, const char *stop, rstar_span *out)
{
	size_t length = strlen(mark);
	const char *end = text.at + text.length;
	const char *found = NULL;
	const char *at = text.at;

	while ((at = memmem(at, (size_t) (end - at), mark, length)))
	{
		at += length;
		found = at;
	}
	if (!found)
		return false;
	out->at = found;
	at = stop ? memmem(found, (size_t) (end - found), stop, strlen(stop))
			  : memchr(found, '\n', (size_t) (end - found));
	out->length = (size_t) ((at ? at : end) - found);
	return true;
}

rstar_extracted
rstar_extract_marked(rstar_arena *arena, rstar_span text, rstar_span *out)
{
	rstar_extracted how = RSTAR_EXTRACTED_MARKED;

	*out = text;
	if (extract_box(arena, text, out))
		how = RSTAR_EXTRACTED_BOX;
	else if (extract_behind(text, "<answer>", "<", out) || extract_behind(text, "####", NULL, out))
		;
	else if (!extract_phrase(text, out))
	{
		*out = text;
		how = RSTAR_EXTRACTED_WHOLE;
	}
	*out = rstar_span_trim(*out);
	return how;
}

/* --- the last formula or number ---------------------------------------------------------- */

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

/* Words and numbers, no mathematics outside formulas. */
static bool
is_prose(rstar_span text)
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
	if (is_prose(rest) || (formula.length == 0 && is_prose(text)))
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

/* --- letters -------------------------------------------------------------------------------- */

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
	if (found || !any || !is_prose(text))
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

/* --- plain text -------------------------------------------------------------------------------- */

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

bool
rstar_plain_text(rstar_arena *arena, rstar_span text, bool fold_case, rstar_span *out)
{
	char *to = rstar_arena_alloc(arena, text.length + 1);
	size_t n = 0;
	uint64_t hidden = 0; /* a bit for each of the innermost open braces: is it left out? */
	bool hide = false;   /* the next brace belongs to a command that was left out */

	out->at = to;
	out->length = 0;
	if (!to)
		return false;
	text = rstar_span_trim(text);
	for (size_t i = 0; i < text.length; i++)
	{
		char c = text.at[i];

		if (is_space(c) || c == '$' || c == '~')
			continue;
		if (c == '\\')
		{
			size_t skip = dropped_command(text, i);

			if (skip > 0)
			{
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
		if (fold_case && c >= 'A' && c <= 'Z')
			c = (char) (c + 32);
		to[n++] = c;
	}
	while (n > 0 && to[n - 1] == '.')
		n--;
	out->length = n;
	return true;
}

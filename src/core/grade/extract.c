/*
 * extract.c
 *	  Finding the answer within a text: see extract.h and grade.h.
 *
 * Every function is one or two passes over the text.
 */
#include "core/grade/extract_internal.h"

#define MAX_BOXES   64  /* remembered, the last ones */
#define MAX_NESTING 64  /* boxes within boxes */
#define MAX_BETWEEN 120 /* bytes between two boxes that are one answer */
#define MAX_BEFORE  300 /* bytes of a sentence that are looked at around a phrase */
#define ANSWER      6   /* bytes of the word */
#define MAX_WORDS   6   /* between two boxes, before the conjunction */

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
	if (memmem(inside.at, inside.length, open, o))
		return false;
	*span = inside;
	return true;
}

/* Repeated until nothing comes off: "**$5$.**" has emphasis around a point around signs. */
rstar_span
rstar_span_trim(rstar_span span)
{
	static const struct
	{
		const char *open;
		const char *close;
	} wraps[] = {
		{"$$", "$$"},         {"\\[", "\\]"},       {"\\(", "\\)"},       {"$", "$"},
		{"__", "__"},         {"`", "`"},           {"'", "'"},           {"\"", "\""},
		{"\u201c", "\u201d"}, {"\u2018", "\u2019"}, {"\u00ab", "\u00bb"}, {"``", "''"},
	};

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
		for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++)
			if (unwrap(&span, wraps[i].open, wraps[i].close))
				break;
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

/*
 * One pass with a stack of the boxes that are open and the depth of braces at which each closes; a box without
 * braces ends with its run of letters and digits.
 */
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
			at += at[1] == '\\' && box_command(at + 1, end) > 0; /* escaped once too often */
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

/*
 * Nothing, a conjunction or a comma, with a few words before it ("\boxed{1} papers and
 * \boxed{2} bins") and "name =" behind it.
 */
static bool
connects(const char *at, const char *end)
{
	int words = 0;
	bool joined = at == end;
	bool equals = false;

	if (end - at > MAX_BETWEEN || !rstar_extract_harmless((rstar_span){at, (size_t) (end - at)}))
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
			else if (++words > (joined ? 1 : MAX_WORDS))
				return false;
		}
		else if (is_space(*at) || is_digit(*at) || strchr("${}()_^'", *at))
			at++;
		else
			return false;
	}
	return joined && (words == 0 || equals);
}

/* The last box, with those before it that belong to it; *end: behind the last one. */
static bool
extract_box(rstar_arena *arena, rstar_span text, rstar_span *out, const char **end)
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
	*end = list.item[first % MAX_BOXES].end;
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

/* The part of a sentence before a place in it. */
static rstar_span
sentence_before(rstar_span text, const char *at)
{
	const char *from = at;

	while (from > text.at && at - from < MAX_BEFORE && from[-1] != '\n' &&
		   !(is_space(*from) && strchr(".!?", from[-1])))
		from--;
	return (rstar_span){from, (size_t) (at - from)};
}

/* Behind a heading: nothing but marks of emphasis up to the line's end. */
static const char *
behind_heading(rstar_span text, const char *word, const char *at)
{
	const char *end = text.at + text.length;
	rstar_span before = sentence_before(text, word);
	bool line = false;

	while (before.length > 0 && strchr("*_# \t", before.at[0]))
		before = cut(before, 1, 0);
	if (before.length > 0 && !(before.length == 6 && phrase_at(before.at, end, "final ")) &&
		!(before.length == 4 && phrase_at(before.at, end, "the ")))
		return NULL;
	while (at < end && (strchr("*_:", *at) || is_space(*at)))
		line |= *at++ == '\n';
	return line ? at : NULL;
}

/* Behind "answer": where the value begins, NULL if none follows. */
static const char *
behind_answer(rstar_span text, const char *word)
{
	static const char *const verbs[] = {" is", ":", " are", "s are", " =", "**:", ":**", "__:"};
	const char *end = text.at + text.length;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
	{
		const char *behind = word + ANSWER;

		while (verbs[i][0] == ' ' && end - behind > 1 && is_space(behind[0]) && is_space(behind[1]))
			behind++;
		if (!phrase_at(behind, end, verbs[i]))
			continue;
		behind += strlen(verbs[i]);
		if (behind < end && is_letter(*behind))
			continue; /* "answer isn't" */
		while (behind < end && (*behind == ':' || *behind == '*' || is_space(*behind)))
			behind++;
		return behind;
	}
	return behind_heading(text, word, word + ANSWER);
}

/* Does the sentence behind this one take it back? "That is wrong." */
static bool
taken_back(const char *at, const char *end)
{
	rstar_span next;

	while (at < end && (is_space(*at) || strchr(".$*", *at)))
		at++;
	next = sentence(at, end);
	if (next.length > MAX_BEFORE)
		next.length = MAX_BEFORE;
	return rstar_extract_denies(next);
}

/* Behind the last "answer is", "answer:" or heading; final: only "final answer". */
static bool
extract_phrase(rstar_span text, bool final, rstar_span *out)
{
	const char *end = text.at + text.length;

	for (const char *at = end; at-- > text.at;)
	{
		const char *behind;

		if ((*at | 32) != 'a' || !phrase_at(at, end, "answer") ||
			(final && !(at - text.at >= 6 && phrase_at(at - 6, end, "final "))))
			continue;
		behind = behind_answer(text, at);
		if (!behind)
			continue;
		*out = sentence(behind, end);
		if (rstar_span_trim(*out).length == 0)
			continue;
		if (!rstar_extract_harmless(sentence_before(text, at)) ||
			taken_back(out->at + out->length, end))
			return false;
		*out = rstar_span_trim(*out);
		return true;
	}
	return false;
}

/* The last occurrence of a mark: what stands behind it, up to the first stop. */
static bool
extract_behind(rstar_span text, const char *mark, const char *const *stops, size_t n_stops,
			   rstar_span *out)
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
	for (size_t i = 0; i < n_stops; i++)
	{
		at = memmem(found, (size_t) (end - found), stops[i], strlen(stops[i]));
		end = at ? at : end;
	}
	out->length = (size_t) (end - found);
	return true;
}

rstar_extracted
rstar_extract_marked(rstar_arena *arena, rstar_span text, rstar_span *out)
{
	static const char *const tag_ends[] = {"</answer>", "<end_of_answer>", "<|"};
	static const char *const line_end[] = {"\n"};
	rstar_extracted how = RSTAR_EXTRACTED_MARKED;
	const char *box_end;
	rstar_span rest;

	*out = text;
	if (extract_box(arena, text, out, &box_end))
	{
		rest = (rstar_span){box_end, (size_t) (text.at + text.length - box_end)};
		if (!extract_phrase(rest, true, out))
			how = RSTAR_EXTRACTED_BOX;
	}
	else if (extract_behind(text, "<answer>", tag_ends, 3, out) ||
			 extract_behind(text, "####", line_end, 1, out))
		;
	else if (!extract_phrase(text, false, out))
	{
		*out = text;
		how = RSTAR_EXTRACTED_WHOLE;
	}
	*out = rstar_span_trim(*out);
	return how;
}

rstar_span
rstar_extract_unmark(rstar_arena *arena, rstar_span text)
{
	char *copy;
	size_t n = 0;

	if (!memmem(text.at, text.length, "**", 2) && !memmem(text.at, text.length, "__", 2) &&
		!memchr(text.at, '`', text.length))
		return text;
	copy = rstar_arena_alloc(arena, text.length + 1);
	if (!copy)
		return text;
	for (size_t i = 0; i < text.length; i++)
	{
		char c = text.at[i];
		bool twice = i + 1 < text.length && (c == '*' || c == '_') && text.at[i + 1] == c;
		bool opens = i == 0 || is_space(text.at[i - 1]);
		bool closes =
			i + 2 >= text.length || is_space(text.at[i + 2]) || strchr(".,;:!?)", text.at[i + 2]);

		if (twice && (opens || closes))
			i++;
		else if (c != '`')
			copy[n++] = c;
	}
	return rstar_span_trim((rstar_span){copy, n});
}

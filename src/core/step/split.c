/*
 * split.c
 *	  Taking a finished solution apart: see split.h.
 */
#include "core/step/split.h"

#include <string.h>

/* What ends a part: a tag, a fence or the end of the text. */
typedef enum boundary_kind
{
	BOUNDARY_TAG,
	BOUNDARY_CODE_FENCE,   /* ```python */
	BOUNDARY_OUTPUT_FENCE, /* ```output */
	BOUNDARY_FENCE_END,    /* ``` */
	BOUNDARY_TEXT_END
} boundary_kind;

typedef struct boundary
{
	boundary_kind kind;
	rstar_tag tag;
	size_t at;
	size_t behind;
} boundary;

const char *
rstar_part_kind_name(rstar_part_kind kind)
{
	static const char *const names[] = {"text", "code", "output", "answer"};

	return names[kind];
}

void
rstar_splitter_init(rstar_splitter *splitter, const char *text, size_t length)
{
	memset(splitter, 0, sizeof(*splitter));
	splitter->text = text;
	splitter->length = length;
	splitter->has_answer_tag =
		memmem(text, length, rstar_tag_text(RSTAR_TAG_ANSWER), rstar_tag_length(RSTAR_TAG_ANSWER));
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
has_prefix(const rstar_splitter *s, size_t at, const char *prefix)
{
	size_t length = strlen(prefix);

	return s->length - at >= length && memcmp(s->text + at, prefix, length) == 0;
}

/* Behind the end of the line at a place. */
static size_t
line_end(const rstar_splitter *s, size_t at)
{
	const char *end = memchr(s->text + at, '\n', s->length - at);

	return end ? (size_t) (end - s->text) + 1 : s->length;
}

/* A fence stands at the start of a line, perhaps indented. */
static bool
starts_line(const rstar_splitter *s, size_t at)
{
	while (at > 0 && (s->text[at - 1] == ' ' || s->text[at - 1] == '\t'))
		at--;
	return at == 0 || s->text[at - 1] == '\n' || s->text[at - 1] == '>';
}

static bool
fence_at(const rstar_splitter *s, size_t at, boundary *out)
{
	if (!has_prefix(s, at, "```") || !starts_line(s, at))
		return false;
	out->at = at;
	out->behind = line_end(s, at);
	if (has_prefix(s, at + 3, "py") || has_prefix(s, at + 3, "Py"))
		out->kind = BOUNDARY_CODE_FENCE;
	else if (has_prefix(s, at + 3, "output"))
		out->kind = BOUNDARY_OUTPUT_FENCE;
	else
	{
		out->kind = BOUNDARY_FENCE_END;
		out->behind = at + 3;
	}
	return true;
}

/* The tag at a place, if one is there. */
static bool
tag_at(const rstar_splitter *s, size_t at, boundary *out)
{
	for (int tag = 0; tag < RSTAR_N_TAGS; tag++)
		if (has_prefix(s, at, rstar_tag_text((rstar_tag) tag)))
		{
			out->kind = BOUNDARY_TAG;
			out->tag = (rstar_tag) tag;
			out->at = at;
			out->behind = at + rstar_tag_length((rstar_tag) tag);
			return true;
		}
	return false;
}

/*
 * Behind the string literal whose quotation mark stands at `at`; where it is not
 * closed, behind the mark alone.
 */
static size_t
skip_string(rstar_splitter *s, size_t at)
{
	char quote = s->text[at];
	bool *none = &s->no_triple[quote == '"'];
	char triple[4] = {quote, quote, quote, '\0'};

	if (has_prefix(s, at, triple))
	{
		const char *close = *none ? NULL : memmem(s->text + at + 3, s->length - at - 3, triple, 3);

		*none = !close;
		return close ? (size_t) (close - s->text) + 3 : at + 3;
	}
	for (size_t i = at + 1; i < s->length && s->text[i] != '\n'; i++)
	{
		if (s->text[i] == '\\')
			i++;
		else if (s->text[i] == quote)
			return i + 1;
	}
	return at + 1;
}

/* The end of the code that begins at the splitter's place. */
static boundary
code_boundary(rstar_splitter *s)
{
	boundary out = {BOUNDARY_TEXT_END, RSTAR_TAG_NONE, s->length, s->length};
	bool comment = false;

	for (size_t at = s->at; at < s->length;)
	{
		char c = s->text[at];

		if (c == '<' && tag_at(s, at, &out))
			return out;
		if (c == '`' && s->fenced && fence_at(s, at, &out))
			return out;
		if (c == '\n')
			comment = false;
		else if (c == '#')
			comment = true;
		if ((c == '"' || c == '\'') && !comment)
			at = skip_string(s, at);
		else
			at++;
	}
	return out;
}

/* The next tag that opens something, or a fence; closing tags count when asked for. */
static boundary
text_boundary(const rstar_splitter *s, rstar_tag closing, bool fences)
{
	boundary out = {BOUNDARY_TEXT_END, RSTAR_TAG_NONE, s->length, s->length};

	for (size_t at = s->at; at < s->length; at++)
	{
		char c = s->text[at];

		if (c == '<' && tag_at(s, at, &out))
		{
			if (closing == RSTAR_TAG_NONE || out.tag == closing || out.tag == RSTAR_TAG_CODE ||
				out.tag == RSTAR_TAG_OUTPUT || out.tag == RSTAR_TAG_ANSWER)
				return out;
			out = (boundary){BOUNDARY_TEXT_END, RSTAR_TAG_NONE, s->length, s->length};
		}
		if (c == '<' && closing == RSTAR_TAG_END_OF_ANSWER && has_prefix(s, at, "</answer>"))
			return (boundary){BOUNDARY_TAG, closing, at, at + 9};
		if (c == '`' && fences && fence_at(s, at, &out))
			return out;
	}
	out.kind = BOUNDARY_TEXT_END;
	out.at = out.behind = s->length;
	return out;
}

/* Text from..to without white space around; false if nothing is left. */
static bool
set_content(const rstar_splitter *s, size_t from, size_t to, rstar_part *part)
{
	while (from < to && is_space(s->text[from]))
		from++;
	while (to > from && is_space(s->text[to - 1]))
		to--;
	part->content.data = s->text + from;
	part->content.length = to - from;
	return to > from;
}

/* Code keeps the indentation of its first line. */
static bool
set_code(const rstar_splitter *s, size_t from, size_t to, rstar_part *part)
{
	bool any = set_content(s, from, to, part);
	size_t start = (size_t) (part->content.data - s->text);

	while (start > from && s->text[start - 1] != '\n')
		start--;
	if (any && start > from)
	{
		part->content.length += (size_t) (part->content.data - s->text) - start;
		part->content.data = s->text + start;
	}
	return any;
}

static bool
next_code(rstar_splitter *s, rstar_part *part)
{
	size_t from = s->at;
	boundary end = code_boundary(s);

	part->kind = RSTAR_PART_CODE;
	part->block = s->block;
	part->closed = end.kind == BOUNDARY_FENCE_END ||
				   (end.kind == BOUNDARY_TAG &&
					(end.tag == RSTAR_TAG_END_OF_STEP || end.tag == RSTAR_TAG_END_OF_CODE));
	s->at = end.behind;
	if (end.kind == BOUNDARY_TAG && end.tag == RSTAR_TAG_CODE)
		s->block++;
	else if (end.kind != BOUNDARY_TAG || end.tag != RSTAR_TAG_END_OF_STEP)
		s->in_code = false;
	if (end.kind == BOUNDARY_TAG && (end.tag == RSTAR_TAG_OUTPUT || end.tag == RSTAR_TAG_ANSWER))
		s->at = end.at; /* it opens the next part */
	if (end.kind == BOUNDARY_CODE_FENCE || end.kind == BOUNDARY_OUTPUT_FENCE)
		s->at = end.at;
	return set_code(s, from, end.at, part);
}

/* Behind an opening tag: up to its closing one, or where something else opens. */
static bool
next_enclosed(rstar_splitter *s, rstar_part_kind kind, rstar_tag closing, rstar_part *part)
{
	size_t from = s->at;
	boundary end = text_boundary(s, closing, false);

	part->kind = kind;
	part->block = kind == RSTAR_PART_OUTPUT ? s->block : 0;
	part->closed = end.kind == BOUNDARY_TAG && end.tag == closing;
	s->at = part->closed ? end.behind : end.at;
	return set_content(s, from, end.at, part);
}

static bool
next_output_fence(rstar_splitter *s, rstar_part *part)
{
	size_t from = s->at;
	boundary end = {BOUNDARY_TEXT_END, RSTAR_TAG_NONE, s->length, s->length};

	for (size_t at = from; at < s->length && end.kind == BOUNDARY_TEXT_END; at++)
		if (s->text[at] == '`' && !fence_at(s, at, &end))
			end.kind = BOUNDARY_TEXT_END;
	if (end.kind == BOUNDARY_TEXT_END)
		end.at = end.behind = s->length;
	part->kind = RSTAR_PART_OUTPUT;
	part->block = s->block;
	part->closed = end.kind == BOUNDARY_FENCE_END;
	s->at = part->closed ? end.behind : end.at;
	return set_content(s, from, end.at, part);
}

/* An untagged answer: the last text that boxes something. */
static bool
is_boxed_end(const rstar_splitter *s, const rstar_part *part)
{
	size_t behind = (size_t) (part->content.data - s->text) + part->content.length;

	return !s->has_answer_tag && memmem(part->content.data, part->content.length, "\\boxed", 6) &&
		   !memmem(s->text + behind, s->length - behind, "\\boxed", 6);
}

/* Text up to the next opening; then what opens there is read by the next call. */
static bool
next_text(rstar_splitter *s, rstar_part *part)
{
	size_t from = s->at;
	boundary end = text_boundary(s, RSTAR_TAG_NONE, true);

	part->kind = RSTAR_PART_TEXT;
	part->block = 0;
	part->closed = true;
	s->at = end.at;
	if (!set_content(s, from, end.at, part))
		return false;
	if (is_boxed_end(s, part))
		part->kind = RSTAR_PART_ANSWER;
	return true;
}

/* What stands right here: an opening tag or fence, or a stray closing one. */
static bool
next_opened(rstar_splitter *s, const boundary *here, rstar_part *part)
{
	s->at = here->behind;
	if (here->kind == BOUNDARY_CODE_FENCE ||
		(here->kind == BOUNDARY_TAG && here->tag == RSTAR_TAG_CODE))
	{
		s->in_code = true;
		s->fenced = here->kind == BOUNDARY_CODE_FENCE;
		s->block++;
		return next_code(s, part);
	}
	if (here->kind == BOUNDARY_OUTPUT_FENCE)
		return next_output_fence(s, part);
	if (here->kind == BOUNDARY_TAG && here->tag == RSTAR_TAG_OUTPUT)
		return next_enclosed(s, RSTAR_PART_OUTPUT, RSTAR_TAG_END_OF_OUTPUT, part);
	if (here->kind == BOUNDARY_TAG && here->tag == RSTAR_TAG_ANSWER)
		return next_enclosed(s, RSTAR_PART_ANSWER, RSTAR_TAG_END_OF_ANSWER, part);
	return false;
}

bool
rstar_splitter_next(rstar_splitter *s, rstar_part *part)
{
	while (s->at < s->length)
	{
		boundary here;

		if (s->in_code)
		{
			if (next_code(s, part))
				return true;
		}
		else if ((s->text[s->at] == '<' && tag_at(s, s->at, &here)) ||
				 (s->text[s->at] == '`' && fence_at(s, s->at, &here)))
		{
			if (next_opened(s, &here, part))
				return true;
		}
		else if (next_text(s, part))
			return true;
	}
	return false;
}

/*
 * mend.c
 *	  Reading a step for what it means: see mend.h.
 *
 * Two passes. The first copies the text with all spellings replaced by those of the
 * format (other tags, fences); the second adds the tags that are missing at the
 * beginning and at the end. The strict parser has the last word.
 */
#include "core/step/mend.h"

#include <string.h>

static const struct
{
	const char *text;
	rstar_tag tag;
} habits[] = {
	{"</answer>", RSTAR_TAG_END_OF_ANSWER},    {"</end_of_answer>", RSTAR_TAG_END_OF_ANSWER},
	{"<end_answer>", RSTAR_TAG_END_OF_ANSWER}, {"</code>", RSTAR_TAG_END_OF_CODE},
	{"</end_of_code>", RSTAR_TAG_END_OF_CODE}, {"<end_code>", RSTAR_TAG_END_OF_CODE},
	{"</step>", RSTAR_TAG_END_OF_STEP},        {"</end_of_step>", RSTAR_TAG_END_OF_STEP},
	{"<end_step>", RSTAR_TAG_END_OF_STEP},     {"<endofstep>", RSTAR_TAG_END_OF_STEP},
};

#define N_HABITS (sizeof habits / sizeof habits[0])

rstar_tag
rstar_step_closing_habit(const char *text, size_t length)
{
	for (size_t i = 0; i < N_HABITS; i++)
	{
		size_t n = strlen(habits[i].text);

		if (length >= n && memcmp(text + length - n, habits[i].text, n) == 0)
			return habits[i].tag;
	}
	return RSTAR_TAG_NONE;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_space(text[i]))
			return false;
	return true;
}

static bool
contains(const char *text, size_t length, const char *wanted)
{
	return length > 0 && memmem(text, length, wanted, strlen(wanted)) != NULL;
}

static bool
append_tag(rstar_buffer *out, rstar_tag tag)
{
	return rstar_buffer_append(out, rstar_tag_text(tag), rstar_tag_length(tag));
}

/* --- first pass: other spellings ------------------------------------------------ */

typedef struct speller
{
	const char *text;
	size_t length;
	size_t at;
	bool in_code;
	bool in_answer;
	rstar_buffer *out;
} speller;

static bool
starts_line(const speller *s)
{
	size_t at = s->at;

	while (at > 0 && (s->text[at - 1] == ' ' || s->text[at - 1] == '\t'))
		at--;
	return at == 0 || s->text[at - 1] == '\n' || s->text[at - 1] == '>';
}

/* Was the last thing written <code>, but for white space? */
static bool
behind_code_tag(const speller *s)
{
	size_t n = s->out->length;
	size_t tag = rstar_tag_length(RSTAR_TAG_CODE);

	while (n > 0 && is_space(s->out->data[n - 1]))
		n--;
	return n >= tag && memcmp(s->out->data + n - tag, rstar_tag_text(RSTAR_TAG_CODE), tag) == 0;
}

/* Does a tag that ends code follow at `at`, white space before it? */
static bool
code_ends_at(const speller *s, size_t at)
{
	size_t place;
	rstar_tag tag;

	while (at < s->length && is_space(s->text[at]))
		at++;
	tag = rstar_tag_find(s->text, s->length, at, &place);
	return (tag == RSTAR_TAG_END_OF_CODE || tag == RSTAR_TAG_END_OF_STEP) && place == at;
}

/*
 * A fence opens code where none is open, and closes it where it opened it or nothing
 * else does. One that says no more than a tag beside it is left out.
 */
static bool
spell_fence(speller *s)
{
	size_t behind = s->at + 3;
	size_t name = behind;

	while (behind < s->length && s->text[behind] != '\n' && !is_space(s->text[behind]) &&
		   s->text[behind] != '<')
		behind++;
	s->at = behind;
	if (!s->in_code)
	{
		s->in_code = true;
		return append_tag(s->out, RSTAR_TAG_CODE);
	}
	if (behind > name || behind_code_tag(s) || code_ends_at(s, behind))
		return true; /* "```python" within code, or a fence beside a tag */
	s->in_code = false;
	return append_tag(s->out, RSTAR_TAG_END_OF_CODE);
}

/* A tag of the format, or another spelling of one, at the speller's place. */
static rstar_tag
tag_here(const speller *s, size_t *length)
{
	size_t left = s->length - s->at;
	size_t at;
	rstar_tag tag;

	for (size_t i = 0; i < N_HABITS; i++)
	{
		*length = strlen(habits[i].text);
		if (left >= *length && memcmp(s->text + s->at, habits[i].text, *length) == 0)
			return habits[i].tag;
	}
	tag = rstar_tag_find(s->text + s->at, left, 0, &at);
	if (tag == RSTAR_TAG_NONE || at > 0)
		return RSTAR_TAG_NONE;
	*length = rstar_tag_length(tag);
	return tag;
}

static bool
spell_tag(speller *s, rstar_tag tag, size_t length)
{
	s->at += length;
	if (tag == RSTAR_TAG_CODE && s->in_code)
		return true; /* it is open */
	if (s->in_answer && (tag == RSTAR_TAG_END_OF_OUTPUT || tag == RSTAR_TAG_END_OF_CODE ||
						 tag == RSTAR_TAG_END_OF_STEP))
		tag = RSTAR_TAG_END_OF_ANSWER; /* what else could it close? */
	s->in_answer = tag == RSTAR_TAG_ANSWER;
	if (tag == RSTAR_TAG_CODE)
		s->in_code = true;
	if (tag == RSTAR_TAG_END_OF_CODE)
		s->in_code = false;
	return append_tag(s->out, tag);
}

/* Up to and with the first tag at which generation stops. */
static bool
spell(speller *s)
{
	while (s->at < s->length)
	{
		char c = s->text[s->at];
		size_t length;
		rstar_tag tag = c == '<' ? tag_here(s, &length) : RSTAR_TAG_NONE;

		if (tag != RSTAR_TAG_NONE)
		{
			bool answered = s->in_answer && tag != RSTAR_TAG_ANSWER && tag != RSTAR_TAG_CODE &&
							tag != RSTAR_TAG_OUTPUT;

			if (!spell_tag(s, tag, length))
				return false;
			if (answered || rstar_tag_stops(tag))
				return true;
		}
		else if (c == '`' && !s->in_answer && s->length - s->at >= 3 &&
				 memcmp(s->text + s->at, "```", 3) == 0 && starts_line(s))
		{
			bool was_open = s->in_code;

			if (!spell_fence(s))
				return false;
			if (was_open && !s->in_code)
				return true; /* the fence closed the block */
		}
		else if (rstar_buffer_append(s->out, s->text + s->at, 1))
			s->at++;
		else
			return false;
	}
	return true;
}

/* --- second pass: missing tags ---------------------------------------------------- */

/* The tags that a spelled text has, in order; at most the first two matter. */
typedef struct outline
{
	rstar_tag first, last;
	size_t first_at, last_at;
	int count;
} outline;

static outline
outline_of(const rstar_buffer *text)
{
	outline o = {RSTAR_TAG_NONE, RSTAR_TAG_NONE, 0, 0, 0};
	size_t from = 0, at;
	rstar_tag tag;

	while ((tag = rstar_tag_find(text->data, text->length, from, &at)) != RSTAR_TAG_NONE)
	{
		if (o.count++ == 0)
		{
			o.first = tag;
			o.first_at = at;
		}
		o.last = tag;
		o.last_at = at;
		from = at + rstar_tag_length(tag);
	}
	return o;
}

/* Code that the model ended without a tag. */
static rstar_tag
end_of_code(const char *code, size_t length, rstar_solution_state state)
{
	if (is_blank(code, length))
		return state == RSTAR_SOLUTION_CODE ? RSTAR_TAG_END_OF_CODE : RSTAR_TAG_NONE;
	return contains(code, length, "print(") ? RSTAR_TAG_END_OF_CODE : RSTAR_TAG_END_OF_STEP;
}

/* Words outside of code that the model ended: an answer, if anything says so. */
static bool
close_answer(const rstar_buffer *text, const outline *o, rstar_solution_state state,
			 rstar_buffer *out)
{
	bool open = o->first == RSTAR_TAG_ANSWER && o->count == 1;

	if (!open && (o->count > 0 || is_blank(text->data, text->length)))
		return false;
	if (!open && state != RSTAR_SOLUTION_RAN && !contains(text->data, text->length, "\\boxed"))
		return false;
	return (open || append_tag(out, RSTAR_TAG_ANSWER)) &&
		   rstar_buffer_append(out, text->data, text->length) &&
		   append_tag(out, RSTAR_TAG_END_OF_ANSWER);
}

static bool
complete(const rstar_buffer *text, rstar_solution_state state, bool ended, rstar_buffer *out)
{
	outline o = outline_of(text);
	bool in_code = state == RSTAR_SOLUTION_CODE || o.first == RSTAR_TAG_CODE;
	size_t code = o.first == RSTAR_TAG_CODE ? o.first_at + rstar_tag_length(RSTAR_TAG_CODE) : 0;
	rstar_tag end = RSTAR_TAG_NONE;

	if (o.last == RSTAR_TAG_END_OF_STEP || o.last == RSTAR_TAG_END_OF_CODE)
		return (in_code || append_tag(out, RSTAR_TAG_CODE)) &&
			   rstar_buffer_append(out, text->data, text->length);
	if (o.last == RSTAR_TAG_END_OF_ANSWER)
		return (o.first == RSTAR_TAG_ANSWER || append_tag(out, RSTAR_TAG_ANSWER)) &&
			   rstar_buffer_append(out, text->data, text->length);
	if (!ended)
		return false;
	if (!in_code)
		return close_answer(text, &o, state, out);
	if (o.count == (o.first == RSTAR_TAG_CODE))
		end = end_of_code(text->data + code, text->length - code, state);
	return end != RSTAR_TAG_NONE && rstar_buffer_append(out, text->data, text->length) &&
		   rstar_buffer_append_text(out, "\n") && append_tag(out, end);
}

bool
rstar_step_mend(const char *text, size_t length, rstar_solution_state state, bool ended,
				rstar_buffer *out)
{
	rstar_step_parse parse;
	rstar_buffer spelled;
	speller s = {
		.text = text, .length = length, .in_code = state == RSTAR_SOLUTION_CODE, .out = &spelled};
	bool done;

	if (state == RSTAR_SOLUTION_DONE)
		return false;
	rstar_buffer_init(&spelled, out->allocator);
	done =
		rstar_buffer_append(&spelled, "", 0) && spell(&s) && complete(&spelled, state, ended, out);
	rstar_buffer_free(&spelled);
	if (!done)
		return false;
	rstar_step_parse_text(out->data, out->length, state, &parse);
	return parse.kind != RSTAR_STEP_UNPARSABLE;
}

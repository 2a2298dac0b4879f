/*
 * step.c
 *	  The format of a solution, and what a step of it is.
 */
#include "core/step/step.h"

#include <string.h>

#define LONGEST_PIECE_TAGS 8 /* no piece of the grammar has so many */

static const struct
{
	const char *text;
	size_t length;
	bool stops;
} tags[RSTAR_N_TAGS] = {
#define TAG(literal, stops)                                                                        \
	{                                                                                              \
		literal, sizeof(literal) - 1, stops                                                        \
	}
	[RSTAR_TAG_CODE] = TAG("<code>", false),
	[RSTAR_TAG_END_OF_STEP] = TAG("<end_of_step>", true),
	[RSTAR_TAG_END_OF_CODE] = TAG("<end_of_code>", true),
	[RSTAR_TAG_OUTPUT] = TAG("<output>", false),
	[RSTAR_TAG_END_OF_OUTPUT] = TAG("<end_of_output>", false),
	[RSTAR_TAG_ANSWER] = TAG("<answer>", false),
	[RSTAR_TAG_END_OF_ANSWER] = TAG("<end_of_answer>", true),
#undef TAG
};

const char *
rstar_tag_text(rstar_tag tag)
{
	return tags[tag].text;
}

size_t
rstar_tag_length(rstar_tag tag)
{
	return tags[tag].length;
}

bool
rstar_tag_stops(rstar_tag tag)
{
	return tag != RSTAR_TAG_NONE && tags[tag].stops;
}

/* The tag at the very start of text. */
static rstar_tag
tag_at(const char *text, size_t length)
{
	for (int tag = 0; tag < RSTAR_N_TAGS; tag++)
		if (length >= tags[tag].length && memcmp(text, tags[tag].text, tags[tag].length) == 0)
			return (rstar_tag) tag;
	return RSTAR_TAG_NONE;
}

rstar_tag
rstar_tag_find(const char *text, size_t length, size_t from, size_t *at)
{
	while (from < length)
	{
		const char *open = memchr(text + from, '<', length - from);
		rstar_tag tag;

		if (!open)
			break;
		from = (size_t) (open - text);
		tag = tag_at(open, length - from);
		if (tag != RSTAR_TAG_NONE)
		{
			*at = from;
			return tag;
		}
		from++;
	}
	return RSTAR_TAG_NONE;
}

/* --- parsing a step -------------------------------------------------------- */

const char *
rstar_step_kind_name(rstar_step_kind kind)
{
	static const char *const names[] = {"unparsable", "code", "code end", "answer"};

	return names[kind];
}

static bool
is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && (text[i] < '\t' || text[i] > '\r'))
			return false;
	return true;
}

/* The tags of a piece, one after the other. */
typedef struct tag_list
{
	const char *text;
	size_t length;
	int count;
	rstar_tag tag[LONGEST_PIECE_TAGS];
	size_t at[LONGEST_PIECE_TAGS];
} tag_list;

static void
list_tags(tag_list *list, const char *text, size_t length)
{
	size_t from = 0;

	list->text = text;
	list->length = length;
	list->count = 0;
	while (list->count < LONGEST_PIECE_TAGS)
	{
		size_t at;
		rstar_tag tag = rstar_tag_find(text, length, from, &at);

		if (tag == RSTAR_TAG_NONE)
			break;
		list->tag[list->count] = tag;
		list->at[list->count++] = at;
		from = at + tags[tag].length;
	}
}

static size_t
behind(const tag_list *list, int i)
{
	return list->at[i] + tags[list->tag[i]].length;
}

/* The text between tags i and j. */
static rstar_string
between(const tag_list *list, int i, int j)
{
	rstar_string part;

	part.data = list->text + behind(list, i);
	part.length = list->at[j] - behind(list, i);
	return part;
}

static bool
blank_from(const tag_list *list, size_t from)
{
	return is_blank(list->text + from, list->length - from);
}

/* Code that ends at tag `end`, the last that the model wrote. */
static bool
parse_code(const tag_list *list, int end, rstar_step_parse *parse)
{
	rstar_string gap;

	parse->written = behind(list, end);
	parse->kind = list->tag[end] == RSTAR_TAG_END_OF_STEP ? RSTAR_STEP_CODE : RSTAR_STEP_CODE_END;
	parse->next = parse->kind == RSTAR_STEP_CODE ? RSTAR_SOLUTION_CODE : RSTAR_SOLUTION_RAN;
	if (list->count == end + 1)
		return blank_from(list, parse->written);
	if (parse->kind == RSTAR_STEP_CODE || list->count != end + 3 ||
		list->tag[end + 1] != RSTAR_TAG_OUTPUT || list->tag[end + 2] != RSTAR_TAG_END_OF_OUTPUT)
		return false;
	gap = between(list, end, end + 1);
	parse->output = between(list, end + 1, end + 2);
	parse->has_output = true;
	return is_blank(gap.data, gap.length) && blank_from(list, behind(list, end + 2));
}

static bool
ends_code(rstar_tag tag)
{
	return tag == RSTAR_TAG_END_OF_STEP || tag == RSTAR_TAG_END_OF_CODE;
}

static bool
parse_within_code(const tag_list *list, rstar_step_parse *parse)
{
	if (list->count < 1 || !ends_code(list->tag[0]))
		return false;
	parse->code.data = list->text;
	parse->code.length = list->at[0];
	return parse_code(list, 0, parse);
}

static bool
parse_outside_code(const tag_list *list, rstar_step_parse *parse)
{
	if (list->count < 2)
		return false;
	if (list->tag[0] == RSTAR_TAG_CODE && ends_code(list->tag[1]))
	{
		parse->code = between(list, 0, 1);
		return parse_code(list, 1, parse);
	}
	if (list->count != 2 || list->tag[0] != RSTAR_TAG_ANSWER ||
		list->tag[1] != RSTAR_TAG_END_OF_ANSWER)
		return false;
	parse->answer = between(list, 0, 1);
	parse->kind = RSTAR_STEP_ANSWER;
	parse->next = RSTAR_SOLUTION_DONE;
	parse->written = behind(list, 1);
	return blank_from(list, parse->written);
}

void
rstar_step_parse_text(const char *text, size_t length, rstar_solution_state state,
					  rstar_step_parse *parse)
{
	tag_list list;
	bool follows;

	memset(parse, 0, sizeof(*parse));
	list_tags(&list, text, length);
	if (state == RSTAR_SOLUTION_CODE)
		follows = parse_within_code(&list, parse);
	else
		follows = state != RSTAR_SOLUTION_DONE && parse_outside_code(&list, parse);
	if (!follows)
	{
		memset(parse, 0, sizeof(*parse));
		parse->kind = RSTAR_STEP_UNPARSABLE;
		parse->next = state;
		parse->written = length;
	}
}

bool
rstar_step_declines(rstar_string answer)
{
	const size_t length = sizeof RSTAR_DECLINE_TEXT - 1;
	size_t from = 0, to = answer.length;

	while (from < to && is_blank(answer.data + from, 1))
		from++;
	while (to > from && is_blank(answer.data + to - 1, 1))
		to--;
	return to - from == length && memcmp(answer.data + from, RSTAR_DECLINE_TEXT, length) == 0;
}

/* Behind an <output> … <end_of_output> that follows at `from`, white space before it; else `from`. */
static size_t
behind_output(const char *text, size_t length, size_t from)
{
	size_t at = from, end;

	while (at < length && (text[at] == '\n' || text[at] == ' '))
		at++;
	if (rstar_tag_find(text, length, at, &end) != RSTAR_TAG_OUTPUT || end != at)
		return from;
	if (rstar_tag_find(text, length, at + 1, &end) != RSTAR_TAG_END_OF_OUTPUT)
		return from;
	end += rstar_tag_length(RSTAR_TAG_END_OF_OUTPUT);
	return end < length && text[end] == '\n' ? end + 1 : end;
}

/* Behind the blank line that follows at `from`, else `from`. */
static size_t
behind_gap(const char *text, size_t length, size_t from)
{
	const size_t gap = sizeof RSTAR_STEP_GAP - 1;

	return length - from >= gap && memcmp(text + from, RSTAR_STEP_GAP, gap) == 0 ? from + gap
																				 : from;
}

size_t
rstar_solution_cut(const char *text, size_t length, bool shown)
{
	size_t from = 0, at;
	rstar_tag tag;

	while ((tag = rstar_tag_find(text, length, from, &at)) != RSTAR_TAG_NONE)
	{
		from = at + rstar_tag_length(tag);
		if (tag == RSTAR_TAG_END_OF_CODE)
			return behind_output(text, length, from);
		if (tag == RSTAR_TAG_END_OF_STEP && shown)
			return behind_gap(text, length, from);
		if (rstar_tag_stops(tag))
			return from;
	}
	return length;
}

/* --- the inserted output --------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the first max_characters characters of valid UTF-8. */
static size_t
cut_characters(const char *text, size_t length, size_t max_characters)
{
	size_t at = 0;

	for (size_t n = 0; n < max_characters && at < length; n++)
	{
		uint32_t code;
		size_t bytes = rstar_utf8_decode(text + at, length - at, &code);

		at += bytes > 0 ? bytes : 1;
	}
	return at;
}

/* Append text, a blank behind the first character of what would be read as a tag. */
static bool
append_harmless(rstar_buffer *out, const char *text, size_t length,
				const rstar_tokenizer *tokenizer)
{
	for (size_t at = 0; at < length;)
	{
		bool harmful =
			tag_at(text + at, length - at) != RSTAR_TAG_NONE ||
			(tokenizer && rstar_tokenizer_special_length(tokenizer, text + at, length - at) > 0);
		size_t character = cut_characters(text + at, length - at, 1);

		if (!rstar_buffer_append(out, text + at, character) ||
			(harmful && !rstar_buffer_append(out, " ", 1)))
			return false;
		at += character;
	}
	return true;
}

rstar_status
rstar_output_append(rstar_buffer *out, const char *printed, size_t length, size_t max_characters,
					const rstar_tokenizer *tokenizer, rstar_error *err)
{
	rstar_buffer clean;
	bool done;

	while (length > 0 && is_space(printed[0]))
	{
		printed++;
		length--;
	}
	while (length > 0 && is_space(printed[length - 1]))
		length--;
	rstar_buffer_init(&clean, out->allocator);
	done = rstar_utf8_append_clean(&clean, printed, length) &&
		   rstar_buffer_append_text(out, "\n") &&
		   rstar_buffer_append_text(out, tags[RSTAR_TAG_OUTPUT].text) &&
		   append_harmless(out, clean.data,
						   cut_characters(clean.data, clean.length, max_characters), tokenizer) &&
		   rstar_buffer_append_text(out, tags[RSTAR_TAG_END_OF_OUTPUT].text) &&
		   rstar_buffer_append_text(out, "\n");
	rstar_buffer_free(&clean);
	if (!done)
		return rstar_error_memory(err, length);
	return RSTAR_OK;
}

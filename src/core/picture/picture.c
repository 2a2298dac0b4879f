/*
 * picture.c
 *	  What the pictures of a tree share.
 */
#include "core/picture/picture.h"

#include <string.h>

#include "core/text/utf8.h"

/* --- counting -------------------------------------------------------------------- */

void
rstar_picture_count(const rstar_tree *tree, rstar_picture_counts *counts)
{
	*counts = (rstar_picture_counts){0};
	for (uint32_t id = 1; id < tree->n_nodes; id++)
	{
		const rstar_tree_node *node = &tree->nodes[id];

		counts->duplicates += node->duplicates;
		if (rstar_node_rejected(node))
		{
			counts->rejected++;
			counts->by_status[node->status]++;
			continue;
		}
		if (node->depth > counts->depth)
			counts->depth = node->depth;
		if (node->kind != RSTAR_NODE_ANSWER)
		{
			counts->steps++;
			continue;
		}
		counts->answers++;
		counts->correct += node->graded && node->correct;
		counts->wrong += node->graded && !node->correct;
	}
}

void
rstar_picture_mark_path(const rstar_tree *tree, uint32_t leaf, bool *on_path)
{
	if (leaf >= tree->n_nodes)
		return;
	for (; leaf != RSTAR_NO_NODE; leaf = tree->nodes[leaf].parent)
		on_path[leaf] = true;
}

/* --- lines of a node's text ------------------------------------------------------ */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static rstar_string
trim(rstar_string s)
{
	while (s.length > 0 && is_blank(s.data[0]))
		s.data++, s.length--;
	while (s.length > 0 && is_blank(s.data[s.length - 1]))
		s.length--;
	return s;
}

static bool
begins(rstar_string s, const char *word)
{
	return s.length >= strlen(word) && memcmp(s.data, word, strlen(word)) == 0;
}

static bool
ends(rstar_string s, const char *word)
{
	size_t n = strlen(word);

	return s.length >= n && memcmp(s.data + s.length - n, word, n) == 0;
}

/* A line without the tags at its ends; what was inserted as output is not the node's own. */
static rstar_string
untagged(rstar_string line)
{
	static const char *const tags[] = {"<code>",          "<end_of_step>", "<end_of_code>",
									   "<end_of_output>", "<answer>",      "<end_of_answer>"};
	bool again = true;

	line = trim(line);
	while (again)
	{
		again = false;
		if (begins(line, "<output>"))
			line.length = 0;
		for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		{
			if (begins(line, tags[i]))
				line = trim(
					(rstar_string){line.data + strlen(tags[i]), line.length - strlen(tags[i])});
			else if (ends(line, tags[i]))
				line = trim((rstar_string){line.data, line.length - strlen(tags[i])});
			else
				continue;
			again = true;
		}
	}
	return line;
}

/* The next line that says something, *from moved behind it; length 0 at the end. */
static rstar_string
next_line(rstar_string text, size_t *from)
{
	while (*from < text.length)
	{
		const char *begin = text.data + *from;
		const char *end = memchr(begin, '\n', text.length - *from);
		size_t length = end ? (size_t) (end - begin) : text.length - *from;
		rstar_string line = untagged((rstar_string){begin, length});

		*from += length + 1;
		if (line.length > 0)
			return line;
	}
	return (rstar_string){"", 0};
}

rstar_string
rstar_picture_words(const rstar_tree_node *node)
{
	size_t from = 0;

	for (;;)
	{
		rstar_string line = next_line(node->text, &from);

		if (line.length == 0)
			return line;
		if (node->kind == RSTAR_NODE_ANSWER)
			return line;
		if (line.data[0] != '#')
			continue;
		while (line.length > 0 && line.data[0] == '#')
			line.data++, line.length--;
		line = trim(line);
		if (line.length > 0)
			return line;
	}
}

rstar_string
rstar_picture_code(const rstar_tree_node *node)
{
	rstar_string line, import = {"", 0};
	size_t from = 0;

	if (node->kind == RSTAR_NODE_ANSWER)
		return import;
	while ((line = next_line(node->text, &from)).length > 0)
	{
		if (line.data[0] == '#')
			continue;
		if (!begins(line, "import ") && !begins(line, "from "))
			return line;
		if (import.length == 0)
			import = line;
	}
	return import;
}

rstar_string
rstar_picture_failure(const rstar_tree_node *node)
{
	rstar_string s = node->output;

	while (s.length > 0 && (s.data[s.length - 1] == '\n' || s.data[s.length - 1] == ' '))
		s.length--;
	for (size_t i = s.length; i > 0; i--)
	{
		if (s.data[i - 1] == '\n')
			return (rstar_string){s.data + i, s.length - i};
	}
	return s;
}

/* --- characters ------------------------------------------------------------------ */

/* What moves or hides other text: controls, marks of direction, ends of lines. */
static bool
steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x61C || (c >= 0x200E && c <= 0x200F) ||
		   (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
		   (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF) || (c >= 0xFFF9 && c <= 0xFFFB) ||
		   (c >= 0xE0000 && c <= 0xE0FFF);
}

static uint32_t
columns_of(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200D) ||
		(c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x20D0 && c <= 0x20FF))
		return 0;
	if ((c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
		(c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
		(c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
		(c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
		(c >= 0x20000 && c <= 0x3FFFD))
		return 2;
	return 1;
}

size_t
rstar_picture_character(const char *text, size_t length, uint32_t *code, uint32_t *columns)
{
	size_t bytes = rstar_utf8_decode(text, length, code);

	if (bytes == 0)
	{
		*code = RSTAR_UTF8_REPLACEMENT;
		bytes = 1;
	}
	else if (*code == ' ' || *code == '\t' || *code == '\n' || *code == '\r')
		*code = ' ';
	else if (steers(*code))
		*code = RSTAR_UTF8_REPLACEMENT;
	*columns = columns_of(*code);
	return bytes;
}

/*
 * White space becomes one blank, none at the ends, in one pass: a blank is written only when
 * something follows. `cut` is the last place that leaves a column for the ellipsis, so nothing
 * is written twice. The count of characters bounds those without width, too.
 */
bool
rstar_picture_line(rstar_buffer *out, rstar_string text, uint32_t columns)
{
	uint32_t used = 0, characters = 0;
	size_t cut = out->length; /* where an ellipsis would still fit */
	bool blank = false, any = false;

	for (size_t i = 0; i < text.length;)
	{
		char bytes[4];
		uint32_t code, width;

		i += rstar_picture_character(text.data + i, text.length - i, &code, &width);
		if (code == ' ')
		{
			blank = any;
			continue;
		}
		if (used + blank + width > columns || ++characters > 4 * columns)
		{
			out->length = cut;
			return columns == 0 || rstar_buffer_append_text(out, "\xe2\x80\xa6");
		}
		if (blank && !rstar_buffer_append(out, " ", 1))
			return false;
		if (!rstar_buffer_append(out, bytes, rstar_utf8_encode(code, bytes)))
			return false;
		used += blank + width;
		if (used < columns)
			cut = out->length;
		blank = false;
		any = true;
	}
	return true;
}

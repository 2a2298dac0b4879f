/*
 * slips.c
 *	  Words of a problem that its solution copies wrongly.
 */
#include "core/search/slips.h"

#include <string.h>

#include "core/search/chars.h"

#define ALIKE 4 /* of so many characters one may differ */

typedef struct word
{
	char text[RSTAR_SLIPS_LONGEST];
	uint32_t length; /* 0: too long, or too short */
	bool number;     /* begins with a digit */
} word;

/* Does a digit stand at i, and so many in a row? */
static bool
digits(rstar_string text, size_t i, size_t n)
{
	size_t have = 0;

	while (have < n && i + have < text.length && is_digit(text.data[i + have]))
		have++;
	return have == n;
}

/* Between two digits a point belongs to the number, and so does a comma at its thousands. */
static bool
inside_number(rstar_string text, size_t i)
{
	if (i == 0 || !is_digit(text.data[i - 1]))
		return false;
	return (text.data[i] == '.' && digits(text, i + 1, 1)) ||
		   (text.data[i] == ',' && digits(text, i + 1, 3) && !digits(text, i + 1, 4));
}

/* Zeros at the end behind a point, and that point, say nothing. */
static void
trim(word *w)
{
	if (!w->number || !memchr(w->text, '.', w->length))
		return;
	while (w->text[w->length - 1] == '0')
		w->length--;
	w->length -= w->text[w->length - 1] == '.';
}

/* The word that begins at i, in lower case and without commas. Returns where it ends. */
static size_t
read_word(rstar_string text, size_t i, word *w)
{
	bool fits = true;

	w->length = 0;
	w->number = is_digit(text.data[i]);
	for (; i < text.length; i++)
	{
		char c = text.data[i];

		if (!is_digit(c) && !is_letter(c) && !inside_number(text, i))
			break;
		fits &= w->length < RSTAR_SLIPS_LONGEST;
		if (fits && c != ',')
			w->text[w->length++] = lower(c);
	}
	if (fits)
		trim(w);
	if (!fits || w->length < RSTAR_SLIPS_LEAST)
		w->length = 0;
	return i;
}

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* One begins the other, and letters follow: a number with its unit, another form of a word. */
static bool
with_ending(const word *a, const word *b, uint32_t front)
{
	const word *longer = a->length > b->length ? a : b;

	if (front < a->length && front < b->length)
		return false;
	while (front < longer->length && is_letter(longer->text[front]))
		front++;
	return front == longer->length;
}

/* All but a character of them is the same, or all but a quarter of a long word. */
static bool
very_like(const word *a, const word *b)
{
	uint32_t least = smaller(a->length, b->length), most = a->length + b->length - least;
	uint32_t front = 0, back = 0;

	while (front < least && a->text[front] == b->text[front])
		front++;
	while (back < least - front && a->text[a->length - 1 - back] == b->text[b->length - 1 - back])
		back++;
	return !with_ending(a, b, front) && most - front - back <= most / ALIKE;
}

/* --- the words of both ------------------------------------------------------------------- */

typedef struct said
{
	word word;
	bool used, like; /* the solution has it; has something very like it */
} said;

typedef struct vocabulary
{
	said all[RSTAR_SLIPS_MOST];
	uint32_t n;
} vocabulary;

static said *
find(vocabulary *v, const word *w)
{
	for (uint32_t i = 0; i < v->n; i++)
		if (v->all[i].word.length == w->length &&
			memcmp(v->all[i].word.text, w->text, w->length) == 0)
			return &v->all[i];
	return NULL;
}

static void
read_problem(vocabulary *v, rstar_string problem)
{
	word w;

	for (size_t i = 0; i < problem.length;)
	{
		if (!is_digit(problem.data[i]) && !is_letter(problem.data[i]))
		{
			i++;
			continue;
		}
		i = read_word(problem, i, &w);
		if (w.length > 0 && v->n < RSTAR_SLIPS_MOST && !find(v, &w))
			v->all[v->n++] = (said){.word = w};
	}
}

static void
compare(vocabulary *v, const word *w)
{
	said *same = w->length > 0 ? find(v, w) : NULL;

	if (same)
		same->used = true;
	for (uint32_t i = 0; i < v->n && w->length > 0 && !same; i++)
		v->all[i].like |= v->all[i].word.number == w->number && very_like(&v->all[i].word, w);
}

/* Numbers, and all words in quotes; a comment ends with its line, and so does a quotation. */
static void
read_step(vocabulary *v, rstar_string step)
{
	char quote = 0;
	word w;

	for (size_t i = 0; i < step.length;)
	{
		char c = step.data[i];

		if (c == '\n')
			quote = 0;
		else if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
		else if (c == '#' && !quote)
			while (i + 1 < step.length && step.data[i + 1] != '\n')
				i++;
		if (!is_digit(c) && !is_letter(c))
		{
			i++;
			continue;
		}
		i = read_word(step, i, &w);
		if (quote || w.number)
			compare(v, &w);
	}
}

uint32_t
rstar_slips_count(rstar_string problem, const rstar_tree *tree, uint32_t node)
{
	vocabulary v = {.n = 0};
	uint32_t slips = 0;

	read_problem(&v, problem);
	for (uint32_t id = tree->nodes[node].parent; id != RSTAR_NO_NODE && id != 0;
		 id = tree->nodes[id].parent)
		read_step(&v, (rstar_string){tree->nodes[id].text.data, tree->nodes[id].written});
	for (uint32_t i = 0; i < v.n; i++)
		slips += v.all[i].like && !v.all[i].used;
	return slips;
}

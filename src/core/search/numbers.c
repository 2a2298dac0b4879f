/*
 * numbers.c
 *	  What a solution does with the numbers of its problem.
 */
#include "core/search/numbers.h"

#include "core/search/chars.h"

static size_t
digits_at(rstar_string text, size_t i)
{
	size_t n = 0;

	while (i + n < text.length && is_digit(text.data[i + n]))
		n++;
	return n;
}

/* Length of the number that begins at i, where a digit stands: 1234, 1,234, 12.50. */
static size_t
number_at(rstar_string text, size_t i)
{
	size_t n = digits_at(text, i), fraction;
	bool thousands = n <= 3;

	while (thousands && i + n < text.length && text.data[i + n] == ',' &&
		   digits_at(text, i + n + 1) == 3)
		n += 4;
	if (i + n < text.length && text.data[i + n] == '.')
	{
		fraction = digits_at(text, i + n + 1);
		n += fraction > 0 ? 1 + fraction : 0;
	}
	return n;
}

/* Without zeros before it and behind its point. */
static rstar_string
trimmed(rstar_string number)
{
	bool point = false;

	for (size_t i = 0; i < number.length; i++)
		point = point || number.data[i] == '.';
	while (point && number.data[number.length - 1] == '0')
		number.length--;
	if (number.data[number.length - 1] == '.')
		number.length--;
	while (number.length > 1 && number.data[0] == '0' && is_digit(number.data[1]))
	{
		number.data++;
		number.length--;
	}
	return number;
}

/* Written alike, but for commas. */
static bool
alike(rstar_string a, rstar_string b)
{
	size_t i = 0, j = 0;

	for (;;)
	{
		i += i < a.length && a.data[i] == ',';
		j += j < b.length && b.data[j] == ',';
		if (i == a.length || j == b.length)
			return i == a.length && j == b.length;
		if (a.data[i++] != b.data[j++])
			return false;
	}
}

/* The next number from *at on, which moves behind it; a digit in a name (x1) is none. */
static bool
next_number(rstar_string text, bool code, size_t *at, rstar_string *number)
{
	bool comment = false, name = false;

	for (size_t i = *at; i < text.length; i++)
	{
		char c = text.data[i];

		if (code && c == '#')
			comment = true;
		if (c == '\n')
			comment = false;
		if (is_digit(c) && !name && !comment)
		{
			size_t length = number_at(text, i);

			*number = trimmed((rstar_string){text.data + i, length});
			*at = i + length;
			return true;
		}
		name = is_letter(c) || c == '_' || (name && is_digit(c));
	}
	*at = text.length;
	return false;
}

/* --- counting -------------------------------------------------------------------------- */

typedef struct tally
{
	rstar_string number;
	uint32_t said, used;
} tally;

typedef struct tallies
{
	tally all[RSTAR_NUMBERS_MOST];
	uint32_t n;
	uint32_t used; /* numbers of the solution, whether the problem says them or not */
} tallies;

static tally *
find(tallies *t, rstar_string number)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (alike(t->all[i].number, number))
			return &t->all[i];
	return NULL;
}

static void
count_said(tallies *t, rstar_string problem)
{
	rstar_string number;
	size_t at = 0;

	while (next_number(problem, false, &at, &number))
	{
		tally *one = find(t, number);

		if (!one && t->n < RSTAR_NUMBERS_MOST)
		{
			one = &t->all[t->n++];
			*one = (tally){.number = number};
		}
		if (one)
			one->said++;
	}
}

static void
count_used(tallies *t, rstar_string step)
{
	rstar_string number;
	size_t at = 0;

	while (next_number(step, true, &at, &number))
	{
		tally *one = find(t, number);

		if (one)
			one->used++;
		t->used++;
	}
}

static uint32_t
count_words(rstar_string text)
{
	uint32_t words = 0;
	bool inside = false;

	for (size_t i = 0; i < text.length; i++)
	{
		words += is_letter(text.data[i]) && !inside;
		inside = is_letter(text.data[i]);
	}
	return words;
}

void
rstar_number_use_read(rstar_string problem, const rstar_tree *tree, uint32_t node,
					  rstar_number_use *use)
{
	uint32_t missing = 0, repeated = 0;
	tallies t = {.n = 0};

	*use = (rstar_number_use){.words = count_words(problem)};
	count_said(&t, problem);
	for (uint32_t id = tree->nodes[node].parent; id != RSTAR_NO_NODE && id != 0;
		 id = tree->nodes[id].parent)
		count_used(&t, (rstar_string){tree->nodes[id].text.data, tree->nodes[id].written});
	for (uint32_t i = 0; i < t.n; i++)
	{
		const tally *one = &t.all[i];

		use->numbers += one->said;
		missing += one->said > one->used ? one->said - one->used : 0;
		repeated += one->used > one->said ? one->used - one->said : 0;
	}
	use->missing = use->numbers > 0 ? (double) missing / use->numbers : 0;
	use->repeated = t.used > 0 ? (double) repeated / t.used : 0;
}

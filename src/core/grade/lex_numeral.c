/*
 * lex_numeral.c
 *	  Numbers in words: twenty-one, two thirds, one hundred and five, two and a half.
 *
 * A cardinal becomes a number, a fraction \frac with two numbers; fraction words
 * behind digits ("5 halves") divide them. What does not go on as a number ("one two") ends
 * where it stops to make sense, and the parser refuses two numbers side by side.
 */
#include "core/grade/lex_internal.h"

#define MAX_CARDINAL 1000000000000000000 /* 10^18 */

typedef struct numeral_word
{
	const char *word;
	int64_t value;
} numeral_word;

static const numeral_word small[] = {
	{"zero", 0},     {"one", 1},      {"two", 2},        {"three", 3},     {"four", 4},
	{"five", 5},     {"six", 6},      {"seven", 7},      {"eight", 8},     {"nine", 9},
	{"ten", 10},     {"eleven", 11},  {"twelve", 12},    {"thirteen", 13}, {"fourteen", 14},
	{"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19},
	{"twenty", 20},  {"thirty", 30},  {"forty", 40},     {"fifty", 50},    {"sixty", 60},
	{"seventy", 70}, {"eighty", 80},  {"ninety", 90},
};

static const numeral_word scales[] = {
	{"hundred", 100},        {"thousand", 1000},          {"million", 1000000},
	{"billion", 1000000000}, {"trillion", 1000000000000},
};

/* Denominators without the plural's s; "second" is a time. */
static const numeral_word parts[] = {
	{"half", 2},
	{"halve", 2},
	{"third", 3},
	{"quarter", 4},
	{"fourth", 4},
	{"fifth", 5},
	{"sixth", 6},
	{"seventh", 7},
	{"eighth", 8},
	{"ninth", 9},
	{"tenth", 10},
	{"eleventh", 11},
	{"twelfth", 12},
	{"thirteenth", 13},
	{"fourteenth", 14},
	{"fifteenth", 15},
	{"sixteenth", 16},
	{"seventeenth", 17},
	{"eighteenth", 18},
	{"nineteenth", 19},
	{"twentieth", 20},
	{"thirtieth", 30},
	{"fortieth", 40},
	{"fiftieth", 50},
	{"sixtieth", 60},
	{"hundredth", 100},
	{"thousandth", 1000},
	{"millionth", 1000000},
	{"billionth", 1000000000},
};

/* The value of the word of `length` letters at an offset, -1 if the table has it not. */
static int64_t
look_up(const rstar_lexer *lex, const numeral_word *table, size_t count, size_t offset,
		size_t length)
{
	for (size_t i = 0; i < count; i++)
	{
		size_t k = 0;

		if (strlen(table[i].word) != length)
			continue;
		while (k < length && (peek(lex, offset + k) | 32) == table[i].word[k])
			k++;
		if (k == length)
			return table[i].value;
	}
	return -1;
}

#define LOOK_UP(lex, table, offset, length)                                                        \
	look_up(lex, table, sizeof(table) / sizeof((table)[0]), offset, length)

static size_t
letters_at(const rstar_lexer *lex, size_t offset)
{
	size_t n = 0;

	while (is_letter(peek(lex, offset + n)))
		n++;
	return n;
}

/* The offset of the next word behind one that ends at `offset`, 0 if none follows directly. */
static size_t
next_word(const rstar_lexer *lex, size_t offset)
{
	if (peek(lex, offset) != '-' && !is_space(peek(lex, offset)))
		return 0;
	offset += peek(lex, offset) == '-' ? 1 : count_spaces(lex, offset);
	return is_letter(peek(lex, offset)) ? offset : 0;
}

/* A denominator at an offset: its value and length, 0 for none. */
static int64_t
part_at(const rstar_lexer *lex, size_t offset, size_t *length)
{
	int64_t value;

	*length = letters_at(lex, offset);
	value = LOOK_UP(lex, parts, offset, *length);
	if (value < 0 && *length > 1 && (peek(lex, offset + *length - 1) | 32) == 's')
		value = LOOK_UP(lex, parts, offset, *length - 1);
	return value < 0 ? 0 : value;
}

/*
 * A cardinal at an offset: *length bytes, false if there is none. Below a hundred a ten takes a
 * unit, a hundred multiplies what is below it, a larger scale everything since the last one.
 */
static bool
cardinal_at(const rstar_lexer *lex, size_t offset, int64_t *value, size_t *length)
{
	int64_t total = 0, group = -1, last = MAX_CARDINAL;
	size_t at = offset;
	size_t end = offset;

	while (at > 0 || end == offset)
	{
		size_t n = letters_at(lex, at);
		int64_t word = LOOK_UP(lex, small, at, n);
		int64_t scale = LOOK_UP(lex, scales, at, n);
		bool ten = group > 0 && group % 10 == 0 && group % 100 >= 20;

		if (n == 3 && group >= 100 && group % 100 == 0 && bytes_at(lex, at, "and"))
		{
			at = next_word(lex, at + n);
			if (at > 0 && LOOK_UP(lex, small, at, letters_at(lex, at)) > 0)
				continue;
			break;
		}
		if (word >= 0 && group < 0)
			group = word;
		else if (word > 0 && ((word < 10 && ten) || (group % 100 == 0 && group > 0)))
			group += word;
		else if (scale == 100 && group > 0 && group < 20)
			group *= 100;
		else if (scale > 100 && scale < last && group > 0)
		{
			total += group * scale;
			last = scale;
			group = -1;
		}
		else
			break;
		end = at + n;
		at = next_word(lex, end);
	}
	*value = total + (group > 0 ? group : 0);
	*length = end - offset;
	return end > offset;
}

static void
emit_number(rstar_lexer *lex, int64_t value)
{
	char *text = rstar_arena_alloc(lex->work->arena, 24);
	size_t at = 24;

	if (!text)
	{
		lex->failed = true;
		return;
	}
	do
		text[--at] = (char) ('0' + value % 10);
	while ((value /= 10) > 0);
	rstar_lex_emit(lex, RSTAR_TOKEN_NUMBER, 0, text + at, 24 - at);
}

static void
emit_fraction(rstar_lexer *lex, int64_t num, int64_t den)
{
	rstar_lex_emit_mark(lex, RSTAR_MARK_FRAC);
	rstar_lex_emit_mark(lex, '{');
	emit_number(lex, num);
	rstar_lex_emit_mark(lex, '}');
	rstar_lex_emit_mark(lex, '{');
	emit_number(lex, den);
	rstar_lex_emit_mark(lex, '}');
}

/* "half", "a half", "three quarters" at an offset; false for anything else. */
static bool
fraction_at(const rstar_lexer *lex, size_t offset, int64_t *num, int64_t *den, size_t *length)
{
	size_t n = letters_at(lex, offset);
	size_t part;

	*num = 1;
	if (!(n == 1 && (peek(lex, offset) | 32) == 'a') && !cardinal_at(lex, offset, num, &n))
		return false;
	part = next_word(lex, offset + n);
	if (part == 0 || (*den = part_at(lex, part, &n)) == 0)
		return false;
	*length = part + n - offset;
	return true;
}

/* "and a half" behind a number */
static bool
lex_and_fraction(rstar_lexer *lex)
{
	int64_t num, den;
	size_t n, at = 3 + count_spaces(lex, 3);

	if (!bytes_at(lex, 0, "and ") || !fraction_at(lex, at, &num, &den, &n) || num >= den)
		return false;
	lex->at += at + n;
	rstar_lex_emit_mark(lex, '+');
	emit_fraction(lex, num, den);
	return true;
}

/* "halves" behind a number */
static bool
lex_part(rstar_lexer *lex)
{
	size_t n;
	int64_t den = part_at(lex, 0, &n);

	if (den == 0)
		return false;
	lex->at += n;
	rstar_lex_emit_mark(lex, '/');
	emit_number(lex, den);
	return true;
}

/* "negative two", "minus 5": a sign before a number */
static bool
lex_sign_word(rstar_lexer *lex)
{
	static const struct
	{
		const char *word;
		unsigned mark;
		bool between; /* only between two numbers */
	} signs[] = {{"negative ", '-', false}, {"Negative ", '-', false}, {"minus ", '-', false},
				 {"Minus ", '-', false},    {"plus ", '+', true},      {"times ", '*', true},
				 {"divided by ", '/', true}};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
	{
		size_t n = strlen(signs[i].word);
		int64_t value;
		size_t length;

		if (!bytes_at(lex, 0, signs[i].word) || (signs[i].between && !follows_number(lex, false)))
			continue;
		n += count_spaces(lex, n);
		if (!is_digit(peek(lex, n)) && peek(lex, n) != '$' && !cardinal_at(lex, n, &value, &length))
			return false;
		lex->at += n;
		rstar_lex_emit_mark(lex, signs[i].mark);
		return true;
	}
	return false;
}

bool
rstar_lex_number_words(rstar_lexer *lex)
{
	int64_t num, den;
	size_t n;

	if (lex_sign_word(lex))
		return true;
	if (follows_number(lex, false))
		return lex_and_fraction(lex) || lex_part(lex);
	if (fraction_at(lex, 0, &num, &den, &n))
	{
		lex->at += n;
		emit_fraction(lex, num, den);
		return true;
	}
	if (!cardinal_at(lex, 0, &num, &n))
		return false;
	lex->at += n;
	emit_number(lex, num);
	return true;
}

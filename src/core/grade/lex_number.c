/*
 * lex_number.c
 *	  Numbers: digits, separators of thousands, decimals, repeating parts, exponents.
 */
#include "core/grade/lex_internal.h"

#define MAX_PERIOD 12 /* digits of a block that dots repeat */

/*
 * Bytes of a thousands separator that is unmistakable: `{,}`, `,\!`, `\,`,
 * `{ , }`, with white space around; 0 if there is none.
 */
static size_t
explicit_separator(const rstar_lexer *lex)
{
	size_t n = count_spaces(lex, 0);
	bool comma = false;
	bool thin = false;

	if (peek(lex, 0) == '_' && count_digits(lex, 1) == 3) /* 1_000, as Python may print it */
		return 1;
	if (peek(lex, n) == '{')
	{
		n += 1 + count_spaces(lex, n + 1);
		if (peek(lex, n) == '\\')
			n++;
		if (peek(lex, n) != ',')
			return 0;
		n += 1 + count_spaces(lex, n + 1);
		if (peek(lex, n) != '}')
			return 0;
		n++;
		return n + count_spaces(lex, n);
	}
	if (peek(lex, n) == ',')
	{
		comma = true;
		n += 1 + count_spaces(lex, n + 1);
	}
	if (peek(lex, n) == '\\' && (peek(lex, n + 1) == '!' || (peek(lex, n + 1) == ',' && !comma)))
	{
		thin = true;
		n += 2;
	}
	return thin ? n + count_spaces(lex, n) : 0;
}

/* Bytes of any separator before exactly three digits, 0 if there is none. */
static size_t
separator(rstar_lexer *lex, size_t first_group)
{
	size_t n = explicit_separator(lex);

	if (first_group == 0 || first_group > 3 || lex->digits[0] == '0')
		return 0;
	if (n > 0)
		return count_digits(lex, n) == 3 ? n : 0;
	if (lex->brackets > 0 || lex->text_depth > 0)
		return 0;
	if (peek(lex, 0) == ',' && count_digits(lex, 1) == 3)
	{
		if (peek(lex, 1) == '0') /* nobody lists 000 */
			return 1;
		lex->out->ambiguity.thousands = true;
		return lex->reading.list_commas ? 0 : 1;
	}
	if (peek(lex, 0) == ' ' && count_digits(lex, 1) == 3 && peek(lex, 4) != '/')
		return 1;
	return 0;
}

/* \overline{...} or \dot... right behind digits: how many bytes, which digits. */
static size_t
repeating_part(const rstar_lexer *lex, const char **digits, size_t *count)
{
	static const char *const names[] = {"\\overline", "\\bar", "\\dot", "\\overset{.}"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		size_t length = strlen(names[i]);
		size_t n = length;

		if ((size_t) (lex->end - lex->at) < length || memcmp(lex->at, names[i], length) != 0)
			continue;
		n += count_spaces(lex, n);
		if (peek(lex, n) == '{')
		{
			*count = count_digits(lex, n + 1);
			*digits = lex->at + n + 1;
			return *count > 0 && peek(lex, n + 1 + *count) == '}' ? n + 2 + *count : 0;
		}
		*count = 1;
		*digits = lex->at + n;
		return is_digit(peek(lex, n)) ? n + 1 : 0;
	}
	return 0;
}

/* 1e5, 1.5e-7; but 2e-3 may be 2e minus 3, so a sign needs a point or two digits. */
static size_t
exponent_part(const rstar_lexer *lex, bool point)
{
	size_t n = 1;
	size_t digits;
	bool sign = false;

	if (peek(lex, 0) != 'e' && peek(lex, 0) != 'E')
		return 0;
	if (peek(lex, 1) == '+' || peek(lex, 1) == '-')
	{
		sign = true;
		n++;
	}
	digits = count_digits(lex, n);
	if (digits == 0 || digits > 6 || (sign && !point && digits < 2))
		return 0;
	return is_letter(peek(lex, n + digits)) ? 0 : n + digits;
}

/* A number in the making: its text and what was seen of it. */
typedef struct number
{
	char *text; /* digits, at most one point, perhaps an exponent */
	size_t length;
	size_t repeat;
	bool point;
} number;

static void
take_digits(rstar_lexer *lex, number *n, const char *from, size_t count)
{
	memcpy(n->text + n->length, from, count);
	n->length += count;
	if (from == lex->at)
		lex->at += count;
}

/* The digits before the point, groups of thousands joined. */
static void
lex_whole(rstar_lexer *lex, number *n)
{
	size_t group = count_digits(lex, 0);
	size_t skip;

	take_digits(lex, n, lex->at, group);
	while ((skip = separator(lex, group)) > 0)
	{
		lex->at += skip;
		take_digits(lex, n, lex->at, 3);
	}
	if (n->length == 0)
		n->text[n->length++] = '0';
}

/* 1,22 and 0,111: the comma may be a point. */
static void
lex_decimal_comma(rstar_lexer *lex, number *n)
{
	size_t after = count_digits(lex, 1);

	if (peek(lex, 0) != ',' || lex->brackets > 0 || after < 2 ||
		(after == 3 && !(n->length == 1 && n->text[0] == '0')))
		return;
	lex->out->ambiguity.decimal_comma = true;
	if (!lex->reading.decimal_comma)
		return;
	n->text[n->length++] = '.';
	n->point = true;
	lex->at++;
	take_digits(lex, n, lex->at, after);
}

static void
lex_fraction(rstar_lexer *lex, number *n)
{
	const char *digits;
	size_t count;
	size_t after = count_digits(lex, 1);

	bool bracketed = peek(lex, 1) == '(' && is_digit(peek(lex, 2));
	bool imaginary = lex->imaginary_j && peek(lex, 1) == 'j';

	if (peek(lex, 0) != '.' || (after == 0 && peek(lex, 1) != '\\' && !bracketed && !imaginary))
		return;
	lex->at++;
	if (after == 0 && !bracketed && repeating_part(lex, &digits, &count) == 0)
		return; /* the point ends a sentence */
	n->text[n->length++] = '.';
	n->point = true;
	take_digits(lex, n, lex->at, after);
}

/* \overline{..}, or \dot over the first and the last digit of what repeats. */
static void
lex_repeating(rstar_lexer *lex, number *n)
{
	const char *digits;
	size_t count, skip;

	while ((skip = repeating_part(lex, &digits, &count)) > 0)
	{
		const char *start = lex->at + skip;
		size_t middle;

		take_digits(lex, n, digits, count);
		n->repeat += count;
		lex->at = start;
		middle = count_digits(lex, 0);
		if (start[-1] == '}' || middle == 0)
			continue;
		lex->at += middle;
		if (repeating_part(lex, &digits, &count) == 0)
		{
			lex->at = start;
			return;
		}
		take_digits(lex, n, start, middle);
		n->repeat += middle;
	}
}

/* 0.1(6) */
static void
lex_bracketed_repeat(rstar_lexer *lex, number *n)
{
	size_t count = count_digits(lex, 1);

	if (peek(lex, 0) != '(' || count == 0 || peek(lex, 1 + count) != ')')
		return;
	lex->at++;
	n->repeat = count;
	take_digits(lex, n, lex->at, count);
	lex->at++;
}

/* How many last digits of the fraction are a block that stands there several times. */
static size_t
period(const number *n)
{
	const char *point = memchr(n->text, '.', n->length);
	const char *end = n->text + n->length;
	size_t digits = (size_t) (end - point) - 1;

	for (size_t p = 1; p <= MAX_PERIOD && p * 2 <= digits; p++)
		if (memcmp(end - p, end - 2 * p, p) == 0 && (p > 1 || (digits >= 3 && end[-1] == end[-3])))
			return p;
	return 0;
}

/* 0.333...: dots behind digits that repeat; behind others they stay a mark of their own. */
static void
lex_dotted_repeat(rstar_lexer *lex, number *n)
{
	static const char *const dots[] = {"...", "\\ldots", "\\dots", "\\cdots"};

	for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
		if (bytes_at(lex, 0, dots[i]) && (n->repeat = period(n)) > 0)
		{
			lex->at += strlen(dots[i]);
			return;
		}
}

/* 3rd, 12^{th}, 2^{\text{nd}}: bytes of the ending. */
static size_t
ordinal_ending(const rstar_lexer *lex)
{
	static const char *const endings[] = {"st", "nd", "rd", "th"};
	size_t n = 0;
	size_t braces = 0;

	if (peek(lex, n) == '^')
		n++;
	while (peek(lex, n) == '{' || bytes_at(lex, n, "\\text") || bytes_at(lex, n, "\\mathrm"))
		if (peek(lex, n) == '{')
			n++, braces++;
		else
			n += bytes_at(lex, n, "\\text") ? 5 : 7;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (bytes_at(lex, n, endings[i]))
		{
			n += 2;
			while (braces > 0 && peek(lex, n) == '}')
				n++, braces--;
			return braces == 0 && !is_letter(peek(lex, n)) ? n : 0;
		}
	return 0;
}

/* 0b1010, 0o17, 0xff, as Python prints them: the base, 0 for none. */
static unsigned
prefixed_base(const rstar_lexer *lex)
{
	unsigned base = peek(lex, 1) == 'b'   ? 2
					: peek(lex, 1) == 'o' ? 8
					: peek(lex, 1) == 'x' ? 16
										  : 0;
	size_t n = 2;

	if (peek(lex, 0) != '0' || base == 0 || (lex->at > lex->begin && is_digit(lex->at[-1])))
		return 0;
	while (is_digit(peek(lex, n)) || is_letter(peek(lex, n)))
	{
		unsigned c = (unsigned) peek(lex, n) | 32;
		unsigned digit =
			is_digit((int) peek(lex, n)) ? (unsigned) peek(lex, n) - '0' : c - 'a' + 10;

		if (digit >= base)
			return 0;
		n++;
	}
	return n > 2 ? base : 0;
}

static void
lex_prefixed(rstar_lexer *lex, unsigned base)
{
	number n = {.text = lex->digits};

	lex->at += 2;
	while (is_digit(peek(lex, 0)) || is_letter(peek(lex, 0)))
		take_digits(lex, &n, lex->at, 1);
	lex->digits += n.length;
	rstar_lex_emit(lex, RSTAR_TOKEN_NUMBER, 0, n.text, n.length)->base = base;
}

/*
 * The parts of a number in their order, each optional but the first: digits, fraction, repeating part,
 * exponent, ending of an ordinal, imaginary unit.
 */
void
rstar_lex_number(rstar_lexer *lex)
{
	number n = {.text = lex->digits};
	rstar_token *token;
	size_t exponent;
	unsigned base = prefixed_base(lex);

	if (base > 0)
	{
		lex_prefixed(lex, base);
		return;
	}
	lex_whole(lex, &n);
	lex_decimal_comma(lex, &n);
	if (!n.point)
		lex_fraction(lex, &n);
	if (n.point)
		lex_repeating(lex, &n);
	if (n.point && n.repeat == 0)
		lex_bracketed_repeat(lex, &n);
	if (n.point && n.repeat == 0)
		lex_dotted_repeat(lex, &n);
	exponent = exponent_part(lex, n.point);
	if (n.repeat == 0)
		take_digits(lex, &n, lex->at, exponent);
	lex->digits += n.length;
	token = rstar_lex_emit(lex, RSTAR_TOKEN_NUMBER, 0, n.text, n.length);
	token->repeat = (uint32_t) n.repeat;
	if (!n.point && exponent == 0)
		lex->at += ordinal_ending(lex);
	if (lex->imaginary_j && peek(lex, 0) == 'j')
	{
		lex->at++;
		rstar_lex_emit(lex, RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_I, lex->at - 1, 1);
	}
}

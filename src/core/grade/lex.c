/*
 * lex.c
 *	  Tokens of an answer: see lex.h.
 */
#include "core/grade/lex.h"

#include <string.h>

#include "core/grade/lex_table.h"

typedef struct lexer
{
	rstar_work *work;
	const char *at;
	const char *end;
	rstar_reading reading;
	rstar_tokens *out;
	size_t capacity;
	char *digits;   /* room for the digits of all numbers: what is read, and a 0 each */
	int brackets;   /* open ( [ \{ */
	int text_depth; /* braces open inside \text{}; 0 outside */
	bool want_text; /* the next group is text */
	bool spaced;
	bool failed;
} lexer;

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* The byte at an offset, 0 beyond the end. */
static int
peek(const lexer *lex, size_t offset)
{
	return (size_t) (lex->end - lex->at) > offset ? (unsigned char) lex->at[offset] : 0;
}

static rstar_token *
emit(lexer *lex, rstar_token_kind kind, unsigned id, const char *text, size_t length)
{
	rstar_token *token;

	if (lex->out->count == lex->capacity)
	{
		size_t capacity = lex->capacity * 2;
		rstar_token *grown = rstar_arena_alloc_array(lex->work->arena, capacity, sizeof(*grown));

		if (!grown)
		{
			lex->failed = true;
			return &lex->out->token[0];
		}
		memcpy(grown, lex->out->token, lex->out->count * sizeof(*grown));
		lex->out->token = grown;
		lex->capacity = capacity;
	}
	token = &lex->out->token[lex->out->count++];
	token->kind = (uint8_t) kind;
	token->spaced = lex->spaced;
	token->in_text = lex->text_depth > 0;
	token->id = (uint16_t) id;
	token->length = (uint32_t) length;
	token->repeat = 0;
	token->text = text;
	lex->spaced = false;
	return token;
}

static void
emit_mark(lexer *lex, unsigned id)
{
	emit(lex, RSTAR_TOKEN_MARK, id, lex->at, 0);
}

static int
compare_name(const char *name, const char *text, size_t length)
{
	int order = strncmp(name, text, length);

	return order ? order : name[length] != '\0';
}

static const rstar_lex_entry *
find(const rstar_lex_entry *table, size_t count, const char *text, size_t length)
{
	size_t low = 0;

	while (low < count)
	{
		size_t middle = (low + count) / 2;
		int order = compare_name(table[middle].name, text, length);

		if (order == 0)
			return &table[middle];
		if (order < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return NULL;
}

#define FIND(table, text, length) find(table, sizeof(table) / sizeof((table)[0]), text, length)

/* --- numbers -------------------------------------------------------------- */

static size_t
count_digits(const lexer *lex, size_t offset)
{
	size_t n = 0;

	while (is_digit(peek(lex, offset + n)))
		n++;
	return n;
}

static size_t
count_spaces(const lexer *lex, size_t offset)
{
	size_t n = 0;

	while (is_space(peek(lex, offset + n)))
		n++;
	return n;
}

/*
 * Bytes of a thousands separator that is unmistakable: `{,}`, `,\!`, `\,`,
 * `{ , }`, with white space around; 0 if there is none.
 */
static size_t
explicit_separator(const lexer *lex)
{
	size_t n = count_spaces(lex, 0);
	bool comma = false;
	bool thin = false;

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
separator(lexer *lex, size_t first_group)
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
repeating_part(const lexer *lex, const char **digits, size_t *count)
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
exponent_part(const lexer *lex, bool point)
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

static void
lex_number(lexer *lex)
{
	char *text = lex->digits;
	size_t n = 0;
	size_t group;
	size_t skip;
	size_t repeat = 0;
	bool point = false;
	const char *digits;
	rstar_token *token;

	group = count_digits(lex, 0);
	memcpy(text, lex->at, group);
	n = group;
	lex->at += group;
	while ((skip = separator(lex, group)) > 0)
	{
		lex->at += skip;
		memcpy(text + n, lex->at, 3);
		n += 3;
		lex->at += 3;
	}
	if (n == 0)
		text[n++] = '0';
	if (peek(lex, 0) == ',' && lex->brackets == 0 && is_digit(peek(lex, 1)))
	{
		size_t after = count_digits(lex, 1);

		if ((after >= 2 && after != 3) || (after == 3 && n == 1 && text[0] == '0'))
		{
			lex->out->ambiguity.decimal_comma = true;
			if (lex->reading.decimal_comma)
			{
				text[n++] = '.';
				point = true;
				memcpy(text + n, lex->at + 1, after);
				n += after;
				lex->at += after + 1;
			}
		}
	}
	if (!point && peek(lex, 0) == '.' && (is_digit(peek(lex, 1)) || peek(lex, 1) == '\\'))
	{
		size_t after = count_digits(lex, 1);

		lex->at++;
		if (after > 0 || repeating_part(lex, &digits, &skip) > 0)
		{
			text[n++] = '.';
			point = true;
			memcpy(text + n, lex->at, after);
			n += after;
			lex->at += after;
		}
	}
	if (point)
	{
		size_t count;

		while ((skip = repeating_part(lex, &digits, &count)) > 0)
		{
			memcpy(text + n, digits, count);
			n += count;
			repeat += count;
			lex->at += skip;
			if (lex->at[-1] != '}' && count_digits(lex, 0) > 0) /* \dot1 2\dot3 */
			{
				size_t middle = count_digits(lex, 0);
				const char *start = lex->at;

				lex->at += middle;
				if (repeating_part(lex, &digits, &count) == 0)
				{
					lex->at = start;
					break;
				}
				memcpy(text + n, start, middle);
				n += middle;
				repeat += middle;
			}
		}
	}
	skip = exponent_part(lex, point);
	if (skip > 0 && repeat == 0)
	{
		memcpy(text + n, lex->at, skip);
		n += skip;
		lex->at += skip;
	}
	lex->digits += n;
	token = emit(lex, RSTAR_TOKEN_NUMBER, 0, text, n);
	token->repeat = (uint32_t) repeat;
}

/* --- letters and words ----------------------------------------------------- */

static void
emit_entry(lexer *lex, const rstar_lex_entry *entry, const char *text, size_t length)
{
	switch ((rstar_lex_action) entry->action)
	{
		case LEX_SKIP:
			lex->spaced = true;
			break;
		case LEX_TEXT:
			lex->want_text = true;
			break;
		case LEX_FONT:
			break;
		case LEX_MARK:
			emit(lex, RSTAR_TOKEN_MARK, entry->id, text, length);
			break;
		case LEX_LETTER:
			emit(lex, RSTAR_TOKEN_LETTER, 0, text, length);
			break;
		case LEX_FUNCTION:
			emit(lex, RSTAR_TOKEN_FUNCTION, entry->id, text, length);
			break;
		case LEX_CONSTANT:
			emit(lex, RSTAR_TOKEN_CONSTANT, entry->id, text, length);
			break;
		case LEX_BIG:
			emit(lex, RSTAR_TOKEN_BIG, 0, text, length);
			break;
		case LEX_ACCENT:
			emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_ACCENT, text, length);
			break;
		case LEX_BLACKBOARD:
		{
			size_t n = count_spaces(lex, 0);

			if (peek(lex, n) == '{')
				n += 1 + count_spaces(lex, n + 1);
			emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, lex->at + n, is_letter(peek(lex, n)));
			n += is_letter(peek(lex, n));
			n += count_spaces(lex, n);
			lex->at += n + (peek(lex, n) == '}');
			break;
		}
	}
}

static void
emit_letters(lexer *lex, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (text[i] == 'e')
			emit(lex, RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_E, text + i, 1);
		else if (text[i] == 'i')
			emit(lex, RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_I, text + i, 1);
		else
			emit(lex, RSTAR_TOKEN_LETTER, 0, text + i, 1);
	}
}

static bool
is_short_word(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(lex_short_words) / sizeof(lex_short_words[0]); i++)
		if (strlen(lex_short_words[i]) == length && memcmp(lex_short_words[i], text, length) == 0)
			return true;
	return false;
}

static bool
all_capitals(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < 'A' || text[i] > 'Z')
			return false;
	return true;
}

/* "sinx", "sqrtx", "lnx", "pir": a known name and up to two letters. */
static bool
emit_run_together(lexer *lex, const char *text, size_t length)
{
	for (size_t n = length - 1; n >= 2 && length - n <= 2; n--)
	{
		const rstar_lex_entry *entry = FIND(lex_plain, text, n);

		if (!entry || (entry->action != LEX_FUNCTION && entry->action != LEX_CONSTANT &&
					   entry->id != RSTAR_MARK_SQRT))
			continue;
		if (entry->action == LEX_CONSTANT && n != 2)
			continue;
		emit_entry(lex, entry, text, n);
		emit_letters(lex, text + n, length - n);
		return true;
	}
	return false;
}

static bool
follows_number(const lexer *lex, bool closely)
{
	size_t n = lex->out->count;

	return n > 0 && !(closely && lex->spaced) && lex->out->token[n - 1].kind == RSTAR_TOKEN_NUMBER;
}

/* "0orx", "}andy=": a conjunction before a name, without its spaces. */
static bool
emit_conjunction(lexer *lex, const char *text, size_t length)
{
	size_t n = memcmp(text, "or", 2) == 0 ? 2 : length > 3 && memcmp(text, "and", 3) == 0 ? 3 : 0;
	size_t behind = count_spaces(lex, 0);

	if (n == 0 || length <= n || length - n > 2)
		return false;
	if (!follows_number(lex, true) &&
		(length - n > 1 || !peek(lex, behind) || !strchr("=<>\\", peek(lex, behind))))
		return false;
	emit_mark(lex, n == 2 ? RSTAR_MARK_OR : RSTAR_MARK_AND);
	emit_letters(lex, text + n, length - n);
	return true;
}

/* The s of "m/s" */
static bool
follows_unit_slash(const lexer *lex)
{
	const rstar_token *t = lex->out->token + lex->out->count;

	return lex->out->count >= 2 && t[-1].kind == RSTAR_TOKEN_MARK && t[-1].id == '/' &&
		   t[-2].kind == RSTAR_TOKEN_WORD;
}

/* A run of letters outside a command. */
static void
lex_letters(lexer *lex)
{
	const char *text = lex->at;
	const rstar_lex_entry *entry;
	size_t length = 0;

	while (is_letter(peek(lex, length)))
		length++;
	/* "5x10" and "12x18": a cross between digits. */
	if (length == 1 && (*text == 'x' || *text == 'X') && follows_number(lex, true) &&
		is_digit(peek(lex, 1)))
	{
		lex->at++;
		emit_mark(lex, '*');
		return;
	}
	/* "300a7", "x1": letters and digits in one run are a name, not a product. */
	if (is_digit(peek(lex, length)) && lex->text_depth == 0 && !FIND(lex_plain, text, length))
	{
		size_t n = length;

		while (is_digit(peek(lex, n)) || is_letter(peek(lex, n)))
			n++;
		lex->at += n;
		emit(lex, RSTAR_TOKEN_WORD, 0, text, n);
		return;
	}
	lex->at += length;
	entry = FIND(lex_plain, text, length);
	if (entry && entry->action != LEX_TEXT && (length > 1))
	{
		emit_entry(lex, entry, text, length);
		return;
	}
	if (length == 1)
	{
		bool unit = lex->text_depth == 0 && strchr("msghL", *text) &&
					(follows_number(lex, false) || follows_unit_slash(lex));

		lex->out->ambiguity.letter_units |= unit;
		if (unit && lex->reading.letter_units)
			emit(lex, RSTAR_TOKEN_WORD, 0, text, 1);
		else
			emit_letters(lex, text, 1);
		return;
	}
	if (lex->text_depth == 0 && emit_conjunction(lex, text, length))
		return;
	if (lex->text_depth == 0 && emit_run_together(lex, text, length))
		return;
	if (lex->text_depth > 0 || length >= 4 || is_short_word(text, length) ||
		(length >= 3 && all_capitals(text, length)))
		emit(lex, RSTAR_TOKEN_WORD, 0, text, length);
	else
		emit_letters(lex, text, length);
}

/* --- commands --------------------------------------------------------------- */

/* The braces behind \begin or \end, and the columns of an array. */
static void
lex_environment(lexer *lex, unsigned mark)
{
	size_t n = count_spaces(lex, 0);
	const char *name;
	size_t length = 0;

	if (peek(lex, n) != '{')
		return;
	n += 1 + count_spaces(lex, n + 1);
	name = lex->at + n;
	while (is_letter(peek(lex, n + length)) || peek(lex, n + length) == '*')
		length++;
	n += length;
	n += count_spaces(lex, n);
	if (peek(lex, n) != '}')
	{
		lex->failed = true;
		return;
	}
	lex->at += n + 1;
	if (length > 0 && name[length - 1] == '*')
		length--;
	emit(lex, RSTAR_TOKEN_MARK, mark, name, length);
	if (mark == RSTAR_MARK_BEGIN && length == 5 && memcmp(name, "array", 5) == 0)
	{
		n = count_spaces(lex, 0);
		if (peek(lex, n) == '{')
		{
			while (peek(lex, n) && peek(lex, n) != '}')
				n++;
			lex->at += n + (peek(lex, n) == '}');
		}
	}
}

/* \left and \right give a bar its direction; "." is an absent bracket. */
static void
lex_delimiter(lexer *lex, bool left)
{
	lex->at += count_spaces(lex, 0);
	if (peek(lex, 0) == '.')
		lex->at++;
	else if (peek(lex, 0) == '|')
	{
		lex->at++;
		emit_mark(lex, left ? RSTAR_MARK_BAR_OPEN : RSTAR_MARK_BAR_CLOSE);
	}
}

static void
lex_command_name(lexer *lex, const char *name, size_t length)
{
	const rstar_lex_entry *entry = FIND(lex_commands, name, length);

	for (size_t n = length - 1; !entry && n >= 2; n--)
	{
		entry = FIND(lex_commands, name, n);
		if (entry && (entry->action == LEX_TEXT || entry->id == RSTAR_MARK_BEGIN))
			entry = NULL;
		if (entry)
			length = n;
	}
	lex->at = name + length;
	if (!entry)
		emit(lex, RSTAR_TOKEN_LETTER, 0, name, length);
	else if (entry->action == LEX_SKIP && entry->id >= 2)
		lex_delimiter(lex, entry->id == 2);
	else if (entry->action == LEX_SKIP && entry->id == 1)
	{
		while (lex->at < lex->end && *lex->at != '}')
			lex->at++;
		lex->at += lex->at < lex->end;
	}
	else if (entry->id == RSTAR_MARK_BEGIN || entry->id == RSTAR_MARK_END)
		lex_environment(lex, entry->id);
	else
		emit_entry(lex, entry, name, length);
}

static void
lex_command(lexer *lex)
{
	int c = peek(lex, 1);
	size_t length = 0;

	if (is_letter(c))
	{
		while (is_letter(peek(lex, 1 + length)))
			length++;
		lex_command_name(lex, lex->at + 1, length);
		return;
	}
	lex->at += c ? 2 : 1;
	switch (c)
	{
		case '{':
			lex->brackets++;
			emit_mark(lex, RSTAR_MARK_SET_OPEN);
			break;
		case '}':
			lex->brackets -= lex->brackets > 0;
			emit_mark(lex, RSTAR_MARK_SET_CLOSE);
			break;
		case '%':
			emit_mark(lex, RSTAR_MARK_PERCENT);
			break;
		case '$':
			emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "dollar", 6);
			break;
		case '|':
			emit_mark(lex, '|');
			break;
		case '\\':
			emit_mark(lex, RSTAR_MARK_ROW);
			break;
		case '_':
		case '&':
		case '#':
			break;
		default: /* \, \! \; \: \( \) \[ \] and the blank */
			lex->spaced = true;
			if (c && !is_space(c) && !strchr(",!;:()[]/\"'-.>", c))
				lex->at--; /* a stray backslash */
	}
}

/* --- other signs ------------------------------------------------------------- */

typedef struct sign
{
	const char *bytes;
	uint8_t kind;
	uint16_t id;
	const char *text;
} sign;

static const sign signs[] = {
	{"<=", RSTAR_TOKEN_MARK, RSTAR_MARK_LE, ""},
	{">=", RSTAR_TOKEN_MARK, RSTAR_MARK_GE, ""},
	{"!=", RSTAR_TOKEN_MARK, RSTAR_MARK_NE, ""},
	{"==", RSTAR_TOKEN_MARK, '=', ""},
	{"=>", RSTAR_TOKEN_MARK, RSTAR_MARK_ARROW, ""},
	{"->", RSTAR_TOKEN_MARK, RSTAR_MARK_ARROW, ""},
	{"**", RSTAR_TOKEN_MARK, RSTAR_MARK_POWER, ""},
	{"...", RSTAR_TOKEN_MARK, RSTAR_MARK_DOTS, ""},
	{"\u2026", RSTAR_TOKEN_MARK, RSTAR_MARK_DOTS, ""},
	{"\u2264", RSTAR_TOKEN_MARK, RSTAR_MARK_LE, ""},
	{"\u2265", RSTAR_TOKEN_MARK, RSTAR_MARK_GE, ""},
	{"\u2260", RSTAR_TOKEN_MARK, RSTAR_MARK_NE, ""},
	{"\u2248", RSTAR_TOKEN_MARK, RSTAR_MARK_APPROX, ""},
	{"\u2261", RSTAR_TOKEN_MARK, RSTAR_MARK_EQUIV, ""},
	{"\u2208", RSTAR_TOKEN_MARK, RSTAR_MARK_IN, ""},
	{"\u00b1", RSTAR_TOKEN_MARK, RSTAR_MARK_PM, ""},
	{"\u2213", RSTAR_TOKEN_MARK, RSTAR_MARK_MP, ""},
	{"\u222a", RSTAR_TOKEN_MARK, RSTAR_MARK_CUP, ""},
	{"\u2229", RSTAR_TOKEN_MARK, RSTAR_MARK_CAP, ""},
	{"\u2216", RSTAR_TOKEN_MARK, RSTAR_MARK_SETMINUS, ""},
	{"\u2205", RSTAR_TOKEN_MARK, RSTAR_MARK_EMPTYSET, ""},
	{"\u221a", RSTAR_TOKEN_MARK, RSTAR_MARK_SQRT, ""},
	{"\u221e", RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_INFINITY, ""},
	{"\u03c0", RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_PI, ""},
	{"\u211d", RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, "R"},
	{"\u2124", RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, "Z"},
	{"\u2212", RSTAR_TOKEN_MARK, '-', ""},
	{"\u2013", RSTAR_TOKEN_MARK, '-', ""},
	{"\u00d7", RSTAR_TOKEN_MARK, '*', ""},
	{"\u00b7", RSTAR_TOKEN_MARK, '*', ""},
	{"\u22c5", RSTAR_TOKEN_MARK, '*', ""},
	{"\u00f7", RSTAR_TOKEN_MARK, '/', ""},
	{"\u2044", RSTAR_TOKEN_MARK, '/', ""},
	{"\u00b0", RSTAR_TOKEN_MARK, RSTAR_MARK_DEGREE, ""},
	{"\u00b2", RSTAR_TOKEN_MARK, RSTAR_MARK_SUPERSCRIPT, "2"},
	{"\u00b3", RSTAR_TOKEN_MARK, RSTAR_MARK_SUPERSCRIPT, "3"},
	{"\u2074", RSTAR_TOKEN_MARK, RSTAR_MARK_SUPERSCRIPT, "4"},
	{"\u20ac", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "euro"},
	{"\u00a3", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "pound"},
	{"\u00a5", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "yen"},
	{"\u20b9", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "rupee"},
	{"\u03b1", RSTAR_TOKEN_LETTER, 0, "alpha"},
	{"\u03b2", RSTAR_TOKEN_LETTER, 0, "beta"},
	{"\u03b3", RSTAR_TOKEN_LETTER, 0, "gamma"},
	{"\u03b8", RSTAR_TOKEN_LETTER, 0, "theta"},
	{"\u03bb", RSTAR_TOKEN_LETTER, 0, "lambda"},
	{"\u03c6", RSTAR_TOKEN_LETTER, 0, "phi"},
	{"\u00a0", RSTAR_TOKEN_END, 0, ""}, /* white space */
	{"\u2009", RSTAR_TOKEN_END, 0, ""},
	{"\u202f", RSTAR_TOKEN_END, 0, ""},
	{"\u200b", RSTAR_TOKEN_END, 0, ""},
};

/* Vulgar fractions: numerator and denominator. */
static const sign vulgar[] = {
	{"\u00bd", 0, 0, "12"}, {"\u00bc", 0, 0, "14"}, {"\u00be", 0, 0, "34"},
	{"\u2153", 0, 0, "13"}, {"\u2154", 0, 0, "23"},
};

static bool
starts(const lexer *lex, const char *bytes)
{
	size_t length = strlen(bytes);

	return (size_t) (lex->end - lex->at) >= length && memcmp(lex->at, bytes, length) == 0;
}

static bool
lex_sign(lexer *lex)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
	{
		const sign *s = &signs[i];

		if (s->bytes[0] != *lex->at || !starts(lex, s->bytes))
			continue;
		lex->at += strlen(s->bytes);
		if (s->kind == RSTAR_TOKEN_END)
			lex->spaced = true;
		else
			emit(lex, (rstar_token_kind) s->kind, s->id, s->text, strlen(s->text));
		return true;
	}
	for (size_t i = 0; i < sizeof(vulgar) / sizeof(vulgar[0]); i++)
	{
		if (!starts(lex, vulgar[i].bytes))
			continue;
		lex->at += strlen(vulgar[i].bytes);
		emit_mark(lex, RSTAR_MARK_FRAC);
		emit(lex, RSTAR_TOKEN_NUMBER, 0, vulgar[i].text, 1);
		emit(lex, RSTAR_TOKEN_NUMBER, 0, vulgar[i].text + 1, 1);
		return true;
	}
	return false;
}

static void
lex_ascii(lexer *lex)
{
	int c = peek(lex, 0);

	lex->at++;
	switch (c)
	{
		case '$':
		case '~':
		case '"':
		case '`':
			lex->spaced = true;
			break;
		case '.':
			break;
		case '{':
			if (lex->text_depth > 0 || lex->want_text)
				lex->text_depth++;
			lex->want_text = false;
			if (lex->text_depth == 0)
				emit_mark(lex, '{');
			else
				lex->spaced = true;
			break;
		case '}':
			if (lex->text_depth > 0)
				lex->text_depth--, lex->spaced = true;
			else
				emit_mark(lex, '}');
			break;
		case '(':
		case '[':
			lex->brackets++;
			emit_mark(lex, (unsigned) c);
			break;
		case ')':
		case ']':
			lex->brackets -= lex->brackets > 0;
			emit_mark(lex, (unsigned) c);
			break;
		case '%':
			emit_mark(lex, RSTAR_MARK_PERCENT);
			break;
		case '\'':
			emit_mark(lex, RSTAR_MARK_PRIME);
			break;
		default:
			if (strchr("+-*/^_,;:|!=<>&", c))
				emit_mark(lex, (unsigned) c);
			else
				lex->failed = true; /* ? @ # and bytes beyond ASCII that mean nothing here */
	}
}

bool
rstar_lex(rstar_work *work, const char *text, size_t length, rstar_reading reading,
		  rstar_tokens *out)
{
	lexer lex = {.work = work, .at = text, .end = text + length, .reading = reading, .out = out};

	memset(out, 0, sizeof(*out));
	lex.capacity = length / 2 + 8;
	if (lex.capacity > 4096)
		lex.capacity = 4096;
	out->token = rstar_arena_alloc_array(work->arena, lex.capacity, sizeof(rstar_token));
	lex.digits = rstar_arena_alloc_array(work->arena, length + 1, 2);
	if (!out->token || !lex.digits)
		return false;
	while (lex.at < lex.end && !lex.failed)
	{
		int c = peek(&lex, 0);

		if (is_space(c))
		{
			lex.at++;
			lex.spaced = true;
		}
		else if (is_digit(c) || (c == '.' && is_digit(peek(&lex, 1))))
			lex_number(&lex);
		else if (is_letter(c))
			lex_letters(&lex);
		else if (c == '\\')
			lex_command(&lex);
		else if (!lex_sign(&lex))
			lex_ascii(&lex);
	}
	emit(&lex, RSTAR_TOKEN_END, 0, lex.end, 0);
	return !lex.failed;
}

/*
 * lex_word.c
 *	  Runs of letters: functions, words, products of letters.
 */
#include "core/grade/lex_internal.h"

#define MAX_CALL 32 /* bytes of a name that SymPy prints before a bracket */

/* The letter of a set of numbers, as \mathbb has it. */
static const char *
number_set(unsigned letter)
{
	static const char letters[] = "RZNQCW";

	return strchr(letters, (int) letter);
}

/*
 * The table says what a word is; only what needs the text after it has code here. Words that
 * only arrange are white space to the parser: they keep apart what stands on both sides.
 */
void
rstar_lex_emit_entry(rstar_lexer *lex, const rstar_lex_entry *entry, const char *text,
					 size_t length)
{
	switch ((rstar_lex_action) entry->action)
	{
		case LEX_SKIP:
		case LEX_ARGUMENT:
		case LEX_LEFT:
		case LEX_RIGHT:
			lex->spaced = true;
			break;
		case LEX_TEXT:
			lex->want_text = true;
			break;
		case LEX_FONT:
			break;
		case LEX_MARK:
			rstar_lex_emit(lex, RSTAR_TOKEN_MARK, entry->id, text, length);
			break;
		case LEX_LETTER:
			rstar_lex_emit(lex, RSTAR_TOKEN_LETTER, 0, text, length);
			break;
		case LEX_FUNCTION:
			rstar_lex_emit(lex, RSTAR_TOKEN_FUNCTION, entry->id, text, length);
			break;
		case LEX_CONSTANT:
			rstar_lex_emit(lex, RSTAR_TOKEN_CONSTANT, entry->id, text, length);
			break;
		case LEX_BIG:
			rstar_lex_emit(lex, RSTAR_TOKEN_BIG, 0, text, length);
			break;
		case LEX_BUILD:
			rstar_lex_emit(lex, RSTAR_TOKEN_BUILD, entry->id, text, length);
			break;
		case LEX_WORD:
			rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, length);
			break;
		case LEX_NUMBERS:
			rstar_lex_emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, number_set(entry->id), 1);
			break;
		case LEX_ACCENT:
			rstar_lex_emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_ACCENT, text, length);
			break;
		case LEX_BLACKBOARD:
		{
			size_t n = count_spaces(lex, 0);

			if (peek(lex, n) == '{')
				n += 1 + count_spaces(lex, n + 1);
			rstar_lex_emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, lex->at + n,
						   is_letter(peek(lex, n)));
			n += is_letter(peek(lex, n));
			n += count_spaces(lex, n);
			lex->at += n + (peek(lex, n) == '}');
			break;
		}
	}
}

static void
emit_letters(rstar_lexer *lex, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (text[i] == 'e')
			rstar_lex_emit(lex, RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_E, text + i, 1);
		else if (text[i] == 'i')
			rstar_lex_emit(lex, RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_I, text + i, 1);
		else
			rstar_lex_emit(lex, RSTAR_TOKEN_LETTER, 0, text + i, 1);
	}
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
emit_run_together(rstar_lexer *lex, const char *text, size_t length)
{
	for (size_t n = length - 1; n >= 2 && length - n <= 2; n--)
	{
		const rstar_lex_entry *entry = rstar_lex_find_word(text, n);

		if (!entry || (entry->action != LEX_FUNCTION && entry->action != LEX_CONSTANT &&
					   entry->id != RSTAR_MARK_SQRT))
			continue;
		if (entry->action == LEX_CONSTANT && n != 2)
			continue;
		rstar_lex_emit_entry(lex, entry, text, n);
		emit_letters(lex, text + n, length - n);
		return true;
	}
	return false;
}

/* "0orx", "}andy=": a conjunction before a name, without its spaces. */
static bool
emit_conjunction(rstar_lexer *lex, const char *text, size_t length)
{
	size_t n = memcmp(text, "or", 2) == 0 ? 2 : length > 3 && memcmp(text, "and", 3) == 0 ? 3 : 0;
	size_t behind = count_spaces(lex, 0);

	if (n == 0 || length <= n || length - n > 2)
		return false;
	if (!follows_number(lex, true) &&
		(length - n > 1 || !peek(lex, behind) || !strchr("=<>\\", peek(lex, behind))))
		return false;
	rstar_lex_emit_mark(lex, n == 2 ? RSTAR_MARK_OR : RSTAR_MARK_AND);
	emit_letters(lex, text + n, length - n);
	return true;
}

/* The s of "m/s" */
static bool
follows_unit_slash(const rstar_lexer *lex)
{
	const rstar_token *t = lex->out->token + lex->out->count;

	return lex->out->count >= 2 && t[-1].kind == RSTAR_TOKEN_MARK && t[-1].id == '/' &&
		   t[-2].kind == RSTAR_TOKEN_WORD;
}

static bool
is_unit_letter(char c)
{
	return strchr("msghL", c) != NULL;
}

/* One letter: a constant, a variable, perhaps a unit. */
static void
lex_letter(rstar_lexer *lex, const char *text)
{
	bool quotient = lex->text_depth == 0 && is_unit_letter(*text) && follows_unit_slash(lex);
	bool unit = lex->text_depth == 0 && is_unit_letter(*text) && follows_number(lex, false);
	bool capital = lex->plain && (*text == 'E' || *text == 'I');

	lex->out->ambiguity.letter_units |= unit;
	lex->out->ambiguity.capitals |= capital;
	if (quotient || (unit && lex->reading.letter_units))
		rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, 1);
	else if (capital && lex->reading.capitals)
		rstar_lex_emit(lex, RSTAR_TOKEN_CONSTANT,
					   *text == 'E' ? RSTAR_CONSTANT_E : RSTAR_CONSTANT_I, text, 1);
	else
		emit_letters(lex, text, 1);
}

/* sympy.sqrt, S.Reals, math.pi: the module says nothing. */
static bool
skip_module(rstar_lexer *lex, const char *text, size_t length)
{
	static const char *const modules[] = {"sympy",  "sp",    "S",         "sym",
										  "math",   "cmath", "np",        "numpy",
										  "mpmath", "mp",    "fractions", "decimal"};

	if (peek(lex, length) != '.' || !is_letter(peek(lex, length + 1)))
		return false;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (strlen(modules[i]) == length && memcmp(modules[i], text, length) == 0)
		{
			lex->at += length + 1;
			return true;
		}
	return false;
}

/* A bracket right behind a name; behind one in \operatorname{}, braces may come between. */
static bool
bracket_follows(const rstar_lexer *lex, size_t n)
{
	if (lex->text_depth == 0)
		return peek(lex, n) == '(';
	n += peek(lex, n) == '}';
	n += count_spaces(lex, n);
	n += peek(lex, n) == '{';
	if (bytes_at(lex, n, "\\left"))
		n += 5;
	return peek(lex, n) == '(';
}

/* What SymPy prints before a bracket: Interval.open, Point2D, Abs. */
static bool
lex_call(rstar_lexer *lex, const char *text, size_t length)
{
	const rstar_lex_entry *entry;

	while (length <= MAX_CALL && (is_digit(peek(lex, length)) || is_letter(peek(lex, length)) ||
								  (peek(lex, length) == '.' && is_letter(peek(lex, length + 1)))))
		length++;
	if (length > MAX_CALL || !bracket_follows(lex, length))
		return false;
	entry = rstar_lex_find_word(text, length);
	if (!entry || (entry->action != LEX_BUILD && entry->action != LEX_WORD &&
				   !(length == 5 && memcmp(text, "gamma", 5) == 0)))
		return false;
	lex->at += length;
	if (entry->action == LEX_BUILD)
		rstar_lex_emit(lex, RSTAR_TOKEN_BUILD, entry->id, text, length);
	else
		rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, length);
	return true;
}

/* x1, theta0: a letter and digits are a name with an index. */
static bool
lex_indexed(rstar_lexer *lex, const char *text, size_t length)
{
	const rstar_lex_entry *entry = rstar_lex_find_word(text, length);
	size_t digits = count_digits(lex, length);

	if ((length > 1 && (!entry || entry->action != LEX_LETTER)) ||
		is_letter(peek(lex, length + digits)) || peek(lex, length + digits) == '.')
		return false;
	lex->at += length + digits;
	rstar_lex_emit(lex, RSTAR_TOKEN_LETTER, 0, text, length);
	rstar_lex_emit_mark(lex, '_');
	rstar_lex_emit_mark(lex, '{');
	rstar_lex_emit(lex, RSTAR_TOKEN_NUMBER, 0, text + length, digits);
	rstar_lex_emit_mark(lex, '}');
	return true;
}

/* "300a7x": letters and digits in one run are a name, not a product. */
static void
lex_mixed_run(rstar_lexer *lex, const char *text, size_t length)
{
	while (is_digit(peek(lex, length)) || is_letter(peek(lex, length)))
		length++;
	lex->at += length;
	rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, length);
}

/* A run of letters that no table knows: a word, or a product of variables. */
static void
lex_unknown(rstar_lexer *lex, const char *text, size_t length)
{
	bool among_words =
		lex->spaced && lex->out->count > 0 &&
		lex->out->token[lex->out->count - 1].kind == RSTAR_TOKEN_WORD; /* "hours ago" */

	if (lex->text_depth == 0 &&
		(emit_conjunction(lex, text, length) || emit_run_together(lex, text, length)))
		return;
	if (lex->text_depth > 0 || among_words || length >= 4 ||
		rstar_lex_is_short_word(text, length) || (length >= 3 && all_capitals(text, length)))
		rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, length);
	else
		emit_letters(lex, text, length);
}

/* A run of letters outside a command. */
void
rstar_lex_letters(rstar_lexer *lex)
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
		rstar_lex_emit_mark(lex, '*');
		return;
	}
	if (skip_module(lex, text, length) || lex_call(lex, text, length) ||
		rstar_lex_number_words(lex))
		return;
	entry = rstar_lex_find_word(text, length + count_digits(lex, length)); /* Naturals0 */
	if (entry && entry->action == LEX_NUMBERS)
		length += count_digits(lex, length);
	else
		entry = rstar_lex_find_word(text, length);
	if (entry && (entry->action == LEX_BUILD || entry->action == LEX_WORD))
		entry = NULL;
	if (is_digit(peek(lex, length)) && lex->text_depth == 0 &&
		(!entry || entry->action == LEX_LETTER))
	{
		if (!lex_indexed(lex, text, length))
			lex_mixed_run(lex, text, length);
		return;
	}
	lex->at += length;
	if (length == 1)
		lex_letter(lex, text);
	else if (entry && entry->action != LEX_TEXT)
		rstar_lex_emit_entry(lex, entry, text, length);
	else
		lex_unknown(lex, text, length);
}

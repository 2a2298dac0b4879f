/*
 * lex_word.c
 *	  Runs of letters: functions, words, products of letters.
 */
#include "core/grade/lex_internal.h"

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

static bool
follows_number(const rstar_lexer *lex, bool closely)
{
	size_t n = lex->out->count;

	return n > 0 && !(closely && lex->spaced) && lex->out->token[n - 1].kind == RSTAR_TOKEN_NUMBER;
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
	/* "300a7", "x1": letters and digits in one run are a name, not a product. */
	if (is_digit(peek(lex, length)) && lex->text_depth == 0 && !rstar_lex_find_word(text, length))
	{
		size_t n = length;

		while (is_digit(peek(lex, n)) || is_letter(peek(lex, n)))
			n++;
		lex->at += n;
		rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, n);
		return;
	}
	lex->at += length;
	entry = rstar_lex_find_word(text, length);
	if (entry && entry->action != LEX_TEXT && (length > 1))
	{
		rstar_lex_emit_entry(lex, entry, text, length);
		return;
	}
	if (length == 1)
	{
		bool unit = lex->text_depth == 0 && strchr("msghL", *text) &&
					(follows_number(lex, false) || follows_unit_slash(lex));

		lex->out->ambiguity.letter_units |= unit;
		if (unit && lex->reading.letter_units)
			rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, 1);
		else
			emit_letters(lex, text, 1);
		return;
	}
	if (lex->text_depth == 0 && emit_conjunction(lex, text, length))
		return;
	if (lex->text_depth == 0 && emit_run_together(lex, text, length))
		return;
	if (lex->text_depth > 0 || length >= 4 || rstar_lex_is_short_word(text, length) ||
		(length >= 3 && all_capitals(text, length)))
		rstar_lex_emit(lex, RSTAR_TOKEN_WORD, 0, text, length);
	else
		emit_letters(lex, text, length);
}

/*
 * lex_command.c
 *	  Commands: what begins with a backslash.
 */
#include "core/grade/lex_internal.h"

/* The braces behind \begin or \end, and the columns of an array. */
static void
lex_environment(rstar_lexer *lex, unsigned mark)
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
	rstar_lex_emit(lex, RSTAR_TOKEN_MARK, mark, name, length);
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
lex_delimiter(rstar_lexer *lex, bool left)
{
	lex->at += count_spaces(lex, 0);
	if (peek(lex, 0) == '.')
		lex->at++;
	else if (peek(lex, 0) == '|')
	{
		lex->at++;
		rstar_lex_emit_mark(lex, left ? RSTAR_MARK_BAR_OPEN : RSTAR_MARK_BAR_CLOSE);
	}
}

static void
lex_command_name(rstar_lexer *lex, const char *name, size_t length)
{
	const rstar_lex_entry *entry = rstar_lex_find_command(name, length);

	for (size_t n = length - 1; !entry && n >= 2; n--)
	{
		entry = rstar_lex_find_command(name, n);
		if (entry && (entry->action == LEX_TEXT || entry->id == RSTAR_MARK_BEGIN))
			entry = NULL;
		if (entry)
			length = n;
	}
	lex->at = name + length;
	if (!entry)
		rstar_lex_emit(lex, RSTAR_TOKEN_LETTER, 0, name, length);
	else if (entry->action == LEX_LEFT || entry->action == LEX_RIGHT)
		lex_delimiter(lex, entry->action == LEX_LEFT);
	else if (entry->action == LEX_ARGUMENT)
	{
		while (lex->at < lex->end && *lex->at != '}')
			lex->at++;
		lex->at += lex->at < lex->end;
	}
	else if (entry->id == RSTAR_MARK_BEGIN || entry->id == RSTAR_MARK_END)
		lex_environment(lex, entry->id);
	else if (entry->action == LEX_FUNCTION)
		rstar_lex_emit_entry(lex, entry, name, 0); /* no name: \min is no minute */
	else
		rstar_lex_emit_entry(lex, entry, name, length);
}

/* \\frac: a command that was escaped once too often, where there are no rows to end. */
static bool
escaped_command(const rstar_lexer *lex)
{
	size_t n = 0;

	while (is_letter(peek(lex, 2 + n)))
		n++;
	return n > 1 && rstar_lex_find_command(lex->at + 2, n);
}

/* A backslash and letters are a command, a backslash and another character an escaped one or a blank. */
void
rstar_lex_command(rstar_lexer *lex)
{
	int c = peek(lex, 1);
	size_t length = 0;

	if (c == '\\' && !lex->rows && escaped_command(lex))
		lex->at++;
	c = peek(lex, 1);
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
			rstar_lex_emit_mark(lex, RSTAR_MARK_SET_OPEN);
			break;
		case '}':
			lex->brackets -= lex->brackets > 0;
			rstar_lex_emit_mark(lex, RSTAR_MARK_SET_CLOSE);
			break;
		case '%':
			rstar_lex_emit_mark(lex, RSTAR_MARK_PERCENT);
			break;
		case '$':
			rstar_lex_emit(lex, RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "dollar", 6);
			break;
		case '|':
			rstar_lex_emit_mark(lex, '|');
			break;
		case '\\':
			rstar_lex_emit_mark(lex, RSTAR_MARK_ROW);
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

/*
 * lex.c
 *	  Tokens of an answer: see lex.h.
 */
#include "core/grade/lex_internal.h"

/* An END stands in front of the first token: the parser may always look one back. */
static rstar_token *
alloc_tokens(rstar_arena *arena, size_t n)
{
	rstar_token *tokens = rstar_arena_alloc_array(arena, n + 1, sizeof(*tokens));

	if (!tokens)
		return NULL;
	memset(tokens, 0, sizeof(*tokens));
	return tokens + 1;
}

rstar_token *
rstar_lex_emit(rstar_lexer *lex, rstar_token_kind kind, unsigned id, const char *text,
			   size_t length)
{
	rstar_token *token;

	if (lex->out->count == lex->capacity)
	{
		size_t capacity = lex->capacity * 2;
		rstar_token *grown = alloc_tokens(lex->work->arena, capacity);

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
	token->base = 0;
	token->text = text;
	lex->spaced = false;
	return token;
}

void
rstar_lex_emit_mark(rstar_lexer *lex, unsigned id)
{
	rstar_lex_emit(lex, RSTAR_TOKEN_MARK, id, lex->at, 0);
}

/* Decimal('1.5'), {'x': 2}: quotes of Python; elsewhere a prime. */
static void
lex_quote(rstar_lexer *lex)
{
	const char *quote = lex->at - 1;

	if (lex->quoted || quote == lex->begin || strchr("([{,: =", quote[-1]))
	{
		lex->quoted = !lex->quoted;
		lex->spaced = true;
	}
	else
		rstar_lex_emit_mark(lex, RSTAR_MARK_PRIME);
}

/* A single ASCII character: braces and brackets are counted, since commas mean something else inside. */
static void
lex_ascii(rstar_lexer *lex)
{
	int c = peek(lex, 0);

	lex->at++;
	switch (c)
	{
		case '_':
			/* _n: a name that SymPy made up */
			if (!(is_letter(peek(lex, 0)) &&
				  (lex->at - 1 == lex->begin || strchr(" ([{,*+-/:|", lex->at[-2]))))
				rstar_lex_emit_mark(lex, '_');
			break;
		case '~':
			/* a blank of LaTeX; without commands around it, "about" */
			if (lex->plain &&
				(lex->at - 1 == lex->begin || is_space(lex->at[-2]) || !is_letter(peek(lex, 0))))
				rstar_lex_emit_mark(lex, RSTAR_MARK_APPROX);
			lex->spaced = true;
			break;
		case '$':
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
				rstar_lex_emit_mark(lex, '{');
			else
				lex->spaced = true;
			break;
		case '}':
			if (lex->text_depth > 0)
				lex->text_depth--, lex->spaced = true;
			else
				rstar_lex_emit_mark(lex, '}');
			break;
		case '(':
		case '[':
			lex->brackets++;
			rstar_lex_emit_mark(lex, (unsigned) c);
			break;
		case ')':
		case ']':
			lex->brackets -= lex->brackets > 0;
			rstar_lex_emit_mark(lex, (unsigned) c);
			break;
		case '%':
			rstar_lex_emit_mark(lex, RSTAR_MARK_PERCENT);
			break;
		case '\'':
			lex_quote(lex);
			break;
		default:
			if (strchr("+-*/^,;:|!=<>&", c))
				rstar_lex_emit_mark(lex, (unsigned) c);
			else
				lex->failed = true; /* ? @ # and bytes beyond ASCII that mean nothing here */
	}
}

/* (2+3j): every letter is a j behind a digit, or the e of an exponent. */
static bool
only_imaginary_j(const char *text, size_t length)
{
	bool found = false;

	for (size_t i = 0; i < length; i++)
	{
		bool behind_digit = i > 0 && (is_digit(text[i - 1]) || text[i - 1] == '.');

		if (!is_letter(text[i]))
			continue;
		if (!behind_digit || (text[i] != 'j' && text[i] != 'e'))
			return false;
		found |= text[i] == 'j';
	}
	return found;
}

/*
 * What the whole text says about its notation is found first: whether it is TeX at all, has
 * rows, or writes j for i. The digits of all numbers, without their separators, go into one
 * buffer as long as the text, which they cannot outgrow. The list always ends with an END, so
 * that the parser can look one token ahead.
 */
bool
rstar_lex(rstar_work *work, const char *text, size_t length, rstar_reading reading,
		  rstar_tokens *out)
{
	rstar_lexer lex = {.work = work,
					   .begin = text,
					   .at = text,
					   .end = text + length,
					   .reading = reading,
					   .out = out};

	memset(out, 0, sizeof(*out));
	lex.rows = memmem(text, length, "begin", 5) != NULL;
	lex.plain = !memchr(text, '\\', length);
	lex.imaginary_j = lex.plain && only_imaginary_j(text, length);
	lex.capacity = length / 2 + 8;
	if (lex.capacity > 4096)
		lex.capacity = 4096;
	out->token = alloc_tokens(work->arena, lex.capacity);
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
			rstar_lex_number(&lex);
		else if (is_letter(c))
			rstar_lex_letters(&lex);
		else if (c == '\\')
			rstar_lex_command(&lex);
		else if (!rstar_lex_sign(&lex))
			lex_ascii(&lex);
	}
	rstar_lex_emit(&lex, RSTAR_TOKEN_END, 0, lex.end, 0);
	return !lex.failed;
}

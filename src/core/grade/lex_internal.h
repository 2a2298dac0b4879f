/*
 * lex_internal.h
 *	  What the files of the lexer share. Internal to lex*.c.
 *
 * lex.c has the loop and the single ASCII characters, lex_number.c numbers, lex_word.c runs
 * of letters, lex_command.c commands that begin with a backslash, lex_sign.c signs of
 * several bytes. Each rstar_lex_* function below takes the lexer before something of its
 * kind, emits its tokens and leaves the lexer behind it.
 */
#ifndef RSTAR_GRADE_LEX_INTERNAL_H
#define RSTAR_GRADE_LEX_INTERNAL_H

#include <string.h>

#include "core/grade/chars.h"
#include "core/grade/lex.h"
#include "core/grade/lex_table.h"

typedef struct rstar_lexer
{
	rstar_work *work;
	const char *begin;
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
	bool quoted;      /* between quotes of Python */
	bool plain;       /* no command in the whole text */
	bool rows;        /* there is an environment, whose rows end with two backslashes */
	bool imaginary_j; /* j is i, as Python writes it */
	bool failed;
} rstar_lexer;

/* The byte at an offset, 0 beyond the end. */
static inline int
peek(const rstar_lexer *lex, size_t offset)
{
	return (size_t) (lex->end - lex->at) > offset ? (unsigned char) lex->at[offset] : 0;
}

/* How many characters of a kind follow one another. */
static inline size_t
count_run(const rstar_lexer *lex, size_t offset, bool (*is_kind)(int))
{
	size_t n = 0;

	while (is_kind(peek(lex, offset + n)))
		n++;
	return n;
}

static inline size_t
count_digits(const rstar_lexer *lex, size_t offset)
{
	return count_run(lex, offset, is_digit);
}

static inline size_t
count_spaces(const rstar_lexer *lex, size_t offset)
{
	return count_run(lex, offset, is_space);
}

/* Is the last token a number (closely: without a space behind it)? */
static inline bool
follows_number(const rstar_lexer *lex, bool closely)
{
	size_t n = lex->out->count;

	return n > 0 && !(closely && lex->spaced) && lex->out->token[n - 1].kind == RSTAR_TOKEN_NUMBER;
}

/* Do these bytes stand at an offset? */
static inline bool
bytes_at(const rstar_lexer *lex, size_t offset, const char *bytes)
{
	size_t length = strlen(bytes);

	return (size_t) (lex->end - lex->at) >= offset + length &&
		   memcmp(lex->at + offset, bytes, length) == 0;
}

/* lex.c */
extern rstar_token *rstar_lex_emit(rstar_lexer *lex, rstar_token_kind kind, unsigned id,
								   const char *text, size_t length);
extern void rstar_lex_emit_mark(rstar_lexer *lex, unsigned id);

extern void rstar_lex_number(rstar_lexer *lex);
extern bool rstar_lex_number_words(rstar_lexer *lex); /* false: no number in words */
extern void rstar_lex_letters(rstar_lexer *lex);
extern void rstar_lex_command(rstar_lexer *lex);
extern bool rstar_lex_sign(rstar_lexer *lex); /* false: no sign of the table */

/* lex_word.c: emit what a word or command of a table stands for. */
extern void rstar_lex_emit_entry(rstar_lexer *lex, const rstar_lex_entry *entry, const char *text,
								 size_t length);

#endif

/*
 * lex_table.h
 *	  The words the lexer knows. Internal to lex*.c.
 */
#ifndef RSTAR_GRADE_LEX_TABLE_H
#define RSTAR_GRADE_LEX_TABLE_H

#include "core/grade/lex.h"

/* What a command or word stands for. */
typedef enum rstar_lex_action
{
	LEX_SKIP,     /* no meaning: spacing, sizes, styles */
	LEX_TEXT,     /* the group that follows is text */
	LEX_FONT,     /* the group that follows is mathematics in another font */
	LEX_MARK,     /* id */
	LEX_LETTER,   /* Greek: its own name */
	LEX_FUNCTION, /* id */
	LEX_CONSTANT, /* id */
	LEX_BIG,      /* its own name */
	LEX_ACCENT,   /* its own name */
	LEX_BLACKBOARD,
	LEX_BUILD,   /* id: rstar_build; only before a bracket */
	LEX_WORD,    /* a word, only before a bracket: re(z) */
	LEX_NUMBERS, /* id: the letter of a set of numbers */
	LEX_LEFT,    /* \left: what follows is an opening delimiter */
	LEX_RIGHT,   /* \right */
	LEX_ARGUMENT /* skipped together with its argument: \hspace{1cm} */
} rstar_lex_action;

typedef struct rstar_lex_entry
{
	const char *name;
	uint8_t action;
	uint16_t id;
} rstar_lex_entry;

/* NULL: not in the table. A command is given without its backslash. */
extern const rstar_lex_entry *rstar_lex_find_command(const char *text, size_t length);
extern const rstar_lex_entry *rstar_lex_find_word(const char *text, size_t length);

/* A run of two or three letters that is a word rather than a product. */
extern bool rstar_lex_is_short_word(const char *text, size_t length);

#endif

/*
 * pretoken_internal.h
 *	  What the files of the rules for cutting text share. Private to core/text.
 *
 * pretoken.c		the expressions that match everywhere (qwen2 and its family, gpt-2)
 * pretoken_rules.c	the cuts of the other rules, the table of rules, the walk through them
 */
#ifndef RSTAR_TEXT_PRETOKEN_INTERNAL_H
#define RSTAR_TEXT_PRETOKEN_INTERNAL_H

#include "core/text/pretoken.h"

/* A piece of text; expressions do not see beyond it. */
typedef struct rstar_piece
{
	const char *text;
	size_t length;
} rstar_piece;

typedef struct rstar_character
{
	uint32_t code;
	size_t end; /* position behind it */
	rstar_char_class class;
} rstar_character;

/* The character at `at`; false at the end of the piece. */
extern bool rstar_piece_read(const rstar_piece *in, size_t at, rstar_character *out);

/* An expression: the end of its match that begins at `at` (< length), or 0. */
typedef size_t (*rstar_pretoken_match)(const rstar_piece *in, size_t at);

extern size_t rstar_match_qwen2(const rstar_piece *in, size_t at);
extern size_t rstar_match_llama3(const rstar_piece *in, size_t at);
extern size_t rstar_match_qwen35(const rstar_piece *in, size_t at);
extern size_t rstar_match_tekken(const rstar_piece *in, size_t at);
extern size_t rstar_match_gpt4o(const rstar_piece *in, size_t at);
extern size_t rstar_match_gpt2(const rstar_piece *in, size_t at);

/* \s*[\r\n]+ | \s+(?!\S) | \s+ */
extern size_t rstar_match_space(const rstar_piece *in, size_t at, bool line_ends);

#endif

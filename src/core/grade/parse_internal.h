/*
 * parse_internal.h
 *	  What the files of the parser share. Internal to parse*.c.
 *
 * parse.c has sums, products, relations and lists, parse_primary.c what stands
 * between operators, parse_bracket.c, parse_matrix.c and parse_number.c the larger of
 * these, parse_function.c functions and their arguments, parse_item.c what makes an
 * item of a list: times, units, phrases. Every function takes the
 * parser behind what it has read and returns a tree, or NULL as soon as something
 * does not fit; nothing is tried twice.
 */
#ifndef RSTAR_GRADE_PARSE_INTERNAL_H
#define RSTAR_GRADE_PARSE_INTERNAL_H

#include <string.h>

#include "core/grade/parse.h"
#include "core/grade/value.h"

typedef struct rstar_parser
{
	rstar_work *work;
	const rstar_token *token; /* the next one; the last is END */
	int depth;
	int chains;    /* operators after the first of a chain that nests to the left */
	int bars;      /* inside | | */
	int squares;   /* inside [ ] */
	int sets;      /* inside \{ \} */
	int lines;     /* inside an environment of lines, where & only aligns */
	bool currency; /* a sign such as \$ stood before a number of this item */
	const char *currency_word;
	uint32_t currency_length;
} rstar_parser;

/* A growing list of children. */
typedef struct rstar_children
{
	const rstar_expr **item;
	size_t count;
	size_t capacity;
} rstar_children;

static inline bool
is_mark(const rstar_token *token, unsigned id)
{
	return token->kind == RSTAR_TOKEN_MARK && token->id == id;
}

static inline bool
accept(rstar_parser *p, unsigned id)
{
	if (!is_mark(p->token, id))
		return false;
	p->token++;
	return true;
}

static inline bool
text_is(const rstar_token *token, const char *text)
{
	return token->length == strlen(text) && memcmp(token->text, text, token->length) == 0;
}

static inline bool
word_is(const rstar_token *token, const char *text)
{
	if (token->kind != RSTAR_TOKEN_WORD || token->length != strlen(text))
		return false;
	for (uint32_t i = 0; i < token->length; i++)
		if ((token->text[i] | 32) != text[i])
			return false;
	return true;
}

static inline bool
is_integer_token(const rstar_token *token)
{
	return token->kind == RSTAR_TOKEN_NUMBER && token->repeat == 0 && token->base == 0 &&
		   !memchr(token->text, '.', token->length) && !memchr(token->text, 'e', token->length) &&
		   !memchr(token->text, 'E', token->length);
}

/* \frac{\text{m}}{\text{s}} */
static inline bool
is_unit_fraction(const rstar_token *t)
{
	return is_mark(t, RSTAR_MARK_FRAC) && is_mark(t + 1, '{') && t[2].in_text &&
		   (t[2].kind == RSTAR_TOKEN_WORD || t[2].kind == RSTAR_TOKEN_LETTER);
}

/* Count the n-th link of a chain that nests to the left; false: the tree grows too deep. */
static inline bool
link_chain(rstar_parser *p, int n)
{
	p->chains += n > 1;
	return p->chains <= RSTAR_PARSE_MAX_CHAIN;
}

static inline bool
is_words(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_NAME && node->op == RSTAR_OP_WORDS;
}

/* parse.c */
extern bool rstar_parser_push(rstar_parser *p, rstar_children *list, const rstar_expr *item);
extern rstar_expr *rstar_parser_collect(rstar_parser *p, rstar_expr_kind kind,
										const rstar_children *list);
extern const rstar_expr *rstar_parser_collect_or_only(rstar_parser *p, rstar_expr_kind kind,
													  const rstar_children *list);
extern bool rstar_parser_enter(rstar_parser *p);
extern bool rstar_parser_starts_factor(const rstar_parser *p, const rstar_token *token);
extern const rstar_expr *rstar_parse_factor(rstar_parser *p);
extern const rstar_expr *rstar_parse_sum(rstar_parser *p);
extern unsigned rstar_parser_relation_of(const rstar_token *t);
extern const rstar_expr *rstar_parse_relation(rstar_parser *p);
extern const rstar_expr *rstar_parser_join(rstar_parser *p, const rstar_expr *a, unsigned op,
										   const rstar_expr *b);
extern const rstar_expr *rstar_parse_list(rstar_parser *p);

/* parse_bracket.c */
extern const rstar_expr *rstar_parse_bracket(rstar_parser *p, unsigned open);

/* parse_matrix.c */
extern const rstar_expr *rstar_parse_environment(rstar_parser *p);

/* parse_number.c: digits to a base; the base behind its _; a number and nothing behind it */
extern const rstar_expr *rstar_parser_based(rstar_parser *p, const char *digits, size_t length,
											const rstar_token *base);
extern const rstar_token *rstar_parser_base(rstar_parser *p);
extern const rstar_expr *rstar_parse_primary_number(rstar_parser *p);
extern const rstar_expr *rstar_parse_number(rstar_parser *p);

/* parse_primary.c */
extern rstar_expr *rstar_parser_name(rstar_parser *p, const char *text, size_t length,
									 uint64_t seed);
extern const rstar_expr *rstar_parse_fraction(rstar_parser *p);
extern rstar_expr *rstar_parser_call(rstar_parser *p, unsigned function, const rstar_expr *a,
									 const rstar_expr *b);
extern rstar_expr *rstar_parser_apply(rstar_parser *p, const char *text, size_t length,
									  const rstar_expr *a);
extern const rstar_expr *rstar_parse_one(rstar_parser *p, bool one_digit);
extern const rstar_expr *rstar_parse_power(rstar_parser *p);

/* parse_python.c: what SymPy and Python print as a call */
extern const rstar_expr *rstar_parse_build(rstar_parser *p);

/* { element | condition }, as a tree: see parse_bracket.c. */
extern const rstar_expr *rstar_parser_set_builder(rstar_parser *p, const rstar_expr *element,
												  const rstar_expr *condition);

/* Entries row by row. NULL: they fill no rows of so many columns. */
extern const rstar_expr *rstar_parser_matrix(rstar_parser *p, const rstar_children *entries,
											 size_t columns);

/* value cases: children are pairs of a value and its condition. */
extern const rstar_expr *rstar_parser_piecewise(rstar_parser *p, const rstar_children *pairs);

/* \sum, \int and the like with their bounds; NULL: without. */
extern const rstar_expr *rstar_parser_big(rstar_parser *p, const char *name, size_t length,
										  const rstar_expr *body, const rstar_expr *below,
										  const rstar_expr *above);

/* a = b with any sign of relation */
extern const rstar_expr *rstar_parser_relation(rstar_parser *p, const rstar_expr *a, unsigned op,
											   const rstar_expr *b);

/* parse_function.c */
extern const rstar_expr *rstar_parse_function(rstar_parser *p);
extern const rstar_expr *rstar_parse_big(rstar_parser *p);

/* parse_item.c */
extern const rstar_expr *rstar_parse_item(rstar_parser *p);

#endif

/*
 * parse_number.c
 *	  Numbers, mixed numbers and numerals with a base. See parse.h.
 */
#include "core/grade/parse_internal.h"

/* 3\frac{1}{2}, 1 1/2: a number and a proper fraction of numbers. */
static const rstar_expr *
parse_mixed(rstar_parser *p, const rstar_expr *whole)
{
	const rstar_expr *fraction = NULL;
	const rstar_token *t = p->token;

	if (is_mark(t, RSTAR_MARK_FRAC))
	{
		p->token++;
		fraction = rstar_parse_fraction(p);
	}
	else if (is_integer_token(t) && t->spaced && is_mark(t + 1, '/') && is_integer_token(t + 2))
	{
		rstar_expr *num = rstar_expr_make(p->work, RSTAR_EXPR_NUMBER, 0);
		rstar_expr *den = rstar_expr_make(p->work, RSTAR_EXPR_NUMBER, 0);

		if (!num || !den)
			return NULL;
		num->text = t[0].text;
		num->length = t[0].length;
		den->text = t[2].text;
		den->length = t[2].length;
		p->token += 3;
		fraction = rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT, num, den);
	}
	else
		return whole;
	if (!fraction)
		return NULL;
	if (fraction->child[0]->kind == RSTAR_EXPR_NUMBER &&
		fraction->child[1]->kind == RSTAR_EXPR_NUMBER &&
		(fraction->child[0]->length < fraction->child[1]->length ||
		 (fraction->child[0]->length == fraction->child[1]->length &&
		  memcmp(fraction->child[0]->text, fraction->child[1]->text, fraction->child[0]->length) <
			  0)))
		return rstar_expr_binary(p->work, RSTAR_EXPR_SUM, whole, fraction);
	return rstar_expr_binary(p->work, RSTAR_EXPR_PRODUCT, whole, fraction);
}

/* 2102_{8}: digits and a base from 2 to 36. */
static const rstar_expr *
parse_based(rstar_parser *p, const rstar_token *digits)
{
	const rstar_token *t = ++p->token; /* behind the _ */
	bool braced = accept(p, '{');
	rstar_expr *node;
	unsigned base = 0;

	t = p->token;
	if (!is_integer_token(t) || t->length > 2)
		return NULL;
	for (uint32_t i = 0; i < t->length; i++)
		base = base * 10 + (unsigned) (t->text[i] - '0');
	p->token++;
	if ((braced && !accept(p, '}')) || base < 2 || base > 36)
		return NULL;
	for (uint32_t i = 0; i < digits->length; i++)
		if ((unsigned) (digits->text[i] - '0') >= base)
			return NULL; /* 8_6 is no numeral */
	node = rstar_expr_make(p->work, RSTAR_EXPR_BASED, 0);
	if (node)
	{
		node->text = digits->text;
		node->length = digits->length;
		node->columns = base;
	}
	return node;
}

const rstar_expr *
rstar_parse_number(rstar_parser *p)
{
	const rstar_token *t = p->token++;
	rstar_expr *node;

	if (is_mark(p->token, '_') && is_integer_token(t))
		return parse_based(p, t);
	node = rstar_expr_make(p->work, RSTAR_EXPR_NUMBER, 0);
	if (!node)
		return NULL;
	node->text = t->text;
	node->length = t->length;
	node->repeat = t->repeat;
	return is_integer_token(t) ? parse_mixed(p, node) : node;
}

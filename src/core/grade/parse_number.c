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

const rstar_expr *
rstar_parser_based(rstar_parser *p, const char *digits, size_t length, const rstar_token *base)
{
	unsigned value = 0;
	rstar_expr *node;

	if (!is_integer_token(base) || base->length > 2)
		return NULL;
	for (uint32_t i = 0; i < base->length; i++)
		value = value * 10 + (unsigned) (base->text[i] - '0');
	if (value < 2 || value > 36)
		return NULL;
	for (size_t i = 0; i < length; i++)
		if (digits[i] < '0' || digits[i] > '9' || (unsigned) (digits[i] - '0') >= value)
			return NULL; /* 8_6 is no numeral */
	node = rstar_expr_make(p->work, RSTAR_EXPR_BASED, 0);
	if (node)
	{
		node->text = digits;
		node->length = (uint32_t) length;
		node->columns = value;
	}
	return node;
}

/* The base behind _: 8, {8}, {(8)}, {base 8}; the parser is then behind it. */
const rstar_token *
rstar_parser_base(rstar_parser *p)
{
	bool braced = accept(p, '{');
	bool bracket = accept(p, '(');
	const rstar_token *base;

	if (word_is(p->token, "base"))
		p->token++;
	base = p->token++;
	if (base->kind == RSTAR_TOKEN_END || (bracket && !accept(p, ')')) ||
		(braced && !accept(p, '}')))
		return NULL;
	return base;
}

/* 2102_{8}: digits and a base from 2 to 36. */
static const rstar_expr *
parse_based(rstar_parser *p, const rstar_token *digits)
{
	const rstar_token *base;

	p->token++; /* the _ */
	base = rstar_parser_base(p);
	return base ? rstar_parser_based(p, digits->text, digits->length, base) : NULL;
}

/* 0b1010, as Python prints it */
static const rstar_expr *
prefixed(rstar_parser *p, const rstar_token *t)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_BASED, 0);

	if (node)
	{
		node->text = t->text;
		node->length = t->length;
		node->columns = t->base;
	}
	return node;
}

/* A number without what may stand behind it. */
const rstar_expr *
rstar_parse_primary_number(rstar_parser *p)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_NUMBER, 0);

	if (node)
	{
		node->text = p->token->text;
		node->length = p->token->length;
		node->repeat = p->token->repeat;
		p->token++;
	}
	return node;
}

const rstar_expr *
rstar_parse_number(rstar_parser *p)
{
	const rstar_token *t = p->token++;
	rstar_expr *node;

	if (t->base > 0)
		return prefixed(p, t);
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

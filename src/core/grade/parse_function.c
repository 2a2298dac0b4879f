/*
 * parse_function.c
 *	  Functions with and without brackets around their arguments, and operators
 *	  with bounds. See parse.h.
 */
#include "core/grade/parse_internal.h"

/* sin 2x, \sin\frac{\pi}{3}: the factors up to the next sign, function or bracket. */
static const rstar_expr *
parse_bare_argument(rstar_parser *p)
{
	rstar_children list = {0};

	do
	{
		if (!rstar_parser_push(p, &list, rstar_parse_factor(p)))
			return NULL;
	} while (rstar_parser_starts_factor(p, p->token) && p->token->kind != RSTAR_TOKEN_FUNCTION &&
			 p->token->kind != RSTAR_TOKEN_BIG && !is_mark(p->token, '(') &&
			 !is_mark(p->token, '[') && !is_mark(p->token, RSTAR_MARK_BAR_OPEN) &&
			 !is_mark(p->token, '|'));
	return rstar_parser_collect_or_only(p, RSTAR_EXPR_PRODUCT, &list);
}

static unsigned
inverse_of(unsigned function)
{
	return function <= RSTAR_FUNCTION_CSC ? function + RSTAR_FUNCTION_ASIN - RSTAR_FUNCTION_SIN
										  : RSTAR_FUNCTION_DET + 1;
}

/* The arguments of a function whose name was just read. */
static const rstar_expr *
call_with_arguments(rstar_parser *p, unsigned function, const rstar_expr *base)
{
	const rstar_expr *argument;
	rstar_expr *node;

	if (is_mark(p->token, '(') || is_mark(p->token, '['))
		argument = rstar_parse_bracket(p, p->token->id);
	else if (is_mark(p->token, '{'))
		argument = rstar_parse_bracket(p, '{');
	else
		argument = parse_bare_argument(p);
	if (!argument ||
		(argument->kind == RSTAR_EXPR_TUPLE && (argument->open == '[') != (argument->close == ']')))
		return NULL;
	if (argument->kind != RSTAR_EXPR_TUPLE || argument->count == 0)
		return rstar_parser_call(p, function, argument, base);
	node = rstar_expr_make(p->work, RSTAR_EXPR_CALL, 0);
	if (!node)
		return NULL;
	node->op = (uint16_t) function;
	node->child = argument->child;
	node->count = argument->count;
	return node;
}

/* The name, base and exponent in either order (\log_2^3), then the arguments; sin^{-1} is the inverse. */
const rstar_expr *
rstar_parse_function(rstar_parser *p)
{
	unsigned function = p->token->id;
	const rstar_expr *base = NULL;
	const rstar_expr *power = NULL;
	const rstar_expr *call;

	p->token++;
	for (int i = 0; i < 2; i++)
	{
		if (!base && function == RSTAR_FUNCTION_LOG && accept(p, '_'))
		{
			base = rstar_parse_one(p, false);
			if (!base)
				return NULL;
		}
		if (!power && (is_mark(p->token, '^') || is_mark(p->token, RSTAR_MARK_POWER)))
		{
			p->token++;
			power = rstar_parse_one(p, false);
			if (!power)
				return NULL;
		}
	}
	if (power && power->kind == RSTAR_EXPR_NEGATIVE && power->child[0]->length == 1 &&
		power->child[0]->text && power->child[0]->text[0] == '1')
	{
		function = inverse_of(function);
		if (function > RSTAR_FUNCTION_DET)
			return NULL;
		power = NULL;
	}
	call = call_with_arguments(p, function, base);
	return power ? rstar_expr_binary(p->work, RSTAR_EXPR_POWER, call, power) : call;
}

const rstar_expr *
rstar_parser_big(rstar_parser *p, const char *name, size_t length, const rstar_expr *body,
				 const rstar_expr *below, const rstar_expr *above)
{
	rstar_children list = {0};
	rstar_expr *node;

	if (!rstar_parser_push(p, &list, body) || (below && !rstar_parser_push(p, &list, below)) ||
		(above && !rstar_parser_push(p, &list, above)))
		return NULL;
	node = rstar_parser_collect(p, RSTAR_EXPR_APPLY, &list);
	if (node)
	{
		node->text = name;
		node->length = (uint32_t) length;
		node->hash =
			rstar_hash_bytes(RSTAR_SEED_BIG + (below ? 1 : 0) + (above ? 2 : 0), name, length);
	}
	return node;
}

/* \sum_{..}^{..} body, \int, \lim: compared as written, parts up to equality. */
const rstar_expr *
rstar_parse_big(rstar_parser *p)
{
	const rstar_token *name = p->token++;
	const rstar_expr *below = NULL;
	const rstar_expr *above = NULL;
	const rstar_expr *body;
	rstar_children list = {0};

	for (int i = 0; i < 2; i++)
	{
		if (!below && accept(p, '_') &&
			!(below =
				  is_mark(p->token, '{') ? rstar_parse_bracket(p, '{') : rstar_parse_one(p, true)))
			return NULL;
		if (!above && accept(p, '^') && !(above = rstar_parse_one(p, true)))
			return NULL;
	}
	do
	{
		if (!rstar_parser_push(p, &list, rstar_parse_factor(p)))
			return NULL;
		if (accept(p, '*'))
			continue;
	} while (rstar_parser_starts_factor(p, p->token));
	body = rstar_parser_collect_or_only(p, RSTAR_EXPR_PRODUCT, &list);
	return rstar_parser_big(p, name->text, name->length, body, below, above);
}

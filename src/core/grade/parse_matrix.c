/*
 * parse_matrix.c
 *	  Environments: matrices and lines of equations. See parse.h.
 */
#include "core/grade/parse_internal.h"

/* if, for, when, where before a condition; "otherwise" stands for none. */
static bool
is_condition_word(const rstar_token *t)
{
	return word_is(t, "if") || word_is(t, "for") || word_is(t, "when") || word_is(t, "where");
}

static bool
is_otherwise(const rstar_token *t)
{
	return word_is(t, "otherwise") || word_is(t, "else");
}

/* Does a value with a condition begin here: x & x > 0, x \text{ if } x > 0? */
static bool
is_piecewise(const rstar_token *t)
{
	int depth = 0;
	bool relation = false; /* before the & that aligns */
	bool value = false;    /* an & behind a value */

	for (; t->kind != RSTAR_TOKEN_END && !(depth == 0 && is_mark(t, RSTAR_MARK_ROW)); t++)
	{
		if (depth == 0 && is_mark(t, '&'))
			value = !relation && rstar_parser_relation_of(t + 1) == 0;
		else if (depth == 0 && rstar_parser_relation_of(t) > 0)
		{
			if (value)
				return true;
			relation = true;
		}

		if (is_mark(t, RSTAR_MARK_BEGIN))
			depth++;
		else if (is_mark(t, RSTAR_MARK_END) && depth-- == 0)
			return false;
		else if (depth == 0 && (is_condition_word(t) || is_otherwise(t)))
			return true;
	}
	return false;
}

/* The rows of a function that is defined by cases: pairs of a value and a condition. */
static const rstar_expr *
parse_piecewise(rstar_parser *p)
{
	rstar_children pairs = {0};

	while (!is_mark(p->token, RSTAR_MARK_END))
	{
		const rstar_expr *value, *condition;
		rstar_expr *pair;

		if (accept(p, RSTAR_MARK_ROW))
			continue;
		value = rstar_parse_sum(p);
		accept(p, ',');
		accept(p, '&');
		if (!value || !(pair = rstar_expr_make(p->work, RSTAR_EXPR_TUPLE, 2)))
			return NULL;
		pair->open = '(';
		pair->close = ')';
		pair->child[0] = value;
		if (is_otherwise(p->token))
		{
			p->token++;
			pair->count = 1;
		}
		else
		{
			p->token += is_condition_word(p->token);
			condition = rstar_parse_relation(p);
			if (!condition)
				return NULL;
			pair->child[1] = condition;
		}
		accept(p, ',');
		accept(p, ';');
		if (!rstar_parser_push(p, &pairs, pair) ||
			(!is_mark(p->token, RSTAR_MARK_ROW) && !is_mark(p->token, RSTAR_MARK_END)))
			return NULL;
	}
	return pairs.count > 0 ? rstar_parser_piecewise(p, &pairs) : NULL;
}

/* The lines of cases and aligned: a list of all their items. */
static const rstar_expr *
parse_lines(rstar_parser *p)
{
	rstar_children list = {0};
	rstar_expr *node;

	while (!is_mark(p->token, RSTAR_MARK_END))
	{
		const rstar_expr *item;

		if (accept(p, '&') || accept(p, RSTAR_MARK_ROW) || accept(p, ',') || accept(p, ';'))
			continue;
		item = rstar_parse_item(p);
		if (!rstar_parser_push(p, &list, item))
			return NULL;
	}
	node = rstar_parser_collect(p, RSTAR_EXPR_LIST, &list);
	if (node)
		node->op = 's';
	return node;
}

/* Entries between & and rows between \\, all of one length; an empty last row is none. */
static const rstar_expr *
parse_matrix(rstar_parser *p)
{
	rstar_children list = {0};
	size_t columns = 0;
	size_t here = 0;
	rstar_expr *node;

	while (!is_mark(p->token, RSTAR_MARK_END))
	{
		if (accept(p, RSTAR_MARK_ROW))
		{
			if (here == 0)
				continue;
			if (columns && columns != here)
				return NULL;
			columns = here;
			here = 0;
			continue;
		}
		if (!rstar_parser_push(p, &list, rstar_parse_item(p)))
			return NULL;
		here++;
		if (!accept(p, '&') && !is_mark(p->token, RSTAR_MARK_ROW) &&
			!is_mark(p->token, RSTAR_MARK_END))
			return NULL;
	}
	if (columns == 0)
		columns = here;
	if (list.count == 0 || (here > 0 && here != columns))
		return NULL;
	node = rstar_parser_collect(p, RSTAR_EXPR_MATRIX, &list);
	if (node)
		node->columns = (uint32_t) columns;
	return node;
}

/*
 * What is open outside means nothing inside: a bar or bracket must be closed where it was
 * opened, so the counts start anew and come back afterwards. The end must carry the name of
 * the beginning.
 */
const rstar_expr *
rstar_parse_environment(rstar_parser *p)
{
	const rstar_token *name = p->token++;
	const rstar_expr *node;
	int squares = p->squares;
	int bars = p->bars;
	int lines = p->lines;

	if (!rstar_parser_enter(p))
		return NULL;
	p->squares = p->bars = p->lines = 0;
	if (text_is(name, "pmatrix") || text_is(name, "bmatrix") || text_is(name, "matrix") ||
		text_is(name, "array") || text_is(name, "vmatrix") || text_is(name, "smallmatrix") ||
		text_is(name, "Bmatrix"))
		node = parse_matrix(p);
	else
	{
		p->lines = is_piecewise(p->token) ? 0 : 1;
		node = p->lines ? parse_lines(p) : parse_piecewise(p);
	}
	p->lines = lines;
	p->squares = squares;
	p->bars = bars;
	p->depth--;
	if (!node || p->token->length != name->length ||
		memcmp(p->token->text, name->text, name->length) != 0)
		return NULL;
	p->token++; /* the end of the same environment */
	if (text_is(name, "vmatrix"))
		return rstar_parser_call(p, RSTAR_FUNCTION_DET, node, NULL);
	return node;
}

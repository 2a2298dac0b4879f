/*
 * parse_matrix.c
 *	  Environments: matrices and lines of equations. See parse.h.
 */
#include "core/grade/parse_internal.h"

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
		p->lines = 1;
		node = parse_lines(p);
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

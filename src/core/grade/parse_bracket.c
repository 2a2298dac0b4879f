/*
 * parse_bracket.c
 *	  Tuples, intervals, sets and plain brackets. See parse.h.
 */
#include "core/grade/parse_internal.h"

/* What may close the bracket that was opened. */
static bool
accept_close(rstar_parser *p, unsigned open, unsigned *close)
{
	*close = p->token->kind == RSTAR_TOKEN_MARK ? p->token->id : 0;
	switch (open)
	{
		case '{':
			return accept(p, '}');
		case RSTAR_MARK_SET_OPEN:
			return accept(p, RSTAR_MARK_SET_CLOSE);
		case RSTAR_MARK_ANGLE_OPEN:
			*close = '<';
			return accept(p, RSTAR_MARK_ANGLE_CLOSE);
		default:
			if (accept(p, ')') || accept(p, ']'))
				return true;
			*close = ')'; /* [a,b[ */
			return open != '(' && accept(p, '[');
	}
}

/* ( ] and [ ), and their reversed forms */
static bool
is_crooked(unsigned open, unsigned close)
{
	return (open == '(' && close != ')') || ((open == '[' || open == ']') && close != ']');
}

/* What a dictionary of values has before its colons. */
static bool
is_key(const rstar_expr *node)
{
	return (node->kind == RSTAR_EXPR_NAME || node->kind == RSTAR_EXPR_APPLY) && !is_words(node);
}

static bool
is_about(const rstar_expr *condition, const rstar_expr *name)
{
	if (condition->kind == RSTAR_EXPR_RELATION)
		for (uint32_t i = 0; i < condition->count; i++)
			if (condition->child[i]->kind == RSTAR_EXPR_NAME &&
				condition->child[i]->hash == name->hash)
				return true;
	return false;
}

/* { x | condition }: the condition, when it is about the name before the bar. */
const rstar_expr *
rstar_parser_set_builder(rstar_parser *p, const rstar_expr *element, const rstar_expr *condition)
{
	if (element->kind == RSTAR_EXPR_NAME && is_about(condition, element))
		return condition;
	if (element->kind == RSTAR_EXPR_RELATION && element->relation[0] == RSTAR_MARK_IN)
		return condition;
	element = rstar_expr_binary(p->work, RSTAR_EXPR_APPLY, element, condition);
	if (element)
		((rstar_expr *) element)->hash = rstar_hash_bytes(RSTAR_SEED_BUILDER, "builder", 7);
	return element;
}

/* x: 2 as x = 2 */
static const rstar_expr *
entry(rstar_parser *p, const rstar_expr *pair)
{
	if (pair->kind != RSTAR_EXPR_RATIO || pair->count != 2 || !is_key(pair->child[0]))
		return NULL;
	return rstar_parser_relation(p, pair->child[0], '=', pair->child[1]);
}

/* The equations of *list and those of further pairs: a list; NULL if one is no pair. */
static const rstar_expr *
add_entries(rstar_parser *p, rstar_children *list, const rstar_expr *const *pair, size_t count)
{
	rstar_expr *node;

	for (size_t i = 0; i < count; i++)
		if (!rstar_parser_push(p, list, entry(p, pair[i])))
			return NULL;
	if (list->count == 1)
		return list->item[0];
	node = rstar_parser_collect(p, RSTAR_EXPR_LIST, list);
	if (node)
		node->op = ',';
	return node;
}

/* {x: 2, y: 3}, as Python prints a solution: a list of equations; NULL for anything else. */
static const rstar_expr *
entries(rstar_parser *p, const rstar_expr *const *pair, size_t count)
{
	rstar_children list = {0};

	return add_entries(p, &list, pair, count);
}

/* \{ x : 2, y : 3 \}: the rest behind the first colon was read as a list. */
static const rstar_expr *
dictionary(rstar_parser *p, const rstar_expr *name, const rstar_expr *rest)
{
	bool several = rest->kind == RSTAR_EXPR_LIST && rest->op == ',';
	rstar_children list = {0};

	if (!rstar_parser_push(p, &list,
						   rstar_parser_relation(p, name, '=', several ? rest->child[0] : rest)))
		return NULL;
	return several ? add_entries(p, &list, rest->child + 1, rest->count - 1)
				   : add_entries(p, &list, NULL, 0);
}

static const rstar_expr *
parse_set_builder(rstar_parser *p, const rstar_expr *element)
{
	bool colon = is_mark(p->token, ':');
	int sets = p->sets;
	const rstar_expr *condition;

	p->token++;
	p->sets = colon ? 0 : sets; /* further colons may be those of a dictionary */
	condition = rstar_parse_list(p);
	p->sets = sets;
	if (!condition)
		return NULL;
	if (colon && element->kind == RSTAR_EXPR_NAME && !is_about(condition, element))
		return dictionary(p, element, condition);
	return rstar_parser_set_builder(p, element, condition);
}

/*
 * What stands between brackets: one item stands for itself (but not in a set), two and more are a tuple, a
 * set, an interval with ends of its own, or the equations of a Python dictionary. The counters that
 * say what encloses the parser are restored behind the closing bracket.
 */
const rstar_expr *
rstar_parse_bracket(rstar_parser *p, unsigned open)
{
	const rstar_expr *list = NULL;
	rstar_expr *node;
	unsigned close;
	bool square = open == '[' || open == ']';
	bool set = open == RSTAR_MARK_SET_OPEN;
	bool built = false;
	int bars = p->bars;

	p->token++;
	if (!rstar_parser_enter(p))
		return NULL;
	p->bars = 0;
	p->squares += square;
	p->sets += set;
	if (!is_mark(p->token, RSTAR_MARK_SET_CLOSE) && !is_mark(p->token, ')') &&
		!is_mark(p->token, '}') && !(open == '[' && is_mark(p->token, ']')))
	{
		list = rstar_parse_list(p);
		if (list && set &&
			(is_mark(p->token, '|') || is_mark(p->token, RSTAR_MARK_MID) || is_mark(p->token, ':')))
		{
			list = parse_set_builder(p, list);
			built = true;
		}
		if (!list)
			return NULL;
	}
	p->bars = bars;
	p->squares -= square;
	p->sets -= set;
	p->depth--;
	if (!accept_close(p, open, &close))
		return NULL;
	if (built)
		return list;
	if (open == '{' && !list)
		return rstar_expr_make(p->work, RSTAR_EXPR_SET, 0);
	if (open == '{' && list)
	{
		bool several = list->kind == RSTAR_EXPR_LIST;
		const rstar_expr *solution =
			several ? entries(p, list->child, list->count) : entry(p, list);

		if (solution)
			return solution;
	}
	/* Only an interval may open and close differently. */
	if (is_crooked(open, close) && (!list || list->kind != RSTAR_EXPR_LIST || list->count != 2))
		return NULL;
	if (list && !set && list->kind != RSTAR_EXPR_LIST)
		return list;
	node = rstar_expr_make(p->work, set || open == '{' ? RSTAR_EXPR_SET : RSTAR_EXPR_TUPLE, 0);
	if (!node)
		return NULL;
	if (list && list->kind == RSTAR_EXPR_LIST)
	{
		node->count = list->count;
		node->child = list->child;
	}
	else if (list)
	{
		node->child = rstar_arena_alloc(p->work->arena, sizeof(*node->child));
		if (!node->child)
			return NULL;
		node->child[0] = list;
		node->count = 1;
	}
	node->open = (uint8_t) (open == RSTAR_MARK_ANGLE_OPEN ? '<' : open == ']' ? '(' : open);
	node->close = (uint8_t) close;
	return node;
}

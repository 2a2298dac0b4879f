/*
 * parse.c
 *	  The tree of an answer: see parse.h.
 *
 * Sums, products, relations and lists; the other parse_*.c have the rest. Functions
 * return NULL as soon as something does not fit, and nothing is tried twice: the
 * parser looks at most a handful of tokens ahead and does not backtrack.
 */
#include "core/grade/parse_internal.h"

uint64_t
rstar_hash_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2));

	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t
rstar_hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return rstar_hash_mix(hash, length);
}

rstar_expr *
rstar_expr_make(rstar_work *work, rstar_expr_kind kind, size_t children)
{
	rstar_expr *node = rstar_arena_alloc_zero(work->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = (uint8_t) kind;
	node->count = (uint32_t) children;
	if (children > 0)
	{
		node->child = rstar_arena_alloc_array(work->arena, children, sizeof(*node->child));
		if (!node->child)
			return NULL;
	}
	return node;
}

const rstar_expr *
rstar_expr_unary(rstar_work *work, rstar_expr_kind kind, const rstar_expr *a)
{
	rstar_expr *node = a ? rstar_expr_make(work, kind, 1) : NULL;

	if (node)
		node->child[0] = a;
	return node;
}

const rstar_expr *
rstar_expr_binary(rstar_work *work, rstar_expr_kind kind, const rstar_expr *a, const rstar_expr *b)
{
	rstar_expr *node = a && b ? rstar_expr_make(work, kind, 2) : NULL;

	if (node)
	{
		node->child[0] = a;
		node->child[1] = b;
	}
	return node;
}

const rstar_expr *
rstar_expr_number(rstar_work *work, int64_t value)
{
	rstar_expr *node = rstar_expr_make(work, RSTAR_EXPR_NUMBER, 0);
	uint64_t magnitude = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
	char *text = rstar_arena_alloc(work->arena, 24);
	char *at = text ? text + 24 : NULL;

	if (!node || !text)
		return NULL;
	do
		*--at = (char) ('0' + magnitude % 10);
	while ((magnitude /= 10) > 0);
	node->text = at;
	node->length = (uint32_t) (text + 24 - at);
	return value < 0 ? rstar_expr_unary(work, RSTAR_EXPR_NEGATIVE, node) : node;
}

bool
rstar_parser_push(rstar_parser *p, rstar_children *list, const rstar_expr *item)
{
	if (!item)
		return false;
	if (list->count == list->capacity)
	{
		size_t capacity = list->capacity ? list->capacity * 2 : 4;
		const rstar_expr **grown =
			rstar_arena_alloc_array(p->work->arena, capacity, sizeof(*grown));

		if (!grown)
			return false;
		if (list->count > 0)
			memcpy(grown, list->item, list->count * sizeof(*grown));
		list->item = grown;
		list->capacity = capacity;
	}
	list->item[list->count++] = item;
	return true;
}

rstar_expr *
rstar_parser_collect(rstar_parser *p, rstar_expr_kind kind, const rstar_children *list)
{
	rstar_expr *node = rstar_expr_make(p->work, kind, 0);

	if (node)
	{
		node->count = (uint32_t) list->count;
		node->child = list->item;
	}
	return node;
}

/* One child stands for itself. */
const rstar_expr *
rstar_parser_collect_or_only(rstar_parser *p, rstar_expr_kind kind, const rstar_children *list)
{
	return list->count == 1 ? list->item[0] : rstar_parser_collect(p, kind, list);
}

bool
rstar_parser_enter(rstar_parser *p)
{
	return ++p->depth <= RSTAR_PARSE_MAX_DEPTH && p->work->fuel > 0;
}

/* min and sec without an argument behind them */
static bool
is_unit_abbreviation(const rstar_token *t)
{
	return (text_is(t, "min") || text_is(t, "sec")) &&
		   (t[1].kind == RSTAR_TOKEN_END || t[1].kind == RSTAR_TOKEN_WORD || is_mark(t + 1, '/') ||
			is_mark(t + 1, ',') || is_mark(t + 1, RSTAR_MARK_AND) || is_mark(t + 1, ')') ||
			is_mark(t + 1, '^') || (t->in_text && !is_mark(t + 1, '{') && !is_mark(t + 1, '(')) ||
			(t[-1].kind == RSTAR_TOKEN_NUMBER && t[1].kind == RSTAR_TOKEN_NUMBER));
}

/* Can this token begin a factor of an implicit product? */
bool
rstar_parser_starts_factor(const rstar_parser *p, const rstar_token *token)
{
	switch (token->kind)
	{
		case RSTAR_TOKEN_NUMBER:
			return token[-1].kind != RSTAR_TOKEN_NUMBER;
		case RSTAR_TOKEN_LETTER:
			return !(token->in_text &&
					 (token[-1].in_text || rstar_unit_is_known(token->text, token->length)));
		case RSTAR_TOKEN_FUNCTION:
			return !is_unit_abbreviation(token);
		case RSTAR_TOKEN_CONSTANT:
		case RSTAR_TOKEN_BIG:
		case RSTAR_TOKEN_BUILD:
			return true;
		case RSTAR_TOKEN_MARK:
			break;
		default:
			return false;
	}
	switch (token->id)
	{
		case '(':
			return !is_mark(token + 1, RSTAR_MARK_MOD);
		case '[':
			return p->squares == 0;
		case '{':
		case RSTAR_MARK_FRAC:
			return !is_unit_fraction(token);
		case RSTAR_MARK_SQRT:
		case RSTAR_MARK_BINOM:
		case RSTAR_MARK_ANGLE_OPEN:
		case RSTAR_MARK_FLOOR_OPEN:
		case RSTAR_MARK_CEIL_OPEN:
		case RSTAR_MARK_BAR_OPEN:
		case RSTAR_MARK_BEGIN:
		case RSTAR_MARK_OVERLINE:
		case RSTAR_MARK_ACCENT:
		case RSTAR_MARK_DOTS:
			return true;
		case '|':
			return p->bars == 0 && p->sets == 0;
		default:
			return false;
	}
}

const rstar_expr *
rstar_parse_factor(rstar_parser *p)
{
	const rstar_expr *node;

	if (is_mark(p->token, '-') || is_mark(p->token, '+'))
	{
		bool minus = is_mark(p->token, '-');

		if (!rstar_parser_enter(p))
			return NULL;
		p->token++;
		node = rstar_parse_factor(p);
		p->depth--;
		return minus ? rstar_expr_unary(p->work, RSTAR_EXPR_NEGATIVE, node) : node;
	}
	return rstar_parse_power(p);
}

/* f(x, y), p_Z(0): a name before a bracket that multiplies nothing. */
static bool
is_application(const rstar_children *list, bool applied)
{
	const rstar_expr *name = list->item[0];
	const rstar_expr *argument = list->item[1];

	if (name->kind == RSTAR_EXPR_NAME)
		return argument->kind == RSTAR_EXPR_TUPLE;
	return applied && name->kind == RSTAR_EXPR_APPLY && name->text &&
		   (argument->kind == RSTAR_EXPR_NAME || argument->kind == RSTAR_EXPR_NUMBER);
}

static const rstar_expr *
apply_named(rstar_parser *p, const rstar_expr *name, const rstar_expr *argument)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_APPLY, 2);

	if (!node)
		return NULL;
	node->text = name->text;
	node->length = name->length;
	node->hash = rstar_hash_bytes(RSTAR_SEED_CALLED, name->text, name->length);
	node->child[0] = argument;
	node->child[1] = name;
	return node;
}

/* A name right before a bracket with a name or number: perhaps h(x). */
static bool
looks_applied(const rstar_children *list)
{
	return list->count == 2 && list->item[0]->kind == RSTAR_EXPR_NAME &&
		   (list->item[1]->kind == RSTAR_EXPR_NAME || list->item[1]->kind == RSTAR_EXPR_NUMBER);
}

/* 2^6 3^5: behind an exponent a number is a factor. */
static bool
number_behind_power(const rstar_parser *p, const rstar_expr *last)
{
	return p->token->kind == RSTAR_TOKEN_NUMBER && p->token->spaced &&
		   last->kind == RSTAR_EXPR_POWER && p->token[-1].kind == RSTAR_TOKEN_NUMBER;
}

/* Can what comes next multiply the last factor without a sign between them? */
static bool
may_follow(const rstar_parser *p, const rstar_expr *last)
{
	return (rstar_parser_starts_factor(p, p->token) || number_behind_power(p, last)) &&
		   !is_words(last) && last->kind != RSTAR_EXPR_RELATION && last->kind != RSTAR_EXPR_COMBINE;
}

/* Factors up to a sign of another kind: with * or without a sign they gather, / divides all factors before it. */
static const rstar_expr *
parse_term(rstar_parser *p)
{
	rstar_children list = {0};
	const rstar_expr *node;
	bool applied = false;
	int quotients = 0;

	if (!rstar_parser_push(p, &list, rstar_parse_factor(p)))
		return NULL;
	for (;;)
	{
		if (accept(p, '*'))
			node = rstar_parse_factor(p);
		else if (accept(p, '/'))
		{
			const rstar_expr *left = rstar_parser_collect_or_only(p, RSTAR_EXPR_PRODUCT, &list);

			if (!link_chain(p, ++quotients))
				return NULL;
			node = rstar_parse_factor(p);
			node = left ? rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT, left, node) : NULL;
			list = (rstar_children){0};
		}
		else if (may_follow(p, list.item[list.count - 1]))
		{
			applied = is_mark(p->token, '(') && !p->token->spaced && list.count == 1;
			node = rstar_parse_power(p);
		}
		else
			break;
		if (!rstar_parser_push(p, &list, node))
			return NULL;
	}
	node = rstar_parser_collect_or_only(p, RSTAR_EXPR_PRODUCT, &list);
	if (node && list.count == 2 && is_application(&list, applied))
		return apply_named(p, list.item[0], list.item[1]);
	if (node && applied && looks_applied(&list))
		((rstar_expr *) node)->op = RSTAR_OP_APPLIED;
	return node;
}

/* Terms with their signs; \over divides all that stands before it by all that follows. */
const rstar_expr *
rstar_parse_sum(rstar_parser *p)
{
	rstar_children list = {0};
	bool first = true;
	const rstar_expr *node;

	if (!rstar_parser_enter(p))
		return NULL;
	for (;; first = false)
	{
		unsigned sign = p->token->kind == RSTAR_TOKEN_MARK ? p->token->id : 0;

		if (sign == '+' || sign == '-' || sign == RSTAR_MARK_PM || sign == RSTAR_MARK_MP)
			p->token++;
		else if (!first)
			break;
		node = parse_term(p);
		if (!node)
			return NULL;
		if (sign == '-')
			node = rstar_expr_unary(p->work, RSTAR_EXPR_NEGATIVE, node);
		else if (sign == RSTAR_MARK_PM || sign == RSTAR_MARK_MP)
		{
			node = rstar_expr_unary(p->work, RSTAR_EXPR_PLUSMINUS, node);
			if (node && sign == RSTAR_MARK_MP)
				((rstar_expr *) node)->op = RSTAR_OP_MINUS_PLUS;
		}
		if (!rstar_parser_push(p, &list, node))
			return NULL;
	}
	node = rstar_parser_collect_or_only(p, RSTAR_EXPR_SUM, &list);
	if (node && accept(p, RSTAR_MARK_OVER))
		node = rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT, node, rstar_parse_sum(p));
	p->depth--;
	return node;
}

static const rstar_expr *
parse_union(rstar_parser *p)
{
	const rstar_expr *node = rstar_parse_sum(p);
	int sets = 0;

	while (node && (is_mark(p->token, RSTAR_MARK_CUP) || is_mark(p->token, RSTAR_MARK_CAP) ||
					is_mark(p->token, RSTAR_MARK_SETMINUS)))
	{
		unsigned op = p->token->id;

		if (!link_chain(p, ++sets))
			return NULL;
		p->token++;
		node = rstar_expr_binary(p->work, RSTAR_EXPR_COMBINE, node, rstar_parse_sum(p));
		if (node)
			((rstar_expr *) node)->op = (uint16_t) op;
	}
	return node;
}

static const rstar_expr *
parse_ratio(rstar_parser *p)
{
	rstar_children list = {0};

	do
	{
		if (!rstar_parser_push(p, &list, parse_union(p)))
			return NULL;
		if (is_mark(p->token, ':') && is_words(list.item[list.count - 1]))
			return NULL; /* a label */
	} while (p->sets == 0 && accept(p, ':'));
	return rstar_parser_collect_or_only(p, RSTAR_EXPR_RATIO, &list);
}

unsigned
rstar_parser_relation_of(const rstar_token *t)
{
	if (t->kind != RSTAR_TOKEN_MARK)
		return 0;
	switch (t->id)
	{
		case '=':
		case '<':
		case '>':
		case RSTAR_MARK_LE:
		case RSTAR_MARK_GE:
		case RSTAR_MARK_NE:
		case RSTAR_MARK_APPROX:
		case RSTAR_MARK_EQUIV:
		case RSTAR_MARK_IN:
		case RSTAR_MARK_ARROW:
			return t->id;
		default:
			return 0;
	}
}

const rstar_expr *
rstar_parser_relation(rstar_parser *p, const rstar_expr *a, unsigned op, const rstar_expr *b)
{
	rstar_expr *node = (rstar_expr *) rstar_expr_binary(p->work, RSTAR_EXPR_RELATION, a, b);
	uint16_t *relation = rstar_arena_alloc(p->work->arena, sizeof(*relation));

	if (!node || !relation)
		return NULL;
	*relation = (uint16_t) op;
	node->relation = relation;
	return node;
}

/* left sign right sign ...: a chain of relations, or a value alone. */
static const rstar_expr *
parse_chain(rstar_parser *p)
{
	rstar_children list = {0};
	uint16_t ops[8];
	size_t n = 0;
	rstar_expr *node;

	for (;;)
	{
		unsigned op;

		if (p->lines > 0)
			accept(p, '&');
		if (!rstar_parser_push(p, &list, parse_ratio(p)))
			return NULL;
		if (p->lines > 0)
			accept(p, '&');
		op = rstar_parser_relation_of(p->token);
		if (!op)
			break;
		if (n == sizeof(ops) / sizeof(ops[0]))
			return NULL;
		ops[n++] = (uint16_t) op;
		p->token++;
	}
	if (n == 0)
		return list.item[0];
	node = rstar_parser_collect(p, RSTAR_EXPR_RELATION, &list);
	if (node)
	{
		uint16_t *copy = rstar_arena_alloc_array(p->work->arena, n, sizeof(*copy));

		if (!copy)
			return NULL;
		memcpy(copy, ops, n * sizeof(*copy));
		node->relation = copy;
	}
	return node;
}

static bool
is_equation(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_LIST)
	{
		for (uint32_t i = 0; i < node->count; i++)
			if (!is_equation(node->child[i]))
				return false;
		return true;
	}
	return node->kind == RSTAR_EXPR_RELATION && node->relation[0] == '=';
}

/* Equations that hold together or in turn are a list, conditions of other kinds sets. */
const rstar_expr *
rstar_parser_join(rstar_parser *p, const rstar_expr *a, unsigned op, const rstar_expr *b)
{
	rstar_children list = {0};
	rstar_expr *node;

	if (!a || !b)
		return NULL;
	if (!is_equation(a) || !is_equation(b))
	{
		node = (rstar_expr *) rstar_expr_binary(p->work, RSTAR_EXPR_COMBINE, a, b);
		if (node)
			node->op = (uint16_t) op;
		return node;
	}
	for (uint32_t i = 0; a->kind == RSTAR_EXPR_LIST && i < a->count; i++)
		if (!rstar_parser_push(p, &list, a->child[i]))
			return NULL;
	if ((a->kind != RSTAR_EXPR_LIST && !rstar_parser_push(p, &list, a)) ||
		!rstar_parser_push(p, &list, b))
		return NULL;
	node = rstar_parser_collect(p, RSTAR_EXPR_LIST, &list);
	if (node)
		node->op = ',';
	return node;
}

/* & or | between brackets, as Python prints them. Behind the end there is nothing to look at. */
static bool
is_python_connective(const rstar_parser *p, const rstar_expr *left)
{
	const rstar_token *t = p->token;

	return (is_mark(t, '&') || is_mark(t, '|')) && is_mark(t - 1, ')') &&
		   (is_mark(t + 1, '(') || t[1].kind == RSTAR_TOKEN_BUILD) &&
		   (left->kind == RSTAR_EXPR_RELATION || left->kind == RSTAR_EXPR_COMBINE ||
			left->kind == RSTAR_EXPR_LIST);
}

/* \wedge and \vee, or what Python prints for them: CAP, CUP, 0. */
static unsigned
connective(const rstar_parser *p, const rstar_expr *left)
{
	bool python = is_python_connective(p, left);

	if (is_mark(p->token, RSTAR_MARK_WEDGE) || (python && is_mark(p->token, '&')))
		return RSTAR_MARK_CAP;
	if (is_mark(p->token, RSTAR_MARK_VEE) || (python && is_mark(p->token, '|')))
		return RSTAR_MARK_CUP;
	return 0;
}

const rstar_expr *
rstar_parse_relation(rstar_parser *p)
{
	const rstar_expr *node = parse_chain(p);
	unsigned op;

	for (int links = 1; node && (op = connective(p, node)) > 0; links++)
	{
		if (!link_chain(p, links))
			return NULL;
		p->token++;
		node = rstar_parser_join(p, node, op, parse_chain(p));
	}
	return node;
}

/* Between items: a comma, "and", "or", or a comma and one of these. */
static bool
accept_separator(rstar_parser *p)
{
	bool found = false;

	while (accept(p, ','))
		found = true;
	if (accept(p, RSTAR_MARK_AND) || accept(p, RSTAR_MARK_OR))
		found = true;
	return found;
}

static bool
ends_list(const rstar_token *t)
{
	return t->kind == RSTAR_TOKEN_END || is_mark(t, ')') || is_mark(t, ']') || is_mark(t, '}') ||
		   is_mark(t, RSTAR_MARK_SET_CLOSE) || is_mark(t, ';');
}

/*
 * Two levels, as in "1, 2; 3, 4": a semicolon parts groups and a comma the items of one. A
 * level with a single member is that member, so an expression without separators is not
 * wrapped. Only failures leave `depth` as it is: nothing is parsed after them.
 */
const rstar_expr *
rstar_parse_list(rstar_parser *p)
{
	rstar_children groups = {0};
	rstar_expr *node;

	if (!rstar_parser_enter(p))
		return NULL;
	do
	{
		rstar_children items = {0};
		const rstar_expr *group;

		do
		{
			if (items.count > 0 && ends_list(p->token))
				break; /* a trailing comma */
			if (!rstar_parser_push(p, &items, rstar_parse_item(p)))
				return NULL;
		} while (accept_separator(p));
		group = rstar_parser_collect_or_only(p, RSTAR_EXPR_LIST, &items);
		if (group && items.count > 1)
			((rstar_expr *) group)->op = ',';
		if (!rstar_parser_push(p, &groups, group))
			return NULL;
	} while (accept(p, ';') && !ends_list(p->token));
	p->depth--;
	if (groups.count == 1)
		return groups.item[0];
	node = rstar_parser_collect(p, RSTAR_EXPR_LIST, &groups);
	if (node)
		node->op = ';';
	return node;
}

const rstar_expr *
rstar_parse(rstar_work *work, const rstar_tokens *tokens)
{
	rstar_parser p = {.work = work, .token = tokens->token};
	const rstar_expr *node;

	/* A label before the answer, and what is left of punctuation behind it. */
	node = rstar_parse_list(&p);
	while (node && (accept(&p, ',') || accept(&p, RSTAR_MARK_ROW) || accept(&p, ';')))
		;
	return node && p.token->kind == RSTAR_TOKEN_END ? node : NULL;
}

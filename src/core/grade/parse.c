/*
 * parse.c
 *	  The tree of an answer: see parse.h.
 *
 * Functions return NULL as soon as something does not fit; `fail` is never
 * needed, since nothing is tried twice: the parser looks at most a handful of
 * tokens ahead and does not backtrack.
 */
#include "core/grade/parse.h"

#include <string.h>

typedef struct parser
{
	rstar_work *work;
	const rstar_token *token; /* the next one; the last is END */
	int depth;
	int bars;      /* inside | | */
	int squares;   /* inside [ ] */
	int sets;      /* inside \{ \} */
	int lines;     /* inside an environment of lines, where & only aligns */
	bool currency; /* a sign such as \$ stood before a number of this item */
	const char *currency_word;
	uint32_t currency_length;
} parser;

static const rstar_node *parse_list(parser *p);
static const rstar_node *parse_sum(parser *p);
static const rstar_node *parse_factor(parser *p);
static const rstar_node *parse_power(parser *p);
static const rstar_node *parse_item(parser *p);

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

rstar_node *
rstar_node_make(rstar_work *work, rstar_node_kind kind, size_t children)
{
	rstar_node *node = rstar_arena_alloc_zero(work->arena, sizeof(*node));

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

const rstar_node *
rstar_node_unary(rstar_work *work, rstar_node_kind kind, const rstar_node *a)
{
	rstar_node *node = a ? rstar_node_make(work, kind, 1) : NULL;

	if (node)
		node->child[0] = a;
	return node;
}

const rstar_node *
rstar_node_binary(rstar_work *work, rstar_node_kind kind, const rstar_node *a, const rstar_node *b)
{
	rstar_node *node = a && b ? rstar_node_make(work, kind, 2) : NULL;

	if (node)
	{
		node->child[0] = a;
		node->child[1] = b;
	}
	return node;
}

const rstar_node *
rstar_node_number(rstar_work *work, int64_t value)
{
	rstar_node *node = rstar_node_make(work, RSTAR_NODE_NUMBER, 0);
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
	return value < 0 ? rstar_node_unary(work, RSTAR_NODE_NEGATIVE, node) : node;
}

/* --- looking at tokens ----------------------------------------------------- */

static bool
is_mark(const rstar_token *token, unsigned id)
{
	return token->kind == RSTAR_TOKEN_MARK && token->id == id;
}

static bool
accept(parser *p, unsigned id)
{
	if (!is_mark(p->token, id))
		return false;
	p->token++;
	return true;
}

static bool
text_is(const rstar_token *token, const char *text)
{
	return token->length == strlen(text) && memcmp(token->text, text, token->length) == 0;
}

static bool
word_is(const rstar_token *token, const char *text)
{
	if (token->kind != RSTAR_TOKEN_WORD || token->length != strlen(text))
		return false;
	for (uint32_t i = 0; i < token->length; i++)
		if ((token->text[i] | 32) != text[i])
			return false;
	return true;
}

static bool
is_integer_token(const rstar_token *token)
{
	return token->kind == RSTAR_TOKEN_NUMBER && token->repeat == 0 &&
		   !memchr(token->text, '.', token->length) && !memchr(token->text, 'e', token->length) &&
		   !memchr(token->text, 'E', token->length);
}

/* --- growing lists of children ---------------------------------------------- */

typedef struct children
{
	const rstar_node **item;
	size_t count;
	size_t capacity;
} children;

static bool
push(parser *p, children *list, const rstar_node *item)
{
	if (!item)
		return false;
	if (list->count == list->capacity)
	{
		size_t capacity = list->capacity ? list->capacity * 2 : 4;
		const rstar_node **grown =
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

static rstar_node *
collect(parser *p, rstar_node_kind kind, const children *list)
{
	rstar_node *node = rstar_node_make(p->work, kind, 0);

	if (node)
	{
		node->count = (uint32_t) list->count;
		node->child = list->item;
	}
	return node;
}

/* One child stands for itself. */
static const rstar_node *
collect_or_only(parser *p, rstar_node_kind kind, const children *list)
{
	return list->count == 1 ? list->item[0] : collect(p, kind, list);
}

/* --- names ------------------------------------------------------------------- */

static rstar_node *
make_name(parser *p, const char *text, size_t length, uint64_t seed)
{
	rstar_node *node = rstar_node_make(p->work, RSTAR_NODE_NAME, 0);

	if (node)
	{
		node->text = text;
		node->length = (uint32_t) length;
		node->hash = rstar_hash_bytes(seed, text, length);
	}
	return node;
}

/* op 1: words, which multiply nothing. */
static rstar_node *
make_words(parser *p, const char *text, size_t length)
{
	rstar_node *node = make_name(p, text, length, 1);

	if (node)
		node->op = 1;
	return node;
}

static bool
is_words(const rstar_node *node)
{
	return node->kind == RSTAR_NODE_NAME && node->op == 1;
}

/* Consecutive words are one name, compared without regard to case. */
static const rstar_node *
parse_words(parser *p)
{
	size_t length = 0;
	const rstar_token *end = p->token;
	char *text;

	for (; end->kind == RSTAR_TOKEN_WORD || (end->kind == RSTAR_TOKEN_LETTER && end->in_text) ||
		   (end->kind == RSTAR_TOKEN_CONSTANT && end->in_text && end->length == 1);
		 end++)
	{
		if (end > p->token && !end->spaced && !end[-1].in_text)
			break;
		length += end->length + 1;
	}
	text = rstar_arena_alloc(p->work->arena, length + 1);
	if (!text)
		return NULL;
	length = 0;
	for (; p->token < end; p->token++)
	{
		if (length > 0)
			text[length++] = ' ';
		for (uint32_t i = 0; i < p->token->length; i++)
		{
			char c = p->token->text[i];

			text[length++] = c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
		}
	}
	return make_words(p, text, length);
}

/* --- groups ---------------------------------------------------------------------- */

static bool
enter(parser *p)
{
	return ++p->depth <= RSTAR_PARSE_MAX_DEPTH && p->work->fuel > 0;
}

/* What may close the bracket that was opened. */
static bool
accept_close(parser *p, unsigned open, unsigned *close)
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

/* { x | condition }: the condition, when it is about the name before the bar. */
static const rstar_node *
parse_set_builder(parser *p, const rstar_node *element)
{
	const rstar_node *condition;

	p->token++;
	condition = parse_list(p);
	if (!condition)
		return NULL;
	if (element->kind == RSTAR_NODE_NAME && condition->kind == RSTAR_NODE_RELATION)
		return condition;
	if (element->kind == RSTAR_NODE_RELATION && element->relation[0] == RSTAR_MARK_IN)
		return condition;
	element = rstar_node_binary(p->work, RSTAR_NODE_APPLY, element, condition);
	if (element)
		((rstar_node *) element)->hash = rstar_hash_bytes(2, "builder", 7);
	return element;
}

static const rstar_node *
parse_bracket(parser *p, unsigned open)
{
	const rstar_node *list = NULL;
	rstar_node *node;
	unsigned close;
	bool square = open == '[' || open == ']';
	bool set = open == RSTAR_MARK_SET_OPEN;
	bool built = false;
	int bars = p->bars;

	p->token++;
	if (!enter(p))
		return NULL;
	p->bars = 0;
	p->squares += square;
	p->sets += set;
	if (!is_mark(p->token, RSTAR_MARK_SET_CLOSE) && !is_mark(p->token, ')') &&
		!is_mark(p->token, '}'))
	{
		list = parse_list(p);
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
		return rstar_node_make(p->work, RSTAR_NODE_SET, 0);
	if (list && !set && list->kind != RSTAR_NODE_LIST)
		return square || (open == '(' && close == ')') || open == '{' ||
					   open == RSTAR_MARK_ANGLE_OPEN
				   ? list
				   : NULL;
	node = rstar_node_make(p->work, set || open == '{' ? RSTAR_NODE_SET : RSTAR_NODE_TUPLE, 0);
	if (!node)
		return NULL;
	if (list && list->kind == RSTAR_NODE_LIST)
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

/*
 * What \frac, \sqrt, ^ and _ take: a braced group, a number as it stands (for
 * \frac only its first digit), or a signed one; NULL when it is something else.
 */
static const rstar_node *
parse_argument(parser *p, bool one_digit)
{
	rstar_token *token = (rstar_token *) p->token; /* the parser's own array */

	if (is_mark(token, '{'))
		return parse_bracket(p, '{');
	if (token->kind == RSTAR_TOKEN_NUMBER)
	{
		rstar_node *node = rstar_node_make(p->work, RSTAR_NODE_NUMBER, 0);
		bool first = one_digit && is_integer_token(token) && token->length > 1;

		if (!node)
			return NULL;
		node->text = token->text;
		node->length = first ? 1 : token->length;
		node->repeat = token->repeat;
		token->text += first;
		token->length -= first;
		p->token += !first;
		return node;
	}
	if (is_mark(token, '+') || is_mark(token, '-'))
	{
		const rstar_node *rest;

		p->token++;
		rest = parse_argument(p, one_digit);
		if (!rest)
			rest = parse_power(p);
		return is_mark(token, '-') ? rstar_node_unary(p->work, RSTAR_NODE_NEGATIVE, rest) : rest;
	}
	return NULL;
}

/* --- primaries ---------------------------------------------------------------------- */

static rstar_node *
make_call(parser *p, unsigned function, const rstar_node *a, const rstar_node *b)
{
	rstar_node *node = a ? rstar_node_make(p->work, RSTAR_NODE_CALL, b ? 2 : 1) : NULL;

	if (!node)
		return NULL;
	node->op = (uint16_t) function;
	node->child[0] = a;
	if (b)
		node->child[1] = b;
	return node;
}

static rstar_node *
make_apply(parser *p, const char *text, size_t length, const rstar_node *a)
{
	rstar_node *node = rstar_node_make(p->work, RSTAR_NODE_APPLY, a ? 1 : 0);

	if (!node)
		return NULL;
	node->text = text;
	node->length = (uint32_t) length;
	node->hash = rstar_hash_bytes(3, text, length);
	if (a)
		node->child[0] = a;
	return node;
}

static const rstar_node *
parse_one(parser *p, bool one_digit)
{
	const rstar_node *node = parse_argument(p, one_digit);

	return node ? node : parse_power(p);
}

static const rstar_node *
parse_fraction(parser *p)
{
	const rstar_node *num = parse_one(p, true);
	const rstar_node *den = num ? parse_one(p, true) : NULL;

	return rstar_node_binary(p->work, RSTAR_NODE_QUOTIENT, num, den);
}

static const rstar_node *
parse_root(parser *p)
{
	const rstar_node *index = NULL;
	const rstar_node *radicand;

	if (is_mark(p->token, '['))
	{
		p->token++;
		p->squares++;
		index = parse_sum(p);
		p->squares--;
		if (!index || !accept(p, ']'))
			return NULL;
	}
	radicand = is_mark(p->token, '(') ? parse_bracket(p, '(') : parse_one(p, false);
	return make_call(p, RSTAR_FUNCTION_SQRT, radicand, index);
}

/* Can this token begin a factor of an implicit product? */
static bool
starts_factor(const parser *p, const rstar_token *token)
{
	switch (token->kind)
	{
		case RSTAR_TOKEN_NUMBER:
			return token[-1].kind != RSTAR_TOKEN_NUMBER;
		case RSTAR_TOKEN_LETTER:
			return !(token->in_text && token[-1].in_text);
		case RSTAR_TOKEN_FUNCTION:
		case RSTAR_TOKEN_CONSTANT:
		case RSTAR_TOKEN_BIG:
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

/* sin 2x, \sin\frac{\pi}{3}: the factors up to the next sign, function or bracket. */
static const rstar_node *
parse_bare_argument(parser *p)
{
	children list = {0};

	do
	{
		if (!push(p, &list, parse_factor(p)))
			return NULL;
	} while (starts_factor(p, p->token) && p->token->kind != RSTAR_TOKEN_FUNCTION &&
			 p->token->kind != RSTAR_TOKEN_BIG && !is_mark(p->token, '(') &&
			 !is_mark(p->token, '[') && !is_mark(p->token, RSTAR_MARK_BAR_OPEN) &&
			 !is_mark(p->token, '|'));
	return collect_or_only(p, RSTAR_NODE_PRODUCT, &list);
}

static unsigned
inverse_of(unsigned function)
{
	return function <= RSTAR_FUNCTION_CSC ? function + RSTAR_FUNCTION_ASIN - RSTAR_FUNCTION_SIN
										  : RSTAR_FUNCTION_DET + 1;
}

/* The arguments of a function whose name was just read. */
static const rstar_node *
call_with_arguments(parser *p, unsigned function, const rstar_node *base)
{
	const rstar_node *argument;
	rstar_node *node;

	if (is_mark(p->token, '(') || is_mark(p->token, '['))
		argument = parse_bracket(p, p->token->id);
	else if (is_mark(p->token, '{'))
		argument = parse_bracket(p, '{');
	else
		argument = parse_bare_argument(p);
	if (!argument)
		return NULL;
	if (argument->kind != RSTAR_NODE_TUPLE || argument->count == 0)
		return make_call(p, function, argument, base);
	node = rstar_node_make(p->work, RSTAR_NODE_CALL, 0);
	if (!node)
		return NULL;
	node->op = (uint16_t) function;
	node->child = argument->child;
	node->count = argument->count;
	return node;
}

static const rstar_node *
parse_function(parser *p)
{
	unsigned function = p->token->id;
	const rstar_node *base = NULL;
	const rstar_node *power = NULL;
	const rstar_node *call;

	p->token++;
	for (int i = 0; i < 2; i++)
	{
		if (!base && function == RSTAR_FUNCTION_LOG && accept(p, '_'))
		{
			base = parse_one(p, false);
			if (!base)
				return NULL;
		}
		if (!power && (is_mark(p->token, '^') || is_mark(p->token, RSTAR_MARK_POWER)))
		{
			p->token++;
			power = parse_one(p, false);
			if (!power)
				return NULL;
		}
	}
	if (power && power->kind == RSTAR_NODE_NEGATIVE && power->child[0]->length == 1 &&
		power->child[0]->text && power->child[0]->text[0] == '1')
	{
		function = inverse_of(function);
		if (function > RSTAR_FUNCTION_DET)
			return NULL;
		power = NULL;
	}
	call = call_with_arguments(p, function, base);
	return power ? rstar_node_binary(p->work, RSTAR_NODE_POWER, call, power) : call;
}

/* \sum_{..}^{..} body, \int, \lim: compared as written, parts up to equality. */
static const rstar_node *
parse_big(parser *p)
{
	const rstar_token *name = p->token++;
	const rstar_node *below = NULL;
	const rstar_node *above = NULL;
	const rstar_node *body;
	children list = {0};
	rstar_node *node;

	for (int i = 0; i < 2; i++)
	{
		if (!below && accept(p, '_') &&
			!(below = is_mark(p->token, '{') ? parse_bracket(p, '{') : parse_one(p, true)))
			return NULL;
		if (!above && accept(p, '^') && !(above = parse_one(p, true)))
			return NULL;
	}
	do
	{
		if (!push(p, &list, parse_factor(p)))
			return NULL;
		if (accept(p, '*'))
			continue;
	} while (starts_factor(p, p->token));
	body = collect_or_only(p, RSTAR_NODE_PRODUCT, &list);
	list = (children){0};
	if (!push(p, &list, body) || (below && !push(p, &list, below)) ||
		(above && !push(p, &list, above)))
		return NULL;
	node = collect(p, RSTAR_NODE_APPLY, &list);
	if (node)
	{
		node->text = name->text;
		node->length = name->length;
		node->hash =
			rstar_hash_bytes(4 + (below ? 1 : 0) + (above ? 2 : 0), name->text, name->length);
	}
	return node;
}

static const rstar_node *
parse_bars(parser *p)
{
	bool directed = is_mark(p->token, RSTAR_MARK_BAR_OPEN);
	const rstar_node *inside;

	p->token++;
	if (!enter(p))
		return NULL;
	p->bars++;
	inside = parse_sum(p);
	p->bars--;
	p->depth--;
	if (!inside || !accept(p, directed ? RSTAR_MARK_BAR_CLOSE : '|'))
		return NULL;
	if (inside->kind == RSTAR_NODE_MATRIX)
		return make_call(p, RSTAR_FUNCTION_DET, inside, NULL);
	return make_call(p, RSTAR_FUNCTION_ABS, inside, NULL);
}

static const rstar_node *
parse_between(parser *p, unsigned function, unsigned close)
{
	const rstar_node *inside;

	p->token++;
	if (!enter(p))
		return NULL;
	inside = parse_sum(p);
	p->depth--;
	return inside && accept(p, close) ? make_call(p, function, inside, NULL) : NULL;
}

/* The lines of cases and aligned: a list of all their items. */
static const rstar_node *
parse_lines(parser *p)
{
	children list = {0};
	rstar_node *node;

	while (!is_mark(p->token, RSTAR_MARK_END))
	{
		const rstar_node *item;

		if (accept(p, '&') || accept(p, RSTAR_MARK_ROW) || accept(p, ',') || accept(p, ';'))
			continue;
		item = parse_item(p);
		if (!push(p, &list, item))
			return NULL;
	}
	node = collect(p, RSTAR_NODE_LIST, &list);
	if (node)
		node->op = 's';
	return node;
}

static const rstar_node *
parse_matrix(parser *p)
{
	children list = {0};
	size_t columns = 0;
	size_t here = 0;
	rstar_node *node;

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
		if (!push(p, &list, parse_item(p)))
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
	node = collect(p, RSTAR_NODE_MATRIX, &list);
	if (node)
		node->columns = (uint32_t) columns;
	return node;
}

static const rstar_node *
parse_environment(parser *p)
{
	const rstar_token *name = p->token++;
	const rstar_node *node;
	int squares = p->squares;
	int bars = p->bars;
	int lines = p->lines;

	if (!enter(p))
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
		return make_call(p, RSTAR_FUNCTION_DET, node, NULL);
	return node;
}

/* 3\frac{1}{2}, 1 1/2: a number and a proper fraction of numbers. */
static const rstar_node *
parse_mixed(parser *p, const rstar_node *whole)
{
	const rstar_node *fraction = NULL;
	const rstar_token *t = p->token;

	if (is_mark(t, RSTAR_MARK_FRAC))
	{
		p->token++;
		fraction = parse_fraction(p);
	}
	else if (is_integer_token(t) && t->spaced && is_mark(t + 1, '/') && is_integer_token(t + 2))
	{
		rstar_node *num = rstar_node_make(p->work, RSTAR_NODE_NUMBER, 0);
		rstar_node *den = rstar_node_make(p->work, RSTAR_NODE_NUMBER, 0);

		if (!num || !den)
			return NULL;
		num->text = t[0].text;
		num->length = t[0].length;
		den->text = t[2].text;
		den->length = t[2].length;
		p->token += 3;
		fraction = rstar_node_binary(p->work, RSTAR_NODE_QUOTIENT, num, den);
	}
	else
		return whole;
	if (!fraction)
		return NULL;
	if (fraction->child[0]->kind == RSTAR_NODE_NUMBER &&
		fraction->child[1]->kind == RSTAR_NODE_NUMBER &&
		(fraction->child[0]->length < fraction->child[1]->length ||
		 (fraction->child[0]->length == fraction->child[1]->length &&
		  memcmp(fraction->child[0]->text, fraction->child[1]->text, fraction->child[0]->length) <
			  0)))
		return rstar_node_binary(p->work, RSTAR_NODE_SUM, whole, fraction);
	return rstar_node_binary(p->work, RSTAR_NODE_PRODUCT, whole, fraction);
}

/* 2102_{8}: digits and a base from 2 to 36. */
static const rstar_node *
parse_based(parser *p, const rstar_token *digits)
{
	const rstar_token *t = ++p->token; /* behind the _ */
	bool braced = accept(p, '{');
	rstar_node *node;
	unsigned base = 0;

	t = p->token;
	if (!is_integer_token(t) || t->length > 2)
		return NULL;
	for (uint32_t i = 0; i < t->length; i++)
		base = base * 10 + (unsigned) (t->text[i] - '0');
	p->token++;
	if ((braced && !accept(p, '}')) || base < 2 || base > 36)
		return NULL;
	node = rstar_node_make(p->work, RSTAR_NODE_BASED, 0);
	if (node)
	{
		node->text = digits->text;
		node->length = digits->length;
		node->columns = base;
	}
	return node;
}

static const rstar_node *
parse_number(parser *p)
{
	const rstar_token *t = p->token++;
	rstar_node *node;

	if (is_mark(p->token, '_') && is_integer_token(t))
		return parse_based(p, t);
	node = rstar_node_make(p->work, RSTAR_NODE_NUMBER, 0);
	if (!node)
		return NULL;
	node->text = t->text;
	node->length = t->length;
	node->repeat = t->repeat;
	return is_integer_token(t) ? parse_mixed(p, node) : node;
}

/* Functions by custom: f(x) is no product. */
static bool
is_function_letter(const rstar_token *t)
{
	return t->kind == RSTAR_TOKEN_LETTER && t->length == 1 &&
		   (*t->text == 'f' || *t->text == 'g' || *t->text == 'F' || *t->text == 'G');
}

static const rstar_node *
parse_letter(parser *p)
{
	const rstar_token *t = p->token++;
	rstar_node *node;

	if (t->in_text && (p->token->in_text && (p->token->kind == RSTAR_TOKEN_WORD ||
											 p->token->kind == RSTAR_TOKEN_LETTER)))
	{
		p->token--;
		return parse_words(p);
	}
	node = make_name(p, t->text, t->length, 0);
	if (!node)
		return NULL;
	while (accept(p, RSTAR_MARK_PRIME))
		node->hash = rstar_hash_mix(node->hash, '\'');
	if (is_mark(p->token, '(') && is_function_letter(t) && !p->token->spaced)
	{
		const rstar_node *argument = parse_bracket(p, '(');
		rstar_node *apply;

		if (!argument)
			return NULL;
		apply = make_apply(p, t->text, t->length, argument);
		if (apply)
			apply->hash = rstar_hash_mix(apply->hash, node->hash);
		return apply;
	}
	return node;
}

static const rstar_node *
parse_named(parser *p, const char *name, size_t length)
{
	const rstar_node *inside = parse_one(p, false);

	return inside ? make_apply(p, name, length, inside) : NULL;
}

static const rstar_node *
parse_mark_primary(parser *p)
{
	const rstar_token *t = p->token;
	rstar_node *node;

	switch (t->id)
	{
		case '(':
		case '[':
		case ']':
		case '{':
		case RSTAR_MARK_SET_OPEN:
		case RSTAR_MARK_ANGLE_OPEN:
			return parse_bracket(p, t->id);
		case '|':
		case RSTAR_MARK_BAR_OPEN:
			return parse_bars(p);
		case RSTAR_MARK_FLOOR_OPEN:
			return parse_between(p, RSTAR_FUNCTION_FLOOR, RSTAR_MARK_FLOOR_CLOSE);
		case RSTAR_MARK_CEIL_OPEN:
			return parse_between(p, RSTAR_FUNCTION_CEIL, RSTAR_MARK_CEIL_CLOSE);
		case RSTAR_MARK_FRAC:
			p->token++;
			return parse_fraction(p);
		case RSTAR_MARK_SQRT:
			p->token++;
			return parse_root(p);
		case RSTAR_MARK_BINOM:
		{
			const rstar_node *top, *bottom;

			p->token++;
			top = parse_one(p, true);
			bottom = top ? parse_one(p, true) : NULL;
			return bottom ? make_call(p, RSTAR_FUNCTION_BINOMIAL, top, bottom) : NULL;
		}
		case RSTAR_MARK_BEGIN:
			return parse_environment(p);
		case RSTAR_MARK_OVERLINE:
			p->token++;
			return parse_named(p, "overline", 8);
		case RSTAR_MARK_ACCENT:
			p->token++;
			return parse_named(p, t->text, t->length);
		case RSTAR_MARK_ANGLE:
			p->token++;
			return parse_named(p, t->text, t->length);
		case RSTAR_MARK_EMPTYSET:
			p->token++;
			return rstar_node_make(p->work, RSTAR_NODE_SET, 0);
		case RSTAR_MARK_NUMBERS:
			p->token++;
			node = rstar_node_make(p->work, RSTAR_NODE_NUMBERS, 0);
			if (node && t->length > 0)
				node->op = (uint16_t) *t->text;
			return node;
		case RSTAR_MARK_DOTS:
			p->token++;
			return make_name(p, "...", 3, 5);
		case RSTAR_MARK_CURRENCY:
			p->token++;
			if (p->token->kind != RSTAR_TOKEN_NUMBER && !is_mark(p->token, RSTAR_MARK_FRAC))
				return NULL;
			if (p->currency && (p->currency_length != t->length ||
								memcmp(p->currency_word, t->text, t->length) != 0))
				return NULL;
			p->currency = true;
			p->currency_word = t->text;
			p->currency_length = t->length;
			return parse_power(p);
		default:
			return NULL;
	}
}

static const rstar_node *
parse_constant(parser *p)
{
	const rstar_token *t = p->token++;
	rstar_node *node;

	if (t->in_text && p->token->in_text &&
		(p->token->kind == RSTAR_TOKEN_WORD || p->token->kind == RSTAR_TOKEN_LETTER))
	{
		p->token--;
		return parse_words(p);
	}
	node = rstar_node_make(p->work, RSTAR_NODE_CONSTANT, 0);
	if (node)
		node->op = t->id;
	return node;
}

static const rstar_node *
parse_primary(parser *p)
{
	switch (p->token->kind)
	{
		case RSTAR_TOKEN_NUMBER:
			return parse_number(p);
		case RSTAR_TOKEN_LETTER:
			return parse_letter(p);
		case RSTAR_TOKEN_WORD:
		{
			const rstar_node *name = parse_words(p);

			if (name && is_mark(p->token, '('))
			{
				const rstar_node *argument = parse_bracket(p, '(');

				return argument ? make_apply(p, name->text, name->length, argument) : NULL;
			}
			return name;
		}
		case RSTAR_TOKEN_CONSTANT:
			return parse_constant(p);
		case RSTAR_TOKEN_FUNCTION:
			return parse_function(p);
		case RSTAR_TOKEN_BIG:
			return parse_big(p);
		case RSTAR_TOKEN_MARK:
			return parse_mark_primary(p);
		default:
			return NULL;
	}
}

/* x_1, a_{n+1}: a name applied to its index. */
static const rstar_node *
parse_subscript(parser *p, const rstar_node *node)
{
	rstar_node *apply;
	const rstar_node *index;

	if (is_mark(p->token, '{'))
		index = parse_bracket(p, '{');
	else if (p->token->kind == RSTAR_TOKEN_NUMBER || p->token->kind == RSTAR_TOKEN_LETTER ||
			 p->token->kind == RSTAR_TOKEN_CONSTANT || p->token->kind == RSTAR_TOKEN_WORD)
		index = parse_primary(p);
	else
		return NULL;
	if (!index || (node->kind != RSTAR_NODE_NAME && node->kind != RSTAR_NODE_APPLY &&
				   node->kind != RSTAR_NODE_CONSTANT))
		return NULL;
	apply = make_apply(p, node->text, node->length, index);
	if (apply)
		apply->hash = rstar_hash_mix(node->hash + node->op, 6);
	return apply;
}

static const rstar_node *
parse_postfix(parser *p)
{
	const rstar_node *node = parse_primary(p);

	while (node)
	{
		if (is_mark(p->token, '!') && !is_mark(p->token + 1, '='))
		{
			p->token++;
			node = make_call(p, RSTAR_FUNCTION_FACTORIAL, node, NULL);
		}
		else if (accept(p, RSTAR_MARK_PERCENT))
			node = rstar_node_unary(p->work, RSTAR_NODE_PERCENT, node);
		else if (accept(p, RSTAR_MARK_DEGREE))
			node = rstar_node_unary(p->work, RSTAR_NODE_DEGREE, node);
		else if (is_mark(p->token, RSTAR_MARK_PRIME))
		{
			p->token++;
			node = make_apply(p, "'", 1, node);
		}
		else if (accept(p, '_'))
			node = parse_subscript(p, node);
		else
			break;
	}
	return node;
}

/* Behind ^: a degree sign, a prime, or the exponent. */
static const rstar_node *
parse_exponent(parser *p, const rstar_node *base)
{
	bool braced =
		is_mark(p->token, '{') &&
		(is_mark(p->token + 1, RSTAR_MARK_DEGREE) || is_mark(p->token + 1, RSTAR_MARK_PRIME)) &&
		is_mark(p->token + 2, '}');
	const rstar_token *t = p->token + (braced ? 1 : 0);
	const rstar_node *exponent;

	if (is_mark(t, RSTAR_MARK_DEGREE) || is_mark(t, RSTAR_MARK_PRIME))
	{
		p->token = t + (braced ? 2 : 1);
		if (is_mark(t, RSTAR_MARK_PRIME))
			return make_apply(p, "'", 1, base);
		return rstar_node_unary(p->work, RSTAR_NODE_DEGREE, base);
	}
	if (!enter(p))
		return NULL;
	exponent = parse_one(p, false);
	if (exponent && (accept(p, '^') || accept(p, RSTAR_MARK_POWER)))
		exponent = parse_exponent(p, exponent); /* 2^3^4 is 2^(3^4) */
	p->depth--;
	return rstar_node_binary(p->work, RSTAR_NODE_POWER, base, exponent);
}

static const rstar_node *
parse_power(parser *p)
{
	const rstar_node *node = parse_postfix(p);

	while (node)
	{
		if (is_mark(p->token, RSTAR_MARK_SUPERSCRIPT))
		{
			rstar_node *exponent = rstar_node_make(p->work, RSTAR_NODE_NUMBER, 0);

			if (!exponent)
				return NULL;
			exponent->text = p->token->text;
			exponent->length = p->token->length;
			p->token++;
			node = rstar_node_binary(p->work, RSTAR_NODE_POWER, node, exponent);
		}
		else if (accept(p, '^') || accept(p, RSTAR_MARK_POWER))
			node = parse_exponent(p, node);
		else if (node->kind == RSTAR_NODE_POWER || node->kind == RSTAR_NODE_APPLY ||
				 node->kind == RSTAR_NODE_DEGREE)
		{
			if (accept(p, RSTAR_MARK_PERCENT))
				node = rstar_node_unary(p->work, RSTAR_NODE_PERCENT, node);
			else if (is_mark(p->token, '!') && !is_mark(p->token + 1, '='))
			{
				p->token++;
				node = make_call(p, RSTAR_FUNCTION_FACTORIAL, node, NULL);
			}
			else if (node->kind == RSTAR_NODE_POWER && accept(p, '_'))
				node = parse_subscript(p, node);
			else
				break;
		}
		else
			break;
	}
	return node;
}

static const rstar_node *
parse_factor(parser *p)
{
	const rstar_node *node;

	if (is_mark(p->token, '-') || is_mark(p->token, '+'))
	{
		bool minus = is_mark(p->token, '-');

		if (!enter(p))
			return NULL;
		p->token++;
		node = parse_factor(p);
		p->depth--;
		return minus ? rstar_node_unary(p->work, RSTAR_NODE_NEGATIVE, node) : node;
	}
	return parse_power(p);
}

/* A name right before a bracket with a name or number: perhaps h(x). */
static bool
looks_applied(const children *list)
{
	return list->count == 2 && list->item[0]->kind == RSTAR_NODE_NAME &&
		   (list->item[1]->kind == RSTAR_NODE_NAME || list->item[1]->kind == RSTAR_NODE_NUMBER);
}

static const rstar_node *
parse_term(parser *p)
{
	children list = {0};
	const rstar_node *node;
	bool applied = false;

	if (!push(p, &list, parse_factor(p)))
		return NULL;
	for (;;)
	{
		if (accept(p, '*'))
			node = parse_factor(p);
		else if (accept(p, '/'))
		{
			const rstar_node *left = collect_or_only(p, RSTAR_NODE_PRODUCT, &list);

			node = parse_factor(p);
			node = left ? rstar_node_binary(p->work, RSTAR_NODE_QUOTIENT, left, node) : NULL;
			list = (children){0};
		}
		else if (starts_factor(p, p->token) && !is_words(list.item[list.count - 1]))
		{
			applied = is_mark(p->token, '(') && !p->token->spaced && list.count == 1;
			node = parse_power(p);
		}
		else
			break;
		if (!push(p, &list, node))
			return NULL;
	}
	node = collect_or_only(p, RSTAR_NODE_PRODUCT, &list);
	if (node && list.count == 2 && list.item[0]->kind == RSTAR_NODE_NAME &&
		list.item[1]->kind == RSTAR_NODE_TUPLE)
		return make_apply(p, list.item[0]->text, list.item[0]->length, list.item[1]);
	if (node && applied && looks_applied(&list))
		((rstar_node *) node)->op = 1;
	return node;
}

static const rstar_node *
parse_sum(parser *p)
{
	children list = {0};
	bool first = true;
	const rstar_node *node;

	if (!enter(p))
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
			node = rstar_node_unary(p->work, RSTAR_NODE_NEGATIVE, node);
		else if (sign == RSTAR_MARK_PM || sign == RSTAR_MARK_MP)
		{
			node = rstar_node_unary(p->work, RSTAR_NODE_PLUSMINUS, node);
			if (node && sign == RSTAR_MARK_MP)
				((rstar_node *) node)->op = 1;
		}
		if (!push(p, &list, node))
			return NULL;
	}
	node = collect_or_only(p, RSTAR_NODE_SUM, &list);
	if (node && accept(p, RSTAR_MARK_OVER))
		node = rstar_node_binary(p->work, RSTAR_NODE_QUOTIENT, node, parse_sum(p));
	p->depth--;
	return node;
}

/* --- items ------------------------------------------------------------------------- */

static const rstar_node *
parse_union(parser *p)
{
	const rstar_node *node = parse_sum(p);

	while (node && (is_mark(p->token, RSTAR_MARK_CUP) || is_mark(p->token, RSTAR_MARK_CAP) ||
					is_mark(p->token, RSTAR_MARK_SETMINUS)))
	{
		unsigned op = p->token->id;

		p->token++;
		node = rstar_node_binary(p->work, RSTAR_NODE_COMBINE, node, parse_sum(p));
		if (node)
			((rstar_node *) node)->op = (uint16_t) op;
	}
	return node;
}

static const rstar_node *
parse_ratio(parser *p)
{
	children list = {0};

	do
	{
		if (!push(p, &list, parse_union(p)))
			return NULL;
		if (is_mark(p->token, ':') && is_words(list.item[list.count - 1]))
			return NULL; /* a label */
	} while (p->sets == 0 && accept(p, ':'));
	return collect_or_only(p, RSTAR_NODE_RATIO, &list);
}

static unsigned
relation_of(const rstar_token *t)
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

static const rstar_node *
parse_relation(parser *p)
{
	children list = {0};
	uint16_t ops[8];
	size_t n = 0;
	rstar_node *node;

	for (;;)
	{
		unsigned op;

		if (p->lines > 0)
			accept(p, '&');
		if (!push(p, &list, parse_ratio(p)))
			return NULL;
		if (p->lines > 0)
			accept(p, '&');
		op = relation_of(p->token);
		if (!op)
			break;
		if (n == sizeof(ops) / sizeof(ops[0]))
			return NULL;
		ops[n++] = (uint16_t) op;
		p->token++;
	}
	if (n == 0)
		return list.item[0];
	node = collect(p, RSTAR_NODE_RELATION, &list);
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

static int
two_digits(const rstar_token *t, uint32_t most)
{
	int value = 0;

	if (!is_integer_token(t) || t->length > most || (most == 2 && t->length != 2))
		return -1;
	for (uint32_t i = 0; i < t->length; i++)
		value = value * 10 + (t->text[i] - '0');
	return value;
}

/* "pm", "p.m." (its points are dropped: p, m), 0 for neither; *n: tokens. */
static int
half_day(const rstar_token *t, size_t *n)
{
	*n = 1;
	if (word_is(t, "am") || word_is(t, "pm"))
		return t->text[0] | 32;
	if (t->kind == RSTAR_TOKEN_LETTER && t[1].kind == RSTAR_TOKEN_LETTER && t->length == 1 &&
		t[1].length == 1 && (t[1].text[0] | 32) == 'm' &&
		((t->text[0] | 32) == 'a' || (t->text[0] | 32) == 'p'))
	{
		*n = 2;
		return t->text[0] | 32;
	}
	return 0;
}

/* 4:57, 4:57 PM, 20:34:00; NULL when it is none (and nothing has been read). */
static const rstar_node *
parse_time(parser *p)
{
	const rstar_token *t = p->token;
	int hour, minute, second = 0;
	size_t n = 3;
	size_t more;
	int half;
	rstar_node *node;

	if (!is_integer_token(t) || !is_mark(t + 1, ':') || t[0].length > 2)
		return NULL;
	hour = two_digits(t, t->length == 2 ? 2 : 1);
	minute = two_digits(t + 2, 2);
	if (hour < 0 || hour > 24 || minute < 0 || minute > 59)
		return NULL;
	if (is_mark(t + 3, ':'))
	{
		second = two_digits(t + 4, 2);
		if (second < 0 || second > 59)
			return NULL;
		n = 5;
	}
	half = half_day(t + n, &more);
	if (half && (hour < 1 || hour > 12))
		return NULL;
	if (!half && relation_of(t + n) == 0 && t[n].kind != RSTAR_TOKEN_END && !is_mark(t + n, ',') &&
		!is_mark(t + n, ')') && !is_mark(t + n, RSTAR_MARK_AND) && !is_mark(t + n, RSTAR_MARK_OR) &&
		!is_mark(t + n, ';'))
		return NULL;
	node = rstar_node_make(p->work, RSTAR_NODE_TIME, 0);
	if (!node)
		return NULL;
	if (half)
	{
		n += more;
		hour = hour % 12 + (half == 'p' ? 12 : 0);
		node->op = RSTAR_TIME_HALF;
	}
	node->clock = hour * 3600 + minute * 60 + second;
	p->token = t + n;
	return node;
}

/* The word of a unit and its power: cm^2, m², s^{-1}. */
static int
unit_power(parser *p)
{
	bool braced, minus;
	int power = 1;

	if (is_mark(p->token, RSTAR_MARK_SUPERSCRIPT))
	{
		power = p->token->text[0] - '0';
		p->token++;
		return power;
	}
	if (!is_mark(p->token, '^'))
		return 1;
	p->token++;
	braced = accept(p, '{');
	minus = accept(p, '-');
	if (!is_integer_token(p->token) || p->token->length != 1)
		return 0;
	power = p->token->text[0] - '0';
	p->token++;
	if (braced && !accept(p, '}'))
		return 0;
	return minus ? -power : power;
}

static const rstar_node *
with_unit(parser *p, const rstar_node *node, const rstar_unit *unit)
{
	rstar_node *result = rstar_node_make(p->work, RSTAR_NODE_UNIT, 1);

	if (!result)
		return NULL;
	result->child[0] = node;
	result->unit = unit;
	return result;
}

static const rstar_node *
times_ten(parser *p, const rstar_node *node, int power)
{
	const rstar_node *scale =
		rstar_node_binary(p->work, RSTAR_NODE_POWER, rstar_node_number(p->work, 10),
						  rstar_node_number(p->work, power));

	return rstar_node_binary(p->work, RSTAR_NODE_PRODUCT, node, scale);
}

static bool
is_unit_word(const rstar_token *t)
{
	return t->kind == RSTAR_TOKEN_WORD ||
		   ((t->kind == RSTAR_TOKEN_LETTER || t->kind == RSTAR_TOKEN_FUNCTION) && t->in_text) ||
		   (t->kind == RSTAR_TOKEN_FUNCTION && text_is(t, "min")) ||
		   (t->kind == RSTAR_TOKEN_FUNCTION && text_is(t, "sec"));
}

/* What stands behind a value: a multiplier, a currency, a product of unit words. */
static const rstar_node *
parse_unit(parser *p, const rstar_node *node)
{
	rstar_unit *unit = rstar_arena_alloc_zero(p->work->arena, sizeof(*unit));
	int side = 1;
	int words = 0;
	int ten;

	if (!unit)
		return NULL;
	while (p->token->kind == RSTAR_TOKEN_WORD &&
		   (ten = rstar_unit_multiplier(p->token->text, p->token->length)) > 0)
	{
		node = times_ten(p, node, ten);
		p->token++;
	}
	if (p->currency && !rstar_unit_add(p->work, unit, p->currency_word, p->currency_length, 1))
		return NULL;
	if (accept(p, RSTAR_MARK_CURRENCY))
		if (!rstar_unit_add(p->work, unit, p->token[-1].text, p->token[-1].length, 1))
			return NULL;
	while (is_unit_word(p->token))
	{
		const rstar_token *t = p->token++;
		int power;

		if (word_is(t, "per") && words > 0)
		{
			side = -1;
			continue;
		}
		if (rstar_unit_refuses(t->text, t->length) && !text_is(t, "sec") && !text_is(t, "min"))
			return NULL;
		if (++words > 8)
			return NULL;
		power = unit_power(p);
		if (power == 0 || !rstar_unit_add(p->work, unit, t->text, t->length, power * side))
			return NULL;
		if (is_mark(p->token, '/') && is_unit_word(p->token + 1))
		{
			side = -1;
			p->token++;
		}
		else if (is_mark(p->token, '*') && is_unit_word(p->token + 1))
			p->token++;
	}
	return unit->n > 0 ? with_unit(p, node, unit) : node;
}

/* 30^\circ C: the letter names the scale. */
static const rstar_node *
temperature(parser *p, const rstar_node *node)
{
	const rstar_node *degree = node;
	rstar_unit *unit;

	if (node->kind != RSTAR_NODE_PRODUCT || node->count != 2 ||
		node->child[0]->kind != RSTAR_NODE_DEGREE || node->child[1]->kind != RSTAR_NODE_NAME ||
		node->child[1]->length != 1)
		return node;
	degree = node->child[0]->child[0];
	unit = rstar_arena_alloc_zero(p->work->arena, sizeof(*unit));
	if (!unit)
		return NULL;
	if (*node->child[1]->text == 'C' && rstar_unit_add(p->work, unit, "celsius", 7, 1))
		return with_unit(p, degree, unit);
	if (*node->child[1]->text == 'F' && rstar_unit_add(p->work, unit, "fahrenheit", 10, 1))
		return with_unit(p, degree, unit);
	return node;
}

/* (mod 7), \pmod{7}, \mod 7 behind a value or a relation. */
static const rstar_node *
parse_modulus(parser *p, const rstar_node *node)
{
	bool bracket = accept(p, '(');
	const rstar_node *modulus;

	p->token++; /* the mark itself */
	modulus = is_mark(p->token, '{') ? parse_bracket(p, '{') : parse_power(p);
	if (!modulus || (bracket && !accept(p, ')')))
		return NULL;
	node = rstar_node_binary(p->work, RSTAR_NODE_APPLY, node, modulus);
	if (node)
		((rstar_node *) node)->hash = rstar_hash_bytes(7, "mod", 3);
	return node;
}

static bool
phrase_is(const rstar_node *node, const char *text)
{
	return node->kind == RSTAR_NODE_NAME && node->length == strlen(text) &&
		   memcmp(node->text, text, node->length) == 0;
}

static const char *const small_numbers[] = {"zero", "one",    "two",   "three", "four",
											"five", "six",    "seven", "eight", "nine",
											"ten",  "eleven", "twelve"};

/* Words with a mathematical meaning of their own. */
static const rstar_node *
known_phrase(parser *p, const rstar_node *node)
{
	rstar_node *numbers;

	if (phrase_is(node, "all real numbers") || phrase_is(node, "all reals") ||
		phrase_is(node, "real numbers") || phrase_is(node, "the real numbers") ||
		phrase_is(node, "the set of all real numbers"))
	{
		numbers = rstar_node_make(p->work, RSTAR_NODE_NUMBERS, 0);
		if (numbers)
			numbers->op = 'R';
		return numbers;
	}
	for (size_t i = 0; node->kind == RSTAR_NODE_NAME && node->op == 1 &&
					   i < sizeof(small_numbers) / sizeof(small_numbers[0]);
		 i++)
		if (phrase_is(node, small_numbers[i]))
			return rstar_node_number(p->work, (int64_t) i);
	if (phrase_is(node, "no solution") || phrase_is(node, "no solutions") ||
		phrase_is(node, "the empty set") || phrase_is(node, "empty set"))
		return rstar_node_make(p->work, RSTAR_NODE_SET, 0);
	return node;
}

static const rstar_node *
parse_item_inside(parser *p)
{
	const rstar_node *node = parse_time(p);

	if (node)
		return node;
	node = parse_relation(p);
	if (!node)
		return NULL;
	if (is_mark(p->token, RSTAR_MARK_MOD) ||
		(is_mark(p->token, '(') && is_mark(p->token + 1, RSTAR_MARK_MOD)))
		node = parse_modulus(p, node);
	if (!node)
		return NULL;
	node = temperature(p, node);
	if (node && (p->currency || is_unit_word(p->token) || is_mark(p->token, RSTAR_MARK_CURRENCY)))
		node = parse_unit(p, node);
	return node ? known_phrase(p, node) : NULL;
}

/* A sign such as \$ belongs to the innermost item around it. */
static const rstar_node *
parse_item(parser *p)
{
	bool currency = p->currency;
	const char *word = p->currency_word;
	uint32_t length = p->currency_length;
	const rstar_node *node;

	p->currency = false;
	node = parse_item_inside(p);
	p->currency = currency;
	p->currency_word = word;
	p->currency_length = length;
	return node;
}

/* Between items: a comma, "and", "or", or a comma and one of these. */
static bool
accept_separator(parser *p)
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

static const rstar_node *
parse_list(parser *p)
{
	children groups = {0};
	rstar_node *node;

	if (!enter(p))
		return NULL;
	do
	{
		children items = {0};
		const rstar_node *group;

		do
		{
			if (items.count > 0 && ends_list(p->token))
				break; /* a trailing comma */
			if (!push(p, &items, parse_item(p)))
				return NULL;
		} while (accept_separator(p));
		group = collect_or_only(p, RSTAR_NODE_LIST, &items);
		if (group && items.count > 1)
			((rstar_node *) group)->op = ',';
		if (!push(p, &groups, group))
			return NULL;
	} while (accept(p, ';') && !ends_list(p->token));
	p->depth--;
	if (groups.count == 1)
		return groups.item[0];
	node = collect(p, RSTAR_NODE_LIST, &groups);
	if (node)
		node->op = ';';
	return node;
}

const rstar_node *
rstar_parse(rstar_work *work, const rstar_tokens *tokens)
{
	parser p = {.work = work, .token = tokens->token};
	const rstar_node *node;

	/* A label before the answer, and what is left of punctuation behind it. */
	node = parse_list(&p);
	while (node && (accept(&p, ',') || accept(&p, RSTAR_MARK_ROW) || accept(&p, ';')))
		;
	return node && p.token->kind == RSTAR_TOKEN_END ? node : NULL;
}

/*
 * parse_primary.c
 *	  What stands between operators: numbers, names, brackets, fractions, roots,
 *	  matrices, with their exponents and subscripts. See parse.h.
 */
#include "core/grade/parse_internal.h"

static const rstar_expr *parse_exponent(rstar_parser *p, const rstar_expr *base);
static const rstar_expr *parse_primary(rstar_parser *p);

static rstar_expr *
make_name(rstar_parser *p, const char *text, size_t length, uint64_t seed)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_NAME, 0);

	if (node)
	{
		node->text = text;
		node->length = (uint32_t) length;
		node->hash = rstar_hash_bytes(seed, text, length);
	}
	return node;
}

/* op 1: words, which multiply nothing. */
static rstar_expr *
make_words(rstar_parser *p, const char *text, size_t length)
{
	rstar_expr *node = make_name(p, text, length, 1);

	if (node)
		node->op = 1;
	return node;
}

/* Consecutive words are one name, compared without regard to case. */
static const rstar_expr *
parse_words(rstar_parser *p)
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
static const rstar_expr *
parse_set_builder(rstar_parser *p, const rstar_expr *element)
{
	const rstar_expr *condition;

	p->token++;
	condition = rstar_parse_list(p);
	if (!condition)
		return NULL;
	if (element->kind == RSTAR_EXPR_NAME && is_about(condition, element))
		return condition;
	if (element->kind == RSTAR_EXPR_RELATION && element->relation[0] == RSTAR_MARK_IN)
		return condition;
	element = rstar_expr_binary(p->work, RSTAR_EXPR_APPLY, element, condition);
	if (element)
		((rstar_expr *) element)->hash = rstar_hash_bytes(2, "builder", 7);
	return element;
}

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
		!is_mark(p->token, '}'))
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

/*
 * What \frac, \sqrt, ^ and _ take: a braced group, a number as it stands (for
 * \frac only its first digit), or a signed one; NULL when it is something else.
 */
static const rstar_expr *
parse_argument(rstar_parser *p, bool one_digit)
{
	rstar_token *token = (rstar_token *) p->token; /* the parser's own array */

	if (is_mark(token, '{'))
		return rstar_parse_bracket(p, '{');
	if (token->kind == RSTAR_TOKEN_NUMBER)
	{
		rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_NUMBER, 0);
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
		const rstar_expr *rest;

		p->token++;
		rest = parse_argument(p, one_digit);
		if (!rest)
			rest = rstar_parse_power(p);
		return is_mark(token, '-') ? rstar_expr_unary(p->work, RSTAR_EXPR_NEGATIVE, rest) : rest;
	}
	return NULL;
}

rstar_expr *
rstar_parser_call(rstar_parser *p, unsigned function, const rstar_expr *a, const rstar_expr *b)
{
	rstar_expr *node = a ? rstar_expr_make(p->work, RSTAR_EXPR_CALL, b ? 2 : 1) : NULL;

	if (!node)
		return NULL;
	node->op = (uint16_t) function;
	node->child[0] = a;
	if (b)
		node->child[1] = b;
	return node;
}

rstar_expr *
rstar_parser_apply(rstar_parser *p, const char *text, size_t length, const rstar_expr *a)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_APPLY, a ? 1 : 0);

	if (!node)
		return NULL;
	node->text = text;
	node->length = (uint32_t) length;
	node->hash = rstar_hash_bytes(3, text, length);
	if (a)
		node->child[0] = a;
	return node;
}

const rstar_expr *
rstar_parse_one(rstar_parser *p, bool one_digit)
{
	const rstar_expr *node = parse_argument(p, one_digit);

	return node ? node : rstar_parse_power(p);
}

static const rstar_expr *
parse_fraction(rstar_parser *p)
{
	const rstar_expr *num = rstar_parse_one(p, true);
	const rstar_expr *den = num ? rstar_parse_one(p, true) : NULL;

	return rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT, num, den);
}

static const rstar_expr *
parse_root(rstar_parser *p)
{
	const rstar_expr *index = NULL;
	const rstar_expr *radicand;

	if (is_mark(p->token, '['))
	{
		p->token++;
		p->squares++;
		index = rstar_parse_sum(p);
		p->squares--;
		if (!index || !accept(p, ']'))
			return NULL;
	}
	radicand = is_mark(p->token, '(') ? rstar_parse_bracket(p, '(') : rstar_parse_one(p, false);
	return rstar_parser_call(p, RSTAR_FUNCTION_SQRT, radicand, index);
}

static const rstar_expr *
parse_bars(rstar_parser *p)
{
	bool directed = is_mark(p->token, RSTAR_MARK_BAR_OPEN);
	const rstar_expr *inside;

	p->token++;
	if (!rstar_parser_enter(p))
		return NULL;
	p->bars++;
	inside = rstar_parse_sum(p);
	p->bars--;
	p->depth--;
	if (!inside || !accept(p, directed ? RSTAR_MARK_BAR_CLOSE : '|'))
		return NULL;
	if (inside->kind == RSTAR_EXPR_MATRIX)
		return rstar_parser_call(p, RSTAR_FUNCTION_DET, inside, NULL);
	return rstar_parser_call(p, RSTAR_FUNCTION_ABS, inside, NULL);
}

static const rstar_expr *
parse_between(rstar_parser *p, unsigned function, unsigned close)
{
	const rstar_expr *inside;

	p->token++;
	if (!rstar_parser_enter(p))
		return NULL;
	inside = rstar_parse_sum(p);
	p->depth--;
	return inside && accept(p, close) ? rstar_parser_call(p, function, inside, NULL) : NULL;
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

static const rstar_expr *
parse_environment(rstar_parser *p)
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

/* 3\frac{1}{2}, 1 1/2: a number and a proper fraction of numbers. */
static const rstar_expr *
parse_mixed(rstar_parser *p, const rstar_expr *whole)
{
	const rstar_expr *fraction = NULL;
	const rstar_token *t = p->token;

	if (is_mark(t, RSTAR_MARK_FRAC))
	{
		p->token++;
		fraction = parse_fraction(p);
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

static const rstar_expr *
parse_number(rstar_parser *p)
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

/* Functions by custom: f(x) is no product. */
static bool
is_function_letter(const rstar_token *t)
{
	return t->kind == RSTAR_TOKEN_LETTER && t->length == 1 &&
		   (*t->text == 'f' || *t->text == 'g' || *t->text == 'F' || *t->text == 'G');
}

static const rstar_expr *
parse_letter(rstar_parser *p)
{
	const rstar_token *t = p->token++;
	rstar_expr *node;

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
		const rstar_expr *argument = rstar_parse_bracket(p, '(');
		rstar_expr *apply;

		if (!argument)
			return NULL;
		apply = rstar_parser_apply(p, t->text, t->length, argument);
		if (apply)
			apply->hash = rstar_hash_mix(apply->hash, node->hash);
		return apply;
	}
	return node;
}

static const rstar_expr *
parse_named(rstar_parser *p, const char *name, size_t length)
{
	const rstar_expr *inside = rstar_parse_one(p, false);

	return inside ? rstar_parser_apply(p, name, length, inside) : NULL;
}

static const rstar_expr *
parse_mark_primary(rstar_parser *p)
{
	const rstar_token *t = p->token;
	rstar_expr *node;

	switch (t->id)
	{
		case '(':
		case '[':
		case ']':
		case '{':
		case RSTAR_MARK_SET_OPEN:
		case RSTAR_MARK_ANGLE_OPEN:
			return rstar_parse_bracket(p, t->id);
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
			const rstar_expr *top, *bottom;

			p->token++;
			top = rstar_parse_one(p, true);
			bottom = top ? rstar_parse_one(p, true) : NULL;
			return bottom ? rstar_parser_call(p, RSTAR_FUNCTION_BINOMIAL, top, bottom) : NULL;
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
			return rstar_expr_make(p->work, RSTAR_EXPR_SET, 0);
		case RSTAR_MARK_NUMBERS:
			p->token++;
			node = rstar_expr_make(p->work, RSTAR_EXPR_NUMBERS, 0);
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
			return rstar_parse_power(p);
		default:
			return NULL;
	}
}

static const rstar_expr *
parse_constant(rstar_parser *p)
{
	const rstar_token *t = p->token++;
	rstar_expr *node;

	if (t->in_text && p->token->in_text &&
		(p->token->kind == RSTAR_TOKEN_WORD || p->token->kind == RSTAR_TOKEN_LETTER))
	{
		p->token--;
		return parse_words(p);
	}
	node = rstar_expr_make(p->work, RSTAR_EXPR_CONSTANT, 0);
	if (node)
		node->op = t->id;
	return node;
}

static const rstar_expr *
read_primary(rstar_parser *p)
{
	switch (p->token->kind)
	{
		case RSTAR_TOKEN_NUMBER:
			return parse_number(p);
		case RSTAR_TOKEN_LETTER:
			return parse_letter(p);
		case RSTAR_TOKEN_WORD:
		{
			const rstar_expr *name = parse_words(p);

			if (name && is_mark(p->token, '('))
			{
				const rstar_expr *argument = rstar_parse_bracket(p, '(');

				return argument ? rstar_parser_apply(p, name->text, name->length, argument) : NULL;
			}
			return name;
		}
		case RSTAR_TOKEN_CONSTANT:
			return parse_constant(p);
		case RSTAR_TOKEN_FUNCTION:
			return rstar_parse_function(p);
		case RSTAR_TOKEN_BIG:
			return rstar_parse_big(p);
		case RSTAR_TOKEN_MARK:
			return parse_mark_primary(p);
		default:
			return NULL;
	}
}

/* All recursion of the parser comes through here. */
static const rstar_expr *
parse_primary(rstar_parser *p)
{
	const rstar_expr *node = rstar_parser_enter(p) ? read_primary(p) : NULL;

	p->depth--;
	return node;
}

/* x_1, a_{n+1}: a name applied to its index. */
static const rstar_expr *
parse_subscript(rstar_parser *p, const rstar_expr *node)
{
	rstar_expr *apply;
	const rstar_expr *index;

	if (is_mark(p->token, '{'))
		index = rstar_parse_bracket(p, '{');
	else if (p->token->kind == RSTAR_TOKEN_NUMBER || p->token->kind == RSTAR_TOKEN_LETTER ||
			 p->token->kind == RSTAR_TOKEN_CONSTANT || p->token->kind == RSTAR_TOKEN_WORD)
		index = parse_primary(p);
	else
		return NULL;
	if (!index || (node->kind != RSTAR_EXPR_NAME && node->kind != RSTAR_EXPR_APPLY &&
				   node->kind != RSTAR_EXPR_CONSTANT))
		return NULL;
	apply = rstar_parser_apply(p, node->text, node->length, index);
	if (apply)
		apply->hash = rstar_hash_mix(node->hash + node->op, 6);
	return apply;
}

static const rstar_expr *
parse_postfix(rstar_parser *p)
{
	const rstar_expr *node = parse_primary(p);

	for (int chain = 0; node; chain++)
	{
		if (!link_chain(p, chain))
			return NULL;
		if (is_mark(p->token, '!') && !is_mark(p->token + 1, '='))
		{
			p->token++;
			node = rstar_parser_call(p, RSTAR_FUNCTION_FACTORIAL, node, NULL);
		}
		else if (accept(p, RSTAR_MARK_PERCENT))
			node = rstar_expr_unary(p->work, RSTAR_EXPR_PERCENT, node);
		else if (accept(p, RSTAR_MARK_DEGREE))
			node = rstar_expr_unary(p->work, RSTAR_EXPR_DEGREE, node);
		else if (is_mark(p->token, RSTAR_MARK_PRIME))
		{
			p->token++;
			node = rstar_parser_apply(p, "'", 1, node);
		}
		else if (accept(p, '_'))
			node = parse_subscript(p, node);
		else
			break;
	}
	return node;
}

/* Behind ^: a degree sign, a prime, or the exponent. */
static const rstar_expr *
parse_exponent(rstar_parser *p, const rstar_expr *base)
{
	bool braced =
		is_mark(p->token, '{') &&
		(is_mark(p->token + 1, RSTAR_MARK_DEGREE) || is_mark(p->token + 1, RSTAR_MARK_PRIME)) &&
		is_mark(p->token + 2, '}');
	const rstar_token *t = p->token + (braced ? 1 : 0);
	const rstar_expr *exponent;

	if (is_mark(t, RSTAR_MARK_DEGREE) || is_mark(t, RSTAR_MARK_PRIME))
	{
		p->token = t + (braced ? 2 : 1);
		if (is_mark(t, RSTAR_MARK_PRIME))
			return rstar_parser_apply(p, "'", 1, base);
		return rstar_expr_unary(p->work, RSTAR_EXPR_DEGREE, base);
	}
	if (!rstar_parser_enter(p))
		return NULL;
	exponent = rstar_parse_one(p, false);
	if (exponent && (accept(p, '^') || accept(p, RSTAR_MARK_POWER)))
		exponent = parse_exponent(p, exponent); /* 2^3^4 is 2^(3^4) */
	p->depth--;
	return rstar_expr_binary(p->work, RSTAR_EXPR_POWER, base, exponent);
}

const rstar_expr *
rstar_parse_power(rstar_parser *p)
{
	const rstar_expr *node = parse_postfix(p);

	for (int chain = 0; node; chain++)
	{
		if (!link_chain(p, chain))
			return NULL;
		if (is_mark(p->token, RSTAR_MARK_SUPERSCRIPT))
		{
			rstar_expr *exponent = rstar_expr_make(p->work, RSTAR_EXPR_NUMBER, 0);

			if (!exponent)
				return NULL;
			exponent->text = p->token->text;
			exponent->length = p->token->length;
			p->token++;
			node = rstar_expr_binary(p->work, RSTAR_EXPR_POWER, node, exponent);
		}
		else if (accept(p, '^') || accept(p, RSTAR_MARK_POWER))
			node = parse_exponent(p, node);
		else if (node->kind == RSTAR_EXPR_POWER || node->kind == RSTAR_EXPR_APPLY ||
				 node->kind == RSTAR_EXPR_DEGREE)
		{
			if (accept(p, RSTAR_MARK_PERCENT))
				node = rstar_expr_unary(p->work, RSTAR_EXPR_PERCENT, node);
			else if (is_mark(p->token, '!') && !is_mark(p->token + 1, '='))
			{
				p->token++;
				node = rstar_parser_call(p, RSTAR_FUNCTION_FACTORIAL, node, NULL);
			}
			else if (node->kind == RSTAR_EXPR_POWER && accept(p, '_'))
				node = parse_subscript(p, node);
			else
				break;
		}
		else
			break;
	}
	return node;
}

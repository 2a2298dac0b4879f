/*
 * parse_primary.c
 *	  What stands between operators: numbers, names, brackets, fractions, roots,
 *	  matrices, with their exponents and subscripts. See parse.h.
 */
#include "core/grade/parse_internal.h"

static const rstar_expr *parse_exponent(rstar_parser *p, const rstar_expr *base);
static const rstar_expr *parse_primary(rstar_parser *p);

rstar_expr *
rstar_parser_name(rstar_parser *p, const char *text, size_t length, uint64_t seed)
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

static rstar_expr *
make_words(rstar_parser *p, const char *text, size_t length)
{
	rstar_expr *node = rstar_parser_name(p, text, length, RSTAR_SEED_WORDS);

	if (node)
		node->op = RSTAR_OP_WORDS;
	return node;
}

/* A sentence and no name: "which is the total". */
static bool
is_clause(const char *text, size_t length)
{
	static const char *const words[] = {"is",      "are",   "was",   "were",    "which",
										"because", "since", "that",  "so",      "we",
										"where",   "not",   "isn't", "but",     "therefore",
										"thus",    "hence", "then",  "finally", "answer"};
	const char *at = text;
	const char *end = at + length;

	while (at < end)
	{
		const char *stop = memchr(at, ' ', (size_t) (end - at));
		size_t n = (size_t) ((stop ? stop : end) - at);

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i]) == n && memcmp(words[i], at, n) == 0)
				return true;
		at += n + 1;
	}
	return false;
}

/* Consecutive words are one name, compared without regard to case; a clause is none. */
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
	return is_clause(text, length) ? NULL : make_words(p, text, length);
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
	node->hash = rstar_hash_bytes(RSTAR_SEED_APPLY, text, length);
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

const rstar_expr *
rstar_parse_fraction(rstar_parser *p)
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

/* A bracket right behind a name, or one in braces as SymPy writes it: f{\left(x \right)} */
static bool
opens_argument(const rstar_token *t)
{
	return (is_mark(t, '(') && !t->spaced) || (is_mark(t, '{') && is_mark(t + 1, '('));
}

/* Functions by custom: f(x) is no product. */
static bool
is_function_letter(const rstar_token *t)
{
	return t->kind == RSTAR_TOKEN_LETTER && t->length == 1 &&
		   (*t->text == 'f' || *t->text == 'g' || *t->text == 'F' || *t->text == 'G');
}

/* A variable, part of words where it stands among them, or a function where a bracket follows f, g, F or G. */
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
	node = rstar_parser_name(p, t->text, t->length, RSTAR_SEED_NAME);
	if (!node)
		return NULL;
	while (accept(p, RSTAR_MARK_PRIME))
		node->hash = rstar_hash_mix(node->hash, '\'');
	if (opens_argument(p->token) && (text_is(t, "Gamma") || text_is(t, "zeta")))
	{
		const rstar_expr *argument = rstar_parse_bracket(p, p->token->id);

		return argument ? rstar_parser_apply(p, *t->text == 'G' ? "gamma" : "zeta",
											 *t->text == 'G' ? 5 : 4, argument)
						: NULL;
	}
	if (is_function_letter(t) && opens_argument(p->token))
	{
		const rstar_expr *argument = rstar_parse_bracket(p, p->token->id);
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
parse_binomial(rstar_parser *p)
{
	const rstar_expr *top = rstar_parse_one(p, true);
	const rstar_expr *bottom = top ? rstar_parse_one(p, true) : NULL;

	return bottom ? rstar_parser_call(p, RSTAR_FUNCTION_BINOMIAL, top, bottom) : NULL;
}

/* \mathbb{N}_0: W, the whole numbers */
static bool
accept_zero_index(rstar_parser *p)
{
	const rstar_token *t = p->token;
	bool braced = is_mark(t, '_') && is_mark(t + 1, '{');
	const rstar_token *digit = t + (braced ? 2 : 1);

	if (!is_mark(t, '_') || !is_integer_token(digit) || !text_is(digit, "0") ||
		(braced && !is_mark(digit + 1, '}')))
		return false;
	p->token = digit + (braced ? 2 : 1);
	return true;
}

static const rstar_expr *
parse_number_set(rstar_parser *p, const rstar_token *mark)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_NUMBERS, 0);

	if (node && mark->length > 0)
		node->op = (uint16_t) (*mark->text == 'N' && accept_zero_index(p) ? 'W' : *mark->text);
	return node;
}

/* \$5: remembered until the item is complete; one item has one currency. */
static const rstar_expr *
parse_currency(rstar_parser *p, const rstar_token *mark)
{
	if (p->token->kind != RSTAR_TOKEN_NUMBER && !is_mark(p->token, RSTAR_MARK_FRAC))
		return NULL;
	if (p->currency && (p->currency_length != mark->length ||
						memcmp(p->currency_word, mark->text, mark->length) != 0))
		return NULL;
	p->currency = true;
	p->currency_word = mark->text;
	p->currency_length = mark->length;
	return rstar_parse_power(p);
}

/* Marks that open something read by a function of its own, which takes the mark too. */
static const rstar_expr *
parse_delimited(rstar_parser *p)
{
	switch (p->token->id)
	{
		case '(':
		case '[':
		case ']':
		case '{':
		case RSTAR_MARK_SET_OPEN:
		case RSTAR_MARK_ANGLE_OPEN:
			return rstar_parse_bracket(p, p->token->id);
		case '|':
		case RSTAR_MARK_BAR_OPEN:
			return parse_bars(p);
		case RSTAR_MARK_FLOOR_OPEN:
			return parse_between(p, RSTAR_FUNCTION_FLOOR, RSTAR_MARK_FLOOR_CLOSE);
		case RSTAR_MARK_CEIL_OPEN:
			return parse_between(p, RSTAR_FUNCTION_CEIL, RSTAR_MARK_CEIL_CLOSE);
		case RSTAR_MARK_BEGIN:
			return rstar_parse_environment(p);
		default:
			return NULL;
	}
}

/* A primary that begins with a mark: an operator before its arguments, or a sign of its own. */
static const rstar_expr *
parse_mark_primary(rstar_parser *p)
{
	const rstar_token *t = p->token++;

	switch (t->id)
	{
		case RSTAR_MARK_FRAC:
			return rstar_parse_fraction(p);
		case RSTAR_MARK_SQRT:
			return parse_root(p);
		case RSTAR_MARK_BINOM:
			return parse_binomial(p);
		case RSTAR_MARK_OVERLINE:
			return parse_named(p, "overline", 8);
		case RSTAR_MARK_ACCENT:
		case RSTAR_MARK_ANGLE:
			return parse_named(p, t->text, t->length);
		case RSTAR_MARK_EMPTYSET:
			return rstar_expr_make(p->work, RSTAR_EXPR_SET, 0);
		case RSTAR_MARK_NUMBERS:
			return parse_number_set(p, t);
		case RSTAR_MARK_DOTS:
			return rstar_parser_name(p, "...", 3, RSTAR_SEED_DOTS);
		case RSTAR_MARK_CURRENCY:
			return parse_currency(p, t);
		default:
			p->token = t;
			return parse_delimited(p);
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

/* One primary by the kind of its first token; NULL where none begins. */
static const rstar_expr *
read_primary(rstar_parser *p)
{
	switch (p->token->kind)
	{
		case RSTAR_TOKEN_NUMBER:
			return rstar_parse_number(p);
		case RSTAR_TOKEN_LETTER:
			return parse_letter(p);
		case RSTAR_TOKEN_WORD:
		{
			const rstar_expr *name = parse_words(p);

			if (name && opens_argument(p->token))
			{
				const rstar_expr *argument = rstar_parse_bracket(p, p->token->id);

				return argument ? rstar_parser_apply(p, name->text, name->length, argument) : NULL;
			}
			return name;
		}
		case RSTAR_TOKEN_CONSTANT:
			return parse_constant(p);
		case RSTAR_TOKEN_FUNCTION:
			return rstar_parse_function(p);
		case RSTAR_TOKEN_BUILD:
			return rstar_parse_build(p);
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

	if (node->kind == RSTAR_EXPR_NUMBER) /* (1010)_2 */
	{
		const rstar_token *base = rstar_parser_base(p);

		return base ? rstar_parser_based(p, node->text, node->length, base) : NULL;
	}
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
		apply->hash = rstar_hash_mix(node->hash + node->op, RSTAR_SEED_SUBSCRIPT);
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

/*
 * A loop, as exponents, percent signs and factorials may follow each other: x^2! is (x^2)!.
 * link_chain bounds it, since each turn makes the tree one level deeper. Postfix signs of a
 * plain operand were taken by parse_postfix; here only those behind a power, a call or a
 * degree are left.
 */
const rstar_expr *
rstar_parse_power(rstar_parser *p)
{
	const rstar_expr *node = parse_postfix(p);

	for (int chain = 0; node; chain++)
	{
		if (!link_chain(p, chain))
			return NULL;
		if (is_words(node) && is_mark(p->token, RSTAR_MARK_POWER))
			return NULL; /* **58**, emphasis */
		if (accept(p, '^') || accept(p, RSTAR_MARK_POWER))
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

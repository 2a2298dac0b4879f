/*
 * parse_item.c
 *	  Items of a list: times of day, values with units, residues, phrases. See parse.h.
 */
#include "core/grade/parse_internal.h"

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

static const rstar_expr *
make_time(rstar_parser *p, int seconds, unsigned how)
{
	rstar_expr *node = rstar_expr_make(p->work, RSTAR_EXPR_TIME, 0);

	if (node)
	{
		node->clock = seconds;
		node->op = (uint16_t) how;
	}
	return node;
}

/* 9 AM, 9 a.m., 9 o'clock */
static const rstar_expr *
parse_hour(rstar_parser *p)
{
	const rstar_token *t = p->token;
	int hour = two_digits(t, t->length == 2 ? 2 : 1);
	size_t n;
	int half = half_day(t + 1, &n);

	if (hour < 1 || hour > 12)
		return NULL;
	if (half)
	{
		p->token += 1 + n;
		return make_time(p, (hour % 12 + (half == 'p' ? 12 : 0)) * 3600, RSTAR_TIME_HALF);
	}
	if (t[1].kind != RSTAR_TOKEN_LETTER || !text_is(t + 1, "o") ||
		!is_mark(t + 2, RSTAR_MARK_PRIME) || !word_is(t + 3, "clock"))
		return NULL;
	p->token += 4;
	return make_time(p, hour * 3600, RSTAR_TIME_PLAIN);
}

/* 4:57, 4:57 PM, 20:34:00; NULL when it is none (and nothing has been read). */
static const rstar_expr *
parse_time(rstar_parser *p)
{
	const rstar_token *t = p->token;
	int hour, minute, second = 0;
	size_t n = 3;
	size_t more;
	int half;

	if (!is_integer_token(t) || t[0].length > 2)
		return NULL;
	if (!is_mark(t + 1, ':'))
		return parse_hour(p);
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
	if (!half && rstar_parser_relation_of(t + n) == 0 && t[n].kind != RSTAR_TOKEN_END &&
		!is_mark(t + n, ',') && !is_mark(t + n, ')') && !is_mark(t + n, RSTAR_MARK_AND) &&
		!is_mark(t + n, RSTAR_MARK_OR) && !is_mark(t + n, ';'))
		return NULL;
	if (half)
	{
		n += more;
		hour = hour % 12 + (half == 'p' ? 12 : 0);
	}
	p->token = t + n;
	return make_time(p, hour * 3600 + minute * 60 + second,
					 half ? RSTAR_TIME_HALF : RSTAR_TIME_PLAIN);
}

/* The word of a unit and its power: cm^2, m², s^{-1}. */
static int
unit_power(rstar_parser *p)
{
	bool braced, minus;
	int power = 1;

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

/* "R2", "300a7": no word of a unit */
static bool
has_digit(const rstar_token *t)
{
	for (uint32_t i = 0; i < t->length; i++)
		if (t->text[i] >= '0' && t->text[i] <= '9')
			return true;
	return false;
}

static const rstar_expr *
with_unit(rstar_parser *p, const rstar_expr *node, const rstar_unit *unit)
{
	rstar_expr *result = rstar_expr_make(p->work, RSTAR_EXPR_UNIT, 1);

	if (!result)
		return NULL;
	result->child[0] = node;
	result->unit = unit;
	return result;
}

/* "hundred", "million", "dozen" behind a value multiply it. */
static const rstar_expr *
multiplied(rstar_parser *p, const rstar_expr *node)
{
	int64_t factor;

	while (node && p->token->kind == RSTAR_TOKEN_WORD &&
		   (factor = rstar_unit_multiplier(p->token->text, p->token->length)) > 0)
	{
		node = rstar_expr_binary(p->work, RSTAR_EXPR_PRODUCT, node,
								 rstar_expr_number(p->work, factor));
		p->token++;
	}
	return node;
}

static bool
is_unit_word(const rstar_token *t)
{
	return t->kind == RSTAR_TOKEN_WORD ||
		   ((t->kind == RSTAR_TOKEN_LETTER || t->kind == RSTAR_TOKEN_FUNCTION ||
			 t->kind == RSTAR_TOKEN_CONSTANT) &&
			t->in_text) ||
		   (t->kind == RSTAR_TOKEN_FUNCTION && (text_is(t, "min") || text_is(t, "sec")));
}

/* The words of a unit and what connects them, into `unit`; false when one cannot belong to it. */
static bool
read_unit_words(rstar_parser *p, rstar_unit *unit)
{
	int side = 1;
	int words = 0;

	while (is_unit_word(p->token))
	{
		const rstar_token *t = p->token++;
		int power;

		if (word_is(t, "per") && words > 0)
		{
			side = -1;
			continue;
		}
		if (rstar_unit_refuses(t->text, t->length) || has_digit(t) || ++words > RSTAR_UNIT_TERMS)
			return false;
		power = unit_power(p);
		if (power == 0 || !rstar_unit_add(p->work, unit, t->text, t->length, power * side))
			return false;
		if (is_mark(p->token, '/') && is_unit_word(p->token + 1))
		{
			side = -1;
			p->token++;
		}
		else if (is_mark(p->token, '*') && is_unit_word(p->token + 1))
			p->token++;
	}
	return true;
}

/* \frac{\text{m}}{\text{s}} behind a value */
static bool
read_unit_fraction(rstar_parser *p, rstar_unit *unit)
{
	for (int side = 1; side >= -1; side -= 2)
	{
		const rstar_token *t = p->token + 1;
		int power;

		if (!accept(p, '{') || !is_unit_word(t))
			return false;
		p->token++;
		power = unit_power(p);
		if (power == 0 || !rstar_unit_add(p->work, unit, t->text, t->length, power * side) ||
			!accept(p, '}'))
			return false;
	}
	return true;
}

/* A currency sign before or behind the value, then unit words. */
static const rstar_expr *
read_unit(rstar_parser *p, const rstar_expr *node)
{
	rstar_unit *unit = rstar_arena_alloc_zero(p->work->arena, sizeof(*unit));

	if (!unit)
		return NULL;
	node = multiplied(p, node);
	if (p->currency && !rstar_unit_add(p->work, unit, p->currency_word, p->currency_length, 1))
		return NULL;
	if (accept(p, RSTAR_MARK_CURRENCY) &&
		!rstar_unit_add(p->work, unit, p->token[-1].text, p->token[-1].length, 1))
		return NULL;
	if (is_unit_fraction(p->token))
	{
		p->token++;
		if (!read_unit_fraction(p, unit))
			return NULL;
	}
	else if (!read_unit_words(p, unit))
		return NULL;
	if (node && unit->n > 0 && node->kind == RSTAR_EXPR_NAME && unit->term[0].entry < 0)
		return NULL; /* "A bird": an article */
	return node && unit->n > 0 ? with_unit(p, node, unit) : node;
}

/* The next smaller part of a compound amount: "30 minutes", "and 15 seconds". */
static bool
continues_amount(const rstar_parser *p, const rstar_expr *node)
{
	const rstar_token *t = p->token + (is_mark(p->token, RSTAR_MARK_AND) ? 1 : 0);

	return node && node->kind == RSTAR_EXPR_UNIT && node->unit->n == 1 &&
		   node->unit->term[0].entry >= 0 && t->kind == RSTAR_TOKEN_NUMBER && is_unit_word(t + 1) &&
		   rstar_unit_is_known(t[1].text, t[1].length);
}

/* 1 hour 30 minutes: the sum, in the unit of the first part. */
static const rstar_expr *
compound_amount(rstar_parser *p, const rstar_expr *node)
{
	while (continues_amount(p, node))
	{
		const rstar_expr *part;
		rstar_rational factor, one;
		int order;

		accept(p, RSTAR_MARK_AND);
		part = rstar_parse_primary_number(p);
		part = part ? read_unit(p, part) : NULL;
		if (!part || part->kind != RSTAR_EXPR_UNIT ||
			!rstar_unit_convert(p->work, part->unit, node->unit, &factor) ||
			!rstar_rational_from_i64(p->work, 1, 1, &one) ||
			!rstar_rational_cmp(p->work, &factor, &one, &order) || order >= 0)
			return NULL;
		part = rstar_expr_binary(p->work, RSTAR_EXPR_PRODUCT, part->child[0],
								 rstar_expr_rational(p->work, &factor));
		part = rstar_expr_binary(p->work, RSTAR_EXPR_SUM, node->child[0], part);
		node = part ? with_unit(p, part, node->unit) : NULL;
	}
	return node;
}

static const rstar_expr *
parse_unit(rstar_parser *p, const rstar_expr *node)
{
	return compound_amount(p, read_unit(p, node));
}

/* 30^\circ C: the letter names the scale. */
static const rstar_expr *
temperature(rstar_parser *p, const rstar_expr *node)
{
	const rstar_expr *degree = node;
	rstar_unit *unit;

	if (node->kind != RSTAR_EXPR_PRODUCT || node->count != 2 ||
		node->child[0]->kind != RSTAR_EXPR_DEGREE || node->child[1]->kind != RSTAR_EXPR_NAME ||
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
static const rstar_expr *
parse_modulus(rstar_parser *p, const rstar_expr *node)
{
	bool bracket = accept(p, '(');
	const rstar_expr *modulus;

	p->token++; /* the mark itself */
	modulus = is_mark(p->token, '{') ? rstar_parse_bracket(p, '{') : rstar_parse_power(p);
	if (!modulus || (bracket && !accept(p, ')')))
		return NULL;
	node = rstar_expr_binary(p->work, RSTAR_EXPR_APPLY, node, modulus);
	if (node)
		((rstar_expr *) node)->hash = rstar_hash_bytes(RSTAR_SEED_MODULUS, "mod", 3);
	return node;
}

static bool
phrase_is(const rstar_expr *node, const char *text)
{
	return node->kind == RSTAR_EXPR_NAME && node->length == strlen(text) &&
		   memcmp(node->text, text, node->length) == 0;
}

/* Words with a mathematical meaning of their own. */
static const rstar_expr *
known_phrase(rstar_parser *p, const rstar_expr *node)
{
	rstar_expr *numbers;

	if (phrase_is(node, "all real numbers") || phrase_is(node, "all reals") ||
		phrase_is(node, "real numbers") || phrase_is(node, "the real numbers") ||
		phrase_is(node, "the set of all real numbers"))
	{
		numbers = rstar_expr_make(p->work, RSTAR_EXPR_NUMBERS, 0);
		if (numbers)
			numbers->op = 'R';
		return numbers;
	}
	if (phrase_is(node, "no solution") || phrase_is(node, "no solutions") ||
		phrase_is(node, "the empty set") || phrase_is(node, "empty set"))
		return rstar_expr_make(p->work, RSTAR_EXPR_SET, 0);
	return node;
}

/* 1010 base 2, 1010 (base 2), 1010 in base two */
static const rstar_expr *
based_in_words(rstar_parser *p, const rstar_expr *node)
{
	const rstar_token *t = p->token;
	bool bracket = is_mark(t, '(');

	t += bracket;
	t += word_is(t, "in");
	if (!word_is(t, "base") || t[1].kind != RSTAR_TOKEN_NUMBER || node->kind != RSTAR_EXPR_NUMBER ||
		(bracket && !is_mark(t + 2, ')')))
		return node;
	p->token = t + (bracket ? 3 : 2);
	return rstar_parser_based(p, node->text, node->length, t + 1);
}

static const rstar_expr *
parse_item_inside(rstar_parser *p)
{
	const rstar_expr *node = parse_time(p);

	if (node)
		return node;
	node = rstar_parse_relation(p);
	if (!node)
		return NULL;
	if (is_mark(p->token, RSTAR_MARK_MOD) ||
		(is_mark(p->token, '(') && is_mark(p->token + 1, RSTAR_MARK_MOD)))
		node = parse_modulus(p, node);
	if (!node)
		return NULL;
	node = temperature(p, node);
	node = node ? based_in_words(p, node) : NULL;
	if (node && (p->currency || is_unit_word(p->token) || is_unit_fraction(p->token) ||
				 is_mark(p->token, RSTAR_MARK_CURRENCY)))
		node = parse_unit(p, node);
	return node ? known_phrase(p, node) : NULL;
}

/* A sign such as \$ belongs to the innermost item around it. */
const rstar_expr *
rstar_parse_item(rstar_parser *p)
{
	bool currency = p->currency;
	const char *word = p->currency_word;
	uint32_t length = p->currency_length;
	const rstar_expr *node;

	p->currency = false;
	node = parse_item_inside(p);
	p->currency = currency;
	p->currency_word = word;
	p->currency_length = length;
	return node;
}

/*
 * compare_value.c
 *	  Rules unit, percent, degree, ratio, time, base and boolean: see grade.h.
 */
#include "core/grade/compare_internal.h"

#include <string.h>

#define HALF_DAY 43200 /* seconds */

/* --- numbers with something behind them --------------------------------------------- */

bool
rstar_compare_units(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	rstar_rational factor;
	const rstar_expr *scale;
	const rstar_expr *converted;

	if (rstar_expr_is_percent(gold) || rstar_expr_is_degree(gold) ||
		rstar_expr_is_percent(answer) || rstar_expr_is_degree(answer))
		return false; /* no unit converts into these */
	if (gold->kind != RSTAR_EXPR_UNIT || answer->kind != RSTAR_EXPR_UNIT)
	{
		const rstar_expr *a = gold->kind == RSTAR_EXPR_UNIT ? gold->child[0] : gold;
		const rstar_expr *b = answer->kind == RSTAR_EXPR_UNIT ? answer->child[0] : answer;

		return rstar_compare_nodes(c, a, b);
	}
	if (!rstar_unit_convert(c->work, gold->unit, answer->unit, &factor))
		return false;
	if (rstar_int_bits(&factor.num) == 1 && rstar_int_cmp(&factor.num, &factor.den) == 0)
		return rstar_compare_nodes(c, gold->child[0], answer->child[0]);
	if (!rstar_rational_reduce(c->work, &factor))
		return false;
	scale = rstar_expr_rational(c->work, &factor);
	converted = rstar_expr_binary(c->work, RSTAR_EXPR_PRODUCT, gold->child[0], scale);
	return converted && rstar_compare_nodes(c, converted, answer->child[0]);
}

/* x\%, -x\% */
static const rstar_expr *
inside(rstar_work *work, const rstar_expr *node, rstar_expr_kind kind)
{
	if (node->kind == kind)
		return node->child[0];
	if (node->kind == RSTAR_EXPR_NEGATIVE && node->child[0]->kind == kind)
		return rstar_expr_unary(work, RSTAR_EXPR_NEGATIVE, node->child[0]->child[0]);
	return NULL;
}

/* Percent and degrees: both marked, or one of them, by number or by value. */
static bool
compare_marked(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b, rstar_expr_kind kind)
{
	const rstar_expr *x = inside(c->work, a, kind);
	const rstar_expr *y = inside(c->work, b, kind);

	if (rstar_compare_nodes(c, x ? x : a, y ? y : b))
		return true;
	return !(x && y) && rstar_compare_expressions(c, a, b);
}

bool
rstar_compare_percents(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	return compare_marked(c, a, b, RSTAR_EXPR_PERCENT);
}

bool
rstar_compare_degrees(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	return compare_marked(c, a, b, RSTAR_EXPR_DEGREE);
}

bool
rstar_expr_is_percent(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_PERCENT ||
		   (node->kind == RSTAR_EXPR_NEGATIVE && node->child[0]->kind == RSTAR_EXPR_PERCENT);
}

bool
rstar_expr_is_degree(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_DEGREE ||
		   (node->kind == RSTAR_EXPR_NEGATIVE && node->child[0]->kind == RSTAR_EXPR_DEGREE);
}

/* --- ratios, times, bases, booleans ---------------------------------------------------- */

bool
rstar_compare_ratios(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool equal = true;

	if (a->kind == RSTAR_EXPR_RATIO && b->kind == RSTAR_EXPR_RATIO)
	{
		equal = a->count == b->count;
		for (uint32_t i = 1; i < a->count && equal; i++)
		{
			const rstar_expr *left =
				rstar_expr_binary(c->work, RSTAR_EXPR_PRODUCT, a->child[0], b->child[i]);
			const rstar_expr *right =
				rstar_expr_binary(c->work, RSTAR_EXPR_PRODUCT, b->child[0], a->child[i]);

			equal = left && right && rstar_compare_expressions(c, left, right);
		}
	}
	else
	{
		const rstar_expr *ratio = a->kind == RSTAR_EXPR_RATIO ? a : b;
		const rstar_expr *other = a->kind == RSTAR_EXPR_RATIO ? b : a;
		const rstar_expr *value =
			ratio->count == 2
				? rstar_expr_binary(c->work, RSTAR_EXPR_QUOTIENT, ratio->child[0], ratio->child[1])
				: NULL;

		equal = value && rstar_compare_expressions(c, value, other);
	}
	return equal;
}

/* 3:40 without AM or PM may have been a ratio. */
static const rstar_expr *
time_as_ratio(rstar_work *work, const rstar_expr *node)
{
	rstar_expr *ratio;

	if (node->op != RSTAR_TIME_PLAIN || node->clock % 60 != 0)
		return NULL;
	ratio = rstar_expr_make(work, RSTAR_EXPR_RATIO, 2);
	if (!ratio)
		return NULL;
	ratio->child[0] = rstar_expr_number(work, node->clock / 3600);
	ratio->child[1] = rstar_expr_number(work, node->clock / 60 % 60);
	return ratio->child[0] && ratio->child[1] ? ratio : NULL;
}

bool
rstar_compare_times(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	bool equal;

	if (gold->kind == RSTAR_EXPR_TIME && answer->kind == RSTAR_EXPR_TIME)
		equal = gold->clock == answer->clock ||
				(gold->op == RSTAR_TIME_PLAIN && answer->op == RSTAR_TIME_HALF &&
				 gold->clock % HALF_DAY == answer->clock % HALF_DAY);
	else
	{
		const rstar_expr *time = gold->kind == RSTAR_EXPR_TIME ? gold : answer;
		const rstar_expr *other = gold->kind == RSTAR_EXPR_TIME ? answer : gold;
		const rstar_expr *ratio = time_as_ratio(c->work, time);

		equal = ratio && rstar_compare_ratios(c, ratio, other);
	}
	return equal;
}

bool
rstar_compare_based(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool both = a->kind == RSTAR_EXPR_BASED && b->kind == RSTAR_EXPR_BASED;
	bool ten = (a->kind != RSTAR_EXPR_BASED || a->columns == 10) &&
			   (b->kind != RSTAR_EXPR_BASED || b->columns == 10);

	return (both || ten) && rstar_compare_expressions(c, a, b);
}

int
rstar_expr_truth(const rstar_expr *node)
{
	static const struct
	{
		const char *word;
		int value;
	} words[] = {{"yes", 1}, {"true", 1}, {"no", 0}, {"false", 0}};

	for (size_t i = 0; node->kind == RSTAR_EXPR_NAME && i < sizeof(words) / sizeof(words[0]); i++)
		if (node->length == strlen(words[i].word) &&
			memcmp(node->text, words[i].word, node->length) == 0)
			return words[i].value;
	return -1;
}

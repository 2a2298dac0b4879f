/*
 * relation.c
 *	  Assignments, and the rules equation and inequality: see grade.h.
 */
#include "core/grade/compare.h"

#include <string.h>

static bool
is_capital(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_NAME && node->length == 1 && node->text[0] >= 'A' &&
		   node->text[0] <= 'Z';
}

/* AB, a segment; NO/BO, a ratio of two; A:B */
static bool
is_segment(const rstar_expr *node)
{
	if (is_capital(node))
		return true;
	if (node->kind != RSTAR_EXPR_PRODUCT && node->kind != RSTAR_EXPR_QUOTIENT &&
		node->kind != RSTAR_EXPR_RATIO)
		return false;
	for (uint32_t i = 0; i < node->count; i++)
		if (node->child[i]->kind != RSTAR_EXPR_NAME && node->child[i]->kind != RSTAR_EXPR_APPLY &&
			!is_segment(node->child[i]))
			return false;
	if (node->kind == RSTAR_EXPR_PRODUCT)
		for (uint32_t i = 0; i < node->count; i++)
			if (!is_capital(node->child[i]))
				return false;
	return true;
}

static bool
is_complex_name(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_NAME && node->length == 1 && *node->text == 'z';
}

bool
rstar_expr_is_name(const rstar_expr *node)
{
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_NAME:
		case RSTAR_EXPR_APPLY:
			return true;
		case RSTAR_EXPR_PRODUCT:
			return node->op == RSTAR_OP_APPLIED || is_segment(node);
		case RSTAR_EXPR_QUOTIENT:
		case RSTAR_EXPR_RATIO:
			return is_segment(node);
		case RSTAR_EXPR_CONSTANT:
			return node->op == RSTAR_CONSTANT_I || node->op == RSTAR_CONSTANT_E;
		case RSTAR_EXPR_CALL:
			/* |AB|, |z|: a length; but |x| = 5 is an equation for x */
			return node->op == RSTAR_FUNCTION_ABS &&
				   (is_segment(node->child[0]) || is_complex_name(node->child[0]));
		case RSTAR_EXPR_TUPLE:
			for (uint32_t i = 0; i < node->count; i++)
				if (!rstar_expr_is_name(node->child[i]))
					return false;
			return node->count > 0;
		default:
			return false;
	}
}

static bool
has_infinity_or_set(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_TUPLE || node->kind == RSTAR_EXPR_COMBINE ||
		   node->kind == RSTAR_EXPR_NUMBERS || node->kind == RSTAR_EXPR_SET;
}

/* The last member that = connects with the first; what follows \approx is rounded. */
static const rstar_expr *
chain_value(const rstar_expr *node)
{
	const rstar_expr *value = node->child[1];

	for (uint32_t i = 1; i + 1 < node->count; i++)
	{
		if (node->relation[i] == RSTAR_MARK_APPROX)
			break;
		if (node->relation[i] != '=')
			return NULL;
		value = node->child[i + 1];
	}
	return value;
}

/* name = value, value = name, chains that end in a value, and name in a set; 1 + 1 = 2 has a value as well. */
bool
rstar_expr_assignment(const rstar_expr *node, const rstar_expr **name, const rstar_expr **value)
{
	const rstar_expr *first;

	if (node->kind != RSTAR_EXPR_RELATION)
		return false;
	first = node->child[0];
	switch (node->relation[0])
	{
		case '=':
		case RSTAR_MARK_APPROX:
			*name = first;
			*value = chain_value(node);
			if (!*value)
				return false;
			if (rstar_expr_is_name(first))
				return true;
			/* 1 + 1 = 2; but a + 3 = 0 is an equation. */
			if (!rstar_expr_has_names(node))
			{
				if (node->relation[0] == RSTAR_MARK_APPROX)
					*value = first;
				return true;
			}
			if (node->count == 2 && rstar_expr_is_name(node->child[1]) &&
				!rstar_expr_has_names(first))
			{
				*name = node->child[1];
				*value = first;
				return true;
			}
			/* z = 1 + 1 = 2 was caught; f(-2)+f(-1) = ... = 14/3 has a constant at its end */
			if (node->count > 2 && !rstar_expr_has_names(*value))
				return true;
			return false;
		case RSTAR_MARK_IN:
			*name = first;
			*value = node->child[1];
			return node->count == 2 && rstar_expr_is_name(first) && has_infinity_or_set(*value);
		default:
			return false;
	}
}

const rstar_expr *
rstar_expr_substitute(rstar_work *work, const rstar_expr *node, uint64_t name, const rstar_expr *by)
{
	rstar_expr *copy;

	if (node->kind == RSTAR_EXPR_NAME)
		return node->hash == name ? by : node;
	if (node->count == 0)
		return node;
	if ((work->fuel -= 32) < 0)
		return NULL;
	copy = rstar_expr_make(work, RSTAR_EXPR_NUMBER, 0);
	if (!copy)
		return NULL;
	*copy = *node;
	copy->child = rstar_arena_alloc_array(work->arena, node->count, sizeof(*copy->child));
	if (!copy->child)
		return NULL;
	for (uint32_t i = 0; i < node->count; i++)
	{
		copy->child[i] = rstar_expr_substitute(work, node->child[i], name, by);
		if (!copy->child[i])
			return NULL;
	}
	return copy;
}

/* left - right of the only relation sign */
static const rstar_expr *
difference(rstar_work *work, const rstar_expr *node)
{
	return rstar_expr_binary(work, RSTAR_EXPR_SUM, node->child[0],
							 rstar_expr_unary(work, RSTAR_EXPR_NEGATIVE, node->child[1]));
}

/*
 * Is a : b the same at all points? By residues, once as values and once as
 * numerators (y = 1/x and xy = 1).
 */
static bool
residues_proportional(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b,
					  bool numerators, bool *irrational)
{
	for (unsigned prime = 0; prime < RSTAR_RESIDUE_POINTS; prime++)
	{
		uint64_t va[3], vb[3], da, db;

		for (unsigned i = 0; i < 3; i++) /* the prime depends on the point modulo 2 */
		{
			rstar_evaluation ea = {.work = c->work,
								   .point = prime + i * RSTAR_RESIDUE_POINTS,
								   .i_is_name = c->i_is_name};
			rstar_evaluation eb = ea;

			if (numerators
					? !rstar_value_fraction(&ea, a, &va[i], &da) ||
						  !rstar_value_fraction(&eb, b, &vb[i], &db)
					: !rstar_value_residue(&ea, a, &va[i]) || !rstar_value_residue(&eb, b, &vb[i]))
				return false;
			*irrational |= ea.irrational || eb.irrational;
			if (va[i] == 0 || vb[i] == 0)
				return false;
		}
		if (va[0] == va[1] || vb[0] == vb[1]) /* depends on no name: no equation */
			return false;
		for (unsigned i = 1; i < 3; i++)
			if (rstar_residue_mul(prime, va[0], vb[i]) != rstar_residue_mul(prime, va[i], vb[0]))
				return false;
	}
	return true;
}

/* The same by balls; *sign is the sign of the ratio, 0 if it is not real. */
static bool
balls_proportional(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b, int *sign)
{
	rstar_ball first = rstar_ball_from_i64(0);
	int agree = 0;

	*sign = 0;
	for (unsigned point = 0; point < RSTAR_BALL_POINTS; point++)
	{
		rstar_evaluation ea = {.work = c->work,
							   .point = point,
							   .log_base = RSTAR_LOG_NATURAL,
							   .i_is_name = c->i_is_name};
		rstar_evaluation eb = ea;
		rstar_ball x, y, ratio;

		if (!rstar_value_ball(&ea, a, &x) || !rstar_value_ball(&eb, b, &y) || ea.left_reals ||
			eb.left_reals || rstar_ball_may_be_zero(&x) || !rstar_ball_div(&x, &y, &ratio))
			continue;
		if (agree == 0)
		{
			first = ratio;
			if (rstar_ball_is_real(&ratio))
				*sign = rstar_ball_sign(&ratio);
		}
		else if (rstar_ball_compare(&first, &ratio) != RSTAR_BALLS_AGREE)
			return false;
		agree++;
	}
	return agree >= 3;
}

static bool
proportional(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool irrational = false;
	int sign;

	if (residues_proportional(c, a, b, false, &irrational) ||
		residues_proportional(c, a, b, true, &irrational))
		return true;
	return irrational && balls_proportional(c, a, b, &sign);
}

unsigned
rstar_mirrored_mark(unsigned op)
{
	switch (op)
	{
		case '<':
			return '>';
		case '>':
			return '<';
		case RSTAR_MARK_LE:
			return RSTAR_MARK_GE;
		case RSTAR_MARK_GE:
			return RSTAR_MARK_LE;
		default:
			return op;
	}
}

static bool
is_inequality(unsigned op)
{
	return op == '<' || op == '>' || op == RSTAR_MARK_LE || op == RSTAR_MARK_GE;
}

static bool
inequalities_equal(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	const rstar_expr *x = difference(c->work, a);
	const rstar_expr *y = difference(c->work, b);
	int sign;

	if (!x || !y || !balls_proportional(c, x, y, &sign) || sign == 0)
		return false;
	return (sign > 0 ? a->relation[0] : rstar_mirrored_mark(a->relation[0])) == b->relation[0];
}

/* Longer chains: member by member, from either end. */
static bool
chains_equal(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	uint32_t n = a->count;

	if (n != b->count)
		return false;
	for (int backwards = 0; backwards < 2; backwards++)
	{
		bool equal = true;

		for (uint32_t i = 0; i < n && equal; i++)
		{
			uint32_t k = backwards ? n - 1 - i : i;

			if (i + 1 < n)
				equal = backwards ? rstar_mirrored_mark(a->relation[i]) == b->relation[k - 1]
								  : a->relation[i] == b->relation[i];
			equal = equal && rstar_compare_nodes(c, a->child[i], b->child[k]);
		}
		if (equal)
			return true;
	}
	return false;
}

/* a = f(x) = g(x): all members count; in z = 1 + 1 = 2 only the ends. */
static bool
has_named_middle(const rstar_expr *node)
{
	for (uint32_t i = 1; i + 1 < node->count; i++)
		if (node->relation[0] == '=' && rstar_expr_has_names(node->child[i]))
			return true;
	return false;
}

/*
 * Equal values of equal names; the same set of numbers; differences of both sides that
 * are proportional; else the same members in the same order, or in the opposite one.
 */
bool
rstar_compare_relations(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	const rstar_expr *name_a, *name_b, *value_a, *value_b;
	unsigned op = a->relation[0];
	bool applies, equal;

	if ((op == RSTAR_MARK_APPROX && !rstar_expr_has_names(a)) || has_named_middle(a) ||
		has_named_middle(b))
		return chains_equal(c, a, b);
	if (rstar_expr_assignment(a, &name_a, &value_a) &&
		rstar_expr_assignment(b, &name_b, &value_b) && rstar_compare_nodes(c, name_a, name_b) &&
		rstar_compare_nodes(c, value_a, value_b))
		return true;
	equal = rstar_compare_sets(c, a, b, &applies);
	if (applies)
		return equal;
	if (a->count == 2 && b->count == 2 && rstar_expr_has_names(a) && rstar_expr_has_names(b))
	{
		unsigned other = b->relation[0];

		if (is_inequality(op) && is_inequality(other) && inequalities_equal(c, a, b))
			return true;
		if (op == other && (op == '=' || op == RSTAR_MARK_NE))
		{
			const rstar_expr *x = difference(c->work, a);
			const rstar_expr *y = difference(c->work, b);

			if (x && y && proportional(c, x, y))
				return true;
		}
	}
	return chains_equal(c, a, b);
}

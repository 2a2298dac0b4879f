/*
 * realset.c
 *	  Rule interval: sets of real numbers, see grade.h.
 *
 * A set is a list of pieces: intervals between two expressions, open or closed at
 * each end, or single points. Constant pieces are sorted and joined, so that
 * (0,1] \cup (1,2) is (0,2); pieces whose ends hold names are compared as they are
 * written.
 */
#include "core/grade/compare.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PIECES  64
#define COMMON_COST 20000 /* of the budget: three lists of pieces */

typedef struct piece
{
	const rstar_expr *low;  /* NULL: minus infinity */
	const rstar_expr *high; /* NULL: infinity */
	bool low_closed;
	bool high_closed;
} piece;

typedef struct pieces
{
	piece item[MAX_PIECES];
	size_t count;
	bool certain;  /* it can mean nothing else (a pair (1,2) can) */
	uint64_t name; /* of the variable whose values these are, 0 where none is given */
} pieces;

static bool read_set(rstar_comparison *c, const rstar_expr *node, pieces *out);

static bool
is_infinity(const rstar_expr *node, bool *negative)
{
	*negative = node->kind == RSTAR_EXPR_NEGATIVE;
	if (*negative)
		node = node->child[0];
	return node->kind == RSTAR_EXPR_CONSTANT && node->op == RSTAR_CONSTANT_INFINITY;
}

static bool
add_piece(pieces *out, const rstar_expr *low, bool low_closed, const rstar_expr *high,
		  bool high_closed)
{
	piece *p;
	bool negative;

	if (out->count == MAX_PIECES)
		return false;
	p = &out->item[out->count++];
	p->low = low;
	p->high = high;
	p->low_closed = low_closed;
	p->high_closed = high_closed;
	if (low && is_infinity(low, &negative))
	{
		if (!negative || low_closed) /* infinity is no element */
			return false;
		p->low = NULL;
	}
	if (high && is_infinity(high, &negative))
	{
		if (negative || high_closed)
			return false;
		p->high = NULL;
	}
	p->low_closed = p->low_closed && p->low;
	p->high_closed = p->high_closed && p->high;
	return true;
}

static bool
is_real_set_kind(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_TUPLE || node->kind == RSTAR_EXPR_COMBINE ||
		   node->kind == RSTAR_EXPR_NUMBERS || node->kind == RSTAR_EXPR_SET ||
		   node->kind == RSTAR_EXPR_RELATION;
}

/* value op name, as a piece */
static bool
add_ray(pieces *out, unsigned op, const rstar_expr *bound)
{
	switch (op)
	{
		case '<':
			return add_piece(out, NULL, false, bound, false);
		case RSTAR_MARK_LE:
			return add_piece(out, NULL, false, bound, true);
		case '>':
			return add_piece(out, bound, false, NULL, false);
		case RSTAR_MARK_GE:
			return add_piece(out, bound, true, NULL, false);
		case RSTAR_MARK_NE:
			return add_piece(out, NULL, false, bound, false) &&
				   add_piece(out, bound, false, NULL, false);
		default:
			return false;
	}
}

/* The only name of a tree: its hash, 0 for none, and false for several or others. */
static bool
only_name(const rstar_expr *node, uint64_t *name)
{
	if (node->kind == RSTAR_EXPR_APPLY)
		return false;
	if (node->kind == RSTAR_EXPR_NAME)
	{
		if (*name && *name != node->hash)
			return false;
		*name = node->hash;
		return true;
	}
	for (uint32_t i = 0; i < node->count; i++)
		if (!only_name(node->child[i], name))
			return false;
	return true;
}

/* What a name is told apart by: f(1) is not f(2). */
static uint64_t
name_of(rstar_comparison *c, const rstar_expr *node)
{
	rstar_evaluation e = {.work = c->work};
	uint64_t value;

	if (node->kind == RSTAR_EXPR_NAME)
		return node->hash;
	return rstar_value_residue(&e, node, &value) ? value : 1;
}

/* All conditions of one set are about the same name. */
static bool
about(pieces *out, uint64_t name)
{
	name = name ? name : 1;
	if (out->name && out->name != name)
		return false;
	out->name = name;
	return true;
}

/*
 * left op right, linear in its only name: slope and root. With E = left - right,
 * linearity is E(1) - E(0) = E(x) - E(x - 1) for the values 2, 7 and -5 of x.
 */
static bool
read_linear(rstar_comparison *c, const rstar_expr *node, unsigned op, pieces *out)
{
	static const int probes[] = {2, 7, -5};
	rstar_work *w = c->work;
	const rstar_expr *e, *zero, *one, *slope, *root;
	uint64_t name = 0;
	int order;

	e = rstar_expr_binary(w, RSTAR_EXPR_SUM, node->child[0],
						  rstar_expr_unary(w, RSTAR_EXPR_NEGATIVE, node->child[1]));
	if (!e || !only_name(e, &name) || !name)
		return false;
	zero = rstar_expr_substitute(w, e, name, rstar_expr_number(w, 0));
	one = rstar_expr_substitute(w, e, name, rstar_expr_number(w, 1));
	if (!zero || !one)
		return false;
	slope =
		rstar_expr_binary(w, RSTAR_EXPR_SUM, one, rstar_expr_unary(w, RSTAR_EXPR_NEGATIVE, zero));
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
	{
		const rstar_expr *at = rstar_expr_number(w, probes[i]);
		const rstar_expr *value = at ? rstar_expr_substitute(w, e, name, at) : NULL;
		const rstar_expr *line = rstar_expr_binary(
			w, RSTAR_EXPR_SUM, zero, rstar_expr_binary(w, RSTAR_EXPR_PRODUCT, slope, at));

		if (!value || !line || !rstar_compare_order(c, value, line, &order) || order != 0)
			return false;
	}
	if (!slope || !rstar_compare_order(c, slope, rstar_expr_number(w, 0), &order) || order == 0)
		return false;
	root = rstar_expr_binary(w, RSTAR_EXPR_QUOTIENT, rstar_expr_unary(w, RSTAR_EXPR_NEGATIVE, zero),
							 slope);
	return root && about(out, name) && add_ray(out, order > 0 ? op : rstar_mirrored_mark(op), root);
}

static bool
read_relation(rstar_comparison *c, const rstar_expr *node, pieces *out)
{
	const rstar_expr *a = node->child[0];
	const rstar_expr *b = node->child[1];
	unsigned op = node->relation[0];
	unsigned second;

	out->certain = true;
	if (op == RSTAR_MARK_IN)
		return node->count == 2 && rstar_expr_is_name(a) && is_real_set_kind(b) &&
			   about(out, name_of(c, a)) && read_set(c, b, out);
	if (node->count == 2)
	{
		if (op == '=' || op == RSTAR_MARK_APPROX || op == RSTAR_MARK_EQUIV)
			return false;
		if (rstar_expr_is_name(a) && !rstar_expr_has_names(b))
			return about(out, name_of(c, a)) && add_ray(out, op, b);
		if (rstar_expr_is_name(b) && !rstar_expr_has_names(a))
			return about(out, name_of(c, b)) && add_ray(out, rstar_mirrored_mark(op), a);
		return read_linear(c, node, op, out);
	}
	if (node->count != 3 || !rstar_expr_is_name(b) || !about(out, name_of(c, b)))
		return false;
	second = node->relation[1];
	if ((op == '<' || op == RSTAR_MARK_LE) && (second == '<' || second == RSTAR_MARK_LE))
		return add_piece(out, a, op == RSTAR_MARK_LE, node->child[2], second == RSTAR_MARK_LE);
	if ((op == '>' || op == RSTAR_MARK_GE) && (second == '>' || second == RSTAR_MARK_GE))
		return add_piece(out, node->child[2], second == RSTAR_MARK_GE, a, op == RSTAR_MARK_GE);
	return false;
}

/* Take single points out of the pieces they lie in. */
static bool
remove_points(rstar_comparison *c, pieces *out, const rstar_expr *points)
{
	for (uint32_t i = 0; i < points->count; i++)
		for (size_t k = 0; k < out->count; k++)
		{
			const rstar_expr *point = points->child[i];
			piece *p = &out->item[k];
			int low = 1, high = -1;

			if ((p->low && !rstar_compare_order(c, point, p->low, &low)) ||
				(p->high && !rstar_compare_order(c, point, p->high, &high)))
				return false;
			if (low == 0)
				p->low_closed = false;
			if (high == 0)
				p->high_closed = false;
			if (low > 0 && high < 0)
			{
				const rstar_expr *end = p->high;
				bool closed = p->high_closed;

				p->high = point;
				p->high_closed = false;
				if (!add_piece(out, point, false, end, closed))
					return false;
				break;
			}
		}
	return true;
}

/* Two rays: "x < 1 or x > 3" leaves a gap; "x > 1 and x < 3" is the interval between. */
static bool
join_rays(rstar_comparison *c, pieces *out)
{
	piece *a = &out->item[0];
	piece *b = &out->item[1];
	int order;

	if (out->count != 2)
		return true;
	if (a->low)
	{
		piece *swap = a;

		a = b;
		b = swap;
	}
	if (a->low || !a->high || !b->low || b->high)
		return true;
	if (!rstar_compare_order(c, a->high, b->low, &order))
		return false;
	if (order <= 0)
		return true;
	b->high = a->high;
	b->high_closed = a->high_closed;
	out->item[0] = *b;
	out->count = 1;
	return true;
}

static bool
constant_pieces(const pieces *set)
{
	for (size_t i = 0; i < set->count; i++)
		if ((set->item[i].low && rstar_expr_has_names(set->item[i].low)) ||
			(set->item[i].high && rstar_expr_has_names(set->item[i].high)))
			return false;
	return true;
}

static bool
end_order(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b, int missing, int *order)
{
	if (!a || !b)
	{
		*order = a == b ? 0 : a ? -missing : missing;
		return true;
	}
	return rstar_compare_order(c, a, b, order);
}

/* Sort by lower end (insertion sort: there are few), then join what touches. */
static bool
join_pieces(rstar_comparison *c, pieces *set)
{
	size_t kept = 0;

	for (size_t i = 1; i < set->count; i++)
		for (size_t k = i; k > 0; k--)
		{
			piece *a = &set->item[k - 1];
			piece *b = &set->item[k];
			piece swap;
			int order;

			if (!end_order(c, a->low, b->low, -1, &order))
				return false;
			if (order < 0 || (order == 0 && (a->low_closed || !b->low_closed)))
				break;
			swap = *a;
			*a = *b;
			*b = swap;
		}
	for (size_t i = 1; i < set->count; i++)
	{
		piece *a = &set->item[kept];
		piece *b = &set->item[i];
		int order;

		if (a->high && b->low)
		{
			if (!rstar_compare_order(c, a->high, b->low, &order))
				return false;
		}
		else
			order = 1;
		if (order < 0 || (order == 0 && !a->high_closed && !b->low_closed))
		{
			set->item[++kept] = *b;
			continue;
		}
		if (!end_order(c, a->high, b->high, 1, &order))
			return false;
		if (order < 0)
		{
			a->high = b->high;
			a->high_closed = b->high_closed;
		}
		else if (order == 0)
			a->high_closed |= b->high_closed;
	}
	if (set->count > 0)
		set->count = kept + 1;
	return true;
}

/* What sorted, joined pieces leave of the reals. */
static bool
complement(const pieces *set, pieces *out)
{
	const rstar_expr *low = NULL;
	bool closed = false;

	out->count = 0;
	for (size_t i = 0; i < set->count; i++)
	{
		const piece *p = &set->item[i];

		if (p->low && !add_piece(out, low, closed, p->low, !p->low_closed))
			return false;
		if (!p->high)
			return true;
		low = p->high;
		closed = !p->high_closed;
	}
	return add_piece(out, low, closed, NULL, false);
}

/* The piece that two pieces share; *empty when there is none. */
static bool
overlap(rstar_comparison *c, const piece *a, const piece *b, piece *out, bool *empty)
{
	int low, high, order = -1;

	if (!end_order(c, a->low, b->low, -1, &low) || !end_order(c, a->high, b->high, 1, &high))
		return false;
	out->low = low >= 0 ? a->low : b->low;
	out->low_closed = low > 0   ? a->low_closed
					  : low < 0 ? b->low_closed
								: a->low_closed && b->low_closed;
	out->high = high <= 0 ? a->high : b->high;
	out->high_closed = high < 0   ? a->high_closed
					   : high > 0 ? b->high_closed
								  : a->high_closed && b->high_closed;
	if (out->low && out->high && !rstar_compare_order(c, out->low, out->high, &order))
		return false;
	*empty = order > 0 || (order == 0 && !(out->low_closed && out->high_closed));
	return true;
}

static bool
intersect(rstar_comparison *c, const pieces *a, const pieces *b, pieces *out)
{
	out->count = 0;
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
		{
			piece shared;
			bool empty;

			if (!overlap(c, &a->item[i], &b->item[k], &shared, &empty))
				return false;
			if (!empty &&
				!add_piece(out, shared.low, shared.low_closed, shared.high, shared.high_closed))
				return false;
		}
	return true;
}

/* The pieces of one operand, by itself. */
static bool
read_operand(rstar_comparison *c, const rstar_expr *node, uint64_t name, pieces *out)
{
	out->count = 0;
	out->certain = false;
	out->name = name;
	return read_set(c, node, out);
}

/* A \cap B and A \setminus B for constant operands: operand[0] is A, and then the result. */
static bool
apply_operation(rstar_comparison *c, unsigned op, pieces operand[4])
{
	pieces *a = &operand[0], *b = &operand[1], *rest = &operand[2], *result = &operand[3];

	if (!constant_pieces(a) || !constant_pieces(b) || !join_pieces(c, a) || !join_pieces(c, b) ||
		(op == RSTAR_MARK_SETMINUS && !complement(b, rest)) ||
		!intersect(c, a, op == RSTAR_MARK_SETMINUS ? rest : b, result))
		return false;
	a->count = result->count;
	memcpy(a->item, result->item, result->count * sizeof(*result->item));
	return true;
}

/*
 * A \cap B, A \setminus B, and two conditions that hold together: what results joins
 * the pieces that were read before.
 */
static bool
read_common(rstar_comparison *c, const rstar_expr *node, pieces *out)
{
	pieces *operand = rstar_arena_alloc_zero(c->work->arena, 4 * sizeof(*operand));
	const rstar_expr *right = node->child[1];

	c->work->fuel -= COMMON_COST;
	if (!operand || c->work->fuel < 0 || !read_operand(c, node->child[0], out->name, &operand[0]))
		return false;
	if (node->op == RSTAR_MARK_SETMINUS && right->kind == RSTAR_EXPR_SET)
	{
		if (!remove_points(c, &operand[0], right))
			return false;
	}
	else if (!read_operand(c, right, operand[0].name, &operand[1]) ||
			 !apply_operation(c, node->op, operand))
		return false;
	out->certain = true;
	out->name = operand[1].name ? operand[1].name : operand[0].name;
	if (out->count + operand[0].count > MAX_PIECES)
		return false;
	memcpy(out->item + out->count, operand[0].item, operand[0].count * sizeof(*out->item));
	out->count += operand[0].count;
	return true;
}

/*
 * Reads every notation of a set of real numbers as pieces between two ends, appended to `out`.
 * What can mean nothing else makes it certain: (1,2) may be a point, and then the other set
 * decides. False: it is not such a set.
 */
static bool
read_set(rstar_comparison *c, const rstar_expr *node, pieces *out)
{
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_TUPLE:
			return node->count == 2 && node->open != '<' &&
				   add_piece(out, node->child[0], node->open == '[', node->child[1],
							 node->close == ']');
		case RSTAR_EXPR_NUMBERS:
			out->certain = true;
			return node->op == 'R' && add_piece(out, NULL, false, NULL, false);
		case RSTAR_EXPR_SET:
			for (uint32_t i = 0; i < node->count; i++)
				if (!add_piece(out, node->child[i], true, node->child[i], true))
					return false;
			return true;
		case RSTAR_EXPR_COMBINE:
			out->certain = true;
			if (node->op != RSTAR_MARK_CUP)
				return read_common(c, node, out);
			return read_set(c, node->child[0], out) && read_set(c, node->child[1], out);
		case RSTAR_EXPR_RELATION:
			return read_relation(c, node, out);
		case RSTAR_EXPR_LIST:
			for (uint32_t i = 0; i < node->count; i++)
				if (!is_real_set_kind(node->child[i]) || node->child[i]->kind == RSTAR_EXPR_SET ||
					node->child[i]->kind == RSTAR_EXPR_TUPLE || !read_set(c, node->child[i], out))
					return false;
			return join_rays(c, out);
		default:
			return false;
	}
}

static bool
ends_equal(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	if (!a || !b)
		return a == b;
	return rstar_compare_expressions(c, a, b);
}

static bool
pieces_equal(rstar_comparison *c, const piece *a, const piece *b)
{
	return a->low_closed == b->low_closed && a->high_closed == b->high_closed &&
		   ends_equal(c, a->low, b->low) && ends_equal(c, a->high, b->high);
}

bool
rstar_compare_sets(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b, bool *applies)
{
	pieces x, y;
	bool used[MAX_PIECES] = {false};

	x.count = y.count = 0;
	x.certain = y.certain = false;
	x.name = y.name = 0;
	*applies = false;
	if (!read_set(c, a, &x) || !read_set(c, b, &y) || !(x.certain || y.certain) ||
		(x.name && y.name && x.name != y.name))
		return false;
	*applies = true;
	if (constant_pieces(&x) && constant_pieces(&y) && (!join_pieces(c, &x) || !join_pieces(c, &y)))
		return false;
	if (x.count != y.count)
		return false;
	for (size_t i = 0; i < x.count; i++)
	{
		size_t k = 0;

		while (k < y.count && (used[k] || !pieces_equal(c, &x.item[i], &y.item[k])))
			k++;
		if (k == y.count)
			return false;
		used[k] = true;
	}
	return true;
}

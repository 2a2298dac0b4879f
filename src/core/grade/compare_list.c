/*
 * compare_list.c
 *	  Rules list and set: see grade.h.
 */
#include "core/grade/compare_internal.h"

#include <string.h>

#define MAX_ITEMS 512
#define MAX_SIGNS 3    /* of \pm in one item: 8 values */
#define LIST_COST 2000 /* of the budget: two arrays of items */

typedef struct items
{
	const rstar_expr *item[MAX_ITEMS];
	size_t count;
} items;

/* --- \pm --------------------------------------------------------------------- */

static int
count_signs(const rstar_expr *node, bool *coupled)
{
	int count = node->kind == RSTAR_EXPR_PLUSMINUS;

	*coupled |= count && node->op == RSTAR_OP_MINUS_PLUS;
	for (uint32_t i = 0; i < node->count; i++)
		count += count_signs(node->child[i], coupled);
	return count;
}

/* One choice of signs: the next bit of *mask for each \pm, inverted for \mp. */
static const rstar_expr *
choose_signs(rstar_work *work, const rstar_expr *node, unsigned *mask, bool coupled)
{
	rstar_expr *copy;

	if (node->count == 0)
		return node;
	copy = rstar_expr_make(work, (rstar_expr_kind) node->kind, 0);
	if (!copy)
		return NULL;
	*copy = *node;
	copy->child = rstar_arena_alloc_array(work->arena, node->count, sizeof(*copy->child));
	if (!copy->child)
		return NULL;
	if (node->kind == RSTAR_EXPR_PLUSMINUS)
	{
		bool minus = (*mask & 1) != (node->op == RSTAR_OP_MINUS_PLUS);

		if (!coupled)
			*mask >>= 1;
		copy->child[0] = choose_signs(work, node->child[0], mask, coupled);
		copy->kind = RSTAR_EXPR_NEGATIVE;
		return !copy->child[0] ? NULL : minus ? copy : copy->child[0];
	}
	for (uint32_t i = 0; i < node->count; i++)
	{
		copy->child[i] = choose_signs(work, node->child[i], mask, coupled);
		if (!copy->child[i])
			return NULL;
	}
	return copy;
}

/* --- lists ---------------------------------------------------------------------- */

/*
 * An item with \pm stands for as many values as there are choices of its signs, except that
 * signs with \mp among them go together and make two. The bounds keep an answer with many
 * signs from costing more than it could be worth; false leaves the list undecided.
 */
static bool
add_items(rstar_comparison *c, const rstar_expr *node, items *out)
{
	bool coupled = false;
	int signs;

	if (node->kind == RSTAR_EXPR_LIST)
	{
		for (uint32_t i = 0; i < node->count; i++)
		{
			const rstar_expr *child = node->child[i];

			if (child->kind == RSTAR_EXPR_LIST)
			{
				if (out->count == MAX_ITEMS)
					return false;
				out->item[out->count++] = child;
			}
			else if (!add_items(c, child, out))
				return false;
		}
		return true;
	}
	signs = count_signs(node, &coupled);
	if (signs > MAX_SIGNS)
		return false;
	for (unsigned choice = 0; choice < (coupled ? 2u : 1u << signs); choice++)
	{
		unsigned mask = choice;

		if (out->count == MAX_ITEMS)
			return false;
		out->item[out->count] = signs ? choose_signs(c->work, node, &mask, coupled) : node;
		if (!out->item[out->count++])
			return false;
	}
	return true;
}

static bool
ordered_equal(rstar_comparison *c, const items *a, const items *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!rstar_compare_nodes(c, a->item[i], b->item[i]))
			return false;
	return true;
}

/* Each of a has a partner of its own in b (as sets: any partner, both ways). */
static bool
unordered_equal(rstar_comparison *c, const items *a, const items *b, bool sets)
{
	bool used[MAX_ITEMS] = {false};

	if (!sets && a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
	{
		bool found = false;

		for (size_t k = 0; k < b->count && !found; k++)
		{
			size_t at = (i + k) % b->count; /* most lists agree in order */

			if ((used[at] && !sets) || !rstar_compare_nodes(c, a->item[i], b->item[at]))
				continue;
			used[at] = true;
			found = true;
		}
		if (!found)
			return false;
	}
	for (size_t k = 0; sets && k < b->count; k++)
	{
		bool found = used[k];

		for (size_t i = 0; i < a->count && !found; i++)
			found = rstar_compare_nodes(c, a->item[i], b->item[k]);
		if (!found)
			return false;
	}
	return true;
}

/* x = 1, y = 2: every item names something else. */
static bool
names_all(rstar_comparison *c, const items *list)
{
	const rstar_expr *name, *other, *value;

	for (size_t i = 0; i < list->count; i++)
	{
		if (!rstar_expr_assignment(list->item[i], &name, &value) || !rstar_expr_is_name(name))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!rstar_expr_assignment(list->item[k], &other, &value) ||
				rstar_compare_nodes(c, name, other))
				return false;
	}
	return list->count > 1;
}

static bool
names_any(const items *list)
{
	const rstar_expr *name, *value;

	for (size_t i = 0; i < list->count; i++)
		if (rstar_expr_assignment(list->item[i], &name, &value))
			return true;
	return false;
}

static void
children_of(const rstar_expr *node, items *out)
{
	out->count = 0;
	for (uint32_t i = 0; i < node->count && i < MAX_ITEMS; i++)
		out->item[out->count++] = node->child[i];
}

const rstar_expr *
rstar_expr_assigned(const rstar_expr *node)
{
	const rstar_expr *name, *value;

	return rstar_expr_assignment(node, &name, &value) ? value : node;
}

/* [1, 2], as Python prints a list: in any order. Against a set only where it is no interval. */
static bool
is_python_list(const rstar_expr *node, const rstar_expr *other)
{
	bool interval = node->count == 2 && node->child[0]->kind != RSTAR_EXPR_RELATION;

	return node->kind == RSTAR_EXPR_TUPLE && node->open == '[' && node->close == ']' &&
		   node->op != RSTAR_OP_INTERVAL &&
		   (other->kind == RSTAR_EXPR_LIST || (other->kind == RSTAR_EXPR_SET && !interval));
}

/* A list against a tuple: named parts in order, or three and more without brackets. */
static bool
list_is_tuple(rstar_comparison *c, const items *list, const rstar_expr *tuple)
{
	items parts;

	children_of(tuple, &parts);
	if (tuple->count > MAX_ITEMS || (list->count < 3 && !names_all(c, list)) ||
		(tuple->count == 2 && (tuple->open == '[' || tuple->close == ']')))
		return false;
	return ordered_equal(c, list, &parts);
}

/*
 * A list or set against anything: what is no list is a list of one. Named parts and parts of a
 * tuple keep their order, all others match in any order.
 */
bool
rstar_compare_lists(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	items *a = rstar_arena_alloc_zero(c->work->arena, sizeof(*a));
	items *b = rstar_arena_alloc_zero(c->work->arena, sizeof(*b));
	const rstar_expr *one_a = rstar_expr_assigned(gold);
	const rstar_expr *one_b = rstar_expr_assigned(answer);
	bool sets = one_a->kind == RSTAR_EXPR_SET || one_b->kind == RSTAR_EXPR_SET;

	c->work->fuel -= LIST_COST;
	if (!a || !b)
		return false;
	if (one_a->kind == RSTAR_EXPR_SET || is_python_list(one_a, one_b))
		children_of(one_a, a);
	else if (!add_items(c, gold, a))
		return false;
	if (one_b->kind == RSTAR_EXPR_SET || is_python_list(one_b, one_a))
		children_of(one_b, b);
	else if (!add_items(c, answer, b))
		return false;
	/* x = 1, y = 2 is a point and no set; a list of its values keeps their order. */
	if (sets && (names_all(c, a) || names_all(c, b)))
		return false;
	if (is_python_list(one_a, one_b) || is_python_list(one_b, one_a))
		return names_all(c, a) || names_all(c, b) ? ordered_equal(c, a, b)
												  : unordered_equal(c, a, b, sets);
	if (gold->kind == RSTAR_EXPR_LIST && one_b->kind == RSTAR_EXPR_TUPLE && a->count > 1)
		return list_is_tuple(c, a, one_b);
	if (answer->kind == RSTAR_EXPR_LIST && one_a->kind == RSTAR_EXPR_TUPLE && b->count > 1)
		return list_is_tuple(c, b, one_a);
	if ((names_all(c, a) && !names_any(b)) || (names_all(c, b) && !names_any(a)))
		return ordered_equal(c, a, b);
	return unordered_equal(c, a, b, sets);
}

bool
rstar_expr_has_signs(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_PLUSMINUS)
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (rstar_expr_has_signs(node->child[i]))
			return true;
	return false;
}

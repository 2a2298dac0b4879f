/*
 * compare.c
 *	  The rule of each kind of answer: see grade.h.
 */
#include "core/grade/compare.h"

#include <string.h>

#define MAX_DEPTH 200
#define MAX_ITEMS 512
#define MAX_SIGNS 3 /* of \pm in one item: 8 values */
#define HALF_DAY  43200

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

static const rstar_expr *
assigned(const rstar_expr *node)
{
	const rstar_expr *name, *value;

	return rstar_expr_assignment(node, &name, &value) ? value : node;
}

/* A list against a tuple: named parts in order, or three and more without brackets. */
static bool
list_is_tuple(rstar_comparison *c, const items *list, const rstar_expr *tuple)
{
	items parts;

	children_of(tuple, &parts);
	c->rule = RSTAR_RULE_TUPLE;
	if (tuple->count > MAX_ITEMS || (list->count < 3 && !names_all(c, list)) ||
		(tuple->count == 2 && (tuple->open == '[' || tuple->close == ']')))
		return false;
	return ordered_equal(c, list, &parts);
}

static bool
compare_lists(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	items *a = rstar_arena_alloc_zero(c->work->arena, sizeof(*a));
	items *b = rstar_arena_alloc_zero(c->work->arena, sizeof(*b));
	const rstar_expr *one_a = assigned(gold);
	const rstar_expr *one_b = assigned(answer);
	bool sets = one_a->kind == RSTAR_EXPR_SET || one_b->kind == RSTAR_EXPR_SET;
	bool equal;

	c->work->fuel -= 2000;
	if (!a || !b)
		return false;
	if (one_a->kind == RSTAR_EXPR_SET)
		children_of(one_a, a);
	else if (!add_items(c, gold, a))
		return false;
	if (one_b->kind == RSTAR_EXPR_SET)
		children_of(one_b, b);
	else if (!add_items(c, answer, b))
		return false;
	if (gold->kind == RSTAR_EXPR_LIST && one_b->kind == RSTAR_EXPR_TUPLE && a->count > 1)
		return list_is_tuple(c, a, one_b);
	if (answer->kind == RSTAR_EXPR_LIST && one_a->kind == RSTAR_EXPR_TUPLE && b->count > 1)
		return list_is_tuple(c, b, one_a);
	if ((names_all(c, a) && !names_any(b)) || (names_all(c, b) && !names_any(a)))
		equal = ordered_equal(c, a, b);
	else
		equal = unordered_equal(c, a, b, sets);
	c->rule = sets ? RSTAR_RULE_SET : RSTAR_RULE_LIST;
	return equal;
}

/* --- tuples and matrices ---------------------------------------------------------- */

static bool
children_equal(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!rstar_compare_nodes(c, a->child[i], b->child[i]))
			return false;
	return true;
}

static unsigned
bracket(unsigned b)
{
	return b == '<' ? '(' : b;
}

static bool
compare_tuples(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool equal;

	if (a->count == 2 &&
		(bracket(a->open) != bracket(b->open) || (a->close == ']') != (b->close == ']')))
		equal = false;
	else
		equal = children_equal(c, a, b);
	c->rule = RSTAR_RULE_TUPLE;
	return equal;
}

static bool
compare_matrices(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool equal;

	if (a->kind == RSTAR_EXPR_MATRIX && b->kind == RSTAR_EXPR_MATRIX)
		equal = a->columns == b->columns && children_equal(c, a, b);
	else
	{
		const rstar_expr *matrix = a->kind == RSTAR_EXPR_MATRIX ? a : b;
		const rstar_expr *tuple = a->kind == RSTAR_EXPR_MATRIX ? b : a;

		equal = (matrix->columns == 1 || matrix->columns == matrix->count) &&
				(tuple->open == '[') == (tuple->close == ']') && children_equal(c, a, b);
	}
	c->rule = RSTAR_RULE_MATRIX;
	return equal;
}

/* --- numbers with something behind them --------------------------------------------- */

static const rstar_expr *
rational_node(rstar_work *work, const rstar_rational *value)
{
	rstar_expr *num = rstar_expr_make(work, RSTAR_EXPR_NUMBER, 0);
	rstar_expr *den = rstar_expr_make(work, RSTAR_EXPR_NUMBER, 0);

	if (!num || !den)
		return NULL;
	num->text = rstar_int_text(work, &value->num);
	den->text = rstar_int_text(work, &value->den);
	if (!num->text || !den->text)
		return NULL;
	num->length = (uint32_t) strlen(num->text);
	den->length = (uint32_t) strlen(den->text);
	return rstar_expr_binary(work, RSTAR_EXPR_QUOTIENT, num, den);
}

static bool
compare_units(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	rstar_rational factor;
	const rstar_expr *scale;
	const rstar_expr *converted;
	bool equal;

	if (gold->kind != RSTAR_EXPR_UNIT || answer->kind != RSTAR_EXPR_UNIT)
	{
		const rstar_expr *a = gold->kind == RSTAR_EXPR_UNIT ? gold->child[0] : gold;
		const rstar_expr *b = answer->kind == RSTAR_EXPR_UNIT ? answer->child[0] : answer;

		equal = rstar_compare_nodes(c, a, b);
		c->rule = RSTAR_RULE_UNIT;
		return equal;
	}
	c->rule = RSTAR_RULE_UNIT;
	if (!rstar_unit_convert(c->work, gold->unit, answer->unit, &factor))
		return false;
	if (rstar_int_bits(&factor.num) == 1 && rstar_int_cmp(&factor.num, &factor.den) == 0)
		equal = rstar_compare_nodes(c, gold->child[0], answer->child[0]);
	else
	{
		if (!rstar_rational_reduce(c->work, &factor))
			return false;
		scale = rational_node(c->work, &factor);
		converted = rstar_expr_binary(c->work, RSTAR_EXPR_PRODUCT, gold->child[0], scale);
		equal = converted && rstar_compare_nodes(c, converted, answer->child[0]);
	}
	c->rule = RSTAR_RULE_UNIT;
	return equal;
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
compare_marked(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b, rstar_expr_kind kind,
			   bool *applies)
{
	const rstar_expr *x = inside(c->work, a, kind);
	const rstar_expr *y = inside(c->work, b, kind);
	bool equal;

	*applies = x || y;
	if (!*applies)
		return false;
	equal = rstar_compare_nodes(c, x ? x : a, y ? y : b);
	if (!equal && !(x && y))
		equal = rstar_compare_expressions(c, a, b);
	c->rule = kind == RSTAR_EXPR_PERCENT ? RSTAR_RULE_PERCENT : RSTAR_RULE_DEGREE;
	return equal;
}

/* A percentage or an angle: no unit converts into these. */
static bool
is_marked(rstar_work *work, const rstar_expr *node)
{
	return inside(work, node, RSTAR_EXPR_PERCENT) || inside(work, node, RSTAR_EXPR_DEGREE);
}

/* --- ratios, times, bases, booleans ---------------------------------------------------- */

static bool
compare_ratios(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
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
	c->rule = RSTAR_RULE_RATIO;
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

static bool
compare_times(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
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

		equal = ratio && compare_ratios(c, ratio, other);
	}
	c->rule = RSTAR_RULE_TIME;
	return equal;
}

static bool
compare_based(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	bool both = a->kind == RSTAR_EXPR_BASED && b->kind == RSTAR_EXPR_BASED;
	bool ten = (a->kind != RSTAR_EXPR_BASED || a->columns == 10) &&
			   (b->kind != RSTAR_EXPR_BASED || b->columns == 10);
	bool equal = (both || ten) && rstar_compare_expressions(c, a, b);

	c->rule = RSTAR_RULE_BASE;
	return equal;
}

/* 1 for yes and true, 0 for no and false, -1 for anything else. */
static int
truth(const rstar_expr *node)
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

/* --- all kinds --------------------------------------------------------------------------- */

static bool
has_signs(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_PLUSMINUS)
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (has_signs(node->child[i]))
			return true;
	return false;
}

/* "90 degrees" is 90^\circ. */
static const rstar_expr *
plain(rstar_work *work, const rstar_expr *node)
{
	const rstar_unit *unit = node->kind == RSTAR_EXPR_UNIT ? node->unit : NULL;

	if (unit && unit->n == 1 && unit->term[0].power == 1 && unit->term[0].length == 6 &&
		memcmp(unit->term[0].word, "degree", 6) == 0)
		return rstar_expr_unary(work, RSTAR_EXPR_DEGREE, node->child[0]);
	return node;
}

static bool
is_kind(const rstar_expr *a, const rstar_expr *b, rstar_expr_kind kind)
{
	return a->kind == kind || b->kind == kind;
}

static bool
lists_involved(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_LIST) || is_kind(a, b, RSTAR_EXPR_SET) || has_signs(a) ||
		   has_signs(b);
}

/* "1 + 1 = 3" is no way to say 3; a rounded right side is none to say it either. */
static bool
is_false_statement(rstar_comparison *c, const rstar_expr *relation, const rstar_expr *left,
				   const rstar_expr *right)
{
	return relation->relation[0] == '=' && !rstar_expr_is_name(left) &&
		   !rstar_expr_has_names(relation) && !rstar_compare_expressions(c, left, right);
}

static bool
compare_one_relation(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	const rstar_expr *relation = gold->kind == RSTAR_EXPR_RELATION ? gold : answer;
	const rstar_expr *name, *value;
	bool equal;

	if (!rstar_expr_assignment(relation, &name, &value) ||
		(relation == answer && is_false_statement(c, answer, name, value)))
		return false;
	equal = relation == gold ? rstar_compare_nodes(c, value, answer)
							 : rstar_compare_nodes(c, gold, value);
	return equal;
}

static bool
is_modulus(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_APPLY &&
		   node->hash == rstar_hash_bytes(RSTAR_SEED_MODULUS, "mod", 3);
}

static bool
compare_collections(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer,
					bool *applies)
{
	bool tuple_a = gold->kind == RSTAR_EXPR_TUPLE;
	bool tuple_b = answer->kind == RSTAR_EXPR_TUPLE;
	bool matrix_a = gold->kind == RSTAR_EXPR_MATRIX;
	bool matrix_b = answer->kind == RSTAR_EXPR_MATRIX;

	*applies = true;
	if (tuple_a && tuple_b)
		return compare_tuples(c, gold, answer);
	if ((matrix_a || matrix_b) && (tuple_a || matrix_a) && (tuple_b || matrix_b))
		return compare_matrices(c, gold, answer);
	if (tuple_a || tuple_b || matrix_a || matrix_b)
		return false;
	if (gold->kind == RSTAR_EXPR_NUMBERS || answer->kind == RSTAR_EXPR_NUMBERS)
		return gold->kind == answer->kind && gold->op == answer->op;
	if (gold->kind == RSTAR_EXPR_COMBINE || answer->kind == RSTAR_EXPR_COMBINE)
		return gold->kind == answer->kind && gold->op == answer->op &&
			   children_equal(c, gold, answer);
	*applies = false;
	return false;
}

static bool
compare_kinds(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	bool applies;
	bool equal;

	if (is_kind(gold, answer, RSTAR_EXPR_RELATION) || is_kind(gold, answer, RSTAR_EXPR_COMBINE) ||
		is_kind(gold, answer, RSTAR_EXPR_NUMBERS))
	{
		if (!has_signs(gold) && !has_signs(answer))
		{
			equal = rstar_compare_sets(c, gold, answer, &applies);
			if (applies)
				return equal;
		}
	}
	if (lists_involved(gold, answer))
		return compare_lists(c, gold, answer);
	if (is_kind(gold, answer, RSTAR_EXPR_UNIT))
		return !is_marked(c->work, gold) && !is_marked(c->work, answer) &&
			   compare_units(c, gold, answer);
	if (gold->kind == RSTAR_EXPR_RELATION && answer->kind == RSTAR_EXPR_RELATION)
		return rstar_compare_relations(c, gold, answer);
	if (is_kind(gold, answer, RSTAR_EXPR_RELATION))
		return compare_one_relation(c, gold, answer);
	if (is_modulus(gold) && is_modulus(answer))
		return children_equal(c, gold, answer);
	equal = compare_collections(c, gold, answer, &applies);
	if (applies)
		return equal;
	equal = compare_marked(c, gold, answer, RSTAR_EXPR_PERCENT, &applies);
	if (applies)
		return equal;
	equal = compare_marked(c, gold, answer, RSTAR_EXPR_DEGREE, &applies);
	if (applies)
		return equal;
	if (is_kind(gold, answer, RSTAR_EXPR_TIME))
		return compare_times(c, gold, answer);
	if (is_kind(gold, answer, RSTAR_EXPR_RATIO))
		return compare_ratios(c, gold, answer);
	if (is_kind(gold, answer, RSTAR_EXPR_BASED))
		return compare_based(c, gold, answer);
	if (truth(gold) >= 0 || truth(answer) >= 0)
	{
		c->rule = RSTAR_RULE_BOOLEAN;
		return truth(gold) == truth(answer);
	}
	equal = rstar_compare_expressions(c, gold, answer);
	if (gold->kind == RSTAR_EXPR_NAME && gold->length > 1)
		c->rule = RSTAR_RULE_TEXT;
	return equal;
}

bool
rstar_compare_nodes(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	bool equal;

	gold = plain(c->work, gold);
	answer = plain(c->work, answer);
	if (!gold || !answer || (c->work->fuel -= 64) < 0 || c->depth >= MAX_DEPTH)
	{
		c->undecided = true;
		return false;
	}
	c->depth++;
	equal = compare_kinds(c, gold, answer);
	c->depth--;
	return equal;
}

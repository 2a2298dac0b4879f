/*
 * compare.c
 *	  The table of rules, one for each kind of answer: see grade.h.
 */
#include "core/grade/compare_internal.h"
#include "core/grade/matrix.h"

#include <string.h>

#define MAX_DEPTH 200
#define NODE_COST 64 /* of the budget: looking at a pair */

static bool
is_kind(const rstar_expr *a, const rstar_expr *b, rstar_expr_kind kind)
{
	return a->kind == kind || b->kind == kind;
}

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
	if (a->count == 2 &&
		(bracket(a->open) != bracket(b->open) || (a->close == ']') != (b->close == ']')))
		return false;
	return children_equal(c, a, b);
}

/* [[1, 2], [3, 4]] as a matrix of this many columns: the same entries? */
static bool
rows_equal(rstar_comparison *c, const rstar_expr *matrix, const rstar_expr *rows)
{
	for (uint32_t i = 0; i < rows->count; i++)
	{
		const rstar_expr *row = rows->child[i];

		if (row->kind != RSTAR_EXPR_TUPLE || row->open != '[' || row->count != matrix->columns)
			return false;
		for (uint32_t k = 0; k < row->count; k++)
			if (!rstar_compare_nodes(c, matrix->child[i * matrix->columns + k], row->child[k]))
				return false;
	}
	return true;
}

/* A row or a column is a tuple too, a list of rows a matrix. */
static bool
compare_matrices(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	const rstar_expr *matrix = a->kind == RSTAR_EXPR_MATRIX ? a : b;
	const rstar_expr *tuple = a->kind == RSTAR_EXPR_MATRIX ? b : a;

	if (a->kind == RSTAR_EXPR_MATRIX && b->kind == RSTAR_EXPR_MATRIX)
		return a->columns == b->columns && children_equal(c, a, b);
	if (tuple->kind == RSTAR_EXPR_TUPLE && tuple->open == '[' && tuple->count > 0 &&
		tuple->child[0]->kind == RSTAR_EXPR_TUPLE &&
		tuple->count * matrix->columns == matrix->count)
		return rows_equal(c, matrix, tuple);
	return tuple->kind == RSTAR_EXPR_TUPLE &&
		   (matrix->columns == 1 || matrix->columns == matrix->count) &&
		   (tuple->open == '[') == (tuple->close == ']') && children_equal(c, a, b);
}

/* --- relations and residues --------------------------------------------------------- */

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

	if (!rstar_expr_assignment(relation, &name, &value) ||
		(relation == answer && is_false_statement(c, answer, name, value)))
		return false;
	return relation == gold ? rstar_compare_nodes(c, value, answer)
							: rstar_compare_nodes(c, gold, value);
}

static bool
is_modulus(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_APPLY &&
		   node->hash == rstar_hash_bytes(RSTAR_SEED_MODULUS, "mod", 3);
}

/* --- where rules apply ----------------------------------------------------------------- */

/* A condition on one name, or an operation on sets. */
static bool
about_sets(const rstar_expr *a, const rstar_expr *b)
{
	return (is_kind(a, b, RSTAR_EXPR_RELATION) || is_kind(a, b, RSTAR_EXPR_COMBINE) ||
			is_kind(a, b, RSTAR_EXPR_NUMBERS)) &&
		   !rstar_expr_has_signs(a) && !rstar_expr_has_signs(b);
}

static bool
about_lists(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_LIST) || is_kind(a, b, RSTAR_EXPR_SET) ||
		   rstar_expr_has_signs(a) || rstar_expr_has_signs(b);
}

static bool
about_set(const rstar_expr *a, const rstar_expr *b)
{
	return about_lists(a, b) && (rstar_expr_assigned(a)->kind == RSTAR_EXPR_SET ||
								 rstar_expr_assigned(b)->kind == RSTAR_EXPR_SET);
}

static bool
about_units(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_UNIT);
}

static bool
are_relations(const rstar_expr *a, const rstar_expr *b)
{
	return a->kind == RSTAR_EXPR_RELATION && b->kind == RSTAR_EXPR_RELATION;
}

static bool
are_inequalities(const rstar_expr *a, const rstar_expr *b)
{
	return are_relations(a, b) && a->relation[0] != '=' &&
		   rstar_mirrored_mark(a->relation[0]) != a->relation[0];
}

static bool
about_relation(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_RELATION);
}

static bool
are_moduli(const rstar_expr *a, const rstar_expr *b)
{
	return is_modulus(a) && is_modulus(b);
}

static bool
are_tuples(const rstar_expr *a, const rstar_expr *b)
{
	return a->kind == RSTAR_EXPR_TUPLE && b->kind == RSTAR_EXPR_TUPLE;
}

static bool
about_matrices(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_MATRIX);
}

static bool
about_collections(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_TUPLE) || is_kind(a, b, RSTAR_EXPR_NUMBERS) ||
		   is_kind(a, b, RSTAR_EXPR_COMBINE);
}

static bool
about_percents(const rstar_expr *a, const rstar_expr *b)
{
	return rstar_expr_is_percent(a) || rstar_expr_is_percent(b);
}

static bool
about_degrees(const rstar_expr *a, const rstar_expr *b)
{
	return rstar_expr_is_degree(a) || rstar_expr_is_degree(b);
}

static bool
about_times(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_TIME);
}

static bool
about_ratios(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_RATIO);
}

static bool
about_bases(const rstar_expr *a, const rstar_expr *b)
{
	return is_kind(a, b, RSTAR_EXPR_BASED);
}

static bool
about_truth(const rstar_expr *a, const rstar_expr *b)
{
	return rstar_expr_truth(a) >= 0 || rstar_expr_truth(b) >= 0;
}

static bool
about_words(const rstar_expr *a, const rstar_expr *b)
{
	(void) b;
	return a->kind == RSTAR_EXPR_NAME && a->length > 1;
}

static bool
always(const rstar_expr *a, const rstar_expr *b)
{
	(void) a;
	(void) b;
	return true;
}

/* --- the table ----------------------------------------------------------------------------- */

static bool
compare_truth(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	(void) c;
	return rstar_expr_truth(a) == rstar_expr_truth(b);
}

/* Sets of numbers that are no sets of reals: \mathbb{Z}, A \cup B. */
static bool
compare_collections(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b)
{
	if (a->kind != b->kind || a->kind == RSTAR_EXPR_TUPLE || a->op != b->op)
		return false;
	return a->kind == RSTAR_EXPR_NUMBERS || children_equal(c, a, b);
}

/* The first row that applies decides; rule NONE leaves the name to the comparison within. */
static const struct
{
	bool (*applies)(const rstar_expr *gold, const rstar_expr *answer);
	bool (*compare)(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer);
	rstar_grade_rule rule;
} rules[] = {
	{about_set, rstar_compare_lists, RSTAR_RULE_SET},
	{about_lists, rstar_compare_lists, RSTAR_RULE_LIST},
	{about_units, rstar_compare_units, RSTAR_RULE_UNIT},
	{are_inequalities, rstar_compare_relations, RSTAR_RULE_INEQUALITY},
	{are_relations, rstar_compare_relations, RSTAR_RULE_EQUATION},
	{about_relation, compare_one_relation, RSTAR_RULE_NONE},
	{are_moduli, children_equal, RSTAR_RULE_NONE},
	{are_tuples, compare_tuples, RSTAR_RULE_TUPLE},
	{about_matrices, compare_matrices, RSTAR_RULE_MATRIX},
	{about_collections, compare_collections, RSTAR_RULE_NONE},
	{about_percents, rstar_compare_percents, RSTAR_RULE_PERCENT},
	{about_degrees, rstar_compare_degrees, RSTAR_RULE_DEGREE},
	{about_times, rstar_compare_times, RSTAR_RULE_TIME},
	{about_ratios, rstar_compare_ratios, RSTAR_RULE_RATIO},
	{about_bases, rstar_compare_based, RSTAR_RULE_BASE},
	{about_truth, compare_truth, RSTAR_RULE_BOOLEAN},
	{about_words, rstar_compare_expressions, RSTAR_RULE_TEXT},
	{always, rstar_compare_expressions, RSTAR_RULE_NONE},
};

static bool
compare_kinds(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	size_t row = 0;
	bool applies, equal;

	if (about_sets(gold, answer))
	{
		equal = rstar_compare_sets(c, gold, answer, &applies);
		c->rule = RSTAR_RULE_INTERVAL;
		if (applies)
			return equal;
	}
	while (!rules[row].applies(gold, answer))
		row++;
	equal = rules[row].compare(c, gold, answer);
	if (rules[row].rule != RSTAR_RULE_NONE)
		c->rule = rules[row].rule;
	return equal;
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

bool
rstar_compare_nodes(rstar_comparison *c, const rstar_expr *gold, const rstar_expr *answer)
{
	bool equal;

	gold = rstar_matrix_reduce(c->work, plain(c->work, gold));
	answer = rstar_matrix_reduce(c->work, plain(c->work, answer));
	if (!gold || !answer || (c->work->fuel -= NODE_COST) < 0 || c->depth >= MAX_DEPTH)
	{
		c->undecided = true;
		return false;
	}
	c->depth++;
	equal = compare_kinds(c, gold, answer);
	c->depth--;
	return equal;
}

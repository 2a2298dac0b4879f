/*
 * compare.h
 *	  Comparing trees, by the rules of grade.h. Internal to core/grade.
 */
#ifndef RSTAR_GRADE_COMPARE_H
#define RSTAR_GRADE_COMPARE_H

#include "core/grade/grade.h"
#include "core/grade/value.h"

typedef struct rstar_comparison
{
	rstar_work *work;
	int depth;
	bool i_is_name; /* i occurs as a variable: i^2 stays unevaluated */
	bool undecided;
	rstar_grade_rule rule; /* the outermost rule that decided */
} rstar_comparison;

/* The rules of kinds; gold first, for the few that are not symmetric. */
extern bool rstar_compare_nodes(rstar_comparison *c, const rstar_expr *gold,
								const rstar_expr *answer);

/* Rules number, decimal and expression. */
extern bool rstar_compare_expressions(rstar_comparison *c, const rstar_expr *a,
									  const rstar_expr *b);

/* Rule interval; false for *applies when one of the two is no set of reals. */
extern bool rstar_compare_sets(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b,
							   bool *applies);

/* Rules equation and inequality for two relations. */
extern bool rstar_compare_relations(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b);

/* The mark of a relation with its sides exchanged: < for >; = and the like stay. */
extern unsigned rstar_mirrored_mark(unsigned op);

/* +1, 0, -1: the sign of a - b for real constants; false when not certain. */
extern bool rstar_compare_order(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b,
								int *order);

/* name = value, value = name, name \in set: both parts, else false. */
extern bool rstar_expr_assignment(const rstar_expr *node, const rstar_expr **name,
								  const rstar_expr **value);
extern bool rstar_expr_is_name(const rstar_expr *node);

/* Does the tree have anything in it that is not a constant? */
extern bool rstar_expr_has_names(const rstar_expr *node);

/* The same tree with every occurrence of a name replaced. NULL: out of memory. */
extern const rstar_expr *rstar_expr_substitute(rstar_work *work, const rstar_expr *node,
											   uint64_t name, const rstar_expr *by);

#endif

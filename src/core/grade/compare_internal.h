/*
 * compare_internal.h
 *	  What the files of the comparison share. Internal to compare*.c.
 *
 * compare.c has the table of rules and collections, compare_list.c lists and sets,
 * compare_value.c single values with something behind them.
 */
#ifndef RSTAR_GRADE_COMPARE_INTERNAL_H
#define RSTAR_GRADE_COMPARE_INTERNAL_H

#include "core/grade/compare.h"

/* Gold first; each is called only where its rule applies (compare.c). */
extern bool rstar_compare_lists(rstar_comparison *c, const rstar_expr *gold,
								const rstar_expr *answer);
extern bool rstar_compare_units(rstar_comparison *c, const rstar_expr *gold,
								const rstar_expr *answer);
extern bool rstar_compare_percents(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b);
extern bool rstar_compare_degrees(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b);
extern bool rstar_compare_ratios(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b);
extern bool rstar_compare_times(rstar_comparison *c, const rstar_expr *gold,
								const rstar_expr *answer);
extern bool rstar_compare_based(rstar_comparison *c, const rstar_expr *a, const rstar_expr *b);

/* x\%, -x\%; x^\circ, -x^\circ */
extern bool rstar_expr_is_percent(const rstar_expr *node);
extern bool rstar_expr_is_degree(const rstar_expr *node);

/* 1 for yes and true, 0 for no and false, -1 for anything else. */
extern int rstar_expr_truth(const rstar_expr *node);

/* Is there a \pm in it? */
extern bool rstar_expr_has_signs(const rstar_expr *node);

/* The value of an assignment, else the tree itself. */
extern const rstar_expr *rstar_expr_assigned(const rstar_expr *node);

#endif

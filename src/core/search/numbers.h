/*
 * numbers.h
 *	  What a solution does with the numbers of its problem.
 *
 * A question taken for another shows in its numbers: code that leaves one out, or uses one twice
 * that was said once, is more often wrong. No word is looked at, so it holds in any language.
 */
#ifndef RSTAR_SEARCH_NUMBERS_H
#define RSTAR_SEARCH_NUMBERS_H

#include "core/base/string.h"
#include "core/search/tree.h"

typedef struct rstar_number_use
{
	uint32_t numbers; /* that the problem says, one as often as it is there */
	double missing;   /* share of them that the solution does not use so often, 0 to 1 */
	double repeated;  /* share of the solution's numbers that use one more often than it was said */
	uint32_t words;   /* of the problem: runs of letters */
} rstar_number_use;

/*
 * Compare the problem with the steps that lead to a node of the tree, the node itself left out;
 * what their code printed and their comments do not count. Numbers are equal if they are written so,
 * but for zeros at the ends and commas at thousands (5,125,625 is one number). Of a problem's different numbers the first
 * RSTAR_NUMBERS_MOST count. Time: the lengths of both, times that many at most.
 */
#define RSTAR_NUMBERS_MOST 64
extern void rstar_number_use_read(rstar_string problem, const rstar_tree *tree, uint32_t node,
								  rstar_number_use *use);

#endif

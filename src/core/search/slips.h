/*
 * slips.h
 *	  Words of a problem that its solution copies wrongly.
 *
 * A small model that copies a long number or a long run of letters leaves a
 * character out now and then (92333 becomes 9233). The code still runs, and
 * nothing else about the solution looks wrong.
 */
#ifndef RSTAR_SEARCH_SLIPS_H
#define RSTAR_SEARCH_SLIPS_H

#include "core/base/string.h"
#include "core/search/tree.h"

/*
 * How many of the problem's words the steps that lead to a node (the node itself left out) do not
 * have, but have something very like them. A word is a run of letters and digits, a number with
 * its point one word; in code those count that begin with a digit or stand in quotes. Only words
 * of RSTAR_SLIPS_LEAST to RSTAR_SLIPS_LONGEST characters are looked at, and of different ones the
 * first RSTAR_SLIPS_MOST. Time: the lengths of both, times that many at most.
 */
#define RSTAR_SLIPS_LEAST   4
#define RSTAR_SLIPS_LONGEST 64
#define RSTAR_SLIPS_MOST    64
extern uint32_t rstar_slips_count(rstar_string problem, const rstar_tree *tree, uint32_t node);

#endif

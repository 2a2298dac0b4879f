/*
 * layout.h
 *	  Where the nodes of a drawn tree go.
 *
 * The tidy drawing of Reingold and Tilford (Tidier Drawings of Trees, 1981) for
 * any number of children, in linear time, by the algorithm of Buchheim, Jünger
 * and Leipert (Improving Walker's Algorithm to Run in Linear Time, 2002):
 * nodes of a level keep their order and distance, a parent stands in the
 * middle above its first and last child, equal subtrees are drawn alike, and
 * small subtrees between large ones are spread evenly.
 */
#ifndef RSTAR_PICTURE_LAYOUT_H
#define RSTAR_PICTURE_LAYOUT_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"

/* The least distance of neighbours a and b on a level, a to the left of b; more than 0. */
typedef double (*rstar_layout_separation)(const void *arg, uint32_t a, uint32_t b);

/*
 * Fill x[0..n), from 0 up. parent[i] < i for every node but the first, which is
 * the root; children stand in the order of their numbers. Nothing recurses. cancel: NULL for
 * none. Errors: MEMORY, CANCELLED.
 */
extern rstar_status rstar_layout(const uint32_t *parent, uint32_t n,
								 rstar_layout_separation separation, const void *arg, double *x,
								 const rstar_allocator *allocator, const rstar_cancel *cancel,
								 rstar_error *err);

#endif

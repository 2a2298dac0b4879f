/*
 * scaling.h
 *	  Evaluations as a picture: the share of problems that is right, by how many
 *	  rollouts or answers there were, or by the tokens that they cost.
 *
 * Each line has a band, its 95 % confidence interval. A measure has its own
 * dashes; of one evaluation it has its own colour too, of several the colour
 * tells the evaluations apart. What runs across is on a scale of doublings. The file stands alone and follows the reader's light or dark mode,
 * as curve.h.
 */
#ifndef RSTAR_PICTURE_SCALING_H
#define RSTAR_PICTURE_SCALING_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/base/string.h"

/* There are colours for so many evaluations. */
#define RSTAR_SCALING_EVALUATIONS 6

typedef enum rstar_scaling_measure
{
	RSTAR_SCALING_PASS,
	RSTAR_SCALING_MAJORITY,
	RSTAR_SCALING_BEST,
	RSTAR_SCALING_GREEDY, /* a mark, not a line */
	RSTAR_SCALING_MEASURES
} rstar_scaling_measure;

/* Shares between 0 and 1; low and high are the ends of the band. */
typedef struct rstar_scaling_point
{
	uint32_t evaluation; /* index into names */
	rstar_scaling_measure measure;
	double k;
	double value, low, high;
} rstar_scaling_point;

typedef struct rstar_scaling
{
	const char *across; /* what k counts, for the axis */
	const char *unit;   /* before the number in a tooltip: "k =", "tokens" */
	const rstar_string *names;
	uint32_t n_names;                  /* at most RSTAR_SCALING_EVALUATIONS */
	const rstar_scaling_point *points; /* by evaluation, measure, k ascending; k at least 1 */
	size_t n;
} rstar_scaling;

/* The measure of that name in rstar.evaluation_answers; RSTAR_SCALING_MEASURES: not drawn. */
extern rstar_scaling_measure rstar_scaling_measure_of(const char *name);

/* Append the picture to out. Names may hold anything. Errors: MEMORY. */
extern rstar_status rstar_scaling_svg(const rstar_scaling *scaling, rstar_buffer *out,
									  rstar_error *err);

#endif

/*
 * curve.h
 *	  A run of training as a picture: loss, held-out loss and learning rate by step.
 *
 * The file is complete and stands alone: no script, no font, no link. Loss is
 * drawn on a logarithmic scale where it spans more than a factor of ten;
 * of many steps a column of pixels shows the lowest, the mean and the highest. Colours
 * follow the reader's light or dark mode; the lines differ in their dashes as well.
 */
#ifndef RSTAR_PICTURE_CURVE_H
#define RSTAR_PICTURE_CURVE_H

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/base/string.h"

/* NaN: not known at this step. */
typedef struct rstar_curve_point
{
	double step;
	double loss;
	double held_out;
	double rate;
} rstar_curve_point;

typedef struct rstar_curve
{
	rstar_string title;              /* of a user's making: escaped */
	rstar_string note;               /* in a line below it */
	const rstar_curve_point *points; /* steps ascending */
	size_t n;
} rstar_curve;

/* Append the picture to out. Errors: MEMORY. */
extern rstar_status rstar_curve_svg(const rstar_curve *curve, rstar_buffer *out, rstar_error *err);

#endif

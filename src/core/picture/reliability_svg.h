/*
 * reliability_svg.h
 *	  The reliability diagram of a calibration.
 */
#ifndef RSTAR_PICTURE_RELIABILITY_SVG_H
#define RSTAR_PICTURE_RELIABILITY_SVG_H

#include "core/search/reliability.h"

/*
 * Append an SVG file: on the left the share of answers that were right, by
 * confidence; on the right the share that are wrong against the share of problems
 * that are answered. `title` may hold anything. False: no memory.
 */
extern bool rstar_reliability_svg(const rstar_reliability *reliability, rstar_string title,
								  rstar_buffer *out);

#endif

/*
 * picture_svg.h
 *	  A tree as a picture, for a browser.
 *
 * From left to right, one of three looks by size: up to some 40 marks are
 * cards with words, code and figures; more are small shapes; and when they have
 * too many ends for a page, the same tidy drawing is bent around the root. Colour
 * is Q, from orange (-1) over grey to blue (+1), which colour-blind eyes can
 * tell apart; what a node is shows in its shape as well: a circle is a step, a
 * star a correct answer, a cross a wrong one, a diamond one that nobody
 * graded, a triangle a rejected candidate (where there are many, one for all of a
 * node). A thick line leads to the answer given. Every mark has a tooltip.
 *
 * The file is complete and stands alone: no script, no font, no link. Colours
 * follow the reader's light or dark mode.
 */
#ifndef RSTAR_PICTURE_PICTURE_SVG_H
#define RSTAR_PICTURE_PICTURE_SVG_H

#include "core/picture/picture.h"

/* Append the picture to out. Linear in the nodes. Errors: MEMORY, CANCELLED. */
extern rstar_status rstar_picture_svg(const rstar_tree *tree, const rstar_picture_facts *facts,
									  rstar_buffer *out, const rstar_cancel *cancel,
									  rstar_error *err);

#endif

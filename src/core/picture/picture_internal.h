/*
 * picture_internal.h
 *	  A tree on its way to a picture: what picture_svg.c, svg_page.c and
 *	  svg_marks.c share.
 */
#ifndef RSTAR_PICTURE_PICTURE_INTERNAL_H
#define RSTAR_PICTURE_PICTURE_INTERNAL_H

#include <math.h>

#include "core/picture/picture.h"
#include "core/picture/svg_text.h"

#define RSTAR_NO_MARK UINT32_MAX

/* Sizes in px. */
#define RSTAR_SVG_MARGIN      24
#define RSTAR_SVG_CARD_WIDTH  224
#define RSTAR_SVG_CARD_HEIGHT 66

typedef enum rstar_picture_look
{
	RSTAR_LOOK_CARDS,
	RSTAR_LOOK_WIDE,
	RSTAR_LOOK_RADIAL
} rstar_picture_look;

typedef struct rstar_mark
{
	uint32_t node;   /* or the first of a group */
	uint32_t parent; /* mark */
	uint32_t depth;
	uint32_t count; /* nodes that it stands for */
	uint32_t step;  /* on the way to the answer: 1, 2, .. */
	uint32_t ends;  /* children without children */
	uint32_t tier;  /* LOOK_RADIAL: ends beside each other stand on three circles in turn */
	bool on_path, rejected, has_children;
	double x, y;          /* its centre */
	double angle, radius; /* LOOK_RADIAL */
} rstar_mark;

typedef struct rstar_picture
{
	const rstar_tree *tree;
	const rstar_picture_facts *facts;
	const rstar_allocator *allocator;
	const rstar_cancel *cancel;
	bool cancelled;
	rstar_svg svg;
	rstar_picture_counts counts;
	rstar_picture_look look;
	rstar_mark *marks; /* parents first, siblings in order, rejected ones last */
	uint32_t n_marks, n_ends;
	uint32_t depth; /* greatest of a mark */
	uint32_t path_length;
	double *breadth;           /* the layout's x of each mark */
	double unit;               /* px between neighbours */
	double ring;               /* px between levels */
	double size;               /* of a mark without visits, px */
	double top, width, height; /* of the drawing below the head; of the page */
	double center_x, center_y; /* LOOK_RADIAL */
} rstar_picture;

static inline const rstar_tree_node *
rstar_mark_node(const rstar_picture *p, const rstar_mark *m)
{
	return &p->tree->nodes[m->node];
}

/* Values come from rows and may be anything. */
static inline double
rstar_sane(double value)
{
	return isfinite(value) ? value : 0;
}

static inline double
rstar_bounded(double value, double least, double most)
{
	return value < least ? least : value > most ? most : value;
}

/* Whether to go on with mark i of many. */
static inline bool
rstar_picture_goes_on(rstar_picture *p, uint32_t i)
{
	if (!p->cancelled && i % RSTAR_PICTURE_SLICE == 0 && rstar_cancel_requested(p->cancel))
		p->cancelled = true;
	return !p->cancelled && !p->svg.failed;
}

/* svg_page.c: what stands around the drawing. The head moves p->top behind itself. */
extern void rstar_svg_style(rstar_picture *p);
extern void rstar_svg_head(rstar_picture *p, double width);
extern void rstar_svg_panel(rstar_picture *p, double width);
extern void rstar_svg_legend(rstar_picture *p);

/* What a node is called; an answer by its answer. Returns the width. */
extern double rstar_svg_name(rstar_picture *p, const rstar_mark *m, rstar_svg_font font,
							 double size, double width);

/* svg_marks.c: guides, links and marks. */
extern void rstar_svg_drawing(rstar_picture *p);

/* The shape of a mark of radius r, around (0, 0). */
extern void rstar_svg_shape(rstar_picture *p, const rstar_mark *m, double r);

/* Q between orange (-1), grey (0) and blue (+1), as "#rrggbb". */
extern void rstar_svg_colour(double q, char text[8]);

#endif

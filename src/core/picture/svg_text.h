/*
 * svg_text.h
 *	  Writing SVG: escaped, clean, and no wider than its place. Internal to
 *	  core/search.
 */
#ifndef RSTAR_PICTURE_SVG_TEXT_H
#define RSTAR_PICTURE_SVG_TEXT_H

#include "core/picture/picture.h"

/* A file in the making; after a failed allocation nothing more is written. */
typedef struct rstar_svg
{
	rstar_buffer *out;
	bool failed;
} rstar_svg;

typedef enum rstar_svg_font
{
	RSTAR_SVG_SANS,
	RSTAR_SVG_BOLD,
	RSTAR_SVG_MONO
} rstar_svg_font;

extern void rstar_svg_put(rstar_svg *svg, const char *text);
extern void rstar_svg_printf(rstar_svg *svg, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A plot's first lines: its size in pixels, the style sheet, the ground. "</svg>" ends it. */
extern void rstar_svg_plot(rstar_svg *svg, const char *class, int width, int height,
						   const char *style);

/*
 * Text content, blanks in a row as one, cut with "…" where it would be wider
 * than `width` at a font of `size`. Widths are estimates for common fonts.
 * Returns the width.
 */
extern double rstar_svg_line(rstar_svg *svg, rstar_string text, rstar_svg_font font, double size,
							 double width);

/* The first bytes of `text` (at least one character) that fit, broken at a blank if there is one. */
extern size_t rstar_svg_fit(rstar_string text, rstar_svg_font font, double size, double width);

/* Text content of at most so many characters, its lines kept: for tooltips. */
extern void rstar_svg_lines(rstar_svg *svg, rstar_string text, size_t characters);

#endif

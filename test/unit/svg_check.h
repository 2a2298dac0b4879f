/*
 * svg_check.h
 *	  What the tests of plots share.
 */
#ifndef RSTAR_TEST_SVG_CHECK_H
#define RSTAR_TEST_SVG_CHECK_H

#include "check.h"

#include <string.h>

#include "core/base/memory.h"

/* The text of a whole picture without a number that is none. */
static inline char *
checked_svg(const rstar_buffer *svg)
{
	CHECK(strncmp(svg->data, "<svg ", 5) == 0);
	CHECK(strcmp(svg->data + svg->length - 7, "</svg>\n") == 0);
	CHECK(!strstr(svg->data, "nan") && !strstr(svg->data, "inf"));
	return svg->data;
}

/* How often something stands in it. */
static inline int
count(const char *svg, const char *what)
{
	int n = 0;

	for (const char *at = strstr(svg, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

#endif

/*
 * page.h
 *	  A page of HTML: headings, tables and pictures, for a browser.
 *
 * The page stands alone: its style is in it, there is no script and no link, and it forbids
 * the browser to load or run anything. Colours follow the reader's light or dark
 * mode. Wide tables and pictures scroll within the page, which is as narrow as the
 * window.
 *
 * Texts were written by models and users, and are hostile (picture.h): all of them
 * go through rstar_page_text. A page is well-formed XML.
 *
 *		rstar_page_begin(&page, title);
 *		rstar_page_section(&page, "Cost", NULL);
 *		rstar_page_table_begin(&page);
 *		rstar_page_row_begin(&page);
 *		rstar_page_cell(&page, text, false);
 *		rstar_page_row_end(&page);
 *		rstar_page_table_end(&page);
 *		rstar_page_end(&page);
 */
#ifndef RSTAR_PICTURE_PAGE_H
#define RSTAR_PICTURE_PAGE_H

#include "core/picture/svg_text.h"

/* How a picture is fitted: into its column of the page, or scrolled at its own size. */
typedef enum rstar_page_fit
{
	RSTAR_PAGE_FITTED,
	RSTAR_PAGE_SCROLLED
} rstar_page_fit;

extern void rstar_page_begin(rstar_svg *page, rstar_string title);
extern void rstar_page_end(rstar_svg *page);

/* Escaped, cleaned, cut after some thousand characters. */
extern void rstar_page_text(rstar_svg *page, rstar_string text);

/* A heading of ours, and a sentence below it or NULL. */
extern void rstar_page_section(rstar_svg *page, const char *heading, const char *note);
extern void rstar_page_remark(rstar_svg *page, const char *remark);

extern void rstar_page_table_begin(rstar_svg *page);
extern void rstar_page_table_end(rstar_svg *page);
extern void rstar_page_row_begin(rstar_svg *page);
extern void rstar_page_row_end(rstar_svg *page);

/* A cell; figures stand to the right. data NULL: an empty cell. */
extern void rstar_page_cell(rstar_svg *page, rstar_string text, bool heading);

/* A cell with a share between 0 and 1, as a bar behind it. */
extern void rstar_page_share(rstar_svg *page, double share);

/* Pictures stand beside each other where there is room. The SVG is one of ours. */
extern void rstar_page_figures_begin(rstar_svg *page);
extern void rstar_page_figures_end(rstar_svg *page);
extern void rstar_page_figure(rstar_svg *page, rstar_string svg, rstar_page_fit fit);

#endif

/*
 * scaling.c
 *	  Evaluations as a picture.
 */
#include "core/picture/scaling.h"

#include <math.h>
#include <string.h>

#include "core/picture/svg_text.h"

/* The plot's place on the page, in px; the legend has a line for each evaluation below it. */
#define WIDTH  840
#define LEFT   64
#define RIGHT  816
#define TOP    60
#define BOTTOM 360
#define LEGEND (BOTTOM + 56)
#define LINE   20

/* Colours: c0 .. c5, of lines; bands and marks are filled with them. */
static const char style[] =
	"<style>"
	".rstar-scaling text{font-size:12px;fill:#1f2328;"
	"font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	".rstar-scaling .bg{fill:#fff}.rstar-scaling .h{font-size:18px;font-weight:600}"
	".rstar-scaling .m{fill:#656d76}.rstar-scaling .g{stroke:#e6e9ec}"
	".rstar-scaling path{fill:none;stroke-width:2}"
	".rstar-scaling .s{stroke:none;opacity:.14}.rstar-scaling .t{opacity:.06}.rstar-scaling "
	".d{stroke:none}"
	".rstar-scaling .n{stroke:#656d76}"
	".rstar-scaling .c0{stroke:#0072b2}.rstar-scaling .f0{fill:#0072b2}"
	".rstar-scaling .c1{stroke:#d55e00}.rstar-scaling .f1{fill:#d55e00}"
	".rstar-scaling .c2{stroke:#009e73}.rstar-scaling .f2{fill:#009e73}"
	".rstar-scaling .c3{stroke:#8250df}.rstar-scaling .f3{fill:#8250df}"
	".rstar-scaling .c4{stroke:#9a6700}.rstar-scaling .f4{fill:#9a6700}"
	".rstar-scaling .c5{stroke:#cc79a7}.rstar-scaling .f5{fill:#cc79a7}"
	"@media(prefers-color-scheme:dark){.rstar-scaling text{fill:#e6edf3}"
	".rstar-scaling .bg{fill:#0d1117}.rstar-scaling .m{fill:#9198a1}"
	".rstar-scaling .g{stroke:#21262d}.rstar-scaling .n{stroke:#9198a1}"
	".rstar-scaling .c0{stroke:#56b4e9}.rstar-scaling .f0{fill:#56b4e9}"
	".rstar-scaling .c1{stroke:#e69f00}.rstar-scaling .f1{fill:#e69f00}"
	".rstar-scaling .c2{stroke:#2bc99a}.rstar-scaling .f2{fill:#2bc99a}"
	".rstar-scaling .c3{stroke:#b392f0}.rstar-scaling .f3{fill:#b392f0}"
	".rstar-scaling .c4{stroke:#f0e442}.rstar-scaling .f4{fill:#f0e442}}"
	"</style>\n";

static const struct
{
	const char *name; /* in rstar.evaluation_answers */
	const char *label;
	const char *dashes;
} measures[RSTAR_SCALING_MEASURES] = {
	[RSTAR_SCALING_PASS] = {"pass", "pass@k: one is right", ""},
	[RSTAR_SCALING_MAJORITY] = {"majority", "majority", " stroke-dasharray=\"7 4\""},
	[RSTAR_SCALING_BEST] = {"best", "best-scored", " stroke-dasharray=\"2 3\""},
	[RSTAR_SCALING_GREEDY] = {"greedy", "greedy, without search", ""},
};

rstar_scaling_measure
rstar_scaling_measure_of(const char *name)
{
	int measure = 0;

	while (measure < RSTAR_SCALING_MEASURES && strcmp(measures[measure].name, name) != 0)
		measure++;
	return (rstar_scaling_measure) measure;
}

/* From values to px. */
typedef struct scale
{
	double first, last; /* doublings at its left and right end */
	double low, high;   /* shares at its bottom and top, in tenths */
} scale;

static scale
find_scale(const rstar_scaling *s)
{
	scale at = {.first = s->n > 0 ? INFINITY : 0, .last = 0, .low = 1, .high = 0};

	for (size_t i = 0; i < s->n; i++)
	{
		at.first = fmin(at.first, floor(log2(s->points[i].k)));
		at.last = fmax(at.last, log2(s->points[i].k));
		at.low = fmin(at.low, s->points[i].low);
		at.high = fmax(at.high, s->points[i].high);
	}
	at.low = fmax(0, floor(at.low * 10) / 10);
	at.high = fmin(1, ceil(at.high * 10) / 10);
	if (!(at.low < at.high))
	{
		at.low = 0;
		at.high = 1;
	}
	return at;
}

static double
x_of(const scale *at, double k)
{
	/* a single k stands in the middle */
	double place = at->last > at->first ? (log2(k) - at->first) / (at->last - at->first) : 0.5;

	return LEFT + place * (RIGHT - LEFT);
}

static double
y_of(const scale *at, double share)
{
	return BOTTOM - (share - at->low) / (at->high - at->low) * (BOTTOM - TOP);
}

static int
colour_of(const rstar_scaling *s, const rstar_scaling_point *p)
{
	return s->n_names > 1 ? (int) p->evaluation : (int) p->measure;
}

static void
put_axes(rstar_svg *svg, const rstar_scaling *s, const scale *at)
{
	double tenth = at->high - at->low > 0.55 ? 2 : 1;

	for (double mark = round(at->low * 10); mark <= round(at->high * 10); mark += tenth)
		rstar_svg_printf(
			svg,
			"<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text class=\"m\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%.0f %%</text>\n",
			LEFT, RIGHT, y_of(at, mark / 10), y_of(at, mark / 10), LEFT - 8,
			y_of(at, mark / 10) + 4, mark * 10);
	for (double doubling = at->first; doubling <= at->last; doubling++)
		rstar_svg_printf(
			svg, "<text class=\"m\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%.0f</text>\n",
			x_of(at, exp2(doubling)), BOTTOM + 18, exp2(doubling));
	rstar_svg_printf(svg, "<text class=\"m\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>\n",
					 RIGHT, BOTTOM + 36, s->across);
}

/* --- lines -------------------------------------------------------------------------- */

/* How many points from `first` on belong to the same line. */
static size_t
line_length(const rstar_scaling *s, size_t first)
{
	const rstar_scaling_point *p = &s->points[first];
	size_t n = 1;

	while (first + n < s->n && p[n].evaluation == p->evaluation && p[n].measure == p->measure)
		n++;
	return n;
}

static void
put_band(rstar_svg *svg, const rstar_scaling *s, const scale *at, const rstar_scaling_point *p,
		 size_t n)
{
	rstar_svg_printf(svg, "<path class=\"s%s f%d\" d=\"", s->n_names > 1 ? " t" : "",
					 colour_of(s, p));
	for (size_t i = 0; i < n; i++)
		rstar_svg_printf(svg, "%s%.1f %.1f", i > 0 ? "L" : "M", x_of(at, p[i].k),
						 y_of(at, p[i].high));
	for (size_t i = n; i-- > 0;)
		rstar_svg_printf(svg, "L%.1f %.1f", x_of(at, p[i].k), y_of(at, p[i].low));
	rstar_svg_put(svg, "Z\"/>\n");
}

/* A mark, its interval as a bar, and its figures as a tooltip. */
static void
put_mark(rstar_svg *svg, const rstar_scaling *s, const scale *at, const rstar_scaling_point *p)
{
	double x = x_of(at, p->k), y = y_of(at, p->value);
	int colour = colour_of(s, p);

	if (p->measure == RSTAR_SCALING_GREEDY)
		rstar_svg_printf(svg,
						 "<path class=\"c%d\" d=\"M%.1f %.1fV%.1f\"/>"
						 "<path class=\"d f%d\" d=\"M%.1f %.1fl6 6l-6 6l-6 -6Z\">",
						 colour, x, y_of(at, p->high), y_of(at, p->low), colour, x, y - 6);
	else
		rstar_svg_printf(svg, "<circle class=\"d f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">", colour, x,
						 y);
	rstar_svg_printf(svg, "<title>%s, %s %.0f: %.1f %% (%.1f to %.1f)</title></%s>\n",
					 measures[p->measure].name, s->unit, p->k, 100 * p->value, 100 * p->low,
					 100 * p->high, p->measure == RSTAR_SCALING_GREEDY ? "path" : "circle");
}

static void
put_line(rstar_svg *svg, const rstar_scaling *s, const scale *at, const rstar_scaling_point *p,
		 size_t n)
{
	if (p->measure != RSTAR_SCALING_GREEDY && n > 1)
	{
		rstar_svg_printf(svg, "<path class=\"c%d\"%s d=\"", colour_of(s, p),
						 measures[p->measure].dashes);
		for (size_t i = 0; i < n; i++)
			rstar_svg_printf(svg, "%s%.1f %.1f", i > 0 ? "L" : "M", x_of(at, p[i].k),
							 y_of(at, p[i].value));
		rstar_svg_put(svg, "\"/>\n");
	}
	for (size_t i = 0; i < n; i++)
		put_mark(svg, s, at, &p[i]);
}

/* All bands first: lines stand before them. Where there are many, they are paler. */
static void
put_lines(rstar_svg *svg, const rstar_scaling *s, const scale *at)
{
	for (size_t i = 0; i < s->n; i += line_length(s, i))
		if (s->points[i].measure != RSTAR_SCALING_GREEDY)
			put_band(svg, s, at, &s->points[i], line_length(s, i));
	for (size_t i = 0; i < s->n; i += line_length(s, i))
		put_line(svg, s, at, &s->points[i], line_length(s, i));
}

/* --- legend ---------------------------------------------------------------------------- */

static bool
shows(const rstar_scaling *s, rstar_scaling_measure measure)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->points[i].measure == measure)
			return true;
	return false;
}

/* The measures by their dashes, coloured if there is one evaluation. */
static void
put_measures(rstar_svg *svg, const rstar_scaling *s)
{
	double x = LEFT;

	for (int measure = 0; measure < RSTAR_SCALING_MEASURES; measure++)
	{
		bool mark = measure == RSTAR_SCALING_GREEDY;
		char colour[] = {s->n_names > 1 ? 'n' : mark ? 'f' : 'c', (char) ('0' + measure), 0};

		if (!shows(s, (rstar_scaling_measure) measure))
			continue;
		if (s->n_names > 1)
			colour[1] = 0;
		rstar_svg_printf(svg,
						 "<path class=\"%s\"%s d=\"M%.0f %d%s\"/><text x=\"%.0f\" "
						 "y=\"%d\">%s</text>\n",
						 colour, measures[measure].dashes, x + (mark ? 12 : 0),
						 LEGEND - (mark ? 10 : 4), mark ? "l6 6l-6 6l-6 -6Z" : "h24", x + 30,
						 LEGEND, measures[measure].label);
		x += 54 + 6.6 * (double) strlen(measures[measure].label);
	}
}

/* The evaluations by their colours, a line each. */
static void
put_names(rstar_svg *svg, const rstar_scaling *s)
{
	for (uint32_t i = 0; i < s->n_names; i++)
	{
		int y = LEGEND + LINE * (int) (i + 1);

		rstar_svg_printf(svg, "<path class=\"c%u\" d=\"M%d %dh24\"/><text x=\"%d\" y=\"%d\">", i,
						 LEFT, y - 4, LEFT + 30, y);
		rstar_svg_line(svg, s->names[i], RSTAR_SVG_SANS, 12, RIGHT - LEFT - 30);
		rstar_svg_put(svg, "</text>\n");
	}
}

static void
put_head(rstar_svg *svg, const rstar_scaling *s)
{
	static const rstar_string several = {"Evaluations", 11};

	rstar_svg_printf(svg, "<text class=\"h\" x=\"%d\" y=\"32\">", LEFT);
	rstar_svg_line(svg, s->n_names == 1 ? s->names[0] : several, RSTAR_SVG_BOLD, 18, RIGHT - LEFT);
	rstar_svg_printf(svg,
					 "</text>\n<text class=\"m\" x=\"%d\" y=\"%d\">problems right, with 95 %% "
					 "confidence intervals</text>\n",
					 LEFT, TOP - 10);
}

rstar_status
rstar_scaling_svg(const rstar_scaling *scaling, rstar_buffer *out, rstar_error *err)
{
	rstar_svg svg = {.out = out};
	scale at = find_scale(scaling);
	int height = LEGEND + LINE + (scaling->n_names > 1 ? LINE * (int) scaling->n_names : 0);

	rstar_svg_plot(&svg, "rstar-scaling", WIDTH, height, style);
	put_axes(&svg, scaling, &at);
	put_lines(&svg, scaling, &at);
	put_measures(&svg, scaling);
	if (scaling->n_names > 1)
		put_names(&svg, scaling);
	put_head(&svg, scaling);
	rstar_svg_put(&svg, "</svg>\n");
	return svg.failed ? rstar_error_memory(err, out->length) : RSTAR_OK;
}

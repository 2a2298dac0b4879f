/*
 * curve.c
 *	  A run of training as a picture.
 */
#include "core/picture/curve.h"

#include <math.h>

#include "core/picture/svg_text.h"

/* The plot's place on the page, in px. */
#define WIDTH   840
#define HEIGHT  420
#define LEFT    64
#define RIGHT   816
#define TOP     76
#define BOTTOM  372
#define COLUMNS (RIGHT - LEFT)

/* Its classes hold below the picture's own, so that pictures share a page of HTML. */
static const char style[] =
	"<style>"
	".rstar-curve text{font-size:12px;fill:#1f2328;"
	"font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	".rstar-curve .bg{fill:#fff}.rstar-curve .h{font-size:18px;font-weight:600}"
	".rstar-curve .m{fill:#656d76}.rstar-curve .g{stroke:#e6e9ec}"
	".rstar-curve .a{fill:none;stroke:#0072b2;stroke-width:1.6}"
	".rstar-curve .s{fill:#0072b2;opacity:.18}"
	".rstar-curve .o{fill:none;stroke:#d55e00;stroke-width:2;stroke-dasharray:6 3}"
	".rstar-curve .d{fill:#d55e00}"
	".rstar-curve .r{fill:none;stroke:#8b949e;stroke-width:1;stroke-dasharray:2 3}"
	"@media(prefers-color-scheme:dark){.rstar-curve text{fill:#e6edf3}"
	".rstar-curve .bg{fill:#0d1117}.rstar-curve .m{fill:#9198a1}"
	".rstar-curve .g{stroke:#21262d}.rstar-curve .a{stroke:#56b4e9}"
	".rstar-curve .s{fill:#56b4e9}.rstar-curve .o{stroke:#e69f00}"
	".rstar-curve .d{fill:#e69f00}}</style>\n";

/* From values to px. */
typedef struct scale
{
	double first, last; /* steps */
	double low, high;   /* loss, or its logarithm */
	bool logarithmic;
	double rate; /* the highest */
} scale;

static void
widen(double value, double *low, double *high)
{
	if (!isfinite(value))
		return;
	*low = fmin(*low, value);
	*high = fmax(*high, value);
}

static scale
find_scale(const rstar_curve *c)
{
	scale s = {.first = INFINITY, .last = -INFINITY, .low = INFINITY, .high = -INFINITY};
	double none = 0;

	for (size_t i = 0; i < c->n; i++)
	{
		widen(c->points[i].step, &s.first, &s.last);
		widen(c->points[i].loss, &s.low, &s.high);
		widen(c->points[i].held_out, &s.low, &s.high);
		widen(c->points[i].rate, &none, &s.rate);
	}
	if (!(s.first < s.last))
	{
		s.first = isfinite(s.first) ? s.first : 0;
		s.last = s.first + 1;
	}
	s.logarithmic = s.low > 0 && s.high > 10 * s.low;
	if (s.logarithmic)
	{
		s.low = log10(s.low);
		s.high = log10(s.high);
	}
	if (!(s.low < s.high))
	{
		s.low = isfinite(s.low) ? s.low - 0.5 : 0;
		s.high = s.low + 1;
	}
	return s;
}

static double
x_of(const scale *s, double step)
{
	return LEFT + (step - s->first) / (s->last - s->first) * COLUMNS;
}

static double
y_of(const scale *s, double loss)
{
	double value = s->logarithmic ? log10(loss) : loss;

	return BOTTOM - (value - s->low) / (s->high - s->low) * (BOTTOM - TOP);
}

/* --- axes ------------------------------------------------------------------------- */

/* The largest of 1, 2, 5 times a power of ten that gives at least `n` marks over a span. */
static double
mark_distance(double span, double n)
{
	double unit = pow(10, floor(log10(span / n)));

	if (span / (5 * unit) >= n)
		return 5 * unit;
	return span / (2 * unit) >= n ? 2 * unit : unit;
}

static void
put_loss_mark(rstar_svg *svg, const scale *s, double loss)
{
	double y = y_of(s, loss);

	rstar_svg_printf(svg,
					 "<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
					 "<text class=\"m\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%.4g</text>\n",
					 LEFT, RIGHT, y, y, LEFT - 8, y + 4, loss);
}

static void
put_axes(rstar_svg *svg, const scale *s)
{
	static const double logarithmic[] = {1, 2, 5};
	double distance = mark_distance(s->last - s->first, 4);

	if (s->logarithmic)
		for (int power = (int) floor(s->low); power <= (int) ceil(s->high); power++)
			for (int i = 0; i < 3; i++)
			{
				double loss = logarithmic[i] * pow(10, power);

				if (log10(loss) >= s->low && log10(loss) <= s->high)
					put_loss_mark(svg, s, loss);
			}
	else
	{
		double step = mark_distance(s->high - s->low, 4);

		for (double loss = ceil(s->low / step) * step; loss <= s->high; loss += step)
			put_loss_mark(svg, s, fabs(loss) < step / 100 ? 0 : loss);
	}
	for (double at = ceil(s->first / distance) * distance; at <= s->last; at += distance)
		rstar_svg_printf(
			svg, "<text class=\"m\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%.6g</text>\n",
			x_of(s, at), BOTTOM + 18, at);
	rstar_svg_printf(svg, "<text class=\"m\" text-anchor=\"end\" x=\"%d\" y=\"%d\">step</text>\n",
					 RIGHT, BOTTOM + 36);
}

/* --- lines -------------------------------------------------------------------------- */

/* The steps that fall into one column of pixels. */
typedef struct column
{
	double low, high, sum;
	int n;
} column;

static void
fill_columns(const rstar_curve *c, const scale *s, column *columns)
{
	for (int i = 0; i <= COLUMNS; i++)
		columns[i] = (column){INFINITY, -INFINITY, 0, 0};
	for (size_t i = 0; i < c->n; i++)
	{
		double loss = c->points[i].loss;
		column *at = &columns[(int) (x_of(s, c->points[i].step) - LEFT)];

		if (!isfinite(loss) || (s->logarithmic && loss <= 0))
			continue;
		widen(loss, &at->low, &at->high);
		at->sum += loss;
		at->n++;
	}
}

static void
put_loss(rstar_svg *svg, const rstar_curve *c, const scale *s)
{
	column columns[COLUMNS + 1];
	bool begun = false;

	fill_columns(c, s, columns);
	for (int i = 0; i <= COLUMNS; i++)
		if (columns[i].n > 1)
			rstar_svg_printf(svg,
							 "<rect class=\"s\" x=\"%d\" y=\"%.1f\" width=\"1\" height=\"%.1f\"/>",
							 LEFT + i, y_of(s, columns[i].high),
							 y_of(s, columns[i].low) - y_of(s, columns[i].high));
	rstar_svg_put(svg, "\n<path class=\"a\" d=\"");
	for (int i = 0; i <= COLUMNS; i++)
		if (columns[i].n > 0)
		{
			rstar_svg_printf(svg, "%s%d %.1f", begun ? "L" : "M", LEFT + i,
							 y_of(s, columns[i].sum / columns[i].n));
			begun = true;
		}
	rstar_svg_put(svg, "\"/>\n");
}

static void
put_held_out(rstar_svg *svg, const rstar_curve *c, const scale *s)
{
	bool begun = false;

	rstar_svg_put(svg, "<path class=\"o\" d=\"");
	for (size_t i = 0; i < c->n; i++)
		if (isfinite(c->points[i].held_out))
		{
			rstar_svg_printf(svg, "%s%.1f %.1f", begun ? "L" : "M", x_of(s, c->points[i].step),
							 y_of(s, c->points[i].held_out));
			begun = true;
		}
	rstar_svg_put(svg, "\"/>\n");
	for (size_t i = 0; i < c->n; i++)
		if (isfinite(c->points[i].held_out))
			rstar_svg_printf(
				svg,
				"<circle class=\"d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>held out, step %.0f: "
				"%.4f</title></circle>\n",
				x_of(s, c->points[i].step), y_of(s, c->points[i].held_out), c->points[i].step,
				c->points[i].held_out);
}

/* The rate fills the plot's height at its highest; its shape is what matters. */
static void
put_rate(rstar_svg *svg, const rstar_curve *c, const scale *s)
{
	double last = -INFINITY;
	bool begun = false;

	if (!(s->rate > 0))
		return;
	rstar_svg_put(svg, "<path class=\"r\" d=\"");
	for (size_t i = 0; i < c->n; i++)
	{
		double x = x_of(s, c->points[i].step);

		if (!isfinite(c->points[i].rate) || x - last < 2)
			continue;
		rstar_svg_printf(svg, "%s%.1f %.1f", begun ? "L" : "M", x,
						 BOTTOM - c->points[i].rate / s->rate * (BOTTOM - TOP));
		last = x;
		begun = true;
	}
	rstar_svg_put(svg, "\"/>\n");
}

static void
put_head(rstar_svg *svg, const rstar_curve *c, const scale *s)
{
	rstar_svg_printf(svg, "<text class=\"h\" x=\"%d\" y=\"32\">", LEFT);
	rstar_svg_line(svg, c->title, RSTAR_SVG_BOLD, 18, COLUMNS);
	rstar_svg_printf(svg, "</text>\n<text class=\"m\" x=\"%d\" y=\"54\">", LEFT);
	rstar_svg_line(svg, c->note, RSTAR_SVG_SANS, 12, COLUMNS);
	rstar_svg_printf(
		svg,
		"</text>\n<path class=\"a\" d=\"M%d %dh24\"/><text x=\"%d\" y=\"%d\">loss</text>"
		"<path class=\"o\" d=\"M%d %dh24\"/><text x=\"%d\" y=\"%d\">held out</text>"
		"<path class=\"r\" d=\"M%d %dh24\"/><text x=\"%d\" y=\"%d\">learning rate, up to "
		"%.2g</text>\n",
		LEFT, BOTTOM + 32, LEFT + 30, BOTTOM + 36, LEFT + 90, BOTTOM + 32, LEFT + 120, BOTTOM + 36,
		LEFT + 200, BOTTOM + 32, LEFT + 230, BOTTOM + 36, s->rate);
}

rstar_status
rstar_curve_svg(const rstar_curve *curve, rstar_buffer *out, rstar_error *err)
{
	rstar_svg svg = {.out = out};
	scale s = find_scale(curve);

	rstar_svg_plot(&svg, "rstar-curve", WIDTH, HEIGHT, style);
	put_axes(&svg, &s);
	put_rate(&svg, curve, &s);
	put_loss(&svg, curve, &s);
	put_held_out(&svg, curve, &s);
	put_head(&svg, curve, &s);
	rstar_svg_put(&svg, "</svg>\n");
	return svg.failed ? rstar_error_memory(err, out->length) : RSTAR_OK;
}

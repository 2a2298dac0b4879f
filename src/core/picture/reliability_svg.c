/*
 * reliability_svg.c
 *	  The reliability diagram of a calibration.
 */
#include "core/picture/reliability_svg.h"

#include <math.h>

#include "core/picture/svg_text.h"

/* A panel's square, in pixels from the picture's upper left corner. */
typedef struct panel
{
	rstar_svg *svg;
	double x, y, size;
} panel;

#define SIDE   260
#define LEFT   70
#define GAP    110
#define TOP    70
#define WIDTH  (LEFT + SIDE + GAP + SIDE + 30)
#define HEIGHT (TOP + SIDE + 75)

/* As in curve.c. */
static const char style[] =
	"<style>"
	".rstar-reliability text{font-size:12px;fill:#1f2328;"
	"font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	".rstar-reliability .bg{fill:#fff}.rstar-reliability .h{font-size:18px;font-weight:600}"
	".rstar-reliability .b{font-weight:600}.rstar-reliability .m{fill:#656d76}"
	".rstar-reliability .k{fill:none;stroke:#d0d7de}"
	".rstar-reliability .g{stroke:#8b949e;stroke-dasharray:4 3}"
	".rstar-reliability .a{fill:#0072b2;opacity:.55}.rstar-reliability .d{fill:#d55e00}"
	".rstar-reliability .o{fill:none;stroke:#d55e00;stroke-width:2}"
	"@media(prefers-color-scheme:dark){.rstar-reliability text{fill:#e6edf3}"
	".rstar-reliability .bg{fill:#0d1117}.rstar-reliability .m{fill:#9198a1}"
	".rstar-reliability .k{stroke:#3d444d}.rstar-reliability .a{fill:#56b4e9}"
	".rstar-reliability .d{fill:#e69f00}.rstar-reliability .o{stroke:#e69f00}}"
	"</style>\n";

static double
at_x(const panel *p, double value)
{
	return p->x + value * p->size;
}

static double
at_y(const panel *p, double value)
{
	return p->y + (1 - value) * p->size;
}

/* Frame, ticks, names of the axes; the vertical axis ends at `top`. */
static void
draw_frame(const panel *p, const char *title, const char *across, const char *up, double top)
{
	rstar_svg_printf(p->svg, "<rect class='k' x='%.0f' y='%.0f' width='%.0f' height='%.0f'/>\n",
					 p->x, p->y, p->size, p->size);
	for (int i = 0; i <= 4; i++)
	{
		rstar_svg_printf(p->svg,
						 "<text class='m' x='%.1f' y='%.1f' text-anchor='middle'>%d %%</text>\n",
						 at_x(p, i / 4.0), p->y + p->size + 16, i * 25);
		rstar_svg_printf(p->svg,
						 "<text class='m' x='%.1f' y='%.1f' text-anchor='end'>%.3g %%</text>\n",
						 p->x - 6, at_y(p, i / 4.0) + 4, i * 25 * top);
	}
	rstar_svg_printf(p->svg,
					 "<text class='b' x='%.1f' y='%.1f' text-anchor='middle'>%s</text>\n"
					 "<text class='m' x='%.1f' y='%.1f' text-anchor='middle'>%s</text>\n"
					 "<text class='m' transform='translate(%.1f %.1f) rotate(-90)' "
					 "text-anchor='middle'>%s</text>\n",
					 at_x(p, 0.5), p->y - 10, title, at_x(p, 0.5), p->y + p->size + 36, across,
					 p->x - 50, at_y(p, 0.5), up);
}

/* A bar for each bin, as high as the share right, and the line on which they should end. */
static void
draw_bins(const panel *p, const rstar_reliability *r)
{
	const double width = p->size / RSTAR_RELIABILITY_BINS;

	draw_frame(p, "Reliability", "confidence", "right", 1);
	for (int i = 0; i < RSTAR_RELIABILITY_BINS; i++)
	{
		double share = r->bins[i].n > 0 ? (double) r->bins[i].right / r->bins[i].n : 0;

		if (r->bins[i].n == 0)
			continue;
		rstar_svg_printf(p->svg,
						 "<rect class='a' x='%.1f' y='%.1f' width='%.1f' height='%.1f'><title>%u "
						 "of %u right, mean confidence %.3f</title></rect>\n",
						 p->x + i * width, at_y(p, share), width - 1, share * p->size,
						 r->bins[i].right, r->bins[i].n, r->bins[i].confidence);
		rstar_svg_printf(p->svg, "<circle class='d' cx='%.1f' cy='%.1f' r='3'/>\n",
						 at_x(p, r->bins[i].confidence), at_y(p, share));
	}
	rstar_svg_printf(p->svg, "<line class='g' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>\n",
					 at_x(p, 0), at_y(p, 0), at_x(p, 1), at_y(p, 1));
}

static double
risk(const rstar_reliability *r, int level)
{
	uint32_t given = r->levels[level].given;

	return given > 0 ? (double) r->levels[level].wrong / given : 0;
}

/* Risk against coverage, a point for each level of confidence asked for. */
static void
draw_risk(const panel *p, const rstar_reliability *r)
{
	double top = 0.02;

	for (int level = 0; level < RSTAR_RELIABILITY_LEVELS; level++)
		top = fmax(top, risk(r, level));
	draw_frame(p, "Risk and coverage", "problems answered", "of them wrong", top);
	rstar_svg_put(p->svg, "<polyline class='o' points='");
	for (int level = 0; level < RSTAR_RELIABILITY_LEVELS; level++)
		if (r->levels[level].given > 0)
			rstar_svg_printf(p->svg, "%.1f,%.1f ",
							 at_x(p, (double) r->levels[level].given / r->problems),
							 at_y(p, risk(r, level) / top));
	rstar_svg_put(p->svg, "'/>\n");
}

bool
rstar_reliability_svg(const rstar_reliability *r, rstar_string title, rstar_buffer *out)
{
	rstar_svg svg = {.out = out};
	panel left = {&svg, LEFT, TOP, SIDE}, right = {&svg, LEFT + SIDE + GAP, TOP, SIDE};

	rstar_svg_plot(&svg, "rstar-reliability", WIDTH, HEIGHT, style);
	rstar_svg_printf(&svg, "<text class='h' x='%d' y='30'>", LEFT);
	(void) rstar_svg_line(&svg, title, RSTAR_SVG_BOLD, 18, WIDTH - LEFT - 30);
	rstar_svg_printf(
		&svg,
		"</text>\n<text class='m' x='%d' y='%d'>%u problems, %u answered, %u right; expected "
		"calibration error %.3f</text>\n",
		LEFT, HEIGHT - 12, r->problems, r->answered, r->right, r->error);
	draw_bins(&left, r);
	draw_risk(&right, r);
	rstar_svg_put(&svg, "</svg>\n");
	return !svg.failed;
}

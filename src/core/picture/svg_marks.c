/*
 * svg_marks.c
 *	  The drawing of a tree: guides, links, and a mark for each node.
 */
#include <math.h>
#include <stdio.h>

#include "core/picture/picture_internal.h"

#define TOOLTIP_FULL 300 /* marks up to which tooltips have room */

/* --- colours --------------------------------------------------------------------- */

/* Between orange (-1), grey (0) and blue (+1), as "#rrggbb". */
void
rstar_svg_colour(double q, char text[8])
{
	static const int ends[2][3] = {{0xD5, 0x5E, 0x00}, {0x00, 0x72, 0xB2}}, grey = 0xB4;
	const int *end = ends[q > 0];
	double share = rstar_bounded(fabs(rstar_sane(q)), 0, 1);
	unsigned c[3];

	for (int i = 0; i < 3; i++)
		c[i] = (unsigned) lround(grey + share * (end[i] - grey)) & 0xFF;
	(void) snprintf(text, 8, "#%02x%02x%02x", c[0], c[1], c[2]);
}

/* --- links ----------------------------------------------------------------------- */

static void
put_curve(rstar_picture *p, const rstar_mark *from, const rstar_mark *to)
{
	if (p->look == RSTAR_LOOK_RADIAL)
	{
		double half = (from->radius + to->radius) / 2;

		rstar_svg_printf(&p->svg, "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", from->x, from->y,
						 p->center_x + half * cos(from->depth ? from->angle : to->angle),
						 p->center_y + half * sin(from->depth ? from->angle : to->angle),
						 p->center_x + half * cos(to->angle), p->center_y + half * sin(to->angle),
						 to->x, to->y);
		return;
	}

	double edge = p->look == RSTAR_LOOK_CARDS ? RSTAR_SVG_CARD_WIDTH / 2.0 : 0;
	double x0 = from->x + edge, x1 = to->x - edge, half = (x0 + x1) / 2;

	rstar_svg_printf(&p->svg, "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x0, from->y, half,
					 from->y, half, to->y, x1, to->y);
}

static double
link_width(const rstar_picture *p, const rstar_mark *m)
{
	double visits = m->rejected ? 0 : rstar_mark_node(p, m)->visits;
	double width = 0.8 + 0.55 * log2(1 + visits);

	return p->look == RSTAR_LOOK_RADIAL ? rstar_bounded(width * p->size / 4, 0.4, 2.5)
										: rstar_bounded(width, 0.8, 5);
}

static void
put_links(rstar_picture *p)
{
	for (int path = 0; path < 2; path++) /* the way to the answer lies on top */
	{
		for (uint32_t i = 1; i < p->n_marks && rstar_picture_goes_on(p, i); i++)
		{
			const rstar_mark *m = &p->marks[i];
			double width = link_width(p, m);

			if (m->on_path != (path == 1))
				continue;
			rstar_svg_printf(&p->svg, "<path class=\"%s\" stroke-width=\"%.1f\"%s d=\"",
							 path ? "w" : "l", path ? rstar_bounded(width + 1.5, 3, 6) : width,
							 m->rejected ? " stroke-dasharray=\"2 3\"" : "");
			put_curve(p, &p->marks[m->parent], m);
			rstar_svg_put(&p->svg, "\"/>\n");
		}
	}
}

/* --- marks: shapes --------------------------------------------------------------- */

/* A five-pointed star of radius r around (0, 0). */
static void
put_star(rstar_picture *p, double r)
{
	rstar_svg_put(&p->svg, "<path class=\"ok\" d=\"M");
	for (int i = 0; i < 10; i++)
	{
		double angle = 3.14159265358979323846 * (i / 5.0 - 0.5), at = i % 2 ? 0.42 * r : r;

		rstar_svg_printf(&p->svg, "%s%.1f %.1f", i ? "L" : "", at * cos(angle), at * sin(angle));
	}
	rstar_svg_put(&p->svg, "Z\"/>");
}

void
rstar_svg_shape(rstar_picture *p, const rstar_mark *m, double r)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);
	char colour[8];

	rstar_svg_colour(rstar_node_q(node), colour);
	if (m->rejected)
		rstar_svg_printf(
			&p->svg, "<path class=\"re\" stroke-width=\"%.1f\" d=\"M0 %.1fL%.1f %.1fH%.1fZ\"/>",
			rstar_bounded(r * 0.28, 0.6, 1.5), -0.9 * r, 0.85 * r, 0.65 * r, -0.85 * r);
	else if (m->node == 0)
		rstar_svg_printf(&p->svg,
						 "<circle class=\"root\" r=\"%.1f\"/><circle r=\"%.1f\" fill=\"%s\"/>",
						 r * 1.5, r, colour);
	else if (node->kind != RSTAR_NODE_ANSWER && node->visits == 0)
		rstar_svg_printf(&p->svg, "<circle class=\"un\" r=\"%.1f\" stroke-width=\"%.1f\"/>",
						 r * 0.9, rstar_bounded(r * 0.3, 0.6, 1.5));
	else if (node->kind != RSTAR_NODE_ANSWER)
		rstar_svg_printf(&p->svg, "<circle r=\"%.1f\" fill=\"%s\"/>", r, colour);
	else if (!node->graded)
		rstar_svg_printf(&p->svg, "<path d=\"M0 %.1fL%.1f 0L0 %.1fL%.1f 0Z\" fill=\"%s\"/>",
						 -1.3 * r, 1.3 * r, 1.3 * r, -1.3 * r, colour);
	else if (node->correct)
		put_star(p, r * 1.7);
	else
		rstar_svg_printf(&p->svg,
						 "<path class=\"no\" stroke-width=\"%.1f\" d=\"M%.1f %.1fL%.1f %.1fM%.1f "
						 "%.1fL%.1f %.1f\"/>",
						 rstar_bounded(r * 0.6, 1, 3), -r, -r, r, r, -r, r, r, -r);
}

/* --- marks: tooltips ------------------------------------------------------------- */

/* "5 error, 1 unparsable" */
static void
put_statuses(rstar_picture *p, const rstar_mark *m)
{
	const rstar_tree_node *nodes = p->tree->nodes;
	uint32_t by_status[RSTAR_N_NODE_STATUSES] = {0};
	const char *comma = "";

	for (uint32_t c = m->node; c != RSTAR_NO_NODE; c = nodes[c].next_sibling)
		by_status[nodes[c].status] += rstar_node_rejected(&nodes[c]);
	for (int status = RSTAR_NODE_ERROR; status < RSTAR_N_NODE_STATUSES; status++)
	{
		if (by_status[status] == 0)
			continue;
		rstar_svg_printf(&p->svg, "%s%u %s", comma, by_status[status],
						 rstar_node_status_name((rstar_node_status) status));
		comma = ", ";
	}
}

/* Of a group: each candidate's name and failure, the first few. */
static void
put_group_tooltip(rstar_picture *p, const rstar_mark *m)
{
	const rstar_tree_node *nodes = p->tree->nodes;
	uint32_t lines = p->n_marks <= TOOLTIP_FULL ? 12 : 3;

	rstar_svg_printf(&p->svg, "<title>node %u and %u others rejected: ", m->node, m->count - 1);
	put_statuses(p, m);
	for (uint32_t c = m->node; c != RSTAR_NO_NODE && lines > 0; c = nodes[c].next_sibling)
	{
		rstar_mark one = {.node = c, .count = 1};

		if (!rstar_node_rejected(&nodes[c]))
			continue;
		lines--;
		rstar_svg_put(&p->svg, "\n");
		rstar_svg_name(p, &one, RSTAR_SVG_SANS, 1, 40);
		rstar_svg_printf(&p->svg, " \xe2\x80\x93 %s ", rstar_node_status_name(nodes[c].status));
		rstar_svg_line(&p->svg, rstar_picture_failure(&nodes[c]), RSTAR_SVG_SANS, 1, 60);
	}
	rstar_svg_put(&p->svg, "</title>");
}

static void
put_tooltip(rstar_picture *p, const rstar_mark *m)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);
	size_t room = p->n_marks <= TOOLTIP_FULL ? 1500 : 240;

	if (m->count > 1)
	{
		put_group_tooltip(p, m);
		return;
	}
	rstar_svg_printf(&p->svg, "<title>node %u, %s", m->node, rstar_node_kind_name(node->kind));
	if (node->status != RSTAR_NODE_OK)
		rstar_svg_printf(&p->svg, ", %s", rstar_node_status_name(node->status));
	rstar_svg_printf(&p->svg, "; visits %u", node->visits);
	if (node->visits > 0)
		rstar_svg_printf(&p->svg, ", Q %.3f", rstar_sane(rstar_node_q(node)));
	if (node->scored)
		rstar_svg_printf(&p->svg, ", PPM %.3f", rstar_sane(node->ppm_score));
	if (node->duplicates > 0)
		rstar_svg_printf(&p->svg, ", %u merged", node->duplicates);
	rstar_svg_put(&p->svg, "\n");
	rstar_svg_lines(&p->svg, m->node == 0 ? p->facts->problem : node->text, room);
	if (node->output.length > 0 && node->kind == RSTAR_NODE_STEP)
	{
		rstar_svg_put(&p->svg, "\n\xe2\x86\x92 ");
		rstar_svg_lines(&p->svg, node->output, room / 3);
	}
	rstar_svg_put(&p->svg, "</title>");
}

/* --- marks: cards ---------------------------------------------------------------- */

/* From the middle, to the right for a positive Q, to the left for a negative one. */
static void
put_gauge(rstar_picture *p, double q)
{
	const double half = 26, x = RSTAR_SVG_CARD_WIDTH / 2.0 - 12 - half,
				 y = RSTAR_SVG_CARD_HEIGHT / 2.0 - 15;
	double length = half * rstar_bounded(fabs(rstar_sane(q)), 0, 1);
	char colour[8];

	rstar_svg_colour(q, colour);
	rstar_svg_printf(&p->svg,
					 "<path class=\"l\" d=\"M%.0f %.0fh%.0f\"/><rect x=\"%.1f\" y=\"%.1f\" "
					 "width=\"%.1f\" height=\"6\" rx=\"1\" fill=\"%s\"/><path class=\"l\" "
					 "d=\"M%.0f %.0fv12\"/>",
					 x - half, y, 2 * half, q < 0 ? x - length : x, y - 3, length, colour, x,
					 y - 6);
}

static void
put_figures(rstar_picture *p, const rstar_mark *m)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);

	rstar_svg_printf(&p->svg, "<text class=\"s\" x=\"%.0f\" y=\"%.0f\">",
					 -RSTAR_SVG_CARD_WIDTH / 2.0 + 14, RSTAR_SVG_CARD_HEIGHT / 2.0 - 11);
	if (m->count > 1)
		put_statuses(p, m);
	else if (m->rejected)
		rstar_svg_put(&p->svg, rstar_node_status_name(node->status));
	else
	{
		rstar_svg_printf(&p->svg, "N %u", node->visits);
		if (node->visits > 0)
			rstar_svg_printf(&p->svg, " \xc2\xb7 Q %.2f", rstar_sane(rstar_node_q(node)));
		if (node->scored)
			rstar_svg_printf(&p->svg, " \xc2\xb7 PPM %.2f", rstar_sane(node->ppm_score));
	}
	rstar_svg_put(&p->svg, "</text>");
	if (!m->rejected && node->visits > 0)
		put_gauge(p, rstar_node_q(node));
}

/* The second line: the statement, code and what it printed, or the failure. */
static void
put_detail(rstar_picture *p, const rstar_mark *m, double width)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);
	double used = 0;

	rstar_svg_printf(&p->svg, "<text class=\"c\" x=\"%.0f\" y=\"4\">",
					 -RSTAR_SVG_CARD_WIDTH / 2.0 + 14);
	if (m->node == 0)
		used = rstar_svg_line(&p->svg, p->facts->problem, RSTAR_SVG_MONO, 11, width);
	else if (m->rejected)
		used = rstar_svg_line(&p->svg, rstar_picture_failure(node), RSTAR_SVG_MONO, 11, width);
	else if (rstar_picture_words(node).length > 0)
		used = rstar_svg_line(&p->svg, rstar_picture_code(node), RSTAR_SVG_MONO, 11,
							  node->output.length > 0 ? width * 0.6 : width);
	if (!m->rejected && node->kind == RSTAR_NODE_STEP && node->output.length > 0 &&
		width - used > 40)
	{
		rstar_svg_put(&p->svg, used > 0 ? " \xe2\x86\x92 " : "\xe2\x86\x92 ");
		rstar_svg_line(&p->svg, node->output, RSTAR_SVG_MONO, 11, width - used - 20);
	}
	rstar_svg_put(&p->svg, "</text>");
}

/*
 * Drawn around the origin: the group around it carries the place. The name gets the width that
 * icon and prefix leave on the first line. Text widths are estimates, as no font is at hand.
 */
static void
put_card(rstar_picture *p, const rstar_mark *m)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);
	const double left = -RSTAR_SVG_CARD_WIDTH / 2.0, above = -RSTAR_SVG_CARD_HEIGHT / 2.0,
				 inner = RSTAR_SVG_CARD_WIDTH - 28;
	bool icon = m->rejected || node->kind == RSTAR_NODE_ANSWER;
	char colour[8];

	rstar_svg_colour(rstar_node_q(node), colour);
	rstar_svg_printf(&p->svg,
					 "<rect class=\"k%s%s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" "
					 "rx=\"8\"/>",
					 m->on_path ? " kw" : "", m->rejected ? " kr" : "", left, above,
					 RSTAR_SVG_CARD_WIDTH, RSTAR_SVG_CARD_HEIGHT);
	if (!m->rejected && m->node > 0 && node->visits > 0)
		rstar_svg_printf(&p->svg,
						 "<rect x=\"%.0f\" y=\"%.0f\" width=\"4\" height=\"%d\" rx=\"2\" "
						 "fill=\"%s\"/>",
						 left + 4, above + 8, RSTAR_SVG_CARD_HEIGHT - 16, colour);
	if (icon)
	{
		rstar_svg_printf(&p->svg, "<g transform=\"translate(%.0f %.0f)\">",
						 RSTAR_SVG_CARD_WIDTH / 2.0 - 18, above + 18);
		rstar_svg_shape(p, m, node->kind == RSTAR_NODE_ANSWER && node->correct ? 5.5 : 6);
		rstar_svg_put(&p->svg, "</g>");
	}
	rstar_svg_printf(&p->svg, "<text class=\"b%s\" x=\"%.0f\" y=\"%.0f\">", m->rejected ? " m" : "",
					 left + 14, above + 20);
	if (!m->rejected && node->kind == RSTAR_NODE_ANSWER)
		rstar_svg_put(&p->svg, "Answer ");
	rstar_svg_name(p, m, RSTAR_SVG_BOLD, 12,
				   inner - (icon ? 22 : 0) - (node->kind == RSTAR_NODE_ANSWER ? 48 : 0));
	rstar_svg_put(&p->svg, "</text>");
	put_detail(p, m, inner);
	put_figures(p, m);
}

/* --- marks ----------------------------------------------------------------------- */

static double
mark_radius(const rstar_picture *p, const rstar_mark *m)
{
	double visits = rstar_mark_node(p, m)->visits;

	if (m->rejected)
		return p->size * (m->count > 1 ? 1 : 0.8);
	if (rstar_mark_node(p, m)->kind == RSTAR_NODE_ANSWER && p->look == RSTAR_LOOK_RADIAL)
		return p->size * 1.3;
	return p->size * rstar_bounded(0.85 + 0.12 * log2(1 + visits), 0.85, 2);
}

/* Beside a mark: its number on the way to the answer, or an answer where there is room. */
static void
put_beside(rstar_picture *p, const rstar_mark *m, double r)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);

	if (m->node == p->facts->answer_node)
		r = r * 1.7 + 3; /* the circle around it */
	if (m->on_path && m->step > 0 && p->ring >= 20)
		rstar_svg_printf(&p->svg, "<text class=\"pn\" text-anchor=\"middle\" y=\"%.1f\">%u</text>",
						 -r - 5, m->step);
	if (p->look != RSTAR_LOOK_WIDE || p->unit < 11)
		return;
	if (m->count > 1)
		rstar_svg_printf(&p->svg, "<text class=\"s\" x=\"%.1f\" y=\"4\">%u</text>", r + 4,
						 m->count);
	else if (node->kind == RSTAR_NODE_ANSWER && !m->rejected)
	{
		rstar_svg_printf(&p->svg, "<text class=\"s\" x=\"%.1f\" y=\"4\">", r * 1.7 + 4);
		rstar_svg_line(&p->svg, node->answer, RSTAR_SVG_SANS, 11, 64);
		rstar_svg_put(&p->svg, "</text>");
	}
}

static void
put_marks(rstar_picture *p)
{
	for (uint32_t i = 0; i < p->n_marks && rstar_picture_goes_on(p, i); i++)
	{
		const rstar_mark *m = &p->marks[i];
		double r = mark_radius(p, m);

		rstar_svg_printf(&p->svg, "<g transform=\"translate(%.1f %.1f)\">", m->x, m->y);
		put_tooltip(p, m);
		if (p->look == RSTAR_LOOK_CARDS)
			put_card(p, m);
		else
		{
			/* a place for the mouse that is larger than the mark */
			rstar_svg_printf(&p->svg, "<circle r=\"%.1f\" fill=\"transparent\"/>", r + 2);
			if (m->node > 0 && m->node == p->facts->answer_node)
				rstar_svg_printf(&p->svg, "<circle class=\"w\" r=\"%.1f\" stroke-width=\"2\"/>",
								 r * 1.7 + 3);
			rstar_svg_shape(p, m, r);
			put_beside(p, m, r);
		}
		rstar_svg_put(&p->svg, "</g>\n");
	}
}

/* Faint lines of equal depth. */
static void
put_guides(rstar_picture *p)
{
	if (p->look == RSTAR_LOOK_CARDS || p->ring < 20)
		return;
	for (uint32_t d = 1; d <= p->depth; d++)
	{
		if (p->look == RSTAR_LOOK_RADIAL)
			rstar_svg_printf(&p->svg, "<circle class=\"g\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n",
							 p->center_x, p->center_y, d * p->ring);
		else
			rstar_svg_printf(&p->svg,
							 "<path class=\"g\" d=\"M%.1f %.1fV%.1f\"/><text class=\"s\" "
							 "text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">%u</text>\n",
							 p->marks[0].x + d * p->ring, p->top + 8, p->height,
							 p->marks[0].x + d * p->ring, p->top + 2, d);
	}
}

void
rstar_svg_drawing(rstar_picture *p)
{
	put_guides(p);
	put_links(p);
	put_marks(p);
}

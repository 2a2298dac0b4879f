/*
 * svg_page.c
 *	  What stands around the drawing of a tree: style, head, the way to the answer
 *	  in words, legend.
 */
#include <string.h>

#include "core/picture/picture_internal.h"

#define PATH_LINES 24 /* of the panel */
#define LINE       19 /* px */

/* Its classes hold below the picture's own, so that pictures share a page of HTML. */
static const char style[] =
	"<style>"
	".rstar-tree text{font-size:12px;fill:#1f2328;"
	"font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
	".rstar-tree .bg{fill:#fff}.rstar-tree .h{font-size:19px;font-weight:600}"
	".rstar-tree .p{font-size:14px}.rstar-tree .m{fill:#656d76}"
	".rstar-tree .b{font-weight:600}"
	".rstar-tree .c{font-size:11px;fill:#656d76;"
	"font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}"
	".rstar-tree .s{font-size:11px;fill:#656d76}.rstar-tree .l{fill:none;stroke:#a8b0b8}"
	".rstar-tree .w{fill:none;stroke:#e69f00;stroke-linecap:round}"
	".rstar-tree .k{fill:#fff;stroke:#d0d7de}.rstar-tree .kw{stroke:#e69f00;stroke-width:2.5}"
	".rstar-tree .kr{stroke-dasharray:4 3}.rstar-tree .g{fill:none;stroke:#e6e9ec}"
	".rstar-tree .ok{fill:#009e73}"
	".rstar-tree .no{fill:none;stroke:#d55e00;stroke-linecap:round}"
	".rstar-tree .re{fill:none;stroke:#8b949e}.rstar-tree .un{fill:none;stroke:#8b949e}"
	".rstar-tree .root{fill:none;stroke:#57606a;stroke-width:2}"
	".rstar-tree .pn{font-size:10px;font-weight:700;paint-order:stroke;stroke:#fff;"
	"stroke-width:3px;fill:#9a6700}"
	"@media(prefers-color-scheme:dark){.rstar-tree text{fill:#e6edf3}"
	".rstar-tree .bg{fill:#0d1117}.rstar-tree .m,.rstar-tree .s,.rstar-tree .c{fill:#9198a1}"
	".rstar-tree .l{stroke:#59626c}.rstar-tree .k{fill:#161b22;stroke:#3d444d}"
	".rstar-tree .kw{stroke:#e69f00}.rstar-tree .g{stroke:#21262d}"
	".rstar-tree .root{stroke:#b1bac4}.rstar-tree .pn{stroke:#0d1117;fill:#f0b72f}"
	".rstar-tree .ok{fill:#2bc99a}}</style>\n";

void
rstar_svg_style(rstar_picture *p)
{
	rstar_svg_put(&p->svg, style);
}

/* --- head ------------------------------------------------------------------------ */

/* A text in up to `lines` lines; *y moves behind them. */
static void
put_wrapped(rstar_picture *p, rstar_string text, int lines, double width, double *y)
{
	while (text.length > 0 && lines-- > 0)
	{
		size_t fits = lines == 0 ? text.length : rstar_svg_fit(text, RSTAR_SVG_SANS, 14, width);

		rstar_svg_printf(&p->svg, "<text class=\"p\" x=\"%d\" y=\"%.0f\">", RSTAR_SVG_MARGIN, *y);
		rstar_svg_line(&p->svg, (rstar_string){text.data, fits}, RSTAR_SVG_SANS, 14, width);
		rstar_svg_put(&p->svg, "</text>\n");
		*y += 20;
		text.data += fits;
		text.length -= fits;
	}
}

static void
put_verdict(rstar_picture *p)
{
	const rstar_picture_facts *f = p->facts;
	bool graded = f->answer_node < p->tree->n_nodes && p->tree->nodes[f->answer_node].graded;
	bool correct = graded && p->tree->nodes[f->answer_node].correct;

	if (!f->answer.data)
	{
		rstar_svg_put(&p->svg, "no answer");
		return;
	}
	rstar_svg_put(&p->svg, "answer ");
	rstar_svg_line(&p->svg, f->answer, RSTAR_SVG_SANS, 13, 240);
	if (graded)
		rstar_svg_put(&p->svg, correct ? " \xe2\x80\x93 correct" : " \xe2\x80\x93 wrong");
	if (f->known_answer.data && !correct)
	{
		rstar_svg_put(&p->svg, " (known answer ");
		rstar_svg_line(&p->svg, f->known_answer, RSTAR_SVG_SANS, 13, 240);
		rstar_svg_put(&p->svg, ")");
	}
}

void
rstar_svg_head(rstar_picture *p, double width)
{
	const rstar_picture_facts *f = p->facts;
	double y = RSTAR_SVG_MARGIN + 14;

	rstar_svg_printf(&p->svg, "<text class=\"h\" x=\"%d\" y=\"%.0f\">Tree %lld: ", RSTAR_SVG_MARGIN,
					 y, (long long) f->tree_id);
	put_verdict(p);
	rstar_svg_put(&p->svg, "</text>\n");
	y += 26;
	put_wrapped(p, f->problem, 3, width, &y);
	rstar_svg_printf(&p->svg, "<text class=\"m\" x=\"%d\" y=\"%.0f\">", RSTAR_SVG_MARGIN, y);
	if (f->settings.length > 0)
	{
		rstar_svg_line(&p->svg, f->settings, RSTAR_SVG_SANS, 12, width);
		y += 18;
		rstar_svg_printf(&p->svg, "</text>\n<text class=\"m\" x=\"%d\" y=\"%.0f\">",
						 RSTAR_SVG_MARGIN, y);
	}
	rstar_svg_printf(&p->svg,
					 "%u rollouts, %u nodes, %u answers (%u correct), %u rejected, %llu tokens, "
					 "%.0f ms</text>\n",
					 f->rollouts, p->tree->n_nodes, p->counts.answers, p->counts.correct,
					 p->counts.rejected, (unsigned long long) f->generated_tokens, f->search_ms);
	p->top = y + 22;
}

/* What a node is called; an answer by its answer. Returns the width. */
double
rstar_svg_name(rstar_picture *p, const rstar_mark *m, rstar_svg_font font, double size,
			   double width)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);
	rstar_string name = rstar_picture_words(node);

	if (m->node == 0)
		name = (rstar_string){"Problem", 7};
	else if (m->count > 1)
	{
		rstar_svg_printf(&p->svg, "%u rejected", m->count);
		return size * 6;
	}
	else if (node->kind == RSTAR_NODE_ANSWER)
		name = node->answer;
	else if (name.length == 0)
		name = rstar_picture_code(node);
	if (name.length == 0)
		name = (rstar_string){"(nothing)", 9};
	return rstar_svg_line(&p->svg, name, font, size, width);
}

/* One step of the way to the answer, in the panel. */
static void
put_panel_line(rstar_picture *p, const rstar_mark *m, double y, double width)
{
	const rstar_tree_node *node = rstar_mark_node(p, m);
	rstar_string detail = rstar_picture_code(node);
	double x = RSTAR_SVG_MARGIN + 190, used;

	rstar_svg_printf(&p->svg,
					 "<text class=\"b\" x=\"%d\" y=\"%.0f\">%u</text><text class=\"s\" x=\"%d\" "
					 "y=\"%.0f\">N %u</text><text class=\"s\" x=\"%d\" y=\"%.0f\">Q %.2f</text>",
					 RSTAR_SVG_MARGIN, y, m->step, RSTAR_SVG_MARGIN + 26, y, node->visits,
					 RSTAR_SVG_MARGIN + 72, y, rstar_sane(rstar_node_q(node)));
	if (node->scored)
		rstar_svg_printf(&p->svg, "<text class=\"s\" x=\"%d\" y=\"%.0f\">PPM %.2f</text>",
						 RSTAR_SVG_MARGIN + 122, y, rstar_sane(node->ppm_score));
	rstar_svg_printf(&p->svg, "<text x=\"%.0f\" y=\"%.0f\">", x, y);
	if (node->kind == RSTAR_NODE_ANSWER)
		rstar_svg_put(&p->svg, "answer ");
	used = rstar_svg_name(p, m, RSTAR_SVG_SANS, 12, width * 0.45);
	rstar_svg_put(&p->svg, "</text>");
	if (rstar_picture_words(node).length > 0 && detail.length > 0)
	{
		x += used + 16;
		rstar_svg_printf(&p->svg, "<text class=\"c\" x=\"%.0f\" y=\"%.0f\">", x, y);
		rstar_svg_line(&p->svg, detail, RSTAR_SVG_MONO, 11, width + RSTAR_SVG_MARGIN - x);
		rstar_svg_put(&p->svg, "</text>");
	}
	rstar_svg_put(&p->svg, "\n");
}

/* The way to the answer in words, for looks whose marks have none. */
void
rstar_svg_panel(rstar_picture *p, double width)
{
	uint32_t at = RSTAR_NO_MARK, *way;
	double y = p->top;

	if (p->look == RSTAR_LOOK_CARDS || p->path_length == 0)
		return;
	way = rstar_alloc_array(p->allocator, p->path_length, sizeof *way);
	if (!way)
	{
		p->svg.failed = true;
		return;
	}
	for (uint32_t i = 0; i < p->n_marks; i++)
	{
		if (p->marks[i].on_path && p->marks[i].depth == p->path_length)
			at = i;
	}
	for (; at != RSTAR_NO_MARK && p->marks[at].parent != RSTAR_NO_MARK; at = p->marks[at].parent)
		way[p->marks[at].step - 1] = at;
	rstar_svg_printf(&p->svg,
					 "<text class=\"b\" x=\"%d\" y=\"%.0f\">The way to the answer</text>\n",
					 RSTAR_SVG_MARGIN, y);
	for (uint32_t i = 0; i < p->path_length; i++)
	{
		/* of a long one, the beginning and the answer */
		if (i >= PATH_LINES - 1 && i + 1 < p->path_length)
			continue;
		y += LINE;
		put_panel_line(p, &p->marks[way[i]], y, width);
	}
	rstar_free(p->allocator, way);
	p->top = y + 22;
}

/* --- legend ---------------------------------------------------------------------- */

static void
put_scale(rstar_picture *p, double x, double y)
{
	for (int i = 0; i < 21; i++)
	{
		char colour[8];

		rstar_svg_colour(i / 10.0 - 1, colour);
		rstar_svg_printf(&p->svg,
						 "<rect x=\"%.1f\" y=\"%.1f\" width=\"4.2\" height=\"8\" fill=\"%s\"/>",
						 x + 30 + i * 4.0, y - 9, colour);
	}
	rstar_svg_printf(&p->svg,
					 "<text class=\"s\" x=\"%.1f\" y=\"%.1f\">Q \xe2\x88\x92"
					 "1</text><text class=\"s\" x=\"%.1f\" y=\"%.1f\">+1</text>\n",
					 x - 6, y, x + 120, y);
}

/*
 * Samples are drawn by the code that draws the tree, on a tree of one node below its root, so
 * the legend cannot fall behind what it explains. The copy of the picture writes to the same
 * file; only its failure has to be taken back.
 */
void
rstar_svg_legend(rstar_picture *p)
{
	static const struct
	{
		const char *text;
		rstar_tree_node node;
		bool rejected;
	} shapes[] = {
		{"step", {.kind = RSTAR_NODE_STEP, .visits = 1, .value_sum = 0.6}, false},
		{"not visited", {.kind = RSTAR_NODE_STEP}, false},
		{"correct answer", {.kind = RSTAR_NODE_ANSWER, .graded = true, .correct = true}, false},
		{"wrong answer", {.kind = RSTAR_NODE_ANSWER, .graded = true}, false},
		{"ungraded answer", {.kind = RSTAR_NODE_ANSWER, .visits = 1}, false},
		{"rejected", {.kind = RSTAR_NODE_STEP}, true}};
	rstar_tree tree = {.n_nodes = 2};
	rstar_tree_node nodes[2] = {{.kind = RSTAR_NODE_ROOT}};
	rstar_picture sample = *p; /* draws these nodes, into the same file */
	double x = RSTAR_SVG_MARGIN + 6, y = p->height + 34;

	tree.nodes = nodes;
	sample.tree = &tree;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
	{
		rstar_mark m = {.node = 1, .count = 1, .rejected = shapes[i].rejected};

		nodes[1] = shapes[i].node;
		rstar_svg_printf(&sample.svg, "<g transform=\"translate(%.1f %.1f)\">", x, y - 4);
		rstar_svg_shape(&sample, &m, 5);
		rstar_svg_printf(&sample.svg, "<text class=\"s\" x=\"12\" y=\"4\">%s</text></g>\n",
						 shapes[i].text);
		x += 34 + 6.2 * (double) strlen(shapes[i].text);
	}
	rstar_svg_printf(&sample.svg,
					 "<path class=\"w\" stroke-width=\"4\" d=\"M%.1f %.1fh22\"/><text class=\"s\" "
					 "x=\"%.1f\" y=\"%.1f\">way to the answer given</text>\n",
					 x - 4, y - 4, x + 26, y);
	put_scale(&sample, x + 180, y);
	p->svg.failed = sample.svg.failed;
}

/*
 * picture_svg.c
 *	  A tree as a picture, for a browser.
 *
 * Nodes become marks (rejected siblings perhaps one mark together), the layout
 * says where they stand across the direction of growth, and the look makes
 * points of that. Then the file is written: head, the way to the answer in words (where the
 * marks have none), links, marks, legend.
 */
#include "core/picture/picture_svg.h"

#include <string.h>

#include "core/picture/layout.h"
#include "core/picture/picture_internal.h"

/* Which look for which tree. */
#define CARDS_MARKS 40 /* most marks that are cards */
#define CARDS_DEPTH 12
#define WIDE_ENDS   150 /* most marks without children that stand in a column */
#define WIDE_DEPTH  60  /* a deeper tree is a chain, which nothing bends */
#define GROUP_NODES 16  /* with more, rejected siblings share a mark */

#define CARD_COLUMN 276 /* px */
#define CARD_ROW    80
#define TIERS       3
#define TIER_STEP   0.15 /* of the distance between levels */

/* --- marks ----------------------------------------------------------------------- */

static rstar_mark *
new_mark(rstar_picture *p, uint32_t node, uint32_t parent)
{
	rstar_mark *m = &p->marks[p->n_marks++];

	*m = (rstar_mark){.node = node, .parent = parent, .count = 1};
	if (parent != RSTAR_NO_MARK)
	{
		m->depth = p->marks[parent].depth + 1;
		p->marks[parent].has_children = true;
	}
	return m;
}

/* Survivors first; mark_of[node] is theirs. */
static void
mark_survivors(rstar_picture *p, uint32_t *mark_of)
{
	for (uint32_t id = 0; id < p->tree->n_nodes; id++)
	{
		const rstar_tree_node *node = &p->tree->nodes[id];
		uint32_t parent = node->parent == RSTAR_NO_NODE ? RSTAR_NO_MARK : mark_of[node->parent];

		mark_of[id] = RSTAR_NO_MARK;
		if (id > 0 && (rstar_node_rejected(node) || parent == RSTAR_NO_MARK))
			continue;
		mark_of[id] = p->n_marks;
		(void) new_mark(p, id, parent);
	}
}

static void
mark_rejected(rstar_picture *p, const uint32_t *mark_of, uint32_t *group_of, bool group)
{
	for (uint32_t id = 1; id < p->tree->n_nodes; id++)
	{
		const rstar_tree_node *node = &p->tree->nodes[id];
		uint32_t parent = mark_of[node->parent];

		if (!rstar_node_rejected(node) || parent == RSTAR_NO_MARK)
			continue;
		if (group && group_of[parent] != RSTAR_NO_MARK)
		{
			p->marks[group_of[parent]].count++;
			continue;
		}
		group_of[parent] = p->n_marks;
		new_mark(p, id, parent)->rejected = true;
	}
}

static void
mark_path(rstar_picture *p, const uint32_t *mark_of)
{
	uint32_t leaf = p->facts->answer_node;
	uint32_t at = leaf < p->tree->n_nodes ? mark_of[leaf] : RSTAR_NO_MARK;

	p->path_length = at == RSTAR_NO_MARK ? 0 : p->marks[at].depth;
	for (; at != RSTAR_NO_MARK; at = p->marks[at].parent)
	{
		p->marks[at].on_path = true;
		p->marks[at].step = p->marks[at].depth;
	}
}

/*
 * Survivors first, since a rejected node hangs on the mark of its parent. In a large tree the
 * rejected children of a node are one mark with a count. Ends of one parent take turns in
 * height, so that their labels do not collide.
 */
static bool
make_marks(rstar_picture *p)
{
	uint32_t n = p->tree->n_nodes;
	uint32_t *mark_of = rstar_alloc_array(p->allocator, n, sizeof *mark_of);
	uint32_t *group_of = rstar_alloc_array(p->allocator, n, sizeof *group_of);

	p->marks = rstar_alloc_array(p->allocator, n, sizeof *p->marks);
	p->breadth = rstar_alloc_array(p->allocator, n, sizeof *p->breadth);
	if (mark_of && group_of && p->marks && p->breadth)
	{
		memset(group_of, 0xFF, n * sizeof *group_of);
		mark_survivors(p, mark_of);
		mark_rejected(p, mark_of, group_of, n > GROUP_NODES);
		mark_path(p, mark_of);
		for (uint32_t i = 0; i < p->n_marks; i++)
		{
			if (!p->marks[i].has_children)
			{
				p->n_ends++;
				if (i > 0)
					p->marks[i].tier = p->marks[p->marks[i].parent].ends++ % TIERS;
			}
			if (p->marks[i].depth > p->depth)
				p->depth = p->marks[i].depth;
		}
	}
	else
		p->svg.failed = true;
	rstar_free(p->allocator, mark_of);
	rstar_free(p->allocator, group_of);
	return !p->svg.failed;
}

/* --- where they stand ------------------------------------------------------------ */

static double
separation(const void *arg, uint32_t a, uint32_t b)
{
	const rstar_picture *p = arg;
	double apart = p->marks[a].parent == p->marks[b].parent ? 1 : 1.4;

	if (p->look == RSTAR_LOOK_RADIAL && apart == 1 && !p->marks[a].has_children &&
		!p->marks[b].has_children)
		apart = 0.45; /* they stand on different circles */
	if (p->look == RSTAR_LOOK_CARDS)
		return p->marks[a].parent == p->marks[b].parent ? 1 : 1.15;
	return p->look == RSTAR_LOOK_RADIAL ? apart / p->marks[a].depth : apart;
}

static void
choose_look(rstar_picture *p)
{
	if (p->n_marks <= CARDS_MARKS && p->depth <= CARDS_DEPTH)
		p->look = RSTAR_LOOK_CARDS;
	else if (p->n_ends <= WIDE_ENDS || p->depth > WIDE_DEPTH)
		p->look = RSTAR_LOOK_WIDE;
	else
		p->look = RSTAR_LOOK_RADIAL;
}

static double
widest(const rstar_picture *p)
{
	double most = 0;

	for (uint32_t i = 0; i < p->n_marks; i++)
	{
		if (p->breadth[i] > most)
			most = p->breadth[i];
	}
	return most;
}

static void
place_straight(rstar_picture *p)
{
	bool cards = p->look == RSTAR_LOOK_CARDS;
	double across = widest(p), left, above;

	p->ring = cards ? CARD_COLUMN : rstar_bounded(1500.0 / (p->depth + 1), 8, 120);
	p->unit = cards ? CARD_ROW : rstar_bounded(1400.0 / (across + 1), 9, 24);
	p->size = rstar_bounded(p->unit * 0.27, 2.6, 5.5);
	left = RSTAR_SVG_MARGIN + (cards ? RSTAR_SVG_CARD_WIDTH / 2.0 : 14);
	above = p->top + (cards ? RSTAR_SVG_CARD_HEIGHT / 2.0 : 26);
	for (uint32_t i = 0; i < p->n_marks; i++)
	{
		p->marks[i].x = left + p->marks[i].depth * p->ring;
		p->marks[i].y = above + p->breadth[i] * p->unit;
	}
	p->width =
		left + p->depth * p->ring + (cards ? RSTAR_SVG_CARD_WIDTH / 2.0 : 70) + RSTAR_SVG_MARGIN;
	p->height = above + across * p->unit + (cards ? RSTAR_SVG_CARD_HEIGHT / 2.0 : 14);
}

/* The same drawing around the root; the layout spaced neighbours by 1 / depth. */
static void
place_round(rstar_picture *p)
{
	const double full = 2 * 3.14159265358979323846;
	double across = widest(p) + 1.0 / (p->depth ? p->depth : 1), radius;

	p->ring = rstar_bounded(10 * across / full, 34, 720.0 / p->depth);
	p->unit = p->ring * full / across; /* px along the circles */
	p->size = rstar_bounded(p->unit * 0.38, 1.8, 4.5);
	radius = p->ring * (p->depth + TIER_STEP * (TIERS - 1));
	p->width = 2 * (radius + RSTAR_SVG_MARGIN + 16);
	p->center_x = p->width / 2;
	p->center_y = p->top + radius + 16;
	p->height = p->center_y + radius + 16;
	for (uint32_t i = 0; i < p->n_marks; i++)
	{
		rstar_mark *m = &p->marks[i];

		m->angle = full * (p->breadth[i] / across - 0.25);
		m->radius = (m->depth + TIER_STEP * m->tier) * p->ring;
		m->x = p->center_x + m->radius * cos(m->angle);
		m->y = p->center_y + m->radius * sin(m->angle);
	}
}

static rstar_status
place_marks(rstar_picture *p, rstar_error *err)
{
	uint32_t *parents = rstar_alloc_array(p->allocator, p->n_marks, sizeof *parents);
	rstar_status status;

	if (!parents)
		return rstar_error_memory(err, p->n_marks * sizeof *parents);
	for (uint32_t i = 0; i < p->n_marks; i++)
		parents[i] = p->marks[i].parent;
	status =
		rstar_layout(parents, p->n_marks, separation, p, p->breadth, p->allocator, p->cancel, err);
	rstar_free(p->allocator, parents);
	return status;
}

/* --- the page -------------------------------------------------------------------- */

static void
place_drawing(rstar_picture *p)
{
	if (p->look == RSTAR_LOOK_RADIAL)
		place_round(p);
	else
		place_straight(p);
}

/*
 * The page's size comes first in the file, and depends on how many lines the head takes: the
 * head is written aside, wrapped to the width that the drawing will have.
 */
static void
put_file(rstar_picture *p, rstar_buffer *out)
{
	const double least = 990; /* the legend's */
	rstar_buffer head;
	double width, text_width;

	p->top = 0;
	place_drawing(p);
	width = p->width > least ? p->width : least;
	text_width = (width < 1400 ? width : 1400) - 2 * RSTAR_SVG_MARGIN;

	rstar_buffer_init(&head, p->allocator);
	p->svg.out = &head;
	rstar_svg_head(p, text_width);
	rstar_svg_panel(p, text_width);
	place_drawing(p);
	p->svg.out = out;
	rstar_svg_printf(&p->svg,
					 "<svg class=\"rstar-tree\" xmlns=\"http://www.w3.org/2000/svg\" "
					 "width=\"%.0f\" height=\"%.0f\" "
					 "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>Search tree %lld</title>\n",
					 width, p->height + 56, width, p->height + 56, (long long) p->facts->tree_id);
	rstar_svg_style(p);
	rstar_svg_put(&p->svg, "<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n");
	p->svg.failed = p->svg.failed || !rstar_buffer_append(out, head.data, head.length);
	rstar_buffer_free(&head);
	rstar_svg_drawing(p);
	rstar_svg_legend(p);
	rstar_svg_put(&p->svg, "</svg>\n");
}

rstar_status
rstar_picture_svg(const rstar_tree *tree, const rstar_picture_facts *facts, rstar_buffer *out,
				  const rstar_cancel *cancel, rstar_error *err)
{
	rstar_picture p = {.tree = tree,
					   .facts = facts,
					   .allocator = out->allocator,
					   .cancel = cancel,
					   .svg = {.out = out}};
	rstar_status status = RSTAR_OK;

	rstar_picture_count(tree, &p.counts);
	if (rstar_picture_goes_on(&p, 0) && make_marks(&p))
	{
		choose_look(&p);
		status = place_marks(&p, err);
		if (status == RSTAR_OK && rstar_picture_goes_on(&p, 0))
			put_file(&p, out);
	}
	rstar_free(p.allocator, p.marks);
	rstar_free(p.allocator, p.breadth);
	if (status == RSTAR_OK && p.cancelled)
		return rstar_error_set(err, RSTAR_ERR_CANCELLED, "drawing was cancelled");
	if (status == RSTAR_OK && p.svg.failed)
		status = rstar_error_memory(err, out->length);
	return status;
}

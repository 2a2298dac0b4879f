/*
 * layout.c
 *	  Where the nodes of a drawn tree go.
 *
 * The first walk goes up from the last node to the root. When it comes to a
 * node, the subtrees below its children are laid out, each by itself; the
 * children are now put beside each other, from left to right, each pushed
 * away from the contour of those before. A node keeps its place relative to
 * its parent's middle (prelim) and what all below it must be moved by (mod).
 * The contour is followed by threads, which lead from the lowest node of a
 * subtree's side to the next level of a deeper neighbour. The second walk goes down
 * and adds up what was moved.
 */
#include "core/picture/layout.h"

#define NONE  UINT32_MAX
#define SLICE 4096 /* nodes between looks at a cancel */

typedef struct place
{
	double prelim, mod;
	double middle;        /* above its children */
	double shift, change; /* to be spread among the siblings before */
	uint32_t parent;
	uint32_t first, last;   /* children */
	uint32_t before, after; /* siblings */
	uint32_t number;        /* among its siblings */
	uint32_t thread;
	uint32_t ancestor; /* whose subtree among the siblings it belongs to, while valid */
} place;

typedef struct layout
{
	place *at;
	rstar_layout_separation separation;
	const void *arg;
} layout;

static void
link_nodes(place *at, const uint32_t *parent, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		place *p = NULL;

		at[i] = (place){.parent = i == 0 ? NONE : parent[i],
						.first = NONE,
						.last = NONE,
						.before = NONE,
						.after = NONE,
						.thread = NONE,
						.ancestor = i};
		if (i == 0)
			continue;
		p = &at[parent[i]];
		at[i].before = p->last;
		if (p->last == NONE)
			p->first = i;
		else
		{
			at[p->last].after = i;
			at[i].number = at[p->last].number + 1;
		}
		p->last = i;
	}
}

static uint32_t
next_left(const place *at, uint32_t v)
{
	return at[v].first != NONE ? at[v].first : at[v].thread;
}

static uint32_t
next_right(const place *at, uint32_t v)
{
	return at[v].last != NONE ? at[v].last : at[v].thread;
}

/* Move the subtree of `to` by `shift`, and remember to spread it over those between. */
static void
move_subtree(place *at, uint32_t from, uint32_t to, double shift)
{
	double each = shift / (at[to].number - at[from].number);

	at[to].change -= each;
	at[to].shift += shift;
	at[from].change += each;
	at[to].prelim += shift;
	at[to].mod += shift;
}

/* Push v away from the subtrees before it; returns the new default ancestor. */
static uint32_t
apportion(layout *l, uint32_t v, uint32_t default_ancestor)
{
	place *at = l->at;
	uint32_t in_left = at[v].before, in_right = v;
	uint32_t out_left = at[at[v].parent].first, out_right = v;
	double sum_in_left, sum_in_right, sum_out_left, sum_out_right;

	if (in_left == NONE)
		return default_ancestor;
	sum_in_left = at[in_left].mod;
	sum_in_right = sum_out_right = at[v].mod;
	sum_out_left = at[out_left].mod;
	while (next_right(at, in_left) != NONE && next_left(at, in_right) != NONE)
	{
		double shift;

		in_left = next_right(at, in_left);
		in_right = next_left(at, in_right);
		out_left = next_left(at, out_left);
		out_right = next_right(at, out_right);
		at[out_right].ancestor = v;
		shift = at[in_left].prelim + sum_in_left - at[in_right].prelim - sum_in_right +
				l->separation(l->arg, in_left, in_right);
		if (shift > 0)
		{
			uint32_t from = at[in_left].ancestor;

			if (at[from].parent != at[v].parent)
				from = default_ancestor;
			move_subtree(at, from, v, shift);
			sum_in_right += shift;
			sum_out_right += shift;
		}
		sum_in_left += at[in_left].mod;
		sum_in_right += at[in_right].mod;
		sum_out_left += at[out_left].mod;
		sum_out_right += at[out_right].mod;
	}
	if (next_right(at, in_left) != NONE && next_right(at, out_right) == NONE)
	{
		at[out_right].thread = next_right(at, in_left);
		at[out_right].mod += sum_in_left - sum_out_right;
	}
	if (next_left(at, in_right) != NONE && next_left(at, out_left) == NONE)
	{
		at[out_left].thread = next_left(at, in_right);
		at[out_left].mod += sum_in_right - sum_out_left;
		default_ancestor = v;
	}
	return default_ancestor;
}

static void
spread(place *at, uint32_t parent)
{
	double shift = 0, change = 0;

	for (uint32_t w = at[parent].last; w != NONE; w = at[w].before)
	{
		at[w].prelim += shift;
		at[w].mod += shift;
		change += at[w].change;
		shift += at[w].shift + change;
	}
}

static void
place_children(layout *l, uint32_t parent)
{
	place *at = l->at;
	uint32_t default_ancestor = at[parent].first;

	for (uint32_t c = at[parent].first; c != NONE; c = at[c].after)
	{
		bool inner = at[c].first != NONE;

		if (at[c].before == NONE)
			at[c].prelim = inner ? at[c].middle : 0;
		else
		{
			at[c].prelim = at[at[c].before].prelim + l->separation(l->arg, at[c].before, c);
			at[c].mod = inner ? at[c].prelim - at[c].middle : 0;
		}
		default_ancestor = apportion(l, c, default_ancestor);
	}
	spread(at, parent);
	at[parent].middle = (at[at[parent].first].prelim + at[at[parent].last].prelim) / 2;
}

/* Down: add up what was moved, and begin at 0. */
static void
settle(place *at, uint32_t n, double *x)
{
	double least = 0;

	at[0].prelim = at[0].middle;
	at[0].mod = 0;
	x[0] = least = at[0].prelim;
	for (uint32_t i = 1; i < n; i++)
	{
		double moved = at[at[i].parent].mod;

		x[i] = at[i].prelim + moved;
		at[i].mod += moved;
		if (x[i] < least)
			least = x[i];
	}
	for (uint32_t i = 0; i < n; i++)
		x[i] -= least;
}

/* Up: from the last node to the root; false when cancelled. */
static bool
place_all(layout *l, uint32_t n, const rstar_cancel *cancel)
{
	for (uint32_t i = n; i-- > 0;)
	{
		if (i % SLICE == 0 && rstar_cancel_requested(cancel))
			return false;
		if (l->at[i].first != NONE)
			place_children(l, i);
	}
	return true;
}

rstar_status
rstar_layout(const uint32_t *parent, uint32_t n, rstar_layout_separation separation,
			 const void *arg, double *x, const rstar_allocator *allocator,
			 const rstar_cancel *cancel, rstar_error *err)
{
	layout l = {.separation = separation, .arg = arg};
	rstar_status status = RSTAR_OK;

	if (n == 0)
		return RSTAR_OK;
	l.at = rstar_alloc_array(allocator, n, sizeof *l.at);
	if (!l.at)
		return rstar_error_memory(err, n * sizeof *l.at);
	link_nodes(l.at, parent, n);
	if (place_all(&l, n, cancel))
		settle(l.at, n, x);
	else
		status = rstar_error_set(err, RSTAR_ERR_CANCELLED, "drawing was cancelled");
	rstar_free(allocator, l.at);
	return status;
}

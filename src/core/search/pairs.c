/*
 * pairs.c
 *	  Preference pairs: what a process preference model learns from.
 *
 * A child has a greater number than its parent, so one walk over the nodes
 * from the last to the first knows of every node what lies below it before
 * its parent asks: no recursion, however deep the tree.
 */
#include "core/search/pairs.h"

#include <string.h>

#include "core/text/edit.h"

/* Of the paths below a node to answers of one kind, the one that Q prefers. */
typedef struct completion
{
	uint32_t steps; /* 0: no such answer below */
	double sum;     /* of Q, the node itself included */
	double next_q;  /* Q of the child it goes through */
} completion;

typedef struct below
{
	completion best;  /* to a correct answer, by greatest Q */
	completion worst; /* to a wrong answer, by least Q */
} below;

/* One of the two rows, in order. */
typedef struct row
{
	uint32_t member[RSTAR_PAIRS_MANY];
	uint32_t n;
} row;

static double
mean(const completion *c)
{
	return c->sum / c->steps;
}

/* --- what lies below ------------------------------------------------------------- */

static void
begin_at_answer(const rstar_tree_node *node, below *b)
{
	completion here = {.steps = 1, .sum = rstar_node_q(node)};

	if (node->kind != RSTAR_NODE_ANSWER || !node->graded || rstar_node_rejected(node))
		return;
	if (node->correct)
		b->best = here;
	else
		b->worst = here;
}

/* Tell the parent. Children come last to first, so that a tie goes to the lower number. */
static void
extend(completion *parent, double parent_q, const completion *child, double child_q, bool greatest)
{
	if (child->steps == 0)
		return;
	if (parent->steps > 0 && (greatest ? child_q < parent->next_q : child_q > parent->next_q))
		return;
	parent->steps = child->steps + 1;
	parent->sum = parent_q + child->sum;
	parent->next_q = child_q;
}

static void
look_below(const rstar_tree *tree, below *of)
{
	for (uint32_t id = tree->n_nodes; id-- > 0;)
	{
		const rstar_tree_node *node = &tree->nodes[id];

		begin_at_answer(node, &of[id]);
		if (node->parent == RSTAR_NO_NODE)
			continue;

		double q = rstar_node_q(node), above = rstar_node_q(&tree->nodes[node->parent]);

		extend(&of[node->parent].best, above, &of[id].best, q, true);
		extend(&of[node->parent].worst, above, &of[id].worst, q, false);
	}
}

/* --- rows ------------------------------------------------------------------------ */

/* Insert into a row of at most RSTAR_PAIRS_MANY, kept in order; equals keep their order. */
static void
insert(row *r, uint32_t member, bool (*before)(const void *arg, uint32_t a, uint32_t b),
	   const void *arg)
{
	uint32_t at = r->n;

	while (at > 0 && before(arg, member, r->member[at - 1]))
		at--;
	if (at == RSTAR_PAIRS_MANY)
		return;
	if (r->n < RSTAR_PAIRS_MANY)
		r->n++;
	memmove(&r->member[at + 1], &r->member[at], (r->n - 1 - at) * sizeof r->member[0]);
	r->member[at] = member;
}

/* Two of each, or one against up to four. */
static void
cut(row *chosen, row *rejected)
{
	uint32_t chosen_found = chosen->n;

	if (chosen->n > RSTAR_PAIRS_SIDE && rejected->n != 1)
		chosen->n = RSTAR_PAIRS_SIDE;
	if (rejected->n > RSTAR_PAIRS_SIDE && chosen_found != 1)
		rejected->n = RSTAR_PAIRS_SIDE;
}

/* --- steps ----------------------------------------------------------------------- */

typedef struct step_work
{
	const rstar_tree *tree;
	const rstar_pair_options *options;
	const rstar_allocator *allocator;
	below *below;
	rstar_step_pair *pairs;
	size_t n_pairs, capacity;
} step_work;

static bool
greater_q(const void *tree, uint32_t a, uint32_t b)
{
	const rstar_tree_node *nodes = ((const rstar_tree *) tree)->nodes;

	return rstar_node_q(&nodes[a]) > rstar_node_q(&nodes[b]);
}

static bool
smaller_q(const void *tree, uint32_t a, uint32_t b)
{
	return greater_q(tree, b, a);
}

/* Margin of Q and distance of the texts. */
static rstar_status
differ(rstar_string a, rstar_string b, double margin, const rstar_pair_options *options,
	   const rstar_allocator *allocator, bool *yes, rstar_error *err)
{
	*yes = margin > 0 && margin >= options->min_margin;
	if (!*yes)
		return RSTAR_OK;
	return rstar_edit_at_least(a.data, a.length, b.data, b.length, options->min_edit, allocator,
							   yes, err);
}

static rstar_status
pair_steps(step_work *work, uint32_t parent, uint32_t chosen, uint32_t rejected, double weight,
		   rstar_error *err)
{
	const rstar_tree_node *a = &work->tree->nodes[chosen], *b = &work->tree->nodes[rejected];
	double margin = rstar_node_q(a) - rstar_node_q(b);
	bool yes;

	if (mean(&work->below[chosen].best) <= mean(&work->below[rejected].worst))
		return RSTAR_OK;

	rstar_status status =
		differ(a->text, b->text, margin, work->options, work->allocator, &yes, err);

	if (status != RSTAR_OK || !yes)
		return status;
	if (!rstar_grow(work->allocator, (void **) &work->pairs, &work->capacity, work->n_pairs + 1,
					sizeof *work->pairs))
		return rstar_error_memory(err, (work->n_pairs + 1) * sizeof *work->pairs);
	work->pairs[work->n_pairs++] = (rstar_step_pair){.parent = parent,
													 .chosen = chosen,
													 .rejected = rejected,
													 .margin = margin,
													 .weight = weight};
	return RSTAR_OK;
}

static rstar_status
pair_children(step_work *work, uint32_t parent, rstar_error *err)
{
	const rstar_tree *tree = work->tree;
	row chosen = {.n = 0}, rejected = {.n = 0};
	rstar_status status = RSTAR_OK;

	for (uint32_t c = tree->nodes[parent].first_child; c != RSTAR_NO_NODE;
		 c = tree->nodes[c].next_sibling)
	{
		if (work->below[c].best.steps > 0)
			insert(&chosen, c, greater_q, tree);
		if (work->below[c].worst.steps > 0)
			insert(&rejected, c, smaller_q, tree);
	}
	cut(&chosen, &rejected);
	for (uint32_t i = 0; i < chosen.n; i++)
	{
		for (uint32_t j = 0; j < rejected.n && status == RSTAR_OK; j++)
			status = pair_steps(work, parent, chosen.member[i], rejected.member[j],
								1.0 / (chosen.n * rejected.n), err);
	}
	return status;
}

rstar_status
rstar_step_pairs(const rstar_tree *tree, const rstar_pair_options *options,
				 const rstar_allocator *allocator, const rstar_cancel *cancel,
				 rstar_step_pair **pairs, size_t *n_pairs, rstar_error *err)
{
	step_work work = {.tree = tree, .options = options, .allocator = allocator};
	rstar_status status = RSTAR_OK;

	*pairs = NULL;
	*n_pairs = 0;
	work.below = rstar_alloc_array_zero(allocator, tree->n_nodes, sizeof *work.below);
	if (!work.below)
		return rstar_error_memory(err, tree->n_nodes * sizeof *work.below);
	look_below(tree, work.below);
	for (uint32_t id = 0; id < tree->n_nodes && status == RSTAR_OK; id++)
	{
		if (work.below[id].best.steps > 0 && work.below[id].worst.steps > 0)
			status = rstar_cancel_requested(cancel)
						 ? rstar_error_set(err, RSTAR_ERR_CANCELLED, "building pairs was cancelled")
						 : pair_children(&work, id, err);
	}
	rstar_free(allocator, work.below);
	if (status != RSTAR_OK)
	{
		rstar_free(allocator, work.pairs);
		return status;
	}
	*pairs = work.pairs;
	*n_pairs = work.n_pairs;
	return RSTAR_OK;
}

/* --- answers --------------------------------------------------------------------- */

/* By mean Q, least Q breaking ties, best first. */
static bool
better(const void *trajectories, uint32_t a, uint32_t b)
{
	const rstar_trajectory *t = trajectories;

	if (t[a].mean_q != t[b].mean_q)
		return t[a].mean_q > t[b].mean_q;
	return t[a].min_q > t[b].min_q;
}

static bool
worse(const void *trajectories, uint32_t a, uint32_t b)
{
	return better(trajectories, b, a);
}

/* Take `member`, or leave the row as it is if an equal solution stands before it there. */
static void
insert_distinct(row *r, uint32_t member, bool (*before)(const void *, uint32_t, uint32_t),
				const rstar_trajectory *t)
{
	const rstar_string *text = &t[member].solution;

	for (uint32_t i = 0; i < r->n; i++)
	{
		const rstar_string *other = &t[r->member[i]].solution;

		if (text->length != other->length || memcmp(text->data, other->data, text->length) != 0)
			continue;
		if (!before(t, member, r->member[i]))
			return;
		r->n--;
		memmove(&r->member[i], &r->member[i + 1], (r->n - i) * sizeof r->member[0]);
		break;
	}
	insert(r, member, before, t);
}

/*
 * Best against worst: the distinct right trajectories in order from the best, the distinct
 * wrong ones from the worst, cut to a few of each, and every one paired with every other. The
 * weights of one problem add up to at most 1, however many pairs it gives.
 */
rstar_status
rstar_answer_pairs(const rstar_trajectory *trajectories, uint32_t n,
				   const rstar_pair_options *options, const rstar_allocator *allocator,
				   rstar_answer_pair pairs[RSTAR_PAIRS_MANY], uint32_t *n_pairs, rstar_error *err)
{
	row chosen = {.n = 0}, rejected = {.n = 0};

	*n_pairs = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		if (trajectories[i].correct)
			insert_distinct(&chosen, i, better, trajectories);
		else
			insert_distinct(&rejected, i, worse, trajectories);
	}
	cut(&chosen, &rejected);
	for (uint32_t i = 0; i < chosen.n * rejected.n; i++)
	{
		uint32_t c = chosen.member[i / rejected.n], r = rejected.member[i % rejected.n];
		const rstar_trajectory *a = &trajectories[c], *b = &trajectories[r];
		double margin = a->mean_q - b->mean_q;
		bool yes;
		rstar_status status =
			differ(a->solution, b->solution, margin, options, allocator, &yes, err);

		if (status != RSTAR_OK)
			return status;
		if (yes && !(a->tree == b->tree && a->parent == b->parent))
			pairs[(*n_pairs)++] = (rstar_answer_pair){.chosen = c,
													  .rejected = r,
													  .margin = margin,
													  .weight = 1.0 / (chosen.n * rejected.n)};
	}
	return RSTAR_OK;
}

/*
 * picture_text.c
 *	  A tree as text, in the manner of EXPLAIN.
 *
 * The tree is walked by its links, without recursion: a chain may be a thousand
 * steps deep. Lines are indented down to MAX_INDENT levels; deeper ones
 * say their depth instead.
 */
#include "core/picture/picture_text.h"

#include <math.h>
#include <string.h>

#define MAX_INDENT     16 /* levels */
#define LABEL_COLUMNS  64
#define OUTPUT_COLUMNS 32
#define BRIEF_COLUMNS  44 /* of rejected candidates */
#define HEAD_COLUMNS   200
#define SHOWN_REJECTED 3 /* of a node; the others are counted */

typedef struct page
{
	const rstar_tree *tree;
	const rstar_picture_facts *facts;
	rstar_buffer *out;
	bool *on_path;
	bool rejected;
	bool failed; /* memory is out */
	const rstar_cancel *cancel;
	bool cancelled;
} page;

static void
put(page *p, const char *text)
{
	p->failed = p->failed || !rstar_buffer_append_text(p->out, text);
}

static void
put_line_of(page *p, rstar_string text, uint32_t columns)
{
	p->failed = p->failed || !rstar_picture_line(p->out, text, columns);
}

#define PUTF(p, ...) ((p)->failed = (p)->failed || !rstar_buffer_printf((p)->out, __VA_ARGS__))

static void
indent(page *p, uint32_t depth, const char *arrow)
{
	uint32_t levels = depth < MAX_INDENT ? depth : MAX_INDENT;

	PUTF(p, "%*s%s  ", (int) (6 * levels) - 4, "", arrow);
	if (depth > MAX_INDENT)
		PUTF(p, "[depth %u] ", depth);
}

/* "visits=3 q=0.667 ppm=0.412", and what is out of the ordinary. */
static void
put_figures(page *p, const rstar_tree_node *node)
{
	PUTF(p, "  (visits=%u", node->visits);
	if (node->visits > 0)
		PUTF(p, " q=%.3f", rstar_node_q(node));
	if (node->scored)
		PUTF(p, " ppm=%.3f", node->ppm_score);
	if (node->duplicates > 0)
		PUTF(p, " merged=%u", node->duplicates);
	if (node->status != RSTAR_NODE_OK)
		PUTF(p, " %s", rstar_node_status_name(node->status));
	put(p, ")");
}

static void
put_label(page *p, const rstar_tree_node *node, uint32_t columns)
{
	rstar_string label = rstar_picture_words(node);

	if (label.length == 0)
		label = rstar_picture_code(node);
	if (label.length == 0)
		put(p, "(nothing)");
	else
		put_line_of(p, label, columns);
}

static void
put_node(page *p, uint32_t id)
{
	const rstar_tree_node *node = &p->tree->nodes[id];

	if (id == 0)
		put(p, "Root");
	else
		indent(p, node->depth, p->on_path[id] ? "=>" : "->");
	if (node->kind == RSTAR_NODE_ANSWER)
	{
		put(p, "Answer: ");
		put_line_of(p, node->answer, LABEL_COLUMNS);
	}
	else if (id > 0)
		put_label(p, node, LABEL_COLUMNS);
	if (node->kind == RSTAR_NODE_STEP && node->output.length > 0)
	{
		put(p, " | ");
		put_line_of(p, node->output, OUTPUT_COLUMNS);
	}
	put_figures(p, node);
	if (node->kind == RSTAR_NODE_ANSWER && node->graded)
		put(p, node->correct ? "  correct" : "  wrong");
	put(p, "\n");
}

/* "2 error, 1 unparsable" */
static void
put_statuses(page *p, const uint32_t *by_status)
{
	const char *comma = "";

	for (int s = RSTAR_NODE_ERROR; s < RSTAR_N_NODE_STATUSES; s++)
	{
		if (by_status[s] == 0)
			continue;
		PUTF(p, "%s%u %s", comma, by_status[s], rstar_node_status_name((rstar_node_status) s));
		comma = ", ";
	}
}

/*
 * The first few in full, the rest as one line with their number for each reason: a node may
 * have more failures than a page has lines.
 */
static void
put_rejected(page *p, uint32_t parent)
{
	const rstar_tree_node *nodes = p->tree->nodes;
	uint32_t shown = 0, hidden = 0, by_status[RSTAR_N_NODE_STATUSES] = {0};

	for (uint32_t c = nodes[parent].first_child; c != RSTAR_NO_NODE; c = nodes[c].next_sibling)
	{
		if (!rstar_node_rejected(&nodes[c]))
			continue;
		if (shown == SHOWN_REJECTED)
		{
			hidden++;
			by_status[nodes[c].status]++;
			continue;
		}
		shown++;
		indent(p, nodes[c].depth, "x ");
		put_label(p, &nodes[c], BRIEF_COLUMNS);
		PUTF(p, "  (%s", rstar_node_status_name(nodes[c].status));
		if (nodes[c].output.length > 0)
		{
			put(p, ": ");
			put_line_of(p, rstar_picture_failure(&nodes[c]), LABEL_COLUMNS);
		}
		put(p, ")\n");
	}
	if (hidden == 0)
		return;
	indent(p, nodes[parent].depth + 1, "x ");
	PUTF(p, "%u more rejected  (", hidden);
	put_statuses(p, by_status);
	put(p, ")\n");
}

static uint32_t
first_shown(const rstar_tree_node *nodes, uint32_t id)
{
	while (id != RSTAR_NO_NODE && rstar_node_rejected(&nodes[id]))
		id = nodes[id].next_sibling;
	return id;
}

/* Every node, then what was rejected below it when its last child has been shown. */
static void
put_tree(page *p)
{
	const rstar_tree_node *nodes = p->tree->nodes;
	uint32_t at = 0;

	put_node(p, 0);
	while (!p->failed && !p->cancelled)
	{
		uint32_t next = first_shown(nodes, nodes[at].first_child);

		while (next == RSTAR_NO_NODE)
		{
			if (p->rejected)
				put_rejected(p, at);
			if (at == 0)
				return;
			next = first_shown(nodes, nodes[at].next_sibling);
			at = nodes[at].parent;
		}
		put_node(p, next);
		at = next;
		p->cancelled = at % RSTAR_PICTURE_SLICE == 0 && rstar_cancel_requested(p->cancel);
	}
}

static void
put_head(page *p)
{
	const rstar_picture_facts *f = p->facts;

	PUTF(p, "Tree %lld", (long long) f->tree_id);
	if (f->settings.length > 0)
	{
		put(p, ": ");
		put_line_of(p, f->settings, HEAD_COLUMNS);
	}
	put(p, "\nProblem: ");
	put_line_of(p, f->problem, HEAD_COLUMNS);
	if (f->known_answer.data)
	{
		put(p, "\nKnown answer: ");
		put_line_of(p, f->known_answer, HEAD_COLUMNS);
	}
	put(p, "\n\n");
}

/*
 * The figures come from two sources: what the tree itself shows is counted, what it does not
 * (tokens, times, the answer given) is read from its row. What was never graded is called
 * neither correct nor wrong.
 */
static void
put_foot(page *p)
{
	const rstar_picture_facts *f = p->facts;
	rstar_picture_counts n;

	rstar_picture_count(p->tree, &n);
	put(p, "\nAnswer: ");
	if (f->answer.data)
		put_line_of(p, f->answer, HEAD_COLUMNS);
	else
		put(p, "none");
	if (f->answer_node < p->tree->n_nodes && p->tree->nodes[f->answer_node].graded)
		put(p, p->tree->nodes[f->answer_node].correct ? "  (correct)" : "  (wrong)");
	PUTF(p, "\nAnswers reached: %u", n.answers);
	if (n.correct + n.wrong > 0)
		PUTF(p, ", %u correct, %u wrong", n.correct, n.wrong);
	if (f->first_correct != RSTAR_NO_NODE)
		PUTF(p, "; the first correct one in rollout %u", f->first_correct);
	PUTF(p, "\nRollouts: %u   Nodes: %u (%u steps, %u answers, %u rejected", f->rollouts,
		 p->tree->n_nodes, n.steps, n.answers, n.rejected);
	if (n.rejected > 0)
	{
		put(p, ": ");
		put_statuses(p, n.by_status);
	}
	PUTF(p, ")   Merged: %u   Depth: %u\n", n.duplicates, n.depth);
	PUTF(p, "Tokens: %llu   Python steps: %llu\n", (unsigned long long) f->generated_tokens,
		 (unsigned long long) f->python_steps);
	PUTF(p, "Time: %.3f ms (policy %.3f, ppm %.3f, sandbox %.3f)\n", f->search_ms, f->policy_ms,
		 f->ppm_ms, f->sandbox_ms);
}

rstar_status
rstar_picture_text(const rstar_tree *tree, const rstar_picture_facts *facts, bool rejected,
				   rstar_buffer *out, const rstar_cancel *cancel, rstar_error *err)
{
	page p = {.tree = tree, .facts = facts, .out = out, .rejected = rejected, .cancel = cancel};

	p.on_path = rstar_alloc_array_zero(out->allocator, tree->n_nodes, sizeof *p.on_path);
	if (!p.on_path)
		return rstar_error_memory(err, tree->n_nodes * sizeof *p.on_path);
	rstar_picture_mark_path(tree, facts->answer_node, p.on_path);
	put_head(&p);
	put_tree(&p);
	put_foot(&p);
	rstar_free(out->allocator, p.on_path);
	if (p.cancelled)
		return rstar_error_set(err, RSTAR_ERR_CANCELLED, "drawing was cancelled");
	return p.failed ? rstar_error_memory(err, out->length) : RSTAR_OK;
}

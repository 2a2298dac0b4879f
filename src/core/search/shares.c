/*
 * shares.c
 *	  The answers of a tree, each with its share of the probability.
 */
#include "core/search/shares.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/grade/grade.h"

typedef struct share_work
{
	const rstar_mcts *mcts;
	const rstar_allocator *allocator;
	rstar_answer_shares *shares;
	uint64_t *codes;   /* hash of each solution's code … */
	uint32_t *classes; /* … and the class it belongs to */
	uint32_t n;
} share_work;

static bool
equal(const rstar_allocator *allocator, rstar_string a, rstar_string b)
{
	return rstar_grade_compare(allocator, a.data, a.length, b.data, b.length).equal;
}

/* FNV-1a over the code of a node, without comments and white space. */
static uint64_t
hash_text(uint64_t hash, rstar_string text)
{
	bool comment = false;

	for (size_t i = 0; i < text.length; i++)
	{
		char c = text.data[i];

		if (c == '#')
			comment = true;
		if (c == '\n')
			comment = false;
		if (comment || c == ' ' || (c >= '\t' && c <= '\r'))
			continue;
		hash = (hash ^ (unsigned char) c) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* Of all that leads to an answer, the answer's own node left out. */
static uint64_t
hash_code(const rstar_tree *tree, uint32_t node)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint32_t id = tree->nodes[node].parent; id != RSTAR_NO_NODE; id = tree->nodes[id].parent)
		hash = hash_text(hash, (rstar_string){tree->nodes[id].text.data, tree->nodes[id].written});
	return hash;
}

static double
path_logprob(const rstar_tree *tree, uint32_t id)
{
	rstar_path_summary path;

	rstar_tree_path(tree, id, &path);
	return path.logprob;
}

static uint32_t
class_of(share_work *work, uint32_t node)
{
	rstar_answer_shares *shares = work->shares;
	rstar_string answer = work->mcts->tree.nodes[node].answer;
	uint32_t c = 0;

	while (c < shares->n && !equal(work->allocator, shares->classes[c].answer, answer))
		c++;
	if (c == shares->n)
		shares->classes[shares->n++] =
			(rstar_answer_share){.answer = answer, .node = node, .best = -INFINITY};
	return c;
}

static void
add_answer(share_work *work, uint32_t node)
{
	const rstar_tree *tree = &work->mcts->tree;
	double logprob = path_logprob(tree, node);
	uint32_t c = class_of(work, node);
	rstar_answer_share *share = &work->shares->classes[c];
	uint64_t code = hash_code(tree, node);
	bool seen = false;

	for (uint32_t i = 0; i < work->n && !seen; i++)
		seen = work->classes[i] == c && work->codes[i] == code;
	work->codes[work->n] = code;
	work->classes[work->n++] = c;
	share->solutions++;
	share->codes += !seen;
	share->mass += exp(logprob);
	if (logprob > share->best)
	{
		share->best = logprob;
		share->node = node;
	}
}

static int
most_first(const void *a, const void *b)
{
	const rstar_answer_share *x = a, *y = b;

	if (x->mass != y->mass)
		return x->mass > y->mass ? -1 : 1;
	return x->node < y->node ? -1 : 1;
}

rstar_status
rstar_answer_shares_read(const rstar_mcts *mcts, const rstar_allocator *allocator,
						 rstar_answer_shares *shares, rstar_error *err)
{
	const rstar_tree *tree = &mcts->tree;
	size_t most = mcts->answers;
	share_work work = {.mcts = mcts, .allocator = allocator, .shares = shares};

	*shares = (rstar_answer_shares){0};
	for (uint32_t id = 0; id < tree->n_nodes; id++)
		if (tree->nodes[id].status == RSTAR_NODE_DECLINED)
			shares->declined += exp(path_logprob(tree, id));
	if (most == 0)
		return RSTAR_OK;
	shares->classes = rstar_alloc_array(allocator, most, sizeof *shares->classes);
	work.codes = rstar_alloc_array(allocator, most, sizeof *work.codes);
	work.classes = rstar_alloc_array(allocator, most, sizeof *work.classes);
	if (shares->classes && work.codes && work.classes)
	{
		for (uint32_t id = 0; id < tree->n_nodes; id++)
			if (tree->nodes[id].kind == RSTAR_NODE_ANSWER && !rstar_node_rejected(&tree->nodes[id]))
				add_answer(&work, id);
		qsort(shares->classes, shares->n, sizeof *shares->classes, most_first);
	}
	rstar_free(allocator, work.codes);
	rstar_free(allocator, work.classes);
	if (shares->n > 0)
		return RSTAR_OK;
	rstar_answer_shares_free(shares, allocator);
	return rstar_error_memory(err, most * sizeof *shares->classes);
}

void
rstar_answer_shares_free(rstar_answer_shares *shares, const rstar_allocator *allocator)
{
	rstar_free(allocator, shares->classes);
	shares->classes = NULL;
	shares->n = 0;
}

const rstar_answer_share *
rstar_answer_shares_find(const rstar_answer_shares *shares, const rstar_mcts *mcts, uint32_t node,
						 const rstar_allocator *allocator)
{
	rstar_string answer = mcts->tree.nodes[node].answer;

	for (uint32_t c = 0; c < shares->n; c++)
		if (equal(allocator, shares->classes[c].answer, answer))
			return &shares->classes[c];
	return NULL;
}

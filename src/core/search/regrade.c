/*
 * regrade.c
 *	  Grading the answers of a finished tree anew.
 *
 * A known answer may be corrected after trees were searched with it. Every answer
 * node was backed up exactly once, along its whole path; where the known answer
 * guided the search that value was +1 or -1, so a changed grade moves the sums of
 * that path by 2. Which nodes were expanded stays what it was.
 */
#include "core/grade/grade.h"
#include "core/search/mcts.h"

static void
move_values(rstar_tree *tree, uint32_t id, double by)
{
	for (; id != RSTAR_NO_NODE; id = tree->nodes[id].parent)
		tree->nodes[id].value_sum += by;
}

/* Whether a grade was, or will be, what an answer's value is made of. */
static bool
is_guided(const rstar_mcts_options *options)
{
	return options->guidance == RSTAR_GUIDANCE_TERMINAL ||
		   (options->guidance == RSTAR_GUIDANCE_PPM && options->known_answer);
}

static void
set_grade(rstar_mcts *mcts, uint32_t id, bool correct)
{
	rstar_tree_node *node = &mcts->tree.nodes[id];

	if (node->graded && node->correct != correct && is_guided(&mcts->options))
		move_values(&mcts->tree, id, correct ? 2 : -2);
	node->graded = true;
	node->correct = correct;
	if (!correct)
		return;
	mcts->correct++;
	if (node->rollout < mcts->first_correct_rollout)
		mcts->first_correct_rollout = node->rollout;
}

uint32_t
rstar_mcts_regrade(rstar_mcts *mcts, rstar_string gold, const rstar_allocator *allocator)
{
	uint32_t changed = 0;

	mcts->correct = 0;
	mcts->first_correct_rollout = RSTAR_NO_NODE;
	for (uint32_t id = 0; id < mcts->tree.n_nodes; id++)
	{
		const rstar_tree_node *node = &mcts->tree.nodes[id];
		bool correct;

		if (node->kind != RSTAR_NODE_ANSWER || rstar_node_rejected(node))
			continue;
		correct = rstar_grade_compare(allocator, gold.data, gold.length, node->answer.data,
									  node->answer.length)
					  .equal;
		changed += !node->graded || node->correct != correct;
		set_grade(mcts, id, correct);
	}
	return changed;
}

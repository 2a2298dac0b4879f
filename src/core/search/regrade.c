/*
 * regrade.c
 *	  Grading the answers of a finished tree anew.
 *
 * A known answer, or a verifier, may be corrected after trees were searched with it.
 * Every answer node was backed up exactly once, along its whole path; where grades
 * guided the search that value was the grade, so a changed one moves the sums of
 * that path by the difference. Which nodes were expanded stays what it was.
 */
#include "core/grade/grade.h"
#include "core/search/mcts.h"

static void
move_values(rstar_tree *tree, uint32_t id, double by)
{
	for (; id != RSTAR_NO_NODE; id = tree->nodes[id].parent)
		tree->nodes[id].value_sum += by;
}

void
rstar_mcts_clear_counts(rstar_mcts *mcts)
{
	mcts->correct = 0;
	mcts->first_correct_rollout = RSTAR_NO_NODE;
}

bool
rstar_mcts_set_grade(rstar_mcts *mcts, uint32_t id, double grade)
{
	rstar_tree_node *node = &mcts->tree.nodes[id];
	bool changed = !node->graded || node->grade != grade;

	if (node->graded && rstar_mcts_graded_guidance(&mcts->options))
		move_values(&mcts->tree, id, grade - node->grade);
	node->graded = true;
	node->grade = grade;
	node->correct = grade == 1;
	mcts->correct += node->correct;
	if (node->correct && node->rollout < mcts->first_correct_rollout)
		mcts->first_correct_rollout = node->rollout;
	return changed;
}

uint32_t
rstar_mcts_regrade(rstar_mcts *mcts, rstar_string gold, const rstar_allocator *allocator)
{
	uint32_t changed = 0;

	rstar_mcts_clear_counts(mcts);
	for (uint32_t id = 0; (id = rstar_mcts_next_answer(mcts, id)) != RSTAR_NO_NODE;)
	{
		rstar_string answer = mcts->tree.nodes[id].answer;
		bool equal =
			rstar_grade_compare(allocator, gold.data, gold.length, answer.data, answer.length)
				.equal;

		changed += rstar_mcts_set_grade(mcts, id, equal ? 1 : -1);
	}
	return changed;
}

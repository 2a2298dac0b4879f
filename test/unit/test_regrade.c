/*
 * test_regrade.c
 *	  A tree that is graded anew is the tree that the other answer would have given.
 */
#include "check.h"

#include "core/search/mcts.h"

static rstar_tree_node
step(const char *text)
{
	return (rstar_tree_node){.kind = RSTAR_NODE_STEP, .text = {text, strlen(text)}};
}

static rstar_tree_node
answer(const char *text, bool graded, bool correct)
{
	return (rstar_tree_node){.kind = RSTAR_NODE_ANSWER,
							 .text = {text, strlen(text)},
							 .answer = {text, strlen(text)},
							 .graded = graded,
							 .grade = correct ? 1 : -1,
							 .correct = correct};
}

static void
expand(rstar_mcts *mcts, const rstar_tree_node *candidates, uint32_t n)
{
	uint32_t node = rstar_mcts_select(mcts);
	rstar_error err;

	CHECK_MSG(rstar_mcts_expand(mcts, node, candidates, n, &err) == RSTAR_OK, "%s", err.message);
}

/* Two steps, each with one answer, "5" and "7": their order does not depend on grades. */
static void
build(rstar_mcts *mcts, rstar_guidance guidance, const char *gold)
{
	rstar_mcts_options options = {.guidance = guidance,
								  .known_answer = gold != NULL,
								  .c_uct = 2,
								  .max_rollouts = 9,
								  .max_depth = 9,
								  .answer_exclusive = true};
	rstar_tree_node steps[2] = {step("a"), step("b")}, last;
	rstar_error err;

	CHECK(rstar_mcts_init(mcts, &options, &rstar_allocator_malloc, &err) == RSTAR_OK);
	expand(mcts, steps, 2);
	last = answer("5", gold != NULL, gold && strcmp(gold, "5") == 0);
	expand(mcts, &last, 1);
	last = answer("7", gold != NULL, gold && strcmp(gold, "7") == 0);
	expand(mcts, &last, 1);
	CHECK(rstar_mcts_select(mcts) == RSTAR_NO_NODE && mcts->tree.n_nodes == 5);
}

static void
check_equal(const rstar_mcts *mcts, const rstar_mcts *expected)
{
	CHECK(mcts->answers == expected->answers && mcts->correct == expected->correct);
	CHECK(mcts->first_correct_rollout == expected->first_correct_rollout);
	for (uint32_t id = 0; id < mcts->tree.n_nodes; id++)
	{
		const rstar_tree_node *a = &mcts->tree.nodes[id], *b = &expected->tree.nodes[id];

		CHECK(a->visits == b->visits && a->graded == b->graded && a->correct == b->correct);
		CHECK_MSG(a->value_sum == b->value_sum, "node %u: %g instead of %g", id, a->value_sum,
				  b->value_sum);
	}
}

static void
test_other_answer(void)
{
	rstar_mcts mcts, expected;

	build(&mcts, RSTAR_GUIDANCE_TERMINAL, "5");
	build(&expected, RSTAR_GUIDANCE_TERMINAL, "7");
	CHECK(rstar_mcts_regrade(&mcts, (rstar_string){"7.0", 3}, &rstar_allocator_malloc) == 2);
	check_equal(&mcts, &expected);
	CHECK(mcts.first_correct_rollout == 1);
	CHECK(rstar_mcts_regrade(&mcts, (rstar_string){"7", 1}, &rstar_allocator_malloc) == 0);
	check_equal(&mcts, &expected);
	rstar_mcts_free(&mcts);
	rstar_mcts_free(&expected);
}

static void
test_no_answer_is_right(void)
{
	rstar_mcts mcts;

	build(&mcts, RSTAR_GUIDANCE_TERMINAL, "5");
	CHECK(rstar_mcts_regrade(&mcts, (rstar_string){"6", 1}, &rstar_allocator_malloc) == 1);
	CHECK(mcts.correct == 0 && mcts.first_correct_rollout == RSTAR_NO_NODE);
	CHECK(mcts.tree.nodes[0].value_sum == -2);
	rstar_mcts_free(&mcts);
}

/* A search that no known answer guided keeps its values. */
static void
test_unguided(void)
{
	rstar_mcts mcts;

	build(&mcts, RSTAR_GUIDANCE_NONE, NULL);
	CHECK(rstar_mcts_regrade(&mcts, (rstar_string){"5", 1}, &rstar_allocator_malloc) == 2);
	CHECK(mcts.correct == 1 && mcts.first_correct_rollout == 0);
	for (uint32_t id = 0; id < mcts.tree.n_nodes; id++)
		CHECK(mcts.tree.nodes[id].value_sum == 0);
	rstar_mcts_free(&mcts);
}

int
main(void)
{
	RUN(test_other_answer);
	RUN(test_no_answer_is_right);
	RUN(test_unguided);
	return CHECK_RESULT();
}

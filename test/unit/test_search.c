/*
 * test_search.c
 *	  The search on scripted candidates: visits, Q and paths against tables
 *	  computed by hand; invariants on random trees; votes.
 */
#include "check.h"

#include "core/base/random.h"
#include "core/search/mcts.h"
#include "core/search/search.h"
#include "core/search/vote.h"

static rstar_string
text_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

static rstar_tree_node
step(const char *text, double score)
{
	return (rstar_tree_node){.kind = RSTAR_NODE_STEP,
							 .text = text_of(text),
							 .ppm_score = score,
							 .scored = true,
							 .state = RSTAR_SOLUTION_CODE};
}

static rstar_tree_node
answer(const char *text, bool correct, double score)
{
	rstar_tree_node node = step(text, score);

	node.kind = RSTAR_NODE_ANSWER;
	node.answer = text_of(text);
	node.graded = true;
	node.correct = correct;
	node.grade = correct ? 1 : -1;
	return node;
}

static rstar_tree_node
failed(const char *text)
{
	rstar_tree_node node = step(text, 0);

	node.status = RSTAR_NODE_ERROR;
	node.scored = false;
	return node;
}

static rstar_mcts
start(rstar_guidance guidance, uint32_t rollouts)
{
	rstar_mcts_options options = {.guidance = guidance,
								  .known_answer = true,
								  .c_uct = 2,
								  .max_rollouts = rollouts,
								  .max_depth = 16,
								  .answer_exclusive = true};
	rstar_mcts mcts;
	rstar_error err;

	CHECK(rstar_mcts_init(&mcts, &options, &rstar_allocator_malloc, &err) == RSTAR_OK);
	return mcts;
}

/* The search wants `node` expanded; give it these. */
static void
expand(rstar_mcts *mcts, uint32_t node, const rstar_tree_node *candidates, uint32_t n)
{
	rstar_error err = {0};
	uint32_t selected = rstar_mcts_select(mcts);

	CHECK_MSG(selected == node, "node %u selected instead of %u", selected, node);
	CHECK_MSG(rstar_mcts_expand(mcts, node, candidates, n, &err) == RSTAR_OK, "%s", err.message);
}

static void
check_node(const rstar_mcts *mcts, uint32_t id, uint32_t visits, double sum)
{
	const rstar_tree_node *node = &mcts->tree.nodes[id];

	CHECK_MSG(node->visits == visits && fabs(node->value_sum - sum) < 1e-12,
			  "node %u: %u visits, sum %g instead of %u, %g", id, node->visits, node->value_sum,
			  visits, sum);
}

/*
 * Terminal-guided, by hand. Unvisited children count 0, ties go to the lowest.
 *
 *	rollout 0: root -> 1, 2, 3(failed); 1 -> 4, 5; 4 -> answer 6, wrong.
 *	           backs up -1: 6, 4, 1, root = (1, -1). 4 is closed.
 *	rollout 1: at the root: UCT(1) = -1 + 2*sqrt(ln 1 / 1) = -1, UCT(2) = 0: 2.
 *	           2 -> answer 7, right: 7, 2 = (1, 1), root = (2, 0). 2 is closed.
 *	rollout 2: only 1 is open; below it only 5. 5 -> answer 8, right:
 *	           8, 5 = (1, 1), 1 = (2, 0), root = (3, 1). All closed: over.
 */
static void
terminal_guided_by_hand(void)
{
	rstar_mcts mcts = start(RSTAR_GUIDANCE_TERMINAL, 10);
	rstar_tree_node top[] = {step("a", 0), step("b", 0), failed("c")};
	rstar_tree_node below[] = {step("d", 0), step("e", 0)};
	rstar_tree_node wrong = answer("1", false, 0), right = answer("2", true, 0);
	rstar_path_summary path;
	rstar_buffer solution;

	expand(&mcts, 0, top, 3);
	expand(&mcts, 1, below, 2);
	expand(&mcts, 4, &wrong, 1);
	check_node(&mcts, 3, 1, -1);
	check_node(&mcts, 0, 1, -1);
	CHECK(mcts.tree.nodes[4].closed && mcts.tree.nodes[3].closed && !mcts.tree.nodes[1].closed);
	expand(&mcts, 2, &right, 1);
	check_node(&mcts, 0, 2, 0);
	check_node(&mcts, 2, 1, 1);
	expand(&mcts, 5, &right, 1);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE);
	check_node(&mcts, 0, 3, 1);
	check_node(&mcts, 1, 2, 0);
	check_node(&mcts, 4, 1, -1);
	check_node(&mcts, 5, 1, 1);
	check_node(&mcts, 8, 1, 1);
	CHECK(mcts.tree.nodes[0].closed && mcts.rollouts == 3);
	CHECK(mcts.answers == 3 && mcts.correct == 2 && mcts.first_correct_rollout == 1);
	CHECK(mcts.tree.nodes[6].rollout == 0 && mcts.tree.nodes[8].rollout == 2);
	rstar_tree_path(&mcts.tree, 8, &path);
	CHECK(path.steps == 3 && fabs(path.mean_q - 2.0 / 3) < 1e-12 && path.min_q == 0);
	rstar_buffer_init(&solution, &rstar_allocator_malloc);
	CHECK(rstar_tree_solution(&mcts.tree, 8, &solution));
	CHECK_STR(solution.data, "ae2");
	rstar_buffer_free(&solution);
	rstar_mcts_free(&mcts);
}

/*
 * PPM-guided at training time, by hand: steps start with (1, score).
 *
 *	root -> 1 (0.5), 2 (0.2). ln N(root) = 0, so 1 by its score.
 *	1 -> 3 (-0.5), 4 (0.1): 4. 4 -> wrong answer 5: 5 = (1, -1), 4 = (2, -0.9),
 *	1 = (2, -0.5), root = (1, -1). 4 closed.
 *	UCT(1) = -0.25 + 0 (ln 1 = 0), UCT(2) = 0.2: 2. 2 -> right answer 6:
 *	6 = (1, 1), 2 = (2, 1.2), root = (2, 0). 2 closed.
 *	Left: 1, below it 3. 3 -> failed 7 only: closed, 1 closed, root closed.
 */
static void
ppm_guided_by_hand(void)
{
	rstar_mcts mcts = start(RSTAR_GUIDANCE_PPM, 10);
	rstar_tree_node top[] = {step("a", 0.5), step("b", 0.2)};
	rstar_tree_node below[] = {step("c", -0.5), step("d", 0.1)};
	rstar_tree_node wrong = answer("1", false, 0.9), right = answer("2", true, 0.1);
	rstar_tree_node bad = failed("f");

	expand(&mcts, 0, top, 2);
	check_node(&mcts, 1, 1, 0.5);
	check_node(&mcts, 0, 0, 0);
	expand(&mcts, 1, below, 2);
	expand(&mcts, 4, &wrong, 1);
	check_node(&mcts, 5, 1, -1);
	check_node(&mcts, 4, 2, -0.9);
	check_node(&mcts, 1, 2, -0.5);
	expand(&mcts, 2, &right, 1);
	check_node(&mcts, 2, 2, 1.2);
	check_node(&mcts, 0, 2, 0);
	expand(&mcts, 3, &bad, 1);
	check_node(&mcts, 7, 1, -1);
	check_node(&mcts, 3, 1, -0.5);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && mcts.tree.nodes[0].closed);
	rstar_mcts_free(&mcts);

	/* At test time the answer's own score backs up. */
	mcts = start(RSTAR_GUIDANCE_PPM, 1);
	mcts.options.known_answer = false;
	expand(&mcts, 0, top, 2);
	expand(&mcts, 1, &wrong, 1);
	check_node(&mcts, 3, 1, 0.9);
	check_node(&mcts, 1, 2, 1.4);
	check_node(&mcts, 0, 1, 0.9);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && !mcts.tree.nodes[0].closed);
	mcts.options.max_rollouts++;
	CHECK(rstar_mcts_select(&mcts) == 2);
	rstar_mcts_free(&mcts);
}

/* Exploration: the square root decides between siblings with different visits. */
static void
exploration_by_hand(void)
{
	rstar_mcts mcts = start(RSTAR_GUIDANCE_TERMINAL, 100);
	rstar_tree_node *nodes;
	rstar_tree_node top[] = {step("a", 0), step("b", 0), step("c", 0)};

	expand(&mcts, 0, top, 3);
	nodes = mcts.tree.nodes;
	nodes[0].visits = 9;
	nodes[1].visits = 6;
	nodes[1].value_sum = 6; /* 1 + 2 sqrt(ln 9 / 6) = 2.210 */
	nodes[2].visits = 2;
	nodes[2].value_sum = 0; /* 0 + 2 sqrt(ln 9 / 2) = 2.096 */
	nodes[3].visits = 1;
	nodes[3].value_sum = -1; /* -1 + 2 sqrt(ln 9) = 1.965 */
	CHECK(rstar_mcts_best_child(&mcts, 0) == 1);
	nodes[1].value_sum = 5; /* 2.044 */
	CHECK(rstar_mcts_best_child(&mcts, 0) == 2);
	mcts.options.c_uct = 3; /* 2.649, 3.144, 3.447 */
	CHECK(rstar_mcts_best_child(&mcts, 0) == 3);
	nodes[2].visits = 0;
	CHECK(rstar_mcts_best_child(&mcts, 0) == 3);
	mcts.options.unvisited_value = INFINITY;
	CHECK(rstar_mcts_best_child(&mcts, 0) == 2);
	rstar_mcts_free(&mcts);
}

static void
limits_and_misuse(void)
{
	rstar_mcts mcts = start(RSTAR_GUIDANCE_TERMINAL, 3);
	rstar_mcts_options bad = mcts.options;
	rstar_tree_node one = step("a", 0), right = answer("1", true, 0);
	rstar_tree_node mixed[] = {step("x", 0), answer("1", true, 0), answer("2", false, 0),
							   failed("y")};
	rstar_error err;

	mcts.options.max_depth = 2;
	expand(&mcts, 0, &one, 1);
	CHECK(rstar_mcts_expand(&mcts, 0, &one, 1, &err) == RSTAR_ERR_ARGUMENT);
	expand(&mcts, 1, &one, 1);
	expand(&mcts, 2, &one, 1);
	CHECK(mcts.tree.nodes[3].status == RSTAR_NODE_TOO_DEEP);
	check_node(&mcts, 3, 1, -1);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && mcts.tree.nodes[0].closed);
	rstar_mcts_free(&mcts);

	/* An exclusive answer stands alone; otherwise its siblings stay and go on. */
	mcts = start(RSTAR_GUIDANCE_TERMINAL, 5);
	expand(&mcts, 0, mixed, 4);
	CHECK(mcts.tree.n_nodes == 2 && mcts.tree.nodes[0].closed);
	rstar_mcts_free(&mcts);
	mcts = start(RSTAR_GUIDANCE_TERMINAL, 5);
	mcts.options.answer_exclusive = false;
	expand(&mcts, 0, mixed, 4);
	CHECK(mcts.tree.n_nodes == 5);
	check_node(&mcts, 0, 2, 0);
	expand(&mcts, 1, &right, 1);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && mcts.rollouts <= 1);
	rstar_mcts_free(&mcts);

	/* No candidates at all; enough correct answers; a limit on nodes. */
	mcts = start(RSTAR_GUIDANCE_NONE, 5);
	expand(&mcts, 0, NULL, 0);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE);
	rstar_mcts_free(&mcts);
	mcts = start(RSTAR_GUIDANCE_TERMINAL, 5);
	mcts.options.enough_correct = 1;
	mcts.options.answer_exclusive = false;
	expand(&mcts, 0, mixed, 4);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && !mcts.tree.nodes[0].closed);
	mcts.options.enough_correct = 0;
	mcts.options.max_nodes = 5;
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE);
	rstar_mcts_free(&mcts);

	/* A failing step that is kept can be continued. */
	mcts = start(RSTAR_GUIDANCE_TERMINAL, 5);
	one = failed("a");
	one.kept = true;
	expand(&mcts, 0, &one, 1);
	check_node(&mcts, 1, 0, 0);
	CHECK(rstar_mcts_select(&mcts) == 1);
	rstar_mcts_free(&mcts);

	/* … but not below the deepest level: there it is rejected like any other. */
	mcts = start(RSTAR_GUIDANCE_TERMINAL, 5);
	mcts.options.max_depth = 1;
	expand(&mcts, 0, &(rstar_tree_node){.kind = RSTAR_NODE_STEP, .text = text_of("a")}, 1);
	expand(&mcts, 1, &one, 1);
	check_node(&mcts, 2, 1, -1);
	CHECK(mcts.tree.nodes[2].status == RSTAR_NODE_TOO_DEEP && mcts.tree.nodes[2].closed);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && mcts.tree.nodes[0].closed);
	rstar_mcts_free(&mcts);

	/* Enough once the first so many rollouts were all correct. */
	mcts = start(RSTAR_GUIDANCE_TERMINAL, 5);
	mcts.options.enough_first = 1;
	mcts.options.answer_exclusive = false;
	expand(&mcts, 0, (rstar_tree_node[]){answer("1", true, 0), step("a", 0)}, 2);
	expand(&mcts, 2, (rstar_tree_node[]){failed("b")}, 1);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && mcts.rollouts == 1);
	rstar_mcts_free(&mcts);

	/* Under PPM guidance nothing goes without a score. */
	mcts = start(RSTAR_GUIDANCE_PPM, 5);
	one = step("a", NAN);
	CHECK(rstar_mcts_select(&mcts) == 0);
	CHECK(rstar_mcts_expand(&mcts, 0, &one, 1, &err) == RSTAR_ERR_ARGUMENT);
	one.scored = false;
	CHECK(rstar_mcts_expand(&mcts, 0, &one, 1, &err) == RSTAR_ERR_ARGUMENT);
	rstar_mcts_free(&mcts);

	bad.max_rollouts = 0;
	CHECK(rstar_mcts_init(&mcts, &bad, &rstar_allocator_malloc, &err) == RSTAR_ERR_ARGUMENT);
	bad.max_rollouts = 1;
	bad.c_uct = NAN;
	CHECK(rstar_mcts_init(&mcts, &bad, &rstar_allocator_malloc, &err) == RSTAR_ERR_ARGUMENT);
}

/* --- levels --------------------------------------------------------------------------- */

/* A beam of two: the best two of each level go on, ties to the lower number. */
static void
beam_by_hand(void)
{
	rstar_mcts mcts = start(RSTAR_GUIDANCE_PPM, 1);
	rstar_tree_node top[] = {step("a", 0.1), step("b", 0.3), step("c", 0.3), failed("d")};
	rstar_tree_node right = answer("1", true, 0.5), next = step("e", -0.9);
	uint32_t nodes[8];
	rstar_error err;

	mcts.options.level_wise = true;
	mcts.options.beam_width = 2;
	CHECK(rstar_mcts_n_open(&mcts) == 1 && rstar_mcts_select_level(&mcts, nodes, 8) == 1);
	CHECK(nodes[0] == 0 && rstar_mcts_expand(&mcts, 0, top, 4, &err) == RSTAR_OK);
	CHECK(rstar_mcts_n_open(&mcts) == 3 && rstar_mcts_select_level(&mcts, nodes, 8) == 2);
	CHECK(nodes[0] == 2 && nodes[1] == 3);
	CHECK(mcts.tree.nodes[1].closed && !mcts.tree.nodes[0].closed);
	CHECK(rstar_mcts_select_level(&mcts, nodes, 8) == 2); /* asking again changes nothing */
	CHECK(rstar_mcts_expand(&mcts, 1, &right, 1, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_mcts_expand(&mcts, 2, &right, 1, &err) == RSTAR_OK);
	CHECK(rstar_mcts_expand(&mcts, 2, &right, 1, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_mcts_expand(&mcts, 3, &next, 1, &err) == RSTAR_OK);
	CHECK(rstar_mcts_select_level(&mcts, nodes, 8) == 1 && nodes[0] == 6);
	CHECK(rstar_mcts_expand(&mcts, 6, NULL, 0, &err) == RSTAR_OK);
	CHECK(rstar_mcts_select_level(&mcts, nodes, 8) == 0 && mcts.tree.nodes[0].closed);
	check_node(&mcts, 0, 1, 1);
	check_node(&mcts, 2, 2, 1.3);
	CHECK(rstar_mcts_score(&mcts, 5) == 0.5);
	rstar_mcts_free(&mcts);
}

/* --- restoring ------------------------------------------------------------------------ */

#define STEP_TEXT   "<code>\nx = 1\n<end_of_step>"
#define END_TEXT    "y = 2\n<end_of_code>\n<output>2<end_of_output>\n"
#define ANSWER_TEXT "<answer>\\boxed{1}<end_of_answer>"

/* Copy what is stored of a tree into a new one, and restore it. */
static rstar_status
restore(const rstar_mcts *from, rstar_mcts *to)
{
	rstar_error err;
	uint32_t id;

	*to = start(from->options.guidance, from->options.max_rollouts);
	to->options = from->options;
	for (uint32_t i = 1; i < from->tree.n_nodes; i++)
	{
		rstar_tree_node node = from->tree.nodes[i];

		node.state = RSTAR_SOLUTION_START;
		node.errors = 0;
		node.written = 0;
		CHECK(rstar_tree_add(&to->tree, node.parent, &node, &id, &err) == RSTAR_OK && id == i);
	}
	for (uint32_t i = 0; i < from->tree.n_nodes; i++)
	{
		to->tree.nodes[i].visits = from->tree.nodes[i].visits;
		to->tree.nodes[i].value_sum = from->tree.nodes[i].value_sum;
		to->tree.nodes[i].expanded = from->tree.nodes[i].expanded;
	}
	to->rollouts = from->rollouts;
	return rstar_mcts_restore(to, &err);
}

static void
same_tree(const rstar_mcts *a, const rstar_mcts *b)
{
	CHECK(a->tree.n_nodes == b->tree.n_nodes && a->answers == b->answers &&
		  a->correct == b->correct && a->rollouts == b->rollouts &&
		  a->first_correct_rollout == b->first_correct_rollout);
	for (uint32_t i = 0; i < a->tree.n_nodes; i++)
	{
		const rstar_tree_node *x = &a->tree.nodes[i], *y = &b->tree.nodes[i];

		CHECK_MSG(x->closed == y->closed && x->n_open == y->n_open && x->depth == y->depth &&
					  x->first_child == y->first_child && x->next_sibling == y->next_sibling,
				  "links of node %u", i);
		CHECK_MSG(rstar_node_rejected(x) || (x->state == y->state && x->errors == y->errors),
				  "state of node %u", i);
	}
}

static void
restored_trees_go_on(void)
{
	rstar_mcts mcts = start(RSTAR_GUIDANCE_TERMINAL, 1), again;
	rstar_tree_node top[] = {step(STEP_TEXT, 0), step(STEP_TEXT, 0), failed("x")};
	rstar_tree_node kept = failed("z = 1 / 0\n<end_of_step>"), end = step(END_TEXT, 0);
	rstar_tree_node last = answer(ANSWER_TEXT, true, 0);

	kept.kept = true;
	kept.errors = 1;
	end.state = RSTAR_SOLUTION_RAN;
	last.state = RSTAR_SOLUTION_DONE;
	expand(&mcts, 0, top, 3);
	expand(&mcts, 1, &kept, 1);
	expand(&mcts, 4, &end, 1);
	expand(&mcts, 5, &last, 1);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE);
	CHECK(restore(&mcts, &again) == RSTAR_OK);
	same_tree(&mcts, &again);
	CHECK(again.tree.nodes[1].closed && !again.tree.nodes[0].closed);
	mcts.options.max_rollouts++;
	again.options.max_rollouts++;
	expand(&mcts, 2, &end, 1);
	expand(&again, 2, &end, 1);
	same_tree(&mcts, &again);
	rstar_mcts_free(&again);

	/* Rows that contradict each other are refused. */
	mcts.tree.nodes[5].text = text_of("no step");
	CHECK(restore(&mcts, &again) == RSTAR_ERR_CORRUPT);
	rstar_mcts_free(&again);
	mcts.tree.nodes[5].text = text_of(END_TEXT);
	mcts.tree.nodes[5].expanded = false;
	CHECK(restore(&mcts, &again) == RSTAR_ERR_CORRUPT);
	rstar_mcts_free(&again);
	rstar_mcts_free(&mcts);
}

/* --- random scripts ------------------------------------------------------------------- */

static rstar_tree_node
random_candidate(const rstar_random_stream *stream, uint32_t *position)
{
	double u = rstar_random_uniform(stream, (*position)++);
	double score = 2 * rstar_random_uniform(stream, (*position)++) - 1;

	if (u < 0.2)
		return failed("f");
	if (u < 0.35)
		return answer("1", score > 0, score);
	return step("s", score);
}

/* What the statistics must be, from the finished tree alone. */
static void
check_invariants(const rstar_mcts *mcts)
{
	bool ppm = mcts->options.guidance == RSTAR_GUIDANCE_PPM;
	uint32_t answers = 0;

	for (uint32_t i = 0; i < mcts->tree.n_nodes; i++)
	{
		const rstar_tree_node *node = &mcts->tree.nodes[i];
		uint32_t init = ppm && node->kind == RSTAR_NODE_STEP ? 1 : 0;
		double init_value = init ? node->ppm_score : 0;
		uint32_t visits = init;
		double sum = init_value;
		bool all_closed = true;

		answers += node->kind == RSTAR_NODE_ANSWER;
		if (rstar_node_rejected(node))
		{
			CHECK(node->visits == 1 && node->value_sum == -1 && node->closed && !node->expanded);
			continue;
		}
		if (node->kind == RSTAR_NODE_ANSWER)
		{
			CHECK(node->visits == 1 && node->closed);
			continue;
		}
		for (uint32_t c = node->first_child; c != RSTAR_NO_NODE;
			 c = mcts->tree.nodes[c].next_sibling)
		{
			const rstar_tree_node *child = &mcts->tree.nodes[c];
			uint32_t child_init = ppm && child->kind == RSTAR_NODE_STEP ? 1 : 0;

			CHECK(child->parent == i && child->depth == node->depth + 1 && c > i);
			all_closed = all_closed && child->closed;
			if (rstar_node_rejected(child))
				continue;
			visits += child->visits - child_init;
			sum += child->value_sum - (child_init ? child->ppm_score : 0);
		}
		CHECK_MSG(node->visits == visits, "node %u: %u visits instead of %u", i, node->visits,
				  visits);
		CHECK(fabs(node->value_sum - sum) < 1e-9);
		CHECK(node->closed == (node->expanded && all_closed));
	}
	CHECK(answers == mcts->answers && mcts->correct <= answers);
	CHECK(mcts->rollouts <= mcts->options.max_rollouts);
	CHECK(mcts->tree.nodes[0].closed || mcts->rollouts == mcts->options.max_rollouts);
}

static void
random_trees_keep_the_invariants(void)
{
	for (uint64_t seed = 0; seed < 1000; seed++)
	{
		rstar_random_stream stream = {seed, 0, 0};
		rstar_mcts mcts =
			start(seed % 3 == 0 ? RSTAR_GUIDANCE_TERMINAL : RSTAR_GUIDANCE_PPM, 1 + seed % 40);
		uint32_t node, position = 0;
		rstar_error err;

		mcts.options.known_answer = seed % 3 == 1;
		mcts.options.answer_exclusive = seed % 2 == 0;
		mcts.options.unvisited_value = seed % 5 == 0 ? INFINITY : 0;
		mcts.options.max_depth = 2 + seed % 5;
		while ((node = rstar_mcts_select(&mcts)) != RSTAR_NO_NODE)
		{
			rstar_tree_node candidates[8];
			uint32_t n = (uint32_t) (rstar_random_bits(&stream, position++) % 8);

			CHECK(node == rstar_mcts_select(&mcts));
			CHECK(!mcts.tree.nodes[node].closed && !mcts.tree.nodes[node].expanded);
			for (uint32_t i = 0; i < n; i++)
				candidates[i] = random_candidate(&stream, &position);
			CHECK(rstar_mcts_expand(&mcts, node, candidates, n, &err) == RSTAR_OK);
		}
		check_invariants(&mcts);
		rstar_mcts_free(&mcts);
	}
}

/* --- votes --------------------------------------------------------------------------- */

/* Equal if the first letters are; counts its calls. */
static bool
same_letter(void *arg, rstar_string gold, rstar_string given)
{
	(*(int *) arg)++;
	return gold.data[0] == given.data[0];
}

static uint32_t
vote(const rstar_ballot *ballots, uint32_t n, rstar_vote_rule rule, uint32_t top_n)
{
	uint32_t winner = 99;
	int calls = 0;
	rstar_error err;

	CHECK(rstar_vote(ballots, n, rule, top_n, same_letter, &calls, &rstar_allocator_malloc, &winner,
					 &err) == RSTAR_OK);
	return winner;
}

static void
votes_by_hand(void)
{
	rstar_ballot ballots[] = {
		{text_of("b1"), 0.2, 0.2}, {text_of("a1"), 0.9, 0.9}, {text_of("b2"), 0.5, 0.5},
		{text_of("c1"), 0.8, 0.8}, {text_of("b3"), 0.1, 0.1}, {text_of("c2"), 0.7, 0.7},
		{text_of(""), 5.0, 5.0},
	};

	CHECK(vote(ballots, 7, RSTAR_VOTE_BEST, 0) == 1);
	CHECK(vote(ballots, 7, RSTAR_VOTE_MAJORITY, 0) == 2); /* b: 3, represented by its best */
	CHECK(vote(ballots, 7, RSTAR_VOTE_MAJORITY, 4) == 3); /* a, c, c, b */
	CHECK(vote(ballots, 7, RSTAR_VOTE_WEIGHTED, 0) == 3); /* c: 1.5 */
	CHECK(vote(ballots, 7, RSTAR_VOTE_MAJORITY, 2) == 1); /* a, c: tie, a weighs more */
	CHECK(vote(ballots + 6, 1, RSTAR_VOTE_BEST, 0) == 1); /* no answer at all */
	CHECK(vote(ballots, 0, RSTAR_VOTE_MAJORITY, 0) == 0);
	ballots[1].weight = ballots[3].weight = 0.5;
	ballots[5].weight = 0;
	CHECK(vote(ballots, 7, RSTAR_VOTE_WEIGHTED, 2) == 1); /* tie in weight and number: first */
}

/* Answers of several trees: of the four best-scored, 1/2 and 0.5 are the same and win. */
static void
trees_elect_by_hand(void)
{
	rstar_string answers[] = {text_of("3"), text_of("1/2"), text_of(""), text_of("0.5"),
							  text_of("7"), text_of("3"),   text_of("3")};
	double scores[] = {-0.1, 0.5, 0.99, 0.7, 0.9, -0.2, -0.3};
	rstar_error err;
	uint32_t winner;

	CHECK(rstar_search_elect(answers, scores, 7, 4, &rstar_allocator_malloc, &winner, &err) ==
			  RSTAR_OK &&
		  winner == 3);
	CHECK(rstar_search_elect(answers, scores, 7, 0, &rstar_allocator_malloc, &winner, &err) ==
			  RSTAR_OK &&
		  winner == 0);
	CHECK(rstar_search_elect(answers, scores, 2, 0, &rstar_allocator_malloc, &winner, &err) ==
			  RSTAR_OK &&
		  winner == 1); /* one each: the sum of scores */
	CHECK(rstar_search_elect(&answers[2], &scores[2], 1, 4, &rstar_allocator_malloc, &winner,
							 &err) == RSTAR_OK &&
		  winner == 1);
}

int
main(void)
{
	RUN(terminal_guided_by_hand);
	RUN(ppm_guided_by_hand);
	RUN(exploration_by_hand);
	RUN(limits_and_misuse);
	RUN(beam_by_hand);
	RUN(restored_trees_go_on);
	RUN(random_trees_keep_the_invariants);
	RUN(votes_by_hand);
	RUN(trees_elect_by_hand);
	return CHECK_RESULT();
}

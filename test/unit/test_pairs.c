/*
 * test_pairs.c
 *	  Preference pairs against tables computed by hand and against a naive
 *	  implementation on random trees; the distance of texts against the textbook's
 *	  table; problems whose answer can be guessed.
 */
#include "check.h"

#include <time.h>

#include "core/base/random.h"
#include "core/search/luck.h"
#include "core/search/pairs.h"
#include "core/text/edit.h"

#define MAX_PAIRS 4000

static const rstar_allocator *const memory = &rstar_allocator_malloc;

static rstar_string
text_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

typedef struct dice
{
	rstar_random_stream stream;
	uint32_t position;
} dice;

static uint32_t
below(dice *d, uint32_t n)
{
	return (uint32_t) (rstar_random_bits(&d->stream, d->position++) % n);
}

/* --- distance -------------------------------------------------------------------- */

static bool
apart(const char *a, const char *b, uint32_t k)
{
	bool result = false;
	rstar_error err;

	CHECK(rstar_edit_at_least(a, strlen(a), b, strlen(b), k, memory, &result, &err) == RSTAR_OK);
	return result;
}

/* The distance is d: at least d, and not at least d + 1, in both directions. */
static void
check_distance(const char *a, const char *b, uint32_t d)
{
	CHECK_MSG(apart(a, b, d) && !apart(a, b, d + 1) && apart(b, a, d) && !apart(b, a, d + 1),
			  "\"%s\" and \"%s\" are not %u apart", a, b, d);
}

static void
distances_by_hand(void)
{
	check_distance("", "", 0);
	check_distance("", "abc", 3);
	check_distance("abc", "abc", 0);
	check_distance("kitten", "sitting", 3);
	check_distance("flaw", "lawn", 2);
	check_distance("intention", "execution", 5);
	check_distance("aaaa", "aaaaaaa", 3);
	check_distance("abab", "baba", 2);
	/* characters, not bytes; a character may share its first or last bytes with another */
	check_distance("x\xc3\xa9y", "x\xc3\xa8y", 1);
	check_distance("\xe6\xbc\xa2", "a", 1);
	check_distance("\xc3\xa9", "\xc4\xa9", 1);
	check_distance("\xe6\xbc\xa2\xe5\xad\x97", "\xe5\xad\x97", 1);
	/* bytes that are no characters */
	check_distance("\xff", "\xfe", 1);
	check_distance("a\xc3", "a", 1);
	check_distance("\x80\x80", "\x80", 1);
	CHECK(apart("abc", "abc", 0));
	CHECK(!apart("abc", "abd", 4000000000u));
}

static uint32_t
textbook_distance(const char *a, const char *b)
{
	uint32_t row[64];
	size_t n = strlen(a), m = strlen(b);

	for (size_t j = 0; j <= m; j++)
		row[j] = (uint32_t) j;
	for (size_t i = 1; i <= n; i++)
	{
		uint32_t diagonal = row[0];

		row[0] = (uint32_t) i;
		for (size_t j = 1; j <= m; j++)
		{
			uint32_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[m];
}

static void
distances_of_random_texts(void)
{
	for (uint32_t round = 0; round < 20000; round++)
	{
		dice r = {0};
		char text[2][64];

		r.stream = (rstar_random_stream){11, round, 0};
		for (int t = 0; t < 2; t++)
		{
			uint32_t n = below(&r, t == 0 ? 40 : 44);

			for (uint32_t i = 0; i < n; i++)
				text[t][i] = (char) ('a' + below(&r, 3));
			text[t][n] = '\0';
		}
		check_distance(text[0], text[1], textbook_distance(text[0], text[1]));
		if (check_failed_here)
			return;
	}
}

/* A million characters, nothing in common at the ends, the same in between. */
static void
distance_of_long_texts(void)
{
	const size_t n = 1000000;
	char *a = malloc(n + 1), *b = malloc(n + 1);
	clock_t begin = clock();

	memset(a, 'a', n);
	memset(b, 'a', n);
	a[n] = b[n] = '\0';
	a[0] = b[n - 1] = 'x';
	a[n - 1] = 'y';
	b[0] = 'z';
	check_distance(a, b, 2);
	CHECK(!apart(a, b, 200));
	for (size_t i = 0; i < n; i++) /* every second character another one */
		a[i] = i % 2 ? 'a' : 'c';
	CHECK(apart(a, b, 200));
	CHECK_MSG(clock() - begin < 20 * CLOCKS_PER_SEC, "%g s",
			  (double) (clock() - begin) / CLOCKS_PER_SEC);
	free(a);
	free(b);
}

/* --- trees ----------------------------------------------------------------------- */

static rstar_tree
new_tree(void)
{
	rstar_tree tree;
	rstar_error err;

	CHECK(rstar_tree_init(&tree, memory, &err) == RSTAR_OK);
	return tree;
}

static uint32_t
add(rstar_tree *tree, uint32_t parent, const char *text, uint32_t visits, double sum)
{
	rstar_tree_node node = {.kind = RSTAR_NODE_STEP, .text = text_of(text)};
	rstar_error err;
	uint32_t id = 0;

	CHECK(rstar_tree_add(tree, parent, &node, &id, &err) == RSTAR_OK);
	tree->nodes[id].visits = visits;
	tree->nodes[id].value_sum = sum;
	return id;
}

static uint32_t
add_answer(rstar_tree *tree, uint32_t parent, const char *text, bool correct)
{
	uint32_t id = add(tree, parent, text, 1, correct ? 1 : -1);

	tree->nodes[id].kind = RSTAR_NODE_ANSWER;
	tree->nodes[id].graded = true;
	tree->nodes[id].correct = correct;
	return id;
}

static const rstar_pair_options nano = {.min_margin = 0.5, .min_edit = 1};

static void
check_pairs(const rstar_tree *tree, const rstar_pair_options *options, const rstar_step_pair *want,
			size_t n_want)
{
	rstar_step_pair *pairs;
	rstar_error err;
	size_t n;

	CHECK(rstar_step_pairs(tree, options, memory, NULL, &pairs, &n, &err) == RSTAR_OK);
	CHECK_MSG(n == n_want, "%zu pairs instead of %zu", n, n_want);
	for (size_t i = 0; i < n && i < n_want; i++)
		CHECK_MSG(pairs[i].parent == want[i].parent && pairs[i].chosen == want[i].chosen &&
					  pairs[i].rejected == want[i].rejected &&
					  fabs(pairs[i].margin - want[i].margin) < 1e-12 &&
					  fabs(pairs[i].weight - want[i].weight) < 1e-12,
				  "pair %zu is %u: %u over %u, margin %g, weight %g", i, pairs[i].parent,
				  pairs[i].chosen, pairs[i].rejected, pairs[i].margin, pairs[i].weight);
	rstar_free(memory, pairs);
}

/*
 * Five children of the root. By hand:
 *
 *	 node  Q      below        chosen row: 1 (1), 3 (0.5), 2 (0)
 *	 1      1     right        rejected:   4 (-1), 5 (-0.5), 2 (0)
 *	 2      0     both         two of each, weight 1/4
 *	 3      0.5   right
 *	 4     -1     wrong        1 over 4: 2    1 over 5: 1.5
 *	 5     -0.5   wrong        3 over 4: 1.5  3 over 5: 1
 *
 * Below 2: answers 8 (right) and 9 (wrong) hang on steps 6 (Q 1) and 7 (Q -1):
 * one against one, weight 1.
 */
static void
pairs_by_hand(void)
{
	rstar_tree tree = new_tree();
	const rstar_step_pair want[] = {{0, 1, 4, 2, 0.25},
									{0, 1, 5, 1.5, 0.25},
									{0, 3, 4, 1.5, 0.25},
									{0, 3, 5, 1, 0.25},
									{2, 6, 7, 2, 1}};
	const rstar_step_pair wide[] = {{0, 1, 4, 2, 0.25}, {2, 6, 7, 2, 1}};
	rstar_pair_options far = {.min_margin = 1.75, .min_edit = 1};

	add(&tree, 0, "one", 2, 2);
	add(&tree, 0, "two", 2, 0);
	add(&tree, 0, "three", 2, 1);
	add(&tree, 0, "four", 1, -1);
	add(&tree, 0, "five", 2, -1);
	add(&tree, 2, "six", 1, 1);
	add(&tree, 2, "seven", 1, -1);
	add_answer(&tree, 6, "8", true);
	add_answer(&tree, 7, "9", false);
	add_answer(&tree, 1, "10", true);
	add_answer(&tree, 3, "11", true);
	add_answer(&tree, 4, "12", false);
	add_answer(&tree, 5, "13", false);
	check_pairs(&tree, &nano, want, 5);
	/* margins below 1.75 go, and the weights stay */
	check_pairs(&tree, &far, wide, 2);
	rstar_tree_free(&tree);
}

/* One child is right, five are wrong: it stands against four of them. And the reverse. */
static void
one_against_four(void)
{
	for (int reverse = 0; reverse < 2; reverse++)
	{
		rstar_tree tree = new_tree();
		rstar_step_pair want[4];
		char name[2] = "a";

		for (uint32_t i = 0; i < 6; i++, name[0]++)
		{
			bool right = (i == 3) != (reverse == 1);

			add(&tree, 0, name, 10, right ? 10 : -10 + (int) i * 0.5);
		}
		for (uint32_t i = 0; i < 6; i++)
			add_answer(&tree, i + 1, "x", (i == 3) != (reverse == 1));
		/* wrong in order of Q: children 1, 2, 3, 5, (6); right when reversed, all of Q 1: 1, 2, 3, 5 */
		for (uint32_t i = 0; i < 4; i++)
		{
			uint32_t many = i < 3 ? i + 1 : 5;
			double q = tree.nodes[many].value_sum / 10, one = tree.nodes[4].value_sum / 10;

			want[i] = reverse ? (rstar_step_pair){0, many, 4, q - one, 0.25}
							  : (rstar_step_pair){0, 4, many, one - q, 0.25};
		}
		check_pairs(&tree, &nano, want, 4);
		rstar_tree_free(&tree);
	}
}

/* What keeps a pair out, one at a time. */
static void
rules_that_leave_out(void)
{
	rstar_tree tree = new_tree();
	const rstar_step_pair want = {0, 1, 2, 1.2, 1};
	rstar_pair_options near = {.min_margin = 0.5, .min_edit = 20};
	rstar_pair_options any = {.min_margin = 0, .min_edit = 0};

	add(&tree, 0, "print(6 * 7)", 5, 3);               /* 0.6 */
	add(&tree, 0, "print(6 * 8)  # as before", 5, -3); /* -0.6 */
	add_answer(&tree, 1, "42", true);
	add_answer(&tree, 2, "48", false);
	check_pairs(&tree, &nano, &want, 1);
	check_pairs(&tree, &near, NULL, 0); /* 15 characters apart */
	near.min_edit = 14;
	check_pairs(&tree, &near, &want, 1);

	tree.nodes[4].graded = false; /* nobody knows that it is wrong */
	check_pairs(&tree, &nano, NULL, 0);
	tree.nodes[4].graded = true;
	tree.nodes[4].status = RSTAR_NODE_TOO_DEEP; /* rejected */
	check_pairs(&tree, &nano, NULL, 0);
	tree.nodes[4].status = RSTAR_NODE_OK;

	/* The completion of the better child is the worse one: (0.6 - 1) / 2 <= (-0.6 + 1) / 2. */
	tree.nodes[3].value_sum = -1;
	tree.nodes[4].value_sum = 1;
	check_pairs(&tree, &nano, NULL, 0);
	tree.nodes[3].value_sum = 1;
	tree.nodes[4].value_sum = -1;

	/* A margin of nothing is no pair, whatever the options. */
	tree.nodes[2].value_sum = 3;
	check_pairs(&tree, &any, NULL, 0);
	rstar_tree_free(&tree);
}

/* The best completion goes by Q at each node, not by the best mean: 1 -> 3 -> 5, not 4. */
static void
completions_are_greedy(void)
{
	rstar_tree tree = new_tree();
	const rstar_step_pair want = {0, 1, 2, 0.6, 1};
	uint32_t a, b;

	a = add(&tree, 0, "a", 10, 4);  /* 0.4 */
	b = add(&tree, 0, "b", 10, -2); /* -0.2 */
	CHECK(a == 1 && b == 2);
	add(&tree, 1, "c", 10, 5);   /* 0.5: taken */
	add(&tree, 1, "d", 10, 4.9); /* 0.49 */
	add_answer(&tree, 3, "e", true);
	add_answer(&tree, 4, "f", true);
	add_answer(&tree, 2, "g", false);
	check_pairs(&tree, &nano, &want, 1);
	/* Behind c it gets worse than behind b: (0.4 + 0.5 - 3) / 3 < (-0.2 - 1) / 2. */
	tree.nodes[5].value_sum = -3;
	check_pairs(&tree, &nano, NULL, 0);
	rstar_tree_free(&tree);
}

/* A hundred thousand levels; nothing recurses. */
static void
deep_chain(void)
{
	rstar_tree tree = new_tree();
	rstar_step_pair *pairs;
	rstar_error err;
	uint32_t at = 0;
	size_t n;

	for (int i = 0; i < 100000; i++)
	{
		uint32_t wrong = add(&tree, at, "wrong", 1, -1);

		add_answer(&tree, wrong, "-", false);
		at = add(&tree, at, "on", 10, 5);
	}
	add_answer(&tree, at, "+", true);
	CHECK(rstar_step_pairs(&tree, &nano, memory, NULL, &pairs, &n, &err) == RSTAR_OK);
	CHECK_MSG(n == 100000, "%zu pairs", n);
	rstar_free(memory, pairs);
	rstar_tree_free(&tree);
}

/* --- random trees against a naive implementation --------------------------------- */

static rstar_tree
random_tree(uint64_t seed)
{
	rstar_tree tree = new_tree();
	dice r = {0};
	char text[8];

	r.stream = (rstar_random_stream){7, seed, 0};
	for (uint32_t i = 0; i < 60; i++)
	{
		uint32_t parent = below(&r, tree.n_nodes);
		uint32_t visits = 1 + below(&r, 4);

		if (tree.nodes[parent].kind == RSTAR_NODE_ANSWER)
			continue;
		snprintf(text, sizeof text, "%u", below(&r, 1000));
		if (below(&r, 3) == 0)
			add_answer(&tree, parent, text, below(&r, 2) == 0);
		else
			add(&tree, parent, text, visits, (double) below(&r, 2 * visits + 1) - visits);
	}
	return tree;
}

static bool
naive_below(const rstar_tree *tree, uint32_t id, bool correct)
{
	const rstar_tree_node *node = &tree->nodes[id];

	if (node->kind == RSTAR_NODE_ANSWER)
		return node->correct == correct;
	for (uint32_t c = 1; c < tree->n_nodes; c++)
	{
		if (tree->nodes[c].parent == id && naive_below(tree, c, correct))
			return true;
	}
	return false;
}

/* Children of `id` with such an answer below, sorted by Q. */
static uint32_t
naive_row(const rstar_tree *tree, uint32_t id, bool correct, uint32_t *row)
{
	uint32_t n = 0;

	for (uint32_t c = 1; c < tree->n_nodes; c++)
	{
		uint32_t at = n;
		double q = rstar_node_q(&tree->nodes[c]);

		if (tree->nodes[c].parent != id || !naive_below(tree, c, correct))
			continue;
		for (; at > 0 && (correct ? q > rstar_node_q(&tree->nodes[row[at - 1]])
								  : q < rstar_node_q(&tree->nodes[row[at - 1]]));
			 at--)
			row[at] = row[at - 1];
		row[at] = c;
		n++;
	}
	return n;
}

static double
naive_completion(const rstar_tree *tree, uint32_t id, bool correct)
{
	double sum = 0;
	uint32_t steps = 0, row[64];

	for (;;)
	{
		sum += rstar_node_q(&tree->nodes[id]);
		steps++;
		if (naive_row(tree, id, correct, row) == 0)
			return sum / steps;
		id = row[0];
	}
}

static size_t
naive_pairs(const rstar_tree *tree, const rstar_pair_options *options, rstar_step_pair *pairs)
{
	size_t n = 0;

	for (uint32_t id = 0; id < tree->n_nodes; id++)
	{
		uint32_t chosen[64], rejected[64];
		uint32_t all_chosen = naive_row(tree, id, true, chosen);
		uint32_t all_rejected = naive_row(tree, id, false, rejected);
		uint32_t c = all_chosen < 2 ? all_chosen : 2, r = all_rejected < 2 ? all_rejected : 2;

		if (c == 1)
			r = all_rejected < 4 ? all_rejected : 4;
		if (r == 1)
			c = all_chosen < 4 ? all_chosen : 4;
		for (uint32_t i = 0; i < c * r; i++)
		{
			uint32_t a = chosen[i / r], b = rejected[i % r];
			double margin = rstar_node_q(&tree->nodes[a]) - rstar_node_q(&tree->nodes[b]);

			if (margin > 0 && margin >= options->min_margin &&
				textbook_distance(tree->nodes[a].text.data, tree->nodes[b].text.data) >=
					options->min_edit &&
				naive_completion(tree, a, true) > naive_completion(tree, b, false))
				pairs[n++] = (rstar_step_pair){id, a, b, margin, 1.0 / (c * r)};
		}
	}
	return n;
}

static void
random_trees(void)
{
	static rstar_step_pair want[MAX_PAIRS];
	const rstar_pair_options options[] = {
		{.min_margin = 0.5, .min_edit = 1}, {.min_margin = 0, .min_edit = 0}, {0.25, 3}};
	size_t all = 0;

	for (uint64_t seed = 0; seed < 1500 && !check_failed_here; seed++)
	{
		rstar_tree tree = random_tree(seed);
		const rstar_pair_options *o = &options[seed % 3];
		size_t n = naive_pairs(&tree, o, want);

		check_pairs(&tree, o, want, n);
		all += n;
		rstar_tree_free(&tree);
	}
	CHECK_MSG(all > 1000, "only %zu pairs in all", all);
}

/* --- answers --------------------------------------------------------------------- */

static rstar_trajectory
path(int64_t tree, uint32_t leaf, bool correct, double mean_q, double min_q, const char *solution)
{
	return (rstar_trajectory){tree, leaf, leaf - 1, correct, mean_q, min_q, text_of(solution)};
}

static void
check_answers(const rstar_trajectory *t, uint32_t n, const rstar_answer_pair *want, uint32_t n_want)
{
	rstar_answer_pair pairs[RSTAR_PAIRS_MANY];
	rstar_error err;
	uint32_t found;

	CHECK(rstar_answer_pairs(t, n, &nano, memory, pairs, &found, &err) == RSTAR_OK);
	CHECK_MSG(found == n_want, "%u pairs instead of %u", found, n_want);
	for (uint32_t i = 0; i < found && i < n_want; i++)
		CHECK_MSG(pairs[i].chosen == want[i].chosen && pairs[i].rejected == want[i].rejected &&
					  fabs(pairs[i].margin - want[i].margin) < 1e-12 &&
					  pairs[i].weight == want[i].weight,
				  "pair %u is %u over %u, margin %g, weight %g", i, pairs[i].chosen,
				  pairs[i].rejected, pairs[i].margin, pairs[i].weight);
}

static void
answers_by_hand(void)
{
	/* Right: 0 (0.9), 2 (0.9, but a lower least Q), 5 (the text of 0), 3. Wrong: 4, 1, 6. */
	rstar_trajectory t[] = {
		path(1, 9, true, 0.9, 0.5, "alpha"),    path(1, 20, false, -0.8, -1, "beta"),
		path(2, 5, true, 0.9, 0.1, "gamma"),    path(2, 8, true, 0.2, 0, "delta"),
		path(3, 4, false, -0.8, -2, "epsilon"), path(3, 7, true, 0.7, 0.7, "alpha"),
		path(3, 9, false, 0.5, 0, "zeta")};
	const rstar_answer_pair want[] = {
		{0, 4, 1.7, 0.25}, {0, 1, 1.7, 0.25}, {2, 4, 1.7, 0.25}, {2, 1, 1.7, 0.25}};
	const rstar_answer_pair one[] = {{0, 4, 1.7, 1.0 / 3}, {0, 1, 1.7, 1.0 / 3}};

	check_answers(t, 7, want, 4);
	/* Only 0 right: against three; the third is too near by Q. */
	t[2].correct = t[3].correct = t[5].correct = false;
	t[2].solution = t[3].solution = t[5].solution = text_of("epsilon");
	check_answers(t, 7, one, 2);
	/* Answers of the same parent are compared as steps. */
	t[1].tree = 1;
	t[1].parent = t[0].parent;
	check_answers(t, 2, NULL, 0);
	check_answers(t, 1, NULL, 0);
	check_answers(t, 0, NULL, 0);
}

/* A better copy of a solution takes the place of a worse one, wherever it comes. */
static void
answers_distinct(void)
{
	rstar_trajectory t[] = {path(1, 9, true, 0.2, 0, "same"), path(2, 9, true, 0.6, 0, "same"),
							path(3, 9, false, -1, -1, "bad"), path(4, 9, true, 0.4, 0, "same")};
	const rstar_answer_pair want = {1, 2, 1.6, 1};

	check_answers(t, 4, &want, 1);
}

/* --- luck ------------------------------------------------------------------------ */

static void
check_closed(const char *statement, const char *answer, bool closed)
{
	CHECK_MSG(rstar_luck_closed(text_of(statement), text_of(answer)) == closed, "%s: %s is %s",
			  statement, answer, closed ? "closed" : "open");
}

static void
closed_answers(void)
{
	check_closed("Is 15511 prime?", "True", true);
	check_closed("Does 22 divide 792?", "yes", true);
	check_closed("Est-ce que 7 est premier ?", "\\boxed{\\text{No}}", true);
	check_closed("Which is the closest to 0?  (a) 2/7  (b) -1  (c) 4", "b", true);
	check_closed("What is x? $\\textbf{(A)}\\ 3 \\qquad \\textbf{(B)}\\ 4$", "\\textbf{(B)}", true);
	check_closed("Pick one: A) 3 B) 4 C) 5", "(C)", true);
	check_closed("Pick one:\nA. 3\nB. 4", "A.", true);
	check_closed("Which is smaller: 468 or 2/5?", "2/5", true);
	check_closed("Let v = 3. Which is greater: v or -42?", "v", true);
	check_closed("What is the fifth smallest value in 255, 4, 2, -2, -1?", "255", true);
	check_closed("What is the closest to 1/2 in -0.2, -1, -36, 1?", "1", true);
	check_closed("Is the sum odd or even?", "even", true);
	check_closed("Put 1, -2, -183, 4 in decreasing order.", "4, 1, -2, -183", true);
	check_closed("Let m = 2. Sort -1/3, d, m.", "-1/3, m, d", true);
	check_closed("What is the tens digit of 11354?", "$5$.", true);

	check_closed("Solve 3*x + 5 = 20 for x.", "5", false);
	check_closed("What is -149000000 rounded to the nearest 1000000?", "-149000000", false);
	check_closed("What is the greatest common divisor of 12 and 36?", "12", false);
	check_closed("What is the smallest common multiple of 8, 4 and 2?", "8", false);
	check_closed("How many digits does 2^10 have?", "4", false);
	check_closed("How many two-digit primes are there below 20?", "4", false);
	check_closed("Let f(a) = 2*a. Let (b) = 3. Solve for a.", "a", false);
	check_closed("What is the biggest value in 12, 7, 2.5?", "2", false);
	check_closed("In which order do 3 friends arrive?", "3", false);
	check_closed("Solve 2, 3.", "", false);
	check_closed("", "5", false);
	check_closed("Is it?", "$$", false);
	check_closed("", "\\boxed{", false);
	check_closed("x", "\\text{}", false);
}

static void
closed_answers_of_long_texts(void)
{
	const size_t n = 1000000;
	char *text = malloc(n + 1);
	clock_t begin = clock();

	memset(text, 'a', n);
	memcpy(text, "order ", 6);
	text[n] = '\0';
	check_closed(text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab, aaaaaaaaaaab", false);
	check_closed("Which is it: a or b?", text, false);
	for (size_t i = 6; i < n; i++)
		text[i] = "a, "[i % 3];
	check_closed(text, "b, a", false);
	CHECK(clock() - begin < 20 * CLOCKS_PER_SEC);
	free(text);
}

static void
check_evades(const char *statement, const char *answer, bool evades)
{
	CHECK_MSG(rstar_luck_evades(text_of(statement), text_of(answer)) == evades, "%s: %s", statement,
			  answer);
}

/* Asked yes or no, an answer that is neither. */
static void
evading_answers(void)
{
	check_evades("Suppose 3*j = 192. Is 11 a factor of j?", "64", true);
	check_evades("Does 22 divide 792?", "36", true);
	check_evades("are 3 and 5 both prime", "", true);
	check_evades("Is 15511 prime?", "\\boxed{\\text{No}}", false);
	check_evades("Is 15511 prime?", "True", false);
	check_evades("Is the sum odd or even?", "even", false);
	check_evades("Is 3 a factor? What is 3*4?", "12", false);
	check_evades("Can you find x? Can you solve 3*x = 6?", "2", false);
	check_evades("Island of 3 hectares, 2 of them forest?", "1", false);
	check_evades("", "64", false);
	check_evades("is ", "64", false);
}

static void
luck_excludes(void)
{
	CHECK(!rstar_luck_excluded(false, 1, 0));
	CHECK(rstar_luck_excluded(true, 3, 3));
	CHECK(!rstar_luck_excluded(true, 4, 4));
	CHECK(rstar_luck_excluded(true, 4, 3));
	CHECK(!rstar_luck_excluded(true, 5, 4));
	CHECK(!rstar_luck_excluded(true, 10, 8));
	CHECK(rstar_luck_excluded(true, 10, 7));
	CHECK(rstar_luck_excluded(true, 0, 0));
}

int
main(void)
{
	RUN(distances_by_hand);
	RUN(distances_of_random_texts);
	RUN(distance_of_long_texts);
	RUN(pairs_by_hand);
	RUN(one_against_four);
	RUN(rules_that_leave_out);
	RUN(completions_are_greedy);
	RUN(deep_chain);
	RUN(random_trees);
	RUN(answers_by_hand);
	RUN(answers_distinct);
	RUN(closed_answers);
	RUN(closed_answers_of_long_texts);
	RUN(evading_answers);
	RUN(luck_excludes);
	return CHECK_RESULT();
}

/*
 * test_picture.c
 *	  Pictures of trees: the layout's properties, the text's lines, the SVG's
 *	  structure; hostile texts, one node, deep chains.
 *
 * RSTAR_PICTURES=folder also writes what was drawn there, for the eye.
 */
#include "check.h"

#include <time.h>

#include "core/base/random.h"
#include "core/picture/layout.h"
#include "core/search/mcts.h"
#include "core/picture/picture_svg.h"
#include "core/picture/picture_text.h"
#include "core/text/utf8.h"

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

/* --- layout ---------------------------------------------------------------------- */

static double
one(const void *arg, uint32_t a, uint32_t b)
{
	const uint32_t *parent = arg;

	return parent[a] == parent[b] ? 1 : 1.5;
}

/* Neighbours of a level keep their distance; parents stand in the middle. */
static void
check_layout(const uint32_t *parent, const double *x, uint32_t n)
{
	uint32_t *depth = calloc(n, sizeof *depth), *first = calloc(n, sizeof *first);
	uint32_t *last = calloc(n, sizeof *last), *order = calloc(n, sizeof *order);
	uint32_t *level = calloc(n, sizeof *level), deepest = 0;
	double least = x[0];

	for (uint32_t i = 1; i < n; i++)
	{
		depth[i] = depth[parent[i]] + 1;
		if (depth[i] > deepest)
			deepest = depth[i];
		if (first[parent[i]] == 0)
			first[parent[i]] = i;
		last[parent[i]] = i;
		if (x[i] < least)
			least = x[i];
	}
	CHECK(fabs(least) < 1e-9);
	for (uint32_t i = 0; i < n; i++)
	{
		if (first[i])
			CHECK_MSG(fabs(x[i] - (x[first[i]] + x[last[i]]) / 2) < 1e-6, "parent %u", i);
	}
	/* The order of a level is that of depth-first visits. */
	uint32_t visited = 0, *stack = calloc(n, sizeof *stack), top = 1;

	while (top > 0)
	{
		uint32_t at = stack[--top];

		order[visited++] = at;
		for (uint32_t c = last[at]; c > 0 && c >= first[at]; c--)
		{
			if (parent[c] == at)
				stack[top++] = c;
		}
	}
	CHECK(visited == n);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t at = order[i], *before = &level[depth[at]];

		/* level[d] is 1 + the last one seen there */
		if (*before > 0)
			CHECK_MSG(x[at] - x[*before - 1] > one(parent, *before - 1, at) - 1e-6,
					  "%u and %u are %g apart", *before - 1, at, x[at] - x[*before - 1]);
		*before = at + 1;
	}
	free(depth), free(first), free(last), free(order), free(level), free(stack);
}

static void
layout_of_random_trees(void)
{
	rstar_error err;

	for (uint32_t round = 0; round < 2000 && !check_failed_here; round++)
	{
		dice d = {{3, round, 0}, 0};
		uint32_t n = 1 + below(&d, 120), reach = 1 + below(&d, 30);
		uint32_t parent[120];
		double x[120];

		for (uint32_t i = 1; i < n; i++)
			parent[i] = i <= reach ? below(&d, i) : i - 1 - below(&d, reach);
		parent[0] = UINT32_MAX;
		CHECK(rstar_layout(parent, n, one, parent, x, memory, NULL, &err) == RSTAR_OK);
		check_layout(parent, x, n);
	}
}

/* A chain of a million, a fan of a million, a comb: linear, and nothing recurses. */
static void
layout_of_large_trees(void)
{
	const uint32_t n = 1000000;
	uint32_t *parent = malloc(n * sizeof *parent);
	double *x = malloc(n * sizeof *x);
	clock_t begin = clock();
	rstar_error err;

	for (int shape = 0; shape < 3; shape++)
	{
		parent[0] = UINT32_MAX;
		for (uint32_t i = 1; i < n; i++)
			parent[i] = shape == 0 ? i - 1 : shape == 1 ? 0 : i % 2 ? (i > 1 ? i - 2 : 0) : i - 1;
		CHECK(rstar_layout(parent, n, one, parent, x, memory, NULL, &err) == RSTAR_OK);
		if (shape == 0)
			CHECK(x[n - 1] == 0);
		else if (shape == 1)
			CHECK(x[n - 1] == n - 2);
	}
	CHECK_MSG(clock() - begin < 20 * CLOCKS_PER_SEC, "%g s",
			  (double) (clock() - begin) / CLOCKS_PER_SEC);
	free(parent), free(x);
}

/* --- trees to draw --------------------------------------------------------------- */

static const char *const words[] = {
	"<code>\n# Step 1: bring the constant to the right\nrhs = 20 - 5\n<end_of_step>",
	"\n# Step 2: divide by the coefficient of x\nx = rhs / 3\n<end_of_step>",
	"\nfrom sympy import symbols, solve\nx = symbols('x')\n<end_of_step>",
	"\n# Now print the final answer\nprint(x)\n<end_of_code>\n<output>5<end_of_output>\n",
	"\n# Step 2: substitute and check that both sides agree, as they should\nassert 3*x + 5 == 20\n"
	"<end_of_step>"};

/* A search as it might go: random candidates, some of them failing, some answers. */
static rstar_mcts
searched(uint32_t seed, uint32_t nodes, uint32_t candidates, uint32_t depth,
		 rstar_guidance guidance)
{
	rstar_mcts_options options = {.guidance = guidance,
								  .known_answer = true,
								  .c_uct = 2,
								  .max_rollouts = 100000,
								  .max_depth = 16,
								  .max_nodes = nodes,
								  .answer_exclusive = true};
	dice d = {{seed, 0, 0}, 0};
	rstar_mcts mcts;
	rstar_error err;
	uint32_t at;

	CHECK(rstar_mcts_init(&mcts, &options, memory, &err) == RSTAR_OK);
	while ((at = rstar_mcts_select(&mcts)) != RSTAR_NO_NODE)
	{
		rstar_tree_node batch[16] = {0};
		uint32_t level = mcts.tree.nodes[at].depth;

		for (uint32_t i = 0; i < candidates; i++)
		{
			rstar_tree_node *node = &batch[i];

			node->kind = RSTAR_NODE_STEP;
			node->text = text_of(words[(level + below(&d, 2)) % 5]);
			node->scored = guidance == RSTAR_GUIDANCE_PPM;
			node->ppm_score = below(&d, 200) / 100.0 - 1;
			node->tokens = 20;
			if (below(&d, 4) == 0)
			{
				node->status = (rstar_node_status) (1 + below(&d, 5));
				node->output = text_of("Traceback:\nNameError: name 'y' is not defined");
			}
			else if (level >= depth && below(&d, 3) == 0)
			{
				node->kind = RSTAR_NODE_ANSWER;
				node->graded = true;
				node->correct = below(&d, 2) == 0;
				node->text = text_of("<answer>From the result, \\boxed{5}.\n<end_of_answer>");
				node->answer = text_of(node->correct ? "5" : "-5/3");
			}
			else if (below(&d, 5) == 0)
				node->output = text_of("5\n");
		}
		CHECK(rstar_mcts_expand(&mcts, at, batch, candidates, &err) == RSTAR_OK);
	}
	return mcts;
}

/* Facts about a searched tree; the best correct answer is the one given. */
static rstar_picture_facts
facts_of(const rstar_mcts *mcts)
{
	rstar_picture_facts facts = {
		.tree_id = 42,
		.problem = text_of("Solve 3*x + 5 = 20 for x."),
		.known_answer = text_of("5"),
		.settings = text_of("mcts, 8 candidates, policy rstar-policy, seed 0"),
		.answer_node = RSTAR_NO_NODE,
		.rollouts = mcts->rollouts,
		.first_correct = mcts->first_correct_rollout,
		.generated_tokens = 20 * mcts->tree.n_nodes,
		.python_steps = mcts->tree.n_nodes,
		.search_ms = 1234.5,
		.policy_ms = 1000,
		.ppm_ms = 100,
		.sandbox_ms = 134.5,
	};

	for (uint32_t i = 0; i < mcts->tree.n_nodes; i++)
	{
		const rstar_tree_node *node = &mcts->tree.nodes[i];

		if (node->kind == RSTAR_NODE_ANSWER && node->correct)
		{
			facts.answer_node = i;
			facts.answer = node->answer;
		}
	}
	return facts;
}

static void
keep(const char *name, const rstar_buffer *picture)
{
	const char *folder = getenv("RSTAR_PICTURES");
	char path[512];
	FILE *file;

	if (!folder)
		return;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	CHECK(file && fwrite(picture->data, 1, picture->length, file) == picture->length);
	if (file)
		fclose(file);
}

/* --- text ------------------------------------------------------------------------ */

static rstar_buffer
draw_text(const rstar_tree *tree, const rstar_picture_facts *facts, bool rejected)
{
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, memory);
	CHECK(rstar_picture_text(tree, facts, rejected, &out, NULL, &err) == RSTAR_OK);
	CHECK(rstar_utf8_valid(out.data, out.length));
	return out;
}

static uint32_t
add(rstar_tree *tree, uint32_t parent, rstar_tree_node node, uint32_t visits, double sum)
{
	rstar_error err;
	uint32_t id = 0;

	if (!node.text.data)
		node.text = text_of("");
	CHECK(rstar_tree_add(tree, parent, &node, &id, &err) == RSTAR_OK);
	tree->nodes[id].visits = visits;
	tree->nodes[id].value_sum = sum;
	return id;
}

static void
text_by_hand(void)
{
	rstar_tree tree;
	rstar_error err;
	rstar_picture_facts facts = {.tree_id = 7,
								 .problem = text_of("Solve 3*x + 5\n\t= 20 for x."),
								 .known_answer = text_of("5"),
								 .settings = text_of("mcts, 4 candidates"),
								 .answer = text_of("5"),
								 .answer_node = 3,
								 .rollouts = 4,
								 .first_correct = 0,
								 .generated_tokens = 120,
								 .python_steps = 6,
								 .search_ms = 12.5,
								 .policy_ms = 10,
								 .sandbox_ms = 2};
	static const char body[] =
		"Root  (visits=4 q=0.500)\n"
		"  =>  subtract 5  (visits=3 q=1.000 ppm=0.412)\n"
		"        =>  print(rhs / 3) | 5.0  (visits=2 q=1.000 merged=2)\n"
		"              =>  Answer: 5  (visits=1 q=1.000)  correct\n"
		"  ->  (nothing)  (visits=1 q=-1.000 error)\n"
		"        ->  Answer: 4  (visits=1 q=-1.000)  wrong\n"
		"  x   divide by zero  (error: ZeroDivisionError: division by zero)\n"
		"  x   one()  (timeout)\n"
		"  x   two()  (killed)\n"
		"  x   2 more rejected  (1 error, 1 unparsable)\n";
	static const char foot[] =
		"Answer: 5  (correct)\n"
		"Answers reached: 2, 1 correct, 1 wrong; the first correct one in rollout 0\n"
		"Rollouts: 4   Nodes: 11 (3 steps, 2 answers, 5 rejected: 2 error, 1 timeout, 1 killed, 1 "
		"unparsable)   Merged: 2   Depth: 3\n"
		"Tokens: 120   Python steps: 6\n"
		"Time: 12.500 ms (policy 10.000, ppm 0.000, sandbox 2.000)\n";
	char want[4096];
	rstar_buffer out;

	CHECK(rstar_tree_init(&tree, memory, &err) == RSTAR_OK);
	tree.nodes[0].visits = 4;
	tree.nodes[0].value_sum = 2;
	add(&tree, 0,
		(rstar_tree_node){.kind = RSTAR_NODE_STEP,
						  .text =
							  text_of("<code>\nimport math\n## subtract 5\nrhs = 15<end_of_step>"),
						  .scored = true,
						  .ppm_score = 0.412},
		3, 3);
	add(&tree, 1,
		(rstar_tree_node){
			.kind = RSTAR_NODE_STEP,
			.text = text_of("\nprint(rhs / 3)\n<end_of_code>\n<output>5.0<end_of_output>"),
			.output = text_of("5.0\n"),
			.duplicates = 2},
		2, 2);
	add(&tree, 2,
		(rstar_tree_node){
			.kind = RSTAR_NODE_ANSWER, .answer = text_of("5"), .graded = true, .correct = true},
		1, 1);
	add(&tree, 0,
		(rstar_tree_node){.kind = RSTAR_NODE_STEP, .status = RSTAR_NODE_ERROR, .kept = true}, 1,
		-1);
	add(&tree, 4,
		(rstar_tree_node){.kind = RSTAR_NODE_ANSWER, .answer = text_of("4"), .graded = true}, 1,
		-1);
	add(&tree, 0,
		(rstar_tree_node){.kind = RSTAR_NODE_STEP,
						  .status = RSTAR_NODE_ERROR,
						  .text = text_of("# divide by zero\n1/0"),
						  .output = text_of("Traceback\nZeroDivisionError: division by zero\n")},
		1, -1);
	add(&tree, 0,
		(rstar_tree_node){
			.kind = RSTAR_NODE_STEP, .status = RSTAR_NODE_TIMEOUT, .text = text_of("one()")},
		1, -1);
	add(&tree, 0,
		(rstar_tree_node){
			.kind = RSTAR_NODE_STEP, .status = RSTAR_NODE_KILLED, .text = text_of("two()")},
		1, -1);
	add(&tree, 0, (rstar_tree_node){.kind = RSTAR_NODE_STEP, .status = RSTAR_NODE_UNPARSABLE}, 1,
		-1);
	add(&tree, 0, (rstar_tree_node){.kind = RSTAR_NODE_STEP, .status = RSTAR_NODE_ERROR}, 1, -1);

	out = draw_text(&tree, &facts, true);
	snprintf(
		want, sizeof want,
		"Tree 7: mcts, 4 candidates\nProblem: Solve 3*x + 5 = 20 for x.\nKnown answer: 5\n\n%s\n%s",
		body, foot);
	CHECK_STR(out.data, want);
	rstar_buffer_free(&out);

	out = draw_text(&tree, &facts, false);
	CHECK(strstr(out.data, "divide by zero") == NULL && strstr(out.data, "more rejected") == NULL);
	CHECK(strstr(out.data, "Answer: 4") != NULL && strstr(out.data, "5 rejected") != NULL);
	rstar_buffer_free(&out);
	rstar_tree_free(&tree);
}

/* --- SVG ------------------------------------------------------------------------- */

/* Tags close in order, nothing but the five entities, no character that XML has not. */
static void
check_svg(const rstar_buffer *svg)
{
	const char *open[32];
	size_t lengths[32];
	int depth = 0;

	CHECK(svg->length > 0 && rstar_utf8_valid(svg->data, svg->length));
	for (size_t i = 0; i < svg->length && !check_failed_here; i++)
	{
		const char *at = svg->data + i, *end;
		size_t name = 1;

		CHECK_MSG((unsigned char) *at >= 0x20 || *at == '\n' || *at == '\t', "byte %u", *at);
		CHECK(memcmp(at, "\xef\xbf\xbe", 3) != 0 && memcmp(at, "\xef\xbf\xbf", 3) != 0);
		if (*at == '&')
			CHECK_MSG(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) ||
						  !strncmp(at, "&gt;", 4) || !strncmp(at, "&quot;", 6),
					  "%.20s", at);
		if (*at != '<')
			continue;
		end = memchr(at, '>', svg->length - i);
		CHECK(end && memchr(at + 1, '<', (size_t) (end - at - 1)) == NULL);
		if (!end)
			return;
		i = (size_t) (end - svg->data);
		if (at[1] == '/')
		{
			depth--;
			CHECK_MSG(depth >= 0 && strncmp(at + 2, open[depth], lengths[depth]) == 0, "%.20s", at);
			continue;
		}
		while (at[name] != ' ' && at[name] != '>' && at[name] != '/')
			name++;
		if (end[-1] == '/')
			continue;
		CHECK(depth < 32);
		open[depth] = at + 1;
		lengths[depth++] = name - 1;
	}
	CHECK(depth == 0);
}

static size_t
count(const rstar_buffer *svg, const char *what)
{
	size_t n = 0;

	const char *at = svg->data, *end = svg->data + svg->length;

	/* not strstr, whose checked form measures the whole text each time */
	for (; (at = memmem(at, (size_t) (end - at), what, strlen(what))) != NULL; at++)
		n++;
	return n;
}

static rstar_buffer
draw_svg(const rstar_tree *tree, const rstar_picture_facts *facts, const char *name)
{
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, memory);
	CHECK(rstar_picture_svg(tree, facts, &out, NULL, &err) == RSTAR_OK);
	check_svg(&out);
	keep(name, &out);
	return out;
}

static void
pictures_of_all_sizes(void)
{
	static const struct
	{
		const char *name;
		uint32_t nodes, candidates, depth;
		rstar_guidance guidance;
	} cases[] = {
		{"10", 9, 3, 1, RSTAR_GUIDANCE_PPM},      {"30", 28, 4, 2, RSTAR_GUIDANCE_TERMINAL},
		{"100", 97, 4, 2, RSTAR_GUIDANCE_PPM},    {"400", 393, 8, 3, RSTAR_GUIDANCE_PPM},
		{"2000", 1993, 8, 4, RSTAR_GUIDANCE_PPM}, {"10000", 9993, 8, 6, RSTAR_GUIDANCE_TERMINAL}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		rstar_mcts mcts = searched((uint32_t) i + 1, cases[i].nodes, cases[i].candidates,
								   cases[i].depth, cases[i].guidance);
		rstar_picture_facts facts = facts_of(&mcts);
		char name[32];
		rstar_buffer out;

		snprintf(name, sizeof name, "%s.svg", cases[i].name);
		out = draw_svg(&mcts.tree, &facts, name);
		/* every survivor has a mark with a tooltip; rejected ones at least one for each node */
		CHECK_MSG(count(&out, "<title>node ") > mcts.tree.n_nodes / 3, "%zu marks of %u nodes",
				  count(&out, "<title>node "), mcts.tree.n_nodes);
		printf("# %s: %u nodes, %zu bytes\n", cases[i].name, mcts.tree.n_nodes, out.length);
		rstar_buffer_free(&out);
		snprintf(name, sizeof name, "%s.txt", cases[i].name);
		out = draw_text(&mcts.tree, &facts, true);
		keep(name, &out);
		rstar_buffer_free(&out);
		rstar_mcts_free(&mcts);
	}
}

/* What a model may write, everywhere a text can stand. */
static void
hostile_texts(void)
{
	static const char *const texts[] = {
		"</title></svg><script>alert(1)</script>",
		"]]>&lt;&#0;\"' onload=\"x\"",
		"\x01\x02\x1b[31mred\x7f\xc2\x85",
		"\xff\xfe\xc0\x80 broken \xed\xa0\x80 \xf4\x90\x80\x80",
		"\xef\xbf\xbe\xef\xbf\xbf\xef\xb7\x90",
		"\xe2\x80\xae"
		"desrever \xe2\x81\xa6 \xe2\x80\xa8 \xef\xbb\xbf",
		"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2",
		"%s%n%d \\ %%",
		"#",
		"<output>",
		"",
		"\n\n\t \n"};
	rstar_tree tree;
	rstar_error err;
	rstar_buffer out;
	char *zalgo = malloc(200001), *line = malloc(1000001);

	for (int i = 0; i < 200000; i += 2)
		memcpy(zalgo + i, "\xcc\x81", 2);
	zalgo[200000] = '\0';
	memset(line, 'x', 1000000);
	line[1000000] = '\0';
	for (size_t t = 0; t < sizeof texts / sizeof *texts + 2; t++)
	{
		size_t last = sizeof texts / sizeof *texts;
		rstar_string text = text_of(t < last ? texts[t] : t == last ? zalgo : line);
		rstar_tree_node node = {
			.kind = RSTAR_NODE_STEP, .text = text, .output = text, .answer = text};
		rstar_picture_facts facts = {.problem = text,
									 .known_answer = text,
									 .settings = text,
									 .answer = text,
									 .answer_node = 2,
									 .first_correct = RSTAR_NO_NODE,
									 .search_ms = NAN};

		CHECK(rstar_tree_init(&tree, memory, &err) == RSTAR_OK);
		add(&tree, 0, node, 1, NAN);
		node.kind = RSTAR_NODE_ANSWER;
		add(&tree, 1, node, 1, INFINITY);
		node.kind = RSTAR_NODE_STEP;
		node.status = RSTAR_NODE_ERROR;
		add(&tree, 0, node, 0, 0);
		out = draw_svg(&tree, &facts, "hostile.svg");
		CHECK(strstr(out.data, "<script") == NULL);
		CHECK_MSG(out.length < 60000, "%zu bytes", out.length);
		rstar_buffer_free(&out);
		out = draw_text(&tree, &facts, true);
		CHECK(strchr(out.data, '\x1b') == NULL);
		CHECK_MSG(out.length < 20000, "%zu bytes", out.length);
		CHECK(count(&out, "\n") == 14 || check_failed_here);
		rstar_buffer_free(&out);
		rstar_tree_free(&tree);
	}
	free(zalgo), free(line);
}

/* A root alone; a chain of 1,000 and one of 20,000; an answer that is not there. */
static void
odd_shapes(void)
{
	static const uint32_t lengths[] = {0, 1, 1000, 20000};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
	{
		rstar_picture_facts facts = {.problem = text_of("?"), .first_correct = RSTAR_NO_NODE};
		rstar_tree tree;
		rstar_error err;
		rstar_buffer out;
		uint32_t at = 0;

		CHECK(rstar_tree_init(&tree, memory, &err) == RSTAR_OK);
		for (uint32_t k = 0; k < lengths[i]; k++)
		{
			rstar_tree_node node = {.kind = RSTAR_NODE_STEP, .text = text_of("x = 1")};

			at = add(&tree, at, node, 1, 0.5);
			node.status = RSTAR_NODE_KILLED;
			add(&tree, tree.nodes[at].parent, node, 1, -1);
		}
		facts.answer_node = i % 2 ? RSTAR_NO_NODE : at;
		out = draw_svg(&tree, &facts, "chain.svg");
		CHECK(count(&out, "<title>node ") == 1 + 2 * lengths[i]);
		rstar_buffer_free(&out);
		out = draw_text(&tree, &facts, true);
		CHECK(count(&out, "\n") == 2 * lengths[i] + 10);
		rstar_buffer_free(&out);
		facts.answer_node = 123456;
		out = draw_svg(&tree, &facts, "no-answer.svg");
		rstar_buffer_free(&out);
		rstar_tree_free(&tree);
	}
}

static bool
at_third_look(void *arg)
{
	return ++*(int *) arg >= 3;
}

/* A large picture can be given up in the middle. */
/* Not only between the parts of a drawing, also within the layout of a large tree. */
static void
layout_is_cancelled(void)
{
	enum
	{
		n = 100000
	};
	uint32_t *parent = calloc(n, sizeof *parent);
	int looks = 0;
	double *x = calloc(n, sizeof *x);
	rstar_cancel cancel = {at_third_look, &looks};
	rstar_error err;

	parent[0] = UINT32_MAX;
	CHECK(rstar_layout(parent, n, one, parent, x, memory, &cancel, &err) == RSTAR_ERR_CANCELLED);
	CHECK_MSG(looks == 3, "%d looks", looks);
	free(parent), free(x);
}

static void
drawing_is_cancelled(void)
{
	rstar_mcts mcts = searched(9, 5000, 8, 4, RSTAR_GUIDANCE_PPM);
	rstar_picture_facts facts = facts_of(&mcts);
	int looks = 0;
	rstar_cancel cancel = {at_third_look, &looks};
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, memory);
	CHECK(rstar_picture_svg(&mcts.tree, &facts, &out, &cancel, &err) == RSTAR_ERR_CANCELLED);
	CHECK_MSG(looks == 3, "%d looks", looks);
	looks = 0;
	CHECK(rstar_picture_text(&mcts.tree, &facts, true, &out, &cancel, &err) == RSTAR_ERR_CANCELLED);
	CHECK_MSG(looks == 3, "%d looks", looks);
	rstar_buffer_free(&out);
	rstar_mcts_free(&mcts);
}

/* Lines are cut by columns, never within a character. */
static void
lines_are_cut(void)
{
	static const struct
	{
		const char *text;
		uint32_t columns;
		const char *want;
	} cases[] = {{"abc", 3, "abc"},
				 {"abcd", 3, "ab\xe2\x80\xa6"},
				 {"  a \n\n b  ", 9, "a b"},
				 {"a b", 2, "a\xe2\x80\xa6"},
				 {"\xe6\xbc\xa2\xe5\xad\x97", 4, "\xe6\xbc\xa2\xe5\xad\x97"},
				 {"\xe6\xbc\xa2\xe5\xad\x97", 3, "\xe6\xbc\xa2\xe2\x80\xa6"},
				 {"\xe6\xbc\xa2\xe5\xad\x97", 2, "\xe2\x80\xa6"},
				 {"e\xcc\x81x", 2, "e\xcc\x81x"},
				 {"\x1b[0m", 9, "\xef\xbf\xbd[0m"},
				 {"abc", 0, ""},
				 {"", 5, ""}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		rstar_buffer out;

		rstar_buffer_init(&out, memory);
		CHECK(rstar_buffer_append_text(&out, ">"));
		CHECK(rstar_picture_line(&out, text_of(cases[i].text), cases[i].columns));
		CHECK(rstar_buffer_append_text(&out, ""));
		CHECK_MSG(out.length == 1 + strlen(cases[i].want) &&
					  memcmp(out.data + 1, cases[i].want, out.length - 1) == 0,
				  "case %zu: %.*s", i, (int) out.length, out.data);
		rstar_buffer_free(&out);
	}
}

int
main(void)
{
	RUN(layout_of_random_trees);
	RUN(layout_of_large_trees);
	RUN(lines_are_cut);
	RUN(text_by_hand);
	RUN(pictures_of_all_sizes);
	RUN(hostile_texts);
	RUN(odd_shapes);
	RUN(layout_is_cancelled);
	RUN(drawing_is_cancelled);
	return CHECK_RESULT();
}

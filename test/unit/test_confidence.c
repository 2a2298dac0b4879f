/*
 * test_confidence.c
 *	  Shares of answers on a tree made by hand, the regression against data
 *	  that it should recover, and the measures against small tables.
 */
#include "check.h"

#include "core/picture/reliability_svg.h"
#include "core/search/confidence.h"
#include "core/search/reliability.h"

static rstar_string
text_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

static void
declining(void)
{
	CHECK(rstar_step_declines(text_of("I do not know.")));
	CHECK(rstar_step_declines(text_of("\n I do not know.\t")));
	CHECK(!rstar_step_declines(text_of("I do not know")));
	CHECK(!rstar_step_declines(text_of("I do not know. 4")));
	CHECK(!rstar_step_declines(text_of("\\boxed{4}")));
	CHECK(!rstar_step_declines(text_of("")));
	CHECK(!rstar_step_declines(text_of(" \n")));
}

/* --- shares ---------------------------------------------------------------------------- */

static void
init(rstar_mcts *mcts)
{
	rstar_mcts_options options = {.c_uct = 2, .max_rollouts = 16, .max_depth = 16};
	rstar_error err;

	CHECK(rstar_mcts_init(mcts, &options, &rstar_allocator_malloc, &err) == RSTAR_OK);
}

static void
expand(rstar_mcts *mcts, const rstar_tree_node *candidates, uint32_t n)
{
	rstar_error err;
	uint32_t node = rstar_mcts_select(mcts);

	CHECK(rstar_mcts_expand(mcts, node, candidates, n, &err) == RSTAR_OK);
}

static rstar_tree_node
step(const char *text, double probability)
{
	return (rstar_tree_node){.kind = RSTAR_NODE_STEP,
							 .state = RSTAR_SOLUTION_RAN,
							 .text = text_of(text),
							 .written = strlen(text),
							 .tokens = 10,
							 .logprob = log(probability)};
}

static rstar_tree_node
answer(const char *text)
{
	rstar_tree_node node = step(text, 1);

	node.kind = RSTAR_NODE_ANSWER;
	node.answer = text_of(text);
	return node;
}

/*
 * Below the root: two solutions that differ in a comment and give 1/2, other
 * code that gives 0.5, one that gives 3, one that fails, and "I do not know".
 */
static void
grow(rstar_mcts *mcts)
{
	rstar_tree_node top[] = {
		step("# halve\nprint(1/2)\n", 0.3), step("# divide\nprint(1 / 2)\n", 0.2),
		step("print(0.5)\n", 0.1),          step("print(3)\n", 0.15),
		step("print(1/0)\n", 0.05),         step("I do not know.", 0.12)};
	rstar_tree_node half = answer("1/2"), decimal = answer("0.5"), three = answer("3");

	top[4].status = RSTAR_NODE_ERROR;
	top[5].status = RSTAR_NODE_DECLINED;
	init(mcts);
	expand(mcts, top, 6);
	expand(mcts, &half, 1);
	expand(mcts, &half, 1);
	expand(mcts, &decimal, 1);
	expand(mcts, &three, 1);
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void
shares_by_hand(void)
{
	rstar_answer_shares shares;
	rstar_mcts mcts;
	rstar_error err;

	grow(&mcts);
	CHECK(rstar_answer_shares_read(&mcts, &rstar_allocator_malloc, &shares, &err) == RSTAR_OK);
	CHECK_MSG(shares.n == 2, "%u classes", shares.n);
	CHECK(near(shares.classes[0].mass, 0.6) && near(shares.classes[1].mass, 0.15));
	CHECK(shares.classes[0].solutions == 3 && shares.classes[0].codes == 2);
	CHECK(near(shares.classes[0].best, log(0.3)) && shares.classes[0].node == 7);
	CHECK(near(shares.declined, 0.12));
	/* Whichever of the equal answers is asked about. */
	CHECK(rstar_answer_shares_find(&shares, &mcts, 9, &rstar_allocator_malloc) ==
		  &shares.classes[0]);
	rstar_answer_shares_free(&shares, &rstar_allocator_malloc);
	rstar_mcts_free(&mcts);
}

static void
no_answers(void)
{
	rstar_tree_node top = step("I do not know.", 0.9);
	rstar_answer_shares shares;
	rstar_mcts mcts;
	rstar_error err;

	top.status = RSTAR_NODE_DECLINED;
	init(&mcts);
	expand(&mcts, &top, 1);
	CHECK(rstar_mcts_select(&mcts) == RSTAR_NO_NODE && mcts.answers == 0);
	CHECK(rstar_answer_shares_read(&mcts, &rstar_allocator_malloc, &shares, &err) == RSTAR_OK);
	CHECK(shares.n == 0 && near(shares.declined, 0.9));
	rstar_answer_shares_free(&shares, &rstar_allocator_malloc);
	rstar_mcts_free(&mcts);
}

static void
evidence_by_hand(void)
{
	rstar_evidence e;
	rstar_mcts mcts;
	rstar_error err;

	grow(&mcts);
	CHECK(rstar_evidence_read(&mcts, 8, text_of("What is 1 over 2, 3?"), 5, &rstar_allocator_malloc,
							  &e, &err) == RSTAR_OK);
	CHECK(near(e.mass, 0.6) && near(e.others, 0.15) && near(e.declined, 0.12));
	CHECK(near(e.failed, 0.1) && near(e.novelty, 0.25) && e.codes == 2 && e.value == 0);
	CHECK(e.tokens == 20); /* of a step and the answer */
	CHECK(e.use.numbers == 3 && near(e.use.missing, 1 / 3.0) && e.use.repeated == 0);
	CHECK(e.slips == 0 && !e.evades);
	CHECK(rstar_evidence_read(&mcts, 8, text_of(""), 0, &rstar_allocator_malloc, &e, &err) ==
		  RSTAR_OK);
	CHECK(e.novelty == 0);
	/* Without a calibration the mass stands in. */
	CHECK(near(rstar_confidence(NULL, &e), 0.6));
	e.mass = 1.0000001;
	CHECK(rstar_confidence(&(rstar_calibration){0}, &e) == 1);
	rstar_mcts_free(&mcts);
}

/* --- the problem's numbers ---------------------------------------------------------------- */

/* A tree of two steps and an answer, node 3. */
static void
grow_path(rstar_mcts *mcts, const char *first, const char *second)
{
	rstar_tree_node steps[] = {step(first, 0.5), step(second, 0.5)}, last = answer("7");

	init(mcts);
	expand(mcts, &steps[0], 1);
	expand(mcts, &steps[1], 1);
	expand(mcts, &last, 1);
}

static rstar_number_use
use_of(const char *problem, const char *first, const char *second)
{
	rstar_number_use use;
	rstar_mcts mcts;

	grow_path(&mcts, first, second);
	rstar_number_use_read(text_of(problem), &mcts.tree, 3, &use);
	rstar_mcts_free(&mcts);
	return use;
}

static void
numbers_by_hand(void)
{
	rstar_number_use use = use_of("Take 20% off 50", "x = 20 * 50 / 100\n", "print(x)\n");

	CHECK(use.numbers == 2 && use.missing == 0 && use.repeated == 0 && use.words == 2);
	/* One is left out, the other used twice; the first of three numbers of the code is new. */
	use = use_of("Speed 80, time 4.", "v = 9\n", "print(v, 80, 80)\n");
	CHECK(near(use.missing, 0.5) && near(use.repeated, 1 / 3.0));
	/* Comments, the answer itself and digits of names do not count. */
	use = use_of("7 and 8", "# 7\nx8 = 1 # 8\n", "print(x8)\n");
	CHECK(use.missing == 1 && use.repeated == 0);
	/* The same number, written in other ways. */
	use = use_of("1,234,567 at 05:30 for $29.50, 0.0 and 10", "1234567 5 30\n", "29.5 0 10\n");
	CHECK_MSG(use.numbers == 6 && use.missing == 0, "%u, %g", use.numbers, use.missing);
	use = use_of("2,5,8,11 and 3.", "s = [2, 5, 8, 11]\n", "3\n");
	CHECK_MSG(use.numbers == 5 && use.missing == 0, "%u, %g", use.numbers, use.missing);
	use = use_of("100 is not 10", "1\n", "10\n");
	CHECK(use.numbers == 2 && near(use.missing, 0.5));
	use = use_of("", "1\n", "2\n");
	CHECK(use.numbers == 0 && use.missing == 0 && use.repeated == 0 && use.words == 0);
	use = use_of("Wie gro\xc3\x9f ist x_1?", "", "");
	CHECK(use.words == 4 && use.numbers == 0);
}

/* More different numbers than are kept: no more than those are looked at. */
static void
many_numbers(void)
{
	char problem[4096] = "";
	rstar_number_use use;

	for (int i = 100; i < 100 + 2 * RSTAR_NUMBERS_MOST; i++)
		sprintf(problem + strlen(problem), "%d ", i);
	use = use_of(problem, "100 101\n", "900\n");
	CHECK(use.numbers == RSTAR_NUMBERS_MOST);
	CHECK(near(use.missing, (RSTAR_NUMBERS_MOST - 2.0) / RSTAR_NUMBERS_MOST));
}

/* --- words copied wrongly ------------------------------------------------------------------ */

static uint32_t
slips_of(const char *problem, const char *first, const char *second)
{
	rstar_mcts mcts;
	uint32_t slips;

	grow_path(&mcts, first, second);
	slips = rstar_slips_count(text_of(problem), &mcts.tree, 3);
	rstar_mcts_free(&mcts);
	return slips;
}

static void
slips_by_hand(void)
{
	/* A digit, a letter left out, doubled, changed. */
	CHECK(slips_of("92333 - 2268", "print(9233 - 2268)\n", "") == 1);
	CHECK(slips_of("92333 - 2268", "print(923333 - 2258)\n", "") == 2);
	CHECK(slips_of("-1ce0c (base 16) to base 13", "n = int('-1e0c', 16)\n", "") == 1);
	CHECK(slips_of("Two letters of mmmllmmlmmlmmllmmll.", "c = Counter('mmmllmmlmmlmllmmll')\n",
				   "") == 1);
	CHECK(slips_of("Add 12,345 and 2.", "print(1245 + 2)\n", "") == 1);
	CHECK(slips_of("What is 10.375 times 2?", "print(10.35 * 2)\n", "") == 1);
	/* Copied rightly, if need be in another step or another way of writing. */
	CHECK(slips_of("92333 - 2268", "a = 9233\n", "print(92333 - 2268)\n") == 0);
	CHECK(slips_of("It costs 1,250.50 of 12,500.", "1250.5\n", "print(12500)\n") == 0);
	CHECK(slips_of("Is 1CE0C even?", "'1ce0c'\n", "") == 0);
	/* Not copied at all; quite another number; short ones; other forms of a word. */
	CHECK(slips_of("92333 - 2268", "print(90065)\n", "") == 0);
	CHECK(slips_of("Of 2019 and 2340", "print(2091, 2134)\n", "") == 0);
	CHECK(slips_of("100 and 12", "print(10 + 1)\n", "") == 0);
	CHECK(slips_of("What is 0.6279164t in grams?", "print(0.6279164 * 10**6)\n", "") == 0);
	CHECK(slips_of("What is 0.6279164t in grams?", "print(0.627916 * 10**6)\n", "") == 1);
	CHECK(slips_of("How many minutes?", "print('minute')\n", "") == 0);
	/* Comments, and names outside quotes, are not copies; an apostrophe ends with its line. */
	CHECK(slips_of("Take 92333.", "# 9233\nx = 1 # 'don't 9233\n", "") == 0);
	CHECK(slips_of("Twelve of tables", "tabls = twelv\n", "") == 0);
	CHECK(slips_of("Take 92333.", "s = 'it\nprint(9233) # 92333\n", "") == 1);
	CHECK(slips_of("", "9233\n", "") == 0 && slips_of("92333", "", "") == 0);
	CHECK(slips_of("1.0000 and 12345", "1.\n", "12346") == 1);
}

/* A slip and an evasion reach the evidence, and each makes the answer less sure. */
static void
slips_are_evidence(void)
{
	const rstar_calibration calibration = {.fitted = true, .weights = {[14] = -2, [16] = -4}};
	rstar_evidence e;
	rstar_mcts mcts;
	rstar_error err;

	grow_path(&mcts, "print(9233 - 2268)\n", "");
	CHECK(rstar_evidence_read(&mcts, 3, text_of("92333 - 2268"), 9, &rstar_allocator_malloc, &e,
							  &err) == RSTAR_OK);
	CHECK(e.slips == 1 && !e.evades);
	CHECK(near(rstar_confidence(&calibration, &e), 1 / (1 + exp(2))));
	CHECK(rstar_evidence_read(&mcts, 3, text_of("Is 9233 greater than 2268?"), 9,
							  &rstar_allocator_malloc, &e, &err) == RSTAR_OK);
	CHECK(e.slips == 0 && e.evades);
	CHECK(near(rstar_confidence(&calibration, &e), 1 / (1 + exp(4))));
	rstar_mcts_free(&mcts);
}

/* What is too long to be compared, or one too many, is not looked at. */
static void
slips_within_limits(void)
{
	char problem[4096] = "", solution[128];

	memset(problem, '7', RSTAR_SLIPS_LONGEST);
	snprintf(solution, sizeof solution, "%.*s", RSTAR_SLIPS_LONGEST - 1, problem);
	CHECK(slips_of(problem, solution, "") == 1);
	problem[RSTAR_SLIPS_LONGEST] = '7';
	CHECK(slips_of(problem, solution, "") == 0);
	problem[0] = 0;
	for (int i = 0; i < RSTAR_SLIPS_MOST; i++)
		sprintf(problem + strlen(problem), "%d ", 100000 + 1111 * i);
	strcat(problem, "5555555");
	CHECK(slips_of(problem, "555555", "100001") == 1);
}

/* --- calibration ------------------------------------------------------------------------ */

#define N 16000

static rstar_evidence evidence[N];
static bool right[N];
static double truth[N], confidence[N];

static double
uniform(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (*state >> 11) / 9007199254740992.0;
}

/* Evidence at random, and answers that are right with the probability that given weights say. */
static void
draw(const double weights[RSTAR_N_FEATURES])
{
	uint64_t state = 7;

	for (int i = 0; i < N; i++)
	{
		double f[RSTAR_N_FEATURES], sum = 0;

		evidence[i] = (rstar_evidence){.mass = uniform(&state),
									   .codes = 1 + (uint32_t) (3 * uniform(&state)),
									   .failed = uniform(&state),
									   .tokens = (uint32_t) (300 * uniform(&state)),
									   .novelty = uniform(&state),
									   .use = {.numbers = (uint32_t) (5 * uniform(&state)),
											   .missing = uniform(&state),
											   .repeated = uniform(&state),
											   .words = (uint32_t) (60 * uniform(&state))},
									   .evades = uniform(&state) < 0.3,
									   .slips = (uint32_t) (3 * uniform(&state))};
		evidence[i].others = (1 - evidence[i].mass) * uniform(&state);
		evidence[i].declined = (1 - evidence[i].mass - evidence[i].others) * uniform(&state);
		rstar_evidence_features(&evidence[i], f);
		for (int k = 0; k < RSTAR_N_FEATURES; k++)
			sum += weights[k] * f[k];
		truth[i] = 1 / (1 + exp(-sum));
		right[i] = uniform(&state) < truth[i];
	}
}

static void
fit_recovers_the_truth(void)
{
	const double weights[RSTAR_N_FEATURES] = {0.5, 3,  2,   -2,   0.5, -1.5, -0.5, -1, 0,
											  -2,  -1, 0.5, -0.5, -1,  -1,   -0.5, -1};
	rstar_calibration calibration;
	rstar_reliability r;
	rstar_error err;
	double worst = 0, sum = 0;

	draw(weights);
	CHECK(rstar_calibration_fit(evidence, right, N, &calibration, &err) == RSTAR_OK);
	for (int i = 0; i < N; i++)
	{
		double off = fabs(rstar_confidence(&calibration, &evidence[i]) - truth[i]);

		worst = fmax(worst, off);
		sum += off;
	}
	CHECK_MSG(sum / N < 0.01 && worst < 0.2, "mean %g, worst %g", sum / N, worst);
	CHECK(rstar_calibration_cross(evidence, right, N, confidence, &err) == RSTAR_OK);
	rstar_reliability_measure(confidence, right, N, N, &r);
	CHECK_MSG(r.error < 0.03, "%g", r.error);
}

/* Nothing that is wrong, or nothing that is right, must not send weights to infinity. */
static void
fit_of_one_sort(void)
{
	rstar_calibration calibration;
	rstar_error err;

	draw((double[RSTAR_N_FEATURES]){0});
	for (int sort = 0; sort < 2; sort++)
	{
		memset(right, sort, sizeof right);
		CHECK(rstar_calibration_fit(evidence, right, 100, &calibration, &err) == RSTAR_OK);
		for (int i = 0; i < N; i++)
		{
			double p = rstar_confidence(&calibration, &evidence[i]);

			CHECK(isfinite(p) && p >= 0 && p <= 1 && (p > 0.5) == (sort == 1));
		}
	}
	CHECK(rstar_calibration_fit(evidence, right, RSTAR_CALIBRATION_LEAST - 1, &calibration, &err) ==
		  RSTAR_ERR_ARGUMENT);
	CHECK(rstar_calibration_cross(evidence, right, 3, confidence, &err) == RSTAR_ERR_ARGUMENT);
}

/* Evidence from outside, however odd, gives a probability. */
static void
odd_evidence(void)
{
	const rstar_evidence odd[] = {{0},
								  {.mass = 5, .others = 1e300},
								  {.best = -INFINITY},
								  {.codes = UINT32_MAX, .failed = 1, .novelty = 1, .value = -1},
								  {.use = {UINT32_MAX, 1, 1, UINT32_MAX}},
								  {.slips = UINT32_MAX}};
	rstar_calibration calibration = {
		.fitted = true, .weights = {1, 9, 9, -9, 9, -9, 9, 9, 9, -9, -9, 9, 9, -9, -9, -9, -9}};

	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
	{
		double p = rstar_confidence(&calibration, &odd[i]);

		CHECK_MSG(p >= 0 && p <= 1, "%zu: %g", i, p);
	}
}

/* --- measures --------------------------------------------------------------------------- */

static void
measures_by_hand(void)
{
	const double stated[] = {0.95, 0.95, 0.9, 0.55, 0.5, 0.05, 1.0};
	const bool was[] = {true, false, true, true, false, false, true};
	rstar_reliability r;

	rstar_reliability_measure(stated, was, 7, 10, &r);
	CHECK(r.problems == 10 && r.answered == 7 && r.right == 4);
	/* 0.95, 0.95, 0.9 and 1 share the last bin: 3 of 4 right, 0.95 stated. */
	CHECK(r.bins[9].n == 4 && r.bins[9].right == 3 && near(r.bins[9].confidence, 0.95));
	CHECK(r.bins[5].n == 2 && r.bins[5].right == 1 && r.bins[0].n == 1 && r.bins[3].n == 0);
	CHECK_MSG(near(r.error, (0.8 + 0.05 + 0.05) / 7), "%.12g", r.error);
	CHECK(r.levels[0].given == 7 && r.levels[0].wrong == 3);
	CHECK(near(r.levels[18].least, 0.9) && r.levels[18].given == 4 && r.levels[18].wrong == 1);
	CHECK(r.levels[20].given == 1 && r.levels[20].wrong == 0);
}

static double
threshold(const double *stated, const bool *was, uint32_t n, double max_wrong)
{
	double least = -1;
	rstar_error err;

	CHECK(rstar_reliability_threshold(stated, was, n, max_wrong, &rstar_allocator_malloc, &least,
									  &err) == RSTAR_OK);
	return least;
}

static void
thresholds_by_hand(void)
{
	const double stated[] = {0.2, 0.9, 0.4, 0.8, 0.8};
	const bool was[] = {false, true, true, true, false};

	CHECK(threshold(stated, was, 5, 0) == 0.9);    /* 0.8 is right once and wrong once */
	CHECK(threshold(stated, was, 5, 0.25) == 0.4); /* one of four */
	CHECK(threshold(stated, was, 5, 0.4) == 0);    /* all */
	CHECK(threshold(stated, was, 1, 0.5) == 1);    /* the only one is wrong */
	CHECK(threshold(stated, was, 0, 0.5) == 1);
}

static void
pictures(void)
{
	rstar_reliability r = {.problems = 0};
	rstar_buffer out;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_reliability_svg(&r, text_of("a <model> & more"), &out));
	CHECK(rstar_buffer_append(&out, "", 1));
	CHECK(strstr(out.data, "a &lt;model&gt; &amp; more") != NULL);
	CHECK(strstr(out.data, "nan") == NULL && strstr(out.data, "inf") == NULL);
	CHECK(strstr(out.data, "</svg>") != NULL);
	out.length = 0;
	rstar_reliability_measure((double[]){0.3, 0.7}, (bool[]){false, true}, 2, 4, &r);
	CHECK(rstar_reliability_svg(&r, text_of("m"), &out));
	CHECK(rstar_buffer_append(&out, "", 1));
	CHECK(strstr(out.data, "1 of 1 right, mean confidence 0.700") != NULL);
	CHECK(strstr(out.data, "4 problems, 2 answered, 1 right") != NULL);
	rstar_buffer_free(&out);
}

int
main(void)
{
	RUN(declining);
	RUN(shares_by_hand);
	RUN(no_answers);
	RUN(evidence_by_hand);
	RUN(numbers_by_hand);
	RUN(many_numbers);
	RUN(slips_by_hand);
	RUN(slips_are_evidence);
	RUN(slips_within_limits);
	RUN(fit_recovers_the_truth);
	RUN(fit_of_one_sort);
	RUN(odd_evidence);
	RUN(measures_by_hand);
	RUN(thresholds_by_hand);
	RUN(pictures);
	return CHECK_RESULT();
}

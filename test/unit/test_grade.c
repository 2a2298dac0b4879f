/*
 * test_grade.c
 *	  Answers that must be equal, answers that must not, and hostile ones.
 *
 * The tables are of our own making. The cases in ../shared/grading, where they
 * are present, must come out right to 99 %, without a single false accept.
 */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#include "check.h"

#include <jansson.h>
#include <time.h>

#include "core/grade/grade.h"
#include "core/grade/real.h"
#include "grade_cases.h"
#include "grade_kind_cases.h"

static rstar_grade_result
compare(const char *gold, const char *answer)
{
	return rstar_grade_compare(&rstar_allocator_malloc, gold, strlen(gold), answer, strlen(answer));
}

static void
check_cases(const grade_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		const grade_case *c = &cases[i];
		rstar_grade_result r = compare(c->gold, c->answer);

		CHECK_MSG(r.equal == c->equal, "gold %s, answer %s, rule %s", c->gold, c->answer,
				  rstar_grade_rule_name(r.rule));
		if (c->symmetric)
			CHECK_MSG(compare(c->answer, c->gold).equal == c->equal, "mirrored: gold %s, answer %s",
					  c->answer, c->gold);
	}
}

static void
test_cases(void)
{
	check_cases(grade_cases, sizeof(grade_cases) / sizeof(grade_cases[0]));
}

static void
test_kinds(void)
{
	check_cases(grade_kind_cases, sizeof(grade_kind_cases) / sizeof(grade_kind_cases[0]));
}

/* A value in words that change what it says is not the value. */
static void
test_changed_meaning(void)
{
	static const char *const values[] = {"7", "12", "-3", "0.25", "\\frac{3}{8}", "2\\sqrt{5}"};
	static const char *const frames[] = {
		"x is less than %s.",
		"x is more than %s",
		"It is at least %s",
		"The answer is at most %s.",
		"The answer is not %s",
		"The answer isn't %s",
		"It isn't %s.",
		"It is half of %s.",
		"Half of the answer is %s.",
		"Twice x is %s",
		"The answer is twice %s",
		"The answer is the square of %s.",
		"The square root of the answer is %s",
		"The answer is the reciprocal of %s",
		"If the answer is %s, we are done.",
		"Suppose x is %s.",
		"Is it %s?",
		"The answer is %s? No.",
		"The answer is %s. That is wrong.",
		"It could be %s.",
		"The answer might be %s",
		"Perhaps the answer is %s.",
		"The wrong answer is %s.",
		"between 1000 and %s",
		"%s or 1000",
		"The answer is %s or 1000.",
		"The answer is %s and y is 1000.",
		"x is %s and y is 1000",
		"%s dozen",
		"%s thousand",
		"%s squared",
		"%s halves",
		"%s R2",
		"%s mod 1000",
		"\\sqrt{%s}",
		"\\log(%s)",
		"math.exp(%s)",
		"f(%s)",
		"x > %s",
		"x + %s",
		"x^{%s}",
		"x_{%s}",
		"\\{%s, 1000\\}",
		"(%s, %s)",
		"[%s, %s]",
		"Interval(0, %s)",
		"Interval.open(%s, 1000)",
		"Matrix([[%s, 1000]])",
		"{x: %s, y: 1000}",
		"Eq(x + y, %s)",
		"And(x > 0, x < %s)",
		"x: %s, y: 1000",
		"1/(%s)",
		"-(%s)",
		"So we divide by %s.",
		"Therefore x is a multiple of %s.",
		"Thus x differs from %s by 1",
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (size_t k = 0; k < sizeof(frames) / sizeof(frames[0]); k++)
		{
			char text[256];

			/* Some frames hold the value twice; the second argument is ignored by the others. */
			snprintf(text, sizeof(text), frames[k], values[i], values[i]);
			CHECK_MSG(!compare(values[i], text).equal, "gold %s, answer %s", values[i], text);
		}
}

/* Sentences that say what the answer is. */
static void
test_stated(void)
{
	static const char *const values[] = {"7", "12", "-3", "0.25", "$\\frac{3}{8}$", "$2\\sqrt{5}$"};
	static const char *const frames[] = {
		"The answer is %s.",
		"So the answer is %s.",
		"Answer: %s",
		"**Answer:** %s",
		"**Final Answer**\n\n%s",
		"Therefore, x = %s.",
		"Thus the total is %s.",
		"Hence, there are %s ways.",
		"The value of x is **%s**.",
		"We conclude that it equals %s",
		"The result is %s, which is what we wanted.",
		"We add the parts. There are several. So in all it is %s.",
		"<answer>%s</answer>",
		"<answer>So it is %s</answer> done",
		"some work\n#### %s",
		"Finally, %s is the answer.",
		"It is not 1000, it is %s.",
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (size_t k = 0; k < sizeof(frames) / sizeof(frames[0]); k++)
		{
			char text[256];

			snprintf(text, sizeof(text), frames[k], values[i]);
			CHECK_MSG(compare(values[i], text).equal, "gold %s, answer %s", values[i], text);
			CHECK_MSG(!compare("1234567", text).equal, "gold 1234567, answer %s", text);
		}
}

static void
test_reflexive(void)
{
	for (size_t i = 0; i < sizeof(grade_cases) / sizeof(grade_cases[0]); i++)
	{
		const char *gold = grade_cases[i].gold;
		char text[512];

		CHECK_MSG(compare(gold, gold).equal, "%s", gold);
		snprintf(text, sizeof(text), "  %s. ", gold);
		CHECK_MSG(compare(gold, text).equal, "%s", text);
		snprintf(text, sizeof(text), "So the result is $\\boxed{%s}$, as claimed.", gold);
		if (!strchr(gold, '$') && !strstr(gold, "boxed"))
			CHECK_MSG(compare(gold, text).equal, "%s", text);
	}
}

/* The reading of a gold and of everything else must not depend on one another. */
static void
test_rules(void)
{
	static const struct
	{
		const char *gold;
		const char *answer;
		rstar_grade_rule rule;
	} rules[] = {
		{"1/2", "0.5", RSTAR_RULE_NUMBER},
		{"1/3", "0.3333333333333333", RSTAR_RULE_DECIMAL},
		{"\\sqrt{8}", "2\\sqrt2", RSTAR_RULE_EXPRESSION},
		{"28\\%", "28", RSTAR_RULE_PERCENT},
		{"90^\\circ", "90", RSTAR_RULE_DEGREE},
		{"5 cm", "0.05 m", RSTAR_RULE_UNIT},
		{"1, 2", "2, 1", RSTAR_RULE_LIST},
		{"\\{1, 2\\}", "2, 1", RSTAR_RULE_SET},
		{"(1, 2)", "( 1 ,2)", RSTAR_RULE_TUPLE},
		{"(0, 1)", "0 < x < 1", RSTAR_RULE_INTERVAL},
		{"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)", RSTAR_RULE_MATRIX},
		{"y = 2x", "2y = 4x", RSTAR_RULE_EQUATION},
		{"x + y < 1", "2x + 2y < 2", RSTAR_RULE_INEQUALITY},
		{"3:4", "6:8", RSTAR_RULE_RATIO},
		{"4:57 PM", "16:57", RSTAR_RULE_TIME},
		{"2102_8", "2102_{8} ", RSTAR_RULE_BASE},
		{"C", "(C) 12", RSTAR_RULE_CHOICE},
		{"yes", "True", RSTAR_RULE_BOOLEAN},
		{"\\text{Evelyn}", "evelyn", RSTAR_RULE_TEXT},
		{"5", "5", RSTAR_RULE_IDENTICAL},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
	{
		rstar_grade_result r = compare(rules[i].gold, rules[i].answer);

		CHECK_MSG(r.equal, "%s, %s", rules[i].gold, rules[i].answer);
		CHECK_MSG(r.rule == rules[i].rule, "%s, %s: %s", rules[i].gold, rules[i].answer,
				  rstar_grade_rule_name(r.rule));
	}
}

static void
check_extract(const char *text, const char *expected)
{
	rstar_arena arena;
	size_t length;
	const char *found;
	char copy[256];

	rstar_arena_init(&arena, &rstar_allocator_malloc, 0);
	found = rstar_grade_extract(&arena, text, strlen(text), &length);
	snprintf(copy, sizeof(copy), "%.*s", (int) length, found);
	CHECK_STR(copy, expected);
	rstar_arena_reset(&arena);
}

static void
test_extract(void)
{
	check_extract("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}");
	check_extract("first \\boxed{1}. But then \\boxed{2}.", "2");
	check_extract("\\boxed{1} and \\boxed{2}", "1, 2");
	check_extract("$x = \\boxed{1}$ and $y = \\boxed{2}$", "1, 2");
	check_extract("\\boxed{\\text{a } \\} b}", "\\text{a } \\} b");
	check_extract("\\boxed{unfinished", "\\boxed{unfinished");
	check_extract("\\boxed 7 done", "7");
	check_extract("\\boxed{}", "");
	check_extract("", "");
	check_extract("She has 3 + 4 = <<3+4=7>>7 left.\n#### 7", "7");
	check_extract("The answer is $x+1$. I hope it is correct.", "x+1");
	check_extract("Final Answer: 12", "12");
	check_extract("<answer>Therefore 42 <end_of_answer>", "42");
	check_extract("We get 3, then 1,000.99 in all", "We get 3, then 1,000.99 in all");
	check_extract("So in all we get 1,000.99 dollars.", "1,000.99 dollars");
	check_extract("Therefore $x \\ge 5$ is the solution", "x \\ge 5");
	check_extract("(1, 2)", "(1, 2)");
}

static void
check_normalize(const char *text, const char *expected)
{
	rstar_buffer out;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_grade_normalize(&rstar_allocator_malloc, text, strlen(text), &out));
	CHECK_STR(out.data ? out.data : "", expected);
	rstar_buffer_free(&out);
}

static void
test_normalize(void)
{
	check_normalize("\\dfrac{1}{2}", "1/2");
	check_normalize("0.50", "1/2");
	check_normalize("$ 1{,}000 $.", "1000");
	check_normalize("3\\frac{1}{2}", "7/2");
	check_normalize("\\boxed{(1, \\frac{4}{6})}", "(1,2/3)");
	check_normalize("\\left( x + 1 \\right)", "(x+1)");
	check_normalize("2^{100}", "1267650600228229401496703205376");
	check_normalize("", "");
}

/* --- worst cases --------------------------------------------------------------- */

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static char *
repeated(const char *piece, size_t count, const char *tail)
{
	size_t n = strlen(piece);
	char *text = malloc(n * count + strlen(tail) + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * n, piece, n);
	strcpy(text + n * count, tail);
	return text;
}

/* The sanitizers cost a factor of some ten; the real bound is in the benchmark. */
static void
check_bounded(const char *gold, const char *answer, bool equal)
{
	double start = now_ms();

	CHECK(compare(gold, answer).equal == equal);
	CHECK_MSG(now_ms() - start < 2000, "%.0f ms for %.40s", now_ms() - start, answer);
}

static void
test_hostile(void)
{
	char *braces = repeated("{", 1000000, "");
	char *boxes = repeated("\\boxed{", 140000, "");
	char *fractions = repeated("\\frac{1}{1+", 10000, "1");
	char *digits = repeated("1234567890", 100000, "");
	char *digits_too = repeated("1234567890", 99999, "1234567891");
	char *commas = repeated("1,", 16000, "1");
	char *sums = repeated("x+", 8000, "1");
	char *roots = repeated("\\sqrt{2+", 80, "x");
	char *bars = repeated("|", 30000, "");

	check_bounded("5", braces, false);
	check_bounded(braces, braces, true);
	check_bounded("5", boxes, false);
	check_bounded("5", fractions, false);
	check_bounded(fractions, fractions, true);
	check_bounded(digits, digits, true);
	check_bounded(digits, digits_too, false);
	check_bounded("5", digits, false);
	check_bounded(commas, "1,1", false);
	check_bounded(sums, "8000x+1", true);
	check_bounded(sums, "8000x+2", false);
	check_bounded(roots, "2", false);
	check_bounded("5", bars, false);
	check_bounded("9^{9^{9^{9}}}", "9^{9^{9^{9}}}", true);
	check_bounded("9^{9^{9^{9}}}", "9^{9^{9^{8}}}", false);
	check_bounded("9^{9^{9^{9}}}+x", "x + 9^{9^{9^{9}}}", true);
	check_bounded("5", "99999999!!!!", false);
	check_bounded("5", "(((((((((((9^9)^9)^9)^9)^9)^9)^9)^9)^9)^9)^9", false);
	check_bounded("5", "\\binom{1000000000}{500000000}", false);
	check_bounded("5", "1e999999", false);
	check_bounded("5", "e^{e^{e^{e^{e^{e^{e}}}}}}", false);
	check_bounded("5", "\\sin(10^{10^{10}})", false);
	free(braces);
	free(boxes);
	free(fractions);
	free(digits);
	free(digits_too);
	free(commas);
	free(sums);
	free(roots);
	free(bars);
}

/* One piece over and over, before and behind a value: no recursion without bound. */
static void
test_repeated(void)
{
	static const char *const pieces[] = {
		"!",
		"%",
		"/1",
		"'",
		"\xc2\xb2",
		"\\sin ",
		"\\frac ",
		"\\sqrt ",
		"\\hat ",
		"\\int ",
		"_1",
		"^2",
		"-",
		"\\cup x",
		"(",
		"[",
		"\\{",
		"|",
		"\\left|",
		"{",
		"\\angle ",
		"^\\circ",
		"\\sqrt[",
		"\\begin{matrix}",
		"f(",
		"\\log_",
		"\\binom ",
		"1:",
		"\\pm ",
		"+-",
		"x=",
		"\\lim ",
		"2^{",
		"\\over ",
		";",
		"and ",
		"((1!!!!)!!!!)/2/3",
		"(x'')''^2",
		"\\begin{cases}",
		"\\sin^",
	};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		for (int k = 0; k < 4; k++)
		{
			char *many = repeated(pieces[i], 32000 / strlen(pieces[i]), "");
			char *text = malloc(33000);

			snprintf(text, 33000, "%s%s%s", k & 1 ? "5" : "", many, k & 2 ? "x" : "");
			(void) compare("5", text);
			(void) compare(text, "7");
			CHECK(compare(text, text).equal || pieces[i][0] == ';'); /* nothing but punctuation */
			free(text);
			free(many);
		}
}

static void
test_bytes(void)
{
	static const char *const texts[] = {
		"\\",
		"\\boxed",
		"\\boxed{",
		"\\frac",
		"\\frac{",
		"\\frac1",
		"\\sqrt[",
		"^",
		"_",
		"x_",
		"x^",
		"1.",
		".",
		",",
		",,",
		"\xff\xfe",
		"\xe2\x88",
		"\\text{",
		"\\begin",
		"\\begin{",
		"\\end{a}",
		"\\begin{pmatrix}",
		"\\begin{array}{",
		"\\overline",
		"0.\\overline{",
		"0.\\dot",
		"1_",
		"1_{",
		"$",
		"$$",
		"\\$",
		"%",
		"\\left",
		"\\right.",
		"|",
		"|x",
		"1:",
		"1:2:",
		"\\{",
		"\\}",
		"}{",
		"()",
		"[]",
		"(,)",
		"1,",
		"e",
		"i",
		"-",
		"--",
		"+-+-1",
		"\\pm",
		"\\pm\\pm\\pm\\pm1",
		"=",
		"x=",
		"=x",
		"<",
		"x<",
		"\\in",
		"x\\in",
		"\\log_",
		"\\log_2",
		"\\sin^",
		"\\sin^{-1}",
		"####",
		"answer is",
		"the answer is:",
		"<answer>",
		"\\mathbb",
		"\\mathbb{R",
		"1e",
		"1e+",
		"\\pmod",
		"5\\pmod",
		"(mod 7)",
		"\\lfloor",
		"\\int",
		"\\sum_",
		"\\sum_{i}^",
		"!",
		"n!=",
	};
	size_t n = sizeof(texts) / sizeof(texts[0]);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			if (strcmp(texts[i], texts[k]) == 0)
				(void) compare(texts[i], texts[k]);
			else
				(void) compare(texts[i], texts[k]);
	CHECK(!compare("", "").equal);
	CHECK(!compare("5", "").equal);
	CHECK(!rstar_grade_compare(&rstar_allocator_malloc, "5\0001", 3, "5", 1).equal);
}

/* --- numbers beneath -------------------------------------------------------------- */

static void
test_integers(void)
{
	rstar_arena arena;
	rstar_work work = {&arena, 100000000};
	rstar_int a, b, q, r, back, ten;

	rstar_arena_init(&arena, &rstar_allocator_malloc, 0);
	CHECK(rstar_int_from_digits(&work, "123456789012345678901234567890123456789", 39, 10, &a));
	CHECK_STR(rstar_int_text(&work, &a), "123456789012345678901234567890123456789");
	CHECK(rstar_int_from_i64(&work, 10, &ten));
	CHECK(rstar_int_pow(&work, &ten, 300, &b));
	CHECK(rstar_int_mul(&work, &a, &b, &q));
	CHECK(rstar_int_divmod(&work, &q, &b, &q, &r));
	CHECK(rstar_int_is_zero(&r) && rstar_int_cmp(&q, &a) == 0);
	/* (a q + r) with random-looking operands of many sizes */
	for (uint64_t i = 1; i < 200; i++)
	{
		rstar_int x, y, product;

		CHECK(rstar_int_from_i64(&work, (int64_t) (i * 0x9e3779b97f4a7c15u >> 1), &x));
		CHECK(rstar_int_pow(&work, &x, i % 13 + 1, &x));
		CHECK(
			rstar_int_from_i64(&work, (int64_t) (i * 0xbf58476d1ce4e5b9u >> (i % 40 + 2)) + 1, &y));
		CHECK(rstar_int_pow(&work, &y, i % 7 + 1, &y));
		CHECK(rstar_int_divmod(&work, &x, &y, &q, &r));
		CHECK(rstar_int_mul(&work, &q, &y, &product) && rstar_int_add(&work, &product, &r, &back));
		CHECK(rstar_int_cmp(&back, &x) == 0);
		CHECK(rstar_int_cmp(&r, &y) < 0 && !r.negative);
	}
	CHECK(!rstar_int_pow(&work, &ten, 1000000000, &b));
	work.fuel = 100;
	CHECK(!rstar_int_mul(&work, &a, &a, &b) || work.fuel >= 0);
	rstar_arena_reset(&arena);
}

static bool
agrees(rstar_ball a, rstar_ball b)
{
	return rstar_ball_compare(&a, &b) == RSTAR_BALLS_AGREE;
}

/* Identities between the functions, over complex arguments of many sizes. */
static void
test_balls(void)
{
	for (int i = -40; i <= 40; i++)
	{
		rstar_real re = rstar_real_scale(rstar_real_from_i64(2 * i + 1), -3);
		rstar_real im = rstar_real_scale(rstar_real_from_i64(i % 7), -2);
		rstar_ball z = rstar_ball_exact(re, i % 3 ? im : rstar_real_from_i64(0));
		rstar_ball one = rstar_ball_from_i64(1);
		rstar_ball a, b, s, c;

		CHECK(rstar_ball_exp(&z, &a) && rstar_ball_log(&a, &b) && rstar_ball_exp(&b, &b));
		CHECK(agrees(a, b));
		CHECK(rstar_ball_sqrt(&z, &a));
		CHECK(agrees(rstar_ball_mul(&a, &a), z));
		CHECK(rstar_ball_sincos(&z, &s, &c));
		a = rstar_ball_mul(&s, &s);
		b = rstar_ball_mul(&c, &c);
		CHECK(agrees(rstar_ball_add(&a, &b), one));
		CHECK(rstar_ball_asin(&z, &a) && rstar_ball_sincos(&a, &s, &c));
		CHECK(agrees(s, z));
		CHECK(rstar_ball_acos(&z, &a) && rstar_ball_sincos(&a, &s, &c));
		CHECK(agrees(c, z));
		CHECK(rstar_ball_atan(&z, &a) && rstar_ball_sincos(&a, &s, &c) &&
			  rstar_ball_div(&s, &c, &b));
		CHECK(agrees(b, z));
		CHECK(rstar_ball_pow_i64(&z, 3, &a) && rstar_ball_pow_i64(&z, -3, &b));
		CHECK(agrees(rstar_ball_mul(&a, &b), one));
		b = rstar_ball_add(&z, &one);
		CHECK(rstar_ball_compare(&z, &b) == RSTAR_BALLS_DIFFER);
	}
}

/* --- the shared cases ------------------------------------------------------------------ */

static FILE *
shared_file(const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/grading/%s", check_shared(), name);
	return fopen(path, "r");
}

/* Cases whose upstream expectation is wrong or a convention are left out. */
static bool
is_clean(const char *note)
{
	return !note ||
		   (!strstr(note, "label=") && !strstr(note, "text=corrupt") && !strstr(note, "option="));
}

static void
check_file(const char *name)
{
	FILE *file = shared_file(name);
	char *line = NULL;
	size_t size = 0;
	int total = 0, right = 0, false_accepts = 0;

	while (file && getline(&line, &size, file) > 0)
	{
		json_t *c = json_loads(line, 0, NULL);
		bool equal;

		if (c && is_clean(json_string_value(json_object_get(c, "note"))))
		{
			equal = compare(json_string_value(json_object_get(c, "gold")),
							json_string_value(json_object_get(c, "answer")))
						.equal;
			total++;
			right += equal == json_is_true(json_object_get(c, "equal"));
			false_accepts += equal && !json_is_true(json_object_get(c, "equal"));
		}
		json_decref(c);
	}
	printf("# %s: %d of %d right, %d false accepts\n", name, right, total, false_accepts);
	CHECK(total > 0 && right * 100 >= total * 99);
	CHECK(false_accepts == 0);
	free(line);
	if (file)
		fclose(file);
}

static void
test_shared_cases(void)
{
	check_file("own_cases.jsonl");
	check_file("cases.jsonl");
	check_file("reported_cases.jsonl");
}

int
main(void)
{
	FILE *shared = shared_file("cases.jsonl");

	RUN(test_integers);
	RUN(test_balls);
	RUN(test_cases);
	RUN(test_kinds);
	RUN(test_changed_meaning);
	RUN(test_stated);
	RUN(test_reflexive);
	RUN(test_rules);
	RUN(test_extract);
	RUN(test_normalize);
	RUN(test_hostile);
	RUN(test_repeated);
	RUN(test_bytes);
	if (shared)
	{
		fclose(shared);
		RUN(test_shared_cases);
	}
	else
		SKIP(test_shared_cases, "no folder ../shared/grading");
	return CHECK_RESULT();
}

/*
 * bench_grade.c
 *	  Time and correctness of comparing answers.
 *
 *	bench_grade                  all sections
 *	bench_grade --cases FILE     only the cases of a JSONL file: right, false
 *	                             accepts, median and 99th percentile
 *
 * Sections: our own pairs (test/unit/grade_cases.h), the cases and the evaluation
 * sets of the folder of fixtures (../shared, or $RSTAR_SHARED; left out, and said
 * so, where it is absent), and inputs made to be slow. Each comparison is timed
 * by itself, three times, the fastest counts: other work on the machine shows
 * in the slower ones.
 */
#include "bench.h"

#include <jansson.h>
#include <stdbool.h>

#include "../unit/grade_cases.h"
#include "core/grade/grade.h"

#define REPEATS 3

typedef struct tally
{
	double *us;
	int n, capacity;
	int right, equal, false_accepts, false_rejects;
} tally;

static rstar_grade_result
compare(const char *gold, const char *answer)
{
	return rstar_grade_compare(&rstar_allocator_malloc, gold, strlen(gold), answer, strlen(answer));
}

static bool
timed(tally *t, const char *gold, const char *answer)
{
	double best = 1e9;
	bool equal = false;

	for (int i = 0; i < REPEATS; i++)
	{
		double start = bench_now();

		equal = compare(gold, answer).equal;
		best = bench_now() - start < best ? bench_now() - start : best;
	}
	if (t->n == t->capacity)
	{
		t->capacity = t->capacity ? t->capacity * 2 : 1024;
		t->us = realloc(t->us, (size_t) t->capacity * sizeof(double));
		if (!t->us)
			exit(1);
	}
	t->us[t->n++] = best * 1e6;
	return equal;
}

static void
expect(tally *t, const char *gold, const char *answer, bool equal)
{
	bool found = timed(t, gold, answer);

	t->right += found == equal;
	t->equal += equal;
	t->false_accepts += found && !equal;
	t->false_rejects += !found && equal;
}

static void
report(const char *name, tally *t)
{
	double median = bench_median(t->us, t->n);

	printf("%-34s %6d pairs, %6.2f %% right, %d false accepts, %d false rejects; "
		   "median %.1f us, p99 %.1f us, worst %.0f us\n",
		   name, t->n, 100.0 * t->right / t->n, t->false_accepts, t->false_rejects, median,
		   t->us[(int) (t->n * 0.99)], t->us[t->n - 1]);
	free(t->us);
	*t = (tally){0};
}

static void
own_pairs(void)
{
	tally t = {0};

	for (size_t i = 0; i < sizeof(grade_cases) / sizeof(grade_cases[0]); i++)
		expect(&t, grade_cases[i].gold, grade_cases[i].answer, grade_cases[i].equal);
	report("own pairs", &t);
}

static const char *
shared(void)
{
	const char *path = getenv("RSTAR_SHARED");

	return path && *path ? path : "../shared";
}

/* The clean cases of a file, as its README says: no wrong, corrupt or optional ones. */
static bool
case_file(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	tally t = {0};

	if (!file)
		return false;
	while (getline(&line, &size, file) > 0)
	{
		json_t *c = json_loads(line, 0, NULL);
		const char *note = json_string_value(json_object_get(c, "note"));

		if (!note ||
			(!strstr(note, "label=") && !strstr(note, "text=corrupt") && !strstr(note, "option=")))
			expect(&t, json_string_value(json_object_get(c, "gold")),
				   json_string_value(json_object_get(c, "answer")),
				   json_is_true(json_object_get(c, "equal")));
		json_decref(c);
	}
	fclose(file);
	free(line);
	if (t.n > 0)
		report(name, &t);
	return true;
}

/* --- golds of the evaluation sets ---------------------------------------------------- */

static const char *const sets[] = {"gsm8k",        "math",          "math500",
								   "aime2024",     "amc23",         "collegemath",
								   "gaokao2023en", "olympiadbench", "omni"};

static char *
replaced(const char *text, const char *from, const char *to)
{
	size_t n = strlen(from), m = strlen(to);
	char *out = malloc(strlen(text) * (m > n ? m : 1) + 1);
	char *at = out;

	while (*text)
		if (strncmp(text, from, n) == 0)
		{
			memcpy(at, to, m);
			at += m;
			text += n;
		}
		else
			*at++ = *text++;
	*at = '\0';
	return out;
}

static char *
wrapped(const char *before, const char *text, const char *after)
{
	char *out = malloc(strlen(before) + strlen(text) + strlen(after) + 1);

	strcpy(out, before);
	strcat(out, text);
	return strcat(out, after);
}

/* The gold against itself in other clothes; the copy is freed. */
static void
against(tally *t, const char *gold, char *copy, bool equal)
{
	expect(t, gold, copy, equal);
	free(copy);
}

static void
perturbed(tally *same, tally *timing, const char *gold)
{
	char *dfrac = replaced(gold, "\\frac", "\\dfrac ");

	against(same, gold, wrapped("", gold, ""), true);
	against(same, gold, wrapped("  ", gold, " \n"), true);
	against(same, gold, wrapped("", gold, "."), true);
	if (!strchr(gold, '$'))
		against(same, gold, wrapped("$", gold, "$"), true);
	against(same, gold, replaced(gold, " ", "  "), true);
	expect(same, gold, dfrac, true);
	against(timing, gold, wrapped("{", dfrac, "}"), true); /* never the same bytes */
	free(dfrac);
	if (!strchr(gold, '$') && !strstr(gold, "box"))
		against(timing, gold, wrapped("So it is $\\boxed{\\,", gold, "\\;}$."), true);
}

/* A line of the table: how many golds are of which kind. */
static bool
gold_set(const char *name, tally *timing, tally *others)
{
	char command[1200];
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	int kinds[RSTAR_RULE_COUNT] = {0};
	tally same = {0};
	char *before = NULL;
	int total = 0;

	snprintf(command, sizeof(command), "gzip -dc '%s/problems/%s_test.jsonl.gz' 2>/dev/null",
			 shared(), name);
	file = popen(command, "r");
	while (file && getline(&line, &size, file) > 0)
	{
		json_t *record = json_loads(line, 0, NULL);
		const char *gold = json_string_value(json_object_get(record, "answer"));

		if (gold && gold[strspn(gold, " \n")])
		{
			if (before)
				(void) timed(others, gold, before); /* mostly unequal */
			free(before);
			before = strdup(gold);
			total++;
			kinds[rstar_grade_kind(&rstar_allocator_malloc, gold, strlen(gold))]++;
			perturbed(&same, timing, gold);
		}
		json_decref(record);
	}
	if (file)
		pclose(file);
	free(line);
	free(before);
	if (total == 0)
		return false;
	printf("%-14s %5d golds, %d of %d reformatted copies equal;", name, total, same.right, same.n);
	for (int k = 0; k < RSTAR_RULE_COUNT; k++)
		if (kinds[k] > 0)
			printf(" %s %d", rstar_grade_rule_name((rstar_grade_rule) k), kinds[k]);
	printf("\n");
	free(same.us);
	return true;
}

static void
gold_sets(void)
{
	tally timing = {0};
	tally rest = {0};
	tally others = {0};
	bool any = false;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		any |= gold_set(sets[i], strcmp(sets[i], "math") == 0 ? &timing : &rest, &others);
	if (!any)
	{
		printf("evaluation sets left out: no folder %s/problems\n", shared());
		return;
	}
	if (timing.n > 0)
		report("MATH golds, perturbed copies", &timing);
	if (rest.n > 0)
		report("the other sets' golds, the same", &rest);
	if (others.n > 0)
	{
		double median = bench_median(others.us, others.n);

		printf(
			"golds against the gold before: %d pairs, median %.1f us, p99 %.1f us, worst %.0f us\n",
			others.n, median, others.us[(int) (others.n * 0.99)], others.us[others.n - 1]);
	}
}

/* --- worst cases ------------------------------------------------------------------------ */

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

static void
worst_case(const char *name, const char *gold, const char *answer)
{
	struct timespec start, end;
	bool equal;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start); /* what other programs do is no worst case */
	equal = compare(gold, answer).equal;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	printf("  %-44s %8.3f ms (%s)\n", name,
		   (double) (end.tv_sec - start.tv_sec) * 1e3 +
			   (double) (end.tv_nsec - start.tv_nsec) / 1e6,
		   equal ? "equal" : "unequal");
}

static void
worst_cases(void)
{
	char *braces = repeated("{", 1000000, "");
	char *boxes = repeated("\\boxed{", 142000, "");
	char *fractions = repeated("\\frac{1}{1+", 10000, "1");
	char *digits = repeated("1234567890", 100000, "");
	char *other = repeated("1234567890", 99999, "1234567891");
	char *commas = repeated("1,", 16000, "1");
	char *list = repeated("1.5,", 500, "2");
	char *list_too = repeated("1.5,", 499, "2,1.5");
	char *sum = repeated("\\sin x+", 4000, "1");
	char *quotes = repeated("answer is ", 100000, "");
	char *dollars = repeated("$x", 500000, "");
	char *roots = repeated("\\sqrt{2+", 80, "x");

	printf("worst cases, CPU time of one comparison:\n");
	worst_case("1 MB of {", "5", braces);
	worst_case("1 MB of \\boxed{", "5", boxes);
	worst_case("9^{9^{9^{9}}}", "5", "9^{9^{9^{9}}}");
	worst_case("9^{9^{9^{9}}} against 9^{9^{9^{8}}}", "9^{9^{9^{9}}}", "9^{9^{9^{8}}}");
	worst_case("10,000 nested fractions", "5", fractions);
	worst_case("integers of 10^6 digits, equal", digits, digits);
	worst_case("integers of 10^6 digits, last digit differs", digits, other);
	worst_case("10^6 digits against 5", "5", digits);
	worst_case("16,000 commas", "1,1", commas);
	worst_case("lists of 500", list, list_too);
	worst_case("4,000 sines", "5", sum);
	worst_case("80 nested roots", "2", roots);
	worst_case("1 MB of \"answer is\"", "5", quotes);
	worst_case("1 MB of $x", "5", dollars);
	worst_case("99999999!!!!", "5", "99999999!!!!");
	worst_case("3000! + 1 against 3000!", "3000!+1", "3000!");
	worst_case("3000! against 3000 * 2999!", "3000!", "3000\\cdot 2999!");
	free(braces);
	free(boxes);
	free(fractions);
	free(digits);
	free(other);
	free(commas);
	free(list);
	free(list_too);
	free(sum);
	free(quotes);
	free(dollars);
	free(roots);
}

static const char *const case_files[] = {"own_cases.jsonl", "cases.jsonl", "reported_cases.jsonl"};

int
main(int argc, char **argv)
{
	char path[1100];

	if (argc == 3 && strcmp(argv[1], "--cases") == 0)
		return case_file(argv[2], "rstar") ? 0 : 1;
	own_pairs();
	for (size_t i = 0; i < sizeof(case_files) / sizeof(case_files[0]); i++)
	{
		snprintf(path, sizeof(path), "%s/grading/%s", shared(), case_files[i]);
		if (!case_file(path, case_files[i]))
			printf("%s left out: no folder %s/grading\n", case_files[i], shared());
	}
	gold_sets();
	worst_cases();
	return 0;
}

/*
 * test_grade_sympy.c
 *	  Answers as SymPy and Python print them: sympy_answers.py writes random pairs of
 *	  spellings, equal ones and altered ones, and all must be graded right.
 *
 * The seed changes with the day, so that other pairs come up over time, and is printed;
 * RSTAR_SEED chooses one. Bounded to PAIRS_OF_ANSWERS answers, some 10,000 comparisons.
 */
#include "check.h"

#include <jansson.h>
#include <time.h>

#include "core/grade/grade.h"

#define PAIRS_OF_ANSWERS 640
#define DAY              86400
#define MAX_REPORTS      20

static const char *
python(void)
{
	const char *path = getenv("RSTAR_PYTHON");

	return path && *path ? path : "python3";
}

static bool
has_sympy(void)
{
	char command[1100];

	snprintf(command, sizeof(command), "%s -c 'import sympy' >/dev/null 2>&1", python());
	return system(command) == 0;
}

static long
seed(void)
{
	const char *text = getenv("RSTAR_SEED");

	return text && *text ? strtol(text, NULL, 10) : (long) (time(NULL) / DAY);
}

static void
check_spellings(long seed)
{
	char command[1200];
	char *line = NULL;
	size_t size = 0;
	int total = 0, wrong = 0;
	FILE *file;

	snprintf(command, sizeof(command), "%s test/unit/sympy_answers.py %ld %d", python(), seed,
			 PAIRS_OF_ANSWERS);
	file = popen(command, "r");
	CHECK(file != NULL);
	while (file && getline(&line, &size, file) > 0)
	{
		json_t *c = json_loads(line, 0, NULL);
		const char *gold = json_string_value(json_object_get(c, "gold"));
		const char *answer = json_string_value(json_object_get(c, "answer"));
		bool expected = json_is_true(json_object_get(c, "equal"));
		bool equal;

		CHECK(gold && answer);
		equal =
			rstar_grade_compare(&rstar_allocator_malloc, gold, strlen(gold), answer, strlen(answer))
				.equal;
		total++;
		if (equal != expected && wrong++ < MAX_REPORTS)
			printf("# %s (%s): gold %s, answer %s\n", equal ? "accepted" : "refused",
				   json_string_value(json_object_get(c, "kind")), gold, answer);
		json_decref(c);
	}
	printf("# seed %ld: %d pairs, %d wrong\n", seed, total, wrong);
	CHECK(total > 1000 && wrong == 0);
	free(line);
	CHECK(file && pclose(file) == 0);
}

static void
test_spellings(void)
{
	check_spellings(seed());
}

/* One whose tokens end where their memory ends: the parser looked at the one behind. */
static void
test_end_of_memory(void)
{
	check_spellings(20787);
}

int
main(void)
{
	if (!has_sympy())
	{
		SKIP(test_spellings, "no Python with SymPy");
		return CHECK_RESULT();
	}
	RUN(test_spellings);
	RUN(test_end_of_memory);
	return CHECK_RESULT();
}

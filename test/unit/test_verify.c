/*
 * test_verify.c
 *	  Answers that the caller grades; texts of Python, and replies of checkers.
 */
#include "check.h"

#include "core/search/search.h"
#include "core/verify/python.h"
#include "core/verify/tests.h"

static rstar_string
string_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

/* --- the answer within a text ------------------------------------------------------------ */

static void
check_extract(const char *text, const char *expected)
{
	rstar_arena arena;
	size_t length;

	rstar_arena_init(&arena, &rstar_allocator_malloc, 0);

	const char *answer = rstar_search_extract(&arena, string_of(text), &length);

	CHECK_MSG(length == strlen(expected) && memcmp(answer, expected, length) == 0,
			  "\"%s\" gives \"%.*s\"", text, (int) length, answer);
	rstar_arena_reset(&arena);
}

static void
test_extract(void)
{
	check_extract("  SELECT 1 ;\n", "SELECT 1 ;");
	check_extract("It is \\boxed{f}.", "f");
	check_extract("```sql\nSELECT 1\n```", "SELECT 1");
	check_extract("so:\n```\na\n```\nor\n```python\nb\nc\n```\nwell", "b\nc");
	check_extract("```\nnot closed", "not closed");
	check_extract("``` ", "");
	check_extract("a ``` b", "a ``` b");
	check_extract("", "");
	check_extract(" \n ", "");
}

/* --- questions ---------------------------------------------------------------------------- */

/* The root has two steps; each of them one answer, "a1" and "a2". */
static bool
candidate(void *arg, uint32_t problem, uint32_t node, uint32_t number, rstar_scripted *out)
{
	static const char *const steps[] = {"<code>\nx = 1\n<end_of_code>",
										"<code>\ny = 2\n<end_of_code>"};
	static const char *const answers[] = {"<answer>a1<end_of_answer>", "<answer>a2<end_of_answer>"};

	(void) arg;
	(void) problem;
	*out = (rstar_scripted){.judged = true, .status = RSTAR_NODE_OK, .tokens = 1};
	if (node == 0 && number < 2)
		out->text = string_of(steps[number]);
	else if ((node == 1 || node == 2) && number == 0)
		out->text = string_of(answers[node - 1]);
	else
		return false;
	return true;
}

static rstar_search *
new_search(const char *verifier, uint32_t problems)
{
	rstar_search_parts parts = {.script = {.candidate = candidate}};
	rstar_search_problem problem = {.text = string_of("?"),
									.gold = string_of("data"),
									.verifier = string_of(verifier),
									.id = 7};
	rstar_search_options options;
	rstar_search *search;
	rstar_error err;

	rstar_search_options_paper(&options);
	options.candidates = options.candidates_below = 2;
	CHECK(rstar_search_create(&parts, &options, &rstar_allocator_malloc, &search, &err) ==
		  RSTAR_OK);
	for (uint32_t i = 0; i < problems; i++)
	{
		uint32_t number;

		CHECK(rstar_search_add(search, &problem, &number, &err) == RSTAR_OK && number == i);
	}
	return search;
}

/* Step to the next question; false: the search has ended. */
static bool
next_question(rstar_search *search, rstar_search_question *question)
{
	rstar_status status;
	rstar_error err;
	bool asked;

	do
	{
		status = rstar_search_step(search, NULL, &err);
		CHECK_MSG(status == RSTAR_OK || status == RSTAR_AGAIN, "%s", err.message);
		CHECK(rstar_search_ask(search, question, &asked, &err) == RSTAR_OK);
	} while (!asked && status == RSTAR_AGAIN);
	return asked;
}

static void
judge(rstar_search *search, const rstar_search_question *question, double grade)
{
	rstar_search_verdict verdict = {.grade = grade, .why = "because"};
	rstar_error err;

	CHECK(rstar_search_judge(search, question, &verdict, &err) == RSTAR_OK);
}

static void
test_questions(void)
{
	rstar_search *search = new_search("v", 1);
	rstar_search_question question;
	const rstar_mcts *mcts;
	rstar_error err;
	uint32_t answer;

	CHECK(next_question(search, &question));
	CHECK(question.problem == 0 && question.answer.length == 2 &&
		  memcmp(question.answer.data, "a1", 2) == 0);
	CHECK(strcmp(question.solution.data, "<code>\nx = 1\n<end_of_code><answer>a1<end_of_answer>") ==
		  0);
	CHECK(strcmp(question.program.data, "\nx = 1\n\n") == 0);
	/* While the verdict is out nothing goes on, and the question is the same. */
	for (int i = 0; i < 3; i++)
		CHECK(rstar_search_step(search, NULL, &err) == RSTAR_AGAIN);
	CHECK(next_question(search, &question) && memcmp(question.answer.data, "a1", 2) == 0);
	judge(search, &question, 0.25);
	CHECK(next_question(search, &question) && memcmp(question.answer.data, "a2", 2) == 0);
	judge(search, &question, -0.5);
	CHECK(!next_question(search, &question));
	mcts = rstar_search_mcts(search, 0);
	CHECK(mcts && mcts->answers == 2 && mcts->correct == 0);
	CHECK(mcts->tree.nodes[0].visits == 2 && mcts->tree.nodes[0].value_sum == -0.25);
	CHECK(mcts->tree.nodes[1].value_sum == 0.25 && mcts->tree.nodes[2].value_sum == -0.5);
	CHECK(mcts->tree.nodes[3].graded && mcts->tree.nodes[3].grade == 0.25 &&
		  mcts->tree.nodes[3].output.length == 7);
	/* The answer with the best grade is given. */
	CHECK(rstar_search_answer(search, 0, &answer, &err) == RSTAR_OK && answer == 3);
	CHECK(rstar_search_asked(search, 0)->id == 7);
	rstar_search_free(search);
}

/* A verifier that fails ends its problem, and no other. */
static void
test_failure(void)
{
	rstar_search *search = new_search("v", 2);
	rstar_search_verdict failed = {.grade = -1, .by_clock = true};
	rstar_search_question question;
	rstar_status status;
	rstar_error err;

	failed.failed = rstar_error_set(&failed.error, RSTAR_ERR_ARGUMENT, "broken");
	CHECK(next_question(search, &question) && question.problem == 0);
	CHECK(rstar_search_judge(search, &question, &failed, &err) == RSTAR_OK);
	while (next_question(search, &question))
	{
		CHECK(question.problem == 1);
		judge(search, &question, 1);
	}
	CHECK(!rstar_search_mcts(search, 0) && rstar_search_mcts(search, 1)->correct == 2);
	CHECK(strcmp(rstar_search_failure(search, 0, &status)->message, "broken") == 0 &&
		  status == RSTAR_ERR_ARGUMENT);
	CHECK(!rstar_search_failure(search, 1, &status));
	rstar_search_free(search);
}

/* A search that is given up while a question is out. */
static void
test_given_up(void)
{
	rstar_search *search = new_search("v", 3);
	rstar_search_question question;

	CHECK(next_question(search, &question));
	rstar_search_free(search);
}

/* --- programs and replies -------------------------------------------------------------------- */

static void
test_literal(void)
{
	static const char text[] = "a'b\\c\n\t\x7f\0\xc3\xa9";
	rstar_buffer out;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_verify_literal(&out, (rstar_string){text, sizeof text - 1}));
	CHECK_MSG(strcmp(out.data, "'a\\'b\\\\c\\x0a\\x09\\x7f\\x00\xc3\xa9'") == 0, "%s", out.data);
	rstar_buffer_clear(&out);
	CHECK(rstar_verify_literal(&out, (rstar_string){"", 0}) && strcmp(out.data, "''") == 0);
	rstar_buffer_free(&out);
}

static rstar_status
reply_of(rstar_verify_tests *tests, const char *text, rstar_verify_reply *reply)
{
	rstar_error err;

	return rstar_verify_tests_reply(tests, string_of(text), reply, &err);
}

static void
test_replies(void)
{
	static const char *const corrupt[] = {"",
										  "x",
										  "[]",
										  "{}",
										  "{\"passed\": 1}",
										  "{\"passed\": 2, \"total\": 1}",
										  "{\"passed\": 0, \"total\": 0}",
										  "{\"passed\": -1, \"total\": 1}",
										  "{\"passed\": 1.5, \"total\": 2}",
										  "{\"calls\": []}",
										  "{\"calls\": [1]}",
										  "{\"passed\": 1, \"total\": 99999999999}"};
	rstar_verify_tests *tests;
	rstar_verify_reply reply;
	rstar_buffer out;
	rstar_error err;

	CHECK(rstar_verify_tests_create(string_of(""), string_of("t"), &tests, &err) == RSTAR_OK);
	for (size_t i = 0; i < sizeof corrupt / sizeof *corrupt; i++)
		CHECK_MSG(reply_of(tests, corrupt[i], &reply) == RSTAR_ERR_CORRUPT, "%s", corrupt[i]);
	CHECK(reply_of(tests, "{\"passed\": 3, \"total\": 4}", &reply) == RSTAR_OK);
	CHECK(reply.passed == 3 && reply.total == 4 && reply.calls == 0 && !reply.broken);
	CHECK(reply_of(tests, "{\"broken\": \"why\"}", &reply) == RSTAR_OK);
	CHECK(strcmp(reply.broken, "why") == 0);
	CHECK(reply_of(tests, "{\"calls\": [\"f\", \"g\"]}", &reply) == RSTAR_OK && reply.calls == 2);

	/* Results are taken whole or not at all. */
	CHECK(!rstar_verify_tests_results(tests, 0, 2, string_of("")));
	CHECK(!rstar_verify_tests_results(tests, 0, 2, string_of("[\"1\"]")));
	CHECK(!rstar_verify_tests_results(tests, 0, 2, string_of("[\"1\", 2]")));
	CHECK(!rstar_verify_tests_results(tests, 0, 2, string_of("[\"1\", \"2\", \"3\"]")));
	CHECK(!rstar_verify_tests_results(tests, 0, 2, string_of("{\"f\": \"1\"}")));
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_verify_tests_checker(tests, &out, &err) == RSTAR_OK);
	CHECK(strstr(out.data, "known = '{}'\n"));
	rstar_buffer_clear(&out);
	CHECK(rstar_verify_tests_results(tests, 1, 1, string_of("[\"it's\"]")) &&
		  rstar_verify_tests_lost(tests, 0));
	CHECK(rstar_verify_tests_checker(tests, &out, &err) == RSTAR_OK);
	CHECK_MSG(strstr(out.data, "known = '{\"g\":\"it\\'s\",\"f\":\"[\\\\\"error\\\\\", "
							   "\\\\\"TimeoutError\\\\\"]\"}'\n"),
			  "%s", out.data);
	rstar_buffer_clear(&out);
	CHECK(rstar_verify_tests_calls(tests, 0, 2, &out, &err) == RSTAR_OK);
	CHECK_MSG(strcmp(out.data, "__rstar['all']('[\"f\",\"g\"]')\n") == 0, "%s", out.data);
	rstar_buffer_free(&out);
	rstar_verify_tests_free(tests);
}

int
main(void)
{
	RUN(test_extract);
	RUN(test_questions);
	RUN(test_failure);
	RUN(test_given_up);
	RUN(test_literal);
	RUN(test_replies);
	return CHECK_RESULT();
}

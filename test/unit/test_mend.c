/*
 * test_mend.c
 *	  Steps of models that learn the format from their prompt, read for what they mean.
 */
#include "check.h"

#include "core/base/memory.h"
#include "core/step/mend.h"

typedef struct mend_case
{
	rstar_solution_state state;
	bool ended;
	const char *text;
	const char *wanted; /* NULL: it means no step */
} mend_case;

#define START RSTAR_SOLUTION_START
#define CODE  RSTAR_SOLUTION_CODE
#define RAN   RSTAR_SOLUTION_RAN

static const mend_case cases[] = {
	/* other closing tags */
	{RAN, true, "<answer>It is \\boxed{5}</answer>", "<answer>It is \\boxed{5}<end_of_answer>"},
	{RAN, true, "<answer>It is \\boxed{5}", "<answer>It is \\boxed{5}<end_of_answer>"},
	{RAN, false, "<answer>It is \\boxed{5", NULL},
	{RAN, false, "<answer>150<end_of_output>\n<answer>", "<answer>150<end_of_answer>"},
	{RAN, true, "<answer>\\boxed{1}<end_of_code>", "<answer>\\boxed{1}<end_of_answer>"},
	{CODE, true, "x = 1\n</step>", "x = 1\n<end_of_step>"},
	{CODE, true, "print(x)\n</code>", "print(x)\n<end_of_code>"},
	/* the end of the turn for a tag */
	{CODE, true, "\nprint(x)", "\nprint(x)\n<end_of_code>"},
	{CODE, true, "\nx = 2", "\nx = 2\n<end_of_step>"},
	{CODE, false, "\nprint(x", NULL},
	{CODE, true, "", "\n<end_of_code>"},
	{CODE, true, " \n", " \n\n<end_of_code>"},
	{START, true, "", NULL},
	{START, true, "<code>\nx = 1\nprint(x)", "<code>\nx = 1\nprint(x)\n<end_of_code>"},
	/* fences */
	{START, true, "```python\nprint(2)\n```\nThis prints 2.", "<code>\nprint(2)\n<end_of_code>"},
	{START, true, "Sure!\n```\nprint(2)\n```", "Sure!\n<code>\nprint(2)\n<end_of_code>"},
	{START, true, "<code>\n```python\nx = 1\n```\n<end_of_step>",
	 "<code>\n\nx = 1\n\n<end_of_step>"},
	{RAN, true, "```python\nprint(3)\n```", "<code>\nprint(3)\n<end_of_code>"},
	{CODE, true, "print(2)\n```\nThe answer is \\boxed{2}", "print(2)\n<end_of_code>"},
	{CODE, true, "```python\ny = 2\n<end_of_step>", "\ny = 2\n<end_of_step>"},
	/* tags opened twice or not at all */
	{CODE, true, "<code>\ny = 2\n<end_of_step>", "\ny = 2\n<end_of_step>"},
	{START, true, "x = 1\n<end_of_step>", "<code>x = 1\n<end_of_step>"},
	{RAN, true, "So \\boxed{7}.<end_of_answer>", "<answer>So \\boxed{7}.<end_of_answer>"},
	/* answers without tags */
	{RAN, true, "The answer is \\boxed{12}.", "<answer>The answer is \\boxed{12}.<end_of_answer>"},
	{RAN, true, "They have 12 apples.", "<answer>They have 12 apples.<end_of_answer>"},
	{START, true, "It is \\boxed{12}.", "<answer>It is \\boxed{12}.<end_of_answer>"},
	{START, true, "It is 12.", NULL},
	{RAN, false, "The answer is \\boxed{12}.", NULL},
	/* what the model must not write */
	{CODE, true, "print(1)\n<output>5<end_of_output>", NULL},
	{RAN, true, "<output>5<end_of_output>\n<answer>\\boxed{5}<end_of_answer>", NULL},
	{RSTAR_SOLUTION_DONE, true, "<answer>\\boxed{5}<end_of_answer>", NULL},
	/* sound ones stay as they are */
	{CODE, true, "\n# Step 2\ny = 2\n<end_of_step>", "\n# Step 2\ny = 2\n<end_of_step>"},
	{RAN, true, "<answer>\\boxed{5}\n<end_of_answer>", "<answer>\\boxed{5}\n<end_of_answer>"},
};

static void
steps_are_read_for_what_they_mean(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		const mend_case *c = &cases[i];
		rstar_buffer out;
		bool mended;

		rstar_buffer_init(&out, &rstar_allocator_malloc);
		mended = rstar_step_mend(c->text, strlen(c->text), c->state, c->ended, &out);
		CHECK_MSG(mended == (c->wanted != NULL) &&
					  (!mended || (out.length == strlen(c->wanted) &&
								   memcmp(out.data, c->wanted, out.length) == 0)),
				  "case %zu, \"%s\": %.*s", i, c->text, mended ? (int) out.length : 7,
				  mended ? out.data : "no step");
		rstar_buffer_free(&out);
	}
}

/* What is mended is a step as it stands, and mending it again changes nothing. */
static void
mending_is_stable(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		rstar_buffer once, twice;

		rstar_buffer_init(&once, &rstar_allocator_malloc);
		rstar_buffer_init(&twice, &rstar_allocator_malloc);
		if (rstar_step_mend(cases[i].text, strlen(cases[i].text), cases[i].state, cases[i].ended,
							&once))
		{
			CHECK(rstar_step_mend(once.data, once.length, cases[i].state, true, &twice));
			CHECK(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
		}
		rstar_buffer_free(&once);
		rstar_buffer_free(&twice);
	}
}

static void
closing_habits(void)
{
	CHECK(rstar_step_closing_habit("x</answer>", 10) == RSTAR_TAG_END_OF_ANSWER);
	CHECK(rstar_step_closing_habit("</answer", 8) == RSTAR_TAG_NONE);
	CHECK(rstar_step_closing_habit("", 0) == RSTAR_TAG_NONE);
}

int
main(void)
{
	RUN(steps_are_read_for_what_they_mean);
	RUN(mending_is_stable);
	RUN(closing_habits);
	return CHECK_RESULT();
}

/*
 * test_family.c
 *	  Prompts of model families: valid templates, with examples that are right.
 */
#include "check.h"

#include "core/grade/grade.h"
#include "core/step/family.h"
#include "core/step/split.h"

static void
test_templates(void)
{
	for (size_t i = 0; rstar_family_name(i); i++)
		for (int shots = -1; shots <= RSTAR_FAMILY_SHOTS; shots++)
		{
			const char *name = rstar_family_name(i);
			rstar_prompt_template parsed;
			rstar_buffer text;
			rstar_error err;
			rstar_status status;

			rstar_buffer_init(&text, &rstar_allocator_malloc);
			status = rstar_family_template(name, shots, &text, &err);
			if (shots > 0 && strcmp(name, "rstar") == 0)
				CHECK(status == RSTAR_ERR_ARGUMENT);
			else
			{
				CHECK(status == RSTAR_OK);
				CHECK_MSG(rstar_prompt_template_parse(text.data, text.length, &parsed, &err) ==
							  RSTAR_OK,
						  "%s: %s", name, err.message);
				if (shots > 0)
					CHECK(strstr(text.data, rstar_family_solution((size_t) shots - 1)));
			}
			rstar_buffer_free(&text);
		}
}

static void
test_errors(void)
{
	rstar_buffer text;
	rstar_error err;

	rstar_buffer_init(&text, &rstar_allocator_malloc);
	CHECK(rstar_family_template("gpt", -1, &text, &err) == RSTAR_ERR_NOT_FOUND);
	CHECK_STR(err.message, "unknown model family \"gpt\"");
	CHECK(rstar_family_template("base", RSTAR_FAMILY_SHOTS + 1, &text, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_family_template("rstar", 0, &text, &err) == RSTAR_OK);
	CHECK_STR(text.data, RSTAR_PROMPT_DEFAULT);
	rstar_buffer_free(&text);
}

/* What an example prints is what it answers, and it follows the strict grammar. */
static void
test_examples(void)
{
	for (size_t i = 0; i < RSTAR_FAMILY_SHOTS; i++)
	{
		const char *solution = rstar_family_solution(i);
		rstar_splitter splitter;
		rstar_part part;
		rstar_string output = {NULL, 0};
		int code = 0, answers = 0;

		CHECK(rstar_family_problem(i) != NULL);
		rstar_splitter_init(&splitter, solution, strlen(solution));
		while (rstar_splitter_next(&splitter, &part))
		{
			CHECK(part.closed);
			CHECK(part.kind != RSTAR_PART_TEXT);
			code += part.kind == RSTAR_PART_CODE;
			if (part.kind == RSTAR_PART_OUTPUT)
				output = part.content;
			if (part.kind == RSTAR_PART_ANSWER)
			{
				answers++;
				CHECK(rstar_grade_compare(&rstar_allocator_malloc, output.data, output.length,
										  part.content.data, part.content.length)
						  .equal);
			}
		}
		CHECK(code >= 3 && answers == 1);
	}
	CHECK(rstar_family_problem(RSTAR_FAMILY_SHOTS) == NULL);
}

int
main(void)
{
	RUN(test_templates);
	RUN(test_errors);
	RUN(test_examples);
	return CHECK_RESULT();
}

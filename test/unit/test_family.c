/*
 * test_family.c
 *	  Prompts of model families: valid templates, with examples that are right.
 */
#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/grade/grade.h"
#include "core/step/family.h"
#include "core/text/bytemap.h"
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

/* A vocabulary with some special tokens, and a chat template (NULL: none). */
static const char *
family_of(const char *const *specials, size_t n, const char *template)
{
	rstar_string tokens[260];
	char bytes[256][3];
	int32_t types[260];
	rstar_bytemap map;
	rstar_gguf_writer *writer = NULL;
	rstar_tokenizer *tokenizer = NULL;
	rstar_gguf *gguf = NULL;
	rstar_error err;
	const char *family = "none";
	int fd = memfd_create("family", 0);

	rstar_bytemap_init(&map);
	for (size_t i = 0; i < 256 + n; i++)
	{
		if (i < 256)
			snprintf(bytes[i], 3, "%.*s", map.length[i], map.text[i]);
		tokens[i].data = i < 256 ? bytes[i] : specials[i - 256];
		tokens[i].length = strlen(tokens[i].data);
		types[i] = i < 256 ? RSTAR_TOKEN_NORMAL : RSTAR_TOKEN_CONTROL;
	}
	CHECK(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) == RSTAR_OK);
	rstar_gguf_writer_string(writer, "tokenizer.ggml.model", "gpt2", 4);
	rstar_gguf_writer_strings(writer, "tokenizer.ggml.tokens", tokens, 256 + n);
	rstar_gguf_writer_array(writer, "tokenizer.ggml.token_type", RSTAR_GGUF_I32, types, 256 + n);
	rstar_gguf_writer_strings(writer, "tokenizer.ggml.merges", tokens, 0);
	if (template)
		rstar_gguf_writer_string(writer, "tokenizer.chat_template", template, strlen(template));
	CHECK(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK);
	rstar_gguf_writer_free(writer);
	CHECK(rstar_gguf_open_fd(fd, &rstar_allocator_malloc, NULL, &gguf, &err) == RSTAR_OK);
	if (gguf &&
		rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err) == RSTAR_OK)
		family = rstar_family_of_file(gguf, tokenizer);
	rstar_tokenizer_close(tokenizer);
	rstar_gguf_close(gguf);
	close(fd);
	return family;
}

/* Marks count where the template has them and the vocabulary too: templates can say anything. */
static void
test_recognition(void)
{
	static const char *const chatml[] = {"<|im_start|>", "<|im_end|>"};
	static const char *const gemma[] = {"<start_of_turn>", "<end_of_turn>"};
	static const char *const steps[] = {"<|im_start|>", "<|im_end|>", "<end_of_step>"};
	const char *template =
		"{# not <start_of_turn> nor <end_of_turn> #}<|im_start|>{{ x }}<|im_end|>";

	CHECK_STR(family_of(chatml, 2, template), "qwen2");
	CHECK_STR(family_of(gemma, 2, template), "gemma");
	CHECK_STR(family_of(steps, 3, template), "rstar");
	CHECK_STR(family_of(chatml, 1, template), "base");
	CHECK_STR(family_of(chatml, 2, NULL), "base");
	CHECK_STR(family_of(chatml, 2, ""), "base");
	CHECK_STR(family_of(chatml, 2, "[INST] {{ x }} [/INST]"), "base");
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
	RUN(test_recognition);
	return CHECK_RESULT();
}

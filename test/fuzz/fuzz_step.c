/*
 * fuzz_step.c
 *	  A piece of a solution from a model: parsed in every state; its code as
 *	  printed output inserted behind code, which must parse again, whatever it
 *	  says; and any bytes as a prompt template.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/mend.h"
#include "core/step/prompt.h"
#include "core/step/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
within(rstar_string part, const char *text, size_t length)
{
	require(part.length == 0 || (part.data >= text && part.data + part.length <= text + length));
}

static void
try_parse(const char *text, size_t length)
{
	for (int state = RSTAR_SOLUTION_START; state <= RSTAR_SOLUTION_DONE; state++)
	{
		rstar_step_parse p;

		rstar_step_parse_text(text, length, (rstar_solution_state) state, &p);
		within(p.code, text, length);
		within(p.answer, text, length);
		within(p.output, text, length);
		require(p.written <= length);
		require(state != RSTAR_SOLUTION_DONE || p.kind == RSTAR_STEP_UNPARSABLE);
		require(p.kind == RSTAR_STEP_CODE_END || !p.has_output);
		if (p.kind != RSTAR_STEP_UNPARSABLE)
		{
			rstar_step_parse again;

			/* What the model wrote is a piece of the same kind by itself. */
			rstar_step_parse_text(text, p.written, (rstar_solution_state) state, &again);
			require(again.kind == p.kind && again.written == p.written && !again.has_output);
		}
	}
}

static void
try_output(const char *text, size_t length)
{
	rstar_buffer out;
	rstar_step_parse p;
	rstar_error err;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	require(rstar_buffer_append_text(&out, "print(x)\n<end_of_code>"));
	require(rstar_output_append(&out, text, length, RSTAR_OUTPUT_CHARACTERS, NULL, &err) ==
			RSTAR_OK);
	require(rstar_utf8_valid(out.data, out.length));
	rstar_step_parse_text(out.data, out.length, RSTAR_SOLUTION_CODE, &p);
	require(p.kind == RSTAR_STEP_CODE_END && p.has_output);
	rstar_buffer_free(&out);
}

/* Whatever was mended is a step, and holds no output that the model wrote itself. */
static void
try_mend(const char *text, size_t length)
{
	for (int state = RSTAR_SOLUTION_START; state <= RSTAR_SOLUTION_DONE; state++)
		for (int ended = 0; ended < 2; ended++)
		{
			rstar_buffer out;
			rstar_step_parse p;

			rstar_buffer_init(&out, &rstar_allocator_malloc);
			if (rstar_step_mend(text, length, (rstar_solution_state) state, ended, &out))
			{
				rstar_step_parse_text(out.data, out.length, (rstar_solution_state) state, &p);
				require(p.kind != RSTAR_STEP_UNPARSABLE && !p.has_output);
			}
			rstar_buffer_free(&out);
		}
}

/* Cut into pieces, with blank lines or without: each takes something, and all together the whole. */
static void
try_cut(const char *text, size_t length)
{
	for (int shown = 0; shown < 2; shown++)
		for (size_t at = 0, piece; at < length; at += piece)
		{
			piece = rstar_solution_cut(text + at, length - at, shown);
			require(piece > 0 && piece <= length - at);
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *) data : "";
	rstar_prompt_template prompt;
	rstar_error err;

	try_parse(text, size);
	try_output(text, size);
	try_mend(text, size);
	try_cut(text, size);
	if (rstar_prompt_template_parse(text, size, &prompt, &err) == RSTAR_OK)
	{
		within(prompt.before, text, size);
		within(prompt.after, text, size);
		require(prompt.before.length + prompt.after.length + strlen(RSTAR_PROMPT_SLOT) == size);
	}
	return 0;
}

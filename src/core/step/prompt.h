/*
 * prompt.h
 *	  The prompt: a template of the model's with the problem set in.
 *
 * A model file brings its own under the key rstar.prompt_template; without it
 * the reference's holds. A template has exactly one "{problem}".
 */
#ifndef RSTAR_STEP_PROMPT_H
#define RSTAR_STEP_PROMPT_H

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"

#define RSTAR_PROMPT_KEY     "rstar.prompt_template"
#define RSTAR_PROMPT_SLOT    "{problem}"
#define RSTAR_PROMPT_LONGEST 16384 /* bytes of a template */
#define RSTAR_PROMPT_DEFAULT                                                                       \
	"<|user|>:\n{problem}\n<|assistant|>: "                                                        \
	"Let's think step by step and solve the problem with code."

/* The two sides of the slot; they lie in the template's own bytes. */
typedef struct rstar_prompt_template
{
	rstar_string before;
	rstar_string after;
} rstar_prompt_template;

/*
 * Check a template: UTF-8 without NUL, not too long, one slot. text must
 * outlive the result; NULL means the default. Errors: ARGUMENT.
 */
extern rstar_status rstar_prompt_template_parse(const char *text, size_t length,
												rstar_prompt_template *result, rstar_error *err);

/*
 * The template of a model file, or the default if it has none. gguf must
 * outlive the result. Errors: CORRUPT.
 */
extern rstar_status rstar_prompt_template_read(const rstar_gguf *gguf,
											   rstar_prompt_template *result, rstar_error *err);

/*
 * Does the template show worked examples of the step format? Then it is for a model
 * that learns the format from them, not one that was trained on it.
 */
extern bool rstar_prompt_shows_steps(const rstar_prompt_template *prompt);

/* Append the prompt's text; false when memory is out. */
extern bool rstar_prompt_append(const rstar_prompt_template *prompt, const char *problem,
								size_t length, rstar_buffer *out);

/*
 * The same for a server that tokenizes the prompt itself, special tokens included: a problem
 * cannot forge a tag or the mark of a turn ("<|im_end|>", "<end_of_turn>"), since a blank is
 * put behind each "<" before "|", "/" or a letter that ">" follows without a blank between.
 */
extern bool rstar_prompt_append_plain(const rstar_prompt_template *prompt, const char *problem,
									  size_t length, rstar_buffer *out);

#endif

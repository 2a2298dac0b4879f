/*
 * tokens.h
 *	  The tokens of a sequence: the one place that decides them.
 *
 * Search, scoring, SFT and PPM all build their sequences here, so that what is
 * trained on is what was searched:
 *
 *		sequence := prompt ids, step ids, step ids, …
 *
 * The prompt is encoded as one text, with the begin token if the vocabulary
 * wants one (never twice, should the template write it too); special tokens are
 * recognised in the template but nowhere in, or reaching into, the problem: a
 * problem cannot forge a tag. A step's ids are encode(its text), special tokens
 * recognised, no blank in front, each step on its own. Sampled ids may differ
 * from these (a model can spell a word in its own way): the canonical ones
 * count, and what lies behind the common prefix is computed again.
 */
#ifndef RSTAR_STEP_TOKENS_H
#define RSTAR_STEP_TOKENS_H

#include "core/step/prompt.h"
#include "core/step/step.h"
#include "core/text/tokenizer.h"

/*
 * Both: *ids is allocated from `allocator` and belongs to the caller. Errors:
 * those of rstar_tokenizer_encode.
 */
extern rstar_status rstar_prompt_encode(const rstar_tokenizer *tokenizer,
										const rstar_prompt_template *prompt, const char *problem,
										size_t length, const rstar_allocator *allocator,
										const rstar_cancel *cancel, int32_t **ids, size_t *count,
										rstar_error *err);
extern rstar_status rstar_step_encode(const rstar_tokenizer *tokenizer, const char *text,
									  size_t length, const rstar_allocator *allocator,
									  const rstar_cancel *cancel, int32_t **ids, size_t *count,
									  rstar_error *err);

/*
 * The ids with which the prompt of every problem begins: those of the template
 * before the slot, as far as a problem's first characters cannot change them. May
 * be none. As above otherwise.
 */
extern rstar_status rstar_prompt_prefix(const rstar_tokenizer *tokenizer,
										const rstar_prompt_template *prompt,
										const rstar_allocator *allocator,
										const rstar_cancel *cancel, int32_t **ids, size_t *count,
										rstar_error *err);

/* How many ids at the start of a and b are the same. */
extern size_t rstar_common_prefix(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b);

/* A node's text; `written` bytes of it are the model's, the rest was inserted. */
typedef struct rstar_step_text
{
	rstar_string text;
	size_t written;
} rstar_step_text;

/* How many of a step's ids (those of rstar_step_encode) the model wrote. Errors as there. */
extern rstar_status rstar_step_count_written(const rstar_tokenizer *tokenizer,
											 const rstar_step_text *step, const int32_t *ids,
											 size_t count, const rstar_allocator *allocator,
											 const rstar_cancel *cancel, size_t *written,
											 rstar_error *err);

/*
 * A whole sequence. Step i (from 0) has the ids [ends[i], ends[i + 1]); the
 * prompt has [0, ends[0]). The policy learns the ids [ends[i], ends[i] +
 * written[i]) of step i, and the end token if there is one; the PPM reads at
 * id ends[i + 1] - 1.
 */
typedef struct rstar_sequence_ids
{
	int32_t *ids;
	size_t count;
	size_t *ends;    /* n_steps + 1 */
	size_t *written; /* n_steps */
	size_t n_steps;
	bool has_end; /* the last id is the vocabulary's end token */
} rstar_sequence_ids;

/*
 * Encode prompt and steps; with add_end the end token behind them (it goes
 * behind an <end_of_answer>; nothing is added where the vocabulary has none).
 * Free with rstar_sequence_ids_free, also after an error.
 */
extern rstar_status rstar_sequence_encode(const rstar_tokenizer *tokenizer,
										  const rstar_prompt_template *prompt, rstar_string problem,
										  const rstar_step_text *steps, size_t n_steps,
										  bool add_end, const rstar_allocator *allocator,
										  const rstar_cancel *cancel, rstar_sequence_ids *out,
										  rstar_error *err);
extern void rstar_sequence_ids_free(rstar_sequence_ids *sequence, const rstar_allocator *allocator);

#endif

/*
 * step.h
 *	  The format of a solution, and what a step of it is.
 *
 * The format is the reference's (rStar-Math, arXiv 2501.04519):
 *
 *		solution := block+ answer
 *		block	 := [words] "<code>" step* last output
 *		step	 := code "<end_of_step>"
 *		last	 := code "<end_of_code>"
 *		output	 := "<output>" what the code printed "<end_of_output>"
 *		answer	 := [words] "<answer>" text "<end_of_answer>"
 *
 * White space may stand between the parts. A search node is one piece of this:
 * it ends directly behind <end_of_step>, <end_of_code> or <end_of_answer>, the
 * tags at which generation stops, and "<code>" belongs to the first piece of a
 * block. The output is not the model's: it is inserted behind <end_of_code>
 * and then belongs to that node's text, as does the blank line that a search
 * inserts behind <end_of_step> for models that learn the format from their prompt.
 *
 * What a piece may be depends on what came before it, so parsing takes and
 * returns a state. A tag in any other place makes a piece unparsable; above
 * all the model cannot write an <output> of its own.
 */
#ifndef RSTAR_STEP_STEP_H
#define RSTAR_STEP_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/text/tokenizer.h"

typedef enum rstar_tag
{
	RSTAR_TAG_CODE,
	RSTAR_TAG_END_OF_STEP,
	RSTAR_TAG_END_OF_CODE,
	RSTAR_TAG_OUTPUT,
	RSTAR_TAG_END_OF_OUTPUT,
	RSTAR_TAG_ANSWER,
	RSTAR_TAG_END_OF_ANSWER,
	RSTAR_N_TAGS,
	RSTAR_TAG_NONE = -1
} rstar_tag;

/* "<code>" and so on, and the length of it. */
extern const char *rstar_tag_text(rstar_tag tag);
extern size_t rstar_tag_length(rstar_tag tag);

/* Does generation stop behind this tag? */
extern bool rstar_tag_stops(rstar_tag tag);

/* The first tag at or behind `from`: *at is where it begins. */
extern rstar_tag rstar_tag_find(const char *text, size_t length, size_t from, size_t *at);

/* --- parsing a step -------------------------------------------------------- */

/* Where in a solution a piece stands, or what is to come. */
typedef enum rstar_solution_state
{
	RSTAR_SOLUTION_START, /* outside code: a block or the answer */
	RSTAR_SOLUTION_CODE,  /* in a block */
	RSTAR_SOLUTION_RAN,   /* behind <end_of_code>: a block or the answer */
	RSTAR_SOLUTION_DONE   /* behind the answer: nothing */
} rstar_solution_state;

typedef enum rstar_step_kind
{
	RSTAR_STEP_UNPARSABLE,
	RSTAR_STEP_CODE,     /* ends in <end_of_step>: its code runs */
	RSTAR_STEP_CODE_END, /* ends in <end_of_code>: its code runs and output is inserted */
	RSTAR_STEP_ANSWER    /* ends in <end_of_answer> */
} rstar_step_kind;

extern const char *rstar_step_kind_name(rstar_step_kind kind); /* "code", … */

/* Strings lie in the parsed text; absent ones have length 0. */
typedef struct rstar_step_parse
{
	rstar_step_kind kind;
	rstar_solution_state next; /* the state behind it; of no use if unparsable */
	rstar_string code;         /* what to run: CODE and CODE_END */
	rstar_string answer;       /* between <answer> and <end_of_answer> */
	rstar_string output;       /* what was inserted, if it is there already */
	bool has_output;
	size_t written; /* bytes that the model wrote: up to and with the end tag */
} rstar_step_parse;

/*
 * Parse the text of one node, with or without its inserted output, standing
 * after `state`. Never fails: what does not follow the grammar is UNPARSABLE.
 */
extern void rstar_step_parse_text(const char *text, size_t length, rstar_solution_state state,
								  rstar_step_parse *parse);

/*
 * Cut a whole solution into the texts of its nodes: the length of the first,
 * which ends behind a stop tag and, at <end_of_code>, behind the output that
 * was inserted there; or all of the rest. 0 only for length 0. With a prompt
 * that shows steps (rstar_prompt_shows_steps) a blank line was inserted behind
 * <end_of_step>, and belongs to the first as well.
 */
#define RSTAR_STEP_GAP "\n\n"
extern size_t rstar_solution_cut(const char *text, size_t length, bool shown);

/*
 * Does the text between <answer> and <end_of_answer> decline to answer? A model
 * that knows the format says so in exactly these words, white space aside; it
 * counts as no answer.
 */
#define RSTAR_DECLINE_TEXT "I do not know."
extern bool rstar_step_declines(rstar_string answer);

/* --- the inserted output --------------------------------------------------- */

#define RSTAR_OUTPUT_CHARACTERS 1024 /* at most so many characters of it are inserted */

/*
 * Append "\n<output>…<end_of_output>\n": what stands behind <end_of_code>. The
 * output loses white space at both ends and is then cut to max_characters;
 * NUL and what is not UTF-8 become U+FFFD. Printed text cannot forge anything:
 * in whatever would read as a tag or (tokenizer given) as a special token a
 * blank is put behind the first character. Errors: MEMORY.
 */
extern rstar_status rstar_output_append(rstar_buffer *out, const char *printed, size_t length,
										size_t max_characters, const rstar_tokenizer *tokenizer,
										rstar_error *err);

#endif

/*
 * split.h
 *	  Taking a finished solution apart, tolerant of what models really write.
 *
 * step.h has the grammar that search follows, which refuses whatever does not
 * fit. A text from elsewhere (a data set, another model, a person) is split here
 * instead, by rules that always give something:
 *
 * - a tag needs no line of its own and no white space around it;
 * - what stands outside all tags is text; white space alone is nothing;
 * - any number of code blocks; a new <code> within a block ends the step before it;
 * - a block without its <end_of_code> ends where <output>, <answer> or the text does;
 * - an output or an answer without its end tag ends at the next opening tag;
 * - a tag inside a Python string that is closed on its line (or a closed
 *   triple-quoted one) is no tag; one in a comment is;
 * - ```python fences are code, ```output fences are output;
 * - without an <answer>, the last text with a \boxed{} is the answer.
 *
 * No memory is taken: parts point into the text. Linear but for one look ahead
 * per quotation mark, which ends at its line (three quotes: at most one search
 * of the rest that fails, remembered).
 */
#ifndef RSTAR_STEP_SPLIT_H
#define RSTAR_STEP_SPLIT_H

#include "core/step/step.h"

typedef enum rstar_part_kind
{
	RSTAR_PART_TEXT,
	RSTAR_PART_CODE,   /* one step's code */
	RSTAR_PART_OUTPUT, /* what a block printed */
	RSTAR_PART_ANSWER
} rstar_part_kind;

extern const char *rstar_part_kind_name(rstar_part_kind kind); /* "text", … */

typedef struct rstar_part
{
	rstar_part_kind kind;
	rstar_string content; /* without tags and without white space around it */
	int block;            /* of code, from 1; an output's is that of its code; else 0 */
	bool closed;          /* its end tag was there (text: always) */
} rstar_part;

typedef struct rstar_splitter
{
	const char *text;
	size_t length;
	size_t at;
	int block;
	bool in_code;
	bool fenced; /* the block began with ``` */
	bool has_answer_tag;
	bool no_triple[2]; /* no more """ or ''' ahead */
} rstar_splitter;

extern void rstar_splitter_init(rstar_splitter *splitter, const char *text, size_t length);

/* The next part; false at the end. */
extern bool rstar_splitter_next(rstar_splitter *splitter, rstar_part *part);

#endif

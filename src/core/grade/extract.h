/*
 * extract.h
 *	  Finding the answer within a text. Internal to core/grade.
 */
#ifndef RSTAR_GRADE_EXTRACT_H
#define RSTAR_GRADE_EXTRACT_H

#include "core/base/memory.h"

typedef struct rstar_span
{
	const char *at;
	size_t length;
} rstar_span;

/* How an answer was marked in its text. */
typedef enum rstar_extracted
{
	RSTAR_EXTRACTED_WHOLE, /* not at all */
	RSTAR_EXTRACTED_BOX,
	RSTAR_EXTRACTED_MARKED /* ####, a tag, "the answer is" */
} rstar_extracted;

/* White space, $ signs around the whole, and final punctuation taken off. */
extern rstar_span rstar_span_trim(rstar_span span);

/* What is marked as the answer, else the whole text; trimmed. */
extern rstar_extracted rstar_extract_marked(rstar_arena *arena, rstar_span text, rstar_span *out);

/* Can this be read as a value, as a whole? */
typedef struct rstar_sentence_reader
{
	bool (*reads)(void *arg, rstar_span text);
	void *arg;
} rstar_sentence_reader;

/*
 * The value that the last sentence of a text states to be the answer. marked: the text was
 * marked as the answer, so that the sentence need not say that it concludes.
 */
extern bool rstar_extract_stated(const rstar_sentence_reader *reader, rstar_span text, bool marked,
								 rstar_span *out);

/* The text without Markdown's emphasis: **58**, __58__, `58`. The text itself if it has none. */
extern rstar_span rstar_extract_unmark(rstar_arena *arena, rstar_span text);

/*
 * The letter of a choice that a text names as the answer: "(C)", "C. because", "option C",
 * "C is correct"; 0 for none, and where it is denied or several are named.
 */
extern char rstar_extract_letter(rstar_span text);

/* The letter of an answer that is nothing but a letter, else 0. */
extern char rstar_single_letter(rstar_span text);

/*
 * The text without what concerns only its looks: spaces, $, \left, \text{},
 * final points; \dfrac becomes \frac. False when memory is out.
 */
extern bool rstar_plain_text(rstar_arena *arena, rstar_span text, bool fold_case, rstar_span *out);

#endif

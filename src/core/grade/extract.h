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

/* The last formula or number of a sentence; length 0 if there is none. */
extern rstar_span rstar_extract_last(rstar_span text);

/*
 * The letter of a choice that a text names: "(C)", "C. because", "option C"; 0 for
 * none. any: also a letter that merely stands alone in a sentence.
 */
extern char rstar_extract_letter(rstar_span text, bool any);

/* The letter of an answer that is nothing but a letter, else 0. */
extern char rstar_single_letter(rstar_span text);

/*
 * The text without what concerns only its looks: spaces, $, \left, \text{},
 * final points; \dfrac becomes \frac. False when memory is out.
 */
extern bool rstar_plain_text(rstar_arena *arena, rstar_span text, bool fold_case, rstar_span *out);

#endif

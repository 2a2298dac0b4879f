/*
 * mend.h
 *	  Reading a step for what it means.
 *
 * Models that were not trained on the step format follow the examples in their
 * prompt, but keep habits of their own: </answer> for <end_of_answer>, fences of
 * Markdown around code, an answer in a box without tags, the end of their turn
 * where a tag should stand. What such a text means is clear; mending writes it in
 * the format, and what it gives is the node's text from then on.
 */
#ifndef RSTAR_STEP_MEND_H
#define RSTAR_STEP_MEND_H

#include "core/step/step.h"

/*
 * Append to `out` the step that `text`, standing after `state`, means; `ended`
 * says that the model ended its turn there, rather than being cut off. False: the
 * text means no step (what `out` then holds is of no use), or memory is out.
 *
 *	- </answer>, </code>, </step>, </output> and the like close what they name;
 *	- ```python or ``` opens code, ``` closes it;
 *	- a second <code> within a block, and <code> missing before a first step, are mended;
 *	- an end of turn in code ends the block where something is printed, else the step;
 *	  with nothing written it ends the block;
 *	- an end of turn outside code ends an answer, if a box or an output goes before it.
 */
extern bool rstar_step_mend(const char *text, size_t length, rstar_solution_state state, bool ended,
							rstar_buffer *out);

/* A closing tag of a model's own at the end of text ("</answer>"): generation may stop there. */
extern rstar_tag rstar_step_closing_habit(const char *text, size_t length);

#endif

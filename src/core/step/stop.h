/*
 * stop.h
 *	  Finding the end of a step while it is being generated.
 *
 * A watch collects the text of the tokens drawn so far. Where a stop tag is one
 * token of the vocabulary, its id brings the whole tag; where it is not, the
 * tag comes in parts, and may begin or end within a token. Either way the step
 * ends directly behind the first stop tag that is complete.
 */
#ifndef RSTAR_STEP_STOP_H
#define RSTAR_STEP_STOP_H

#include "core/step/step.h"
#include "core/text/tokenizer.h"

typedef struct rstar_stop_watch
{
	const rstar_tokenizer *tokenizer;
	rstar_buffer text;  /* of all tokens, what overhangs the tag included */
	size_t step_length; /* bytes of the step: up to and with the tag */
	size_t n_tokens;    /* fed, the one that completed the tag included */
	rstar_tag tag;      /* the stop tag found, or RSTAR_TAG_NONE */
	bool habits;        /* set it to stop behind closing tags of models' own too (mend.h) */
	bool overhangs;     /* the last token goes on behind the tag */
	rstar_status status;
	rstar_error error;
} rstar_stop_watch;

extern void rstar_stop_watch_init(rstar_stop_watch *watch, const rstar_tokenizer *tokenizer,
								  const rstar_allocator *allocator);
extern void rstar_stop_watch_free(rstar_stop_watch *watch);

/*
 * Feed the next token (not one that ends the text; that one is no part of the
 * step). True: stop, since the tag is complete or something failed (status is
 * not OK then). Afterwards feed no more.
 */
extern bool rstar_stop_watch_feed(rstar_stop_watch *watch, int32_t id);

/*
 * Append the node's text: the step as far as it goes, cut behind the tag if
 * there is one, in valid UTF-8 (bytes that are none become U+FFFD). False: no
 * memory.
 */
extern bool rstar_stop_watch_text(const rstar_stop_watch *watch, rstar_buffer *out);

/*
 * Text that may be shown while the step grows: without an incomplete character
 * and without what may yet turn out to be the start of a stop tag. Its bytes
 * never change once they were shown.
 */
extern size_t rstar_stop_watch_shown(const rstar_stop_watch *watch);

#endif

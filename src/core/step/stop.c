/*
 * stop.c
 *	  Finding the end of a step while it is being generated.
 */
#include "core/step/stop.h"

#include "core/step/mend.h"

#include <string.h>

void
rstar_stop_watch_init(rstar_stop_watch *watch, const rstar_tokenizer *tokenizer,
					  const rstar_allocator *allocator)
{
	memset(watch, 0, sizeof(*watch));
	watch->tokenizer = tokenizer;
	watch->tag = RSTAR_TAG_NONE;
	rstar_buffer_init(&watch->text, allocator);
}

void
rstar_stop_watch_free(rstar_stop_watch *watch)
{
	rstar_buffer_free(&watch->text);
}

/* The stop tag that ends exactly at `end`. */
static rstar_tag
stop_tag_ending(const char *text, size_t end)
{
	for (int tag = 0; tag < RSTAR_N_TAGS; tag++)
	{
		size_t length = rstar_tag_length((rstar_tag) tag);

		if (rstar_tag_stops((rstar_tag) tag) && end >= length &&
			memcmp(text + end - length, rstar_tag_text((rstar_tag) tag), length) == 0)
			return (rstar_tag) tag;
	}
	return RSTAR_TAG_NONE;
}

bool
rstar_stop_watch_feed(rstar_stop_watch *watch, int32_t id)
{
	size_t before = watch->text.length;

	watch->status =
		rstar_tokenizer_decode(watch->tokenizer, id, false, &watch->text, &watch->error);
	if (watch->status != RSTAR_OK)
		return true;
	watch->n_tokens++;
	watch->step_length = watch->text.length;

	/* Every tag ends in '>', so only these places need a look. */
	for (size_t at = before; at < watch->text.length; at++)
	{
		if (watch->text.data[at] != '>')
			continue;
		watch->tag = stop_tag_ending(watch->text.data, at + 1);
		if (watch->tag == RSTAR_TAG_NONE && watch->habits)
			watch->tag = rstar_step_closing_habit(watch->text.data, at + 1);
		if (watch->tag == RSTAR_TAG_NONE)
			continue;
		watch->step_length = at + 1;
		watch->overhangs = at + 1 < watch->text.length;
		return true;
	}
	return false;
}

bool
rstar_stop_watch_text(const rstar_stop_watch *watch, rstar_buffer *out)
{
	return rstar_utf8_append_clean(out, watch->text.data, watch->step_length);
}

size_t
rstar_stop_watch_shown(const rstar_stop_watch *watch)
{
	const char *text = watch->text.data;
	size_t length = watch->step_length;

	if (watch->tag != RSTAR_TAG_NONE)
		return length;
	for (int tag = 0; tag < RSTAR_N_TAGS; tag++)
	{
		size_t most = rstar_tag_length((rstar_tag) tag) - 1;

		if (!rstar_tag_stops((rstar_tag) tag))
			continue;
		if (most > watch->step_length)
			most = watch->step_length;
		for (size_t n = most; n > 0; n--)
			if (memcmp(text + watch->step_length - n, rstar_tag_text((rstar_tag) tag), n) == 0)
			{
				if (watch->step_length - n < length)
					length = watch->step_length - n;
				break;
			}
	}
	return rstar_utf8_complete_prefix(text, length);
}

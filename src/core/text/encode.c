/*
 * encode.c
 *	  Text to token ids.
 *
 * A text is cut at its special tokens (where they are to be recognised) into
 * fragments, a fragment into words (BPE: pre-tokens; SentencePiece: a blank and
 * what follows it), and each word is merged on its own.
 */
#include "core/text/merge.h"
#include "core/text/pretoken.h"
#include "core/text/vocabulary.h"

#define SPACE_MARK        "\xE2\x96\x81"
#define SPACE_MARK_LENGTH 3
#define LONGEST_TEXT      ((size_t) 1 << 30)
#define POLL_BYTES        65536
#define WINDOW_BYTES      ((size_t) 1 << 20)

typedef struct encoder
{
	const rstar_tokenizer *tokenizer;
	const rstar_encode_options *options;
	const rstar_allocator *allocator;
	const rstar_cancel *cancel;
	rstar_error *err;
	rstar_word word;
	size_t since_poll; /* bytes */
	int32_t *ids;
	size_t count;
	size_t capacity;
} encoder;

/* What emit has refused: too many tokens, or no memory. */
static rstar_status
refused(encoder *e)
{
	if (e->options->max_tokens > 0 && e->count >= e->options->max_tokens)
		return rstar_error_set(e->err, RSTAR_ERR_LIMIT, "text has more than %zu tokens",
							   e->options->max_tokens);
	return rstar_error_memory(e->err, e->capacity * 2 * sizeof(int32_t));
}

static rstar_status
poll(encoder *e, size_t bytes)
{
	e->since_poll += bytes;
	if (e->since_poll < POLL_BYTES)
		return RSTAR_OK;
	e->since_poll = 0;
	if (rstar_cancel_requested(e->cancel))
		return rstar_error_set(e->err, RSTAR_ERR_CANCELLED, "encoding of text was cancelled");
	return RSTAR_OK;
}

static bool
emit(encoder *e, int32_t id)
{
	if ((e->options->max_tokens > 0 && e->count >= e->options->max_tokens) ||
		!rstar_grow(e->allocator, (void **) &e->ids, &e->capacity, e->count + 1, sizeof(int32_t)))
		return false;
	e->ids[e->count++] = id;
	return true;
}

/* A symbol that is no token goes out byte by byte. */
static bool
emit_bytes(encoder *e, const char *text, size_t length)
{
	const rstar_tokenizer *tokenizer = e->tokenizer;

	for (size_t at = 0; at < length;)
	{
		unsigned char byte = (unsigned char) text[at];
		size_t used = 1;

		if (tokenizer->kind == RSTAR_TOKENIZER_BPE)
			(void) rstar_bytemap_decode(&tokenizer->bytemap, text + at, length - at, &byte, &used);
		if (tokenizer->byte_token[byte] != RSTAR_NO_TOKEN && !emit(e, tokenizer->byte_token[byte]))
			return false;
		at += used;
	}
	return true;
}

static bool
emit_symbols(encoder *e)
{
	const rstar_word *word = &e->word;

	for (size_t i = 0; i < word->n_symbols; i++)
	{
		const rstar_symbol *symbol = &word->symbols[i];
		const char *text = word->text + symbol->start;
		int32_t id;

		if (symbol->length == 0)
			continue;
		id = rstar_vocabulary_find(e->tokenizer, text, symbol->length, symbol->hash);
		if (!(id == RSTAR_NO_TOKEN ? emit_bytes(e, text, symbol->length) : emit(e, id)))
			return false;
	}
	return true;
}

static rstar_status
finish_word(encoder *e)
{
	rstar_status status = rstar_word_merge(&e->word, e->tokenizer, e->cancel, e->err);

	if (status == RSTAR_OK && !emit_symbols(e))
		status = refused(e);
	rstar_word_clear(&e->word);
	return status;
}

/* --- byte-level BPE -------------------------------------------------------- */

static rstar_status
encode_pretoken(encoder *e, const char *text, size_t length)
{
	const rstar_bytemap *map = &e->tokenizer->bytemap;

	for (size_t i = 0; i < length; i++)
	{
		unsigned char byte = (unsigned char) text[i];

		/* A byte that the vocabulary lacks falls out, as in the reference. */
		if (e->tokenizer->byte_token[byte] == RSTAR_NO_TOKEN)
			continue;
		if (!rstar_word_add(&e->word, map->text[byte], map->length[byte]))
			return refused(e);
	}
	if (e->tokenizer->ignore_merges)
	{
		int32_t id = rstar_vocabulary_find(e->tokenizer, e->word.text, e->word.length,
										   rstar_text_hash(e->word.text, e->word.length));

		if (id != RSTAR_NO_TOKEN)
		{
			rstar_word_clear(&e->word);
			return emit(e, id) ? RSTAR_OK : refused(e);
		}
	}
	return finish_word(e);
}

/* Of the text behind start, at most so many bytes, whole characters. */
static size_t
whole_characters(const char *text, size_t length, size_t start, size_t most)
{
	size_t whole;

	if (length - start <= most)
		return length - start;
	whole = rstar_utf8_complete_prefix(text + start, most);
	return whole > 0 ? whole : most;
}

/* A pre-token, a long one in pieces. */
static rstar_status
encode_pieces(encoder *e, const char *text, size_t length)
{
	rstar_status status = RSTAR_OK;

	for (size_t at = 0; at < length && status == RSTAR_OK;)
	{
		size_t piece = whole_characters(text, length, at, RSTAR_LONGEST_WORD);

		status = encode_pretoken(e, text + at, piece);
		if (status == RSTAR_OK)
			status = poll(e, piece);
		at += piece;
	}
	return status;
}

/*
 * The pre-tokens of a window. The one that reaches its end may go on behind it,
 * so unless the text ends there, or it is all of the window, it is left to the next.
 */
static rstar_status
encode_window(encoder *e, const char *text, size_t length, bool last, size_t *done)
{
	rstar_pretokens pretokens;
	rstar_status status = RSTAR_OK;

	*done = 0;
	rstar_pretokens_start(&pretokens, e->tokenizer->pretoken, text, length);
	while (*done < length && status == RSTAR_OK)
	{
		size_t end = rstar_pretokens_next(&pretokens, *done);

		if (end == length && !last && *done > 0)
			break;
		status = encode_pieces(e, text + *done, end - *done);
		*done = end;
	}
	return status;
}

/* In windows, since cutting looks far ahead where there is nothing to cut. */
static rstar_status
encode_pretokens(encoder *e, const char *text, size_t length)
{
	rstar_status status = RSTAR_OK;

	for (size_t at = 0, done; at < length && status == RSTAR_OK; at += done)
	{
		size_t window = whole_characters(text, length, at, WINDOW_BYTES);

		status = encode_window(e, text + at, window, at + window == length, &done);
	}
	return status;
}

/* --- SentencePiece --------------------------------------------------------- */

/* The character at the start of text as the vocabulary writes it; bytes used. */
static size_t
sentencepiece_character(const char *text, size_t length, const char **written,
						size_t *written_length)
{
	uint32_t code;
	size_t bytes;

	if (text[0] == ' ')
	{
		*written = SPACE_MARK;
		*written_length = SPACE_MARK_LENGTH;
		return 1;
	}
	bytes = rstar_utf8_decode(text, length, &code);
	if (bytes == 0)
		bytes = 1;
	*written = text;
	*written_length = bytes;
	return bytes;
}

/* after_mark: is the word begun already, with a blank? */
static rstar_status
encode_words(encoder *e, const char *text, size_t length, bool after_mark)
{
	rstar_status status;

	for (size_t at = 0; at < length;)
	{
		const char *written;
		size_t written_length;
		size_t used = sentencepiece_character(text + at, length - at, &written, &written_length);
		bool mark = written_length == SPACE_MARK_LENGTH &&
					memcmp(written, SPACE_MARK, SPACE_MARK_LENGTH) == 0;

		if ((mark && !after_mark && e->tokenizer->words_apart && e->word.n_symbols > 0) ||
			e->word.length >= RSTAR_LONGEST_WORD)
		{
			status = finish_word(e);
			if (status != RSTAR_OK)
				return status;
		}
		if (!rstar_word_add(&e->word, written, written_length))
			return refused(e);
		after_mark = mark;
		at += used;
		status = poll(e, used);
		if (status != RSTAR_OK)
			return status;
	}
	return finish_word(e);
}

/* --- fragments ------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static rstar_status
encode_fragment(encoder *e, const char *text, size_t length)
{
	const rstar_tokenizer *tokenizer = e->tokenizer;

	if (length == 0)
		return RSTAR_OK;
	if (tokenizer->kind == RSTAR_TOKENIZER_BPE)
		return encode_pretokens(e, text, length);
	if (!tokenizer->space_prefix || !e->options->dummy_prefix)
		return encode_words(e, text, length, false);
	if (!rstar_word_add(&e->word, SPACE_MARK, SPACE_MARK_LENGTH))
		return refused(e);
	return encode_words(e, text, length, true);
}

/*
 * The special token that may be recognised at `at`, or NULL. One that is white
 * space alone is a way to write the text, and is recognised everywhere.
 */
static const rstar_special *
special_at(const encoder *e, const char *text, size_t length, size_t at)
{
	const rstar_encode_options *options = e->options;
	bool plain = !options->parse_special || (at >= options->plain_start && at < options->plain_end);
	const rstar_special *special =
		rstar_vocabulary_match_special(e->tokenizer, text + at, length - at);

	if (!special || special->white_space)
		return special;
	if (plain)
		return NULL;
	if (at < options->plain_end && at + special->text.length > options->plain_start)
		return rstar_vocabulary_match_special(e->tokenizer, text + at, options->plain_start - at);
	return special;
}

/*
 * The next special token that may be recognised at or behind `at`: *found is
 * where, *special NULL if there is none. Errors: CANCELLED.
 */
static rstar_status
next_special(encoder *e, const char *text, size_t length, size_t at, const rstar_special **special,
			 size_t *found)
{
	const rstar_tokenizer *tokenizer = e->tokenizer;

	*special = NULL;
	*found = length;
	if (tokenizer->n_specials == 0 || (!e->options->parse_special && !tokenizer->has_white_space))
		return RSTAR_OK;
	for (; at < length; at++)
	{
		rstar_status status = poll(e, 1);

		if (status != RSTAR_OK)
			return status;
		if (!tokenizer->starts_special[(unsigned char) text[at]])
			continue;
		*special = special_at(e, text, length, at);
		if (*special)
		{
			*found = at;
			return RSTAR_OK;
		}
		status = poll(e, 16); /* a look at a candidate costs more than a byte */
		if (status != RSTAR_OK)
			return status;
	}
	return RSTAR_OK;
}

static rstar_status
encode_text(encoder *e, const char *text, size_t length)
{
	size_t at = 0;

	for (;;)
	{
		const rstar_special *special;
		size_t found;
		rstar_status status = next_special(e, text, length, at, &special, &found);

		if (status == RSTAR_OK)
			status = encode_fragment(e, text + at, found - at);
		if (status == RSTAR_OK)
			status = poll(e, 1);
		if (status != RSTAR_OK || !special)
			return status;
		if (!emit(e, special->id))
			return refused(e);
		at = found + special->text.length;
		if (special->strips_right)
			while (at < length && is_space(text[at]))
				at++;
	}
}

/*
 * The error that stopped the encoder is already in *err, or memory is out; `refused` tells
 * which. There is room for eight tokens from the start, so that an empty text yields an array
 * too, not NULL.
 */
rstar_status
rstar_tokenizer_encode(const rstar_tokenizer *tokenizer, const char *text, size_t length,
					   const rstar_encode_options *options, const rstar_allocator *allocator,
					   const rstar_cancel *cancel, int32_t **ids, size_t *count, rstar_error *err)
{
	encoder e = {
		.tokenizer = tokenizer,
		.options = options,
		.allocator = allocator,
		.cancel = cancel,
		.err = err,
	};
	rstar_status status = RSTAR_OK;

	*ids = NULL;
	*count = 0;
	if (length >= LONGEST_TEXT)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "text is too long to be encoded: %zu bytes",
							   length);
	rstar_word_init(&e.word, allocator);
	if (!rstar_grow(allocator, (void **) &e.ids, &e.capacity, 8, sizeof(int32_t)) ||
		(options->add_bos && tokenizer->add_bos && tokenizer->bos != RSTAR_NO_TOKEN &&
		 !emit(&e, tokenizer->bos)))
		status = refused(&e);
	if (status == RSTAR_OK)
		status = encode_text(&e, text, length);
	rstar_word_free(&e.word);
	if (status != RSTAR_OK)
	{
		rstar_free(allocator, e.ids);
		return status;
	}
	*ids = e.ids;
	*count = e.count;
	return RSTAR_OK;
}

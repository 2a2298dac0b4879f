/*
 * tokenizer.h
 *	  Text to token ids and back, with the vocabulary of a GGUF file.
 *
 * Two kinds, by key tokenizer.ggml.model: "gpt2" is byte-level BPE with a
 * pre-tokenizer (tokenizer.ggml.pre: "qwen2"); "llama" is SentencePiece-style
 * merging by score with byte fallback (Phi-3, Llama 2). Special tokens
 * (types CONTROL and USER_DEFINED) are single ids where they are recognised.
 *
 * A tokenizer is immutable after open and refers to the file's map for its
 * texts: opening one of 151,936 tokens costs milliseconds, since all it builds
 * is two hash tables of 32-bit indices. Many threads may use it at once.
 */
#ifndef RSTAR_TEXT_TOKENIZER_H
#define RSTAR_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"

#define RSTAR_NO_TOKEN (-1)

typedef struct rstar_tokenizer rstar_tokenizer;

/*
 * Open the vocabulary in `gguf`, which must outlive the tokenizer. Every id,
 * merge and score is checked: CORRUPT or UNSUPPORTED otherwise.
 */
extern rstar_status rstar_tokenizer_open(const rstar_gguf *gguf, const rstar_allocator *allocator,
										 rstar_tokenizer **out, rstar_error *err);
extern void rstar_tokenizer_close(rstar_tokenizer *tokenizer); /* NULL is allowed */

extern int32_t rstar_tokenizer_size(const rstar_tokenizer *tokenizer); /* number of ids */
extern int32_t rstar_tokenizer_bos(const rstar_tokenizer *tokenizer);  /* or RSTAR_NO_TOKEN */
extern int32_t rstar_tokenizer_eos(const rstar_tokenizer *tokenizer);
extern bool rstar_tokenizer_is_eog(const rstar_tokenizer *tokenizer, int32_t id); /* ends a turn */

/* Id of the special token with exactly this text, or RSTAR_NO_TOKEN. */
extern int32_t rstar_tokenizer_find_special(const rstar_tokenizer *tokenizer, const char *text,
											size_t length);

typedef struct rstar_encode_options
{
	bool add_bos;       /* the vocabulary's own begin token in front */
	bool parse_special; /* recognise special tokens in the text */
	bool dummy_prefix;  /* "llama": the blank in front; ignored by "gpt2" */
} rstar_encode_options;

/*
 * Encode text (any bytes; invalid UTF-8 is encoded byte by byte). *ids is
 * allocated from `allocator` (*count ids; may be 0) and belongs to the caller.
 * Time is linear in the text but for a logarithm. Polls cancel every 64 kB.
 * Errors: MEMORY, CANCELLED.
 */
extern rstar_status rstar_tokenizer_encode(const rstar_tokenizer *tokenizer, const char *text,
										   size_t length, const rstar_encode_options *options,
										   const rstar_allocator *allocator,
										   const rstar_cancel *cancel, int32_t **ids, size_t *count,
										   rstar_error *err);

/*
 * Append the bytes of one token to out: its text for ordinary tokens; special
 * tokens as their text, or nothing with skip_special. Bytes, not characters: a
 * token may end within one. Errors: ARGUMENT for an id out of range, MEMORY.
 */
extern rstar_status rstar_tokenizer_decode(const rstar_tokenizer *tokenizer, int32_t id,
										   bool skip_special, rstar_buffer *out, rstar_error *err);

/*
 * Length of the longest prefix of `text` that does not end within a UTF-8
 * character: what may be shown while more tokens are still to come. Bytes that
 * cannot begin or continue a character count as complete.
 */
extern size_t rstar_utf8_complete_prefix(const char *text, size_t length);

#endif

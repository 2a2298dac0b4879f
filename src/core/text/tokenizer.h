/*
 * tokenizer.h
 *	  Text to token ids and back, with the vocabulary of a GGUF file.
 *
 * Two kinds, by key tokenizer.ggml.model: "gpt2" is byte-level BPE with a
 * pre-tokenizer (tokenizer.ggml.pre: the names in pretoken.h); "llama" is SentencePiece-style merging by score with byte
 * fallback (Phi-3, Llama 2). Special tokens (types CONTROL, USER_DEFINED and
 * UNKNOWN) are single ids where they are recognised; so are ordinary tokens
 * whose text ends a turn ("</s>" in Qwen2). Where they are not recognised, the
 * text of a special token is text like any other and never becomes its id.
 *
 * Ids equal llama.cpp's. Two deviations, both on purpose: bytes that are not
 * UTF-8 are encoded as the bytes they are (there they become U+FFFD), and
 * without parse_special no special token at all is recognised (there
 * USER_DEFINED ones still are, so that a text could forge them), but for those that
 * consist of white space: Gemma has no other tokens for a line end.
 *
 * A byte for which a vocabulary has no token (SmolLM2's lacks some that UTF-8 never
 * uses, and a few more) gives no token.
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
#include "core/text/utf8.h" /* for streaming: rstar_utf8_complete_prefix */

#define RSTAR_NO_TOKEN (-1)

/*
 * Key of ours: I32 array of the ids of special tokens that swallow the white
 * space behind them (tokenizer.json says "rstrip"). Without it a file whose
 * general.name contains "phi3" or "phi-3" has Phi-3's, others none.
 */
#define RSTAR_STRIPS_RIGHT_KEY "rstar.tokenizer.strips_right"

/*
 * Key of ours: bool, whether a pre-token that is a token stays whole without
 * merging. Without it the name of the pre-tokenizer decides.
 */
#define RSTAR_IGNORE_MERGES_KEY "rstar.tokenizer.ignore_merges"

/* What tokenizer.ggml.token_type says of a token. */
typedef enum rstar_token_type
{
	RSTAR_TOKEN_UNDEFINED = 0,
	RSTAR_TOKEN_NORMAL = 1,
	RSTAR_TOKEN_UNKNOWN = 2,
	RSTAR_TOKEN_CONTROL = 3,
	RSTAR_TOKEN_USER_DEFINED = 4,
	RSTAR_TOKEN_UNUSED = 5,
	RSTAR_TOKEN_BYTE = 6
} rstar_token_type;

typedef struct rstar_tokenizer rstar_tokenizer;

/*
 * Open the vocabulary in `gguf`, which must outlive the tokenizer. Checked:
 * types and counts of the arrays, ids, scores, the form of every merge, and
 * that no two tokens share a text. CORRUPT or UNSUPPORTED otherwise (also with
 * more than 4 million tokens or merges, 65,000 special tokens, or a text of more
 * than 64 kB); NOT_FOUND if the file holds no vocabulary; MEMORY. cancel (NULL:
 * none) is polled: CANCELLED.
 */
extern rstar_status rstar_tokenizer_open(const rstar_gguf *gguf, const rstar_allocator *allocator,
										 const rstar_cancel *cancel, rstar_tokenizer **out,
										 rstar_error *err);
extern void rstar_tokenizer_close(rstar_tokenizer *tokenizer); /* NULL is allowed */

extern int32_t rstar_tokenizer_size(const rstar_tokenizer *tokenizer); /* number of ids */
extern int32_t rstar_tokenizer_bos(const rstar_tokenizer *tokenizer);  /* or RSTAR_NO_TOKEN */
extern int32_t rstar_tokenizer_eos(const rstar_tokenizer *tokenizer);  /* or RSTAR_NO_TOKEN */

/*
 * Does this id end a turn? The vocabulary's eos, eot and eom tokens, and
 * special tokens whose text says so (<|im_end|>, <|end|>, …).
 */
extern bool rstar_tokenizer_is_eog(const rstar_tokenizer *tokenizer, int32_t id);

/* Id of the special token with exactly this text, or RSTAR_NO_TOKEN. */
extern int32_t rstar_tokenizer_find_special(const rstar_tokenizer *tokenizer, const char *text,
											size_t length);

/* Bytes of the longest special token with which text begins, or 0. */
extern size_t rstar_tokenizer_special_length(const rstar_tokenizer *tokenizer, const char *text,
											 size_t length);

/*
 * A token as the vocabulary writes it (bytes as printable characters), and its
 * type. The text lies in the map. id must be in range.
 */
extern rstar_string rstar_tokenizer_token_text(const rstar_tokenizer *tokenizer, int32_t id);
extern rstar_token_type rstar_tokenizer_token_type(const rstar_tokenizer *tokenizer, int32_t id);

typedef struct rstar_encode_options
{
	bool add_bos;       /* the begin token in front, if the vocabulary wants one */
	bool parse_special; /* recognise special tokens in the text */
	bool
		dummy_prefix; /* "llama": the blank in front, if the vocabulary wants it; "gpt2": ignored */

	/*
	 * With parse_special: no special token is recognised that touches bytes
	 * [plain_start, plain_end), so that a text set into a template cannot forge
	 * one. Both 0: no such part.
	 */
	size_t plain_start;
	size_t plain_end;

	size_t max_tokens; /* give up when there are more; 0: no limit */
} rstar_encode_options;

/*
 * A word (BPE: a pre-token) longer than this many bytes is encoded in pieces of
 * that length, so that a text without blanks takes no more memory and time than
 * any other. No word that means anything is so long.
 */
#define RSTAR_LONGEST_WORD 16384

/*
 * Encode text (any bytes). *ids is allocated from `allocator` (*count ids; may
 * be 0) and belongs to the caller. Time is linear in the text; memory, beyond
 * the ids, that of one word. Polls cancel every 64 kB. Errors: MEMORY,
 * CANCELLED, LIMIT (text of 1 GB or more, more than max_tokens tokens).
 */
extern rstar_status rstar_tokenizer_encode(const rstar_tokenizer *tokenizer, const char *text,
										   size_t length, const rstar_encode_options *options,
										   const rstar_allocator *allocator,
										   const rstar_cancel *cancel, int32_t **ids, size_t *count,
										   rstar_error *err);

/*
 * Append the bytes of one token to out: its text for ordinary tokens; special
 * tokens as their text, or nothing with skip_special. Bytes, not characters: a
 * token may end within one, so a stream shows rstar_utf8_complete_prefix of
 * what it has and keeps the rest. Errors: ARGUMENT for an id out of range,
 * MEMORY.
 */
extern rstar_status rstar_tokenizer_decode(const rstar_tokenizer *tokenizer, int32_t id,
										   bool skip_special, rstar_buffer *out, rstar_error *err);

/*
 * Append the bytes of a whole sequence. strip_prefix takes away the blanks that
 * encoding with dummy_prefix put in front ("llama": at the start and behind
 * special tokens). Errors as above; out then holds what came before.
 */
extern rstar_status rstar_tokenizer_decode_all(const rstar_tokenizer *tokenizer, const int32_t *ids,
											   size_t count, bool skip_special, bool strip_prefix,
											   rstar_buffer *out, rstar_error *err);

/*
 * The same for a sequence that comes in parts, with prefixes stripped. *at_start,
 * true before the first part: whether a blank that comes next is such a prefix.
 */
extern rstar_status rstar_tokenizer_decode_more(const rstar_tokenizer *tokenizer,
												const int32_t *ids, size_t count, bool skip_special,
												bool *at_start, rstar_buffer *out,
												rstar_error *err);

#endif

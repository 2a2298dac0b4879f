/*
 * vocabulary.h
 *	  The tables of a tokenizer, shared by opening, encoding and decoding.
 *	  Private to core/text.
 */
#ifndef RSTAR_TEXT_VOCABULARY_H
#define RSTAR_TEXT_VOCABULARY_H

#include <string.h>

#include "core/text/bytemap.h"
#include "core/text/pretoken.h"
#include "core/text/textindex.h"
#include "core/text/tokenizer.h"

#define RSTAR_SPACE_MARK        "\xE2\x96\x81" /* U+2581, SentencePiece's blank */
#define RSTAR_SPACE_MARK_LENGTH 3

#define RSTAR_MAX_EOG       16
#define RSTAR_MAX_SPECIAL   512                  /* bytes of a special token's text */
#define RSTAR_MAX_SPECIALS  65536                /* special tokens: sorting them takes 20 ms */
#define RSTAR_MAX_TEXT      65536                /* bytes of a token's or merge's text */
#define RSTAR_MAX_ITEMS     ((uint32_t) 1 << 22) /* tokens, merges: 16 times the largest known */
#define RSTAR_MAX_STRIPPING 1024 /* special tokens listed as swallowing white space */

typedef enum rstar_tokenizer_kind
{
	RSTAR_TOKENIZER_BPE,          /* "gpt2" */
	RSTAR_TOKENIZER_SENTENCEPIECE /* "llama" */
} rstar_tokenizer_kind;

/*
 * A string array of the map by number. `at` holds each string's offset from
 * `base`: there lie its u64 length and then its bytes.
 */
typedef struct rstar_string_table
{
	const char *base;
	uint32_t *at;
	uint32_t count;
} rstar_string_table;

typedef struct rstar_special
{
	rstar_string text;
	int32_t id;
	bool strips_right; /* swallows the white space behind it (Phi-3) */
	bool white_space;  /* nothing but white space: text, not a mark (Gemma's "\n\n") */
} rstar_special;

struct rstar_tokenizer
{
	const rstar_allocator *allocator;
	const rstar_cancel *cancel; /* while it opens; NULL afterwards */
	rstar_tokenizer_kind kind;
	const rstar_pretoken_rule *pretoken; /* BPE */
	bool ignore_merges;                  /* BPE: a pre-token that is a token stays whole */
	bool space_prefix;                   /* SentencePiece: a blank in front */
	bool words_apart;                    /* SentencePiece: no token goes on with a blank */
	bool add_bos;
	int32_t bos;
	int32_t eos;
	int32_t unknown;
	int32_t eog[RSTAR_MAX_EOG];
	int n_eog;

	rstar_string_table tokens;
	rstar_text_index token_index; /* of NORMAL and UNUSED tokens, by text */
	unsigned char *types;         /* rstar_token_type */
	const char *scores;           /* SentencePiece: f32, unaligned, in the map */
	size_t max_token_length;
	int32_t byte_token[256]; /* the id of a single byte, or RSTAR_NO_TOKEN */

	rstar_string_table merges; /* BPE: "left right", in order of rank */
	rstar_text_index merge_index;
	rstar_bytemap bytemap;

	rstar_special *specials; /* sorted by text */
	uint32_t n_specials;
	bool starts_special[256]; /* first bytes of specials */
	bool has_white_space;     /* one of them is white space alone */
};

static inline rstar_string
rstar_string_table_get(const rstar_string_table *table, uint32_t i)
{
	const char *p = table->base + table->at[i];
	uint64_t length;
	rstar_string text;

	memcpy(&length, p, sizeof(length));
	text.data = p + sizeof(length);
	text.length = (size_t) length;
	return text;
}

static inline bool
rstar_string_is(rstar_string text, const char *literal)
{
	return text.length == strlen(literal) && memcmp(text.data, literal, text.length) == 0;
}

static inline bool
rstar_token_is_special(unsigned char type)
{
	return type == RSTAR_TOKEN_CONTROL || type == RSTAR_TOKEN_USER_DEFINED ||
		   type == RSTAR_TOKEN_UNKNOWN;
}

/* Is the text one or more white space characters of ASCII, and nothing else? */
static inline bool
rstar_is_white_space(rstar_string text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] != ' ' && (text.data[i] < '\t' || text.data[i] > '\r'))
			return false;
	return text.length > 0;
}

/* Id of the ordinary token with this text and hash, or RSTAR_NO_TOKEN. */
static inline int32_t
rstar_vocabulary_find(const rstar_tokenizer *tokenizer, const char *text, size_t length,
					  uint64_t hash)
{
	rstar_text_probe probe = rstar_text_probe_start(&tokenizer->token_index, hash);
	uint32_t item;

	while ((item = rstar_text_probe_next(&tokenizer->token_index, &probe)) != RSTAR_NO_ITEM)
	{
		rstar_string token = rstar_string_table_get(&tokenizer->tokens, item);

		if (token.length == length && memcmp(token.data, text, length) == 0)
			return (int32_t) item;
	}
	return RSTAR_NO_TOKEN;
}

/* --- opening: each fills its part of the tokenizer, and returns CORRUPT or UNSUPPORTED for what it
 * cannot be, MEMORY, CANCELLED --- */

/* The table of an array of strings, its offsets still to be filled by an index. */
extern rstar_status rstar_vocabulary_prepare(const rstar_gguf *gguf, const char *key,
											 const rstar_allocator *allocator,
											 rstar_string_table *table, rstar_error *err);
extern rstar_status rstar_vocabulary_read_types(rstar_tokenizer *tokenizer, const rstar_gguf *gguf,
												rstar_error *err);
extern rstar_status rstar_vocabulary_read_scores(rstar_tokenizer *tokenizer, const rstar_gguf *gguf,
												 rstar_error *err);
extern rstar_status rstar_vocabulary_index_tokens(rstar_tokenizer *tokenizer, rstar_error *err);
extern rstar_status rstar_vocabulary_index_merges(rstar_tokenizer *tokenizer, rstar_error *err);
extern rstar_status rstar_vocabulary_find_bytes(rstar_tokenizer *tokenizer, rstar_error *err);
extern rstar_status rstar_vocabulary_collect_specials(rstar_tokenizer *tokenizer,
													  const rstar_gguf *gguf, rstar_error *err);
extern rstar_status rstar_vocabulary_read_ids(rstar_tokenizer *tokenizer, const rstar_gguf *gguf,
											  rstar_error *err);
extern rstar_status rstar_vocabulary_poll(const rstar_tokenizer *tokenizer, rstar_error *err);

/* The byte that a text like "<0x0A>" stands for, or -1. */
extern int rstar_vocabulary_byte(rstar_string text);

/*
 * The longest special token that begins at the start of text, or NULL. Its
 * time grows with that token's length, not with the number of specials.
 */
extern const rstar_special *rstar_vocabulary_match_special(const rstar_tokenizer *tokenizer,
														   const char *text, size_t length);

#endif

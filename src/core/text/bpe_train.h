/*
 * bpe_train.h
 *	  Learning a byte-level BPE vocabulary from a corpus.
 *
 * Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909, algorithm 1) over
 * the pre-tokens of pretoken.h: begin with the 256 bytes; again and again make
 * the most frequent pair of neighbours a token. Among equally frequent pairs
 * the one with the smaller left text wins, then the one with the smaller right
 * text (as bytes), so that the same counts always give the same vocabulary.
 *
 * Small vocabularies for mathematics want some merges never to happen: rules
 * say which texts may become tokens at all.
 *
 *		rstar_bpe_trainer_create(&options, allocator, &trainer, &err);
 *		rstar_bpe_trainer_add(trainer, text, length, cancel, &err);		(often)
 *		rstar_bpe_trainer_train(trainer, cancel, &err);					(once)
 *		rstar_bpe_trainer_write(trainer, writer, &err);
 *		rstar_bpe_trainer_free(trainer);
 *
 * Ids: the bytes 0 to 255, then the merged tokens in the order they were made,
 * then the special tokens in the order given.
 */
#ifndef RSTAR_TEXT_BPE_TRAIN_H
#define RSTAR_TEXT_BPE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/text/tokenizer.h"

#define RSTAR_BPE_LONGEST_WORD 1024 /* bytes; longer pre-tokens teach nothing */

typedef struct rstar_bpe_special
{
	const char *text;
	rstar_token_type type; /* CONTROL or USER_DEFINED */
} rstar_bpe_special;

/*
 * Which texts may become tokens by merging. "Letters" and "signs" are Unicode's
 * letters and what is neither letter, number nor white space.
 */
typedef struct rstar_bpe_rules
{
	bool anything;          /* no rule at all: classic BPE; the others do not matter then */
	bool letters;           /* two or more letters */
	int letters_with_blank; /* so many letters with a blank in front, or more; 0: never */
	bool ascii_letters;     /* in those two only A to Z and a to z count as letters */
	bool signs;             /* two or more signs: "**", ")." */
	bool signs_with_blank;  /* signs with a blank in front: " =" */
	bool signs_with_line;   /* signs with line ends behind: ":\n" */
	bool white_space;       /* two or more white-space characters */
	bool characters;        /* one character of several bytes */
	bool mixed;             /* letters and signs: "(x", "_name" */

	/* Texts that may become tokens whatever the flags say. */
	const rstar_string *also;
	size_t n_also;
} rstar_bpe_rules;

typedef struct rstar_bpe_options
{
	uint32_t vocabulary_size; /* ids in all: bytes, merged tokens, specials */
	uint64_t min_word_count;  /* pre-tokens seen less often take no part */
	uint64_t min_pair_count;  /* pairs seen less often are not merged */
	uint32_t max_token_bytes; /* 0: no limit */
	rstar_bpe_rules rules;
	const rstar_bpe_special *specials; /* cut out of the corpus wherever they stand */
	size_t n_specials;
	const char *end_text; /* the special that is bos, eos and padding; NULL: none is */
} rstar_bpe_options;

/*
 * What the built-in models have: 1,024 tokens; words seen at least 10 times; letters with
 * letters, a blank with two letters or more, signs with signs, white space;
 * never letters with signs, nor a blank with a single letter. No specials.
 */
extern void rstar_bpe_options_init(rstar_bpe_options *options);

typedef struct rstar_bpe_trainer rstar_bpe_trainer;

/* The options are copied, texts included. Errors: ARGUMENT, MEMORY. */
extern rstar_status rstar_bpe_trainer_create(const rstar_bpe_options *options,
											 const rstar_allocator *allocator,
											 rstar_bpe_trainer **out, rstar_error *err);
extern void rstar_bpe_trainer_free(rstar_bpe_trainer *trainer); /* NULL is allowed */

/*
 * Count the words of one text. No word reaches across two calls. Errors:
 * MEMORY, CANCELLED, LIMIT (more than 2^31 bytes of distinct words).
 */
extern rstar_status rstar_bpe_trainer_add(rstar_bpe_trainer *trainer, const char *text,
										  size_t length, const rstar_cancel *cancel,
										  rstar_error *err);

/*
 * Learn the merges. There may be fewer tokens than asked for, if no pair is
 * left that is frequent enough and allowed. Errors: MEMORY, CANCELLED, ARGUMENT
 * (called twice).
 */
extern rstar_status rstar_bpe_trainer_train(rstar_bpe_trainer *trainer, const rstar_cancel *cancel,
											rstar_error *err);

/* What came out: the number of ids; a token's bytes; the two sides of a merge. */
extern uint32_t rstar_bpe_trainer_size(const rstar_bpe_trainer *trainer);
extern rstar_string rstar_bpe_trainer_token(const rstar_bpe_trainer *trainer, uint32_t id);
extern uint32_t rstar_bpe_trainer_n_merges(const rstar_bpe_trainer *trainer);
extern void rstar_bpe_trainer_merge(const rstar_bpe_trainer *trainer, uint32_t i, uint32_t *left,
									uint32_t *right);

/*
 * Add the vocabulary to a GGUF file: the keys tokenizer.ggml.* of kind "gpt2"
 * with pre-tokenizer "qwen2", which this library and llama.cpp open. Failures
 * of the writer itself come out of rstar_gguf_writer_finish. Errors: MEMORY,
 * ARGUMENT (not trained).
 */
extern rstar_status rstar_bpe_trainer_write(const rstar_bpe_trainer *trainer,
											rstar_gguf_writer *writer, rstar_error *err);

/* Do the rules let these bytes become one token? */
extern bool rstar_bpe_rules_allow(const rstar_bpe_rules *rules, const char *text, size_t length);

#endif

/*
 * import_parts.h
 *	  What the files of the importer share; nobody else includes it.
 */
#ifndef RSTAR_MODEL_IMPORT_PARTS_H
#define RSTAR_MODEL_IMPORT_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/model/hparams.h"

/* What config.json says beyond the hyperparameters. */
typedef struct rstar_import_config
{
	rstar_hparams hparams; /* n_context as the configuration has it */
	bool tied;
	uint32_t original_context; /* of longrope, else 0 */
	uint32_t n_factors;        /* rope_dim / 2 if there are factors, else 0 */
	bool llama3;               /* factors are rope_freqs, not longrope's */
	float short_factors[RSTAR_MAX_HEAD_DIM / 2];
	float long_factors[RSTAR_MAX_HEAD_DIM / 2];
} rstar_import_config;

/* The parsed config.json. Errors: CORRUPT, UNSUPPORTED, those of rstar_hparams_check. */
extern rstar_status rstar_import_read_config(const json_t *config, rstar_import_config *out,
											 rstar_error *err);

/*
 * Add all tokenizer keys. `tokenizer` is tokenizer.json; the others may be NULL.
 * n_vocab is the number of rows of the embedding: ids without a token become
 * unused ones. Everything is copied.
 */
typedef struct rstar_import_vocabulary
{
	const json_t *tokenizer;
	const json_t *tokenizer_config;
	const json_t *config;
	const json_t *generation_config;
	const char *chat_template; /* NULL: look in tokenizer_config */
	size_t chat_template_length;
	uint32_t n_vocab;
	const rstar_cancel *cancel;
} rstar_import_vocabulary;

extern rstar_status rstar_import_write_vocabulary(const rstar_import_vocabulary *vocabulary,
												  const rstar_allocator *allocator,
												  rstar_gguf_writer *writer, rstar_error *err);

/*
 * The name (as tokenizer.ggml.pre has it) of the rule that a tokenizer.json's
 * "pre_tokenizer" describes; NULL if it is none that we know.
 */
extern const char *rstar_import_pretoken_name(const json_t *pre_tokenizer,
											  const rstar_allocator *allocator);

#endif

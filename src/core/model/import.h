/*
 * import.h
 *	  A Hugging Face model directory as a GGUF file.
 *
 * Read are, from one directory:
 *
 *		config.json                     architecture and hyperparameters
 *		generation_config.json          tokens that end a turn           (optional)
 *		model.safetensors, or
 *		model.safetensors.index.json    and the files it names
 *		tokenizer.json                  vocabulary
 *		tokenizer_config.json           special tokens, chat template    (optional)
 *		chat_template.jinja             chat template                    (optional)
 *
 * Models: Qwen2, Phi-3 and Llama (2 and 3), as causal models or with a
 * one-valued classification head ("score"), which becomes the value head.
 * Rotary scaling: none, linear, llama3, longrope.
 *
 * Tokenizers: byte-level BPE with the splitting rule of Qwen2 or Llama 3; and
 * BPE with byte fallback that came from SentencePiece (Llama 2, Phi-3), whose
 * merges are turned into scores: a token's score is minus the rank of its
 * first merge. That reproduces the merges only where every split of a token
 * into two tokens is a merge, as in all files converted from SentencePiece;
 * other files are refused. tokenizer.model is not read.
 *
 * Every name is a single path component, opened without following links:
 * nothing outside the directory is ever read.
 */
#ifndef RSTAR_MODEL_IMPORT_H
#define RSTAR_MODEL_IMPORT_H

#include <stdbool.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/quantize.h"

typedef struct rstar_import_options
{
	bool keep_types;              /* matrices stay F32, F16 or BF16 as they are */
	rstar_quantize_target target; /* otherwise */
	const char *name;             /* general.name, or NULL */
	const char *prompt_template;  /* rstar.prompt_template, or NULL */
} rstar_import_options;

/*
 * Write the model to fd, an empty file open for writing. Polls cancel at least
 * every 50 ms but while tokenizer.json is parsed (about 0.3 s for 150,000
 * tokens). Errors: NOT_FOUND (a file), DENIED (links, names with a path), CORRUPT,
 * UNSUPPORTED, LIMIT, IO, MEMORY, CANCELLED.
 */
extern rstar_status rstar_import(const char *directory, const rstar_import_options *options, int fd,
								 const rstar_allocator *allocator, const rstar_cancel *cancel,
								 rstar_error *err);

#endif

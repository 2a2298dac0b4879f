/*
 * pretoken.h
 *	  Cutting text into pre-tokens, the pieces that merges never cross.
 *
 * A model file names its rule (tokenizer.ggml.pre). A rule is one or several
 * cuts, one after the other: each divides every piece that the cut before left
 * into what a regular expression matches and what lies between the matches, as
 * the "Sequence" of "Split" stages of a tokenizer.json does. White space "at the
 * end" then means the end of such a piece.
 *
 * The expressions, each taking the first alternative that matches:
 *
 *	qwen2		(?i:'s|'t|'re|'ve|'m|'ll|'d)	an English contraction
 *				[^\r\n\p{L}\p{N}]?\p{L}+		letters, with one character before them
 *				\p{N}							one digit
 *				 ?[^\s\p{L}\p{N}]+[\r\n]*		other signs, a blank before, line ends behind
 *				\s*[\r\n]+						white space up to its last line end
 *				\s+(?!\S)						white space but for its last character
 *				\s+
 *	llama-bpe	the same with \p{N}{1,3}
 *	qwen35		the same as qwen2 with [\p{L}\p{M}] for letters, and marks no signs
 *	tekken		without contractions; words change at a capital letter; [\r\n/]* behind signs
 *	gpt-4o		as tekken, a contraction belongs to its word; \p{N}{1,3}
 *	gpt-2		's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *	smollm		\p{N}, then gpt-2
 *	default		[\p{P}$+<=>^~|]+, then gpt-2, then \p{N}+, then [0-9][0-9][0-9]
 *	falcon		as default, with ` among the signs and without \p{N}+
 *	deepseek-llm, deepseek-coder, deepseek-v3	see pretoken_rules.c
 *
 * Characters are classified by charclass.h. A byte that is not part of valid UTF-8
 * counts as a sign of no particular kind.
 */
#ifndef RSTAR_TEXT_PRETOKEN_H
#define RSTAR_TEXT_PRETOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/text/charclass.h"

typedef struct rstar_pretoken_rule rstar_pretoken_rule;

/* The rule of that name (several names share one), or NULL. */
extern const rstar_pretoken_rule *rstar_pretoken_find(const char *name, size_t length);

/* What goes with the name where the file does not say otherwise. */
extern bool rstar_pretoken_ignores_merges(const rstar_pretoken_rule *rule);
extern bool rstar_pretoken_adds_bos(const rstar_pretoken_rule *rule);

#define RSTAR_PRETOKEN_CUTS 6

/* A text on its way through a rule. */
typedef struct rstar_pretokens
{
	const rstar_pretoken_rule *rule;
	const char *text;
	size_t length;
	size_t end[RSTAR_PRETOKEN_CUTS]; /* of the present piece of each cut */
} rstar_pretokens;

extern void rstar_pretokens_start(rstar_pretokens *pretokens, const rstar_pretoken_rule *rule,
								  const char *text, size_t length);

/*
 * End of the pre-token that begins at `start` (0, then each end in turn; start <
 * length): always beyond start. Cutting a whole text this way takes linear time.
 */
extern size_t rstar_pretokens_next(rstar_pretokens *pretokens, size_t start);

/* The same for qwen2 (max_digits 1) and llama-bpe (3), which need no state. */
extern size_t rstar_pretoken_end(const char *text, size_t length, size_t start, int max_digits);

#endif

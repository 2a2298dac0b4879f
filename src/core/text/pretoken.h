/*
 * pretoken.h
 *	  Cutting text into pre-tokens, the pieces that merges never cross.
 *
 * The rule of Qwen2 (and, but for the digits, Llama 3), as a regular
 * expression that takes the first alternative that matches:
 *
 *		(?i:'s|'t|'re|'ve|'m|'ll|'d)	an English contraction
 *		[^\r\n\p{L}\p{N}]?\p{L}+		letters, with one character before them
 *		\p{N}							one digit (Llama 3: up to three)
 *		 ?[^\s\p{L}\p{N}]+[\r\n]*		other signs, a blank before, line ends behind
 *		\s*[\r\n]+						white space up to its last line end
 *		\s+(?!\S)						white space but for its last character
 *		\s+
 *
 * Letters and numbers are the general categories L* and N* of the Unicode data
 * in ICU, white space is the property White_Space. A byte that is not part of
 * valid UTF-8 counts as an "other sign".
 */
#ifndef RSTAR_TEXT_PRETOKEN_H
#define RSTAR_TEXT_PRETOKEN_H

#include <stddef.h>
#include <stdint.h>

typedef enum rstar_char_class
{
	RSTAR_CHAR_OTHER = 0,
	RSTAR_CHAR_LETTER,
	RSTAR_CHAR_NUMBER,
	RSTAR_CHAR_SPACE
} rstar_char_class;

extern rstar_char_class rstar_char_classify(uint32_t code);

/*
 * End of the pre-token that begins at `start` (start < length): always beyond
 * start. Cutting a whole text this way takes linear time. max_digits: 1 for
 * Qwen2, 3 for Llama 3.
 */
extern size_t rstar_pretoken_end(const char *text, size_t length, size_t start, int max_digits);

#endif

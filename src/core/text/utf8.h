/*
 * utf8.h
 *	  Reading, checking and cutting UTF-8.
 *
 * Valid means what PostgreSQL and RFC 3629 call valid: no overlong forms, no
 * surrogates, nothing above U+10FFFF. All functions accept any bytes and never
 * look beyond `length`.
 */
#ifndef RSTAR_TEXT_UTF8_H
#define RSTAR_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"

#define RSTAR_UTF8_REPLACEMENT 0xFFFDu /* stands for what cannot be read */

/*
 * The character at the start of `text`: its bytes (1 to 4) are returned and
 * *code filled. 0 where no valid character begins; the caller then takes one
 * byte for itself.
 */
extern size_t rstar_utf8_decode(const char *text, size_t length, uint32_t *code);

/* Write a code point (valid, not a surrogate) as 1 to 4 bytes; return how many. */
extern size_t rstar_utf8_encode(uint32_t code, char out[4]);

extern bool rstar_utf8_valid(const char *text, size_t length);

/*
 * Append text to out, each byte that is not part of a valid character, and
 * each NUL, replaced by U+FFFD: what a text column accepts. False: no memory.
 */
extern bool rstar_utf8_append_clean(rstar_buffer *out, const char *text, size_t length);

/*
 * Length of the longest prefix of `text` that does not end within a UTF-8
 * character: what may be shown while more tokens are still to come. Bytes that
 * cannot begin or continue a character count as complete, so at most 3 bytes
 * are ever held back.
 */
extern size_t rstar_utf8_complete_prefix(const char *text, size_t length);

#endif

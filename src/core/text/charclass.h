/*
 * charclass.h
 *	  What kind of character a code point is: Unicode's general categories as
 *	  the rules for cutting text use them.
 *
 * The data are those of ICU, and a table of ours for characters of Unicode 15.1
 * and 16.0, which the ICU of Debian 12 does not have yet, so that results do not
 * depend on the age of ICU.
 */
#ifndef RSTAR_TEXT_CHARCLASS_H
#define RSTAR_TEXT_CHARCLASS_H

#include <stdint.h>

/* The classes that exclude each other in most rules. */
typedef enum rstar_char_class
{
	RSTAR_CHAR_OTHER = 0,
	RSTAR_CHAR_LETTER, /* L* */
	RSTAR_CHAR_NUMBER, /* N* */
	RSTAR_CHAR_SPACE   /* the property White_Space */
} rstar_char_class;

/* Finer kinds; a character has at most one of them beside its class. */
#define RSTAR_KIND_UPPER   (1u << 0) /* Lu, Lt */
#define RSTAR_KIND_LOWER   (1u << 1) /* Ll */
#define RSTAR_KIND_NEITHER (1u << 2) /* Lm, Lo: letters without case */
#define RSTAR_KIND_MARK    (1u << 3) /* M* */
#define RSTAR_KIND_PUNCT   (1u << 4) /* P* */
#define RSTAR_KIND_SYMBOL  (1u << 5) /* S* */

extern rstar_char_class rstar_char_classify(uint32_t code);

/* One of the kinds above, or 0. */
extern unsigned rstar_char_kind(uint32_t code);

#endif

/*
 * charclass.c
 *	  What kind of character a code point is: see charclass.h.
 */
#include "core/text/charclass.h"

#include <stddef.h>
#include <unicode/uchar.h>

#define O RSTAR_CHAR_OTHER
#define L RSTAR_CHAR_LETTER
#define N RSTAR_CHAR_NUMBER
#define S RSTAR_CHAR_SPACE
static const unsigned char ascii_class[128] = {
	O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O, /* \t \n \v \f \r */
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* */
	S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* blank, signs */
	N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O, /* 0 to 9 */
	O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* @ A to O */
	L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O, /* P to Z */
	O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* ` a to o */
	L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O, /* p to z */
};
#undef O
#undef L
#undef N
#undef S

#define NEW_NUMBER  0x80u /* beside the kinds of the header */
#define NEW_UPPER   RSTAR_KIND_UPPER
#define NEW_LOWER   RSTAR_KIND_LOWER
#define NEW_NEITHER RSTAR_KIND_NEITHER
#define NEW_MARK    RSTAR_KIND_MARK
#define NEW_PUNCT   RSTAR_KIND_PUNCT
#define NEW_SYMBOL  RSTAR_KIND_SYMBOL
#define LETTERS     (RSTAR_KIND_UPPER | RSTAR_KIND_LOWER | RSTAR_KIND_NEITHER)

/* Characters added by Unicode 15.1 and 16.0, in order. */
static const struct
{
	uint32_t first;
	uint32_t last;
	unsigned kind;
} newer[] = {{0x897, 0x897, NEW_MARK},        {0x1b4e, 0x1b4f, NEW_PUNCT},
			 {0x1b7f, 0x1b7f, NEW_PUNCT},     {0x1c89, 0x1c89, NEW_UPPER},
			 {0x1c8a, 0x1c8a, NEW_LOWER},     {0x2427, 0x2429, NEW_SYMBOL},
			 {0x2ffc, 0x2fff, NEW_SYMBOL},    {0x31e4, 0x31e5, NEW_SYMBOL},
			 {0x31ef, 0x31ef, NEW_SYMBOL},    {0xa7cb, 0xa7cc, NEW_UPPER},
			 {0xa7cd, 0xa7cd, NEW_LOWER},     {0xa7da, 0xa7da, NEW_UPPER},
			 {0xa7db, 0xa7db, NEW_LOWER},     {0xa7dc, 0xa7dc, NEW_UPPER},
			 {0x105c0, 0x105f3, NEW_NEITHER}, {0x10d40, 0x10d49, NEW_NUMBER},
			 {0x10d4a, 0x10d4f, NEW_NEITHER}, {0x10d50, 0x10d65, NEW_UPPER},
			 {0x10d69, 0x10d6d, NEW_MARK},    {0x10d6e, 0x10d6e, NEW_PUNCT},
			 {0x10d6f, 0x10d6f, NEW_NEITHER}, {0x10d70, 0x10d85, NEW_LOWER},
			 {0x10d8e, 0x10d8f, NEW_SYMBOL},  {0x10ec2, 0x10ec4, NEW_NEITHER},
			 {0x10efc, 0x10efc, NEW_MARK},    {0x11380, 0x11389, NEW_NEITHER},
			 {0x1138b, 0x1138b, NEW_NEITHER}, {0x1138e, 0x1138e, NEW_NEITHER},
			 {0x11390, 0x113b5, NEW_NEITHER}, {0x113b7, 0x113b7, NEW_NEITHER},
			 {0x113b8, 0x113c0, NEW_MARK},    {0x113c2, 0x113c2, NEW_MARK},
			 {0x113c5, 0x113c5, NEW_MARK},    {0x113c7, 0x113ca, NEW_MARK},
			 {0x113cc, 0x113d0, NEW_MARK},    {0x113d1, 0x113d1, NEW_NEITHER},
			 {0x113d2, 0x113d2, NEW_MARK},    {0x113d3, 0x113d3, NEW_NEITHER},
			 {0x113d4, 0x113d5, NEW_PUNCT},   {0x113d7, 0x113d8, NEW_PUNCT},
			 {0x113e1, 0x113e2, NEW_MARK},    {0x116d0, 0x116e3, NEW_NUMBER},
			 {0x11bc0, 0x11be0, NEW_NEITHER}, {0x11be1, 0x11be1, NEW_PUNCT},
			 {0x11bf0, 0x11bf9, NEW_NUMBER},  {0x11f5a, 0x11f5a, NEW_MARK},
			 {0x13460, 0x143fa, NEW_NEITHER}, {0x16100, 0x1611d, NEW_NEITHER},
			 {0x1611e, 0x1612f, NEW_MARK},    {0x16130, 0x16139, NEW_NUMBER},
			 {0x16d40, 0x16d6c, NEW_NEITHER}, {0x16d6d, 0x16d6f, NEW_PUNCT},
			 {0x16d70, 0x16d79, NEW_NUMBER},  {0x18cff, 0x18cff, NEW_NEITHER},
			 {0x1cc00, 0x1ccef, NEW_SYMBOL},  {0x1ccf0, 0x1ccf9, NEW_NUMBER},
			 {0x1cd00, 0x1ceb3, NEW_SYMBOL},  {0x1e5d0, 0x1e5ed, NEW_NEITHER},
			 {0x1e5ee, 0x1e5ef, NEW_MARK},    {0x1e5f0, 0x1e5f0, NEW_NEITHER},
			 {0x1e5f1, 0x1e5fa, NEW_NUMBER},  {0x1e5ff, 0x1e5ff, NEW_PUNCT},
			 {0x1f8b2, 0x1f8bb, NEW_SYMBOL},  {0x1f8c0, 0x1f8c1, NEW_SYMBOL},
			 {0x1fa89, 0x1fa89, NEW_SYMBOL},  {0x1fa8f, 0x1fa8f, NEW_SYMBOL},
			 {0x1fabe, 0x1fabe, NEW_SYMBOL},  {0x1fac6, 0x1fac6, NEW_SYMBOL},
			 {0x1fadc, 0x1fadc, NEW_SYMBOL},  {0x1fadf, 0x1fadf, NEW_SYMBOL},
			 {0x1fae9, 0x1fae9, NEW_SYMBOL},  {0x1fbcb, 0x1fbef, NEW_SYMBOL},
			 {0x2ebf0, 0x2ee5d, NEW_NEITHER}};

#define N_NEWER (sizeof newer / sizeof newer[0])

/* The kind of a character that ICU does not know, or 0. */
static unsigned
newer_kind(uint32_t code)
{
	size_t low = 0, high = N_NEWER;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (code > newer[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < N_NEWER && code >= newer[low].first ? newer[low].kind : 0;
}

rstar_char_class
rstar_char_classify(uint32_t code)
{
	uint32_t category;
	unsigned kind;

	if (code < 128)
		return (rstar_char_class) ascii_class[code];
	if (u_isUWhiteSpace((UChar32) code))
		return RSTAR_CHAR_SPACE;
	category = U_MASK(u_charType((UChar32) code));
	if (category & U_GC_L_MASK)
		return RSTAR_CHAR_LETTER;
	if (category & U_GC_N_MASK)
		return RSTAR_CHAR_NUMBER;
	kind = category & U_GC_CN_MASK ? newer_kind(code) : 0;
	if (kind & LETTERS)
		return RSTAR_CHAR_LETTER;
	return kind == NEW_NUMBER ? RSTAR_CHAR_NUMBER : RSTAR_CHAR_OTHER;
}

unsigned
rstar_char_kind(uint32_t code)
{
	static const struct
	{
		uint32_t categories;
		unsigned kind;
	} kinds[] = {
		{U_GC_LU_MASK | U_GC_LT_MASK, RSTAR_KIND_UPPER},
		{U_GC_LL_MASK, RSTAR_KIND_LOWER},
		{U_GC_LM_MASK | U_GC_LO_MASK, RSTAR_KIND_NEITHER},
		{U_GC_M_MASK, RSTAR_KIND_MARK},
		{U_GC_P_MASK, RSTAR_KIND_PUNCT},
		{U_GC_S_MASK, RSTAR_KIND_SYMBOL},
	};
	uint32_t category = U_MASK(u_charType((UChar32) code));

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (category & kinds[i].categories)
			return kinds[i].kind;
	return category & U_GC_CN_MASK ? newer_kind(code) & ~NEW_NUMBER : 0;
}

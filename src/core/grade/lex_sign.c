/*
 * lex_sign.c
 *	  Signs of more than one byte: ASCII digraphs, and currencies.
 */
#include "core/grade/lex_internal.h"

typedef struct sign
{
	const char *bytes;
	uint16_t id;
	const char *text;
} sign;

static const sign signs[] = {
	{"<=", RSTAR_MARK_LE, ""},
	{">=", RSTAR_MARK_GE, ""},
	{"!=", RSTAR_MARK_NE, ""},
	{"==", '=', ""},
	{"=>", RSTAR_MARK_ARROW, ""},
	{"->", RSTAR_MARK_ARROW, ""},
	{"**", RSTAR_MARK_POWER, ""},
	{"...", RSTAR_MARK_DOTS, ""},
	{"\u20ac", RSTAR_MARK_CURRENCY, "euro"},
	{"\u00a3", RSTAR_MARK_CURRENCY, "pound"},
	{"\u00a5", RSTAR_MARK_CURRENCY, "yen"},
	{"\u20b9", RSTAR_MARK_CURRENCY, "rupee"},
};

bool
rstar_lex_sign(rstar_lexer *lex)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
	{
		size_t length = strlen(signs[i].bytes);

		if (signs[i].bytes[0] != *lex->at || (size_t) (lex->end - lex->at) < length ||
			memcmp(lex->at, signs[i].bytes, length) != 0)
			continue;
		lex->at += length;
		rstar_lex_emit(lex, RSTAR_TOKEN_MARK, signs[i].id, signs[i].text, strlen(signs[i].text));
		return true;
	}
	return false;
}

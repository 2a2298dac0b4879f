/*
 * lex_sign.c
 *	  Signs of more than one byte: ASCII digraphs and Unicode.
 */
#include "core/grade/lex_internal.h"

typedef struct sign
{
	const char *bytes;
	uint8_t kind;
	uint16_t id;
	const char *text;
} sign;

static const sign signs[] = {
	{"<=", RSTAR_TOKEN_MARK, RSTAR_MARK_LE, ""},
	{">=", RSTAR_TOKEN_MARK, RSTAR_MARK_GE, ""},
	{"!=", RSTAR_TOKEN_MARK, RSTAR_MARK_NE, ""},
	{"==", RSTAR_TOKEN_MARK, '=', ""},
	{"=>", RSTAR_TOKEN_MARK, RSTAR_MARK_ARROW, ""},
	{"->", RSTAR_TOKEN_MARK, RSTAR_MARK_ARROW, ""},
	{"**", RSTAR_TOKEN_MARK, RSTAR_MARK_POWER, ""},
	{"...", RSTAR_TOKEN_MARK, RSTAR_MARK_DOTS, ""},
	{"\u2026", RSTAR_TOKEN_MARK, RSTAR_MARK_DOTS, ""},
	{"\u2264", RSTAR_TOKEN_MARK, RSTAR_MARK_LE, ""},
	{"\u2265", RSTAR_TOKEN_MARK, RSTAR_MARK_GE, ""},
	{"\u2260", RSTAR_TOKEN_MARK, RSTAR_MARK_NE, ""},
	{"\u2248", RSTAR_TOKEN_MARK, RSTAR_MARK_APPROX, ""},
	{"\u2261", RSTAR_TOKEN_MARK, RSTAR_MARK_EQUIV, ""},
	{"\u2208", RSTAR_TOKEN_MARK, RSTAR_MARK_IN, ""},
	{"\u00b1", RSTAR_TOKEN_MARK, RSTAR_MARK_PM, ""},
	{"\u2213", RSTAR_TOKEN_MARK, RSTAR_MARK_MP, ""},
	{"\u222a", RSTAR_TOKEN_MARK, RSTAR_MARK_CUP, ""},
	{"\u2229", RSTAR_TOKEN_MARK, RSTAR_MARK_CAP, ""},
	{"\u2216", RSTAR_TOKEN_MARK, RSTAR_MARK_SETMINUS, ""},
	{"\u2205", RSTAR_TOKEN_MARK, RSTAR_MARK_EMPTYSET, ""},
	{"\u221a", RSTAR_TOKEN_MARK, RSTAR_MARK_SQRT, ""},
	{"\u221e", RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_INFINITY, ""},
	{"\u03c0", RSTAR_TOKEN_CONSTANT, RSTAR_CONSTANT_PI, ""},
	{"\u211d", RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, "R"},
	{"\u2124", RSTAR_TOKEN_MARK, RSTAR_MARK_NUMBERS, "Z"},
	{"\u2212", RSTAR_TOKEN_MARK, '-', ""},
	{"\u2013", RSTAR_TOKEN_MARK, '-', ""},
	{"\u00d7", RSTAR_TOKEN_MARK, '*', ""},
	{"\u00b7", RSTAR_TOKEN_MARK, '*', ""},
	{"\u22c5", RSTAR_TOKEN_MARK, '*', ""},
	{"\u00f7", RSTAR_TOKEN_MARK, '/', ""},
	{"\u2044", RSTAR_TOKEN_MARK, '/', ""},
	{"\u00b0", RSTAR_TOKEN_MARK, RSTAR_MARK_DEGREE, ""},
	{"\u00b2", RSTAR_TOKEN_MARK, RSTAR_MARK_SUPERSCRIPT, "2"},
	{"\u00b3", RSTAR_TOKEN_MARK, RSTAR_MARK_SUPERSCRIPT, "3"},
	{"\u2074", RSTAR_TOKEN_MARK, RSTAR_MARK_SUPERSCRIPT, "4"},
	{"\u20ac", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "euro"},
	{"\u00a3", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "pound"},
	{"\u00a5", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "yen"},
	{"\u20b9", RSTAR_TOKEN_MARK, RSTAR_MARK_CURRENCY, "rupee"},
	{"\u03b1", RSTAR_TOKEN_LETTER, 0, "alpha"},
	{"\u03b2", RSTAR_TOKEN_LETTER, 0, "beta"},
	{"\u03b3", RSTAR_TOKEN_LETTER, 0, "gamma"},
	{"\u03b8", RSTAR_TOKEN_LETTER, 0, "theta"},
	{"\u03bb", RSTAR_TOKEN_LETTER, 0, "lambda"},
	{"\u03c6", RSTAR_TOKEN_LETTER, 0, "phi"},
	{"\u00a0", RSTAR_TOKEN_END, 0, ""}, /* white space */
	{"\u2009", RSTAR_TOKEN_END, 0, ""},
	{"\u202f", RSTAR_TOKEN_END, 0, ""},
	{"\u200b", RSTAR_TOKEN_END, 0, ""},
};

/* Vulgar fractions: numerator and denominator. */
static const sign vulgar[] = {
	{"\u00bd", 0, 0, "12"}, {"\u00bc", 0, 0, "14"}, {"\u00be", 0, 0, "34"},
	{"\u2153", 0, 0, "13"}, {"\u2154", 0, 0, "23"},
};

static bool
starts(const rstar_lexer *lex, const char *bytes)
{
	size_t length = strlen(bytes);

	return (size_t) (lex->end - lex->at) >= length && memcmp(lex->at, bytes, length) == 0;
}

bool
rstar_lex_sign(rstar_lexer *lex)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
	{
		const sign *s = &signs[i];

		if (s->bytes[0] != *lex->at || !starts(lex, s->bytes))
			continue;
		lex->at += strlen(s->bytes);
		if (s->kind == RSTAR_TOKEN_END)
			lex->spaced = true;
		else
			rstar_lex_emit(lex, (rstar_token_kind) s->kind, s->id, s->text, strlen(s->text));
		return true;
	}
	for (size_t i = 0; i < sizeof(vulgar) / sizeof(vulgar[0]); i++)
	{
		if (!starts(lex, vulgar[i].bytes))
			continue;
		lex->at += strlen(vulgar[i].bytes);
		rstar_lex_emit_mark(lex, RSTAR_MARK_FRAC);
		rstar_lex_emit(lex, RSTAR_TOKEN_NUMBER, 0, vulgar[i].text, 1);
		rstar_lex_emit(lex, RSTAR_TOKEN_NUMBER, 0, vulgar[i].text + 1, 1);
		return true;
	}
	return false;
}

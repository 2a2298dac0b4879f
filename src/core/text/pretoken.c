/*
 * pretoken.c
 *	  Cutting text into pre-tokens, the pieces that merges never cross.
 *
 * One function per alternative of the expression in the header, each given the
 * text and a position and answering where its match ends (0: no match; an end
 * is never 0, since matches are not empty).
 */
#include "core/text/pretoken.h"

#include <unicode/uchar.h>

#include "core/text/utf8.h"

typedef struct cursor
{
	const char *text;
	size_t length;
} cursor;

typedef struct character
{
	uint32_t code;
	size_t end; /* position behind it */
	rstar_char_class class;
} character;

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

rstar_char_class
rstar_char_classify(uint32_t code)
{
	uint32_t category;

	if (code < 128)
		return (rstar_char_class) ascii_class[code];
	if (u_isUWhiteSpace((UChar32) code))
		return RSTAR_CHAR_SPACE;
	category = U_MASK(u_charType((UChar32) code));
	if (category & U_GC_L_MASK)
		return RSTAR_CHAR_LETTER;
	if (category & U_GC_N_MASK)
		return RSTAR_CHAR_NUMBER;
	/* CJK extension I is newer (Unicode 15.1) than the ICU of Debian 12. */
	if (code >= 0x2EBF0 && code <= 0x2EE5D)
		return RSTAR_CHAR_LETTER;
	return RSTAR_CHAR_OTHER;
}

/* The character at `at`; false at the end of the text. */
static bool
read_character(const cursor *in, size_t at, character *out)
{
	unsigned char byte;
	size_t bytes;

	if (at >= in->length)
		return false;
	byte = (unsigned char) in->text[at];
	if (byte < 128)
	{
		out->code = byte;
		out->end = at + 1;
		out->class = (rstar_char_class) ascii_class[byte];
		return true;
	}
	bytes = rstar_utf8_decode(in->text + at, in->length - at, &out->code);
	if (bytes == 0)
	{
		out->code = RSTAR_UTF8_REPLACEMENT;
		out->end = at + 1;
		out->class = RSTAR_CHAR_OTHER;
		return true;
	}
	out->end = at + bytes;
	out->class = rstar_char_classify(out->code);
	return true;
}

/* End of the longest run of characters of one class from `at` on. */
static size_t
run_end(const cursor *in, size_t at, rstar_char_class class)
{
	character next;

	while (read_character(in, at, &next) && next.class == class)
		at = next.end;
	return at;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d); only ASCII letters count as these. */
static size_t
match_contraction(const cursor *in, size_t at)
{
	size_t left = in->length - at;
	char first, second;

	if (in->text[at] != '\'' || left < 2)
		return 0;
	first = in->text[at + 1] | 0x20;
	if (first == 's' || first == 't' || first == 'm' || first == 'd')
		return at + 2;
	if (left < 3)
		return 0;
	second = in->text[at + 2] | 0x20;
	if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
		(first == 'l' && second == 'l'))
		return at + 3;
	return 0;
}

static bool
is_line_end(uint32_t code)
{
	return code == '\r' || code == '\n';
}

/* [^\r\n\p{L}\p{N}]?\p{L}+ */
static size_t
match_letters(const cursor *in, const character *first)
{
	character second;

	if (first->class == RSTAR_CHAR_LETTER)
		return run_end(in, first->end, RSTAR_CHAR_LETTER);
	if (first->class == RSTAR_CHAR_NUMBER || is_line_end(first->code))
		return 0;
	if (!read_character(in, first->end, &second) || second.class != RSTAR_CHAR_LETTER)
		return 0;
	return run_end(in, second.end, RSTAR_CHAR_LETTER);
}

/* \p{N}{1,max_digits} */
static size_t
match_digits(const cursor *in, const character *first, int max_digits)
{
	size_t end = first->end;
	character next;

	if (first->class != RSTAR_CHAR_NUMBER)
		return 0;
	for (int digits = 1; digits < max_digits; digits++)
	{
		if (!read_character(in, end, &next) || next.class != RSTAR_CHAR_NUMBER)
			break;
		end = next.end;
	}
	return end;
}

/*  ?[^\s\p{L}\p{N}]+[\r\n]* */
static size_t
match_signs(const cursor *in, const character *first)
{
	character sign = *first;
	size_t end;

	if (first->code == ' ' && !read_character(in, first->end, &sign))
		return 0;
	if (sign.class != RSTAR_CHAR_OTHER)
		return 0;
	end = run_end(in, sign.end, RSTAR_CHAR_OTHER);
	while (end < in->length && is_line_end((unsigned char) in->text[end]))
		end++;
	return end;
}

/* \s*[\r\n]+ | \s+(?!\S) | \s+ */
static size_t
match_space(const cursor *in, size_t at)
{
	size_t end = at;
	size_t last_start = at; /* where the run's last character begins */
	size_t line_end = 0;    /* behind the run's last line end */
	character next;

	while (read_character(in, end, &next) && next.class == RSTAR_CHAR_SPACE)
	{
		last_start = end;
		end = next.end;
		if (is_line_end(next.code))
			line_end = end;
	}
	if (line_end > 0)
		return line_end;
	if (end < in->length && last_start > at)
		return last_start;
	return end;
}

size_t
rstar_pretoken_end(const char *text, size_t length, size_t start, int max_digits)
{
	cursor in = {text, length};
	character first;
	size_t end;

	if (!read_character(&in, start, &first))
		return length;
	end = match_contraction(&in, start);
	if (end == 0)
		end = match_letters(&in, &first);
	if (end == 0)
		end = match_digits(&in, &first, max_digits);
	if (end == 0)
		end = match_signs(&in, &first);
	if (end == 0)
		end = match_space(&in, start);
	return end;
}

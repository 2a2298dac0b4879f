/*
 * pretoken.c
 *	  The expressions that match everywhere: qwen2 and its family, gpt-2.
 *
 * One function per alternative of the expressions in the header, each given the
 * text and a position and answering where its match ends (0: no match; an end
 * is never 0, since matches are not empty).
 */
#include "core/text/pretoken_internal.h"

#include <string.h>

#include "core/text/utf8.h"

/* What distinguishes the members of the family. */
typedef struct dialect
{
	int max_digits;
	bool contractions; /* an alternative of their own */
	bool marks;        /* marks are parts of words, and no signs */
	bool cased;        /* a word changes at a capital letter */
	bool tails;        /* a contraction belongs to the word before it */
	bool slashes;      /* "/" may stand among the line ends behind signs */
} dialect;

bool
rstar_piece_read(const rstar_piece *in, size_t at, rstar_character *out)
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
		out->class = rstar_char_classify(byte);
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
run_end(const rstar_piece *in, size_t at, rstar_char_class class)
{
	rstar_character next;

	while (rstar_piece_read(in, at, &next) && next.class == class)
		at = next.end;
	return at;
}

/*
 * (?i:'s|'t|'re|'ve|'m|'ll|'d), or without (?i: lower case alone. Beyond ASCII
 * only U+017F, the long s, equals one of these letters in another case.
 */
static size_t
match_contraction(const rstar_piece *in, size_t at, bool any_case)
{
	size_t left = in->length - at;
	char bit = any_case ? 0x20 : 0;
	char first, second;

	if (in->text[at] != '\'' || left < 2)
		return 0;
	first = in->text[at + 1] | bit;
	if (first == 's' || first == 't' || first == 'm' || first == 'd')
		return at + 2;
	if (left < 3)
		return 0;
	if (any_case && memcmp(in->text + at + 1, "\xC5\xBF", 2) == 0)
		return at + 3;
	second = in->text[at + 2] | bit;
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

/* --- words -------------------------------------------------------------------- */

static bool
is_mark(const rstar_character *c)
{
	return c->code >= 128 && c->class == RSTAR_CHAR_OTHER &&
		   rstar_char_kind(c->code) == RSTAR_KIND_MARK;
}

static bool
in_word(const dialect *d, const rstar_character *c)
{
	return c->class == RSTAR_CHAR_LETTER || (d->marks && is_mark(c));
}

static size_t
word_end(const rstar_piece *in, const dialect *d, size_t at)
{
	rstar_character next;

	while (rstar_piece_read(in, at, &next) && in_word(d, &next))
		at = next.end;
	return at;
}

/* Kinds of characters of a word that may stand in its first and in its second part. */
#define FIRST_PART  (RSTAR_KIND_UPPER | RSTAR_KIND_NEITHER | RSTAR_KIND_MARK)
#define SECOND_PART (RSTAR_KIND_LOWER | RSTAR_KIND_NEITHER | RSTAR_KIND_MARK)

/*
 * With U for [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and W for [\p{Ll}\p{Lm}\p{Lo}\p{M}]: U*W+
 * if it matches. U* takes all it can; where no W follows, the last W among them
 * is given to W+.
 */
static size_t
match_lower_word(const rstar_piece *in, size_t at)
{
	rstar_character next;
	size_t last = 0; /* behind the last W among the U */
	size_t end = at;
	size_t first_end;

	while (rstar_piece_read(in, end, &next))
	{
		unsigned kind = rstar_char_kind(next.code);

		if (!(kind & FIRST_PART))
			break;
		end = next.end;
		if (kind & SECOND_PART)
			last = end;
	}
	first_end = end;
	while (rstar_piece_read(in, end, &next) && (rstar_char_kind(next.code) & SECOND_PART))
		end = next.end;
	return end > first_end ? end : last;
}

/* U+W* */
static size_t
match_upper_word(const rstar_piece *in, size_t at)
{
	rstar_character next;
	size_t end = at;
	size_t first_end;

	while (rstar_piece_read(in, end, &next) && (rstar_char_kind(next.code) & FIRST_PART))
		end = next.end;
	first_end = end;
	if (first_end == at)
		return 0;
	while (rstar_piece_read(in, end, &next) && (rstar_char_kind(next.code) & SECOND_PART))
		end = next.end;
	return end;
}

/* [^\r\n\p{L}\p{N}]? before a word that changes at a capital letter. */
static size_t
match_cased(const rstar_piece *in, const dialect *d, size_t at, const rstar_character *first)
{
	bool prefix = first->class != RSTAR_CHAR_LETTER && first->class != RSTAR_CHAR_NUMBER &&
				  !is_line_end(first->code);
	size_t end = prefix ? match_lower_word(in, first->end) : 0;
	size_t tail;

	if (end == 0)
		end = match_lower_word(in, at);
	if (end == 0 && prefix)
		end = match_upper_word(in, first->end);
	if (end == 0)
		end = match_upper_word(in, at);
	if (end == 0 || !d->tails || end >= in->length)
		return end;
	tail = match_contraction(in, end, true);
	return tail > 0 ? tail : end;
}

/* [^\r\n\p{L}\p{N}]?\p{L}+ */
static size_t
match_letters(const rstar_piece *in, const dialect *d, const rstar_character *first)
{
	rstar_character second;

	if (in_word(d, first))
		return word_end(in, d, first->end);
	if (first->class == RSTAR_CHAR_NUMBER || is_line_end(first->code))
		return 0;
	if (!rstar_piece_read(in, first->end, &second) || !in_word(d, &second))
		return 0;
	return word_end(in, d, second.end);
}

/* --- the other alternatives --------------------------------------------------- */

/* \p{N}{1,max_digits} */
static size_t
match_digits(const rstar_piece *in, const rstar_character *first, int max_digits)
{
	size_t end = first->end;
	rstar_character next;

	if (first->class != RSTAR_CHAR_NUMBER)
		return 0;
	for (int digits = 1; digits < max_digits; digits++)
	{
		if (!rstar_piece_read(in, end, &next) || next.class != RSTAR_CHAR_NUMBER)
			break;
		end = next.end;
	}
	return end;
}

static bool
is_sign(const dialect *d, const rstar_character *c)
{
	return c->class == RSTAR_CHAR_OTHER && !(d->marks && is_mark(c));
}

/*  ?[^\s\p{L}\p{N}]+[\r\n]* */
static size_t
match_signs(const rstar_piece *in, const dialect *d, const rstar_character *first)
{
	rstar_character sign = *first;
	size_t end;

	if (first->code == ' ' && !rstar_piece_read(in, first->end, &sign))
		return 0;
	if (!is_sign(d, &sign))
		return 0;
	do
		end = sign.end;
	while (rstar_piece_read(in, end, &sign) && is_sign(d, &sign));
	while (end < in->length &&
		   (is_line_end((unsigned char) in->text[end]) || (d->slashes && in->text[end] == '/')))
		end++;
	return end;
}

size_t
rstar_match_space(const rstar_piece *in, size_t at, bool line_ends)
{
	size_t end = at;
	size_t last_start = at; /* where the run's last character begins */
	size_t line_end = 0;    /* behind the run's last line end */
	rstar_character next;

	while (rstar_piece_read(in, end, &next) && next.class == RSTAR_CHAR_SPACE)
	{
		last_start = end;
		end = next.end;
		if (is_line_end(next.code))
			line_end = end;
	}
	if (line_ends && line_end > 0)
		return line_end;
	if (end < in->length && last_start > at)
		return last_start;
	return end == at ? 0 : end;
}

/* --- the expressions ---------------------------------------------------------- */

static size_t
match_dialect(const rstar_piece *in, size_t at, const dialect *d)
{
	rstar_character first;
	size_t end;

	if (!rstar_piece_read(in, at, &first))
		return 0;
	end = d->contractions ? match_contraction(in, at, true) : 0;
	if (end == 0)
		end = d->cased ? match_cased(in, d, at, &first) : match_letters(in, d, &first);
	if (end == 0)
		end = match_digits(in, &first, d->max_digits);
	if (end == 0)
		end = match_signs(in, d, &first);
	if (end == 0)
		end = rstar_match_space(in, at, true);
	return end;
}

static const dialect qwen2 = {.max_digits = 1, .contractions = true};
static const dialect llama3 = {.max_digits = 3, .contractions = true};
static const dialect qwen35 = {.max_digits = 1, .contractions = true, .marks = true};
static const dialect tekken = {.max_digits = 1, .cased = true, .slashes = true};
static const dialect gpt4o = {.max_digits = 3, .cased = true, .tails = true, .slashes = true};

size_t
rstar_match_qwen2(const rstar_piece *in, size_t at)
{
	return match_dialect(in, at, &qwen2);
}

size_t
rstar_match_llama3(const rstar_piece *in, size_t at)
{
	return match_dialect(in, at, &llama3);
}

size_t
rstar_match_qwen35(const rstar_piece *in, size_t at)
{
	return match_dialect(in, at, &qwen35);
}

size_t
rstar_match_tekken(const rstar_piece *in, size_t at)
{
	return match_dialect(in, at, &tekken);
}

size_t
rstar_match_gpt4o(const rstar_piece *in, size_t at)
{
	return match_dialect(in, at, &gpt4o);
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
size_t
rstar_match_gpt2(const rstar_piece *in, size_t at)
{
	rstar_character first;
	size_t end = match_contraction(in, at, false);

	if (end > 0)
		return end;
	if (!rstar_piece_read(in, at, &first))
		return 0;
	if (first.code == ' ' && rstar_piece_read(in, first.end, &first) == false)
		return first.end;
	if (first.class != RSTAR_CHAR_SPACE)
		return run_end(in, first.end, first.class);
	return rstar_match_space(in, at, false);
}

size_t
rstar_pretoken_end(const char *text, size_t length, size_t start, int max_digits)
{
	rstar_piece in = {text, length};
	size_t end = match_dialect(&in, start, max_digits == 1 ? &qwen2 : &llama3);

	return end > 0 ? end : length;
}

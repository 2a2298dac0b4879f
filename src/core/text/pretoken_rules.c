/*
 * pretoken_rules.c
 *	  The cuts that rules consist of, the table of rules, and the walk through them.
 */
#include <string.h>

#include "core/text/pretoken_internal.h"
#include "core/text/utf8.h"

/*
 * A cut finds the first match at or behind `at` in a piece: [*from, *to). False:
 * there is none.
 */
typedef bool (*cut_function)(const rstar_piece *in, size_t at, size_t *from, size_t *to);

struct rstar_pretoken_rule
{
	cut_function cuts[RSTAR_PRETOKEN_CUTS];
	bool ignore_merges;
	bool add_bos;
};

/* The search for a match, for an expression that looks at one or two characters to begin. */
static bool
search(const rstar_piece *in, size_t at, rstar_pretoken_match match, size_t *from, size_t *to)
{
	rstar_character c;

	for (; rstar_piece_read(in, at, &c); at = c.end)
	{
		*to = match(in, at);
		if (*to > 0)
		{
			*from = at;
			return true;
		}
	}
	return false;
}

/* Characters of a set from `at` on: the end of the run, or 0 if there is none. */
typedef bool (*character_set)(const rstar_character *c);

static size_t
match_run(const rstar_piece *in, size_t at, character_set set)
{
	rstar_character c;
	size_t start = at;

	while (rstar_piece_read(in, at, &c) && set(&c))
		at = c.end;
	return at > start ? at : 0;
}

/* \s?[set]+ */
static size_t
match_spaced_run(const rstar_piece *in, size_t at, character_set set)
{
	rstar_character c;
	size_t end = 0;

	if (rstar_piece_read(in, at, &c) && c.class == RSTAR_CHAR_SPACE)
		end = match_run(in, c.end, set);
	return end > 0 ? end : match_run(in, at, set);
}

/* --- sets of characters ----------------------------------------------------------- */

typedef struct range
{
	uint32_t first;
	uint32_t last;
} range;

static bool
in_ranges(uint32_t code, const range *ranges, size_t n)
{
	size_t low = 0, high = n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && code >= ranges[low].first;
}

#define IN_RANGES(code, ranges) in_ranges(code, ranges, sizeof(ranges) / sizeof(ranges)[0])

/* The letters that deepseek-llm lists: those with case, as of an older Unicode. */
static bool
is_listed_letter(const rstar_character *c)
{
	static const range letters[] = {
		{0x41, 0x5a},       {0x61, 0x7a},       {0xb5, 0xb5},       {0xc0, 0xd6},
		{0xd8, 0xf6},       {0xf8, 0x1ba},      {0x1bc, 0x1bf},     {0x1c4, 0x293},
		{0x295, 0x2af},     {0x370, 0x373},     {0x376, 0x377},     {0x37b, 0x37d},
		{0x37f, 0x37f},     {0x386, 0x386},     {0x388, 0x38a},     {0x38c, 0x38c},
		{0x38e, 0x3a1},     {0x3a3, 0x3f5},     {0x3f7, 0x481},     {0x48a, 0x52f},
		{0x531, 0x556},     {0x10a0, 0x10c5},   {0x13a0, 0x13f5},   {0x13f8, 0x13fd},
		{0x1c90, 0x1cba},   {0x1cbd, 0x1cbf},   {0x1d00, 0x1d2b},   {0x1d6b, 0x1d77},
		{0x1d79, 0x1d9a},   {0x1e00, 0x1f15},   {0x1f18, 0x1f1d},   {0x1f20, 0x1f45},
		{0x1f48, 0x1f4d},   {0x1f50, 0x1f57},   {0x1f59, 0x1f59},   {0x1f5b, 0x1f5b},
		{0x1f5d, 0x1f5d},   {0x1f5f, 0x1f7d},   {0x1f80, 0x1fb4},   {0x1fb6, 0x1fbc},
		{0x1fbe, 0x1fbe},   {0x1fc2, 0x1fc4},   {0x1fc6, 0x1fcc},   {0x1fd0, 0x1fd3},
		{0x1fd6, 0x1fdb},   {0x1fe0, 0x1fec},   {0x1ff2, 0x1ff4},   {0x1ff6, 0x1ffc},
		{0x2102, 0x2102},   {0x2107, 0x2107},   {0x210a, 0x2113},   {0x2115, 0x2115},
		{0x2119, 0x211d},   {0x2124, 0x2124},   {0x2126, 0x2126},   {0x2128, 0x2128},
		{0x212a, 0x212d},   {0x212f, 0x2134},   {0x2139, 0x2139},   {0x213c, 0x213f},
		{0x2145, 0x2149},   {0x214e, 0x214e},   {0x2183, 0x2184},   {0x2c00, 0x2c7b},
		{0x2c7e, 0x2ce4},   {0x2ceb, 0x2cee},   {0x2cf2, 0x2cf3},   {0xa640, 0xa66d},
		{0xa680, 0xa69b},   {0xa722, 0xa76f},   {0xa771, 0xa787},   {0xa78b, 0xa78e},
		{0xab70, 0xabbf},   {0xfb00, 0xfb06},   {0xfb13, 0xfb17},   {0xff21, 0xff3a},
		{0xff41, 0xff5a},   {0x10400, 0x1044f}, {0x104b0, 0x104d3}, {0x104d8, 0x104fb},
		{0x10c80, 0x10cb2}, {0x10cc0, 0x10cf2}, {0x118a0, 0x118df}, {0x1e900, 0x1e943}};

	return IN_RANGES(c->code, letters);
}

/* [!-/:-~！-／：-～‘-‟　-。], as deepseek-llm lists them. */
static bool
is_listed_sign(const rstar_character *c)
{
	static const range signs[] = {{'!', '/'},       {':', '~'},       {0x2018, 0x201f},
								  {0x3000, 0x3002}, {0xff01, 0xff0f}, {0xff1a, 0xff5e}};

	return IN_RANGES(c->code, signs);
}

/* [一-龥ࠀ-一가-퟿]: what the DeepSeek rules take for East Asian. */
static bool
is_wide(const rstar_character *c)
{
	static const range wide[] = {{0x800, 0x9fa5}, {0xac00, 0xd7ff}};

	return IN_RANGES(c->code, wide);
}

/* [一-龥぀-ゟ゠-ヿ] */
static bool
is_han_or_kana(const rstar_character *c)
{
	static const range wide[] = {{0x3040, 0x30ff}, {0x4e00, 0x9fa5}};

	return IN_RANGES(c->code, wide);
}

static bool
is_letter(const rstar_character *c)
{
	return c->class == RSTAR_CHAR_LETTER;
}

static bool
is_number(const rstar_character *c)
{
	return c->class == RSTAR_CHAR_NUMBER;
}

static bool
is_punctuation(const rstar_character *c)
{
	return rstar_char_kind(c->code) == RSTAR_KIND_PUNCT;
}

static bool
is_default_sign(const rstar_character *c)
{
	return is_punctuation(c) || (c->code > 0 && c->code < 128 && strchr("$+<=>^~|", (int) c->code));
}

static bool
is_falcon_sign(const rstar_character *c)
{
	return is_default_sign(c) || c->code == '`';
}

static bool
is_punctuation_or_symbol(const rstar_character *c)
{
	return (rstar_char_kind(c->code) & (RSTAR_KIND_PUNCT | RSTAR_KIND_SYMBOL)) != 0;
}

static bool
is_letter_or_mark(const rstar_character *c)
{
	return is_letter(c) || rstar_char_kind(c->code) == RSTAR_KIND_MARK;
}

/* --- expressions ------------------------------------------------------------------ */

#define EXPRESSION(name, body)                                                                     \
	static size_t match_##name(const rstar_piece *in, size_t at)                                   \
	{                                                                                              \
		return body;                                                                               \
	}                                                                                              \
	static bool cut_##name(const rstar_piece *in, size_t at, size_t *from, size_t *to)             \
	{                                                                                              \
		return search(in, at, match_##name, from, to);                                             \
	}

/* One character of a set. */
static size_t
match_one(const rstar_piece *in, size_t at, character_set set)
{
	rstar_character c;

	return rstar_piece_read(in, at, &c) && set(&c) ? c.end : 0;
}

/* \p{N}{1,3}, or with `ascii` [0-9][0-9][0-9] */
static size_t
match_three(const rstar_piece *in, size_t at, bool ascii)
{
	rstar_character c;
	int n = 0;

	while (n < 3 && rstar_piece_read(in, at, &c) && is_number(&c) && (!ascii || c.code < 128))
	{
		at = c.end;
		n++;
	}
	return n == 0 || (ascii && n < 3) ? 0 : at;
}

static bool
is_line_end(const rstar_character *c)
{
	return c->code == '\r' || c->code == '\n';
}

/* Digits as the stage "Digits" has them: two scripts more than \p{N}, from Unicode 17. */
static bool
is_numeric(const rstar_character *c)
{
	return is_number(c) || (c->code >= 0x11de0 && c->code <= 0x11de9) ||
		   (c->code >= 0x16ff4 && c->code <= 0x16ff6);
}

/*
 * The last cut of deepseek-v3:
 *
 *		[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+
 *		[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+
 *		 ?[\p{P}\p{S}]+[\r\n]*
 *		\s*[\r\n]+ | \s+(?!\S) | \s+
 */
static size_t
match_last_deepseek(const rstar_piece *in, size_t at)
{
	rstar_character first, second;
	bool ascii_sign;
	size_t end;

	if (!rstar_piece_read(in, at, &first))
		return 0;
	ascii_sign = first.code > 32 && first.code < 127 && first.class == RSTAR_CHAR_OTHER;
	if (ascii_sign && rstar_piece_read(in, first.end, &second) && second.code < 128 &&
		second.class == RSTAR_CHAR_LETTER)
	{
		for (end = second.end; rstar_piece_read(in, end, &second) && second.code < 128 &&
							   second.class == RSTAR_CHAR_LETTER;)
			end = second.end;
		return end;
	}
	end = 0;
	if (!is_line_end(&first) && !is_letter(&first) && !is_punctuation_or_symbol(&first))
		end = match_run(in, first.end, is_letter_or_mark);
	if (end == 0)
		end = match_run(in, at, is_letter_or_mark);
	if (end > 0)
		return end;
	if (first.code == ' ')
		end = match_run(in, first.end, is_punctuation_or_symbol);
	if (end == 0)
		end = match_run(in, at, is_punctuation_or_symbol);
	if (end == 0)
		return rstar_match_space(in, at, true);
	while (end < in->length && (in->text[end] == '\r' || in->text[end] == '\n'))
		end++;
	return end;
}

EXPRESSION(qwen2, rstar_match_qwen2(in, at))
EXPRESSION(llama3, rstar_match_llama3(in, at))
EXPRESSION(qwen35, rstar_match_qwen35(in, at))
EXPRESSION(tekken, rstar_match_tekken(in, at))
EXPRESSION(gpt4o, rstar_match_gpt4o(in, at))
EXPRESSION(gpt2, rstar_match_gpt2(in, at))
EXPRESSION(line_end, match_one(in, at, is_line_end))
EXPRESSION(digit, match_one(in, at, is_numeric))
EXPRESSION(digits, match_run(in, at, is_number))
EXPRESSION(up_to_three, match_three(in, at, false))
EXPRESSION(three_ascii, match_three(in, at, true))
EXPRESSION(default_signs, match_run(in, at, is_default_sign))
EXPRESSION(falcon_signs, match_run(in, at, is_falcon_sign))
EXPRESSION(listed_letters, match_spaced_run(in, at, is_listed_letter))
EXPRESSION(listed_signs, match_spaced_run(in, at, is_listed_sign))
EXPRESSION(letters, match_spaced_run(in, at, is_letter))
EXPRESSION(punctuation, match_spaced_run(in, at, is_punctuation))
EXPRESSION(wide, match_run(in, at, is_wide))
EXPRESSION(han_or_kana, match_run(in, at, is_han_or_kana))
EXPRESSION(deepseek_words, match_last_deepseek(in, at))

/* \s+$: found from the end, since trying each blank in turn would take quadratic time. */
static bool
cut_last_space(const rstar_piece *in, size_t at, size_t *from, size_t *to)
{
	size_t start = in->length;

	while (start > at)
	{
		size_t before = start - 1;
		rstar_character c;

		while (before > at && ((unsigned char) in->text[before] & 0xC0) == 0x80)
			before--;
		if (!rstar_piece_read(in, before, &c) || c.end != start || c.class != RSTAR_CHAR_SPACE)
			break;
		start = before;
	}
	*from = start;
	*to = in->length;
	return start < in->length;
}

/* --- the rules -------------------------------------------------------------------- */

static const rstar_pretoken_rule qwen2 = {{cut_qwen2}, false, false};
static const rstar_pretoken_rule llama3 = {{cut_llama3}, true, true};
static const rstar_pretoken_rule smaug = {{cut_llama3}, false, false};
static const rstar_pretoken_rule qwen35 = {{cut_qwen35}, false, false};
static const rstar_pretoken_rule tekken = {{cut_tekken}, true, true};
static const rstar_pretoken_rule gpt4o = {{cut_gpt4o}, false, false};
static const rstar_pretoken_rule gpt2 = {{cut_gpt2}, false, false};
static const rstar_pretoken_rule smollm = {{cut_digit, cut_gpt2}, false, false};
static const rstar_pretoken_rule unnamed = {
	{cut_default_signs, cut_gpt2, cut_digits, cut_three_ascii}, false, false};
static const rstar_pretoken_rule falcon = {
	{cut_falcon_signs, cut_gpt2, cut_three_ascii}, false, false};
static const rstar_pretoken_rule deepseek_llm = {
	{cut_line_end, cut_listed_letters, cut_listed_signs, cut_last_space, cut_wide, cut_digits},
	false,
	false};
static const rstar_pretoken_rule deepseek_coder = {
	{cut_line_end, cut_letters, cut_punctuation, cut_wide, cut_digit}, false, false};
static const rstar_pretoken_rule deepseek_v3 = {
	{cut_up_to_three, cut_han_or_kana, cut_deepseek_words}, false, false};

static const struct
{
	const char *name;
	const rstar_pretoken_rule *rule;
} names[] = {
	{"qwen2", &qwen2},
	{"deepseek-r1-qwen", &qwen2},
	{"megrez", &qwen2},
	{"hunyuan", &qwen2},
	{"solar-open", &qwen2},
	{"stablelm2", &qwen2},
	{"grok-2", &qwen2},
	{"qwen35", &qwen35},
	{"llama-bpe", &llama3},
	{"llama3", &llama3},
	{"llama-v3", &llama3},
	{"falcon3", &llama3},
	{"pixtral", &llama3},
	{"lfm2", &llama3},
	{"smaug-bpe", &smaug},
	{"dbrx", &smaug},
	{"glm4", &smaug},
	{"chatglm-bpe", &smaug},
	{"tekken", &tekken},
	{"gpt-4o", &gpt4o},
	{"llama4", &gpt4o},
	{"gpt-2", &gpt2},
	{"phi-2", &gpt2},
	{"mpt", &gpt2},
	{"olmo", &gpt2},
	{"jais", &gpt2},
	{"trillion", &gpt2},
	{"exaone4", &gpt2},
	{"mellum", &gpt2},
	{"modern-bert", &gpt2},
	{"smollm", &smollm},
	{"starcoder", &smollm},
	{"refact", &smollm},
	{"command-r", &smollm},
	{"codeshell", &smollm},
	{"exaone", &smollm},
	{"minerva-7b", &smollm},
	{"default", &unnamed},
	{"falcon", &falcon},
	{"deepseek-llm", &deepseek_llm},
	{"deepseek-coder", &deepseek_coder},
	{"deepseek-v3", &deepseek_v3},
};

const rstar_pretoken_rule *
rstar_pretoken_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0)
			return names[i].rule;
	return NULL;
}

bool
rstar_pretoken_ignores_merges(const rstar_pretoken_rule *rule)
{
	return rule->ignore_merges;
}

bool
rstar_pretoken_adds_bos(const rstar_pretoken_rule *rule)
{
	return rule->add_bos;
}

/* --- the walk --------------------------------------------------------------------- */

void
rstar_pretokens_start(rstar_pretokens *pretokens, const rstar_pretoken_rule *rule, const char *text,
					  size_t length)
{
	*pretokens = (rstar_pretokens){.rule = rule, .text = text, .length = length};
}

/*
 * A piece of each cut begins at `start` or contains it. From the outermost whose
 * piece ends there, each finds the end of its next piece: of what it matches,
 * or of what lies before the next match.
 */
size_t
rstar_pretokens_next(rstar_pretokens *pretokens, size_t start)
{
	rstar_piece whole = {pretokens->text, pretokens->length};
	size_t end = pretokens->length;

	for (int i = 0; i < RSTAR_PRETOKEN_CUTS && pretokens->rule->cuts[i]; i++)
	{
		if (pretokens->end[i] <= start)
		{
			rstar_piece in = {whole.text + start, end - start};
			size_t from, to;

			if (!pretokens->rule->cuts[i](&in, 0, &from, &to))
				pretokens->end[i] = end;
			else
				pretokens->end[i] = start + (from > 0 ? from : to);
		}
		end = pretokens->end[i];
	}
	return end;
}

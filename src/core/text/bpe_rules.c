/*
 * bpe_rules.c
 *	  Which texts may become tokens.
 */
#include <string.h>

#include "core/text/bpe_train.h"
#include "core/text/pretoken.h"

void
rstar_bpe_options_init(rstar_bpe_options *options)
{
	memset(options, 0, sizeof(*options));
	options->vocabulary_size = 1024;
	options->min_word_count = 10;
	options->min_pair_count = 10;
	options->max_token_bytes = 64;
	options->rules.letters = true;
	options->rules.letters_with_blank = 2;
	options->rules.signs = true;
	options->rules.signs_with_blank = true;
	options->rules.white_space = true;
	options->rules.characters = true;
}

/* How many characters of each kind a text has. */
typedef struct census
{
	int letters;
	int wide_letters; /* of these, not ASCII */
	int numbers;
	int signs;
	int spaces;
	int lines_behind; /* line ends at the very end */
	bool broken;      /* bytes that are no whole character */
} census;

static census
count_characters(const char *text, size_t length)
{
	census count = {0};

	for (size_t at = 0; at < length;)
	{
		uint32_t code;
		size_t bytes = rstar_utf8_decode(text + at, length - at, &code);

		if (bytes == 0)
		{
			count.broken = true;
			return count;
		}
		at += bytes;
		if (code != '\n' && code != '\r')
			count.lines_behind = 0;
		switch (rstar_char_classify(code))
		{
			case RSTAR_CHAR_LETTER:
				count.letters++;
				count.wide_letters += code >= 0x80;
				break;
			case RSTAR_CHAR_NUMBER:
				count.numbers++;
				break;
			case RSTAR_CHAR_SPACE:
				count.spaces++;
				count.lines_behind += code == '\n' || code == '\r';
				break;
			case RSTAR_CHAR_OTHER:
				count.signs++;
				break;
		}
	}
	return count;
}

/* One character of several bytes, or the beginning of one. */
static bool
is_one_character(const char *text, size_t length)
{
	uint32_t code;

	return ((unsigned char) text[0] & 0x80) != 0 &&
		   (rstar_utf8_complete_prefix(text, length) == 0 ||
			rstar_utf8_decode(text, length, &code) == length);
}

static bool
listed(const rstar_bpe_rules *rules, const char *text, size_t length)
{
	for (size_t i = 0; i < rules->n_also; i++)
		if (rules->also[i].length == length && memcmp(rules->also[i].data, text, length) == 0)
			return true;
	return false;
}

bool
rstar_bpe_rules_allow(const rstar_bpe_rules *rules, const char *text, size_t length)
{
	bool blank = length > 0 && text[0] == ' ';
	census count;

	if (rules->anything || length < 2 || listed(rules, text, length))
		return true;
	if (is_one_character(text, length))
		return rules->characters;
	count = count_characters(text + blank, length - blank);
	if (count.broken || count.numbers > 0)
		return false;
	if (count.letters > 0 && count.signs > 0)
		return rules->mixed && count.spaces == 0;
	if (count.letters > 0)
		return count.spaces == 0 && !(rules->ascii_letters && count.wide_letters > 0) &&
			   (blank ? rules->letters_with_blank > 0 && count.letters >= rules->letters_with_blank
					  : rules->letters);
	if (count.signs > 0)
		return count.spaces == count.lines_behind &&
			   (count.spaces == 0 || rules->signs_with_line) &&
			   (blank ? rules->signs_with_blank : rules->signs || count.spaces > 0);
	return rules->white_space;
}

/*
 * luck.c
 *	  Problems whose answer can be guessed.
 */
#include "core/search/luck.h"

#include <string.h>

#include "core/search/chars.h"

#define MAX_ANSWER    400   /* bytes; a longer answer is never guessed */
#define MAX_STATEMENT 65536 /* bytes; of a longer statement only the end counts, what is asked */

typedef rstar_string span;

/* A letter, a digit, or part of a character beyond ASCII. */
static bool
is_word(char c)
{
	return is_digit(c) || is_letter(c);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte at i, or 0 outside. */
static char
at(span text, size_t i)
{
	return i < text.length ? text.data[i] : '\0';
}

static bool
begins(span text, size_t i, const char *word)
{
	size_t n = strlen(word);

	if (i > text.length || text.length - i < n)
		return false;
	for (size_t k = 0; k < n; k++)
	{
		if (lower(text.data[i + k]) != word[k])
			return false;
	}
	return true;
}

static bool
equals(span text, const char *word)
{
	return text.length == strlen(word) && begins(text, 0, word);
}

/* --- the answer, bare ------------------------------------------------------------ */

static span
trim(span s)
{
	while (s.length > 0 && (is_blank(s.data[0]) || s.data[0] == '$'))
		s.data++, s.length--;
	while (s.length > 0 && (is_blank(s.data[s.length - 1]) || s.data[s.length - 1] == '$' ||
							s.data[s.length - 1] == '.'))
		s.length--;
	return s;
}

/* Take \boxed{...}, \text{...} and the like off, when they are around the whole. */
static span
bare(span s)
{
	static const char *const wrappers[] = {"\\boxed{", "\\textbf{", "\\text{", "\\mathrm{",
										   "\\mathbf{"};

	s = trim(s);
	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
	{
		size_t n = strlen(wrappers[i]);

		if (!begins(s, 0, wrappers[i]) || s.data[s.length - 1] != '}')
			continue;
		s = trim((span){s.data + n, s.length - n - 1});
		i = (size_t) -1; /* once more, from the first */
	}
	return s;
}

/* --- values in the statement ----------------------------------------------------- */

/* Whether the value that stands at [i, i + n) is not part of a longer one. */
static bool
stands_alone(span text, size_t i, size_t n)
{
	char before = i > 0 ? text.data[i - 1] : ' ', after = at(text, i + n);

	if (is_word(before) || before == '/' || before == '.' || before == '-' || before == '\\')
		return false;
	if (is_word(after) || after == '/' || after == '(')
		return false;
	return !(after == '.' && is_digit(at(text, i + n + 1)));
}

/* Where the value next stands in the statement at or behind `from`; its length if nowhere. */
static size_t
find_value(span text, span value, size_t from)
{
	for (size_t i = from; value.length > 0 && i + value.length <= text.length; i++)
	{
		const char *hit = memchr(text.data + i, value.data[0], text.length - i);

		if (!hit)
			break;
		i = (size_t) (hit - text.data);
		if (text.length - i >= value.length && memcmp(hit, value.data, value.length) == 0 &&
			stands_alone(text, i, value.length))
			return i;
	}
	return text.length;
}

static bool
find_word(span text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.length; i++)
	{
		if (begins(text, i, word) &&
			!(i > 0 && (is_word(text.data[i - 1]) || text.data[i - 1] == '-')) &&
			!is_word(at(text, i + n)))
			return true;
	}
	return false;
}

/* --- the kinds of closed answers ------------------------------------------------- */

static bool
is_truth(span answer)
{
	return equals(answer, "true") || equals(answer, "false") || equals(answer, "yes") ||
		   equals(answer, "no");
}

/* "(b)", or "B)", "B.", "B:" between blanks, at i. */
static bool
is_label(span text, size_t i, char letter)
{
	char before = i > 0 ? text.data[i - 1] : ' ', after = at(text, i + 1);

	if (lower(text.data[i]) != letter || is_word(before) || before == '\\')
		return false;
	if (before == '(') /* and no f(a) */
		return after == ')' && !(i > 1 && is_word(text.data[i - 2]));
	if (after != ')' && after != '.' && after != ':')
		return false;
	return is_blank(before) && is_blank(at(text, i + 2));
}

static bool
has_label(span text, char letter)
{
	for (size_t i = 0; i < text.length; i++)
	{
		if (is_label(text, i, letter))
			return true;
	}
	return false;
}

static bool
is_choice(span statement, span answer)
{
	char letter;

	if (answer.length == 3 && answer.data[0] == '(' && answer.data[2] == ')')
		answer = (span){answer.data + 1, 1};
	if (answer.length != 1)
		return false;
	letter = lower(answer.data[0]);
	return letter >= 'a' && letter <= 'j' && has_label(statement, letter) &&
		   has_label(statement, letter == 'a' ? 'b' : 'a');
}

/* The last sentence with a question mark or full stop: what is asked. */
static span
question(span text)
{
	size_t end = text.length, begin;

	while (end > 0 &&
		   (is_blank(text.data[end - 1]) || text.data[end - 1] == '?' || text.data[end - 1] == '.'))
		end--;
	for (begin = end; begin > 0; begin--)
	{
		char c = text.data[begin - 1];

		if ((c == '?' || c == '!' || c == '.') && is_blank(at(text, begin)))
			break;
	}
	return (span){text.data + begin, end - begin};
}

/* Words that ask for one of several things, alone or when not followed by `unless`. */
static bool
asks_for_one(span text)
{
	static const char *const words[] = {
		"which",   "biggest", "largest",    "greatest",   "smallest", "least",
		"lowest",  "highest", "maximum",    "minimum",    "bigger",   "larger",
		"greater", "smaller", "closest to", "nearest to", "closer to"};
	static const char *const others[] = {"greatest common", "highest common", "smallest common",
										 "least common",    "lowest common",  "common denominator"};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
	{
		if (find_word(text, others[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
	{
		if (find_word(text, words[i]))
			return true;
	}
	return false;
}

/* Whether the value at [i, i + n) is a member of a list: beside a comma, "or" or "and". */
static bool
is_listed(span text, size_t i, size_t n, bool *either)
{
	size_t behind = i + n;

	while (is_blank(at(text, behind)))
		behind++;
	while (i > 0 && is_blank(text.data[i - 1]))
		i--;
	*either = begins(text, behind, "or ") || (i >= 3 && begins(text, i - 3, " or"));
	return *either || at(text, behind) == ',' || begins(text, behind, "and ") ||
		   (i > 0 && text.data[i - 1] == ',') || (i >= 4 && begins(text, i - 4, " and"));
}

static bool
is_offered(span statement, span answer)
{
	span asked = question(statement);
	bool one = asks_for_one(asked);
	size_t i = find_value(asked, answer, 0);

	while (i < asked.length)
	{
		bool either, listed = is_listed(asked, i, answer.length, &either);

		if (either || (listed && one))
			return true;
		i = find_value(asked, answer, i + answer.length);
	}
	return false;
}

static bool
is_order(span statement, span answer)
{
	size_t begin = 0, members = 0;

	if (!find_word(statement, "order") && !find_word(statement, "sort") &&
		!find_word(statement, "arrange") && !find_word(statement, "rank"))
		return false;
	for (size_t i = 0; i <= answer.length; i++)
	{
		span member;

		if (i < answer.length && answer.data[i] != ',' && answer.data[i] != '<')
			continue;
		member = trim((span){answer.data + begin, i - begin});
		if (member.length == 0 || find_value(statement, member, 0) == statement.length)
			return false;
		members++;
		begin = i + 1;
	}
	return members > 1;
}

static bool
is_asked_digit(span statement, span answer)
{
	return answer.length == 1 && is_digit(answer.data[0]) &&
		   find_word(question(statement), "digit");
}

/* What is asked begins with a verb, offers no two things, and is no request ("Can you find …"). */
static bool
asks_yes_or_no(span asked)
{
	static const char *const verbs[] = {"is ",  "are ", "was ",  "were ",  "does ",  "do ",
										"did ", "can ", "will ", "could ", "would ", "has "};
	static const char *const people[] = {"you ",     "we ",      "anyone ",
										 "anybody ", "someone ", "somebody "};

	asked = trim(asked);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
	{
		size_t behind = strlen(verbs[i]);

		if (!begins(asked, 0, verbs[i]))
			continue;
		for (size_t k = 0; k < sizeof people / sizeof *people; k++)
			if (begins(asked, behind, people[k]))
				return false;
		return !find_word(asked, "or");
	}
	return false;
}

/* What is looked at. */
static span
end_of(span statement)
{
	if (statement.length > MAX_STATEMENT)
		statement = (span){statement.data + statement.length - MAX_STATEMENT, MAX_STATEMENT};
	return statement;
}

bool
rstar_luck_closed(rstar_string statement, rstar_string answer)
{
	if (answer.length > MAX_ANSWER)
		return false;
	answer = bare(answer);
	if (answer.length == 0)
		return false;
	statement = end_of(statement);
	return is_truth(answer) || is_choice(statement, answer) || is_asked_digit(statement, answer) ||
		   is_offered(statement, answer) || is_order(statement, answer);
}

bool
rstar_luck_evades(rstar_string statement, rstar_string answer)
{
	return asks_yes_or_no(question(end_of(statement))) && !is_truth(bare(answer));
}

bool
rstar_luck_excluded(bool closed, uint64_t answers, uint64_t correct)
{
	return closed &&
		   (answers < RSTAR_LUCK_ANSWERS || (double) correct < RSTAR_LUCK_SHARE * (double) answers);
}

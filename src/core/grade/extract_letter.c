/*
 * extract_letter.c
 *	  The letter of a choice: see extract.h.
 */
#include "core/grade/extract_internal.h"

#define MAX_LETTER_TEXT 2048 /* bytes at the end of a text that are looked at */

/* Commands that only dress what follows. */
static size_t
dressing(rstar_span text, size_t at)
{
	static const char *const names[] = {"\\text",   "\\textbf", "\\textrm", "\\textit",
										"\\mathrm", "\\mathbf", "\\mbox",   "\\textnormal",
										"\\rm",     "\\bf",     "\\quad",   "\\qquad",
										"\\boxed",  "\\left",   "\\right"};
	size_t n = 1;

	while (at + n < text.length && is_letter(text.at[at + n]))
		n++;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && memcmp(names[i], text.at + at, n) == 0)
			return n;
	return n == 1 && at + 1 < text.length && strchr(", ;!:[]", text.at[at + 1]) ? 2 : 0;
}

/* Skip what may stand before a letter: spaces, $, braces, \text and its like. */
static size_t
skip_looks(rstar_span text, size_t at)
{
	while (at < text.length)
	{
		size_t n = is_space(text.at[at]) || strchr("${}*~", text.at[at]) ? 1
				   : text.at[at] == '\\'                                 ? dressing(text, at)
																		 : 0;

		if (n == 0)
			break;
		at += n;
	}
	return at;
}

char
rstar_single_letter(rstar_span text)
{
	size_t at = skip_looks(text, 0);
	bool bracket = at < text.length && text.at[at] == '(';
	char letter;

	if (bracket)
		at = skip_looks(text, at + 1);
	if (at >= text.length || !is_letter(text.at[at]))
		return 0;
	letter = text.at[at];
	at = skip_looks(text, at + 1);
	if (bracket)
	{
		if (at >= text.length || text.at[at] != ')')
			return 0;
		at = skip_looks(text, at + 1);
	}
	while (at < text.length && (strchr(".)", text.at[at]) || is_space(text.at[at])))
		at = skip_looks(text, at + 1);
	return at >= text.length ? letter : 0;
}

/* --- letters within a text ----------------------------------------------------------- */

#define MAX_MENTIONS 64

static bool
stands_alone(rstar_span text, size_t at)
{
	return (at == 0 || !(is_letter(text.at[at - 1]) || is_digit(text.at[at - 1]) ||
						 text.at[at - 1] == '\\' || text.at[at - 1] == '\'')) &&
		   (at + 1 == text.length ||
			!(is_letter(text.at[at + 1]) || is_digit(text.at[at + 1]) || text.at[at + 1] == '\''));
}

/* The letter of a choice at this place, with or without brackets; *next: behind it. */
static char
choice_at(rstar_span text, size_t at, size_t *next)
{
	size_t open = at;

	if (at < text.length && text.at[at] == '(')
		at = skip_looks(text, at + 1);
	if (at >= text.length || text.at[at] < 'A' || text.at[at] > 'Z' || !stands_alone(text, at))
		return 0;
	*next = skip_looks(text, at + 1);
	if (text.at[open] == '(')
	{
		if (*next >= text.length || text.at[*next] != ')')
			return 0;
		++*next;
	}
	else if (text.at[at] == 'A' && at + 2 < text.length && text.at[at + 1] == ' ' &&
			 text.at[at + 2] >= 'a' && text.at[at + 2] <= 'z' &&
			 !phrase_at(text.at + at + 2, text.at + text.length, "is") &&
			 !phrase_at(text.at + at + 2, text.at + text.length, "because"))
		return 0; /* an article */
	return text.at[at];
}

/* Does the sentence behind the one of the letter take it back? "A. No, wait, B." */
static bool
retracted(rstar_span text, size_t at)
{
	static const char *const openings[] = {"no,",           "no.",         "no ",          "wait",
										   "actually",      "sorry",       "oops",         "i mean",
										   "that is wrong", "that is not", "that's",       "or ",
										   "hmm",           "correction",  "this is wrong"};

	while (at < text.length && !strchr(".!?", text.at[at]))
		at++;
	while (at < text.length && (strchr(".!?*$ ", text.at[at]) || is_space(text.at[at])))
		at++;
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		if (phrase_at(text.at + at, text.at + text.length, openings[i]))
			return true;
	return false;
}

/* Is the letter one of several, or denied, by what stands behind it? */
static bool
taken_back_behind(rstar_span text, size_t at)
{
	static const char *const others[] = {
		"or ",      "and ",    "/",      "is not", "isn't",   "is wrong", "is inc", "is false",
		"is never", "cannot",  "can't",  "would",  "could",   "might",    "may ",   "& ",
		"is ruled", "is elim", "is out", "is imp", "was not", "wasn't",   "or(",    "?"};

	bool listed = false;
	size_t next;

	at = skip_looks(text, at);
	while (at < text.length && (text.at[at] == ',' || text.at[at] == ')'))
	{
		listed |= text.at[at] == ',';
		at = skip_looks(text, at + 1);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (phrase_at(text.at + at, text.at + text.length, others[i]))
			return true;
	return listed && choice_at(text, at, &next) != 0;
}

/* The word that ends before a place, brackets and the like skipped. */
static rstar_span
word_before(rstar_span text, size_t at)
{
	size_t end = at;

	while (end > 0 && !is_letter(text.at[end - 1]) && !strchr(".;\n", text.at[end - 1]))
		end--;
	at = end;
	while (at > 0 && (is_letter(text.at[at - 1]) || text.at[at - 1] == '\''))
		at--;
	return (rstar_span){text.at + at, end - at};
}

static bool
word_among(rstar_span word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (word.length == strlen(list[i]) && phrase_at(word.at, word.at + word.length, list[i]))
			return true;
	return false;
}

/* Is the letter denied, or left open, by the words before it? */
static bool
taken_back_before(rstar_span text, size_t at)
{
	static const char *const denials[] = {
		"not",    "isn't",     "except",      "exclude", "excluding", "neither",   "nor",
		"either", "eliminate", "eliminating", "out",     "reject",    "rejecting", "unlike",
		"or",     "cannot",    "between",     "never",   "if",        "than"};
	static const char *const between[] = {"option", "choice", "answer", "the",
										  "be",     "is",     "letter"};
	size_t position = at;

	for (int i = 0; i < 4; i++)
	{
		rstar_span word = word_before(text, position);

		if (word.length == 0)
			return false;
		if (word_among(word, denials, sizeof(denials) / sizeof(denials[0])))
			return true;
		if (!word_among(word, between, sizeof(between) / sizeof(between[0])))
			return false;
		position = (size_t) (word.at - text.at);
	}
	return false;
}

/* Do the words around the letter call it the answer? any: whatever they say. */
static bool
is_called_answer(rstar_span text, size_t at, size_t next)
{
	static const char *const labels[] = {"option", "choice", "answer", "letter"};
	static const char *const behind[] = {"is correct", "is right", "is valid", "is true",
										 "is the ",    "is our ",  "is my "};
	rstar_span word = word_before(text, at);

	if (word_among(word, labels, sizeof(labels) / sizeof(labels[0])))
		return true;
	if (word_among(word, (const char *const[]){"is"}, 1))
	{
		rstar_span subject = {text.at, (size_t) (word.at - text.at)};

		for (size_t i = 0; i + 6 <= subject.length; i++)
			if (phrase_at(subject.at + i, subject.at + subject.length, "answer") ||
				phrase_at(subject.at + i, subject.at + subject.length, "option") ||
				phrase_at(subject.at + i, subject.at + subject.length, "choice") ||
				phrase_at(subject.at + i, subject.at + subject.length, "correct"))
				return true;
	}
	next = skip_looks(text, next);
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		if (phrase_at(text.at + next, text.at + text.length, behind[i]))
			return true;
	return false;
}

/*
 * First a letter that begins the text as a label: (C) ..., C) ..., C. ..., C: ... Else the only
 * letter that the text calls the answer. A letter that is denied, or offered together with
 * others, is none; two different ones are none.
 */
char
rstar_extract_letter(rstar_span text)
{
	size_t at = skip_looks(text, 0);
	size_t next = 0;
	char found = choice_at(text, at, &next);
	int mentions = 0;

	if (found && !taken_back_behind(text, next) &&
		(text.at[next - 1] == ')' || (next < text.length && strchr(").:", text.at[next]) &&
									  (next + 1 == text.length || is_space(text.at[next + 1]) ||
									   strchr("$}\\~", text.at[next + 1])))))
		return found;
	if (text.length > MAX_LETTER_TEXT)
		text = (rstar_span){text.at + text.length - MAX_LETTER_TEXT, MAX_LETTER_TEXT};
	found = 0;
	for (size_t i = 0; i < text.length && mentions < MAX_MENTIONS; i++)
	{
		char letter = choice_at(text, i, &next);

		if (!letter || !is_called_answer(text, i, next))
			continue;
		mentions++;
		if (taken_back_before(text, i) || taken_back_behind(text, next) || retracted(text, next))
			continue;
		if (found && found != letter)
			return 0;
		found = letter;
	}
	return found;
}

/*
 * extract_sentence.c
 *	  What a sentence says the answer is: see extract.h.
 *
 * A sentence gives a value in one of four forms, and only in these:
 *
 *	  label: value                  Total: 58
 *	  subject verb value            So the total is 58 people
 *	  value is the answer           Thus $x \le 2$ is our answer
 *	  lead value                    Therefore $x = 5$
 *
 * The value is all that stands behind the verb, up to the end of the sentence or to a
 * subordinate clause, and whoever asks must be able to read it as a whole: "less than 7" and
 * "half of 8" are no values. Words around it that could change its meaning (if, twice,
 * wrong, ...) leave the sentence without an answer; a negation does too, unless it denies
 * another value ("not 10, it is 12"). Of a text of several sentences the last one counts,
 * and it must say that it concludes ("so", "the answer", ...).
 */
#include "core/grade/extract_internal.h"

#define MAX_WORDS    256  /* of a sentence */
#define MAX_SENTENCE 4096 /* bytes at the end of a text that are looked at */
#define MODAL_REACH  4    /* words: "it could well be 5" */
#define MAX_VERBS    16   /* tried, from the last one on */

typedef enum word_kind
{
	WORD,    /* letters */
	FORMULA, /* between $ signs or their like */
	OTHER    /* a run of anything else */
} word_kind;

typedef struct word
{
	rstar_span span;
	word_kind kind;
} word;

typedef struct words
{
	word item[MAX_WORDS];
	size_t count;
	const char *end; /* of the sentence */
} words;

/* --- lists of words, in lower case ----------------------------------------------- */

/* What stands between a subject and its value. */
static const char *const verbs[] = {
	"is",     "are",   "was",    "were", "be",       "equals", "equal",  "becomes", "it's",
	"that's", "gives", "give",   "get",  "gets",     "got",    "has",    "have",    "had",
	"pay",    "pays",  "paid",   "cost", "costs",    "take",   "takes",  "need",    "needs",
	"make",   "makes", "earns",  "earn", "spends",   "spend",  "weighs", "remain",  "remains",
	"obtain", "find",  "yields", "=",    "conclude",
};

/* What may stand between the verb and the value. */
static const char *const fillers[] = {
	"that",    "equal", "to",       "exactly", "precisely", "simply",   "therefore", "thus",
	"then",    "hence", "the",      "value",   "number",    "interval", "set",       "pair",
	"ordered", "point", "fraction", "integer", "given",     "by",       "a",         "an",
	"total",   "of",    "now",      "indeed",  "matrix",    "vector",   "function",  "just",
};

/* What may stand before a value that has no verb. */
static const char *const leads[] = {
	"so",       "thus",   "therefore", "hence", "then",   "finally",      "answer", "final",
	"solution", "result", "value",     "the",   "our",    "my",           "is",     "are",
	"we",       "get",    "find",      "have",  "obtain", "that",         "and",    "conclude",
	"total",    "it",     "gives",     "see",   "which",  "consequently",
};

/* What a value may be called behind it: "is the answer". */
static const char *const titles[] = {
	"answer", "solution", "result", "total", "value", "sum", "product", "maximum", "minimum",
};

/* A sentence with one of these concludes. */
static const char *const conclusions[] = {
	"so",       "thus",         "therefore", "hence",      "answer",  "result",
	"solution", "solutions",    "total",     "altogether", "finally", "final",
	"conclude", "consequently", "all",       "overall",    "then",
};

/* With one of these around a value it is something else, or not certain. */
static const char *const spoilers[] = {
	"if",          "unless",     "suppose",    "supposing", "assume",     "assuming",
	"when",        "maybe",      "perhaps",    "possibly",  "probably",   "guess",
	"either",      "or",         "except",     "excluding", "wrong",      "incorrect",
	"incorrectly", "false",      "mistake",    "mistaken",  "mistakenly", "instead",
	"impossible",  "less",       "more",       "fewer",     "greater",    "larger",
	"smaller",     "least",      "most",       "under",     "over",       "above",
	"below",       "between",    "exceeds",    "exceed",    "half",       "twice",
	"double",      "doubled",    "triple",     "tripled",   "thrice",     "third",
	"quarter",     "times",      "multiplied", "divided",   "squared",    "cubed",
	"root",        "reciprocal", "negative",   "opposite",  "inverse",    "minus",
	"plus",        "mod",        "modulo",     "factorial", "about",      "approximately",
	"around",      "roughly",    "nearly",     "almost",    "question",   "multiple",
	"percent",     "logarithm",  "absolute",   "upper",     "lower",      "bound",
	"doubt",       "doubtful",   "hardly",     "barely",    "unlikely",   "without",
	"but",         "however",    "although",   "though",    "unsure",     "estimate",
	"estimated",   "exclude",    "excluded",   "halved",    "doubling",   "halving",
	"quadruple",   "power",      "exponent",   "whether",   "negated",    "why",
	"versus",      "others",     "sine",       "cosine",    "tangent",    "sin",
	"cos",         "tan",        "log",        "ln",        "exp",        "sqrt",
	"arcsin",      "arccos",     "arctan",     "tenth",     "fifth",      "fourth",
	"sixth",       "eighth",     "hundredth",
};

/* These make the verb behind them uncertain. */
static const char *const modals[] = {"would", "could", "might", "may", "should", "can"};

/* These spoil only before "of" or "root". */
static const char *const operations[] = {"square", "cube", "complement", "negation", "conjugate"};

/* These change a figure that no verb states. */
static const char *const steps[] = {
	"divide",      "multiply", "subtract",   "add",       "adding", "subtracting", "dividing",
	"multiplying", "divides",  "multiplies", "subtracts", "adds",   "by"};

/* What a conclusion begins with: what stands before it is its reason. */
static const char *const openers[] = {"so",    "thus",    "therefore",
									  "hence", "finally", "consequently"};

static const char *const negations[] = {
	"not",    "n't",   "isn't", "aren't",  "wasn't",  "never",   "no",    "none",   "nor",
	"cannot", "can't", "don't", "doesn't", "neither", "nothing", "won't", "didn't", "couldn't",
};

/* A clause that begins with one of these is no part of the value. */
static const char *const clauses[] = {
	"which", "since", "because", "that", "as", "where", "giving", "making", "who", "after",
};

static bool
equals_word(rstar_span span, const char *lower)
{
	return span.length == strlen(lower) && phrase_at(span.at, span.at + span.length, lower);
}

static bool
among(const char *const *list, size_t count, rstar_span span)
{
	for (size_t i = 0; i < count; i++)
		if (equals_word(span, list[i]))
			return true;
	return false;
}

#define AMONG(list, span) among(list, sizeof(list) / sizeof((list)[0]), span)

/* --- a sentence as words --------------------------------------------------------------- */

/* Bytes of a formula with its delimiters, 0 if none begins here or it is not closed. */
static size_t
formula_length(const char *at, const char *end)
{
	static const char *const open[] = {"$$", "$", "\\(", "\\["};
	static const char *const close[] = {"$$", "$", "\\)", "\\]"};

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
	{
		size_t n = strlen(open[i]);
		const char *stop;

		if ((size_t) (end - at) < n || memcmp(at, open[i], n) != 0)
			continue;
		stop = at + n < end ? memmem(at + n, (size_t) (end - at) - n, close[i], n) : NULL;
		return stop ? (size_t) (stop - at) + n : 0;
	}
	return 0;
}

static size_t
word_length(const char *at, const char *end)
{
	size_t n = 0;

	while (at + n < end && (is_letter(at[n]) ||
							(n > 0 && at[n] == '\'' && at + n + 1 < end && is_letter(at[n + 1]))))
		n++;
	return n;
}

static size_t
other_length(const char *at, const char *end)
{
	size_t n = 1;

	if (*at == '\\')
		while (at + n < end && is_letter(at[n]))
			n++;
	while (at + n < end && !is_letter(at[n]) && !is_space(at[n]) && at[n] != '$' && at[n] != '\\')
		n++;
	return n;
}

/* False when the sentence has too many words. */
static bool
split_words(rstar_span text, words *out)
{
	const char *at = text.at;
	const char *end = text.at + text.length;

	out->count = 0;
	out->end = end;
	while (at < end)
	{
		size_t n = formula_length(at, end);
		word_kind kind = n > 0 ? FORMULA : is_letter(*at) ? WORD : OTHER;

		if (is_space(*at))
		{
			at++;
			continue;
		}
		if (kind != FORMULA)
			n = kind == WORD ? word_length(at, end) : other_length(at, end);
		if (out->count == MAX_WORDS)
			return false;
		out->item[out->count++] = (word){{at, n}, kind};
		at += n;
	}
	return true;
}

static bool
word_in(const words *w, size_t i, const char *const *list, size_t count)
{
	return i < w->count && w->item[i].kind != FORMULA && among(list, count, w->item[i].span);
}

#define WORD_IN(w, i, list) word_in(w, i, list, sizeof(list) / sizeof((list)[0]))

/* --- what words around a value do to it --------------------------------------------------- */

static bool
is_value_like(const words *w, size_t i)
{
	return i < w->count && (w->item[i].kind != WORD ||
							(w->item[i].span.length == 1 && w->item[i].span.at[0] != 'a'));
}

static bool
spoils(const words *w, size_t i)
{
	if (WORD_IN(w, i, spoilers))
		return !(equals_word(w->item[i].span, "when") && i + 1 < w->count &&
				 ends(w->item[i + 1].span, "ing")); /* "when multiplying by the identity" */
	if (i < w->count && memchr(w->item[i].span.at, '?', w->item[i].span.length))
		return true;
	return WORD_IN(w, i, operations) && i + 1 < w->count &&
		   (equals_word(w->item[i + 1].span, "of") || equals_word(w->item[i + 1].span, "root"));
}

/* Do the words [from, to) leave the value behind or before them as it is? */
static bool
harmless(const words *w, size_t from, size_t to)
{
	size_t negation = to;

	for (size_t i = from; i < to; i++)
	{
		if (spoils(w, i) || (WORD_IN(w, i, modals) && i + MODAL_REACH >= to))
			return false;
		if (WORD_IN(w, i, negations))
			negation = i;
	}
	return negation == to || (is_value_like(w, negation + 1) && negation + 1 < to);
}

/* Where the conclusion begins in which the word stands. */
static size_t
conclusion_of(const words *w, size_t i)
{
	while (i > 0 && !WORD_IN(w, i - 1, openers))
		i--;
	return i;
}

/* Has the word a digit, or is it a formula? */
static bool
is_figure(const words *w, size_t i)
{
	if (w->item[i].kind == FORMULA)
		return true;
	for (size_t k = 0; k < w->item[i].span.length; k++)
		if (is_digit(w->item[i].span.at[k]))
			return true;
	return false;
}

/*
 * An earlier verb states something else, unless it is denied or ", which is" follows. Behind a
 * mark ("the answer is") a figure alone is such a statement.
 */
static bool
only_statement(const words *w, size_t verb, bool marked)
{
	if (verb > 0 && equals_word(w->item[verb - 1].span, "which"))
		return true;
	for (size_t i = conclusion_of(w, verb); i < verb; i++)
	{
		if (WORD_IN(w, i, verbs) && is_value_like(w, i + 1) && i + 1 < verb &&
			!(i + 2 == verb && w->item[i + 1].kind == OTHER))
			return false;
		if (marked && w->item[i].kind == OTHER && is_figure(w, i) &&
			!(i > 0 && WORD_IN(w, i - 1, negations)))
			return false;
	}
	return true;
}

static bool
concludes(const words *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (WORD_IN(w, i, conclusions))
			return true;
	return false;
}

/* --- the four forms -------------------------------------------------------------------------- */

static rstar_span
between(const char *from, const char *to)
{
	return rstar_span_trim((rstar_span){from, (size_t) (to - from)});
}

/* Behind a word up to the end, or up to the clause that begins at `stop`. */
static rstar_span
value_behind(const words *w, size_t i, size_t stop)
{
	const char *from = i < w->count ? w->item[i].span.at : w->end;

	return between(from, stop < w->count ? w->item[stop].span.at : w->end);
}

static bool
offer(const rstar_sentence_reader *reader, rstar_span value, rstar_span *out)
{
	if (value.length == 0 || !reader->reads(reader->arg, value))
		return false;
	*out = value;
	return true;
}

/* The whole rest, then the rest without its clauses. */
static bool
offer_rest(const rstar_sentence_reader *reader, const words *w, size_t from, rstar_span *out)
{
	if (offer(reader, value_behind(w, from, w->count), out))
		return harmless(w, conclusion_of(w, from), from);
	for (size_t i = from + 1; i < w->count; i++)
		if (WORD_IN(w, i, clauses))
			return harmless(w, conclusion_of(w, from), from) && harmless(w, i, w->count) &&
				   offer(reader, value_behind(w, from, i), out);
	return false;
}

/* subject verb value: the last verb with a value behind it. */
static bool
verb_form(const rstar_sentence_reader *reader, const words *w, bool marked, rstar_span *out)
{
	int tried = 0;

	for (size_t i = w->count; i-- > 0 && tried < MAX_VERBS;)
	{
		size_t from = i + 1;

		if (!WORD_IN(w, i, verbs))
			continue;
		tried++;
		while (from < w->count && w->item[from].kind != FORMULA &&
			   (WORD_IN(w, from, fillers) || equals_word(w->item[from].span, ":")))
			from++;
		if (offer_rest(reader, w, from, out))
			return only_statement(w, i, marked);
		if (out->length > 0)
			return false; /* read, but something changes its meaning */
	}
	return false;
}

static bool
label_form(const rstar_sentence_reader *reader, const words *w, rstar_span *out)
{
	for (size_t i = 0; i < w->count && w->item[i].kind != FORMULA; i++)
	{
		rstar_span span = w->item[i].span;

		if (w->item[i].kind == OTHER && span.at[0] == ':' && span.length == 1 && i > 0)
			return harmless(w, 0, i) && offer_rest(reader, w, i + 1, out);
		if (w->item[i].kind == OTHER)
			return false;
	}
	return false;
}

/* value is the answer */
static bool
title_form(const rstar_sentence_reader *reader, const words *w, rstar_span *out)
{
	size_t first = 0;

	while (WORD_IN(w, first, leads) || (first < w->count && equals_word(w->item[first].span, ",")))
		first++;
	for (size_t i = first + 1; i + 1 < w->count; i++)
	{
		if (!equals_word(w->item[i].span, "is") && !equals_word(w->item[i].span, "are"))
			continue;
		for (size_t k = i + 1; k < w->count && k < i + 5; k++)
			if (WORD_IN(w, k, titles))
				return harmless(w, 0, first) && harmless(w, i, w->count) &&
					   offer(reader, value_behind(w, first, i), out);
		return false;
	}
	return false;
}

static bool
lead_form(const rstar_sentence_reader *reader, const words *w, rstar_span *out)
{
	size_t first = 0;

	while (WORD_IN(w, first, leads) || (first < w->count && equals_word(w->item[first].span, ",")))
		first++;
	return first > 0 && offer_rest(reader, w, first, out);
}

/* "Jane started 3 hours ago": the only figure, and all that follows it. */
static bool
single_form(const rstar_sentence_reader *reader, const words *w, rstar_span *out)
{
	size_t found = w->count;

	for (size_t i = 0; i < w->count; i++)
		if (WORD_IN(w, i, steps) && !(i > 0 && ends(w->item[i - 1].span, "creases")))
			return false;
		else if (is_figure(w, i))
		{
			if (found < w->count)
				return false;
			found = i;
		}
	if (found == w->count || (found > 0 && equals_word(w->item[found - 1].span, "of")))
		return false;
	for (size_t i = 0; i < w->count; i++)
		if (WORD_IN(w, i, negations))
			return false;
	return harmless(w, 0, w->count) && offer(reader, value_behind(w, found, w->count), out);
}

/* --- sentences ------------------------------------------------------------------------------- */

/* What chat models print behind their answer. */
static rstar_span
without_epilogue(rstar_span text)
{
	static const char *const marks[] = {"<|", "I hope it is correct", "<end_of"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
	{
		const char *at = memmem(text.at, text.length, marks[i], strlen(marks[i]));

		if (at && at > text.at)
			text.length = (size_t) (at - text.at);
	}
	return rstar_span_trim(text);
}

/* Is this point the end of a sentence? Not in 1.5, "p.m.", "i.e." */
static bool
ends_sentence(const char *at, const char *begin, const char *end)
{
	if (*at == '!' || *at == '?')
		return at + 1 < end && is_space(at[1]);
	if (*at != '.' || (at + 1 < end && !is_space(at[1])))
		return false;
	return !(at - begin >= 2 && is_letter(at[-1]) && !is_letter(at[-2]) && at[-2] == '.');
}

/* "2,74 $ a..": two points end a word that was cut off. */
static rstar_span
without_cut_word(rstar_span text)
{
	if (!ends(text, "..") || ends(text, "..."))
		return text;
	while (text.length > 0 && !is_space(text.at[text.length - 1]))
		text = cut(text, 0, 1);
	return rstar_span_trim(text);
}

/* "$x = 5.$ Thus": the point that ends a sentence stands in the formula that ends here. */
static bool
is_stop_inside(const char *last, size_t length)
{
	size_t delimiter = length > 4 && (last[-1] == '$' || *last != '$') ? 2 : 1;
	const char *at = last - delimiter;

	while (at > last - length && is_space(*at))
		at--;
	return *at == '.';
}

/* The last sentence; *several: others come before it. */
static rstar_span
last_sentence(rstar_span text, bool *several)
{
	const char *end = text.at + text.length;
	const char *begin = text.at;

	for (const char *at = text.at; at < end; at++)
	{
		size_t formula = formula_length(at, end);
		bool line = formula == 0 && *at == '\n' && at + 1 < end && between(at, end).length > 0 &&
					between(begin, at).length > 0;

		if (formula > 0)
		{
			at += formula - 1;
			if (is_stop_inside(at, formula) && at + 1 < end && is_space(at[1]) &&
				between(at + 1, end).length > 0)
			{
				*several = true;
				begin = at + 1;
			}
		}
		else if ((line && !ends(between(begin, at), ":") && at[-1] != ':' && at[-1] != '*') ||
				 (ends_sentence(at, begin, end) && between(at + 1, end).length > 0))
		{
			*several = true;
			begin = at + 1;
		}
	}
	return without_cut_word(between(begin, end));
}

bool
rstar_extract_stated(const rstar_sentence_reader *reader, rstar_span text, bool marked,
					 rstar_span *out)
{
	words w;
	bool several;

	out->length = 0;
	several = text.length > MAX_SENTENCE;
	if (several)
		text = (rstar_span){text.at + text.length - MAX_SENTENCE, MAX_SENTENCE};
	text = without_epilogue(text);
	text = last_sentence(text, &several);
	if (text.length == 0 || !split_words(text, &w) || (several && !marked && !concludes(&w)))
		return false;
	return (marked && offer_rest(reader, &w, 0, out)) ||
		   (out->length == 0 && label_form(reader, &w, out)) ||
		   (out->length == 0 && verb_form(reader, &w, marked, out)) ||
		   (out->length == 0 && title_form(reader, &w, out)) ||
		   (out->length == 0 && lead_form(reader, &w, out)) ||
		   (out->length == 0 && (marked || concludes(&w)) && single_form(reader, &w, out));
}

bool
rstar_extract_harmless(rstar_span text)
{
	words w;

	return text.length <= MAX_SENTENCE && split_words(text, &w) && harmless(&w, 0, w.count);
}

bool
rstar_extract_denies(rstar_span text)
{
	static const char *const denials[] = {"wrong",      "incorrect", "mistake", "wait",  "actually",
										  "oops",       "not",       "no",      "isn't", "sorry",
										  "correction", "rather",    "instead"};
	words w;

	if (text.length > MAX_SENTENCE || !split_words(text, &w))
		return true;
	for (size_t i = 0; i < w.count; i++)
		if (WORD_IN(&w, i, denials))
			return true;
	return false;
}

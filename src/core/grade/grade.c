/*
 * grade.c
 *	  Is this answer the known answer? See grade.h.
 *
 * Both texts are read in every way they can be (rstar_reading), at most a handful
 * of pairs; the first pair that is equal decides.
 */
#include "core/grade/grade.h"

#include <string.h>

#include "core/grade/compare.h"
#include "core/grade/extract.h"
#include "core/grade/fold.h"

#define FUEL         8000000 /* about 20 ms of work */
#define ARENA_LIMIT  (40 << 20)
#define MAX_READ     32768 /* bytes of an answer that is read as mathematics */
#define MAX_READINGS 4

typedef struct side
{
	rstar_span text;
	rstar_extracted how;
	const rstar_expr *node[MAX_READINGS]; /* the different readings */
	size_t readings;
	const rstar_expr *with_letter_units;
	const rstar_expr *with_capitals; /* E and I as constants */
} side;

static const char *const rule_names[RSTAR_RULE_COUNT] = {
	"none",       "identical", "number", "decimal", "expression", "percent", "degree",
	"unit",       "list",      "set",    "tuple",   "interval",   "matrix",  "equation",
	"inequality", "ratio",     "time",   "base",    "choice",     "boolean", "text"};

const char *
rstar_grade_rule_name(rstar_grade_rule rule)
{
	return (unsigned) rule < RSTAR_RULE_COUNT ? rule_names[rule] : "none";
}

static const rstar_expr *
read_once(rstar_work *work, rstar_span text, rstar_reading reading, rstar_ambiguity *ambiguity)
{
	rstar_tokens tokens;

	if (text.length == 0 || text.length > MAX_READ ||
		!rstar_fold_unicode(work->arena, &text.at, &text.length) ||
		!rstar_lex(work, text.at, text.length, reading, &tokens))
		return NULL;
	if (ambiguity)
		*ambiguity = tokens.ambiguity;
	return rstar_parse(work, &tokens);
}

/*
 * The readings of a text: as it stands, and once more for each way in which the lexer saw that it could be
 * meant.
 */
static void
read_side(rstar_work *work, side *s)
{
	rstar_reading reading = {0};
	rstar_ambiguity ambiguity = {0};
	const rstar_expr *node = read_once(work, s->text, reading, &ambiguity);

	s->readings = 0;
	s->with_letter_units = s->with_capitals = NULL;
	if (node)
		s->node[s->readings++] = node;
	if (ambiguity.thousands)
	{
		reading.list_commas = true;
		node = read_once(work, s->text, reading, NULL);
		if (node)
			s->node[s->readings++] = node;
		reading.list_commas = false;
	}
	if (ambiguity.decimal_comma)
	{
		reading.decimal_comma = true;
		node = read_once(work, s->text, reading, NULL);
		if (node && node->kind != RSTAR_EXPR_LIST)
			s->node[s->readings++] = node;
		reading.decimal_comma = false;
	}
	if (ambiguity.letter_units)
	{
		reading.letter_units = true;
		s->with_letter_units = read_once(work, s->text, reading, NULL);
		reading.letter_units = false;
	}
	if (ambiguity.capitals)
	{
		reading.capitals = true;
		s->with_capitals = read_once(work, s->text, reading, NULL);
	}
}

/* i^2 in the known answer: its i is a variable. */
static bool
has_power_of_i(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_POWER && node->child[0]->kind == RSTAR_EXPR_CONSTANT &&
		node->child[0]->op == RSTAR_CONSTANT_I && node->child[1]->kind == RSTAR_EXPR_NUMBER)
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (has_power_of_i(node->child[i]))
			return true;
	return false;
}

static bool
compare_pair(rstar_work *work, const rstar_expr *gold, const rstar_expr *answer,
			 rstar_grade_result *result)
{
	rstar_comparison c = {.work = work, .i_is_name = has_power_of_i(gold)};

	result->equal = rstar_compare_nodes(&c, gold, answer);
	result->rule = c.rule;
	result->undecided |= c.undecided;
	return result->equal;
}

/* Does a tree hold e or i? Only then can E or I on the other side mean them. */
static bool
has_constant(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_CONSTANT && node->op != RSTAR_CONSTANT_PI)
		return true;
	if (node->kind == RSTAR_EXPR_CALL &&
		(node->op == RSTAR_FUNCTION_EXP || node->op == RSTAR_FUNCTION_SQRT ||
		 node->op == RSTAR_FUNCTION_LN))
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (has_constant(node->child[i]))
			return true;
	return false;
}

/* SymPy's spelling of e and i on one side, or on both. */
static bool
compare_capitals(rstar_work *work, const side *gold, const side *answer, rstar_grade_result *result)
{
	for (size_t i = 0; answer->with_capitals && i < gold->readings; i++)
		if (has_constant(gold->node[i]) &&
			compare_pair(work, gold->node[i], answer->with_capitals, result))
			return true;
	for (size_t k = 0; gold->with_capitals && k < answer->readings; k++)
		if (has_constant(answer->node[k]) &&
			compare_pair(work, gold->with_capitals, answer->node[k], result))
			return true;
	return gold->with_capitals && answer->with_capitals && gold->text.length > 1 &&
		   compare_pair(work, gold->with_capitals, answer->with_capitals, result);
}

/* 9.8 m/s^2: no product of variables looks like this. */
static bool
is_quotient_of_units(const rstar_expr *node)
{
	return node->kind == RSTAR_EXPR_UNIT && node->unit->n > 1 &&
		   !rstar_expr_has_names(node->child[0]);
}

static bool
compare_readings(rstar_work *work, const side *gold, const side *answer, rstar_grade_result *result)
{
	for (size_t i = 0; i < gold->readings; i++)
	{
		for (size_t k = 0; k < answer->readings; k++)
			if (compare_pair(work, gold->node[i], answer->node[k], result))
				return true;
		if (answer->with_letter_units && !rstar_expr_has_names(gold->node[i]) &&
			compare_pair(work, gold->node[i], answer->with_letter_units, result))
			return true;
		if (gold->with_letter_units)
			for (size_t k = 0; k < answer->readings; k++)
				if ((answer->node[k]->kind == RSTAR_EXPR_UNIT ||
					 is_quotient_of_units(gold->with_letter_units)) &&
					compare_pair(work, gold->with_letter_units, answer->node[k], result))
					return true;
	}
	return compare_capitals(work, gold, answer, result);
}

static bool
same_bytes(rstar_span a, rstar_span b)
{
	return a.length == b.length && a.length > 0 && memcmp(a.at, b.at, a.length) == 0;
}

static bool
same_text(rstar_arena *arena, rstar_span a, rstar_span b, bool fold_case)
{
	rstar_span x, y;

	return rstar_plain_text(arena, a, fold_case, &x) && rstar_plain_text(arena, b, fold_case, &y) &&
		   same_bytes(x, y);
}

/* --- numerals of any length ------------------------------------------------------ */

typedef struct numeral
{
	bool negative;
	rstar_span whole;    /* without leading zeros */
	rstar_span fraction; /* without trailing zeros */
} numeral;

/* Digits and at most one point, nothing else. */
static bool
read_numeral(rstar_span text, numeral *out)
{
	const char *end = text.at + text.length;
	const char *at = text.at;
	const char *start;

	out->negative = text.length > 0 && *at == '-';
	at += out->negative;
	start = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	out->whole = (rstar_span){start, (size_t) (at - start)};
	out->fraction = (rstar_span){at, 0};
	if (at < end && *at == '.')
	{
		start = ++at;
		while (at < end && *at >= '0' && *at <= '9')
			at++;
		out->fraction = (rstar_span){start, (size_t) (at - start)};
	}
	if (at != end || out->whole.length + out->fraction.length == 0)
		return false;
	while (out->whole.length > 0 && out->whole.at[0] == '0')
		out->whole = (rstar_span){out->whole.at + 1, out->whole.length - 1};
	while (out->fraction.length > 0 && out->fraction.at[out->fraction.length - 1] == '0')
		out->fraction.length--;
	if (out->whole.length + out->fraction.length == 0)
		out->negative = false;
	return true;
}

/* Two numerals are compared digit by digit. */
static bool
compare_numerals(rstar_span a, rstar_span b, bool *equal)
{
	numeral x, y;

	if (!read_numeral(a, &x) || !read_numeral(b, &y))
		return false;
	*equal = x.negative == y.negative && x.whole.length == y.whole.length &&
			 x.fraction.length == y.fraction.length &&
			 memcmp(x.whole.at, y.whole.at, x.whole.length) == 0 &&
			 memcmp(x.fraction.at, y.fraction.at, x.fraction.length) == 0;
	return true;
}

/* --- the order of the rules ---------------------------------------------------------- */

static char
fold(char c)
{
	return c >= 'a' && c <= 'e' ? (char) (c - 32) : c;
}

/* Letters of choices are A to Z; a to e mean the same. */
static bool
compare_choice(const side *gold, const side *answer, rstar_span whole)
{
	char wanted = rstar_single_letter(gold->text);
	char given = rstar_single_letter(answer->text);

	if (!wanted)
		return false;
	if (!given && wanted >= 'A' && wanted <= 'Z')
		given = rstar_extract_letter(answer->text);
	if (!given && wanted >= 'A' && wanted <= 'Z' && answer->how != RSTAR_EXTRACTED_BOX)
		given = rstar_extract_letter(whole);
	return given && fold(wanted) == fold(given);
}

/* "Yes, because ..." */
static bool
compare_first_word(rstar_work *work, const side *gold, const side *answer,
				   rstar_grade_result *result)
{
	size_t n = 0;
	side first = *answer;

	while (n < answer->text.length && n < 6 && (answer->text.at[n] | 32) >= 'a' &&
		   (answer->text.at[n] | 32) <= 'z')
		n++;
	if (n == 0 || n >= answer->text.length || !strchr(",.;:", answer->text.at[n]))
		return false;
	first.text.length = n;
	read_side(work, &first);
	if (compare_readings(work, gold, &first, result) && result->rule == RSTAR_RULE_BOOLEAN)
		return true;
	result->equal = false; /* the first word of a list is not the list */
	return false;
}

/* Texts too long to be read: digit by digit, else sign by sign. */
static bool
compare_long(rstar_work *work, const side *gold, const side *answer)
{
	bool equal = false;

	if (compare_numerals(gold->text, answer->text, &equal))
		return equal;
	return gold->text.length / 2 < answer->text.length + 64 &&
		   answer->text.length / 2 < gold->text.length + 64 &&
		   same_text(work->arena, gold->text, answer->text, false);
}

/* The end of a text, where a sentence with the answer would be. */
static rstar_span
tail(rstar_span text)
{
	size_t skip = text.length > MAX_READ ? text.length - MAX_READ : 0;

	return (rstar_span){text.at + skip, text.length - skip};
}

/* A value, not merely words: those are a sentence themselves. */
static bool
reads_value(void *arg, rstar_span text)
{
	rstar_reading reading = {0};
	const rstar_expr *node = read_once(arg, text, reading, NULL);

	return node && !(node->kind == RSTAR_EXPR_NAME && node->op == RSTAR_OP_WORDS);
}

/* What the text states to be the answer, where it cannot be read as an answer itself. */
static bool
find_stated(rstar_work *work, side *s)
{
	rstar_sentence_reader reader = {reads_value, work};
	rstar_span text = tail(s->text);

	if (s->how == RSTAR_EXTRACTED_BOX)
		return false;
	text = rstar_extract_unmark(work->arena, text);
	return rstar_extract_stated(&reader, text, s->how == RSTAR_EXTRACTED_MARKED, &s->text);
}

static bool
compare_sentence(rstar_work *work, const side *gold, side *answer, rstar_grade_result *result)
{
	if (gold->readings == 0 || answer->readings > 0 || !find_stated(work, answer))
		return false;
	read_side(work, answer);
	return compare_readings(work, gold, answer, result);
}

/*
 * From the strictest rule to the weakest: the same bytes, the same mathematics, the same text, the same choice,
 * a word such as yes before a reason, and last what a sentence states.
 */
static void
grade(rstar_work *work, rstar_span gold_text, rstar_span answer_text, rstar_grade_result *result)
{
	side gold, answer;

	gold.how = rstar_extract_marked(work->arena, gold_text, &gold.text);
	answer.how = rstar_extract_marked(work->arena, answer_text, &answer.text);
	if (gold.text.length == 0 || answer.text.length == 0)
		return;
	result->rule = RSTAR_RULE_IDENTICAL;
	result->equal = same_bytes(gold.text, answer.text);
	if (result->equal)
		return;
	read_side(work, &gold);
	read_side(work, &answer);
	if (compare_readings(work, &gold, &answer, result))
		return;
	result->rule = RSTAR_RULE_TEXT;
	if (gold.text.length > MAX_READ || answer.text.length > MAX_READ)
	{
		result->equal = compare_long(work, &gold, &answer);
		if (!result->equal && gold.text.length <= MAX_READ)
			compare_sentence(work, &gold, &answer, result);
		return;
	}
	result->equal =
		same_text(work->arena, gold.text, answer.text, gold.readings == 0 || answer.readings == 0);
	if (result->equal)
		return;
	result->equal = compare_choice(&gold, &answer, tail(rstar_span_trim(answer_text)));
	if (result->equal)
	{
		result->rule = RSTAR_RULE_CHOICE;
		return;
	}
	if (!compare_first_word(work, &gold, &answer, result))
		compare_sentence(work, &gold, &answer, result);
}

rstar_grade_result
rstar_grade_compare(const rstar_allocator *allocator, const char *gold, size_t gold_length,
					const char *answer, size_t answer_length)
{
	rstar_grade_result result = {false, false, RSTAR_RULE_NONE};
	rstar_arena arena;
	rstar_work work = {&arena, FUEL};

	rstar_arena_init(&arena, allocator, ARENA_LIMIT);
	grade(&work, (rstar_span){gold, gold_length}, (rstar_span){answer, answer_length}, &result);
	if (work.fuel < 0 && !result.equal)
		result.undecided = true;
	rstar_arena_reset(&arena);
	return result;
}

const char *
rstar_grade_extract(rstar_arena *arena, const char *text, size_t text_length, size_t *length)
{
	rstar_work work = {arena, FUEL};
	side s = {0};

	s.how = rstar_extract_marked(arena, (rstar_span){text, text_length}, &s.text);
	if (s.how != RSTAR_EXTRACTED_BOX && s.text.length > 0)
	{
		side stated = s;

		read_side(&work, &s);
		if (s.readings == 0 && find_stated(&work, &stated))
			s.text = stated.text;
	}
	*length = s.text.length;
	return s.text.at;
}

/* --- normalisation and kinds ------------------------------------------------------------ */

static bool print(rstar_work *work, const rstar_expr *node, rstar_buffer *out);

static bool
print_children(rstar_work *work, const rstar_expr *node, const char *separator, rstar_buffer *out)
{
	for (uint32_t i = 0; i < node->count; i++)
		if ((i > 0 && !rstar_buffer_append_text(out, separator)) ||
			!print(work, node->child[i], out))
			return false;
	return true;
}

/* Numbers and what is made of them; false for anything else. */
static bool
print(rstar_work *work, const rstar_expr *node, rstar_buffer *out)
{
	rstar_rational value;
	const char *num, *den;

	if (rstar_value_exact(work, node, &value) && rstar_rational_reduce(work, &value))
	{
		num = rstar_int_text(work, &value.num);
		den = rstar_int_text(work, &value.den);
		if (!num || !den || !rstar_buffer_append_text(out, num))
			return false;
		return strcmp(den, "1") == 0 ||
			   (rstar_buffer_append_text(out, "/") && rstar_buffer_append_text(out, den));
	}
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_LIST:
			return print_children(work, node, node->op == ';' ? ";" : ",", out);
		case RSTAR_EXPR_SET:
			return rstar_buffer_append_text(out, "{") && print_children(work, node, ",", out) &&
				   rstar_buffer_append_text(out, "}");
		case RSTAR_EXPR_TUPLE:
			return rstar_buffer_printf(out, "%c", node->open == '<' ? '(' : node->open) &&
				   print_children(work, node, ",", out) &&
				   rstar_buffer_printf(out, "%c", node->close == ']' ? ']' : ')');
		case RSTAR_EXPR_NAME:
			return rstar_buffer_append(out, node->text, node->length);
		case RSTAR_EXPR_RELATION:
			return node->count == 2 && node->relation[0] == '=' &&
				   node->child[0]->kind == RSTAR_EXPR_NAME && print_children(work, node, "=", out);
		default:
			return false;
	}
}

bool
rstar_grade_normalize(const rstar_allocator *allocator, const char *text, size_t text_length,
					  rstar_buffer *out)
{
	rstar_arena arena;
	rstar_work work = {&arena, FUEL};
	rstar_span plain;
	side s;
	bool done;

	rstar_arena_init(&arena, allocator, ARENA_LIMIT);
	s.text.at = rstar_grade_extract(&arena, text, text_length, &s.text.length);
	read_side(&work, &s);
	rstar_buffer_clear(out);
	done = s.readings > 0 && print(&work, s.node[0], out);
	if (!done)
	{
		rstar_buffer_clear(out);
		done = rstar_plain_text(&arena, s.text, false, &plain) &&
			   rstar_buffer_append(out, plain.at, plain.length);
	}
	rstar_arena_reset(&arena);
	return done;
}

/* The name of the rule that would compare two trees like this one. */
static rstar_grade_rule
kind_of(rstar_work *work, const rstar_expr *node)
{
	const rstar_expr *name, *value;
	rstar_rational exact;

	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_LIST:
		case RSTAR_EXPR_PLUSMINUS:
			return RSTAR_RULE_LIST;
		case RSTAR_EXPR_SET:
			return RSTAR_RULE_SET;
		case RSTAR_EXPR_TUPLE:
			return RSTAR_RULE_TUPLE;
		case RSTAR_EXPR_MATRIX:
			return RSTAR_RULE_MATRIX;
		case RSTAR_EXPR_COMBINE:
		case RSTAR_EXPR_NUMBERS:
			return RSTAR_RULE_INTERVAL;
		case RSTAR_EXPR_PERCENT:
			return RSTAR_RULE_PERCENT;
		case RSTAR_EXPR_DEGREE:
			return RSTAR_RULE_DEGREE;
		case RSTAR_EXPR_UNIT:
			return RSTAR_RULE_UNIT;
		case RSTAR_EXPR_RATIO:
			return RSTAR_RULE_RATIO;
		case RSTAR_EXPR_TIME:
			return RSTAR_RULE_TIME;
		case RSTAR_EXPR_BASED:
			return RSTAR_RULE_BASE;
		case RSTAR_EXPR_RELATION:
			if (rstar_expr_assignment(node, &name, &value))
				return RSTAR_RULE_EQUATION;
			return node->relation[0] == '=' ? RSTAR_RULE_EQUATION : RSTAR_RULE_INEQUALITY;
		case RSTAR_EXPR_NAME:
			return node->length > 1 ? RSTAR_RULE_TEXT : RSTAR_RULE_CHOICE;
		default:
			return rstar_value_exact(work, node, &exact) ? RSTAR_RULE_NUMBER
														 : RSTAR_RULE_EXPRESSION;
	}
}

rstar_grade_rule
rstar_grade_kind(const rstar_allocator *allocator, const char *text, size_t length)
{
	rstar_grade_rule rule = RSTAR_RULE_NONE;
	rstar_arena arena;
	rstar_work work = {&arena, FUEL};
	side s;

	rstar_arena_init(&arena, allocator, ARENA_LIMIT);
	s.how = rstar_extract_marked(&arena, (rstar_span){text, length}, &s.text);
	if (s.text.length > 0)
	{
		read_side(&work, &s);
		rule = s.readings > 0 ? kind_of(&work, s.node[0]) : RSTAR_RULE_TEXT;
	}
	rstar_arena_reset(&arena);
	return rule;
}

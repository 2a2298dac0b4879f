/*
 * grade.h
 *	  Is this answer the known answer?
 *
 * Rewards in the search are only as good as this comparison, and a false accept
 * is worse than a false reject: it puts a wrong solution into the training data.
 * So the rules are mathematics, each with an exact meaning, and what none of them
 * decides is unequal.
 *
 * An answer is extracted from its text (rstar_grade_extract), read as mathematics
 * where it can be (lex.h, parse.h), and compared by the rule of its kind. It is read whole
 * or not at all: a text that is no known form of answer equals only itself. Unicode
 * signs, Markdown, quotes, and what SymPy (1.11 to 1.14) and Python print are read like
 * the LaTeX that means the same. What counts as equal, and why:
 *
 *  number      The same rational number, of any size: 1/2, 0.5, \frac12, 073 and 73,
 *              11,\!111 and 11111, 1.2 \times 10^5. Exact, no tolerance: 123456788 is
 *              not 123456789, 0.33 is not 1/3, for a rounded value is another number.
 *  decimal     The one exception: a decimal of 12 or more significant digits is what a
 *              program prints for a number that has no finite decimal. It equals a value that
 *              rounds (or is cut off) to these very digits, and from 15 digits on one that differs
 *              by the rounding noise of binary doubles (2^-48 of its size).
 *  expression  The same function: \sqrt{117} and 3\sqrt{13}, 2\ln 2 and \ln 4,
 *              1-\cos^2 x and \sin^2 x, 1+2i and i(2-i). Rational functions by their
 *              values modulo two primes at pseudo-random points; what has roots or
 *              transcendental functions by values with proven error bounds, to 30
 *              digits, at 6 points or more; \sqrt{x^2} is not x. \log without a base is
 *              whichever of the natural and the decimal logarithm the other answer uses.
 *              A point at which only one side is real decides nothing (ln x, ln|x|).
 *  percent     28\% equals 28\%, 28 (the question said "what percent") and 0.28.
 *  degree      90^\circ equals 90 degrees, 90 and \pi/2.
 *  unit        See unit.h: 12 cm is not 12 m but is 0.12 m; 125 equals 125 miles; 1 hour 30
 *              minutes is 90 minutes. Currency signs are units. Words that make another number
 *              of the value are none: 5 halves is 5/2, 3 dozen 36, "5 squared" a text.
 *  list        a, b, c in any order, with multiplicity; "and", "or", semicolons
 *              and \pm make lists. A list is not a tuple, but x = 1, y = 2 is (1, 2),
 *              and three or more numbers without brackets are a tuple in their order.
 *  set         \{a, b\}: any order, without multiplicity; equal to a list of the same.
 *              [a, b], as Python prints a list, is a list to a list; to a set only where
 *              it cannot be an interval. {x: 2, y: 3} is x = 2, y = 3.
 *  tuple       (a, b), component by component, order matters. With two components the
 *              brackets matter: [0,1) is not [0,1]. A column matrix is a tuple.
 *  interval    Intervals, rays, unions, intersections, differences, x \in ..,
 *              inequalities about one name, joined by \wedge and \vee: the same set of real
 *              numbers.
 *  matrix      The same shape and entries, after sums, products, powers, inverses and
 *              transposes are carried out (matrix.h); a determinant is a number.
 *  equation    name = value is the value, to whoever answers with a value alone. Else
 *              both sides' differences are proportional: y = 2x+1, y-3 = 2(x-1). A chain
 *              with names in the middle is compared member by member.
 *  inequality  As a set of numbers if it is one, else the same up to a positive factor.
 *  ratio       3:4 equals 6:8 and 3/4, not 4:3.
 *  time        4:57 PM equals 16:57; 20:34 equals 20:34:00. A missing AM or PM in
 *              the known answer is forgiven, in the answer it is not.
 *  base        2102_8 equals (2102)_{8}, "2102 base 8", 0o2102 and other based numerals of
 *              the same value; not 2102, and not the value in base ten.
 *  choice      A known answer of one letter: (C), C., "option C", \text{(C)}; not where the
 *              letter is denied or one of several.
 *  boolean     yes is true, no is false.
 *  text        Words without regard to case, spacing, fonts and final punctuation.
 *
 * Equality is reflexive for every answer that is not empty (an identical text is
 * equal before any rule is asked) and symmetric except for time (AM, PM), choice,
 * the letters s, m, g, h, L right behind a number, which are a unit if the known
 * answer is a plain number, i, a variable if the known answer has a power of it, and equations
 * of numbers, which must be true where they are the answer. It is not transitive (28 and 0.28 both equal 28\%), so
 * classes of answers are formed against a representative.
 *
 * All of it is deterministic and bounded: no input takes more than about 50 ms or
 * some 40 MB, and nothing is ever computed that the text only describes (9^{9^{9^9}}).
 * What runs out of budget is unequal.
 */
#ifndef RSTAR_GRADE_GRADE_H
#define RSTAR_GRADE_GRADE_H

#include "core/base/memory.h"

typedef enum rstar_grade_rule
{
	RSTAR_RULE_NONE,
	RSTAR_RULE_IDENTICAL,
	RSTAR_RULE_NUMBER,
	RSTAR_RULE_DECIMAL,
	RSTAR_RULE_EXPRESSION,
	RSTAR_RULE_PERCENT,
	RSTAR_RULE_DEGREE,
	RSTAR_RULE_UNIT,
	RSTAR_RULE_LIST,
	RSTAR_RULE_SET,
	RSTAR_RULE_TUPLE,
	RSTAR_RULE_INTERVAL,
	RSTAR_RULE_MATRIX,
	RSTAR_RULE_EQUATION,
	RSTAR_RULE_INEQUALITY,
	RSTAR_RULE_RATIO,
	RSTAR_RULE_TIME,
	RSTAR_RULE_BASE,
	RSTAR_RULE_CHOICE,
	RSTAR_RULE_BOOLEAN,
	RSTAR_RULE_TEXT,
	RSTAR_RULE_COUNT
} rstar_grade_rule;

typedef struct rstar_grade_result
{
	bool equal;
	bool undecided; /* perhaps equal: a sum or integral unevaluated, errors too large, no budget */
	rstar_grade_rule rule;
} rstar_grade_result;

/* Never fails; when memory is out the answers are unequal. */
extern rstar_grade_result rstar_grade_compare(const rstar_allocator *allocator, const char *gold,
											  size_t gold_length, const char *answer,
											  size_t answer_length);

/*
 * The answer within a text: the last \boxed{} (several, when nothing but a comma or a
 * conjunction, with a few words before it, stands between them), unless a "final answer"
 * follows it; else what stands in the last <answer> tag, behind the last #### or behind the last
 * "answer is", "answer:" or heading "Answer". A text that can be read as an answer as it stands
 * is returned whole. Of any other the value that its last sentence states to be the
 * answer is (extract_sentence.c), else the text whole. *length is 0 for an empty box.
 * The result points into text, or into the arena where boxes were joined or emphasis removed.
 */
extern const char *rstar_grade_extract(rstar_arena *arena, const char *text, size_t text_length,
									   size_t *length);

/*
 * One spelling for answers that are written alike: \dfrac{1}{2} gives 1/2,
 * "$ x = 3. $" gives x=3. False only when memory is out.
 */
extern bool rstar_grade_normalize(const rstar_allocator *allocator, const char *text,
								  size_t text_length, rstar_buffer *out);

/* The kind a text is read as, for reports; the name of a rule. */
extern rstar_grade_rule rstar_grade_kind(const rstar_allocator *allocator, const char *text,
										 size_t length);
extern const char *rstar_grade_rule_name(rstar_grade_rule rule);

#endif

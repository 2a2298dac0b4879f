/*
 * lex.h
 *	  Tokens of an answer, written in LaTeX, in plain notation or in both.
 *
 * Answers arrive as `\dfrac{1}{2}`, `1/2`, `\text{(B)}`, `11,\! 111`,
 * `x \in [0, \infty)`, `4:57 PM`, `2*x**3`, `\cosx` (a data set that took its
 * spaces out) or `3 miles`. The lexer removes what only concerns the looks
 * (`\left`, `\,`, `\displaystyle`, `$`, fonts) and decides what a grammar cannot:
 *
 * - which commas belong to a number. `1,000` is one number outside brackets
 *   and two inside; `14{,}916` and `11,\!111` are always one. A reading
 *   (rstar_reading) says how a bare comma is to be taken, so that the caller can
 *   try both.
 * - which letters are words. Runs in \text{}, known words, and runs of four or
 *   more letters are words; `xy` is a product; `sinx` is a function of x.
 * - which commands are run together with what follows them: `\cosx`.
 *
 * - which names begin what SymPy and Python print: `Interval(`, `Matrix(`, `Abs(`.
 * - which words are numbers: `twenty-one`, `two thirds`, `5 halves`, `3rd`.
 *
 * Unicode is folded into ASCII and LaTeX before (fold.h). One pass, linear in the length (a
 * bounded look-ahead at each byte).
 */
#ifndef RSTAR_GRADE_LEX_H
#define RSTAR_GRADE_LEX_H

#include "core/grade/integer.h"

typedef enum rstar_token_kind
{
	RSTAR_TOKEN_END,
	RSTAR_TOKEN_NUMBER,   /* text: digits, at most one '.', perhaps e+n; repeat: see below */
	RSTAR_TOKEN_LETTER,   /* text: one letter, or the name of a Greek one */
	RSTAR_TOKEN_WORD,     /* text: letters (and digits) */
	RSTAR_TOKEN_FUNCTION, /* id: rstar_function */
	RSTAR_TOKEN_CONSTANT, /* id: rstar_constant */
	RSTAR_TOKEN_BIG,      /* \sum, \int, ...: text is the name */
	RSTAR_TOKEN_BUILD,    /* a name that SymPy or Python prints before (: id: rstar_build */
	RSTAR_TOKEN_MARK      /* id: an ASCII character or rstar_mark */
} rstar_token_kind;

typedef enum rstar_constant
{
	RSTAR_CONSTANT_PI,
	RSTAR_CONSTANT_E,
	RSTAR_CONSTANT_I,
	RSTAR_CONSTANT_INFINITY
} rstar_constant;

typedef enum rstar_function
{
	RSTAR_FUNCTION_SIN,
	RSTAR_FUNCTION_COS,
	RSTAR_FUNCTION_TAN,
	RSTAR_FUNCTION_COT,
	RSTAR_FUNCTION_SEC,
	RSTAR_FUNCTION_CSC,
	RSTAR_FUNCTION_ASIN,
	RSTAR_FUNCTION_ACOS,
	RSTAR_FUNCTION_ATAN,
	RSTAR_FUNCTION_ACOT,
	RSTAR_FUNCTION_ASEC,
	RSTAR_FUNCTION_ACSC,
	RSTAR_FUNCTION_SINH,
	RSTAR_FUNCTION_COSH,
	RSTAR_FUNCTION_TANH,
	RSTAR_FUNCTION_COTH,
	RSTAR_FUNCTION_LN,
	RSTAR_FUNCTION_LOG, /* base unstated unless it has a second argument */
	RSTAR_FUNCTION_LG,
	RSTAR_FUNCTION_EXP,
	RSTAR_FUNCTION_SQRT, /* second argument: the index of the root */
	RSTAR_FUNCTION_ABS,
	RSTAR_FUNCTION_FLOOR,
	RSTAR_FUNCTION_CEIL,
	RSTAR_FUNCTION_FACTORIAL,
	RSTAR_FUNCTION_BINOMIAL,
	RSTAR_FUNCTION_GCD,
	RSTAR_FUNCTION_LCM,
	RSTAR_FUNCTION_MAX,
	RSTAR_FUNCTION_MIN,
	RSTAR_FUNCTION_DET
} rstar_function;

/* What Python and SymPy print as a call, by what it makes: see parse_python.c. */
typedef enum rstar_build
{
	RSTAR_BUILD_VALUE, /* Integer(5), Decimal('1.5'), Poly(x, x): the first argument */
	RSTAR_BUILD_QUOTIENT,
	RSTAR_BUILD_ADD,
	RSTAR_BUILD_MUL,
	RSTAR_BUILD_POW,
	RSTAR_BUILD_MOD,
	RSTAR_BUILD_EQ,
	RSTAR_BUILD_NE,
	RSTAR_BUILD_LT,
	RSTAR_BUILD_LE,
	RSTAR_BUILD_GT,
	RSTAR_BUILD_GE,
	RSTAR_BUILD_IN,
	RSTAR_BUILD_MAPS_TO,
	RSTAR_BUILD_AND,
	RSTAR_BUILD_OR,
	RSTAR_BUILD_CLOSED, /* intervals */
	RSTAR_BUILD_OPEN,
	RSTAR_BUILD_LEFT_OPEN,
	RSTAR_BUILD_RIGHT_OPEN,
	RSTAR_BUILD_SET,
	RSTAR_BUILD_UNION,
	RSTAR_BUILD_INTERSECTION,
	RSTAR_BUILD_COMPLEMENT,
	RSTAR_BUILD_RANGE,
	RSTAR_BUILD_IMAGE_SET,
	RSTAR_BUILD_CONDITION_SET,
	RSTAR_BUILD_MATRIX,
	RSTAR_BUILD_TUPLE,
	RSTAR_BUILD_COLLECTION, /* set([1, 2]) */
	RSTAR_BUILD_PIECEWISE,
	RSTAR_BUILD_SUM,
	RSTAR_BUILD_PRODUCT,
	RSTAR_BUILD_INTEGRAL,
	RSTAR_BUILD_CBRT,
	RSTAR_BUILD_ROOT,
	RSTAR_BUILD_CONJUGATE,
	RSTAR_BUILD_ASINH,
	RSTAR_BUILD_ACOSH,
	RSTAR_BUILD_ATANH,
	RSTAR_BUILD_SECH,
	RSTAR_BUILD_CSCH
} rstar_build;

typedef enum rstar_mark
{
	RSTAR_MARK_LE = 256,
	RSTAR_MARK_GE,
	RSTAR_MARK_NE,
	RSTAR_MARK_APPROX,
	RSTAR_MARK_EQUIV,
	RSTAR_MARK_IN,
	RSTAR_MARK_PM,
	RSTAR_MARK_MP,
	RSTAR_MARK_CUP,
	RSTAR_MARK_CAP,
	RSTAR_MARK_SETMINUS,
	RSTAR_MARK_FRAC,
	RSTAR_MARK_SQRT,
	RSTAR_MARK_BINOM,
	RSTAR_MARK_OVER,
	RSTAR_MARK_POWER, /* ** */
	RSTAR_MARK_SET_OPEN,
	RSTAR_MARK_SET_CLOSE,
	RSTAR_MARK_ANGLE_OPEN,
	RSTAR_MARK_ANGLE_CLOSE,
	RSTAR_MARK_FLOOR_OPEN,
	RSTAR_MARK_FLOOR_CLOSE,
	RSTAR_MARK_CEIL_OPEN,
	RSTAR_MARK_CEIL_CLOSE,
	RSTAR_MARK_BAR_OPEN,  /* \left|, \lvert */
	RSTAR_MARK_BAR_CLOSE, /* \right|, \rvert */
	RSTAR_MARK_MID,
	RSTAR_MARK_BEGIN, /* text: the name of the environment */
	RSTAR_MARK_END,
	RSTAR_MARK_ROW, /* \\ */
	RSTAR_MARK_DEGREE,
	RSTAR_MARK_PERCENT,
	RSTAR_MARK_CURRENCY, /* text: dollar, euro, pound, yen, rupee */
	RSTAR_MARK_OVERLINE,
	RSTAR_MARK_ACCENT, /* \hat and the like: text is the name */
	RSTAR_MARK_PRIME,
	RSTAR_MARK_AND,
	RSTAR_MARK_OR,
	RSTAR_MARK_WEDGE, /* \wedge: both hold */
	RSTAR_MARK_VEE,   /* \vee: one of them holds */
	RSTAR_MARK_DOTS,
	RSTAR_MARK_ARROW,
	RSTAR_MARK_MOD,
	RSTAR_MARK_EMPTYSET,
	RSTAR_MARK_NUMBERS, /* \mathbb{R}: text is the letter */
	RSTAR_MARK_ANGLE,   /* \angle, \triangle: text is the name */
	RSTAR_MARK_OPERATOR /* some other sign: text is its name */
} rstar_mark;

typedef struct rstar_token
{
	uint8_t kind;
	bool spaced;  /* white space before it */
	bool in_text; /* inside \text{} */
	uint16_t id;
	uint32_t length;
	uint32_t repeat;  /* of a number: how many last digits repeat for ever */
	uint32_t base;    /* of a number: 0b101, else 0 */
	const char *text; /* not NUL-terminated; in the arena or in the source */
} rstar_token;

/* How to read what can be read in more ways than one. */
typedef struct rstar_reading
{
	bool list_commas;   /* 1,000 is a list of two numbers */
	bool decimal_comma; /* 1,22 is a decimal */
	bool letter_units;  /* 3s is three seconds */
	bool capitals;      /* E and I are constants, as SymPy prints them */
} rstar_reading;

/* What the lexer saw that another reading would take otherwise. */
typedef struct rstar_ambiguity
{
	bool thousands;     /* a bare comma was taken into a number */
	bool decimal_comma; /* a number, a comma, digits, and nothing else like it */
	bool letter_units;
	bool capitals; /* a lone E or I, and no command */
} rstar_ambiguity;

typedef struct rstar_tokens
{
	rstar_token *token; /* the last is RSTAR_TOKEN_END */
	size_t count;
	rstar_ambiguity ambiguity;
} rstar_tokens;

/* False when memory is out or a byte sequence cannot be part of an answer. */
extern bool rstar_lex(rstar_work *work, const char *text, size_t length, rstar_reading reading,
					  rstar_tokens *out);

#endif

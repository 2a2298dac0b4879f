/*
 * parse.h
 *	  The tree of an answer.
 *
 * A recursive-descent parser over the tokens of lex.h. Its depth, and that of its trees, is
 * bounded by RSTAR_PARSE_MAX_DEPTH and _CHAIN, its work is linear in the number of tokens; whatever
 * does not fit the grammar gives no tree, and the answer is then text.
 *
 *	  answer    := list END
 *	  list      := group { ";" group }
 *	  group     := item { ("," | "and" | "or" | ", and") item }
 *	  item      := relation [unit { [and] number unit }] | time
 *	  relation  := chain { (wedge | vee) chain }     or & and | between brackets
 *	  chain     := ratio { relop ratio }             relop: = < > <= >= != ~ in
 *	  ratio     := union { ":" union }
 *	  union     := sum { (cup | cap | setminus) sum }
 *	  sum       := [sign] term { (+ | - | +-) term }
 *	  term      := factor { [* | /] factor }         no sign: implicit product
 *	  factor    := [sign] postfix [^ exponent]
 *	  postfix   := primary { ! | % | degrees | ' | _ subscript }
 *	  primary   := number | name | constant | function argument | \frac.. | \sqrt..
 *	             | ( list ) | [ list ] | \{ list \} | |sum| | matrix | words
 *	             | SymPyName ( item { , item } ) | ...
 */
#ifndef RSTAR_GRADE_PARSE_H
#define RSTAR_GRADE_PARSE_H

#include "core/grade/lex.h"
#include "core/grade/unit.h"

#define RSTAR_PARSE_MAX_DEPTH 200
#define RSTAR_PARSE_MAX_CHAIN 256 /* what nests to the left, in all: 5!!!, a/b/c, A \cup B \cup C */

typedef enum rstar_expr_kind
{
	RSTAR_EXPR_NUMBER,    /* text, repeat: see rstar_token */
	RSTAR_EXPR_NAME,      /* a variable, or (RSTAR_OP_WORDS) words: text, hash */
	RSTAR_EXPR_CONSTANT,  /* op: rstar_constant */
	RSTAR_EXPR_SUM,       /* children */
	RSTAR_EXPR_PRODUCT,   /* children; op: RSTAR_OP_APPLIED */
	RSTAR_EXPR_NEGATIVE,  /* 1 child */
	RSTAR_EXPR_QUOTIENT,  /* 2 children; op 1: a mixed number's fraction was proper */
	RSTAR_EXPR_POWER,     /* 2 children */
	RSTAR_EXPR_CALL,      /* op: rstar_function; children are arguments */
	RSTAR_EXPR_APPLY,     /* an unknown function: text, hash; children are arguments */
	RSTAR_EXPR_PLUSMINUS, /* 1 child; op: RSTAR_OP_MINUS_PLUS */
	RSTAR_EXPR_PERCENT,   /* 1 child */
	RSTAR_EXPR_DEGREE,    /* 1 child */
	RSTAR_EXPR_BASED,     /* text: the digits; base */
	RSTAR_EXPR_TUPLE,     /* children between open and close: '(' '[' or '<' */
	RSTAR_EXPR_SET,       /* children between braces */
	RSTAR_EXPR_LIST,      /* children; op: ',' ';' or 's' (the lines of an environment) */
	RSTAR_EXPR_COMBINE,   /* 2 children; op: RSTAR_MARK_CUP, _CAP, _SETMINUS */
	RSTAR_EXPR_NUMBERS,   /* \mathbb{..}; op: the letter */
	RSTAR_EXPR_MATRIX,    /* children row by row; columns; op 1: vertical bars */
	RSTAR_EXPR_RELATION,  /* children; relation[i] stands between i and i + 1 */
	RSTAR_EXPR_RATIO,     /* children */
	RSTAR_EXPR_TIME,      /* clock: seconds since midnight; op: see rstar_time */
	RSTAR_EXPR_UNIT       /* 1 child and unit */
} rstar_expr_kind;

/* Values of op that say how something was written. */
#define RSTAR_OP_WORDS      1 /* NAME: words, which multiply nothing */
#define RSTAR_OP_APPLIED    1 /* PRODUCT: a name before a bracket, perhaps h(x) */
#define RSTAR_OP_MINUS_PLUS 1 /* PLUSMINUS: \mp */

#define RSTAR_OP_INTERVAL 1 /* TUPLE: surely an interval */

/* Seeds of hashes: equal texts in different roles must differ. */
typedef enum rstar_seed
{
	RSTAR_SEED_NAME,
	RSTAR_SEED_WORDS,
	RSTAR_SEED_BUILDER, /* { f(x) | condition } */
	RSTAR_SEED_APPLY,   /* an unknown function */
	RSTAR_SEED_BIG,     /* \sum and the like; + 1: bound below, + 2: bound above */
	RSTAR_SEED_SUBSCRIPT = RSTAR_SEED_BIG + 4,
	RSTAR_SEED_MODULUS, /* behind a residue: (mod 7) */
	RSTAR_SEED_CALLED,  /* f(x, y): a name before a tuple */
	RSTAR_SEED_DOTS,
	RSTAR_SEED_POWER, /* of no integral exponent */
	RSTAR_SEED_CONSTANT,
	RSTAR_SEED_CALL,
	RSTAR_SEED_COLLECTION,
	RSTAR_SEED_I /* i as a variable */
} rstar_seed;

typedef enum rstar_time
{
	RSTAR_TIME_PLAIN, /* 4:57 */
	RSTAR_TIME_HALF   /* 4:57 PM: clock is the time of the whole day */
} rstar_time;

typedef struct rstar_expr rstar_expr;

struct rstar_expr
{
	uint8_t kind;
	uint8_t open;
	uint8_t close;
	uint16_t op;
	uint32_t count; /* of children */
	uint32_t length;
	uint32_t repeat;
	uint32_t columns; /* of a matrix; base of a based number */
	int32_t clock;
	const rstar_expr **child;
	const uint16_t *relation;
	const char *text;
	uint64_t hash; /* of a name: equal names have equal hashes */
	const rstar_unit *unit;
};

/* NULL when the tokens are no answer of this grammar, or a limit was reached. */
extern const rstar_expr *rstar_parse(rstar_work *work, const rstar_tokens *tokens);

/* Building blocks, for rules that make trees of their own. NULL: out of memory. */
extern rstar_expr *rstar_expr_make(rstar_work *work, rstar_expr_kind kind, size_t children);
extern const rstar_expr *rstar_expr_number(rstar_work *work, int64_t value);
extern const rstar_expr *rstar_expr_binary(rstar_work *work, rstar_expr_kind kind,
										   const rstar_expr *a, const rstar_expr *b);
extern const rstar_expr *rstar_expr_unary(rstar_work *work, rstar_expr_kind kind,
										  const rstar_expr *a);

/* 64-bit hash of bytes, used for names: FNV-1a and a finalizer. */
extern uint64_t rstar_hash_bytes(uint64_t seed, const void *bytes, size_t length);
extern uint64_t rstar_hash_mix(uint64_t a, uint64_t b);

#endif

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
 *	  item      := relation [unit] | time
 *	  relation  := ratio { relop ratio }             relop: = < > <= >= != ~ in
 *	  ratio     := union { ":" union }
 *	  union     := sum { (cup | cap | setminus) sum }
 *	  sum       := [sign] term { (+ | - | +-) term }
 *	  term      := factor { [* | /] factor }         no sign: implicit product
 *	  factor    := [sign] postfix [^ exponent]
 *	  postfix   := primary { ! | % | degrees | ' | _ subscript }
 *	  primary   := number | name | constant | function argument | \frac.. | \sqrt..
 *	             | ( list ) | [ list ] | \{ list \} | |sum| | matrix | words | ...
 */
#ifndef RSTAR_GRADE_PARSE_H
#define RSTAR_GRADE_PARSE_H

#include "core/grade/lex.h"
#include "core/grade/unit.h"

#define RSTAR_PARSE_MAX_DEPTH 200
#define RSTAR_PARSE_MAX_CHAIN 256 /* what nests to the left, in all: 5!!!, a/b/c, A \cup B \cup C */

typedef enum rstar_node_kind
{
	RSTAR_NODE_NUMBER,    /* text, repeat: see rstar_token */
	RSTAR_NODE_NAME,      /* a variable, or (op 1) words: text, hash */
	RSTAR_NODE_CONSTANT,  /* op: rstar_constant */
	RSTAR_NODE_SUM,       /* children */
	RSTAR_NODE_PRODUCT,   /* children; op 1: written as a name before a bracket, f(x) */
	RSTAR_NODE_NEGATIVE,  /* 1 child */
	RSTAR_NODE_QUOTIENT,  /* 2 children; op 1: a mixed number's fraction was proper */
	RSTAR_NODE_POWER,     /* 2 children */
	RSTAR_NODE_CALL,      /* op: rstar_function; children are arguments */
	RSTAR_NODE_APPLY,     /* an unknown function: text, hash; children are arguments */
	RSTAR_NODE_PLUSMINUS, /* 1 child; op 1: \mp */
	RSTAR_NODE_PERCENT,   /* 1 child */
	RSTAR_NODE_DEGREE,    /* 1 child */
	RSTAR_NODE_BASED,     /* text: the digits; base */
	RSTAR_NODE_TUPLE,     /* children between open and close: '(' '[' or '<' */
	RSTAR_NODE_SET,       /* children between braces */
	RSTAR_NODE_LIST,      /* children; op: ',' ';' or 's' (the lines of an environment) */
	RSTAR_NODE_COMBINE,   /* 2 children; op: RSTAR_MARK_CUP, _CAP, _SETMINUS */
	RSTAR_NODE_NUMBERS,   /* \mathbb{..}; op: the letter */
	RSTAR_NODE_MATRIX,    /* children row by row; columns; op 1: vertical bars */
	RSTAR_NODE_RELATION,  /* children; relation[i] stands between i and i + 1 */
	RSTAR_NODE_RATIO,     /* children */
	RSTAR_NODE_TIME,      /* clock: seconds since midnight; op: see rstar_time */
	RSTAR_NODE_UNIT       /* 1 child and unit */
} rstar_node_kind;

typedef enum rstar_time
{
	RSTAR_TIME_PLAIN, /* 4:57 */
	RSTAR_TIME_HALF   /* 4:57 PM: clock is the time of the whole day */
} rstar_time;

typedef struct rstar_node rstar_node;

struct rstar_node
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
	const rstar_node **child;
	const uint16_t *relation;
	const char *text;
	uint64_t hash; /* of a name: equal names have equal hashes */
	const rstar_unit *unit;
};

/* NULL when the tokens are no answer of this grammar, or a limit was reached. */
extern const rstar_node *rstar_parse(rstar_work *work, const rstar_tokens *tokens);

/* Building blocks, for rules that make trees of their own. NULL: out of memory. */
extern rstar_node *rstar_node_make(rstar_work *work, rstar_node_kind kind, size_t children);
extern const rstar_node *rstar_node_number(rstar_work *work, int64_t value);
extern const rstar_node *rstar_node_binary(rstar_work *work, rstar_node_kind kind,
										   const rstar_node *a, const rstar_node *b);
extern const rstar_node *rstar_node_unary(rstar_work *work, rstar_node_kind kind,
										  const rstar_node *a);

/* 64-bit hash of bytes, used for names: FNV-1a and a finalizer. */
extern uint64_t rstar_hash_bytes(uint64_t seed, const void *bytes, size_t length);
extern uint64_t rstar_hash_mix(uint64_t a, uint64_t b);

#endif

/*
 * symbolic.c
 *	  Asking a computer algebra system: see symbolic.h.
 */
#include "core/grade/symbolic.h"

#include <string.h>

#include "core/grade/compare.h"
#include "core/grade/extract.h"
#include "core/grade/fold.h"

#define FUEL        8000000
#define ARENA_LIMIT (40 << 20)
#define MAX_READ    8192 /* bytes of an answer */
#define MAX_PROGRAM 65536

/* One-argument functions by their names in SymPy; NULL: written in another way. */
static const char *const calls[] = {
	"sin",       "cos",      "tan",  "cot",  "sec",  "csc",  "asin",  "acos",
	"atan",      "acot",     "asec", "acsc", "sinh", "cosh", "tanh",  "coth",
	"log",       NULL,       NULL,   "exp",  NULL,   "Abs",  "floor", "ceiling",
	"factorial", "binomial", "gcd",  "lcm",  "Max",  "Min",  NULL};

static const char program_head[] =
	"import sympy as S\n"
	"def V(h): return S.Symbol('v' + h, real=True)\n"
	"def N(p, q): return S.Rational(int(p), int(q))\n"
	"def F(h, *a): return S.Function('f' + h)(*a)\n"
	"def R(a, n): return S.real_root(a, n) if n.is_odd else S.root(a, n)\n"
	"def L(a, b): return S.log(a) / S.log(b)\n";

static const char program_tail[] = "d = S.simplify((g - a).doit())\n"
								   "if d != 0: d = S.simplify(S.expand_func(d.rewrite(S.gamma)))\n"
								   "print('equal' if d == 0 else 'unequal')\n";

typedef struct writer
{
	rstar_work *work;
	rstar_buffer *out;
} writer;

static bool write_node(writer *w, const rstar_expr *node);

static bool
put(writer *w, const char *text)
{
	return w->out->length < MAX_PROGRAM && rstar_buffer_append_text(w->out, text);
}

/* name(child, child, ...) */
static bool
write_call(writer *w, const char *name, const rstar_expr *const *child, uint32_t count)
{
	if (!put(w, name) || !put(w, "("))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if ((i > 0 && !put(w, ", ")) || !write_node(w, child[i]))
			return false;
	return put(w, ")");
}

static bool
write_exact(writer *w, const rstar_expr *node)
{
	rstar_rational value;
	const char *num, *den;

	if (!rstar_value_exact(w->work, node, &value))
		return false;
	num = rstar_int_text(w->work, &value.num);
	den = rstar_int_text(w->work, &value.den);
	return num && den && put(w, "N('") && put(w, num) && put(w, "', '") && put(w, den) &&
		   put(w, "')");
}

static bool
write_hash(writer *w, const char *function, uint64_t hash)
{
	return w->out->length < MAX_PROGRAM &&
		   rstar_buffer_printf(w->out, "%s('%016llx'", function, (unsigned long long) hash);
}

static bool
write_function(writer *w, const rstar_expr *node)
{
	const char *name = node->op < sizeof(calls) / sizeof(calls[0]) ? calls[node->op] : NULL;
	const rstar_expr *ten;

	switch (node->op)
	{
		case RSTAR_FUNCTION_SQRT:
			return write_call(w, node->count == 1 ? "S.sqrt" : "R", node->child, node->count);
		case RSTAR_FUNCTION_LOG:
			return write_call(w, node->count == 1 ? "S.log" : "L", node->child, node->count);
		case RSTAR_FUNCTION_LG:
			ten = rstar_expr_number(w->work, 10);
			return ten && put(w, "L(") && write_node(w, node->child[0]) && put(w, ", ") &&
				   write_node(w, ten) && put(w, ")");
		default:
			return name && put(w, "S.") && write_call(w, name, node->child, node->count);
	}
}

static bool
text_is(const rstar_expr *node, const char *text)
{
	return node->length == strlen(text) && memcmp(node->text, text, node->length) == 0;
}

/* "k = 1" below and "n" above; "x \to 0" below a limit */
static bool
write_range(writer *w, const rstar_expr *below, const rstar_expr *above)
{
	if (below->kind != RSTAR_EXPR_RELATION || below->count != 2 ||
		below->child[0]->kind != RSTAR_EXPR_NAME)
		return false;
	return put(w, "(") && write_node(w, below->child[0]) && put(w, ", ") &&
		   write_node(w, below->child[1]) && put(w, ", ") && write_node(w, above) && put(w, "))");
}

/* \int_a^b f dx: the last two factors are d and the variable. */
static bool
write_integral(writer *w, const rstar_expr *node)
{
	const rstar_expr *body = node->child[0];
	rstar_expr *integrand;
	uint32_t n = body->count;

	if (body->kind != RSTAR_EXPR_PRODUCT || n < 3 || node->count == 2 ||
		body->child[n - 1]->kind != RSTAR_EXPR_NAME ||
		body->child[n - 2]->kind != RSTAR_EXPR_NAME || !text_is(body->child[n - 2], "d"))
		return false;
	integrand = rstar_expr_make(w->work, RSTAR_EXPR_PRODUCT, 0);
	if (!integrand)
		return false;
	integrand->child = body->child;
	integrand->count = n - 2;
	if (!put(w, "S.Integral(") || !write_node(w, integrand) || !put(w, ", "))
		return false;
	if (node->count == 1)
		return write_node(w, body->child[n - 1]) && put(w, ")");
	return put(w, "(") && write_node(w, body->child[n - 1]) && put(w, ", ") &&
		   write_node(w, node->child[1]) && put(w, ", ") && write_node(w, node->child[2]) &&
		   put(w, "))");
}

static bool
write_apply(writer *w, const rstar_expr *node)
{
	if (node->text && text_is(node, "int"))
		return write_integral(w, node);
	if (node->text && (text_is(node, "sum") || text_is(node, "prod")))
		return node->count == 3 && put(w, text_is(node, "sum") ? "S.Sum(" : "S.Product(") &&
			   write_node(w, node->child[0]) && put(w, ", ") &&
			   write_range(w, node->child[1], node->child[2]);
	if (node->text && text_is(node, "lim"))
	{
		const rstar_expr *to = node->count == 2 ? node->child[1] : NULL;

		return to && to->kind == RSTAR_EXPR_RELATION && to->count == 2 &&
			   to->child[0]->kind == RSTAR_EXPR_NAME && put(w, "S.Limit(") &&
			   write_node(w, node->child[0]) && put(w, ", ") && write_node(w, to->child[0]) &&
			   put(w, ", ") && write_node(w, to->child[1]) && put(w, ", '+-')");
	}
	if (!write_hash(w, "F", node->hash))
		return false;
	for (uint32_t i = 0; i < node->count; i++)
		if (!put(w, ", ") || !write_node(w, node->child[i]))
			return false;
	return put(w, ")");
}

static bool
write_constant(writer *w, const rstar_expr *node)
{
	static const char *const names[] = {"S.pi", "S.E", "S.I", "S.oo"};

	return put(w, names[node->op]);
}

/* Constructors of SymPy, by recursion over the tree; false for what is no expression. */
static bool
write_node(writer *w, const rstar_expr *node)
{
	if ((w->work->fuel -= 100) < 0)
		return false;
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_NUMBER:
		case RSTAR_EXPR_BASED:
			return write_exact(w, node);
		case RSTAR_EXPR_NAME:
			return write_hash(w, "V", node->hash) && put(w, ")");
		case RSTAR_EXPR_CONSTANT:
			return write_constant(w, node);
		case RSTAR_EXPR_SUM:
			return write_call(w, "S.Add", node->child, node->count);
		case RSTAR_EXPR_PRODUCT:
			return write_call(w, "S.Mul", node->child, node->count);
		case RSTAR_EXPR_NEGATIVE:
			return put(w, "-") && write_call(w, "", node->child, 1);
		case RSTAR_EXPR_QUOTIENT:
			return put(w, "(") && write_node(w, node->child[0]) && put(w, ")/(") &&
				   write_node(w, node->child[1]) && put(w, ")");
		case RSTAR_EXPR_POWER:
			return write_call(w, "S.Pow", node->child, 2);
		case RSTAR_EXPR_PERCENT:
			return write_call(w, "", node->child, 1) && put(w, "/100");
		case RSTAR_EXPR_DEGREE:
			return write_call(w, "", node->child, 1) && put(w, "*S.pi/180");
		case RSTAR_EXPR_CALL:
			return write_function(w, node);
		case RSTAR_EXPR_APPLY:
			return write_apply(w, node);
		default:
			return false;
	}
}

/* The value an answer gives: without "name =". */
static const rstar_expr *
read_value(rstar_work *work, const char *text, size_t length)
{
	rstar_reading reading = {0};
	rstar_tokens tokens;
	rstar_span span;
	const rstar_expr *node, *name, *value;

	rstar_extract_marked(work->arena, (rstar_span){text, length}, &span);
	if (span.length == 0 || span.length > MAX_READ ||
		!rstar_fold_unicode(work->arena, &span.at, &span.length) ||
		!rstar_lex(work, span.at, span.length, reading, &tokens))
		return NULL;
	node = rstar_parse(work, &tokens);
	return node && rstar_expr_assignment(node, &name, &value) ? value : node;
}

bool
rstar_grade_symbolic_program(const rstar_allocator *allocator, const char *gold, size_t gold_length,
							 const char *answer, size_t answer_length, rstar_buffer *out)
{
	rstar_arena arena;
	rstar_work work = {&arena, FUEL};
	writer w = {&work, out};
	const rstar_expr *g, *a;
	bool done;

	rstar_arena_init(&arena, allocator, ARENA_LIMIT);
	g = read_value(&work, gold, gold_length);
	a = g ? read_value(&work, answer, answer_length) : NULL;
	done = a && put(&w, program_head) && put(&w, "g = ") && write_node(&w, g) &&
		   put(&w, "\na = ") && write_node(&w, a) && put(&w, "\n") && put(&w, program_tail);
	rstar_arena_reset(&arena);
	return done;
}

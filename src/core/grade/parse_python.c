/*
 * parse_python.c
 *	  Answers as SymPy and Python print them: Rational(1, 2), Interval(0, 5),
 *	  Matrix([[1, 2], [3, 4]]), Eq(x, 2), Piecewise((x, x > 0), (-x, True)).
 *
 * A name of the lexer's table and its arguments in brackets become the tree that the same
 * answer has in other notations. Arguments are items of this grammar; ones that only
 * steer SymPy (domain='ZZ') are not looked at.
 */
#include "core/grade/parse_internal.h"

#define NUMBER_COST 500  /* of the budget: a number of a range */
#define MAX_RANGE   1000 /* numbers of a Range that is written out */

typedef const rstar_expr *(*builder)(rstar_parser *p, const rstar_children *args);

static const rstar_expr *
fold(rstar_parser *p, const rstar_children *args, rstar_expr_kind kind)
{
	return args->count > 0 ? rstar_parser_collect_or_only(p, kind, args) : NULL;
}

static const rstar_expr *
value(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *const *item = args->item; /* in the arena, as all trees */

	(void) p;
	return item[0];
}

static const rstar_expr *
quotient(rstar_parser *p, const rstar_children *args)
{
	if (args->count == 1)
		return args->item[0];
	return rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT, args->item[0], args->item[1]);
}

static const rstar_expr *
add(rstar_parser *p, const rstar_children *args)
{
	return fold(p, args, RSTAR_EXPR_SUM);
}

static const rstar_expr *
multiply(rstar_parser *p, const rstar_children *args)
{
	return fold(p, args, RSTAR_EXPR_PRODUCT);
}

static const rstar_expr *
power(rstar_parser *p, const rstar_children *args)
{
	return rstar_expr_binary(p->work, RSTAR_EXPR_POWER, args->item[0], args->item[1]);
}

static const rstar_expr *
modulus(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *node =
		rstar_expr_binary(p->work, RSTAR_EXPR_APPLY, args->item[0], args->item[1]);

	if (node)
		((rstar_expr *) node)->hash = rstar_hash_bytes(RSTAR_SEED_MODULUS, "mod", 3);
	return node;
}

/* --- relations ------------------------------------------------------------------------ */

#define RELATION(name, op)                                                                         \
	static const rstar_expr *name(rstar_parser *p, const rstar_children *args)                     \
	{                                                                                              \
		return rstar_parser_relation(p, args->item[0], op, args->item[1]);                         \
	}

RELATION(equal, '=')
RELATION(unequal, RSTAR_MARK_NE)
RELATION(less, '<')
RELATION(at_most, RSTAR_MARK_LE)
RELATION(greater, '>')
RELATION(at_least, RSTAR_MARK_GE)
RELATION(contains, RSTAR_MARK_IN)
RELATION(maps_to, RSTAR_MARK_ARROW)

static const rstar_expr *
join(rstar_parser *p, const rstar_children *args, unsigned op)
{
	const rstar_expr *node = args->item[0];

	for (size_t i = 1; i < args->count; i++)
	{
		if (!link_chain(p, (int) i))
			return NULL;
		node = rstar_parser_join(p, node, op, args->item[i]);
	}
	return node;
}

static const rstar_expr *
all_hold(rstar_parser *p, const rstar_children *args)
{
	return join(p, args, RSTAR_MARK_CAP);
}

static const rstar_expr *
one_holds(rstar_parser *p, const rstar_children *args)
{
	return join(p, args, RSTAR_MARK_CUP);
}

/* --- sets -------------------------------------------------------------------------------- */

static bool
is_infinite(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_NEGATIVE)
		node = node->child[0];
	return node->kind == RSTAR_EXPR_CONSTANT && node->op == RSTAR_CONSTANT_INFINITY;
}

/* SymPy prints Interval(0, oo) for [0, oo). */
static const rstar_expr *
interval(rstar_parser *p, const rstar_children *args, char open, char close)
{
	rstar_expr *node =
		(rstar_expr *) rstar_expr_binary(p->work, RSTAR_EXPR_TUPLE, args->item[0], args->item[1]);

	if (!node)
		return NULL;
	node->open = (uint8_t) (is_infinite(args->item[0]) ? '(' : open);
	node->close = (uint8_t) (is_infinite(args->item[1]) ? ')' : close);
	node->op = RSTAR_OP_INTERVAL;
	return node;
}

static bool
is_true(const rstar_expr *node)
{
	return is_words(node) && node->length == 4 && memcmp(node->text, "true", 4) == 0;
}

/* Interval(0, 5, True, False): whether the ends are left out. */
static const rstar_expr *
closed_interval(rstar_parser *p, const rstar_children *args)
{
	return interval(p, args, args->count > 2 && is_true(args->item[2]) ? '(' : '[',
					args->count > 3 && is_true(args->item[3]) ? ')' : ']');
}

static const rstar_expr *
open_interval(rstar_parser *p, const rstar_children *args)
{
	return interval(p, args, '(', ')');
}

static const rstar_expr *
left_open_interval(rstar_parser *p, const rstar_children *args)
{
	return interval(p, args, '(', ']');
}

static const rstar_expr *
right_open_interval(rstar_parser *p, const rstar_children *args)
{
	return interval(p, args, '[', ')');
}

static const rstar_expr *
finite_set(rstar_parser *p, const rstar_children *args)
{
	return rstar_parser_collect(p, RSTAR_EXPR_SET, args);
}

/* {5} reads as a group; where only sets can stand it is the set of one number. */
static const rstar_expr *
as_set(rstar_parser *p, const rstar_expr *node)
{
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_NUMBER:
		case RSTAR_EXPR_CONSTANT:
		case RSTAR_EXPR_NEGATIVE:
		case RSTAR_EXPR_SUM:
		case RSTAR_EXPR_PRODUCT:
		case RSTAR_EXPR_QUOTIENT:
		case RSTAR_EXPR_POWER:
		case RSTAR_EXPR_CALL:
			return rstar_expr_unary(p->work, RSTAR_EXPR_SET, node);
		default:
			return node;
	}
}

static const rstar_expr *
combine(rstar_parser *p, const rstar_children *args, unsigned op)
{
	const rstar_expr *node = as_set(p, args->item[0]);

	for (size_t i = 1; node && i < args->count; i++)
	{
		if (!link_chain(p, (int) i))
			return NULL;
		node = rstar_expr_binary(p->work, RSTAR_EXPR_COMBINE, node, as_set(p, args->item[i]));
		if (node)
			((rstar_expr *) node)->op = (uint16_t) op;
	}
	return node;
}

static const rstar_expr *
set_union(rstar_parser *p, const rstar_children *args)
{
	return combine(p, args, RSTAR_MARK_CUP);
}

static const rstar_expr *
intersection(rstar_parser *p, const rstar_children *args)
{
	return combine(p, args, RSTAR_MARK_CAP);
}

static const rstar_expr *
complement(rstar_parser *p, const rstar_children *args)
{
	return combine(p, args, RSTAR_MARK_SETMINUS);
}

/* set([1, 2]), frozenset({1, 2}), tuple([1, 2]) */
static const rstar_expr *
collection(rstar_parser *p, const rstar_children *args)
{
	rstar_expr *node;

	if (args->count == 0)
		return rstar_expr_make(p->work, RSTAR_EXPR_SET, 0);
	if (args->item[0]->kind != RSTAR_EXPR_TUPLE && args->item[0]->kind != RSTAR_EXPR_SET)
		return args->item[0];
	node = rstar_expr_make(p->work, RSTAR_EXPR_SET, 0);
	if (node)
	{
		node->child = args->item[0]->child;
		node->count = args->item[0]->count;
	}
	return node;
}

static const rstar_expr *
range(rstar_parser *p, const rstar_children *args)
{
	int64_t bound[3] = {0, 0, 1};
	rstar_children list = {0};

	for (size_t i = 0; i < args->count; i++)
		if (!rstar_value_integer(p->work, args->item[i], &bound[args->count == 1 ? 1 : i]) ||
			bound[i] > INT32_MAX || bound[i] < INT32_MIN)
			return NULL;
	if (bound[2] == 0)
		return NULL;
	for (int64_t at = bound[0]; bound[2] > 0 ? at < bound[1] : at > bound[1]; at += bound[2])
		if (list.count == MAX_RANGE || (p->work->fuel -= NUMBER_COST) < 0 ||
			!rstar_parser_push(p, &list, rstar_expr_number(p->work, at)))
			return NULL;
	return rstar_parser_collect(p, RSTAR_EXPR_SET, &list);
}

/* ImageSet(Lambda(n, 2*n*pi), Integers) is { 2 n pi | n in Z }. */
static const rstar_expr *
image_set(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *map = args->item[0];
	const rstar_expr *condition;

	if (map->kind != RSTAR_EXPR_RELATION || map->relation[0] != RSTAR_MARK_ARROW || map->count != 2)
		return NULL;
	condition = rstar_parser_relation(p, map->child[0], RSTAR_MARK_IN, args->item[1]);
	return condition ? rstar_parser_set_builder(p, map->child[1], condition) : NULL;
}

/* ConditionSet(x, condition, base) is { x | x in base and condition }. */
static const rstar_expr *
condition_set(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *condition = args->item[1];

	if (args->count == 3)
	{
		const rstar_expr *base =
			rstar_parser_relation(p, args->item[0], RSTAR_MARK_IN, args->item[2]);

		condition = base ? rstar_parser_join(p, base, RSTAR_MARK_CAP, condition) : NULL;
	}
	return condition ? rstar_parser_set_builder(p, args->item[0], condition) : NULL;
}

/* --- tuples and matrices --------------------------------------------------------------------- */

static const rstar_expr *
tuple(rstar_parser *p, const rstar_children *args)
{
	rstar_expr *node = rstar_parser_collect(p, RSTAR_EXPR_TUPLE, args);

	if (node)
	{
		node->open = '(';
		node->close = ')';
	}
	return node;
}

const rstar_expr *
rstar_parser_matrix(rstar_parser *p, const rstar_children *entries, size_t columns)
{
	rstar_expr *node = columns > 0 && entries->count > 0 && entries->count % columns == 0
						   ? rstar_parser_collect(p, RSTAR_EXPR_MATRIX, entries)
						   : NULL;

	if (node)
		node->columns = (uint32_t) columns;
	return node;
}

/* Rows of equal length, or NULL. */
static const rstar_expr *
from_rows(rstar_parser *p, const rstar_expr *rows)
{
	rstar_children list = {0};

	for (uint32_t i = 0; i < rows->count; i++)
	{
		const rstar_expr *row = rows->child[i];

		if (row->kind != RSTAR_EXPR_TUPLE || row->count != rows->child[0]->count)
			return NULL;
		for (uint32_t k = 0; k < row->count; k++)
			if (!rstar_parser_push(p, &list, row->child[k]))
				return NULL;
	}
	return rstar_parser_matrix(p, &list, rows->child[0]->count);
}

/* The brackets of [[1, 2]] and [[1], [2]] are gone from the tree: how many rows were there? */
static size_t
count_rows(const rstar_token *t)
{
	size_t rows = 0;
	int depth = 0;

	if (!is_mark(t, '[') || !is_mark(t + 1, '['))
		return 0;
	for (; t->kind != RSTAR_TOKEN_END; t++)
	{
		if (is_mark(t, '[') || is_mark(t, '('))
			rows += ++depth == 2;
		else if ((is_mark(t, ']') || is_mark(t, ')')) && --depth == 0)
			return rows;
	}
	return rows;
}

static const rstar_expr *
matrix(rstar_parser *p, const rstar_children *args, const rstar_token *first)
{
	const rstar_expr *content = args->item[args->count - 1];
	size_t rows = count_rows(first);
	rstar_children entries = {0};
	int64_t columns = 1;

	if (args->count == 3 && !rstar_value_integer(p->work, args->item[1], &columns))
		return NULL;
	if (args->count == 2 || columns < 1)
		return NULL;
	if (content->kind == RSTAR_EXPR_TUPLE && content->count > 0 &&
		content->child[0]->kind == RSTAR_EXPR_TUPLE)
		return from_rows(p, content);
	if (content->kind != RSTAR_EXPR_TUPLE)
		return rstar_parser_push(p, &entries, content) ? rstar_parser_matrix(p, &entries, 1) : NULL;
	entries.item = content->child;
	entries.count = entries.capacity = content->count;
	return rstar_parser_matrix(p, &entries, rows == 1 ? content->count : (size_t) columns);
}

/* --- cases, sums, functions -------------------------------------------------------------------- */

const rstar_expr *
rstar_parser_piecewise(rstar_parser *p, const rstar_children *pairs)
{
	rstar_expr *node = rstar_parser_collect(p, RSTAR_EXPR_APPLY, pairs);

	if (node)
		node->hash = rstar_hash_bytes(RSTAR_SEED_APPLY, "piecewise", 9);
	return node;
}

static const rstar_expr *
piecewise(rstar_parser *p, const rstar_children *args)
{
	rstar_children pairs = {0};

	for (size_t i = 0; i < args->count; i++)
	{
		const rstar_expr *pair = args->item[i];

		if (pair->kind != RSTAR_EXPR_TUPLE || pair->count != 2)
			return NULL;
		if (is_true(pair->child[1]))
		{
			rstar_expr *last = rstar_expr_make(p->work, RSTAR_EXPR_TUPLE, 0);

			if (!last)
				return NULL;
			*last = *pair;
			last->count = 1;
			pair = last;
		}
		if (!rstar_parser_push(p, &pairs, pair))
			return NULL;
	}
	return rstar_parser_piecewise(p, &pairs);
}

/* (k, 1, n) behind a summand */
static const rstar_expr *
ranged(rstar_parser *p, const rstar_children *args, const char *name)
{
	const rstar_expr *limits = args->item[1];
	const rstar_expr *below;

	if (limits->kind != RSTAR_EXPR_TUPLE || limits->count != 3)
		return NULL;
	below = rstar_parser_relation(p, limits->child[0], '=', limits->child[1]);
	return below ? rstar_parser_big(p, name, strlen(name), args->item[0], below, limits->child[2])
				 : NULL;
}

static const rstar_expr *
sum(rstar_parser *p, const rstar_children *args)
{
	return ranged(p, args, "sum");
}

static const rstar_expr *
product(rstar_parser *p, const rstar_children *args)
{
	return ranged(p, args, "prod");
}

/* Integral(f, x), Integral(f, (x, a, b)): \int f d x */
static const rstar_expr *
integral(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *over = args->item[1];
	bool definite = over->kind == RSTAR_EXPR_TUPLE && over->count == 3;
	rstar_children factors = {0};
	const rstar_expr *body;

	if (!rstar_parser_push(p, &factors, args->item[0]) ||
		!rstar_parser_push(p, &factors, rstar_parser_name(p, "d", 1, RSTAR_SEED_NAME)) ||
		!rstar_parser_push(p, &factors, definite ? over->child[0] : over))
		return NULL;
	body = rstar_parser_collect(p, RSTAR_EXPR_PRODUCT, &factors);
	return rstar_parser_big(p, "int", 3, body, definite ? over->child[1] : NULL,
							definite ? over->child[2] : NULL);
}

static const rstar_expr *
cube_root(rstar_parser *p, const rstar_children *args)
{
	return rstar_parser_call(p, RSTAR_FUNCTION_SQRT, args->item[0], rstar_expr_number(p->work, 3));
}

static const rstar_expr *
root(rstar_parser *p, const rstar_children *args)
{
	return rstar_parser_call(p, RSTAR_FUNCTION_SQRT, args->item[0], args->item[1]);
}

static const rstar_expr *
conjugate(rstar_parser *p, const rstar_children *args)
{
	return rstar_parser_apply(p, "overline", 8, args->item[0]);
}

static const rstar_expr *
plus_number(rstar_parser *p, const rstar_expr *a, int64_t number)
{
	return rstar_expr_binary(p->work, RSTAR_EXPR_SUM, a, rstar_expr_number(p->work, number));
}

static const rstar_expr *
square_root(rstar_parser *p, const rstar_expr *a)
{
	return rstar_parser_call(p, RSTAR_FUNCTION_SQRT, a, NULL);
}

/* ln(x + sqrt(x^2 + 1)) */
static const rstar_expr *
area_sine(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *x = args->item[0];
	const rstar_expr *square =
		rstar_expr_binary(p->work, RSTAR_EXPR_POWER, x, rstar_expr_number(p->work, 2));
	const rstar_expr *inside =
		rstar_expr_binary(p->work, RSTAR_EXPR_SUM, x, square_root(p, plus_number(p, square, 1)));

	return rstar_parser_call(p, RSTAR_FUNCTION_LN, inside, NULL);
}

/* ln(x + sqrt(x - 1) sqrt(x + 1)) */
static const rstar_expr *
area_cosine(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *x = args->item[0];
	const rstar_expr *roots =
		rstar_expr_binary(p->work, RSTAR_EXPR_PRODUCT, square_root(p, plus_number(p, x, -1)),
						  square_root(p, plus_number(p, x, 1)));

	return rstar_parser_call(p, RSTAR_FUNCTION_LN,
							 rstar_expr_binary(p->work, RSTAR_EXPR_SUM, x, roots), NULL);
}

/* (ln(1 + x) - ln(1 - x)) / 2 */
static const rstar_expr *
area_tangent(rstar_parser *p, const rstar_children *args)
{
	const rstar_expr *x = args->item[0];
	const rstar_expr *minus = rstar_expr_unary(p->work, RSTAR_EXPR_NEGATIVE, x);
	const rstar_expr *up = rstar_parser_call(p, RSTAR_FUNCTION_LN, plus_number(p, x, 1), NULL);
	const rstar_expr *down =
		minus ? rstar_parser_call(p, RSTAR_FUNCTION_LN, plus_number(p, minus, 1), NULL) : NULL;

	down = down ? rstar_expr_unary(p->work, RSTAR_EXPR_NEGATIVE, down) : NULL;
	return rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT,
							 rstar_expr_binary(p->work, RSTAR_EXPR_SUM, up, down),
							 rstar_expr_number(p->work, 2));
}

static const rstar_expr *
reciprocal_of(rstar_parser *p, unsigned function, const rstar_expr *a)
{
	return rstar_expr_binary(p->work, RSTAR_EXPR_QUOTIENT, rstar_expr_number(p->work, 1),
							 rstar_parser_call(p, function, a, NULL));
}

static const rstar_expr *
hyperbolic_secant(rstar_parser *p, const rstar_children *args)
{
	return reciprocal_of(p, RSTAR_FUNCTION_COSH, args->item[0]);
}

static const rstar_expr *
hyperbolic_cosecant(rstar_parser *p, const rstar_children *args)
{
	return reciprocal_of(p, RSTAR_FUNCTION_SINH, args->item[0]);
}

/* --- the table ------------------------------------------------------------------------------------ */

/* Indexed by rstar_build; a matrix needs the tokens as well and has no entry. */
static const struct
{
	builder build;
	uint8_t least; /* arguments */
	uint8_t most;  /* 255: any number */
} builders[] = {
	[RSTAR_BUILD_VALUE] = {value, 1, 255},
	[RSTAR_BUILD_QUOTIENT] = {quotient, 1, 2},
	[RSTAR_BUILD_ADD] = {add, 1, 255},
	[RSTAR_BUILD_MUL] = {multiply, 1, 255},
	[RSTAR_BUILD_POW] = {power, 2, 2},
	[RSTAR_BUILD_MOD] = {modulus, 2, 2},
	[RSTAR_BUILD_EQ] = {equal, 2, 2},
	[RSTAR_BUILD_NE] = {unequal, 2, 2},
	[RSTAR_BUILD_LT] = {less, 2, 2},
	[RSTAR_BUILD_LE] = {at_most, 2, 2},
	[RSTAR_BUILD_GT] = {greater, 2, 2},
	[RSTAR_BUILD_GE] = {at_least, 2, 2},
	[RSTAR_BUILD_IN] = {contains, 2, 2},
	[RSTAR_BUILD_MAPS_TO] = {maps_to, 2, 2},
	[RSTAR_BUILD_AND] = {all_hold, 1, 255},
	[RSTAR_BUILD_OR] = {one_holds, 1, 255},
	[RSTAR_BUILD_CLOSED] = {closed_interval, 2, 4},
	[RSTAR_BUILD_OPEN] = {open_interval, 2, 2},
	[RSTAR_BUILD_LEFT_OPEN] = {left_open_interval, 2, 2},
	[RSTAR_BUILD_RIGHT_OPEN] = {right_open_interval, 2, 2},
	[RSTAR_BUILD_SET] = {finite_set, 0, 255},
	[RSTAR_BUILD_UNION] = {set_union, 1, 255},
	[RSTAR_BUILD_INTERSECTION] = {intersection, 1, 255},
	[RSTAR_BUILD_COMPLEMENT] = {complement, 2, 2},
	[RSTAR_BUILD_RANGE] = {range, 1, 3},
	[RSTAR_BUILD_IMAGE_SET] = {image_set, 2, 2},
	[RSTAR_BUILD_CONDITION_SET] = {condition_set, 2, 3},
	[RSTAR_BUILD_TUPLE] = {tuple, 1, 255},
	[RSTAR_BUILD_COLLECTION] = {collection, 0, 1},
	[RSTAR_BUILD_PIECEWISE] = {piecewise, 1, 255},
	[RSTAR_BUILD_SUM] = {sum, 2, 2},
	[RSTAR_BUILD_PRODUCT] = {product, 2, 2},
	[RSTAR_BUILD_INTEGRAL] = {integral, 2, 2},
	[RSTAR_BUILD_CBRT] = {cube_root, 1, 1},
	[RSTAR_BUILD_ROOT] = {root, 2, 2},
	[RSTAR_BUILD_CONJUGATE] = {conjugate, 1, 1},
	[RSTAR_BUILD_ASINH] = {area_sine, 1, 1},
	[RSTAR_BUILD_ACOSH] = {area_cosine, 1, 1},
	[RSTAR_BUILD_ATANH] = {area_tangent, 1, 1},
	[RSTAR_BUILD_SECH] = {hyperbolic_secant, 1, 1},
	[RSTAR_BUILD_CSCH] = {hyperbolic_cosecant, 1, 1},
};

/* (a, b, c), perhaps in braces; the state of brackets around it does not reach inside. */
static bool
read_arguments(rstar_parser *p, rstar_children *args)
{
	rstar_parser outside = *p;
	bool braced = is_mark(p->token, '{') && is_mark(p->token + 1, '(') && accept(p, '{');

	if (!accept(p, '(') || !rstar_parser_enter(p))
		return false;
	p->bars = p->squares = p->sets = p->lines = 0;
	while (!is_mark(p->token, ')'))
	{
		if (!rstar_parser_push(p, args, rstar_parse_item(p)))
			return false;
		if (!accept(p, ',') && !is_mark(p->token, ')'))
			return false;
	}
	p->token++;
	p->bars = outside.bars;
	p->squares = outside.squares;
	p->sets = outside.sets;
	p->lines = outside.lines;
	p->depth--;
	return !braced || accept(p, '}');
}

const rstar_expr *
rstar_parse_build(rstar_parser *p)
{
	unsigned id = p->token->id;
	const rstar_token *first;
	rstar_children args = {0};

	p->token++;
	first = p->token + (is_mark(p->token, '{') ? 2 : 1);
	if (p->token->kind == RSTAR_TOKEN_END || !read_arguments(p, &args))
		return NULL;
	if (id == RSTAR_BUILD_MATRIX)
		return args.count > 0 ? matrix(p, &args, first) : NULL;
	if (args.count < builders[id].least ||
		(builders[id].most < 255 && args.count > builders[id].most))
		return NULL;
	return builders[id].build(p, &args);
}

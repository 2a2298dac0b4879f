/*
 * matrix.c
 *	  Arithmetic of matrices: see matrix.h.
 */
#include "core/grade/matrix.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SIDE        12 /* rows or columns of what is computed */
#define MAX_DETERMINANT 5  /* expanded along its first row: 120 products */
#define MAX_INVERSE     4
#define MAX_POWER       16
#define MAX_OPERATIONS  64  /* in one tree: bounds the depth of symbolic entries */
#define ENTRY_COST      200 /* of the budget, for an entry of a result */

static uint32_t
rows_of(const rstar_expr *matrix)
{
	return matrix->count / matrix->columns;
}

static bool
is_matrix(const rstar_expr *node)
{
	return node && node->kind == RSTAR_EXPR_MATRIX && node->columns > 0 &&
		   node->columns <= MAX_SIDE && rows_of(node) <= MAX_SIDE;
}

static const rstar_expr *
entry(const rstar_expr *matrix, uint32_t row, uint32_t column)
{
	return matrix->child[row * matrix->columns + column];
}

/* An empty matrix of a shape; NULL when memory or budget is out. */
static rstar_expr *
make(rstar_work *work, uint32_t rows, uint32_t columns)
{
	rstar_expr *node;

	work->fuel -= (int64_t) rows * columns * ENTRY_COST;
	if (work->fuel < 0)
		return NULL;
	node = rstar_expr_make(work, RSTAR_EXPR_MATRIX, (size_t) rows * columns);
	if (node)
		node->columns = columns;
	return node;
}

static const rstar_expr *
negative(rstar_work *work, const rstar_expr *a)
{
	return rstar_expr_unary(work, RSTAR_EXPR_NEGATIVE, a);
}

static const rstar_expr *
times(rstar_work *work, const rstar_expr *a, const rstar_expr *b)
{
	return rstar_expr_binary(work, RSTAR_EXPR_PRODUCT, a, b);
}

/* Numbers among the entries are computed at once, which keeps the tree flat. False: no memory. */
static bool
complete(rstar_work *work, rstar_expr *matrix)
{
	rstar_rational value;

	for (uint32_t i = 0; i < matrix->count; i++)
	{
		if (!matrix->child[i])
			return false;
		if (rstar_value_exact(work, matrix->child[i], &value) &&
			rstar_rational_reduce(work, &value))
			matrix->child[i] = rstar_expr_rational(work, &value);
		if (!matrix->child[i])
			return false;
	}
	return true;
}

static const rstar_expr *
scale(rstar_work *work, const rstar_expr *factor, const rstar_expr *matrix)
{
	rstar_expr *out = make(work, rows_of(matrix), matrix->columns);

	for (uint32_t i = 0; out && i < matrix->count; i++)
		out->child[i] = times(work, factor, matrix->child[i]);
	return out && complete(work, out) ? out : NULL;
}

static const rstar_expr *
add(rstar_work *work, const rstar_expr *a, const rstar_expr *b)
{
	rstar_expr *out;

	if (a->columns != b->columns || a->count != b->count)
		return NULL;
	out = make(work, rows_of(a), a->columns);
	for (uint32_t i = 0; out && i < a->count; i++)
		out->child[i] = rstar_expr_binary(work, RSTAR_EXPR_SUM, a->child[i], b->child[i]);
	return out && complete(work, out) ? out : NULL;
}

static const rstar_expr *
multiply(rstar_work *work, const rstar_expr *a, const rstar_expr *b)
{
	uint32_t inner = a->columns;
	rstar_expr *out;

	if (inner != rows_of(b))
		return NULL;
	out = make(work, rows_of(a), b->columns);
	work->fuel -= (int64_t) a->count * b->columns * ENTRY_COST;
	if (!out || work->fuel < 0)
		return NULL;
	for (uint32_t i = 0; i < rows_of(a); i++)
		for (uint32_t k = 0; k < b->columns; k++)
		{
			rstar_expr *sum = rstar_expr_make(work, RSTAR_EXPR_SUM, inner);

			for (uint32_t m = 0; sum && m < inner; m++)
				if (!(sum->child[m] = times(work, entry(a, i, m), entry(b, m, k))))
					return NULL;
			out->child[i * b->columns + k] = sum;
		}
	return complete(work, out) ? out : NULL;
}

static const rstar_expr *
transpose(rstar_work *work, const rstar_expr *a)
{
	rstar_expr *out = make(work, a->columns, rows_of(a));

	for (uint32_t i = 0; out && i < rows_of(a); i++)
		for (uint32_t k = 0; k < a->columns; k++)
			out->child[k * rows_of(a) + i] = entry(a, i, k);
	return out;
}

/* Without a row and a column */
static const rstar_expr *
minor_of(rstar_work *work, const rstar_expr *a, uint32_t row, uint32_t column)
{
	rstar_expr *out = make(work, rows_of(a) - 1, a->columns - 1);
	uint32_t n = 0;

	for (uint32_t i = 0; out && i < rows_of(a); i++)
		for (uint32_t k = 0; k < a->columns; k++)
			if (i != row && k != column)
				out->child[n++] = entry(a, i, k);
	return out;
}

static const rstar_expr *
determinant(rstar_work *work, const rstar_expr *a)
{
	uint32_t n = a->columns;
	rstar_expr *sum;

	if (n != rows_of(a) || n > MAX_DETERMINANT)
		return NULL;
	if (n == 1)
		return a->child[0];
	sum = rstar_expr_make(work, RSTAR_EXPR_SUM, n);
	for (uint32_t k = 0; sum && k < n; k++)
	{
		const rstar_expr *part = minor_of(work, a, 0, k);
		const rstar_expr *value = part ? determinant(work, part) : NULL;

		value = value ? times(work, entry(a, 0, k), value) : NULL;
		sum->child[k] = k % 2 && value ? negative(work, value) : value;
		if (!sum->child[k])
			return NULL;
	}
	return sum;
}

/* The transposed cofactors over the determinant. */
static const rstar_expr *
invert(rstar_work *work, const rstar_expr *a)
{
	uint32_t n = a->columns;
	const rstar_expr *whole;
	rstar_expr *out;

	if (n != rows_of(a) || n > MAX_INVERSE || n < 2 || !(whole = determinant(work, a)))
		return NULL;
	out = make(work, n, n);
	for (uint32_t i = 0; out && i < n; i++)
		for (uint32_t k = 0; k < n; k++)
		{
			const rstar_expr *part = minor_of(work, a, k, i);
			const rstar_expr *value = part ? determinant(work, part) : NULL;

			if (value && (i + k) % 2)
				value = negative(work, value);
			out->child[i * n + k] = rstar_expr_binary(work, RSTAR_EXPR_QUOTIENT, value, whole);
		}
	return out && complete(work, out) ? out : NULL;
}

static const rstar_expr *
raise_to(rstar_work *work, const rstar_expr *a, int64_t exponent)
{
	const rstar_expr *base = exponent < 0 ? invert(work, a) : a;
	const rstar_expr *out = base;

	if (exponent == 0 || exponent > MAX_POWER || exponent < -MAX_POWER)
		return NULL;
	for (int64_t i = 1; out && i < (exponent < 0 ? -exponent : exponent); i++)
		out = multiply(work, out, base);
	return out;
}

/* ^T, ^\top, ^{-1}, ^3 */
static const rstar_expr *
reduce_power(rstar_work *work, const rstar_expr *base, const rstar_expr *exponent)
{
	int64_t n;

	if (exponent->kind == RSTAR_EXPR_NAME &&
		((exponent->length == 1 && (*exponent->text | 32) == 't') ||
		 (exponent->length == 3 && memcmp(exponent->text, "top", 3) == 0)))
		return transpose(work, base);
	return rstar_value_integer(work, exponent, &n) ? raise_to(work, base, n) : NULL;
}

/* Factors from left to right: scalars gather in front of the matrices. */
static const rstar_expr *
reduce_product(rstar_work *work, const rstar_expr *node)
{
	rstar_expr *factor = rstar_expr_make(work, RSTAR_EXPR_PRODUCT, node->count);
	const rstar_expr *out = NULL;
	uint32_t scalars = 0;

	for (uint32_t i = 0; factor && i < node->count; i++)
	{
		const rstar_expr *child = node->child[i];

		if (!is_matrix(child))
			factor->child[scalars++] = child;
		else if (!out)
			out = child;
		else if (!(out = multiply(work, out, child)))
			return NULL;
	}
	if (!factor || !out || scalars == 0)
		return out;
	factor->count = scalars;
	return scale(work, factor, out);
}

static const rstar_expr *
reduce_sum(rstar_work *work, const rstar_expr *node)
{
	const rstar_expr *out = node->child[0];

	for (uint32_t i = 1; i < node->count; i++)
		if (!is_matrix(node->child[i]) || !is_matrix(out) ||
			!(out = add(work, out, node->child[i])))
			return NULL;
	return out;
}

/* How many operations one node stands for. */
static int
operations_of(rstar_work *work, const rstar_expr *node)
{
	int64_t exponent = 1;

	if (node->kind == RSTAR_EXPR_POWER && is_matrix(node->child[0]) &&
		rstar_value_integer(work, node->child[1], &exponent))
		return exponent < -MAX_POWER || exponent > MAX_POWER ? MAX_OPERATIONS + 1
															 : abs((int) exponent);
	if (node->kind != RSTAR_EXPR_PRODUCT && node->kind != RSTAR_EXPR_SUM)
		return 1;
	exponent = 0;
	for (uint32_t i = 0; i < node->count && exponent <= MAX_OPERATIONS; i++)
		exponent += node->child[i]->kind == RSTAR_EXPR_MATRIX;
	return (int) exponent;
}

/* One operation, whose operands are reduced; NULL: not an operation on matrices. */
static const rstar_expr *
reduce_one(rstar_work *work, const rstar_expr *node)
{
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_SUM:
			return reduce_sum(work, node);
		case RSTAR_EXPR_PRODUCT:
			return reduce_product(work, node);
		case RSTAR_EXPR_NEGATIVE:
			return is_matrix(node->child[0])
					   ? scale(work, rstar_expr_number(work, -1), node->child[0])
					   : NULL;
		case RSTAR_EXPR_QUOTIENT:
			return is_matrix(node->child[0])
					   ? scale(work,
							   rstar_expr_binary(work, RSTAR_EXPR_QUOTIENT,
												 rstar_expr_number(work, 1), node->child[1]),
							   node->child[0])
					   : NULL;
		case RSTAR_EXPR_POWER:
			return is_matrix(node->child[0]) ? reduce_power(work, node->child[0], node->child[1])
											 : NULL;
		case RSTAR_EXPR_CALL:
			return node->op == RSTAR_FUNCTION_DET && is_matrix(node->child[0])
					   ? determinant(work, node->child[0])
					   : NULL;
		default:
			return NULL;
	}
}

static bool
holds_matrix(const rstar_expr *node)
{
	if (node->kind == RSTAR_EXPR_MATRIX)
		return true;
	for (uint32_t i = 0; i < node->count; i++)
		if (holds_matrix(node->child[i]))
			return true;
	return false;
}

/* Operands first. The depth is that of the tree, which the parser bounds. */
static const rstar_expr *
reduce(rstar_work *work, const rstar_expr *node, int *operations)
{
	const rstar_expr *out;
	rstar_expr *copy;

	if (node->count == 0 || node->kind == RSTAR_EXPR_MATRIX)
		return node;
	copy = rstar_expr_make(work, (rstar_expr_kind) node->kind, 0);
	if (!copy || (work->fuel -= ENTRY_COST) < 0)
		return node;
	*copy = *node;
	copy->child = rstar_arena_alloc_array(work->arena, node->count, sizeof(*copy->child));
	if (!copy->child)
		return node;
	for (uint32_t i = 0; i < node->count; i++)
		copy->child[i] = reduce(work, node->child[i], operations);
	*operations += operations_of(work, copy);
	out = *operations <= MAX_OPERATIONS ? reduce_one(work, copy) : NULL;
	return out ? out : copy;
}

static bool
is_operation(const rstar_expr *node)
{
	switch ((rstar_expr_kind) node->kind)
	{
		case RSTAR_EXPR_SUM:
		case RSTAR_EXPR_PRODUCT:
		case RSTAR_EXPR_NEGATIVE:
		case RSTAR_EXPR_QUOTIENT:
		case RSTAR_EXPR_POWER:
		case RSTAR_EXPR_CALL:
			return true;
		default:
			return false;
	}
}

const rstar_expr *
rstar_matrix_reduce(rstar_work *work, const rstar_expr *node)
{
	int operations = 0;

	return node && is_operation(node) && holds_matrix(node) ? reduce(work, node, &operations)
															: node;
}

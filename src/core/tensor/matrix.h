/*
 * matrix.h
 *	  A weight matrix as it lies in the file: rows of one element type.
 */
#ifndef RSTAR_TENSOR_MATRIX_H
#define RSTAR_TENSOR_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "core/tensor/types.h"

/*
 * rows x columns, row-major; a row is columns / block blocks of the type and
 * takes row_bytes bytes. data is 2-aligned at least, F32 4-aligned; it lies in the file
 * map and does not belong to the struct. Fused tensors are seen as ranges of rows.
 */
struct rstar_panels; /* kernels.h */

typedef struct rstar_matrix
{
	rstar_type type;
	uint32_t rows;
	uint32_t columns;
	size_t row_bytes;
	const uint8_t *data;
	struct rstar_panels *panels; /* where products keep what they make of it; NULL: nowhere */
} rstar_matrix;

static inline const uint8_t *
rstar_matrix_row(const rstar_matrix *matrix, uint32_t row)
{
	return matrix->data + row * matrix->row_bytes;
}

/* Rows [first, first + count) as a matrix of their own. */
static inline rstar_matrix
rstar_matrix_rows(const rstar_matrix *matrix, uint32_t first, uint32_t count)
{
	rstar_matrix view = *matrix;

	view.rows = count;
	view.data = rstar_matrix_row(matrix, first);
	view.panels = NULL;
	return view;
}

#endif

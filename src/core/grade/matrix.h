/*
 * matrix.h
 *	  Arithmetic of matrices whose entries are expressions. Internal to core/grade.
 *
 * Sums, products, multiples, powers, inverses, transposes and determinants of matrices are
 * carried out on the tree, entries by sums and products of entries, so that
 * 2 * Matrix([[1, 2]]) becomes the matrix it denotes. Nothing is simplified here: entries are
 * compared later by their values.
 */
#ifndef RSTAR_GRADE_MATRIX_H
#define RSTAR_GRADE_MATRIX_H

#include "core/grade/value.h"

/*
 * The tree with its matrix arithmetic carried out. What cannot be (other shapes than the
 * operation takes, too many entries, too little budget) stays as it is. NULL only for NULL.
 */
extern const rstar_expr *rstar_matrix_reduce(rstar_work *work, const rstar_expr *node);

#endif

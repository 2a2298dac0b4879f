/*
 * symbolic.h
 *	  Asking a computer algebra system what the native rules cannot decide.
 *
 * Sums, products, integrals and limits are compared natively only as they are
 * written. Here the two trees are written down as a Python program that builds
 * them with SymPy's constructors and prints "equal" when the simplified
 * difference is 0. The program is ours: of the answers it holds nothing but numbers
 * (digits) and names (as hashes), so that no text of an answer is ever parsed or
 * evaluated by Python. Whoever runs it does so where no other code has run, and
 * throws the process away afterwards.
 */
#ifndef RSTAR_GRADE_SYMBOLIC_H
#define RSTAR_GRADE_SYMBOLIC_H

#include "core/grade/grade.h"

#define RSTAR_SYMBOLIC_EQUAL "equal\n" /* what the program prints for equal answers */

/*
 * Append the program that compares the two answers. False when one of them is no
 * expression (a list, a text, ...) or memory is out.
 */
extern bool rstar_grade_symbolic_program(const rstar_allocator *allocator, const char *gold,
										 size_t gold_length, const char *answer,
										 size_t answer_length, rstar_buffer *out);

#endif

/*
 * edit.h
 *	  Are two texts at least so many characters apart?
 *
 * The distance is Levenshtein's: the least number of characters to insert,
 * delete or replace. Only "at least k" is asked, which costs no more than
 * k * length steps, however long the texts are and whatever stands in them:
 * the furthest point that so many edits reach is followed along each of the
 * 2k - 1 diagonals on which they can lie (Ukkonen, Algorithms for Approximate
 * String Matching, 1985).
 */
#ifndef RSTAR_TEXT_EDIT_H
#define RSTAR_TEXT_EDIT_H

#include "core/base/status.h"
#include "core/base/memory.h"

/*
 * *apart says whether at least k edits lead from one text to the other. Texts
 * are UTF-8; a byte that is not counts as a character. Errors: MEMORY.
 */
extern rstar_status rstar_edit_at_least(const char *a, size_t a_length, const char *b,
										size_t b_length, uint32_t k,
										const rstar_allocator *allocator, bool *apart,
										rstar_error *err);

#endif

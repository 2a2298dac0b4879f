/*
 * picture_text.h
 *	  A tree as text, in the manner of EXPLAIN.
 *
 *		Root  (visits=4 q=0.500)
 *		  =>  subtract 5 from both sides  (visits=3 q=0.667 ppm=0.412)
 *		        =>  print(rhs / 3) | 5  (visits=2 q=1.000)
 *		              =>  Answer: 5  (visits=1 q=1.000)  correct
 *		  ->  guess  (visits=1 q=-1.000)
 *		        ->  Answer: 4  (visits=1 q=-1.000)  wrong
 *		  x   divide  (error: ZeroDivisionError: division by zero)
 *
 * One line for each node: its first words or else its code, what it printed
 * behind a bar, and figures. The double arrow is the way to the answer given.
 */
#ifndef RSTAR_PICTURE_PICTURE_TEXT_H
#define RSTAR_PICTURE_PICTURE_TEXT_H

#include "core/picture/picture.h"

/*
 * Append the picture to out; rejected: show rejected candidates. Errors: MEMORY,
 * CANCELLED.
 */
extern rstar_status rstar_picture_text(const rstar_tree *tree, const rstar_picture_facts *facts,
									   bool rejected, rstar_buffer *out, const rstar_cancel *cancel,
									   rstar_error *err);

#endif

/*
 * luck.h
 *	  Problems whose answer can be guessed.
 *
 * Where the answer is one of a few, wrong solutions reach it by chance, and a
 * solution that is right by luck would be learnt from. A problem is called
 * closed if its known answer is
 *
 *	  - true or false, yes or no;
 *	  - the letter of a choice that the statement lists: (a) .. (b) ..;
 *	  - one of the values offered: "Which is smaller: 3 or 2/5?", "What is the
 *		second biggest value in 3, -1, x?", "odd or even";
 *	  - an order of values in the statement: "Sort 3, -1, 5.";
 *	  - a digit, where one digit is asked for: "the tens digit of 345".
 *
 * Such a problem gives training data only where the search succeeded too often
 * for luck. The words looked for are English; a problem in another language is
 * closed only by its answer (true, a listed letter).
 */
#ifndef RSTAR_SEARCH_LUCK_H
#define RSTAR_SEARCH_LUCK_H

#include <stdint.h>

#include "core/model/gguf.h"

/* Whether a problem is closed. Takes time linear in the statement. */
extern bool rstar_luck_closed(rstar_string statement, rstar_string answer);

/* Whether the statement asks yes or no, and the answer says neither (true and false count). */
extern bool rstar_luck_evades(rstar_string statement, rstar_string answer);

/* Of a closed problem: at least this many answers, and this share of them correct. */
#define RSTAR_LUCK_ANSWERS 4
#define RSTAR_LUCK_SHARE   0.8

/* Whether a problem with so many answers reached, so many of them correct, gives training data. */
extern bool rstar_luck_excluded(bool closed, uint64_t answers, uint64_t correct);

#endif

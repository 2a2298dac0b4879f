/*
 * graded.h
 *	  Problems whose known answers grade.
 */
#ifndef RSTAR_PG_ROUNDS_GRADED_H
#define RSTAR_PG_ROUNDS_GRADED_H

#include "postgres.h"

/*
 * Whether the answer of that problem is one of few and can be guessed (luck.h). Raises if there is
 * no such problem, or neither a known answer nor a verifier grades it. (What a
 * verifier accepts is not guessed.)
 */
extern bool rstar_pg_graded_closed(int64 problem_id);

#endif

/*
 * search_all.h
 *	  Searching many problems: by workers, and in the foreground.
 */
#ifndef RSTAR_PG_SEARCH_SEARCH_ALL_H
#define RSTAR_PG_SEARCH_SEARCH_ALL_H

#include "pg/search/tree_store.h"

/* The problem's row, read as the caller (NULL: not wanted); false: it sees none (any more). */
extern bool rstar_pg_search_find_problem(int64 problem_id, rstar_problem_row *row);

/* Define the kind of job; from _PG_init. */
extern void rstar_pg_search_all_define(void);

#endif

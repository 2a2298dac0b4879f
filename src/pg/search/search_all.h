/*
 * search_all.h
 *	  Searching many problems: by workers, and in the foreground.
 */
#ifndef RSTAR_PG_SEARCH_SEARCH_ALL_H
#define RSTAR_PG_SEARCH_SEARCH_ALL_H

/* Define the kind of job; from _PG_init. */
extern void rstar_search_all_define(void);

#endif

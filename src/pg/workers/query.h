/*
 * query.h
 *	  A caller's query, whose rows become the work of a job.
 *
 * It runs in the foreground, in the caller's transaction, with the caller's
 * rights, as one SELECT through a cursor. Workers never see its text.
 */
#ifndef RSTAR_PG_WORKERS_QUERY_H
#define RSTAR_PG_WORKERS_QUERY_H

#include "postgres.h"

/*
 * The numbers that the query returns in its only column, each once, in the
 * order of their first appearance; palloc'd. Raises for a query that is not a SELECT, a
 * column that is no integer, and NULL.
 */
extern int64 *rstar_pg_query_numbers(const char *query, uint32 *n);

/*
 * Texts of the named columns (at most RSTAR_QUERY_COLUMNS) of all rows, some rows at a time:
 * values[row * n + column], none NULL. `first` is the number, from 1, of the first of the rows.
 * What `take` allocates in the current memory context goes after the call.
 */
#define RSTAR_QUERY_COLUMNS 8

typedef void (*rstar_query_take)(void *arg, int64 first, uint64 rows, char **values);

/* `hint` tells which columns are needed. Raises as above, and for a column that is not there. */
extern void rstar_pg_query_texts(const char *query, const char *const *columns, int n,
								 const char *hint, rstar_query_take take, void *arg);

/* Queries from now on, until it is set back, change nothing (as in READ ONLY transactions). */
extern bool rstar_pg_query_read_only;

#endif

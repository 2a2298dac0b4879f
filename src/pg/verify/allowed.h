/*
 * allowed.h
 *	  What a query that a model wrote may consist of.
 */
#ifndef RSTAR_PG_VERIFY_ALLOWED_H
#define RSTAR_PG_VERIFY_ALLOWED_H

#include "postgres.h"

/*
 * Parse and analyse the text and look through the whole of it; raises if it is not one SELECT over
 * relations of this schema, or calls a function that is not allowed. *ordered: it has an ORDER BY.
 */
extern void rstar_pg_allowed_check(const char *query, Oid schema, bool *ordered);

#endif

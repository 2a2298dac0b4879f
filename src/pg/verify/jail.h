/*
 * jail.h
 *	  Running a query that a model wrote.
 *
 * Whatever the text says, it is one SELECT over the tables of one schema, with functions of the
 * server's own whose results depend on their arguments alone; it runs read-only, as a role without
 * rights, within limits of time, memory, temporary files and rows, in a subtransaction that is
 * rolled back. Several of these would each do for most attacks; none relies on another.
 */
#ifndef RSTAR_PG_VERIFY_JAIL_H
#define RSTAR_PG_VERIFY_JAIL_H

#include "postgres.h"

/* What came of a query; in the current memory context. */
typedef struct rstar_jail_rows
{
	int columns;
	bool ordered; /* the query says in which order */
	uint32 n, room;
	char **rows;     /* each a text that is equal for equal rows */
	const char *why; /* it failed, and this is the message; NULL: it did not */
	bool by_clock;   /* … because time was up */
} rstar_jail_rows;

/* Run it. Raises for a cancel and nothing else. */
extern void rstar_pg_jail_run(const char *query, const char *schema, Oid role,
							  rstar_jail_rows *result);

/*
 * Why the role may not run queries, or NULL: it has an attribute (superuser and so on), or is a
 * member of another role.
 */
extern const char *rstar_pg_jail_role_refused(Oid role);

#endif

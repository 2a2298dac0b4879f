/*
 * tables.h
 *	  Reading and writing the extension's tables.
 *
 * They are read as the caller, with the privileges and under the row security
 * of that role. No role but the owner holds write privileges on them, problems
 * aside, so a function that writes the others does it as their owner, after a
 * look at whose code would run (trust.h). All of it by fixed statements whose
 * names are schema-qualified, with a search path without anything a user could
 * put there; what runs as the owner runs in a restricted context, in which
 * triggers can change nothing of the session. An error restores everything
 * with the (sub)transaction.
 *
 *		rstar_pg_tables_read(&scope);
 *		rstar_pg_execute("SELECT ...", &a, true);
 *		rstar_pg_tables_end(&scope);
 *
 *		rstar_tables_begin(&scope, "trees", "nodes");
 *		rstar_pg_execute("INSERT ...", &a, false);
 *		rstar_pg_tables_end(&scope);
 */
#ifndef RSTAR_PG_BASE_TABLES_H
#define RSTAR_PG_BASE_TABLES_H

#include "postgres.h"

typedef struct rstar_tables_scope
{
	Oid user;
	int security;
	int guc_level;
} rstar_tables_scope;

/* Oid of a table of schema rstar; raises with a hint if the extension is not there. */
extern Oid rstar_pg_table_oid(const char *name);

/*
 * Connect to SPI, as the caller. Raises unless the caller may use the schema:
 * a statement whose plan is kept would not look again.
 */
extern void rstar_pg_tables_read(rstar_tables_scope *scope);

/*
 * Become the owner of these tables, all that the scope reads or writes, those
 * included that cascading keys write, and connect to SPI. (Planning a read runs
 * index predicates, too.) Raises if code of others hangs on one of them.
 */
#define rstar_tables_begin(scope, ...)                                                             \
	rstar_pg_tables_begin_list(scope, (const char *const[]){__VA_ARGS__, NULL})
extern void rstar_pg_tables_begin_list(rstar_tables_scope *scope, const char *const *tables);

/* Undo either. */
extern void rstar_pg_tables_end(const rstar_tables_scope *scope);

#endif

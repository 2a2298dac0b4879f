/*
 * tables.h
 *	  Writing the extension's tables.
 *
 * No role but the owner holds write privileges on them, so a function that
 * writes a row does it as the table's owner, with fixed statements whose names
 * are schema-qualified, a search path without anything a user could put there,
 * and in a restricted context in which triggers can change nothing else. An
 * error restores everything with the (sub)transaction.
 *
 *		rstar_tables_begin(&scope, "models");
 *		SPI_execute_with_args(...);
 *		rstar_tables_end(&scope);
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
extern Oid rstar_table_oid(const char *name);

/* Become the owner of that table and connect to SPI; end undoes both. */
extern void rstar_tables_begin(rstar_tables_scope *scope, const char *table);
extern void rstar_tables_end(const rstar_tables_scope *scope);

#endif

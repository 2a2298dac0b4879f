/*
 * trust.h
 *	  Whose code runs when a table is written.
 *
 * A write runs more than its statement: triggers and their conditions,
 * defaults, generated columns, checks, domains, index expressions, policies,
 * and all of these on tables that inherit from it, with the rights of the role
 * that writes; and what planning a look into the tables behind foreign keys
 * runs. Most of that only the table's owner can attach, but the right TRIGGER
 * can be granted, and a function that the owner attached can belong to somebody
 * else, who replaces its body. So before the extension writes a table,
 * everything that hangs on it is looked through: it must belong to the role
 * that writes or to a superuser.
 */
#ifndef RSTAR_PG_BASE_TRUST_H
#define RSTAR_PG_BASE_TRUST_H

#include "postgres.h"

/*
 * Raises ERRCODE_INSUFFICIENT_PRIVILEGE unless a write to the table as `role`
 * would run nothing but trusted code. Locks the table and those that inherit
 * from it for writing, to the end of the transaction, so that the answer holds
 * until then. Looks at the catalogues as they are now, whatever the
 * transaction's snapshot.
 */
extern void rstar_pg_check_trusted(Oid table, Oid role);

/* Nobody changes the table, or gives it away, until the transaction ends. */
extern void rstar_pg_lock_for_writing(Oid table);

#endif

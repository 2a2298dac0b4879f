/*
 * tables.c
 *	  Reading the extension's tables as the caller, writing them as their owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "pg/base/tables.h"
#include "pg/base/trust.h"

/*
 * Whether the table is the extension's own. A schema of that name, and tables in
 * it, may be somebody else's work once ours was renamed. Tables found to be ours
 * are kept, since a call looks one up for each row of a query.
 */
static bool
is_ours(Oid table)
{
	static List *known = NIL;
	MemoryContext caller;

	if (list_member_oid(known, table))
		return true;
	if (getExtensionOfObject(RelationRelationId, table) != get_extension_oid("rstar", true))
		return false;
	caller = MemoryContextSwitchTo(TopMemoryContext);
	known = lappend_oid(known, table);
	MemoryContextSwitchTo(caller);
	return true;
}

Oid
rstar_pg_table_oid(const char *name)
{
	Oid schema = get_namespace_oid("rstar", true);
	Oid table = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	if (!OidIsValid(table) || !is_ours(table))
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table rstar.%s does not exist", name),
			 OidIsValid(get_extension_oid("rstar", true))
				 ? errhint("The extension's schema must be called \"rstar\"; if it was renamed, "
						   "rename it back.")
				 : errhint("Run CREATE EXTENSION rstar in this database.")));
	return table;
}

static Oid
table_owner(Oid table)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static void
set_here(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/*
 * A search path of the server's own objects, and SPI. Our statements are short: compiling the
 * plans of those under row security took 3 s.
 */
static void
enter(rstar_tables_scope *scope)
{
	scope->guc_level = NewGUCNestLevel();
	set_here("search_path", "pg_catalog, pg_temp");
	set_here("jit", "off");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
rstar_pg_tables_read(rstar_tables_scope *scope)
{
	GetUserIdAndSecContext(&scope->user, &scope->security);
	(void) LookupExplicitNamespace("rstar", false); /* checks USAGE */
	enter(scope);
}

void
rstar_pg_tables_begin_list(rstar_tables_scope *scope, const char *const *tables)
{
	Oid first = rstar_pg_table_oid(tables[0]), owner;

	GetUserIdAndSecContext(&scope->user, &scope->security);
	rstar_pg_lock_for_writing(first);
	owner = table_owner(first);
	for (int i = 0; tables[i]; i++)
		rstar_pg_check_trusted(rstar_pg_table_oid(tables[i]), owner);
	SetUserIdAndSecContext(owner, scope->security | SECURITY_LOCAL_USERID_CHANGE |
									  SECURITY_RESTRICTED_OPERATION);
	enter(scope);
}

void
rstar_pg_tables_end(const rstar_tables_scope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->security);
}

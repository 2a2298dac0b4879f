/*
 * extension.c
 *	  The extension in this database, and its end.
 *
 * DROP EXTENSION locks the extension's object exclusively and then its tables, in an order of its
 * own. A worker's transaction takes tables in the order in which it uses them, so the two could
 * deadlock. Both begin with the same lock instead, and one waits for the other there.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

#include "pg/workers/extension.h"

bool
rstar_pg_extension_share(void)
{
	Oid extension = get_extension_oid("rstar", true), schema;

	if (!OidIsValid(extension))
		return false;
	LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
	schema = get_namespace_oid("rstar", true);
	return get_extension_oid("rstar", true) == extension && OidIsValid(schema) &&
		   OidIsValid(get_relname_relid("jobs", schema)) &&
		   OidIsValid(get_relname_relid("job_items", schema)) &&
		   OidIsValid(get_relname_relid("schedules", schema));
}

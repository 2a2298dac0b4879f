/*
 * elsewhere.c
 *	  Models of the server's other databases.
 *
 * A backend sees its own database only, so the question goes to a background
 * worker in each of the others, one after the other, and the answer comes back
 * in a small segment of shared memory. The worker runs as the bootstrap
 * superuser but executes no SQL: it scans the extension's own table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "core/model/store.h"
#include "pg/models/elsewhere.h"
#include "pg/models/models.h"

typedef enum verdict
{
	VERDICT_NONE, /* the worker did not get so far */
	VERDICT_FREE,
	VERDICT_USED
} verdict;

/* What is asked, and the answer. */
typedef struct question
{
	Oid database;
	char name[RSTAR_STORE_NAME_SIZE];
	volatile verdict verdict;
} question;

/* --- the worker ----------------------------------------------------------------------- */

/* Is there a table rstar.models, and is it the extension's (and not one somebody made)? */
static bool
has_models(void)
{
	Oid schema = get_namespace_oid("rstar", true);
	Oid table = OidIsValid(schema) ? get_relname_relid("models", schema) : InvalidOid;
	Oid extension = get_extension_oid("rstar", true);

	return OidIsValid(table) && OidIsValid(extension) &&
		   getExtensionOfObject(RelationRelationId, table) == extension;
}

static verdict
look(const char *name)
{
	verdict found = VERDICT_FREE;
	char **paths;
	int n;

	if (!has_models())
		return found;
	paths = rstar_pg_model_paths(&n);
	for (int i = 0; i < n; i++)
		if (strcmp(paths[i], name) == 0)
			found = VERDICT_USED;
	return found;
}

void
rstar_pg_elsewhere_main(Datum main_arg)
{
	dsm_segment *segment;
	question *asked;

	BackgroundWorkerUnblockSignals();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "rstar models elsewhere");
	segment = dsm_attach(DatumGetUInt32(main_arg));
	if (!segment)
		return; /* whoever asked is gone */
	dsm_pin_mapping(segment);
	asked = dsm_segment_address(segment);
	BackgroundWorkerInitializeConnectionByOid(asked->database, InvalidOid, 0);
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	asked->verdict = look(asked->name);
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* --- who asks ------------------------------------------------------------------------- */

/* Databases, but for this one, that somebody can connect to. */
static List *
other_databases(void)
{
	Relation table = table_open(DatabaseRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, NULL, 0, NULL);
	List *databases = NIL;
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database row = (Form_pg_database) GETSTRUCT(tuple);

		if (row->oid != MyDatabaseId && row->datallowconn)
			databases = lappend_oid(databases, row->oid);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return databases;
}

/* Ask a worker, and wait for it; VERDICT_NONE if there is no getting one. */
static verdict
ask(dsm_segment *segment, Oid database)
{
	question *asked = dsm_segment_address(segment);
	BackgroundWorkerHandle *handle;
	BackgroundWorker worker = {.bgw_flags =
								   BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
							   .bgw_start_time = BgWorkerStart_RecoveryFinished,
							   .bgw_restart_time = BGW_NEVER_RESTART,
							   .bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment)),
							   .bgw_notify_pid = MyProcPid};

	asked->database = database;
	asked->verdict = VERDICT_NONE;
	snprintf(worker.bgw_name, sizeof worker.bgw_name, "rstar models of database %u", database);
	strlcpy(worker.bgw_type, "rstar models", sizeof worker.bgw_type);
	strlcpy(worker.bgw_library_name, "rstar", sizeof worker.bgw_library_name);
	strlcpy(worker.bgw_function_name, "rstar_pg_elsewhere_main", sizeof worker.bgw_function_name);
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		return VERDICT_NONE;
	(void) WaitForBackgroundWorkerShutdown(handle);
	return asked->verdict;
}

char *
rstar_pg_model_file_elsewhere(const char *name, bool *known)
{
	List *databases = other_databases();
	dsm_segment *segment = dsm_create(sizeof(question), 0);
	question *asked = dsm_segment_address(segment);
	char *user = NULL;
	ListCell *cell;

	strlcpy(asked->name, name, sizeof asked->name);
	*known = true;
	foreach (cell, databases)
	{
		verdict found = ask(segment, lfirst_oid(cell));

		CHECK_FOR_INTERRUPTS();
		if (found == VERDICT_FREE)
			continue;
		user = get_database_name(lfirst_oid(cell));
		if (!user)
			continue; /* dropped while we asked */
		*known = found == VERDICT_USED;
		break;
	}
	dsm_detach(segment);
	list_free(databases);
	return user;
}

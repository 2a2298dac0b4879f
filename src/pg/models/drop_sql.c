/*
 * drop_sql.c
 *	  Letting go of models: rstar_model_drop, and the files that nothing refers to,
 *	  rstar_model_orphans.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "core/engine/prefix_file.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/models/cache.h"
#include "pg/models/elsewhere.h"
#include "pg/models/files.h"
#include "pg/models/models.h"

PG_FUNCTION_INFO_V1(rstar_model_drop);
PG_FUNCTION_INFO_V1(rstar_model_orphans);

/* Whether no other database needs a model's file; says so if it stays. */
static bool
is_unused_elsewhere(const rstar_model_row *row)
{
	bool known;
	char *database = rstar_pg_model_file_elsewhere(row->path, &known);

	if (database)
		ereport(
			NOTICE,
			(errmsg("the file of model \"%s\" stays", row->name),
			 known ? errdetail("A model of database \"%s\" uses it.", database)
				   : errdetail("Database \"%s\" could not be asked whether a model there uses it.",
							   database)));
	return !database;
}

/*
 * rstar_model_drop(model, remove_file) returns void
 */
Datum
rstar_model_drop(PG_FUNCTION_ARGS)
{
	rstar_model_row *row = rstar_pg_model_find(rstar_required_text(fcinfo, 0, "model"));
	bool remove_file = !row->remote && !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	rstar_error err;
	int64 others;

	PreventCommandIfReadOnly("dropping a model");
	PreventCommandDuringRecovery("dropping a model");
	if (row->builtin)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot drop model \"%s\", which comes with the extension", row->name)));
	if (remove_file)
		rstar_pg_model_file_lock(row->path);
	others = rstar_pg_model_delete(row);
	if (remove_file && others > 0)
		ereport(NOTICE, (errmsg("the file of model \"%s\" stays", row->name),
						 errdetail_plural("%lld other model uses it.", "%lld other models use it.",
										  (long) others, (long long) others)));
	else if (remove_file)
	{
		rstar_check(rstar_store_check_name(row->path, &err), &err);
		if (is_unused_elsewhere(row))
			rstar_pg_model_file_drop(row->path);
	}
	rstar_pg_model_cache_forget(row->model_id);
	PG_RETURN_VOID();
}

/* --- orphans ------------------------------------------------------------------------------------ */

typedef struct orphan
{
	char name[RSTAR_STORE_NAME_SIZE];
	uint64 size;
	bool unfinished;
	int64 age_s;
} orphan;

typedef struct orphan_list
{
	rstar_allocator allocator;
	orphan *files;
	size_t count;
	size_t capacity;
} orphan_list;

static rstar_status
note_file(void *arg, const char *name, uint64_t size, bool unfinished, int64_t age_s,
		  rstar_error *err)
{
	orphan_list *list = arg;
	orphan *file;

	if (strstr(name, RSTAR_PREFIX_SUFFIX)) /* look after themselves */
		return RSTAR_OK;
	if (!rstar_grow(&list->allocator, (void **) &list->files, &list->capacity, list->count + 1,
					sizeof(orphan)))
		return rstar_error_memory(err, sizeof(orphan));
	file = &list->files[list->count++];
	strlcpy(file->name, name, sizeof(file->name));
	file->size = size;
	file->unfinished = unfinished;
	file->age_s = age_s;
	return RSTAR_OK;
}

static bool
is_referred_to(const char *name, char **paths, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (strcmp(paths[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * rstar_model_orphans() returns table (file text, bytes bigint, unfinished boolean, age interval)
 */
Datum
rstar_model_orphans(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	orphan_list list = {.allocator = rstar_pg_allocator_in(CurrentMemoryContext)};
	char **paths;
	rstar_error err;
	int count;

	rstar_pg_materialize(fcinfo);
	/* Files first: one that appears between the two lists has its row in the second. */
	rstar_check(rstar_store_list(rstar_pg_model_directory(), note_file, &list, &err), &err);
	paths = rstar_pg_model_paths(&count);
	for (size_t i = 0; i < list.count; i++)
	{
		orphan *file = &list.files[i];
		Datum values[4];
		bool nulls[4] = {false};

		if (is_referred_to(file->name, paths, count))
			continue;
		values[0] = CStringGetTextDatum(rstar_pg_clean_text(file->name, strlen(file->name)));
		values[1] = Int64GetDatum((int64) file->size);
		values[2] = BoolGetDatum(file->unfinished);
		values[3] = DirectFunctionCall7(make_interval, 0, 0, 0, 0, 0, 0,
										Float8GetDatum((double) file->age_s));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

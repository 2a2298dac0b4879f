/*
 * models.c
 *	  The rows of rstar.models.
 *
 * Reads scan the table directly, by its unique index on the name: a function
 * that is called for each of a million rows looks its model up each time, so
 * that a model dropped or replaced by another session is seen at once, and
 * that costs a few microseconds only.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/models/models.h"
#include "pg/models/settings.h"
#include "pg/base/cluster.h"
#include "pg/base/tables.h"

/* --- reading ---------------------------------------------------------------------- */

static Datum
column(HeapTuple tuple, Relation table, const char *name, bool *is_null)
{
	AttrNumber number = get_attnum(RelationGetRelid(table), name);

	if (number == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("table rstar.models has no column \"%s\"", name),
						errhint("Run ALTER EXTENSION rstar UPDATE.")));
	return heap_getattr(tuple, number, RelationGetDescr(table), is_null);
}

static char *
text_column(HeapTuple tuple, Relation table, const char *name)
{
	bool is_null;
	Datum value = column(tuple, table, name, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

static int64
integer_column(HeapTuple tuple, Relation table, const char *name)
{
	bool is_null;
	Datum value = column(tuple, table, name, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

static rstar_model_row *
row_from_tuple(HeapTuple tuple, Relation table)
{
	rstar_model_row *row = palloc0(sizeof(rstar_model_row));
	bool is_null;
	Datum value;

	row->model_id = integer_column(tuple, table, "model_id");
	row->name = text_column(tuple, table, "name");
	row->role = text_column(tuple, table, "role");
	row->path = text_column(tuple, table, "path");
	row->sha256 = text_column(tuple, table, "sha256");
	row->file_size = integer_column(tuple, table, "file_size");
	row->file_id = text_column(tuple, table, "file_id");
	row->architecture = text_column(tuple, table, "architecture");
	row->parameters = integer_column(tuple, table, "parameters");
	row->file_type = text_column(tuple, table, "file_type");
	value = column(tuple, table, "context_length", &is_null);
	row->context_length = is_null ? 0 : DatumGetInt32(value);
	row->prompt_template = text_column(tuple, table, "prompt_template");
	value = column(tuple, table, "defaults", &is_null);
	row->defaults = is_null ? NULL : DatumGetJsonbPCopy(value);
	value = column(tuple, table, "calibration", &is_null);
	row->calibration = is_null ? NULL : DatumGetJsonbPCopy(value);
	value = column(tuple, table, "remote", &is_null);
	row->remote = is_null ? NULL : DatumGetJsonbPCopy(value);
	value = column(tuple, table, "builtin", &is_null);
	row->builtin = !is_null && DatumGetBool(value);
	row->parent_id = integer_column(tuple, table, "parent_id");
	return row;
}

static Relation
open_models(void)
{
	return table_open(rstar_pg_cluster_copy_here(rstar_pg_table_oid("models")), AccessShareLock);
}

/* The row that has this value in a column with a unique index, or NULL. */
static rstar_model_row *
find_unique(const char *column, const char *index_name, Oid equal, Datum value)
{
	Relation table = open_models();
	Oid index =
		rstar_pg_cluster_index(rstar_pg_table_oid("models"), RelationGetRelid(table), index_name);
	AttrNumber number = get_attnum(RelationGetRelid(table), column);
	rstar_model_row *row = NULL;
	SysScanDesc scan;
	HeapTuple tuple;
	ScanKeyData key;

	if (number == InvalidAttrNumber)
		elog(ERROR, "table rstar.models has no column \"%s\"", column);
	ScanKeyEntryInitialize(&key, 0, number, BTEqualStrategyNumber, InvalidOid,
						   TupleDescAttr(RelationGetDescr(table), number - 1)->attcollation, equal,
						   value);
	scan = systable_beginscan(table, index, OidIsValid(index), GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		row = row_from_tuple(tuple, table);
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return row;
}

rstar_model_row *
rstar_pg_model_find_name(const char *name)
{
	return find_unique("name", "models_name_key", F_TEXTEQ, CStringGetTextDatum(name));
}

rstar_model_row *
rstar_pg_model_find_id(int64 model_id)
{
	return find_unique("model_id", "models_pkey", F_INT8EQ, Int64GetDatum(model_id));
}

rstar_model_row *
rstar_pg_model_find(const char *name)
{
	rstar_model_row *row = rstar_pg_model_find_name(name);

	if (!row)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name)));
	return row;
}

/* The built-in model of a role with the lowest id, or NULL. */
static rstar_model_row *
find_builtin(const char *role)
{
	Relation table = open_models();
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, GetActiveSnapshot(), 0, NULL);
	rstar_model_row *best = NULL;
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		rstar_model_row *row = row_from_tuple(tuple, table);

		if (row->builtin && strcmp(row->role, role) == 0 &&
			(!best || row->model_id < best->model_id))
			best = row;
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return best;
}

rstar_model_row *
rstar_pg_model_resolve_optional(text *argument, const char *role)
{
	bool is_ppm = strcmp(role, RSTAR_ROLE_PPM) == 0;
	const char *setting = is_ppm ? "rstar.ppm" : "rstar.policy";
	const char *name = is_ppm ? rstar_pg_model_settings.ppm : rstar_pg_model_settings.policy;
	rstar_model_row *row;

	if (argument && is_ppm && VARSIZE_ANY_EXHDR(argument) == 0)
		return NULL; /* none, whatever the setting names */
	if (argument)
		return rstar_pg_model_find(text_to_cstring(argument));
	if (name && name[0])
	{
		row = rstar_pg_model_find_name(name);
		if (!row)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name),
					 errdetail("The setting \"%s\" names it.", setting)));
		return row;
	}
	return find_builtin(role);
}

rstar_model_row *
rstar_pg_model_resolve(text *argument, const char *role)
{
	rstar_model_row *row = rstar_pg_model_resolve_optional(argument, role);

	if (!row)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no %s model is set", role),
						errhint("Name one in the call or in the setting \"rstar.%s\"; "
								"rstar_model_import registers models.",
								role)));
	return row;
}

Jsonb *
rstar_pg_model_inherited_defaults(const rstar_model_row *from)
{
	if (!from->defaults)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(from->defaults),
											  CStringGetTextDatum("min_confidence")));
}

char **
rstar_pg_model_paths(int *count)
{
	Relation table = open_models();
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
	int capacity = 64;
	char **paths = palloc(capacity * sizeof(char *));
	HeapTuple tuple;

	*count = 0;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char *path = text_column(tuple, table, "path");

		if (!path)
			continue;
		if (*count == capacity)
			paths = repalloc(paths, (capacity *= 2) * sizeof(char *));
		paths[(*count)++] = path;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return paths;
}

/* --- writing ---------------------------------------------------------------------- */

void
rstar_pg_model_check_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) > 200)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model's name has between 1 and 200 bytes")));
	if (strncmp(name, RSTAR_MODEL_RESERVED, strlen(RSTAR_MODEL_RESERVED)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("unacceptable name of a model: \"%s\"", name),
				 errdetail("Names that begin with \"%s\" are reserved for models that come with "
						   "the extension.",
						   RSTAR_MODEL_RESERVED)));
	if (rstar_pg_model_find_name(name))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("model \"%s\" exists already", name)));
}

static Datum
text_or_null(const char *value, char *null_flag)
{
	*null_flag = value ? ' ' : 'n';
	return value ? CStringGetTextDatum(value) : (Datum) 0;
}

static Datum
id_or_null(int64 value, char *null_flag)
{
	*null_flag = value ? ' ' : 'n';
	return Int64GetDatum(value);
}

#define N_COLUMNS 16

/* Columns 1 to N_COLUMNS of the statements below. */
#define COLUMNS                                                                                    \
	"name, role, path, sha256, file_size, architecture, parameters, file_type, context_length, "   \
	"prompt_template, defaults, parent_id, file_id, calibration, remote"
#define VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, COALESCE($11, '{}'), $12, $13, $14, $15"

/* Run one of them as the table's owner; returns the id of the row, or 0 if there is none. */
static int64
write_row(const char *sql, const rstar_model_row *row)
{
	static const Oid types[N_COLUMNS] = {TEXTOID, TEXTOID,  TEXTOID,  TEXTOID, INT8OID,  TEXTOID,
										 INT8OID, TEXTOID,  INT4OID,  TEXTOID, JSONBOID, INT8OID,
										 TEXTOID, JSONBOID, JSONBOID, INT8OID};
	Datum values[N_COLUMNS];
	char nulls[N_COLUMNS];
	rstar_tables_scope scope;
	int64 model_id = 0;
	bool is_null;

	values[0] = text_or_null(row->name, &nulls[0]);
	values[1] = text_or_null(row->role, &nulls[1]);
	values[2] = text_or_null(row->path, &nulls[2]);
	values[3] = text_or_null(row->sha256, &nulls[3]);
	values[4] = id_or_null(row->file_size, &nulls[4]);
	values[5] = text_or_null(row->architecture, &nulls[5]);
	values[6] = id_or_null(row->parameters, &nulls[6]);
	values[7] = text_or_null(row->file_type, &nulls[7]);
	values[8] = Int32GetDatum(row->context_length);
	nulls[8] = row->context_length ? ' ' : 'n';
	values[9] = text_or_null(row->prompt_template, &nulls[9]);
	values[10] = row->defaults ? JsonbPGetDatum(row->defaults) : (Datum) 0;
	nulls[10] = row->defaults ? ' ' : 'n';
	values[11] = id_or_null(row->parent_id, &nulls[11]);
	values[12] = text_or_null(row->file_id, &nulls[12]);
	values[13] = row->calibration ? JsonbPGetDatum(row->calibration) : (Datum) 0;
	nulls[13] = row->calibration ? ' ' : 'n';
	values[14] = row->remote ? JsonbPGetDatum(row->remote) : (Datum) 0;
	nulls[14] = row->remote ? ' ' : 'n';
	values[15] = id_or_null(row->model_id, &nulls[15]);

	rstar_tables_begin(&scope, "models");
	if (SPI_execute_with_args(sql, N_COLUMNS, (Oid *) types, values, nulls, false, 0) !=
		SPI_OK_INSERT_RETURNING)
		elog(ERROR, "inserting into rstar.models failed");
	if (SPI_processed == 1)
		model_id =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	rstar_pg_tables_end(&scope);
	return model_id;
}

int64
rstar_pg_model_insert(const rstar_model_row *row)
{
	int64 model_id = write_row("INSERT INTO rstar.models (" COLUMNS ") VALUES (" VALUES ") "
							   "ON CONFLICT (name) DO NOTHING RETURNING model_id",
							   row);

	if (model_id == 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("model \"%s\" exists already", row->name)));
	return model_id;
}

void
rstar_pg_model_put_builtin(const rstar_model_row *row)
{
	Assert(row->model_id > 0 && row->model_id < RSTAR_MODEL_FIRST_ID);
	(void) write_row("INSERT INTO rstar.models (" COLUMNS ", model_id, builtin) "
					 "VALUES (" VALUES ", $16, true) "
					 "ON CONFLICT (model_id) DO UPDATE SET name = EXCLUDED.name, "
					 "role = EXCLUDED.role, path = EXCLUDED.path, sha256 = EXCLUDED.sha256, "
					 "file_size = EXCLUDED.file_size, architecture = EXCLUDED.architecture, "
					 "parameters = EXCLUDED.parameters, file_type = EXCLUDED.file_type, "
					 "context_length = EXCLUDED.context_length, "
					 "prompt_template = EXCLUDED.prompt_template, defaults = EXCLUDED.defaults, "
					 "parent_id = EXCLUDED.parent_id, file_id = EXCLUDED.file_id, "
					 "calibration = EXCLUDED.calibration, builtin = true "
					 "RETURNING model_id",
					 row);
}

void
rstar_pg_model_calibrate(int64 model_id, Jsonb *calibration, double min_confidence)
{
	Oid types[3] = {INT8OID, JSONBOID, FLOAT8OID};
	Datum values[3] = {Int64GetDatum(model_id), JsonbPGetDatum(calibration),
					   Float8GetDatum(min_confidence)};
	rstar_tables_scope scope;

	rstar_tables_begin(&scope, "models");
	if (SPI_execute_with_args("UPDATE rstar.models SET calibration = $2, defaults = defaults "
							  "OPERATOR(pg_catalog.||) "
							  "pg_catalog.jsonb_build_object('min_confidence', $3) "
							  "WHERE model_id OPERATOR(pg_catalog.=) $1",
							  3, types, values, NULL, false, 0) != SPI_OK_UPDATE ||
		SPI_processed != 1)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model " INT64_FORMAT " does not exist", model_id)));
	rstar_pg_tables_end(&scope);
}

int64
rstar_pg_model_delete(const rstar_model_row *row)
{
	Oid types[2] = {INT8OID, TEXTOID};
	Datum values[2] = {Int64GetDatum(row->model_id),
					   CStringGetTextDatum(row->path ? row->path : "")};
	rstar_tables_scope scope;
	int64 others;
	bool is_null;

	rstar_tables_begin(&scope, "models", "trees", "evaluations", "rounds");
	if (SPI_execute_with_args("DELETE FROM rstar.models WHERE model_id OPERATOR(pg_catalog.=) $1",
							  1, types, values, NULL, false, 0) != SPI_OK_DELETE ||
		SPI_processed != 1)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" does not exist", row->name)));
	if (SPI_execute_with_args("SELECT pg_catalog.count(*) FROM rstar.models "
							  "WHERE path OPERATOR(pg_catalog.=) $2",
							  2, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "reading rstar.models failed");
	others =
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	rstar_pg_tables_end(&scope);
	return others;
}

/* --- directories ------------------------------------------------------------------- */

char *
rstar_pg_model_directory(void)
{
	if (is_absolute_path(rstar_pg_model_settings.model_directory))
		return pstrdup(rstar_pg_model_settings.model_directory);
	return psprintf("%s/%s", DataDir, rstar_pg_model_settings.model_directory);
}

char *
rstar_pg_share_directory(void)
{
	char share[MAXPGPATH];

	get_share_path(my_exec_path, share);
	return psprintf("%s/rstar", share);
}

/*
 * builtin_sql.c
 *	  Models that come with the extension: rstar_model_register_builtin.
 *
 * Their files are installed beside the extension's own ("$share/" in a row's
 * path). What a row says of its file is read from the file, by CREATE EXTENSION
 * and whenever a later version brings another file. The list below is all that
 * is said by hand: numbers, which other rows refer to and which never change;
 * names; and how each is best searched with. What its confidence is worth stands in
 * a file beside it, NAME.calibration.json, if it was calibrated:
 *
 *		{"min_confidence": number, "calibration": as in rstar.models.calibration}
 */
#include "postgres.h"

#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/models/files.h"
#include "pg/models/models.h"
#include "pg/base/settings.h"

PG_FUNCTION_INFO_V1(rstar_model_register_builtin);

typedef struct builtin_model
{
	int64 model_id;   /* the lowest of its role is the default */
	const char *name; /* its file is NAME.gguf */
	const char *role;
	int64 parent_id;
	const char *defaults;
} builtin_model;

static const builtin_model builtin_models[] = {
	{.model_id = 1,
	 .name = RSTAR_MODEL_RESERVED "policy",
	 .role = RSTAR_ROLE_POLICY,
	 .parent_id = 2,
	 .defaults = "{\"candidates\": 8, \"rollouts\": 4, \"step_tokens\": 128}"},
	{.model_id = 2,
	 .name = RSTAR_MODEL_RESERVED "bootstrap",
	 .role = RSTAR_ROLE_POLICY,
	 /* so young a policy goes astray at temperature 1: models/recipe/README.md, "The gate" */
	 .defaults =
		 "{\"candidates\": 8, \"rollouts\": 4, \"step_tokens\": 128, \"search_temperature\": 0.7}"},
};

/* False if the file is not there: somebody may want the extension without its models. */
static bool
examine_file(const char *file, rstar_store_facts *facts)
{
	char *directory = rstar_pg_share_directory();
	rstar_status status;
	rstar_error err;
	int fd;

	status = rstar_store_open(directory, file, &fd, &err);
	if (status == RSTAR_ERR_NOT_FOUND)
	{
		ereport(WARNING, (errcode(ERRCODE_UNDEFINED_FILE),
						  errmsg("model file \"%s\" is not installed", file),
						  errdetail("It belongs into the directory \"%s\".", directory),
						  errhint("Once it is there, call rstar_model_register_builtin().")));
		return false;
	}
	rstar_check(status, &err);
	status = rstar_store_examine(fd, facts, &rstar_allocator_malloc, &rstar_pg_cancel, &err);
	close(fd);
	rstar_check(status, &err);
	return true;
}

/* A calibration is some 2 kB; a file much longer is something else. */
#define MAX_CALIBRATION 65536

/* The file of that name in the share directory as jsonb, or NULL if it is not there. */
static Jsonb *
read_json(const char *name)
{
	char *path = psprintf("%s/%s", rstar_pg_share_directory(), name);
	FILE *file = AllocateFile(path, PG_BINARY_R);
	char *text;
	size_t length;

	if (!file && errno == ENOENT)
		return NULL;
	if (!file)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open \"%s\": %m", path)));
	text = palloc(MAX_CALIBRATION + 1);
	length = fread(text, 1, MAX_CALIBRATION, file);
	if (ferror(file))
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read \"%s\": %m", path)));
	FreeFile(file);
	text[length] = '\0';
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* What the file says of the model's confidence; without one the row says nothing of it. */
static void
read_calibration(const char *name, rstar_model_row *row)
{
	Jsonb *said = read_json(psprintf("%s.calibration.json", name));
	JsonbValue *calibration = said ? rstar_pg_json_member(&said->root, "calibration") : NULL;
	double least;

	if (calibration && calibration->type == jbvBinary)
		row->calibration = JsonbValueToJsonb(calibration);
	if (said && rstar_pg_json_number(&said->root, "min_confidence", &least))
		row->defaults = DatumGetJsonbP(DirectFunctionCall2(
			jsonb_concat, JsonbPGetDatum(row->defaults),
			DirectFunctionCall1(jsonb_in,
								CStringGetDatum(psprintf("{\"min_confidence\": %.6g}", least)))));
}

static bool
register_builtin(const builtin_model *model)
{
	char *file = psprintf("%s.gguf", model->name);
	rstar_store_facts facts;
	rstar_model_row row = {0};

	if (!examine_file(file, &facts))
		return false;
	row.model_id = model->model_id;
	row.name = pstrdup(model->name);
	row.role = pstrdup(model->role);
	row.path = psprintf("%s%s", RSTAR_MODEL_SHARE, file);
	row.parent_id = model->parent_id;
	row.defaults = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(model->defaults)));
	read_calibration(model->name, &row);
	rstar_pg_options_check_defaults(row.defaults);
	row.builtin = true;
	rstar_pg_model_describe(&row, &facts);
	rstar_pg_model_put_builtin(&row);
	return true;
}

/*
 * rstar_model_register_builtin() returns integer: how many
 */
Datum
rstar_model_register_builtin(PG_FUNCTION_ARGS)
{
	int32 registered = 0;

	PreventCommandIfReadOnly("registering models");
	PreventCommandDuringRecovery("registering models");
	for (int i = 0; i < lengthof(builtin_models); i++)
		registered += register_builtin(&builtin_models[i]);
	PG_RETURN_INT32(registered);
}

/*
 * call.c
 *	  The SQL function of a kind of job, called with named arguments.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "pg/base/compat.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/workers/jobs.h"
#include "pg/workers/call.h"

/* The function of a kind of job. */
typedef struct function
{
	Oid oid;
	char *schema;
	const char *name;
	char *arguments; /* their names, in commas: ",query,model," */
} function;

static const char *
function_name(const char *kind)
{
	const rstar_job_kind *k = rstar_pg_job_kind_find(kind);

	if (!k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no kind of job \"%s\"", kind),
				 errhint("A kind is the name of the function that submits it, without \"rstar_\": "
						 "for example search_all.")));
	return psprintf("rstar_%s", k->function ? k->function : kind);
}

static void
find_function(const char *kind, function *f)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool is_null;

	f->name = function_name(kind);
	rstar_pg_add_text(&a, f->name);
	rstar_tables_begin(&scope, "schedules");
	rstar_pg_execute(
		"SELECT p.oid, n.nspname::pg_catalog.text AS schema, pg_catalog.concat(',',"
		" pg_catalog.array_to_string(p.proargnames[1:p.pronargs], ','), ',') AS arguments"
		" FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
		"  ON n.oid OPERATOR(pg_catalog.=) p.pronamespace"
		" JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) p.oid"
		"  AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass"
		"  AND d.deptype OPERATOR(pg_catalog.=) 'e'"
		" JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid"
		"  AND e.extname OPERATOR(pg_catalog.=) 'rstar'"
		" WHERE p.proname OPERATOR(pg_catalog.=) $1::pg_catalog.name"
		" AND p.prokind OPERATOR(pg_catalog.=) 'f' ORDER BY p.pronargs DESC LIMIT 1",
		&a, true);
	if (SPI_processed == 0)
		elog(ERROR, "kind of job \"%s\" has no function", kind);
	f->oid = DatumGetObjectId(rstar_pg_result(0, "oid", &is_null));
	f->schema = rstar_pg_result_text(0, "schema", context);
	f->arguments = rstar_pg_result_text(0, "arguments", context);
	rstar_pg_tables_end(&scope);
}

static void
check_argument(const function *f, const char *name)
{
	if (strchr(name, ',') || !strstr(f->arguments, psprintf(",%s,", name)))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_PARAMETER),
						errmsg("%s() has no argument \"%s\"", f->name, name),
						errdetail("Its arguments are %s.",
								  pnstrdup(f->arguments + 1, strlen(f->arguments) - 2))));
}

/* A scalar as a literal of whatever type the argument has. */
static char *
literal_of(const JsonbValue *value, const char *name)
{
	switch (value->type)
	{
		case jbvString:
			return quote_literal_cstr(pnstrdup(value->val.string.val, value->val.string.len));
		case jbvNumeric:
			return quote_literal_cstr(DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
		case jbvBool:
			return value->val.boolean ? "true" : "false";
		case jbvNull:
			return "NULL";
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" must be a text, a number, a boolean or null", name)));
	}
}

char *
rstar_pg_job_call(const char *kind, Jsonb *arguments)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	StringInfoData call;
	char *name = NULL;
	function f;

	find_function(kind, &f);
	if (!rstar_pg_may_execute(f.oid, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, f.name);
	initStringInfo(&call);
	appendStringInfo(&call, "SELECT %s.%s(", quote_identifier(f.schema), quote_identifier(f.name));
	iterator = JsonbIteratorInit(&arguments->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			appendStringInfoString(&call, name ? ", " : "");
			name = pnstrdup(value.val.string.val, value.val.string.len);
			check_argument(&f, name);
		}
		else if (token == WJB_VALUE && name)
			appendStringInfo(&call, "%s => %s", quote_identifier(name), literal_of(&value, name));
	}
	appendStringInfoChar(&call, ')');
	return call.data;
}

int64
rstar_pg_job_call_now(const char *kind, Jsonb *arguments)
{
	int64 number = 0;
	bool is_null;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(rstar_pg_job_call(kind, arguments), false, 1) != SPI_OK_SELECT)
		elog(ERROR, "the call of a job is no SELECT");
	if (SPI_processed > 0)
		number =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	SPI_finish();
	return number;
}

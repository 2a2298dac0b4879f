/*
 * schedule_call.c
 *	  The call that a schedule stands for.
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
#include "pg/workers/schedule_call.h"

/* The function of a kind of job. */
typedef struct function
{
	Oid oid;
	char *schema;
	char *arguments; /* their names, in commas: ",query,model," */
} function;

static void
find_function(const char *kind, function *f)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool is_null;

	if (!rstar_pg_job_kind_find(kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no kind of job \"%s\"", kind),
				 errhint("A kind is the name of the function that submits it, without \"rstar_\": "
						 "for example search_all.")));
	rstar_pg_add_text(&a, psprintf("rstar_%s", kind));
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
check_argument(const function *f, const char *kind, const char *name)
{
	if (strchr(name, ',') || !strstr(f->arguments, psprintf(",%s,", name)))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_PARAMETER),
						errmsg("rstar_%s() has no argument \"%s\"", kind, name),
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
rstar_pg_schedule_call(const char *kind, Jsonb *arguments)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	StringInfoData call;
	char *name = NULL;
	function f;

	find_function(kind, &f);
	if (!rstar_pg_may_execute(f.oid, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, psprintf("rstar_%s", kind));
	initStringInfo(&call);
	appendStringInfo(&call, "SELECT %s.%s(", quote_identifier(f.schema),
					 quote_identifier(psprintf("rstar_%s", kind)));
	iterator = JsonbIteratorInit(&arguments->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			appendStringInfoString(&call, name ? ", " : "");
			name = pnstrdup(value.val.string.val, value.val.string.len);
			check_argument(&f, kind, name);
		}
		else if (token == WJB_VALUE && name)
			appendStringInfo(&call, "%s => %s", quote_identifier(name), literal_of(&value, name));
	}
	appendStringInfoChar(&call, ')');
	return call.data;
}

/*
 * verifier.c
 *	  Reading verifiers, and grading by them.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/verify/verifier.h"

static const struct
{
	const char *name;
	void (*grade)(const rstar_verifier *verifier, const rstar_verification *v,
				  rstar_search_verdict *verdict);
} kinds[RSTAR_N_VERIFIER_KINDS] = {
	[RSTAR_VERIFIER_TESTS] = {"tests", rstar_pg_verify_tests},
	[RSTAR_VERIFIER_PYTHON] = {"python", rstar_pg_verify_python},
	[RSTAR_VERIFIER_SQL] = {"sql", rstar_pg_verify_sql},
	[RSTAR_VERIFIER_FUNCTION] = {"function", rstar_pg_verify_function},
};

const char *
rstar_pg_verifier_kind_name(rstar_verifier_kind kind)
{
	return kinds[kind].name;
}

/* --- reading --------------------------------------------------------------------------- */

static rstar_verifier_kind
kind_of(const char *name)
{
	for (int kind = 0; kind < RSTAR_N_VERIFIER_KINDS; kind++)
		if (kinds[kind].name && strcmp(name, kinds[kind].name) == 0)
			return (rstar_verifier_kind) kind;
	elog(ERROR, "unknown kind of verifier \"%s\"", name);
}

static List *
names_of(Datum array, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	List *names = NIL;
	Datum *values;
	bool *nulls;
	int n;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
		names = lappend(names, TextDatumGetCString(values[i]));
	MemoryContextSwitchTo(caller);
	return names;
}

/*
 * As the tables' owner: whoever may search a problem may have it graded, and need not see the
 * checker. False: there is none of that name.
 */
static bool
find_verifier(const char *name, rstar_verifier *verifier)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool found, is_null;
	Datum schemas;

	*verifier = (rstar_verifier){.name = name};
	rstar_tables_begin(&scope, "verifiers");
	rstar_pg_add_text(&a, name);
	rstar_pg_execute("SELECT kind, created_by::pg_catalog.text AS created_by, program,"
					 " function_schema, function_name, schemas, role"
					 " FROM rstar.verifiers WHERE name OPERATOR(pg_catalog.=) $1",
					 &a, true);
	found = SPI_processed > 0;
	if (found)
	{
		verifier->kind = kind_of(rstar_pg_result_text(0, "kind", context));
		verifier->created_by = rstar_pg_result_text(0, "created_by", context);
		verifier->program = rstar_pg_result_text(0, "program", context);
		verifier->function_schema = rstar_pg_result_text(0, "function_schema", context);
		verifier->function_name = rstar_pg_result_text(0, "function_name", context);
		verifier->role = rstar_pg_result_text(0, "role", context);
		schemas = rstar_pg_result(0, "schemas", &is_null);
		verifier->schemas = is_null ? NIL : names_of(schemas, context);
	}
	rstar_pg_tables_end(&scope);
	return found;
}

/* --- verdicts --------------------------------------------------------------------------- */

void
rstar_pg_verify_fail(rstar_search_verdict *verdict, rstar_status status,
					 const rstar_verifier *verifier, const char *what, const char *detail)
{
	verdict->failed =
		rstar_error_set(&verdict->error, status, "verifier \"%s\" %s", verifier->name, what);
	if (detail)
		(void) rstar_error_detail(&verdict->error, "%s", detail);
	(void) rstar_error_hint(&verdict->error,
							"The failure is the verifier's: it says nothing of the solution.");
}

void
rstar_pg_verify_grade(rstar_search_verdict *verdict, const rstar_verifier *verifier, double grade)
{
	if (grade >= -1 && grade <= 1)
		verdict->grade = grade;
	else
		rstar_pg_verify_fail(verdict, RSTAR_ERR_ARGUMENT, verifier, "gave a grade out of bounds",
							 psprintf("%g is not between -1 and 1.", grade));
}

void
rstar_pg_verify_say(rstar_search_verdict *verdict, const char *format, ...)
{
	char text[sizeof verdict->why];
	va_list arguments;

	if (verdict->why[0])
		return;
	va_start(arguments, format);
	(void) vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	/* Whole characters: what was cut within one is left out. */
	strlcpy(verdict->why, text,
			(size_t) pg_mbcliplen(text, (int) strlen(text), (int) strlen(text)) + 1);
}

/* What is raised on behalf of the whole statement or session. */
static bool
is_interrupt(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
		   ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION;
}

bool
rstar_pg_verify_contained(void (*work)(void *arg), void *arg, rstar_verify_end end,
						  const volatile sig_atomic_t *expired, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	*error = NULL;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		done = true;
		if (end == RSTAR_VERIFY_KEEP)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
		done = false;
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (*error && is_interrupt(*error) &&
		!(expired && *expired && (*error)->sqlerrcode == ERRCODE_QUERY_CANCELED))
		ReThrowError(*error);
	return done;
}

void
rstar_pg_verify(const char *name, const rstar_verification *v, rstar_search_verdict *verdict)
{
	rstar_verifier verifier;

	*verdict = (rstar_search_verdict){.grade = -1};
	if (find_verifier(name, &verifier))
		kinds[verifier.kind].grade(&verifier, v, verdict);
	else
		rstar_pg_verify_fail(verdict, RSTAR_ERR_NOT_FOUND, &verifier, "does not exist", NULL);
}

/*
 * jail.c
 *	  Running a query that a model wrote: see jail.h.
 *
 * The order of what is done matters little, with one exception: the limit of memory
 * is the process's own (RLIMIT_DATA), so that a query which asks for ten gigabytes
 * gets "out of memory" instead of bringing the server down, and it must be lifted
 * before anything else goes on.
 */
#include "postgres.h"

#include <sys/resource.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

#include "pg/base/boundary.h"
#include "pg/verify/allowed.h"
#include "pg/verify/jail.h"
#include "pg/verify/settings.h"
#include "pg/verify/verifier.h"

/* Rows are fetched so many at a time, with a look at the limits between. */
#define FETCH_ROWS 100

/* Bytes of all rows together, as texts. */
#define MOST_BYTES ((Size) 16 << 20)

/* A longest query: no model writes more, and the parser's time grows with it. */
#define LONGEST_QUERY ((size_t) 64 << 10)

/* --- the role ------------------------------------------------------------------------------ */

static bool
is_member_of_any(Oid role)
{
	CatCList *list = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(role));
	bool any = list->n_members > 0;

	ReleaseSysCacheList(list);
	return any;
}

const char *
rstar_pg_jail_role_refused(Oid role)
{
	HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	Form_pg_authid form;
	bool attributes;

	if (!HeapTupleIsValid(tuple))
		return "There is no such role.";
	form = (Form_pg_authid) GETSTRUCT(tuple);
	attributes = form->rolsuper || form->rolcreaterole || form->rolcreatedb ||
				 form->rolreplication || form->rolbypassrls;
	ReleaseSysCache(tuple);
	if (attributes)
		return "It must have none of the attributes SUPERUSER, CREATEROLE, CREATEDB, REPLICATION "
			   "and BYPASSRLS.";
	if (is_member_of_any(role))
		return "It must not be a member of any role.";
	return NULL;
}

/* --- time ------------------------------------------------------------------------------------ */

static volatile sig_atomic_t expired;
static TimeoutId timeout = MAX_TIMEOUTS; /* MAX_TIMEOUTS: not registered yet */

static void
time_is_up(void)
{
	expired = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

static void
start_clock(void)
{
	if (timeout == MAX_TIMEOUTS)
		timeout = RegisterTimeout(USER_TIMEOUT, time_is_up);
	expired = false;
	enable_timeout_after(timeout, rstar_pg_verify_settings.timeout_ms);
}

/* A cancel that came from the clock as the query ended anyway is none. */
static void
stop_clock(void)
{
	disable_timeout(timeout, false);
	if (expired)
		QueryCancelPending = false;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Bytes of the process's private data now; 0: the system does not say. */
static rlim_t
data_size(void)
{
	FILE *file = AllocateFile("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		pages = 0;
	FreeFile(file);
	return (rlim_t) pages * (rlim_t) sysconf(_SC_PAGESIZE);
}

/* Let the process grow by no more than the limit; false: that could not be arranged. */
static bool
limit_memory(struct rlimit *before)
{
	rlim_t now = data_size();
	struct rlimit limit;

	if (now == 0 || getrlimit(RLIMIT_DATA, before) != 0)
		return false;
	limit = *before;
	limit.rlim_cur = now + ((rlim_t) rstar_pg_verify_settings.memory_mb << 20);
	if (before->rlim_cur != RLIM_INFINITY && before->rlim_cur < limit.rlim_cur)
		return false; /* it is low enough */
	return setrlimit(RLIMIT_DATA, &limit) == 0;
}

/* --- rows ---------------------------------------------------------------------------------------- */

/* 42.00 and 42 are the same; of what is no integer ten digits count. */
static char *
number_text(char *text)
{
	size_t digits = strspn(text, "-0123456789");
	double number;
	char *end;

	if (text[digits] == '.' && text[digits + 1 + strspn(text + digits + 1, "0")] == '\0')
		text[digits] = '\0';
	if (text[digits] == '\0')
		return strcmp(text, "-0") == 0 ? "0" : text;
	number = strtod(text, &end);
	return *end == '\0' ? psprintf("%.10g", number) : text;
}

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == FLOAT4OID ||
		   type == FLOAT8OID || type == NUMERICOID;
}

/* Values with their lengths, so that no value can pass for two. */
static char *
row_text(HeapTuple tuple, TupleDesc columns)
{
	StringInfoData row;

	initStringInfo(&row);
	for (int i = 0; i < columns->natts; i++)
	{
		char *value = SPI_getvalue(tuple, columns, i + 1);

		if (value && is_number(SPI_gettypeid(columns, i + 1)))
			value = number_text(value);
		if (value)
			appendStringInfo(&row, "%zu:%s,", strlen(value), value);
		else
			appendStringInfoString(&row, "null,");
	}
	return row.data;
}

static void
limit_rows(const rstar_jail_rows *result, Size bytes)
{
	if (result->n > (uint32) rstar_pg_verify_settings.rows || bytes > MOST_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a query that is verified returns too much"),
						errdetail("The limits are %d rows and %zu bytes.",
								  rstar_pg_verify_settings.rows, MOST_BYTES)));
}

/* The rows of the last fetch go to the result, in the context of the caller of it all. */
static void
take_rows(rstar_jail_rows *result, MemoryContext context, Size *bytes)
{
	MemoryContext inner = CurrentMemoryContext;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char *row;

		CHECK_FOR_INTERRUPTS();
		row = row_text(SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		*bytes += strlen(row);
		limit_rows(result, *bytes);
		MemoryContextSwitchTo(context);
		if (result->n == result->room)
		{
			result->room *= 2;
			result->rows = repalloc(result->rows, result->room * sizeof *result->rows);
		}
		result->rows[result->n++] = pstrdup(row);
		MemoryContextSwitchTo(inner);
		pfree(row);
	}
	limit_rows(result, *bytes);
}

/* --- running ----------------------------------------------------------------------------------- */

typedef struct inmate
{
	const char *query, *schema;
	Oid role;
	rstar_jail_rows *result;
	MemoryContext context;
} inmate;

static void
set_here(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/*
 * Everything that decides what a query means or gives is the same in every session. The settings
 * go back with the subtransaction, as do the role and the read-only mode.
 */
static void
enter(const inmate *in)
{
	static const char *const settings[][2] = {
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"standard_conforming_strings", "on"},
		{"escape_string_warning", "off"},
		{"array_nulls", "on"},
		{"transform_null_equals", "off"},
		{"row_security", "on"},
		{"jit", "off"},
		{"max_parallel_workers_per_gather", "0"},
		{"geqo", "on"}, /* these four bound the time of planning */
		{"geqo_threshold", "12"},
		{"join_collapse_limit", "8"},
		{"from_collapse_limit", "8"},
	};

	(void) NewGUCNestLevel();
	for (size_t i = 0; i < lengthof(settings); i++)
		set_here(settings[i][0], settings[i][1]);
	set_here("search_path", psprintf("pg_catalog, %s, pg_temp", quote_identifier(in->schema)));
	set_here("temp_file_limit", psprintf("%dMB", rstar_pg_verify_settings.memory_mb));
	XactReadOnly = true;
	SetUserIdAndSecContext(in->role, SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

static void
run_query(const inmate *in)
{
	Oid schema = get_namespace_oid(in->schema, false);
	Size bytes = 0;
	SPIPlanPtr plan;
	Portal portal;

	rstar_pg_allowed_check(in->query, schema, &in->result->ordered);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(in->query, 0, NULL);
	if (!plan || !SPI_is_cursor_plan(plan))
		elog(ERROR, "a query that is verified returns no rows");
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	in->result->columns = portal->tupDesc->natts;
	do
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		take_rows(in->result, in->context, &bytes);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
}

/* In the subtransaction. */
static void
run_confined(void *arg)
{
	struct rlimit before;
	volatile bool limited = false;

	enter(arg);
	start_clock();
	PG_TRY();
	{
		limited = limit_memory(&before);
		run_query(arg);
	}
	PG_FINALLY();
	{
		if (limited)
			(void) setrlimit(RLIMIT_DATA, &before);
		stop_clock();
	}
	PG_END_TRY();
}

void
rstar_pg_jail_run(const char *query, const char *schema, Oid role, rstar_jail_rows *result)
{
	inmate in = {.query = query,
				 .schema = schema,
				 .role = role,
				 .result = result,
				 .context = CurrentMemoryContext};
	ErrorData *error;

	*result = (rstar_jail_rows){.room = FETCH_ROWS};
	result->rows = palloc(result->room * sizeof *result->rows);
	expired = false;
	if (strlen(query) > LONGEST_QUERY)
		result->why = "the query is too long";
	else if (!rstar_pg_verify_contained(run_confined, &in, RSTAR_VERIFY_UNDO, &expired, &error))
	{
		result->by_clock = expired;
		result->why = expired ? "the query took too long" : error->message;
	}
}

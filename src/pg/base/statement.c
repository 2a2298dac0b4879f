/*
 * statement.c
 *	  Fixed statements with arguments, and their results.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/base/statement.h"

void
rstar_pg_add(rstar_arguments *a, Oid type, Datum value, bool is_null)
{
	Assert(a->n < RSTAR_MAX_ARGUMENTS);
	a->types[a->n] = type;
	a->values[a->n] = value;
	a->nulls[a->n] = is_null ? 'n' : ' ';
	a->n++;
}

void
rstar_pg_add_bigint(rstar_arguments *a, int64 value)
{
	rstar_pg_add(a, INT8OID, Int64GetDatum(value), false);
}

void
rstar_pg_add_int(rstar_arguments *a, int32 value, bool is_null)
{
	rstar_pg_add(a, INT4OID, Int32GetDatum(value), is_null);
}

void
rstar_pg_add_real(rstar_arguments *a, double value)
{
	rstar_pg_add(a, FLOAT8OID, Float8GetDatum(value), false);
}

void
rstar_pg_add_bool(rstar_arguments *a, bool value, bool is_null)
{
	rstar_pg_add(a, BOOLOID, BoolGetDatum(value), is_null);
}

void
rstar_pg_add_text(rstar_arguments *a, const char *value)
{
	rstar_pg_add(a, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
rstar_pg_add_now(rstar_arguments *a)
{
	rstar_pg_add(a, TIMESTAMPTZOID, TimestampTzGetDatum(GetCurrentTimestamp()), false);
}

/* Plans live as long as the session; PostgreSQL makes them anew when tables have changed. */
typedef struct kept_plan
{
	struct kept_plan *next;
	const char *statement;
	SPIPlanPtr plan;
} kept_plan;

static kept_plan *plans = NULL;

static SPIPlanPtr
plan_of(const char *statement, rstar_arguments *a)
{
	kept_plan *kept;
	SPIPlanPtr plan;

	for (kept = plans; kept; kept = kept->next)
		if (strcmp(kept->statement, statement) == 0)
			return kept->plan;
	plan = SPI_prepare(statement, a->n, a->types);
	if (!plan || SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI: %s in \"%s\"", SPI_result_code_string(SPI_result), statement);
	kept = MemoryContextAlloc(TopMemoryContext, sizeof *kept);
	kept->statement = MemoryContextStrdup(TopMemoryContext, statement);
	kept->plan = plan;
	kept->next = plans;
	plans = kept;
	return plan;
}

void
rstar_pg_execute(const char *statement, rstar_arguments *a, bool read_only)
{
	int code = SPI_execute_plan(plan_of(statement, a), a->values, a->nulls, read_only, 0);

	if (code < 0)
		elog(ERROR, "SPI: %s in \"%s\"", SPI_result_code_string(code), statement);
}

Datum
rstar_pg_result(uint64 row, const char *column, bool *is_null)
{
	int number = SPI_fnumber(SPI_tuptable->tupdesc, column);

	if (number <= 0)
		elog(ERROR, "no column \"%s\" in the result", column);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, is_null);
}

static void *
copy_text(Datum value)
{
	return TextDatumGetCString(value);
}

static void *
copy_jsonb(Datum value)
{
	return DatumGetJsonbPCopy(value);
}

/* A copy of the value in that context; NULL of NULL. */
static void *
result_copy(uint64 row, const char *column, MemoryContext context, void *(*copy)(Datum))
{
	bool is_null;
	Datum value = rstar_pg_result(row, column, &is_null);
	MemoryContext caller = MemoryContextSwitchTo(context);
	void *result = is_null ? NULL : copy(value);

	MemoryContextSwitchTo(caller);
	return result;
}

char *
rstar_pg_result_text(uint64 row, const char *column, MemoryContext context)
{
	return result_copy(row, column, context, copy_text);
}

Jsonb *
rstar_pg_result_jsonb(uint64 row, const char *column, MemoryContext context)
{
	return result_copy(row, column, context, copy_jsonb);
}

int64
rstar_pg_result_bigint(uint64 row, const char *column, int64 otherwise)
{
	bool is_null;
	Datum value = rstar_pg_result(row, column, &is_null);

	return is_null ? otherwise : DatumGetInt64(value);
}

int32
rstar_pg_result_int(uint64 row, const char *column, int32 otherwise)
{
	bool is_null;
	Datum value = rstar_pg_result(row, column, &is_null);

	return is_null ? otherwise : DatumGetInt32(value);
}

double
rstar_pg_result_real(uint64 row, const char *column, double otherwise)
{
	bool is_null;
	Datum value = rstar_pg_result(row, column, &is_null);

	return is_null ? otherwise : DatumGetFloat8(value);
}

bool
rstar_pg_result_bool(uint64 row, const char *column, bool *is_null)
{
	Datum value = rstar_pg_result(row, column, is_null);

	return !*is_null && DatumGetBool(value);
}

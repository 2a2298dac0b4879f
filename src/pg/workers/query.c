/*
 * query.c
 *	  A caller's query, whose rows become the work of a job.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "pg/workers/query.h"

#define FETCH_ROWS 500

bool rstar_pg_query_read_only = false;

/* Numbers seen so far, in order. */
typedef struct numbers
{
	int64 *list;
	uint32 n, room;
	HTAB *known;
	Oid type;
} numbers;

static void
add(numbers *set, int64 number)
{
	bool found;

	(void) hash_search(set->known, &number, HASH_ENTER, &found);
	if (found)
		return;
	if (set->n == set->room)
	{
		set->room *= 2;
		set->list = repalloc_huge(set->list, set->room * sizeof *set->list);
	}
	set->list[set->n++] = number;
}

static int64
number_of(Datum value, Oid type)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

static void
add_rows(void *arg)
{
	numbers *set = arg;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool is_null;
		Datum value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);

		if (is_null)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("the query must not return NULL")));
		add(set, number_of(value, set->type));
	}
}

/* A statement that returns rows can have a cursor, but only SELECT (or VALUES, TABLE) is one. */
static bool
is_one_select(SPIPlanPtr plan)
{
	CachedPlanSource *source;

	if (!plan || !SPI_is_cursor_plan(plan))
		return false;
	source = linitial(SPI_plan_get_plan_sources(plan));
	return source->commandTag == CMDTAG_SELECT;
}

static Portal
open_cursor(const char *query)
{
	SPIPlanPtr plan = SPI_prepare(query, 0, NULL);

	if (!is_one_select(plan))
		ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_DEFINITION),
						errmsg("the query must be one SELECT")));
	return SPI_cursor_open(NULL, plan, NULL, NULL, true);
}

/* Some rows. An error ends the transaction, which sets XactReadOnly back. */
static uint64
fetch(Portal portal)
{
	bool was_read_only = XactReadOnly;

	CHECK_FOR_INTERRUPTS();
	XactReadOnly = was_read_only || rstar_pg_query_read_only;
	SPI_cursor_fetch(portal, true, FETCH_ROWS);
	XactReadOnly = was_read_only;
	return SPI_processed;
}

/* Run a query by a cursor, so that its result need not fit in memory. */
static void
read_query(const char *query, void (*begin)(void *arg, TupleDesc columns), void (*take)(void *arg),
		   void *arg)
{
	Portal portal;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	portal = open_cursor(query);
	begin(arg, portal->tupDesc);
	while (fetch(portal) > 0)
	{
		SPITupleTable *fetched = SPI_tuptable;

		take(arg);
		SPI_freetuptable(fetched);
	}
	SPI_cursor_close(portal);
	SPI_finish();
}

/* --- numbers ------------------------------------------------------------------------- */

static void
begin_numbers(void *arg, TupleDesc columns)
{
	numbers *set = arg;
	Oid type = columns->natts == 1 ? TupleDescAttr(columns, 0)->atttypid : InvalidOid;

	if (type != INT2OID && type != INT4OID && type != INT8OID)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the query must return one column of integers"),
			 errhint(
				 "For example: SELECT problem_id FROM rstar.problems WHERE topic = 'algebra'")));
	set->type = type;
}

int64 *
rstar_pg_query_numbers(const char *query, uint32 *n)
{
	HASHCTL control = {
		.keysize = sizeof(int64), .entrysize = sizeof(int64), .hcxt = CurrentMemoryContext};
	numbers set = {.room = FETCH_ROWS};

	set.list = palloc(set.room * sizeof *set.list);
	set.known = hash_create("rstar query", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	read_query(query, begin_numbers, add_rows, &set);
	hash_destroy(set.known);
	*n = set.n;
	return set.list;
}

/* --- texts --------------------------------------------------------------------------- */

typedef struct texts
{
	const char *const *names;
	const char *hint;
	int columns[RSTAR_QUERY_COLUMNS]; /* numbers in the query's result */
	int n;
	int64 rows; /* before the fetch in hand */
	rstar_query_take take;
	void *arg;
	MemoryContext scratch; /* of one fetch */
} texts;

static void
begin_texts(void *arg, TupleDesc columns)
{
	texts *t = arg;

	for (int i = 0; i < t->n; i++)
	{
		t->columns[i] = SPI_fnumber(columns, t->names[i]);
		if (t->columns[i] <= 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("the query returns no column \"%s\"", t->names[i]),
							errhint("%s", t->hint)));
	}
}

static char *
value_of(const texts *t, uint64 row, int column)
{
	char *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, t->columns[column]);

	if (!value)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("column \"%s\" of the query must not be NULL", t->names[column]),
						errdetail("It is in row " INT64_FORMAT ".", t->rows + (int64) row + 1)));
	return value;
}

static void
take_texts(void *arg)
{
	texts *t = arg;
	MemoryContext caller = MemoryContextSwitchTo(t->scratch);
	uint64 rows = SPI_processed;
	char **values = palloc(rows * t->n * sizeof *values);

	for (uint64 row = 0; row < rows; row++)
		for (int i = 0; i < t->n; i++)
			values[row * t->n + i] = value_of(t, row, i);
	t->take(t->arg, t->rows + 1, rows, values);
	t->rows += (int64) rows;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(t->scratch);
}

void
rstar_pg_query_texts(const char *query, const char *const *columns, int n, const char *hint,
					 rstar_query_take take, void *arg)
{
	texts t = {.names = columns, .hint = hint, .n = n, .take = take, .arg = arg};

	Assert(n <= RSTAR_QUERY_COLUMNS);
	t.scratch = AllocSetContextCreate(CurrentMemoryContext, "rstar query", ALLOCSET_DEFAULT_SIZES);
	read_query(query, begin_texts, take_texts, &t);
	MemoryContextDelete(t.scratch);
}

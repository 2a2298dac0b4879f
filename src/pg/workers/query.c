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

#define FETCH_ROWS 1000

bool rstar_pg_query_read_only = false;

/* Numbers seen so far, in order. */
typedef struct numbers
{
	int64 *list;
	uint32 n, room;
	HTAB *known;
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
add_rows(numbers *set, Oid type)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool is_null;
		Datum value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);

		if (is_null)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("the query must not return NULL")));
		add(set, number_of(value, type));
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
	Portal portal;
	Oid type;

	if (!is_one_select(plan))
		ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_DEFINITION),
						errmsg("the query must be one SELECT")));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	type = portal->tupDesc->natts == 1 ? TupleDescAttr(portal->tupDesc, 0)->atttypid : InvalidOid;
	if (type != INT2OID && type != INT4OID && type != INT8OID)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the query must return one column of integers"),
			 errhint(
				 "For example: SELECT problem_id FROM rstar.problems WHERE topic = 'algebra'")));
	return portal;
}

static void
read_query(const char *query, numbers *set)
{
	Portal portal;
	Oid type;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	portal = open_cursor(query);
	type = TupleDescAttr(portal->tupDesc, 0)->atttypid;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		add_rows(set, type);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
}

int64 *
rstar_pg_query_numbers(const char *query, uint32 *n)
{
	HASHCTL control = {
		.keysize = sizeof(int64), .entrysize = sizeof(int64), .hcxt = CurrentMemoryContext};
	numbers set = {.room = FETCH_ROWS};
	bool was_read_only = XactReadOnly;

	set.list = palloc(set.room * sizeof *set.list);
	set.known = hash_create("rstar query", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	/* An error ends the transaction, which sets it back. */
	XactReadOnly = was_read_only || rstar_pg_query_read_only;
	read_query(query, &set);
	XactReadOnly = was_read_only;
	hash_destroy(set.known);
	*n = set.n;
	return set.list;
}

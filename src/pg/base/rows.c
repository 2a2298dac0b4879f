/*
 * rows.c
 *	  Inserting many rows with one statement.
 *
 * The columns travel as arrays. (unnest of several arrays is syntax rather than
 * a function, so it stands without a schema; the search path holds pg_catalog
 * alone.)
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/base/boundary.h"
#include "pg/base/rows.h"
#include "pg/base/statement.h"

void
rstar_pg_rows_init(rstar_rows *rows, const char *table, const rstar_column *columns, int n_columns,
				   uint32 room)
{
	Assert(n_columns <= RSTAR_MAX_COLUMNS);
	*rows = (rstar_rows){
		.table = table, .columns = columns, .n_columns = n_columns, .room = Max(room, 1)};
	for (int c = 0; c < n_columns; c++)
	{
		rows->values[c] = palloc(rows->room * sizeof(Datum));
		rows->nulls[c] = palloc(rows->room * sizeof(bool));
	}
}

static void
put(rstar_rows *rows, Datum value, bool is_null)
{
	Assert(rows->n < rows->room);
	rows->values[rows->next][rows->n] = value;
	rows->nulls[rows->next][rows->n] = is_null;
	if (++rows->next == rows->n_columns)
	{
		rows->next = 0;
		rows->n++;
	}
}

void
rstar_pg_put(rstar_rows *rows, Oid type, Datum value)
{
	if (rows->columns[rows->next].type != type)
		elog(ERROR, "column \"%s\" of rstar.%s was given a value of type %u",
			 rows->columns[rows->next].name, rows->table, type);
	put(rows, value, false);
}

void
rstar_pg_put_null(rstar_rows *rows)
{
	put(rows, (Datum) 0, true);
}

void
rstar_pg_put_bigint(rstar_rows *rows, int64 value)
{
	rstar_pg_put(rows, INT8OID, Int64GetDatum(value));
}

void
rstar_pg_put_int(rstar_rows *rows, int64 value)
{
	Assert(value >= PG_INT32_MIN && value <= PG_INT32_MAX);
	rstar_pg_put(rows, INT4OID, Int32GetDatum((int32) value));
}

void
rstar_pg_put_real(rstar_rows *rows, double value)
{
	rstar_pg_put(rows, FLOAT8OID, Float8GetDatum(value));
}

void
rstar_pg_put_bool(rstar_rows *rows, bool value)
{
	rstar_pg_put(rows, BOOLOID, BoolGetDatum(value));
}

void
rstar_pg_put_text(rstar_rows *rows, const char *value)
{
	if (value)
		rstar_pg_put(rows, TEXTOID, CStringGetTextDatum(value));
	else
		rstar_pg_put_null(rows);
}

void
rstar_pg_put_string(rstar_rows *rows, rstar_string value)
{
	rstar_pg_put_text(rows, rstar_pg_clean_text(value.data, value.length));
}

/* INSERT INTO rstar.<table> (<columns>) SELECT * FROM unnest($1, $2, ...) */
static char *
statement_of(const rstar_rows *rows, const char *tail)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO rstar.%s (", rows->table);
	for (int c = 0; c < rows->n_columns; c++)
		appendStringInfo(&sql, "%s%s", c > 0 ? ", " : "", rows->columns[c].name);
	appendStringInfoString(&sql, ") SELECT * FROM unnest(");
	for (int c = 0; c < rows->n_columns; c++)
		appendStringInfo(&sql, "%s$%d", c > 0 ? ", " : "", c + 1);
	appendStringInfoChar(&sql, ')');
	if (tail)
		appendStringInfo(&sql, " %s", tail);
	return sql.data;
}

static void
add_column(rstar_arguments *a, const rstar_rows *rows, int c)
{
	int dimensions[1] = {(int) rows->n}, lower[1] = {1};
	Oid type = rows->columns[c].type;
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	rstar_pg_add(a, get_array_type(type),
				 PointerGetDatum(construct_md_array(rows->values[c], rows->nulls[c], 1, dimensions,
													lower, type, length, by_value, align)),
				 false);
}

void
rstar_pg_rows_insert(const rstar_rows *rows, const char *tail)
{
	rstar_arguments a = {0};
	char *sql;

	if (rows->next != 0)
		elog(ERROR, "a row of rstar.%s lacks \"%s\"", rows->table, rows->columns[rows->next].name);
	if (rows->n == 0)
		return;
	for (int c = 0; c < rows->n_columns; c++)
		add_column(&a, rows, c);
	sql = statement_of(rows, tail);
	rstar_pg_execute(sql, &a, false);
	pfree(sql);
}

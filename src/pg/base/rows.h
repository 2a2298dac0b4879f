/*
 * rows.h
 *	  Inserting many rows with one statement.
 *
 * A table's columns stand once, as {name, type}; array and statement are made
 * from them. Between rstar_tables_begin and rstar_pg_tables_end (tables.h):
 *
 *		static const rstar_column columns[] = {{"tree_id", INT8OID}, {"text", TEXTOID}};
 *		rstar_rows rows;
 *
 *		rstar_pg_rows_init(&rows, "nodes", columns, lengthof(columns), n);
 *		for (...)
 *		{
 *			rstar_pg_put_bigint(&rows, id);
 *			rstar_pg_put_text(&rows, text);
 *		}
 *		rstar_pg_rows_insert(&rows, NULL);
 */
#ifndef RSTAR_PG_BASE_ROWS_H
#define RSTAR_PG_BASE_ROWS_H

#include "postgres.h"

#include "core/base/string.h"

typedef struct rstar_column
{
	const char *name;
	Oid type;
} rstar_column;

#define RSTAR_MAX_COLUMNS 32

/* Memory: the context that is current at rstar_pg_rows_init. */
typedef struct rstar_rows
{
	const char *table; /* in schema rstar */
	const rstar_column *columns;
	int n_columns;
	int next;       /* column that the next value goes to */
	uint32 n, room; /* full rows; rows that there is room for */
	Datum *values[RSTAR_MAX_COLUMNS];
	bool *nulls[RSTAR_MAX_COLUMNS];
} rstar_rows;

/* At most `room` rows. */
extern void rstar_pg_rows_init(rstar_rows *rows, const char *table, const rstar_column *columns,
							   int n_columns, uint32 room);

/*
 * Append the next value, column by column; the type is checked against the column's.
 * rstar_pg_put is for types without a function of their own. A string is cleaned of what
 * the database does not accept (rstar_pg_clean_text).
 */
extern void rstar_pg_put(rstar_rows *rows, Oid type, Datum value);
extern void rstar_pg_put_null(rstar_rows *rows);
extern void rstar_pg_put_bigint(rstar_rows *rows, int64 value);
extern void rstar_pg_put_int(rstar_rows *rows, int64 value); /* within int32 */
extern void rstar_pg_put_real(rstar_rows *rows, double value);
extern void rstar_pg_put_bool(rstar_rows *rows, bool value);
extern void rstar_pg_put_text(rstar_rows *rows, const char *value); /* NULL: NULL */
extern void rstar_pg_put_string(rstar_rows *rows, rstar_string value);

/*
 * Insert the rows (none: nothing happens). tail: what the statement ends with, "RETURNING tree_id"
 * (SPI_tuptable then holds it) or "ON CONFLICT DO NOTHING"; NULL: nothing. Raises.
 */
extern void rstar_pg_rows_insert(const rstar_rows *rows, const char *tail);

#endif

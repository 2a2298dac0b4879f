/*
 * statement.h
 *	  Fixed statements with arguments, and their results.
 *
 * Between rstar_tables_begin and rstar_pg_tables_end (tables.h):
 *
 *		rstar_arguments a = {0};
 *
 *		rstar_pg_add_bigint(&a, id);
 *		rstar_pg_execute("SELECT name FROM rstar.models WHERE model_id OPERATOR(pg_catalog.=) $1", &a, true);
 *		if (SPI_processed > 0)
 *			name = rstar_pg_result_text(0, "name", context);
 */
#ifndef RSTAR_PG_BASE_STATEMENT_H
#define RSTAR_PG_BASE_STATEMENT_H

#include "postgres.h"

#include "utils/jsonb.h"

/* Arguments of a statement, filled in order. */
#define RSTAR_MAX_ARGUMENTS 32

typedef struct rstar_arguments
{
	int n;
	Oid types[RSTAR_MAX_ARGUMENTS];
	Datum values[RSTAR_MAX_ARGUMENTS];
	char nulls[RSTAR_MAX_ARGUMENTS];
} rstar_arguments;

extern void rstar_pg_add(rstar_arguments *a, Oid type, Datum value, bool is_null);
extern void rstar_pg_add_bigint(rstar_arguments *a, int64 value);
extern void rstar_pg_add_int(rstar_arguments *a, int32 value, bool is_null);
extern void rstar_pg_add_real(rstar_arguments *a, double value);
extern void rstar_pg_add_bool(rstar_arguments *a, bool value, bool is_null);
extern void rstar_pg_add_text(rstar_arguments *a, const char *value); /* NULL: NULL */

/*
 * The time. (Statements that change rows do not call clock_timestamp(): on a cluster they
 * might be run in several places.)
 */
extern void rstar_pg_add_now(rstar_arguments *a);

/*
 * Run it; raises. SPI_processed and SPI_tuptable hold the result. Its plan is kept
 * for the session, so `statement` must be one of a few: no values in it.
 */
extern void rstar_pg_execute(const char *statement, rstar_arguments *a, bool read_only);

/* A column of a row of the result; `otherwise` stands for NULL. */
extern Datum rstar_pg_result(uint64 row, const char *column, bool *is_null);
extern char *rstar_pg_result_text(uint64 row, const char *column,
								  MemoryContext context); /* or NULL */
extern Jsonb *rstar_pg_result_jsonb(uint64 row, const char *column,
									MemoryContext context); /* or NULL */
extern int64 rstar_pg_result_bigint(uint64 row, const char *column, int64 otherwise);
extern int32 rstar_pg_result_int(uint64 row, const char *column, int32 otherwise);
extern double rstar_pg_result_real(uint64 row, const char *column, double otherwise);
extern bool rstar_pg_result_bool(uint64 row, const char *column, bool *is_null); /* NULL: false */

#endif

/*
 * examples.c
 *	  The examples of a run: from a caller's query into rows, and from rows into
 *	  the core.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/base/rows.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/train/examples.h"
#include "pg/workers/query.h"

#define FETCH_ROWS  500
#define MAX_COLUMNS 5

/* Columns that a query must return, by name. */
static const char *const policy_columns[] = {"problem", "solution"};
static const char *const ppm_columns[] = {"problem", "prefix", "chosen", "rejected", "weight"};

static const char *const *
columns_of(bool ppm, int *n)
{
	*n = ppm ? lengthof(ppm_columns) : lengthof(policy_columns);
	return ppm ? ppm_columns : policy_columns;
}

static rstar_string
string_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

/* Add one example to the core; values in the order of the columns. Returns its tokens. */
static uint32
add_example(rstar_examples *examples, bool ppm, char **values, int64 number)
{
	uint32 length;
	rstar_status status;
	rstar_error err;

	if (ppm)
		status = rstar_examples_add_pair(
			examples, string_of(values[0]), string_of(values[1]), string_of(values[2]),
			string_of(values[3]),
			DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(values[4]))),
			&rstar_pg_cancel, &length, &err);
	else
		status = rstar_examples_add_solution(examples, string_of(values[0]), string_of(values[1]),
											 &rstar_pg_cancel, &length, &err);
	if (status == RSTAR_ERR_ARGUMENT && err.detail[0] == '\0')
		rstar_error_detail(&err, "In row %lld of the query.", (long long) number);
	rstar_check(status, &err);
	return length;
}

/* --- the caller's query ------------------------------------------------------------------ */

typedef struct source
{
	int64 run_id;
	bool ppm;
	rstar_examples *examples;
	rstar_example_counts counts;
} source;

static const rstar_column stored_columns[] = {
	{"run_id", INT8OID}, {"example_id", INT8OID}, {"problem", TEXTOID},  {"solution", TEXTOID},
	{"prefix", TEXTOID}, {"chosen", TEXTOID},     {"rejected", TEXTOID}, {"weight", FLOAT8OID},
	{"tokens", INT4OID}, {"used", BOOLOID},
};

static void
put_row(const source *s, rstar_rows *rows, char **values, uint32 tokens)
{
	rstar_pg_put_bigint(rows, s->run_id);
	rstar_pg_put_bigint(rows, s->counts.rows);
	rstar_pg_put_text(rows, values[0]);
	rstar_pg_put_text(rows, s->ppm ? NULL : values[1]);
	for (int i = 1; i < 4; i++)
		rstar_pg_put_text(rows, s->ppm ? values[i] : NULL);
	if (s->ppm)
		rstar_pg_put_real(
			rows, DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(values[4]))));
	else
		rstar_pg_put_null(rows);
	rstar_pg_put_int(rows, tokens);
	rstar_pg_put_bool(rows, tokens <= s->examples->context);
}

/* Rows become examples, and rows of the table. */
static void
take_rows(void *arg, int64 first, uint64 n, char **values)
{
	source *s = arg;
	rstar_tables_scope scope;
	rstar_rows rows;
	int n_columns;

	(void) columns_of(s->ppm, &n_columns);
	rstar_pg_rows_init(&rows, "training_examples", stored_columns, lengthof(stored_columns),
					   (uint32) n);
	for (uint64 i = 0; i < n; i++)
	{
		char **row = values + i * n_columns;
		uint32 tokens;

		CHECK_FOR_INTERRUPTS();
		s->counts.rows = first + (int64) i;
		tokens = add_example(s->examples, s->ppm, row, s->counts.rows);
		s->counts.too_long += tokens > s->examples->context;
		put_row(s, &rows, row, tokens);
	}
	rstar_tables_begin(&scope, "training_examples");
	rstar_pg_rows_insert(&rows, NULL);
	rstar_pg_tables_end(&scope);
}

/* What stays of a row is in `examples` and in the table. */
rstar_example_counts
rstar_pg_examples_store(int64 run_id, bool ppm, const char *query, rstar_examples *examples)
{
	source s = {.run_id = run_id, .ppm = ppm, .examples = examples};
	int n;
	const char *const *columns = columns_of(ppm, &n);

	rstar_pg_query_texts(
		query, columns, n,
		ppm ? "Pairs need the columns problem, prefix, chosen, rejected and weight."
			: "Solutions need the columns problem and solution.",
		take_rows, &s);
	return s.counts;
}

/* --- from rows --------------------------------------------------------------------------- */

static void
read_some(rstar_examples *examples, bool ppm, int64 *ids, int *n, int64 *last)
{
	int n_columns;
	const char *const *names = columns_of(ppm, &n_columns);

	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char *values[MAX_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n_columns; i++)
			values[i] = rstar_pg_result_text(row, names[i], CurrentMemoryContext);
		*last = rstar_pg_result_bigint(row, "example_id", 0);
		add_example(examples, ppm, values, *last);
		ids[(*n)++] = *last;
	}
}

static int64
count_used(int64 run_id)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, run_id);
	rstar_pg_execute("SELECT pg_catalog.count(*) AS n FROM rstar.training_examples"
					 " WHERE run_id OPERATOR(pg_catalog.=) $1 AND used",
					 &a, false);
	return rstar_pg_result_bigint(0, "n", 0);
}

/*
 * By key, each statement beginning after the last row of the one before, so that memory is
 * bounded and no cursor has to stay open. Weights travel as text to come back exactly as they
 * were stored. `ids` lists the examples in the order in which the trainer knows them.
 */
void
rstar_pg_examples_read(int64 run_id, bool ppm, rstar_examples *examples, int64 **ids)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "rstar examples", ALLOCSET_DEFAULT_SIZES);
	rstar_tables_scope scope;
	int64 last = 0;
	int n = 0;

	rstar_tables_begin(&scope, "training_examples");
	*ids = MemoryContextAllocHuge(caller, (count_used(run_id) + 1) * sizeof **ids);
	do
	{
		rstar_arguments a = {0};

		rstar_pg_add_bigint(&a, run_id);
		rstar_pg_add_bigint(&a, last);
		rstar_pg_add_int(&a, FETCH_ROWS, false);
		rstar_pg_execute("SELECT example_id, problem, solution, prefix, chosen, rejected,"
						 " weight::pg_catalog.text AS weight FROM rstar.training_examples"
						 " WHERE run_id OPERATOR(pg_catalog.=) $1"
						 " AND example_id OPERATOR(pg_catalog.>) $2 AND used"
						 " ORDER BY example_id LIMIT $3",
						 &a, false);
		MemoryContextSwitchTo(scratch);
		read_some(examples, ppm, *ids, &n, &last);
		MemoryContextReset(scratch);
	} while (SPI_processed > 0);
	rstar_pg_tables_end(&scope);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

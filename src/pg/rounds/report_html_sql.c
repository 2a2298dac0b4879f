/*
 * report_html_sql.c
 *	  rstar_report_html: a round, and those before it, as a page for a browser.
 *
 * Tables come from report_tables.c, pictures from the functions that draw them.
 * Everything is read as the caller.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/picture/page.h"
#include "core/picture/scaling.h"
#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/data/picture.h"
#include "pg/rounds/report.h"
#include "pg/rounds/report_tables.h"
#include "pg/train/curve.h"

PG_FUNCTION_INFO_V1(rstar_report_html);

/* A page in the making. */
typedef struct report
{
	int64 round_id;
	MemoryContext context; /* of all that it takes */
	rstar_svg page;
} report;

/* Run a statement whose only argument is the round; within a scope. */
static void
run_for_round(const report *r, const char *statement)
{
	rstar_arguments a = {0};

	CHECK_FOR_INTERRUPTS();
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_execute(statement, &a, true);
}

static rstar_string
string_of(const char *text)
{
	return (rstar_string){text, text ? strlen(text) : 0};
}

/* --- tables ---------------------------------------------------------------------------- */

static void
put_heading(report *r, int column)
{
	rstar_page_cell(
		&r->page, string_of(NameStr(TupleDescAttr(SPI_tuptable->tupdesc, column)->attname)), true);
}

/* 1234567 as 1,234,567. */
static char *
with_thousands(int64 value)
{
	char *digits = psprintf(INT64_FORMAT, value);
	StringInfoData out;

	initStringInfo(&out);
	for (char *at = digits; *at; at++)
	{
		if (at > digits && at[-1] != '-' && strlen(at) % 3 == 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, *at);
	}
	return out.data;
}

static void
put_value(report *r, uint64 row, int column, bool heading)
{
	HeapTuple tuple = SPI_tuptable->vals[row];
	TupleDesc desc = SPI_tuptable->tupdesc;
	Oid type = SPI_gettypeid(desc, column + 1);
	bool is_null;
	Datum value = SPI_getbinval(tuple, desc, column + 1, &is_null);
	const char *words = "";

	if (!is_null && type == FLOAT8OID)
	{
		rstar_page_share(&r->page, DatumGetFloat8(value));
		return;
	}
	if (!is_null)
		words = type == INT8OID ? with_thousands(DatumGetInt64(value))
								: SPI_getvalue(tuple, desc, column + 1);
	rstar_page_cell(&r->page, string_of(words), heading);
}

static void
put_upright(report *r)
{
	rstar_page_row_begin(&r->page);
	for (int column = 0; column < SPI_tuptable->tupdesc->natts; column++)
		put_heading(r, column);
	rstar_page_row_end(&r->page);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		rstar_page_row_begin(&r->page);
		for (int column = 0; column < SPI_tuptable->tupdesc->natts; column++)
			put_value(r, row, column, false);
		rstar_page_row_end(&r->page);
	}
}

/* The first column names the rows, which stand beside each other. */
static void
put_sideways(report *r)
{
	for (int column = 0; column < SPI_tuptable->tupdesc->natts; column++)
	{
		rstar_page_row_begin(&r->page);
		put_heading(r, column);
		for (uint64 row = 0; row < SPI_processed; row++)
			put_value(r, row, column, column == 0);
		rstar_page_row_end(&r->page);
	}
}

static void
put_table(report *r, const rstar_report_table *table)
{
	rstar_tables_scope scope;

	rstar_page_section(&r->page, table->heading, table->note);
	rstar_pg_tables_read(&scope);
	run_for_round(r, table->statement);
	if (SPI_processed == 0)
		rstar_page_remark(&r->page, table->none);
	else
	{
		rstar_page_table_begin(&r->page);
		if (table->sideways)
			put_sideways(r);
		else
			put_upright(r);
		rstar_page_table_end(&r->page);
	}
	rstar_pg_tables_end(&scope);
}

/* --- pictures -------------------------------------------------------------------------- */

/* The numbers that a statement returns in its only column, in the report's context. */
static int64 *
read_ids(report *r, const char *statement, int *n)
{
	rstar_tables_scope scope;
	int64 *ids;

	rstar_pg_tables_read(&scope);
	run_for_round(r, statement);
	ids = MemoryContextAlloc(r->context, (SPI_processed + 1) * sizeof *ids);
	*n = (int) SPI_processed;
	for (int i = 0; i < *n; i++)
		ids[i] = rstar_pg_result_bigint(i, "id", 0);
	rstar_pg_tables_end(&scope);
	return ids;
}

static void
put_figure(report *r, text *svg, rstar_page_fit fit)
{
	rstar_page_figure(&r->page, (rstar_string){VARDATA_ANY(svg), VARSIZE_ANY_EXHDR(svg)}, fit);
	pfree(svg);
}

/* Held-out problems, and the losses of this round's runs. */
static void
put_curves(report *r)
{
	int n_evaluations, n_runs;
	int64 *evaluations = read_ids(
		r,
		RSTAR_REPORT_LINE
		" SELECT id FROM (SELECT e.evaluation_id AS id, r.number FROM line JOIN rstar.rounds r "
		"USING (round_id)"
		" JOIN rstar.evaluations e ON e.evaluation_id IN (r.baseline_id, r.evaluation_id)"
		" WHERE EXISTS (SELECT FROM rstar.evaluation_answers a"
		"                WHERE a.evaluation_id = e.evaluation_id)"
		" ORDER BY r.number DESC, e.evaluation_id DESC"
		" LIMIT " CppAsString2(RSTAR_SCALING_EVALUATIONS) ") e ORDER BY number, id",
		&n_evaluations);
	int64 *runs =
		read_ids(r,
				 "SELECT t.run_id AS id FROM rstar.rounds r"
				 " JOIN rstar.training_runs t ON t.run_id IN (r.policy_run_id, r.ppm_run_id)"
				 " WHERE r.round_id = $1 ORDER BY t.run_id",
				 &n_runs);

	rstar_page_section(&r->page, "Held-out problems and training", NULL);
	if (n_evaluations + n_runs == 0)
		rstar_page_remark(&r->page, "Nothing was evaluated or trained.");
	rstar_page_figures_begin(&r->page);
	if (n_evaluations > 0)
	{
		Datum *ids = MemoryContextAlloc(r->context, n_evaluations * sizeof *ids);

		for (int i = 0; i < n_evaluations; i++)
			ids[i] = Int64GetDatum(evaluations[i]);
		put_figure(r,
				   rstar_pg_scaling_svg(construct_array(ids, n_evaluations, INT8OID, sizeof(int64),
														FLOAT8PASSBYVAL, TYPALIGN_DOUBLE),
										"rollout"),
				   RSTAR_PAGE_FITTED);
	}
	for (int i = 0; i < n_runs; i++)
		put_figure(r, rstar_pg_curve_svg(runs[i]), RSTAR_PAGE_FITTED);
	rstar_page_figures_end(&r->page);
}

/* The tree that a condition chooses whose size suits a page best. */
#define EXAMPLE_TREE(condition)                                                                    \
	"SELECT tree_id AS id FROM rstar.trees WHERE round_id = $1 AND status = 'done' AND " condition \
	" ORDER BY abs(nodes - 30), tree_id LIMIT 1"

static void
put_example(report *r, const char *heading, const char *none, const char *statement)
{
	int n;
	int64 *ids = read_ids(r, statement, &n);

	rstar_page_section(&r->page, heading, n == 0 ? none : NULL);
	if (n > 0)
		put_figure(r, rstar_pg_tree_svg(ids[0]), RSTAR_PAGE_SCROLLED);
}

/* --- the page -------------------------------------------------------------------------- */

static char *
read_title(report *r)
{
	rstar_tables_scope scope;
	char *title;

	rstar_pg_tables_read(&scope);
	run_for_round(
		r, "SELECT name || ', round ' || number AS title FROM rstar.rounds WHERE round_id = $1");
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("round " INT64_FORMAT " does not exist", r->round_id)));
	title = rstar_pg_result_text(0, "title", r->context);
	rstar_pg_tables_end(&scope);
	return title;
}

static void
put_page(report *r)
{
	rstar_page_begin(&r->page, string_of(read_title(r)));
	put_table(r, &rstar_pg_report_rounds);
	put_curves(r);
	for (int i = 0; i < rstar_pg_report_n_tables; i++)
		put_table(r, &rstar_pg_report_tables[i]);
	put_example(r, "A solved problem", "There is none.", EXAMPLE_TREE("correct"));
	put_example(r, "An unsolved problem", "There is none.",
				EXAMPLE_TREE("known_answer IS NOT NULL AND first_correct_rollout IS NULL"));
	rstar_page_end(&r->page);
}

/*
 * rstar_report_html(round_id bigint) returns text
 */
Datum
rstar_report_html(PG_FUNCTION_ARGS)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "rstar report", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_buffer out;
	report r = {.round_id = PG_GETARG_INT64(0), .context = context, .page = {.out = &out}};
	text *result;

	rstar_buffer_init(&out, &allocator);
	put_page(&r);
	if (r.page.failed)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	MemoryContextSwitchTo(caller);
	result = cstring_to_text_with_len(out.data, (int) out.length);
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(result);
}

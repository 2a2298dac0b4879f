/*
 * report_scaling_sql.c
 *	  rstar_scaling_svg: evaluations by the number of rollouts, or by what they cost.
 *
 * The tables are read as the caller, who sees the evaluations that he may see.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/picture/scaling.h"
#include "core/search/outcomes.h"
#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/rounds/report.h"

PG_FUNCTION_INFO_V1(rstar_scaling_picture);

/* In their order; between rstar_tables_begin and _end. */
static void
read_names(ArrayType *ids, rstar_scaling *s, MemoryContext context)
{
	rstar_arguments a = {0};
	rstar_string *names;

	rstar_pg_add(&a, INT8ARRAYOID, PointerGetDatum(ids), false);
	rstar_pg_execute(
		"SELECT i.id, pg_catalog.format('%s (%s)', e.name, pg_catalog.concat_ws(', ',"
		"  COALESCE(m.name, e.settings OPERATOR(pg_catalog.->>) 'policy'),"
		"  COALESCE(g.name, e.settings OPERATOR(pg_catalog.->>) 'ppm'), e.method)) AS name,"
		" e.evaluation_id IS NOT NULL AS exists"
		" FROM pg_catalog.unnest($1) WITH ORDINALITY i (id, place)"
		" LEFT JOIN rstar.evaluations e ON e.evaluation_id OPERATOR(pg_catalog.=) i.id"
		" LEFT JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) e.policy_id"
		" LEFT JOIN rstar.models g ON g.model_id OPERATOR(pg_catalog.=) e.ppm_id"
		" ORDER BY i.place",
		&a, true);
	names = MemoryContextAlloc(context, SPI_processed * sizeof *names);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool is_null;

		if (!rstar_pg_result_bool(i, "exists", &is_null))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
							errmsg("evaluation " INT64_FORMAT " does not exist",
								   rstar_pg_result_bigint(i, "id", 0))));
		names[i].data = rstar_pg_result_text(i, "name", context);
		names[i].length = strlen(names[i].data);
	}
	s->names = names;
	s->n_names = (uint32) SPI_processed;
}

/* What runs across, by the name that the caller gives it. */
typedef struct axis
{
	const char *name;
	const char *per; /* of rstar.evaluation_answers */
	bool tokens;     /* the mean of what k of them cost, not k */
	const char *label, *unit;
} axis;

static const axis axes[] = {
	{"rollout", "rollout", false, "rollouts", "k ="},
	{"answer", "answer", false, "answers", "k ="},
	{"token", "rollout", true, "tokens generated for a problem", "tokens"},
};

static const axis *
axis_of(const char *name)
{
	for (size_t i = 0; i < lengthof(axes); i++)
		if (strcmp(axes[i].name, name) == 0)
			return &axes[i];
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"per\" must be \"rollout\", \"answer\" or \"token\"")));
}

/*
 * A point for each evaluation, measure and k: the share of problems with the right answer, and
 * its interval. Measures that the picture does not know are passed over.
 */
static void
read_points(ArrayType *ids, const axis *across, rstar_scaling *s, MemoryContext context)
{
	rstar_arguments a = {0};
	rstar_scaling_point *points;

	rstar_pg_add(&a, INT8ARRAYOID, PointerGetDatum(ids), false);
	rstar_pg_add_text(&a, across->per);
	rstar_pg_execute(
		"SELECT i.place OPERATOR(pg_catalog.-) 1 AS place, a.measure, a.k,"
		"       pg_catalog.sum(a.value) AS right_ones, pg_catalog.count(*) AS problems,"
		"       pg_catalog.avg(a.tokens)::pg_catalog.float8 AS tokens"
		" FROM rstar.evaluation_answers a"
		" JOIN pg_catalog.unnest($1) WITH ORDINALITY i (id, place)"
		"   ON i.id OPERATOR(pg_catalog.=) a.evaluation_id"
		" WHERE (a.per OPERATOR(pg_catalog.=) $2 OR a.measure OPERATOR(pg_catalog.=) 'greedy')"
		" GROUP BY i.place, a.measure, a.k ORDER BY i.place, a.measure, a.k",
		&a, true);
	points = MemoryContextAlloc(context, (SPI_processed + 1) * sizeof *points);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		rstar_scaling_point *p = &points[s->n];
		double right = rstar_pg_result_real(i, "right_ones", 0);
		double problems = (double) rstar_pg_result_bigint(i, "problems", 1);

		p->measure = rstar_scaling_measure_of(rstar_pg_result_text(i, "measure", context));
		p->evaluation = (uint32) rstar_pg_result_bigint(i, "place", 0);
		p->k = across->tokens ? Max(1, rstar_pg_result_real(i, "tokens", 1))
							  : rstar_pg_result_int(i, "k", 1);
		p->value = right / problems;
		rstar_outcomes_interval(right, problems, &p->low, &p->high);
		s->n += p->measure != RSTAR_SCALING_MEASURES;
	}
	s->points = points;
}

static ArrayType *
checked_ids(FunctionCallInfo fcinfo)
{
	ArrayType *ids = PG_GETARG_ARRAYTYPE_P(0);
	int n = ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));

	if (n < 1 || n > RSTAR_SCALING_EVALUATIONS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a picture shows between 1 and %d evaluations",
							   RSTAR_SCALING_EVALUATIONS)));
	if (array_contains_nulls(ids))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the number of an evaluation must not be NULL")));
	return ids;
}

text *
rstar_pg_scaling_svg(ArrayType *ids, const char *per)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "rstar scaling", ALLOCSET_DEFAULT_SIZES);
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	const axis *across = axis_of(per);
	rstar_scaling scaling = {.across = across->label, .unit = across->unit};
	rstar_tables_scope scope;
	rstar_buffer out;
	rstar_error err;
	text *result;

	rstar_pg_tables_read(&scope);
	read_names(ids, &scaling, context);
	read_points(ids, across, &scaling, context);
	rstar_pg_tables_end(&scope);
	rstar_buffer_init(&out, &allocator);
	rstar_check(rstar_scaling_svg(&scaling, &out, &err), &err);
	result = cstring_to_text_with_len(out.data, (int) out.length);
	MemoryContextDelete(context);
	return result;
}

/*
 * rstar_scaling_svg(evaluation_ids bigint[], per text) returns text
 */
Datum
rstar_scaling_picture(PG_FUNCTION_ARGS)
{
	ArrayType *ids = checked_ids(fcinfo);

	PG_RETURN_TEXT_P(rstar_pg_scaling_svg(ids, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

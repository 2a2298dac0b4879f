/*
 * curve_sql.c
 *	  rstar_curve_svg: the loss curve of a run of training.
 *
 * Drawing needs the caller's own right to read the tables that it shows.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/picture/curve.h"
#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/train/curve.h"

PG_FUNCTION_INFO_V1(rstar_training_curve);

static void
check_rights(void)
{
	static const char *const tables[] = {"training_runs", "training_steps"};

	for (int i = 0; i < lengthof(tables); i++)
	{
		AclResult result =
			pg_class_aclcheck(rstar_pg_table_oid(tables[i]), GetUserId(), ACL_SELECT);

		if (result != ACLCHECK_OK)
			aclcheck_error(result, OBJECT_TABLE, psprintf("rstar.%s", tables[i]));
	}
}

/* Title and note; between rstar_tables_begin and _end. */
static void
read_head(int64 run_id, rstar_curve *curve, MemoryContext context)
{
	rstar_arguments a = {0};
	char *title, *note;

	rstar_pg_add_bigint(&a, run_id);
	rstar_pg_execute(
		"SELECT pg_catalog.format('Run %s: %s', r.run_id, r.name) AS title,"
		" pg_catalog.concat_ws(', ', r.kind,"
		"   pg_catalog.format('%s parameters trained', r.trained_parameters),"
		"   pg_catalog.format('%s examples', r.examples OPERATOR(pg_catalog.-) r.too_long),"
		"   r.settings OPERATOR(pg_catalog.->>) 'optimizer',"
		"   r.settings OPERATOR(pg_catalog.->>) 'schedule', r.kernel) AS note"
		" FROM rstar.training_runs r WHERE r.run_id OPERATOR(pg_catalog.=) $1",
		&a, true);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("training run " INT64_FORMAT " does not exist", run_id)));
	title = rstar_pg_result_text(0, "title", context);
	note = rstar_pg_result_text(0, "note", context);
	curve->title = (rstar_string){title, strlen(title)};
	curve->note = (rstar_string){note, strlen(note)};
}

static void
read_points(int64 run_id, rstar_curve *curve, MemoryContext context)
{
	rstar_arguments a = {0};
	rstar_curve_point *points;

	rstar_pg_add_bigint(&a, run_id);
	rstar_pg_execute("SELECT step, loss, held_out_loss, learning_rate FROM rstar.training_steps"
					 " WHERE run_id OPERATOR(pg_catalog.=) $1 ORDER BY step",
					 &a, true);
	points = MemoryContextAllocHuge(context, (SPI_processed + 1) * sizeof *points);
	for (uint64 i = 0; i < SPI_processed; i++)
		points[i] = (rstar_curve_point){
			.step = (double) rstar_pg_result_bigint(i, "step", 0),
			.loss = rstar_pg_result_real(i, "loss", NAN),
			.held_out = rstar_pg_result_real(i, "held_out_loss", NAN),
			.rate = rstar_pg_result_real(i, "learning_rate", NAN),
		};
	curve->points = points;
	curve->n = SPI_processed;
}

text *
rstar_pg_curve_svg(int64 run_id)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "rstar curve", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_tables_scope scope;
	rstar_curve curve = {0};
	rstar_buffer out;
	rstar_error err;
	text *result;

	check_rights();
	rstar_pg_tables_read(&scope);
	read_head(run_id, &curve, context);
	read_points(run_id, &curve, context);
	rstar_pg_tables_end(&scope);
	rstar_buffer_init(&out, &allocator);
	rstar_check(rstar_curve_svg(&curve, &out, &err), &err);
	MemoryContextSwitchTo(caller);
	result = cstring_to_text_with_len(out.data, (int) out.length);
	MemoryContextDelete(context);
	return result;
}

/*
 * rstar_curve_svg(run_id bigint) returns text
 */
Datum
rstar_training_curve(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(rstar_pg_curve_svg(PG_GETARG_INT64(0)));
}

/*
 * picture_sql.c
 *	  Pictures of stored trees: rstar_tree_text, rstar_tree_svg.
 *
 * Rows are read as the caller, by statements that no search path can bend.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/picture/picture_svg.h"
#include "core/picture/picture_text.h"
#include "pg/base/boundary.h"
#include "pg/base/tables.h"
#include "pg/data/picture.h"
#include "pg/models/models.h"
#include "pg/search/tree_store.h"

PG_FUNCTION_INFO_V1(rstar_tree_text);
PG_FUNCTION_INFO_V1(rstar_tree_svg);

static const char facts_query[] =
	"SELECT COALESCE(t.statement, p.statement),"
	"       CASE WHEN t.statement IS NULL THEN p.answer ELSE t.known_answer END, t.answer, "
	"t.answer_id, t.rollouts, t.first_correct_rollout,"
	"       t.generated_tokens, t.python_steps, t.policy_ms, t.ppm_ms, t.sandbox_ms,"
	"       t.search_ms,"
	"       concat_ws(', ', t.method, (t.settings->>'candidates') || ' candidates'),"
	"       concat_ws(', ', 'seed ' || t.seed, 'round ' || t.round_id, 'failed: ' || t.error),"
	"       t.policy_id, t.settings->>'policy', t.ppm_id, t.settings->>'ppm'"
	"  FROM rstar.trees t JOIN rstar.problems p ON p.problem_id = t.problem_id"
	" WHERE t.tree_id = $1";

static Datum
column(int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, isnull);
}

/* In the caller's context; data NULL for NULL. */
static rstar_string
text_column(int number, MemoryContext context)
{
	bool isnull;
	Datum value = column(number, &isnull);
	rstar_string result = {NULL, 0};
	char *copy;

	if (isnull)
		return result;
	copy = MemoryContextStrdup(context, TextDatumGetCString(value));
	result.data = copy;
	result.length = strlen(copy);
	return result;
}

static int64
int_column(int number, int64 null_value)
{
	bool isnull;
	Datum value = column(number, &isnull);

	if (isnull)
		return null_value;
	if (SPI_gettypeid(SPI_tuptable->tupdesc, number) == INT4OID)
		return DatumGetInt32(value);
	return DatumGetInt64(value);
}

static double
real_column(int number)
{
	bool isnull;
	Datum value = column(number, &isnull);

	return isnull ? 0 : DatumGetFloat8(value);
}

/* ", policy NAME": as the model is called now, else as it was; nothing if there was none. */
static void
append_model(StringInfo out, const char *role, int id_column)
{
	int64 id = int_column(id_column, 0);
	rstar_model_row *row = id ? rstar_pg_model_find_id(id) : NULL;
	rstar_string stored = text_column(id_column + 1, CurrentMemoryContext);
	const char *name = row ? row->name : stored.data;

	if (name)
		appendStringInfo(out, ", %s %s", role, name);
}

/* What the tree was made with, in the given context. */
static rstar_string
settings_line(MemoryContext context)
{
	StringInfoData line;
	char *copy;

	initStringInfo(&line);
	appendStringInfoString(&line, text_column(13, CurrentMemoryContext).data);
	append_model(&line, "policy", 15);
	append_model(&line, "ppm", 17);
	appendStringInfo(&line, ", %s", text_column(14, CurrentMemoryContext).data);
	copy = MemoryContextStrdup(context, line.data);
	return (rstar_string){copy, line.len};
}

static uint32
node_number(int64 value)
{
	return value < 0 || value >= RSTAR_NO_NODE ? RSTAR_NO_NODE : (uint32) value;
}

/*
 * Read as the caller, so the tree is found only if the caller may see it: one of another user
 * does not exist. The strings are copied into the caller's context, as SPI's own goes with the
 * scope.
 */
static void
read_facts(int64 tree_id, rstar_picture_facts *facts)
{
	MemoryContext context = CurrentMemoryContext;
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(tree_id)};
	rstar_tables_scope scope;

	rstar_pg_tables_read(&scope);
	if (SPI_execute_with_args(facts_query, 1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "reading rstar.trees failed");
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("tree " INT64_FORMAT " does not exist", tree_id)));
	*facts = (rstar_picture_facts){
		.tree_id = tree_id,
		.problem = text_column(1, context),
		.known_answer = text_column(2, context),
		.answer = text_column(3, context),
		.answer_node = node_number(int_column(4, -1)),
		.rollouts = (uint32) int_column(5, 0),
		.first_correct = node_number(int_column(6, -1)),
		.generated_tokens = (uint64) int_column(7, 0),
		.python_steps = (uint64) int_column(8, 0),
		.policy_ms = real_column(9),
		.ppm_ms = real_column(10),
		.sandbox_ms = real_column(11),
		.search_ms = real_column(12),
		.settings = settings_line(context),
	};
	rstar_pg_tables_end(&scope);
}

/* A picture may be a hundred megabytes: a cancel is heard between pieces of it. */
static text *
text_of(const rstar_buffer *picture)
{
	const size_t piece = (size_t) 1 << 20;
	text *result = palloc(picture->length + VARHDRSZ);

	SET_VARSIZE(result, picture->length + VARHDRSZ);
	for (size_t at = 0; at < picture->length; at += piece)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(VARDATA(result) + at, picture->data + at, Min(piece, picture->length - at));
	}
	return result;
}

/* The picture, drawn in a context of its own, as a text in the caller's. */
static text *
draw(int64 tree_id, bool svg, bool rejected)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "rstar picture", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_picture_facts facts;
	rstar_tree *tree;
	rstar_buffer out;
	rstar_status status;
	rstar_error err;
	text *result;

	read_facts(tree_id, &facts);
	tree = rstar_pg_tree_load_nodes(tree_id);
	CHECK_FOR_INTERRUPTS();
	rstar_buffer_init(&out, &allocator);
	status = svg ? rstar_picture_svg(tree, &facts, &out, &rstar_pg_cancel_serving, &err)
				 : rstar_picture_text(tree, &facts, rejected, &out, &rstar_pg_cancel_serving, &err);
	rstar_check(status, &err);
	if (out.length >= MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the picture of tree " INT64_FORMAT " is too large", tree_id)));
	MemoryContextSwitchTo(caller);
	result = text_of(&out);
	MemoryContextDelete(context);
	return result;
}

text *
rstar_pg_tree_svg(int64 tree_id)
{
	return draw(tree_id, true, true);
}

/*
 * rstar_tree_text(tree_id bigint, rejected boolean) returns text
 */
Datum
rstar_tree_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(draw(PG_GETARG_INT64(0), false, PG_GETARG_BOOL(1)));
}

/*
 * rstar_tree_svg(tree_id bigint) returns text
 */
Datum
rstar_tree_svg(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(rstar_pg_tree_svg(PG_GETARG_INT64(0)));
}

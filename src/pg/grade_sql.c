/*
 * grade_sql.c
 *	  Answers: rstar_extract_answer, rstar_answers_equal, rstar_answer_normalize.
 *
 * The core's comparison never fails, so there is nothing to raise here. It takes
 * its memory from a context of the call, which is gone when the function
 * returns, and at most some 20 ms.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/grade/grade.h"
#include "pg/boundary.h"

PG_FUNCTION_INFO_V1(rstar_extract_answer);
PG_FUNCTION_INFO_V1(rstar_answers_equal);
PG_FUNCTION_INFO_V1(rstar_answer_normalize);

static MemoryContext
grading_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "rstar grading", ALLOCSET_DEFAULT_SIZES);
}

/*
 * rstar_extract_answer(text) returns text: NULL where there is none
 */
Datum
rstar_extract_answer(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	MemoryContext context = grading_context();
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_arena arena;
	const char *found;
	size_t length;
	text *result = NULL;

	rstar_arena_init(&arena, &allocator, 0);
	found = rstar_grade_extract(&arena, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), &length);
	if (length > 0)
		result = cstring_to_text_with_len(found, (int) length);
	MemoryContextDelete(context);
	if (!result)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

/*
 * rstar_answers_equal(gold text, answer text) returns boolean
 */
Datum
rstar_answers_equal(PG_FUNCTION_ARGS)
{
	text *gold = PG_GETARG_TEXT_PP(0);
	text *answer = PG_GETARG_TEXT_PP(1);
	MemoryContext context = grading_context();
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_grade_result result;

	result = rstar_grade_compare(&allocator, VARDATA_ANY(gold), VARSIZE_ANY_EXHDR(gold),
								 VARDATA_ANY(answer), VARSIZE_ANY_EXHDR(answer));
	MemoryContextDelete(context);
	PG_RETURN_BOOL(result.equal);
}

/*
 * rstar_answer_normalize(text) returns text
 */
Datum
rstar_answer_normalize(PG_FUNCTION_ARGS)
{
	text *input = PG_GETARG_TEXT_PP(0);
	MemoryContext context = grading_context();
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_buffer out;
	text *result;
	bool done;

	rstar_buffer_init(&out, &allocator);
	done = rstar_grade_normalize(&allocator, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), &out);
	if (!done)
	{
		rstar_error err;

		MemoryContextDelete(context);
		rstar_raise(rstar_error_memory(&err, VARSIZE_ANY_EXHDR(input)), &err);
	}
	/* Cut in the middle of nothing: the core keeps or drops whole ASCII signs. */
	pg_verifymbstr(out.data ? out.data : "", (int) out.length, false);
	result = cstring_to_text_with_len(out.data ? out.data : "", (int) out.length);
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(result);
}

/*
 * grade_sql.c
 *	  Answers: rstar_extract_answer, rstar_answers_equal, rstar_answer_normalize,
 *	  rstar_answers_equal_symbolic.
 *
 * The core's comparison never fails, so there is nothing to raise here. It takes
 * its memory from a context of the call, which is gone when the function
 * returns, and, with the bound on texts below, at most some 50 ms. The symbolic comparison runs a program of ours in
 * the sandbox, on the root, where no other code has run; its process ends with it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/grade/grade.h"
#include "core/grade/symbolic.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/sandbox/session.h"

PG_FUNCTION_INFO_V1(rstar_extract_answer);
PG_FUNCTION_INFO_V1(rstar_answers_equal);
PG_FUNCTION_INFO_V1(rstar_answer_normalize);
PG_FUNCTION_INFO_V1(rstar_answers_equal_symbolic);

/*
 * Of a longer text only the end is looked at, where a solution has its answer:
 * the core reads a megabyte in some 50 ms, and nobody can stop it. An answer of
 * such a length equals only itself, and has no other spelling.
 */
#define LONGEST_TEXT (256 * 1024)

static bool
is_too_long(const text *t)
{
	return VARSIZE_ANY_EXHDR(t) > LONGEST_TEXT;
}

/* The end of a text, from the start of a character. */
static rstar_string
end_of(const text *t)
{
	size_t length = VARSIZE_ANY_EXHDR(t);
	const char *data = VARDATA_ANY(t);
	size_t from = length > LONGEST_TEXT ? length - LONGEST_TEXT : 0;

	while (from > 0 && from < length && (data[from] & 0xC0) == 0x80)
		from++;
	return (rstar_string){data + from, length - from};
}

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
	rstar_string end = end_of(input);
	const char *found;
	size_t length;
	text *result = NULL;

	rstar_arena_init(&arena, &allocator, 0);
	found = rstar_grade_extract(&arena, end.data, end.length, &length);
	if (length > 0)
		result = cstring_to_text_with_len(found, (int) length);
	MemoryContextDelete(context);
	if (!result)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

static rstar_grade_result
compare(const rstar_allocator *allocator, const text *gold, const text *answer)
{
	rstar_string end = end_of(answer);

	if (is_too_long(gold))
		return (rstar_grade_result){
			.equal = VARSIZE_ANY_EXHDR(gold) == VARSIZE_ANY_EXHDR(answer) &&
					 memcmp(VARDATA_ANY(gold), VARDATA_ANY(answer), VARSIZE_ANY_EXHDR(gold)) == 0};
	return rstar_grade_compare(allocator, VARDATA_ANY(gold), VARSIZE_ANY_EXHDR(gold), end.data,
							   end.length);
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
	bool equal = compare(&allocator, gold, answer).equal;

	MemoryContextDelete(context);
	PG_RETURN_BOOL(equal);
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

	if (is_too_long(input))
		PG_RETURN_TEXT_P(input);
	rstar_buffer_init(&out, &allocator);
	done = rstar_grade_normalize(&allocator, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), &out);
	if (!done)
	{
		rstar_error err;

		MemoryContextDelete(context);
		rstar_pg_raise(rstar_error_memory(&err, VARSIZE_ANY_EXHDR(input)), &err);
	}
	/* Cut in the middle of nothing: the core keeps or drops whole ASCII signs. */
	pg_verifymbstr(out.data ? out.data : "", (int) out.length, false);
	result = cstring_to_text_with_len(out.data ? out.data : "", (int) out.length);
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(result);
}

/* What the sandbox says to the program: equal only if it ran and said so. */
static bool
run_program(const char *program, size_t length)
{
	rstar_sandbox_step step = {.code = program, .length = length, .leaf = true};
	rstar_sandbox_result result;
	bool equal;

	rstar_pg_session_sandbox_limits(&step.limits);
	rstar_pg_session_sandbox_run(0, &step, &result);
	equal = result.status == RSTAR_SANDBOX_OK && strcmp(result.output, RSTAR_SYMBOLIC_EQUAL) == 0;
	rstar_pg_session_sandbox_release(result.node);
	rstar_sandbox_result_free(&result);
	return equal;
}

/*
 * rstar_answers_equal_symbolic(gold text, answer text) returns boolean: the
 * native comparison, and SymPy where that is undecided
 */
Datum
rstar_answers_equal_symbolic(PG_FUNCTION_ARGS)
{
	text *gold = PG_GETARG_TEXT_PP(0);
	text *answer = PG_GETARG_TEXT_PP(1);
	MemoryContext context = grading_context();
	rstar_allocator allocator = rstar_pg_allocator_in(context);
	rstar_grade_result result;
	rstar_buffer program;
	bool equal;

	result = compare(&allocator, gold, answer);
	equal = result.equal;
	rstar_buffer_init(&program, &allocator);
	if (!equal && result.undecided &&
		rstar_grade_symbolic_program(&allocator, VARDATA_ANY(gold), VARSIZE_ANY_EXHDR(gold),
									 VARDATA_ANY(answer), VARSIZE_ANY_EXHDR(answer), &program))
		equal = run_program(program.data, program.length);
	MemoryContextDelete(context);
	PG_RETURN_BOOL(equal);
}

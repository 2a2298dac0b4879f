/*
 * verifier_sql.c
 *	  rstar_verifier_create, rstar_verifier_drop, rstar_verify.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/sandbox/session.h"
#include "pg/verify/jail.h"
#include "pg/verify/verifier.h"

PG_FUNCTION_INFO_V1(rstar_verifier_create);
PG_FUNCTION_INFO_V1(rstar_verifier_drop);
PG_FUNCTION_INFO_V1(rstar_verify);

/* Arguments of rstar_verifier_create. */
enum
{
	ARG_NAME,
	ARG_KIND,
	ARG_PROGRAM,
	ARG_FUNCTION,
	ARG_SCHEMAS,
	ARG_ROLE,
	ARG_REPLACE
};

/* Which arguments a kind takes; those that it needs. */
static const struct
{
	bool program, needs_program, function, schemas;
} takes[RSTAR_N_VERIFIER_KINDS] = {
	[RSTAR_VERIFIER_TESTS] = {.program = true},
	[RSTAR_VERIFIER_PYTHON] = {.program = true, .needs_program = true},
	[RSTAR_VERIFIER_SQL] = {.schemas = true},
	[RSTAR_VERIFIER_FUNCTION] = {.function = true},
};

/* --- what is asked for --------------------------------------------------------------------- */

static rstar_verifier_kind
kind_argument(const char *name)
{
	for (int kind = 0; kind < RSTAR_N_VERIFIER_KINDS; kind++)
	{
		const char *known = rstar_pg_verifier_kind_name((rstar_verifier_kind) kind);

		if (known && strcmp(known, name) == 0)
			return (rstar_verifier_kind) kind;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" is no kind of verifier", name),
					errhint("The kinds are tests, sql, function and python.")));
}

/* An argument that the kind does not take must be NULL, one that it needs must not. */
static void
check_presence(FunctionCallInfo fcinfo, int argument, const char *name, bool taken, bool needed,
			   const char *kind)
{
	if (!PG_ARGISNULL(argument) && !taken)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a verifier of kind %s has no argument \"%s\"", kind, name)));
	if (PG_ARGISNULL(argument) && needed)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("a verifier of kind %s needs the argument \"%s\"", kind, name)));
}

static void
check_arguments(FunctionCallInfo fcinfo, rstar_verifier_kind kind)
{
	const char *name = rstar_pg_verifier_kind_name(kind);

	check_presence(fcinfo, ARG_PROGRAM, "program", takes[kind].program, takes[kind].needs_program,
				   name);
	check_presence(fcinfo, ARG_FUNCTION, "function", takes[kind].function, takes[kind].function,
				   name);
	check_presence(fcinfo, ARG_SCHEMAS, "schemas", takes[kind].schemas, takes[kind].schemas, name);
	check_presence(fcinfo, ARG_ROLE, "role", takes[kind].schemas, takes[kind].schemas, name);
}

/* The function's schema and name, once the current user may make a verifier of it. */
static void
read_function(Oid function, rstar_verifier *verifier)
{
	const char *refused = rstar_pg_verifier_function_refused(function, GetUserId());

	if (refused)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("function %s cannot be a verifier",
							   DatumGetCString(DirectFunctionCall1(regprocedureout,
																   ObjectIdGetDatum(function)))),
						errdetail("%s", refused)));
	verifier->function_schema = get_namespace_name(get_func_namespace(function));
	verifier->function_name = get_func_name(function);
}

/*
 * Queries run as a role without rights, which must be one that the current user could become. The
 * schemas are looked for when a query runs.
 */
static void
check_role(const char *name)
{
	Oid role = get_role_oid(name, false);
	const char *refused = rstar_pg_jail_role_refused(role);

	if (!refused && !is_member_of_role(GetUserId(), role))
		refused = "You are not a member of it.";
	if (refused)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("queries cannot run as role \"%s\"", name), errdetail("%s", refused)));
}

static void
check_schemas(ArrayType *schemas)
{
	if (ARR_NDIM(schemas) != 1 || array_contains_nulls(schemas))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"schemas\" must be a list of one or more names")));
}

static void
read_arguments(FunctionCallInfo fcinfo, rstar_verifier *verifier)
{
	*verifier = (rstar_verifier){.name = rstar_required_text(fcinfo, ARG_NAME, "name")};
	if (verifier->name[0] == '\0' || strlen(verifier->name) > 200)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the name of a verifier must have 1 to 200 bytes")));
	verifier->kind = kind_argument(rstar_required_text(fcinfo, ARG_KIND, "kind"));
	check_arguments(fcinfo, verifier->kind);
	verifier->program = rstar_optional_text(fcinfo, ARG_PROGRAM);
	if (!PG_ARGISNULL(ARG_FUNCTION))
		read_function(PG_GETARG_OID(ARG_FUNCTION), verifier);
	verifier->role = rstar_optional_text(fcinfo, ARG_ROLE);
	if (verifier->role)
	{
		check_role(verifier->role);
		check_schemas(PG_GETARG_ARRAYTYPE_P(ARG_SCHEMAS));
	}
}

/* --- rstar_verifier_create, rstar_verifier_drop ---------------------------------------------- */

/*
 * Whether there is a verifier of that name, in a scope of the tables' owner; raises if it belongs
 * to a role whose rights `user` does not have.
 */
static bool
find_own(const char *name, Oid user)
{
	rstar_arguments a = {0};
	const char *owner;

	rstar_pg_add_text(&a, name);
	rstar_pg_execute("SELECT created_by::pg_catalog.text AS created_by FROM rstar.verifiers"
					 " WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE",
					 &a, false);
	if (SPI_processed == 0)
		return false;
	owner = rstar_pg_result_text(0, "created_by", CurrentMemoryContext);
	if (!superuser_arg(user) && !has_privs_of_role(user, get_role_oid(owner, true)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of verifier \"%s\"", name)));
	return true;
}

/* A new row, or with `replace` the owner's own of that name. */
static void
store(const rstar_verifier *verifier, Datum schemas, bool no_schemas, bool replace)
{
	const char *owner = GetUserNameFromId(GetUserId(), false);
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "verifiers");
	if (find_own(verifier->name, scope.user) && !replace)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("verifier \"%s\" exists already", verifier->name)));
	rstar_pg_add_text(&a, verifier->name);
	rstar_pg_add_text(&a, rstar_pg_verifier_kind_name(verifier->kind));
	rstar_pg_add_text(&a, owner);
	rstar_pg_add_text(&a, verifier->program);
	rstar_pg_add_text(&a, verifier->function_schema);
	rstar_pg_add_text(&a, verifier->function_name);
	rstar_pg_add(&a, TEXTARRAYOID, schemas, no_schemas);
	rstar_pg_add_text(&a, verifier->role);
	rstar_pg_execute("INSERT INTO rstar.verifiers AS v (name, kind, created_by, program,"
					 " function_schema, function_name, schemas, role)"
					 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE"
					 " SET kind = $2, created_by = $3, program = $4, function_schema = $5,"
					 " function_name = $6, schemas = $7, role = $8,"
					 " created_at = pg_catalog.now() WHERE v.created_by OPERATOR(pg_catalog.=) $3",
					 &a, false);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("verifier \"%s\" exists already", verifier->name),
						errdetail("It belongs to another role.")));
	rstar_pg_tables_end(&scope);
}

/*
 * rstar_verifier_create(name text, kind text, program text, function regprocedure,
 *						 schemas text[], role text, replace boolean)
 */
Datum
rstar_verifier_create(PG_FUNCTION_ARGS)
{
	rstar_verifier verifier;
	bool replace = !PG_ARGISNULL(ARG_REPLACE) && PG_GETARG_BOOL(ARG_REPLACE);

	PreventCommandIfReadOnly("rstar_verifier_create()");
	read_arguments(fcinfo, &verifier);
	store(&verifier, PG_ARGISNULL(ARG_SCHEMAS) ? (Datum) 0 : PG_GETARG_DATUM(ARG_SCHEMAS),
		  PG_ARGISNULL(ARG_SCHEMAS), replace);
	PG_RETURN_VOID();
}

/*
 * rstar_verifier_drop(name text)
 */
Datum
rstar_verifier_drop(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	PreventCommandIfReadOnly("rstar_verifier_drop()");
	rstar_tables_begin(&scope, "verifiers", "problems");
	if (!find_own(name, scope.user))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("verifier \"%s\" does not exist", name)));
	rstar_pg_add_text(&a, name);
	rstar_pg_execute("SELECT FROM rstar.problems WHERE verifier OPERATOR(pg_catalog.=) $1 LIMIT 1",
					 &a, false);
	if (SPI_processed > 0)
		ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
						errmsg("verifier \"%s\" cannot be dropped", name),
						errdetail("There are problems that it verifies.")));
	rstar_pg_execute("DELETE FROM rstar.verifiers WHERE name OPERATOR(pg_catalog.=) $1", &a, false);
	rstar_pg_tables_end(&scope);
	PG_RETURN_VOID();
}

/* --- rstar_verify -------------------------------------------------------------------------- */

/* A solution in the step format: the code of its steps, and its answer, or all of it as an answer. */
static void
read_solution(rstar_string text, rstar_buffer *program, rstar_string *answer)
{
	rstar_solution_state state = RSTAR_SOLUTION_START;
	rstar_error err;

	*answer = text;
	for (size_t from = 0, n; from < text.length; from += n)
	{
		rstar_step_parse parse;

		n = rstar_solution_cut(text.data + from, text.length - from, false);
		rstar_step_parse_text(text.data + from, n, state, &parse);
		state = parse.next;
		if (parse.kind == RSTAR_STEP_ANSWER)
			*answer = parse.answer;
		else if (!rstar_buffer_append(program, parse.code.data ? parse.code.data : "",
									  parse.code.length) ||
				 !rstar_buffer_append_text(program, "\n"))
			rstar_pg_raise(rstar_error_memory(&err, text.length), &err);
	}
}

static char *
problem_text(const char *column)
{
	return rstar_pg_result_text(0, column, CurrentMemoryContext);
}

/* The problem's texts, as the caller sees them, in v; its verifier's name. */
static char *
read_problem(int64 problem_id, rstar_verification *v)
{
	MemoryContext context = CurrentMemoryContext, inner;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	char *verifier, *data;

	rstar_pg_tables_read(&scope);
	rstar_pg_add_bigint(&a, problem_id);
	rstar_pg_execute("SELECT statement, answer, verifier FROM rstar.problems"
					 " WHERE problem_id OPERATOR(pg_catalog.=) $1",
					 &a, true);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("problem " INT64_FORMAT " does not exist", problem_id)));
	inner = MemoryContextSwitchTo(context);
	verifier = problem_text("verifier");
	data = problem_text("answer");
	v->statement.data = problem_text("statement");
	MemoryContextSwitchTo(inner);
	rstar_pg_tables_end(&scope);
	if (!verifier)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("problem " INT64_FORMAT " has no verifier", problem_id),
						errhint("rstar_answers_equal() compares an answer with a known one.")));
	v->problem_id = problem_id;
	v->statement.length = strlen(v->statement.data);
	v->data = (rstar_string){data ? data : "", data ? strlen(data) : 0};
	return verifier;
}

/*
 * rstar_verify(problem_id bigint, solution text) returns float8
 */
Datum
rstar_verify(PG_FUNCTION_ARGS)
{
	text *solution = PG_GETARG_TEXT_PP(1);
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_verification v = {.solution = {VARDATA_ANY(solution), VARSIZE_ANY_EXHDR(solution)}};
	rstar_search_verdict verdict;
	rstar_buffer program;
	rstar_string written;
	rstar_arena arena;
	char *verifier;

	rstar_pg_check_solution(solution);
	verifier = read_problem(PG_GETARG_INT64(0), &v);
	rstar_buffer_init(&program, &allocator);
	rstar_arena_init(&arena, &allocator, 0);
	read_solution(v.solution, &program, &written);
	v.program = (rstar_string){program.data ? program.data : "", program.length};
	v.answer.data = rstar_search_extract(&arena, written, &v.answer.length);
	if (!v.answer.data)
		v.answer = written;
	rstar_pg_verify(verifier, &v, &verdict);
	rstar_check(verdict.failed, &verdict.error);
	PG_RETURN_FLOAT8(verdict.grade);
}

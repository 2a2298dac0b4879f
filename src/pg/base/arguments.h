/*
 * arguments.h
 *	  Arguments of functions that are called on NULL input.
 */
#ifndef RSTAR_PG_BASE_ARGUMENTS_H
#define RSTAR_PG_BASE_ARGUMENTS_H

#include "postgres.h"
#include "fmgr.h"
#include "utils/builtins.h"

/* A text argument as a C string; raises, naming it, if it is NULL. */
static inline char *
rstar_required_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"%s\" must not be NULL", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* The same, or NULL. */
static inline char *
rstar_optional_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Numbers that may be NULL. */
typedef struct rstar_optional_int
{
	bool given;
	int64 value;
} rstar_optional_int;

typedef struct rstar_optional_real
{
	bool given;
	double value;
} rstar_optional_real;

static inline rstar_optional_int
rstar_optional_integer(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return (rstar_optional_int){false, 0};
	return (rstar_optional_int){true, PG_GETARG_INT32(n)};
}

static inline rstar_optional_int
rstar_optional_bigint(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return (rstar_optional_int){false, 0};
	return (rstar_optional_int){true, PG_GETARG_INT64(n)};
}

static inline rstar_optional_real
rstar_optional_float8(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return (rstar_optional_real){false, 0};
	return (rstar_optional_real){true, PG_GETARG_FLOAT8(n)};
}

/* An integer argument within its bounds, or `otherwise` if it is NULL; raises beyond them. */
static inline int
rstar_bounded_integer(FunctionCallInfo fcinfo, int n, const char *name, int min, int max,
					  int otherwise)
{
	int value = PG_ARGISNULL(n) ? otherwise : PG_GETARG_INT32(n);

	if (!PG_ARGISNULL(n) && (value < min || value > max))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must be between %d and %d", name, min, max)));
	return value;
}

#endif

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

#endif

/*
 * schedule_call.h
 *	  The call that a schedule stands for.
 */
#ifndef RSTAR_PG_WORKERS_SCHEDULE_CALL_H
#define RSTAR_PG_WORKERS_SCHEDULE_CALL_H

#include "postgres.h"
#include "utils/jsonb.h"

/*
 * "SELECT public.rstar_<kind>(name => 'value', ...)", palloc'd: the extension's function of
 * that kind of job, with these arguments. Raises if there is no such kind, or the function has
 * no argument of such a name, or the current user must not call it.
 */
extern char *rstar_pg_schedule_call(const char *kind, Jsonb *arguments);

#endif

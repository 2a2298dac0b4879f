/*
 * call.h
 *	  The SQL function of a kind of job, called with named arguments: by schedules, and by
 *	  jobs that consist of others.
 */
#ifndef RSTAR_PG_WORKERS_CALL_H
#define RSTAR_PG_WORKERS_CALL_H

#include "postgres.h"
#include "utils/jsonb.h"

/*
 * "SELECT public.rstar_<function>(name => 'value', ...)", palloc'd: the extension's function of
 * that kind of job, with these arguments. Raises if there is no such kind, or the function has
 * no argument of such a name, or the current user must not call it.
 */
extern char *rstar_pg_job_call(const char *kind, Jsonb *arguments);

/*
 * The same, called at once with the rights of the current user: what it returns. Within a
 * transaction and a snapshot.
 */
extern int64 rstar_pg_job_call_now(const char *kind, Jsonb *arguments);

#endif

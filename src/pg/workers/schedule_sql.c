/*
 * schedule_sql.c
 *	  rstar_schedule, rstar_unschedule.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "pg/base/arguments.h"
#include "pg/base/json.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/workers/commit.h"
#include "pg/workers/jobs.h"
#include "pg/workers/schedule.h"
#include "pg/workers/call.h"

PG_FUNCTION_INFO_V1(rstar_schedule);
PG_FUNCTION_INFO_V1(rstar_unschedule);

/* Its process connects as the role, which must be possible. */
static void
check_role(void)
{
	HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	bool may = HeapTupleIsValid(tuple) && ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (!may)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("role \"%s\" cannot have schedules, since it may not log in",
							   GetUserNameFromId(GetUserId(), false)),
						errhint("Schedules run in a process that is connected as their role.")));
}

static Jsonb *
arguments_of(FunctionCallInfo fcinfo, int n)
{
	Jsonb *arguments;

	if (PG_ARGISNULL(n))
		return rstar_pg_json_empty();
	arguments = PG_GETARG_JSONB_P(n);
	if (!JB_ROOT_IS_OBJECT(arguments))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"arguments\" must be a json object")));
	return arguments;
}

/*
 * rstar_schedule(name, job, schedule, arguments, time_zone) returns bigint
 */
Datum
rstar_schedule(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	char *name, *kind, *schedule, *zone;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	Jsonb *arguments;
	int64 schedule_id;

	rstar_pg_job_require_workers("rstar_schedule()");
	name = rstar_required_text(fcinfo, 0, "name");
	kind = rstar_required_text(fcinfo, 1, "job");
	schedule = rstar_required_text(fcinfo, 2, "schedule");
	arguments = arguments_of(fcinfo, 3);
	zone = PG_ARGISNULL(4) ? pstrdup(pg_get_timezone_name(session_timezone))
						   : text_to_cstring(PG_GETARG_TEXT_PP(4));
	check_role();
	(void) rstar_pg_job_call(kind, arguments);
	rstar_pg_add_text(&a, name);
	rstar_pg_add_text(&a, GetUserNameFromId(GetUserId(), false));
	rstar_pg_add_text(&a, kind);
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(arguments), false);
	rstar_pg_add_text(&a, schedule);
	rstar_pg_add_text(&a, zone);
	rstar_pg_add(&a, TIMESTAMPTZOID,
				 TimestampTzGetDatum(rstar_pg_schedule_next(schedule, zone, now, now)), false);
	rstar_tables_begin(&scope, "schedules");
	rstar_pg_execute(
		"INSERT INTO rstar.schedules AS s (name, created_by, kind, arguments, schedule, time_zone,"
		" next_run_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (created_by, name) DO UPDATE SET kind = $3, arguments = $4, schedule = $5,"
		" time_zone = $6, next_run_at = $7, active = true, last_error = NULL"
		" RETURNING schedule_id",
		&a, false);
	schedule_id = rstar_pg_result_bigint(0, "schedule_id", 0);
	rstar_pg_tables_end(&scope);
	rstar_pg_commit_wake();
	PG_RETURN_INT64(schedule_id);
}

/* Whose schedule: the current user's, unless it has the rights of the role that is named. */
static char *
owner_argument(FunctionCallInfo fcinfo, int n)
{
	char *owner = rstar_optional_text(fcinfo, n);
	Oid role;

	if (!owner)
		return GetUserNameFromId(GetUserId(), false);
	role = get_role_oid(owner, true);
	if (!superuser() && !(OidIsValid(role) && has_privs_of_role(GetUserId(), role)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for schedules of role \"%s\"", owner)));
	return owner;
}

/*
 * rstar_unschedule(name, created_by) returns boolean
 */
Datum
rstar_unschedule(PG_FUNCTION_ARGS)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool found;

	PreventCommandIfReadOnly("rstar_unschedule()");
	rstar_pg_add_text(&a, rstar_required_text(fcinfo, 0, "name"));
	rstar_pg_add_text(&a, owner_argument(fcinfo, 1));
	rstar_tables_begin(&scope, "schedules");
	rstar_pg_execute("DELETE FROM rstar.schedules WHERE name OPERATOR(pg_catalog.=) $1"
					 " AND created_by OPERATOR(pg_catalog.=) $2",
					 &a, false);
	found = SPI_processed > 0;
	rstar_pg_tables_end(&scope);
	PG_RETURN_BOOL(found);
}

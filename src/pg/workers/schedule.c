/*
 * schedule.c
 *	  Schedules: jobs that are submitted again and again.
 *
 * When one is due, a process of its own connects as the role that made it, and
 * calls the function that submits such a job with the arguments that were stored.
 * It is the only background process that runs a user's SQL (the query among those
 * arguments), so it has no more rights than that role has in a session: never those of
 * the server's superuser, whom the other processes are connected as. And less:
 * the function runs in a security-restricted context, the query read-only.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/proc.h"
#include "postmaster/bgworker.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "pg/base/json.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/workers/examine.h"
#include "pg/workers/extension.h"
#include "pg/workers/processes.h"
#include "pg/workers/query.h"
#include "pg/workers/schedule.h"
#include "pg/workers/call.h"
#include "pg/workers/job.h"
#include "pg/workers/commit.h"

/* --- what is due: by a probe ----------------------------------------------------------- */

/* A schedule that is due, copied out of the result of SPI. */
typedef struct due
{
	int64 schedule_id;
	char *owner, *schedule, *time_zone;
	TimestampTz at;
	int64 last_job_id; /* 0: none yet */
	bool busy;         /* that one has not ended */
} due;

/* Asked apart, since in a cluster jobs and schedules do not lie together (cluster.h). */
static bool
is_at_work(int64 job_id)
{
	const char *status = job_id != 0 ? rstar_pg_job_status(job_id) : NULL;

	return status && (strcmp(status, "queued") == 0 || strcmp(status, "running") == 0 ||
					  strcmp(status, "waiting") == 0);
}

static due *
read_due(int *n)
{
	rstar_arguments a = {0};
	due *list;

	rstar_pg_add_int(&a, RSTAR_REPORT_SCHEDULES, false);
	rstar_pg_execute(
		"SELECT s.schedule_id, s.created_by, s.schedule, s.time_zone, s.next_run_at, s.last_job_id"
		" FROM rstar.schedules s WHERE s.active"
		" AND s.next_run_at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp()"
		" ORDER BY s.next_run_at, s.schedule_id LIMIT $1 FOR UPDATE OF s SKIP LOCKED",
		&a, false);
	*n = (int) SPI_processed;
	list = palloc((*n + 1) * sizeof *list);
	for (int i = 0; i < *n; i++)
	{
		list[i].schedule_id = rstar_pg_result_bigint(i, "schedule_id", 0);
		list[i].owner = rstar_pg_result_text(i, "created_by", CurrentMemoryContext);
		list[i].schedule = rstar_pg_result_text(i, "schedule", CurrentMemoryContext);
		list[i].time_zone = rstar_pg_result_text(i, "time_zone", CurrentMemoryContext);
		list[i].at = rstar_pg_result_bigint(i, "next_run_at", 0);
		list[i].last_job_id = rstar_pg_result_bigint(i, "last_job_id", 0);
	}
	for (int i = 0; i < *n; i++)
		list[i].busy = is_at_work(list[i].last_job_id);
	return list;
}

static bool
may_log_in(Oid role)
{
	HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool may = HeapTupleIsValid(tuple) && ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return may;
}

static void
put_to_rest(const due *d, const char *why)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, d->schedule_id);
	rstar_pg_add_text(&a, why);
	rstar_pg_execute("UPDATE rstar.schedules SET active = false, last_error = $2"
					 " WHERE schedule_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	ereport(LOG, (errmsg("rstar schedule " INT64_FORMAT " rests: %s", d->schedule_id, why)));
}

/* Until the run says otherwise, it failed. */
static void
move_on(const due *d)
{
	TimestampTz next =
		rstar_pg_schedule_next(d->schedule, d->time_zone, d->at, GetCurrentTimestamp());
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, d->schedule_id);
	rstar_pg_add(&a, TIMESTAMPTZOID, TimestampTzGetDatum(next), false);
	rstar_pg_add_text(&a, d->busy ? "left out: the job of the last run has not ended"
								  : "the process of the schedule could not start or was ended");
	rstar_pg_add_bool(&a, d->busy, false);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.schedules SET next_run_at = $2, last_error = $3, last_run_at ="
					 " CASE WHEN $4 THEN last_run_at ELSE $5 END"
					 " WHERE schedule_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
}

/* A row that nobody can make sense of (a time zone that is gone) must not keep the others from running. */
static bool
try_to_move_on(const due *d)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		move_on(d);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error)
		put_to_rest(d, error->message);
	return error == NULL;
}

static TimestampTz
next_time(void)
{
	rstar_arguments a = {0};

	rstar_pg_execute("SELECT pg_catalog.min(next_run_at) AS at FROM rstar.schedules WHERE active",
					 &a, false);
	return rstar_pg_result_bigint(0, "at", DT_NOEND);
}

void
rstar_pg_schedules_examine(rstar_database_report *report)
{
	rstar_tables_scope scope;
	due *list;
	int n;

	rstar_tables_begin(&scope, "schedules");
	list = read_due(&n);
	for (int i = 0; i < n; i++)
	{
		Oid role = get_role_oid(list[i].owner, true);

		if (!OidIsValid(role) || !may_log_in(role))
		{
			put_to_rest(&list[i],
						psprintf("role \"%s\" does not exist or may not log in", list[i].owner));
			continue;
		}
		if (!try_to_move_on(&list[i]) || list[i].busy)
			continue;
		report->schedules[report->n_schedules] = list[i].schedule_id;
		report->schedule_roles[report->n_schedules++] = role;
	}
	report->next_due = Min(report->next_due, next_time());
	rstar_pg_tables_end(&scope);
}

/* --- a run: by a process of its own, connected as the role --------------------------------- */

typedef struct run
{
	char *kind;
	Jsonb *arguments;
} run;

/* The row, provided that it is this role's; false: it is gone. */
static bool
read_run(int64 schedule_id, run *r)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool found;

	rstar_pg_add_bigint(&a, schedule_id);
	rstar_pg_add_text(&a, GetUserNameFromId(GetSessionUserId(), false));
	rstar_tables_begin(&scope, "schedules");
	rstar_pg_execute("SELECT kind, arguments FROM rstar.schedules"
					 " WHERE schedule_id OPERATOR(pg_catalog.=) $1"
					 " AND created_by OPERATOR(pg_catalog.=) $2 AND active",
					 &a, true);
	found = SPI_processed > 0;
	if (found)
	{
		r->kind = rstar_pg_result_text(0, "kind", context);
		r->arguments = rstar_pg_result_jsonb(0, "arguments", context);
	}
	rstar_pg_tables_end(&scope);
	return found;
}

static void
write_outcome(int64 schedule_id, int64 job_id, const char *error)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, schedule_id);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(job_id), job_id == 0);
	rstar_pg_add_text(&a, error);
	rstar_tables_begin(&scope, "schedules");
	rstar_pg_execute("UPDATE rstar.schedules SET last_job_id = COALESCE($2, last_job_id),"
					 " last_error = $3 WHERE schedule_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/*
 * Call the function as the role, but unable to change what a session could; what it returns may
 * be the number of a run or a round, so the job is the one that it submitted.
 */
static int64
submit(const run *r)
{
	Oid role = GetUserId();

	SetUserIdAndSecContext(role, SECURITY_RESTRICTED_OPERATION | SECURITY_LOCAL_USERID_CHANGE);
	rstar_pg_query_read_only = true;
	(void) rstar_pg_job_call_now(r->kind, r->arguments);
	SetUserIdAndSecContext(role, 0);
	return rstar_pg_commit_first_submitted();
}

static void
begin(void)
{
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
}

static void
store_error(int64 schedule_id, MemoryContext context)
{
	ErrorData *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	HOLD_INTERRUPTS();
	disable_timeout(STATEMENT_TIMEOUT, false);
	AbortOutOfAnyTransaction();
	FlushErrorState();
	RESUME_INTERRUPTS();
	ereport(LOG,
			(errmsg("rstar schedule " INT64_FORMAT " failed: %s", schedule_id, error->message)));
	begin();
	write_outcome(schedule_id, 0, error->message);
	commit();
}

static void
run_schedule(int64 schedule_id)
{
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "rstar schedule", ALLOCSET_DEFAULT_SIZES);

	PG_TRY();
	{
		int64 job_id;
		run r;

		if (StatementTimeout > 0)
			enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
		begin();
		if (rstar_pg_extension_share() && read_run(schedule_id, &r))
		{
			job_id = submit(&r);
			write_outcome(schedule_id, job_id, NULL);
			ereport(LOG, (errmsg("rstar schedule " INT64_FORMAT ": submitted job " INT64_FORMAT,
								 schedule_id, job_id)));
		}
		commit();
		disable_timeout(STATEMENT_TIMEOUT, false);
	}
	PG_CATCH();
	{
		store_error(schedule_id, context);
	}
	PG_END_TRY();
}

void
rstar_pg_schedule_main(Datum main_arg)
{
	rstar_slot *slot = rstar_pg_process_attach(main_arg);

	if (!slot)
		return;
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(slot->database, slot->owner, 0);
	pgstat_report_appname("rstar schedule");
	pgstat_report_activity(STATE_RUNNING,
						   psprintf("rstar: schedule " INT64_FORMAT, slot->schedule_id));
	run_schedule(slot->schedule_id);
}

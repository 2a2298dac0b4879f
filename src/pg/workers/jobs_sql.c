/*
 * jobs_sql.c
 *	  What people do with jobs: cancel, pause, resume, wait, watch.
 *
 * The owner of a job may do all of it, and so may a role that has the owner's
 * privileges; members of pg_signal_backend too, except with jobs of superusers, as
 * with sessions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/base/cluster.h"
#include "pg/base/compat.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/workers/commit.h"
#include "pg/workers/job.h"
#include "pg/workers/shared.h"

PG_FUNCTION_INFO_V1(rstar_job_visible);
PG_FUNCTION_INFO_V1(rstar_cancel_job);
PG_FUNCTION_INFO_V1(rstar_pause_job);
PG_FUNCTION_INFO_V1(rstar_resume_job);
PG_FUNCTION_INFO_V1(rstar_wait_for_job);
PG_FUNCTION_INFO_V1(rstar_progress_rows);

Datum
rstar_job_visible(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rstar_pg_job_may_see(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/* --- rights --------------------------------------------------------------------------- */

static char *
owner_of(int64 job_id)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	char *owner = NULL;

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute("SELECT created_by FROM rstar.jobs WHERE job_id OPERATOR(pg_catalog.=) $1", &a,
					 true);
	if (SPI_processed > 0)
		owner = rstar_pg_result_text(0, "created_by", context);
	rstar_pg_tables_end(&scope);
	return owner;
}

static bool
may_signal(const char *owner)
{
	Oid role = get_role_oid(owner, true);

	if (OidIsValid(role) && has_privs_of_role(GetUserId(), role))
		return true;
	if (superuser())
		return true;
	return !(OidIsValid(role) && superuser_arg(role)) &&
		   has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND);
}

/* A job that must not be seen does not exist, as far as this user is concerned. */
static void
check_rights(int64 job_id, bool change)
{
	char *owner = owner_of(job_id);

	if (owner && may_signal(owner))
		return;
	if (owner && !change && rstar_pg_job_may_see(owner))
		return;
	if (owner && rstar_pg_job_may_see(owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for job " INT64_FORMAT, job_id),
						errhint("Its owner and members of pg_signal_backend may change a job.")));
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("job " INT64_FORMAT " does not exist", job_id)));
}

/* --- cancel, pause, resume ---------------------------------------------------------------- */

/* The job and those that it waits for, at any depth, as far as their status is one of `from`. */
#define CHANGE_FAMILY(set, from)                                                                   \
	"WITH RECURSIVE family (job_id) AS (SELECT $1 UNION ALL"                                       \
	" SELECT c.job_id FROM rstar.jobs c JOIN family f"                                             \
	"  ON c.parent_id OPERATOR(pg_catalog.=) f.job_id)"                                            \
	" UPDATE rstar.jobs j SET " set " FROM family f"                                               \
	" WHERE j.job_id OPERATOR(pg_catalog.=) f.job_id"                                              \
	" AND j.status OPERATOR(pg_catalog.=) ANY (ARRAY[" from "]) RETURNING j.job_id"

/* Change the rows; with `stop`, workers are told once it is committed. Whether there were any. */
static bool
change(int64 job_id, const char *statement, bool stop)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	uint64 n;

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add_now(&a);
	rstar_pg_execute(statement, &a, false);
	n = SPI_processed;
	for (uint64 i = 0; i < n && stop; i++)
		rstar_pg_commit_stop(rstar_pg_result_bigint(i, "job_id", 0));
	rstar_pg_tables_end(&scope);
	return n > 0;
}

/* rstar_cancel(job_id) returns boolean */
Datum
rstar_cancel_job(PG_FUNCTION_ARGS)
{
	int64 job_id = PG_GETARG_INT64(0);
	bool changed;

	PreventCommandIfReadOnly("rstar_cancel()");
	check_rights(job_id, true);
	changed = change(job_id,
					 CHANGE_FAMILY("status = 'cancelled', next_try_at = NULL,"
								   " finished_at = $2",
								   "'queued', 'running', 'waiting', 'paused'"),
					 true);
	if (changed)
	{
		rstar_pg_job_wake_parent(job_id);
		Async_Notify("rstar_jobs", psprintf(INT64_FORMAT " cancelled", job_id));
		rstar_pg_commit_ended();
	}
	PG_RETURN_BOOL(changed);
}

/* rstar_pause(job_id) returns boolean */
Datum
rstar_pause_job(PG_FUNCTION_ARGS)
{
	int64 job_id = PG_GETARG_INT64(0);
	bool changed;

	PreventCommandIfReadOnly("rstar_pause()");
	check_rights(job_id, true);
	changed = change(
		job_id,
		CHANGE_FAMILY("status = 'paused', next_try_at = NULL", "'queued', 'running', 'waiting'"),
		true);
	if (changed)
		rstar_pg_commit_ended();
	PG_RETURN_BOOL(changed);
}

/* A job that is done can go on too, if problems of it failed: they get as many tries as at first. */
static bool
resume(int64 job_id)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool resumed;

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute(
		"WITH RECURSIVE family (job_id) AS (SELECT $1 UNION ALL"
		" SELECT c.job_id FROM rstar.jobs c JOIN family f"
		"  ON c.parent_id OPERATOR(pg_catalog.=) f.job_id),"
		" resumed AS (UPDATE rstar.jobs j SET status = 'queued', attempts = 0, losses = 0,"
		"  next_try_at = NULL, error = NULL, finished_at = NULL FROM family f"
		"  WHERE j.job_id OPERATOR(pg_catalog.=) f.job_id"
		"  AND (j.status OPERATOR(pg_catalog.=) ANY (ARRAY['paused', 'cancelled', 'failed'])"
		"       OR j.status OPERATOR(pg_catalog.=) 'done' AND EXISTS (SELECT FROM rstar.job_items i"
		"           WHERE i.job_id OPERATOR(pg_catalog.=) j.job_id"
		"           AND i.status OPERATOR(pg_catalog.=) 'failed')) RETURNING j.job_id),"
		" items AS (UPDATE rstar.job_items i SET status = 'queued', tries = 0, losses = 0,"
		"  error = NULL FROM resumed r WHERE i.job_id OPERATOR(pg_catalog.=) r.job_id"
		"  AND i.status OPERATOR(pg_catalog.=) 'failed')"
		" SELECT pg_catalog.count(*) AS n FROM resumed",
		&a, false);
	resumed = rstar_pg_result_bigint(0, "n", 0) > 0;
	rstar_pg_tables_end(&scope);
	return resumed;
}

/* rstar_resume(job_id) returns boolean */
Datum
rstar_resume_job(PG_FUNCTION_ARGS)
{
	int64 job_id = PG_GETARG_INT64(0);

	rstar_pg_job_require_workers("rstar_resume()");
	check_rights(job_id, true);
	rstar_pg_commit_wake(); /* also a queued job of a restored database, which nobody has looked at yet */
	PG_RETURN_BOOL(resume(job_id));
}

/* --- wait ---------------------------------------------------------------------------------- */

/* The status that the job has now, whatever this transaction's snapshot shows; NULL: it is gone. */
static char *
status_now(int64 job_id)
{
	char *status;

	PushActiveSnapshot(GetLatestSnapshot());
	status = rstar_pg_job_status(job_id);
	PopActiveSnapshot();
	return status;
}

static bool
goes_on(const char *status)
{
	return strcmp(status, "queued") == 0 || strcmp(status, "running") == 0 ||
		   strcmp(status, "waiting") == 0;
}

static void
refuse_own_job(int64 job_id)
{
	if (rstar_pg_commit_is_submitted(job_id))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("job " INT64_FORMAT " was submitted in this transaction", job_id),
						errdetail("No worker sees it before the transaction has committed."),
						errhint("Commit, then wait.")));
}

/* NULL: none. */
static TimestampTz
deadline_of(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return DT_NOEND;
	return DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(GetCurrentTimestamp()), PG_GETARG_DATUM(n)));
}

/* In milliseconds: in a cluster another node may end the job; else this is for a signal that got lost. */
static long
time_between_looks(void)
{
	rstar_tables_scope scope;
	bool cluster;

	rstar_tables_begin(&scope, "jobs");
	cluster = rstar_pg_cluster_node() != RSTAR_NO_CLUSTER;
	rstar_pg_tables_end(&scope);
	return cluster ? 1000 : 60000;
}

/* rstar_wait(job_id, timeout) returns text */
Datum
rstar_wait_for_job(PG_FUNCTION_ARGS)
{
	TimestampTz deadline = deadline_of(fcinfo, 1);
	long patience;
	int64 job_id;
	char *status;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	job_id = PG_GETARG_INT64(0);
	refuse_own_job(job_id);
	check_rights(job_id, false);
	patience = time_between_looks();
	for (;;)
	{
		uint64 seen = rstar_pg_shared_end_count();
		TimestampTz now = GetCurrentTimestamp();

		CHECK_FOR_INTERRUPTS();
		status = status_now(job_id);
		if (!status || !goes_on(status) || now >= deadline)
			break;
		if (!rstar_pg_shared_present())
			rstar_pg_job_require_workers("rstar_wait()");
		/* Woken by every end of a job, this one's or another's. */
		(void) rstar_pg_shared_wait_for_end(
			seen, Min(patience, TimestampDifferenceMilliseconds(now, deadline) + 1));
	}
	if (!status)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(status));
}

/* --- progress ---------------------------------------------------------------------------- */

/* Problems a minute, since the first of the present workers began; 0: none yet. */
static double
rate_of(const rstar_job_counts *c, TimestampTz now)
{
	double minutes = (double) (now - c->since) / (60.0 * USECS_PER_SEC);

	return c->since == 0 || minutes <= 0
			   ? 0
			   : (double) (c->done + c->failed - c->done_before) / minutes;
}

static Datum
time_to_go(const rstar_job_counts *c, double rate)
{
	Interval *interval = palloc0(sizeof *interval);

	interval->time =
		(TimeOffset) ((double) (c->total - c->done - c->failed) / rate * 60.0 * USECS_PER_SEC);
	return IntervalPGetDatum(interval);
}

static Datum
text_or_null(const char *text, bool *is_null)
{
	*is_null = text == NULL || text[0] == '\0';
	return *is_null ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * Everything is taken from one view of the slot, so the figures belong together. A rate that
 * is not known yet, or a total that is not, makes what depends on it NULL rather than zero.
 */
static void
put_progress(ReturnSetInfo *rsinfo, const rstar_slot_view *view, const char *owner)
{
	const rstar_slot *slot = &view->slot;
	const rstar_job_counts *c = &view->counts;
	double rate = rate_of(c, GetCurrentTimestamp());
	bool nulls[13] = {false};
	Datum values[13];
	int k = 0;

	nulls[k] = slot->job_id < 0;
	values[k++] = Int64GetDatum(slot->job_id);
	values[k++] = CStringGetTextDatum(slot->kind);
	values[k] = text_or_null(get_database_name(slot->database), &nulls[k]);
	k++;
	values[k] = text_or_null(owner, &nulls[k]);
	k++;
	values[k++] = Int32GetDatum(slot->pid);
	values[k] = text_or_null(slot->phase, &nulls[k]);
	k++;
	values[k++] = Int64GetDatum(c->done);
	values[k++] = Int64GetDatum(c->failed);
	nulls[k] = c->total == 0;
	values[k++] = Int64GetDatum(c->total);
	nulls[k] = rate <= 0;
	values[k++] = Float8GetDatum(rate);
	nulls[k] = rate <= 0 || c->total == 0;
	values[k] = nulls[k] ? (Datum) 0 : time_to_go(c, rate);
	k++;
	values[k] = text_or_null(slot->doing, &nulls[k]);
	k++;
	values[k++] = TimestampTzGetDatum(slot->since);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* rstar_progress(): see rstar.progress */
Datum
rstar_progress_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rstar_slot_view *slots;
	int n;

	rstar_pg_materialize(fcinfo);
	slots = rstar_pg_shared_copy(&n);
	for (int i = 0; i < n; i++)
	{
		char *owner;

		if (slots[i].slot.state != RSTAR_SLOT_RUNNING || slots[i].slot.job_id == 0)
			continue;
		owner = GetUserNameFromId(slots[i].slot.owner, true);
		if (rstar_pg_job_may_see(owner))
			put_progress(rsinfo, &slots[i], owner);
	}
	return (Datum) 0;
}

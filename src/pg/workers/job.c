/*
 * job.c
 *	  Rows of rstar.jobs: submitting a job, taking it, leaving it.
 *
 *		queued ──> running ──> done
 *		   ^        │  │ └───> failed
 *		   │        │  └─────> waiting  (for jobs that it submitted)
 *		   └────────┘              │
 *		   an error, to be tried again later; a waiting one goes on
 *
 * paused and cancelled are put there by a session, from queued, running and
 * waiting; resume makes them queued. A row that says running without a worker is one
 * that was interrupted: any worker may take it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/base/cluster.h"
#include "pg/base/json.h"
#include "pg/base/settings.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/models/settings.h"
#include "pg/workers/commit.h"
#include "pg/workers/extension.h"
#include "pg/workers/job.h"
#include "pg/workers/queue.h"
#include "pg/workers/queue_internal.h"
#include "pg/workers/settings.h"
#include "pg/workers/shared.h"

/* --- kinds ------------------------------------------------------------------------- */

#define MAX_KINDS 32

static const rstar_job_kind *kinds[MAX_KINDS];
static int n_kinds = 0;

void
rstar_pg_job_kind_define(const rstar_job_kind *kind)
{
	if (n_kinds == MAX_KINDS)
		elog(ERROR, "too many kinds of jobs");
	kinds[n_kinds++] = kind;
}

const rstar_job_kind *
rstar_pg_job_kind_find(const char *name)
{
	for (int i = 0; i < n_kinds; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

/* --- submitting ----------------------------------------------------------------------- */

/* Job between rstar_pg_job_begin and rstar_pg_job_commit: what is submitted there is its child. */
static int64 in_transaction_of = 0;

void
rstar_pg_job_require_workers(const char *what)
{
	PreventCommandIfReadOnly(what);
	if (rstar_pg_shared_present())
		return;
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("%s needs background workers, and rstar is not preloaded", what),
					errhint("Add rstar to \"shared_preload_libraries\" and restart the server.")));
}

/* Threads for each of so many workers: those asked for, else the session's, shared out. */
static int
threads_each(const rstar_job_request *request, int workers)
{
	return request->threads > 0 ? request->threads : Max(1, rstar_pg_settings_threads() / workers);
}

/*
 * The settings of this session are stored with the job: the worker runs with them, not with
 * its own. Work without a queue of items cannot be shared out, so it gets one worker. The
 * launcher is woken at commit, when the row can be seen.
 */
int64
rstar_pg_job_submit(const rstar_job_request *request)
{
	const rstar_job_kind *kind = rstar_pg_job_kind_find(request->kind);
	int64 parent = request->parent != 0 ? request->parent : in_transaction_of;
	char *owner = GetUserNameFromId(GetUserId(), false);
	Jsonb *settings = rstar_pg_settings_get_all();
	Jsonb *arguments = request->arguments ? request->arguments : rstar_pg_json_empty();
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int workers;
	int64 job_id;

	if (!kind)
		elog(ERROR, "there is no kind of job \"%s\"", request->kind);
	workers = !kind->queue           ? 1
			  : request->workers > 0 ? request->workers
									 : Max(1, rstar_pg_workers_settings.max_workers);
	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_text(&a, kind->name);
	rstar_pg_add_text(&a, owner);
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(arguments), false);
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(settings), false);
	rstar_pg_add_int(&a, workers, false);
	rstar_pg_add_int(&a, threads_each(request, workers), false);
	rstar_pg_add_int(&a, request->nice >= 0 ? request->nice : rstar_pg_workers_settings.nice,
					 false);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(parent), parent == 0);
	rstar_pg_execute(
		"INSERT INTO rstar.jobs (kind, created_by, arguments, settings, workers, threads,"
		" nice, parent_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING job_id",
		&a, false);
	job_id = rstar_pg_result_bigint(0, "job_id", 0);
	rstar_pg_tables_end(&scope);
	rstar_pg_commit_submitted(job_id);
	rstar_pg_commit_wake();
	return job_id;
}

/* --- taking ----------------------------------------------------------------------------- */

bool
rstar_pg_job_is_for_others(const rstar_job_kind *kind, Jsonb *arguments, int node)
{
	if (node == RSTAR_NO_CLUSTER || node == RSTAR_COORDINATOR)
		return false;
	return !kind->queue || (kind->ready && !kind->ready(arguments));
}

static void
read_row(rstar_job *job, MemoryContext context)
{
	job->arguments = rstar_pg_result_jsonb(0, "arguments", context);
	job->settings = rstar_pg_result_jsonb(0, "settings", context);
	job->threads = rstar_pg_result_int(0, "threads", 1);
	job->total = rstar_pg_result_bigint(0, "total", 0);
	job->parent = rstar_pg_result_bigint(0, "parent_id", 0);
	job->attempt = rstar_pg_result_int(0, "attempts", 0) + 1;
	job->context = context;
	job->state = NULL;
}

/*
 * Make the row this worker's. A row without a queue names its worker: one that is still
 * there was lost. False: the row is not to be worked at after all.
 */
static bool
take_row(rstar_job *job, MemoryContext context)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(rstar_pg_queue_worker_id()), job->kind->queue);
	rstar_pg_add_now(&a);
	rstar_pg_execute(
		"UPDATE rstar.jobs SET status = 'running',"
		" started_at = COALESCE(started_at, $3), worker = $2,"
		" losses = losses OPERATOR(pg_catalog.+) (worker IS NOT NULL)::pg_catalog.int4"
		" WHERE job_id OPERATOR(pg_catalog.=) $1"
		" AND status OPERATOR(pg_catalog.=) ANY (ARRAY['queued', 'running'])"
		" RETURNING arguments, settings, total, parent_id, attempts, losses, done, failed,"
		" threads, created_by",
		&a, false);
	if (SPI_processed == 0)
		return false;
	read_row(job, context);
	rstar_pg_shared_start_counts(job->total, rstar_pg_result_bigint(0, "done", 0),
								 rstar_pg_result_bigint(0, "failed", 0));
	if (rstar_pg_result_int(0, "losses", 0) >= RSTAR_QUEUE_LOSSES)
	{
		rstar_pg_job_end_row(
			job->job_id, "failed",
			psprintf("the server or its worker crashed %d times while this job ran",
					 RSTAR_QUEUE_LOSSES));
		return false;
	}
	return true;
}

/* What the submitting session had set. Not within a table scope, whose end undoes what is set. */
static void
apply_settings(const rstar_job *job)
{
	rstar_pg_settings_set_all(job->settings);
	SetConfigOption("rstar.threads", psprintf("%d", job->threads), PGC_USERSET, PGC_S_SESSION);
}

/* One of the candidates, copied out of the result of SPI. */
typedef struct candidate
{
	int64 job_id;
	const rstar_job_kind *kind;
	char *owner;
	int workers, nice;
	bool fresh; /* something is left to claim */
	Jsonb *arguments;
} candidate;

static candidate *
read_candidates(int *n)
{
	candidate *list = palloc(sizeof *list * (SPI_processed + 1));

	*n = 0;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool is_null;
		candidate *c = &list[(*n)++];

		c->job_id = rstar_pg_result_bigint(row, "job_id", 0);
		c->kind = rstar_pg_job_kind_find(rstar_pg_result_text(row, "kind", CurrentMemoryContext));
		c->owner = rstar_pg_result_text(row, "created_by", CurrentMemoryContext);
		c->workers = rstar_pg_result_int(row, "workers", 1);
		c->nice = rstar_pg_result_int(row, "nice", 0);
		c->fresh = rstar_pg_result_bool(row, "fresh", &is_null);
		c->arguments = rstar_pg_result_jsonb(row, "arguments", CurrentMemoryContext);
	}
	return list;
}

/* Whether this worker may and should have it; then it has it, in shared memory. */
static bool
claim_candidate(const candidate *c, int own_nice, int node)
{
	Oid owner = get_role_oid(c->owner, true);

	if (!c->kind || c->nice < own_nice)
		return false; /* of a later version of rstar; or left to a worker less nice */
	if (rstar_pg_job_is_for_others(c->kind, c->arguments, node))
		return false;
	if (!OidIsValid(owner))
	{
		rstar_pg_job_end_row(c->job_id, "failed", psprintf("role \"%s\" does not exist", c->owner));
		return false;
	}
	if (c->kind->queue && !c->fresh && rstar_pg_shared_job_users(c->job_id) > 0)
		return false; /* others are at its last problems */
	return rstar_pg_shared_take_job(c->job_id, c->kind->name, owner,
									c->kind->queue ? c->workers : 1);
}

/*
 * A job is claimed in shared memory before its row is touched, so that workers who read the
 * same list do not all go for the first. The row has the last word: a job that ended meanwhile
 * is left, and the next candidate is tried.
 */
bool
rstar_pg_job_take(rstar_job *job, int own_nice, int *nice, MemoryContext context)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	candidate *list;
	bool taken = false;
	int n, node;

	rstar_tables_begin(&scope, "jobs");
	node = rstar_pg_cluster_node();
	rstar_pg_execute(
		"SELECT j.job_id, j.kind, j.created_by, j.workers, j.nice, j.arguments,"
		" EXISTS (SELECT FROM rstar.job_items i WHERE i.job_id OPERATOR(pg_catalog.=) j.job_id"
		"         AND i.status OPERATOR(pg_catalog.=) 'queued') AS fresh"
		" FROM rstar.jobs j"
		" WHERE j.status OPERATOR(pg_catalog.=) ANY (ARRAY['queued', 'running'])"
		" AND (j.next_try_at IS NULL"
		"      OR j.next_try_at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp())"
		" ORDER BY j.job_id LIMIT 100",
		&a, false);
	list = read_candidates(&n);
	for (int i = 0; i < n && !taken; i++)
	{
		if (!claim_candidate(&list[i], own_nice, node))
			continue;
		job->job_id = list[i].job_id;
		job->kind = list[i].kind;
		job->owner = get_role_oid(list[i].owner, false);
		job->workers = Max(1, list[i].workers);
		*nice = list[i].nice;
		taken = take_row(job, context);
		if (!taken)
			rstar_pg_shared_leave_job();
	}
	rstar_pg_tables_end(&scope);
	if (taken)
		apply_settings(job);
	return taken;
}

/* --- transactions of a step ----------------------------------------------------------------- */

char *
rstar_pg_job_status(int64 job_id)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	char *status = NULL;

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute("SELECT status FROM rstar.jobs WHERE job_id OPERATOR(pg_catalog.=) $1", &a,
					 true);
	if (SPI_processed > 0)
		status = rstar_pg_result_text(0, "status", context);
	rstar_pg_tables_end(&scope);
	return status;
}

/*
 * Whoever stops the job on this server interrupts its workers besides, so a look at the row now
 * and then is enough: a search of small problems has a transaction every few milliseconds.
 */
#define LOOK_EVERY_MS 100

static void
refuse_if_stopped(rstar_job *job)
{
	TimestampTz now = GetCurrentTimestamp();
	char *status;

	if (!TimestampDifferenceExceeds(job->seen_running, now, LOOK_EVERY_MS))
		return;
	status = rstar_pg_job_status(job->job_id);
	if (status && strcmp(status, "running") == 0)
	{
		job->seen_running = now;
		return;
	}
	ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
					errmsg("job " INT64_FORMAT " is %s", job->job_id, status ? status : "gone")));
}

void
rstar_pg_job_begin(rstar_job *job)
{
	StartTransactionCommand();
	SetUserIdAndSecContext(job->owner,
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	PushActiveSnapshot(GetTransactionSnapshot());
	if (!rstar_pg_extension_share())
		ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
						errmsg("job " INT64_FORMAT " is gone", job->job_id),
						errdetail("Extension rstar was dropped.")));
	refuse_if_stopped(job);
	in_transaction_of = job->job_id;
}

void
rstar_pg_job_commit(rstar_job *job)
{
	in_transaction_of = 0;
	PopActiveSnapshot();
	SetUserIdAndSecContext(job->owner, 0);
	CommitTransactionCommand();
	MemoryContextSwitchTo(job->context);
}

void
rstar_pg_job_abort(rstar_job *job)
{
	HOLD_INTERRUPTS();
	in_transaction_of = 0;
	LWLockReleaseAll();
	ConditionVariableCancelSleep();
	pgstat_report_wait_end();
	AbortOutOfAnyTransaction();
	SetUserIdAndSecContext(job->owner, 0);
	FlushErrorState();
	RESUME_INTERRUPTS();
}

/* A job that gets further is not the one that fails, or crashes the server, every time. */
void
rstar_pg_job_got_further(rstar_job *job)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute("UPDATE rstar.jobs SET attempts = 0, losses = 0"
					 " WHERE job_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
	job->attempt = 1;
}

/* --- leaving ------------------------------------------------------------------------------- */

/* Programs LISTEN on this channel. Everybody may: no more than number and status goes there. */
static void
notify(int64 job_id, const char *status)
{
	Async_Notify("rstar_jobs", psprintf(INT64_FORMAT " %s", job_id, status));
}

/*
 * A job that waits for this one goes on. Its row is locked whatever it says: its worker may be
 * about to make it wait (end_waiting), and must then see this job's end.
 */
static void
wake_parent(int64 job_id)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute(
		"SELECT FROM rstar.jobs p WHERE p.job_id OPERATOR(pg_catalog.=)"
		" (SELECT c.parent_id FROM rstar.jobs c WHERE c.job_id OPERATOR(pg_catalog.=) $1)"
		" FOR UPDATE",
		&a, false);
	if (SPI_processed == 0)
		return;
	rstar_pg_execute(
		"UPDATE rstar.jobs p SET status = 'queued' FROM rstar.jobs c"
		" WHERE c.job_id OPERATOR(pg_catalog.=) $1 AND p.job_id OPERATOR(pg_catalog.=) c.parent_id"
		" AND p.status OPERATOR(pg_catalog.=) 'waiting'",
		&a, false);
	if (SPI_processed > 0)
		rstar_pg_commit_wake();
}

void
rstar_pg_job_wake_parent(int64 job_id)
{
	rstar_tables_scope scope;

	rstar_tables_begin(&scope, "jobs");
	wake_parent(job_id);
	rstar_pg_tables_end(&scope);
}

void
rstar_pg_job_end_row(int64 job_id, const char *status, const char *why)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add_text(&a, status);
	rstar_pg_add_text(&a, why);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.jobs j SET status = $2, error = $3, worker = NULL,"
					 " finished_at = $4"
					 " WHERE j.job_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	wake_parent(job_id);
	notify(job_id, status);
	rstar_pg_commit_ended();
}

/* Put what the queue has come to into the job's row. */
static void
count_items(rstar_job *job)
{
	rstar_arguments a = {0};

	if (!job->kind->queue)
		return;
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute("UPDATE rstar.jobs j SET done = c.done, failed = c.failed FROM"
					 " (SELECT pg_catalog.count(*) FILTER (WHERE i.status OPERATOR(pg_catalog.=) "
					 "'done') AS done,"
					 "         pg_catalog.count(*) FILTER (WHERE i.status OPERATOR(pg_catalog.=) "
					 "'failed') AS failed"
					 "    FROM rstar.job_items i WHERE i.job_id OPERATOR(pg_catalog.=) $1) c"
					 " WHERE j.job_id OPERATOR(pg_catalog.=) $1 RETURNING j.done, j.failed",
					 &a, false);
}

/* The job's status, and nobody else changes it before this transaction ends; NULL: it is gone. */
static char *
lock_row(rstar_job *job)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute(
		"SELECT status FROM rstar.jobs WHERE job_id OPERATOR(pg_catalog.=) $1 FOR UPDATE", &a,
		false);
	return SPI_processed > 0 ? rstar_pg_result_text(0, "status", CurrentMemoryContext) : NULL;
}

/* A queue that came to nothing but failures has failed; else it says how many. */
static const char *
end_finished(rstar_job *job)
{
	int64 done = 0, failed = 0;
	const char *status = "done";
	char *why = NULL;

	if (job->kind->queue && SPI_processed > 0)
	{
		done = rstar_pg_result_bigint(0, "done", 0);
		failed = rstar_pg_result_bigint(0, "failed", 0);
	}
	if (failed > 0)
		why = psprintf(INT64_FORMAT " of " INT64_FORMAT " problems failed", failed, done + failed);
	if (failed > 0 && done == 0)
		status = "failed";
	rstar_pg_job_end_row(job->job_id, status, why);
	return status;
}

/* To be tried again after a pause, unless it had its tries. */
static const char *
end_broken(rstar_job *job, int most, const char *why)
{
	rstar_arguments a = {0};

	if (job->attempt >= most)
	{
		rstar_pg_job_end_row(job->job_id, "failed", why);
		return "failed";
	}
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_add_int(&a, job->attempt, false);
	rstar_pg_add_text(&a, why);
	rstar_pg_add_int(&a, RSTAR_JOB_PAUSE_S(job->attempt), false);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.jobs SET status = 'queued', attempts = $2, error = $3,"
					 " worker = NULL, next_try_at = $5"
					 "  OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => $4)"
					 " WHERE job_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	return "queued";
}

/*
 * Something went wrong with problems in hand, which go back. A worker that got others done
 * goes on at once; one that got nothing done may meet the same error at every
 * problem (a disk that is full), so the job rests.
 */
static const char *
end_broken_queue(rstar_job *job, const char *why)
{
	rstar_arguments a = {0};

	if (rstar_pg_queue_done_here() == 0)
		return end_broken(job, RSTAR_JOB_QUEUE_ATTEMPTS, why);
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_add_text(&a, why);
	rstar_pg_execute("UPDATE rstar.jobs SET attempts = 0, error = $2"
					 " WHERE job_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	return "running";
}

static const char *
end_waiting(rstar_job *job)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute(
		"UPDATE rstar.jobs j SET worker = NULL, status = CASE WHEN EXISTS"
		" (SELECT FROM rstar.jobs c WHERE c.parent_id OPERATOR(pg_catalog.=) $1"
		"  AND c.status OPERATOR(pg_catalog.<>) ALL (ARRAY['done', 'failed', 'cancelled']))"
		" THEN 'waiting' ELSE 'queued' END WHERE j.job_id OPERATOR(pg_catalog.=) $1"
		" RETURNING status",
		&a, false);
	return rstar_pg_result_text(0, "status", CurrentMemoryContext);
}

static void
end_stopped(rstar_job *job)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute("UPDATE rstar.jobs SET worker = NULL WHERE job_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
}

/*
 * The finish of the kind runs before the row is locked for good: it may write
 * what it likes, in the same transaction.
 */
const char *
rstar_pg_job_leave(rstar_job *job, rstar_job_end end, const char *why)
{
	bool in_hand = job->kind->queue && rstar_pg_queue_in_hand() > 0;
	rstar_tables_scope scope;
	const char *status;

	if (job->kind->queue)
		rstar_pg_queue_release(job, end == RSTAR_JOB_BROKEN && !job->blameless ? why : NULL);
	if (end != RSTAR_JOB_BROKEN && job->kind->finish && job->state)
		job->kind->finish(job, end);
	rstar_tables_begin(&scope, "jobs");
	status = lock_row(job);
	count_items(job);
	if (!status || strcmp(status, "running") != 0)
		end = RSTAR_JOB_STOPPED;
	switch (end)
	{
		case RSTAR_JOB_FINISHED:
			status = end_finished(job);
			break;
		case RSTAR_JOB_WAITING:
			status = end_waiting(job);
			break;
		case RSTAR_JOB_STOPPED:
			end_stopped(job);
			break;
		case RSTAR_JOB_BROKEN:
			status =
				in_hand ? end_broken_queue(job, why) : end_broken(job, RSTAR_JOB_ATTEMPTS, why);
			break;
	}
	rstar_pg_tables_end(&scope);
	return status ? status : "gone";
}

/* --- progress -------------------------------------------------------------------------------- */

void
rstar_pg_job_progress(rstar_job *job, const char *phase, int64 done, int64 total)
{
	job->total = total;
	if (!job->kind->queue)
		rstar_pg_shared_set_counts(total, done);
	rstar_pg_shared_describe(phase, NULL);
}

void
rstar_pg_job_doing(rstar_job *job, const char *format, ...)
{
	char text[RSTAR_SLOT_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	rstar_pg_shared_describe(NULL, text);
}

bool
rstar_pg_job_may_see(const char *owner)
{
	Oid role = owner ? get_role_oid(owner, true) : InvalidOid;

	return (OidIsValid(role) && has_privs_of_role(GetUserId(), role)) ||
		   has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

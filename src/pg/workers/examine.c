/*
 * examine.c
 *	  What there is to do in a database: the probe, and the last thing that a worker
 *	  does.
 *
 * The launcher is connected to no database. It starts a probe, a background
 * process that connects, looks, leaves a report in its slot and ends; a worker
 * that finds nothing more to do looks in the same way, so that no probe has to follow
 * it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/base/cluster.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/workers/examine.h"
#include "pg/workers/extension.h"
#include "pg/workers/job.h"
#include "pg/workers/processes.h"
#include "pg/workers/queue_internal.h"
#include "pg/workers/schedule.h"

/* Settings of the database that would get in the way, as autovacuum's workers do it. */
static const char *const settings[][2] = {{"statement_timeout", "0"},
										  {"lock_timeout", "0"},
										  {"idle_in_transaction_session_timeout", "0"},
										  {"default_transaction_isolation", "read committed"},
										  {"default_transaction_read_only", "false"},
										  {"default_transaction_deferrable", "false"},
										  {"search_path", "pg_catalog, pg_temp"}};

void
rstar_pg_database_connect(Oid database, Oid role)
{
	BackgroundWorkerInitializeConnectionByOid(database, role, 0);
	for (size_t i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* --- jobs --------------------------------------------------------------------------- */

typedef struct open_job
{
	int64 job_id;
	const rstar_job_kind *kind;
	Jsonb *arguments;
	int workers;
} open_job;

static open_job *
open_jobs(int *n)
{
	rstar_arguments a = {0};
	open_job *jobs;

	rstar_pg_execute("SELECT job_id, kind, workers, arguments FROM rstar.jobs"
					 " WHERE status OPERATOR(pg_catalog.=) ANY (ARRAY['queued', 'running'])"
					 " AND (next_try_at IS NULL"
					 "      OR next_try_at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp())"
					 " ORDER BY job_id LIMIT 100",
					 &a, false);
	*n = (int) SPI_processed;
	jobs = palloc((*n + 1) * sizeof *jobs);
	for (int i = 0; i < *n; i++)
	{
		jobs[i].job_id = rstar_pg_result_bigint(i, "job_id", 0);
		jobs[i].kind =
			rstar_pg_job_kind_find(rstar_pg_result_text(i, "kind", CurrentMemoryContext));
		jobs[i].workers = rstar_pg_result_int(i, "workers", 1);
		jobs[i].arguments = rstar_pg_result_jsonb(i, "arguments", CurrentMemoryContext);
	}
	return jobs;
}

/* Workers that have something to do for this job, those at work included. */
static int
workers_for(const open_job *job, int node)
{
	int users = rstar_pg_shared_job_users(job->job_id);
	rstar_arguments a = {0};
	int64 queued;
	bool claimed, is_null;

	if (!job->kind || rstar_pg_job_is_for_others(job->kind, job->arguments, node))
		return 0;
	if (!job->kind->queue)
		return 1;
	rstar_pg_queue_recover(job->job_id);
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute(
		"SELECT (SELECT pg_catalog.count(*) FROM (SELECT FROM rstar.job_items"
		"  WHERE job_id OPERATOR(pg_catalog.=) $1 AND status OPERATOR(pg_catalog.=) 'queued'"
		"  LIMIT 256) q) AS queued,"
		" EXISTS (SELECT FROM rstar.job_items WHERE job_id OPERATOR(pg_catalog.=) $1"
		"  AND status OPERATOR(pg_catalog.=) 'claimed') AS claimed",
		&a, false);
	queued = rstar_pg_result_bigint(0, "queued", 0);
	claimed = rstar_pg_result_bool(0, "claimed", &is_null);
	if (queued == 0)
		return claimed ? users : Max(1, users);
	return Min(job->workers, users + (int) queued);
}

static TimestampTz
next_try(void)
{
	rstar_arguments a = {0};

	rstar_pg_execute("SELECT pg_catalog.min(next_try_at) AS at FROM rstar.jobs"
					 " WHERE status OPERATOR(pg_catalog.=) 'queued'"
					 " AND next_try_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()",
					 &a, false);
	return rstar_pg_result_bigint(0, "at", DT_NOEND);
}

/* In a cluster jobs come from other nodes, which do not wake this one's launcher: seconds until it looks. */
#define CLUSTER_POLL_S 5

/* … and after the coordinator, where the jobs are, could not be reached. */
#define CLUSTER_RETRY_S 15

static void
examine_jobs(rstar_database_report *report)
{
	rstar_tables_scope scope;
	open_job *jobs;
	int n, node;

	rstar_tables_begin(&scope, "jobs");
	node = rstar_pg_cluster_node();
	jobs = open_jobs(&n);
	for (int i = 0; i < n; i++)
		report->workers += workers_for(&jobs[i], node);
	report->next_due = next_try();
	if (node != RSTAR_NO_CLUSTER)
		report->next_due =
			Min(report->next_due,
				TimestampTzPlusMilliseconds(GetCurrentTimestamp(), CLUSTER_POLL_S * 1000));
	rstar_pg_tables_end(&scope);
}

void
rstar_pg_database_announce(void)
{
	rstar_database_report report = {.made = true, .extension = true};
	rstar_tables_scope scope;
	int node;

	rstar_tables_begin(&scope, "jobs");
	node = rstar_pg_cluster_node();
	rstar_pg_tables_end(&scope);
	if (node == RSTAR_NO_CLUSTER)
		return;
	report.wake_count = rstar_pg_shared_wake_count();
	report.next_due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), CLUSTER_RETRY_S * 1000);
	rstar_pg_shared_report(&report);
}

void
rstar_pg_database_examine(void)
{
	rstar_database_report report = {.made = true, .next_due = DT_NOEND};

	report.wake_count = rstar_pg_shared_wake_count();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	report.extension = rstar_pg_extension_share();
	if (report.extension)
	{
		rstar_pg_database_announce();
		examine_jobs(&report);
		rstar_pg_schedules_examine(&report);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	rstar_pg_shared_report(&report);
}

/* --- the probe ----------------------------------------------------------------------------- */

void
rstar_pg_probe_main(Datum main_arg)
{
	rstar_slot *slot = rstar_pg_process_attach(main_arg);

	if (!slot)
		return;
	BackgroundWorkerUnblockSignals();
	rstar_pg_database_connect(slot->database, InvalidOid);
	pgstat_report_activity(STATE_RUNNING, "rstar: looking for jobs");
	rstar_pg_database_examine();
}

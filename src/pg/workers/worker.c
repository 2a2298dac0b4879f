/*
 * worker.c
 *	  A background worker: takes a job, works at it in steps, leaves it, takes the
 *	  next, and ends when there is none.
 *
 * Between its short transactions it holds no snapshot and no lock that others could
 * wait for. It is connected as the server's superuser, since it writes the rows of
 * the runtime, but acts as the role that submitted the job while it works at
 * one; it runs no SQL but the fixed statements of this library.
 *
 * What ends its work early reaches it as a cancel, which every slice of work
 * looks for: SIGINT when the job is paused or cancelled (or by
 * pg_cancel_backend, then the items in hand go back and are taken again), SIGTERM
 * when the server stops, the database is dropped or an administrator ends it. It then
 * gives back what it has in hand, in one more short transaction.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/pmsignal.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "pg/workers/examine.h"
#include "pg/workers/extension.h"
#include "pg/workers/job.h"
#include "pg/workers/processes.h"
#include "pg/workers/queue.h"
#include "pg/workers/queue_internal.h"

static volatile sig_atomic_t must_end = false;

static Oid superuser_id;
static char *database_name;
static int own_nice = 0;

/* --- signals ------------------------------------------------------------------------- */

/* SIGTERM: as a cancel, so that the claims can still be given back. */
static void
end_soon(SIGNAL_ARGS)
{
	int save_errno = errno;

	must_end = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
	errno = save_errno;
}

/* Between slices: what the server wants of every process, and what this one must notice. */
static void
serve_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
	if (!PostmasterIsAlive())
		proc_exit(1);
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* --- one job --------------------------------------------------------------------------- */

static void
describe(const rstar_job *job)
{
	char *text = psprintf("rstar: %s, job " INT64_FORMAT, job->kind->name, job->job_id);

	pgstat_report_activity(STATE_RUNNING, text);
	pgstat_report_appname(text);
	pfree(text);
}

static void
start_job(rstar_job *job)
{
	rstar_pg_job_begin(job);
	MemoryContextSwitchTo(job->context);
	job->kind->start(job);
	rstar_pg_job_commit(job);
}

/* A step, and for a queue that seems empty whether it is. */
static bool
step_job(rstar_job *job, rstar_job_end *end)
{
	MemoryContextSwitchTo(job->context);
	switch (job->kind->step(job))
	{
		case RSTAR_JOB_AGAIN:
			return true;
		case RSTAR_JOB_WAIT:
			*end = RSTAR_JOB_WAITING;
			return false;
		case RSTAR_JOB_DONE:
			break;
	}
	if (!job->kind->queue)
		return false;
	switch (rstar_pg_queue_look(job))
	{
		case RSTAR_QUEUE_EMPTY:
			break;
		case RSTAR_QUEUE_MORE:
			return true;
		case RSTAR_QUEUE_OTHERS:
			*end = RSTAR_JOB_STOPPED; /* whoever has the last items ends the job */
	}
	return false;
}

/*
 * Work at the job until it is done, stopped or broken. *why: the error. An
 * interruption that nobody meant for this job (a signal that came late,
 * pg_cancel_backend) stops it too: it is taken again.
 */
static rstar_job_end
work_at(rstar_job *job, char **why)
{
	volatile rstar_job_end end = RSTAR_JOB_FINISHED;

	PG_TRY();
	{
		rstar_job_end how = RSTAR_JOB_FINISHED;

		start_job(job);
		do
			serve_interrupts();
		while (step_job(job, &how));
		end = how;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(job->context);
		error = CopyErrorData();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			end = RSTAR_JOB_STOPPED;
		else
		{
			end = RSTAR_JOB_BROKEN;
			job->blameless = ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_CONNECTION_EXCEPTION;
			error->elevel = LOG; /* the job goes on, or says why it failed */
			ThrowErrorData(error);
			*why =
				error->detail ? psprintf("%s: %s", error->message, error->detail) : error->message;
		}
		QueryCancelPending = false; /* this was it */
		rstar_pg_job_abort(job);
	}
	PG_END_TRY();
	return end;
}

/* Let go of the job, whatever has become of the database meanwhile. False: this process must end. */
static bool
leave(rstar_job *job, rstar_job_end end, const char *why)
{
	volatile bool left = false;

	if (end == RSTAR_JOB_BROKEN && job->kind->finish && job->state)
		job->kind->finish(job, end);
	PG_TRY();
	{
		const char *status;

		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		if (!rstar_pg_extension_share())
			ereport(LOG, (errmsg("rstar job " INT64_FORMAT
								 ": extension rstar is gone from database \"%s\"",
								 job->job_id, database_name)));
		else
		{
			SetUserIdAndSecContext(job->owner,
								   SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
			status = MemoryContextStrdup(job->context, rstar_pg_job_leave(job, end, why));
			SetUserIdAndSecContext(job->owner, 0);
			ereport(LOG, (errmsg("rstar job " INT64_FORMAT ": left by worker " INT64_FORMAT
								 ", status %s%s%s",
								 job->job_id, rstar_pg_queue_worker_id(), status, why ? ": " : "",
								 why ? why : "")));
			left = true;
		}
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		/* Nobody is there to tell; the claims go back when this process is gone. */
		EmitErrorReport();
		QueryCancelPending = false;
		rstar_pg_job_abort(job);
		left = false;
	}
	PG_END_TRY();
	return left;
}

/* The giving back of the claims, when the process must end, takes no longer than this. */
#define LEAVE_WITHIN_MS 5000

/*
 * The postmaster signals a process and then its group, so a SIGTERM comes twice, the second
 * perhaps milliseconds later. It must not break off the giving back of the claims; nor may that
 * keep the server from stopping, should another node of a cluster not answer.
 */
static void
heed_no_second_signal(void)
{
	pqsignal(SIGTERM, SIG_IGN);
	QueryCancelPending = false;
	enable_timeout_after(STATEMENT_TIMEOUT, LEAVE_WITHIN_MS);
}

static bool
work(rstar_job *job)
{
	char *why = NULL;
	rstar_job_end end;
	bool left;

	ereport(LOG, (errmsg("rstar job " INT64_FORMAT
						 ": %s in database \"%s\" taken by worker " INT64_FORMAT,
						 job->job_id, job->kind->name, database_name, rstar_pg_queue_worker_id())));
	describe(job);
	rstar_pg_queue_forget();
	SetUserIdAndSecContext(job->owner, 0);
	QueryCancelPending = must_end;
	end = work_at(job, &why);
	if (must_end)
		heed_no_second_signal();
	/* A lock that somebody else holds must not keep the server from stopping. */
	SetConfigOption("lock_timeout", must_end ? "2s" : "0", PGC_SUSET, PGC_S_OVERRIDE);
	left = leave(job, end, why);
	if (must_end)
		disable_timeout(STATEMENT_TIMEOUT, false);
	SetUserIdAndSecContext(superuser_id, 0);
	rstar_pg_shared_leave_job();
	rstar_pg_queue_forget();
	pgstat_report_appname("rstar worker");
	return left;
}

/* --- the worker ---------------------------------------------------------------------------- */

/* Threads and processes started from now on inherit it. */
static void
be_nice(int nice)
{
	if (nice <= own_nice)
		return;
	if (setpriority(PRIO_PROCESS, 0, nice) == 0)
		own_nice = nice;
}

static bool
take(rstar_job *job, MemoryContext context)
{
	int nice = 0;
	bool taken;

	serve_interrupts();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	taken = rstar_pg_extension_share() && rstar_pg_job_take(job, own_nice, &nice, context);
	PopActiveSnapshot();
	CommitTransactionCommand();
	if (taken)
		be_nice(nice);
	return taken;
}

static bool
register_worker(void)
{
	bool present;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	present = rstar_pg_extension_share();
	if (present)
	{
		rstar_pg_database_announce();
		rstar_pg_queue_register();
	}
	database_name = MemoryContextStrdup(TopMemoryContext, get_database_name(MyDatabaseId));
	PopActiveSnapshot();
	CommitTransactionCommand();
	return present;
}

static void
work_at_all(void)
{
	bool go_on = true;

	while (go_on && !must_end)
	{
		MemoryContext context =
			AllocSetContextCreate(TopMemoryContext, "rstar job", ALLOCSET_DEFAULT_SIZES);
		rstar_job job = {0};

		go_on = take(&job, context) && work(&job);
		MemoryContextSwitchTo(TopMemoryContext);
		MemoryContextDelete(context);
	}
}

void
rstar_pg_worker_main(Datum main_arg)
{
	rstar_slot *slot = rstar_pg_process_attach(main_arg);

	if (!slot)
		return;
	pqsignal(SIGTERM, end_soon);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	rstar_pg_database_connect(slot->database, InvalidOid);
	superuser_id = GetUserId();
	pgstat_report_appname("rstar worker");
	if (register_worker())
		work_at_all();
	if (!must_end)
		rstar_pg_database_examine();
}

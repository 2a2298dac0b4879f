/*
 * launcher.c
 *	  The one process that decides which background processes run.
 *
 * It is connected to no database and reads shared catalogs only, so it blocks no
 * DROP DATABASE and costs idle databases nothing. What it knows of a database
 * comes from reports: of a probe, and of each worker as it ends. At the start, when the
 * configuration is reloaded, and when a session has submitted a job, it has the database probed; then it
 * starts workers, as many as find something to do and as rstar.max_workers lets
 * it, and sleeps until it is woken or something is due. With nothing to do it
 * sleeps without end.
 *
 * A process that ended without a report is tried again after a pause that
 * doubles; a database that fails again and again is left alone until somebody
 * submits a job there.
 *
 * On a standby the postmaster starts it at the promotion.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/sandbox/server.h"
#include "pg/workers/processes.h"
#include "pg/workers/settings.h"
#include "pg/workers/shared.h"

/* A process that ends without a report: how often in a row, and the first pause after it. */
#define MOST_FAILURES 6
#define FIRST_PAUSE_S 1

/* The server has no room for another process: when to try again. */
#define NO_ROOM_S 5

/* Schedules of one database that wait for their process; beyond, a run is lost. */
#define MOST_SCHEDULES (8 * RSTAR_REPORT_SCHEDULES)

typedef struct database
{
	Oid oid; /* the key */
	bool present;
	bool look;              /* a probe is to look at it */
	uint64 woken_at;        /* the wake count that the last wake left */
	int workers;            /* that would find something to do */
	TimestampTz next_due;   /* DT_NOEND: never */
	int failures;           /* in a row */
	TimestampTz not_before; /* a pause after failures */
	int n_schedules;        /* to be run, first come first served */
	int64 schedules[MOST_SCHEDULES];
	Oid schedule_roles[MOST_SCHEDULES];
} database;

static HTAB *databases;
static BackgroundWorkerHandle **handles; /* by slot; NULL: none of this launcher's */
static TimestampTz room_at = 0;          /* no process is started before */
static bool complained = false;          /* that there is no room */

/* --- starting the launcher itself ------------------------------------------------------ */

void
rstar_pg_launcher_init(void)
{
	BackgroundWorker worker = {.bgw_name = "rstar launcher",
							   .bgw_type = "rstar launcher",
							   .bgw_flags =
								   BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
							   .bgw_start_time = BgWorkerStart_RecoveryFinished,
							   .bgw_restart_time = 5,
							   .bgw_library_name = "rstar",
							   .bgw_function_name = "rstar_pg_launcher_main"};

	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
		RegisterBackgroundWorker(&worker);
}

/* --- which databases there are ------------------------------------------------------------ */

static bool
is_worth_a_look(Form_pg_database row)
{
	return row->datallowconn && !row->datistemplate && row->datconnlimit != -2;
}

/* Enter those that can be connected to; forget the others. */
static void
read_databases(void)
{
	HASH_SEQ_STATUS all;
	database *d;
	Relation catalog;
	TableScanDesc scan;
	HeapTuple tuple;

	hash_seq_init(&all, databases);
	while ((d = hash_seq_search(&all)) != NULL)
		d->present = false;
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	catalog = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(catalog, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database row = (Form_pg_database) GETSTRUCT(tuple);
		bool found;

		if (!is_worth_a_look(row))
			continue;
		d = hash_search(databases, &row->oid, HASH_ENTER, &found);
		if (!found)
		{
			memset((char *) d + sizeof d->oid, 0, sizeof *d - sizeof d->oid);
			d->look = true;
			d->next_due = DT_NOEND;
		}
		d->present = true;
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
	CommitTransactionCommand();
	hash_seq_init(&all, databases);
	while ((d = hash_seq_search(&all)) != NULL)
		if (!d->present)
			(void) hash_search(databases, &d->oid, HASH_REMOVE, NULL);
}

static void
look_again(database *d, uint64 count)
{
	d->look = true;
	d->woken_at = count;
	d->failures = 0;
	d->not_before = 0;
}

/* At every database: too many were named, or the configuration was reloaded. */
static void
look_everywhere(uint64 count)
{
	HASH_SEQ_STATUS seq;
	database *d;

	hash_seq_init(&seq, databases);
	while ((d = hash_seq_search(&seq)) != NULL)
		look_again(d, count);
}

/* Take note of the databases that sessions have named. */
static void
read_wakes(void)
{
	uint64 count = rstar_pg_shared_wake_count();
	database *d;
	bool all;
	Oid oid;

	for (;;)
	{
		oid = rstar_pg_shared_next_woken(&all);
		if (all)
			look_everywhere(count);
		if (!OidIsValid(oid))
			break;
		d = hash_search(databases, &oid, HASH_FIND, NULL);
		if (d)
			look_again(d, count);
	}
}

/* --- reports --------------------------------------------------------------------------------- */

static void
note_failure(database *d)
{
	if (++d->failures >= MOST_FAILURES)
	{
		ereport(LOG, (errmsg("rstar launcher: processes for database %u end at once; it is left "
							 "alone until a job is submitted there",
							 d->oid)));
		d->look = false;
		d->workers = 0;
		d->next_due = DT_NOEND;
		return;
	}
	d->look = true;
	d->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (FIRST_PAUSE_S * 1000)
																		   << (d->failures - 1));
}

static void
note_schedules(database *d, const rstar_database_report *report)
{
	for (int i = 0; i < report->n_schedules && d->n_schedules < MOST_SCHEDULES; i++)
	{
		d->schedules[d->n_schedules] = report->schedules[i];
		d->schedule_roles[d->n_schedules++] = report->schedule_roles[i];
	}
	d->look |= report->n_schedules == RSTAR_REPORT_SCHEDULES; /* there may be more */
}

static void
note_report(database *d, const rstar_database_report *report)
{
	d->failures = 0;
	d->not_before = 0;
	note_schedules(d, report);
	if (report->wake_count < d->woken_at)
	{
		d->look = true; /* it looked before the last job was there */
		return;
	}
	d->workers = report->workers;
	d->next_due = report->next_due;
}

/* A slot whose process has ended. */
static void
note_end(const rstar_slot *slot)
{
	database *d = hash_search(databases, &slot->database, HASH_FIND, NULL);

	if (!d)
		return;
	if (slot->role == RSTAR_SLOT_SCHEDULE)
		return; /* a job that it submitted has woken this process by itself */
	if (slot->report.made)
		note_report(d, &slot->report);
	else
		note_failure(d);
}

/* The processes that are no more, be it that they never came. */
static void
read_ends(void)
{
	for (int i = 0; i < rstar_pg_shared_n_background(); i++)
	{
		rstar_slot slot;
		pid_t pid;

		if (rstar_pg_shared_collect(i, &slot))
			note_end(&slot);
		else if (!handles[i] || GetBackgroundWorkerPid(handles[i], &pid) != BGWH_STOPPED)
			continue;
		else
			rstar_pg_shared_unreserve(i);
		if (handles[i])
			pfree(handles[i]);
		handles[i] = NULL;
	}
}

/* --- starting processes ------------------------------------------------------------------------- */

static bool
start(rstar_slot_role role, database *d, Oid owner, int64 schedule_id)
{
	BackgroundWorkerHandle *handle = NULL;
	int slot;

	if (rstar_pg_process_start(role, d->oid, owner, schedule_id, &handle, &slot))
	{
		if (handles[slot])
			pfree(handles[slot]);
		handles[slot] = handle;
		complained = false;
		return true;
	}
	room_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), NO_ROOM_S * 1000);
	if (!complained)
		ereport(LOG,
				(errmsg("rstar launcher: the server has no room for another background process"),
				 errhint("Consider raising \"max_worker_processes\".")));
	complained = true;
	return false;
}

static bool
must_wait(const database *d, TimestampTz now)
{
	return d->not_before > now;
}

static void
start_probe(database *d, TimestampTz now)
{
	if (d->next_due <= now)
	{
		d->look = true;
		d->next_due = DT_NOEND;
	}
	if (!d->look || must_wait(d, now) || rstar_pg_shared_count(RSTAR_SLOT_PROBE, InvalidOid) > 0)
		return;
	if (start(RSTAR_SLOT_PROBE, d, InvalidOid, 0))
		d->look = false;
}

/* One schedule of a database at a time. */
static void
start_schedule(database *d)
{
	if (d->n_schedules == 0 || rstar_pg_shared_count(RSTAR_SLOT_SCHEDULE, d->oid) > 0)
		return;
	if (!start(RSTAR_SLOT_SCHEDULE, d, d->schedule_roles[0], d->schedules[0]))
		return;
	d->n_schedules--;
	memmove(d->schedules, d->schedules + 1, d->n_schedules * sizeof d->schedules[0]);
	memmove(d->schedule_roles, d->schedule_roles + 1, d->n_schedules * sizeof d->schedule_roles[0]);
}

/* One more worker, if it would find something to do. */
static bool
start_worker(database *d, TimestampTz now)
{
	if (must_wait(d, now) || rstar_pg_shared_count(RSTAR_SLOT_WORKER, d->oid) >= d->workers ||
		rstar_pg_shared_count(RSTAR_SLOT_WORKER, InvalidOid) >=
			rstar_pg_workers_settings.max_workers)
		return false;
	return start(RSTAR_SLOT_WORKER, d, InvalidOid, 0);
}

/* Databases get workers in turns: one each, until there is room for no more. */
static void
start_processes(TimestampTz now)
{
	HASH_SEQ_STATUS seq;
	database *d;
	bool started = room_at <= now;

	if (room_at > now)
		return;
	hash_seq_init(&seq, databases);
	while ((d = hash_seq_search(&seq)) != NULL)
	{
		start_schedule(d);
		start_probe(d, now);
	}
	while (started && room_at <= now)
	{
		started = false;
		hash_seq_init(&seq, databases);
		while ((d = hash_seq_search(&seq)) != NULL)
			started |= start_worker(d, now);
	}
}

/* --- sleeping ----------------------------------------------------------------------------------- */

/* Milliseconds until something must be done; -1: nothing will. */
static long
time_to_sleep(TimestampTz now)
{
	TimestampTz next = room_at > now ? room_at : DT_NOEND;
	HASH_SEQ_STATUS seq;
	database *d;

	hash_seq_init(&seq, databases);
	while ((d = hash_seq_search(&seq)) != NULL)
	{
		next = Min(next, d->next_due);
		if (d->not_before > now && (d->look || d->workers > 0))
			next = Min(next, d->not_before);
	}
	if (next == DT_NOEND)
		return -1;
	/* Rounded up: a wake too early would only sleep again. An hour at most, should the clock be set. */
	return Max(0, Min(TimestampDifferenceMilliseconds(now, next) + 1, 3600 * 1000L));
}

static void
become_launcher(void)
{
	HASHCTL control = {
		.keysize = sizeof(Oid), .entrysize = sizeof(database), .hcxt = TopMemoryContext};

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	rstar_pg_shared_become_launcher();
	databases = hash_create("rstar databases", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	handles =
		MemoryContextAllocZero(TopMemoryContext, rstar_pg_shared_n_background() * sizeof *handles);
	ereport(LOG, (errmsg("rstar launcher started")));
}

void
rstar_pg_launcher_main(Datum main_arg)
{
	become_launcher();
	/* Sessions fork their sandboxes from it; the first would otherwise wait for Python to load. */
	(void) rstar_pg_sandbox_server_start(true);
	while (!ShutdownRequestPending)
	{
		TimestampTz now;

		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			look_everywhere(rstar_pg_shared_wake_count());
		}
		read_ends();
		read_databases();
		read_wakes();
		now = GetCurrentTimestamp();
		start_processes(now);
		pgstat_report_activity(STATE_IDLE, NULL);
		rstar_pg_process_sleep(time_to_sleep(now), "RstarLauncher");
	}
	/* Not 0, or an administrator who ends it would have none until the server starts again. */
	proc_exit(1);
}

/*
 * shared.h
 *	  What launcher, workers and sessions know of each other: shared memory.
 *
 * Each process of the runtime has a slot: workers, probes and schedule runs, for which the
 * launcher sets one aside before it starts them, and sessions that work through
 * a queue in the foreground. Without shared_preload_libraries there is none of
 * it: functions that read find nothing, and rstar_pg_shared_present is false.
 */
#ifndef RSTAR_PG_WORKERS_SHARED_H
#define RSTAR_PG_WORKERS_SHARED_H

#include "postgres.h"
#include "datatype/timestamp.h"

#define RSTAR_SLOT_NAME 32
#define RSTAR_SLOT_TEXT 160

/* Schedules of one database that a probe reports as due, at a time. */
#define RSTAR_REPORT_SCHEDULES 8

typedef enum rstar_slot_role
{
	RSTAR_SLOT_WORKER,   /* works at jobs */
	RSTAR_SLOT_PROBE,    /* looks into a database, reports, and ends */
	RSTAR_SLOT_SCHEDULE, /* runs one schedule as the role that made it */
	RSTAR_SLOT_SESSION   /* a session that works in the foreground */
} rstar_slot_role;

typedef enum rstar_slot_state
{
	RSTAR_SLOT_FREE,
	RSTAR_SLOT_STARTING, /* set aside; the process is not there yet */
	RSTAR_SLOT_RUNNING,
	RSTAR_SLOT_ENDED /* its process is gone; the launcher has not looked at the report yet */
} rstar_slot_state;

/* What a probe, or a worker that ends, found in its database. */
typedef struct rstar_database_report
{
	bool made;            /* false: the process ended before it could look */
	bool extension;       /* the database has the extension */
	uint64 wake_count;    /* rstar_pg_shared_wake_count before it looked */
	int workers;          /* that would find something to do, those at work now included */
	TimestampTz next_due; /* when something must be done, DT_NOEND: never */
	int n_schedules;      /* due now */
	int64 schedules[RSTAR_REPORT_SCHEDULES];
	Oid schedule_roles[RSTAR_REPORT_SCHEDULES];
} rstar_database_report;

/* Progress of a job, of all its workers together. */
typedef struct rstar_job_counts
{
	int64 total, done, failed;
	int64 done_before; /* when the first of its present workers began */
	TimestampTz since; /* … and when that was */
} rstar_job_counts;

typedef struct rstar_slot
{
	rstar_slot_state state;
	rstar_slot_role role;
	uint64 token; /* tells one use of the slot from the next */
	int pid;
	Oid database;
	Oid owner;         /* of the job; for a schedule, its role */
	int64 schedule_id; /* of a schedule run */
	int64 worker_id;   /* its number in the queue of its database; 0: none */
	int64 job_id;      /* 0: none now */
	bool stop;         /* the job was paused or cancelled */
	TimestampTz since; /* the job was taken */
	int counts;        /* which rstar_job_counts; -1: none */
	char kind[RSTAR_SLOT_NAME];
	char phase[RSTAR_SLOT_NAME];
	char doing[RSTAR_SLOT_TEXT];
	rstar_database_report report;
} rstar_slot;

/* A slot as others see it. */
typedef struct rstar_slot_view
{
	rstar_slot slot;
	rstar_job_counts counts;
} rstar_slot_view;

/* From _PG_init: ask for shared memory, if the library is being preloaded. */
extern void rstar_pg_shared_init(void);
extern bool rstar_pg_shared_present(void);

/* Slots that the launcher can hand out; copies of all that are in use, palloc'd. */
extern int rstar_pg_shared_n_background(void);
extern rstar_slot_view *rstar_pg_shared_copy(int *n);

/* --- the launcher ----------------------------------------------------------------- */

/* This process is the launcher, until it exits. Frees slots whose process never came. */
extern void rstar_pg_shared_become_launcher(void);

/*
 * A database needs a look. The launcher takes the databases one by one;
 * InvalidOid: there is none left. *all: too many were named, look at every one.
 */
extern void rstar_pg_shared_wake(Oid database);
extern Oid rstar_pg_shared_next_woken(bool *all);
extern uint64 rstar_pg_shared_wake_count(void);

/* Set a slot aside; -1: all are taken. Give it back when no process came of it. */
extern int rstar_pg_shared_reserve(rstar_slot_role role, Oid database, Oid owner, int64 schedule_id,
								   uint64 *token);
extern void rstar_pg_shared_unreserve(int slot);

/* A slot whose process has ended: its content, and free it. False: it has not. */
extern bool rstar_pg_shared_collect(int slot, rstar_slot *ended);

/* Slots in use by role in a database (InvalidOid: in all). */
extern int rstar_pg_shared_count(rstar_slot_role role, Oid database);

/* --- processes with a slot --------------------------------------------------------------- */

/* The slot set aside for this process; NULL: it came too late and must exit. */
extern rstar_slot *rstar_pg_shared_attach(int slot, uint64 token);

/* A slot for this session, given back by rstar_pg_shared_leave_session; NULL: there is none. */
extern rstar_slot *rstar_pg_shared_enter_session(void);
extern void rstar_pg_shared_leave_session(void);

/* Leave the report for the launcher. */
extern void rstar_pg_shared_report(const rstar_database_report *report);

/*
 * Take a job, unless `most` processes have it already; start counting with `counts` if this is
 * the first. rstar_pg_shared_leave_job undoes it.
 */
extern bool rstar_pg_shared_take_job(int64 job_id, const char *kind, Oid owner, int most);
extern void rstar_pg_shared_start_counts(int64 total, int64 done, int64 failed);
extern void rstar_pg_shared_leave_job(void);

/* Processes of this database that have the job, this one not counted. */
extern int rstar_pg_shared_job_users(int64 job_id);

/* Of the job in hand. NULL: as it was. */
extern void rstar_pg_shared_count_done(int64 done, int64 failed);
extern void rstar_pg_shared_set_counts(int64 total, int64 done);
extern void rstar_pg_shared_describe(const char *phase, const char *doing);

/* --- sessions --------------------------------------------------------------------------- */

/* Tell the workers of a job of this database to leave it. */
extern void rstar_pg_shared_stop_job(int64 job_id);

/* Jobs have ended: wake those who wait (rstar_pg_shared_wait_for_end). */
extern void rstar_pg_shared_job_ended(void);

/* Sleep until some job has ended since `seen` was read, or for so long; false: that long has passed. */
extern uint64 rstar_pg_shared_end_count(void);
extern bool rstar_pg_shared_wait_for_end(uint64 seen, long timeout_ms);

#endif

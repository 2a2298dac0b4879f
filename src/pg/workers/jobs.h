/*
 * jobs.h
 *	  Jobs: work that goes on in the background, and how a room adds a kind of it.
 *
 * A job is a row of rstar.jobs. A SQL function submits it in the caller's
 * transaction; once that has committed, the launcher (launcher.c) starts workers
 * in the job's database, each of which takes a job, works at it in steps and
 * leaves it done, failed, paused or, when the server stops, as it stands.
 *
 * A room adds a kind of job with one table entry, defined from _PG_init:
 *
 *		static const rstar_job_kind train_policy = {
 *			.name = "train_policy", .start = start, .step = step, .finish = finish};
 *
 *		rstar_pg_job_kind_define(&train_policy);
 *
 * and with a SQL function rstar_<function> that checks its arguments, runs the
 * caller's query if there is one (query.h) and calls rstar_pg_job_submit. The
 * runtime does the rest: workers, claims, retries, pause, cancel, progress,
 * schedules.
 *
 * Jobs without a queue (`queue` false) have one worker at a time. Jobs with one
 * share their items (rows of rstar.job_items, see queue.h) among several.
 */
#ifndef RSTAR_PG_WORKERS_JOBS_H
#define RSTAR_PG_WORKERS_JOBS_H

#include "postgres.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

typedef struct rstar_job rstar_job;

/* What a step leaves behind. */
typedef enum rstar_job_step
{
	RSTAR_JOB_AGAIN, /* there is more to do now */
	RSTAR_JOB_WAIT,  /* jobs that it submitted (`parent`) come first; it starts again after them */
	RSTAR_JOB_DONE
} rstar_job_step;

/* Why a job leaves its worker. */
typedef enum rstar_job_end
{
	RSTAR_JOB_FINISHED, /* step said DONE */
	RSTAR_JOB_WAITING,  /* step said WAIT */
	RSTAR_JOB_STOPPED,  /* paused, cancelled, or the worker must end; it may be resumed later */
	RSTAR_JOB_BROKEN    /* start or step raised an error */
} rstar_job_end;

typedef struct rstar_job_kind
{
	const char *name;     /* rstar.jobs.kind; at most 31 bytes */
	const char *function; /* that submits it, without "rstar_"; NULL: named as the kind */
	bool queue;

	/*
	 * Of a kind with a queue: whether this server has what the job needs, a model's file, say. Asked
	 * on the nodes of a cluster (cluster.h) but for the coordinator: one that is not ready leaves the
	 * job to the others. Within rstar_tables_begin. NULL: always.
	 */
	bool (*ready)(Jsonb *arguments);

	/*
	 * Prepare to work, in a transaction; job->state is the kind's own, and
	 * CurrentMemoryContext is job->context, which lasts until the job leaves the
	 * worker. Runs in every worker that takes the job and again after an
	 * interruption, so it continues from what is stored.
	 */
	void (*start)(rstar_job *job);

	/*
	 * Work for some 50 ms at most, outside of any transaction; longer work polls
	 * rstar_pg_cancel. To read or write rows it calls rstar_pg_job_begin and
	 * rstar_pg_job_commit around a few statements. May raise: the runtime aborts,
	 * calls finish with BROKEN, and tries the job again later.
	 */
	rstar_job_step (*step)(rstar_job *job);

	/*
	 * Leave the job, in the transaction that writes its row; with STOPPED and WAITING,
	 * store what start needs to continue. With BROKEN there is no transaction:
	 * release what a memory context does not. May be NULL.
	 */
	void (*finish)(rstar_job *job, rstar_job_end end);
} rstar_job_kind;

struct rstar_job
{
	int64 job_id;
	const rstar_job_kind *kind;
	Oid owner;        /* whose work it is; steps run as this role, in a restricted context */
	Jsonb *arguments; /* as submitted */
	Jsonb *settings;  /* of the session that submitted it; they hold while the worker has the job */
	int workers;      /* at most so many are at it */
	int threads;      /* of each worker */
	int64 total;      /* of a queue: its items; else 0 */
	int64 parent;     /* 0: none */
	int attempt;      /* 1 for the first */
	TimestampTz seen_running; /* when its row last said so */
	bool blameless; /* with BROKEN: a server that all items need is away or slow, no item's fault */
	MemoryContext context;
	void *state; /* the kind's own; NULL before start */
};

/* Add a kind; from _PG_init. The entry must last as long as the process. */
extern void rstar_pg_job_kind_define(const rstar_job_kind *kind);

/* The kind of that name, or NULL. */
extern const rstar_job_kind *rstar_pg_job_kind_find(const char *name);

/* --- submitting ------------------------------------------------------------------- */

typedef struct rstar_job_request
{
	const char *kind;
	Jsonb *arguments; /* NULL: {} */
	int64 parent;     /* a job that waits for this one; 0: the job in whose step this is, if any */
	int workers;      /* at most so many at a time; 0: the setting; without a queue always 1 */
	int threads;      /* of each worker; 0: the cores, shared among the workers */
	int nice;         /* -1: the setting */
} rstar_job_request;

/*
 * Raise, with a hint, unless there is a launcher to do background work, and for a
 * standby. `what` is the SQL function, "rstar_search_all()".
 */
extern void rstar_pg_job_require_workers(const char *what);

/*
 * Insert a job of the current user and have the launcher look at it when the
 * transaction commits; all rstar settings of the session are stored with it, and
 * hold in its workers. Returns its number.
 */
extern int64 rstar_pg_job_submit(const rstar_job_request *request);

/* --- within start, step and finish ---------------------------------------------------- */

/*
 * A short transaction within a step; statements go between rstar_tables_begin
 * and rstar_pg_tables_end as usual. Raises, with QUERY_CANCELED, when the
 * job is no longer to be worked at (its row is looked at ten times a second at most). An error within aborts the transaction.
 */
extern void rstar_pg_job_begin(rstar_job *job);
extern void rstar_pg_job_commit(rstar_job *job);

/*
 * Within PG_CATCH, in a transaction or outside of one: put everything back that the error may have
 * left, and drop it.
 */
extern void rstar_pg_job_abort(rstar_job *job);

/*
 * Within a transaction: what is stored now lies beyond where this worker began, so
 * earlier errors and lost workers no longer count against the job. For kinds without a
 * queue; in a queue the items count for themselves.
 */
extern void rstar_pg_job_got_further(rstar_job *job);

/*
 * What rstar.progress shows, until the next call; cheap enough for each
 * step. phase: a word or two ("searching"). done and total count in the
 * kind's own unit; of a queue the runtime counts itself.
 */
extern void rstar_pg_job_progress(rstar_job *job, const char *phase, int64 done, int64 total);

/* What this worker does now, for people: "problem 17: rollout 3 of 16". */
extern void rstar_pg_job_doing(rstar_job *job, const char *format, ...) pg_attribute_printf(2, 3);

/* --- about jobs --------------------------------------------------------------------------- */

/*
 * Whether the current user may see the jobs of that role (NULL: one that was dropped): it has the
 * role's privileges, or those of pg_read_all_stats.
 */
extern bool rstar_pg_job_may_see(const char *owner);

#endif

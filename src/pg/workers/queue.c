/*
 * queue.c
 *	  The items of a job: problems that several workers share.
 *
 * No commit of a worker waits for the disk, outside of a cluster; each claim first waits until the
 * one before it is there, and so all that the worker had committed by then, which the server's WAL
 * writer has mostly seen to long ago. So a crash of the server costs no more than what was in hand
 * at the last claim and the one before it, which is searched again, and a worker with small
 * problems hardly ever waits for the disk. Nobody was told of them: the end of the job waits.
 *
 * Claimed items leave dead entries in the index of the queued ones; where an old
 * snapshot keeps them from being removed, a claim would wade through all of
 * them. So each worker starts where its last claim ended, and looks from the
 * beginning again only when nothing is left behind that.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "pg/base/cluster.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/workers/queue.h"
#include "pg/workers/queue_internal.h"
#include "pg/workers/shared.h"

/* --- this worker ------------------------------------------------------------------- */

static int64 worker_id = 0;
static int in_hand = 0;
static int64 done_here = 0; /* since the job was taken */
static int64 last_claimed = -1;
static bool in_cluster = true;                    /* as of the last claim */
static XLogRecPtr claimed_at = InvalidXLogRecPtr; /* end of the last claim's commit */

/*
 * The lock named by a worker's number. Users' advisory locks have 1 or 2 in the last
 * field: nobody can take this one from SQL and keep a dead worker alive.
 */
#define LOCK_CLASS 0x5253

static void
lock_tag(LOCKTAG *tag, int64 number)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) ((uint64) number >> 32), (uint32) number,
						 LOCK_CLASS);
}

void
rstar_pg_queue_register(void)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	LOCKTAG tag;

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_execute("SELECT pg_catalog.nextval('rstar.worker_numbers') AS number", &a, false);
	worker_id = rstar_pg_result_bigint(0, "number", 0);
	rstar_pg_tables_end(&scope);
	lock_tag(&tag, worker_id);
	LockAcquire(&tag, ExclusiveLock, true, false);
}

int64
rstar_pg_queue_worker_id(void)
{
	return worker_id;
}

int
rstar_pg_queue_in_hand(void)
{
	return in_hand;
}

int64
rstar_pg_queue_done_here(void)
{
	return done_here;
}

void
rstar_pg_queue_forget(void)
{
	done_here = 0;
	in_hand = 0;
	last_claimed = -1;
	claimed_at = InvalidXLogRecPtr;
}

/* … from this server: nobody here has it. */
static bool
is_gone(int64 number)
{
	LOCKTAG tag;

	if (number == worker_id)
		return false;
	lock_tag(&tag, number);
	if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	LockRelease(&tag, ShareLock, false);
	return true;
}

/* --- filling it ------------------------------------------------------------------------ */

static Datum
bigint_array(const int64 *numbers, uint32 n)
{
	Datum *values = palloc(n * sizeof *values);

	for (uint32 i = 0; i < n; i++)
		values[i] = Int64GetDatum(numbers[i]);
	return PointerGetDatum(
		construct_array(values, (int) n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
refuse_missing(const rstar_arguments *ids)
{
	rstar_arguments a = {0};

	rstar_pg_add(&a, INT8ARRAYOID, ids->values[1], false);
	rstar_pg_execute("SELECT id FROM pg_catalog.unnest($1) id WHERE NOT EXISTS"
					 " (SELECT FROM rstar.problems p WHERE p.problem_id OPERATOR(pg_catalog.=) id)"
					 " LIMIT 1",
					 &a, false);
	if (SPI_processed > 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("problem " INT64_FORMAT " does not exist",
							   rstar_pg_result_bigint(0, "id", 0))));
}

void
rstar_pg_queue_add(int64 job_id, const int64 *problems, uint32 n)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add(&a, INT8ARRAYOID, bigint_array(problems, n), false);
	refuse_missing(&a);
	rstar_pg_execute("WITH added AS (INSERT INTO rstar.job_items (job_id, item_id, problem_id)"
					 " SELECT $1, j.total OPERATOR(pg_catalog.+) u.place, u.id"
					 "   FROM rstar.jobs j,"
					 "        ROWS FROM (pg_catalog.unnest($2)) WITH ORDINALITY u (id, place)"
					 "  WHERE j.job_id OPERATOR(pg_catalog.=) $1 RETURNING item_id)"
					 " UPDATE rstar.jobs SET total = total OPERATOR(pg_catalog.+)"
					 " (SELECT pg_catalog.count(*) FROM added)"
					 " WHERE job_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/* --- claiming ----------------------------------------------------------------------------- */

static uint32
read_items(rstar_queue_item *items, uint32 room)
{
	if (SPI_processed > room)
		elog(ERROR, "a claim of %u items gave " UINT64_FORMAT, room, SPI_processed);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		items[row].item_id = rstar_pg_result_bigint(row, "item_id", 0);
		items[row].problem_id = rstar_pg_result_bigint(row, "problem_id", 0);
		items[row].alone = rstar_pg_result_int(row, "tries", 0) > 0;
	}
	return (uint32) SPI_processed;
}

/* A subquery could be run again for every row of a join, and its LIMIT with it; this CTE runs once. */
#define CLAIM(which)                                                                               \
	"WITH c AS MATERIALIZED (SELECT q.item_id FROM rstar.job_items q"                              \
	"        WHERE q.job_id OPERATOR(pg_catalog.=) $1"                                             \
	"        AND q.status OPERATOR(pg_catalog.=) 'queued'" which "        FOR UPDATE SKIP LOCKED)" \
	" UPDATE rstar.job_items i SET status = 'claimed', worker = $2,"                               \
	" claimed_at = $3 FROM c"                                                                      \
	" WHERE i.job_id OPERATOR(pg_catalog.=) $1 AND i.item_id OPERATOR(pg_catalog.=) c.item_id"     \
	" RETURNING i.item_id, i.problem_id, i.tries"

static uint32
claim_fresh(int64 job_id, uint32 n, rstar_queue_item *items)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add_bigint(&a, worker_id);
	rstar_pg_add_now(&a);
	rstar_pg_add_bigint(&a, last_claimed);
	rstar_pg_add_bigint(&a, n);
	rstar_pg_execute(CLAIM(" AND q.tries OPERATOR(pg_catalog.=) 0"
						   " AND q.item_id OPERATOR(pg_catalog.>) $4"
						   " ORDER BY q.tries, q.item_id LIMIT $5"),
					 &a, false);
	return read_items(items, n);
}

/* One that failed before: those that failed least come first. */
static uint32
claim_alone(int64 job_id, rstar_queue_item *items)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add_bigint(&a, worker_id);
	rstar_pg_add_now(&a);
	rstar_pg_execute(CLAIM(" ORDER BY q.tries, q.item_id LIMIT 1"), &a, false);
	return read_items(items, 1);
}

/*
 * Not more than one worker's share of what seems to be left: else, at the end, one has everything
 * in hand and the others look on.
 */
static uint32
share(const rstar_job *job, uint32 n)
{
	int64 left = job->total - Max(last_claimed, 0);

	return (uint32) Min(n, Max(1, (left + job->workers - 1) / job->workers));
}

static uint32
claim(int64 job_id, uint32 n, bool idle, rstar_queue_item *items)
{
	uint32 got = claim_fresh(job_id, n, items);

	if (got == 0 && last_claimed >= 0)
	{
		last_claimed = -1;
		got = claim_fresh(job_id, n, items);
	}
	for (uint32 i = 0; i < got; i++)
		last_claimed = Max(last_claimed, items[i].item_id);
	return got == 0 && idle ? claim_alone(job_id, items) : got;
}

/*
 * Commit without waiting for the disk. Not in a cluster: there what one node has lost after
 * a crash, and another has not, would differ.
 */
static void
commit_without_waiting(void)
{
	if (!in_cluster)
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
}

uint32
rstar_pg_queue_claim(rstar_job *job, uint32 n, bool idle, rstar_queue_item *items)
{
	rstar_tables_scope scope;
	instr_time began, took;
	uint32 got;

	INSTR_TIME_SET_CURRENT(began);
	XLogFlush(claimed_at);
	rstar_pg_job_begin(job);
	rstar_tables_begin(&scope, "jobs");
	in_cluster = rstar_pg_cluster_node() != RSTAR_NO_CLUSTER;
	got = claim(job->job_id, share(job, n), idle, items);
	rstar_pg_tables_end(&scope);
	commit_without_waiting();
	rstar_pg_job_commit(job);
	claimed_at = XactLastCommitEnd;
	in_hand += (int) got;
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, began);
	elog(DEBUG1, "rstar job " INT64_FORMAT ": claimed %u of %u in %.3f ms", job->job_id, got, n,
		 INSTR_TIME_GET_MILLISEC(took));
	return got;
}

/* --- ending ----------------------------------------------------------------------------------- */

/* An item that is not this worker's any more must not be stored a second time. */
static void
end_item(rstar_job *job, int64 item_id, const char *status, int64 tree_id, const char *why)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_add_bigint(&a, item_id);
	rstar_pg_add_bigint(&a, worker_id);
	rstar_pg_add_text(&a, status);
	rstar_pg_add(&a, INT8OID, Int64GetDatum(tree_id), tree_id == 0);
	rstar_pg_add_text(&a, why);
	rstar_pg_add_now(&a);
	rstar_pg_execute(
		"UPDATE rstar.job_items SET status = $4, tree_id = $5, error = $6, worker = NULL,"
		" finished_at = $7"
		" WHERE job_id OPERATOR(pg_catalog.=) $1 AND item_id OPERATOR(pg_catalog.=) $2"
		" AND status OPERATOR(pg_catalog.=) 'claimed' AND worker OPERATOR(pg_catalog.=) $3",
		&a, false);
	if (SPI_processed != 1)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("item " INT64_FORMAT " of job " INT64_FORMAT
							   " is not claimed by this worker any more",
							   item_id, job->job_id)));
	rstar_pg_tables_end(&scope);
}

void
rstar_pg_queue_done(rstar_job *job, int64 item_id, int64 tree_id)
{
	commit_without_waiting();
	end_item(job, item_id, "done", tree_id, NULL);
}

void
rstar_pg_queue_failed(rstar_job *job, int64 item_id, const char *why)
{
	end_item(job, item_id, "failed", 0, why);
}

void
rstar_pg_queue_committed(rstar_job *job, int64 done, int64 failed)
{
	in_hand -= (int) (done + failed);
	done_here += done;
	rstar_pg_shared_count_done(done, failed);
}

void
rstar_pg_queue_release(rstar_job *job, const char *why)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_add_bigint(&a, worker_id);
	rstar_pg_add_text(&a, why);
	rstar_pg_add_int(&a, RSTAR_QUEUE_ATTEMPTS, false);
	rstar_pg_execute("UPDATE rstar.job_items SET worker = NULL, error = COALESCE($3, error),"
					 " tries = tries OPERATOR(pg_catalog.+) ($3 IS NOT NULL)::pg_catalog.int4,"
					 " status = CASE WHEN $3 IS NOT NULL AND (tries OPERATOR(pg_catalog.-) losses)"
					 "               OPERATOR(pg_catalog.+) 1 OPERATOR(pg_catalog.>=) $4"
					 "               THEN 'failed' ELSE 'queued' END"
					 " WHERE job_id OPERATOR(pg_catalog.=) $1 AND worker OPERATOR(pg_catalog.=) $2"
					 " AND status OPERATOR(pg_catalog.=) 'claimed'",
					 &a, false);
	rstar_pg_tables_end(&scope);
	in_hand = 0;
}

/* --- workers that are gone -------------------------------------------------------------------- */

/*
 * Numbers of the workers of this database on all nodes of the cluster, those excepted that do
 * not answer: their workers count as gone. Should one be alive, it cannot store what it has in
 * hand, since the claim is not its own any more (end_item).
 */
static int64 *
living_workers(uint64 *n)
{
	static const char look[] =
		"SELECT pg_catalog.string_agg((l.classid::pg_catalog.int8 * 4294967296"
		" + l.objid::pg_catalog.int8)::pg_catalog.text, ' ') FROM pg_catalog.pg_locks l"
		" JOIN pg_catalog.pg_database d ON d.oid = l.database"
		" WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted"
		" AND l.objsubid = %d AND d.datname = pg_catalog.current_database()";
	rstar_arguments a = {0};
	int64 *list;

	rstar_pg_add_text(&a, psprintf(look, LOCK_CLASS));
	rstar_pg_execute("SELECT w.number::pg_catalog.int8 AS number"
					 " FROM pg_catalog.run_command_on_all_nodes($1) r,"
					 " pg_catalog.unnest(pg_catalog.string_to_array(r.result, ' ')) w (number)"
					 " WHERE r.success",
					 &a, false);
	*n = SPI_processed;
	list = palloc((*n + 1) * sizeof *list);
	for (uint64 i = 0; i < *n; i++)
		list[i] = rstar_pg_result_bigint(i, "number", 0);
	return list;
}

static bool
is_among(int64 number, const int64 *list, uint64 n)
{
	for (uint64 i = 0; i < n; i++)
		if (list[i] == number)
			return true;
	return false;
}

/*
 * In a cluster an item whose worker's server ended in the middle of a commit is locked until that
 * server is back: then it turns out to be done. So locked ones are left for the next time.
 */
static void
take_back(int64 job_id, int64 lost_worker)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_add_bigint(&a, lost_worker);
	rstar_pg_add_int(&a, RSTAR_QUEUE_LOSSES, false);
	rstar_pg_execute(
		"WITH c AS MATERIALIZED (SELECT q.item_id FROM rstar.job_items q"
		"        WHERE q.job_id OPERATOR(pg_catalog.=) $1 AND q.worker OPERATOR(pg_catalog.=) $2"
		"        AND q.status OPERATOR(pg_catalog.=) 'claimed' FOR UPDATE SKIP LOCKED)"
		" UPDATE rstar.job_items i SET worker = NULL,"
		" tries = tries OPERATOR(pg_catalog.+) (losses OPERATOR(pg_catalog.>) 0)::pg_catalog.int4,"
		" losses = losses OPERATOR(pg_catalog.+) 1,"
		" error = 'the worker or the server ended unexpectedly',"
		" status = CASE WHEN losses OPERATOR(pg_catalog.+) 1 OPERATOR(pg_catalog.>=) $3"
		"               THEN 'failed' ELSE 'queued' END"
		" FROM c WHERE i.job_id OPERATOR(pg_catalog.=) $1"
		" AND i.item_id OPERATOR(pg_catalog.=) c.item_id",
		&a, false);
	if (SPI_processed > 0)
		ereport(LOG,
				(errmsg("rstar job " INT64_FORMAT ": " UINT64_FORMAT
						" problems of worker " INT64_FORMAT ", which is gone, are queued again",
						job_id, SPI_processed, lost_worker)));
}

void
rstar_pg_queue_recover(int64 job_id)
{
	rstar_arguments a = {0};
	uint64 n, n_gone = 0, n_living = 0;
	int64 *workers, *living = NULL;

	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute("SELECT DISTINCT worker FROM rstar.job_items"
					 " WHERE job_id OPERATOR(pg_catalog.=) $1"
					 " AND status OPERATOR(pg_catalog.=) 'claimed'",
					 &a, false);
	n = SPI_processed;
	workers = palloc((n + 1) * sizeof *workers);
	for (uint64 i = 0; i < n; i++)
		workers[i] = rstar_pg_result_bigint(i, "worker", 0);
	for (uint64 i = 0; i < n; i++)
		if (is_gone(workers[i]))
			workers[n_gone++] = workers[i];
	if (n_gone > 0 && rstar_pg_cluster_node() != RSTAR_NO_CLUSTER)
		living = living_workers(&n_living);
	for (uint64 i = 0; i < n_gone; i++)
		if (!is_among(workers[i], living, n_living))
			take_back(job_id, workers[i]);
}

rstar_queue_rest
rstar_pg_queue_look(rstar_job *job)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	rstar_queue_rest rest = RSTAR_QUEUE_EMPTY;
	bool is_null;

	rstar_pg_job_begin(job);
	rstar_tables_begin(&scope, "jobs");
	rstar_pg_queue_recover(job->job_id);
	rstar_pg_add_bigint(&a, job->job_id);
	rstar_pg_execute(
		"SELECT EXISTS (SELECT FROM rstar.job_items WHERE job_id OPERATOR(pg_catalog.=) $1"
		" AND status OPERATOR(pg_catalog.=) 'queued') AS queued,"
		" EXISTS (SELECT FROM rstar.job_items WHERE job_id OPERATOR(pg_catalog.=) $1"
		" AND status OPERATOR(pg_catalog.=) 'claimed') AS claimed",
		&a, false);
	if (rstar_pg_result_bool(0, "queued", &is_null))
		rest = RSTAR_QUEUE_MORE;
	else if (rstar_pg_result_bool(0, "claimed", &is_null))
		rest = RSTAR_QUEUE_OTHERS;
	rstar_pg_tables_end(&scope);
	rstar_pg_job_commit(job);
	return rest;
}

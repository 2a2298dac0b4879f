/*
 * shared.c
 *	  What launcher, workers and sessions know of each other: shared memory.
 *
 * One lock guards it all; it is held for a few instructions at a time, and
 * nothing that can raise an error runs under it. A process gives its slot up when
 * it exits, however it does; kill -9 makes the postmaster restart shared memory,
 * and this with it.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#include "pg/base/compat.h"
#include "pg/base/shared_memory.h"
#include "pg/workers/shared.h"

/* Databases that may wait for the launcher's look by name; beyond, it looks at all. */
#define WOKEN 64

typedef struct shared_counts
{
	Oid database;
	int64 job_id;
	int users; /* 0: free */
	rstar_job_counts counts;
} shared_counts;

typedef struct workers_shared
{
	LWLock *lock;
	Latch *launcher; /* NULL: none is there */
	uint64 wake_count;
	int n_woken;
	bool all_woken;
	Oid woken[WOKEN];
	ConditionVariable ended;
	uint64 end_count;
	uint64 next_token;
	int n_background; /* slots that the launcher hands out; sessions have those behind */
	int n_slots;
	rstar_slot slots[FLEXIBLE_ARRAY_MEMBER];
	/* shared_counts[n_slots] follow */
} workers_shared;

static workers_shared *shared = NULL; /* NULL: not preloaded */
static rstar_slot *mine = NULL;

/* --- shared memory --------------------------------------------------------------- */

/* As many of the server's background processes as there can be, and every session. */
static int
slots_needed(void)
{
	return max_worker_processes + MaxConnections;
}

static Size
counts_offset(void)
{
	return MAXALIGN(
		add_size(offsetof(workers_shared, slots), mul_size(slots_needed(), sizeof(rstar_slot))));
}

static Size
shared_size(void)
{
	return add_size(counts_offset(), mul_size(slots_needed(), sizeof(shared_counts)));
}

static shared_counts *
all_counts(void)
{
	return (shared_counts *) ((char *) shared + counts_offset());
}

static void
start_shared(void *memory, LWLock *lock, bool fresh)
{
	shared = memory;
	if (!fresh)
		return;
	shared->lock = lock;
	shared->n_background = max_worker_processes;
	shared->n_slots = slots_needed();
	ConditionVariableInit(&shared->ended);
}

void
rstar_pg_shared_init(void)
{
	static const rstar_shared_part part = {"rstar workers", shared_size, start_shared};

	rstar_pg_shared_memory_add(&part);
}

bool
rstar_pg_shared_present(void)
{
	return shared != NULL;
}

int
rstar_pg_shared_n_background(void)
{
	return shared ? shared->n_background : 0;
}

static void
lock(void)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
}

static void
unlock(void)
{
	LWLockRelease(shared->lock);
}

rstar_slot_view *
rstar_pg_shared_copy(int *n)
{
	rstar_slot_view *copy = palloc(sizeof(*copy) * (shared ? shared->n_slots : 1));

	*n = 0;
	if (!shared)
		return copy;
	lock();
	for (int i = 0; i < shared->n_slots; i++)
	{
		rstar_slot *slot = &shared->slots[i];
		rstar_slot_view *view = &copy[*n];

		if (slot->state == RSTAR_SLOT_FREE)
			continue;
		view->slot = *slot;
		memset(&view->counts, 0, sizeof view->counts);
		if (slot->job_id != 0 && slot->counts >= 0)
			view->counts = all_counts()[slot->counts].counts;
		(*n)++;
	}
	unlock();
	return copy;
}

/* --- the launcher -------------------------------------------------------------------- */

/* The lock is held. */
static void
wake_launcher(void)
{
	if (shared->launcher)
		SetLatch(shared->launcher);
}

static void
launcher_exits(int code, Datum arg)
{
	lock();
	shared->launcher = NULL;
	unlock();
}

void
rstar_pg_shared_become_launcher(void)
{
	before_shmem_exit(launcher_exits, (Datum) 0);
	lock();
	shared->launcher = MyLatch;
	for (int i = 0; i < shared->n_background; i++)
		if (shared->slots[i].state == RSTAR_SLOT_STARTING)
			shared->slots[i].state = RSTAR_SLOT_FREE;
	unlock();
}

void
rstar_pg_shared_wake(Oid database)
{
	bool known = false;

	if (!shared)
		return;
	lock();
	shared->wake_count++;
	for (int i = 0; i < shared->n_woken; i++)
		known |= shared->woken[i] == database;
	if (!known && shared->n_woken < WOKEN)
		shared->woken[shared->n_woken++] = database;
	else if (!known)
		shared->all_woken = true;
	wake_launcher();
	unlock();
}

Oid
rstar_pg_shared_next_woken(bool *all)
{
	Oid database = InvalidOid;

	lock();
	*all = shared->all_woken;
	shared->all_woken = false;
	if (shared->n_woken > 0)
		database = shared->woken[--shared->n_woken];
	unlock();
	return database;
}

uint64
rstar_pg_shared_wake_count(void)
{
	uint64 count;

	if (!shared)
		return 0;
	lock();
	count = shared->wake_count;
	unlock();
	return count;
}

int
rstar_pg_shared_reserve(rstar_slot_role role, Oid database, Oid owner, int64 schedule_id,
						uint64 *token)
{
	int found = -1;

	lock();
	for (int i = 0; i < shared->n_background && found < 0; i++)
		if (shared->slots[i].state == RSTAR_SLOT_FREE)
			found = i;
	if (found >= 0)
	{
		rstar_slot *slot = &shared->slots[found];

		memset(slot, 0, sizeof *slot);
		slot->state = RSTAR_SLOT_STARTING;
		slot->role = role;
		slot->database = database;
		slot->owner = owner;
		slot->schedule_id = schedule_id;
		slot->counts = -1;
		slot->token = *token = ++shared->next_token;
	}
	unlock();
	return found;
}

void
rstar_pg_shared_unreserve(int i)
{
	lock();
	if (shared->slots[i].state == RSTAR_SLOT_STARTING)
		shared->slots[i].state = RSTAR_SLOT_FREE;
	unlock();
}

bool
rstar_pg_shared_collect(int i, rstar_slot *ended)
{
	bool found;

	lock();
	found = shared->slots[i].state == RSTAR_SLOT_ENDED;
	if (found)
	{
		*ended = shared->slots[i];
		shared->slots[i].state = RSTAR_SLOT_FREE;
	}
	unlock();
	return found;
}

int
rstar_pg_shared_count(rstar_slot_role role, Oid database)
{
	int n = 0;

	lock();
	for (int i = 0; i < shared->n_slots; i++)
	{
		const rstar_slot *slot = &shared->slots[i];

		n += (slot->state == RSTAR_SLOT_STARTING || slot->state == RSTAR_SLOT_RUNNING) &&
			 slot->role == role && (!OidIsValid(database) || slot->database == database);
	}
	unlock();
	return n;
}

/* --- processes with a slot ------------------------------------------------------------- */

/* The lock is held. */
static void
drop_job(void)
{
	if (mine->counts >= 0)
		all_counts()[mine->counts].users--;
	mine->counts = -1;
	mine->job_id = 0;
	mine->stop = false;
	mine->kind[0] = mine->phase[0] = mine->doing[0] = '\0';
}

static void
give_up_slot(int code, Datum arg)
{
	if (!mine)
		return;
	lock();
	drop_job();
	mine->pid = 0;
	mine->state = mine->role == RSTAR_SLOT_SESSION ? RSTAR_SLOT_FREE : RSTAR_SLOT_ENDED;
	if (mine->role != RSTAR_SLOT_SESSION)
		wake_launcher();
	unlock();
	mine = NULL;
}

rstar_slot *
rstar_pg_shared_attach(int i, uint64 token)
{
	if (!shared || i < 0 || i >= shared->n_background)
		return NULL;
	before_shmem_exit(give_up_slot, (Datum) 0);
	lock();
	if (shared->slots[i].state == RSTAR_SLOT_STARTING && shared->slots[i].token == token)
	{
		mine = &shared->slots[i];
		mine->state = RSTAR_SLOT_RUNNING;
		mine->pid = MyProcPid;
	}
	unlock();
	return mine;
}

rstar_slot *
rstar_pg_shared_enter_session(void)
{
	static bool registered = false;

	if (!shared || mine)
		return NULL;
	if (!registered)
		before_shmem_exit(give_up_slot, (Datum) 0);
	registered = true;
	lock();
	for (int i = shared->n_background; i < shared->n_slots && !mine; i++)
		if (shared->slots[i].state == RSTAR_SLOT_FREE)
		{
			mine = &shared->slots[i];
			memset(mine, 0, sizeof *mine);
			mine->state = RSTAR_SLOT_RUNNING;
			mine->role = RSTAR_SLOT_SESSION;
			mine->pid = MyProcPid;
			mine->database = MyDatabaseId;
			mine->counts = -1;
		}
	unlock();
	return mine;
}

void
rstar_pg_shared_leave_session(void)
{
	if (mine && mine->role == RSTAR_SLOT_SESSION)
		give_up_slot(0, (Datum) 0);
}

void
rstar_pg_shared_report(const rstar_database_report *report)
{
	if (!mine)
		return;
	lock();
	mine->report = *report;
	unlock();
}

/* The counts of the job, or free ones; -1: none. The lock is held. */
static int
find_counts(int64 job_id)
{
	shared_counts *counts = all_counts();
	int found = -1;

	for (int i = 0; i < shared->n_slots; i++)
	{
		if (counts[i].users > 0 && counts[i].database == MyDatabaseId && counts[i].job_id == job_id)
			return i;
		if (counts[i].users == 0 && found < 0)
			found = i;
	}
	return found;
}

/* The lock is held. */
static int
count_users(int64 job_id)
{
	int users = 0;

	for (int i = 0; i < shared->n_slots; i++)
	{
		const rstar_slot *slot = &shared->slots[i];

		users += slot != mine && slot->state == RSTAR_SLOT_RUNNING &&
				 slot->database == MyDatabaseId && slot->job_id == job_id;
	}
	return users;
}

int
rstar_pg_shared_job_users(int64 job_id)
{
	int users;

	if (!shared)
		return 0;
	lock();
	users = count_users(job_id);
	unlock();
	return users;
}

bool
rstar_pg_shared_take_job(int64 job_id, const char *kind, Oid owner, int most)
{
	bool taken;

	if (!mine)
		return true;
	lock();
	taken = count_users(job_id) < most;
	if (taken)
	{
		mine->job_id = job_id;
		mine->owner = owner;
		mine->stop = false;
		mine->since = GetCurrentTimestamp();
		strlcpy(mine->kind, kind, sizeof mine->kind);
	}
	unlock();
	return taken;
}

void
rstar_pg_shared_start_counts(int64 total, int64 done, int64 failed)
{
	shared_counts *c;

	if (!mine || mine->job_id == 0)
		return;
	lock();
	mine->counts = find_counts(mine->job_id);
	if (mine->counts >= 0)
	{
		c = &all_counts()[mine->counts];
		if (c->users++ == 0)
		{
			c->database = MyDatabaseId;
			c->job_id = mine->job_id;
			c->counts = (rstar_job_counts){total, done, failed, done + failed, mine->since};
		}
	}
	unlock();
}

void
rstar_pg_shared_leave_job(void)
{
	if (!mine)
		return;
	lock();
	drop_job();
	unlock();
}

void
rstar_pg_shared_count_done(int64 done, int64 failed)
{
	if (!mine || mine->counts < 0)
		return;
	lock();
	all_counts()[mine->counts].counts.done += done;
	all_counts()[mine->counts].counts.failed += failed;
	unlock();
}

void
rstar_pg_shared_set_counts(int64 total, int64 done)
{
	if (!mine || mine->counts < 0)
		return;
	lock();
	all_counts()[mine->counts].counts.total = total;
	all_counts()[mine->counts].counts.done = done;
	unlock();
}

void
rstar_pg_shared_describe(const char *phase, const char *doing)
{
	if (!mine)
		return;
	lock();
	if (phase)
		strlcpy(mine->phase, phase, sizeof mine->phase);
	if (doing)
		strlcpy(mine->doing, doing, sizeof mine->doing);
	unlock();
}

/* --- sessions ---------------------------------------------------------------------------- */

void
rstar_pg_shared_stop_job(int64 job_id)
{
	if (!shared)
		return;
	lock();
	for (int i = 0; i < shared->n_slots; i++)
	{
		rstar_slot *slot = &shared->slots[i];

		if (slot->state != RSTAR_SLOT_RUNNING || slot->role != RSTAR_SLOT_WORKER ||
			slot->database != MyDatabaseId || slot->job_id != job_id)
			continue;
		slot->stop = true;
		kill(slot->pid, SIGINT);
	}
	unlock();
}

void
rstar_pg_shared_job_ended(void)
{
	if (!shared)
		return;
	lock();
	shared->end_count++;
	unlock();
	ConditionVariableBroadcast(&shared->ended);
}

uint64
rstar_pg_shared_end_count(void)
{
	uint64 count;

	if (!shared)
		return 0;
	lock();
	count = shared->end_count;
	unlock();
	return count;
}

bool
rstar_pg_shared_wait_for_end(uint64 seen, long timeout_ms)
{
	static uint32 event = 0;
	bool ended;

	if (event == 0)
		event = rstar_pg_wait_event("RstarJobEnd");
	ConditionVariablePrepareToSleep(&shared->ended);
	ended = rstar_pg_shared_end_count() != seen;
	if (!ended)
		ended = !ConditionVariableTimedSleep(&shared->ended, timeout_ms, event);
	ConditionVariableCancelSleep();
	return ended;
}

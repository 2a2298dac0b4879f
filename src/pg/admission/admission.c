/*
 * admission.c
 *	  Which searches may run: the limits of the whole server.
 *
 * Shared memory holds a slot for every session that searches or waits to. A
 * lightweight lock protects the slots; nothing is counted beside them, so
 * nothing can get out of step. Whoever changes a slot then grants: as long as
 * the one who has waited longest fits, it runs. Waiting sessions sleep on one
 * condition variable and find their slot granted, or grant themselves when the
 * limits were changed.
 *
 * The limits are settings of the configuration file. They are kept in shared
 * memory too, since a session in the midst of a query does not read that file
 * again: the assign hooks, which run in every process that does, put them
 * there. The postmaster's run of the hook may only store an atomic; the
 * checkpointer, which reads the file at the same signal, wakes those who wait.
 *
 * A session that is killed with -9 makes the postmaster restart all of shared
 * memory, and this with it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"
#include "replication/walsender.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/base/cpu.h"
#include "pg/admission/admission.h"
#include "pg/admission/settings.h"
#include "pg/base/compat.h"
#include "pg/base/shared_memory.h"
#include "pg/models/cache.h"

PG_FUNCTION_INFO_V1(rstar_active_searches);

#define MEGABYTE ((uint64) 1024 * 1024)

typedef struct admission_slot
{
	int pid; /* 0: the slot is free */
	bool running;
	bool background; /* a worker: rstar.max_workers counts those, not max_active_searches */
	uint64 ticket;   /* order of arrival */
	TimestampTz since;
	rstar_admission_room room;
} admission_slot;

typedef struct admission_shared
{
	LWLock *lock;
	ConditionVariable changed;
	pg_atomic_uint32 max_searches; /* never 0 */
	pg_atomic_uint64 total_kv;     /* bytes; 0: no limit */
	pg_atomic_uint64 total_sandbox;
	pg_atomic_uint32 total_processes;
	uint64 next_ticket;
	int n_slots;
	admission_slot slots[FLEXIBLE_ARRAY_MEMBER];
} admission_shared;

static admission_shared *shared = NULL; /* NULL: not preloaded */
static admission_slot *mine = NULL;     /* this session's slot, if it has one */
static bool background = false;         /* this process is a worker */

/* --- shared memory ------------------------------------------------------------ */

/* Whatever can run SQL may search. */
static int
slots_needed(void)
{
	return MaxConnections + max_worker_processes + max_wal_senders;
}

static Size
shared_size(void)
{
	return add_size(offsetof(admission_shared, slots),
					mul_size(slots_needed(), sizeof(admission_slot)));
}

static uint32
searches_allowed(int setting)
{
	return setting > 0 ? setting : Max(1, rstar_cpu_count());
}

static void
start_shared(void *memory, LWLock *lock, bool fresh)
{
	shared = memory;
	if (!fresh)
		return;
	shared->lock = lock;
	shared->n_slots = slots_needed();
	ConditionVariableInit(&shared->changed);
	pg_atomic_init_u32(&shared->max_searches,
					   searches_allowed(rstar_pg_admission_settings.max_active_searches));
	pg_atomic_init_u64(&shared->total_kv, rstar_pg_admission_settings.total_kv_cache_mb * MEGABYTE);
	pg_atomic_init_u64(&shared->total_sandbox,
					   rstar_pg_admission_settings.total_sandbox_memory_mb * MEGABYTE);
	pg_atomic_init_u32(&shared->total_processes,
					   rstar_pg_admission_settings.total_sandbox_processes);
}

void
rstar_pg_admission_init(void)
{
	static const rstar_shared_part part = {"rstar admission", shared_size, start_shared};

	rstar_pg_shared_memory_add(&part);
}

/* --- settings ------------------------------------------------------------------ */

/* Every process that reads the file finds for itself that a value has changed. */
static void
wake_all(bool changed)
{
	if (changed && MyProc) /* the postmaster has none and must not */
		ConditionVariableBroadcast(&shared->changed);
}

void
rstar_pg_admission_assign_searches(int newval, void *extra)
{
	if (!shared)
		return;
	pg_atomic_write_u32(&shared->max_searches, searches_allowed(newval));
	wake_all(newval != rstar_pg_admission_settings.max_active_searches);
}

void
rstar_pg_admission_assign_kv(int newval, void *extra)
{
	if (!shared)
		return;
	pg_atomic_write_u64(&shared->total_kv, newval * MEGABYTE);
	wake_all(newval != rstar_pg_admission_settings.total_kv_cache_mb);
}

void
rstar_pg_admission_assign_sandbox(int newval, void *extra)
{
	if (!shared)
		return;
	pg_atomic_write_u64(&shared->total_sandbox, newval * MEGABYTE);
	wake_all(newval != rstar_pg_admission_settings.total_sandbox_memory_mb);
}

void
rstar_pg_admission_assign_processes(int newval, void *extra)
{
	if (!shared)
		return;
	pg_atomic_write_u32(&shared->total_processes, newval);
	wake_all(newval != rstar_pg_admission_settings.total_sandbox_processes);
}

/* The totals in force; 0: no limit. */
static rstar_admission_room
totals(void)
{
	rstar_admission_room total;

	total.kv = shared ? pg_atomic_read_u64(&shared->total_kv)
					  : rstar_pg_admission_settings.total_kv_cache_mb * MEGABYTE;
	total.sandbox = shared ? pg_atomic_read_u64(&shared->total_sandbox)
						   : rstar_pg_admission_settings.total_sandbox_memory_mb * MEGABYTE;
	total.processes = shared ? pg_atomic_read_u32(&shared->total_processes)
							 : rstar_pg_admission_settings.total_sandbox_processes;
	return total;
}

/* --- who may run ------------------------------------------------------------------ */

static bool
within(uint64 amount, uint64 total)
{
	return total == 0 || amount <= total;
}

static void
add_room(rstar_admission_room *sum, const rstar_admission_room *more)
{
	sum->kv += more->kv;
	sum->sandbox += more->sandbox;
	sum->processes += more->processes;
}

/* Whether what one wants is there besides what others have. */
static bool
fits(const rstar_admission_room *taken, const rstar_admission_room *wanted,
	 const rstar_admission_room *total)
{
	return within(taken->kv + wanted->kv, total->kv) &&
		   within(taken->sandbox + wanted->sandbox, total->sandbox) &&
		   within(taken->processes + wanted->processes, total->processes);
}

/* What those who run have taken. The lock is held. */
static rstar_admission_room
taken(uint32 *searches)
{
	rstar_admission_room sum = {0};

	*searches = 0;
	for (int i = 0; i < shared->n_slots; i++)
	{
		const admission_slot *slot = &shared->slots[i];

		if (slot->pid == 0 || !slot->running)
			continue;
		*searches += !slot->background && !slot->room.brief;
		add_room(&sum, &slot->room);
	}
	return sum;
}

/*
 * The next that may run: the search that has waited longest, if it fits; else a brief call that
 * does. NULL: all must wait. The lock is held.
 */
static admission_slot *
next_to_run(void)
{
	rstar_admission_room total = totals(), sum;
	admission_slot *search = NULL, *brief = NULL;
	uint32 searches;

	sum = taken(&searches);
	for (int i = 0; i < shared->n_slots; i++)
	{
		admission_slot *slot = &shared->slots[i];

		if (slot->pid == 0 || slot->running)
			continue;
		if (slot->room.brief && fits(&sum, &slot->room, &total) &&
			(!brief || slot->ticket < brief->ticket))
			brief = slot;
		if (!slot->room.brief && (!search || slot->ticket < search->ticket))
			search = slot;
	}
	if (search && fits(&sum, &search->room, &total) &&
		(search->background || searches < pg_atomic_read_u32(&shared->max_searches)))
		return search;
	return brief;
}

/* Let those run who may. The lock is held. */
static bool
grant(void)
{
	bool granted = false;

	for (admission_slot *next; (next = next_to_run()) != NULL; granted = true)
	{
		next->running = true;
		next->since = GetCurrentTimestamp();
	}
	return granted;
}

/* Behind every change of a slot: see who may run now. Releases the lock. */
static void
grant_and_unlock(void)
{
	bool granted = grant();

	LWLockRelease(shared->lock);
	if (granted)
		ConditionVariableBroadcast(&shared->changed);
}

static void
refuse_beyond(const char *who, const char *what, uint64 bytes, uint64 total, const char *setting,
			  const char *own)
{
	if (within(bytes, total))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("%s would reserve " UINT64_FORMAT
					" MB of %s, the whole server has " UINT64_FORMAT " MB",
					who, bytes / MEGABYTE, what, total / MEGABYTE),
			 errhint("Lower \"%s\", or have the administrator raise \"%s\".", own, setting)));
}

static void
refuse_impossible(const rstar_admission_room *room)
{
	const char *who = room->brief ? "the code" : "the search";
	rstar_admission_room total = totals();

	refuse_beyond(who, "KV cache", room->kv, total.kv, "rstar.total_kv_cache", "rstar.kv_cache");
	refuse_beyond(who, "sandbox memory", room->sandbox, total.sandbox, "rstar.total_sandbox_memory",
				  room->brief ? "rstar.sandbox_step_memory" : "rstar.sandbox_memory");
	if (!within(room->processes, total.processes))
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("%s would reserve " UINT64_FORMAT
							   " processes of the sandbox, the whole server has " UINT64_FORMAT,
							   who, room->processes, total.processes),
						errhint("Lower \"rstar.sandbox_processes\", or have the administrator "
								"raise \"rstar.total_sandbox_processes\".")));
}

/* --- deadlocks --------------------------------------------------------------------- */

/* The slots in use, copied, so that no error meets the lock. */
static admission_slot *
copy_slots(int *count)
{
	admission_slot *copy = palloc(sizeof(admission_slot) * shared->n_slots);

	*count = 0;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < shared->n_slots; i++)
	{
		if (shared->slots[i].pid != 0)
			copy[(*count)++] = shared->slots[i];
	}
	LWLockRelease(shared->lock);
	return copy;
}

/* The waiting slot of a session, or NULL. */
static const admission_slot *
find_waiting(const admission_slot *slots, int count, int pid)
{
	for (int i = 0; i < count; i++)
	{
		if (slots[i].pid == pid && !slots[i].running)
			return &slots[i];
	}
	return NULL;
}

/*
 * A session of the queue for whose locks `pid` waits, be it through others; 0:
 * none. This session is preferred.
 */
static int
blocked_by_queue(const admission_slot *slots, int count, int pid)
{
	List *pids = list_make1_int(pid);
	int found = 0;

	for (int i = 0; i < list_length(pids); i++)
	{
		Datum blockers =
			DirectFunctionCall1(pg_blocking_pids, Int32GetDatum(list_nth_int(pids, i)));
		ArrayType *array = DatumGetArrayTypeP(blockers);
		int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		int *pid_of = (int *) ARR_DATA_PTR(array);

		for (int j = 0; j < n; j++)
		{
			if (find_waiting(slots, count, pid_of[j]) && found != MyProcPid)
				found = pid_of[j];
			pids = list_append_unique_int(pids, pid_of[j]);
		}
	}
	return found;
}

/*
 * The lock manager does not know of this queue. If all who run wait for locks of
 * sessions that wait here, nobody will ever leave; one of those gives up.
 */
static void
refuse_deadlock(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rstar admission deadlock",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	int count, victim = 0;
	admission_slot *slots = copy_slots(&count);

	for (int i = 0; i < count; i++)
	{
		int blocker;

		if (!slots[i].running)
			continue;
		blocker = blocked_by_queue(slots, count, slots[i].pid);
		if (blocker == 0)
		{
			victim = 0; /* this one will leave */
			break;
		}
		if (blocker == MyProcPid)
			victim = slots[i].pid;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	if (victim == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_DEADLOCK_DETECTED), errmsg("deadlock detected"),
			 errdetail("Process %d waits for its turn to search; process %d, which searches, "
					   "waits for a lock of process %d.",
					   MyProcPid, victim, MyProcPid),
			 errhint("Search before taking locks on tables of rstar, or raise "
					 "\"rstar.max_active_searches\".")));
}

/* --- a session's slot ---------------------------------------------------------------- */

static void
free_slot(void)
{
	admission_slot *slot = mine;

	if (!slot)
		return;
	mine = NULL;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	memset(slot, 0, sizeof(*slot));
	grant_and_unlock();
}

static void
free_slot_at_exit(int code, Datum arg)
{
	free_slot();
}

static void
take_slot(const rstar_admission_room *room)
{
	static bool registered = false;
	admission_slot *slot = NULL;

	if (!registered)
		before_shmem_exit(free_slot_at_exit, (Datum) 0);
	registered = true;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_slots && !slot; i++)
	{
		if (shared->slots[i].pid == 0)
			slot = &shared->slots[i];
	}
	if (!slot)
	{
		LWLockRelease(shared->lock);
		elog(ERROR, "no slot is left for this session's search");
	}
	slot->pid = MyProcPid;
	slot->running = false;
	slot->background = background;
	slot->ticket = shared->next_ticket++;
	slot->since = GetCurrentTimestamp();
	slot->room = *room;
	mine = slot;
	grant_and_unlock();
}

static bool
is_running(void)
{
	bool granted, running;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	granted = !mine->running && grant(); /* the limits may be others now */
	running = mine->running;
	LWLockRelease(shared->lock);
	if (granted)
		ConditionVariableBroadcast(&shared->changed);
	return running;
}

static void
wait_for_turn(const rstar_admission_room *room)
{
	static uint32 event = 0;

	if (is_running())
		return;
	if (event == 0)
		event = rstar_pg_wait_event("RstarAdmission");
	ConditionVariablePrepareToSleep(&shared->changed);
	while (!is_running())
	{
		refuse_impossible(room); /* the totals may be others now */
		if (ConditionVariableTimedSleep(&shared->changed, DeadlockTimeout, event))
			refuse_deadlock();
	}
	ConditionVariableCancelSleep();
}

/* --- entering and leaving -------------------------------------------------------------- */

/* Of one enter; what its guard holds. */
typedef struct admission_entry
{
	admission_slot *slot;
	uint64 ticket; /* the slot may be another's by now */
	bool nested;
	rstar_admission_room room;
} admission_entry;

static void
leave(void *handle)
{
	admission_entry *entry = handle;

	if (!mine || mine != entry->slot || mine->ticket != entry->ticket)
		return;
	if (!entry->nested)
	{
		/* What is no longer reserved must not be kept either. */
		if (totals().kv > 0)
			rstar_pg_model_cache_trim();
		free_slot();
		return;
	}
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	mine->room.kv -= entry->room.kv;
	mine->room.sandbox -= entry->room.sandbox;
	mine->room.processes -= entry->room.processes;
	grant_and_unlock();
}

static void
enter_nested(const admission_entry *entry)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	add_room(&mine->room, &entry->room);
	LWLockRelease(shared->lock);
}

/*
 * A search inside a search must not wait: its session holds what others wait for, and neither
 * would go on. Its room is added to that of the slot at once. The guard holds the slot
 * before the wait begins, so an error or a cancellation during it gives the place in the queue
 * back.
 */
rstar_guard *
rstar_pg_admission_enter(const rstar_admission_room *room)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, leave);
	admission_entry *entry = palloc0(sizeof(admission_entry));

	entry->room = *room;
	refuse_impossible(&entry->room);
	if (!shared || !MyProc)
		return guard;
	entry->nested = mine != NULL;
	if (entry->nested)
		enter_nested(entry);
	else
		take_slot(&entry->room);
	entry->slot = mine;
	entry->ticket = mine->ticket;
	rstar_pg_guard_hold(guard, entry);
	if (entry->nested)
		return guard;
	PG_TRY();
	{
		wait_for_turn(&entry->room);
	}
	PG_CATCH();
	{
		/* At once, not when the context goes: others wait. */
		ConditionVariableCancelSleep();
		rstar_pg_guard_release(guard);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return guard;
}

void
rstar_pg_admission_leave(rstar_guard *guard)
{
	rstar_pg_guard_release(guard);
}

void
rstar_pg_admission_be_background(void)
{
	background = MyBackendType == B_BG_WORKER;
}

bool
rstar_pg_admission_is_contended(void)
{
	bool waits = false;

	if (!shared || !mine)
		return false;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < shared->n_slots && !waits; i++)
		waits = shared->slots[i].pid != 0 && !shared->slots[i].running;
	LWLockRelease(shared->lock);
	return waits;
}

/* --- for the administrator --------------------------------------------------------------- */

/* Running ones first, then by arrival. */
static int
compare_slots(const void *a, const void *b)
{
	const admission_slot *x = a, *y = b;

	if (x->running != y->running)
		return x->running ? -1 : 1;
	return x->ticket < y->ticket ? -1 : x->ticket > y->ticket;
}

/*
 * rstar_active_searches(): rows (pid, state, place, since, kv_cache, sandbox_memory,
 * sandbox_processes); `place` among the searches that wait.
 */
Datum
rstar_active_searches(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	admission_slot *slots;
	int count = 0, place = 0;

	rstar_pg_materialize(fcinfo);
	if (!shared)
	{
		ereport(NOTICE,
				(errmsg("searches are not counted, since rstar is not preloaded"),
				 errhint("Add rstar to \"shared_preload_libraries\" and restart the server.")));
		return (Datum) 0;
	}
	slots = copy_slots(&count);
	qsort(slots, count, sizeof(*slots), compare_slots);
	for (int i = 0; i < count; i++)
	{
		Datum values[7];
		bool nulls[7] = {false};

		values[0] = Int32GetDatum(slots[i].pid);
		values[1] = CStringGetTextDatum(slots[i].running ? "running" : "waiting");
		nulls[2] = slots[i].running || slots[i].room.brief;
		if (!nulls[2])
			values[2] = Int32GetDatum(++place);
		values[3] = TimestampTzGetDatum(slots[i].since);
		values[4] = Int64GetDatum((int64) slots[i].room.kv);
		values[5] = Int64GetDatum((int64) slots[i].room.sandbox);
		values[6] = Int32GetDatum((int32) slots[i].room.processes);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

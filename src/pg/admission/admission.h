/*
 * admission.h
 *	  Which searches may run: the limits of the whole server.
 *
 * With shared_preload_libraries = 'rstar' at most rstar.max_active_searches
 * sessions search at the same time, and what they may take of KV cache, sandbox
 * memory and processes of the sandbox stays within rstar.total_kv_cache,
 * rstar.total_sandbox_memory and rstar.total_sandbox_processes. Who comes when
 * there is no room waits: the order of arrival decides, also where a later one
 * would fit. A piece of code that rstar_run_python and its like run is brief: it counts as
 * no search and waits for its room only, not for its turn. Without preloading a session knows of no other, and only a request
 * beyond the totals is refused.
 *
 *		guard = rstar_pg_admission_enter(&room);
 *		... search, and free it ...
 *		rstar_pg_admission_leave(guard);
 *		... store what came of it ...
 *
 * A place is given back by leave, by the reset of the memory context that was
 * current at enter (so by an error), and by the end of the session.
 *
 * The lock manager does not see who waits here. Where all who run wait for locks
 * of sessions in the queue, one of those gives up with DEADLOCK_DETECTED, looked
 * for every deadlock_timeout. Guards of the core's handles must be made after
 * enter, since they are released in reverse order.
 */
#ifndef RSTAR_PG_ADMISSION_ADMISSION_H
#define RSTAR_PG_ADMISSION_ADMISSION_H

#include "postgres.h"

#include "pg/base/boundary.h"

/* From _PG_init: ask for shared memory, if the library is being preloaded. */
extern void rstar_pg_admission_init(void);

/* The most that a search will take, or a call that runs a piece of code. */
typedef struct rstar_admission_room
{
	uint64 kv;        /* bytes */
	uint64 sandbox;   /* bytes */
	uint64 processes; /* of the sandbox */
	bool brief;       /* no search, and soon over: it runs as soon as its room is there */
} rstar_admission_room;

/*
 * Wait for a place and take it. A session that has a place already gets in at
 * once, or it would wait for itself; its room is added all the same. Raises
 * CONFIGURATION_LIMIT_EXCEEDED for a request beyond the totals, and whatever
 * ends the wait early.
 */
extern rstar_guard *rstar_pg_admission_enter(const rstar_admission_room *room);

/* Give the place back. Harmless when it was given back before. */
extern void rstar_pg_admission_leave(rstar_guard *guard);

/*
 * Searches of this process do not count against rstar.max_active_searches, if it is a
 * background worker: those have a limit of their own and must not keep people waiting.
 * Their room counts, so they make place when others wait (is_contended).
 */
extern void rstar_pg_admission_be_background(void);
extern bool rstar_pg_admission_is_contended(void);

/* The settings have new values (megabytes, processes): tell those who wait. */
extern void rstar_pg_admission_assign_searches(int newval, void *extra);
extern void rstar_pg_admission_assign_kv(int newval, void *extra);
extern void rstar_pg_admission_assign_sandbox(int newval, void *extra);
extern void rstar_pg_admission_assign_processes(int newval, void *extra);

#endif

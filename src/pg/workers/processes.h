/*
 * processes.h
 *	  The background processes of the runtime, and what they have in common.
 */
#ifndef RSTAR_PG_WORKERS_PROCESSES_H
#define RSTAR_PG_WORKERS_PROCESSES_H

#include "postgres.h"
#include "fmgr.h"
#include "postmaster/bgworker.h"

#include "pg/workers/shared.h"

/* From _PG_init: have the postmaster start the launcher, if the library is being preloaded. */
extern void rstar_pg_launcher_init(void);

/* Entry points, found by name in the library. */
extern PGDLLEXPORT void rstar_pg_launcher_main(Datum main_arg);
extern PGDLLEXPORT void rstar_pg_probe_main(Datum main_arg);
extern PGDLLEXPORT void rstar_pg_worker_main(Datum main_arg);
extern PGDLLEXPORT void rstar_pg_schedule_main(Datum main_arg);

/*
 * Set a slot aside and start a process for it: by the launcher. False: the
 * server has no room for another (max_worker_processes).
 */
extern bool rstar_pg_process_start(rstar_slot_role role, Oid database, Oid owner, int64 schedule_id,
								   BackgroundWorkerHandle **handle, int *slot);

/* By that process: take the slot, and SIGTERM as sessions do. NULL: it came too late. */
extern rstar_slot *rstar_pg_process_attach(Datum main_arg);

/* Sleep until woken; ends the process when the postmaster dies. timeout_ms -1: none. */
extern void rstar_pg_process_sleep(long timeout_ms, const char *wait_event);

#endif

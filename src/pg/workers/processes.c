/*
 * processes.c
 *	  Starting the background processes of the runtime.
 *
 * None of them is ever restarted by the postmaster, the launcher excepted: what
 * is to run is decided in one place.
 */
#include "postgres.h"

#include <signal.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"

#include "pg/base/compat.h"
#include "pg/workers/processes.h"

static const struct
{
	const char *function;
	const char *name;
} roles[] = {
	[RSTAR_SLOT_WORKER] = {"rstar_pg_worker_main", "rstar worker"},
	[RSTAR_SLOT_PROBE] = {"rstar_pg_probe_main", "rstar probe"},
	[RSTAR_SLOT_SCHEDULE] = {"rstar_pg_schedule_main", "rstar schedule"},
};

bool
rstar_pg_process_start(rstar_slot_role role, Oid database, Oid owner, int64 schedule_id,
					   BackgroundWorkerHandle **handle, int *slot)
{
	BackgroundWorker worker = {.bgw_flags =
								   BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
							   .bgw_start_time = BgWorkerStart_RecoveryFinished,
							   .bgw_restart_time = BGW_NEVER_RESTART,
							   .bgw_notify_pid = MyProcPid};
	uint64 token;

	*slot = rstar_pg_shared_reserve(role, database, owner, schedule_id, &token);
	if (*slot < 0)
		return false;
	snprintf(worker.bgw_name, sizeof worker.bgw_name, "%s for database %u", roles[role].name,
			 database);
	strlcpy(worker.bgw_type, roles[role].name, sizeof worker.bgw_type);
	strlcpy(worker.bgw_library_name, "rstar", sizeof worker.bgw_library_name);
	strlcpy(worker.bgw_function_name, roles[role].function, sizeof worker.bgw_function_name);
	worker.bgw_main_arg = Int32GetDatum(*slot);
	memcpy(worker.bgw_extra, &token, sizeof token);
	if (RegisterDynamicBackgroundWorker(&worker, handle))
		return true;
	rstar_pg_shared_unreserve(*slot);
	return false;
}

rstar_slot *
rstar_pg_process_attach(Datum main_arg)
{
	uint64 token;

	pqsignal(SIGTERM, die);
	memcpy(&token, MyBgworkerEntry->bgw_extra, sizeof token);
	return rstar_pg_shared_attach(DatumGetInt32(main_arg), token);
}

void
rstar_pg_process_sleep(long timeout_ms, const char *wait_event)
{
	int events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout_ms >= 0 ? WL_TIMEOUT : 0);

	(void) WaitLatch(MyLatch, events, timeout_ms, rstar_pg_wait_event(wait_event));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

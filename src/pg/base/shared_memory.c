/*
 * shared_memory.c
 *	  What the server's processes share while the library is preloaded.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "pg/base/compat.h"
#include "pg/base/shared_memory.h"

static const rstar_shared_part *parts[4];
static int n_parts = 0;

static shmem_startup_hook_type previous_startup = NULL;

static void
request_all(void)
{
	for (int i = 0; i < n_parts; i++)
	{
		RequestAddinShmemSpace(parts[i]->size());
		RequestNamedLWLockTranche(parts[i]->name, 1);
	}
}

static void
start(const rstar_shared_part *part)
{
	bool found;
	void *memory = ShmemInitStruct(part->name, part->size(), &found);

	if (!found)
		memset(memory, 0, part->size());
	part->start(memory, &GetNamedLWLockTranche(part->name)->lock, !found);
}

static void
start_all(void)
{
	if (previous_startup)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < n_parts; i++)
		start(parts[i]);
	LWLockRelease(AddinShmemInitLock);
}

void
rstar_pg_shared_memory_add(const rstar_shared_part *part)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	Assert(n_parts < (int) lengthof(parts));
	parts[n_parts++] = part;
}

/* Version 14 asks for the memory at once, so all parts must be known. */
void
rstar_pg_shared_memory_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	rstar_pg_on_shmem_request(request_all);
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = start_all;
}

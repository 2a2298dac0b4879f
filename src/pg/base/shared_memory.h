/*
 * shared_memory.h
 *	  What the server's processes share while the library is preloaded.
 */
#ifndef RSTAR_PG_BASE_SHARED_MEMORY_H
#define RSTAR_PG_BASE_SHARED_MEMORY_H

#include "postgres.h"

#include "storage/lwlock.h"

typedef struct rstar_shared_part
{
	const char *name; /* of the memory, and of its lock where waits are shown */
	Size (*size)(void);
	/*
	 * Called once in each process that attaches to the memory by itself. fresh: it was just made and
	 * is all zero; the lock that guards it is to be kept in it.
	 */
	void (*start)(void *memory, LWLock *lock, bool fresh);
} rstar_shared_part;

/*
 * From _PG_init: add every part, then init. Both do nothing unless the library is being preloaded.
 */
extern void rstar_pg_shared_memory_add(const rstar_shared_part *part);
extern void rstar_pg_shared_memory_init(void);

#endif

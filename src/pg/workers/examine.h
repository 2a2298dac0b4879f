/*
 * examine.h
 *	  What there is to do in a database.
 */
#ifndef RSTAR_PG_WORKERS_EXAMINE_H
#define RSTAR_PG_WORKERS_EXAMINE_H

#include "pg/workers/shared.h"

/*
 * In a transaction: leave a report that holds should this process end with an error. On a node of a
 * cluster the coordinator may be down, which is no reason to give the database up: it is looked at
 * again after a while. Elsewhere nothing happens.
 */
extern void rstar_pg_database_announce(void);

/*
 * A transaction of its own: look at jobs and schedules, take back the claims of
 * workers that are gone, and leave a report for the launcher. Raises.
 */
extern void rstar_pg_database_examine(void);

/* Connect a background process of the runtime to a database, as `role` (InvalidOid: as the server's superuser). */
extern void rstar_pg_database_connect(Oid database, Oid role);

#endif

/*
 * extension.h
 *	  The extension in this database, and its end.
 */
#ifndef RSTAR_PG_WORKERS_EXTENSION_H
#define RSTAR_PG_WORKERS_EXTENSION_H

#include "postgres.h"

/*
 * In a transaction, before any table of rstar is used: whether this database has the extension,
 * with the tables that this library expects. If so, it stays until the transaction ends:
 * DROP EXTENSION waits for that. May wait for a drop under way, interruptibly.
 */
extern bool rstar_pg_extension_share(void);

#endif

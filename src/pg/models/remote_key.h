/*
 * remote_key.h
 *	  The keys that model servers want.
 *
 * A key is kept in one of two places, neither of them a table that others read:
 *
 *	- a file in rstar.remote_key_directory, which belongs to the server's user and is named
 *	  after the host it is for; whoever may use the model uses it;
 *	- the user mapping of a foreign server, one for each role (or for PUBLIC). The model names
 *	  the foreign server; using the model takes USAGE on it, and its address must be the
 *	  model's, so no model can lead a key elsewhere.
 *
 * No message, at any level, has a key in it.
 */
#ifndef RSTAR_PG_MODELS_REMOTE_KEY_H
#define RSTAR_PG_MODELS_REMOTE_KEY_H

#include "postgres.h"

#include "core/remote/address.h"

/* The wrapper of foreign servers for keys. */
#define RSTAR_REMOTE_WRAPPER "rstar_remote"

/* Raises unless the role at hand may use that foreign server for models at the address. */
extern void rstar_pg_remote_check_server(const char *server, const rstar_address *address);

/*
 * The key for the address; palloc'd, NULL: none. server: the foreign server, or NULL for the
 * directory of keys. Raises if the role may not use the foreign server or has no mapping, and
 * for a file that others could read.
 */
extern char *rstar_pg_remote_key(const char *server, const rstar_address *address);

#endif

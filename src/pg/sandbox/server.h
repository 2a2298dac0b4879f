/*
 * server.h
 *	  The sandbox of the whole server: one warm template for all sessions.
 *
 * It is a program of its own (share.c of rstar-sandbox) and the child of nobody.
 * The first session that needs it starts it, or the launcher beforehand; it ends
 * with the server, and when no session used it for rstar.sandbox_idle_timeout
 * where a session started it. Sessions reach it through a socket whose name only
 * processes of this server work out; each gets a broker, limits and processes of
 * its own. Where it is missing a session uses a sandbox of its own.
 */
#ifndef RSTAR_PG_SANDBOX_SERVER_H
#define RSTAR_PG_SANDBOX_SERVER_H

#include "postgres.h"

/*
 * Start it unless it is there. For any process of a running server that has the
 * settings, connected to a database or not; takes some 10 ms and does not wait
 * until Python is loaded. stays: it does not end when nobody uses it, which is
 * for the launcher. False: it cannot be started here. Never raises.
 */
extern bool rstar_pg_sandbox_server_start(bool stays);

/* A connection for a session, -1: there is none. Starts it if need be. Never raises. */
extern int rstar_pg_sandbox_server_connect(void);

#endif

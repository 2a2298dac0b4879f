/*
 * compat.h
 *	  What differs between PostgreSQL 14 and 18.
 *
 * Include it after postgres.h and before anything it papers over. Code
 * elsewhere never asks for PG_VERSION_NUM.
 */
#ifndef RSTAR_PG_BASE_COMPAT_H
#define RSTAR_PG_BASE_COMPAT_H

#include "postgres.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/guc.h"

#if PG_VERSION_NUM < 140000
#error "rstar needs PostgreSQL 14 or later"
#endif

/* 16: the macros of varlena values have a header of their own. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15: reserving a prefix also removes placeholders that match no setting. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/*
 * 15: shared memory is asked for in a hook of its own. `request` runs in the
 * postmaster while libraries are preloaded (14) or right after (15). To be called once.
 */
extern void rstar_pg_on_shmem_request(void (*request)(void));

/* 17: an extension's waits have names. Before, all are "Extension". */
extern uint32 rstar_pg_wait_event(const char *name);

/* 18: the magic block names the module and its version. */
#if PG_VERSION_NUM >= 180000
#define RSTAR_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "rstar", .version = "1.0")
#else
#define RSTAR_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* 14 has no helper for functions that return a whole set; 15 gave it a passing name. */
#if PG_VERSION_NUM >= 150000
#define rstar_pg_materialize(fcinfo) InitMaterializedSRF(fcinfo, 0)
#else
extern void rstar_pg_materialize(FunctionCallInfo fcinfo);
#endif

/* 15: what analyses a statement without parameters has another name. */
extern struct Query *rstar_pg_analyze(struct RawStmt *statement, const char *text);

/* 16: palloc'd memory grows without an error; NULL: there is no more, and `pointer` is as it was. */
extern void *rstar_pg_grow(void *pointer, Size size);

/* 16: one function asks for the rights on objects of every kind. */
extern bool rstar_pg_may_execute(Oid function, Oid role);
extern bool rstar_pg_may_use_server(Oid foreign_server, Oid role);

#endif

/*
 * boundary.h
 *	  Where the plain-C core meets PostgreSQL.
 *
 * An ereport is a longjmp and must never cross a core frame. So the core
 * returns statuses, takes its memory through an allocator that never throws,
 * and asks a predicate whether to stop; this module supplies all three, and is
 * the one place that turns a status into an ereport:
 *
 *		rstar_error err;
 *		rstar_guard *guard = rstar_pg_guard_create(context, release);
 *
 *		rstar_check(rstar_thing_open(path, &rstar_pg_allocator, &thing, &err), &err);
 *		rstar_pg_guard_hold(guard, thing);
 *
 * Long work comes in slices of at most 50 ms that return RSTAR_AGAIN:
 *
 *		while ((status = rstar_thing_work(thing, &rstar_pg_cancel, &err)) == RSTAR_AGAIN)
 *			CHECK_FOR_INTERRUPTS();
 *		rstar_check(status, &err);
 */
#ifndef RSTAR_PG_BASE_BOUNDARY_H
#define RSTAR_PG_BASE_BOUNDARY_H

#include "postgres.h"

#include "core/base/memory.h"
#include "core/base/status.h"

/*
 * Raise a failed status as an error with its SQLSTATE, detail and hint. Looks
 * for interrupts first, so that a cancelled query says that it was cancelled
 * and not what the core made of it.
 */
extern void rstar_pg_raise(rstar_status status, const rstar_error *err) __attribute__((noreturn));

/* Return if status is RSTAR_OK, else raise it. */
static inline void
rstar_check(rstar_status status, const rstar_error *err)
{
	if (unlikely(status != RSTAR_OK))
		rstar_pg_raise(status, err);
}

/* The SQLSTATE of a status, as errcode() takes it. */
extern int rstar_pg_sqlstate(rstar_status status);

/*
 * Text from outside (a file, the sandbox) as a string that the database
 * accepts: NULs and bytes that are not UTF-8 become U+FFFD. palloc'd.
 */
extern char *rstar_pg_clean_text(const char *bytes, size_t length);

/*
 * Asks what the next CHECK_FOR_INTERRUPTS would throw for: a cancel or the end
 * of the session. Other interrupts (barriers, memory-context dumps) are not a
 * reason to stop; they are served between the slices.
 */
extern const rstar_cancel rstar_pg_cancel;

/*
 * The same, for long work that does not come in slices (copying a file): it also
 * serves the other interrupts whenever it is asked. Only for work that uses no
 * pool and holds nothing that the end of the process would not release.
 */
extern const rstar_cancel rstar_pg_cancel_serving;

/*
 * An allocator over a memory context, which must outlive it. Gives
 * NULL, never an error, when memory is out or a size is beyond all bounds;
 * blocks are aligned to 16 bytes, as malloc's are. Must not be used by threads.
 */
extern rstar_allocator rstar_pg_allocator_in(MemoryContext context);

/*
 * Ties a handle of the core to a memory context: release(handle) runs when the
 * context is reset or deleted, by an error too, unless the guard was released
 * or disarmed before. Create the guard first, since that can throw, then make
 * the handle, then hold it at once.
 */
typedef void (*rstar_release)(void *handle);

typedef struct rstar_guard rstar_guard;

extern rstar_guard *rstar_pg_guard_create(MemoryContext context, rstar_release release);
extern void rstar_pg_guard_hold(rstar_guard *guard, void *handle);
extern void rstar_pg_guard_release(rstar_guard *guard); /* now; harmless when empty */
extern void *rstar_pg_guard_disarm(rstar_guard *guard); /* the handle is the caller's again */

#endif

/*
 * boundary.c
 *	  Statuses, memory and cancellation between the core and PostgreSQL.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/text/utf8.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"

static void rethrow_interrupt_error(rstar_status status);

/* --- statuses ---------------------------------------------------------------- */

/*
 * No default, so that the compiler names a status that has no code yet. RSTAR_OK and
 * RSTAR_AGAIN are no errors: to raise one is a mistake of ours, as RSTAR_ERR_INTERNAL is.
 */
int
rstar_pg_sqlstate(rstar_status status)
{
	switch (status)
	{
		case RSTAR_ERR_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case RSTAR_ERR_IO:
			return ERRCODE_IO_ERROR;
		case RSTAR_ERR_CORRUPT:
			return ERRCODE_DATA_CORRUPTED;
		case RSTAR_ERR_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case RSTAR_ERR_ARGUMENT:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case RSTAR_ERR_LIMIT:
			return ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		case RSTAR_ERR_NOT_FOUND:
			return ERRCODE_UNDEFINED_OBJECT;
		case RSTAR_ERR_EXISTS:
			return ERRCODE_DUPLICATE_OBJECT;
		case RSTAR_ERR_DENIED:
			return ERRCODE_INSUFFICIENT_PRIVILEGE;
		case RSTAR_ERR_CANCELLED:
			return ERRCODE_QUERY_CANCELED;
		case RSTAR_ERR_SANDBOX:
			return ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
		case RSTAR_ERR_SERVER:
			return ERRCODE_CONNECTION_FAILURE;
		case RSTAR_ERR_INTERNAL:
		case RSTAR_OK:
		case RSTAR_AGAIN:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

/*
 * One error reported by the core. Names that it quotes come from files, so
 * every text is made valid before it reaches the log or the client.
 */
void
rstar_pg_raise(rstar_status status, const rstar_error *err)
{
	const char *message;

	rethrow_interrupt_error(status);
	CHECK_FOR_INTERRUPTS();

	if (status == RSTAR_OK || status == RSTAR_AGAIN)
		elog(ERROR, "rstar: status \"%s\" is not an error", rstar_status_name(status));

	message = err->message[0] ? rstar_pg_clean_text(err->message, strlen(err->message))
							  : psprintf("rstar failed: %s", rstar_status_name(status));
	ereport(ERROR,
			(errcode(rstar_pg_sqlstate(status)), errmsg("%s", message),
			 err->detail[0] ? errdetail("%s", rstar_pg_clean_text(err->detail, strlen(err->detail)))
							: 0,
			 err->hint[0] ? errhint("%s", rstar_pg_clean_text(err->hint, strlen(err->hint))) : 0));
}

char *
rstar_pg_clean_text(const char *bytes, size_t length)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_buffer clean;
	char *result;

	rstar_buffer_init(&clean, &allocator);
	if (length >= MaxAllocSize / 3 || !rstar_utf8_append_clean(&clean, bytes, length))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("text of %zu bytes is too long", length)));
	result = pnstrdup(clean.data ? clean.data : "", clean.length);
	rstar_buffer_free(&clean);
	return result;
}

/* --- cancellation -------------------------------------------------------------- */

static bool
cancel_requested(void *arg)
{
	(void) arg;
	return InterruptPending && (QueryCancelPending || ProcDiePending);
}

const rstar_cancel rstar_pg_cancel = {cancel_requested, NULL};

/*
 * Serving means CHECK_FOR_INTERRUPTS, whose error must not cross the core's
 * frames. Cancels are held back, so an error here is something rare (a barrier
 * that could not be absorbed, a conflict with recovery): it is kept, the core is
 * told to stop, and rstar_pg_raise throws it.
 */
static ErrorData *interrupt_error = NULL;

static bool
serve_interrupts(void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool failed = false;

	if (!InterruptPending)
		return false;
	if (cancel_requested(arg))
		return true;
	HOLD_CANCEL_INTERRUPTS();
	PG_TRY();
	{
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(TopTransactionContext);
		interrupt_error = CopyErrorData();
		FlushErrorState();
		failed = true;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	RESUME_CANCEL_INTERRUPTS();
	return failed;
}

const rstar_cancel rstar_pg_cancel_serving = {serve_interrupts, NULL};

/* Throw what serve_interrupts kept, if the core stopped because of it. */
static void
rethrow_interrupt_error(rstar_status status)
{
	ErrorData *error = interrupt_error;

	interrupt_error = NULL;
	if (error && status == RSTAR_ERR_CANCELLED)
		ReThrowError(error);
}

/* --- memory -------------------------------------------------------------------- */

/* palloc aligns to 8 bytes, so every block begins with its size and where it really starts. */
#define BLOCK_ALIGN 16

typedef struct block_header
{
	void *start; /* what palloc returned */
	size_t size; /* what was asked for */
} block_header;

StaticAssertDecl(sizeof(block_header) <= BLOCK_ALIGN, "a header fits in front of its block");

/* What palloc is asked for: room for the header wherever it comes to stand. */
#define WITH_HEADER(size) ((size) + (size_t) 2 * BLOCK_ALIGN)

static block_header *
header_of(void *pointer)
{
	return (block_header *) ((char *) pointer - BLOCK_ALIGN);
}

/* The first place for a header in what palloc returned. */
static block_header *
header_in(void *start)
{
	return (block_header *) TYPEALIGN(BLOCK_ALIGN, (uintptr_t) start);
}

static void *
block_at(void *start, size_t size)
{
	block_header *header = header_in(start);

	*header = (block_header){start, size};
	return (char *) header + BLOCK_ALIGN;
}

/* More than palloc gives would throw even with NO_OOM. */
static bool
too_large(size_t size)
{
	return size > MaxAllocHugeSize - WITH_HEADER(0);
}

static void *
context_alloc(void *ctx, size_t size)
{
	void *start = too_large(size)
					  ? NULL
					  : MemoryContextAllocExtended((MemoryContext) ctx, WITH_HEADER(size),
												   MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);

	return start ? block_at(start, size) : NULL;
}

static void
context_free(void *ctx, void *pointer)
{
	(void) ctx;
	if (pointer)
		pfree(header_of(pointer)->start);
}

/*
 * Large blocks grow where they are, or have their pages moved: copying a hundred megabytes takes
 * longer than a cancel may. Should the new place be aligned otherwise, the bytes move within it.
 */
static void *
context_realloc(void *ctx, void *pointer, size_t size)
{
	block_header old;
	size_t offset;
	char *start;

	if (!pointer)
		return context_alloc(ctx, size);
	if (too_large(size))
		return NULL;
	old = *header_of(pointer);
	offset = (size_t) ((char *) pointer - (char *) old.start);
	start = rstar_pg_grow(old.start, WITH_HEADER(size));
	if (!start)
		return NULL;
	if ((char *) header_in(start) + BLOCK_ALIGN != start + offset)
		memmove((char *) header_in(start) + BLOCK_ALIGN, start + offset, Min(old.size, size));
	return block_at(start, size);
}

rstar_allocator
rstar_pg_allocator_in(MemoryContext context)
{
	rstar_allocator allocator = {context_alloc, context_realloc, context_free, context};

	return allocator;
}

/* --- handles --------------------------------------------------------------------- */

struct rstar_guard
{
	MemoryContextCallback callback;
	rstar_release release;
	void *handle;
};

static void
guard_callback(void *arg)
{
	rstar_pg_guard_release((rstar_guard *) arg);
}

rstar_guard *
rstar_pg_guard_create(MemoryContext context, rstar_release release)
{
	rstar_guard *guard = MemoryContextAllocZero(context, sizeof(rstar_guard));

	guard->release = release;
	guard->callback.func = guard_callback;
	guard->callback.arg = guard;
	MemoryContextRegisterResetCallback(context, &guard->callback);
	return guard;
}

void
rstar_pg_guard_hold(rstar_guard *guard, void *handle)
{
	Assert(guard->handle == NULL);
	guard->handle = handle;
}

void
rstar_pg_guard_release(rstar_guard *guard)
{
	void *handle = rstar_pg_guard_disarm(guard);

	if (handle)
		guard->release(handle);
}

void *
rstar_pg_guard_disarm(rstar_guard *guard)
{
	void *handle = guard->handle;

	guard->handle = NULL;
	return handle;
}

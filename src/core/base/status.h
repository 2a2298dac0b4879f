/*
 * status.h
 *	  Statuses and error texts of the core.
 *
 * Every core function that can fail returns an rstar_status and, on failure,
 * fills the caller's rstar_error. There are no globals, so the scheme is safe
 * in threads. src/pg/base/boundary.c alone turns a status into an ereport; the
 * texts here therefore follow PostgreSQL's rules: the message starts in lower
 * case and has no full stop, detail and hint are sentences.
 *
 * RSTAR_AGAIN is not a failure: a long operation has done one slice of its
 * work and wants to be called again. The caller looks for interrupts between
 * the slices.
 */
#ifndef RSTAR_BASE_STATUS_H
#define RSTAR_BASE_STATUS_H

#include <stdbool.h>

typedef enum rstar_status
{
	RSTAR_OK = 0,
	RSTAR_AGAIN,           /* one slice done, call again */
	RSTAR_ERR_MEMORY,      /* the allocator returned NULL */
	RSTAR_ERR_IO,          /* a system call failed; message holds strerror */
	RSTAR_ERR_CORRUPT,     /* outside bytes contradict their format */
	RSTAR_ERR_UNSUPPORTED, /* well-formed, but not something we handle */
	RSTAR_ERR_ARGUMENT,    /* the caller's value is out of range */
	RSTAR_ERR_LIMIT,       /* a configured limit would be exceeded */
	RSTAR_ERR_NOT_FOUND,   /* a named thing does not exist */
	RSTAR_ERR_EXISTS,      /* a named thing exists already */
	RSTAR_ERR_DENIED,      /* not permitted: paths, confinement */
	RSTAR_ERR_CANCELLED,   /* the cancel predicate said so */
	RSTAR_ERR_SANDBOX,     /* the sandbox failed (not the code in it) */
	RSTAR_ERR_SERVER,      /* a model server is away or fails */
	RSTAR_ERR_INTERNAL     /* a bug in rstar */
} rstar_status;

#define RSTAR_MESSAGE_SIZE 512
#define RSTAR_DETAIL_SIZE  512
#define RSTAR_HINT_SIZE    256

/* Texts are NUL-terminated; an empty string means "none". */
typedef struct rstar_error
{
	rstar_status status;
	char message[RSTAR_MESSAGE_SIZE];
	char detail[RSTAR_DETAIL_SIZE];
	char hint[RSTAR_HINT_SIZE];
} rstar_error;

/*
 * Fill *err (which may be NULL) with a printf-style message, clear detail and
 * hint, and return the status, so that callers write
 *		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "...", ...);
 * A text too long is cut at a character boundary of UTF-8.
 */
extern rstar_status rstar_error_set(rstar_error *err, rstar_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Add a detail or a hint to a filled error; return its status. */
extern rstar_status rstar_error_detail(rstar_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
extern rstar_status rstar_error_hint(rstar_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "out of memory" with the number of bytes that were asked for. */
extern rstar_status rstar_error_memory(rstar_error *err, unsigned long bytes);

/* The symbolic name of a status, for logs and tests: "corrupt". */
extern const char *rstar_status_name(rstar_status status);

/*
 * Asks whether work should stop. Polled between small units of work, from the
 * thread that called the core only, never from pool threads.
 */
typedef struct rstar_cancel
{
	bool (*requested)(void *arg);
	void *arg;
} rstar_cancel;

static inline bool
rstar_cancel_requested(const rstar_cancel *cancel)
{
	return cancel && cancel->requested && cancel->requested(cancel->arg);
}

#endif

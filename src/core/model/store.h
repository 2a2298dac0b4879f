/*
 * store.h
 *	  The model directory: how files get in, and how they are opened.
 *
 * A directory holds finished model files, named by what they contain
 * (<sha256>.gguf, mode 0400) and never changed, and unfinished ones (.new-*),
 * which nobody opens. Putting one in:
 *
 *		rstar_store_begin(directory, &entry, &err);
 *		... write the model to entry.fd (gguf writer, quantize, copy) ...
 *		rstar_store_prepare(&entry, allocator, cancel, &err);   entry.name, .facts
 *		rstar_store_commit(&entry, &err);
 *		rstar_store_end(&entry);                       always, also after failures
 *
 * commit reads the file back through the same descriptor and examines it
 * (below); then it is synced, named and made read-only, and the directory
 * is synced. If a file of that content is there
 * already, that one stays. A crash leaves at most an unfinished file.
 *
 * Names are single path components of letters, digits, '.', '_' and '-' that
 * do not begin with a dot; links, pipes and devices are refused when opened.
 * The directory itself may be reached through a link: that is the
 * administrator's affair.
 */
#ifndef RSTAR_MODEL_STORE_H
#define RSTAR_MODEL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/model/gguf.h"

#define RSTAR_STORE_NAME_SIZE 128

/* Whether a name keeps the rule above: OK, or DENIED. */
extern rstar_status rstar_store_check_name(const char *name, rstar_error *err);

/*
 * Open a file of the directory for reading: *fd is close-on-exec and belongs to
 * the caller. Errors: DENIED (name; link; not a regular file), NOT_FOUND, IO.
 */
extern rstar_status rstar_store_open(const char *directory, const char *name, int *fd,
									 rstar_error *err);

/*
 * A cheap identity of an open file: 32 hexadecimal digits over its length, its
 * keys (of one beyond 16 kB, the tokens of a vocabulary, both ends), the description
 * of each tensor, and some bytes out of each. fd is the file that the handle maps. Files
 * that differ get different ones, but for changes that miss every sample; where
 * that matters, rstar_store_verify reads everything. Takes half a
 * millisecond for a file of 340 tensors, of whatever length, in the page cache. Polls cancel. Errors: IO,
 * CANCELLED.
 */
#define RSTAR_STORE_IDENTITY_SIZE 33
extern rstar_status rstar_store_identity(const rstar_gguf *gguf, int fd,
										 char identity[RSTAR_STORE_IDENTITY_SIZE],
										 const rstar_cancel *cancel, rstar_error *err);

/* What tells one model file from another. */
typedef struct rstar_store_facts
{
	uint64_t size;
	char sha256[RSTAR_SHA256_TEXT_SIZE];
	char identity[RSTAR_STORE_IDENTITY_SIZE];
} rstar_store_facts;

/*
 * Read an open file through: it must be a model that rstar_weights_open takes,
 * without NaN, or have no tensors at all (a vocabulary). Fills *facts.
 */
extern rstar_status rstar_store_examine(int fd, rstar_store_facts *facts,
										const rstar_allocator *allocator,
										const rstar_cancel *cancel, rstar_error *err);

/* --- putting a file in ------------------------------------------------------ */

typedef struct rstar_store_entry
{
	int directory; /* -1: not begun, or ended */
	int fd;        /* open for reading and writing, empty at first */
	char unfinished[64];
	char name[RSTAR_STORE_NAME_SIZE]; /* after commit: "<sha256>.gguf" */
	rstar_store_facts facts;
} rstar_store_entry;

/* Make the directory if it is not there: nobody has stored a model yet. Errors: IO. */
extern rstar_status rstar_store_make_directory(const char *directory, rstar_error *err);

/*
 * Creates the directory (0700) if only its last component is missing. Removes
 * the unfinished files of processes that are gone.
 */
extern rstar_status rstar_store_begin(const char *directory, rstar_store_entry *entry,
									  rstar_error *err);

/* Examine what was written, make it last, and find its name; commit then gives it the name. */
extern rstar_status rstar_store_prepare(rstar_store_entry *entry, const rstar_allocator *allocator,
										const rstar_cancel *cancel, rstar_error *err);
extern rstar_status rstar_store_commit(rstar_store_entry *entry, rstar_error *err);
extern void rstar_store_end(rstar_store_entry *entry);

/* Fill a begun entry with a copy of a regular file, from its beginning. */
extern rstar_status rstar_store_copy(rstar_store_entry *entry, int from, const rstar_cancel *cancel,
									 rstar_error *err);

/* --- looking after files ----------------------------------------------------- */

/* Examine an open file and compare size and SHA-256. CORRUPT says what differs. */
extern rstar_status rstar_store_verify(int fd, uint64_t size, const char *sha256,
									   const rstar_allocator *allocator, const rstar_cancel *cancel,
									   rstar_error *err);

/*
 * Call visit for every regular file: name, bytes, whether it is unfinished and
 * seconds since its last change. Stops at a status other than OK and returns it.
 * A directory that does not exist is empty.
 */
typedef rstar_status (*rstar_store_visit)(void *arg, const char *name, uint64_t size,
										  bool unfinished, int64_t age_s, rstar_error *err);
extern rstar_status rstar_store_list(const char *directory, rstar_store_visit visit, void *arg,
									 rstar_error *err);

/* Remove a finished file, or (name from rstar_store_list) an unfinished one. */
extern rstar_status rstar_store_remove(const char *directory, const char *name, rstar_error *err);

#endif

/*
 * files.h
 *	  The files behind the rows of rstar.models.
 *
 * A row's path is the name of a file in rstar.model_directory, or "$share/"
 * and the name of a shipped one: no directories, no "..", nothing absolute.
 * That is checked at every open, whatever the row says, and so is that the
 * name leads to a regular file, not to a link, and that the file has the
 * length and the identity (core/model/store.h) that the row says.
 *
 * Files come and go with transactions: one that a transaction put into the
 * directory is removed if it aborts, one that it dropped is removed after it
 * has committed. A crash at the wrong moment leaves a file that no row refers
 * to (rstar_model_orphans), never a row without its file.
 */
#ifndef RSTAR_PG_MODELS_FILES_H
#define RSTAR_PG_MODELS_FILES_H

#include "postgres.h"

#include "core/model/gguf.h"
#include "core/model/store.h"
#include "pg/models/models.h"

/*
 * Open a row's file for reading; its length is the row's. The caller closes the
 * descriptor before anything can raise an error, and asks _check, with what it
 * mapped of it, whether it is the file that the row means: CORRUPT if not.
 */
extern int rstar_pg_model_file_open(const rstar_model_row *row);
extern rstar_status rstar_pg_model_file_check(const rstar_model_row *row, const rstar_gguf *gguf,
											  int fd, rstar_error *err);

/* Whether there is a file of that name and length on this server, or the model needs none. */
extern bool rstar_pg_model_file_is_here(const rstar_model_row *row);

/* Open, map and check; closed when the current memory context is reset. */
extern rstar_gguf *rstar_pg_model_file_map(const rstar_model_row *row);

/*
 * An entry of the model directory to write to (core/model/store.h), ended when
 * the current memory context is reset. Finish checks the file, gives it its
 * name, and arranges that it goes if the transaction aborts. It holds the lock
 * on that name to the end of the transaction.
 */
extern rstar_store_entry *rstar_pg_model_file_begin(void);
extern void rstar_pg_model_file_finish(rstar_store_entry *entry);

/* A writer of what goes into an entry, freed when the current memory context is reset. */
extern rstar_gguf_writer *rstar_pg_model_file_writer(void);

/*
 * Complete *row (name, role, path and, where the caller gave them, template,
 * defaults and parent) from its file and what the core found out about it.
 */
extern void rstar_pg_model_describe(rstar_model_row *row, const rstar_store_facts *facts);

/*
 * Complete *row (name, role and, where the caller gave them, template, defaults
 * and parent) from a finished file, and insert it. Returns the new id.
 */
extern int64 rstar_pg_model_register(rstar_model_row *row, const rstar_store_entry *entry);

/* Remove a file after this transaction has committed; the caller holds the lock. */
extern void rstar_pg_model_file_drop(const char *name);

/*
 * Whoever names or removes a file holds the lock on its name to the end of the
 * transaction, in all databases of the server, so that no file goes while a row
 * that needs it is on its way. Models of other content do not wait for it.
 */
extern void rstar_pg_model_file_lock(const char *name);

/* Register the transaction callbacks; from _PG_init. */
extern void rstar_pg_model_files_init(void);

#endif

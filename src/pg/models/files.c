/*
 * files.c
 *	  The files behind the rows of rstar.models.
 *
 * What is to be removed at the end of the transaction stands in a list of
 * `pending` removals, each with the nesting level of the (sub)transaction that
 * made it, as the server does for the files of its own relations.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/models/files.h"
#include "pg/models/remote.h"

typedef struct pending_removal
{
	struct pending_removal *next;
	char *directory;
	char *name;
	bool at_commit; /* else at abort */
	int level;
} pending_removal;

static pending_removal *pending = NULL;

/* --- opening ------------------------------------------------------------------------ */

static rstar_status
changed(rstar_error *err, const rstar_model_row *row)
{
	rstar_error_set(err, RSTAR_ERR_CORRUPT, "the file of model \"%s\" has changed", row->name);
	return rstar_error_hint(
		err, row->builtin ? "Run ALTER EXTENSION rstar UPDATE or, if the extension is up to "
							"date, rstar_model_register_builtin()."
						  : "Restore the file, or drop the model and import it again.");
}

/* The directory that a row's path means, and the name in it. */
static char *
directory_of(const rstar_model_row *row, const char **name)
{
	bool shipped = strncmp(row->path, RSTAR_MODEL_SHARE, strlen(RSTAR_MODEL_SHARE)) == 0;

	*name = shipped ? row->path + strlen(RSTAR_MODEL_SHARE) : row->path;
	return shipped ? rstar_pg_share_directory() : rstar_pg_model_directory();
}

bool
rstar_pg_model_file_is_here(const rstar_model_row *row)
{
	const char *name;
	char *directory;
	struct stat info;
	rstar_error err;
	bool here;
	int fd;

	if (row->remote)
		return true;
	directory = directory_of(row, &name);
	if (rstar_store_check_name(name, &err) != RSTAR_OK ||
		rstar_store_open(directory, name, &fd, &err) != RSTAR_OK)
		return false;
	here = fstat(fd, &info) == 0 && info.st_size == row->file_size;
	close(fd);
	return here;
}

int
rstar_pg_model_file_open(const rstar_model_row *row)
{
	const char *name;
	char *directory;
	rstar_error err;
	rstar_status status;
	struct stat info;
	int fd;

	rstar_pg_model_require_file(row);
	directory = directory_of(row, &name);
	status = rstar_store_check_name(name, &err);
	if (status != RSTAR_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("file of model \"%s\" lies outside the model directory", row->name),
				 errdetail("A model's path is the name of a file in \"rstar.model_directory\".")));
	rstar_check(rstar_store_open(directory, name, &fd, &err), &err);
	if (fstat(fd, &info) != 0)
		info.st_size = -1;
	if (info.st_size != row->file_size)
	{
		close(fd);
		status = changed(&err, row);
		rstar_error_detail(&err, "It has %lld bytes instead of %lld.", (long long) info.st_size,
						   (long long) row->file_size);
		rstar_pg_raise(status, &err);
	}
	return fd;
}

rstar_status
rstar_pg_model_file_check(const rstar_model_row *row, const rstar_gguf *gguf, int fd,
						  rstar_error *err)
{
	char found[RSTAR_STORE_IDENTITY_SIZE];
	rstar_status status;

	if (!row->file_id)
		return RSTAR_OK;
	status = rstar_store_identity(gguf, fd, found, &rstar_pg_cancel, err);
	if (status != RSTAR_OK || strcmp(found, row->file_id) == 0)
		return status;
	changed(err, row);
	return rstar_error_detail(err, "Its identity is %s instead of %s.", found, row->file_id);
}

rstar_gguf *
rstar_pg_model_file_map(const rstar_model_row *row)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_gguf_close);
	int fd = rstar_pg_model_file_open(row);
	rstar_gguf *gguf;
	rstar_error err;
	rstar_status status =
		rstar_gguf_open_fd(fd, &rstar_allocator_malloc, &rstar_pg_cancel, &gguf, &err);

	if (status == RSTAR_OK)
	{
		rstar_pg_guard_hold(guard, gguf);
		status = rstar_pg_model_file_check(row, gguf, fd, &err);
	}
	close(fd);
	rstar_check(status, &err);
	return gguf;
}

/* --- making ------------------------------------------------------------------------- */

static void
end_entry(void *entry)
{
	rstar_store_end(entry);
}

static pending_removal *
make_pending(const char *directory, const char *name, bool at_commit)
{
	pending_removal *removal = MemoryContextAlloc(TopTransactionContext, sizeof(*removal));

	removal->directory = MemoryContextStrdup(TopTransactionContext, directory);
	removal->name = MemoryContextStrdup(TopTransactionContext, name);
	removal->at_commit = at_commit;
	removal->level = GetCurrentTransactionNestLevel();
	return removal;
}

static void
add_pending(pending_removal *removal)
{
	removal->next = pending;
	pending = removal;
}

void
rstar_pg_model_file_lock(const char *name)
{
	/* No extension has such a number; names that share one merely wait for each other. */
	Oid object =
		0x80000000 | DatumGetUInt32(hash_any((const unsigned char *) name, (int) strlen(name)));

	LockSharedObject(ExtensionRelationId, object, 0x7273 /* "rs" */, ExclusiveLock);
}

rstar_store_entry *
rstar_pg_model_file_begin(void)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, end_entry);
	rstar_store_entry *entry = palloc0(sizeof(rstar_store_entry));
	rstar_error err;

	PreventCommandIfReadOnly("creating a model");
	PreventCommandDuringRecovery("creating a model");
	rstar_check(rstar_store_begin(rstar_pg_model_directory(), entry, &err), &err);
	rstar_pg_guard_hold(guard, entry);
	return entry;
}

/* Is the name the entry's own file, or one of equal content that was there before? */
static bool
entry_is_new(const rstar_store_entry *entry)
{
	struct stat own;
	struct stat named;

	return fstat(entry->fd, &own) == 0 &&
		   fstatat(entry->directory, entry->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		   own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

/*
 * What was written lies in the page cache in small pieces; read again from its
 * beginning it comes in large ones, which a session maps many pages at a time.
 * Measured with 1.6 GB: 12 ms for all of it instead of 84 in every new session.
 * Only advice: whatever fails here is no error.
 */
static void
read_again(int fd, uint64 size)
{
	const size_t piece = 1024 * 1024;
	char *buffer = palloc(piece);
	uint64 at = 0;

	(void) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	(void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while (at < size)
	{
		ssize_t got = pread(fd, buffer, piece, at);

		if (got <= 0)
			break;
		at += got;
		CHECK_FOR_INTERRUPTS();
	}
	pfree(buffer);
}

void
rstar_pg_model_file_finish(rstar_store_entry *entry)
{
	pending_removal *removal;
	rstar_error err;

	rstar_check(rstar_store_prepare(entry, &rstar_allocator_malloc, &rstar_pg_cancel_serving, &err),
				&err);
	rstar_pg_model_file_lock(entry->name);
	/* All memory first: nothing may fail between the name's appearance and our note of it. */
	removal = make_pending(rstar_pg_model_directory(), "", false);
	removal->name = MemoryContextAllocZero(TopTransactionContext, RSTAR_STORE_NAME_SIZE);
	rstar_check(rstar_store_commit(entry, &err), &err);
	strlcpy(removal->name, entry->name, RSTAR_STORE_NAME_SIZE);
	if (entry_is_new(entry))
	{
		add_pending(removal);
		read_again(entry->fd, entry->facts.size);
	}
	rstar_store_end(entry);
}

rstar_gguf_writer *
rstar_pg_model_file_writer(void)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_gguf_writer_free);
	rstar_gguf_writer *writer;
	rstar_error err;

	rstar_check(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err), &err);
	rstar_pg_guard_hold(guard, writer);
	return writer;
}

void
rstar_pg_model_file_drop(const char *name)
{
	add_pending(make_pending(rstar_pg_model_directory(), name, true));
}

/* --- ends of transactions ------------------------------------------------------------ */

/* Too late for errors: a file that stays is an orphan, and said to be one. */
static void
remove_now(const pending_removal *removal)
{
	rstar_error err;

	if (rstar_store_remove(removal->directory, removal->name, &err) != RSTAR_OK)
		ereport(WARNING, (errmsg("could not remove the model file \"%s\"", removal->name),
						  errdetail("%s", err.message)));
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	bool committed;

	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (pending)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot prepare a transaction that made or dropped model files")));
			return;
		case XACT_EVENT_COMMIT:
			committed = true;
			break;
		case XACT_EVENT_ABORT:
			committed = false;
			break;
		default:
			return;
	}
	for (pending_removal *removal = pending; removal; removal = removal->next)
	{
		if (removal->at_commit == committed)
			remove_now(removal);
	}
	pending = NULL;
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *arg)
{
	int level = GetCurrentTransactionNestLevel();
	pending_removal **link = &pending;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (*link)
	{
		pending_removal *removal = *link;

		if (removal->level < level)
			link = &removal->next;
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
		{
			removal->level = level - 1;
			link = &removal->next;
		}
		else
		{
			*link = removal->next;
			if (!removal->at_commit)
				remove_now(removal);
		}
	}
}

void
rstar_pg_model_files_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}

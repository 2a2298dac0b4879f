/*
 * store.c
 *	  The model directory: how files get in, and how they are opened.
 *
 * Everything goes through a descriptor of the directory and openat with
 * O_NOFOLLOW, so that what was checked is what is used.
 */
#include "core/model/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/model/weights.h"

#define UNFINISHED   ".new-"
#define COPY_BYTES   ((size_t) 1 << 18)
#define WRITE_BEHIND ((uint64_t) 1 << 23)
#define HASH_SLICE   ((size_t) 1 << 20)

/* --- names and opening ----------------------------------------------------- */

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		   c == '_' || c == '-';
}

rstar_status
rstar_store_check_name(const char *name, rstar_error *err)
{
	size_t length = strlen(name);
	bool valid = length > 0 && length < RSTAR_STORE_NAME_SIZE && name[0] != '.';

	for (size_t i = 0; i < length && valid; i++)
		valid = is_name_character(name[i]);
	if (valid)
		return RSTAR_OK;
	rstar_error_set(err, RSTAR_ERR_DENIED, "invalid name of a model file: %s", name);
	return rstar_error_detail(err, "Only file names in the model directory are allowed: letters, "
								   "digits, \".\", \"_\" and \"-\", no path, no leading dot.");
}

static rstar_status
io_error(rstar_error *err, const char *what, const char *name)
{
	return rstar_error_set(err, errno == ENOENT ? RSTAR_ERR_NOT_FOUND : RSTAR_ERR_IO,
						   "could not %s \"%s\": %s", what, name, strerror(errno));
}

static rstar_status
open_directory(const char *directory, int *fd, rstar_error *err)
{
	*fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? RSTAR_OK : io_error(err, "open model directory", directory);
}

static rstar_status
open_regular(int directory, const char *name, int *out, rstar_error *err)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat info;

	if (fd < 0 && errno == ELOOP)
		return rstar_error_set(err, RSTAR_ERR_DENIED, "model file \"%s\" is a symbolic link", name);
	if (fd < 0)
		return io_error(err, "open model file", name);
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
	{
		close(fd);
		return rstar_error_set(err, RSTAR_ERR_DENIED, "model file \"%s\" is not a regular file",
							   name);
	}
	*out = fd;
	return RSTAR_OK;
}

rstar_status
rstar_store_open(const char *directory, const char *name, int *fd, rstar_error *err)
{
	int dir;
	rstar_status st = rstar_store_check_name(name, err);

	*fd = -1;
	if (st != RSTAR_OK)
		return st;
	st = open_directory(directory, &dir, err);
	if (st != RSTAR_OK)
		return st;
	st = open_regular(dir, name, fd, err);
	close(dir);
	return st;
}

/* --- telling files apart ------------------------------------------------------ */

static rstar_status
cancelled(rstar_error *err)
{
	return rstar_error_set(err, RSTAR_ERR_CANCELLED, "reading a model file was cancelled");
}

/*
 * The bytes of a tensor that take part in an identity: a few, at a place that
 * depends on the tensor's number, so that it does not meet the same place of a
 * block each time. They are read and not taken from the map, where each would
 * cost a page fault, ten times as much.
 */
static rstar_status
hash_sample(rstar_sha256 *hash, int fd, uint64_t offset, uint64_t length, uint64_t number,
			rstar_error *err)
{
	uint8_t sample[32];
	size_t wanted = length < sizeof sample ? length : sizeof sample;
	ssize_t got;

	if (length > sizeof sample)
		offset += (number * 0x9e3779b97f4a7c15ULL >> 11) % (length - sizeof sample);
	do
		got = pread(fd, sample, wanted, (off_t) offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not read model file: %s", strerror(errno));
	rstar_sha256_update(hash, sample, (size_t) got);
	return RSTAR_OK;
}

/* A string, or of a long one (the tokens of a vocabulary) the length and both ends. */
static void
hash_string(rstar_sha256 *hash, rstar_string string)
{
	const size_t whole = 16384;
	const size_t end = 512;
	uint64_t length = string.length;

	rstar_sha256_update(hash, &length, sizeof length);
	if (string.length <= whole)
	{
		rstar_sha256_update(hash, string.data, string.length);
		return;
	}
	rstar_sha256_update(hash, string.data, end);
	rstar_sha256_update(hash, string.data + string.length - end, end);
}

static rstar_status
hash_keys(rstar_sha256 *hash, const rstar_gguf *gguf, const rstar_cancel *cancel, rstar_error *err)
{
	for (uint64_t i = 0; i < rstar_gguf_n_keys(gguf); i++)
	{
		rstar_gguf_type type;

		if (rstar_cancel_requested(cancel))
			return cancelled(err);
		hash_string(hash, rstar_gguf_key(gguf, i, &type));
		rstar_sha256_update(hash, &type, sizeof type);
		hash_string(hash, rstar_gguf_value(gguf, i));
	}
	return RSTAR_OK;
}

rstar_status
rstar_store_identity(const rstar_gguf *gguf, int fd, char identity[RSTAR_STORE_IDENTITY_SIZE],
					 const rstar_cancel *cancel, rstar_error *err)
{
	const uint8_t *bytes = rstar_gguf_map(gguf);
	uint64_t size = rstar_gguf_file_size(gguf);
	char text[RSTAR_SHA256_TEXT_SIZE];
	rstar_sha256 hash;
	rstar_status st;

	rstar_sha256_init(&hash);
	rstar_sha256_update(&hash, &size, sizeof size);
	st = hash_keys(&hash, gguf, cancel, err);
	for (uint64_t i = 0; i < rstar_gguf_n_tensors(gguf) && st == RSTAR_OK; i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(gguf, i);
		uint64_t offset = (uint64_t) ((const uint8_t *) tensor->data - bytes);

		hash_string(&hash, tensor->name);
		rstar_sha256_update(&hash, tensor->dims, sizeof tensor->dims);
		rstar_sha256_update(&hash, &tensor->type, sizeof tensor->type);
		rstar_sha256_update(&hash, &offset, sizeof offset);
		st = hash_sample(&hash, fd, offset, tensor->bytes, i, err);
		if (st == RSTAR_OK && rstar_cancel_requested(cancel))
			st = cancelled(err);
	}
	rstar_sha256_finish_text(&hash, text);
	snprintf(identity, RSTAR_STORE_IDENTITY_SIZE, "%.32s", text);
	return st;
}

static rstar_status
hash_map(const rstar_gguf *gguf, char text[RSTAR_SHA256_TEXT_SIZE], const rstar_cancel *cancel,
		 rstar_error *err)
{
	const uint8_t *bytes = rstar_gguf_map(gguf);
	uint64_t size = rstar_gguf_file_size(gguf);
	rstar_sha256 hash;

	rstar_sha256_init(&hash);
	for (uint64_t at = 0; at < size; at += HASH_SLICE)
	{
		rstar_sha256_update(&hash, bytes + at, size - at < HASH_SLICE ? size - at : HASH_SLICE);
		if (rstar_cancel_requested(cancel))
			return cancelled(err);
	}
	rstar_sha256_finish_text(&hash, text);
	return RSTAR_OK;
}

rstar_status
rstar_store_examine(int fd, rstar_store_facts *facts, const rstar_allocator *allocator,
					const rstar_cancel *cancel, rstar_error *err)
{
	rstar_gguf *gguf;
	rstar_weights *weights;
	rstar_status st = rstar_gguf_open_fd(fd, allocator, cancel, &gguf, err);

	if (st != RSTAR_OK)
		return st;
	/* A file without tensors is a vocabulary; whoever opens it checks that. */
	if (rstar_gguf_n_tensors(gguf) > 0)
	{
		st = rstar_weights_open(gguf, allocator, &weights, err);
		rstar_weights_close(weights);
	}
	if (st == RSTAR_OK)
		st = rstar_gguf_check_data(gguf, cancel, err);
	if (st == RSTAR_OK)
		st = hash_map(gguf, facts->sha256, cancel, err);
	if (st == RSTAR_OK)
		st = rstar_store_identity(gguf, fd, facts->identity, cancel, err);
	facts->size = rstar_gguf_file_size(gguf);
	rstar_gguf_close(gguf);
	return st;
}

/* --- putting a file in ------------------------------------------------------ */

/* --- unfinished files ---------------------------------------------------------- */

/* Does the name still lead to the open file? */
static bool
leads_to(int directory, const char *name, int fd)
{
	struct stat own, named;

	return fstat(fd, &own) == 0 && fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		   own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

/*
 * A process that writes a file holds a lock on it, which ends with the process
 * however that ends: who gets the lock knows that nobody writes the file.
 */
static void
sweep_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && leads_to(directory, name, fd))
		(void) unlinkat(directory, name, 0);
	close(fd);
}

/* Whatever fails here fails for good reasons or shows later. */
static void
sweep(const char *path, int directory)
{
	DIR *dir = opendir(path);
	struct dirent *found;

	while (dir && (found = readdir(dir)) != NULL)
		if (strncmp(found->d_name, UNFINISHED, strlen(UNFINISHED)) == 0)
			sweep_file(directory, found->d_name);
	if (dir)
		closedir(dir);
}

/* A new file of a name of its own, locked. Another process may sweep it before it is. */
static rstar_status
create_unfinished(const char *directory, rstar_store_entry *entry, rstar_error *err)
{
	uint64_t number;

	do
	{
		if (entry->fd >= 0)
			close(entry->fd);
		if (getrandom(&number, sizeof number, 0) != (ssize_t) sizeof number)
			return rstar_error_set(err, RSTAR_ERR_IO, "could not get random bytes: %s",
								   strerror(errno));
		snprintf(entry->unfinished, sizeof entry->unfinished, UNFINISHED "%d-%016llx",
				 (int) getpid(), (unsigned long long) number);
		entry->fd = openat(entry->directory, entry->unfinished,
						   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (entry->fd < 0)
		{
			entry->unfinished[0] = '\0';
			return io_error(err, "create a file in model directory", directory);
		}
		if (flock(entry->fd, LOCK_EX) != 0)
			return io_error(err, "lock a file in model directory", directory);
	} while (!leads_to(entry->directory, entry->unfinished, entry->fd));
	return RSTAR_OK;
}

rstar_status
rstar_store_make_directory(const char *directory, rstar_error *err)
{
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return io_error(err, "create model directory", directory);
	return RSTAR_OK;
}

rstar_status
rstar_store_begin(const char *directory, rstar_store_entry *entry, rstar_error *err)
{
	rstar_status st;

	memset(entry, 0, sizeof *entry);
	entry->directory = -1;
	entry->fd = -1;
	st = rstar_store_make_directory(directory, err);
	if (st == RSTAR_OK)
		st = open_directory(directory, &entry->directory, err);
	if (st != RSTAR_OK)
		return st;
	sweep(directory, entry->directory);
	st = create_unfinished(directory, entry, err);
	if (st != RSTAR_OK)
		rstar_store_end(entry);
	return st;
}

void
rstar_store_end(rstar_store_entry *entry)
{
	if (entry->directory < 0)
		return;
	if (entry->unfinished[0] != '\0')
		(void) unlinkat(entry->directory, entry->unfinished, 0);
	if (entry->fd >= 0)
		close(entry->fd);
	close(entry->directory);
	entry->directory = -1;
	entry->fd = -1;
	entry->unfinished[0] = '\0';
}

/* All of `length` bytes at `offset`. */
static rstar_status
write_at(int fd, const char *bytes, size_t length, uint64_t offset, rstar_error *err)
{
	while (length > 0)
	{
		ssize_t n = pwrite(fd, bytes, length, (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return rstar_error_set(err, RSTAR_ERR_IO, "could not write model file: %s",
								   strerror(errno));
		bytes += n;
		length -= (size_t) n;
		offset += (uint64_t) n;
	}
	return RSTAR_OK;
}

/*
 * pread, as the position of a descriptor that came from elsewhere is not ours to move. A copy
 * that is cancelled leaves its entry incomplete: whoever created the entry removes it.
 */
rstar_status
rstar_store_copy(rstar_store_entry *entry, int from, const rstar_cancel *cancel, rstar_error *err)
{
	struct stat info;
	char *buffer;
	uint64_t offset = 0;
	rstar_status st = RSTAR_OK;

	if (fstat(from, &info) != 0 || !S_ISREG(info.st_mode))
		return rstar_error_set(err, RSTAR_ERR_DENIED, "only a regular file can become a model");
	buffer = rstar_alloc(&rstar_allocator_malloc, COPY_BYTES);
	if (!buffer)
		return rstar_error_memory(err, COPY_BYTES);
	while (st == RSTAR_OK)
	{
		ssize_t n = pread(from, buffer, COPY_BYTES, (off_t) offset);

		if (n < 0 && errno != EINTR)
			st = rstar_error_set(err, RSTAR_ERR_IO, "could not read model file: %s",
								 strerror(errno));
		else if (n > 0)
			st = write_at(entry->fd, buffer, (size_t) n, offset, err);
		else if (n == 0)
			break;
		if (st == RSTAR_OK && rstar_cancel_requested(cancel))
			st = cancelled(err);
		if (n > 0)
			offset += (uint64_t) n;

		/* let the disk start early: the fsync of commit cannot be interrupted */
		if (offset % WRITE_BEHIND == 0)
			(void) sync_file_range(entry->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	}
	rstar_free(&rstar_allocator_malloc, buffer);
	return st;
}

/* Give the synced file its name, unless one of that content has it. */
static rstar_status
name_file(rstar_store_entry *entry, rstar_error *err)
{
	struct stat info;

	if (fstatat(entry->directory, entry->name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(info.st_mode) && (uint64_t) info.st_size == entry->facts.size)
		return RSTAR_OK; /* rstar_store_end removes ours */
	if (fchmod(entry->fd, 0400) != 0 ||
		renameat(entry->directory, entry->unfinished, entry->directory, entry->name) != 0)
		return io_error(err, "name model file", entry->name);
	entry->unfinished[0] = '\0';
	if (fsync(entry->directory) != 0)
		return io_error(err, "sync the directory of model file", entry->name);
	return RSTAR_OK;
}

rstar_status
rstar_store_prepare(rstar_store_entry *entry, const rstar_allocator *allocator,
					const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status st = rstar_store_examine(entry->fd, &entry->facts, allocator, cancel, err);

	if (st != RSTAR_OK)
		return st;
	snprintf(entry->name, sizeof entry->name, "%s.gguf", entry->facts.sha256);
	if (fsync(entry->fd) != 0)
		return io_error(err, "sync model file", entry->name);
	return RSTAR_OK;
}

rstar_status
rstar_store_commit(rstar_store_entry *entry, rstar_error *err)
{
	return name_file(entry, err);
}

/* --- looking after files ----------------------------------------------------- */

rstar_status
rstar_store_verify(int fd, uint64_t size, const char *sha256, const rstar_allocator *allocator,
				   const rstar_cancel *cancel, rstar_error *err)
{
	rstar_store_facts facts;
	struct stat info;
	rstar_status st;

	if (fstat(fd, &info) == 0 && (uint64_t) info.st_size != size)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "model file has %llu bytes instead of %llu",
							   (unsigned long long) info.st_size, (unsigned long long) size);
	st = rstar_store_examine(fd, &facts, allocator, cancel, err);
	if (st == RSTAR_OK && strcmp(sha256, facts.sha256) != 0)
	{
		rstar_error_set(err, RSTAR_ERR_CORRUPT, "model file does not have its checksum");
		return rstar_error_detail(err, "SHA-256 is %s instead of %s.", facts.sha256, sha256);
	}
	return st;
}

rstar_status
rstar_store_list(const char *directory, rstar_store_visit visit, void *arg, rstar_error *err)
{
	DIR *dir = opendir(directory);
	rstar_status st = RSTAR_OK;
	struct dirent *found;

	if (!dir)
		return errno == ENOENT ? RSTAR_OK : io_error(err, "open model directory", directory);
	while (st == RSTAR_OK && (found = readdir(dir)) != NULL)
	{
		bool unfinished = strncmp(found->d_name, UNFINISHED, strlen(UNFINISHED)) == 0;
		struct stat info;

		if ((!unfinished && rstar_store_check_name(found->d_name, NULL) != RSTAR_OK) ||
			fstatat(dirfd(dir), found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
			!S_ISREG(info.st_mode))
			continue;
		st = visit(arg, found->d_name, (uint64_t) info.st_size, unfinished,
				   (int64_t) (time(NULL) - info.st_mtime), err);
	}
	closedir(dir);
	return st;
}

rstar_status
rstar_store_remove(const char *directory, const char *name, rstar_error *err)
{
	size_t skip = strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0 ? 1 : 0;
	int dir;
	rstar_status st = rstar_store_check_name(name + skip, err);

	if (st == RSTAR_OK)
		st = open_directory(directory, &dir, err);
	if (st != RSTAR_OK)
		return st;
	if (unlinkat(dir, name, 0) != 0)
		st = io_error(err, "remove model file", name);
	else if (fsync(dir) != 0)
		st = io_error(err, "sync model directory", directory);
	close(dir);
	return st;
}

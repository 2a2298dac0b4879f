/*
 * checkpoint.c
 *	  Files from which a run goes on.
 */
#include "core/train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/sha256.h"

#define VERSION   1u
#define SUFFIX    ".checkpoint"
#define PIECE     ((size_t) 1 << 20) /* bytes between two looks at cancel */
#define MAX_PARTS 16u
#define KEPT      2 /* checkpoints of a run */
#define NAME_SIZE 160

static const char magic[8] = "rstarckp";

typedef struct header
{
	char magic[8];
	uint32_t version;
	uint32_t n_parts;
	uint64_t step;
	uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES];
	uint64_t sizes[MAX_PARTS]; /* n_parts of them are in the file */
} header;

#define FIXED_BYTES (offsetof(header, sizes))

/* --- one file --------------------------------------------------------------------- */

/* What has been read or written, and its checksum so far. */
typedef struct stream
{
	int fd;
	rstar_sha256 sha;
	const rstar_cancel *cancel;
} stream;

static rstar_status
put(stream *s, const void *bytes, size_t length, rstar_error *err)
{
	const uint8_t *at = bytes;

	while (length > 0)
	{
		ssize_t n = write(s->fd, at, length < PIECE ? length : PIECE);

		if (n < 0 && errno != EINTR)
			return rstar_error_set(err, RSTAR_ERR_IO, "could not write checkpoint: %s",
								   strerror(errno));
		if (n > 0)
		{
			rstar_sha256_update(&s->sha, at, (size_t) n);
			at += n;
			length -= (size_t) n;
		}
		if (rstar_cancel_requested(s->cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "writing a checkpoint was cancelled");
	}
	return RSTAR_OK;
}

static rstar_status
get(stream *s, void *bytes, size_t length, rstar_error *err)
{
	uint8_t *at = bytes;

	while (length > 0)
	{
		ssize_t n = read(s->fd, at, length < PIECE ? length : PIECE);

		if (n < 0 && errno != EINTR)
			return rstar_error_set(err, RSTAR_ERR_IO, "could not read checkpoint: %s",
								   strerror(errno));
		if (n == 0)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "checkpoint ends too early");
		if (n > 0)
		{
			rstar_sha256_update(&s->sha, at, (size_t) n);
			at += n;
			length -= (size_t) n;
		}
		if (rstar_cancel_requested(s->cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "reading a checkpoint was cancelled");
	}
	return RSTAR_OK;
}

static rstar_status
write_file(int fd, uint64_t step, const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
		   const rstar_checkpoint_part *parts, uint32_t n, const rstar_cancel *cancel,
		   rstar_error *err)
{
	stream s = {.fd = fd, .cancel = cancel};
	header h = {.version = VERSION, .n_parts = n, .step = step};
	uint8_t digest[RSTAR_SHA256_SIZE];
	rstar_status st;

	memcpy(h.magic, magic, sizeof h.magic);
	memcpy(h.fingerprint, fingerprint, sizeof h.fingerprint);
	for (uint32_t i = 0; i < n; i++)
		h.sizes[i] = parts[i].size;
	rstar_sha256_init(&s.sha);
	st = put(&s, &h, FIXED_BYTES + n * sizeof *h.sizes, err);
	for (uint32_t i = 0; i < n && st == RSTAR_OK; i++)
		st = put(&s, parts[i].data, parts[i].size, err);
	if (st != RSTAR_OK)
		return st;
	rstar_sha256_finish(&s.sha, digest);
	rstar_sha256_init(&s.sha);
	st = put(&s, digest, sizeof digest, err);
	if (st == RSTAR_OK && fsync(fd) != 0)
		st = rstar_error_set(err, RSTAR_ERR_IO, "could not sync checkpoint: %s", strerror(errno));
	return st;
}

static rstar_status
check_header(const header *h, const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
			 const rstar_checkpoint_part *parts, uint32_t n, rstar_error *err)
{
	if (memcmp(h->magic, magic, sizeof magic) != 0)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "file is not a checkpoint");
	if (h->version != VERSION)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "checkpoint has version %u instead of %u",
							   h->version, VERSION);
	if (memcmp(h->fingerprint, fingerprint, sizeof h->fingerprint) != 0 || h->n_parts != n)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "checkpoint belongs to another run");
	for (uint32_t i = 0; i < n; i++)
		if (h->sizes[i] != parts[i].size)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT,
								   "part %u of the checkpoint has %llu bytes instead of %zu", i,
								   (unsigned long long) h->sizes[i], parts[i].size);
	return RSTAR_OK;
}

rstar_status
rstar_checkpoint_read(int fd, uint64_t *step, const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
					  const rstar_checkpoint_part *parts, uint32_t n, const rstar_cancel *cancel,
					  rstar_error *err)
{
	stream s = {.fd = fd, .cancel = cancel};
	header h = {.version = 0};
	uint8_t digest[RSTAR_SHA256_SIZE], stored[RSTAR_SHA256_SIZE];
	rstar_status st;

	rstar_sha256_init(&s.sha);
	st = get(&s, &h, FIXED_BYTES + n * sizeof *h.sizes, err);
	if (st == RSTAR_OK)
		st = check_header(&h, fingerprint, parts, n, err);
	for (uint32_t i = 0; i < n && st == RSTAR_OK; i++)
		st = get(&s, parts[i].data, parts[i].size, err);
	if (st != RSTAR_OK)
		return st;
	rstar_sha256_finish(&s.sha, digest);
	rstar_sha256_init(&s.sha);
	st = get(&s, stored, sizeof stored, err);
	if (st == RSTAR_OK && memcmp(digest, stored, sizeof digest) != 0)
		st = rstar_error_set(err, RSTAR_ERR_CORRUPT, "checkpoint does not match its checksum");
	if (st == RSTAR_OK)
		*step = h.step;
	return st;
}

/* --- the directory ---------------------------------------------------------------------- */

/* Whether a file name is that of a finished checkpoint of the run; its step. */
static bool
is_checkpoint(const char *file, const char *name, uint64_t *step)
{
	size_t length = strlen(name);
	char *end;

	if (strncmp(file, name, length) != 0 || file[length] != '-' || file[length + 1] < '0' ||
		file[length + 1] > '9')
		return false;
	errno = 0;
	*step = strtoull(file + length + 1, &end, 10);
	return errno == 0 && strcmp(end, SUFFIX) == 0;
}

/* The newest checkpoint of a run with a step below *before; false: none. Sets *before. */
static bool
find_newest(int directory, const char *name, uint64_t *before)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	uint64_t newest = 0, step;
	bool found = false;

	if (!dir)
	{
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((entry = readdir(dir)) != NULL)
		if (is_checkpoint(entry->d_name, name, &step) && step < *before &&
			(!found || step > newest))
		{
			found = true;
			newest = step;
		}
	closedir(dir);
	if (found)
		*before = newest;
	return found;
}

static void
file_name(const char *name, uint64_t step, const char *before, char text[NAME_SIZE])
{
	snprintf(text, NAME_SIZE, "%s%s-%llu%s", before, name, (unsigned long long) step, SUFFIX);
}

static rstar_status
open_directory(const char *path, bool create, int *directory, rstar_error *err)
{
	if (create && mkdir(path, 0700) != 0 && errno != EEXIST)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not create directory \"%s\": %s", path,
							   strerror(errno));
	*directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*directory < 0)
		return rstar_error_set(err, errno == ENOENT ? RSTAR_ERR_NOT_FOUND : RSTAR_ERR_IO,
							   "could not open directory \"%s\": %s", path, strerror(errno));
	return RSTAR_OK;
}

/* Remove all but the newest `kept` of a run's checkpoints. */
static void
remove_old(int directory, const char *name, int kept)
{
	uint64_t before = UINT64_MAX;
	char file[NAME_SIZE];

	for (int i = 0; find_newest(directory, name, &before); i++)
	{
		file_name(name, before, "", file);
		if (i >= kept)
			unlinkat(directory, file, 0);
	}
}

static rstar_status
write_named(int directory, const char *name, uint64_t step,
			const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES], const rstar_checkpoint_part *parts,
			uint32_t n, const rstar_cancel *cancel, rstar_error *err)
{
	char unfinished[NAME_SIZE], finished[NAME_SIZE];
	rstar_status st;
	int fd;

	/* One unfinished file per run: a crash leaves at most this, the next save takes its place. */
	snprintf(unfinished, sizeof unfinished, ".%s%s", name, SUFFIX);
	file_name(name, step, "", finished);
	fd = openat(directory, unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not create checkpoint: %s",
							   strerror(errno));
	st = write_file(fd, step, fingerprint, parts, n, cancel, err);
	if (close(fd) != 0 && st == RSTAR_OK)
		st = rstar_error_set(err, RSTAR_ERR_IO, "could not close checkpoint: %s", strerror(errno));
	if (st == RSTAR_OK &&
		(renameat(directory, unfinished, directory, finished) != 0 || fsync(directory) != 0))
		st = rstar_error_set(err, RSTAR_ERR_IO, "could not rename checkpoint: %s", strerror(errno));
	if (st != RSTAR_OK)
		unlinkat(directory, unfinished, 0);
	return st;
}

rstar_status
rstar_checkpoint_save(const char *directory, const char *name, uint64_t step,
					  const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
					  const rstar_checkpoint_part *parts, uint32_t n, const rstar_cancel *cancel,
					  rstar_error *err)
{
	rstar_status st;
	int fd;

	if (n > MAX_PARTS || strlen(name) > NAME_SIZE / 2)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "checkpoint \"%s\" cannot be written",
							   name);
	st = open_directory(directory, true, &fd, err);
	if (st != RSTAR_OK)
		return st;
	st = write_named(fd, name, step, fingerprint, parts, n, cancel, err);
	if (st == RSTAR_OK)
		remove_old(fd, name, KEPT);
	close(fd);
	return st;
}

static rstar_status
load_step(int directory, const char *name, uint64_t step,
		  const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES], const rstar_checkpoint_part *parts,
		  uint32_t n, const rstar_cancel *cancel, rstar_error *err)
{
	char file[NAME_SIZE];
	uint64_t stored;
	rstar_status st;
	int fd;

	file_name(name, step, "", file);
	fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not open checkpoint \"%s\": %s", file,
							   strerror(errno));
	st = rstar_checkpoint_read(fd, &stored, fingerprint, parts, n, cancel, err);
	if (st == RSTAR_OK && stored != step)
		st = rstar_error_set(err, RSTAR_ERR_CORRUPT, "checkpoint \"%s\" is of step %llu", file,
							 (unsigned long long) stored);
	close(fd);
	return st;
}

rstar_status
rstar_checkpoint_load(const char *directory, const char *name, uint64_t *step,
					  const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
					  const rstar_checkpoint_part *parts, uint32_t n, const rstar_cancel *cancel,
					  rstar_error *err)
{
	uint64_t before = UINT64_MAX;
	rstar_error later;
	rstar_status st, newest = RSTAR_OK;
	int fd;

	if (n > MAX_PARTS)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "checkpoints have fewer parts");
	st = open_directory(directory, false, &fd, err);
	if (st != RSTAR_OK)
		return st;
	st = rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "there is no checkpoint \"%s\"", name);
	while (st != RSTAR_OK && st != RSTAR_ERR_CANCELLED && find_newest(fd, name, &before))
	{
		/* Of several bad ones, the newest says why. */
		st = load_step(fd, name, before, fingerprint, parts, n, cancel,
					   newest == RSTAR_OK ? err : &later);
		newest = newest == RSTAR_OK ? st : newest;
	}
	if (st == RSTAR_OK)
		*step = before;
	close(fd);
	return st == RSTAR_OK || newest == RSTAR_OK ? st : newest;
}

void
rstar_checkpoint_remove(const char *directory, const char *name)
{
	char unfinished[NAME_SIZE];
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	snprintf(unfinished, sizeof unfinished, ".%.100s%s", name, SUFFIX);
	unlinkat(fd, unfinished, 0);
	remove_old(fd, name, 0);
	close(fd);
}

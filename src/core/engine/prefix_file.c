/*
 * prefix_file.c
 *	  Keys and values of a kept beginning in a file that processes map.
 */
#include "core/engine/prefix_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/engine/internal.h"

#define MAGIC       "rstarKV1"
#define PAGE        ((uint64_t) 4096)
#define NAME_BYTES  96
#define STALE_S     600 /* an unfinished file so old was left by a crash */
#define UNFINISHED  ".kv.tmp"
#define MOST_TOKENS (1u << 20)

typedef struct head
{
	char magic[8];
	char model[64];
	uint32_t layout;
	uint32_t family;
	uint32_t kv_type;
	uint32_t n_tokens;
	uint64_t block_bytes;
	uint64_t data_at;
	uint64_t file_bytes;
	uint64_t checksum; /* of everything behind the head */
	char reserved[136];
} head;

_Static_assert(sizeof(head) == 256, "the head has 256 bytes");

/* Four streams of multiply and fold over 64-bit words; finds damage, not forgery. */
static uint64_t
checksum(const void *data, size_t bytes, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t lane[4] = {seed, seed ^ 0x9e3779b97f4a7c15u, seed + 1, ~seed};
	uint64_t word;

	for (; bytes >= 32; bytes -= 32, p += 32)
		for (int l = 0; l < 4; l++)
		{
			memcpy(&word, p + 8 * l, sizeof word);
			lane[l] = (lane[l] ^ word) * 0xff51afd7ed558ccdu;
			lane[l] ^= lane[l] >> 32;
		}
	for (; bytes > 0; bytes--, p++)
		lane[0] = (lane[0] ^ *p) * 0xc4ceb9fe1a85ec53u;
	for (int l = 1; l < 4; l++)
		lane[0] = (lane[0] ^ lane[l]) * 0xff51afd7ed558ccdu ^ lane[0] >> 29;
	return lane[0];
}

/* The head that the node's file must have, but for its checksum. */
static void
make_head(const rstar_engine *engine, const rstar_kv_node *node, const rstar_prefix_store *store,
		  head *h)
{
	uint64_t n = rstar_kv_node_count(node);

	memset(h, 0, sizeof *h);
	memcpy(h->magic, MAGIC, sizeof h->magic);
	memcpy(h->model, store->model, strnlen(store->model, sizeof h->model));
	h->layout = RSTAR_KV_LAYOUT;
	h->family = (uint32_t) engine->kernels->family;
	h->kv_type = (uint32_t) rstar_kv_storage(engine->kv);
	h->n_tokens = (uint32_t) n;
	h->block_bytes = rstar_kv_block_bytes(engine->kv);
	h->data_at = (sizeof *h + n * sizeof(int32_t) + PAGE - 1) / PAGE * PAGE;
	h->file_bytes = h->data_at + n / RSTAR_KV_BLOCK * h->block_bytes;
}

/* The file's name: the model's checksum, and a hash of all else that it depends on. */
static void
make_name(const head *h, const rstar_kv_node *node, char name[NAME_BYTES])
{
	uint64_t hash = checksum(h, sizeof *h, 1);

	hash = checksum(rstar_kv_node_tokens(node), h->n_tokens * sizeof(int32_t), hash);
	snprintf(name, NAME_BYTES, "%.32s.%016llx%s", h->model, (unsigned long long) hash,
			 RSTAR_PREFIX_SUFFIX);
}

static bool
usable(const rstar_kv_node *node, const rstar_prefix_store *store)
{
	uint32_t n = rstar_kv_node_count(node);

	return store->most_bytes > 0 && n > 0 && n <= MOST_TOKENS && n % RSTAR_KV_BLOCK == 0 &&
		   rstar_kv_node_start(node) == 0;
}

/* --- reading ---------------------------------------------------------------------- */

/* Is the mapped file the one that the node wants, whole and undamaged? */
static bool
is_sound(const uint8_t *map, const head *wanted, const rstar_kv_node *node)
{
	head found;

	memcpy(&found, map, sizeof found);

	uint64_t sum = found.checksum;

	found.checksum = 0;
	return memcmp(&found, wanted, sizeof found) == 0 &&
		   memcmp(map + sizeof found, rstar_kv_node_tokens(node),
				  wanted->n_tokens * sizeof(int32_t)) == 0 &&
		   checksum(map + sizeof found, wanted->file_bytes - sizeof found, 2) == sum;
}

/*
 * Any failure means only that the beginning is computed, so none is reported. The file is
 * trusted after its head, its size and its checksum agree, and one that does not is removed
 * for the next process to write anew. The map is kept as long as the engine, as the node
 * borrows its memory.
 */
bool
rstar_prefix_load(rstar_engine *engine, rstar_kv_node *node, const rstar_prefix_store *store)
{
	char name[NAME_BYTES];
	struct stat info;
	head wanted;
	void *map = MAP_FAILED;
	bool sound = false;
	int directory, fd;

	if (!usable(node, store) || rstar_kv_node_computed(node) > 0 ||
		engine->n_maps == RSTAR_PREFIX_MAPS)
		return false;
	make_head(engine, node, store, &wanted);
	make_name(&wanted, node, name);
	directory = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return false;
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
	{
		if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
			(uint64_t) info.st_size == wanted.file_bytes)
			map = mmap(NULL, wanted.file_bytes, PROT_READ, MAP_SHARED, fd, 0);
		sound = map != MAP_FAILED && is_sound(map, &wanted, node) &&
				rstar_kv_node_borrow(node, (const uint8_t *) map + wanted.data_at);
		if (sound)
		{
			engine->maps[engine->n_maps].base = map;
			engine->maps[engine->n_maps++].bytes = wanted.file_bytes;
		}
		else
		{
			if (map != MAP_FAILED)
				munmap(map, wanted.file_bytes);
			(void) unlinkat(directory, name, 0);
		}
		close(fd);
	}
	close(directory);
	return sound;
}

void
rstar_prefix_unmap(rstar_engine *engine)
{
	for (uint32_t i = 0; i < engine->n_maps; i++)
		munmap(engine->maps[i].base, engine->maps[i].bytes);
	engine->n_maps = 0;
}

/* --- writing ---------------------------------------------------------------------- */

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* Remove the oldest files until `bytes` more fit; and what crashes have left unfinished. */
static bool
make_room(int directory, uint64_t bytes, uint64_t most)
{
	for (;;)
	{
		char oldest[NAME_BYTES] = "";
		int64_t oldest_time = INT64_MAX;
		uint64_t total = bytes;
		int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
		struct dirent *entry;
		struct stat info;

		if (!list)
		{
			if (copy >= 0)
				close(copy);
			return false;
		}
		while ((entry = readdir(list)) != NULL)
		{
			bool unfinished = has_suffix(entry->d_name, UNFINISHED);

			if ((!unfinished && !has_suffix(entry->d_name, RSTAR_PREFIX_SUFFIX)) ||
				strlen(entry->d_name) >= NAME_BYTES ||
				fstatat(directory, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
				continue;
			if (unfinished && time(NULL) - info.st_mtime > STALE_S)
				(void) unlinkat(directory, entry->d_name, 0);
			if (unfinished)
				continue;
			total += (uint64_t) info.st_size;
			if ((int64_t) info.st_mtime < oldest_time)
			{
				oldest_time = (int64_t) info.st_mtime;
				strcpy(oldest, entry->d_name); /* shorter, as was seen */
			}
		}
		closedir(list);
		if (total <= most)
			return true;
		if (!oldest[0] || unlinkat(directory, oldest, 0) != 0)
			return false;
	}
}

static bool
write_all(int fd, const void *data, size_t bytes)
{
	const char *p = data;

	while (bytes > 0)
	{
		ssize_t n = write(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		bytes -= (size_t) n;
	}
	return true;
}

/*
 * Head, tokens, padding, blocks; the checksum is known at the end. Nothing waits for the
 * disk: what a crash leaves damaged the checksum finds.
 */
static bool
write_file(int fd, head *h, const rstar_kv_node *node)
{
	uint8_t *image =
		mmap(NULL, h->data_at, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t n_blocks = h->n_tokens / RSTAR_KV_BLOCK;
	bool done = image != MAP_FAILED;

	if (!done)
		return false;
	memcpy(image + sizeof *h, rstar_kv_node_tokens(node), h->n_tokens * sizeof(int32_t));
	done = write_all(fd, image, h->data_at);
	for (uint32_t i = 0; i < n_blocks && done; i++)
		done = write_all(fd, rstar_kv_node_block(node, i), h->block_bytes);
	munmap(image, h->data_at);
	if (!done)
		return false;

	void *map = mmap(NULL, h->file_bytes, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return false;
	h->checksum = checksum((const uint8_t *) map + sizeof *h, h->file_bytes - sizeof *h, 2);
	munmap(map, h->file_bytes);
	return pwrite(fd, h, sizeof *h, 0) == (ssize_t) sizeof *h && fchmod(fd, 0400) == 0;
}

/*
 * Written under another name and renamed, so that no process ever maps a half-written file.
 * O_EXCL makes one process the writer; the others go on without. The file stays within the
 * store's bound, or is not written.
 */
bool
rstar_prefix_save(rstar_engine *engine, const rstar_kv_node *node, const rstar_prefix_store *store)
{
	char name[NAME_BYTES], unfinished[NAME_BYTES + 8];
	struct stat info;
	head h;
	bool done = false;
	int directory, fd;

	if (!usable(node, store) || rstar_kv_node_is_borrowed(node) ||
		rstar_kv_node_computed(node) < rstar_kv_node_count(node))
		return false;
	make_head(engine, node, store, &h);
	make_name(&h, node, name);
	snprintf(unfinished, sizeof unfinished, "%s.tmp", name);
	directory = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return false;
	if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0 &&
		h.file_bytes <= store->most_bytes && make_room(directory, h.file_bytes, store->most_bytes))
	{
		fd =
			openat(directory, unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
		{
			done =
				write_file(fd, &h, node) && renameat(directory, unfinished, directory, name) == 0;
			if (!done)
				(void) unlinkat(directory, unfinished, 0);
			close(fd);
		}
	}
	close(directory);
	return done;
}

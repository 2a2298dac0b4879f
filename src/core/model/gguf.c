/*
 * gguf.c
 *	  Opening GGUF files.
 *
 * The whole file is mapped; a reader (gguf_read.c) walks its header once. What
 * the walk finds goes into two arrays, keys and tensors, each with an index sorted by name, which finds
 * duplicates and serves look-ups without a worst case that a file could provoke.
 */
#include "core/model/gguf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/tensor/quants.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are used where they lie");

#define DEFAULT_ALIGNMENT  32
#define SMALLEST_ALIGNMENT 8
#define LARGEST_ALIGNMENT  ((uint64_t) 1 << 20)
#define MAX_ENTRIES        65536 /* keys, and tensors; sorting so many takes some 0.1 s */
#define CHECK_SLICE_BYTES  ((size_t) 1 << 20)

static rstar_status
sort_entries(const void **index, uint64_t n, const char *what, rstar_error *err)
{
	char text[84];

	qsort(index, n, sizeof *index, rstar_gguf_compare_entries);
	for (uint64_t i = 1; i < n; i++)
		if (rstar_gguf_compare_entries(&index[i - 1], &index[i]) == 0)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "%s \"%s\" appears twice", what,
								   rstar_gguf_printable(*(const rstar_string *) index[i], text));
	return RSTAR_OK;
}

/* --- opening --------------------------------------------------------------- */

/*
 * A version with its low half zero is one of a file in the other byte order: version 3 reads
 * as 0x03000000 there. Versions 2 and 3 have the same layout for what is read here.
 */
static rstar_status
read_preamble(rstar_gguf *gguf, gguf_reader *reader)
{
	uint32_t version;
	rstar_status st;

	if (rstar_gguf_bytes_left(reader) < 4 || memcmp(reader->at, "GGUF", 4) != 0)
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "file is not a GGUF file");
	reader->at += 4;
	st = rstar_gguf_read_u32(reader, &version, "the header");
	if (st != RSTAR_OK)
		return st;
	if (version != 0 && (version & 0xffff) == 0)
		return rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
							   "GGUF file was written with the other byte order");
	if (version != 2 && version != 3)
		return rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
							   "GGUF version %u is not supported", version);
	st = rstar_gguf_read_u64(reader, &gguf->n_tensors, "the header");
	if (st == RSTAR_OK)
		st = rstar_gguf_read_u64(reader, &gguf->n_keys, "the header");
	if (st != RSTAR_OK)
		return st;

	/* a key takes at least 14 bytes, a tensor 33: no allocation beyond reason */
	if (gguf->n_keys > rstar_gguf_bytes_left(reader) / 14 ||
		gguf->n_tensors > (rstar_gguf_bytes_left(reader) - gguf->n_keys * 14) / 33)
		return rstar_error_set(
			reader->err, RSTAR_ERR_CORRUPT, "model file claims %llu keys and %llu tensors",
			(unsigned long long) gguf->n_keys, (unsigned long long) gguf->n_tensors);
	if (gguf->n_keys > MAX_ENTRIES || gguf->n_tensors > MAX_ENTRIES)
	{
		rstar_error_set(reader->err, RSTAR_ERR_LIMIT, "model file has too many keys or tensors");
		return rstar_error_detail(
			reader->err, "It has %llu keys and %llu tensors; at most %d of each are read.",
			(unsigned long long) gguf->n_keys, (unsigned long long) gguf->n_tensors, MAX_ENTRIES);
	}
	return RSTAR_OK;
}

static rstar_status
read_keys(rstar_gguf *gguf, gguf_reader *reader)
{
	rstar_status st;
	uint64_t alignment = DEFAULT_ALIGNMENT;

	gguf->keys = rstar_alloc_array_zero(gguf->allocator, gguf->n_keys, sizeof *gguf->keys);
	gguf->sorted_keys =
		rstar_alloc_array_zero(gguf->allocator, gguf->n_keys, sizeof *gguf->sorted_keys);
	if (!gguf->keys || !gguf->sorted_keys)
		return rstar_error_memory(reader->err, gguf->n_keys * sizeof *gguf->keys);
	for (uint64_t i = 0; i < gguf->n_keys; i++)
	{
		st = rstar_gguf_read_key(reader, &gguf->keys[i]);
		if (st != RSTAR_OK)
			return st;
		gguf->sorted_keys[i] = &gguf->keys[i];
	}
	st = sort_entries((const void **) gguf->sorted_keys, gguf->n_keys, "key", reader->err);
	if (st != RSTAR_OK)
		return st;
	if (rstar_gguf_find_key(gguf, "general.alignment") &&
		(!rstar_gguf_get_u64(gguf, "general.alignment", &alignment) ||
		 alignment < SMALLEST_ALIGNMENT || alignment > LARGEST_ALIGNMENT ||
		 (alignment & (alignment - 1)) != 0))
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							   "key \"general.alignment\" is not a power of two from %d to %llu",
							   SMALLEST_ALIGNMENT, (unsigned long long) LARGEST_ALIGNMENT);
	gguf->alignment = alignment;
	return RSTAR_OK;
}

static int
compare_places(const void *a, const void *b)
{
	const rstar_gguf_tensor *const *first = a;
	const rstar_gguf_tensor *const *second = b;

	return ((*first)->data > (*second)->data) - ((*first)->data < (*second)->data);
}

static rstar_status
check_overlap(const rstar_gguf *gguf, rstar_error *err)
{
	const rstar_gguf_tensor **order = gguf->sorted_tensors; /* by place, for now */
	char text[84];
	char other[84];

	qsort(order, gguf->n_tensors, sizeof *order, compare_places);
	for (uint64_t i = 1; i < gguf->n_tensors; i++)
		if ((const uint8_t *) order[i]->data - (const uint8_t *) order[i - 1]->data <
			(int64_t) order[i - 1]->bytes)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "tensors \"%s\" and \"%s\" overlap",
								   rstar_gguf_printable(order[i - 1]->name, text),
								   rstar_gguf_printable(order[i]->name, other));
	return RSTAR_OK;
}

/* Offsets of all tensors wait in `offsets`; the data begin after the header. */
static rstar_status
place_tensors(rstar_gguf *gguf, gguf_reader *reader, const uint64_t *offsets)
{
	char text[84];
	uint64_t start =
		((uint64_t) (reader->at - reader->start) + gguf->alignment - 1) & ~(gguf->alignment - 1);
	uint64_t room = start < gguf->size ? gguf->size - start : 0;

	for (uint64_t i = 0; i < gguf->n_tensors; i++)
	{
		rstar_gguf_tensor *tensor = &gguf->tensors[i];

		if (offsets[i] % gguf->alignment != 0)
			return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
								   "tensor \"%s\" lies at offset %llu, no multiple of %llu",
								   rstar_gguf_printable(tensor->name, text),
								   (unsigned long long) offsets[i],
								   (unsigned long long) gguf->alignment);
		if (offsets[i] > room || tensor->bytes > room - offsets[i])
		{
			rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							"tensor \"%s\" lies beyond the end of the file",
							rstar_gguf_printable(tensor->name, text));
			return rstar_error_detail(
				reader->err, "It has %llu bytes at offset %llu; the file has room for %llu.",
				(unsigned long long) tensor->bytes, (unsigned long long) offsets[i],
				(unsigned long long) room);
		}
		tensor->data = gguf->map + start + offsets[i];
		gguf->sorted_tensors[i] = tensor;
	}
	return check_overlap(gguf, reader->err);
}

static rstar_status
read_tensors(rstar_gguf *gguf, gguf_reader *reader)
{
	uint64_t n = gguf->n_tensors;
	uint64_t *offsets = rstar_alloc_array(gguf->allocator, n, sizeof *offsets);
	rstar_status st = RSTAR_OK;

	gguf->tensors = rstar_alloc_array_zero(gguf->allocator, n, sizeof *gguf->tensors);
	gguf->sorted_tensors = rstar_alloc_array_zero(gguf->allocator, n, sizeof *gguf->sorted_tensors);
	if (!offsets || !gguf->tensors || !gguf->sorted_tensors)
		st = rstar_error_memory(reader->err, n * sizeof *gguf->tensors);
	for (uint64_t i = 0; i < n && st == RSTAR_OK; i++)
		st = rstar_gguf_read_tensor(reader, &gguf->tensors[i], &offsets[i]);
	if (st == RSTAR_OK)
		st = place_tensors(gguf, reader, offsets);
	if (st == RSTAR_OK)
		st = sort_entries((const void **) gguf->sorted_tensors, n, "tensor", reader->err);
	rstar_free(gguf->allocator, offsets);
	return st;
}

/* Takes over the map if `mapped`, also on failure. */
static rstar_status
open_bytes(const uint8_t *bytes, size_t size, bool mapped, const rstar_allocator *allocator,
		   const rstar_cancel *cancel, rstar_gguf **out, rstar_error *err)
{
	gguf_reader reader = {bytes, bytes, bytes + size, 0, cancel, err};
	rstar_gguf *gguf = rstar_alloc_zero(allocator, sizeof *gguf);
	rstar_status st;

	if (!gguf)
	{
		if (mapped)
			munmap((void *) bytes, size);
		return rstar_error_memory(err, sizeof *gguf);
	}
	gguf->allocator = allocator;
	gguf->map = bytes;
	gguf->size = size;
	gguf->mapped = mapped;
	st = read_preamble(gguf, &reader);
	if (st == RSTAR_OK)
		st = read_keys(gguf, &reader);
	if (st == RSTAR_OK)
		st = read_tensors(gguf, &reader);
	if (st != RSTAR_OK)
	{
		rstar_gguf_close(gguf);
		return st;
	}
	*out = gguf;
	return RSTAR_OK;
}

rstar_status
rstar_gguf_open_memory(const void *bytes, size_t length, const rstar_allocator *allocator,
					   rstar_gguf **out, rstar_error *err)
{
	*out = NULL;
	if ((uintptr_t) bytes % SMALLEST_ALIGNMENT != 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "model bytes are not aligned");
	return open_bytes(bytes, length, false, allocator, NULL, out, err);
}

rstar_status
rstar_gguf_open_fd(int fd, const rstar_allocator *allocator, const rstar_cancel *cancel,
				   rstar_gguf **out, rstar_error *err)
{
	struct stat info;
	void *map;

	*out = NULL;
	if (fstat(fd, &info) != 0)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not stat model file: %s", strerror(errno));
	if (!S_ISREG(info.st_mode))
		return rstar_error_set(err, RSTAR_ERR_DENIED, "model file is not a regular file");
	if (info.st_size == 0)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "model file is empty");
	if ((uint64_t) info.st_size > SIZE_MAX / 2)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "model file is too large to be mapped");
	map = mmap(NULL, (size_t) info.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not map model file: %s", strerror(errno));
	return open_bytes(map, (size_t) info.st_size, true, allocator, cancel, out, err);
}

rstar_status
rstar_gguf_open(const char *path, const rstar_allocator *allocator, rstar_gguf **out,
				rstar_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	rstar_status st;

	*out = NULL;
	if (fd < 0)
		return rstar_error_set(err, errno == ENOENT ? RSTAR_ERR_NOT_FOUND : RSTAR_ERR_IO,
							   "could not open model file \"%s\": %s", path, strerror(errno));
	st = rstar_gguf_open_fd(fd, allocator, NULL, out, err);
	close(fd);
	return st;
}

void
rstar_gguf_close(rstar_gguf *gguf)
{
	if (!gguf)
		return;
	if (gguf->mapped)
		munmap((void *) gguf->map, gguf->size);
	rstar_free(gguf->allocator, gguf->keys);
	rstar_free(gguf->allocator, gguf->sorted_keys);
	rstar_free(gguf->allocator, gguf->tensors);
	rstar_free(gguf->allocator, gguf->sorted_tensors);
	rstar_free(gguf->allocator, gguf);
}

uint64_t
rstar_gguf_file_size(const rstar_gguf *gguf)
{
	return gguf->size;
}

const void *
rstar_gguf_map(const rstar_gguf *gguf)
{
	return gguf->map;
}

/* --- contents -------------------------------------------------------------- */

static rstar_status
check_tensor(const rstar_gguf_tensor *tensor, const rstar_cancel *cancel, rstar_error *err)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) tensor->type);
	uint64_t blocks = info ? tensor->bytes / info->bytes : 0; /* of a type that we cannot read */
	uint64_t slice = info ? CHECK_SLICE_BYTES / info->bytes : 1;

	for (uint64_t start = 0; start < blocks; start += slice)
	{
		uint64_t n = blocks - start < slice ? blocks - start : slice;
		const uint8_t *data = (const uint8_t *) tensor->data + start * info->bytes;
		uint64_t bad = rstar_quants_find_bad(tensor->type, data, n * info->block);

		if (bad < n * info->block)
		{
			char text[84];

			bad += start * info->block;
			rstar_error_set(err, RSTAR_ERR_CORRUPT, "tensor \"%s\" contains NaN or infinity",
							rstar_gguf_printable(tensor->name, text));
			return rstar_error_detail(err, "First at row %llu, column %llu.",
									  (unsigned long long) (bad / tensor->dims[0]),
									  (unsigned long long) (bad % tensor->dims[0]));
		}
		if (rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "checking a model was cancelled");
	}
	return RSTAR_OK;
}

rstar_status
rstar_gguf_check_data(const rstar_gguf *gguf, const rstar_cancel *cancel, rstar_error *err)
{
	for (uint64_t i = 0; i < gguf->n_tensors; i++)
	{
		rstar_status st = check_tensor(&gguf->tensors[i], cancel, err);

		if (st != RSTAR_OK)
			return st;
	}
	return RSTAR_OK;
}

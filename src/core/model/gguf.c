/*
 * gguf.c
 *	  Reading GGUF files.
 *
 * The whole file is mapped; a reader walks its header once. Every step of the
 * walk asks first whether the bytes are there, so a length or count from the
 * file never moves the reader beyond the end. What the walk finds goes into two
 * arrays, keys and tensors, each with an index sorted by name, which finds
 * duplicates and serves look-ups without a worst case that a file could provoke.
 */
#include "core/model/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/tensor/quants.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are used where they lie");

#define DEFAULT_ALIGNMENT  32
#define SMALLEST_ALIGNMENT 8
#define LARGEST_ALIGNMENT  ((uint64_t) 1 << 20)
#define MAX_KEY_LENGTH     65535
#define MAX_NAME_LENGTH    255
#define MAX_ENTRIES        ((uint64_t) 1 << 20) /* keys, and tensors */
#define CHECK_SLICE_BYTES  ((size_t) 1 << 20)

typedef struct gguf_key
{
	rstar_string name; /* first: sorted alike with tensors */
	rstar_gguf_type type;
	const uint8_t *value;
	uint64_t bytes;
	rstar_gguf_array array; /* if type is ARRAY */
} gguf_key;

struct rstar_gguf
{
	const rstar_allocator *allocator;
	const uint8_t *map;
	size_t size;
	bool mapped; /* by us */
	uint64_t alignment;
	gguf_key *keys;
	const gguf_key **sorted_keys;
	uint64_t n_keys;
	rstar_gguf_tensor *tensors;
	const rstar_gguf_tensor **sorted_tensors;
	uint64_t n_tensors;
};

/* --- walking the header ---------------------------------------------------- */

typedef struct gguf_reader
{
	const uint8_t *at;
	const uint8_t *start;
	const uint8_t *end;
	rstar_error *err;
} gguf_reader;

static rstar_status
truncated(gguf_reader *reader, const char *what)
{
	rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "model file ends within %s", what);
	rstar_error_detail(reader->err, "At byte %zu of %zu.", (size_t) (reader->at - reader->start),
					   (size_t) (reader->end - reader->start));
	return RSTAR_ERR_CORRUPT;
}

static inline size_t
bytes_left(const gguf_reader *reader)
{
	return (size_t) (reader->end - reader->at);
}

static inline uint32_t
load_u32(const void *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

static inline uint64_t
load_u64(const void *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

static rstar_status
read_u32(gguf_reader *reader, uint32_t *value, const char *what)
{
	if (bytes_left(reader) < sizeof *value)
		return truncated(reader, what);
	*value = load_u32(reader->at);
	reader->at += sizeof *value;
	return RSTAR_OK;
}

static rstar_status
read_u64(gguf_reader *reader, uint64_t *value, const char *what)
{
	if (bytes_left(reader) < sizeof *value)
		return truncated(reader, what);
	*value = load_u64(reader->at);
	reader->at += sizeof *value;
	return RSTAR_OK;
}

static rstar_status
read_string(gguf_reader *reader, rstar_string *string, const char *what)
{
	uint64_t length;
	rstar_status st = read_u64(reader, &length, what);

	if (st != RSTAR_OK)
		return st;
	if (length > bytes_left(reader))
		return truncated(reader, what);
	string->data = (const char *) reader->at;
	string->length = (size_t) length;
	reader->at += length;
	return RSTAR_OK;
}

/* A name from the file, made fit for a message: printable ASCII, cut at 80. */
static const char *
printable(rstar_string name, char buffer[84])
{
	size_t length = name.length < 80 ? name.length : 80;

	for (size_t i = 0; i < length; i++)
		buffer[i] = name.data[i] >= 32 && name.data[i] < 127 ? name.data[i] : '?';
	strcpy(buffer + length, name.length > 80 ? "..." : "");
	return buffer;
}

/* A key or tensor name: neither empty nor too long, no NUL byte. */
static rstar_status
read_name(gguf_reader *reader, rstar_string *name, size_t longest, const char *what)
{
	rstar_status st = read_string(reader, name, what);

	if (st != RSTAR_OK)
		return st;
	if (name->length == 0 || name->length > longest ||
		memchr(name->data, '\0', name->length) != NULL)
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							   "model file has an invalid %s at byte %zu", what,
							   (size_t) ((const uint8_t *) name->data - reader->start));
	return RSTAR_OK;
}

/* Bytes of a scalar type; 0 for strings, arrays and numbers we do not know. */
static size_t
scalar_size(uint32_t type)
{
	static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

	return type < sizeof sizes ? sizes[type] : 0;
}

static rstar_status
read_array(gguf_reader *reader, gguf_key *key)
{
	char text[84];
	uint32_t type;
	uint64_t count;
	rstar_status st = read_u32(reader, &type, "an array");

	if (st == RSTAR_OK)
		st = read_u64(reader, &count, "an array");
	if (st != RSTAR_OK)
		return st;
	key->array.type = (rstar_gguf_type) type;
	key->array.count = count;
	key->array.data = reader->at;
	if (type == RSTAR_GGUF_STRING)
	{
		if (count > bytes_left(reader) / sizeof(uint64_t))
			return truncated(reader, "an array of strings");
		for (uint64_t i = 0; i < count; i++)
		{
			rstar_string element;

			st = read_string(reader, &element, "an array of strings");
			if (st != RSTAR_OK)
				return st;
		}
	}
	else if (scalar_size(type) > 0)
	{
		if (count > bytes_left(reader) / scalar_size(type))
			return truncated(reader, "an array");
		reader->at += count * scalar_size(type);
	}
	else
		return rstar_error_set(
			reader->err, type == RSTAR_GGUF_ARRAY ? RSTAR_ERR_UNSUPPORTED : RSTAR_ERR_CORRUPT,
			"key \"%s\" is an array of elements of type %u", printable(key->name, text), type);
	key->array.bytes = (uint64_t) (reader->at - (const uint8_t *) key->array.data);
	return RSTAR_OK;
}

static rstar_status
read_key(gguf_reader *reader, gguf_key *key)
{
	char text[84];
	uint32_t type;
	rstar_string string;
	rstar_status st = read_name(reader, &key->name, MAX_KEY_LENGTH, "key");

	if (st == RSTAR_OK)
		st = read_u32(reader, &type, "the type of a key");
	if (st != RSTAR_OK)
		return st;
	key->type = (rstar_gguf_type) type;
	key->value = reader->at;
	if (type == RSTAR_GGUF_STRING)
		st = read_string(reader, &string, "a string");
	else if (type == RSTAR_GGUF_ARRAY)
		st = read_array(reader, key);
	else if (scalar_size(type) == 0)
		st = rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "key \"%s\" has unknown type %u",
							 printable(key->name, text), type);
	else if (scalar_size(type) > bytes_left(reader))
		st = truncated(reader, "a value");
	else
		reader->at += scalar_size(type);
	key->bytes = (uint64_t) (reader->at - key->value);
	return st;
}

/* Dimensions and type give the bytes; data holds the offset until later. */
static rstar_status
read_tensor(gguf_reader *reader, rstar_gguf_tensor *tensor, uint64_t *offset)
{
	char text[84];
	uint32_t type;
	uint64_t elements = 1;
	const rstar_type_info *info;
	rstar_status st = read_name(reader, &tensor->name, MAX_NAME_LENGTH, "tensor name");

	if (st == RSTAR_OK)
		st = read_u32(reader, &tensor->n_dims, "a tensor's description");
	if (st != RSTAR_OK)
		return st;
	printable(tensor->name, text);
	if (tensor->n_dims < 1 || tensor->n_dims > RSTAR_GGUF_MAX_DIMS)
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "tensor \"%s\" has %u dimensions",
							   text, tensor->n_dims);
	for (uint32_t i = 0; i < RSTAR_GGUF_MAX_DIMS; i++)
	{
		tensor->dims[i] = 1;
		if (i < tensor->n_dims)
			st = read_u64(reader, &tensor->dims[i], "a tensor's description");
		if (st != RSTAR_OK)
			return st;
		if (tensor->dims[i] == 0 || tensor->dims[i] > INT64_MAX ||
			__builtin_mul_overflow(elements, tensor->dims[i], &elements) || elements > INT64_MAX)
			return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
								   "tensor \"%s\" has impossible dimensions", text);
	}
	st = read_u32(reader, &type, "a tensor's description");
	if (st == RSTAR_OK)
		st = read_u64(reader, offset, "a tensor's description");
	if (st != RSTAR_OK)
		return st;
	info = rstar_type_layout(type);
	if (!info)
		return rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
							   "tensor \"%s\" has the unknown element type %u", text, type);
	if (tensor->dims[0] % info->block != 0)
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							   "tensor \"%s\" has rows of %llu elements, no multiple of %u", text,
							   (unsigned long long) tensor->dims[0], info->block);
	if (__builtin_mul_overflow(elements / info->block, (uint64_t) info->bytes, &tensor->bytes))
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							   "tensor \"%s\" has impossible dimensions", text);
	tensor->type = (rstar_type) type;
	return RSTAR_OK;
}

/* --- indices by name ------------------------------------------------------- */

static int
compare_strings(rstar_string a, rstar_string b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* Both kinds of entries begin with their name. */
static int
compare_entries(const void *a, const void *b)
{
	const rstar_string *const *first = a;
	const rstar_string *const *second = b;

	return compare_strings(**first, **second);
}

static rstar_status
sort_entries(const void **index, uint64_t n, const char *what, rstar_error *err)
{
	char text[84];

	qsort(index, n, sizeof *index, compare_entries);
	for (uint64_t i = 1; i < n; i++)
		if (compare_entries(&index[i - 1], &index[i]) == 0)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "%s \"%s\" appears twice", what,
								   printable(*(const rstar_string *) index[i], text));
	return RSTAR_OK;
}

static const void *
find_entry(const void *const *index, uint64_t n, const char *name)
{
	rstar_string wanted = {name, strlen(name)};
	const rstar_string *key = &wanted;
	const void *const *found =
		n == 0 ? NULL : bsearch(&key, index, n, sizeof *index, compare_entries);

	return found ? *found : NULL;
}

static const gguf_key *
find_key(const rstar_gguf *gguf, const char *name)
{
	return find_entry((const void *const *) gguf->sorted_keys, gguf->n_keys, name);
}

/* --- opening --------------------------------------------------------------- */

static rstar_status
read_preamble(rstar_gguf *gguf, gguf_reader *reader)
{
	uint32_t version;
	rstar_status st;

	if (bytes_left(reader) < 4 || memcmp(reader->at, "GGUF", 4) != 0)
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "file is not a GGUF file");
	reader->at += 4;
	st = read_u32(reader, &version, "the header");
	if (st != RSTAR_OK)
		return st;
	if (version != 0 && (version & 0xffff) == 0)
		return rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
							   "GGUF file was written with the other byte order");
	if (version != 2 && version != 3)
		return rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
							   "GGUF version %u is not supported", version);
	st = read_u64(reader, &gguf->n_tensors, "the header");
	if (st == RSTAR_OK)
		st = read_u64(reader, &gguf->n_keys, "the header");
	if (st != RSTAR_OK)
		return st;

	/* a key takes at least 14 bytes, a tensor 33: no allocation beyond reason */
	if (gguf->n_keys > MAX_ENTRIES || gguf->n_tensors > MAX_ENTRIES ||
		gguf->n_keys * 14 + gguf->n_tensors * 33 > bytes_left(reader))
		return rstar_error_set(
			reader->err, RSTAR_ERR_CORRUPT, "model file claims %llu keys and %llu tensors",
			(unsigned long long) gguf->n_keys, (unsigned long long) gguf->n_tensors);
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
		st = read_key(reader, &gguf->keys[i]);
		if (st != RSTAR_OK)
			return st;
		gguf->sorted_keys[i] = &gguf->keys[i];
	}
	st = sort_entries((const void **) gguf->sorted_keys, gguf->n_keys, "key", reader->err);
	if (st != RSTAR_OK)
		return st;
	if (find_key(gguf, "general.alignment") &&
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
								   printable(order[i - 1]->name, text),
								   printable(order[i]->name, other));
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
								   printable(tensor->name, text), (unsigned long long) offsets[i],
								   (unsigned long long) gguf->alignment);
		if (offsets[i] > room || tensor->bytes > room - offsets[i])
		{
			rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							"tensor \"%s\" lies beyond the end of the file",
							printable(tensor->name, text));
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
		st = read_tensor(reader, &gguf->tensors[i], &offsets[i]);
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
		   rstar_gguf **out, rstar_error *err)
{
	gguf_reader reader = {bytes, bytes, bytes + size, err};
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
	return open_bytes(bytes, length, false, allocator, out, err);
}

rstar_status
rstar_gguf_open_fd(int fd, const rstar_allocator *allocator, rstar_gguf **out, rstar_error *err)
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
	return open_bytes(map, (size_t) info.st_size, true, allocator, out, err);
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
	st = rstar_gguf_open_fd(fd, allocator, out, err);
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

/* --- values ---------------------------------------------------------------- */

/* An integer of any type, as a value and whether it is above INT64_MAX. */
static bool
load_integer(rstar_gguf_type type, const void *bytes, int64_t *value, bool *large)
{
	uint64_t bits = 0;

	*large = false;
	switch (type)
	{
		case RSTAR_GGUF_U8:
		case RSTAR_GGUF_U16:
		case RSTAR_GGUF_U32:
		case RSTAR_GGUF_U64:
			memcpy(&bits, bytes, scalar_size(type));
			*large = bits > INT64_MAX;
			*value = (int64_t) bits;
			return true;
		case RSTAR_GGUF_I8:
			*value = *(const int8_t *) bytes;
			return true;
		case RSTAR_GGUF_I16:
			*value = (int16_t) (((const uint8_t *) bytes)[0] | ((const uint8_t *) bytes)[1] << 8);
			return true;
		case RSTAR_GGUF_I32:
			*value = (int32_t) load_u32(bytes);
			return true;
		case RSTAR_GGUF_I64:
			*value = (int64_t) load_u64(bytes);
			return true;
		default:
			return false;
	}
}

bool
rstar_gguf_get_u64(const rstar_gguf *gguf, const char *key, uint64_t *value)
{
	const gguf_key *found = find_key(gguf, key);
	int64_t integer;
	bool large;

	if (!found || !load_integer(found->type, found->value, &integer, &large))
		return false;
	if (integer < 0 && !large)
		return false;
	*value = (uint64_t) integer;
	return true;
}

bool
rstar_gguf_get_i64(const rstar_gguf *gguf, const char *key, int64_t *value)
{
	const gguf_key *found = find_key(gguf, key);
	int64_t integer;
	bool large;

	if (!found || !load_integer(found->type, found->value, &integer, &large) || large)
		return false;
	*value = integer;
	return true;
}

static bool
load_float(rstar_gguf_type type, const void *bytes, double *value)
{
	if (type == RSTAR_GGUF_F32)
	{
		float single;

		memcpy(&single, bytes, sizeof single);
		*value = (double) single;
		return true;
	}
	if (type == RSTAR_GGUF_F64)
	{
		memcpy(value, bytes, sizeof *value);
		return true;
	}
	return false;
}

bool
rstar_gguf_get_f64(const rstar_gguf *gguf, const char *key, double *value)
{
	const gguf_key *found = find_key(gguf, key);

	return found && load_float(found->type, found->value, value);
}

bool
rstar_gguf_get_bool(const rstar_gguf *gguf, const char *key, bool *value)
{
	const gguf_key *found = find_key(gguf, key);

	if (!found || found->type != RSTAR_GGUF_BOOL)
		return false;
	*value = *found->value != 0;
	return true;
}

bool
rstar_gguf_get_string(const rstar_gguf *gguf, const char *key, rstar_string *value)
{
	const gguf_key *found = find_key(gguf, key);
	const char *cursor;

	if (!found || found->type != RSTAR_GGUF_STRING)
		return false;
	cursor = (const char *) found->value;
	*value = rstar_gguf_next_string(&cursor);
	return true;
}

bool
rstar_gguf_get_array(const rstar_gguf *gguf, const char *key, rstar_gguf_array *value)
{
	const gguf_key *found = find_key(gguf, key);

	if (!found || found->type != RSTAR_GGUF_ARRAY)
		return false;
	*value = found->array;
	return true;
}

rstar_string
rstar_gguf_next_string(const char **cursor)
{
	rstar_string string = {*cursor + sizeof(uint64_t), (size_t) load_u64(*cursor)};

	*cursor = string.data + string.length;
	return string;
}

int64_t
rstar_gguf_array_i64(const rstar_gguf_array *array, uint64_t i)
{
	const uint8_t *element = (const uint8_t *) array->data + i * scalar_size(array->type);
	int64_t integer;
	double real;
	bool large;

	if (load_integer(array->type, element, &integer, &large))
		return large ? INT64_MAX : integer;
	if (array->type == RSTAR_GGUF_BOOL)
		return *element != 0;
	if (load_float(array->type, element, &real) && real > -0x1p63 && real < 0x1p63)
		return (int64_t) real;
	return 0;
}

double
rstar_gguf_array_f64(const rstar_gguf_array *array, uint64_t i)
{
	const uint8_t *element = (const uint8_t *) array->data + i * scalar_size(array->type);
	double real;

	if (load_float(array->type, element, &real))
		return real;
	if (array->type == RSTAR_GGUF_U64)
		return (double) load_u64(element);
	return (double) rstar_gguf_array_i64(array, i);
}

uint64_t
rstar_gguf_n_keys(const rstar_gguf *gguf)
{
	return gguf->n_keys;
}

rstar_string
rstar_gguf_key(const rstar_gguf *gguf, uint64_t i, rstar_gguf_type *type)
{
	*type = gguf->keys[i].type;
	return gguf->keys[i].name;
}

rstar_string
rstar_gguf_value(const rstar_gguf *gguf, uint64_t i)
{
	return (rstar_string){(const char *) gguf->keys[i].value, gguf->keys[i].bytes};
}

uint64_t
rstar_gguf_n_tensors(const rstar_gguf *gguf)
{
	return gguf->n_tensors;
}

const rstar_gguf_tensor *
rstar_gguf_tensor_at(const rstar_gguf *gguf, uint64_t i)
{
	return &gguf->tensors[i];
}

const rstar_gguf_tensor *
rstar_gguf_find_tensor(const rstar_gguf *gguf, const char *name)
{
	return find_entry((const void *const *) gguf->sorted_tensors, gguf->n_tensors, name);
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
							printable(tensor->name, text));
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

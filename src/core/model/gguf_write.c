/*
 * gguf_write.c
 *	  Writing GGUF version 3 files.
 *
 * Keys are serialised as they are added; tensors are remembered. finish lays
 * out the offsets, writes the header, and then the data of each tensor piece by
 * piece, padded to the alignment.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/model/gguf.h"
#include "core/tensor/quants.h"

#define ALIGNMENT    32
#define PIECE_BYTES  ((size_t) 1 << 20) /* of one write */
#define SOURCE_BYTES ((size_t) 1 << 16) /* at most, asked of a source at once */

typedef struct writer_tensor
{
	size_t name; /* offset in writer->tensor_names.text */
	rstar_type type;
	uint32_t n_dims;
	uint64_t dims[RSTAR_GGUF_MAX_DIMS];
	uint64_t bytes;
	uint64_t offset;
	const void *data;
	rstar_gguf_source source;
	void *arg;
} writer_tensor;

/*
 * Names that are there already: an open hash of offsets in `text`, in which 0 is
 * free. A file to copy from may bring millions of keys, with names that its
 * author chose, so the hash begins with a number that differs from call to call.
 */
typedef struct name_set
{
	rstar_buffer text;
	size_t *slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t n;
	uint64_t seed;
} name_set;

struct rstar_gguf_writer
{
	const rstar_allocator *allocator;
	rstar_buffer keys; /* serialised, in order */
	name_set key_names;
	name_set tensor_names;
	writer_tensor *tensors;
	size_t n_tensors;
	size_t tensors_capacity;
	uint64_t data_bytes;
	const rstar_cancel *cancel; /* or NULL */
	uint64_t asked;             /* how often it might have been asked */
	rstar_error failure;        /* the first one, or status OK */
};

/* --- sets of names ----------------------------------------------------------- */

static void
init_names(name_set *set, const rstar_allocator *allocator)
{
	memset(set, 0, sizeof *set);
	rstar_buffer_init(&set->text, allocator);
	set->seed = rstar_clock_ns() ^ (uint64_t) (uintptr_t) set;
}

static void
free_names(name_set *set, const rstar_allocator *allocator)
{
	rstar_buffer_free(&set->text);
	rstar_free(allocator, set->slots);
}

/* FNV-1a from a seed, stirred since the low bits choose the slot. */
static uint64_t
hash_name(const name_set *set, const char *name)
{
	uint64_t hash = set->seed;

	for (; *name; name++)
		hash = (hash ^ (unsigned char) *name) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

/* The slot that holds the name, or the free one where it belongs; there are slots. */
static size_t *
slot_of(const name_set *set, const char *name)
{
	size_t at = hash_name(set, name) & (set->n_slots - 1);

	while (set->slots[at] && strcmp(set->text.data + set->slots[at] - 1, name) != 0)
		at = (at + 1) & (set->n_slots - 1);
	return &set->slots[at];
}

static bool
has_name(const name_set *set, const char *name)
{
	return set->n_slots > 0 && *slot_of(set, name);
}

/* Twice the slots, or the first ones. */
static bool
grow_names(name_set *set, const rstar_allocator *allocator)
{
	name_set grown = *set;

	grown.n_slots = set->n_slots ? 2 * set->n_slots : 64;
	grown.slots = rstar_alloc_array_zero(allocator, grown.n_slots, sizeof *grown.slots);
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < set->n_slots; i++)
		if (set->slots[i])
			*slot_of(&grown, set->text.data + set->slots[i] - 1) = set->slots[i];
	rstar_free(allocator, set->slots);
	*set = grown;
	return true;
}

/* A name that is not there yet; *offset is where it stands in the text. False: no memory. */
static bool
add_name(name_set *set, const char *name, const rstar_allocator *allocator, size_t *offset)
{
	*offset = set->text.length;
	if ((2 * (set->n + 1) > set->n_slots && !grow_names(set, allocator)) ||
		!rstar_buffer_append(&set->text, name, strlen(name) + 1))
		return false;
	*slot_of(set, name) = *offset + 1;
	set->n++;
	return true;
}

rstar_status
rstar_gguf_writer_create(rstar_gguf_writer **out, const rstar_allocator *allocator,
						 rstar_error *err)
{
	rstar_gguf_writer *writer = rstar_alloc_zero(allocator, sizeof *writer);

	*out = writer;
	if (!writer)
		return rstar_error_memory(err, sizeof *writer);
	writer->allocator = allocator;
	rstar_buffer_init(&writer->keys, allocator);
	init_names(&writer->key_names, allocator);
	init_names(&writer->tensor_names, allocator);
	return RSTAR_OK;
}

void
rstar_gguf_writer_free(rstar_gguf_writer *writer)
{
	if (!writer)
		return;
	rstar_buffer_free(&writer->keys);
	free_names(&writer->key_names, writer->allocator);
	free_names(&writer->tensor_names, writer->allocator);
	rstar_free(writer->allocator, writer->tensors);
	rstar_free(writer->allocator, writer);
}

/* --- keys ------------------------------------------------------------------ */

static bool
has_failed(const rstar_gguf_writer *writer)
{
	return writer->failure.status != RSTAR_OK;
}

static void
fail_memory(rstar_gguf_writer *writer)
{
	if (!has_failed(writer))
		rstar_error_memory(&writer->failure, writer->keys.length);
}

static void
put(rstar_gguf_writer *writer, const void *bytes, size_t length)
{
	if (!has_failed(writer) && !rstar_buffer_append(&writer->keys, bytes, length))
		fail_memory(writer);
}

static void
put_u32(rstar_gguf_writer *writer, uint32_t value)
{
	put(writer, &value, sizeof value);
}

static void
put_u64(rstar_gguf_writer *writer, uint64_t value)
{
	put(writer, &value, sizeof value);
}

/* Name and type of a key; false (and remembered) if that is not possible. */
static bool
begin_key(rstar_gguf_writer *writer, const char *key, rstar_gguf_type type)
{
	size_t length = strlen(key), offset;
	bool twice;

	if (has_failed(writer))
		return false;
	twice = has_name(&writer->key_names, key);
	if (length == 0 || length > 65535 || twice)
	{
		rstar_error_set(&writer->failure, RSTAR_ERR_ARGUMENT, "key \"%s\" %s", key,
						twice ? "was added twice" : "has no valid name");
		return false;
	}
	if (!add_name(&writer->key_names, key, writer->allocator, &offset))
	{
		fail_memory(writer);
		return false;
	}
	put_u64(writer, length);
	put(writer, key, length);
	put_u32(writer, (uint32_t) type);
	return true;
}

void
rstar_gguf_writer_u32(rstar_gguf_writer *writer, const char *key, uint32_t value)
{
	if (begin_key(writer, key, RSTAR_GGUF_U32))
		put_u32(writer, value);
}

void
rstar_gguf_writer_u64(rstar_gguf_writer *writer, const char *key, uint64_t value)
{
	if (begin_key(writer, key, RSTAR_GGUF_U64))
		put_u64(writer, value);
}

void
rstar_gguf_writer_f32(rstar_gguf_writer *writer, const char *key, float value)
{
	if (begin_key(writer, key, RSTAR_GGUF_F32))
		put(writer, &value, sizeof value);
}

void
rstar_gguf_writer_bool(rstar_gguf_writer *writer, const char *key, bool value)
{
	uint8_t byte = value ? 1 : 0;

	if (begin_key(writer, key, RSTAR_GGUF_BOOL))
		put(writer, &byte, 1);
}

void
rstar_gguf_writer_string(rstar_gguf_writer *writer, const char *key, const char *data,
						 size_t length)
{
	if (!begin_key(writer, key, RSTAR_GGUF_STRING))
		return;
	put_u64(writer, length);
	put(writer, data, length);
}

void
rstar_gguf_writer_strings(rstar_gguf_writer *writer, const char *key, const rstar_string *values,
						  uint64_t count)
{
	if (!begin_key(writer, key, RSTAR_GGUF_ARRAY))
		return;
	put_u32(writer, RSTAR_GGUF_STRING);
	put_u64(writer, count);
	for (uint64_t i = 0; i < count; i++)
	{
		put_u64(writer, values[i].length);
		put(writer, values[i].data, values[i].length);
	}
}

void
rstar_gguf_writer_array(rstar_gguf_writer *writer, const char *key, rstar_gguf_type type,
						const void *data, uint64_t count)
{
	static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
	size_t size = (size_t) type < sizeof sizes ? sizes[type] : 0;
	size_t bytes;

	if (size == 0 || __builtin_mul_overflow((size_t) count, size, &bytes))
	{
		if (!has_failed(writer))
			rstar_error_set(&writer->failure, RSTAR_ERR_ARGUMENT,
							"key \"%s\" cannot be an array of %llu elements of type %d", key,
							(unsigned long long) count, (int) type);
		return;
	}
	if (!begin_key(writer, key, RSTAR_GGUF_ARRAY))
		return;
	put_u32(writer, (uint32_t) type);
	put_u64(writer, count);
	put(writer, data, bytes);
}

/* A file to copy from can bring millions of keys and tensors: look at every 4096th. */
static void
poll(rstar_gguf_writer *writer)
{
	if (!has_failed(writer) && writer->asked++ % 4096 == 0 &&
		rstar_cancel_requested(writer->cancel))
		rstar_error_set(&writer->failure, RSTAR_ERR_CANCELLED, "writing the file was cancelled");
}

void
rstar_gguf_writer_cancel(rstar_gguf_writer *writer, const rstar_cancel *cancel)
{
	writer->cancel = cancel;
}

/* Key i of a file, unless it is the writer's own or there already. */
static void
copy_key(rstar_gguf_writer *writer, const rstar_gguf *from, uint64_t i)
{
	rstar_gguf_type type;
	rstar_string name = rstar_gguf_key(from, i, &type);
	rstar_string value = rstar_gguf_value(from, i);
	char *key = rstar_strndup(writer->allocator, name.data, name.length);

	if (!key)
	{
		fail_memory(writer);
		return;
	}
	if (strcmp(key, "general.alignment") != 0 && !has_name(&writer->key_names, key) &&
		begin_key(writer, key, type))
		put(writer, value.data, value.length);
	rstar_free(writer->allocator, key);
}

/* The keys whose names begin with a text, or are that text. */
static void
copy_matching(rstar_gguf_writer *writer, const rstar_gguf *from, const char *text, bool whole)
{
	size_t length = strlen(text);
	rstar_gguf_type type;

	for (uint64_t i = 0; i < rstar_gguf_n_keys(from) && !has_failed(writer); i++)
	{
		rstar_string name = rstar_gguf_key(from, i, &type);

		poll(writer);
		if ((whole ? name.length == length : name.length >= length) &&
			memcmp(name.data, text, length) == 0)
			copy_key(writer, from, i);
	}
}

void
rstar_gguf_writer_copy(rstar_gguf_writer *writer, const rstar_gguf *from, const char *key)
{
	copy_matching(writer, from, key, true);
}

void
rstar_gguf_writer_copy_prefix(rstar_gguf_writer *writer, const rstar_gguf *from, const char *prefix)
{
	copy_matching(writer, from, prefix, false);
}

/* --- tensors --------------------------------------------------------------- */

static const char *
tensor_name(const rstar_gguf_writer *writer, size_t i)
{
	return writer->tensor_names.text.data + writer->tensors[i].name;
}

/* Fill in shape and bytes; false if the shape is impossible. */
static bool
shape_tensor(writer_tensor *tensor, rstar_type type, uint32_t n_dims, const uint64_t *dims)
{
	size_t row = n_dims > 0 ? rstar_quants_row_bytes(type, dims[0]) : 0;

	if (n_dims < 1 || n_dims > RSTAR_GGUF_MAX_DIMS || row == 0)
		return false;
	tensor->type = type;
	tensor->n_dims = n_dims;
	tensor->bytes = row;
	tensor->dims[0] = dims[0];
	for (uint32_t i = 1; i < n_dims; i++)
	{
		tensor->dims[i] = dims[i];
		if (dims[i] == 0 || __builtin_mul_overflow(tensor->bytes, dims[i], &tensor->bytes))
			return false;
	}
	return tensor->bytes <= INT64_MAX / 2;
}

/*
 * The first failure stays in the writer and turns later calls into nothing, so that callers
 * add all tensors and look once, at the end. Offsets are given out here, in the order of the
 * calls, which is the order of the data in the file.
 */
static void
add_tensor(rstar_gguf_writer *writer, const char *name, rstar_type type, uint32_t n_dims,
		   const uint64_t *dims, const void *data, rstar_gguf_source source, void *arg)
{
	writer_tensor tensor = {.data = data, .source = source, .arg = arg};
	size_t length = strlen(name);

	poll(writer);
	if (has_failed(writer))
		return;
	if (length == 0 || length > 255 || !shape_tensor(&tensor, type, n_dims, dims) ||
		tensor.bytes > INT64_MAX / 2 - writer->data_bytes)
	{
		rstar_error_set(&writer->failure, RSTAR_ERR_ARGUMENT,
						"tensor \"%s\" cannot be written with this shape and type", name);
		return;
	}
	if (has_name(&writer->tensor_names, name))
	{
		rstar_error_set(&writer->failure, RSTAR_ERR_ARGUMENT, "tensor \"%s\" was added twice",
						name);
		return;
	}
	tensor.offset = writer->data_bytes;
	if (!rstar_grow(writer->allocator, (void **) &writer->tensors, &writer->tensors_capacity,
					writer->n_tensors + 1, sizeof *writer->tensors) ||
		!add_name(&writer->tensor_names, name, writer->allocator, &tensor.name))
	{
		fail_memory(writer);
		return;
	}
	writer->data_bytes += (tensor.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	writer->tensors[writer->n_tensors++] = tensor;
}

void
rstar_gguf_writer_tensor(rstar_gguf_writer *writer, const char *name, rstar_type type,
						 uint32_t n_dims, const uint64_t *dims, const void *data)
{
	add_tensor(writer, name, type, n_dims, dims, data, NULL, NULL);
}

void
rstar_gguf_writer_tensor_source(rstar_gguf_writer *writer, const char *name, rstar_type type,
								uint32_t n_dims, const uint64_t *dims, rstar_gguf_source source,
								void *arg)
{
	add_tensor(writer, name, type, n_dims, dims, NULL, source, arg);
}

/* --- the file -------------------------------------------------------------- */

static rstar_status
write_all(int fd, const void *bytes, size_t length, const rstar_cancel *cancel, rstar_error *err)
{
	const char *at = bytes;

	while (length > 0)
	{
		size_t piece = length < PIECE_BYTES ? length : PIECE_BYTES;
		ssize_t written = write(fd, at, piece);

		if (written < 0 && errno != EINTR)
			return rstar_error_set(err, RSTAR_ERR_IO, "could not write model file: %s",
								   strerror(errno));
		if (written > 0)
		{
			at += written;
			length -= (size_t) written;
		}
		if (rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "writing a model was cancelled");
	}
	return RSTAR_OK;
}

static bool
build_header(const rstar_gguf_writer *writer, rstar_buffer *header)
{
	static const char zeros[ALIGNMENT] = {0};
	uint32_t version = 3;
	uint64_t counts[2] = {writer->n_tensors, writer->key_names.n};
	bool fits = rstar_buffer_append(header, "GGUF", 4) &&
				rstar_buffer_append(header, &version, sizeof version) &&
				rstar_buffer_append(header, counts, sizeof counts) &&
				rstar_buffer_append(header, writer->keys.data, writer->keys.length);

	for (size_t i = 0; i < writer->n_tensors && fits; i++)
	{
		const writer_tensor *tensor = &writer->tensors[i];
		uint64_t length = strlen(tensor_name(writer, i));
		uint32_t type = (uint32_t) tensor->type;

		fits = rstar_buffer_append(header, &length, sizeof length) &&
			   rstar_buffer_append(header, tensor_name(writer, i), length) &&
			   rstar_buffer_append(header, &tensor->n_dims, sizeof tensor->n_dims) &&
			   rstar_buffer_append(header, tensor->dims, tensor->n_dims * sizeof *tensor->dims) &&
			   rstar_buffer_append(header, &type, sizeof type) &&
			   rstar_buffer_append(header, &tensor->offset, sizeof tensor->offset);
	}
	return fits &&
		   rstar_buffer_append(header, zeros, (ALIGNMENT - header->length % ALIGNMENT) % ALIGNMENT);
}

static rstar_status
write_source(const writer_tensor *tensor, int fd, void *piece, const rstar_cancel *cancel,
			 rstar_error *err)
{
	rstar_status st = RSTAR_OK;
	size_t block = rstar_type_get((uint32_t) tensor->type)->bytes;
	size_t most = SOURCE_BYTES / block * block;

	for (uint64_t offset = 0; offset < tensor->bytes && st == RSTAR_OK; offset += most)
	{
		uint64_t left = tensor->bytes - offset;
		size_t length = left < most ? (size_t) left : most;

		st = tensor->source(tensor->arg, offset, piece, length, err);
		if (st == RSTAR_OK)
			st = write_all(fd, piece, length, cancel, err);
	}
	return st;
}

/*
 * The header is complete before the first byte goes out, so the file is written in one
 * direction and `fd` need not be able to seek. Each tensor is padded to the alignment, the
 * last one too.
 */
rstar_status
rstar_gguf_writer_finish(rstar_gguf_writer *writer, int fd, const rstar_cancel *cancel,
						 rstar_error *err)
{
	static const char zeros[ALIGNMENT] = {0};
	rstar_status st;
	rstar_buffer header;
	void *piece;

	if (has_failed(writer))
	{
		if (err)
			*err = writer->failure;
		return writer->failure.status;
	}
	rstar_buffer_init(&header, writer->allocator);
	piece = rstar_alloc(writer->allocator, SOURCE_BYTES);
	if (piece && build_header(writer, &header))
		st = write_all(fd, header.data, header.length, cancel, err);
	else
		st = rstar_error_memory(err, header.length + SOURCE_BYTES);
	for (size_t i = 0; i < writer->n_tensors && st == RSTAR_OK; i++)
	{
		const writer_tensor *tensor = &writer->tensors[i];

		if (tensor->data)
			st = write_all(fd, tensor->data, tensor->bytes, cancel, err);
		else
			st = write_source(tensor, fd, piece, cancel, err);
		if (st == RSTAR_OK)
			st = write_all(fd, zeros, (ALIGNMENT - tensor->bytes % ALIGNMENT) % ALIGNMENT, cancel,
						   err);
	}
	rstar_free(writer->allocator, piece);
	rstar_buffer_free(&header);
	return st;
}

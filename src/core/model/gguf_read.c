/*
 * gguf_read.c
 *	  Walking the header of a GGUF file.
 *
 * Every step asks first whether the bytes are there, so a length or count from
 * the file never moves the reader beyond the end.
 */
#include "core/model/gguf_internal.h"

#define MAX_KEY_LENGTH  65535
#define MAX_NAME_LENGTH 255

#define STRINGS_PER_POLL 1024

static rstar_status
truncated(gguf_reader *reader, const char *what)
{
	rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "model file ends within %s", what);
	rstar_error_detail(reader->err, "At byte %zu of %zu.", (size_t) (reader->at - reader->start),
					   (size_t) (reader->end - reader->start));
	return RSTAR_ERR_CORRUPT;
}

static rstar_status
read_scalar(gguf_reader *reader, void *value, size_t size, const char *what)
{
	if (rstar_gguf_bytes_left(reader) < size)
		return truncated(reader, what);
	memcpy(value, reader->at, size);
	reader->at += size;
	return RSTAR_OK;
}

rstar_status
rstar_gguf_read_u32(gguf_reader *reader, uint32_t *value, const char *what)
{
	return read_scalar(reader, value, sizeof *value, what);
}

rstar_status
rstar_gguf_read_u64(gguf_reader *reader, uint64_t *value, const char *what)
{
	return read_scalar(reader, value, sizeof *value, what);
}

static rstar_status
read_string(gguf_reader *reader, rstar_string *string, const char *what)
{
	uint64_t length;
	rstar_status st = rstar_gguf_read_u64(reader, &length, what);

	if (st != RSTAR_OK)
		return st;
	if (length > rstar_gguf_bytes_left(reader))
		return truncated(reader, what);
	string->data = (const char *) reader->at;
	string->length = (size_t) length;
	reader->at += length;
	if (++reader->strings % STRINGS_PER_POLL == 0 && rstar_cancel_requested(reader->cancel))
		return rstar_error_set(reader->err, RSTAR_ERR_CANCELLED,
							   "opening a model file was cancelled");
	return RSTAR_OK;
}

/* A name from the file, made fit for a message: printable ASCII, cut at 80. */
const char *
rstar_gguf_printable(rstar_string name, char buffer[84])
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
size_t
rstar_gguf_scalar_size(uint32_t type)
{
	static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

	return type < sizeof sizes ? sizes[type] : 0;
}

/*
 * The array stays in the file; only its place is noted. Strings have no fixed size, so they
 * are walked once, each checked against the end, and whoever reads them later need not check
 * again. Counts are compared by division, as a product could overflow.
 */
static rstar_status
read_array(gguf_reader *reader, gguf_key *key)
{
	char text[84];
	uint32_t type;
	uint64_t count;
	rstar_status st = rstar_gguf_read_u32(reader, &type, "an array");

	if (st == RSTAR_OK)
		st = rstar_gguf_read_u64(reader, &count, "an array");
	if (st != RSTAR_OK)
		return st;
	key->array.type = (rstar_gguf_type) type;
	key->array.count = count;
	key->array.data = reader->at;
	if (type == RSTAR_GGUF_STRING)
	{
		if (count > rstar_gguf_bytes_left(reader) / sizeof(uint64_t))
			return truncated(reader, "an array of strings");
		for (uint64_t i = 0; i < count; i++)
		{
			rstar_string element;

			st = read_string(reader, &element, "an array of strings");
			if (st != RSTAR_OK)
				return st;
		}
	}
	else if (rstar_gguf_scalar_size(type) > 0)
	{
		if (count > rstar_gguf_bytes_left(reader) / rstar_gguf_scalar_size(type))
			return truncated(reader, "an array");
		reader->at += count * rstar_gguf_scalar_size(type);
	}
	else
		return rstar_error_set(reader->err,
							   type == RSTAR_GGUF_ARRAY ? RSTAR_ERR_UNSUPPORTED : RSTAR_ERR_CORRUPT,
							   "key \"%s\" is an array of elements of type %u",
							   rstar_gguf_printable(key->name, text), type);
	key->array.bytes = (uint64_t) (reader->at - (const uint8_t *) key->array.data);
	return RSTAR_OK;
}

rstar_status
rstar_gguf_read_key(gguf_reader *reader, gguf_key *key)
{
	char text[84];
	uint32_t type;
	rstar_string string;
	rstar_status st = read_name(reader, &key->name, MAX_KEY_LENGTH, "key");

	if (st == RSTAR_OK)
		st = rstar_gguf_read_u32(reader, &type, "the type of a key");
	if (st != RSTAR_OK)
		return st;
	key->type = (rstar_gguf_type) type;
	key->value = reader->at;
	if (type == RSTAR_GGUF_STRING)
		st = read_string(reader, &string, "a string");
	else if (type == RSTAR_GGUF_ARRAY)
		st = read_array(reader, key);
	else if (rstar_gguf_scalar_size(type) == 0)
		st = rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "key \"%s\" has unknown type %u",
							 rstar_gguf_printable(key->name, text), type);
	else if (rstar_gguf_scalar_size(type) > rstar_gguf_bytes_left(reader))
		st = truncated(reader, "a value");
	else
		reader->at += rstar_gguf_scalar_size(type);
	key->bytes = (uint64_t) (reader->at - key->value);
	return st;
}

/* Dimensions and type give the bytes; data holds the offset until later. */
rstar_status
rstar_gguf_read_tensor(gguf_reader *reader, rstar_gguf_tensor *tensor, uint64_t *offset)
{
	char text[84];
	uint32_t type;
	uint64_t elements = 1;
	const rstar_type_info *info;
	rstar_status st = read_name(reader, &tensor->name, MAX_NAME_LENGTH, "tensor name");

	if (st == RSTAR_OK)
		st = rstar_gguf_read_u32(reader, &tensor->n_dims, "a tensor's description");
	if (st != RSTAR_OK)
		return st;
	rstar_gguf_printable(tensor->name, text);
	if (tensor->n_dims < 1 || tensor->n_dims > RSTAR_GGUF_MAX_DIMS)
		return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT, "tensor \"%s\" has %u dimensions",
							   text, tensor->n_dims);
	for (uint32_t i = 0; i < RSTAR_GGUF_MAX_DIMS; i++)
	{
		tensor->dims[i] = 1;
		if (i < tensor->n_dims)
			st = rstar_gguf_read_u64(reader, &tensor->dims[i], "a tensor's description");
		if (st != RSTAR_OK)
			return st;
		if (tensor->dims[i] == 0 || tensor->dims[i] > INT64_MAX ||
			__builtin_mul_overflow(elements, tensor->dims[i], &elements) || elements > INT64_MAX)
			return rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
								   "tensor \"%s\" has impossible dimensions", text);
	}
	st = rstar_gguf_read_u32(reader, &type, "a tensor's description");
	if (st == RSTAR_OK)
		st = rstar_gguf_read_u64(reader, offset, "a tensor's description");
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

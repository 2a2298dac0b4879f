/*
 * safetensors.c
 *	  Reading safetensors files.
 *
 * The header is parsed as JSON; each entry becomes a rstar_safetensor, sorted
 * by name. Ranges are checked against the bytes behind the header.
 */
#include "core/model/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAX_HEADER ((uint64_t) 64 << 20)
#define MAX_NAME   200 /* so that a message holds it */

struct rstar_safetensors
{
	rstar_arena arena; /* names and entries */
	const rstar_allocator *allocator;
	const uint8_t *map;
	size_t size;
	bool mapped;
	const uint8_t *data; /* behind the header */
	uint64_t data_bytes;
	rstar_safetensor *tensors; /* sorted by name */
	size_t n;
};

/* --- one entry ------------------------------------------------------------- */

static bool
get_number(const json_t *value, uint64_t *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t) json_integer_value(value);
	return true;
}

/* Type and bytes of an element; 0 bytes for a type that does not matter to us. */
static uint32_t
element_type(const char *dtype, rstar_type *type)
{
	if (strcmp(dtype, "F32") == 0)
		*type = RSTAR_TYPE_F32;
	else if (strcmp(dtype, "F16") == 0)
		*type = RSTAR_TYPE_F16;
	else if (strcmp(dtype, "BF16") == 0)
		*type = RSTAR_TYPE_BF16;
	else
		return 0;
	return *type == RSTAR_TYPE_F32 ? 4 : 2;
}

/* Shape and type against the range; a tensor we cannot use keeps only its range. */
static bool
check_shape(rstar_safetensor *tensor, const char *dtype, const json_t *shape)
{
	size_t n_dims = json_array_size(shape);
	uint64_t elements = 1;
	uint64_t bytes;
	uint32_t size = element_type(dtype, &tensor->type);

	for (size_t i = 0; i < n_dims; i++)
	{
		uint64_t extent;

		if (!get_number(json_array_get(shape, i), &extent) ||
			__builtin_mul_overflow(elements, extent, &elements))
			return false;
	}
	tensor->usable = size > 0 && (n_dims == 1 || n_dims == 2) && elements > 0;
	if (!tensor->usable)
		return true;
	if (__builtin_mul_overflow(elements, (uint64_t) size, &bytes) || bytes != tensor->bytes)
		return false;
	tensor->n_dims = (uint32_t) n_dims;
	(void) get_number(json_array_get(shape, n_dims - 1), &tensor->columns);
	tensor->rows = elements / tensor->columns;
	return true;
}

static rstar_status
read_entry(rstar_safetensors *file, const char *name, const json_t *entry, rstar_safetensor *tensor,
		   rstar_error *err)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	const json_t *shape = json_object_get(entry, "shape");
	const json_t *offsets = json_object_get(entry, "data_offsets");
	uint64_t begin;
	uint64_t end;

	if (strlen(name) > MAX_NAME)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "safetensors file has a name of %zu bytes",
							   strlen(name));
	if (!dtype || !json_is_array(shape) || json_array_size(offsets) != 2 ||
		!get_number(json_array_get(offsets, 0), &begin) ||
		!get_number(json_array_get(offsets, 1), &end))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "safetensors entry \"%s\" is not a tensor",
							   name);
	if (begin > end || end > file->data_bytes)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "tensor \"%s\" lies beyond the end of the safetensors file", name);
	tensor->data = file->data + begin;
	tensor->bytes = end - begin;
	if (!check_shape(tensor, dtype, shape))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "shape and size of tensor \"%s\" contradict each other", name);
	tensor->name = rstar_arena_strndup(&file->arena, name, strlen(name));
	return tensor->name ? RSTAR_OK : rstar_error_memory(err, strlen(name));
}

/* --- the header ------------------------------------------------------------ */

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const rstar_safetensor *) a)->name, ((const rstar_safetensor *) b)->name);
}

static int
compare_places(const void *a, const void *b)
{
	const uint8_t *first = ((const rstar_safetensor *) a)->data;
	const uint8_t *second = ((const rstar_safetensor *) b)->data;

	return (first > second) - (first < second);
}

static rstar_status
check_overlap(rstar_safetensors *file, rstar_error *err)
{
	const uint8_t *end = file->data;

	qsort(file->tensors, file->n, sizeof *file->tensors, compare_places);
	for (size_t i = 0; i < file->n; i++)
	{
		const rstar_safetensor *tensor = &file->tensors[i];
		const uint8_t *begin = tensor->data;

		if (tensor->bytes == 0)
			continue;
		if (begin < end)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT,
								   "tensor \"%s\" overlaps another of the safetensors file",
								   tensor->name);
		end = begin + tensor->bytes;
	}
	return RSTAR_OK;
}

static rstar_status
read_entries(rstar_safetensors *file, json_t *root, rstar_error *err)
{
	const char *name;
	json_t *entry;
	rstar_status st;

	if (!json_is_object(root))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "safetensors header is not a JSON object");
	file->tensors =
		rstar_arena_alloc_array(&file->arena, json_object_size(root), sizeof *file->tensors);
	if (!file->tensors)
		return rstar_error_memory(err, json_object_size(root) * sizeof *file->tensors);
	json_object_foreach(root, name, entry)
	{
		rstar_safetensor *tensor = &file->tensors[file->n];

		if (strcmp(name, "__metadata__") == 0)
			continue;
		memset(tensor, 0, sizeof *tensor);
		st = read_entry(file, name, entry, tensor, err);
		if (st != RSTAR_OK)
			return st;
		file->n++;
	}
	st = check_overlap(file, err);
	if (st == RSTAR_OK)
		qsort(file->tensors, file->n, sizeof *file->tensors, compare_names);
	return st;
}

static rstar_status
read_header(rstar_safetensors *file, rstar_error *err)
{
	uint64_t length;
	json_error_t problem;
	json_t *root;
	rstar_status st;

	if (file->size < sizeof length)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "file is too short for a safetensors file");
	memcpy(&length, file->map, sizeof length);
	if (length > file->size - sizeof length)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "safetensors file ends within its header");
	if (length > MAX_HEADER)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "safetensors header is larger than 64 MB");
	file->data = file->map + sizeof length + length;
	file->data_bytes = file->size - sizeof length - length;
	root = json_loadb((const char *) file->map + sizeof length, (size_t) length,
					  JSON_REJECT_DUPLICATES, &problem);
	if (!root)
	{
		rstar_error_set(err, RSTAR_ERR_CORRUPT, "safetensors header is not valid JSON");
		return rstar_error_detail(err, "At byte %d.", problem.position);
	}
	st = read_entries(file, root, err);
	json_decref(root);
	return st;
}

/* --- opening --------------------------------------------------------------- */

/* Takes over the map if `mapped`, also on failure. */
static rstar_status
open_bytes(const uint8_t *bytes, size_t size, bool mapped, const rstar_allocator *allocator,
		   rstar_safetensors **out, rstar_error *err)
{
	rstar_safetensors *file = rstar_alloc_zero(allocator, sizeof *file);
	rstar_status st;

	if (!file)
	{
		if (mapped)
			munmap((void *) bytes, size);
		return rstar_error_memory(err, sizeof *file);
	}
	rstar_arena_init(&file->arena, allocator, 0);
	file->allocator = allocator;
	file->map = bytes;
	file->size = size;
	file->mapped = mapped;
	st = read_header(file, err);
	if (st != RSTAR_OK)
	{
		rstar_safetensors_close(file);
		return st;
	}
	*out = file;
	return RSTAR_OK;
}

rstar_status
rstar_safetensors_open_memory(const void *bytes, size_t length, const rstar_allocator *allocator,
							  rstar_safetensors **out, rstar_error *err)
{
	*out = NULL;
	return open_bytes(bytes, length, false, allocator, out, err);
}

rstar_status
rstar_safetensors_open_fd(int fd, const rstar_allocator *allocator, rstar_safetensors **out,
						  rstar_error *err)
{
	struct stat info;
	void *map;

	*out = NULL;
	if (fstat(fd, &info) != 0)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not stat safetensors file: %s",
							   strerror(errno));
	if (!S_ISREG(info.st_mode))
		return rstar_error_set(err, RSTAR_ERR_DENIED, "safetensors file is not a regular file");
	if (info.st_size == 0)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "safetensors file is empty");
	map = mmap(NULL, (size_t) info.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return rstar_error_set(err, RSTAR_ERR_IO, "could not map safetensors file: %s",
							   strerror(errno));
	return open_bytes(map, (size_t) info.st_size, true, allocator, out, err);
}

void
rstar_safetensors_close(rstar_safetensors *file)
{
	if (!file)
		return;
	if (file->mapped)
		munmap((void *) file->map, file->size);
	rstar_arena_reset(&file->arena);
	rstar_free(file->allocator, file);
}

size_t
rstar_safetensors_count(const rstar_safetensors *file)
{
	return file->n;
}

const rstar_safetensor *
rstar_safetensors_at(const rstar_safetensors *file, size_t i)
{
	return &file->tensors[i];
}

const rstar_safetensor *
rstar_safetensors_find(const rstar_safetensors *file, const char *name)
{
	rstar_safetensor wanted = {.name = name};

	if (file->n == 0)
		return NULL;
	return bsearch(&wanted, file->tensors, file->n, sizeof *file->tensors, compare_names);
}

/*
 * gguf_values.c
 *	  What a GGUF file says: keys and tensors by name.
 *
 * Look-ups go through an index sorted by name: there is no worst case that a
 * file could provoke.
 */
#include <stdlib.h>

#include "core/model/gguf_internal.h"

/* --- indices by name ------------------------------------------------------- */

static int
compare_strings(rstar_string a, rstar_string b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* Both kinds of entries begin with their name. */
int
rstar_gguf_compare_entries(const void *a, const void *b)
{
	const rstar_string *const *first = a;
	const rstar_string *const *second = b;

	return compare_strings(**first, **second);
}

static const void *
find_entry(const void *const *index, uint64_t n, const char *name)
{
	rstar_string wanted = {name, strlen(name)};
	const rstar_string *key = &wanted;
	const void *const *found =
		n == 0 ? NULL : bsearch(&key, index, n, sizeof *index, rstar_gguf_compare_entries);

	return found ? *found : NULL;
}

const gguf_key *
rstar_gguf_find_key(const rstar_gguf *gguf, const char *name)
{
	return find_entry((const void *const *) gguf->sorted_keys, gguf->n_keys, name);
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
			memcpy(&bits, bytes, rstar_gguf_scalar_size(type));
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
	const gguf_key *found = rstar_gguf_find_key(gguf, key);
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
	const gguf_key *found = rstar_gguf_find_key(gguf, key);
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
	const gguf_key *found = rstar_gguf_find_key(gguf, key);

	return found && load_float(found->type, found->value, value);
}

bool
rstar_gguf_get_bool(const rstar_gguf *gguf, const char *key, bool *value)
{
	const gguf_key *found = rstar_gguf_find_key(gguf, key);

	if (!found || found->type != RSTAR_GGUF_BOOL)
		return false;
	*value = *found->value != 0;
	return true;
}

bool
rstar_gguf_get_string(const rstar_gguf *gguf, const char *key, rstar_string *value)
{
	const gguf_key *found = rstar_gguf_find_key(gguf, key);
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
	const gguf_key *found = rstar_gguf_find_key(gguf, key);

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
	const uint8_t *element =
		(const uint8_t *) array->data + i * rstar_gguf_scalar_size(array->type);
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
	const uint8_t *element =
		(const uint8_t *) array->data + i * rstar_gguf_scalar_size(array->type);
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

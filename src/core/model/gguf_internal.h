/*
 * gguf_internal.h
 *	  What the files that read GGUF share.
 *
 * gguf.c			opening: header, keys, tensors, and whether they fit the file
 * gguf_read.c		walking the header: scalars, strings, arrays, keys, tensors
 * gguf_values.c	what a file says: keys and tensors by name
 */
#ifndef RSTAR_MODEL_GGUF_INTERNAL_H
#define RSTAR_MODEL_GGUF_INTERNAL_H

#include <string.h>

#include "core/model/gguf.h"

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

/* Where a reader stands; every read asks first whether the bytes are there. */
typedef struct gguf_reader
{
	const uint8_t *at;
	const uint8_t *start;
	const uint8_t *end;
	uint64_t strings; /* so far */
	const rstar_cancel *cancel;
	rstar_error *err;
} gguf_reader;

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

/* --- gguf_read.c: errors are CORRUPT and say which part of the file ends too early ------ */

extern rstar_status rstar_gguf_read_u32(gguf_reader *reader, uint32_t *value, const char *what);
extern rstar_status rstar_gguf_read_u64(gguf_reader *reader, uint64_t *value, const char *what);
extern rstar_status rstar_gguf_read_key(gguf_reader *reader, gguf_key *key);

/* The tensor's data are placed later, at *offset from where data begin. */
extern rstar_status rstar_gguf_read_tensor(gguf_reader *reader, rstar_gguf_tensor *tensor,
										   uint64_t *offset);

/* A name for a message: shortened, without control characters; buffer is returned. */
extern const char *rstar_gguf_printable(rstar_string name, char buffer[84]);

/* Bytes of a scalar of that type; 0: no scalar, or no type at all. */
extern size_t rstar_gguf_scalar_size(uint32_t type);

static inline size_t
rstar_gguf_bytes_left(const gguf_reader *reader)
{
	return (size_t) (reader->end - reader->at);
}

/* --- gguf_values.c ------------------------------------------------------------------------ */

/* How entries (keys or tensors, which both begin with their name) are sorted. */
extern int rstar_gguf_compare_entries(const void *a, const void *b);
extern const gguf_key *rstar_gguf_find_key(const rstar_gguf *gguf, const char *name);

#endif

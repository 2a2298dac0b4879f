/*
 * gguf.h
 *	  Reading and writing GGUF version 3 files.
 *
 * The format (ggml/docs/gguf.md), all integers little-endian:
 *
 *		file    := magic "GGUF", u32 version = 3, u64 n_tensors, u64 n_kv,
 *				   kv*, tensor*, padding to `alignment`, data
 *		kv      := string key, u32 value type, value
 *		value   := scalar | string | array
 *		string  := u64 length, bytes (not terminated)
 *		array   := u32 element type, u64 count, elements (no nested arrays here)
 *		tensor  := string name, u32 n_dims, u64 dims[n_dims], u32 type, u64 offset
 *
 * dims[0] is the fastest: a matrix of `rows` rows of `columns` elements has
 * dims {columns, rows}. `offset` counts from the start of the data and is a
 * multiple of `alignment` (key general.alignment, 32 by default).
 *
 * A file is hostile until checked. rstar_gguf_open checks every length,
 * offset, count, type and dimension against the file's size before it is
 * used; afterwards every pointer handed out lies inside the map. Contents of
 * tensors (NaN, say) are not checked here: see rstar_gguf_check_data.
 */
#ifndef RSTAR_MODEL_GGUF_H
#define RSTAR_MODEL_GGUF_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/base/string.h"
#include "core/tensor/types.h"

#define RSTAR_GGUF_MAX_DIMS 4

typedef enum rstar_gguf_type
{
	RSTAR_GGUF_U8 = 0,
	RSTAR_GGUF_I8 = 1,
	RSTAR_GGUF_U16 = 2,
	RSTAR_GGUF_I16 = 3,
	RSTAR_GGUF_U32 = 4,
	RSTAR_GGUF_I32 = 5,
	RSTAR_GGUF_F32 = 6,
	RSTAR_GGUF_BOOL = 7,
	RSTAR_GGUF_STRING = 8,
	RSTAR_GGUF_ARRAY = 9,
	RSTAR_GGUF_U64 = 10,
	RSTAR_GGUF_I64 = 11,
	RSTAR_GGUF_F64 = 12
} rstar_gguf_type;

typedef struct rstar_gguf_tensor
{
	rstar_string name;
	uint32_t n_dims;
	uint64_t dims[RSTAR_GGUF_MAX_DIMS]; /* 1 beyond n_dims */
	rstar_type type;
	const void *data; /* in the map */
	uint64_t bytes;
} rstar_gguf_tensor;

/* One array of a key: elements of a fixed size, or strings. */
typedef struct rstar_gguf_array
{
	rstar_gguf_type type;
	uint64_t count;
	const void *data; /* first element, unaligned; strings: first length field */
	uint64_t bytes;   /* of all elements */
} rstar_gguf_array;

typedef struct rstar_gguf rstar_gguf;

/*
 * Open and map a file read-only and shared. The descriptor form duplicates
 * nothing and does not close fd; the caller may close it at once afterwards.
 * Refused: anything but a regular file, wrong magic or version (2 differs from
 * 3 in nothing that matters and is taken), foreign byte order, duplicate keys
 * or tensor names, overlapping tensors, what does not fit the file. Links are
 * followed: the rules for paths are the model directory's (store.h). At most
 * 65,536 keys and as many tensors. cancel (NULL: none) is polled while the header
 * is read, whose arrays of strings may be as long as the file.
 * Errors: IO, CORRUPT, UNSUPPORTED, LIMIT, MEMORY, CANCELLED. On failure nothing stays open.
 * The handle must outlive every pointer taken from it.
 */
extern rstar_status rstar_gguf_open(const char *path, const rstar_allocator *allocator,
									rstar_gguf **out, rstar_error *err);
extern rstar_status rstar_gguf_open_fd(int fd, const rstar_allocator *allocator,
									   const rstar_cancel *cancel, rstar_gguf **out,
									   rstar_error *err);

/*
 * The same over bytes in memory (fuzzing, tests), which must outlive the handle
 * and be aligned to 8 bytes (ARGUMENT otherwise).
 */
extern rstar_status rstar_gguf_open_memory(const void *bytes, size_t length,
										   const rstar_allocator *allocator, rstar_gguf **out,
										   rstar_error *err);
extern void rstar_gguf_close(rstar_gguf *gguf); /* NULL is allowed */

extern uint64_t rstar_gguf_file_size(const rstar_gguf *gguf);

/* The file's bytes, for checksums and for madvise. */
extern const void *rstar_gguf_map(const rstar_gguf *gguf);

/*
 * Values by key. True and *value filled if the key exists with a fitting type:
 * the integer getter takes any integer type whose value fits, the float getter
 * F32 and F64, and so on; *value is untouched otherwise.
 */
extern bool rstar_gguf_get_u64(const rstar_gguf *gguf, const char *key, uint64_t *value);
extern bool rstar_gguf_get_i64(const rstar_gguf *gguf, const char *key, int64_t *value);
extern bool rstar_gguf_get_f64(const rstar_gguf *gguf, const char *key, double *value);
extern bool rstar_gguf_get_bool(const rstar_gguf *gguf, const char *key, bool *value);
extern bool rstar_gguf_get_string(const rstar_gguf *gguf, const char *key, rstar_string *value);
extern bool rstar_gguf_get_array(const rstar_gguf *gguf, const char *key, rstar_gguf_array *value);

/* Walk a string array: *cursor starts as array->data; call at most `count` times. */
extern rstar_string rstar_gguf_next_string(const char **cursor);

/* Element i of a numeric array, converted. No bounds check: i < count. */
extern int64_t rstar_gguf_array_i64(const rstar_gguf_array *array, uint64_t i);
extern double rstar_gguf_array_f64(const rstar_gguf_array *array, uint64_t i);

/*
 * Keys in file order, for copying and listing; keys hold no NUL byte. The value
 * is that of the file, serialised: an array begins with its element type.
 */
extern uint64_t rstar_gguf_n_keys(const rstar_gguf *gguf);
extern rstar_string rstar_gguf_key(const rstar_gguf *gguf, uint64_t i, rstar_gguf_type *type);
extern rstar_string rstar_gguf_value(const rstar_gguf *gguf, uint64_t i);

/*
 * Tensors in file order, and by name (NULL if there is none). Data are aligned
 * to at least 8 bytes and never overlap; names hold no NUL byte.
 */
extern uint64_t rstar_gguf_n_tensors(const rstar_gguf *gguf);
extern const rstar_gguf_tensor *rstar_gguf_tensor_at(const rstar_gguf *gguf, uint64_t i);
extern const rstar_gguf_tensor *rstar_gguf_find_tensor(const rstar_gguf *gguf, const char *name);

/*
 * Read every tensor and refuse NaN and infinity, among elements and among the
 * scales of quantised blocks: CORRUPT, naming tensor and element. Polls cancel
 * about every megabyte.
 */
extern rstar_status rstar_gguf_check_data(const rstar_gguf *gguf, const rstar_cancel *cancel,
										  rstar_error *err);

/* --- writing --------------------------------------------------------------- */

/*
 * A writer collects keys and tensors, then writes the file in one go:
 *
 *		rstar_gguf_writer_create(&w, allocator, &err);
 *		rstar_gguf_writer_string(w, "general.architecture", "qwen2", 5);
 *		rstar_gguf_writer_tensor(w, "token_embd.weight", RSTAR_TYPE_F32, 2, dims, data);
 *		rstar_gguf_writer_finish(w, fd, cancel, &err);
 *		rstar_gguf_writer_free(w);
 *
 * Adders copy keys and values, but not tensor data, which is referred to until
 * finish. They remember the first failure (memory, a duplicate, a bad shape),
 * which finish then returns; so a series of adders needs one check. finish
 * writes from the descriptor's current position, which must be 0.
 */
typedef struct rstar_gguf_writer rstar_gguf_writer;

/*
 * Produces the bytes of a tensor piece by piece, where they are not in memory
 * as such (conversion): fill `buffer` with bytes [offset, offset + length),
 * which are whole blocks of the type and at most 64 kB, asked for in order.
 */
typedef rstar_status (*rstar_gguf_source)(void *arg, uint64_t offset, void *buffer, size_t length,
										  rstar_error *err);

extern rstar_status rstar_gguf_writer_create(rstar_gguf_writer **out,
											 const rstar_allocator *allocator, rstar_error *err);
extern void rstar_gguf_writer_free(rstar_gguf_writer *writer);

/* What to ask while keys and tensors are added (a stop fails the writer); NULL, as at first: nothing. */
extern void rstar_gguf_writer_cancel(rstar_gguf_writer *writer, const rstar_cancel *cancel);

extern void rstar_gguf_writer_u32(rstar_gguf_writer *writer, const char *key, uint32_t value);
extern void rstar_gguf_writer_u64(rstar_gguf_writer *writer, const char *key, uint64_t value);
extern void rstar_gguf_writer_f32(rstar_gguf_writer *writer, const char *key, float value);
extern void rstar_gguf_writer_bool(rstar_gguf_writer *writer, const char *key, bool value);
extern void rstar_gguf_writer_string(rstar_gguf_writer *writer, const char *key, const char *data,
									 size_t length);
extern void rstar_gguf_writer_strings(rstar_gguf_writer *writer, const char *key,
									  const rstar_string *values, uint64_t count);
extern void rstar_gguf_writer_array(rstar_gguf_writer *writer, const char *key,
									rstar_gguf_type type, const void *data, uint64_t count);

/*
 * Copy a key (or, with prefix, all keys that begin so; "" for all) from an open
 * file. Keys that the writer has already, or the file has not, are passed over;
 * so is general.alignment, which is the writer's own affair.
 */
extern void rstar_gguf_writer_copy(rstar_gguf_writer *writer, const rstar_gguf *from,
								   const char *key);
extern void rstar_gguf_writer_copy_prefix(rstar_gguf_writer *writer, const rstar_gguf *from,
										  const char *prefix);

/* data or (if data is NULL) source with arg gives the bytes. */
extern void rstar_gguf_writer_tensor(rstar_gguf_writer *writer, const char *name, rstar_type type,
									 uint32_t n_dims, const uint64_t *dims, const void *data);
extern void rstar_gguf_writer_tensor_source(rstar_gguf_writer *writer, const char *name,
											rstar_type type, uint32_t n_dims, const uint64_t *dims,
											rstar_gguf_source source, void *arg);

extern rstar_status rstar_gguf_writer_finish(rstar_gguf_writer *writer, int fd,
											 const rstar_cancel *cancel, rstar_error *err);

#endif

/*
 * safetensors.h
 *	  Reading safetensors files, the format of Hugging Face checkpoints.
 *
 *		file   := u64 n, header (n bytes of JSON), data
 *		header := { "name": { "dtype": "F32", "shape": [rows, columns],
 *		                      "data_offsets": [begin, end] }, ...,
 *		            "__metadata__": { ... } }
 *
 * Little-endian; offsets count from the start of the data; shapes are listed
 * slowest dimension first. We take F32, F16 and BF16, with one or two
 * dimensions; tensors of other kinds are noted and cannot be read. A file is
 * hostile until checked: every range lies inside the data, has just the size
 * that its shape says, and overlaps no other.
 */
#ifndef RSTAR_MODEL_SAFETENSORS_H
#define RSTAR_MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/tensor/types.h"

typedef struct rstar_safetensor
{
	const char *name; /* NUL-terminated; belongs to the file's handle */
	bool usable;      /* of a type and number of dimensions that we take */
	rstar_type type;
	uint32_t n_dims; /* 1 or 2 */
	uint64_t rows;   /* 1 for a vector */
	uint64_t columns;
	const void *data; /* in the map; not necessarily aligned */
	uint64_t bytes;
} rstar_safetensor;

typedef struct rstar_safetensors rstar_safetensors;

/*
 * Map and check a file; the caller may close fd afterwards. Errors: DENIED (not a
 * regular file), CORRUPT, LIMIT (a header above 64 MB), IO, MEMORY.
 */
extern rstar_status rstar_safetensors_open_fd(int fd, const rstar_allocator *allocator,
											  rstar_safetensors **out, rstar_error *err);

/* The same over bytes in memory, which must outlive the handle. */
extern rstar_status rstar_safetensors_open_memory(const void *bytes, size_t length,
												  const rstar_allocator *allocator,
												  rstar_safetensors **out, rstar_error *err);
extern void rstar_safetensors_close(rstar_safetensors *file); /* NULL is allowed */

extern size_t rstar_safetensors_count(const rstar_safetensors *file);
extern const rstar_safetensor *rstar_safetensors_at(const rstar_safetensors *file, size_t i);

/* By name; NULL if there is none. */
extern const rstar_safetensor *rstar_safetensors_find(const rstar_safetensors *file,
													  const char *name);

#endif

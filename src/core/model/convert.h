/*
 * convert.h
 *	  A tensor seen in another element type, piece by piece.
 *
 * The writer asks for the bytes of a tensor in order (rstar_gguf_source); a
 * conversion produces them from data that lie elsewhere in another type, so
 * that no tensor is ever in memory twice. Rows can be put into another order
 * on the way: see `head_dim`.
 */
#ifndef RSTAR_MODEL_CONVERT_H
#define RSTAR_MODEL_CONVERT_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/tensor/types.h"

typedef struct rstar_conversion
{
	const char *name; /* for messages */
	rstar_type from;
	rstar_type to;
	uint64_t columns; /* a multiple of both types' blocks */
	uint64_t rows;
	const void *data; /* need not be aligned */

	/*
	 * If not 0: each group of head_dim rows is one attention head, whose halves
	 * are interleaved. Hugging Face keeps (0, d/2), (1, d/2 + 1), ... as the pairs
	 * that rotate together; llama files keep (0, 1), (2, 3), ...: row 2i + s here
	 * is row i + s * d/2 there.
	 */
	uint32_t head_dim;

	float offset; /* added to every element (Gemma stores norms less one) */

	float *scratch; /* RSTAR_CONVERT_SCRATCH floats; shared by conversions of one writer */
} rstar_conversion;

/*
 * A source is asked for at most 64 kB, which are 116,480 elements of Q4_0 or Q4_K;
 * there may be a block more at each end, and a copy of data that lie unaligned.
 */
#define RSTAR_CONVERT_SCRATCH ((size_t) 2 * 117504)

/*
 * The rstar_gguf_source of a conversion (arg). Errors: CORRUPT where the data
 * hold NaN or infinity, or (to F16) numbers beyond the type's range.
 */
extern rstar_status rstar_convert_source(void *arg, uint64_t offset, void *buffer, size_t length,
										 rstar_error *err);

#endif

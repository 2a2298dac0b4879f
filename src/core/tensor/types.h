/*
 * types.h
 *	  The element types of tensors, as GGUF numbers them.
 *
 * A quantised type stores a row as blocks of `block` elements in `bytes`
 * bytes; a row's length is always a multiple of its block. The layouts are
 * those of ggml (see core/tensor/quants.h for pictures of the bytes).
 */
#ifndef RSTAR_TENSOR_TYPES_H
#define RSTAR_TENSOR_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Values are those in the file. Types that we cannot compute with are not listed. */
typedef enum rstar_type
{
	RSTAR_TYPE_F32 = 0,
	RSTAR_TYPE_F16 = 1,
	RSTAR_TYPE_Q4_0 = 2,
	RSTAR_TYPE_Q4_1 = 3,
	RSTAR_TYPE_Q5_0 = 6,
	RSTAR_TYPE_Q5_1 = 7,
	RSTAR_TYPE_Q8_0 = 8,
	RSTAR_TYPE_Q2_K = 10,
	RSTAR_TYPE_Q3_K = 11,
	RSTAR_TYPE_Q4_K = 12,
	RSTAR_TYPE_Q5_K = 13,
	RSTAR_TYPE_Q6_K = 14,
	RSTAR_TYPE_Q8_K = 15,
	RSTAR_TYPE_IQ4_NL = 20,
	RSTAR_TYPE_IQ4_XS = 23,
	RSTAR_TYPE_BF16 = 30
} rstar_type;

typedef struct rstar_type_info
{
	const char *name; /* "Q8_0" */
	uint32_t block;   /* elements in a block; 1 for F32, F16, BF16 */
	uint32_t bytes;   /* bytes of a block */
} rstar_type_info;

/* NULL for a type that we cannot compute with. */
extern const rstar_type_info *rstar_type_get(uint32_t type);

/*
 * The same for every type that GGUF files have, also those that we cannot
 * compute with ("IQ2_XXS", "I32"): enough to name a tensor's type and to find
 * where the tensor ends. NULL for an unknown number.
 */
extern const rstar_type_info *rstar_type_layout(uint32_t type);

/* The type of that name (upper or lower case); false if there is none. */
extern bool rstar_type_by_name(const char *name, rstar_type *type);

#endif

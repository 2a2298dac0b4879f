/*
 * quantize.h
 *	  A model file in other element types.
 *
 * Vectors (norms, biases, the value head) stay F32. Matrices become the target
 * type where their rows allow: rows that are no multiple of 256 take Q8_0
 * instead of a K type, rows that are no multiple of 32 take F16. As the last
 * matrix is the most sensitive one, "output.weight", or the embedding where it
 * serves as output too, is Q6_K with all targets of four or five bits. The
 * mixes Q4_K_M and Q5_K_M also give Q6_K to attn_v and ffn_down in about half of
 * the layers (the first and last eighth, and every third between), as the files
 * of that name elsewhere do.
 */
#ifndef RSTAR_MODEL_QUANTIZE_H
#define RSTAR_MODEL_QUANTIZE_H

#include <stdbool.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/model/gguf.h"
#include "core/tensor/types.h"

typedef struct rstar_quantize_target
{
	rstar_type type;
	bool mix; /* with Q4_K and Q5_K */
} rstar_quantize_target;

/* "Q8_0", "F16", "Q4_K", "Q4_K_S" (the same), "Q4_K_M", ... in any case; false if unknown. */
extern bool rstar_quantize_by_name(const char *name, rstar_quantize_target *target);

/* The number that general.file_type gives to a target. */
extern uint32_t rstar_quantize_file_type(rstar_quantize_target target);

/*
 * The type that a tensor of this name and shape gets; n_layer and tied are those
 * of the model.
 */
extern rstar_type rstar_quantize_choose(rstar_quantize_target target, const char *name,
										uint32_t n_dims, const uint64_t *dims, uint32_t n_layer,
										bool tied);

/*
 * Write `from` (any of the architectures; F32 to Q6_K) to fd with its matrices in
 * the target's types; all keys are kept. A tensor that has its type already is
 * copied. Polls cancel at least every 50 ms. Errors: those of
 * rstar_weights_open, CORRUPT for NaN; IO; CANCELLED; MEMORY.
 */
extern rstar_status rstar_quantize(const rstar_gguf *from, rstar_quantize_target target, int fd,
								   const rstar_allocator *allocator, const rstar_cancel *cancel,
								   rstar_error *err);

#endif

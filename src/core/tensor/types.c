/*
 * types.c
 *	  The element types of tensors, as GGUF numbers them.
 */
#include "core/tensor/types.h"

#include <stddef.h>
#include <strings.h>

#include "core/tensor/quants.h"

static const struct
{
	rstar_type type;
	rstar_type_info info;
} known_types[] = {
	{RSTAR_TYPE_F32, {"F32", 1, 4}},
	{RSTAR_TYPE_F16, {"F16", 1, 2}},
	{RSTAR_TYPE_BF16, {"BF16", 1, 2}},
	{RSTAR_TYPE_Q4_0, {"Q4_0", RSTAR_Q4_0_BLOCK, sizeof(rstar_block_q4_0)}},
	{RSTAR_TYPE_Q8_0, {"Q8_0", RSTAR_Q8_0_BLOCK, sizeof(rstar_block_q8_0)}},
	{RSTAR_TYPE_Q4_K, {"Q4_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q4_K)}},
	{RSTAR_TYPE_Q5_K, {"Q5_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q5_K)}},
	{RSTAR_TYPE_Q6_K, {"Q6_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q6_K)}},
};

#define N_KNOWN_TYPES (sizeof known_types / sizeof known_types[0])

const rstar_type_info *
rstar_type_get(uint32_t type)
{
	for (size_t i = 0; i < N_KNOWN_TYPES; i++)
		if ((uint32_t) known_types[i].type == type)
			return &known_types[i].info;
	return NULL;
}

bool
rstar_type_by_name(const char *name, rstar_type *type)
{
	for (size_t i = 0; i < N_KNOWN_TYPES; i++)
		if (strcasecmp(known_types[i].info.name, name) == 0)
		{
			*type = known_types[i].type;
			return true;
		}
	return false;
}

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
	{RSTAR_TYPE_Q4_1, {"Q4_1", RSTAR_Q4_1_BLOCK, sizeof(rstar_block_q4_1)}},
	{RSTAR_TYPE_Q5_0, {"Q5_0", RSTAR_Q5_0_BLOCK, sizeof(rstar_block_q5_0)}},
	{RSTAR_TYPE_Q5_1, {"Q5_1", RSTAR_Q5_1_BLOCK, sizeof(rstar_block_q5_1)}},
	{RSTAR_TYPE_Q8_0, {"Q8_0", RSTAR_Q8_0_BLOCK, sizeof(rstar_block_q8_0)}},
	{RSTAR_TYPE_Q2_K, {"Q2_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q2_K)}},
	{RSTAR_TYPE_Q3_K, {"Q3_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q3_K)}},
	{RSTAR_TYPE_Q4_K, {"Q4_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q4_K)}},
	{RSTAR_TYPE_Q5_K, {"Q5_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q5_K)}},
	{RSTAR_TYPE_Q6_K, {"Q6_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q6_K)}},
	{RSTAR_TYPE_Q8_K, {"Q8_K", RSTAR_QK_BLOCK, sizeof(rstar_block_q8_K)}},
	{RSTAR_TYPE_IQ4_NL, {"IQ4_NL", RSTAR_IQ4_NL_BLOCK, sizeof(rstar_block_iq4_nl)}},
	{RSTAR_TYPE_IQ4_XS, {"IQ4_XS", RSTAR_QK_BLOCK, sizeof(rstar_block_iq4_xs)}},
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

/* Types of GGUF that nothing here computes with; numbers and sizes are those of ggml. */
static const struct
{
	uint32_t type;
	rstar_type_info info;
} other_types[] = {
	{9, {"Q8_1", 32, 36}},      {16, {"IQ2_XXS", 256, 66}}, {17, {"IQ2_XS", 256, 74}},
	{18, {"IQ3_XXS", 256, 98}}, {19, {"IQ1_S", 256, 50}},   {21, {"IQ3_S", 256, 110}},
	{22, {"IQ2_S", 256, 82}},   {24, {"I8", 1, 1}},         {25, {"I16", 1, 2}},
	{26, {"I32", 1, 4}},        {27, {"I64", 1, 8}},        {28, {"F64", 1, 8}},
	{29, {"IQ1_M", 256, 56}},   {34, {"TQ1_0", 256, 54}},   {35, {"TQ2_0", 256, 66}},
	{39, {"MXFP4", 32, 17}},
};

#define N_OTHER_TYPES (sizeof other_types / sizeof other_types[0])

const rstar_type_info *
rstar_type_layout(uint32_t type)
{
	const rstar_type_info *info = rstar_type_get(type);

	for (size_t i = 0; !info && i < N_OTHER_TYPES; i++)
		if (other_types[i].type == type)
			info = &other_types[i].info;
	return info;
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

/*
 * quantize.c
 *	  A model file in other element types.
 */
#include "core/model/quantize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/model/convert.h"
#include "core/model/weights.h"

static const struct
{
	const char *name;
	rstar_quantize_target target;
	uint32_t file_type;
} targets[] = {
	{"F32", {RSTAR_TYPE_F32, false}, 0},      {"F16", {RSTAR_TYPE_F16, false}, 1},
	{"BF16", {RSTAR_TYPE_BF16, false}, 32},   {"Q8_0", {RSTAR_TYPE_Q8_0, false}, 7},
	{"Q4_0", {RSTAR_TYPE_Q4_0, false}, 2},    {"Q4_K", {RSTAR_TYPE_Q4_K, false}, 14},
	{"Q4_K_S", {RSTAR_TYPE_Q4_K, false}, 14}, {"Q4_K_M", {RSTAR_TYPE_Q4_K, true}, 15},
	{"Q5_K", {RSTAR_TYPE_Q5_K, false}, 16},   {"Q5_K_S", {RSTAR_TYPE_Q5_K, false}, 16},
	{"Q5_K_M", {RSTAR_TYPE_Q5_K, true}, 17},  {"Q6_K", {RSTAR_TYPE_Q6_K, false}, 18},
};

#define N_TARGETS (sizeof targets / sizeof targets[0])

bool
rstar_quantize_by_name(const char *name, rstar_quantize_target *target)
{
	for (size_t i = 0; i < N_TARGETS; i++)
		if (strcasecmp(targets[i].name, name) == 0)
		{
			*target = targets[i].target;
			return true;
		}
	return false;
}

uint32_t
rstar_quantize_file_type(rstar_quantize_target target)
{
	for (size_t i = 0; i < N_TARGETS; i++)
		if (targets[i].target.type == target.type && targets[i].target.mix == target.mix)
			return targets[i].file_type;
	return 0;
}

/* --- choosing types -------------------------------------------------------- */

/* Layers in which a mix spends more bits. */
static bool
favoured_layer(uint32_t layer, uint32_t n_layer)
{
	uint32_t eighth = n_layer / 8;

	return layer < eighth || layer >= 7 * n_layer / 8 || (layer - eighth) % 3 == 2;
}

static bool
is_favoured(const char *name, uint32_t n_layer)
{
	char *suffix;
	unsigned long layer;

	if (strncmp(name, "blk.", 4) != 0)
		return false;
	layer = strtoul(name + 4, &suffix, 10);
	if (strcmp(suffix, ".attn_v.weight") != 0 && strcmp(suffix, ".ffn_down.weight") != 0)
		return false; /* in phi3's attn_qkv, v cannot be treated apart from q and k */
	return layer < n_layer && favoured_layer((uint32_t) layer, n_layer);
}

static rstar_type
fit_rows(rstar_type type, uint64_t columns)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) type);

	if (columns % info->block == 0)
		return type;
	return columns % 32 == 0 ? RSTAR_TYPE_Q8_0 : RSTAR_TYPE_F16;
}

rstar_type
rstar_quantize_choose(rstar_quantize_target target, const char *name, uint32_t n_dims,
					  const uint64_t *dims, uint32_t n_layer, bool tied)
{
	bool coarse = target.type == RSTAR_TYPE_Q4_0 || target.type == RSTAR_TYPE_Q4_K ||
				  target.type == RSTAR_TYPE_Q5_K;
	const char *output = tied ? "token_embd.weight" : "output.weight";
	rstar_type type = target.type;

	if (n_dims < 2 || dims[1] == 1)
		return RSTAR_TYPE_F32;
	if (coarse && strcmp(name, output) == 0)
		type = RSTAR_TYPE_Q6_K;
	else if (target.mix && is_favoured(name, n_layer))
		type = RSTAR_TYPE_Q6_K;
	return fit_rows(type, dims[0]);
}

/* --- the file -------------------------------------------------------------- */

typedef struct job
{
	rstar_conversion *conversions; /* one per tensor */
	char **names;
	float *scratch;
	uint64_t n;
	const rstar_allocator *allocator;
} job;

static void
free_job(job *work)
{
	for (uint64_t i = 0; work->names && i < work->n; i++)
		rstar_free(work->allocator, work->names[i]);
	rstar_free(work->allocator, work->names);
	rstar_free(work->allocator, work->conversions);
	rstar_free(work->allocator, work->scratch);
}

static bool
alloc_job(job *work)
{
	work->conversions = rstar_alloc_array_zero(work->allocator, work->n, sizeof *work->conversions);
	work->names = rstar_alloc_array_zero(work->allocator, work->n, sizeof *work->names);
	work->scratch = rstar_alloc_array(work->allocator, RSTAR_CONVERT_SCRATCH, sizeof(float));
	return work->conversions && work->names && work->scratch;
}

static void
add_tensor(job *work, uint64_t i, const rstar_gguf_tensor *tensor, rstar_type type,
		   rstar_gguf_writer *writer)
{
	rstar_conversion *conversion = &work->conversions[i];
	const char *name = work->names[i];

	if (type == tensor->type || !rstar_type_get((uint32_t) tensor->type))
	{
		rstar_gguf_writer_tensor(writer, name, type, tensor->n_dims, tensor->dims, tensor->data);
		return;
	}
	conversion->name = name;
	conversion->from = tensor->type;
	conversion->to = type;
	conversion->columns = tensor->dims[0];
	conversion->rows = tensor->dims[1] * tensor->dims[2] * tensor->dims[3];
	conversion->data = tensor->data;
	conversion->scratch = work->scratch;
	rstar_gguf_writer_tensor_source(writer, name, type, tensor->n_dims, tensor->dims,
									rstar_convert_source, conversion);
}

static rstar_status
write_model(const rstar_weights *weights, rstar_quantize_target target, job *work,
			rstar_gguf_writer *writer, int fd, const rstar_cancel *cancel, rstar_error *err)
{
	const rstar_gguf *from = weights->gguf;

	if (!alloc_job(work))
		return rstar_error_memory(err, RSTAR_CONVERT_SCRATCH * sizeof(float));
	rstar_gguf_writer_cancel(writer, cancel);
	rstar_gguf_writer_copy(writer, from, "general.architecture");
	rstar_gguf_writer_u32(writer, "general.file_type", rstar_quantize_file_type(target));
	rstar_gguf_writer_u32(writer, "general.quantization_version", 2);
	rstar_gguf_writer_copy_prefix(writer, from, "");
	for (uint64_t i = 0; i < work->n; i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(from, i);

		work->names[i] = rstar_strndup(work->allocator, tensor->name.data, tensor->name.length);
		if (!work->names[i])
			return rstar_error_memory(err, tensor->name.length);
		add_tensor(work, i, tensor,
				   rstar_quantize_choose(target, work->names[i], tensor->n_dims, tensor->dims,
										 weights->hparams.n_layer, weights->tied),
				   writer);
	}
	return rstar_gguf_writer_finish(writer, fd, cancel, err);
}

rstar_status
rstar_quantize(const rstar_gguf *from, rstar_quantize_target target, int fd,
			   const rstar_allocator *allocator, const rstar_cancel *cancel, rstar_error *err)
{
	job work = {.n = rstar_gguf_n_tensors(from), .allocator = allocator};
	rstar_weights *weights;
	rstar_gguf_writer *writer = NULL;
	rstar_status st = rstar_weights_open(from, allocator, &weights, err);

	if (st == RSTAR_OK)
		st = rstar_gguf_writer_create(&writer, allocator, err);
	if (st == RSTAR_OK)
		st = write_model(weights, target, &work, writer, fd, cancel, err);
	rstar_gguf_writer_free(writer);
	free_job(&work);
	rstar_weights_close(weights);
	return st;
}

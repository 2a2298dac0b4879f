/*
 * create.c
 *	  A model from scratch: shapes as told, numbers at random.
 */
#include "core/model/create.h"

#include <math.h>
#include <string.h>

#include "core/base/random.h"
#include "core/model/weights.h"

/* What produces one tensor: normal numbers, or (deviation 0) a constant. */
typedef struct filling
{
	rstar_random_stream stream;
	float deviation;
	float constant;
} filling;

struct rstar_create
{
	const rstar_allocator *allocator;
	filling *fillings; /* one per tensor of the list, used or not */
};

static rstar_status
fill(void *arg, uint64_t offset, void *buffer, size_t length, rstar_error *err)
{
	const filling *how = arg;
	float *out = buffer;
	size_t n = length / sizeof *out;

	(void) err;
	if (how->deviation > 0.0f)
		rstar_random_normal(&how->stream, offset / sizeof *out, n, how->deviation, out);
	else
		for (size_t i = 0; i < n; i++)
			out[i] = how->constant;
	return RSTAR_OK;
}

static filling
choose_filling(const rstar_hparams *hparams, const rstar_tensor_spec *spec, uint64_t seed,
			   uint32_t i)
{
	filling how = {.stream = {.seed = seed, .node = i}};

	switch (spec->kind)
	{
		case RSTAR_TENSOR_MATRIX:
			how.deviation = spec->residual ? 0.02f / sqrtf(2.0f * (float) hparams->n_layer) : 0.02f;
			break;
		case RSTAR_TENSOR_NORM:
			how.constant = 1.0f;
			break;
		case RSTAR_TENSOR_BIAS:
			break;
		case RSTAR_TENSOR_HEAD:
			if (spec->dims[0] > 1)
				how.deviation = 1.0f / sqrtf((float) hparams->n_embd + 1.0f);
			break;
	}
	return how;
}

/* Of the optional tensors: the output matrix, the value head without likelihood; no free biases. */
static bool
wanted(const rstar_tensor_spec *spec, const rstar_create_options *options)
{
	if (!spec->optional)
		return true;
	if (spec->kind == RSTAR_TENSOR_HEAD)
		return options->value_head && strcmp(spec->name, "value_head.likelihood") != 0;
	return spec->kind == RSTAR_TENSOR_MATRIX && !options->tied;
}

/*
 * Nothing is drawn yet: each tensor gets a source that the writer asks for its numbers when it
 * comes to it, so a model larger than memory can be created. The sources point into
 * `fillings`, which must live until the file is written.
 */
rstar_status
rstar_create_begin(const rstar_hparams *hparams, const rstar_create_options *options,
				   const rstar_allocator *allocator, rstar_gguf_writer *writer, rstar_create **out,
				   rstar_error *err)
{
	uint32_t n;
	rstar_create *create;
	rstar_status st = rstar_hparams_check(hparams, err);

	*out = NULL;
	if (st != RSTAR_OK)
		return st;
	n = rstar_weights_n_specs(hparams);
	create = rstar_alloc_zero(allocator, sizeof *create);
	if (!create)
		return rstar_error_memory(err, sizeof *create);
	create->allocator = allocator;
	create->fillings = rstar_alloc_array(allocator, n, sizeof *create->fillings);
	if (!create->fillings)
	{
		rstar_create_free(create);
		return rstar_error_memory(err, n * sizeof *create->fillings);
	}
	rstar_hparams_write(hparams, writer);
	rstar_gguf_writer_u32(writer, "general.file_type", 0);
	for (uint32_t i = 0; i < n; i++)
	{
		rstar_tensor_spec spec;

		rstar_weights_spec(hparams, i, &spec);
		if (!wanted(&spec, options))
			continue;
		create->fillings[i] = choose_filling(hparams, &spec, options->seed, i);
		rstar_gguf_writer_tensor_source(writer, spec.name, RSTAR_TYPE_F32, spec.n_dims, spec.dims,
										fill, &create->fillings[i]);
	}
	*out = create;
	return RSTAR_OK;
}

void
rstar_create_free(rstar_create *create)
{
	if (!create)
		return;
	rstar_free(create->allocator, create->fillings);
	rstar_free(create->allocator, create);
}

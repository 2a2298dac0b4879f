/*
 * tiny_model.h
 *	  Random models in memory, for tests that need no file from outside.
 */
#ifndef RSTAR_TEST_TINY_MODEL_H
#define RSTAR_TEST_TINY_MODEL_H

#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "core/base/random.h"
#include "core/model/gguf.h"
#include "core/model/weights.h"

typedef struct tiny_model
{
	rstar_gguf *gguf;
	rstar_weights *weights;
} tiny_model;

/* A shape that has everything: grouped heads, a window, more heads than KV heads. */
static inline rstar_hparams
tiny_hparams(rstar_arch arch)
{
	rstar_hparams h = {
		.arch = arch,
		.rope_style = arch == RSTAR_ARCH_LLAMA ? RSTAR_ROPE_NORM : RSTAR_ROPE_NEOX,
		.n_vocab = 96,
		.n_context = 128,
		.n_embd = 64,
		.n_layer = 2,
		.n_head = 4,
		.n_head_kv = arch == RSTAR_ARCH_PHI3 ? 4 : 2,
		.head_dim = 16,
		.n_ff = 160,
		.sliding_window = arch == RSTAR_ARCH_PHI3 ? 12 : 0,
		.rope_dim = 16,
		.rope_base = 10000.0f,
		.rope_scale = 1.0f,
		.rope_magnitude = 1.0f,
		.norm_eps = 1e-6f,
	};

	return h;
}

/* Weights of deviation 0.2, so that every part of the model matters. F32. */
static inline void
tiny_model_create_as(const rstar_hparams *h, bool value_head, bool tied, tiny_model *model)
{
	rstar_gguf_writer *writer = NULL;
	rstar_error err = {0};
	rstar_random_stream stream = {.seed = 7};
	uint32_t n = rstar_weights_n_specs(h);
	float **data = calloc(n, sizeof *data);
	int fd = memfd_create("tiny", 0);

	CHECK(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) == RSTAR_OK);
	rstar_hparams_write(h, writer);
	for (uint32_t i = 0; i < n; i++)
	{
		rstar_tensor_spec spec;

		rstar_weights_spec(h, i, &spec);
		if (strncmp(spec.name, "value_head", 10) == 0 && !value_head)
			continue;
		if (tied && strcmp(spec.name, "output.weight") == 0)
			continue;

		uint64_t count = spec.dims[0] * (spec.n_dims > 1 ? spec.dims[1] : 1);

		data[i] = malloc(count * sizeof(float));
		stream.node = i;
		rstar_random_normal(&stream, 0, count, 0.2f, data[i]);
		for (uint64_t j = 0; spec.kind == RSTAR_TENSOR_NORM && j < count; j++)
			data[i][j] += 1;
		rstar_gguf_writer_tensor(writer, spec.name, RSTAR_TYPE_F32, spec.n_dims, spec.dims,
								 data[i]);
	}
	CHECK_MSG(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK, "%s", err.message);
	rstar_gguf_writer_free(writer);
	for (uint32_t i = 0; i < n; i++)
		free(data[i]);
	free(data);
	CHECK_MSG(rstar_gguf_open_fd(fd, &rstar_allocator_malloc, NULL, &model->gguf, &err) == RSTAR_OK,
			  "%s %s", err.message, err.detail);
	close(fd);
	CHECK_MSG(rstar_weights_open(model->gguf, &rstar_allocator_malloc, &model->weights, &err) ==
				  RSTAR_OK,
			  "%s %s", err.message, err.detail);
}

/* With an output matrix of its own. */
static inline void
tiny_model_create(const rstar_hparams *h, bool value_head, tiny_model *model)
{
	tiny_model_create_as(h, value_head, false, model);
}

static inline void
tiny_model_free(tiny_model *model)
{
	rstar_weights_close(model->weights);
	rstar_gguf_close(model->gguf);
}

#endif

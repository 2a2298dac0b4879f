/*
 * random_model.h
 *	  Files of random weights in the shapes of real models.
 */
#ifndef RSTAR_BENCH_RANDOM_MODEL_H
#define RSTAR_BENCH_RANDOM_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/random.h"
#include "core/model/weights.h"
#include "core/tensor/half.h"
#include "core/tensor/quants.h"

/* Qwen2.5-Math-1.5B. */
static const rstar_hparams shape_large = {.arch = RSTAR_ARCH_QWEN2,
										  .rope_style = RSTAR_ROPE_NEOX,
										  .n_vocab = 151936,
										  .n_context = 4096,
										  .n_embd = 1536,
										  .n_layer = 28,
										  .n_head = 12,
										  .n_head_kv = 2,
										  .head_dim = 128,
										  .n_ff = 8960,
										  .rope_dim = 128,
										  .rope_base = 10000.0f,
										  .rope_scale = 1.0f,
										  .rope_magnitude = 1.0f,
										  .norm_eps = 1e-6f};

/* The embedded model. */
static const rstar_hparams shape_small = {.arch = RSTAR_ARCH_QWEN2,
										  .rope_style = RSTAR_ROPE_NEOX,
										  .n_vocab = 1024,
										  .n_context = 512,
										  .n_embd = 256,
										  .n_layer = 8,
										  .n_head = 4,
										  .n_head_kv = 2,
										  .head_dim = 64,
										  .n_ff = 768,
										  .rope_dim = 64,
										  .rope_base = 10000.0f,
										  .rope_scale = 1.0f,
										  .rope_magnitude = 1.0f,
										  .norm_eps = 1e-6f};

static inline void
fail(const rstar_error *err)
{
	fprintf(stderr, "bench: %s %s\n", err->message, err->detail);
	exit(1);
}

typedef struct random_tensor
{
	rstar_type type;
	uint64_t seed;
} random_tensor;

/* Random bits with sane scales: what the kernels cost does not depend on values. */
static inline rstar_status
random_bytes(void *arg, uint64_t offset, void *buffer, size_t length, rstar_error *err)
{
	const random_tensor *t = arg;
	size_t block = rstar_type_get(t->type)->bytes;
	size_t d = t->type == RSTAR_TYPE_Q6_K ? block - 2 : 0;
	size_t n_scales = t->type == RSTAR_TYPE_Q4_K || t->type == RSTAR_TYPE_Q5_K ? 2 : 1;
	uint16_t scale = rstar_f16_from_f32(0.002f);
	uint8_t *out = buffer;

	(void) err;
	for (size_t i = 0; i < length; i += 8)
	{
		uint64_t bits = rstar_random_mix(t->seed, (offset + i) / 8);

		memcpy(out + i, &bits, length - i < 8 ? length - i : 8);
	}
	for (uint64_t at = offset / block * block; at < offset + length; at += block)
		for (size_t j = 0; j < 2 * n_scales; j++)
			if (at + d + j >= offset && at + d + j < offset + length)
				out[at + d + j - offset] = (uint8_t) (scale >> 8 * (j % 2));
	return RSTAR_OK;
}

/* Write such a model to fd; vocabulary (may be NULL) lends its tokenizer. */
static inline void
random_model(const rstar_hparams *h, rstar_type type, const rstar_gguf *vocabulary, int fd)
{
	rstar_gguf_writer *writer = NULL;
	rstar_error err = {0};
	uint32_t n = rstar_weights_n_specs(h);
	random_tensor *tensors = calloc(n, sizeof *tensors);
	float *norms = malloc(h->n_ff * sizeof(float));

	for (uint32_t i = 0; i < h->n_ff; i++)
		norms[i] = 1.0f;
	if (fd < 0 || rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) != RSTAR_OK)
		fail(&err);
	rstar_hparams_write(h, writer);
	if (vocabulary)
		rstar_gguf_writer_copy_prefix(writer, vocabulary, "tokenizer.");
	for (uint32_t i = 0; i < n; i++)
	{
		rstar_tensor_spec spec;

		rstar_weights_spec(h, i, &spec);
		if (strncmp(spec.name, "value_head", 10) == 0 || strcmp(spec.name, "output.weight") == 0)
			continue;
		tensors[i] = (random_tensor){type, i * 7919};
		if (spec.kind == RSTAR_TENSOR_MATRIX)
			rstar_gguf_writer_tensor_source(writer, spec.name, type, spec.n_dims, spec.dims,
											random_bytes, &tensors[i]);
		else
			rstar_gguf_writer_tensor(writer, spec.name, RSTAR_TYPE_F32, spec.n_dims, spec.dims,
									 norms);
	}
	if (rstar_gguf_writer_finish(writer, fd, NULL, &err) != RSTAR_OK)
		fail(&err);
	rstar_gguf_writer_free(writer);
	free(tensors);
	free(norms);
}

#endif

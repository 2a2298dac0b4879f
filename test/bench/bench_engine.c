/*
 * bench_engine.c
 *	  Speed of prompts and of decoding, beside the memory bandwidth of the same run.
 *
 *		bench_engine                        random models: the shapes of Qwen2.5-Math-1.5B
 *		                                    (Q8_0, Q4_K) and of the embedded model
 *		bench_engine FILE.gguf [threads]    a given file
 *
 * Decoding one sequence reads every weight once per token, so bandwidth /
 * bytes of weights bounds it; with n sequences the bound is n times that.
 */
#include "bench.h"

#include <math.h>
#include <unistd.h>

#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/tensor/half.h"
#include "core/tensor/quants.h"

#define PROMPT 512
#define PREFIX 256
#define RUNS   3

static void
fail(const rstar_error *err)
{
	fprintf(stderr, "bench_engine: %s %s\n", err->message, err->detail);
	exit(1);
}

/* --- a file of random weights ------------------------------------------------------ */

typedef struct random_tensor
{
	rstar_type type;
	uint64_t seed;
} random_tensor;

/* Random bits with sane scales: what the kernels cost does not depend on values. */
static rstar_status
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

static int
random_model(const rstar_hparams *h, rstar_type type)
{
	rstar_gguf_writer *writer = NULL;
	rstar_error err = {0};
	char path[] = "/tmp/rstar-bench-XXXXXX";
	int fd = mkstemp(path);
	uint32_t n = rstar_weights_n_specs(h);
	random_tensor *tensors = calloc(n, sizeof *tensors);
	float *norms = malloc(h->n_ff * sizeof(float));

	unlink(path);
	for (uint32_t i = 0; i < h->n_ff; i++)
		norms[i] = 1.0f;
	if (fd < 0 || rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) != RSTAR_OK)
		fail(&err);
	rstar_hparams_write(h, writer);
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
	return fd;
}

/* --- measuring ---------------------------------------------------------------------- */

static rstar_kv_node *
make_node(rstar_engine *engine, rstar_kv_node *parent, uint32_t n, uint64_t salt)
{
	rstar_kv_node *node = NULL;
	rstar_error err = {0};

	if (rstar_kv_node_create(rstar_engine_kv(engine), parent, &node, &err) != RSTAR_OK)
		fail(&err);
	for (uint32_t i = 0; i < n; i++)
	{
		int32_t token = (int32_t) (rstar_random_mix(salt, i) % rstar_engine_n_vocab(engine));

		if (rstar_kv_node_append(node, &token, 1, &err) != RSTAR_OK)
			fail(&err);
	}
	return node;
}

static double
run_job(rstar_engine *engine, const rstar_request *requests, uint32_t n)
{
	rstar_error err = {0};
	double start = bench_now();

	if (rstar_engine_run(engine, requests, n, NULL, NULL, NULL, &err) != RSTAR_OK)
		fail(&err);
	return bench_now() - start;
}

static double
prompt_speed(rstar_engine *engine, uint32_t tokens)
{
	double rates[RUNS];

	for (int i = 0; i < RUNS; i++)
	{
		rstar_kv_node *node = make_node(engine, NULL, tokens, (uint64_t) i);
		rstar_request request = {node, 1, RSTAR_WANT_LOGITS};

		rates[i] = tokens / run_job(engine, &request, 1);
		rstar_kv_node_release(node);
	}
	return bench_median(rates, RUNS);
}

/* Tokens per second, all sequences together, over a shared prefix. */
static double
decode_speed(rstar_engine *engine, uint32_t n, uint32_t prefix, uint32_t steps)
{
	rstar_kv_node *parent = make_node(engine, NULL, prefix, 1);
	rstar_kv_node **nodes = calloc(n, sizeof *nodes);
	rstar_request *requests = calloc(n, sizeof *requests);
	double *rates = calloc(steps, sizeof *rates);
	rstar_request first = {parent, 1, RSTAR_WANT_LOGITS};
	rstar_error err = {0};

	run_job(engine, &first, 1);
	for (uint32_t i = 0; i < n; i++)
		nodes[i] = make_node(engine, parent, 0, 0);
	for (uint32_t step = 0; step < steps; step++)
	{
		for (uint32_t i = 0; i < n; i++)
		{
			int32_t token = (int32_t) (rstar_random_mix(i, step) % rstar_engine_n_vocab(engine));

			if (rstar_kv_node_append(nodes[i], &token, 1, &err) != RSTAR_OK)
				fail(&err);
			requests[i] = (rstar_request){nodes[i], 1, RSTAR_WANT_LOGITS};
		}
		rates[step] = n / run_job(engine, requests, n);
	}

	double rate = bench_median(rates, (int) steps);

	for (uint32_t i = 0; i < n; i++)
		rstar_kv_node_release(nodes[i]);
	rstar_kv_node_release(parent);
	free(nodes);
	free(requests);
	free(rates);
	return rate;
}

static void
measure(const char *name, const rstar_gguf *gguf, rstar_pool *pool, double bandwidth)
{
	static const uint32_t batches[] = {1, 8, 32, 256};
	rstar_weights *weights = NULL;
	rstar_engine *engine = NULL;
	rstar_error err = {0};

	if (rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err) != RSTAR_OK)
		fail(&err);

	bool small = rstar_gguf_file_size(gguf) < (100u << 20);
	rstar_engine_options options = {
		.family = rstar_cpu_best(), .kv_type = RSTAR_KV_F16, .kv_budget = (uint64_t) 2 << 30};
	double bytes = (double) rstar_gguf_file_size(gguf);
	uint32_t context = weights->hparams.n_context;
	uint32_t prompt = context < PROMPT ? context : PROMPT;
	uint32_t prefix = context / 2 < PREFIX ? context / 2 : PREFIX;

	if (rstar_engine_create(weights, pool, &options, &rstar_allocator_malloc, &engine, &err) !=
		RSTAR_OK)
		fail(&err);
	printf("%s: %.1f MB, %d threads, kernels %s\n", name, bytes / 1e6, rstar_pool_threads(pool),
		   rstar_cpu_family_name(options.family));
	prompt_speed(engine, 16); /* pages and buffers */

	double speed = prompt_speed(engine, prompt);

	printf("  prompt of %u tokens          %10.1f tok/s\n", prompt, speed);
	for (int i = 0; i < (small ? 4 : 3); i++)
	{
		double bound = bandwidth / bytes * batches[i];

		speed = decode_speed(engine, batches[i], prefix, small ? 40 : 6);
		printf("  decoding %3u over a prefix of %u %8.1f tok/s", batches[i], prefix, speed);
		if (!small)
			printf("   %5.1f %% of the bandwidth bound %.1f", 100 * speed / bound, bound);
		printf("\n");
	}
	rstar_engine_free(engine);
	rstar_weights_close(weights);
}

static void
measure_random(const char *name, rstar_hparams h, rstar_type type, rstar_pool *pool,
			   double bandwidth)
{
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	int fd = random_model(&h, type);

	if (rstar_gguf_open_fd(fd, &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK)
		fail(&err);
	measure(name, gguf, pool, bandwidth);
	rstar_gguf_close(gguf);
	close(fd);
}

int
main(int argc, char **argv)
{
	rstar_hparams large = {.arch = RSTAR_ARCH_QWEN2,
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
	rstar_hparams small = large;
	rstar_pool *pool = NULL;
	rstar_error err = {0};
	int threads = argc > 2 ? atoi(argv[2]) : rstar_cpu_count();

	setvbuf(stdout, NULL, _IOLBF, 0);
	small.n_vocab = 1024;
	small.n_context = 512;
	small.n_embd = 256;
	small.n_layer = 8;
	small.n_head = 4;
	small.head_dim = small.rope_dim = 64;
	small.n_ff = 768;
	if (rstar_pool_create(threads, &pool, &err) != RSTAR_OK)
		fail(&err);

	double bandwidth = bench_bandwidth(pool);

	printf("memory: %.1f GB/s read by %d threads\n", bandwidth / 1e9, threads);
	if (argc > 1)
	{
		rstar_gguf *gguf = NULL;

		if (rstar_gguf_open(argv[1], &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK)
			fail(&err);
		measure(argv[1], gguf, pool, bandwidth);
		rstar_gguf_close(gguf);
	}
	else
	{
		measure_random("embedded shape, Q8_0", small, RSTAR_TYPE_Q8_0, pool, bandwidth);
		measure_random("Qwen2.5-Math-1.5B shape, Q8_0", large, RSTAR_TYPE_Q8_0, pool, bandwidth);
		measure_random("Qwen2.5-Math-1.5B shape, Q4_K", large, RSTAR_TYPE_Q4_K, pool, bandwidth);
	}
	rstar_pool_free(pool);
	return 0;
}

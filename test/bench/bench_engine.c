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
#include "random_model.h"

#define PROMPT 512
#define PREFIX 256
#define RUNS   3

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
measure_random(const char *name, const rstar_hparams *h, rstar_type type, rstar_pool *pool,
			   double bandwidth)
{
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	char path[] = "/tmp/rstar-bench-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	random_model(h, type, NULL, fd);
	if (rstar_gguf_open_fd(fd, &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK)
		fail(&err);
	measure(name, gguf, pool, bandwidth);
	rstar_gguf_close(gguf);
	close(fd);
}

int
main(int argc, char **argv)
{
	rstar_pool *pool = NULL;
	rstar_error err = {0};
	int threads = argc > 2 ? atoi(argv[2]) : rstar_cpu_count();

	setvbuf(stdout, NULL, _IOLBF, 0);
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
		measure_random("embedded shape, Q8_0", &shape_small, RSTAR_TYPE_Q8_0, pool, bandwidth);
		measure_random("Qwen2.5-Math-1.5B shape, Q8_0", &shape_large, RSTAR_TYPE_Q8_0, pool,
					   bandwidth);
		measure_random("Qwen2.5-Math-1.5B shape, Q4_K", &shape_large, RSTAR_TYPE_Q4_K, pool,
					   bandwidth);
	}
	rstar_pool_free(pool);
	return 0;
}

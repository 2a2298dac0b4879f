/*
 * bench_engine.c
 *	  Speed of prompts and of decoding, beside what the machine can do and, if you
 *	  have one, beside another engine, by turns in the same run.
 *
 *		bench_engine [options]            random models: the shapes of Qwen2.5-Math-1.5B
 *		                                  (Q8_0, Q4_K) and of the embedded model
 *		bench_engine [options] FILE.gguf
 *
 *		-t threads    (default: processors)
 *		-k family     portable, avx2, avxvnni, avx512, amx (default: the best)
 *		-b 1,8,32     numbers of sequences over a shared prefix of 256 tokens
 *		-p 512        tokens of the prompt; 0: none
 *		-r 5          runs; medians are printed
 *		-c PROGRAM    compare with this llama-batched-bench (or RSTAR_PEER); files only
 *
 * Decoding one sequence reads every weight once per token, so bandwidth / bytes of
 * weights bounds it. A batch is bounded by the products: parameters of the matrices per
 * token against the peak of the family's multiply-add.
 */
#include "bench.h"

#include <math.h>
#include <unistd.h>

#include "core/base/random.h"
#include "core/engine/engine.h"
#include "peak.h"
#include "peer.h"
#include "random_model.h"

#define PREFIX 256
#define MOST   8 /* measurements of a file */

typedef struct settings
{
	rstar_cpu_family family;
	int runs;
	uint32_t prompt;
	const char *batches; /* "1,8,32" */
	const char *peer;    /* its program, or NULL */
} settings;

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

/* Tokens per second of a prompt that is not in the cache. */
static double
prompt_speed(rstar_engine *engine, uint32_t tokens, uint64_t salt)
{
	rstar_kv_node *node = make_node(engine, NULL, tokens, salt);
	rstar_request request = {node, 1, RSTAR_WANT_LOGITS};
	double rate = tokens / run_job(engine, &request, 1);

	rstar_kv_node_release(node);
	return rate;
}

/* Tokens per second, all sequences together, over a shared prefix. */
static double
decode_speed(rstar_engine *engine, uint32_t n, uint32_t prefix, uint32_t steps)
{
	rstar_kv_node *parent = make_node(engine, NULL, prefix, 1);
	rstar_kv_node **nodes = calloc(n, sizeof *nodes);
	rstar_request *requests = calloc(n, sizeof *requests);
	rstar_request first = {parent, 1, RSTAR_WANT_LOGITS};
	rstar_error err = {0};
	double seconds = 0;

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
		seconds += run_job(engine, requests, n);
	}
	for (uint32_t i = 0; i < n; i++)
		rstar_kv_node_release(nodes[i]);
	rstar_kv_node_release(parent);
	free(nodes);
	free(requests);
	return n * steps / seconds;
}

/* Parameters that every token is multiplied by: all but the embeddings, which are only read. */
static double
matrix_parameters(const rstar_weights *weights)
{
	const rstar_hparams *h = &weights->hparams;
	double attention = (double) h->n_embd * h->head_dim * (2 * h->n_head + 2 * h->n_head_kv);
	double forward = 3.0 * h->n_embd * h->n_ff;

	return h->n_layer * (attention + forward);
}

/* What is measured on one file: the prompt first, then each number of sequences. */
typedef struct measurements
{
	uint32_t sequences[MOST]; /* 0: the prompt */
	int n;
	double ours[MOST][64], peers[MOST][64];
	int n_peers; /* runs in which the peer printed everything */
} measurements;

static void
read_batches(measurements *m, const settings *s)
{
	m->n = 0;
	if (s->prompt > 0)
		m->sequences[m->n++] = 0;
	for (const char *p = s->batches; *p && m->n < MOST; p += strcspn(p, ","), p += *p == ',')
		m->sequences[m->n++] = (uint32_t) strtoul(p, NULL, 10);
}

static void
ask_peer(measurements *m, const settings *s, const char *file, int threads, uint32_t prefix)
{
	bench_peer_row rows[MOST];
	int n = bench_peer_run(s->peer, file, threads, prefix, s->batches, rows, MOST);
	int at = 0;
	bench_peer_row prompt;

	if (s->prompt > 0)
	{
		if (bench_peer_run(s->peer, file, threads, s->prompt, "1", &prompt, 1) != 1)
			return;
		m->peers[at++][m->n_peers] = prompt.prompt;
	}
	if (n + at != m->n)
		return;
	for (int i = 0; i < n; i++)
		m->peers[at++][m->n_peers] = rows[i].decoding;
	m->n_peers++;
}

static void
print_one(measurements *m, int i, const settings *s, uint32_t prefix, double bound)
{
	double ours = bench_median(m->ours[i], s->runs);

	if (m->sequences[i] == 0)
		printf("  prompt of %u tokens             ", s->prompt);
	else
		printf("  decoding %3u over a prefix of %u", m->sequences[i], prefix);
	printf(" %9.1f tok/s  %5.1f %% of the bound", ours, 100 * ours / bound);
	if (m->n_peers > 0)
	{
		double peers = bench_median(m->peers[i], m->n_peers);

		printf("   peer %9.1f tok/s: %.2f times as fast", peers, ours / peers);
	}
	printf("\n");
}

static void
measure(const char *name, const rstar_gguf *gguf, const char *file, rstar_pool *pool,
		const settings *s)
{
	static measurements m;
	rstar_weights *weights = NULL;
	rstar_engine *engine = NULL;
	rstar_error err = {0};
	int threads = rstar_pool_threads(pool);

	if (rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err) != RSTAR_OK)
		fail(&err);

	bool small = rstar_gguf_file_size(gguf) < (100u << 20);
	rstar_engine_options options = {.family = s->family,
									.kv_type = RSTAR_KV_F16,
									.kv_budget = (uint64_t) 2 << 30,
									.max_panels = (uint64_t) 16 << 20};
	uint32_t context = weights->hparams.n_context;
	uint32_t prefix = context / 2 < PREFIX ? context / 2 : PREFIX;

	if (rstar_engine_create(weights, pool, &options, &rstar_allocator_malloc, &engine, &err) !=
		RSTAR_OK)
		fail(&err);

	double bandwidth = bench_bandwidth(pool), peak = bench_peak(pool, s->family);
	double bytes = (double) rstar_gguf_file_size(gguf);

	printf("%s: %.1f MB, %d threads, kernels %s; memory %.1f GB/s, products %.0f G/s\n", name,
		   bytes / 1e6, threads, rstar_cpu_family_name(s->family), bandwidth / 1e9, peak / 1e9);
	memset(&m, 0, sizeof m);
	read_batches(&m, s);
	prompt_speed(engine, 16, 99); /* pages and buffers */
	for (int run = 0; run < s->runs; run++)
	{
		for (int i = 0; i < m.n; i++)
			m.ours[i][run] = m.sequences[i] == 0
								 ? prompt_speed(engine, s->prompt < context ? s->prompt : context,
												(uint64_t) run)
								 : decode_speed(engine, m.sequences[i], prefix, small ? 16 : 4);
		if (s->peer && file)
			ask_peer(&m, s, file, threads, prefix);
	}
	for (int i = 0; i < m.n; i++)
	{
		double n = m.sequences[i] == 0 ? s->prompt : m.sequences[i];
		double read = bandwidth / bytes * n;
		double products = peak > 0 ? peak / matrix_parameters(weights) : read;

		print_one(&m, i, s, prefix, (read < products && !small) ? read : products);
	}
	rstar_engine_free(engine);
	rstar_weights_close(weights);
}

static void
measure_random(const char *name, const rstar_hparams *h, rstar_type type, rstar_pool *pool,
			   const settings *s)
{
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	char path[] = "/tmp/rstar-bench-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	random_model(h, type, NULL, fd);
	if (rstar_gguf_open_fd(fd, &rstar_allocator_malloc, NULL, &gguf, &err) != RSTAR_OK)
		fail(&err);
	measure(name, gguf, NULL, pool, s);
	rstar_gguf_close(gguf);
	close(fd);
}

static bool
set_option(settings *s, int option, const char *value, int *threads)
{
	switch (option)
	{
		case 't':
			*threads = atoi(value);
			return true;
		case 'k':
			return rstar_cpu_family_by_name(value, &s->family) && rstar_cpu_supports(s->family);
		case 'b':
			s->batches = value;
			return true;
		case 'p':
			s->prompt = (uint32_t) atoi(value);
			return true;
		case 'r':
			s->runs = atoi(value);
			return s->runs > 0 && s->runs <= 64;
		case 'c':
			s->peer = value;
			return true;
		default:
			return false;
	}
}

int
main(int argc, char **argv)
{
	rstar_pool *pool = NULL;
	rstar_error err = {0};
	int threads = rstar_cpu_count();
	settings s = {.family = rstar_cpu_best(),
				  .runs = 5,
				  .prompt = 512,
				  .batches = "1,8,32",
				  .peer = getenv("RSTAR_PEER")};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int option; (option = getopt(argc, argv, "t:k:b:p:r:c:")) != -1;)
		if (!set_option(&s, option, optarg, &threads))
		{
			fprintf(stderr, "usage: bench_engine [-t threads] [-k family] [-b 1,8,32] [-p 512] "
							"[-r 5] [-c llama-batched-bench] [FILE.gguf]\n");
			return 1;
		}
	if (rstar_pool_create(threads, &pool, &err) != RSTAR_OK)
		fail(&err);
	if (optind < argc)
	{
		rstar_gguf *gguf = NULL;

		if (rstar_gguf_open(argv[optind], &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK)
			fail(&err);
		measure(argv[optind], gguf, argv[optind], pool, &s);
		rstar_gguf_close(gguf);
	}
	else
	{
		measure_random("embedded shape, Q8_0", &shape_small, RSTAR_TYPE_Q8_0, pool, &s);
		measure_random("Qwen2.5-Math-1.5B shape, Q8_0", &shape_large, RSTAR_TYPE_Q8_0, pool, &s);
		measure_random("Qwen2.5-Math-1.5B shape, Q4_K", &shape_large, RSTAR_TYPE_Q4_K, pool, &s);
	}
	rstar_pool_free(pool);
	return 0;
}

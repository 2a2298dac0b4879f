/*
 * sample.c
 *	  Samples continuations with the extension's own engine, for evaluate.py.
 *
 * Not part of the extension: a model is judged faster, and as it will run,
 * this way. Each line of standard input is a job,
 *
 *		samples max_tokens seed temperature id id id …
 *
 * and gives `samples` lines of ids on standard output, in order; a line ends
 * with "." where the model ended the text itself. The arguments are the model
 * file and the ids behind which a sequence stops. See README.md for how to
 * build it. It is a tool: it prints and exits on errors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/engine.h"
#include "core/engine/generate.h"
#include "core/text/tokenizer.h"

#define MAX_IDS    4096
#define MAX_JOBS   256
#define MAX_LINE   (MAX_IDS * 12)
#define BATCH      192 /* sequences side by side */
#define MAX_STOPS  16
#define KV_BUDGET  ((uint64_t) 1 << 30)
#define CHECK(call) \
	do \
	{ \
		if ((call) != RSTAR_OK) \
		{ \
			fprintf(stderr, "sample: %s\n", err.message); \
			exit(1); \
		} \
	} while (0)

static rstar_error err;
static int32_t stops[MAX_STOPS];
static int n_stops;

static bool
stops_here(void *arg, uint32_t i, int32_t id, bool eog)
{
	(void) arg;
	(void) i;
	(void) eog;
	for (int s = 0; s < n_stops; s++)
		if (stops[s] == id)
			return true;
	return false;
}

static bool
is_eog(const void *vocabulary, int32_t id)
{
	return rstar_tokenizer_is_eog(vocabulary, id);
}

/* One job's line: a node with its prompt, and its sequences in specs. */
static uint32_t
read_job(rstar_engine *engine, char *line, rstar_kv_node **node, rstar_sequence_spec *specs,
		 float *temperature)
{
	static int32_t ids[MAX_IDS];
	char *at = line;
	uint32_t samples = (uint32_t) strtoul(at, &at, 10);
	uint32_t max_tokens = (uint32_t) strtoul(at, &at, 10);
	uint64_t seed = strtoull(at, &at, 10);
	uint32_t n = 0;

	*temperature = strtof(at, &at);
	for (char *next; n < MAX_IDS; at = next)
	{
		long id = strtol(at, &next, 10);

		if (next == at)
			break;
		ids[n++] = (int32_t) id;
	}
	CHECK(rstar_kv_node_create(rstar_engine_kv(engine), NULL, node, &err));
	CHECK(rstar_kv_node_append(*node, ids, n, &err));
	for (uint32_t i = 0; i < samples; i++)
		specs[i] = (rstar_sequence_spec){.parent = *node, .stream = {seed, i, 0}, .max_tokens = max_tokens};
	return samples;
}

/* All jobs of one batch have the same temperature. */
static void
run_batch(rstar_engine *engine, const rstar_tokenizer *tokenizer, const rstar_sequence_spec *specs,
		  uint32_t n, float temperature)
{
	rstar_generation_options options = {.sampling = {temperature, 0, 1, 0},
										.hook = stops_here,
										.is_eog = is_eog,
										.vocabulary = tokenizer};
	rstar_generation *generation;
	rstar_status status;

	CHECK(rstar_generation_create(engine, &options, specs, n, &rstar_allocator_malloc, &generation,
								  &err));
	while ((status = rstar_generation_step(generation, NULL, &err)) == RSTAR_AGAIN)
		;
	CHECK(status);
	for (uint32_t i = 0; i < n; i++)
	{
		rstar_sequence sequence;

		rstar_generation_get(generation, i, &sequence);
		for (uint32_t t = 0; t < sequence.n_tokens; t++)
			printf("%d ", sequence.tokens[t]);
		puts(sequence.finish == RSTAR_FINISH_EOG ? "." : "");
	}
	fflush(stdout);
	rstar_generation_free(generation);
}

int
main(int argc, char **argv)
{
	static char line[MAX_LINE];
	static rstar_sequence_spec specs[BATCH + 1024];
	static rstar_kv_node *nodes[MAX_JOBS];
	uint32_t n = 0, jobs = 0;
	float temperature = 0, wanted = 0;
	rstar_gguf *gguf;
	rstar_weights *weights;
	rstar_tokenizer *tokenizer;
	rstar_pool *pool;
	rstar_engine *engine;

	if (argc < 2)
		return 2;
	for (int i = 2; i < argc && n_stops < MAX_STOPS; i++)
		stops[n_stops++] = atoi(argv[i]);
	CHECK(rstar_gguf_open(argv[1], &rstar_allocator_malloc, &gguf, &err));
	CHECK(rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err));
	CHECK(rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err));
	CHECK(rstar_pool_create(1, &pool, &err));
	rstar_engine_options options = {
		.family = rstar_cpu_best(), .kv_type = RSTAR_KV_F32, .kv_budget = KV_BUDGET};

	CHECK(rstar_engine_create(weights, pool, &options, &rstar_allocator_malloc, &engine, &err));
	while (fgets(line, sizeof line, stdin) != NULL)
	{
		rstar_sequence_spec job[1024];
		rstar_kv_node *node;
		uint32_t samples = read_job(engine, line, &node, job, &wanted);

		if (n > 0 && (n + samples > BATCH || jobs == MAX_JOBS || wanted != temperature))
		{
			run_batch(engine, tokenizer, specs, n, temperature);
			while (jobs > 0)
				rstar_kv_node_release(nodes[--jobs]);
			n = 0;
		}
		temperature = wanted;
		memcpy(specs + n, job, samples * sizeof *job);
		n += samples;
		nodes[jobs++] = node;
	}
	if (n > 0)
		run_batch(engine, tokenizer, specs, n, temperature);
	return 0;
}

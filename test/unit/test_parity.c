/*
 * test_parity.c
 *	  The engine against an independent float64 forward pass.
 *
 * Ten tiny models with logits and greedy continuations (fixtures/parity in the
 * optional folder; see its README for the tolerances). Every case runs with
 * the prompt in one chunk, in chunks of 1, 3 and 7, and through a KV tree that
 * branches and is evicted in between; all must give the same bits, and bits
 * near enough to the reference.
 *
 * The many passes would take minutes with the sanitizers inside the kernels, so
 * this program is linked with plain ones (unit.mk). test_parity_memory.c runs
 * one case of each model with everything checked; test_kernels.c does the kernels.
 */
#include "check.h"

#include <dirent.h>
#include <jansson.h>

#include "core/engine/engine.h"

#define MAX_VOCAB 512

/* Tokens of the one case to run; 0: all cases. */
#ifndef PARITY_ONLY
#define PARITY_ONLY 0
#endif

static const char *current = ""; /* model under test, for messages */

typedef struct model
{
	rstar_gguf *gguf;
	rstar_weights *weights;
	json_t *json;
	double tolerance_rms, tolerance_max;
} model;

static void
take_logits(void *arg, const rstar_output *output)
{
	memcpy(arg, output->logits, MAX_VOCAB * sizeof(float));
}

static void
store_by_request(void *arg, const rstar_output *output)
{
	float(*to)[MAX_VOCAB] = arg;

	memcpy(to[output->request], output->logits, sizeof to[0]);
}

static rstar_engine *
make_engine(const model *m, rstar_pool *pool, rstar_cpu_family family, uint32_t batch,
			uint64_t budget)
{
	rstar_engine_options options = {.family = family,
									.kv_type = RSTAR_KV_F32,
									.kv_budget = budget,
									.max_batch = batch,
									.max_panels = batch % 2 == 0 ? 1 << 24 : 0};
	rstar_engine *engine = NULL;
	rstar_error err = {0};

	rstar_status status =
		rstar_engine_create(m->weights, pool, &options, &rstar_allocator_malloc, &engine, &err);

	CHECK_MSG(status == RSTAR_OK, "%s: %s", current, err.message);
	return engine;
}

static rstar_kv_node *
make_node(rstar_engine *engine, rstar_kv_node *parent, const int32_t *tokens, uint32_t n)
{
	rstar_kv_node *node = NULL;
	rstar_error err = {0};

	CHECK(rstar_kv_node_create(rstar_engine_kv(engine), parent, &node, &err) == RSTAR_OK);
	CHECK(rstar_kv_node_append(node, tokens, n, &err) == RSTAR_OK);
	return node;
}

/* Logits behind the node's last token. */
static void
logits_of(rstar_engine *engine, rstar_kv_node *node, float *logits)
{
	rstar_request request = {node, 1, RSTAR_WANT_LOGITS};
	rstar_error err = {0};
	rstar_status status = rstar_engine_run(engine, &request, 1, take_logits, logits, NULL, &err);

	CHECK_MSG(status == RSTAR_OK, "%s: %s", current, err.message);
}

static void
compare_with_reference(const model *m, const json_t *reference, const float *logits,
					   const char *how)
{
	double sum = 0, greatest = 0;
	size_t n = json_array_size(reference);

	for (size_t i = 0; i < n; i++)
	{
		double difference = logits[i] - json_number_value(json_array_get(reference, i));

		sum += difference * difference;
		greatest = fabs(difference) > greatest || isnan(difference) ? fabs(difference) : greatest;
	}
	CHECK_MSG(sqrt(sum / (double) n) <= m->tolerance_rms && greatest <= m->tolerance_max,
			  "%s, %s: rms %g (%g), max %g (%g)", current, how, sqrt(sum / (double) n),
			  m->tolerance_rms, greatest, m->tolerance_max);
}

/* Greedy continuation, equal until the reference itself is nearly tied. */
static void
check_greedy(const model *m, rstar_engine *engine, rstar_kv_node *prompt, const json_t *reference)
{
	const json_t *ids = json_object_get(reference, "greedy");
	const json_t *margins = json_object_get(reference, "greedy_margin");
	rstar_kv_node *node = prompt;
	float logits[MAX_VOCAB];

	rstar_kv_node_retain(node);
	for (size_t step = 0; step < json_array_size(ids); step++)
	{
		int32_t best = 0;
		int32_t expected = (int32_t) json_integer_value(json_array_get(ids, step));
		rstar_kv_node *next;

		if (json_number_value(json_array_get(margins, step)) < 2 * m->tolerance_max)
			break;
		logits_of(engine, node, logits);
		for (int32_t i = 1; i < MAX_VOCAB; i++)
			best = logits[i] > logits[best] ? i : best;
		CHECK_MSG(best == expected, "%s: greedy step %zu: %d instead of %d", current, step, best,
				  expected);
		next = make_node(engine, node, &best, 1);
		rstar_kv_node_release(node);
		node = next;
	}
	rstar_kv_node_release(node);
}

/* A tree: the prompt cut in two nodes, siblings beside the second, then eviction. */
static void
check_tree(const model *m, rstar_pool *pool, rstar_cpu_family family, const int32_t *tokens,
		   uint32_t n, const float *expected)
{
	uint32_t cut = n / 2;
	float logits[MAX_VOCAB];
	rstar_engine *engine = make_engine(m, pool, family, 0, (uint64_t) 1 << 40);
	uint64_t block = rstar_kv_block_bytes(rstar_engine_kv(engine));
	uint32_t blocks = cut / RSTAR_KV_BLOCK + (n - cut) / RSTAR_KV_BLOCK + 2;

	rstar_engine_free(engine);
	engine = make_engine(m, pool, family, 0, blocks * block);

	rstar_kv_node *head = make_node(engine, NULL, tokens, cut);
	rstar_kv_node *tail = make_node(engine, cut ? head : NULL, tokens + cut, n - cut);
	rstar_kv_node *other = make_node(engine, cut ? head : NULL, tokens, n - cut);
	rstar_kv_node *stranger = make_node(engine, NULL, tokens + n - 1, 1);
	rstar_kv_node *big = make_node(engine, NULL, tokens, n);

	for (int round = 0; round < 3; round++)
	{
		logits_of(engine, tail, logits);
		CHECK_MSG(memcmp(logits, expected, sizeof logits) == 0, "%s: tree, round %d", current,
				  round);
		logits_of(engine, other, logits);
		logits_of(engine, stranger, logits);
		logits_of(engine, big, logits);
		CHECK_MSG(memcmp(logits, expected, sizeof logits) == 0, "%s: whole, round %d", current,
				  round);
	}
	if (n > 2 * RSTAR_KV_BLOCK)
		CHECK(rstar_kv_evictions(rstar_engine_kv(engine)) > 0);
	rstar_kv_node_release(head);
	rstar_kv_node_release(tail);
	rstar_kv_node_release(other);
	rstar_kv_node_release(stranger);
	rstar_kv_node_release(big);
	CHECK(rstar_kv_used(rstar_engine_kv(engine)) == 0);
	rstar_engine_free(engine);
}

static void
check_case(const model *m, rstar_pool *pool, rstar_pool *pool2, rstar_cpu_family family,
		   const json_t *test)
{
	const json_t *ids = json_object_get(test, "tokens");
	const json_t *reference = json_object_get(test, "ref64");
	uint32_t n = (uint32_t) json_array_size(ids);
	static const uint32_t chunks[] = {0, 1, 3, 7};
	int32_t tokens[128];
	float first[MAX_VOCAB], logits[MAX_VOCAB];

	for (uint32_t i = 0; i < n; i++)
		tokens[i] = (int32_t) json_integer_value(json_array_get(ids, i));
	for (int c = 0; c < 4; c++)
	{
		/* The slower families, whose structure is the same, take a part of the cases. */
		if ((c == 1 || c == 2) && family != rstar_cpu_best())
			continue;

		rstar_engine *engine = make_engine(m, c % 2 ? pool2 : pool, family, chunks[c], 1 << 28);
		rstar_kv_node *node = make_node(engine, NULL, tokens, n);

		logits_of(engine, node, c == 0 ? first : logits);
		if (c == 0)
		{
			compare_with_reference(m, json_object_get(reference, "logits"), first,
								   rstar_cpu_family_name(family));
			if (family == rstar_cpu_best())
				check_greedy(m, engine, node, reference);
		}
		else
			CHECK_MSG(memcmp(first, logits, sizeof first) == 0, "%s: chunks of %u differ", current,
					  chunks[c]);
		rstar_kv_node_release(node);
		rstar_engine_free(engine);
	}
	if (n == 47 || family == rstar_cpu_best())
		check_tree(m, pool2, family, tokens, n, first);
}

/* 32 sequences in one pass give what each gives alone. */
static void
check_batch(const model *m, rstar_pool *pool, rstar_cpu_family family)
{
	static float together[32][MAX_VOCAB], alone[MAX_VOCAB];
	rstar_engine *engine = make_engine(m, pool, family, 0, 1 << 28);
	rstar_engine *other = make_engine(m, pool, family, 0, 1 << 28);
	rstar_kv_node *nodes[32];
	rstar_request requests[32];
	rstar_error err = {0};

	for (uint32_t i = 0; i < 32; i++)
	{
		int32_t tokens[40];

		for (uint32_t j = 0; j < 40; j++)
			tokens[j] = (int32_t) ((i * 37 + j * 11 + i * j) % 500);
		nodes[i] = make_node(engine, i % 4 ? nodes[i - i % 4] : NULL, tokens, 5 + i);
		requests[i] = (rstar_request){nodes[i], 1, RSTAR_WANT_LOGITS};
	}
	CHECK(rstar_engine_run(engine, requests, 32, store_by_request, together, NULL, &err) ==
		  RSTAR_OK);
	for (uint32_t i = 0; i < 32; i++)
	{
		rstar_kv_node *copy = NULL;
		rstar_kv_node *parent = rstar_kv_node_parent(nodes[i]);

		if (parent)
			copy =
				make_node(other, NULL, rstar_kv_node_tokens(parent), rstar_kv_node_count(parent));

		rstar_kv_node *node =
			make_node(other, copy, rstar_kv_node_tokens(nodes[i]), rstar_kv_node_count(nodes[i]));

		logits_of(other, node, alone);
		CHECK_MSG(memcmp(alone, together[i], sizeof alone) == 0,
				  "%s: sequence %u differs in a batch", current, i);
		rstar_kv_node_release(node);
		rstar_kv_node_release(copy);
	}
	for (uint32_t i = 32; i-- > 0;)
		rstar_kv_node_release(nodes[i]);
	rstar_engine_free(engine);
	rstar_engine_free(other);
}

static bool
open_model(const char *folder, const char *name, model *m)
{
	char path[512];
	rstar_error err = {0};
	json_error_t json_err;

	snprintf(path, sizeof path, "%s/%s.gguf", folder, name);
	if (rstar_gguf_open(path, &rstar_allocator_malloc, &m->gguf, &err) != RSTAR_OK ||
		rstar_weights_open(m->gguf, &rstar_allocator_malloc, &m->weights, &err) != RSTAR_OK)
	{
		CHECK_MSG(false, "%s: %s (%s)", path, err.message, err.detail);
		return false;
	}
	snprintf(path, sizeof path, "%s/%s.json", folder, name);
	m->json = json_load_file(path, 0, &json_err);
	CHECK_MSG(m->json, "%s: %s", path, json_err.text);

	double deviation = json_number_value(json_object_get(m->json, "logit_std"));
	rstar_type type = m->weights->layers[0].wq.type;
	bool exact = type == RSTAR_TYPE_F32 || type == RSTAR_TYPE_F16 || type == RSTAR_TYPE_BF16;

	m->tolerance_rms = (exact ? 1e-4 : 0.025) * deviation;
	m->tolerance_max = (exact ? 1e-4 : 0.12) * deviation;
	return true;
}

static void
check_model(const char *folder, const char *name)
{
	model m = {0};
	rstar_pool *pool = NULL, *pool2 = NULL;
	rstar_error err;

	current = name;
	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	CHECK(rstar_pool_create(2, &pool2, &err) == RSTAR_OK);
	if (open_model(folder, name, &m))
		for (int f = 0; f < RSTAR_CPU_FAMILIES; f++)
		{
			const json_t *cases = json_object_get(m.json, "cases");
			int ran = 0;

			if (!rstar_cpu_supports((rstar_cpu_family) f))
				continue;
			for (size_t i = 0; i < json_array_size(cases); i++)
			{
				const json_t *test = json_array_get(cases, i);

				if (PARITY_ONLY == 0 ||
					json_array_size(json_object_get(test, "tokens")) == PARITY_ONLY)
				{
					check_case(&m, pool, pool2, (rstar_cpu_family) f, test);
					ran++;
				}
			}
			CHECK_MSG(ran > 0, "%s: no case of %d tokens", name, PARITY_ONLY);
			if (PARITY_ONLY == 0)
				check_batch(&m, pool2, (rstar_cpu_family) f);
		}
	json_decref(m.json);
	rstar_weights_close(m.weights);
	rstar_gguf_close(m.gguf);
	rstar_pool_free(pool);
	rstar_pool_free(pool2);
}

static char folder[256];
static const char *model_name;

static void
parity(void)
{
	check_model(folder, model_name);
}

/* test_parity [MODEL ...]: these models only */
static bool
wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {
		"qwen2-tiny-f32",     "qwen2-tiny-hd128-bf16", "qwen2-tinyq-q8_0", "qwen2-tinyq-q4_0",
		"qwen2-tinyq-q4_k",   "qwen2-tinyq-q4_k_m",    "qwen2-tinyq-q6_k", "phi3-tiny-f32",
		"phi3-tiny-hd96-f16", "llama-tiny-f32"};
	DIR *dir;

	snprintf(folder, sizeof folder, "%s/fixtures/parity", check_shared());
	dir = opendir(folder);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
	{
		model_name = names[i];
		if (!wanted(model_name, argc, argv))
			continue;
		if (dir)
			RUN(parity);
		else
			SKIP(parity, "no fixtures/parity");
	}
	if (dir)
		closedir(dir);
	return CHECK_RESULT();
}

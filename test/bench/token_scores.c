/*
 * token_scores.c
 *	  What a model of ours says of given sequences, for llama_text.py, which compares.
 *
 *		token_scores MODEL.gguf [threads] <lines >lines
 *
 * A line in: {"text": …, "ids": [...]}. A line out: {"same_ids": whether the text is encoded so
 * here, "best": [id], "gap": [log-probability of the best less that of the second], "logprob": [of the id
 * that stands there]}, each from the second id on.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/engine.h"
#include "core/model/gguf.h"
#include "core/text/tokenizer.h"

typedef struct scorer
{
	rstar_tokenizer *tokenizer;
	rstar_engine *engine;
	uint32_t n_vocab;
	const int32_t *ids; /* of the sequence at hand */
	uint32_t n;
	json_t *best, *gap, *logprob;
} scorer;

static void
check(rstar_status st, const rstar_error *err)
{
	if (st == RSTAR_OK)
		return;
	fprintf(stderr, "token_scores: %s %s\n", err->message, err->detail);
	exit(1);
}

static void
open_model(scorer *s, const char *path, int threads)
{
	rstar_engine_options options = {.family = rstar_cpu_best(),
									.kv_type = RSTAR_KV_F16,
									.kv_budget = (uint64_t) 2 << 30,
									.max_panels = (uint64_t) 16 << 20};
	rstar_gguf *gguf;
	rstar_weights *weights;
	rstar_pool *pool;
	rstar_error err = {0};

	check(rstar_gguf_open(path, &rstar_allocator_malloc, &gguf, &err), &err);
	check(rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err), &err);
	check(rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &s->tokenizer, &err), &err);
	check(rstar_pool_create(threads, &pool, &err), &err);
	check(rstar_engine_create(weights, pool, &options, &rstar_allocator_malloc, &s->engine, &err),
		  &err);
	s->n_vocab = rstar_engine_n_vocab(s->engine);
}

/* One position: what is best behind it, and how likely the id is that comes. */
static void
take(void *arg, const rstar_output *output)
{
	scorer *s = arg;
	const float *logits = output->logits;
	uint32_t best = 0;
	double sum = 0, second = -INFINITY;

	if (output->position + 1 >= s->n)
		return;
	for (uint32_t i = 1; i < s->n_vocab; i++)
		best = logits[i] > logits[best] ? i : best;
	for (uint32_t i = 0; i < s->n_vocab; i++)
	{
		sum += exp((double) logits[i] - logits[best]);
		second = i != best ? fmax(second, logits[i]) : second;
	}
	json_array_append_new(s->best, json_integer(best));
	json_array_append_new(s->gap, json_real(logits[best] - second));
	json_array_append_new(s->logprob, json_real((double) logits[s->ids[output->position + 1]] -
												logits[best] - log(sum)));
}

static bool
same_ids(const scorer *s, const json_t *text)
{
	rstar_encode_options options = {.add_bos = true, .parse_special = true, .dummy_prefix = true};
	rstar_error err = {0};
	int32_t *ids;
	size_t count;
	bool same;

	check(rstar_tokenizer_encode(s->tokenizer, json_string_value(text), json_string_length(text),
								 &options, &rstar_allocator_malloc, NULL, &ids, &count, &err),
		  &err);
	/* What a model wrote may follow what the text was. */
	same = count <= s->n && memcmp(ids, s->ids, count * sizeof *ids) == 0;
	rstar_free(&rstar_allocator_malloc, ids);
	return same;
}

static json_t *
score(scorer *s, json_t *line)
{
	const json_t *list = json_object_get(line, "ids");
	int32_t *ids = malloc(json_array_size(list) * sizeof *ids);
	rstar_kv_node *node;
	rstar_error err = {0};
	rstar_request request;

	s->n = (uint32_t) json_array_size(list);
	for (uint32_t i = 0; i < s->n; i++)
		ids[i] = (int32_t) json_integer_value(json_array_get(list, i));
	s->ids = ids;
	s->best = json_array();
	s->gap = json_array();
	s->logprob = json_array();
	check(rstar_kv_node_create(rstar_engine_kv(s->engine), NULL, &node, &err), &err);
	check(rstar_kv_node_append(node, ids, s->n, &err), &err);
	request = (rstar_request){node, s->n, RSTAR_WANT_LOGITS};
	check(rstar_engine_run(s->engine, &request, 1, take, s, NULL, &err), &err);
	rstar_kv_node_release(node);
	line = json_pack("{s:b, s:o, s:o, s:o}", "same_ids", same_ids(s, json_object_get(line, "text")),
					 "best", s->best, "gap", s->gap, "logprob", s->logprob);
	free(ids);
	return line;
}

int
main(int argc, char **argv)
{
	scorer s = {0};
	json_t *line;

	if (argc < 2)
		return 2;
	open_model(&s, argv[1], argc > 2 ? atoi(argv[2]) : 2);
	while ((line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
	{
		json_t *result = score(&s, line);

		json_dumpf(result, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(result);
		json_decref(line);
	}
	return 0;
}

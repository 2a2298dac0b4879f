/*
 * test_engine.c
 *	  The engine on random models: against a naive forward pass in double, and
 *	  its promises about batches, threads, chunks, eviction, errors, cancel.
 */
#include "tiny_model.h"

#include "core/engine/generate.h"

#define MAX_TOKENS 128
#define MAX_VOCAB  96

/* --- the naive forward pass ----------------------------------------------------- */

static void
naive_product(const rstar_matrix *w, const float *bias, const double *in, double *out)
{
	for (uint32_t r = 0; r < w->rows; r++)
	{
		const float *row = (const float *) rstar_matrix_row(w, r);

		out[r] = bias ? bias[r] : 0;
		for (uint32_t k = 0; k < w->columns; k++)
			out[r] += row[k] * in[k];
	}
}

static void
naive_norm(const double *in, const float *weight, uint32_t n, double eps, double *out)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += in[i] * in[i];
	for (uint32_t i = 0; i < n; i++)
		out[i] = in[i] / sqrt(sum / n + eps) * weight[i];
}

static void
naive_rope(const rstar_hparams *h, uint32_t position, double *head)
{
	for (uint32_t i = 0; i < h->rope_dim / 2; i++)
	{
		bool neox = h->rope_style == RSTAR_ROPE_NEOX;
		double angle = position * pow(h->rope_base, -2.0 * i / h->rope_dim);
		double *a = &head[neox ? i : 2 * i];
		double *b = &head[neox ? i + h->rope_dim / 2 : 2 * i + 1];
		double x = *a, y = *b;

		*a = x * cos(angle) - y * sin(angle);
		*b = x * sin(angle) + y * cos(angle);
	}
}

typedef struct naive_cache
{
	double k[4][MAX_TOKENS][64], v[4][MAX_TOKENS][64];
} naive_cache;

static void
naive_attention(const rstar_hparams *h, const naive_cache *cache, uint32_t layer, uint32_t position,
				const double *q, double *out)
{
	uint32_t first = h->sliding_window && position + 1 > h->sliding_window
						 ? position + 1 - h->sliding_window
						 : 0;

	for (uint32_t head = 0; head < h->n_head; head++)
	{
		uint32_t kv = head / (h->n_head / h->n_head_kv) * h->head_dim;
		double weight[MAX_TOKENS], total = 0;

		for (uint32_t p = first; p <= position; p++)
		{
			double dot = 0;

			for (uint32_t i = 0; i < h->head_dim; i++)
				dot += q[head * h->head_dim + i] * cache->k[layer][p][kv + i];
			weight[p] = exp(dot / sqrt(h->head_dim));
			total += weight[p];
		}
		for (uint32_t i = 0; i < h->head_dim; i++)
		{
			double sum = 0;

			for (uint32_t p = first; p <= position; p++)
				sum += weight[p] / total * cache->v[layer][p][kv + i];
			out[head * h->head_dim + i] = sum;
		}
	}
}

/* Logits and value behind the last of n tokens. */
static void
naive_forward(const rstar_weights *w, const int32_t *tokens, uint32_t n, double *logits,
			  double *value)
{
	const rstar_hparams *h = &w->hparams;
	static naive_cache cache;
	double x[64], normed[64], q[64], heads[64], delta[64], gate[160], up[160];

	for (uint32_t t = 0; t < n; t++)
	{
		for (uint32_t i = 0; i < h->n_embd; i++)
			x[i] = ((const float *) rstar_matrix_row(&w->token_embd, (uint32_t) tokens[t]))[i];
		for (uint32_t l = 0; l < h->n_layer; l++)
		{
			const rstar_layer_weights *layer = &w->layers[l];

			naive_norm(x, layer->attn_norm, h->n_embd, h->norm_eps, normed);
			naive_product(&layer->wq, layer->bq, normed, q);
			naive_product(&layer->wk, layer->bk, normed, cache.k[l][t]);
			naive_product(&layer->wv, layer->bv, normed, cache.v[l][t]);
			for (uint32_t i = 0; i < h->n_head; i++)
				naive_rope(h, t, q + i * h->head_dim);
			for (uint32_t i = 0; i < h->n_head_kv; i++)
				naive_rope(h, t, cache.k[l][t] + i * h->head_dim);
			naive_attention(h, &cache, l, t, q, heads);
			naive_product(&layer->wo, layer->bo, heads, delta);
			for (uint32_t i = 0; i < h->n_embd; i++)
				x[i] += delta[i];
			naive_norm(x, layer->ffn_norm, h->n_embd, h->norm_eps, normed);
			naive_product(&layer->w_gate, NULL, normed, gate);
			naive_product(&layer->w_up, NULL, normed, up);
			for (uint32_t i = 0; i < h->n_ff; i++)
				gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
			naive_product(&layer->w_down, NULL, gate, delta);
			for (uint32_t i = 0; i < h->n_embd; i++)
				x[i] += delta[i];
		}
	}
	naive_norm(x, w->output_norm, h->n_embd, h->norm_eps, normed);
	naive_product(&w->output, NULL, normed, logits);
	*value = w->value_bias;
	for (uint32_t i = 0; w->value_head && i < h->n_embd; i++)
		*value += w->value_head[i] * normed[i];
}

/* --- helpers ---------------------------------------------------------------------- */

static rstar_pool *pool1, *pool2;

static rstar_engine *
make_engine(const tiny_model *m, rstar_pool *pool, rstar_cpu_family family, rstar_kv_type type,
			uint32_t batch, uint64_t budget)
{
	rstar_engine_options options = {
		.family = family, .kv_type = type, .kv_budget = budget, .max_batch = batch};
	rstar_engine *engine = NULL;
	rstar_error err = {0};
	rstar_status status =
		rstar_engine_create(m->weights, pool, &options, &rstar_allocator_malloc, &engine, &err);

	CHECK_MSG(status == RSTAR_OK, "%s", err.message);
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

static void
fill_tokens(int32_t *tokens, uint32_t n, uint32_t salt)
{
	for (uint32_t i = 0; i < n; i++)
		tokens[i] = (int32_t) (rstar_random_mix(salt, i) % MAX_VOCAB);
}

typedef struct captured
{
	uint32_t n;
	uint32_t position[MAX_TOKENS];
	float logits[MAX_TOKENS][MAX_VOCAB];
	float value[MAX_TOKENS];
} captured;

static void
capture(void *arg, const rstar_output *output)
{
	captured *c = (captured *) arg + output->request;

	c->position[c->n] = output->position;
	if (output->logits)
		memcpy(c->logits[c->n], output->logits, sizeof c->logits[0]);
	c->value[c->n++] = output->value;
}

/* --- tests ------------------------------------------------------------------------ */

static void
equals_naive_forward(void)
{
	for (int arch = RSTAR_ARCH_QWEN2; arch <= RSTAR_ARCH_LLAMA; arch++)
		for (int family = 0;
			 family < RSTAR_CPU_FAMILIES && rstar_cpu_supports((rstar_cpu_family) family); family++)
		{
			rstar_hparams h = tiny_hparams((rstar_arch) arch);
			tiny_model m = {0};
			int32_t tokens[40];
			double logits[MAX_VOCAB], value;
			captured *c = calloc(1, sizeof *c);
			rstar_error err = {0};

			tiny_model_create(&h, true, &m);
			fill_tokens(tokens, 40, 1);

			rstar_engine *engine =
				make_engine(&m, pool2, (rstar_cpu_family) family, RSTAR_KV_F32, 0, 1 << 24);
			rstar_kv_node *node = make_node(engine, NULL, tokens, 40);
			rstar_request request = {node, 40, RSTAR_WANT_LOGITS | RSTAR_WANT_VALUE};

			CHECK(rstar_engine_run(engine, &request, 1, capture, c, NULL, &err) == RSTAR_OK);
			CHECK(c->n == 40);
			for (uint32_t n = 1; n <= 40; n++)
			{
				double worst = 0;

				naive_forward(m.weights, tokens, n, logits, &value);
				for (int i = 0; i < MAX_VOCAB; i++)
					worst = fmax(worst, fabs(logits[i] - c->logits[n - 1][i]));
				CHECK_MSG(worst < 2e-5, "%s, %d tokens: %g", rstar_arch_name((rstar_arch) arch), n,
						  worst);
				CHECK_MSG(fabs(value - c->value[n - 1]) < 2e-5, "value %g instead of %g",
						  c->value[n - 1], value);
				CHECK(c->position[n - 1] == n - 1);
			}
			rstar_kv_node_release(node);
			rstar_engine_free(engine);
			tiny_model_free(&m);
			free(c);
		}
}

/* The same tokens as one chunk, in small batches, with half-precision cache. */
static void
half_precision_cache_is_close(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	tiny_model m = {0};
	int32_t tokens[60];
	captured *exact = calloc(2, sizeof *exact), *half = exact + 1;
	rstar_error err = {0};

	tiny_model_create(&h, false, &m);
	fill_tokens(tokens, 60, 2);
	for (int type = 0; type < 2; type++)
	{
		rstar_engine *engine =
			make_engine(&m, pool1, rstar_cpu_best(), (rstar_kv_type) type, 7, 1 << 24);
		rstar_kv_node *node = make_node(engine, NULL, tokens, 60);
		rstar_request request = {node, 1, RSTAR_WANT_LOGITS};

		CHECK(rstar_engine_run(engine, &request, 1, capture, &exact[type], NULL, &err) == RSTAR_OK);
		rstar_kv_node_release(node);
		rstar_engine_free(engine);
	}

	double worst = 0;

	for (int i = 0; i < MAX_VOCAB; i++)
		worst = fmax(worst, fabs(exact->logits[0][i] - half->logits[0][i]));
	CHECK_MSG(worst > 0 && worst < 0.02, "difference %g", worst);
	tiny_model_free(&m);
	free(exact);
}

/* Logits behind 30 tokens, of an engine for that context. */
static void
logits_in_context(const tiny_model *m, uint32_t context, float logits[MAX_VOCAB])
{
	rstar_engine_options options = {.family = rstar_cpu_best(),
									.kv_type = RSTAR_KV_F32,
									.kv_budget = 1 << 24,
									.max_context = context};
	rstar_engine *engine = NULL;
	rstar_error err = {0};
	captured *c = calloc(1, sizeof *c);
	int32_t tokens[30];

	fill_tokens(tokens, 30, 3);
	CHECK_MSG(rstar_engine_create(m->weights, pool1, &options, &rstar_allocator_malloc, &engine,
								  &err) == RSTAR_OK,
			  "%s", err.message);

	rstar_kv_node *node = make_node(engine, NULL, tokens, 30);
	rstar_request request = {node, 1, RSTAR_WANT_LOGITS};

	CHECK(rstar_engine_run(engine, &request, 1, capture, c, NULL, &err) == RSTAR_OK);
	memcpy(logits, c->logits[0], sizeof c->logits[0]);
	rstar_kv_node_release(node);
	rstar_engine_free(engine);
	free(c);
}

/* Short factors up to the original context, long ones for engines that go further. */
static void
longrope_goes_by_context(void)
{
	static const float near[8] = {1.0f, 1.1f, 1.2f, 1.4f, 1.6f, 1.9f, 2.3f, 2.8f};
	static const float far[8] = {1.0f, 1.5f, 2.0f, 3.0f, 5.0f, 9.0f, 17.0f, 33.0f};
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_PHI3);
	tiny_model m = {0};
	float with_near[MAX_VOCAB], with_far[MAX_VOCAB], found[MAX_VOCAB];

	tiny_model_create(&h, false, &m);
	m.weights->rope_factors = near;
	logits_in_context(&m, 0, with_near);
	m.weights->rope_factors = far;
	logits_in_context(&m, 0, with_far);
	CHECK(memcmp(with_near, with_far, sizeof found) != 0);

	m.weights->rope_factors = near;
	m.weights->rope_long = far;
	m.weights->hparams.rope_original = 64;
	logits_in_context(&m, 64, found);
	CHECK(memcmp(found, with_near, sizeof found) == 0);
	logits_in_context(&m, 65, found);
	CHECK(memcmp(found, with_far, sizeof found) == 0);
	logits_in_context(&m, 0, found); /* the model's own, 128 */
	CHECK(memcmp(found, with_far, sizeof found) == 0);
	tiny_model_free(&m);
}

/* Node 0 is shared by 31 children; each gives the same bits alone and elsewhere. */
static void
batch_equals_alone(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_PHI3);
	tiny_model m = {0};
	captured *c = calloc(33, sizeof *c);
	rstar_kv_node *nodes[32];
	rstar_request requests[32];
	int32_t tokens[64];
	rstar_error err = {0};

	tiny_model_create(&h, false, &m);

	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F16, 0, 1 << 24);
	rstar_engine *other = make_engine(&m, pool1, rstar_cpu_best(), RSTAR_KV_F16, 5, 1 << 24);

	for (uint32_t i = 0; i < 32; i++)
	{
		fill_tokens(tokens, 30, i);
		nodes[i] = make_node(engine, i ? nodes[0] : NULL, tokens, 3 + i % 20);
		requests[i] = (rstar_request){nodes[i], 2, RSTAR_WANT_LOGITS};
	}
	CHECK(rstar_engine_run(engine, requests, 32, capture, c, NULL, &err) == RSTAR_OK);
	for (uint32_t i = 0; i < 32; i++)
	{
		fill_tokens(tokens, 30, 0);
		uint32_t n = i ? 3 : 0;

		fill_tokens(tokens + n, 30, i);
		c[32].n = 0;

		rstar_kv_node *node = make_node(other, NULL, tokens, n + 3 + i % 20);
		rstar_request request = {node, 2, RSTAR_WANT_LOGITS};

		CHECK(rstar_engine_run(other, &request, 1, capture, &c[32], NULL, &err) == RSTAR_OK);
		CHECK(c[i].n == 2 && c[32].n == 2);
		CHECK_MSG(memcmp(c[i].logits, c[32].logits, 2 * sizeof c->logits[0]) == 0,
				  "sequence %u differs", i);
		rstar_kv_node_release(node);
	}
	for (uint32_t i = 32; i-- > 0;)
		rstar_kv_node_release(nodes[i]);
	rstar_engine_free(engine);
	rstar_engine_free(other);
	tiny_model_free(&m);
	free(c);
}

/* A budget of a few blocks: everything is evicted and recomputed, to the same bits. */
static void
eviction_changes_nothing(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	tiny_model m = {0};
	captured *c = calloc(2, sizeof *c);
	rstar_kv_node *nodes[20];
	int32_t tokens[64];
	float first[20][MAX_VOCAB];
	rstar_error err = {0};

	tiny_model_create(&h, false, &m);

	uint64_t block = (uint64_t) h.n_layer * 2 * h.n_head_kv * h.head_dim * 4 * RSTAR_KV_BLOCK;
	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F32, 9, 6 * block);

	for (uint32_t i = 0; i < 20; i++)
	{
		fill_tokens(tokens, 17, i);
		nodes[i] = make_node(engine, i % 3 ? nodes[i - i % 3] : NULL, tokens, 17);
	}
	for (int round = 0; round < 4; round++)
		for (uint32_t i = 0; i < 20; i++)
		{
			uint32_t j = round % 2 ? 19 - i : i;
			rstar_request request = {nodes[j], 1, RSTAR_WANT_LOGITS};

			c->n = 0;
			CHECK_MSG(rstar_engine_run(engine, &request, 1, capture, c, NULL, &err) == RSTAR_OK,
					  "%s", err.message);
			if (round == 0)
				memcpy(first[j], c->logits[0], sizeof first[j]);
			CHECK(memcmp(first[j], c->logits[0], sizeof first[j]) == 0);
			CHECK(rstar_kv_used(rstar_engine_kv(engine)) <= 6 * block);
		}
	CHECK(rstar_kv_evictions(rstar_engine_kv(engine)) > 20);

	/* A whole batch that cannot be held at once is served in turns. */
	captured *many = calloc(20, sizeof *many);
	rstar_request requests[20];

	for (uint32_t i = 0; i < 20; i++)
		requests[i] = (rstar_request){nodes[i], 1, RSTAR_WANT_LOGITS};
	CHECK(rstar_engine_run(engine, requests, 20, capture, many, NULL, &err) == RSTAR_OK);
	for (uint32_t i = 0; i < 20; i++)
		CHECK(many[i].n == 1 && memcmp(first[i], many[i].logits[0], sizeof first[i]) == 0);

	/* A block that a node gives up leaves for good, and what is needed again is computed again. */
	fill_tokens(tokens, 17, 19);
	CHECK(rstar_kv_node_truncate(nodes[19], 0, &err) == RSTAR_OK);
	rstar_kv_trim(rstar_engine_kv(engine));
	CHECK(rstar_kv_node_append(nodes[19], tokens, 17, &err) == RSTAR_OK);
	memset(many, 0, 20 * sizeof *many);
	CHECK(rstar_engine_run(engine, requests, 20, capture, many, NULL, &err) == RSTAR_OK);
	for (uint32_t i = 0; i < 20; i++)
		CHECK(many[i].n == 1 && memcmp(first[i], many[i].logits[0], sizeof first[i]) == 0);
	free(many);
	for (uint32_t i = 20; i-- > 0;)
		rstar_kv_node_release(nodes[i]);
	CHECK(rstar_kv_used(rstar_engine_kv(engine)) == 0);
	rstar_kv_trim(rstar_engine_kv(engine));
	CHECK(rstar_kv_used(rstar_engine_kv(engine)) == 0);
	rstar_engine_free(engine);
	tiny_model_free(&m);
	free(c);
}

static void
bad_requests_are_refused(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	tiny_model m = {0};
	captured *c = calloc(1, sizeof *c);
	int32_t tokens[130];
	int32_t wild[3] = {1, 96, 2}, negative[1] = {-1};
	rstar_error err = {0};
	uint64_t block = (uint64_t) h.n_layer * 2 * h.n_head_kv * h.head_dim * 4 * RSTAR_KV_BLOCK;

	tiny_model_create(&h, false, &m);
	fill_tokens(tokens, 130, 3);

	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F32, 0, 3 * block);
	struct
	{
		rstar_kv_node *node;
		uint32_t outputs;
		unsigned want;
		rstar_status status;
	} cases[] = {
		{make_node(engine, NULL, wild, 3), 1, RSTAR_WANT_LOGITS, RSTAR_ERR_ARGUMENT},
		{make_node(engine, NULL, negative, 1), 1, RSTAR_WANT_LOGITS, RSTAR_ERR_ARGUMENT},
		{make_node(engine, NULL, tokens, 129), 1, RSTAR_WANT_LOGITS, RSTAR_ERR_LIMIT},
		{make_node(engine, NULL, tokens, 5), 6, RSTAR_WANT_LOGITS, RSTAR_ERR_ARGUMENT},
		{make_node(engine, NULL, tokens, 5), 1, RSTAR_WANT_VALUE, RSTAR_ERR_ARGUMENT},
		{make_node(engine, NULL, tokens, 60), 1, RSTAR_WANT_LOGITS, RSTAR_ERR_LIMIT},
		{make_node(engine, NULL, tokens, 48), 1, RSTAR_WANT_LOGITS, RSTAR_OK},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		rstar_request request = {cases[i].node, cases[i].outputs, cases[i].want};

		c->n = 0;

		rstar_status status = rstar_engine_run(engine, &request, 1, capture, c, NULL, &err);

		CHECK_MSG(status == cases[i].status, "case %zu: %s, %s", i, rstar_status_name(status),
				  err.message);
	}

	rstar_request twice[2] = {{cases[6].node, 1, RSTAR_WANT_LOGITS},
							  {cases[6].node, 1, RSTAR_WANT_LOGITS}};

	CHECK(rstar_engine_run(engine, twice, 2, capture, c, NULL, &err) == RSTAR_ERR_INTERNAL);
	CHECK(rstar_engine_run(engine, twice, 1, capture, c, NULL, &err) == RSTAR_OK);

	rstar_kv_node *child = make_node(engine, cases[6].node, tokens, 1);

	CHECK(rstar_kv_node_append(cases[6].node, tokens, 1, &err) == RSTAR_ERR_INTERNAL);
	CHECK(rstar_kv_node_truncate(cases[6].node, 1, &err) == RSTAR_ERR_INTERNAL);
	rstar_kv_node_release(child);
	CHECK(rstar_kv_node_truncate(cases[6].node, 20, &err) == RSTAR_OK);
	CHECK(rstar_kv_used(rstar_engine_kv(engine)) == 2 * block);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		rstar_kv_node_release(cases[i].node);
	rstar_engine_free(engine);
	tiny_model_free(&m);
	free(c);
}

static bool
countdown(void *arg)
{
	int *left = arg;

	return --*left < 0;
}

/* Cancelled at any point, the engine works on and the results are the same. */
static void
cancel_leaves_the_cache_valid(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	tiny_model m = {0};
	captured *c = calloc(2, sizeof *c);
	int32_t tokens[50];
	rstar_error err = {0};
	int cancelled = 0;

	tiny_model_create(&h, false, &m);
	fill_tokens(tokens, 50, 4);

	rstar_engine *fresh = make_engine(&m, pool1, rstar_cpu_best(), RSTAR_KV_F32, 0, 1 << 24);
	rstar_kv_node *whole = make_node(fresh, NULL, tokens, 50);
	rstar_request wanted = {whole, 1, RSTAR_WANT_LOGITS};

	CHECK(rstar_engine_run(fresh, &wanted, 1, capture, &c[0], NULL, &err) == RSTAR_OK);

	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F32, 8, 1 << 24);
	rstar_kv_node *node = make_node(engine, NULL, tokens, 50);
	rstar_request request = {node, 1, RSTAR_WANT_LOGITS};

	for (int after = 0; after < 400; after += 7)
	{
		int left = after;
		rstar_cancel cancel = {countdown, &left};

		rstar_status status = rstar_engine_run(engine, &request, 1, capture, &c[1], &cancel, &err);

		CHECK(status == RSTAR_ERR_CANCELLED || status == RSTAR_OK);
		cancelled += status == RSTAR_ERR_CANCELLED;
		if (status == RSTAR_OK)
			c[1].n = 0;
	}
	CHECK(cancelled > 5);
	CHECK(rstar_engine_run(engine, &request, 1, capture, &c[1], NULL, &err) == RSTAR_OK);
	CHECK(memcmp(c[0].logits[0], c[1].logits[0], sizeof c->logits[0]) == 0);
	rstar_kv_node_release(node);
	rstar_kv_node_release(whole);
	rstar_engine_free(engine);
	rstar_engine_free(fresh);
	tiny_model_free(&m);
	free(c);
}

/* --- generation ------------------------------------------------------------------- */

static bool
stop_at_seven(void *arg, uint32_t i, int32_t id, bool eog)
{
	(void) arg;
	(void) i;
	(void) eog;
	return id == 7;
}

static bool
is_eog(const void *vocabulary, int32_t id)
{
	(void) vocabulary;
	return id == 9;
}

static rstar_generation *
generate(rstar_engine *engine, const rstar_sequence_spec *specs, uint32_t n,
		 const rstar_sampling *sampling)
{
	rstar_generation_options options = {
		.sampling = *sampling, .hook = stop_at_seven, .is_eog = is_eog};
	rstar_generation *g = NULL;
	rstar_error err = {0};
	rstar_status status =
		rstar_generation_create(engine, &options, specs, n, &rstar_allocator_malloc, &g, &err);

	CHECK_MSG(status == RSTAR_OK, "%s", err.message);
	while ((status = rstar_generation_step(g, NULL, &err)) == RSTAR_AGAIN)
		continue;
	CHECK_MSG(status == RSTAR_OK, "%s", err.message);
	return g;
}

static void
generation_does_not_depend_on_company(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_LLAMA);
	rstar_sampling sampling = {.temperature = 1.5f, .top_k = 20, .top_p = 0.95f, .min_p = 0.01f};
	tiny_model m = {0};
	int32_t tokens[10];
	rstar_sequence_spec specs[24];
	uint32_t finished[5] = {0};

	tiny_model_create(&h, false, &m);

	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F16, 0, 1 << 24);
	rstar_engine *other = make_engine(&m, pool1, rstar_cpu_best(), RSTAR_KV_F16, 3, 1 << 24);
	rstar_kv_node *parents[3], *copies[3];

	for (uint32_t i = 0; i < 3; i++)
	{
		fill_tokens(tokens, 10, i);
		parents[i] = make_node(engine, NULL, tokens, 4 + i);
		copies[i] = make_node(other, NULL, tokens, 4 + i);
	}
	for (uint32_t i = 0; i < 24; i++)
		specs[i] = (rstar_sequence_spec){parents[i % 3], {1, i % 3, i}, 30 + 3 * i};

	rstar_generation *g = generate(engine, specs, 24, &sampling);

	for (uint32_t i = 0; i < 24; i++)
	{
		rstar_sequence_spec spec = specs[i];
		rstar_sequence together, alone;

		spec.parent = copies[i % 3];

		rstar_generation *single = generate(other, &spec, 1, &sampling);

		rstar_generation_get(g, i, &together);
		rstar_generation_get(single, 0, &alone);
		CHECK(together.n_tokens == alone.n_tokens && together.finish == alone.finish);
		CHECK(memcmp(together.tokens, alone.tokens, alone.n_tokens * sizeof(int32_t)) == 0);
		CHECK(memcmp(together.logprobs, alone.logprobs, alone.n_tokens * sizeof(float)) == 0);
		CHECK(rstar_kv_node_count(together.node) == together.n_tokens);
		if (together.finish == RSTAR_FINISH_STOP)
			CHECK(together.tokens[together.n_tokens - 1] == 7);
		if (together.finish == RSTAR_FINISH_LENGTH)
			CHECK(together.n_tokens == spec.max_tokens);
		finished[together.finish]++;
		for (uint32_t j = 0; j < together.n_tokens; j++)
			CHECK(together.logprobs[j] <= 0 && together.tokens[j] != 9);
		rstar_generation_free(single);
	}
	CHECK(finished[RSTAR_FINISH_STOP] > 0 && finished[RSTAR_FINISH_EOG] > 0);
	CHECK(finished[RSTAR_FINISH_NONE] == 0);
	rstar_generation_free(g);
	for (uint32_t i = 0; i < 3; i++)
	{
		rstar_kv_node_release(parents[i]);
		rstar_kv_node_release(copies[i]);
	}
	CHECK(rstar_kv_used(rstar_engine_kv(engine)) == 0);
	rstar_engine_free(engine);
	rstar_engine_free(other);
	tiny_model_free(&m);
}

/* Tokens of a generated sequence that went through the model: all but the last, unless that ended it. */
static uint32_t
computed_tokens(const rstar_sequence *s)
{
	return s->finish == RSTAR_FINISH_EOG ? s->n_tokens : s->n_tokens - 1;
}

/* Whether an earlier sequence begins with the first `length` tokens of sequence i. */
static bool
seen_before(const rstar_sequence *sequences, uint32_t i, uint32_t length)
{
	for (uint32_t j = 0; j < i; j++)
		if (computed_tokens(&sequences[j]) >= length &&
			memcmp(sequences[j].tokens, sequences[i].tokens, length * sizeof(int32_t)) == 0)
			return true;
	return false;
}

/* The logits behind a node's last token. */
static void
logits_behind(rstar_engine *engine, rstar_kv_node *node, captured *c)
{
	rstar_request request = {node, 1, RSTAR_WANT_LOGITS};
	rstar_error err = {0};

	c->n = 0;
	CHECK_MSG(rstar_engine_run(engine, &request, 1, capture, c, NULL, &err) == RSTAR_OK, "%s",
			  err.message);
}

/*
 * Of sequences that begin alike, in part or wholly, each token is computed once; afterwards each
 * node has its own keys and values, with the bits of a node that was computed alone.
 */
static void
common_beginnings_are_computed_once(void)
{
	enum
	{
		N = 16
	};
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	rstar_sampling cool = {.temperature = 0.3f, .top_p = 1};
	tiny_model m = {0};
	int32_t tokens[MAX_TOKENS];
	captured *shared = calloc(1, sizeof *shared), *single = calloc(1, sizeof *single);
	rstar_sequence_spec specs[N];
	rstar_sequence out[N];
	uint64_t distinct = 5, written = 5;

	tiny_model_create(&h, false, &m);
	fill_tokens(tokens, 5, 3);

	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F16, 0, 1 << 24);
	rstar_engine *other = make_engine(&m, pool1, rstar_cpu_best(), RSTAR_KV_F16, 3, 1 << 24);
	rstar_kv_node *parent = make_node(engine, NULL, tokens, 5);

	for (uint32_t i = 0; i < N; i++) /* every fourth draws as the one before it does */
		specs[i] = (rstar_sequence_spec){parent, {1, 0, i - (i % 4 == 3)}, 40 + i % 3};

	rstar_generation *g = generate(engine, specs, N, &cool);

	for (uint32_t i = 0; i < N; i++)
	{
		rstar_generation_get(g, i, &out[i]);
		CHECK(rstar_kv_node_computed(out[i].node) == computed_tokens(&out[i]));
		written += computed_tokens(&out[i]);
		for (uint32_t n = 1; n <= computed_tokens(&out[i]); n++)
			distinct += !seen_before(out, i, n);
	}
	CHECK(rstar_engine_tokens_computed(engine) == distinct);
	CHECK(distinct < written * 3 / 4); /* or this shows little */
	for (uint32_t i = 0; i < N; i++)
	{
		memcpy(tokens + 5, out[i].tokens, out[i].n_tokens * sizeof(int32_t));

		rstar_kv_node *node = make_node(other, NULL, tokens, 5 + out[i].n_tokens);

		logits_behind(engine, out[i].node, shared);
		logits_behind(other, node, single);
		CHECK(memcmp(shared->logits[0], single->logits[0], sizeof shared->logits[0]) == 0);
		rstar_kv_node_release(node);
	}
	rstar_generation_free(g);
	rstar_kv_node_release(parent);
	rstar_engine_free(engine);
	rstar_engine_free(other);
	tiny_model_free(&m);
	free(shared);
	free(single);
}

/* Greedy generation equals taking the greatest logit by hand, and ends with the context. */
static void
greedy_generation_fills_the_context(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	rstar_sampling greedy = {.temperature = 0, .top_p = 1};
	rstar_generation_options options = {.sampling = greedy};
	tiny_model m = {0};
	int32_t tokens[MAX_TOKENS];
	captured *c = calloc(1, sizeof *c);
	rstar_generation *g = NULL;
	rstar_sequence out;
	rstar_error err = {0};
	rstar_status status;

	tiny_model_create(&h, false, &m);
	fill_tokens(tokens, 5, 5);

	rstar_engine *engine = make_engine(&m, pool2, rstar_cpu_best(), RSTAR_KV_F32, 0, 1 << 24);
	rstar_kv_node *prompt = make_node(engine, NULL, tokens, 5);
	rstar_kv_node *empty = make_node(engine, NULL, tokens, 0);
	rstar_sequence_spec spec = {prompt, {0, 0, 0}, 1000};
	rstar_sequence_spec nothing = {empty, {0, 0, 0}, 1000};

	CHECK(rstar_generation_create(engine, &options, &nothing, 1, &rstar_allocator_malloc, &g,
								  &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_generation_create(engine, &options, &spec, 1, &rstar_allocator_malloc, &g, &err) ==
		  RSTAR_OK);
	while ((status = rstar_generation_step(g, NULL, &err)) == RSTAR_AGAIN)
		continue;
	CHECK(status == RSTAR_OK);
	rstar_generation_get(g, 0, &out);
	CHECK(out.finish == RSTAR_FINISH_CONTEXT);
	CHECK(out.n_tokens == h.n_context - 5);
	for (uint32_t i = 0; i < 20; i++)
	{
		rstar_kv_node *node = make_node(engine, NULL, tokens, 5 + i);
		rstar_request request = {node, 1, RSTAR_WANT_LOGITS};
		int32_t best = 0;

		c->n = 0;
		CHECK(rstar_engine_run(engine, &request, 1, capture, c, NULL, &err) == RSTAR_OK);
		for (int32_t v = 1; v < MAX_VOCAB; v++)
			best = c->logits[0][v] > c->logits[0][best] ? v : best;
		CHECK(best == out.tokens[i]);
		tokens[5 + i] = best;
		rstar_kv_node_release(node);
	}
	rstar_generation_free(g);
	rstar_kv_node_release(prompt);
	rstar_kv_node_release(empty);
	rstar_engine_free(engine);
	tiny_model_free(&m);
	free(c);
}

int
main(void)
{
	rstar_error err;

	CHECK(rstar_pool_create(1, &pool1, &err) == RSTAR_OK);
	CHECK(rstar_pool_create(2, &pool2, &err) == RSTAR_OK);
	RUN(equals_naive_forward);
	RUN(half_precision_cache_is_close);
	RUN(longrope_goes_by_context);
	RUN(batch_equals_alone);
	RUN(eviction_changes_nothing);
	RUN(bad_requests_are_refused);
	RUN(cancel_leaves_the_cache_valid);
	RUN(generation_does_not_depend_on_company);
	RUN(common_beginnings_are_computed_once);
	RUN(greedy_generation_fills_the_context);
	rstar_pool_free(pool1);
	rstar_pool_free(pool2);
	return CHECK_RESULT();
}

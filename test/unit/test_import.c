/*
 * test_import.c
 *	  Hugging Face directories: the models under test/fixtures/hf (see
 *	  make_hf.py there) imported, tokenised, and computed.
 *
 * The forward pass here is naive, in double, one position after another, and
 * straight from the tensor table; if its logits equal those of the transformers
 * library, then names, shapes, the order of rows, fused parts, rotation and
 * hyperparameters have all been understood.
 */
#include "check.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/model/import.h"
#include "core/model/store.h"
#include "core/model/weights.h"
#include "core/tensor/quants.h"
#include "core/engine/engine.h"
#include "core/text/tokenizer.h"

static const rstar_allocator *const heap = &rstar_allocator_malloc;
static const char fixtures[] = "test/fixtures/hf";

/* --- importing ------------------------------------------------------------- */

static rstar_status
import_to(const char *directory, const char *type, rstar_gguf **out, rstar_error *err)
{
	rstar_import_options options = {.keep_types = type == NULL, .name = "a test"};
	int fd = memfd_create("rstar test", 0);
	rstar_status st;

	*out = NULL;
	options.prompt_template = "<user>{problem}";
	if (type)
		CHECK(rstar_quantize_by_name(type, &options.target));
	st = rstar_import(directory, &options, fd, heap, NULL, err);
	if (st == RSTAR_OK)
		st = rstar_gguf_open_fd(fd, heap, NULL, out, err);
	close(fd);
	return st;
}

static rstar_gguf *
import_fixture(const char *name, const char *type)
{
	char directory[256];
	rstar_error err = {0};
	rstar_gguf *gguf;
	rstar_status st;

	snprintf(directory, sizeof directory, "%s/%s", fixtures, name);
	st = import_to(directory, type, &gguf, &err);
	CHECK_MSG(st == RSTAR_OK, "%s: %s %s", name, err.message, err.detail);
	return gguf;
}

static json_t *
expected_of(const char *name)
{
	char path[256];
	json_t *expected;

	snprintf(path, sizeof path, "%s/%s/expected.json", fixtures, name);
	expected = json_load_file(path, 0, NULL);
	CHECK_MSG(expected != NULL, "%s", path);
	return expected;
}

/* --- a naive model --------------------------------------------------------- */

#define MAX_WIDTH     256
#define MAX_POSITIONS 128
#define MAX_LAYERS    4

typedef struct naive
{
	const rstar_weights *weights;
	double frequencies[RSTAR_MAX_HEAD_DIM / 2];
	double keys[MAX_LAYERS][MAX_POSITIONS][MAX_WIDTH];
	double values[MAX_LAYERS][MAX_POSITIONS][MAX_WIDTH];
} naive;

static void
multiply(const rstar_matrix *matrix, const float *bias, const double *x, double *y)
{
	float row[MAX_WIDTH];

	for (uint32_t r = 0; r < matrix->rows; r++)
	{
		rstar_quants_to_f32(matrix->type, rstar_matrix_row(matrix, r), row, matrix->columns);
		y[r] = bias ? (double) bias[r] : 0.0;
		for (uint32_t c = 0; c < matrix->columns; c++)
			y[r] += (double) row[c] * x[c];
	}
}

static void
normalise(const float *weight, double eps, uint32_t n, const double *x, double *y)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	for (uint32_t i = 0; i < n; i++)
		y[i] = x[i] / sqrt(sum / n + eps) * (double) weight[i];
}

static void
rotate(const naive *model, uint32_t n_head, int position, double *x)
{
	const rstar_hparams *h = &model->weights->hparams;

	for (uint32_t head = 0; head < n_head; head++)
		for (uint32_t i = 0; i < h->rope_dim / 2; i++)
		{
			bool norm = h->rope_style == RSTAR_ROPE_NORM;
			double *a = x + head * h->head_dim + (norm ? 2 * i : i);
			double *b = norm ? a + 1 : a + h->rope_dim / 2;
			double angle = position * model->frequencies[i];
			double cosine = cos(angle) * (double) h->rope_magnitude;
			double sine = sin(angle) * (double) h->rope_magnitude;
			double first = *a;

			*a = first * cosine - *b * sine;
			*b = first * sine + *b * cosine;
		}
}

static void
attend(const naive *model, int layer, int position, const double *q, double *out)
{
	const rstar_hparams *h = &model->weights->hparams;
	int window = h->sliding_window ? (int) h->sliding_window : MAX_POSITIONS;
	int start = position - window + 1 > 0 ? position - window + 1 : 0;

	for (uint32_t head = 0; head < h->n_head; head++)
	{
		uint32_t group = head / (h->n_head / h->n_head_kv) * h->head_dim;
		double weights[MAX_POSITIONS];
		double sum = 0.0;

		for (int j = start; j <= position; j++)
		{
			double dot = 0.0;

			for (uint32_t d = 0; d < h->head_dim; d++)
				dot += q[head * h->head_dim + d] * model->keys[layer][j][group + d];
			weights[j] = exp(dot / sqrt(h->head_dim));
			sum += weights[j];
		}
		for (uint32_t d = 0; d < h->head_dim; d++)
		{
			double value = 0.0;

			for (int j = start; j <= position; j++)
				value += weights[j] / sum * model->values[layer][j][group + d];
			out[head * h->head_dim + d] = value;
		}
	}
}

static void
run_layer(naive *model, int i, int position, double *x)
{
	const rstar_hparams *h = &model->weights->hparams;
	const rstar_layer_weights *layer = &model->weights->layers[i];
	double y[MAX_WIDTH];
	double q[MAX_WIDTH];
	double mixed[MAX_WIDTH];
	double up[MAX_WIDTH];

	normalise(layer->attn_norm, (double) h->norm_eps, h->n_embd, x, y);
	multiply(&layer->wq, layer->bq, y, q);
	multiply(&layer->wk, layer->bk, y, model->keys[i][position]);
	multiply(&layer->wv, layer->bv, y, model->values[i][position]);
	rotate(model, h->n_head, position, q);
	rotate(model, h->n_head_kv, position, model->keys[i][position]);
	attend(model, i, position, q, mixed);
	multiply(&layer->wo, layer->bo, mixed, y);
	for (uint32_t d = 0; d < h->n_embd; d++)
		x[d] += y[d];
	normalise(layer->ffn_norm, (double) h->norm_eps, h->n_embd, x, y);
	multiply(&layer->w_gate, NULL, y, q);
	multiply(&layer->w_up, NULL, y, up);
	for (uint32_t d = 0; d < h->n_ff; d++)
		up[d] *= q[d] / (1.0 + exp(-q[d]));
	multiply(&layer->w_down, NULL, up, y);
	for (uint32_t d = 0; d < h->n_embd; d++)
		x[d] += y[d];
}

/* Logits (or, with a value head, the score) at a position. */
static void
run_position(naive *model, int token, int position, double *out)
{
	const rstar_weights *weights = model->weights;
	const rstar_hparams *h = &weights->hparams;
	float row[MAX_WIDTH];
	double x[MAX_WIDTH];
	double y[MAX_WIDTH];

	rstar_quants_to_f32(weights->token_embd.type,
						rstar_matrix_row(&weights->token_embd, (uint32_t) token), row, h->n_embd);
	for (uint32_t d = 0; d < h->n_embd; d++)
		x[d] = (double) row[d];
	for (uint32_t i = 0; i < h->n_layer; i++)
		run_layer(model, (int) i, position, x);
	normalise(weights->output_norm, (double) h->norm_eps, h->n_embd, x, y);
	if (!weights->value_head)
	{
		multiply(&weights->output, NULL, y, out);
		return;
	}
	*out = (double) weights->value_bias;
	for (uint32_t d = 0; d < h->n_embd; d++)
		*out += (double) weights->value_head[d] * y[d];
}

/* Largest difference from the expected logits, over all cases. */
static double
worst_difference(const rstar_weights *weights, const json_t *expected)
{
	naive *model = calloc(1, sizeof *model);
	double *out = malloc(weights->hparams.n_vocab * sizeof *out);
	double worst = 0.0;
	size_t c;
	json_t *entry;

	model->weights = weights;
	json_array_foreach(json_object_get(expected, "cases"), c, entry)
	{
		const json_t *tokens = json_object_get(entry, "tokens");
		const json_t *logits = json_object_get(entry, "logits");
		size_t from = (size_t) json_integer_value(json_object_get(entry, "from"));

		rstar_weights_rope_frequencies(weights, (uint32_t) json_array_size(tokens),
									   model->frequencies);
		CHECK(json_array_size(tokens) > 2 && json_array_size(tokens) <= MAX_POSITIONS);
		for (size_t p = 0; p < json_array_size(tokens); p++)
		{
			const json_t *row = p < from ? NULL : json_array_get(logits, p - from);

			run_position(model, (int) json_integer_value(json_array_get(tokens, p)), (int) p, out);
			if (p < from)
				continue;
			CHECK(json_array_size(row) == (weights->value_head ? 1 : weights->hparams.n_vocab));
			for (size_t i = 0; i < json_array_size(row); i++)
				worst = fmax(worst, fabs(out[i] - json_number_value(json_array_get(row, i))));
		}
	}
	free(out);
	free(model);
	return worst;
}

static void
computes_as_expected(const char *name, const char *type, double tolerance)
{
	rstar_gguf *gguf = import_fixture(name, type);
	json_t *expected = expected_of(name);
	rstar_weights *weights = NULL;
	rstar_error err = {0};

	if (gguf && expected)
	{
		CHECK_MSG(rstar_weights_open(gguf, heap, &weights, &err) == RSTAR_OK, "%s", err.message);
		CHECK(rstar_gguf_check_data(gguf, NULL, &err) == RSTAR_OK);
	}
	if (weights)
	{
		double worst = worst_difference(weights, expected);

		CHECK_MSG(worst < tolerance, "%s as %s: %g", name, type ? type : "is", worst);
		printf("# %s, %s: largest difference %.3g\n", name, type ? type : "types kept", worst);
	}
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
	json_decref(expected);
}

/* Logits have a deviation of about 4; float32 on the other side. */
static void
logits_of_transformers(void)
{
	computes_as_expected("qwen2", NULL, 1e-4);
	computes_as_expected("phi3", NULL, 1e-4);
	computes_as_expected("llama", NULL, 1e-4);
	computes_as_expected("value", NULL, 1e-4);
}

typedef struct engine_check
{
	const json_t *logits;
	double worst;
} engine_check;

static void
compare_output(void *arg, const rstar_output *output)
{
	engine_check *check = arg;
	const json_t *row = json_array_get(check->logits, output->position);

	for (size_t i = 0; i < json_array_size(row); i++)
		check->worst = fmax(check->worst, fabs((double) output->logits[i] -
											   json_number_value(json_array_get(row, i))));
}

/* The engine itself, with every kernel family: architectures that the naive forward lacks. */
static double
engine_difference(const rstar_weights *weights, const json_t *expected, rstar_cpu_family family)
{
	rstar_engine_options options = {
		.family = family, .kv_type = RSTAR_KV_F32, .kv_budget = 1 << 24};
	rstar_engine *engine = NULL;
	rstar_pool *pool = NULL;
	rstar_error err = {0};
	engine_check check = {0};
	size_t c;
	json_t *entry;

	CHECK(rstar_pool_create(2, &pool, &err) == RSTAR_OK);
	CHECK_MSG(rstar_engine_create(weights, pool, &options, heap, &engine, &err) == RSTAR_OK, "%s",
			  err.message);
	json_array_foreach(json_object_get(expected, "cases"), c, entry)
	{
		const json_t *list = json_object_get(entry, "tokens");
		uint32_t n = (uint32_t) json_array_size(list);
		int32_t tokens[64];
		rstar_kv_node *node;

		CHECK(n <= 64);
		for (uint32_t i = 0; i < n; i++)
			tokens[i] = (int32_t) json_integer_value(json_array_get(list, i));
		check.logits = json_object_get(entry, "logits");
		CHECK(rstar_kv_node_create(rstar_engine_kv(engine), NULL, &node, &err) == RSTAR_OK);
		CHECK(rstar_kv_node_append(node, tokens, n, &err) == RSTAR_OK);

		rstar_request request = {node, n, RSTAR_WANT_LOGITS};

		CHECK(rstar_engine_run(engine, &request, 1, compare_output, &check, NULL, &err) ==
			  RSTAR_OK);
		rstar_kv_node_release(node);
	}
	rstar_engine_free(engine);
	rstar_pool_free(pool);
	return check.worst;
}

static void
engine_computes(const char *name, const char *type, double tolerance)
{
	rstar_gguf *gguf = import_fixture(name, type);
	json_t *expected = expected_of(name);
	rstar_weights *weights = NULL;
	rstar_error err = {0};

	CHECK(gguf && expected);
	if (gguf)
		CHECK_MSG(rstar_weights_open(gguf, heap, &weights, &err) == RSTAR_OK, "%s", err.message);
	for (int f = 0; weights && f < RSTAR_CPU_FAMILIES; f++)
	{
		double worst;

		if (!rstar_cpu_supports((rstar_cpu_family) f))
			continue;
		worst = engine_difference(weights, expected, (rstar_cpu_family) f);
		CHECK_MSG(worst < tolerance, "%s as %s: %g", name, type ? type : "is", worst);
		printf("# %s, %s, %s: largest difference %.3g\n", name, type ? type : "types kept",
			   rstar_cpu_family_name((rstar_cpu_family) f), worst);
	}
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
	json_decref(expected);
}

static void
logits_of_newer_architectures(void)
{
	engine_computes("qwen3", NULL, 1e-3);
	engine_computes("gemma3", NULL, 1e-3);
	engine_computes("smollm3", NULL, 1e-3);
	engine_computes("gemma3", "F16", 0.05);
	engine_computes("qwen3", "Q8_0", 3.0);
}

/* The models' rows have 32 elements: the K types fall back to Q8_0. */
static void
logits_in_other_types(void)
{
	computes_as_expected("qwen2", "F32", 1e-4);
	computes_as_expected("phi3", "F32", 1e-4);
	computes_as_expected("llama", "F16", 0.05);
	computes_as_expected("llama", "BF16", 0.4);
	computes_as_expected("llama", "Q8_0", 3.0);
	computes_as_expected("value", "Q4_K_M", 1.0);
}

/* --- tokens ---------------------------------------------------------------- */

static void
check_ids(const rstar_tokenizer *tokenizer, const char *text, bool add_bos, const json_t *expected)
{
	rstar_encode_options options = {
		.add_bos = add_bos, .parse_special = false, .dummy_prefix = true};
	int32_t *ids = NULL;
	size_t n = 0;
	rstar_error err = {0};
	bool same;

	CHECK(rstar_tokenizer_encode(tokenizer, text, strlen(text), &options, heap, NULL, &ids, &n,
								 &err) == RSTAR_OK);
	same = n == json_array_size(expected);
	for (size_t i = 0; i < n && same; i++)
		same = ids[i] == json_integer_value(json_array_get(expected, i));
	CHECK_MSG(same, "\"%s\": %zu ids, %zu expected", text, n, json_array_size(expected));
	free(ids);
}

static void
tokens_of(const char *name)
{
	rstar_gguf *gguf = import_fixture(name, NULL);
	json_t *expected = expected_of(name);
	rstar_tokenizer *tokenizer = NULL;
	rstar_error err = {0};
	size_t i;
	json_t *entry;

	CHECK_MSG(rstar_tokenizer_open(gguf, heap, NULL, &tokenizer, &err) == RSTAR_OK, "%s",
			  err.message);
	if (tokenizer)
		json_array_foreach(json_object_get(expected, "texts"), i, entry)
		{
			const char *text = json_string_value(json_object_get(entry, "text"));

			check_ids(tokenizer, text, false, json_object_get(entry, "ids"));
			check_ids(tokenizer, text, true, json_object_get(entry, "with_special"));
		}
	rstar_tokenizer_close(tokenizer);
	rstar_gguf_close(gguf);
	json_decref(expected);
}

static void
tokens_of_transformers(void)
{
	tokens_of("qwen2");
	tokens_of("phi3");
	tokens_of("llama");
	tokens_of("qwen3");
	tokens_of("gemma3");
	tokens_of("smollm3");
}

static bool
string_is(const rstar_gguf *gguf, const char *key, const char *wanted)
{
	rstar_string text;

	return rstar_gguf_get_string(gguf, key, &text) && text.length == strlen(wanted) &&
		   memcmp(text.data, wanted, text.length) == 0;
}

static void
keys(void)
{
	rstar_gguf *gguf = import_fixture("qwen2", NULL);
	rstar_weights *weights = NULL;
	rstar_error err = {0};
	uint64_t value = 0;

	CHECK(string_is(gguf, "general.architecture", "qwen2"));
	CHECK(string_is(gguf, "general.name", "a test"));
	CHECK(string_is(gguf, "rstar.prompt_template", "<user>{problem}"));
	CHECK(string_is(gguf, "tokenizer.chat_template", "{{ messages[0]['content'] }}"));
	CHECK(string_is(gguf, "tokenizer.ggml.pre", "qwen2"));
	CHECK(rstar_gguf_get_u64(gguf, "general.file_type", &value) && value == 32);
	CHECK(rstar_gguf_get_u64(gguf, "tokenizer.ggml.eos_token_id", &value));
	CHECK(rstar_gguf_get_u64(gguf, "tokenizer.ggml.eot_token_id", &value) && value == 0);
	rstar_gguf_close(gguf);

	gguf = import_fixture("phi3", "Q8_0");
	CHECK(rstar_gguf_get_u64(gguf, "general.file_type", &value) && value == 7);
	CHECK(rstar_gguf_get_u64(gguf, "phi3.attention.sliding_window", &value) && value == 8);
	CHECK(rstar_gguf_get_u64(gguf, "phi3.context_length", &value) && value == 256);
	CHECK(rstar_weights_open(gguf, heap, &weights, &err) == RSTAR_OK);
	CHECK(weights->hparams.n_context == 256 && weights->hparams.rope_original == 64);
	CHECK(weights->rope_factors && weights->rope_long);
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
}

/* --- directories that are wrong -------------------------------------------- */

static char scratch[64];

static void
run_shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	CHECK_MSG(system(command) == 0, "%s", command);
}

/* A fresh copy of a fixture, changed by a shell command in it, is refused. */
static void
refused(const char *name, const char *change, rstar_status wanted, const char *part)
{
	rstar_gguf *gguf;
	rstar_error err = {0};
	rstar_status st;

	run_shell("rm -rf %s && cp -r %s/%s %s && cd %s && %s", scratch, fixtures, name, scratch,
			  scratch, change);
	st = import_to(scratch, NULL, &gguf, &err);
	CHECK_MSG(st == wanted && strstr(err.message, part), "%s: %s: %s", change,
			  rstar_status_name(st), err.message);
	rstar_gguf_close(gguf);
	run_shell("rm -rf %s", scratch);
}

static void
wrong_files(void)
{
	refused("llama", "true", RSTAR_OK, "");
	refused("llama", "rm config.json", RSTAR_ERR_NOT_FOUND, "config.json");
	refused("llama", "rm tokenizer.json", RSTAR_ERR_NOT_FOUND, "tokenizer.json");
	refused("llama", "rm model.safetensors", RSTAR_ERR_NOT_FOUND, "neither");
	refused("llama", "rm tokenizer_config.json generation_config.json", RSTAR_OK, "");
	refused("qwen2", "rm model-00002-of-00002.safetensors", RSTAR_ERR_NOT_FOUND, "00002");
	refused("llama", "mv config.json c; ln -s c config.json", RSTAR_ERR_DENIED, "symbolic link");
	refused("llama", "rm config.json; mkfifo config.json", RSTAR_ERR_DENIED, "regular");
	refused("llama", "rm config.json; mkdir config.json", RSTAR_ERR_DENIED, "regular");
	refused("llama", "rm model.safetensors; ln -s /etc/passwd model.safetensors", RSTAR_ERR_DENIED,
			"symbolic link");
	refused("qwen2", "sed -i 's|model-00002|../model-00002|' model.safetensors.index.json",
			RSTAR_ERR_DENIED, "invalid name");
	refused("qwen2", "sed -i 's|model-00002|/tmp/model-00002|' model.safetensors.index.json",
			RSTAR_ERR_DENIED, "invalid name");
	refused("llama", "truncate -s -1 model.safetensors", RSTAR_ERR_CORRUPT, "beyond the end");
	refused("llama", "truncate -s 100 model.safetensors", RSTAR_ERR_CORRUPT, "within its header");
	refused("llama", "truncate -s 0 model.safetensors", RSTAR_ERR_CORRUPT, "empty");
	refused("llama", "truncate -s -5 config.json", RSTAR_ERR_CORRUPT, "not a JSON object");
	refused("llama", "truncate -s 70M tokenizer.json", RSTAR_ERR_LIMIT, "64 MB");
}

static void
wrong_settings(void)
{
	refused("llama", "sed -i 's|\"llama\"|\"gpt2\"|' config.json", RSTAR_ERR_UNSUPPORTED, "gpt2");
	refused("llama", "sed -i 's|\"silu\"|\"gelu\"|' config.json", RSTAR_ERR_UNSUPPORTED,
			"hidden_act");
	refused("llama", "sed -i 's|\"llama3\"|\"yarn\"|' config.json", RSTAR_ERR_UNSUPPORTED,
			"rope_scaling");
	refused("llama", "sed -i '/\"hidden_size\"/d' config.json", RSTAR_ERR_CORRUPT, "hidden_size");
	refused("llama", "sed -i 's|\"hidden_size\": 32|\"hidden_size\": \"x\"|' config.json",
			RSTAR_ERR_CORRUPT, "hidden_size");
	refused("llama", "sed -i 's|\"hidden_size\": 32|\"hidden_size\": 64|' config.json",
			RSTAR_ERR_CORRUPT, "instead of");
	refused("llama", "sed -i 's|\"num_hidden_layers\": 2|\"num_hidden_layers\": 3|' config.json",
			RSTAR_ERR_CORRUPT, "layers.2");
	refused("llama", "sed -i 's|\"num_hidden_layers\": 2|\"num_hidden_layers\": 1|' config.json",
			RSTAR_ERR_UNSUPPORTED, "tensors in its layers");
	refused("llama", "sed -i 's|\"num_hidden_layers\": 2|\"num_hidden_layers\": -1|' config.json",
			RSTAR_ERR_CORRUPT, "num_hidden_layers");
	refused("llama",
			"sed -i 's|\"num_hidden_layers\": 2|\"num_hidden_layers\": 99999|' config.json",
			RSTAR_ERR_LIMIT, "layers");
	refused("phi3", "sed -i 's|1.7|1e999|' config.json", RSTAR_ERR_CORRUPT, "not a JSON object");
	refused("phi3", "sed -i 's|1.7|-1.7|' config.json", RSTAR_ERR_CORRUPT, "short_factor");
	refused("phi3", "sed -i '/ 1.7/d; s/1.3,/1.3/' config.json", RSTAR_ERR_CORRUPT, "short_factor");
	refused("qwen2",
			"sed -i 's|\"use_sliding_window\": false|\"use_sliding_window\": true|' config.json",
			RSTAR_ERR_UNSUPPORTED, "use_sliding_window");
}

static void
wrong_tokenizers(void)
{
	refused("qwen2", "sed -i 's|p{N}|p{Z}|' tokenizer.json", RSTAR_ERR_UNSUPPORTED, "splitting");
	refused("qwen2", "sed -i 's|\"NFC\"|\"NFKC\"|' tokenizer.json", RSTAR_ERR_UNSUPPORTED,
			"normalizer");
	refused("qwen2", "sed -i 's|\"BPE\"|\"Unigram\"|' tokenizer.json", RSTAR_ERR_UNSUPPORTED,
			"BPE");
	refused("qwen2", "sed -i 's|\"id\": 315|\"id\": 99999|' tokenizer.json", RSTAR_ERR_CORRUPT,
			"not in the embedding");
	refused("llama",
			"python3 -c \"import json;d=json.load(open('tokenizer.json'));"
			"d['model']['merges'].pop(5);json.dump(d,open('tokenizer.json','w'))\"",
			RSTAR_ERR_UNSUPPORTED, "cannot be expressed by scores");
	refused("llama",
			"python3 -c \"import json;d=json.load(open('tokenizer.json'));"
			"d['model']['merges'][5]='x';json.dump(d,open('tokenizer.json','w'))\"",
			RSTAR_ERR_CORRUPT, "not a pair");
	refused("llama",
			"python3 -c \"import json;d=json.load(open('tokenizer.json'));"
			"d['model']['merges'][5]='qq qq';json.dump(d,open('tokenizer.json','w'))\"",
			RSTAR_ERR_CORRUPT, "not of tokens");
}

/* NaN in a tensor is found on the way. */
static void
wrong_numbers(void)
{
	refused("llama",
			"printf '\\377\\377\\377\\177' | dd of=model.safetensors bs=1 "
			"seek=$(($(stat -c %s model.safetensors)-400)) conv=notrunc status=none",
			RSTAR_ERR_CORRUPT, "NaN");
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static void
cancelled(void)
{
	rstar_import_options options = {.keep_types = true};
	rstar_cancel cancel = {always, NULL};
	rstar_error err = {0};
	int fd = memfd_create("rstar test", 0);

	CHECK(rstar_import("test/fixtures/hf/llama", &options, fd, heap, &cancel, &err) ==
		  RSTAR_ERR_CANCELLED);
	close(fd);
}

int
main(void)
{
	if (access(fixtures, R_OK) != 0)
	{
		printf("# run from the top of the source tree\n");
		return EXIT_FAILURE;
	}
	snprintf(scratch, sizeof scratch, "/tmp/rstar-test-import-%d", (int) getpid());
	RUN(logits_of_transformers);
	RUN(logits_of_newer_architectures);
	RUN(logits_in_other_types);
	RUN(tokens_of_transformers);
	RUN(keys);
	RUN(wrong_files);
	RUN(wrong_settings);
	RUN(wrong_tokenizers);
	RUN(wrong_numbers);
	RUN(cancelled);
	return CHECK_RESULT();
}

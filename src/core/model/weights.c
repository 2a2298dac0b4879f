/*
 * weights.c
 *	  The tensors of a model: which there are, their shapes, and where they lie.
 *
 * A table per architecture lists the tensors of a layer: suffix of the name,
 * kind, columns, and up to three parts of rows, each with the field of
 * rstar_layer_weights that it fills. A plain tensor has one part; phi3's fused
 * ones have two or three. Everything else walks these tables.
 */
#include "core/model/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/tensor/quants.h"

/* --- the tables ------------------------------------------------------------ */

typedef enum extent
{
	NONE = 0, /* no part, or no second dimension */
	ONE,
	EMBD,
	VOCAB,
	FF,
	HEAD,    /* head_dim */
	QUERIES, /* n_head * head_dim */
	KEYS     /* n_head_kv * head_dim; values as well */
} extent;

#define MAX_PARTS 3

typedef struct tensor_entry
{
	const char *suffix;
	rstar_tensor_kind kind;
	bool optional;
	bool residual;
	extent columns;
	extent rows[MAX_PARTS];   /* a vector has none */
	size_t fields[MAX_PARTS]; /* offsets in rstar_layer_weights or rstar_weights */
} tensor_entry;

#define LAYER(field) offsetof(rstar_layer_weights, field)
#define WHOLE(field) offsetof(rstar_weights, field)
#define NORM(name, field)                                                                          \
	{                                                                                              \
		name, RSTAR_TENSOR_NORM, false, false, EMBD, {NONE},                                       \
		{                                                                                          \
			field                                                                                  \
		}                                                                                          \
	}
#define HEAD_NORM(name, field)                                                                     \
	{                                                                                              \
		name, RSTAR_TENSOR_NORM, false, false, HEAD, {NONE},                                       \
		{                                                                                          \
			LAYER(field)                                                                           \
		}                                                                                          \
	}
#define BIAS(name, n, field)                                                                       \
	{                                                                                              \
		name, RSTAR_TENSOR_BIAS, false, false, n, {NONE},                                          \
		{                                                                                          \
			field                                                                                  \
		}                                                                                          \
	}
#define FREE_BIAS(name, n, field)                                                                  \
	{                                                                                              \
		name, RSTAR_TENSOR_BIAS, true, false, n, {NONE},                                           \
		{                                                                                          \
			field                                                                                  \
		}                                                                                          \
	}
#define MATRIX(name, in, out, field)                                                               \
	{                                                                                              \
		name, RSTAR_TENSOR_MATRIX, false, false, in, {out},                                        \
		{                                                                                          \
			LAYER(field)                                                                           \
		}                                                                                          \
	}
#define RESIDUAL(name, in, field)                                                                  \
	{                                                                                              \
		name, RSTAR_TENSOR_MATRIX, false, true, in, {EMBD},                                        \
		{                                                                                          \
			LAYER(field)                                                                           \
		}                                                                                          \
	}

static const tensor_entry qwen2_layer[] = {
	NORM("attn_norm.weight", LAYER(attn_norm)), MATRIX("attn_q.weight", EMBD, QUERIES, wq),
	BIAS("attn_q.bias", QUERIES, LAYER(bq)),    MATRIX("attn_k.weight", EMBD, KEYS, wk),
	BIAS("attn_k.bias", KEYS, LAYER(bk)),       MATRIX("attn_v.weight", EMBD, KEYS, wv),
	BIAS("attn_v.bias", KEYS, LAYER(bv)),       RESIDUAL("attn_output.weight", QUERIES, wo),
	NORM("ffn_norm.weight", LAYER(ffn_norm)),   MATRIX("ffn_gate.weight", EMBD, FF, w_gate),
	MATRIX("ffn_up.weight", EMBD, FF, w_up),    RESIDUAL("ffn_down.weight", FF, w_down),
};

static const tensor_entry phi3_layer[] = {
	NORM("attn_norm.weight", LAYER(attn_norm)),
	{"attn_qkv.weight",
	 RSTAR_TENSOR_MATRIX,
	 false,
	 false,
	 EMBD,
	 {QUERIES, KEYS, KEYS},
	 {LAYER(wq), LAYER(wk), LAYER(wv)}},
	RESIDUAL("attn_output.weight", QUERIES, wo),
	NORM("ffn_norm.weight", LAYER(ffn_norm)),
	{"ffn_up.weight",
	 RSTAR_TENSOR_MATRIX,
	 false,
	 false,
	 EMBD,
	 {FF, FF},
	 {LAYER(w_gate), LAYER(w_up)}},
	RESIDUAL("ffn_down.weight", FF, w_down),
};

static const tensor_entry llama_layer[] = {
	NORM("attn_norm.weight", LAYER(attn_norm)),     MATRIX("attn_q.weight", EMBD, QUERIES, wq),
	FREE_BIAS("attn_q.bias", QUERIES, LAYER(bq)),   MATRIX("attn_k.weight", EMBD, KEYS, wk),
	FREE_BIAS("attn_k.bias", KEYS, LAYER(bk)),      MATRIX("attn_v.weight", EMBD, KEYS, wv),
	FREE_BIAS("attn_v.bias", KEYS, LAYER(bv)),      RESIDUAL("attn_output.weight", QUERIES, wo),
	FREE_BIAS("attn_output.bias", EMBD, LAYER(bo)), NORM("ffn_norm.weight", LAYER(ffn_norm)),
	MATRIX("ffn_gate.weight", EMBD, FF, w_gate),    MATRIX("ffn_up.weight", EMBD, FF, w_up),
	RESIDUAL("ffn_down.weight", FF, w_down),
};

static const tensor_entry qwen3_layer[] = {
	NORM("attn_norm.weight", LAYER(attn_norm)),  MATRIX("attn_q.weight", EMBD, QUERIES, wq),
	HEAD_NORM("attn_q_norm.weight", q_norm),     MATRIX("attn_k.weight", EMBD, KEYS, wk),
	HEAD_NORM("attn_k_norm.weight", k_norm),     MATRIX("attn_v.weight", EMBD, KEYS, wv),
	RESIDUAL("attn_output.weight", QUERIES, wo), NORM("ffn_norm.weight", LAYER(ffn_norm)),
	MATRIX("ffn_gate.weight", EMBD, FF, w_gate), MATRIX("ffn_up.weight", EMBD, FF, w_up),
	RESIDUAL("ffn_down.weight", FF, w_down),
};

static const tensor_entry gemma3_layer[] = {
	NORM("attn_norm.weight", LAYER(attn_norm)),
	MATRIX("attn_q.weight", EMBD, QUERIES, wq),
	HEAD_NORM("attn_q_norm.weight", q_norm),
	MATRIX("attn_k.weight", EMBD, KEYS, wk),
	HEAD_NORM("attn_k_norm.weight", k_norm),
	MATRIX("attn_v.weight", EMBD, KEYS, wv),
	RESIDUAL("attn_output.weight", QUERIES, wo),
	NORM("post_attention_norm.weight", LAYER(post_attn_norm)),
	NORM("ffn_norm.weight", LAYER(ffn_norm)),
	MATRIX("ffn_gate.weight", EMBD, FF, w_gate),
	MATRIX("ffn_up.weight", EMBD, FF, w_up),
	RESIDUAL("ffn_down.weight", FF, w_down),
	NORM("post_ffw_norm.weight", LAYER(post_ffn_norm)),
};

/* Outside the layers; the first stands before them in the file, the others behind. */
static const tensor_entry outer[] = {
	{"token_embd.weight", RSTAR_TENSOR_MATRIX, false, false, EMBD, {VOCAB}, {WHOLE(token_embd)}},
	NORM("output_norm.weight", WHOLE(output_norm)),
	{"output.weight", RSTAR_TENSOR_MATRIX, true, false, EMBD, {VOCAB}, {WHOLE(output)}},
	{"value_head.weight", RSTAR_TENSOR_HEAD, true, false, EMBD, {NONE}, {WHOLE(value_head)}},
	/* Single numbers are copied, not pointed at. */
	{"value_head.bias", RSTAR_TENSOR_HEAD, true, false, ONE, {NONE}, {WHOLE(value_bias)}},
	{"value_head.likelihood",
	 RSTAR_TENSOR_HEAD,
	 true,
	 false,
	 ONE,
	 {NONE},
	 {WHOLE(value_likelihood)}},
};

#define N_OUTER       (sizeof outer / sizeof outer[0])
#define N_OUTER_FIRST 1

static const struct
{
	const tensor_entry *entries;
	uint32_t n;
} layer_tables[] = {
	[RSTAR_ARCH_QWEN2] = {qwen2_layer, sizeof qwen2_layer / sizeof *qwen2_layer},
	[RSTAR_ARCH_PHI3] = {phi3_layer, sizeof phi3_layer / sizeof *phi3_layer},
	[RSTAR_ARCH_LLAMA] = {llama_layer, sizeof llama_layer / sizeof *llama_layer},
	[RSTAR_ARCH_QWEN3] = {qwen3_layer, sizeof qwen3_layer / sizeof *qwen3_layer},
	[RSTAR_ARCH_GEMMA3] = {gemma3_layer, sizeof gemma3_layer / sizeof *gemma3_layer},
	[RSTAR_ARCH_SMOLLM3] = {llama_layer, sizeof llama_layer / sizeof *llama_layer},
};

static uint32_t
extent_of(const rstar_hparams *hparams, extent which)
{
	switch (which)
	{
		case NONE:
			return 0;
		case ONE:
			return 1;
		case EMBD:
			return hparams->n_embd;
		case VOCAB:
			return hparams->n_vocab;
		case FF:
			return hparams->n_ff;
		case HEAD:
			return hparams->head_dim;
		case QUERIES:
			return hparams->n_head * hparams->head_dim;
		case KEYS:
			return hparams->n_head_kv * hparams->head_dim;
	}
	return 0;
}

/* Entry i of the list, and its layer (-1 outside). */
static const tensor_entry *
entry_at(const rstar_hparams *hparams, uint32_t i, int32_t *layer)
{
	uint32_t per_layer = layer_tables[hparams->arch].n;

	*layer = -1;
	if (i < N_OUTER_FIRST)
		return &outer[i];
	i -= N_OUTER_FIRST;
	if (i >= per_layer * hparams->n_layer)
		return &outer[N_OUTER_FIRST + i - per_layer * hparams->n_layer];
	*layer = (int32_t) (i / per_layer);
	return &layer_tables[hparams->arch].entries[i % per_layer];
}

uint32_t
rstar_weights_n_specs(const rstar_hparams *hparams)
{
	return (uint32_t) N_OUTER + layer_tables[hparams->arch].n * hparams->n_layer;
}

void
rstar_weights_spec(const rstar_hparams *hparams, uint32_t i, rstar_tensor_spec *spec)
{
	const tensor_entry *entry = entry_at(hparams, i, &spec->layer);

	if (spec->layer < 0)
		snprintf(spec->name, sizeof spec->name, "%s", entry->suffix);
	else
		snprintf(spec->name, sizeof spec->name, "blk.%d.%s", spec->layer, entry->suffix);
	spec->kind = entry->kind;
	spec->optional = entry->optional;
	spec->residual = entry->residual;
	spec->n_dims = entry->rows[0] == NONE ? 1 : 2;
	spec->dims[0] = extent_of(hparams, entry->columns);
	spec->dims[1] = 0;
	for (int part = 0; part < MAX_PARTS; part++)
		spec->dims[1] += extent_of(hparams, entry->rows[part]);
	if (spec->n_dims == 1)
		spec->dims[1] = 1;
}

/* --- opening --------------------------------------------------------------- */

static void
describe_shape(uint32_t n_dims, const uint64_t *dims, char text[96])
{
	size_t used = 0;

	for (uint32_t i = 0; i < n_dims; i++)
		used += (size_t) snprintf(text + used, 96 - used, "%s%llu", i ? " x " : "",
								  (unsigned long long) dims[i]);
}

static rstar_status
check_tensor(const rstar_gguf_tensor *tensor, const rstar_tensor_spec *spec, rstar_error *err)
{
	if (tensor->dims[0] != spec->dims[0] || tensor->dims[1] != spec->dims[1] ||
		tensor->dims[2] != 1 || tensor->dims[3] != 1)
	{
		char actual[96];
		char expected[96];

		describe_shape(tensor->n_dims, tensor->dims, actual);
		describe_shape(spec->n_dims, spec->dims, expected);
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "tensor \"%s\" of the model file is %s instead of %s", spec->name,
							   actual, expected);
	}
	if (spec->kind != RSTAR_TENSOR_MATRIX && tensor->type != RSTAR_TYPE_F32)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "tensor \"%s\" is %s instead of F32",
							   spec->name, rstar_type_layout((uint32_t) tensor->type)->name);
	if (!rstar_type_get((uint32_t) tensor->type))
	{
		rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
						"tensor \"%s\" is of type %s, which is not supported", spec->name,
						rstar_type_layout((uint32_t) tensor->type)->name);
		return rstar_error_hint(err, "Supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, "
									 "Q2_K to Q6_K, Q8_K, IQ4_NL and IQ4_XS.");
	}
	return RSTAR_OK;
}

/* Fill the fields at `base` (a layer, or the whole) from a checked tensor. */
static void
fill_fields(const tensor_entry *entry, const rstar_hparams *hparams,
			const rstar_gguf_tensor *tensor, void *base)
{
	uint32_t first = 0;

	if (entry->kind != RSTAR_TENSOR_MATRIX)
	{
		*(const float **) ((char *) base + entry->fields[0]) = tensor->data;
		return;
	}

	rstar_matrix whole = {
		.type = tensor->type,
		.rows = (uint32_t) tensor->dims[1],
		.columns = (uint32_t) tensor->dims[0],
		.row_bytes = rstar_quants_row_bytes(tensor->type, tensor->dims[0]),
		.data = tensor->data,
	};

	for (int part = 0; part < MAX_PARTS && entry->rows[part] != NONE; part++)
	{
		uint32_t rows = extent_of(hparams, entry->rows[part]);

		*(rstar_matrix *) ((char *) base + entry->fields[part]) =
			rstar_matrix_rows(&whole, first, rows);
		first += rows;
	}
}

/*
 * The list of what the architecture needs leads, and its fields are filled with pointers into
 * the mapped file: nothing is copied, except the single numbers of the value head. A model
 * without an output matrix of its own uses its embedding.
 */
static rstar_status
open_tensors(rstar_weights *weights, uint64_t *n_in_layers, rstar_error *err)
{
	const rstar_hparams *hparams = &weights->hparams;

	for (uint32_t i = 0; i < rstar_weights_n_specs(hparams); i++)
	{
		rstar_tensor_spec spec;
		int32_t layer;
		const tensor_entry *entry = entry_at(hparams, i, &layer);
		const rstar_gguf_tensor *tensor;
		rstar_status st;

		rstar_weights_spec(hparams, i, &spec);
		tensor = rstar_gguf_find_tensor(weights->gguf, spec.name);
		if (!tensor && spec.optional)
			continue;
		if (!tensor)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT, "model file has no tensor \"%s\"",
								   spec.name);
		st = check_tensor(tensor, &spec, err);
		if (st != RSTAR_OK)
			return st;
		*n_in_layers += layer >= 0;
		weights->n_parameters += spec.dims[0] * spec.dims[1];
		if (layer >= 0)
			fill_fields(entry, hparams, tensor, &weights->layers[layer]);
		else if (entry->columns == ONE)
			memcpy((char *) weights + entry->fields[0], tensor->data, sizeof(float));
		else
			fill_fields(entry, hparams, tensor, weights);
	}
	weights->tied = weights->output.data == NULL;
	if (weights->tied)
		weights->output = weights->token_embd;
	return RSTAR_OK;
}

/* A tensor in a layer that we would not use means that we do not know the model. */
static rstar_status
check_unused(const rstar_gguf *gguf, uint64_t n_used, rstar_error *err)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < rstar_gguf_n_tensors(gguf); i++)
	{
		rstar_string name = rstar_gguf_tensor_at(gguf, i)->name;

		n += name.length > 4 && memcmp(name.data, "blk.", 4) == 0;
	}
	if (n == n_used)
		return RSTAR_OK;
	rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
					"model file has %llu tensors in its layers, not %llu", (unsigned long long) n,
					(unsigned long long) n_used);
	return rstar_error_detail(err, "Those that are unknown would change what the model computes.");
}

/* One set of factors: *factors stays as it is if the file has none of that name. */
static rstar_status
open_factors(const rstar_weights *weights, const char *name, const float **factors,
			 rstar_error *err)
{
	const rstar_gguf_tensor *tensor = rstar_gguf_find_tensor(weights->gguf, name);
	uint32_t n = weights->hparams.rope_dim / 2;
	const float *values;

	if (!tensor)
		return RSTAR_OK;
	if (tensor->type != RSTAR_TYPE_F32 || tensor->bytes != n * sizeof(float))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "tensor \"%s\" is not %u F32 values", name,
							   n);
	values = tensor->data;
	for (uint32_t j = 0; j < n; j++)
		if (!(values[j] > 0.0f && values[j] < 1e9f))
			return rstar_error_set(err, RSTAR_ERR_CORRUPT,
								   "value %u of tensor \"%s\" is out of range", j, name);
	*factors = values;
	return RSTAR_OK;
}

static rstar_status
open_rope_factors(rstar_weights *weights, rstar_error *err)
{
	rstar_status st = open_factors(weights, RSTAR_ROPE_SHORT, &weights->rope_factors, err);

	if (st == RSTAR_OK)
		st = open_factors(weights, "rope_freqs.weight", &weights->rope_factors, err);
	if (st == RSTAR_OK)
		st = open_factors(weights, RSTAR_ROPE_LONG, &weights->rope_long, err);
	return st;
}

/*
 * What was opened refers to the file's map, so `gguf` must live longer than it. The layers are
 * allocated once the hyperparameters have been checked: their number comes from the file.
 */
rstar_status
rstar_weights_open(const rstar_gguf *gguf, const rstar_allocator *allocator, rstar_weights **out,
				   rstar_error *err)
{
	rstar_weights *weights = rstar_alloc_zero(allocator, sizeof *weights);
	uint64_t n_in_layers = 0;
	rstar_status st;

	*out = NULL;
	if (!weights)
		return rstar_error_memory(err, sizeof *weights);
	weights->allocator = allocator;
	weights->gguf = gguf;
	st = rstar_hparams_read(gguf, &weights->hparams, err);
	if (st == RSTAR_OK)
	{
		weights->layers =
			rstar_alloc_array_zero(allocator, weights->hparams.n_layer, sizeof *weights->layers);
		if (!weights->layers)
			st = rstar_error_memory(err, weights->hparams.n_layer * sizeof *weights->layers);
	}
	if (st == RSTAR_OK)
		st = open_tensors(weights, &n_in_layers, err);
	if (st == RSTAR_OK)
		st = check_unused(gguf, n_in_layers, err);
	if (st == RSTAR_OK)
		st = open_rope_factors(weights, err);
	if (st != RSTAR_OK)
	{
		rstar_weights_close(weights);
		return st;
	}
	*out = weights;
	return RSTAR_OK;
}

void
rstar_weights_close(rstar_weights *weights)
{
	if (!weights)
		return;
	rstar_free(weights->allocator, weights->layers);
	rstar_free(weights->allocator, weights);
}

void
rstar_weights_rope_frequencies(const rstar_weights *weights, uint32_t context, double *frequencies)
{
	const rstar_hparams *hparams = &weights->hparams;
	bool is_long = hparams->rope_original > 0 && context > hparams->rope_original;
	const float *factors = is_long ? weights->rope_long : weights->rope_factors;

	for (uint32_t i = 0; i < hparams->rope_dim / 2; i++)
	{
		double exponent = -2.0 * (double) i / (double) hparams->rope_dim;

		frequencies[i] = pow((double) hparams->rope_base, exponent) * (double) hparams->rope_scale;
		if (factors)
			frequencies[i] /= (double) factors[i];
	}
}

void
rstar_weights_local_frequencies(const rstar_weights *weights, double *frequencies)
{
	const rstar_hparams *hparams = &weights->hparams;

	for (uint32_t i = 0; i < hparams->rope_dim / 2; i++)
		frequencies[i] =
			pow((double) hparams->rope_base_local, -2.0 * (double) i / (double) hparams->rope_dim);
}

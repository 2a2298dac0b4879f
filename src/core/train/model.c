/*
 * model.c
 *	  A model as training sees it: its parameters as floats that can change.
 *
 * A table says which group a tensor of the file belongs to. Where two or three
 * share one (q, k and v), each has its place among the group's rows, in the
 * order in which they are listed; phi3's fused tensors fill a group alone.
 */
#include "core/train/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/random.h"
#include "core/model/convert.h"
#include "core/tensor/quants.h"

/* --- groups ------------------------------------------------------------------ */

typedef struct group
{
	const char *suffix; /* of a tensor in a layer */
	const char *name;   /* of the group */
	size_t field;       /* in rstar_train_layer */
} group;

#define FIELD(name) offsetof(rstar_train_layer, name)

static const group groups[] = {
	{"attn_norm.weight", "attn_norm.weight", FIELD(attn_norm)},
	{"attn_q.weight", "qkv.weight", FIELD(qkv)},
	{"attn_k.weight", "qkv.weight", FIELD(qkv)},
	{"attn_v.weight", "qkv.weight", FIELD(qkv)},
	{"attn_qkv.weight", "qkv.weight", FIELD(qkv)},
	{"attn_q.bias", "qkv.bias", FIELD(qkv_bias)},
	{"attn_k.bias", "qkv.bias", FIELD(qkv_bias)},
	{"attn_v.bias", "qkv.bias", FIELD(qkv_bias)},
	{"attn_q_norm.weight", "q_norm.weight", FIELD(q_norm)},
	{"attn_k_norm.weight", "k_norm.weight", FIELD(k_norm)},
	{"attn_output.weight", "attn_output.weight", FIELD(attn_out)},
	{"attn_output.bias", "attn_output.bias", FIELD(attn_out_bias)},
	{"ffn_norm.weight", "ffn_norm.weight", FIELD(ffn_norm)},
	{"ffn_gate.weight", "gate_up.weight", FIELD(gate_up)},
	{"ffn_up.weight", "gate_up.weight", FIELD(gate_up)},
	{"ffn_down.weight", "ffn_down.weight", FIELD(down)},
};

#define N_GROUPS (sizeof groups / sizeof *groups)

static const group *
find_group(const char *tensor_name)
{
	const char *suffix = tensor_name;

	for (int dots = 0; dots < 2 && suffix; dots++)
	{
		suffix = strchr(suffix, '.');
		suffix = suffix ? suffix + 1 : NULL;
	}
	for (size_t i = 0; suffix && i < N_GROUPS; i++)
		if (strcmp(groups[i].suffix, suffix) == 0)
			return &groups[i];
	return NULL;
}

static uint32_t *
layer_field(rstar_train_model *model, int32_t layer, const group *g)
{
	return (uint32_t *) ((char *) &model->layers[layer] + g->field);
}

/* A new tensor behind the others. */
static uint32_t
append(rstar_train_model *model, const char *name, rstar_train_kind kind, uint64_t rows,
	   uint64_t columns)
{
	rstar_train_tensor *tensor = &model->tensors[model->n_tensors];

	snprintf(tensor->name, sizeof tensor->name, "%s", name);
	tensor->kind = kind;
	tensor->rows = (uint32_t) rows;
	tensor->columns = (uint32_t) columns;
	return model->n_tensors++;
}

/* One tensor of a layer joins its group: below the rows, or behind the columns, there already. */
static rstar_status
add_to_layer(rstar_train_model *model, const rstar_tensor_spec *spec, rstar_error *err)
{
	const group *g = find_group(spec->name);
	bool matrix = spec->kind == RSTAR_TENSOR_MATRIX;
	uint32_t *field;

	if (!g)
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "training does not know the tensor \"%s\" of this architecture",
							   spec->name);
	field = layer_field(model, spec->layer, g);
	if (*field == RSTAR_TRAIN_NONE)
	{
		char name[48];

		snprintf(name, sizeof name, "blk.%d.%s", spec->layer, g->name);
		*field = append(model, name, matrix ? RSTAR_TRAIN_HIDDEN : RSTAR_TRAIN_VECTOR,
						matrix ? spec->dims[1] : 1, spec->dims[0]);
	}
	else if (matrix)
		model->tensors[*field].rows += (uint32_t) spec->dims[1];
	else
		model->tensors[*field].columns += (uint32_t) spec->dims[0];
	return RSTAR_OK;
}

static rstar_status
add_outside(rstar_train_model *model, const rstar_tensor_spec *spec, rstar_error *err)
{
	bool table = spec->kind == RSTAR_TENSOR_MATRIX;
	uint32_t i = append(model, spec->name, table ? RSTAR_TRAIN_TABLE : RSTAR_TRAIN_VECTOR,
						table ? spec->dims[1] : 1, spec->dims[0]);

	if (strcmp(spec->name, "token_embd.weight") == 0)
		model->token_embd = i;
	else if (strcmp(spec->name, "output.weight") == 0)
		model->output = i;
	else if (strcmp(spec->name, "output_norm.weight") == 0)
		model->output_norm = i;
	else if (strcmp(spec->name, "value_head.weight") == 0)
		model->value_weight = i;
	else if (strcmp(spec->name, "value_head.bias") == 0)
		model->value_bias = i;
	else if (strcmp(spec->name, "value_head.likelihood") == 0)
		model->value_likelihood = i;
	else
		return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							   "training does not know the tensor \"%s\"", spec->name);
	return RSTAR_OK;
}

/* --- life ---------------------------------------------------------------------- */

static bool
is_head(const rstar_tensor_spec *spec)
{
	return spec->kind == RSTAR_TENSOR_HEAD;
}

/* Training computes what most architectures do; the others are refused rather than mistaken. */
static rstar_status
check_traits(const rstar_hparams *h, rstar_error *err)
{
	if (h->activation == RSTAR_SILU && h->embd_scale == 0.0f && h->logit_cap == 0.0f &&
		h->rope_base_local == 0.0f)
		return RSTAR_OK;
	return rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
						   "models of architecture %s cannot be trained", rstar_arch_name(h->arch));
}

static rstar_status
list_tensors(rstar_train_model *model, bool value_head, rstar_error *err)
{
	uint32_t n = rstar_weights_n_specs(&model->hparams);
	rstar_status st = RSTAR_OK;

	for (uint32_t i = 0; i < n && st == RSTAR_OK; i++)
	{
		rstar_tensor_spec spec;

		rstar_weights_spec(&model->hparams, i, &spec);
		if (is_head(&spec) ? !value_head
						   : spec.optional && !rstar_gguf_find_tensor(model->base, spec.name))
			continue;
		st = spec.layer >= 0 ? add_to_layer(model, &spec, err) : add_outside(model, &spec, err);
	}
	if (model->tied)
		model->output = model->token_embd;
	for (uint32_t i = 0; i < model->n_tensors; i++)
		model->n_parameters += rstar_train_tensor_size(&model->tensors[i]);
	return st;
}

/*
 * Lists the tensors only; their values are loaded later, once the plan has shown that memory
 * suffices. 0xff in every byte is RSTAR_TRAIN_NONE: a layer's tensor that the architecture
 * does not have.
 */
rstar_status
rstar_train_model_open(const rstar_gguf *base, bool value_head, const rstar_allocator *allocator,
					   rstar_train_model **out, rstar_error *err)
{
	rstar_train_model *model = rstar_alloc_zero(allocator, sizeof *model);
	const rstar_hparams *h;
	rstar_status st;

	*out = NULL;
	if (!model)
		return rstar_error_memory(err, sizeof *model);
	model->allocator = allocator;
	model->base = base;
	model->value_weight = model->value_bias = model->value_likelihood = RSTAR_TRAIN_NONE;
	st = rstar_weights_open(base, allocator, &model->weights, err);
	if (st == RSTAR_OK)
	{
		model->hparams = model->weights->hparams;
		model->tied = model->weights->tied;
		h = &model->hparams;
		model->layers = rstar_alloc_array(allocator, h->n_layer, sizeof *model->layers);
		model->tensors =
			rstar_alloc_array_zero(allocator, rstar_weights_n_specs(h), sizeof *model->tensors);
		model->frequencies = rstar_alloc_array(allocator, h->rope_dim / 2 + 1, sizeof(double));
		if (!model->layers || !model->tensors || !model->frequencies)
			st = rstar_error_memory(err, rstar_weights_n_specs(h) * sizeof *model->tensors);
	}
	if (st == RSTAR_OK)
	{
		memset(model->layers, 0xff, model->hparams.n_layer * sizeof *model->layers);
		rstar_weights_rope_frequencies(model->weights, model->hparams.n_context,
									   model->frequencies);
		st = check_traits(&model->hparams, err);
	}
	if (st == RSTAR_OK)
		st = list_tensors(model, value_head, err);
	if (st != RSTAR_OK)
	{
		rstar_train_model_close(model);
		return st;
	}
	*out = model;
	return RSTAR_OK;
}

void
rstar_train_model_close(rstar_train_model *model)
{
	if (!model)
		return;
	rstar_free(model->allocator, model->values);
	rstar_free(model->allocator, model->frequencies);
	rstar_free(model->allocator, model->tensors);
	rstar_free(model->allocator, model->layers);
	rstar_weights_close(model->weights);
	rstar_free(model->allocator, model);
}

/* --- where a tensor of the file lies -------------------------------------------- */

/*
 * The values of spec i of the list: walking the specs in order, each takes the
 * next part of its group. `filled` counts, per tensor, what was taken.
 */
static float *
place_of(rstar_train_model *model, const rstar_tensor_spec *spec, size_t *filled)
{
	size_t size = (size_t) spec->dims[0] * spec->dims[1];
	uint32_t tensor;
	float *place;

	if (spec->layer >= 0)
		tensor = *layer_field(model, spec->layer, find_group(spec->name));
	else if (strcmp(spec->name, "token_embd.weight") == 0)
		tensor = model->token_embd;
	else if (strcmp(spec->name, "output.weight") == 0)
		tensor = model->output;
	else if (strcmp(spec->name, "output_norm.weight") == 0)
		tensor = model->output_norm;
	else if (strcmp(spec->name, "value_head.weight") == 0)
		tensor = model->value_weight;
	else if (strcmp(spec->name, "value_head.bias") == 0)
		tensor = model->value_bias;
	else
		tensor = model->value_likelihood;
	place = model->tensors[tensor].value + filled[tensor];
	filled[tensor] += size;
	return place;
}

static bool
is_present(const rstar_train_model *model, const rstar_tensor_spec *spec)
{
	if (is_head(spec))
		return model->value_weight != RSTAR_TRAIN_NONE;
	return !spec->optional || rstar_gguf_find_tensor(model->base, spec->name) != NULL;
}

static rstar_status
read_tensor(const rstar_gguf_tensor *from, float *to, rstar_error *err)
{
	size_t columns = (size_t) from->dims[0];
	size_t row_bytes = rstar_quants_row_bytes(from->type, columns);

	for (uint64_t r = 0; r < from->dims[1]; r++)
	{
		const uint8_t *row = (const uint8_t *) from->data + r * row_bytes;

		if (rstar_quants_find_bad(from->type, row, columns) < columns)
			return rstar_error_set(err, RSTAR_ERR_CORRUPT,
								   "tensor \"%.*s\" contains NaN or infinity",
								   (int) from->name.length, from->name.data);
		rstar_quants_to_f32(from->type, row, to + r * columns, columns);
	}
	return RSTAR_OK;
}

/* A value head that the file does not have: as create.h makes it. */
static void
create_head(const rstar_tensor_spec *spec, uint64_t seed, uint32_t i, float *to)
{
	rstar_random_stream stream = {.seed = seed, .node = i};
	uint64_t n = spec->dims[0];

	if (n == 1)
		to[0] = 0.0f;
	else
		rstar_random_normal(&stream, 0, n, 1.0f / sqrtf((float) n + 1.0f), to);
}

/*
 * One allocation for all parameters, in the order of the list, so optimiser and checkpoint can
 * take them as one array. The tensors of the file that form one group stand behind each other
 * in it. A value head that the base lacks is drawn from the seed.
 */
rstar_status
rstar_train_model_load(rstar_train_model *model, uint64_t seed, const rstar_cancel *cancel,
					   rstar_error *err)
{
	uint32_t n = rstar_weights_n_specs(&model->hparams);
	size_t *filled = rstar_alloc_array_zero(model->allocator, model->n_tensors, sizeof *filled);
	rstar_status st = RSTAR_OK;
	float *at;

	model->values = rstar_alloc_array(model->allocator, model->n_parameters, sizeof(float));
	if (!model->values || !filled)
		st = rstar_error_memory(err, model->n_parameters * sizeof(float));
	at = model->values;
	for (uint32_t i = 0; i < model->n_tensors && st == RSTAR_OK; i++)
	{
		model->tensors[i].value = at;
		at += rstar_train_tensor_size(&model->tensors[i]);
	}
	for (uint32_t i = 0; i < n && st == RSTAR_OK; i++)
	{
		rstar_tensor_spec spec;
		const rstar_gguf_tensor *from;
		float *to;

		rstar_weights_spec(&model->hparams, i, &spec);
		if (!is_present(model, &spec))
			continue;
		from = rstar_gguf_find_tensor(model->base, spec.name);
		to = place_of(model, &spec, filled);
		if (from)
			st = read_tensor(from, to, err);
		else
			create_head(&spec, seed, i, to);
		if (rstar_cancel_requested(cancel))
			st = rstar_error_set(err, RSTAR_ERR_CANCELLED, "loading a model was cancelled");
	}
	rstar_free(model->allocator, filled);
	return st;
}

/* --- writing ------------------------------------------------------------------------ */

typedef struct writing
{
	rstar_train_model *model;
	rstar_conversion *conversions;
	char (*names)[48];
	float *scratch;
	size_t *filled;
} writing;

static void
write_tensors(writing *w, rstar_quantize_target target, rstar_gguf_writer *writer)
{
	rstar_train_model *model = w->model;
	uint32_t n = rstar_weights_n_specs(&model->hparams);

	for (uint32_t i = 0; i < n; i++)
	{
		rstar_tensor_spec spec;
		rstar_conversion *c = &w->conversions[i];

		rstar_weights_spec(&model->hparams, i, &spec);
		if (!is_present(model, &spec))
			continue;
		memcpy(w->names[i], spec.name, sizeof w->names[i]);
		*c = (rstar_conversion){
			.name = w->names[i],
			.from = RSTAR_TYPE_F32,
			.to = spec.kind == RSTAR_TENSOR_MATRIX
					  ? rstar_quantize_choose(target, spec.name, spec.n_dims, spec.dims,
											  model->hparams.n_layer, model->tied)
					  : RSTAR_TYPE_F32,
			.columns = spec.dims[0],
			.rows = spec.dims[1],
			.data = place_of(model, &spec, w->filled),
			.scratch = w->scratch,
		};
		rstar_gguf_writer_tensor_source(writer, w->names[i], c->to, spec.n_dims, spec.dims,
										rstar_convert_source, c);
	}
}

/* Whether the list of specs has a tensor of this name. */
static bool
is_listed(const rstar_train_model *model, const char *name)
{
	uint32_t n = rstar_weights_n_specs(&model->hparams);

	for (uint32_t i = 0; i < n; i++)
	{
		rstar_tensor_spec spec;

		rstar_weights_spec(&model->hparams, i, &spec);
		if (strcmp(spec.name, name) == 0)
			return true;
	}
	return false;
}

/* Tensors that are not parameters (rope factors) are taken over. */
static void
copy_others(const rstar_train_model *model, rstar_gguf_writer *writer)
{
	for (uint64_t i = 0; i < rstar_gguf_n_tensors(model->base); i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(model->base, i);
		char name[48];

		if (tensor->name.length >= sizeof name)
			continue;
		memcpy(name, tensor->name.data, tensor->name.length);
		name[tensor->name.length] = '\0';
		if (!is_listed(model, name))
			rstar_gguf_writer_tensor(writer, name, tensor->type, tensor->n_dims, tensor->dims,
									 tensor->data);
	}
}

/*
 * The architecture comes first, as keys named after it follow; the type of the file is written
 * before the base's keys are copied, so that its own is not. The values go from float to the
 * target through one scratch, tensor by tensor.
 */
rstar_status
rstar_train_model_write(const rstar_train_model *model, rstar_quantize_target target, int fd,
						const rstar_cancel *cancel, rstar_error *err)
{
	uint32_t n = rstar_weights_n_specs(&model->hparams);
	const rstar_allocator *allocator = model->allocator;
	rstar_gguf_writer *writer = NULL;
	writing w = {
		.model = (rstar_train_model *) model, /* its values are only read */
		.conversions = rstar_alloc_array_zero(allocator, n, sizeof *w.conversions),
		.names = rstar_alloc_array_zero(allocator, n, sizeof *w.names),
		.scratch = rstar_alloc_array(allocator, RSTAR_CONVERT_SCRATCH, sizeof(float)),
		.filled = rstar_alloc_array_zero(allocator, model->n_tensors, sizeof(size_t)),
	};
	rstar_status st = rstar_gguf_writer_create(&writer, allocator, err);

	if (st == RSTAR_OK && !(w.conversions && w.names && w.scratch && w.filled))
		st = rstar_error_memory(err, RSTAR_CONVERT_SCRATCH * sizeof(float));
	if (st == RSTAR_OK)
	{
		rstar_gguf_writer_copy(writer, model->base, "general.architecture");
		rstar_gguf_writer_u32(writer, "general.file_type", rstar_quantize_file_type(target));
		rstar_gguf_writer_u32(writer, "general.quantization_version", 2);
		rstar_gguf_writer_copy_prefix(writer, model->base, "");
		write_tensors(&w, target, writer);
		copy_others(model, writer);
		st = rstar_gguf_writer_finish(writer, fd, cancel, err);
	}
	rstar_gguf_writer_free(writer);
	rstar_free(allocator, w.conversions);
	rstar_free(allocator, w.names);
	rstar_free(allocator, w.scratch);
	rstar_free(allocator, w.filled);
	return st;
}

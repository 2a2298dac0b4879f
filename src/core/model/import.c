/*
 * import.c
 *	  A Hugging Face model directory as a GGUF file.
 *
 * The plan: parse config.json into hyperparameters; open the safetensors files;
 * for each tensor that the architecture has (weights.h lists them) find the one
 * of Hugging Face's name, check its shape, and give the writer a conversion;
 * write hyperparameters and vocabulary; let the writer pull all the data
 * through. import_config.c and import_tokenizer.c do their files.
 */
#include "core/model/import.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/model/convert.h"
#include "core/model/import_parts.h"
#include "core/model/safetensors.h"
#include "core/model/store.h"
#include "core/model/weights.h"

#define MAX_JSON   ((off_t) 64 << 20)
#define MAX_SHARDS 1024

typedef struct import
{
	int directory;
	const rstar_import_options *options;
	const rstar_allocator *allocator;
	const rstar_cancel *cancel;
	rstar_error *err;
	json_t *config_json;
	rstar_import_config config;
	rstar_safetensors *shards[MAX_SHARDS];
	size_t n_shards;
	const char *prefix; /* of names: "model." or "" */
	size_t n_used_in_layers;
	rstar_conversion *conversions; /* one per tensor of the list */
	char (*names)[48];             /* theirs, for messages */
	float *scratch;
	rstar_gguf_writer *writer;
} import;

/* --- files ----------------------------------------------------------------- */

static rstar_status
open_file(const import *job, const char *name, int *out)
{
	int fd;
	struct stat info;
	rstar_status st = rstar_store_check_name(name, job->err);

	if (st != RSTAR_OK)
		return st;
	fd = openat(job->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
	{
		rstar_error_set(job->err, RSTAR_ERR_DENIED, "\"%s\" is a symbolic link", name);
		return rstar_error_hint(job->err, "Copy the model with its links resolved (cp -L).");
	}
	if (fd < 0)
		return rstar_error_set(job->err, errno == ENOENT ? RSTAR_ERR_NOT_FOUND : RSTAR_ERR_IO,
							   "could not open \"%s\" of the model: %s", name, strerror(errno));
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
	{
		close(fd);
		return rstar_error_set(job->err, RSTAR_ERR_DENIED, "\"%s\" is not a regular file", name);
	}
	*out = fd;
	return RSTAR_OK;
}

static rstar_status
read_whole(const import *job, int fd, const char *name, rstar_buffer *text)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) != 0)
	{
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rstar_error_set(job->err, RSTAR_ERR_IO, "could not read \"%s\": %s", name,
								   strerror(errno));
		if (text->length + (size_t) n > (size_t) MAX_JSON)
			return rstar_error_set(job->err, RSTAR_ERR_LIMIT, "\"%s\" is larger than 64 MB", name);
		if (!rstar_buffer_append(text, piece, (size_t) n))
			return rstar_error_memory(job->err, text->length);
	}
	return RSTAR_OK;
}

/* A text file of the directory into `text`, which the caller frees. */
static rstar_status
read_text(const import *job, const char *name, rstar_buffer *text)
{
	int fd;
	rstar_status st;

	rstar_buffer_init(text, job->allocator);
	st = open_file(job, name, &fd);
	if (st != RSTAR_OK)
		return st;
	st = read_whole(job, fd, name, text);
	close(fd);
	return st;
}

/*
 * NULL in *out for an optional file that is not there. flags are jansson's:
 * tokenizer_config.json needs JSON_DECODE_INT_AS_REAL, since the library writes
 * "no limit" as an integer of 31 digits.
 */
static rstar_status
read_json(const import *job, const char *name, bool optional, size_t flags, json_t **out)
{
	rstar_buffer text;
	json_error_t problem;
	rstar_status st = read_text(job, name, &text);

	*out = NULL;
	if (st == RSTAR_OK)
	{
		*out = json_loadb(text.data ? text.data : "", text.length, JSON_REJECT_DUPLICATES | flags,
						  &problem);
		if (!json_is_object(*out))
		{
			st = rstar_error_set(job->err, RSTAR_ERR_CORRUPT, "\"%s\" is not a JSON object", name);
			if (!*out)
				rstar_error_detail(job->err, "Line %d, column %d.", problem.line, problem.column);
			json_decref(*out);
			*out = NULL;
		}
	}
	rstar_buffer_free(&text);
	return st == RSTAR_ERR_NOT_FOUND && optional ? RSTAR_OK : st;
}

/* --- weights --------------------------------------------------------------- */

static rstar_status
open_shard(import *job, const char *name)
{
	int fd;
	rstar_status st;

	if (job->n_shards == MAX_SHARDS)
		return rstar_error_set(job->err, RSTAR_ERR_LIMIT, "model has more than %d files",
							   MAX_SHARDS);
	st = open_file(job, name, &fd);
	if (st != RSTAR_OK)
		return st;
	st = rstar_safetensors_open_fd(fd, job->allocator, &job->shards[job->n_shards], job->err);
	close(fd);
	if (st == RSTAR_OK)
		job->n_shards++;
	return st;
}

/* Every file that the index names, once. */
static rstar_status
open_indexed(import *job, const json_t *index)
{
	json_t *files = json_pack("{}"); /* json_object() is also a function of the server's */
	const char *tensor;
	const char *name;
	json_t *file;
	rstar_status st = files ? RSTAR_OK : rstar_error_memory(job->err, 64);

	json_object_foreach(json_object_get(index, "weight_map"), tensor, file)
	{
		if (st == RSTAR_OK && !json_is_string(file))
			st = rstar_error_set(job->err, RSTAR_ERR_CORRUPT,
								 "model.safetensors.index.json names no file for a tensor");
		if (st == RSTAR_OK && json_object_set_new(files, json_string_value(file), json_true()) != 0)
			st = rstar_error_memory(job->err, 64);
	}
	json_object_foreach(files, name, file) if (st == RSTAR_OK) st = open_shard(job, name);
	json_decref(files);
	return st;
}

static rstar_status
open_weights(import *job)
{
	json_t *index = NULL;
	rstar_status st = open_shard(job, "model.safetensors");

	if (st != RSTAR_ERR_NOT_FOUND)
		return st;
	st = read_json(job, "model.safetensors.index.json", true, 0, &index);
	if (st == RSTAR_OK && !index)
	{
		rstar_error_set(job->err, RSTAR_ERR_NOT_FOUND,
						"directory has neither \"model.safetensors\" nor its index");
		return rstar_error_hint(job->err, "Weights in other formats are not read.");
	}
	if (st == RSTAR_OK)
		st = open_indexed(job, index);
	json_decref(index);
	return st;
}

static const rstar_safetensor *
find_tensor(const import *job, const char *name)
{
	for (size_t i = 0; i < job->n_shards; i++)
	{
		const rstar_safetensor *tensor = rstar_safetensors_find(job->shards[i], name);

		if (tensor)
			return tensor;
	}
	return NULL;
}

/* --- names ----------------------------------------------------------------- */

static const struct
{
	const char *suffix; /* behind "blk.N." */
	const char *theirs; /* behind "model.layers.N." */
} layer_names[] = {
	{"attn_norm.weight", "input_layernorm.weight"},
	{"attn_q.weight", "self_attn.q_proj.weight"},
	{"attn_q.bias", "self_attn.q_proj.bias"},
	{"attn_q_norm.weight", "self_attn.q_norm.weight"},
	{"attn_k_norm.weight", "self_attn.k_norm.weight"},
	{"attn_k.weight", "self_attn.k_proj.weight"},
	{"attn_k.bias", "self_attn.k_proj.bias"},
	{"attn_v.weight", "self_attn.v_proj.weight"},
	{"attn_v.bias", "self_attn.v_proj.bias"},
	{"attn_qkv.weight", "self_attn.qkv_proj.weight"},
	{"attn_output.weight", "self_attn.o_proj.weight"},
	{"attn_output.bias", "self_attn.o_proj.bias"},
	{"ffn_norm.weight", "post_attention_layernorm.weight"},
	{"ffn_gate.weight", "mlp.gate_proj.weight"},
	{"ffn_up.weight", "mlp.up_proj.weight"},
	{"ffn_down.weight", "mlp.down_proj.weight"},
};

/* Where an architecture's names differ from those above. */
static const struct
{
	rstar_arch arch;
	const char *suffix;
	const char *theirs;
} special_names[] = {
	{RSTAR_ARCH_PHI3, "ffn_up.weight", "mlp.gate_up_proj.weight"},
	{RSTAR_ARCH_GEMMA3, "post_attention_norm.weight", "post_attention_layernorm.weight"},
	{RSTAR_ARCH_GEMMA3, "ffn_norm.weight", "pre_feedforward_layernorm.weight"},
	{RSTAR_ARCH_GEMMA3, "post_ffw_norm.weight", "post_feedforward_layernorm.weight"},
};

#define N_SPECIAL_NAMES (sizeof special_names / sizeof special_names[0])

static const struct
{
	const char *ours;
	const char *theirs;
	bool prefixed;
} outer_names[] = {
	{"token_embd.weight", "embed_tokens.weight", true},
	{"output_norm.weight", "norm.weight", true},
	{"output.weight", "lm_head.weight", false},
	{"value_head.weight", "score.weight", false},
	{"value_head.bias", "score.bias", false},
};

#define N_LAYER_NAMES (sizeof layer_names / sizeof layer_names[0])
#define N_OUTER_NAMES (sizeof outer_names / sizeof outer_names[0])

/* Their name of a layer's tensor, behind "layers.N."; NULL if there is none. */
static const char *
name_in_layer(rstar_arch arch, const char *suffix)
{
	for (size_t i = 0; i < N_SPECIAL_NAMES; i++)
		if (special_names[i].arch == arch && strcmp(special_names[i].suffix, suffix) == 0)
			return special_names[i].theirs;
	for (size_t i = 0; i < N_LAYER_NAMES; i++)
		if (strcmp(layer_names[i].suffix, suffix) == 0)
			return layer_names[i].theirs;
	return NULL;
}

static void
name_theirs(const import *job, const rstar_tensor_spec *spec, char *name, size_t size)
{
	const char *suffix = spec->name;
	const char *theirs;

	name[0] = '\0';
	for (size_t i = 0; spec->layer < 0 && i < N_OUTER_NAMES; i++)
		if (strcmp(outer_names[i].ours, spec->name) == 0)
			snprintf(name, size, "%s%s", outer_names[i].prefixed ? job->prefix : "",
					 outer_names[i].theirs);
	if (spec->layer < 0)
		return;
	suffix = strchr(strchr(suffix, '.') + 1, '.') + 1;
	theirs = name_in_layer(job->config.hparams.arch, suffix);
	if (theirs)
		snprintf(name, size, "%slayers.%d.%s", job->prefix, spec->layer, theirs);
}

/* Is the name of a tensor "<prefix>layers…"? (The layers of a vision tower are not ours.) */
static bool
is_in_layer(const import *job, const char *name)
{
	size_t length = strlen(job->prefix);

	return strncmp(name, job->prefix, length) == 0 && strncmp(name + length, "layers.", 7) == 0;
}

/* A tensor in a layer that has no place in the architecture: not the model we know. */
static rstar_status
check_unused(const import *job)
{
	static const char ignored[] = ".rotary_emb.inv_freq";
	size_t n = 0;

	for (size_t s = 0; s < job->n_shards; s++)
		for (size_t i = 0; i < rstar_safetensors_count(job->shards[s]); i++)
		{
			const char *name = rstar_safetensors_at(job->shards[s], i)->name;
			size_t length = strlen(name);

			if (length > strlen(ignored) && strcmp(name + length - strlen(ignored), ignored) == 0)
				continue;
			n += is_in_layer(job, name);
		}
	if (n == job->n_used_in_layers)
		return RSTAR_OK;
	return rstar_error_set(job->err, RSTAR_ERR_UNSUPPORTED,
						   "model has %zu tensors in its layers instead of %zu", n,
						   job->n_used_in_layers);
}

/* --- tensors --------------------------------------------------------------- */

static rstar_status
check_shape(const import *job, const rstar_safetensor *tensor, const rstar_tensor_spec *spec)
{
	if (!tensor->usable)
		return rstar_error_set(job->err, RSTAR_ERR_UNSUPPORTED,
							   "tensor \"%s\" is not of type F32, F16 or BF16", tensor->name);
	if (tensor->columns == spec->dims[0] && tensor->rows == spec->dims[1])
		return RSTAR_OK;
	return rstar_error_set(job->err, RSTAR_ERR_CORRUPT,
						   "tensor \"%s\" is %llu x %llu instead of "
						   "%llu x %llu",
						   tensor->name, (unsigned long long) tensor->rows,
						   (unsigned long long) tensor->columns, (unsigned long long) spec->dims[1],
						   (unsigned long long) spec->dims[0]);
}

static rstar_type
choose_type(const import *job, const rstar_tensor_spec *spec, const rstar_safetensor *tensor,
			bool tied)
{
	if (spec->kind != RSTAR_TENSOR_MATRIX)
		return RSTAR_TYPE_F32;
	if (job->options->keep_types)
		return tensor->type;
	return rstar_quantize_choose(job->options->target, spec->name, spec->n_dims, spec->dims,
								 job->config.hparams.n_layer, tied);
}

/* llama's q and k (weights and biases) have the rows of each head in another order. */
static bool
is_rotated(const import *job, const rstar_tensor_spec *spec)
{
	return job->config.hparams.rope_style == RSTAR_ROPE_NORM &&
		   (strstr(spec->name, ".attn_q.") != NULL || strstr(spec->name, ".attn_k.") != NULL);
}

/*
 * The list of what the model needs leads, not what the file holds: what is missing is noticed
 * here, and the count of tensors used in layers shows afterwards what was left over. Gemma
 * stores its norms less 1, hence the offset. The rows of what is rotated are put in another
 * order for each head, so its bias is taken as a column.
 */
static rstar_status
add_tensor(import *job, uint32_t i, bool tied)
{
	rstar_conversion *conversion = &job->conversions[i];
	rstar_tensor_spec spec;
	const rstar_safetensor *tensor;
	char theirs[96];
	rstar_status st;

	rstar_weights_spec(&job->config.hparams, i, &spec);
	if (tied && strcmp(spec.name, "output.weight") == 0)
		return RSTAR_OK;
	name_theirs(job, &spec, theirs, sizeof theirs);
	tensor = find_tensor(job, theirs);
	if (!tensor && spec.optional && strcmp(spec.name, "output.weight") != 0)
		return RSTAR_OK;
	if (!tensor)
		return rstar_error_set(job->err, RSTAR_ERR_CORRUPT, "model has no tensor \"%s\"", theirs);
	st = check_shape(job, tensor, &spec);
	if (st != RSTAR_OK)
		return st;
	job->n_used_in_layers += spec.layer >= 0;
	strcpy(job->names[i], spec.name);
	conversion->name = job->names[i];
	conversion->from = tensor->type;
	conversion->to = choose_type(job, &spec, tensor, tied);
	conversion->columns = spec.dims[0];
	conversion->rows = spec.dims[1];
	conversion->data = tensor->data;
	conversion->scratch = job->scratch;
	if (job->config.hparams.arch == RSTAR_ARCH_GEMMA3 && spec.kind == RSTAR_TENSOR_NORM)
		conversion->offset = 1.0f;
	if (is_rotated(job, &spec))
	{
		conversion->head_dim = job->config.hparams.head_dim;
		if (spec.n_dims == 1)
		{
			conversion->rows = spec.dims[0];
			conversion->columns = 1;
		}
	}
	rstar_gguf_writer_tensor_source(job->writer, spec.name, conversion->to, spec.n_dims, spec.dims,
									rstar_convert_source, conversion);
	return RSTAR_OK;
}

/*
 * The output matrix is the embedding if the configuration says so, or if there
 * is a value head in its place.
 */
static bool
is_tied(const import *job)
{
	return job->config.tied ||
		   (!find_tensor(job, "lm_head.weight") && find_tensor(job, "score.weight"));
}

/* What stands before the names: nothing where a base model was saved, more around a text model. */
static const char *
find_prefix(const import *job)
{
	static const char *const prefixes[] = {"model.", "", "language_model.model.",
										   "model.language_model."};
	char name[64];

	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
	{
		snprintf(name, sizeof name, "%sembed_tokens.weight", prefixes[i]);
		if (find_tensor(job, name))
			return prefixes[i];
	}
	return prefixes[0];
}

static rstar_status
add_tensors(import *job)
{
	uint32_t n = rstar_weights_n_specs(&job->config.hparams);
	bool tied = is_tied(job);
	rstar_status st = RSTAR_OK;

	job->prefix = find_prefix(job);
	job->conversions = rstar_alloc_array_zero(job->allocator, n, sizeof *job->conversions);
	job->names = rstar_alloc_array(job->allocator, n, sizeof *job->names);
	job->scratch = rstar_alloc_array(job->allocator, RSTAR_CONVERT_SCRATCH, sizeof(float));
	if (!job->conversions || !job->names || !job->scratch)
		return rstar_error_memory(job->err, RSTAR_CONVERT_SCRATCH * sizeof(float));
	for (uint32_t i = 0; i < n && st == RSTAR_OK; i++)
		st = add_tensor(job, i, tied);
	return st == RSTAR_OK ? check_unused(job) : st;
}

/* --- keys ------------------------------------------------------------------ */

/* Factors of the rotation are tensors, so that their number is free. */
static void
add_rope(import *job)
{
	const rstar_import_config *config = &job->config;
	const char *arch = rstar_arch_name(config->hparams.arch);
	uint64_t dims[1] = {config->n_factors};
	char key[64];

	if (config->n_factors == 0)
		return;
	if (config->llama3)
	{
		rstar_gguf_writer_tensor(job->writer, "rope_freqs.weight", RSTAR_TYPE_F32, 1, dims,
								 config->short_factors);
		return;
	}
	snprintf(key, sizeof key, "%s.rope.scaling.original_context_length", arch);
	rstar_gguf_writer_u32(job->writer, key, config->original_context);
	snprintf(key, sizeof key, "%s.rope.scaling.attn_factor", arch);
	rstar_gguf_writer_f32(job->writer, key, config->hparams.rope_magnitude);
	rstar_gguf_writer_tensor(job->writer, "rope_factors_long.weight", RSTAR_TYPE_F32, 1, dims,
							 config->long_factors);
	rstar_gguf_writer_tensor(job->writer, "rope_factors_short.weight", RSTAR_TYPE_F32, 1, dims,
							 config->short_factors);
}

/* What most matrices are: the target, or the type of the embedding kept. */
static uint32_t
file_type(const import *job)
{
	rstar_quantize_target kept = {job->conversions[0].to, false};

	return rstar_quantize_file_type(job->options->keep_types ? kept : job->options->target);
}

static void
add_keys(import *job)
{
	const rstar_import_options *options = job->options;

	rstar_hparams_write(&job->config.hparams, job->writer);
	if (options->name)
		rstar_gguf_writer_string(job->writer, "general.name", options->name, strlen(options->name));
	rstar_gguf_writer_u32(job->writer, "general.file_type", file_type(job));
	rstar_gguf_writer_u32(job->writer, "general.quantization_version", 2);
	if (options->prompt_template)
		rstar_gguf_writer_string(job->writer, "rstar.prompt_template", options->prompt_template,
								 strlen(options->prompt_template));
	add_rope(job);
}

/*
 * Only tokenizer.json must be there; the other files add a template, flags and ends of
 * generation. What was parsed is released at the end in any case, as json_decref takes NULL.
 */
static rstar_status
add_vocabulary(import *job)
{
	rstar_import_vocabulary vocabulary = {
		.config = job->config_json, .n_vocab = job->config.hparams.n_vocab, .cancel = job->cancel};
	json_t *parts[3] = {NULL, NULL, NULL};
	rstar_buffer template;
	rstar_status st = read_text(job, "chat_template.jinja", &template);

	if (st == RSTAR_OK)
	{
		vocabulary.chat_template = template.data ? template.data : "";
		vocabulary.chat_template_length = template.length;
	}
	else if (st == RSTAR_ERR_NOT_FOUND)
		st = RSTAR_OK;
	if (st == RSTAR_OK)
		st = read_json(job, "tokenizer.json", false, 0, &parts[0]);
	if (st == RSTAR_OK)
		st = read_json(job, "tokenizer_config.json", true, JSON_DECODE_INT_AS_REAL, &parts[1]);
	if (st == RSTAR_OK)
		st = read_json(job, "generation_config.json", true, 0, &parts[2]);
	vocabulary.tokenizer = parts[0];
	vocabulary.tokenizer_config = parts[1];
	vocabulary.generation_config = parts[2];
	if (st == RSTAR_OK)
		st = rstar_import_write_vocabulary(&vocabulary, job->allocator, job->writer, job->err);
	for (int i = 0; i < 3; i++)
		json_decref(parts[i]);
	rstar_buffer_free(&template);
	return st;
}

/* --- all ------------------------------------------------------------------- */

static rstar_status
run(import *job, int fd)
{
	rstar_status st = read_json(job, "config.json", false, 0, &job->config_json);

	if (st == RSTAR_OK)
		st = rstar_import_read_config(job->config_json, &job->config, job->err);
	if (st == RSTAR_OK)
		st = open_weights(job);
	if (st == RSTAR_OK)
		st = rstar_gguf_writer_create(&job->writer, job->allocator, job->err);
	if (st == RSTAR_OK)
		st = add_tensors(job);
	if (st == RSTAR_OK)
	{
		add_keys(job);
		st = add_vocabulary(job);
	}
	if (st == RSTAR_OK)
		st = rstar_gguf_writer_finish(job->writer, fd, job->cancel, job->err);
	return st;
}

rstar_status
rstar_import(const char *directory, const rstar_import_options *options, int fd,
			 const rstar_allocator *allocator, const rstar_cancel *cancel, rstar_error *err)
{
	import *job = rstar_alloc_zero(allocator, sizeof *job);
	rstar_status st;

	if (!job)
		return rstar_error_memory(err, sizeof *job);
	job->options = options;
	job->allocator = allocator;
	job->cancel = cancel;
	job->err = err;
	job->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job->directory < 0)
		st = rstar_error_set(err, errno == ENOENT ? RSTAR_ERR_NOT_FOUND : RSTAR_ERR_IO,
							 "could not open directory \"%s\": %s", directory, strerror(errno));
	else
	{
		st = run(job, fd);
		close(job->directory);
	}
	rstar_gguf_writer_free(job->writer);
	for (size_t i = 0; i < job->n_shards; i++)
		rstar_safetensors_close(job->shards[i]);
	rstar_free(allocator, job->conversions);
	rstar_free(allocator, job->names);
	rstar_free(allocator, job->scratch);
	json_decref(job->config_json);
	rstar_free(allocator, job);
	return st;
}

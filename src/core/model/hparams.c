/*
 * hparams.c
 *	  The hyperparameters of a model, read from a GGUF file and checked.
 *
 * Reading goes through a small cursor that remembers the first error, so that
 * each key is one line; the checks on values are one list, shared with models
 * that are about to be created.
 */
#include "core/model/hparams.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct
{
	const char *name;
	rstar_rope_style rope_style;
} archs[] = {
	[RSTAR_ARCH_QWEN2] = {"qwen2", RSTAR_ROPE_NEOX},
	[RSTAR_ARCH_PHI3] = {"phi3", RSTAR_ROPE_NEOX},
	[RSTAR_ARCH_LLAMA] = {"llama", RSTAR_ROPE_NORM},
};

#define N_ARCHS (sizeof archs / sizeof archs[0])

const char *
rstar_arch_name(rstar_arch arch)
{
	return archs[arch].name;
}

bool
rstar_arch_by_name(const char *name, size_t length, rstar_arch *arch)
{
	for (size_t i = 0; i < N_ARCHS; i++)
		if (strlen(archs[i].name) == length && memcmp(archs[i].name, name, length) == 0)
		{
			*arch = (rstar_arch) i;
			return true;
		}
	return false;
}

/* --- reading keys ---------------------------------------------------------- */

typedef struct key_reader
{
	const rstar_gguf *gguf;
	const char *arch;
	rstar_error *err;
	rstar_status status;
	char key[128];
} key_reader;

static void
name_key(key_reader *reader, const char *suffix)
{
	snprintf(reader->key, sizeof reader->key, "%s.%s", reader->arch, suffix);
}

static bool
key_exists(const key_reader *reader)
{
	rstar_gguf_type type;
	size_t length = strlen(reader->key);

	for (uint64_t i = 0; i < rstar_gguf_n_keys(reader->gguf); i++)
	{
		rstar_string name = rstar_gguf_key(reader->gguf, i, &type);

		if (name.length == length && memcmp(name.data, reader->key, length) == 0)
			return true;
	}
	return false;
}

/* A key is not as it must be: absent, or of another type. */
static void
complain(key_reader *reader, const char *wanted)
{
	if (reader->status != RSTAR_OK)
		return;
	if (key_exists(reader))
		reader->status =
			rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
							"key \"%s\" of the model file is not %s", reader->key, wanted);
	else
		reader->status = rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
										 "model file has no key \"%s\"", reader->key);
}

/* The number at a key; several architectures store one per layer, all equal here. */
static bool
get_count(key_reader *reader, const char *suffix, uint32_t *value)
{
	uint64_t number;
	rstar_gguf_array array;

	name_key(reader, suffix);
	if (rstar_gguf_get_array(reader->gguf, reader->key, &array))
	{
		if (array.count == 0 || array.type == RSTAR_GGUF_STRING)
			return false;
		for (uint64_t i = 1; i < array.count; i++)
			if (rstar_gguf_array_i64(&array, i) != rstar_gguf_array_i64(&array, 0))
				return false;
		number = (uint64_t) rstar_gguf_array_i64(&array, 0);
	}
	else if (!rstar_gguf_get_u64(reader->gguf, reader->key, &number))
		return false;
	*value = number > UINT32_MAX ? UINT32_MAX : (uint32_t) number; /* beyond any bound */
	return true;
}

static void
need_count(key_reader *reader, const char *suffix, uint32_t *value)
{
	if (!get_count(reader, suffix, value))
		complain(reader, "a number that is the same in every layer");
}

/* As need_count, with a value for where the key is absent. */
static void
want_count(key_reader *reader, const char *suffix, uint32_t *value, uint32_t otherwise)
{
	if (get_count(reader, suffix, value))
		return;
	*value = otherwise;
	if (key_exists(reader))
		complain(reader, "a number that is the same in every layer");
}

static void
want_real(key_reader *reader, const char *suffix, float *value, float otherwise)
{
	double real;

	name_key(reader, suffix);
	*value = otherwise;
	if (rstar_gguf_get_f64(reader->gguf, reader->key, &real))
		*value = (float) real;
	else if (key_exists(reader))
		complain(reader, "a floating-point number");
}

/* --- the parts ------------------------------------------------------------- */

static rstar_status
read_arch(const rstar_gguf *gguf, rstar_hparams *hparams, rstar_error *err)
{
	rstar_string name;

	if (!rstar_gguf_get_string(gguf, "general.architecture", &name))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "model file has no key \"general.architecture\"");
	if (!rstar_arch_by_name(name.data, name.length, &hparams->arch))
	{
		char text[41];
		size_t length = name.length < 40 ? name.length : 40;

		for (size_t i = 0; i < length; i++)
			text[i] = name.data[i] >= 32 && name.data[i] < 127 ? name.data[i] : '?';
		text[length] = '\0';
		rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "model architecture \"%s\" is not supported",
						text);
		return rstar_error_hint(err, "Supported are qwen2, phi3 and llama.");
	}
	hparams->rope_style = archs[hparams->arch].rope_style;
	return RSTAR_OK;
}

/*
 * Positions beyond training: none, linear, or longrope, which has short factors
 * for contexts up to the original one and long ones beyond.
 */
static void
read_rope_scaling(key_reader *reader, rstar_hparams *hparams)
{
	rstar_string kind = {"none", 4};
	float factor = 1.0f;
	uint32_t original;
	bool named;

	name_key(reader, "rope.scaling.type");
	named = rstar_gguf_get_string(reader->gguf, reader->key, &kind);
	hparams->rope_scale = 1.0f;
	hparams->rope_magnitude = 1.0f;
	if (named && kind.length == 6 && memcmp(kind.data, "linear", 6) == 0)
	{
		want_real(reader, "rope.scaling.factor", &factor, 1.0f);
		hparams->rope_scale = 1.0f / factor;
	}
	else if (rstar_gguf_find_tensor(reader->gguf, RSTAR_ROPE_SHORT) ||
			 (named && kind.length == 8 && memcmp(kind.data, "longrope", 8) == 0))
	{
		want_real(reader, "rope.scaling.attn_factor", &hparams->rope_magnitude, 1.0f);
		need_count(reader, "rope.scaling.original_context_length", &original);
		if (reader->status == RSTAR_OK && original < hparams->n_context)
		{
			if (rstar_gguf_find_tensor(reader->gguf, RSTAR_ROPE_LONG))
				hparams->rope_original = original;
			else
				hparams->n_context = original;
		}
	}
	else if (!(kind.length == 4 && memcmp(kind.data, "none", 4) == 0))
	{
		if (reader->status == RSTAR_OK)
		{
			reader->status = rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
											 "rope scaling of kind \"%.*s\" is not supported",
											 kind.length < 20 ? (int) kind.length : 20, kind.data);
			rstar_error_hint(reader->err, "Supported are none, linear and longrope.");
		}
	}
}

static void
read_heads(key_reader *reader, rstar_hparams *hparams)
{
	uint32_t value_length;

	need_count(reader, "attention.head_count", &hparams->n_head);
	want_count(reader, "attention.head_count_kv", &hparams->n_head_kv, hparams->n_head);
	want_count(reader, "attention.key_length", &hparams->head_dim,
			   hparams->n_head > 0 ? hparams->n_embd / hparams->n_head : 0);
	want_count(reader, "attention.value_length", &value_length, hparams->head_dim);
	if (reader->status == RSTAR_OK && value_length != hparams->head_dim)
		reader->status =
			rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
							"keys and values of different lengths (%u and %u) are not supported",
							hparams->head_dim, value_length);
	want_count(reader, "attention.sliding_window", &hparams->sliding_window, 0);
	want_count(reader, "rope.dimension_count", &hparams->rope_dim, hparams->head_dim);
}

/* The embedding's rows, which a token list and a key must not contradict. */
static void
read_vocabulary(key_reader *reader, rstar_hparams *hparams)
{
	const rstar_gguf_tensor *embedding = rstar_gguf_find_tensor(reader->gguf, "token_embd.weight");
	rstar_gguf_array tokens;
	uint32_t size;

	if (reader->status != RSTAR_OK)
		return;
	if (!embedding)
	{
		reader->status = rstar_error_set(reader->err, RSTAR_ERR_CORRUPT,
										 "model file has no tensor \"token_embd.weight\"");
		return;
	}
	hparams->n_vocab = embedding->dims[1] > UINT32_MAX ? UINT32_MAX : (uint32_t) embedding->dims[1];
	want_count(reader, "vocab_size", &size, hparams->n_vocab);
	if (rstar_gguf_get_array(reader->gguf, "tokenizer.ggml.tokens", &tokens) &&
		tokens.count != hparams->n_vocab)
		size = tokens.count > UINT32_MAX ? UINT32_MAX : (uint32_t) tokens.count;
	if (reader->status == RSTAR_OK && size != hparams->n_vocab)
		reader->status = rstar_error_set(
			reader->err, RSTAR_ERR_CORRUPT,
			"vocabulary has %u tokens, but tensor \"token_embd.weight\" has %u rows", size,
			hparams->n_vocab);
}

rstar_status
rstar_hparams_read(const rstar_gguf *gguf, rstar_hparams *hparams, rstar_error *err)
{
	key_reader reader = {.gguf = gguf, .err = err, .status = RSTAR_OK};
	rstar_status st;
	uint32_t experts;

	memset(hparams, 0, sizeof *hparams);
	st = read_arch(gguf, hparams, err);
	if (st != RSTAR_OK)
		return st;
	reader.arch = archs[hparams->arch].name;
	need_count(&reader, "context_length", &hparams->n_context);
	need_count(&reader, "embedding_length", &hparams->n_embd);
	need_count(&reader, "block_count", &hparams->n_layer);
	need_count(&reader, "feed_forward_length", &hparams->n_ff);
	read_heads(&reader, hparams);
	want_real(&reader, "rope.freq_base", &hparams->rope_base, 10000.0f);
	name_key(&reader, "attention.layer_norm_rms_epsilon");
	if (!key_exists(&reader))
		complain(&reader, "a floating-point number");
	want_real(&reader, "attention.layer_norm_rms_epsilon", &hparams->norm_eps, 0.0f);
	read_rope_scaling(&reader, hparams);
	want_count(&reader, "expert_count", &experts, 0);
	if (reader.status == RSTAR_OK && experts > 0)
		reader.status =
			rstar_error_set(err, RSTAR_ERR_UNSUPPORTED, "mixtures of experts are not supported");
	read_vocabulary(&reader, hparams);
	if (reader.status != RSTAR_OK)
		return reader.status;
	return rstar_hparams_check(hparams, err);
}

/* --- checks ---------------------------------------------------------------- */

static rstar_status
check_bounds(const rstar_hparams *hparams, rstar_error *err)
{
	const struct
	{
		const char *what;
		uint32_t value;
		uint32_t least;
		uint32_t most;
	} bounds[] = {
		{"vocabulary size", hparams->n_vocab, 1, RSTAR_MAX_VOCAB},
		{"context length", hparams->n_context, 1, RSTAR_MAX_CONTEXT},
		{"embedding length", hparams->n_embd, 1, RSTAR_MAX_EMBD},
		{"number of layers", hparams->n_layer, 1, RSTAR_MAX_LAYERS},
		{"number of attention heads", hparams->n_head, 1, RSTAR_MAX_HEADS},
		{"number of key-value heads", hparams->n_head_kv, 1, RSTAR_MAX_HEADS},
		{"length of an attention head", hparams->head_dim, 2, RSTAR_MAX_HEAD_DIM},
		{"feed-forward length", hparams->n_ff, 1, RSTAR_MAX_FF},
		{"number of rotated dimensions", hparams->rope_dim, 2, RSTAR_MAX_HEAD_DIM},
	};

	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
		if (bounds[i].value < bounds[i].least || bounds[i].value > bounds[i].most)
			return rstar_error_set(err, RSTAR_ERR_LIMIT, "%s %u of the model is not in %u .. %u",
								   bounds[i].what, bounds[i].value, bounds[i].least,
								   bounds[i].most);
	return RSTAR_OK;
}

rstar_status
rstar_hparams_check(const rstar_hparams *hparams, rstar_error *err)
{
	rstar_status st = check_bounds(hparams, err);

	if (st != RSTAR_OK)
		return st;
	if (hparams->n_head % hparams->n_head_kv != 0)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "%u key-value heads of the model do not divide its %u heads",
							   hparams->n_head_kv, hparams->n_head);
	if (hparams->n_head * hparams->head_dim > RSTAR_MAX_EMBD)
		return rstar_error_set(err, RSTAR_ERR_LIMIT,
							   "%u attention heads of length %u are too many for this version",
							   hparams->n_head, hparams->head_dim);
	if (hparams->head_dim % 2 != 0 || hparams->rope_dim % 2 != 0 ||
		hparams->rope_dim > hparams->head_dim)
		return rstar_error_set(err, RSTAR_ERR_CORRUPT,
							   "%u of %u dimensions of a head cannot be rotated in pairs",
							   hparams->rope_dim, hparams->head_dim);

	/* the comparisons are false for NaN */
	if (!(hparams->rope_base >= 1.0f && hparams->rope_base <= 1e12f) ||
		!(hparams->rope_scale > 0.0f && hparams->rope_scale <= 1.0f) ||
		!(hparams->rope_magnitude > 0.0f && hparams->rope_magnitude <= 100.0f))
		return rstar_error_set(err, RSTAR_ERR_LIMIT,
							   "base %g, scale %g or magnitude %g of the rotation is out of range",
							   (double) hparams->rope_base, (double) hparams->rope_scale,
							   (double) hparams->rope_magnitude);
	if (!(hparams->norm_eps >= 0.0f && hparams->norm_eps <= 1.0f))
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "epsilon %g of the norms is not in 0 .. 1",
							   (double) hparams->norm_eps);
	return RSTAR_OK;
}

/* --- writing --------------------------------------------------------------- */

typedef struct key_writer
{
	rstar_gguf_writer *writer;
	const char *arch;
	char key[128];
} key_writer;

static const char *
written_key(key_writer *keys, const char *suffix)
{
	snprintf(keys->key, sizeof keys->key, "%s.%s", keys->arch, suffix);
	return keys->key;
}

static void
write_count(key_writer *keys, const char *suffix, uint32_t value)
{
	rstar_gguf_writer_u32(keys->writer, written_key(keys, suffix), value);
}

static void
write_real(key_writer *keys, const char *suffix, float value)
{
	rstar_gguf_writer_f32(keys->writer, written_key(keys, suffix), value);
}

void
rstar_hparams_write(const rstar_hparams *hparams, rstar_gguf_writer *writer)
{
	key_writer keys = {.writer = writer, .arch = archs[hparams->arch].name};

	rstar_gguf_writer_string(writer, "general.architecture", keys.arch, strlen(keys.arch));
	write_count(&keys, "vocab_size", hparams->n_vocab);
	write_count(&keys, "context_length", hparams->n_context);
	write_count(&keys, "embedding_length", hparams->n_embd);
	write_count(&keys, "block_count", hparams->n_layer);
	write_count(&keys, "feed_forward_length", hparams->n_ff);
	write_count(&keys, "attention.head_count", hparams->n_head);
	write_count(&keys, "attention.head_count_kv", hparams->n_head_kv);
	if (hparams->head_dim * hparams->n_head != hparams->n_embd)
	{
		write_count(&keys, "attention.key_length", hparams->head_dim);
		write_count(&keys, "attention.value_length", hparams->head_dim);
	}
	if (hparams->sliding_window > 0)
		write_count(&keys, "attention.sliding_window", hparams->sliding_window);
	write_real(&keys, "attention.layer_norm_rms_epsilon", hparams->norm_eps);
	write_count(&keys, "rope.dimension_count", hparams->rope_dim);
	write_real(&keys, "rope.freq_base", hparams->rope_base);
	if (hparams->rope_scale != 1.0f)
	{
		rstar_gguf_writer_string(writer, written_key(&keys, "rope.scaling.type"), "linear", 6);
		write_real(&keys, "rope.scaling.factor", 1.0f / hparams->rope_scale);
	}
}

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
	rstar_activation activation;
	bool scales_embedding;
	uint32_t global_period; /* of so many layers the last has no window; 0: none is an exception */
	uint32_t no_rope_period;
	float rope_base_local;
} archs[] = {
	[RSTAR_ARCH_QWEN2] = {"qwen2", RSTAR_ROPE_NEOX, RSTAR_SILU, false, 0, 0, 0.0f},
	[RSTAR_ARCH_PHI3] = {"phi3", RSTAR_ROPE_NEOX, RSTAR_SILU, false, 0, 0, 0.0f},
	[RSTAR_ARCH_LLAMA] = {"llama", RSTAR_ROPE_NORM, RSTAR_SILU, false, 0, 0, 0.0f},
	[RSTAR_ARCH_QWEN3] = {"qwen3", RSTAR_ROPE_NEOX, RSTAR_SILU, false, 0, 0, 0.0f},
	[RSTAR_ARCH_GEMMA3] = {"gemma3", RSTAR_ROPE_NEOX, RSTAR_GELU, true, 6, 0, 10000.0f},
	[RSTAR_ARCH_SMOLLM3] = {"smollm3", RSTAR_ROPE_NORM, RSTAR_SILU, false, 0, 4, 0.0f},
};

#define N_ARCHS (sizeof archs / sizeof archs[0])

const char *
rstar_arch_names(void)
{
	return "qwen2, phi3, llama, qwen3, gemma3 and smollm3";
}

static bool
is_last_of(uint32_t layer, uint32_t period)
{
	return period > 0 && (layer + 1) % period == 0;
}

/* Gemma 3's largest model divides by the width of a head as if heads shared the embedding. */
#define LAYERS_OF_GEMMA3_27B 62

void
rstar_hparams_set_traits(rstar_hparams *hparams)
{
	rstar_arch arch = hparams->arch;
	bool windows = archs[arch].global_period > 0 && hparams->sliding_window > 0;

	hparams->rope_style = archs[arch].rope_style;
	hparams->activation = archs[arch].activation;
	hparams->embd_scale = archs[arch].scales_embedding ? sqrtf((float) hparams->n_embd) : 0.0f;
	hparams->rope_base_local = windows ? archs[arch].rope_base_local : 0.0f;
	if (arch == RSTAR_ARCH_GEMMA3 && hparams->n_layer == LAYERS_OF_GEMMA3_27B &&
		hparams->n_head > 0)
		hparams->attention_scale = 1.0f / sqrtf((float) (hparams->n_embd / hparams->n_head));
	for (uint32_t i = 0; i < hparams->n_layer && i < RSTAR_MAX_LAYERS; i++)
	{
		bool global = windows && is_last_of(i, archs[arch].global_period);
		bool no_rope = is_last_of(i, archs[arch].no_rope_period);

		hparams->layer_flags[i] =
			(uint8_t) ((global ? RSTAR_LAYER_GLOBAL : 0) | (no_rope ? RSTAR_LAYER_NO_ROPE : 0));
	}
}

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
		return rstar_error_hint(err, "Supported are %s.", rstar_arch_names());
	}
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

/*
 * Which layers have a flag: a list of booleans, one for each layer, or (`period`)
 * the number of layers of which the last is an exception. Absent: as it stands.
 * The listed layers have the flag where the boolean is `value`.
 */
static void
read_layers(key_reader *reader, const char *suffix, bool value, unsigned flag,
			rstar_hparams *hparams)
{
	rstar_gguf_array array;
	uint64_t period = 0;
	bool listed;

	name_key(reader, suffix);
	listed = rstar_gguf_get_array(reader->gguf, reader->key, &array);
	if (!listed && !rstar_gguf_get_u64(reader->gguf, reader->key, &period))
		return;
	if (listed && (array.type == RSTAR_GGUF_STRING || array.count != hparams->n_layer))
	{
		complain(reader, "a list with a value for each layer");
		return;
	}
	for (uint32_t i = 0; i < hparams->n_layer && i < RSTAR_MAX_LAYERS; i++)
	{
		bool has = listed ? (rstar_gguf_array_i64(&array, i) != 0) == value
						  : period > 0 && (i + 1) % period == 0;

		hparams->layer_flags[i] = (uint8_t) ((hparams->layer_flags[i] & ~flag) | (has ? flag : 0));
	}
}

/* What few architectures have. The keys are llama.cpp's, but for "rope.layers", which is ours. */
static void
read_traits(key_reader *reader, rstar_hparams *hparams)
{
	float attention_cap;

	rstar_hparams_set_traits(hparams);
	want_real(reader, "attention.scale", &hparams->attention_scale, hparams->attention_scale);
	want_real(reader, "final_logit_softcapping", &hparams->logit_cap, 0.0f);
	want_real(reader, "rope.freq_base_swa", &hparams->rope_base_local, hparams->rope_base_local);
	want_real(reader, "attn_logit_softcapping", &attention_cap, 0.0f);
	if (reader->status == RSTAR_OK && attention_cap > 0.0f)
		reader->status = rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
										 "soft-capping of attention scores is not supported");
	if (hparams->sliding_window > 0)
		read_layers(reader, "attention.sliding_window_pattern", false, RSTAR_LAYER_GLOBAL, hparams);
	else
		hparams->rope_base_local = 0.0f;
	read_layers(reader, "rope.layers", false, RSTAR_LAYER_NO_ROPE, hparams);
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

/*
 * The reader keeps the first error and its later calls do nothing, so the keys are read in a
 * row without a look at each. An epsilon has no default worth guessing and must be there; a
 * base for the rotation has one. What came out is checked as a whole, as a file is not to be
 * trusted.
 */
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
	read_traits(&reader, hparams);
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

/*
 * Whatever sizes an allocation or divides is bounded first, and what is compared here relies
 * on it. Reading, importing and creating a model all end here, so the engine need not ask
 * again.
 */
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
	if (!(hparams->attention_scale >= 0.0f && hparams->attention_scale <= 1e3f) ||
		!(hparams->logit_cap >= 0.0f && hparams->logit_cap <= 1e6f) ||
		!(hparams->rope_base_local == 0.0f ||
		  (hparams->rope_base_local >= 1.0f && hparams->rope_base_local <= 1e12f)))
		return rstar_error_set(
			err, RSTAR_ERR_LIMIT,
			"attention scale %g, logit cap %g or local rope base %g is out of range",
			(double) hparams->attention_scale, (double) hparams->logit_cap,
			(double) hparams->rope_base_local);
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

/* A list of booleans, where it is not what the architecture's models have. */
static void
write_layers(key_writer *keys, const char *suffix, unsigned flag, const rstar_hparams *hparams,
			 const rstar_hparams *usual)
{
	uint8_t without[RSTAR_MAX_LAYERS];
	bool same = true;

	for (uint32_t i = 0; i < hparams->n_layer; i++)
	{
		without[i] = !(hparams->layer_flags[i] & flag);
		same = same && !((hparams->layer_flags[i] ^ usual->layer_flags[i]) & flag);
	}
	if (!same)
		rstar_gguf_writer_array(keys->writer, written_key(keys, suffix), RSTAR_GGUF_BOOL, without,
								hparams->n_layer);
}

static void
write_traits(key_writer *keys, const rstar_hparams *hparams)
{
	rstar_hparams usual = *hparams;

	usual.attention_scale = 0.0f;
	rstar_hparams_set_traits(&usual);
	if (hparams->attention_scale != usual.attention_scale)
		write_real(keys, "attention.scale", hparams->attention_scale);
	if (hparams->logit_cap > 0.0f)
		write_real(keys, "final_logit_softcapping", hparams->logit_cap);
	if (hparams->rope_base_local > 0.0f)
		write_real(keys, "rope.freq_base_swa", hparams->rope_base_local);
	write_layers(keys, "attention.sliding_window_pattern", RSTAR_LAYER_GLOBAL, hparams, &usual);
	write_layers(keys, "rope.layers", RSTAR_LAYER_NO_ROPE, hparams, &usual);
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
	write_traits(&keys, hparams);
	if (hparams->rope_scale != 1.0f)
	{
		rstar_gguf_writer_string(writer, written_key(&keys, "rope.scaling.type"), "linear", 6);
		write_real(&keys, "rope.scaling.factor", 1.0f / hparams->rope_scale);
	}
}

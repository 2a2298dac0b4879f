/*
 * import_config.c
 *	  Hyperparameters from a Hugging Face config.json.
 *
 * Where the transformers library renamed a setting over time both names are
 * taken: rope_scaling and rope_theta (until 4), rope_parameters (5); "su" and
 * "longrope".
 */
#include <math.h>
#include <string.h>

#include "core/model/import_parts.h"

typedef struct config_reader
{
	const json_t *config;
	rstar_error *err;
	rstar_status status;
} config_reader;

static void
fail(config_reader *reader, rstar_status status, const char *what, const char *key)
{
	if (reader->status == RSTAR_OK)
		reader->status =
			rstar_error_set(reader->err, status, "setting \"%s\" of config.json %s", key, what);
}

/* A setting that is absent or null gives `otherwise`; with -1 it must be there. */
static uint32_t
get_count(config_reader *reader, const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
	{
		if (otherwise < 0)
			fail(reader, RSTAR_ERR_CORRUPT, "is missing", key);
		return otherwise < 0 ? 0 : (uint32_t) otherwise;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > UINT32_MAX)
	{
		fail(reader, RSTAR_ERR_CORRUPT, "is not a count", key);
		return 0;
	}
	return (uint32_t) json_integer_value(value);
}

static double
get_real(config_reader *reader, const json_t *object, const char *key, double otherwise)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return otherwise;
	if (!json_is_number(value))
	{
		fail(reader, RSTAR_ERR_CORRUPT, "is not a number", key);
		return otherwise;
	}
	return json_number_value(value);
}

/* Types of models that are one of our architectures under another name. */
static const struct
{
	const char *type;
	rstar_arch arch;
} other_types[] = {
	{"gemma3_text", RSTAR_ARCH_GEMMA3},
	{"mistral", RSTAR_ARCH_LLAMA},
};

static rstar_status
read_arch(config_reader *reader, rstar_arch *arch)
{
	const char *type = json_string_value(json_object_get(reader->config, "model_type"));

	if (type && rstar_arch_by_name(type, strlen(type), arch))
		return RSTAR_OK;
	for (size_t i = 0; type && i < sizeof other_types / sizeof other_types[0]; i++)
		if (strcmp(other_types[i].type, type) == 0)
		{
			*arch = other_types[i].arch;
			return RSTAR_OK;
		}
	reader->status = rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
									 "model type \"%s\" of config.json is not supported",
									 type && strlen(type) < 100 ? type : "");
	return rstar_error_hint(reader->err, "Supported are %s.", rstar_arch_names());
}

static bool
is_on(const config_reader *reader, const char *key)
{
	return json_is_true(json_object_get(reader->config, key));
}

/* Settings that change what is computed, and that we know one value of only. */
static void
check_features(config_reader *reader, rstar_arch arch)
{
	bool gemma = arch == RSTAR_ARCH_GEMMA3;
	const char *key = gemma ? "hidden_activation" : "hidden_act";
	const char *activation = json_string_value(json_object_get(reader->config, key));
	const char *wanted = gemma ? "gelu_pytorch_tanh" : "silu";

	if (activation && strcmp(activation, wanted) != 0)
		fail(reader, RSTAR_ERR_UNSUPPORTED,
			 gemma ? "is not \"gelu_pytorch_tanh\"" : "is not \"silu\"", key);
	if (is_on(reader, "mlp_bias"))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported", "mlp_bias");
	if (is_on(reader, "attention_bias") && arch != RSTAR_ARCH_LLAMA && arch != RSTAR_ARCH_SMOLLM3)
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported", "attention_bias");
	if (is_on(reader, "use_sliding_window"))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported", "use_sliding_window");
	if (is_on(reader, "use_bidirectional_attention"))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported", "use_bidirectional_attention");
	if (json_is_number(json_object_get(reader->config, "attn_logit_softcapping")))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported", "attn_logit_softcapping");
	if (json_object_get(reader->config, "quantization_config"))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported: only plain weights are",
			 "quantization_config");
}

/* --- layers ------------------------------------------------------------------ */

/* Flag the layers whose entry of the list is `text` (or, a number, 0). */
static void
flag_listed(config_reader *reader, const json_t *list, const char *key, const char *text,
			unsigned flag, rstar_hparams *hparams)
{
	if (!json_is_array(list))
		return;
	if (json_array_size(list) < hparams->n_layer)
	{
		fail(reader, RSTAR_ERR_CORRUPT, "does not have an entry for each layer", key);
		return;
	}
	for (uint32_t i = 0; i < hparams->n_layer && i < RSTAR_MAX_LAYERS; i++)
	{
		const json_t *entry = json_array_get(list, i);
		const char *string = json_string_value(entry);
		bool has = string ? strcmp(string, text) == 0 : json_integer_value(entry) == 0;

		hparams->layer_flags[i] = (uint8_t) ((hparams->layer_flags[i] & ~flag) | (has ? flag : 0));
	}
}

static void
flag_periodic(uint32_t period, unsigned flag, rstar_hparams *hparams)
{
	for (uint32_t i = 0; i < hparams->n_layer && i < RSTAR_MAX_LAYERS; i++)
		hparams->layer_flags[i] = (uint8_t) ((hparams->layer_flags[i] & ~flag) |
											 (period > 0 && (i + 1) % period == 0 ? flag : 0));
}

/* What few architectures have. Older versions of the library gave periods, newer ones lists. */
static void
read_traits(config_reader *reader, rstar_hparams *hparams)
{
	const json_t *config = reader->config;
	double scalar;

	rstar_hparams_set_traits(hparams);
	if (hparams->arch == RSTAR_ARCH_GEMMA3)
	{
		scalar = get_real(reader, config, "query_pre_attn_scalar", 256.0);
		hparams->attention_scale = scalar > 0.0 ? (float) (1.0 / sqrt(scalar)) : 0.0f;
		hparams->logit_cap = (float) get_real(reader, config, "final_logit_softcapping", 0.0);
		flag_periodic(get_count(reader, config, "sliding_window_pattern",
								get_count(reader, config, "_sliding_window_pattern", 6)),
					  RSTAR_LAYER_GLOBAL, hparams);
		flag_listed(reader, json_object_get(config, "layer_types"), "layer_types", "full_attention",
					RSTAR_LAYER_GLOBAL, hparams);
	}
	if (hparams->arch == RSTAR_ARCH_SMOLLM3)
	{
		flag_periodic(get_count(reader, config, "no_rope_layer_interval", 4), RSTAR_LAYER_NO_ROPE,
					  hparams);
		flag_listed(reader, json_object_get(config, "no_rope_layers"), "no_rope_layers", "",
					RSTAR_LAYER_NO_ROPE, hparams);
	}
}

/* --- rotary positions ------------------------------------------------------ */

static void
read_factors(config_reader *reader, const json_t *rope, const char *key, uint32_t n, float *factors)
{
	const json_t *list = json_object_get(rope, key);

	if (json_array_size(list) != n)
	{
		fail(reader, RSTAR_ERR_CORRUPT, "does not have one factor for each pair of a head", key);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		double factor = json_number_value(json_array_get(list, i));

		factors[i] = (float) factor;
		if (!(factor > 0.0 && factor < 1e9))
			fail(reader, RSTAR_ERR_CORRUPT, "has a factor out of range", key);
	}
}

/* Longer contexts than trained: magnitude as the Phi-3 authors define it. */
static void
read_longrope(config_reader *reader, const json_t *rope, rstar_import_config *out)
{
	rstar_hparams *hparams = &out->hparams;
	double stretch;
	double magnitude = 1.0;

	out->original_context =
		get_count(reader, reader->config, "original_max_position_embeddings",
				  get_count(reader, rope, "original_max_position_embeddings", 0));
	if (out->original_context < 2)
	{
		fail(reader, RSTAR_ERR_CORRUPT, "is missing", "original_max_position_embeddings");
		return;
	}
	out->n_factors = hparams->rope_dim / 2;
	read_factors(reader, rope, "short_factor", out->n_factors, out->short_factors);
	read_factors(reader, rope, "long_factor", out->n_factors, out->long_factors);
	stretch = (double) hparams->n_context / (double) out->original_context;
	if (stretch > 1.0)
		magnitude = sqrt(1.0 + log(stretch) / log((double) out->original_context));
	hparams->rope_magnitude = (float) get_real(reader, rope, "attention_factor", magnitude);
}

/*
 * Llama 3.1: slow rotations are slowed down by `factor`, fast ones stay, those
 * between are blended.
 */
static void
read_llama3(config_reader *reader, const json_t *rope, rstar_import_config *out)
{
	const rstar_hparams *hparams = &out->hparams;
	double factor = get_real(reader, rope, "factor", 8.0);
	double low = get_real(reader, rope, "low_freq_factor", 1.0);
	double high = get_real(reader, rope, "high_freq_factor", 4.0);
	double original = (double) get_count(reader, rope, "original_max_position_embeddings", 8192);

	if (!(factor >= 1.0 && factor < 1e6) || !(low > 0.0 && high > low && high < 1e6) ||
		original < 2.0)
	{
		fail(reader, RSTAR_ERR_CORRUPT, "has factors out of range", "rope_scaling");
		return;
	}
	out->llama3 = true;
	out->n_factors = hparams->rope_dim / 2;
	for (uint32_t i = 0; i < out->n_factors; i++)
	{
		double exponent = 2.0 * (double) i / (double) hparams->rope_dim;
		double wavelength = 2.0 * M_PI * pow((double) hparams->rope_base, exponent);
		double turns = original / wavelength;
		double blend = (turns - low) / (high - low);

		if (blend <= 0.0)
			out->short_factors[i] = (float) factor;
		else if (blend >= 1.0)
			out->short_factors[i] = 1.0f;
		else
			out->short_factors[i] = (float) (1.0 / ((1.0 - blend) / factor + blend));
	}
}

/* Gemma 3's layers with a window rotate in their own way; returns the setting of the others. */
static const json_t *
read_local_rope(config_reader *reader, const json_t *rope, rstar_hparams *hparams)
{
	const json_t *local = json_object_get(rope, "sliding_attention");
	const json_t *global = json_object_get(rope, "full_attention");
	double base = get_real(reader, reader->config, "rope_local_base_freq", 10000.0);

	hparams->rope_base_local = (float) get_real(reader, local, "rope_theta", base);
	return json_is_object(global) ? global : rope;
}

/*
 * Newer files keep everything of the rotation in rope_parameters, older ones beside it and in
 * rope_scaling: the object's own value wins over that of the file. The check comes before the
 * scaling, whose factors are computed from dimensions that must be sound.
 */
static void
read_rope(config_reader *reader, rstar_import_config *out)
{
	rstar_hparams *hparams = &out->hparams;
	const json_t *rope = json_object_get(reader->config, "rope_parameters");
	const char *type;
	double part;
	double base;

	if (!json_is_object(rope))
		rope = json_object_get(reader->config, "rope_scaling");
	if (hparams->arch == RSTAR_ARCH_GEMMA3 && hparams->sliding_window > 0)
		rope = read_local_rope(reader, rope, hparams);
	base = get_real(reader, reader->config, "rope_theta",
					hparams->arch == RSTAR_ARCH_GEMMA3 ? 1e6 : 10000.0);
	hparams->rope_base = (float) get_real(reader, rope, "rope_theta", base);
	part = get_real(reader, reader->config, "partial_rotary_factor", 1.0);
	part = get_real(reader, rope, "partial_rotary_factor", part);
	if (!(part > 0.0 && part <= 1.0))
		fail(reader, RSTAR_ERR_CORRUPT, "is out of range", "partial_rotary_factor");
	else
		hparams->rope_dim = (uint32_t) ((double) hparams->head_dim * part);
	hparams->rope_scale = 1.0f;
	hparams->rope_magnitude = 1.0f;
	if (reader->status == RSTAR_OK)
		reader->status = rstar_hparams_check(hparams, reader->err);
	type = json_string_value(json_object_get(rope, "rope_type"));
	if (!type)
		type = json_string_value(json_object_get(rope, "type"));
	if (reader->status != RSTAR_OK || !type || strcmp(type, "default") == 0)
		return;
	if (strcmp(type, "linear") == 0)
		hparams->rope_scale = (float) (1.0 / get_real(reader, rope, "factor", 1.0));
	else if (strcmp(type, "llama3") == 0)
		read_llama3(reader, rope, out);
	else if (strcmp(type, "longrope") == 0 || strcmp(type, "su") == 0)
		read_longrope(reader, rope, out);
	else
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is of a kind that is not supported", "rope_scaling");
}

/* --- all ------------------------------------------------------------------- */

static void
read_shape(config_reader *reader, rstar_hparams *hparams)
{
	const json_t *config = reader->config;

	hparams->n_vocab = get_count(reader, config, "vocab_size", -1);
	hparams->n_context = get_count(reader, config, "max_position_embeddings", -1);
	hparams->n_embd = get_count(reader, config, "hidden_size", -1);
	hparams->n_layer = get_count(reader, config, "num_hidden_layers", -1);
	hparams->n_ff = get_count(reader, config, "intermediate_size", -1);
	hparams->n_head = get_count(reader, config, "num_attention_heads", -1);
	hparams->n_head_kv = get_count(reader, config, "num_key_value_heads", hparams->n_head);
	hparams->head_dim = get_count(reader, config, "head_dim",
								  hparams->n_head > 0 ? hparams->n_embd / hparams->n_head : 0);
	hparams->norm_eps = (float) get_real(reader, config, "rms_norm_eps", 1e-6);
	if (hparams->arch == RSTAR_ARCH_PHI3 || hparams->arch == RSTAR_ARCH_GEMMA3 ||
		hparams->arch == RSTAR_ARCH_LLAMA) /* Mistral's; other Llamas have no such setting */
		hparams->sliding_window = get_count(reader, config, "sliding_window", 0);
}

rstar_status
rstar_import_read_config(const json_t *config, rstar_import_config *out, rstar_error *err)
{
	config_reader reader = {config, err, RSTAR_OK};
	rstar_hparams *hparams = &out->hparams;
	const json_t *text = json_object_get(config, "text_config");
	const json_t *tied = json_object_get(config, "tie_word_embeddings");

	memset(out, 0, sizeof *out);
	if (read_arch(&reader, &hparams->arch) != RSTAR_OK)
		return reader.status;
	if (hparams->arch == RSTAR_ARCH_GEMMA3 && json_is_object(text))
		reader.config = text; /* the text model of one that also sees images */
	check_features(&reader, hparams->arch);
	read_shape(&reader, hparams);
	read_traits(&reader, hparams);
	out->tied = tied ? json_is_true(tied) : hparams->arch == RSTAR_ARCH_GEMMA3;
	read_rope(&reader, out);
	if (reader.status == RSTAR_OK)
		reader.status = rstar_hparams_check(hparams, err);
	return reader.status;
}

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

static rstar_status
read_arch(config_reader *reader, rstar_arch *arch)
{
	const char *type = json_string_value(json_object_get(reader->config, "model_type"));

	if (type && rstar_arch_by_name(type, strlen(type), arch))
		return RSTAR_OK;
	reader->status = rstar_error_set(reader->err, RSTAR_ERR_UNSUPPORTED,
									 "model type \"%s\" of config.json is not supported",
									 type && strlen(type) < 100 ? type : "");
	return rstar_error_hint(reader->err, "Supported are qwen2, phi3 and llama.");
}

/* Settings that change what is computed, and that we know one value of only. */
static void
check_features(config_reader *reader, rstar_arch arch)
{
	const char *activation = json_string_value(json_object_get(reader->config, "hidden_act"));

	if (activation && strcmp(activation, "silu") != 0)
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not \"silu\"", "hidden_act");
	if (json_is_true(json_object_get(reader->config, "mlp_bias")))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported", "mlp_bias");
	if (arch == RSTAR_ARCH_QWEN2 &&
		json_is_true(json_object_get(reader->config, "use_sliding_window")))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported for Qwen2", "use_sliding_window");
	if (json_object_get(reader->config, "quantization_config"))
		fail(reader, RSTAR_ERR_UNSUPPORTED, "is not supported: only plain weights are",
			 "quantization_config");
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
	base = get_real(reader, reader->config, "rope_theta", 10000.0);
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

rstar_status
rstar_import_read_config(const json_t *config, rstar_import_config *out, rstar_error *err)
{
	config_reader reader = {config, err, RSTAR_OK};
	rstar_hparams *hparams = &out->hparams;

	memset(out, 0, sizeof *out);
	if (read_arch(&reader, &hparams->arch) != RSTAR_OK)
		return reader.status;
	check_features(&reader, hparams->arch);
	hparams->rope_style = hparams->arch == RSTAR_ARCH_LLAMA ? RSTAR_ROPE_NORM : RSTAR_ROPE_NEOX;
	hparams->n_vocab = get_count(&reader, config, "vocab_size", -1);
	hparams->n_context = get_count(&reader, config, "max_position_embeddings", -1);
	hparams->n_embd = get_count(&reader, config, "hidden_size", -1);
	hparams->n_layer = get_count(&reader, config, "num_hidden_layers", -1);
	hparams->n_ff = get_count(&reader, config, "intermediate_size", -1);
	hparams->n_head = get_count(&reader, config, "num_attention_heads", -1);
	hparams->n_head_kv = get_count(&reader, config, "num_key_value_heads", hparams->n_head);
	hparams->head_dim = get_count(&reader, config, "head_dim",
								  hparams->n_head > 0 ? hparams->n_embd / hparams->n_head : 0);
	hparams->norm_eps = (float) get_real(&reader, config, "rms_norm_eps", 1e-6);
	if (hparams->arch == RSTAR_ARCH_PHI3)
		hparams->sliding_window = get_count(&reader, config, "sliding_window", 0);
	out->tied = json_is_true(json_object_get(config, "tie_word_embeddings"));
	read_rope(&reader, out);
	if (reader.status == RSTAR_OK)
		reader.status = rstar_hparams_check(hparams, err);
	return reader.status;
}

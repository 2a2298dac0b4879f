/*
 * settings.c
 *	  Settings of models, of what they compute with, and of generation.
 */
#include "postgres.h"

#include <limits.h>

#include "core/base/cpu.h"
#include "core/engine/kv.h"
#include "pg/base/settings.h"
#include "pg/models/settings.h"

rstar_model_settings_values rstar_pg_model_settings;

static const struct config_enum_entry kernel_choices[] = {{"auto", -1, false},
														  {"portable", RSTAR_CPU_PORTABLE, false},
														  {"avx2", RSTAR_CPU_AVX2, false},
														  {"avxvnni", RSTAR_CPU_AVXVNNI, false},
														  {"avx512", RSTAR_CPU_AVX512, false},
														  {"amx", RSTAR_CPU_AMX, false},
														  {NULL, 0, false}};

static const struct config_enum_entry kv_type_choices[] = {
	{"f32", RSTAR_KV_F32, false}, {"f16", RSTAR_KV_F16, false}, {NULL, 0, false}};

static bool
check_model_directory(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0')
	{
		GUC_check_errdetail("The directory of model files cannot be empty.");
		return false;
	}
	if (strlen(*newval) >= MAXPGPATH - 128)
	{
		GUC_check_errdetail("The path is too long.");
		return false;
	}
	return true;
}

static const rstar_option options[] = {
	/* models */
	{.setting = "rstar.model_directory",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_model_settings.model_directory,
	 .text = "rstar",
	 .context = PGC_POSTMASTER,
	 .flags = GUC_SUPERUSER_ONLY,
	 .check_text = check_model_directory,
	 .help = "Directory where model files live.",
	 .more =
		 "A relative path is taken from the data directory. Created at the first import, for the "
		 "server's user alone."},
	{.name = "model",
	 .setting = "rstar.policy",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_model_settings.policy,
	 .text = "",
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Name of the policy model, which proposes steps and generates text.",
	 .more = "Empty: the built-in policy."},
	{.name = "ppm",
	 .setting = "rstar.ppm",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_model_settings.ppm,
	 .text = "",
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Name of the process preference model, which scores steps.",
	 .more = "Empty: the built-in one."},
	/* resources */
	{.name = "threads",
	 .setting = "rstar.threads",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.threads,
	 .fallback = 0,
	 .min = 0,
	 .max = 256,
	 .limit = "rstar.max_threads",
	 .context = PGC_USERSET,
	 .help = "Threads that one session computes with.",
	 .more = "0: as many as there are cores. Results do not depend on it."},
	{.setting = "rstar.max_threads",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.max_threads,
	 .fallback = 64,
	 .min = 1,
	 .max = 256,
	 .context = PGC_SUSET,
	 .help = "Upper bound of rstar.threads."},
	{.name = "kv_cache",
	 .setting = "rstar.kv_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.kv_cache_mb,
	 .fallback = 256,
	 .min = 1,
	 .max = INT_MAX,
	 .limit = "rstar.max_kv_cache",
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MB,
	 .help =
		 "Memory for the keys and values of sequences in progress, for each model of a session.",
	 .more =
		 "When it is full, branches used least recently are dropped and computed again on demand."},
	{.setting = "rstar.max_kv_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.max_kv_cache_mb,
	 .fallback = 4096,
	 .min = 1,
	 .max = INT_MAX,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Upper bound of rstar.kv_cache."},
	{.setting = "rstar.prompt_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.prompt_cache,
	 .fallback = 1024,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Disk space for the computed beginnings of prompts, beside the models' files.",
	 .more = "Sessions share these files; the oldest make room for new ones. 0 uses none."},
	{.setting = "rstar.max_context",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.max_context,
	 .fallback = 4096,
	 .min = 16,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Longest sequence in tokens, prompt and answer together.",
	 .more = "A model's own context length bounds it too."},
	{.setting = "rstar.max_cached_models",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.max_cached_models,
	 .fallback = 4,
	 .min = 1,
	 .max = 64,
	 .context = PGC_USERSET,
	 .help = "Models that a session keeps open between calls.",
	 .more =
		 "The weights are shared with all other sessions; what is kept is their mapping and the "
		 "tokenizer's tables."},
	{.setting = "rstar.kernels",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_pg_model_settings.kernels,
	 .fallback = -1,
	 .choices = kernel_choices,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Family of processor instructions to compute with.",
	 .more =
		 "Within a family results are the same bit for bit, on any machine; between families they "
		 "differ by rounding. auto: the best that this processor has."},
	{.setting = "rstar.kv_type",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_pg_model_settings.kv_type,
	 .fallback = RSTAR_KV_F16,
	 .choices = kv_type_choices,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Precision of cached keys and values.",
	 .more = "f16 takes half the memory of f32."},
	/* generation */
	{.name = "max_tokens",
	 .setting = "rstar.max_tokens",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.max_tokens,
	 .fallback = 512,
	 .min = 1,
	 .max = 1048576,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Most tokens that one call generates.",
	 .more = "-1: the model's own default, else 512."},
	{.name = "temperature",
	 .setting = "rstar.temperature",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_pg_model_settings.temperature,
	 .fallback = 0,
	 .min = 0,
	 .max = 100,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Temperature of sampling; 0 always takes the likeliest token.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "top_k",
	 .setting = "rstar.top_k",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.top_k,
	 .fallback = 0,
	 .min = 0,
	 .max = 1048576,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Sample among this many likeliest tokens only; 0 means all.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "top_p",
	 .setting = "rstar.top_p",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_pg_model_settings.top_p,
	 .fallback = 1,
	 .min = 0,
	 .max = 1,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Sample among the likeliest tokens that together have this probability; 1 means all.",
	 .more = "-1: the model's own default, else 1."},
	{.name = "min_p",
	 .setting = "rstar.min_p",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_pg_model_settings.min_p,
	 .fallback = 0,
	 .min = 0,
	 .max = 1,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Sample only tokens at least this likely, relative to the likeliest; 0 means all.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "seed",
	 .setting = "rstar.seed",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_model_settings.seed,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Seed of the random numbers; equal seeds give equal results."},
};

void
rstar_pg_model_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}

int
rstar_pg_settings_threads(void)
{
	int threads = (int) rstar_pg_option_int("threads", false, 0, NULL);

	if (threads == 0)
		threads = rstar_cpu_count();
	return Min(threads, rstar_pg_model_settings.max_threads);
}

Size
rstar_pg_settings_kv_bytes(void)
{
	return (Size) rstar_pg_option_int("kv_cache", false, 0, NULL) * 1024 * 1024;
}

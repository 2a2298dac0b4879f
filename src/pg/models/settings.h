/*
 * settings.h
 *	  Settings of models, of what they compute with, and of generation.
 */
#ifndef RSTAR_PG_MODELS_SETTINGS_H
#define RSTAR_PG_MODELS_SETTINGS_H

#include "postgres.h"

/* The settings' values; -1 in those of generation: the model's own default. */
typedef struct rstar_model_settings_values
{
	char *model_directory;
	char *policy;
	char *ppm;
	int threads;
	int max_threads;
	int kv_cache_mb;
	int max_kv_cache_mb;
	int prompt_cache; /* MB */
	int max_context;
	int max_cached_models;
	int kernels; /* an rstar_cpu_family, or -1: the best */
	int kv_type; /* an rstar_kv_type */
	int max_tokens;
	double temperature;
	int top_k;
	double top_p;
	double min_p;
	int seed;
} rstar_model_settings_values;

extern rstar_model_settings_values rstar_pg_model_settings;

/* Threads for one call: `rstar.threads`, or the cores, within `rstar.max_threads`. */
extern int rstar_pg_settings_threads(void);

/* Bytes of KV cache for one call, within `rstar.max_kv_cache`. */
extern Size rstar_pg_settings_kv_bytes(void);

/* Define them; from _PG_init. */
extern void rstar_pg_model_settings_define(void);

#endif

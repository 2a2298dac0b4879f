/*
 * settings.h
 *	  Every option of rstar, defined once.
 *
 * The table in settings.c has one row per option: its name (the SQL argument
 * and the key in a model's `defaults`), its setting (GUC), type, range,
 * default and help. From it come the settings, the checks of arguments and of
 * json, and the order in which a value is found:
 *
 *		the caller's argument, if not NULL
 *		the setting, unless it stands at -1, "not set"   (rows with `inherit`)
 *		the model's own default (models.defaults)         (rows with `inherit`)
 *		the row's fallback
 *
 * To add an option: a field in rstar_settings, a row in the table, a line in
 * README.md. Limits, which only a superuser may raise, are rows with
 * PGC_SUSET; name them in the `limit` of the row that they bound.
 */
#ifndef RSTAR_PG_BASE_SETTINGS_H
#define RSTAR_PG_BASE_SETTINGS_H

#include "postgres.h"
#include "utils/guc.h"
#include "utils/jsonb.h"

/* The settings' values. Units: megabytes and milliseconds where named so. */
typedef struct rstar_settings_values
{
	/* models */
	char *model_directory;
	char *policy;
	char *ppm;

	/* resources */
	int threads;
	int max_threads;
	int kv_cache_mb;
	int max_kv_cache_mb;
	int max_context;
	int max_cached_models;
	int max_active_searches; /* 0: as many as there are cores */
	int total_kv_cache_mb;   /* of the whole server; 0: no limit */
	int total_sandbox_memory_mb;
	int kernels; /* an rstar_cpu_family, or -1: the best */
	int kv_type; /* an rstar_kv_type */

	/* generation; -1: the model's own default */
	int max_tokens;
	double temperature;
	int top_k;
	double top_p;
	double min_p;
	int seed;

	/* search; -1: the model's own default */
	int candidates;
	int rollouts;
	int max_rollouts;
	int max_depth;
	int step_tokens;
	int solution_tokens; /* 0: what the context allows */
	double search_temperature;
	double exploration;
	double unvisited_value;
	double value_scale;
	int max_code_errors;
	bool answer_exclusive;
	int method; /* an rstar_search_method */
	int beam_width;
	int trees;
	int top_n; /* 0: all */
	int side_by_side;
	bool use_known_answer;
	int search_nodes; /* 0: no limit, as for the next two */
	int search_tokens;
	int search_timeout_ms;
	int enough_correct; /* 0: never enough, as for the next one */
	int enough_first;
	bool verbose;

	/* training data; -1: the default of the model that made the tree */
	double pair_min_margin;
	int pair_min_edit;

	/* sandbox */
	char *sandbox_program;
	char *sandbox_modules;
	int sandbox_mode; /* an rstar_sandbox_mode */
	bool sandbox_namespaces;
	int sandbox_timeout_ms; /* wall clock, of one step */
	int sandbox_max_timeout_ms;
	int sandbox_cpu_timeout_ms;
	int sandbox_step_memory_mb;
	int sandbox_memory_mb; /* of a session's sandbox in all */
	int sandbox_output;    /* bytes */
	int sandbox_parallel;  /* 0: as many as there are cores */
	int sandbox_idle_timeout_s;
} rstar_settings_values;

/* rstar.sandbox_mode */
typedef enum rstar_sandbox_mode
{
	RSTAR_SANDBOX_MODE_AUTO,  /* keep states where the kernel can, else rebuild them */
	RSTAR_SANDBOX_MODE_REPLAY /* always rebuild them */
} rstar_sandbox_mode;

extern rstar_settings_values rstar_settings;

typedef enum rstar_option_type
{
	RSTAR_OPTION_BOOL,
	RSTAR_OPTION_INT,
	RSTAR_OPTION_REAL,
	RSTAR_OPTION_TEXT,
	RSTAR_OPTION_ENUM
} rstar_option_type;

typedef struct rstar_option
{
	const char *name;    /* SQL argument and json key; NULL: a setting only */
	const char *setting; /* GUC; NULL: an argument only */
	rstar_option_type type;
	union
	{
		bool *flag;
		int *integer; /* also of an enum */
		double *real;
		char **text;
	} variable;
	double fallback;    /* of a bool 0 or 1, of an enum its number */
	const char *text;   /* fallback of a text */
	double min, max;    /* of numbers */
	bool inherit;       /* the setting begins at -1, "not set" */
	const char *limit;  /* setting (an integer row) that bounds it, or NULL */
	GucContext context; /* PGC_POSTMASTER becomes PGC_SIGHUP without preloading */
	int flags;          /* GUC_UNIT_MB, GUC_EXPLAIN, ... */
	const char *help;   /* a sentence */
	const char *more;   /* further sentences, or NULL */
	const struct config_enum_entry *choices;
	GucStringCheckHook check_text;
	GucIntAssignHook assign_integer;
} rstar_option;

/* Define all settings; from _PG_init. */
extern void rstar_settings_define(void);

/* The rows, for reports; a row by name or by setting, NULL if there is none. */
extern const rstar_option *rstar_options(int *count);
extern const rstar_option *rstar_option_find(const char *name);

/*
 * The value of an option in force for one call: see the order above. `given`
 * says whether the caller's argument is not NULL; it is checked against the
 * row's range and limit (ERRCODE_INVALID_PARAMETER_VALUE,
 * ERRCODE_CONFIGURATION_LIMIT_EXCEEDED). A setting beyond its limit counts as the
 * limit. defaults may be NULL.
 */
extern int64 rstar_option_int(const char *name, bool given, int64 value, Jsonb *defaults);
extern double rstar_option_real(const char *name, bool given, double value, Jsonb *defaults);

/*
 * Check the defaults of a model: an object whose keys are options that may be
 * inherited, with values of their type and in their range; raises otherwise.
 */
extern void rstar_options_check_defaults(Jsonb *defaults);

/* Threads for one call: `rstar.threads`, or the cores, within `rstar.max_threads`. */
extern int rstar_settings_threads(void);

/* Bytes of KV cache for one call, within `rstar.max_kv_cache`. */
extern Size rstar_settings_kv_bytes(void);

/* Bytes of all processes of the session's sandbox. */
extern Size rstar_settings_sandbox_bytes(void);

#endif

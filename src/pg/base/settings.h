/*
 * settings.h
 *	  Every option of rstar, defined once.
 *
 * Each room (models, search, sandbox, ...) has a table in its settings.c with a
 * row per option: its name (the SQL argument and the key in a model's
 * `defaults`), its setting (GUC), type, range, default and help. From it come
 * the settings, the checks of arguments and of json, and the order in which a
 * value is found:
 *
 *		the caller's argument, if not NULL
 *		the setting, unless it stands at -1, "not set"   (rows with `inherit`)
 *		the model's own default (models.defaults)         (rows with `inherit`)
 *		the row's fallback
 *
 * To add an option: a field in the room's struct of values, a row in its table,
 * a line in README.md. Limits, which only a superuser may raise, are rows with
 * PGC_SUSET; name them in the `limit` of the row that they bound.
 */
#ifndef RSTAR_PG_BASE_SETTINGS_H
#define RSTAR_PG_BASE_SETTINGS_H

#include "postgres.h"
#include "utils/guc.h"
#include "utils/jsonb.h"

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
	const char *limit;  /* setting (an integer row) that bounds it, 0: not; or NULL */
	GucContext context; /* PGC_POSTMASTER becomes PGC_SIGHUP without preloading */
	int flags;          /* GUC_UNIT_MB, GUC_EXPLAIN, ... */
	const char *help;   /* a sentence */
	const char *more;   /* further sentences, or NULL */
	const struct config_enum_entry *choices;
	GucStringCheckHook check_text;
	GucIntAssignHook assign_integer;
} rstar_option;

/*
 * Define the settings of a room's table, which must last as long as the process;
 * from _PG_init, which reserves the prefix "rstar" behind the last of them.
 */
extern void rstar_pg_settings_define(const rstar_option *rows, int n);

/*
 * The settings that a session may change (PGC_USERSET), as an object of texts: what a background
 * worker needs to compute as this session would. set_all gives this session the values of such an
 * object, within the limits of its own; settings that do not exist any more are skipped.
 */
extern Jsonb *rstar_pg_settings_get_all(void);
extern void rstar_pg_settings_set_all(Jsonb *values);

/* A row by its name or its setting; NULL if there is none. */
extern const rstar_option *rstar_pg_option_find(const char *name);

/*
 * The value of an option in force for one call: see the order above. `given`
 * says whether the caller's argument is not NULL; it is checked against the
 * row's range and limit (ERRCODE_INVALID_PARAMETER_VALUE,
 * ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), and so is a setting that is not at its
 * default. Defaults are cut to the limit. defaults may be NULL.
 */
extern int64 rstar_pg_option_int(const char *name, bool given, int64 value, Jsonb *defaults);
extern double rstar_pg_option_real(const char *name, bool given, double value, Jsonb *defaults);

/*
 * Check the defaults of a model: an object whose keys are options that may be
 * inherited, with values of their type and in their range; raises otherwise.
 */
extern void rstar_pg_options_check_defaults(Jsonb *defaults);

#endif

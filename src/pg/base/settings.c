/*
 * settings.c
 *	  Options: the settings made from the rooms' tables, and how a call's values
 *	  are found.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "pg/base/compat.h"
#include "pg/base/json.h"
#include "pg/base/settings.h"

/* The tables of the rooms, as they were defined. */
#define MAX_TABLES 16

static struct
{
	const rstar_option *rows;
	int n;
} tables[MAX_TABLES];
static int n_tables;

static bool
is_named(const rstar_option *row, const char *name)
{
	return (row->name && strcmp(row->name, name) == 0) ||
		   (row->setting && strcmp(row->setting, name) == 0);
}

const rstar_option *
rstar_pg_option_find(const char *name)
{
	for (int t = 0; t < n_tables; t++)
		for (int i = 0; i < tables[t].n; i++)
			if (is_named(&tables[t].rows[i], name))
				return &tables[t].rows[i];
	return NULL;
}

/* --- settings ------------------------------------------------------------------- */

/*
 * A library that is loaded by a session cannot define a setting that is fixed
 * at server start; it then follows the configuration file instead.
 */
static GucContext
context_now(GucContext context)
{
	if (context == PGC_POSTMASTER && !process_shared_preload_libraries_in_progress)
		return PGC_SIGHUP;
	return context;
}

/*
 * A setting that inherits starts at -1, below its range, which stands for "not set": then the
 * model's own default counts. Its range must include -1 for that, so RESET and SET to -1 mean
 * the same.
 */
static void
define(const rstar_option *row)
{
	GucContext context = context_now(row->context);
	double boot = row->inherit ? -1 : row->fallback;
	double min = row->inherit ? -1 : row->min;

	switch (row->type)
	{
		case RSTAR_OPTION_BOOL:
			DefineCustomBoolVariable(row->setting, row->help, row->more, row->variable.flag,
									 row->fallback != 0, context, row->flags, NULL, NULL, NULL);
			break;
		case RSTAR_OPTION_INT:
			DefineCustomIntVariable(row->setting, row->help, row->more, row->variable.integer,
									(int) boot, (int) min, (int) row->max, context, row->flags,
									NULL, row->assign_integer, NULL);
			break;
		case RSTAR_OPTION_REAL:
			DefineCustomRealVariable(row->setting, row->help, row->more, row->variable.real, boot,
									 min, row->max, context, row->flags, NULL, NULL, NULL);
			break;
		case RSTAR_OPTION_TEXT:
			DefineCustomStringVariable(row->setting, row->help, row->more, row->variable.text,
									   row->text, context, row->flags, row->check_text, NULL, NULL);
			break;
		case RSTAR_OPTION_ENUM:
			DefineCustomEnumVariable(row->setting, row->help, row->more, row->variable.integer,
									 (int) row->fallback, row->choices, context, row->flags, NULL,
									 NULL, NULL);
			break;
	}
}

void
rstar_pg_settings_define(const rstar_option *rows, int n)
{
	if (n_tables == MAX_TABLES)
		elog(ERROR, "too many tables of settings");
	tables[n_tables].rows = rows;
	tables[n_tables++].n = n;
	for (int i = 0; i < n; i++)
		if (rows[i].setting)
			define(&rows[i]);
}

static void
add_setting(StringInfo json, const rstar_option *row)
{
	const char *value;

	if (!row->setting || row->context != PGC_USERSET)
		return;
	value = GetConfigOption(row->setting, true, false);
	if (!value)
		return;
	appendStringInfoString(json, json->len > 1 ? ", " : "");
	escape_json(json, row->setting);
	appendStringInfoString(json, ": ");
	escape_json(json, value);
}

Jsonb *
rstar_pg_settings_get_all(void)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int t = 0; t < n_tables; t++)
		for (int i = 0; i < tables[t].n; i++)
			add_setting(&json, &tables[t].rows[i]);
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

void
rstar_pg_settings_set_all(Jsonb *values)
{
	for (int t = 0; t < n_tables; t++)
		for (int i = 0; i < tables[t].n; i++)
		{
			const rstar_option *row = &tables[t].rows[i];
			char *value = row->setting && row->context == PGC_USERSET
							  ? rstar_pg_json_text(&values->root, row->setting)
							  : NULL;

			if (value)
				SetConfigOption(row->setting, value, PGC_USERSET, PGC_S_SESSION);
		}
}

/* --- values for one call -------------------------------------------------------- */

static const rstar_option *
must_find(const char *name)
{
	const rstar_option *row = rstar_pg_option_find(name);

	if (!row)
		elog(ERROR, "rstar has no option \"%s\"", name);
	return row;
}

/* A number without a tail of zeros, for messages. */
static char *
number_text(double value)
{
	return psprintf("%.15g", value);
}

static void
check_range(const rstar_option *row, double value)
{
	if (value >= row->min && value <= row->max && !isnan(value))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is outside the valid range for option \"%s\" (%s .. %s)",
					number_text(value), row->name, number_text(row->min), number_text(row->max))));
}

/* The bound that a superuser has set for this row (0: none), or its own maximum. */
static double
limit_of(const rstar_option *row)
{
	double limit = row->limit ? *must_find(row->limit)->variable.integer : 0;

	return limit > 0 ? limit : row->max;
}

/* name: as the user gave the value, an argument or a setting. */
static void
check_limit(const rstar_option *row, const char *name, double value)
{
	if (value <= limit_of(row))
		return;
	ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					errmsg("%s \"%s\" exceeds the limit of %s",
						   name == row->setting ? "setting" : "option", name,
						   GetConfigOptionByName(row->limit, NULL, false)),
					errhint("A superuser can raise the setting \"%s\".", row->limit)));
}

static double
setting_value(const rstar_option *row)
{
	if (!row->setting)
		return row->inherit ? -1 : row->fallback;
	return row->type == RSTAR_OPTION_REAL ? *row->variable.real : *row->variable.integer;
}

/*
 * The check is made here and not when the setting is set: it may have been set before the library
 * was loaded, or the limit lowered since. A default that nobody chose is cut to the limit.
 */
static double
value_in_force(const rstar_option *row, Jsonb *defaults)
{
	double value = setting_value(row);

	if (value != (row->inherit ? -1 : row->fallback))
	{
		check_limit(row, row->setting, value);
		return value;
	}
	if (row->inherit && !(defaults && rstar_pg_json_number(&defaults->root, row->name, &value) &&
						  value >= row->min && value <= row->max))
		value = row->fallback;
	return Min(value, limit_of(row));
}

int64
rstar_pg_option_int(const char *name, bool given, int64 value, Jsonb *defaults)
{
	const rstar_option *row = must_find(name);

	Assert(row->type == RSTAR_OPTION_INT);
	if (!given)
		return (int64) value_in_force(row, defaults);
	check_range(row, (double) value);
	check_limit(row, row->name, (double) value);
	return value;
}

double
rstar_pg_option_real(const char *name, bool given, double value, Jsonb *defaults)
{
	const rstar_option *row = must_find(name);

	Assert(row->type == RSTAR_OPTION_REAL);
	if (!given)
		return value_in_force(row, defaults);
	check_range(row, value);
	return value;
}

static void
check_default(const char *key, const JsonbValue *value)
{
	const rstar_option *row = rstar_pg_option_find(key);
	double number;

	if (!row || !row->name || strcmp(row->name, key) != 0 || !row->inherit)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model's defaults cannot set \"%s\"", key)));
	if (value->type != jbvNumeric)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" in a model's defaults must be a number", key)));
	number = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	check_range(row, number);
	if (row->type == RSTAR_OPTION_INT && number != floor(number))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" in a model's defaults must be a whole number", key)));
}

void
rstar_pg_options_check_defaults(Jsonb *defaults)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	char *key = NULL;

	if (!JB_ROOT_IS_OBJECT(defaults))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model's defaults must be a json object")));
	iterator = JsonbIteratorInit(&defaults->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			check_default(key, &value);
	}
}

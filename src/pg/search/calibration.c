/*
 * calibration.c
 *	  A model's calibration as jsonb.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "pg/base/json.h"
#include "pg/search/calibration.h"

/* --- writing -------------------------------------------------------------------------- */

static void
append_real(StringInfo json, double value)
{
	appendStringInfoString(json, float8out_internal(isfinite(value) ? value : 0));
}

Jsonb *
rstar_pg_calibration_to_jsonb(const rstar_calibration *calibration, const rstar_reliability *r)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"weights\": [");
	for (int i = 0; i < RSTAR_N_FEATURES; i++)
	{
		appendStringInfoString(&json, i > 0 ? ", " : "");
		append_real(&json, calibration->weights[i]);
	}
	appendStringInfo(&json, "], \"problems\": %u, \"answered\": %u, \"right\": %u, \"error\": ",
					 r->problems, r->answered, r->right);
	append_real(&json, r->error);
	appendStringInfoString(&json, ", \"bins\": [");
	for (int i = 0; i < RSTAR_RELIABILITY_BINS; i++)
	{
		appendStringInfo(&json, "%s[%u, %u, ", i > 0 ? ", " : "", r->bins[i].n, r->bins[i].right);
		append_real(&json, r->bins[i].confidence);
		appendStringInfoChar(&json, ']');
	}
	appendStringInfoString(&json, "], \"levels\": [");
	for (int i = 0; i < RSTAR_RELIABILITY_LEVELS; i++)
		appendStringInfo(&json, "%s[%u, %u]", i > 0 ? ", " : "", r->levels[i].given,
						 r->levels[i].wrong);
	appendStringInfoString(&json, "]}");
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

/* --- reading -------------------------------------------------------------------------- */

static void corrupt(const char *member) __attribute__((noreturn));

static void
corrupt(const char *member)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("the calibration of the model lacks \"%s\", or it is of the wrong type",
						   member),
					errhint("rstar_calibrate() makes it anew.")));
}

/* The array of that name with least to most elements. */
static JsonbContainer *
array_between(JsonbContainer *object, const char *member, uint32 least, uint32 most)
{
	JsonbValue *value = rstar_pg_json_member(object, member);

	if (!value || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) < least ||
		JsonContainerSize(value->val.binary.data) > most)
		corrupt(member);
	return value->val.binary.data;
}

static JsonbContainer *
array_of(JsonbContainer *object, const char *member, uint32 n)
{
	return array_between(object, member, n, n);
}

static double
number_in(JsonbContainer *array, uint32 i, const char *member)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);
	double number;

	if (!value || value->type != jbvNumeric)
		corrupt(member);
	number = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!isfinite(number))
		corrupt(member);
	return number;
}

static uint32
count_in(JsonbContainer *array, uint32 i, const char *member)
{
	double number = number_in(array, i, member);

	if (number < 0 || number > PG_INT32_MAX)
		corrupt(member);
	return (uint32) number;
}

static uint32
count_of(JsonbContainer *object, const char *member)
{
	double number;

	if (!rstar_pg_json_number(object, member, &number) || !(number >= 0 && number <= PG_INT32_MAX))
		corrupt(member);
	return (uint32) number;
}

/* Element i of an array of arrays with n elements each. */
static JsonbContainer *
row_in(JsonbContainer *array, uint32 i, uint32 n, const char *member)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (!value || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) != n)
		corrupt(member);
	return value->val.binary.data;
}

void
rstar_pg_calibration_from_jsonb(Jsonb *object, rstar_calibration *calibration)
{
	JsonbContainer *weights;

	*calibration = (rstar_calibration){0};
	if (!object)
		return;
	/* One that was fitted before there were all features does without the new ones. */
	weights = array_between(&object->root, "weights", 1, RSTAR_N_FEATURES);
	calibration->fitted = true;
	for (uint32 i = 0; i < JsonContainerSize(weights); i++)
		calibration->weights[i] = number_in(weights, i, "weights");
}

void
rstar_pg_reliability_from_jsonb(Jsonb *object, rstar_reliability *r)
{
	JsonbContainer *root = &object->root;
	JsonbContainer *bins = array_of(root, "bins", RSTAR_RELIABILITY_BINS);
	JsonbContainer *levels = array_of(root, "levels", RSTAR_RELIABILITY_LEVELS);

	*r = (rstar_reliability){.problems = count_of(root, "problems"),
							 .answered = count_of(root, "answered"),
							 .right = count_of(root, "right")};
	if (!rstar_pg_json_number(root, "error", &r->error))
		corrupt("error");
	for (uint32 i = 0; i < RSTAR_RELIABILITY_BINS; i++)
	{
		JsonbContainer *row = row_in(bins, i, 3, "bins");

		r->bins[i].n = count_in(row, 0, "bins");
		r->bins[i].right = count_in(row, 1, "bins");
		r->bins[i].confidence = number_in(row, 2, "bins");
	}
	for (uint32 i = 0; i < RSTAR_RELIABILITY_LEVELS; i++)
	{
		JsonbContainer *row = row_in(levels, i, 2, "levels");

		r->levels[i].least = (double) i / (RSTAR_RELIABILITY_LEVELS - 1);
		r->levels[i].given = count_in(row, 0, "levels");
		r->levels[i].wrong = count_in(row, 1, "levels");
	}
}

/*
 * json.c
 *	  Members of json objects.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "pg/base/json.h"

Jsonb *
rstar_pg_json_empty(void)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

JsonbValue *
rstar_pg_json_member(JsonbContainer *object, const char *name)
{
	JsonbValue key = {.type = jbvString};

	if (!JsonContainerIsObject(object) || JsonContainerSize(object) == 0)
		return NULL;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = (int) strlen(name);
	return findJsonbValueFromContainer(object, JB_FOBJECT, &key);
}

char *
rstar_pg_json_text(JsonbContainer *object, const char *name)
{
	JsonbValue *value = rstar_pg_json_member(object, name);

	return value && value->type == jbvString
			   ? pnstrdup(value->val.string.val, value->val.string.len)
			   : NULL;
}

bool
rstar_pg_json_number(JsonbContainer *object, const char *name, double *value)
{
	JsonbValue *member = rstar_pg_json_member(object, name);

	if (!member || member->type != jbvNumeric)
		return false;
	*value = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(member->val.numeric)));
	return true;
}

/*
 * remote_sql.c
 *	  rstar_model_remote: registering a model on another server.
 *
 * The server is not asked anything: it may be started later.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "core/base/sha256.h"
#include "core/step/family.h"
#include "core/step/prompt.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/settings.h"
#include "pg/models/remote.h"
#include "pg/models/remote_key.h"

PG_FUNCTION_INFO_V1(rstar_model_remote);

/*
 * Options for a model that learns the format from its prompt and of which a graphics processor writes many
 * candidates as fast as one.
 */
#define REMOTE_DEFAULTS                                                                            \
	"{\"candidates\": 8, \"rollouts\": 8, \"max_depth\": 16, \"step_tokens\": 512, "               \
	"\"solution_tokens\": 2048, \"search_temperature\": 0.7, \"temperature\": 0.7, \"top_p\": "    \
	"0.95}"

#define LONGEST_NAME 500 /* of the server for the model */

/* --- arguments ---------------------------------------------------------------------------------- */

static rstar_remote_api
read_api(const char *name, bool policy)
{
	rstar_remote_api api = policy ? RSTAR_REMOTE_COMPLETIONS : RSTAR_REMOTE_POOLING;

	if (name && !rstar_remote_api_by_name(name, &api))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown api \"%s\"", name),
			 errhint("A policy is asked by \"completions\" or \"chat\", a PPM by \"pooling\" or "
					 "\"score\".")));
	if ((api < RSTAR_REMOTE_POOLING) != policy)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a %s is not asked by \"%s\"", policy ? "policy" : "PPM",
					rstar_remote_api_name(api)),
			 errhint("A policy is asked by \"completions\" or \"chat\", a PPM by \"pooling\" or "
					 "\"score\".")));
	return api;
}

static bool
is_policy(const char *role)
{
	if (strcmp(role, RSTAR_ROLE_POLICY) != 0 && strcmp(role, RSTAR_ROLE_PPM) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid role of a model on another server: \"%s\"", role),
						errhint("Roles are \"policy\" and \"ppm\".")));
	return strcmp(role, RSTAR_ROLE_POLICY) == 0;
}

/* --- what the row says ----------------------------------------------------------------------------- */

/* Without a template: one that shows the format, without the markup of any family of models. */
static char *
usual_template(rstar_remote_api api)
{
	const char *family = api == RSTAR_REMOTE_CHAT ? "chat" : "base";
	rstar_buffer template;
	rstar_error err;
	rstar_status status;
	char *text = NULL;

	rstar_buffer_init(&template, &rstar_allocator_malloc);
	status = rstar_family_template(family, -1, &template, &err);
	if (status == RSTAR_OK)
		text = pnstrdup(template.data, template.length);
	rstar_buffer_free(&template);
	rstar_check(status, &err);
	return text;
}

static void
check_template(const char *template)
{
	rstar_prompt_template parsed;
	rstar_error err;

	rstar_check(rstar_prompt_template_parse(template, strlen(template), &parsed, &err), &err);
}

static void
append_member(StringInfo json, const char *key, const char *value)
{
	if (!value)
		return;
	appendStringInfo(json, "%s\"%s\": ", json->len > 1 ? ", " : "", key);
	escape_json(json, value);
}

/* What stands in for a file's checksum: trees and jobs tell by it whether a model is still the same. */
static char *
checksum_of(const char *remote, const char *template)
{
	uint8_t digest[RSTAR_SHA256_SIZE];
	char *text = palloc(2 * sizeof digest + 1);
	rstar_sha256 hash;

	rstar_sha256_init(&hash);
	rstar_sha256_update(&hash, remote, strlen(remote) + 1);
	rstar_sha256_update(&hash, template ? template : "", template ? strlen(template) : 0);
	rstar_sha256_finish(&hash, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static void
describe(rstar_model_row *row, const rstar_remote_facts *facts)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_member(&json, "url", facts->url);
	append_member(&json, "model", facts->model);
	append_member(&json, "api", rstar_remote_api_name(facts->api));
	append_member(&json, "server", facts->server);
	appendStringInfoChar(&json, '}');
	row->remote = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
	row->sha256 = checksum_of(json.data, row->prompt_template);
}

/* --- the function -------------------------------------------------------------------------------------- */

static void
read_facts(FunctionCallInfo fcinfo, rstar_model_row *row, rstar_remote_facts *facts)
{
	char *url;
	rstar_error err;

	row->name = rstar_required_text(fcinfo, 0, "name");
	rstar_pg_model_check_name(row->name);
	url = rstar_required_text(fcinfo, 1, "url");
	row->role = PG_ARGISNULL(2) ? RSTAR_ROLE_POLICY : text_to_cstring(PG_GETARG_TEXT_PP(2));
	facts->model = PG_ARGISNULL(3) ? row->name : text_to_cstring(PG_GETARG_TEXT_PP(3));
	facts->api = read_api(rstar_optional_text(fcinfo, 4), is_policy(row->role));
	row->prompt_template = rstar_optional_text(fcinfo, 5);
	facts->server = rstar_optional_text(fcinfo, 6);
	row->defaults = PG_ARGISNULL(7) ? NULL : PG_GETARG_JSONB_P(7);
	if (facts->model[0] == '\0' || strlen(facts->model) > LONGEST_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the server's name of a model has between 1 and %d bytes", LONGEST_NAME)));
	rstar_check(rstar_address_parse(url, strlen(url), &facts->address, &err), &err);
	facts->url = rstar_pg_remote_address_text(&facts->address);
}

/*
 * rstar_model_remote(name, url, role, model, api, prompt_template, server, defaults) returns bigint
 */
Datum
rstar_model_remote(PG_FUNCTION_ARGS)
{
	rstar_model_row row = {0};
	rstar_remote_facts facts = {0};

	PreventCommandIfReadOnly("rstar_model_remote()");
	read_facts(fcinfo, &row, &facts);
	if (row.prompt_template)
		check_template(row.prompt_template);
	if (row.defaults)
		rstar_pg_options_check_defaults(row.defaults);
	rstar_pg_remote_check_host(&facts.address);
	if (facts.server)
		rstar_pg_remote_check_server(facts.server, &facts.address);
	if (facts.api < RSTAR_REMOTE_POOLING && !row.prompt_template)
	{
		row.prompt_template = usual_template(facts.api);
		if (!row.defaults)
			row.defaults =
				DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(REMOTE_DEFAULTS)));
	}
	describe(&row, &facts);
	PG_RETURN_INT64(rstar_pg_model_insert(&row));
}

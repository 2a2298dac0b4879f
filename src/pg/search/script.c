/*
 * script.c
 *	  A script in the place of the models, for tests of the search itself.
 */
#include "postgres.h"

#include "pg/base/json.h"
#include "pg/sandbox/session.h"
#include "pg/search/script.h"

typedef struct script_line
{
	uint32 n;
	rstar_scripted *candidates;
} script_line;

typedef struct script
{
	uint32 n;
	script_line *lines;
} script;

static void
malformed(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("malformed script"),
					errdetail("%s", what)));
}

static rstar_node_status
status_of(const char *name)
{
	for (int i = RSTAR_NODE_OK; i < RSTAR_N_NODE_STATUSES; i++)
		if (strcmp(name, rstar_node_status_name((rstar_node_status) i)) == 0)
			return (rstar_node_status) i;
	malformed("A status is none of those of nodes.");
	return RSTAR_NODE_OK;
}

static rstar_scripted
read_candidate(JsonbContainer *object)
{
	rstar_scripted result = {.tokens = 1};
	char *text = rstar_pg_json_text(object, "text");
	JsonbValue *status = rstar_pg_json_member(object, "status");

	if (!text)
		malformed("A candidate has no text.");
	result.text = (rstar_string){text, strlen(text)};
	rstar_pg_check_solution_bytes(result.text.length);
	(void) rstar_pg_json_number(object, "score", &result.score);
	if (status)
	{
		char *name = rstar_pg_json_text(object, "status");

		result.judged = true;
		result.status = status_of(name ? name : "");
	}
	return result;
}

static script_line
read_line(JsonbContainer *array)
{
	script_line line;

	if (!JsonContainerIsArray(array))
		malformed("An element is no array.");
	line.n = JsonContainerSize(array);
	line.candidates = palloc(line.n * sizeof *line.candidates);
	for (uint32 i = 0; i < line.n; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (!value || value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			malformed("A candidate is no object.");
		line.candidates[i] = read_candidate(value->val.binary.data);
	}
	return line;
}

static bool
scripted_candidate(void *arg, uint32_t problem, uint32_t node, uint32_t number, rstar_scripted *out)
{
	const script *s = arg;
	const script_line *line = &s->lines[node % s->n];

	(void) problem;
	if (number >= line->n)
		return false;
	*out = line->candidates[number];
	return true;
}

void
rstar_pg_search_script_open(Jsonb *json, bool ppm, rstar_search_setup *setup,
							rstar_search_parts *parts)
{
	script *s = palloc(sizeof *s);
	uint32 most = 1;

	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json) || JB_ROOT_COUNT(json) == 0)
		malformed("It is no array, or empty.");
	s->n = JB_ROOT_COUNT(json);
	s->lines = palloc(s->n * sizeof *s->lines);
	for (uint32 i = 0; i < s->n; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&json->root, i);

		if (!value || value->type != jbvBinary)
			malformed("An element is no array.");
		s->lines[i] = read_line(value->val.binary.data);
		most = Max(most, s->lines[i].n);
	}
	rstar_pg_search_setup_of_settings(ppm, setup);
	setup->options.candidates = setup->options.candidates_below = most;
	parts->script.candidate = scripted_candidate;
	parts->script.arg = s;
	parts->sandbox = rstar_pg_session_sandbox();
}

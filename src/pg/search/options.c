/*
 * options.c
 *	  What a search is told: from arguments and settings, and as jsonb.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/json.h"

#include "core/base/cpu.h"
#include "pg/base/arguments.h"
#include "pg/models/compute.h"
#include "pg/base/json.h"
#include "pg/sandbox/session.h"
#include "pg/search/options.h"
#include "pg/base/settings.h"
#include "pg/search/settings.h"
#include "pg/models/remote_settings.h"
#include "pg/models/settings.h"

const struct config_enum_entry rstar_pg_search_methods[] = {
	{"mcts", RSTAR_METHOD_MCTS, false},         {"beam", RSTAR_METHOD_BEAM, false},
	{"majority", RSTAR_METHOD_MAJORITY, false}, {"best_of_n", RSTAR_METHOD_BEST_OF_N, false},
	{"greedy", RSTAR_METHOD_GREEDY, false},     {NULL, 0, false}};

const char *
rstar_pg_search_method_name(rstar_search_method method)
{
	return rstar_pg_search_methods[method].name;
}

static rstar_search_method
method_of(const char *name)
{
	for (const struct config_enum_entry *method = rstar_pg_search_methods; method->name; method++)
		if (strcmp(name, method->name) == 0)
			return (rstar_search_method) method->val;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" is no method of search", name),
					errhint("The methods are mcts, beam, majority, best_of_n and greedy.")));
}

/* --- arguments and settings ------------------------------------------------------- */

void
rstar_pg_search_arguments_read(FunctionCallInfo fcinfo, int first, rstar_search_arguments *a)
{
	a->model = PG_ARGISNULL(first) ? NULL : PG_GETARG_TEXT_PP(first);
	a->ppm = PG_ARGISNULL(first + 1) ? NULL : PG_GETARG_TEXT_PP(first + 1);
	a->method = PG_ARGISNULL(first + 2) ? NULL : PG_GETARG_TEXT_PP(first + 2);
	a->candidates = rstar_optional_integer(fcinfo, first + 3);
	a->rollouts = rstar_optional_integer(fcinfo, first + 4);
	a->max_depth = rstar_optional_integer(fcinfo, first + 5);
	a->temperature = rstar_optional_float8(fcinfo, first + 6);
	a->seed = rstar_optional_bigint(fcinfo, first + 7);
}

static uint32
given_option(const char *name, rstar_optional_int argument, Jsonb *defaults)
{
	return (uint32) rstar_pg_option_int(name, argument.given, argument.value, defaults);
}

static uint32
set_option(const char *name, Jsonb *defaults)
{
	return (uint32) rstar_pg_option_int(name, false, 0, defaults);
}

/* The superuser's cap on a search's time; 0 in either: no limit. */
static void
bound_seconds(double *seconds)
{
	double most = rstar_pg_search_settings.max_search_timeout_ms / 1000.0;

	if (most > 0 && (*seconds <= 0 || *seconds > most))
		*seconds = most;
}

static void
make_sampling(const rstar_search_arguments *a, Jsonb *defaults, rstar_sampling *sampling)
{
	sampling->temperature = (float) rstar_pg_option_real("search_temperature", a->temperature.given,
														 a->temperature.value, defaults);
	sampling->top_k = set_option("top_k", defaults);
	sampling->top_p = (float) rstar_pg_option_real("top_p", false, 0, defaults);
	sampling->min_p = (float) rstar_pg_option_real("min_p", false, 0, defaults);
}

/* What the method makes of the options for a tree search. */
static void
apply_method(rstar_search_setup *setup)
{
	rstar_search_options *o = &setup->options;

	if (setup->method == RSTAR_METHOD_MCTS)
		return;
	o->mcts.level_wise = true;
	switch (setup->method)
	{
		case RSTAR_METHOD_MCTS:
		case RSTAR_N_METHODS:
			break;
		case RSTAR_METHOD_BEAM:
			o->mcts.beam_width = (uint32) rstar_pg_search_settings.beam_width;
			break;
		case RSTAR_METHOD_MAJORITY:
		case RSTAR_METHOD_BEST_OF_N:
			o->choice =
				setup->method == RSTAR_METHOD_MAJORITY ? RSTAR_CHOICE_MAJORITY : RSTAR_CHOICE_BEST;
			o->candidates = o->mcts.max_rollouts;
			o->candidates_below = 1;
			o->merge_duplicates = false;
			o->mcts.answer_exclusive = false;
			break;
		case RSTAR_METHOD_GREEDY:
			o->candidates = o->candidates_below = 1;
			o->sampling.temperature = 0;
			break;
	}
}

/* Candidates have most tokens in common: a small model needs many problems to fill a batch. */
#define SMALL_MODEL  INT64CONST(100000000) /* parameters */
#define PLACES_SMALL 32
#define PLACES       8

uint32
rstar_pg_search_places(const rstar_search_setup *setup)
{
	const rstar_model_row *policy = setup->policy;

	if (policy && policy->remote)
		return (uint32) rstar_pg_remote_settings.problems;
	if (rstar_pg_search_settings.side_by_side > 0)
		return (uint32) rstar_pg_search_settings.side_by_side;
	return policy && policy->parameters < SMALL_MODEL ? PLACES_SMALL : PLACES;
}

/*
 * All options of a search: an argument counts first, then the setting, then the model's
 * defaults. The guidance follows from what there is to go by.
 */
static void
make_options(const rstar_search_arguments *a, bool ppm, bool known_answer,
			 rstar_search_setup *setup)
{
	Jsonb *defaults = setup->policy ? setup->policy->defaults : NULL;
	rstar_search_options *o = &setup->options;

	rstar_search_options_paper(o);
	o->mcts.guidance = ppm            ? RSTAR_GUIDANCE_PPM
					   : known_answer ? RSTAR_GUIDANCE_TERMINAL
									  : RSTAR_GUIDANCE_NONE;
	o->mcts.known_answer = known_answer;
	o->mcts.max_rollouts = given_option("rollouts", a->rollouts, defaults);
	o->mcts.max_depth = given_option("max_depth", a->max_depth, defaults);
	o->mcts.max_nodes = (uint32) rstar_pg_search_settings.search_nodes;
	o->mcts.c_uct = rstar_pg_search_settings.exploration;
	o->mcts.unvisited_value = rstar_pg_search_settings.unvisited_value;
	o->mcts.answer_exclusive = rstar_pg_search_settings.answer_exclusive;
	o->mcts.enough_correct = (uint32) rstar_pg_search_settings.enough_correct;
	o->mcts.enough_first = (uint32) rstar_pg_search_settings.enough_first;
	o->candidates = given_option("candidates", a->candidates, defaults);
	o->candidates_below = o->candidates;
	o->step_tokens = set_option("step_tokens", defaults);
	o->total_tokens = set_option("solution_tokens", defaults);
	make_sampling(a, defaults, &o->sampling);
	o->max_code_errors = (uint32) rstar_pg_search_settings.max_code_errors;
	o->value_scale = rstar_pg_search_settings.value_scale;
	o->max_generated = (uint64) rstar_pg_search_settings.search_tokens;
	o->max_seconds = (double) set_option("rstar.search_timeout", defaults) / 1000;
	bound_seconds(&o->max_seconds);
	o->side_by_side = rstar_pg_search_places(setup);
	rstar_pg_session_sandbox_limits(&o->limits);
}

void
rstar_pg_search_setup_make(const rstar_search_arguments *a, bool known_answer,
						   rstar_search_setup *setup)
{
	*setup = (rstar_search_setup){0};
	setup->method = a->method ? method_of(text_to_cstring(a->method))
							  : (rstar_search_method) rstar_pg_search_settings.method;
	setup->seed = a->seed.given ? a->seed.value : rstar_pg_model_settings.seed;
	setup->policy = rstar_pg_model_resolve(a->model, RSTAR_ROLE_POLICY);
	setup->ppm = rstar_pg_model_resolve_optional(a->ppm, RSTAR_ROLE_PPM);
	make_options(a, setup->ppm != NULL, known_answer, setup);
	apply_method(setup);
}

void
rstar_pg_search_setup_of_settings(bool ppm, rstar_search_setup *setup)
{
	static const rstar_search_arguments nothing_given;

	*setup = (rstar_search_setup){.method = (rstar_search_method) rstar_pg_search_settings.method,
								  .seed = rstar_pg_model_settings.seed};
	make_options(&nothing_given, ppm, rstar_pg_search_settings.use_known_answer, setup);
	apply_method(setup);
}

int32
rstar_pg_search_setup_rollouts(const rstar_search_setup *setup, const rstar_mcts *mcts)
{
	switch (setup->method)
	{
		case RSTAR_METHOD_MAJORITY:
		case RSTAR_METHOD_BEST_OF_N:
			return (int32) mcts->tree.nodes[0].n_children;
		case RSTAR_METHOD_BEAM:
		case RSTAR_METHOD_GREEDY:
			return 1;
		case RSTAR_METHOD_MCTS:
		case RSTAR_N_METHODS:
			break;
	}
	return (int32) mcts->rollouts;
}

/* --- as jsonb --------------------------------------------------------------------- */

typedef enum field_type
{
	FIELD_BOOL,
	FIELD_U32,
	FIELD_U64,
	FIELD_FLOAT,
	FIELD_DOUBLE
} field_type;

typedef struct field
{
	const char *key;
	field_type type;
	size_t offset; /* in rstar_search_options */
} field;

#define FIELD(key, type, member)                                                                   \
	{                                                                                              \
		key, type, offsetof(rstar_search_options, member)                                          \
	}

/* Every option; what decides a tree must be here. */
static const field fields[] = {
	FIELD("guidance", FIELD_U32, mcts.guidance),
	FIELD("known_answer", FIELD_BOOL, mcts.known_answer),
	FIELD("rollouts", FIELD_U32, mcts.max_rollouts),
	FIELD("max_depth", FIELD_U32, mcts.max_depth),
	FIELD("max_nodes", FIELD_U32, mcts.max_nodes),
	FIELD("exploration", FIELD_DOUBLE, mcts.c_uct),
	FIELD("unvisited_value", FIELD_DOUBLE, mcts.unvisited_value),
	FIELD("answer_exclusive", FIELD_BOOL, mcts.answer_exclusive),
	FIELD("enough_correct", FIELD_U32, mcts.enough_correct),
	FIELD("enough_first", FIELD_U32, mcts.enough_first),
	FIELD("level_wise", FIELD_BOOL, mcts.level_wise),
	FIELD("beam_width", FIELD_U32, mcts.beam_width),
	FIELD("candidates", FIELD_U32, candidates),
	FIELD("candidates_below", FIELD_U32, candidates_below),
	FIELD("merge_duplicates", FIELD_BOOL, merge_duplicates),
	FIELD("step_tokens", FIELD_U32, step_tokens),
	FIELD("solution_tokens", FIELD_U32, total_tokens),
	FIELD("temperature", FIELD_FLOAT, sampling.temperature),
	FIELD("top_k", FIELD_U32, sampling.top_k),
	FIELD("top_p", FIELD_FLOAT, sampling.top_p),
	FIELD("min_p", FIELD_FLOAT, sampling.min_p),
	FIELD("max_code_errors", FIELD_U32, max_code_errors),
	FIELD("output_characters", FIELD_U32, output_characters),
	FIELD("value_scale", FIELD_DOUBLE, value_scale),
	FIELD("choice", FIELD_U32, choice),
	FIELD("search_tokens", FIELD_U64, max_generated),
	FIELD("search_seconds", FIELD_DOUBLE, max_seconds),
	FIELD("sandbox_timeout", FIELD_U32, limits.wall_ms),
	FIELD("sandbox_cpu_timeout", FIELD_U32, limits.cpu_ms),
	FIELD("sandbox_step_memory", FIELD_U64, limits.memory),
	FIELD("sandbox_output", FIELD_U32, limits.output),
};

StaticAssertDecl(sizeof(rstar_guidance) == sizeof(uint32), "an enum is stored as a number");
StaticAssertDecl(sizeof(rstar_choice) == sizeof(uint32), "an enum is stored as a number");

/* Members are copied: not all of them are aligned for their type's pointer in every struct. */
static void
append_field(StringInfo json, const field *f, const rstar_search_options *options)
{
	const char *at = (const char *) options + f->offset;
	uint32 u32;
	uint64 u64;
	float real;
	double number;

	switch (f->type)
	{
		case FIELD_BOOL:
			appendStringInfoString(json, *(const bool *) at ? "true" : "false");
			break;
		case FIELD_U32:
			memcpy(&u32, at, sizeof u32);
			appendStringInfo(json, "%u", u32);
			break;
		case FIELD_U64:
			memcpy(&u64, at, sizeof u64);
			appendStringInfo(json, UINT64_FORMAT, u64);
			break;
		case FIELD_FLOAT:
			memcpy(&real, at, sizeof real);
			appendStringInfo(json, "%.9g", (double) real);
			break;
		case FIELD_DOUBLE:
			memcpy(&number, at, sizeof number);
			appendStringInfo(json, "%s", float8out_internal(number));
			break;
	}
}

static void
append_model(StringInfo json, const char *role, const rstar_model_row *row)
{
	if (!row)
		return;
	appendStringInfo(json, ", \"%s\": ", role);
	escape_json(json, row->name);
	appendStringInfo(json, ", \"%s_sha256\": ", role);
	escape_json(json, row->sha256);
}

Jsonb *
rstar_pg_search_setup_to_jsonb(const rstar_search_setup *setup)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"method\": \"%s\", \"seed\": " INT64_FORMAT,
					 rstar_pg_search_method_name(setup->method), setup->seed);
	for (size_t i = 0; i < lengthof(fields); i++)
	{
		appendStringInfo(&json, ", \"%s\": ", fields[i].key);
		append_field(&json, &fields[i], &setup->options);
	}
	append_model(&json, "policy", setup->policy);
	append_model(&json, "ppm", setup->ppm);
	appendStringInfo(&json, ", \"kernels\": \"%s\", \"kv_type\": \"%s\"}",
					 rstar_cpu_family_name(rstar_pg_compute_family()),
					 rstar_pg_model_settings.kv_type == RSTAR_KV_F16 ? "f16" : "f32");
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

static void
no_settings(const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the settings of the tree lack \"%s\", or it is of the wrong type", key)));
}

static double
number_of(Jsonb *object, const char *key)
{
	double number;

	if (!rstar_pg_json_number(&object->root, key, &number))
		no_settings(key);
	return number;
}

static void
set_field(Jsonb *object, const field *f, rstar_search_options *options)
{
	char *at = (char *) options + f->offset;
	JsonbValue *value = rstar_pg_json_member(&object->root, f->key);
	double number = f->type == FIELD_BOOL ? 0 : number_of(object, f->key);
	uint32 u32 = (uint32) Max(0, Min(number, UINT32_MAX));
	uint64 u64 = (uint64) Max(0, Min(number, 9007199254740992.0));
	float real = (float) number;

	switch (f->type)
	{
		case FIELD_BOOL:
			if (!value || value->type != jbvBool)
				no_settings(f->key);
			*(bool *) at = value->val.boolean;
			break;
		case FIELD_U32:
			memcpy(at, &u32, sizeof u32);
			break;
		case FIELD_U64:
			memcpy(at, &u64, sizeof u64);
			break;
		case FIELD_FLOAT:
			memcpy(at, &real, sizeof real);
			break;
		case FIELD_DOUBLE:
			memcpy(at, &number, sizeof number);
			break;
	}
}

/* A stored tree's limits hold as far as today's settings allow them. */
static void
bound_limits(rstar_sandbox_limits *stored)
{
	rstar_sandbox_limits now;

	rstar_pg_session_sandbox_limits(&now);
	stored->wall_ms = Min(stored->wall_ms, now.wall_ms);
	stored->cpu_ms = Min(stored->cpu_ms, now.cpu_ms);
	stored->memory = Min(stored->memory, now.memory);
	stored->output = Min(stored->output, now.output);
}

void
rstar_pg_search_setup_from_jsonb(Jsonb *object, rstar_search_setup *setup)
{
	char *method = rstar_pg_json_text(&object->root, "method");

	if (!method)
		no_settings("method");
	*setup = (rstar_search_setup){0};
	setup->method = method_of(method);
	setup->seed = (int64) number_of(object, "seed");
	rstar_search_options_paper(&setup->options);
	for (size_t i = 0; i < lengthof(fields); i++)
		set_field(object, &fields[i], &setup->options);
	bound_limits(&setup->options.limits);
	bound_seconds(&setup->options.max_seconds);
	if (setup->options.mcts.guidance > RSTAR_GUIDANCE_PPM)
		no_settings("guidance");
	if (setup->options.choice > RSTAR_CHOICE_WEIGHTED)
		no_settings("choice");
}

bool
rstar_pg_search_same_arithmetic(Jsonb *object)
{
	char *kernels = rstar_pg_json_text(&object->root, "kernels");
	char *kv_type = rstar_pg_json_text(&object->root, "kv_type");

	return kernels && kv_type &&
		   strcmp(kernels, rstar_cpu_family_name(rstar_pg_compute_family())) == 0 &&
		   strcmp(kv_type, rstar_pg_model_settings.kv_type == RSTAR_KV_F16 ? "f16" : "f32") == 0;
}

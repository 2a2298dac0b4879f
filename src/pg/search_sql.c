/*
 * search_sql.c
 *	  rstar_solve: from a problem to an answer.
 *
 * Nothing is written to any table, so it works in a read-only transaction and
 * on a standby. The search runs in slices with a look at interrupts between
 * them; whatever ends it early, a guard releases its nodes, its processes in
 * the sandbox and its job in the engine.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/search/search.h"
#include "pg/boundary.h"
#include "pg/model_cache.h"
#include "pg/models.h"
#include "pg/sandbox.h"
#include "pg/settings.h"

PG_FUNCTION_INFO_V1(rstar_solve);

/* Arguments of rstar_solve, by position. */
enum
{
	ARG_PROBLEM,
	ARG_MODEL,
	ARG_PPM,
	ARG_CANDIDATES,
	ARG_ROLLOUTS,
	ARG_MAX_DEPTH,
	ARG_TEMPERATURE,
	ARG_SEED
};

static void
open_model(rstar_model_row *row, rstar_search_model *model)
{
	const rstar_open_model *open = rstar_model_open_engine(row);
	rstar_error err;

	model->engine = open->engine;
	model->tokenizer = open->tokenizer;
	/* The row's template is the one in force: it may have been given at import. */
	if (row->prompt_template)
		rstar_check(rstar_prompt_template_parse(row->prompt_template, strlen(row->prompt_template),
												&model->prompt, &err),
					&err);
	else
		rstar_check(rstar_prompt_template_read(open->gguf, &model->prompt, &err), &err);
}

static uint32
int_argument(FunctionCallInfo fcinfo, int n, const char *name, Jsonb *defaults)
{
	bool given = n >= 0 && !PG_ARGISNULL(n);

	return (uint32) rstar_option_int(name, given, given ? PG_GETARG_INT32(n) : 0, defaults);
}

static void
read_options(FunctionCallInfo fcinfo, Jsonb *defaults, bool ppm, rstar_search_options *options)
{
	bool warm = !PG_ARGISNULL(ARG_TEMPERATURE);

	rstar_search_options_paper(options);
	options->mcts.guidance = ppm ? RSTAR_GUIDANCE_PPM : RSTAR_GUIDANCE_NONE;
	options->mcts.known_answer = false;
	options->mcts.max_rollouts = int_argument(fcinfo, ARG_ROLLOUTS, "rollouts", defaults);
	options->mcts.max_depth = int_argument(fcinfo, ARG_MAX_DEPTH, "max_depth", defaults);
	options->mcts.c_uct = rstar_settings.exploration;
	options->mcts.unvisited_value = rstar_settings.unvisited_value;
	options->mcts.answer_exclusive = rstar_settings.answer_exclusive;
	options->candidates = int_argument(fcinfo, ARG_CANDIDATES, "candidates", defaults);
	options->candidates_below = options->candidates;
	options->step_tokens = int_argument(fcinfo, -1, "step_tokens", defaults);
	options->total_tokens = int_argument(fcinfo, -1, "solution_tokens", defaults);
	options->sampling.temperature = (float) rstar_option_real(
		"search_temperature", warm, warm ? PG_GETARG_FLOAT8(ARG_TEMPERATURE) : 0, defaults);
	options->max_code_errors = (uint32) rstar_settings.max_code_errors;
	options->value_scale = rstar_settings.value_scale;
	rstar_session_sandbox_limits(&options->limits);
}

/* The answer of the finished search as a text, or NULL. */
static text *
answer_text(const rstar_search *search)
{
	const rstar_tree_node *node;
	rstar_error err;
	uint32 id;

	rstar_check(rstar_search_answer(search, 0, &id, &err), &err);
	if (id == RSTAR_NO_NODE)
		return NULL;
	node = &rstar_search_mcts(search, 0)->tree.nodes[id];
	return cstring_to_text(rstar_clean_text(node->answer.data, node->answer.length));
}

static text *
search_problem(const rstar_search_parts *parts, const rstar_search_options *options,
			   const rstar_search_problem *problem)
{
	rstar_guard *guard =
		rstar_guard_create(CurrentMemoryContext, (rstar_release) rstar_search_free);
	rstar_search *search;
	rstar_status status;
	rstar_error err;
	text *answer;

	rstar_check(rstar_search_create(parts, options, problem, 1, &rstar_allocator_malloc,
									&rstar_pg_cancel, &search, &err),
				&err);
	rstar_guard_hold(guard, search);
	while ((status = rstar_search_step(search, &rstar_pg_cancel, &err)) == RSTAR_AGAIN)
		CHECK_FOR_INTERRUPTS();
	rstar_check(status, &err);
	answer = answer_text(search);
	rstar_guard_release(guard);
	return answer;
}

Datum
rstar_solve(PG_FUNCTION_ARGS)
{
	rstar_search_parts parts = {0};
	rstar_search_options options;
	rstar_search_problem problem = {0};
	MemoryContext context, caller;
	rstar_model_row *policy, *ppm;
	text *statement, *answer;

	if (PG_ARGISNULL(ARG_PROBLEM))
		PG_RETURN_NULL();
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar solve", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);

	policy = rstar_model_resolve(PG_ARGISNULL(ARG_MODEL) ? NULL : PG_GETARG_TEXT_PP(ARG_MODEL),
								 RSTAR_ROLE_POLICY);
	ppm = rstar_model_resolve_optional(PG_ARGISNULL(ARG_PPM) ? NULL : PG_GETARG_TEXT_PP(ARG_PPM),
									   RSTAR_ROLE_PPM);
	read_options(fcinfo, policy->defaults, ppm != NULL, &options);
	open_model(policy, &parts.policy);
	if (ppm)
		open_model(ppm, &parts.ppm);
	parts.sandbox = rstar_session_sandbox();
	statement = PG_GETARG_TEXT_PP(ARG_PROBLEM);
	problem.text = (rstar_string){VARDATA_ANY(statement), VARSIZE_ANY_EXHDR(statement)};
	problem.seed =
		PG_ARGISNULL(ARG_SEED) ? (uint64) rstar_settings.seed : (uint64) PG_GETARG_INT64(ARG_SEED);
	answer = search_problem(&parts, &options, &problem);

	MemoryContextSwitchTo(caller);
	if (answer)
		answer = (text *) DatumGetPointer(PG_DETOAST_DATUM_COPY(PointerGetDatum(answer)));
	MemoryContextDelete(context);
	if (!answer)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(answer);
}

/*
 * run.c
 *	  Running a search inside a query.
 *
 * The search runs in slices with a look at interrupts between them; whatever
 * ends it early, a guard releases its nodes, its processes in the sandbox and
 * its job in the engine.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/base/clock.h"
#include "core/engine/prefix_file.h"
#include "pg/models/files.h"
#include "pg/admission/admission.h"
#include "pg/base/boundary.h"
#include "pg/models/cache.h"
#include "pg/models/remote.h"
#include "pg/models/remote_settings.h"
#include "pg/sandbox/session.h"
#include "pg/search/run.h"
#include "pg/search/settings.h"
#include "pg/sandbox/settings.h"
#include "pg/models/settings.h"
#include "pg/verify/verifier.h"

/* --- the beginning that all prompts share --------------------------------------------- */

/* What is left to do with it when the search has ended. */
typedef struct shared_prefix
{
	rstar_engine *engine;
	rstar_kv_node *node;
	rstar_prefix_store store;
} shared_prefix;

/* Runs while the engine is still pinned, also after an error; raises none itself. */
static void
keep_prefix(void *handle)
{
	shared_prefix *prefix = handle;

	(void) rstar_prefix_save(prefix->engine, prefix->node, &prefix->store);
	rstar_kv_node_release(prefix->node);
}

/*
 * Take the model's constant part of prompts from its file; where there is none, what this
 * search computes of it is saved at the end.
 */
static void
share_prefix(const rstar_model_row *row, const rstar_search_model *model)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, keep_prefix);
	shared_prefix *prefix = palloc0(sizeof(shared_prefix));
	rstar_error err;

	rstar_check(
		rstar_search_prefix(model, &rstar_allocator_malloc, &rstar_pg_cancel, &prefix->node, &err),
		&err);
	if (!prefix->node)
		return;
	prefix->engine = model->engine;
	prefix->store.directory = pstrdup(rstar_pg_model_directory());
	prefix->store.model = pstrdup(row->sha256);
	prefix->store.most_bytes = (uint64) rstar_pg_model_settings.prompt_cache * 1024 * 1024;
	rstar_pg_guard_hold(guard, prefix);
	(void) rstar_prefix_load(prefix->engine, prefix->node, &prefix->store);
}

/* A model of another server's: the template of the row, else the format's own. */
static void
open_remote(rstar_model_row *row, bool scores, rstar_search_model *model)
{
	const char *template = row->prompt_template;
	rstar_error err;

	model->remote = rstar_pg_remote_open(row, scores);
	model->logprobs = rstar_pg_remote_settings.logprobs;
	rstar_check(rstar_prompt_template_parse(template, template ? strlen(template) : 0,
											&model->prompt, &err),
				&err);
}

static void
open_model(rstar_model_row *row, bool scores, rstar_search_model *model)
{
	const rstar_open_model *open;
	rstar_error err;

	if (row->remote)
	{
		open_remote(row, scores, model);
		return;
	}
	open = rstar_pg_model_open_engine(row);

	model->engine = open->engine;
	model->tokenizer = open->tokenizer;
	/* The row's template is the one in force: it may have been given at import. */
	if (row->prompt_template)
		rstar_check(rstar_prompt_template_parse(row->prompt_template, strlen(row->prompt_template),
												&model->prompt, &err),
					&err);
	else
		rstar_check(rstar_prompt_template_read(open->gguf, &model->prompt, &err), &err);
	share_prefix(row, model);
}

void
rstar_pg_search_open_models(const rstar_search_setup *setup, rstar_search_parts *parts)
{
	if (setup->policy)
		open_model(setup->policy, false, &parts->policy);
	if (setup->ppm)
		open_model(setup->ppm, true, &parts->ppm);
}

void
rstar_pg_search_open(const rstar_search_setup *setup, rstar_search_parts *parts)
{
	rstar_pg_search_open_models(setup, parts);
	parts->sandbox = rstar_pg_session_sandbox();
}

char *
rstar_pg_search_answer_text(const rstar_mcts *mcts, uint32 node)
{
	const rstar_string *answer = &mcts->tree.nodes[node].answer;

	return rstar_pg_clean_text(answer->data, answer->length);
}

/* --- progress ----------------------------------------------------------------------- */

/* What was last said of each problem. */
typedef struct progress
{
	uint32 rollouts;
	uint32 nodes;
} progress;

struct rstar_searcher
{
	const rstar_search_setup *setup;
	rstar_guard *place; /* among the searches of the server */
	rstar_guard *guard; /* holds the search */
	rstar_search *search;
	progress *said; /* by the problem's number */
	uint32 n, room;
	void (*begin)(void *arg); /* around verifications; NULL: a transaction is there */
	void (*end)(void *arg);
	void *bracket;
	MemoryContext scratch; /* of one verification */
};

/* The last answer of the tree, as a phrase; or "". */
static char *
last_answer(const rstar_mcts *mcts)
{
	for (uint32 id = mcts->tree.n_nodes; id-- > 0;)
	{
		const rstar_tree_node *node = &mcts->tree.nodes[id];

		if (node->kind == RSTAR_NODE_ANSWER && node->rollout + 1 == mcts->rollouts)
			return psprintf(", answer %s%s", rstar_pg_search_answer_text(mcts, id),
							!node->graded   ? ""
							: node->correct ? " (correct)"
											: " (wrong)");
	}
	return "";
}

static void
report_tree(const rstar_search_setup *setup, const rstar_search *search, uint32 i, progress *said)
{
	const rstar_mcts *mcts = rstar_search_mcts(search, i);
	bool level_wise = setup->options.mcts.level_wise;

	if (!mcts ||
		(level_wise ? mcts->tree.n_nodes == said->nodes : mcts->rollouts == said->rollouts))
		return;
	said->rollouts = mcts->rollouts;
	said->nodes = mcts->tree.n_nodes;
	if (level_wise)
		ereport(NOTICE, (errmsg("problem %u: level %u, %u nodes, %u answers", i + 1,
								mcts->tree.nodes[mcts->tree.n_nodes - 1].depth, mcts->tree.n_nodes,
								mcts->answers)));
	else
		ereport(NOTICE,
				(errmsg("problem %u: rollout %u of %u, %u nodes, " UINT64_FORMAT " tokens%s", i + 1,
						mcts->rollouts, mcts->options.max_rollouts, mcts->tree.n_nodes,
						rstar_search_get_cost(search, i)->generated_tokens, last_answer(mcts))));
}

static void
report(rstar_searcher *searcher)
{
	MemoryContext context, caller;

	if (!rstar_pg_search_settings.show_progress)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar progress", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	for (uint32 i = 0; i < searcher->n; i++)
		report_tree(searcher->setup, searcher->search, i, &searcher->said[i]);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* --- running ------------------------------------------------------------------------ */

/* A place among the searches of the server, with room for what this one may take. */
static rstar_guard *
take_place(const rstar_search_parts *parts)
{
	int models = (parts->policy.engine != NULL) + (parts->ppm.engine != NULL);
	rstar_admission_room room = {.kv = models * rstar_pg_settings_kv_bytes()};

	if (parts->sandbox)
	{
		room.sandbox = rstar_pg_settings_sandbox_bytes();
		room.processes = (uint64) rstar_pg_sandbox_settings.sandbox_processes;
	}
	return rstar_pg_admission_enter(&room);
}

rstar_search_problem
rstar_pg_search_problem(const rstar_problem_row *row, int64 seed, uint32 attempt)
{
	rstar_search_problem problem = {.text = {row->statement, strlen(row->statement)},
									.id = row->problem_id};

	if (row->answer)
		problem.gold = (rstar_string){row->answer, strlen(row->answer)};
	if (row->verifier)
		problem.verifier = (rstar_string){row->verifier, strlen(row->verifier)};
	problem.seed = rstar_search_seed((uint64) seed, problem.text, attempt);
	return problem;
}

rstar_searcher *
rstar_pg_searcher_open(const rstar_search_setup *setup, const rstar_search_parts *parts)
{
	rstar_searcher *searcher = palloc0(sizeof *searcher);
	rstar_error err;

	searcher->setup = setup;
	searcher->place = take_place(parts);
	searcher->guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_search_free);
	rstar_check(rstar_search_create(parts, &setup->options, &rstar_allocator_malloc,
									&searcher->search, &err),
				&err);
	rstar_pg_guard_hold(searcher->guard, searcher->search);
	searcher->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "rstar verification", ALLOCSET_SMALL_SIZES);
	searcher->room = 16;
	searcher->said = palloc0(searcher->room * sizeof *searcher->said);
	return searcher;
}

uint32
rstar_pg_searcher_add(rstar_searcher *searcher, const rstar_search_problem *problem)
{
	uint32 number;
	rstar_error err;

	if (searcher->n == searcher->room)
	{
		searcher->room *= 2;
		searcher->said = repalloc_huge(searcher->said, searcher->room * sizeof *searcher->said);
	}
	rstar_check(rstar_search_add(searcher->search, problem, &number, &err), &err);
	searcher->said[searcher->n++] = (progress){0};
	return number;
}

uint32
rstar_pg_searcher_unfinished(const rstar_searcher *searcher)
{
	return rstar_search_unfinished(searcher->search);
}

void
rstar_pg_searcher_bracket(rstar_searcher *searcher, void (*begin)(void *arg),
						  void (*end)(void *arg), void *arg)
{
	searcher->begin = begin;
	searcher->end = end;
	searcher->bracket = arg;
}

/* --- verifying ----------------------------------------------------------------------- */

static void
verify(const rstar_searcher *searcher, const rstar_search_question *question,
	   rstar_search_verdict *verdict)
{
	const rstar_search_problem *asked = rstar_search_asked(searcher->search, question->problem);
	rstar_verification v = {
		.problem_id = asked->id,
		.statement = asked->text,
		.data = asked->gold,
		.answer = question->answer,
		.solution = question->solution,
		.program = question->program,
	};

	rstar_pg_verify(pnstrdup(asked->verifier.data, asked->verifier.length), &v, verdict);
}

/* In a transaction, with a snapshot: the bracket's, or the caller's. */
static void
verify_bracketed(const rstar_searcher *searcher, const rstar_search_question *question,
				 rstar_search_verdict *verdict)
{
	MemoryContext caller = CurrentMemoryContext;
	bool pushed;

	if (searcher->begin)
		searcher->begin(searcher->bracket);
	pushed = !ActiveSnapshotSet();
	if (pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	MemoryContextSwitchTo(searcher->scratch);
	verify(searcher, question, verdict);
	if (pushed)
		PopActiveSnapshot();
	if (searcher->end)
		searcher->end(searcher->bracket);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(searcher->scratch);
}

/* Give the verdicts that the search waits for. */
static void
answer_questions(const rstar_searcher *searcher)
{
	rstar_search_question question;
	rstar_search_verdict verdict;
	rstar_error err;
	double began;
	bool asked;

	for (;;)
	{
		rstar_check(rstar_search_ask(searcher->search, &question, &asked, &err), &err);
		if (!asked)
			return;
		CHECK_FOR_INTERRUPTS();
		began = rstar_clock_ms();
		verify_bracketed(searcher, &question, &verdict);
		verdict.ms = rstar_clock_ms() - began;
		rstar_check(rstar_search_judge(searcher->search, &question, &verdict, &err), &err);
	}
}

/* What came of a tree that could be searched. */
static void
read_answer(const rstar_search *search, rstar_search_outcome *outcome)
{
	rstar_error err;

	rstar_check(rstar_search_answer(search, outcome->problem, &outcome->answer, &err), &err);
	if (outcome->answer == RSTAR_NO_NODE)
		outcome->silence = rstar_search_silence(search, outcome->problem);
	else
		rstar_check(rstar_search_evidence(search, outcome->problem, outcome->answer,
										  &rstar_pg_cancel, &outcome->evidence, &err),
					&err);
}

static void
visit_finished(rstar_search *search, rstar_search_visitor visitor, void *arg)
{
	rstar_search_outcome outcome = {0};

	while (rstar_search_take(search, &outcome.problem))
	{
		outcome.mcts = rstar_search_mcts(search, outcome.problem);
		outcome.cost = rstar_search_get_cost(search, outcome.problem);
		outcome.ending = rstar_search_ending(search, outcome.problem);
		outcome.asked = rstar_search_asked(search, outcome.problem);
		outcome.error = rstar_search_failure(search, outcome.problem, &outcome.status);
		outcome.answer = RSTAR_NO_NODE;
		outcome.silence = RSTAR_SILENCE_NOT_REACHED;
		outcome.evidence = (rstar_evidence){0};
		if (outcome.mcts)
			read_answer(search, &outcome);
		visitor(arg, &outcome);
		rstar_search_forget(search, outcome.problem);
	}
}

bool
rstar_pg_searcher_step(rstar_searcher *searcher, rstar_search_visitor visitor, void *arg)
{
	rstar_status status;
	rstar_error err;

	CHECK_FOR_INTERRUPTS();
	status = rstar_search_step(searcher->search, &rstar_pg_cancel, &err);
	if (status != RSTAR_OK && status != RSTAR_AGAIN)
		rstar_pg_raise(status, &err);
	answer_questions(searcher);
	report(searcher);
	visit_finished(searcher->search, visitor, arg);
	return status == RSTAR_AGAIN;
}

void
rstar_pg_searcher_close(rstar_searcher *searcher)
{
	rstar_pg_guard_release(searcher->guard);
	rstar_pg_admission_leave(searcher->place);
	MemoryContextDelete(searcher->scratch);
	pfree(searcher->said);
	pfree(searcher);
}

void
rstar_pg_search_run(const rstar_search_setup *setup, const rstar_search_parts *parts,
					const rstar_search_problem *problems, uint32 n, rstar_search_visitor visitor,
					void *arg)
{
	rstar_searcher *searcher = rstar_pg_searcher_open(setup, parts);

	for (uint32 i = 0; i < n; i++)
		(void) rstar_pg_searcher_add(searcher, &problems[i]);
	while (rstar_pg_searcher_step(searcher, visitor, arg))
		;
	rstar_pg_searcher_close(searcher);
}

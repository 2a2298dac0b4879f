/*
 * search_all.c
 *	  rstar_search_all: a job that searches many problems with several workers.
 *
 * Each worker searches several problems side by side and claims the next as soon
 * as one is done, so its batches stay full. A tree is stored, with the row of the
 * queue, in a transaction of its own; nothing else of the search is in one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/base/settings.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/admission/admission.h"
#include "pg/models/files.h"
#include "pg/search/run.h"
#include "pg/search/search_all.h"
#include "pg/search/settings.h"
#include "pg/search/tree_store.h"
#include "pg/workers/query.h"
#include "pg/workers/queue.h"

PG_FUNCTION_INFO_V1(rstar_search_all);

/* Problems of one searcher, which keeps a little of each: then it is opened anew. */
#define RENEW_AFTER 4096

/* A problem that the searcher has, by the searcher's number. */
typedef struct problem_in_hand
{
	int64 item_id;
	int64 problem_id;
	uint64 seed;
} problem_in_hand;

typedef struct search_all
{
	rstar_search_setup setup;
	rstar_search_parts parts;
	rstar_searcher *searcher; /* NULL: not open */
	problem_in_hand *problems;
	uint32 n, room;
	uint32 in_hand;
	uint32 places;           /* searched side by side */
	uint32 ahead;            /* claimed beyond them: a place that comes free is filled at once */
	rstar_queue_item *items; /* of one claim */
	bool alone;              /* what is in hand is to be searched alone */
	bool dry;      /* nothing was left to claim; to be asked again when the hands are empty */
	bool draining; /* finish what is in hand, then make place */
	MemoryContext scratch;
	rstar_job *job;
} search_all;

/* --- start ------------------------------------------------------------------------- */

/* The model that the job was submitted with; raises if it is not there any more. */
static rstar_model_row *
model_of(Jsonb *arguments, const char *role)
{
	char *name = rstar_pg_json_text(&arguments->root, role);
	char *sha256 = rstar_pg_json_text(&arguments->root, psprintf("%s_sha256", role));
	rstar_model_row *row = name ? rstar_pg_model_find(name) : NULL;

	if (!name)
		return NULL;
	if (!row || !sha256 || strcmp(row->sha256, sha256) != 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" of this job does not exist any more", name)));
	return row;
}

/* A model that does not exist any more is found out by whoever takes the job. */
static bool
has_model(Jsonb *arguments, const char *role)
{
	char *name = rstar_pg_json_text(&arguments->root, role);
	rstar_model_row *row = name ? rstar_pg_model_find_name(name) : NULL;

	return !row || rstar_pg_model_file_is_here(row);
}

static bool
ready(Jsonb *arguments)
{
	return has_model(arguments, "policy") && has_model(arguments, "ppm");
}

/* The round whose job had this one submitted; 0: none. */
static int64
round_of(const rstar_job *job)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 round_id = 0;

	if (job->parent == 0)
		return 0;
	rstar_tables_begin(&scope, "rounds");
	rstar_pg_add_bigint(&a, job->parent);
	rstar_pg_execute("SELECT round_id FROM rstar.rounds WHERE job_id OPERATOR(pg_catalog.=) $1", &a,
					 true);
	if (SPI_processed > 0)
		round_id = rstar_pg_result_bigint(0, "round_id", 0);
	rstar_pg_tables_end(&scope);
	return round_id;
}

/* As many as are searched side by side, but not what other workers of a small job could do. */
static uint32
places_of(const rstar_job *job, const rstar_search_setup *setup)
{
	int64 share = job->total * 2 / (3 * job->workers); /* half as many more are claimed ahead */

	return (uint32) Min(rstar_pg_search_places(setup), Max(1, share));
}

static void
start(rstar_job *job)
{
	search_all *s = palloc0(sizeof *s);

	rstar_pg_search_setup_from_jsonb(job->arguments, &s->setup);
	s->setup.policy = model_of(job->arguments, "policy");
	s->setup.ppm = model_of(job->arguments, "ppm");
	s->setup.round_id = round_of(job);
	s->places = places_of(job, &s->setup);
	s->ahead = (s->places + 1) / 2;
	s->items = palloc((s->places + s->ahead) * sizeof *s->items);
	s->setup.options.side_by_side = s->places;
	s->scratch = AllocSetContextCreate(job->context, "rstar tree", ALLOCSET_DEFAULT_SIZES);
	s->room = 64;
	s->problems = palloc(s->room * sizeof *s->problems);
	s->job = job;
	job->state = s;
}

/* --- problems come ------------------------------------------------------------------- */

static void
begin_verification(void *job)
{
	rstar_pg_job_begin(job);
}

static void
end_verification(void *job)
{
	rstar_pg_job_commit(job);
}

static void
open_searcher(search_all *s)
{
	if (s->searcher)
		return;
	rstar_pg_job_progress(s->job, "opening models", 0, s->job->total);
	rstar_pg_admission_be_background();
	rstar_pg_search_open(&s->setup, &s->parts);
	s->searcher = rstar_pg_searcher_open(&s->setup, &s->parts);
	rstar_pg_searcher_bracket(s->searcher, begin_verification, end_verification, s->job);
	s->n = 0;
	rstar_pg_job_progress(s->job, "searching", 0, s->job->total);
}

static void
close_searcher(search_all *s)
{
	if (s->searcher)
		rstar_pg_searcher_close(s->searcher);
	s->searcher = NULL;
}

/* Reads as the caller, in a worker the job's owner. */
bool
rstar_pg_search_find_problem(int64 problem_id, rstar_problem_row *row)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool found;

	rstar_pg_tables_read(&scope);
	rstar_pg_add_bigint(&a, problem_id);
	rstar_pg_execute("SELECT statement, answer, verifier FROM rstar.problems"
					 " WHERE problem_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	found = SPI_processed > 0;
	if (found && row)
	{
		row->problem_id = problem_id;
		row->statement = rstar_pg_result_text(0, "statement", context);
		row->answer = rstar_pg_result_text(0, "answer", context);
		row->verifier = rstar_pg_result_text(0, "verifier", context);
	}
	rstar_pg_tables_end(&scope);
	return found;
}

static void
add_problem(search_all *s, const rstar_queue_item *item, const rstar_problem_row *row)
{
	rstar_search_problem problem = rstar_pg_search_problem(row, s->setup.seed, 0);
	uint32 number = rstar_pg_searcher_add(s->searcher, &problem);

	if (number >= s->room)
	{
		s->room *= 2;
		s->problems = repalloc(s->problems, s->room * sizeof *s->problems);
	}
	s->problems[number] = (problem_in_hand){item->item_id, item->problem_id, problem.seed};
	s->n = number + 1;
	s->in_hand++;
	s->alone |= item->alone;
}

/* Read the problems of the items and give them to the searcher; those that were deleted fail. */
static void
add_items(search_all *s, const rstar_queue_item *items, uint32 n)
{
	rstar_problem_row *rows = MemoryContextAllocZero(s->scratch, n * sizeof *rows);
	int64 missing = 0;

	rstar_pg_job_begin(s->job);
	MemoryContextSwitchTo(s->scratch);
	for (uint32 i = 0; i < n; i++)
		if (!rstar_pg_search_find_problem(items[i].problem_id, &rows[i]))
		{
			rstar_pg_queue_failed(s->job, items[i].item_id, "the problem was deleted");
			missing++;
		}
	rstar_pg_job_commit(s->job);
	rstar_pg_queue_committed(s->job, 0, missing);
	for (uint32 i = 0; i < n; i++)
		if (rows[i].statement)
			add_problem(s, &items[i], &rows[i]);
	MemoryContextReset(s->scratch);
}

static void
refill(search_all *s)
{
	uint32 n;

	if (s->in_hand == 0)
		s->dry = s->alone = s->draining = false;
	if (s->in_hand > 0 && (s->n >= RENEW_AFTER || rstar_pg_admission_is_contended()))
		s->draining = true;
	if (s->dry || s->alone || s->draining || s->in_hand > s->places)
		return;
	/* First, since what is wrong with a model is no fault of the problems. */
	open_searcher(s);
	n = rstar_pg_queue_claim(s->job, s->places + s->ahead - s->in_hand, s->in_hand == 0, s->items);
	s->dry = n == 0;
	if (n > 0)
		add_items(s, s->items, n);
}

/* --- problems go ---------------------------------------------------------------------- */

static void
describe(search_all *s, const problem_in_hand *p, const rstar_search_outcome *outcome)
{
	const char *answer = outcome->mcts && outcome->answer != RSTAR_NO_NODE
							 ? rstar_pg_search_answer_text(outcome->mcts, outcome->answer)
							 : "none";

	rstar_pg_job_doing(s->job, "%u problems in hand; last problem " INT64_FORMAT ", answer %.60s",
					   s->in_hand, p->problem_id, answer);
}

/* The tree's rows and the queue's in one transaction. */
static void
store_tree(search_all *s, const problem_in_hand *p, const rstar_search_outcome *outcome)
{
	rstar_pg_job_begin(s->job);
	MemoryContextSwitchTo(s->scratch);
	rstar_pg_queue_done(s->job, p->item_id,
						rstar_pg_tree_store(p->problem_id, p->seed, &s->setup, outcome));
	rstar_pg_job_commit(s->job);
}

/* The tree's foreign key was violated: the item fails, unless the problem is there after all. */
static bool
store_deleted(search_all *s, const problem_in_hand *p)
{
	bool there;

	rstar_pg_job_begin(s->job);
	there = rstar_pg_search_find_problem(p->problem_id, NULL);
	if (!there)
		rstar_pg_queue_failed(s->job, p->item_id, "the problem was deleted");
	rstar_pg_job_commit(s->job);
	return !there;
}

/*
 * A tree is done. Nobody deletes its problem while it is being stored: the foreign key locks it,
 * so a look before would only be another statement for every tree. What was deleted earlier
 * violates the key.
 */
static void
store(void *arg, const rstar_search_outcome *outcome)
{
	search_all *s = arg;
	const problem_in_hand *p = &s->problems[outcome->problem];
	MemoryContext caller = CurrentMemoryContext;
	ErrorData *volatile error = NULL;

	PG_TRY();
	{
		store_tree(s, p, outcome);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(s->scratch);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_FOREIGN_KEY_VIOLATION)
			PG_RE_THROW();
		rstar_pg_job_abort(s->job);
	}
	PG_END_TRY();
	if (error && !store_deleted(s, p))
		ReThrowError(error);
	rstar_pg_queue_committed(s->job, !error, error != NULL);
	s->in_hand--;
	MemoryContextSwitchTo(s->scratch);
	describe(s, p, outcome);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(s->scratch);
}

static rstar_job_step
step(rstar_job *job)
{
	search_all *s = job->state;

	refill(s);
	if (s->in_hand == 0)
	{
		close_searcher(s);
		return s->dry ? RSTAR_JOB_DONE : RSTAR_JOB_AGAIN;
	}
	(void) rstar_pg_searcher_step(s->searcher, store, s);
	if (s->in_hand == 0 && s->draining)
		close_searcher(s);
	return RSTAR_JOB_AGAIN;
}

static void
finish(rstar_job *job, rstar_job_end end)
{
	close_searcher(job->state);
}

static const rstar_job_kind kind = {.name = "search_all",
									.queue = true,
									.ready = ready,
									.start = start,
									.step = step,
									.finish = finish};

void
rstar_pg_search_all_define(void)
{
	rstar_pg_job_kind_define(&kind);
}

/* --- the function ----------------------------------------------------------------------- */

/*
 * rstar_search_all(query, model, ppm, method, candidates, rollouts, max_depth, temperature, seed,
 *					workers, threads, nice) returns bigint
 */
Datum
rstar_search_all(PG_FUNCTION_ARGS)
{
	rstar_job_request request = {.kind = "search_all"};
	rstar_search_arguments arguments;
	rstar_search_setup setup;
	int64 *problems, job_id;
	char *query;
	uint32 n;

	rstar_pg_job_require_workers("rstar_search_all()");
	query = rstar_required_text(fcinfo, 0, "query");
	rstar_pg_search_arguments_read(fcinfo, 1, &arguments);
	rstar_pg_search_setup_make(&arguments, rstar_pg_search_settings.use_known_answer, &setup);
	request.workers = rstar_bounded_integer(fcinfo, 9, "workers", 1, 256, 0);
	if (!PG_ARGISNULL(10))
		request.threads = (int) rstar_pg_option_int("threads", true, PG_GETARG_INT32(10), NULL);
	request.nice = rstar_bounded_integer(fcinfo, 11, "nice", 0, 19, -1);
	request.arguments = rstar_pg_search_setup_to_jsonb(&setup);
	problems = rstar_pg_query_numbers(query, &n);
	job_id = rstar_pg_job_submit(&request);
	rstar_pg_queue_add(job_id, problems, n);
	PG_RETURN_INT64(job_id);
}

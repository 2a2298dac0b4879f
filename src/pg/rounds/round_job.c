/*
 * round_job.c
 *	  The job that leads a round of self-evolution.
 *
 *		search ──> train policy ──> build pairs ──> train ppm ──> evaluate ──> done
 *
 * A round is a row of rstar.rounds. What it consists of are other jobs, which this
 * one submits by their SQL functions, with the rights of its owner: a search of all
 * problems, further ones of those that stay unsolved, two runs of training and an
 * evaluation. Only the pairs it builds itself. Each step looks at the row and goes on by one action, in one
 * transaction with the row's change; then the job waits for what it submitted. So
 * a worker that is lost at any moment loses nothing: the next one reads the row.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/data/pairs.h"
#include "pg/rounds/round_job.h"
#include "pg/rounds/round_judge.h"
#include "pg/workers/call.h"
#include "pg/workers/jobs.h"

/* The round in a step; strings live as long as the step's memory. */
typedef struct round_state
{
	rstar_job *job;
	int64 round_id;
	char *phase;
	int64 searches;                        /* submitted so far */
	int64 escalation;                      /* how many may follow the first */
	int64 policy_run, ppm_run, evaluation; /* 0: not submitted */
	bool held_out;                         /* there are problems to evaluate on */
} round_state;

/* --- the row ------------------------------------------------------------------------------ */

static void
read_round(round_state *r)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool is_null;

	rstar_tables_begin(&scope, "rounds", "round_problems");
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_execute(
		"SELECT phase, pg_catalog.cardinality(search_jobs)::int8 AS searches,"
		" pg_catalog.jsonb_array_length(settings OPERATOR(pg_catalog.->) 'escalation')::int8"
		"  AS escalation, policy_run_id, ppm_run_id, evaluation_id,"
		" EXISTS (SELECT FROM rstar.round_problems p WHERE p.round_id OPERATOR(pg_catalog.=) $1"
		"         AND p.held_out) AS held_out"
		" FROM rstar.rounds WHERE round_id OPERATOR(pg_catalog.=) $1",
		&a, false);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("round " INT64_FORMAT " does not exist any more", r->round_id)));
	r->phase = rstar_pg_result_text(0, "phase", context);
	r->searches = rstar_pg_result_bigint(0, "searches", 0);
	r->escalation = rstar_pg_result_bigint(0, "escalation", 0);
	r->policy_run = rstar_pg_result_bigint(0, "policy_run_id", 0);
	r->ppm_run = rstar_pg_result_bigint(0, "ppm_run_id", 0);
	r->evaluation = rstar_pg_result_bigint(0, "evaluation_id", 0);
	r->held_out = rstar_pg_result_bool(0, "held_out", &is_null);
	rstar_pg_tables_end(&scope);
}

/* A statement that changes the round ($1) by a number ($2). */
static void
change(const round_state *r, const char *statement, int64 number)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "rounds", "evaluations", "evaluation_answers", "training_runs");
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_add_bigint(&a, number);
	rstar_pg_execute(statement, &a, false);
	rstar_pg_tables_end(&scope);
}

static void
add_note(const round_state *r, const char *note)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "rounds");
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_add_text(&a, note);
	rstar_pg_execute("UPDATE rstar.rounds SET note ="
					 " COALESCE(note OPERATOR(pg_catalog.||) '; ', '') OPERATOR(pg_catalog.||) $2"
					 " WHERE round_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/* Whether a statement about the round ($1) finds anything; with the rights of the round's owner. */
static bool
finds(const round_state *r, const char *statement)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool found;

	rstar_pg_tables_read(&scope);
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_execute(statement, &a, true);
	found = SPI_processed > 0;
	rstar_pg_tables_end(&scope);
	return found;
}

/* --- jobs that it submits ------------------------------------------------------------------- */

/*
 * Submit a job of that kind; the statement makes its arguments of the round ($1). Finds it no
 * row, a model that the round needs is gone.
 */
static int64
submit(const round_state *r, const char *kind, const char *statement)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	Jsonb *arguments;

	rstar_tables_begin(&scope, "rounds", "models");
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_execute(statement, &a, false);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("a model of round " INT64_FORMAT " does not exist any more", r->round_id)));
	arguments = rstar_pg_result_jsonb(0, "arguments", context);
	rstar_pg_tables_end(&scope);
	return rstar_pg_job_call_now(kind, arguments);
}

/* What of the settings goes to every job: the round's share of the machine. */
#define SHARE                                                                                      \
	"'workers', r.settings OPERATOR(pg_catalog.->) 'workers',"                                     \
	" 'threads', r.settings OPERATOR(pg_catalog.->) 'threads',"                                    \
	" 'nice', r.settings OPERATOR(pg_catalog.->) 'nice'"

/* The same share for a training, which is one process: the threads of all workers. */
#define TRAINING_SHARE                                                                             \
	"'threads', CASE WHEN r.settings OPERATOR(pg_catalog.?) 'threads' THEN"                        \
	" LEAST(256, (r.settings OPERATOR(pg_catalog.->>) 'threads')::pg_catalog.int4"                 \
	" OPERATOR(pg_catalog.*) COALESCE((r.settings OPERATOR(pg_catalog.->>) 'workers')"             \
	"::pg_catalog.int4, 1)) END, 'nice', r.settings OPERATOR(pg_catalog.->) 'nice'"

#define UNSOLVED                                                                                   \
	" AND NOT EXISTS (SELECT FROM rstar.trees t"                                                   \
	"  WHERE t.round_id OPERATOR(pg_catalog.=) p.round_id"                                         \
	"  AND t.problem_id OPERATOR(pg_catalog.=) p.problem_id"                                       \
	"  AND t.first_correct_rollout IS NOT NULL)"

static int64
submit_search(const round_state *r)
{
	return submit(
		r, "search_all",
		"SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object("
		"'query', pg_catalog.format('SELECT problem_id FROM rstar.round_problems p"
		" WHERE round_id OPERATOR(pg_catalog.=) %s AND NOT held_out%s ORDER BY problem_id',"
		" r.round_id, CASE WHEN n.searches OPERATOR(pg_catalog.>) 0 THEN '" UNSOLVED "' END),"
		" 'model', m.name, 'ppm', COALESCE(g.name, ''),"
		" 'method', r.settings OPERATOR(pg_catalog.->) 'method',"
		" 'candidates', r.settings OPERATOR(pg_catalog.->) 'candidates',"
		" 'rollouts', CASE WHEN n.searches OPERATOR(pg_catalog.=) 0"
		"  THEN r.settings OPERATOR(pg_catalog.->) 'rollouts'"
		"  ELSE r.settings OPERATOR(pg_catalog.->) 'escalation'"
		"   OPERATOR(pg_catalog.->) (n.searches OPERATOR(pg_catalog.-) 1) END,"
		" 'max_depth', r.settings OPERATOR(pg_catalog.->) 'max_depth',"
		" 'temperature', r.settings OPERATOR(pg_catalog.->) 'temperature',"
		" 'seed', (r.settings OPERATOR(pg_catalog.->>) 'seed')::pg_catalog.int8"
		"  OPERATOR(pg_catalog.+) n.searches, " SHARE ")) AS arguments"
		" FROM rstar.rounds r JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) r.policy_id"
		" LEFT JOIN rstar.models g ON g.model_id OPERATOR(pg_catalog.=) r.ppm_id"
		" CROSS JOIN LATERAL (SELECT pg_catalog.cardinality(r.search_jobs) AS searches) n"
		" WHERE r.round_id OPERATOR(pg_catalog.=) $1"
		" AND (g.name IS NOT NULL OR r.settings OPERATOR(pg_catalog.->>) 'ppm' IS NULL)");
}

static int64
submit_policy(const round_state *r)
{
	return submit(
		r, "train_policy",
		"SELECT pg_catalog.jsonb_strip_nulls((r.settings OPERATOR(pg_catalog.->) 'policy_training')"
		" OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("
		"'name', pg_catalog.concat(r.name, '-', r.number), 'base', m.name,"
		" 'query', pg_catalog.format('SELECT problem, solution FROM rstar.round_sft_training"
		" WHERE round_id OPERATOR(pg_catalog.=) %s"
		" ORDER BY problem_id, place, given_round_id, solution_id', r.round_id), " TRAINING_SHARE
		")) AS arguments"
		" FROM rstar.rounds r JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) r.base_id"
		" WHERE r.round_id OPERATOR(pg_catalog.=) $1");
}

static int64
submit_ppm(const round_state *r)
{
	return submit(
		r, "train_ppm",
		"SELECT pg_catalog.jsonb_strip_nulls((r.settings OPERATOR(pg_catalog.->) 'ppm_training')"
		" OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("
		"'name', pg_catalog.concat(r.name, '-', r.number, '-ppm'), 'base', m.name,"
		" 'query', pg_catalog.format('SELECT problem, prefix, chosen, rejected, weight"
		" FROM rstar.round_ppm_training WHERE round_id OPERATOR(pg_catalog.=) %s"
		" ORDER BY problem_id, kind, chosen_tree_id, chosen_id, rejected_tree_id, rejected_id',"
		" r.round_id), " TRAINING_SHARE ")) AS arguments"
		" FROM rstar.rounds r"
		" JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) r.new_policy_id"
		" WHERE r.round_id OPERATOR(pg_catalog.=) $1");
}

/* Of the round's new models; or, before: of the model that they were trained from, alone. */
#define EVALUATION(name, model, ppm)                                                               \
	"SELECT pg_catalog.jsonb_strip_nulls((r.settings OPERATOR(pg_catalog.->) 'evaluation')"        \
	" OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("                                      \
	"'name', pg_catalog.concat(r.name, '-', " name "), 'model', m.name,"                           \
	" 'ppm', COALESCE(g.name, ''),"                                                                \
	" 'query', pg_catalog.format('SELECT problem_id FROM rstar.round_problems"                     \
	" WHERE round_id OPERATOR(pg_catalog.=) %s AND held_out ORDER BY problem_id', r.round_id),"    \
	" " SHARE ")) AS arguments"                                                                    \
	" FROM rstar.rounds r"                                                                         \
	" JOIN rstar.models m ON m.model_id OPERATOR(pg_catalog.=) " model                             \
	" LEFT JOIN rstar.models g ON g.model_id OPERATOR(pg_catalog.=) " ppm                          \
	" WHERE r.round_id OPERATOR(pg_catalog.=) $1"

static int64
submit_evaluation(const round_state *r, bool before)
{
	return submit(r, "evaluate",
				  before ? EVALUATION("r.number, '-base'", "r.base_id", "NULL::pg_catalog.int8")
						 : EVALUATION("r.number", "r.new_policy_id", "r.new_ppm_id"));
}

/* --- what has become of them ---------------------------------------------------------------- */

/*
 * Whether jobs are still to be waited for. One that did not end well ends the round; only a
 * search may, since others, or those of earlier rounds, may have found enough.
 */
static bool
wait_for_children(const round_state *r)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	uint64 n;
	bool open = false;

	rstar_tables_begin(&scope, "jobs");
	rstar_pg_add_bigint(&a, r->job->job_id);
	rstar_pg_execute("SELECT job_id, kind, status, error FROM rstar.jobs"
					 " WHERE parent_id OPERATOR(pg_catalog.=) $1 AND status"
					 " OPERATOR(pg_catalog.<>) 'done' ORDER BY job_id",
					 &a, false);
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		char *kind = rstar_pg_result_text(i, "kind", context);
		char *status = rstar_pg_result_text(i, "status", context);
		char *why = rstar_pg_result_text(i, "error", context);
		bool ended = strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0;

		open |= !ended;
		if (ended && strcmp(kind, "search_all") != 0)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("job " INT64_FORMAT " (%s) of the round is %s",
								   rstar_pg_result_bigint(i, "job_id", 0), kind, status),
							why ? errdetail("%s", why) : 0));
	}
	rstar_pg_tables_end(&scope);
	return open;
}

/* The last search: how did it end, if not well? */
static void
note_search(const round_state *r)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	char *note = NULL;

	rstar_tables_begin(&scope, "jobs", "rounds");
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_execute(
		"SELECT pg_catalog.concat('search ', pg_catalog.cardinality(r.search_jobs), ' (job ',"
		" j.job_id, ') ', CASE WHEN j.status OPERATOR(pg_catalog.=) 'done' THEN 'is done'"
		"  ELSE pg_catalog.concat('was ', j.status) END, ': ', j.error) AS note"
		" FROM rstar.rounds r JOIN rstar.jobs j ON j.job_id OPERATOR(pg_catalog.=)"
		"  r.search_jobs[pg_catalog.cardinality(r.search_jobs)]"
		" WHERE r.round_id OPERATOR(pg_catalog.=) $1"
		" AND (j.status OPERATOR(pg_catalog.<>) 'done' OR j.error IS NOT NULL)",
		&a, false);
	if (SPI_processed > 0)
		note = rstar_pg_result_text(0, "note", context);
	rstar_pg_tables_end(&scope);
	if (note)
		add_note(r, note);
}

/* --- phases ----------------------------------------------------------------------------------- */

/*
 * Each is called when nothing is to be waited for: it submits the next job and returns false,
 * or finds that the phase is over.
 */
static bool
search(const round_state *r)
{
	if (r->searches > 0)
		note_search(r);
	if (r->searches > r->escalation ||
		(r->searches > 0 &&
		 !finds(r, "SELECT FROM rstar.round_problems p WHERE p.round_id OPERATOR(pg_catalog.=) $1"
				   " AND NOT p.held_out" UNSOLVED " LIMIT 1")))
		return true;
	change(r,
		   "UPDATE rstar.rounds SET search_jobs = pg_catalog.array_append(search_jobs, $2)"
		   " WHERE round_id OPERATOR(pg_catalog.=) $1",
		   submit_search(r));
	return false;
}

static bool
train_policy(const round_state *r)
{
	if (r->policy_run == 0)
		change(r,
			   "UPDATE rstar.rounds SET policy_run_id = $2"
			   " WHERE round_id OPERATOR(pg_catalog.=) $1",
			   submit_policy(r));
	else
		change(r,
			   "UPDATE rstar.rounds r SET new_policy_id = t.result_model_id"
			   " FROM rstar.training_runs t WHERE r.round_id OPERATOR(pg_catalog.=) $1"
			   " AND t.run_id OPERATOR(pg_catalog.=) $2",
			   r->policy_run);
	return r->policy_run != 0;
}

static bool
build_pairs(const round_state *r)
{
	(void) rstar_pg_pairs_build(r->round_id);
	return true;
}

static bool
train_ppm(const round_state *r)
{
	if (r->ppm_run == 0 && !finds(r, "SELECT FROM rstar.round_ppm_training WHERE round_id"
									 " OPERATOR(pg_catalog.=) $1 LIMIT 1"))
	{
		add_note(r, "no PPM was trained, as there are no preference pairs");
		return true;
	}
	if (r->ppm_run == 0)
		change(r,
			   "UPDATE rstar.rounds SET ppm_run_id = $2 WHERE round_id OPERATOR(pg_catalog.=) $1",
			   submit_ppm(r));
	else
		change(r,
			   "UPDATE rstar.rounds r SET new_ppm_id = t.result_model_id"
			   " FROM rstar.training_runs t WHERE r.round_id OPERATOR(pg_catalog.=) $1"
			   " AND t.run_id OPERATOR(pg_catalog.=) $2",
			   r->ppm_run);
	return r->ppm_run != 0;
}

/* Where no round before has an evaluation, the model that the policy was trained from gets one. */
static bool
evaluate(const round_state *r)
{
	if (!r->held_out)
		return true;
	if (r->evaluation != 0)
	{
		rstar_pg_round_judge(r->round_id, r->evaluation);
		return true;
	}
	if (rstar_pg_round_before(r->round_id) == 0)
	{
		change(r,
			   "UPDATE rstar.rounds SET baseline_id = $2"
			   " WHERE round_id OPERATOR(pg_catalog.=) $1",
			   submit_evaluation(r, true));
		return false;
	}
	change(r,
		   "WITH evaluation AS (UPDATE rstar.evaluations SET round_id = $1"
		   " WHERE evaluation_id OPERATOR(pg_catalog.=) $2)"
		   " UPDATE rstar.rounds SET evaluation_id = $2"
		   " WHERE round_id OPERATOR(pg_catalog.=) $1",
		   submit_evaluation(r, false));
	return false;
}

typedef struct phase
{
	const char *name;
	bool (*work)(const round_state *r);
} phase;

static const phase phases[] = {
	{"search", search},       {"train policy", train_policy}, {"build pairs", build_pairs},
	{"train ppm", train_ppm}, {"evaluate", evaluate},         {"done", NULL},
};

static int
phase_number(const char *name)
{
	int i = 0;

	while (i + 1 < (int) lengthof(phases) && strcmp(phases[i].name, name) != 0)
		i++;
	return i;
}

/* --- the job ------------------------------------------------------------------------------------ */

static void
start(rstar_job *job)
{
	double number = 0;
	int64 *round_id = palloc(sizeof *round_id);

	if (!rstar_pg_json_number(&job->arguments->root, "round_id", &number))
		elog(ERROR, "job " INT64_FORMAT " does not name its round", job->job_id);
	*round_id = (int64) number;
	job->state = round_id;
}

static void
enter(const round_state *r, const char *name)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "rounds");
	rstar_pg_add_bigint(&a, r->round_id);
	rstar_pg_add_text(&a, name);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.rounds SET phase = $2, finished_at = CASE"
					 " WHEN $2 OPERATOR(pg_catalog.=) 'done' THEN $3 END"
					 " WHERE round_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/* In a transaction: one action, or none while there is something to wait for. */
static rstar_job_step
go_on(round_state *r)
{
	int now;

	read_round(r);
	now = phase_number(r->phase);
	if (!phases[now].work)
		return RSTAR_JOB_DONE;
	rstar_pg_job_progress(r->job, phases[now].name, now, lengthof(phases) - 1);
	if (wait_for_children(r))
		return RSTAR_JOB_WAIT;
	if (!phases[now].work(r))
		return RSTAR_JOB_WAIT;
	enter(r, phases[now + 1].name);
	rstar_pg_job_got_further(r->job);
	return RSTAR_JOB_AGAIN;
}

static rstar_job_step
step(rstar_job *job)
{
	round_state r = {.job = job, .round_id = *(int64 *) job->state};
	rstar_job_step next;

	rstar_pg_job_begin(job);
	next = go_on(&r);
	rstar_pg_job_commit(job);
	return next;
}

static const rstar_job_kind kind = {
	.name = "round", .function = "start_round", .start = start, .step = step};

void
rstar_pg_round_define(void)
{
	rstar_pg_job_kind_define(&kind);
}

/*
 * evaluate.c
 *	  The job that evaluates models on problems.
 *
 * An evaluation is a row of rstar.evaluations with its problems. rstar_evaluate
 * (evaluate_sql.c) submits searches of them all, jobs of kind search_all, and
 * this job, which waits for those and then counts, problem by problem, what the
 * trees came to. What is counted is stored, so the trees may be deleted later.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/search/outcomes.h"
#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/base/rows.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/rounds/evaluate.h"
#include "pg/workers/jobs.h"

/* Problems counted in one transaction. */
#define PROBLEMS_PER_STEP 20

typedef struct evaluation
{
	int64 evaluation_id;
	MemoryContext scratch;
} evaluation;

/* What the trees of a problem hold. */
typedef struct problem_trees
{
	rstar_reached *answers; /* in the order in which they were reached */
	uint64 *places;         /* the rollout of each, counted from 0 over all trees */
	uint32 n;
	uint64 rollouts; /* of all trees */
	uint64 *tokens;  /* generated up to the end of each rollout */
} problem_trees;

/* --- reading --------------------------------------------------------------------------- */

/*
 * Trees of a problem ($2) in the evaluation ($1), those of the greedy search or the
 * others ($3), with the number of rollouts before each.
 */
#define TREES                                                                                      \
	"WITH item AS MATERIALIZED (SELECT i.job_id, i.tree_id FROM rstar.evaluations e"               \
	" JOIN rstar.job_items i ON i.job_id OPERATOR(pg_catalog.=) ANY (e.search_jobs)"               \
	" WHERE e.evaluation_id OPERATOR(pg_catalog.=) $1 AND i.problem_id OPERATOR(pg_catalog.=) $2"  \
	" AND ((i.job_id OPERATOR(pg_catalog.=) e.greedy_job) IS TRUE) OPERATOR(pg_catalog.=) $3),"    \
	" tree AS (SELECT t.tree_id, t.settings, t.rollouts::int8,"                                    \
	" pg_catalog.sum(t.rollouts) OVER (ORDER BY item.job_id)::int8 OPERATOR(pg_catalog.-)"         \
	" t.rollouts AS before"                                                                        \
	" FROM item JOIN rstar.trees t ON t.tree_id OPERATOR(pg_catalog.=) item.tree_id)"

static void
run_over_trees(const char *statement, int64 evaluation_id, int64 problem_id, bool greedy)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, evaluation_id);
	rstar_pg_add_bigint(&a, problem_id);
	rstar_pg_add_bool(&a, greedy, false);
	rstar_pg_execute(statement, &a, true);
}

static void
read_answers(problem_trees *p, MemoryContext context)
{
	bool ppm = false;

	p->n = (uint32) SPI_processed;
	p->answers = MemoryContextAllocZero(context, Max(p->n, 1) * sizeof *p->answers);
	p->places = MemoryContextAllocZero(context, Max(p->n, 1) * sizeof *p->places);
	for (uint32 i = 0; i < p->n; i++)
	{
		char *answer = rstar_pg_result_text(i, "answer", context);
		bool is_null;

		p->places[i] = (uint64) rstar_pg_result_bigint(i, "place", 0);
		p->answers[i] = (rstar_reached){
			.answer = {answer ? answer : "", answer ? strlen(answer) : 0},
			.correct = rstar_pg_result_bool(i, "correct", &is_null),
			.score = rstar_pg_result_real(i, "score", 0),
		};
		ppm |= rstar_pg_result_bool(i, "ppm", &is_null);
	}
	rstar_outcomes_weigh(p->answers, p->n, ppm);
}

static void
read_tokens(problem_trees *p, MemoryContext context)
{
	uint64 sum = 0;

	p->rollouts = (uint64) rstar_pg_result_bigint(0, "rollouts", 0);
	p->tokens = MemoryContextAllocZero(context, Max(p->rollouts, 1) * sizeof *p->tokens);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		uint64 place = (uint64) rstar_pg_result_bigint(row, "place", -1);

		if (place < p->rollouts)
			p->tokens[place] += (uint64) rstar_pg_result_bigint(row, "tokens", 0);
	}
	for (uint64 i = 0; i < p->rollouts; i++)
		p->tokens[i] = sum += p->tokens[i];
}

static void
read_trees(int64 evaluation_id, int64 problem_id, bool greedy, problem_trees *p,
		   MemoryContext context)
{
	run_over_trees(TREES
				   " SELECT tree.before OPERATOR(pg_catalog.+) n.rollout AS place, j.answer,"
				   " j.correct, j.score, (tree.settings OPERATOR(pg_catalog.->>) 'ppm')"
				   " IS NOT NULL AS ppm"
				   " FROM tree JOIN rstar.trajectories j ON j.tree_id OPERATOR(pg_catalog.=)"
				   " tree.tree_id JOIN rstar.nodes n ON n.tree_id OPERATOR(pg_catalog.=) j.tree_id"
				   " AND n.node_id OPERATOR(pg_catalog.=) j.leaf_id ORDER BY place, j.leaf_id",
				   evaluation_id, problem_id, greedy);
	read_answers(p, context);
	run_over_trees(TREES " SELECT (SELECT pg_catalog.sum(rollouts)::int8 FROM tree) AS rollouts,"
						 " tree.before OPERATOR(pg_catalog.+) n.rollout AS place,"
						 " pg_catalog.sum(n.tokens)::int8 AS tokens FROM tree"
						 " JOIN rstar.nodes n ON n.tree_id OPERATOR(pg_catalog.=) tree.tree_id"
						 " GROUP BY 2",
				   evaluation_id, problem_id, greedy);
	p->rollouts = 0;
	p->tokens = NULL;
	if (SPI_processed > 0)
		read_tokens(p, context);
}

/* --- counting --------------------------------------------------------------------------- */

static const rstar_column columns[] = {
	{"evaluation_id", INT8OID}, {"problem_id", INT8OID}, {"measure", TEXTOID},
	{"per", TEXTOID},           {"k", INT4OID},          {"value", FLOAT8OID},
	{"answer", TEXTOID},        {"tokens", INT8OID},
};

/* What is counted for a problem goes to these rows. */
typedef struct counting
{
	rstar_rows rows;
	int64 evaluation_id, problem_id;
	const problem_trees *trees;
} counting;

static void
put(counting *c, const char *measure, const char *per, uint64 k, double value, const char *answer,
	uint64 tokens)
{
	rstar_pg_put_bigint(&c->rows, c->evaluation_id);
	rstar_pg_put_bigint(&c->rows, c->problem_id);
	rstar_pg_put_text(&c->rows, measure);
	rstar_pg_put_text(&c->rows, per);
	rstar_pg_put_int(&c->rows, (int64) k);
	rstar_pg_put_real(&c->rows, value);
	rstar_pg_put_text(&c->rows, answer);
	rstar_pg_put_bigint(&c->rows, (int64) tokens);
}

/* The answer that a rule gives out of the first n, and whether it is right. */
static void
put_choice(counting *c, const char *measure, const char *per, uint64 k, uint32 n, uint32 winner,
		   uint64 tokens)
{
	const rstar_reached *r = winner < n ? &c->trees->answers[winner] : NULL;

	put(c, measure, per, k, r && r->correct, r ? r->answer.data : NULL, tokens);
}

/* The first n answers, for k rollouts or answers, of which there were `shared`. */
static void
count_first(counting *c, const char *per, uint64 k, uint32 n, uint64 shared, uint64 tokens)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_outcomes out;
	rstar_error err;

	rstar_check(rstar_outcomes_of(c->trees->answers, n, &allocator, &out, &err), &err);
	put(c, "pass", per, k, out.correct > 0, NULL, tokens);
	put(c, "mean", per, k, shared > 0 ? (double) out.correct / shared : 0, NULL, tokens);
	put_choice(c, "best", per, k, n, out.best, tokens);
	put_choice(c, "majority", per, k, n, out.majority, tokens);
	put_choice(c, "weighted", per, k, n, out.weighted, tokens);
}

/* Tokens generated up to the rollout that reached answer i, or by all. */
static uint64
tokens_until(const problem_trees *p, uint64 rollout)
{
	if (p->rollouts == 0)
		return 0;
	return p->tokens[Min(rollout, p->rollouts - 1)];
}

static uint32
answers_within(const problem_trees *p, uint64 rollouts)
{
	uint32 n = 0;

	while (n < p->n && p->places[n] < rollouts)
		n++;
	return n;
}

/* 1, 2, 4, ... up to `asked`, which itself is the last. */
static uint64
next_k(uint64 k, uint64 asked)
{
	return k < asked && 2 * k > asked ? asked : 2 * k;
}

/*
 * By rollouts, up to `asked`: a tree that ended early has no more to give. By answers,
 * likewise: a problem with fewer answers keeps what it has, so that all problems count
 * for each k.
 */
static void
count_problem(counting *c, uint64 asked)
{
	const problem_trees *p = c->trees;

	for (uint64 k = 1; k <= asked; k = next_k(k, asked))
	{
		uint32 n = (uint32) Min(k, p->n);
		uint64 last = n == k && n > 0 ? p->places[n - 1] : p->rollouts;

		count_first(c, "rollout", k, answers_within(p, k), Min(k, p->rollouts),
					tokens_until(p, k - 1));
		count_first(c, "answer", k, n, n, tokens_until(p, last));
		CHECK_FOR_INTERRUPTS();
	}
}

static void
evaluate_problem(int64 evaluation_id, int64 problem_id, uint64 asked, bool greedy)
{
	counting c = {.evaluation_id = evaluation_id, .problem_id = problem_id};
	problem_trees trees;

	rstar_pg_rows_init(&c.rows, "evaluation_answers", columns, lengthof(columns), 2 * 5 * 34 + 1);
	c.trees = &trees;
	if (greedy)
	{
		read_trees(evaluation_id, problem_id, true, &trees, CurrentMemoryContext);
		put_choice(&c, "greedy", "rollout", 1, Min(trees.n, 1), 0, tokens_until(&trees, 0));
	}
	read_trees(evaluation_id, problem_id, false, &trees, CurrentMemoryContext);
	count_problem(&c, asked);
	rstar_pg_rows_insert(&c.rows, NULL);
}

/* --- the job ---------------------------------------------------------------------------- */

static void
start(rstar_job *job)
{
	evaluation *e = palloc0(sizeof *e);
	double number = 0;

	if (!rstar_pg_json_number(&job->arguments->root, "evaluation_id", &number))
		elog(ERROR, "job " INT64_FORMAT " does not name its evaluation", job->job_id);
	e->evaluation_id = (int64) number;
	e->scratch = AllocSetContextCreate(job->context, "rstar evaluation", ALLOCSET_DEFAULT_SIZES);
	job->state = e;
}

/* Whether searches that the evaluation waits for are still to come. */
static bool
searches_remain(int64 evaluation_id)
{
	rstar_arguments a = {0};

	rstar_pg_add_bigint(&a, evaluation_id);
	rstar_pg_execute("SELECT FROM rstar.jobs j JOIN rstar.evaluations e"
					 " ON j.job_id OPERATOR(pg_catalog.=) ANY (e.search_jobs)"
					 " WHERE e.evaluation_id OPERATOR(pg_catalog.=) $1 AND j.status"
					 " OPERATOR(pg_catalog.<>) ALL (ARRAY['done', 'failed', 'cancelled']) LIMIT 1",
					 &a, true);
	return SPI_processed > 0;
}

/* Count some problems that are not counted yet; how many were there? */
static uint64
count_some(evaluation *e, int64 *counted, int64 *total)
{
	rstar_arguments a = {0};
	uint64 n, asked;
	int64 *problems;
	bool greedy, is_null;

	rstar_pg_add_bigint(&a, e->evaluation_id);
	rstar_pg_add_int(&a, PROBLEMS_PER_STEP, false);
	rstar_pg_execute(
		"SELECT p.problem_id, e.greedy_job IS NOT NULL AS greedy, e.rollouts::int8 AS asked,"
		" (SELECT pg_catalog.count(*) FROM rstar.evaluation_problems q"
		"   WHERE q.evaluation_id OPERATOR(pg_catalog.=) $1) AS total,"
		" (SELECT pg_catalog.count(*) FROM rstar.evaluation_problems q"
		"   WHERE q.evaluation_id OPERATOR(pg_catalog.=) $1 AND q.counted) AS counted"
		" FROM rstar.evaluation_problems p JOIN rstar.evaluations e"
		"   ON e.evaluation_id OPERATOR(pg_catalog.=) p.evaluation_id"
		" WHERE p.evaluation_id OPERATOR(pg_catalog.=) $1 AND NOT p.counted"
		" ORDER BY p.problem_id LIMIT $2",
		&a, true);
	n = SPI_processed;
	if (n == 0)
		return 0;
	*total = rstar_pg_result_bigint(0, "total", 0);
	*counted = rstar_pg_result_bigint(0, "counted", 0) + (int64) n;
	greedy = rstar_pg_result_bool(0, "greedy", &is_null);
	asked = (uint64) rstar_pg_result_bigint(0, "asked", 0);
	problems = palloc(n * sizeof *problems);
	for (uint64 i = 0; i < n; i++)
		problems[i] = rstar_pg_result_bigint(i, "problem_id", 0);
	for (uint64 i = 0; i < n; i++)
	{
		rstar_arguments done = {0};

		evaluate_problem(e->evaluation_id, problems[i], asked, greedy);
		rstar_pg_add_bigint(&done, e->evaluation_id);
		rstar_pg_add_bigint(&done, problems[i]);
		rstar_pg_execute("UPDATE rstar.evaluation_problems SET counted = true"
						 " WHERE evaluation_id OPERATOR(pg_catalog.=) $1"
						 " AND problem_id OPERATOR(pg_catalog.=) $2",
						 &done, false);
	}
	return n;
}

static rstar_job_step
step(rstar_job *job)
{
	evaluation *e = job->state;
	MemoryContext caller = CurrentMemoryContext;
	rstar_tables_scope scope;
	int64 counted = 0, total = 0;
	uint64 n = 0;
	bool waiting;

	rstar_pg_job_begin(job);
	MemoryContextSwitchTo(e->scratch);
	rstar_tables_begin(&scope, "evaluation_problems", "evaluation_answers", "evaluations", "jobs",
					   "job_items", "trees", "trajectories", "nodes");
	waiting = searches_remain(e->evaluation_id);
	if (!waiting)
		n = count_some(e, &counted, &total);
	rstar_pg_tables_end(&scope);
	rstar_pg_job_commit(job);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(e->scratch);
	if (waiting)
		return RSTAR_JOB_WAIT;
	if (n > 0)
		rstar_pg_job_progress(job, "counting", counted, total);
	return n > 0 ? RSTAR_JOB_AGAIN : RSTAR_JOB_DONE;
}

static void
finish(rstar_job *job, rstar_job_end end)
{
	evaluation *e = job->state;
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	if (end != RSTAR_JOB_FINISHED)
		return;
	rstar_tables_begin(&scope, "evaluations");
	rstar_pg_add_bigint(&a, e->evaluation_id);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.evaluations SET status = 'done',"
					 " finished_at = $2"
					 " WHERE evaluation_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

static const rstar_job_kind kind = {
	.name = "evaluate", .start = start, .step = step, .finish = finish};

void
rstar_pg_evaluate_define(void)
{
	rstar_pg_job_kind_define(&kind);
}

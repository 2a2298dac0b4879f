/*
 * train_job.c
 *	  Training in the background: the kinds of job train_policy and train_ppm.
 *
 * A worker holds the run in memory and goes on slice by slice, outside of any
 * transaction. Every few seconds it stores the steps that are done, and every
 * rstar.checkpoint_interval it writes a checkpoint, from which the next worker
 * goes on if this one is lost. As the steps are stored with their numbers, those
 * that are done twice are there once.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/base/clock.h"
#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/train/run.h"
#include "pg/train/settings.h"
#include "pg/train/train_job.h"
#include "pg/workers/job.h"

#define STORE_INTERVAL_MS 3000

typedef struct train_job
{
	rstar_run *run;
	int64 run_id;
	TimestampTz stored, saved; /* when steps and checkpoint were last written */
} train_job;

static int64
run_of(const rstar_job *job)
{
	double run_id = 0;

	(void) rstar_pg_json_number(&job->arguments->root, "run_id", &run_id);
	return (int64) run_id;
}

static void
start(rstar_job *job)
{
	train_job *t = palloc0(sizeof *t);

	t->run_id = run_of(job);
	rstar_pg_job_progress(job, "opening the run", 0, 0);
	t->run = rstar_pg_run_open(t->run_id);
	(void) rstar_pg_run_resume(t->run);
	t->stored = t->saved = GetCurrentTimestamp();
	job->state = t;
}

/* Steps so far, and about how many there will be. */
static void
tell(rstar_job *job, const rstar_run *run)
{
	rstar_train_report r = rstar_trainer_report(rstar_pg_run_trainer(run));
	int64 total =
		r.tokens > 0 ? (int64) ((double) r.step * (double) r.tokens_total / (double) r.tokens) : 0;

	rstar_pg_job_progress(job, "training", (int64) r.step, Max(total, (int64) r.step));
	rstar_pg_job_doing(job, "step " UINT64_FORMAT ": loss %.4f, held out %.4f", (uint64) r.step,
					   r.loss, r.held_out_loss);
}

static void
store(rstar_job *job, train_job *t)
{
	MemoryContext context = MemoryContextSwitchTo(job->context);

	rstar_pg_job_begin(job);
	rstar_pg_run_store(t->run);
	rstar_pg_job_commit(job);
	MemoryContextSwitchTo(context);
	t->stored = GetCurrentTimestamp();
	tell(job, t->run);
}

static void
got_further(rstar_job *job)
{
	MemoryContext context = MemoryContextSwitchTo(job->context);

	rstar_pg_job_begin(job);
	rstar_pg_job_got_further(job);
	rstar_pg_job_commit(job);
	MemoryContextSwitchTo(context);
}

static void
finish_run(rstar_job *job, train_job *t)
{
	rstar_pg_job_progress(job, "writing the model", 0, 0);
	rstar_pg_job_begin(job);
	MemoryContextSwitchTo(job->context);
	(void) rstar_pg_run_finish(t->run);
	rstar_pg_job_commit(job);
}

/*
 * A checkpoint, between two steps. The steps up to there are stored first: a worker that goes
 * on from it does not do them again.
 */
static void
save(rstar_job *job, train_job *t)
{
	if (!rstar_trainer_between_steps(rstar_pg_run_trainer(t->run)))
		return;
	store(job, t);
	(void) rstar_pg_run_save(t->run);
	got_further(job);
	t->saved = GetCurrentTimestamp();
}

static bool
checkpoint_due(const train_job *t)
{
	return TimestampDifferenceExceeds(t->saved, GetCurrentTimestamp(),
									  rstar_pg_training_settings.checkpoint_interval_s * 1000);
}

/*
 * Slices of a small model last microseconds: many of them before the runtime is
 * asked again. Where a checkpoint is due, only to the end of a step, which is
 * when it can be written. True when nothing is left but to finish.
 */
static bool
work_a_while(train_job *t)
{
	double end = rstar_clock_ms() + RSTAR_SLICE_MS;
	bool due = checkpoint_due(t);

	while (!rstar_pg_run_work(t->run))
	{
		if (due && rstar_trainer_between_steps(rstar_pg_run_trainer(t->run)))
			return false;
		if (rstar_clock_ms() > end)
			return false;
	}
	return true;
}

static rstar_job_step
step(rstar_job *job)
{
	train_job *t = job->state;
	int64 done, total;

	MemoryContextSwitchTo(job->context);
	if (rstar_pg_run_reads_values(t->run, &done, &total))
		rstar_pg_job_progress(job, "reading the pairs' values", done, total);
	if (work_a_while(t))
	{
		finish_run(job, t);
		return RSTAR_JOB_DONE;
	}
	if (rstar_pg_run_unstored(t->run) > 0 &&
		TimestampDifferenceExceeds(t->stored, GetCurrentTimestamp(), STORE_INTERVAL_MS))
		store(job, t);
	if (checkpoint_due(t))
		save(job, t);
	return RSTAR_JOB_AGAIN;
}

/* Paused or stopped: a checkpoint now, if that is possible; cancelled: no trace of them. */
static void
leave(rstar_job *job, train_job *t)
{
	char *status = rstar_pg_job_status(job->job_id);

	rstar_pg_run_store(t->run);
	if (!status || strcmp(status, "cancelled") == 0)
		rstar_pg_run_forget(t->run_id);
	else
		(void) rstar_pg_run_save(t->run);
}

static void
finish(rstar_job *job, rstar_job_end end)
{
	train_job *t = job->state;

	if (!t || end == RSTAR_JOB_BROKEN)
		return; /* what the run holds goes with the job's context */
	if (end == RSTAR_JOB_FINISHED)
		rstar_pg_run_forget(t->run_id);
	else
		leave(job, t);
}

static const rstar_job_kind kinds[] = {
	{.name = "train_policy", .start = start, .step = step, .finish = finish},
	{.name = "train_ppm", .start = start, .step = step, .finish = finish},
};

void
rstar_pg_train_jobs_define(void)
{
	for (int i = 0; i < lengthof(kinds); i++)
		rstar_pg_job_kind_define(&kinds[i]);
}

void
rstar_pg_train_submit(int64 run_id, bool ppm, int threads, int nice)
{
	char *arguments = psprintf("{\"run_id\": " INT64_FORMAT "}", run_id);
	rstar_job_request request = {
		.kind = kinds[ppm].name,
		.arguments = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(arguments))),
		.threads = threads,
		.nice = nice,
	};

	rstar_pg_run_set_job(run_id, rstar_pg_job_submit(&request));
}

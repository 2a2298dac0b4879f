/*
 * run.c
 *	  A run of training: its rows, its trainer, and what the two tell each other.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/text/tokenizer.h"
#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/base/rows.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/models/compute.h"
#include "pg/models/files.h"
#include "pg/train/examples.h"
#include "pg/train/run.h"
#include "pg/train/run_settings.h"
#include "core/model/store.h"
#include "core/train/checkpoint.h"
#include "pg/train/settings.h"
#include "pg/models/settings.h"

#define CHECKPOINTS "checkpoints" /* directory within that of models */

/* A step on its way to rstar.training_steps. */
typedef struct step_row
{
	rstar_train_report report;
	bool evaluated;
	double tokens_per_s;
} step_row;

struct rstar_run
{
	int64 run_id;
	char *name;
	bool ppm;
	rstar_model_row *base;
	rstar_train_settings settings;
	char *file_type;
	rstar_gguf *gguf;
	rstar_tokenizer *tokenizer;
	rstar_examples examples;
	int64 *example_ids;
	rstar_trainer *trainer;
	MemoryContext context;

	step_row *steps; /* not stored yet */
	int n_steps, room;
	TimestampTz last_step;
	uint64 last_tokens;
	double first_held_out;

	bool trained;
	uint32 next_value; /* of a PPM: the next pair to read */
	float *chosen, *rejected;
};

/* --- opening the base -------------------------------------------------------------------- */

static void
free_examples(void *handle)
{
	rstar_examples_free(handle);
}

/* File, tokenizer and an empty store of examples, all in the current context. */
static void
open_base(rstar_run *run, bool train_on_output)
{
	rstar_guard *tokenizer_guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_tokenizer_close);
	rstar_guard *examples_guard = rstar_pg_guard_create(CurrentMemoryContext, free_examples);
	rstar_prompt_template prompt;
	const char *template = run->base->prompt_template;
	rstar_error err;

	run->gguf = rstar_pg_model_file_map(run->base);
	rstar_check(rstar_tokenizer_open(run->gguf, &rstar_allocator_malloc, &rstar_pg_cancel,
									 &run->tokenizer, &err),
				&err);
	rstar_pg_guard_hold(tokenizer_guard, run->tokenizer);
	rstar_check(
		rstar_prompt_template_parse(template, template ? strlen(template) : 0, &prompt, &err),
		&err);
	rstar_examples_init(&run->examples, run->tokenizer, prompt, (uint32) run->base->context_length,
						train_on_output, &rstar_allocator_malloc);
	rstar_pg_guard_hold(examples_guard, &run->examples);
}

/* --- creating ---------------------------------------------------------------------------- */

/* A run of that name that is not over would make the same model. */
static void
check_no_other(const char *name)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool taken;

	rstar_tables_begin(&scope, "training_runs", "jobs");
	rstar_pg_add_text(&a, name);
	rstar_pg_execute(
		"SELECT FROM rstar.training_runs r JOIN rstar.jobs j ON j.job_id OPERATOR(pg_catalog.=) "
		"r.job_id WHERE r.name OPERATOR(pg_catalog.=) $1 AND r.result_model_id IS NULL"
		" AND j.status OPERATOR(pg_catalog.=) ANY (ARRAY['queued', 'running', 'waiting', "
		"'paused'])",
		&a, false);
	taken = SPI_processed > 0;
	rstar_pg_tables_end(&scope);
	if (taken)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("a training run \"%s\" is under way", name)));
}

static int64
insert_run(const rstar_run_request *r)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	Oid user = GetUserId();
	int64 run_id;

	rstar_tables_begin(&scope, "training_runs");
	rstar_pg_add_text(&a, r->name);
	rstar_pg_add_text(&a, r->ppm ? RSTAR_ROLE_PPM : RSTAR_ROLE_POLICY);
	rstar_pg_add_bigint(&a, r->base->model_id);
	rstar_pg_add_text(&a, r->base->sha256);
	rstar_pg_add_text(&a, r->query);
	rstar_pg_add(&a, JSONBOID, JsonbPGetDatum(rstar_pg_run_settings_to_jsonb(r)), false);
	rstar_pg_add_text(&a, GetUserNameFromId(user, false));
	rstar_pg_execute("INSERT INTO rstar.training_runs (name, kind, base_id, base_sha256, query,"
					 " settings, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING run_id",
					 &a, false);
	run_id = rstar_pg_result_bigint(0, "run_id", 0);
	rstar_pg_tables_end(&scope);
	return run_id;
}

static void
update_counts(int64 run_id, const rstar_example_counts *counts, const rstar_examples *examples)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "training_runs");
	rstar_pg_add_bigint(&a, run_id);
	rstar_pg_add_bigint(&a, counts->rows);
	rstar_pg_add_bigint(&a, counts->too_long);
	rstar_pg_add_bigint(&a, (int64) examples->tokens);
	rstar_pg_execute("UPDATE rstar.training_runs SET examples = $2, too_long = $3, tokens = $4"
					 " WHERE run_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

static void
report_counts(const rstar_run_request *r, const rstar_example_counts *counts)
{
	if (counts->rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND), errmsg("the query returned no rows"),
				 errhint("Training needs trees with correct answers, or a query of your own.")));
	if (counts->too_long == counts->rows)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("none of " INT64_FORMAT " examples fits the context of %d tokens",
							   counts->rows, r->base->context_length)));
	if (counts->too_long > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg(INT64_FORMAT " of " INT64_FORMAT " examples are longer than the context of "
									 "%d tokens and were left out",
						counts->too_long, counts->rows, r->base->context_length)));
}

/* Refuse now what would be refused when the run begins: too much memory. */
static void
check_plan(const rstar_run *run, const rstar_run_request *r)
{
	rstar_train_settings settings = r->settings;
	rstar_train_plan plan;
	rstar_error err;

	settings.memory_limit = (uint64) rstar_pg_training_settings.memory_mb << 20;
	rstar_check(rstar_trainer_plan(run->gguf, &run->examples, &settings,
								   rstar_pg_settings_threads(), &plan, &err),
				&err);
	ereport(NOTICE, (errmsg("training %zu of %zu parameters on %zu examples takes %zu MB of memory",
							plan.n_trained, plan.n_parameters, run->examples.n, plan.total >> 20)));
}

int64
rstar_pg_run_create(const rstar_run_request *request)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "rstar training run", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	rstar_run *run = palloc0(sizeof *run);
	rstar_example_counts counts;
	int64 run_id;

	check_no_other(request->name);
	run->base = request->base;
	open_base(run, request->train_on_output);
	run_id = insert_run(request);
	counts = rstar_pg_examples_store(run_id, request->ppm, request->query, &run->examples);
	report_counts(request, &counts);
	update_counts(run_id, &counts, &run->examples);
	check_plan(run, request);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return run_id;
}

void
rstar_pg_run_set_job(int64 run_id, int64 job_id)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "training_runs");
	rstar_pg_add_bigint(&a, run_id);
	rstar_pg_add_bigint(&a, job_id);
	rstar_pg_execute("UPDATE rstar.training_runs SET job_id = $2"
					 " WHERE run_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/* --- opening ------------------------------------------------------------------------------ */

/* The row; *kernel is the one that the run began with, or NULL. */
static void
read_run(rstar_run *run, char **kernel, bool *train_on_output)
{
	MemoryContext context = CurrentMemoryContext;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	char *base, *sha256;
	Jsonb *settings;
	bool is_null;

	rstar_tables_begin(&scope, "training_runs", "models");
	rstar_pg_add_bigint(&a, run->run_id);
	rstar_pg_execute("SELECT r.name, r.kind, r.settings, r.kernel, r.base_sha256, m.name AS base"
					 " FROM rstar.training_runs r LEFT JOIN rstar.models m"
					 " ON m.model_id OPERATOR(pg_catalog.=) r.base_id"
					 " WHERE r.run_id OPERATOR(pg_catalog.=) $1",
					 &a, false); /* sees what this transaction inserted */
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("training run " INT64_FORMAT " does not exist", run->run_id)));
	run->name = rstar_pg_result_text(0, "name", context);
	run->ppm = strcmp(rstar_pg_result_text(0, "kind", context), RSTAR_ROLE_PPM) == 0;
	*kernel = rstar_pg_result_text(0, "kernel", context);
	base = rstar_pg_result_text(0, "base", context);
	sha256 = rstar_pg_result_text(0, "base_sha256", context);
	settings = DatumGetJsonbPCopy(rstar_pg_result(0, "settings", &is_null));
	rstar_pg_run_settings_from_jsonb(settings, run->ppm, &run->settings, &run->file_type,
									 train_on_output);
	if (run->file_type)
		run->file_type = MemoryContextStrdup(context, run->file_type);
	rstar_pg_tables_end(&scope);
	run->base = base ? rstar_pg_model_find(base) : NULL;
	if (!run->base || strcmp(run->base->sha256, sha256) != 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("the base model of training run \"%s\" does not exist any more",
							   run->name)));
}

/* What the run found out as it began. */
static void
update_beginning(const rstar_run *run)
{
	rstar_train_plan plan = rstar_trainer_memory(run->trainer);
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "training_runs");
	rstar_pg_add_bigint(&a, run->run_id);
	rstar_pg_add_text(&a, rstar_trainer_kernel(run->trainer));
	rstar_pg_add_int(&a, rstar_pool_threads(rstar_pg_compute_pool()), false);
	rstar_pg_add_bigint(&a, (int64) plan.total);
	rstar_pg_add_bigint(&a, (int64) plan.n_parameters);
	rstar_pg_add_bigint(&a, (int64) plan.n_trained);
	rstar_pg_add_now(&a);
	rstar_pg_execute("UPDATE rstar.training_runs SET kernel = $2, threads = $3, memory = $4,"
					 " parameters = $5, trained_parameters = $6,"
					 " started_at = COALESCE(started_at, $7)"
					 " WHERE run_id OPERATOR(pg_catalog.=) $1",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/*
 * A run that goes on takes its kernel from its row, as another would not compute the same
 * numbers; the setting counts only where the row names none. The trainer is the guard's as
 * soon as it exists, and goes with the memory context.
 */
rstar_run *
rstar_pg_run_open(int64 run_id)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_trainer_free);
	rstar_run *run = palloc0(sizeof *run);
	rstar_pool *pool = rstar_pg_compute_pool();
	bool train_on_output;
	char *kernel;
	rstar_error err;

	run->run_id = run_id;
	run->context = CurrentMemoryContext;
	read_run(run, &kernel, &train_on_output);
	open_base(run, train_on_output);
	rstar_pg_examples_read(run_id, run->ppm, &run->examples, &run->example_ids);
	if (!kernel && rstar_pg_training_settings.matrix_kernel[0] != '\0')
		kernel = pstrdup(rstar_pg_training_settings.matrix_kernel);
	run->settings.kernel = kernel;
	run->settings.identity = run->base->sha256;
	run->settings.memory_limit = (uint64) rstar_pg_training_settings.memory_mb << 20;
	rstar_check(rstar_trainer_create(run->gguf, &run->examples, &run->settings, pool,
									 &rstar_allocator_malloc, &rstar_pg_cancel, &run->trainer,
									 &err),
				&err);
	rstar_pg_guard_hold(guard, run->trainer);
	update_beginning(run);
	run->first_held_out = NAN;
	run->last_step = GetCurrentTimestamp();
	if (run->ppm)
	{
		run->chosen = palloc_extended(run->examples.n * sizeof(float), MCXT_ALLOC_HUGE);
		run->rejected = palloc_extended(run->examples.n * sizeof(float), MCXT_ALLOC_HUGE);
	}
	return run;
}

const rstar_trainer *
rstar_pg_run_trainer(const rstar_run *run)
{
	return run->trainer;
}

/* --- checkpoints ------------------------------------------------------------------------- */

static char *
checkpoint_directory(void)
{
	return psprintf("%s/%s", rstar_pg_model_directory(), CHECKPOINTS);
}

/* All databases of the server share the directory. */
static char *
checkpoint_name(int64 run_id)
{
	return psprintf("%u-run-" INT64_FORMAT, MyDatabaseId, run_id);
}

bool
rstar_pg_run_resume(rstar_run *run)
{
	rstar_error err;
	rstar_status status = rstar_trainer_resume(
		run->trainer, checkpoint_directory(), checkpoint_name(run->run_id), &rstar_pg_cancel, &err);

	if (status == RSTAR_ERR_NOT_FOUND)
		return false;
	rstar_check(status, &err);
	run->last_tokens = rstar_trainer_report(run->trainer).tokens;
	return true;
}

bool
rstar_pg_run_save(rstar_run *run)
{
	rstar_error err;
	rstar_status status;

	if (!rstar_trainer_between_steps(run->trainer))
		return false;
	rstar_check(rstar_store_make_directory(rstar_pg_model_directory(), &err), &err);
	status = rstar_trainer_save(run->trainer, checkpoint_directory(), checkpoint_name(run->run_id),
								&rstar_pg_cancel, &err);
	rstar_check(status, &err);
	return true;
}

void
rstar_pg_run_forget(int64 run_id)
{
	rstar_checkpoint_remove(checkpoint_directory(), checkpoint_name(run_id));
}

/* --- working ------------------------------------------------------------------------------- */

static void
note_step(rstar_run *run, bool evaluated)
{
	TimestampTz now = GetCurrentTimestamp();
	rstar_train_report report = rstar_trainer_report(run->trainer);
	double seconds = Max((double) (now - run->last_step) / 1e6, 1e-6);
	step_row *last = run->n_steps > 0 ? &run->steps[run->n_steps - 1] : NULL;

	if (evaluated && isnan(run->first_held_out))
		run->first_held_out = report.held_out_loss;
	if (evaluated && last && last->report.step == report.step)
	{
		last->evaluated = true;
		last->report = report;
		run->last_step = now;
		return;
	}
	if (run->n_steps == run->room)
	{
		run->room = Max(64, 2 * run->room);
		run->steps = run->steps ? repalloc(run->steps, run->room * sizeof *run->steps)
								: MemoryContextAlloc(run->context, run->room * sizeof *run->steps);
	}
	run->steps[run->n_steps++] =
		(step_row){report, evaluated, (double) (report.tokens - run->last_tokens) / seconds};
	run->last_step = now;
	run->last_tokens = report.tokens;
}

/* The values of some pairs; true when all are read. */
static bool
read_values(rstar_run *run)
{
	rstar_error err;
	rstar_status status;

	if (!run->ppm)
		return true;
	status = rstar_trainer_values(run->trainer, &run->next_value, run->chosen, run->rejected,
								  &rstar_pg_cancel, &err);
	if (status == RSTAR_AGAIN)
		return false;
	rstar_check(status, &err);
	rstar_trainer_center(run->trainer, run->chosen, run->rejected);
	return true;
}

bool
rstar_pg_run_reads_values(const rstar_run *run, int64 *done, int64 *total)
{
	*done = run->next_value;
	*total = (int64) run->examples.n;
	return run->trained && run->ppm;
}

bool
rstar_pg_run_work(rstar_run *run)
{
	rstar_train_event event;
	rstar_error err;

	if (run->trained)
		return read_values(run);
	rstar_check(rstar_trainer_advance(run->trainer, &rstar_pg_cancel, &event, &err), &err);
	if (event == RSTAR_TRAIN_STEP || event == RSTAR_TRAIN_EVALUATED)
		note_step(run, event == RSTAR_TRAIN_EVALUATED);
	run->trained = event == RSTAR_TRAIN_DONE;
	return false;
}

/* --- storing ------------------------------------------------------------------------------- */

static const rstar_column step_columns[] = {
	{"run_id", INT8OID},          {"step", INT8OID},
	{"loss", FLOAT8OID},          {"correct", FLOAT8OID},
	{"held_out_loss", FLOAT8OID}, {"held_out_correct", FLOAT8OID},
	{"learning_rate", FLOAT8OID}, {"gradient_norm", FLOAT8OID},
	{"tokens", INT8OID},          {"tokens_per_s", FLOAT8OID},
};

static void
put_known(rstar_rows *rows, bool known, double value)
{
	if (known && !isnan(value))
		rstar_pg_put_real(rows, value);
	else
		rstar_pg_put_null(rows);
}

static void
put_step(const rstar_run *run, const step_row *s, rstar_rows *rows)
{
	const rstar_train_report *r = &s->report;
	bool step = r->step > 0; /* the first evaluation comes before any step */

	rstar_pg_put_bigint(rows, run->run_id);
	rstar_pg_put_bigint(rows, (int64) r->step);
	put_known(rows, step, r->loss);
	put_known(rows, step && run->ppm, r->correct);
	put_known(rows, s->evaluated, r->held_out_loss);
	put_known(rows, s->evaluated && run->ppm, r->held_out_correct);
	put_known(rows, step, r->rate);
	put_known(rows, step, r->norm);
	rstar_pg_put_bigint(rows, (int64) r->tokens);
	put_known(rows, step, s->tokens_per_s);
}

int
rstar_pg_run_unstored(const rstar_run *run)
{
	return run->n_steps;
}

/* A step that is done again after a crash takes the place of the one before. */
void
rstar_pg_run_store(rstar_run *run)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	rstar_rows rows;

	if (run->n_steps == 0)
		return;
	rstar_pg_rows_init(&rows, "training_steps", step_columns, lengthof(step_columns),
					   (uint32) run->n_steps);
	for (int i = 0; i < run->n_steps; i++)
		put_step(run, &run->steps[i], &rows);
	rstar_tables_begin(&scope, "training_steps");
	rstar_pg_add_bigint(&a, run->run_id);
	rstar_pg_add_bigint(&a, (int64) run->steps[0].report.step);
	rstar_pg_execute("DELETE FROM rstar.training_steps WHERE run_id OPERATOR(pg_catalog.=) $1"
					 " AND step OPERATOR(pg_catalog.>=) $2",
					 &a, false);
	rstar_pg_rows_insert(&rows, NULL);
	rstar_pg_tables_end(&scope);
	run->n_steps = 0;
}

/* --- finishing -------------------------------------------------------------------------------- */

static Datum
float8_array(const float *values, int n)
{
	Datum *elements = palloc_extended((n + 1) * sizeof *elements, MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values ? (double) values[i] : 0);
	return PointerGetDatum(
		construct_array(elements, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
bigint_array(const int64 *values, int n)
{
	Datum *elements = palloc_extended((n + 1) * sizeof *elements, MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(values[i]);
	return PointerGetDatum(
		construct_array(elements, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
bool_array(const rstar_run *run, int n)
{
	Datum *elements = palloc_extended((n + 1) * sizeof *elements, MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
		elements[i] = BoolGetDatum(rstar_trainer_holds_out(run->trainer, (uint32) i));
	return PointerGetDatum(construct_array(elements, n, BOOLOID, 1, true, TYPALIGN_CHAR));
}

#define FLOAT8ARRAY 1022 /* oid of double precision[] */

/* Which examples were held out; the values of a PPM's pairs. */
static void
update_examples(const rstar_run *run)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int n = (int) run->examples.n;

	rstar_tables_begin(&scope, "training_examples");
	rstar_pg_add_bigint(&a, run->run_id);
	rstar_pg_add(&a, INT8ARRAYOID, bigint_array(run->example_ids, n), false);
	rstar_pg_add(&a, BOOLARRAYOID, bool_array(run, n), false);
	rstar_pg_add(&a, FLOAT8ARRAY, float8_array(run->chosen, n), false);
	rstar_pg_add(&a, FLOAT8ARRAY, float8_array(run->rejected, n), false);
	rstar_pg_add_bool(&a, run->ppm, false);
	rstar_pg_execute("UPDATE rstar.training_examples e SET held_out = v.held_out,"
					 " chosen_value = CASE WHEN $6 THEN v.chosen END,"
					 " rejected_value = CASE WHEN $6 THEN v.rejected END"
					 " FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3),"
					 " pg_catalog.unnest($4), pg_catalog.unnest($5)) AS v (example_id, held_out, "
					 "chosen, rejected)"
					 " WHERE e.run_id OPERATOR(pg_catalog.=) $1"
					 " AND e.example_id OPERATOR(pg_catalog.=) v.example_id",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

/* What came of the run, in its row and in its model's. */
static void
update_end(const rstar_run *run, int64 model_id)
{
	rstar_train_report r = rstar_trainer_report(run->trainer);
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "training_runs", "training_steps", "models");
	rstar_pg_add_bigint(&a, run->run_id);
	rstar_pg_add_bigint(&a, model_id);
	rstar_pg_add_bigint(&a, (int64) r.step);
	rstar_pg_add_real(&a, r.loss);
	rstar_pg_add(&a, FLOAT8OID, Float8GetDatum(r.held_out_loss), isnan(r.held_out_loss));
	rstar_pg_add(&a, FLOAT8OID, Float8GetDatum(r.held_out_correct), isnan(r.held_out_correct));
	rstar_pg_add_now(&a);
	rstar_pg_execute(
		"UPDATE rstar.training_runs r SET result_model_id = $2, steps = $3, loss = $4,"
		" held_out_loss = $5, held_out_correct = $6,"
		" first_held_out_loss = (SELECT s.held_out_loss FROM rstar.training_steps s"
		"   WHERE s.run_id OPERATOR(pg_catalog.=) r.run_id AND s.held_out_loss IS NOT NULL"
		"   ORDER BY s.step LIMIT 1),"
		" finished_at = $7"
		" WHERE run_id OPERATOR(pg_catalog.=) $1",
		&a, false);
	a = (rstar_arguments){0};
	rstar_pg_add_bigint(&a, run->run_id);
	rstar_pg_add_bigint(&a, model_id);
	rstar_pg_execute("UPDATE rstar.models SET training_run_id = $1"
					 " WHERE model_id OPERATOR(pg_catalog.=) $2",
					 &a, false);
	rstar_pg_tables_end(&scope);
}

int64
rstar_pg_run_finish(rstar_run *run)
{
	rstar_model_row row = {.name = run->name,
						   .role = run->ppm ? RSTAR_ROLE_PPM : RSTAR_ROLE_POLICY,
						   .prompt_template = run->base->prompt_template,
						   .defaults = rstar_pg_model_inherited_defaults(run->base),
						   .parent_id = run->base->model_id};
	rstar_quantize_target target = {RSTAR_TYPE_F32, false};
	rstar_store_entry *entry;
	rstar_error err;
	int64 model_id;

	rstar_pg_run_store(run);
	if (run->file_type)
		(void) rstar_quantize_by_name(run->file_type, &target);
	rstar_pg_model_check_name(run->name);
	entry = rstar_pg_model_file_begin();
	rstar_check(rstar_trainer_write(run->trainer, target, entry->fd, &rstar_pg_cancel, &err), &err);
	rstar_pg_model_file_finish(entry);
	model_id = rstar_pg_model_register(&row, entry);
	update_examples(run);
	update_end(run, model_id);
	return model_id;
}

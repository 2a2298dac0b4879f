/*
 * run.h
 *	  A run of training: its rows, its trainer, and what the two tell each other.
 *
 * The rows of rstar.training_runs and rstar.training_examples are complete
 * before a run begins, so the same code goes on in the foreground, in a worker,
 * or in another worker after a crash:
 *
 *		rstar_pg_run_create()		checks, query, rows            (the caller's transaction)
 *		rstar_pg_run_open()		rows -> examples -> trainer    (in a transaction)
 *		rstar_pg_run_work()		a slice, no transaction, until DONE
 *		rstar_pg_run_store()		steps that are not stored yet  (in a transaction)
 *		rstar_pg_run_finish()		the model, and the last columns (in a transaction)
 */
#ifndef RSTAR_PG_TRAIN_RUN_H
#define RSTAR_PG_TRAIN_RUN_H

#include "postgres.h"

#include "core/train/trainer.h"
#include "pg/models/models.h"

/* What a caller asks for; names are NULL and numbers not given where nothing was said. */
typedef struct rstar_run_request
{
	bool ppm;
	char *name;
	rstar_model_row *base;
	char *query;
	rstar_train_settings settings; /* memory_limit, kernel and identity aside */
	char *method;                  /* scratch, tune or lora */
	char *file_type;
	bool train_on_output;
} rstar_run_request;

/*
 * Insert the run and its examples, which the query gives. Raises for a query that
 * is not one SELECT of the right columns, for NULLs, no rows, no row that fits the
 * context, and a run of that name that is not over; warns of rows that do not fit. Returns the run's number.
 */
extern int64 rstar_pg_run_create(const rstar_run_request *request);

typedef struct rstar_run rstar_run;

/* Everything lives in the current memory context, released with it. Raises. */
extern rstar_run *rstar_pg_run_open(int64 run_id);

/*
 * Go on from a checkpoint, if there is one; whether there was. Raises if there are some
 * but none is usable.
 */
extern bool rstar_pg_run_resume(rstar_run *run);

/* Write a checkpoint now, if the run is between two steps; false: it is not. Raises. */
extern bool rstar_pg_run_save(rstar_run *run);

/* Remove the checkpoints of a run. */
extern void rstar_pg_run_forget(int64 run_id);

/* One slice of some milliseconds; true when nothing is left but to finish. Raises. */
extern bool rstar_pg_run_work(rstar_run *run);

extern const rstar_trainer *rstar_pg_run_trainer(const rstar_run *run);

/* Of a PPM: whether all steps are done and the values of its pairs are being read; how many are. */
extern bool rstar_pg_run_reads_values(const rstar_run *run, int64 *done, int64 *total);

/* Steps done and not stored yet; and storing them. */
extern int rstar_pg_run_unstored(const rstar_run *run);
extern void rstar_pg_run_store(rstar_run *run);

/* Write and register the model; returns its number. */
extern int64 rstar_pg_run_finish(rstar_run *run);

/* The job that works at a run; 0: none. */
extern void rstar_pg_run_set_job(int64 run_id, int64 job_id);

#endif

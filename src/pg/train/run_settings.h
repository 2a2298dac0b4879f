/*
 * run_settings.h
 *	  The settings of a run of training, as a row keeps them.
 */
#ifndef RSTAR_PG_TRAIN_RUN_SETTINGS_H
#define RSTAR_PG_TRAIN_RUN_SETTINGS_H

#include "postgres.h"
#include "utils/jsonb.h"

#include "pg/train/run.h"

/* All that decides what a run does, in the words of the functions' arguments. */
extern Jsonb *rstar_pg_run_settings_to_jsonb(const rstar_run_request *request);

/* And back; *file_type is palloc'd, or NULL. */
extern void rstar_pg_run_settings_from_jsonb(Jsonb *stored, bool ppm,
											 rstar_train_settings *settings, char **file_type,
											 bool *train_on_output);

/* "adamw", "muon"; raises for other names. */
extern rstar_optimiser_kind rstar_pg_run_optimiser(const char *name);

#endif

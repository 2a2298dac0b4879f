/*
 * settings.h
 *	  Settings of training.
 */
#ifndef RSTAR_PG_TRAIN_SETTINGS_H
#define RSTAR_PG_TRAIN_SETTINGS_H

#include "postgres.h"

typedef struct rstar_training_settings_values
{
	int memory_mb;             /* 0: no limit */
	int checkpoint_interval_s; /* of background training */
	char *matrix_kernel;       /* "": the fastest */
} rstar_training_settings_values;

extern rstar_training_settings_values rstar_pg_training_settings;

/* Define them; from _PG_init. */
extern void rstar_pg_training_settings_define(void);

#endif

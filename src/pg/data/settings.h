/*
 * settings.h
 *	  Settings of training data.
 */
#ifndef RSTAR_PG_DATA_SETTINGS_H
#define RSTAR_PG_DATA_SETTINGS_H

#include "postgres.h"

/* The settings' values; -1: the default of the model that made the tree. */
typedef struct rstar_data_settings_values
{
	double pair_min_margin;
	int pair_min_edit;
} rstar_data_settings_values;

extern rstar_data_settings_values rstar_pg_data_settings;

/* Define them; from _PG_init. */
extern void rstar_pg_data_settings_define(void);

#endif

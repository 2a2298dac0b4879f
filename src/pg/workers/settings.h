/*
 * settings.h
 *	  Settings of the background workers.
 */
#ifndef RSTAR_PG_WORKERS_SETTINGS_H
#define RSTAR_PG_WORKERS_SETTINGS_H

#include "postgres.h"

typedef struct rstar_workers_settings_values
{
	int max_workers;
	int nice;
} rstar_workers_settings_values;

extern rstar_workers_settings_values rstar_pg_workers_settings;

/* Define them; from _PG_init. */
extern void rstar_pg_workers_settings_define(void);

#endif

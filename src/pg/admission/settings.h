/*
 * settings.h
 *	  Settings of the whole server's limits.
 */
#ifndef RSTAR_PG_ADMISSION_SETTINGS_H
#define RSTAR_PG_ADMISSION_SETTINGS_H

#include "postgres.h"

typedef struct rstar_admission_settings_values
{
	int max_active_searches; /* 0: as many as there are cores */
	int total_kv_cache_mb;   /* 0: no limit, as for the others */
	int total_sandbox_memory_mb;
	int total_sandbox_processes;
} rstar_admission_settings_values;

extern rstar_admission_settings_values rstar_pg_admission_settings;

/* Define them; from _PG_init. */
extern void rstar_pg_admission_settings_define(void);

#endif

/*
 * settings.h
 *	  Settings of verifiers: the limits of queries.
 */
#ifndef RSTAR_PG_VERIFY_SETTINGS_H
#define RSTAR_PG_VERIFY_SETTINGS_H

#include "postgres.h"

/* The settings' values. */
typedef struct rstar_verify_settings_values
{
	int timeout_ms; /* of one query */
	int memory_mb;  /* that it may take, and of temporary files as much */
	int rows;       /* that it may return */
} rstar_verify_settings_values;

extern rstar_verify_settings_values rstar_pg_verify_settings;

/* Define them; from _PG_init. */
extern void rstar_pg_verify_settings_define(void);

#endif

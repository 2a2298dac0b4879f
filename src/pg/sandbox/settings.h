/*
 * settings.h
 *	  Settings of the sandbox.
 */
#ifndef RSTAR_PG_SANDBOX_SETTINGS_H
#define RSTAR_PG_SANDBOX_SETTINGS_H

#include "postgres.h"

/* rstar.sandbox_mode */
typedef enum rstar_sandbox_mode
{
	RSTAR_SANDBOX_MODE_AUTO,  /* keep states where the kernel can, else rebuild them */
	RSTAR_SANDBOX_MODE_REPLAY /* always rebuild them */
} rstar_sandbox_mode;

/* The settings' values. */
typedef struct rstar_sandbox_settings_values
{
	char *sandbox_program;
	char *sandbox_modules;
	int sandbox_mode; /* an rstar_sandbox_mode */
	bool sandbox_namespaces;
	bool sandbox_shared;
	int sandbox_timeout_ms; /* wall clock, of one step */
	int sandbox_max_timeout_ms;
	int sandbox_cpu_timeout_ms;
	int sandbox_step_memory_mb;
	int sandbox_memory_mb; /* of a session's sandbox in all */
	int sandbox_processes; /* that run or keep a step */
	int sandbox_output;    /* bytes */
	int sandbox_parallel;  /* 0: as many as there are cores */
	int sandbox_idle_timeout_s;
} rstar_sandbox_settings_values;

extern rstar_sandbox_settings_values rstar_pg_sandbox_settings;

/* Bytes of all processes of the session's sandbox. */
extern Size rstar_pg_settings_sandbox_bytes(void);

/* Define them; from _PG_init. */
extern void rstar_pg_sandbox_settings_define(void);

#endif

/*
 * remote_settings.h
 *	  Settings of models on other servers.
 */
#ifndef RSTAR_PG_MODELS_REMOTE_SETTINGS_H
#define RSTAR_PG_MODELS_REMOTE_SETTINGS_H

#include "postgres.h"

#include "core/remote/http.h"

typedef struct rstar_remote_settings_values
{
	char *hosts;
	char *key_directory;
	char *ca_file;
	int in_flight;
	int answer_kb;
	int connect_ms, answer_ms, rest_ms;
	int patience_ms, worker_patience_ms;
	int problems;
	bool logprobs;
} rstar_remote_settings_values;

extern rstar_remote_settings_values rstar_pg_remote_settings;

/* The limits in force for questions of this process: workers have more patience. */
extern rstar_http_limits rstar_pg_remote_limits(void);

/* Define them; from _PG_init. */
extern void rstar_pg_remote_settings_define(void);

#endif

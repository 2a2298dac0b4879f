/*
 * settings.h
 *	  Settings of searches.
 */
#ifndef RSTAR_PG_SEARCH_SETTINGS_H
#define RSTAR_PG_SEARCH_SETTINGS_H

#include "postgres.h"

/* The settings' values; -1: the model's own default, where it has one. */
typedef struct rstar_search_settings_values
{
	int candidates;
	int rollouts;
	int max_rollouts;
	int max_depth;
	int step_tokens;
	int solution_tokens; /* 0: what the context allows */
	double search_temperature;
	double min_confidence;
	double exploration;
	double unvisited_value;
	double value_scale;
	int max_code_errors;
	bool answer_exclusive;
	int method; /* an rstar_search_method */
	int beam_width;
	int trees;
	int top_n;        /* 0: all */
	int side_by_side; /* 0: by the model */
	bool use_known_answer;
	int search_nodes; /* 0: no limit, as for the next two */
	int search_tokens;
	int search_timeout_ms;
	int max_search_timeout_ms;
	int enough_correct; /* 0: never enough, as for the next one */
	int enough_first;
	bool show_progress;
} rstar_search_settings_values;

extern rstar_search_settings_values rstar_pg_search_settings;

/* Define them; from _PG_init. */
extern void rstar_pg_search_settings_define(void);

#endif

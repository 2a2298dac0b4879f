/*
 * options.h
 *	  What a search is told: from arguments and settings, and as jsonb.
 */
#ifndef RSTAR_PG_SEARCH_OPTIONS_H
#define RSTAR_PG_SEARCH_OPTIONS_H

#include "postgres.h"
#include "fmgr.h"
#include "utils/guc.h"
#include "utils/jsonb.h"

#include "core/search/search.h"
#include "pg/base/arguments.h"
#include "pg/models/models.h"

/* rstar.method, in the order of rstar_pg_search_methods. */
typedef enum rstar_search_method
{
	RSTAR_METHOD_MCTS,      /* tree search */
	RSTAR_METHOD_BEAM,      /* step by step, the best few go on */
	RSTAR_METHOD_MAJORITY,  /* independent samples; the answer that most of them give */
	RSTAR_METHOD_BEST_OF_N, /* independent samples; the best-scored answer */
	RSTAR_METHOD_GREEDY,    /* the likeliest token, always */
	RSTAR_N_METHODS
} rstar_search_method;

/* Their names, as the setting takes them. */
extern const struct config_enum_entry rstar_pg_search_methods[];
extern const char *rstar_pg_search_method_name(rstar_search_method method);

/* One search as it was asked for. */
typedef struct rstar_search_setup
{
	rstar_search_method method;
	int64 seed; /* as given */
	rstar_search_options options;
	rstar_model_row *policy; /* NULL: a script plays it */
	rstar_model_row *ppm;    /* NULL: none */
	int64 round_id;          /* round of self-evolution that it is part of; 0: none */
} rstar_search_setup;

/*
 * What a caller may ask of a search; what is not given, or NULL, is "the setting,
 * else the model's own default".
 */
typedef struct rstar_search_arguments
{
	text *model, *ppm, *method;
	rstar_optional_int candidates, rollouts, max_depth;
	rstar_optional_real temperature;
	rstar_optional_int seed;
} rstar_search_arguments;

/* Arguments of all SQL functions that search, in this order from position `first`. */
extern void rstar_pg_search_arguments_read(FunctionCallInfo fcinfo, int first,
										   rstar_search_arguments *arguments);

/*
 * The search that is asked for. known_answer: whether an answer that the problem
 * comes with may guide it. Raises for models that do not exist and values out of range.
 */
extern void rstar_pg_search_setup_make(const rstar_search_arguments *arguments, bool known_answer,
									   rstar_search_setup *setup);

/* The same from the settings alone, without models; ppm: guidance by scores. */
extern void rstar_pg_search_setup_of_settings(bool ppm, rstar_search_setup *setup);

/* Problems that are searched side by side, 0: all; many if the policy is on another server. */
extern uint32 rstar_pg_search_places(const rstar_search_setup *setup);

/* The number of samples or rollouts that the finished tree stands for. */
extern int32 rstar_pg_search_setup_rollouts(const rstar_search_setup *setup,
											const rstar_mcts *mcts);

/*
 * The setup as a json object: every option, names and checksums of the models,
 * the kernel family. Reading it back gives the same options; models are not
 * looked up. Raises if the object is not one that was made so.
 */
extern Jsonb *rstar_pg_search_setup_to_jsonb(const rstar_search_setup *setup);
extern void rstar_pg_search_setup_from_jsonb(Jsonb *object, rstar_search_setup *setup);

/* Whether this session computes with the kernels and the cache type that the object names. */
extern bool rstar_pg_search_same_arithmetic(Jsonb *object);

#endif

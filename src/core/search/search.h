/*
 * search.h
 *	  Searching problems: policy, sandbox, PPM and tree together.
 *
 * A search holds one or several problems, each with a tree of its own, and
 * works through them in rounds:
 *
 *		select	each tree names the node it wants expanded
 *		write	the policy writes candidates for all of them, in one batch
 *		run		the sandbox runs their code, each on its parent's state
 *		score	the PPM scores the survivors, in one batch
 *		expand	each tree takes its candidates, and its statistics move
 *
 * Trees do not influence each other: a tree is a function of the models, the
 * options and its seed, whatever is searched beside it. The exceptions are
 * what a clock decides (a step's time-out), which marks it not reproducible.
 */
#ifndef RSTAR_SEARCH_SEARCH_H
#define RSTAR_SEARCH_SEARCH_H

#include "core/engine/generate.h"
#include "core/sandbox/sandbox.h"
#include "core/search/mcts.h"
#include "core/step/prompt.h"

/* A model as the search needs it; it belongs to the caller. */
typedef struct rstar_search_model
{
	rstar_engine *engine;
	const rstar_tokenizer *tokenizer;
	rstar_prompt_template prompt;
} rstar_search_model;

typedef struct rstar_search_parts
{
	rstar_search_model policy;
	rstar_search_model ppm; /* engine NULL: none */
	rstar_sandbox *sandbox; /* used by this search alone while it lasts */
} rstar_search_parts;

typedef struct rstar_search_options
{
	rstar_mcts_options mcts;
	uint32_t candidates;       /* of the root */
	uint32_t candidates_below; /* of other nodes; behind an <output> always 1 */
	bool merge_duplicates;     /* equal candidates of a node become one */
	uint32_t step_tokens;      /* at most so many in one step */
	uint32_t total_tokens;     /* … in a solution; 0: what the context allows */
	rstar_sampling sampling;
	rstar_sandbox_limits limits;
	uint32_t max_code_errors; /* a step fails for good at the k-th failure in a row */
	uint32_t output_characters;
	double value_scale; /* PPM score = tanh(raw value / value_scale) */
} rstar_search_options;

/* The paper's settings (section 4.1): 8 candidates, 16 rollouts, depth 16, 2,048 tokens. */
extern void rstar_search_options_paper(rstar_search_options *options);

/* For models of some millions of parameters: 4 candidates, 8 rollouts, 128 tokens a step, 512 in all. */
extern void rstar_search_options_nano(rstar_search_options *options);

typedef struct rstar_search_problem
{
	rstar_string text;
	rstar_string gold; /* the known answer; length 0: none */
	uint64_t seed;
} rstar_search_problem;

/* What a tree cost. */
typedef struct rstar_search_cost
{
	uint64_t generated_tokens;
	uint64_t python_steps;
	double policy_ms, ppm_ms, sandbox_ms; /* shared rounds are shared out evenly */
	bool reproducible;
} rstar_search_cost;

typedef struct rstar_search rstar_search;

/*
 * Texts are copied; parts must outlive the search. Errors: ARGUMENT (naming
 * the option), LIMIT (a problem does not fit the context), MEMORY, CANCELLED.
 */
extern rstar_status rstar_search_create(const rstar_search_parts *parts,
										const rstar_search_options *options,
										const rstar_search_problem *problems, uint32_t n,
										const rstar_allocator *allocator,
										const rstar_cancel *cancel, rstar_search **out,
										rstar_error *err);
extern void rstar_search_free(rstar_search *search); /* NULL is allowed */

/* A slice of some 20 ms: AGAIN, or OK when every tree is finished. */
extern rstar_status rstar_search_step(rstar_search *search, const rstar_cancel *cancel,
									  rstar_error *err);

/* The tree of problem i, at any time between steps. */
extern const rstar_mcts *rstar_search_mcts(const rstar_search *search, uint32_t i);
extern const rstar_search_cost *rstar_search_get_cost(const rstar_search *search, uint32_t i);

/*
 * The answer node that problem i's tree gives: the best-scored one if there is
 * a PPM; else the best of the class with the greatest sum of exp(mean
 * log-probability). RSTAR_NO_NODE: no answer was reached. Errors: MEMORY.
 */
extern rstar_status rstar_search_answer(const rstar_search *search, uint32_t i, uint32_t *node,
										rstar_error *err);

#endif

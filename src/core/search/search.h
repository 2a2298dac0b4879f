/*
 * search.h
 *	  Searching problems: policy, sandbox, PPM and tree together.
 *
 * A search holds one or several problems, each with a tree of its own, and
 * works through them in turns, so many at a time:
 *
 *		select	each tree names the node it wants expanded (or a level of them)
 *		write	the policy writes candidates for all of them, in one batch
 *		run		the sandbox runs their code, each on its parent's state
 *		score	the PPM scores the survivors, in one batch
 *		verify	the caller says what answers are worth, where it knows better than a comparison
 *		expand	each tree takes its candidates, and its statistics move
 *
 * Trees do not influence each other: a tree is a function of the models, the
 * options and its seed, whatever is searched beside it. The exceptions are
 * what a clock decides (a step's time-out), which marks it not reproducible, and models on
 * other servers, which promise nothing: all of their trees are marked so.
 *
 * Where another server writes the steps, trees do not wait for each other: each goes
 * through the turn above by itself, and many questions are under way.
 */
#ifndef RSTAR_SEARCH_SEARCH_H
#define RSTAR_SEARCH_SEARCH_H

#include "core/engine/generate.h"
#include "core/sandbox/sandbox.h"
#include "core/search/confidence.h"
#include "core/search/mcts.h"
#include "core/step/prompt.h"

/* A model as the search needs it; it belongs to the caller. */
typedef struct rstar_search_model
{
	rstar_engine *engine;              /* NULL: it does not compute here, … */
	struct rstar_remote_model *remote; /* … but there; NULL too: no model */
	bool logprobs;                     /* ask it for log-probabilities */
	const rstar_tokenizer *tokenizer;  /* of one that computes here */
	rstar_prompt_template prompt;
} rstar_search_model;

/*
 * The node with which the prompts of all problems begin, which the engine keeps; NULL
 * in *node if there is none. The caller gets a reference. Errors: MEMORY, CANCELLED.
 */
extern rstar_status rstar_search_prefix(const rstar_search_model *model,
										const rstar_allocator *allocator,
										const rstar_cancel *cancel, rstar_kv_node **node,
										rstar_error *err);

/* A candidate that a script supplies. */
typedef struct rstar_scripted
{
	rstar_string text;
	bool judged;              /* status stands, and the code does not run */
	rstar_node_status status; /* … if judged */
	double score;             /* as if the PPM had given it */
	double logprob;
	uint32_t tokens;
} rstar_scripted;

/*
 * What stands in for the models in tests of all the rest. Texts must live as
 * long as the search. False: the node gets no more candidates.
 */
typedef struct rstar_search_script
{
	bool (*candidate)(void *arg, uint32_t problem, uint32_t node, uint32_t number,
					  rstar_scripted *out);
	void *arg;
} rstar_search_script;

typedef struct rstar_search_parts
{
	rstar_search_model policy;  /* none: a script plays it */
	rstar_search_model ppm;     /* may be none */
	rstar_search_script script; /* candidate NULL: none */
	rstar_sandbox *sandbox;     /* used by this search alone while it lasts */
} rstar_search_parts;

/* How the answer of a tree is chosen among those reached. */
typedef enum rstar_choice
{
	RSTAR_CHOICE_AUTO, /* BEST under PPM guidance, else WEIGHTED */
	RSTAR_CHOICE_BEST, /* the greatest rstar_mcts_score */
	RSTAR_CHOICE_MAJORITY,
	RSTAR_CHOICE_WEIGHTED /* the most probable answer: its trajectories' probabilities, summed */
} rstar_choice;

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
	rstar_choice choice;
	uint64_t max_generated; /* tokens: a tree that has written so many ends; 0: no limit */
	double max_seconds;     /* … that has been searched so long; 0: no limit */
	uint32_t side_by_side;  /* problems searched at the same time; 0: all */
} rstar_search_options;

/* The paper's settings (section 4.1): 8 candidates, 16 rollouts, depth 16, 2,048 tokens. */
extern void rstar_search_options_paper(rstar_search_options *options);

typedef struct rstar_search_problem
{
	rstar_string text;
	rstar_string gold;     /* the known answer; length 0: none */
	rstar_string verifier; /* the caller's: it grades answers (rstar_search_ask), not gold */
	int64_t id;            /* the caller's */
	uint64_t seed;         /* of the tree: see rstar_search_seed */
	rstar_mcts
		*resume; /* NULL, or a restored tree to go on with; its content moves into the search */
} rstar_search_problem;

/* The seed of a tree: a hash of the given seed, the problem's text and the attempt. */
extern uint64_t rstar_search_seed(uint64_t seed, rstar_string problem, uint32_t attempt);

/* What a tree cost. What a turn did for several trees is shared out evenly. */
typedef struct rstar_search_cost
{
	uint64_t generated_tokens;
	double computed_tokens; /* that went through the models */
	uint64_t python_steps;
	double policy_ms, ppm_ms, sandbox_ms;
	double search_ms;  /* its share of all turns, the three above included */
	double elapsed_ms; /* from its beginning to its end, others beside it included */
	bool reproducible;
} rstar_search_cost;

typedef struct rstar_search rstar_search;

/*
 * A search without problems yet; parts must outlive it. Errors: ARGUMENT (naming
 * the option), MEMORY.
 */
extern rstar_status rstar_search_create(const rstar_search_parts *parts,
										const rstar_search_options *options,
										const rstar_allocator *allocator, rstar_search **out,
										rstar_error *err);

/*
 * Add a problem, between any two steps; its texts are copied. Problems begin in the
 * order in which they were added, as places (options.side_by_side) come free, and
 * *number counts them from 0: the name of the problem below. Errors: MEMORY.
 */
extern rstar_status rstar_search_add(rstar_search *search, const rstar_search_problem *problem,
									 uint32_t *number, rstar_error *err);

/* Problems that were added and whose trees are not finished. */
extern uint32_t rstar_search_unfinished(const rstar_search *search);

extern void rstar_search_free(rstar_search *search); /* NULL is allowed */

/*
 * Work for RSTAR_SLICE_MS: AGAIN, or OK when every tree is finished (more problems
 * may be added then, too). A problem that cannot be searched (its prompt does not fit the context) fails alone, see
 * rstar_search_failure; an error ends the whole search.
 */
extern rstar_status rstar_search_step(rstar_search *search, const rstar_cancel *cancel,
									  rstar_error *err);

/*
 * An answer of a verified problem, which the caller is to grade. Texts live until the verdict.
 */
typedef struct rstar_search_question
{
	uint32_t problem;      /* its number */
	uint32_t candidate;    /* the search's own */
	rstar_string answer;   /* as the node will have it */
	rstar_string solution; /* the texts of the whole path, the answer's included */
	rstar_string program;  /* the code of its steps (rstar_tree_program) */
} rstar_search_question;

/* What the caller says of it. */
typedef struct rstar_search_verdict
{
	rstar_status failed; /* OK; or the problem cannot be verified and fails, for `error` */
	rstar_error error;
	double grade;  /* 1: right; -1: wrong; between them: partly right */
	bool by_clock; /* a limit of time decided: the tree is not reproducible */
	double ms;     /* that it took */
	char why[256]; /* for people; becomes the node's output; "": nothing to say */
} rstar_search_verdict;

/*
 * The next answer that waits for a verdict; *asked false: none. While one waits,
 * rstar_search_step returns AGAIN and does nothing: ask after each step, and give a verdict
 * for each question before the next is asked. Errors: MEMORY.
 */
extern rstar_status rstar_search_ask(rstar_search *search, rstar_search_question *question,
									 bool *asked, rstar_error *err);
extern rstar_status rstar_search_judge(rstar_search *search, const rstar_search_question *question,
									   const rstar_search_verdict *verdict, rstar_error *err);

/*
 * The answer within the text of an <answer>, for a verifier: what the last fenced block holds, else
 * the last \boxed{}, else the whole text without white space at its ends. NULL: no memory.
 */
extern const char *rstar_search_extract(rstar_arena *arena, rstar_string text, size_t *length);

/*
 * A problem whose tree is finished and was not taken yet; false: none. It then
 * belongs to the caller, who looks at it and ends with rstar_search_forget.
 */
extern bool rstar_search_take(rstar_search *search, uint32_t *i);

/* Free the tree of a problem that was taken. */
extern void rstar_search_forget(rstar_search *search, uint32_t i);

/* The tree of problem i, at any time between steps; NULL: not begun, failed, or forgotten. */
extern const rstar_mcts *rstar_search_mcts(const rstar_search *search, uint32_t i);

/* What it cost, and (below) why it failed; not of a problem that was forgotten. */
extern const rstar_search_cost *rstar_search_get_cost(const rstar_search *search, uint32_t i);

/* Problem i as it was added, its texts the search's own; not of one that was forgotten. */
extern const rstar_search_problem *rstar_search_asked(const rstar_search *search, uint32_t i);

/* Why the search of problem i, which is finished, ended. */
extern rstar_ending rstar_search_ending(const rstar_search *search, uint32_t i);

/* Why problem i could not be searched; NULL: it could. */
extern const rstar_error *rstar_search_failure(const rstar_search *search, uint32_t i,
											   rstar_status *status);

/*
 * The answer node that problem i's tree gives, by options.choice; where verdicts guided the
 * search, the one with the best grade. RSTAR_NO_NODE: no answer was reached, or the policy put more probability on not knowing than on
 * that answer. Errors: MEMORY.
 */
extern rstar_status rstar_search_answer(const rstar_search *search, uint32_t i, uint32_t *node,
										rstar_error *err);

/* Why a tree gives no answer. */
typedef enum rstar_silence
{
	RSTAR_SILENCE_DECLINED,    /* the policy says that it does not know */
	RSTAR_SILENCE_TIME,        /* a limit of time, tokens or nodes ended the search */
	RSTAR_SILENCE_FAILED,      /* the code of every step at the end of a path failed */
	RSTAR_SILENCE_NOT_REACHED, /* anything else */
	RSTAR_N_SILENCES
} rstar_silence;

/* "not understood", "time", "steps failed", "no answer reached". */
extern const char *rstar_silence_name(rstar_silence silence);

/* Of problem i, which was searched and for which rstar_search_answer gives no node. */
extern rstar_silence rstar_search_silence(const rstar_search *search, uint32_t i);

/*
 * What speaks for the answer of `node` in problem i's tree (confidence.h). Errors:
 * MEMORY, CANCELLED.
 */
extern rstar_status rstar_search_evidence(const rstar_search *search, uint32_t i, uint32_t node,
										  const rstar_cancel *cancel, rstar_evidence *evidence,
										  rstar_error *err);

/*
 * Several trees of one problem: the answer that they agree on. answers[i] (length 0: none)
 * and scores[i] (rstar_mcts_score) are what tree i gives; of the top_n best-scored (0: all) the
 * answer that most give wins, ties by the sum of scores, then the first. *winner
 * is n if there is no answer. Errors: MEMORY.
 */
extern rstar_status rstar_search_elect(const rstar_string *answers, const double *scores,
									   uint32_t n, uint32_t top_n, const rstar_allocator *allocator,
									   uint32_t *winner, rstar_error *err);

/* Equality of two answers, as trees and votes have it; the first is the representative. */
extern bool rstar_search_same_answer(rstar_string representative, rstar_string answer,
									 const rstar_allocator *allocator);

#endif

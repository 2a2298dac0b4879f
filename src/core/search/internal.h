/*
 * internal.h
 *	  What the files of a search share.
 *
 * search.c		life of a search, its steps and what it has to show
 * turn.c		turns: one of all trees together, or one for each tree
 * phases.c		the phases of a turn
 * writer_*.c	who writes candidates: the engine here, another server, a script
 * scorer_*.c	who scores them
 * candidates.c	what the policy wrote, read and judged
 * verify.c		answers that the caller grades
 * verdict.c	why there is no answer, and what speaks for one
 * attach.c		what hangs on the nodes: tokens in the caches, states in the sandbox
 */
#ifndef RSTAR_SEARCH_INTERNAL_H
#define RSTAR_SEARCH_INTERNAL_H

#include "core/base/clock.h"
#include "core/remote/model.h"
#include "core/search/search.h"
#include "core/step/likelihood.h"
#include "core/step/stop.h"
#include "core/step/tokens.h"

/* What a PPM whose value depends on the likelihood has read of a node's own tokens. */
typedef struct rstar_ppm_reading
{
	uint32_t written; /* of the tokens, by the policy */
	bool asked;       /* in the job at hand */
	bool read;
	rstar_likelihood likelihood;
} rstar_ppm_reading;

/*
 * What hangs on a tree's node while it can still be selected or has such
 * descendants. On the nodes of a restored tree it is made when it is needed.
 */
typedef struct rstar_attachment
{
	bool made;
	rstar_kv_node *policy; /* ends where the node ends */
	rstar_kv_node *ppm;
	rstar_ppm_reading reading;
	rstar_sandbox_node state;
} rstar_attachment;

typedef enum rstar_search_phase
{
	PHASE_SELECT,
	PHASE_WRITE,
	PHASE_RUN,
	PHASE_SCORE,
	PHASE_VERIFY,
	PHASE_EXPAND,
	PHASE_DONE
} rstar_search_phase;

typedef enum rstar_tree_phase
{
	TREE_WAITING, /* not begun */
	TREE_ACTIVE,
	TREE_FINISHED, /* not taken yet */
	TREE_TAKEN
} rstar_tree_phase;

typedef struct rstar_search_tree
{
	uint32_t number;
	rstar_search_problem problem; /* its texts are the tree's own */
	rstar_tree_phase phase;
	rstar_mcts mcts;
	rstar_attachment *attached; /* by node id */
	size_t attached_capacity;
	rstar_search_cost cost;
	double started_ms;
	rstar_ending ending;       /* of a finished tree */
	struct rstar_turn *turn;   /* that it takes part in, while it is active */
	rstar_search_phase booked; /* that the slice at hand is booked on */
	uint32_t *wanted;          /* nodes under expansion in this turn */
	size_t wanted_capacity;
	uint32_t n_wanted;
	rstar_status failed; /* OK: it was or can be searched */
	rstar_error failure;
} rstar_search_tree;

/* One candidate of one tree's wanted node. */
typedef struct rstar_candidate
{
	rstar_search_tree *tree;
	uint32_t parent; /* the node to continue */
	uint32_t number; /* among the node's candidates */
	rstar_stop_watch watch;
	rstar_tree_node node;   /* as rstar_mcts_expand takes it */
	rstar_step_parse parse; /* of the text */
	rstar_buffer text;
	rstar_buffer output; /* what was printed, or the failure */
	rstar_kv_node *policy;
	rstar_kv_node *ppm;
	rstar_ppm_reading reading;
	rstar_sandbox_node state;
	const rstar_remote_job *job; /* that wrote it, if another server did; the turn's */
	bool dropped;                /* a duplicate, or beside an exclusive answer */
	bool mended;                 /* its text is what the model's meant */
	bool ended;                  /* the model ended its turn there */
	bool running;                /* in the sandbox */
	bool judged;                 /* by the script: its code does not run */
	bool asks;                   /* an answer that waits for the caller's verdict */
} rstar_candidate;

/*
 * A turn takes its trees through the phases once, and again. Where another server writes, each
 * tree has a turn of its own, since answers come when they come; else all trees share one,
 * and their candidates a batch.
 */
typedef struct rstar_turn
{
	rstar_search_tree *tree; /* whose turn it is; NULL: that of all */
	rstar_search_phase phase;
	bool blocked;        /* by what another process or server has to do */
	rstar_arena answers; /* of the candidates */
	rstar_candidate *candidates;
	uint32_t n_candidates;
	uint32_t n_running; /* of them in the sandbox */

	rstar_generation *generation; /* the engine writes */
	rstar_remote_job **jobs;      /* another server writes, a job for each wanted node … */
	uint32_t n_jobs;
	rstar_remote_job **scorings; /* … or scores, a job for each */
	uint32_t n_scorings;
	rstar_request *requests; /* of the engine's job that scores … */
	size_t requests_capacity;
	rstar_ppm_reading **readings; /* … and what each reads */
	size_t readings_capacity;
	uint32_t *scored;        /* candidate of each request, or of each value in order */
	uint32_t n_requests;     /* of candidates … */
	uint32_t n_all_requests; /* … and, behind, of nodes above them */
	bool scoring;            /* under way */
} rstar_turn;

/*
 * Who writes candidates. start begins, for all candidates of the turn; step goes on (AGAIN: not
 * done, and turn->blocked if that is up to others); take fills candidate i with what was
 * written (text, watch.tag, ended, tokens); end gives back what start took, at any time.
 */
typedef struct rstar_writer
{
	bool scripted; /* texts come as they are meant */
	rstar_status (*start)(rstar_search *search, rstar_turn *turn, rstar_error *err);
	rstar_status (*step)(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
						 rstar_error *err);
	rstar_status (*take)(rstar_search *search, rstar_turn *turn, uint32_t i, rstar_error *err);
	void (*end)(rstar_search *search, rstar_turn *turn);
	/* Tokens that a candidate of `node` may have; 0: no room for another step. */
	uint32_t (*allowance)(const rstar_search *search, const rstar_search_tree *tree, uint32_t node);
} rstar_writer;

extern const rstar_writer rstar_search_engine_writer;
extern const rstar_writer rstar_search_remote_writer;
extern const rstar_writer rstar_search_script_writer;

/* Who scores them, likewise; step sets the scores. start may be AGAIN: somebody else is at it. */
typedef struct rstar_scorer
{
	rstar_status (*start)(rstar_search *search, rstar_turn *turn, rstar_error *err);
	rstar_status (*step)(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
						 rstar_error *err);
	void (*end)(rstar_search *search, rstar_turn *turn);
} rstar_scorer;

extern const rstar_scorer rstar_search_engine_scorer;
extern const rstar_scorer rstar_search_remote_scorer;

/* What a server's value means as a PPM score, from -1 to 1. */
extern double rstar_search_remote_score(const rstar_remote_model *model, double value,
										double value_scale);

struct rstar_search
{
	const rstar_allocator *allocator;
	rstar_search_parts parts;
	rstar_search_options options;
	const rstar_writer *writer;
	const rstar_scorer *scorer; /* NULL: none */
	rstar_http *http;           /* if another server is asked */
	rstar_search_tree **trees;  /* by the problem's number */
	size_t trees_capacity;
	uint32_t n_trees;
	uint32_t n_begun; /* trees begin in order */
	uint32_t first;   /* all before it are forgotten */
	uint32_t n_active;

	bool apart;         /* each tree has a turn of its own */
	rstar_turn **turns; /* else there is one */
	size_t turns_capacity;
	uint32_t n_turns;
	rstar_turn *at_engine;                      /* whose job that scores the engine is at */
	rstar_buffer asked_solution, asked_program; /* of the question in hand */
};

/* --- turn.c ---------------------------------------------------------------------------- */

/* Another turn, of that tree (NULL: of all). Errors: MEMORY. */
extern rstar_status rstar_search_turn_begin(rstar_search *search, rstar_search_tree *tree,
											rstar_error *err);
extern void rstar_search_turn_end(rstar_search *search, rstar_turn *turn);

/* A slice of all turns: AGAIN, or OK when every tree is finished. */
extern rstar_status rstar_search_run_turns(rstar_search *search, const rstar_cancel *cancel,
										   rstar_error *err);

/* --- phases.c ------------------------------------------------------------------------ */

/* A slice of the present phase: AGAIN, or OK when it has ended (turn->phase is the next). */
extern rstar_status rstar_search_run_phase(rstar_search *search, rstar_turn *turn,
										   const rstar_cancel *cancel, rstar_error *err);

/* Fill the places that are free; a problem that cannot be searched fails alone. */
extern rstar_status rstar_search_begin_trees(rstar_search *search, const rstar_cancel *cancel,
											 rstar_error *err);

/* --- attach.c ------------------------------------------------------------------------ */

/* Room for the attachments of all nodes. */
extern rstar_status rstar_search_reserve(rstar_search *search, rstar_search_tree *tree,
										 rstar_error *err);

/* The root's: the prompt. LIMIT: it does not fit the context. */
extern rstar_status rstar_search_attach_root(rstar_search *search, rstar_search_tree *tree,
											 const rstar_cancel *cancel, rstar_error *err);

/* Make what hangs on a restored node and its ancestors, where it is missing. */
extern rstar_status rstar_search_attach(rstar_search *search, rstar_search_tree *tree, uint32_t id,
										const rstar_cancel *cancel, rstar_error *err);

/*
 * Make the node's own tokens those of the text, keeping what is the same in the cache; *written
 * (NULL: not wanted) becomes how many of them the policy wrote, if the model's value depends on it.
 */
extern rstar_status rstar_search_set_tokens(const rstar_search_model *model, rstar_kv_node *node,
											const rstar_step_text *step,
											const rstar_allocator *allocator,
											const rstar_cancel *cancel, uint32_t *written,
											rstar_error *err);

/* Release what hangs on `id` and its ancestors as far as they are closed; on all nodes. */
extern void rstar_search_release_closed(rstar_search *search, rstar_search_tree *tree, uint32_t id);
extern void rstar_search_release_tree(rstar_search *search, rstar_search_tree *tree);

/* Tell the sandbox what the states below `id` and its ancestors are worth now: their UCT. */
extern void rstar_search_value_states(rstar_search *search, const rstar_search_tree *tree,
									  uint32_t id);

/* --- candidates.c -------------------------------------------------------------------- */

/* Read the texts, merge duplicates, reject what is no step. */
extern rstar_status rstar_search_read_candidates(rstar_search *search, rstar_turn *turn,
												 rstar_error *err);

/* Start the code of candidates in the sandbox. */
extern rstar_status rstar_search_start_code(rstar_search *search, rstar_turn *turn,
											rstar_error *err);

/* Take results that are there, of any turn: OK, or AGAIN if one waited timeout_ms for none. */
extern rstar_status rstar_search_take_results(rstar_search *search, int timeout_ms,
											  const rstar_cancel *cancel, rstar_error *err);

/* Give every survivor its canonical tokens, for the models that compute here. */
extern rstar_status rstar_search_encode_candidates(rstar_search *search, rstar_turn *turn,
												   const rstar_cancel *cancel, rstar_error *err);
extern void rstar_search_free_candidates(rstar_search *search, rstar_turn *turn);

/* --- verify.c ------------------------------------------------------------------------ */

/* Does a candidate of the turn wait for the caller's verdict? */
extern bool rstar_search_asks(const rstar_turn *turn);

static inline bool
rstar_candidate_alive(const rstar_candidate *c)
{
	return !c->dropped && !rstar_node_rejected(&c->node);
}

#endif

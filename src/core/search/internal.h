/*
 * internal.h
 *	  What the files of a search share.
 *
 * search.c		life of a search, its steps and what it has to show
 * phases.c		the phases of a turn
 * candidates.c	what the policy wrote, read and judged
 * verify.c		answers that the caller grades
 * verdict.c	why there is no answer, and what speaks for one
 * attach.c		what hangs on the nodes: tokens in the caches, states in the sandbox
 */
#ifndef RSTAR_SEARCH_INTERNAL_H
#define RSTAR_SEARCH_INTERNAL_H

#include "core/base/clock.h"
#include "core/search/search.h"
#include "core/step/stop.h"

/*
 * What hangs on a tree's node while it can still be selected or has such
 * descendants. On the nodes of a restored tree it is made when it is needed.
 */
typedef struct rstar_attachment
{
	bool made;
	rstar_kv_node *policy; /* ends where the node ends */
	rstar_kv_node *ppm;
	rstar_sandbox_node state;
} rstar_attachment;

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
	rstar_ending ending; /* of a finished tree */
	uint32_t *wanted;    /* nodes under expansion in this turn */
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
	rstar_sandbox_node state;
	bool dropped; /* a duplicate, or beside an exclusive answer */
	bool mended;  /* its text is what the model's meant */
	bool ended;   /* the model ended its turn there */
	bool running; /* in the sandbox */
	bool judged;  /* by the script: its code does not run */
	bool asks;    /* an answer that waits for the caller's verdict */
} rstar_candidate;

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

struct rstar_search
{
	const rstar_allocator *allocator;
	rstar_search_parts parts;
	rstar_search_options options;
	rstar_arena turn;          /* answers of this turn */
	rstar_search_tree **trees; /* by the problem's number */
	size_t trees_capacity;
	uint32_t n_trees;
	uint32_t n_begun; /* trees begin in order */
	uint32_t first;   /* all before it are forgotten */
	uint32_t n_active;

	rstar_search_phase phase;
	rstar_candidate *candidates;
	uint32_t n_candidates;
	uint32_t n_running; /* of them in the sandbox */
	rstar_generation *generation;
	rstar_request *requests; /* of the PPM's job */
	uint32_t *scored;        /* candidate of each request */
	uint32_t n_requests;
	bool scoring;                               /* the PPM's job is under way */
	rstar_buffer asked_solution, asked_program; /* of the question in hand */
};

/* --- phases.c ------------------------------------------------------------------------ */

/* A slice of the present phase: AGAIN, or OK when it has ended (search->phase is the next). */
extern rstar_status rstar_search_run_phase(rstar_search *search, const rstar_cancel *cancel,
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

/* Make the node's own tokens those of the text, keeping what is the same in the cache. */
extern rstar_status rstar_search_set_tokens(const rstar_search_model *model, rstar_kv_node *node,
											rstar_string text, const rstar_allocator *allocator,
											const rstar_cancel *cancel, rstar_error *err);

/* Release what hangs on `id` and its ancestors as far as they are closed; on all nodes. */
extern void rstar_search_release_closed(rstar_search *search, rstar_search_tree *tree, uint32_t id);
extern void rstar_search_release_tree(rstar_search *search, rstar_search_tree *tree);

/* Tell the sandbox what the states below `id` and its ancestors are worth now: their UCT. */
extern void rstar_search_value_states(rstar_search *search, const rstar_search_tree *tree,
									  uint32_t id);

/* Tokens that a candidate of `node` may have; 0: no room for another step. */
extern uint32_t rstar_search_allowance(const rstar_search *search, const rstar_search_tree *tree,
									   uint32_t node);

/* --- candidates.c -------------------------------------------------------------------- */

/* Read the texts, merge duplicates, reject what is no step. */
extern rstar_status rstar_search_read_candidates(rstar_search *search, rstar_error *err);

/* Start the code of candidates in the sandbox. */
extern rstar_status rstar_search_start_code(rstar_search *search, rstar_error *err);

/* Take a result: status, output, and the text that follows from it. */
extern rstar_status rstar_search_take_result(rstar_search *search,
											 const rstar_sandbox_result *result, rstar_error *err);

/* Give every survivor its canonical tokens, for the policy and for the PPM. */
extern rstar_status rstar_search_encode_candidates(rstar_search *search, const rstar_cancel *cancel,
												   rstar_error *err);
extern void rstar_search_free_candidates(rstar_search *search);

/* --- verify.c ------------------------------------------------------------------------ */

/* Does an answer wait for the caller's verdict? */
extern bool rstar_search_asks(const rstar_search *search);

static inline bool
rstar_candidate_alive(const rstar_candidate *c)
{
	return !c->dropped && !rstar_node_rejected(&c->node);
}

#endif

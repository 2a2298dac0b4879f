/*
 * internal.h
 *	  What search.c and candidates.c share.
 */
#ifndef RSTAR_SEARCH_INTERNAL_H
#define RSTAR_SEARCH_INTERNAL_H

#include "core/search/search.h"
#include "core/step/stop.h"

/* What hangs on a tree's node while it can still be selected or has such descendants. */
typedef struct rstar_attachment
{
	rstar_kv_node *policy; /* ends where the node ends */
	rstar_kv_node *ppm;
	rstar_sandbox_node state;
} rstar_attachment;

typedef struct rstar_search_tree
{
	rstar_search_problem problem; /* texts in the search's arena */
	rstar_mcts mcts;
	rstar_attachment *attached; /* by node id */
	size_t attached_capacity;
	rstar_search_cost cost;
	uint32_t prompt_tokens;
	uint32_t wanted; /* node under expansion in this round, or RSTAR_NO_NODE */
	bool finished;
} rstar_search_tree;

/* One candidate of one tree's wanted node. */
typedef struct rstar_candidate
{
	rstar_search_tree *tree;
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
	bool running; /* in the sandbox */
} rstar_candidate;

typedef enum rstar_search_phase
{
	PHASE_SELECT,
	PHASE_WRITE,
	PHASE_RUN,
	PHASE_SCORE,
	PHASE_EXPAND,
	PHASE_DONE
} rstar_search_phase;

struct rstar_search
{
	const rstar_allocator *allocator;
	rstar_search_parts parts;
	rstar_search_options options;
	rstar_arena arena; /* texts of the problems */
	rstar_arena round; /* answers of this round */
	rstar_search_tree *trees;
	uint32_t n_trees;

	rstar_search_phase phase;
	rstar_candidate *candidates;
	uint32_t n_candidates;
	uint32_t n_running; /* of them in the sandbox */
	rstar_generation *generation;
	rstar_request *requests; /* of the PPM's job */
	uint32_t *scored;        /* candidate of each request */
	uint32_t n_requests;
	bool scoring; /* the PPM's job is under way */
};

/* candidates.c: what the policy wrote, read and judged. */

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

static inline bool
rstar_candidate_alive(const rstar_candidate *c)
{
	return !c->dropped && !rstar_node_rejected(&c->node);
}

#endif

/*
 * tree.h
 *	  The search tree: nodes in an arena, and what is known of each.
 *
 * Nodes are numbered from 0 (the root) in the order of their creation and are
 * never removed. A node's text is what its step adds to the solution, inserted
 * output included; its identity among its siblings is the part that the model
 * wrote. Statistics follow the reference: a visit is a value backed up through
 * the node, and Q is their mean.
 */
#ifndef RSTAR_SEARCH_TREE_H
#define RSTAR_SEARCH_TREE_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/step/step.h"

#define RSTAR_NO_NODE UINT32_MAX

typedef enum rstar_node_kind
{
	RSTAR_NODE_ROOT,
	RSTAR_NODE_STEP,
	RSTAR_NODE_ANSWER
} rstar_node_kind;

/* All but OK reject the candidate, unless it is kept. */
typedef enum rstar_node_status
{
	RSTAR_NODE_OK,
	RSTAR_NODE_ERROR,      /* its code raised an exception */
	RSTAR_NODE_TIMEOUT,    /* … ran out of time */
	RSTAR_NODE_KILLED,     /* … broke a limit of the sandbox */
	RSTAR_NODE_TOO_DEEP,   /* deeper than max_depth */
	RSTAR_NODE_UNPARSABLE, /* no step of the format, or cut at a limit */
	RSTAR_NODE_DECLINED,   /* says that it does not know the answer (rstar_step_declines) */
	RSTAR_N_NODE_STATUSES
} rstar_node_status;

/* "root", "step", "answer"; "ok", "error", "timeout", "killed", "too_deep", "unparsable", "declined". */
extern const char *rstar_node_kind_name(rstar_node_kind kind);
extern const char *rstar_node_status_name(rstar_node_status status);

typedef struct rstar_tree_node
{
	uint32_t parent; /* RSTAR_NO_NODE for the root */
	uint32_t first_child, last_child, next_sibling;
	uint32_t n_children, n_open; /* children, and those not closed */
	uint32_t depth;              /* root 0 */
	uint32_t rollout;            /* number of the rollout that made it, from 0 */
	rstar_node_kind kind;
	rstar_node_status status;
	rstar_solution_state state; /* of the grammar, behind this node */
	bool expanded;              /* candidates were asked for */
	bool closed;                /* never selected any more */
	bool graded;                /* an answer that was compared with the known one, or verified */
	bool correct;               /* … with success: grade is 1 */
	bool scored;                /* ppm_score is there */
	bool pruned;                /* fell out of the beam */
	bool kept;                  /* its code failed, but not often enough in a row to reject it */
	bool unsure;                /* logprob is not known, and 0 */

	uint32_t visits;
	double value_sum;
	double ppm_score; /* in (-1, 1) */
	double grade;     /* of a graded answer: 1 right, -1 wrong, between them partly right */

	rstar_string text;   /* in the tree's arena, as the three below */
	size_t written;      /* bytes of text that the model wrote */
	rstar_string output; /* what its code printed, or the failure's text */
	rstar_string answer; /* extracted, for answers */
	double logprob;      /* sum over its tokens, under the policy */
	uint32_t tokens;     /* that the policy generated for it */
	uint32_t duplicates; /* further candidates with the same text */
	uint32_t errors;     /* failing steps in a row that end here */
} rstar_tree_node;

typedef struct rstar_tree
{
	const rstar_allocator *allocator;
	rstar_arena arena;
	rstar_tree_node *nodes;
	uint32_t n_nodes;
	size_t capacity;
} rstar_tree;

/* A tree with a root. Errors: MEMORY. */
extern rstar_status rstar_tree_init(rstar_tree *tree, const rstar_allocator *allocator,
									rstar_error *err);
extern void rstar_tree_free(rstar_tree *tree);

/*
 * Append a child with the fields of *node that describe a candidate (kind,
 * status, state, texts, which are copied, logprob, tokens, duplicates, errors,
 * ppm_score); links, depth and statistics are set here. Errors: MEMORY.
 */
extern rstar_status rstar_tree_add(rstar_tree *tree, uint32_t parent, const rstar_tree_node *node,
								   uint32_t *id, rstar_error *err);

static inline bool
rstar_node_rejected(const rstar_tree_node *node)
{
	return node->status != RSTAR_NODE_OK && !node->kept;
}

/* Mean of the values backed up; 0 without visits. */
static inline double
rstar_node_q(const rstar_tree_node *node)
{
	return node->visits ? node->value_sum / node->visits : 0;
}

/*
 * Close a node, and every ancestor whose children are now all closed. Closing
 * twice does nothing.
 */
extern void rstar_tree_close(rstar_tree *tree, uint32_t id);

/* Append the texts from the root's child to `id`: the solution so far. False: no memory. */
extern bool rstar_tree_solution(const rstar_tree *tree, uint32_t id, rstar_buffer *out);

/*
 * Append the code of the steps on that path, a line end behind each: what a solution's program
 * is. Steps whose code failed are left out, as they are of the state. False: no memory.
 */
extern bool rstar_tree_program(const rstar_tree *tree, uint32_t id, rstar_buffer *out);

/*
 * What a finished tree says of the path to an answer: mean and least Q of its
 * steps (the root left out).
 */
typedef struct rstar_path_summary
{
	uint32_t steps;
	uint32_t failed; /* of them whose code failed and which were kept */
	double mean_q, min_q;
	double logprob; /* of the tokens generated on the path */
} rstar_path_summary;

extern void rstar_tree_path(const rstar_tree *tree, uint32_t id, rstar_path_summary *summary);

#endif

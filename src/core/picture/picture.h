/*
 * picture.h
 *	  What the pictures of a tree share: the facts beside its nodes, and how a
 *	  node is named in a few words.
 *
 * All texts in a tree were written by a model, or by whoever stated the
 * problem, and are hostile: control characters, marks that turn the direction of writing, bytes
 * that are no characters, lines without end. Whatever is shown goes through
 * rstar_picture_line, or is escaped and cleaned as it does.
 */
#ifndef RSTAR_PICTURE_PICTURE_H
#define RSTAR_PICTURE_PICTURE_H

#include "core/search/tree.h"

/* Texts with data NULL are not known. */
typedef struct rstar_picture_facts
{
	int64_t tree_id;
	rstar_string problem;
	rstar_string known_answer;
	rstar_string settings; /* how it was searched, in a line */
	rstar_string answer;   /* that was given */
	uint32_t answer_node;  /* RSTAR_NO_NODE: none; the best path leads there */
	uint32_t rollouts;
	uint32_t first_correct; /* rollout of the first correct answer, or RSTAR_NO_NODE */
	uint64_t generated_tokens, python_steps;
	double search_ms, policy_ms, ppm_ms, sandbox_ms;
} rstar_picture_facts;

/* Nodes that are drawn between two looks at whether to stop. */
#define RSTAR_PICTURE_SLICE 256

/* How many nodes there are of each sort; a rejected one counts by its status only. */
typedef struct rstar_picture_counts
{
	uint32_t steps, answers, correct, wrong;
	uint32_t rejected;
	uint32_t by_status[RSTAR_N_NODE_STATUSES]; /* of the rejected */
	uint32_t duplicates;
	uint32_t depth;
} rstar_picture_counts;

extern void rstar_picture_count(const rstar_tree *tree, rstar_picture_counts *counts);

/* Set on_path[id] for the nodes from the root to `leaf`; none for a leaf that is not there. */
extern void rstar_picture_mark_path(const rstar_tree *tree, uint32_t leaf, bool *on_path);

/*
 * The first line of a node's words, which is its first comment, and of its
 * code (imports only if there is nothing else), without the tags of the step format. Empty if there is none; they point
 * into the node's text.
 */
extern rstar_string rstar_picture_words(const rstar_tree_node *node);
extern rstar_string rstar_picture_code(const rstar_tree_node *node);

/* The last line of what a failed node's code said: the exception. */
extern rstar_string rstar_picture_failure(const rstar_tree_node *node);

/*
 * One character of a text for the eye: its bytes are returned (at least 1), *code is what to
 * show: a blank for white space, U+FFFD for what is not a character or steers
 * the display. *columns: 0, 1 or 2 on a terminal.
 */
extern size_t rstar_picture_character(const char *text, size_t length, uint32_t *code,
									  uint32_t *columns);

/* Append a text in one line of at most so many columns, runs of blanks as one, cut with "…". */
extern bool rstar_picture_line(rstar_buffer *out, rstar_string text, uint32_t columns);

#endif

/*
 * score.h
 *	  A given solution under the policy and under the PPM, step by step.
 *
 * The solution is cut into the texts of its nodes and becomes the sequence that
 * a search would have had, so a trajectory's own solution gives the scores that
 * its search saw. It need not follow the format: a piece that does not is
 * scored like any other.
 */
#ifndef RSTAR_SEARCH_SCORE_H
#define RSTAR_SEARCH_SCORE_H

#include "core/search/search.h"

typedef struct rstar_step_score
{
	rstar_string text; /* in the solution */
	rstar_step_kind kind;
	size_t written;  /* bytes that a model writes: without an inserted output */
	uint32_t tokens; /* of these */
	double logprob;  /* their sum under the policy */
	bool scored;     /* there is a PPM */
	double ppm_score;
} rstar_step_score;

typedef struct rstar_scoring rstar_scoring;

/*
 * Parts: a policy that computes here, perhaps a PPM; the sandbox is not used. The solution must
 * outlive the scoring. Errors: LIMIT (longer than a model's context), MEMORY,
 * CANCELLED, and those of rstar_remote_job_poll.
 */
extern rstar_status rstar_scoring_create(const rstar_search_parts *parts, double value_scale,
										 rstar_string problem, rstar_string solution,
										 const rstar_allocator *allocator,
										 const rstar_cancel *cancel, rstar_scoring **out,
										 rstar_error *err);
extern void rstar_scoring_free(rstar_scoring *scoring); /* NULL is allowed */

/* A slice of some 20 ms: AGAIN, or OK when all is scored. */
extern rstar_status rstar_scoring_step(rstar_scoring *scoring, const rstar_cancel *cancel,
									   rstar_error *err);

/* The steps in order; they belong to the scoring. */
extern const rstar_step_score *rstar_scoring_get(const rstar_scoring *scoring, size_t *n);

#endif

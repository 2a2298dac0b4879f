/*
 * confidence.h
 *	  How likely the answer of a search is right.
 *
 * A search leaves evidence: how much probability the policy put on the answer
 * and on others, whether different code agrees, how many candidates failed,
 * whether the problem is written in words that the model's vocabulary was made
 * for, how long it is, and whether the solution uses the problem's numbers and
 * copies its words rightly. A model's calibration turns the evidence into a
 * probability; it is a logistic regression over the features below, fitted on
 * problems that the model was not trained on. Without a calibration the mass
 * itself stands in.
 */
#ifndef RSTAR_SEARCH_CONFIDENCE_H
#define RSTAR_SEARCH_CONFIDENCE_H

#include "core/search/numbers.h"
#include "core/search/shares.h"
#include "core/search/slips.h"

typedef struct rstar_evidence
{
	double mass;     /* probability of the answer's solutions */
	double others;   /* … of other answers' */
	double declined; /* … of saying that it does not know */
	double best;     /* log-probability of the likeliest solution */
	uint32_t tokens; /* that were generated for it: a longer one has more places to go wrong */
	uint32_t codes;  /* different code that gives the answer */
	double failed;   /* share of the candidates whose code failed or that were no step, 0 to 1 */
	double novelty;  /* tokens per character of the problem, 0 to 1; 0 if unknown */
	double value;    /* PPM score of the answer, -1 to 1; 0 without a PPM */
	rstar_number_use use; /* of the problem's numbers, by the likeliest solution */
	bool evades;          /* it was asked yes or no, and says neither */
	uint32_t slips;       /* words of the problem that this solution copies wrongly */
} rstar_evidence;

/*
 * The evidence for the answer of node `answer`; problem_tokens is the length of
 * the problem's text. Errors: MEMORY.
 */
extern rstar_status rstar_evidence_read(const rstar_mcts *mcts, uint32_t answer,
										rstar_string problem, size_t problem_tokens,
										const rstar_allocator *allocator, rstar_evidence *evidence,
										rstar_error *err);

/* --- calibration --------------------------------------------------------------------- */

#define RSTAR_N_FEATURES 17

/* What the regression sees; each within some units of 0. The first is 1; new ones go to the end. */
extern void rstar_evidence_features(const rstar_evidence *evidence,
									double features[RSTAR_N_FEATURES]);

typedef struct rstar_calibration
{
	bool fitted;
	double weights[RSTAR_N_FEATURES];
} rstar_calibration;

/* The probability that the answer is right, in [0, 1]. */
extern double rstar_confidence(const rstar_calibration *calibration,
							   const rstar_evidence *evidence);

/*
 * Fit by penalised maximum likelihood (Newton's method; the penalty keeps
 * weights finite where few answers are wrong). Of n observations right[i] says
 * whether the answer was right. Errors: ARGUMENT (fewer than RSTAR_CALIBRATION_LEAST).
 */
#define RSTAR_CALIBRATION_LEAST 20
extern rstar_status rstar_calibration_fit(const rstar_evidence *evidence, const bool *right,
										  uint32_t n, rstar_calibration *calibration,
										  rstar_error *err);

/*
 * Confidence of each observation under a calibration that was fitted without
 * it (RSTAR_CALIBRATION_FOLDS parts, in turn): what a diagram may be drawn from.
 * Errors: ARGUMENT.
 */
#define RSTAR_CALIBRATION_FOLDS 5
extern rstar_status rstar_calibration_cross(const rstar_evidence *evidence, const bool *right,
											uint32_t n, double *confidence, rstar_error *err);

#endif

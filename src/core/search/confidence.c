/*
 * confidence.c
 *	  How likely the answer of a search is right.
 */
#include "core/search/confidence.h"

#include <math.h>
#include <string.h>

#include "core/search/luck.h"

/* --- evidence ------------------------------------------------------------------------ */

static double
share_failed(const rstar_tree *tree)
{
	uint32_t all = 0, failed = 0;

	for (uint32_t id = 1; id < tree->n_nodes; id++)
	{
		rstar_node_status status = tree->nodes[id].status;

		all++;
		failed += status != RSTAR_NODE_OK && status != RSTAR_NODE_DECLINED;
	}
	return all > 0 ? (double) failed / all : 0;
}

/* Tokens that the policy wrote on the way to a node. */
static uint32_t
generated(const rstar_tree *tree, uint32_t id)
{
	uint32_t tokens = 0;

	for (; id != 0; id = tree->nodes[id].parent)
		tokens += tree->nodes[id].tokens;
	return tokens;
}

rstar_status
rstar_evidence_read(const rstar_mcts *mcts, uint32_t answer, rstar_string problem,
					size_t problem_tokens, const rstar_allocator *allocator,
					rstar_evidence *evidence, rstar_error *err)
{
	const rstar_tree_node *node = &mcts->tree.nodes[answer];
	const rstar_answer_share *mine;
	rstar_answer_shares shares;
	rstar_status status = rstar_answer_shares_read(mcts, allocator, &shares, err);

	if (status != RSTAR_OK)
		return status;
	*evidence = (rstar_evidence){
		.declined = shares.declined,
		.failed = share_failed(&mcts->tree),
		.novelty =
			problem.length > 0 ? fmin(1, (double) problem_tokens / (double) problem.length) : 0,
		.value = node->scored ? node->ppm_score : 0,
		.evades = rstar_luck_evades(problem, node->answer),
	};
	mine = rstar_answer_shares_find(&shares, mcts, answer, allocator);
	for (uint32_t c = 0; c < shares.n; c++)
		if (&shares.classes[c] != mine)
			evidence->others += shares.classes[c].mass;
	if (mine)
	{
		evidence->mass = mine->mass;
		evidence->best = mine->best;
		evidence->codes = mine->codes;
		evidence->tokens = generated(&mcts->tree, mine->node);
		rstar_number_use_read(problem, &mcts->tree, mine->node, &evidence->use);
		evidence->slips = rstar_slips_count(problem, &mcts->tree, mine->node);
	}
	rstar_answer_shares_free(&shares, allocator);
	return RSTAR_OK;
}

/* --- calibration --------------------------------------------------------------------- */

#define LEAST_MASS 1e-6
#define LONG_WORDS 20 /* a problem of more is long */

/* log(p / (1 - p)), kept within what a small model can mean. */
static double
logit(double p)
{
	p = fmax(LEAST_MASS, fmin(1 - LEAST_MASS, p));
	return log(p / (1 - p));
}

void
rstar_evidence_features(const rstar_evidence *e, double f[RSTAR_N_FEATURES])
{
	double all = e->mass + e->others + e->declined;

	f[0] = 1;
	f[1] = logit(e->mass) / 4;
	f[2] = logit(all > 0 ? e->mass / all : 0) / 4;
	f[3] = e->declined;
	f[4] = log(1 + e->codes);
	f[5] = e->failed;
	f[6] = 4 * (e->novelty - 0.5);
	f[7] = log(1 + e->tokens) - 4;
	f[8] = e->value;
	f[9] = e->use.missing;
	f[10] = e->use.repeated;
	f[11] = log(1.0 + e->use.numbers);
	f[12] = log(1.0 + e->use.words) - 3;
	f[13] = fmax(0, log((1.0 + e->use.words) / (1 + LONG_WORDS)));
	f[14] = fmin(e->slips, 2);
	f[15] = fmin(e->use.missing * e->use.numbers, 2);
	f[16] = e->evades;
}

static double
sigmoid(double x)
{
	return 1 / (1 + exp(-fmax(-40, fmin(40, x))));
}

static double
predict(const double weights[RSTAR_N_FEATURES], const double features[RSTAR_N_FEATURES])
{
	double sum = 0;

	for (int i = 0; i < RSTAR_N_FEATURES; i++)
		sum += weights[i] * features[i];
	return sigmoid(sum);
}

double
rstar_confidence(const rstar_calibration *calibration, const rstar_evidence *evidence)
{
	double features[RSTAR_N_FEATURES];

	if (!calibration || !calibration->fitted)
		return fmin(1, evidence->mass);
	rstar_evidence_features(evidence, features);
	return predict(calibration->weights, features);
}

/*
 * Penalty on the square of each weight's distance from what is thought of it beforehand, but for
 * the constant's: a normal prior of deviation 2. Slips and evasions are rare, and of a good policy
 * there may be none among the observations; that they are wrong needs no evidence.
 */
#define PENALTY 0.25
static const double prior[RSTAR_N_FEATURES] = {[14] = -2, [16] = -4};

#define STEPS  50
#define ENOUGH 1e-9

typedef double square[RSTAR_N_FEATURES][RSTAR_N_FEATURES];

/* Solve a x = b for a symmetric, positive definite a, by Cholesky's method; x replaces b. */
static bool
solve(square a, double b[RSTAR_N_FEATURES])
{
	const int n = RSTAR_N_FEATURES;

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double sum = a[i][j];

			for (int k = 0; k < j; k++)
				sum -= a[i][k] * a[j][k];
			if (i == j && sum <= 0)
				return false;
			a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
		}
	for (int i = 0; i < n; i++)
	{
		for (int k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
	return true;
}

/* One of the observations that are fitted: all but those of one fold (fold < 0: all). */
static bool
takes_part(uint32_t i, int fold)
{
	return fold < 0 || (int) (i % RSTAR_CALIBRATION_FOLDS) != fold;
}

/* One of Newton's steps; its length, or -1 if it cannot be made. */
static double
newton_step(const rstar_evidence *evidence, const bool *right, uint32_t n, int fold,
			double weights[RSTAR_N_FEATURES])
{
	double gradient[RSTAR_N_FEATURES] = {0}, length = 0;
	square hessian = {{0}};

	for (int a = 0; a < RSTAR_N_FEATURES; a++)
	{
		gradient[a] = a > 0 ? PENALTY * (prior[a] - weights[a]) : 0;
		hessian[a][a] = a > 0 ? PENALTY : ENOUGH;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		double f[RSTAR_N_FEATURES], p;

		if (!takes_part(i, fold))
			continue;
		rstar_evidence_features(&evidence[i], f);
		p = predict(weights, f);
		for (int a = 0; a < RSTAR_N_FEATURES; a++)
		{
			gradient[a] += (right[i] - p) * f[a];
			for (int b = 0; b <= a; b++)
				hessian[a][b] += p * (1 - p) * f[a] * f[b];
		}
	}
	if (!solve(hessian, gradient))
		return -1;
	for (int a = 0; a < RSTAR_N_FEATURES; a++)
	{
		/* Bounded: far from the optimum a full step may overshoot. */
		double step = fmax(-4, fmin(4, gradient[a]));

		weights[a] += step;
		length += step * step;
	}
	return length;
}

static rstar_status
fit(const rstar_evidence *evidence, const bool *right, uint32_t n, int fold,
	rstar_calibration *calibration, rstar_error *err)
{
	double length = 1;

	*calibration = (rstar_calibration){.fitted = true};
	if (n < RSTAR_CALIBRATION_LEAST)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "a calibration needs at least %d answers, and there are %u",
							   RSTAR_CALIBRATION_LEAST, n);
	for (int step = 0; step < STEPS && length > ENOUGH; step++)
		length = newton_step(evidence, right, n, fold, calibration->weights);
	return RSTAR_OK;
}

rstar_status
rstar_calibration_fit(const rstar_evidence *evidence, const bool *right, uint32_t n,
					  rstar_calibration *calibration, rstar_error *err)
{
	return fit(evidence, right, n, -1, calibration, err);
}

rstar_status
rstar_calibration_cross(const rstar_evidence *evidence, const bool *right, uint32_t n,
						double *confidence, rstar_error *err)
{
	for (int fold = 0; fold < RSTAR_CALIBRATION_FOLDS; fold++)
	{
		rstar_calibration calibration;
		rstar_status status = fit(evidence, right, n, fold, &calibration, err);

		if (status != RSTAR_OK)
			return status;
		for (uint32_t i = (uint32_t) fold; i < n; i += RSTAR_CALIBRATION_FOLDS)
			confidence[i] = rstar_confidence(&calibration, &evidence[i]);
	}
	return RSTAR_OK;
}

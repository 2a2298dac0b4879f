/*
 * optimiser.h
 *	  Stepping parameters along their gradients: AdamW, and Muon for matrices.
 *
 * Muon (Jordan 2024, "Muon: An optimizer for hidden layers in neural networks")
 * replaces the momentum of a layer's matrix by the nearest orthogonal one, found
 * by five Newton-Schulz iterations, as long as an AdamW step would be: 0.2
 * sqrt(max(rows, columns)) (Liu et al. 2025, arXiv 2502.16982, section 2.2).
 * Tables and vectors take AdamW. State per parameter: 8 bytes with AdamW, 4 with Muon.
 */
#ifndef RSTAR_TRAIN_OPTIMISER_H
#define RSTAR_TRAIN_OPTIMISER_H

#include "core/train/gemm.h"
#include "core/train/model.h"
#include "core/train/ops.h"

typedef enum rstar_optimiser_kind
{
	RSTAR_OPTIMISER_ADAMW,
	RSTAR_OPTIMISER_MUON
} rstar_optimiser_kind;

typedef struct rstar_optimiser_settings
{
	rstar_optimiser_kind kind;
	float rate;       /* at its highest */
	float muon_scale; /* Muon's rate over AdamW's */
	float decay;      /* weight decay of matrices and tables, times the rate */
	float beta1, beta2, epsilon;
	float momentum; /* Muon's, with Nesterov's look ahead */
	float clip;     /* largest norm of the whole gradient; 0: no bound */
} rstar_optimiser_settings;

/* A tensor to be trained; gradient is of its size. */
typedef struct rstar_parameter
{
	const rstar_train_tensor *tensor;
	float *gradient;
} rstar_parameter;

typedef struct rstar_optimiser rstar_optimiser;

/* parameters (copied; their memory must outlive *out), gemm, pool as in pass.h. Errors: MEMORY. */
extern rstar_status
rstar_optimiser_create(const rstar_optimiser_settings *settings, const rstar_parameter *parameters,
					   uint32_t n, rstar_gemm *gemm, rstar_pool *pool, const rstar_train_ops *ops,
					   const rstar_allocator *allocator, rstar_optimiser **out, rstar_error *err);
extern void rstar_optimiser_free(rstar_optimiser *optimiser); /* NULL is allowed */

/* Set all gradients to zero. */
extern void rstar_optimiser_clear(rstar_optimiser *optimiser);

/* Norm of the whole gradient, before clipping; not finite if it holds NaN or infinity. */
extern double rstar_optimiser_norm(rstar_optimiser *optimiser);

/*
 * Begin step t = 1, 2, ... at a share of the rate, for a gradient of this norm;
 * then call advance until it returns OK: AGAIN after each tensor, CANCELLED
 * (parameters are then between two steps).
 */
extern void rstar_optimiser_begin(rstar_optimiser *optimiser, uint64_t t, double share,
								  double norm);
extern rstar_status rstar_optimiser_advance(rstar_optimiser *optimiser, const rstar_cancel *cancel,
											rstar_error *err);

/* The state, for checkpoints: *n floats in a fixed order. */
extern float *rstar_optimiser_state(rstar_optimiser *optimiser, size_t *n);

/* --- muon.c ------------------------------------------------------------------- */

/* Floats of scratch that one matrix needs. */
extern size_t rstar_muon_scratch(uint32_t rows, uint32_t columns);

/*
 * x [rows][columns] becomes nearly orthogonal: singular values of about 0.7 to
 * 1.2. False: cancelled.
 */
extern bool rstar_muon_orthogonalise(rstar_gemm *gemm, const rstar_train_ops *ops, float *x,
									 uint32_t rows, uint32_t columns, float *scratch,
									 const rstar_cancel *cancel);

#endif

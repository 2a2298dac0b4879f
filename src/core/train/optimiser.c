/*
 * optimiser.c
 *	  Stepping parameters along their gradients.
 */
#include "core/train/optimiser.h"

#include <math.h>
#include <string.h>

#define PIECE ((size_t) 16384) /* parameters in one block of work */

struct rstar_optimiser
{
	const rstar_allocator *allocator;
	rstar_optimiser_settings settings;
	rstar_parameter *parameters;
	uint32_t n;
	rstar_gemm *gemm;
	rstar_pool *pool;
	const rstar_train_ops *ops;
	float *state; /* of one parameter after the other */
	size_t n_state;
	float *scratch;
	double *squares; /* per piece of the largest tensor */

	/* the step under way */
	uint32_t next;
	size_t next_state;
	float share, gradient_scale;
	uint64_t t;
};

static bool
takes_muon(rstar_optimiser_kind kind, const rstar_parameter *p)
{
	return kind == RSTAR_OPTIMISER_MUON && p->tensor->kind == RSTAR_TRAIN_HIDDEN;
}

/* Floats of state, of scratch, and pieces of the largest tensor. */
static void
count_memory(rstar_optimiser_kind kind, const rstar_parameter *parameters, uint32_t n,
			 size_t *state, size_t *scratch, size_t *pieces)
{
	*state = *scratch = *pieces = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		const rstar_train_tensor *t = parameters[i].tensor;
		size_t size = rstar_train_tensor_size(t), more = 0;

		*state += takes_muon(kind, &parameters[i]) ? size : 2 * size;
		if (takes_muon(kind, &parameters[i]))
			more = size + rstar_muon_scratch(t->rows, t->columns);
		*scratch = more > *scratch ? more : *scratch;
		if ((size + PIECE - 1) / PIECE > *pieces)
			*pieces = (size + PIECE - 1) / PIECE;
	}
}

rstar_status
rstar_optimiser_create(const rstar_optimiser_settings *settings, const rstar_parameter *parameters,
					   uint32_t n, rstar_gemm *gemm, rstar_pool *pool, const rstar_train_ops *ops,
					   const rstar_allocator *allocator, rstar_optimiser **out, rstar_error *err)
{
	rstar_optimiser *o = rstar_alloc_zero(allocator, sizeof *o);
	size_t scratch, pieces;

	*out = NULL;
	if (!o)
		return rstar_error_memory(err, sizeof *o);
	count_memory(settings->kind, parameters, n, &o->n_state, &scratch, &pieces);
	o->allocator = allocator;
	o->settings = *settings;
	o->n = o->next = n;
	o->gemm = gemm;
	o->pool = pool;
	o->ops = ops;
	o->parameters = rstar_alloc_array(allocator, n, sizeof *o->parameters);
	o->state = rstar_alloc_array_zero(allocator, o->n_state, sizeof(float));
	o->scratch = rstar_alloc_array(allocator, scratch, sizeof(float));
	o->squares = rstar_alloc_array(allocator, pieces, sizeof(double));
	if (!o->parameters || !o->state || !o->scratch || !o->squares)
	{
		rstar_optimiser_free(o);
		return rstar_error_memory(err, (o->n_state + scratch) * sizeof(float));
	}
	memcpy(o->parameters, parameters, n * sizeof *parameters);
	*out = o;
	return RSTAR_OK;
}

void
rstar_optimiser_free(rstar_optimiser *o)
{
	if (!o)
		return;
	rstar_free(o->allocator, o->parameters);
	rstar_free(o->allocator, o->state);
	rstar_free(o->allocator, o->scratch);
	rstar_free(o->allocator, o->squares);
	rstar_free(o->allocator, o);
}

float *
rstar_optimiser_state(rstar_optimiser *o, size_t *n)
{
	*n = o->n_state;
	return o->state;
}

/* --- over the pieces of one tensor ------------------------------------------------ */

typedef struct piece_work
{
	rstar_optimiser *o;
	const rstar_parameter *p;
	float *m, *v; /* moments, of the whole tensor */
	rstar_adamw_step step;
} piece_work;

static size_t
piece_length(const piece_work *w, uint32_t block)
{
	size_t left = rstar_train_tensor_size(w->p->tensor) - block * PIECE;

	return left < PIECE ? left : PIECE;
}

static uint32_t
count_pieces(const rstar_parameter *p)
{
	return (uint32_t) ((rstar_train_tensor_size(p->tensor) + PIECE - 1) / PIECE);
}

static void
clear_piece(void *arg, uint32_t block, uint32_t thread)
{
	const piece_work *w = arg;

	(void) thread;
	memset(w->p->gradient + block * PIECE, 0, piece_length(w, block) * sizeof(float));
}

void
rstar_optimiser_clear(rstar_optimiser *o)
{
	for (uint32_t i = 0; i < o->n; i++)
	{
		piece_work w = {.o = o, .p = &o->parameters[i]};

		rstar_pool_run(o->pool, clear_piece, &w, count_pieces(w.p), NULL);
	}
}

static void
square_piece(void *arg, uint32_t block, uint32_t thread)
{
	const piece_work *w = arg;

	(void) thread;
	w->o->squares[block] =
		w->o->ops->sum_squares(w->p->gradient + block * PIECE, piece_length(w, block));
}

double
rstar_optimiser_norm(rstar_optimiser *o)
{
	double total = 0;

	for (uint32_t i = 0; i < o->n; i++)
	{
		piece_work w = {.o = o, .p = &o->parameters[i]};
		uint32_t pieces = count_pieces(w.p);

		rstar_pool_run(o->pool, square_piece, &w, pieces, NULL);
		for (uint32_t j = 0; j < pieces; j++)
			total += o->squares[j];
	}
	return sqrt(total);
}

static void
adamw_piece(void *arg, uint32_t block, uint32_t thread)
{
	const piece_work *w = arg;
	size_t at = block * PIECE;

	(void) thread;
	w->o->ops->adamw(&w->step, w->p->tensor->value + at, w->p->gradient + at, w->m + at, w->v + at,
					 piece_length(w, block));
}

static bool
step_adamw(rstar_optimiser *o, const rstar_parameter *p, float *state, const rstar_cancel *cancel)
{
	const rstar_optimiser_settings *s = &o->settings;
	piece_work w = {
		.o = o,
		.p = p,
		.m = state,
		.v = state + rstar_train_tensor_size(p->tensor),
		.step = {.rate = s->rate * o->share,
				 .decay = p->tensor->kind == RSTAR_TRAIN_VECTOR ? 0.0f : s->decay,
				 .beta1 = s->beta1,
				 .beta2 = s->beta2,
				 .epsilon = s->epsilon,
				 .correction1 = (float) (1.0 - pow((double) s->beta1, (double) o->t)),
				 .correction2 = (float) (1.0 - pow((double) s->beta2, (double) o->t)),
				 .gradient_scale = o->gradient_scale},
	};

	return rstar_pool_run(o->pool, adamw_piece, &w, count_pieces(p), cancel);
}

/* momentum <- mu momentum + (1 - mu) g; the step goes along mu momentum + (1 - mu) g. */
static bool
step_muon(rstar_optimiser *o, const rstar_parameter *p, float *momentum, const rstar_cancel *cancel)
{
	const rstar_optimiser_settings *s = &o->settings;
	const rstar_train_tensor *t = p->tensor;
	size_t size = rstar_train_tensor_size(t);
	float *update = o->scratch, mu = s->momentum, fresh = (1.0f - mu) * o->gradient_scale;
	float rate = s->rate * s->muon_scale * o->share;
	uint32_t longer = t->rows > t->columns ? t->rows : t->columns;

	o->ops->blend(momentum, mu, fresh, p->gradient, size);
	memcpy(update, momentum, size * sizeof *update);
	o->ops->blend(update, mu, fresh, p->gradient, size);
	if (!rstar_muon_orthogonalise(o->gemm, o->ops, update, t->rows, t->columns, update + size,
								  cancel))
		return false;
	o->ops->blend(t->value, 1.0f - rate * s->decay, -rate * 0.2f * sqrtf((float) longer), update,
				  size);
	return true;
}

void
rstar_optimiser_begin(rstar_optimiser *o, uint64_t t, double share, double norm)
{
	double clip = (double) o->settings.clip;

	o->t = t;
	o->share = (float) share;
	o->gradient_scale = clip > 0 && norm > clip ? (float) (clip / (norm + 1e-6)) : 1.0f;
	o->next = 0;
	o->next_state = 0;
}

rstar_status
rstar_optimiser_advance(rstar_optimiser *o, const rstar_cancel *cancel, rstar_error *err)
{
	const rstar_parameter *p;
	float *state = o->state + o->next_state;
	bool muon;

	if (o->next == o->n)
		return RSTAR_OK;
	p = &o->parameters[o->next];
	muon = takes_muon(o->settings.kind, p);
	if (!(muon ? step_muon(o, p, state, cancel) : step_adamw(o, p, state, cancel)))
		return rstar_error_set(err, RSTAR_ERR_CANCELLED, "training was cancelled");
	o->next_state += rstar_train_tensor_size(p->tensor) * (muon ? 1 : 2);
	o->next++;
	return o->next == o->n ? RSTAR_OK : RSTAR_AGAIN;
}

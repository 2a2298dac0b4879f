/*
 * panels.c
 *	  The engine's own view of the weights, and the panels that small models keep.
 *
 * The matrices are copies of the descriptions in rstar_weights (the data stays in
 * the map), since panels belong to one engine and its kernels. Products fill them
 * as they come by; each panel is one thread's in each of them, so nothing is locked.
 */
#include "core/engine/internal.h"

#include <string.h>

#define MATRICES_OF_LAYER 7

/* The i-th of the matrices that products read; NULL: there are no more. */
static rstar_matrix *
matrix_at(rstar_engine *e, uint32_t i)
{
	rstar_layer_weights *layer = &e->layers[i / MATRICES_OF_LAYER];

	if (i == e->hparams->n_layer * MATRICES_OF_LAYER)
		return &e->output;
	if (i > e->hparams->n_layer * MATRICES_OF_LAYER)
		return NULL;

	rstar_matrix *const matrices[MATRICES_OF_LAYER] = {&layer->wq,    &layer->wk,     &layer->wv,
													   &layer->wo,    &layer->w_gate, &layer->w_up,
													   &layer->w_down};

	return matrices[i % MATRICES_OF_LAYER];
}

static size_t
kept_bytes(const rstar_engine *e, const rstar_matrix *w)
{
	return e->kernels->panel_bytes(w) * rstar_n_panels(w);
}

/* Room for all panels, if the matrices have no more weights than `most`. */
static rstar_status
keep_panels(rstar_engine *e, uint64_t most, rstar_error *err)
{
	uint32_t n_matrices = e->hparams->n_layer * MATRICES_OF_LAYER + 1;
	uint64_t weights = 0;
	size_t bytes = 0, n = 0;
	rstar_matrix *w;

	for (uint32_t i = 0; (w = matrix_at(e, i)) != NULL && weights <= most; i++)
	{
		weights += (uint64_t) w->rows * w->columns;
		bytes += kept_bytes(e, w);
		n += rstar_n_panels(w);
	}
	if (weights > most)
		return RSTAR_OK;
	e->panels = rstar_alloc_array_zero(e->allocator, n_matrices, sizeof *e->panels);
	e->panel_memory = rstar_alloc_zero(e->allocator, bytes + 64);
	e->panel_filled = rstar_alloc_array_zero(e->allocator, n, sizeof *e->panel_filled);
	if (!e->panels || !e->panel_memory || !e->panel_filled)
		return rstar_error_memory(err, bytes);

	uint8_t *data = (uint8_t *) (((uintptr_t) e->panel_memory + 63) & ~(uintptr_t) 63);
	bool *filled = e->panel_filled;

	for (uint32_t i = 0; (w = matrix_at(e, i)) != NULL; i++)
	{
		e->panels[i] = (rstar_panels){data, filled, e->kernels->panel_bytes(w)};
		w->panels = &e->panels[i];
		data += kept_bytes(e, w);
		filled += rstar_n_panels(w);
	}
	return RSTAR_OK;
}

rstar_status
rstar_engine_view_weights(rstar_engine *e, uint64_t max_panels, rstar_error *err)
{
	uint32_t n = e->hparams->n_layer;

	e->output = e->weights->output;
	e->layers = rstar_alloc_array(e->allocator, n, sizeof *e->layers);
	if (!e->layers)
		return rstar_error_memory(err, n * sizeof *e->layers);
	memcpy(e->layers, e->weights->layers, n * sizeof *e->layers);
	return keep_panels(e, max_panels, err);
}

void
rstar_engine_forget_weights(rstar_engine *e)
{
	rstar_free(e->allocator, e->layers);
	rstar_free(e->allocator, e->panels);
	rstar_free(e->allocator, e->panel_memory);
	rstar_free(e->allocator, e->panel_filled);
}

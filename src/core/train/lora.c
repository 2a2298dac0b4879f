/*
 * lora.c
 *	  Low-rank adapters: making and merging them.
 */
#include "core/train/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/random.h"

/* Rows at which the parts of a matrix begin, and how many there are. */
static uint32_t
list_parts(const rstar_train_model *model, uint32_t tensor, uint32_t first[RSTAR_LORA_PARTS + 1])
{
	const rstar_hparams *h = &model->hparams;
	uint32_t n = 1;

	first[0] = 0;
	for (uint32_t l = 0; l < h->n_layer; l++)
	{
		if (model->layers[l].qkv == tensor)
		{
			first[1] = h->n_head * h->head_dim;
			first[2] = first[1] + h->n_head_kv * h->head_dim;
			n = 3;
		}
		if (model->layers[l].gate_up == tensor)
		{
			first[1] = h->n_ff;
			n = 2;
		}
	}
	first[n] = model->tensors[tensor].rows;
	return n;
}

size_t
rstar_lora_count(const rstar_train_model *model, uint32_t rank)
{
	size_t count = 0;

	for (uint32_t i = 0; i < model->n_tensors; i++)
	{
		const rstar_train_tensor *w = &model->tensors[i];
		uint32_t first[RSTAR_LORA_PARTS + 1];

		if (w->kind == RSTAR_TRAIN_HIDDEN)
			count += (size_t) rank * (w->columns * (size_t) list_parts(model, i, first) + w->rows);
	}
	return count;
}

static void
fill_uniform(uint64_t seed, uint32_t matrix, uint32_t part, float bound, size_t n, float *x)
{
	rstar_random_stream stream = {.seed = seed, .node = matrix, .candidate = part};

	for (size_t i = 0; i < n; i++)
		x[i] = bound * (float) (2.0 * rstar_random_uniform(&stream, (uint32_t) i) - 1.0);
}

/* Lay out the parts of one matrix from `at` on; returns where the next begins. */
static float *
place_matrix(rstar_lora *lora, const rstar_train_model *model, uint32_t i, uint64_t seed, float *at)
{
	const rstar_train_tensor *w = &model->tensors[i];
	rstar_lora_matrix *m = &lora->matrices[i];
	uint32_t first[RSTAR_LORA_PARTS + 1];

	m->n_parts = list_parts(model, i, first);
	for (uint32_t p = 0; p < m->n_parts; p++)
	{
		rstar_lora_part *part = &m->parts[p];

		part->first = first[p];
		part->rows = first[p + 1] - first[p];
		part->a = (rstar_train_tensor){
			.kind = RSTAR_TRAIN_HIDDEN, .rows = lora->rank, .columns = w->columns, .value = at};
		at += rstar_train_tensor_size(&part->a);
		part->b = (rstar_train_tensor){
			.kind = RSTAR_TRAIN_HIDDEN, .rows = part->rows, .columns = lora->rank, .value = at};
		at += rstar_train_tensor_size(&part->b);
		snprintf(part->a.name, sizeof part->a.name, "%.28s.%u.lora_a", w->name, p % 8);
		snprintf(part->b.name, sizeof part->b.name, "%.28s.%u.lora_b", w->name, p);
		fill_uniform(seed, i, p, 1.0f / sqrtf((float) w->columns),
					 rstar_train_tensor_size(&part->a), part->a.value);
	}
	return at;
}

rstar_status
rstar_lora_create(const rstar_train_model *model, uint32_t rank, float alpha, uint64_t seed,
				  rstar_lora **out, rstar_error *err)
{
	const rstar_allocator *allocator = model->allocator;
	rstar_lora *lora = rstar_alloc_zero(allocator, sizeof *lora);
	size_t n = rstar_lora_count(model, rank);
	float *at;

	*out = NULL;
	if (!lora)
		return rstar_error_memory(err, sizeof *lora);
	lora->allocator = allocator;
	lora->rank = rank;
	lora->scale = alpha / (float) rank;
	lora->n_parameters = n;
	lora->n_matrices = model->n_tensors;
	lora->matrices = rstar_alloc_array_zero(allocator, model->n_tensors, sizeof *lora->matrices);
	lora->values = rstar_alloc_array_zero(allocator, n, sizeof(float));
	if (!lora->matrices || !lora->values)
	{
		rstar_lora_free(lora);
		return rstar_error_memory(err, n * sizeof(float));
	}
	at = lora->values;
	for (uint32_t i = 0; i < model->n_tensors; i++)
		if (model->tensors[i].kind == RSTAR_TRAIN_HIDDEN)
			at = place_matrix(lora, model, i, seed, at);
	*out = lora;
	return RSTAR_OK;
}

void
rstar_lora_free(rstar_lora *lora)
{
	if (!lora)
		return;
	rstar_free(lora->allocator, lora->values);
	rstar_free(lora->allocator, lora->matrices);
	rstar_free(lora->allocator, lora);
}

/* --- merging -------------------------------------------------------------------- */

typedef struct merging
{
	const rstar_lora *lora;
	const rstar_lora_part *part;
	rstar_train_tensor *matrix;
} merging;

/* One row: W[r] += scale * sum over i of B[r][i] A[i]. */
static void
merge_row(void *arg, uint32_t row, uint32_t thread)
{
	const merging *m = arg;
	const rstar_lora_part *part = m->part;
	uint32_t columns = m->matrix->columns;
	float *w = m->matrix->value + (size_t) (part->first + row) * columns;

	(void) thread;
	for (uint32_t i = 0; i < m->lora->rank; i++)
	{
		float by = m->lora->scale * part->b.value[(size_t) row * m->lora->rank + i];
		const float *a = part->a.value + (size_t) i * columns;

		for (uint32_t j = 0; j < columns; j++)
			w[j] += by * a[j];
	}
}

bool
rstar_lora_merge(rstar_lora *lora, rstar_train_model *model, rstar_pool *pool,
				 const rstar_cancel *cancel)
{
	for (uint32_t i = 0; i < model->n_tensors; i++)
		for (uint32_t p = 0; p < lora->matrices[i].n_parts; p++)
		{
			rstar_lora_part *part = &lora->matrices[i].parts[p];
			merging m = {lora, part, &model->tensors[i]};

			if (!rstar_pool_run(pool, merge_row, &m, part->rows, cancel))
				return false;
			memset(part->b.value, 0, rstar_train_tensor_size(&part->b) * sizeof(float));
		}
	return true;
}

/*
 * fuzz_gguf.c
 *	  Any bytes as a model file: open it, look at every value, read every
 *	  tensor, and see whether it is a model.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/gguf.h"
#include "core/model/weights.h"

static volatile uint64_t sink;

static void
read_array(const rstar_gguf_array *array)
{
	const char *cursor = array->data;

	for (uint64_t i = 0; i < array->count; i++)
	{
		if (array->type != RSTAR_GGUF_STRING)
		{
			sink += (uint64_t) rstar_gguf_array_i64(array, i);
			sink += rstar_gguf_array_f64(array, i) > 0.0;
			continue;
		}

		rstar_string text = rstar_gguf_next_string(&cursor);

		for (size_t j = 0; j < text.length; j++)
			sink += (unsigned char) text.data[j];
	}
}

static void
read_key(const rstar_gguf *gguf, uint64_t i)
{
	rstar_gguf_type type;
	rstar_string name = rstar_gguf_key(gguf, i, &type);
	rstar_string value = rstar_gguf_value(gguf, i);
	char *key = rstar_strndup(&rstar_allocator_malloc, name.data, name.length);
	rstar_gguf_array array;
	rstar_string text;
	uint64_t u64;
	int64_t i64;
	double f64;
	bool flag;

	if (strlen(key) != name.length)
		abort();
	for (size_t j = 0; j < value.length; j++)
		sink += (unsigned char) value.data[j];
	sink += rstar_gguf_get_u64(gguf, key, &u64);
	sink += rstar_gguf_get_i64(gguf, key, &i64);
	sink += rstar_gguf_get_f64(gguf, key, &f64);
	sink += rstar_gguf_get_bool(gguf, key, &flag);
	if (rstar_gguf_get_string(gguf, key, &text) && text.length > 0)
		sink += (unsigned char) text.data[text.length - 1];
	if (rstar_gguf_get_array(gguf, key, &array))
		read_array(&array);
	free(key);
}

static void
read_layers(const rstar_weights *weights)
{
	double frequencies[RSTAR_MAX_HEAD_DIM / 2];

	rstar_weights_rope_frequencies(weights, weights->hparams.n_context, frequencies);
	for (uint32_t i = 0; i < weights->hparams.n_layer; i++)
	{
		const rstar_layer_weights *layer = &weights->layers[i];

		sink += layer->attn_norm[weights->hparams.n_embd - 1] > 0.0f;
		sink += *((const uint8_t *) rstar_matrix_row(&layer->wv, layer->wv.rows - 1) +
				  layer->wv.row_bytes - 1);
		sink += *((const uint8_t *) rstar_matrix_row(&layer->w_up, layer->w_up.rows - 1) +
				  layer->w_up.row_bytes - 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1); /* aligned, and just so long */
	rstar_gguf *gguf;
	rstar_weights *weights;
	rstar_error err;

	memcpy(bytes, data, size);
	if (rstar_gguf_open_memory(bytes, size, &rstar_allocator_malloc, &gguf, &err) == RSTAR_OK)
	{
		for (uint64_t i = 0; i < rstar_gguf_n_keys(gguf); i++)
			read_key(gguf, i);
		sink += rstar_gguf_check_data(gguf, NULL, &err) == RSTAR_OK;
		if (rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err) == RSTAR_OK)
			read_layers(weights);
		rstar_weights_close(weights);
		rstar_gguf_close(gguf);
	}
	free(bytes);
	return 0;
}

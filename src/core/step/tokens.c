/*
 * tokens.c
 *	  The tokens of a sequence: the one place that decides them.
 */
#include "core/step/tokens.h"

#include <string.h>

/* No model reads so many: a longer text is refused before it is encoded to its end. */
#define LONGEST_SEQUENCE ((size_t) 1 << 20)

/* A template that writes the begin token itself gets no second one. */
static void
drop_second_begin(const rstar_tokenizer *tokenizer, int32_t *ids, size_t *count)
{
	int32_t bos = rstar_tokenizer_bos(tokenizer);

	if (bos == RSTAR_NO_TOKEN || *count < 2 || ids[0] != bos || ids[1] != bos)
		return;
	memmove(ids, ids + 1, (*count - 1) * sizeof(int32_t));
	(*count)--;
}

rstar_status
rstar_prompt_encode(const rstar_tokenizer *tokenizer, const rstar_prompt_template *prompt,
					const char *problem, size_t length, const rstar_allocator *allocator,
					const rstar_cancel *cancel, int32_t **ids, size_t *count, rstar_error *err)
{
	rstar_encode_options options = {
		.add_bos = true,
		.parse_special = true,
		.dummy_prefix = true,
		.plain_start = prompt->before.length,
		.plain_end = prompt->before.length + length,
		.max_tokens = LONGEST_SEQUENCE,
	};
	rstar_buffer text;
	rstar_status status;

	*ids = NULL;
	*count = 0;
	rstar_buffer_init(&text, allocator);
	if (rstar_prompt_append(prompt, problem, length, &text))
		status = rstar_tokenizer_encode(tokenizer, text.data, text.length, &options, allocator,
										cancel, ids, count, err);
	else
		status = rstar_error_memory(err, prompt->before.length + length + prompt->after.length);
	if (status == RSTAR_OK)
		drop_second_begin(tokenizer, *ids, count);
	rstar_buffer_free(&text);
	return status;
}

rstar_status
rstar_step_encode(const rstar_tokenizer *tokenizer, const char *text, size_t length,
				  const rstar_allocator *allocator, const rstar_cancel *cancel, int32_t **ids,
				  size_t *count, rstar_error *err)
{
	rstar_encode_options options = {.parse_special = true, .max_tokens = LONGEST_SEQUENCE};

	return rstar_tokenizer_encode(tokenizer, text, length, &options, allocator, cancel, ids, count,
								  err);
}

size_t
rstar_common_prefix(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b)
{
	size_t n = n_a < n_b ? n_a : n_b;
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* --- whole sequences ------------------------------------------------------- */

typedef struct builder
{
	const rstar_tokenizer *tokenizer;
	const rstar_allocator *allocator;
	const rstar_cancel *cancel;
	rstar_sequence_ids *out;
	size_t capacity;
	rstar_error *err;
} builder;

/* Append ids, which are freed. */
static rstar_status
append_ids(builder *b, int32_t *ids, size_t count)
{
	rstar_sequence_ids *out = b->out;
	bool room = rstar_grow(b->allocator, (void **) &out->ids, &b->capacity, out->count + count,
						   sizeof(int32_t));

	if (room && count > 0)
		memcpy(out->ids + out->count, ids, count * sizeof(int32_t));
	rstar_free(b->allocator, ids);
	if (!room)
		return rstar_error_memory(b->err, (out->count + count) * sizeof(int32_t));
	out->count += count;
	return RSTAR_OK;
}

/*
 * How many of a step's ids the model wrote. Its own text, encoded alone, has
 * these ids but perhaps for the last, which can reach into what was inserted;
 * that one counts as the model's, since without it the end tag is incomplete.
 */
static rstar_status
count_written(builder *b, const rstar_step_text *step, const int32_t *ids, size_t count,
			  size_t *written)
{
	int32_t *own;
	size_t n_own;
	rstar_status status;

	*written = count;
	if (step->written >= step->text.length)
		return RSTAR_OK;
	status = rstar_step_encode(b->tokenizer, step->text.data, step->written, b->allocator,
							   b->cancel, &own, &n_own, b->err);
	if (status != RSTAR_OK)
		return status;
	*written = rstar_common_prefix(ids, count, own, n_own);
	if (*written < n_own && *written < count)
		(*written)++;
	rstar_free(b->allocator, own);
	return RSTAR_OK;
}

static rstar_status
append_step(builder *b, const rstar_step_text *step, size_t *written)
{
	int32_t *ids;
	size_t count;
	rstar_status status = rstar_step_encode(b->tokenizer, step->text.data, step->text.length,
											b->allocator, b->cancel, &ids, &count, b->err);

	if (status != RSTAR_OK)
		return status;
	status = count_written(b, step, ids, count, written);
	if (status != RSTAR_OK)
	{
		rstar_free(b->allocator, ids);
		return status;
	}
	return append_ids(b, ids, count);
}

rstar_status
rstar_sequence_encode(const rstar_tokenizer *tokenizer, const rstar_prompt_template *prompt,
					  rstar_string problem, const rstar_step_text *steps, size_t n_steps,
					  bool add_end, const rstar_allocator *allocator, const rstar_cancel *cancel,
					  rstar_sequence_ids *out, rstar_error *err)
{
	builder b = {tokenizer, allocator, cancel, out, 0, err};
	int32_t *ids;
	size_t count;
	rstar_status status;

	memset(out, 0, sizeof(*out));
	out->ends = rstar_alloc_array(allocator, n_steps + 1, sizeof(size_t));
	out->written = rstar_alloc_array(allocator, n_steps, sizeof(size_t));
	if (!out->ends || !out->written)
		return rstar_error_memory(err, (2 * n_steps + 1) * sizeof(size_t));
	status = rstar_prompt_encode(tokenizer, prompt, problem.data, problem.length, allocator, cancel,
								 &ids, &count, err);
	if (status == RSTAR_OK)
		status = append_ids(&b, ids, count);
	if (status != RSTAR_OK)
		return status;
	out->ends[0] = out->count;
	for (size_t i = 0; i < n_steps; i++)
	{
		status = append_step(&b, &steps[i], &out->written[i]);
		if (status != RSTAR_OK)
			return status;
		out->ends[i + 1] = out->count;
		out->n_steps = i + 1;
	}
	if (add_end && rstar_tokenizer_eos(tokenizer) != RSTAR_NO_TOKEN)
	{
		if (!rstar_grow(allocator, (void **) &out->ids, &b.capacity, out->count + 1,
						sizeof(int32_t)))
			return rstar_error_memory(err, (out->count + 1) * sizeof(int32_t));
		out->ids[out->count++] = rstar_tokenizer_eos(tokenizer);
		out->has_end = true;
	}
	return RSTAR_OK;
}

void
rstar_sequence_ids_free(rstar_sequence_ids *sequence, const rstar_allocator *allocator)
{
	rstar_free(allocator, sequence->ids);
	rstar_free(allocator, sequence->ends);
	rstar_free(allocator, sequence->written);
	memset(sequence, 0, sizeof(*sequence));
}

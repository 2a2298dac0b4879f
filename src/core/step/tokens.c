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

/* The prompt's text, and how far it is encoded. */
typedef struct prompt_encoder
{
	const rstar_tokenizer *tokenizer;
	const rstar_allocator *allocator;
	const rstar_cancel *cancel;
	rstar_buffer text;
	size_t at;
	size_t plain_start, plain_end; /* the problem */
	int32_t *ids;
	size_t count, capacity;
	rstar_error *err;
} prompt_encoder;

/* The next `length` bytes of the prompt, on their own. */
static rstar_status
encode_piece(prompt_encoder *p, size_t length)
{
	bool first = p->at == 0;
	rstar_encode_options options = {
		.add_bos = first,
		.parse_special = true,
		.dummy_prefix = first,
		.plain_start = p->plain_start > p->at ? p->plain_start - p->at : 0,
		.plain_end = p->plain_end > p->at ? p->plain_end - p->at : 0,
		.max_tokens = LONGEST_SEQUENCE,
	};
	int32_t *ids;
	size_t n;
	rstar_status status =
		rstar_tokenizer_encode(p->tokenizer, p->text.data + p->at, length, &options, p->allocator,
							   p->cancel, &ids, &n, p->err);

	if (status != RSTAR_OK)
		return status;
	if (!rstar_grow(p->allocator, (void **) &p->ids, &p->capacity, p->count + n, sizeof *ids))
		status = rstar_error_memory(p->err, (p->count + n) * sizeof *ids);
	else if (n > 0)
		memcpy(p->ids + p->count, ids, n * sizeof *ids);
	p->count += status == RSTAR_OK ? n : 0;
	rstar_free(p->allocator, ids);
	p->at += length;
	return status;
}

/*
 * Worked examples are encoded step by step, as steps are: a model that learns the
 * format from them then meets, behind each of its own steps, the tokens that it
 * met in the examples. Encoded as one text, the last letter of <end_of_code> would
 * merge with the line end behind it, and what the model sees in a search would be
 * new to it.
 */
static rstar_status
encode_prompt(prompt_encoder *p, const rstar_prompt_template *prompt)
{
	rstar_status status = RSTAR_OK;

	while (status == RSTAR_OK && rstar_prompt_shows_steps(prompt))
	{
		size_t left = prompt->before.length - p->at;
		size_t piece = rstar_solution_cut(p->text.data + p->at, left, true);

		if (piece >= left)
			break;
		status = encode_piece(p, piece);
	}
	return status == RSTAR_OK ? encode_piece(p, p->text.length - p->at) : status;
}

rstar_status
rstar_prompt_encode(const rstar_tokenizer *tokenizer, const rstar_prompt_template *prompt,
					const char *problem, size_t length, const rstar_allocator *allocator,
					const rstar_cancel *cancel, int32_t **ids, size_t *count, rstar_error *err)
{
	prompt_encoder p = {
		.tokenizer = tokenizer,
		.allocator = allocator,
		.cancel = cancel,
		.plain_start = prompt->before.length,
		.plain_end = prompt->before.length + length,
		.err = err,
	};
	rstar_status status;

	*ids = NULL;
	*count = 0;
	rstar_buffer_init(&p.text, allocator);
	if (rstar_prompt_append(prompt, problem, length, &p.text))
		status = encode_prompt(&p, prompt);
	else
		status = rstar_error_memory(err, prompt->before.length + length + prompt->after.length);
	rstar_buffer_free(&p.text);
	if (status != RSTAR_OK)
	{
		rstar_free(allocator, p.ids);
		return status;
	}
	drop_second_begin(tokenizer, p.ids, &p.count);
	*ids = p.ids;
	*count = p.count;
	return RSTAR_OK;
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

/*
 * Problems that begin with a letter, a digit, a sign, blanks or a line end: what
 * their prompts have in common, other prompts share too, but for rare cases that
 * cost no more than the computing that they save elsewhere (whoever uses the
 * prefix compares it with the ids of the prompt at hand).
 */
rstar_status
rstar_prompt_prefix(const rstar_tokenizer *tokenizer, const rstar_prompt_template *prompt,
					const rstar_allocator *allocator, const rstar_cancel *cancel, int32_t **ids,
					size_t *count, rstar_error *err)
{
	static const char *const problems[] = {"A", "7", "$", "  x", "\n\n"};
	rstar_status status = rstar_prompt_encode(tokenizer, prompt, problems[0], strlen(problems[0]),
											  allocator, cancel, ids, count, err);

	for (size_t i = 1; i < sizeof problems / sizeof problems[0] && status == RSTAR_OK; i++)
	{
		int32_t *other;
		size_t n;

		status = rstar_prompt_encode(tokenizer, prompt, problems[i], strlen(problems[i]), allocator,
									 cancel, &other, &n, err);
		if (status != RSTAR_OK)
			break;
		*count = rstar_common_prefix(*ids, *count, other, n);
		rstar_free(allocator, other);
	}
	if (status != RSTAR_OK)
	{
		rstar_free(allocator, *ids);
		*ids = NULL;
		*count = 0;
	}
	return status;
}

/*
 * The model's own text, encoded alone, has these ids but perhaps for the last, which can reach
 * into what was inserted; that one counts as the model's, since without it the end tag is
 * incomplete.
 */
rstar_status
rstar_step_count_written(const rstar_tokenizer *tokenizer, const rstar_step_text *step,
						 const int32_t *ids, size_t count, const rstar_allocator *allocator,
						 const rstar_cancel *cancel, size_t *written, rstar_error *err)
{
	int32_t *own;
	size_t n_own;
	rstar_status status;

	*written = count;
	if (step->written >= step->text.length)
		return RSTAR_OK;
	status = rstar_step_encode(tokenizer, step->text.data, step->written, allocator, cancel, &own,
							   &n_own, err);
	if (status != RSTAR_OK)
		return status;
	*written = rstar_common_prefix(ids, count, own, n_own);
	if (*written < n_own && *written < count)
		(*written)++;
	rstar_free(allocator, own);
	return RSTAR_OK;
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

static rstar_status
append_step(builder *b, const rstar_step_text *step, size_t *written)
{
	int32_t *ids;
	size_t count;
	rstar_status status = rstar_step_encode(b->tokenizer, step->text.data, step->text.length,
											b->allocator, b->cancel, &ids, &count, b->err);

	if (status != RSTAR_OK)
		return status;
	status = rstar_step_count_written(b->tokenizer, step, ids, count, b->allocator, b->cancel,
									  written, b->err);
	if (status != RSTAR_OK)
	{
		rstar_free(b->allocator, ids);
		return status;
	}
	return append_ids(b, ids, count);
}

/*
 * The same tokens as in a search: the prompt, then each step encoded by itself, so that no
 * token crosses the border between two steps. What was built stays in `out` after a failure,
 * for the caller to free.
 */
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

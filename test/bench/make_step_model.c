/*
 * make_step_model.c
 *	  Writes a model that writes steps, for benchmarks of search.
 *
 *		make_step_model OUT.gguf small|large policy|ppm
 *
 * It has a shape of 6.8M parameters (small) or of Qwen2.5-Math-1.5B
 * (large) in Q8_0, and random weights, but for what makes it a die with chosen
 * odds: the first element of its embeddings is so large that it alone survives
 * the normalisation, and the output row of a token holds there how likely it
 * is. So it writes lines of digits, which are Python, and now and then <code> or
 * <end_of_step>; nothing ever ends the solution, and searches go down to
 * max_depth. The vocabulary is that of bytes, filled up with tokens that
 * nothing uses. Every part of the computation costs what it costs in a real
 * model of that shape.
 */
#include <fcntl.h>
#include <math.h>

#include "core/text/bytemap.h"
#include "random_model.h"

#define STEP_CHARACTERS 50   /* one <end_of_step> among so many characters */
#define CODE_SHARE      0.25 /* <code>, which the first step needs and no other may have */

static const char *const tags[] = {
	"<|endoftext|>",   "<code>",   "<end_of_step>",   "<end_of_code>", "<output>",
	"<end_of_output>", "<answer>", "<end_of_answer>", "<|user|>",      "<|assistant|>"};

enum
{
	N_TAGS = sizeof tags / sizeof tags[0],
	TAG_CODE = 1,
	TAG_END_OF_STEP = 2
};

/* A matrix with a row for each token whose first block is chosen. */
typedef struct chosen_rows
{
	random_tensor random;
	uint32_t width;
	bool output;
} chosen_rows;

/* The logit of a token, about. */
static double
logit(uint64_t token)
{
	if (token == '\n' || (token >= '1' && token <= '9'))
		return 25;
	if (token == 256 + TAG_END_OF_STEP)
		return 25 + log(10.0 / STEP_CHARACTERS);
	if (token == 256 + TAG_CODE)
		return 25 + log(10.0 / STEP_CHARACTERS * CODE_SHARE);
	return 0;
}

/* One Q8_0 block: its first element is `value`, the others 0. */
static void
first_block(uint8_t *block, double value)
{
	uint16_t scale = rstar_f16_from_f32((float) (value / 127));

	memset(block, 0, 34);
	memcpy(block, &scale, 2);
	block[2] = value != 0 ? 127 : 0;
}

static rstar_status
row_bytes(void *arg, uint64_t offset, void *buffer, size_t length, rstar_error *err)
{
	const chosen_rows *rows = arg;
	uint64_t row_length = rows->width / 32 * 34;
	uint8_t *out = buffer;

	random_bytes((void *) &rows->random, offset, buffer, length, err);
	for (uint64_t row = offset / row_length; row * row_length < offset + length; row++)
	{
		uint64_t at = row * row_length;
		uint8_t block[34];

		if (rows->output)
		{
			/* Nothing but the first block counts. */
			uint64_t from = at > offset ? at - offset : 0;
			uint64_t to = at + row_length - offset < length ? at + row_length - offset : length;

			memset(out + from, 0, to - from);
		}
		first_block(block, rows->output ? logit(row) / sqrt(rows->width) : 1e6);
		for (uint64_t i = 0; i < sizeof block; i++)
			if (at + i >= offset && at + i < offset + length)
				out[at + i - offset] = block[i];
	}
	return RSTAR_OK;
}

static void
write_vocabulary(rstar_gguf_writer *writer, uint32_t n)
{
	rstar_bytemap map;
	rstar_string *tokens = calloc(n, sizeof *tokens);
	int32_t *types = calloc(n, sizeof *types);
	char(*names)[24] = calloc(n, sizeof *names);

	rstar_bytemap_init(&map);
	for (uint32_t i = 0; i < n; i++)
	{
		if (i < 256)
			memcpy(names[i], map.text[i], map.length[i]);
		else if (i < 256 + N_TAGS)
			strcpy(names[i], tags[i - 256]);
		else
			snprintf(names[i], sizeof names[i], "<unused%u>", i);
		tokens[i] = (rstar_string){names[i], strlen(names[i])};
		types[i] = i < 256 ? 1 : i < 256 + N_TAGS ? 4 : 5;
	}
	types[256] = 3;
	rstar_gguf_writer_string(writer, "tokenizer.ggml.model", "gpt2", 4);
	rstar_gguf_writer_string(writer, "tokenizer.ggml.pre", "qwen2", 5);
	rstar_gguf_writer_strings(writer, "tokenizer.ggml.tokens", tokens, n);
	rstar_gguf_writer_array(writer, "tokenizer.ggml.token_type", RSTAR_GGUF_I32, types, n);
	rstar_gguf_writer_strings(writer, "tokenizer.ggml.merges", NULL, 0);
	rstar_gguf_writer_u32(writer, "tokenizer.ggml.eos_token_id", 256);
	free(tokens);
	free(types);
	free(names);
}

static void
write_tensors(rstar_gguf_writer *writer, const rstar_hparams *h, bool ppm)
{
	uint32_t n = rstar_weights_n_specs(h);
	random_tensor *tensors = calloc(n, sizeof *tensors);
	static chosen_rows rows[2];
	static float vector[16384];

	for (uint32_t i = 0; i < h->n_ff; i++)
		vector[i] = 1;
	for (uint32_t i = 0; i < n; i++)
	{
		rstar_tensor_spec spec;
		bool output;

		rstar_weights_spec(h, i, &spec);
		output = strcmp(spec.name, "output.weight") == 0;
		if (strncmp(spec.name, "value_head", 10) == 0 && !ppm)
			continue;
		tensors[i] = (random_tensor){RSTAR_TYPE_Q8_0, i * 7919};
		if (output || strcmp(spec.name, "token_embd.weight") == 0)
		{
			rows[output] = (chosen_rows){tensors[i], h->n_embd, output};
			rstar_gguf_writer_tensor_source(writer, spec.name, RSTAR_TYPE_Q8_0, spec.n_dims,
											spec.dims, row_bytes, &rows[output]);
		}
		else if (spec.kind == RSTAR_TENSOR_MATRIX)
			rstar_gguf_writer_tensor_source(writer, spec.name, RSTAR_TYPE_Q8_0, spec.n_dims,
											spec.dims, random_bytes, &tensors[i]);
		else
			rstar_gguf_writer_tensor(writer, spec.name, RSTAR_TYPE_F32, spec.n_dims, spec.dims,
									 vector);
	}
	/* The writer refers to rows and vector until it has finished. */
}

int
main(int argc, char **argv)
{
	bool large = argc == 4 && strcmp(argv[2], "large") == 0;
	bool ppm = argc == 4 && strcmp(argv[3], "ppm") == 0;
	rstar_hparams h = large ? shape_large : shape_small;
	rstar_gguf_writer *writer = NULL;
	rstar_error err = {0};
	int fd;

	if (argc != 4)
	{
		fprintf(stderr, "usage: %s OUT.gguf small|large policy|ppm\n", argv[0]);
		return 2;
	}
	h.n_context = 4096;
	fd = open(argv[1], O_CREAT | O_TRUNC | O_RDWR, 0644);
	if (fd < 0 || rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) != RSTAR_OK)
		fail(&err);
	rstar_hparams_write(&h, writer);
	write_vocabulary(writer, h.n_vocab);
	write_tensors(writer, &h, ppm);
	if (rstar_gguf_writer_finish(writer, fd, NULL, &err) != RSTAR_OK)
		fail(&err);
	rstar_gguf_writer_free(writer);
	return close(fd) == 0 ? 0 : 1;
}

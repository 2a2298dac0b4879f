/*
 * follow.c
 *	  Trains a start on given batches, to be compared with PyTorch's run of them.
 *
 * curriculum/follow.py writes both, and compares. Prints a line of json for each step.
 *
 *	follow FOLDER [threads] [kernel]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/train/optimiser.h"
#include "core/train/pass.h"
#include "core/train/schedule.h"

#define MAX_TOKENS 4096 /* of a batch, without padding */
#define MAX_LENGTH 512

static void
check(rstar_status st, const rstar_error *err)
{
	if (st == RSTAR_OK)
		return;
	fprintf(stderr, "follow: %s %s\n", err->message, err->detail);
	exit(1);
}

/* The model, one gradient per tensor, and what steps it. */
typedef struct follow
{
	rstar_gguf *gguf;
	rstar_train_model *model;
	rstar_pool *pool;
	rstar_gemm *gemm;
	float **gradients;
	rstar_pass *pass;
	rstar_optimiser *optimiser;
} follow;

static void
open_model(follow *f, const char *folder, int threads, const char *kernel)
{
	rstar_optimiser_settings settings = {
		RSTAR_OPTIMISER_MUON, 2e-3f, 1.0f, 0.05f, 0.9f, 0.98f, 1e-8f, 0.95f, 1.0f};
	rstar_pass_options options = {MAX_TOKENS, MAX_TOKENS / 8, MAX_LENGTH, false, true};
	const rstar_train_ops *ops = rstar_train_ops_get(rstar_cpu_best());
	rstar_parameter *parameters;
	rstar_error err = {0};
	char path[1024];

	snprintf(path, sizeof path, "%s/start.gguf", folder);
	check(rstar_gguf_open(path, &rstar_allocator_malloc, &f->gguf, &err), &err);
	check(rstar_train_model_open(f->gguf, false, &rstar_allocator_malloc, &f->model, &err), &err);
	check(rstar_train_model_load(f->model, 0, NULL, &err), &err);
	check(rstar_pool_create(threads, &f->pool, &err), &err);
	check(rstar_gemm_create(kernel, f->pool, &rstar_allocator_malloc, &f->gemm, &err), &err);
	f->gradients = calloc(f->model->n_tensors, sizeof *f->gradients);
	parameters = calloc(f->model->n_tensors, sizeof *parameters);
	for (uint32_t i = 0; i < f->model->n_tensors; i++)
	{
		f->gradients[i] = calloc(rstar_train_tensor_size(&f->model->tensors[i]), sizeof(float));
		parameters[i] = (rstar_parameter){&f->model->tensors[i], f->gradients[i]};
	}
	check(rstar_pass_create(f->model, NULL, f->gradients, f->gemm, f->pool, ops, &options, &f->pass,
							&err),
		  &err);
	check(rstar_optimiser_create(&settings, parameters, f->model->n_tensors, f->gemm, f->pool, ops,
								 &rstar_allocator_malloc, &f->optimiser, &err),
		  &err);
	free(parameters);
}

static int32_t
read_number(FILE *file)
{
	int32_t value;

	if (fread(&value, sizeof value, 1, file) != 1)
		exit(1);
	return value;
}

/* One sequence of the file; returns how many of its tokens are learned. */
static uint32_t
read_sequence(FILE *file, rstar_pass_sequence *s)
{
	uint32_t length = (uint32_t) read_number(file), learned = 0;
	int32_t *tokens = malloc(length * sizeof *tokens);
	bool *marks = malloc(length * sizeof *marks);

	for (uint32_t t = 0; t < length; t++)
		tokens[t] = read_number(file);
	for (uint32_t t = 0; t < length; t++)
		learned += (marks[t] = read_number(file) != 0) && t > 0;
	*s = (rstar_pass_sequence){tokens, marks, length};
	return learned;
}

static double
step(follow *f, FILE *file, uint32_t number, uint32_t steps)
{
	static rstar_pass_sequence sequences[MAX_TOKENS];
	uint32_t n = (uint32_t) read_number(file), learned = 0;
	double progress = (double) number / steps, loss;
	rstar_pass_batch batch = {.sequences = sequences, .n_sequences = n};
	rstar_error err = {0};
	rstar_status st;

	for (uint32_t i = 0; i < n; i++)
		learned += read_sequence(file, &sequences[i]);
	batch.scale = 1.0f / (float) learned;
	rstar_optimiser_clear(f->optimiser);
	check(rstar_pass_begin(f->pass, &batch, true, &err), &err);
	while ((st = rstar_pass_step(f->pass, NULL, &err)) == RSTAR_AGAIN)
		continue;
	check(st, &err);
	loss = rstar_pass_get(f->pass).loss / learned;
	rstar_optimiser_begin(f->optimiser, number + 1,
						  rstar_schedule_share(RSTAR_SCHEDULE_COSINE, 0.03, progress),
						  rstar_optimiser_norm(f->optimiser));
	while ((st = rstar_optimiser_advance(f->optimiser, NULL, &err)) == RSTAR_AGAIN)
		continue;
	check(st, &err);
	for (uint32_t i = 0; i < n; i++)
	{
		free((void *) sequences[i].ids);
		free((void *) sequences[i].learned);
	}
	return loss;
}

int
main(int argc, char **argv)
{
	follow f = {0};
	char path[1024];
	FILE *file;
	uint32_t steps;
	double begin;

	if (argc < 2)
		return 2;
	open_model(&f, argv[1], argc > 2 ? atoi(argv[2]) : 2, argc > 3 ? argv[3] : NULL);
	snprintf(path, sizeof path, "%s/batches.bin", argv[1]);
	file = fopen(path, "rb");
	if (!file)
		return 1;
	steps = (uint32_t) read_number(file);
	begin = rstar_clock_ms();
	for (uint32_t i = 0; i < steps; i++)
	{
		double loss = step(&f, file, i, steps);

		printf("{\"step\": %u, \"loss\": %.6f, \"seconds\": %.2f}\n", i + 1, loss,
			   (rstar_clock_ms() - begin) / 1000);
		fflush(stdout);
	}
	return 0;
}

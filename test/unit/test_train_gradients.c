/*
 * test_train_gradients.c
 *	  Every parameter's gradient against central finite differences of a loss in
 *	  double precision, for each architecture; and what must not change a result:
 *	  packing, checkpointing, threads.
 */
#include "train_reference.h"
#include "tiny_model.h"

#define LENGTHS   3
#define TOLERANCE 1e-4

static const uint32_t lengths[LENGTHS] = {9, 5, 12};

/* Small enough that every parameter can be moved twice. */
static rstar_hparams
small_hparams(rstar_arch arch)
{
	rstar_hparams h = tiny_hparams(arch);

	h.n_vocab = 20;
	h.n_embd = 12;
	h.n_head = 4;
	h.n_head_kv = arch == RSTAR_ARCH_PHI3 ? 4 : 2;
	h.head_dim = 6;
	h.rope_dim = arch == RSTAR_ARCH_LLAMA ? 4 : 6; /* some components are not turned */
	h.n_ff = 10;
	h.sliding_window = arch == RSTAR_ARCH_PHI3 ? 4 : 0;
	h.rope_magnitude = 1.1f;
	h.rope_base = 10.0f;
	h.norm_eps = 1e-3f;
	return h;
}

/* A model, three sequences, a pool, and buffers of gradients. */
typedef struct bench
{
	tiny_model file;
	rstar_train_model *model;
	rstar_pool *pool;
	rstar_gemm *gemm;
	float *memory; /* all gradients, in the model's order */
	float **gradients;
	int32_t ids[LENGTHS][12];
	bool learned[LENGTHS][12];
	rstar_pass_sequence sequences[LENGTHS];
	rstar_pass_pair pairs[2];
	rstar_pass_batch batch;
} bench;

/* What is learned: next tokens, values, or values with the likelihood of marked tokens. */
typedef enum learns
{
	TOKENS,
	VALUES,
	VALUES_AND_LIKELIHOOD
} learns;

static void
fill_batch(bench *b, learns what)
{
	uint32_t seed = 3;

	for (uint32_t s = 0; s < LENGTHS; s++)
	{
		for (uint32_t t = 0; t < lengths[s]; t++)
		{
			seed = seed * 1664525u + 1013904223u;
			b->ids[s][t] = (int32_t) ((seed >> 16) % b->model->hparams.n_vocab);
			b->learned[s][t] = (seed >> 8) % 3 != 0;
		}
		b->sequences[s] =
			(rstar_pass_sequence){b->ids[s], what == VALUES ? NULL : b->learned[s], lengths[s]};
	}
	b->pairs[0] = (rstar_pass_pair){0, 1, 8, 4, 0.5f};
	b->pairs[1] = (rstar_pass_pair){2, 1, 11, 4, 1.0f};
	b->batch = (rstar_pass_batch){b->sequences, LENGTHS, b->pairs, what == TOKENS ? 0 : 2, 1.0f};
}

static void
bench_open(bench *b, const rstar_hparams *h, learns what, const char *kernel, int threads)
{
	rstar_error err = {0};
	float *at;

	memset(b, 0, sizeof *b);
	tiny_model_create(h, what != TOKENS, &b->file);
	CHECK_MSG(rstar_train_model_open(b->file.gguf, what != TOKENS, &rstar_allocator_malloc,
									 &b->model, &err) == RSTAR_OK,
			  "%s", err.message);
	CHECK(rstar_train_model_load(b->model, 1, NULL, &err) == RSTAR_OK);
	CHECK(rstar_pool_create(threads, &b->pool, &err) == RSTAR_OK);
	CHECK_MSG(rstar_gemm_create(kernel, b->pool, &rstar_allocator_malloc, &b->gemm, &err) ==
				  RSTAR_OK,
			  "%s", err.message);
	b->memory = calloc(b->model->n_parameters, sizeof(float));
	b->gradients = calloc(b->model->n_tensors, sizeof *b->gradients);
	at = b->memory;
	for (uint32_t i = 0; i < b->model->n_tensors; i++)
	{
		b->gradients[i] = at;
		at += rstar_train_tensor_size(&b->model->tensors[i]);
	}
	fill_batch(b, what);
}

static void
bench_close(bench *b)
{
	rstar_gemm_free(b->gemm);
	rstar_pool_free(b->pool);
	rstar_train_model_close(b->model);
	tiny_model_free(&b->file);
	free(b->memory);
	free(b->gradients);
}

/* Forward and backward of a batch; adds to the gradients. */
static rstar_pass_result
run_pass(bench *b, rstar_lora *lora, rstar_cpu_family family, bool checkpointing,
		 const rstar_pass_batch *batch)
{
	rstar_pass_options o = {40, LENGTHS, 12, checkpointing, true};
	rstar_error err = {0};
	rstar_pass *pass;
	rstar_pass_result result;
	rstar_status st;

	CHECK_MSG(rstar_pass_create(b->model, lora, b->gradients, b->gemm, b->pool,
								rstar_train_ops_get(family), &o, &pass, &err) == RSTAR_OK,
			  "%s", err.message);
	st = rstar_pass_begin(pass, batch, true, &err);
	CHECK_MSG(st == RSTAR_OK, "%s", err.message);
	while ((st = rstar_pass_step(pass, NULL, &err)) == RSTAR_AGAIN)
		continue;
	CHECK(st == RSTAR_OK);
	result = rstar_pass_get(pass);
	rstar_pass_free(pass);
	return result;
}

/* The reference's derivative with respect to parameter i. */
static double
difference(const reference *r, double *values, size_t i, const rstar_pass_batch *batch)
{
	const double step = 1e-5;
	double x = values[i], above, below;

	values[i] = x + step;
	above = reference_loss(r, batch);
	values[i] = x - step;
	below = reference_loss(r, batch);
	values[i] = x;
	return (above - below) / (2 * step);
}

/* Relative error of each tensor's gradient, as norms. */
static void
compare_gradients(bench *b)
{
	double *values = malloc(b->model->n_parameters * sizeof *values);
	reference r = {b->model, values};

	for (size_t i = 0; i < b->model->n_parameters; i++)
		values[i] = (double) b->model->values[i];
	for (uint32_t t = 0; t < b->model->n_tensors; t++)
	{
		const rstar_train_tensor *tensor = &b->model->tensors[t];
		size_t first = (size_t) (tensor->value - b->model->values);
		double error = 0, size = 0;

		for (size_t i = 0; i < rstar_train_tensor_size(tensor); i++)
		{
			double expected = difference(&r, values, first + i, &b->batch);
			double actual = (double) b->gradients[t][i];

			error += (actual - expected) * (actual - expected);
			size += expected * expected;
		}
		/* The bias cancels in pairs, and without likelihood no output of tokens is asked. */
		if (t == b->model->value_bias ||
			(!b->sequences[0].learned &&
			 (t == b->model->output || t == b->model->value_likelihood)))
			CHECK(error < 1e-12 && size < 1e-12);
		else
			CHECK_MSG(size > 0 && sqrt(error / size) < TOLERANCE, "%s: relative error %.2g of %.2g",
					  tensor->name, sqrt(error / size), sqrt(size));
	}
	free(values);
}

static void
check_architecture(const rstar_hparams *h, learns what, uint8_t flags, const char *kernel,
				   rstar_cpu_family family)
{
	bench b;
	rstar_pass_result result;
	double *doubles;

	bench_open(&b, h, what, kernel, 2);
	b.model->hparams.layer_flags[1] = flags;
	result = run_pass(&b, NULL, family, false, &b.batch);
	doubles = malloc(b.model->n_parameters * sizeof *doubles);
	for (size_t i = 0; i < b.model->n_parameters; i++)
		doubles[i] = (double) b.model->values[i];

	reference r = {b.model, doubles};
	double expected = reference_loss(&r, &b.batch);

	CHECK_MSG(fabs(result.loss - expected) < 1e-5 * expected, "loss %.9g instead of %.9g",
			  result.loss, expected);
	free(doubles);
	compare_gradients(&b);
	bench_close(&b);
}

static void
gradients_of_qwen2(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_QWEN2);

	check_architecture(&h, TOKENS, 0, "portable", RSTAR_CPU_PORTABLE);
}

static void
gradients_of_llama(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_LLAMA);

	check_architecture(&h, TOKENS, 0, "f32", rstar_cpu_best());
}

static void
gradients_of_phi3(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_PHI3);

	check_architecture(&h, TOKENS, 0, "f32",
					   rstar_cpu_supports(RSTAR_CPU_AVX2) ? RSTAR_CPU_AVX2 : RSTAR_CPU_PORTABLE);
}

/* Norms of the heads of q and k. */
static void
gradients_of_qwen3(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_QWEN3);

	check_architecture(&h, VALUES, 0, "f32", rstar_cpu_best());
}

/* A layer that does not rotate, and has no window though the other has. */
static void
gradients_of_smollm3(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_SMOLLM3);

	h.rope_style = RSTAR_ROPE_NORM;
	check_architecture(&h, TOKENS, RSTAR_LAYER_NO_ROPE, "f32", rstar_cpu_best());
	h = small_hparams(RSTAR_ARCH_PHI3);
	check_architecture(&h, TOKENS, RSTAR_LAYER_GLOBAL, "f32", rstar_cpu_best());
}

/* What training does not compute is refused, not trained as something else. */
static void
refuses_gemma3(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_GEMMA3);
	rstar_train_model *model;
	rstar_error err = {0};
	tiny_model file;

	rstar_hparams_set_traits(&h);
	tiny_model_create_as(&h, false, true, &file);
	CHECK(rstar_train_model_open(file.gguf, false, &rstar_allocator_malloc, &model, &err) ==
		  RSTAR_ERR_UNSUPPORTED);
	CHECK_STR(err.message, "models of architecture gemma3 cannot be trained");
	tiny_model_free(&file);
}

static void
gradients_of_values(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_QWEN2);

	check_architecture(&h, VALUES, 0, "f32", rstar_cpu_best());
	check_architecture(&h, VALUES_AND_LIKELIHOOD, 0, "f32", rstar_cpu_best());
}

/* --- what must not matter ------------------------------------------------------------ */

static void
checkpointing_changes_nothing(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_QWEN2);
	bench a, b;

	bench_open(&a, &h, TOKENS, NULL, 2);
	bench_open(&b, &h, TOKENS, NULL, 2);
	CHECK(run_pass(&a, NULL, rstar_cpu_best(), false, &a.batch).loss ==
		  run_pass(&b, NULL, rstar_cpu_best(), true, &b.batch).loss);
	CHECK(memcmp(a.memory, b.memory, a.model->n_parameters * sizeof(float)) == 0);
	bench_close(&a);
	bench_close(&b);
}

static void
threads_change_nothing(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_PHI3);
	bench a, b;

	bench_open(&a, &h, TOKENS, NULL, 1);
	bench_open(&b, &h, TOKENS, NULL, 3);
	CHECK(run_pass(&a, NULL, rstar_cpu_best(), false, &a.batch).loss ==
		  run_pass(&b, NULL, rstar_cpu_best(), false, &b.batch).loss);
	CHECK(memcmp(a.memory, b.memory, a.model->n_parameters * sizeof(float)) == 0);
	bench_close(&a);
	bench_close(&b);
}

/* Sequences one by one give the same loss and gradients as side by side. */
static void
packing_changes_nothing(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_LLAMA);
	bench a, b;
	double loss, error = 0, size = 0;

	bench_open(&a, &h, TOKENS, "f32", 2);
	bench_open(&b, &h, TOKENS, "f32", 2);
	loss = run_pass(&a, NULL, rstar_cpu_best(), false, &a.batch).loss;
	for (uint32_t s = 0; s < LENGTHS; s++)
	{
		rstar_pass_batch one = {&b.sequences[s], 1, NULL, 0, 1.0f};

		loss -= run_pass(&b, NULL, rstar_cpu_best(), false, &one).loss;
	}
	CHECK(fabs(loss) < 1e-5);
	for (size_t i = 0; i < a.model->n_parameters; i++)
	{
		error += pow((double) a.memory[i] - (double) b.memory[i], 2);
		size += pow((double) a.memory[i], 2);
	}
	CHECK(error < 1e-10 * size);
	bench_close(&a);
	bench_close(&b);
}

/* --- adapters -------------------------------------------------------------------------- */

/* Expected: dB = scale dW A^T, dA = scale B^T dW, with dW that of the merged matrix. */
static void
compare_part(const rstar_lora *lora, const rstar_lora_part *part, const float *b_values,
			 const float *dw)
{
	uint32_t in = part->a.columns, rank = lora->rank;
	double error = 0, size = 0;

	dw += (size_t) part->first * in;
	for (uint32_t r = 0; r < part->rows; r++)
		for (uint32_t i = 0; i < rank; i++)
		{
			double sum = 0;

			for (uint32_t j = 0; j < in; j++)
				sum += (double) dw[r * in + j] * (double) part->a.value[i * in + j];
			sum *= (double) lora->scale;
			error += pow(sum - (double) part->db[r * rank + i], 2);
			size += sum * sum;
		}
	for (uint32_t i = 0; i < rank; i++)
		for (uint32_t j = 0; j < in; j++)
		{
			double sum = 0;

			for (uint32_t r = 0; r < part->rows; r++)
				sum += (double) dw[r * in + j] * (double) b_values[r * rank + i];
			sum *= (double) lora->scale;
			error += pow(sum - (double) part->da[i * in + j], 2);
			size += sum * sum;
		}
	CHECK_MSG(size > 0 && error < 1e-8 * size, "%s: %g of %g", part->a.name, error, size);
}

static void
gradients_of_adapters(void)
{
	rstar_hparams h = small_hparams(RSTAR_ARCH_QWEN2);
	bench adapted, merged;
	rstar_lora *lora;
	rstar_error err = {0};
	rstar_random_stream stream = {.seed = 9};
	float *grads, *values, **frozen, *at;

	bench_open(&adapted, &h, TOKENS, "f32", 2);
	bench_open(&merged, &h, TOKENS, "f32", 2);
	CHECK(rstar_lora_create(adapted.model, 3, 6.0f, 1, &lora, &err) == RSTAR_OK);
	CHECK(lora->n_parameters == rstar_lora_count(adapted.model, 3));
	grads = calloc(lora->n_parameters, sizeof *grads);
	values = malloc(lora->n_parameters * sizeof *values);
	at = grads;
	for (uint32_t i = 0; i < lora->n_matrices; i++)
		for (uint32_t p = 0; p < lora->matrices[i].n_parts; p++)
		{
			rstar_lora_part *part = &lora->matrices[i].parts[p];

			stream.node = i * 8 + p;
			rstar_random_normal(&stream, 0, rstar_train_tensor_size(&part->b), 0.1f, part->b.value);
			part->da = at;
			part->db = at += rstar_train_tensor_size(&part->a);
			at += rstar_train_tensor_size(&part->b);
		}
	memcpy(values, lora->values, lora->n_parameters * sizeof *values);
	frozen = adapted.gradients;
	adapted.gradients = calloc(adapted.model->n_tensors, sizeof *adapted.gradients);
	double loss = run_pass(&adapted, lora, rstar_cpu_best(), true, &adapted.batch).loss;

	CHECK(rstar_lora_merge(lora, merged.model, merged.pool, NULL));
	CHECK(fabs(run_pass(&merged, NULL, rstar_cpu_best(), false, &merged.batch).loss - loss) <
		  1e-5 * loss);
	for (uint32_t i = 0; i < lora->n_matrices; i++)
		for (uint32_t p = 0; p < lora->matrices[i].n_parts; p++)
		{
			rstar_lora_part *part = &lora->matrices[i].parts[p];

			compare_part(lora, part, values + (part->b.value - lora->values), merged.gradients[i]);
		}
	free(adapted.gradients);
	adapted.gradients = frozen;
	free(grads);
	free(values);
	rstar_lora_free(lora);
	bench_close(&adapted);
	bench_close(&merged);
}

int
main(void)
{
	RUN(gradients_of_qwen2);
	RUN(gradients_of_llama);
	RUN(gradients_of_phi3);
	RUN(gradients_of_qwen3);
	RUN(gradients_of_smollm3);
	RUN(refuses_gemma3);
	RUN(gradients_of_values);
	RUN(gradients_of_adapters);
	RUN(checkpointing_changes_nothing);
	RUN(threads_change_nothing);
	RUN(packing_changes_nothing);
	return CHECK_RESULT();
}

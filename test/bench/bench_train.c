/*
 * bench_train.c
 *	  Steps of training: tokens a second, where the time goes, and the share of
 *	  the machine's measured peak of matrix products.
 *
 *	bench_train [shape] [threads] [steps] [kernel]
 *
 * Shapes: 6.6M (the embedded model), 25M, and lora (the file that RSTAR_LORA_MODEL names, LoRA of
 * rank 16). bench_train.sh runs PyTorch's best beside it.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "random_model.h"

#include "core/model/create.h"
#include "core/train/trainer.h"

#define LENGTH 200 /* tokens of a sequence, as the recipe's are on average */

/* 25M parameters: the embedded model's, wider and deeper. */
static rstar_hparams
shape_25m(void)
{
	rstar_hparams h = shape_small;

	h.n_embd = 448;
	h.n_layer = 10;
	h.n_head = 7;
	h.n_head_kv = 7;
	h.n_ff = 1216;
	return h;
}

static rstar_gguf *
make_model(const rstar_hparams *h)
{
	int fd = memfd_create("bench-train", 0);
	rstar_create_options options = {.seed = 1, .tied = true};
	rstar_gguf_writer *writer;
	rstar_create *create = NULL;
	rstar_gguf *gguf;
	rstar_error err = {0};

	if (rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) != RSTAR_OK ||
		rstar_create_begin(h, &options, &rstar_allocator_malloc, writer, &create, &err) !=
			RSTAR_OK ||
		rstar_gguf_writer_finish(writer, fd, NULL, &err) != RSTAR_OK ||
		rstar_gguf_open_fd(fd, &rstar_allocator_malloc, NULL, &gguf, &err) != RSTAR_OK)
		fail(&err);
	rstar_create_free(create);
	rstar_gguf_writer_free(writer);
	close(fd);
	return gguf;
}

static void
make_examples(rstar_examples *e, uint32_t n, uint32_t vocabulary)
{
	rstar_prompt_template none = {{"", 0}, {"", 0}};
	rstar_error err = {0};

	rstar_examples_init(e, NULL, none, 512, false, &rstar_allocator_malloc);
	for (uint32_t i = 0; i < n; i++)
	{
		int32_t ids[LENGTH];
		bool learned[LENGTH];

		for (int t = 0; t < LENGTH; t++)
		{
			uint64_t bits = rstar_random_mix(i, (uint64_t) t);

			ids[t] = (int32_t) (bits % (vocabulary < 1000 ? vocabulary : 1000));
			learned[t] = (bits >> 40) % 5 >= 2; /* three fifths, as the recipe's */
		}
		if (rstar_examples_add_ids(e, ids, learned, LENGTH, &err) != RSTAR_OK)
			fail(&err);
	}
}

/* The machine's peak: the best rate of a large product, in GFLOP/s. */
static double
peak(const char *kernel, rstar_pool *pool)
{
	const uint32_t n = 1536;
	float *memory = calloc((size_t) 3 * n * n, sizeof *memory);
	rstar_gemm_call call = {RSTAR_GEMM_NN,      n, n,    n, memory, n, memory + n * n, n,
							memory + 2 * n * n, n, false};
	rstar_gemm *gemm;
	rstar_error err = {0};
	double best = 0;

	if (rstar_gemm_create(kernel, pool, &rstar_allocator_malloc, &gemm, &err) != RSTAR_OK)
		fail(&err);
	for (int i = 0; i < 4; i++)
	{
		double start = bench_now(), rate;

		rstar_gemm_run(gemm, &call, NULL);
		rate = 2.0 * n * n * n / (bench_now() - start) / 1e9;
		best = rate > best ? rate : best;
	}
	rstar_gemm_free(gemm);
	free(memory);
	return best;
}

/* Products of a step: six a parameter of a matrix and token; four where it is frozen. */
static double
flops_per_token(const rstar_train_plan *plan, bool lora)
{
	double frozen = (double) (plan->n_parameters - plan->n_trained);

	return lora ? 4 * frozen + 6 * (double) plan->n_trained : 6 * (double) plan->n_trained;
}

static void
run(const char *shape, int threads, int steps, const char *kernel)
{
	bool lora = strcmp(shape, "lora") == 0;
	rstar_hparams h = strcmp(shape, "25M") == 0 ? shape_25m() : shape_small;
	const char *file = getenv("RSTAR_LORA_MODEL");
	rstar_train_settings s;
	rstar_examples examples;
	rstar_trainer *trainer;
	rstar_train_event event = RSTAR_TRAIN_SLICE;
	rstar_pool *pool;
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	double start = 0, *times = calloc((size_t) steps, sizeof *times), optimiser,
		   before_optimiser = 0;
	rstar_pass_times before = {0}, t;

	if (rstar_pool_create(threads, &pool, &err) != RSTAR_OK)
		fail(&err);
	if (lora && (!file || rstar_gguf_open(file, &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK))
	{
		printf("lora: RSTAR_LORA_MODEL names no GGUF file\n");
		return;
	}
	if (!lora)
		gguf = make_model(&h);
	make_examples(&examples, 2000, lora ? 1000 : h.n_vocab);
	rstar_train_defaults(&s, false, !lora, lora, 0);
	s.batch_tokens = lora ? 2000 : 8000;
	s.epochs = 1000;
	s.held_out = 0;
	s.kernel = kernel;
	if (getenv("RSTAR_MICRO"))
		s.micro_tokens = (uint32_t) atoi(getenv("RSTAR_MICRO"));
	if (rstar_trainer_create(gguf, &examples, &s, pool, &rstar_allocator_malloc, NULL, &trainer,
							 &err) != RSTAR_OK)
		fail(&err);
	for (int step = -1; step < steps;)
	{
		if (event == RSTAR_TRAIN_STEP || start == 0)
			start = bench_now();
		if (rstar_trainer_advance(trainer, NULL, &event, &err) != RSTAR_OK)
			fail(&err);
		if (event != RSTAR_TRAIN_STEP)
			continue;
		if (step >= 0)
			times[step] = bench_now() - start;
		else
			before = rstar_trainer_times(trainer, &before_optimiser);
		step++;
	}
	t = rstar_trainer_times(trainer, &optimiser);

	rstar_train_plan plan = rstar_trainer_memory(trainer);
	double total = 0, tokens = (double) s.batch_tokens, median, best;

	for (int i = 0; i < steps; i++)
		total += times[i];
	median = bench_median(times, steps);
	best = times[0];
	printf(
		"%s: %.1fM parameters, %.2fM trained, kernel %s, %d threads: %.0f tokens/s (best %.0f)\n",
		shape, (double) plan.n_parameters / 1e6, (double) plan.n_trained / 1e6,
		rstar_trainer_kernel(trainer), threads, tokens / median, tokens / best);
	printf("  products %.0f %%, attention %.0f %%, loss %.0f %%, optimizer %.0f %%, rest %.0f %%\n",
		   100 * (t.matrices - before.matrices) / total,
		   100 * (t.attention - before.attention) / total, 100 * (t.output - before.output) / total,
		   100 * (optimiser - before_optimiser) / total, 100 * (t.rest - before.rest) / total);

	double flops = flops_per_token(&plan, lora) * tokens / best / 1e9;
	double most = peak(kernel ? kernel : rstar_trainer_kernel(trainer), pool);

	printf("  %.0f GFLOP/s of %.0f measured (%.0f %%); memory %zu MB: parameters, gradients and "
		   "optimizer %.1f bytes a parameter, activations %zu MB\n",
		   flops, most, 100 * flops / most, plan.total >> 20,
		   (double) (plan.parameters + plan.gradients + plan.state) / (double) plan.n_parameters,
		   plan.activations >> 20);
	rstar_trainer_free(trainer);
	rstar_examples_free(&examples);
	rstar_gguf_close(gguf);
	rstar_pool_free(pool);
	free(times);
}

int
main(int argc, char **argv)
{
	static const char *const shapes[] = {"6.6M", "25M", "lora"};
	int threads = argc > 2 ? atoi(argv[2]) : 2;
	int steps = argc > 3 ? atoi(argv[3]) : 5;

	if (argc > 1)
		run(argv[1], threads, steps, argc > 4 ? argv[4] : NULL);
	else
		for (int i = 0; i < 3; i++)
			run(shapes[i], threads, steps, NULL);
	return 0;
}

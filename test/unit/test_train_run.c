/*
 * test_train_run.c
 *	  Whole runs: learning, resuming bit by bit, damaged checkpoints, divergence,
 *	  memory; and how texts become examples.
 */
#include "check.h"
#include "tiny_model.h"
#include "vocabulary_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/train/checkpoint.h"
#include "core/train/order.h"
#include "core/train/trainer.h"

#define N_SEQUENCES 12

typedef struct run
{
	tiny_model file;
	rstar_examples examples;
	rstar_pool *pool;
	rstar_train_settings settings;
	rstar_trainer *trainer;
	char directory[64];
} run;

/* Sequences that follow a rule which a model can learn, of different lengths. */
static void
fill_examples(rstar_examples *e, bool pairs)
{
	rstar_prompt_template none = {{"", 0}, {"", 0}};
	rstar_error err = {0};

	rstar_examples_init(e, NULL, none, 64, false, &rstar_allocator_malloc);
	for (uint32_t i = 0; i < N_SEQUENCES; i++)
	{
		int32_t ids[40];
		bool learned[40];
		uint32_t length = 20 + i;

		for (uint32_t t = 0; t < length; t++)
		{
			ids[t] = (int32_t) ((i * 7 + t * (i % 3 + 1)) % 90);
			learned[t] = t > 3;
		}
		CHECK(rstar_examples_add_ids(e, ids, learned, length, &err) == RSTAR_OK);
	}
	/* Pairs: every sequence is better than the next. */
	for (uint32_t i = 0; pairs && i + 1 < N_SEQUENCES; i++)
	{
		e->items[i].ids[1] = e->items[i + 1].ids[0];
		e->items[i].length[1] = e->items[i + 1].length[0];
		e->items[i].learned = 0;
	}
	e->n -= pairs;
}

static void
run_open(run *r, bool ppm, uint32_t rank)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);
	rstar_error err = {0};

	memset(r, 0, sizeof *r);
	tiny_model_create_as(&h, false, true, &r->file);
	fill_examples(&r->examples, ppm);
	CHECK(rstar_pool_create(2, &r->pool, &err) == RSTAR_OK);
	rstar_train_defaults(&r->settings, ppm, rank == 0, rank > 0, 1000000);
	r->settings.lora_rank = rank;
	r->settings.epochs = 4;
	r->settings.batch_tokens = 100;
	r->settings.micro_tokens = 64;
	r->settings.held_out = 0.2;
	r->settings.evaluate_every = 3;
	r->settings.seed = 3;
	strcpy(r->directory, "/tmp/rstar-train-XXXXXX");
	CHECK(mkdtemp(r->directory) != NULL);
}

static void
run_start(run *r)
{
	rstar_error err = {0};

	rstar_trainer_free(r->trainer);
	CHECK_MSG(rstar_trainer_create(r->file.gguf, &r->examples, &r->settings, r->pool,
								   &rstar_allocator_malloc, NULL, &r->trainer, &err) == RSTAR_OK,
			  "%s %s", err.message, err.detail);
}

static void
run_close(run *r)
{
	rstar_trainer_free(r->trainer);
	rstar_checkpoint_remove(r->directory, "run");
	CHECK(rmdir(r->directory) == 0);
	rstar_pool_free(r->pool);
	rstar_examples_free(&r->examples);
	tiny_model_free(&r->file);
}

/* Go on to step `until` or to the end; checkpoints every `save` steps (0: none). */
static rstar_train_event
run_on(run *r, uint64_t until, uint64_t save)
{
	rstar_train_event event = RSTAR_TRAIN_SLICE;
	rstar_error err = {0};

	while (event != RSTAR_TRAIN_DONE)
	{
		rstar_status st = rstar_trainer_advance(r->trainer, NULL, &event, &err);
		uint64_t step = rstar_trainer_report(r->trainer).step;

		CHECK_MSG(st == RSTAR_OK, "%s", err.message);
		if (st != RSTAR_OK)
			break;
		if (event == RSTAR_TRAIN_STEP && save > 0 && step % save == 0)
			CHECK_MSG(rstar_trainer_save(r->trainer, r->directory, "run", NULL, &err) == RSTAR_OK,
					  "%s", err.message);
		if (event == RSTAR_TRAIN_STEP && step == until)
			break;
	}
	return event;
}

/* The model as a file's bytes; to be freed. */
static char *
written(run *r, size_t *size)
{
	rstar_quantize_target f32 = {RSTAR_TYPE_F32, false};
	int fd = memfd_create("model", 0);
	rstar_error err = {0};
	char *bytes;

	CHECK_MSG(rstar_trainer_write(r->trainer, f32, fd, NULL, &err) == RSTAR_OK, "%s", err.message);
	*size = (size_t) lseek(fd, 0, SEEK_END);
	bytes = malloc(*size);
	CHECK(pread(fd, bytes, *size, 0) == (ssize_t) *size);
	close(fd);
	return bytes;
}

/* --- learning ------------------------------------------------------------------------- */

static void
learns_by_heart(void)
{
	run r;

	run_open(&r, false, 0);
	r.settings.epochs = 60;
	r.settings.held_out = 0;
	r.settings.optimiser.rate = 1e-2f;
	run_start(&r);
	CHECK(run_on(&r, 0, 0) == RSTAR_TRAIN_DONE);
	CHECK_MSG(rstar_trainer_report(r.trainer).loss < 0.01, "loss %g",
			  rstar_trainer_report(r.trainer).loss);
	run_close(&r);
}

static void
learns_an_order(void)
{
	run r;
	rstar_train_report report;

	run_open(&r, true, 0);
	r.settings.epochs = 150;
	r.settings.held_out = 0;
	run_start(&r);
	CHECK(run_on(&r, 0, 0) == RSTAR_TRAIN_DONE);
	report = rstar_trainer_report(r.trainer);
	CHECK_MSG(report.correct == 1.0 && report.loss < 0.1, "loss %g, %g right", report.loss,
			  report.correct);
	run_close(&r);
}

/* The model's value head, as it is written. */
static void
written_head(run *r, float *bias, float *likelihood)
{
	size_t size;
	char *bytes = written(r, &size);
	rstar_error err = {0};
	rstar_gguf *gguf;
	rstar_weights *weights;

	CHECK(rstar_gguf_open_memory(bytes, size, &rstar_allocator_malloc, &gguf, &err) == RSTAR_OK);
	CHECK(rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err) == RSTAR_OK);
	*bias = weights->value_bias;
	*likelihood = weights->value_likelihood;
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
	free(bytes);
}

/* With likelihood the value is trained through the output matrix as well; its mean becomes 0. */
static void
learns_with_likelihood(void)
{
	run r;
	float chosen[N_SEQUENCES], rejected[N_SEQUENCES], bias, likelihood;
	double sum = 0;
	uint32_t next = 0;
	rstar_status st;
	rstar_error err = {0};

	run_open(&r, true, 0);
	r.settings.epochs = 150;
	r.settings.held_out = 0;
	r.settings.likelihood = 8;
	run_start(&r);
	run_on(&r, 1, 0);
	written_head(&r, &bias, &likelihood);
	CHECK(bias == 0 && likelihood != 8 && fabs((double) likelihood - 8) < 0.1);
	CHECK(run_on(&r, 0, 0) == RSTAR_TRAIN_DONE);
	CHECK(rstar_trainer_report(r.trainer).correct == 1.0);
	while ((st = rstar_trainer_values(r.trainer, &next, chosen, rejected, NULL, &err)) ==
		   RSTAR_AGAIN)
		continue;
	CHECK(st == RSTAR_OK && next == r.examples.n);
	rstar_trainer_center(r.trainer, chosen, rejected);
	for (uint32_t i = 0; i < next; i++)
	{
		CHECK(chosen[i] > rejected[i]);
		sum += (double) (chosen[i] + rejected[i]);
	}
	CHECK_MSG(fabs(sum) < 1e-3, "sum %g", sum);
	written_head(&r, &bias, &likelihood);
	CHECK_MSG(bias != 0 && likelihood > 0, "bias %g, likelihood %g", (double) bias,
			  (double) likelihood);
	run_close(&r);
}

/* Adapters learn too, and what is written is the merged model. */
static void
learns_with_adapters(void)
{
	run r;
	double before;
	size_t size;
	char *bytes;
	rstar_error err = {0};
	rstar_gguf *gguf;
	rstar_weights *weights;

	run_open(&r, false, 4);
	r.settings.epochs = 40;
	r.settings.optimiser.rate = 1e-2f;
	run_start(&r);
	run_on(&r, 1, 0);
	before = rstar_trainer_report(r.trainer).loss;
	CHECK(run_on(&r, 0, 0) == RSTAR_TRAIN_DONE);
	CHECK_MSG(rstar_trainer_report(r.trainer).loss < before / 2, "%g, then %g", before,
			  rstar_trainer_report(r.trainer).loss);
	CHECK(rstar_trainer_memory(r.trainer).n_trained <
		  rstar_trainer_memory(r.trainer).n_parameters / 2);
	bytes = written(&r, &size);
	CHECK_MSG(rstar_gguf_open_memory(bytes, size, &rstar_allocator_malloc, &gguf, &err) == RSTAR_OK,
			  "%s", err.message);
	CHECK(rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err) == RSTAR_OK);
	CHECK(weights->tied && weights->value_head == NULL);
	CHECK(memcmp(weights->token_embd.data, r.file.weights->token_embd.data, 96 * 64 * 4) == 0);
	CHECK(memcmp(weights->layers[0].wq.data, r.file.weights->layers[0].wq.data, 64 * 4) != 0);
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
	free(bytes);
	run_close(&r);
}

/* --- going on --------------------------------------------------------------------------- */

/* Stop anywhere, make everything anew, resume: the same bytes as without stopping. */
static void
check_resume(bool ppm, float likelihood, uint32_t rank)
{
	run whole, parts;
	size_t size, size2;
	char *one, *two;
	rstar_error err = {0};

	run_open(&whole, ppm, rank);
	whole.settings.likelihood = likelihood;
	run_start(&whole);
	CHECK(run_on(&whole, 0, 0) == RSTAR_TRAIN_DONE);
	one = written(&whole, &size);

	run_open(&parts, ppm, rank);
	parts.settings.likelihood = likelihood;
	run_start(&parts);
	run_on(&parts, 5, 2);
	run_start(&parts);
	CHECK_MSG(rstar_trainer_resume(parts.trainer, parts.directory, "run", NULL, &err) == RSTAR_OK,
			  "%s", err.message);
	CHECK(rstar_trainer_report(parts.trainer).step == 4);
	CHECK(run_on(&parts, 0, 3) == RSTAR_TRAIN_DONE);
	two = written(&parts, &size2);
	CHECK(size == size2 && memcmp(one, two, size) == 0);
	CHECK(rstar_trainer_report(whole.trainer).held_out_loss ==
		  rstar_trainer_report(parts.trainer).held_out_loss);
	free(one);
	free(two);
	run_close(&whole);
	run_close(&parts);
}

static void
resumes_bit_by_bit(void)
{
	check_resume(false, 0, 0);
	check_resume(true, 0, 0);
	check_resume(true, 5, 0);
	check_resume(true, 5, 3);
}

/* Change one byte of a file of the directory. */
static void
damage(const run *r, const char *name, off_t at)
{
	char path[128], byte;
	int fd;

	snprintf(path, sizeof path, "%s/%s", r->directory, name);
	fd = open(path, O_RDWR);
	CHECK_MSG(fd >= 0, "%s", path);
	CHECK(pread(fd, &byte, 1, at) == 1);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, at) == 1);
	close(fd);
}

static bool
exists(const run *r, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", r->directory, name);
	return access(path, F_OK) == 0;
}

static void
damaged_checkpoints(void)
{
	run r;
	rstar_error err = {0};

	run_open(&r, false, 0);
	run_start(&r);
	CHECK(rstar_trainer_resume(r.trainer, r.directory, "run", NULL, &err) == RSTAR_ERR_NOT_FOUND);
	run_on(&r, 6, 2);
	CHECK(!exists(&r, "run-2.checkpoint")); /* the last two are kept */
	CHECK(exists(&r, "run-4.checkpoint") && exists(&r, "run-6.checkpoint"));
	damage(&r, "run-6.checkpoint", 70000);
	run_start(&r);
	CHECK(rstar_trainer_resume(r.trainer, r.directory, "run", NULL, &err) == RSTAR_OK);
	CHECK(rstar_trainer_report(r.trainer).step == 4);
	damage(&r, "run-4.checkpoint", 3);
	run_start(&r);
	CHECK(rstar_trainer_resume(r.trainer, r.directory, "run", NULL, &err) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "checkpoint does not match its checksum");
	r.settings.seed++; /* another run */
	damage(&r, "run-6.checkpoint", 70000);
	run_start(&r);
	CHECK(rstar_trainer_resume(r.trainer, r.directory, "run", NULL, &err) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "checkpoint belongs to another run");
	run_close(&r);
}

/* A directory that cannot be written: an error, and the run goes on. */
static void
no_place_for_checkpoints(void)
{
	run r;
	rstar_error err = {0};

	run_open(&r, false, 0);
	run_start(&r);
	run_on(&r, 1, 0);
	CHECK(rstar_trainer_save(r.trainer, "/dev/null/here", "run", NULL, &err) == RSTAR_ERR_IO);
	CHECK(run_on(&r, 2, 0) == RSTAR_TRAIN_STEP);
	run_close(&r);
}

/* --- what goes wrong ----------------------------------------------------------------------- */

static void
divergence(void)
{
	run r;
	rstar_train_event event;
	rstar_error err = {0};
	rstar_status st = RSTAR_OK;

	run_open(&r, false, 0);
	r.settings.optimiser.rate = 10.0f;
	r.settings.optimiser.clip = 0;
	r.settings.warmup = 0;
	r.settings.epochs = 20;
	run_start(&r);
	do
		st = rstar_trainer_advance(r.trainer, NULL, &event, &err);
	while (st == RSTAR_OK && event != RSTAR_TRAIN_DONE);
	CHECK(st == RSTAR_ERR_LIMIT);
	CHECK_MSG(strncmp(err.message, "training diverged in step ", 26) == 0, "%s", err.message);
	run_close(&r);
}

static void
memory(void)
{
	run r;
	rstar_train_plan plan, small;
	rstar_error err = {0};
	rstar_trainer *trainer;

	run_open(&r, false, 0);
	CHECK(rstar_trainer_plan(r.file.gguf, &r.examples, &r.settings, 2, &plan, &err) == RSTAR_OK);
	CHECK(plan.total > plan.parameters && !plan.checkpointing);
	r.settings.memory_limit = plan.total - 1;
	CHECK(rstar_trainer_plan(r.file.gguf, &r.examples, &r.settings, 2, &small, &err) == RSTAR_OK);
	CHECK(small.checkpointing && small.total <= r.settings.memory_limit);
	r.settings.memory_limit = 1 << 20;
	CHECK(rstar_trainer_create(r.file.gguf, &r.examples, &r.settings, r.pool,
							   &rstar_allocator_malloc, NULL, &trainer, &err) == RSTAR_ERR_LIMIT);
	CHECK_MSG(strncmp(err.message, "training would take ", 20) == 0 && err.detail[0], "%s",
			  err.message);
	r.settings.memory_limit = 0;
	r.settings.epochs = -1;
	CHECK(rstar_trainer_create(r.file.gguf, &r.examples, &r.settings, r.pool,
							   &rstar_allocator_malloc, NULL, &trainer,
							   &err) == RSTAR_ERR_ARGUMENT);
	run_close(&r);
}

static bool
is_due(void *arg)
{
	return --*(int *) arg < 0;
}

/* Cancelled after any number of questions: an error, and nothing left. */
static void
cancelled(void)
{
	for (int patience = 0; patience < 400; patience += 37)
	{
		run r;
		int left = patience;
		rstar_cancel cancel = {is_due, &left};
		rstar_train_event event;
		rstar_error err = {0};
		rstar_status st;

		run_open(&r, false, 0);
		run_start(&r);
		do
			st = rstar_trainer_advance(r.trainer, &cancel, &event, &err);
		while (st == RSTAR_OK && event != RSTAR_TRAIN_DONE);
		CHECK(st == RSTAR_ERR_CANCELLED);
		run_close(&r);
	}
}

/* --- texts ------------------------------------------------------------------------------------ */

static rstar_string
string_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

/* Learned: what the model writes, and the end; not the prompt, not the output. */
static void
solutions_as_tokens(const vocabulary *v)
{
	static const char solution[] = "<code>\n# Step 1: Add\nprint(2 + 3)\n<end_of_code>\n<output>5"
								   "<end_of_output>\n<answer>\\boxed{5}\n<end_of_answer>";
	rstar_prompt_template prompt = {string_of("Q: "), string_of("\nA: ")};
	rstar_error err = {0};
	uint32_t length, full;

	for (int on_output = 0; on_output < 2; on_output++)
	{
		rstar_examples e;
		char text[512] = "";

		rstar_examples_init(&e, v->tokenizer, prompt, 400, on_output, &rstar_allocator_malloc);
		CHECK_MSG(rstar_examples_add_solution(&e, string_of("2 + 3?"), string_of(solution), NULL,
											  &length, &err) == RSTAR_OK,
				  "%s", err.message);
		CHECK(e.n == 1 && e.items[0].length[0] == length);
		for (uint32_t t = 0; t < length; t++)
		{
			char piece[64];
			size_t n = 0;
			rstar_string token = rstar_tokenizer_token_text(v->tokenizer, e.ids[t]);

			if (!e.learned[t])
				continue;
			n = token.length < sizeof piece - 1 ? token.length : sizeof piece - 1;
			memcpy(piece, token.data, n);
			piece[n] = '\0';
			strncat(text, piece, sizeof text - strlen(text) - 1);
		}
		CHECK_MSG((strstr(text, "<output>") != NULL) == on_output, "learned \"%s\"", text);
		CHECK(strstr(text, "Q:") == NULL && strstr(text, "<end_of_code>") &&
			  strstr(text, "<answer>"));
		if (rstar_tokenizer_eos(v->tokenizer) != RSTAR_NO_TOKEN)
			CHECK(e.ids[length - 1] == rstar_tokenizer_eos(v->tokenizer) && e.learned[length - 1]);

		/* One token less than it takes: refused, and nothing added. */
		full = length;
		e.context = length - 1;
		CHECK(rstar_examples_add_solution(&e, string_of("2 + 3?"), string_of(solution), NULL,
										  &length, &err) == RSTAR_OK);
		CHECK(e.n == 1 && length == full);
		CHECK(rstar_examples_add_solution(&e, string_of("2 + 3?"), string_of(""), NULL, &length,
										  &err) == RSTAR_ERR_ARGUMENT);
		rstar_examples_free(&e);
	}
}

static void
pairs_as_tokens(const vocabulary *v)
{
	rstar_prompt_template prompt = {string_of("Q: "), string_of("\nA: ")};
	rstar_examples e;
	rstar_error err = {0};
	uint32_t length;

	rstar_examples_init(&e, v->tokenizer, prompt, 400, false, &rstar_allocator_malloc);
	CHECK(rstar_examples_add_pair(
			  &e, string_of("2 + 3?"), string_of("<code>\nx = 2\n<end_of_step>"),
			  string_of("\ny = 3\n<end_of_step>"), string_of("\ny = 33333\n<end_of_step>"), 0.5,
			  NULL, &length, &err) == RSTAR_OK);
	CHECK(e.n == 1 && e.items[0].weight == 0.5f && e.items[0].length[1] == length);
	CHECK(e.items[0].length[0] < e.items[0].length[1]);
	CHECK(rstar_examples_add_pair(&e, string_of("2"), string_of("x"), string_of(""), string_of("y"),
								  1, NULL, &length, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_examples_add_pair(&e, string_of("2"), string_of("x"), string_of("y"),
								  string_of("z"), -1, NULL, &length, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_examples_add_pair(&e, string_of("2"), string_of("x"), string_of("y"),
								  string_of("z"), NAN, NULL, &length, &err) == RSTAR_ERR_ARGUMENT);
	rstar_examples_free(&e);
}

static void
texts_become_examples(void)
{
	vocabulary v;
	rstar_error err = {0};

	memset(&v, 0, sizeof v);
	CHECK(rstar_gguf_open("models/rstar-bootstrap.gguf", &rstar_allocator_malloc, &v.gguf, &err) ==
		  RSTAR_OK);
	CHECK(rstar_tokenizer_open(v.gguf, &rstar_allocator_malloc, NULL, &v.tokenizer, &err) ==
		  RSTAR_OK);
	solutions_as_tokens(&v);
	pairs_as_tokens(&v);
	vocabulary_close(&v);
}

/* --- order --------------------------------------------------------------------------------------- */

static void
order_of_epochs(void)
{
	rstar_examples e;
	rstar_order order;
	rstar_error err = {0};
	uint32_t seen[N_SEQUENCES] = {0}, first[N_SEQUENCES];
	bool same = true;

	fill_examples(&e, false);
	CHECK(rstar_order_init(&order, &e, 0.25, 5, &err) == RSTAR_OK);
	CHECK(order.n_held_out == 3 && order.n_trained == 9);
	for (uint32_t i = 0; i < order.n_held_out; i++)
		seen[order.held_out[i]]++;
	for (uint32_t i = 0; i < order.n_trained; i++)
		seen[first[i] = order.trained[i]]++;
	for (uint32_t i = 0; i < N_SEQUENCES; i++)
		CHECK(seen[i] == 1);
	rstar_order_epoch(&order, 1);
	for (uint32_t i = 0; i < order.n_trained; i++)
		same = same && first[i] == order.trained[i];
	CHECK(!same);
	rstar_order_epoch(&order, 0);
	CHECK(memcmp(first, order.trained, order.n_trained * sizeof *first) == 0);
	CHECK(rstar_order_batch(&e, order.trained, 9, 0, 1) == 1);
	CHECK(rstar_order_batch(&e, order.trained, 9, 7, 1000000) == 2);
	rstar_order_free(&order);
	rstar_examples_free(&e);
}

/* Examples of one problem are held out together, or not at all if they are too many. */
static void
problems_held_out(void)
{
	rstar_examples e;
	rstar_order order;
	rstar_error err = {0};

	fill_examples(&e, false);
	for (uint64_t seed = 0; seed < 20; seed++)
	{
		bool held[N_SEQUENCES] = {false};

		for (uint32_t i = 0; i < N_SEQUENCES; i++)
			e.items[i].problem = i < 6 ? UINT64_MAX : i / 2; /* one of 6, three of 2 */
		CHECK(rstar_order_init(&order, &e, 0.25, seed, &err) == RSTAR_OK);
		CHECK(order.n_held_out == 4 && order.n_trained == 8);
		for (uint32_t i = 0; i < order.n_held_out; i++)
			held[order.held_out[i]] = true;
		for (uint32_t i = 0; i < N_SEQUENCES; i++)
			CHECK(i < 6 ? !held[i] : held[i] == held[i ^ 1]);
		rstar_order_free(&order);
	}
	for (uint32_t i = 0; i < N_SEQUENCES; i++)
		e.items[i].problem = 5;
	CHECK(rstar_order_init(&order, &e, 0.5, 1, &err) == RSTAR_OK);
	CHECK(order.n_held_out == 0 && order.n_trained == N_SEQUENCES);
	rstar_order_free(&order);
	rstar_examples_free(&e);
}

int
main(void)
{
	RUN(learns_by_heart);
	RUN(learns_an_order);
	RUN(learns_with_likelihood);
	RUN(learns_with_adapters);
	RUN(resumes_bit_by_bit);
	RUN(damaged_checkpoints);
	RUN(no_place_for_checkpoints);
	RUN(divergence);
	RUN(memory);
	RUN(cancelled);
	RUN(texts_become_examples);
	RUN(order_of_epochs);
	RUN(problems_held_out);
	return CHECK_RESULT();
}

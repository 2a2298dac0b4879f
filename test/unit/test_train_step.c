/*
 * test_train_step.c
 *	  Whole steps of training against PyTorch: loss, gradients, updated weights.
 *
 * test/fixtures/make_train.py wrote what is compared with.
 */
#include "check.h"
#include "tiny_model.h"

#include "core/train/optimiser.h"
#include "core/train/pass.h"
#include "core/train/schedule.h"

#define SEQUENCES 4

/* --- the fixture: records of name and floats --------------------------------------- */

typedef struct fixture
{
	char *bytes;
	size_t length;
} fixture;

static fixture
read_fixture(const char *name)
{
	char path[256];
	fixture f = {0};
	FILE *file;

	snprintf(path, sizeof path, "test/fixtures/%s", name);
	file = fopen(path, "rb");
	CHECK_MSG(file != NULL, "%s", path);
	if (!file)
		exit(1);
	fseek(file, 0, SEEK_END);
	f.length = (size_t) ftell(file);
	rewind(file);
	f.bytes = malloc(f.length);
	CHECK(fread(f.bytes, 1, f.length, file) == f.length);
	fclose(file);
	return f;
}

/* The floats of a record (unaligned, so copied: to be freed), or NULL. */
static float *
find_record(const fixture *f, const char *name, uint32_t *n)
{
	for (size_t at = 0; at < f->length;)
	{
		uint32_t length, count;
		const char *here;

		memcpy(&length, f->bytes + at, 4);
		here = f->bytes + at + 4;
		memcpy(&count, here + length, 4);
		if (strlen(name) == length && memcmp(here, name, length) == 0)
		{
			float *values = malloc(count * sizeof *values + 1);

			memcpy(values, here + length + 4, count * sizeof *values);
			*n = count;
			return values;
		}
		at += 8 + length + 4 * (size_t) count;
	}
	return NULL;
}

static float
scalar(const fixture *f, const char *kind, int step, const char *what)
{
	char name[64];
	uint32_t n;
	float *values, value;

	snprintf(name, sizeof name, "%s.%d.%s", kind, step, what);
	values = find_record(f, name, &n);
	CHECK(values && n == 1);
	value = values ? values[0] : 0;
	free(values);
	return value;
}

/* --- a model to train ------------------------------------------------------------------ */

typedef struct setup
{
	fixture f;
	tiny_model file;
	rstar_train_model *model;
	rstar_pool *pool;
	rstar_gemm *gemm;
	rstar_parameter *parameters;
	float **gradients;
	rstar_pass *pass;
	rstar_optimiser *optimiser;
	int32_t ids[SEQUENCES][32];
	bool learned[SEQUENCES][32];
	rstar_pass_sequence sequences[SEQUENCES];
} setup;

static rstar_hparams
fixture_hparams(void)
{
	rstar_hparams h = tiny_hparams(RSTAR_ARCH_QWEN2);

	h.n_vocab = 32;
	h.n_context = 32;
	h.n_embd = 16;
	h.n_head = 4;
	h.n_head_kv = 2;
	h.head_dim = 4;
	h.rope_dim = 4;
	h.n_ff = 24;
	return h;
}

/* Put the fixture's weights in. */
static void
set_weights(setup *s)
{
	for (uint32_t i = 0; i < s->model->n_tensors; i++)
	{
		rstar_train_tensor *t = &s->model->tensors[i];
		char name[80];
		uint32_t n;
		float *values;

		snprintf(name, sizeof name, "start.%s", t->name);
		values = find_record(&s->f, name, &n);
		CHECK_MSG(values && n == rstar_train_tensor_size(t), "%s", name);
		memcpy(t->value, values, n * sizeof *values);
		free(values);
	}
}

static void
open_setup(setup *s, bool ppm, rstar_optimiser_kind kind)
{
	rstar_hparams h = fixture_hparams();
	const rstar_train_ops *ops = rstar_train_ops_get(rstar_cpu_best());
	rstar_pass_options o = {80, SEQUENCES, 32, false, true};
	rstar_optimiser_settings settings = {
		.kind = kind,
		.rate = 1e-2f,
		.muon_scale = 1.0f,
		.decay = 0.05f,
		.beta1 = 0.9f,
		.beta2 = 0.98f,
		.epsilon = 1e-8f,
		.momentum = 0.95f,
		.clip = 0.5f,
	};
	rstar_error err = {0};

	memset(s, 0, sizeof *s);
	s->f = read_fixture(ppm ? "train_ppm.bin" : "train_policy.bin");
	tiny_model_create_as(&h, ppm, true, &s->file);
	CHECK(rstar_train_model_open(s->file.gguf, ppm, &rstar_allocator_malloc, &s->model, &err) ==
		  RSTAR_OK);
	CHECK(rstar_train_model_load(s->model, 1, NULL, &err) == RSTAR_OK);
	set_weights(s);
	CHECK(rstar_pool_create(2, &s->pool, &err) == RSTAR_OK);
	CHECK(rstar_gemm_create("f32", s->pool, &rstar_allocator_malloc, &s->gemm, &err) == RSTAR_OK);
	s->gradients = calloc(s->model->n_tensors, sizeof *s->gradients);
	s->parameters = calloc(s->model->n_tensors, sizeof *s->parameters);
	for (uint32_t i = 0; i < s->model->n_tensors; i++)
	{
		s->gradients[i] = calloc(rstar_train_tensor_size(&s->model->tensors[i]), sizeof(float));
		s->parameters[i] = (rstar_parameter){&s->model->tensors[i], s->gradients[i]};
	}
	CHECK(rstar_pass_create(s->model, NULL, s->gradients, s->gemm, s->pool, ops, &o, &s->pass,
							&err) == RSTAR_OK);
	CHECK(rstar_optimiser_create(&settings, s->parameters, s->model->n_tensors, s->gemm, s->pool,
								 ops, &rstar_allocator_malloc, &s->optimiser, &err) == RSTAR_OK);
}

static void
close_setup(setup *s)
{
	rstar_optimiser_free(s->optimiser);
	rstar_pass_free(s->pass);
	for (uint32_t i = 0; i < s->model->n_tensors; i++)
		free(s->gradients[i]);
	free(s->gradients);
	free(s->parameters);
	rstar_gemm_free(s->gemm);
	rstar_pool_free(s->pool);
	rstar_train_model_close(s->model);
	tiny_model_free(&s->file);
	free(s->f.bytes);
}

/* --- steps -------------------------------------------------------------------------------- */

/* Batch b of the fixture; returns how many tokens are learned. */
static uint32_t
fill_batch(setup *s, int b)
{
	uint32_t learned = 0;

	for (int i = 0; i < SEQUENCES; i++)
	{
		char name[64];
		uint32_t n, m;
		float *ids, *marks;

		snprintf(name, sizeof name, "ids.%d.%d", b, i);
		ids = find_record(&s->f, name, &n);
		snprintf(name, sizeof name, "learned.%d.%d", b, i);
		marks = find_record(&s->f, name, &m);
		CHECK(ids && marks && n == m && n <= 32);
		for (uint32_t t = 0; t < n; t++)
		{
			s->ids[i][t] = (int32_t) ids[t];
			s->learned[i][t] = marks[t] > 0;
			learned += t > 0 && s->learned[i][t];
		}
		s->sequences[i] = (rstar_pass_sequence){s->ids[i], s->learned[i], n};
		free(ids);
		free(marks);
	}
	return learned;
}

/* Relative error of a tensor against a record; the rounding of single numbers of size 1 is allowed. */
static void
compare(const fixture *f, const char *name, const float *actual, size_t size, double tolerance)
{
	uint32_t n;
	float *expected = find_record(f, name, &n);
	double error = 0, total = 0;

	CHECK_MSG(expected && n == size, "%s", name);
	for (uint32_t i = 0; expected && i < n; i++)
	{
		error += pow((double) actual[i] - (double) expected[i], 2);
		total += pow((double) expected[i], 2);
	}
	CHECK_MSG(error <= tolerance * tolerance * total + 1e-13, "%s: %.3g of %.3g", name, sqrt(error),
			  sqrt(total));
	free(expected);
}

static void
compare_all(setup *s, const char *kind, int step, const char *what, double tolerance)
{
	for (uint32_t i = 0; i < s->model->n_tensors; i++)
	{
		const rstar_train_tensor *t = &s->model->tensors[i];
		char name[96];

		snprintf(name, sizeof name, "%s.%d.%s.%s", kind, step, what, t->name);
		compare(&s->f, name, what[0] == 'g' ? s->gradients[i] : t->value,
				rstar_train_tensor_size(t), tolerance);
	}
}

static void
run_step(setup *s, const char *kind, int step, bool ppm)
{
	rstar_pass_pair pairs[2] = {{0, 1, 0, 0, 1.0f}, {2, 3, 0, 0, 0.25f}};
	uint32_t learned = fill_batch(s, step);
	double counted = ppm ? 1.25 : learned, norm, expected;
	rstar_pass_batch batch = {s->sequences, SEQUENCES, pairs, ppm ? 2 : 0, (float) (1.0 / counted)};
	rstar_error err = {0};
	rstar_status st;

	for (int i = 0; i < 2; i++)
	{
		pairs[i].chosen_at = s->sequences[pairs[i].chosen].length - 1;
		pairs[i].rejected_at = s->sequences[pairs[i].rejected].length - 1;
	}
	rstar_optimiser_clear(s->optimiser);
	CHECK(rstar_pass_begin(s->pass, &batch, true, &err) == RSTAR_OK);
	while ((st = rstar_pass_step(s->pass, NULL, &err)) == RSTAR_AGAIN)
		continue;
	CHECK(st == RSTAR_OK);
	CHECK(fabs(rstar_pass_get(s->pass).counted - counted) < 1e-6);
	expected = (double) scalar(&s->f, kind, step, "loss");
	CHECK_MSG(fabs(rstar_pass_get(s->pass).loss / counted - expected) < 2e-6 * expected,
			  "loss %.8g instead of %.8g", rstar_pass_get(s->pass).loss / counted, expected);
	if (step == 0)
		compare_all(s, kind, step, "gradient", 1e-5);
	norm = rstar_optimiser_norm(s->optimiser);
	expected = (double) scalar(&s->f, kind, step, "norm");
	CHECK_MSG(fabs(norm - expected) < 1e-5 * expected, "norm %.8g instead of %.8g", norm, expected);
	rstar_optimiser_begin(s->optimiser, (uint64_t) step + 1, 1.0, norm);
	while ((st = rstar_optimiser_advance(s->optimiser, NULL, &err)) == RSTAR_AGAIN)
		continue;
	CHECK(st == RSTAR_OK);
	compare_all(s, kind, step, "weight", 2e-5);
}

static void
check_steps(bool ppm, const char *name, rstar_optimiser_kind kind)
{
	setup s;

	open_setup(&s, ppm, kind);
	for (int step = 0; step < 2; step++)
		run_step(&s, name, step, ppm);
	close_setup(&s);
}

static void
policy_with_adamw(void)
{
	check_steps(false, "adamw", RSTAR_OPTIMISER_ADAMW);
}

static void
policy_with_muon(void)
{
	check_steps(false, "muon", RSTAR_OPTIMISER_MUON);
}

static void
ppm_with_adamw(void)
{
	check_steps(true, "adamw", RSTAR_OPTIMISER_ADAMW);
}

static void
ppm_with_muon(void)
{
	check_steps(true, "muon", RSTAR_OPTIMISER_MUON);
}

/* --- schedules ------------------------------------------------------------------------------- */

static void
schedules(void)
{
	rstar_schedule s;

	CHECK(rstar_schedule_by_name("Cosine", &s) && s == RSTAR_SCHEDULE_COSINE);
	CHECK(!rstar_schedule_by_name("sawtooth", &s));
	CHECK_STR(rstar_schedule_name(RSTAR_SCHEDULE_EVEN), "even");
	CHECK(fabs(rstar_schedule_share(RSTAR_SCHEDULE_COSINE, 0, 1) - 0.05) < 1e-12);
	CHECK(fabs(rstar_schedule_share(RSTAR_SCHEDULE_COSINE, 0, 0.5) - 0.525) < 1e-12);
	CHECK(fabs(rstar_schedule_share(RSTAR_SCHEDULE_LINEAR, 0, 0.25) - 0.75) < 1e-12);
	CHECK(fabs(rstar_schedule_share(RSTAR_SCHEDULE_EVEN, 0, 0.6) - 1) < 1e-12);
	CHECK(fabs(rstar_schedule_share(RSTAR_SCHEDULE_EVEN, 0, 0.8) - 0.51) < 1e-12);
	CHECK(rstar_schedule_share(RSTAR_SCHEDULE_CONSTANT, 0.1, 0.9) == 1.0);
	CHECK(rstar_schedule_share(RSTAR_SCHEDULE_CONSTANT, 0.1, 0) > 0);
	CHECK(rstar_schedule_share(RSTAR_SCHEDULE_CONSTANT, 0.1, 0.05) < 0.51);
	CHECK(rstar_schedule_share(RSTAR_SCHEDULE_LINEAR, 0, 7) == 0.0);
}

int
main(void)
{
	RUN(policy_with_adamw);
	RUN(policy_with_muon);
	RUN(ppm_with_adamw);
	RUN(ppm_with_muon);
	RUN(schedules);
	return CHECK_RESULT();
}

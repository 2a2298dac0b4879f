/*
 * test_train_gemm.c
 *	  Matrix products of training: every kernel, form and edge against a naive one.
 */
#include "check.h"

#include "core/base/random.h"
#include "core/train/gemm.h"

static const struct
{
	uint32_t m, n, k;
} shapes[] = {{1, 1, 1},      {12, 64, 32}, {13, 65, 33},  {5, 130, 257},
			  {49, 31, 1100}, {3, 3100, 7}, {130, 70, 300}};

#define N_SHAPES (sizeof shapes / sizeof *shapes)

/* Element (i, j) of the product, in double. */
static double
expected(const rstar_gemm_call *c, const float *before, uint32_t i, uint32_t j)
{
	double sum = c->add ? (double) before[i * c->ldc + j] : 0;

	for (uint32_t k = 0; k < c->k; k++)
	{
		float a = c->form == RSTAR_GEMM_TN ? c->a[k * c->lda + i] : c->a[i * c->lda + k];
		float b = c->form == RSTAR_GEMM_NT ? c->b[j * c->ldb + k] : c->b[k * c->ldb + j];

		sum += (double) a * (double) b;
	}
	return sum;
}

/* What a kernel may be off by, relative to the size of the whole result. */
static double
tolerance(const char *name)
{
	if (strcmp(name, "f16") == 0)
		return 2e-3;
	return strcmp(name, "bf16") == 0 || strcmp(name, "amx") == 0 ? 6e-3 : 2e-6;
}

static float *
random_floats(size_t n, uint64_t seed)
{
	rstar_random_stream stream = {.seed = seed};
	float *x = malloc(n * sizeof *x);

	rstar_random_normal(&stream, 0, n, 1.0f, x);
	return x;
}

/* Rows are longer than what is used of them, so that distances are not confused with sizes. */
static void
check_product(rstar_gemm *gemm, rstar_gemm_form form, uint32_t m, uint32_t n, uint32_t k, bool add,
			  float size_a)
{
	size_t a_rows = form == RSTAR_GEMM_TN ? k : m, b_rows = form == RSTAR_GEMM_NT ? n : k;
	rstar_gemm_call c = {
		.form = form,
		.m = m,
		.n = n,
		.k = k,
		.lda = (form == RSTAR_GEMM_TN ? m : k) + 3,
		.ldb = (form == RSTAR_GEMM_NT ? k : n) + 5,
		.ldc = n + 7,
		.add = add,
	};
	float *a = random_floats(a_rows * c.lda, 1), *b = random_floats(b_rows * c.ldb, 2);
	float *before = random_floats(m * c.ldc, 3), *after = malloc(m * c.ldc * sizeof *after);
	double error = 0, size = 0;

	for (size_t i = 0; i < a_rows * c.lda; i++)
		a[i] *= size_a;
	for (size_t i = 0; i < m * c.ldc; i++)
		before[i] *= size_a;
	memcpy(after, before, m * c.ldc * sizeof *after);
	c.a = a;
	c.b = b;
	c.c = after;
	CHECK(rstar_gemm_run(gemm, &c, NULL));
	for (uint32_t i = 0; i < m; i++)
		for (uint32_t j = 0; j < c.ldc; j++)
		{
			double x = j < n ? expected(&c, before, i, j) : (double) before[i * c.ldc + j];

			error += pow((double) after[i * c.ldc + j] - x, 2);
			size += x * x;
		}
	CHECK_MSG(error <= pow(tolerance(rstar_gemm_name(gemm)), 2) * size,
			  "%s form %d %u x %u x %u: relative error %.2g", rstar_gemm_name(gemm), (int) form, m,
			  n, k, sqrt(error / size));
	free(a);
	free(b);
	free(before);
	free(after);
}

/* Also numbers far beyond the range of half precision, both ways. */
static void
every_kernel(void)
{
	rstar_pool *pool;
	rstar_error err = {0};

	CHECK(rstar_pool_create(2, &pool, &err) == RSTAR_OK);
	for (uint32_t i = 0; rstar_gemm_available(i); i++)
	{
		rstar_gemm *gemm;

		CHECK_MSG(rstar_gemm_create(rstar_gemm_available(i), pool, &rstar_allocator_malloc, &gemm,
									&err) == RSTAR_OK,
				  "%s", err.message);
		printf("# kernel %s\n", rstar_gemm_name(gemm));
		for (size_t s = 0; s < N_SHAPES; s++)
			for (int form = 0; form < 6; form++)
				check_product(gemm, (rstar_gemm_form) (form / 2), shapes[s].m, shapes[s].n,
							  shapes[s].k, form % 2,
							  s % 3 == 0   ? 1.0f
							  : s % 3 == 1 ? 1e-12f
										   : 1e9f);
		rstar_gemm_free(gemm);
	}
	rstar_pool_free(pool);
}

/*
 * Products of several threads are those of one, bit for bit. Of OpenBLAS's, when two threads called
 * it at once, four in a thousand were not.
 */
static void
threads_do_not_matter(void)
{
	const uint32_t m = 256, n = 16, k = 896;
	float *a = random_floats((size_t) m * k, 1), *b = random_floats((size_t) n * k, 2);
	float *one = malloc(m * n * sizeof *one), *many = malloc(m * n * sizeof *many);
	rstar_gemm_call call = {RSTAR_GEMM_NT, m, n, k, a, k, b, k, one, n, false};
	rstar_pool *single, *crowd;
	rstar_error err = {0};

	CHECK(rstar_pool_create(1, &single, &err) == RSTAR_OK);
	CHECK(rstar_pool_create(2, &crowd, &err) == RSTAR_OK);
	for (uint32_t i = 0; rstar_gemm_available(i); i++)
	{
		const char *name = rstar_gemm_available(i);
		rstar_gemm *gemm;
		int differ = 0, turns = strcmp(name, "openblas") == 0 ? 3000 : 50;

		CHECK(rstar_gemm_create(name, single, &rstar_allocator_malloc, &gemm, &err) == RSTAR_OK);
		call.c = one;
		CHECK(rstar_gemm_run(gemm, &call, NULL));
		rstar_gemm_free(gemm);
		CHECK(rstar_gemm_create(name, crowd, &rstar_allocator_malloc, &gemm, &err) == RSTAR_OK);
		call.c = many;
		for (int turn = 0; turn < turns; turn++)
		{
			CHECK(rstar_gemm_run(gemm, &call, NULL));
			differ += memcmp(one, many, m * n * sizeof *one) != 0;
		}
		CHECK_MSG(differ == 0, "%s: %d of %d products differ", name, differ, turns);
		rstar_gemm_free(gemm);
	}
	rstar_pool_free(single);
	rstar_pool_free(crowd);
	free(a);
	free(b);
	free(one);
	free(many);
}

static void
not_a_number_shows(void)
{
	rstar_pool *pool;
	rstar_error err = {0};
	float a[40], b[40], c;

	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	for (uint32_t i = 0; rstar_gemm_available(i); i++)
		for (int side = 0; side < 2; side++)
		{
			rstar_gemm *gemm;
			rstar_gemm_call call = {RSTAR_GEMM_NT, 1, 1, 40, a, 40, b, 40, &c, 1, false};

			for (int j = 0; j < 40; j++)
				a[j] = b[j] = 1.0f;
			(side ? a : b)[20] = NAN;
			CHECK(rstar_gemm_create(rstar_gemm_available(i), pool, &rstar_allocator_malloc, &gemm,
									&err) == RSTAR_OK);
			CHECK(rstar_gemm_run(gemm, &call, NULL));
			CHECK_MSG(isnan(c), "%s", rstar_gemm_name(gemm));
			rstar_gemm_free(gemm);
		}
	rstar_pool_free(pool);
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static void
choices(void)
{
	rstar_pool *pool;
	rstar_gemm *gemm;
	rstar_error err = {0};
	rstar_cancel cancel = {always, NULL};
	float x[64] = {0}, y[64];
	rstar_gemm_call call = {RSTAR_GEMM_NT, 8, 8, 8, x, 8, x, 8, y, 8, false};

	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	CHECK(rstar_gemm_create("vax", pool, &rstar_allocator_malloc, &gemm, &err) ==
		  RSTAR_ERR_ARGUMENT);
	CHECK_STR(err.message, "matrix kernel \"vax\" does not exist");
	CHECK(rstar_gemm_create("f32", pool, &rstar_allocator_malloc, &gemm, &err) == RSTAR_OK);
	CHECK(strstr(rstar_gemm_name(gemm), "f16") == NULL);
	rstar_gemm_free(gemm);
	CHECK(rstar_gemm_create(NULL, pool, &rstar_allocator_malloc, &gemm, &err) == RSTAR_OK);
	CHECK(rstar_gemm_bytes(gemm) > 0);
	CHECK(!rstar_gemm_run(gemm, &call, &cancel));
	rstar_gemm_free(gemm);
	rstar_pool_free(pool);
}

int
main(void)
{
	RUN(every_kernel);
	RUN(not_a_number_shows);
	RUN(threads_do_not_matter);
	RUN(choices);
	return CHECK_RESULT();
}

/*
 * test_sampler.c
 *	  Frequencies of sampled tokens against the distribution they should have.
 */
#include "check.h"

#include "core/base/random.h"
#include "core/engine/sampler.h"

#define N     40
#define DRAWS 40000

static int32_t
sample(rstar_sampler *sampler, const float *logits, const rstar_sampling *sampling, double uniform,
	   float *logprob)
{
	rstar_sampler_set(sampler, logits, sampling);
	return rstar_sampler_draw(sampler, uniform, logprob);
}

static float logits[N];

/* The distribution that the filters leave, by sorting everything. */
static void
expected_distribution(const rstar_sampling *s, double *p)
{
	int order[N];
	double probability[N], total = 0, cumulated = 0, kept = 0;
	int limit = s->top_k > 0 && s->top_k < N ? s->top_k : N;

	for (int i = 0; i < N; i++)
	{
		int j = i;

		for (; j > 0 && logits[order[j - 1]] < logits[i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
		p[i] = 0;
	}
	for (int i = 0; i < limit; i++)
		total += probability[i] = exp(logits[order[i]] - logits[order[0]]);
	for (int i = 0; i < limit; i++)
	{
		if (i > 0 && (cumulated >= s->top_p * total || probability[i] < s->min_p))
			break;
		cumulated += probability[i];
		kept += p[order[i]] = exp((logits[order[i]] - logits[order[0]]) / s->temperature);
	}
	for (int i = 0; i < N; i++)
		p[i] /= kept;
}

static void
frequencies_follow_the_filters(void)
{
	static const rstar_sampling settings[] = {{1.0f, 0, 1.0f, 0.0f},   {0.7f, 0, 1.0f, 0.0f},
											  {1.0f, 5, 1.0f, 0.0f},   {1.3f, 0, 0.8f, 0.0f},
											  {1.0f, 0, 1.0f, 0.1f},   {0.9f, 10, 0.7f, 0.05f},
											  {2.0f, 40, 0.999f, 0.0f}};
	rstar_sampler *sampler = NULL;
	rstar_error err;
	rstar_random_stream stream = {11, 0, 0};

	rstar_random_normal(&stream, 0, N, 1.5f, logits);
	logits[17] = logits[3]; /* a tie */
	CHECK(rstar_sampler_create(N, rstar_kernels_get(rstar_cpu_best()), &rstar_allocator_malloc,
							   &sampler, &err) == RSTAR_OK);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
	{
		double p[N], chi2 = 0;
		int count[N] = {0}, free_cells = -1;

		stream.node = i;
		expected_distribution(&settings[i], p);
		for (uint32_t draw = 0; draw < DRAWS; draw++)
		{
			float logprob;
			int32_t id = sample(sampler, logits, &settings[i], rstar_random_uniform(&stream, draw),
								&logprob);

			CHECK(id >= 0 && id < N && logprob <= 0);
			count[id]++;
		}
		for (int id = 0; id < N; id++)
		{
			if (p[id] == 0)
				CHECK_MSG(count[id] == 0, "setting %zu: token %d was filtered out", i, id);
			else if (p[id] * DRAWS > 5)
			{
				chi2 += pow(count[id] - p[id] * DRAWS, 2) / (p[id] * DRAWS);
				free_cells++;
			}
		}
		CHECK_MSG(chi2 < free_cells + 5 * sqrt(2.0 * free_cells + 1), "setting %zu: %g for %d", i,
				  chi2, free_cells);
	}
	rstar_sampler_free(sampler);
}

static void
greedy_and_bounds(void)
{
	rstar_sampling greedy = {0, 0, 1, 0};
	rstar_sampling one = {1, 1, 1, 0};
	rstar_sampling all = {1, 0, 1, 0};
	rstar_sampler *sampler = NULL;
	float logprob, even[4] = {1, 3, 3, -100};
	rstar_error err;
	static const rstar_sampling wrong[] = {
		{-1, 0, 1, 0},   {101, 0, 1, 0}, {NAN, 0, 1, 0}, {1, -1, 1, 0},   {1, 0, 0, 0},
		{1, 0, 1.1f, 0}, {1, 0, NAN, 0}, {1, 0, 1, -1},  {1, 0, 1, 1.1f}, {1, 0, 1, NAN}};

	CHECK(rstar_sampler_create(4, rstar_kernels_get(RSTAR_CPU_PORTABLE), &rstar_allocator_malloc,
							   &sampler, &err) == RSTAR_OK);
	CHECK(sample(sampler, even, &greedy, 0.9, &logprob) == 1);
	CHECK(sample(sampler, even, &one, 0.9, &logprob) == 1);
	CHECK(fabsf(logprob - logf(1 / (2 + expf(-2)))) < 1e-5f);
	CHECK(sample(sampler, even, &all, 0.9999999999, &logprob) != 3);
	CHECK(sample(sampler, even, &all, 0, &logprob) == 0);
	CHECK(fabsf(rstar_sampler_logprob(sampler, even, 3) + 103.7588f) < 1e-3f);
	rstar_sampler_free(sampler);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(rstar_sampling_check(&wrong[i], &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_sampling_check(&greedy, &err) == RSTAR_OK);
}

int
main(void)
{
	RUN(frequencies_follow_the_filters);
	RUN(greedy_and_bounds);
	return CHECK_RESULT();
}

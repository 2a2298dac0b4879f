/*
 * sampler.c
 *	  From logits to a token.
 *
 * The candidates are put into a heap and taken from it in order of their
 * logits, which costs O(n) for the heap and O(log n) for each token kept;
 * a vocabulary of 151,936 tokens is never sorted whole unless nothing is
 * filtered out, and then it is not sorted at all. Probabilities come sixteen at a
 * time from the kernels: for a small model, sampling with the C library's exp() would
 * cost as much as the model.
 */
#include "core/engine/sampler.h"

#include <math.h>

typedef struct candidate
{
	float logit;
	int32_t id;
} candidate;

struct rstar_sampler
{
	const rstar_allocator *allocator;
	const rstar_kernels *kernels;
	uint32_t n_vocab;
	candidate *heap; /* [n_vocab] */
	candidate *kept; /* [n_vocab] */
	float *weights;  /* [n_vocab] */
	float *sums;     /* [n_vocab / 16 rounded up] of the weights */

	/* what rstar_sampler_set was given, and made of it */
	const float *logits;
	float temperature;
	uint32_t n_kept; /* 0: nothing was filtered */
	double total;    /* of the weights of those that may be drawn */
	float logsumexp;
};

rstar_status
rstar_sampling_check(const rstar_sampling *s, rstar_error *err)
{
	if (!(s->temperature >= 0 && s->temperature <= 100))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "temperature must be between 0 and 100");
	if (s->top_k < 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "top_k must not be negative");
	if (!(s->top_p > 0 && s->top_p <= 1))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "top_p must be greater than 0 and at most 1");
	if (!(s->min_p >= 0 && s->min_p <= 1))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "min_p must be between 0 and 1");
	return RSTAR_OK;
}

rstar_status
rstar_sampler_create(uint32_t n_vocab, const rstar_kernels *kernels,
					 const rstar_allocator *allocator, rstar_sampler **out, rstar_error *err)
{
	rstar_sampler *sampler = rstar_alloc_zero(allocator, sizeof *sampler);

	if (!sampler)
		return rstar_error_memory(err, sizeof *sampler);
	sampler->allocator = allocator;
	sampler->kernels = kernels;
	sampler->n_vocab = n_vocab;
	sampler->heap = rstar_alloc_array(allocator, n_vocab, sizeof(candidate));
	sampler->kept = rstar_alloc_array(allocator, n_vocab, sizeof(candidate));
	sampler->weights = rstar_alloc_array(allocator, n_vocab, sizeof(float));
	sampler->sums = rstar_alloc_array(allocator, n_vocab / RSTAR_LANES + 1, sizeof(float));
	if (!sampler->heap || !sampler->kept || !sampler->weights || !sampler->sums)
	{
		rstar_sampler_free(sampler);
		return rstar_error_memory(err, n_vocab * sizeof(candidate));
	}
	*out = sampler;
	return RSTAR_OK;
}

void
rstar_sampler_free(rstar_sampler *sampler)
{
	if (!sampler)
		return;
	rstar_free(sampler->allocator, sampler->heap);
	rstar_free(sampler->allocator, sampler->kept);
	rstar_free(sampler->allocator, sampler->weights);
	rstar_free(sampler->allocator, sampler->sums);
	rstar_free(sampler->allocator, sampler);
}

float
rstar_sampler_logprob(const rstar_sampler *sampler, const float *logits, int32_t token)
{
	return logits[token] - sampler->kernels->logsumexp(logits, sampler->n_vocab);
}

static double
total_weight(const rstar_sampler *sampler)
{
	double total = 0;

	for (uint32_t i = 0; i < (sampler->n_vocab + RSTAR_LANES - 1) / RSTAR_LANES; i++)
		total += (double) sampler->sums[i];
	return total;
}

static int32_t
most_probable(const float *logits, uint32_t n)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < n; i++)
		if (logits[i] > logits[best])
			best = i;
	return (int32_t) best;
}

/* --- a heap with the greatest logit on top, the lower id among equals ------------- */

static bool
comes_first(const candidate *a, const candidate *b)
{
	return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

static void
sift_down(candidate *heap, uint32_t n, uint32_t i)
{
	candidate moving = heap[i];

	for (uint32_t child = 2 * i + 1; child < n; child = 2 * i + 1)
	{
		if (child + 1 < n && comes_first(&heap[child + 1], &heap[child]))
			child++;
		if (!comes_first(&heap[child], &moving))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = moving;
}

static void
fill_heap(rstar_sampler *sampler, const float *logits)
{
	uint32_t n = sampler->n_vocab;

	for (uint32_t i = 0; i < n; i++)
		sampler->heap[i] = (candidate){logits[i], (int32_t) i};
	for (uint32_t i = n / 2; i-- > 0;)
		sift_down(sampler->heap, n, i);
}

static candidate
take_first(rstar_sampler *sampler, uint32_t *n)
{
	candidate top = sampler->heap[0];

	sampler->heap[0] = sampler->heap[--*n];
	if (*n > 0)
		sift_down(sampler->heap, *n, 0);
	return top;
}

/*
 * Move the candidates that pass the filters to `kept`, most probable first.
 * top_p counts probability among what top_k leaves; with top_k off that is the
 * whole vocabulary.
 */
static uint32_t
filter(rstar_sampler *sampler, const float *logits, const rstar_sampling *s)
{
	uint32_t left = sampler->n_vocab;
	uint32_t limit = s->top_k > 0 && (uint32_t) s->top_k < left ? (uint32_t) s->top_k : left;
	uint32_t kept = 0;

	fill_heap(sampler, logits);
	sampler->kernels->weigh(logits, sampler->n_vocab, 1, sampler->weights, sampler->sums);

	double total = 0;

	if (limit < sampler->n_vocab)
	{
		while (kept < limit)
			sampler->kept[kept++] = take_first(sampler, &left);
		for (uint32_t i = 0; i < kept; i++)
			total += (double) sampler->weights[sampler->kept[i].id];
	}
	else
		total = total_weight(sampler);

	double sum = 0;
	uint32_t passed = 0;

	while (passed < limit)
	{
		if (passed == kept)
			sampler->kept[kept++] = take_first(sampler, &left);

		double probability = (double) sampler->weights[sampler->kept[passed].id];

		if (passed > 0 && probability < s->min_p)
			break;
		passed++;
		sum += probability;
		if (s->top_p < 1 && sum >= s->top_p * total)
			break;
	}
	return passed;
}

static double
kept_weight(const rstar_sampler *sampler, uint32_t i)
{
	const candidate *kept = sampler->kept;

	return exp(((double) kept[i].logit - kept[0].logit) / sampler->temperature);
}

/* Walk through weights exp((logit - greatest) / temperature) to the share `uniform`. */
static int32_t
draw_from_kept(const rstar_sampler *sampler, double uniform)
{
	double target = uniform * sampler->total;
	double sum = 0;

	for (uint32_t i = 0; i + 1 < sampler->n_kept; i++)
	{
		sum += kept_weight(sampler, i);
		if (target < sum)
			return sampler->kept[i].id;
	}
	return sampler->kept[sampler->n_kept - 1].id;
}

/* Nothing is filtered: the same walk in order of ids, sixteen at a time to begin with. */
static int32_t
draw_from_all(const rstar_sampler *sampler, double uniform)
{
	uint32_t n = sampler->n_vocab;
	double target = uniform * sampler->total;
	double sum = 0;
	uint32_t i = 0, last = 0;

	for (; i + RSTAR_LANES < n && sum + (double) sampler->sums[i / RSTAR_LANES] <= target;
		 i += RSTAR_LANES)
		sum += (double) sampler->sums[i / RSTAR_LANES];
	for (last = i; i < n; i++)
	{
		if (sampler->weights[i] > 0)
			last = i;
		sum += (double) sampler->weights[i];
		if (target < sum)
			break;
	}
	return sampler->weights[last] > 0 ? (int32_t) last : most_probable(sampler->logits, n);
}

/* --- setting and drawing ------------------------------------------------------------- */

void
rstar_sampler_set(rstar_sampler *sampler, const float *logits, const rstar_sampling *s)
{
	sampler->logits = logits;
	sampler->temperature = s->top_k == 1 ? 0 : s->temperature;
	sampler->n_kept = 0;
	sampler->total = 0;
	sampler->logsumexp = sampler->kernels->logsumexp(logits, sampler->n_vocab);
	if (sampler->temperature == 0)
		return;
	if (s->top_k == 0 && s->top_p >= 1 && s->min_p == 0)
	{
		/* Bounded: the greatest logit's distance is 0, and 0 * infinity would be no number. */
		sampler->kernels->weigh(logits, sampler->n_vocab, fminf(1 / s->temperature, 1e30f),
								sampler->weights, sampler->sums);
		sampler->total = total_weight(sampler);
		return;
	}
	sampler->n_kept = filter(sampler, logits, s);
	for (uint32_t i = 0; i < sampler->n_kept; i++)
		sampler->total += kept_weight(sampler, i);
}

int32_t
rstar_sampler_draw(const rstar_sampler *sampler, double uniform, float *logprob)
{
	int32_t token;

	if (sampler->temperature == 0)
		token = most_probable(sampler->logits, sampler->n_vocab);
	else if (sampler->n_kept == 0)
		token = draw_from_all(sampler, uniform);
	else
		token = draw_from_kept(sampler, uniform);
	*logprob = sampler->logits[token] - sampler->logsumexp;
	return token;
}

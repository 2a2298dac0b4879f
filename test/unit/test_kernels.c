/*
 * test_kernels.c
 *	  Every kernel of every family against a naive reference, and the same bits
 *	  however rows and tokens are grouped.
 */
#include "check.h"

#include "core/base/random.h"
#include "core/tensor/half.h"
#include "core/tensor/kernels.h"
#include "core/tensor/quants.h"

static const rstar_type types[] = {
	RSTAR_TYPE_F32,  RSTAR_TYPE_F16,  RSTAR_TYPE_BF16,   RSTAR_TYPE_Q8_0,
	RSTAR_TYPE_Q4_0, RSTAR_TYPE_Q4_K, RSTAR_TYPE_Q5_K,   RSTAR_TYPE_Q6_K,
	RSTAR_TYPE_Q4_1, RSTAR_TYPE_Q5_0, RSTAR_TYPE_Q5_1,   RSTAR_TYPE_Q2_K,
	RSTAR_TYPE_Q3_K, RSTAR_TYPE_Q8_K, RSTAR_TYPE_IQ4_NL, RSTAR_TYPE_IQ4_XS};

static void
fill(float *x, size_t n, uint64_t salt, float deviation)
{
	rstar_random_stream stream = {99, salt, 0};

	rstar_random_normal(&stream, 0, n, deviation, x);
}

static bool
is_float(rstar_type type)
{
	return type == RSTAR_TYPE_F32 || type == RSTAR_TYPE_F16 || type == RSTAR_TYPE_BF16;
}

static rstar_activations
make_activations(uint32_t T, uint32_t columns)
{
	rstar_activations a = {.columns = columns, .padded = rstar_padded_columns(columns)};

	a.f32 = malloc(T * columns * sizeof(float));
	a.q = malloc(T * a.padded);
	a.scales = malloc(T * a.padded / 32 * sizeof(float));
	a.sums32 = malloc(T * a.padded / 32 * sizeof(float));
	a.sums16 = malloc(T * a.padded / 16 * sizeof(float));
	a.totals32 = malloc(T * a.padded / 32 * sizeof(int32_t));
	a.totals16 = malloc(T * a.padded / 16 * sizeof(int32_t));
	return a;
}

static void
free_activations(rstar_activations *a)
{
	free(a->f32);
	free(a->q);
	free(a->scales);
	free(a->sums32);
	free(a->sums16);
	free(a->totals32);
	free(a->totals16);
}

static void *
make_scratch(uint32_t T)
{
	return aligned_alloc(64, (rstar_matmul_scratch(T) + 63) & ~(size_t) 63);
}

/* Random bytes for a type that nothing writes, with scales of about 0.01. */
static void
random_blocks(rstar_type type, uint64_t node, uint8_t *out, size_t bytes)
{
	const rstar_type_info *info = rstar_type_get((uint32_t) type);
	rstar_random_stream stream = {9, node, 0};
	const uint16_t scale = rstar_f16_from_f32(0.0123f);
	const float wide = 0.0123f;
	size_t at = type == RSTAR_TYPE_Q2_K ? 80 : type == RSTAR_TYPE_Q3_K ? 108 : 0;
	bool two = type == RSTAR_TYPE_Q4_1 || type == RSTAR_TYPE_Q5_1 || type == RSTAR_TYPE_Q2_K;

	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t) rstar_random_bits(&stream, (uint32_t) i);
	for (size_t block = 0; block < bytes; block += info->bytes)
	{
		if (type == RSTAR_TYPE_Q8_K)
			memcpy(out + block, &wide, sizeof wide);
		else
			memcpy(out + block + at, &scale, sizeof scale);
		if (two)
			memcpy(out + block + at + 2, &scale, sizeof scale);
	}
}

static rstar_matrix
make_matrix(rstar_type type, uint32_t rows, uint32_t columns)
{
	size_t row_bytes = rstar_quants_row_bytes(type, columns);
	uint8_t *data = malloc(rows * row_bytes);
	float *row = malloc(columns * sizeof(float));

	for (uint32_t r = 0; r < rows; r++)
	{
		if (!rstar_quants_writable(type))
		{
			random_blocks(type, r, data + r * row_bytes, row_bytes);
			continue;
		}
		fill(row, columns, 1000 + r, 1.0f);
		rstar_quants_from_f32(type, row, data + r * row_bytes, columns, NULL);
	}
	free(row);
	return (rstar_matrix){
		.type = type, .rows = rows, .columns = columns, .row_bytes = row_bytes, .data = data};
}

/* What the activations stand for: exact for float types, rounded for the others. */
static double
activation(const rstar_activations *a, rstar_type type, uint32_t t, uint32_t k)
{
	if (is_float(type))
		return a->f32[t * a->columns + k];
	return (double) a->scales[t * (a->padded / 32) + k / 32] * a->q[t * a->padded + k];
}

/* The same product with kept panels: rows that are no whole panel, the panels made, and used. */
static void
check_kept_panels(const rstar_kernels *kernels, rstar_matrix *w, const rstar_activations *a,
				  uint32_t T, const float *out, float *again, void *scratch)
{
	uint32_t n = rstar_n_panels(w), rows = w->rows;
	rstar_panels panels = {.bytes = kernels->panel_bytes(w)};

	CHECK(panels.bytes > 0 && panels.bytes % 64 == 0);
	panels.data = aligned_alloc(64, panels.bytes * n);
	memset(panels.data, 0, panels.bytes * n);
	panels.filled = calloc(n, sizeof(bool));
	w->panels = &panels;
	for (int pass = 0; pass < 3; pass++)
	{
		memset(again, 0xff, T * rows * sizeof(float));
		if (pass == 0)
		{
			kernels->matmul(w, 0, 5, a, T, again, rows, scratch);
			kernels->matmul(w, 5, rows - 5, a, T, again, rows, scratch);
		}
		else
			kernels->matmul(w, 0, rows, a, T, again, rows, scratch);
		CHECK(panels.filled[0] == (pass > 0) && panels.filled[n - 1] == (pass > 0));
		CHECK_MSG(memcmp(out, again, T * rows * sizeof(float)) == 0,
				  "%s %s: kept panels change bits in pass %d",
				  rstar_cpu_family_name(kernels->family), rstar_type_get(w->type)->name, pass);
	}
	w->panels = NULL;
	free(panels.data);
	free(panels.filled);
}

static void
check_matmul(const rstar_kernels *kernels, rstar_type type, uint32_t rows, uint32_t columns,
			 uint32_t T)
{
	rstar_matrix w = make_matrix(type, rows, columns);
	rstar_activations a = make_activations(T, columns);
	float *out = malloc(T * rows * sizeof(float));
	float *again = malloc(T * rows * sizeof(float));
	float *row = malloc(columns * sizeof(float));
	void *scratch = make_scratch(T);

	fill(a.f32, T * columns, 5, 3.0f);
	for (uint32_t t = 0; t < T && !is_float(type); t++)
		kernels->quantize(&a, t);
	kernels->matmul(&w, 0, rows, &a, T, out, rows, scratch);

	for (uint32_t r = 0; r < rows; r++)
	{
		rstar_quants_to_f32(type, rstar_matrix_row(&w, r), row, columns);
		for (uint32_t t = 0; t < T; t++)
		{
			double sum = 0, size = 0;

			for (uint32_t k = 0; k < columns; k++)
			{
				double term = row[k] * activation(&a, type, t, k);

				sum += term;
				size += fabs(term);
			}
			CHECK_MSG(fabs(sum - out[t * rows + r]) <= 1e-6 * size + 1e-6,
					  "%s %s %ux%u: row %u token %u: %g instead of %g",
					  rstar_cpu_family_name(kernels->family), rstar_type_get(type)->name, rows,
					  columns, r, t, out[t * rows + r], sum);
		}
	}

	/* Row by row, token by token: the same bits. */
	for (uint32_t t = 0; t < T; t++)
	{
		rstar_activations one = a;

		one.f32 += t * a.columns;
		one.q += t * a.padded;
		one.scales += t * (a.padded / 32);
		one.sums32 += t * (a.padded / 32);
		one.sums16 += t * (a.padded / 16);
		one.totals32 += t * (a.padded / 32);
		one.totals16 += t * (a.padded / 16);
		for (uint32_t r = 0; r < rows; r += 1 + r % 3)
		{
			uint32_t n = r + 1 + r % 3 <= rows ? 1 + r % 3 : rows - r;

			kernels->matmul(&w, r, n, &one, 1, again + t * rows, rows, scratch);
		}
	}
	CHECK_MSG(memcmp(out, again, T * rows * sizeof(float)) == 0, "%s %s: grouping changes bits",
			  rstar_cpu_family_name(kernels->family), rstar_type_get(type)->name);
	check_kept_panels(kernels, &w, &a, T, out, again, scratch);
	free((void *) w.data);
	free_activations(&a);
	free(out);
	free(again);
	free(row);
	free(scratch);
}

static void
products_equal_naive_ones(void)
{
	for (int f = 0; f < RSTAR_CPU_FAMILIES; f++)
		for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		{
			const rstar_type_info *info = rstar_type_get(types[i]);

			if (!rstar_cpu_supports((rstar_cpu_family) f))
				continue;
			for (uint32_t blocks = 1; blocks <= 5; blocks += 2)
				for (uint32_t T = 1; T <= 31; T += 10)
					check_matmul(rstar_kernels_get((rstar_cpu_family) f), types[i], 27,
								 blocks * (info->block == 1 ? 91 : info->block), T);
		}
}

/* The largest sums that int8 products can reach must not overflow. */
static void
extreme_bytes_do_not_overflow(void)
{
	for (int f = 0; f < RSTAR_CPU_FAMILIES && rstar_cpu_supports((rstar_cpu_family) f); f++)
	{
		const rstar_kernels *kernels = rstar_kernels_get((rstar_cpu_family) f);
		rstar_block_q8_0 blocks[8];
		rstar_activations a = make_activations(1, 256);
		rstar_matrix w = {.type = RSTAR_TYPE_Q8_0,
						  .rows = 1,
						  .columns = 256,
						  .row_bytes = sizeof blocks,
						  .data = (const uint8_t *) blocks};
		void *scratch = make_scratch(1);
		float out;

		for (int sign = -1; sign <= 1; sign += 2)
		{
			for (int b = 0; b < 8; b++)
			{
				blocks[b].d = rstar_f16_from_f32(1.0f);
				memset(blocks[b].qs, -128, sizeof blocks[b].qs);
			}
			for (int k = 0; k < 256; k++)
				a.f32[k] = (float) sign * 127.0f;
			kernels->quantize(&a, 0);
			kernels->matmul(&w, 0, 1, &a, 1, &out, 1, scratch);
			CHECK_MSG(out == (float) sign * -128.0f * 127.0f * 256.0f, "%s: %g",
					  rstar_cpu_family_name((rstar_cpu_family) f), out);
		}
		memset(a.f32, 0, 256 * sizeof(float));
		kernels->quantize(&a, 0);
		kernels->matmul(&w, 0, 1, &a, 1, &out, 1, scratch);
		CHECK(out == 0);
		free_activations(&a);
		free(scratch);
	}
}

static void
pointwise_kernels_equal_naive_ones(void)
{
	for (int f = 0; f < RSTAR_CPU_FAMILIES; f++)
		for (uint32_t n = 1; n < 100; n += 9)
		{
			const rstar_kernels *kernels = rstar_kernels_get((rstar_cpu_family) f);
			float x[100], w[100], out[100], gate[100], sums[7];
			uint16_t half[100];
			double squares = 0, sum = 0;

			if (!rstar_cpu_supports((rstar_cpu_family) f))
				continue;
			fill(x, n, 1, 10.0f);
			fill(w, n, 2, 1.0f);
			x[0] = 90.0f;
			x[n / 2] = -100.0f;
			for (uint32_t i = 0; i < n; i++)
			{
				squares += (double) x[i] * x[i];
				sum += exp((double) x[i]);
			}
			kernels->rms_norm(x, w, n, 1e-5f, out);
			for (uint32_t i = 0; i < n; i++)
				CHECK(fabs(out[i] - x[i] / sqrt(squares / n + 1e-5) * w[i]) < 1e-5);
			CHECK_MSG(fabs(kernels->logsumexp(x, n) - log(sum)) < 1e-4, "%g instead of %g",
					  kernels->logsumexp(x, n), log(sum));
			kernels->weigh(x, n, 0.5f, out, sums);
			for (uint32_t i = 0; i < n; i++)
			{
				double expected = exp(((double) x[i] - (n > 1 ? 90.0 : -100.0)) * 0.5);

				CHECK(fabs(out[i] - expected) <= 1e-5 * expected + 1e-30);
				sums[i / RSTAR_LANES] -= out[i];
			}
			for (uint32_t i = 0; i < n; i += RSTAR_LANES)
				CHECK(fabsf(sums[i / RSTAR_LANES]) < 1e-6f);
			memcpy(gate, x, sizeof gate);
			kernels->swiglu(gate, w, n);
			for (uint32_t i = 0; i < n; i++)
			{
				double expected = x[i] / (1 + exp(-(double) x[i])) * w[i];

				CHECK_MSG(fabs(gate[i] - expected) <= 1e-6 * fabs(expected) + 1e-30,
						  "silu(%g) * %g: %g instead of %g", x[i], w[i], gate[i], expected);
			}
			kernels->store_f16(x, n, half);
			for (uint32_t i = 0; i < n; i++)
				CHECK(half[i] == rstar_f16_from_f32(x[i]));
		}
}

/* --- attention ---------------------------------------------------------------- */

/*
 * A little tree: a prefix of PREFIX positions, and BRANCHES tokens, each at the end of
 * a tail of its own. Blocks are filled to different counts, as nodes leave them.
 */
enum
{
	PREFIX = 50,
	TAIL = 24,
	BRANCHES = 5,
	GROUP = 3,
	MOST_DIM = 256,
	MOST_RUNS = 16
};

typedef struct forest
{
	uint32_t dim;
	float k[BRANCHES][PREFIX + TAIL][MOST_DIM]; /* what the blocks hold, as floats */
	float v[BRANCHES][PREFIX + TAIL][MOST_DIM];
	float q[BRANCHES][GROUP * MOST_DIM];
	float blocks[BRANCHES][MOST_RUNS][2 * RSTAR_KV_BLOCK * MOST_DIM]; /* or halves */
	rstar_attention_run runs[BRANCHES][MOST_RUNS];
	rstar_attention_token tokens[BRANCHES];
	float out[BRANCHES][GROUP * MOST_DIM];
	uint32_t shared;
} forest;

static void
put_element(void *block, uint32_t i, float value, bool f16)
{
	if (f16)
		((uint16_t *) block)[i] = rstar_f16_from_f32(value);
	else
		((float *) block)[i] = value;
}

/* Positions [from, until) of branch b in blocks of at most `most` tokens. */
static void
lay_branch(forest *f, int b, uint32_t from, uint32_t until, uint32_t most, bool f16)
{
	rstar_attention_token *token = &f->tokens[b];

	for (uint32_t p = from; p < until; p += most)
	{
		uint32_t count = until - p < most ? until - p : most;
		void *block = f->blocks[b][token->n_runs];

		/* What no token has written yet may hold anything. */
		memset(block, 0x7f, sizeof f->blocks[b][0]);
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t d = 0; d < f->dim; d++)
			{
				put_element(block, d * RSTAR_KV_BLOCK + i, f->k[b][p + i][d], f16);
				put_element(block, (RSTAR_KV_BLOCK + i) * f->dim + d, f->v[b][p + i][d], f16);
			}
		f->runs[b][token->n_runs++] = (rstar_attention_run){block, p, count};
	}
}

static void
grow_forest(forest *f, uint32_t dim, uint32_t window, bool f16)
{
	*f = (forest){.dim = dim};
	for (int b = 0; b < BRANCHES; b++)
	{
		uint32_t end = PREFIX + 1 + (uint32_t) b * 5;

		fill(f->q[b], GROUP * MOST_DIM, 40 + (uint64_t) b, 1.0f);
		fill(f->k[b][0], (size_t) (PREFIX + TAIL) * MOST_DIM, 50 + (uint64_t) b, 1.0f);
		fill(f->v[b][0], (size_t) (PREFIX + TAIL) * MOST_DIM, 60 + (uint64_t) b, 1.0f);
		for (int p = 0; p < PREFIX + TAIL; p++)
			for (uint32_t d = 0; d < dim; d++)
			{
				const float *k = p < PREFIX ? f->k[0][p] : f->k[b][p];
				const float *v = p < PREFIX ? f->v[0][p] : f->v[b][p];

				f->k[b][p][d] = f16 ? rstar_f16_to_f32(rstar_f16_from_f32(k[d])) : k[d];
				f->v[b][p][d] = f16 ? rstar_f16_to_f32(rstar_f16_from_f32(v[d])) : v[d];
			}
		f->tokens[b] = (rstar_attention_token){.q = f->q[b],
											   .out = f->out[b],
											   .runs = f->runs[b],
											   .first = window && end > window ? end - window : 0,
											   .end = end};
		if (b == 0)
			lay_branch(f, b, 0, PREFIX, 16, f16);
		else
		{
			memcpy(f->runs[b], f->runs[0], sizeof f->runs[0]);
			f->tokens[b].n_runs = f->shared;
		}
		if (b == 0)
			f->shared = f->tokens[0].n_runs;
		lay_branch(f, b, PREFIX, PREFIX + TAIL, b % 2 ? 16 : 7, f16);
	}
}

static void
attend(const rstar_kernels *kernels, const forest *f, int first, int n, uint32_t shared, bool f16)
{
	static float scores[BRANCHES * GROUP * (PREFIX + TAIL + 64)];
	uint32_t element = f16 ? 2 : 4;
	rstar_attention a = {.tokens = f->tokens + first,
						 .n_tokens = (uint32_t) n,
						 .shared = shared,
						 .v_offset = RSTAR_KV_BLOCK * f->dim * element,
						 .v_stride = f->dim * element,
						 .head_dim = f->dim,
						 .n_group = GROUP,
						 .scale = 0.2f,
						 .scores = scores};

	if (f16)
		kernels->attention_f16(&a);
	else
		kernels->attention_f32(&a);
}

static void
check_row(const forest *f, int b, uint32_t g)
{
	const rstar_attention_token *token = &f->tokens[b];
	double weight[PREFIX + TAIL], total = 0;

	for (uint32_t p = token->first; p < token->end; p++)
	{
		double dot = 0;

		for (uint32_t d = 0; d < f->dim; d++)
			dot += (double) f->q[b][g * f->dim + d] * f->k[b][p][d];
		weight[p] = exp(dot * 0.2);
		total += weight[p];
	}
	for (uint32_t d = 0; d < f->dim; d++)
	{
		double sum = 0;

		for (uint32_t p = token->first; p < token->end; p++)
			sum += weight[p] / total * f->v[b][p][d];
		CHECK_MSG(fabs(sum - f->out[b][g * f->dim + d]) < 1e-5, "head of %u: %g instead of %g",
				  f->dim, f->out[b][g * f->dim + d], sum);
	}
}

/* One length of a head: all branches together, then alone, to the same bits. */
static void
check_attention(const rstar_kernels *kernels, uint32_t dim, uint32_t window, bool f16)
{
	static forest f, alone;

	grow_forest(&f, dim, window, f16);
	attend(kernels, &f, 0, BRANCHES, f.shared, f16);
	for (int b = 0; b < BRANCHES; b++)
		for (uint32_t g = 0; g < GROUP; g++)
			check_row(&f, b, g);
	grow_forest(&alone, dim, window, f16);
	for (int b = 0; b < BRANCHES; b++)
		attend(kernels, &alone, b, 1, b % 2 ? alone.shared - 1 : alone.tokens[b].n_runs - 3, f16);
	CHECK_MSG(memcmp(f.out, alone.out, sizeof f.out) == 0, "%s, head of %u: company changes bits",
			  rstar_cpu_family_name(kernels->family), dim);
}

/* Inputs as large and as small as floats are: finite results, and no byte out of range. */
static void
extreme_inputs_stay_finite(void)
{
	static const float sizes[] = {1e-44f, 1e-38f, 1e-31f, 1e-20f, 1e30f, 3e38f};

	for (int f = 0; f < RSTAR_CPU_FAMILIES; f++)
		for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
		{
			const rstar_kernels *kernels = rstar_kernels_get((rstar_cpu_family) f);
			rstar_activations a = make_activations(1, 64);
			uint16_t half[64];
			float gate[64], weights[64], sums[4];

			if (!rstar_cpu_supports((rstar_cpu_family) f))
			{
				free_activations(&a);
				continue;
			}
			for (int k = 0; k < 64; k++)
				a.f32[k] = (k % 3 ? 1.0f : -0.3f) * sizes[s];
			kernels->quantize(&a, 0);
			for (int k = 0; k < 64; k++)
			{
				double value = (double) a.scales[k / 32] * a.q[k];

				CHECK(a.q[k] >= -127);
				CHECK_MSG(fabs(value - a.f32[k]) <= sizes[s] / 250 || sizes[s] < 1e-30f,
						  "%g became %g", a.f32[k], value);
			}
			kernels->store_f16(a.f32, 64, half);
			memcpy(gate, a.f32, sizeof gate);
			kernels->swiglu(gate, a.f32 + 1, 1);
			kernels->weigh(a.f32, 64, 1, weights, sums);
			for (int k = 0; k < 64; k++)
				CHECK(isfinite(rstar_f16_to_f32(half[k])) && isfinite(weights[k]));
			CHECK(gate[0] == gate[0] && isfinite(kernels->logsumexp(a.f32, 64)));
			free_activations(&a);
		}
}

static void
attention_equals_naive_one(void)
{
	static const uint32_t dims[] = {16, 32, 64, 80, 96, 128, 256};

	for (int f = 0; f < RSTAR_CPU_FAMILIES; f++)
		for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
			for (uint32_t window = 0; window <= 40 && rstar_cpu_supports((rstar_cpu_family) f);
				 window += 20)
				for (int f16 = 0; f16 < 2; f16++)
					check_attention(rstar_kernels_get((rstar_cpu_family) f), dims[i], window, f16);
}

int
main(void)
{
	RUN(products_equal_naive_ones);
	RUN(extreme_bytes_do_not_overflow);
	RUN(pointwise_kernels_equal_naive_ones);
	RUN(extreme_inputs_stay_finite);
	RUN(attention_equals_naive_one);
	return CHECK_RESULT();
}

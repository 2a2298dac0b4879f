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
	return type == RSTAR_TYPE_F32 || type == RSTAR_TYPE_F16 || type == RSTAR_TYPE_BF16 ||
		   type == RSTAR_TYPE_Q2_K; /* multiplied as floats */
}

static rstar_activations
make_activations(uint32_t T, uint32_t columns)
{
	rstar_activations a = {.columns = columns, .padded = rstar_padded_columns(columns)};

	a.f32 = malloc(T * columns * sizeof(float));
	a.q = malloc(T * a.padded);
	a.lanes = malloc(T * a.padded / 4 * sizeof(float));
	a.sums = malloc(T * rstar_activation_sums(a.padded) * sizeof(float));
	return a;
}

static void
free_activations(rstar_activations *a)
{
	free(a->f32);
	free(a->q);
	free(a->lanes);
	free(a->sums);
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
	return (rstar_matrix){type, rows, columns, row_bytes, data};
}

/* What the activations stand for: exact for float types, rounded for the others. */
static double
activation(const rstar_activations *a, rstar_type type, uint32_t t, uint32_t k, int bias)
{
	if (is_float(type))
		return a->f32[t * a->columns + k];
	return (double) a->lanes[t * (a->padded / 4) + k / 4] *
		   ((int8_t) (a->q[t * a->padded + k] - bias));
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
	void *scratch = malloc(rstar_matmul_scratch(columns));
	int bias = kernels->family == RSTAR_CPU_AVX512 ? 128 : 0;

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
				double term = row[k] * activation(&a, type, t, k, bias);

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
		one.lanes += t * (a.padded / 4);
		one.sums += t * rstar_activation_sums(a.padded);
		for (uint32_t r = 0; r < rows; r += 1 + r % 3)
		{
			uint32_t n = r + 1 + r % 3 <= rows ? 1 + r % 3 : rows - r;

			kernels->matmul(&w, r, n, &one, 1, again + t * rows, rows, scratch);
		}
	}
	CHECK_MSG(memcmp(out, again, T * rows * sizeof(float)) == 0, "%s %s: grouping changes bits",
			  rstar_cpu_family_name(kernels->family), rstar_type_get(type)->name);
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
			for (uint32_t blocks = 1; blocks <= 7; blocks += 3)
				for (uint32_t T = 1; T <= 9; T += 4)
					check_matmul(rstar_kernels_get((rstar_cpu_family) f), types[i], 11,
								 blocks * (info->block == 1 ? 27 : info->block), T);
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
		rstar_matrix w = {RSTAR_TYPE_Q8_0, 1, 256, sizeof blocks, (const uint8_t *) blocks};
		void *scratch = malloc(rstar_matmul_scratch(256));
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
			float x[100], w[100], out[100], gate[100];
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

/* One length of a head: those that the kernels know by name, and others. */
static void
check_attention(uint32_t dim)
{
	enum
	{
		POSITIONS = 70,
		DIM = 256,
		GROUP = 3
	};
	static float keys[POSITIONS][2 * DIM];
	static uint16_t halves[POSITIONS][2 * DIM];
	const uint8_t *rows[POSITIONS], *half_rows[POSITIONS];
	float q[GROUP * DIM], out[GROUP * DIM], scores[GROUP * 80];

	fill(keys[0], POSITIONS * 2 * DIM, 3, 1.0f);
	fill(q, GROUP * DIM, 4, 1.0f);
	for (int p = 0; p < POSITIONS; p++)
	{
		for (int i = 0; i < 2 * DIM; i++)
		{
			halves[p][i] = rstar_f16_from_f32(keys[p][i]);
			keys[p][i] = rstar_f16_to_f32(halves[p][i]);
		}
		rows[p] = (const uint8_t *) keys[p];
		half_rows[p] = (const uint8_t *) halves[p];
	}
	for (int f = 0; f < RSTAR_CPU_FAMILIES; f++)
		for (uint32_t end = 1; end <= POSITIONS; end += 23)
			for (int type = 0; type < 2; type++)
			{
				const rstar_kernels *kernels = rstar_kernels_get((rstar_cpu_family) f);
				uint32_t first = end > 40 ? 13 : 0;
				uint64_t element = type ? 2 : 4;
				rstar_attention a = {.q = q,
									 .row = type ? half_rows : rows,
									 .v_offset = dim * element,
									 .first = first,
									 .end = end,
									 .head_dim = dim,
									 .n_group = GROUP,
									 .scale = 0.2f,
									 .scores = scores,
									 .out = out};

				if (!rstar_cpu_supports((rstar_cpu_family) f))
					continue;
				if (type)
					kernels->attention_f16(&a);
				else
					kernels->attention_f32(&a);
				for (uint32_t g = 0; g < GROUP; g++)
				{
					double weight[POSITIONS], total = 0;

					for (uint32_t p = first; p < end; p++)
					{
						double dot = 0;

						for (uint32_t i = 0; i < dim; i++)
							dot += (double) q[g * dim + i] * keys[p][i];
						weight[p] = exp(dot * 0.2);
						total += weight[p];
					}
					for (uint32_t i = 0; i < dim; i++)
					{
						double sum = 0;

						for (uint32_t p = first; p < end; p++)
							sum += weight[p] / total * keys[p][dim + i];
						CHECK_MSG(fabs(sum - out[g * dim + i]) < 1e-5, "%g instead of %g",
								  out[g * dim + i], sum);
					}
				}
			}
}

static void
attention_equals_naive_one(void)
{
	static const uint32_t dims[] = {16, 32, 64, 80, 96, 128, 256};

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		check_attention(dims[i]);
}

int
main(void)
{
	RUN(products_equal_naive_ones);
	RUN(extreme_bytes_do_not_overflow);
	RUN(pointwise_kernels_equal_naive_ones);
	RUN(attention_equals_naive_one);
	return CHECK_RESULT();
}

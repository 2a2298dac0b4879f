/*
 * test_quants.c
 *	  The 16-bit formats exhaustively; the block formats against a second,
 *	  bit-by-bit reading of the layout; quality of quantising.
 */
#include "check.h"

#include <stdint.h>

#include "core/base/random.h"
#include "core/tensor/types.h"
#include "core/tensor/half.h"
#include "core/tensor/quants.h"

static const rstar_type all_types[] = {RSTAR_TYPE_F32,  RSTAR_TYPE_F16,  RSTAR_TYPE_BF16,
									   RSTAR_TYPE_Q8_0, RSTAR_TYPE_Q4_0, RSTAR_TYPE_Q4_K,
									   RSTAR_TYPE_Q5_K, RSTAR_TYPE_Q6_K};

/* Read but not written: tested on blocks that gguf's Python package decoded. */
static const rstar_type read_types[] = {RSTAR_TYPE_Q4_1,   RSTAR_TYPE_Q5_0,  RSTAR_TYPE_Q5_1,
										RSTAR_TYPE_Q2_K,   RSTAR_TYPE_Q3_K,  RSTAR_TYPE_Q8_K,
										RSTAR_TYPE_IQ4_NL, RSTAR_TYPE_IQ4_XS};

#define N_READ_TYPES (sizeof read_types / sizeof read_types[0])
#define N_TYPES      (sizeof all_types / sizeof all_types[0])

/* --- 16 bits --------------------------------------------------------------- */

/* The value of a float16 by its definition. */
static double
f16_value(uint16_t half)
{
	int exponent = (half >> 10) & 31;
	double mantissa = half & 1023;
	double value = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024.0 + mantissa, exponent - 25);

	return half & 0x8000 ? -value : value;
}

static void
f16_every_value(void)
{
	int wrong = 0;

	for (uint32_t i = 0; i < 65536; i++)
	{
		uint16_t half = (uint16_t) i;
		float value = rstar_f16_to_f32(half);

		if ((half & 0x7c00) == 0x7c00)
		{
			if ((half & 0x3ff) != 0)
				wrong += !isnan(value) || !isnan(rstar_f16_to_f32(rstar_f16_from_f32(value)));
			else
				wrong += !isinf(value) || rstar_f16_from_f32(value) != half;
			continue;
		}
		wrong += (double) value != f16_value(half);
		wrong += rstar_f16_from_f32(value) != half;
	}
	CHECK_MSG(wrong == 0, "%d wrong", wrong);
}

/* Between each two neighbours: the tie goes to the even one, the rest to the nearer. */
static void
f16_rounding(void)
{
	int wrong = 0;

	for (uint32_t i = 0; i < 0x7bff; i++)
	{
		double low = f16_value((uint16_t) i);
		double high = f16_value((uint16_t) (i + 1));
		float tie = (float) ((low + high) / 2);
		uint16_t even = (uint16_t) (i % 2 == 0 ? i : i + 1);

		wrong += rstar_f16_from_f32(tie) != even;
		wrong += rstar_f16_from_f32(-tie) != (even | 0x8000);
		wrong += rstar_f16_from_f32(nextafterf(tie, 0.0f)) != i;
		wrong += rstar_f16_from_f32(nextafterf(tie, INFINITY)) != i + 1;
	}
	CHECK_MSG(wrong == 0, "%d wrong", wrong);
	CHECK(rstar_f16_from_f32(65519.996f) == 0x7bff);
	CHECK(rstar_f16_from_f32(65520.0f) == 0x7c00);
	CHECK(rstar_f16_from_f32(-1e30f) == 0xfc00);
	CHECK(rstar_f16_from_f32(0x1p-149f) == 0);
	CHECK(rstar_f16_from_f32(-0.0f) == 0x8000);
}

static void
bf16_rounding(void)
{
	int wrong = 0;

	for (uint32_t i = 0; i < 0x7f7f; i++)
	{
		uint32_t tie = (i << 16) | 0x8000;
		uint16_t even = (uint16_t) (i % 2 == 0 ? i : i + 1);

		wrong += rstar_bf16_from_f32(rstar_bf16_to_f32((uint16_t) i)) != i;
		wrong += rstar_bf16_from_f32(rstar_f32_from_bits(tie)) != even;
		wrong += rstar_bf16_from_f32(rstar_f32_from_bits(tie - 1)) != i;
		wrong += rstar_bf16_from_f32(rstar_f32_from_bits(tie + 1)) != i + 1;
	}
	CHECK_MSG(wrong == 0, "%d wrong", wrong);
	CHECK(rstar_bf16_from_f32(INFINITY) == 0x7f80);
	for (uint32_t payload = 1; payload < 1 << 23; payload = payload * 3 + 1)
		CHECK(isnan(
			rstar_bf16_to_f32(rstar_bf16_from_f32(rstar_f32_from_bits(0x7f800000 | payload)))));
}

/* --- layouts --------------------------------------------------------------- */

/* Element j of a K block, one bit field after another, as quants.h draws them. */
static double
k_element(rstar_type type, const uint8_t *block, int j)
{
	int g = j / 32;
	int l = j % 32;

	if (type == RSTAR_TYPE_Q6_K)
	{
		const uint8_t *ql = block;
		const uint8_t *qh = block + 128;
		int8_t scale = (int8_t) block[192 + j / 16];
		double d = (double) rstar_f16_to_f32((uint16_t) (block[208] | block[209] << 8));
		int h = j / 128;
		int part = j / 32 % 4;
		static const int byte_of[] = {0, 32, 0, 32};
		static const int shift_of[] = {0, 0, 4, 4};
		int low = ql[64 * h + byte_of[part] + l] >> shift_of[part] & 15;
		int high = qh[32 * h + l] >> (2 * part) & 3;

		return d * scale * (low + 16 * high - 32);
	}

	double d = (double) rstar_f16_to_f32((uint16_t) (block[0] | block[1] << 8));
	double dmin = (double) rstar_f16_to_f32((uint16_t) (block[2] | block[3] << 8));
	const uint8_t *s = block + 4;
	int scale = g < 4 ? s[g] % 64 : s[g + 4] % 16 + s[g - 4] / 64 * 16;
	int min = g < 4 ? s[g + 4] % 64 : s[g + 4] / 16 + s[g] / 64 * 16;
	const uint8_t *qs = block + (type == RSTAR_TYPE_Q4_K ? 16 : 48);
	int q = g % 2 == 0 ? qs[g / 2 * 32 + l] % 16 : qs[g / 2 * 32 + l] / 16;

	if (type == RSTAR_TYPE_Q5_K)
		q += (block[16 + l] >> g & 1) * 16;
	return d * scale * q - dmin * min;
}

static void
random_block(uint8_t *block, size_t bytes, uint64_t node)
{
	rstar_random_stream stream = {42, node, 0};

	for (size_t i = 0; i < bytes; i++)
		block[i] = (uint8_t) rstar_random_bits(&stream, (uint32_t) i);
}

static void
k_layouts(void)
{
	static const rstar_type types[] = {RSTAR_TYPE_Q4_K, RSTAR_TYPE_Q5_K, RSTAR_TYPE_Q6_K};

	for (int t = 0; t < 3; t++)
		for (uint64_t round = 0; round < 50; round++)
		{
			_Alignas(8) uint8_t block[256];
			size_t bytes = rstar_type_get((uint32_t) types[t])->bytes;
			float out[256];
			int wrong = 0;

			random_block(block, bytes, round);
			/* sane scales: clear the top exponent bit of every float16 */
			block[types[t] == RSTAR_TYPE_Q6_K ? 209 : 1] &= 0xbf;
			if (types[t] != RSTAR_TYPE_Q6_K)
				block[3] &= 0xbf;
			rstar_quants_to_f32(types[t], block, out, 256);
			for (int j = 0; j < 256; j++)
			{
				double expected = k_element(types[t], block, j);

				wrong += fabs((double) out[j] - expected) > 1e-3;
			}
			CHECK_MSG(wrong == 0, "type %d round %d: %d wrong", types[t], (int) round, wrong);
		}
}

static void
small_layouts(void)
{
	rstar_block_q8_0 eight = {.d = rstar_f16_from_f32(0.5f)};
	rstar_block_q4_0 four = {.d = rstar_f16_from_f32(2.0f)};
	float out[32];

	for (int j = 0; j < 32; j++)
		eight.qs[j] = (int8_t) (j * 8 - 128);
	rstar_quants_to_f32(RSTAR_TYPE_Q8_0, &eight, out, 32);
	for (int j = 0; j < 32; j++)
		CHECK(out[j] == 0.5f * (float) (j * 8 - 128));
	for (int j = 0; j < 16; j++)
		four.qs[j] = (uint8_t) (j | (15 - j) << 4);
	rstar_quants_to_f32(RSTAR_TYPE_Q4_0, &four, out, 32);
	for (int j = 0; j < 16; j++)
	{
		CHECK(out[j] == 2.0f * (float) (j - 8));
		CHECK(out[j + 16] == 2.0f * (float) (7 - j));
	}
}

/*
 * Random blocks of every block type with the values that gguf's Python package
 * reads in them (test/fixtures/make_quants.py): the same bits.
 */
static void
decodes_as_the_reference_does(void)
{
	FILE *file = fopen("test/fixtures/quants.bin", "rb");
	uint32_t head[3]; /* type, bytes, elements */
	int types_seen = 0;

	CHECK(file != NULL);
	while (file && fread(head, sizeof head, 1, file) == 1)
	{
		_Alignas(8) uint8_t blocks[2048];
		float wanted[1024];
		float out[1024];

		CHECK(head[1] <= sizeof blocks && head[2] <= 1024);
		CHECK(fread(blocks, 1, head[1], file) == head[1]);
		CHECK(fread(wanted, sizeof(float), head[2], file) == head[2]);
		CHECK(rstar_quants_row_bytes((rstar_type) head[0], head[2]) == head[1]);
		CHECK(rstar_quants_find_bad((rstar_type) head[0], blocks, head[2]) == head[2]);
		rstar_quants_to_f32((rstar_type) head[0], blocks, out, head[2]);
		CHECK_MSG(memcmp(out, wanted, head[2] * sizeof(float)) == 0, "type %u", head[0]);
		types_seen++;
	}
	CHECK(types_seen == 13);
	if (file)
		fclose(file);
}

/* A scale that is no number, in every place that a type has for one. */
static void
bad_scales_of_read_types(void)
{
	static const size_t places[][2] = {{0, 2},     {0, 0}, {0, 2}, {80, 82},
									   {108, 108}, {2, 2}, {0, 0}, {0, 0}};

	for (size_t t = 0; t < N_READ_TYPES; t++)
		for (int k = 0; k < 2; k++)
		{
			const rstar_type_info *info = rstar_type_get((uint32_t) read_types[t]);
			_Alignas(8) uint8_t row[4 * 292] = {0};
			uint16_t bad = read_types[t] == RSTAR_TYPE_Q8_K ? 0x7f80 : 0x7c00;

			CHECK(!rstar_quants_writable(read_types[t]));
			CHECK(rstar_quants_find_bad(read_types[t], row, 4 * info->block) == 4 * info->block);
			memcpy(row + 2 * info->bytes + places[t][k], &bad, sizeof bad);
			CHECK(rstar_quants_find_bad(read_types[t], row, 4 * info->block) == 2 * info->block);
		}
}

/* --- quality --------------------------------------------------------------- */

static double
relative_error(rstar_type type, const float *x, size_t n, const float *weights)
{
	float *back = malloc(n * sizeof *back);
	void *row = malloc(rstar_quants_row_bytes(type, n));
	double error = 0.0;
	double total = 0.0;

	rstar_quants_from_f32(type, x, row, n, weights);
	rstar_quants_to_f32(type, row, back, n);
	for (size_t i = 0; i < n; i++)
	{
		double w = weights ? (double) weights[i] : 1.0;

		error += w * ((double) back[i] - (double) x[i]) * ((double) back[i] - (double) x[i]);
		total += w * (double) x[i] * (double) x[i];
	}
	free(back);
	free(row);
	return sqrt(error / total);
}

#define N_ROW ((size_t) 8192)

/* Relative root mean square errors on normal numbers; bounds a few per cent above those measured. */
static void
quality(void)
{
	static const double bounds[N_TYPES] = {0.0, 2.5e-4, 1.8e-3, 5.6e-3, 0.084, 0.074, 0.037, 0.018};
	float x[N_ROW];
	rstar_random_stream stream = {7, 0, 0};

	rstar_random_normal(&stream, 0, N_ROW, 0.02f, x);
	for (size_t t = 0; t < N_TYPES; t++)
	{
		double error = relative_error(all_types[t], x, N_ROW, NULL);

		CHECK_MSG(error <= bounds[t], "%s: %g", rstar_type_get(all_types[t])->name, error);
	}
}

/* Columns said to be important lose less, at the others' cost. */
static void
importance_helps(void)
{
	float x[N_ROW];
	float weights[N_ROW];
	rstar_random_stream stream = {8, 0, 0};

	rstar_random_normal(&stream, 0, N_ROW, 0.02f, x);
	for (size_t i = 0; i < N_ROW; i++)
		weights[i] = i % 8 == 0 ? 10.0f : 0.1f;
	for (size_t t = 4; t < N_TYPES; t++)
	{
		void *plain = malloc(rstar_quants_row_bytes(all_types[t], N_ROW));
		void *told = malloc(rstar_quants_row_bytes(all_types[t], N_ROW));
		float back[N_ROW];
		double error[2] = {0.0, 0.0};

		rstar_quants_from_f32(all_types[t], x, plain, N_ROW, NULL);
		rstar_quants_from_f32(all_types[t], x, told, N_ROW, weights);
		for (int k = 0; k < 2; k++)
		{
			rstar_quants_to_f32(all_types[t], k ? told : plain, back, N_ROW);
			for (size_t i = 0; i < N_ROW; i++)
				error[k] += (double) weights[i] * pow((double) back[i] - (double) x[i], 2);
		}
		CHECK_MSG(error[1] < 0.97 * error[0], "%s: %g of %g", rstar_type_get(all_types[t])->name,
				  error[1], error[0]);
		free(plain);
		free(told);
	}
}

/* Rows that tempt a division by zero, and the largest numbers there are. */
static void
extremes(void)
{
	static const float values[] = {0.0f,  1.0f,     -1.0f, 1e-40f, -1e-40f,
								   1e-8f, 65504.0f, 1e30f, -3e38f, 3e38f};

	for (size_t t = 0; t < N_TYPES; t++)
		for (size_t v = 0; v < sizeof values / sizeof *values; v++)
			for (int pattern = 0; pattern < 3; pattern++)
			{
				float x[256];
				float back[256];
				_Alignas(8) uint8_t row[1024];

				for (int i = 0; i < 256; i++)
					x[i] = pattern == 0   ? values[v]
						   : i % 5 == 0   ? values[v]
						   : pattern == 1 ? 0.0f
										  : 1e-3f;
				rstar_quants_from_f32(all_types[t], x, row, 256, NULL);
				if (all_types[t] != RSTAR_TYPE_F16) /* where 1e30 is infinity */
					CHECK(rstar_quants_find_bad(all_types[t], row, 256) == 256);
				rstar_quants_to_f32(all_types[t], row, back, 256);
				if (pattern == 0 && fabsf(values[v]) <= 1.0f && fabsf(values[v]) > 1e-4f)
					CHECK_MSG(fabsf(back[17] - x[17]) <= 0.01f * fabsf(x[17]), "%s: %g for %g",
							  rstar_type_get(all_types[t])->name, (double) back[17],
							  (double) x[17]);
				if (values[v] == 0.0f && pattern == 0)
					CHECK(back[99] == 0.0f);
			}
}

static void
bad_values_are_found(void)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};
	float x[4096];
	uint16_t half[4096];

	for (int b = 0; b < 3; b++)
		for (size_t place = 0; place < 4096; place += 511)
		{
			memset(x, 0, sizeof x);
			memset(half, 0, sizeof half);
			x[place] = bad[b];
			half[place] = rstar_f16_from_f32(bad[b]);
			CHECK(rstar_quants_find_bad(RSTAR_TYPE_F32, x, 4096) == place);
			CHECK(rstar_quants_find_bad(RSTAR_TYPE_F16, half, 4096) == place);
			half[place] = rstar_bf16_from_f32(bad[b]);
			CHECK(rstar_quants_find_bad(RSTAR_TYPE_BF16, half, 4096) == place);
		}
	for (size_t t = 3; t < N_TYPES; t++)
	{
		const rstar_type_info *info = rstar_type_get(all_types[t]);
		uint8_t *row = calloc(8, info->bytes);
		size_t d = all_types[t] == RSTAR_TYPE_Q6_K ? 208 : 0;

		CHECK(rstar_quants_find_bad(all_types[t], row, 8 * info->block) == 8 * info->block);
		row[5 * info->bytes + d + 1] = 0x7c;
		CHECK(rstar_quants_find_bad(all_types[t], row, 8 * info->block) == 5 * info->block);
		row[5 * info->bytes + d + 1] = 0;
		if (all_types[t] == RSTAR_TYPE_Q4_K || all_types[t] == RSTAR_TYPE_Q5_K)
		{
			row[3 * info->bytes + 3] = 0xfe;
			CHECK(rstar_quants_find_bad(all_types[t], row, 8 * info->block) == 3 * info->block);
		}
		free(row);
	}
}

static void
types_and_sizes(void)
{
	rstar_type type;

	CHECK(rstar_type_get(16) == NULL && strcmp(rstar_type_layout(16)->name, "IQ2_XXS") == 0);
	CHECK(rstar_type_layout(4) == NULL);
	CHECK(rstar_type_get(0xffffffff) == NULL);
	for (size_t t = 0; t < N_TYPES; t++)
	{
		CHECK(rstar_type_by_name(rstar_type_get(all_types[t])->name, &type));
		CHECK(type == all_types[t]);
	}
	CHECK(rstar_type_by_name("q4_k", &type) && type == RSTAR_TYPE_Q4_K);
	CHECK(rstar_type_by_name("iq4_xs", &type) && type == RSTAR_TYPE_IQ4_XS);
	CHECK(!rstar_type_by_name("IQ2_XXS", &type));
	CHECK(rstar_quants_row_bytes(RSTAR_TYPE_Q4_K, 512) == 288);
	CHECK(rstar_quants_row_bytes(RSTAR_TYPE_Q4_K, 300) == 0);
	CHECK(rstar_quants_row_bytes(RSTAR_TYPE_F32, SIZE_MAX / 2) == 0);
}

int
main(void)
{
	RUN(f16_every_value);
	RUN(f16_rounding);
	RUN(bf16_rounding);
	RUN(k_layouts);
	RUN(small_layouts);
	RUN(decodes_as_the_reference_does);
	RUN(bad_scales_of_read_types);
	RUN(quality);
	RUN(importance_helps);
	RUN(extremes);
	RUN(bad_values_are_found);
	RUN(types_and_sizes);
	return CHECK_RESULT();
}

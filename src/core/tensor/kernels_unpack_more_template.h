/*
 * kernels_unpack_more_template.h
 *	  The unpacking of types that other quantisers write: see
 *	  kernels_unpack_template.h, which includes this file.
 */

/* Sixteen bytes with 32 four-bit numbers: the low ones first. */
static INLINE void
split_nibbles(const uint8_t *restrict qs, uint8_t *restrict out)
{
	nibbles packed, low, high;

	memcpy(&packed, qs, sizeof packed);
	low = packed & 15;
	high = packed >> 4;
	memcpy(out, &low, sizeof low);
	memcpy(out + 16, &high, sizeof high);
}

static void
unpack_q4_1(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q4_1 *block = (const rstar_block_q4_1 *) row;

	for (uint32_t b = 0; b < columns / 32; b++)
	{
		split_nibbles(block[b].qs, (uint8_t *) q_out + b * 32);
		scales[b * RSTAR_PANEL_ROWS] = f16_to_f32(block[b].d);
		minimums[b * RSTAR_PANEL_ROWS] = -f16_to_f32(block[b].m);
	}
}

/* 32 five-bit numbers less `bias`; bit j of qh is the fifth of number j. */
static INLINE void
split_five_bits(const uint8_t *restrict qh, const uint8_t *restrict qs, int bias,
				int8_t *restrict out)
{
#if defined(__AVX2__)
	/* Byte j gets the byte of qh that holds its bit, and keeps that bit alone. */
	__m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2,
									2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
	__m256i bit = _mm256_set1_epi64x((long long) 0x8040201008040201ull);
	__m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(four_bytes((const int8_t *) qh)), byte);
	__m256i fifth = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit),
									 _mm256_set1_epi8(16));
	__m128i packed = _mm_loadu_si128((const __m128i *) qs);
	__m256i both = _mm256_set_m128i(_mm_srli_epi16(packed, 4), packed);
	__m256i low = _mm256_and_si256(both, _mm256_set1_epi8(15));

	_mm256_storeu_si256((__m256i *) out, _mm256_sub_epi8(_mm256_or_si256(low, fifth),
														 _mm256_set1_epi8((char) bias)));
#else
	uint8_t low[32];
	uint32_t high;

	memcpy(&high, qh, sizeof high);
	split_nibbles(qs, low);
	for (int j = 0; j < 32; j++)
		out[j] = (int8_t) ((low[j] | (high >> j & 1) << 4) - (uint32_t) bias);
#endif
}

static void
unpack_q5_0(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q5_0 *block = (const rstar_block_q5_0 *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 32; b++)
	{
		split_five_bits(block[b].qh, block[b].qs, 16, q_out + b * 32);
		scales[b * RSTAR_PANEL_ROWS] = f16_to_f32(block[b].d);
	}
}

static void
unpack_q5_1(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q5_1 *block = (const rstar_block_q5_1 *) row;

	for (uint32_t b = 0; b < columns / 32; b++)
	{
		split_five_bits(block[b].qh, block[b].qs, 0, q_out + b * 32);
		scales[b * RSTAR_PANEL_ROWS] = f16_to_f32(block[b].d);
		minimums[b * RSTAR_PANEL_ROWS] = -f16_to_f32(block[b].m);
	}
}

/* 32 of the unevenly spaced levels of the IQ4 types. */
static INLINE void
look_up_levels(const uint8_t *restrict qs, int8_t *restrict out)
{
#if defined(__AVX2__)
	__m128i levels = _mm_loadu_si128((const __m128i *) rstar_iq4_levels);
	__m128i packed = _mm_loadu_si128((const __m128i *) qs);
	__m128i low = _mm_and_si128(packed, _mm_set1_epi8(15));
	__m128i high = _mm_and_si128(_mm_srli_epi16(packed, 4), _mm_set1_epi8(15));

	_mm_storeu_si128((__m128i *) out, _mm_shuffle_epi8(levels, low));
	_mm_storeu_si128((__m128i *) (out + 16), _mm_shuffle_epi8(levels, high));
#else
	for (int j = 0; j < 16; j++)
	{
		out[j] = rstar_iq4_levels[qs[j] & 15];
		out[j + 16] = rstar_iq4_levels[qs[j] >> 4];
	}
#endif
}

static void
unpack_iq4_nl(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			  float *restrict scales, float *restrict minimums)
{
	const rstar_block_iq4_nl *block = (const rstar_block_iq4_nl *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 32; b++)
	{
		look_up_levels(block[b].qs, q_out + b * 32);
		scales[b * RSTAR_PANEL_ROWS] = f16_to_f32(block[b].d);
	}
}

static void
unpack_iq4_xs(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			  float *restrict scales, float *restrict minimums)
{
	const rstar_block_iq4_xs *block = (const rstar_block_iq4_xs *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 256; b++)
	{
		float d = f16_to_f32(block[b].d);

		for (int g = 0; g < 8; g++)
		{
			look_up_levels(block[b].qs + 16 * g, q_out + b * 256 + g * 32);
			scales[(b * 8 + (uint32_t) g) * RSTAR_PANEL_ROWS] =
				d * (float) rstar_quants_iq4_scale(&block[b], g);
		}
	}
}

static void
unpack_q3_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q3_K *block = (const rstar_block_q3_K *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 256; b++)
	{
		float d = f16_to_f32(block[b].d);

		for (int p = 0; p < 8; p++)
		{
			int8_t *restrict q = q_out + b * 256 + p * 32;
			const uint8_t *qs = block[b].qs + 32 * (p / 4);

			for (int l = 0; l < 32; l++)
				q[l] =
					(int8_t) ((qs[l] >> (2 * (p % 4)) & 3) + (block[b].hmask[l] >> p & 1) * 4 - 4);
		}
		for (int g = 0; g < 16; g++)
			scales[(b * 16 + (uint32_t) g) * RSTAR_PANEL_ROWS] =
				d * (float) rstar_quants_q3_scale(block[b].scales, g);
	}
}

static void
unpack_q8_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q8_K *block = (const rstar_block_q8_K *) row;

	(void) minimums;
	for (uint32_t b = 0; b < columns / 256; b++)
	{
		memcpy(q_out + b * 256, block[b].qs, 256);
		for (int g = 0; g < 8; g++)
			scales[(b * 8 + (uint32_t) g) * RSTAR_PANEL_ROWS] = rstar_quants_q8_K_scale(&block[b]);
	}
}

static void
unpack_q2_K(const uint8_t *restrict row, uint32_t columns, int8_t *restrict q_out,
			float *restrict scales, float *restrict minimums)
{
	const rstar_block_q2_K *block = (const rstar_block_q2_K *) row;

	for (uint32_t b = 0; b < columns / 256; b++)
	{
		float d = f16_to_f32(block[b].d), dmin = f16_to_f32(block[b].dmin);

		for (int p = 0; p < 8; p++)
		{
			int8_t *restrict q = q_out + b * 256 + p * 32;
			const uint8_t *qs = block[b].qs + 32 * (p / 4);

			for (int l = 0; l < 32; l++)
				q[l] = (int8_t) (qs[l] >> (2 * (p % 4)) & 3);
		}
		for (uint32_t g = 0; g < 16; g++)
		{
			scales[(b * 16 + g) * RSTAR_PANEL_ROWS] = d * (float) (block[b].scales[g] & 15);
			minimums[(b * 16 + g) * RSTAR_PANEL_ROWS] = dmin * (float) (block[b].scales[g] >> 4);
		}
	}
}

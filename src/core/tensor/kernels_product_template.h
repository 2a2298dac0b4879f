/*
 * kernels_product_template.h
 *	  Panels times activations.
 *
 * Included by kernels_template.h, compiled once per family. A tile is one panel
 * and T tokens; T is a constant at every call, so that loops unroll and sums stay in
 * registers. Per element the operations and their order are the same for all T.
 */

/* Activations of a tile's first token at the chunk's first column. */
typedef struct tile_input
{
	const int8_t *q;
	const float *scales;
	const float *sums;     /* of the type's blocks: 32 or 16 columns */
	const int32_t *totals; /* the same */
	const float *f32;
	uint32_t columns; /* from token to token in f32 */
	uint32_t padded;  /* in q; / 32 in scales; / block in sums and totals */
	int shift;        /* totals >> shift is what a narrow type's bias adds; 0: none */
} tile_input;

/* The sums so far of the tile's token t, whose first is `first`; where they go now. */
static INLINE const float *
sums_of(const panel *p, uint32_t first, int t)
{
	return p->sums + (size_t) (first + (uint32_t) t) * RSTAR_PANEL_ROWS;
}

static INLINE float *
out_of(const panel *p, uint32_t first, int t)
{
	return p->out + (size_t) (first + (uint32_t) t) * p->stride;
}

#if defined(__AVX512VNNI__)
#define MOST_TOKENS 16
#define TOGETHER    4 /* tokens whose chains of products run side by side */

/* dot + the products of four bytes, the same for all rows, with sixteen rows' own. */
static INLINE __m512i
multiply_group(__m512i dot, __m512i w, const int8_t *q)
{
	/* Spelled out: the compiler makes two instructions of it. */
	__asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(dot) : "v"(w), "m"(*(const int8_t(*)[4]) q));
	return dot;
}

/* Tokens [from, from + n) of the tile and one block of `block` columns. */
static INLINE void
tile_block(const __m512i *w, __m512 scale, const __m512 *minimum, const tile_input *in,
		   uint32_t column, int from, int n, int block, __m512 *sum)
{
	size_t stride = in->padded / (uint32_t) block, at = column / (uint32_t) block;
	__m512i dot[TOGETHER], more[TOGETHER];

	/* Few tokens have two chains each, lest they wait for one another's results. */
#pragma GCC unroll 4
	for (int t = 0; t < n; t++)
	{
		dot[t] = _mm512_set1_epi32(in->totals[(size_t) (from + t) * stride + at]);
		more[t] = _mm512_setzero_si512();
	}
#pragma GCC unroll 8
	for (int g = 0; g < block / 4; g++)
#pragma GCC unroll 4
		for (int t = 0; t < n; t++)
		{
			const int8_t *q = in->q + (size_t) (from + t) * in->padded + column + g * 4;

			if (n < TOGETHER && g % 2 == 1)
				more[t] = multiply_group(more[t], w[g], q);
			else
				dot[t] = multiply_group(dot[t], w[g], q);
		}
#pragma GCC unroll 4
	for (int t = 0; t < n && n < TOGETHER; t++)
		dot[t] = _mm512_add_epi32(dot[t], more[t]);
#pragma GCC unroll 4
	for (int t = 0; t < n; t++)
	{
		size_t token = (size_t) (from + t);
		__m512 x = _mm512_set1_ps(in->scales[token * (in->padded / 32) + column / 32]);

		sum[from + t] =
			_mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[t]), _mm512_mul_ps(scale, x), sum[from + t]);
		if (minimum)
			sum[from + t] = _mm512_fnmadd_ps(
				*minimum, _mm512_set1_ps(in->sums[token * stride + at]), sum[from + t]);
	}
}

#if defined(__AMX_INT8__)
/*
 * Tile registers: for blocks of 32 two sets that take turns, since an instruction waits for what
 * is on its way to the register it writes; for blocks of 16 two more. Each set: sums, the bytes of
 * 16 tokens, those of the panel; the sums serve both.
 */
static const struct
{
	uint8_t palette, start_row, reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
} tile_shapes = {.palette = 1, /* a constant: compilers believe that only its start is read */
				 .row_bytes = {64, 64, 32, 64, 32, 64, 16, 64},
				 .rows = {16, 16, 16, 8, 16, 8, 16, 4}};

/* Products of 16 tokens with one block, as they stand in the panel: biased. Registers are numerals. */
#define TILE_DOTS(sums, tokens, weights)                                                           \
	do                                                                                             \
	{                                                                                              \
		_tile_zero(sums);                                                                          \
		_tile_loadd(tokens, q, in->padded);                                                        \
		_tile_loadd(weights, w, 64);                                                               \
		_tile_dpbsud(sums, tokens, weights);                                                       \
		_tile_stored(sums, dots, 64);                                                              \
	} while (0)

static INLINE void
tile_dots(const panel *p, const tile_input *in, uint32_t column, int block, int set, int32_t *dots)
{
	const uint8_t *w = p->bytes + column * 16;
	const int8_t *q = in->q + column;

	if (block == 32 && set == 0)
		TILE_DOTS(0, 2, 3);
	else if (block == 32)
		TILE_DOTS(1, 4, 5);
	else if (set == 0)
		TILE_DOTS(0, 6, 7);
	else
		TILE_DOTS(1, 6, 7);
}

/* As tile_block() for sixteen tokens, whose products are there. */
static INLINE void
scale_dots(const int32_t *dots, __m512 scale, const __m512 *minimum, const tile_input *in,
		   uint32_t column, int block, __m512 *sum)
{
	size_t stride = in->padded / (uint32_t) block, at = column / (uint32_t) block;

#pragma GCC unroll 16
	for (int t = 0; t < 16; t++)
	{
		size_t token = (size_t) t;
		__m512i dot = _mm512_add_epi32(_mm512_load_si512(dots + t * 16),
									   _mm512_set1_epi32(in->totals[token * stride + at]));
		__m512 x = _mm512_set1_ps(in->scales[token * (in->padded / 32) + column / 32]);

		sum[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(scale, x), sum[t]);
		if (minimum)
			sum[t] =
				_mm512_fnmadd_ps(*minimum, _mm512_set1_ps(in->sums[token * stride + at]), sum[t]);
	}
}

/* Scale the dots of the block at column k. */
static INLINE void
scale_block(const panel *p, const tile_input *in, const int32_t *dots, uint32_t k, int block,
			bool has_minimums, __m512 *sum)
{
	__m512 scale = _mm512_load_ps(p->scales + k / (uint32_t) block * 16);
	__m512 minimum = _mm512_load_ps(p->minimums + k / (uint32_t) block * 16);

	scale_dots(dots, scale, has_minimums ? &minimum : NULL, in, k, block, sum);
}

/* Sixteen tokens: the next block's products are on their way while one's are scaled. */
static INLINE void
tile_amx(const panel *p, const tile_input *in, int block, bool has_minimums, uint32_t n,
		 __m512 *sum)
{
	uint32_t step = (uint32_t) block, k = 0;
	int32_t dots[2][16 * 16] __attribute__((aligned(64)));

	tile_dots(p, in, 0, block, 0, dots[0]);
	for (; k + step < n; k += 2 * step)
	{
		tile_dots(p, in, k + step, block, 1, dots[1]);
		scale_block(p, in, dots[0], k, block, has_minimums, sum);
		if (k + 2 * step < n)
			tile_dots(p, in, k + 2 * step, block, 0, dots[0]);
		scale_block(p, in, dots[1], k + step, block, has_minimums, sum);
	}
	if (k < n)
		scale_block(p, in, dots[0], k, block, has_minimums, sum);
}
#endif

/* Eight groups' weights in registers serve all tokens of the tile. */
static INLINE void
tile_int8(const panel *p, const tile_input *in, int T, int block, bool has_minimums, int groups,
		  uint32_t n, uint32_t first)
{
	int step = T < TOGETHER ? T : TOGETHER;
	__m512 sum[MOST_TOKENS];

	(void) groups;
#pragma GCC unroll 16
	for (int t = 0; t < T; t++)
		sum[t] = p->fresh ? zero() : load(sums_of(p, first, t));
#if defined(__AMX_INT8__)
	if (T == 16)
		tile_amx(p, in, block, has_minimums, n, sum);
	for (uint32_t k = 0; T < 16 && k < n; k += (uint32_t) block)
#else
	for (uint32_t k = 0; k < n; k += (uint32_t) block)
#endif
	{
		__m512 scale = _mm512_load_ps(p->scales + k / (uint32_t) block * 16);
		__m512 minimum = _mm512_load_ps(p->minimums + k / (uint32_t) block * 16);
		__m512i w[8];

#pragma GCC unroll 8
		for (int g = 0; g < block / 4; g++)
			w[g] = _mm512_load_si512(p->bytes + k * 16 + g * 64);
#pragma GCC unroll 4
		for (int t = 0; t < T; t += step)
			tile_block(w, scale, has_minimums ? &minimum : NULL, in, k, t, step, block, sum);
	}
#pragma GCC unroll 16
	for (int t = 0; t < T; t++)
		store(out_of(p, first, t), sum[t]);
}
#elif defined(__AVX2__)
#define MOST_TOKENS 4

/*
 * The products of `groups` groups of four bytes with T tokens, added to dot. VNNI does
 * it in one instruction. Without it bytes of at most 6 bits have no sign and so small
 * products that those of several groups are added up in 16 bits: 8 groups of 4 bits
 * (8 * 2 * 15 * 127 < 2^15), 4 of 5, 2 of 6. Others, one group at a time, are
 * |w| * (q with w's sign), pairs of which stay below 2 * 128 * 127.
 */
static INLINE void
multiply_groups(const uint8_t *bytes, const tile_input *in, const int8_t *q, int T, int groups,
				__m256i *dot)
{
	__m256i one = _mm256_set1_epi16(1), pairs[MOST_TOKENS];

	for (int g = 0; g < groups; g++)
	{
		__m256i w = _mm256_load_si256((const __m256i *) (bytes + g * 64));

		for (int t = 0; t < T; t++)
		{
			__m256i x = _mm256_set1_epi32(four_bytes(q + (size_t) t * in->padded + g * 4));

#if defined(__AVXVNNI__)
			dot[t] = _mm256_dpbusd_avx_epi32(dot[t], w, x);
#else
			__m256i pair = groups > 1
							   ? _mm256_maddubs_epi16(w, x)
							   : _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));

			pairs[t] = g == 0 ? pair : _mm256_add_epi16(pairs[t], pair);
#endif
		}
	}
#if defined(__AVXVNNI__)
	(void) one, (void) pairs;
#else
	for (int t = 0; t < T; t++)
		dot[t] = _mm256_add_epi32(dot[t], _mm256_madd_epi16(pairs[t], one));
#endif
}

/* What the bias of the panel's bytes has added too much. */
static INLINE void
take_off_bias(const tile_input *in, const int32_t *totals, int T, int block, __m256i *dot)
{
	for (int t = 0; t < T; t++)
#if defined(__AVXVNNI__)
		dot[t] = _mm256_set1_epi32(totals[(size_t) t * (in->padded / (uint32_t) block)]);
#else
		dot[t] = in->shift == 0
					 ? _mm256_setzero_si256()
					 : _mm256_set1_epi32(totals[(size_t) t * (in->padded / (uint32_t) block)] >>
										 in->shift);
#endif
}

/* One half of the panel: eight rows. */
static INLINE void
tile_half(const panel *p, const tile_input *in, int T, int block, bool has_minimums, int groups,
		  uint32_t n, int half, uint32_t first)
{
	uint32_t parts = 32 / (uint32_t) block;
	__m256 sum[MOST_TOKENS];

	for (int t = 0; t < T; t++)
		sum[t] = p->fresh ? _mm256_setzero_ps() : _mm256_loadu_ps(sums_of(p, first, t) + half * 8);
	for (uint32_t i = 0; i < n / (uint32_t) block; i++)
	{
		const uint8_t *bytes = p->bytes + i * (uint32_t) block * 16 + half * 32;
		const int8_t *q = in->q + i * (uint32_t) block;
		__m256i dot[MOST_TOKENS];

		take_off_bias(in, in->totals + i, T, block, dot);
		for (int g = 0; g < block / 4; g += groups)
			multiply_groups(bytes + g * 64, in, q + g * 4, T, groups, dot);

		__m256 scale = _mm256_load_ps(p->scales + i * 16 + half * 8);

		for (int t = 0; t < T; t++)
		{
			float x = in->scales[(size_t) t * (in->padded / 32) + i / parts];

			sum[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot[t]),
									 _mm256_mul_ps(scale, _mm256_set1_ps(x)), sum[t]);
			if (has_minimums)
				sum[t] = _mm256_fnmadd_ps(
					_mm256_load_ps(p->minimums + i * 16 + half * 8),
					_mm256_set1_ps(in->sums[(size_t) t * (in->padded / (uint32_t) block) + i]),
					sum[t]);
		}
	}
	for (int t = 0; t < T; t++)
		_mm256_storeu_ps(out_of(p, first, t) + half * 8, sum[t]);
}

static INLINE void
tile_int8(const panel *p, const tile_input *in, int T, int block, bool has_minimums, int groups,
		  uint32_t n, uint32_t first)
{
	tile_half(p, in, T, block, has_minimums, groups, n, 0, first);
	tile_half(p, in, T, block, has_minimums, groups, n, 1, first);
}
#else
#define MOST_TOKENS 2

/*
 * The portable form, which says what the vector forms must compute: integers are summed
 * exactly within a block, and each block's sum is scaled and added in the order of the blocks.
 * Four neighbouring columns of a row stand together in the panel.
 */
static INLINE void
tile_int8(const panel *p, const tile_input *in, int T, int block, bool has_minimums, int groups,
		  uint32_t n, uint32_t first)
{
	uint32_t columns = (uint32_t) block;

	(void) groups;
	for (int t = 0; t < T; t++)
	{
		vf sum = p->fresh ? zero() : load(sums_of(p, first, t));

		for (uint32_t i = 0; i < n / columns; i++)
		{
			const int8_t *q = in->q + (size_t) t * in->padded + i * columns;
			size_t at = (size_t) t * (in->padded / columns) + i;
			float x = in->scales[(size_t) t * (in->padded / 32) + i * columns / 32];
			int32_t dot[16] = {0};

			for (uint32_t g = 0; g < columns / 4; g++)
			{
				const int8_t *w = (const int8_t *) p->bytes + i * columns * 16 + g * 64;

				for (int r = 0; r < 16; r++)
					for (int j = 0; j < 4; j++)
						dot[r] += w[r * 4 + j] * q[g * 4 + (uint32_t) j];
			}
			for (int r = 0; r < 16; r++)
			{
				sum.lane[r] += (float) dot[r] * (p->scales[i * 16 + (uint32_t) r] * x);
				if (has_minimums)
					sum.lane[r] -= p->minimums[i * 16 + (uint32_t) r] * in->sums[at];
			}
		}
		store(out_of(p, first, t), sum);
	}
}
#endif

static INLINE void
tile_float(const panel *p, const tile_input *in, int T, int block, bool has_minimums, int groups,
		   uint32_t n, uint32_t first)
{
	vf sum[MOST_TOKENS];

	(void) block;
	(void) has_minimums;
	(void) groups;
	for (int t = 0; t < T; t++)
		sum[t] = zero();
	for (uint32_t k = 0; k < n; k++)
	{
		vf w = load(p->floats + k * 16);

		for (int t = 0; t < T; t++)
			sum[t] = multiply_add(w, splat(in->f32[(size_t) t * in->columns + k]), sum[t]);
	}
	for (int t = 0; t < T; t++)
		store(out_of(p, first, t), p->fresh ? sum[t] : plus(load(sums_of(p, first, t)), sum[t]));
}

static INLINE void
skip_tokens(tile_input *in, int T, int block)
{
	size_t tokens = (size_t) T;

	in->q += tokens * in->padded;
	in->scales += tokens * (in->padded / 32);
	in->sums += tokens * (in->padded / (uint32_t) block);
	in->totals += tokens * (in->padded / (uint32_t) block);
	in->f32 += tokens * in->columns;
}

typedef void (*chunk_function)(const panel *p, tile_input in, uint32_t T, uint32_t n);

#define TILES_OF(size, tile, block, has_minimums, groups)                                          \
	for (; size <= MOST_TOKENS && T - t >= size; t += size)                                        \
	{                                                                                              \
		tile(p, &in, size <= MOST_TOKENS ? size : 1, block, has_minimums, groups, n, t);           \
		skip_tokens(&in, size, block);                                                             \
	}

/* A function that takes one chunk of a panel through all tokens, in tiles of falling size. */
#define DEFINE_CHUNK(name, tile, block, has_minimums, groups)                                      \
	static void name(const panel *p, tile_input in, uint32_t T, uint32_t n)                        \
	{                                                                                              \
		uint32_t t = 0;                                                                            \
                                                                                                   \
		TILES_OF(16, tile, block, has_minimums, groups);                                           \
		TILES_OF(8, tile, block, has_minimums, groups);                                            \
		TILES_OF(4, tile, block, has_minimums, groups);                                            \
		TILES_OF(2, tile, block, has_minimums, groups);                                            \
		TILES_OF(1, tile, block, has_minimums, groups);                                            \
	}

DEFINE_CHUNK(chunk_32, tile_int8, 32, false, 1)
DEFINE_CHUNK(chunk_32_minimums, tile_int8, 32, true, 1)
DEFINE_CHUNK(chunk_16, tile_int8, 16, false, 1)
DEFINE_CHUNK(chunk_16_minimums, tile_int8, 16, true, 1)
DEFINE_CHUNK(chunk_float, tile_float, 32, false, 1)

#if NARROW
DEFINE_CHUNK(chunk_32_of_4, tile_int8, 32, false, 8)
DEFINE_CHUNK(chunk_32_of_4_minimums, tile_int8, 32, true, 8)
DEFINE_CHUNK(chunk_32_of_5, tile_int8, 32, false, 4)
DEFINE_CHUNK(chunk_32_of_5_minimums, tile_int8, 32, true, 4)
DEFINE_CHUNK(chunk_16_of_6, tile_int8, 16, false, 2)
DEFINE_CHUNK(chunk_16_of_6_minimums, tile_int8, 16, true, 2)
#else
#define chunk_32_of_4          chunk_32
#define chunk_32_of_4_minimums chunk_32_minimums
#define chunk_32_of_5          chunk_32
#define chunk_32_of_5_minimums chunk_32_minimums
#define chunk_16_of_6          chunk_16
#define chunk_16_of_6_minimums chunk_16_minimums
#endif

static chunk_function
chunk_of(const type_traits *type)
{
	static const chunk_function of_32[3][2] = {{chunk_32, chunk_32_minimums},
											   {chunk_32_of_4, chunk_32_of_4_minimums},
											   {chunk_32_of_5, chunk_32_of_5_minimums}};
	static const chunk_function of_16[2][2] = {{chunk_16, chunk_16_minimums},
											   {chunk_16_of_6, chunk_16_of_6_minimums}};

	if (!type)
		return chunk_float;
	if (type->block == 16)
		return of_16[is_narrow(type)][type->has_minimums];
	return of_32[!is_narrow(type) ? 0 : type->bits <= 4 ? 1 : 2][type->has_minimums];
}

/* log2(128 / -low): totals are -128 * the sum of q, and the bias adds -low times that sum. */
static int
bias_shift(const type_traits *type)
{
	int shift = 0;

	if (!is_narrow(type) || type->low == 0)
		return 0;
	while (-type->low << shift < 128)
		shift++;
	return shift;
}

/* The activations from column `from` on. */
static tile_input
input_at(const rstar_activations *a, const type_traits *type, uint32_t from)
{
	bool small = type && type->block == 16;

	return (tile_input){
		.q = a->q + from,
		.scales = a->scales + from / 32,
		.sums = small ? a->sums16 + from / 16 : a->sums32 + from / 32,
		.totals = small ? a->totals16 + from / 16 : a->totals32 + from / 32,
		.f32 = a->f32 + from,
		.columns = a->columns,
		.padded = a->padded,
		.shift = bias_shift(type),
	};
}

/* Bytes of the parts of a kept chunk of n columns, and of all of it. */
static size_t
chunk_values(uint32_t n)
{
	return (size_t) ((n + 63) & ~63u) * RSTAR_PANEL_ROWS;
}

static size_t
chunk_floats(uint32_t n)
{
	return (size_t) ((n + LANES - 1) / LANES * LANES) * RSTAR_PANEL_ROWS * sizeof(float);
}

static size_t
chunk_scales(const type_traits *type, uint32_t n)
{
	return (size_t) (n / (uint32_t) type->block) * RSTAR_PANEL_ROWS * sizeof(float);
}

static size_t
chunk_bytes(const type_traits *type, uint32_t n)
{
	if (!type)
		return chunk_floats(n);
	return chunk_values(n) + chunk_scales(type, n) * (type->has_minimums ? 2 : 1);
}

/* Columns of a chunk, at most. */
static uint32_t
chunk_columns(const type_traits *type)
{
	return type ? RSTAR_INT8_CHUNK : RSTAR_FLOAT_CHUNK;
}

static size_t
panel_bytes(const rstar_matrix *w)
{
	const type_traits *type = traits_of(w->type);
	uint32_t most = chunk_columns(type);
	size_t bytes = 0;

	for (uint32_t from = 0; from < w->columns; from += most)
	{
		uint32_t left = w->columns - from;

		bytes += chunk_bytes(type, left < most ? left : most);
	}
	return bytes;
}

/* Where the panel of rows [row, row + R) is kept; NULL: nowhere, or they are not a whole one. */
static uint8_t *
kept_panel(const rstar_matrix *w, uint32_t row, uint32_t R)
{
	if (!w->panels || row % RSTAR_PANEL_ROWS != 0 || (R < RSTAR_PANEL_ROWS && row + R < w->rows))
		return NULL;
	return w->panels->data + row / RSTAR_PANEL_ROWS * w->panels->bytes;
}

/* Let the panel's next chunk, of n columns, lie at `kept`; returns where the one behind it lies. */
static uint8_t *
place_chunk(panel *p, const type_traits *type, uint8_t *kept, uint32_t n)
{
	if (!type)
		p->floats = (float *) (void *) kept;
	else
	{
		p->bytes = kept;
		p->scales = (float *) (void *) (kept + chunk_values(n));
		if (type->has_minimums)
			p->minimums = p->scales + chunk_scales(type, n) / sizeof(float);
	}
	return kept + chunk_bytes(type, n);
}

static void
fill_panel(const panel *p, const rstar_matrix *w, const type_traits *type, uint32_t row, uint32_t R,
		   uint32_t from, uint32_t n)
{
	if (type)
		fill_int8_panel(p, w, type, row, R, from, n);
	else
		fill_float_panel(p, w, row, R, from, n);
}

/* Up to sixteen rows times all tokens. The last chunk puts whole panels where they belong. */
static void
multiply_panel(panel *p, const rstar_matrix *w, const type_traits *type, uint32_t row, uint32_t R,
			   const rstar_activations *a, uint32_t T, float *out, size_t stride)
{
	uint32_t most = chunk_columns(type);
	chunk_function multiply = chunk_of(type);
	uint8_t *kept = kept_panel(w, row, R);
	bool *filled = kept ? &w->panels->filled[row / RSTAR_PANEL_ROWS] : NULL;

	for (uint32_t from = 0; from < w->columns; from += most)
	{
		uint32_t left = w->columns - from;
		uint32_t n = left < most ? left : most;
		bool direct = left <= most && R == RSTAR_PANEL_ROWS;

		p->fresh = from == 0;
		p->out = direct ? out : p->sums;
		p->stride = direct ? stride : RSTAR_PANEL_ROWS;
		if (kept)
			kept = place_chunk(p, type, kept, n);
		if (!filled || !*filled)
			fill_panel(p, w, type, row, R, from, n);
		multiply(p, input_at(a, type, from), T, n);
	}
	if (filled)
		*filled = true;
	for (uint32_t t = 0; t < T && R < RSTAR_PANEL_ROWS; t++)
		store_partial(out + t * stride, R, load(p->sums + t * RSTAR_PANEL_ROWS));
}

static void
matmul(const rstar_matrix *w, uint32_t row, uint32_t n_rows, const rstar_activations *a, uint32_t T,
	   float *out, size_t stride, void *scratch)
{
	const type_traits *type = traits_of(w->type);
	panel p = {.floats = scratch,
			   .bytes = scratch,
			   .rows = (int8_t *) scratch + RSTAR_INT8_CHUNK * 16,
			   .scales = (float *) scratch + RSTAR_INT8_CHUNK * 16 * 2 / 4};

	p.minimums = p.scales + RSTAR_INT8_CHUNK;
	p.sums = p.minimums + RSTAR_INT8_CHUNK;
#if defined(__AMX_INT8__)
	if (T >= 16)
		_tile_loadconfig(&tile_shapes);
#endif
	if (n_rows % RSTAR_PANEL_ROWS != 0) /* some lanes compute nothing: let it be with zeros */
		memset(scratch, 0, (size_t) ((uint8_t *) p.sums - (uint8_t *) scratch));
	for (uint32_t r = 0; r < n_rows; r += RSTAR_PANEL_ROWS)
	{
		uint32_t R = n_rows - r < RSTAR_PANEL_ROWS ? n_rows - r : RSTAR_PANEL_ROWS;

		panel this = p;

		multiply_panel(&this, w, type, row + r, R, a, T, out + row + r, stride);
	}
#if defined(__AMX_INT8__)
	_tile_release();
#endif
}

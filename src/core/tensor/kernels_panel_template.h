/*
 * kernels_panel_template.h
 *	  Panels: sixteen weight rows side by side.
 *
 * Included by kernels_template.h, compiled once per family. A panel of quantised
 * weights holds, for each block of 32 columns, eight groups of four columns:
 *
 *		group g:   | row 0: 4 bytes | row 1: 4 bytes | ... | row 15: 4 bytes |
 *
 * and for each block its sixteen scales (and minimums). The bytes are the int8
 * values plus a bias where the family's instruction wants unsigned ones.
 * A panel of floats holds, for each column, the sixteen rows' values.
 */

#if defined(__AVX2__) && !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
#define NARROW 1
#else
#define NARROW 0
#endif

/*
 * Without VNNI, bytes that have no sign and few bits save half the work
 * (multiply_groups()).
 */
static INLINE bool
is_narrow(const type_traits *type)
{
	return NARROW && type && type->bits > 0 && type->bits <= (type->block == 32 ? 5 : 6);
}

/* What is added to a type's values to make the panel's bytes. */
static INLINE int
byte_bias(const type_traits *type)
{
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
	(void) type;
	return 128;
#else
	return is_narrow(type) ? -type->low : 0;
#endif
}

/* One chunk of one panel. */
typedef struct panel
{
	uint8_t *bytes;  /* [RSTAR_INT8_CHUNK / 4][16][4] */
	float *scales;   /* [RSTAR_INT8_CHUNK / 16][16] */
	float *minimums; /* the same */
	int8_t *rows;    /* [16][RSTAR_INT8_CHUNK]: unpacked, before they are interleaved */
	float *floats;   /* [RSTAR_FLOAT_CHUNK][16] */
	float *sums;     /* [T][16]: what the chunks so far have come to */
	bool fresh;      /* no chunk so far */
	float *out;      /* where the sums go, `stride` floats from token to token */
	size_t stride;
} panel;

#if defined(__AVX512F__)
/* Columns become rows: 16 x 16 values of 32 bits. */
static INLINE void
transpose_16(__m512i row[16])
{
	__m512i column[16];

	for (int i = 0; i < 16; i += 4)
	{
		__m512i low01 = _mm512_unpacklo_epi32(row[i], row[i + 1]);
		__m512i high01 = _mm512_unpackhi_epi32(row[i], row[i + 1]);
		__m512i low23 = _mm512_unpacklo_epi32(row[i + 2], row[i + 3]);
		__m512i high23 = _mm512_unpackhi_epi32(row[i + 2], row[i + 3]);

		column[i] = _mm512_unpacklo_epi64(low01, low23);
		column[i + 1] = _mm512_unpackhi_epi64(low01, low23);
		column[i + 2] = _mm512_unpacklo_epi64(high01, high23);
		column[i + 3] = _mm512_unpackhi_epi64(high01, high23);
	}
	for (int c = 0; c < 4; c++)
	{
		__m512i a = _mm512_shuffle_i32x4(column[c], column[4 + c], 0x44);
		__m512i b = _mm512_shuffle_i32x4(column[c], column[4 + c], 0xee);
		__m512i d = _mm512_shuffle_i32x4(column[8 + c], column[12 + c], 0x44);
		__m512i e = _mm512_shuffle_i32x4(column[8 + c], column[12 + c], 0xee);

		row[c] = _mm512_shuffle_i32x4(a, d, 0x88);
		row[4 + c] = _mm512_shuffle_i32x4(a, d, 0xdd);
		row[8 + c] = _mm512_shuffle_i32x4(b, e, 0x88);
		row[12 + c] = _mm512_shuffle_i32x4(b, e, 0xdd);
	}
}

/* Sixteen rows of 64 bytes to sixteen groups. */
static INLINE void
interleave_64(const int8_t *rows, int bias, uint8_t *bytes)
{
	__m512i row[16];

	for (int r = 0; r < 16; r++)
		row[r] = _mm512_loadu_si512(rows + r * RSTAR_INT8_CHUNK);
	transpose_16(row);
	for (int g = 0; g < 16; g++)
		_mm512_store_si512(bytes + g * 64, _mm512_add_epi8(row[g], _mm512_set1_epi8((char) bias)));
}
#elif defined(__AVX2__)
/* 8 x 8 values of 32 bits. */
static INLINE void
transpose_8(__m256i row[8])
{
	__m256i column[8];

	for (int i = 0; i < 8; i += 4)
	{
		__m256i low01 = _mm256_unpacklo_epi32(row[i], row[i + 1]);
		__m256i high01 = _mm256_unpackhi_epi32(row[i], row[i + 1]);
		__m256i low23 = _mm256_unpacklo_epi32(row[i + 2], row[i + 3]);
		__m256i high23 = _mm256_unpackhi_epi32(row[i + 2], row[i + 3]);

		column[i] = _mm256_unpacklo_epi64(low01, low23);
		column[i + 1] = _mm256_unpackhi_epi64(low01, low23);
		column[i + 2] = _mm256_unpacklo_epi64(high01, high23);
		column[i + 3] = _mm256_unpackhi_epi64(high01, high23);
	}
	for (int c = 0; c < 4; c++)
	{
		row[c] = _mm256_permute2x128_si256(column[c], column[4 + c], 0x20);
		row[4 + c] = _mm256_permute2x128_si256(column[c], column[4 + c], 0x31);
	}
}

/* Sixteen rows of 64 bytes to sixteen groups: four squares of 8 rows x 32 bytes. */
static INLINE void
interleave_64(const int8_t *rows, int bias, uint8_t *bytes)
{
	for (int square = 0; square < 4; square++)
	{
		int first = square % 2 * 8, column = square / 2 * 32;
		__m256i row[8];

		for (int r = 0; r < 8; r++)
			row[r] = _mm256_loadu_si256(
				(const __m256i *) (rows + (first + r) * RSTAR_INT8_CHUNK + column));
		transpose_8(row);
		for (int g = 0; g < 8; g++)
			_mm256_store_si256((__m256i *) (bytes + column * 16 + g * 64 + first * 4),
							   _mm256_add_epi8(row[g], _mm256_set1_epi8((char) bias)));
	}
}
#else
static void
interleave_64(const int8_t *rows, int bias, uint8_t *bytes)
{
	(void) bias;
	for (int r = 0; r < 16; r++)
		for (int g = 0; g < 16; g++)
			memcpy(bytes + g * 64 + r * 4, rows + r * RSTAR_INT8_CHUNK + g * 4, 4);
}
#endif

/* Ask for the same columns of a row that comes sixteen rows later, while this panel is at work. */
static INLINE void
ask_for_next(const uint8_t *row, size_t row_bytes, size_t bytes)
{
	const uint8_t *next = row + row_bytes * RSTAR_PANEL_ROWS;

	for (size_t i = 0; i < bytes; i += 64)
		__builtin_prefetch(next + i, 0, 2);
}

/* Fill the panel with columns [from, from + n) of rows [row, row + R). */
static void
fill_int8_panel(const panel *p, const rstar_matrix *w, const type_traits *type, uint32_t row,
				uint32_t R, uint32_t from, uint32_t n)
{
	const rstar_type_info *info = rstar_type_get(w->type);
	size_t offset = (size_t) from / info->block * info->bytes;

	for (uint32_t r = 0; r < R; r++)
	{
		const uint8_t *bytes = rstar_matrix_row(w, row + r) + offset;

		if (row + r + RSTAR_PANEL_ROWS < w->rows)
			ask_for_next(bytes, w->row_bytes, (size_t) n / info->block * info->bytes);
		type->unpack(bytes, n, p->rows + r * RSTAR_INT8_CHUNK, p->scales + r, p->minimums + r);
	}
	for (uint32_t k = 0; k < n; k += 64)
		interleave_64(p->rows + k, byte_bias(type), p->bytes + k * RSTAR_PANEL_ROWS);
}

/* Sixteen columns of a float row; what lies beyond the row's end is 0. */
static INLINE vf
load_weights(const rstar_matrix *w, uint32_t row, uint32_t column)
{
	const uint8_t *bytes = rstar_matrix_row(w, row);
	uint32_t n = w->columns - column;
	uint16_t half[LANES] = {0};

	if (w->type == RSTAR_TYPE_F32)
		return load_up_to((const float *) bytes + column, n, 0);

	const uint16_t *p = (const uint16_t *) bytes + column;

	if (n < LANES)
		p = memcpy(half, p, n * sizeof *p);
	return w->type == RSTAR_TYPE_F16 ? load_f16(p) : load_bf16(p);
}

/*
 * Sixteen rows to columns, so that a kernel reads what it multiplies in one go: one load is
 * the same column of sixteen rows. `out` is aligned to 64 bytes.
 */
static INLINE void
transpose_floats(const vf row[16], float *out)
{
#if defined(__AVX512F__)
	__m512i bits[16];

	for (int r = 0; r < 16; r++)
		bits[r] = _mm512_castps_si512(row[r]);
	transpose_16(bits);
	for (int k = 0; k < 16; k++)
		_mm512_store_si512(out + k * 16, bits[k]);
#elif defined(__AVX2__)
	for (int half = 0; half < 2; half++)
	{
		__m256i low[8], high[8];

		for (int r = 0; r < 8; r++)
		{
			low[r] = _mm256_castps_si256(row[half * 8 + r].low);
			high[r] = _mm256_castps_si256(row[half * 8 + r].high);
		}
		transpose_8(low);
		transpose_8(high);
		for (int k = 0; k < 8; k++)
		{
			_mm256_store_si256((__m256i *) (out + k * 16 + half * 8), low[k]);
			_mm256_store_si256((__m256i *) (out + (k + 8) * 16 + half * 8), high[k]);
		}
	}
#else
	for (int r = 0; r < 16; r++)
		for (int k = 0; k < 16; k++)
			out[k * 16 + r] = row[r].lane[k];
#endif
}

static void
fill_float_panel(const panel *p, const rstar_matrix *w, uint32_t row, uint32_t R, uint32_t from,
				 uint32_t n)
{
	vf rows[16];

	for (uint32_t r = R; r < 16; r++)
		rows[r] = zero();
	for (uint32_t k = 0; k < n; k += LANES)
	{
		for (uint32_t r = 0; r < R; r++)
			rows[r] = load_weights(w, row + r, from + k);
		transpose_floats(rows, p->floats + (size_t) k * RSTAR_PANEL_ROWS);
	}
}

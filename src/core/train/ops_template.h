/*
 * ops_template.h
 *	  The loops of training, written once with the compiler's vectors.
 *
 * ops_portable.c, ops_avx2.c and ops_avx512.c define LANES (floats in a
 * register), FAMILY and TABLE and include this. Sums run in LANES partial sums
 * that are added up in order, so a family has one result for one input. A tail
 * that does not fill a register is loaded with zeros behind it.
 */
#include "core/train/ops.h"

#include <math.h>
#include <string.h>

#define INLINE inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
typedef float vf_loose __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

static INLINE vf
load(const float *p)
{
	return *(const vf_loose *) p;
}

static INLINE void
store(float *p, vf x)
{
	*(vf_loose *) p = x;
}

static INLINE vf
splat(float x)
{
	return (vf){} + x;
}

/* The first n floats, zeros behind them; n may be LANES or more. */
static INLINE vf
load_some(const float *p, size_t n)
{
	float padded[LANES] = {0};

	if (n >= LANES)
		return load(p);
	memcpy(padded, p, n * sizeof(float));
	return load(padded);
}

static INLINE void
store_some(float *p, vf x, size_t n)
{
	float padded[LANES];

	if (n >= LANES)
	{
		store(p, x);
		return;
	}
	store(padded, x);
	memcpy(p, padded, n * sizeof(float));
}

static INLINE float
sum_lanes(vf x)
{
	float lane[LANES];

	store(lane, x);
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

static INLINE vf
select(vi mask, vf yes, vf no)
{
	return (vf) (((vi) yes & mask) | ((vi) no & ~mask));
}

static INLINE vf
larger(vf a, vf b)
{
	return select(a > b, a, b);
}

/*
 * exp, relative error below 2e-7: x = n ln 2 + r, a polynomial in r (its Taylor
 * series to the sixth power), and n into the exponent. Adding 1.5 * 2^23 rounds
 * to an integer and leaves it in the low bits. Below -87 the result is that of
 * -87, about 1e-38; a NaN stays one.
 */
static INLINE vf
exponential(vf x)
{
	const vf magic = splat(12582912.0f);
	vf t, n, r, p;

	x = select(x < -87.0f, splat(-87.0f), x);
	x = select(x > 88.0f, splat(88.0f), x);
	t = x * 1.44269504f + magic;
	n = t - magic;
	r = x - n * 0.693359375f;
	r = r + n * 2.12194440e-4f;
	p = splat(1.0f / 720);
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	return (vf) ((vi) p + (((vi) t - (vi) magic) << 23));
}

/* --- simple loops -------------------------------------------------------------- */

static void
add(float *x, const float *y, size_t n)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		store(x + i, load(x + i) + load(y + i));
	for (; i < n; i++)
		x[i] += y[i];
}

static void
scale(float *x, float by, size_t n)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		store(x + i, load(x + i) * by);
	for (; i < n; i++)
		x[i] *= by;
}

static void
add_scaled(float *x, float by, const float *y, size_t n)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		store(x + i, load(x + i) + load(y + i) * by);
	for (; i < n; i++)
		x[i] += y[i] * by;
}

static void
blend(float *x, float keep, float by, const float *y, size_t n)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		store(x + i, load(x + i) * keep + load(y + i) * by);
	for (; i < n; i++)
		x[i] = x[i] * keep + y[i] * by;
}

static float
dot(const float *x, const float *y, size_t n)
{
	vf sum = splat(0);

	for (size_t i = 0; i < n; i += LANES)
		sum += load_some(x + i, n - i) * load_some(y + i, n - i);
	return sum_lanes(sum);
}

/* In floats over 1,024 elements, in double beyond. */
static double
sum_squares(const float *x, size_t n)
{
	double total = 0;

	for (size_t first = 0; first < n; first += 1024)
	{
		size_t count = n - first < 1024 ? n - first : 1024;

		total += (double) dot(x + first, x + first, count);
	}
	return total;
}

/* --- RMS norm (Zhang, Sennrich 2019) --------------------------------------------- */

static void
norm_again(const float *x, const float *weight, uint32_t n, float r, float *out)
{
	for (uint32_t i = 0; i < n; i += LANES)
		store_some(out + i, load_some(x + i, n - i) * r * load_some(weight + i, n - i), n - i);
}

static float
norm_forward(const float *x, const float *weight, uint32_t n, float eps, float *out)
{
	float r = 1.0f / sqrtf(dot(x, x, n) / (float) n + eps);

	norm_again(x, weight, n, r, out);
	return r;
}

/* With y = x r and g = dout weight: dx = r (g - y mean(g y)), dweight = dout y. */
static void
norm_backward(const float *x, const float *weight, float r, const float *dout, uint32_t n,
			  float *dx, float *dweight)
{
	vf sum = splat(0);
	float mean;

	for (uint32_t i = 0; i < n; i += LANES)
		sum += load_some(dout + i, n - i) * load_some(weight + i, n - i) * load_some(x + i, n - i);
	mean = sum_lanes(sum) * r / (float) n;
	for (uint32_t i = 0; i < n; i += LANES)
	{
		vf d = load_some(dout + i, n - i);
		vf y = load_some(x + i, n - i) * r;
		vf g = d * load_some(weight + i, n - i);

		store_some(dx + i, load_some(dx + i, n - i) + r * (g - y * mean), n - i);
		if (dweight)
			store_some(dweight + i, load_some(dweight + i, n - i) + d * y, n - i);
	}
}

/* --- SwiGLU (Shazeer 2020) --------------------------------------------------------- */

static void
swiglu_forward(const float *gate_up, uint32_t F, float *out)
{
	for (uint32_t i = 0; i < F; i += LANES)
	{
		vf gate = load_some(gate_up + i, F - i);
		vf up = load_some(gate_up + F + i, F - i);

		store_some(out + i, gate / (1.0f + exponential(-gate)) * up, F - i);
	}
}

/* With s = sigmoid(gate): silu' = s (1 + gate (1 - s)). */
static void
swiglu_backward(const float *gate_up, const float *dout, uint32_t F, float *dgate_up, float *out)
{
	for (uint32_t i = 0; i < F; i += LANES)
	{
		vf gate = load_some(gate_up + i, F - i);
		vf up = load_some(gate_up + F + i, F - i);
		vf d = load_some(dout + i, F - i);
		vf s = 1.0f / (1.0f + exponential(-gate));
		vf silu = gate * s;

		store_some(out + i, silu * up, F - i);
		store_some(dgate_up + i, d * up * s * (1.0f + gate * (1.0f - s)), F - i);
		store_some(dgate_up + F + i, d * silu, F - i);
	}
}

/* --- rope (Su et al. 2021) ---------------------------------------------------------- */

static void
rope(float *head, const float *cos, const float *sin, uint32_t pairs, bool neox, bool back)
{
	float sign = back ? -1.0f : 1.0f;
	uint32_t i = 0;

	for (; neox && i + LANES <= pairs; i += LANES)
	{
		vf a = load(head + i), b = load(head + pairs + i);
		vf c = load(cos + i), s = load(sin + i) * sign;

		store(head + i, a * c - b * s);
		store(head + pairs + i, b * c + a * s);
	}
	for (; i < pairs; i++)
	{
		float *a = head + (neox ? i : 2 * i);
		float *b = neox ? a + pairs : a + 1;
		float x = *a, y = *b;

		*a = x * cos[i] - y * sin[i] * sign;
		*b = y * cos[i] + x * sin[i] * sign;
	}
}

/* --- small products, for attention --------------------------------------------------- */

/* c [ROWS][VECTORS * LANES] (+)= a b; a is read element by element. */
static INLINE void
small_tile(const int rows, const int vectors, uint32_t k, const float *a, size_t a_row, size_t a_k,
		   const float *b, size_t ldb, float *c, size_t ldc, bool plus)
{
	vf sum[6][4];

	for (int r = 0; r < rows; r++)
		for (int v = 0; v < vectors; v++)
			sum[r][v] = plus ? load(c + (size_t) r * ldc + v * LANES) : splat(0);
	for (uint32_t i = 0; i < k; i++)
		for (int v = 0; v < vectors; v++)
		{
			vf right = load(b + i * ldb + v * LANES);

			for (int r = 0; r < rows; r++)
				sum[r][v] += a[(size_t) r * a_row + i * a_k] * right;
		}
	for (int r = 0; r < rows; r++)
		for (int v = 0; v < vectors; v++)
			store(c + (size_t) r * ldc + v * LANES, sum[r][v]);
}

/* As many columns as VECTORS says, all rows. */
#define SMALL_COLUMNS(VECTORS)                                                                     \
	do                                                                                             \
	{                                                                                              \
		uint32_t row = 0;                                                                          \
                                                                                                   \
		for (; row + SMALL_ROWS <= m; row += SMALL_ROWS)                                           \
			small_tile(SMALL_ROWS, VECTORS, k, a + row * a_row, a_row, a_k, b + column, ldb,       \
					   c + row * ldc + column, ldc, plus);                                         \
		for (; LANES == 16 && row + 4 <= m; row += 4)                                              \
			small_tile(4, VECTORS, k, a + row * a_row, a_row, a_k, b + column, ldb,                \
					   c + row * ldc + column, ldc, plus);                                         \
		for (; row + 2 <= m; row += 2)                                                             \
			small_tile(2, VECTORS, k, a + row * a_row, a_row, a_k, b + column, ldb,                \
					   c + row * ldc + column, ldc, plus);                                         \
		for (; row < m; row++)                                                                     \
			small_tile(1, VECTORS, k, a + row * a_row, a_row, a_k, b + column, ldb,                \
					   c + row * ldc + column, ldc, plus);                                         \
		column += (VECTORS) *LANES;                                                                \
	} while (0)

#define SMALL_ROWS (LANES == 16 ? 6 : 3)

/*
 * c [m][n] (+)= a b with b [k][n]; element (row, i) of a at row * a_row + i * a_k,
 * so a may be transposed. n is a multiple of LANES.
 */
static void
small_product(uint32_t m, uint32_t n, uint32_t k, const float *a, size_t a_row, size_t a_k,
			  const float *b, size_t ldb, float *c, size_t ldc, bool plus)
{
	uint32_t column = 0;

	while (column + 4 * LANES <= n)
		SMALL_COLUMNS(4);
	while (column + 2 * LANES <= n)
		SMALL_COLUMNS(2);
	while (column < n)
		SMALL_COLUMNS(1);
}

/* --- attention ------------------------------------------------------------------------- */

#define QUERIES 24u /* queries of one block; a multiple of SMALL_ROWS */
#define PAD     16u /* keys and head dimensions are padded to multiples of this */

static INLINE uint32_t
padded(uint32_t n)
{
	return (n + PAD - 1) / PAD * PAD;
}

/* Scratch of one head group; see rstar_train_attention_scratch(). */
typedef struct attention_memory
{
	uint32_t keys, width;      /* T and D, padded */
	float *k_rows, *k_columns; /* [keys][width], [width][keys] */
	float *v_rows, *v_columns;
	float *dk, *dv;          /* [keys][width] */
	float *scores, *dscores; /* [QUERIES][keys] */
	float *rows[3];          /* [QUERIES][width]: q, dout, dq */
} attention_memory;

static attention_memory
lay_out(const rstar_train_attention *a)
{
	attention_memory m = {.keys = padded(a->T), .width = padded(a->head_dim)};
	size_t matrix = (size_t) m.keys * m.width;
	float *at = a->scratch;

	m.k_rows = at;
	m.k_columns = at + matrix;
	m.v_rows = at + 2 * matrix;
	m.v_columns = at + 3 * matrix;
	m.dk = at + 4 * matrix;
	m.dv = at + 5 * matrix;
	m.scores = at + 6 * matrix;
	m.dscores = m.scores + (size_t) QUERIES * m.keys;
	for (int i = 0; i < 3; i++)
		m.rows[i] = m.dscores + (size_t) QUERIES * m.keys + (size_t) i * QUERIES * m.width;
	return m;
}

/* Rows of a head, padded with zeros on both sides. */
static void
copy_rows(const float *from, size_t stride, uint32_t n, uint32_t head_dim, uint32_t rows,
		  uint32_t width, float *to)
{
	for (uint32_t t = 0; t < rows; t++)
	{
		float *row = to + (size_t) t * width;

		if (t < n)
			memcpy(row, from + t * stride, head_dim * sizeof *row);
		else
			memset(row, 0, head_dim * sizeof *row);
		memset(row + head_dim, 0, (width - head_dim) * sizeof *row);
	}
}

static void
transpose(const float *rows, uint32_t n, uint32_t width, float *columns)
{
	const uint32_t tile = 8; /* lines of both sides that stay in the first cache */

	for (uint32_t first = 0; first < n; first += tile)
		for (uint32_t begin = 0; begin < width; begin += tile)
			for (uint32_t d = begin; d < begin + tile; d++)
				for (uint32_t t = first; t < first + tile; t++)
					columns[(size_t) d * n + t] = rows[(size_t) t * width + d];
}

/* The scratch of a head group, with its keys and values, and the keys' columns, in place. */
static attention_memory
begin_attention(const rstar_train_attention *a)
{
	attention_memory m = lay_out(a);

	copy_rows(a->k, a->stride, a->T, a->head_dim, m.keys, m.width, m.k_rows);
	transpose(m.k_rows, m.keys, m.width, m.k_columns);
	copy_rows(a->v, a->stride, a->T, a->head_dim, m.keys, m.width, m.v_rows);
	return m;
}

/* Keys that a block of queries may see: [*first, *end), both multiples of PAD. */
static void
visible(const rstar_train_attention *a, uint32_t query, uint32_t n, uint32_t *first, uint32_t *end)
{
	*end = padded(query + n);
	*first = 0;
	if (a->window > 0 && query + 1 > a->window)
		*first = (query + 1 - a->window) / PAD * PAD;
}

/* Scores of a block of queries, scaled; what must not be seen is -infinity. */
static void
score_block(const rstar_train_attention *a, const attention_memory *m, uint32_t query, uint32_t n,
			uint32_t first, uint32_t end)
{
	small_product(n, end - first, m->width, m->rows[0], m->width, 1, m->k_columns + first, m->keys,
				  m->scores + first, m->keys, false);
	for (uint32_t i = 0; i < n; i++)
	{
		float *row = m->scores + (size_t) i * m->keys;
		uint32_t last = query + i;

		for (uint32_t j = first; j < end; j += LANES)
			store(row + j, load(row + j) * a->scale);
		for (uint32_t j = last + 1; j < end; j++)
			row[j] = -INFINITY;
		if (a->window > 0)
			for (uint32_t j = first; j + a->window <= last; j++)
				row[j] = -INFINITY;
	}
}

/* Softmax of one row in place; returns the log of its sum. */
static float
softmax_row(float *row, uint32_t first, uint32_t end)
{
	vf most = load(row + first), sum = splat(0);
	float lanes[LANES], largest, total;

	for (uint32_t j = first + LANES; j < end; j += LANES)
		most = larger(load(row + j), most);
	store(lanes, most);
	largest = lanes[0];
	for (int i = 1; i < LANES; i++)
		largest = lanes[i] > largest ? lanes[i] : largest;
	for (uint32_t j = first; j < end; j += LANES)
	{
		vf x = load(row + j);
		vf e = select(x == -INFINITY, splat(0), exponential(x - largest));

		sum += e;
		store(row + j, e);
	}
	total = sum_lanes(sum);
	for (uint32_t j = first; j < end; j += LANES)
		store(row + j, load(row + j) / total);
	return largest + logf(total);
}

static void
attention_forward(const rstar_train_attention *a)
{
	attention_memory m = begin_attention(a);

	for (uint32_t head = 0; head < a->n_group; head++)
		for (uint32_t query = 0; query < a->T; query += QUERIES)
		{
			uint32_t n = a->T - query < QUERIES ? a->T - query : QUERIES;
			uint32_t first, end;

			visible(a, query, n, &first, &end);
			copy_rows(a->q + head * a->head_dim + query * a->stride, a->stride, n, a->head_dim, n,
					  m.width, m.rows[0]);
			score_block(a, &m, query, n, first, end);
			for (uint32_t i = 0; i < n; i++)
				a->lse[(size_t) head * a->T + query + i] =
					softmax_row(m.scores + (size_t) i * m.keys, first, end);
			small_product(n, m.width, end - first, m.scores + first, m.keys, 1,
						  m.v_rows + (size_t) first * m.width, m.width, m.rows[1], m.width, false);
			for (uint32_t i = 0; i < n; i++)
				memcpy(a->out + head * a->head_dim + (query + i) * a->out_stride,
					   m.rows[1] + (size_t) i * m.width, a->head_dim * sizeof(float));
		}
}

/*
 * With P the softmax and dP = dout V^T: dS = P (dP - rowsum(dout out)) scale,
 * dV += P^T dout, dQ = dS K, dK += dS^T Q (Dao et al. 2022, arXiv 2205.14135,
 * appendix B). Turns scores into P and dscores into dS.
 */
static void
backward_scores(const rstar_train_attention *a, const attention_memory *m, uint32_t head,
				uint32_t query, uint32_t n, uint32_t first, uint32_t end)
{
	for (uint32_t i = 0; i < n; i++)
	{
		float *p = m->scores + (size_t) i * m->keys;
		float *ds = m->dscores + (size_t) i * m->keys;
		float lse = a->lse[(size_t) head * a->T + query + i];
		size_t at = head * a->head_dim + (query + i) * a->out_stride;
		float along = dot(a->dout + at, a->out + at, a->head_dim);

		for (uint32_t j = first; j < end; j += LANES)
		{
			vf x = load(p + j);
			vf share = select(x == -INFINITY, splat(0), exponential(x - lse));

			store(p + j, share);
			store(ds + j, share * (load(ds + j) - along) * a->scale);
		}
	}
}

static void
backward_block(const rstar_train_attention *a, const attention_memory *m, uint32_t head,
			   uint32_t query, uint32_t n)
{
	uint32_t first, end;

	visible(a, query, n, &first, &end);
	copy_rows(a->q + head * a->head_dim + query * a->stride, a->stride, n, a->head_dim, n, m->width,
			  m->rows[0]);
	copy_rows(a->dout + head * a->head_dim + query * a->out_stride, a->out_stride, n, a->head_dim,
			  n, m->width, m->rows[1]);
	score_block(a, m, query, n, first, end);
	small_product(n, end - first, m->width, m->rows[1], m->width, 1, m->v_columns + first, m->keys,
				  m->dscores + first, m->keys, false);
	backward_scores(a, m, head, query, n, first, end);
	small_product(end - first, m->width, n, m->scores + first, 1, m->keys, m->rows[1], m->width,
				  m->dv + (size_t) first * m->width, m->width, true);
	small_product(end - first, m->width, n, m->dscores + first, 1, m->keys, m->rows[0], m->width,
				  m->dk + (size_t) first * m->width, m->width, true);
	small_product(n, m->width, end - first, m->dscores + first, m->keys, 1,
				  m->k_rows + (size_t) first * m->width, m->width, m->rows[2], m->width, false);
	for (uint32_t i = 0; i < n; i++)
		memcpy(a->dq + head * a->head_dim + (query + i) * a->stride,
			   m->rows[2] + (size_t) i * m->width, a->head_dim * sizeof(float));
}

static void
attention_backward(const rstar_train_attention *a)
{
	attention_memory m = begin_attention(a);

	transpose(m.v_rows, m.keys, m.width, m.v_columns);
	memset(m.dk, 0, (size_t) m.keys * m.width * sizeof(float));
	memset(m.dv, 0, (size_t) m.keys * m.width * sizeof(float));
	for (uint32_t head = 0; head < a->n_group; head++)
		for (uint32_t query = 0; query < a->T; query += QUERIES)
			backward_block(a, &m, head, query, a->T - query < QUERIES ? a->T - query : QUERIES);
	for (uint32_t t = 0; t < a->T; t++)
	{
		memcpy(a->dk + t * a->stride, m.dk + (size_t) t * m.width, a->head_dim * sizeof(float));
		memcpy(a->dv + t * a->stride, m.dv + (size_t) t * m.width, a->head_dim * sizeof(float));
	}
}

/* --- cross-entropy ------------------------------------------------------------------------ */

static float
largest_of(const float *x, uint32_t n)
{
	float largest = x[0];

	for (uint32_t i = 1; i < n; i++)
		largest = x[i] > largest ? x[i] : largest;
	return largest;
}

/* Sum of exp(x - largest); into out too if that is not NULL. */
static double
sum_exponentials(const float *x, uint32_t n, float largest, float *out)
{
	double total = 0;

	for (uint32_t first = 0; first < n; first += 1024)
	{
		uint32_t end = n - first < 1024 ? n : first + 1024;
		vf sum = splat(0);
		uint32_t i = first;

		for (; i + LANES <= end; i += LANES)
		{
			vf e = exponential(load(x + i) - largest);

			sum += e;
			if (out)
				store(out + i, e);
		}
		total += (double) sum_lanes(sum);
		for (; i < end; i++)
		{
			float e = expf(x[i] - largest);

			total += (double) e;
			if (out)
				out[i] = e;
		}
	}
	return total;
}

static double
cross_entropy(float *logits, uint32_t V, uint32_t target, float by)
{
	float largest = largest_of(logits, V);
	double chosen = (double) logits[target] - (double) largest;
	double total = sum_exponentials(logits, V, largest, logits);

	scale(logits, (float) ((double) by / total), V);
	logits[target] -= by;
	return log(total) - chosen;
}

static double
cross_entropy_only(const float *logits, uint32_t V, uint32_t target)
{
	float largest = largest_of(logits, V);

	return log(sum_exponentials(logits, V, largest, NULL)) -
		   ((double) logits[target] - (double) largest);
}

/* --- AdamW ---------------------------------------------------------------------------------- */

static void
adamw(const rstar_adamw_step *s, float *x, const float *gradient, float *m, float *v, size_t n)
{
	float keep = 1.0f - s->rate * s->decay;
	float rate = s->rate / s->correction1;
	float root = sqrtf(s->correction2);

	for (size_t i = 0; i < n; i++)
	{
		float g = gradient[i] * s->gradient_scale;

		m[i] = m[i] + (1.0f - s->beta1) * (g - m[i]);
		v[i] = s->beta2 * v[i] + (1.0f - s->beta2) * g * g;
		x[i] = x[i] * keep - rate * m[i] / (sqrtf(v[i]) / root + s->epsilon);
	}
}

const rstar_train_ops TABLE = {
	.family = FAMILY,
	.norm_forward = norm_forward,
	.norm_again = norm_again,
	.norm_backward = norm_backward,
	.swiglu_forward = swiglu_forward,
	.swiglu_backward = swiglu_backward,
	.rope = rope,
	.attention_forward = attention_forward,
	.attention_backward = attention_backward,
	.cross_entropy = cross_entropy,
	.cross_entropy_only = cross_entropy_only,
	.add = add,
	.scale = scale,
	.add_scaled = add_scaled,
	.blend = blend,
	.dot = dot,
	.sum_squares = sum_squares,
	.adamw = adamw,
};

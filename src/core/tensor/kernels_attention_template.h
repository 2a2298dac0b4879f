/*
 * kernels_attention_template.h
 *	  Softmax attention of tokens that share the beginning of their paths.
 *
 * Included by kernels_template.h, compiled once per family. A query row is one
 * head of one token. The rows of all tokens go through the shared runs together, so
 * that keys and values are converted to floats once for several rows; then each token
 * goes through its own runs. Per row the order is the same either way: a score is one
 * chain over the elements of the head, an output element one chain over positions.
 */

#if defined(__AVX512F__)
#define SCORE_ROWS  8 /* query rows scored together */
#define VALUE_ROWS  4 /* query rows whose values are summed together */
#define VALUE_PARTS 4 /* vectors of each row's output that fit beside each other */
#else
#define SCORE_ROWS  4
#define VALUE_ROWS  4
#define VALUE_PARTS 1
#endif

typedef struct query_row
{
	const float *q;
	float *scores; /* of positions [base, limit), which are the same for all rows */
	float *out;
	uint32_t first, end;
	uint32_t base, limit;
} query_row;

static INLINE vf
load_kv(const uint8_t *p, bool f16)
{
	return f16 ? load_f16((const uint16_t *) p) : load((const float *) p);
}

/* Scores of n rows against one run: sixteen positions side by side. */
static INLINE void
score_run(const rstar_attention *a, const rstar_attention_run *run, const query_row *row, int n,
		  bool f16)
{
	const uint8_t *k = run->block + a->k_offset;
	uint32_t step = RSTAR_KV_BLOCK * (f16 ? 2 : 4);
	vf dot[SCORE_ROWS];

	for (int i = 0; i < n; i++)
		dot[i] = zero();
	for (uint32_t d = 0; d < a->head_dim; d++, k += step)
	{
		vf keys = load_kv(k, f16);

		for (int i = 0; i < n; i++)
			dot[i] = multiply_add(splat(row[i].q[d]), keys, dot[i]);
	}
	for (int i = 0; i < n; i++)
		store(row[i].scores + (run->position - row[i].base), times(dot[i], splat(a->scale)));
}

/* Add a run's values, from column on, to the sums of n rows. */
static INLINE void
add_run(const rstar_attention *a, const rstar_attention_run *run, const query_row *row, int n,
		uint32_t column, int parts, vf sum[VALUE_ROWS][VALUE_PARTS], bool f16)
{
	uint32_t element = f16 ? 2 : 4;
	const uint8_t *v = run->block + a->v_offset + column * element;
	uint32_t at = run->position - row[0].base;
	uint32_t left = row[0].limit - run->position;
	uint32_t count = run->count < left ? run->count : left;

	for (uint32_t p = 0; p < count; p++, v += a->v_stride)
	{
		vf values[VALUE_PARTS];

		for (int j = 0; j < parts; j++)
			values[j] = load_kv(v + (uint32_t) j * LANES * element, f16);
		for (int i = 0; i < n; i++)
		{
			vf weight = splat(row[i].scores[at + p]);

			for (int j = 0; j < parts; j++)
				sum[i][j] = multiply_add(weight, values[j], sum[i][j]);
		}
	}
}

/* The runs [from, end) of n rows; `resume`: on top of what is in out. */
static INLINE void
sum_values(const rstar_attention *a, const rstar_attention_run *runs, uint32_t from, uint32_t end,
		   bool resume, const query_row *row, int n, uint32_t column, int parts, bool f16)
{
	vf sum[VALUE_ROWS][VALUE_PARTS];

	for (int i = 0; i < n; i++)
		for (int j = 0; j < parts; j++)
			sum[i][j] = resume ? load(row[i].out + column + j * LANES) : zero();
	for (uint32_t r = from; r < end; r++)
		add_run(a, &runs[r], row, n, column, parts, sum, f16);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < parts; j++)
			store(row[i].out + column + j * LANES, sum[i][j]);
}

/*
 * Runs [from, end) of one path for n query rows. `resume`: values are added to what
 * is in out.
 */
typedef struct row_batch
{
	const rstar_attention *a;
	const rstar_attention_run *runs;
	uint32_t from, end;
	bool resume;
} row_batch;

static INLINE void
score_rows(const row_batch *b, const query_row *row, int n, bool f16)
{
	for (uint32_t r = b->from; r < b->end; r++)
		score_run(b->a, &b->runs[r], row, n, f16);
}

static INLINE void
value_rows(const row_batch *b, const query_row *row, int n, bool f16)
{
	uint32_t column = 0;

	for (; column + VALUE_PARTS * LANES <= b->a->head_dim; column += VALUE_PARTS * LANES)
		sum_values(b->a, b->runs, b->from, b->end, b->resume, row, n, column, VALUE_PARTS, f16);
	for (; VALUE_PARTS > 1 && column < b->a->head_dim; column += LANES)
		sum_values(b->a, b->runs, b->from, b->end, b->resume, row, n, column, 1, f16);
}

/* A function that takes any number of rows: `most` at a time, then four, two, one. */
#define DEFINE_ROWS(name, rows, most, f16)                                                         \
	static __attribute__((noinline)) void name(const row_batch *b, const query_row *row,           \
											   uint32_t n)                                         \
	{                                                                                              \
		for (; most > 4 && n >= most; n -= most, row += most)                                      \
			rows(b, row, most, f16);                                                               \
		for (; n >= 4; n -= 4, row += 4)                                                           \
			rows(b, row, 4, f16);                                                                  \
		for (; n >= 2; n -= 2, row += 2)                                                           \
			rows(b, row, 2, f16);                                                                  \
		for (; n >= 1; n--, row++)                                                                 \
			rows(b, row, 1, f16);                                                                  \
	}

DEFINE_ROWS(score_f32, score_rows, SCORE_ROWS, false)
DEFINE_ROWS(score_f16, score_rows, SCORE_ROWS, true)
DEFINE_ROWS(values_f32, value_rows, VALUE_ROWS, false)
DEFINE_ROWS(values_f16, value_rows, VALUE_ROWS, true)

typedef void (*rows_function)(const row_batch *b, const query_row *row, uint32_t n);

/* Scores of one row to weights that sum to 1; 0 from base to first and from end to limit. */
static void
softmax(const query_row *row)
{
	float *scores = row->scores + (row->first - row->base);
	uint32_t n = row->end - row->first;
	uint32_t padded = (n + LANES - 1) & ~(LANES - 1u);
	vf greatest = splat(-INFINITY), sum = zero();

	for (uint32_t i = n; i < padded; i++)
		scores[i] = -INFINITY;
	for (uint32_t i = 0; i < padded; i += LANES)
		greatest = greater(greatest, load(scores + i));

	vf largest = splat(largest_lane(greatest));

	for (uint32_t i = 0; i < padded; i += LANES)
	{
		vf weight = exponential(minus(load(scores + i), largest));

		store(scores + i, weight);
		sum = plus(sum, weight);
	}

	vf inverse = splat(1.0f / sum_lanes(sum));

	for (uint32_t i = 0; i < padded; i += LANES)
		store(scores + i, times(load(scores + i), inverse));
	memset(row->scores, 0, (row->first - row->base) * sizeof(float));
	memset(scores + n, 0, (row->limit - row->end) * sizeof(float));
}

/* The query rows of all tokens, and the first shared run that one of them reads. */
static uint32_t
lay_rows(const rstar_attention *a, query_row *row)
{
	const rstar_attention_run *runs = a->tokens[0].runs;
	uint32_t first = a->tokens[0].first, limit = 0, from = 0;

	for (uint32_t t = 0; t < a->n_tokens; t++)
	{
		first = a->tokens[t].first < first ? a->tokens[t].first : first;
		limit = a->tokens[t].end > limit ? a->tokens[t].end : limit;
	}
	while (from < a->shared && runs[from].position + runs[from].count <= first)
		from++;

	/* A run that holds position `first` begins less than a block before it. */
	uint32_t base = first > RSTAR_KV_BLOCK ? first - RSTAR_KV_BLOCK : 0;
	size_t width = rstar_attention_scratch(limit - base);

	for (uint32_t t = 0; t < a->n_tokens; t++)
		for (uint32_t g = 0; g < a->n_group; g++, row++)
		{
			const rstar_attention_token *token = &a->tokens[t];

			*row = (query_row){.q = token->q + g * a->head_dim,
							   .scores = a->scores + (t * a->n_group + g) * width,
							   .out = token->out + g * a->head_dim,
							   .first = token->first,
							   .end = token->end,
							   .base = base,
							   .limit = limit};
		}
	return from;
}

/* A token's runs behind the shared ones that hold positions [first, end). */
static row_batch
own_runs(const rstar_attention *a, const rstar_attention_token *token)
{
	row_batch own = {a, token->runs, a->shared, token->n_runs, true};

	while (own.end > own.from && token->runs[own.end - 1].position >= token->end)
		own.end--;
	while (own.from < own.end &&
		   token->runs[own.from].position + token->runs[own.from].count <= token->first)
		own.from++;
	return own;
}

/* The shared runs for all rows together, then each token's own for its rows. */
static void
over_runs(const rstar_attention *a, const query_row *row, uint32_t from, rows_function rows)
{
	row_batch shared = {a, a->tokens[0].runs, from, a->shared, false};

	rows(&shared, row, a->n_tokens * a->n_group);
	for (uint32_t t = 0; t < a->n_tokens; t++)
	{
		row_batch own = own_runs(a, &a->tokens[t]);

		if (own.from < own.end)
			rows(&own, row + t * a->n_group, a->n_group);
	}
}

static void
attention(const rstar_attention *a, rows_function score, rows_function values)
{
	query_row row[RSTAR_ATTENTION_ROWS];
	uint32_t from = lay_rows(a, row);

	over_runs(a, row, from, score);
	for (uint32_t r = 0; r < a->n_tokens * a->n_group; r++)
		softmax(&row[r]);
	over_runs(a, row, from, values);
}

static void
attention_f32(const rstar_attention *a)
{
	attention(a, score_f32, values_f32);
}

static void
attention_f16(const rstar_attention *a)
{
	attention(a, score_f16, values_f16);
}

/*
 * gemm.c
 *	  The driver of matrix products: blocks, packing, threads.
 *
 * B is packed in pieces of at most K_BLOCK rows and N_BLOCK columns, by all
 * threads together; then each thread takes rows of C, packs those of A, and
 * multiplies. So B is packed once, A once per piece of B, and both are read
 * from the caches nearby: a panel of A fits the first level, a piece's rows of A
 * the second. K is walked in blocks of RSTAR_GEMM_KC in ascending order whatever
 * the pieces are, so every element has one order of summation.
 */
#include "core/train/gemm.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/train/blas.h"
#include "core/train/gemm_kernel.h"

#define K_BLOCK     1024u                        /* of packed B; a multiple of RSTAR_GEMM_KC */
#define N_BLOCK     3072u                        /* of packed B; a multiple of every nr */
#define ROWS        ((uint32_t) RSTAR_GEMM_ROWS) /* of C, in one block of work */
#define BLAS_ROWS   128u
#define MAX_THREADS 256
#define K_PIECES    (K_BLOCK / RSTAR_GEMM_KC)
#define MIN_NR      8u
#define ALIGNMENT   64u

struct rstar_gemm
{
	const rstar_allocator *allocator;
	rstar_pool *pool;
	const rstar_gemm_kernel *kernel; /* NULL: OpenBLAS */
	rstar_blas_sgemm sgemm;
	void *memory; /* what was allocated; the rest points into it, aligned */
	size_t bytes;
	uint8_t *packed_b; /* [panel][K_BLOCK][nr] */
	float *b_scales;   /* [panel][K_PIECES] */
	uint8_t *packed_a; /* per thread: [ROWS / mr][KC][mr], then its scales */
	size_t a_stride;   /* bytes per thread */
};

/* The call at hand: a piece of the whole. */
typedef struct piece
{
	rstar_gemm *gemm;
	const rstar_gemm_call *call;
	uint32_t first_k, k;
	uint32_t first_n, n;
} piece;

static const rstar_gemm_kernel *const kernels[] = {
	&rstar_gemm_portable,
#if defined(__x86_64__)
	&rstar_gemm_avx2,     &rstar_gemm_avx512,
#endif
	&rstar_gemm_bf16,     &rstar_gemm_f16,    &rstar_gemm_amx,
};

#define N_KERNELS (sizeof kernels / sizeof *kernels)

static const char blas_name[] = "openblas";

#define TURNS 5 /* of each kernel, when the fastest is chosen */

/* --- the pieces -------------------------------------------------------------- */

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Element (line, k) of a matrix whose rows lie ld apart: each row is a line, or a step of k. */
static rstar_gemm_source
source_of(const float *matrix, size_t ld, bool row_is_line, uint32_t line, uint32_t k)
{
	size_t line_step = row_is_line ? ld : 1, k_step = row_is_line ? 1 : ld;

	return (rstar_gemm_source){matrix + line * line_step + k * k_step, line_step, k_step};
}

static void
pack_panel(void *arg, uint32_t panel, uint32_t thread)
{
	const piece *p = arg;
	const rstar_gemm_call *call = p->call;
	const rstar_gemm_kernel *kernel = p->gemm->kernel;
	uint32_t line = p->first_n + panel * kernel->nr;
	uint32_t lines = smaller(kernel->nr, p->n - panel * kernel->nr);

	(void) thread;
	for (uint32_t k = 0; k < p->k; k += RSTAR_GEMM_KC)
	{
		uint8_t *out =
			p->gemm->packed_b + ((size_t) panel * K_BLOCK + k) * kernel->nr * kernel->b_bytes;
		rstar_gemm_source source =
			source_of(call->b, call->ldb, call->form == RSTAR_GEMM_NT, line, p->first_k + k);

		kernel->pack(&source, false, lines, smaller(RSTAR_GEMM_KC, p->k - k), out,
					 p->gemm->b_scales + panel * K_PIECES + k / RSTAR_GEMM_KC);
	}
}

/* Rows of A in their panels, `a_panel` bytes apart, and their scales. */
static void
pack_rows(const rstar_gemm_kernel *kernel, const rstar_gemm_source *source, uint32_t rows,
		  uint32_t k, uint8_t *a, size_t a_panel, float *scales)
{
	if (source->line_step == 1 && kernel->pack_columns)
	{
		kernel->pack_columns(source, rows, k, a, a_panel, scales);
		return;
	}
	for (uint32_t row = 0; row < rows; row += kernel->mr)
	{
		rstar_gemm_source panel = *source;

		panel.data += row * source->line_step;
		kernel->pack(&panel, true, smaller(kernel->mr, rows - row), k,
					 a + row / kernel->mr * a_panel, scales + row);
	}
}

/* One tile at the edge of C: computed beside it, then the part inside is added. */
static void
edge_tile(const rstar_gemm_kernel *kernel, uint32_t k, const void *a, const float *a_scales,
		  const void *b, const float *b_scales, uint32_t rows, uint32_t columns, float *c,
		  size_t ldc, bool add)
{
	float beside[RSTAR_GEMM_MAX_MR * RSTAR_GEMM_MAX_NR];

	for (uint32_t r = 0; r < kernel->mr; r++)
		for (uint32_t j = 0; j < kernel->nr; j++)
			beside[r * kernel->nr + j] = add && r < rows && j < columns ? c[r * ldc + j] : 0.0f;
	kernel->tile(k, a, a_scales, b, b_scales, beside, kernel->nr, add);
	for (uint32_t r = 0; r < rows; r++)
		memcpy(c + r * ldc, beside + r * kernel->nr, columns * sizeof *c);
}

/* All columns of the piece for the packed rows [row, row + rows) and one block of k. */
static void
multiply_rows(const piece *p, const uint8_t *a, const float *a_scales, uint32_t row, uint32_t rows,
			  uint32_t first_k, uint32_t k)
{
	const rstar_gemm_kernel *kernel = p->gemm->kernel;
	bool add = p->call->add || p->first_k + first_k > 0;
	size_t a_panel = (size_t) RSTAR_GEMM_KC * kernel->mr * kernel->a_bytes;

	for (uint32_t j = 0; j < p->n; j += kernel->nr)
	{
		uint32_t panel = j / kernel->nr;
		const uint8_t *b =
			p->gemm->packed_b + ((size_t) panel * K_BLOCK + first_k) * kernel->nr * kernel->b_bytes;
		const float *b_scales = p->gemm->b_scales + panel * K_PIECES + first_k / RSTAR_GEMM_KC;

		for (uint32_t i = 0; i < rows; i += kernel->mr)
		{
			float *c = p->call->c + (size_t) (row + i) * p->call->ldc + p->first_n + j;
			const uint8_t *panel_a = a + i / kernel->mr * a_panel;

			if (rows - i >= kernel->mr && p->n - j >= kernel->nr)
				kernel->tile(k, panel_a, a_scales + i, b, b_scales, c, p->call->ldc, add);
			else
				edge_tile(kernel, k, panel_a, a_scales + i, b, b_scales,
						  smaller(kernel->mr, rows - i), smaller(kernel->nr, p->n - j), c,
						  p->call->ldc, add);
		}
	}
}

/* ROWS rows of C, all of the piece. */
static void
multiply_block(void *arg, uint32_t block, uint32_t thread)
{
	const piece *p = arg;
	const rstar_gemm_call *call = p->call;
	const rstar_gemm_kernel *kernel = p->gemm->kernel;
	uint8_t *a = p->gemm->packed_a + thread * p->gemm->a_stride;
	size_t a_panel = (size_t) RSTAR_GEMM_KC * kernel->mr * kernel->a_bytes;
	float *scales = (float *) (void *) (a + ROWS / kernel->mr * a_panel);
	uint32_t row = block * ROWS;
	uint32_t rows = smaller(ROWS, call->m - row);

	if (kernel->begin)
		kernel->begin();
	for (uint32_t k = 0; k < p->k; k += RSTAR_GEMM_KC)
	{
		uint32_t length = smaller(RSTAR_GEMM_KC, p->k - k);
		rstar_gemm_source source =
			source_of(call->a, call->lda, call->form != RSTAR_GEMM_TN, row, p->first_k + k);

		pack_rows(kernel, &source, rows, length, a, a_panel, scales);
		multiply_rows(p, a, scales, row, rows, k, length);
	}
	if (kernel->end)
		kernel->end();
}

/* BLAS_ROWS rows of C, all of their columns. */
static void
blas_block(const rstar_gemm *gemm, const rstar_gemm_call *call, uint32_t row)
{
	bool transposed = call->form == RSTAR_GEMM_TN;

	gemm->sgemm(101, transposed ? 112 : 111, call->form == RSTAR_GEMM_NT ? 112 : 111,
				(int) smaller(BLAS_ROWS, call->m - row), (int) call->n, (int) call->k, 1.0f,
				call->a + row * (transposed ? 1 : call->lda), (int) call->lda, call->b,
				(int) call->ldb, call->add ? 1.0f : 0.0f, call->c + row * call->ldc,
				(int) call->ldc);
}

/* In this thread alone: blas.h says why. */
static bool
blas_run(const rstar_gemm *gemm, const rstar_gemm_call *call, const rstar_cancel *cancel)
{
	for (uint32_t row = 0; row < call->m; row += BLAS_ROWS)
	{
		if (rstar_cancel_requested(cancel))
			return false;
		blas_block(gemm, call, row);
	}
	return true;
}

bool
rstar_gemm_run(rstar_gemm *gemm, const rstar_gemm_call *call, const rstar_cancel *cancel)
{
	piece p = {.gemm = gemm, .call = call};

	if (call->m == 0 || call->n == 0)
		return true;
	if (!gemm->kernel)
		return blas_run(gemm, call, cancel);
	for (p.first_n = 0; p.first_n < call->n; p.first_n += N_BLOCK)
	{
		p.n = smaller(N_BLOCK, call->n - p.first_n);
		for (p.first_k = 0; p.first_k < call->k; p.first_k += K_BLOCK)
		{
			p.k = smaller(K_BLOCK, call->k - p.first_k);
			if (!rstar_pool_run(gemm->pool, pack_panel, &p,
								(p.n + gemm->kernel->nr - 1) / gemm->kernel->nr, cancel) ||
				!rstar_pool_run(gemm->pool, multiply_block, &p, (call->m + ROWS - 1) / ROWS,
								cancel))
				return false;
		}
	}
	return true;
}

/* --- choosing ----------------------------------------------------------------- */

static bool
runs_here(const rstar_gemm_kernel *kernel)
{
	return kernel->runs && kernel->runs();
}

const char *
rstar_gemm_available(uint32_t i)
{
	for (size_t j = 0; j < N_KERNELS; j++)
		if (runs_here(kernels[j]) && i-- == 0)
			return kernels[j]->name;
	return i == 0 && rstar_blas_open() ? blas_name : NULL;
}

const char *
rstar_gemm_name(const rstar_gemm *gemm)
{
	return gemm->kernel ? gemm->kernel->name : blas_name;
}

size_t
rstar_gemm_bytes(const rstar_gemm *gemm)
{
	return sizeof *gemm + gemm->bytes;
}

/* Take the scratch memory of the kernel: one piece of B, and rows of A per thread. */
static rstar_status
take_memory(rstar_gemm *gemm, rstar_error *err)
{
	const rstar_gemm_kernel *kernel = gemm->kernel;
	size_t threads = (size_t) rstar_pool_threads(gemm->pool);
	size_t b = (size_t) K_BLOCK * N_BLOCK * kernel->b_bytes;
	size_t scales = (size_t) N_BLOCK / MIN_NR * K_PIECES * sizeof(float);
	uint8_t *at;

	gemm->a_stride = (size_t) ROWS * RSTAR_GEMM_KC * kernel->a_bytes + ROWS * sizeof(float);
	gemm->a_stride = (gemm->a_stride + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	gemm->bytes = b + scales + threads * gemm->a_stride + ALIGNMENT;
	gemm->memory = rstar_alloc(gemm->allocator, gemm->bytes);
	if (!gemm->memory)
		return rstar_error_memory(err, gemm->bytes);
	at = gemm->memory;
	at += (ALIGNMENT - (uintptr_t) at % ALIGNMENT) % ALIGNMENT;
	gemm->packed_b = at;
	gemm->packed_a = at + b;
	gemm->b_scales = (float *) (void *) (at + b + threads * gemm->a_stride);
	return RSTAR_OK;
}

/*
 * A name that nobody knows is a mistake of the caller, a kernel that this processor lacks is
 * not: the errors differ. Only the name of the BLAS opens its library, as that runs code of
 * others.
 */
static rstar_status
create_named(const char *name, rstar_pool *pool, const rstar_allocator *allocator, rstar_gemm **out,
			 rstar_error *err)
{
	rstar_gemm *gemm = rstar_alloc_zero(allocator, sizeof *gemm);
	bool known = strcmp(name, blas_name) == 0, runs = false;
	rstar_status st = RSTAR_OK;

	if (!gemm)
		return rstar_error_memory(err, sizeof *gemm);
	gemm->allocator = allocator;
	gemm->pool = pool;
	if (known)
		runs = (gemm->sgemm = rstar_blas_open()) != NULL;
	for (size_t i = 0; i < N_KERNELS; i++)
		if (strcmp(kernels[i]->name, name) == 0)
		{
			known = true;
			runs = runs_here(kernels[i]);
			gemm->kernel = kernels[i];
		}
	if (!known)
		st = rstar_error_set(err, RSTAR_ERR_ARGUMENT, "matrix kernel \"%s\" does not exist", name);
	else if (!runs)
		st = rstar_error_set(err, RSTAR_ERR_UNSUPPORTED,
							 "matrix kernel \"%s\" does not run on this machine", name);
	else if (gemm->kernel)
		st = take_memory(gemm, err);
	if (st != RSTAR_OK)
	{
		rstar_gemm_free(gemm);
		return st;
	}
	*out = gemm;
	return RSTAR_OK;
}

/* Best of three runs of a product of the shapes that training has, in nanoseconds; 0: no memory. */
static double
time_kernel(rstar_gemm *gemm)
{
	const uint32_t m = 384, n = 384, k = 256;
	float *memory =
		rstar_alloc_array_zero(gemm->allocator, (size_t) m * k + n * k + m * n, sizeof(float));
	double best = 0;
	rstar_gemm_call call = {
		.form = RSTAR_GEMM_NT, .m = m, .n = n, .k = k, .lda = k, .ldb = k, .ldc = n};

	if (!memory)
		return 0;
	for (size_t i = 0; i < (size_t) m * k + n * k; i++)
		memory[i] = (float) (i % 17) - 8.0f;
	call.a = memory;
	call.b = memory + (size_t) m * k;
	call.c = memory + (size_t) m * k + (size_t) n * k;
	for (int i = 0; i < 4; i++)
	{
		int64_t start = rstar_clock_ns();
		double took;

		rstar_gemm_run(gemm, &call, NULL);
		took = (double) (rstar_clock_ns() - start);
		if (i > 0 && (best == 0 || took < best)) /* the first run warms up */
			best = took;
	}
	rstar_free(gemm->allocator, memory);
	return best;
}

/* Time a kernel once more; *best is its least time so far, in nanoseconds, 0 for none. */
static rstar_status
time_named(const char *name, rstar_pool *pool, const rstar_allocator *allocator, double *best,
		   rstar_error *err)
{
	rstar_gemm *gemm;
	rstar_status st = create_named(name, pool, allocator, &gemm, err);
	double time;

	if (st != RSTAR_OK)
		return st;
	time = time_kernel(gemm);
	rstar_gemm_free(gemm);
	if (time > 0 && (*best == 0 || time < *best))
		*best = time;
	return RSTAR_OK;
}

/* Does the kernel round its inputs to 16 bits? */
static bool
is_rounded(const char *name)
{
	return strcmp(name, "f16") == 0 || strcmp(name, "bf16") == 0 || strcmp(name, "amx") == 0;
}

/*
 * The fastest here, of those in f32 alone if so asked. Runs that differ in their kernel differ
 * in their last bits, so what else the machine does must not decide: the kernels take turns,
 * the least time of each counts, and those that take twice as long as another leave early.
 */
static rstar_status
create_fastest(bool f32_only, rstar_pool *pool, const rstar_allocator *allocator, rstar_gemm **out,
			   rstar_error *err)
{
	double best[N_KERNELS + 1] = {0}, least = 0;
	const char *fastest = kernels[0]->name, *name;

	for (int turn = 0; turn < TURNS; turn++)
		for (uint32_t i = 0; (name = rstar_gemm_available(i)); i++)
		{
			rstar_status st;

			if ((f32_only && is_rounded(name)) || best[i] > 2 * least)
				continue;
			st = time_named(name, pool, allocator, &best[i], err);
			if (st != RSTAR_OK)
				return st;
			if (best[i] > 0 && (least == 0 || best[i] < least))
			{
				least = best[i];
				fastest = name;
			}
		}
	return create_named(fastest, pool, allocator, out, err);
}

rstar_status
rstar_gemm_create(const char *name, rstar_pool *pool, const rstar_allocator *allocator,
				  rstar_gemm **out, rstar_error *err)
{
	*out = NULL;
	if (name && strcmp(name, "f32") != 0)
		return create_named(name, pool, allocator, out, err);
	return create_fastest(name != NULL, pool, allocator, out, err);
}

void
rstar_gemm_free(rstar_gemm *gemm)
{
	if (!gemm)
		return;
	rstar_free(gemm->allocator, gemm->memory);
	rstar_free(gemm->allocator, gemm);
}

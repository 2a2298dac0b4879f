/*
 * bench_search.c
 *	  What a search tree costs without models: memory of a node, time of a
 *	  selection and of taking a candidate.
 *
 * Candidates are scripted: steps of 160 bytes with 40 bytes of output, scores
 * random, 8 for each node, depth at most 16.
 */
#include "bench.h"

#include "core/base/random.h"
#include "core/search/mcts.h"

#define CANDIDATES   8
#define TEXT_BYTES   160
#define OUTPUT_BYTES 40

/* An allocator that counts what is held. */
typedef struct counter
{
	size_t bytes;
} counter;

static void *
count_realloc(void *ctx, void *pointer, size_t size)
{
	counter *c = ctx;
	size_t *block = pointer ? (size_t *) pointer - 2 : NULL;
	size_t old = block ? block[0] : 0;

	block = realloc(block, size + 2 * sizeof(size_t));
	if (!block)
		return NULL;
	c->bytes += size - old;
	block[0] = size;
	return block + 2;
}

static void *
count_alloc(void *ctx, size_t size)
{
	return count_realloc(ctx, NULL, size);
}

static void
count_free(void *ctx, void *pointer)
{
	counter *c = ctx;

	if (!pointer)
		return;
	c->bytes -= ((size_t *) pointer - 2)[0];
	free((size_t *) pointer - 2);
}

static void
grow(uint32_t nodes)
{
	counter held = {0};
	rstar_allocator allocator = {count_alloc, count_realloc, count_free, &held};
	rstar_mcts_options options = {.guidance = RSTAR_GUIDANCE_PPM,
								  .c_uct = 2,
								  .max_rollouts = UINT32_MAX,
								  .max_depth = 16,
								  .max_nodes = nodes};
	rstar_tree_node candidates[CANDIDATES] = {{0}};
	char text[TEXT_BYTES], output[OUTPUT_BYTES];
	rstar_error err = {0};
	rstar_mcts mcts;
	uint64_t n = 0, selections = 0;
	double selecting = 0, start = bench_now();
	uint32_t node;

	memset(text, 'x', sizeof text);
	memset(output, '1', sizeof output);
	if (rstar_mcts_init(&mcts, &options, &allocator, &err) != RSTAR_OK)
		exit(1);
	for (;;)
	{
		double before = bench_now();

		node = rstar_mcts_select(&mcts);
		selecting += bench_now() - before;
		selections++;
		if (node == RSTAR_NO_NODE)
			break;
		for (int i = 0; i < CANDIDATES; i++)
			candidates[i] =
				(rstar_tree_node){.kind = RSTAR_NODE_STEP,
								  .text = {text, sizeof text},
								  .output = {output, sizeof output},
								  .scored = true,
								  .ppm_score = (double) (rstar_random_mix(7, n++) >> 11) / 0x1p53};
		if (rstar_mcts_expand(&mcts, node, candidates, CANDIDATES, &err) != RSTAR_OK)
			exit(1);
	}

	double seconds = bench_now() - start;

	printf("tree of %7u nodes   %5.0f bytes a node (%d of text and output, %zu of struct)   "
		   "selection %6.0f ns, candidate %5.0f ns\n",
		   mcts.tree.n_nodes, (double) held.bytes / mcts.tree.n_nodes, TEXT_BYTES + OUTPUT_BYTES,
		   sizeof(rstar_tree_node), selecting / (double) selections * 1e9,
		   (seconds - selecting) / (double) n * 1e9);
	rstar_mcts_free(&mcts);
	if (held.bytes != 0)
		printf("%zu bytes were not freed\n", held.bytes);
}

int
main(void)
{
	grow(100);
	grow(2000);
	grow(100000);
	return 0;
}

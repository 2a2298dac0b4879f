/*
 * tiles.c
 *	  Which tokens of a pass attend together.
 *
 * Tokens that follow each other in the pass often have most of their path in
 * common: the tokens of a prompt, the candidates of a search node. A tile of
 * such tokens reads the keys and values of the shared runs once. Tiles change
 * nothing in the results, only who reads what together.
 */
#include "core/engine/internal.h"

#define TILE_ROWS 64 /* query rows of a tile: what stays in the caches beside the keys */

/* Runs at the beginning of both paths. */
static uint32_t
common_runs(const rstar_engine *e, const rstar_slot *a, const rstar_slot *b, uint32_t most)
{
	const rstar_attention_run *x = e->runs + a->path, *y = e->runs + b->path;
	uint32_t n = a->n_runs < b->n_runs ? a->n_runs : b->n_runs;
	uint32_t i = 0;

	n = n < most ? n : most;
	if (a->path == b->path)
		return n;
	while (i < n && x[i].block == y[i].block && x[i].count == y[i].count)
		i++;
	return i;
}

/* Positions that the first n runs of a path hold. */
static uint32_t
positions_of(const rstar_engine *e, const rstar_slot *slot, uint32_t n)
{
	const rstar_attention_run *runs = e->runs + slot->path;

	return n == 0 ? 0 : runs[n - 1].position + runs[n - 1].count;
}

/* Tokens in a tile: enough work for every thread comes before sharing. */
static uint32_t
most_tokens(const rstar_engine *e)
{
	uint32_t n_group = e->hparams->n_head / e->hparams->n_head_kv;
	uint32_t most = TILE_ROWS / n_group;
	uint32_t blocks = 2 * (uint32_t) rstar_pool_threads(e->pool);
	uint32_t fair = e->T * e->hparams->n_head_kv / blocks;

	most = fair < most ? fair : most;
	return most > 0 ? most : 1;
}

static rstar_tile
make_tile(const rstar_engine *e, uint32_t first, uint32_t most)
{
	const rstar_slot *slot = &e->slots[first];
	rstar_tile tile = {.first = first, .count = 1, .shared = slot->n_runs};
	uint32_t end = slot->position + 1;

	while (tile.count < most && first + tile.count < e->T)
	{
		const rstar_slot *next = &slot[tile.count];
		uint32_t shared = common_runs(e, slot, next, tile.shared);

		if (positions_of(e, slot, shared) * 2 < next->position + 1)
			break; /* more of its own than shared */
		end = next->position + 1 > end ? next->position + 1 : end;
		tile.shared = shared;
		tile.count++;
	}
	while (tile.shared > 0 && e->runs[slot->path + tile.shared - 1].position >= end)
		tile.shared--;
	return tile;
}

void
rstar_engine_make_tiles(rstar_engine *e)
{
	uint32_t most = most_tokens(e);

	e->n_tiles = 0;
	e->largest_tile = 0;
	for (uint32_t t = 0; t < e->T; t += e->tiles[e->n_tiles++].count)
	{
		e->tiles[e->n_tiles] = make_tile(e, t, most);
		if (e->tiles[e->n_tiles].count > e->largest_tile)
			e->largest_tile = e->tiles[e->n_tiles].count;
	}
}

/*
 * kv.c
 *	  The KV cache as a tree of reference-counted blocks.
 *
 * All nodes hang in one list ordered by use, most recent first. Eviction walks
 * it from the tail. Free blocks wait in a list for the next node.
 */
#include "core/engine/kv.h"

#include <string.h>

typedef struct free_block
{
	struct free_block *next;
} free_block;

struct rstar_kv_node
{
	rstar_kv *kv;
	rstar_kv_node *parent;
	rstar_kv_node *newer, *older; /* list by use */
	uint32_t references;
	uint32_t children;
	uint32_t pins;
	uint32_t start;
	uint32_t count;
	uint32_t computed;
	uint32_t n_blocks;
	bool borrowed; /* the blocks are somebody else's, and only read */
	int32_t *tokens;
	size_t tokens_capacity;
	uint8_t **blocks;
	size_t blocks_capacity;
	uint64_t mark;
};

struct rstar_kv
{
	const rstar_allocator *allocator;
	rstar_kv_type type;
	uint32_t n_layer;
	uint64_t row_bytes; /* K of one token in one layer */
	uint64_t block_bytes;
	uint64_t max_blocks;
	uint64_t n_blocks; /* allocated: held by nodes or free */
	uint64_t n_free;
	uint64_t evictions;
	free_block *free;
	rstar_kv_node *newest, *oldest;
};

rstar_status
rstar_kv_create(uint32_t n_layer, uint32_t kv_dim, rstar_kv_type type, uint64_t budget,
				const rstar_allocator *allocator, rstar_kv **out, rstar_error *err)
{
	uint64_t row = (uint64_t) kv_dim * (type == RSTAR_KV_F32 ? 4 : 2);
	uint64_t block = row * 2 * n_layer * RSTAR_KV_BLOCK;

	if (n_layer == 0 || kv_dim == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "KV cache without layers or heads");
	if (budget < block)
	{
		rstar_error_set(err, RSTAR_ERR_LIMIT, "KV cache is too small for this model");
		return rstar_error_detail(
			err, "One block of %d tokens takes %llu bytes, the limit is %llu.", RSTAR_KV_BLOCK,
			(unsigned long long) block, (unsigned long long) budget);
	}

	rstar_kv *kv = rstar_alloc_zero(allocator, sizeof *kv);

	if (!kv)
		return rstar_error_memory(err, sizeof *kv);
	kv->allocator = allocator;
	kv->type = type;
	kv->n_layer = n_layer;
	kv->row_bytes = row;
	kv->block_bytes = block;
	kv->max_blocks = budget / block;
	*out = kv;
	return RSTAR_OK;
}

rstar_kv_type
rstar_kv_storage(const rstar_kv *kv)
{
	return kv->type;
}

uint64_t
rstar_kv_block_bytes(const rstar_kv *kv)
{
	return kv->block_bytes;
}

uint64_t
rstar_kv_used(const rstar_kv *kv)
{
	return (kv->n_blocks - kv->n_free) * kv->block_bytes;
}

uint64_t
rstar_kv_evictions(const rstar_kv *kv)
{
	return kv->evictions;
}

/* --- blocks ------------------------------------------------------------------- */

static uint8_t *
take_free_block(rstar_kv *kv)
{
	free_block *block = kv->free;

	if (block)
	{
		kv->free = block->next;
		kv->n_free--;
		return (uint8_t *) block;
	}
	if (kv->n_blocks == kv->max_blocks)
		return NULL;

	uint8_t *fresh = rstar_alloc(kv->allocator, kv->block_bytes);

	if (fresh)
		kv->n_blocks++;
	return fresh;
}

static void
drop_blocks(rstar_kv_node *node, uint32_t keep)
{
	rstar_kv *kv = node->kv;

	if (node->borrowed)
	{
		node->borrowed = false;
		node->n_blocks = 0;
		node->computed = 0;
		return;
	}
	while (node->n_blocks > keep)
	{
		free_block *block = (free_block *) node->blocks[--node->n_blocks];

		block->next = kv->free;
		kv->free = block;
		kv->n_free++;
	}
}

void
rstar_kv_trim(rstar_kv *kv)
{
	while (kv->free)
	{
		free_block *next = kv->free->next;

		rstar_free(kv->allocator, kv->free);
		kv->free = next;
		kv->n_free--;
		kv->n_blocks--;
	}
}

/* Take the blocks of the least recently used node that has any. */
static bool
evict_one(rstar_kv *kv)
{
	for (rstar_kv_node *node = kv->oldest; node; node = node->newer)
		if (node->pins == 0 && node->n_blocks > 0 && !node->borrowed)
		{
			drop_blocks(node, 0);
			node->computed = 0;
			kv->evictions++;
			return true;
		}
	return false;
}

bool
rstar_kv_reserve(rstar_kv_node *node, uint32_t count)
{
	rstar_kv *kv = node->kv;
	uint32_t need = (count + RSTAR_KV_BLOCK - 1) / RSTAR_KV_BLOCK;
	bool ok = true;

	if (node->borrowed && node->computed < count)
		drop_blocks(node, 0);
	if (!rstar_grow(kv->allocator, (void **) &node->blocks, &node->blocks_capacity, need,
					sizeof *node->blocks))
		return false;
	node->pins++; /* it must not lose what it has while it asks for more */
	while (ok && node->n_blocks < need)
	{
		uint8_t *block = take_free_block(kv);

		if (block)
			node->blocks[node->n_blocks++] = block;
		else
			ok = evict_one(kv);
	}
	node->pins--;
	return ok;
}

/* --- the list by use ------------------------------------------------------------ */

static void
list_remove(rstar_kv_node *node)
{
	rstar_kv *kv = node->kv;

	if (node->newer)
		node->newer->older = node->older;
	else
		kv->newest = node->older;
	if (node->older)
		node->older->newer = node->newer;
	else
		kv->oldest = node->newer;
}

static void
list_push(rstar_kv_node *node)
{
	rstar_kv *kv = node->kv;

	node->newer = NULL;
	node->older = kv->newest;
	if (kv->newest)
		kv->newest->newer = node;
	else
		kv->oldest = node;
	kv->newest = node;
}

void
rstar_kv_touch(rstar_kv_node *node)
{
	for (; node; node = node->parent)
	{
		list_remove(node);
		list_push(node);
	}
}

/* --- nodes ---------------------------------------------------------------------- */

rstar_status
rstar_kv_node_create(rstar_kv *kv, rstar_kv_node *parent, rstar_kv_node **out, rstar_error *err)
{
	rstar_kv_node *node = rstar_alloc_zero(kv->allocator, sizeof *node);

	if (!node)
		return rstar_error_memory(err, sizeof *node);
	node->kv = kv;
	node->references = 1;
	if (parent)
	{
		node->parent = parent;
		node->start = parent->start + parent->count;
		parent->references++;
		parent->children++;
	}
	list_push(node);
	*out = node;
	return RSTAR_OK;
}

void
rstar_kv_node_retain(rstar_kv_node *node)
{
	node->references++;
}

static void
node_free(rstar_kv_node *node)
{
	rstar_kv *kv = node->kv;

	drop_blocks(node, 0);
	list_remove(node);
	rstar_free(kv->allocator, node->tokens);
	rstar_free(kv->allocator, node->blocks);
	rstar_free(kv->allocator, node);
}

void
rstar_kv_node_release(rstar_kv_node *node)
{
	while (node && --node->references == 0)
	{
		rstar_kv_node *parent = node->parent;

		node_free(node);
		if (parent)
			parent->children--;
		node = parent;
	}
}

void
rstar_kv_free(rstar_kv *kv)
{
	if (!kv)
		return;
	while (kv->newest)
		node_free(kv->newest);
	rstar_kv_trim(kv);
	rstar_free(kv->allocator, kv);
}

static rstar_status
check_no_children(const rstar_kv_node *node, rstar_error *err)
{
	if (node->children > 0)
		return rstar_error_set(err, RSTAR_ERR_INTERNAL,
							   "tokens of a KV node with %u children cannot change",
							   node->children);
	return RSTAR_OK;
}

rstar_status
rstar_kv_node_append(rstar_kv_node *node, const int32_t *tokens, uint32_t count, rstar_error *err)
{
	rstar_status status = check_no_children(node, err);

	if (status != RSTAR_OK)
		return status;
	if (node->borrowed)
		drop_blocks(node, 0);
	if (count > UINT32_MAX / 2 - node->count ||
		!rstar_grow(node->kv->allocator, (void **) &node->tokens, &node->tokens_capacity,
					(size_t) node->count + count, sizeof *node->tokens))
		return rstar_error_memory(err, ((size_t) node->count + count) * sizeof *node->tokens);
	if (count > 0)
		memcpy(node->tokens + node->count, tokens, count * sizeof *tokens);
	node->count += count;
	return RSTAR_OK;
}

rstar_status
rstar_kv_node_truncate(rstar_kv_node *node, uint32_t count, rstar_error *err)
{
	rstar_status status = check_no_children(node, err);

	if (status != RSTAR_OK || count >= node->count)
		return status;
	node->count = count;
	if (node->computed > count)
		node->computed = count;
	drop_blocks(node, (count + RSTAR_KV_BLOCK - 1) / RSTAR_KV_BLOCK);
	return RSTAR_OK;
}

rstar_kv_node *
rstar_kv_node_parent(const rstar_kv_node *node)
{
	return node->parent;
}

uint32_t
rstar_kv_node_start(const rstar_kv_node *node)
{
	return node->start;
}

uint32_t
rstar_kv_node_count(const rstar_kv_node *node)
{
	return node->count;
}

uint32_t
rstar_kv_node_end(const rstar_kv_node *node)
{
	return node->start + node->count;
}

uint32_t
rstar_kv_node_computed(const rstar_kv_node *node)
{
	return node->computed;
}

const int32_t *
rstar_kv_node_tokens(const rstar_kv_node *node)
{
	return node->tokens;
}

void
rstar_kv_pin(rstar_kv_node *node)
{
	node->pins++;
}

void
rstar_kv_unpin(rstar_kv_node *node)
{
	node->pins--;
}

void
rstar_kv_set_computed(rstar_kv_node *node, uint32_t count)
{
	if (node->borrowed && count < node->computed)
		drop_blocks(node, 0);
	else
		node->computed = count;
}

bool
rstar_kv_node_borrow(rstar_kv_node *node, const uint8_t *blocks)
{
	rstar_kv *kv = node->kv;
	uint32_t n = node->count / RSTAR_KV_BLOCK;

	if (node->n_blocks > 0 || n == 0 || node->count % RSTAR_KV_BLOCK != 0 ||
		!rstar_grow(kv->allocator, (void **) &node->blocks, &node->blocks_capacity, n,
					sizeof *node->blocks))
		return false;
	for (uint32_t i = 0; i < n; i++)
		node->blocks[i] = (uint8_t *) (uintptr_t) blocks + i * kv->block_bytes;
	node->n_blocks = n;
	node->computed = node->count;
	node->borrowed = true;
	return true;
}

void
rstar_kv_node_take(rstar_kv_node *node, rstar_kv_node *from, uint32_t count)
{
	uint32_t n = count < from->computed ? count : from->computed;

	if (node == from || n <= node->computed)
		return;
	from->pins++; /* making room must not cost what is to be copied */
	if (rstar_kv_reserve(node, n))
	{
		for (uint32_t i = node->computed / RSTAR_KV_BLOCK; i * RSTAR_KV_BLOCK < n; i++)
			memcpy(node->blocks[i], from->blocks[i], node->kv->block_bytes);
		node->computed = n;
	}
	from->pins--;
}

bool
rstar_kv_node_is_borrowed(const rstar_kv_node *node)
{
	return node->borrowed;
}

const uint8_t *
rstar_kv_node_block(const rstar_kv_node *node, uint32_t i)
{
	return node->blocks[i];
}

uint8_t *
rstar_kv_block(const rstar_kv_node *node, uint32_t i)
{
	return node->blocks[i];
}

uint64_t
rstar_kv_v_stride(const rstar_kv *kv)
{
	return kv->row_bytes;
}

uint64_t
rstar_kv_k_offset(const rstar_kv *kv, uint32_t layer)
{
	return kv->row_bytes * RSTAR_KV_BLOCK * 2 * layer;
}

uint64_t
rstar_kv_v_offset(const rstar_kv *kv, uint32_t layer)
{
	return kv->row_bytes * RSTAR_KV_BLOCK * (2 * layer + 1);
}

uint64_t *
rstar_kv_mark(rstar_kv_node *node)
{
	return &node->mark;
}

/*
 * kv.h
 *	  The KV cache as a tree of reference-counted blocks.
 *
 * A node holds a run of tokens that continues its parent's; the path from a
 * root to a node is a sequence. A search step owns only its own tokens, and
 * all candidates share the prefix. For a node the tokens are the truth; keys
 * and values are a cache of what the forward pass computed from them, held in
 * blocks of RSTAR_KV_BLOCK tokens that belong to one node. Under a byte
 * budget the least recently used nodes lose their blocks (never their
 * tokens), and the engine recomputes them on demand, to the same bits.
 *
 * A block, for each layer l: the keys of all its tokens, then the values:
 *
 *		+------------+------------+------------+---
 *		| layer 0: K | layer 0: V | layer 1: K | ...
 *		+------------+------------+------------+---
 *
 *		K: element d of the tokens 0 .. 15, then element d + 1 of all, ...
 *		V: all elements of token 0, then of token 1, ...
 *
 * Keys lie side by side because a score needs one element of sixteen keys at
 * a time, while a sum of values needs one value whole.
 *
 * Not for use from several threads at once: the engine's caller owns it.
 */
#ifndef RSTAR_ENGINE_KV_H
#define RSTAR_ENGINE_KV_H

#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/status.h"
#include "core/tensor/kernels.h" /* RSTAR_KV_BLOCK: tokens in a block */

typedef enum rstar_kv_type
{
	RSTAR_KV_F32,
	RSTAR_KV_F16
} rstar_kv_type;

typedef struct rstar_kv rstar_kv;
typedef struct rstar_kv_node rstar_kv_node;

/*
 * Keys and values of n_layer layers with kv_dim elements each per token.
 * budget bounds the bytes of all blocks; it must hold at least one block.
 * Blocks are allocated as they are needed. Errors: ARGUMENT, MEMORY.
 */
extern rstar_status rstar_kv_create(uint32_t n_layer, uint32_t kv_dim, rstar_kv_type type,
									uint64_t budget, const rstar_allocator *allocator,
									rstar_kv **out, rstar_error *err);

/* Frees all nodes too, whoever still refers to them. NULL is allowed. */
extern void rstar_kv_free(rstar_kv *kv);

/* Give the blocks that no node holds back to the allocator. */
extern void rstar_kv_trim(rstar_kv *kv);

extern rstar_kv_type rstar_kv_storage(const rstar_kv *kv);
extern uint64_t rstar_kv_block_bytes(const rstar_kv *kv);
extern uint64_t rstar_kv_used(const rstar_kv *kv);      /* bytes in use by nodes */
extern uint64_t rstar_kv_evictions(const rstar_kv *kv); /* nodes that lost their blocks */

/* --- nodes ------------------------------------------------------------------ */

/*
 * A new empty node behind the end of `parent` (NULL: a new sequence). The
 * caller holds one reference; the child holds one on its parent. While a node
 * has children its tokens are fixed. Errors: MEMORY.
 */
extern rstar_status rstar_kv_node_create(rstar_kv *kv, rstar_kv_node *parent, rstar_kv_node **out,
										 rstar_error *err);
extern void rstar_kv_node_retain(rstar_kv_node *node);
extern void rstar_kv_node_release(rstar_kv_node *node); /* NULL is allowed */

/* Append tokens; INTERNAL if the node has children. Errors: MEMORY. */
extern rstar_status rstar_kv_node_append(rstar_kv_node *node, const int32_t *tokens, uint32_t count,
										 rstar_error *err);

/* Keep the first `count` of the node's own tokens; INTERNAL if it has children. */
extern rstar_status rstar_kv_node_truncate(rstar_kv_node *node, uint32_t count, rstar_error *err);

extern rstar_kv_node *rstar_kv_node_parent(const rstar_kv_node *node);
extern uint32_t rstar_kv_node_start(const rstar_kv_node *node);    /* position of its first token */
extern uint32_t rstar_kv_node_count(const rstar_kv_node *node);    /* its own tokens */
extern uint32_t rstar_kv_node_end(const rstar_kv_node *node);      /* start + count */
extern uint32_t rstar_kv_node_computed(const rstar_kv_node *node); /* own tokens in the cache */
extern const int32_t *rstar_kv_node_tokens(const rstar_kv_node *node);

/* --- for the engine ----------------------------------------------------------- */

/*
 * Make room for the first `count` of the node's tokens, evicting the least
 * recently used nodes that are not pinned. False: the budget does not allow
 * it, or memory is out.
 */
extern bool rstar_kv_reserve(rstar_kv_node *node, uint32_t count);

/* Mark the path of a node as used now, ancestors as more recent than it. */
extern void rstar_kv_touch(rstar_kv_node *node);

/* A pinned node is not evicted. Pins count. */
extern void rstar_kv_pin(rstar_kv_node *node);
extern void rstar_kv_unpin(rstar_kv_node *node);

/* The first `count` tokens are in the cache now (or, smaller, no longer). */
extern void rstar_kv_set_computed(rstar_kv_node *node, uint32_t count);

/* The block of own tokens [16 i, 16 i + 16), which exists. */
extern uint8_t *rstar_kv_block(const rstar_kv_node *node, uint32_t i);

/* Bytes from a block's beginning to layer l's keys and values. */
extern uint64_t rstar_kv_k_offset(const rstar_kv *kv, uint32_t layer);
extern uint64_t rstar_kv_v_offset(const rstar_kv *kv, uint32_t layer);
extern uint64_t rstar_kv_v_stride(const rstar_kv *kv); /* from token to token */

/*
 * Take keys and values of all the node's tokens from memory that belongs to somebody
 * else and is only read: whole blocks, one behind the other (the node's tokens are a
 * multiple of RSTAR_KV_BLOCK), which must live until the tree is freed. They are not
 * part of the budget. What would change them makes the node forget them first. False:
 * the node has blocks already, or memory is out.
 */
extern bool rstar_kv_node_borrow(rstar_kv_node *node, const uint8_t *blocks);
extern bool rstar_kv_node_is_borrowed(const rstar_kv_node *node);

/* A block of the node, for whoever saves it. */
extern const uint8_t *rstar_kv_node_block(const rstar_kv_node *node, uint32_t i);

/*
 * Take the keys and values of the first `count` tokens from another child of the same
 * parent (or the node itself), which begins with the same ones, as far as that has them and memory allows:
 * rstar_kv_node_computed tells. What is not taken is computed on demand, to the same bits.
 */
extern void rstar_kv_node_take(rstar_kv_node *node, rstar_kv_node *from, uint32_t count);

/* Changes whenever the layout of a block does: blocks of another layout are of no use. */
#define RSTAR_KV_LAYOUT 2

/* A word that belongs to the engine: set while it plans a pass. */
extern uint64_t *rstar_kv_mark(rstar_kv_node *node);

#endif

/*
 * prefix.h
 *	  Beginnings that many sequences share, kept from call to call.
 *
 * A prompt begins with the same tokens for every problem: an instruction and
 * worked examples, hundreds of tokens whose keys and values would be computed
 * again for each. The engine keeps a few such beginnings as nodes of its KV tree;
 * sequences continue them. Their keys and values may be saved to a file and
 * borrowed from its map, by all processes at once (prefix_file.h).
 */
#ifndef RSTAR_ENGINE_PREFIX_H
#define RSTAR_ENGINE_PREFIX_H

#include "core/engine/engine.h"

#define RSTAR_PREFIX_LEAST 32 /* tokens; for fewer no node is kept */

/*
 * The node with these tokens, made if there is none, or NULL in *node where they are
 * too few to be kept. The caller gets a reference of its own. Errors: MEMORY.
 */
extern rstar_status rstar_engine_prefix(rstar_engine *engine, const int32_t *tokens, uint32_t count,
										rstar_kv_node **node, rstar_error *err);

#endif

/*
 * prefix_file.h
 *	  Keys and values of a kept beginning (prefix.h) in a file that processes map.
 *
 * A file belongs to a model, a kernel family, a type of keys and values, and a list of
 * tokens; its name is made from them and its head repeats them. It is written once,
 * under another name first, and never changed. Whoever opens it checks all of it,
 * checksum included, before a byte is used; a file that is not as it should be is
 * removed and written anew later. A directory without any costs time, nothing else.
 *
 *		+-----------+------------------+---------+-----------------------------+
 *		| head: 256 | tokens: n x i32  | padding | blocks, from a page boundary |
 *		+-----------+------------------+---------+-----------------------------+
 */
#ifndef RSTAR_ENGINE_PREFIX_FILE_H
#define RSTAR_ENGINE_PREFIX_FILE_H

#include "core/engine/engine.h"

#define RSTAR_PREFIX_SUFFIX ".kv" /* of the files' names */

typedef struct rstar_prefix_store
{
	const char *directory;
	const char *model;   /* checksum of the model's file, 64 hexadecimal digits */
	uint64_t most_bytes; /* of all such files in the directory; 0: none are used */
} rstar_prefix_store;

/*
 * Give the node, whose tokens are not computed yet, the blocks of its file. False: there
 * is no such file, or it was none to be used.
 */
extern bool rstar_prefix_load(rstar_engine *engine, rstar_kv_node *node,
							  const rstar_prefix_store *store);

/*
 * Write the node's file, if all its tokens are computed and there is none. The oldest
 * files of the directory make room. False: nothing was written.
 */
extern bool rstar_prefix_save(rstar_engine *engine, const rstar_kv_node *node,
							  const rstar_prefix_store *store);

/* Forget all maps; the engine's tree is freed already. */
extern void rstar_prefix_unmap(rstar_engine *engine);

#endif

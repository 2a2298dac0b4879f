/*
 * prefix.c
 *	  Beginnings that many sequences share, kept from call to call.
 */
#include "core/engine/prefix.h"

#include <string.h>

#include "core/engine/internal.h"

static bool
has_tokens(const rstar_kv_node *node, const int32_t *tokens, uint32_t count)
{
	return rstar_kv_node_count(node) == count &&
		   memcmp(rstar_kv_node_tokens(node), tokens, count * sizeof *tokens) == 0;
}

/* Move entry i to the front. */
static void
to_front(rstar_engine *engine, uint32_t i)
{
	rstar_kv_node *node = engine->prefixes[i];

	memmove(engine->prefixes + 1, engine->prefixes, i * sizeof node);
	engine->prefixes[0] = node;
}

/*
 * A short list, most recently used first, searched by comparing all tokens: a hit must be
 * exact, and a few comparisons cost nothing beside a forward pass. The list holds a reference
 * of its own, the caller gets another.
 */
rstar_status
rstar_engine_prefix(rstar_engine *engine, const int32_t *tokens, uint32_t count,
					rstar_kv_node **node, rstar_error *err)
{
	rstar_kv_node *fresh;
	rstar_status status;
	uint32_t n = 0;

	*node = NULL;
	if (count < RSTAR_PREFIX_LEAST)
		return RSTAR_OK;
	for (; n < RSTAR_PREFIXES && engine->prefixes[n]; n++)
		if (has_tokens(engine->prefixes[n], tokens, count))
		{
			to_front(engine, n);
			*node = engine->prefixes[0];
			rstar_kv_node_retain(*node);
			return RSTAR_OK;
		}
	status = rstar_kv_node_create(engine->kv, NULL, &fresh, err);
	if (status == RSTAR_OK)
	{
		status = rstar_kv_node_append(fresh, tokens, count, err);
		if (status != RSTAR_OK)
			rstar_kv_node_release(fresh);
	}
	if (status != RSTAR_OK)
		return status;
	if (n == RSTAR_PREFIXES)
		rstar_kv_node_release(engine->prefixes[--n]);
	engine->prefixes[n] = fresh;
	to_front(engine, n);
	rstar_kv_node_retain(fresh);
	*node = fresh;
	return RSTAR_OK;
}

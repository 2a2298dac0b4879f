/*
 * verdict.c
 *	  Why a search has no answer, and what speaks for the one it has.
 */
#include "core/search/internal.h"

static bool
ended_by_limit(rstar_ending ending)
{
	return ending == RSTAR_ENDED_BY_NODES || ending == RSTAR_ENDED_BY_TOKENS ||
		   ending == RSTAR_ENDED_BY_TIMEOUT;
}

static bool
code_failed(rstar_node_status status)
{
	return status == RSTAR_NODE_ERROR || status == RSTAR_NODE_TIMEOUT ||
		   status == RSTAR_NODE_KILLED;
}

const char *
rstar_silence_name(rstar_silence silence)
{
	static const char *const names[] = {"not understood", "time", "steps failed",
										"no answer reached"};

	return names[silence];
}

rstar_silence
rstar_search_silence(const rstar_search *search, uint32_t i)
{
	const rstar_search_tree *searched = search->trees[i];
	const rstar_tree *tree = &searched->mcts.tree;
	uint32_t declined = 0, failed = 0, other = 0;

	for (uint32_t id = 1; id < tree->n_nodes; id++)
	{
		const rstar_tree_node *node = &tree->nodes[id];

		declined += node->status == RSTAR_NODE_DECLINED;
		failed += code_failed(node->status);
		other += node->first_child == RSTAR_NO_NODE && !code_failed(node->status);
	}
	if (declined > 0)
		return RSTAR_SILENCE_DECLINED;
	if (ended_by_limit(searched->ending))
		return RSTAR_SILENCE_TIME;
	return failed > 0 && other == 0 ? RSTAR_SILENCE_FAILED : RSTAR_SILENCE_NOT_REACHED;
}

/* Tokens of the problem alone. */
static rstar_status
count_tokens(const rstar_search *search, rstar_string problem, const rstar_cancel *cancel,
			 size_t *count, rstar_error *err)
{
	const rstar_encode_options options = {0};
	int32_t *ids = NULL;
	rstar_status status;

	*count = 0;
	if (!search->parts.policy.tokenizer)
		return RSTAR_OK;
	status = rstar_tokenizer_encode(search->parts.policy.tokenizer, problem.data, problem.length,
									&options, search->allocator, cancel, &ids, count, err);
	if (status == RSTAR_OK)
		rstar_free(search->allocator, ids);
	return status;
}

rstar_status
rstar_search_evidence(const rstar_search *search, uint32_t i, uint32_t node,
					  const rstar_cancel *cancel, rstar_evidence *evidence, rstar_error *err)
{
	const rstar_search_tree *tree = search->trees[i];
	size_t tokens;
	rstar_status status = count_tokens(search, tree->problem.text, cancel, &tokens, err);

	if (status != RSTAR_OK)
		return status;
	return rstar_evidence_read(&tree->mcts, node, tree->problem.text, tokens, search->allocator,
							   evidence, err);
}

/*
 * fuzz_numbers.c
 *	  The numbers and words of any problem against any step of a solution: shares stay shares, and a
 *	  step that says just what the problem says leaves no number out and copies no word wrongly.
 *	  Problem and step stand before and behind the first zero byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/numbers.h"
#include "core/search/slips.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Of a solution of one step, behind which the answer stands. */
static rstar_number_use
use_of(rstar_string problem, rstar_string step, uint32_t *slips)
{
	rstar_tree_node nodes[3] = {
		{.parent = RSTAR_NO_NODE}, {.text = step, .written = step.length}, {.parent = 1}};
	rstar_tree tree = {.nodes = nodes, .n_nodes = 3};
	rstar_number_use use;

	rstar_number_use_read(problem, &tree, 2, &use);
	require(use.missing >= 0 && use.missing <= 1 && use.repeated >= 0 && use.repeated <= 1);
	require(use.numbers <= problem.length && use.words <= problem.length);
	*slips = rstar_slips_count(problem, &tree, 2);
	require(*slips <= RSTAR_SLIPS_MOST && *slips <= problem.length / RSTAR_SLIPS_LEAST);
	return use;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *) data : "";
	const char *zero = size > 0 ? memchr(text, 0, size) : NULL;
	rstar_string problem = {text, zero ? (size_t) (zero - text) : size};
	rstar_string step = {zero ? zero + 1 : text, zero ? size - problem.length - 1 : 0};

	uint32_t slips;

	use_of(problem, step, &slips);
	/* What is behind # is no code. */
	if (!problem.length || !memchr(problem.data, '#', problem.length))
	{
		rstar_number_use use = use_of(problem, problem, &slips);

		require(use.missing == 0 && (use.repeated == 0 || use.numbers == 0));
		/* Of a longer one some words may not be kept. */
		require(slips == 0 || problem.length >= RSTAR_SLIPS_MOST * (RSTAR_SLIPS_LEAST + 1));
	}
	return 0;
}

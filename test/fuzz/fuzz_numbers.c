/*
 * fuzz_numbers.c
 *	  The numbers of any problem against any step of a solution: shares stay shares, and a step that
 *	  says just what the problem says leaves no number out. Problem and step stand before and behind
 *	  the first zero byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/numbers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Of a solution of one step, behind which the answer stands. */
static rstar_number_use
use_of(rstar_string problem, rstar_string step)
{
	rstar_tree_node nodes[3] = {
		{.parent = RSTAR_NO_NODE}, {.text = step, .written = step.length}, {.parent = 1}};
	rstar_tree tree = {.nodes = nodes, .n_nodes = 3};
	rstar_number_use use;

	rstar_number_use_read(problem, &tree, 2, &use);
	require(use.missing >= 0 && use.missing <= 1 && use.repeated >= 0 && use.repeated <= 1);
	require(use.numbers <= problem.length && use.words <= problem.length);
	return use;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *) data : "";
	const char *zero = size > 0 ? memchr(text, 0, size) : NULL;
	rstar_string problem = {text, zero ? (size_t) (zero - text) : size};
	rstar_string step = {zero ? zero + 1 : text, zero ? size - problem.length - 1 : 0};

	use_of(problem, step);
	/* What is behind # is no code. */
	if (!problem.length || !memchr(problem.data, '#', problem.length))
	{
		rstar_number_use use = use_of(problem, problem);

		require(use.missing == 0 && (use.repeated == 0 || use.numbers == 0));
	}
	return 0;
}

/*
 * fuzz_picture.c
 *	  Trees of any shape with any texts: the pictures are complete, clean UTF-8 and well
 *	  formed, pairs and closed answers come to an end.
 *
 * Input: for each node a byte for its parent, one for what it is, one for its
 * figures, one for the length of its text, and the text, which serves everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "core/search/luck.h"
#include "core/search/pairs.h"
#include "core/picture/picture_svg.h"
#include "core/picture/picture_text.h"
#include "core/text/utf8.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
add_node(rstar_tree *tree, const uint8_t *head, rstar_string text)
{
	uint32_t parent = head[0] % tree->n_nodes, id;
	rstar_tree_node node = {.text = text, .output = text, .answer = text, .kind = RSTAR_NODE_STEP};
	rstar_error err;

	if (head[1] & 1)
		node.kind = RSTAR_NODE_ANSWER;
	if (head[1] & 2)
		node.status = (rstar_node_status) (1 + (head[1] >> 5) % RSTAR_NODE_UNPARSABLE);
	node.kept = head[1] & 4;
	node.graded = head[1] & 8;
	node.correct = head[1] & 16;
	node.scored = head[2] & 1;
	node.ppm_score = head[2] / 128.0 - 1;
	require(rstar_tree_add(tree, parent, &node, &id, &err) == RSTAR_OK);
	tree->nodes[id].visits = head[2] % 5;
	tree->nodes[id].value_sum = head[2] / 32.0 - 4;
}

static void
draw(const rstar_tree *tree, rstar_string text, uint32_t answer)
{
	rstar_picture_facts facts = {.problem = text,
								 .known_answer = text,
								 .settings = text,
								 .answer = text,
								 .answer_node = answer,
								 .first_correct = RSTAR_NO_NODE};
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	require(rstar_picture_text(tree, &facts, true, &out, NULL, &err) == RSTAR_OK);
	require(rstar_utf8_valid(out.data, out.length));
	rstar_buffer_clear(&out);
	require(rstar_picture_svg(tree, &facts, &out, NULL, &err) == RSTAR_OK);
	require(rstar_utf8_valid(out.data, out.length));
	for (size_t i = 0; i < out.length; i++)
		require((unsigned char) out.data[i] >= 0x20 || out.data[i] == '\n' || out.data[i] == '\t');
	rstar_buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const rstar_pair_options options = {.min_margin = 0.25, .min_edit = 3};
	rstar_string text = {"", 0};
	rstar_step_pair *pairs;
	rstar_tree tree;
	rstar_error err;
	size_t n;

	require(rstar_tree_init(&tree, &rstar_allocator_malloc, &err) == RSTAR_OK);
	while (size >= 4 && tree.n_nodes < 400)
	{
		const uint8_t *head = data;
		size_t length = head[3] < size - 4 ? head[3] : size - 4;

		text = (rstar_string){(const char *) data + 4, length};
		data += 4 + length;
		size -= 4 + length;
		add_node(&tree, head, text);
	}
	draw(&tree, text, tree.n_nodes - 1);
	require(rstar_step_pairs(&tree, &options, &rstar_allocator_malloc, NULL, &pairs, &n, &err) ==
			RSTAR_OK);
	for (size_t i = 0; i < n; i++)
		require(pairs[i].margin >= 0.25 && pairs[i].weight > 0 && pairs[i].weight <= 1 &&
				tree.nodes[pairs[i].chosen].parent == pairs[i].parent &&
				tree.nodes[pairs[i].rejected].parent == pairs[i].parent);
	rstar_free(&rstar_allocator_malloc, pairs);
	if (text.length > 0)
	{
		(void) rstar_luck_closed(text, (rstar_string){text.data, text.length / 4});
		(void) rstar_luck_evades(text, (rstar_string){text.data, text.length / 4});
	}
	rstar_tree_free(&tree);
	return 0;
}

/*
 * candidates.c
 *	  What the policy wrote, read and judged.
 */
#include <string.h>

#include "core/grade/grade.h"
#include "core/search/internal.h"
#include "core/step/mend.h"

static const rstar_tree_node *
parent_of(const rstar_candidate *c)
{
	return &c->tree->mcts.tree.nodes[c->parent];
}

/* --- reading ------------------------------------------------------------------------ */

/*
 * What the answer is, and whether it is right: a verifier is asked later, in the phase of its
 * own; without a known answer nobody is.
 */
static rstar_status
grade_answer(rstar_search *search, rstar_turn *turn, rstar_candidate *c, rstar_error *err)
{
	const rstar_string *gold = &c->tree->problem.gold;
	size_t length;

	if (rstar_step_declines(c->parse.answer))
	{
		c->node.status = RSTAR_NODE_DECLINED;
		return RSTAR_OK;
	}

	const char *answer = c->tree->problem.verifier.length > 0
							 ? rstar_search_extract(&turn->answers, c->parse.answer, &length)
							 : rstar_grade_extract(&turn->answers, c->parse.answer.data,
												   c->parse.answer.length, &length);

	c->node.answer.data = rstar_arena_strndup(&turn->answers, answer ? answer : "", length);
	if (!c->node.answer.data)
		return rstar_error_memory(err, length);
	c->node.answer.length = length;
	if (length == 0)
		c->node.status = RSTAR_NODE_UNPARSABLE;
	else if (c->tree->problem.verifier.length > 0)
		c->asks = true;
	else if (gold->length > 0)
	{
		c->node.graded = true;
		c->node.correct = rstar_grade_compare(search->allocator, gold->data, gold->length,
											  c->node.answer.data, length)
							  .equal;
		c->node.grade = c->node.correct ? 1 : -1;
	}
	return RSTAR_OK;
}

/*
 * A text that is no step as it stands may mean one, if the model only learns the
 * format from its prompt: then that is the candidate's text.
 */
static void
mend_candidate(rstar_search *search, rstar_candidate *c)
{
	rstar_solution_state state = parent_of(c)->state;
	rstar_buffer mended;

	if (!c->watch.habits)
		return;
	rstar_buffer_init(&mended, search->allocator);
	if (!rstar_step_mend(c->text.data ? c->text.data : "", c->text.length, state,
						 c->ended || c->watch.tag != RSTAR_TAG_NONE, &mended))
	{
		rstar_buffer_free(&mended);
		return;
	}
	rstar_buffer_free(&c->text);
	c->text = mended;
	c->mended = true;
	c->node.written = c->text.length;
	rstar_step_parse_text(c->text.data, c->text.length, state, &c->parse);
}

/*
 * The order decides what a candidate is counted as: first what was rejected while it was
 * written, then what cannot be parsed, even mended, then what lies too deep. Only an answer
 * that passed all of it is graded here; a step has yet to run.
 */
static rstar_status
read_candidate(rstar_search *search, rstar_turn *turn, uint32_t i, rstar_error *err)
{
	rstar_candidate *c = &turn->candidates[i];
	bool scripted = search->writer->scripted;
	rstar_status status = search->writer->take(search, turn, i, err);

	c->tree->cost.generated_tokens += c->node.tokens;
	if (status != RSTAR_OK || c->dropped)
		return status;
	c->node.written = c->text.length;
	c->node.kind = RSTAR_NODE_STEP;
	rstar_step_parse_text(c->text.data ? c->text.data : "", c->text.length, parent_of(c)->state,
						  &c->parse);
	if (rstar_node_rejected(&c->node))
		return RSTAR_OK;
	if (!scripted && (c->watch.tag == RSTAR_TAG_NONE || c->parse.kind == RSTAR_STEP_UNPARSABLE))
		mend_candidate(search, c);
	if ((!scripted && c->watch.tag == RSTAR_TAG_NONE && !c->mended) ||
		c->parse.kind == RSTAR_STEP_UNPARSABLE)
	{
		c->node.status = RSTAR_NODE_UNPARSABLE;
		return RSTAR_OK;
	}
	c->node.state = c->parse.next;
	if (c->parse.kind != RSTAR_STEP_ANSWER)
	{
		/* A dead end before it runs or is scored. */
		if (parent_of(c)->depth >= c->tree->mcts.options.max_depth)
			c->node.status = RSTAR_NODE_TOO_DEEP;
		return RSTAR_OK;
	}
	c->node.kind = RSTAR_NODE_ANSWER;
	return grade_answer(search, turn, c, err);
}

/* Count a candidate with the text of an earlier one of its node there. */
static void
merge_duplicate(rstar_turn *turn, uint32_t i)
{
	rstar_candidate *c = &turn->candidates[i];

	for (uint32_t j = i - c->number; j < i; j++)
	{
		rstar_candidate *earlier = &turn->candidates[j];

		if (!earlier->dropped && earlier->text.length == c->text.length &&
			(c->text.length == 0 || memcmp(earlier->text.data, c->text.data, c->text.length) == 0))
		{
			earlier->node.duplicates++;
			c->dropped = true;
			return;
		}
	}
}

/* Beside the first answer of a node nothing else counts. */
static void
drop_beside_answers(rstar_turn *turn)
{
	for (uint32_t i = 0; i < turn->n_candidates; i++)
	{
		rstar_candidate *c = &turn->candidates[i];

		if (!rstar_candidate_alive(c) || c->node.kind != RSTAR_NODE_ANSWER)
			continue;
		for (uint32_t j = i - c->number;
			 j < turn->n_candidates && turn->candidates[j].tree == c->tree &&
			 turn->candidates[j].parent == c->parent;
			 j++)
			turn->candidates[j].dropped = j != i;
	}
}

rstar_status
rstar_search_read_candidates(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	for (uint32_t i = 0; i < turn->n_candidates && status == RSTAR_OK; i++)
	{
		status = read_candidate(search, turn, i, err);
		if (status == RSTAR_OK && search->options.merge_duplicates && !turn->candidates[i].dropped)
			merge_duplicate(turn, i);
	}
	if (status == RSTAR_OK && search->options.mcts.answer_exclusive)
		drop_beside_answers(turn);
	return status;
}

/* --- running ------------------------------------------------------------------------ */

rstar_status
rstar_search_start_code(rstar_search *search, rstar_turn *turn, rstar_error *err)
{
	for (uint32_t i = 0; i < turn->n_candidates; i++)
	{
		rstar_candidate *c = &turn->candidates[i];
		rstar_sandbox_step step = {.code = c->parse.code.data,
								   .length = c->parse.code.length,
								   .limits = search->options.limits};
		rstar_sandbox_node parent = c->tree->attached[c->parent].state;
		rstar_status status;

		if (!rstar_candidate_alive(c) || c->node.kind == RSTAR_NODE_ANSWER || c->judged)
			continue;
		status = rstar_sandbox_start(search->parts.sandbox, parent, &step, &c->state, err);
		if (status != RSTAR_OK)
			return status;
		c->running = true;
		c->tree->cost.python_steps++;
		turn->n_running++;
	}
	return RSTAR_OK;
}

/* All that was printed since <code>, along the path, and now. */
static bool
printed_in_block(const rstar_tree *tree, uint32_t id, rstar_buffer *out)
{
	const rstar_tree_node *node = &tree->nodes[id];

	if (node->state != RSTAR_SOLUTION_CODE)
		return true;
	return printed_in_block(tree, node->parent, out) &&
		   rstar_buffer_append(out, node->output.data, node->output.length);
}

/* At <end_of_code> the output goes into the text, where the policy will read it. */
static rstar_status
insert_output(rstar_search *search, rstar_candidate *c, const rstar_sandbox_result *result,
			  rstar_error *err)
{
	rstar_buffer printed;
	rstar_status status = RSTAR_OK;

	rstar_buffer_init(&printed, search->allocator);
	if (!printed_in_block(&c->tree->mcts.tree, c->parent, &printed) ||
		!rstar_buffer_append(&printed, c->output.data, c->output.length) ||
		(printed.length == 0 && result->value &&
		 !rstar_buffer_append(&printed, result->value, result->value_length)))
		status = rstar_error_memory(err, printed.length);
	if (status == RSTAR_OK)
		status = rstar_output_append(&c->text, printed.data, printed.length,
									 search->options.output_characters,
									 search->parts.policy.tokenizer, err);
	rstar_buffer_free(&printed);
	return status;
}

/*
 * A model that learns the format from its prompt finds the next step begun as in the worked
 * examples. Left with the tag alone, whose last character its vocabulary joins with the line's
 * end, it often takes the code for finished.
 */
static rstar_status
insert_blank_line(rstar_candidate *c, rstar_error *err)
{
	if (c->watch.habits && !rstar_buffer_append_text(&c->text, RSTAR_STEP_GAP))
		return rstar_error_memory(err, c->text.length + 2);
	return RSTAR_OK;
}

static rstar_node_status
node_status(rstar_sandbox_status status)
{
	switch (status)
	{
		case RSTAR_SANDBOX_OK:
			return RSTAR_NODE_OK;
		case RSTAR_SANDBOX_ERROR:
			return RSTAR_NODE_ERROR;
		case RSTAR_SANDBOX_TIMEOUT:
			return RSTAR_NODE_TIMEOUT;
		case RSTAR_SANDBOX_KILLED:
			break;
	}
	return RSTAR_NODE_KILLED;
}

static bool
append_failure(rstar_buffer *out, const rstar_sandbox_result *result)
{
	return rstar_buffer_append_text(out, result->error ? result->error : "error") &&
		   (!result->message || !result->message[0] ||
			(rstar_buffer_append_text(out, ": ") &&
			 rstar_buffer_append_text(out, result->message)));
}

/* The candidate whose step that is, and its turn. */
static rstar_candidate *
find_running(rstar_search *search, rstar_sandbox_node node, rstar_turn **turn)
{
	for (uint32_t t = 0; t < search->n_turns; t++)
	{
		*turn = search->turns[t];
		for (uint32_t i = 0; (*turn)->n_running > 0 && i < (*turn)->n_candidates; i++)
			if ((*turn)->candidates[i].running && (*turn)->candidates[i].state == node)
				return &(*turn)->candidates[i];
	}
	return NULL;
}

static rstar_status
take_result(rstar_search *search, const rstar_sandbox_result *result, rstar_error *err)
{
	rstar_turn *turn;
	rstar_candidate *c = find_running(search, result->node, &turn);

	if (!c)
		return rstar_error_set(err, RSTAR_ERR_INTERNAL, "result of an unknown step");
	c->running = false;
	turn->n_running--;
	c->node.status = node_status(result->status);
	if (result->status == RSTAR_SANDBOX_TIMEOUT || result->status == RSTAR_SANDBOX_KILLED)
		c->tree->cost.reproducible = false;
	if (!rstar_buffer_append(&c->output, result->output, result->output_length))
		return rstar_error_memory(err, result->output_length);
	if (result->status != RSTAR_SANDBOX_OK)
	{
		c->node.errors = parent_of(c)->errors + 1;
		c->node.kept = c->node.errors < search->options.max_code_errors;
		if (!append_failure(&c->output, result))
			return rstar_error_memory(err, c->output.length);
		if (!c->node.kept)
			return RSTAR_OK;
	}
	if (c->parse.kind == RSTAR_STEP_CODE_END)
		return insert_output(search, c, result, err);
	return insert_blank_line(c, err);
}

rstar_status
rstar_search_take_results(rstar_search *search, int timeout_ms, const rstar_cancel *cancel,
						  rstar_error *err)
{
	while (rstar_sandbox_in_flight(search->parts.sandbox) > 0)
	{
		rstar_sandbox_result result;
		rstar_status status =
			rstar_sandbox_wait(search->parts.sandbox, timeout_ms, cancel, &result, err);

		if (status != RSTAR_OK)
			return status;
		status = take_result(search, &result, err);
		rstar_sandbox_result_free(&result);
		if (status != RSTAR_OK)
			return status;
		timeout_ms = 0;
	}
	return RSTAR_OK;
}

/* --- tokens -------------------------------------------------------------------------- */

/*
 * The text that goes into the context is the one that was kept, with its output, not the
 * tokens as sampled. Both models follow the same path, each in its own cache and with its own
 * tokenizer, and the shorter context decides whether the node may have children.
 */
static rstar_status
encode_candidate(rstar_search *search, rstar_candidate *c, const rstar_cancel *cancel,
				 rstar_error *err)
{
	const rstar_search_model *policy = &search->parts.policy;
	const rstar_search_model *ppm = &search->parts.ppm;
	const rstar_allocator *allocator = search->allocator;
	rstar_step_text text = {{c->text.data ? c->text.data : "", c->text.length}, c->node.written};
	rstar_status status = RSTAR_OK;
	bool fits = true;

	if (policy->engine)
	{
		status = rstar_search_set_tokens(policy, c->policy, &text, allocator, cancel, NULL, err);
		fits = status == RSTAR_OK &&
			   rstar_kv_node_end(c->policy) <= rstar_engine_max_context(policy->engine);
	}
	if (status == RSTAR_OK && ppm->engine)
	{
		status = rstar_kv_node_create(rstar_engine_kv(ppm->engine),
									  c->tree->attached[c->parent].ppm, &c->ppm, err);
		if (status == RSTAR_OK)
			status = rstar_search_set_tokens(ppm, c->ppm, &text, allocator, cancel,
											 &c->reading.written, err);
		fits = fits && status == RSTAR_OK &&
			   rstar_kv_node_end(c->ppm) <= rstar_engine_max_context(ppm->engine);
	}
	/* What a long output leaves no room for is a dead end like any other. */
	if (status == RSTAR_OK && !fits)
	{
		c->node.status = RSTAR_NODE_TOO_DEEP;
		c->node.kept = false;
	}
	return status;
}

static bool
same_tokens(const rstar_kv_node *a, const rstar_kv_node *b)
{
	uint32_t n = rstar_kv_node_count(a);

	return rstar_kv_node_parent(a) == rstar_kv_node_parent(b) && rstar_kv_node_count(b) == n &&
		   memcmp(rstar_kv_node_tokens(a), rstar_kv_node_tokens(b), n * sizeof(int32_t)) == 0;
}

/*
 * Samples are not merged when they say the same, but the model need not know that there are
 * several: they go on from one place in the cache, and what they then have in common is again
 * computed once. Not so the PPM's: it is asked for each candidate.
 */
static void
share_place(rstar_turn *turn, uint32_t i)
{
	rstar_candidate *c = &turn->candidates[i];

	for (uint32_t j = 0; j < i && c->policy; j++)
	{
		rstar_kv_node *place = turn->candidates[j].policy;

		if (!place || place == c->policy || !rstar_candidate_alive(&turn->candidates[j]) ||
			!same_tokens(place, c->policy))
			continue;
		rstar_kv_node_retain(place);
		rstar_kv_node_release(c->policy);
		c->policy = place;
		return;
	}
}

rstar_status
rstar_search_encode_candidates(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel,
							   rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	for (uint32_t i = 0; i < turn->n_candidates && status == RSTAR_OK; i++)
		if (rstar_candidate_alive(&turn->candidates[i]))
		{
			status = encode_candidate(search, &turn->candidates[i], cancel, err);
			share_place(turn, i);
		}
	return status;
}

void
rstar_search_free_candidates(rstar_search *search, rstar_turn *turn)
{
	for (uint32_t i = 0; i < turn->n_candidates; i++)
	{
		rstar_candidate *c = &turn->candidates[i];

		rstar_stop_watch_free(&c->watch);
		rstar_buffer_free(&c->text);
		rstar_buffer_free(&c->output);
		rstar_kv_node_release(c->policy);
		rstar_kv_node_release(c->ppm);
		if (c->state)
			rstar_sandbox_release(search->parts.sandbox, c->state);
	}
	rstar_free(search->allocator, turn->candidates);
	turn->candidates = NULL;
	turn->n_candidates = 0;
	turn->n_running = 0;
	rstar_arena_reset(&turn->answers);
}

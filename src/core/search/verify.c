/*
 * verify.c
 *	  Answers that the caller grades.
 *
 * The search knows one way to tell right from wrong, comparing with a known
 * answer. For a verified problem it asks: between two slices the caller takes
 * one question after the other and gives verdicts, and only then do the
 * candidates enter their trees. So a tree depends on verdicts as it does on
 * grades, and not on when they were given.
 */
#include <string.h>

#include "core/grade/grade.h"
#include "core/search/internal.h"

/* --- the answer ----------------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static rstar_string
trimmed(rstar_string s)
{
	while (s.length > 0 && is_space(s.data[0]))
		s.data++, s.length--;
	while (s.length > 0 && is_space(s.data[s.length - 1]))
		s.length--;
	return s;
}

/* Where the next line that begins with a fence begins, at or behind `from`; the length: nowhere. */
static size_t
find_fence(rstar_string text, size_t from)
{
	while (from < text.length)
	{
		const char *hit = memmem(text.data + from, text.length - from, "```", 3);

		if (!hit)
			break;
		from = (size_t) (hit - text.data);
		if (from == 0 || text.data[from - 1] == '\n')
			return from;
		from++;
	}
	return text.length;
}

/* What stands between the last two fences that open and close a block; without them, false. */
static bool
last_block(rstar_string text, rstar_string *block)
{
	bool found = false;

	for (size_t open = find_fence(text, 0); open < text.length;)
	{
		const char *line_end = memchr(text.data + open, '\n', text.length - open);
		size_t begin = line_end ? (size_t) (line_end - text.data) + 1 : text.length;
		size_t close = find_fence(text, begin);

		*block = (rstar_string){text.data + begin, close - begin};
		found = true;
		open = close < text.length ? find_fence(text, close + 3) : close;
	}
	return found;
}

const char *
rstar_search_extract(rstar_arena *arena, rstar_string text, size_t *length)
{
	rstar_string answer = trimmed(text);
	rstar_string block;

	if (last_block(answer, &block))
		answer = trimmed(block);
	else if (memmem(answer.data, answer.length, "\\boxed", 6))
		return rstar_grade_extract(arena, text.data, text.length, length);
	*length = answer.length;
	return rstar_arena_strndup(arena, answer.data, answer.length);
}

/* --- questions and verdicts ------------------------------------------------------------ */

/* Whether the candidate is still in play: it may have been merged, or lie beside an answer. */
static bool
waits(const rstar_candidate *c)
{
	return c->asks && rstar_candidate_alive(c) && !c->tree->failed;
}

bool
rstar_search_asks(const rstar_turn *turn)
{
	for (uint32_t i = 0; turn->phase == PHASE_VERIFY && i < turn->n_candidates; i++)
		if (waits(&turn->candidates[i]))
			return true;
	return false;
}

/* The first candidate that waits, in the first turn that has one; NULL: none. */
static const rstar_candidate *
first_waiting(const rstar_search *search)
{
	for (uint32_t t = 0; t < search->n_turns; t++)
	{
		const rstar_turn *turn = search->turns[t];

		for (uint32_t i = 0; turn->phase == PHASE_VERIFY && i < turn->n_candidates; i++)
			if (waits(&turn->candidates[i]))
				return &turn->candidates[i];
	}
	return NULL;
}

rstar_status
rstar_search_ask(rstar_search *search, rstar_search_question *question, bool *asked,
				 rstar_error *err)
{
	rstar_buffer *solution = &search->asked_solution, *program = &search->asked_program;
	const rstar_candidate *c = first_waiting(search);

	*asked = false;
	if (!c)
		return RSTAR_OK;
	rstar_buffer_clear(solution);
	rstar_buffer_clear(program);
	if (!rstar_tree_solution(&c->tree->mcts.tree, c->parent, solution) ||
		!rstar_buffer_append(solution, c->text.data, c->text.length) ||
		!rstar_tree_program(&c->tree->mcts.tree, c->parent, program) ||
		!rstar_buffer_append(program, "", 0))
		return rstar_error_memory(err, solution->length + c->text.length);
	*question = (rstar_search_question){
		.problem = c->tree->number,
		.candidate = (uint32_t) (c - c->tree->turn->candidates),
		.answer = c->node.answer,
		.solution = {solution->data, solution->length},
		.program = {program->data, program->length},
	};
	*asked = true;
	return RSTAR_OK;
}

rstar_status
rstar_search_judge(rstar_search *search, const rstar_search_question *question,
				   const rstar_search_verdict *verdict, rstar_error *err)
{
	rstar_candidate *c = &search->trees[question->problem]->turn->candidates[question->candidate];

	c->asks = false;
	c->node.graded = true;
	c->node.grade = verdict->grade;
	c->node.correct = verdict->grade == 1;
	c->tree->cost.search_ms += verdict->ms;
	if (verdict->by_clock)
		c->tree->cost.reproducible = false;
	if (verdict->failed != RSTAR_OK)
	{
		c->tree->failed = verdict->failed;
		c->tree->failure = verdict->error;
	}
	return rstar_buffer_append_text(&c->output, verdict->why)
			   ? RSTAR_OK
			   : rstar_error_memory(err, sizeof verdict->why);
}

/*
 * turn.c
 *	  Turns: one of all trees together, or one for each tree.
 *
 * Together, a slice is a slice of the one turn's phase. Apart, a slice passes over all
 * turns and lets each go on as far as it can; only when every one of them waits for
 * the sandbox or for another server does the slice wait, for all of them at once.
 */
#include <math.h>

#include "core/search/internal.h"

#define WAIT_MS 10

/* --- life ------------------------------------------------------------------------------------ */

rstar_status
rstar_search_turn_begin(rstar_search *search, rstar_search_tree *tree, rstar_error *err)
{
	rstar_turn *turn = NULL;

	if (rstar_grow(search->allocator, (void **) &search->turns, &search->turns_capacity,
				   (size_t) search->n_turns + 1, sizeof *search->turns))
		turn = rstar_alloc_zero(search->allocator, sizeof *turn);
	if (!turn)
		return rstar_error_memory(err, sizeof *turn);
	turn->tree = tree;
	turn->phase = tree ? PHASE_SELECT : PHASE_DONE;
	rstar_arena_init(&turn->answers, search->allocator, 0);
	if (tree)
		tree->turn = turn;
	search->turns[search->n_turns++] = turn;
	return RSTAR_OK;
}

void
rstar_search_turn_end(rstar_search *search, rstar_turn *turn)
{
	uint32_t i = 0;

	search->writer->end(search, turn);
	if (search->scorer)
		search->scorer->end(search, turn);
	rstar_search_free_candidates(search, turn);
	rstar_arena_reset(&turn->answers);
	while (search->turns[i] != turn)
		i++;
	for (search->n_turns--; i < search->n_turns;
		 i++) /* in order: the server has seen their prompts */
		search->turns[i] = search->turns[i + 1];
	rstar_free(search->allocator, turn);
}

/* --- costs -------------------------------------------------------------------------------------- */

/* What is being done, and since when. */
typedef struct stretch
{
	double start_ms;
	uint64_t tokens;
} stretch;

static uint64_t
computed_tokens(const rstar_search *search)
{
	const rstar_engine *policy = search->parts.policy.engine, *ppm = search->parts.ppm.engine;

	return (policy ? rstar_engine_tokens_computed(policy) : 0) +
		   (ppm && ppm != policy ? rstar_engine_tokens_computed(ppm) : 0);
}

/* Note the phases that the trees are in, before they change. */
static stretch
begin_stretch(rstar_search *search)
{
	for (uint32_t t = search->first; t < search->n_begun; t++)
		if (search->trees[t] && search->trees[t]->turn)
			search->trees[t]->booked = search->trees[t]->turn->phase;
	return (stretch){rstar_clock_ms(), computed_tokens(search)};
}

/* Book what it cost on the trees that take part, each in the phase that it was in. */
static void
book(rstar_search *search, const stretch *s)
{
	double ms = (rstar_clock_ms() - s->start_ms) / fmax(search->n_active, 1);
	double tokens = (double) (computed_tokens(search) - s->tokens) / fmax(search->n_active, 1);

	for (uint32_t t = search->first; t < search->n_begun; t++)
	{
		const rstar_search_tree *tree = search->trees[t];
		rstar_search_cost *cost;

		if (!tree || tree->phase != TREE_ACTIVE)
			continue;
		cost = &search->trees[t]->cost;
		cost->search_ms += ms;
		cost->computed_tokens += tokens;
		if (tree->booked == PHASE_WRITE)
			cost->policy_ms += ms;
		else if (tree->booked == PHASE_RUN)
			cost->sandbox_ms += ms;
		else if (tree->booked == PHASE_SCORE)
			cost->ppm_ms += ms;
	}
}

/* --- together --------------------------------------------------------------------------------- */

static rstar_status
run_together(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_turn *turn = search->turns[0];
	stretch s = begin_stretch(search);
	rstar_status status;

	turn->blocked = false;
	status = rstar_search_run_phase(search, turn, cancel, err);
	if (status == RSTAR_AGAIN && turn->blocked && search->http && turn->phase != PHASE_VERIFY)
	{
		status = rstar_http_work(search->http, WAIT_MS, -1, err);
		if (status == RSTAR_OK)
			status = RSTAR_AGAIN;
	}
	book(search, &s);
	if (status == RSTAR_OK && turn->phase != PHASE_DONE)
		return RSTAR_AGAIN;
	return status;
}

/* --- apart ------------------------------------------------------------------------------------- */

/* Let a turn go on until it waits or has done a slice of its own; *moved: it did something. */
static rstar_status
run_turn(rstar_search *search, rstar_turn *turn, const rstar_cancel *cancel, bool *moved,
		 rstar_error *err)
{
	rstar_status status;

	turn->blocked = false;
	do
	{
		status = rstar_search_run_phase(search, turn, cancel, err);
		*moved |= status == RSTAR_OK || !turn->blocked;
	} while (status == RSTAR_OK && turn->phase != PHASE_DONE && turn->phase != PHASE_SELECT);
	if (status == RSTAR_OK && turn->phase == PHASE_DONE)
		rstar_search_turn_end(search, turn);
	return status == RSTAR_AGAIN ? RSTAR_OK : status;
}

static rstar_status
pass(rstar_search *search, const rstar_cancel *cancel, bool *moved, rstar_error *err)
{
	rstar_status status = rstar_search_begin_trees(search, cancel, err);

	for (uint32_t i = 0; i < search->n_turns && status == RSTAR_OK;)
	{
		rstar_turn *turn = search->turns[i];

		status = run_turn(search, turn, cancel, moved, err);
		if (i < search->n_turns && search->turns[i] == turn)
			i++;
		if (rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "cancelled");
	}
	return status;
}

/* Let answers and results come in; wait for them if nothing else is to do. */
static rstar_status
receive(rstar_search *search, bool wait, const rstar_cancel *cancel, rstar_error *err)
{
	bool steps = search->parts.sandbox && rstar_sandbox_in_flight(search->parts.sandbox) > 0;
	bool answers = rstar_http_unanswered(search->http) > 0;
	int descriptor = steps ? rstar_sandbox_descriptor(search->parts.sandbox) : -1;
	rstar_status status = RSTAR_OK;

	if (answers)
		status = rstar_http_work(search->http, wait ? WAIT_MS : 0, descriptor, err);
	if (status == RSTAR_OK && steps)
		status = rstar_search_take_results(search, wait && !answers ? WAIT_MS : 0, cancel, err);
	return status == RSTAR_AGAIN ? RSTAR_OK : status;
}

/* Is there something that the caller should look at? */
static bool
calls_for_attention(const rstar_search *search)
{
	for (uint32_t i = 0; i < search->n_turns; i++)
		if (rstar_search_asks(search->turns[i]))
			return true;
	for (uint32_t t = search->first; t < search->n_begun; t++)
		if (search->trees[t] && search->trees[t]->phase == TREE_FINISHED)
			return true;
	return false;
}

static rstar_status
run_apart(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	double deadline = rstar_clock_ms() + RSTAR_SLICE_MS;
	rstar_status status;

	do
	{
		bool moved = false;
		stretch s = begin_stretch(search);

		status = pass(search, cancel, &moved, err);
		book(search, &s);
		s = begin_stretch(search);
		if (status == RSTAR_OK && search->n_turns > 0)
			status = receive(search, !moved, cancel, err);
		book(search, &s);
	} while (status == RSTAR_OK && search->n_turns > 0 && rstar_clock_ms() < deadline &&
			 !calls_for_attention(search));
	if (status != RSTAR_OK)
		return status;
	return search->n_turns > 0 || search->n_begun < search->n_trees ? RSTAR_AGAIN : RSTAR_OK;
}

rstar_status
rstar_search_run_turns(rstar_search *search, const rstar_cancel *cancel, rstar_error *err)
{
	return search->apart ? run_apart(search, cancel, err) : run_together(search, cancel, err);
}

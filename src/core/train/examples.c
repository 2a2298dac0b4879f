/*
 * examples.c
 *	  What a run learns from.
 */
#include "core/train/examples.h"

#include <math.h>
#include <string.h>

void
rstar_examples_init(rstar_examples *e, const rstar_tokenizer *tokenizer,
					rstar_prompt_template prompt, uint32_t context, bool train_on_output,
					const rstar_allocator *allocator)
{
	memset(e, 0, sizeof *e);
	e->allocator = allocator;
	e->tokenizer = tokenizer;
	e->prompt = prompt;
	e->context = context;
	e->train_on_output = train_on_output;
}

void
rstar_examples_free(rstar_examples *e)
{
	rstar_free(e->allocator, e->items);
	rstar_free(e->allocator, e->ids);
	rstar_free(e->allocator, e->learned);
	e->items = NULL;
	e->ids = NULL;
	e->learned = NULL;
}

/* --- pieces ---------------------------------------------------------------------- */

/* The texts of the nodes of several texts, one behind the other. */
typedef struct pieces
{
	rstar_step_text *texts;
	size_t n, capacity;
	rstar_solution_state state;
	rstar_step_kind last;
} pieces;

static rstar_status
cut(rstar_examples *e, rstar_string text, pieces *p, rstar_error *err)
{
	bool shown = rstar_prompt_shows_steps(&e->prompt);

	for (size_t at = 0; at < text.length;)
	{
		rstar_string piece = {text.data + at,
							  rstar_solution_cut(text.data + at, text.length - at, shown)};
		rstar_step_parse parse;

		if (!rstar_grow(e->allocator, (void **) &p->texts, &p->capacity, p->n + 1,
						sizeof *p->texts))
			return rstar_error_memory(err, (p->n + 1) * sizeof *p->texts);
		rstar_step_parse_text(piece.data, piece.length, p->state, &parse);
		p->last = parse.kind;
		if (parse.kind != RSTAR_STEP_UNPARSABLE)
			p->state = parse.next;
		p->texts[p->n++] = (rstar_step_text){
			piece, parse.kind == RSTAR_STEP_UNPARSABLE ? piece.length : parse.written};
		at += piece.length;
	}
	return RSTAR_OK;
}

/* --- the store --------------------------------------------------------------------- */

/* Append a sequence, nothing of it learned; *at is where it begins. */
static rstar_status
store(rstar_examples *e, const int32_t *ids, size_t count, size_t *at, rstar_error *err)
{
	if (!rstar_grow(e->allocator, (void **) &e->ids, &e->ids_capacity, e->n_ids + count,
					sizeof *e->ids) ||
		!rstar_grow(e->allocator, (void **) &e->learned, &e->learned_capacity, e->n_ids + count,
					sizeof *e->learned))
		return rstar_error_memory(err, (e->n_ids + count) * sizeof *e->ids);
	*at = e->n_ids;
	memcpy(e->ids + *at, ids, count * sizeof *ids);
	memset(e->learned + *at, 0, count * sizeof *e->learned);
	e->n_ids += count;
	e->tokens += count;
	if (count > e->longest)
		e->longest = (uint32_t) count;
	return RSTAR_OK;
}

static rstar_status
append(rstar_examples *e, const rstar_example *item, rstar_error *err)
{
	if (!rstar_grow(e->allocator, (void **) &e->items, &e->capacity, e->n + 1, sizeof *e->items))
		return rstar_error_memory(err, (e->n + 1) * sizeof *e->items);
	e->items[e->n++] = *item;
	return RSTAR_OK;
}

rstar_status
rstar_examples_add_ids(rstar_examples *e, const int32_t *ids, const bool *learned, uint32_t length,
					   rstar_error *err)
{
	rstar_example item = {.length = {length, 0}, .weight = 1.0f, .problem = e->n};
	rstar_status st = store(e, ids, length, &item.ids[0], err);

	if (st != RSTAR_OK)
		return st;
	/* The first token is predicted by nothing. */
	for (uint32_t t = 1; t < length; t++)
		item.learned += e->learned[item.ids[0] + t] = learned[t];
	return append(e, &item, err);
}

/* FNV-1a, of the prompt's ids. */
static uint64_t
hash_problem(const rstar_sequence_ids *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s->ends[0]; i++)
		hash = (hash ^ (uint32_t) s->ids[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* --- solutions ------------------------------------------------------------------------ */

/* Which ids of a sequence the policy learns: [count] marks, to be freed, or NULL. */
static bool *
mark_learned(const rstar_examples *e, const rstar_sequence_ids *s)
{
	bool *learned = rstar_alloc_array_zero(e->allocator, s->count + 1, sizeof *learned);

	for (size_t i = 0; learned && i < s->n_steps; i++)
	{
		size_t n = e->train_on_output ? s->ends[i + 1] - s->ends[i] : s->written[i];

		memset(learned + s->ends[i], true, n * sizeof *learned);
	}
	if (learned && s->has_end)
		learned[s->count - 1] = true;
	return learned;
}

static rstar_status
add_sequence(rstar_examples *e, const rstar_sequence_ids *s, rstar_error *err)
{
	bool *learned = mark_learned(e, s);
	rstar_status st;

	if (!learned)
		return rstar_error_memory(err, s->count);
	st = rstar_examples_add_ids(e, s->ids, learned, (uint32_t) s->count, err);
	if (st == RSTAR_OK)
		e->items[e->n - 1].problem = hash_problem(s);
	rstar_free(e->allocator, learned);
	return st;
}

rstar_status
rstar_examples_add_solution(rstar_examples *e, rstar_string problem, rstar_string solution,
							const rstar_cancel *cancel, uint32_t *length, rstar_error *err)
{
	pieces p = {.state = RSTAR_SOLUTION_START};
	rstar_sequence_ids s = {0};
	rstar_status st = cut(e, solution, &p, err);

	*length = 0;
	if (st == RSTAR_OK && p.n == 0)
		st = rstar_error_set(err, RSTAR_ERR_ARGUMENT, "solution is empty");
	if (st == RSTAR_OK)
		st = rstar_sequence_encode(e->tokenizer, &e->prompt, problem, p.texts, p.n,
								   p.last == RSTAR_STEP_ANSWER, e->allocator, cancel, &s, err);
	if (st == RSTAR_OK)
	{
		*length = (uint32_t) s.count;
		if (s.count <= e->context)
			st = add_sequence(e, &s, err);
	}
	rstar_sequence_ids_free(&s, e->allocator);
	rstar_free(e->allocator, p.texts);
	return st;
}

/* --- pairs ---------------------------------------------------------------------------------- */

static rstar_status
encode_side(rstar_examples *e, rstar_string problem, rstar_string prefix, rstar_string side,
			const rstar_cancel *cancel, rstar_sequence_ids *s, rstar_error *err)
{
	pieces p = {.state = RSTAR_SOLUTION_START};
	rstar_status st = cut(e, prefix, &p, err);
	size_t before = p.n;

	if (st == RSTAR_OK)
		st = cut(e, side, &p, err);
	if (st == RSTAR_OK && p.n == before)
		st = rstar_error_set(err, RSTAR_ERR_ARGUMENT, "step of a pair is empty");
	if (st == RSTAR_OK)
		st = rstar_sequence_encode(e->tokenizer, &e->prompt, problem, p.texts, p.n, false,
								   e->allocator, cancel, s, err);
	rstar_free(e->allocator, p.texts);
	return st;
}

/* What the model wrote, of every step all but the first token. */
static void
mark_judged(rstar_examples *e, const rstar_sequence_ids *s, size_t at)
{
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->written[i] > 1)
			memset(e->learned + at + s->ends[i] + 1, true, s->written[i] - 1);
}

rstar_status
rstar_examples_add_pair(rstar_examples *e, rstar_string problem, rstar_string prefix,
						rstar_string chosen, rstar_string rejected, double weight,
						const rstar_cancel *cancel, uint32_t *length, rstar_error *err)
{
	rstar_example item = {.weight = (float) weight};
	rstar_sequence_ids sides[2] = {{0}, {0}};
	rstar_status st = RSTAR_OK;

	*length = 0;
	if (!(weight > 0 && weight < 1e6))
		st =
			rstar_error_set(err, RSTAR_ERR_ARGUMENT, "weight %g of a pair is out of range", weight);
	for (int i = 0; i < 2 && st == RSTAR_OK; i++)
	{
		st = encode_side(e, problem, prefix, i ? rejected : chosen, cancel, &sides[i], err);
		if (sides[i].count > *length)
			*length = (uint32_t) sides[i].count;
	}
	for (int i = 0; i < 2 && st == RSTAR_OK && *length <= e->context; i++)
	{
		item.length[i] = (uint32_t) sides[i].count;
		item.problem = hash_problem(&sides[i]);
		st = store(e, sides[i].ids, sides[i].count, &item.ids[i], err);
		if (st == RSTAR_OK)
			mark_judged(e, &sides[i], item.ids[i]);
	}
	if (st == RSTAR_OK && *length <= e->context)
		st = append(e, &item, err);
	for (int i = 0; i < 2; i++)
		rstar_sequence_ids_free(&sides[i], e->allocator);
	return st;
}

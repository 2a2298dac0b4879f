/*
 * trainer.c
 *	  A run of training, in slices.
 *
 * BEGIN decides what comes next: an evaluation if one is due, else a batch,
 * else the end. A batch goes through PASS, micro-batch by micro-batch, then
 * OPTIMISE, tensor by tensor.
 */
#include "core/train/trainer_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/sha256.h"

#define SMOOTHING 0.9 /* of the loss that divergence is judged by */
#define FAR_ABOVE 2.0 /* nats above the first loss: a run that has diverged */

/* --- life ------------------------------------------------------------------------ */

static rstar_status
check_settings(const rstar_train_settings *s, const rstar_examples *examples, rstar_error *err)
{
	if (examples->n == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "there is nothing to train on");
	if (!(s->epochs > 0 && s->epochs <= 1e6))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "%g epochs are out of range", s->epochs);
	if (!(s->optimiser.rate > 0 && s->optimiser.rate <= 10))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "learning rate %g is out of range",
							   (double) s->optimiser.rate);
	if (!(s->likelihood >= 0 && s->likelihood <= 1000))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "likelihood %g is not between 0 and 1000",
							   (double) s->likelihood);
	if (!(s->held_out >= 0 && s->held_out <= 0.5))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "held-out share %g is not between 0 and 0.5", s->held_out);
	if (!(s->warmup >= 0 && s->warmup <= 1))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "warm-up share %g is not between 0 and 1",
							   s->warmup);
	return RSTAR_OK;
}

rstar_status
rstar_trainer_create(const rstar_gguf *base, const rstar_examples *examples,
					 const rstar_train_settings *settings, rstar_pool *pool,
					 const rstar_allocator *allocator, const rstar_cancel *cancel,
					 rstar_trainer **out, rstar_error *err)
{
	rstar_status st = check_settings(settings, examples, err);
	rstar_trainer *t;

	*out = NULL;
	if (st != RSTAR_OK)
		return st;
	t = rstar_alloc_zero(allocator, sizeof *t);
	if (!t)
		return rstar_error_memory(err, sizeof *t);
	t->allocator = allocator;
	t->settings = *settings;
	t->examples = examples;
	t->pool = pool;
	t->state.held_out_loss = t->state.held_out_correct = NAN;
	st = rstar_trainer_set_up(t, base, cancel, err);
	if (st != RSTAR_OK)
	{
		rstar_trainer_free(t);
		return st;
	}
	t->tokens_total = (uint64_t) (settings->epochs * (double) t->order.tokens + 0.5);
	*out = t;
	return RSTAR_OK;
}

void
rstar_trainer_free(rstar_trainer *t)
{
	if (!t)
		return;
	rstar_trainer_take_down(t);
	rstar_free(t->allocator, t);
}

/* --- micro-batches ----------------------------------------------------------------- */

static void
add_sequence(rstar_trainer *t, uint32_t n, const rstar_example *e, int side)
{
	t->sequences[n] = (rstar_pass_sequence){
		.ids = t->examples->ids + e->ids[side],
		.learned = t->marked ? t->examples->learned + e->ids[side] : NULL,
		.length = e->length[side],
	};
}

/* Take examples from t->at on into one micro-batch, and begin it. */
static rstar_status
begin_micro(rstar_trainer *t, bool backward, rstar_error *err)
{
	rstar_pass_batch batch = {
		.sequences = t->sequences, .pairs = t->pairs, .scale = (float) (1.0 / t->counted)};
	uint32_t tokens = 0, sides = t->settings.ppm ? 2 : 1;

	while (t->at < t->end)
	{
		const rstar_example *e = &t->examples->items[t->list[t->at]];
		uint32_t n = batch.n_sequences;

		if (n + sides > t->max_sequences ||
			(n > 0 && tokens + rstar_order_tokens(e) > t->plan.micro_tokens))
			break;
		add_sequence(t, n, e, 0);
		if (t->settings.ppm)
		{
			add_sequence(t, n + 1, e, 1);
			t->pairs[batch.n_pairs++] =
				(rstar_pass_pair){n, n + 1, e->length[0] - 1, e->length[1] - 1, e->weight};
		}
		batch.n_sequences += sides;
		tokens += rstar_order_tokens(e);
		t->at++;
	}
	t->n_pairs += batch.n_pairs;
	return rstar_pass_begin(t->pass, &batch, backward, err);
}

/* What the examples list[at .. end) count: tokens learned, or weights. */
static double
count_batch(const rstar_trainer *t)
{
	double counted = 0;

	for (uint32_t i = t->at; i < t->end; i++)
	{
		const rstar_example *e = &t->examples->items[t->list[i]];

		counted += t->settings.ppm ? (double) e->weight : (double) e->learned;
	}
	return counted;
}

static void
set_list(rstar_trainer *t, const uint32_t *list, uint32_t at, uint32_t end)
{
	t->list = list;
	t->at = at;
	t->end = end;
	t->sum = (rstar_pass_result){0};
	t->n_pairs = 0;
	t->counted = count_batch(t);
}

/* --- phases ------------------------------------------------------------------------- */

static bool
is_over(const rstar_trainer *t)
{
	return t->state.tokens >= t->tokens_total;
}

/* At the beginning, now and then, and at the end. */
static bool
evaluation_due(const rstar_trainer *t)
{
	uint32_t every = t->settings.evaluate_every;

	if (t->order.n_held_out == 0 || t->state.evaluated == t->state.step + 1)
		return false;
	return t->state.step == 0 || is_over(t) || (every > 0 && t->state.step % every == 0);
}

static rstar_status
begin_evaluation(rstar_trainer *t, rstar_error *err)
{
	set_list(t, t->order.held_out, 0, t->order.n_held_out);
	t->phase = RSTAR_PHASE_EVALUATE;
	return begin_micro(t, false, err);
}

static rstar_status
begin_batch(rstar_trainer *t, rstar_error *err)
{
	uint32_t n;

	if (t->state.at >= t->order.n_trained)
	{
		t->state.epoch++;
		t->state.at = 0;
	}
	if (t->order.epoch != t->state.epoch)
		rstar_order_epoch(&t->order, t->state.epoch);
	n = rstar_order_batch(t->examples, t->order.trained, t->order.n_trained, t->state.at,
						  t->settings.batch_tokens);
	set_list(t, t->order.trained, t->state.at, t->state.at + n);
	rstar_optimiser_clear(t->optimiser);
	t->phase = RSTAR_PHASE_PASS;
	return begin_micro(t, true, err);
}

/* A pass is done: add up what it says; *more if the list goes on. */
static rstar_status
end_micro(rstar_trainer *t, bool backward, bool *more, rstar_error *err)
{
	rstar_pass_result r = rstar_pass_get(t->pass);

	t->sum.loss += r.loss;
	t->sum.correct += r.correct;
	*more = t->at < t->end;
	return *more ? begin_micro(t, backward, err) : RSTAR_OK;
}

static rstar_status
diverged(const rstar_trainer *t, double loss, double norm, rstar_error *err)
{
	rstar_error_set(err, RSTAR_ERR_LIMIT, "training diverged in step %llu",
					(unsigned long long) t->state.step + 1);
	rstar_error_detail(err, "The loss is %g, its gradient's norm %g; the first loss was %g.", loss,
					   norm, t->state.first);
	return rstar_error_hint(err, "Lower \"learning_rate\", or train longer with a warm-up.");
}

/* All micro-batches are done: judge the gradient and begin to step along it. */
static rstar_status
begin_optimise(rstar_trainer *t, rstar_error *err)
{
	rstar_train_state *s = &t->state;
	double loss = t->sum.loss / t->counted, norm = rstar_optimiser_norm(t->optimiser);
	double progress = (double) s->tokens / (double) t->tokens_total;
	double share = rstar_schedule_share(t->settings.schedule, t->settings.warmup, progress);

	if (s->step == 0)
		s->first = s->smoothed = loss;
	s->smoothed = SMOOTHING * s->smoothed + (1 - SMOOTHING) * loss;
	if (!isfinite(loss) || !isfinite(norm) || s->smoothed > s->first + FAR_ABOVE)
		return diverged(t, loss, norm, err);
	s->loss = loss;
	s->correct = t->n_pairs > 0 ? (double) t->sum.correct / t->n_pairs : NAN;
	s->norm = norm;
	s->rate = share * (double) t->settings.optimiser.rate;
	rstar_optimiser_begin(t->optimiser, s->step + 1, share, norm);
	t->phase = RSTAR_PHASE_OPTIMISE;
	return RSTAR_OK;
}

static void
end_step(rstar_trainer *t)
{
	for (uint32_t i = t->state.at; i < t->end; i++)
		t->state.tokens += rstar_order_tokens(&t->examples->items[t->list[i]]);
	t->state.at = t->end;
	t->state.step++;
	t->phase = RSTAR_PHASE_BEGIN;
}

static void
end_evaluation(rstar_trainer *t)
{
	t->state.held_out_loss = t->sum.loss / t->counted;
	t->state.held_out_correct = t->n_pairs > 0 ? (double) t->sum.correct / t->n_pairs : NAN;
	t->state.evaluated = t->state.step + 1;
	t->phase = RSTAR_PHASE_BEGIN;
}

/* A batch in which nothing counts (answers cut off by their text, say) is passed over. */
static rstar_status
advance_pass(rstar_trainer *t, const rstar_cancel *cancel, rstar_train_event *event,
			 rstar_error *err)
{
	bool backward = t->phase == RSTAR_PHASE_PASS, more = false;
	rstar_status st = rstar_pass_step(t->pass, cancel, err);

	if (st == RSTAR_AGAIN)
		return RSTAR_OK;
	if (st == RSTAR_OK)
		st = end_micro(t, backward, &more, err);
	if (st != RSTAR_OK || more)
		return st;
	if (backward && t->counted > 0)
		return begin_optimise(t, err);
	if (backward)
		end_step(t);
	else
		end_evaluation(t);
	*event = backward ? RSTAR_TRAIN_STEP : RSTAR_TRAIN_EVALUATED;
	return RSTAR_OK;
}

static rstar_status
advance_optimiser(rstar_trainer *t, const rstar_cancel *cancel, rstar_train_event *event,
				  rstar_error *err)
{
	int64_t start = rstar_clock_ns();
	rstar_status st = rstar_optimiser_advance(t->optimiser, cancel, err);

	t->optimiser_time += (double) (rstar_clock_ns() - start) * 1e-9;
	if (st == RSTAR_AGAIN)
		return RSTAR_OK;
	if (st == RSTAR_OK)
	{
		end_step(t);
		*event = RSTAR_TRAIN_STEP;
	}
	return st;
}

rstar_status
rstar_trainer_advance(rstar_trainer *t, const rstar_cancel *cancel, rstar_train_event *event,
					  rstar_error *err)
{
	*event = RSTAR_TRAIN_SLICE;
	switch (t->phase)
	{
		case RSTAR_PHASE_BEGIN:
			if (evaluation_due(t))
				return begin_evaluation(t, err);
			if (!is_over(t))
				return begin_batch(t, err);
			t->phase = RSTAR_PHASE_DONE;
			break;
		case RSTAR_PHASE_PASS:
		case RSTAR_PHASE_EVALUATE:
			return advance_pass(t, cancel, event, err);
		case RSTAR_PHASE_OPTIMISE:
			return advance_optimiser(t, cancel, event, err);
		case RSTAR_PHASE_DONE:
			break;
	}
	*event = RSTAR_TRAIN_DONE;
	return RSTAR_OK;
}

/* --- reports --------------------------------------------------------------------------- */

rstar_train_report
rstar_trainer_report(const rstar_trainer *t)
{
	const rstar_train_state *s = &t->state;

	return (rstar_train_report){
		.step = s->step,
		.tokens = s->tokens,
		.tokens_total = t->tokens_total,
		.loss = s->loss,
		.correct = s->correct,
		.held_out_loss = s->held_out_loss,
		.held_out_correct = s->held_out_correct,
		.rate = s->rate,
		.norm = s->norm,
	};
}

rstar_train_plan
rstar_trainer_memory(const rstar_trainer *t)
{
	return t->plan;
}

const char *
rstar_trainer_kernel(const rstar_trainer *t)
{
	return rstar_gemm_name(t->gemm);
}

rstar_pass_times
rstar_trainer_times(const rstar_trainer *t, double *optimiser)
{
	*optimiser = t->optimiser_time;
	return rstar_pass_time(t->pass);
}

/* --- values of pairs ------------------------------------------------------------------------ */

bool
rstar_trainer_holds_out(const rstar_trainer *t, uint32_t i)
{
	for (uint32_t j = 0; j < t->order.n_held_out; j++)
		if (t->order.held_out[j] == i)
			return true;
	return false;
}

bool
rstar_trainer_between_steps(const rstar_trainer *t)
{
	return t->phase == RSTAR_PHASE_BEGIN || t->phase == RSTAR_PHASE_DONE;
}

static rstar_status
check_between_steps(const rstar_trainer *t, rstar_error *err)
{
	if (rstar_trainer_between_steps(t))
		return RSTAR_OK;
	return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "a run is between two steps");
}

rstar_status
rstar_trainer_values(rstar_trainer *t, uint32_t *next, float *chosen, float *rejected,
					 const rstar_cancel *cancel, rstar_error *err)
{
	uint32_t first = *next, n = (uint32_t) t->examples->n;
	rstar_status st = check_between_steps(t, err);

	if (st == RSTAR_OK && !t->settings.ppm)
		st = rstar_error_set(err, RSTAR_ERR_ARGUMENT, "a policy has no values");
	if (st != RSTAR_OK || first >= n)
		return st;
	set_list(t, t->all, first, n);
	st = begin_micro(t, false, err);
	while (st == RSTAR_OK || st == RSTAR_AGAIN)
	{
		st = rstar_pass_step(t->pass, cancel, err);
		if (st == RSTAR_OK)
			break;
	}
	if (st != RSTAR_OK)
		return st;
	for (uint32_t i = first; i < t->at; i++)
	{
		chosen[i] = rstar_pass_values(t->pass)[2 * (i - first)];
		rejected[i] = rstar_pass_values(t->pass)[2 * (i - first) + 1];
	}
	*next = t->at;
	return t->at < n ? RSTAR_AGAIN : RSTAR_OK;
}

void
rstar_trainer_center(rstar_trainer *t, float *chosen, float *rejected)
{
	size_t n = t->examples->n;
	double sum = 0;
	float mean;

	for (size_t i = 0; i < n; i++)
		sum += (double) chosen[i] + (double) rejected[i];
	mean = n > 0 ? (float) (sum / (2.0 * (double) n)) : 0.0f;
	t->model->tensors[t->model->value_bias].value[0] -= mean;
	for (size_t i = 0; i < n; i++)
	{
		chosen[i] -= mean;
		rejected[i] -= mean;
	}
}

/* --- checkpoints ------------------------------------------------------------------------- */

#define MAX_PARTS 6

/* State, what is trained, and the optimiser's memory of it. */
static uint32_t
list_parts(rstar_trainer *t, rstar_checkpoint_part parts[MAX_PARTS])
{
	rstar_train_model *m = t->model;
	size_t n_state;
	float *state = rstar_optimiser_state(t->optimiser, &n_state);
	uint32_t n = 0;

	parts[n++] = (rstar_checkpoint_part){&t->state, sizeof t->state};
	parts[n++] = (rstar_checkpoint_part){state, n_state * sizeof *state};
	if (!t->lora)
	{
		parts[n++] = (rstar_checkpoint_part){m->values, m->n_parameters * sizeof *m->values};
		return n;
	}
	parts[n++] =
		(rstar_checkpoint_part){t->lora->values, t->lora->n_parameters * sizeof *m->values};
	if (m->value_weight == RSTAR_TRAIN_NONE)
		return n;
	parts[n++] = (rstar_checkpoint_part){m->tensors[m->value_weight].value,
										 rstar_train_tensor_size(&m->tensors[m->value_weight]) *
											 sizeof *m->values};
	parts[n++] = (rstar_checkpoint_part){m->tensors[m->value_bias].value, sizeof *m->values};
	parts[n++] = (rstar_checkpoint_part){m->tensors[m->value_likelihood].value, sizeof *m->values};
	return n;
}

/* Everything that decides the bits of a run. */
static void
make_fingerprint(const rstar_trainer *t, uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES])
{
	const rstar_train_settings *s = &t->settings;
	const rstar_optimiser_settings *o = &s->optimiser;
	const rstar_examples *e = t->examples;
	rstar_sha256 sha;
	char text[512];
	int n =
		snprintf(text, sizeof text,
				 "%d %a %d %a %a %a %a %a %a %a %a %d %a %a %llu %u %u %a %a %llu %d %s %s", s->ppm,
				 (double) s->likelihood, (int) o->kind, (double) o->rate, (double) o->muon_scale,
				 (double) o->decay, (double) o->beta1, (double) o->beta2, (double) o->epsilon,
				 (double) o->momentum, (double) o->clip, (int) s->schedule, s->warmup, s->epochs,
				 (unsigned long long) s->batch_tokens, t->plan.micro_tokens, s->lora_rank,
				 (double) s->lora_alpha, s->held_out, (unsigned long long) s->seed,
				 (int) rstar_cpu_best(), rstar_gemm_name(t->gemm), s->identity ? s->identity : "");

	rstar_sha256_init(&sha);
	rstar_sha256_update(&sha, text, (size_t) n < sizeof text ? (size_t) n : sizeof text);
	for (size_t i = 0; i < e->n; i++)
	{
		rstar_sha256_update(&sha, e->items[i].length, sizeof e->items[i].length);
		rstar_sha256_update(&sha, &e->items[i].weight, sizeof e->items[i].weight);
	}
	rstar_sha256_update(&sha, e->ids, e->n_ids * sizeof *e->ids);
	rstar_sha256_update(&sha, e->learned, e->n_ids * sizeof *e->learned);
	rstar_sha256_finish(&sha, fingerprint);
}

/* What a checkpoint of the run holds, and the fingerprint of the run that it belongs to. */
typedef struct checkpoint_view
{
	uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES];
	rstar_checkpoint_part parts[MAX_PARTS];
	uint32_t n;
} checkpoint_view;

static rstar_status
view_checkpoint(rstar_trainer *t, checkpoint_view *view, rstar_error *err)
{
	rstar_status st = check_between_steps(t, err);

	if (st != RSTAR_OK)
		return st;
	view->n = list_parts(t, view->parts);
	make_fingerprint(t, view->fingerprint);
	return RSTAR_OK;
}

rstar_status
rstar_trainer_save(rstar_trainer *t, const char *directory, const char *name,
				   const rstar_cancel *cancel, rstar_error *err)
{
	checkpoint_view view;
	rstar_status st = view_checkpoint(t, &view, err);

	if (st != RSTAR_OK)
		return st;
	return rstar_checkpoint_save(directory, name, t->state.step, view.fingerprint, view.parts,
								 view.n, cancel, err);
}

rstar_status
rstar_trainer_resume(rstar_trainer *t, const char *directory, const char *name,
					 const rstar_cancel *cancel, rstar_error *err)
{
	checkpoint_view view;
	uint64_t step;
	rstar_status st = view_checkpoint(t, &view, err);

	if (st != RSTAR_OK)
		return st;
	t->phase = RSTAR_PHASE_BEGIN;
	return rstar_checkpoint_load(directory, name, &step, view.fingerprint, view.parts, view.n,
								 cancel, err);
}

rstar_status
rstar_trainer_write(rstar_trainer *t, rstar_quantize_target target, int fd,
					const rstar_cancel *cancel, rstar_error *err)
{
	if (t->lora && !rstar_lora_merge(t->lora, t->model, t->pool, cancel))
		return rstar_error_set(err, RSTAR_ERR_CANCELLED, "training was cancelled");
	return rstar_train_model_write(t->model, target, fd, cancel, err);
}

/*
 * trainer_memory.c
 *	  What a run needs, and taking it.
 */
#include "core/train/trainer_internal.h"

#include <string.h>

#define MICRO_TOKENS   1024u               /* of a micro-batch, where nothing else is said */
#define PRODUCTS_BYTES ((size_t) 14 << 20) /* of scratch of a matrix kernel, at most */
#define SMALL_MODEL    100000000u          /* parameters */
#define MB             ((double) (1 << 20))

/*
 * What holds for a full fine-tuning stands first, and the other methods change what they need:
 * an adapter takes a higher rate and no decay, a model from scratch takes Muon and more
 * epochs, a small one a higher rate.
 */
void
rstar_train_defaults(rstar_train_settings *s, bool ppm, bool scratch, bool lora,
					 uint64_t n_parameters)
{
	*s = (rstar_train_settings){
		.ppm = ppm,
		.optimiser = {.kind = RSTAR_OPTIMISER_ADAMW,
					  .rate = n_parameters < SMALL_MODEL ? 3e-4f : 2e-5f,
					  .muon_scale = 1.0f,
					  .decay = 0.01f,
					  .beta1 = 0.9f,
					  .beta2 = 0.98f,
					  .epsilon = 1e-8f,
					  .momentum = 0.95f,
					  .clip = 1.0f},
		.schedule = RSTAR_SCHEDULE_LINEAR,
		.warmup = 0.03,
		.epochs = 2,
		.batch_tokens = 8192,
		.lora_alpha = 32,
		.held_out = 0.02,
		.checkpointing = -1,
	};
	if (lora)
	{
		s->lora_rank = 16;
		s->optimiser.rate = 2e-4f;
		s->optimiser.decay = 0;
	}
	else if (scratch)
	{
		s->optimiser.kind = RSTAR_OPTIMISER_MUON;
		s->optimiser.rate = 2e-3f;
		s->optimiser.decay = 0.05f;
		s->schedule = RSTAR_SCHEDULE_COSINE;
		s->epochs = 4;
	}
}

void
rstar_train_set_likelihood(rstar_train_settings *s, float likelihood)
{
	s->likelihood = likelihood;
	if (likelihood > 0)
	{
		s->epochs = 1;
		s->optimiser.rate /= 6;
	}
}

/* --- what is trained ---------------------------------------------------------------- */

static bool
is_head(const rstar_train_model *model, uint32_t tensor)
{
	return tensor == model->value_weight || tensor == model->value_bias ||
		   tensor == model->value_likelihood;
}

/* Is the likelihood a part of the values? */
static bool
has_likelihood(const rstar_train_model *model, const rstar_train_settings *s)
{
	return s->ppm && (s->likelihood > 0 || model->weights->value_likelihood != 0);
}

/* With adapters the value head alone; without likelihood a PPM's own output matrix is not used. */
static bool
is_trained(const rstar_train_model *model, const rstar_train_settings *s, uint32_t tensor)
{
	if (tensor == model->value_likelihood)
		return has_likelihood(model, s);
	if (is_head(model, tensor))
		return true;
	if (s->lora_rank > 0)
		return false;
	return !(s->ppm && !has_likelihood(model, s) && !model->tied && tensor == model->output);
}

static uint32_t
count_parameters(const rstar_train_model *model, const rstar_train_settings *s, size_t *floats)
{
	uint32_t n = 0;

	*floats = s->lora_rank > 0 ? rstar_lora_count(model, s->lora_rank) : 0;
	for (uint32_t i = 0; i < model->n_tensors; i++)
	{
		if (s->lora_rank > 0 && model->tensors[i].kind == RSTAR_TRAIN_HIDDEN)
			n += 2 * RSTAR_LORA_PARTS;
		if (!is_trained(model, s, i))
			continue;
		*floats += rstar_train_tensor_size(&model->tensors[i]);
		n++;
	}
	return n;
}

/* --- the plan -------------------------------------------------------------------------- */

static uint32_t
sequences_of(const rstar_train_plan *plan, const rstar_examples *examples)
{
	/* More than this many sequences in a micro-batch are shorter than eight tokens. */
	(void) examples;
	return plan->micro_tokens / 8 + 2;
}

static rstar_pass_options
pass_options(const rstar_train_plan *plan, const rstar_examples *examples)
{
	rstar_pass_options o = {
		.max_tokens = plan->micro_tokens,
		.max_sequences = sequences_of(plan, examples),
		.max_length = examples->longest > 0 ? examples->longest : 1,
		.checkpointing = plan->checkpointing,
		.gradients = true,
	};

	return o;
}

/* State of AdamW is the most there is; Muon's scratch comes on top of less state. */
static size_t
state_bytes(const rstar_train_model *model, const rstar_train_settings *s, size_t trained)
{
	size_t largest = 0, bytes = 2 * trained * sizeof(float);

	if (s->optimiser.kind == RSTAR_OPTIMISER_ADAMW || s->lora_rank > 0)
		return bytes;
	for (uint32_t i = 0; i < model->n_tensors; i++)
	{
		const rstar_train_tensor *t = &model->tensors[i];
		size_t size = rstar_train_tensor_size(t);

		if (t->kind != RSTAR_TRAIN_HIDDEN)
			continue;
		bytes -= size * sizeof(float);
		size += rstar_muon_scratch(t->rows, t->columns);
		largest = size > largest ? size : largest;
	}
	return bytes + largest * sizeof(float);
}

static void
add_up(const rstar_train_model *model, const rstar_examples *examples,
	   const rstar_train_settings *s, int n_threads, rstar_train_plan *plan)
{
	rstar_pass_options o = pass_options(plan, examples);
	size_t adapters = s->lora_rank > 0 ? rstar_lora_count(model, s->lora_rank) : 0;

	count_parameters(model, s, &plan->n_trained);
	plan->n_parameters = model->n_parameters + adapters;
	plan->parameters = plan->n_parameters * sizeof(float);
	plan->gradients = plan->n_trained * sizeof(float);
	plan->state = state_bytes(model, s, plan->n_trained);
	plan->activations = rstar_pass_plan(model, &o, s->lora_rank, n_threads);
	plan->products = PRODUCTS_BYTES;
	plan->examples = examples->n * (sizeof *examples->items + sizeof(uint32_t)) +
					 examples->n_ids * (sizeof *examples->ids + sizeof *examples->learned);
	plan->total =
		plan->parameters + plan->gradients + plan->state + plan->products + plan->examples;
	plan->total = plan->activations == SIZE_MAX ? SIZE_MAX : plan->total + plan->activations;
}

static rstar_status
refuse(const rstar_train_plan *p, uint64_t limit, rstar_error *err)
{
	rstar_error_set(err, RSTAR_ERR_LIMIT,
					"training would take %.0f MB of memory, more than %.0f MB",
					(double) p->total / MB, (double) limit / MB);
	rstar_error_detail(err,
					   "Parameters take %.0f MB, gradients %.0f MB, the optimizer %.0f MB, "
					   "activations %.0f MB, and the rest %.0f MB.",
					   (double) p->parameters / MB, (double) p->gradients / MB,
					   (double) p->state / MB, (double) p->activations / MB,
					   (double) (p->products + p->examples) / MB);
	return rstar_error_hint(err, "Train adapters (\"lora_rank\"), or smaller micro-batches "
								 "(\"micro_tokens\"), or raise the limit.");
}

static rstar_status
make_plan(const rstar_train_model *model, const rstar_examples *examples,
		  const rstar_train_settings *s, int n_threads, rstar_train_plan *plan, rstar_error *err)
{
	uint32_t micro = s->micro_tokens > 0 ? s->micro_tokens : MICRO_TOKENS;
	uint32_t longest = 2 * examples->longest; /* both sides of a pair */

	if (micro > s->batch_tokens && s->batch_tokens > 0)
		micro = (uint32_t) s->batch_tokens;
	longest = s->ppm ? longest : examples->longest;
	*plan = (rstar_train_plan){.micro_tokens = micro > longest ? micro : longest,
							   .checkpointing = s->checkpointing == 1};
	add_up(model, examples, s, n_threads, plan);
	if (s->memory_limit > 0 && plan->total > s->memory_limit && s->checkpointing < 0)
	{
		plan->checkpointing = true;
		add_up(model, examples, s, n_threads, plan);
	}
	if (s->memory_limit > 0 && plan->total > s->memory_limit)
		return refuse(plan, s->memory_limit, err);
	return RSTAR_OK;
}

rstar_status
rstar_trainer_plan(const rstar_gguf *base, const rstar_examples *examples,
				   const rstar_train_settings *settings, int n_threads, rstar_train_plan *plan,
				   rstar_error *err)
{
	rstar_train_model *model;
	rstar_status st = rstar_train_model_open(base, settings->ppm, examples->allocator, &model, err);

	if (st == RSTAR_OK)
		st = make_plan(model, examples, settings, n_threads, plan, err);
	rstar_train_model_close(model);
	return st;
}

/* --- taking it --------------------------------------------------------------------------- */

/* One parameter: its gradient is the next piece of the memory. */
static float *
add_parameter(rstar_trainer *t, const rstar_train_tensor *tensor, float *at)
{
	t->parameters[t->n_parameters++] = (rstar_parameter){tensor, at};
	return at + rstar_train_tensor_size(tensor);
}

/*
 * One block for all gradients, cut up in the order of the tensors, each followed by its
 * adapters. A tensor that is not trained has none, and its place in `gradients` stays NULL, by
 * which the backward pass leaves it out.
 */
static rstar_status
list_parameters(rstar_trainer *t, rstar_error *err)
{
	size_t floats;
	uint32_t n = count_parameters(t->model, &t->settings, &floats);
	float *at;

	t->gradient_memory = rstar_alloc_array_zero(t->allocator, floats, sizeof(float));
	t->gradients = rstar_alloc_array_zero(t->allocator, t->model->n_tensors, sizeof *t->gradients);
	t->parameters = rstar_alloc_array(t->allocator, n, sizeof *t->parameters);
	if (!t->gradient_memory || !t->gradients || !t->parameters)
		return rstar_error_memory(err, floats * sizeof(float));
	at = t->gradient_memory;
	for (uint32_t i = 0; i < t->model->n_tensors; i++)
	{
		if (is_trained(t->model, &t->settings, i))
		{
			t->gradients[i] = at;
			at = add_parameter(t, &t->model->tensors[i], at);
		}
		for (uint32_t p = 0; t->lora && p < t->lora->matrices[i].n_parts; p++)
		{
			rstar_lora_part *part = &t->lora->matrices[i].parts[p];

			part->da = at;
			at = add_parameter(t, &part->a, at);
			part->db = at;
			at = add_parameter(t, &part->b, at);
		}
	}
	return RSTAR_OK;
}

/* A base without the likelihood begins with the setting's. */
static void
set_likelihood(rstar_trainer *t)
{
	bool has = has_likelihood(t->model, &t->settings);

	t->marked = !t->settings.ppm || has;
	if (has && t->model->weights->value_likelihood == 0)
		t->model->tensors[t->model->value_likelihood].value[0] = t->settings.likelihood;
}

/*
 * The plan comes before anything large is allocated: a run that would not fit is refused at
 * once, with the figures. What was made before a failure is the trainer's, which frees it.
 */
rstar_status
rstar_trainer_set_up(rstar_trainer *t, const rstar_gguf *base, const rstar_cancel *cancel,
					 rstar_error *err)
{
	const rstar_train_ops *ops = rstar_train_ops_get(rstar_cpu_best());
	const rstar_train_settings *s = &t->settings;
	rstar_pass_options o;
	rstar_status st = rstar_train_model_open(base, s->ppm, t->allocator, &t->model, err);

	if (st == RSTAR_OK)
		st = make_plan(t->model, t->examples, s, rstar_pool_threads(t->pool), &t->plan, err);
	if (st == RSTAR_OK)
		st = rstar_gemm_create(s->kernel, t->pool, t->allocator, &t->gemm, err);
	if (st == RSTAR_OK)
		st = rstar_train_model_load(t->model, s->seed, cancel, err);
	if (st == RSTAR_OK)
		set_likelihood(t);
	if (st == RSTAR_OK && s->lora_rank > 0)
		st = rstar_lora_create(t->model, s->lora_rank, s->lora_alpha, s->seed, &t->lora, err);
	if (st == RSTAR_OK)
		st = list_parameters(t, err);
	o = pass_options(&t->plan, t->examples);
	if (st == RSTAR_OK)
		st = rstar_pass_create(t->model, t->lora, t->gradients, t->gemm, t->pool, ops, &o, &t->pass,
							   err);
	if (st == RSTAR_OK)
		st = rstar_optimiser_create(&s->optimiser, t->parameters, t->n_parameters, t->gemm, t->pool,
									ops, t->allocator, &t->optimiser, err);
	if (st == RSTAR_OK)
		st = rstar_order_init(&t->order, t->examples, s->held_out, s->seed, err);
	if (st != RSTAR_OK)
		return st;
	t->max_sequences = o.max_sequences;
	t->sequences = rstar_alloc_array(t->allocator, o.max_sequences, sizeof *t->sequences);
	t->pairs = rstar_alloc_array(t->allocator, o.max_sequences, sizeof *t->pairs);
	t->all = rstar_alloc_array(t->allocator, t->examples->n, sizeof *t->all);
	if (!t->sequences || !t->pairs || !t->all)
		return rstar_error_memory(err, o.max_sequences * sizeof *t->sequences);
	for (uint32_t i = 0; i < t->examples->n; i++)
		t->all[i] = i;
	return RSTAR_OK;
}

void
rstar_trainer_take_down(rstar_trainer *t)
{
	rstar_optimiser_free(t->optimiser);
	rstar_pass_free(t->pass);
	rstar_gemm_free(t->gemm);
	rstar_lora_free(t->lora);
	rstar_free(t->allocator, t->sequences);
	rstar_free(t->allocator, t->pairs);
	rstar_free(t->allocator, t->all);
	rstar_free(t->allocator, t->parameters);
	rstar_free(t->allocator, t->gradients);
	rstar_free(t->allocator, t->gradient_memory);
	if (t->order.allocator)
		rstar_order_free(&t->order);
	rstar_train_model_close(t->model);
}

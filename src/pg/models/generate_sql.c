/*
 * generate_sql.c
 *	  rstar_generate: a prompt, continued.
 *
 * The prompt goes to the model as it stands, special tokens recognised, no
 * template around it. Generation runs in slices of some 20 ms with a look at
 * interrupts between them, while the pool is idle: a cancel is honoured at
 * once, and another session that waits for a barrier need not wait for us.
 */
#include "postgres.h"

#include <float.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/engine/generate.h"
#include "pg/base/boundary.h"
#include "pg/models/cache.h"
#include "pg/models/models.h"
#include "pg/models/remote.h"
#include "pg/base/settings.h"
#include "pg/models/settings.h"

PG_FUNCTION_INFO_V1(rstar_generate);

#define MAX_STOPS 64

/* One call: what it was asked, and the text so far. */
typedef struct generate_call
{
	const rstar_open_model *model;
	rstar_allocator allocator;
	rstar_sampling sampling;
	int64 seed;
	int64 max_tokens;

	int n_stops;
	rstar_string stops[MAX_STOPS];
	size_t longest_stop;

	rstar_buffer text;
	bool stopped;        /* a stop text was found, and text cut before it */
	rstar_status status; /* of the hook, which cannot raise */
	rstar_error err;
} generate_call;

/* --- arguments ---------------------------------------------------------------------- */

static void
read_stops(generate_call *call, ArrayType *array)
{
	Datum *elements;
	bool *nulls;
	int count;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("\"stop\" must be an array of one dimension")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count > MAX_STOPS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("\"stop\" holds %d texts, the limit is %d", count, MAX_STOPS)));
	for (int i = 0; i < count; i++)
	{
		text *stop = nulls[i] ? NULL : DatumGetTextPP(elements[i]);

		if (!stop || VARSIZE_ANY_EXHDR(stop) == 0)
			ereport(ERROR, (errcode(nulls[i] ? ERRCODE_NULL_VALUE_NOT_ALLOWED
											 : ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("\"stop\" must not contain NULL or empty texts")));
		call->stops[call->n_stops].data = VARDATA_ANY(stop);
		call->stops[call->n_stops].length = VARSIZE_ANY_EXHDR(stop);
		call->longest_stop = Max(call->longest_stop, call->stops[call->n_stops].length);
		call->n_stops++;
	}
}

#define INT_OPTION(name, n)                                                                        \
	rstar_pg_option_int(name, !PG_ARGISNULL(n), PG_ARGISNULL(n) ? 0 : PG_GETARG_INT32(n), defaults)
#define REAL_OPTION(name, n)                                                                       \
	rstar_pg_option_real(name, !PG_ARGISNULL(n), PG_ARGISNULL(n) ? 0 : PG_GETARG_FLOAT8(n),        \
						 defaults)

/* (prompt, model, max_tokens, temperature, top_k, top_p, min_p, seed, stop) */
static void
read_arguments(generate_call *call, FunctionCallInfo fcinfo, Jsonb *defaults)
{
	rstar_error err;

	call->max_tokens = INT_OPTION("max_tokens", 2);
	call->sampling.temperature = REAL_OPTION("temperature", 3);
	call->sampling.top_k = INT_OPTION("top_k", 4);
	call->sampling.top_p = Max(REAL_OPTION("top_p", 5), FLT_MIN); /* 0: only the likeliest */
	call->sampling.min_p = REAL_OPTION("min_p", 6);
	call->seed = PG_ARGISNULL(7) ? rstar_pg_model_settings.seed : PG_GETARG_INT64(7);
	if (!PG_ARGISNULL(8))
		read_stops(call, PG_GETARG_ARRAYTYPE_P(8));
	rstar_check(rstar_sampling_check(&call->sampling, &err), &err);
}

/* --- text as it comes ----------------------------------------------------------------- */

/*
 * Look for a stop text that ends in the bytes added last, `from` being where
 * they begin. The earliest one counts; the text is cut in front of it.
 */
static bool
cut_at_stop(generate_call *call, size_t from)
{
	size_t start = from >= call->longest_stop ? from - call->longest_stop + 1 : 0;

	for (size_t at = start; at < call->text.length; at++)
	{
		for (int i = 0; i < call->n_stops; i++)
		{
			const rstar_string *stop = &call->stops[i];

			if (stop->length <= call->text.length - at &&
				memcmp(call->text.data + at, stop->data, stop->length) == 0)
			{
				call->text.length = at;
				call->text.data[at] = '\0';
				return true;
			}
		}
	}
	return false;
}

static bool
after_token(void *arg, uint32_t i, int32_t id, bool eog)
{
	generate_call *call = arg;
	size_t before = call->text.length;

	(void) i;
	if (eog)
		return true;
	call->status =
		rstar_tokenizer_decode(call->model->tokenizer, id, false, &call->text, &call->err);
	if (call->status != RSTAR_OK)
		return true;
	call->stopped = call->n_stops > 0 && cut_at_stop(call, before);
	return call->stopped;
}

static bool
ends_text(const void *vocabulary, int32_t id)
{
	return rstar_tokenizer_is_eog(vocabulary, id);
}

/* --- the run -------------------------------------------------------------------------- */

/* The prompt's tokens as a new sequence of the engine's cache. */
static rstar_kv_node *
prompt_node(generate_call *call, text *prompt)
{
	rstar_encode_options options = {.add_bos = true, .parse_special = true, .dummy_prefix = true};
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_kv_node_release);
	uint32_t context = rstar_engine_max_context(call->model->engine);
	rstar_kv_node *node;
	int32 *ids = NULL;
	size_t count = 0;
	rstar_status status;
	rstar_error err;

	options.max_tokens = context; /* a text that is much too long is not read to its end */
	status = rstar_tokenizer_encode(call->model->tokenizer, VARDATA_ANY(prompt),
									VARSIZE_ANY_EXHDR(prompt), &options, &call->allocator,
									&rstar_pg_cancel, &ids, &count, &err);
	if (status == RSTAR_ERR_LIMIT)
		count = (size_t) context + 1;
	else
		rstar_check(status, &err);
	if (count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the prompt is empty"),
						errdetail("The model has no token to begin a text with.")));
	if (count >= context)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 status == RSTAR_ERR_LIMIT
					 ? errmsg("the prompt of more than %u tokens does not fit the context of %u",
							  context, context)
					 : errmsg("the prompt of %zu tokens does not fit the context of %u", count,
							  context),
				 errdetail("The context is the smaller of the model's own and \"%s\" (%d).",
						   "rstar.max_context", rstar_pg_model_settings.max_context)));
	rstar_check(rstar_kv_node_create(rstar_engine_kv(call->model->engine), NULL, &node, &err),
				&err);
	rstar_pg_guard_hold(guard, node);
	rstar_check(rstar_kv_node_append(node, ids, (uint32_t) count, &err), &err);
	return node;
}

static void
run(generate_call *call, rstar_kv_node *prompt)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_generation_free);
	rstar_sequence_spec spec = {.parent = prompt,
								.stream = {.seed = (uint64) call->seed},
								.max_tokens = (uint32_t) call->max_tokens};
	rstar_generation_options options = {.sampling = call->sampling,
										.hook = after_token,
										.hook_arg = call,
										.is_eog = ends_text,
										.vocabulary = call->model->tokenizer};
	rstar_generation *generation;
	rstar_status status;
	rstar_error err;

	rstar_check(rstar_generation_create(call->model->engine, &options, &spec, 1,
										&rstar_allocator_malloc, &generation, &err),
				&err);
	rstar_pg_guard_hold(guard, generation);
	while ((status = rstar_generation_step(generation, &rstar_pg_cancel, &err)) == RSTAR_AGAIN)
		CHECK_FOR_INTERRUPTS();
	rstar_check(status, &err);
	rstar_check(call->status, &call->err);
	rstar_pg_guard_release(guard);
}

/* The stop texts as the server wants them. */
static rstar_string *
remote_stops(const generate_call *call)
{
	rstar_string *stops = palloc0((call->n_stops + 1) * sizeof *stops);

	if (call->n_stops > RSTAR_PROTOCOL_STOPS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("\"stop\" holds %d texts; a model on another server takes %d",
							   call->n_stops, RSTAR_PROTOCOL_STOPS)));
	for (int i = 0; i < call->n_stops; i++)
		stops[i] = (rstar_string){pnstrdup(call->stops[i].data, call->stops[i].length),
								  call->stops[i].length};
	return stops;
}

/* The same by a model on another server, which tokenizes the prompt itself. */
static void
run_remote(generate_call *call, const rstar_model_row *row, text *prompt)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_remote_job_free);
	rstar_remote_model *model = rstar_pg_remote_open(row, false);
	rstar_remote_request request = {
		.prompt = {VARDATA_ANY(prompt), VARSIZE_ANY_EXHDR(prompt)},
		.n = 1,
		.stream = {.seed = (uint64) call->seed},
		.max_tokens = (uint32_t) call->max_tokens,
		.temperature = call->sampling.temperature,
		.top_p = call->sampling.top_p,
		.min_p = call->sampling.min_p,
		.top_k = call->sampling.top_k,
		.stops = remote_stops(call),
		.n_stops = (uint32_t) call->n_stops,
	};
	rstar_remote_choice choice;
	rstar_remote_job *job;
	rstar_error err;

	rstar_check(rstar_remote_complete(model, &request, &job, &err), &err);
	rstar_pg_guard_hold(guard, job);
	rstar_pg_remote_wait(model, job);
	rstar_remote_job_choice(job, 0, &choice);
	if (!rstar_buffer_append(&call->text, choice.text.data, choice.text.length))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (call->n_stops > 0)
		(void) cut_at_stop(call, 0); /* a server may leave it in */
	rstar_pg_guard_release(guard);
}

Datum
rstar_generate(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext caller;
	rstar_model_row *row;
	generate_call *call;
	text *result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar generate", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	call = palloc0(sizeof(generate_call));
	call->allocator = rstar_pg_allocator_in(context);
	rstar_buffer_init(&call->text, &call->allocator);

	row = rstar_pg_model_resolve(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), RSTAR_ROLE_POLICY);
	read_arguments(call, fcinfo, row->defaults);
	if (row->remote)
		run_remote(call, row, PG_GETARG_TEXT_PP(0));
	else
	{
		call->model = rstar_pg_model_open_engine(row);
		run(call, prompt_node(call, PG_GETARG_TEXT_PP(0)));
	}

	/* A limit may have cut within a character; what came of it is left out. */
	call->text.length =
		rstar_utf8_complete_prefix(call->text.data ? call->text.data : "", call->text.length);
	MemoryContextSwitchTo(caller);
	result = cstring_to_text(
		rstar_pg_clean_text(call->text.data ? call->text.data : "", call->text.length));
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(result);
}

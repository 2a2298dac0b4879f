/*
 * train_sql.c
 *	  rstar_train_policy and rstar_train_ppm: their arguments, and the run in the
 *	  foreground.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/base/clock.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/models/files.h"
#include "pg/models/models.h"
#include "pg/train/run.h"
#include "pg/train/run_settings.h"
#include "pg/train/train_job.h"

PG_FUNCTION_INFO_V1(rstar_train_policy);
PG_FUNCTION_INFO_V1(rstar_train_ppm);

/* Arguments of both functions, in order; each has one of its own, the last. */
enum
{
	ARG_NAME,
	ARG_BASE,
	ARG_QUERY,
	ARG_METHOD,
	ARG_EPOCHS,
	ARG_LEARNING_RATE,
	ARG_BATCH_TOKENS,
	ARG_OPTIMIZER,
	ARG_SCHEDULE,
	ARG_LORA_RANK,
	ARG_HELD_OUT,
	ARG_FILE_TYPE,
	ARG_SEED,
	ARG_FOREGROUND,
	ARG_THREADS,
	ARG_NICE,
	ARG_OWN,
	ARG_TRAIN_ON_OUTPUT = ARG_OWN, /* the policy's */
	ARG_LIKELIHOOD = ARG_OWN       /* the PPM's */
};

#define DEFAULT_POLICY_QUERY "SELECT problem, solution FROM rstar.sft_training"
#define DEFAULT_PPM_QUERY    "SELECT problem, prefix, chosen, rejected, weight FROM rstar.ppm_training"
#define LORA_ABOVE           INT64CONST(100000000) /* parameters; larger models take adapters unless told */
#define EVALUATE_EVERY       100                   /* steps */

/* --- arguments ----------------------------------------------------------------------------- */

static int64
bounded_int(FunctionCallInfo fcinfo, int n, const char *name, int64 fallback, int64 min, int64 max)
{
	int64 value = PG_ARGISNULL(n) ? fallback : PG_GETARG_INT32(n);

	if (value < min || value > max)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must be between " INT64_FORMAT " and " INT64_FORMAT,
							   name, min, max)));
	return value;
}

static double
bounded_real(FunctionCallInfo fcinfo, int n, const char *name, double fallback, double above,
			 double max)
{
	double value = PG_ARGISNULL(n) ? fallback : PG_GETARG_FLOAT8(n);

	if (!(value > above && value <= max))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be above %g and at most %g", name, above, max)));
	return value;
}

static float
likelihood_argument(FunctionCallInfo fcinfo)
{
	double value = PG_ARGISNULL(ARG_LIKELIHOOD) ? 0 : PG_GETARG_FLOAT8(ARG_LIKELIHOOD);

	if (!(value >= 0 && value <= 1000))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"likelihood\" must be between 0 and 1000")));
	return (float) value;
}

/* A model whose last norm is exactly one has never been trained: that is how they are made. */
static bool
is_untrained(const rstar_model_row *base)
{
	rstar_gguf *gguf = rstar_pg_model_file_map(base);
	const rstar_gguf_tensor *norm = rstar_gguf_find_tensor(gguf, "output_norm.weight");
	const float *values = norm ? norm->data : NULL;

	if (!norm || norm->type != RSTAR_TYPE_F32)
		return false;
	for (uint64 i = 0; i < norm->dims[0]; i++)
		if (values[i] != 1.0f)
			return false;
	return true;
}

static char *
choose_method(FunctionCallInfo fcinfo, const rstar_model_row *base)
{
	char *method = rstar_optional_text(fcinfo, ARG_METHOD);

	if (!method)
	{
		if (!PG_ARGISNULL(ARG_LORA_RANK))
			return PG_GETARG_INT32(ARG_LORA_RANK) > 0 ? "lora" : "tune";
		if (is_untrained(base))
			return "scratch";
		return base->parameters > LORA_ABOVE ? "lora" : "tune";
	}
	if (strcmp(method, "scratch") != 0 && strcmp(method, "tune") != 0 &&
		strcmp(method, "lora") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown method of training \"%s\"", method),
						errhint("Methods are \"scratch\", \"tune\" and \"lora\".")));
	return method;
}

/*
 * The defaults for this kind of training come first, and an argument that is NULL leaves its
 * own as it is. The comparison of held_out is written so that NaN is refused.
 */
static void
read_settings(FunctionCallInfo fcinfo, rstar_run_request *r)
{
	rstar_train_settings *s = &r->settings;
	char *optimizer = rstar_optional_text(fcinfo, ARG_OPTIMIZER);
	char *schedule = rstar_optional_text(fcinfo, ARG_SCHEDULE);
	bool lora = strcmp(r->method, "lora") == 0;
	double held_out = PG_ARGISNULL(ARG_HELD_OUT) ? -1 : PG_GETARG_FLOAT8(ARG_HELD_OUT);

	rstar_train_defaults(s, r->ppm, strcmp(r->method, "scratch") == 0, lora,
						 (uint64) r->base->parameters);
	if (r->ppm)
		rstar_train_set_likelihood(s, likelihood_argument(fcinfo));
	s->epochs = bounded_real(fcinfo, ARG_EPOCHS, "epochs", s->epochs, 0, 10000);
	s->optimiser.rate = (float) bounded_real(fcinfo, ARG_LEARNING_RATE, "learning_rate",
											 (double) s->optimiser.rate, 0, 10);
	s->batch_tokens = (uint64) bounded_int(fcinfo, ARG_BATCH_TOKENS, "batch_tokens",
										   (int64) s->batch_tokens, 1, 1 << 24);
	if (optimizer)
		s->optimiser.kind = rstar_pg_run_optimiser(optimizer);
	if (schedule && !rstar_schedule_by_name(schedule, &s->schedule))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown schedule \"%s\"", schedule),
				 errhint("Schedules are \"cosine\", \"linear\", \"even\" and \"constant\".")));
	s->lora_rank =
		(uint32) bounded_int(fcinfo, ARG_LORA_RANK, "lora_rank", s->lora_rank, lora ? 1 : 0, 1024);
	if (!lora && s->lora_rank > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"lora_rank\" needs the method \"lora\"")));
	if (held_out != -1 && !(held_out >= 0 && held_out <= 0.5))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"held_out\" must be between 0 and 0.5")));
	s->held_out = held_out == -1 ? s->held_out : held_out;
	s->evaluate_every = EVALUATE_EVERY;
	s->seed = PG_ARGISNULL(ARG_SEED) ? 0 : (uint64) PG_GETARG_INT64(ARG_SEED);
}

/* Everything that can be wrong with the call, the query's rows aside. */
static void
read_request(FunctionCallInfo fcinfo, bool ppm, rstar_run_request *r)
{
	rstar_quantize_target target;

	r->ppm = ppm;
	r->name = rstar_required_text(fcinfo, ARG_NAME, "name");
	rstar_pg_model_check_name(r->name);
	r->base = rstar_pg_model_resolve(PG_ARGISNULL(ARG_BASE) ? NULL : PG_GETARG_TEXT_PP(ARG_BASE),
									 RSTAR_ROLE_POLICY);
	if (strcmp(r->base->role, RSTAR_ROLE_VOCABULARY) == 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" holds only a vocabulary", r->base->name)));
	r->query = rstar_optional_text(fcinfo, ARG_QUERY);
	if (!r->query)
		r->query = ppm ? DEFAULT_PPM_QUERY : DEFAULT_POLICY_QUERY;
	r->file_type = rstar_optional_text(fcinfo, ARG_FILE_TYPE);
	if (r->file_type && !rstar_quantize_by_name(r->file_type, &target))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown file type \"%s\"", r->file_type)));
	r->train_on_output =
		!ppm && !PG_ARGISNULL(ARG_TRAIN_ON_OUTPUT) && PG_GETARG_BOOL(ARG_TRAIN_ON_OUTPUT);
	r->method = choose_method(fcinfo, r->base);
	read_settings(fcinfo, r);
}

/* --- the foreground ------------------------------------------------------------------------- */

/* All in the caller's transaction: an error or a cancel leaves nothing. */
static void
train_here(int64 run_id)
{
	rstar_run *run = rstar_pg_run_open(run_id);

	while (!rstar_pg_run_work(run))
		CHECK_FOR_INTERRUPTS();
	(void) rstar_pg_run_finish(run);
}

static int64
train(FunctionCallInfo fcinfo, bool ppm)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "rstar train", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	bool foreground = !PG_ARGISNULL(ARG_FOREGROUND) && PG_GETARG_BOOL(ARG_FOREGROUND);
	rstar_run_request request = {0};
	int64 run_id;

	read_request(fcinfo, ppm, &request);
	if (!foreground)
		rstar_pg_job_require_workers(ppm ? "rstar_train_ppm()" : "rstar_train_policy()");
	run_id = rstar_pg_run_create(&request);
	if (foreground)
		train_here(run_id);
	else
		rstar_pg_train_submit(run_id, ppm,
							  (int) bounded_int(fcinfo, ARG_THREADS, "threads", 0, 0, 256),
							  (int) bounded_int(fcinfo, ARG_NICE, "nice", -1, -1, 19));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return run_id;
}

/*
 * rstar_train_policy(name, base, query, method, epochs, learning_rate, batch_tokens, optimizer,
 * schedule, lora_rank, held_out, file_type, seed, foreground, threads, nice, train_on_output)
 */
Datum
rstar_train_policy(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(train(fcinfo, false));
}

/* The same with likelihood for train_on_output. */
Datum
rstar_train_ppm(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(train(fcinfo, true));
}

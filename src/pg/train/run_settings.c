/*
 * run_settings.c
 *	  The settings of a run of training, as a row keeps them.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "pg/base/json.h"
#include "pg/train/run_settings.h"

static const char *const optimisers[] = {"adamw", "muon"};

rstar_optimiser_kind
rstar_pg_run_optimiser(const char *name)
{
	for (int i = 0; i < lengthof(optimisers); i++)
		if (pg_strcasecmp(name, optimisers[i]) == 0)
			return (rstar_optimiser_kind) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown optimizer \"%s\"", name),
			 errhint("Optimizers are \"adamw\" and \"muon\".")));
	return RSTAR_OPTIMISER_ADAMW;
}

/* Numbers are written with all their digits, so that a run read back is the same run. */
Jsonb *
rstar_pg_run_settings_to_jsonb(const rstar_run_request *r)
{
	const rstar_train_settings *s = &r->settings;
	const rstar_optimiser_settings *o = &s->optimiser;
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(
		&json,
		"{\"method\":\"%s\",\"optimizer\":\"%s\",\"learning_rate\":%.9g,"
		"\"weight_decay\":%.9g,\"clip\":%.9g,\"schedule\":\"%s\",\"warmup\":%.17g,"
		"\"epochs\":%.17g,\"batch_tokens\":" UINT64_FORMAT ",\"lora_rank\":%u,"
		"\"lora_alpha\":%.9g,\"held_out\":%.17g,\"evaluate_every\":%u,\"seed\":\"%lld\"",
		r->method, optimisers[o->kind], o->rate, o->decay, o->clip,
		rstar_schedule_name(s->schedule), s->warmup, s->epochs, (uint64) s->batch_tokens,
		s->lora_rank, s->lora_alpha, s->held_out, s->evaluate_every, (long long) s->seed);
	if (r->ppm)
		appendStringInfo(&json, ",\"likelihood\":%.9g", s->likelihood);
	else
		appendStringInfo(&json, ",\"train_on_output\":%s", r->train_on_output ? "true" : "false");
	if (r->file_type)
	{
		appendStringInfoString(&json, ",\"file_type\":");
		escape_json(&json, r->file_type);
	}
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

static double
number(Jsonb *stored, const char *name)
{
	double value;

	if (!rstar_pg_json_number(&stored->root, name, &value))
		elog(ERROR, "setting \"%s\" of a training run is no number", name);
	return value;
}

static char *
word(Jsonb *stored, const char *name)
{
	char *value = rstar_pg_json_text(&stored->root, name);

	if (!value)
		elog(ERROR, "setting \"%s\" of a training run is no text", name);
	return value;
}

void
rstar_pg_run_settings_from_jsonb(Jsonb *stored, bool ppm, rstar_train_settings *s, char **file_type,
								 bool *train_on_output)
{
	JsonbValue *member = rstar_pg_json_member(&stored->root, "train_on_output");

	rstar_train_defaults(s, ppm, false, false, 0);
	s->optimiser.kind = rstar_pg_run_optimiser(word(stored, "optimizer"));
	s->optimiser.rate = (float) number(stored, "learning_rate");
	s->optimiser.decay = (float) number(stored, "weight_decay");
	s->optimiser.clip = (float) number(stored, "clip");
	if (!rstar_schedule_by_name(word(stored, "schedule"), &s->schedule))
		elog(ERROR, "unknown schedule of a training run");
	s->warmup = number(stored, "warmup");
	s->epochs = number(stored, "epochs");
	s->batch_tokens = (uint64) number(stored, "batch_tokens");
	s->lora_rank = (uint32) number(stored, "lora_rank");
	s->lora_alpha = (float) number(stored, "lora_alpha");
	s->held_out = number(stored, "held_out");
	s->likelihood = ppm ? (float) number(stored, "likelihood") : 0;
	s->evaluate_every = (uint32) number(stored, "evaluate_every");
	s->seed = (uint64) strtoll(word(stored, "seed"), NULL, 10);
	*train_on_output = member && member->type == jbvBool && member->val.boolean;
	*file_type = rstar_pg_json_text(&stored->root, "file_type");
}

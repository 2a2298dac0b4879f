/*
 * presets.c
 *	  The recipe's figures, round by round.
 */
#include "postgres.h"

#include "pg/rounds/presets.h"

#define NANO_BELOW INT64CONST(100000000) /* parameters */

/* Rounds 1 to 4; what follows is as the last. */
#define N_ROUNDS 4

static const struct
{
	const char *name;
	rstar_round_preset rounds[N_ROUNDS];
} presets[] = {
	{"paper",
	 {{.candidates = 8, .rollouts = 8},
	  {.candidates = 8, .rollouts = 16},
	  {.candidates = 8, .rollouts = 16, .guided = true},
	  {.candidates = 8,
	   .rollouts = 16,
	   .guided = true,
	   .escalation = {64, 128},
	   .n_escalation = 2}}},
	{"nano",
	 {{.candidates = 4, .rollouts = 8},
	  {.candidates = 4, .rollouts = 16},
	  {.candidates = 4, .rollouts = 8, .guided = true},
	  {.candidates = 4, .rollouts = 8, .guided = true, .escalation = {32, 64}, .n_escalation = 2}}},
};

rstar_round_preset
rstar_pg_round_preset(const char *name, int number)
{
	for (size_t i = 0; i < lengthof(presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return presets[i].rounds[Min(number, N_ROUNDS) - 1];
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown preset \"%s\"", name),
					errhint("Presets are \"paper\" and \"nano\".")));
}

const char *
rstar_pg_round_preset_for(int64 parameters)
{
	return parameters < NANO_BELOW ? "nano" : "paper";
}

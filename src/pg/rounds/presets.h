/*
 * presets.h
 *	  The recipe's figures, round by round.
 */
#ifndef RSTAR_PG_ROUNDS_PRESETS_H
#define RSTAR_PG_ROUNDS_PRESETS_H

#include "postgres.h"

#define RSTAR_MAX_ESCALATION 8

typedef struct rstar_round_preset
{
	int candidates;
	int rollouts;
	bool guided;                          /* by the line's last PPM */
	int escalation[RSTAR_MAX_ESCALATION]; /* rollouts for what is still unsolved, then again */
	int n_escalation;
} rstar_round_preset;

/*
 * name: "paper" (section 4.1: 8 candidates; 8, then 16 rollouts; guided from round 3 on; from
 * round 4 on 64, then 128 rollouts where a problem stays unsolved) or "nano", the same with
 * fewer candidates and rollouts, for models of a few million parameters. Raises for others.
 */
extern rstar_round_preset rstar_pg_round_preset(const char *name, int number);

/* The one for a policy of so many parameters. */
extern const char *rstar_pg_round_preset_for(int64 parameters);

#endif

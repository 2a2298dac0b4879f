/*
 * report.h
 *	  Pictures that reports show.
 */
#ifndef RSTAR_PG_ROUNDS_REPORT_H
#define RSTAR_PG_ROUNDS_REPORT_H

#include "postgres.h"
#include "utils/array.h"

/*
 * Evaluations by the number of rollouts or answers, or by the tokens that their rollouts cost
 * (per: "rollout", "answer" or "token"), between 1 and RSTAR_SCALING_EVALUATIONS of them, read as the caller; raises if one does not exist. palloc'd.
 */
extern text *rstar_pg_scaling_svg(ArrayType *ids, const char *per);

#endif

/*
 * curve.h
 *	  Loss curves of training runs as pictures.
 */
#ifndef RSTAR_PG_TRAIN_CURVE_H
#define RSTAR_PG_TRAIN_CURVE_H

#include "postgres.h"

/* The curve of a run, read as the caller; raises if there is no such run. palloc'd. */
extern text *rstar_pg_curve_svg(int64 run_id);

#endif

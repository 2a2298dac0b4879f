/*
 * schedule.h
 *	  The learning rate over a run, as a share of its highest.
 */
#ifndef RSTAR_TRAIN_SCHEDULE_H
#define RSTAR_TRAIN_SCHEDULE_H

#include <stdbool.h>

typedef enum rstar_schedule
{
	RSTAR_SCHEDULE_COSINE,  /* one cosine down to 5 % */
	RSTAR_SCHEDULE_LINEAR,  /* straight down to 0 */
	RSTAR_SCHEDULE_EVEN,    /* even, then for the last 40 % straight down to 2 % */
	RSTAR_SCHEDULE_CONSTANT /* even to the end */
} rstar_schedule;

/* "cosine", "linear", "even", "constant". */
extern bool rstar_schedule_by_name(const char *name, rstar_schedule *schedule);
extern const char *rstar_schedule_name(rstar_schedule schedule);

/*
 * The share at progress 0 .. 1 of the run, the first `warmup` of which it rises from
 * nearly 0.
 */
extern double rstar_schedule_share(rstar_schedule schedule, double warmup, double progress);

#endif

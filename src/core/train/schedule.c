/*
 * schedule.c
 *	  The learning rate over a run.
 */
#include "core/train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <strings.h>

static const char *const names[] = {"cosine", "linear", "even", "constant"};

#define N_NAMES (sizeof names / sizeof *names)

bool
rstar_schedule_by_name(const char *name, rstar_schedule *schedule)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcasecmp(names[i], name) == 0)
		{
			*schedule = (rstar_schedule) i;
			return true;
		}
	return false;
}

const char *
rstar_schedule_name(rstar_schedule schedule)
{
	return names[schedule];
}

static double
decay(rstar_schedule schedule, double progress)
{
	switch (schedule)
	{
		case RSTAR_SCHEDULE_COSINE:
			return 0.05 + 0.95 * 0.5 * (1 + cos(M_PI * progress));
		case RSTAR_SCHEDULE_LINEAR:
			return 1 - progress;
		case RSTAR_SCHEDULE_EVEN:
			return fmin(1, 0.02 + 0.98 * (1 - progress) / 0.4);
		case RSTAR_SCHEDULE_CONSTANT:
			break;
	}
	return 1;
}

double
rstar_schedule_share(rstar_schedule schedule, double warmup, double progress)
{
	double p = fmin(1, fmax(0, progress));

	/* The first step is not one of nothing. */
	return decay(schedule, p) * (warmup > 0 ? fmin(1, (p + 1e-4) / warmup) : 1);
}

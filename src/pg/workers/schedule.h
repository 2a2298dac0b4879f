/*
 * schedule.h
 *	  Schedules: jobs that are submitted again and again.
 */
#ifndef RSTAR_PG_WORKERS_SCHEDULE_H
#define RSTAR_PG_WORKERS_SCHEDULE_H

#include "pg/workers/shared.h"

/*
 * In a transaction: add the schedules that are due, and the time of the next one, to
 * the report. Those whose role is gone or may not log in are put to rest.
 */
extern void rstar_schedules_examine(rstar_database_report *report);

#endif

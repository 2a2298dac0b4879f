/*
 * schedule.h
 *	  Schedules: jobs that are submitted again and again.
 */
#ifndef RSTAR_PG_WORKERS_SCHEDULE_H
#define RSTAR_PG_WORKERS_SCHEDULE_H

#include "pg/workers/shared.h"

/*
 * In a transaction: add the schedules that are due to the report, and the time of the next one.
 * Each that is due is set to its next time at once, before it has run, so that one which
 * fails, or brings its process down, is not run again and again. Those whose role is
 * gone or may not log in are put to rest.
 */
extern void rstar_pg_schedules_examine(rstar_database_report *report);

/*
 * The first time after `after` that an interval or a cron expression names; raises if it is
 * neither. previous: the time that an interval counts from.
 */
extern TimestampTz rstar_pg_schedule_next(const char *schedule, const char *time_zone,
										  TimestampTz previous, TimestampTz after);

#endif

/*
 * schedule_time.c
 *	  When a schedule is due.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "core/base/cron.h"
#include "pg/base/boundary.h"
#include "pg/workers/schedule.h"

/* Local times that a change of the clocks leaves out, or that come twice, in a row. */
#define MOST_SKIPPED 200

/* An expression has five words or is one that begins with '@'. */
static bool
looks_like_cron(const char *text)
{
	int words = 0;

	for (const char *c = text; *c; c++)
		words += !isspace((unsigned char) *c) && (c == text || isspace((unsigned char) c[-1]));
	return words == 5 || strchr(text, '@') != NULL || strchr(text, '*') != NULL;
}

static pg_tz *
zone_of(const char *name)
{
	pg_tz *zone = pg_tzset(name);

	if (!zone)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("time zone \"%s\" not recognized", name)));
	return zone;
}

static TimestampTz
from_local(const rstar_cron_time *local, pg_tz *zone)
{
	struct pg_tm tm = {.tm_year = local->year,
					   .tm_mon = local->month,
					   .tm_mday = local->day,
					   .tm_hour = local->hour,
					   .tm_min = local->minute};
	int offset = DetermineTimeZoneOffset(&tm, zone);
	Timestamp result;

	if (tm2timestamp(&tm, 0, &offset, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return result;
}

static TimestampTz
next_of_cron(const rstar_cron *cron, pg_tz *zone, TimestampTz after)
{
	struct pg_tm tm;
	fsec_t fraction;
	int offset;
	rstar_cron_time local;

	if (timestamp2tm(after, &offset, &tm, &fraction, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	local = (rstar_cron_time){tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min};
	for (int i = 0; i < MOST_SKIPPED && rstar_cron_next(cron, &local); i++)
	{
		TimestampTz next = from_local(&local, zone);

		if (next > after)
			return next;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the cron expression names no time that ever comes")));
}

/* The rhythm is kept: after a run that came late the next is not late too. */
static TimestampTz
next_of_interval(const char *text, TimestampTz previous, TimestampTz after)
{
	Datum interval = DirectFunctionCall3(interval_in, CStringGetDatum(text),
										 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	TimestampTz next = DatumGetTimestampTz(
		DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(previous), interval));
	TimestampTz from_after = DatumGetTimestampTz(
		DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(after), interval));

	if (from_after - after < USECS_PER_SEC)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a schedule's interval must be at least one second")));
	return next > after ? next : from_after;
}

TimestampTz
rstar_pg_schedule_next(const char *schedule, const char *time_zone, TimestampTz previous,
					   TimestampTz after)
{
	rstar_cron cron;
	rstar_error err;

	if (!looks_like_cron(schedule))
		return next_of_interval(schedule, previous, after);
	rstar_check(rstar_cron_parse(schedule, strlen(schedule), &cron, &err), &err);
	return next_of_cron(&cron, zone_of(time_zone), after);
}

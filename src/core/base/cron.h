/*
 * cron.h
 *	  Cron expressions: five fields that say at which minutes something happens.
 *
 *		expression	= minute ' ' hour ' ' day ' ' month ' ' weekday
 *					| '@hourly' | '@daily' | '@weekly' | '@monthly' | '@yearly'
 *		field		= part { ',' part }
 *		part		= ( '*' | value [ '-' value ] ) [ '/' step ]
 *		value		= a number, or the first three letters of a month or weekday
 *
 * Minutes 0-59, hours 0-23, days 1-31, months 1-12, weekdays 0-7 (0 and 7 are Sunday).
 * `n/step` means from n to the end. As in every cron, a day matches if the day
 * or the weekday does, when both are restricted (the field does not begin with '*').
 */
#ifndef RSTAR_BASE_CRON_H
#define RSTAR_BASE_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

/* Bit n: value n matches. */
typedef struct rstar_cron
{
	uint64_t minutes, hours, days, months, weekdays;
	bool any_day, any_weekday; /* the field begins with '*' */
} rstar_cron;

/* A minute of the proleptic Gregorian calendar, in no particular time zone. */
typedef struct rstar_cron_time
{
	int year, month, day, hour, minute; /* month and day from 1 */
} rstar_cron_time;

/* Errors: ARGUMENT, naming the field; or text longer than 1,000 bytes. */
extern rstar_status rstar_cron_parse(const char *text, size_t length, rstar_cron *out,
									 rstar_error *err);

/*
 * Move on to the first minute after *t that matches. False, *t undefined: there is
 * none within nine years (31 February).
 */
extern bool rstar_cron_next(const rstar_cron *cron, rstar_cron_time *t);

#endif
